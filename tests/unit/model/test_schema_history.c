/* Schemas only grow: released versions stay as they were, and the current schema reads what each of them wrote.
 * schemas/history/FINGERPRINTS names every released version: name, version, CRC-64-AVRO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "avro/program.h"
#include "base/json_read.h"
#include "model/event.h"
#include "schema_texts.h"

enum { NAME_BYTES = 64, LINE_BYTES = 128, PATH_BYTES = 512, WHY_BYTES = 256 };

static struct json_value member(struct json_value object, const char *name)
{
    struct json_value key, value;
    if (object.kind != JSON_OBJECT)
        return (struct json_value){JSON_NONE, false, {NULL, 0}};
    struct json_iter iter = json_iter_of(object);
    while (json_next_member(&iter, &key, &value))
        if (slice_is(key.raw, name))
            return value;
    return (struct json_value){JSON_NONE, false, {NULL, 0}};
}

static bool reads(struct json_value old, struct json_value now, char *why);

static bool differ(char *why, struct slice what, const char *how)
{
    (void)snprintf(why, WHY_BYTES, "%.*s %s", SLICE_ARG(what), how);
    return false;
}

/* Symbols and union branches may only be appended. */
static bool reads_list(struct json_value old, struct json_value now, char *why)
{
    struct json_value before, after;
    struct json_iter olds = json_iter_of(old), nows = json_iter_of(now);
    while (json_next_item(&olds, &before)) {
        if (!json_next_item(&nows, &after))
            return differ(why, before.raw, "was removed");
        if (!reads(before, after, why))
            return false;
    }
    return true;
}

static bool reads_fields(struct json_value old, struct json_value now, char *why)
{
    struct json_value before, after;
    struct json_iter olds = json_iter_of(old), nows = json_iter_of(now);
    while (json_next_item(&olds, &before)) {
        struct slice name = member(before, "name").raw;
        if (!json_next_item(&nows, &after) || !slice_eq(name, member(after, "name").raw))
            return differ(why, name, "was removed or moved");
        if (!reads(member(before, "type"), member(after, "type"), why))
            return false;
        if (member(before, "default").kind != JSON_NONE && member(after, "default").kind == JSON_NONE)
            return differ(why, name, "lost its default");
    }
    while (json_next_item(&nows, &after))
        if (member(after, "default").kind == JSON_NONE)
            return differ(why, member(after, "name").raw, "was added without default");
    return true;
}

static bool reads_complex(struct json_value old, struct json_value now, char *why)
{
    static const char *const same[] = {"type", "name", "namespace", "logicalType", "size"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (!slice_eq(member(old, same[i]).raw, member(now, same[i]).raw))
            return differ(why, member(old, "type").raw, "has another type, name or logical type");
    if (member(old, "fields").kind == JSON_ARRAY && !reads_fields(member(old, "fields"), member(now, "fields"), why))
        return false;
    if (member(old, "symbols").kind == JSON_ARRAY && !reads_list(member(old, "symbols"), member(now, "symbols"), why))
        return false;
    if (member(old, "items").kind != JSON_NONE && !reads(member(old, "items"), member(now, "items"), why))
        return false;
    return member(old, "values").kind == JSON_NONE || reads(member(old, "values"), member(now, "values"), why);
}

static bool reads(struct json_value old, struct json_value now, char *why)
{
    if (old.kind != now.kind)
        return differ(why, old.raw, "has another type");
    if (old.kind == JSON_OBJECT)
        return reads_complex(old, now, why);
    if (old.kind == JSON_ARRAY)
        return reads_list(old, now, why);
    return slice_eq(old.raw, now.raw) || differ(why, old.raw, "has another type");
}

static const char *current_text(const char *name)
{
    for (const struct schema_text *text = schema_texts; text->name; text++)
        if (strcmp(text->name, name) == 0)
            return text->json;
    fail_msg("no schema %s", name);
    return NULL;
}

static void read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    uint8_t chunk[4096];
    buf_clear(out);
    for (size_t n = fread(chunk, 1, sizeof chunk, file); n > 0; n = fread(chunk, 1, sizeof chunk, file))
        buf_add(out, chunk, n);
    (void)fclose(file);
}

static uint64_t fingerprint_of(struct slice json)
{
    struct err err;
    struct avro_program *program = avro_program_compile(json, &err);
    assert_non_null(program);
    uint64_t fingerprint = avro_program_fingerprint(program);
    avro_program_destroy(&program);
    return fingerprint;
}

/* One released version: unchanged, readable. */
static void check_version(const char *name, unsigned version, uint64_t fingerprint, struct buf *text)
{
    char path[PATH_BYTES], why[WHY_BYTES] = "";
    (void)snprintf(path, sizeof path, "%s/schemas/history/%s/%u.avsc", PACELINE_SOURCE_DIR, name, version);
    read_file(path, text);
    if (fingerprint_of(buf_slice(text)) != fingerprint)
        fail_msg("%s was released and has changed: add a new version instead", path);
    if (!reads(json_value_of(buf_slice(text)), json_value_of(slice_of(current_text(name))), why))
        fail_msg("schemas/%s.avsc does not read version %u: %s", name, version, why);
}

/* Calls check_version for each released one; *latest = fingerprint of the last version of `wanted`. */
static unsigned check_all(const char *wanted, uint64_t *latest)
{
    char line[LINE_BYTES], name[NAME_BYTES];
    struct buf text = {0};
    unsigned count = 0, version;
    uint64_t fingerprint;
    FILE *file = fopen(PACELINE_SOURCE_DIR "/schemas/history/FINGERPRINTS", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(sscanf(line, "%63s %u %" SCNx64, name, &version, &fingerprint), 3);
        if (strcmp(name, wanted) != 0)
            continue;
        count++;
        assert_int_equal(version, count);
        check_version(name, version, fingerprint, &text);
        *latest = fingerprint;
    }
    (void)fclose(file);
    buf_close(&text);
    return count;
}

static void released_versions_stand_and_are_readable(void **state)
{
    (void)state;
    size_t schemas = 0;
    for (const struct schema_text *text = schema_texts; text->name; text++, schemas++) {
        uint64_t latest = 0;
        assert_true(check_all(text->name, &latest) >= 1);
        if (fingerprint_of(slice_of(text->json)) != latest)
            fail_msg("schemas/%s.avsc differs from its newest released version: add it to schemas/history", text->name);
    }
    assert_int_equal(schemas, EVENT_TYPE_COUNT);
}

#define SCHEMA(fields) "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIRST          "{\"name\":\"a\",\"type\":\"long\"}"
#define SYMBOLS(list)  "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"s\",\"symbols\":[" list "]}}"

static bool compatible(const char *old, const char *now)
{
    char why[WHY_BYTES];
    return reads(json_value_of(slice_of(old)), json_value_of(slice_of(now)), why);
}

static void what_breaks_readers_is_seen(void **state)
{
    (void)state;
    const char *old = SCHEMA(FIRST "," SYMBOLS("\"x\",\"y\""));
    assert_true(compatible(old, old));
    assert_true(compatible(old, SCHEMA(FIRST "," SYMBOLS("\"x\",\"y\",\"z\""))));
    assert_true(compatible(old, SCHEMA(FIRST "," SYMBOLS(
                                    "\"x\",\"y\"") ",{\"name\":\"b\",\"type\":[\"null\",\"int\"],\"default\":null}")));
    assert_false(compatible(old, SCHEMA(FIRST "," SYMBOLS("\"x\",\"y\"") ",{\"name\":\"b\",\"type\":\"int\"}")));
    assert_false(compatible(old, SCHEMA("{\"name\":\"a\",\"type\":\"string\"}," SYMBOLS("\"x\",\"y\""))));
    assert_false(compatible(old, SCHEMA("{\"name\":\"a\",\"type\":[\"null\",\"long\"]}," SYMBOLS("\"x\",\"y\""))));
    assert_false(compatible(old, SCHEMA(FIRST "," SYMBOLS("\"x\""))));
    assert_false(compatible(old, SCHEMA(FIRST "," SYMBOLS("\"y\",\"x\""))));
    assert_false(compatible(old, SCHEMA(FIRST)));
    assert_false(compatible(old, SCHEMA(SYMBOLS("\"x\",\"y\"") "," FIRST)));
}

/* What a kind of the table is in the schema: its type behind the null of a union. */
static const char *const avro_types[] = {
    [FIELD_ID] = "string",
    [FIELD_PLAN_ID] = "string",
    [FIELD_TENANT] = "string",
    [FIELD_TEXT] = "string",
    [FIELD_LONG] = "string",
    [FIELD_NAME] = "string",
    [FIELD_INT] = "long",
    [FIELD_COUNT] = "long",
    [FIELD_ONE] = "long",
    [FIELD_MONEY] = "long",
    [FIELD_PRICE] = "long",
    [FIELD_QTY] = "long",
    [FIELD_LAT] = "int",
    [FIELD_LON] = "int",
    [FIELD_INSTANT] = "long timestamp-millis",
    [FIELD_DATE] = "int date",
    [FIELD_BOOL] = "boolean",
    [FIELD_ENUM] = "enum",
    [FIELD_CURRENCY] = "string",
    [FIELD_FLAGS] = "array",
    [FIELD_SPLITS] = "array",
    [FIELD_LINES] = "array",
    [FIELD_ATTRS] = "map",
    [FIELD_SPEC] = "string",
    [FIELD_DIGESTS] = "array",
    [FIELD_SEQS] = "array",
    [FIELD_BYTES] = "bytes",
    [FIELD_ITEM_ID] = "string",
    [FIELD_MS] = "long timestamp-millis",
    [FIELD_PPM] = "long",
    [FIELD_RAW] = "bytes",
    [FIELD_POSITIONS] = "array",
};

static void assert_fields(struct json_value list, const struct event_field *fields, size_t count);

static void assert_symbols(struct json_value list, const char *const *symbols)
{
    struct json_value symbol;
    struct json_iter iter = json_iter_of(list);
    for (; *symbols; symbols++)
        assert_true(json_next_item(&iter, &symbol) && slice_is(symbol.raw, *symbols));
    assert_false(json_next_item(&iter, &symbol));
}

static void assert_type(struct json_value type, const struct event_field *field)
{
    char seen[NAME_BYTES];
    struct slice name = type.kind == JSON_OBJECT ? member(type, "type").raw : type.raw;
    struct slice logical = member(type, "logicalType").raw;
    (void)snprintf(seen, sizeof seen, "%.*s%s%.*s", SLICE_ARG(name), logical.n ? " " : "", (int)logical.n,
                   logical.n ? logical.p : "");
    assert_string_equal(seen, avro_types[field->kind]);
    size_t count;
    const struct event_field *item = event_item_fields(field->kind, &count);
    if (item)
        assert_fields(member(member(type, "items"), "fields"), item, count);
    if (field->symbols)
        assert_symbols(member(field->kind == FIELD_FLAGS ? member(type, "items") : type, "symbols"), field->symbols);
}

static void assert_fields(struct json_value list, const struct event_field *fields, size_t count)
{
    struct json_value given, branch;
    struct json_iter iter = json_iter_of(list);
    for (size_t i = 0; i < count; i++) {
        assert_true(json_next_item(&iter, &given));
        assert_true(slice_is(member(given, "name").raw, fields[i].name));
        assert_true(member(given, "doc").raw.n > 0);
        struct json_value type = member(given, "type");
        bool optional = type.kind == JSON_ARRAY;
        assert_int_equal(optional, !fields[i].required && !fields[i].plain);
        assert_int_equal(member(given, "default").kind != JSON_NONE, !fields[i].required);
        if (optional) {
            struct json_iter branches = json_iter_of(type);
            assert_true(json_next_item(&branches, &branch) && slice_is(branch.raw, "null"));
            assert_true(json_next_item(&branches, &type));
            assert_false(json_next_item(&branches, &branch));
            assert_int_equal(member(given, "default").kind, JSON_NULL);
        }
        assert_type(type, &fields[i]);
    }
    assert_false(json_next_item(&iter, &given));
}

static void table_and_schemas_agree_field_by_field(void **state)
{
    (void)state;
    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++) {
        size_t count;
        const struct event_field *fields = event_fields((enum event_type)type, &count);
        struct json_value schema = json_value_of(slice_of(current_text(event_type_name((enum event_type)type))));
        assert_true(slice_is(member(schema, "namespace").raw, "paceline"));
        assert_fields(member(schema, "fields"), fields, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_versions_stand_and_are_readable),
        cmocka_unit_test(what_breaks_readers_is_seen),
        cmocka_unit_test(table_and_schemas_agree_field_by_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
