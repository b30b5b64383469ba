/* The filter language (semantics 1.4): every operator on every type, absent fields, errors with their column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "model/filter_expr.h"

static const char *const colours[] = {"red", "green", NULL};
static const struct filter_field fields[] = {
    {"name", FILTER_TEXT, NULL, 0},          {"colour", FILTER_ENUM, colours, 0},
    {"amount", FILTER_NUMBER, NULL, 0},      {"lat", FILTER_NUMBER, NULL, 7},
    {"open", FILTER_BOOL, NULL, 0},          {"due", FILTER_INSTANT, NULL, 0},
    {"Unit Price", FILTER_UNTYPED, NULL, 0}, {"gone", FILTER_TEXT, NULL, 0},
    {"gone_number", FILTER_NUMBER, NULL, 0}, {"Qty", FILTER_UNTYPED, NULL, 0}};
static const struct filter_row_type row_type = {fields, sizeof fields / sizeof *fields, true};

/* name "acme", colour green, amount 100, lat 30.2741, open, due, Unit Price "12.50", attrs.tag "a-b", Qty "-3" */
static bool get(const void *row, uint32_t field, struct slice attr, struct filter_value *value)
{
    (void)row;
    static const struct filter_value values[] = {{0, {"acme", 4}},     {0, {"green", 5}}, {100, {"", 0}},
                                                 {302741000, {"", 0}}, {1, {"", 0}},      {5, {"", 0}},
                                                 {0, {"12.50", 5}}};
    if (field == FILTER_ATTR) {
        value->s = SLICE("a-b");
        return slice_is(attr, "tag");
    }
    if (field == 9)
        value->s = SLICE("-3");
    else if (field < sizeof values / sizeof *values)
        *value = values[field];
    else
        return false;
    return true;
}

static bool holds(const char *text)
{
    struct filter_problem problem;
    struct filter_expr *expr = filter_expr_parse(slice_of(text), &row_type, &problem);
    if (!expr)
        fail_msg("%s: column %u: %s: %s", text, problem.column, problem.code, problem.text);
    bool result = filter_expr_true(expr, get, NULL);
    filter_expr_destroy(&expr);
    return result;
}

static void true_conditions_hold(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "  ",
                                        "name == acme",
                                        "name != other",
                                        "name in (a, acme)",
                                        "name not in (a, b)",
                                        "name starts ac",
                                        "name == \"acme\"",
                                        "colour == green",
                                        "colour != red",
                                        "colour in (red, green)",
                                        "amount == 100",
                                        "amount == 100.0",
                                        "amount != 99",
                                        "amount < 100.5",
                                        "amount <= 100",
                                        "amount > 99.999",
                                        "amount >= 100",
                                        "amount in (1, 100)",
                                        "amount not in (1, 2)",
                                        "amount > -5",
                                        "lat > 30.27",
                                        "lat == 30.2741",
                                        "lat < 30.27410001",
                                        "open == true",
                                        "open != false",
                                        "exists due",
                                        "exists amount",
                                        "missing gone",
                                        "\"Unit Price\" == 12.5",
                                        "\"Unit Price\" == \"12.50\"",
                                        "\"Unit Price\" >= 12.5",
                                        "Qty < 0",
                                        "Qty <= -3.000",
                                        "attrs.tag == a-b",
                                        "attrs.tag starts a",
                                        "exists attrs.tag",
                                        "missing attrs.none",
                                        "name == acme and colour == green and open == true",
                                        "amount < 99999999999999999999999",
                                        "amount > -99999999999999999999999",
                                        "name != \"a\\\"b\\\\\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!holds(texts[i]))
            fail_msg("should hold: %s", texts[i]);
}

static void false_conditions_do_not_hold(void **state)
{
    (void)state;
    static const char *const texts[] = {"name == Acme",
                                        "name in (a, b)",
                                        "name not in (acme)",
                                        "name starts cme",
                                        "colour == red",
                                        "amount == 100.0001",
                                        "amount < 100",
                                        "amount > 100.0001",
                                        "amount in (1, 2)",
                                        "open == false",
                                        "missing due",
                                        "exists gone",
                                        "\"Unit Price\" == \"12.5\"",
                                        "attrs.tag == 5",
                                        "attrs.tag != 5",
                                        "attrs.tag not in (5)",
                                        "attrs.tag < 5",
                                        "name == acme and colour == red",
                                        "amount >= 99999999999999999999999",
                                        "lat >= 30.27410001"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (holds(texts[i]))
            fail_msg("should not hold: %s", texts[i]);
}

static void a_condition_on_an_absent_field_is_false_whatever_the_operator(void **state)
{
    (void)state;
    static const char *const texts[] = {"gone == x",       "gone != x",        "gone in (x)",
                                        "gone not in (x)", "gone starts x",    "exists gone",
                                        "gone_number < 5", "gone_number != 5", "attrs.none != x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(holds(texts[i]));
}

static void errors_come_with_code_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
        uint32_t column;
    } errors[] = {
        {"name", "filter_syntax", 5},
        {"name =", "filter_syntax", 6},
        {"name = acme", "filter_syntax", 6},
        {"name == ", "filter_syntax", 9},
        {"name == a or name == b", "filter_syntax", 11},
        {"(name == a)", "filter_syntax", 1},
        {"name in a", "filter_syntax", 9},
        {"name in (a", "filter_syntax", 11},
        {"name in ()", "filter_syntax", 10},
        {"name not (a)", "filter_syntax", 10},
        {"name == \"a", "filter_syntax", 9},
        {"name == \"a\\n\"", "filter_syntax", 9},
        {"name == a and", "filter_syntax", 14},
        {"exists", "filter_syntax", 7},
        {"amount + 1 > 2", "filter_syntax", 8},
        {"colr == red", "unknown_field", 1},
        {"attrs.Bad == x", "unknown_field", 1},
        {"colour == blue", "bad_enum", 11},
        {"colour in (red, blue)", "bad_enum", 17},
        {"amount == big", "bad_type", 11},
        {"amount == \"5\"", "bad_type", 11},
        {"amount starts 5", "bad_type", 8},
        {"name < 5", "bad_type", 6},
        {"open == yes", "bad_type", 9},
        {"open < true", "bad_type", 6},
        {"due == 5", "bad_type", 5},
        {"Qty < many", "bad_type", 7},
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct filter_problem problem;
        struct filter_expr *expr = filter_expr_parse(slice_of(errors[i].text), &row_type, &problem);
        assert_null(expr);
        if (strcmp(problem.code, errors[i].code) || problem.column != errors[i].column)
            fail_msg("%s: expected %s at %u, found %s at %u (%s)", errors[i].text, errors[i].code, errors[i].column,
                     problem.code, problem.column, problem.text);
    }
}

static void unknown_fields_come_with_a_suggestion(void **state)
{
    (void)state;
    struct filter_problem problem;
    assert_null(filter_expr_parse(SLICE("amont > 5"), &row_type, &problem));
    assert_non_null(strstr(problem.text, "did you mean \"amount\"?"));
}

static void limits_are_bytes_conditions_constants_and_their_length(void **state)
{
    (void)state;
    struct filter_problem problem;
    char text[4000] = "open == true";
    for (int i = 1; i < FILTER_CONDITIONS_MAX; i++)
        strcat(text, " and open == true");
    struct filter_expr *expr = filter_expr_parse(slice_of(text), &row_type, &problem);
    assert_non_null(expr);
    filter_expr_destroy(&expr);
    strcat(text, " and open == true");
    assert_null(filter_expr_parse(slice_of(text), &row_type, &problem));
    assert_string_equal(problem.code, "too_long");

    snprintf(text, sizeof text, "name in (a");
    for (int i = 1; i < FILTER_CONSTANTS_MAX; i++)
        strcat(text, ",a");
    assert_null(filter_expr_parse(slice_of(strcat(text, ",a)")), &row_type, &problem));
    assert_string_equal(problem.code, "too_long");

    snprintf(text, sizeof text, "name == %065d", 0);
    assert_null(filter_expr_parse(slice_of(text), &row_type, &problem));
    assert_string_equal(problem.code, "too_long");
    snprintf(text, sizeof text, "name == %01000d", 0);
    assert_null(filter_expr_parse(slice_of(text), &row_type, &problem));
    assert_string_equal(problem.code, "too_long");
}

static void decimals_compare_exactly_as_texts(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } pairs[] = {{"1", "1.000", 0},
                 {"-0", "0", 0},
                 {"-0.0", "0.00", 0},
                 {"007", "7", 0},
                 {"1.10", "1.1", 0},
                 {"1.09", "1.1", -1},
                 {"10", "9", 1},
                 {"-10", "-9", -1},
                 {"-1", "1", -1},
                 {"0.1", "0.09999", 1},
                 {"123456789012345678901234567890.1", "123456789012345678901234567890.2", -1}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int order;
        assert_true(filter_compare_decimals(slice_of(pairs[i].a), slice_of(pairs[i].b), &order));
        assert_int_equal(order, pairs[i].order);
        assert_true(filter_compare_decimals(slice_of(pairs[i].b), slice_of(pairs[i].a), &order));
        assert_int_equal(order, -pairs[i].order);
    }
    static const char *const bad[] = {"", "-", ".", "1.", ".5", "1e5", "1 ", "+1", "1.2.3", "abc"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int order;
        assert_false(filter_compare_decimals(slice_of(bad[i]), SLICE("1"), &order));
    }
}

static void rows_have_the_fields_of_their_events_and_the_derived_ones(void **state)
{
    (void)state;
    static const struct {
        enum filter_row row;
        const char *field;
        enum filter_type type;
    } wanted[] = {{FILTER_ROW_LEAD, "class", FILTER_ENUM},
                  {FILTER_ROW_LEAD, "amount", FILTER_NUMBER},
                  {FILTER_ROW_LEAD, "action", FILTER_ENUM},
                  {FILTER_ROW_VISIT, "on_time", FILTER_BOOL},
                  {FILTER_ROW_VISIT, "planned_end", FILTER_INSTANT},
                  {FILTER_ROW_ORDER, "credit", FILTER_BOOL},
                  {FILTER_ROW_ORDER_LINE, "qty", FILTER_NUMBER},
                  {FILTER_ROW_ORDER_LINE, "channel", FILTER_TEXT},
                  {FILTER_ROW_FACT, "kind", FILTER_TEXT},
                  {FILTER_ROW_FACT, "first_seen", FILTER_INSTANT}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const struct filter_field *field = filter_field_of(filter_row_type(wanted[i].row), slice_of(wanted[i].field));
        assert_non_null(field);
        assert_int_equal(field->type, wanted[i].type);
    }
    assert_null(filter_field_of(filter_row_type(FILTER_ROW_LEAD), SLICE("splits")));
    assert_true(filter_row_type(FILTER_ROW_FACT)->attrs && !filter_row_type(FILTER_ROW_LEAD)->attrs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_conditions_hold),
        cmocka_unit_test(false_conditions_do_not_hold),
        cmocka_unit_test(a_condition_on_an_absent_field_is_false_whatever_the_operator),
        cmocka_unit_test(errors_come_with_code_and_column),
        cmocka_unit_test(unknown_fields_come_with_a_suggestion),
        cmocka_unit_test(limits_are_bytes_conditions_constants_and_their_length),
        cmocka_unit_test(decimals_compare_exactly_as_texts),
        cmocka_unit_test(rows_have_the_fields_of_their_events_and_the_derived_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
