/* writer_state.c -- see writer_state.h. */
#include "writer_state.h"

#include <xxhash.h>

void writer_state_init(struct writer_state *state, struct event_codec *codec)
{
    *state = (struct writer_state){.codec = codec, .ids = id_table_new()};
    ledger_totals_init(&state->totals);
    writer_tenants_init(&state->tenants);
    writer_outputs_init(&state->outputs);
}

void writer_state_close(struct writer_state *state)
{
    id_table_destroy(&state->ids);
    writer_tenants_close(&state->tenants);
    writer_outputs_close(&state->outputs);
    buf_close(&state->scratch);
}

void writer_state_opened(struct writer_state *state, uint64_t writer)
{
    if (state->id_seed == 0)
        state->id_seed = writer | 1;
}

struct writer_identity writer_identity_of(const struct writer_state *state, const struct event *event,
                                          struct buf *scratch)
{
    struct slice tenant = event->v[EV_TENANT].s, id = event->v[EV_EVENT_ID].s;
    uint64_t seed = XXH3_64bits_withSeed(tenant.p, tenant.n, state->id_seed + (uint64_t)event->type + 1);
    uint64_t key = XXH3_64bits_withSeed(id.p, id.n, seed);
    id_table_prefetch(state->ids, key); /* it comes while the body is hashed */
    return (struct writer_identity){key, event_body_hash(state->codec, event, scratch).low};
}

/* Bodies with the envelope, which have an identity: everything but the writer's own and the machines' records. */
static bool has_identity(const struct ledger_record *record)
{
    switch ((enum ledger_kind)record->kind) {
    case LEDGER_EVENT:
    case LEDGER_PLAN:
    case LEDGER_ACTION:
    case LEDGER_IMPORT:
        return true;
    case LEDGER_CONTROL:
        return record->source != LEDGER_SOURCE_NONE;
    case LEDGER_ALERT:
    case LEDGER_ATTEST:
    case LEDGER_REJECT:
    case LEDGER_TICK:
        break;
    }
    return false;
}

static bool is_output(const struct ledger_record *record)
{
    return record->kind == LEDGER_ALERT || record->kind == LEDGER_ATTEST;
}

static enum err_code corrupt(const struct ledger_record *record, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "ledger record %llu does not continue the writer's state: %s",
                   (unsigned long long)record->seq, what);
}

static bool fold_output(struct writer_state *state, const struct ledger_record *record, const struct event *event)
{
    bool alert = record->kind == LEDGER_ALERT;
    struct slice machine = event->v[alert ? (int)ALERT_MACHINE : (int)ATTEST_MACHINE].s;
    uint64_t n = (uint64_t)event->v[alert ? (int)ALERT_N : (int)ATTEST_N].i;
    struct writer_output *output = writer_outputs_add(&state->outputs, machine, record->tenant);
    if (!output || n != output->n + 1)
        return false;
    output->n = n;
    output->body = XXH3_64bits(record->body.p, record->body.n);
    return true;
}

/* What a record of a tenant does to its clock and number. */
static bool fold_tenant(struct writer_state *state, const struct ledger_record *record, const struct event *event)
{
    if (record->tenant.n == 0)
        return record->tenant_seq == 0;
    struct writer_tenant *tenant = writer_tenants_add(&state->tenants, record->tenant);
    if (!tenant || record->tenant_seq != tenant->clock.tenant_seq + 1)
        return false;
    (void)tenant_clock_apply(&tenant->clock, record, event);
    return true;
}

enum err_code writer_state_fold(struct writer_state *state, const struct ledger_record *record,
                                const struct event *event, const struct writer_identity *identity, struct err *err)
{
    bool identified = has_identity(record), output = is_output(record);
    struct writer_identity own;
    if (record->seq <= state->seq)
        return corrupt(record, "its number goes back", err);
    if (record->time_ms < state->time_ms)
        return corrupt(record, "its time goes back", err);
    if ((identified || output) && !event) {
        enum err_code code =
            event_decode_body(state->codec, (enum event_type)record->type, record->body, &state->event, err);
        if (code != OK)
            return err_wrap(err, "ledger record %llu", (unsigned long long)record->seq);
        event = &state->event;
    }
    if (!ledger_totals_apply(&state->totals, record))
        return corrupt(record, "its source number or counters disagree", err);
    if (!fold_tenant(state, record, event))
        return corrupt(record, "its tenant's number is not the next", err);
    if (output && !fold_output(state, record, event))
        return corrupt(record, "its output number is not the next", err);
    if (identified) {
        if (!identity) {
            buf_clear(&state->scratch);
            own = writer_identity_of(state, event, &state->scratch);
            identity = &own;
        }
        id_table_put(state->ids, identity->id, identity->body, record->time_ms);
    }
    state->seq = record->seq;
    state->time_ms = record->time_ms;
    if (record->kind == LEDGER_TICK)
        id_table_sweep(state->ids, state->time_ms);
    return OK;
}

void writer_state_save(const struct writer_state *state, struct buf *out)
{
    buf_add_u64(out, state->seq);
    buf_add_u64(out, (uint64_t)state->time_ms);
    buf_add_u64(out, state->id_seed);
    ledger_totals_save(&state->totals, out);
    writer_tenants_save(&state->tenants, out);
    writer_outputs_save(&state->outputs, out);
    id_table_save(state->ids, state->time_ms, out);
}

bool writer_state_load(struct writer_state *state, struct cursor *in)
{
    state->seq = cursor_u64(in);
    state->time_ms = (int64_t)cursor_u64(in);
    state->id_seed = cursor_u64(in);
    return !in->bad && ledger_totals_load(&state->totals, in) && writer_tenants_load(&state->tenants, in) &&
           writer_outputs_load(&state->outputs, in) && id_table_load(state->ids, state->time_ms, in);
}
