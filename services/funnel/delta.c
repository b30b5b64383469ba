#include "delta.h"

#include <assert.h>
#include <stdlib.h>

#include "time/zone.h"

void delta_init(struct delta_buffer *deltas) { *deltas = (struct delta_buffer){0}; }

void delta_close(struct delta_buffer *deltas)
{
    free(deltas->items);
    free(deltas->slots);
    *deltas = (struct delta_buffer){0};
}

static struct delta_key key_of(const struct lead_posting *posting, int32_t day)
{
    uint32_t minute = (uint32_t)(posting->at_ms / 60000);
    return (struct delta_key){(uint64_t)posting->leaf << 32 | posting->leaf_to,
                              (uint64_t)posting->stage << 48 | (uint64_t)posting->slot << 40 | posting->currency,
                              (uint64_t)minute << 32 | (uint32_t)day};
}

static uint32_t hash_of(const struct delta_key *key)
{
    uint64_t h = key->leaves * 0x9e3779b97f4a7c15u ^ (key->what + 0x632be59bd9b4e019u) * 0xc2b2ae3d27d4eb4fu;
    h = (h ^ h >> 29) + key->when * 0xd6e8feb86659fd93u;
    h *= 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

static uint32_t slot_mask(const struct delta_buffer *deltas) { return deltas->capacity * 2 - 1; }

/* The slot of a key: its item's, or the free one where it belongs. */
static uint32_t slot_of(const struct delta_buffer *deltas, const struct delta_key *key)
{
    uint32_t mask = slot_mask(deltas);
    uint32_t at = hash_of(key) & mask;
    while (deltas->slots[at] && memcmp(&deltas->items[deltas->slots[at] - 1].key, key, sizeof *key) != 0)
        at = (at + 1) & mask;
    return at;
}

static void grow(struct delta_buffer *deltas)
{
    deltas->capacity = deltas->capacity ? deltas->capacity * 2 : DELTAS_MIN;
    deltas->items = realloc(deltas->items, deltas->capacity * sizeof *deltas->items);
    free(deltas->slots);
    deltas->slots = calloc((size_t)deltas->capacity * 2, sizeof *deltas->slots);
    if (!deltas->items || !deltas->slots)
        abort();
    for (uint32_t i = 0; i < deltas->count; i++)
        deltas->slots[slot_of(deltas, &deltas->items[i].key)] = i + 1;
}

static struct delta *entry(struct delta_buffer *deltas, const struct delta_key *key)
{
    if (deltas->count == deltas->capacity)
        grow(deltas);
    uint32_t at = slot_of(deltas, key);
    if (deltas->slots[at])
        return &deltas->items[deltas->slots[at] - 1];
    assert(deltas->count < DELTAS_MAX);
    struct delta *delta = &deltas->items[deltas->count++];
    deltas->slots[at] = deltas->count;
    *delta = (struct delta){.key = *key};
    return delta;
}

void delta_add(struct delta_buffer *deltas, const struct lead_posting *posting, int32_t day, int32_t restated_on,
               bool touched)
{
    struct delta_key key = key_of(posting, day);
    struct delta *delta = entry(deltas, &key);
    delta->count += posting->count;
    delta->amount += posting->amount;
    delta->touched |= touched;
    if (restated_on > delta->restated_on)
        delta->restated_on = restated_on;
}

/* --- rolling up ----------------------------------------------------------------------------------------------- */

/* The cell last used for a place of the path, a dimension and a pane: deltas are rolled up in the order of path and
 * stage, so that most look-ups of the longer panes find the same one again. */
enum { ROLL_DEPTH = PLAN_DEPTH_MAX + 3 };
struct roll_memo {
    struct cell_key key;
    uint32_t index; /* 0: none */
};

struct roll {
    struct roll_memo memo[ROLL_DEPTH][LEAD_DIM_COUNT][CELL_PANES];
    uint32_t depth; /* of the node at hand in its path; reps stand at the end */
    const struct lead_book *book;
    struct cell_table *cells;
    const struct delta *delta;
    struct cell_parts parts; /* of the cell at hand */
    int32_t day, month;
    int64_t minute;
    unsigned slot;
    int64_t count, amount;
};

static int32_t month_of(int32_t day)
{
    int32_t year, month, mday;
    date_to_civil(day, &year, &month, &mday);
    return (year - 1970) * 12 + month - 1;
}

static void add_values(struct roll *roll, struct cell *cell)
{
    if (roll->slot == LEAD_SLOT_AMOUNT) {
        cell_add(roll->cells, cell, LEAD_SLOT_AMOUNT_N, roll->count);
        cell_add(roll->cells, cell, LEAD_SLOT_AMOUNT, roll->amount);
        return;
    }
    cell_add(roll->cells, cell, roll->slot, roll->count);
}

static void mark_restated(struct roll *roll, struct cell *cell)
{
    int32_t on = roll->delta->restated_on;
    int32_t month = on ? month_of(on) : 0;
    if (roll->parts.pane == CELL_DAY && roll->day < on && on > cell->restated_on)
        cell->restated_on = on;
    if (roll->parts.pane == CELL_MONTH && roll->month < month && month > cell->restated_on)
        cell->restated_on = month;
}

static struct cell *cell_of(struct roll *roll)
{
    struct cell_key key = cell_key_of(&roll->parts);
    struct roll_memo *memo = &roll->memo[roll->depth][roll->parts.dim][roll->parts.pane];
    if (memo->index && memo->key.who == key.who && memo->key.where == key.where)
        return &roll->cells->cells[memo->index];
    bool nothing = !roll->count && !roll->amount && !roll->delta->touched;
    struct cell *cell = nothing ? cell_table_find(roll->cells, key) : cell_table_get(roll->cells, key);
    if (cell)
        *memo = (struct roll_memo){key, (uint32_t)(cell - roll->cells->cells)};
    return cell;
}

static void add_pane(struct roll *roll, enum cell_pane pane, int64_t number)
{
    if (!cell_table_keeps(roll->cells, pane, number))
        return;
    roll->parts.pane = pane;
    roll->parts.number = number;
    struct cell *cell = cell_of(roll);
    if (!cell)
        return;
    add_values(roll, cell);
    if (roll->delta->touched)
        cell->touched |= roll->slot == LEAD_SLOT_AMOUNT ? 3ull << LEAD_SLOT_AMOUNT_N : 1ull << roll->slot;
    mark_restated(roll, cell);
    cell_mark_dirty(roll->cells, cell);
}

/* One (org, dimension, value): all its panes. Reps carry days, months and the total only (semantics 0.6). */
static void add_panes(struct roll *roll)
{
    if (!roll->parts.rep) {
        add_pane(roll, CELL_MINUTE, roll->minute);
        add_pane(roll, CELL_QUARTER, roll->minute / 15);
        add_pane(roll, CELL_HOUR, roll->minute / 60);
    }
    add_pane(roll, CELL_DAY, roll->day);
    add_pane(roll, CELL_MONTH, roll->month);
    add_pane(roll, CELL_TOTAL, 0);
}

/* Is (dim, value) of node `org` also in the cells of the leaf on the other side of a transfer? */
static bool shared(const struct lead_book *book, const struct lead_leaf *other, uint32_t org, bool rep,
                   enum lead_dim dim, uint32_t value)
{
    if (rep)
        return other->owner == org;
    uint32_t theirs = dim == LEAD_DIM_ALL ? 0 : dim == LEAD_DIM_CHANNEL ? other->channel : other->tier;
    if (theirs != value)
        return false;
    const uint32_t *nodes;
    uint32_t depth = lead_book_path_nodes(book, other->path, &nodes);
    for (uint32_t i = 0; i < depth; i++) {
        if (nodes[i] == org)
            return true;
    }
    return false;
}

/* All cells of a leaf: nodes of its path x {all, channel, tier}, and its rep. With `other` (the far side of a
 * transfer) only those that the other side has not: a common ancestor books nothing (semantics 2.3). */
static void add_leaf(struct roll *roll, const struct lead_leaf *leaf, const struct lead_leaf *other)
{
    const uint32_t values[LEAD_DIM_COUNT] = {0, leaf->channel, leaf->tier};
    const uint32_t *nodes;
    uint32_t depth = lead_book_path_nodes(roll->book, leaf->path, &nodes);
    for (uint32_t i = 0; i < depth; i++) {
        for (int dim = 0; dim < LEAD_DIM_COUNT; dim++) {
            if (other && shared(roll->book, other, nodes[i], false, (enum lead_dim)dim, values[dim]))
                continue;
            roll->depth = i;
            roll->parts.org = nodes[i];
            roll->parts.rep = false;
            roll->parts.dim = (enum lead_dim)dim;
            roll->parts.value = values[dim];
            add_panes(roll);
        }
    }
    if (!leaf->owner || (other && shared(roll->book, other, leaf->owner, true, LEAD_DIM_ALL, 0)))
        return;
    roll->depth = ROLL_DEPTH - 1;
    roll->parts.org = leaf->owner;
    roll->parts.rep = true;
    roll->parts.dim = LEAD_DIM_ALL;
    roll->parts.value = 0;
    add_panes(roll);
}

static void add_side(struct roll *roll, const struct lead_leaf *leaf, const struct lead_leaf *other, unsigned slot,
                     uint32_t currency, int64_t sign)
{
    roll->slot = slot;
    roll->parts.currency = currency;
    roll->count = roll->delta->count * sign;
    roll->amount = currency ? roll->delta->amount * sign : 0;
    add_leaf(roll, leaf, other);
}

static void roll_delta(struct roll *roll)
{
    const struct delta_key *key = &roll->delta->key;
    roll->minute = (int64_t)(key->when >> 32);
    int32_t day = (int32_t)(uint32_t)key->when;
    if (day != roll->day) {
        roll->day = day;
        roll->month = month_of(day);
    }
    roll->parts.stage = (uint32_t)(key->what >> 48);
    unsigned slot = key->what >> 40 & 0xff;
    uint32_t currency = (uint32_t)key->what;
    struct lead_leaf leaf = lead_book_leaf_parts(roll->book, (uint32_t)(key->leaves >> 32));
    if (!(uint32_t)key->leaves) {
        add_side(roll, &leaf, NULL, slot, slot == LEAD_SLOT_AMOUNT ? currency : 0, 1);
        return;
    }
    struct lead_leaf to = lead_book_leaf_parts(roll->book, (uint32_t)key->leaves);
    add_side(roll, &leaf, &to, LEAD_SLOT_TRANSFER_OUT, 0, 1);
    add_side(roll, &to, &leaf, LEAD_SLOT_TRANSFER_IN, 0, 1);
    if (currency) {
        add_side(roll, &leaf, &to, LEAD_SLOT_AMOUNT, currency, -1);
        add_side(roll, &to, &leaf, LEAD_SLOT_AMOUNT, currency, 1);
    }
}

/* Cells that a new plan left empty go; only now, when all sums are in. */
static void drop_empty(struct cell_table *cells, uint32_t from)
{
    uint32_t kept = from;
    for (uint32_t i = from; i < cells->dirty.count; i++) {
        struct cell *cell = &cells->cells[cells->dirty.items[i]];
        cells->dirty.items[kept++] = cells->dirty.items[i];
        cell_drop_if_empty(cells, cell);
        if (!(cell->flags & CELL_USED))
            kept--;
    }
    cells->dirty.count = kept;
}

struct rolled {
    uint32_t path, stage, channel, day, minute, item;
};

#define ORDER(field)                                                                                                   \
    if (a->field != b->field)                                                                                          \
    return a->field < b->field ? -1 : 1

static int rolled_cmp(const void *left, const void *right)
{
    const struct rolled *a = left, *b = right;
    ORDER(path);
    ORDER(stage);
    ORDER(day);
    ORDER(channel);
    ORDER(minute);
    ORDER(item);
    return 0;
}

static struct rolled *order_of(const struct delta_buffer *deltas, const struct lead_book *book)
{
    struct rolled *order = malloc(deltas->count * sizeof *order);
    if (!order)
        abort();
    for (uint32_t i = 0; i < deltas->count; i++) {
        const struct delta_key *key = &deltas->items[i].key;
        struct lead_leaf leaf = lead_book_leaf_parts(book, (uint32_t)(key->leaves >> 32));
        order[i] = (struct rolled){leaf.path,           (uint32_t)(key->what >> 48), leaf.channel,
                                   (uint32_t)key->when, (uint32_t)(key->when >> 32), i};
    }
    qsort(order, deltas->count, sizeof *order, rolled_cmp);
    return order;
}

void delta_roll_up(struct delta_buffer *deltas, const struct lead_book *book, struct cell_table *cells)
{
    if (!deltas->count)
        return;
    struct roll roll = {.book = book, .cells = cells, .day = INT32_MIN};
    struct rolled *order = order_of(deltas, book);
    for (uint32_t i = 0; i < deltas->count; i++) {
        roll.delta = &deltas->items[order[i].item];
        roll_delta(&roll);
    }
    free(order);
    deltas->count = 0;
    memset(deltas->slots, 0, (size_t)deltas->capacity * 2 * sizeof *deltas->slots);
    drop_empty(cells, 0);
}
