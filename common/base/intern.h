/* intern.h -- a table of texts with dense numbers 0, 1, 2 ... in order of first sight; the bytes never move.
 *
 * Equal bytes have equal numbers. Texts are NUL-terminated behind their length. Bounded. Nothing is ever removed,
 * except all at once. Numbers depend on the order of calls only. One owner. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/map.h"

#define INTERN_NONE MAP_NONE

struct intern_chunk;
struct intern {
    struct map map;
    struct slice *texts; /* by number */
    uint32_t count;
    uint32_t cap;
    struct intern_chunk *chunks;
    size_t bytes; /* of all texts */
};

void intern_init(struct intern *intern, uint32_t count_max);
void intern_close(struct intern *intern);
uint32_t intern_put(struct intern *intern, struct slice text);          /* known or new number; INTERN_NONE: full */
uint32_t intern_get(const struct intern *intern, struct slice text);    /* INTERN_NONE: unknown */
struct slice intern_text(const struct intern *intern, uint32_t number); /* number < count */

#endif
