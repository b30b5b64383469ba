/* fold.h -- a machine over one shard of the ledger, as a pure function of the records: tenants, their clocks and
 * timers, numbered outputs, attests. No log, view, store or clock: the runner is the shell around it, and replay uses
 * it without one.
 *
 *   fold_apply(record):  hour passed? attest of what changed
 *                        shard time := the record's; timers of live tenants due by then fire in the order (due, tenant)
 *                        the tenant's clock moves, its timers due by then fire, the machine applies the record,
 *                        timers that were already due when it set them fire
 *
 * The same records give the same outputs and the same bytes of state, whatever snapshots lie between. One owner. */
#ifndef MACHINE_FOLD_H
#define MACHINE_FOLD_H

#include "ledger/ledger_totals.h"
#include "machine/crumb.h"
#include "machine/tenants.h"
#include "model/event.h"

enum {
    FOLD_SETTLE_MS = 10 * 60 * 1000,  /* design 5.6: timers of a gap wait so long behind it */
    FOLD_ATTEST_TENANTS_MAX = 4096,   /* tenants in one attest */
    FOLD_ATTEST_GRID_MS = 3600 * 1000 /* an attest of what changed at each UTC hour of shard time */
};

struct fold {
    const struct machine_type *type;
    struct event_codec *codec;
    uint32_t shard;
    struct tenants *tenants;
    struct ledger_totals totals;
    uint64_t seq;                      /* of the last record applied */
    int64_t time_ms;                   /* shard time */
    int64_t grid_ms;                   /* the last hour an attest was due at; 0: no record yet */
    int64_t gap_from_ms, gap_until_ms; /* until 0: no gap is settling */
    struct outbox attests;
    uint64_t attests_diverged;
    uint64_t outputs;    /* alerts made, ever */
    struct crumb *crumb; /* NULL: nobody counts crashes */
    bool ticked;         /* a tick was applied since the runner cleared this */
    bool moved;          /* outputs were made or read back since the runner cleared this */

    /* Tenants touched since the runner took the list: their figures, head or outbox may have changed. */
    struct tenant **touched;
    uint32_t touched_count, touched_size;
    struct tenant *release; /* must be folded anew before the next record (refold.h); NULL: none */

    bool partial; /* sees only some records: counters, attests, quarantine and release are not its business */

    struct tenant *expecting; /* whose record fold_expect saw last */
    struct buf scratch;
    struct event event;
};

/* type and codec are borrowed. */
struct fold *fold_new(const struct machine_type *type, struct event_codec *codec, uint32_t shard);
void fold_destroy(struct fold **fold);

/* One ledger record. ERR_CORRUPT: it does not continue the ledger; ERR_CONFIG: it asks for a version of the machine
 * this build does not have. A machine that fails stops its tenant only. */
/* This record will be applied soon; see machine.h, expect. */
void fold_expect(struct fold *fold, const struct ledger_record *record);
enum err_code fold_apply(struct fold *fold, const struct ledger_record *record, struct err *err);

/* Stops a tenant and says why (printf). */
void fold_stop(struct fold *fold, struct tenant *tenant, enum tenant_stop stop, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void fold_touch(struct fold *fold, struct tenant *tenant);
/* T of a tenant now. */
static inline int64_t fold_now(const struct fold *fold, const struct tenant *tenant)
{
    return tenant_clock_at(&tenant->clock, fold->time_ms);
}
/* Makes the attest of everything changed since the last one (the grid does this by itself). */
void fold_attest(struct fold *fold);
/* Recounts every running tenant; the names of those that fail are stopped. Returns how many. */
uint32_t fold_recount(struct fold *fold);

/* Canonical bytes: one head, then one section per tenant in the order of tenants_at. */
void fold_save_head(const struct fold *fold, struct buf *out);
bool fold_load_head(struct fold *fold, struct cursor *in);
void fold_save_tenant(const struct fold *fold, const struct tenant *tenant, struct buf *out);
struct slice fold_section_name(struct slice section); /* of the tenant of a section; empty: malformed */
enum err_code fold_load_tenant(struct fold *fold, struct slice section, struct err *err);

#endif
