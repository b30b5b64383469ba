/* machine_out.h -- the collector that apply and fire add their alerts to: a thin hand on a tenant's outbox. */
#ifndef MACHINE_MACHINE_OUT_H
#define MACHINE_MACHINE_OUT_H

#include "machine/machine.h"
#include "machine/outbox.h"

struct machine_out {
    struct outbox *outbox; /* of the tenant that is folded */
    uint32_t count;        /* outputs of this call */
};
static inline struct machine_out machine_out_of(struct outbox *outbox) { return (struct machine_out){outbox, 0}; }

#endif
