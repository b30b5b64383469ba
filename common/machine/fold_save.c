/* fold_save.c -- the fold as bytes: one head, then one section per tenant. */
#include <stdio.h>

#include "base/sha256.h"
#include "machine/fold.h"

void fold_save_head(const struct fold *fold, struct buf *out)
{
    buf_add_varint(out, fold->seq);
    buf_add_zigzag(out, fold->time_ms);
    buf_add_zigzag(out, fold->grid_ms);
    buf_add_zigzag(out, fold->gap_from_ms);
    buf_add_zigzag(out, fold->gap_until_ms);
    buf_add_varint(out, fold->outputs);
    ledger_totals_save(&fold->totals, out);
    outbox_save(&fold->attests, out);
}

bool fold_load_head(struct fold *fold, struct cursor *in)
{
    fold->seq = cursor_varint(in);
    fold->time_ms = cursor_zigzag(in);
    fold->grid_ms = cursor_zigzag(in);
    fold->gap_from_ms = cursor_zigzag(in);
    fold->gap_until_ms = cursor_zigzag(in);
    fold->outputs = cursor_varint(in);
    return ledger_totals_load(&fold->totals, in) && outbox_load(&fold->attests, in) && !in->bad;
}

static void add_text(struct buf *out, struct slice text)
{
    buf_add_varint(out, text.n);
    buf_add_slice(out, text);
}

static struct slice take_text(struct cursor *in) { return cursor_take(in, cursor_varint(in)); }

void fold_save_tenant(const struct fold *fold, const struct tenant *tenant, struct buf *out)
{
    add_text(out, tenant->name);
    tenant_clock_save(&tenant->clock, out);
    outbox_save(&tenant->alerts, out);
    buf_add_byte(out, (uint8_t)tenant->stop);
    buf_add_varint(out, tenant->stop_seq);
    add_text(out, slice_of(tenant->stop_text));
    buf_add_varint(out, tenant->held_seq);
    buf_add_byte(out, tenant->changed);
    buf_add(out, tenant->digest, sizeof tenant->digest);
    buf_add_varint(out, tenant->digest_seq);
    fold->type->save(tenant->state, out); /* to the end of the section */
}

static void take_digest(struct tenant *tenant, struct cursor *in)
{
    struct slice digest = cursor_take(in, sizeof tenant->digest);
    if (digest.n == sizeof tenant->digest)
        memcpy(tenant->digest, digest.p, digest.n);
    tenant->digest_seq = cursor_varint(in);
}

struct slice fold_section_name(struct slice section)
{
    struct cursor in = cursor_of(section);
    struct slice name = take_text(&in);
    return in.bad ? (struct slice){NULL, 0} : name;
}

enum err_code fold_load_tenant(struct fold *fold, struct slice section, struct err *err)
{
    struct cursor in = cursor_of(section);
    struct slice name = take_text(&in);
    if (in.bad || name.n == 0 || tenants_find(fold->tenants, name))
        return err_set(err, ERR_CORRUPT, "a tenant's section has no name or comes twice");
    struct tenant *tenant = tenants_get(fold->tenants, name);
    bool whole = tenant_clock_load(&tenant->clock, &in) && outbox_load(&tenant->alerts, &in);
    uint8_t stop = cursor_byte(&in);
    tenant->stop_seq = cursor_varint(&in);
    struct slice text = take_text(&in);
    tenant->held_seq = cursor_varint(&in);
    tenant->changed = cursor_byte(&in) != 0;
    take_digest(tenant, &in);
    if (!whole || in.bad || stop > TENANT_BUG || text.n >= sizeof tenant->stop_text)
        return err_set(err, ERR_CORRUPT, "the section of tenant %.*s is malformed", SLICE_ARG(name));
    tenant->stop = (enum tenant_stop)stop;
    memcpy(tenant->stop_text, text.p, text.n);
    enum err_code code = fold->type->load(tenant->state, cursor_take(&in, cursor_left(&in)), err);
    if (code)
        return code;
    tenant->base_seq = fold->seq;
    tenants_schedule(fold->tenants, fold->type, tenant);
    return OK;
}
