/* What becomes of a raw record: identity, imports as lived, outputs of machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "service_kit.h"

static struct kit_counts settled(struct kit *kit)
{
    kit_settle(kit);
    return kit_counts_of(kit);
}

static void send_control(struct kit *kit, const char *control, const char *run, const char *more)
{
    char value[512];
    snprintf(value, sizeof value,
             "{\"type\":\"control\",\"tenant\":\"acme\",\"event_id\":\"%s/%s\",\"source\":\"import\",\"source_seq\":0,"
             "\"occurred_at\":1772000000000,\"control\":\"%s\",\"run_id\":\"%s\"%s}",
             run, control, control, run, more);
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme", value);
}

static void the_same_id_of_another_tenant_or_type_is_another_event(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "beta",
             "{\"type\":\"lead\",\"tenant\":\"beta\",\"event_id\":\"e1\",\"source\":\"crm\",\"source_seq\":1,"
             "\"occurred_at\":1772000000000,\"lead_id\":\"L1\",\"action\":\"scored\",\"score\":1}");
    kit_send(kit, LEDGER_SOURCE_FACTS, "acme",
             "{\"type\":\"fact\",\"tenant\":\"acme\",\"event_id\":\"e1\",\"source\":\"crm\",\"source_seq\":1,"
             "\"occurred_at\":1772000000000,\"fact_id\":\"f\",\"kind\":\"task\",\"status\":\"open\"}");
    assert_int_equal(settled(kit).kinds[LEDGER_EVENT], 3);
}

static void recorded_at_and_source_seq_do_not_make_another_body(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme",
             "{\"type\":\"lead\",\"tenant\":\"acme\",\"event_id\":\"e1\",\"source\":\"crm\",\"source_seq\":77,"
             "\"occurred_at\":1772000000000,\"recorded_at\":1772000005000,\"lead_id\":\"L1\",\"action\":\"scored\","
             "\"score\":1}");
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 1);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).rejected, 0);
}

static void a_reject_does_not_occupy_its_identity(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ",\"nonsense\":1"));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 1);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).rejected, 1);
}

static void a_repeat_after_48_hours_is_accepted_again(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    clock_manual_advance(&kit->clock, ID_HORIZON_MS - 1);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 1);
    clock_manual_advance(&kit->clock, 1);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 2);
}

static void the_key_must_be_the_tenant(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "other", KIT_LEAD("e1", ""));
    assert_int_equal(settled(kit).totals.reasons[REJECT_wrong_tenant], 1);
}

static void a_run_takes_its_records_and_keeps_live_ones_out(void **state)
{
    struct kit *kit = *state;
    send_control(kit, "backfill_begin", "run1", "");
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme", KIT_LEAD("i1", ""));
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme", KIT_LEAD("i2", ""));
    kit_settle(kit);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    send_control(kit, "backfill_end", "run1", "");
    kit_settle(kit);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e2", ""));
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.kinds[LEDGER_IMPORT], 2);
    assert_int_equal(counts.kinds[LEDGER_CONTROL], 2);
    assert_int_equal(counts.kinds[LEDGER_EVENT], 1);
    assert_int_equal(counts.totals.reasons[REJECT_backfill_running], 1);
}

static void a_run_is_refused_once_the_clock_has_started(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    send_control(kit, "backfill_begin", "run1", "");
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme", KIT_LEAD("i1", ""));
    send_control(kit, "backfill_end", "run1", "");
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.totals.reasons[REJECT_backfill_refused], 3);
    assert_int_equal(counts.kinds[LEDGER_IMPORT], 0);
}

static void a_second_run_beside_the_first_is_refused_but_a_repeated_begin_is_a_duplicate(void **state)
{
    struct kit *kit = *state;
    send_control(kit, "backfill_begin", "run1", "");
    send_control(kit, "backfill_begin", "run2", "");
    send_control(kit, "backfill_end", "run2", "");
    send_control(kit, "backfill_begin", "run1", "");
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.totals.reasons[REJECT_backfill_refused], 2);
    assert_int_equal(counts.kinds[LEDGER_CONTROL], 1);
    kit_pass(kit, 1000);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_IMPORT).duplicate, 1);
}

static void a_bad_line_before_a_run_is_rejected_for_its_own_reason(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme", "not even json");
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.totals.reasons[REJECT_bad_json], 1);
    assert_int_equal(counts.totals.reasons[REJECT_backfill_refused], 0);
}

static void controls_of_the_ledger_itself_are_not_taken_from_outside(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme",
             "{\"type\":\"control\",\"tenant\":\"acme\",\"event_id\":\"x\",\"source\":\"import\",\"source_seq\":0,"
             "\"occurred_at\":1772000000000,\"control\":\"gap\",\"from\":1,\"to\":2}");
    assert_int_equal(settled(kit).kinds[LEDGER_CONTROL], 0);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_IMPORT).rejected, 1);
}

static void send_poison_control(struct kit *kit, const char *id, const char *source, const char *control,
                                const char *more)
{
    char value[512];
    snprintf(value, sizeof value,
             "{\"type\":\"control\",\"tenant\":\"acme\",\"event_id\":\"%s\",\"source\":\"%s\",\"source_seq\":0,"
             "\"occurred_at\":1772000000000,\"control\":\"%s\"%s}",
             id, source, control, more);
    kit_send(kit, LEDGER_SOURCE_IMPORT, "acme", value);
}

static void a_machine_may_ask_for_a_quarantine_and_an_operator_for_its_end(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    send_poison_control(kit, "q", "funnel", "quarantine", ",\"machine\":\"funnel\",\"target_seq\":1");
    send_poison_control(kit, "r", "operator", "release", ",\"machine\":\"funnel\"");
    send_poison_control(kit, "v", "operator", "machine_version", ",\"machine\":\"funnel\",\"version\":1");
    assert_int_equal(settled(kit).kinds[LEDGER_CONTROL], 3);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_IMPORT).accepted, 3);
}

static void a_machine_s_own_record_of_a_quarantine_is_taken(void **state)
{
    struct kit *kit = *state;
    struct event *event = calloc(1, sizeof *event);
    struct buf value = {0};
    event->type = EVENT_CONTROL;
    event_set_text(event, EV_TENANT, SLICE("acme"));
    event_set_text(event, EV_EVENT_ID, SLICE("quarantine-funnel-1-1772000000000"));
    event_set_text(event, EV_SOURCE, SLICE("funnel"));
    event_set_int(event, EV_SOURCE_SEQ, 0);
    event_set_int(event, EV_OCCURRED_AT, KIT_START_MS);
    event_set_int(event, CONTROL_CONTROL, CONTROL_CONTROL_quarantine);
    event_set_text(event, CONTROL_MACHINE, SLICE("funnel"));
    event_set_int(event, CONTROL_TARGET_SEQ, 1);
    event_encode_single(kit->codec, event, &value);
    assert_int_equal(log_append(kit->producer, "sales.import", 0, SLICE("acme"), buf_slice(&value),
                                (struct slice){NULL, 0}, &kit->err),
                     OK);
    buf_close(&value);
    free(event);
    assert_int_equal(settled(kit).kinds[LEDGER_CONTROL], 1);
}

static void nobody_else_may_freeze_or_release_a_tenant(void **state)
{
    struct kit *kit = *state;
    send_poison_control(kit, "q", "crm", "quarantine", ",\"machine\":\"funnel\",\"target_seq\":1");
    send_poison_control(kit, "r", "crm", "release", ",\"machine\":\"funnel\"");
    send_poison_control(kit, "v", "funnel", "machine_version", ",\"machine\":\"funnel\",\"version\":9");
    send_poison_control(kit, "m", "operator", "release", "");
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.kinds[LEDGER_CONTROL], 0);
    assert_int_equal(counts.totals.reasons[REJECT_bad_id], 3);
    assert_int_equal(counts.totals.reasons[REJECT_missing_field], 1);
}

/* --- outputs of machines --- */

static void send_attest_of(struct kit *kit, uint32_t shard, uint64_t n, uint64_t seq)
{
    struct event *event = calloc(1, sizeof *event);
    struct buf value = {0};
    event->type = EVENT_ATTEST;
    event_set_text(event, ATTEST_MACHINE, SLICE("funnel"));
    event_set_int(event, ATTEST_VERSION, 1);
    event_set_int(event, ATTEST_SHARD, shard);
    event_set_int(event, ATTEST_SEQ, (int64_t)seq);
    event_set_list(event, ATTEST_TENANTS, (struct slice){"", 0}, 0);
    event_set_int(event, ATTEST_N, (int64_t)n);
    event_encode_single(kit->codec, event, &value);
    struct slice none = {NULL, 0};
    assert_int_equal(log_append(kit->producer, "sales.attests", 0, none, buf_slice(&value), none, &kit->err), OK);
    buf_close(&value);
    free(event);
}

static void send_attest(struct kit *kit, uint64_t n, uint64_t seq) { send_attest_of(kit, 0, n, seq); }

static void outputs_are_taken_in_their_order_and_early_ones_wait_for_their_repeat(void **state)
{
    struct kit *kit = *state;
    send_attest(kit, 1, 10);
    send_attest(kit, 3, 30); /* 2 was lost */
    send_attest(kit, 2, 20);
    send_attest(kit, 3, 30);
    send_attest(kit, 3, 30);
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.kinds[LEDGER_ATTEST], 3);
    kit_pass(kit, 1000);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_ATTESTS).duplicate, 2);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_ATTESTS).rejected, 0);
}

static void an_output_that_contradicts_the_ledger_is_diverged(void **state)
{
    struct kit *kit = *state;
    struct ledger_service_status status;
    send_attest(kit, 1, 10);
    send_attest(kit, 1, 11);
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.kinds[LEDGER_ATTEST], 1);
    assert_int_equal(counts.totals.reasons[REJECT_conflict], 1);
    ledger_service_status(kit->service, &status);
    assert_int_equal(status.diverged, 1);
}

static void an_attest_of_another_shard_is_rejected(void **state)
{
    struct kit *kit = *state;
    send_attest_of(kit, 1, 1, 10);
    struct kit_counts counts = settled(kit);
    assert_int_equal(counts.kinds[LEDGER_ATTEST], 0);
    assert_int_equal(counts.totals.reasons[REJECT_out_of_range], 1);
}

/* --- full tables: as decide() sees them --- */

struct door {
    struct writer_state state;
    struct decider *decider;
    struct decision *decision;
    struct buf value;
};

static struct door *door_new(struct kit *kit)
{
    struct door *door = calloc(1, sizeof *door);
    writer_state_init(&door->state, kit->codec);
    assert_non_null(writer_tenants_add(&door->state.tenants, SLICE("acme")));
    door->decider = decider_new(kit->codec);
    door->decision = calloc(1, sizeof *door->decision);
    return door;
}

static void door_destroy(struct door *door)
{
    door->state.tenants.count = 1;
    door->state.outputs.count = 0;
    writer_state_close(&door->state);
    decider_destroy(&door->decider);
    buf_close(&door->value);
    free(door->decision);
    free(door);
}

static enum reject_reason door_decide(struct door *door, enum ledger_source source, const char *tenant)
{
    struct log_record log = {.append_ms = KIT_START_MS, .key = slice_of(tenant), .value = buf_slice(&door->value)};
    const struct raw_record raw = {source, 0, 1, &log};
    door->decision->reject.reason = REJECT_NONE;
    decide(door->decider, &door->state, &raw, door->decision);
    return door->decision->class == DECISION_REJECT ? door->decision->reject.reason : REJECT_NONE;
}

static enum reject_reason decide_alert(struct kit *kit, struct door *door, const char *tenant)
{
    struct event *event = calloc(1, sizeof *event);
    size_t count;
    const struct event_field *fields = event_fields(EVENT_ALERT, &count);
    event->type = EVENT_ALERT;
    for (unsigned i = 0; i < count; i++)
        if (fields[i].required) {
            event->v[i] = (struct event_value){.s = SLICE("a")};
            event->present |= UINT64_C(1) << i;
        }
    event_set_text(event, ALERT_TENANT, slice_of(tenant));
    event_set_text(event, ALERT_MACHINE, SLICE("funnel"));
    event_set_int(event, ALERT_N, 1);
    buf_clear(&door->value);
    event_encode_single(kit->codec, event, &door->value);
    free(event);
    return door_decide(door, LEDGER_SOURCE_ALERTS, tenant);
}

static enum reject_reason decide_lead(struct door *door, const char *tenant)
{
    buf_clear(&door->value);
    buf_addf(&door->value,
             "{\"type\":\"lead\",\"tenant\":\"%s\",\"event_id\":\"e1\",\"source\":\"crm\",\"source_seq\":1,"
             "\"occurred_at\":1772000000000,\"lead_id\":\"L1\",\"action\":\"scored\",\"score\":1}",
             tenant);
    return door_decide(door, LEDGER_SOURCE_LEADS, tenant);
}

static void a_full_shard_takes_events_and_alerts_of_its_tenants_only(void **state)
{
    struct kit *kit = *state;
    struct door *door = door_new(kit);
    assert_int_equal(decide_lead(door, "beta"), REJECT_NONE);
    assert_int_equal(decide_alert(kit, door, "beta"), REJECT_NONE);
    door->state.tenants.count = WRITER_TENANTS_MAX;
    assert_int_equal(decide_lead(door, "beta"), REJECT_too_many);
    assert_int_equal(decide_alert(kit, door, "beta"), REJECT_too_many);
    assert_int_equal(decide_lead(door, "acme"), REJECT_NONE);
    assert_int_equal(decide_alert(kit, door, "acme"), REJECT_NONE);
    door_destroy(door);
}

static void a_full_table_of_outputs_refuses_a_new_machine_and_tenant(void **state)
{
    struct kit *kit = *state;
    struct door *door = door_new(kit);
    door->state.outputs.count = WRITER_OUTPUTS_MAX;
    assert_int_equal(decide_alert(kit, door, "acme"), REJECT_too_many);
    door_destroy(door);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_same_id_of_another_tenant_or_type_is_another_event),
        TEST(recorded_at_and_source_seq_do_not_make_another_body),
        TEST(a_reject_does_not_occupy_its_identity),
        TEST(a_repeat_after_48_hours_is_accepted_again),
        TEST(the_key_must_be_the_tenant),
        TEST(a_run_takes_its_records_and_keeps_live_ones_out),
        TEST(a_run_is_refused_once_the_clock_has_started),
        TEST(a_second_run_beside_the_first_is_refused_but_a_repeated_begin_is_a_duplicate),
        TEST(a_bad_line_before_a_run_is_rejected_for_its_own_reason),
        TEST(controls_of_the_ledger_itself_are_not_taken_from_outside),
        TEST(a_machine_may_ask_for_a_quarantine_and_an_operator_for_its_end),
        TEST(a_machine_s_own_record_of_a_quarantine_is_taken),
        TEST(nobody_else_may_freeze_or_release_a_tenant),
        TEST(outputs_are_taken_in_their_order_and_early_ones_wait_for_their_repeat),
        TEST(an_output_that_contradicts_the_ledger_is_diverged),
        TEST(an_attest_of_another_shard_is_rejected),
        TEST(a_full_shard_takes_events_and_alerts_of_its_tenants_only),
        TEST(a_full_table_of_outputs_refuses_a_new_machine_and_tenant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
