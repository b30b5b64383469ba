/* Every reason of the closed list that form alone decides, as JSON and, where it can be written, as Avro. */
#define _GNU_SOURCE /* memmem */
#include "unit/model/event_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "avro/canonical.h"

/* Encodes what door->event now says as Avro and expects the reason. */
static void avro_refused(struct door *door, enum reject_reason reason, const char *field)
{
    struct event event = door->event;
    assert_reason(door, door_send_avro(door, &event), reason, field, "Avro");
}

static void text_of(struct door *door, const char *json, unsigned field, struct slice text)
{
    accepted(door, json);
    event_set_text(&door->event, field, text);
}

static void int_of(struct door *door, const char *json, unsigned field, int64_t value)
{
    accepted(door, json);
    event_set_int(&door->event, field, value);
}

static void too_large_is_refused_unread(void **state)
{
    struct door *door = *state;
    char *big = calloc(1, EVENT_BYTES_MAX + 1);
    assert_non_null(big);
    assert_int_equal(door_decode(door, slice_make(big, EVENT_BYTES_MAX + 1)), REJECT_too_large);
    memset(big, ' ', EVENT_BYTES_MAX);
    memcpy(big, LEAD(""), sizeof LEAD("") - 1);
    assert_int_equal(door_decode(door, slice_make(big, EVENT_BYTES_MAX)), REJECT_NONE);
    free(big);
}

static void bad_avro_is_refused_at_every_cut(void **state)
{
    struct door *door = *state;
    accepted(door, LEAD(",\"amount\":12345,\"currency\":\"CNY\""));
    buf_clear(&door->bytes);
    event_encode_single(door->codec, &door->event, &door->bytes);
    size_t whole = door->bytes.n;
    for (size_t n = 2; n < whole; n++)
        assert_int_equal(door_decode(door, slice_make(door->bytes.p, n)), REJECT_bad_avro);
    buf_add_byte(&door->bytes, 0);
    assert_int_equal(door_decode(door, buf_slice(&door->bytes)), REJECT_bad_avro); /* trailing byte */
}

static void enum_index_beyond_the_symbols_is_bad_avro(void **state)
{
    struct door *door = *state;
    int_of(door, LEAD(""), LEAD_ACTION, LEAD_ACTION_SYMBOL_COUNT);
    avro_refused(door, REJECT_bad_avro, "");
}

static void boolean_two_is_bad_avro(void **state)
{
    struct door *door = *state;
    accepted(door, VISIT(",\"phase\":\"checkin\",\"mock_gps\":true,\"step_id\":\"abcdefgh\""));
    buf_clear(&door->bytes);
    event_encode_single(door->codec, &door->event, &door->bytes);
    uint8_t *at = memmem(door->bytes.p, door->bytes.n,
                         "\x02\x01\x02\x10"
                         "abcdefgh",
                         12);
    assert_non_null(at);
    at[1] = 2;
    assert_int_equal(door_decode(door, buf_slice(&door->bytes)), REJECT_bad_avro);
}

static void unknown_schema_is_refused(void **state)
{
    struct door *door = *state;
    buf_clear(&door->bytes);
    avro_single_begin(&door->bytes, 42);
    assert_int_equal(door_decode(door, buf_slice(&door->bytes)), REJECT_unknown_schema);
    assert_int_equal(door_decode(door, slice_make("\0\0\0\0\x07"
                                                  "abc",
                                                  8)),
                     REJECT_unknown_schema);
}

static void bad_utf8_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"reason\":\"\xff\""), REJECT_bad_utf8, "");
    refused(door, LEAD(",\"reason\":\"\xc0\xaf\""), REJECT_bad_utf8, "");
    refused(door, LEAD(",\"reason\":\"\xed\xa0\x80\""), REJECT_bad_utf8, "");
    refused(door, LEAD(",\"reason\":\"\\ud800\""), REJECT_bad_utf8, "");
    refused(door, LEAD(",\"reason\":\"\\udc00\\ud800\""), REJECT_bad_utf8, "");
    text_of(door, LEAD(""), LEAD_REASON, SLICE("\xff"));
    avro_refused(door, REJECT_bad_utf8, "");
}

static void bad_avro_goes_before_bad_utf8(void **state)
{
    struct door *door = *state;
    text_of(door, LEAD(""), LEAD_REASON, SLICE("\xff"));
    event_set_int(&door->event, LEAD_CATEGORY, 99);
    avro_refused(door, REJECT_bad_avro, "");
}

static void too_deep_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\",\"spec\":{\"a\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}"), REJECT_NONE,
            "");
    refused(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\",\"spec\":{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"),
            REJECT_too_deep, "");
    text_of(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\""), PLAN_SPEC, SLICE("{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"));
    avro_refused(door, REJECT_too_deep, "spec");
}

static void bad_json_is_refused(void **state)
{
    struct door *door = *state;
    static const char *const bad[] = {
        "",
        "{",
        "\xef\xbb\xbf" LEAD(""),
        LEAD("") "x",
        LEAD("") LEAD(""),
        LEAD(",\"score\":NaN"),
        LEAD(",\"score\":01"),
        LEAD(",\"score\":+1"),
        LEAD(",\"score\":.5"),
        LEAD(",\"score\":1."),
        LEAD(",\"score\":1,"),
        LEAD(",\"reason\":\"a\nb\""),
        LEAD(",\"reason\":\"\\x\""),
        LEAD(",\"reason\":\"\\u12\""),
        LEAD(",'reason':1"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(door, bad[i], REJECT_bad_json, "");
    text_of(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\""), PLAN_SPEC, SLICE("{\"a\":}"));
    avro_refused(door, REJECT_bad_json, "spec");
}

static void blanks_and_crlf_are_fine(void **state)
{
    accepted(*state, " \t{ \"type\" : \"lead\" ," ENVELOPE AT " , \"lead_id\":\"L\",\"action\":\"created\" } \r\n");
}

static void duplicate_key_is_refused_in_every_object(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"score\":1,\"score\":1"), REJECT_duplicate_key, "");
    refused(door, LEAD(",\"nope\":1,\"nope\":1"), REJECT_duplicate_key, "");
    refused(door, LEAD(",\"score\":1,\"sc\\u006fre\":1"), REJECT_duplicate_key, "");
    refused(door, FACT(",\"attrs\":{\"a\":\"1\",\"a\":\"2\"}"), REJECT_duplicate_key, "");
    refused(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\",\"spec\":{\"a\":{\"b\":1,\"b\":2}}"), REJECT_duplicate_key, "");
    struct buf attrs = {0};
    event_attrs_add(&attrs, &(struct event_attr){SLICE("a"), SLICE("1")});
    event_attrs_add(&attrs, &(struct event_attr){SLICE("a"), SLICE("2")});
    accepted(door, FACT(""));
    event_set_list(&door->event, FACT_ATTRS, buf_slice(&attrs), 2);
    avro_refused(door, REJECT_duplicate_key, "attrs");
    buf_close(&attrs);
}

static void not_object_is_refused(void **state)
{
    refused(*state, "[1]", REJECT_not_object, "");
    refused(*state, "\"lead\"", REJECT_not_object, "");
    refused(*state, "null", REJECT_not_object, "");
}

static void missing_field_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, "{}", REJECT_missing_field, "type");
    refused(door, "{\"type\":null}", REJECT_missing_field, "type");
    refused(door, "{\"type\":\"lead\"," ENVELOPE AT ",\"action\":\"created\"}", REJECT_missing_field, "lead_id");
    refused(door, "{\"type\":\"lead\"," ENVELOPE AT ",\"lead_id\":null,\"action\":\"created\"}", REJECT_missing_field,
            "lead_id");
    refused(door, ORDER(",\"splits\":[{\"rep_id\":\"r\"}]"), REJECT_missing_field, "splits[0].ppm");
    refused(door, ORDER(",\"lines\":[{\"sku\":\"r\",\"qty\":null,\"net_amount\":1}]"), REJECT_missing_field,
            "lines[0].qty");
}

#define DO(action, own) "{\"type\":\"lead\"," ENVELOPE AT ",\"lead_id\":\"L\",\"action\":\"" action "\"" own "}"

static void what_op_action_and_phase_require_is_missed(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"op\":\"correct\""), REJECT_missing_field, "corrects");
    refused(door, LEAD(",\"op\":\"retract\""), REJECT_missing_field, "corrects");
    refused(door, VISIT(",\"phase\":\"planned\",\"planned_end\":\"2026-03-10T00:00:00Z\""), REJECT_missing_field,
            "planned_start");
    refused(door, VISIT(",\"phase\":\"step\",\"step_id\":\"s\""), REJECT_missing_field, "step_result");
    refused(door, DO("stage", ""), REJECT_missing_field, "to_stage");
    refused(door, DO("assigned", ""), REJECT_missing_field, "owner_id");
    refused(door, DO("owner", ""), REJECT_missing_field, "owner_id");
    refused(door, DO("merged", ""), REJECT_missing_field, "merged_into");
    refused(door, LEAD(",\"amount\":1"), REJECT_missing_field, "currency");
    refused(door, FACT(",\"currency\":\"CNY\""), REJECT_missing_field, "amount");
    refused(door, ACTION(",\"action\":\"ack\",\"actor_id\":\"m\""), REJECT_missing_field, "episode");
    refused(door, ACTION(",\"action\":\"ack\",\"episode\":\"x\""), REJECT_missing_field, "actor_id");
    refused(door, ACTION(",\"action\":\"snooze\",\"actor_id\":\"m\",\"episode\":\"x\",\"reason\":\"r\""),
            REJECT_missing_field, "until");
    refused(door, ACTION(",\"action\":\"outcome\",\"actor_id\":\"m\",\"episode\":\"x\""), REJECT_missing_field,
            "outcome");
    refused(door, ACTION(",\"action\":\"failed\",\"episode\":\"x\",\"receiver\":\"r\""), REJECT_missing_field,
            "attempt");
    accepted(door, ACTION(",\"action\":\"delivered\",\"fingerprint\":\"x\",\"receiver\":\"r\",\"attempt\":1"));
    refused(door, "{\"type\":\"control\"," ENVELOPE AT ",\"control\":\"backfill_begin\"}", REJECT_missing_field,
            "run_id");
    int_of(door, LEAD(""), LEAD_ACTION, LEAD_ACTION_stage);
    avro_refused(door, REJECT_missing_field, "to_stage");
    int_of(door, LEAD(""), EV_OP, OP_RETRACT);
    avro_refused(door, REJECT_missing_field, "corrects");
}

static void unknown_type_is_refused(void **state)
{
    refused(*state, "{\"type\":\"sale\"}", REJECT_unknown_type, "type");
    refused(*state, "{\"type\":5}", REJECT_unknown_type, "type");
}

static void wrong_topic_is_refused(void **state)
{
    struct door *door = *state;
    accepted(door, LEAD(""));
    struct event event = door->event;
    door->origin.topic_types = 1u << EVENT_VISIT;
    assert_reason(door, door_send_avro(door, &event), REJECT_wrong_topic, "type", "Avro");
    refused(door, LEAD(""), REJECT_wrong_topic, "type");
    door->origin.topic_types = UINT32_MAX;
}

static void unknown_field_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"ammount\":1"), REJECT_unknown_field, "ammount");
    refused(door, LEAD(",\"private\":\"x\""), REJECT_unknown_field, "private");
    refused(door, LEAD(",\"ammount\":null"), REJECT_unknown_field, "ammount");
    refused(door, ORDER(",\"lines\":[{\"sku\":\"s\",\"qty\":1,\"net_amount\":100,\"price\":2}]"), REJECT_unknown_field,
            "lines[0].price");
}

static void names_are_checked_before_values(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"score\":\"x\",\"nope\":1"), REJECT_unknown_field, "nope");
    refused(door, DO("stage", ",\"score\":\"x\",\"nope\":1"), REJECT_missing_field, "to_stage");
    refused(door, DO("nope", ",\"nope\":1"), REJECT_unknown_field, "nope");
}

static void bad_type_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"score\":\"12\""), REJECT_bad_type, "score");
    refused(door, LEAD(",\"score\":12.0"), REJECT_bad_type, "score");
    refused(door, LEAD(",\"score\":1e3"), REJECT_bad_type, "score");
    refused(door, LEAD(",\"score\":true"), REJECT_bad_type, "score");
    refused(door, LEAD(",\"owner_id\":5"), REJECT_bad_type, "owner_id");
    refused(door, LEAD(",\"flags\":\"assumed_time\""), REJECT_bad_type, "flags");
    refused(door, VISIT(",\"phase\":\"checkin\",\"lat\":3e1"), REJECT_bad_type, "lat");
    refused(door, VISIT(",\"phase\":\"checkin\",\"mock_gps\":0"), REJECT_bad_type, "mock_gps");
    refused(door, FACT(",\"attrs\":[]"), REJECT_bad_type, "attrs");
    refused(door, FACT(",\"attrs\":{\"a\":1}"), REJECT_bad_type, "attrs");
    refused(door, ORDER(",\"lines\":{}"), REJECT_bad_type, "lines");
    refused(door, ORDER(",\"lines\":[1]"), REJECT_bad_type, "lines[0]");
    refused(door, ORDER(",\"lines\":[{\"sku\":\"s\",\"qty\":1.5,\"net_amount\":100}]"), REJECT_bad_type,
            "lines[0].qty");
    refused(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\",\"spec\":[]"), REJECT_bad_type, "spec");
    refused(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\",\"spec\":{\"k\":1e2}"), REJECT_bad_type, "spec");
    refused(door, LEAD(",\"close_date\":5"), REJECT_bad_type, "close_date");
    text_of(door, PLAN(",\"kind\":\"rule\",\"id\":\"i\""), PLAN_SPEC, SLICE("[1]"));
    avro_refused(door, REJECT_bad_type, "spec");
}

static void bad_enum_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, DO("sold", ""), REJECT_bad_enum, "action");
    refused(door, LEAD(",\"op\":\"Assert\""), REJECT_bad_enum, "op");
    refused(door, LEAD(",\"flags\":[\"late\"]"), REJECT_bad_enum, "flags[0]");
    refused(door, "{\"type\":\"control\"," ENVELOPE AT ",\"control\":\"tick\"}", REJECT_bad_enum, "control");
}

static void bad_id_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"owner_id\":\"\""), REJECT_bad_id, "owner_id");
    refused(door, LEAD(",\"owner_id\":\"a\\u0000b\""), REJECT_bad_id, "owner_id");
    refused(door, LEAD(",\"owner_id\":\"a\\u007fb\""), REJECT_bad_id, "owner_id");
    refused(door, LEAD(",\"pipeline\":\"a/b\""), REJECT_bad_id, "pipeline");
    refused(door, LEAD(",\"to_stage\":\"rep:x\""), REJECT_bad_id, "to_stage");
    refused(door, LEAD(",\"to_stage\":\"all\""), REJECT_bad_id, "to_stage");
    refused(door, "{\"type\":\"fact\"," ENVELOPE AT ",\"fact_id\":\"f\",\"kind\":\"Task\",\"status\":\"open\"}",
            REJECT_bad_id, "kind");
    refused(door, FACT(",\"attrs\":{\"A\":\"1\"}"), REJECT_bad_id, "attrs");
    refused(door,
            "{\"type\":\"lead\",\"tenant\":\"-acme\",\"event_id\":\"e\",\"source\":\"s\",\"source_seq\":1" AT
            ",\"lead_id\":\"L\",\"action\":\"created\"}",
            REJECT_bad_id, "tenant");
    refused(door, PLAN(",\"kind\":\"node\",\"id\":\"a/b\""), REJECT_bad_id, "id");
    accepted(door, PLAN(",\"kind\":\"member\",\"id\":\"r1/t1/2026-01-01\""));
    accepted(door, LEAD(",\"pipeline\":\"渠道\""));
    text_of(door, LEAD(""), LEAD_OWNER_ID, SLICE("a\0b"));
    avro_refused(door, REJECT_bad_id, "owner_id");
}

static void an_id_has_at_most_64_bytes(void **state)
{
    struct door *door = *state;
    char id[65], json[512];
    memset(id, 'x', sizeof id);
    (void)snprintf(json, sizeof json, LEAD(",\"owner_id\":\"%.64s\""), id);
    accepted(door, json);
    (void)snprintf(json, sizeof json, LEAD(",\"owner_id\":\"%.65s\""), id);
    refused(door, json, REJECT_bad_id, "owner_id");
    text_of(door, LEAD(""), LEAD_OWNER_ID, slice_make(id, 65));
    avro_refused(door, REJECT_bad_id, "owner_id");
}

static void personal_id_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"customer_id\":\"li@example.com\""), REJECT_personal_id, "customer_id");
    refused(door, LEAD(",\"customer_id\":\"+8613800000000\""), REJECT_personal_id, "customer_id");
    refused(door, LEAD(",\"customer_id\":\"13800000000\""), REJECT_personal_id, "customer_id");
    refused(door, ORDER(",\"splits\":[{\"rep_id\":\"a@b.c\",\"ppm\":1000000}]"), REJECT_personal_id,
            "splits[0].rep_id");
    accepted(door, LEAD(",\"customer_id\":\"12800000000\""));
    accepted(door, LEAD(",\"customer_id\":\"+123456\""));
    accepted(door, LEAD(",\"customer_id\":\"a@b\""));
    accepted(door, LEAD(",\"customer_id\":\"a@.b\""));
    accepted(door, LEAD(",\"customer_id\":\"a@b@c.d\""));
    text_of(door, LEAD(""), LEAD_CUSTOMER_ID, SLICE("li@example.com"));
    avro_refused(door, REJECT_personal_id, "customer_id");
}

static void bad_time_is_refused(void **state)
{
    struct door *door = *state;
    static const char *const bad[] = {
        "\"2026-03-01\"",           "\"2026-03-01T08:00:00\"",  "\"2026-02-30T08:00:00Z\"",
        "\"2026-03-01T24:00:00Z\"", "\"2026-03-01T08:00:60Z\"", "\"10000-01-01T00:00:00Z\"",
        "\"0000-01-01T00:00:00Z\"", "253402300800000",          "99999999999999999999",
    };
    char json[512];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(json, sizeof json, LEAD(",\"hold_until\":%s"), bad[i]);
        refused(door, json, REJECT_bad_time, "hold_until");
    }
    refused(door, LEAD(",\"close_date\":\"2026-02-29\""), REJECT_bad_time, "close_date");
    accepted(door, LEAD(",\"close_date\":\"2024-02-29\",\"hold_until\":1773100800000"));
    int_of(door, LEAD(""), LEAD_HOLD_UNTIL, INT64_MIN);
    avro_refused(door, REJECT_bad_time, "hold_until");
    int_of(door, LEAD(""), LEAD_CLOSE_DATE, INT32_MAX);
    avro_refused(door, REJECT_bad_time, "close_date");
}

static void bad_currency_is_refused(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"amount\":1,\"currency\":\"cny\""), REJECT_bad_currency, "currency");
    refused(door, LEAD(",\"amount\":1,\"currency\":\"CN\""), REJECT_bad_currency, "currency");
    refused(door, LEAD(",\"amount\":1,\"currency\":\"RMBY\""), REJECT_bad_currency, "currency");
    text_of(door, LEAD(",\"amount\":1,\"currency\":\"CNY\""), LEAD_CURRENCY, SLICE("C1Y"));
    avro_refused(door, REJECT_bad_currency, "currency");
}

static void out_of_range_is_refused_just_beyond_the_limit(void **state)
{
    struct door *door = *state;
    accepted(door, LEAD(",\"amount\":1000000000000000,\"currency\":\"CNY\""));
    accepted(door, LEAD(",\"amount\":-1000000000000000,\"currency\":\"CNY\""));
    refused(door, LEAD(",\"amount\":1000000000000001,\"currency\":\"CNY\""), REJECT_out_of_range, "amount");
    refused(door, LEAD(",\"amount\":-1000000000000001,\"currency\":\"CNY\""), REJECT_out_of_range, "amount");
    accepted(door, LEAD(",\"score\":9223372036854775807"));
    accepted(door, LEAD(",\"score\":-9223372036854775808"));
    refused(door, LEAD(",\"score\":9223372036854775808"), REJECT_out_of_range, "score");
    refused(door, LEAD(",\"score\":-9223372036854775809"), REJECT_out_of_range, "score");
    accepted(door, VISIT(",\"phase\":\"checkin\",\"lat\":90,\"lon\":-180.0000000"));
    refused(door, VISIT(",\"phase\":\"checkin\",\"lat\":90.0000001"), REJECT_out_of_range, "lat");
    refused(door, VISIT(",\"phase\":\"checkin\",\"lon\":180.0000001"), REJECT_out_of_range, "lon");
    refused(door, VISIT(",\"phase\":\"checkin\",\"route_seq\":-1"), REJECT_out_of_range, "route_seq");
    refused(door, ORDER(",\"splits\":[{\"rep_id\":\"r\",\"ppm\":1000001}]"), REJECT_out_of_range, "splits[0].ppm");
    int_of(door, ORDER(""), ORDER_REVISION, 0);
    avro_refused(door, REJECT_out_of_range, "revision");
    int_of(door, LEAD(",\"amount\":1,\"currency\":\"CNY\""), LEAD_AMOUNT, INT64_MIN);
    avro_refused(door, REJECT_out_of_range, "amount");
}

static void too_many_is_refused(void **state)
{
    struct door *door = *state;
    struct buf items = {0};
    char text[257];
    memset(text, 'x', sizeof text);
    text_of(door, LEAD(""), LEAD_REASON, slice_make(text, 256));
    avro_refused(door, REJECT_NONE, "");
    text_of(door, LEAD(""), LEAD_REASON, slice_make(text, 257));
    avro_refused(door, REJECT_too_many, "reason");
    for (int i = 0; i < EVENT_LINES_MAX + 1; i++)
        event_lines_add(&items, &(struct event_line){.sku = SLICE("s")});
    accepted(door, ORDER(""));
    event_set_list(&door->event, ORDER_LINES, buf_slice(&items), EVENT_LINES_MAX + 1);
    avro_refused(door, REJECT_too_many, "lines");
    buf_clear(&items);
    for (int i = 0; i < EVENT_ATTRS_MAX + 1; i++) {
        char name[8];
        int n = snprintf(name, sizeof name, "a%d", i);
        event_attrs_add(&items, &(struct event_attr){slice_make(name, (size_t)n), SLICE("v")});
    }
    accepted(door, FACT(""));
    event_set_list(&door->event, FACT_ATTRS, buf_slice(&items), EVENT_ATTRS_MAX + 1);
    avro_refused(door, REJECT_too_many, "attrs");
    buf_close(&items);
}

#define OCCURRED(at) "{\"type\":\"lead\"," ENVELOPE ",\"occurred_at\":" at ",\"lead_id\":\"L\",\"action\":\"created\"}"
#define RECORDED(at) LEAD(",\"recorded_at\":" at)

static void times_too_far_are_refused(void **state)
{
    struct door *door = *state;
    accepted(door, OCCURRED("\"1990-01-01T00:00:00.000Z\""));
    refused(door, OCCURRED("\"1989-12-31T23:59:59.999Z\""), REJECT_time_past, "occurred_at");
    refused(door, RECORDED("\"1989-12-31T23:59:59.999Z\""), REJECT_time_past, "recorded_at");
    accepted(door, OCCURRED("1790086400000"));
    refused(door, OCCURRED("1790086400001"), REJECT_time_future, "occurred_at");
    accepted(door, RECORDED("1790086400000"));
    refused(door, RECORDED("1790086400001"), REJECT_time_future, "recorded_at");
    int_of(door, LEAD(""), EV_OCCURRED_AT, ARRIVAL_MS + INT64_C(86400001));
    avro_refused(door, REJECT_time_future, "occurred_at");
}

static void values_are_checked_before_times(void **state)
{
    refused(*state, "{\"type\":\"lead\"," ENVELOPE ",\"occurred_at\":0,\"lead_id\":\"\",\"action\":\"created\"}",
            REJECT_bad_id, "lead_id");
}

static void recorded_before_occurred_reads_as_occurred(void **state)
{
    struct door *door = *state;
    accepted(door, RECORDED("\"2026-03-09T00:00:00Z\""));
    assert_int_equal(event_recorded_at(&door->event), INT64_C(1773100800000));
    accepted(door, RECORDED("\"2026-03-10T00:00:01Z\""));
    assert_int_equal(event_recorded_at(&door->event), INT64_C(1773100801000));
}

static void bad_splits_are_refused(void **state)
{
    struct door *door = *state;
    accepted(door, ORDER(",\"splits\":[]"));
    refused(door, ORDER(",\"splits\":[{\"rep_id\":\"a\",\"ppm\":999999}]"), REJECT_bad_splits, "splits");
    refused(door, ORDER(",\"splits\":[{\"rep_id\":\"a\",\"ppm\":500000},{\"rep_id\":\"a\",\"ppm\":500000}]"),
            REJECT_bad_splits, "splits");
}

static void a_sum_that_differs_is_refused(void **state)
{
    struct door *door = *state;
    accepted(door, ORDER(",\"lines\":[]"));
    accepted(door, ORDER(",\"lines\":[{\"sku\":\"s\",\"qty\":1,\"net_amount\":150},{\"sku\":\"t\",\"qty\":-1,\"net_"
                         "amount\":-50}]"));
    refused(door, ORDER(",\"lines\":[{\"sku\":\"s\",\"qty\":1,\"net_amount\":99}]"), REJECT_sum_mismatch, "net_amount");
    assert_string_equal(door->reject.text, "lines sum to 99, net_amount is 100");
    int_of(door, ORDER(",\"lines\":[{\"sku\":\"s\",\"qty\":1,\"net_amount\":100}]"), ORDER_NET_AMOUNT, 101);
    avro_refused(door, REJECT_sum_mismatch, "net_amount");
}

static void the_key_must_be_the_tenant(void **state)
{
    struct door *door = *state;
    door->origin.check_key = true;
    door->origin.key = SLICE("other");
    refused(door, LEAD(""), REJECT_wrong_tenant, "tenant");
    door->origin.key = SLICE("acme");
    accepted(door, LEAD(""));
    door->origin.partitions = 12;
    door->origin.partition = event_partition(SLICE("acme"), 12);
    accepted(door, LEAD(""));
    door->origin.partition = (door->origin.partition + 1) % 12;
    refused(door, LEAD(""), REJECT_wrong_tenant, "tenant");
    door->origin = (struct event_origin){.arrival_ms = ARRIVAL_MS, .topic_types = UINT32_MAX};
}

/* Values of org.apache.kafka.common.utils.Utils.murmur2, from its own tests. */
static void partitions_are_those_of_java_clients(void **state)
{
    (void)state;
    assert_int_equal(event_partition(SLICE("21"), UINT32_MAX), (uint32_t)(-973932308) & 0x7fffffff);
    assert_int_equal(event_partition(SLICE("foobar"), UINT32_MAX), (uint32_t)(-790332482) & 0x7fffffff);
    assert_int_equal(event_partition(SLICE("a-little-bit-long-string"), UINT32_MAX),
                     (uint32_t)(-985981536) & 0x7fffffff);
    assert_int_equal(event_partition(SLICE("abc"), UINT32_MAX), 479470107 & 0x7fffffff);
}

static bool refuse_all(struct slice kind, struct slice id, struct slice spec, struct slice resolved, bool ended,
                       char *text, size_t text_size)
{
    (void)kind, (void)id, (void)resolved, (void)ended;
    (void)snprintf(text, text_size, "no: %.*s", SLICE_ARG(spec));
    return false;
}

static void defaults_may_be_written_out(void **state)
{
    struct door *door = *state;
    accepted(door, LEAD(",\"op\":\"assert\",\"provenance\":\"user\",\"flags\":[],\"owner_id\":null"));
    uint64_t given = door->event.present;
    accepted(door, LEAD(""));
    assert_int_equal(door->event.present, given);
}

static void a_plan_item_is_checked_in_canonical_form(void **state)
{
    struct door *door = *state;
    const char *json = PLAN(",\"kind\":\"rule\",\"id\":\"i\",\"spec\":{ \"b\" : 1.50, \"a\" : [ \"\\u4e2d\" ] }");
    accepted(door, json);
    event_codec_set_plan_check(door->codec, refuse_all);
    refused(door, json, REJECT_plan_invalid, "spec");
    assert_string_equal(door->reject.text, "no: {\"a\":[\"中\"],\"b\":1.5}");
    event_codec_set_plan_check(door->codec, NULL);
}

static void a_reject_names_the_tenant_if_it_could_be_read(void **state)
{
    struct door *door = *state;
    refused(door, LEAD(",\"score\":\"x\""), REJECT_bad_type, "score");
    assert_true(slice_is(door->reject.tenant, "acme"));
    refused(door, "{\"type\":\"sale\",\"tenant\":\"acme\"}", REJECT_unknown_type, "type");
    assert_true(slice_is(door->reject.tenant, "acme"));
    refused(door, "{\"tenant\":\"acme\"", REJECT_bad_json, "");
    assert_int_equal(door->reject.tenant.n, 0);
}

static void reason_names_read_back(void **state)
{
    (void)state;
    for (unsigned i = REJECT_NONE + 1; i < REJECT_REASON_COUNT; i++) {
        enum reject_reason reason = REJECT_NONE;
        assert_true(reject_reason_of(slice_of(reject_reason_name((enum reject_reason)i)), &reason));
        assert_int_equal(reason, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_large_is_refused_unread),
        cmocka_unit_test(bad_avro_is_refused_at_every_cut),
        cmocka_unit_test(enum_index_beyond_the_symbols_is_bad_avro),
        cmocka_unit_test(boolean_two_is_bad_avro),
        cmocka_unit_test(unknown_schema_is_refused),
        cmocka_unit_test(bad_utf8_is_refused),
        cmocka_unit_test(bad_avro_goes_before_bad_utf8),
        cmocka_unit_test(too_deep_is_refused),
        cmocka_unit_test(bad_json_is_refused),
        cmocka_unit_test(blanks_and_crlf_are_fine),
        cmocka_unit_test(duplicate_key_is_refused_in_every_object),
        cmocka_unit_test(not_object_is_refused),
        cmocka_unit_test(missing_field_is_refused),
        cmocka_unit_test(what_op_action_and_phase_require_is_missed),
        cmocka_unit_test(unknown_type_is_refused),
        cmocka_unit_test(wrong_topic_is_refused),
        cmocka_unit_test(unknown_field_is_refused),
        cmocka_unit_test(names_are_checked_before_values),
        cmocka_unit_test(bad_type_is_refused),
        cmocka_unit_test(bad_enum_is_refused),
        cmocka_unit_test(bad_id_is_refused),
        cmocka_unit_test(an_id_has_at_most_64_bytes),
        cmocka_unit_test(personal_id_is_refused),
        cmocka_unit_test(bad_time_is_refused),
        cmocka_unit_test(bad_currency_is_refused),
        cmocka_unit_test(out_of_range_is_refused_just_beyond_the_limit),
        cmocka_unit_test(too_many_is_refused),
        cmocka_unit_test(times_too_far_are_refused),
        cmocka_unit_test(values_are_checked_before_times),
        cmocka_unit_test(recorded_before_occurred_reads_as_occurred),
        cmocka_unit_test(bad_splits_are_refused),
        cmocka_unit_test(a_sum_that_differs_is_refused),
        cmocka_unit_test(the_key_must_be_the_tenant),
        cmocka_unit_test(partitions_are_those_of_java_clients),
        cmocka_unit_test(defaults_may_be_written_out),
        cmocka_unit_test(a_plan_item_is_checked_in_canonical_form),
        cmocka_unit_test(a_reject_names_the_tenant_if_it_could_be_read),
        cmocka_unit_test(reason_names_read_back),
    };
    return cmocka_run_group_tests(tests, door_open, door_close);
}
