#include <stdlib.h>

#include "figures_internal.h"

/* Metrics of formats.md 5.2 from sums of cells. */

static const char *const window_names[] = {
#define X(name) #name,
    FIGURES_WINDOWS(X)
#undef X
};

/* Everything that one row needs to know of where it stands. */
struct scene {
    struct figures *figures;
    const struct figures_query *query;
    figures_on_row *on_row;
    void *context;
    const struct figures_series *group; /* all stages of one org, pipeline, dimension and value */
    uint32_t group_count;
    const struct figures_model *model;
    const struct figures_series *series; /* the stage at hand; NULL: the pipeline */
    const struct figures_span *span;
    bool restated;
};

struct number {
    const char *metric, *class, *unit;
    bool has_value;
    int128_t value, n;
    uint32_t flags;
};

/* --- one row -------------------------------------------------------------------------------------------------- */

static struct slice or_null(struct slice text) { return text.n ? text : (struct slice){NULL, 0}; }

static void set_value(struct figure_row *row, const struct number *number)
{
    row->value = (int64_t)number->value;
    row->has_value = number->has_value && row->value == number->value;
    if (number->has_value && !row->has_value)
        row->flags |= FIGURE_OVERFLOW;
    row->n = (int64_t)number->n;
}

static void set_window(struct figure_row *row, const struct figures_span *span)
{
    row->window = slice_of(window_names[span->window]);
    row->has_start = span->has_start;
    row->window_start_ms = span->start_ms;
    row->has_end = true;
    row->window_end_ms = span->end_ms;
    if (!span->ended)
        row->flags |= FIGURE_PARTIAL;
}

static bool is_stock(const char *metric) { return strncmp(metric, "occupancy", 9) == 0; }

static void emit(const struct scene *scene, const struct number *number)
{
    const struct figures *figures = scene->figures;
    const struct figures_series *series = scene->series ? scene->series : scene->group;
    if (scene->query->metric.p && !slice_is(scene->query->metric, number->metric))
        return;
    if (scene->span->window == FIGURES_now && !is_stock(number->metric))
        return;
    struct figure_row row = {.tenant = figures->tenant,
                             .org = series->org,
                             .dim = series->dim,
                             .dim_value = series->value.p ? series->value : SLICE(""),
                             .pipeline = or_null(series->pipeline),
                             .class = slice_of(number->class),
                             .metric = slice_of(number->metric),
                             .unit = slice_of(number->unit),
                             .as_of_seq = figures->tenant_seq,
                             .as_of_ms = figures->now_ms,
                             .completeness_ppm = 1000000,
                             .plan_version = figures->plan_version,
                             .calendar_version = figures->calendar_version,
                             .flags = number->flags};
    if (scene->series) {
        row.stage = or_null(series->stage);
        row.currency = or_null(series->currency);
        if (series->stage.n && scene->model && series->place == FIGURES_MODEL_STAGES_MAX)
            row.flags |= FIGURE_REMOVED_STAGE;
    }
    if (scene->restated)
        row.flags |= FIGURE_RESTATED;
    set_window(&row, scene->span);
    set_value(&row, number);
    scene->on_row(scene->context, &row);
}

static void emit_count(const struct scene *scene, const char *metric, const char *class, int128_t value)
{
    emit(scene, &(struct number){metric, class, "count", true, value, value, 0});
}

/* b = 0: null, never 0 or 100%. Fewer than 8: thin. */
static void emit_ratio(const struct scene *scene, const char *metric, const char *class, int128_t a, int128_t b)
{
    int64_t ppm;
    struct number number = {metric, class, "ppm", false, 0, b, b < 8 ? FIGURE_THIN : 0};
    number.has_value = ratio_ppm(a, b, &ppm);
    number.value = ppm;
    emit(scene, &number);
}

/* --- a stage in a window -------------------------------------------------------------------------------------- */

static unsigned exit_slot(enum lead_class class) { return LEAD_SLOT_EXITS + (unsigned)class - LEAD_CLASS_advance; }
#define EXITS(sums, class) ((sums)->slot[exit_slot(LEAD_CLASS_##class)])

static void emit_exits(const struct scene *scene, const struct figures_sums *sums, uint64_t ever)
{
    for (int class = LEAD_CLASS_advance; class < LEAD_CLASS_COUNT; class ++) {
        unsigned slot = exit_slot((enum lead_class) class);
        if (ever >> slot & 1)
            emit_count(scene, "exits", lead_class_name((enum lead_class) class), sums->slot[slot]);
    }
}

static const struct figures_series *stage_series(const struct scene *scene, int place)
{
    for (uint32_t i = 0; i < scene->group_count; i++) {
        if (scene->group[i].place == place && scene->group[i].currency.n == 0)
            return &scene->group[i];
    }
    return NULL;
}

static bool is_open(const struct scene *scene, int place)
{
    return scene->model && place < (int)scene->model->stage_count && scene->model->stages[place].kind == STAGE_OPEN;
}

/* E(next open stage) / E(s): shown as flow only, it may exceed 100%. */
static void emit_flow(const struct scene *scene, const struct figures_sums *sums)
{
    int next = scene->series->place + 1;
    if (!is_open(scene, next))
        return;
    struct figures_sums after = {.touched = 0};
    const struct figures_series *series = stage_series(scene, next);
    if (series)
        figures_sum(scene->figures, series, scene->span, &after);
    emit_ratio(scene, "flow", NULL, after.slot[LEAD_SLOT_ENTRIES], sums->slot[LEAD_SLOT_ENTRIES]);
}

/* Of those who left: F / (F + Lo + Re); rates of all exits (rulings O18). */
static void emit_conversions(const struct scene *scene, const struct figures_sums *sums)
{
    int128_t forward = EXITS(sums, advance) + EXITS(sums, skip) + EXITS(sums, win);
    int128_t left = forward + EXITS(sums, lose) + EXITS(sums, recycle);
    int128_t all = left + EXITS(sums, regress);
    emit_ratio(scene, "conv_period", NULL, forward, left);
    emit_ratio(scene, "exit_rate", "skip", EXITS(sums, skip), all);
    emit_ratio(scene, "exit_rate", "regress", EXITS(sums, regress), all);
    emit_ratio(scene, "exit_rate", "recycle", EXITS(sums, recycle), all);
    emit_flow(scene, sums);
}

static int128_t group_exits(const struct scene *scene, enum lead_class class, bool *restated)
{
    int128_t sum = 0;
    for (uint32_t i = 0; i < scene->group_count; i++) {
        struct figures_sums sums;
        if (scene->group[i].currency.n || !scene->group[i].stage.n)
            continue;
        figures_sum(scene->figures, &scene->group[i], scene->span, &sums);
        sum += sums.slot[exit_slot(class)];
        *restated |= sums.restated;
    }
    return sum;
}

static uint64_t ever_touched(const struct scene *scene)
{
    struct figures_span total = {.window = FIGURES_total, .kind = 't'};
    struct figures_sums sums;
    figures_sum(scene->figures, scene->series, &total, &sums);
    return sums.touched;
}

static void stage_rows(struct scene *scene)
{
    struct figures_sums sums, stock;
    uint64_t ever = ever_touched(scene);
    bool open = is_open(scene, scene->series->place);
    figures_sum(scene->figures, scene->series, scene->span, &sums);
    figures_sum_until(scene->figures, scene->series, scene->span, &stock);
    scene->restated = sums.restated;
    emit_count(scene, "entries", NULL, sums.slot[LEAD_SLOT_ENTRIES]);
    emit_exits(scene, &sums, ever);
    if (ever >> LEAD_SLOT_REACHED & 1)
        emit_count(scene, "reached", NULL, sums.slot[LEAD_SLOT_REACHED]);
    if (ever >> LEAD_SLOT_TRANSFER_IN & 1)
        emit_count(scene, "transfer_in", NULL, sums.slot[LEAD_SLOT_TRANSFER_IN]);
    if (ever >> LEAD_SLOT_TRANSFER_OUT & 1)
        emit_count(scene, "transfer_out", NULL, sums.slot[LEAD_SLOT_TRANSFER_OUT]);
    emit_count(scene, "occupancy", NULL, figures_net(&stock));
    if (!open)
        return;
    emit_conversions(scene, &sums);
    bool restated = sums.restated;
    int128_t all = group_exits(scene, LEAD_CLASS_lose, &restated);
    emit_ratio(scene, "leak_share", NULL, EXITS(&sums, lose), all);
}

static void amount_rows(struct scene *scene)
{
    struct figures_sums stock;
    figures_sum_until(scene->figures, scene->series, scene->span, &stock);
    struct figures_sums sums;
    figures_sum(scene->figures, scene->series, scene->span, &sums);
    scene->restated = sums.restated;
    emit(scene, &(struct number){"occupancy_amount", NULL, "minor", true, stock.slot[LEAD_SLOT_AMOUNT],
                                 stock.slot[LEAD_SLOT_AMOUNT_N], 0});
}

/* Counters of rows without a stage: days and months only. */
static const struct {
    const char *metric;
    unsigned slot;
} counters[] = {{"unknown_stage", LEAD_SLOT_UNKNOWN_STAGE},
                {"beyond_horizon", LEAD_SLOT_BEYOND},
                {"late_events", LEAD_SLOT_LATE},
                {"restated_events", LEAD_SLOT_RESTATED},
                {"orphan_corrections", LEAD_SLOT_ORPHANS},
                {"dim_overflow", LEAD_SLOT_OVERFLOW},
                {"repeats", LEAD_SLOT_REPEATS}};

static void counter_rows(struct scene *scene)
{
    if (scene->span->window != FIGURES_day && scene->span->window != FIGURES_month)
        return;
    struct figures_sums sums;
    uint64_t ever = ever_touched(scene);
    figures_sum(scene->figures, scene->series, scene->span, &sums);
    scene->restated = sums.restated;
    for (int violation = 0; violation < LEAD_VIOLATION_COUNT; violation++) {
        unsigned slot = LEAD_SLOT_VIOLATIONS + (unsigned)violation;
        if (ever >> slot & 1)
            emit_count(scene, "violations", lead_violation_name((enum lead_violation)violation), sums.slot[slot]);
    }
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        if (ever >> counters[i].slot & 1)
            emit_count(scene, counters[i].metric, NULL, sums.slot[counters[i].slot]);
    }
}

/* Win rate of the pipeline. */
static void pipeline_rows(struct scene *scene)
{
    scene->restated = false;
    int128_t won = group_exits(scene, LEAD_CLASS_win, &scene->restated);
    int128_t lost = group_exits(scene, LEAD_CLASS_lose, &scene->restated);
    emit_ratio(scene, "win_rate", NULL, won, won + lost);
}

/* --- which windows -------------------------------------------------------------------------------------------- */

struct days {
    int32_t *items;
    uint32_t count;
};

static int by_day(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

/* A local day of every retained window of the kind, ascending; several of one window may come. */
static struct days retained_days(const struct figures *figures, const struct figures_series *series, uint32_t count,
                                 enum figures_window window)
{
    struct pane_grid grid = {&figures->zone, figures->week_start};
    uint32_t panes = 1;
    for (uint32_t i = 0; i < count; i++)
        panes += series[i].count;
    struct days days = {malloc(panes * sizeof *days.items), 0};
    if (!days.items)
        abort();
    char kind = window == FIGURES_month ? 'm' : 'd';
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = series[i].first; k < series[i].first + series[i].count; k++) {
            const struct figures_pane *pane = &figures->raw[k].pane;
            if (pane->kind == kind)
                days.items[days.count++] =
                    kind == 'm' ? pane_first_day(&grid, PANE_MONTH, pane->number) : (int32_t)pane->number;
        }
    }
    days.items[days.count++] = zone_day(&figures->zone, figures->now_ms);
    qsort(days.items, days.count, sizeof *days.items, by_day);
    return days;
}

static bool in_range(const struct figures_query *query, const struct figures_span *span)
{
    return !query->has_range || (span->start_ms >= query->from_ms && span->start_ms < query->to_ms);
}

/* The oldest days expire one by one: a week that has lost some is not shown, it would look like a quiet one. */
static bool is_whole(const struct figures *figures, const struct figures_span *span)
{
    return span->window != FIGURES_week || span->low > zone_day(&figures->zone, figures->now_ms) - FIGURES_KEPT_DAYS;
}

typedef void scene_rows(struct scene *scene);

static void each_retained(struct scene *scene, const struct figures_series *series, uint32_t count,
                          enum figures_window window, scene_rows *rows)
{
    struct days days = retained_days(scene->figures, series, count, window);
    int64_t last = INT64_MIN;
    for (uint32_t i = 0; i < days.count; i++) {
        struct figures_span span = figures_span_of_day(scene->figures, window, days.items[i]);
        if (span.low == last || !in_range(scene->query, &span) || !is_whole(scene->figures, &span))
            continue;
        last = span.low;
        scene->span = &span;
        rows(scene);
    }
    free(days.items);
}

static bool is_calendar(enum figures_window window)
{
    return window == FIGURES_day || window == FIGURES_week || window == FIGURES_month;
}

static bool is_rep(struct slice org) { return org.n > 4 && memcmp(org.p, "rep:", 4) == 0; }

static void each_window(struct scene *scene, const struct figures_series *series, uint32_t count, scene_rows *rows)
{
    const struct figures_query *query = scene->query;
    for (int w = 0; w < FIGURES_WINDOW_COUNT; w++) {
        enum figures_window window = (enum figures_window)w;
        if (query->window >= 0 && query->window != w)
            continue;
        if (is_rep(series->org) && window <= FIGURES_r7d)
            continue; /* reps carry windows made of days */
        if (is_calendar(window) && (query->all || query->has_range)) {
            each_retained(scene, series, count, window, rows);
            continue;
        }
        if (query->has_range)
            continue;
        struct figures_span span = figures_span_now(scene->figures, window);
        scene->span = &span;
        rows(scene);
    }
}

/* --- groups --------------------------------------------------------------------------------------------------- */

static bool wanted(const struct figures_query *query, const struct figures_series *series)
{
    if (query->org.p && !slice_eq(query->org, series->org))
        return false;
    if (query->pipeline.p && series->pipeline.n && !slice_eq(query->pipeline, series->pipeline))
        return false;
    return !query->dim.p || slice_eq(query->dim, series->dim);
}

static bool same_group(const struct figures_series *a, const struct figures_series *b)
{
    return slice_eq(a->org, b->org) && slice_eq(a->pipeline, b->pipeline) && slice_eq(a->dim, b->dim) &&
           slice_eq(a->value, b->value);
}

static void group_rows(struct scene *scene)
{
    scene->model = figures_model_of(scene->figures, scene->group->pipeline);
    for (uint32_t i = 0; i < scene->group_count; i++) {
        const struct figures_series *series = &scene->group[i];
        scene->series = series;
        if (!series->stage.n)
            each_window(scene, series, 1, counter_rows);
        else
            each_window(scene, series, 1, series->currency.n ? amount_rows : stage_rows);
    }
    scene->series = NULL;
    if (scene->group->pipeline.n)
        each_window(scene, scene->group, scene->group_count, pipeline_rows);
}

void figures_each(struct figures *figures, const struct figures_query *query, figures_on_row *on_row, void *context)
{
    if (!figures->has_tenant)
        return;
    figures_sort(figures);
    struct scene scene = {.figures = figures, .query = query, .on_row = on_row, .context = context};
    for (uint32_t i = 0; i < figures->series_count;) {
        scene.group = &figures->series[i];
        scene.group_count = 1;
        for (i++; i < figures->series_count && same_group(scene.group, &figures->series[i]); i++)
            scene.group_count++;
        if (wanted(query, scene.group))
            group_rows(&scene);
    }
}
