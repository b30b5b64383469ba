/* test_findings.c -- findings.h: all errors together, by place, and did-you-mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/findings.h"

static void assert_written(struct findings *findings, const char *expected)
{
    struct buf out = {0};
    findings_write(findings, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

static void findings_are_told_by_place_whatever_their_order_of_arrival(void **state)
{
    (void)state;
    struct findings f = {0};
    findings_add(&f, "b.yaml", 1, 1, "syntax", "last");
    findings_add(&f, "a.yaml", 10, 3, "bad_id", "third");
    findings_add(&f, "a.yaml", 9, 30, "bad_id", "second %d", 2);
    findings_add(&f, "a.yaml", 9, 4, "bad_zone", "first");
    findings_add(&f, NULL, 0, 0, "bad_value", "a flag");
    assert_written(&f, "bad_value: a flag\n"
                       "a.yaml:9:4: bad_zone: first\n"
                       "a.yaml:9:30: bad_id: second 2\n"
                       "a.yaml:10:3: bad_id: third\n"
                       "b.yaml:1:1: syntax: last\n");
    findings_close(&f);
}

static void findings_of_one_place_keep_their_order(void **state)
{
    (void)state;
    struct findings f = {0};
    for (int i = 0; i < 20; i++)
        findings_add(&f, "f", 1, 1, "syntax", "%d", i);
    findings_sort(&f);
    for (int i = 0; i < 20; i++)
        assert_int_equal(atoi(f.list[i].text), i);
    findings_close(&f);
}

static void beyond_the_bound_findings_are_counted_only(void **state)
{
    (void)state;
    struct findings f = {0};
    for (unsigned i = 0; i < FINDINGS_MAX + 7; i++)
        findings_add(&f, "f", i + 1, 1, "syntax", "x");
    assert_int_equal(findings_count(&f), FINDINGS_MAX + 7);
    assert_int_equal(f.count, FINDINGS_MAX);
    struct buf out = {0};
    findings_write(&f, &out);
    assert_non_null(strstr(buf_cstr(&out), "... and 7 more\n"));
    buf_close(&out);
    findings_close(&f);
    assert_int_equal(findings_count(&f), 0);
}

static void a_finding_is_one_line_of_bounded_length(void **state)
{
    (void)state;
    struct findings f = {0};
    char text[3000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    findings_add(&f, "f", 1, 1, "syntax", "a\nb\tc %s", text);
    assert_int_equal(strlen(f.list[0].text), FINDING_TEXT_BYTES_MAX);
    assert_null(strpbrk(f.list[0].text, "\n\t"));
    findings_close(&f);
}

static void all_that_fits_becomes_the_error(void **state)
{
    (void)state;
    struct findings f = {0};
    struct err err = {0};
    assert_int_equal(findings_to_err(&f, &err), OK);
    findings_add(&f, "f", 7, 1, "syntax", "seven");
    assert_int_equal(findings_to_err(&f, &err), ERR_CONFIG);
    assert_string_equal(err.text, "f:7:1: syntax: seven");
    findings_add(&f, "f", 2, 1, "syntax", "two");
    (void)findings_to_err(&f, &err);
    assert_string_equal(err.text, "f:2:1: syntax: two\nf:7:1: syntax: seven");
    for (unsigned i = 0; i < 500; i++)
        findings_add(&f, "f", 100 + i, 1, "syntax", "one of many");
    (void)findings_to_err(&f, &err);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
    size_t lines = 0;
    for (const char *p = err.text; *p; p++)
        lines += *p == '\n';
    char end[64];
    (void)snprintf(end, sizeof end, "\n... and %zu more", 502 - lines);
    assert_string_equal(err.text + strlen(err.text) - strlen(end), end);
    findings_close(&f);
}

static void near_names_are_offered_and_far_ones_are_not(void **state)
{
    (void)state;
    static const char *const names[] = {"window", "tenant", "zone", "kafka", "valid_from", "id", NULL};
    assert_string_equal(did_you_mean(SLICE("widnow"), names), "window");
    assert_string_equal(did_you_mean(SLICE("windows"), names), "window");
    assert_string_equal(did_you_mean(SLICE("zon"), names), "zone");
    assert_string_equal(did_you_mean(SLICE("valid_form"), names), "valid_from");
    assert_string_equal(did_you_mean(SLICE("validfrm"), names), "valid_from");
    assert_null(did_you_mean(SLICE("abcdef"), names));
    assert_null(did_you_mean(SLICE("zo"), names));
    assert_null(did_you_mean(SLICE(""), names));
    char huge[500];
    memset(huge, 'w', sizeof huge);
    assert_null(did_you_mean(slice_make(huge, sizeof huge), names));
}

static void names_up_to_the_bound_are_compared(void **state)
{
    (void)state;
    char name[65];
    char known[65];
    memset(name, 'n', 64);
    memset(known, 'n', 64);
    name[64] = known[64] = '\0';
    known[20] = 'x';
    const char *const names[] = {known, NULL};
    assert_ptr_equal(did_you_mean(slice_of(name), names), known);
    assert_null(did_you_mean(slice_make("ab", 2), (const char *const[]){"ba_", NULL}));
    assert_string_equal(did_you_mean(SLICE("ba"), (const char *const[]){"zz", "ab", NULL}), "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_told_by_place_whatever_their_order_of_arrival),
        cmocka_unit_test(findings_of_one_place_keep_their_order),
        cmocka_unit_test(beyond_the_bound_findings_are_counted_only),
        cmocka_unit_test(a_finding_is_one_line_of_bounded_length),
        cmocka_unit_test(all_that_fits_becomes_the_error),
        cmocka_unit_test(near_names_are_offered_and_far_ones_are_not),
        cmocka_unit_test(names_up_to_the_bound_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
