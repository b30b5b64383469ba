/* event_rules.c -- checks that look at several fields: what op, action or phase require, times against the arrival,
 * sums, tenant against key, plan items (formats 3, 6). See event_internal.h. */
#include "model/event_internal.h"

#include <stdio.h>

#include "base/text.h"

#define TIME_PAST_MS   INT64_C(631152000000) /* 1990-01-01T00:00:00Z */
#define TIME_FUTURE_MS INT64_C(86400000)
enum { PPM_ONE = 1000000 };

/* When field `when` has symbol `symbol` (bits: any of these), field `needs` is required. */
struct need {
    enum event_type type;
    uint8_t when;
    uint32_t symbols;
    uint8_t needs;
};
#define BIT(symbol) (UINT32_C(1) << (symbol))

static const struct need needs[] = {
    {EVENT_VISIT, VISIT_PHASE, BIT(VISIT_PHASE_planned), VISIT_PLANNED_START},
    {EVENT_VISIT, VISIT_PHASE, BIT(VISIT_PHASE_planned), VISIT_PLANNED_END},
    {EVENT_VISIT, VISIT_PHASE, BIT(VISIT_PHASE_step), VISIT_STEP_ID},
    {EVENT_VISIT, VISIT_PHASE, BIT(VISIT_PHASE_step), VISIT_STEP_RESULT},
    {EVENT_LEAD, LEAD_ACTION, BIT(LEAD_ACTION_stage), LEAD_TO_STAGE},
    {EVENT_LEAD, LEAD_ACTION, BIT(LEAD_ACTION_assigned) | BIT(LEAD_ACTION_owner), LEAD_OWNER_ID},
    {EVENT_LEAD, LEAD_ACTION, BIT(LEAD_ACTION_merged), LEAD_MERGED_INTO},
    {EVENT_ACTION, ACTION_ACTION, BIT(ACTION_ACTION_snooze), ACTION_UNTIL},
    {EVENT_ACTION, ACTION_ACTION, BIT(ACTION_ACTION_snooze), ACTION_REASON},
    {EVENT_ACTION, ACTION_ACTION, BIT(ACTION_ACTION_outcome), ACTION_OUTCOME},
    {EVENT_ACTION, ACTION_ACTION, BIT(ACTION_ACTION_delivered) | BIT(ACTION_ACTION_failed), ACTION_RECEIVER},
    {EVENT_ACTION, ACTION_ACTION, BIT(ACTION_ACTION_delivered) | BIT(ACTION_ACTION_failed), ACTION_ATTEMPT},
    {EVENT_ACTION, ACTION_ACTION, (BIT(ACTION_ACTION_comment) << 1) - 1, EV_ACTOR_ID},
    {EVENT_CONTROL, CONTROL_CONTROL, BIT(CONTROL_CONTROL_backfill_begin) | BIT(CONTROL_CONTROL_backfill_end),
     CONTROL_RUN_ID},
    {EVENT_CONTROL, CONTROL_CONTROL,
     BIT(CONTROL_CONTROL_quarantine) | BIT(CONTROL_CONTROL_release) | BIT(CONTROL_CONTROL_machine_version),
     CONTROL_MACHINE},
    {EVENT_CONTROL, CONTROL_CONTROL, BIT(CONTROL_CONTROL_quarantine), CONTROL_TARGET_SEQ},
    {EVENT_CONTROL, CONTROL_CONTROL, BIT(CONTROL_CONTROL_machine_version), CONTROL_VERSION},
};

static enum reject_reason missing(struct decoding *d, unsigned field, const char *why)
{
    size_t count;
    struct slice name = slice_of(event_fields(d->event->type, &count)[field].name);
    return event_refuse(d, REJECT_missing_field, name, "%.*s is missing%s%s", SLICE_ARG(name),
                        *why ? ": required with " : "", why);
}

/* Two fields that go together: lead and fact amounts with their currency. */
static enum reject_reason check_pair(struct decoding *d, unsigned one, unsigned other)
{
    if (event_has(d->event, one) == event_has(d->event, other))
        return REJECT_NONE;
    return missing(d, event_has(d->event, one) ? other : one, "its amount or currency");
}

enum reject_reason event_check_needed(struct decoding *d)
{
    const struct event *event = d->event;
    size_t count;
    const struct event_field *fields = event_fields(event->type, &count);
    int64_t op = event_has_envelope(event->type) && event_has(event, EV_OP) ? event->v[EV_OP].i : OP_ASSERT;
    if ((op == OP_CORRECT || op == OP_RETRACT) && !event_has(event, EV_CORRECTS))
        return missing(d, EV_CORRECTS, "correct and retract");
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const struct need *need = &needs[i];
        if (need->type != event->type || !event_has(event, need->when) || event_has(event, need->needs))
            continue;
        if (need->symbols >> event->v[need->when].i & 1)
            return missing(d, need->needs, fields[need->when].symbols[event->v[need->when].i]);
    }
    if (event->type == EVENT_ACTION && !event_has(event, ACTION_EPISODE) && !event_has(event, ACTION_FINGERPRINT))
        return missing(d, ACTION_EPISODE, "an action, unless fingerprint stands");
    if (event->type == EVENT_LEAD)
        return check_pair(d, LEAD_AMOUNT, LEAD_CURRENCY);
    if (event->type == EVENT_FACT)
        return check_pair(d, FACT_AMOUNT, FACT_CURRENCY);
    return REJECT_NONE;
}

static enum reject_reason check_instant(struct decoding *d, unsigned field, const char *name)
{
    int64_t at = d->event->v[field].i;
    if (!event_has(d->event, field))
        return REJECT_NONE;
    if (at < TIME_PAST_MS)
        return event_refuse(d, REJECT_time_past, slice_of(name), "%s lies before 1990-01-01", name);
    if (at > d->origin->arrival_ms && at - d->origin->arrival_ms > TIME_FUTURE_MS)
        return event_refuse(d, REJECT_time_future, slice_of(name), "%s lies more than 24 h after the arrival", name);
    return REJECT_NONE;
}

static bool rep_before(struct slice splits, int64_t number, struct slice rep)
{
    struct cursor items = cursor_of(splits);
    struct event_split split;
    for (int64_t i = 0; i < number && event_splits_next(&items, &split); i++)
        if (slice_eq(split.rep_id, rep))
            return true;
    return false;
}

static enum reject_reason check_splits(struct decoding *d)
{
    const struct event_value *splits = &d->event->v[ORDER_SPLITS];
    struct cursor items = cursor_of(splits->s);
    struct event_split split;
    int64_t sum = 0;
    for (int64_t i = 0; event_splits_next(&items, &split); i++) {
        if (rep_before(splits->s, i, split.rep_id))
            return event_refuse(d, REJECT_bad_splits, SLICE("splits"), "rep %.*s stands twice",
                                SLICE_ARG(split.rep_id));
        sum += split.ppm;
    }
    if (splits->i == 0 || sum == PPM_ONE)
        return REJECT_NONE;
    return event_refuse(d, REJECT_bad_splits, SLICE("splits"), "splits sum to %lld ppm, expected 1000000",
                        (long long)sum);
}

static enum reject_reason check_lines(struct decoding *d)
{
    const struct event_value *lines = &d->event->v[ORDER_LINES];
    struct cursor items = cursor_of(lines->s);
    struct event_line line;
    int64_t sum = 0; /* 5,000 lines of 10^15 at most: within 64 bits (5 * 10^18) */
    while (event_lines_next(&items, &line))
        sum += line.net_amount;
    if (lines->i == 0 || sum == d->event->v[ORDER_NET_AMOUNT].i)
        return REJECT_NONE;
    return event_refuse(d, REJECT_sum_mismatch, SLICE("net_amount"), "lines sum to %lld, net_amount is %lld",
                        (long long)sum, (long long)d->event->v[ORDER_NET_AMOUNT].i);
}

static uint32_t partition_of(struct event_codec *codec, struct slice tenant, uint32_t partitions)
{
    if (!slice_eq(tenant, slice_make(codec->good_tenant, codec->good_tenant_bytes)))
        return event_partition(tenant, partitions);
    if (codec->good_partitions != partitions) {
        codec->good_partition = event_partition(tenant, partitions);
        codec->good_partitions = partitions;
    }
    return codec->good_partition;
}

static enum reject_reason check_key(struct decoding *d)
{
    const struct event_origin *origin = d->origin;
    struct slice tenant = d->event->v[EV_TENANT].s;
    if (!origin->check_key || !event_has_tenant(d->event->type))
        return REJECT_NONE;
    if (!slice_eq(tenant, origin->key))
        return event_refuse(d, REJECT_wrong_tenant, SLICE("tenant"), "tenant %.*s, the record's key is another",
                            SLICE_ARG(tenant));
    uint32_t partition = partition_of(d->codec, tenant, origin->partitions);
    if (origin->partitions == 0 || partition == origin->partition)
        return REJECT_NONE;
    return event_refuse(d, REJECT_wrong_tenant, SLICE("tenant"), "tenant %.*s belongs to partition %u, not %u",
                        SLICE_ARG(tenant), (unsigned)partition, (unsigned)origin->partition);
}

static enum reject_reason check_plan(struct decoding *d)
{
    const struct event *event = d->event;
    char text[200] = "";
    const struct slice none = {NULL, 0};
    if (!d->codec->plan_check || event->v[EV_OP].i == OP_RETRACT)
        return REJECT_NONE;
    size_t count;
    const struct event_field *fields = event_fields(EVENT_PLAN, &count);
    struct slice kind = slice_of(fields[PLAN_KIND].symbols[event->v[PLAN_KIND].i]);
    struct slice spec = event_has(event, PLAN_SPEC) ? event->v[PLAN_SPEC].s : none;
    struct slice resolved = event_has(event, PLAN_RESOLVED) ? event->v[PLAN_RESOLVED].s : none;
    bool ended = event_has(event, PLAN_ENDED) && event->v[PLAN_ENDED].i;
    if (d->codec->plan_check(kind, event->v[PLAN_ID].s, spec, resolved, ended, text, sizeof text))
        return REJECT_NONE;
    return event_refuse(d, REJECT_plan_invalid, SLICE("spec"), "%s", text);
}

enum reject_reason event_check_whole(struct decoding *d)
{
    enum event_type type = d->event->type;
    enum reject_reason reason = REJECT_NONE;
    if (event_has_envelope(type)) {
        reason = check_instant(d, EV_OCCURRED_AT, "occurred_at");
        if (reason == REJECT_NONE)
            reason = check_instant(d, EV_RECORDED_AT, "recorded_at");
    }
    if (reason == REJECT_NONE && type == EVENT_ORDER && event_has(d->event, ORDER_SPLITS))
        reason = check_splits(d);
    if (reason == REJECT_NONE && type == EVENT_ORDER && event_has(d->event, ORDER_LINES))
        reason = check_lines(d);
    if (reason == REJECT_NONE)
        reason = check_key(d);
    if (reason == REJECT_NONE && type == EVENT_PLAN)
        reason = check_plan(d);
    return reason;
}
