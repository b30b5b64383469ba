/* When a tenant's cells are full, new values at a node are booked as `other`; nothing stops (rulings O17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "funnel/funnel_state.h"
#include "story.h"

enum { CELLS_MAX = 60 };

static void bound(struct story *story) { ((struct funnel *)story->tenant)->cells_max = CELLS_MAX; }

static void created(struct story *story, const char *lead, const char *owner, const char *channel, int day)
{
    LEAD(.lead = lead, .action = "created", .to = "NEW", .owner = owner, .channel = channel, .at_ms = STORY_DAY(day));
}

static int64_t entries(struct story *story, const char *row, const char *channel)
{
    char field[64];
    snprintf(field, sizeof field, "NEW|t|source_channel|%s", channel);
    return story_number(story, row, field, "e");
}

/* Day 1 fills the cells with T1 x web and T2 x fair; day 2 is judged full. */
static void fill(struct story *story)
{
    story_begin(story);
    bound(story);
    created(story, "L1", "r1", "web", 1);
    created(story, "L2", "r2", "fair", 1);
}

static void values_known_at_a_node_are_booked_there_for_ever(void **state)
{
    (void)state;
    struct story it, *story = &it;
    fill(story);
    created(story, "L3", "r1", "web", 2);
    assert_int_equal(entries(story, "default/T1", "web"), 2);
    assert_int_equal(entries(story, "default/N", "web"), 2);
    assert_int_equal(story_total(story, "T1", "", "overflow"), 0);
    story_end(story);
}

static void values_new_at_a_node_are_booked_as_other_and_counted(void **state)
{
    (void)state;
    struct story it, *story = &it;
    fill(story);
    created(story, "L3", "r1", "radio", 2); /* known nowhere */
    created(story, "L4", "r1", "fair", 2);  /* known at T2 only */
    assert_int_equal(entries(story, "default/T1", "radio"), 0);
    assert_int_equal(entries(story, "default/T1", "fair"), 0);
    assert_int_equal(entries(story, "default/T1", "other"), 2);
    assert_int_equal(entries(story, "default/N", "other"), 2);
    assert_int_equal(story_total(story, "T1", "NEW", "e"), 3);
    assert_int_equal(story_number(story, "/T1", "|t|all|", "overflow"), 2);
    story_end(story);
}

static void below_the_bound_nothing_is_other(void **state)
{
    (void)state;
    struct story it, *story = &it;
    fill(story);
    ((struct funnel *)story->tenant)->cells_max = FUNNEL_CELLS_MAX;
    created(story, "L3", "r1", "radio", 2);
    assert_int_equal(entries(story, "default/T1", "radio"), 1);
    assert_int_equal(entries(story, "default/T1", "other"), 0);
    story_end(story);
}

static void what_is_taken_back_is_taken_from_where_it_was_put(void **state)
{
    (void)state;
    struct story it, *story = &it;
    struct buf bytes = {0};
    fill(story);
    created(story, "L3", "r1", "radio", 3);
    LEAD(.lead = "L3", .action = "touch", .at_ms = STORY_DAY(5));
    LEAD(.lead = "L3", .action = "touch", .at_ms = STORY_DAY(4), .arrives_ms = STORY_DAY(6)); /* folds it anew */
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3), .arrives_ms = STORY_DAY(6));
    LEAD(.lead = "L1", .action = "touch", .at_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(6));
    story_save(story, &bytes); /* conservation holds */
    assert_int_equal(entries(story, "default/T1", "web"), 1);
    assert_int_equal(entries(story, "default/T1", "other"), 1);
    buf_close(&bytes);
    story_end(story);
}

/* Tells it with projections and a snapshot after `every` events; 0: none. */
static void tell(int every, struct buf *out)
{
    static const char *const channels[] = {"web", "fair", "radio", "web", "post"};
    struct story it, *story = &it;
    story_begin(story);
    bound(story);
    for (int i = 0; i < 40; i++) {
        char lead[8];
        snprintf(lead, sizeof lead, "L%d", i % 17);
        created(story, lead, i % 3 ? "r1" : "r2", channels[i / 4 % 5], 1 + i / 3);
        if (!every || i % every)
            continue;
        struct buf bytes = {0};
        story_project(story);
        story_save(story, &bytes);
        void *copy = story->type->create(SLICE("acme"));
        assert_int_equal(story->type->load(copy, buf_slice(&bytes), NULL), OK);
        story->type->destroy(story->tenant);
        story->tenant = copy;
        bound(story);
        buf_close(&bytes);
    }
    assert_true(((struct funnel *)story->tenant)->book.cells_full);
    story_save(story, out);
    story_end(story);
}

static void when_it_fills_does_not_depend_on_batches_or_snapshots(void **state)
{
    (void)state;
    struct buf expected = {0}, got = {0};
    tell(0, &expected);
    for (int every = 1; every < 8; every += 3) {
        tell(every, &got);
        assert_true(slice_eq(buf_slice(&expected), buf_slice(&got)));
    }
    buf_close(&expected);
    buf_close(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_known_at_a_node_are_booked_there_for_ever),
        cmocka_unit_test(values_new_at_a_node_are_booked_as_other_and_counted),
        cmocka_unit_test(below_the_bound_nothing_is_other),
        cmocka_unit_test(what_is_taken_back_is_taken_from_where_it_was_put),
        cmocka_unit_test(when_it_fills_does_not_depend_on_batches_or_snapshots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
