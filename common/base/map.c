/* map.c -- see map.h. */
#define XXH_INLINE_ALL
#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <xxhash.h>

#include "base/memory.h"

enum { MAP_FIRST_SLOTS = 16 };
static const uint32_t map_count_max = UINT32_C(1) << 30;

static uint64_t process_seed;

static void draw_seed(void)
{
    if (getrandom(&process_seed, sizeof process_seed, 0) == (ssize_t)sizeof process_seed)
        return;
    struct timespec now; /* no random bytes: a seed an outsider has to guess is better than none */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    process_seed = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)(uintptr_t)&now;
}

uint64_t map_hash(struct slice key)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, draw_seed);
    return XXH3_64bits_withSeed(key.n ? key.p : "", key.n, process_seed);
}

void map_init(struct map *map, uint32_t count_max)
{
    assert(count_max <= map_count_max);
    *map = (struct map){.count_max = count_max};
}

void map_close(struct map *map)
{
    free(map->slots);
    *map = (struct map){.count_max = map->count_max};
}

void map_clear(struct map *map)
{
    if (map->slots)
        memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof *map->slots);
    map->count = 0;
}

static bool is_key(const struct map_slot *slot, struct slice key, uint64_t hash)
{
    return slot->hash == hash && slot->key_bytes == key.n && (key.n == 0 || memcmp(slot->key, key.p, key.n) == 0);
}

/* The slot of the key, or the free one where it would go. There is always a free one. */
static struct map_slot *probe(const struct map *map, struct slice key, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & map->mask;; i = (i + 1) & map->mask) {
        struct map_slot *slot = &map->slots[i];
        if (!slot->key || is_key(slot, key, hash))
            return slot;
    }
}

static void grow(struct map *map)
{
    size_t old_count = map->slots ? (size_t)map->mask + 1 : 0;
    size_t new_count = old_count ? old_count * 2 : MAP_FIRST_SLOTS;
    struct map_slot *old = map->slots;
    map->slots = memory_must(calloc(new_count, sizeof *map->slots));
    map->mask = (uint32_t)(new_count - 1);
    for (size_t i = 0; i < old_count; i++) {
        if (!old[i].key)
            continue;
        uint32_t at = (uint32_t)old[i].hash & map->mask;
        while (map->slots[at].key)
            at = (at + 1) & map->mask;
        map->slots[at] = old[i];
    }
    free(old);
}

uint32_t map_get(const struct map *map, struct slice key)
{
    if (map->count == 0)
        return MAP_NONE;
    const struct map_slot *slot = probe(map, key, map_hash(key));
    return slot->key ? slot->value : MAP_NONE;
}

bool map_put(struct map *map, struct slice key, uint32_t value)
{
    assert(value != MAP_NONE && key.n < UINT32_MAX);
    uint64_t hash = map_hash(key);
    if (map->slots) {
        struct map_slot *slot = probe(map, key, hash);
        if (slot->key) {
            slot->value = value;
            return true;
        }
    }
    if (map->count == map->count_max)
        return false;
    if (!map->slots || (uint64_t)(map->count + 1) * 4 > ((uint64_t)map->mask + 1) * 3)
        grow(map);
    *probe(map, key, hash) =
        (struct map_slot){.key = key.p ? key.p : "", .key_bytes = (uint32_t)key.n, .value = value, .hash = hash};
    map->count++;
    return true;
}

/* Moves later entries of the run into the hole, as far as their home allows. */
static void close_hole(struct map *map, uint32_t hole)
{
    for (uint32_t i = (hole + 1) & map->mask; map->slots[i].key; i = (i + 1) & map->mask) {
        uint32_t home = (uint32_t)map->slots[i].hash & map->mask;
        if (((i - home) & map->mask) < ((i - hole) & map->mask))
            continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct map_slot){0};
}

bool map_remove(struct map *map, struct slice key)
{
    if (map->count == 0)
        return false;
    struct map_slot *slot = probe(map, key, map_hash(key));
    if (!slot->key)
        return false;
    close_hole(map, (uint32_t)(slot - map->slots));
    map->count--;
    return true;
}

const struct map_slot *map_next(const struct map *map, uint32_t *at)
{
    if (!map->slots)
        return NULL;
    while (*at <= map->mask) {
        const struct map_slot *slot = &map->slots[(*at)++];
        if (slot->key)
            return slot;
    }
    return NULL;
}
