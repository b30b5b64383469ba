/* A runner over a small ledger: figures, timers, outputs, start and stop. */
#include "runner_rig.h"

static const int64_t HOUR_MS = 3600000;

static void the_figures_follow_the_ledger(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "acme", "b");
    small_visit(&rig->ledger, "zeta", "c");
    rig_run(rig);
    assert_int_equal(rig_figures(rig, "acme"), 2);
    assert_int_equal(rig_figures(rig, "zeta"), 1);
    assert_int_equal(rig_head(rig, "acme").seq, rig->ledger.filter.seq);
    assert_int_equal(rig_head(rig, "acme").tenant_seq, 2);
}

static void a_tick_moves_the_time_of_live_tenants_in_the_view(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "a");
    rig_run(rig);
    small_tick(&rig->ledger, 5000);
    rig_run(rig);
    assert_int_equal(rig_head(rig, "acme").time_ms, rig->ledger.time_ms);
}

static void plan_items_do_not_start_the_clock(void **state)
{
    struct rig *rig = *state;
    small_add(&rig->ledger, LEDGER_PLAN, EVENT_PLAN, LEDGER_SOURCE_PLANS, "acme", slice_of("p"));
    small_tick(&rig->ledger, 5000);
    rig_run(rig);
    assert_int_equal(rig_head(rig, "acme").time_ms, 0);
}

static void a_timer_fires_before_the_first_tick_behind_its_due_and_its_alert_is_sent(void **state)
{
    struct rig *rig = *state;
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS - 1);
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.last_n, 0);
    small_tick(&rig->ledger, 1);
    rig_settle(rig);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.last_n, 1);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.read_n, 1);
    assert_int_equal(rig->ledger.alerts_taken, 1);
}

static void many_timers_of_one_instant_are_drained_in_steps(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 500; i++)
        small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_settle(rig);
    assert_int_equal(rig->ledger.alerts_taken, 500);
}

static void timers_due_in_a_gap_wait_ten_minutes_behind_it(void **state)
{
    struct rig *rig = *state;
    small_lead(&rig->ledger, "acme", "a");
    struct event gap = small_control_event("ledger", CONTROL_CONTROL_gap);
    event_set_int(&gap, CONTROL_FROM, rig->ledger.time_ms + 1000);
    rig->ledger.time_ms += 2 * HOUR_MS;
    event_set_int(&gap, CONTROL_TO, rig->ledger.time_ms);
    small_control(&rig->ledger, "", &gap);
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.last_n, 0);
    small_tick(&rig->ledger, FOLD_SETTLE_MS - 1);
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.last_n, 0);
    small_tick(&rig->ledger, 1);
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.last_n, 1);
}

static void an_attest_is_made_at_each_hour_for_what_changed(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, HOUR_MS / 2);
    small_tick(&rig->ledger, HOUR_MS);
    small_tick(&rig->ledger, HOUR_MS);
    rig_settle(rig);
    assert_int_equal(rig->ledger.attests_taken, 1);
    small_visit(&rig->ledger, "zeta", "a");
    small_tick(&rig->ledger, HOUR_MS);
    rig_settle(rig);
    assert_int_equal(rig->ledger.attests_taken, 2);
}

static void a_standby_folds_but_neither_commits_nor_sends(void **state)
{
    struct rig *rig = *state;
    runner_own(rig->runner, false);
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_run(rig);
    small_take_outputs(&rig->ledger);
    assert_int_equal(rig->ledger.alerts_taken, 0);
    assert_int_equal(rig_figures(rig, "acme"), -1);
    assert_int_equal(rig_tenant(rig, "acme")->alerts.last_n, 1);
    runner_own(rig->runner, true);
    rig_settle(rig);
    assert_int_equal(rig->ledger.alerts_taken, 1);
    assert_int_equal(rig_figures(rig, "acme"), 1);
}

static void a_restart_from_a_snapshot_gives_the_same_state_and_numbers(void **state)
{
    struct rig *rig = *state;
    struct buf before = {0}, after = {0};
    for (int i = 0; i < 50; i++)
        small_lead(&rig->ledger, i % 3 ? "acme" : "zeta", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS / 2);
    rig_run(rig);
    runner_finish(rig->runner);
    rig_restart(rig);
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_settle(rig);
    rig_state(rig, &after);
    rig->config.store = NULL; /* from the beginning */
    rig_restart(rig);
    rig_settle(rig);
    rig_state(rig, &before);
    assert_int_equal(rig->ledger.alerts_taken, 50);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
    buf_close(&before);
    buf_close(&after);
}

static void outputs_read_back_before_a_restart_are_not_sent_again(void **state)
{
    struct rig *rig = *state;
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_settle(rig);
    rig_restart(rig);
    rig_settle(rig);
    assert_int_equal(rig->ledger.alerts_taken, 1);
}

static void an_alert_in_the_ledger_that_differs_stops_its_tenant(void **state)
{
    struct rig *rig = *state;
    small_lead(&rig->ledger, "acme", "a");
    small_lead(&rig->ledger, "zeta", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_settle(rig);
    counter_salt = 99; /* another build whose alerts differ reads the same ledger */
    rig_restart(rig);
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_DIVERGED);
    struct buf reason = {0};
    assert_false(runner_ready(rig->runner, &reason));
    assert_non_null(strstr(buf_cstr(&reason), "acme diverged"));
    buf_close(&reason);
}

static void a_record_that_the_machine_refuses_stops_its_tenant_only(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "bug");
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "zeta", "a");
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_BUG);
    assert_int_equal(rig_figures(rig, "zeta"), 1);
}

static void the_status_says_positions_counters_and_stops(void **state)
{
    struct rig *rig = *state;
    struct machine_status status;
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "acme", "b");
    rig_run(rig);
    assert_int_equal(status_read(rig->view, "counter", 0, &status, NULL, NULL, &rig->err), OK);
    assert_int_equal(status.seq, rig->ledger.filter.seq);
    assert_int_equal(status.sources[LEDGER_SOURCE_VISITS].position, 2);
    assert_int_equal(status.sources[LEDGER_SOURCE_VISITS].accepted, 2);
    assert_int_equal(status.sources[LEDGER_SOURCE_LEADS].position, 0);
    assert_int_equal(status.next_offset, rig->ledger.filter.next_offset);
}

static void a_ledger_that_asks_for_another_version_stops_the_shard(void **state)
{
    struct rig *rig = *state;
    struct event control = small_control_event("acme", CONTROL_CONTROL_machine_version);
    event_set_text(&control, CONTROL_MACHINE, slice_of("counter"));
    event_set_int(&control, CONTROL_VERSION, 2);
    small_control(&rig->ledger, "acme", &control);
    small_flush(&rig->ledger);
    bool busy;
    assert_int_equal(runner_step(rig->runner, &busy, &rig->err), ERR_CONFIG);
}

static void a_lost_delivery_is_sent_again(void **state)
{
    struct rig *rig = *state;
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    log_memory_fault(rig->ledger.log, LOG_FAULT_LOST, 1, 0);
    rig_run(rig);
    rig_settle(rig);
    assert_int_equal(rig->ledger.alerts_taken, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_figures_follow_the_ledger),
        TEST(a_tick_moves_the_time_of_live_tenants_in_the_view),
        TEST(plan_items_do_not_start_the_clock),
        TEST(a_timer_fires_before_the_first_tick_behind_its_due_and_its_alert_is_sent),
        TEST(many_timers_of_one_instant_are_drained_in_steps),
        TEST(timers_due_in_a_gap_wait_ten_minutes_behind_it),
        TEST(an_attest_is_made_at_each_hour_for_what_changed),
        TEST(a_standby_folds_but_neither_commits_nor_sends),
        TEST(a_restart_from_a_snapshot_gives_the_same_state_and_numbers),
        TEST(outputs_read_back_before_a_restart_are_not_sent_again),
        TEST(an_alert_in_the_ledger_that_differs_stops_its_tenant),
        TEST(a_record_that_the_machine_refuses_stops_its_tenant_only),
        TEST(the_status_says_positions_counters_and_stops),
        TEST(a_ledger_that_asks_for_another_version_stops_the_shard),
        TEST(a_lost_delivery_is_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
