/* test_health.c -- health.h: alive and ready, with reasons, on a clock that tests move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/health.h"

struct fixture {
    struct clock_manual clock;
    struct health *health;
    struct health_part *funnel, *ledger;
};

static int set_up(void **state)
{
    static struct fixture f;
    clock_manual_init(&f.clock, 0);
    f.health = health_new(&f.clock.clock);
    f.ledger = health_part(f.health, "ledger/0", 1000);
    f.funnel = health_part(f.health, "funnel/0", 5000);
    *state = &f;
    return 0;
}
static int tear_down(void **state)
{
    struct fixture *f = *state;
    health_destroy(&f->health);
    return f->health ? -1 : 0;
}

static void assert_json(struct fixture *f, const char *expected)
{
    struct buf out = {0};
    health_write(f->health, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

static void a_new_service_lives_and_is_not_ready(void **state)
{
    struct fixture *f = *state;
    assert_true(health_is_live(f->health));
    assert_false(health_is_ready(f->health));
    assert_json(f,
                "{\"ready\":false,\"services\":["
                "{\"name\":\"funnel/0\",\"live\":true,\"ready\":false,\"ended\":false,\"reasons\":{\"starting\":\"not "
                "caught up yet\"}},"
                "{\"name\":\"ledger/0\",\"live\":true,\"ready\":false,\"ended\":false,\"reasons\":{\"starting\":\"not "
                "caught up yet\"}}]}\n");
}

static void all_services_make_the_process_ready(void **state)
{
    struct fixture *f = *state;
    health_ready(f->funnel);
    assert_false(health_is_ready(f->health));
    health_ready(f->ledger);
    assert_true(health_is_ready(f->health));
}

static void a_reason_stands_until_it_is_cleared_and_does_not_kill(void **state)
{
    struct fixture *f = *state;
    health_ready(f->funnel);
    health_ready(f->ledger);
    health_reason_set(f->funnel, "redis", "cannot be reached: %s", "\"refused\"");
    health_reason_set(f->funnel, "kafka", "x");
    health_reason_set(f->funnel, "redis", "still away");
    assert_true(health_is_live(f->health));
    assert_false(health_is_ready(f->health));
    assert_json(
        f, "{\"ready\":false,\"services\":["
           "{\"name\":\"funnel/"
           "0\",\"live\":true,\"ready\":false,\"ended\":false,\"reasons\":{\"kafka\":\"x\",\"redis\":\"still away\"}},"
           "{\"name\":\"ledger/0\",\"live\":true,\"ready\":true,\"ended\":false,\"reasons\":{}}]}\n");
    health_reason_clear(f->funnel, "kafka");
    health_reason_clear(f->funnel, "nothing");
    assert_false(health_is_ready(f->health));
    health_reason_clear(f->funnel, "redis");
    assert_true(health_is_ready(f->health));
}

static void a_loop_that_stands_still_is_dead_until_it_turns(void **state)
{
    struct fixture *f = *state;
    health_ready(f->funnel);
    health_ready(f->ledger);
    clock_manual_advance(&f->clock, 1000);
    assert_true(health_is_live(f->health));
    clock_manual_advance(&f->clock, 1);
    assert_false(health_is_live(f->health));
    assert_false(health_is_ready(f->health));
    health_beat(f->ledger);
    assert_true(health_is_live(f->health));
    assert_true(health_is_ready(f->health));
}

static void a_service_that_has_ended_no_longer_counts(void **state)
{
    struct fixture *f = *state;
    health_ready(f->funnel);
    health_end(f->ledger);
    clock_manual_advance(&f->clock, 4000);
    assert_true(health_is_live(f->health));
    assert_true(health_is_ready(f->health));
}

static void a_service_that_starts_again_starts_afresh(void **state)
{
    struct fixture *f = *state;
    health_ready(f->funnel);
    health_ready(f->ledger);
    health_reason_set(f->funnel, "redis", "away");
    assert_ptr_equal(health_part(f->health, "funnel/0", 5000), f->funnel);
    assert_false(health_is_ready(f->health));
    health_ready(f->funnel);
    assert_true(health_is_ready(f->health));
}

static void nobody_may_ask(void **state)
{
    (void)state;
    struct health_part *part = health_part(NULL, "x", 1);
    assert_null(part);
    health_beat(part);
    health_ready(part);
    health_reason_set(part, "a", "b");
    health_reason_clear(part, "a");
    health_end(part);
}

static void services_are_told_by_name_whatever_their_order_of_arrival(void **state)
{
    struct fixture *f = *state;
    (void)health_part(f->health, "variance/0", 1000);
    (void)health_part(f->health, "alerter", 1000);
    (void)health_part(f->health, "gateway", 1000);
    struct buf out = {0};
    health_write(f->health, &out);
    const char *at = buf_cstr(&out);
    static const char *const names[] = {"alerter", "funnel/0", "gateway", "ledger/0", "variance/0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "{\"name\":\"%s\"", names[i]);
        at = strstr(at, name);
        assert_non_null(at);
    }
    buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_service_lives_and_is_not_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_services_make_the_process_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reason_stands_until_it_is_cleared_and_does_not_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_loop_that_stands_still_is_dead_until_it_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_that_has_ended_no_longer_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_that_starts_again_starts_afresh, set_up, tear_down),
        cmocka_unit_test(nobody_may_ask),
        cmocka_unit_test_setup_teardown(services_are_told_by_name_whatever_their_order_of_arrival, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
