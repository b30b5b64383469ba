/* test_view.c -- the memory view: the contract, and the ways in which it loses things for tests. */
#include "unit/view/contract.h"

static int setup(void **state)
{
    struct view_bench *b = calloc(1, sizeof *b);
    *state = b;
    return view_memory_open(&b->view, &b->err) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct view_bench *b = *state;
    view_destroy(&b->view);
    free(b);
    return 0;
}

static void a_flush_forgets_everything(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 1), head;
    const struct view_cell cell[] = {CELL("r", "a", "1")};
    assert_int_equal(commit(b, &absent, &one, cell, 1), OK);
    view_memory_flush(b->view);
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_false(head.present);
}

static void a_restore_rolls_head_and_cells_back_together(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 1), two = head_at(1, 2), head;
    const struct view_cell cell[] = {CELL("r", "a", "1")}, newer[] = {CELL("r", "a", "2")};
    assert_int_equal(commit(b, &absent, &one, cell, 1), OK);
    view_memory_dump(b->view);
    assert_int_equal(commit(b, &one, &two, newer, 1), OK);
    view_memory_restore(b->view);
    assert_string_equal(ROWS(b, &head, "r"), "0:a=1\n");
    assert_true(view_head_eq(&head, &one));
    assert_int_equal(commit(b, &two, &two, newer, 1), ERR_MOVED);
}

static void a_view_that_is_down_is_unavailable_until_it_is_up(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 1), head;
    view_memory_down(b->view, true);
    assert_int_equal(commit(b, &absent, &one, NULL, 0), ERR_UNAVAILABLE);
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), ERR_UNAVAILABLE);
    view_memory_down(b->view, false);
    assert_int_equal(commit(b, &absent, &one, NULL, 0), OK);
}

int main(void)
{
#define X(test) cmocka_unit_test_setup_teardown(test, setup, teardown),
    const struct CMUnitTest tests[] = {VIEW_CONTRACT(X) X(a_flush_forgets_everything) X(
        a_restore_rolls_head_and_cells_back_together) X(a_view_that_is_down_is_unavailable_until_it_is_up)};
#undef X
    return cmocka_run_group_tests(tests, NULL, NULL);
}
