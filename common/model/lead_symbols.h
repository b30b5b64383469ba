/* lead_symbols.h -- interned byte strings: equal bytes get equal numbers, dense from 0, for the life of a tenant.
 *
 * One structure serves every name table of the funnel: texts (owner, channel, node), lead ids, and small fixed
 * structs read as bytes (stage, path, leaf). Number 0 is always the empty string. Numbers depend on the order of
 * first sight, so they never leave the process: what is saved or shown is the text.
 *
 * One owner, no locks. Growth aborts when there is no memory (base/buf.h). */
#ifndef MODEL_LEAD_SYMBOLS_H
#define MODEL_LEAD_SYMBOLS_H

#include "base/buf.h"

#define LEAD_SYMBOL_NONE UINT32_MAX

struct lead_symbol {
    uint32_t hash; /* low half of XXH3-64 */
    uint32_t bytes;
    uint64_t offset; /* into text */
};
struct lead_symbols {
    struct lead_symbol *items;
    uint32_t count, capacity;
    uint64_t *slots; /* hash << 32 | number + 1; 0 = free */
    uint32_t slot_mask;
    struct buf text;
};

void lead_symbols_init(struct lead_symbols *symbols);
void lead_symbols_close(struct lead_symbols *symbols);
/* Number of these bytes, given on first sight; *fresh (may be NULL): it is new. */
uint32_t lead_symbols_intern(struct lead_symbols *symbols, struct slice bytes, bool *fresh);
/* Number of these bytes, LEAD_SYMBOL_NONE if they were never interned. */
uint32_t lead_symbols_find(const struct lead_symbols *symbols, struct slice bytes);

/* The bytes; borrowed until the next intern. */
static inline struct slice lead_symbols_text(const struct lead_symbols *symbols, uint32_t number)
{
    const struct lead_symbol *item = &symbols->items[number];
    return slice_make(symbols->text.p + item->offset, item->bytes);
}
/* All numbers sorted by their bytes, into `order` (room for count). */
void lead_symbols_sorted(const struct lead_symbols *symbols, uint32_t *order);

#endif
