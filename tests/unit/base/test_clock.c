/* test_clock.c -- clock.h: the twin that tests move, and the machine's clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void the_manual_clock_moves_only_when_it_is_moved(void **state)
{
    (void)state;
    struct clock_manual manual;
    clock_manual_init(&manual, 5000);
    struct clock *clock = &manual.clock;
    assert_int_equal(clock->now_ms(clock), 5000);
    assert_int_equal(clock->monotonic_ms(clock), 0);
    clock_manual_advance(&manual, 250);
    assert_int_equal(clock->now_ms(clock), 5250);
    assert_int_equal(clock->monotonic_ms(clock), 250);
    manual.now_ms -= 1000; /* a wall clock may step back, the other one never */
    assert_int_equal(clock->now_ms(clock), 4250);
    assert_int_equal(clock->monotonic_ms(clock), 250);
}

static void the_clocks_of_the_machine_are_in_milliseconds_and_do_not_run_back(void **state)
{
    (void)state;
    struct clock *clock = clock_system();
    assert_ptr_equal(clock, clock_system());
    assert_true(clock->now_ms(clock) > INT64_C(1700000000000));  /* after 2023 */
    assert_true(clock->now_ms(clock) < INT64_C(10000000000000)); /* before 2286: no microseconds */
    int64_t before = clock->monotonic_ms(clock);
    assert_true(clock->monotonic_ms(clock) >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_clock_moves_only_when_it_is_moved),
        cmocka_unit_test(the_clocks_of_the_machine_are_in_milliseconds_and_do_not_run_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
