/* merge.h -- which source is read next, and when is it time for a tick? (design 5.1, 5.2, 5.7)
 *
 * Live sources are taken by append time. While the oldest record at hand is more than 1 s old, one that neither
 * delivers nor is at its end is waited for, at most 30 s, so that after an outage nobody's past overtakes another's.
 * The import source is taken only when no live source has anything. Pure: times are parameters. One owner. */
#ifndef LEDGER_MERGE_H
#define LEDGER_MERGE_H

#include "ledger/record.h"

enum {
    MERGE_BEHIND_MS = 1000,
    MERGE_SILENT_MS_MAX = 30 * 1000,
    TICK_ACTIVE_MS = 60 * 1000,
    TICK_FAST_MS = 1000,
    TICK_SLOW_MS = 15 * 1000
};

struct merge_source {
    bool head;       /* a record is at hand */
    int64_t head_ms; /* its append time */
    bool at_end;     /* read to an end that was learnt within the last second */
};

struct merge {
    int64_t silent_since_ms[LEDGER_SOURCE_COUNT]; /* monotonic; -1: not waited for */
    bool stalled[LEDGER_SOURCE_COUNT];            /* given up until it delivers or is at its end */
    int64_t active_ms;                            /* monotonic time of the last record taken */
    int64_t tick_ms;                              /* of the last tick */
};

enum merge_answer {
    MERGE_TAKE,    /* from *source */
    MERGE_WAIT,    /* for a silent source */
    MERGE_STALLED, /* *source was waited for in vain: say so, call merge_told, then ask again */
    MERGE_IDLE     /* nothing is at hand */
};

void merge_init(struct merge *merge, int64_t monotonic_ms);
enum merge_answer merge_next(struct merge *merge, const struct merge_source sources[LEDGER_SOURCE_COUNT],
                             int64_t now_ms, int64_t monotonic_ms, enum ledger_source *source);
/* The control that *source stalled stands in a block; until then it is answered again. */
void merge_told(struct merge *merge, enum ledger_source source);

/* Every live source is at its end and the interval since the last tick is over. ticked tells that one was written. */
bool merge_tick_due(const struct merge *merge, const struct merge_source sources[LEDGER_SOURCE_COUNT],
                    int64_t monotonic_ms);
void merge_ticked(struct merge *merge, int64_t monotonic_ms);
/* How long until the next tick can be due, in ms, >= 0. */
int64_t merge_tick_in_ms(const struct merge *merge, int64_t monotonic_ms);

#endif
