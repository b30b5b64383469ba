/* test_buf.c -- buf.h and slice.h: the growing buffer and the cursor over borrowed bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void what_is_added_little_endian_is_read_back(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add_byte(&b, 0xfe);
    buf_add_u16(&b, 0x1234);
    buf_add_u32(&b, 0xdeadbeef);
    buf_add_u64(&b, UINT64_C(0x0123456789abcdef));
    assert_int_equal(b.n, 15);
    assert_int_equal(b.p[1], 0x34);
    struct cursor c = cursor_of(buf_slice(&b));
    assert_int_equal(cursor_byte(&c), 0xfe);
    assert_int_equal(cursor_u16(&c), 0x1234);
    assert_int_equal(cursor_u32(&c), 0xdeadbeef);
    assert_true(cursor_u64(&c) == UINT64_C(0x0123456789abcdef));
    assert_false(c.bad);
    assert_int_equal(cursor_left(&c), 0);
    buf_close(&b);
}

static void varints_and_zigzags_survive_at_every_edge(void **state)
{
    (void)state;
    struct buf b = {0};
    for (unsigned bit = 0; bit < 64; bit++)
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t v = (UINT64_C(1) << bit) + (uint64_t)(int64_t)delta;
            buf_clear(&b);
            buf_add_varint(&b, v);
            buf_add_zigzag(&b, (int64_t)v);
            struct cursor c = cursor_of(buf_slice(&b));
            assert_true(cursor_varint(&c) == v);
            assert_true(cursor_zigzag(&c) == (int64_t)v);
            assert_false(c.bad);
            assert_int_equal(cursor_left(&c), 0);
        }
    buf_close(&b);
}

static void zigzag_of_minus_one_is_the_byte_one(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add_zigzag(&b, -1);
    buf_add_zigzag(&b, 64);
    assert_int_equal(b.n, 3);
    assert_memory_equal(b.p, "\x01\x80\x01", 3);
    buf_close(&b);
}

static void a_varint_beyond_64_bits_is_bad(void **state)
{
    (void)state;
    static const char over[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
    struct cursor c = cursor_of(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    assert_true(cursor_varint(&c) == UINT64_MAX);
    c = cursor_of(slice_make(over, 10));
    assert_true(cursor_varint(&c) == 0);
    assert_true(c.bad);
    c = cursor_of(SLICE("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
    (void)cursor_varint(&c);
    assert_true(c.bad);
}

static void reading_past_the_end_is_bad_and_stays_bad(void **state)
{
    (void)state;
    struct cursor c = cursor_of(SLICE("abc"));
    assert_int_equal(cursor_u32(&c), 0);
    assert_true(c.bad);
    assert_int_equal(cursor_byte(&c), 0);
    c = cursor_of(SLICE("\x80"));
    (void)cursor_varint(&c);
    assert_true(c.bad);
    c = cursor_of(SLICE("abc"));
    assert_int_equal(cursor_take(&c, UINT64_MAX).n, 0);
    assert_true(c.bad);
    c = cursor_of((struct slice){NULL, 0});
    assert_int_equal(cursor_take(&c, 0).n, 0);
    assert_false(c.bad);
}

static void the_buffer_grows_and_formats(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, "%03d,", i);
    assert_int_equal(b.n, 4000);
    assert_memory_equal(b.p + 3996, "999,", 4);
    assert_int_equal(strlen(buf_cstr(&b)), 4000);
    assert_int_equal(b.n, 4000);
    buf_close(&b);
    assert_null(b.p);
}

static void slices_are_ordered_bytewise_with_prefixes_first(void **state)
{
    (void)state;
    assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
    assert_true(slice_cmp(SLICE("\xff"), SLICE("a")) > 0);
    assert_int_equal(slice_cmp(SLICE(""), (struct slice){NULL, 0}), 0);
    assert_true(slice_eq(SLICE(""), (struct slice){NULL, 0}));
    assert_false(slice_eq(SLICE("a"), SLICE("b")));
    assert_true(slice_is(slice_of(NULL), ""));
}

static void an_initialised_buffer_is_empty(void **state)
{
    (void)state;
    struct buf b = {(uint8_t *)1, 2, 3};
    buf_init(&b);
    assert_null(b.p);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.cap, 0);
    buf_add(&b, NULL, 0);
    assert_int_equal(b.n, 0);
    buf_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_little_endian_is_read_back),
        cmocka_unit_test(varints_and_zigzags_survive_at_every_edge),
        cmocka_unit_test(zigzag_of_minus_one_is_the_byte_one),
        cmocka_unit_test(a_varint_beyond_64_bits_is_bad),
        cmocka_unit_test(reading_past_the_end_is_bad_and_stays_bad),
        cmocka_unit_test(the_buffer_grows_and_formats),
        cmocka_unit_test(slices_are_ordered_bytewise_with_prefixes_first),
        cmocka_unit_test(an_initialised_buffer_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
