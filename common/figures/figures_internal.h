/* figures_internal.h -- cells as figures read them, and sums over their panes. Private to common/figures. */
#ifndef FIGURES_FIGURES_INTERNAL_H
#define FIGURES_FIGURES_INTERNAL_H

#include "figures/cell_text.h"
#include "figures/figures.h"
#include "model/lead_fold.h"
#include "stats/ratio.h"
#include "time/pane.h"

enum {
    FIGURES_MODEL_STAGES_MAX = 64,
    FIGURES_SLOTS = CELL_TEXT_SLOTS,
    FIGURES_KEPT_DAYS = 400 /* local days with panes of their own (semantics 0.6) */
};

struct figures_stage {
    struct slice name;
    int kind; /* enum stage_kind */
};
struct figures_model {
    struct slice pipeline;
    uint32_t stage_count;
    struct figures_stage stages[FIGURES_MODEL_STAGES_MAX];
};

/* One pane of one cell. */
struct figures_pane {
    char kind;
    int64_t number;
    int64_t restated_on;
    uint64_t mask;
    uint32_t values; /* place of the first value in figures->numbers */
};
/* The panes of (org, pipeline, dimension, value, stage, currency), sorted by (kind, number). */
struct figures_series {
    struct slice pipeline, org, stage, dim, value, currency;
    int place; /* of the stage in its model; behind all for others */
    uint32_t first, count;
};
struct figures_raw {
    struct slice pipeline, org, stage, dim, value;
    char currency[4];
    struct figures_pane pane;
};

struct figures {
    struct buf texts; /* all cells as they came; see figures.c */
    struct figures_raw *raw;
    uint32_t raw_count, raw_capacity;
    int64_t *numbers;
    uint32_t number_count, number_capacity;
    struct figures_series *series;
    uint32_t series_count;
    bool sorted;
    char **owned; /* copies of texts */
    uint32_t owned_count, owned_capacity;
    struct figures_model *models;
    uint32_t model_count;
    struct zone zone;
    uint8_t week_start;
    bool has_tenant;
    uint64_t plan_version, calendar_version;
    struct slice root, tenant;
    uint64_t tenant_seq;
    int64_t now_ms;
};

/* One instance of a window: panes [low, high] of one kind. */
struct figures_span {
    enum figures_window window;
    char kind; /* of the panes it is made of: i q h d m t */
    int64_t low, high;
    int64_t start_ms, end_ms;
    bool has_start, ended;
};

/* Sums of a series over a span. */
struct figures_sums {
    int128_t slot[FIGURES_SLOTS];
    uint64_t touched;
    bool restated;
};

void figures_sort(struct figures *figures);
const struct figures_model *figures_model_of(const struct figures *figures, struct slice pipeline);
struct figures_span figures_span_now(const struct figures *figures, enum figures_window window);
/* The span of the day, week or month that holds a local day. */
struct figures_span figures_span_of_day(const struct figures *figures, enum figures_window window, int32_t day);
void figures_sum(const struct figures *figures, const struct figures_series *series, const struct figures_span *span,
                 struct figures_sums *sums);
/* Sums of everything behind the span's end are taken from the total: stocks at the end of the span. */
void figures_sum_until(const struct figures *figures, const struct figures_series *series,
                       const struct figures_span *span, struct figures_sums *sums);
int128_t figures_net(const struct figures_sums *sums); /* entries + transfers in - exits - transfers out */
void figures_meta(struct figures *figures, struct slice text);
struct slice figures_keep(struct figures *figures, struct slice text);

#endif
