#include "lead_pack.h"

/* Fields behind the mask, a bit each, in this order. */
#define LEAD_PACK_FIELDS(X)                                                                                            \
    X(0, owner)                                                                                                        \
    X(1, leaf)                                                                                                         \
    X(2, reached)                                                                                                      \
    X(3, cycle)                                                                                                        \
    X(4, visits)                                                                                                       \
    X(5, ord)                                                                                                          \
    X(6, stage)                                                                                                        \
    X(7, last_open) X(8, pipeline) X(9, channel) X(10, steps) X(11, lost_owner) X(12, currency) X(13, amount)
/* Instants, as the distance from at_ms. */
#define LEAD_PACK_INSTANTS(X) X(14, visit_at_ms) X(15, cycle_at_ms) X(16, lost_at_ms)

enum { PACK_KIND = 17, PACK_HAS_AMOUNT = 19, PACK_MERGED, PACK_TRUNCATED, PACK_BITS, MASK_BYTES = 3 };
_Static_assert(PACK_BITS <= MASK_BYTES * 8, "the mask has three bytes");
_Static_assert(STAGE_POOL < 4 && STAGE_OPEN < 4 && STAGE_WON < 4 && STAGE_LOST < 4, "a kind has two bits");
_Static_assert(MASK_BYTES + (1 + 14 + 3) * 10 <= LEAD_PACK_BYTES_MAX, "varints of 64 bits take up to ten bytes");

static inline uint8_t *put(uint8_t *out, int64_t value)
{
    uint64_t rest = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    while (rest >= 128) {
        *out++ = (uint8_t)(rest | 128);
        rest >>= 7;
    }
    *out++ = (uint8_t)rest;
    return out;
}

static inline const uint8_t *get(const uint8_t *in, int64_t *value)
{
    uint64_t sum = *in & 127;
    for (unsigned shift = 7; *in++ & 128; shift += 7)
        sum |= (uint64_t)(*in & 127) << shift;
    *value = (int64_t)(sum >> 1) ^ -(int64_t)(sum & 1);
    return in;
}

size_t lead_pack(const struct lead_state *state, uint8_t out[LEAD_PACK_BYTES_MAX])
{
    uint32_t mask = (uint32_t)state->kind << PACK_KIND | (uint32_t)state->has_amount << PACK_HAS_AMOUNT |
                    (uint32_t)state->merged << PACK_MERGED | (uint32_t)state->truncated << PACK_TRUNCATED;
    uint8_t *at = put(out + MASK_BYTES, state->at_ms);
#define X(bit, field)                                                                                                  \
    if (state->field) {                                                                                                \
        mask |= 1u << (bit);                                                                                           \
        at = put(at, (int64_t)state->field);                                                                           \
    }
    LEAD_PACK_FIELDS(X)
#undef X
#define X(bit, field)                                                                                                  \
    if (state->field) {                                                                                                \
        mask |= 1u << (bit);                                                                                           \
        at = put(at, state->at_ms - state->field);                                                                     \
    }
    LEAD_PACK_INSTANTS(X)
#undef X
    for (unsigned i = 0; i < MASK_BYTES; i++)
        out[i] = (uint8_t)(mask >> 8 * i);
    return (size_t)(at - out);
}

void lead_unpack(const uint8_t *bytes, struct lead_state *state)
{
    uint32_t mask = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    int64_t value;
    memset(state, 0, sizeof *state);
    const uint8_t *at = get(bytes + MASK_BYTES, &state->at_ms);
#define X(bit, field)                                                                                                  \
    if (mask >> (bit)&1) {                                                                                             \
        at = get(at, &value);                                                                                          \
        state->field = (__typeof__(state->field))value;                                                                \
    }
    LEAD_PACK_FIELDS(X)
#undef X
#define X(bit, field)                                                                                                  \
    if (mask >> (bit)&1) {                                                                                             \
        at = get(at, &value);                                                                                          \
        state->field = state->at_ms - value;                                                                           \
    }
    LEAD_PACK_INSTANTS(X)
#undef X
    state->kind = mask >> PACK_KIND & 3;
    state->has_amount = mask >> PACK_HAS_AMOUNT & 1;
    state->merged = mask >> PACK_MERGED & 1;
    state->truncated = mask >> PACK_TRUNCATED & 1;
}
