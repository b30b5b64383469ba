/* plan_rules.c -- what the keys of an item say together. */
#include "model/plan_rules.h"

#include "model/plan_json.h"
#include "model/plan_value.h"

enum { WEEK_DAYS = 7, DAY_MINUTES = 24 * 60, PPM = 1000000, HOURS_MAX = 24 };

void plan_rule_node(struct plan_checker *checker, const struct yaml_node *item)
{
    const struct yaml_node *parent = yaml_get(item, "parent"), *id = yaml_get(item, "id");
    if (parent && id && slice_eq(parent->text, id->text))
        plan_error(checker, parent, "org_cycle", "%.*s is its own parent", SLICE_ARG(id->text));
}

/* --- stage models --- */

static void check_stage(struct plan_checker *checker, const struct yaml_node *stages, const struct yaml_node *stage)
{
    static const char *const open_only[] = {"ord", "max_dwell", "idle", "win", "required_steps"};
    struct slice id = plan_text(stage, "id");
    bool open = slice_is(plan_text(stage, "kind"), "open");
    const struct yaml_node *ord = yaml_get(stage, "ord");
    if (open && !ord)
        plan_error(checker, stage, "missing_key", "ord is missing: open stages have an order");
    if (open && slice_is(id, "won"))
        plan_error(checker, stage, "bad_id", "an open stage may not be called won");
    for (size_t i = 0; !open && i < sizeof open_only / sizeof *open_only; i++)
        if (yaml_get(stage, open_only[i]))
            plan_error(checker, yaml_get(stage, open_only[i]), "bad_value", "%s is for open stages only", open_only[i]);
    for (const struct yaml_node *before = stages->first; before != stage; before = before->next) {
        if (slice_eq(plan_text(before, "id"), id))
            plan_error(checker, stage, "duplicate_id", "stage %.*s stands twice", SLICE_ARG(id));
        if (open && ord && yaml_get(before, "ord") && slice_is(plan_text(before, "kind"), "open") &&
            slice_eq(yaml_get(before, "ord")->text, ord->text))
            plan_error(checker, ord, "ord_twice", "ord %.*s is that of %.*s", SLICE_ARG(ord->text),
                       SLICE_ARG(plan_text(before, "id")));
    }
}

void plan_rule_model(struct plan_checker *checker, const struct yaml_node *item)
{
    const struct yaml_node *stages = yaml_get(item, "stages");
    unsigned open = 0, won = 0;
    for (const struct yaml_node *stage = stages->first; stage; stage = stage->next) {
        check_stage(checker, stages, stage);
        open += slice_is(plan_text(stage, "kind"), "open");
        won += slice_is(plan_text(stage, "kind"), "won");
    }
    if (!open || !won)
        plan_error(checker, stages, "stage_kinds", "a model has at least one open and one won stage");
}

/* --- measures, targets, rules --- */

void plan_rule_measure(struct plan_checker *checker, const struct yaml_node *item)
{
    const struct yaml_node *pacing = yaml_get(item, "pacing"), *over = yaml_get(item, "over");
    if (over && pacing && !slice_is(pacing->text, "none"))
        plan_error(checker, pacing, "bad_value", "a ratio has no pacing: its target is a level");
}

void plan_rule_target(struct plan_checker *checker, const struct yaml_node *item)
{
    static const char *const whole[] = {"measure", "node", "period", "value"};
    bool split = yaml_get(item, "of") || yaml_get(item, "split");
    if (split && (!yaml_get(item, "of") || !yaml_get(item, "split")))
        plan_error(checker, item, "missing_key", "of and split go together");
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        const struct yaml_node *node = yaml_get(item, whole[i]);
        if (split && node)
            plan_error(checker, node, "bad_value", "%s comes from the target that is split", whole[i]);
        else if (!split && !node)
            plan_error(checker, item, "missing_key", "%s is missing (or of and split)", whole[i]);
    }
}

void plan_rule_rule(struct plan_checker *checker, const struct yaml_node *item)
{
    const struct yaml_node *fire = yaml_get(item, "fire"), *clear = yaml_get(item, "clear");
    if (!fire || !clear)
        return;
    int64_t fire_ppm, clear_ppm;
    bool points = plan_parse_points(fire->text, &fire_ppm) && plan_parse_points(clear->text, &clear_ppm);
    if ((points || (plan_parse_percent(fire->text, &fire_ppm) && plan_parse_percent(clear->text, &clear_ppm))) &&
        fire_ppm > clear_ppm)
        plan_error(checker, clear, "bad_value", "clear lies beyond fire: the alert would flap");
}

/* --- obligations --- */

static void check_pattern_keys(struct plan_checker *checker, const struct yaml_node *item, const char *name)
{
    const struct yaml_node *list = yaml_get(item, name);
    for (const struct yaml_node *pattern = list ? list->first : NULL; pattern; pattern = pattern->next) {
        const struct yaml_node *key = yaml_get(pattern, "key");
        enum filter_row row;
        if (!key || !filter_row_of(plan_text(pattern, "from"), &row))
            continue;
        bool attr = filter_row_type(row)->attrs && key->text.n > 6 && memcmp(key->text.p, "attrs.", 6) == 0;
        if (!attr && !filter_field_of(filter_row_type(row), key->text))
            plan_error(checker, key, "unknown_field", "%.*s rows have no field \"%.*s\"",
                       SLICE_ARG(plan_text(pattern, "from")), SLICE_ARG(key->text));
    }
}

void plan_rule_obligation(struct plan_checker *checker, const struct yaml_node *item)
{
    static const char *const lists[] = {"open", "met", "cancel", "extend"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        check_pattern_keys(checker, item, lists[i]);
    if (slice_is(plan_text(item, "enabled"), "false"))
        return; /* switched off: the id is enough */
    static const char *const needed[] = {"subject", "due"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!yaml_get(item, needed[i]))
            plan_error(checker, item, "missing_key", "%s is missing", needed[i]);
    const struct yaml_node *open = yaml_get(item, "open"), *every = yaml_get(item, "every");
    if (!open == !every)
        plan_error(checker, every ? every : item, every ? "bad_value" : "missing_key",
                   "an obligation is opened by open or by every, by one of them");
    if (every && !yaml_get(item, "for"))
        plan_error(checker, every, "missing_key", "for is missing: reps or {nodes: KIND}");
    if (yaml_get(item, "extend") && (!yaml_get(item, "by") || !yaml_get(item, "cap")))
        plan_error(checker, yaml_get(item, "extend"), "missing_key", "extend needs by and cap");
}

/* --- calendars --- */

static bool check_hours(struct plan_checker *checker, const struct yaml_node *list)
{
    int32_t end = -1;
    if (list->kind != YAML_LIST || list->count > HOURS_MAX) {
        plan_error(checker, list, "bad_type", "expected a list of hours like [\"09:00-12:00\"]");
        return false;
    }
    for (const struct yaml_node *hours = list->first; hours; hours = hours->next) {
        int32_t from, to;
        if (hours->kind != YAML_SCALAR || !plan_parse_hours(hours->text, &from, &to)) {
            plan_error(checker, hours, "bad_value", "expected hours like 09:00-12:00 within one day");
            return false;
        }
        if (from < end) {
            plan_error(checker, hours, "bad_value", "hours ascend and do not overlap");
            return false;
        }
        end = to;
    }
    return true;
}

static bool is_map(struct plan_checker *checker, const struct yaml_node *node, const char *expected)
{
    if (node->kind == YAML_MAP)
        return true;
    plan_error(checker, node, "bad_type", "expected %s", expected);
    return false;
}

void plan_check_week(struct plan_checker *checker, const struct yaml_node *node)
{
    unsigned seen = 0;
    if (!is_map(checker, node, "{mon-fri: [\"09:00-12:00\", \"13:30-18:00\"]}"))
        return;
    for (const struct yaml_node *days = node->first; days; days = days->next) {
        uint8_t set;
        if (!plan_parse_weekdays(days->key, &set) || (seen & set))
            plan_error(checker, days, "bad_value", "%.*s: expected weekdays like mon-fri or \"mon, wed\", each once",
                       SLICE_ARG(days->key));
        else
            seen |= set;
        check_hours(checker, days);
    }
    if (!seen)
        plan_error(checker, node, "bad_value", "a week has at least one working day");
}

void plan_check_workdays(struct plan_checker *checker, const struct yaml_node *node)
{
    if (!is_map(checker, node, "{\"2026-02-14\": [\"09:00-12:00\"]}"))
        return;
    for (const struct yaml_node *day = node->first; day; day = day->next) {
        int32_t date;
        if (!plan_parse_date(day->key, &date))
            plan_error(checker, day, "bad_date", "%.*s: expected a date like 2026-02-14", SLICE_ARG(day->key));
        check_hours(checker, day);
    }
}

void plan_check_weights(struct plan_checker *checker, const struct yaml_node *node)
{
    if (!is_map(checker, node, "{2026-03-31: 2}"))
        return;
    for (const struct yaml_node *day = node->first; day; day = day->next) {
        int32_t first, last;
        uint8_t weekday;
        int64_t weight;
        if (!plan_parse_dates(day->key, &first, &last) && !plan_parse_weekday(day->key, &weekday))
            plan_error(checker, day, "bad_date", "%.*s: expected a date, a date range or a weekday",
                       SLICE_ARG(day->key));
        if (day->kind != YAML_SCALAR || !plan_parse_decimal(day->text, 4, &weight) || weight < 0 || weight > 1000000 ||
            (checker->json && day->quoted))
            plan_error(checker, day, "bad_value", "expected a weight of 0 to 100 with at most 4 decimals");
    }
}

void plan_check_intraday(struct plan_checker *checker, const struct yaml_node *node)
{
    static const struct plan_key keys[] = {{"until", TYPE_TIME, true, 0, NULL, NULL, "a time of day"},
                                           {"share", TYPE_PERCENT, true, 0, NULL, NULL, "a percentage"},
                                           {NULL, TYPE_TEXT, false, 0, NULL, NULL, NULL}};
    const struct plan_key *tables[] = {keys, NULL};
    int64_t sum = 0;
    int32_t before = 0;
    if (node->kind != YAML_LIST || !node->count) {
        plan_error(checker, node, "bad_type", "expected a list of {until, share}");
        return;
    }
    for (const struct yaml_node *part = node->first; part; part = part->next) {
        int32_t until;
        int64_t share;
        if (!plan_check_map(checker, tables, part, NULL))
            return;
        plan_parse_time(plan_text(part, "until"), &until);
        plan_parse_percent(plan_text(part, "share"), &share);
        if (until <= before)
            plan_error(checker, part, "bad_value", "until ascends");
        before = until;
        sum += share;
    }
    if (before != DAY_MINUTES)
        plan_error(checker, node, "bad_value", "the last until is 24:00");
    if (sum != PPM)
        plan_error(checker, node, "shares_sum", "the shares sum to %lld.%04lld%%, expected 100%%",
                   (long long)(sum / 10000), (long long)(sum % 10000));
}

/* --- targets --- */

void plan_check_split(struct plan_checker *checker, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR && slice_is(node->text, "last_year"))
        return;
    if (!is_map(checker, node, "{t1: 60, t2: 40} or last_year"))
        return;
    int64_t sum = 0;
    for (const struct yaml_node *part = node->first; part; part = part->next) {
        int64_t weight = 0;
        if (!plan_is_plan_id(part->key) && !(part->key.n > 4 && memcmp(part->key.p, "rep:", 4) == 0))
            plan_error(checker, part, "bad_id", "%.*s: expected a node or rep:<id>", SLICE_ARG(part->key));
        if (part->kind != YAML_SCALAR || !plan_parse_decimal(part->text, 4, &weight) || weight < 0)
            plan_error(checker, part, "bad_value", "expected a weight with at most 4 decimals");
        sum += weight > 0 ? 1 : 0;
    }
    if (!sum)
        plan_error(checker, node, "bad_value", "expected at least one weight above 0");
}

void plan_check_dim(struct plan_checker *checker, const struct yaml_node *node)
{
    if (!is_map(checker, node, "{NAME: VALUE}"))
        return;
    if (node->count != 1 || node->first->kind != YAML_SCALAR || !node->first->text.n)
        plan_error(checker, node, "bad_value", "expected one {NAME: VALUE}");
}
