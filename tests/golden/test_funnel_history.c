/* What counts and where it is booked: corrections, merges, transfers, tombstones (semantics 0.3, 2.1, 2.3, 17). */
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
    struct buf bytes = {0};
    story_save(*state, &bytes); /* every story ends with a recount */
    buf_close(&bytes);
    story_end(*state);
    return 0;
}

/* --- corrections (0.3) ---------------------------------------------------------------------------------------- */

static void created(struct story *story, const char *lead)
{
    LEAD(.lead = lead, .action = "created", .to = "NEW", .owner = "r1", .at_ms = STORY_DAY(1));
}

static void the_chain_of_the_example_leaves_c1(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .id = "e1", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .id = "c1", .op = "correct", .corrects = "e1",
         .at_ms = STORY_DAY(2), .recorded_ms = STORY_DAY(3), .arrives_ms = STORY_DAY(3));
    LEAD(.lead = "L1", .action = "stage", .to = "NEGO", .id = "c2", .op = "correct", .corrects = "c1",
         .at_ms = STORY_DAY(2), .recorded_ms = STORY_DAY(4), .arrives_ms = STORY_DAY(4));
    assert_int_equal(story_open(story, "T1", "NEGO"), 1);
    LEAD(.lead = "L1", .action = "stage", .to = "NEGO", .id = "r", .op = "retract", .corrects = "c2",
         .at_ms = STORY_DAY(2), .recorded_ms = STORY_DAY(5), .arrives_ms = STORY_DAY(5));
    assert_int_equal(story_open(story, "T1", "PROP"), 1); /* active: c1 */
    assert_int_equal(story_open(story, "T1", "QUAL"), 0);
    assert_int_equal(story_open(story, "T1", "NEGO"), 0);
    assert_int_equal(story_total(story, "T1", "QUAL", "e"), 0);
}

static void a_correction_may_come_before_its_event(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .id = "c1", .op = "correct", .corrects = "e1",
         .at_ms = STORY_DAY(2), .recorded_ms = STORY_DAY(3), .arrives_ms = STORY_DAY(3));
    assert_int_equal(story_total(story, "T1", "", "orphan"), 1);
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .id = "e1", .at_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(4));
    assert_int_equal(story_open(story, "T1", "PROP"), 1);
    assert_int_equal(story_total(story, "T1", "QUAL", "e"), 0);
    assert_int_equal(story_total(story, "T1", "", "orphan"), 0);
}

static void a_retract_of_the_creating_event_leaves_nothing(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .id = "e1", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "created", .op = "retract", .corrects = "e1", .at_ms = STORY_DAY(1),
         .recorded_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(2));
    assert_int_equal(story_open(story, "T1", "NEW"), 0);
    assert_int_equal(story_total(story, "T1", "NEW", "e"), 0);
}

static void a_correction_that_names_another_lead_touches_nothing_there(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .id = "e1", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L2", .action = "created", .to = "QUAL", .op = "correct", .corrects = "e1", .owner = "r1",
         .at_ms = STORY_DAY(1), .recorded_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(2));
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1); /* folded as an assert */
    assert_int_equal(story_total(story, "T1", "", "orphan"), 1);
}

static void a_correction_is_folded_at_its_own_instant(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .id = "e1", .at_ms = STORY_DAY(2));
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .op = "correct", .corrects = "e1", .at_ms = STORY_DAY(4),
         .recorded_ms = STORY_DAY(5), .arrives_ms = STORY_DAY(5));
    assert_int_equal(story_number(story, "default/T1", "QUAL|d20260307|all|", "e"), 0);
    assert_int_equal(story_number(story, "default/T1", "QUAL|d20260309|all|", "e"), 1);
}

static void a_repeat_beyond_the_ledger_changes_nothing_and_is_counted(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .id = "e1", .owner = "r1", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "created", .id = "e1", .owner = "r1", .at_ms = STORY_DAY(1),
         .arrives_ms = STORY_DAY(5));
    assert_int_equal(story_total(story, "T1", "NEW", "e"), 1);
    assert_int_equal(story_figure(story, "T1", "repeats", NULL, NULL, "day"), 1);
}

static void of_two_moves_at_one_instant_source_seq_decides(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "stage", .to = "PROP", .at_ms = STORY_DAY(2), .source_seq = 9);
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(2), .source_seq = 8);
    assert_int_equal(story_open(story, "T1", "PROP"), 1);
    assert_int_equal(story_total(story, "T1", "QUAL", "xadvance"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "xadvance"), 1); /* the skip was taken back */
    assert_int_equal(story_total(story, "T1", "NEW", "xskip"), 0);
}

static void a_claim_from_the_future_is_folded_at_t(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "r1", .at_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(1));
    assert_int_equal(story_number(story, "default/T1", "NEW|d20260306|all|", "e"), 1);
}

/* --- merges (2.1) --------------------------------------------------------------------------------------------- */

static void a_merge_takes_the_lead_out_and_its_later_events_to_the_other(void **state)
{
    struct story *story = *state;
    created(story, "a");
    created(story, "b");
    LEAD(.lead = "b", .action = "merged", .merged_into = "a", .at_ms = STORY_DAY(2));
    assert_int_equal(story_total(story, "T1", "NEW", "xmerged"), 1);
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    LEAD(.lead = "b", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3));
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_open(story, "T1", "NEW"), 0);
    assert_int_equal(story_total(story, "T1", "", "vafter_merge"), 1);
}

static void of_a_ring_of_merges_the_later_is_ignored(void **state)
{
    struct story *story = *state;
    created(story, "a");
    created(story, "b");
    created(story, "c");
    LEAD(.lead = "a", .action = "merged", .merged_into = "b", .at_ms = STORY_DAY(2));
    LEAD(.lead = "b", .action = "merged", .merged_into = "c", .at_ms = STORY_DAY(3));
    LEAD(.lead = "c", .action = "merged", .merged_into = "a", .at_ms = STORY_DAY(4));
    assert_int_equal(story_total(story, "T1", "", "vmerge_ring"), 1);
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
}

static void a_retracted_merge_restores_the_lead(void **state)
{
    struct story *story = *state;
    created(story, "a");
    created(story, "b");
    LEAD(.lead = "b", .action = "merged", .merged_into = "a", .id = "m", .at_ms = STORY_DAY(2));
    LEAD(.lead = "b", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3));
    LEAD(.lead = "b", .action = "merged", .merged_into = "a", .op = "retract", .corrects = "m", .at_ms = STORY_DAY(2),
         .recorded_ms = STORY_DAY(4), .arrives_ms = STORY_DAY(4));
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "xmerged"), 0);
    assert_int_equal(story_total(story, "T1", "", "vafter_merge"), 0);
}

static void a_merge_into_a_lead_that_comes_later_holds(void **state)
{
    struct story *story = *state;
    created(story, "b");
    LEAD(.lead = "b", .action = "merged", .merged_into = "a", .at_ms = STORY_DAY(2));
    LEAD(.lead = "a", .action = "created", .to = "PROP", .owner = "r1", .at_ms = STORY_DAY(1) + 5,
         .arrives_ms = STORY_DAY(3));
    LEAD(.lead = "b", .action = "stage", .to = "NEGO", .at_ms = STORY_DAY(4));
    assert_int_equal(story_open(story, "T1", "NEGO"), 1);
    assert_int_equal(story_open(story, "T1", "PROP"), 0);
}

/* --- transfers (2.3) ------------------------------------------------------------------------------------------ */

static void a_member_who_moves_takes_open_leads_along_when_the_day_comes(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L2", .action = "created", .to = "WON", .owner = "r1", .at_ms = STORY_DAY(1));
    PLAN(.kind = "member", .id = "r1/T1/2026-01-01",
         .spec =
             "{\"from\":\"2026-01-01\",\"node\":\"T1\",\"rep\":\"r1\",\"role\":\"rep\",\"tier\":\"A\",\"to\":\"2026-"
             "03-10\"}",
         .valid_from_ms = STORY_YEAR_MS + 1);
    PLAN(.kind = "member", .id = "r1/T2/2026-03-10",
         .spec = "{\"from\":\"2026-03-10\",\"node\":\"T2\",\"rep\":\"r1\",\"role\":\"rep\",\"tier\":\"A\"}");
    story_tick(story, STORY_DAY(5) - 1);
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    story_tick(story, STORY_DAY(5)); /* 2026-03-10T00:00Z */
    assert_int_equal(story_total(story, "T1", "NEW", "to"), 1);
    assert_int_equal(story_open(story, "T2", "NEW"), 1);
    assert_int_equal(story_open(story, "N", "NEW"), 1);
    assert_int_equal(story_total(story, "N", "NEW", "to"), 0);
    assert_int_equal(story_total(story, "rep:r1", "NEW", "to"), 0); /* the rep keeps it */
    assert_int_equal(story_open(story, "T1", "WON"), 1);            /* won leads stay where they were won */
    assert_int_equal(story_number(story, "default/T1", "NEW|d20260310|all|", "to"), 1);
}

static void a_transfer_is_booked_in_the_stage_that_is_left(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .owner = "r2", .at_ms = STORY_DAY(2));
    assert_int_equal(story_total(story, "T1", "NEW", "to"), 1);
    assert_int_equal(story_total(story, "T2", "NEW", "ti"), 1);
    assert_int_equal(story_total(story, "T2", "NEW", "xadvance"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "xadvance"), 0);
    assert_int_equal(story_total(story, "T2", "QUAL", "e"), 1);
}

static void a_change_of_channel_is_a_transfer_between_values_only(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "r1", .channel = "web", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "scored", .channel = "fair", .at_ms = STORY_DAY(2));
    assert_int_equal(story_number(story, "default/T1", "NEW|t|source_channel|web", "to"), 1);
    assert_int_equal(story_number(story, "default/N", "NEW|t|source_channel|fair", "ti"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "to"), 0);
    assert_int_equal(story_number(story, "default/T1", "NEW|t|owner_tier|A", "to"), 0);
}

static void amounts_follow_the_lead(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "r1", .amount = 100, .currency = "CNY", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "amount", .amount = 250, .currency = "CNY", .at_ms = STORY_DAY(2));
    assert_int_equal(story_number(story, "default/T1", "NEW|t$CNY|all|", "a"), 250);
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .owner = "r2", .at_ms = STORY_DAY(3));
    assert_int_equal(story_number(story, "default/T1", "NEW|t$CNY|all|", "a"), 0);
    assert_int_equal(story_number(story, "default/T2", "QUAL|t$CNY|all|", "a"), 250);
    LEAD(.lead = "L1", .action = "amount", .amount = 7, .currency = "USD", .at_ms = STORY_DAY(4));
    assert_int_equal(story_number(story, "default/N", "QUAL|t$CNY|all|", "n"), 0);
    assert_int_equal(story_number(story, "default/N", "QUAL|t$USD|all|", "a"), 7);
    assert_int_equal(story_figure(story, "N", "occupancy_amount", "QUAL", NULL, "now"), 7);
}

static void an_owner_nobody_knows_stands_under_unassigned_and_the_root(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "stranger", .at_ms = STORY_DAY(1));
    LEAD(.lead = "L2", .action = "created", .at_ms = STORY_DAY(1));
    assert_int_equal(story_open(story, "unassigned", "NEW"), 2);
    assert_int_equal(story_open(story, "N", "NEW"), 2);
    assert_int_equal(story_open(story, "rep:stranger", "NEW"), 1);
    assert_int_equal(story_number(story, "default/N", "NEW|t|source_channel|unassigned", "e"), 2);
}

static void a_plan_about_the_past_books_again(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .owner = "r3", .at_ms = STORY_DAY(1));
    assert_int_equal(story_open(story, "unassigned", "NEW"), 1);
    PLAN(.kind = "member", .id = "r3/T2/2026-01-01",
         .spec = "{\"from\":\"2026-01-01\",\"node\":\"T2\",\"rep\":\"r3\",\"role\":\"rep\"}");
    assert_int_equal(story_open(story, "T2", "NEW"), 1);
    assert_int_equal(story_total(story, "unassigned", "NEW", "e"), 1 - 1);
    assert_int_equal(story_total(story, "T2", "NEW", "ti"), 0);
}

/* --- tombstones (0.3) ----------------------------------------------------------------------------------------- */

static void a_closed_lead_becomes_a_tombstone_and_its_figures_stay(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "won", .at_ms = STORY_DAY(3));
    assert_int_equal(story->type->due(story->tenant), STORY_DAY(403));
    story_tick(story, STORY_DAY(403));
    assert_int_equal(story_open(story, "T1", "WON"), 1);
    LEAD(.lead = "L1", .action = "contacted", .at_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(404));
    assert_int_equal(story_figure(story, "T1", "beyond_horizon", NULL, NULL, "day"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "e"), 1);
}

static void a_reopen_of_a_tombstone_is_a_reopen(void **state)
{
    struct story *story = *state;
    LEAD(.lead = "L1", .action = "created", .to = "QUAL", .owner = "r1", .amount = 9, .currency = "CNY",
         .at_ms = STORY_DAY(1));
    LEAD(.lead = "L1", .action = "lost", .at_ms = STORY_DAY(3));
    story_tick(story, STORY_DAY(500));
    LEAD(.lead = "L1", .action = "reopened", .at_ms = STORY_DAY(500));
    assert_int_equal(story_total(story, "T1", "LOST", "xreopen"), 1);
    assert_int_equal(story_open(story, "T1", "LOST"), 0);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1); /* last_open_stage survives */
    assert_int_equal(story_number(story, "default/T1", "QUAL|t$CNY|all|", "a"), 9);
    assert_int_equal(story_total(story, "T1", "QUAL", "r"), 2);
}

static void a_tombstone_is_saved_and_loaded(void **state)
{
    struct story *story = *state;
    created(story, "L1");
    LEAD(.lead = "L1", .action = "lost", .at_ms = STORY_DAY(3));
    story_tick(story, STORY_DAY(500));
    struct buf first = {0}, second = {0};
    story_save(story, &first);
    void *copy = story->type->create(SLICE("acme"));
    assert_int_equal(story->type->load(copy, buf_slice(&first), NULL), OK);
    story->type->destroy(story->tenant);
    story->tenant = copy;
    story_save(story, &second);
    assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
    LEAD(.lead = "L1", .action = "reopened", .at_ms = STORY_DAY(501));
    assert_int_equal(story_open(story, "T1", "NEW"), 1);
    buf_close(&first);
    buf_close(&second);
}

static void values_beyond_ten_thousand_are_booked_as_other(void **state)
{
    struct story *story = *state;
    for (int i = 0; i < 10002; i++) {
        char lead[16], channel[16];
        snprintf(lead, sizeof lead, "L%d", i);
        snprintf(channel, sizeof channel, "c%d", i);
        LEAD(.lead = lead, .action = "created", .owner = "r1", .channel = channel, .at_ms = STORY_DAY(1));
    }
    assert_int_equal(story_number(story, "default/T1", "NEW|t|source_channel|c9999", "e"), 1);
    assert_int_equal(story_number(story, "default/T1", "NEW|t|source_channel|c10000", "e"), 0);
    assert_int_equal(story_number(story, "default/T1", "NEW|t|source_channel|other", "e"), 2);
    assert_int_equal(story_total(story, "T1", "NEW", "e"), 10002);
    assert_int_equal(story_total(story, "T1", "", "overflow"), 2);
}

static void damaged_states_are_refused(void **state)
{
    struct story *story = *state;
    story_fixture_a(story);
    struct buf bytes = {0};
    story_save(story, &bytes);
    for (size_t n = 0; n < bytes.n; n += bytes.n / 97 + 1) {
        void *copy = story->type->create(SLICE("acme"));
        assert_int_not_equal(story->type->load(copy, slice_make(bytes.p, n), NULL), OK);
        story->type->destroy(copy);
    }
    buf_close(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_chain_of_the_example_leaves_c1),
        TEST(a_correction_may_come_before_its_event),
        TEST(a_retract_of_the_creating_event_leaves_nothing),
        TEST(a_correction_that_names_another_lead_touches_nothing_there),
        TEST(a_correction_is_folded_at_its_own_instant),
        TEST(a_repeat_beyond_the_ledger_changes_nothing_and_is_counted),
        TEST(of_two_moves_at_one_instant_source_seq_decides),
        TEST(a_claim_from_the_future_is_folded_at_t),
        TEST(a_merge_takes_the_lead_out_and_its_later_events_to_the_other),
        TEST(of_a_ring_of_merges_the_later_is_ignored),
        TEST(a_retracted_merge_restores_the_lead),
        TEST(a_merge_into_a_lead_that_comes_later_holds),
        TEST(a_member_who_moves_takes_open_leads_along_when_the_day_comes),
        TEST(a_transfer_is_booked_in_the_stage_that_is_left),
        TEST(a_change_of_channel_is_a_transfer_between_values_only),
        TEST(amounts_follow_the_lead),
        TEST(an_owner_nobody_knows_stands_under_unassigned_and_the_root),
        TEST(a_plan_about_the_past_books_again),
        TEST(a_closed_lead_becomes_a_tombstone_and_its_figures_stay),
        TEST(a_reopen_of_a_tombstone_is_a_reopen),
        TEST(a_tombstone_is_saved_and_loaded),
        TEST(values_beyond_ten_thousand_are_booked_as_other),
        TEST(damaged_states_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
