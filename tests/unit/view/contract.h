/* contract.h -- what every view promises, as tests: run on the memory view (unit) and on a real Redis (integration).
 * The state of each test is a struct view_bench with an empty view. */
#ifndef UNIT_VIEW_CONTRACT_H
#define UNIT_VIEW_CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "view/view.h"

struct view_bench {
    struct view *view;
    struct err err;
};

static const struct view_scope acme = {{"funnel", 6}, {"acme", 4}};
static const struct view_head absent = {0};

static struct view_head head_at(uint64_t generation, uint64_t seq)
{
    return (struct view_head){true, generation, 1, 2, seq, seq * 10, -5};
}

#define CELL(row, field, value)                                                                                        \
    {                                                                                                                  \
        {row, sizeof(row) - 1}, {field, sizeof(field) - 1}, { value, sizeof(value) - 1 }                               \
    }

static enum err_code commit(struct view_bench *b, const struct view_head *from, const struct view_head *to,
                            const struct view_cell *cells, size_t count)
{
    return view_commit(b->view, acme, from, to, cells, count, &b->err);
}

static void add_cell(void *context, size_t row, struct slice field, struct slice value)
{
    buf_addf(context, "%zu:%.*s=%.*s\n", row, SLICE_ARG(field), SLICE_ARG(value));
}

static int by_line(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Rows `names` (NUL-ended list) as sorted lines "row:field=value", in a buffer that the next call reuses. */
static const char *rows_text(struct view_bench *b, const char *const *names, struct view_head *head)
{
    static char text[4096];
    struct slice rows[16];
    size_t count = 0, lines = 0;
    for (; names[count]; count++)
        rows[count] = slice_of(names[count]);
    struct buf out;
    buf_init(&out);
    if (view_read(b->view, acme, rows, count, head, add_cell, &out, &b->err))
        fail_msg("%s", b->err.text);
    char *line[256], *save = NULL;
    char *all = strdup(buf_cstr(&out));
    for (char *p = strtok_r(all, "\n", &save); p; p = strtok_r(NULL, "\n", &save))
        line[lines++] = p;
    qsort(line, lines, sizeof line[0], by_line);
    text[0] = '\0';
    for (size_t i = 0; i < lines; i++) {
        strcat(text, line[i]);
        strcat(text, "\n");
    }
    free(all);
    buf_close(&out);
    return text;
}
#define ROWS(b, head, ...) rows_text(b, (const char *const[]){__VA_ARGS__, NULL}, head)

static void there_is_no_head_at_first(void **state)
{
    struct view_bench *b = *state;
    struct view_head head;
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_false(head.present);
    struct slice row = SLICE("r");
    assert_int_equal(view_read(b->view, acme, &row, 1, &head, add_cell, NULL, &b->err), ERR_MISSING);
}

static void a_commit_moves_head_and_cells_together(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(7, 100), two = head_at(7, 101), head;
    const struct view_cell first[] = {CELL("r1", "a", "1"), CELL("r1", "b", "2"), CELL("r2", "a", "3")};
    const struct view_cell second[] = {CELL("r1", "a", "10"), CELL("r1", "b", ""), CELL("r3", "\r\n$1", "4 {}%s")};
    assert_int_equal(commit(b, &absent, &one, first, 3), OK);
    assert_string_equal(ROWS(b, &head, "r1", "r2", "none"), "0:a=1\n0:b=2\n1:a=3\n");
    assert_true(view_head_eq(&head, &one));
    assert_int_equal(commit(b, &one, &two, second, 3), OK);
    assert_string_equal(ROWS(b, &head, "r1", "r2"), "0:a=10\n1:a=3\n");
    assert_true(view_head_eq(&head, &two));
    struct buf out;
    buf_init(&out);
    struct slice row = SLICE("r3");
    assert_int_equal(view_read(b->view, acme, &row, 1, &head, add_cell, &out, &b->err), OK);
    assert_true(slice_is(buf_slice(&out), "0:\r\n$1=4 {}%s\n"));
    buf_close(&out);
}

static void a_commit_on_another_head_changes_nothing(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(7, 100), two = head_at(7, 101), head;
    const struct view_cell cell[] = {CELL("r", "a", "1")}, other[] = {CELL("r", "a", "2")};
    assert_int_equal(commit(b, &one, &two, cell, 1), ERR_MOVED);
    assert_int_equal(commit(b, &absent, &one, cell, 1), OK);
    assert_int_equal(commit(b, &absent, &two, other, 1), ERR_MOVED);
    struct view_head changed[] = {one, one, one, one, one, one};
    changed[0].generation++, changed[1].branch++, changed[2].epoch++;
    changed[3].seq++, changed[4].tenant_seq++, changed[5].time_ms++;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(commit(b, &changed[i], &two, other, 1), ERR_MOVED);
    assert_string_equal(ROWS(b, &head, "r"), "0:a=1\n");
    assert_true(view_head_eq(&head, &one));
}

static void a_new_generation_is_filled_aside_and_flipped_to(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 100), two = head_at(2, 100), head;
    const struct view_cell old[] = {CELL("r", "a", "1"), CELL("s", "a", "1")};
    const struct view_cell fresh[] = {CELL("r", "a", "2"), CELL("t", "a", "2")}, last[] = {CELL("u", "a", "2")};
    assert_int_equal(commit(b, &absent, &one, old, 2), OK);
    assert_int_equal(view_fill(b->view, acme, 2, fresh, 1, &b->err), OK);
    assert_int_equal(view_fill(b->view, acme, 2, fresh + 1, 1, &b->err), OK);
    assert_string_equal(ROWS(b, &head, "r", "s", "t"), "0:a=1\n1:a=1\n");
    assert_int_equal(commit(b, &one, &two, last, 1), OK);
    assert_string_equal(ROWS(b, &head, "r", "s", "t", "u"), "0:a=2\n2:a=2\n3:a=2\n");
    struct buf names;
    size_t count;
    buf_init(&names);
    assert_int_equal(view_rows(b->view, acme, &head, &names, &count, &b->err), OK);
    assert_int_equal(count, 3);
    assert_true(slice_eq(buf_slice(&names), SLICE("r\0t\0u\0")));
    buf_close(&names);
    assert_int_equal(view_fill(b->view, acme, 2, fresh, 1, &b->err), ERR_MOVED);
}

static void an_abandoned_generation_is_removed_in_parts(void **state)
{
    enum { ROWS_MAX = 1234 };
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 100), head;
    const struct view_cell cell[] = {CELL("r", "a", "1")};
    assert_int_equal(commit(b, &absent, &one, cell, 1), OK);
    static char names[ROWS_MAX][16];
    static struct view_cell cells[ROWS_MAX];
    for (int i = 0; i < ROWS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "row %d", i);
        cells[i] = (struct view_cell){slice_of(names[i]), SLICE("f"), SLICE("v")};
    }
    assert_int_equal(view_fill(b->view, acme, 2, cells, ROWS_MAX, &b->err), OK);
    bool more = true;
    int calls = 0;
    for (; more; calls++)
        assert_int_equal(view_drop(b->view, acme, 2, &more, &b->err), OK);
    assert_true(calls > 1);
    assert_int_equal(view_drop(b->view, acme, 1, &more, &b->err), ERR_MOVED);
    assert_string_equal(ROWS(b, &head, "r"), "0:a=1\n");
    struct view_head two = head_at(2, 101);
    assert_int_equal(commit(b, &one, &two, NULL, 0), OK);
    assert_string_equal(ROWS(b, &head, "row 0", "row 700", "row 1233"), "");
}

static void scopes_are_apart_and_tenants_are_listed(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 1), head;
    const struct view_cell cell[] = {CELL("r", "a", "1")};
    const char *const tenants[] = {"zeta", "acme", "a}:funnel", "{x", "\xe4\xb8\xad\xe6\x96\x87"};
    for (size_t i = 0; i < 5; i++) {
        struct view_scope scope = {SLICE("funnel"), slice_of(tenants[i])};
        assert_int_equal(view_commit(b->view, scope, &absent, &one, cell, 1, &b->err), OK);
    }
    struct view_scope variance = {SLICE("variance"), SLICE("acme")};
    assert_int_equal(view_head_get(b->view, variance, &head, &b->err), OK);
    assert_false(head.present);
    struct buf names;
    size_t count;
    buf_init(&names);
    assert_int_equal(view_tenants(b->view, SLICE("funnel"), &names, &count, &b->err), OK);
    assert_int_equal(count, 5);
    assert_true(slice_eq(buf_slice(&names), SLICE("acme\0a}:funnel\0zeta\0{x\0\xe4\xb8\xad\xe6\x96\x87\0")));
    assert_int_equal(view_tenants(b->view, SLICE("variance"), &names, &count, &b->err), OK);
    assert_int_equal(count, 0);
    buf_close(&names);
}

static void a_status_is_overwritten_as_a_whole(void **state)
{
    struct view_bench *b = *state;
    const struct view_cell first[] = {CELL("", "a", "1"), CELL("", "b", "2")}, second[] = {CELL("", "b", "3")};
    struct buf out;
    buf_init(&out);
    assert_int_equal(view_status_get(b->view, SLICE("ledger-0"), add_cell, &out, &b->err), ERR_MISSING);
    assert_int_equal(view_status_put(b->view, SLICE("ledger-0"), first, 2, &b->err), OK);
    assert_int_equal(view_status_put(b->view, SLICE("ledger-0"), second, 1, &b->err), OK);
    assert_int_equal(view_status_get(b->view, SLICE("ledger-0"), add_cell, &out, &b->err), OK);
    assert_true(slice_is(buf_slice(&out), "0:b=3\n"));
    buf_close(&out);
}

static void sizes_beyond_the_limits_are_refused(void **state)
{
    struct view_bench *b = *state;
    struct view_head one = head_at(1, 1);
    static char long_field[VIEW_FIELD_BYTES_MAX + 1];
    memset(long_field, 'x', sizeof long_field);
    struct view_cell wide = {SLICE("r"), slice_make(long_field, sizeof long_field), SLICE("v")};
    struct view_cell nameless = {SLICE("r"), SLICE(""), SLICE("v")}, rowless = {SLICE(""), SLICE("f"), SLICE("v")};
    assert_int_equal(commit(b, &absent, &one, &wide, 1), ERR_BAD_INPUT);
    assert_int_equal(commit(b, &absent, &one, &nameless, 1), ERR_BAD_INPUT);
    assert_int_equal(commit(b, &absent, &one, &rowless, 1), ERR_BAD_INPUT);
    static struct view_cell many[VIEW_COMMIT_CELLS_MAX + 1];
    assert_int_equal(commit(b, &absent, &one, many, VIEW_COMMIT_CELLS_MAX + 1), ERR_BUG);
    struct view_head head;
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_false(head.present);
}

#define VIEW_CONTRACT(X)                                                                                               \
    X(there_is_no_head_at_first)                                                                                       \
    X(a_commit_moves_head_and_cells_together)                                                                          \
    X(a_commit_on_another_head_changes_nothing)                                                                        \
    X(a_new_generation_is_filled_aside_and_flipped_to)                                                                 \
    X(an_abandoned_generation_is_removed_in_parts)                                                                     \
    X(scopes_are_apart_and_tenants_are_listed)                                                                         \
    X(a_status_is_overwritten_as_a_whole)                                                                              \
    X(sizes_beyond_the_limits_are_refused)

#endif
