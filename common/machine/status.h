/* status.h -- where a machine's shard stands, as it says in the view under "MACHINE/SHARD": for `show shards`, `wait`,
 * `doctor`. A tenant is told in up to two calls, one with its digest, one with its stop. A plain overwrite, written
 * only after every tenant's figures up to `seq` are committed: whoever reads a status may rely on the figures being at
 * least as new (rulings O35). */
#ifndef MACHINE_STATUS_H
#define MACHINE_STATUS_H

#include "ledger/filter.h"
#include "view/view.h"

struct status_source {
    int64_t position; /* next raw record that is not disposed of yet: everything below has an answer in the ledger */
    uint64_t accepted, duplicate, rejected;
};

struct machine_status {
    uint32_t version; /* of the machine */
    uint32_t branch, epoch;
    uint64_t seq;
    int64_t time_ms;       /* shard time */
    int64_t next_offset;   /* of the ledger topic: everything below was read */
    uint64_t snapshot_seq; /* of the newest snapshot written or loaded; 0: none */
    uint64_t outbox;       /* outputs that are not read back yet */
    struct status_source sources[LEDGER_SOURCE_COUNT];
    uint64_t voids[FILTER_VERDICT_COUNT]; /* void blocks by cause, as this process met them */
};

/* One tenant of the status: its last attested digest and whether it stopped. Borrowed for the call. */
struct status_tenant {
    struct slice tenant;
    uint64_t tenant_seq; /* of the digest; 0: none yet */
    struct slice digest; /* 64 hex digits */
    struct slice stop;   /* "" or quarantined, held, breach, diverged, bug, and why */
};
typedef void status_on_tenant(void *context, const struct status_tenant *tenant);

enum { STATUS_NAME_BYTES_MAX = 80, STATUS_TENANTS_MAX = 1000 /* digests kept in a status */ };
void status_name(const char *machine, uint32_t shard, char out[STATUS_NAME_BYTES_MAX]);

enum err_code status_write(struct view *view, const char *machine, uint32_t shard, const struct machine_status *status,
                           const struct status_tenant *tenants, size_t tenant_count, struct err *err);
/* ERR_MISSING: this machine has not said anything of this shard. on_tenant may be NULL. */
enum err_code status_read(struct view *view, const char *machine, uint32_t shard, struct machine_status *status,
                          status_on_tenant *on_tenant, void *context, struct err *err);

#endif
