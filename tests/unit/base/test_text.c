/* test_text.c -- text.h: strict UTF-8, width, JSON strings, hex, exact numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void utf8_is_checked_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"销售 é 𝄞", true},
        {"\x7f", true},
        {"\xc2\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", false}, /* beyond */
        {"\xc0\xaf", false},         /* overlong '/' */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong, 3 bytes */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong, 4 bytes */
        {"\xed\xa0\x80", false},     /* surrogate D800 */
        {"\xed\xbf\xbf", false},     /* surrogate DFFF */
        {"\xed\x9f\xbf", true},      /* U+D7FF */
        {"\xee\x80\x80", true},      /* U+E000 */
        {"\x80", false},             /* lone continuation */
        {"\xe4\xb8", false},         /* cut off */
        {"a\xff", false},
        {"\xf8\x88\x80\x80\x80", false} /* five bytes */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(text_valid(slice_of(rows[i].text)), rows[i].valid);
}

/* Every code point, written by the definition, is read back; every surrogate is refused. */
static void every_code_point_is_read_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char b[4];
        size_t n;
        if (c < 0x80) {
            b[0] = (char)c;
            n = 1;
        } else if (c < 0x800) {
            b[0] = (char)(0xc0 | c >> 6);
            n = 2;
        } else if (c < 0x10000) {
            b[0] = (char)(0xe0 | c >> 12);
            n = 3;
        } else {
            b[0] = (char)(0xf0 | c >> 18);
            n = 4;
        }
        for (size_t i = 1; i < n; i++)
            b[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
        uint32_t read = 0;
        size_t taken = text_char(b, b + n, &read);
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        if (taken != (surrogate ? 0 : n) || (!surrogate && read != c))
            fail_msg("U+%04X", c);
        if (n > 1 && text_char(b, b + n - 1, NULL) != 0)
            fail_msg("U+%04X cut off", c);
    }
}

static void chinese_takes_two_columns_and_marks_none(void **state)
{
    (void)state;
    assert_int_equal(text_width(SLICE("abc")), 3);
    assert_int_equal(text_width(SLICE("销售漏斗")), 8);
    assert_int_equal(text_width(SLICE("ＡＢ")), 4);
    assert_int_equal(text_width(SLICE("、。")), 4);
    assert_int_equal(text_width(SLICE("한글")), 4);
    assert_int_equal(text_width(SLICE("e\xcc\x81")), 1);
    assert_int_equal(text_width(SLICE("é€")), 2);
    assert_int_equal(text_width(SLICE("\xff\xff")), 2);
    assert_int_equal(text_width((struct slice){NULL, 0}), 0);
}

static void cutting_never_splits_a_character(void **state)
{
    (void)state;
    assert_int_equal(text_cut(SLICE("销售漏斗"), 5).n, 6);
    assert_int_equal(text_cut(SLICE("销售漏斗"), 1).n, 0);
    assert_int_equal(text_cut(SLICE("abc"), 9).n, 3);
    assert_int_equal(text_cut(slice_make("中文", 4), 9).n, 3);
}

static void control_characters_are_seen(void **state)
{
    (void)state;
    assert_true(text_has_control(SLICE("a\nb")));
    assert_true(text_has_control(SLICE("\x7f")));
    assert_false(text_has_control(SLICE("a 中")));
}

static void json_strings_are_escaped_and_repaired(void **state)
{
    (void)state;
    struct buf b = {0};
    text_add_json(&b, SLICE("a\"b\\c\n\t\x01\x7f 中\xff\xed\xa0\x80"));
    assert_string_equal(buf_cstr(&b),
                        "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f 中\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    buf_clear(&b);
    text_add_clean(&b, SLICE("x\xc0y"));
    assert_string_equal(buf_cstr(&b), "x\xef\xbf\xbdy");
    buf_close(&b);
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    struct buf b = {0};
    text_add_hex(&b, "\x00\xff\x1a", 3);
    assert_string_equal(buf_cstr(&b), "00ff1a");
    uint8_t bytes[3];
    assert_true(text_from_hex(SLICE("00Ff1A"), bytes, 3));
    assert_memory_equal(bytes, "\x00\xff\x1a", 3);
    assert_false(text_from_hex(SLICE("00ff1"), bytes, 3));
    assert_false(text_from_hex(SLICE("00ff1a00"), bytes, 3));
    assert_false(text_from_hex(SLICE("00fg1a"), bytes, 3));
    buf_close(&b);
}

static void whole_numbers_are_exact_to_the_edges(void **state)
{
    (void)state;
    int64_t v = 5;
    assert_true(text_parse_int(SLICE("9223372036854775807"), &v));
    assert_true(v == INT64_MAX);
    assert_true(text_parse_int(SLICE("-9223372036854775808"), &v));
    assert_true(v == INT64_MIN);
    assert_true(text_parse_int(SLICE("0"), &v));
    assert_int_equal(v, 0);
    static const char *const wrong[] = {"",
                                        "-",
                                        "+1",
                                        "01",
                                        "-0",
                                        "1.0",
                                        " 1",
                                        "1 ",
                                        "1e3",
                                        "0x1",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "18446744073709551617",
                                        "99999999999999999999999",
                                        "१"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(text_parse_int(slice_of(wrong[i]), &v));
    assert_int_equal(v, 0);
}

static void decimals_are_rounded_half_even(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        int64_t value;
    } rows[] = {{"12.345", 2, 1234},   {"12.355", 2, 1236},  {"12.3450001", 2, 1235},
                {"-12.345", 2, -1234}, {"-0.5", 0, 0},       {"1.5", 0, 2},
                {"2.5", 0, 2},         {"0", 6, 0},          {"80", 4, 800000},
                {"-8", 2, -800},       {"0.005", 2, 0},      {"0.015", 2, 2},
                {"9.999", 2, 1000},    {"1.23", 6, 1230000}, {"9223372036854775807", 0, INT64_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = 77;
        assert_true(text_parse_decimal(slice_of(rows[i].text), rows[i].decimals, &v));
        assert_true(v == rows[i].value);
    }
    static const char *const wrong[] = {"",    ".",   "1.", ".5",    "1e3",
                                        "1,5", "--1", "01", "1.2.3", "92233720368547758.08"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t v;
        assert_false(text_parse_decimal(slice_of(wrong[i]), 2, &v));
    }
}

static void numbers_are_printed_exactly(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        unsigned decimals;
        char separator;
        const char *text;
    } rows[] = {{0, 0, '\0', "0"},
                {0, 2, ',', "0.00"},
                {5, 2, ',', "0.05"},
                {-5, 2, ',', "-0.05"},
                {123456, 2, ',', "1,234.56"},
                {-1000, 0, ',', "-1,000"},
                {999, 0, ',', "999"},
                {1000000, 0, ',', "1,000,000"},
                {123456789, 3, '\0', "123456.789"},
                {INT64_MIN, 0, '\0', "-9223372036854775808"},
                {INT64_MAX, 2, ',', "92,233,720,368,547,758.07"},
                {1, 18, '\0', "0.000000000000000001"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&b);
        text_add_decimal(&b, rows[i].value, rows[i].decimals, rows[i].separator);
        assert_string_equal(buf_cstr(&b), rows[i].text);
    }
    buf_close(&b);
}

static void sizes_are_printed_for_people(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 B"},        {1023, "1023 B"},       {1024, "1.0 KiB"},
                {1536, "1.5 KiB"}, {64 << 20, "64.0 MiB"}, {UINT64_MAX, "15.9 EiB"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&b);
        text_add_size(&b, rows[i].bytes);
        assert_string_equal(buf_cstr(&b), rows[i].text);
    }
    buf_close(&b);
}

static void rounding_beyond_the_largest_number_is_refused(void **state)
{
    (void)state;
    int64_t v = 3;
    assert_true(text_parse_decimal(SLICE("9223372036854775807.4"), 0, &v));
    assert_true(v == INT64_MAX);
    assert_false(text_parse_decimal(SLICE("9223372036854775807.6"), 0, &v));
    assert_false(text_parse_decimal(SLICE("18446744073709551615.9"), 0, &v));
    assert_true(text_parse_decimal(SLICE("-9223372036854775808"), 0, &v));
    assert_true(v == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_checked_strictly),
        cmocka_unit_test(every_code_point_is_read_back),
        cmocka_unit_test(chinese_takes_two_columns_and_marks_none),
        cmocka_unit_test(cutting_never_splits_a_character),
        cmocka_unit_test(control_characters_are_seen),
        cmocka_unit_test(json_strings_are_escaped_and_repaired),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(whole_numbers_are_exact_to_the_edges),
        cmocka_unit_test(decimals_are_rounded_half_even),
        cmocka_unit_test(numbers_are_printed_exactly),
        cmocka_unit_test(sizes_are_printed_for_people),
        cmocka_unit_test(rounding_beyond_the_largest_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
