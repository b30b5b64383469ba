/* The plan as a fold of its records: org, memberships, stage models, corrections (semantics 0.3, 1.3, 2.1, 17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "model/plan.h"
#include "time/zone.h"

#define DAY_MS 86400000ll

static int64_t day_ms(int32_t year, int32_t month, int32_t day) { return date_from_civil(year, month, day) * DAY_MS; }

#define JAN 1767225600000ll /* 2026-01-01 UTC */
#define FEB 1769904000000ll
#define MAR 1772323200000ll

/* One plan record in short. */
struct item {
    int kind;
    const char *id;
    int64_t valid_from_ms;
    const char *spec; /* NULL: ended */
    const char *event_id;
    const char *corrects; /* NULL: assert */
    int64_t recorded_ms;  /* 0: JAN */
    const char *resolved;
    bool retract;
};

static struct event event_of(const struct item *item)
{
    struct event event = {.type = EVENT_PLAN};
    int64_t recorded_ms = item->recorded_ms ? item->recorded_ms : JAN;
    const struct {
        unsigned field;
        int64_t i;
        const char *s;
        bool there;
    } fields[] = {
        {EV_EVENT_ID, 0, item->event_id, true},
        {EV_OCCURRED_AT, recorded_ms, NULL, true},
        {EV_SOURCE_SEQ, 0, NULL, true},
        {EV_OP, item->retract ? OP_RETRACT : OP_CORRECT, NULL, item->corrects != NULL},
        {EV_CORRECTS, 0, item->corrects, item->corrects != NULL},
        {PLAN_KIND, item->kind, NULL, true},
        {PLAN_ID, 0, item->id, true},
        {PLAN_VALID_FROM, item->valid_from_ms, NULL, true},
        {PLAN_REASON, 0, "test", true},
        {PLAN_APPROVER, 0, "u-cfo", true},
        {PLAN_ENDED, 1, NULL, item->spec == NULL},
        {PLAN_SPEC, 0, item->spec, item->spec != NULL},
        {PLAN_RESOLVED, 0, item->resolved, item->resolved != NULL},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!fields[i].there)
            continue;
        event.present |= 1ull << fields[i].field;
        event.v[fields[i].field] = (struct event_value){fields[i].i, slice_of(fields[i].s)};
    }
    return event;
}

static struct plan_change apply(struct plan *plan, const struct item *item, uint64_t tenant_seq)
{
    struct event event = event_of(item);
    struct plan_change change;
    plan_apply(plan, &event, tenant_seq, &change);
    return change;
}

static struct plan *plan_of(const struct item *items, size_t count)
{
    struct plan *plan = plan_new();
    for (size_t i = 0; i < count; i++)
        apply(plan, &items[i], i + 1);
    return plan;
}
#define PLAN_OF(items) plan_of(items, sizeof(items) / sizeof *(items))

/* "t1/north/acme" */
static const char *path_text(const struct plan *plan, const char *rep, int64_t at_ms)
{
    static char text[512];
    const uint32_t *nodes;
    uint32_t count = plan_path_nodes(plan, plan_path_of_rep(plan, slice_of(rep), at_ms, NULL), &nodes);
    size_t n = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", i ? "/" : "",
                              SLICE_ARG(plan_node_name(plan, nodes[i])));
    return text;
}

#define ACME                                                                                                           \
    {                                                                                                                  \
        PLAN_KIND_node, "acme", JAN, "{\"kind\":\"company\"}", "n-acme", .recorded_ms = JAN                            \
    }
#define NORTH                                                                                                          \
    {                                                                                                                  \
        PLAN_KIND_node, "north", JAN, "{\"kind\":\"region\",\"parent\":\"acme\"}", "n-north", .corrects = NULL         \
    }
#define SOUTH                                                                                                          \
    {                                                                                                                  \
        PLAN_KIND_node, "south", JAN, "{\"kind\":\"region\",\"parent\":\"acme\"}", "n-south", .corrects = NULL         \
    }
#define T1                                                                                                             \
    {                                                                                                                  \
        PLAN_KIND_node, "t1", JAN, "{\"kind\":\"team\",\"parent\":\"north\"}", "n-t1", .corrects = NULL                \
    }
#define T2                                                                                                             \
    {                                                                                                                  \
        PLAN_KIND_node, "t2", JAN, "{\"kind\":\"team\",\"parent\":\"north\"}", "n-t2", .corrects = NULL                \
    }
#define R1_T1                                                                                                          \
    {                                                                                                                  \
        PLAN_KIND_member, "r1/t1/2026-01-01", JAN,                                                                     \
            "{\"from\":\"2026-01-01\",\"node\":\"t1\",\"rep\":\"r1\",\"tier\":\"A\",\"to\":\"2026-03-10\"}",           \
            "m-r1-t1", .corrects = NULL                                                                                \
    }
#define R1_T2                                                                                                          \
    {                                                                                                                  \
        PLAN_KIND_member, "r1/t2/2026-03-10", JAN,                                                                     \
            "{\"from\":\"2026-03-10\",\"node\":\"t2\",\"rep\":\"r1\",\"tier\":\"B\"}", "m-r1-t2", .corrects = NULL     \
    }

static void a_rep_stands_where_the_membership_of_the_instant_says(void **state)
{
    (void)state;
    const struct item items[] = {ACME, NORTH, T1, T2, R1_T1, R1_T2};
    struct plan *plan = PLAN_OF(items);
    int64_t move_ms = day_ms(2026, 3, 10);
    struct slice tier;
    assert_string_equal(path_text(plan, "r1", move_ms - 1), "t1/north/acme");
    assert_string_equal(path_text(plan, "r1", move_ms), "t2/north/acme");
    plan_path_of_rep(plan, SLICE("r1"), move_ms - 1, &tier);
    assert_true(slice_is(tier, "A"));
    plan_path_of_rep(plan, SLICE("r1"), move_ms, &tier);
    assert_true(slice_is(tier, "B"));
    assert_string_equal(path_text(plan, "r1", JAN - 1), "unassigned");
    assert_string_equal(path_text(plan, "nobody", move_ms), "unassigned");
    assert_int_equal(plan_rep_next_change(plan, SLICE("r1"), JAN), move_ms);
    assert_int_equal(plan_rep_next_change(plan, SLICE("r1"), move_ms), INT64_MAX);
    assert_int_equal(plan_org_next_change(plan, JAN), move_ms);
    assert_true(plan_org_change_least(plan, JAN) > JAN && plan_org_change_least(plan, JAN) <= move_ms);
    assert_int_equal(plan_org_change_least(plan, move_ms - 1), move_ms);
    assert_int_equal(plan_invalid_items(plan), 0);
    assert_true(slice_is(plan_node_name(plan, plan_root(plan, JAN)), "acme"));
    plan_destroy(&plan);
}

static void equal_chains_have_equal_numbers_and_unassigned_is_zero(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME,
        NORTH,
        T1,
        R1_T1,
        {PLAN_KIND_member, "r2/t1/2026-01-01", JAN, "{\"node\":\"t1\",\"rep\":\"r2\"}", "m-r2", .corrects = NULL}};
    struct plan *plan = PLAN_OF(items);
    assert_int_equal(plan_path_of_rep(plan, SLICE("r1"), FEB, NULL), plan_path_of_rep(plan, SLICE("r2"), FEB, NULL));
    assert_int_equal(plan_path_of_rep(plan, SLICE("r9"), FEB, NULL), 0);
    plan_destroy(&plan);
}

static void dates_of_memberships_are_local_to_the_tenants_zone(void **state)
{
    (void)state;
    const struct item items[] = {
        {PLAN_KIND_tenant, "acme", JAN, "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"zone\":\"Asia/Shanghai\"}", "t",
         .resolved = "{\"transitions\":[[631152000000,28800]]}"},
        {PLAN_KIND_node, "acme", day_ms(2025, 12, 1), "{\"kind\":\"company\"}", "n-acme", .corrects = NULL},
        {PLAN_KIND_member, "r1/acme/2026-02-01", JAN, "{\"from\":\"2026-02-01\",\"node\":\"acme\",\"rep\":\"r1\"}", "m",
         .corrects = NULL}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", FEB - 8 * 3600000ll), "acme");
    assert_string_equal(path_text(plan, "r1", FEB - 8 * 3600000ll - 1), "unassigned");
    plan_destroy(&plan);
}

static void a_dotted_role_gives_no_attribution_and_no_overlap(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME,
        NORTH,
        T1,
        T2,
        {PLAN_KIND_member, "r1/t2/d", JAN, "{\"node\":\"t2\",\"rep\":\"r1\",\"role\":\"dotted\"}", "m-0",
         .corrects = NULL},
        {PLAN_KIND_member, "r1/t1/x", JAN, "{\"node\":\"t1\",\"rep\":\"r1\"}", "m-1", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", MAR), "t1/north/acme");
    assert_int_equal(plan_invalid_items(plan), 0);
    plan_destroy(&plan);
}

static void of_two_memberships_at_an_instant_the_one_recorded_first_stands(void **state)
{
    (void)state;
    const struct item items[] = {ACME,
                                 NORTH,
                                 T1,
                                 T2,
                                 R1_T1,
                                 {PLAN_KIND_member, "r1/t2/2026-02-01", FEB,
                                  "{\"from\":\"2026-02-01\",\"node\":\"t2\",\"rep\":\"r1\"}", "m-2",
                                  .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", FEB + 1), "t1/north/acme");
    assert_string_equal(path_text(plan, "r1", day_ms(2026, 3, 10)), "t2/north/acme"); /* the first one has ended */
    assert_int_equal(plan_invalid_items(plan), 1);
    plan_destroy(&plan);
}

static void a_node_that_moves_takes_its_reps_along_from_that_instant(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME,  NORTH,
        SOUTH, T1,
        R1_T1, {PLAN_KIND_node, "t1", FEB, "{\"kind\":\"team\",\"parent\":\"south\"}", "n-t1-2", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", FEB - 1), "t1/north/acme");
    assert_string_equal(path_text(plan, "r1", FEB), "t1/south/acme");
    assert_int_equal(plan_rep_next_change(plan, SLICE("r1"), JAN), FEB);
    plan_destroy(&plan);
}

static void an_item_that_closes_a_ring_is_not_put_in_force(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME,
        NORTH,
        T1,
        R1_T1,
        {PLAN_KIND_node, "north", FEB, "{\"kind\":\"region\",\"parent\":\"t1\"}", "n-ring", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", MAR), "t1/north/acme");
    assert_int_equal(plan_invalid_items(plan), 1);
    plan_destroy(&plan);
}

static void an_orphan_comes_into_force_when_its_parent_arrives(void **state)
{
    (void)state;
    const struct item early[] = {ACME, T1, R1_T1};
    struct plan *plan = PLAN_OF(early);
    assert_string_equal(path_text(plan, "r1", FEB), "unassigned");
    assert_int_equal(plan_invalid_items(plan), 2); /* the team and the membership in it */
    const struct item parent = NORTH;
    struct plan_change change = apply(plan, &parent, 9);
    assert_true(change.any && change.org);
    assert_int_equal(change.from_ms, JAN);
    assert_string_equal(path_text(plan, "r1", FEB), "t1/north/acme");
    assert_int_equal(plan_invalid_items(plan), 0);
    plan_destroy(&plan);
}

static void a_move_under_an_unknown_parent_leaves_the_old_tree_standing(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME,
        NORTH,
        T1,
        R1_T1,
        {PLAN_KIND_node, "t1", FEB, "{\"kind\":\"team\",\"parent\":\"mars\"}", "n-mars", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", MAR), "t1/north/acme");
    assert_int_equal(plan_invalid_items(plan), 1);
    plan_destroy(&plan);
}

static void a_parent_does_not_end_while_it_has_children(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME, NORTH, T1, R1_T1, {PLAN_KIND_node, "north", FEB, NULL, "n-north-end", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", MAR), "t1/north/acme");
    assert_int_equal(plan_invalid_items(plan), 1);
    const struct item end = {PLAN_KIND_node, "t1", FEB, NULL, "n-t1-end", .recorded_ms = MAR};
    apply(plan, &end, 9);
    assert_string_equal(path_text(plan, "r1", FEB - 1), "t1/north/acme");
    assert_string_equal(path_text(plan, "r1", FEB), "unassigned");
    plan_destroy(&plan);
}

static void a_second_root_is_not_put_in_force(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME, {PLAN_KIND_node, "other-co", JAN, "{\"kind\":\"company\"}", "n-2", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_true(slice_is(plan_node_name(plan, plan_root(plan, FEB)), "acme"));
    assert_int_equal(plan_invalid_items(plan), 1);
    plan_destroy(&plan);
}

static void a_chain_deeper_than_sixteen_ends_at_the_sixteenth(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    for (int i = 0; i < 20; i++) {
        char id[16], event_id[16], spec[64];
        snprintf(id, sizeof id, "n%d", i);
        snprintf(event_id, sizeof event_id, "e%d", i);
        snprintf(spec, sizeof spec, i ? "{\"kind\":\"x\",\"parent\":\"n%d\"}" : "{\"kind\":\"x\"}", i - 1);
        struct item item = {PLAN_KIND_node, id, JAN, spec, event_id, .corrects = NULL};
        apply(plan, &item, (uint64_t)i + 1);
    }
    assert_int_not_equal(plan_path_of_node(plan, 16, JAN), PLAN_NONE); /* n15 */
    assert_int_equal(plan_path_of_node(plan, 17, JAN), PLAN_NONE);
    assert_int_equal(plan_invalid_items(plan), 4);
    plan_destroy(&plan);
}

static void an_ended_membership_leaves_the_rep_unassigned(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME, NORTH, T1, R1_T1, {PLAN_KIND_member, "r1/t1/2026-01-01", FEB, NULL, "m-end", .recorded_ms = FEB}};
    struct plan *plan = PLAN_OF(items);
    assert_string_equal(path_text(plan, "r1", FEB - 1), "t1/north/acme");
    assert_string_equal(path_text(plan, "r1", FEB), "unassigned");
    plan_destroy(&plan);
}

/* Semantics 0.3: e1; c1 corrects e1 (2); c2 corrects c1 (3); r retracts c2 (4): active is c1. */
static void a_retracted_correction_brings_the_one_before_back(void **state)
{
    (void)state;
    const struct item items[] = {
        ACME,
        {PLAN_KIND_node, "a", JAN, "{\"kind\":\"x\",\"parent\":\"acme\"}", "e0", .corrects = NULL},
        {PLAN_KIND_node, "b", JAN, "{\"kind\":\"x\",\"parent\":\"acme\"}", "e00", .corrects = NULL},
        {PLAN_KIND_node, "t", JAN, "{\"kind\":\"x\",\"parent\":\"acme\"}", "e1", .recorded_ms = JAN + 1},
        {PLAN_KIND_node, "t", JAN, "{\"kind\":\"x\",\"parent\":\"a\"}", "c1", "e1", .recorded_ms = JAN + 2},
        {PLAN_KIND_node, "t", JAN, "{\"kind\":\"x\",\"parent\":\"b\"}", "c2", "c1", .recorded_ms = JAN + 3},
        {PLAN_KIND_node, "t", JAN, "{\"kind\":\"x\",\"parent\":\"b\"}", "r", "c2", JAN + 4, NULL, true},
        {PLAN_KIND_member, "m", JAN, "{\"node\":\"t\",\"rep\":\"r1\"}", "m", .corrects = NULL}};
    struct plan *plan = plan_of(items, 5);
    apply(plan, &items[7], 8);
    assert_string_equal(path_text(plan, "r1", FEB), "t/a/acme");
    apply(plan, &items[5], 9);
    assert_string_equal(path_text(plan, "r1", FEB), "t/b/acme");
    apply(plan, &items[6], 10);
    assert_string_equal(path_text(plan, "r1", FEB), "t/a/acme");
    plan_destroy(&plan);
}

static void of_two_versions_of_one_instant_the_later_recorded_wins(void **state)
{
    (void)state;
    const struct item items[] = {
        {PLAN_KIND_stage_model, "default", JAN, "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10}]}", "s2",
         .recorded_ms = FEB},
        {PLAN_KIND_stage_model, "default", JAN, "{\"stages\":[{\"id\":\"OLD\",\"kind\":\"open\",\"ord\":10}]}", "s1",
         .corrects = NULL}};
    struct plan *plan = PLAN_OF(items);
    const struct plan_model *model = plan_model_at(plan, SLICE("default"), MAR);
    assert_true(plan_stage_of(model, SLICE("NEW"))->in_model);
    assert_null(plan_stage_of(model, SLICE("OLD")));
    plan_destroy(&plan);
}

static void a_repeated_record_changes_nothing(void **state)
{
    (void)state;
    const struct item items[] = {ACME, NORTH};
    struct plan *plan = PLAN_OF(items);
    assert_false(apply(plan, &items[1], 7).any);
    assert_int_equal(plan_version(plan), 2);
    plan_destroy(&plan);
}

static void stages_keep_their_numbers_through_all_versions(void **state)
{
    (void)state;
    const struct item items[] = {
        {PLAN_KIND_stage_model, "default", JAN,
         "{\"allow_regress\":false,\"loss_reason\":\"required\",\"reclaim_block\":\"3d\",\"stages\":["
         "{\"id\":\"WON\",\"kind\":\"won\"},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20,\"required_steps\":"
         "[\"budget\",\"decider\"],\"win\":\"50%\"},{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10}]}",
         "s1", .corrects = NULL},
        {PLAN_KIND_stage_model, "default", FEB,
         "{\"stages\":[{\"id\":\"DEMO\",\"kind\":\"open\",\"ord\":5},{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},"
         "{\"id\":\"WON\",\"kind\":\"won\"}]}",
         "s2", .corrects = NULL},
        {PLAN_KIND_stage_model, "default", MAR, NULL, "s3", .corrects = NULL}};
    struct plan *plan = PLAN_OF(items);
    const struct plan_model *january = plan_model_at(plan, SLICE("default"), FEB - 1);
    const struct plan_model *february = plan_model_at(plan, SLICE("default"), FEB);
    assert_null(plan_model_at(plan, SLICE("default"), JAN - 1));
    assert_null(plan_model_at(plan, SLICE("default"), MAR));
    assert_null(plan_model_at(plan, SLICE("none"), FEB));
    assert_true(january->allow_skip && !january->allow_regress && january->loss_reason_required);
    assert_int_equal(january->reclaim_block_ms, 3 * DAY_MS);
    assert_int_equal(february->reclaim_block_ms, 7 * DAY_MS);
    assert_true(slice_is(january->stages[0].name, "NEW"));
    const struct plan_stage *qual = plan_stage_of(january, SLICE("QUAL")),
                            *gone = plan_stage_of(february, SLICE("QUAL"));
    assert_int_equal(qual->win_ppm, 500000);
    assert_int_equal(qual->required_count, 2);
    assert_true(slice_is(qual->required_steps[1], "decider"));
    assert_true(qual->in_model && !gone->in_model);
    assert_int_equal(qual->id, gone->id);
    assert_int_equal(plan_stage_of(january, SLICE("NEW"))->id, plan_stage_of(february, SLICE("NEW"))->id);
    assert_true(slice_is(february->stages[0].name, "DEMO"));
    plan_destroy(&plan);
}

static void without_a_tenant_item_there_are_defaults_and_no_figures(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    assert_false(plan_has_tenant(plan));
    assert_int_equal(plan_history_ms(plan, JAN), 400 * DAY_MS);
    assert_int_equal(plan_default_pipeline(plan, JAN).n, 0);
    assert_int_equal(plan_zone(plan)->count, 0);
    plan_destroy(&plan);
}

static void the_tenant_item_is_effective_dated(void **state)
{
    (void)state;
    const struct item items[] = {{PLAN_KIND_tenant, "acme", JAN,
                                  "{\"history\":\"200d\",\"pipeline\":\"b\",\"week_start\":\"sun\"}", "t1",
                                  .corrects = NULL},
                                 {PLAN_KIND_tenant, "acme", FEB, "{\"history\":\"300d\"}", "t2", .corrects = NULL},
                                 {PLAN_KIND_stage_model, "a", JAN,
                                  "{\"stages\":[{\"id\":\"N\",\"kind\":\"open\",\"ord\":1}]}", "s1", .corrects = NULL}};
    struct plan *plan = PLAN_OF(items);
    assert_true(plan_has_tenant(plan));
    assert_int_equal(plan_history_ms(plan, FEB - 1), 200 * DAY_MS);
    assert_int_equal(plan_history_ms(plan, FEB), 300 * DAY_MS);
    assert_int_equal(plan_week_start(plan, JAN), 6);
    assert_int_equal(plan_week_start(plan, FEB), 0);
    assert_true(slice_is(plan_default_pipeline(plan, JAN), "b"));
    assert_true(slice_is(plan_default_pipeline(plan, FEB), "a")); /* the only one */
    plan_destroy(&plan);
}

/* --- order of arrival, save and load --- */

static const struct item jumble[] = {
    ACME,
    NORTH,
    SOUTH,
    T1,
    T2,
    R1_T1,
    R1_T2,
    {PLAN_KIND_node, "t1", FEB, "{\"kind\":\"team\",\"parent\":\"south\"}", "n-t1-2", .recorded_ms = FEB},
    {PLAN_KIND_node, "north", FEB, "{\"kind\":\"region\",\"parent\":\"t2\"}", "n-ring", .recorded_ms = FEB + 1},
    {PLAN_KIND_node, "t1", FEB, "{\"kind\":\"team\",\"parent\":\"north\"}", "n-t1-3", "n-t1-2", .recorded_ms = FEB + 2},
    {PLAN_KIND_node, "south", MAR, NULL, "n-south-end", .recorded_ms = FEB + 3},
    {PLAN_KIND_member, "r1/t2/2026-02-01", FEB, "{\"from\":\"2026-02-01\",\"node\":\"t2\",\"rep\":\"r1\"}", "m-over",
     .recorded_ms = FEB + 4},
    {PLAN_KIND_stage_model, "default", JAN, "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10}]}", "s1",
     .corrects = NULL},
    {PLAN_KIND_stage_model, "default", FEB, "{\"stages\":[{\"id\":\"OPEN\",\"kind\":\"open\",\"ord\":10}]}", "s2",
     .corrects = NULL},
};
enum { JUMBLE = sizeof jumble / sizeof *jumble };

static void describe(const struct plan *plan, struct buf *out)
{
    plan_save(plan, out);
    for (int64_t at_ms = JAN - DAY_MS; at_ms < MAR + 30 * DAY_MS; at_ms += DAY_MS / 2)
        buf_addf(out, "%s;", path_text(plan, "r1", at_ms));
    int64_t next_ms = plan_org_next_change(plan, JAN), least_ms = plan_org_change_least(plan, JAN);
    assert_true(least_ms > JAN && least_ms <= next_ms);
    buf_addf(out, "%u %lld", plan_invalid_items(plan), (long long)next_ms);
}

static void the_order_of_arrival_changes_nothing(void **state)
{
    (void)state;
    struct buf expected, seen;
    buf_init(&expected);
    buf_init(&seen);
    struct plan *plan = plan_of(jumble, JUMBLE);
    describe(plan, &expected);
    plan_destroy(&plan);
    uint32_t seed = 12345;
    for (int round = 0; round < 200; round++) {
        unsigned order[JUMBLE];
        for (unsigned i = 0; i < JUMBLE; i++)
            order[i] = i;
        for (unsigned i = JUMBLE - 1; i > 0; i--) {
            seed = seed * 1664525u + 1013904223u;
            unsigned j = (seed >> 8) % (i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        plan = plan_new();
        for (unsigned i = 0; i < JUMBLE; i++) {
            apply(plan, &jumble[order[i]], order[i] + 1);
            if (i % 3 == 0)
                plan_invalid_items(plan); /* reading in between must not matter */
        }
        buf_clear(&seen);
        describe(plan, &seen);
        assert_true(slice_eq(buf_slice(&seen), buf_slice(&expected)));
        plan_destroy(&plan);
    }
    buf_close(&expected);
    buf_close(&seen);
}

static void a_saved_plan_comes_back_with_the_same_numbers(void **state)
{
    (void)state;
    struct plan *plan = plan_of(jumble, JUMBLE), *back = plan_new();
    struct buf bytes, again;
    struct err err;
    buf_init(&bytes);
    buf_init(&again);
    plan_save(plan, &bytes);
    assert_int_equal(plan_load(back, buf_slice(&bytes), &err), OK);
    plan_save(back, &again);
    assert_true(slice_eq(buf_slice(&bytes), buf_slice(&again)));
    assert_int_equal(plan_node_count(back), plan_node_count(plan));
    for (uint32_t node = 0; node < plan_node_count(plan); node++)
        assert_true(slice_eq(plan_node_name(plan, node), plan_node_name(back, node)));
    assert_int_equal(plan_version(back), JUMBLE);
    assert_int_equal(plan_stage_of(plan_model_at(back, SLICE("default"), FEB), SLICE("OPEN"))->id,
                     plan_stage_of(plan_model_at(plan, SLICE("default"), FEB), SLICE("OPEN"))->id);
    plan_destroy(&plan);
    plan_destroy(&back);
    buf_close(&bytes);
    buf_close(&again);
}

static void cut_or_altered_bytes_are_refused(void **state)
{
    (void)state;
    struct plan *plan = plan_of(jumble, JUMBLE);
    struct buf bytes;
    struct err err;
    buf_init(&bytes);
    plan_save(plan, &bytes);
    plan_destroy(&plan);
    for (size_t n = 0; n < bytes.n; n++) {
        struct plan *back = plan_new();
        assert_int_equal(plan_load(back, slice_make(bytes.p, n), &err), ERR_CORRUPT);
        plan_destroy(&back);
    }
    buf_close(&bytes);
}

static void meta_lists_what_is_in_force_now(void **state)
{
    (void)state;
    const struct item items[] = {{PLAN_KIND_tenant, "acme", JAN, "{\"currency\":\"CNY\",\"zone\":\"UTC\"}", "t1",
                                  .resolved = "{\"transitions\":[[0,0]]}"},
                                 ACME,
                                 NORTH,
                                 jumble[12]};
    struct plan *plan = PLAN_OF(items);
    struct buf out;
    buf_init(&out);
    plan_write_meta(plan, FEB, &out);
    assert_string_equal(
        buf_cstr(&out),
        "{\"calendar_version\":0,\"currency\":\"CNY\",\"history_ms\":34560000000,\"invalid_items\":0,\"models\":[{"
        "\"cohort_by\":[\"month\",\"week\"],\"horizons_ms\":[604800000,1209600000,2592000000,5184000000,7776000000],"
        "\"pipeline\":\"default\",\"pipeline_id\":0,\"stages\":[{\"id\":0,\"in_model\":true,\"kind\":\"open\","
        "\"name\":\"NEW\",\"ord\":10}],\"valid_from_ms\":1767225600000}],\"nodes\":[{\"id\":\"acme\",\"kind\":"
        "\"company\",\"manager\":\"\",\"name\":\"\",\"node\":1,\"parent\":\"\"},{\"id\":\"north\",\"kind\":\"region\","
        "\"manager\":\"\",\"name\":\"\",\"node\":2,\"parent\":\"acme\"}],\"pipeline\":\"default\",\"plan_version\":4,"
        "\"week_start\":0,\"zone\":{\"first_offset_s\":0,\"name\":\"UTC\",\"transitions\":[[0,0]]}}");
    buf_close(&out);
    plan_destroy(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rep_stands_where_the_membership_of_the_instant_says),
        cmocka_unit_test(equal_chains_have_equal_numbers_and_unassigned_is_zero),
        cmocka_unit_test(dates_of_memberships_are_local_to_the_tenants_zone),
        cmocka_unit_test(a_dotted_role_gives_no_attribution_and_no_overlap),
        cmocka_unit_test(of_two_memberships_at_an_instant_the_one_recorded_first_stands),
        cmocka_unit_test(a_node_that_moves_takes_its_reps_along_from_that_instant),
        cmocka_unit_test(an_item_that_closes_a_ring_is_not_put_in_force),
        cmocka_unit_test(an_orphan_comes_into_force_when_its_parent_arrives),
        cmocka_unit_test(a_move_under_an_unknown_parent_leaves_the_old_tree_standing),
        cmocka_unit_test(a_parent_does_not_end_while_it_has_children),
        cmocka_unit_test(a_second_root_is_not_put_in_force),
        cmocka_unit_test(a_chain_deeper_than_sixteen_ends_at_the_sixteenth),
        cmocka_unit_test(an_ended_membership_leaves_the_rep_unassigned),
        cmocka_unit_test(a_retracted_correction_brings_the_one_before_back),
        cmocka_unit_test(of_two_versions_of_one_instant_the_later_recorded_wins),
        cmocka_unit_test(a_repeated_record_changes_nothing),
        cmocka_unit_test(stages_keep_their_numbers_through_all_versions),
        cmocka_unit_test(without_a_tenant_item_there_are_defaults_and_no_figures),
        cmocka_unit_test(the_tenant_item_is_effective_dated),
        cmocka_unit_test(the_order_of_arrival_changes_nothing),
        cmocka_unit_test(a_saved_plan_comes_back_with_the_same_numbers),
        cmocka_unit_test(cut_or_altered_bytes_are_refused),
        cmocka_unit_test(meta_lists_what_is_in_force_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
