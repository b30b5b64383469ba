/* delta.h -- contributions waiting to be added up into cells.
 *
 * Folding only appends here; adding up the org tree, the dimensions and the panes is done for many contributions at
 * once (roll.h), right before cells are read (projection, snapshot, recount) or when the buffer is full. Sums do not
 * depend on when that happens. */
#ifndef FUNNEL_DELTA_H
#define FUNNEL_DELTA_H

#include "model/lead_fold.h"

enum { DELTAS_MIN = 64, DELTAS_MAX = 32 * 1024 };

struct delta {
    uint32_t leaf, leaf_to;
    uint32_t minute;     /* since 1970 */
    int32_t day;         /* local */
    int32_t restated_on; /* local day of T when an event changed it behind the end of its day; 0: never */
    uint32_t currency;
    uint16_t stage;
    uint8_t slot;
    bool touched; /* by an event */
    int64_t count, amount;
};
struct delta_buffer {
    struct delta *items;
    uint32_t count, capacity; /* grows up to DELTAS_MAX: most tenants are small */
};

void delta_init(struct delta_buffer *deltas);
void delta_close(struct delta_buffer *deltas);
static inline bool delta_full(const struct delta_buffer *deltas) { return deltas->count >= DELTAS_MAX; }
/* Adds one posting of local day `day`. The buffer must not be full. */
void delta_add(struct delta_buffer *deltas, const struct lead_posting *posting, int32_t day, int32_t restated_on,
               bool touched);

#endif
