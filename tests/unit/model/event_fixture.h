/* event_fixture.h -- a codec and the few lines that every test of the door needs. */
#ifndef EVENT_FIXTURE_H
#define EVENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/event.h"

#define ARRIVAL_MS INT64_C(1790000000000)
#define ENVELOPE   "\"tenant\":\"acme\",\"event_id\":\"e\",\"source\":\"s\",\"source_seq\":1"
#define AT         ",\"occurred_at\":\"2026-03-10T00:00:00Z\""
#define LEAD(own)  "{\"type\":\"lead\"," ENVELOPE AT ",\"lead_id\":\"L\",\"action\":\"created\"" own "}"
#define VISIT(own) "{\"type\":\"visit\"," ENVELOPE AT ",\"visit_id\":\"v\",\"kind\":\"field\"" own "}"
#define FACT(own)  "{\"type\":\"fact\"," ENVELOPE AT ",\"fact_id\":\"f\",\"kind\":\"task\",\"status\":\"open\"" own "}"
#define PLAN(own)                                                                                                      \
    "{\"type\":\"plan\"," ENVELOPE AT                                                                                  \
    ",\"valid_from\":\"2026-01-01T00:00:00Z\",\"reason\":\"r\",\"approver\":\"a\"" own "}"
#define ORDER(own)                                                                                                     \
    "{\"type\":\"order\"," ENVELOPE AT                                                                                 \
    ",\"order_id\":\"o\",\"revision\":1,\"status\":\"confirmed\",\"currency\":\"CNY\",\"net_amount\":100" own "}"
#define ACTION(own) "{\"type\":\"action\"," ENVELOPE AT own "}"

struct door {
    struct event_codec *codec;
    struct event_origin origin;
    struct event event;
    struct reject reject;
    struct buf scratch, bytes;
};

static inline int door_open(void **state)
{
    static struct door door;
    struct err err;
    door = (struct door){.origin = {.arrival_ms = ARRIVAL_MS, .topic_types = UINT32_MAX}};
    door.codec = event_codec_new(&err);
    *state = &door;
    return door.codec ? 0 : -1;
}

static inline int door_close(void **state)
{
    struct door *door = *state;
    event_codec_destroy(&door->codec);
    buf_close(&door->scratch);
    buf_close(&door->bytes);
    return 0;
}

static inline enum reject_reason door_decode(struct door *door, struct slice bytes)
{
    return event_decode(door->codec, bytes, &door->origin, &door->event, &door->scratch, &door->reject);
}

static inline void assert_reason(struct door *door, enum reject_reason seen, enum reject_reason expected,
                                 const char *field, const char *what)
{
    if (seen != expected || (field && strcmp(door->reject.field, field) != 0))
        fail_msg("%s\n  gave %s of \"%s\" (%s), expected %s of \"%s\"", what, reject_reason_name(seen),
                 door->reject.field, door->reject.text, reject_reason_name(expected), field ? field : "any");
    assert_true(expected == REJECT_NONE || door->reject.text[0] != '\0');
}

static inline void refused(struct door *door, const char *json, enum reject_reason reason, const char *field)
{
    assert_reason(door, door_decode(door, slice_of(json)), reason, field, json);
}

static inline void accepted(struct door *door, const char *json) { refused(door, json, REJECT_NONE, ""); }

/* The event as it stands in door->event (borrowing from door->scratch), sent as Avro. */
static inline enum reject_reason door_send_avro(struct door *door, const struct event *event)
{
    struct buf held = door->scratch;
    buf_clear(&door->bytes);
    event_encode_single(door->codec, event, &door->bytes);
    door->scratch = held;
    return door_decode(door, buf_slice(&door->bytes));
}

#endif
