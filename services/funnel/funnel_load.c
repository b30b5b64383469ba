#define _GNU_SOURCE /* qsort_r */
#include <stdlib.h>

#include "funnel_state.h"
#include "funnel_state_io.h"

/* The inverse of funnel_save.c. Bytes that do not read exactly are damage: ERR_CORRUPT, never a crash. */
struct reader {
    struct funnel *funnel;
    struct cursor in;
    uint32_t *texts; /* place -> text */
    uint32_t text_count;
    uint32_t *leads; /* rank -> lead; rank 0 is no lead */
    uint32_t lead_count;
    struct lead_event before; /* of the same lead */
};

enum { KINDS = 4, CURRENCIES = 26 * 26 * 26, KIND_BITS = 6 };
#define PANE_NUMBERS (INT64_C(1) << 27)         /* as many as a cell's key has room for */
#define T_MAX_MS     (PANE_NUMBERS * 60000 - 1) /* of the last minute that has a number */

static struct slice get_slice(struct reader *r) { return cursor_take(&r->in, cursor_varint(&r->in)); }

/* A count of things that take at least one byte each. */
static uint32_t get_count(struct reader *r)
{
    int64_t count = cursor_zigzag(&r->in);
    if (count < 0 || (uint64_t)count > cursor_left(&r->in))
        r->in.bad = true;
    return r->in.bad ? 0 : (uint32_t)count;
}

static uint32_t text_at(struct reader *r, uint64_t place)
{
    if (place >= r->text_count)
        r->in.bad = true;
    return r->in.bad ? 0 : r->texts[place];
}
static uint32_t get_text(struct reader *r) { return text_at(r, cursor_varint(&r->in)); }

static uint32_t get_stage(struct reader *r)
{
    uint32_t pipeline = get_text(r);
    uint32_t stage = get_text(r);
    return stage ? lead_book_stage(&r->funnel->book, pipeline, stage) : 0;
}

static uint32_t get_leaf(struct reader *r)
{
    struct lead_book *book = &r->funnel->book;
    bool there = cursor_zigzag(&r->in) != 0;
    uint32_t nodes[PLAN_DEPTH_MAX + 2];
    uint32_t depth = get_count(r);
    if (depth > PLAN_DEPTH_MAX + 2) {
        r->in.bad = true;
        return 0;
    }
    for (uint32_t i = 0; i < depth; i++)
        nodes[i] = get_text(r);
    struct lead_leaf leaf = {0, 0, 0, 0};
    leaf.path = lead_symbols_intern(&book->paths, slice_make(nodes, depth * sizeof *nodes), NULL);
    leaf.owner = get_text(r);
    leaf.channel = get_text(r);
    leaf.tier = get_text(r);
    return there && !r->in.bad ? lead_book_leaf_of(book, &leaf) : 0;
}

/* An instant that has been. */
static bool is_past(const struct reader *r, int64_t at_ms) { return at_ms >= 0 && at_ms <= r->funnel->now_ms; }

static bool base_is_sound(const struct reader *r, const struct lead_state *state)
{
    return state->kind < KINDS && state->currency <= CURRENCIES && is_past(r, state->at_ms) &&
           is_past(r, state->visit_at_ms) && is_past(r, state->cycle_at_ms) && is_past(r, state->lost_at_ms);
}

/* Returns the rank of the lead it was merged into; 0: none. */
static uint32_t get_base(struct reader *r, struct buf *base)
{
    struct lead_state state = {0};
#define X(field) state.field = (__typeof__(state.field))cursor_zigzag(&r->in);
    LEAD_BASE_NUMBERS(X)
#undef X
#define X(field) state.field = get_text(r);
    LEAD_BASE_TEXTS(X)
#undef X
#define X(field) state.field = (uint16_t)get_stage(r);
    LEAD_BASE_STAGES(X)
#undef X
    state.leaf = get_leaf(r);
    lead_base_encode(&state, base);
    int64_t rank = cursor_zigzag(&r->in);
    if (rank < 0 || rank > r->lead_count || !base_is_sound(r, &state))
        r->in.bad = true;
    return r->in.bad ? 0 : (uint32_t)rank;
}

/* What the fold takes for granted: instants that have been, the order of events, a merge that says into what. */
static bool event_is_sound(const struct reader *r, const struct lead_event *event, bool first)
{
    bool merges = event->action == LEAD_ACTION_merged || event->action == LEAD_BASE;
    bool into = event->has & LEAD_HAS_MERGED_INTO;
    if (into ? !merges || !event->merged_into : event->action == LEAD_ACTION_merged && event->op != OP_RETRACT)
        return false;
    bool priced = event->has & LEAD_HAS_AMOUNT;
    return event->op <= OP_RETRACT && is_past(r, event->valid_at_ms) &&
           (!priced || (event->currency > 0 && event->currency <= CURRENCIES)) &&
           (first || lead_event_cmp(&r->before, event) < 0);
}

/* One event into the lead's blob, which is written in order. */
static void get_event(struct reader *r, uint32_t number, bool first)
{
    struct funnel *funnel = r->funnel;
    struct lead_event event = {0};
    buf_clear(&funnel->text);
    if (cursor_zigzag(&r->in)) {
        uint32_t into = get_base(r, &funnel->text);
        struct lead_state state;
        if (r->in.bad || !lead_base_decode(buf_slice(&funnel->text), &state))
            return;
        event = (struct lead_event){.valid_at_ms = lead_closing_ms(&state), .action = LEAD_BASE};
        event.has = into ? LEAD_HAS_MERGED_INTO : 0;
        event.merged_into = into;
        lead_table_at(&funnel->leads, number)->flags |= LEAD_BASED;
        event.base = buf_slice(&funnel->text);
    } else if (!lead_event_decode(&r->in, &event) || event.action == LEAD_BASE) {
        r->in.bad = true;
        return;
    }
#define X(bit, field)                                                                                                  \
    if (event.has & (bit))                                                                                             \
        event.field = text_at(r, event.field);
    FUNNEL_EVENT_TEXTS(X)
#undef X
    if (event.has & LEAD_HAS_MERGED_INTO) {
        if (event.merged_into > r->lead_count)
            r->in.bad = true;
        event.merged_into = r->in.bad ? 0 : r->leads[event.merged_into];
    }
    r->in.bad |= !event_is_sound(r, &event, first);
    if (r->in.bad)
        return;
    r->before = event;
    struct lead *lead = lead_table_at(&funnel->leads, number);
    if (event.op != OP_ASSERT)
        lead->flags |= LEAD_CORRECTED;
    buf_clear(&funnel->record);
    lead_event_encode(&event, &funnel->record);
    lead_table_insert(&funnel->leads, lead, lead_blob(lead).n, buf_slice(&funnel->record));
}

static void get_lead(struct reader *r, uint32_t number)
{
    (void)get_slice(r); /* the id, read in the first pass */
    struct lead *lead = lead_table_at(&r->funnel->leads, number);
    lead->flags = cursor_byte(&r->in) & LEAD_TOMBSTONE;
    lead->accepted_ms = cursor_zigzag(&r->in);
    r->in.bad |= !is_past(r, lead->accepted_ms);
    uint32_t events = get_count(r);
    for (uint32_t i = 0; i < events && !r->in.bad; i++)
        get_event(r, number, i == 0);
}

/* Ids come first, so that a merge may name a lead that follows. */
static void skip_event(struct reader *r)
{
    if (!cursor_zigzag(&r->in)) {
        (void)get_slice(r);
        return;
    }
    struct buf base = {0};
    (void)get_base(r, &base);
    buf_close(&base);
}

static void get_ids(struct reader *r)
{
    struct slice last = {"", 0};
    for (uint32_t i = 1; i <= r->lead_count && !r->in.bad; i++) {
        struct slice id = get_slice(r);
        if (id.n > LEAD_ID_BYTES_MAX || slice_cmp(last, id) >= 0) {
            r->in.bad = true;
            return;
        }
        last = id;
        r->leads[i] = lead_table_number(&r->funnel->leads, id);
        (void)cursor_byte(&r->in);
        (void)cursor_zigzag(&r->in);
        uint32_t events = get_count(r);
        for (uint32_t k = 0; k < events && !r->in.bad; k++)
            skip_event(r);
    }
}

/* The lead that a tombstone was merged into; 0: none. */
static uint32_t based_into(const struct lead *lead)
{
    struct cursor in = cursor_of(lead_blob(lead));
    struct lead_event base;
    bool based = lead->flags & LEAD_BASED && lead_event_decode(&in, &base) && base.has & LEAD_HAS_MERGED_INTO;
    return based ? base.merged_into : 0;
}

/* Do tombstones say that they were merged in a circle? Who follows them would not come to an end. */
static bool tombstones_circle(const struct lead_table *table)
{
    bool circle = false;
    uint32_t count = lead_table_count(table);
    uint32_t *seen = calloc(count, sizeof *seen); /* by lead: on the way from which one it was met first */
    if (!seen)
        abort();
    for (uint32_t i = 1; i < count && !circle; i++) {
        uint32_t at = i;
        for (; at && !seen[at]; at = based_into(lead_table_at(table, at)))
            seen[at] = i;
        circle = at && seen[at] == i;
    }
    free(seen);
    return circle;
}

static void get_leads(struct reader *r)
{
    r->lead_count = get_count(r);
    r->leads = calloc((size_t)r->lead_count + 1, sizeof *r->leads);
    if (!r->leads)
        abort();
    struct cursor start = r->in;
    get_ids(r);
    bool bad = r->in.bad;
    r->in = start;
    r->in.bad = bad;
    for (uint32_t i = 1; i <= r->lead_count && !r->in.bad; i++)
        get_lead(r, r->leads[i]);
    r->in.bad = r->in.bad || tombstones_circle(&r->funnel->leads);
}

static void get_texts(struct reader *r)
{
    uint64_t count = cursor_varint(&r->in);
    if (count > cursor_left(&r->in)) {
        r->in.bad = true;
        return;
    }
    r->texts = calloc(count + 1, sizeof *r->texts);
    if (!r->texts)
        abort();
    for (; r->text_count < count && !r->in.bad; r->text_count++)
        r->texts[r->text_count] = lead_book_intern(&r->funnel->book, get_slice(r));
}

static void get_dim(struct reader *r, enum lead_dim dim)
{
    uint32_t count = get_count(r);
    for (uint32_t i = 0; i < count && !r->in.bad; i++)
        (void)lead_book_admit(&r->funnel->book, dim, get_text(r));
}

static bool cell_is_sound(const struct cell_table *cells, const struct cell_parts *parts)
{
    return parts->pane < CELL_PANES && parts->dim < LEAD_DIM_COUNT && parts->currency <= CURRENCIES &&
           parts->number >= 0 && parts->number < PANE_NUMBERS && cell_table_keeps(cells, parts->pane, parts->number);
}

static void get_cell(struct reader *r)
{
    struct cell_table *cells = &r->funnel->cells;
    struct cell_parts parts = {.org = get_text(r)};
    parts.stage = get_stage(r);
    parts.value = get_text(r);
    uint64_t kinds = (uint64_t)cursor_zigzag(&r->in);
    parts.rep = kinds & 1;
    parts.dim = (enum lead_dim)(kinds >> 1 & 3);
    parts.pane = (enum cell_pane)(kinds >> 3 & 7);
    parts.currency = (uint32_t)cursor_zigzag(&r->in);
    parts.number = cursor_zigzag(&r->in);
    int32_t restated_on = (int32_t)cursor_zigzag(&r->in);
    uint64_t shown = cursor_varint(&r->in);
    uint64_t touched = cursor_varint(&r->in);
    if (!cell_is_sound(cells, &parts) || kinds >> KIND_BITS || (shown | touched) >> LEAD_SLOT_COUNT)
        r->in.bad = true;
    if (r->in.bad)
        return;
    struct cell *cell = cell_table_get(cells, cell_key_of(&parts));
    cell->flags |= CELL_SHOWN; /* changes are put only on top of a head that is not older than this state */
    cell->restated_on = restated_on;
    cell->touched = touched;
    for (unsigned slot = 0; slot < LEAD_SLOT_COUNT; slot++) {
        if (shown >> slot & 1)
            cell_add(cells, cell, slot, cursor_zigzag(&r->in));
    }
}

static void get_pairs(struct reader *r)
{
    uint32_t count = get_count(r);
    for (uint32_t i = 0; i < count && !r->in.bad; i++) {
        struct lead_pair pair = {.node = get_text(r)};
        pair.dim = (uint32_t)cursor_varint(&r->in);
        pair.value = get_text(r);
        r->in.bad |= pair.dim >= LEAD_DIM_COUNT;
        lead_book_know(&r->funnel->book, &pair);
    }
    lead_book_fill(&r->funnel->book);
}

/* --- what is computed again ----------------------------------------------------------------------------------- */

static void join_groups(struct funnel *funnel)
{
    struct lead_table *table = &funnel->leads;
    for (uint32_t i = 1; i < lead_table_count(table); i++) {
        struct cursor in = cursor_of(lead_blob(lead_table_at(table, i)));
        struct lead_event event;
        while (lead_event_decode(&in, &event)) {
            if (event.has & LEAD_HAS_MERGED_INTO && !lead_table_same_group(table, i, event.merged_into))
                lead_table_join(table, i, event.merged_into);
        }
    }
}

static int by_accepted(const void *left, const void *right, void *context)
{
    const struct lead_table *table = context;
    const struct lead *a = lead_table_at(table, *(const uint32_t *)left),
                      *b = lead_table_at(table, *(const uint32_t *)right);
    if (a->accepted_ms != b->accepted_ms)
        return a->accepted_ms < b->accepted_ms ? -1 : 1;
    return slice_cmp(lead_id(a), lead_id(b));
}

static bool group_closed(const struct lead_table *table, uint32_t number)
{
    uint32_t at = number;
    do {
        const struct lead *lead = lead_table_at(table, at);
        if (lead_has_events(lead) && !(lead->flags & LEAD_CLOSED))
            return false;
        at = lead->group_next;
    } while (at != number);
    return true;
}

static void list_closed(struct funnel *funnel)
{
    struct lead_table *table = &funnel->leads;
    uint32_t count = 0;
    uint32_t *order = malloc(lead_table_count(table) * sizeof *order);
    if (!order)
        abort();
    for (uint32_t i = 1; i < lead_table_count(table); i++) {
        const struct lead *lead = lead_table_at(table, i);
        if (lead_has_events(lead) && !(lead->flags & LEAD_TOMBSTONE) && group_closed(table, i))
            order[count++] = i;
    }
    qsort_r(order, count, sizeof *order, by_accepted, table);
    for (uint32_t i = 0; i < count; i++)
        lead_table_list(table, order[i]);
    free(order);
}

static void rebuild(struct funnel *funnel)
{
    join_groups(funnel);
    funnel_refold_all(funnel, 0);
    list_closed(funnel);
}

static void get_all(struct reader *r)
{
    get_texts(r);
    if (r->in.bad)
        return;
    get_dim(r, LEAD_DIM_CHANNEL);
    get_dim(r, LEAD_DIM_TIER);
    get_leads(r);
    uint32_t cells = get_count(r);
    for (uint32_t i = 0; i < cells && !r->in.bad; i++)
        get_cell(r);
    if (cursor_left(&r->in) && !r->in.bad)
        get_pairs(r); /* the cells are full */
}

enum err_code funnel_load(struct funnel *funnel, struct slice bytes, struct err *err)
{
    struct reader r = {.funnel = funnel, .in = cursor_of(bytes)};
    if (!slice_is(cursor_take(&r.in, strlen(FUNNEL_STATE_MAGIC)), FUNNEL_STATE_MAGIC))
        return err_set(err, ERR_CORRUPT, "funnel: not a state of this machine");
    int64_t now_ms = cursor_zigzag(&r.in);
    int64_t behind_ms = cursor_zigzag(&r.in);
    int64_t newest_day = cursor_zigzag(&r.in);
    struct slice plan = get_slice(&r);
    enum err_code code = r.in.bad ? ERR_CORRUPT : plan_load(funnel->plan, plan, err);
    if (code != OK)
        return err_set(err, ERR_CORRUPT, "funnel: the plan of the state cannot be read");
    if (now_ms < 0 || now_ms > T_MAX_MS)
        return err_set(err, ERR_CORRUPT, "funnel: the T of the state is no instant");
    if (behind_ms < 0 || behind_ms > now_ms)
        return err_set(err, ERR_CORRUPT, "funnel: the changes of the org of the state are ahead of its T");
    funnel->now_ms = now_ms;
    funnel->horizon_ms = now_ms - behind_ms;
    funnel_plan_changed(funnel);
    funnel_meta_wait(funnel, now_ms);
    funnel_roll_up(funnel); /* begins the rings of panes at T */
    struct cell_ring *days = &funnel->cells.rings[CELL_DAY];
    if (newest_day > days->newest + 2 || newest_day < days->newest) /* zones are up to 26 h apart */
        return err_set(err, ERR_CORRUPT, "funnel: the days of the state are not those of its T");
    days->oldest += newest_day - days->newest;
    days->newest = newest_day;
    get_all(&r);
    free(r.texts);
    free(r.leads);
    if (r.in.bad || cursor_left(&r.in))
        return err_set(err, ERR_CORRUPT, "funnel: the state is damaged");
    rebuild(funnel);
    return OK;
}
