/* zone.h -- local time of one IANA zone from resolved transitions (plan records carry them; machines read no zone
 * files). Instants int64 ms UTC. Exact across DST: a local day runs from the first instant of a date to the first
 * instant of the next (semantics 0.1). */
#ifndef TIME_ZONE_H
#define TIME_ZONE_H

#include "base/buf.h"
#include "base/err.h"

enum { ZONE_TRANSITIONS_MAX = 4096 };

struct zone_transition {
    int64_t at_ms;
    int32_t offset_s; /* UTC offset from at_ms on */
};
struct zone {
    int32_t first_offset_s; /* before the first transition */
    uint32_t count;
    struct zone_transition *transitions; /* ascending */
};
void zone_init_utc(struct zone *zone);
void zone_close(struct zone *zone);
bool zone_add(struct zone *zone, int64_t at_ms, int32_t offset_s); /* ascending, bounded; false: refused */

int32_t zone_offset_s(const struct zone *zone, int64_t at_ms);
/* Local date of an instant: days since 1970-01-01. */
int32_t zone_day(const struct zone *zone, int64_t at_ms);
/* First instant of a local date (in a DST gap at midnight: the transition). */
int64_t zone_day_start_ms(const struct zone *zone, int32_t day);
/* Instant of a local wall time; in a gap the transition, in an overlap the first (or last) occurrence. */
int64_t zone_instant_ms(const struct zone *zone, int32_t day, int32_t ms_of_day, bool last);

/* Proleptic Gregorian arithmetic. month 1..12. */
int32_t date_from_civil(int32_t year, int32_t month, int32_t day);
void date_to_civil(int32_t days, int32_t *year, int32_t *month, int32_t *day);
uint8_t date_weekday(int32_t days); /* 0 = Monday */

/* The only reader of zone files: `plan apply` resolves a zone (TZif v2+ with its POSIX footer under `zoneinfo`,
 * normally /usr/share/zoneinfo) into transitions of [from_ms, to_ms). */
enum err_code zone_resolve(const char *zoneinfo, struct slice name, int64_t from_ms, int64_t to_ms, struct zone *zone,
                           struct err *err);

#endif
