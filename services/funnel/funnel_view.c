#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "figures/cell_text.h"
#include "funnel_state.h"
#include "time/zone.h"

/* Rows and fields: docs/funnel.md, figures/cell_text.h. */

/* --- cells ---------------------------------------------------------------------------------------------------- */

static void row_name(const struct funnel *funnel, const struct cell_parts *parts, struct buf *out)
{
    struct lead_stage_name name = lead_book_stage_name(&funnel->book, parts->stage);
    buf_add_slice(out, lead_book_text(&funnel->book, name.pipeline));
    buf_add_byte(out, '/');
    if (parts->rep)
        buf_add_text(out, "rep:");
    buf_add_slice(out, lead_book_text(&funnel->book, parts->org));
}

static void field_name(const struct funnel *funnel, const struct cell_parts *parts, struct buf *out)
{
    static const char panes[CELL_PANES] = {'i', 'q', 'h', 'd', 'm', 't'};
    struct lead_stage_name name = lead_book_stage_name(&funnel->book, parts->stage);
    buf_add_slice(out, lead_book_text(&funnel->book, name.stage));
    struct cell_text_pane pane = {panes[parts->pane], parts->number, parts->currency, ""};
    if (parts->currency)
        lead_currency_text(parts->currency, pane.currency);
    buf_add_byte(out, '|');
    cell_text_write_pane(&pane, out);
    buf_add_byte(out, '|');
    buf_add_text(out, cell_text_dims[parts->dim]);
    buf_add_byte(out, '|');
    if (parts->dim == LEAD_DIM_ALL)
        return;
    buf_add_slice(out, lead_book_text(&funnel->book, parts->value ? parts->value : funnel->book.text_unassigned));
}

static void value_text(const struct cell *cell, struct buf *out)
{
    uint64_t shown = cell_shown(cell);
    for (unsigned slot = 0; slot < LEAD_SLOT_COUNT; slot++) {
        if (shown >> slot & 1)
            cell_text_write_number(cell_text_slots[slot], cell_value(cell, slot), out);
    }
    if (cell->restated_on)
        cell_text_write_number(CELL_TEXT_RESTATED, cell->restated_on, out);
}

/* Cells of one row stand together in this order, so that the view gets a row in one piece. */
static uint64_t row_key(const struct funnel *funnel, struct cell_key key)
{
    struct cell_parts parts = cell_parts_of(key);
    uint32_t pipeline = lead_book_stage_name(&funnel->book, parts.stage).pipeline;
    return (uint64_t)parts.org << 32 | (uint32_t)(pipeline << 1 | parts.rep);
}

static void emit(struct funnel *funnel, struct cell_key key, const struct cell *cell, struct machine_sink *sink)
{
    struct cell_parts parts = cell_parts_of(key);
    buf_clear(&funnel->row);
    buf_clear(&funnel->field);
    buf_clear(&funnel->value);
    row_name(funnel, &parts, &funnel->row);
    field_name(funnel, &parts, &funnel->field);
    if (cell)
        value_text(cell, &funnel->value);
    sink->cell(sink, buf_slice(&funnel->row), buf_slice(&funnel->field), buf_slice(&funnel->value));
}

enum { META_CELLS = 2 }; /* what emit_meta hands over */

/* --- the row `meta` ------------------------------------------------------------------------------------------- */

static void write_zone(const struct funnel *funnel, struct buf *out)
{
    const struct zone *zone = plan_zone(funnel->plan);
    buf_addf(out, "zone=%d", zone->first_offset_s);
    for (uint32_t i = 0; i < zone->count; i++)
        buf_addf(out, "|%lld|%d", (long long)zone->transitions[i].at_ms, zone->transitions[i].offset_s);
    buf_addf(out, "\nweek=%u\n", plan_week_start(funnel->plan, funnel->meta_now_ms));
}

static void write_model(struct funnel *funnel, uint32_t pipeline, struct buf *out)
{
    const struct plan_model *model = lead_book_model(&funnel->book, pipeline, funnel->meta_now_ms);
    if (!model)
        return;
    buf_addf(out, "model=%.*s", SLICE_ARG(model->pipeline));
    for (uint32_t i = 0; i < model->stage_count; i++) {
        const struct plan_stage *stage = &model->stages[i];
        if (stage->in_model)
            buf_addf(out, "|%d|%.*s", (int)stage->kind, SLICE_ARG(stage->name));
    }
    buf_add_byte(out, '\n');
}

/* Every pipeline that has a stage with figures, once. */
static void write_models(struct funnel *funnel, struct buf *out)
{
    uint32_t texts = funnel->book.texts.count;
    uint8_t *seen = calloc(texts, 1);
    if (!seen)
        abort();
    for (uint32_t i = 1; i < funnel->book.stages.count; i++) {
        uint32_t pipeline = lead_book_stage_name(&funnel->book, i).pipeline;
        if (!seen[pipeline])
            write_model(funnel, pipeline, out);
        seen[pipeline] = 1;
    }
    free(seen);
}

static void write_figures_meta(struct funnel *funnel, struct buf *out)
{
    buf_addf(out, "tenant=%d\nplan=%llu\ncalendar=%llu\n", plan_has_tenant(funnel->plan),
             (unsigned long long)plan_version(funnel->plan), (unsigned long long)plan_calendar_version(funnel->plan));
    uint32_t root = plan_root(funnel->plan, funnel->meta_now_ms);
    if (root != PLAN_NONE)
        buf_addf(out, "root=%.*s\n", SLICE_ARG(plan_node_name(funnel->plan, root)));
    write_zone(funnel, out);
    write_models(funnel, out);
}

static void emit_meta(struct funnel *funnel, struct machine_sink *sink)
{
    struct buf text = {0};
    write_figures_meta(funnel, &text);
    sink->cell(sink, SLICE(CELL_TEXT_META_ROW), SLICE(CELL_TEXT_META_FIGURES), buf_slice(&text));
    buf_clear(&text);
    plan_write_meta(funnel->plan, funnel->meta_now_ms, &text);
    sink->cell(sink, SLICE(CELL_TEXT_META_ROW), SLICE(CELL_TEXT_META_PLAN), buf_slice(&text));
    buf_close(&text);
    funnel->meta_stale = false;
    funnel->meta_day = funnel_day(funnel, funnel->meta_now_ms);
}

/* --- projection ----------------------------------------------------------------------------------------------- */

static void make_current(struct funnel *funnel, int64_t now_ms)
{
    if (now_ms > funnel->meta_now_ms)
        funnel->meta_now_ms = now_ms;
    funnel_settle(funnel);
    funnel_roll_up(funnel);
    /* Models and tree in force change with time as well as with the plan. */
    funnel->meta_stale |= funnel->meta_day != funnel_day(funnel, funnel->meta_now_ms);
}

size_t funnel_dirty(struct funnel *funnel)
{
    make_current(funnel, funnel->now_ms);
    return funnel->cells.dirty.count + funnel->cells.removed_count + funnel->meta_stale;
}

/* Cells come by row, not as they stand in memory: asks for those that follow. */
static void fetch_ahead(const struct funnel *funnel, size_t at)
{
    enum { NEAR = 4, FAR = 10 };
    const struct order *shown = &funnel->shown;
    if (at + FAR < shown->count)
        __builtin_prefetch(&funnel->cells.cells[shown->items[at + FAR].number]);
    if (at + NEAR < shown->count)
        __builtin_prefetch(funnel->cells.cells[shown->items[at + NEAR].number].values);
}

static size_t less(size_t a, size_t b) { return a < b ? a : b; }

/* The last `count` of the removed keys. */
static void emit_removed(struct funnel *funnel, size_t count, struct machine_sink *sink)
{
    struct cell_table *cells = &funnel->cells;
    if (!count)
        return;
    cells->removed_count -= count;
    const struct cell_key *keys = cells->removed + cells->removed_count;
    order_begin(&funnel->shown, count);
    for (uint32_t i = 0; i < count; i++)
        order_add(&funnel->shown, row_key(funnel, keys[i]), i);
    order_sort(&funnel->shown);
    for (size_t i = 0; i < count; i++) {
        struct cell_key key = keys[funnel->shown.items[i].number];
        if (!cell_table_find(cells, key))
            emit(funnel, key, NULL, sink);
    }
}

/* The last `count` of the dirty cells. */
static void emit_dirty(struct funnel *funnel, size_t count, struct machine_sink *sink)
{
    struct cell_table *cells = &funnel->cells;
    cells->dirty.count -= (uint32_t)count;
    order_begin(&funnel->shown, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = cells->dirty.items[cells->dirty.count + i];
        struct cell *cell = &cells->cells[number];
        if (!(cell->flags & CELL_USED) || !(cell->flags & CELL_DIRTY))
            continue; /* expired, or listed twice */
        cell->flags = CELL_USED | CELL_SHOWN;
        order_add(&funnel->shown, row_key(funnel, cell->key), number);
    }
    order_sort(&funnel->shown);
    for (size_t i = 0; i < funnel->shown.count; i++) {
        fetch_ahead(funnel, i);
        const struct cell *cell = &cells->cells[funnel->shown.items[i].number];
        emit(funnel, cell->key, cell, sink);
    }
}

bool funnel_project_dirty(struct funnel *funnel, int64_t now_ms, size_t max, struct machine_sink *sink)
{
    make_current(funnel, now_ms);
    size_t removed = less(max, funnel->cells.removed_count);
    emit_removed(funnel, removed, sink);
    size_t dirty = less(max - removed, funnel->cells.dirty.count);
    emit_dirty(funnel, dirty, sink);
    if (max - removed - dirty >= META_CELLS && funnel->meta_stale)
        emit_meta(funnel, sink);
    bool more = funnel->cells.removed_count || funnel->cells.dirty.count || funnel->meta_stale;
    funnel->cells.all_shown &= more;
    return more;
}

/* Every cell by row; nothing is folded until the last of them was handed over. */
static void order_all(struct funnel *funnel)
{
    const struct cell_table *cells = &funnel->cells;
    order_begin(&funnel->shown, cells->live);
    for (uint32_t i = 1; i < cells->count; i++) {
        if (cells->cells[i].flags & CELL_USED)
            order_add(&funnel->shown, row_key(funnel, cells->cells[i].key), i);
    }
    order_sort(&funnel->shown);
}

bool funnel_project_all(struct funnel *funnel, int64_t now_ms, uint64_t *cursor, size_t max, struct machine_sink *sink)
{
    assert(max >= META_CELLS);
    if (*cursor == 0) {
        make_current(funnel, now_ms);
        order_all(funnel);
        emit_meta(funnel, sink);
        max -= META_CELLS;
        *cursor = 1;
    }
    uint64_t end = funnel->shown.count + 1;
    for (; max && *cursor < end; max--, (*cursor)++) {
        fetch_ahead(funnel, *cursor - 1);
        struct cell *cell = &funnel->cells.cells[funnel->shown.items[*cursor - 1].number];
        cell->flags |= CELL_SHOWN;
        emit(funnel, cell->key, cell, sink);
    }
    if (*cursor < end)
        return true;
    order_close(&funnel->shown); /* as large as all cells: not kept */
    return false;
}

void funnel_project_done(struct funnel *funnel)
{
    struct cell_table *cells = &funnel->cells;
    for (uint32_t i = 0; i < cells->dirty.count; i++)
        cells->cells[cells->dirty.items[i]].flags &= (uint8_t)~CELL_DIRTY;
    cells->dirty.count = 0;
    cells->removed_count = 0;
    cells->all_shown = false;
}
