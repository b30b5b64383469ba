/* test_table.c -- table.h and progress.h: what people see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/progress.h"
#include "base/table.h"

static void assert_table(const struct table *table, bool bold, const char *expected)
{
    struct buf out = {0};
    table_write(table, bold, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

static void columns_are_aligned_with_chinese_two_columns_wide(void **state)
{
    (void)state;
    struct table t;
    table_init(&t, 3);
    table_align(&t, 1, TABLE_RIGHT);
    static const char *const cells[] = {"stage", "open", "note", "线索", "7", "新", "won", "1,234", ""};
    for (size_t i = 0; i < 9; i++)
        table_add_text(&t, cells[i]);
    assert_table(&t, false,
                 "stage   open  note\n"
                 "线索       7  新\n"
                 "won    1,234\n");
    table_close(&t);
}

static void a_missing_cell_is_empty_and_the_head_may_be_bold(void **state)
{
    (void)state;
    struct table t;
    table_init(&t, 2);
    table_add_text(&t, "a");
    table_add_text(&t, "b");
    table_addf(&t, "%d", 1);
    assert_table(&t, true, "\033[1ma  b\033[0m\n1\n");
    table_close(&t);
}

static void long_cells_are_cut_by_columns(void **state)
{
    (void)state;
    struct table t;
    table_init(&t, 1);
    t.width_max[0] = 5;
    table_add_text(&t, "销售漏斗");
    table_add_text(&t, "12345");
    table_add_text(&t, "123456");
    assert_table(&t, false, "销售…\n12345\n1234…\n");
    table_close(&t);
}

static void a_cell_cannot_break_the_line(void **state)
{
    (void)state;
    struct table t;
    table_init(&t, 2);
    table_add_text(&t, "a\nb");
    table_add_text(&t, "\033[31m\xff");
    assert_table(&t, false, "a b   [31m\xef\xbf\xbd\n");
    table_close(&t);
}

static void assert_stream(char *text, FILE *out, const char *expected)
{
    fflush(out);
    assert_string_equal(text, expected);
}

static void a_bar_shows_share_rate_and_time_left(void **state)
{
    (void)state;
    char text[4096] = {0};
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    struct clock_manual clock;
    clock_manual_init(&clock, 0);
    struct progress p;
    progress_init(&p, PROGRESS_BAR, out, &clock.clock, "import", "rows", 2000);
    progress_set(&p, 10); /* too early to show */
    clock_manual_advance(&clock, 1000);
    progress_set(&p, 500);
    progress_set(&p, 501); /* at once again: not shown */
    clock_manual_advance(&clock, 3000);
    progress_set(&p, 2000);
    progress_end(&p);
    progress_end(&p); /* nothing more */
    assert_stream(text, out,
                  "\r\033[Kimport [######..................] 25.0% 500/2,000 rows, 500/s, 0:03 left"
                  "\r\033[Kimport [########################] 100.0% 2,000/2,000 rows, 500/s"
                  "\r\033[Kimport [########################] 100.0% 2,000/2,000 rows, 500/s, took 0:04\n");
    fclose(out);
}

static void without_a_terminal_there_are_plain_lines(void **state)
{
    (void)state;
    char text[4096] = {0};
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    struct clock_manual clock;
    clock_manual_init(&clock, 0);
    struct progress p;
    progress_init(&p, PROGRESS_LINES, out, &clock.clock, "replay", "records", 0);
    clock_manual_advance(&clock, 4999);
    progress_set(&p, 1000);
    clock_manual_advance(&clock, 1);
    progress_set(&p, 10000);
    clock_manual_advance(&clock, 3600000);
    p.done = 20000;
    progress_end(&p);
    assert_stream(text, out, "replay 10,000 records, 2,000/s\nreplay 20,000 records, 5/s, took 1:00:05\n");
    fclose(out);
}

static void progress_that_is_off_writes_nothing(void **state)
{
    (void)state;
    char text[64] = {0};
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    struct clock_manual clock;
    clock_manual_init(&clock, 0);
    struct progress p;
    progress_init(&p, progress_mode_for(stderr, true), out, &clock.clock, "x", "y", 10);
    clock_manual_advance(&clock, 100000);
    progress_set(&p, 5);
    progress_end(&p);
    assert_stream(text, out, "");
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_with_chinese_two_columns_wide),
        cmocka_unit_test(a_missing_cell_is_empty_and_the_head_may_be_bold),
        cmocka_unit_test(long_cells_are_cut_by_columns),
        cmocka_unit_test(a_cell_cannot_break_the_line),
        cmocka_unit_test(a_bar_shows_share_rate_and_time_left),
        cmocka_unit_test(without_a_terminal_there_are_plain_lines),
        cmocka_unit_test(progress_that_is_off_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
