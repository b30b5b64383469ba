/* Strict JSON: the first fault in the order of the reasons, exact numbers, canonical form, writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/json_write.h"

static struct buf scratch, out;

static enum json_fault check(struct slice text)
{
    size_t offset;
    return json_check(text, JSON_DEPTH_MAX, &scratch, &offset);
}

static void assert_fault(const char *text, enum json_fault fault)
{
    enum json_fault seen = check(slice_of(text));
    if (seen != fault)
        fail_msg("%s gave %d, expected %d", text, seen, fault);
}

static void what_the_grammar_allows_is_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0",
        "-0",
        "1.50",
        "1e5",
        "-1E+5",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " [ 1 , 2 ]\r\n",
        "{\"a\":{\"a\":1},\"b\":[{\"a\":1}]}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
        "\"\x7f中\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_fault(good[i], JSON_OK);
}

static void what_it_does_not_allow_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           " ",      "01",    "-",    "-01",   "1.",       ".1",
        "1e",         "1e+",    "+1",    "0x1",  "NaN",   "Infinity", "-Infinity",
        "True",       "nul",    "[1,]",  "[,1]", "[1 2]", "{\"a\"}",  "{\"a\":}",
        "{\"a\":1,}", "{a:1}",  "{1:1}", "\"",   "\"\\",  "\"\\u\"",  "\"\\u12g4\"",
        "\"\\a\"",    "\"\t\"", "[",     "{",    "]",     "1 1",      "\xef\xbb\xbf{}",
        "//",         "'a'",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fault(bad[i], JSON_BAD_SYNTAX);
    assert_int_equal(check(SLICE("\"a\0b\"")), JSON_BAD_SYNTAX);
    assert_int_equal(check(SLICE("1\0")), JSON_BAD_SYNTAX);
}

static void half_surrogate_pairs_are_no_utf8(void **state)
{
    (void)state;
    assert_fault("\"\\ud83d\"", JSON_BAD_UTF8);
    assert_fault("\"\\ude00\"", JSON_BAD_UTF8);
    assert_fault("\"\\ud83d\\ud83d\"", JSON_BAD_UTF8);
    assert_fault("\"\\ud83dx\"", JSON_BAD_UTF8);
    assert_fault("\"\\\\ud83d\"", JSON_OK); /* a backslash, then letters */
}

static void sixteen_levels_are_the_most(void **state)
{
    (void)state;
    assert_fault("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", JSON_OK);
    assert_fault("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", JSON_TOO_DEEP);
    assert_fault("\"[[[[[[[[[[[[[[[[[[\"", JSON_OK);
}

static void faults_come_in_the_order_of_the_reasons(void **state)
{
    (void)state;
    assert_fault("{,\"\xff\"", JSON_BAD_UTF8);
    assert_fault("{,\"\\ud800\"", JSON_BAD_UTF8);
    assert_fault("[[[[[[[[[[[[[[[[[,\"\\ud800\"", JSON_BAD_UTF8);
    assert_fault(",[[[[[[[[[[[[[[[[[", JSON_TOO_DEEP);
    assert_fault("{\"a\":1,\"a\":1", JSON_BAD_SYNTAX);
}

static void names_twice_are_found_in_each_object_alone(void **state)
{
    (void)state;
    assert_fault("{\"a\":1,\"b\":2,\"a\":3}", JSON_DUPLICATE_KEY);
    assert_fault("{\"a\":1,\"\\u0061\":3}", JSON_DUPLICATE_KEY);
    assert_fault("{\"x\":[{\"a\":1,\"a\":1}]}", JSON_DUPLICATE_KEY);
    assert_fault("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", JSON_OK);
    assert_fault("{\"a\":{\"b\":1},\"c\":{\"b\":1},\"a\":1}", JSON_DUPLICATE_KEY);
}

static void many_names_are_compared_in_bounded_work(void **state)
{
    (void)state;
    buf_clear(&out);
    buf_add_byte(&out, '{');
    for (unsigned i = 0; i < 100000; i++)
        buf_addf(&out, "\"%u\":0,", i);
    buf_add_text(&out, "\"99999\":0}");
    assert_int_equal(check(buf_slice(&out)), JSON_DUPLICATE_KEY);
}

static void integers_are_exact_to_the_limits(void **state)
{
    (void)state;
    int64_t n = 7;
    assert_int_equal(json_number_int(json_value_of(SLICE("9223372036854775807")), &n), JSON_NUMBER_OK);
    assert_true(n == INT64_MAX);
    assert_int_equal(json_number_int(json_value_of(SLICE("-9223372036854775808")), &n), JSON_NUMBER_OK);
    assert_true(n == INT64_MIN);
    assert_int_equal(json_number_int(json_value_of(SLICE("9223372036854775808")), &n), JSON_NUMBER_RANGE);
    assert_int_equal(json_number_int(json_value_of(SLICE("-0")), &n), JSON_NUMBER_OK);
    assert_int_equal(n, 0);
    assert_int_equal(json_number_int(json_value_of(SLICE("1.0")), &n), JSON_NUMBER_FORM);
    assert_int_equal(json_number_int(json_value_of(SLICE("1e0")), &n), JSON_NUMBER_FORM);
}

static void decimals_keep_seven_digits_half_even(void **state)
{
    (void)state;
    int64_t n;
    assert_int_equal(json_number_decimal(json_value_of(SLICE("30.2741")), 7, &n), JSON_NUMBER_OK);
    assert_int_equal(n, 302741000);
    (void)json_number_decimal(json_value_of(SLICE("0.00000005")), 7, &n);
    assert_int_equal(n, 0);
    (void)json_number_decimal(json_value_of(SLICE("0.00000015")), 7, &n);
    assert_int_equal(n, 2);
    (void)json_number_decimal(json_value_of(SLICE("-0.00000005000001")), 7, &n);
    assert_int_equal(n, -1);
    assert_int_equal(json_number_decimal(json_value_of(SLICE("3e1")), 7, &n), JSON_NUMBER_FORM);
}

static void members_and_items_are_pulled_in_order(void **state)
{
    (void)state;
    struct slice text = SLICE(" {\"a\" : [1, {\"x\":\"]\"} ,true] , \"b\\n\":\"q\\\"\" } ");
    assert_int_equal(check(text), JSON_OK);
    struct json_iter members = json_iter_of(json_value_of(text));
    struct json_value name, value, item;
    assert_true(json_next_member(&members, &name, &value));
    assert_true(slice_is(name.raw, "a") && value.kind == JSON_ARRAY);
    struct json_iter items = json_iter_of(value);
    assert_true(json_next_item(&items, &item) && item.kind == JSON_NUMBER && slice_is(item.raw, "1"));
    assert_true(json_next_item(&items, &item) && item.kind == JSON_OBJECT);
    assert_true(json_next_item(&items, &item) && item.kind == JSON_TRUE);
    assert_false(json_next_item(&items, &item));
    assert_true(json_next_member(&members, &name, &value));
    buf_clear(&out);
    assert_true(slice_is(json_string(name, &out), "b\n") && slice_is(json_string(value, &out), "q\""));
    assert_false(json_next_member(&members, &name, &value));
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    buf_clear(&out);
    struct slice text = json_string(json_value_of(SLICE("\"\\u0041\\u00e9\\u4e2d\\ud83d\\ude00\\/\\b\\u0000\"")), &out);
    assert_true(slice_eq(text, SLICE("Aé中😀/\b\0")));
}

static void assert_canonical(const char *text, const char *expected)
{
    struct buf temp = {0};
    buf_clear(&out);
    assert_fault(text, JSON_OK);
    assert_true(json_canonical(json_value_of(slice_of(text)), &out, &temp));
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&temp);
}

static void the_canonical_form_sorts_and_shortens(void **state)
{
    (void)state;
    assert_canonical("{ \"b\" : 1.50 , \"a\":[ -0, 2.0, 0.05 ],\"\\u0061a\" :\"\\u4e2d\\/\" }",
                     "{\"a\":[0,2,0.05],\"aa\":\"中/\",\"b\":1.5}");
    assert_canonical("{\"中\":1,\"z\":{},\"\":[]}", "{\"\":[],\"z\":{},\"中\":1}");
    struct buf temp = {0};
    assert_false(json_canonical(json_value_of(SLICE("[1e5]")), &out, &temp));
    buf_close(&temp);
}

static void the_writer_sets_commas_and_escapes(void **state)
{
    (void)state;
    buf_clear(&out);
    struct json_writer w = json_writer_of(&out);
    json_object_begin(&w);
    json_key_int(&w, "min", INT64_MIN);
    json_key(&w, "list");
    json_array_begin(&w);
    json_uint(&w, UINT64_MAX);
    json_null(&w);
    json_array_begin(&w);
    json_array_end(&w);
    json_decimal(&w, -302741000, 7);
    json_decimal(&w, -5, 7);
    json_decimal(&w, 90, 0);
    json_array_end(&w);
    json_key_text(&w, "a\"b", SLICE("中\n\x01"));
    json_key_bool(&w, "t", true);
    json_object_end(&w);
    assert_string_equal(buf_cstr(&out), "{\"min\":-9223372036854775808,\"list\":[18446744073709551615,null,[],-30.2741,"
                                        "-0.0000005,90],\"a\\\"b\":\"中\\n\\u0001\",\"t\":true}");
    assert_int_equal(check(buf_slice(&out)), JSON_OK);
}

static int close_all(void **state)
{
    (void)state;
    buf_close(&scratch);
    buf_close(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_allows_is_accepted),
        cmocka_unit_test(what_it_does_not_allow_is_refused),
        cmocka_unit_test(half_surrogate_pairs_are_no_utf8),
        cmocka_unit_test(sixteen_levels_are_the_most),
        cmocka_unit_test(faults_come_in_the_order_of_the_reasons),
        cmocka_unit_test(names_twice_are_found_in_each_object_alone),
        cmocka_unit_test(many_names_are_compared_in_bounded_work),
        cmocka_unit_test(integers_are_exact_to_the_limits),
        cmocka_unit_test(decimals_keep_seven_digits_half_even),
        cmocka_unit_test(members_and_items_are_pulled_in_order),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(the_canonical_form_sorts_and_shortens),
        cmocka_unit_test(the_writer_sets_commas_and_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, close_all);
}
