/* Figures from texts of cells: columns, windows, flags (formats 5, semantics 0.6, 15; rulings O23, O24, O30, O37). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "figures/figures.h"

#define NOW 1774995000000 /* 2026-03-31T22:10:00Z */

static struct figures *figures_with(const char *tenant)
{
    struct figures *figures = figures_new();
    figures_cell(figures, SLICE("meta"), SLICE("figures"), slice_of(tenant));
    figures_as_of(figures, SLICE("acme"), 7, NOW);
    return figures;
}
#define META "tenant=1\nplan=5\ncalendar=3\nroot=N\nzone=0\nweek=0\nmodel=default|0|NEW|0|QUAL|1|WON\n"

static void cell(struct figures *figures, const char *row, const char *field, const char *value)
{
    figures_cell(figures, slice_of(row), slice_of(field), slice_of(value));
}

static void as_json(void *context, const struct figure_row *row)
{
    figure_row_write_json(row, context);
    buf_add_byte(context, '\n');
}

static const char *rows(struct figures *figures, struct figures_query query, struct buf *out)
{
    buf_clear(out);
    figures_each(figures, &query, as_json, out);
    return buf_cstr(out);
}

static void a_row_has_every_column_in_order(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e3 xadvance1");
    const char *text = rows(figures, (struct figures_query){.metric = SLICE("occupancy"), .window = FIGURES_now}, &out);
    assert_string_equal(
        text, "{\"tenant\":\"acme\",\"org\":\"N\",\"dim\":\"all\",\"dim_value\":\"\",\"pipeline\":\"default\","
              "\"stage\":\"NEW\",\"class\":null,\"to_stage\":null,\"horizon_ms\":null,\"item\":null,"
              "\"metric\":\"occupancy\",\"window\":\"now\",\"window_start\":\"2026-03-31T22:10:00.000Z\","
              "\"window_end\":\"2026-03-31T22:10:00.000Z\",\"value\":2,\"n\":2,\"unit\":\"count\",\"currency\":null,"
              "\"as_of_seq\":7,\"as_of_time\":\"2026-03-31T22:10:00.000Z\",\"completeness_ppm\":1000000,"
              "\"plan_version\":5,\"calendar_version\":3,\"flags\":[]}\n");
    figures_destroy(&figures);
    buf_close(&out);
}

static void without_a_tenant_item_there_are_no_rows(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with("tenant=0\nzone=0\nweek=0\n");
    cell(figures, "default/N", "NEW|t|all|", "e3");
    assert_string_equal(rows(figures, (struct figures_query){.window = -1}, &out), "");
    figures_destroy(&figures);
    buf_close(&out);
}

static void r7d_ends_with_the_hour_that_holds_now(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e3");
    const char *text = rows(figures, (struct figures_query){.metric = SLICE("entries"), .window = FIGURES_r7d}, &out);
    assert_non_null(strstr(text, "\"window_start\":\"2026-03-24T23:00:00.000Z\""));
    assert_non_null(strstr(text, "\"window_end\":\"2026-03-31T23:00:00.000Z\",\"value\":0"));
    assert_non_null(strstr(text, "\"flags\":[\"partial\"]"));
    figures_destroy(&figures);
    buf_close(&out);
}

static void occupancy_of_a_closed_day_is_that_of_its_end(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e5 xadvance2");
    cell(figures, "default/N", "NEW|d20260329|all|", "e4");
    cell(figures, "default/N", "NEW|d20260330|all|", "e1 xadvance2");
    struct figures_query query = {.metric = SLICE("occupancy"), .window = FIGURES_day, .all = true};
    const char *text = rows(figures, query, &out);
    assert_non_null(strstr(text, "\"window_end\":\"2026-03-30T00:00:00.000Z\",\"value\":4"));
    assert_non_null(strstr(text, "\"window_end\":\"2026-03-31T00:00:00.000Z\",\"value\":3"));
    figures_destroy(&figures);
    buf_close(&out);
}

static void a_range_takes_the_windows_that_begin_in_it(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e3");
    cell(figures, "default/N", "NEW|m202601|all|", "e1");
    cell(figures, "default/N", "NEW|m202602|all|", "e2");
    struct figures_query query = {.metric = SLICE("entries"), .window = FIGURES_month, .has_range = true};
    query.from_ms = 1767225600000; /* 2026-01-01 */
    query.to_ms = 1769904000000;   /* 2026-02-01 */
    const char *text = rows(figures, query, &out);
    assert_non_null(strstr(text, "\"window_start\":\"2026-01-01T00:00:00.000Z\""));
    assert_null(strstr(text, "\"window_start\":\"2026-02-01T00:00:00.000Z\""));
    figures_destroy(&figures);
    buf_close(&out);
}

static void a_ratio_over_nothing_is_null_and_thin(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e3");
    struct figures_query query = {.metric = SLICE("conv_period"), .window = FIGURES_total};
    const char *text = rows(figures, query, &out);
    assert_non_null(strstr(text, "\"window_start\":null"));
    assert_non_null(strstr(text, "\"value\":null,\"n\":0,\"unit\":\"ppm\""));
    assert_non_null(strstr(text, "\"flags\":[\"thin\"]"));
    figures_destroy(&figures);
    buf_close(&out);
}

static void a_restated_day_is_flagged_on_the_day_it_was_changed_only(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e3");
    cell(figures, "default/N", "NEW|d20260329|all|", "e1 R20543"); /* 2026-03-31 */
    cell(figures, "default/N", "NEW|d20260328|all|", "e2 R20542");
    struct figures_query query = {.metric = SLICE("entries"), .window = FIGURES_day, .all = true};
    const char *text = rows(figures, query, &out);
    const char *first = strstr(text, "restated");
    assert_non_null(first);
    assert_null(strstr(first + 1, "restated"));
    figures_destroy(&figures);
    buf_close(&out);
}

static void a_stage_outside_the_model_is_flagged(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "OLD|t|all|", "e3");
    const char *text = rows(figures, (struct figures_query){.window = FIGURES_now}, &out);
    assert_non_null(strstr(text, "\"flags\":[\"removed_stage\"]"));
    figures_destroy(&figures);
    buf_close(&out);
}

static void csv_quotes_and_disarms_formulas(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figure_row row = {.tenant = SLICE("acme"),
                             .org = SLICE("=1+1"),
                             .dim_value = SLICE("a,\"b\""),
                             .flags = FIGURE_THIN | FIGURE_PARTIAL};
    figure_row_write_csv(&row, &out);
    const char *text = buf_cstr(&out);
    assert_non_null(strstr(text, "acme,'=1+1,,\"a,\"\"b\"\"\","));
    assert_non_null(strstr(text, "thin|partial\r\n"));
    buf_clear(&out);
    figure_row_write_csv_head(&out);
    assert_true(strncmp(buf_cstr(&out), "tenant,org,dim,dim_value,pipeline,", 34) == 0);
    buf_close(&out);
}

static void the_table_for_people_keeps_the_conversions_apart(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|t|all|", "e10 xadvance6 xskip1 xlose1 xrecycle1 r11");
    cell(figures, "default/N", "QUAL|t|all|", "e7");
    figures_funnel_table(figures, SLICE("N"), SLICE("default"), FIGURES_total, false, false, &out);
    assert_non_null(strstr(buf_cstr(&out), "of those who left"));
    assert_non_null(strstr(buf_cstr(&out), "77.8%"));
    assert_non_null(strstr(buf_cstr(&out), "70.0%"));
    figures_destroy(&figures);
    buf_close(&out);
}

static void a_week_that_has_lost_days_is_not_shown(void **state)
{
    (void)state;
    struct buf out = {0};
    struct figures *figures = figures_with(META);
    cell(figures, "default/N", "NEW|d20250225|all|", "e4"); /* Tuesday, the oldest of 400 days; its Monday is gone */
    cell(figures, "default/N", "NEW|d20250303|all|", "e1"); /* Monday of the next week */
    const char *text =
        rows(figures, (struct figures_query){.metric = SLICE("entries"), .window = FIGURES_week, .all = true}, &out);
    assert_null(strstr(text, "\"window_start\":\"2025-02-24T00:00:00.000Z\""));
    assert_non_null(strstr(text, "\"window_start\":\"2025-03-03T00:00:00.000Z\""));
    figures_destroy(&figures);
    buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_every_column_in_order),
        cmocka_unit_test(without_a_tenant_item_there_are_no_rows),
        cmocka_unit_test(r7d_ends_with_the_hour_that_holds_now),
        cmocka_unit_test(occupancy_of_a_closed_day_is_that_of_its_end),
        cmocka_unit_test(a_range_takes_the_windows_that_begin_in_it),
        cmocka_unit_test(a_week_that_has_lost_days_is_not_shown),
        cmocka_unit_test(a_ratio_over_nothing_is_null_and_thin),
        cmocka_unit_test(a_restated_day_is_flagged_on_the_day_it_was_changed_only),
        cmocka_unit_test(a_stage_outside_the_model_is_flagged),
        cmocka_unit_test(csv_quotes_and_disarms_formulas),
        cmocka_unit_test(the_table_for_people_keeps_the_conversions_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
