/* test_time_text.c -- time_text.h against a calendar that is counted day by day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/time_text.h"

/* A calendar that knows nothing but the length of months. */
static int length_of(int year, int month)
{
    if (month == 2)
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void every_day_of_the_years_1_to_9999_goes_both_ways(void **state)
{
    (void)state;
    int32_t days = -719162;
    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= length_of(year, month); day++, days++) {
                char expected[64];
                char text[DATE_TEXT_BYTES];
                int32_t back = 0;
                (void)snprintf(expected, sizeof expected, "%04d-%02d-%02d", year, month, day);
                size_t n = date_print(days, text);
                if (n != 10 || strcmp(text, expected) != 0 || !date_parse(slice_of(expected), &back) || back != days)
                    fail_msg("%s: printed %s, read %d instead of %d", expected, text, back, days);
            }
    assert_int_equal(days, 2932897);
}

static void the_epoch_is_day_0(void **state)
{
    (void)state;
    int32_t days = 1;
    int64_t ms = 1;
    assert_true(date_parse(SLICE("1970-01-01"), &days));
    assert_int_equal(days, 0);
    assert_true(instant_parse(SLICE("1970-01-01T00:00:00Z"), &ms));
    assert_int_equal(ms, 0);
}

static void instants_are_read_with_fractions_and_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"2026-03-01T08:00:00.000Z", 1772352000000},
                {"2026-03-01T16:00:00+08:00", 1772352000000},
                {"2026-03-01T02:30:00-05:30", 1772352000000},
                {"2026-03-01T08:00:00.1Z", 1772352000100},
                {"2026-03-01T08:00:00.123456789Z", 1772352000123},
                {"2026-03-01T08:00:00.9999Z", 1772352000999},
                {"1969-12-31T23:59:59.999Z", -1},
                {"1969-12-31T23:59:59.9999Z", -1},
                {"0001-01-01T00:00:00Z", TIME_TEXT_MIN_MS},
                {"9999-12-31T23:59:59.999Z", TIME_TEXT_MAX_MS},
                {"2024-02-29T00:00:00Z", 1709164800000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = 0;
        assert_true(instant_parse(slice_of(rows[i].text), &ms));
        assert_true(ms == rows[i].ms);
    }
}

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "2026-03-01",
                                        "2026-03-01T08:00:00",
                                        "2026-03-01 08:00:00Z",
                                        "2026-03-01t08:00:00Z",
                                        "2026-03-01T08:00:00z",
                                        "2026-03-01T08:00Z",
                                        "2026-03-01T08:00:60Z",
                                        "2026-03-01T24:00:00Z",
                                        "2026-03-01T08:60:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "1900-02-29T00:00:00Z",
                                        "2026-04-31T00:00:00Z",
                                        "2026-03-00T00:00:00Z",
                                        "0000-01-01T00:00:00Z",
                                        "10000-01-01T00:00:00Z",
                                        "2026-03-01T08:00:00.Z",
                                        "2026-03-01T08:00:00.1234567890Z",
                                        "2026-03-01T08:00:00,5Z",
                                        "2026-03-01T08:00:00+0800",
                                        "2026-03-01T08:00:00+24:00",
                                        "2026-03-01T08:00:00+08:60",
                                        "2026-03-01T08:00:00+8:00",
                                        "2026-03-01T08:00:00Z ",
                                        " 2026-03-01T08:00:00Z",
                                        "2026-03-01T08:00:00ZZ",
                                        "0001-01-01T00:00:00+00:01",
                                        "9999-12-31T23:59:59-00:01",
                                        "+026-03-01T08:00:00Z"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms = 4711;
        if (instant_parse(slice_of(wrong[i]), &ms) || ms != 4711)
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

static void every_prefix_of_an_instant_is_refused_without_reading_beyond(void **state)
{
    (void)state;
    static const char text[] = "2026-03-01T08:00:00.123+08:00";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *exact = malloc(n ? n : 1); /* the sanitizer watches its end */
        assert_non_null(exact);
        memcpy(exact, text, n);
        int64_t ms;
        assert_false(instant_parse(slice_make(exact, n), &ms));
        free(exact);
    }
}

static void printed_instants_are_read_back(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252;
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        int64_t ms = TIME_TEXT_MIN_MS + (int64_t)(seed % (uint64_t)(TIME_TEXT_MAX_MS - TIME_TEXT_MIN_MS + 1));
        char text[INSTANT_TEXT_BYTES];
        int64_t back = 0;
        assert_int_equal(instant_print(ms, text), 24);
        if (!instant_parse(slice_of(text), &back) || back != ms)
            fail_msg("%lld printed as %s, read as %lld", (long long)ms, text, (long long)back);
    }
    char text[INSTANT_TEXT_BYTES];
    instant_print(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    instant_print(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000Z");
    instant_print(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void instants_may_be_integer_milliseconds(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_true(instant_or_ms_parse(SLICE("1772352000000"), &ms));
    assert_true(ms == 1772352000000);
    assert_true(instant_or_ms_parse(SLICE("-1"), &ms));
    assert_int_equal(ms, -1);
    assert_true(instant_or_ms_parse(SLICE("0"), &ms));
    assert_true(instant_or_ms_parse(SLICE("2026-03-01T08:00:00Z"), &ms));
    assert_true(instant_or_ms_parse(SLICE("253402300799999"), &ms));
    static const char *const wrong[] = {
        "", "-", "-0", "01", "1.5", "1e3", "253402300800000", "-62135596800001", "9999999999999999", "12a", "+5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(instant_or_ms_parse(slice_of(wrong[i]), &ms));
}

static void midnight_24_is_an_end_only(void **state)
{
    (void)state;
    int32_t ms = 0;
    assert_true(time_of_day_parse(SLICE("09:30"), false, &ms));
    assert_int_equal(ms, 34200000);
    assert_true(time_of_day_parse(SLICE("24:00"), true, &ms));
    assert_int_equal(ms, 86400000);
    assert_false(time_of_day_parse(SLICE("24:00"), false, &ms));
    assert_false(time_of_day_parse(SLICE("24:01"), true, &ms));
    assert_false(time_of_day_parse(SLICE("9:30"), true, &ms));
    assert_false(time_of_day_parse(SLICE("09:60"), true, &ms));
    assert_false(time_of_day_parse(SLICE("09:30:00"), true, &ms));
}

static void durations_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum duration_kind kind;
        int64_t amount;
    } rows[] = {{"30m", DURATION_ELAPSED, 1800000},
                {"7.5h", DURATION_ELAPSED, 27000000},
                {"0s", DURATION_ELAPSED, 0},
                {"250ms", DURATION_ELAPSED, 250},
                {"1.5s", DURATION_ELAPSED, 1500},
                {"0.001s", DURATION_ELAPSED, 1},
                {"2w", DURATION_ELAPSED, 1209600000},
                {"3660d", DURATION_ELAPSED, INT64_C(316224000000)},
                {"87840h", DURATION_ELAPSED, INT64_C(316224000000)},
                {"4wh", DURATION_WORKING, 14400000},
                {"90wm", DURATION_WORKING, 5400000},
                {"10wd", DURATION_WORKING_DAYS, 10000},
                {"0.5wd", DURATION_WORKING_DAYS, 500},
                {"3660wd", DURATION_WORKING_DAYS, 3660000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct duration d;
        if (!duration_parse(slice_of(rows[i].text), &d) || d.kind != rows[i].kind || d.amount != rows[i].amount)
            fail_msg("%s", rows[i].text);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "30",
                                        "m",
                                        "30 m",
                                        "-5m",
                                        "+5m",
                                        "5M",
                                        "1.2345h",
                                        "1.h",
                                        ".5h",
                                        "0.5ms",
                                        "1.2ms",
                                        "3660.001d",
                                        "3661d",
                                        "3661wd",
                                        "87841h",
                                        "1h30m",
                                        "5min",
                                        "5.d",
                                        "999999999999999999999s",
                                        "99999999999999.999w"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct duration d;
        if (duration_parse(slice_of(wrong[i]), &d))
            fail_msg("\"%s\" was taken", wrong[i]);
    }
    int64_t ms;
    assert_false(duration_parse_ms(SLICE("4wh"), &ms));
}

static void printed_durations_are_read_back(void **state)
{
    (void)state;
    static const struct {
        struct duration d;
        const char *text;
    } rows[] = {{{DURATION_ELAPSED, 0}, "0ms"},          {{DURATION_ELAPSED, 1800000}, "30m"},
                {{DURATION_ELAPSED, 27000000}, "7.5h"},  {{DURATION_ELAPSED, 1500}, "1.5s"},
                {{DURATION_ELAPSED, 86400000}, "1d"},    {{DURATION_WORKING, 14400000}, "4wh"},
                {{DURATION_WORKING_DAYS, 2500}, "2.5wd"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[DURATION_TEXT_BYTES];
        size_t n = duration_print(rows[i].d, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(n, strlen(text));
    }
    for (int64_t ms = 0; ms < INT64_C(316224000000); ms = ms * 3 + 1) {
        char text[DURATION_TEXT_BYTES];
        int64_t back = -1;
        duration_print((struct duration){DURATION_ELAPSED, ms}, text);
        assert_true(duration_parse_ms(slice_of(text), &back));
        assert_true(back == ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_the_years_1_to_9999_goes_both_ways),
        cmocka_unit_test(the_epoch_is_day_0),
        cmocka_unit_test(instants_are_read_with_fractions_and_offsets),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(every_prefix_of_an_instant_is_refused_without_reading_beyond),
        cmocka_unit_test(printed_instants_are_read_back),
        cmocka_unit_test(instants_may_be_integer_milliseconds),
        cmocka_unit_test(midnight_24_is_an_end_only),
        cmocka_unit_test(durations_are_exact),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(printed_durations_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
