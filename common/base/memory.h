/* memory.h -- what to do when memory runs out: stop. Sizes are checked before, so it is a state nobody can fold out of.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdio.h>
#include <stdlib.h>

/* Passes p through; aborts when it is NULL. For malloc, calloc, realloc, strdup. */
static inline void *memory_must(void *p)
{
    if (!p) {
        fputs("paceline: out of memory\n", stderr);
        abort();
    }
    return p;
}

#endif
