/* Snapshots that are damaged, records that crash, tenants that are frozen and released. */
#include "base/buf.h"
#include "machine/refold.h"
#include "runner_rig.h"

struct names {
    char list[16][STORE_NAME_BYTES_MAX];
    size_t count;
};

static void keep(void *context, const char *name)
{
    struct names *names = context;
    if (names->count < 16)
        snprintf(names->list[names->count++], STORE_NAME_BYTES_MAX, "%s", name);
}

static struct names snapshots(struct rig *rig)
{
    struct names names = {0};
    assert_int_equal(store_list(rig->store, "counter/0/", keep, &names, &rig->err), OK);
    return names;
}

static void take_snapshots(struct rig *rig, int count)
{
    for (int i = 0; i < count; i++) {
        small_visit(&rig->ledger, "acme", "a");
        rig_run(rig);
        runner_finish(rig->runner);
    }
}

/* Puts something else in the place of an object. */
static void overwrite(struct rig *rig, const char *name, const char *bytes)
{
    struct store_writer *writer;
    assert_int_equal(store_delete(rig->store, name, &rig->err), OK);
    assert_int_equal(store_create(rig->store, name, &writer, &rig->err), OK);
    assert_int_equal(store_write(writer, slice_of(bytes), &rig->err), OK);
    assert_int_equal(store_commit(&writer, &rig->err), OK);
}

static void the_newest_three_snapshots_are_kept(void **state)
{
    struct rig *rig = *state;
    take_snapshots(rig, 6);
    struct names names = snapshots(rig);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.list[2], "counter/0/0-00000000000000000007");
}

static void a_damaged_snapshot_gives_way_to_an_older_one(void **state)
{
    struct rig *rig = *state;
    take_snapshots(rig, 3);
    struct names names = snapshots(rig);
    overwrite(rig, names.list[2], "this is no snapshot, but it is long enough to be read as a head of one");
    overwrite(rig, names.list[1], "");
    logger_init(&(struct logger_options){.level = LOGGER_ERROR});
    rig_restart(rig);
    assert_int_equal(runner_seq(rig->runner), 2);
    rig_run(rig);
    assert_int_equal(rig_figures(rig, "acme"), 3);
}

static void without_any_readable_snapshot_the_ledger_is_read_from_its_beginning(void **state)
{
    struct rig *rig = *state;
    take_snapshots(rig, 1);
    overwrite(rig, snapshots(rig).list[0], "nothing");
    rig_restart(rig);
    assert_int_equal(runner_seq(rig->runner), 0);
    rig_run(rig);
    assert_int_equal(rig_figures(rig, "acme"), 1);
}

static void a_log_that_lost_its_beginning_without_a_snapshot_is_refused(void **state)
{
    struct rig *rig = *state;
    take_snapshots(rig, 1);
    rig_stop(rig);
    log_memory_truncate_front(rig->ledger.log, "sales.ledger", 0, 1);
    rig->config.store = NULL;
    struct runner *runner = NULL;
    assert_int_equal(runner_open(&rig->config, &runner, &rig->err), ERR_GAP);
    rig->config.store = rig->store; /* the snapshot reaches behind the gap */
    rig_start(rig);
    rig_run(rig);
}

static void a_snapshot_is_taken_every_so_many_records(void **state)
{
    struct rig *rig = *state;
    rig->config.snapshot_records = 5;
    rig_restart(rig);
    for (int i = 0; i < 12; i++) {
        small_visit(&rig->ledger, "acme", "a");
        rig_run(rig);
    }
    assert_int_equal(snapshots(rig).count, 2);
}

static void a_forked_child_writes_a_snapshot_while_the_fold_goes_on(void **state)
{
    struct rig *rig = *state;
    /* A folder: what the child writes into memory, the parent would not see. */
    char folder[] = "/tmp/paceline-test-XXXXXX";
    struct store *store;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_folder_open(folder, &store, &rig->err), OK);
    rig->config.store = store;
    rig->config.snapshot_inline = false;
    rig->config.snapshot_records = 5;
    rig_restart(rig);
    for (int i = 0; i < 8; i++)
        small_visit(&rig->ledger, "acme", "a");
    rig_run(rig);
    struct names names = {0};
    struct clock *clock = clock_system();
    int64_t end_ms = clock->monotonic_ms(clock) + 30000;
    while (names.count == 0 && clock->monotonic_ms(clock) < end_ms) {
        small_visit(&rig->ledger, "acme", "a");
        rig_run(rig);
        names.count = 0;
        assert_int_equal(store_list(store, "counter/0/", keep, &names, &rig->err), OK);
    }
    assert_true(names.count > 0);
    rig_stop(rig);
    rig_start(rig);
    assert_true(runner_seq(rig->runner) >= 8);
    rig_stop(rig);
    for (size_t i = 0; i < names.count; i++)
        assert_int_equal(store_delete(store, names.list[i], &rig->err), OK);
    store_destroy(&store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    rig->config.store = rig->store;
    rig_start(rig);
}

static void a_breach_of_conservation_freezes_the_tenant_and_gives_no_snapshot(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "breach");
    small_visit(&rig->ledger, "zeta", "a");
    rig_run(rig);
    runner_finish(rig->runner);
    assert_int_equal(snapshots(rig).count, 0);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_BREACH);
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "zeta", "a");
    rig_run(rig);
    assert_int_equal(rig_figures(rig, "zeta"), 2);
    runner_finish(rig->runner);
    assert_int_equal(snapshots(rig).count, 1); /* the others' */
}

/* Runs until the record that crashes does; true: it crashed. */
static bool crashes(struct rig *rig)
{
    static jmp_buf back;
    counter_crash = &back;
    bool crashed = setjmp(back) != 0;
    if (!crashed) {
        bool busy = true;
        while (busy)
            if (runner_step(rig->runner, &busy, &rig->err))
                fail();
    }
    counter_crash = NULL;
    return crashed;
}

static void crash_three_times(struct rig *rig)
{
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "acme", "crash");
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "zeta", "a");
    small_flush(&rig->ledger);
    for (int i = 0; i < CRUMB_CRASHES; i++) {
        assert_true(crashes(rig));
        rig_restart(rig);
    }
    assert_false(crashes(rig));
}

static void three_crashes_at_one_record_hold_its_tenant_and_ask_for_quarantine(void **state)
{
    struct rig *rig = *state;
    crash_three_times(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_HELD);
    assert_int_equal(rig_figures(rig, "zeta"), 1);
    struct log_record record;
    size_t got;
    assert_int_equal(log_poll(rig->ledger.outputs, 2, &record, 1, &got, &rig->err), OK);
    assert_int_equal(got, 1);
    struct event event;
    assert_int_equal(event_decode_body(rig->ledger.codec, EVENT_CONTROL,
                                       slice_make(record.value.p + 10, record.value.n - 10), &event, &rig->err),
                     OK);
    assert_int_equal(event.v[CONTROL_CONTROL].i, CONTROL_CONTROL_quarantine);
    assert_int_equal(event.v[CONTROL_TARGET_SEQ].i, 2);
    assert_true(slice_is(event.v[EV_TENANT].s, "acme"));
}

static void a_record_that_is_passed_once_is_no_poison(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "crash");
    small_flush(&rig->ledger);
    for (int i = 0; i < CRUMB_CRASHES - 1; i++) {
        assert_true(crashes(rig));
        rig_restart(rig);
    }
    assert_int_equal(rig->crumb.crashes, CRUMB_CRASHES - 1);
    crumb_enter(&rig->crumb, SLICE("acme"), 1);
    crumb_leave(&rig->crumb);
    assert_int_equal(rig->crumb.crashes, 0);
}

static void quarantine(struct rig *rig, int64_t control)
{
    struct event event = small_control_event("acme", control);
    event_set_text(&event, CONTROL_MACHINE, slice_of("counter"));
    event_set_int(&event, CONTROL_TARGET_SEQ, 2);
    small_control(&rig->ledger, "acme", &event);
    small_flush(&rig->ledger);
}

static void quarantine_freezes_and_release_folds_anew(void **state)
{
    struct rig *rig = *state;
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_settle(rig);
    quarantine(rig, CONTROL_CONTROL_quarantine);
    small_lead(&rig->ledger, "acme", "a");
    small_tick(&rig->ledger, COUNTER_ALARM_MS);
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_QUARANTINED);
    assert_int_equal(rig_figures(rig, "acme"), 1);
    quarantine(rig, CONTROL_CONTROL_release);
    rig_settle(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_RUNS);
    assert_int_equal(rig_figures(rig, "acme"), 2);
    assert_int_equal(rig->ledger.alerts_taken, 2); /* the first is not told again */
}

/* The log's beginning is gone: a snapshot from before the quarantine is where the tenant's history begins. */
static void a_release_folds_anew_from_a_snapshot_when_the_log_lost_its_beginning(void **state)
{
    struct rig *rig = *state;
    rig->config.snapshot_inline = true;
    small_visit(&rig->ledger, "acme", "a");
    small_visit(&rig->ledger, "acme", "a");
    small_flush(&rig->ledger);
    rig_settle(rig);
    rig_restart(rig);
    rig_settle(rig);
    runner_finish(rig->runner); /* the snapshot */
    int64_t kept = rig->ledger.filter.next_offset;
    small_visit(&rig->ledger, "acme", "a");
    quarantine(rig, CONTROL_CONTROL_quarantine);
    small_visit(&rig->ledger, "acme", "a");
    small_flush(&rig->ledger);
    rig_settle(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_QUARANTINED);
    log_memory_truncate_front(rig->ledger.log, "sales.ledger", 0, kept);
    quarantine(rig, CONTROL_CONTROL_release);
    rig_settle(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_RUNS);
    assert_int_equal(rig_figures(rig, "acme"), 4);
}

static void a_release_without_any_beginning_leaves_the_tenant_stopped_and_says_so(void **state)
{
    struct rig *rig = *state;
    small_visit(&rig->ledger, "acme", "a");
    quarantine(rig, CONTROL_CONTROL_quarantine);
    rig_settle(rig);
    log_memory_truncate_front(rig->ledger.log, "sales.ledger", 0, 1);
    quarantine(rig, CONTROL_CONTROL_release);
    rig_settle(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_QUARANTINED);
    assert_non_null(strstr(rig_tenant(rig, "acme")->stop_text, "no snapshot"));
}

/* More records than one step folds: the runner comes back between steps. */
static void a_long_refold_goes_in_steps(void **state)
{
    struct rig *rig = *state;
    bool busy;
    for (unsigned i = 0; i < REFOLD_STEP_RECORDS + 10; i++)
        small_visit(&rig->ledger, "acme", "a");
    quarantine(rig, CONTROL_CONTROL_quarantine);
    rig_settle(rig);
    quarantine(rig, CONTROL_CONTROL_release);
    assert_int_equal(runner_step(rig->runner, &busy, &rig->err), OK);
    assert_true(busy);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_QUARANTINED);
    rig_settle(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_RUNS);
    assert_int_equal(rig_figures(rig, "acme"), REFOLD_STEP_RECORDS + 10);
}

static void quarantine_of_another_machine_is_not_ours(void **state)
{
    struct rig *rig = *state;
    struct event event = small_control_event("acme", CONTROL_CONTROL_quarantine);
    event_set_text(&event, CONTROL_MACHINE, slice_of("other"));
    event_set_int(&event, CONTROL_TARGET_SEQ, 1);
    small_control(&rig->ledger, "acme", &event);
    small_visit(&rig->ledger, "acme", "a");
    rig_run(rig);
    assert_int_equal(rig_tenant(rig, "acme")->stop, TENANT_RUNS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_three_snapshots_are_kept),
        TEST(a_damaged_snapshot_gives_way_to_an_older_one),
        TEST(without_any_readable_snapshot_the_ledger_is_read_from_its_beginning),
        TEST(a_log_that_lost_its_beginning_without_a_snapshot_is_refused),
        TEST(a_snapshot_is_taken_every_so_many_records),
        TEST(a_forked_child_writes_a_snapshot_while_the_fold_goes_on),
        TEST(a_breach_of_conservation_freezes_the_tenant_and_gives_no_snapshot),
        TEST(three_crashes_at_one_record_hold_its_tenant_and_ask_for_quarantine),
        TEST(a_record_that_is_passed_once_is_no_poison),
        TEST(quarantine_freezes_and_release_folds_anew),
        TEST(a_release_folds_anew_from_a_snapshot_when_the_log_lost_its_beginning),
        TEST(a_release_without_any_beginning_leaves_the_tenant_stopped_and_says_so),
        TEST(a_long_refold_goes_in_steps),
        TEST(quarantine_of_another_machine_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
