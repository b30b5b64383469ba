#include "machine/machine_out.h"

uint64_t machine_out_next(const struct machine_out *out) { return out->outbox->last_n + 1; }

void machine_out_alert(struct machine_out *out, struct slice body)
{
    outbox_add(out->outbox, body);
    out->count++;
}
