#define _GNU_SOURCE /* qsort_r */
#include "lead_symbols.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

enum { SLOTS_MIN = 64 };

static void *resized(void *p, size_t bytes)
{
    p = realloc(p, bytes);
    if (!p)
        abort(); /* see base/buf.h: nothing a service can fold its way out of */
    return p;
}

static uint64_t slot_of(uint32_t hash, uint32_t number) { return (uint64_t)hash << 32 | (number + 1); }

static void put_slot(struct lead_symbols *symbols, uint64_t slot)
{
    uint32_t at = (uint32_t)(slot >> 32) & symbols->slot_mask;
    while (symbols->slots[at])
        at = (at + 1) & symbols->slot_mask;
    symbols->slots[at] = slot;
}

static void grow_slots(struct lead_symbols *symbols)
{
    uint32_t slots = symbols->slot_mask ? (symbols->slot_mask + 1) * 2 : SLOTS_MIN;
    free(symbols->slots);
    symbols->slots = calloc(slots, sizeof *symbols->slots);
    if (!symbols->slots)
        abort();
    symbols->slot_mask = slots - 1;
    for (uint32_t i = 0; i < symbols->count; i++)
        put_slot(symbols, slot_of(symbols->items[i].hash, i));
}

void lead_symbols_init(struct lead_symbols *symbols)
{
    memset(symbols, 0, sizeof *symbols);
    buf_init(&symbols->text);
    grow_slots(symbols);
    uint32_t empty = lead_symbols_intern(symbols, (struct slice){"", 0}, NULL);
    assert(empty == 0);
}

void lead_symbols_close(struct lead_symbols *symbols)
{
    free(symbols->items);
    free(symbols->slots);
    buf_close(&symbols->text);
    memset(symbols, 0, sizeof *symbols);
}

static uint32_t find(const struct lead_symbols *symbols, struct slice bytes, uint32_t hash)
{
    uint32_t at = hash & symbols->slot_mask;
    for (; symbols->slots[at]; at = (at + 1) & symbols->slot_mask) {
        uint64_t slot = symbols->slots[at];
        uint32_t number = (uint32_t)slot - 1;
        if ((uint32_t)(slot >> 32) == hash && slice_eq(lead_symbols_text(symbols, number), bytes))
            return number;
    }
    return LEAD_SYMBOL_NONE;
}

static uint32_t hash_of(struct slice bytes) { return (uint32_t)XXH3_64bits(bytes.p, bytes.n); }

uint32_t lead_symbols_find(const struct lead_symbols *symbols, struct slice bytes)
{
    return find(symbols, bytes, hash_of(bytes));
}

uint32_t lead_symbols_intern(struct lead_symbols *symbols, struct slice bytes, bool *fresh)
{
    uint32_t hash = hash_of(bytes);
    uint32_t number = find(symbols, bytes, hash);
    if (fresh)
        *fresh = number == LEAD_SYMBOL_NONE;
    if (number != LEAD_SYMBOL_NONE)
        return number;
    number = symbols->count;
    if (number == symbols->capacity) {
        symbols->capacity = symbols->capacity ? symbols->capacity * 2 : 16;
        symbols->items = resized(symbols->items, symbols->capacity * sizeof *symbols->items);
    }
    symbols->items[number] = (struct lead_symbol){hash, (uint32_t)bytes.n, symbols->text.n};
    buf_add(&symbols->text, bytes.p, bytes.n);
    symbols->count++;
    if (symbols->count * 3ull > (symbols->slot_mask + 1ull) * 2)
        grow_slots(symbols);
    else
        put_slot(symbols, slot_of(hash, number));
    return number;
}

static int by_text(const void *a, const void *b, void *symbols)
{
    return slice_cmp(lead_symbols_text(symbols, *(const uint32_t *)a),
                     lead_symbols_text(symbols, *(const uint32_t *)b));
}

void lead_symbols_sorted(const struct lead_symbols *symbols, uint32_t *order)
{
    for (uint32_t i = 0; i < symbols->count; i++)
        order[i] = i;
    struct lead_symbols *context = (struct lead_symbols *)(uintptr_t)symbols; /* read only; qsort_r has no const */
    qsort_r(order, symbols->count, sizeof *order, by_text, context);
}
