/* Which source is next, and when is it time for a tick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ledger/merge.h"

enum { NOW = 1000000, MONO = 5000 };

struct bench {
    struct merge merge;
    struct merge_source sources[LEDGER_SOURCE_COUNT];
    enum ledger_source source;
};

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    merge_init(&bench.merge, MONO);
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        bench.sources[s] = (struct merge_source){.at_end = true};
    return 0;
}

static void head(enum ledger_source source, int64_t append_ms)
{
    bench.sources[source] = (struct merge_source){.head = true, .head_ms = append_ms};
}

static enum merge_answer next(int64_t now_ms, int64_t monotonic_ms)
{
    return merge_next(&bench.merge, bench.sources, now_ms, monotonic_ms, &bench.source);
}

static void the_oldest_head_is_taken_first(void **state)
{
    (void)state;
    head(LEDGER_SOURCE_VISITS, NOW - 10);
    head(LEDGER_SOURCE_LEADS, NOW - 20);
    assert_int_equal(next(NOW, MONO), MERGE_TAKE);
    assert_int_equal(bench.source, LEDGER_SOURCE_LEADS);
}

static void a_fresh_record_waits_for_nobody(void **state)
{
    (void)state;
    head(LEDGER_SOURCE_VISITS, NOW - 1000);
    bench.sources[LEDGER_SOURCE_LEADS].at_end = false;
    assert_int_equal(next(NOW, MONO), MERGE_TAKE);
}

static void an_old_record_waits_for_a_silent_source_up_to_30_seconds(void **state)
{
    (void)state;
    head(LEDGER_SOURCE_VISITS, NOW - 1001);
    bench.sources[LEDGER_SOURCE_LEADS].at_end = false;
    assert_int_equal(next(NOW, MONO), MERGE_WAIT);
    assert_int_equal(next(NOW, MONO + 29999), MERGE_WAIT);
    assert_int_equal(next(NOW, MONO + 30000), MERGE_STALLED);
    assert_int_equal(bench.source, LEDGER_SOURCE_LEADS);
    merge_told(&bench.merge, bench.source);
    assert_int_equal(next(NOW, MONO + 30001), MERGE_TAKE);
    assert_int_equal(bench.source, LEDGER_SOURCE_VISITS);
}

/* The block that should say so was full: the next one says it. */
static void a_stall_that_was_not_told_is_answered_again(void **state)
{
    (void)state;
    head(LEDGER_SOURCE_VISITS, NOW - 1001);
    bench.sources[LEDGER_SOURCE_LEADS].at_end = false;
    assert_int_equal(next(NOW, MONO), MERGE_WAIT);
    assert_int_equal(next(NOW, MONO + 30000), MERGE_STALLED);
    assert_int_equal(next(NOW, MONO + 30001), MERGE_STALLED);
    assert_int_equal(bench.source, LEDGER_SOURCE_LEADS);
    merge_told(&bench.merge, bench.source);
    assert_int_equal(next(NOW, MONO + 30002), MERGE_TAKE);
}

static void a_source_that_delivers_again_is_waited_for_again(void **state)
{
    (void)state;
    an_old_record_waits_for_a_silent_source_up_to_30_seconds(state);
    head(LEDGER_SOURCE_LEADS, NOW - 2000);
    assert_int_equal(next(NOW, MONO + 30002), MERGE_TAKE);
    assert_int_equal(bench.source, LEDGER_SOURCE_LEADS);
    bench.sources[LEDGER_SOURCE_LEADS] = (struct merge_source){0};
    assert_int_equal(next(NOW, MONO + 30003), MERGE_WAIT);
}

static void import_comes_last_and_is_never_waited_for(void **state)
{
    (void)state;
    head(LEDGER_SOURCE_IMPORT, NOW - 90000);
    head(LEDGER_SOURCE_ACTIONS, NOW);
    assert_int_equal(next(NOW, MONO), MERGE_TAKE);
    assert_int_equal(bench.source, LEDGER_SOURCE_ACTIONS);
    bench.sources[LEDGER_SOURCE_ACTIONS] = (struct merge_source){.at_end = true};
    assert_int_equal(next(NOW, MONO), MERGE_TAKE);
    assert_int_equal(bench.source, LEDGER_SOURCE_IMPORT);
    bench.sources[LEDGER_SOURCE_IMPORT] = (struct merge_source){0};
    assert_int_equal(next(NOW, MONO), MERGE_IDLE);
    head(LEDGER_SOURCE_VISITS, NOW - 5000);
    assert_int_equal(next(NOW, MONO), MERGE_TAKE);
}

static void ticks_need_every_live_source_at_its_end(void **state)
{
    (void)state;
    assert_true(merge_tick_due(&bench.merge, bench.sources, MONO));
    bench.sources[LEDGER_SOURCE_FACTS].at_end = false;
    assert_false(merge_tick_due(&bench.merge, bench.sources, MONO));
    bench.sources[LEDGER_SOURCE_FACTS].at_end = true;
    head(LEDGER_SOURCE_IMPORT, NOW);
    assert_true(merge_tick_due(&bench.merge, bench.sources, MONO));
    head(LEDGER_SOURCE_VISITS, NOW);
    assert_false(merge_tick_due(&bench.merge, bench.sources, MONO));
}

static void ticks_come_each_second_for_a_minute_then_every_15_seconds(void **state)
{
    (void)state;
    merge_ticked(&bench.merge, MONO);
    assert_false(merge_tick_due(&bench.merge, bench.sources, MONO + 999));
    assert_true(merge_tick_due(&bench.merge, bench.sources, MONO + 1000));
    merge_ticked(&bench.merge, MONO + 60000);
    assert_false(merge_tick_due(&bench.merge, bench.sources, MONO + 74999));
    assert_int_equal(merge_tick_in_ms(&bench.merge, MONO + 74999), 1);
    assert_true(merge_tick_due(&bench.merge, bench.sources, MONO + 75000));
    head(LEDGER_SOURCE_VISITS, NOW);
    assert_int_equal(next(NOW, MONO + 75001), MERGE_TAKE);
    bench.sources[LEDGER_SOURCE_VISITS] = (struct merge_source){.at_end = true};
    merge_ticked(&bench.merge, MONO + 75001);
    assert_true(merge_tick_due(&bench.merge, bench.sources, MONO + 76001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_oldest_head_is_taken_first, setup),
        cmocka_unit_test_setup(a_fresh_record_waits_for_nobody, setup),
        cmocka_unit_test_setup(an_old_record_waits_for_a_silent_source_up_to_30_seconds, setup),
        cmocka_unit_test_setup(a_stall_that_was_not_told_is_answered_again, setup),
        cmocka_unit_test_setup(a_source_that_delivers_again_is_waited_for_again, setup),
        cmocka_unit_test_setup(import_comes_last_and_is_never_waited_for, setup),
        cmocka_unit_test_setup(ticks_need_every_live_source_at_its_end, setup),
        cmocka_unit_test_setup(ticks_come_each_second_for_a_minute_then_every_15_seconds, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
