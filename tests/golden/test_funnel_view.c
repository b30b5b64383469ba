/* What the view holds is what the funnel would write anew, whatever another life of it has put there before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

enum { CELLS_MAX = 4000 };

/* A view of one tenant: "row<TAB>field" and value. */
struct shown {
    char *keys[CELLS_MAX], *values[CELLS_MAX];
    size_t count;
};

struct sink {
    struct machine_sink sink;
    struct shown *shown;
};

static char *text_of(struct slice a, struct slice b)
{
    char *text = malloc(a.n + b.n + 2);
    assert_non_null(text);
    snprintf(text, a.n + b.n + 2, "%.*s\t%.*s", SLICE_ARG(a), SLICE_ARG(b));
    return text;
}

static void drop(struct shown *shown, size_t i)
{
    free(shown->keys[i]);
    free(shown->values[i]);
    shown->count--;
    shown->keys[i] = shown->keys[shown->count];
    shown->values[i] = shown->values[shown->count];
}

/* As a view commits: an empty value takes the field out. */
static void put(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    struct shown *shown = ((struct sink *)sink)->shown;
    char *key = text_of(row, field);
    for (size_t i = 0; i < shown->count; i++)
        if (strcmp(shown->keys[i], key) == 0) {
            drop(shown, i);
            break;
        }
    if (!value.n) {
        free(key);
        return;
    }
    assert_true(shown->count < CELLS_MAX);
    shown->keys[shown->count] = key;
    shown->values[shown->count++] = text_of(value, SLICE(""));
}

static void project_changes(struct story *story, void *funnel, struct shown *shown)
{
    struct sink sink = {{put}, shown};
    assert_false(story->type->project_dirty(funnel, story->now_ms, CELLS_MAX, &sink.sink));
}

static void project_whole(struct story *story, void *funnel, struct shown *shown)
{
    struct sink sink = {{put}, shown};
    uint64_t cursor = 0;
    assert_false(story->type->project_all(funnel, story->now_ms, &cursor, CELLS_MAX, &sink.sink));
    story->type->project_done(funnel);
}

static void clear(struct shown *shown)
{
    while (shown->count)
        drop(shown, shown->count - 1);
}

static void assert_shows_what_is(struct story *story, struct shown *shown)
{
    static struct shown anew;
    project_whole(story, story->tenant, &anew);
    for (size_t i = 0; i < shown->count; i++) {
        bool found = false;
        for (size_t k = 0; k < anew.count && !found; k++)
            found = strcmp(shown->keys[i], anew.keys[k]) == 0 && strcmp(shown->values[i], anew.values[k]) == 0;
        if (!found)
            fail_msg("the view shows %s = %s, the funnel does not", shown->keys[i], shown->values[i]);
    }
    assert_int_equal(shown->count, anew.count);
    clear(&anew);
    clear(shown);
}

/* The process dies; the next one begins with this state. */
static void restart(struct story *story, const struct buf *state)
{
    struct err err;
    story->type->destroy(story->tenant);
    story->tenant = story->type->create(SLICE("acme"));
    assert_int_equal(story->type->load(story->tenant, buf_slice(state), &err), OK);
}

static void cells_that_end_after_a_restart_are_taken_out(void **state)
{
    struct story *story = *state;
    static struct shown shown;
    struct buf saved = {0};
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    project_whole(story, story->tenant, &shown);
    story->type->save(story->tenant, &saved);
    restart(story, &saved);
    story_time(story, STORY_DAY(12)); /* the hours of day 1 are kept for 8 days */
    project_changes(story, story->tenant, &shown);
    assert_shows_what_is(story, &shown);
    buf_close(&saved);
}

static void cells_of_the_snapshot_that_end_long_after_the_restart_are_taken_out(void **state)
{
    struct story *story = *state;
    static struct shown shown;
    struct buf saved = {0};
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    project_whole(story, story->tenant, &shown);
    story->type->save(story->tenant, &saved);
    restart(story, &saved);
    story_time(story, STORY_DAY(2));
    project_changes(story, story->tenant, &shown); /* the hours of day 1 still stand */
    story_time(story, STORY_DAY(12));
    project_changes(story, story->tenant, &shown);
    assert_shows_what_is(story, &shown);
    buf_close(&saved);
}

static void cells_that_came_after_the_snapshot_and_ended_before_the_next_life_showed_any_are_taken_out(void **state)
{
    struct story *story = *state;
    static struct shown shown;
    struct buf saved = {0}, event = {0};
    story->type->save(story->tenant, &saved);
    struct lead_line line = {.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1)};
    story_lead_body(story, &line, &event);
    story_apply(story, EVENT_LEAD, buf_slice(&event), STORY_DAY(1));
    project_changes(story, story->tenant, &shown);
    restart(story, &saved);
    story_apply(story, EVENT_LEAD, buf_slice(&event), STORY_DAY(1));
    story_time(story, STORY_DAY(12));
    project_changes(story, story->tenant, &shown);
    assert_shows_what_is(story, &shown);
    buf_close(&saved);
    buf_close(&event);
}

static void a_cell_that_was_never_shown_is_no_change(void **state)
{
    struct story *story = *state;
    static struct shown shown;
    project_whole(story, story->tenant, &shown);
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    size_t dirty = story->type->dirty(story->tenant);
    story_time(story, STORY_DAY(12));
    assert_true(story->type->dirty(story->tenant) <= dirty + 1); /* and the row meta of another day */
    project_changes(story, story->tenant, &shown);
    assert_shows_what_is(story, &shown);
}

static int begin(void **state)
{
    static struct story story;
    story_begin(&story);
    *state = &story;
    return 0;
}

static int end(void **state)
{
    story_end(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cells_that_end_after_a_restart_are_taken_out),
        TEST(cells_of_the_snapshot_that_end_long_after_the_restart_are_taken_out),
        TEST(cells_that_came_after_the_snapshot_and_ended_before_the_next_life_showed_any_are_taken_out),
        TEST(a_cell_that_was_never_shown_is_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
