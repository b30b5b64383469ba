/* T, the tenant's now (semantics 0.1, design 5.3, 5.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/event.h"
#include "model/tenant_clock.h"

static struct ledger_record record_of(enum ledger_kind kind, enum event_type type, int64_t time_ms)
{
    static uint64_t tenant_seq;
    return (struct ledger_record){.kind = (uint8_t)kind,
                                  .type = (uint8_t)type,
                                  .time_ms = time_ms,
                                  .tenant_seq = ++tenant_seq,
                                  .tenant = SLICE("acme")};
}

static struct event event_at(enum event_type type, int64_t occurred_ms)
{
    struct event event = {.type = type, .present = 1ull << EV_OCCURRED_AT};
    event.v[EV_OCCURRED_AT].i = occurred_ms;
    return event;
}

static struct event control_of(int control, const char *run, bool then_live)
{
    struct event event = event_at(EVENT_CONTROL, 0);
    event.present |= 1ull << CONTROL_CONTROL | 1ull << CONTROL_RUN_ID | 1ull << CONTROL_THEN_LIVE;
    event.v[CONTROL_CONTROL].i = control;
    event.v[CONTROL_RUN_ID].s = slice_of(run);
    event.v[CONTROL_THEN_LIVE].i = then_live;
    return event;
}

static struct tenant_step apply(struct tenant_clock *clock, enum ledger_kind kind, enum event_type type, int64_t ms)
{
    struct ledger_record record = record_of(kind, type, ms);
    struct event event = event_at(type, ms);
    return tenant_clock_apply(clock, &record, &event);
}

static struct tenant_step import_at(struct tenant_clock *clock, enum event_type type, int64_t at_ms, int64_t shard_ms)
{
    struct ledger_record record = record_of(LEDGER_IMPORT, type, shard_ms);
    struct event event = event_at(type, at_ms);
    return tenant_clock_apply(clock, &record, &event);
}

static struct tenant_step control(struct tenant_clock *clock, int which, const char *run, bool then_live, int64_t ms)
{
    struct ledger_record record = record_of(LEDGER_CONTROL, EVENT_CONTROL, ms);
    struct event event = control_of(which, run, then_live);
    return tenant_clock_apply(clock, &record, &event);
}

static void plan_items_do_not_start_the_clock(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    assert_int_equal(apply(&clock, LEDGER_PLAN, EVENT_PLAN, 1000).now_ms, 0);
    assert_int_equal(apply(&clock, LEDGER_REJECT, EVENT_TYPE_NONE, 1500).now_ms, 0);
    assert_int_equal(clock.mode, TENANT_WAITING);
    assert_int_equal(tenant_clock_at(&clock, 2000), 0);
}

static void the_first_visit_order_lead_fact_or_action_starts_the_clock_at_shard_time(void **state)
{
    (void)state;
    static const enum event_type types[] = {EVENT_VISIT, EVENT_ORDER, EVENT_LEAD, EVENT_FACT, EVENT_ACTION};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct tenant_clock clock = {0};
        enum ledger_kind kind = types[i] == EVENT_ACTION ? LEDGER_ACTION : LEDGER_EVENT;
        struct tenant_step step = apply(&clock, kind, types[i], 5000);
        assert_int_equal(step.now_ms, 5000);
        assert_false(step.historic || step.catch_up);
        assert_int_equal(clock.mode, TENANT_LIVE);
        assert_int_equal(tenant_clock_at(&clock, 7000), 7000);
    }
}

static void a_live_clock_never_goes_back(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    apply(&clock, LEDGER_EVENT, EVENT_LEAD, 5000);
    assert_int_equal(apply(&clock, LEDGER_EVENT, EVENT_LEAD, 4000).now_ms, 5000);
    assert_int_equal(tenant_clock_at(&clock, 10), 5000);
    assert_int_equal(apply(&clock, LEDGER_PLAN, EVENT_PLAN, 6000).now_ms, 6000);
}

static void an_import_moves_t_by_the_times_of_its_records_only(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    struct tenant_step step = control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    assert_true(step.historic);
    assert_int_equal(step.now_ms, 0);
    assert_int_equal(import_at(&clock, EVENT_PLAN, 100, 900001).now_ms, 0);
    assert_int_equal(import_at(&clock, EVENT_LEAD, 200, 900002).now_ms, 200);
    assert_int_equal(import_at(&clock, EVENT_PLAN, 300, 900003).now_ms, 200);
    step = import_at(&clock, EVENT_ORDER, 150, 900004);
    assert_int_equal(step.now_ms, 200);
    assert_true(step.historic);
    assert_int_equal(tenant_clock_at(&clock, 999999), 200);
}

static void an_import_record_counts_at_its_recorded_time(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    struct ledger_record record = record_of(LEDGER_IMPORT, EVENT_LEAD, 900001);
    struct event event = event_at(EVENT_LEAD, 200);
    event.present |= 1ull << EV_RECORDED_AT;
    event.v[EV_RECORDED_AT].i = 450;
    assert_int_equal(tenant_clock_apply(&clock, &record, &event).now_ms, 450);
}

static void after_an_import_t_stands_until_the_first_live_event_which_catches_up(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    import_at(&clock, EVENT_LEAD, 200, 900001);
    assert_false(control(&clock, CONTROL_CONTROL_backfill_end, "run-1", false, 900002).catch_up);
    assert_int_equal(clock.mode, TENANT_STANDSTILL);
    assert_int_equal(apply(&clock, LEDGER_PLAN, EVENT_PLAN, 900003).now_ms, 200);
    assert_int_equal(apply(&clock, LEDGER_ACTION, EVENT_ACTION, 900004).now_ms, 200);
    assert_int_equal(tenant_clock_at(&clock, 900005), 200);
    struct tenant_step step = apply(&clock, LEDGER_EVENT, EVENT_VISIT, 900006);
    assert_true(step.catch_up);
    assert_false(step.historic);
    assert_int_equal(step.now_ms, 900006);
    assert_false(apply(&clock, LEDGER_EVENT, EVENT_VISIT, 900007).catch_up);
}

static void a_live_control_ends_the_standstill_and_nothing_else(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    assert_int_equal(control(&clock, CONTROL_CONTROL_live, "", false, 10).now_ms, 0);
    control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    import_at(&clock, EVENT_LEAD, 200, 900001);
    assert_int_equal(control(&clock, CONTROL_CONTROL_live, "", false, 900002).now_ms, 200);
    control(&clock, CONTROL_CONTROL_backfill_end, "run-1", false, 900003);
    struct tenant_step step = control(&clock, CONTROL_CONTROL_live, "", false, 900004);
    assert_true(step.catch_up);
    assert_int_equal(step.now_ms, 900004);
}

static void an_import_that_ends_then_live_jumps_to_shard_time(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    import_at(&clock, EVENT_LEAD, 200, 900001);
    struct tenant_step step = control(&clock, CONTROL_CONTROL_backfill_end, "run-1", true, 900002);
    assert_true(step.catch_up);
    assert_int_equal(step.now_ms, 900002);
    assert_int_equal(clock.mode, TENANT_LIVE);
}

static void the_end_of_another_run_ends_nothing(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    import_at(&clock, EVENT_LEAD, 200, 900001);
    control(&clock, CONTROL_CONTROL_backfill_end, "run-2", false, 900002);
    assert_int_equal(clock.mode, TENANT_BACKFILL);
}

static void a_run_without_events_leaves_the_clock_waiting(void **state)
{
    (void)state;
    struct tenant_clock clock = {0};
    control(&clock, CONTROL_CONTROL_backfill_begin, "run-1", false, 900000);
    import_at(&clock, EVENT_PLAN, 200, 900001);
    control(&clock, CONTROL_CONTROL_backfill_end, "run-1", false, 900002);
    assert_int_equal(clock.mode, TENANT_WAITING);
}

static void a_saved_clock_comes_back_and_a_cut_one_is_refused(void **state)
{
    (void)state;
    struct tenant_clock clock = {.mode = TENANT_BACKFILL, .now_ms = -5, .tenant_seq = 7, .run_hash = 99}, back;
    struct buf bytes;
    buf_init(&bytes);
    tenant_clock_save(&clock, &bytes);
    struct cursor in = cursor_of(buf_slice(&bytes));
    assert_true(tenant_clock_load(&back, &in));
    assert_int_equal(back.mode, clock.mode);
    assert_int_equal(back.now_ms, -5);
    assert_int_equal(back.tenant_seq, 7);
    assert_int_equal(back.run_hash, 99);
    bytes.n--;
    in = cursor_of(buf_slice(&bytes));
    assert_false(tenant_clock_load(&back, &in));
    buf_close(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_items_do_not_start_the_clock),
        cmocka_unit_test(the_first_visit_order_lead_fact_or_action_starts_the_clock_at_shard_time),
        cmocka_unit_test(a_live_clock_never_goes_back),
        cmocka_unit_test(an_import_moves_t_by_the_times_of_its_records_only),
        cmocka_unit_test(an_import_record_counts_at_its_recorded_time),
        cmocka_unit_test(after_an_import_t_stands_until_the_first_live_event_which_catches_up),
        cmocka_unit_test(a_live_control_ends_the_standstill_and_nothing_else),
        cmocka_unit_test(an_import_that_ends_then_live_jumps_to_shard_time),
        cmocka_unit_test(the_end_of_another_run_ends_nothing),
        cmocka_unit_test(a_run_without_events_leaves_the_clock_waiting),
        cmocka_unit_test(a_saved_clock_comes_back_and_a_cut_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
