/* tenant_clock.h -- T, the tenant's now, as a fold of its ledger records (semantics 0.1, design 5). Used alike by the
 * ledger service (to refuse imports), by every machine's runtime and by `tail`. Pure; never goes back. */
#ifndef MODEL_TENANT_CLOCK_H
#define MODEL_TENANT_CLOCK_H

#include "base/buf.h"
#include "ledger/record.h"

/* Where the tenant's clock stands. */
enum tenant_mode {
    TENANT_WAITING,   /* T = 0: no visit, order, lead, fact or action yet */
    TENANT_LIVE,      /* T = shard time */
    TENANT_BACKFILL,  /* T moved by import records only */
    TENANT_STANDSTILL /* after an import: T stands until the first live visit, order, lead or fact, or `live` */
};

struct tenant_clock {
    enum tenant_mode mode;
    int64_t now_ms;      /* T as of the last record or tick applied; 0 while waiting */
    uint64_t tenant_seq; /* of the last record */
    uint64_t run_hash;   /* XXH3-64 of the run id while TENANT_BACKFILL */
};

struct tenant_step {
    int64_t now_ms;
    bool historic, catch_up;
};

struct event;
/* Moves the clock by one record of the tenant. `event` is the decoded body of events, imports, actions and controls
 * (NULL for others). */
struct tenant_step tenant_clock_apply(struct tenant_clock *clock, const struct ledger_record *record,
                                      const struct event *event);
/* T at shard time `shard_ms` (ticks and other tenants' records move a live tenant). */
int64_t tenant_clock_at(const struct tenant_clock *clock, int64_t shard_ms);
void tenant_clock_save(const struct tenant_clock *clock, struct buf *out);
bool tenant_clock_load(struct tenant_clock *clock, struct cursor *in);

#endif
