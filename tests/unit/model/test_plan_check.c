/* Plan items at the door (formats 3.6, 6: plan_invalid): specs of every kind, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "model/plan.h"
#include "model/plan_json.h"
#include "model/plan_schema.h"

#define RESOLVED "{\"transitions\":[[631152000000,28800]]}"

static const struct {
    const char *kind, *id, *spec, *resolved;
} good[] = {
    {"tenant", "acme", "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"zone\":\"Asia/Shanghai\"}", RESOLVED},
    {"tenant", "acme", "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"history\":\"400d\",\"zone\":\"UTC\"}", ""},
    {"calendar", "cn",
     "{\"day_weights\":{\"2026-03-29..2026-03-31\":2.5,\"sat\":0},\"week\":{\"mon-fri\":[\"09:00-12:00\",\"13:30-18:"
     "00\"]},\"zone\":\"UTC\"}",
     ""},
    {"node", "t1", "{\"kind\":\"team\",\"manager\":\"m1\",\"parent\":\"north\"}", ""},
    {"member", "r1/t1/2026-01-01", "{\"from\":\"2026-01-01\",\"node\":\"t1\",\"rep\":\"r1\",\"tier\":\"A\"}", ""},
    {"stage_model", "default",
     "{\"allow_skip\":true,\"pipeline\":\"default\",\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"max_dwell\":"
     "\"auto\",\"ord\":10},{\"id\":\"WON\",\"kind\":\"won\"}]}",
     ""},
    {"measure", "demo",
     "{\"dims\":[\"kind\"],\"from\":\"visit\",\"value\":\"count\",\"where\":\"phase == checkout and outcome == demo\"}",
     ""},
    {"target", "t-2026",
     "{\"dim\":{\"product_group\":\"coffee\"},\"measure\":\"order_amount\",\"node\":\"rep:r1\",\"period\":\"2026-Q1\","
     "\"value\":5000000}",
     ""},
    {"target", "whole.t1", "{\"measure\":\"order_amount\",\"node\":\"t1\",\"period\":\"2026\",\"value\":\"2%\"}", ""},
    {"rule", "pace",
     "{\"fire\":\"-8pp\",\"kind\":\"pace_gap\",\"levels\":[\"team\"],\"measure\":\"order_amount\",\"tail\":\"off\"}",
     ""},
    {"obligation", "dealer-silent", "{\"enabled\":false}", ""},
    {"obligation", "visit-missed",
     "{\"again\":\"restart\",\"at_risk\":\"off\",\"due\":\"planned_end + "
     "15m\",\"met\":[{\"from\":\"visit\",\"where\":\"phase == "
     "checkin\"}],\"open\":[{\"from\":\"visit\",\"where\":\"phase == planned\"}],\"subject\":\"visit_id\"}",
     ""},
    {"price", "s/CNY", "{\"currency\":\"CNY\",\"floor\":8800,\"list\":9800.5,\"sku\":\"s\"}", ""},
    {"dealer", "d-1", "{\"exceptions\":[\"x\"],\"regions\":[\"zhejiang\"]}", ""},
};

/* What is wrong, and a word that the text must say. */
static const struct {
    const char *kind, *id, *spec, *resolved, *says;
} bad[] = {
    {"nothing", "a", "{}", "", "kind"},
    {"node", "t1", "", "", "spec"},
    {"node", "t1", "[1]", "", "bad_type"},
    {"node", "t1", "{\"kind\":\"team\"", "", "spec"},
    {"node", "t1", "{\"kind\":\"a\",\"kind\":\"b\"}", "", "spec"},
    {"node", "a/b", "{\"kind\":\"team\"}", "", "bad_id"},
    {"node", "t1", "{\"kind\":\"team\"}", RESOLVED, "resolved"},
    {"node", "t1", "{\"kind\":5}", "", "bad_type"},
    {"node", "t1", "{\"parent\":\"x\"}", "", "missing_key"},
    {"node", "t1", "{\"colour\":\"x\",\"kind\":\"team\"}", "", "unknown_key"},
    {"node", "t1", "{\"kind\":\"team\",\"valid_from\":\"2026-01-01\"}", "", "unknown_key"},
    {"tenant", "acme", "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"zone\":\"Asia/Shanghai\"}", "", "resolved"},
    {"tenant", "acme", "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"zone\":\"Asia/Shanghai\"}",
     "{\"transitions\":[[2,0],[1,0]]}", "resolved"},
    {"tenant", "acme", "{\"calendar\":\"cn\",\"currency\":\"ABC\",\"zone\":\"UTC\"}", "", "bad_currency"},
    {"tenant", "acme", "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"history\":\"10d\",\"zone\":\"UTC\"}", "",
     "bad_duration"},
    {"calendar", "c", "{\"week\":{\"mon\":[\"09:00-12:00\",\"11:00-13:00\"]},\"zone\":\"UTC\"}", "", "bad_value"},
    {"calendar", "c", "{\"day_weights\":{\"mon\":\"2\"},\"week\":{\"mon\":[\"09:00-12:00\"]},\"zone\":\"UTC\"}", "",
     "bad_value"},
    {"stage_model", "other",
     "{\"pipeline\":\"default\",\"stages\":[{\"id\":\"N\",\"kind\":\"open\",\"ord\":1},{\"id\":\"W\",\"kind\":\"won\"}]"
     "}",
     "", "bad_id"},
    {"stage_model", "d",
     "{\"stages\":[{\"id\":\"N\",\"kind\":\"open\",\"ord\":\"1\"},{\"id\":\"W\",\"kind\":\"won\"}]}", "", "bad_type"},
    {"stage_model", "d",
     "{\"allow_skip\":\"true\",\"stages\":[{\"id\":\"N\",\"kind\":\"open\",\"ord\":1},{\"id\":\"W\",\"kind\":\"won\"}]"
     "}",
     "", "bad_type"},
    {"stage_model", "d", "{\"stages\":[{\"id\":\"won\",\"kind\":\"open\",\"ord\":1},{\"id\":\"W\",\"kind\":\"won\"}]}",
     "", "bad_id"},
    {"measure", "m", "{\"from\":\"visit\",\"value\":\"count\",\"where\":\"phase = planned\"}", "", "filter_syntax"},
    {"measure", "m", "{\"from\":\"visit\",\"value\":\"sum kind\"}", "", "bad_type"},
    {"measure", "m", "{\"dims\":[\"none\"],\"from\":\"visit\",\"value\":\"count\"}", "", "unknown_field"},
    {"measure", "m", "{\"from\":\"visit\",\"over\":{\"value\":\"count\"},\"pacing\":\"working\",\"value\":\"count\"}",
     "", "bad_value"},
    {"target", "t", "{\"measure\":\"m\",\"node\":\"n\",\"period\":\"2026-13\",\"value\":1}", "", "bad_date"},
    {"target", "t", "{\"measure\":\"m\",\"node\":\"n\",\"period\":\"2026\"}", "", "missing_key"},
    {"rule", "r", "{\"fire\":\"-5pp\",\"clear\":\"-8pp\",\"kind\":\"pace_gap\",\"measure\":\"m\"}", "", "flap"},
    {"rule", "r", "{\"horizon\":\"14d\",\"kind\":\"lead_stall\"}", "", "unknown_key"},
    {"obligation", "o", "{\"due\":\"1d\",\"subject\":\"lead_id\"}", "", "missing_key"},
    {"obligation", "o", "{\"due\":\"1d\",\"open\":[{\"from\":\"fact\",\"key\":\"nothing\"}],\"subject\":\"lead_id\"}",
     "", "unknown_field"},
    {"price", "s/CNY", "{\"currency\":\"CNY\",\"list\":\"9800\",\"sku\":\"s\"}", "", "bad_type"},
    {"price", "s/CNY", "{\"currency\":\"CNY\",\"list\":1.00001,\"sku\":\"s\"}", "", "bad_value"},
};

static bool check(const char *kind, const char *id, const char *spec, const char *resolved, char text[256])
{
    return plan_item_check(slice_of(kind), slice_of(id), slice_of(spec), slice_of(resolved), false, text, 256);
}

static void items_of_every_kind_pass_the_door(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[256] = "";
        if (!check(good[i].kind, good[i].id, good[i].spec, good[i].resolved, text))
            fail_msg("%s %s: %s", good[i].kind, good[i].spec, text);
    }
}

static void wrong_items_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256] = "";
        if (check(bad[i].kind, bad[i].id, bad[i].spec, bad[i].resolved, text) || !strstr(text, bad[i].says))
            fail_msg("%s %s: expected %s, found \"%s\"", bad[i].kind, bad[i].spec, bad[i].says, text);
    }
}

static void an_ended_item_has_no_spec(void **state)
{
    (void)state;
    char text[256];
    assert_true(plan_item_check(SLICE("node"), SLICE("t1"), SLICE(""), SLICE(""), true, text, sizeof text));
    assert_false(
        plan_item_check(SLICE("node"), SLICE("t1"), SLICE("{\"kind\":\"x\"}"), SLICE(""), true, text, sizeof text));
    assert_false(plan_item_check(SLICE("node"), SLICE("all"), SLICE(""), SLICE(""), true, text, sizeof text));
}

static void a_canonical_spec_is_written_back_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct plan_tree tree;
        struct buf out;
        buf_init(&out);
        assert_true(plan_tree_parse(&tree, slice_of(good[i].spec)));
        plan_write_spec(plan_kind_of(slice_of(good[i].kind)), tree.root, &out);
        assert_string_equal(buf_cstr(&out), good[i].spec);
        plan_tree_close(&tree);
        buf_close(&out);
    }
}

static void damaged_specs_never_break_the_check(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        size_t which = (size_t)round % (sizeof good / sizeof *good);
        char spec[512], text[256];
        snprintf(spec, sizeof spec, "%s", good[which].spec);
        size_t n = strlen(spec);
        for (int hits = 0; hits < 3; hits++) {
            seed = seed * 1664525u + 1013904223u;
            spec[(seed >> 8) % n] = "{}[]\",:\\0azu-%. \x80\x1f"[(seed >> 24) % 19];
        }
        bool ok = check(good[which].kind, good[which].id, spec, good[which].resolved, text);
        assert_true(ok || text[0]);
    }
}

static void json_escapes_become_utf8_and_back(void **state)
{
    (void)state;
    struct plan_tree tree;
    struct buf out;
    buf_init(&out);
    assert_true(plan_tree_parse(&tree, SLICE("{\"a\":\"\\u4e2d\\ud83d\\ude00\\n\\\"\\/\"}")));
    assert_true(slice_is(plan_text(tree.root, "a"), "中😀\n\"/"));
    plan_write_json_text(&out, plan_text(tree.root, "a"));
    assert_string_equal(buf_cstr(&out), "\"中😀\\n\\\"/\"");
    plan_tree_close(&tree);
    buf_close(&out);
    static const char *const broken[] = {"{\"a\":\"\\ud83d\"}",
                                         "{\"a\":\"\\udc00\"}",
                                         "{\"a\":\"\\x\"}",
                                         "{\"a\":\"\n\"}",
                                         "{\"a\":1}}",
                                         "{\"a\" 1}",
                                         "{,}",
                                         "[1,]",
                                         "{\"a\":\"\\u0000\"}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_false(plan_tree_parse(&tree, slice_of(broken[i])));
    char deep[64];
    memset(deep, '[', sizeof deep);
    assert_false(plan_tree_parse(&tree, slice_make(deep, sizeof deep)));
}

static void currencies_have_the_digits_of_iso_4217(void **state)
{
    (void)state;
    assert_int_equal(plan_currency_digits(SLICE("CNY")), 2);
    assert_int_equal(plan_currency_digits(SLICE("JPY")), 0);
    assert_int_equal(plan_currency_digits(SLICE("BHD")), 3);
    assert_int_equal(plan_currency_digits(SLICE("CLF")), 4);
    assert_int_equal(plan_currency_digits(SLICE("XXX")), -1);
    assert_int_equal(plan_currency_digits(SLICE("cny")), -1);
    assert_int_equal(plan_currency_digits(SLICE("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_every_kind_pass_the_door),
        cmocka_unit_test(wrong_items_are_refused_with_a_reason),
        cmocka_unit_test(an_ended_item_has_no_spec),
        cmocka_unit_test(a_canonical_spec_is_written_back_byte_for_byte),
        cmocka_unit_test(damaged_specs_never_break_the_check),
        cmocka_unit_test(json_escapes_become_utf8_and_back),
        cmocka_unit_test(currencies_have_the_digits_of_iso_4217),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
