#include "roll.h"

#include <assert.h>
#include <stdlib.h>

#include "roll_sums.h"
#include "time/zone.h"

enum { PAIRS_MIN = 64, ROLL_AHEAD = 12 };

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

/* Grows an array so that it has room for `wanted` items. */
static void *room(void *items, uint32_t *capacity, uint32_t wanted, size_t item_bytes)
{
    if (wanted <= *capacity)
        return items;
    *capacity = wanted < 32 ? 64 : wanted * 2;
    return need(realloc(items, *capacity * item_bytes));
}

void roller_init(struct roller *roller)
{
    memset(roller, 0, sizeof *roller);
    lead_symbols_init(&roller->series_names);
    lead_symbols_init(&roller->group_names);
    roller->pairs = need(calloc(PAIRS_MIN, sizeof *roller->pairs));
    roller->pair_mask = PAIRS_MIN - 1;
}

void roller_close(struct roller *roller)
{
    lead_symbols_close(&roller->series_names);
    lead_symbols_close(&roller->group_names);
    free(roller->series);
    free(roller->groups);
    free(roller->members);
    free(roller->pairs);
    order_close(&roller->order);
    free(roller->suspects.items);
    memset(roller, 0, sizeof *roller);
}

/* --- series and groups ---------------------------------------------------------------------------------------- */

static uint32_t series_of(struct roller *roller, const struct cell_parts *parts)
{
    struct cell_key base = cell_key_of(parts);
    bool fresh;
    uint32_t number = lead_symbols_intern(&roller->series_names, slice_make((const char *)&base, sizeof base), &fresh);
    if (!fresh)
        return number;
    roller->series = room(roller->series, &roller->series_capacity, number + 1, sizeof *roller->series);
    roller->series[number] = (struct roll_series){.base = base};
    return number;
}

struct group_name {
    uint32_t who, channel, tier; /* who: path, or owner of a rep's group */
    uint32_t stage, currency, rep;
};

/* A group of this name with no series yet; 0 is none. *fresh: the caller fills it. */
static uint32_t group_of(struct roller *roller, const struct group_name *name, bool *fresh)
{
    uint32_t number = lead_symbols_intern(&roller->group_names, slice_make((const char *)name, sizeof *name), fresh);
    if (!*fresh)
        return number;
    roller->groups = room(roller->groups, &roller->group_capacity, number + 1, sizeof *roller->groups);
    roller->groups[number] = (struct roll_group){.first = roller->member_count, .rep = name->rep};
    return number;
}

static void add_member(struct roller *roller, uint32_t group, const struct cell_parts *parts)
{
    uint32_t series = series_of(roller, parts);
    roller->members =
        room(roller->members, &roller->member_capacity, roller->member_count + 1, sizeof *roller->members);
    roller->members[roller->member_count++] = series;
    roller->groups[group].count++;
}

static uint32_t node_group(struct roller *roller, const struct lead_book *book, const struct lead_leaf *leaf,
                           uint32_t stage, uint32_t currency)
{
    struct group_name name = {leaf->path, leaf->channel, leaf->tier, stage, currency, 0};
    bool fresh;
    uint32_t group = group_of(roller, &name, &fresh);
    if (!fresh)
        return group;
    const uint32_t values[LEAD_DIM_COUNT] = {0, leaf->channel, leaf->tier};
    const uint32_t *nodes;
    uint32_t depth = lead_book_path_nodes(book, leaf->path, &nodes);
    for (uint32_t i = 0; i < depth * LEAD_DIM_COUNT; i++) {
        enum lead_dim dim = (enum lead_dim)(i % LEAD_DIM_COUNT);
        struct cell_parts parts = {
            .org = nodes[i / LEAD_DIM_COUNT], .value = values[dim], .stage = stage, .currency = currency, .dim = dim};
        add_member(roller, group, &parts);
    }
    return group;
}

static uint32_t rep_group(struct roller *roller, uint32_t owner, uint32_t stage, uint32_t currency)
{
    struct group_name name = {owner, 0, 0, stage, currency, 1};
    bool fresh;
    uint32_t group = group_of(roller, &name, &fresh);
    struct cell_parts parts = {.org = owner, .stage = stage, .currency = currency, .rep = true};
    if (fresh)
        add_member(roller, group, &parts);
    return group;
}

/* --- (leaf, stage, currency) -> groups ------------------------------------------------------------------------ */

static uint32_t pair_place(const struct roller *roller, uint64_t key)
{
    uint32_t at = (uint32_t)(key * 0x9e3779b97f4a7c15u >> 32) & roller->pair_mask;
    while (roller->pairs[at].key && roller->pairs[at].key != key)
        at = (at + 1) & roller->pair_mask;
    return at;
}

static void grow_pairs(struct roller *roller)
{
    struct roll_pair *old = roller->pairs;
    uint32_t count = roller->pair_mask + 1;
    roller->pairs = need(calloc((size_t)count * 2, sizeof *roller->pairs));
    roller->pair_mask = count * 2 - 1;
    for (uint32_t i = 0; i < count; i++) {
        if (old[i].key)
            roller->pairs[pair_place(roller, old[i].key)] = old[i];
    }
    free(old);
}

static const struct roll_pair *pair_of(struct roller *roller, const struct lead_book *book, uint32_t leaf,
                                       uint32_t stage, uint32_t currency)
{
    uint64_t key = (uint64_t)leaf << 32 | stage << 16 | currency;
    uint32_t at = pair_place(roller, key);
    if (roller->pairs[at].key)
        return &roller->pairs[at];
    if (roller->pair_count * 2 > roller->pair_mask) {
        grow_pairs(roller);
        at = pair_place(roller, key);
    }
    struct lead_leaf parts = lead_book_leaf_parts(book, leaf);
    struct roll_pair pair = {.key = key, .nodes = node_group(roller, book, &parts, stage, currency)};
    if (parts.owner)
        pair.rep = rep_group(roller, parts.owner, stage, currency);
    roller->pair_count++;
    roller->pairs[at] = pair;
    return &roller->pairs[at];
}

/* --- order ---------------------------------------------------------------------------------------------------- */

/* Each contribution twice: for its nodes by minute, for its rep by day. */
static void put_in_order(struct roller *roller, const struct delta_buffer *deltas, const struct lead_book *book)
{
    order_begin(&roller->order, (size_t)deltas->count * 2);
    for (uint32_t i = 0; i < deltas->count; i++) {
        const struct delta *delta = &deltas->items[i];
        if (delta->leaf_to || !delta->leaf)
            continue;
        uint32_t currency = delta->slot == LEAD_SLOT_AMOUNT ? delta->currency : 0;
        const struct roll_pair *pair = pair_of(roller, book, delta->leaf, delta->stage, currency);
        order_add(&roller->order, (uint64_t)pair->nodes << 32 | delta->minute, i);
        if (pair->rep)
            order_add(&roller->order, (uint64_t)pair->rep << 32 | (uint32_t)delta->day, i);
    }
    order_sort(&roller->order);
}

/* --- groups: sums of panes into cells ------------------------------------------------------------------------- */

struct roll {
    struct roller *roller;
    const struct lead_book *book;
    struct cell_table *cells;
    struct roll_group group;
    struct roll_sums sums[CELL_PANES]; /* of the panes at hand */
    int64_t numbers[CELL_PANES];
    int32_t month_day, month; /* month of the day looked at last */
};

static int32_t month_of(int32_t day)
{
    int32_t year, month, mday;
    date_to_civil(day, &year, &month, &mday);
    return (year - 1970) * 12 + month - 1;
}

static struct roll_hint *hint_of(struct roll_series *series, enum cell_pane pane, int64_t number)
{
    return &series->hints[pane == CELL_DAY && number & 1 ? CELL_PANES : pane];
}

/* The cell of a series; NULL: it has none, and nothing would bring it into being. */
static struct cell *series_cell(struct roll *roll, struct roll_series *series, enum cell_pane pane,
                                const struct roll_sums *sums)
{
    int64_t number = roll->numbers[pane];
    struct cell_key key = cell_key_in(series->base, pane, number);
    struct roll_hint *hint = hint_of(series, pane, number);
    struct cell *cell = &roll->cells->cells[hint->cell];
    if (hint->cell && hint->number == (uint32_t)number && cell->flags & CELL_USED && cell->key.who == key.who &&
        cell->key.where == key.where)
        return cell;
    bool nothing = !sums->touched && roll_sums_zero(sums);
    cell = nothing ? cell_table_find(roll->cells, key) : cell_table_get(roll->cells, key);
    if (!cell)
        cell_table_passed(roll->cells, key);
    else
        *hint = (struct roll_hint){(uint32_t)(cell - roll->cells->cells), (uint32_t)number};
    return cell;
}

static void mark_restated(const struct roll *roll, struct cell *cell, enum cell_pane pane, int32_t on)
{
    if (pane == CELL_MONTH)
        on = on ? month_of(on) : 0;
    bool behind = (pane == CELL_DAY || pane == CELL_MONTH) && on > roll->numbers[pane];
    if (behind && on > cell->restated_on)
        cell->restated_on = on;
}

/* Asks the memory for what adding to this pane of all series of the group will touch. */
static void fetch_series(const struct roll *roll, enum cell_pane pane)
{
    const uint32_t *members = roll->roller->members + roll->group.first;
    int64_t number = roll->numbers[pane];
    for (uint32_t i = 0; i < roll->group.count; i++) {
        struct roll_series *series = &roll->roller->series[members[i]];
        const struct roll_hint *hint = hint_of(series, pane, number);
        if (hint->cell && hint->number == (uint32_t)number)
            __builtin_prefetch(&roll->cells->cells[hint->cell]);
        else
            cell_table_fetch(roll->cells, cell_key_in(series->base, pane, number));
    }
    for (uint32_t i = 0; i < roll->group.count; i++) {
        const struct roll_hint *hint = hint_of(&roll->roller->series[members[i]], pane, number);
        if (hint->cell && hint->number == (uint32_t)number)
            __builtin_prefetch(roll->cells->cells[hint->cell].values);
    }
}

static void add_to_series(struct roll *roll, enum cell_pane pane, const struct roll_sums *sums)
{
    const uint32_t *members = roll->roller->members + roll->group.first;
    fetch_series(roll, pane);
    for (uint32_t i = 0; i < roll->group.count; i++) {
        struct cell *cell = series_cell(roll, &roll->roller->series[members[i]], pane, sums);
        if (!cell)
            continue;
        roll_sums_add(sums, roll->cells, cell);
        mark_restated(roll, cell, pane, sums->restated_on);
        cell_mark_dirty(roll->cells, cell);
        if (!cell->touched)
            cell_list_add(&roll->roller->suspects, (uint32_t)(cell - roll->cells->cells));
    }
}

/* The pane at hand has expired before it was rolled up. */
static void pass_series(struct roll *roll, enum cell_pane pane)
{
    const uint32_t *members = roll->roller->members + roll->group.first;
    for (uint32_t i = 0; roll->cells->all_shown && i < roll->group.count; i++)
        cell_table_passed(roll->cells, cell_key_in(roll->roller->series[members[i]].base, pane, roll->numbers[pane]));
}

/* The pane at hand is complete: into the cells, and up the chain of panes. */
static void close_pane(struct roll *roll, enum cell_pane pane)
{
    struct roll_sums *sums = &roll->sums[pane];
    if (!sums->mask)
        return;
    if (cell_table_keeps(roll->cells, pane, roll->numbers[pane]))
        add_to_series(roll, pane, sums);
    else
        pass_series(roll, pane);
    if (pane != CELL_HOUR && pane != CELL_TOTAL) /* hours are no part of local days */
        roll_sums_merge(&roll->sums[pane + 1], sums);
    roll_sums_clear(sums);
}

/* From here on the panes of this chain (minute to hour, day to total) are those of the new numbers. */
static void turn_to(struct roll *roll, enum cell_pane first, const int64_t *numbers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        enum cell_pane pane = (enum cell_pane)(first + i);
        if (roll->numbers[pane] == numbers[i])
            return; /* longer panes are the same, too */
        close_pane(roll, pane);
        roll->numbers[pane] = numbers[i];
    }
}

static void add_delta(struct roll *roll, const struct delta *delta)
{
    if (delta->day != roll->month_day) {
        roll->month_day = delta->day;
        roll->month = month_of(delta->day);
    }
    const int64_t days[] = {delta->day, roll->month, 0};
    turn_to(roll, CELL_DAY, days, 3);
    roll_sums_take(&roll->sums[CELL_DAY], delta);
    if (roll->group.rep)
        return;
    const int64_t minute = delta->minute;
    const int64_t minutes[] = {minute, minute / 15, minute / 60};
    turn_to(roll, CELL_MINUTE, minutes, 3);
    roll_sums_take(&roll->sums[CELL_MINUTE], delta);
}

static void close_group(struct roll *roll)
{
    for (int pane = 0; pane < CELL_PANES; pane++)
        close_pane(roll, (enum cell_pane)pane);
}

static void roll_items(struct roll *roll, const struct delta_buffer *deltas)
{
    const struct order_item *items = roll->roller->order.items;
    size_t count = roll->roller->order.count;
    uint64_t group = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].key >> 32 != group) {
            close_group(roll);
            group = items[i].key >> 32;
            roll->group = roll->roller->groups[group];
        }
        if (i + ROLL_AHEAD < count)
            __builtin_prefetch(&deltas->items[items[i + ROLL_AHEAD].number]);
        add_delta(roll, &deltas->items[items[i].number]);
    }
    close_group(roll);
}

/* --- transfers ------------------------------------------------------------------------------------------------ */

/* Is (dim, value) of node `org` also in the cells of the leaf on the other side of a transfer? */
static bool shared(const struct lead_book *book, const struct lead_leaf *other, const struct cell_parts *parts)
{
    if (parts->rep)
        return other->owner == parts->org;
    const uint32_t values[LEAD_DIM_COUNT] = {0, other->channel, other->tier};
    if (values[parts->dim] != parts->value)
        return false;
    const uint32_t *nodes;
    uint32_t depth = lead_book_path_nodes(book, other->path, &nodes);
    for (uint32_t i = 0; i < depth; i++) {
        if (nodes[i] == parts->org)
            return true;
    }
    return false;
}

/* The series of a group that the other side has not: a common ancestor books nothing (semantics 2.3). */
static void transfer_group(struct roll *roll, uint32_t group, const struct lead_leaf *other, const struct delta *delta)
{
    struct roll_group all = roll->roller->groups[group];
    for (uint32_t i = 0; i < all.count; i++) {
        struct cell_parts parts = cell_parts_of(roll->roller->series[roll->roller->members[all.first + i]].base);
        if (shared(roll->book, other, &parts))
            continue;
        roll->group = (struct roll_group){all.first + i, 1, all.rep};
        add_delta(roll, delta);
        close_group(roll);
    }
}

static void transfer_side(struct roll *roll, struct delta delta, uint32_t leaf, uint32_t other, unsigned slot,
                          int64_t sign)
{
    uint32_t currency = slot == LEAD_SLOT_AMOUNT ? delta.currency : 0;
    struct roll_pair pair = *pair_of(roll->roller, roll->book, leaf, delta.stage, currency);
    struct lead_leaf parts = lead_book_leaf_parts(roll->book, other);
    delta.slot = (uint8_t)slot;
    delta.count *= sign;
    delta.amount *= sign;
    transfer_group(roll, pair.nodes, &parts, &delta);
    if (pair.rep)
        transfer_group(roll, pair.rep, &parts, &delta);
}

static void roll_transfers(struct roll *roll, const struct delta_buffer *deltas)
{
    for (uint32_t i = 0; i < deltas->count; i++) {
        const struct delta *delta = &deltas->items[i];
        if (!delta->leaf_to)
            continue;
        transfer_side(roll, *delta, delta->leaf, delta->leaf_to, LEAD_SLOT_TRANSFER_OUT, 1);
        transfer_side(roll, *delta, delta->leaf_to, delta->leaf, LEAD_SLOT_TRANSFER_IN, 1);
        if (!delta->currency)
            continue;
        transfer_side(roll, *delta, delta->leaf, delta->leaf_to, LEAD_SLOT_AMOUNT, -1);
        transfer_side(roll, *delta, delta->leaf_to, delta->leaf, LEAD_SLOT_AMOUNT, 1);
    }
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

/* Cells that a new plan left empty go; only now, when all sums are in. What an event touched stays. */
static void drop_empty(struct roller *roller, struct cell_table *cells)
{
    for (uint32_t i = 0; i < roller->suspects.count; i++) {
        struct cell *cell = &cells->cells[roller->suspects.items[i]];
        if (cell->flags & CELL_USED)
            cell_drop_if_empty(cells, cell);
    }
    roller->suspects.count = 0;
}

void roll_up(struct roller *roller, struct delta_buffer *deltas, const struct lead_book *book, struct cell_table *cells)
{
    if (!deltas->count)
        return;
    struct roll roll = {.roller = roller, .book = book, .cells = cells, .month_day = INT32_MIN};
    put_in_order(roller, deltas, book);
    roll_items(&roll, deltas);
    roll_transfers(&roll, deltas);
    deltas->count = 0;
    drop_empty(roller, cells);
}
