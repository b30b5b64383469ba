/* A block gives back what was put in, and nothing else is ever read as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "block_kit.h"

static int setup(void **state)
{
    *state = block_writer_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    block_writer_destroy((struct block_writer **)state);
    return 0;
}

static const struct block_header some_header = {.shard = 3,
                                                .branch = 1,
                                                .epoch = 7,
                                                .writer = 0x1122334455667788,
                                                .first_seq = 100,
                                                .time_ms = 5000,
                                                .prefix = {11, 12},
                                                .schema = 99};

static void assert_same(const struct ledger_record *a, const struct ledger_record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->dups_before, b->dups_before);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_int_equal(a->tenant_seq, b->tenant_seq);
    assert_true(slice_eq(a->tenant, b->tenant));
    assert_true(slice_eq(a->body, b->body));
}

static void gives_back_every_field_of_every_record(void **state)
{
    struct block_writer *writer = *state;
    struct ledger_record records[] = {
        kit_record("acme", 1, 1000000, 5000, "first"),
        kit_record("beta", 900, 1000001, 5003, ""),
        {.time_ms = 5003, .source = LEDGER_SOURCE_NONE, .kind = LEDGER_TICK, .type = 0xff, .body = SLICE("tick")},
        kit_record("acme", 2, 1000009, 9000, "second"),
        {.time_ms = 9000,
         .source = LEDGER_SOURCE_VISITS,
         .kind = LEDGER_REJECT,
         .type = 9,
         .number = 4,
         .dups_before = 3,
         .body = SLICE("no")},
    };
    enum { COUNT = sizeof records / sizeof *records };
    block_begin(writer, &some_header);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(block_add(writer, &records[i]));
    struct slice bytes = block_end(writer);

    struct block_reader *reader = calloc(1, sizeof *reader);
    assert_int_equal(block_open(reader, bytes, NULL), OK);
    assert_int_equal(reader->header.count, COUNT);
    assert_int_equal(reader->header.first_seq, 100);
    assert_int_equal(reader->header.last_ms, 9000);
    assert_int_equal(reader->header.writer, some_header.writer);
    assert_int_equal(reader->header.prefix.high, 12);
    struct ledger_record record;
    bool bad;
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(block_next(reader, &record, &bad));
        assert_int_equal(record.seq, 100 + i);
        assert_same(&record, &records[i]);
    }
    assert_false(block_next(reader, &record, &bad));
    assert_false(bad);
    free(reader);
}

static void any_flipped_byte_is_noticed(void **state)
{
    struct block_writer *writer = *state;
    struct ledger_record record = kit_record("acme", 1, 5, 5001, "a body");
    block_begin(writer, &some_header);
    block_add(writer, &record);
    struct slice bytes = block_end(writer);
    struct block_reader *reader = calloc(1, sizeof *reader);
    char *copy = malloc(bytes.n);
    for (size_t i = 0; i < bytes.n; i++) {
        memcpy(copy, bytes.p, bytes.n);
        copy[i] = (char)(copy[i] ^ 0x20);
        assert_int_equal(block_open(reader, slice_make(copy, bytes.n), NULL), ERR_BAD_INPUT);
    }
    for (size_t n = 0; n < bytes.n; n++)
        assert_int_equal(block_open(reader, slice_make(bytes.p, n), NULL), ERR_BAD_INPUT);
    free(copy);
    free(reader);
}

static void is_full_at_4096_records(void **state)
{
    struct block_writer *writer = *state;
    block_begin(writer, &some_header);
    for (unsigned i = 0; i < BLOCK_RECORDS_MAX; i++) {
        char tenant[16];
        snprintf(tenant, sizeof tenant, "t%u", i);
        struct ledger_record record = kit_record(tenant, 1, i, 5001, "");
        assert_true(block_add(writer, &record));
    }
    struct ledger_record more = kit_record("acme", 1, 9999, 5001, "");
    assert_false(block_add(writer, &more));
    struct block_reader *reader = calloc(1, sizeof *reader);
    assert_int_equal(block_open(reader, block_end(writer), NULL), OK);
    struct ledger_record record;
    bool bad;
    unsigned count = 0;
    while (block_next(reader, &record, &bad))
        count++;
    assert_int_equal(count, BLOCK_RECORDS_MAX);
    assert_false(bad);
    assert_true(slice_is(record.tenant, "t4095"));
    free(reader);
}

static void a_record_larger_than_a_block_stands_alone(void **state)
{
    struct block_writer *writer = *state;
    size_t n = 1000 * 1000;
    char *large = calloc(1, n);
    struct ledger_record small = kit_record("acme", 1, 1, 5001, "x");
    struct ledger_record big = kit_record("acme", 2, 2, 5001, "");
    big.body = slice_make(large, n);
    block_begin(writer, &some_header);
    assert_true(block_add(writer, &small));
    assert_false(block_add(writer, &big));
    block_begin(writer, &some_header);
    assert_true(block_add(writer, &big));
    assert_false(block_add(writer, &small));
    struct block_reader *reader = calloc(1, sizeof *reader);
    assert_int_equal(block_open(reader, block_end(writer), NULL), OK);
    struct ledger_record record;
    bool bad;
    assert_true(block_next(reader, &record, &bad));
    assert_int_equal(record.body.n, n);
    free(reader);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_every_field_of_every_record, setup, teardown),
        cmocka_unit_test_setup_teardown(any_flipped_byte_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(is_full_at_4096_records, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_larger_than_a_block_stands_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
