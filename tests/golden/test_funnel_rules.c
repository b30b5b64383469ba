#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

/* Corners of semantics 0.2, 0.3 and 2: equal states whatever was asked when, tombstones, corrections of steps. */

static void ignore_cell(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    (void)sink;
    (void)row;
    (void)field;
    (void)value;
}

/* What an owner does now and then, and a standby never. */
static void project_dirty(struct story *story)
{
    struct machine_sink sink = {ignore_cell};
    while (story->type->project_dirty(story->tenant, story->now_ms, 100, &sink)) {
    }
}

static void recounts(struct story *story)
{
    struct err err = {0};
    if (story->type->recount(story->tenant, &err) != OK)
        fail_msg("recount: %s", err.text);
}

/* Saves, goes on from what was saved, and compares what is saved then. */
static void reload(struct story *story)
{
    struct buf first = {0}, second = {0};
    struct err err = {0};
    story_save(story, &first);
    story->type->destroy(story->tenant);
    story->tenant = story->type->create(SLICE("acme"));
    if (story->type->load(story->tenant, buf_slice(&first), &err) != OK)
        fail_msg("load: %s", err.text);
    story_save(story, &second);
    assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
    buf_close(&first);
    buf_close(&second);
}

/* --- the state is a function of the records (design 2.1) -------------------------------------------------------- */

static void member_of_tier(struct story *story, const char *tier, int64_t from_ms)
{
    char spec[200];
    snprintf(spec, sizeof spec,
             "{\"from\":\"2026-01-01\",\"node\":\"T1\",\"rep\":\"r1\",\"role\":\"rep\",\"tier\":\"%s\"}", tier);
    PLAN(.kind = "member", .id = "r1/T1/2026-01-01", .spec = spec, .valid_from_ms = from_ms);
}

static void tell_tiers(bool projects, struct buf *out)
{
    struct story teller, *story = &teller;
    story_begin(story);
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(2), .owner = "r1");
    project_dirty(story);
    member_of_tier(story, "Gold", STORY_YEAR_MS + 1);
    if (projects)
        project_dirty(story);
    member_of_tier(story, "Silver", STORY_YEAR_MS + 2);
    story_save(story, out);
    story_end(story);
}

static void a_tier_between_two_plan_records_leaves_nothing_whoever_looked(void **state)
{
    (void)state;
    struct buf quiet = {0}, watched = {0};
    tell_tiers(false, &quiet);
    tell_tiers(true, &watched);
    assert_true(slice_eq(buf_slice(&quiet), buf_slice(&watched)));
    buf_close(&quiet);
    buf_close(&watched);
}

static void tell_channels(bool projects, struct buf *out)
{
    static const char spec[] = "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"WON\",\"kind\":"
                               "\"%s\"%s}]}";
    char open[200], won[200];
    snprintf(open, sizeof open, spec, "open", ",\"ord\":20");
    snprintf(won, sizeof won, spec, "won", "");
    struct story teller, *story = &teller;
    story_begin(story);
    PLAN(.kind = "stage_model", .id = "default", .valid_from_ms = STORY_YEAR_MS + 1, .spec = won);
    LEAD(.lead = "A", .action = "created", .to = "WON", .at_ms = STORY_DAY(2), .owner = "r1", .channel = "web");
    LEAD(.lead = "A", .action = "scored", .at_ms = STORY_DAY(3), .channel = "fair");
    PLAN(.kind = "stage_model", .id = "default", .valid_from_ms = STORY_YEAR_MS + 2, .spec = open);
    if (projects)
        project_dirty(story);
    PLAN(.kind = "stage_model", .id = "default", .valid_from_ms = STORY_YEAR_MS + 3, .spec = won);
    story_save(story, out);
    story_end(story);
}

static void a_channel_met_under_a_passing_model_leaves_nothing_whoever_looked(void **state)
{
    (void)state;
    struct buf quiet = {0}, watched = {0};
    tell_channels(false, &quiet);
    tell_channels(true, &watched);
    assert_true(slice_eq(buf_slice(&quiet), buf_slice(&watched)));
    buf_close(&quiet);
    buf_close(&watched);
}

static const char west[] = "{\"exponents\":{\"CNY\":2},\"from\":0,\"to\":4102444800000,\"transitions\":[[0,-18000]]}";

static void tell_west(bool projects, struct buf *out)
{
    struct story teller, *story = &teller;
    int64_t now_ms = STORY_DAY(20) + 2 * STORY_HOUR_MS;
    story_begin_bare(story);
    LEAD(.lead = "A", .action = "created", .at_ms = now_ms, .owner = "r1");
    LEAD(.lead = "A", .action = "contacted", .at_ms = STORY_DAY(10), .arrives_ms = now_ms);
    if (projects)
        project_dirty(story);
    PLAN(.kind = "tenant", .id = "acme", .resolved = west,
         .spec = "{\"calendar\":\"c\",\"currency\":\"CNY\",\"pipeline\":\"default\",\"zone\":\"America/New_York\"}");
    story_tick(story, now_ms + STORY_HOUR_MS);
    reload(story);
    story_save(story, out);
    story_end(story);
}

static void a_zone_that_moves_west_leaves_a_state_that_can_be_read_and_is_the_same_for_all(void **state)
{
    (void)state;
    struct buf quiet = {0}, watched = {0};
    tell_west(false, &quiet);
    tell_west(true, &watched);
    assert_true(slice_eq(buf_slice(&quiet), buf_slice(&watched)));
    buf_close(&quiet);
    buf_close(&watched);
}

/* --- tombstones (0.3) ------------------------------------------------------------------------------------------- */

static void a_merge_into_a_tombstone_before_its_closing_is_counted_and_not_applied(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    story_begin(story);
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(1), .owner = "r1");
    LEAD(.lead = "A", .action = "won", .at_ms = STORY_DAY(30));
    LEAD(.lead = "B", .action = "created", .at_ms = STORY_DAY(30), .owner = "r1");
    story_tick(story, STORY_DAY(500));
    LEAD(.lead = "B", .action = "merged", .merged_into = "A", .at_ms = STORY_DAY(10), .arrives_ms = STORY_DAY(501));
    recounts(story);
    assert_int_equal(story_total(story, "T1", "", "beyond"), 1);
    LEAD(.lead = "B", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(32), .arrives_ms = STORY_DAY(502));
    recounts(story);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_open(story, "T1", "WON"), 1);
    reload(story);
    story_end(story);
}

static void a_merge_into_a_tombstone_after_its_closing_is_applied(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    story_begin(story);
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(1), .owner = "r1");
    LEAD(.lead = "A", .action = "won", .at_ms = STORY_DAY(30));
    LEAD(.lead = "B", .action = "created", .at_ms = STORY_DAY(20), .owner = "r1");
    story_tick(story, STORY_DAY(500));
    LEAD(.lead = "B", .action = "merged", .merged_into = "A", .at_ms = STORY_DAY(40), .arrives_ms = STORY_DAY(501));
    recounts(story);
    assert_int_equal(story_open(story, "T1", "NEW"), 0);
    assert_int_equal(story_total(story, "T1", "NEW", "xmerged"), 1);
    LEAD(.lead = "B", .action = "reopened", .at_ms = STORY_DAY(50), .arrives_ms = STORY_DAY(502));
    recounts(story);
    assert_int_equal(story_total(story, "T1", "WON", "xreopen"), 1);
    reload(story);
    LEAD(.lead = "B", .action = "won", .at_ms = STORY_DAY(60), .arrives_ms = STORY_DAY(503));
    story_tick(story, STORY_DAY(1000));
    reload(story);
    LEAD(.lead = "B", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(55), .arrives_ms = STORY_DAY(1001));
    assert_int_equal(story_total(story, "T1", "", "beyond"), 1);
    story_end(story);
}

static void an_event_of_a_merged_lead_behind_its_tombstone_is_applied_to_the_other(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    story_begin(story);
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(1), .owner = "r1");
    LEAD(.lead = "B", .action = "created", .at_ms = STORY_DAY(1), .owner = "r1");
    LEAD(.lead = "B", .action = "merged", .merged_into = "A", .at_ms = STORY_DAY(2));
    LEAD(.lead = "A", .action = "won", .at_ms = STORY_DAY(3));
    story_tick(story, STORY_DAY(500));
    reload(story);
    LEAD(.lead = "B", .action = "reopened", .at_ms = STORY_DAY(501));
    recounts(story);
    assert_int_equal(story_total(story, "T1", "WON", "xreopen"), 1);
    assert_int_equal(story_total(story, "T1", "", "beyond"), 0);
    assert_int_equal(story_total(story, "T1", "", "vafter_merge"), 1);
    reload(story);
    LEAD(.lead = "B", .action = "contacted", .at_ms = STORY_DAY(2), .arrives_ms = STORY_DAY(502));
    assert_int_equal(story_total(story, "T1", "", "beyond"), 1);
    story_end(story);
}

/* --- many merges, many corrections ------------------------------------------------------------------------------ */

static void many_leads_merged_into_one_in_any_order_leave_one(void **state)
{
    (void)state;
    enum { LEADS = 60 };
    struct story teller, *story = &teller;
    story_begin(story);
    LEAD(.lead = "HUB", .action = "created", .owner = "r1", .at_ms = STORY_DAY(1));
    for (int i = 0; i < LEADS; i++) {
        char lead[16];
        snprintf(lead, sizeof lead, "L%d", i * 37 % LEADS);
        LEAD(.lead = lead, .action = "created", .owner = "r1", .at_ms = STORY_DAY(1) + i);
        LEAD(.lead = lead, .action = "merged", .merged_into = i % 2 ? "HUB" : "L0", .id = i ? NULL : "ring",
             .at_ms = STORY_DAY(3) - i, .arrives_ms = STORY_DAY(4));
    }
    LEAD(.lead = "L0", .action = "merged", .merged_into = "HUB", .at_ms = STORY_DAY(5));
    LEAD(.lead = "L1", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(6));
    recounts(story);
    assert_int_equal(story_open(story, "T1", "NEW"), 0);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_total(story, "T1", "NEW", "xmerged"), LEADS);
    assert_int_equal(story_total(story, "T1", "", "vmerge_ring"), 1); /* L0 into itself */
    reload(story);
    story_end(story);
}

static void of_a_long_chain_of_corrections_the_last_one_counts(void **state)
{
    (void)state;
    enum { CORRECTIONS = 100 };
    struct story teller, *story = &teller;
    story_begin(story);
    LEAD(.lead = "A", .action = "created", .owner = "r1", .at_ms = STORY_DAY(1));
    for (int i = 0; i < CORRECTIONS; i++) {
        char id[16], named[16];
        snprintf(id, sizeof id, "x%d", i);
        snprintf(named, sizeof named, "x%d", i - 1);
        LEAD(.lead = "A", .action = "stage", .to = i % 2 ? "QUAL" : "PROP", .at_ms = STORY_DAY(2), .id = id,
             .recorded_ms = STORY_DAY(2) + i, .op = i ? "correct" : NULL, .corrects = i ? named : NULL);
    }
    /* The last deactivates the one before it, that no longer takes away its own, and so on: every other one is active,
     * and all of those are to QUAL. */
    recounts(story);
    assert_int_equal(story_open(story, "T1", "QUAL"), 1);
    assert_int_equal(story_total(story, "T1", "PROP", "e"), 0);
    story_end(story);
}

/* --- required steps (0.3, 2.1) ---------------------------------------------------------------------------------- */

static void begin_with_step(struct story *story)
{
    story_begin(story);
    PLAN(.kind = "stage_model", .id = "default", .valid_from_ms = STORY_YEAR_MS + 1,
         .spec = "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10,\"required_steps\":[\"budget\"]},"
                 "{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20},{\"id\":\"WON\",\"kind\":\"won\"}]}");
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(1), .owner = "r1");
}

static void a_step_that_is_corrected_away_was_not_done(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    begin_with_step(story);
    STEP(.lead = "A", .step = "budget", .fact = "f1", .id = "s1", .at_ms = STORY_DAY(2));
    STEP(.lead = "A", .step = "budget", .fact = "f1", .id = "s2", .at_ms = STORY_DAY(2), .status = "cancelled",
         .op = "correct", .corrects = "s1");
    LEAD(.lead = "A", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3));
    assert_int_equal(story_total(story, "T1", "", "vrequired_step"), 1);
    reload(story);
    story_end(story);
}

static void a_step_that_is_retracted_was_not_done_even_when_the_retraction_comes_first(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    begin_with_step(story);
    STEP(.lead = "A", .step = "budget", .fact = "f1", .id = "s2", .at_ms = STORY_DAY(2), .op = "retract",
         .corrects = "s1");
    STEP(.lead = "A", .step = "budget", .fact = "f1", .id = "s1", .at_ms = STORY_DAY(2));
    LEAD(.lead = "A", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3));
    assert_int_equal(story_total(story, "T1", "", "vrequired_step"), 1);
    assert_int_equal(story_total(story, "T1", "", "orphan"), 0);
    story_end(story);
}

static void a_correction_that_says_done_makes_the_step_done(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    begin_with_step(story);
    STEP(.lead = "A", .step = "budget", .fact = "f1", .id = "s1", .at_ms = STORY_DAY(2), .status = "open");
    STEP(.lead = "A", .step = "budget", .fact = "f1", .id = "s2", .at_ms = STORY_DAY(2), .op = "correct",
         .corrects = "s1");
    LEAD(.lead = "A", .action = "stage", .to = "QUAL", .at_ms = STORY_DAY(3));
    assert_int_equal(story_total(story, "T1", "", "vrequired_step"), 0);
    assert_int_equal(story_total(story, "T1", "", "orphan"), 0);
    story_end(story);
}

/* --- order of equal instants (0.2) ------------------------------------------------------------------------------ */

/* "z" has the XXH3-64 hash that is lower than that of "a" or not: each of the two runs has the step on the other
 * side of the move, so one of them misses the step exactly when the order is that of the ids' own hashes. */
static int64_t missing_steps(const char *step_id, const char *move_id)
{
    struct story teller, *story = &teller;
    begin_with_step(story);
    STEP(.lead = "A", .step = "budget", .id = step_id, .at_ms = STORY_DAY(3));
    LEAD(.lead = "A", .action = "stage", .to = "QUAL", .id = move_id, .at_ms = STORY_DAY(3));
    int64_t missing = story_total(story, "T1", "", "vrequired_step");
    story_end(story);
    return missing;
}

static uint64_t key_of(const char *id)
{
    struct event event = {.type = EVENT_LEAD, .present = 1ull << EV_EVENT_ID};
    event.v[EV_EVENT_ID].s = slice_of(id);
    return event_key(&event);
}

static void a_step_and_a_move_of_one_instant_stand_in_the_order_of_their_event_keys(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char step_id[16], move_id[16];
        snprintf(step_id, sizeof step_id, "s%d", i);
        snprintf(move_id, sizeof move_id, "m%d", i);
        assert_int_equal(missing_steps(step_id, move_id), key_of(move_id) < key_of(step_id));
    }
}

/* --- timers are the runtime's (0.2, design 5.6) ------------------------------------------------------------------ */

/* r1 goes to T2 on d5; the runtime holds timers back from d4 to d7 or not. */
static void tell_gap(bool holds, bool snapshots, struct buf *out)
{
    struct story teller, *story = &teller;
    story_begin(story);
    PLAN(.kind = "member", .id = "r1/T1/2026-01-01", .valid_from_ms = STORY_DAY(5), .spec = NULL);
    PLAN(.kind = "member", .id = "r1/T2/2026-03-10", .valid_from_ms = STORY_DAY(5),
         .spec = "{\"from\":\"2026-03-10\",\"node\":\"T2\",\"rep\":\"r1\",\"role\":\"rep\",\"tier\":\"A\"}");
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(1), .owner = "r1");
    LEAD(.lead = "B", .action = "created", .at_ms = STORY_DAY(2), .owner = "r1");
    story_tick(story, STORY_DAY(4));
    story->holds_timers = holds;
    LEAD(.lead = "C", .action = "created", .at_ms = STORY_DAY(6), .owner = "r1");
    if (holds)
        assert_int_equal(story_open(story, "T1", "NEW"), 2);
    if (snapshots)
        reload(story);
    LEAD(.lead = "A", .action = "contacted", .at_ms = STORY_DAY(3), .arrives_ms = STORY_DAY(6) + 1);
    recounts(story);
    story->holds_timers = false;
    story_tick(story, STORY_DAY(7));
    assert_int_equal(story_open(story, "T1", "NEW"), 0);
    assert_int_equal(story_open(story, "T2", "NEW"), 3);
    story_save(story, out);
    story_end(story);
}

static void a_change_of_the_org_waits_until_the_runtime_fires_it(void **state)
{
    (void)state;
    struct buf held = {0}, reloaded = {0};
    tell_gap(true, false, &held);
    tell_gap(true, true, &reloaded);
    assert_true(slice_eq(buf_slice(&held), buf_slice(&reloaded)));
    tell_gap(false, false, &held);
    buf_close(&held);
    buf_close(&reloaded);
}

static struct buf shown_meta;
static void take_meta(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    (void)sink;
    if (!slice_is(row, "meta") || !slice_is(field, "figures"))
        return;
    buf_clear(&shown_meta);
    buf_add_slice(&shown_meta, value);
}

static void a_model_that_begins_while_nothing_happens_is_shown(void **state)
{
    (void)state;
    struct story teller, *story = &teller;
    struct machine_sink sink = {take_meta};
    int64_t noon_ms = STORY_DAY(3) + 12 * STORY_HOUR_MS;
    story_begin(story);
    LEAD(.lead = "A", .action = "created", .at_ms = STORY_DAY(3), .owner = "r1");
    PLAN(.kind = "stage_model", .id = "default", .valid_from_ms = noon_ms,
         .spec = "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"FOO\",\"kind\":"
                 "\"open\",\"ord\":20},{\"id\":\"WON\",\"kind\":\"won\"}]}");
    project_dirty(story);
    assert_int_equal(story->type->due(story->tenant), noon_ms);
    story_tick(story, noon_ms);
    assert_true(story->type->dirty(story->tenant) > 0);
    while (story->type->project_dirty(story->tenant, story->now_ms, 100, &sink)) {
    }
    assert_non_null(strstr(buf_cstr(&shown_meta), "|FOO"));
    buf_close(&shown_meta);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tier_between_two_plan_records_leaves_nothing_whoever_looked),
        cmocka_unit_test(a_channel_met_under_a_passing_model_leaves_nothing_whoever_looked),
        cmocka_unit_test(a_zone_that_moves_west_leaves_a_state_that_can_be_read_and_is_the_same_for_all),
        cmocka_unit_test(a_merge_into_a_tombstone_before_its_closing_is_counted_and_not_applied),
        cmocka_unit_test(a_merge_into_a_tombstone_after_its_closing_is_applied),
        cmocka_unit_test(an_event_of_a_merged_lead_behind_its_tombstone_is_applied_to_the_other),
        cmocka_unit_test(many_leads_merged_into_one_in_any_order_leave_one),
        cmocka_unit_test(of_a_long_chain_of_corrections_the_last_one_counts),
        cmocka_unit_test(a_step_that_is_corrected_away_was_not_done),
        cmocka_unit_test(a_step_that_is_retracted_was_not_done_even_when_the_retraction_comes_first),
        cmocka_unit_test(a_correction_that_says_done_makes_the_step_done),
        cmocka_unit_test(a_step_and_a_move_of_one_instant_stand_in_the_order_of_their_event_keys),
        cmocka_unit_test(a_change_of_the_org_waits_until_the_runtime_fires_it),
        cmocka_unit_test(a_model_that_begins_while_nothing_happens_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
