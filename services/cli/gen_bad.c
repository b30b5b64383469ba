/* gen_bad.c -- one line for each way in which an event can be broken, with the reason it is refused for. See gen.h. */
#include <stdlib.h>

#include "gen.h"

/* %s stands for the tenant. The line as such decides; references never do (formats 6). */
#define HEAD   "{\"type\":\"lead\",\"tenant\":\"%s\",\"event_id\":\"bad-"
#define MIDDLE "\",\"source\":\"crm\",\"source_seq\":1,\"occurred_at\":\"2026-01-20T02:00:00.000Z\",\"lead_id\":\"LX\""
static const struct {
    enum reject_reason reason;
    const char *line;
} broken[] = {
    {REJECT_bad_json, HEAD "1" MIDDLE ",\"action\":\"touch\""},
    {REJECT_duplicate_key, HEAD "2" MIDDLE ",\"action\":\"touch\",\"action\":\"touch\"}"},
    {REJECT_not_object, "[\"%s\"]"},
    {REJECT_missing_field, HEAD "3" MIDDLE "}"},
    {REJECT_unknown_type, "{\"type\":\"leed\",\"tenant\":\"%s\",\"event_id\":\"bad-4" MIDDLE "}"},
    {REJECT_unknown_field, HEAD "5" MIDDLE ",\"action\":\"touch\",\"colour\":\"red\"}"},
    {REJECT_bad_type, HEAD "6" MIDDLE ",\"action\":\"scored\",\"score\":12.0}"},
    {REJECT_bad_enum, HEAD "7" MIDDLE ",\"action\":\"teleported\"}"},
    {REJECT_bad_id, HEAD "8" MIDDLE ",\"action\":\"owner\",\"owner_id\":\"\"}"},
    {REJECT_personal_id, HEAD "9" MIDDLE ",\"action\":\"owner\",\"owner_id\":\"li.lei@example.com\"}"},
    {REJECT_bad_time,
     HEAD "10" MIDDLE ",\"action\":\"hold\",\"reason\":\"x\",\"hold_until\":\"2026-02-30T00:00:00Z\"}"},
    {REJECT_bad_currency, HEAD "11" MIDDLE ",\"action\":\"amount\",\"amount\":1,\"currency\":\"yuan\"}"},
    {REJECT_out_of_range, HEAD "12" MIDDLE ",\"action\":\"amount\",\"amount\":1000000000000001,\"currency\":\"CNY\"}"},
    {REJECT_sum_mismatch,
     "{\"type\":\"order\",\"tenant\":\"%s\",\"event_id\":\"bad-13\",\"source\":\"erp\",\"source_seq\":1,"
     "\"occurred_at\":\"2026-01-20T02:00:00.000Z\",\"order_id\":\"OX\",\"revision\":1,\"status\":\"confirmed\","
     "\"lines\":[{\"sku\":\"s\",\"qty\":1000,\"net_amount\":101}],\"currency\":\"CNY\",\"net_amount\":100}"},
    {REJECT_bad_splits,
     "{\"type\":\"order\",\"tenant\":\"%s\",\"event_id\":\"bad-14\",\"source\":\"erp\",\"source_seq\":1,"
     "\"occurred_at\":\"2026-01-20T02:00:00.000Z\",\"order_id\":\"OX\",\"revision\":1,\"status\":\"confirmed\","
     "\"splits\":[{\"rep_id\":\"a\",\"ppm\":999999}],\"currency\":\"CNY\",\"net_amount\":100}"},
    {REJECT_time_past,
     "{\"type\":\"lead\",\"tenant\":\"%s\",\"event_id\":\"bad-15\",\"source\":\"crm\",\"source_seq\":1,"
     "\"occurred_at\":\"1989-12-31T23:59:59.999Z\",\"lead_id\":\"LX\",\"action\":\"touch\"}"},
};

void gen_plant_bad(struct gen *gen)
{
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct gen_event event = {.head = gen->text.n, .topic = GEN_LEADS, .raw = true};
        const char *hole = strstr(broken[i].line, "%s");
        buf_add(&gen->text, broken[i].line, (size_t)(hole - broken[i].line));
        buf_add_text(&gen->text, gen->config.tenant);
        buf_add_text(&gen->text, hole + 2);
        event.head_bytes = (uint32_t)(gen->text.n - event.head);
        event.occurred_ms = event.recorded_ms = gen->start_ms + (int64_t)(i + 1) * (gen->end_ms - gen->start_ms) / 20;
        if (gen->count == gen->cap) {
            gen->cap = gen->cap ? gen->cap * 2 : 64;
            gen->events = reallocarray(gen->events, gen->cap, sizeof *gen->events);
            if (!gen->events)
                abort();
        }
        gen->events[gen->count++] = event;
        gen->counts.received++;
        gen->counts.rejected++;
        gen->counts.reasons[broken[i].reason]++;
    }
}
