/* decide.c -- see decide.h. */
#include "decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/sha256.h"

enum {
    FILE_BYTES_MAX = 4096,
    /* What a log takes in one value, less the other fields of a reject. A record beyond it (compressed, it passes the
     * broker's limit) must not stop the shard: its reject has origin, size and digest, the bytes stay at the origin. */
    REJECT_KEPT_BYTES_MAX = LOG_VALUE_BYTES_MAX - 2 * FILE_BYTES_MAX
};

struct decider {
    struct event_codec *codec;
    struct buf decode; /* what event_decode needs besides the raw bytes */
    struct buf body;
    struct buf hash;
    struct event reject; /* the reject as an event of its own */
    char sha256[SHA256_HEX_BYTES];
};

struct decider *decider_new(struct event_codec *codec)
{
    struct decider *decider = calloc(1, sizeof *decider);
    if (!decider)
        abort();
    decider->codec = codec;
    return decider;
}

void decider_destroy(struct decider **decider)
{
    if (*decider) {
        buf_close(&(*decider)->decode);
        buf_close(&(*decider)->body);
        buf_close(&(*decider)->hash);
    }
    free(*decider);
    *decider = NULL;
}

#define TYPE(t) (1u << (t))
static const struct {
    uint32_t types; /* that belong to the topic */
    bool keyed;     /* key = tenant */
} rules[LEDGER_SOURCE_COUNT] = {
    [LEDGER_SOURCE_VISITS] = {TYPE(EVENT_VISIT), true},
    [LEDGER_SOURCE_ORDERS] = {TYPE(EVENT_ORDER), true},
    [LEDGER_SOURCE_LEADS] = {TYPE(EVENT_LEAD), true},
    [LEDGER_SOURCE_FACTS] = {TYPE(EVENT_FACT), true},
    [LEDGER_SOURCE_PLANS] = {TYPE(EVENT_PLAN), true},
    [LEDGER_SOURCE_ACTIONS] = {TYPE(EVENT_ACTION), true},
    [LEDGER_SOURCE_IMPORT] = {TYPE(EVENT_VISIT) | TYPE(EVENT_ORDER) | TYPE(EVENT_LEAD) | TYPE(EVENT_FACT) |
                                  TYPE(EVENT_PLAN) | TYPE(EVENT_ACTION) | TYPE(EVENT_CONTROL),
                              true},
    [LEDGER_SOURCE_ALERTS] = {TYPE(EVENT_ALERT), true},
    [LEDGER_SOURCE_ATTESTS] = {TYPE(EVENT_ATTEST), false},
};
#undef TYPE

static void refuse(struct decision *decision, enum reject_reason reason, const char *field, const char *text)
{
    decision->class = DECISION_REJECT;
    decision->reject.reason = reason;
    (void)snprintf(decision->reject.field, sizeof decision->reject.field, "%s", field);
    (void)snprintf(decision->reject.text, sizeof decision->reject.text, "%s", text);
}

/* Where the tenant stands with imports as lived. */
static const struct tenant_clock *clock_of(struct writer_state *state, struct slice tenant)
{
    static const struct tenant_clock waiting = {.mode = TENANT_WAITING};
    const struct writer_tenant *known = writer_tenants_find(&state->tenants, tenant);
    return known ? &known->clock : &waiting;
}

static bool same_run(const struct tenant_clock *clock, const struct event *event)
{
    struct slice run = event->v[CONTROL_RUN_ID].s;
    return event_has(event, CONTROL_RUN_ID) && clock->run_hash == XXH3_64bits(run.p, run.n);
}

static bool check_begin(const struct tenant_clock *clock, struct decision *decision)
{
    if (clock->mode == TENANT_WAITING)
        return true;
    if (clock->mode == TENANT_BACKFILL) /* the field tells importers that their records would end in a foreign run */
        refuse(decision, REJECT_backfill_refused, "run_id",
               "another import as lived is running for this tenant; wait for its end");
    else
        refuse(decision, REJECT_backfill_refused, "",
               "the tenant's clock has started; import this history as late events (without --as-lived)");
    return false;
}

/* Who may ask: a machine's runtime for the quarantine of its own tenant, an operator for the rest
 * (docs/decisions/0030-poison.md). */
static bool check_asker(const struct event *event, struct decision *decision)
{
    bool quarantine = event->v[CONTROL_CONTROL].i == CONTROL_CONTROL_quarantine;
    struct slice source = event->v[EV_SOURCE].s;
    if (quarantine ? slice_eq(source, event->v[CONTROL_MACHINE].s) : slice_is(source, "operator"))
        return true;
    refuse(decision, REJECT_bad_id, "source",
           quarantine ? "a quarantine is asked for by its machine: source must be the machine's name"
                      : "this control is an operator's: source must be \"operator\"");
    return false;
}

static bool check_control(const struct tenant_clock *clock, const struct event *event, struct decision *decision)
{
    switch (event->v[CONTROL_CONTROL].i) {
    case CONTROL_CONTROL_backfill_begin:
        return check_begin(clock, decision);
    case CONTROL_CONTROL_backfill_end:
        if (clock->mode == TENANT_BACKFILL && same_run(clock, event))
            return true;
        refuse(decision, REJECT_backfill_refused, "run_id", "this run is not the one that is running for this tenant");
        return false;
    case CONTROL_CONTROL_live:
        if (clock->mode != TENANT_BACKFILL)
            return true;
        refuse(decision, REJECT_backfill_running, "", "an import as lived is running for this tenant; end it first");
        return false;
    case CONTROL_CONTROL_quarantine:
    case CONTROL_CONTROL_release:
    case CONTROL_CONTROL_machine_version:
        return check_asker(event, decision); /* in force where it stands in the ledger */
    default:
        refuse(decision, REJECT_wrong_topic, "control", "this control is written by the ledger itself only");
        return false;
    }
}

/* Records of sales.import need a run, live ones must not meet one. */
static bool check_import(struct writer_state *state, enum ledger_source source, const struct event *event,
                         struct decision *decision)
{
    const struct tenant_clock *clock = clock_of(state, decision->record.tenant);
    if (event->type == EVENT_CONTROL)
        return check_control(clock, event, decision);
    bool running = clock->mode == TENANT_BACKFILL, imported = source == LEDGER_SOURCE_IMPORT;
    if (running == imported)
        return true;
    if (imported)
        refuse(decision, REJECT_backfill_refused, "", "no import as lived is running for this tenant (backfill_begin)");
    else
        refuse(decision, REJECT_backfill_running, "",
               "an import as lived is running for this tenant; sent again after it");
    return false;
}

static enum ledger_kind kind_of(enum ledger_source source, enum event_type type)
{
    if (type == EVENT_CONTROL)
        return LEDGER_CONTROL;
    if (source == LEDGER_SOURCE_IMPORT)
        return LEDGER_IMPORT;
    return type == EVENT_PLAN ? LEDGER_PLAN : type == EVENT_ACTION ? LEDGER_ACTION : LEDGER_EVENT;
}

/* The body as it stands in the ledger: canonical Avro, without copying where it came so. */
static struct slice body_of(struct decider *decider, const struct event *event)
{
    if (event->datum.n)
        return event->datum;
    buf_clear(&decider->body);
    event_encode(decider->codec, event, &decider->body);
    return buf_slice(&decider->body);
}

static bool has_room(struct writer_state *state, struct slice tenant, struct decision *decision)
{
    if (!tenant.n || state->tenants.count < WRITER_TENANTS_MAX || writer_tenants_find(&state->tenants, tenant))
        return true;
    refuse(decision, REJECT_too_many, "tenant", "this shard holds no further tenants; use more shards");
    return false;
}

/* May an output be the next of its machine? */
static bool check_output(struct writer_state *state, const struct raw_record *raw, const struct writer_output *last,
                         struct slice tenant, struct decision *decision)
{
    const struct event *event = &decision->event;
    if (event->type == EVENT_ATTEST && event->v[ATTEST_SHARD].i != raw->shard) {
        refuse(decision, REJECT_out_of_range, "shard", "an attest of another shard than this partition's");
        return false;
    }
    if (!last && state->outputs.count == WRITER_OUTPUTS_MAX) {
        refuse(decision, REJECT_too_many, "machine", "this shard keeps the outputs of no further machines and tenants");
        return false;
    }
    return has_room(state, tenant, decision);
}

/* A machine's output: the next number, one that is there, or one that came too early and will be sent again. Only the
 * last output can be compared, so an older number is a duplicate unseen (docs/ledger.md); what differs from what stands
 * is a `conflict` that says diverged. */
static void decide_output(struct decider *decider, struct writer_state *state, const struct raw_record *raw,
                          struct decision *decision)
{
    const struct event *event = &decision->event;
    bool alert = event->type == EVENT_ALERT;
    struct slice tenant = alert ? event->v[ALERT_TENANT].s : (struct slice){NULL, 0};
    struct slice machine = event->v[alert ? (int)ALERT_MACHINE : (int)ATTEST_MACHINE].s;
    uint64_t n = (uint64_t)event->v[alert ? (int)ALERT_N : (int)ATTEST_N].i;
    const struct writer_output *last = writer_outputs_find(&state->outputs, machine, tenant);
    uint64_t last_n = last ? last->n : 0;
    struct slice body = body_of(decider, event);
    if (!check_output(state, raw, last, tenant, decision))
        return;
    decision->class = DECISION_DUPLICATE;
    if (n == last_n + 1) {
        decision->class = DECISION_ACCEPT;
        decision->record.kind = alert ? LEDGER_ALERT : LEDGER_ATTEST;
        decision->record.tenant = tenant;
        decision->record.body = body;
    } else if (n == last_n && last && last->body != XXH3_64bits(body.p, body.n)) {
        refuse(decision, REJECT_conflict, "n", "diverged: another output of this machine stands under this number");
    }
}

static void decide_event(struct decider *decider, struct writer_state *state, const struct raw_record *raw,
                         struct decision *decision)
{
    const struct event *event = &decision->event;
    decision->record.tenant = event->v[EV_TENANT].s;
    buf_clear(&decider->hash);
    decision->identity = writer_identity_of(state, event, &decider->hash);
    decision->has_identity = true;
    enum id_answer answer =
        id_table_find(state->ids, decision->identity.id, decision->identity.body, decision->record.time_ms);
#ifdef SEEDED_BUG_COUNT_TWICE
    if (answer == ID_SAME)
        answer = ID_NEW;
#endif
    decision->class = DECISION_DUPLICATE;
    if (answer == ID_SAME)
        return;
    if (!check_import(state, raw->source, event, decision))
        return;
    if (answer == ID_OTHER) {
        refuse(decision, REJECT_conflict, "event_id", "another body stands in the ledger under this event_id");
        return;
    }
    if (!has_room(state, decision->record.tenant, decision))
        return;
    decision->class = DECISION_ACCEPT;
    decision->record.kind = (uint8_t)kind_of(raw->source, event->type);
    decision->record.body = body_of(decider, event);
}

/* "FILE:LINE" of an import; anything else is no place in a file. */
static void set_file(struct event *event, struct slice origin)
{
    size_t n = origin.n;
    while (n > 0 && origin.p[n - 1] != ':')
        n--;
    if (n < 2)
        return;
    struct slice file = slice_make(origin.p, n - 1);
    int64_t line = 0;
    for (const char *digit = origin.p + n; digit < origin.p + origin.n; digit++) {
        if (*digit < '0' || *digit > '9' || line > INT32_MAX)
            return;
        line = line * 10 + (*digit - '0');
    }
    if (line < 1 || file.n > FILE_BYTES_MAX)
        return;
    event_set_text(event, REJECT_FILE, file);
    event_set_int(event, REJECT_LINE, line);
}

static void describe_reject(struct decider *decider, const struct raw_record *raw, const struct decision *decision)
{
    const struct log_record *log = raw->log;
    struct event *event = &decider->reject;
    uint8_t digest[SHA256_BYTES];
    sha256(log->value, digest);
    sha256_hex(digest, decider->sha256);
    event->type = EVENT_REJECT;
    event->present = 0;
    event->datum = (struct slice){NULL, 0};
    event_set_int(event, REJECT_CLASS, REJECT_CLASS_rejected);
    event_set_text(event, REJECT_REASON, slice_of(reject_reason_name(decision->reject.reason)));
    event_set_text(event, REJECT_TEXT, slice_of(decision->reject.text));
    if (decision->reject.field[0])
        event_set_text(event, REJECT_FIELD, slice_of(decision->reject.field));
    if (decision->reject.tenant.n)
        event_set_text(event, REJECT_TENANT, decision->reject.tenant);
    event_set_text(event, REJECT_TOPIC, slice_of(ledger_source_topic(raw->source)));
    event_set_int(event, REJECT_PARTITION, raw->shard);
    event_set_int(event, REJECT_OFFSET, log->offset);
    set_file(event, log->origin);
    event_set_int(event, REJECT_AT, log->append_ms);
    event_set_int(event, REJECT_BYTES, (int64_t)log->value.n);
    event_set_text(event, REJECT_SHA256, slice_of(decider->sha256));
}

/* The tenant as the record says it, else the one under whose key it came: a reject can be sent again to its place. */
static void name_tenant(const struct raw_record *raw, struct decision *decision)
{
    if (!decision->reject.tenant.n)
        decision->reject.tenant = decision->record.tenant;
    if (!decision->reject.tenant.n && rules[raw->source].keyed && event_tenant_valid(raw->log->key))
        decision->reject.tenant = raw->log->key;
}

static void finish_reject(struct decider *decider, const struct raw_record *raw, struct decision *decision)
{
    name_tenant(raw, decision);
    describe_reject(decider, raw, decision);
    buf_clear(&decider->body);
    event_encode(decider->codec, &decider->reject, &decider->body);
    decision->record.tenant = (struct slice){NULL, 0};
    decision->record.tenant_seq = 0;
    decision->record.kind = LEDGER_REJECT;
    decision->record.type = EVENT_REJECT;
    decision->record.body = buf_slice(&decider->body);
}

static void number_tenant(struct writer_state *state, struct ledger_record *record)
{
    const struct writer_tenant *tenant = record->tenant.n ? writer_tenants_find(&state->tenants, record->tenant) : NULL;
    record->tenant_seq = record->tenant.n ? (tenant ? tenant->clock.tenant_seq : 0) + 1 : 0;
}

void decide(struct decider *decider, struct writer_state *state, const struct raw_record *raw,
            struct decision *decision)
{
    const struct log_record *log = raw->log;
    const struct event_origin origin = {.key = log->key,
                                        .partition = raw->shard,
                                        .partitions = raw->shards,
                                        .arrival_ms = log->append_ms,
                                        .topic_types = rules[raw->source].types,
                                        .check_key = rules[raw->source].keyed};
    decision->record = (struct ledger_record){.number = (uint64_t)log->offset, .source = (uint8_t)raw->source};
    decision->record.time_ms = log->append_ms > state->time_ms ? log->append_ms : state->time_ms;
    decision->has_identity = false;
    enum reject_reason reason =
        event_decode(decider->codec, log->value, &origin, &decision->event, &decider->decode, &decision->reject);
    decision->record.type = (uint8_t)decision->event.type;
    if (reason != REJECT_NONE) {
        decision->class = DECISION_REJECT;
        decision->reject.reason = reason;
    } else if (decision->event.type == EVENT_ALERT || decision->event.type == EVENT_ATTEST) {
        decide_output(decider, state, raw, decision);
    } else {
        decide_event(decider, state, raw, decision);
    }
#ifdef SEEDED_BUG_DROP_EVENT
    if (decision->class == DECISION_ACCEPT && log->offset % 7 == 5)
        decision->class = DECISION_DUPLICATE;
#endif
    if (decision->class == DECISION_REJECT)
        finish_reject(decider, raw, decision);
    else
        number_tenant(state, &decision->record);
}

void decide_reject_copy(const struct decider *decider, const struct raw_record *raw, const struct decision *decision,
                        struct buf *key, struct buf *value)
{
    (void)decision;
    struct event copy = decider->reject;
    buf_clear(key);
    buf_clear(value);
    buf_addf(key, "%s/%u/%lld", ledger_source_topic(raw->source), raw->shard, (long long)raw->log->offset);
    if (raw->log->value.n <= REJECT_KEPT_BYTES_MAX)
        event_set_text(&copy, REJECT_RAW, raw->log->value);
    event_encode_single(decider->codec, &copy, value);
}
