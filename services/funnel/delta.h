/* delta.h -- contributions waiting to be added up into cells.
 *
 * Folding books at the leaf, one entry per (leaf, stage, slot, minute); rolling up the org tree, the dimensions and
 * the panes is done for many events at once, right before cells are read (projection, snapshot, recount) or when the
 * buffer is full. Sums do not depend on when that happens. */
#ifndef FUNNEL_DELTA_H
#define FUNNEL_DELTA_H

#include "cell.h"

enum { DELTAS_MIN = 64, DELTAS_MAX = 256 * 1024 };

struct delta_key {
    uint64_t leaves; /* leaf << 32 | leaf_to */
    uint64_t what;   /* stage << 48 | slot << 40 | currency */
    uint64_t when;   /* minute << 32 | local day */
};
struct delta {
    struct delta_key key;
    int64_t count, amount;
    int32_t restated_on; /* local day of T when an event changed it behind the end of its day; 0: never */
    bool touched;        /* by an event */
};
struct delta_buffer {
    struct delta *items;
    uint32_t count, capacity; /* grows up to DELTAS_MAX: most tenants are small */
    uint32_t *slots;          /* place of an item + 1; twice the capacity, a power of two */
};

void delta_init(struct delta_buffer *deltas);
void delta_close(struct delta_buffer *deltas);
static inline bool delta_full(const struct delta_buffer *deltas) { return deltas->count >= DELTAS_MAX; }
/* Adds one posting of local day `day`. The buffer must not be full. */
void delta_add(struct delta_buffer *deltas, const struct lead_posting *posting, int32_t day, int32_t restated_on,
               bool touched);
/* Adds everything into the cells and empties the buffer. Panes that expired before are left out. */
void delta_roll_up(struct delta_buffer *deltas, const struct lead_book *book, struct cell_table *cells);

#endif
