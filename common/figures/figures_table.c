#include <stdlib.h>

#include "base/table.h"
#include "figures_internal.h"

/* The funnel of one org for people: stages down, what happened across; the three conversions never share a column. */

enum { COLUMNS = 12 };
static const char *const heads[2][COLUMNS] = {
    {"stage", "entered", "advanced", "skipped", "back", "won", "lost", "recycled", "open now", "reached",
     "of those who left", "flow"},
    {"阶段", "进入", "推进", "跳过", "回退", "赢单", "输单", "回收", "在手", "到达", "离开者转化率", "流量比"},
};
/* Which row of figures fills which column. */
static const struct {
    const char *metric, *class;
} columns[COLUMNS] = {
    {NULL, NULL},         {"entries", NULL}, {"exits", "advance"},  {"exits", "skip"},
    {"exits", "regress"}, {"exits", "win"},  {"exits", "lose"},     {"exits", "recycle"},
    {"occupancy", NULL},  {"reached", NULL}, {"conv_period", NULL}, {"flow", NULL},
};

enum { TABLE_STAGES_MAX = 256 };
struct cells {
    struct slice stages[TABLE_STAGES_MAX];
    struct figure_row rows[TABLE_STAGES_MAX][COLUMNS];
    uint32_t count;
};

static void take_row(void *context, const struct figure_row *row)
{
    struct cells *cells = context;
    if (!row->stage.p || row->currency.p)
        return;
    if (cells->count == 0 || !slice_eq(cells->stages[cells->count - 1], row->stage)) {
        if (cells->count == TABLE_STAGES_MAX)
            return;
        cells->stages[cells->count++] = row->stage;
    }
    for (int i = 1; i < COLUMNS; i++) {
        bool same_class = columns[i].class ? row->class.p && slice_is(row->class, columns[i].class) : !row->class.p;
        if (slice_is(row->metric, columns[i].metric) && same_class)
            cells->rows[cells->count - 1][i] = *row;
    }
}

static void add_cell(struct table *table, const struct figure_row *row)
{
    if (!row->unit.p || (!row->has_value && row->n == 0)) {
        table_add_text(table, row->unit.p && slice_is(row->unit, "ppm") ? "–" : "");
        return;
    }
    if (!slice_is(row->unit, "ppm")) {
        table_addf(table, "%lld", (long long)row->value);
        return;
    }
    int64_t tenths = (int64_t)div_half_even(row->value, 1000);
    table_addf(table, "%lld.%lld%%%s", (long long)(tenths / 10), (long long)(tenths % 10),
               row->flags & FIGURE_THIN ? " thin" : "");
}

void figures_funnel_table(struct figures *figures, struct slice org, struct slice pipeline, enum figures_window window,
                          bool zh, bool bold_head, struct buf *out)
{
    struct cells *cells = calloc(1, sizeof *cells);
    if (!cells)
        abort();
    struct figures_query query = {.org = org, .pipeline = pipeline, .dim = SLICE("all"), .window = (int)window};
    figures_each(figures, &query, take_row, cells);
    struct table table;
    table_init(&table, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++) {
        table_align(&table, i, i ? TABLE_RIGHT : TABLE_LEFT);
        table_add_text(&table, heads[zh][i]);
    }
    for (uint32_t i = 0; i < cells->count; i++) {
        table_add(&table, cells->stages[i]);
        for (int k = 1; k < COLUMNS; k++)
            add_cell(&table, &cells->rows[i][k]);
    }
    table_write(&table, bold_head, out);
    table_close(&table);
    free(cells);
}
