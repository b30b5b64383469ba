/* Mapping files: values, dates, joins, groups, and everything that is wrong with one told at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/mapping_internal.h"

/* ---- a folder with files */

struct place {
    char folder[64];
    char mapping[128];
    struct buf errors, texts;
};

static void write_file(const struct place *place, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", place->folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/mapping-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->mapping, sizeof place->mapping, "%s/m.yaml", place->folder);
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    const char *names[] = {"m.yaml", "a.csv", "b.csv", "j.csv"};
    for (size_t i = 0; i < 4; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", place->folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(place->folder), 0);
    buf_close(&place->errors);
    buf_close(&place->texts);
    free(place);
    return 0;
}

static void on_error(void *context, const char *file, uint64_t line, const char *reason, const char *text)
{
    struct place *place = context;
    const char *slash = strrchr(file, '/');
    (void)text;
    buf_addf(&place->errors, "%s:%llu: %s\n", slash + 1, (unsigned long long)line, reason);
}

/* All events of the mapping, a line each, into place->texts. */
static void run(struct place *place, const char *mapping_text, struct mapping_result *result)
{
    struct findings findings;
    struct mapping *mapping;
    struct err err;
    write_file(place, "m.yaml", mapping_text);
    findings_init(&findings);
    enum err_code code = mapping_load(place->mapping, (struct mapping_places){0}, &findings, &mapping);
    if (code != OK)
        findings_print(&findings, stderr);
    assert_int_equal(code, OK);
    assert_int_equal(mapping_run(mapping, result, on_error, NULL, place, &err), OK);
    for (size_t i = 0; i < result->count; i++) {
        buf_add(&place->texts, result->text.p + result->events[i].text, result->events[i].text_bytes);
        buf_add_byte(&place->texts, '\n');
    }
    findings_close(&findings);
    mapping_destroy(&mapping);
}

#define HEAD "paceline_mapping: 1\ntenant: acme\nzone: Asia/Shanghai\ncurrency: {code: CNY, in: unit}\nsource: crm\n"

static void a_row_becomes_a_lead_event(void **state)
{
    struct place *place = *state;
    struct mapping_result result = {0};
    write_file(place, "a.csv", "id,day,rep,sum\nL1,2026-03-02,r1,12.345\n");
    run(place,
        HEAD
        "files:\n- file: a.csv\n  events:\n  - {type: lead, id: \"{id}/c\", at: \"{day} 09:30\", lead_id: \"{id}\", "
        "action: created, owner_id: \"{rep}\", amount: \"{sum}\", currency: CNY}\n",
        &result);
    assert_string_equal(
        buf_cstr(&place->texts),
        "{\"type\":\"lead\",\"tenant\":\"acme\",\"event_id\":\"L1/c\",\"source\":\"crm\",\"source_seq\":101,"
        "\"occurred_at\":\"2026-03-02T01:30:00.000Z\",\"provenance\":\"import\",\"lead_id\":\"L1\","
        "\"action\":\"created\",\"owner_id\":\"r1\",\"amount\":1234,\"currency\":\"CNY\"}\n");
    assert_int_equal(result.mapped_rows, 1);
    mapping_result_close(&result);
}

static void rows_of_a_group_are_the_lines_of_one_order(void **state)
{
    struct place *place = *state;
    struct mapping_result result = {0};
    write_file(place, "a.csv",
               "o,day,sku,n,price\nA,2026-03-02,x,2,1.005\nB,2026-03-02,y,1,3\nA,2026-03-02,z,1,0.99\n");
    run(place,
        HEAD
        "files:\n- file: a.csv\n  events:\n  - {type: order, group: [o], id: \"{o}\", at: \"{day}\", order_id: "
        "\"{o}\", "
        "revision: 1, status: confirmed, currency: CNY, rep: r1, lines: {sku: \"{sku}\", qty: \"{n}\", unit_price: "
        "\"{price}\"}}\n",
        &result);
    assert_int_equal(result.count, 2);
    assert_non_null(strstr(buf_cstr(&place->texts),
                           "\"lines\":[{\"sku\":\"x\",\"qty\":2000,\"unit_price\":1005000,\"net_amount\":201},"
                           "{\"sku\":\"z\",\"qty\":1000,\"unit_price\":990000,\"net_amount\":99}],\"currency\":\"CNY\","
                           "\"net_amount\":300}"));
    mapping_result_close(&result);
}

static void a_group_with_a_bad_row_is_left_out_as_a_whole(void **state)
{
    struct place *place = *state;
    struct mapping_result result = {0};
    write_file(place, "a.csv",
               "o,day,n\nA,2026-03-02,2\nA,2026-03-02,two\nB,2026-03-02,1\nB,2026-03-03,1\nC,2026-03-02,1\n");
    run(place,
        HEAD "files:\n- file: a.csv\n  events:\n  - {type: order, group: [o], id: \"{o}\", at: \"{day}\", order_id: "
             "\"{o}\", "
             "revision: 1, status: confirmed, currency: CNY, lines: {sku: s, qty: \"{n}\", net_amount: \"{n}\"}}\n",
        &result);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.failed_rows, 4);
    assert_int_equal(result.rows, 5);
    assert_string_equal(buf_cstr(&place->errors), "a.csv:3: bad_number\na.csv:5: group_differs\na.csv:2: bad_number\n"
                                                  "a.csv:4: group_differs\n");
    mapping_result_close(&result);
}

static void joins_add_columns_and_say_when_there_is_no_row_or_more_than_one(void **state)
{
    struct place *place = *state;
    struct mapping_result result = {0};
    write_file(place, "a.csv", "id,day,k\nL1,2026-03-02,1\nL2,2026-03-02,2\nL3,2026-03-02,3\n");
    write_file(place, "j.csv", "k,rep\n1,r1\n2,r2\n2,r9\n");
    run(place,
        HEAD "files:\n- file: a.csv\n  join: [{file: j.csv, by: k}]\n  events:\n  - {type: lead, id: \"{id}\", at: "
             "\"{day}\", lead_id: \"{id}\", action: created, owner_id: \"{rep}\"}\n",
        &result);
    assert_int_equal(result.count, 1);
    assert_non_null(strstr(buf_cstr(&place->texts), "\"owner_id\":\"r1\""));
    assert_string_equal(buf_cstr(&place->errors), "a.csv:3: join_many\na.csv:4: join_miss\n");
    mapping_result_close(&result);
}

static void rows_for_which_no_condition_holds_are_skipped(void **state)
{
    struct place *place = *state;
    struct mapping_result result = {0};
    write_file(place, "a.csv", "id,day,s\nL1,2026-03-02,Won\nL2,,Won\nL3,2026-03-02,Open\n");
    run(place,
        HEAD "files:\n- file: a.csv\n  events:\n  - {type: lead, if: \"s == Won and exists day\", id: \"{id}\", at: "
             "\"{day}\", lead_id: \"{id}\", action: won}\n",
        &result);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.skipped_rows, 2);
    mapping_result_close(&result);
}

static void equal_plan_items_of_rows_stand_once(void **state)
{
    struct place *place = *state;
    struct mapping_result result = {0};
    write_file(place, "a.csv", "rep,team\nr1,north\nr2,north\n");
    run(place,
        HEAD
        "plan:\n  valid_from: 2026-01-01\n  reason: x\n  approver: y\n  org: [{id: acme, kind: company}]\nfiles:\n- "
        "file: a.csv\n  plan:\n    org: [{id: \"{team}\", kind: team, parent: acme}]\n    members: [{rep: \"{rep}\", "
        "node: \"{team}\"}]\n",
        &result);
    const char *plan = buf_cstr(&result.plan);
    const char *first = strstr(plan, "\"id\": \"north\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"id\": \"north\""));
    assert_non_null(strstr(plan, "{\"rep\": \"r2\", \"node\": \"north\"}"));
    mapping_result_close(&result);
}

static void all_that_is_wrong_with_a_mapping_is_told_with_its_place(void **state)
{
    struct place *place = *state;
    struct findings findings;
    struct mapping *mapping;
    struct buf out = {0};
    write_file(place, "a.csv", "id,day\nL1,2026-03-02\n");
    write_file(place, "m.yaml",
               HEAD
               "files:\n- file: a.csv\n  evnts: []\n  events:\n  - {type: lead, if: \"dya == x\", id: \"{idd}\", at: "
               "\"{day\", lead_id: x, action: created, ownr_id: y}\n- file: none.csv\n");
    findings_init(&findings);
    assert_int_equal(mapping_load(place->mapping, (struct mapping_places){0}, &findings, &mapping), ERR_CONFIG);
    assert_null(mapping);
    findings_write(&findings, &out);
    const char *text = buf_cstr(&out);
    assert_non_null(strstr(text, "m.yaml:8:3: unknown_key"));
    assert_non_null(strstr(text, "unknown_field: no column idd"));
    assert_non_null(strstr(text, "bad_value: expected {column}"));
    assert_non_null(strstr(text, "lead has no field ownr_id; did you mean owner_id?"));
    assert_non_null(strstr(text, "no such file: none.csv"));
    assert_int_equal(findings_count(&findings), 6);
    buf_close(&out);
    findings_close(&findings);
}

/* ---- values */

static int64_t scaled(const char *text, unsigned scale)
{
    struct decimal value;
    int64_t result = -1;
    assert_true(decimal_parse(slice_of(text), &value));
    assert_true(decimal_scaled(value, scale, &result));
    return result;
}

static void decimals_are_rounded_once_and_half_even(void **state)
{
    (void)state;
    assert_int_equal(scaled("0.125", 2), 12);
    assert_int_equal(scaled("0.135", 2), 14);
    assert_int_equal(scaled("-0.125", 2), -12);
    assert_int_equal(scaled("0.1250000001", 2), 13);
    assert_int_equal(scaled("12", 3), 12000);
}

static void products_are_exact(void **state)
{
    struct decimal a, b, c, one, product;
    int64_t result;
    (void)state;
    assert_true(decimal_parse(SLICE("2.35"), &a) && decimal_parse(SLICE("3"), &b) && decimal_parse(SLICE("0.1"), &c));
    assert_true(decimal_one_minus(c, &one));
    assert_true(decimal_mul(a, b, &product) && decimal_mul(product, one, &product));
    assert_true(decimal_scaled(product, 3, &result));
    assert_int_equal(result, 6345);
}

static void what_is_no_decimal_or_does_not_fit_is_refused(void **state)
{
    struct decimal value;
    int64_t result;
    const char *bad[] = {"", "-", "1e3", "1,000", ".5", "5.", "1.2.3", "0x10"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(decimal_parse(slice_of(bad[i]), &value));
    assert_true(decimal_parse(SLICE("9223372036854775808"), &value));
    assert_false(decimal_scaled(value, 0, &result));
    assert_false(decimal_parse(SLICE("99999999999999999999999999999999999999999"), &value));
}

static void times_are_read_as_files_write_them(void **state)
{
    struct zone zone;
    int64_t ms;
    int32_t day;
    (void)state;
    zone_init_utc(&zone);
    assert_true(mapping_time_parse(&zone, "", SLICE("1970-01-02 00:00:01.5"), &ms, &day));
    assert_int_equal(ms, 86401500);
    assert_true(mapping_time_parse(&zone, "%d/%m/%Y %H:%M", SLICE("2/1/1970 1:05"), &ms, &day));
    assert_int_equal(ms, 86400000 + 65 * 60000);
    assert_true(mapping_time_parse(&zone, "", SLICE("1970-01-01T08:00:00+08:00"), &ms, &day));
    assert_int_equal(ms, 0);
    assert_false(mapping_time_parse(&zone, "", SLICE("2026-02-29"), &ms, &day));
    assert_false(mapping_time_parse(&zone, "", SLICE("2026-02-28 24:00"), &ms, &day));
    assert_false(mapping_time_parse(&zone, "", SLICE(""), &ms, &day));
    zone_close(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_becomes_a_lead_event, begin, end),
        cmocka_unit_test_setup_teardown(rows_of_a_group_are_the_lines_of_one_order, begin, end),
        cmocka_unit_test_setup_teardown(a_group_with_a_bad_row_is_left_out_as_a_whole, begin, end),
        cmocka_unit_test_setup_teardown(joins_add_columns_and_say_when_there_is_no_row_or_more_than_one, begin, end),
        cmocka_unit_test_setup_teardown(rows_for_which_no_condition_holds_are_skipped, begin, end),
        cmocka_unit_test_setup_teardown(equal_plan_items_of_rows_stand_once, begin, end),
        cmocka_unit_test_setup_teardown(all_that_is_wrong_with_a_mapping_is_told_with_its_place, begin, end),
        cmocka_unit_test(decimals_are_rounded_once_and_half_even),
        cmocka_unit_test(products_are_exact),
        cmocka_unit_test(what_is_no_decimal_or_does_not_fit_is_refused),
        cmocka_unit_test(times_are_read_as_files_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
