/* The reader: valid records behind the log, void blocks passed over, a stop where the ledger must stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "block_kit.h"
#include "ledger/ledger_reader.h"

struct bench {
    struct clock_manual clock;
    struct log *log;
    struct log_producer *producer;
    struct filter filter; /* of what was appended */
    struct block_reader decoded;
    struct kit_chain chain, other;
    struct ledger_reader *reader;
    struct err err;
};

static void append(struct bench *bench, struct slice block)
{
    const struct slice none = {NULL, 0};
    assert_int_equal(log_append(bench->producer, "sales.ledger", 0, none, block, none, &bench->err), OK);
    (void)filter_apply(&bench->filter, bench->filter.next_offset, block, &bench->decoded);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    const struct log_topic_spec spec = {.topic = "sales.ledger", .partitions = 1, .retention_ms = -1};
    struct filter from;
    clock_manual_init(&bench->clock, 1772000000000);
    bench->chain.writer = block_writer_new();
    bench->other.writer = block_writer_new();
    filter_init(&bench->filter, 0);
    filter_init(&from, 0);
    *state = bench;
    return log_memory_open(&bench->clock.clock, &bench->log, &bench->err) ||
           log_topic_ensure(bench->log, &spec, &bench->err) ||
           log_producer_open(bench->log, &bench->producer, &bench->err) ||
           ledger_reader_open(bench->log, "sales.ledger", &from, &bench->reader, &bench->err);
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    ledger_reader_destroy(&bench->reader);
    log_producer_destroy(&bench->producer);
    log_destroy(&bench->log);
    block_writer_destroy(&bench->chain.writer);
    block_writer_destroy(&bench->other.writer);
    free(bench);
    return 0;
}

static unsigned read_all(struct bench *bench, enum err_code *code)
{
    struct ledger_record record;
    unsigned count = 0;
    uint64_t last_seq = 0;
    for (bool got = true; got;) {
        *code = ledger_reader_next(bench->reader, &record, &got, &bench->err);
        if (*code != OK)
            break;
        assert_true(!got || record.seq > last_seq);
        last_seq = record.seq;
        count += got;
    }
    return count;
}

static void yields_valid_records_and_counts_what_is_void(void **state)
{
    struct bench *b = *state;
    enum err_code code;
    append(b, kit_open(&b->chain, 1, 77));
    append(b, kit_block(&b->chain, &b->filter, 3));
    append(b, SLICE("garbage"));
    append(b, kit_open(&b->other, 1, 88));
    append(b, kit_block(&b->chain, &b->filter, 2));
    assert_int_equal(read_all(b, &code), 5);
    assert_int_equal(code, OK);
    const uint64_t *counts = ledger_reader_counts(b->reader);
    assert_int_equal(counts[FILTER_VALID], 2);
    assert_int_equal(counts[FILTER_VALID_OPEN], 1);
    assert_int_equal(counts[FILTER_VOID_MALFORMED], 1);
    assert_int_equal(counts[FILTER_VOID_OPEN], 1);
    assert_memory_equal(ledger_reader_filter(b->reader), &b->filter, sizeof b->filter);
}

static void says_when_it_stands_between_blocks(void **state)
{
    struct bench *b = *state;
    struct ledger_record record;
    bool got;
    append(b, kit_open(&b->chain, 1, 77));
    append(b, kit_block(&b->chain, &b->filter, 2));
    assert_true(ledger_reader_between(b->reader));
    assert_int_equal(ledger_reader_next(b->reader, &record, &got, &b->err), OK);
    assert_false(ledger_reader_between(b->reader));
    assert_int_equal(ledger_reader_next(b->reader, &record, &got, &b->err), OK);
    assert_true(ledger_reader_between(b->reader));
}

static void stops_at_a_fork_and_stays_there(void **state)
{
    struct bench *b = *state;
    enum err_code code;
    append(b, kit_open(&b->chain, 1, 77));
    append(b, kit_block(&b->chain, &b->filter, 3));
    struct filter forked = b->filter;
    forked.hash.high ^= 1;
    append(b, kit_block(&b->chain, &forked, 1));
    assert_int_equal(read_all(b, &code), 3);
    assert_int_equal(code, ERR_FORK);
    assert_int_equal(read_all(b, &code), 0);
    assert_int_equal(code, ERR_FORK);
}

static void stops_where_the_log_no_longer_keeps_what_is_due(void **state)
{
    struct bench *b = *state;
    enum err_code code;
    append(b, kit_open(&b->chain, 1, 77));
    append(b, kit_block(&b->chain, &b->filter, 3));
    log_memory_truncate_front(b->log, "sales.ledger", 0, 1);
    assert_int_equal(read_all(b, &code), 0);
    assert_int_equal(code, ERR_GAP);
}

static void a_block_of_an_unknown_schema_stops_the_reader_in_front_of_it(void **state)
{
    struct bench *b = *state;
    enum err_code code;
    ledger_reader_expect(b->reader, 5);
    append(b, kit_open(&b->chain, 1, 77));
    b->chain.header.schema = 5;
    append(b, kit_block(&b->chain, &b->filter, 3));
    assert_int_equal(read_all(b, &code), 3);
    assert_int_equal(code, OK);
    uint64_t seq = ledger_reader_filter(b->reader)->seq;
    b->chain.header.schema = 6;
    append(b, kit_block(&b->chain, &b->filter, 1));
    assert_int_equal(read_all(b, &code), 0);
    assert_int_equal(code, ERR_CONFIG);
    assert_int_equal(ledger_reader_filter(b->reader)->seq, seq);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_block_of_an_unknown_schema_stops_the_reader_in_front_of_it),
        TEST(yields_valid_records_and_counts_what_is_void),
        TEST(says_when_it_stands_between_blocks),
        TEST(stops_at_a_fork_and_stays_there),
        TEST(stops_where_the_log_no_longer_keeps_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
