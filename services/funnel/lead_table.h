/* lead_table.h -- the leads of one tenant: id -> lead, its event blob, its state, its group, its turn to expire.
 *
 * Blobs live in blocks of a few sizes cut from large chunks, so that an append seldom moves and never calls malloc.
 * Leads joined by merges form a ring (group_next) and are folded together (semantics 2.1). Closed groups stand in a
 * list in the order of their last accepted record: its head is the next to become a tombstone (0.3). */
#ifndef FUNNEL_LEAD_TABLE_H
#define FUNNEL_LEAD_TABLE_H

#include "model/lead_fold.h"

enum { LEAD_BLOCK_CLASSES = 48, LEAD_CHUNK_BYTES = 256 * 1024 };

enum lead_flags {
    LEAD_CORRECTED = 1, /* has a correct or retract event: no short cut */
    LEAD_TOMBSTONE = 2, /* only what a closed history left behind */
    LEAD_LISTED = 4     /* waits in the list of closed groups */
};

struct lead {
    uint8_t *blob;
    uint32_t bytes, capacity;
    uint32_t group_next;   /* ring; itself: alone */
    uint32_t older, newer; /* the list of closed leads */
    uint8_t flags;
    int64_t accepted_ms; /* T of its last accepted record (its group's) */
    struct lead_state state;
};

struct lead_table {
    struct lead_symbols ids; /* a lead's number is its id's; 0 is no lead */
    struct lead *leads;
    uint32_t capacity;
    uint32_t oldest, newest; /* list ends; 0: empty */
    uint8_t *free_blocks[LEAD_BLOCK_CLASSES];
    uint8_t *chunk;
    size_t chunk_left;
    void **chunks;
    size_t chunk_count, chunk_capacity;
    uint64_t blob_bytes; /* bytes of events held, for the published size */
};

void lead_table_init(struct lead_table *table);
void lead_table_close(struct lead_table *table);

/* The lead with this id, made empty on first sight. Pointers move with the next new lead. */
uint32_t lead_table_number(struct lead_table *table, struct slice id);
static inline struct lead *lead_table_at(struct lead_table *table, uint32_t number) { return &table->leads[number]; }
static inline uint32_t lead_table_count(const struct lead_table *table) { return table->ids.count; }
static inline struct slice lead_blob(const struct lead *lead) { return slice_make(lead->blob, lead->bytes); }

/* Puts an encoded record into the blob at `offset`. */
void lead_table_insert(struct lead_table *table, struct lead *lead, size_t offset, struct slice record);
void lead_table_clear(struct lead_table *table, struct lead *lead); /* forgets the blob */

/* Joins the groups of two leads. */
bool lead_table_same_group(struct lead_table *table, uint32_t a, uint32_t b);
void lead_table_join(struct lead_table *table, uint32_t a, uint32_t b);

/* The list of closed leads, oldest first. */
void lead_table_list(struct lead_table *table, uint32_t number);
void lead_table_unlist(struct lead_table *table, uint32_t number);

#endif
