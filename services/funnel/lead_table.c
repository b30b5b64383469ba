#define _GNU_SOURCE /* qsort_r */
#include "lead_table.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "model/lead_pack.h"

enum { SLOTS_MIN = 64 };

static void *need(void *p)
{
    if (!p)
        abort(); /* base/buf.h: out of memory is no state to fold on from */
    return p;
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

/* Sizes 32, 48, 64, 96, 128, 192 ...: at most a third is unused. */
static size_t class_bytes(unsigned class) { return (class & 1 ? 48u : 32u) * ((size_t)1 << class / 2); }

static unsigned class_for(size_t bytes)
{
    unsigned class = 0;
    while (class_bytes(class) < bytes)
        class ++;
    assert(class < LEAD_BLOCK_CLASSES);
    return class;
}

static uint8_t *new_chunk(struct lead_table *table, size_t bytes)
{
    if (table->chunk_count == table->chunk_capacity) {
        table->chunk_capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
        table->chunks = need(realloc(table->chunks, table->chunk_capacity * sizeof *table->chunks));
    }
    uint8_t *chunk = need(malloc(bytes));
    table->chunks[table->chunk_count++] = chunk;
    return chunk;
}

static uint8_t *block_take(struct lead_table *table, unsigned class)
{
    uint8_t *block = table->free_blocks[class];
    if (block) {
        memcpy(&table->free_blocks[class], block, sizeof(void *));
        return block;
    }
    size_t bytes = class_bytes(class);
    if (bytes > LEAD_CHUNK_BYTES / 4)
        return new_chunk(table, bytes);
    if (table->chunk_left < bytes) {
        table->chunk = new_chunk(table, LEAD_CHUNK_BYTES);
        table->chunk_left = LEAD_CHUNK_BYTES;
    }
    block = table->chunk;
    table->chunk += bytes;
    table->chunk_left -= bytes;
    return block;
}

static void block_give(struct lead_table *table, uint8_t *block, unsigned class)
{
    memcpy(block, &table->free_blocks[class], sizeof(void *));
    table->free_blocks[class] = block;
}

/* Makes room for `bytes` in the block; what is in it stays. */
static void block_grow(struct lead_table *table, struct lead *lead, size_t bytes)
{
    if (lead->block && bytes <= class_bytes(lead->class))
        return;
    unsigned class = class_for(bytes);
    uint8_t *block = block_take(table, class);
    if (lead->block) {
        memcpy(block, lead->block, lead->bytes);
        block_give(table, lead->block, lead->class);
    }
    lead->block = block;
    lead->class = (uint8_t) class;
}

/* --- ids ------------------------------------------------------------------------------------------------------ */

static void add_segment(struct lead_table *table)
{
    if (table->segment_count == table->segment_capacity) {
        table->segment_capacity = table->segment_capacity ? table->segment_capacity * 2 : 4;
        table->segments = need(realloc(table->segments, table->segment_capacity * sizeof(struct lead *)));
    }
    table->segments[table->segment_count++] = need(malloc(sizeof(struct lead) << LEAD_SEGMENT_BITS));
}

static uint32_t add_lead(struct lead_table *table, struct slice id)
{
    uint32_t number = table->count++;
    if (number >> LEAD_SEGMENT_BITS == table->segment_count)
        add_segment(table);
    struct lead *lead = lead_table_at(table, number);
    *lead = (struct lead){.group_next = number, .id_bytes = (uint8_t)id.n, .bytes = (uint32_t)id.n};
    if (id.n) {
        block_grow(table, lead, id.n);
        memcpy(lead->block, id.p, id.n);
    }
    return number;
}

void lead_table_init(struct lead_table *table)
{
    memset(table, 0, sizeof *table);
    table->slots = need(calloc(SLOTS_MIN, sizeof *table->slots));
    table->slot_mask = SLOTS_MIN - 1;
    (void)add_lead(table, slice_make("", 0)); /* number 0 */
}

void lead_table_close(struct lead_table *table)
{
    for (size_t i = 0; i < table->chunk_count; i++)
        free(table->chunks[i]);
    for (uint32_t i = 0; i < table->segment_count; i++)
        free(table->segments[i]);
    free(table->chunks);
    free(table->segments);
    free(table->slots);
    memset(table, 0, sizeof *table);
}

static void put_slot(struct lead_table *table, uint64_t slot)
{
    uint32_t at = (uint32_t)(slot >> 32) & table->slot_mask;
    while (table->slots[at])
        at = (at + 1) & table->slot_mask;
    table->slots[at] = slot;
}

static void grow_slots(struct lead_table *table)
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

uint32_t lead_id_hash(struct slice id) { return (uint32_t)XXH3_64bits(id.p, id.n); }

uint32_t lead_table_guess(const struct lead_table *table, uint32_t hash)
{
    for (uint32_t at = hash & table->slot_mask; table->slots[at]; at = (at + 1) & table->slot_mask) {
        if (table->slots[at] >> 32 == hash)
            return (uint32_t)table->slots[at];
    }
    return 0;
}

uint32_t lead_table_number(struct lead_table *table, struct slice id)
{
    assert(id.n && id.n <= LEAD_ID_BYTES_MAX);
    uint32_t hash = lead_id_hash(id);
    for (uint32_t at = hash & table->slot_mask; table->slots[at]; at = (at + 1) & table->slot_mask) {
        uint32_t number = (uint32_t)table->slots[at];
        if (table->slots[at] >> 32 == hash && slice_eq(lead_id(lead_table_at(table, number)), id))
            return number;
    }
    uint32_t number = add_lead(table, id);
    if (table->count * 3ull > (table->slot_mask + 1ull) * 2)
        grow_slots(table);
    put_slot(table, (uint64_t)hash << 32 | number);
    return number;
}

static int by_id(const void *a, const void *b, void *table)
{
    return slice_cmp(lead_id(lead_table_at(table, *(const uint32_t *)a)),
                     lead_id(lead_table_at(table, *(const uint32_t *)b)));
}

void lead_table_sorted(const struct lead_table *table, uint32_t *order)
{
    for (uint32_t i = 0; i < table->count; i++)
        order[i] = i;
    struct lead_table *context = (struct lead_table *)(uintptr_t)table; /* read only; qsort_r has no const */
    qsort_r(order, table->count, sizeof *order, by_id, context);
}

/* --- blobs and states ----------------------------------------------------------------------------------------- */

/* Replaces `n` bytes at `offset` of the block by `with`. */
static void splice(struct lead_table *table, struct lead *lead, size_t offset, size_t n, struct slice with)
{
    size_t rest = lead->bytes - offset - n;
    block_grow(table, lead, lead->bytes - n + with.n);
    uint8_t *at = lead->block + offset;
    if (n != with.n)
        memmove(at + with.n, at + n, rest);
    if (with.n)
        memcpy(at, with.p, with.n);
    lead->bytes = (uint32_t)(lead->bytes - n + with.n);
}

void lead_table_insert(struct lead_table *table, struct lead *lead, size_t offset, struct slice record)
{
    size_t at = lead_head_bytes(lead) + offset;
    assert(at <= lead->bytes);
    splice(table, lead, at, 0, record);
}

void lead_table_clear(struct lead_table *table, struct lead *lead)
{
    (void)table;
    lead->bytes = lead_head_bytes(lead);
}

void lead_state_of(const struct lead *lead, struct lead_state *state)
{
    if (lead->state_bytes)
        lead_unpack(lead->block + lead->id_bytes, state);
    else
        memset(state, 0, sizeof *state);
}

void lead_keep_state(struct lead_table *table, struct lead *lead, const struct lead_state *state)
{
    uint8_t bytes[LEAD_PACK_BYTES_MAX];
    size_t n = lead_pack(state, bytes);
    splice(table, lead, lead->id_bytes, lead->state_bytes, slice_make(bytes, n));
    lead->state_bytes = (uint8_t)n;
    lead->flags &= (uint8_t) ~(LEAD_CLOSED | LEAD_MOVES);
    lead->flags |= lead_state_closed(state) ? LEAD_CLOSED : 0;
    lead->flags |= lead_state_moves(state) ? LEAD_MOVES : 0;
}

/* --- groups --------------------------------------------------------------------------------------------------- */

bool lead_table_same_group(const struct lead_table *table, uint32_t a, uint32_t b)
{
    for (uint32_t at = a;;) {
        if (at == b)
            return true;
        at = lead_table_at(table, at)->group_next;
        if (at == a)
            return false;
    }
}

void lead_table_join(struct lead_table *table, uint32_t a, uint32_t b)
{
    assert(!lead_table_same_group(table, a, b));
    uint32_t next = lead_table_at(table, a)->group_next; /* two rings become one when their successors change places */
    lead_table_at(table, a)->group_next = lead_table_at(table, b)->group_next;
    lead_table_at(table, b)->group_next = next;
}

/* --- the list of closed leads --------------------------------------------------------------------------------- */

void lead_table_list(struct lead_table *table, uint32_t number)
{
    struct lead *lead = lead_table_at(table, number);
    assert(!(lead->flags & LEAD_LISTED));
    lead->flags |= LEAD_LISTED;
    lead->older = table->newest;
    lead->newer = 0;
    if (table->newest)
        lead_table_at(table, table->newest)->newer = number;
    else
        table->oldest = number;
    table->newest = number;
}

void lead_table_unlist(struct lead_table *table, uint32_t number)
{
    struct lead *lead = lead_table_at(table, number);
    if (!(lead->flags & LEAD_LISTED))
        return;
    lead->flags &= (uint8_t)~LEAD_LISTED;
    *(lead->older ? &lead_table_at(table, lead->older)->newer : &table->oldest) = lead->newer;
    *(lead->newer ? &lead_table_at(table, lead->newer)->older : &table->newest) = lead->older;
}
