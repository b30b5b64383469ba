/* Outputs are numbered, sent, sent again, and forgotten when they are read back. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "machine/outbox.h"

static void fill(struct outbox *outbox, const char *const *bodies)
{
    outbox_init(outbox);
    for (uint64_t n = 1; *bodies; bodies++, n++)
        assert_int_equal(outbox_add(outbox, slice_of(*bodies)), n);
}

static unsigned send_all(struct outbox *outbox)
{
    unsigned count = 0;
    uint64_t n;
    struct slice body;
    while (outbox_peek(outbox, &n, &body)) {
        outbox_sent(outbox);
        count++;
    }
    return count;
}

static const char *const THREE[] = {"one", "two", "three", NULL};

static void bodies_are_sent_once_and_in_order(void **state)
{
    (void)state;
    struct outbox outbox;
    fill(&outbox, THREE);
    uint64_t n;
    struct slice body;
    for (uint64_t i = 1; i <= 3; i++) {
        assert_true(outbox_peek(&outbox, &n, &body));
        assert_int_equal(n, i);
        assert_true(slice_is(body, THREE[i - 1]));
        outbox_sent(&outbox);
    }
    assert_false(outbox_peek(&outbox, &n, &body));
    outbox_close(&outbox);
}

static void what_is_not_read_back_is_sent_again_after_a_rewind(void **state)
{
    (void)state;
    struct outbox outbox;
    fill(&outbox, THREE);
    send_all(&outbox);
    assert_int_equal(outbox_read_back(&outbox, 1, SLICE("one")), OUTBOX_SAME);
    outbox_rewind(&outbox);
    assert_int_equal(send_all(&outbox), 2);
    outbox_close(&outbox);
}

static void what_another_owner_sent_is_not_sent_here(void **state)
{
    (void)state;
    struct outbox outbox;
    fill(&outbox, THREE);
    assert_int_equal(outbox_read_back(&outbox, 1, SLICE("one")), OUTBOX_SAME);
    assert_int_equal(outbox_read_back(&outbox, 2, SLICE("two")), OUTBOX_SAME);
    assert_int_equal(send_all(&outbox), 1);
    outbox_close(&outbox);
}

static void a_reading_back_tells_repeats_differences_and_the_unknown(void **state)
{
    (void)state;
    struct outbox outbox;
    fill(&outbox, THREE);
    assert_int_equal(outbox_read_back(&outbox, 1, SLICE("uno")), OUTBOX_DIFFERS);
    assert_int_equal(outbox_read_back(&outbox, 2, SLICE("two")), OUTBOX_UNKNOWN);
    assert_int_equal(outbox_read_back(&outbox, 1, SLICE("one")), OUTBOX_SAME);
    assert_int_equal(outbox_read_back(&outbox, 1, SLICE("one")), OUTBOX_REPEAT);
    assert_int_equal(outbox_read_back(&outbox, 9, SLICE("nine")), OUTBOX_UNKNOWN);
    outbox_close(&outbox);
}

static void the_ledgers_word_can_be_taken_for_more_than_was_made(void **state)
{
    (void)state;
    struct outbox outbox;
    fill(&outbox, THREE);
    outbox_adopt(&outbox, 2);
    assert_int_equal(outbox_size(&outbox), 1);
    outbox_adopt(&outbox, 7);
    assert_int_equal(outbox_size(&outbox), 0);
    assert_int_equal(outbox_add(&outbox, SLICE("eight")), 8);
    outbox_close(&outbox);
}

static void a_saved_queue_comes_back_with_everything_unsent(void **state)
{
    (void)state;
    struct outbox outbox, again = {0};
    struct buf bytes = {0};
    fill(&outbox, THREE);
    send_all(&outbox);
    assert_int_equal(outbox_read_back(&outbox, 1, SLICE("one")), OUTBOX_SAME);
    outbox_save(&outbox, &bytes);
    struct cursor in = cursor_of(buf_slice(&bytes));
    assert_true(outbox_load(&again, &in));
    assert_int_equal(again.last_n, 3);
    assert_int_equal(again.read_n, 1);
    assert_int_equal(send_all(&again), 2);
    outbox_close(&outbox);
    outbox_close(&again);
    buf_close(&bytes);
}

static void a_queue_that_misses_a_body_is_refused(void **state)
{
    (void)state;
    struct outbox again = {0};
    struct buf bytes = {0};
    buf_add_varint(&bytes, 2); /* last */
    buf_add_varint(&bytes, 0); /* read */
    buf_add_varint(&bytes, 2); /* bytes of one body */
    buf_add_varint(&bytes, 1);
    buf_add_byte(&bytes, 'x');
    struct cursor in = cursor_of(buf_slice(&bytes));
    assert_false(outbox_load(&again, &in));
    outbox_close(&again);
    buf_close(&bytes);
}

static void a_long_life_does_not_grow_the_queue(void **state)
{
    (void)state;
    struct outbox outbox;
    outbox_init(&outbox);
    for (uint64_t n = 1; n <= 10000; n++) {
        outbox_add(&outbox, SLICE("a body of some length"));
        assert_int_equal(outbox_read_back(&outbox, n, SLICE("a body of some length")), OUTBOX_SAME);
    }
    assert_true(outbox.bytes.cap < 1024);
    outbox_close(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_sent_once_and_in_order),
        cmocka_unit_test(what_is_not_read_back_is_sent_again_after_a_rewind),
        cmocka_unit_test(what_another_owner_sent_is_not_sent_here),
        cmocka_unit_test(a_reading_back_tells_repeats_differences_and_the_unknown),
        cmocka_unit_test(the_ledgers_word_can_be_taken_for_more_than_was_made),
        cmocka_unit_test(a_saved_queue_comes_back_with_everything_unsent),
        cmocka_unit_test(a_queue_that_misses_a_body_is_refused),
        cmocka_unit_test(a_long_life_does_not_grow_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
