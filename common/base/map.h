/* map.h -- bytes to a 32-bit number: open addressing, linear probing, XXH3, load at most 3/4.
 *
 * The map borrows its keys: their owner keeps them in place while they are in the map (intern.h does). The hash is
 * seeded at random per process, because keys come from outside: never let an output depend on the order of map_next.
 * Bounded: map_put refuses beyond count_max. Deleting shifts back, there are no tombstones. One owner. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define MAP_NONE UINT32_MAX /* never a value */

struct map_slot {
    const char *key; /* NULL: free */
    uint32_t key_bytes;
    uint32_t value;
    uint64_t hash;
};
struct map {
    struct map_slot *slots;
    uint32_t count;
    uint32_t count_max;
    uint32_t mask; /* slots - 1; 0 and slots NULL before the first put */
};

void map_init(struct map *map, uint32_t count_max); /* count_max <= 2^30 */
void map_close(struct map *map);                    /* frees, leaves it empty and usable */
void map_clear(struct map *map);                    /* forgets the entries, keeps the room */

uint32_t map_get(const struct map *map, struct slice key); /* MAP_NONE: absent */
/* Sets or overwrites (the first key's bytes stay). False: full. value != MAP_NONE. Key at most 4 GiB - 1. */
bool map_put(struct map *map, struct slice key, uint32_t value);
bool map_remove(struct map *map, struct slice key); /* false: absent */

/* Walks the entries in no meaningful order: *at = 0 first, NULL at the end. No change while walking. */
const struct map_slot *map_next(const struct map *map, uint32_t *at);

uint64_t map_hash(struct slice key); /* seeded; for tables that store no hash */

#endif
