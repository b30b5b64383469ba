/* The view may forget, roll back, go away or be moved by another: no stale figure ever looks current. */
#include "runner_rig.h"

#include "machine/status.h"

static void add(struct rig *rig, int count)
{
    for (int i = 0; i < count; i++)
        small_visit(&rig->ledger, "acme", "a");
    rig_run(rig);
}

/* What a head says must be what its cells hold: the head's tenant_seq = the number of records. */
static void assert_current(const struct rig *rig, int64_t records)
{
    assert_int_equal(rig_head(rig, "acme").tenant_seq, records);
    assert_int_equal(rig_figures(rig, "acme"), records);
}

static void a_flush_is_noticed_though_nothing_changes_and_mended_by_a_new_generation(void **state)
{
    struct rig *rig = *state;
    add(rig, 10);
    view_memory_flush(rig->view);
    clock_manual_advance(&rig->ledger.clock, 2000);
    rig_run(rig);
    assert_current(rig, 10);
}

/* acme is idle: only the head of beta moves by itself behind the flush. */
static void after_a_flush_nothing_is_told_before_every_head_is_back(void **state)
{
    enum { STEPS_MAX = 50 };
    struct rig *rig = *state;
    add(rig, 5);
    small_visit(&rig->ledger, "beta", "b");
    rig_run(rig);
    view_memory_flush(rig->view);
    small_visit(&rig->ledger, "beta", "b");
    small_flush(&rig->ledger);
    struct machine_status said;
    enum err_code code = ERR_MISSING;
    for (int i = 0; i < STEPS_MAX && code == ERR_MISSING; i++) {
        bool busy;
        assert_int_equal(runner_step(rig->runner, &busy, &rig->err), OK);
        code = status_read(rig->view, rig->config.type->name, rig->config.shard, &said, NULL, NULL, &rig->err);
    }
    assert_int_equal(code, OK);
    assert_true(rig_head(rig, "acme").present);
    assert_current(rig, 5);
}

static void a_view_that_rolled_back_gets_a_new_generation(void **state)
{
    struct rig *rig = *state;
    add(rig, 10);
    view_memory_dump(rig->view);
    add(rig, 7); /* other cells than those that change next */
    uint64_t generation = rig_head(rig, "acme").generation;
    view_memory_restore(rig->view);
    add(rig, 1);
    assert_current(rig, 18);
    assert_true(rig_head(rig, "acme").generation > generation);
}

static void a_view_that_is_away_is_told_as_stale_and_caught_up_with(void **state)
{
    struct rig *rig = *state;
    struct buf reason = {0};
    add(rig, 3);
    view_memory_down(rig->view, true);
    add(rig, 4);
    assert_int_equal(rig_tenant(rig, "acme")->clock.tenant_seq, 7); /* folded on */
    assert_false(runner_ready(rig->runner, &reason));
    assert_non_null(strstr(buf_cstr(&reason), "stale"));
    view_memory_down(rig->view, false);
    clock_manual_advance(&rig->ledger.clock, 5000);
    rig_run(rig);
    assert_current(rig, 7);
    assert_true(runner_ready(rig->runner, &reason));
    buf_close(&reason);
}

static void alerts_go_on_while_the_view_is_away(void **state)
{
    struct rig *rig = *state;
    view_memory_down(rig->view, true);
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_run(rig);
    small_take_outputs(&rig->ledger);
    assert_int_equal(rig->ledger.alerts_taken, 1);
}

static void more_than_a_commit_holds_is_written_as_a_new_generation(void **state)
{
    struct rig *rig = *state;
    counter_wide = 100; /* 64 counters of 100 cells */
    add(rig, 1);
    uint64_t generation = rig_head(rig, "acme").generation;
    view_memory_down(rig->view, true);
    add(rig, COUNTER_CELLS);
    view_memory_down(rig->view, false);
    clock_manual_advance(&rig->ledger.clock, 5000);
    rig_run(rig);
    assert_true(rig_head(rig, "acme").generation > generation);
    assert_int_equal(rig_figures(rig, "acme"), 100 * (COUNTER_CELLS + 1));
}

static void near_the_end_a_commit_comes_before_too_much_is_dirty(void **state)
{
    struct rig *rig = *state;
    counter_wide = 100;
    add(rig, 1);
    uint64_t generation = rig_head(rig, "acme").generation;
    add(rig, COUNTER_CELLS);
    assert_int_equal(rig_head(rig, "acme").generation, generation);
    assert_int_equal(rig_figures(rig, "acme"), 100 * (COUNTER_CELLS + 1));
}

static void a_restart_commits_on_top_of_a_head_that_is_not_older_than_its_snapshot(void **state)
{
    struct rig *rig = *state;
    add(rig, 5);
    runner_finish(rig->runner);
    uint64_t generation = rig_head(rig, "acme").generation;
    add(rig, 6); /* the view is ahead of the snapshot */
    rig_restart(rig);
    add(rig, 2);
    assert_current(rig, 13);
    assert_int_equal(rig_head(rig, "acme").generation, generation);
}

static void a_restart_from_a_snapshot_newer_than_the_view_writes_a_new_generation(void **state)
{
    struct rig *rig = *state;
    add(rig, 5);
    view_memory_dump(rig->view);
    uint64_t generation = rig_head(rig, "acme").generation;
    add(rig, 6);
    runner_finish(rig->runner);
    rig_stop(rig);
    view_memory_restore(rig->view);
    rig_start(rig);
    rig_run(rig);
    assert_current(rig, 11);
    assert_true(rig_head(rig, "acme").generation > generation);
}

static void two_owners_only_waste_work(void **state)
{
    struct rig *rig = *state;
    struct runner *other;
    struct runner_config config = rig->config;
    config.writer = 2;
    config.store = NULL;
    config.crumb = NULL;
    assert_int_equal(runner_open(&config, &other, &rig->err), OK);
    runner_own(other, true);
    for (int i = 0; i < 20; i++) {
        small_visit(&rig->ledger, "acme", "a");
        small_flush(&rig->ledger);
        bool busy;
        struct runner *turn = i % 3 ? rig->runner : other;
        assert_int_equal(runner_step(turn, &busy, &rig->err), OK);
        struct view_head head = rig_head(rig, "acme");
        if (head.present)
            assert_int_equal(rig_figures(rig, "acme"), head.tenant_seq);
    }
    rig_run(rig);
    assert_current(rig, 20);
    runner_destroy(&other);
}

/* The other may show cells that came and went meanwhile: only a new generation is sure to hold none of them. */
static void a_head_that_another_owner_wrote_is_no_base_for_one_who_wrote_before(void **state)
{
    struct rig *rig = *state;
    struct runner *other, *first = rig->runner;
    struct runner_config config = rig->config;
    config.writer = 2;
    config.store = NULL;
    config.crumb = NULL;
    add(rig, 2);
    assert_int_equal(runner_open(&config, &other, &rig->err), OK);
    runner_own(other, true);
    rig->runner = other;
    add(rig, 3);
    uint64_t generation = rig_head(rig, "acme").generation;
    rig->runner = first;
    add(rig, 1);
    assert_current(rig, 6);
    assert_true(rig_head(rig, "acme").generation > generation);
    runner_destroy(&other);
}

static void a_head_of_another_branch_is_no_base(void **state)
{
    struct rig *rig = *state;
    add(rig, 2);
    struct view_head head = rig_head(rig, "acme"), foreign = head;
    foreign.branch = 9;
    foreign.seq = 1;
    const struct view_scope scope = {slice_of("counter"), slice_of("acme")};
    struct view_cell cell = {slice_of("row0"), slice_of("c0.0"), slice_of("777")};
    assert_int_equal(view_commit(rig->view, scope, &head, &foreign, &cell, 1, &rig->err), OK);
    add(rig, 1);
    assert_current(rig, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(after_a_flush_nothing_is_told_before_every_head_is_back),
        TEST(a_flush_is_noticed_though_nothing_changes_and_mended_by_a_new_generation),
        TEST(a_view_that_rolled_back_gets_a_new_generation),
        TEST(a_view_that_is_away_is_told_as_stale_and_caught_up_with),
        TEST(alerts_go_on_while_the_view_is_away),
        TEST(more_than_a_commit_holds_is_written_as_a_new_generation),
        TEST(near_the_end_a_commit_comes_before_too_much_is_dirty),
        TEST(a_restart_commits_on_top_of_a_head_that_is_not_older_than_its_snapshot),
        TEST(a_restart_from_a_snapshot_newer_than_the_view_writes_a_new_generation),
        TEST(two_owners_only_waste_work),
        TEST(a_head_that_another_owner_wrote_is_no_base_for_one_who_wrote_before),
        TEST(a_head_of_another_branch_is_no_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
