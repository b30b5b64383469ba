/* Plan files: the shipped ones and the example are without a finding, every error code is found at its place, and the
 * records that they become are those of formats 3.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "cli/plan_file.h"
#include "model/plan_shipped.h"

#define HEAD "paceline_plan: 1\nvalid_from: 2026-01-01\nreason: r\napprover: u\n"
#define TENANT                                                                                                         \
    "tenant: {id: acme, zone: UTC, currency: CNY, calendar: c}\ncalendars: [{id: c, zone: UTC, week: {mon: "           \
    "[\"09:00-17:00\"]}}]\n"
#define ORG                                                                                                            \
    "org:\n- {id: acme, kind: company}\n- {id: t1, kind: team, parent: acme}\n- {id: t2, kind: team, parent: acme}\n"

static void load(struct plan_file *file, const char *text, struct findings *findings, const struct plan *current)
{
    findings_init(findings);
    (void)plan_file_parse(file, "p.yaml", slice_of(text), SLICE("acme"), current, findings);
}

/* All findings of a text as lines. The caller frees. */
static char *findings_of(const char *text)
{
    struct plan_file file;
    struct findings findings;
    struct buf out;
    buf_init(&out);
    load(&file, text, &findings, NULL);
    findings_write(&findings, &out);
    plan_file_close(&file);
    findings_close(&findings);
    return (char *)(uintptr_t)buf_cstr(&out);
}

static void expect(const char *text, const char *place_and_code)
{
    char *found = findings_of(text);
    if (!strstr(found, place_and_code))
        fail_msg("expected %s in:\n%s", place_and_code, found);
    free(found);
}

static void expect_nothing(const char *text)
{
    char *found = findings_of(text);
    if (*found)
        fail_msg("expected no finding:\n%s", found);
    free(found);
}

static void the_complete_example_is_without_a_finding(void **state)
{
    (void)state;
    struct plan_file file;
    struct findings findings;
    struct buf out;
    buf_init(&out);
    findings_init(&findings);
    enum err_code code =
        plan_file_read(&file, PACELINE_SOURCE_DIR "/deploy/examples/plan.yaml", SLICE(""), NULL, &findings);
    findings_write(&findings, &out);
    if (code != OK)
        fail_msg("%s", buf_cstr(&out));
    assert_true(slice_is(file.tenant, "acme"));
    assert_int_equal(file.valid_from_ms, 1767196800000ll); /* 2025-12-31T16:00Z */
    plan_file_close(&file);
    findings_close(&findings);
    buf_close(&out);
}

static void the_shipped_measures_and_obligations_are_without_a_finding(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text);
    buf_addf(&text, HEAD TENANT "%s%s", plan_shipped_measures, plan_shipped_obligations);
    expect_nothing(buf_cstr(&text));
    buf_close(&text);
}

/* Every code of formats 0 with the place where it is found. */
static const struct {
    const char *text, *found;
} errors[] = {
    {"a: [\n", "syntax"},
    {HEAD TENANT "meassures: []\n", "p.yaml:7:1: unknown_key"},
    {HEAD "tenant: {id: acme, zone: UTC, currency: CNY, calendar: c, zoen: x}\n", "p.yaml:5:59: unknown_key"},
    {"paceline_plan: 1\nreason: r\napprover: u\n" TENANT, "missing_key"},
    {HEAD "tenant: {id: acme, zone: UTC, currency: CNY}\n", "p.yaml:5:9: missing_key"},
    {HEAD "paceline_plan: 2\n", "p.yaml:5:1: "},
    {"paceline_plan: 2\nvalid_from: 2026-01-01\nreason: r\napprover: u\n" TENANT, "p.yaml:1:16: bad_value"},
    {HEAD TENANT
     "stage_models: [{pipeline: p, reclaim_block: 7x, stages: [{id: A, kind: open, ord: 1}, {id: W, kind: won}]}]\n",
     "p.yaml:7:45: bad_duration"},
    {HEAD TENANT "org: [{id: a, kind: k, valid_from: 2026-02-30}]\n", "p.yaml:7:36: bad_date"},
    {HEAD "tenant: {id: acme, zone: Mars/Base, currency: CNY, calendar: c}\n", "p.yaml:5:26: bad_zone"},
    {HEAD "tenant: {id: acme, zone: UTC, currency: XXX, calendar: c}\n", "p.yaml:5:41: bad_currency"},
    {HEAD TENANT "org: [{id: \"a/b\", kind: k}]\n", "p.yaml:7:12: bad_id"},
    {HEAD TENANT "org: [{id: a, kind: k, manager: x@y.de}]\n", "p.yaml:7:33: bad_id"},
    {HEAD TENANT "org:\n- {id: a, kind: k}\n- {id: a, kind: k}\n", "p.yaml:9:3: duplicate_id"},
    {HEAD TENANT "org: [{id: a, kind: k}, {id: b, kind: k, parent: z}]\n", "p.yaml:7:50: unknown_ref"},
    {HEAD TENANT ORG "members: [{rep: r1, node: t9}]\n", "p.yaml:11:27: unknown_ref"},
    {HEAD TENANT "stage_models: [{pipeline: p, stages: [{id: A, kind: open, ord: 1, required_steps: "
                 "[a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]}, {id: W, kind: won}]}]\n",
     "p.yaml:7:83: too_many"},
    {HEAD TENANT
     "obligations: [{id: o, subject: lead_id, due: 1d, open: [{from: lead, where: \"class == create and class == "
     "create and class == create and class == create and class == create and class == create and class == "
     "create and class == create and class == create and class == create and class == create and class == "
     "create and class == create and class == create and class == create and class == create and class == "
     "create\"}]}]\n",
     "too_long"},
    {HEAD TENANT "org:\n- {id: a, kind: k}\n- {id: b, kind: k, parent: c}\n- {id: c, kind: k, parent: b}\n",
     "p.yaml:9:3: org_cycle"},
    {HEAD TENANT "org:\n- {id: a, kind: k}\n- {id: b, kind: k}\n", "p.yaml:9:3: org_orphan"},
    {HEAD TENANT ORG "members:\n- {rep: r1, node: t1}\n- {rep: r1, node: t2, from: 2026-03-01}\n",
     "p.yaml:13:3: member_overlap"},
    {HEAD TENANT
     "stage_models: [{pipeline: p, stages: [{id: A, kind: open, ord: 1}, {id: B, kind: open, ord: 1}, {id: W, "
     "kind: won}]}]\n",
     "p.yaml:7:93: ord_twice"},
    {HEAD TENANT "stage_models: [{pipeline: p, stages: [{id: A, kind: open, ord: 1}]}]\n", "p.yaml:7:38: stage_kinds"},
    {HEAD "tenant: {id: acme, zone: UTC, currency: CNY, calendar: c}\ncalendars: [{id: c, zone: UTC, week: {mon: "
          "[\"09:00-17:00\"]}, intraday: [{until: \"12:00\", share: 40%}, {until: \"24:00\", share: 50%}]}]\n",
     "p.yaml:6:72: shares_sum"},
    {HEAD TENANT ORG "targets:\n- {id: a, measure: order_amount, node: t1, period: 2026, value: 1}\n- {id: b, measure: "
                     "order_amount, node: t1, period: 2026, value: 2, tier: base}\n",
     "p.yaml:13:3: target_twice"},
    {HEAD TENANT "measures: [{id: m, from: lead, value: count, where: \"class = win\"}]\n",
     "p.yaml:7:60: filter_syntax"},
    {HEAD TENANT "measures: [{id: m, from: lead, value: count, where: \"clas == win\"}]\n",
     "p.yaml:7:54: unknown_field"},
    {HEAD TENANT "measures: [{id: m, from: lead, value: count, where: \"class == won\"}]\n", "p.yaml:7:63: bad_enum"},
    {HEAD TENANT "measures: [{id: m, from: lead, value: count, where: \"amount == big\"}]\n", "p.yaml:7:64: bad_type"},
    {HEAD TENANT "measures: [{id: m, from: lead, value: sum owner_id}]\n", "p.yaml:7:39: bad_type"},
    {HEAD TENANT "measures: [{id: m, from: lead, value: count, direction: up}]\n", "p.yaml:7:57: bad_enum"},
    {HEAD TENANT "rules: [{id: r, kind: feed_silent, window: 5wd}]\n", "p.yaml:7:36: unknown_key"},
};

static void every_error_is_found_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        expect(errors[i].text, errors[i].found);
}

static void more_cells_than_the_published_bound_are_too_many(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text);
    buf_add_text(&text, HEAD TENANT "stage_models: [{pipeline: p, stages: [{id: W, kind: won}");
    for (int i = 0; i < 60; i++)
        buf_addf(&text, ", {id: S%d, kind: open, ord: %d}", i, i);
    buf_add_text(&text, "]}]\norg:\n- {id: root, kind: k}\n");
    for (int i = 0; i < 90000; i++)
        buf_addf(&text, "- {id: n%d, kind: k, parent: root}\n", i);
    expect(buf_cstr(&text), "too_many_cells");
    buf_close(&text);
}

static void all_errors_of_a_file_are_reported_together(void **state)
{
    (void)state;
    char *found = findings_of(HEAD "tenant: {id: acme, zone: UTC, currency: XXX, calendar: c}\n"
                                   "org:\n- {id: all, kind: k}\n- {kind: k}\nrules: [{id: r, kind: none}]\n");
    assert_non_null(strstr(found, "p.yaml:5:41: bad_currency"));
    assert_non_null(strstr(found, "p.yaml:7:8: bad_id"));
    assert_non_null(strstr(found, "p.yaml:8:3: missing_key"));
    assert_non_null(strstr(found, "p.yaml:9:23: bad_enum"));
    free(found);
}

static void unknown_keys_come_with_a_suggestion(void **state)
{
    (void)state;
    expect(HEAD TENANT "org: [{id: a, kind: k, manger: m}]\n", "did you mean \"manager\"?");
}

/* --- records --- */

struct seen {
    char ids[64][256];
    char event_ids[64][65];
    char specs[64][1024];
    int64_t valid_from_ms[64];
    enum event_op ops[64];
    bool ended[64];
    int count;
    struct plan *plan; /* folded along */
};

static void note(void *context, const struct plan_change_event *change)
{
    struct seen *seen = context;
    const struct event *event = change->event;
    int i = seen->count++;
    assert_true(i < 64);
    snprintf(seen->ids[i], sizeof seen->ids[i], "%.*s", SLICE_ARG(event->v[PLAN_ID].s));
    snprintf(seen->event_ids[i], sizeof seen->event_ids[i], "%.*s", SLICE_ARG(event->v[EV_EVENT_ID].s));
    snprintf(seen->specs[i], sizeof seen->specs[i], "%.*s", SLICE_ARG(event->v[PLAN_SPEC].s));
    seen->valid_from_ms[i] = event->v[PLAN_VALID_FROM].i;
    seen->ops[i] = event_has(event, EV_OP) ? (enum event_op)event->v[EV_OP].i : OP_ASSERT;
    seen->ended[i] = change->ended;
    static uint64_t tenant_seq;
    struct plan_change folded;
    if (seen->plan)
        plan_apply(seen->plan, event, ++tenant_seq, &folded);
    char text[256];
    static const char *const kinds[] = {"tenant", "calendar", "node",       "member", "stage_model", "measure",
                                        "target", "rule",     "obligation", "price",  "dealer"};
    if (!plan_item_check(slice_of(kinds[event->v[PLAN_KIND].i]), event->v[PLAN_ID].s, event->v[PLAN_SPEC].s,
                         event->v[PLAN_RESOLVED].s, change->ended, text, sizeof text))
        fail_msg("the door refuses %s: %s", seen->ids[i], text);
}

static void changes(struct seen *seen, const char *text, const struct plan *current, int64_t prune_ms)
{
    struct plan_file file;
    struct findings findings;
    struct buf out;
    seen->count = 0;
    buf_init(&out);
    load(&file, text, &findings, current);
    findings_write(&findings, &out);
    if (out.n)
        fail_msg("%s", buf_cstr(&out));
    plan_file_changes(&file, 1767571200000ll, "plan-apply", prune_ms, note, seen);
    plan_file_close(&file);
    findings_close(&findings);
    buf_close(&out);
}

/* The record of formats 3.6. */
static void a_record_is_named_by_the_digest_of_its_content(void **state)
{
    (void)state;
    char hex[65];
    plan_event_id(
        SLICE(""), false, SLICE("t-2026-03-north"), "target",
        SLICE("{\"measure\":\"order_amount\",\"node\":\"north\",\"period\":\"2026-03\",\"status\":\"approved\","
              "\"tier\":\"base\",\"value\":20000000}"),
        SLICE("acme"), 1767196800000ll, hex);
    assert_string_equal(hex, "23e773bd928fdf855f887dc6cff863ebd026c6a10cc1b6b3c73bc53116954a66");
}

static void the_example_yields_the_record_of_the_format_and_no_change_when_applied_again(void **state)
{
    (void)state;
    struct plan_file file;
    struct findings findings;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    seen->plan = plan_new();
    const char *path = PACELINE_SOURCE_DIR "/deploy/examples/plan.yaml";
    findings_init(&findings);
    assert_int_equal(plan_file_read(&file, path, SLICE(""), NULL, &findings), OK);
    plan_file_changes(&file, 1767571200000ll, "plan-apply", -1, note, seen);
    plan_file_close(&file);
    bool found = false;
    for (int i = 0; i < seen->count; i++)
        found = found ||
                strcmp(seen->event_ids[i], "23e773bd928fdf855f887dc6cff863ebd026c6a10cc1b6b3c73bc53116954a66") == 0;
    assert_true(found);
    assert_int_equal(plan_invalid_items(seen->plan), 0);
    assert_int_equal(plan_file_read(&file, path, SLICE(""), seen->plan, &findings), OK);
    assert_int_equal(plan_file_changes(&file, 1767571200001ll, "plan-apply", -1, note, seen), 0);
    plan_file_close(&file);
    findings_close(&findings);
    plan_destroy(&seen->plan);
    free(seen);
}

static void specs_are_canonical(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    changes(seen,
            HEAD TENANT "prices: [{sku: s, list: 9800.50, floor: 8800, currency: CNY}]\n"
                        "rules: [{kind: target_drift, id: d, measure: order_amount, k: 0.50, h: auto}]\n",
            NULL, -1);
    assert_int_equal(seen->count, 4);
    assert_string_equal(seen->ids[3], "s/CNY");
    assert_string_equal(seen->specs[3], "{\"currency\":\"CNY\",\"floor\":8800,\"list\":9800.5,\"sku\":\"s\"}");
    assert_string_equal(seen->specs[2],
                        "{\"h\":\"auto\",\"k\":0.5,\"kind\":\"target_drift\",\"measure\":\"order_amount\"}");
    free(seen);
}

static void only_what_changed_becomes_a_record_and_a_change_back_has_a_new_name(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    seen->plan = plan_new();
    const char *one = HEAD TENANT "org: [{id: a, kind: k, name: One}]\n";
    const char *two = HEAD TENANT "org: [{id: a, kind: k, name: Two}]\n";
    char first[65];
    changes(seen, one, NULL, -1);
    assert_int_equal(seen->count, 3);
    snprintf(first, sizeof first, "%s", seen->event_ids[2]);
    changes(seen, two, seen->plan, -1);
    assert_int_equal(seen->count, 1);
    assert_int_equal(seen->ops[0], OP_CORRECT); /* the same valid_from */
    changes(seen, one, seen->plan, -1);
    assert_int_equal(seen->count, 1);
    assert_string_not_equal(seen->event_ids[0], first);
    changes(seen, one, seen->plan, -1);
    assert_int_equal(seen->count, 0);
    plan_destroy(&seen->plan);
    free(seen);
}

static void a_version_with_a_later_date_is_no_correction(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    seen->plan = plan_new();
    changes(seen, HEAD TENANT "org: [{id: a, kind: k, name: One}]\n", NULL, -1);
    changes(seen, HEAD TENANT "org: [{id: a, kind: k, name: Two, valid_from: 2026-02-01}]\n", seen->plan, -1);
    assert_int_equal(seen->count, 1);
    assert_int_equal(seen->ops[0], OP_ASSERT);
    plan_destroy(&seen->plan);
    free(seen);
}

static void pruning_ends_what_the_file_leaves_out(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    seen->plan = plan_new();
    changes(seen, HEAD TENANT ORG, NULL, -1);
    const char *less = HEAD TENANT "org:\n- {id: acme, kind: company}\n- {id: t1, kind: team, parent: acme}\n";
    changes(seen, less, seen->plan, -1);
    assert_int_equal(seen->count, 0);
    changes(seen, less, seen->plan, 1772323200000ll);
    assert_int_equal(seen->count, 1);
    assert_true(seen->ended[0]);
    assert_string_equal(seen->ids[0], "t2");
    changes(seen, less, seen->plan, 1772323200000ll);
    assert_int_equal(seen->count, 0);
    plan_destroy(&seen->plan);
    free(seen);
}

/* Semantics 5.2: 100,001 by 40/35/25. */
static void a_split_target_becomes_parts_that_sum_exactly(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    changes(seen,
            HEAD TENANT ORG
            "- {id: t3, kind: team, parent: acme}\ntargets:\n"
            "- {id: y, measure: order_amount, node: acme, period: 2026, value: 100001, status: approved}\n"
            "- {id: s, of: y, split: {t1: 40, t2: 35, t3: 25}}\n",
            NULL, -1);
    assert_int_equal(seen->count, 10);
    assert_string_equal(seen->ids[7], "y.t1");
    assert_non_null(strstr(seen->specs[7], "\"value\":40001"));
    assert_non_null(strstr(seen->specs[7], "\"status\":\"approved\""));
    assert_non_null(strstr(seen->specs[8], "\"value\":35000"));
    assert_non_null(strstr(seen->specs[9], "\"value\":25000"));
    free(seen);
}

static void the_id_of_a_member_says_who_where_and_since_when(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    changes(seen,
            HEAD TENANT ORG
            "members:\n- {rep: r1, node: t1, to: 2026-03-01}\n- {rep: r1, node: t2, from: 2026-03-01}\n",
            NULL, -1);
    assert_string_equal(seen->ids[5], "r1/t1/2026-01-01T00:00:00.000Z");
    assert_string_equal(seen->ids[6], "r1/t2/2026-03-01");
    free(seen);
}

static void references_may_name_what_the_present_plan_has(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    seen->plan = plan_new();
    changes(seen, HEAD TENANT ORG, NULL, -1);
    changes(seen, HEAD "members: [{rep: r1, node: t2}]\n", seen->plan, -1);
    assert_int_equal(seen->count, 1);
    plan_destroy(&seen->plan);
    free(seen);
}

static void notes_name_nodes_without_manager_and_targets_that_do_not_add_up(void **state)
{
    (void)state;
    struct plan_file file;
    struct findings findings;
    struct buf out;
    buf_init(&out);
    load(&file,
         HEAD TENANT ORG "targets:\n- {id: a, measure: order_amount, node: acme, period: 2026, value: 100}\n"
                         "- {id: b, measure: order_amount, node: t1, period: 2026, value: 70}\n"
                         "- {id: c, measure: order_amount, node: t2, period: 2026, value: 50}\n"
                         "- {id: d, measure: order_amount, node: t2, period: 2027, value: 50}\n",
         &findings, NULL);
    plan_file_notes(&file, false, &out);
    assert_string_equal(buf_cstr(&out), "p.yaml:9:3: note: node t1 has no manager\n"
                                        "p.yaml:10:3: note: node t2 has no manager\n"
                                        "p.yaml:12:3: note: target a is over-assigned by 20\n");
    plan_file_close(&file);
    findings_close(&findings);
    buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_complete_example_is_without_a_finding),
        cmocka_unit_test(the_shipped_measures_and_obligations_are_without_a_finding),
        cmocka_unit_test(every_error_is_found_at_its_place),
        cmocka_unit_test(more_cells_than_the_published_bound_are_too_many),
        cmocka_unit_test(all_errors_of_a_file_are_reported_together),
        cmocka_unit_test(unknown_keys_come_with_a_suggestion),
        cmocka_unit_test(a_record_is_named_by_the_digest_of_its_content),
        cmocka_unit_test(the_example_yields_the_record_of_the_format_and_no_change_when_applied_again),
        cmocka_unit_test(specs_are_canonical),
        cmocka_unit_test(only_what_changed_becomes_a_record_and_a_change_back_has_a_new_name),
        cmocka_unit_test(a_version_with_a_later_date_is_no_correction),
        cmocka_unit_test(pruning_ends_what_the_file_leaves_out),
        cmocka_unit_test(a_split_target_becomes_parts_that_sum_exactly),
        cmocka_unit_test(the_id_of_a_member_says_who_where_and_since_when),
        cmocka_unit_test(notes_name_nodes_without_manager_and_targets_that_do_not_add_up),
        cmocka_unit_test(references_may_name_what_the_present_plan_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
