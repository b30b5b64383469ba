/* lead_table.h -- the leads of one tenant: id -> lead, its event blob, its state, its group, its turn to expire.
 *
 * What a lead has besides its entry stands in one block: its id, its packed state, its events. So an event meets
 * three places in memory: the slot of the id's hash, the entry, the block. Blocks are cut from large chunks in a few
 * sizes: an append seldom moves and never calls malloc.
 *
 * Leads joined by merges form a ring (group_next) and are folded together (semantics 2.1). Closed groups stand in a
 * list in the order of their last accepted record: its head is the next to become a tombstone (0.3). */
#ifndef FUNNEL_LEAD_TABLE_H
#define FUNNEL_LEAD_TABLE_H

#include "model/lead_fold.h"

enum {
    LEAD_BLOCK_CLASSES = 48,
    LEAD_CHUNK_BYTES = 256 * 1024,
    LEAD_SEGMENT_BITS = 10, /* entries never move: they stand in segments of 1024 */
    LEAD_ID_BYTES_MAX = 255
};

enum lead_flags {
    LEAD_CORRECTED = 1, /* has a correct or retract event: no short cut */
    LEAD_TOMBSTONE = 2, /* only what a closed history left behind */
    LEAD_LISTED = 4,    /* waits in the list of closed groups */
    LEAD_CLOSED = 8,    /* of its state: lead_state_closed, lead_state_moves */
    LEAD_MOVES = 16,
    LEAD_BASED = 32 /* its first record is what a tombstone left */
};

struct lead {
    uint8_t *block;        /* id, state, events */
    int64_t accepted_ms;   /* T of its last accepted record (its group's) */
    uint32_t bytes;        /* used in the block */
    uint32_t group_next;   /* ring; itself: alone */
    uint32_t older, newer; /* the list of closed leads */
    uint8_t id_bytes, state_bytes, class, flags;
};

struct lead_table {
    struct lead **segments;
    uint32_t segment_count, segment_capacity;
    uint32_t count;  /* number 0 is no lead */
    uint64_t *slots; /* hash << 32 | number; 0: free */
    uint32_t slot_mask;
    uint32_t oldest, newest; /* list ends; 0: empty */
    uint8_t *free_blocks[LEAD_BLOCK_CLASSES];
    uint8_t *chunk;
    size_t chunk_left;
    void **chunks;
    size_t chunk_count, chunk_capacity;
};

void lead_table_init(struct lead_table *table);
void lead_table_close(struct lead_table *table);

/* The lead with this id (<= LEAD_ID_BYTES_MAX), made empty on first sight. */
uint32_t lead_table_number(struct lead_table *table, struct slice id);
static inline struct lead *lead_table_at(const struct lead_table *table, uint32_t number)
{
    return &table->segments[number >> LEAD_SEGMENT_BITS][number & ((1u << LEAD_SEGMENT_BITS) - 1)];
}
static inline uint32_t lead_table_count(const struct lead_table *table) { return table->count; }
/* For those who know early which lead they will ask for: ask the memory for its slot, then guess the lead by its hash
 * alone (0: none; it may be another one's). */
uint32_t lead_id_hash(struct slice id);
static inline void lead_table_fetch_slot(const struct lead_table *table, uint32_t hash)
{
    __builtin_prefetch(&table->slots[hash & table->slot_mask]);
}
uint32_t lead_table_guess(const struct lead_table *table, uint32_t hash);
/* All numbers sorted by id, into `order` (room for count); number 0 first. */
void lead_table_sorted(const struct lead_table *table, uint32_t *order);

/* Views of a lead's block, borrowed until it changes. */
static inline struct slice lead_id(const struct lead *lead) { return slice_make(lead->block, lead->id_bytes); }
static inline uint32_t lead_head_bytes(const struct lead *lead) { return (uint32_t)lead->id_bytes + lead->state_bytes; }
static inline struct slice lead_blob(const struct lead *lead)
{
    return slice_make(lead->block + lead_head_bytes(lead), lead->bytes - lead_head_bytes(lead));
}
static inline bool lead_has_events(const struct lead *lead) { return lead->bytes > lead_head_bytes(lead); }

/* The state as it was kept last; all 0 if never. */
void lead_state_of(const struct lead *lead, struct lead_state *state);
void lead_keep_state(struct lead_table *table, struct lead *lead, const struct lead_state *state);

/* Puts an encoded record into the blob at `offset`. */
void lead_table_insert(struct lead_table *table, struct lead *lead, size_t offset, struct slice record);
void lead_table_clear(struct lead_table *table, struct lead *lead); /* forgets the blob */

/* Joins the groups of two leads. */
bool lead_table_same_group(const struct lead_table *table, uint32_t a, uint32_t b);
void lead_table_join(struct lead_table *table, uint32_t a, uint32_t b);

/* The list of closed leads, oldest first. */
void lead_table_list(struct lead_table *table, uint32_t number);
void lead_table_unlist(struct lead_table *table, uint32_t number);

#endif
