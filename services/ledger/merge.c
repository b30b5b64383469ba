/* merge.c -- see merge.h. */
#include "merge.h"

void merge_init(struct merge *merge, int64_t monotonic_ms)
{
    *merge = (struct merge){.active_ms = monotonic_ms, .tick_ms = monotonic_ms - TICK_FAST_MS};
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        merge->silent_since_ms[s] = -1;
}

static bool live(unsigned source) { return source != LEDGER_SOURCE_IMPORT; }

/* The live source whose head is oldest; LEDGER_SOURCE_COUNT: none has one. */
static unsigned oldest_head(const struct merge_source *sources)
{
    unsigned oldest = LEDGER_SOURCE_COUNT;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        if (live(s) && sources[s].head &&
            (oldest == LEDGER_SOURCE_COUNT || sources[s].head_ms < sources[oldest].head_ms))
            oldest = s;
    return oldest;
}

static bool silent(const struct merge_source *source) { return !source->head && !source->at_end; }

static void forget_awake(struct merge *merge, const struct merge_source *sources)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        if (!silent(&sources[s])) {
            merge->silent_since_ms[s] = -1;
            merge->stalled[s] = false;
        }
}

/* Is a silent live source to be waited for? *overdue: the first that was waited for long enough. */
static bool must_wait(struct merge *merge, const struct merge_source *sources, int64_t monotonic_ms, unsigned *overdue)
{
    bool wait = false;
    *overdue = LEDGER_SOURCE_COUNT;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        if (!live(s) || !silent(&sources[s]) || merge->stalled[s])
            continue;
        wait = true;
        if (merge->silent_since_ms[s] < 0)
            merge->silent_since_ms[s] = monotonic_ms;
        if (*overdue == LEDGER_SOURCE_COUNT && monotonic_ms - merge->silent_since_ms[s] >= MERGE_SILENT_MS_MAX)
            *overdue = s;
    }
    return wait;
}

enum merge_answer merge_next(struct merge *merge, const struct merge_source sources[LEDGER_SOURCE_COUNT],
                             int64_t now_ms, int64_t monotonic_ms, enum ledger_source *source)
{
    unsigned oldest = oldest_head(sources), overdue;
    forget_awake(merge, sources);
    if (oldest == LEDGER_SOURCE_COUNT && sources[LEDGER_SOURCE_IMPORT].head)
        oldest = LEDGER_SOURCE_IMPORT;
    if (oldest == LEDGER_SOURCE_COUNT)
        return MERGE_IDLE;
    bool behind = live(oldest) && sources[oldest].head_ms < now_ms - MERGE_BEHIND_MS;
    if (behind && must_wait(merge, sources, monotonic_ms, &overdue)) {
        if (overdue == LEDGER_SOURCE_COUNT)
            return MERGE_WAIT;
        *source = (enum ledger_source)overdue;
        return MERGE_STALLED;
    }
    merge->active_ms = monotonic_ms;
    *source = (enum ledger_source)oldest;
    return MERGE_TAKE;
}

void merge_told(struct merge *merge, enum ledger_source source) { merge->stalled[source] = true; }

static int64_t tick_every_ms(const struct merge *merge, int64_t monotonic_ms)
{
    return monotonic_ms - merge->active_ms < TICK_ACTIVE_MS ? TICK_FAST_MS : TICK_SLOW_MS;
}

bool merge_tick_due(const struct merge *merge, const struct merge_source sources[LEDGER_SOURCE_COUNT],
                    int64_t monotonic_ms)
{
    if (monotonic_ms - merge->tick_ms < tick_every_ms(merge, monotonic_ms))
        return false;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        if (live(s) && (sources[s].head || !sources[s].at_end))
            return false;
    return true;
}

void merge_ticked(struct merge *merge, int64_t monotonic_ms) { merge->tick_ms = monotonic_ms; }

int64_t merge_tick_in_ms(const struct merge *merge, int64_t monotonic_ms)
{
    int64_t left_ms = merge->tick_ms + tick_every_ms(merge, monotonic_ms) - monotonic_ms;
    return left_ms > 0 ? left_ms : 0;
}
