/* The small languages of a plan (formats 0). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/plan_value.h"

static void durations_are_whole_milliseconds_within_ten_years(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum duration_unit unit;
        int64_t amount;
    } good[] = {{"30m", DURATION_ELAPSED, 1800000},  {"7.5h", DURATION_ELAPSED, 27000000},
                {"250ms", DURATION_ELAPSED, 250},    {"2w", DURATION_ELAPSED, 1209600000},
                {"0.001s", DURATION_ELAPSED, 1},     {"3660d", DURATION_ELAPSED, 316224000000},
                {"10wd", DURATION_WORKDAYS, 10000},  {"0.5wd", DURATION_WORKDAYS, 500},
                {"4wh", DURATION_WORKING, 14400000}, {"0m", DURATION_ELAPSED, 0}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct plan_duration duration;
        assert_true(plan_parse_duration(slice_of(good[i].text), &duration));
        assert_int_equal(duration.unit, good[i].unit);
        assert_int_equal(duration.amount, good[i].amount);
    }
    static const char *const bad[] = {"",      "5",   "d",  "-1d",  "1.5ms", "1.2345s",
                                      "3661d", "5 d", "5D", "1e3s", "5x",    "3661wd"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct plan_duration duration;
        if (plan_parse_duration(slice_of(bad[i]), &duration))
            fail_msg("%s is no duration", bad[i]);
    }
}

static void periods_and_dates_know_the_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t first[3], last[3];
    } good[] = {{"2026", {2026, 1, 1}, {2026, 12, 31}},
                {"2028-02", {2028, 2, 1}, {2028, 2, 29}},
                {"2026-Q4", {2026, 10, 1}, {2026, 12, 31}},
                {"2026-12-28..2027-01-03", {2026, 12, 28}, {2027, 1, 3}}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int32_t first, last;
        assert_true(plan_parse_period(slice_of(good[i].text), &first, &last));
        assert_int_equal(first, date_from_civil(good[i].first[0], good[i].first[1], good[i].first[2]));
        assert_int_equal(last, date_from_civil(good[i].last[0], good[i].last[1], good[i].last[2]));
    }
    static const char *const bad[] = {"",
                                      "26",
                                      "2026-13",
                                      "2026-Q5",
                                      "2026-Q0",
                                      "2026-02-30",
                                      "2027-02-29",
                                      "2026-03-02..2026-03-01",
                                      "2026-03-01..",
                                      "2026-3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int32_t first, last;
        if (plan_parse_period(slice_of(bad[i]), &first, &last))
            fail_msg("%s is no period", bad[i]);
    }
}

static void instants_have_an_offset_and_are_cut_to_milliseconds(void **state)
{
    (void)state;
    int64_t at_ms;
    assert_true(plan_parse_instant(SLICE("2026-03-01T08:00:00.1239+08:00"), &at_ms));
    assert_int_equal(at_ms, 1772323200123ll);
    assert_true(plan_parse_instant(SLICE("1772323200123"), &at_ms));
    assert_int_equal(at_ms, 1772323200123ll);
    static const char *const bad[] = {"2026-03-01T08:00:00",
                                      "2026-03-01T24:00:00Z",
                                      "2026-03-01T08:00:60Z",
                                      "2026-03-01T08:00Z",
                                      "2026-03-01 08:00:00Z",
                                      "2026-03-01T08:00:00.Z",
                                      "now"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (plan_parse_instant(slice_of(bad[i]), &at_ms))
            fail_msg("%s is no instant", bad[i]);
}

static void ids_are_neither_empty_nor_long_nor_personal(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "r1", "华东", "a/b", "12345", "x@y", "13", "+1", "a b"};
    static const char *const bad[] = {
        "",     "x@y.de", "+8613812345678", "13812345678",
        "a\tb", "\xff",   "\xc0\x80",       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!plan_is_id(slice_of(good[i])))
            fail_msg("%s is an id", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (plan_is_id(slice_of(bad[i])))
            fail_msg("%s is no id", bad[i]);
    static const char *const no_plan_id[] = {"a/b",  "a@b",   "a=b", "a|b",   "{a",        "a}",
                                             "a\"b", "rep:x", "all", "other", "unassigned"};
    for (size_t i = 0; i < sizeof no_plan_id / sizeof *no_plan_id; i++)
        assert_false(plan_is_plan_id(slice_of(no_plan_id[i])));
    assert_true(plan_is_plan_id(SLICE("华东 1")));
    assert_true(plan_is_tenant(SLICE("acme-1.x_Y")));
    assert_false(plan_is_tenant(SLICE("-acme")));
    assert_false(plan_is_tenant(SLICE("华东")));
}

static void percents_and_points_are_exact(void **state)
{
    (void)state;
    int64_t ppm;
    assert_true(plan_parse_percent(SLICE("99.9%"), &ppm) && ppm == 999000);
    assert_true(plan_parse_percent(SLICE("0.0001%"), &ppm) && ppm == 1);
    assert_true(plan_parse_points(SLICE("-8pp"), &ppm) && ppm == -80000);
    assert_false(plan_parse_percent(SLICE("0.00001%"), &ppm));
    assert_false(plan_parse_percent(SLICE("-1%"), &ppm));
    assert_false(plan_parse_percent(SLICE("80"), &ppm));
    assert_false(plan_parse_points(SLICE("8%"), &ppm));
}

static void hours_and_weekdays_stay_within_their_bounds(void **state)
{
    (void)state;
    int32_t from, to;
    uint8_t set;
    assert_true(plan_parse_hours(SLICE("09:00-24:00"), &from, &to) && from == 540 && to == 1440);
    assert_false(plan_parse_hours(SLICE("18:00-09:00"), &from, &to));
    assert_false(plan_parse_hours(SLICE("09:60-10:00"), &from, &to));
    assert_false(plan_parse_hours(SLICE("9:00-10:00"), &from, &to));
    assert_true(plan_parse_weekdays(SLICE("mon-wed, sun"), &set) && set == 0x47);
    assert_false(plan_parse_weekdays(SLICE("mon, mon"), &set));
    assert_false(plan_parse_weekdays(SLICE("fri-mon"), &set));
    assert_false(plan_parse_weekdays(SLICE("mon,"), &set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_whole_milliseconds_within_ten_years),
        cmocka_unit_test(periods_and_dates_know_the_calendar),
        cmocka_unit_test(instants_have_an_offset_and_are_cut_to_milliseconds),
        cmocka_unit_test(ids_are_neither_empty_nor_long_nor_personal),
        cmocka_unit_test(percents_and_points_are_exact),
        cmocka_unit_test(hours_and_weekdays_stay_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
