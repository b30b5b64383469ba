/* Avro beyond the examples: lists, defaults, other producers' encodings, body hashes, ledger-only types. */
#define _GNU_SOURCE /* memmem */
#include "unit/model/event_fixture.h"

#include "avro/canonical.h"
#include "unit/model/event_examples.h"

static bool same_hash(struct door *door, const struct event *a, const struct event *b)
{
    struct hash128 x = event_body_hash(door->codec, a, &door->bytes), y = event_body_hash(door->codec, b, &door->bytes);
    return x.low == y.low && x.high == y.high;
}

static void the_body_hash_leaves_out_four_fields(void **state)
{
    struct door *door = *state;
    accepted(door, EXAMPLE_LEAD);
    struct event other = door->event;
    event_set_int(&other, EV_SOURCE_SEQ, 1);
    event_set_int(&other, EV_RECORDED_AT, INT64_C(1773100800001));
    event_set_text(&other, EV_CAUSATION_ID, SLICE("c"));
    event_set_text(&other, EV_CORRELATION_ID, SLICE("d"));
    assert_true(same_hash(door, &door->event, &other));
}

static void the_body_hash_holds_every_other_field(void **state)
{
    struct door *door = *state;
    accepted(door, EXAMPLE_LEAD);
    struct event other = door->event;
    event_set_int(&other, LEAD_SCORE, 36);
    assert_false(same_hash(door, &door->event, &other));
    other = door->event;
    other.present &= ~(UINT64_C(1) << LEAD_CAMPAIGN);
    assert_false(same_hash(door, &door->event, &other));
    other = door->event;
    event_set_text(&other, LEAD_PRIVATE, SLICE("x"));
    assert_false(same_hash(door, &door->event, &other));
}

static void attributes_are_sorted_so_that_order_makes_no_conflict(void **state)
{
    struct door *door = *state;
    accepted(door, FACT(",\"attrs\":{\"a\":\"1\",\"b\":\"2\"}"));
    struct hash128 one = event_body_hash(door->codec, &door->event, &door->bytes);
    accepted(door, FACT(",\"attrs\":{\"b\":\"2\",\"\\u0061\":\"1\"}"));
    struct hash128 two = event_body_hash(door->codec, &door->event, &door->bytes);
    assert_true(one.low == two.low && one.high == two.high);
}

static void unsorted_attributes_of_avro_are_not_copied_as_they_are(void **state)
{
    struct door *door = *state;
    struct buf attrs = {0};
    event_attrs_add(&attrs, &(struct event_attr){SLICE("b"), SLICE("2")});
    event_attrs_add(&attrs, &(struct event_attr){SLICE("a"), SLICE("1")});
    accepted(door, FACT(""));
    struct event event = door->event;
    event_set_list(&event, FACT_ATTRS, buf_slice(&attrs), 2);
    assert_int_equal(door_send_avro(door, &event), REJECT_NONE);
    assert_int_equal(door->event.datum.n, 0);
    struct cursor items = cursor_of(door->event.v[FACT_ATTRS].s);
    struct event_attr attr;
    assert_true(event_attrs_next(&items, &attr) && slice_is(attr.name, "a") && slice_is(attr.value, "1"));
    assert_true(event_attrs_next(&items, &attr) && slice_is(attr.name, "b"));
    assert_false(event_attrs_next(&items, &attr));
    buf_close(&attrs);
}

/* A producer that writes block sizes and long varints (Java's BlockingBinaryEncoder does the first). */
static void other_encodings_become_canonical(void **state)
{
    struct door *door = *state;
    struct buf foreign = {0};
    accepted(door, ORDER(",\"splits\":[{\"rep_id\":\"r1\",\"ppm\":1000000}]"));
    buf_clear(&door->bytes);
    event_encode_single(door->codec, &door->event, &door->bytes);
    uint8_t *at = memmem(door->bytes.p, door->bytes.n, "\x02\x02\x04r1", 5); /* union 1, 1 item, "r1" */
    assert_non_null(at);
    buf_add(&foreign, door->bytes.p, (size_t)(at - door->bytes.p));
    buf_add(&foreign, "\x02\x01\x0e\x84\x00", 5); /* union 1, -1 item of 7 bytes, length 2 in two bytes */
    buf_add(&foreign, at + 3, (size_t)(door->bytes.p + door->bytes.n - at - 3));
    assert_reason(door, door_decode(door, buf_slice(&foreign)), REJECT_NONE, "", "blocks with sizes");
    struct slice canonical = {(const char *)door->bytes.p + AVRO_SINGLE_HEADER_BYTES,
                              door->bytes.n - AVRO_SINGLE_HEADER_BYTES};
    assert_true(slice_eq(door->event.datum, canonical));
    buf_close(&foreign);
}

static void plain_fields_are_readable_and_only_present_if_not_default(void **state)
{
    struct door *door = *state;
    struct event body;
    struct err err;
    accepted(door, LEAD(""));
    buf_clear(&door->bytes);
    event_encode(door->codec, &door->event, &door->bytes);
    assert_int_equal(event_decode_body(door->codec, EVENT_LEAD, buf_slice(&door->bytes), &body, &err), OK);
    assert_false(event_has(&body, EV_OP) || event_has(&body, EV_PROVENANCE) || event_has(&body, EV_FLAGS));
    assert_int_equal(body.v[EV_OP].i, OP_ASSERT);
    assert_int_equal(body.v[EV_FLAGS].i, 0);
    accepted(door, LEAD(",\"provenance\":\"bulk\",\"flags\":[\"assumed_time\"]"));
    assert_true(event_has(&door->event, EV_PROVENANCE) && event_has(&door->event, EV_FLAGS));
    assert_int_equal(door->event.v[EV_PROVENANCE].i, PROVENANCE_BULK);
}

static void a_damaged_body_is_corrupt_not_a_crash(void **state)
{
    struct door *door = *state;
    struct event body;
    struct err err;
    accepted(door, EXAMPLE_ORDER);
    buf_clear(&door->bytes);
    event_encode(door->codec, &door->event, &door->bytes);
    for (size_t n = 0; n < door->bytes.n; n++)
        assert_int_equal(event_decode_body(door->codec, EVENT_ORDER, slice_make(door->bytes.p, n), &body, &err),
                         ERR_CORRUPT);
    assert_int_equal(event_decode_body(door->codec, EVENT_TYPE_NONE, buf_slice(&door->bytes), &body, &err),
                     ERR_CORRUPT);
}

static void lines_read_back_as_added(void **state)
{
    (void)state;
    struct buf items = {0};
    struct event_line line = {.sku = SLICE("s"), .qty = -1500, .has_cost = true, .cost = 7, .net_amount = INT64_MIN};
    struct event_line seen;
    event_lines_add(&items, &line);
    struct cursor cursor = cursor_of(buf_slice(&items));
    assert_true(event_lines_next(&cursor, &seen));
    assert_true(slice_is(seen.sku, "s") && seen.qty == -1500 && seen.has_cost && seen.cost == 7);
    assert_true(!seen.has_product_group && !seen.has_unit_price && seen.net_amount == INT64_MIN);
    assert_false(event_lines_next(&cursor, &seen));
    assert_false(cursor.bad);
    buf_close(&items);
}

static void a_list_that_is_cut_off_ends_badly(void **state)
{
    (void)state;
    struct buf items = {0};
    struct event_split split;
    event_splits_add(&items, &(struct event_split){SLICE("r1"), 1000000});
    struct cursor cursor = cursor_of(slice_make(items.p, items.n - 1));
    assert_false(event_splits_next(&cursor, &split));
    assert_true(cursor.bad);
    buf_close(&items);
}

static struct event reject_of(struct slice raw)
{
    struct event event = {.type = EVENT_REJECT};
    event_set_int(&event, REJECT_CLASS, REJECT_CLASS_rejected);
    event_set_text(&event, REJECT_REASON, SLICE("bad_json"));
    event_set_text(&event, REJECT_TEXT, SLICE("no JSON at byte 0"));
    event_set_text(&event, REJECT_TOPIC, SLICE("sales.leads"));
    event_set_int(&event, REJECT_AT, INT64_C(1773213301000));
    event_set_int(&event, REJECT_BYTES, (int64_t)raw.n);
    event_set_text(&event, REJECT_SHA256, SLICE("9b0d"));
    event_set_text(&event, REJECT_RAW, raw);
    return event;
}

static void a_reject_shows_raw_bytes_as_text_or_base64(void **state)
{
    struct door *door = *state;
    struct event event = reject_of(SLICE("{\"a\""));
    buf_clear(&door->bytes);
    event_write_json(door->codec, &event, &door->bytes);
    assert_string_equal(buf_cstr(&door->bytes),
                        "{\"class\":\"rejected\",\"reason\":\"bad_json\",\"text\":\"no JSON at byte 0\",\"topic\":"
                        "\"sales.leads\",\"at\":\"2026-03-11T07:15:01.000Z\",\"bytes\":4,\"sha256\":\"9b0d\",\"raw\":"
                        "\"{\\\"a\\\"\"}");
    event = reject_of(SLICE("\xff\x00\xfe\x01"));
    buf_clear(&door->bytes);
    event_write_json(door->codec, &event, &door->bytes);
    assert_non_null(strstr(buf_cstr(&door->bytes), ",\"raw_base64\":\"/wD+AQ==\"}"));
}

static void a_tick_carries_all_positions(void **state)
{
    struct door *door = *state;
    struct buf items = {0};
    struct event event = {.type = EVENT_LEDGER_TICK}, body;
    struct event_position position;
    struct err err;
    event_positions_add(&items, &(struct event_position){SLICE("sales.visits"), -1, 0, 0, 0});
    event_positions_add(&items, &(struct event_position){SLICE("sales.orders"), 771, 700, 70, 2});
    event_set_int(&event, LEDGER_TICK_NOW, ARRIVAL_MS);
    event_set_list(&event, LEDGER_TICK_POSITIONS, buf_slice(&items), 2);
    buf_clear(&door->bytes);
    event_encode(door->codec, &event, &door->bytes);
    assert_int_equal(event_decode_body(door->codec, EVENT_LEDGER_TICK, buf_slice(&door->bytes), &body, &err), OK);
    struct cursor cursor = cursor_of(body.v[LEDGER_TICK_POSITIONS].s);
    assert_true(event_positions_next(&cursor, &position) && position.position == -1);
    assert_true(event_positions_next(&cursor, &position) && slice_is(position.topic, "sales.orders"));
    assert_true(position.accepted == 700 && position.duplicate == 70 && position.rejected == 2);
    assert_false(event_positions_next(&cursor, &position));
    buf_close(&items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_hash_leaves_out_four_fields),
        cmocka_unit_test(the_body_hash_holds_every_other_field),
        cmocka_unit_test(attributes_are_sorted_so_that_order_makes_no_conflict),
        cmocka_unit_test(unsorted_attributes_of_avro_are_not_copied_as_they_are),
        cmocka_unit_test(other_encodings_become_canonical),
        cmocka_unit_test(plain_fields_are_readable_and_only_present_if_not_default),
        cmocka_unit_test(a_damaged_body_is_corrupt_not_a_crash),
        cmocka_unit_test(lines_read_back_as_added),
        cmocka_unit_test(a_list_that_is_cut_off_ends_badly),
        cmocka_unit_test(a_reject_shows_raw_bytes_as_text_or_base64),
        cmocka_unit_test(a_tick_carries_all_positions),
    };
    return cmocka_run_group_tests(tests, door_open, door_close);
}
