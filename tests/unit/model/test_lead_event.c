/* A lead's events at rest: order, encoding, and which of them count (semantics 0.2, 0.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/lead_event.h"
#include "model/lead_symbols.h"

static void order_is_instant_then_source_seq_then_key(void **state)
{
    (void)state;
    struct lead_event a = {.valid_at_ms = 1, .source_seq = 5, .key = 9};
    struct lead_event b = {.valid_at_ms = 1, .source_seq = 5, .key = 8};
    struct lead_event c = {.valid_at_ms = 1, .source_seq = 6, .key = 1};
    struct lead_event d = {.valid_at_ms = 2, .source_seq = 0, .key = 0};
    assert_true(lead_event_cmp(&b, &a) < 0);
    assert_true(lead_event_cmp(&a, &c) < 0);
    assert_true(lead_event_cmp(&c, &d) < 0);
    assert_int_equal(lead_event_cmp(&a, &a), 0);
}

static void every_field_survives_encoding(void **state)
{
    (void)state;
    struct lead_event event = {.valid_at_ms = 1772755200000,
                               .occurred_at_ms = 1772755260000,
                               .recorded_at_ms = 1772755300000,
                               .source_seq = 7,
                               .key = 0xfedcba9876543210u,
                               .corrects = 42,
                               .op = OP_CORRECT,
                               .action = 6,
                               .provenance = PROVENANCE_BULK,
                               .touch_kind = 3,
                               .category = 2,
                               .pipeline = 1,
                               .to_stage = 2,
                               .owner = 300,
                               .channel = 70000,
                               .campaign = 5,
                               .currency = 17,
                               .merged_into = 8,
                               .amount = -1000000000000000,
                               .hold_until_ms = 1772755200001,
                               .next_action_at_ms = 1772755100000,
                               .close_date = 20500,
                               .score = -3};
    event.has = (LEAD_HAS_MERGED_INTO << 1) - 1; /* all */
    struct buf bytes = {0};
    lead_event_encode(&event, &bytes);
    struct cursor in = cursor_of(buf_slice(&bytes));
    struct lead_event back = {0};
    assert_true(lead_event_decode(&in, &back));
    assert_int_equal(cursor_left(&in), 0);
    struct buf again = {0};
    lead_event_encode(&back, &again);
    assert_true(slice_eq(buf_slice(&bytes), buf_slice(&again)));
    assert_int_equal(back.amount, event.amount);
    assert_int_equal(back.recorded_at_ms, event.recorded_at_ms);
    assert_int_equal(back.hold_until_ms, event.hold_until_ms);
    assert_int_equal(back.channel, event.channel);
    buf_close(&bytes);
    buf_close(&again);
}

static void a_usual_event_takes_about_25_bytes(void **state)
{
    (void)state;
    struct lead_event event = {.valid_at_ms = 1772755200000,
                               .source_seq = 20931,
                               .has = LEAD_HAS_SOURCE_SEQ | LEAD_HAS_TO_STAGE,
                               .to_stage = 12,
                               .key = 1};
    struct buf bytes = {0};
    lead_event_encode(&event, &bytes);
    assert_true(bytes.n <= 25);
    buf_close(&bytes);
}

static void damage_is_seen_not_followed(void **state)
{
    (void)state;
    struct lead_event event = {.valid_at_ms = 5, .has = LEAD_HAS_OWNER, .owner = 1 << 20};
    struct buf bytes = {0};
    lead_event_encode(&event, &bytes);
    for (size_t n = 1; n < bytes.n; n++) {
        struct cursor in = cursor_of(slice_make(bytes.p, n));
        struct lead_event back;
        assert_false(lead_event_decode(&in, &back));
    }
    buf_close(&bytes);
}

static void a_held_key_is_found_and_the_place_is_in_order(void **state)
{
    (void)state;
    struct buf blob = {0};
    struct lead_event first = {.valid_at_ms = 10, .key = 1}, second = {.valid_at_ms = 20, .key = 2};
    lead_event_encode(&first, &blob);
    size_t between = blob.n;
    lead_event_encode(&second, &blob);
    bool held, last;
    struct lead_event event = {.valid_at_ms = 15, .key = 3};
    assert_int_equal(lead_events_place(buf_slice(&blob), &event, &held, &last), between);
    assert_false(held);
    assert_false(last);
    event.valid_at_ms = 20;
    assert_int_equal(lead_events_place(buf_slice(&blob), &event, &held, &last), blob.n);
    assert_true(last);
    event.key = 1;
    (void)lead_events_place(buf_slice(&blob), &event, &held, &last);
    assert_true(held);
    buf_close(&blob);
}

static void a_correction_recorded_before_what_it_names_is_ignored(void **state)
{
    (void)state;
    struct lead_event events[2] = {{.key = 1, .recorded_at_ms = 9},
                                   {.key = 2, .recorded_at_ms = 3, .op = OP_CORRECT, .corrects = 1}};
    uint32_t order[2];
    assert_int_equal(lead_events_resolve(events, 2, order), 0);
    assert_true(events[0].active);
    assert_true(events[1].active);
    assert_true(events[1].ignored);
    assert_false(events[0].ignored);
}

static void a_retract_of_a_retract_brings_the_event_back(void **state)
{
    (void)state;
    struct lead_event events[3] = {{.key = 1, .recorded_at_ms = 1},
                                   {.key = 2, .recorded_at_ms = 2, .op = OP_RETRACT, .corrects = 1},
                                   {.key = 3, .recorded_at_ms = 3, .op = OP_RETRACT, .corrects = 2}};
    uint32_t order[3];
    (void)lead_events_resolve(events, 3, order);
    assert_true(events[0].active);
    assert_false(events[1].active);
    assert_false(events[2].active);
}

static void currencies_are_numbers_and_back(void **state)
{
    (void)state;
    static const char *const codes[] = {"AAA", "CNY", "USD", "ZZZ"};
    for (size_t i = 0; i < 4; i++) {
        char text[4];
        lead_currency_text(lead_currency_of(slice_of(codes[i])), text);
        assert_string_equal(text, codes[i]);
    }
    assert_int_equal(lead_currency_of(SLICE("AAA")), 1); /* 0 is none */
}

static void equal_bytes_get_one_number_and_the_empty_text_is_0(void **state)
{
    (void)state;
    struct lead_symbols symbols;
    lead_symbols_init(&symbols);
    assert_int_equal(lead_symbols_intern(&symbols, SLICE(""), NULL), 0);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++)
            assert_int_equal(lead_symbols_intern(&symbols, slice_make(&i, sizeof i), NULL), i + 1);
    }
    uint32_t unknown = 99999;
    assert_int_equal(lead_symbols_find(&symbols, slice_make(&unknown, sizeof unknown)), LEAD_SYMBOL_NONE);
    lead_symbols_close(&symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_instant_then_source_seq_then_key),
        cmocka_unit_test(every_field_survives_encoding),
        cmocka_unit_test(a_usual_event_takes_about_25_bytes),
        cmocka_unit_test(damage_is_seen_not_followed),
        cmocka_unit_test(a_held_key_is_found_and_the_place_is_in_order),
        cmocka_unit_test(a_correction_recorded_before_what_it_names_is_ignored),
        cmocka_unit_test(a_retract_of_a_retract_brings_the_event_back),
        cmocka_unit_test(currencies_are_numbers_and_back),
        cmocka_unit_test(equal_bytes_get_one_number_and_the_empty_text_is_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
