/* plan_check.c -- walks an item by its table: unknown and missing keys, types, values; and writes the canonical spec.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/findings.h"
#include "model/plan.h"
#include "model/plan_json.h"
#include "model/plan_rules.h"
#include "model/plan_schema.h"
#include "model/plan_value.h"

enum { TEXT_BYTES_MAX = 256, ID_BYTES_MAX = 200, SPEC_BYTES_MAX = 64 * 1024, KEYS_MAX = 64, LIST_MAX = 1000 };
#define DAY_MS 86400000ll

static void report(struct plan_checker *checker, const struct yaml_node *at, uint32_t shift, bool at_key,
                   const char *code, const char *text)
{
    checker->errors++;
    checker->report(checker->context, at, shift, at_key, code, text);
}

void plan_error(struct plan_checker *checker, const struct yaml_node *at, const char *code, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report(checker, at, 0, false, code, text);
}

/* --- scalars --- */

static bool is_off(struct slice text) { return slice_is(text, "off"); }

static bool is_duration(struct slice text)
{
    struct plan_duration duration;
    return plan_parse_duration(text, &duration);
}

static bool is_elapsed(struct slice text) { return plan_elapsed_ms(text, -1) >= 0; }

static bool is_history(struct slice text)
{
    int64_t ms = plan_elapsed_ms(text, -1);
    return ms >= 100 * DAY_MS && ms <= 3660 * DAY_MS;
}
static bool is_idle(struct slice text) { return is_off(text) || is_duration(text); }
static bool is_dwell(struct slice text) { return is_idle(text) || slice_is(text, "auto"); }
static bool is_text(struct slice text) { return text.n > 0 && text.n <= TEXT_BYTES_MAX; }

static bool is_node(struct slice text)
{
    if (text.n > 4 && memcmp(text.p, "rep:", 4) == 0)
        return plan_is_id((struct slice){text.p + 4, text.n - 4});
    return plan_is_plan_id(text);
}

static bool is_currency(struct slice text) { return plan_currency_digits(text) >= 0; }

static bool is_zone(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!((text.p[i] | 32) >= 'a' && (text.p[i] | 32) <= 'z') && !memchr("0123456789_+-/", text.p[i], 14))
            return false;
    return text.n > 0 && text.n <= 64 && text.p[0] != '/';
}

static bool is_weekday(struct slice text)
{
    uint8_t day;
    return plan_parse_weekday(text, &day);
}

static bool is_bool(struct slice text) { return slice_is(text, "true") || slice_is(text, "false"); }

static bool is_count(struct slice text)
{
    int64_t value;
    return plan_parse_int(text, &value) && value >= 0 && value <= INT32_MAX;
}
static bool is_number(struct slice text)
{
    int64_t value;
    return plan_parse_decimal(text, 6, &value);
}
static bool is_auto(struct slice text) { return slice_is(text, "auto") || is_number(text); }

static bool is_price(struct slice text)
{
    int64_t value;
    return plan_parse_decimal(text, 4, &value) && value >= 0;
}
static bool is_percent(struct slice text)
{
    int64_t ppm;
    return plan_parse_percent(text, &ppm);
}
static bool is_points(struct slice text)
{
    int64_t ppm;
    return plan_parse_points(text, &ppm);
}
static bool is_tail(struct slice text) { return is_off(text) || is_percent(text); }
static bool is_when(struct slice text)
{
    static const struct zone utc;
    int64_t at_ms;
    return plan_parse_when(text, &utc, &at_ms);
}
static bool is_period(struct slice text)
{
    int32_t first, last;
    return plan_parse_period(text, &first, &last);
}
static bool is_target(struct slice text)
{
    int64_t value;
    return plan_parse_decimal(text, 3, &value) || is_percent(text) || is_duration(text);
}

/* "due_at", "planned_end + 15m", "4wh" */
static bool is_due(struct slice text)
{
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= 'a' && text.p[n] <= 'z') || text.p[n] == '_'))
        n++;
    if (n == 0)
        return is_duration(text);
    if (n == text.n)
        return true;
    struct slice rest = {text.p + n, text.n - n};
    if (rest.n < 4 || rest.p[0] != ' ' || (rest.p[1] != '+' && rest.p[1] != '-') || rest.p[2] != ' ')
        return false;
    return is_duration((struct slice){rest.p + 3, rest.n - 3});
}
static bool is_risk(struct slice text) { return is_off(text) || is_percent(text) || is_duration(text); }
static bool is_time(struct slice text)
{
    int32_t minutes;
    return plan_parse_time(text, &minutes);
}
static bool is_day(struct slice text)
{
    int64_t day;
    if (is_weekday(text))
        return true;
    return plan_parse_int(text, &day) && day != 0 && day >= -28 && day <= 28;
}
static bool is_owner(struct slice text)
{
    static const char *const words[] = {"lead_owner", "rep", "actor", "manager"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_is(text, words[i]))
            return true;
    return text.n > 7 && memcmp(text.p, "person:", 7) == 0 && plan_is_id((struct slice){text.p + 7, text.n - 7});
}

/* Scalar types: the test, the code of its failure and what is expected. */
static const struct {
    bool (*test)(struct slice text);
    const char *code, *expected;
} scalars[] = {
    [TYPE_TEXT] = {is_text, "too_long", "a text of 1 to 256 bytes"},
    [TYPE_ID] = {plan_is_id, "bad_id", "an id of 1 to 64 bytes, no e-mail address, no phone number"},
    [TYPE_PLAN_ID] = {plan_is_plan_id, "bad_id",
                      "an id of 1 to 64 bytes without / @ = | { } \", not rep:..., all, other or unassigned"},
    [TYPE_NODE] = {is_node, "bad_id", "a node or rep:<id>"},
    [TYPE_TENANT] = {plan_is_tenant, "bad_id", "A-Z a-z 0-9 . _ -, beginning with a letter or digit"},
    [TYPE_ZONE] = {is_zone, "bad_zone", "an IANA time zone like Asia/Shanghai"},
    [TYPE_CURRENCY] = {is_currency, "bad_currency", "a currency of ISO 4217 like CNY"},
    [TYPE_WEEKDAY] = {is_weekday, "bad_value", "mon tue wed thu fri sat or sun"},
    [TYPE_DURATION] = {is_duration, "bad_duration", "a duration like 30m, 10d, 4wh or 5wd, at most 3660d"},
    [TYPE_ELAPSED] = {is_elapsed, "bad_duration", "an elapsed duration like 30m, 7.5h or 7d, at most 3660d"},
    [TYPE_HISTORY] = {is_history, "bad_duration", "100d to 3660d"},
    [TYPE_IDLE] = {is_idle, "bad_duration", "a duration like 5wd, or off"},
    [TYPE_DWELL] = {is_dwell, "bad_duration", "a duration like 10wd, auto or off"},
    [TYPE_BOOL] = {is_bool, "bad_value", "true or false"},
    [TYPE_INT] = {is_count, "bad_value", "a whole number from 0 on"},
    [TYPE_NUMBER] = {is_number, "bad_value", "a decimal number"},
    [TYPE_AUTO] = {is_auto, "bad_value", "a decimal number, or auto"},
    [TYPE_PRICE] = {is_price, "bad_value", "an amount in minor units, at most 4 decimals"},
    [TYPE_PERCENT] = {is_percent, "bad_value", "a percentage like 80%"},
    [TYPE_POINTS] = {is_points, "bad_value", "percentage points like -8pp"},
    [TYPE_TAIL] = {is_tail, "bad_value", "a percentage like 0.1%, or off"},
    [TYPE_WHEN] = {is_when, "bad_date", "a date like 2026-03-01 or an instant with Z or offset"},
    [TYPE_PERIOD] = {is_period, "bad_date", "2026, 2026-Q1, 2026-03 or 2026-03-02..2026-03-08"},
    [TYPE_TARGET] = {is_target, "bad_value", "minor units, a number, a duration or a percentage"},
    [TYPE_AMOUNT_DUE] = {is_due, "bad_duration", "a duration like 4wh, or a field like due_at or planned_end + 15m"},
    [TYPE_RISK] = {is_risk, "bad_value", "a share like 80%, a duration like 2d, or off"},
    [TYPE_TIME] = {is_time, "bad_value", "a time of day like 09:00"},
    [TYPE_DAY] = {is_day, "bad_value", "a weekday, 1 to 28, or -1 to -28"},
    [TYPE_OWNER] = {is_owner, "bad_value", "lead_owner, rep, actor, manager or person:<id>"},
};
#define SCALARS (sizeof scalars / sizeof *scalars)

bool plan_is_bare(enum plan_type type, struct slice text)
{
    switch (type) {
    case TYPE_BOOL:
        return true;
    case TYPE_INT:
    case TYPE_NUMBER:
    case TYPE_AUTO:
    case TYPE_PRICE:
    case TYPE_TARGET:
    case TYPE_DAY:
    case TYPE_WEIGHTS:
    case TYPE_SPLIT:
        return is_number(text);
    default:
        return false;
    }
}

static bool check_scalar(struct plan_checker *checker, enum plan_type type, const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR) {
        plan_error(checker, node, "bad_type", "expected %s", scalars[type].expected);
        return false;
    }
    if (checker->json && node->quoted == plan_is_bare(type, node->text)) {
        plan_error(checker, node, "bad_type", node->quoted ? "expected a number or true or false" : "expected a text");
        return false;
    }
    if (scalars[type].test(node->text))
        return true;
    const char *code = type == TYPE_TEXT && !node->text.n ? "bad_value" : scalars[type].code;
    plan_error(checker, node, code, "\"%.*s\": expected %s", node->text.n > 80 ? 80 : (int)node->text.n, node->text.p,
               scalars[type].expected);
    return false;
}

static bool check_word(struct plan_checker *checker, const char *const *words, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR && (!checker->json || node->quoted)) {
        for (const char *const *word = words; *word; word++)
            if (slice_is(node->text, *word))
                return true;
        const char *near = did_you_mean(node->text, words);
        plan_error(checker, node, "bad_enum", "\"%.*s\"%s%s%s: expected %s%s%s ...",
                   node->text.n > 64 ? 64 : (int)node->text.n, node->text.p, near ? ", did you mean \"" : "",
                   near ? near : "", near ? "\"" : "", words[0], words[1] ? ", " : "", words[1] ? words[1] : "");
        return false;
    }
    plan_error(checker, node, "bad_type", "expected a word like %s", words[0]);
    return false;
}

/* --- filters and what stands beside them --- */

static void check_filter(struct plan_checker *checker, const struct yaml_node *node)
{
    struct filter_problem problem;
    if (node->kind != YAML_SCALAR) {
        plan_error(checker, node, "bad_type", "expected a filter like \"status == confirmed\"");
        return;
    }
    if (!checker->row) /* `from` is wrong and was reported */
        return;
    struct filter_expr *expr = filter_expr_parse(node->text, checker->row, &problem);
    if (!expr)
        report(checker, node, problem.column - 1 + node->quoted, false, problem.code, problem.text);
    filter_expr_destroy(&expr);
}

/* Fields of facts may be attributes. */
static const struct filter_field *row_field(const struct filter_row_type *row, struct slice name)
{
    static const struct filter_field attr = {"attrs", FILTER_UNTYPED, NULL, 0};
    if (row->attrs && name.n > 6 && memcmp(name.p, "attrs.", 6) == 0)
        return &attr;
    return filter_field_of(row, name);
}

static void check_row_field(struct plan_checker *checker, const struct yaml_node *node, struct slice name, bool number)
{
    if (!checker->row)
        return;
    const struct filter_field *field = row_field(checker->row, name);
    if (!field)
        plan_error(checker, node, "unknown_field", "these rows have no field \"%.*s\"", name.n > 64 ? 64 : (int)name.n,
                   name.p);
    else if (number && field->type != FILTER_NUMBER)
        plan_error(checker, node, "bad_type", "sum needs a number, %.*s is none", SLICE_ARG(name));
    else if (!number && (field->type == FILTER_NUMBER || field->type == FILTER_INSTANT))
        plan_error(checker, node, "bad_type", "%.*s: expected a text, an id or a word", SLICE_ARG(name));
}

static void check_value(struct plan_checker *checker, const struct yaml_node *node)
{
    struct slice text = node->text;
    if (node->kind != YAML_SCALAR || (!slice_is(text, "count") && !(text.n > 4 && !memcmp(text.p, "sum ", 4)) &&
                                      !(text.n > 9 && !memcmp(text.p, "distinct ", 9)))) {
        plan_error(checker, node, "bad_value", "expected count, sum FIELD or distinct FIELD");
        return;
    }
    if (slice_is(text, "count"))
        return;
    size_t skip = text.p[0] == 's' ? 4 : 9;
    check_row_field(checker, node, (struct slice){text.p + skip, text.n - skip}, skip == 4);
}

static void check_for(struct plan_checker *checker, const struct yaml_node *node)
{
    const struct yaml_node *nodes = yaml_get(node, "nodes");
    if (node->kind == YAML_MAP
            ? node->count == 1 && nodes && nodes->kind == YAML_SCALAR
            : node->kind == YAML_SCALAR && (slice_is(node->text, "members") || slice_is(node->text, "reps")))
        return;
    plan_error(checker, node, "bad_value", "expected members, reps or {nodes: KIND}");
}

/* --- lists --- */

static bool check_list(struct plan_checker *checker, const struct plan_key *key, const struct yaml_node *node)
{
    uint32_t max = key->max ? key->max : LIST_MAX;
    if (node->kind != YAML_LIST) {
        plan_error(checker, node, "bad_type", "%s: expected a list", key->name);
        return false;
    }
    if (node->count > max)
        plan_error(checker, node, "too_many", "%s: %u items, at most %u", key->name, node->count, max);
    return node->count <= max;
}

static void check_dates(struct plan_checker *checker, const struct yaml_node *node)
{
    int32_t first, last;
    if (node->kind != YAML_SCALAR || !plan_parse_dates(node->text, &first, &last))
        plan_error(checker, node, "bad_date", "expected a date like 2026-01-01 or 2026-02-15..2026-02-23");
}

static void check_item_of(struct plan_checker *checker, const struct plan_key *key, const struct yaml_node *item)
{
    const struct plan_key *tables[] = {key->keys, NULL};
    switch (key->type) {
    case TYPE_IDS:
        check_scalar(checker, TYPE_ID, item);
        break;
    case TYPE_PLAN_IDS:
        check_scalar(checker, TYPE_PLAN_ID, item);
        break;
    case TYPE_TEXTS:
        check_scalar(checker, TYPE_TEXT, item);
        break;
    case TYPE_WORDS:
        check_word(checker, key->words, item);
        break;
    case TYPE_DURATIONS:
        check_scalar(checker, TYPE_ELAPSED, item);
        break;
    case TYPE_DATES:
        check_dates(checker, item);
        break;
    case TYPE_FIELDS:
        if (check_scalar(checker, TYPE_TEXT, item))
            check_row_field(checker, item, item->text, false);
        break;
    case TYPE_MAPS:
        plan_check_map(checker, tables, item, NULL);
        break;
    default:
        break;
    }
}

bool plan_value_check(struct plan_checker *checker, const struct plan_key *key, const struct yaml_node *node)
{
    uint32_t errors = checker->errors;
    const struct plan_key *tables[] = {key->keys, NULL};
    if ((size_t)key->type < SCALARS && scalars[key->type].test)
        return check_scalar(checker, key->type, node);
    switch (key->type) {
    case TYPE_WORD:
        check_word(checker, key->words, node);
        break;
    case TYPE_FILTER:
        check_filter(checker, node);
        break;
    case TYPE_VALUE:
        check_value(checker, node);
        break;
    case TYPE_FOR:
        check_for(checker, node);
        break;
    case TYPE_WEEK:
        plan_check_week(checker, node);
        break;
    case TYPE_WORKDAYS:
        plan_check_workdays(checker, node);
        break;
    case TYPE_WEIGHTS:
        plan_check_weights(checker, node);
        break;
    case TYPE_INTRADAY:
        plan_check_intraday(checker, node);
        break;
    case TYPE_DIM:
        plan_check_dim(checker, node);
        break;
    case TYPE_SPLIT:
        plan_check_split(checker, node);
        break;
    case TYPE_MAP:
        plan_check_map(checker, tables, node, NULL);
        break;
    default:
        for (const struct yaml_node *item = check_list(checker, key, node) ? node->first : NULL; item;
             item = item->next)
            check_item_of(checker, key, item);
    }
    return checker->errors == errors;
}

/* --- maps --- */

static bool is_extra(const char *const *extra, struct slice name)
{
    for (; extra && *extra; extra++)
        if (slice_is(name, *extra))
            return true;
    return false;
}

static void unknown_key(struct plan_checker *checker, const struct plan_key *const tables[], const char *const *extra,
                        const struct yaml_node *node)
{
    const char *names[KEYS_MAX + 1];
    size_t count = 0;
    for (; *tables; tables++)
        for (const struct plan_key *key = *tables; key->name && count < KEYS_MAX; key++)
            names[count++] = key->name;
    for (; extra && *extra && count < KEYS_MAX; extra++)
        names[count++] = *extra;
    names[count] = NULL;
    const char *near = did_you_mean(node->key, names);
    char text[200];
    snprintf(text, sizeof text, "no key \"%.*s\" here%s%s%s", node->key.n > 64 ? 64 : (int)node->key.n, node->key.p,
             near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    report(checker, node, 0, true, "unknown_key", text);
}

/* The row type that a map's `from` names holds for its filters and those of its inner maps. */
static void find_row(struct plan_checker *checker, const struct yaml_node *map)
{
    const struct yaml_node *from = yaml_get(map, "from");
    enum filter_row row;
    if (from && from->kind == YAML_SCALAR)
        checker->row = filter_row_of(from->text, &row) ? filter_row_type(row) : NULL;
}

bool plan_check_map(struct plan_checker *checker, const struct plan_key *const tables[], const struct yaml_node *map,
                    const char *const *extra)
{
    uint32_t errors = checker->errors;
    const struct filter_row_type *outer = checker->row;
    if (map->kind != YAML_MAP) {
        plan_error(checker, map, "bad_type", "expected keys with values");
        return false;
    }
    find_row(checker, map);
    for (const struct yaml_node *node = map->first; node; node = node->next) {
        const struct plan_key *key = plan_find_key(tables, node->key);
        if (key)
            plan_value_check(checker, key, node);
        else if (!is_extra(extra, node->key))
            unknown_key(checker, tables, extra, node);
    }
    for (const struct plan_key *const *table = tables; *table; table++)
        for (const struct plan_key *key = *table; key->name; key++)
            if (key->required && !yaml_get(map, key->name))
                plan_error(checker, map, "missing_key", "%s is missing: expected %s", key->name,
                           key->help[0] ? key->help : "a value");
    checker->row = outer;
    return checker->errors == errors;
}

bool plan_check_item(struct plan_checker *checker, const struct plan_kind *kind, const struct yaml_node *item,
                     const char *const *extra)
{
    uint32_t errors = checker->errors;
    const struct plan_key *tables[4];
    plan_keys_of(kind, item, tables);
    checker->row = NULL;
    if (item->kind == YAML_MAP)
        find_row(checker, item);
    const struct filter_row_type *row = checker->row;
    bool ok = plan_check_map(checker, tables, item, extra);
    checker->row = row;
    if (item->kind == YAML_MAP && kind->rule && ok)
        kind->rule(checker, item);
    return checker->errors == errors;
}

/* --- the door --- */

struct first_error {
    char *text;
    size_t size;
    bool any;
};

static void keep_first(void *context, const struct yaml_node *at, uint32_t shift, bool at_key, const char *code,
                       const char *text)
{
    (void)at_key;
    (void)shift;
    struct first_error *error = context;
    if (!error->any)
        snprintf(error->text, error->size, "%.*s%s%s: %s", SLICE_ARG(at->key), at->key.n ? ": " : "", code, text);
    error->any = true;
}

static bool refuse(char *text, size_t text_size, const char *why)
{
    snprintf(text, text_size, "%s", why);
    return false;
}

static bool check_id(const struct plan_kind *kind, struct slice id, const struct yaml_node *spec)
{
    if (id.n == 0 || id.n > ID_BYTES_MAX)
        return false;
    if (strcmp(kind->name, "tenant") == 0)
        return plan_is_tenant(id);
    if (strcmp(kind->name, "dealer") == 0)
        return plan_is_id(id);
    if (kind->id_key) {
        const struct yaml_node *same = spec ? yaml_get(spec, kind->id_key) : NULL;
        /* ids of the parts of a split are composed: <of>.<node> */
        bool composed = strcmp(kind->name, "target") == 0 && memchr(id.p, '.', id.n);
        return (composed || plan_is_plan_id(id)) && (!same || slice_eq(same->text, id));
    }
    return true;
}

static bool check_resolved(const struct plan_kind *kind, const struct yaml_node *spec, struct slice resolved)
{
    bool wanted = strcmp(kind->name, "tenant") == 0 || strcmp(kind->name, "calendar") == 0;
    if (!wanted)
        return resolved.n == 0;
    if (!resolved.n)
        return slice_is(plan_text(spec, "zone"), "UTC"); /* no other zone is known without its transitions */
    struct plan_tree tree;
    if (!plan_tree_parse(&tree, resolved))
        return false;
    const struct yaml_node *list = yaml_get(tree.root, "transitions");
    bool ok = list && list->kind == YAML_LIST && list->count > 0 && list->count <= ZONE_TRANSITIONS_MAX;
    int64_t before_ms = INT64_MIN;
    for (const struct yaml_node *pair = ok ? list->first : NULL; pair && ok; pair = pair->next) {
        int64_t at_ms, offset_s;
        ok = pair->kind == YAML_LIST && pair->count == 2 && plan_parse_int(pair->first->text, &at_ms) &&
             plan_parse_int(pair->first->next->text, &offset_s) && at_ms > before_ms && offset_s > -93600 &&
             offset_s < 93600;
        before_ms = ok ? at_ms : 0;
    }
    plan_tree_close(&tree);
    return ok;
}

bool plan_item_check(struct slice kind_name, struct slice id, struct slice spec, struct slice resolved, bool ended,
                     char *text, size_t text_size)
{
    const struct plan_kind *kind = plan_kind_of(kind_name);
    if (!kind)
        return refuse(text, text_size, "no such kind of plan item");
    if (ended)
        return (spec.n == 0 && check_id(kind, id, NULL)) ||
               refuse(text, text_size, "an ended item has a valid id and no spec");
    struct plan_tree tree;
    if (spec.n > SPEC_BYTES_MAX || !plan_tree_parse(&tree, spec))
        return refuse(text, text_size, "spec: expected a JSON object of at most 64 KiB");
    struct first_error error = {text, text_size, false};
    struct plan_checker checker = {.report = keep_first, .context = &error, .json = true};
    bool ok = plan_check_item(&checker, kind, tree.root, NULL);
    if (ok && !check_id(kind, id, tree.root))
        ok = refuse(text, text_size, "id: bad_id: not an id of this kind of item, or not the one in its spec");
    if (ok && !check_resolved(kind, tree.root, resolved))
        ok = refuse(text, text_size,
                    "resolved: expected {transitions: [[ms, seconds], ...]} with tenant and calendar "
                    "items of a zone other than UTC, and nowhere else");
    plan_tree_close(&tree);
    return ok;
}

/* --- the canonical spec --- */

static void write_scalar(enum plan_type type, struct slice text, struct buf *out)
{
    if (!plan_is_bare(type, text) || type == TYPE_BOOL) {
        if (type == TYPE_BOOL)
            buf_add_slice(out, text);
        else
            plan_write_json_text(out, text);
        return;
    }
    int64_t millionths;
    plan_parse_decimal(text, 6, &millionths); /* plan_is_bare did the same */
    uint64_t size = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    buf_addf(out, "%s%llu", millionths < 0 ? "-" : "", (unsigned long long)(size / 1000000));
    uint64_t rest = size % 1000000;
    if (!rest)
        return;
    char digits[8];
    snprintf(digits, sizeof digits, "%06u", (unsigned)rest);
    size_t n = 6;
    while (digits[n - 1] == '0')
        n--;
    buf_add_byte(out, '.');
    buf_add(out, digits, n);
}

static int by_key(const void *a, const void *b)
{
    return slice_cmp((*(const struct yaml_node *const *)a)->key, (*(const struct yaml_node *const *)b)->key);
}

static void write_value(const struct plan_key *const tables[], enum plan_type type, const struct yaml_node *node,
                        struct buf *out);

static void write_map(const struct plan_key *const tables[], enum plan_type type, const struct yaml_node *map,
                      const char *skip, struct buf *out)
{
    static const char *const not_spec[] = {"valid_from", "reason", "approver", NULL};
    const struct yaml_node **list = calloc(map->count + 1, sizeof *list);
    if (!list)
        abort();
    size_t count = 0;
    for (const struct yaml_node *node = map->first; node; node = node->next)
        if (!skip || (!slice_is(node->key, skip) && !is_extra(not_spec, node->key)))
            list[count++] = node;
    qsort(list, count, sizeof *list, by_key);
    buf_add_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        const struct plan_key *key = tables ? plan_find_key(tables, list[i]->key) : NULL;
        const struct plan_key *inner[] = {key ? key->keys : NULL, NULL};
        if (i)
            buf_add_byte(out, ',');
        plan_write_json_text(out, list[i]->key);
        buf_add_byte(out, ':');
        write_value(key && key->keys ? inner : NULL, key ? key->type : type, list[i], out);
    }
    buf_add_byte(out, '}');
    free(list);
}

static void write_value(const struct plan_key *const tables[], enum plan_type type, const struct yaml_node *node,
                        struct buf *out)
{
    if (node->kind == YAML_SCALAR)
        write_scalar(type, node->text, out);
    else if (node->kind == YAML_MAP)
        write_map(tables, type, node, NULL, out);
    else {
        buf_add_byte(out, '[');
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            if (item != node->first)
                buf_add_byte(out, ',');
            write_value(tables, type, item, out);
        }
        buf_add_byte(out, ']');
    }
}

void plan_write_spec(const struct plan_kind *kind, const struct yaml_node *item, struct buf *out)
{
    const struct plan_key *tables[4];
    plan_keys_of(kind, item, tables);
    write_map(tables, TYPE_TEXT, item, kind->id_key && !kind->keeps_id ? kind->id_key : "", out);
}
