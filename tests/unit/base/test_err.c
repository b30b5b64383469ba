/* test_err.c -- err.h: codes, classes, exit codes, texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void setting_an_error_returns_its_code_even_without_a_place_for_it(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set(&err, ERR_LATER, "lease %s", "held"), ERR_LATER);
    assert_string_equal(err.text, "lease held");
    assert_int_equal(err_set(NULL, ERR_CONFIG, "x"), ERR_CONFIG);
}

static void wrapping_puts_the_context_in_front_and_keeps_the_code(void **state)
{
    (void)state;
    struct err err = {0};
    err_set(&err, ERR_UNAVAILABLE, "no route");
    assert_int_equal(err_wrap(&err, "redis %d", 1), ERR_UNAVAILABLE);
    assert_string_equal(err.text, "redis 1: no route");
}

static void texts_of_any_length_are_cut_and_end(void **state)
{
    (void)state;
    char text[2 * ERR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct err err = {0};
    err_set(&err, ERR_BUG, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_wrap(&err, "%s", text);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
    err_set(&err, ERR_BUG, "end");
    err_wrap(&err, "%s", text);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
}

static void exit_codes_are_those_of_the_formats(void **state)
{
    (void)state;
    static const struct {
        enum err_code code;
        int exit_code;
        enum err_class class;
    } rows[] = {{OK, 0, ERR_CLASS_OK},
                {ERR_FINDING, 1, ERR_CLASS_SKIP},
                {ERR_USAGE, 2, ERR_CLASS_FATAL},
                {ERR_UNAVAILABLE, 69, ERR_CLASS_RETRY},
                {ERR_BUG, 70, ERR_CLASS_FATAL},
                {ERR_LATER, 75, ERR_CLASS_RETRY},
                {ERR_DENIED, 77, ERR_CLASS_FATAL},
                {ERR_CONFIG, 78, ERR_CLASS_FATAL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(err_exit_code(rows[i].code), rows[i].exit_code);
        assert_int_equal(err_class(rows[i].code), rows[i].class);
    }
    assert_string_equal(err_name(ERR_FORK), "ERR_FORK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_returns_its_code_even_without_a_place_for_it),
        cmocka_unit_test(wrapping_puts_the_context_in_front_and_keeps_the_code),
        cmocka_unit_test(texts_of_any_length_are_cut_and_end),
        cmocka_unit_test(exit_codes_are_those_of_the_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
