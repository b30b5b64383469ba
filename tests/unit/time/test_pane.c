/* Panes and windows (semantics 0.6, rulings O25, O37). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "time/pane.h"

#define MINUTE_MS 60000ll
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static int64_t utc_ms(int32_t year, int32_t month, int32_t day) { return date_from_civil(year, month, day) * DAY_MS; }

static void r1h_and_r7d_end_with_the_pane_that_holds_now(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    struct pane_grid grid = {&zone, 0};
    int64_t d1 = utc_ms(2026, 3, 6), d24 = d1 + 23 * DAY_MS;
    struct pane_span r7d = pane_rolling(&grid, PANE_HOUR, 168, d24);
    assert_int_equal(r7d.start_ms, d1 + 16 * DAY_MS + HOUR_MS);
    assert_int_equal(r7d.end_ms, d24 + HOUR_MS);
    struct pane_span r1h = pane_rolling(&grid, PANE_MINUTE, 60, d24);
    assert_int_equal(r1h.start_ms, d24 - 59 * MINUTE_MS);
    assert_int_equal(r1h.end_ms, d24 + MINUTE_MS);
    struct pane_span r24h = pane_rolling(&grid, PANE_QUARTER_HOUR, 96, d24 + 22 * HOUR_MS + 10 * MINUTE_MS);
    assert_int_equal(r24h.end_ms, d24 + 22 * HOUR_MS + 15 * MINUTE_MS);
    assert_int_equal(r24h.end_ms - r24h.start_ms, DAY_MS);
}

static void r30d_is_thirty_local_days_ending_with_today(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    zone.first_offset_s = 8 * 3600;
    struct pane_grid grid = {&zone, 0};
    struct pane_span span = pane_rolling(&grid, PANE_DAY, 30, utc_ms(2026, 3, 28) + 16 * HOUR_MS); /* local midnight */
    assert_int_equal(span.start_ms, utc_ms(2026, 2, 28) - 8 * HOUR_MS);
    assert_int_equal(span.end_ms, utc_ms(2026, 3, 30) - 8 * HOUR_MS);
}

static void weeks_begin_on_the_day_the_tenant_chose(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    for (uint8_t start = 0; start < 7; start++) {
        struct pane_grid grid = {&zone, start};
        for (int32_t day = -1000; day < 1000; day++) {
            int64_t week = pane_of_day(&grid, PANE_WEEK, day);
            int32_t first = pane_first_day(&grid, PANE_WEEK, week);
            assert_true(first <= day && day < first + 7);
            assert_int_equal(date_weekday(first), start);
        }
    }
}

static void a_year_of_53_mondays_has_53_weeks_named_by_their_first_day(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    struct pane_grid grid = {&zone, 0};
    int64_t first = pane_of_day(&grid, PANE_WEEK, date_from_civil(2026, 12, 28));
    assert_int_equal(pane_of_day(&grid, PANE_WEEK, date_from_civil(2027, 1, 3)), first);
    assert_int_equal(pane_of_day(&grid, PANE_WEEK, date_from_civil(2027, 1, 4)), first + 1);
    assert_int_equal(pane_first_day(&grid, PANE_WEEK, first), date_from_civil(2026, 12, 28));
}

static void february_29_belongs_to_its_month_quarter_and_year(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    struct pane_grid grid = {&zone, 0};
    int64_t at_ms = utc_ms(2028, 2, 29) + DAY_MS - 1;
    struct pane_span month = pane_bounds(&grid, PANE_MONTH, pane_of(&grid, PANE_MONTH, at_ms));
    assert_int_equal(month.start_ms, utc_ms(2028, 2, 1));
    assert_int_equal(month.end_ms, utc_ms(2028, 3, 1));
    struct pane_span quarter = pane_bounds(&grid, PANE_QUARTER, pane_of(&grid, PANE_QUARTER, at_ms));
    assert_int_equal(quarter.start_ms, utc_ms(2028, 1, 1));
    assert_int_equal(quarter.end_ms, utc_ms(2028, 4, 1));
    struct pane_span year = pane_bounds(&grid, PANE_YEAR, pane_of(&grid, PANE_YEAR, at_ms));
    assert_int_equal(year.end_ms - year.start_ms, 366 * DAY_MS);
}

static void panes_of_every_kind_cut_time_without_gap_or_overlap(void **state)
{
    (void)state;
    struct zone zone;
    struct err err;
    int64_t from_ms = utc_ms(2017, 1, 1), to_ms = utc_ms(2019, 1, 1);
    assert_int_equal(zone_resolve("/usr/share/zoneinfo", SLICE("America/Sao_Paulo"), from_ms, to_ms, &zone, &err), OK);
    struct pane_grid grid = {&zone, 6};
    for (int kind = 0; kind < PANE_KIND_COUNT; kind++)
        for (int64_t at_ms = from_ms; at_ms < to_ms; at_ms += 37 * HOUR_MS / 2 + 12345) {
            int64_t pane = pane_of(&grid, (enum pane_kind)kind, at_ms);
            struct pane_span span = pane_bounds(&grid, (enum pane_kind)kind, pane);
            assert_true(span.start_ms <= at_ms && at_ms < span.end_ms);
            assert_int_equal(pane_of(&grid, (enum pane_kind)kind, span.start_ms), pane);
            assert_int_equal(pane_of(&grid, (enum pane_kind)kind, span.end_ms), pane + 1);
        }
    zone_close(&zone);
}

static void instants_before_1970_have_panes_too(void **state)
{
    (void)state;
    struct zone zone;
    zone_init_utc(&zone);
    struct pane_grid grid = {&zone, 0};
    assert_int_equal(pane_of(&grid, PANE_HOUR, -1), -1);
    assert_int_equal(pane_of(&grid, PANE_MONTH, -1), -1);
    assert_int_equal(pane_of(&grid, PANE_YEAR, -1), -1);
    assert_int_equal(pane_bounds(&grid, PANE_YEAR, -1).start_ms, utc_ms(1969, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r1h_and_r7d_end_with_the_pane_that_holds_now),
        cmocka_unit_test(r30d_is_thirty_local_days_ending_with_today),
        cmocka_unit_test(weeks_begin_on_the_day_the_tenant_chose),
        cmocka_unit_test(a_year_of_53_mondays_has_53_weeks_named_by_their_first_day),
        cmocka_unit_test(february_29_belongs_to_its_month_quarter_and_year),
        cmocka_unit_test(panes_of_every_kind_cut_time_without_gap_or_overlap),
        cmocka_unit_test(instants_before_1970_have_panes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
