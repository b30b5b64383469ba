#define _GNU_SOURCE /* qsort_r */
#include <assert.h>
#include <stdlib.h>

#include "funnel_state.h"
#include "funnel_state_io.h"

/* Writes in two passes over the same code: the first only marks which texts are referred to. */
struct writer {
    struct funnel *funnel;
    struct buf *out;
    bool marking;
    uint8_t *used;       /* by text */
    uint32_t *place;     /* by text: in the sorted list of used ones */
    uint32_t *lead_rank; /* by lead */
    uint32_t *lead_order;
    struct buf scratch;
};

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

static void put_text(struct writer *w, uint32_t text)
{
    if (w->marking)
        w->used[text] = 1;
    else
        buf_add_varint(w->out, w->place[text]);
}

static void put_number(struct writer *w, int64_t n)
{
    if (!w->marking)
        buf_add_zigzag(w->out, n);
}

static void put_stage(struct writer *w, uint32_t stage)
{
    struct lead_stage_name name = lead_book_stage_name(&w->funnel->book, stage);
    put_text(w, name.pipeline);
    put_text(w, name.stage);
}

static void put_leaf(struct writer *w, uint32_t leaf)
{
    struct lead_leaf parts = lead_book_leaf_parts(&w->funnel->book, leaf);
    const uint32_t *nodes;
    uint32_t depth = lead_book_path_nodes(&w->funnel->book, parts.path, &nodes);
    put_number(w, leaf != 0);
    put_number(w, depth);
    for (uint32_t i = 0; i < depth; i++)
        put_text(w, nodes[i]);
    put_text(w, parts.owner);
    put_text(w, parts.channel);
    put_text(w, parts.tier);
}

static void put_base(struct writer *w, const struct lead_event *event)
{
    struct lead_state state;
    bool read = lead_base_decode(event->base, &state);
    assert(read);
#define X(field) put_number(w, (int64_t)state.field);
    LEAD_BASE_NUMBERS(X)
#undef X
#define X(field) put_text(w, state.field);
    LEAD_BASE_TEXTS(X)
#undef X
#define X(field) put_stage(w, state.field);
    LEAD_BASE_STAGES(X)
#undef X
    put_leaf(w, state.leaf);
    put_number(w, event->has & LEAD_HAS_MERGED_INTO ? w->lead_rank[event->merged_into] : 0);
}

static void put_event(struct writer *w, struct lead_event event)
{
    put_number(w, event.action == LEAD_BASE);
    if (event.action == LEAD_BASE) {
        put_base(w, &event);
        return;
    }
#define X(bit, field)                                                                                                  \
    if (event.has & (bit) && w->marking)                                                                               \
        w->used[event.field] = 1;                                                                                      \
    else if (event.has & (bit))                                                                                        \
        event.field = w->place[event.field];
    FUNNEL_EVENT_TEXTS(X)
#undef X
    if (w->marking)
        return;
    if (event.has & LEAD_HAS_MERGED_INTO)
        event.merged_into = w->lead_rank[event.merged_into];
    lead_event_encode(&event, w->out);
}

static void put_lead(struct writer *w, uint32_t number)
{
    const struct lead *lead = lead_table_at(&w->funnel->leads, number);
    if (!w->marking) {
        struct slice id = lead_id(lead);
        buf_add_varint(w->out, id.n);
        buf_add_slice(w->out, id);
        buf_add_byte(w->out, lead->flags & LEAD_TOMBSTONE);
    }
    put_number(w, lead->accepted_ms);
    struct cursor in = cursor_of(lead_blob(lead));
    struct lead_event event;
    int64_t count = 0;
    while (lead_event_decode(&in, &event))
        count++;
    put_number(w, count);
    in = cursor_of(lead_blob(lead));
    while (lead_event_decode(&in, &event))
        put_event(w, event);
}

static void put_leads(struct writer *w)
{
    uint32_t count = lead_table_count(&w->funnel->leads);
    put_number(w, count - 1);
    for (uint32_t i = 1; i < count; i++)
        put_lead(w, w->lead_order[i]);
}

/* --- dimensions and cells ------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void put_dim(struct writer *w, const struct lead_symbols *admitted)
{
    put_number(w, admitted->count - 1);
    uint32_t *places = need(malloc(admitted->count * sizeof *places));
    for (uint32_t i = 1; i < admitted->count; i++) {
        uint32_t text;
        memcpy(&text, lead_symbols_text(admitted, i).p, sizeof text);
        w->used[text] = 1;
        places[i - 1] = w->marking ? 0 : w->place[text];
    }
    qsort(places, admitted->count - 1, sizeof *places, by_number);
    for (uint32_t i = 0; !w->marking && i < admitted->count - 1; i++)
        buf_add_varint(w->out, places[i]);
    free(places);
}

struct sorted_cell {
    uint32_t org, pipeline, stage, value; /* places of texts */
    uint32_t kinds;                       /* rep, dimension, pane kind, currency */
    int64_t number;
    const struct cell *cell;
};

#define ORDER(field)                                                                                                   \
    if (a->field != b->field)                                                                                          \
    return a->field < b->field ? -1 : 1

static int cell_cmp(const void *left, const void *right)
{
    const struct sorted_cell *a = left, *b = right;
    ORDER(org);
    ORDER(pipeline);
    ORDER(stage);
    ORDER(kinds);
    ORDER(value);
    ORDER(number);
    return 0;
}

static void put_cell(struct writer *w, const struct cell *cell)
{
    struct cell_parts parts = cell_parts_of(cell->key);
    put_text(w, parts.org);
    put_stage(w, parts.stage);
    put_text(w, parts.value);
    put_number(w, (int64_t)parts.rep | (int64_t)parts.dim << 1 | (int64_t)parts.pane << 3);
    put_number(w, parts.currency);
    put_number(w, parts.number);
    put_number(w, cell->restated_on);
    uint64_t shown = cell_shown(cell);
    if (w->marking)
        return;
    buf_add_varint(w->out, shown);
    buf_add_varint(w->out, cell->touched);
    for (unsigned slot = 0; slot < LEAD_SLOT_COUNT; slot++) {
        if (shown >> slot & 1)
            buf_add_zigzag(w->out, cell_value(cell, slot));
    }
}

static struct sorted_cell sorted_of(const struct writer *w, const struct cell *cell)
{
    struct cell_parts parts = cell_parts_of(cell->key);
    struct lead_stage_name name = lead_book_stage_name(&w->funnel->book, parts.stage);
    uint32_t kinds = (uint32_t)parts.rep << 24 | (uint32_t)parts.dim << 20 | (uint32_t)parts.pane << 16;
    return (struct sorted_cell){.org = w->place[parts.org],
                                .pipeline = w->place[name.pipeline],
                                .stage = w->place[name.stage],
                                .value = w->place[parts.value],
                                .kinds = kinds | parts.currency,
                                .number = parts.number,
                                .cell = cell};
}

static void put_cells(struct writer *w)
{
    const struct cell_table *cells = &w->funnel->cells;
    put_number(w, cells->live);
    struct sorted_cell *sorted = need(malloc((cells->live + 1) * sizeof *sorted));
    uint32_t count = 0;
    for (uint32_t i = 1; i < cells->count; i++) {
        if (!(cells->cells[i].flags & CELL_USED))
            continue;
        if (w->marking)
            put_cell(w, &cells->cells[i]);
        else
            sorted[count++] = sorted_of(w, &cells->cells[i]);
    }
    qsort(sorted, count, sizeof *sorted, cell_cmp);
    for (uint32_t i = 0; i < count; i++)
        put_cell(w, sorted[i].cell);
    free(sorted);
}

/* --- pairs of a tenant whose cells are full; nothing at all for others -------------------------------------------- */

static int pair_cmp(const void *left, const void *right)
{
    const struct lead_pair *a = left, *b = right;
    ORDER(node);
    ORDER(dim);
    ORDER(value);
    return 0;
}

static void put_pairs(struct writer *w)
{
    const struct lead_symbols *known = &w->funnel->book.pairs;
    if (!w->funnel->book.cells_full)
        return;
    struct lead_pair *pairs = need(malloc(known->count * sizeof *pairs));
    for (uint32_t i = 1; i < known->count; i++) {
        struct lead_pair pair;
        memcpy(&pair, lead_symbols_text(known, i).p, sizeof pair);
        w->used[pair.node] = w->used[pair.value] = 1;
        pairs[i - 1] = (struct lead_pair){w->place[pair.node], pair.dim, w->place[pair.value]};
    }
    qsort(pairs, known->count - 1, sizeof *pairs, pair_cmp);
    put_number(w, known->count - 1);
    for (uint32_t i = 0; !w->marking && i < known->count - 1; i++) {
        buf_add_varint(w->out, pairs[i].node);
        buf_add_varint(w->out, pairs[i].dim);
        buf_add_varint(w->out, pairs[i].value);
    }
    free(pairs);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static void put_all(struct writer *w)
{
    put_dim(w, &w->funnel->book.dims[LEAD_DIM_CHANNEL]);
    put_dim(w, &w->funnel->book.dims[LEAD_DIM_TIER]);
    put_leads(w);
    put_cells(w);
    put_pairs(w);
}

/* The used texts in bytewise order; text 0 (empty) is always the first. */
static void put_texts(struct writer *w)
{
    const struct lead_symbols *texts = &w->funnel->book.texts;
    uint32_t *order = need(malloc(texts->count * sizeof *order));
    lead_symbols_sorted(texts, order);
    uint32_t count = 0;
    w->used[0] = 1;
    for (uint32_t i = 0; i < texts->count; i++) {
        if (w->used[order[i]])
            w->place[order[i]] = count++;
    }
    buf_add_varint(w->out, count);
    for (uint32_t i = 0; i < texts->count; i++) {
        if (!w->used[order[i]])
            continue;
        struct slice text = lead_symbols_text(texts, order[i]);
        buf_add_varint(w->out, text.n);
        buf_add_slice(w->out, text);
    }
    free(order);
}

static void rank_leads(struct writer *w)
{
    uint32_t count = lead_table_count(&w->funnel->leads);
    w->lead_order = need(malloc(count * sizeof *w->lead_order));
    w->lead_rank = need(malloc(count * sizeof *w->lead_rank));
    lead_table_sorted(&w->funnel->leads, w->lead_order);
    for (uint32_t i = 0; i < count; i++)
        w->lead_rank[w->lead_order[i]] = i;
}

void funnel_save(struct funnel *funnel, struct buf *out)
{
    funnel_settle(funnel);
    funnel_roll_up(funnel);
    struct writer w = {.funnel = funnel, .out = out};
    w.used = need(calloc(funnel->book.texts.count, 1));
    w.place = need(calloc(funnel->book.texts.count, sizeof *w.place));
    rank_leads(&w);
    buf_add_text(out, FUNNEL_STATE_MAGIC);
    buf_add_zigzag(out, funnel->now_ms);
    buf_add_zigzag(out, funnel->now_ms - funnel->horizon_ms);
    buf_add_zigzag(out, funnel->cells.rings[CELL_DAY].newest); /* where the zone moved west: ahead of the day of T */
    buf_clear(&funnel->text);
    plan_save(funnel->plan, &funnel->text);
    buf_add_varint(out, funnel->text.n);
    buf_add_slice(out, buf_slice(&funnel->text));
    w.marking = true;
    put_all(&w);
    put_texts(&w);
    w.marking = false;
    put_all(&w);
    free(w.used);
    free(w.place);
    free(w.lead_rank);
    free(w.lead_order);
}
