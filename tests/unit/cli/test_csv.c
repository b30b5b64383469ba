/* Rows of CSV as RFC 4180 writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/csv.h"

static void open_text(struct csv *csv, const char *text) { csv_init(csv, slice_of(text), ','); }

static void assert_field(const struct csv *csv, size_t i, const char *expected)
{
    assert_true(i < csv->count);
    assert_int_equal(csv->fields[i].n, strlen(expected));
    assert_memory_equal(csv->fields[i].p, expected, strlen(expected));
}

static void fields_are_parted_by_the_delimiter_and_may_be_empty(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "a,,c\n");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_int_equal(csv.count, 3);
    assert_field(&csv, 0, "a");
    assert_field(&csv, 1, "");
    assert_field(&csv, 2, "c");
    assert_int_equal(csv_next(&csv), CSV_END);
    csv_close(&csv);
}

static void quotes_hold_delimiters_line_ends_and_doubled_quotes(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "\"a,b\",\"line 1\r\nline 2\",\"say \"\"hi\"\"\"\r\nnext\r\n");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_field(&csv, 0, "a,b");
    assert_field(&csv, 1, "line 1\r\nline 2");
    assert_field(&csv, 2, "say \"hi\"");
    assert_int_equal(csv.line, 1);
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_int_equal(csv.line, 3);
    assert_field(&csv, 0, "next");
    csv_close(&csv);
}

static void two_quoted_fields_with_doubled_quotes_do_not_share_their_copies(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "\"a\"\"1\",\"b\"\"2\"");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_field(&csv, 0, "a\"1");
    assert_field(&csv, 1, "b\"2");
    csv_close(&csv);
}

static void a_byte_order_mark_is_no_part_of_the_first_column(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "\xef\xbb\xbfid\n");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_field(&csv, 0, "id");
    csv_close(&csv);
}

static void a_last_line_without_line_end_counts(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "a\n\n\nb");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_field(&csv, 0, "b");
    assert_int_equal(csv.line, 4);
    assert_int_equal(csv_next(&csv), CSV_END);
    csv_close(&csv);
}

static void a_quote_that_never_closes_spoils_its_line_only(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "\"open,b\ngood,row\n");
    assert_int_equal(csv_next(&csv), CSV_BAD_QUOTE);
    assert_int_equal(csv.line, 1);
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_field(&csv, 0, "good");
    assert_int_equal(csv.line, 2);
    csv_close(&csv);
}

static void text_behind_a_closing_quote_is_refused(void **state)
{
    struct csv csv;
    (void)state;
    open_text(&csv, "\"a\"b,c\nd\n");
    assert_int_equal(csv_next(&csv), CSV_BAD_QUOTE);
    assert_int_equal(csv_next(&csv), CSV_ROW);
    csv_close(&csv);
}

static void a_row_beyond_one_mebibyte_is_refused_and_passed(void **state)
{
    struct buf text = {0};
    struct csv csv;
    (void)state;
    buf_reserve(&text, CSV_ROW_BYTES_MAX + 16);
    for (size_t i = 0; i < CSV_ROW_BYTES_MAX + 1; i++)
        buf_add_byte(&text, 'x');
    buf_add_text(&text, "\nnext\n");
    csv_init(&csv, buf_slice(&text), ',');
    assert_int_equal(csv_next(&csv), CSV_TOO_LONG);
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_field(&csv, 0, "next");
    csv_close(&csv);
    buf_close(&text);
}

static void too_many_columns_are_refused(void **state)
{
    struct buf text = {0};
    struct csv csv;
    (void)state;
    for (int i = 0; i < CSV_COLUMNS_MAX; i++)
        buf_add_byte(&text, ',');
    csv_init(&csv, buf_slice(&text), ',');
    assert_int_equal(csv_next(&csv), CSV_TOO_MANY);
    csv_close(&csv);
    buf_close(&text);
}

static void written_fields_are_quoted_where_needed_and_formulas_are_guarded(void **state)
{
    struct buf out = {0};
    (void)state;
    csv_add_field(&out, SLICE("a \"b\", c"), true);
    buf_add_byte(&out, ',');
    csv_add_field(&out, SLICE("=1+1"), true);
    buf_add_byte(&out, ',');
    csv_add_field(&out, SLICE("-5"), false);
    assert_string_equal(buf_cstr(&out), "\"a \"\"b\"\", c\",'=1+1,-5");
    buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_parted_by_the_delimiter_and_may_be_empty),
        cmocka_unit_test(quotes_hold_delimiters_line_ends_and_doubled_quotes),
        cmocka_unit_test(two_quoted_fields_with_doubled_quotes_do_not_share_their_copies),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_first_column),
        cmocka_unit_test(a_last_line_without_line_end_counts),
        cmocka_unit_test(a_quote_that_never_closes_spoils_its_line_only),
        cmocka_unit_test(text_behind_a_closing_quote_is_refused),
        cmocka_unit_test(a_row_beyond_one_mebibyte_is_refused_and_passed),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(written_fields_are_quoted_where_needed_and_formulas_are_guarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
