#include "figures.h"

#include <stdlib.h>

#include "figures_internal.h"

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

bool figures_window_of(struct slice name, enum figures_window *window)
{
    static const char *const names[] = {
#define X(name) #name,
        FIGURES_WINDOWS(X)
#undef X
    };
    for (int i = 0; i < FIGURES_WINDOW_COUNT; i++) {
        if (slice_is(name, names[i])) {
            *window = (enum figures_window)i;
            return true;
        }
    }
    return false;
}

struct figures *figures_new(void)
{
    struct figures *figures = need(calloc(1, sizeof *figures));
    zone_init_utc(&figures->zone);
    return figures;
}

void figures_destroy(struct figures **figures)
{
    struct figures *f = *figures;
    if (!f)
        return;
    for (uint32_t i = 0; i < f->owned_count; i++)
        free(f->owned[i]);
    free(f->owned);
    free(f->raw);
    free(f->numbers);
    free(f->series);
    free(f->models);
    zone_close(&f->zone);
    buf_close(&f->texts);
    free(f);
    *figures = NULL;
}

struct slice figures_keep(struct figures *figures, struct slice text)
{
    if (figures->owned_count == figures->owned_capacity) {
        figures->owned_capacity = figures->owned_capacity ? figures->owned_capacity * 2 : 64;
        figures->owned = need(realloc(figures->owned, figures->owned_capacity * sizeof *figures->owned));
    }
    char *copy = need(malloc(text.n + 1));
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    figures->owned[figures->owned_count++] = copy;
    return slice_make(copy, text.n);
}

void figures_as_of(struct figures *figures, struct slice tenant, uint64_t tenant_seq, int64_t now_ms)
{
    figures->tenant = figures_keep(figures, tenant);
    figures->tenant_seq = tenant_seq;
    figures->now_ms = now_ms;
}

bool figures_has_tenant(const struct figures *figures) { return figures->has_tenant; }
struct slice figures_root(const struct figures *figures) { return figures->root; }

/* --- reading cells -------------------------------------------------------------------------------------------- */

/* Everything before the next `|`. */
static struct slice part(struct slice *rest)
{
    const char *bar = rest->n ? memchr(rest->p, '|', rest->n) : NULL;
    struct slice head = slice_make(rest->p, bar ? (size_t)(bar - rest->p) : rest->n);
    *rest = bar ? slice_make(bar + 1, rest->n - head.n - 1) : slice_make(rest->p + rest->n, 0);
    return head;
}

static bool read_names(struct slice row, struct slice field, struct figures_raw *raw)
{
    const char *slash = memchr(row.p, '/', row.n);
    if (!slash)
        return false;
    raw->pipeline = slice_make(row.p, (size_t)(slash - row.p));
    raw->org = slice_make(slash + 1, row.n - raw->pipeline.n - 1);
    raw->stage = part(&field);
    struct cell_text_pane pane;
    if (!cell_text_read_pane(part(&field), &pane))
        return false;
    raw->dim = part(&field);
    raw->value = field; /* the rest: a value may hold a bar */
    raw->pane.kind = pane.kind;
    raw->pane.number = pane.number;
    memcpy(raw->currency, pane.currency, sizeof raw->currency);
    return true;
}

static void add_number(struct figures *figures, int64_t number)
{
    if (figures->number_count == figures->number_capacity) {
        figures->number_capacity = figures->number_capacity ? figures->number_capacity * 2 : 256;
        figures->numbers = need(realloc(figures->numbers, figures->number_capacity * sizeof *figures->numbers));
    }
    figures->numbers[figures->number_count++] = number;
}

/* Numbers of a value stand in the order of the slots: the machine writes them so. */
static void read_numbers(struct figures *figures, struct slice value, struct figures_pane *pane)
{
    struct cursor in = cursor_of(value);
    struct slice name;
    int64_t number;
    pane->values = figures->number_count;
    while (cell_text_next(&in, &name, &number)) {
        int slot = cell_text_slot(name);
        if (slice_is(name, CELL_TEXT_RESTATED))
            pane->restated_on = number;
        if (slot < 0 || pane->mask >> slot)
            continue;
        pane->mask |= 1ull << slot;
        add_number(figures, number);
    }
}

void figures_cell(struct figures *figures, struct slice row, struct slice field, struct slice value)
{
    if (slice_is(row, CELL_TEXT_META_ROW)) {
        if (slice_is(field, CELL_TEXT_META_FIGURES))
            figures_meta(figures, figures_keep(figures, value));
        return;
    }
    struct figures_raw raw = {.pane = {0}};
    if (value.n == 0 || !read_names(row, field, &raw))
        return;
    struct slice *const texts[] = {&raw.pipeline, &raw.org, &raw.stage, &raw.dim, &raw.value};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = figures_keep(figures, *texts[i]);
    read_numbers(figures, value, &raw.pane);
    if (figures->raw_count == figures->raw_capacity) {
        figures->raw_capacity = figures->raw_capacity ? figures->raw_capacity * 2 : 256;
        figures->raw = need(realloc(figures->raw, figures->raw_capacity * sizeof *figures->raw));
    }
    figures->raw[figures->raw_count++] = raw;
    figures->sorted = false;
}

/* --- series --------------------------------------------------------------------------------------------------- */

static int names_cmp(const struct figures_raw *a, const struct figures_raw *b)
{
    int order = slice_cmp(a->org, b->org);
    if (!order)
        order = slice_cmp(a->pipeline, b->pipeline);
    if (!order)
        order = slice_cmp(a->dim, b->dim);
    if (!order)
        order = slice_cmp(a->value, b->value);
    if (!order)
        order = slice_cmp(a->stage, b->stage);
    return order ? order : memcmp(a->currency, b->currency, sizeof a->currency);
}

static int raw_cmp(const void *left, const void *right)
{
    const struct figures_raw *a = left, *b = right;
    int order = names_cmp(a, b);
    if (order)
        return order;
    if (a->pane.kind != b->pane.kind)
        return a->pane.kind < b->pane.kind ? -1 : 1;
    return a->pane.number < b->pane.number ? -1 : a->pane.number > b->pane.number;
}

const struct figures_model *figures_model_of(const struct figures *figures, struct slice pipeline)
{
    for (uint32_t i = 0; i < figures->model_count; i++) {
        if (slice_eq(figures->models[i].pipeline, pipeline))
            return &figures->models[i];
    }
    return NULL;
}

static int place_of(const struct figures *figures, struct slice pipeline, struct slice stage)
{
    const struct figures_model *model = figures_model_of(figures, pipeline);
    for (uint32_t i = 0; model && i < model->stage_count; i++) {
        if (slice_eq(model->stages[i].name, stage))
            return (int)i;
    }
    return FIGURES_MODEL_STAGES_MAX;
}

static int series_cmp(const void *left, const void *right)
{
    const struct figures_series *a = left, *b = right;
    int order = slice_cmp(a->org, b->org);
    if (!order)
        order = slice_cmp(a->pipeline, b->pipeline);
    if (!order)
        order = slice_cmp(a->dim, b->dim);
    if (!order)
        order = slice_cmp(a->value, b->value);
    if (!order)
        order = a->place - b->place;
    if (!order)
        order = slice_cmp(a->stage, b->stage);
    return order ? order : slice_cmp(a->currency, b->currency);
}

void figures_sort(struct figures *figures)
{
    if (figures->sorted)
        return;
    qsort(figures->raw, figures->raw_count, sizeof *figures->raw, raw_cmp);
    free(figures->series);
    figures->series = need(calloc(figures->raw_count + 1, sizeof *figures->series));
    figures->series_count = 0;
    for (uint32_t i = 0; i < figures->raw_count; i++) {
        const struct figures_raw *raw = &figures->raw[i];
        if (i == 0 || names_cmp(raw - 1, raw) != 0) {
            struct figures_series *series = &figures->series[figures->series_count++];
            *series = (struct figures_series){.pipeline = raw->pipeline,
                                              .org = raw->org,
                                              .stage = raw->stage,
                                              .dim = raw->dim,
                                              .value = raw->value,
                                              .currency = slice_of(raw->currency),
                                              .first = i};
            series->place = place_of(figures, raw->pipeline, raw->stage);
        }
        figures->series[figures->series_count - 1].count++;
    }
    qsort(figures->series, figures->series_count, sizeof *figures->series, series_cmp);
    figures->sorted = true;
}

/* --- the row `meta` ------------------------------------------------------------------------------------------- */

static int64_t number_of(struct slice text)
{
    char digits[24] = {0};
    memcpy(digits, text.p, text.n < sizeof digits - 1 ? text.n : sizeof digits - 1);
    return strtoll(digits, NULL, 10);
}

static void meta_zone(struct figures *figures, struct slice rest)
{
    zone_close(&figures->zone);
    zone_init_utc(&figures->zone);
    figures->zone.first_offset_s = (int32_t)number_of(part(&rest));
    while (rest.n) {
        int64_t at_ms = number_of(part(&rest));
        (void)zone_add(&figures->zone, at_ms, (int32_t)number_of(part(&rest)));
    }
}

static void meta_model(struct figures *figures, struct slice rest)
{
    figures->models = need(realloc(figures->models, (figures->model_count + 1) * sizeof *figures->models));
    struct figures_model *model = &figures->models[figures->model_count++];
    *model = (struct figures_model){.pipeline = part(&rest)};
    while (rest.n && model->stage_count < FIGURES_MODEL_STAGES_MAX) {
        int kind = (int)number_of(part(&rest));
        model->stages[model->stage_count++] = (struct figures_stage){part(&rest), kind};
    }
}

static void meta_line(struct figures *figures, struct slice name, struct slice rest)
{
    if (slice_is(name, "tenant"))
        figures->has_tenant = number_of(rest) != 0;
    else if (slice_is(name, "plan"))
        figures->plan_version = (uint64_t)number_of(rest);
    else if (slice_is(name, "calendar"))
        figures->calendar_version = (uint64_t)number_of(rest);
    else if (slice_is(name, "root"))
        figures->root = rest;
    else if (slice_is(name, "week"))
        figures->week_start = (uint8_t)number_of(rest);
    else if (slice_is(name, "zone"))
        meta_zone(figures, rest);
    else if (slice_is(name, "model"))
        meta_model(figures, rest);
}

/* NAME=rest, a line each; `text` lives as long as the figures. */
void figures_meta(struct figures *figures, struct slice text)
{
    figures->model_count = 0;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        const char *equal = memchr(text.p, '=', n);
        if (equal) {
            size_t name = (size_t)(equal - text.p);
            meta_line(figures, slice_make(text.p, name), slice_make(equal + 1, n - name - 1));
        }
        text = slice_make(text.p + n + (end != NULL), text.n - n - (end != NULL));
    }
    figures->sorted = false;
}

const struct zone *figures_zone(const struct figures *figures) { return &figures->zone; }
