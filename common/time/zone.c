/* zone.c -- lookups in the resolved transitions of one zone.
 *
 * The transitions cut the instant line into segments of one offset. All questions about wall time walk the few
 * segments that can hold it: offsets are less than 26 h, so an instant lies within 26 h of its wall time read as UTC.
 */
#include "time/zone.h"

#include <assert.h>
#include <stdlib.h>

enum { OFFSET_S_MAX = 26 * 3600 };
#define DAY_MS   86400000ll
#define REACH_MS (OFFSET_S_MAX * 1000ll)

void zone_init_utc(struct zone *zone) { *zone = (struct zone){0}; }

void zone_close(struct zone *zone)
{
    free(zone->transitions);
    *zone = (struct zone){0};
}

bool zone_add(struct zone *zone, int64_t at_ms, int32_t offset_s)
{
    if (zone->count >= ZONE_TRANSITIONS_MAX || offset_s <= -OFFSET_S_MAX || offset_s >= OFFSET_S_MAX)
        return false;
    if (zone->count && zone->transitions[zone->count - 1].at_ms >= at_ms)
        return false;
    if ((zone->count & (zone->count - 1)) == 0) { /* full at every power of two */
        size_t cap = zone->count ? 2 * (size_t)zone->count : 1;
        struct zone_transition *grown = realloc(zone->transitions, cap * sizeof *grown);
        if (!grown)
            abort();
        zone->transitions = grown;
    }
    zone->transitions[zone->count++] = (struct zone_transition){at_ms, offset_s};
    return true;
}

/* Segment of an instant: 0 before the first transition, i from transition i - 1 on. */
static uint32_t segment_of(const struct zone *zone, int64_t at_ms)
{
    uint32_t low = 0, high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].at_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t segment_offset_ms(const struct zone *zone, uint32_t segment)
{
    return 1000ll * (segment ? zone->transitions[segment - 1].offset_s : zone->first_offset_s);
}

static int64_t segment_start_ms(const struct zone *zone, uint32_t segment)
{
    return segment ? zone->transitions[segment - 1].at_ms : INT64_MIN;
}

static int64_t segment_end_ms(const struct zone *zone, uint32_t segment)
{
    return segment < zone->count ? zone->transitions[segment].at_ms : INT64_MAX;
}

int32_t zone_offset_s(const struct zone *zone, int64_t at_ms)
{
    return (int32_t)(segment_offset_ms(zone, segment_of(zone, at_ms)) / 1000);
}

/* First instant whose wall time is at or after `wall_ms`: its first occurrence, or the transition that skips it. */
static int64_t first_at_or_after(const struct zone *zone, int64_t wall_ms)
{
    for (uint32_t segment = segment_of(zone, wall_ms - REACH_MS);; segment++) {
        int64_t at_ms = wall_ms - segment_offset_ms(zone, segment);
        if (at_ms < segment_start_ms(zone, segment))
            return segment_start_ms(zone, segment);
        if (at_ms < segment_end_ms(zone, segment))
            return at_ms;
        assert(segment < zone->count);
    }
}

int64_t zone_day_start_ms(const struct zone *zone, int32_t day) { return first_at_or_after(zone, day * DAY_MS); }

int32_t zone_day(const struct zone *zone, int64_t at_ms)
{
    int64_t wall_ms = at_ms + segment_offset_ms(zone, segment_of(zone, at_ms));
    int64_t day = wall_ms / DAY_MS - (wall_ms % DAY_MS < 0);
    /* A clock set back across midnight shows the old date again: the new day has begun all the same. */
    while (at_ms >= zone_day_start_ms(zone, (int32_t)day + 1))
        day++;
    return (int32_t)day;
}

int64_t zone_instant_ms(const struct zone *zone, int32_t day, int32_t ms_of_day, bool last)
{
    int64_t wall_ms = day * DAY_MS + ms_of_day;
    int64_t found_ms = first_at_or_after(zone, wall_ms);
    if (!last)
        return found_ms;
    uint32_t end = segment_of(zone, wall_ms + REACH_MS);
    for (uint32_t segment = segment_of(zone, found_ms); segment <= end; segment++) {
        int64_t at_ms = wall_ms - segment_offset_ms(zone, segment);
        if (at_ms >= segment_start_ms(zone, segment) && at_ms < segment_end_ms(zone, segment))
            found_ms = at_ms;
    }
    return found_ms;
}
