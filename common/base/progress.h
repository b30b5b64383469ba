/* progress.h -- how far a long command is: a bar with rate and time left on a terminal, a plain line now and then
 * otherwise, nothing when it is off. Writes to stderr (or a given stream), never to stdout. One owner. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"

enum progress_mode { PROGRESS_OFF, PROGRESS_LINES, PROGRESS_BAR };

struct progress {
    enum progress_mode mode;
    FILE *out;
    struct clock *clock;
    const char *what; /* "import", "replay" */
    const char *unit; /* "rows" */
    uint64_t total;   /* 0 = unknown */
    uint64_t done;
    int64_t start_ms; /* monotonic */
    int64_t shown_ms; /* of the last line; 0 = none yet */
};

/* PROGRESS_OFF when `off` (--no-progress, --quiet), a bar when `out` is a terminal, lines otherwise. */
enum progress_mode progress_mode_for(FILE *out, bool off);
void progress_init(struct progress *progress, enum progress_mode mode, FILE *out, struct clock *clock, const char *what,
                   const char *unit, uint64_t total);
/* `done` is absolute. Shows at most 5 bars a second, or one line in 5 s. Cheap enough to call per batch. */
void progress_set(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress); /* the last state and a line end */

#endif
