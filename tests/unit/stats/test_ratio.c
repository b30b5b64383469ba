/* Divisions of published figures (semantics 0.4, 0.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stats/ratio.h"

static void a_half_goes_to_the_even_neighbour_on_both_sides_of_zero(void **state)
{
    (void)state;
    assert_int_equal(div_half_even(1, 2), 0);
    assert_int_equal(div_half_even(3, 2), 2);
    assert_int_equal(div_half_even(5, 2), 2);
    assert_int_equal(div_half_even(-3, 2), -2);
    assert_int_equal(div_half_even(-5, 2), -2);
    assert_int_equal(div_half_even(5, -2), -2);
}

static void anything_but_a_half_goes_to_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(div_half_even(2, 3), 1);
    assert_int_equal(div_half_even(1, 3), 0);
    assert_int_equal(div_half_even(-2, 3), -1);
}

static void a_ratio_is_in_ppm(void **state)
{
    (void)state;
    int64_t ppm;
    assert_true(ratio_ppm(7, 9, &ppm));
    assert_int_equal(ppm, 777778);
    assert_true(ratio_ppm(2, 2, &ppm));
    assert_int_equal(ppm, 1000000);
}

static void a_ratio_over_nothing_is_no_ratio(void **state)
{
    (void)state;
    int64_t ppm;
    assert_false(ratio_ppm(0, 0, &ppm));
    assert_false(ratio_ppm(5, 0, &ppm));
}

static void a_ratio_beyond_64_bits_is_refused(void **state)
{
    (void)state;
    int64_t ppm;
    assert_false(ratio_ppm((int128_t)1 << 100, 1, &ppm));
    assert_false(ratio_ppm((int128_t)1 << 120, 1, &ppm));
}

static void the_nearest_rank_counts_from_one(void **state)
{
    (void)state;
    assert_int_equal(nearest_rank(0, 500000), 0);
    assert_int_equal(nearest_rank(2, 500000), 1);
    assert_int_equal(nearest_rank(2, 900000), 2);
    assert_int_equal(nearest_rank(9, 500000), 5);
    assert_int_equal(nearest_rank(1000, 999000), 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_goes_to_the_even_neighbour_on_both_sides_of_zero),
        cmocka_unit_test(anything_but_a_half_goes_to_the_nearest),
        cmocka_unit_test(a_ratio_is_in_ppm),
        cmocka_unit_test(a_ratio_over_nothing_is_no_ratio),
        cmocka_unit_test(a_ratio_beyond_64_bits_is_refused),
        cmocka_unit_test(the_nearest_rank_counts_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
