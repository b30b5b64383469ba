/* fault.h -- named points at which tests kill the process: FAULT_POINT("ledger.before_append").
 *
 * PACELINE_FAULT=NAME:N in the environment ends the process by _exit(86) at the N-th hit of NAME (1-based);
 * PACELINE_FAULT_COUNT=FILE appends "NAME hits" lines at exit, so that a test can prove that every point was
 * reached; a forked child that must not tell its parent's hits again ends by _exit. Without either variable a point
 * costs one predictable branch. Thread-safe. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

#define FAULT_EXIT_CODE 86

extern bool fault_armed; /* set once by fault_init */
void fault_init(void);   /* reads the environment; call first in main() */
void fault_hit(const char *name);

#define FAULT_POINT(name)                                                                                              \
    do {                                                                                                               \
        if (__builtin_expect(fault_armed, 0))                                                                          \
            fault_hit(name);                                                                                           \
    } while (0)

#endif
