/* gen_event.c -- writing one event, and deciding how it arrives: in time, late, twice, contradicted. See gen.h. */
#include <stdlib.h>

#include "base/text.h"
#include "base/time_text.h"
#include "gen.h"

static const char *const types[] = {"visit", "order", "lead", "fact"};
static const char *const sources[] = {"field-app", "erp", "crm", "crm"};

enum { LATE_AFTER_MS = 49 * 3600000, LATE_SPAN_MS = 5 * 86400000, SECOND_MS = 1000 };

static void add_event(struct gen *gen, const struct gen_event *event)
{
    if (gen->count == gen->cap) {
        gen->cap = gen->cap ? gen->cap * 2 : 4096;
        gen->events = reallocarray(gen->events, gen->cap, sizeof *gen->events);
        if (!gen->events)
            abort();
    }
    gen->events[gen->count++] = *event;
}

void gen_event_begin(struct gen_draft *draft, struct gen *gen, enum gen_topic topic, const char *id_prefix,
                     int64_t at_ms)
{
    *draft = (struct gen_draft){.gen = gen, .from = gen->text.n};
    draft->event = (struct gen_event){.occurred_ms = at_ms, .head = gen->text.n, .topic = (uint8_t)topic};
    uint64_t n = ++gen->next_id;
    buf_addf(&gen->text,
             "{\"type\":\"%s\",\"tenant\":\"%s\",\"event_id\":\"%s%s-%llu\",\"source\":\"%s\",\"source_seq\":%llu",
             types[topic], gen->config.tenant, gen->config.tag, id_prefix, (unsigned long long)n, sources[topic],
             (unsigned long long)n);
    draft->event.head_bytes = (uint32_t)(gen->text.n - draft->from);
}

static void begin_field(struct gen_draft *draft, const char *name) { buf_addf(&draft->gen->text, ",\"%s\":", name); }

void gen_event_text(struct gen_draft *draft, const char *name, const char *value)
{
    begin_field(draft, name);
    text_add_json(&draft->gen->text, slice_of(value));
}

void gen_event_int(struct gen_draft *draft, const char *name, int64_t value)
{
    begin_field(draft, name);
    text_add_int(&draft->gen->text, value);
}

void gen_event_time(struct gen_draft *draft, const char *name, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    (void)instant_print(at_ms, text);
    gen_event_text(draft, name, text);
}

void gen_event_json(struct gen_draft *draft, const char *name, const char *json)
{
    begin_field(draft, name);
    buf_add_text(&draft->gen->text, json);
}

/* The same identity with another body, behind the first in every order: refused as a conflict. */
static void add_conflict(struct gen *gen, const struct gen_event *event)
{
    struct gen_event other = *event;
    other.head = gen->text.n;
    buf_reserve(&gen->text, event->head_bytes + (size_t)event->tail_bytes + 64);
    buf_add(&gen->text, gen->text.p + event->head, event->head_bytes + (size_t)event->tail_bytes);
    buf_add_text(&gen->text, ",\"actor_id\":\"somebody-else\"");
    other.tail_bytes = (uint32_t)(gen->text.n - other.head - other.head_bytes);
    add_event(gen, &other);
    gen->counts.received++;
    gen->counts.rejected++;
    gen->counts.reasons[REJECT_conflict]++;
}

void gen_event_end(struct gen_draft *draft)
{
    struct gen *gen = draft->gen;
    struct gen_event *event = &draft->event;
    struct gen_random *random = &gen->random;
    event->tail_bytes = (uint32_t)(gen->text.n - draft->from - event->head_bytes);
    bool late = gen_random_ppm(random, gen->config.late_ppm) && !draft->on_time;
    int64_t delay = late ? gen_random_between(random, LATE_AFTER_MS, LATE_AFTER_MS + LATE_SPAN_MS)
                         : gen_random_between(random, 0, 5 * SECOND_MS);
    event->recorded_ms = event->occurred_ms + delay;
    add_event(gen, event);
    gen->counts.received++;
    gen->counts.accepted++;
    gen->counts.late += late;
    if (gen_random_ppm(random, gen->config.duplicate_ppm)) {
        add_event(gen, event);
        gen->counts.received++;
        gen->counts.duplicate++;
    }
    if (gen_random_ppm(random, gen->config.conflict_ppm))
        add_conflict(gen, event);
}

void gen_write_event(const struct gen *gen, const struct gen_event *event, int64_t occurred_ms, int64_t recorded_ms,
                     struct buf *out)
{
    char text[INSTANT_TEXT_BYTES];
    buf_add(out, gen->text.p + event->head, event->head_bytes);
    if (event->raw)
        return;
    (void)instant_print(occurred_ms, text);
    buf_addf(out, ",\"occurred_at\":\"%s\"", text);
    (void)instant_print(recorded_ms, text);
    buf_addf(out, ",\"recorded_at\":\"%s\"", text);
    buf_add(out, gen->text.p + event->head + event->head_bytes, event->tail_bytes);
    buf_add_byte(out, '}');
}
