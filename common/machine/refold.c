#include "machine/refold.h"

#include "ledger/ledger_reader.h"

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

static enum err_code fold_beside(struct fold *beside, const struct fold *fold, struct ledger_reader *reader,
                                 struct err *err)
{
    enum err_code code = OK;
    struct ledger_record record;
    bool got = true;
    uint64_t seq = 0;
    while (!code && seq < fold->seq) {
        code = ledger_reader_next(reader, &record, &got, err);
        if (!code && !got) {
            ledger_reader_wait(reader, 100); /* all of it was read once: it comes */
            continue;
        }
        if (code || record.seq > fold->seq)
            break;
        seq = record.seq;
        if (concerns(&record, fold->release))
            code = fold_apply(beside, &record, err);
        beside->release = NULL;
    }
    return code;
}

enum err_code refold(struct fold *fold, struct log *log, const char *ledger_topic, struct err *err)
{
    struct tenant *tenant = fold->release;
    fold->release = NULL;
    struct filter from;
    filter_init(&from, fold->shard);
    struct ledger_reader *reader;
    enum err_code code = ledger_reader_open(log, ledger_topic, &from, &reader, err);
    if (code)
        return code;
    struct fold *beside = fold_new(fold->type, fold->codec, fold->shard);
    beside->crumb = fold->crumb;
    beside->partial = true;
    fold->release = tenant;
    code = fold_beside(beside, fold, reader, err);
    fold->release = NULL;
    struct tenant *anew = tenants_find(beside->tenants, tenant->name);
    if (!code && anew)
        adopt(fold, tenant, anew);
    fold_destroy(&beside);
    ledger_reader_destroy(&reader);
    if (err_class(code) == ERR_CLASS_RETRY) {
        fold->release = tenant;
        return code;
    }
    if (code)
        fold_stop(fold, tenant, TENANT_QUARANTINED, "cannot be folded anew: %.100s", err->text);
    return OK;
}
