/* The writer's state is a function of the ledger: folded from the beginning or from a snapshot, by the leader or by a
 * follower, it is the same to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "service_kit.h"

enum { EVENTS = 300 };

static void produce(struct kit *kit)
{
    char value[512];
    for (int i = 0; i < EVENTS; i++) {
        snprintf(value, sizeof value,
                 "{\"type\":\"lead\",\"tenant\":\"t%d\",\"event_id\":\"e%d\",\"source\":\"crm\",\"source_seq\":%d,"
                 "\"occurred_at\":1772000000000,\"lead_id\":\"L%d\",\"action\":\"scored\",\"score\":%d}",
                 i % 5, i % 97, i, i % 11, i % 97 % 7);
        char tenant[8];
        snprintf(tenant, sizeof tenant, "t%d", i % 5);
        kit_send(kit, LEDGER_SOURCE_LEADS, tenant, i % 31 ? value : "{broken");
        if (i % 10 == 0) {
            clock_manual_advance(&kit->clock, 700);
            kit_settle(kit);
        }
    }
    kit_pass(kit, 3000);
}

/* Folds the ledger from where `writer` stands up to `until` blocks in all. */
static void follow(struct kit *kit, struct writer *writer, unsigned until)
{
    struct ledger_reader *reader = NULL;
    struct ledger_block block;
    bool got = true;
    assert_int_equal(ledger_reader_open(kit->log, "sales.ledger", writer_filter(writer), &reader, &kit->err), OK);
    for (unsigned i = 0; i < until && got; i++) {
        assert_int_equal(ledger_reader_block(reader, &block, &got, &kit->err), OK);
        if (got && writer_read(writer, &block, &kit->err) != OK)
            fail_msg("%s", kit->err.text);
    }
    ledger_reader_destroy(&reader);
}

static void saves_the_same_bytes_from_the_beginning_and_from_a_snapshot(void **state)
{
    struct kit *kit = *state;
    produce(kit);
    struct writer *whole = writer_new(kit->codec, 0, 1);
    struct buf expected = {0};
    follow(kit, whole, UINT32_MAX);
    writer_save(whole, &expected);
    assert_true(writer_state(whole)->tenants.count == 5);
    for (unsigned blocks = 0; blocks < 30; blocks += 7) {
        struct writer *first = writer_new(kit->codec, 0, 1), *second = writer_new(kit->codec, 0, 1);
        struct buf snapshot = {0}, saved = {0};
        follow(kit, first, blocks);
        writer_save(first, &snapshot);
        assert_int_equal(writer_load(second, buf_slice(&snapshot), &kit->err), OK);
        follow(kit, second, UINT32_MAX);
        writer_save(second, &saved);
        assert_int_equal(saved.n, expected.n);
        assert_memory_equal(saved.p, expected.p, saved.n);
        writer_destroy(&first);
        writer_destroy(&second);
        buf_close(&snapshot);
        buf_close(&saved);
    }
    writer_destroy(&whole);
    buf_close(&expected);
}

static void the_leader_s_counters_are_those_a_follower_folds(void **state)
{
    struct kit *kit = *state;
    struct ledger_service_status status;
    produce(kit);
    struct writer *follower = writer_new(kit->codec, 0, 1);
    follow(kit, follower, UINT32_MAX);
    ledger_service_status(kit->service, &status);
    assert_memory_equal(&status.totals, writer_confirmed(follower), sizeof status.totals);
    assert_int_equal(ledger_received(&status.totals.sources[LEDGER_SOURCE_LEADS]), EVENTS);
    writer_destroy(&follower);
}

static void a_damaged_snapshot_is_refused_wherever_it_is_cut(void **state)
{
    struct kit *kit = *state;
    struct buf saved = {0};
    produce(kit);
    struct writer *whole = writer_new(kit->codec, 0, 1);
    follow(kit, whole, UINT32_MAX);
    writer_save(whole, &saved);
    for (size_t n = 0; n < saved.n; n += 13) {
        struct writer *writer = writer_new(kit->codec, 0, 1);
        assert_int_equal(writer_load(writer, slice_make(saved.p, n), &kit->err), ERR_CORRUPT);
        writer_destroy(&writer);
    }
    writer_destroy(&whole);
    buf_close(&saved);
}

static void an_unreadable_snapshot_is_passed_over_for_the_one_before(void **state)
{
    struct kit *kit = *state;
    struct store_writer *object = NULL;
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e1", ""));
    kit_settle(kit);
    ledger_service_lead(kit->service, false);
    kit_settle(kit);
    ledger_service_destroy(&kit->service);
    assert_int_equal(
        store_create(kit->store, "ledger/0/9999999999-0000000000-00000000000000000000", &object, &kit->err), OK);
    assert_int_equal(store_write(object, SLICE("no snapshot at all"), &kit->err), OK);
    assert_int_equal(store_commit(&object, &kit->err), OK);
    kit->service = kit_service(kit);
    ledger_service_lead(kit->service, true);
    kit_send(kit, LEDGER_SOURCE_LEADS, "acme", KIT_LEAD("e2", ""));
    kit_settle(kit);
    assert_int_equal(kit_totals(kit, LEDGER_SOURCE_LEADS).accepted, 2);
}

/* Else a sender could make ids that crowd in one place. */
static void the_first_open_of_a_ledger_seeds_the_hashes_of_ids(void **state)
{
    struct kit *kit = *state;
    struct writer *writer = writer_new(kit->codec, 0, 1), *loaded = writer_new(kit->codec, 0, 1);
    struct event *event = calloc(1, sizeof *event);
    struct buf scratch = {0}, saved = {0};
    produce(kit);
    event->type = EVENT_LEAD;
    event_set_text(event, EV_TENANT, SLICE("acme"));
    event_set_text(event, EV_EVENT_ID, SLICE("e1"));
    uint64_t unseeded = writer_identity_of(writer_state(writer), event, &scratch).id;
    follow(kit, writer, UINT32_MAX);
    buf_clear(&scratch);
    uint64_t seeded = writer_identity_of(writer_state(writer), event, &scratch).id;
    assert_true(seeded != unseeded);
    writer_save(writer, &saved);
    assert_int_equal(writer_load(loaded, buf_slice(&saved), &kit->err), OK);
    buf_clear(&scratch);
    assert_true(writer_identity_of(writer_state(loaded), event, &scratch).id == seeded);
    buf_close(&scratch);
    buf_close(&saved);
    free(event);
    writer_destroy(&writer);
    writer_destroy(&loaded);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_open_of_a_ledger_seeds_the_hashes_of_ids),
        TEST(saves_the_same_bytes_from_the_beginning_and_from_a_snapshot),
        TEST(the_leader_s_counters_are_those_a_follower_folds),
        TEST(a_damaged_snapshot_is_refused_wherever_it_is_cut),
        TEST(an_unreadable_snapshot_is_passed_over_for_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
