#include "cell.h"

#include <assert.h>
#include <stdlib.h>

const int64_t cell_panes_kept[CELL_RING_PANES] = {
    [CELL_MINUTE] = 120, [CELL_QUARTER] = 104, [CELL_HOUR] = 192, [CELL_DAY] = 400};

enum { SLOTS_MIN = 1024, CHUNK_VALUES = 32 * 1024, VALUE_CLASSES = 6 };
static const uint8_t class_room[VALUE_CLASSES] = {1, 2, 4, 8, 16, 64};
_Static_assert(LEAD_SLOT_COUNT <= 64, "a cell's mask has 64 bits");

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

/* --- keys ----------------------------------------------------------------------------------------------------- */

struct cell_key cell_key_of(const struct cell_parts *parts)
{
    uint64_t where = (uint64_t)parts->stage << 48 | (uint64_t)parts->pane << 45 | (uint64_t)parts->dim << 43 |
                     (uint64_t)parts->rep << 42 | (uint64_t)parts->currency << 27 |
                     ((uint64_t)parts->number & ((1u << 27) - 1));
    return (struct cell_key){(uint64_t)parts->org << 32 | parts->value, where};
}

struct cell_parts cell_parts_of(struct cell_key key)
{
    return (struct cell_parts){.org = (uint32_t)(key.who >> 32),
                               .value = (uint32_t)key.who,
                               .stage = (uint32_t)(key.where >> 48),
                               .currency = (uint32_t)(key.where >> 27) & 0x7fff,
                               .pane = (enum cell_pane)(key.where >> 45 & 7),
                               .dim = (enum lead_dim)(key.where >> 43 & 3),
                               .rep = key.where >> 42 & 1,
                               .number = (int64_t)(key.where & ((1u << 27) - 1))};
}

static uint32_t hash_of(struct cell_key key)
{
    uint64_t h = key.who * 0x9e3779b97f4a7c15u ^ (key.where + 0x632be59bd9b4e019u) * 0xc2b2ae3d27d4eb4fu;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return (uint32_t)(h >> 32);
}

static bool key_eq(struct cell_key a, struct cell_key b) { return a.who == b.who && a.where == b.where; }

/* --- values: blocks of 1, 2, 4, 8, 16 or 64 numbers ------------------------------------------------------------- */

static unsigned class_of(unsigned room)
{
    unsigned class = 0;
    while (class_room[class] < room)
        class ++;
    return class;
}

static int64_t *values_take(struct cell_table *table, unsigned class)
{
    int64_t *values = table->free_values[class];
    if (values) {
        memcpy(&table->free_values[class], values, sizeof(void *));
        return values;
    }
    if (table->chunk_left < class_room[class]) {
        if (table->chunk_count == table->chunk_capacity) {
            table->chunk_capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
            table->chunks = need(realloc(table->chunks, table->chunk_capacity * sizeof *table->chunks));
        }
        table->chunk = need(malloc(CHUNK_VALUES * sizeof *table->chunk));
        table->chunks[table->chunk_count++] = table->chunk;
        table->chunk_left = CHUNK_VALUES;
    }
    values = table->chunk;
    table->chunk += class_room[class];
    table->chunk_left -= class_room[class];
    return values;
}

static void values_give(struct cell_table *table, int64_t *values, unsigned class)
{
    memcpy(values, &table->free_values[class], sizeof(void *));
    table->free_values[class] = values;
}

static unsigned rank_of(uint64_t mask, unsigned slot)
{
    return (unsigned)__builtin_popcountll(mask & ((1ull << slot) - 1));
}

int64_t cell_value(const struct cell *cell, unsigned slot)
{
    return cell->mask >> slot & 1 ? cell->values[rank_of(cell->mask, slot)] : 0;
}

static void grow_values(struct cell_table *table, struct cell *cell, unsigned count)
{
    unsigned class = class_of(count);
    int64_t *values = values_take(table, class);
    if (cell->room) {
        memcpy(values, cell->values, cell->room * sizeof *values);
        values_give(table, cell->values, class_of(cell->room));
    }
    cell->values = values;
    cell->room = class_room[class];
}

void cell_add(struct cell_table *table, struct cell *cell, unsigned slot, int64_t n)
{
    unsigned rank = rank_of(cell->mask, slot);
    if (!(cell->mask >> slot & 1)) {
        unsigned count = (unsigned)__builtin_popcountll(cell->mask);
        if (count == cell->room)
            grow_values(table, cell, count + 1);
        memmove(cell->values + rank + 1, cell->values + rank, (count - rank) * sizeof *cell->values);
        cell->values[rank] = 0;
        cell->mask |= 1ull << slot;
    }
    cell->values[rank] += n;
}

/* --- table ---------------------------------------------------------------------------------------------------- */

void cell_list_add(struct cell_list *list, uint32_t item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 8;
        list->items = need(realloc(list->items, list->capacity * sizeof *list->items));
    }
    list->items[list->count++] = item;
}

void cell_table_init(struct cell_table *table)
{
    memset(table, 0, sizeof *table);
    table->slots = need(calloc(SLOTS_MIN, sizeof *table->slots));
    table->slot_mask = SLOTS_MIN - 1;
    table->all_shown = true;
    table->count = 1;
    table->capacity = 64;
    table->cells = need(calloc(table->capacity, sizeof *table->cells));
    for (int kind = 0; kind < CELL_RING_PANES; kind++)
        table->rings[kind].lists = need(calloc((size_t)cell_panes_kept[kind], sizeof *table->rings[kind].lists));
}

void cell_table_close(struct cell_table *table)
{
    for (int kind = 0; kind < CELL_RING_PANES; kind++) {
        for (int64_t i = 0; i < cell_panes_kept[kind]; i++)
            free(table->rings[kind].lists[i].items);
        free(table->rings[kind].lists);
    }
    for (size_t i = 0; i < table->chunk_count; i++)
        free(table->chunks[i]);
    free(table->chunks);
    free(table->cells);
    free(table->slots);
    free(table->dirty.items);
    free(table->removed);
    memset(table, 0, sizeof *table);
}

static void put_slot(struct cell_table *table, uint64_t slot)
{
    uint32_t at = (uint32_t)(slot >> 32) & table->slot_mask;
    while (table->slots[at])
        at = (at + 1) & table->slot_mask;
    table->slots[at] = slot;
}

static void grow_slots(struct cell_table *table)
{
    uint64_t *old = table->slots;
    uint32_t count = table->slot_mask + 1;
    table->slots = need(calloc((size_t)count * 2, sizeof *table->slots));
    table->slot_mask = count * 2 - 1;
    for (uint32_t i = 0; i < count; i++) {
        if (old[i])
            put_slot(table, old[i]);
    }
    free(old);
}

/* The slot of a key, or the free one where it belongs. Half the hash stands in the slot, so that a run of others is
 * passed without touching their cells. */
static uint32_t slot_of(const struct cell_table *table, struct cell_key key, uint32_t hash)
{
    uint32_t at = hash & table->slot_mask;
    for (; table->slots[at]; at = (at + 1) & table->slot_mask) {
        if (table->slots[at] >> 32 == hash && key_eq(table->cells[(uint32_t)table->slots[at]].key, key))
            break;
    }
    return at;
}

struct cell *cell_table_find(const struct cell_table *table, struct cell_key key)
{
    uint32_t index = (uint32_t)table->slots[slot_of(table, key, hash_of(key))];
    return index ? &table->cells[index] : NULL;
}

void cell_table_fetch(const struct cell_table *table, struct cell_key key)
{
    __builtin_prefetch(&table->slots[hash_of(key) & table->slot_mask]);
}

static struct cell_list *ring_list(struct cell_table *table, enum cell_pane pane, int64_t number)
{
    return &table->rings[pane].lists[(uint64_t)number % (uint64_t)cell_panes_kept[pane]];
}

static uint32_t new_cell(struct cell_table *table, struct cell_key key)
{
    uint32_t index = table->free;
    if (index) {
        table->free = table->cells[index].ring_at;
    } else {
        if (table->count == table->capacity) {
            table->capacity *= 2;
            table->cells = need(realloc(table->cells, table->capacity * sizeof *table->cells));
        }
        index = table->count++;
    }
    struct cell *cell = &table->cells[index];
    memset(cell, 0, sizeof *cell);
    cell->key = key;
    cell->flags = CELL_USED;
    struct cell_parts parts = cell_parts_of(key);
    if (parts.pane < CELL_RING_PANES) {
        struct cell_list *list = ring_list(table, parts.pane, parts.number);
        cell->ring_at = list->count;
        cell_list_add(list, index);
    }
    table->live++;
    return index;
}

struct cell *cell_table_get(struct cell_table *table, struct cell_key key)
{
    uint32_t hash = hash_of(key);
    uint32_t at = slot_of(table, key, hash);
    if (table->slots[at])
        return &table->cells[(uint32_t)table->slots[at]];
    uint32_t index = new_cell(table, key);
    table->slots[at] = (uint64_t)hash << 32 | index;
    if (table->live * 3ull > (table->slot_mask + 1ull) * 2)
        grow_slots(table);
    return &table->cells[index];
}

/* Open addressing without graves: what follows in the run is put again. */
static void take_slot(struct cell_table *table, struct cell_key key)
{
    uint32_t at = slot_of(table, key, hash_of(key));
    table->slots[at] = 0;
    for (at = (at + 1) & table->slot_mask; table->slots[at]; at = (at + 1) & table->slot_mask) {
        uint64_t slot = table->slots[at];
        table->slots[at] = 0;
        put_slot(table, slot);
    }
}

static void note_removed(struct cell_table *table, struct cell_key key)
{
    if (table->removed_count == table->removed_capacity) {
        table->removed_capacity = table->removed_capacity ? table->removed_capacity * 2 : 64;
        table->removed = need(realloc(table->removed, table->removed_capacity * sizeof *table->removed));
    }
    table->removed[table->removed_count++] = key;
}

void cell_table_passed(struct cell_table *table, struct cell_key key)
{
    if (table->all_shown && table->removed_count < CELL_REMOVED_MAX)
        note_removed(table, key);
}

static void free_cell(struct cell_table *table, uint32_t index)
{
    struct cell *cell = &table->cells[index];
    take_slot(table, cell->key);
    if (cell->flags & CELL_SHOWN)
        note_removed(table, cell->key);
    else
        cell_table_passed(table, cell->key);
    if (cell->room)
        values_give(table, cell->values, class_of(cell->room));
    cell->flags = 0;
    cell->ring_at = table->free;
    table->free = index;
    table->live--;
}

uint64_t cell_shown(const struct cell *cell)
{
    uint64_t shown = cell->touched;
    uint64_t rest = cell->mask & ~shown;
    while (rest) {
        unsigned slot = (unsigned)__builtin_ctzll(rest);
        rest &= rest - 1;
        if (cell_value(cell, slot))
            shown |= 1ull << slot;
    }
    return shown;
}

void cell_drop_if_empty(struct cell_table *table, struct cell *cell)
{
    if (!(cell->flags & CELL_USED) || cell_shown(cell))
        return;
    struct cell_parts parts = cell_parts_of(cell->key);
    if (parts.pane < CELL_RING_PANES) {
        struct cell_list *list = ring_list(table, parts.pane, parts.number);
        uint32_t moved = list->items[--list->count];
        list->items[cell->ring_at] = moved;
        table->cells[moved].ring_at = cell->ring_at;
    }
    free_cell(table, (uint32_t)(cell - table->cells));
}

void cell_mark_dirty(struct cell_table *table, struct cell *cell)
{
    if (cell->flags & CELL_DIRTY)
        return;
    cell->flags |= CELL_DIRTY;
    cell_list_add(&table->dirty, (uint32_t)(cell - table->cells));
}

/* --- expiry --------------------------------------------------------------------------------------------------- */

bool cell_table_keeps(const struct cell_table *table, enum cell_pane pane, int64_t number)
{
    if (pane >= CELL_RING_PANES)
        return true;
    const struct cell_ring *ring = &table->rings[pane];
    return ring->begun && number >= ring->oldest && number <= ring->newest;
}

static void drop_pane(struct cell_table *table, enum cell_pane pane, int64_t number)
{
    struct cell_list *list = ring_list(table, pane, number);
    for (uint32_t i = 0; i < list->count; i++)
        free_cell(table, list->items[i]);
    list->count = 0;
}

static void expire_kind(struct cell_table *table, enum cell_pane pane, int64_t now)
{
    struct cell_ring *ring = &table->rings[pane];
    int64_t kept = cell_panes_kept[pane];
    if (!ring->begun) {
        *ring = (struct cell_ring){ring->lists, now - kept + 1, now, true};
        return;
    }
    for (int64_t old = ring->oldest; old <= now - kept && old <= ring->newest; old++)
        drop_pane(table, pane, old);
    if (now > ring->newest) { /* never back: a zone that changes may move the local day of T */
        ring->newest = now;
        ring->oldest = now - kept + 1;
    }
}

void cell_table_expire(struct cell_table *table, const int64_t now[CELL_RING_PANES])
{
    for (int kind = 0; kind < CELL_RING_PANES; kind++)
        expire_kind(table, (enum cell_pane)kind, now[kind]);
}
