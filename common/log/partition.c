/* partition.c -- the partition of a record key: MurmurHash2 (public domain, Austin Appleby) with the seed and the
 * masking of Kafka's Java client, so that every client of the ecosystem sends a tenant to the same shard. */
#include <assert.h>

#include "log/log.h"

static uint32_t word_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t murmur2(struct slice key)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *p = (const uint8_t *)key.p;
    size_t left = key.n;
    uint32_t h = 0x9747b28cU ^ (uint32_t)key.n;
    for (; left >= 4; p += 4, left -= 4) {
        uint32_t k = word_at(p) * m;
        h = h * m ^ (k ^ k >> 24) * m;
    }
    if (left == 3)
        h ^= (uint32_t)p[2] << 16;
    if (left >= 2)
        h ^= (uint32_t)p[1] << 8;
    if (left >= 1)
        h = (h ^ p[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

uint32_t log_partition_of_key(struct slice key, uint32_t partitions)
{
    assert(partitions > 0);
    return (murmur2(key) & 0x7fffffff) % partitions;
}
