#include "delta.h"

#include <assert.h>
#include <stdlib.h>

void delta_init(struct delta_buffer *deltas) { *deltas = (struct delta_buffer){0}; }

void delta_close(struct delta_buffer *deltas)
{
    free(deltas->items);
    *deltas = (struct delta_buffer){0};
}

static void grow(struct delta_buffer *deltas)
{
    deltas->capacity = deltas->capacity ? deltas->capacity * 2 : DELTAS_MIN;
    deltas->items = realloc(deltas->items, deltas->capacity * sizeof *deltas->items);
    if (!deltas->items)
        abort();
}

void delta_add(struct delta_buffer *deltas, const struct lead_posting *posting, int32_t day, int32_t restated_on,
               bool touched)
{
    assert(!delta_full(deltas));
    if (deltas->count == deltas->capacity)
        grow(deltas);
    deltas->items[deltas->count++] = (struct delta){.leaf = posting->leaf,
                                                    .leaf_to = posting->leaf_to,
                                                    .minute = (uint32_t)(posting->at_ms / 60000),
                                                    .day = day,
                                                    .restated_on = restated_on,
                                                    .currency = posting->currency,
                                                    .stage = posting->stage,
                                                    .slot = posting->slot,
                                                    .touched = touched,
                                                    .count = posting->count,
                                                    .amount = posting->amount};
}
