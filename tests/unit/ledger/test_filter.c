/* Which blocks are the ledger: the table of filter.h, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include <xxhash.h>

#include "block_kit.h"

struct bench {
    struct filter filter;
    struct kit_chain chain, other;
    struct block_reader reader;
    struct buf kept;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->chain.writer = block_writer_new();
    bench->other.writer = block_writer_new();
    bench->chain.header.shard = bench->other.header.shard = 3;
    filter_init(&bench->filter, 3);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    block_writer_destroy(&bench->chain.writer);
    block_writer_destroy(&bench->other.writer);
    buf_close(&bench->kept);
    free(bench);
    return 0;
}

static enum filter_verdict apply(struct bench *bench, struct slice bytes)
{
    return filter_apply(&bench->filter, bench->filter.next_offset, bytes, &bench->reader);
}

/* Bytes that survive the writer's next block. */
static struct slice keep(struct bench *bench, struct slice bytes)
{
    buf_clear(&bench->kept);
    buf_add_slice(&bench->kept, bytes);
    return buf_slice(&bench->kept);
}

static void an_open_and_its_blocks_are_valid_and_dense(void **state)
{
    struct bench *b = *state;
    assert_int_equal(apply(b, kit_open(&b->chain, 1, 77)), FILTER_VALID_OPEN);
    assert_int_equal(b->filter.seq, 1);
    assert_int_equal(apply(b, kit_block(&b->chain, &b->filter, 3)), FILTER_VALID);
    assert_int_equal(b->filter.seq, 4);
    assert_int_equal(b->filter.time_ms, 10);
    assert_int_equal(apply(b, kit_block(&b->chain, &b->filter, 1)), FILTER_VALID);
    assert_int_equal(b->filter.seq, 5);
    assert_int_equal(b->filter.next_offset, 3);
}

static void an_open_that_is_not_newer_is_void(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 2, 77));
    assert_int_equal(apply(b, kit_open(&b->other, 2, 88)), FILTER_VOID_OPEN);
    assert_int_equal(apply(b, kit_open(&b->other, 1, 88)), FILTER_VOID_OPEN);
    assert_int_equal(b->filter.writer, 77);
    assert_int_equal(b->filter.seq, 1);
}

static void a_zombie_of_an_older_epoch_is_void_even_with_the_right_seq_and_hash(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 1, 77));
    apply(b, kit_open(&b->other, 2, 88));
    struct filter before = b->filter;
    assert_int_equal(apply(b, kit_block(&b->chain, &b->filter, 2)), FILTER_VOID_EPOCH);
    assert_int_equal(b->filter.seq, before.seq);
    assert_int_equal(b->filter.hash.low, before.hash.low);
    assert_int_equal(b->filter.next_offset, before.next_offset + 1);
}

static void a_block_of_the_same_epoch_by_another_writer_is_void(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 2, 77));
    apply(b, kit_open(&b->other, 2, 88));
    assert_int_equal(apply(b, kit_block(&b->other, &b->filter, 2)), FILTER_VOID_WRITER);
}

static void a_repeated_block_is_void(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 1, 77));
    struct slice block = keep(b, kit_block(&b->chain, &b->filter, 2));
    assert_int_equal(apply(b, block), FILTER_VALID);
    assert_int_equal(apply(b, block), FILTER_VOID_SEQ);
    assert_int_equal(b->filter.seq, 3);
}

static void everything_behind_a_lost_block_is_void(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 1, 77));
    struct filter ahead = b->filter;
    struct slice lost = kit_block(&b->chain, &ahead, 2);
    struct block_reader *reader = calloc(1, sizeof *reader);
    filter_apply(&ahead, ahead.next_offset, lost, reader);
    free(reader);
    assert_int_equal(apply(b, kit_block(&b->chain, &ahead, 1)), FILTER_VOID_SEQ);
    assert_int_equal(b->filter.seq, 1);
}

static void the_right_place_with_another_history_stops(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 1, 77));
    struct filter forked = b->filter;
    forked.hash.low ^= 1;
    struct filter before = b->filter;
    assert_int_equal(apply(b, kit_block(&b->chain, &forked, 1)), FILTER_STOP_FORK);
    assert_memory_equal(&before, &b->filter, sizeof before);
}

static void a_newer_epoch_without_its_open_stops(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 1, 77));
    b->chain.header.epoch = 2;
    assert_int_equal(apply(b, kit_block(&b->chain, &b->filter, 1)), FILTER_STOP_FORK);
}

static void a_missing_offset_stops(void **state)
{
    struct bench *b = *state;
    struct slice open = kit_open(&b->chain, 1, 77);
    assert_int_equal(filter_apply(&b->filter, 1, open, &b->reader), FILTER_STOP_GAP);
    assert_int_equal(b->filter.next_offset, 0);
}

static void garbage_and_other_shards_are_void(void **state)
{
    struct bench *b = *state;
    assert_int_equal(apply(b, SLICE("hello")), FILTER_VOID_MALFORMED);
    assert_int_equal(apply(b, SLICE("")), FILTER_VOID_MALFORMED);
    b->other.header.shard = 4;
    assert_int_equal(apply(b, kit_open(&b->other, 1, 88)), FILTER_VOID_FOREIGN);
    assert_int_equal(b->filter.next_offset, 3);
    assert_int_equal(b->filter.seq, 0);
}

static void old_blocks_may_land_before_an_open_on_its_way(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 1, 77));
    struct slice open = keep(b, kit_open(&b->other, 2, 88)); /* made here, lands later */
    assert_int_equal(apply(b, kit_block(&b->chain, &b->filter, 2)), FILTER_VALID);
    assert_int_equal(apply(b, open), FILTER_VALID_OPEN);
    assert_int_equal(b->filter.seq, 4);
    assert_int_equal(apply(b, kit_block(&b->other, &b->filter, 1)), FILTER_VALID);
}

/* The same block as a build of a version to come would write it: only the version and the checksum differ. */
static struct slice of_newer_version(struct bench *bench, struct slice bytes)
{
    enum { VERSION_AT = 4, CHECKSUM_AT = 84, HEADER_BYTES = 92 };
    keep(bench, bytes);
    uint8_t *p = bench->kept.p;
    p[VERSION_AT] = 2;
    uint64_t head = XXH3_64bits(p, CHECKSUM_AT);
    uint64_t sum = XXH3_64bits_withSeed(p + HEADER_BYTES, bytes.n - HEADER_BYTES, head);
    memcpy(p + CHECKSUM_AT, &sum, sizeof sum);
    return buf_slice(&bench->kept);
}

static void a_newer_build_s_block_stops_only_where_it_would_be_valid(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 2, 77));
    assert_int_equal(apply(b, of_newer_version(b, kit_open(&b->other, 2, 88))), FILTER_VOID_OPEN);
    b->other.header.epoch = 1;
    assert_int_equal(apply(b, of_newer_version(b, kit_block(&b->other, &b->filter, 1))), FILTER_VOID_EPOCH);
    assert_int_equal(apply(b, of_newer_version(b, kit_block(&b->chain, &b->filter, 1))), FILTER_STOP_VERSION);
    assert_int_equal(apply(b, of_newer_version(b, kit_open(&b->other, 3, 88))), FILTER_STOP_VERSION);
    assert_int_equal(b->filter.next_offset, 3);
}

static void is_the_same_after_save_and_load(void **state)
{
    struct bench *b = *state;
    apply(b, kit_open(&b->chain, 9, 77));
    apply(b, kit_block(&b->chain, &b->filter, 3));
    struct filter loaded = {0};
    filter_save(&b->filter, &b->kept);
    struct cursor in = cursor_of(buf_slice(&b->kept));
    assert_true(filter_load(&loaded, &in));
    assert_memory_equal(&loaded, &b->filter, sizeof loaded);
    in = cursor_of(slice_make(b->kept.p, b->kept.n - 1));
    assert_false(filter_load(&loaded, &in));
}

static void a_higher_branch_stops_and_a_lower_one_is_void(void **state)
{
    struct bench *b = *state;
    b->filter.branch = 1;
    b->other.header.branch = 0;
    assert_int_equal(apply(b, kit_open(&b->other, 5, 88)), FILTER_VOID_FOREIGN);
    b->other.header.branch = 2;
    assert_int_equal(apply(b, kit_open(&b->other, 5, 88)), FILTER_STOP_FORK);
    assert_int_equal(b->filter.seq, 0);
}

/* Else the next writer's epoch would be 0, and nothing could ever open again. */
static void an_open_of_the_last_epoch_is_malformed(void **state)
{
    struct bench *b = *state;
    assert_int_equal(apply(b, kit_open(&b->chain, UINT32_MAX, 77)), FILTER_VOID_MALFORMED);
    assert_int_equal(apply(b, kit_open(&b->chain, UINT32_MAX - 1, 77)), FILTER_VALID_OPEN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_higher_branch_stops_and_a_lower_one_is_void),
        TEST(an_open_of_the_last_epoch_is_malformed),
        TEST(an_open_and_its_blocks_are_valid_and_dense),
        TEST(an_open_that_is_not_newer_is_void),
        TEST(a_zombie_of_an_older_epoch_is_void_even_with_the_right_seq_and_hash),
        TEST(a_block_of_the_same_epoch_by_another_writer_is_void),
        TEST(a_repeated_block_is_void),
        TEST(everything_behind_a_lost_block_is_void),
        TEST(the_right_place_with_another_history_stops),
        TEST(a_newer_epoch_without_its_open_stops),
        TEST(a_missing_offset_stops),
        TEST(garbage_and_other_shards_are_void),
        TEST(old_blocks_may_land_before_an_open_on_its_way),
        TEST(a_newer_build_s_block_stops_only_where_it_would_be_valid),
        TEST(is_the_same_after_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
