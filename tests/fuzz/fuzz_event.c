/* fuzz_event.c -- the door: raw bytes as JSON or Avro. What is accepted survives Avro and JSON and keeps its hash. The
 * bytes C3 01 and one byte choose a type's fingerprint, because no fuzzer guesses eight. */
#include <assert.h>
#include <stdlib.h>

#include "model/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_codec *codec;
static const struct event_origin origin = {.arrival_ms = INT64_C(1790000000000), .topic_types = UINT32_MAX};

static void assert_same(const struct event *a, const struct event *b)
{
    static struct buf one, two;
    buf_clear(&one);
    buf_clear(&two);
    event_encode(codec, a, &one);
    event_encode(codec, b, &two);
    assert(a->type == b->type && a->present == b->present && slice_eq(buf_slice(&one), buf_slice(&two)));
    struct hash128 x = event_body_hash(codec, a, &one), y = event_body_hash(codec, b, &two);
    assert(x.low == y.low && x.high == y.high);
}

/* `private` and the ledger's own records are no part of JSON. */
static bool has_json(const struct event *event)
{
    static const uint8_t private_field[] = {VISIT_PRIVATE, ORDER_PRIVATE, LEAD_PRIVATE, FACT_PRIVATE};
    if (event->type <= EVENT_FACT)
        return !event_has(event, private_field[event->type]);
    return event->type < EVENT_REJECT;
}

static void round_trip(const struct event *event)
{
    static struct buf bytes, scratch;
    struct event again;
    struct reject reject;
    struct err err;
    buf_clear(&bytes);
    event_encode(codec, event, &bytes);
    assert(event->datum.n == 0 || slice_eq(event->datum, buf_slice(&bytes)));
    assert(event_decode_body(codec, event->type, buf_slice(&bytes), &again, &err) == OK);
    assert_same(event, &again);
    buf_clear(&bytes);
    event_write_json(codec, event, &bytes);
    if (!has_json(event) || bytes.n > EVENT_BYTES_MAX)
        return;
    assert(event_decode(codec, buf_slice(&bytes), &origin, &again, &scratch, &reject) == REJECT_NONE);
    assert_same(event, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf bytes, scratch;
    struct event event;
    struct reject reject;
    struct err err;
    if (!codec)
        codec = event_codec_new(&err);
    assert(codec);
    buf_clear(&bytes);
    if (size >= 3 && data[0] == 0xc3 && data[1] == 0x01) {
        buf_add(&bytes, data, 2);
        buf_add_u64(&bytes, event_codec_fingerprint(codec, (enum event_type)(data[2] % EVENT_TYPE_COUNT)));
        buf_add(&bytes, data + 3, size - 3);
    } else {
        buf_add(&bytes, data, size);
    }
    enum reject_reason reason = event_decode(codec, buf_slice(&bytes), &origin, &event, &scratch, &reject);
    assert(reason == reject.reason && (reason == REJECT_NONE || reject.text[0]));
    if (reason == REJECT_NONE)
        round_trip(&event);
    return 0;
}
