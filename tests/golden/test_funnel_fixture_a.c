/* Fixture A of semantics 3, its late event, its r7d example and the transfer example: integers exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "story.h"

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

struct expected {
    const char *stage;
    int64_t entries, advance, skip, regress, win, lose, recycle, open, reached;
};
static const struct expected table[] = {
    {"NEW", 10, 6, 1, 0, 0, 1, 1, 1, 11},
    {"QUAL", 7, 4, 0, 0, 0, 1, 0, 2, 8},
    {"PROP", 6, 4, 0, 0, 0, 1, 0, 1, 5},
    {"NEGO", 4, 0, 0, 1, 2, 0, 0, 1, 3},
};

static void every_cell_of_fixture_a_is_exact(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct expected *row = &table[i];
        assert_int_equal(story_total(story, "N", row->stage, "e"), row->entries);
        assert_int_equal(story_total(story, "N", row->stage, "xadvance"), row->advance);
        assert_int_equal(story_total(story, "N", row->stage, "xskip"), row->skip);
        assert_int_equal(story_total(story, "N", row->stage, "xregress"), row->regress);
        assert_int_equal(story_total(story, "N", row->stage, "xwin"), row->win);
        assert_int_equal(story_total(story, "N", row->stage, "xlose"), row->lose);
        assert_int_equal(story_total(story, "N", row->stage, "xrecycle"), row->recycle);
        assert_int_equal(story_open(story, "N", row->stage), row->open);
        assert_int_equal(story_total(story, "N", row->stage, "r"), row->reached);
    }
    assert_int_equal(story_total(story, "N", "WON", "e"), 2);
    assert_int_equal(story_open(story, "N", "WON"), 2);
    assert_int_equal(story_total(story, "N", "LOST", "e"), 3);
    assert_int_equal(story_open(story, "N", "LOST"), 3);
    assert_int_equal(story_total(story, "N", "POOL", "xreclaim"), 1);
    assert_int_equal(story_open(story, "N", "POOL"), 0);
}

static int64_t ppm(int64_t a, int64_t b) { return (a * 1000000 + b / 2) / b; }

static void the_window_r30d_at_d24_is_the_window_of_the_fixture(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct expected *row = &table[i];
        assert_int_equal(story_figure(story, "N", "entries", row->stage, NULL, "r30d"), row->entries);
        assert_int_equal(story_figure(story, "N", "exits", row->stage, "advance", "r30d"),
                         row->advance ? row->advance : STORY_NO_ROW);
        assert_int_equal(story_figure(story, "N", "reached", row->stage, NULL, "r30d"), row->reached);
        assert_int_equal(story_figure(story, "N", "occupancy", row->stage, NULL, "r30d"), row->open);
        assert_int_equal(story_figure(story, "N", "occupancy", row->stage, NULL, "now"), row->open);
    }
}

static void conversions_of_fixture_a_are_exact(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    assert_int_equal(story_figure(story, "N", "conv_period", "NEW", NULL, "r30d"), ppm(7, 9));
    assert_int_equal(story_figure(story, "N", "conv_period", "QUAL", NULL, "r30d"), ppm(4, 5));
    assert_int_equal(story_figure(story, "N", "conv_period", "PROP", NULL, "r30d"), ppm(4, 5));
    assert_int_equal(story_figure(story, "N", "conv_period", "NEGO", NULL, "r30d"), ppm(2, 2));
    assert_int_equal(story_figure(story, "N", "flow", "NEW", NULL, "r30d"), ppm(7, 10));
    assert_int_equal(story_figure(story, "N", "flow", "QUAL", NULL, "r30d"), ppm(6, 7));
    assert_int_equal(story_figure(story, "N", "flow", "PROP", NULL, "r30d"), ppm(4, 6));
    assert_int_equal(story_figure(story, "N", "flow", "NEGO", NULL, "r30d"), STORY_NO_ROW);
    assert_int_equal(story_figure(story, "N", "win_rate", NULL, NULL, "r30d"), ppm(2, 5));
    assert_int_equal(story_figure(story, "N", "leak_share", "NEW", NULL, "r30d"), ppm(1, 3));
    assert_int_equal(story_figure(story, "N", "leak_share", "QUAL", NULL, "r30d"), ppm(1, 3));
    assert_int_equal(story_figure(story, "N", "leak_share", "PROP", NULL, "r30d"), ppm(1, 3));
    assert_int_equal(story_figure(story, "N", "leak_share", "NEGO", NULL, "r30d"), 0);
    assert_int_equal(story_figure(story, "N", "exit_rate", "NEW", "skip", "r30d"), ppm(1, 9));
}

static void the_r7d_example_holds_what_lies_in_its_hours(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    assert_int_equal(story_figure(story, "N", "exits", "NEW", "advance", "r7d"), 1);
    assert_int_equal(story_figure(story, "N", "entries", "QUAL", NULL, "r7d"), 1);
    assert_int_equal(story_figure(story, "N", "exits", "PROP", "advance", "r7d"), 1);
    assert_int_equal(story_figure(story, "N", "exits", "PROP", "lose", "r7d"), 1);
    assert_int_equal(story_figure(story, "N", "conv_period", "PROP", NULL, "r7d"), 500000);
    assert_int_equal(story_figure(story, "N", "entries", "NEGO", NULL, "r7d"), 1); /* L09's of d17 00:00 is outside */
    assert_int_equal(story_figure(story, "N", "exits", "NEGO", "win", "r7d"), 1);
}

static void the_late_event_takes_back_and_adds(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    LEAD(.lead = "L07", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(9), .arrives_ms = STORY_DAY(24));
    assert_int_equal(story_total(story, "N", "NEW", "xadvance"), 7);
    assert_int_equal(story_open(story, "N", "NEW"), 0);
    assert_int_equal(story_total(story, "N", "QUAL", "e"), 8);
    assert_int_equal(story_open(story, "N", "QUAL"), 3);
    assert_int_equal(story_figure(story, "N", "late_events", NULL, NULL, "day"), 1);
    assert_int_equal(story_figure(story, "N", "restated_events", NULL, NULL, "day"), 1);
}

static void the_transfer_example_moves_one_lead_between_teams_only(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    LEAD(.lead = "L06", .action = "owner", .owner = "r2", .at_ms = STORY_DAY(12), .arrives_ms = STORY_DAY(24));
    assert_int_equal(story_total(story, "T1", "QUAL", "e"), 7);
    assert_int_equal(story_total(story, "T1", "QUAL", "xadvance") + story_total(story, "T1", "QUAL", "xlose"), 5);
    assert_int_equal(story_total(story, "T1", "QUAL", "to"), 1);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_total(story, "T2", "QUAL", "e"), 0);
    assert_int_equal(story_total(story, "T2", "QUAL", "ti"), 1);
    assert_int_equal(story_open(story, "T2", "QUAL"), 1);
    assert_int_equal(story_total(story, "N", "QUAL", "e"), 7);
    assert_int_equal(story_open(story, "N", "QUAL"), 2);
    assert_int_equal(story_total(story, "N", "QUAL", "ti") + story_total(story, "N", "QUAL", "to"), 0);
    assert_int_equal(story_total(story, "rep:r1", "QUAL", "to"), 1);
    assert_int_equal(story_total(story, "rep:r2", "QUAL", "ti"), 1);
}

static void a_state_is_saved_loaded_and_saved_alike(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    struct buf first = {0}, second = {0};
    story_save(story, &first);
    void *copy = story->type->create(SLICE("acme"));
    assert_int_equal(story->type->load(copy, buf_slice(&first), NULL), OK);
    story->type->destroy(story->tenant);
    story->tenant = copy;
    story_save(story, &second);
    assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
    buf_close(&first);
    buf_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_cell_of_fixture_a_is_exact, begin, end),
        cmocka_unit_test_setup_teardown(the_window_r30d_at_d24_is_the_window_of_the_fixture, begin, end),
        cmocka_unit_test_setup_teardown(conversions_of_fixture_a_are_exact, begin, end),
        cmocka_unit_test_setup_teardown(the_r7d_example_holds_what_lies_in_its_hours, begin, end),
        cmocka_unit_test_setup_teardown(the_late_event_takes_back_and_adds, begin, end),
        cmocka_unit_test_setup_teardown(the_transfer_example_moves_one_lead_between_teams_only, begin, end),
        cmocka_unit_test_setup_teardown(a_state_is_saved_loaded_and_saved_alike, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
