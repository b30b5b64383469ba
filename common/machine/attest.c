#include "machine/attest.h"

#include <stdlib.h>

#include "base/sha256.h"

static struct event_value number(int64_t value) { return (struct event_value){.i = value}; }
static struct event_value text(struct slice value) { return (struct event_value){.s = value}; }

static void set(struct event *event, unsigned field, struct event_value value)
{
    event->v[field] = value;
    event->present |= UINT64_C(1) << field;
}

/* One attest of `count` tenants whose items are already encoded. */
static void add_attest(struct fold *fold, const struct buf *items, uint32_t count)
{
    struct event event = {.type = EVENT_ATTEST};
    set(&event, ATTEST_MACHINE, text(slice_of(fold->type->name)));
    set(&event, ATTEST_VERSION, number(fold->type->version));
    set(&event, ATTEST_SHARD, number(fold->shard));
    set(&event, ATTEST_SEQ, number((int64_t)fold->seq));
    set(&event, ATTEST_TENANTS, (struct event_value){.i = count, .s = buf_slice(items)});
    set(&event, ATTEST_N, number((int64_t)fold->attests.last_n + 1));
    buf_clear(&fold->scratch);
    event_encode(fold->codec, &event, &fold->scratch);
    outbox_add(&fold->attests, buf_slice(&fold->scratch));
    fold->moved = true;
}

static void add_tenant(struct fold *fold, struct tenant *tenant, struct buf *items)
{
    buf_clear(&fold->scratch);
    fold->type->save(tenant->state, &fold->scratch);
    sha256(buf_slice(&fold->scratch), tenant->digest);
    tenant->digest_seq = tenant->clock.tenant_seq;
    tenant->changed = false;
    char hex[SHA256_HEX_BYTES];
    sha256_hex(tenant->digest, hex);
    struct event_digest digest = {tenant->name, slice_of(hex), (int64_t)tenant->digest_seq};
    event_digests_add(items, &digest);
}

void fold_attest(struct fold *fold)
{
    struct buf items;
    buf_init(&items);
    uint32_t count = 0;
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        struct tenant *tenant = tenants_at(fold->tenants, i);
        if (!tenant->changed || tenant->stop != TENANT_RUNS)
            continue;
        add_tenant(fold, tenant, &items);
        if (++count == FOLD_ATTEST_TENANTS_MAX) {
            add_attest(fold, &items, count);
            buf_clear(&items);
            count = 0;
        }
    }
    if (count)
        add_attest(fold, &items, count);
    buf_close(&items);
}

/* Does the body made here hold the same digest of this tenant? */
static bool same_digest(const struct event *own, const struct event_digest *theirs)
{
    struct cursor items = cursor_of(own->v[ATTEST_TENANTS].s);
    struct event_digest digest;
    while (event_digests_next(&items, &digest))
        if (slice_eq(digest.tenant, theirs->tenant))
            return slice_eq(digest.digest, theirs->digest) && digest.tenant_seq == theirs->tenant_seq;
    return false;
}

static void stop_those_that_differ(struct fold *fold, const struct event *theirs, struct slice own_body)
{
    struct event own;
    struct err err;
    bool have_own = own_body.n && !event_decode_body(fold->codec, EVENT_ATTEST, own_body, &own, &err);
    struct cursor items = cursor_of(theirs->v[ATTEST_TENANTS].s);
    struct event_digest digest;
    while (event_digests_next(&items, &digest)) {
        struct tenant *tenant = tenants_find(fold->tenants, digest.tenant);
        if (tenant && tenant->stop == TENANT_RUNS && !(have_own && same_digest(&own, &digest)))
            fold_stop(fold, tenant, TENANT_DIVERGED, "attest %lld in the ledger has another digest at tenant_seq %lld",
                      (long long)theirs->v[ATTEST_N].i, (long long)digest.tenant_seq);
    }
}

void attest_read_back(struct fold *fold, const struct ledger_record *record, const struct event *event)
{
    if (!slice_is(event->v[ATTEST_MACHINE].s, fold->type->name) || event->v[ATTEST_SHARD].i != fold->shard)
        return;
    struct slice own = {0};
    outbox_oldest(&fold->attests, &own);
    uint64_t n = (uint64_t)event->v[ATTEST_N].i;
    fold->moved = true;
    switch (outbox_read_back(&fold->attests, n, record->body)) {
    case OUTBOX_SAME:
    case OUTBOX_REPEAT:
        return;
    case OUTBOX_UNKNOWN:
    case OUTBOX_DIFFERS:
        fold->attests_diverged++;
        stop_those_that_differ(fold, event, own);
        outbox_adopt(&fold->attests, n); /* the tenants stopped; the others' attests go on */
        return;
    }
}
