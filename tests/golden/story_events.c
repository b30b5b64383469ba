#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "story.h"

/* --- building events ------------------------------------------------------------------------------------------ */

static void set_text(struct event *event, unsigned field, const char *text)
{
    if (!text)
        return;
    event->present |= 1ull << field;
    event->v[field].s = slice_of(text);
}

static void set_number(struct event *event, unsigned field, int64_t n)
{
    event->present |= 1ull << field;
    event->v[field].i = n;
}

static void set_symbol(struct event *event, unsigned field, const char *symbol)
{
    size_t count;
    const struct event_field *row = &event_fields(event->type, &count)[field];
    for (int64_t i = 0; symbol && row->symbols[i]; i++) {
        if (strcmp(row->symbols[i], symbol) == 0) {
            set_number(event, field, i);
            return;
        }
    }
    assert(!symbol); /* a story names symbols that exist */
}

static const char *fresh_id(struct story *story, char id[32])
{
    snprintf(id, 32, "e-%u", ++story->next_id);
    return id;
}

static void envelope(struct event *event, const char *id, int64_t at_ms)
{
    set_text(event, EV_TENANT, "acme");
    set_text(event, EV_EVENT_ID, id);
    set_text(event, EV_SOURCE, "crm");
    set_number(event, EV_OCCURRED_AT, at_ms);
    set_number(event, EV_SOURCE_SEQ, 0);
    set_symbol(event, EV_OP, "assert");
    set_symbol(event, EV_PROVENANCE, "user");
    set_number(event, EV_FLAGS, 0);
}

static void lead_event(struct story *story, const struct lead_line *line, char id[32], struct event *event)
{
    *event = (struct event){.type = EVENT_LEAD};
    envelope(event, line->id ? line->id : fresh_id(story, id), line->at_ms);
    set_number(event, EV_SOURCE_SEQ, line->source_seq);
    if (line->recorded_ms)
        set_number(event, EV_RECORDED_AT, line->recorded_ms);
    set_symbol(event, EV_OP, line->op);
    set_text(event, EV_CORRECTS, line->corrects);
    set_text(event, LEAD_LEAD_ID, line->lead);
    set_symbol(event, LEAD_ACTION, line->action);
    set_text(event, LEAD_TO_STAGE, line->to);
    set_text(event, LEAD_OWNER_ID, line->owner);
    set_text(event, LEAD_SOURCE_CHANNEL, line->channel);
    set_text(event, LEAD_PIPELINE, line->pipeline);
    set_text(event, LEAD_REASON, line->reason);
    set_text(event, LEAD_MERGED_INTO, line->merged_into);
    set_symbol(event, LEAD_TOUCH_KIND, line->touch);
    if (line->hold_until_ms)
        set_number(event, LEAD_HOLD_UNTIL, line->hold_until_ms);
    if (line->currency) {
        set_number(event, LEAD_AMOUNT, line->amount);
        set_text(event, LEAD_CURRENCY, line->currency);
    }
}

void story_lead_body(struct story *story, const struct lead_line *line, struct buf *out)
{
    struct event event;
    char id[32];
    lead_event(story, line, id, &event);
    event_encode(story->codec, &event, out);
}

void story_plan_body(struct story *story, const struct plan_line *line, struct buf *out)
{
    char id[32];
    struct event event = {.type = EVENT_PLAN};
    envelope(&event, line->event_id ? line->event_id : fresh_id(story, id), STORY_YEAR_MS);
    set_symbol(&event, EV_OP, line->op);
    set_text(&event, EV_CORRECTS, line->corrects);
    set_symbol(&event, PLAN_KIND, line->kind);
    set_text(&event, PLAN_ID, line->id);
    set_number(&event, PLAN_VALID_FROM, line->valid_from_ms ? line->valid_from_ms : STORY_YEAR_MS);
    set_text(&event, PLAN_REASON, "test");
    set_text(&event, PLAN_APPROVER, "u-cfo");
    set_text(&event, PLAN_SPEC, line->spec);
    if (!line->spec)
        set_number(&event, PLAN_ENDED, 1);
    if (strcmp(line->kind, "tenant") == 0)
        set_text(&event, PLAN_RESOLVED,
                 line->resolved ? line->resolved
                                : "{\"exponents\":{\"CNY\":2},\"from\":0,\"to\":4102444800000,\"transitions\":[]}");
    event_encode(story->codec, &event, out);
}

/* --- applying them -------------------------------------------------------------------------------------------- */

static void fire(struct story *story)
{
    while (story->type->due(story->tenant) <= story->fires_until_ms &&
           (!story->type->is_due || story->type->is_due(story->tenant, story->fires_until_ms)))
        story->type->fire(story->tenant, story->fires_until_ms, false, false, NULL);
}

/* T moves; timers follow unless the story holds them back. */
static void move_time(struct story *story, int64_t now_ms)
{
    if (now_ms > story->now_ms)
        story->now_ms = now_ms;
    if (!story->holds_timers)
        story->fires_until_ms = story->now_ms;
}

void story_apply(struct story *story, enum event_type type, struct slice body, int64_t now_ms)
{
    struct err err = {0};
    move_time(story, now_ms);
    struct ledger_record record = {.seq = story->seq + 1,
                                   .tenant_seq = story->seq + 1,
                                   .time_ms = story->now_ms,
                                   .tenant = SLICE("acme"),
                                   .body = body,
                                   .kind = type == EVENT_PLAN ? LEDGER_PLAN : LEDGER_EVENT,
                                   .type = (uint8_t)type};
    struct machine_input input = {.record = &record, .now_ms = story->now_ms};
    story->seq++;
    fire(story);
    enum err_code code = story->type->apply(story->tenant, &input, NULL, &err);
    if (code)
        fprintf(stderr, "apply: %s\n", err.text);
    assert(code == OK);
    fire(story);
}

void story_lead(struct story *story, const struct lead_line *line)
{
    buf_clear(&story->body);
    story_lead_body(story, line, &story->body);
    story_apply(story, EVENT_LEAD, buf_slice(&story->body), line->arrives_ms ? line->arrives_ms : line->at_ms);
}

void story_plan(struct story *story, const struct plan_line *line)
{
    buf_clear(&story->body);
    story_plan_body(story, line, &story->body);
    story_apply(story, EVENT_PLAN, buf_slice(&story->body), 0);
}

static void step_body(struct story *story, const struct step_line *line, struct buf *out)
{
    struct event event = {.type = EVENT_FACT};
    envelope(&event, line->id, line->at_ms);
    if (line->op) {
        set_symbol(&event, EV_OP, line->op);
        set_text(&event, EV_CORRECTS, line->corrects);
        set_number(&event, EV_RECORDED_AT, line->recorded_ms ? line->recorded_ms : line->at_ms + 1000);
    }
    set_text(&event, FACT_KIND, "step");
    set_text(&event, FACT_FACT_ID, line->fact ? line->fact : line->id);
    set_text(&event, FACT_LEAD_ID, line->lead);
    set_text(&event, FACT_STATUS, line->status ? line->status : "done");
    struct buf attrs = {0};
    if (line->step) {
        event_attrs_add(&attrs, &(struct event_attr){SLICE("step"), slice_of(line->step)});
        set_number(&event, FACT_ATTRS, 1);
        event.v[FACT_ATTRS].s = buf_slice(&attrs);
    }
    event_encode(story->codec, &event, out);
    buf_close(&attrs);
}

void story_step_body(struct story *story, const char *lead, const char *step, int64_t at_ms, const char *id,
                     struct buf *out)
{
    step_body(story, &(struct step_line){.lead = lead, .step = step, .at_ms = at_ms, .id = id}, out);
}

void story_step_line(struct story *story, const struct step_line *line)
{
    buf_clear(&story->body);
    step_body(story, line, &story->body);
    story_apply(story, EVENT_FACT, buf_slice(&story->body), line->at_ms);
}

void story_step(struct story *story, const char *lead, const char *step, int64_t at_ms)
{
    char id[32];
    buf_clear(&story->body);
    story_step_body(story, lead, step, at_ms, fresh_id(story, id), &story->body);
    story_apply(story, EVENT_FACT, buf_slice(&story->body), at_ms);
}

void story_time(struct story *story, int64_t now_ms)
{
    story_tick(story, now_ms);
    struct ledger_record record = {.kind = LEDGER_ACTION, .type = EVENT_ACTION, .tenant = SLICE("acme")};
    struct machine_input input = {.record = &record, .now_ms = story->now_ms};
    enum err_code code = story->type->apply(story->tenant, &input, NULL, NULL);
    assert(code == OK);
}

void story_tick(struct story *story, int64_t now_ms)
{
    move_time(story, now_ms);
    fire(story);
}

/* --- fixtures ------------------------------------------------------------------------------------------------- */

void story_fixture_plan(struct story *story)
{
    PLAN(.kind = "tenant", .id = "acme",
         .spec = "{\"calendar\":\"c\",\"currency\":\"CNY\",\"pipeline\":\"default\",\"zone\":\"UTC\"}");
    PLAN(.kind = "node", .id = "N", .spec = "{\"kind\":\"region\"}");
    PLAN(.kind = "node", .id = "T1", .spec = "{\"kind\":\"team\",\"parent\":\"N\"}");
    PLAN(.kind = "node", .id = "T2", .spec = "{\"kind\":\"team\",\"parent\":\"N\"}");
    PLAN(.kind = "member", .id = "r1/T1/2026-01-01",
         .spec = "{\"from\":\"2026-01-01\",\"node\":\"T1\",\"rep\":\"r1\",\"role\":\"rep\",\"tier\":\"A\"}");
    PLAN(.kind = "member", .id = "r2/T2/2026-01-01",
         .spec = "{\"from\":\"2026-01-01\",\"node\":\"T2\",\"rep\":\"r2\",\"role\":\"rep\",\"tier\":\"B\"}");
    PLAN(.kind = "stage_model", .id = "default",
         .spec =
             "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":"
             "20},{\"id\":\"PROP\",\"kind\":\"open\",\"ord\":30},{\"id\":\"NEGO\",\"kind\":\"open\",\"ord\":40},{"
             "\"id\":\"WON\",\"kind\":\"won\"},{\"id\":\"LOST\",\"kind\":\"lost\"},{\"id\":\"POOL\",\"kind\":"
             "\"pool\"}]}");
}

struct fixture_step {
    const char *lead, *stage;
    int day;
};
static const struct fixture_step fixture_a[] = {
    {"L01", "NEW", 1},   {"L01", "QUAL", 3},  {"L01", "PROP", 7},  {"L01", "NEGO", 12}, {"L01", "WON", 15},
    {"L02", "NEW", 1},   {"L02", "QUAL", 4},  {"L02", "LOST", 9},  {"L03", "NEW", 2},   {"L03", "QUAL", 5},
    {"L03", "PROP", 10}, {"L03", "LOST", 20}, {"L04", "NEW", 2},   {"L04", "POOL", 6},  {"L04", "NEW", 16},
    {"L04", "QUAL", 18}, {"L05", "NEW", 3},   {"L05", "PROP", 8},  {"L05", "NEGO", 11}, {"L05", "PROP", 14},
    {"L05", "NEGO", 18}, {"L05", "WON", 22},  {"L06", "NEW", 4},   {"L06", "QUAL", 8},  {"L07", "NEW", 5},
    {"L08", "QUAL", 6},  {"L08", "PROP", 9},  {"L09", "NEW", 8},   {"L09", "QUAL", 9},  {"L09", "PROP", 13},
    {"L09", "NEGO", 17}, {"L10", "NEW", 10},  {"L10", "LOST", 12},
};

static const char *fixture_action(size_t at)
{
    const struct fixture_step *step = &fixture_a[at];
    bool first = at == 0 || strcmp(step[-1].lead, step->lead) != 0;
    if (first)
        return "created";
    if (strcmp(step->stage, "WON") == 0)
        return "won";
    if (strcmp(step->stage, "LOST") == 0)
        return "lost";
    if (strcmp(step->stage, "POOL") == 0)
        return "recycled";
    return strcmp(step[-1].stage, "POOL") == 0 ? "claimed" : "stage";
}

void story_fixture_a(struct story *story)
{
    for (int day = 1; day <= 24; day++) {
        for (size_t i = 0; i < sizeof fixture_a / sizeof *fixture_a; i++) {
            const struct fixture_step *step = &fixture_a[i];
            if (step->day == day)
                LEAD(.lead = step->lead, .action = fixture_action(i), .to = step->stage, .at_ms = STORY_DAY(day),
                     .owner = "r1");
        }
    }
    story_tick(story, STORY_DAY(24));
}
