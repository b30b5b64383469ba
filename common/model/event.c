/* event.c -- names, keys and what every reader of an event needs. See event.h. */
#include "model/event.h"

#include <xxhash.h>

static const char *const reasons[REJECT_REASON_COUNT] = {"none",
#define X(name) #name,
                                                         REJECT_REASONS(X)
#undef X
};

const char *reject_reason_name(enum reject_reason reason)
{
    return reason < REJECT_REASON_COUNT ? reasons[reason] : "none";
}

bool reject_reason_of(struct slice name, enum reject_reason *reason)
{
    for (unsigned i = REJECT_NONE + 1; i < REJECT_REASON_COUNT; i++)
        if (slice_is(name, reasons[i])) {
            *reason = (enum reject_reason)i;
            return true;
        }
    return false;
}

uint64_t event_key(const struct event *event)
{
    return XXH3_64bits(event->v[EV_EVENT_ID].s.p, event->v[EV_EVENT_ID].s.n);
}

int64_t event_recorded_at(const struct event *event)
{
    int64_t occurred = event->v[EV_OCCURRED_AT].i;
    if (!event_has(event, EV_RECORDED_AT) || event->v[EV_RECORDED_AT].i < occurred)
        return occurred;
    return event->v[EV_RECORDED_AT].i;
}

/* MurmurHash2, 32 bits, with the seed and the reading order of Kafka's Java client. */
static uint32_t murmur2(struct slice key)
{
    const uint32_t m = UINT32_C(0x5bd1e995);
    const uint8_t *p = (const uint8_t *)key.p;
    uint32_t h = UINT32_C(0x9747b28c) ^ (uint32_t)key.n;
    size_t n = key.n;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t k = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= m;
        k ^= k >> 24;
        k *= m;
        h = h * m ^ k;
    }
    if (n > 2)
        h ^= (uint32_t)p[2] << 16;
    if (n > 1)
        h ^= (uint32_t)p[1] << 8;
    if (n > 0)
        h = (h ^ p[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

uint32_t event_partition(struct slice key, uint32_t partitions)
{
    return partitions ? (murmur2(key) & UINT32_C(0x7fffffff)) % partitions : 0;
}
