/* plan_schema.c -- the tables. */
#include "model/plan_schema.h"

#include "model/event.h"
#include "model/plan_rules.h"

static const char *const words_mode[] = {"observe", "enforce", NULL};
static const char *const words_severity[] = {"info", "warning", "serious", "critical", NULL};
static const char *const words_stage[] = {"open", "won", "lost", "pool", NULL};
static const char *const words_category[] = {"omitted", "pipeline", "best", "commit", "closed", NULL};
static const char *const words_loss[] = {"required", "optional", NULL};
static const char *const words_by[] = {"week", "month", NULL};
static const char *const words_row[] = {"lead", "visit", "order", "order_line", "fact", NULL};
static const char *const words_direction[] = {"higher", "lower", NULL};
static const char *const words_pacing[] = {"seasonal", "working", "calendar", "none", NULL};
static const char *const words_forecast[] = {"run", "funnel", "none", NULL};
static const char *const words_tier[] = {"base", "stretch", "challenge", NULL};
static const char *const words_status[] = {"proposed", "approved", NULL};
static const char *const words_dwell[] = {"visit", "cumulative", NULL};
static const char *const words_detector[] = {"cusum", "ewma", "page_hinkley", NULL};
static const char *const words_transform[] = {"none", "log1p", NULL};
static const char *const words_again[] = {"keep", "restart", NULL};
static const char *const words_while[] = {"open", "any", NULL};
static const char *const words_to[] = {"owner", "manager", "manager2", NULL};
static const char *const words_each[] = {"day", "week", "month", "quarter", NULL};
static const char *const words_free_day[] = {"skip", "next", "previous", NULL};
static const char *const words_subject[] = {"lead_id",   "order_id", "visit_id", "fact_id", "customer_id",
                                            "dealer_id", "rep_id",   "node_id",  NULL};
static const char *const words_rule[] = {"lead_stall",
                                         "lead_overdue",
                                         "stage_stall",
                                         "conversion_drop",
                                         "dwell_slow",
                                         "feed_silent",
                                         "pace_gap",
                                         "target_drift",
                                         "required_rate_unreachable",
                                         "target_infeasible",
                                         "plan_missing",
                                         "coverage_gap",
                                         NULL};

#define KEY(name, type, help)                                                                                          \
    {                                                                                                                  \
        name, type, false, 0, NULL, NULL, help                                                                         \
    }
#define MUST(name, type, help)                                                                                         \
    {                                                                                                                  \
        name, type, true, 0, NULL, NULL, help                                                                          \
    }
#define WORD(name, words, help)                                                                                        \
    {                                                                                                                  \
        name, TYPE_WORD, false, 0, NULL, words, help                                                                   \
    }
#define MUST_WORD(name, words, help)                                                                                   \
    {                                                                                                                  \
        name, TYPE_WORD, true, 0, NULL, words, help                                                                    \
    }
#define LIST(name, type, max, help)                                                                                    \
    {                                                                                                                  \
        name, type, false, max, NULL, NULL, help                                                                       \
    }
#define MAP(name, keys, help)                                                                                          \
    {                                                                                                                  \
        name, TYPE_MAP, false, 0, keys, NULL, help                                                                     \
    }
#define MAPS(name, keys, must, max, help)                                                                              \
    {                                                                                                                  \
        name, TYPE_MAPS, must, max, keys, NULL, help                                                                   \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, TYPE_TEXT, false, 0, NULL, NULL, NULL                                                                    \
    }

static const struct plan_key tenant_keys[] = {
    MUST("zone", TYPE_ZONE, "IANA time zone"),
    MUST("currency", TYPE_CURRENCY, "ISO 4217"),
    MUST("calendar", TYPE_PLAN_ID, "calendar of working time"),
    KEY("week_start", TYPE_WEEKDAY, "first day of the week (mon)"),
    KEY("pipeline", TYPE_PLAN_ID, "of first events without pipeline (default, or the only model)"),
    KEY("history", TYPE_HISTORY, "how long closed entities keep their events (400d)"),
    WORD("mode", words_mode, "default of rules and obligations (enforce)"),
    WORD("obligations", plan_words_obligations, "shipped (default), or listed: only those in the file"),
    END};
static const struct plan_key calendar_keys[] = {
    MUST("zone", TYPE_ZONE, "IANA time zone; never changes"),
    MUST("week", TYPE_WEEK, "weekdays -> list of hours"),
    KEY("day_hours", TYPE_ELAPSED, "what 1wd is (the longest weekly day)"),
    LIST("holidays", TYPE_DATES, 1000, "dates and date ranges"),
    KEY("workdays", TYPE_WORKDAYS, "date -> list of hours"),
    KEY("day_weights", TYPE_WEIGHTS, "date, date range or weekday -> 0 to 100"),
    KEY("intraday", TYPE_INTRADAY, "list of {until, share}"),
    END};
static const struct plan_key node_keys[] = {
    MUST("kind", TYPE_TEXT, "company, region, team ..."), KEY("parent", TYPE_PLAN_ID, "none: the root"),
    KEY("name", TYPE_TEXT, "for people"), KEY("manager", TYPE_ID, "person"), END};
static const struct plan_key member_keys[] = {MUST("rep", TYPE_ID, "person"),
                                              MUST("node", TYPE_PLAN_ID, "where"),
                                              KEY("from", TYPE_WHEN, "(valid_from)"),
                                              KEY("to", TYPE_WHEN, "excluded (open)"),
                                              KEY("role", TYPE_TEXT, "dotted gives no attribution (rep)"),
                                              KEY("tier", TYPE_TEXT, "dimension owner_tier"),
                                              END};
static const struct plan_key stage_keys[] = {
    MUST("id", TYPE_PLAN_ID, ""),
    MUST_WORD("kind", words_stage, ""),
    KEY("ord", TYPE_INT, "order of open stages"),
    KEY("max_dwell", TYPE_DWELL, "limit of the stay (auto)"),
    KEY("idle", TYPE_IDLE, "limit without a touch (5wd)"),
    KEY("win", TYPE_PERCENT, "probability where too little is known"),
    WORD("category", words_category, "forecast category (omitted)"),
    LIST("required_steps", TYPE_IDS, 16, "steps to be done before the stage is left"),
    END};
static const struct plan_key cohort_keys[] = {{"by", TYPE_WORDS, false, 2, NULL, words_by, "week, month"},
                                              LIST("horizons", TYPE_DURATIONS, 8, "7d 14d 30d 60d 90d"),
                                              END};
static const struct plan_key model_keys[] = {KEY("pipeline", TYPE_PLAN_ID, ""),
                                             MAPS("stages", stage_keys, true, 64, ""),
                                             KEY("calendar", TYPE_PLAN_ID, "(the tenant's)"),
                                             KEY("warn", TYPE_PERCENT, "share of a limit (80%)"),
                                             KEY("allow_skip", TYPE_BOOL, "(true)"),
                                             KEY("allow_regress", TYPE_BOOL, "(true)"),
                                             WORD("loss_reason", words_loss, "(optional)"),
                                             KEY("reclaim_block", TYPE_ELAPSED, "(7d)"),
                                             MAP("cohorts", cohort_keys, ""),
                                             END};
static const struct plan_key over_keys[] = {KEY("where", TYPE_FILTER, ""), MUST("value", TYPE_VALUE, ""), END};
static const struct plan_key measure_keys[] = {MUST_WORD("from", words_row, "rows"),
                                               MUST("value", TYPE_VALUE, "count, sum FIELD, distinct FIELD"),
                                               KEY("name", TYPE_TEXT, ""),
                                               KEY("where", TYPE_FILTER, "(true)"),
                                               MAP("over", over_keys, "makes it a ratio"),
                                               LIST("dims", TYPE_FIELDS, 6, "fields to cut by"),
                                               WORD("direction", words_direction, "(higher)"),
                                               WORD("pacing", words_pacing, "(seasonal)"),
                                               WORD("forecast", words_forecast, "(run)"),
                                               END};
static const struct plan_key target_keys[] = {KEY("measure", TYPE_PLAN_ID, ""),
                                              KEY("node", TYPE_NODE, "a node or rep:<id>"),
                                              KEY("period", TYPE_PERIOD, "2026, 2026-Q1, 2026-03, or a date range"),
                                              KEY("value", TYPE_TARGET, "in the measure's unit"),
                                              KEY("currency", TYPE_CURRENCY, "(the tenant's)"),
                                              KEY("dim", TYPE_DIM, "{NAME: VALUE}"),
                                              WORD("tier", words_tier, "(base)"),
                                              WORD("status", words_status, "(proposed)"),
                                              WORD("pacing", words_pacing, "(the measure's)"),
                                              KEY("of", TYPE_PLAN_ID, "target to be split"),
                                              KEY("split", TYPE_SPLIT, "node -> weight, or last_year"),
                                              END};

/* Rules: what all have, what the group has, what the kind has. */
static const struct plan_key rule_keys[] = {
    MUST_WORD("kind", words_rule, ""), WORD("severity", words_severity, "(warning)"),
    WORD("mode", words_mode, "(the tenant's)"), KEY("calendar", TYPE_PLAN_ID, "(the tenant's)"), END};
static const struct plan_key pipeline_rule_keys[] = {KEY("pipeline", TYPE_PLAN_ID, "(every)"),
                                                     LIST("stages", TYPE_PLAN_IDS, 64, "(every open one)"), END};
static const struct plan_key target_rule_keys[] = {
    MUST("measure", TYPE_PLAN_ID, ""), WORD("tier", words_tier, "(base)"),
    LIST("levels", TYPE_TEXTS, 16, "node kinds and rep"), KEY("dim", TYPE_TEXT, "(none)"), END};
static const struct plan_key no_keys[] = {END};
static const struct plan_key lead_stall_keys[] = {WORD("dwell", words_dwell, "(visit)"), END};
static const struct plan_key stage_stall_keys[] = {
    KEY("window", TYPE_DURATION, "(5wd)"), KEY("baseline", TYPE_DURATION, "(40wd)"), KEY("min_open", TYPE_INT, "(5)"),
    KEY("budget", TYPE_NUMBER, "(0.05)"), END};
static const struct plan_key conversion_keys[] = {KEY("horizon", TYPE_ELAPSED, "(14d)"), KEY("min_n", TYPE_INT, "(30)"),
                                                  END};
static const struct plan_key slow_keys[] = {KEY("recent", TYPE_DURATION, "(20wd)"),
                                            KEY("base", TYPE_DURATION, "(60wd)"), KEY("factor", TYPE_PERCENT, "(130%)"),
                                            KEY("min_n", TYPE_INT, "(30)"), END};
static const struct plan_key silent_keys[] = {
    LIST("sources", TYPE_IDS, 64, "(all)"), KEY("quantile", TYPE_PERCENT, "(99.9%)"),
    KEY("floor", TYPE_DURATION, "(15m)"), KEY("min_n", TYPE_INT, "(200)"), END};
static const struct plan_key pace_keys[] = {KEY("fire", TYPE_POINTS, "(-8pp)"),
                                            KEY("clear", TYPE_POINTS, "(-5pp)"),
                                            KEY("evaluations", TYPE_INT, "(2)"),
                                            KEY("from_tau", TYPE_PERCENT, "(10%)"),
                                            KEY("min_n", TYPE_INT, "(20)"),
                                            KEY("tail", TYPE_TAIL, "(off)"),
                                            END};
static const struct plan_key drift_keys[] = {WORD("detector", words_detector, "(cusum)"),
                                             KEY("k", TYPE_NUMBER, "(0.5)"),
                                             KEY("h", TYPE_AUTO, "(auto)"),
                                             KEY("budget", TYPE_NUMBER, "(0.05)"),
                                             KEY("lambda", TYPE_NUMBER, "(0.2; page_hinkley 10)"),
                                             KEY("l", TYPE_NUMBER, "(2.962)"),
                                             KEY("delta", TYPE_NUMBER, "(0.25)"),
                                             WORD("transform", words_transform, "(none)"),
                                             END};
static const struct plan_key rate_keys[] = {KEY("factor", TYPE_PERCENT, "(150%)"),
                                            KEY("from_tau", TYPE_PERCENT, "(10%)"), KEY("evaluations", TYPE_INT, "(2)"),
                                            END};
static const struct plan_key infeasible_keys[] = {KEY("p_hit", TYPE_PERCENT, "(5%)"),
                                                  KEY("after", TYPE_DURATION, "(1wd)"), END};
static const struct plan_key coverage_keys[] = {KEY("fire", TYPE_PERCENT, "(80%)"), KEY("clear", TYPE_PERCENT, "(90%)"),
                                                KEY("from_tau", TYPE_PERCENT, "(10%)"),
                                                KEY("evaluations", TYPE_INT, "(2)"), END};
static const struct {
    const char *kind;
    const struct plan_key *group, *own;
} rule_kinds[] = {
    {"lead_stall", pipeline_rule_keys, lead_stall_keys},
    {"lead_overdue", pipeline_rule_keys, no_keys},
    {"stage_stall", pipeline_rule_keys, stage_stall_keys},
    {"conversion_drop", pipeline_rule_keys, conversion_keys},
    {"dwell_slow", pipeline_rule_keys, slow_keys},
    {"feed_silent", no_keys, silent_keys},
    {"pace_gap", target_rule_keys, pace_keys},
    {"target_drift", target_rule_keys, drift_keys},
    {"required_rate_unreachable", target_rule_keys, rate_keys},
    {"target_infeasible", target_rule_keys, infeasible_keys},
    {"plan_missing", target_rule_keys, no_keys},
    {"coverage_gap", target_rule_keys, coverage_keys},
};

static const struct plan_key pattern_keys[] = {MUST_WORD("from", words_row, ""), KEY("where", TYPE_FILTER, ""),
                                               KEY("key", TYPE_TEXT, "field that carries the subject"), END};
static const struct plan_key every_keys[] = {MUST_WORD("each", words_each, ""), KEY("day", TYPE_DAY, ""),
                                             KEY("at", TYPE_TIME, ""), WORD("free_day", words_free_day, "(skip)"), END};
static const struct plan_key escalate_keys[] = {MUST("after", TYPE_DURATION, ""), WORD("severity", words_severity, ""),
                                                MUST_WORD("to", words_to, ""), KEY("action", TYPE_TEXT, ""), END};
static const struct plan_key obligation_keys[] = {WORD("subject", words_subject, ""),
                                                  MAPS("open", pattern_keys, false, 8, ""),
                                                  MAPS("met", pattern_keys, false, 8, ""),
                                                  MAPS("cancel", pattern_keys, false, 8, ""),
                                                  MAPS("extend", pattern_keys, false, 8, ""),
                                                  MAP("every", every_keys, "instead of open"),
                                                  KEY("for", TYPE_FOR, ""),
                                                  WORD("while", words_while, "(open)"),
                                                  KEY("due", TYPE_AMOUNT_DUE, ""),
                                                  WORD("again", words_again, "(keep)"),
                                                  KEY("by", TYPE_DURATION, ""),
                                                  KEY("cap", TYPE_DURATION, ""),
                                                  KEY("owner", TYPE_OWNER, ""),
                                                  KEY("at_risk", TYPE_RISK, "(80%)"),
                                                  MAPS("escalate", escalate_keys, false, 4, ""),
                                                  WORD("severity", words_severity, "(warning)"),
                                                  WORD("mode", words_mode, "(the tenant's)"),
                                                  KEY("calendar", TYPE_PLAN_ID, "(the tenant's)"),
                                                  KEY("enabled", TYPE_BOOL, "false switches it off"),
                                                  END};
static const struct plan_key price_keys[] = {MUST("sku", TYPE_ID, ""), MUST("currency", TYPE_CURRENCY, ""),
                                             KEY("list", TYPE_PRICE, ""), KEY("floor", TYPE_PRICE, ""), END};
static const struct plan_key dealer_keys[] = {{"regions", TYPE_TEXTS, true, 0, NULL, NULL, ""},
                                              KEY("name", TYPE_TEXT, ""),
                                              KEY("exceptions", TYPE_TEXTS, ""),
                                              END};

const char *const plan_words_obligations[] = {"shipped", "listed", NULL};

const struct plan_kind plan_kinds[] = {
    [PLAN_KIND_tenant] = {"tenant", "tenant", "id", false, tenant_keys, NULL},
    [PLAN_KIND_calendar] = {"calendar", "calendars", "id", false, calendar_keys, NULL},
    [PLAN_KIND_node] = {"node", "org", "id", false, node_keys, plan_rule_node},
    [PLAN_KIND_member] = {"member", "members", NULL, false, member_keys, NULL},
    [PLAN_KIND_stage_model] = {"stage_model", "stage_models", "pipeline", true, model_keys, plan_rule_model},
    [PLAN_KIND_measure] = {"measure", "measures", "id", false, measure_keys, plan_rule_measure},
    [PLAN_KIND_target] = {"target", "targets", "id", false, target_keys, plan_rule_target},
    [PLAN_KIND_rule] = {"rule", "rules", "id", false, rule_keys, plan_rule_rule},
    [PLAN_KIND_obligation] = {"obligation", "obligations", "id", false, obligation_keys, plan_rule_obligation},
    [PLAN_KIND_price] = {"price", "prices", NULL, false, price_keys, NULL},
    [PLAN_KIND_dealer] = {"dealer", "dealers", "id", false, dealer_keys, NULL},
};
_Static_assert(sizeof plan_kinds / sizeof *plan_kinds == PLAN_KINDS, "one row per kind");

const struct plan_kind *plan_kind_of(struct slice name)
{
    for (int i = 0; i < PLAN_KINDS; i++)
        if (slice_is(name, plan_kinds[i].name))
            return &plan_kinds[i];
    return NULL;
}

void plan_keys_of(const struct plan_kind *kind, const struct yaml_node *item, const struct plan_key *tables[static 4])
{
    tables[0] = kind->keys;
    tables[1] = tables[2] = tables[3] = NULL;
    const struct yaml_node *which = kind->keys == rule_keys ? yaml_get(item, "kind") : NULL;
    for (size_t i = 0; which && i < sizeof rule_kinds / sizeof *rule_kinds; i++)
        if (slice_is(which->text, rule_kinds[i].kind)) {
            tables[1] = rule_kinds[i].group;
            tables[2] = rule_kinds[i].own;
        }
}

const struct plan_key *plan_find_key(const struct plan_key *const tables[], struct slice name)
{
    for (; *tables; tables++)
        for (const struct plan_key *key = *tables; key->name; key++)
            if (slice_is(name, key->name))
                return key;
    return NULL;
}
