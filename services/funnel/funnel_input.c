#include "funnel_input.h"

static uint32_t text_of(struct funnel *funnel, const struct event *event, unsigned field)
{
    return lead_book_intern(&funnel->book, event->v[field].s);
}

static uint64_t corrects_key(const struct event *event)
{
    struct event named = {.type = event->type};
    named.present = 1ull << EV_EVENT_ID;
    named.v[EV_EVENT_ID].s = event->v[EV_CORRECTS].s;
    return event_key(&named);
}

static void take_envelope(struct funnel *funnel, const struct event *event, struct lead_event *out)
{
    int64_t occurred_ms = event->v[EV_OCCURRED_AT].i;
    out->occurred_at_ms = occurred_ms;
    out->valid_at_ms = occurred_ms < funnel->now_ms ? occurred_ms : funnel->now_ms;
    out->recorded_at_ms = event_recorded_at(event);
    out->source_seq = event_has(event, EV_SOURCE_SEQ) ? (uint64_t)event->v[EV_SOURCE_SEQ].i : 0;
    out->key = event_key(event);
    out->op = event_has(event, EV_OP) ? (uint8_t)event->v[EV_OP].i : OP_ASSERT;
    out->provenance = event_has(event, EV_PROVENANCE) ? (uint8_t)event->v[EV_PROVENANCE].i : PROVENANCE_USER;
    out->has |= out->source_seq ? LEAD_HAS_SOURCE_SEQ : 0;
    out->has |= out->occurred_at_ms != out->valid_at_ms ? LEAD_HAS_OCCURRED : 0;
    out->has |= out->recorded_at_ms != out->occurred_at_ms ? LEAD_HAS_RECORDED : 0;
    if (out->op != OP_ASSERT && event_has(event, EV_CORRECTS)) {
        out->has |= LEAD_HAS_CORRECTS;
        out->corrects = corrects_key(event);
    }
}

/* Field of the event -> member of the compact event, with its bit. */
struct text_field {
    unsigned field;
    uint32_t bit;
    size_t member;
};
static const struct text_field text_fields[] = {
    {LEAD_PIPELINE, LEAD_HAS_PIPELINE, offsetof(struct lead_event, pipeline)},
    {LEAD_TO_STAGE, LEAD_HAS_TO_STAGE, offsetof(struct lead_event, to_stage)},
    {LEAD_OWNER_ID, LEAD_HAS_OWNER, offsetof(struct lead_event, owner)},
    {LEAD_SOURCE_CHANNEL, LEAD_HAS_CHANNEL, offsetof(struct lead_event, channel)},
    {LEAD_CAMPAIGN, LEAD_HAS_CAMPAIGN, offsetof(struct lead_event, campaign)},
};
static const struct text_field number_fields[] = {
    {LEAD_HOLD_UNTIL, LEAD_HAS_HOLD, offsetof(struct lead_event, hold_until_ms)},
    {LEAD_NEXT_ACTION_AT, LEAD_HAS_NEXT_ACTION, offsetof(struct lead_event, next_action_at_ms)},
    {LEAD_CLOSE_DATE, LEAD_HAS_CLOSE_DATE, offsetof(struct lead_event, close_date)},
    {LEAD_SCORE, LEAD_HAS_SCORE, offsetof(struct lead_event, score)},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void take_texts(struct funnel *funnel, const struct event *event, struct lead_event *out)
{
    for (size_t i = 0; i < COUNT_OF(text_fields); i++) {
        const struct text_field *row = &text_fields[i];
        if (!event_has(event, row->field))
            continue;
        uint32_t text = text_of(funnel, event, row->field);
        memcpy((char *)out + row->member, &text, sizeof text);
        out->has |= row->bit;
    }
}

static void take_numbers(const struct event *event, struct lead_event *out)
{
    for (size_t i = 0; i < COUNT_OF(number_fields); i++) {
        const struct text_field *row = &number_fields[i];
        if (!event_has(event, row->field))
            continue;
        memcpy((char *)out + row->member, &event->v[row->field].i, sizeof(int64_t));
        out->has |= row->bit;
    }
    if (event_has(event, LEAD_AMOUNT) && event_has(event, LEAD_CURRENCY)) {
        out->has |= LEAD_HAS_AMOUNT;
        out->amount = event->v[LEAD_AMOUNT].i;
        out->currency = lead_currency_of(event->v[LEAD_CURRENCY].s);
    }
    if (event_has(event, LEAD_TOUCH_KIND)) {
        out->has |= LEAD_HAS_TOUCH;
        out->touch_kind = (uint8_t)event->v[LEAD_TOUCH_KIND].i;
    }
    if (event_has(event, LEAD_CATEGORY)) {
        out->has |= LEAD_HAS_CATEGORY;
        out->category = (uint8_t)event->v[LEAD_CATEGORY].i;
    }
    if (event_has(event, LEAD_REASON))
        out->has |= LEAD_HAS_REASON;
}

static bool take_lead(struct funnel *funnel, const struct event *event, uint32_t *number, struct lead_event *out)
{
    out->action = (uint8_t)event->v[LEAD_ACTION].i;
    take_texts(funnel, event, out);
    take_numbers(event, out);
    if (out->action == LEAD_ACTION_merged && event_has(event, LEAD_MERGED_INTO)) {
        out->has |= LEAD_HAS_MERGED_INTO;
        out->merged_into = lead_table_number(&funnel->leads, event->v[LEAD_MERGED_INTO].s);
    }
    *number = lead_table_number(&funnel->leads, event->v[LEAD_LEAD_ID].s);
    return true;
}

/* `step` empty: not done. An assert that says so is nothing to the funnel; a correction takes away what it names. */
static bool take_step(struct funnel *funnel, const struct event *event, unsigned lead_field, struct slice step,
                      uint32_t *number, struct lead_event *out)
{
    if (!event_has(event, lead_field) || (!step.n && out->op == OP_ASSERT))
        return false;
    out->action = LEAD_STEP;
    if (step.n) {
        out->to_stage = lead_book_intern(&funnel->book, step);
        out->has |= LEAD_HAS_TO_STAGE;
    }
    out->has |= event->type == EVENT_FACT ? LEAD_HAS_FACT : 0;
    out->key = lead_event_key(out->key, out->action, out->has);
    out->corrects = lead_event_key(out->corrects, out->action, out->has);
    *number = lead_table_number(&funnel->leads, event->v[lead_field].s);
    return true;
}

static const struct slice not_done = {"", 0};

static bool take_visit(struct funnel *funnel, const struct event *event, uint32_t *number, struct lead_event *out)
{
    bool done = event->v[VISIT_PHASE].i == VISIT_PHASE_step && event_has(event, VISIT_STEP_ID) &&
                event_has(event, VISIT_STEP_RESULT) && event->v[VISIT_STEP_RESULT].i == VISIT_STEP_RESULT_ok;
    return take_step(funnel, event, VISIT_LEAD_ID, done ? event->v[VISIT_STEP_ID].s : not_done, number, out);
}

static struct slice step_of_fact(const struct event *event)
{
    struct event_attr attr;
    if (!event_has(event, FACT_STATUS) || !slice_is(event->v[FACT_STATUS].s, "done") || !event_has(event, FACT_ATTRS))
        return not_done;
    struct cursor attrs = cursor_of(event->v[FACT_ATTRS].s);
    while (event_attrs_next(&attrs, &attr)) {
        if (slice_is(attr.name, "step"))
            return attr.value;
    }
    return not_done;
}

static bool take_fact(struct funnel *funnel, const struct event *event, uint32_t *number, struct lead_event *out)
{
    return slice_is(event->v[FACT_KIND].s, "step") &&
           take_step(funnel, event, FACT_LEAD_ID, step_of_fact(event), number, out);
}

bool funnel_input(struct funnel *funnel, const struct event *event, uint32_t *number, struct lead_event *out)
{
    *out = (struct lead_event){.active = true};
    take_envelope(funnel, event, out);
    if (event->type == EVENT_LEAD)
        return take_lead(funnel, event, number, out);
    if (event->type == EVENT_VISIT)
        return take_visit(funnel, event, number, out);
    return event->type == EVENT_FACT && take_fact(funnel, event, number, out);
}
