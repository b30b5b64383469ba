#include "machine/refold.h"

#include "machine/snapshot.h"

enum { RANGE_TIMEOUT_MS = 5000 };

/* A record that the released tenant's fold must see: its own, and those of the whole shard (ticks, gaps). Its own
 * quarantines and releases are history by now. */
static bool concerns(const struct ledger_record *record, const struct tenant *tenant)
{
    return record->tenant.n == 0 ? record->kind != LEDGER_ATTEST : slice_eq(record->tenant, tenant->name);
}

/* Takes over what the fold beside has made of the tenant. */
static void adopt(struct fold *fold, struct tenant *tenant, struct tenant *anew)
{
    void *state = tenant->state;
    tenant->state = anew->state;
    anew->state = state;
    struct outbox alerts = tenant->alerts;
    tenant->alerts = anew->alerts;
    anew->alerts = alerts;
    outbox_rewind(&tenant->alerts);
    tenant->clock = anew->clock;
    tenant->stop = anew->stop;
    tenant->stop_seq = anew->stop_seq;
    tenant->held_seq = anew->held_seq;
    memcpy(tenant->stop_text, anew->stop_text, sizeof tenant->stop_text);
    tenant->changed = true;
    tenant->asked = false;
    tenant->base_seq = UINT64_MAX; /* no stored head is a base for this: a new generation */
    fold->moved = true;
    tenants_schedule(fold->tenants, fold->type, tenant);
    fold_touch(fold, tenant);
}

/* Where to begin; makes refold->beside. */
static enum err_code begin_at(struct refold *refold, const struct fold *fold, struct log *log, struct store *store,
                              const char *topic, struct filter *from, struct err *err)
{
    int64_t begin, end;
    enum err_code code = log_range(log, topic, fold->shard, RANGE_TIMEOUT_MS, &begin, &end, err);
    if (code)
        return code;
    if (begin == 0) {
        filter_init(from, fold->shard);
        refold->beside = fold_new(fold->type, fold->codec, fold->shard);
        return OK;
    }
    const struct snapshot_of_tenant wanted = {fold->release->name, fold->seq, begin, end};
    code = store
               ? snapshot_load_tenant(fold->type, fold->codec, fold->shard, &wanted, store, &refold->beside, from, err)
               : ERR_MISSING;
    if (code == ERR_MISSING)
        return err_set(err, ERR_GAP, "the log begins at offset %lld and no snapshot holds the tenant before it stopped",
                       (long long)begin);
    return code;
}

static enum err_code begin(struct refold *refold, const struct fold *fold, struct log *log, struct store *store,
                           const char *topic, struct err *err)
{
    struct filter from;
    enum err_code code = begin_at(refold, fold, log, store, topic, &from, err);
    if (!code)
        code = ledger_reader_open(log, topic, &from, &refold->reader, err);
    if (code)
        return code;
    ledger_reader_expect(refold->reader, event_codec_ledger_schema(fold->codec));
    refold->beside->crumb = fold->crumb;
    refold->beside->partial = true;
    refold->seq = from.seq;
    return OK;
}

static enum err_code read_some(struct refold *refold, const struct fold *fold, bool *busy, struct err *err)
{
    enum err_code code = OK;
    *busy = true;
    for (unsigned i = 0; !code && i < REFOLD_STEP_RECORDS && refold->seq < fold->seq; i++) {
        struct ledger_record record;
        code = ledger_reader_next(refold->reader, &record, busy, err);
        if (code || !*busy) /* all of it was read once: it comes */
            break;
        if (record.seq <= fold->seq && concerns(&record, fold->release))
            code = fold_apply(refold->beside, &record, err);
        refold->beside->release = NULL;
        refold->seq = record.seq;
    }
    return code;
}

void refold_close(struct refold *refold)
{
    if (refold->beside)
        fold_destroy(&refold->beside);
    if (refold->reader)
        ledger_reader_destroy(&refold->reader);
    *refold = (struct refold){0};
}

enum err_code refold_step(struct refold *refold, struct fold *fold, struct log *log, struct store *store,
                          const char *ledger_topic, bool *busy, struct err *err)
{
    struct tenant *tenant = fold->release;
    enum err_code code = refold->reader ? OK : begin(refold, fold, log, store, ledger_topic, err);
    if (!code)
        code = read_some(refold, fold, busy, err);
    if (!code && refold->seq < fold->seq)
        return OK;
    struct tenant *anew = code ? NULL : tenants_find(refold->beside->tenants, tenant->name);
    if (anew)
        adopt(fold, tenant, anew);
    refold_close(refold);
    *busy = true;
    if (err_class(code) == ERR_CLASS_RETRY)
        return code;
    fold->release = NULL;
    if (code)
        fold_stop(fold, tenant, TENANT_QUARANTINED, "cannot be folded anew: %.100s", err->text);
    return OK;
}
