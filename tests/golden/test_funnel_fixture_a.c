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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_cell_of_fixture_a_is_exact, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
