/* The ledger service of a shard: counts what it reads back, survives what the log does, stops when it must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "service_kit.h"

static void accepts_repeats_and_rejects_add_up_to_what_was_received(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", "{oops");
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ",\"reason\":\"other\""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e2", ""));
    kit_settle(kit);
    struct ledger_source_totals leads = kit_totals(kit, LEDGER_SOURCE_LEADS);
    assert_int_equal(leads.accepted, 2);
    assert_int_equal(leads.duplicate, 1);
    assert_int_equal(leads.rejected, 2);
    assert_int_equal(leads.position, 4);
    struct kit_counts counts = kit_counts_of(kit);
    assert_int_equal(counts.kinds[LEDGER_EVENT], 2);
    assert_int_equal(counts.totals.reasons[REJECT_bad_json], 1);
    assert_int_equal(counts.totals.reasons[REJECT_conflict], 1);
}

static void twenty_events_are_twenty_records(void **state)
{
    struct kit *kit = *state;
    for (unsigned i = 0; i < 20; i++) {
        char event[256];
        snprintf(event, sizeof event,
                 "{\"type\":\"lead\",\"tenant\":\"acme\",\"event_id\":\"n%u\",\"source\":\"crm\",\"source_seq\":1,"
                 "\"occurred_at\":1772000000000,\"lead_id\":\"L1\",\"action\":\"scored\",\"score\":1}",
                 i);
        kit_send(kit, LEDGER_SOURCE_LEADS, "acme", event);
    }
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 20);
    assert_int_equal(kit_counts_of(kit).kinds[LEDGER_EVENT], 20);
}

static void a_rejected_record_keeps_its_bytes_and_origin(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_ORDERS, "acme", "{}");
    assert_int_equal(
        log_append(kit->producer, "sales.leads", 0, SLICE("acme"), SLICE("{oops"), SLICE("in.csv:17"), &kit->err), OK);
    kit_settle(kit);
    const struct log_source source = {"sales.rejects", 0, 0};
    struct log_consumer *consumer = NULL;
    struct log_record records[8];
    size_t got = 0;
    assert_int_equal(log_consumer_open(kit->log, NULL, &source, 1, &consumer, &kit->err), OK);
    assert_int_equal(log_poll(consumer, 0, records, 8, &got, &kit->err), OK);
    assert_int_equal(got, 2);
    bool found = false;
    for (size_t i = 0; i < got; i++) {
        if (!slice_is(records[i].key, "sales.leads/0/0"))
            continue;
        struct event *event = calloc(1, sizeof *event);
        found = true;
        struct slice datum = slice_make(records[i].value.p + 10, records[i].value.n - 10);
        assert_int_equal(event_decode_body(kit->codec, EVENT_REJECT, datum, event, &kit->err), OK);
        assert_true(slice_is(event->v[REJECT_RAW].s, "{oops"));
        assert_true(slice_is(event->v[REJECT_REASON].s, "bad_json"));
        assert_true(slice_is(event->v[REJECT_FILE].s, "in.csv"));
        assert_int_equal(event->v[REJECT_LINE].i, 17);
        assert_int_equal(event->v[REJECT_BYTES].i, 5);
        assert_int_equal(event->v[REJECT_SHA256].s.n, 64);
        free(event);
    }
    assert_true(found);
    log_consumer_destroy(&consumer);
}

static void duplicates_behind_the_last_record_are_told_by_the_next_tick(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).position, 0);
    kit_pass(kit, 1000);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).duplicate, 1);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).position, 1);
}

static void ticks_grow_rare_when_nothing_happens(void **state)
{
    struct kit *kit = *state;
    kit_settle(kit);
    kit_pass(kit, 60000);
    unsigned minute = kit_counts_of(kit).kinds[LEDGER_TICK];
    assert_in_range(minute, 55, 62);
    kit_pass(kit, 60000);
    assert_in_range(kit_counts_of(kit).kinds[LEDGER_TICK] - minute, 3, 5);
}

static void a_lost_block_is_written_again_once(void **state)
{
    static const enum log_fault faults[] = {LOG_FAULT_LOST, LOG_FAULT_UNKNOWN, LOG_FAULT_LATE};
    struct kit *kit = *state;
    kit_settle(kit);
    for (unsigned f = 0; f < 3; f++) {
        char event[256];
        snprintf(event, sizeof event,
                 "{\"type\":\"lead\",\"tenant\":\"acme\",\"event_id\":\"f%u\",\"source\":\"crm\",\"source_seq\":1,"
                 "\"occurred_at\":1772000000000,\"lead_id\":\"L1\",\"action\":\"scored\",\"score\":1}",
                 f);
        kit_send(kit, LEDGER_SOURCE_LEADS, "acme", event);
        log_memory_fault(kit->log, faults[f], 1, 3);
        for (unsigned i = 0; i < 20; i++) {
            kit_settle(kit);
            clock_manual_advance(&kit->clock, 100);
        }
    }
    struct ledger_service_status status;
    ledger_service_status(kit->service, &status);
    assert_in_range(status.troubles, 3, 4);
    assert_int_equal(status.totals.sources[LEDGER_SOURCE_LEADS].accepted, 3);
    assert_int_equal(kit_counts_of(kit).kinds[LEDGER_EVENT], 3);
}

static void a_second_writer_takes_over_and_the_first_one_lets_go(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    struct ledger_service *second = kit_service(kit);
    ledger_service_lead(second, true);
    assert_int_equal(kit_settle_one(kit, second), OK);
    assert_int_equal(ledger_service_phase(second), LEDGER_RUNNING);
    ledger_service_lead(kit->service, false);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e2", ""));
    kit_settle(kit); /* the zombie may write before it reads */
    clock_manual_advance(&kit->clock, 1000);
    kit_settle(kit);
    assert_int_equal(kit_settle_one(kit, second), OK);
    kit_settle(kit);
    assert_int_equal(ledger_service_phase(kit->service), LEDGER_STANDBY);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 2);
    assert_int_equal(kit_counts_of(kit).kinds[LEDGER_EVENT], 2);
    ledger_service_destroy(&second);
}

static void resigning_writes_a_snapshot_from_which_the_next_one_goes_on(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    ledger_service_lead(kit->service, false);
    kit_settle(kit);
    struct ledger_service_status status;
    ledger_service_status(kit->service, &status);
    assert_int_equal(status.phase, LEDGER_STANDBY);
    assert_true(status.snapshot_seq > 0);
    ledger_service_destroy(&kit->service);
    kit->service = kit_service(kit);
    ledger_service_lead(kit->service, true);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e2", ""));
    kit_settle(kit);
    kit_pass(kit, 1000);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 2);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).duplicate, 1);
}

static void a_silence_of_more_than_a_minute_is_told_before_anything_else(void **state)
{
    struct kit *kit = *state;
    kit_settle(kit);
    kit_pass(kit, 1000);
    struct kit_counts before = kit_counts_of(kit);
    clock_manual_advance(&kit->clock, 30000);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", "")); /* waits in its topic meanwhile */
    clock_manual_advance(&kit->clock, 40000);
    kit_settle(kit);
    struct kit_counts after = kit_counts_of(kit);
    assert_int_equal(after.kinds[LEDGER_CONTROL], 1);
    assert_int_equal(after.first_ms[LEDGER_CONTROL], before.last_ms);
    assert_int_equal(after.first_ms[LEDGER_EVENT], KIT_START_MS + 31000); /* at its own time, not behind the gap */
}

static void a_stepped_clock_stops_the_shard_until_it_is_accepted(void **state)
{
    struct kit *kit = *state;
    const char *why;
    kit_settle(kit);
    kit->clock.now_ms += LEDGER_CLOCK_STEP_MS_MAX + 1;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    assert_true(ledger_service_clock_held(kit->service));
    assert_false(ledger_service_ready(kit->service, &why));
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 0);
    ledger_service_accept_clock(kit->service);
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 1);
    assert_true(ledger_service_ready(kit->service, &why));
}

static void a_smaller_step_is_drift(void **state)
{
    struct kit *kit = *state;
    kit_settle(kit);
    for (unsigned i = 0; i < 5; i++) {
        kit->clock.now_ms += LEDGER_CLOCK_STEP_MS_MAX;
        kit_settle(kit);
    }
    assert_false(ledger_service_clock_held(kit->service));
}

static void a_log_shorter_than_the_snapshot_stops_the_shard(void **state)
{
    struct kit *kit = *state;
    resigning_writes_a_snapshot_from_which_the_next_one_goes_on(state);
    ledger_service_destroy(&kit->service);
    log_producer_destroy(&kit->producer);
    log_destroy(&kit->log);
    assert_int_equal(log_memory_open(&kit->clock.clock, &kit->log, &kit->err), OK);
    kit_topics(kit);
    assert_int_equal(log_producer_open(kit->log, &kit->producer, &kit->err), OK);
    kit->service = kit_service(kit);
    assert_int_equal(kit_settle_one(kit, kit->service), ERR_GAP);
    assert_int_equal(ledger_service_phase(kit->service), LEDGER_STOPPED);
}

static void raw_records_gone_unread_stop_the_shard(void **state)
{
    struct kit *kit = *state;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    ledger_service_lead(kit->service, false);
    kit_settle(kit);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e2", ""));
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e3", ""));
    log_memory_truncate_front(kit->log, "sales.leads", 0, 2);
    ledger_service_lead(kit->service, true);
    assert_int_equal(kit_settle_one(kit, kit->service), ERR_GAP);
}

static struct ledger_known knows_more(void *context)
{
    (void)context;
    return (struct ledger_known){.epoch = 1, .seq = 1000};
}

static void does_not_open_when_others_know_more_than_the_log(void **state)
{
    struct kit *kit = *state;
    const struct ledger_service_config config = {.log = kit->log,
                                                 .store = kit->store,
                                                 .clock = &kit->clock.clock,
                                                 .codec = kit->codec,
                                                 .shards = 1,
                                                 .topic_prefix = "",
                                                 .ask_known = knows_more};
    ledger_service_destroy(&kit->service);
    kit->service = ledger_service_open(&config);
    ledger_service_lead(kit->service, true);
    assert_int_equal(kit_settle_one(kit, kit->service), ERR_GAP);
}

static struct ledger_service_status status_of(struct kit *kit)
{
    struct ledger_service_status status;
    ledger_service_status(kit->service, &status);
    return status;
}

/* Steps until the service has dropped its state and waits to load again. */
static void let_an_append_fail(struct kit *kit)
{
    bool busy;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    log_memory_fault(kit->log, LOG_FAULT_LOST, 1, 0);
    for (unsigned i = 0; i < 50 && status_of(kit).troubles == 0; i++)
        assert_int_equal(ledger_service_step(kit->service, &busy, &kit->err), OK);
    assert_int_equal(status_of(kit).troubles, 1);
}

static void does_not_open_on_a_log_that_lost_what_it_had_confirmed(void **state)
{
    struct kit *kit = *state;
    int64_t begin, end;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e0", ""));
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 1);
    assert_int_equal(log_range(kit->log, "sales.ledger", 0, 1000, &begin, &end, &kit->err), OK);
    let_an_append_fail(kit);
    log_memory_truncate_back(kit->log, "sales.ledger", 0, end - 1);
    clock_manual_advance(&kit->clock, LEDGER_RETRY_MS_MAX);
    assert_int_equal(kit_settle_one(kit, kit->service), ERR_GAP);
    assert_non_null(strstr(kit->err.text, "acknowledged"));
}

static struct ledger_known grown;
static struct ledger_known ask_grown(void *context)
{
    (void)context;
    return grown;
}

/* What the view says is asked for at every open, not once. */
static void asks_what_others_know_before_each_open(void **state)
{
    struct kit *kit = *state;
    const struct ledger_service_config config = {.log = kit->log,
                                                 .store = kit->store,
                                                 .clock = &kit->clock.clock,
                                                 .codec = kit->codec,
                                                 .shards = 1,
                                                 .topic_prefix = "",
                                                 .ask_known = ask_grown};
    grown = (struct ledger_known){0};
    ledger_service_destroy(&kit->service);
    kit->service = ledger_service_open(&config);
    ledger_service_lead(kit->service, true);
    kit_settle(kit);
    assert_int_equal(ledger_service_phase(kit->service), LEDGER_RUNNING);
    let_an_append_fail(kit);
    grown = (struct ledger_known){.epoch = 1, .seq = 1000};
    clock_manual_advance(&kit->clock, LEDGER_RETRY_MS_MAX);
    assert_int_equal(kit_settle_one(kit, kit->service), ERR_GAP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(accepts_repeats_and_rejects_add_up_to_what_was_received),
        TEST(twenty_events_are_twenty_records),
        TEST(a_rejected_record_keeps_its_bytes_and_origin),
        TEST(duplicates_behind_the_last_record_are_told_by_the_next_tick),
        TEST(ticks_grow_rare_when_nothing_happens),
        TEST(a_lost_block_is_written_again_once),
        TEST(a_second_writer_takes_over_and_the_first_one_lets_go),
        TEST(resigning_writes_a_snapshot_from_which_the_next_one_goes_on),
        TEST(a_silence_of_more_than_a_minute_is_told_before_anything_else),
        TEST(a_stepped_clock_stops_the_shard_until_it_is_accepted),
        TEST(a_smaller_step_is_drift),
        TEST(a_log_shorter_than_the_snapshot_stops_the_shard),
        TEST(raw_records_gone_unread_stop_the_shard),
        TEST(does_not_open_when_others_know_more_than_the_log),
        TEST(does_not_open_on_a_log_that_lost_what_it_had_confirmed),
        TEST(asks_what_others_know_before_each_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
