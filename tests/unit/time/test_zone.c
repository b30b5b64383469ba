/* Local time against Python's zoneinfo (zone_golden.txt, written by make_zone_golden.py), and DST by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "time/zone.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define FROM_MS  631152000000ll  /* 1990-01-01 */
#define TO_MS    4102444800000ll /* 2100-01-01 */
#define HOUR_MS  3600000ll

static struct zone resolved(const char *name)
{
    struct zone zone;
    struct err err = {0};
    if (zone_resolve(ZONEINFO, slice_of(name), FROM_MS, TO_MS, &zone, &err) != OK)
        fail_msg("%s", err.text);
    return zone;
}

static void check_line(const struct zone *zone, const char *line)
{
    int64_t a, b, c, d;
    if (sscanf(line, "at %" SCNd64 " %" SCNd64, &a, &b) == 2)
        assert_int_equal(zone_offset_s(zone, a), b);
    else if (sscanf(line, "day %" SCNd64 " %" SCNd64, &a, &b) == 2) {
        assert_int_equal(zone_day_start_ms(zone, (int32_t)a), b);
        assert_true(zone_day(zone, b) >= (int32_t)a);
        assert_true(zone_day(zone, b - 1) < (int32_t)a);
    } else if (sscanf(line, "wall %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &a, &b, &c, &d) == 4) {
        assert_int_equal(zone_instant_ms(zone, (int32_t)a, (int32_t)b, false), c);
        assert_int_equal(zone_instant_ms(zone, (int32_t)a, (int32_t)b, true), d);
    } else
        fail_msg("unreadable line: %s", line);
}

static void local_time_is_that_of_an_independent_implementation(void **state)
{
    (void)state;
    FILE *file = fopen(PACELINE_SOURCE_DIR "/tests/unit/time/zone_golden.txt", "r");
    assert_non_null(file);
    char line[256], name[64];
    struct zone zone;
    zone_init_utc(&zone);
    int lines = 0;
    for (; fgets(line, sizeof line, file); lines++) {
        if (sscanf(line, "zone %63s", name) == 1) {
            zone_close(&zone);
            zone = resolved(name);
        } else
            check_line(&zone, line);
    }
    zone_close(&zone);
    fclose(file);
    assert_true(lines > 1000);
}

static void a_range_keeps_the_offset_before_it_and_nothing_outside(void **state)
{
    (void)state;
    struct zone zone;
    struct err err;
    int64_t from_ms = date_from_civil(2026, 7, 1) * 86400000ll, to_ms = date_from_civil(2027, 1, 1) * 86400000ll;
    assert_int_equal(zone_resolve(ZONEINFO, SLICE("America/New_York"), from_ms, to_ms, &zone, &err), OK);
    assert_int_equal(zone.first_offset_s, -4 * 3600);
    assert_int_equal(zone.count, 1);
    assert_int_equal(zone.transitions[0].offset_s, -5 * 3600);
    zone_close(&zone);
}

static void dates_beyond_2037_follow_the_footer(void **state)
{
    (void)state;
    struct zone zone = resolved("America/New_York");
    assert_int_equal(zone_offset_s(&zone, date_from_civil(2060, 7, 1) * 86400000ll), -4 * 3600);
    assert_int_equal(zone_offset_s(&zone, date_from_civil(2060, 12, 1) * 86400000ll), -5 * 3600);
    zone_close(&zone);
}

static void a_wall_time_in_a_gap_is_the_transition(void **state)
{
    (void)state;
    struct zone zone = resolved("America/New_York");
    int32_t day = date_from_civil(2026, 3, 8);
    int64_t transition_ms = day * 86400000ll + 7 * HOUR_MS; /* 02:00 EST */
    assert_int_equal(zone_instant_ms(&zone, day, 2 * 3600000 + 1800000, false), transition_ms);
    assert_int_equal(zone_instant_ms(&zone, day, 2 * 3600000 + 1800000, true), transition_ms);
    zone_close(&zone);
}

static void a_day_whose_midnight_is_skipped_begins_at_the_transition(void **state)
{
    (void)state;
    struct zone zone = resolved("America/Sao_Paulo");
    int32_t day = date_from_civil(2017, 10, 15); /* 00:00 -> 01:00 */
    int64_t start_ms = zone_day_start_ms(&zone, day);
    assert_int_equal(start_ms, day * 86400000ll + 3 * HOUR_MS);
    assert_int_equal(zone_day_start_ms(&zone, day + 1) - start_ms, 23 * HOUR_MS);
    assert_int_equal(zone_day(&zone, start_ms - 1), day - 1);
    zone_close(&zone);
}

static void a_clock_set_back_across_midnight_does_not_reopen_the_old_day(void **state)
{
    (void)state;
    struct zone zone = resolved("America/St_Johns"); /* until 2011 at 00:01 */
    int32_t day = date_from_civil(2006, 10, 29);
    int64_t start_ms = zone_day_start_ms(&zone, day);
    assert_int_equal(zone_day(&zone, start_ms), day);
    assert_int_equal(zone_day(&zone, start_ms + 30 * 60000), day); /* the clock shows the 28th again */
    assert_int_equal(zone_day_start_ms(&zone, day + 1) - start_ms, 25 * HOUR_MS);
    zone_close(&zone);
}

static void a_date_that_a_zone_left_out_is_empty(void **state)
{
    (void)state;
    struct zone zone = resolved("Pacific/Apia"); /* no 2011-12-30 */
    int32_t day = date_from_civil(2011, 12, 30);
    assert_int_equal(zone_day_start_ms(&zone, day), zone_day_start_ms(&zone, day + 1));
    assert_int_equal(zone_day(&zone, zone_day_start_ms(&zone, day)), day + 1);
    zone_close(&zone);
}

static void names_that_are_no_zones_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "Mars/Base", "../../etc/passwd", "/etc/localtime", "tzdata.zi", "Asia"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct zone zone;
        struct err err = {0};
        assert_int_equal(zone_resolve(ZONEINFO, slice_of(bad[i]), FROM_MS, TO_MS, &zone, &err), ERR_CONFIG);
        assert_true(err.text[0]);
    }
}

static void transitions_must_ascend_and_stay_within_bounds(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    assert_true(zone_add(&zone, 10, 3600));
    assert_false(zone_add(&zone, 10, 0));
    assert_false(zone_add(&zone, 20, 30 * 3600));
    for (int64_t i = 1; i < ZONE_TRANSITIONS_MAX; i++)
        assert_true(zone_add(&zone, 10 + i, 0));
    assert_false(zone_add(&zone, 1 << 20, 0));
    zone_close(&zone);
}

static void dates_and_days_are_inverse_over_four_centuries(void **state)
{
    (void)state;
    int32_t year = 1899, month = 12, day = 31;
    static const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int32_t days = date_from_civil(1899, 12, 31); year < 2300; days++) {
        int32_t y, m, d;
        date_to_civil(days, &y, &m, &d);
        assert_true(y == year && m == month && d == day);
        assert_int_equal(date_from_civil(y, m, d), days);
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (++day > lengths[month - 1] + (leap && month == 2)) {
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
    assert_int_equal(date_from_civil(1970, 1, 1), 0);
    assert_int_equal(date_weekday(date_from_civil(2026, 3, 2)), 0); /* a Monday */
    assert_int_equal(date_weekday(-1), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_time_is_that_of_an_independent_implementation),
        cmocka_unit_test(a_range_keeps_the_offset_before_it_and_nothing_outside),
        cmocka_unit_test(dates_beyond_2037_follow_the_footer),
        cmocka_unit_test(a_wall_time_in_a_gap_is_the_transition),
        cmocka_unit_test(a_day_whose_midnight_is_skipped_begins_at_the_transition),
        cmocka_unit_test(a_clock_set_back_across_midnight_does_not_reopen_the_old_day),
        cmocka_unit_test(a_date_that_a_zone_left_out_is_empty),
        cmocka_unit_test(names_that_are_no_zones_are_refused_with_a_reason),
        cmocka_unit_test(transitions_must_ascend_and_stay_within_bounds),
        cmocka_unit_test(dates_and_days_are_inverse_over_four_centuries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
