/* lead_pack.h -- the state of a lead at rest: about 30 bytes instead of 96.
 *
 * Three bytes say which fields are not 0 and hold the small ones; then the fields as varints, instants as distances
 * from the last event. Only for memory: what is saved is the events, from which the state is computed again. */
#ifndef MODEL_LEAD_PACK_H
#define MODEL_LEAD_PACK_H

#include "model/lead_fold.h"

enum { LEAD_PACK_BYTES_MAX = 192 };

/* Returns how many bytes of `out` were written. */
size_t lead_pack(const struct lead_state *state, uint8_t out[LEAD_PACK_BYTES_MAX]);
/* The inverse. The bytes are our own: damage is a bug. */
void lead_unpack(const uint8_t *bytes, struct lead_state *state);

#endif
