/* The tables of semantics 2.1 and 2.2, a test per cell of the first and per action of the second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

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

/* --- 2.1: from \ to ------------------------------------------------------------------------------------------- */

struct move_case {
    const char *from, *to; /* stages; from NULL: nothing */
    const char *exit;      /* class of the exit of `from` */
    const char *violation; /* NULL: none */
    const char *passed;    /* a stage that is reached by passing; NULL */
};
static const struct move_case moves[] = {
    {NULL, "NEW", NULL, NULL, NULL},
    {NULL, "PROP", NULL, NULL, "QUAL"},
    {NULL, "WON", NULL, NULL, NULL},
    {NULL, "LOST", NULL, NULL, NULL},
    {NULL, "POOL", NULL, NULL, NULL},
    {"QUAL", "PROP", "xadvance", NULL, NULL},
    {"QUAL", "NEGO", "xskip", NULL, "PROP"},
    {"QUAL", "NEW", "xregress", NULL, NULL},
    {"QUAL", "WON", "xwin", NULL, NULL},
    {"QUAL", "LOST", "xlose", NULL, NULL},
    {"QUAL", "POOL", "xrecycle", NULL, NULL},
    {"POOL", "PROP", "xreclaim", NULL, "QUAL"},
    {"POOL", "WON", "xwin", "vpool_won", NULL},
    {"POOL", "LOST", "xlose", "vpool_lost", NULL},
    {"POOL", "POOL2", "xreverse", "vreverse", NULL},
    {"WON", "PROP", "xreopen", NULL, "QUAL"},
    {"WON", "WON2", "xreverse", "vreverse", NULL},
    {"WON", "LOST", "xreverse", "vreverse", NULL},
    {"WON", "POOL", "xrecycle", "vreverse", NULL},
    {"LOST", "PROP", "xreopen", NULL, "QUAL"},
    {"LOST", "WON", "xreverse", "vreverse", NULL},
    {"LOST", "LOST2", "xreverse", "vreverse", NULL},
    {"LOST", "POOL", "xrecycle", "vreverse", NULL},
};

#define WIDE_MODEL                                                                                                     \
    "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20},"       \
    "{\"id\":\"PROP\",\"kind\":\"open\",\"ord\":30},{\"id\":\"NEGO\",\"kind\":\"open\",\"ord\":40},"                   \
    "{\"id\":\"WON\",\"kind\":\"won\"},{\"id\":\"WON2\",\"kind\":\"won\"},{\"id\":\"LOST\",\"kind\":\"lost\"},"        \
    "{\"id\":\"LOST2\",\"kind\":\"lost\"},{\"id\":\"POOL\",\"kind\":\"pool\"},{\"id\":\"POOL2\",\"kind\":\"pool\"}]}"

static void check_move(const struct move_case *row)
{
    struct story own, *story = &own;
    story_begin(story);
    PLAN(.kind = "stage_model", .id = "default", .spec = WIDE_MODEL, .valid_from_ms = STORY_YEAR_MS + 1);
    if (row->from)
        LEAD(.lead = "L1", .action = "created", .to = row->from, .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = row->from ? "stage" : "created", .to = row->to, .owner = "r1", .at_ms = STORY_DAY(2));
    int64_t before = row->passed ? 1 : 0;
    if (row->from)
        assert_int_equal(story_total(story, "T1", row->from, row->exit), 1);
    assert_int_equal(story_total(story, "T1", row->to, "e"), 1);
    assert_int_equal(story_open(story, "T1", row->to), 1);
    if (row->passed)
        assert_int_equal(story_total(story, "T1", row->passed, "r"), before);
    if (row->violation)
        assert_int_equal(story_total(story, "T1", "", row->violation), 1);
    else
        assert_int_equal(story_number(story, "/T1", "|t|all|", "vreverse"), 0);
    struct buf state = {0};
    story_save(story, &state);
    buf_close(&state);
    story_end(story);
}

static void every_cell_of_the_table_of_moves_has_its_class_and_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        check_move(&moves[i]);
}

static void a_win_passes_nothing(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "won", .owner = "r1", .at_ms = STORY_DAY(2));
    assert_int_equal(story_total(story, "T1", "QUAL", "r"), 0);
    assert_int_equal(story_total(story, "T1", "WON", "e"), 1);
}

static void the_same_stage_again_is_a_no_op(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "stage", .to = "NEW", .at_ms = STORY_DAY(2));
    assert_int_equal(story_total(story, "T1", "NEW", "e"), 1);
}

static void reached_counts_once_a_cycle_and_again_in_the_next(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "stage", .to = "NEW", .at_ms = STORY_DAY(3));
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(4));
    assert_int_equal(story_total(story, "T1", "QUAL", "r"), 1);
    LEAD(.lead = "L1", .action = "lost", .at_ms = STORY_DAY(5));
    LEAD(.lead = "L1", .action = "reopened", .at_ms = STORY_DAY(6));
    assert_int_equal(story_total(story, "T1", "QUAL", "r"), 2);
    assert_int_equal(story_total(story, "T1", "NEW", "r"), 2); /* a cycle that begins beyond passes what lies before */
}

/* --- what the model forbids ----------------------------------------------------------------------------------- */

#define STRICT_MODEL                                                                                                   \
    "{\"allow_regress\":false,\"allow_skip\":false,\"loss_reason\":\"required\",\"stages\":["                          \
    "{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},"                                                                   \
    "{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20,\"required_steps\":[\"budget\"]},"                                  \
    "{\"id\":\"PROP\",\"kind\":\"open\",\"ord\":30},{\"id\":\"LOST\",\"kind\":\"lost\"},"                              \
    "{\"id\":\"WON\",\"kind\":\"won\"}]}"

static void moves_that_the_model_forbids_are_taken_and_flagged(void **state)
{
    struct story *story = *state;
    PLAN(.kind = "stage_model", .id = "default", .spec = STRICT_MODEL, .valid_from_ms = STORY_YEAR_MS + 1);
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3));
    LEAD(.lead = "L1", .action = "lost", .at_ms = STORY_DAY(4));
    assert_int_equal(story_total(story, "T1", "", "vskip"), 1);
    assert_int_equal(story_total(story, "T1", "", "vregress"), 1);
    assert_int_equal(story_total(story, "T1", "", "vloss_reason"), 1);
    assert_int_equal(story_open(story, "T1", "LOST"), 1);
    assert_int_equal(story_figure(story, "T1", "violations", NULL, "skip", "month"), 1);
}

static void a_required_step_that_is_done_is_no_violation(void **state)
{
    struct story *story = *state;
    PLAN(.kind = "stage_model", .id = "default", .spec = STRICT_MODEL, .valid_from_ms = STORY_YEAR_MS + 1);
    LEAD(.lead = "L1", .action = "created", .to = "QUAL", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .at_ms = STORY_DAY(3));
    assert_int_equal(story_total(story, "T1", "", "vrequired_step"), 1);
    LEAD(.lead = "L2", .action = "created", .to = "QUAL", .owner = "r1", .at_ms = STORY_DAY(3));
    story_step(story, "L2", "budget", STORY_DAY(4));
    LEAD(.lead = "L2", .action = "stage", .to = "PROP", .at_ms = STORY_DAY(5));
    assert_int_equal(story_total(story, "T1", "", "vrequired_step"), 1);
}

static void a_step_that_arrives_late_takes_the_violation_back(void **state)
{
    struct story *story = *state;
    PLAN(.kind = "stage_model", .id = "default", .spec = STRICT_MODEL, .valid_from_ms = STORY_YEAR_MS + 1);
    LEAD(.lead = "L1", .action = "created", .to = "QUAL", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .at_ms = STORY_DAY(3));
    story_step(story, "L1", "budget", STORY_DAY(2));
    assert_int_equal(story_total(story, "T1", "", "vrequired_step"), 0);
}

/* --- 2.2 ------------------------------------------------------------------------------------------------------ */

struct action_case {
    const char *from;      /* the lead is created here */
    struct lead_line line; /* then this, on d3 */
    const char *stands;    /* where it stands afterwards */
    const char *violation; /* NULL: none */
};
static const struct action_case actions[] = {
    {"QUAL", {.action = "created", .to = "PROP"}, "QUAL", "vcreated_again"},
    {"POOL", {.action = "claimed"}, "NEW", NULL},
    {"POOL", {.action = "claimed", .to = "PROP"}, "PROP", NULL},
    {"QUAL", {.action = "claimed", .to = "PROP", .owner = "r1"}, "QUAL", NULL},
    {"WON", {.action = "reopened", .to = "QUAL"}, "QUAL", NULL},
    {"WON", {.action = "reopened"}, "NEW", NULL},
    {"QUAL", {.action = "reopened", .to = "PROP"}, "QUAL", "vreopen_not_closed"},
    {"QUAL", {.action = "stage", .to = "PROP"}, "PROP", NULL},
    {"QUAL", {.action = "recycled"}, "POOL", NULL},
    {"QUAL", {.action = "won"}, "WON", NULL},
    {"QUAL", {.action = "lost"}, "LOST", NULL},
    {"QUAL", {.action = "assigned", .owner = "r1"}, "QUAL", NULL},
    {"QUAL", {.action = "assigned", .owner = "r1", .to = "PROP"}, "QUAL", "vto_stage_ignored"},
    {"QUAL", {.action = "owner", .owner = "r1", .to = "PROP"}, "QUAL", "vto_stage_ignored"},
    {"QUAL", {.action = "accepted", .to = "PROP"}, "QUAL", "vto_stage_ignored"},
    {"QUAL", {.action = "rejected", .to = "PROP"}, "QUAL", "vto_stage_ignored"},
    {"QUAL", {.action = "scored"}, "QUAL", NULL},
    {"QUAL", {.action = "close_date"}, "QUAL", NULL},
    {"QUAL", {.action = "amount", .amount = 5, .currency = "CNY"}, "QUAL", NULL},
    {"QUAL", {.action = "contacted", .touch = "call_out"}, "QUAL", NULL},
    {"QUAL", {.action = "touch"}, "QUAL", NULL},
    {"QUAL", {.action = "hold", .reason = "budget", .hold_until_ms = STORY_DAY(9)}, "QUAL", NULL},
    {"QUAL", {.action = "hold", .hold_until_ms = STORY_DAY(9)}, "QUAL", "vhold_invalid"},
    {"QUAL", {.action = "hold", .reason = "budget", .hold_until_ms = STORY_DAY(94)}, "QUAL", "vhold_invalid"},
    {"QUAL", {.action = "hold", .reason = "budget", .hold_until_ms = STORY_DAY(2)}, "QUAL", "vhold_invalid"},
    {"QUAL", {.action = "resume"}, "QUAL", NULL},
    {"QUAL", {.action = "merged", .merged_into = "L2"}, NULL, NULL},
};

static const char *const violation_names[] = {
    "vskip",          "vregress",          "vloss_reason",       "vrequired_step",
    "vcreated_again", "vto_stage_ignored", "vreopen_not_closed", "vhold_invalid",
    "vreclaim_block", "vpool_won",         "vpool_lost",         "vreverse",
    "vmerge_ring",    "vafter_merge"};

static int64_t violations(struct story *story)
{
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof violation_names / sizeof *violation_names; i++)
        sum += story_total(story, "N", "", violation_names[i]);
    return sum;
}

static void check_action(const struct action_case *row)
{
    struct story own, *story = &own;
    story_begin(story);
    LEAD(.lead = "L1", .action = "created", .to = row->from, .owner = "r1", .at_ms = STORY_DAY(1));
    struct lead_line line = row->line;
    line.lead = "L1";
    line.at_ms = STORY_DAY(3);
    story_lead(story, &line);
    static const char *const stages[] = {"NEW", "QUAL", "PROP", "NEGO", "WON", "LOST", "POOL"};
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        assert_int_equal(story_open(story, "T1", stages[i]), row->stands && strcmp(row->stands, stages[i]) == 0);
    assert_int_equal(violations(story), row->violation != NULL);
    if (row->violation)
        assert_int_equal(story_total(story, "T1", "", row->violation), 1);
    story_end(story);
}

static void every_action_does_what_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        check_action(&actions[i]);
}

static void a_first_event_of_any_action_creates_the_lead(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "contacted", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L2", .action = "stage", .to = "PROP", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L3", .action = "won", .owner = "r1", .at_ms = STORY_DAY(1));
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    assert_int_equal(story_open(story, "T1", "PROP"), 1);
    assert_int_equal(story_open(story, "T1", "WON"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "xwin"), 1); /* created in the first open stage, then won */
    assert_int_equal(violations(story), 0);
}

static void a_claim_within_the_block_by_who_lost_the_lead_is_flagged(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "recycled", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "claimed", .owner = "r1", .at_ms = STORY_DAY(9) - 1);
    assert_int_equal(story_total(story, "T1", "", "vreclaim_block"), 1);
}

static void a_claim_after_the_block_or_by_another_is_none(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "recycled", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "claimed", .owner = "r1", .at_ms = STORY_DAY(9));
    LEAD(.lead = "L2", .action = "created", .owner = "r1", .at_ms = STORY_DAY(9));
    LEAD(.lead = "L2", .action = "recycled", .at_ms = STORY_DAY(10));
    LEAD(.lead = "L2", .action = "claimed", .owner = "r2", .at_ms = STORY_DAY(11));
    assert_int_equal(violations(story), 0);
}

static void a_move_to_another_pipeline_keeps_the_cycle(void **state)
{
    struct story *story = *state;
    PLAN(.kind = "stage_model", .id = "partner",
         .spec =
             "{\"stages\":[{\"id\":\"P1\",\"kind\":\"open\",\"ord\":1},{\"id\":\"P2\",\"kind\":\"open\",\"ord\":2},{"
             "\"id\":\"PW\",\"kind\":\"won\"}]}");
    LEAD(.lead = "L1", .action = "created", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "won", .pipeline = "partner", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L2", .action = "created", .owner = "r1", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L2", .action = "stage", .pipeline = "partner", .to = "P2", .at_ms = STORY_DAY(3));
    assert_int_equal(story_total(story, "T1", "NEW", "xmove"), 2);
    assert_int_equal(story_number(story, "partner/T1", "P1|t|all|", "e"), 1);
    assert_int_equal(story_number(story, "partner/T1", "P2|t|all|", "e"), 1);
    assert_int_equal(story_number(story, "partner/T1", "P1|t|all|", "r"), 1); /* L2 passes nothing: no new cycle */
}

static void an_unknown_stage_moves_nothing_until_the_plan_knows_it(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "stage", .to = "WON2", .at_ms = STORY_DAY(2));
    assert_int_equal(story_total(story, "T1", "", "unknown"), 1);
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    PLAN(.kind = "stage_model", .id = "default", .spec = WIDE_MODEL, .valid_from_ms = STORY_YEAR_MS + 1);
    assert_int_equal(story_total(story, "T1", "", "unknown"), 0);
    assert_int_equal(story_open(story, "T1", "WON2"), 1);
}

static void a_stage_that_left_the_model_keeps_its_leads_and_lets_them_go(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .to = "QUAL", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L2", .action = "created", .to = "QUAL", .owner = "r1", .at_ms = STORY_DAY(1));
    PLAN(.kind = "stage_model", .id = "default",
         .spec =
             "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"PROP\",\"kind\":\"open\",\"ord\":"
             "30},{\"id\":\"WON\",\"kind\":\"won\"}]}",
         .valid_from_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .at_ms = STORY_DAY(3));
    LEAD(.lead = "L3", .action = "created", .to = "QUAL", .owner = "r1", .at_ms = STORY_DAY(3));
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_total(story, "T1", "QUAL", "xadvance"), 1);
    assert_int_equal(story_total(story, "T1", "", "unknown"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_of_moves_has_its_class_and_flag),
        cmocka_unit_test_setup_teardown(a_win_passes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(the_same_stage_again_is_a_no_op, begin, end),
        cmocka_unit_test_setup_teardown(reached_counts_once_a_cycle_and_again_in_the_next, begin, end),
        cmocka_unit_test_setup_teardown(moves_that_the_model_forbids_are_taken_and_flagged, begin, end),
        cmocka_unit_test_setup_teardown(a_required_step_that_is_done_is_no_violation, begin, end),
        cmocka_unit_test_setup_teardown(a_step_that_arrives_late_takes_the_violation_back, begin, end),
        cmocka_unit_test(every_action_does_what_its_row_says),
        cmocka_unit_test_setup_teardown(a_first_event_of_any_action_creates_the_lead, begin, end),
        cmocka_unit_test_setup_teardown(a_claim_within_the_block_by_who_lost_the_lead_is_flagged, begin, end),
        cmocka_unit_test_setup_teardown(a_claim_after_the_block_or_by_another_is_none, begin, end),
        cmocka_unit_test_setup_teardown(a_move_to_another_pipeline_keeps_the_cycle, begin, end),
        cmocka_unit_test_setup_teardown(an_unknown_stage_moves_nothing_until_the_plan_knows_it, begin, end),
        cmocka_unit_test_setup_teardown(a_stage_that_left_the_model_keeps_its_leads_and_lets_them_go, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
