/* plan_value.h -- the texts of a plan as values (formats 0): durations, dates, periods, times of day, percents, ids.
 *
 * Every parser takes the whole text or refuses it: no blanks, no rest, no guess. Pure. */
#ifndef MODEL_PLAN_VALUE_H
#define MODEL_PLAN_VALUE_H

#include "base/slice.h"
#include "time/zone.h"

enum duration_unit {
    DURATION_ELAPSED, /* ms s m h d w */
    DURATION_WORKING, /* wm wh: milliseconds of working time */
    DURATION_WORKDAYS /* wd: thousandths of the calendar's day_hours */
};
struct plan_duration {
    enum duration_unit unit;
    int64_t amount; /* ms, or 1/1000 working day */
};
enum { DURATION_DAYS_MAX = 3660 };
/* Number with at most 3 decimals and a unit, a whole number of ms (of 1/1000 wd), at most 3,660 d. */
bool plan_parse_duration(struct slice text, struct plan_duration *duration);
int64_t plan_elapsed_ms(struct slice text, int64_t otherwise); /* an elapsed duration, else `otherwise` */

bool plan_parse_date(struct slice text, int32_t *day); /* 2026-03-01 */
/* Both days included; a single date is a range of one day. */
bool plan_parse_dates(struct slice text, int32_t *first, int32_t *last);
/* 2026, 2026-Q1, 2026-03, or a date range. */
bool plan_parse_period(struct slice text, int32_t *first, int32_t *last);
/* RFC 3339 with Z or offset, or integer ms; what is finer than ms is cut off. */
bool plan_parse_instant(struct slice text, int64_t *at_ms);
/* Date (local midnight of the zone) or instant. */
bool plan_parse_when(struct slice text, const struct zone *zone, int64_t *at_ms);
/* 09:00 .. 23:59, 24:00; minutes of the day. */
bool plan_parse_time(struct slice text, int32_t *minutes);
/* "09:00-12:00": from < to. */
bool plan_parse_hours(struct slice text, int32_t *from, int32_t *to);
bool plan_parse_weekday(struct slice text, uint8_t *weekday); /* mon = 0 .. sun */
bool plan_parse_weekdays(struct slice text, uint8_t *set);    /* "mon-fri", "mon, wed": a bit a day */
/* 80%, 99.9%, -8pp: ppm. Percent: not negative, at most 4 decimals. */
bool plan_parse_percent(struct slice text, int64_t *ppm);
bool plan_parse_points(struct slice text, int64_t *ppm);
/* Decimal without exponent as value x 10^digits, further decimals refused. */
bool plan_parse_decimal(struct slice text, unsigned digits, int64_t *scaled);
bool plan_parse_int(struct slice text, int64_t *value);

bool plan_is_id(struct slice text);      /* 1..64 bytes of UTF-8, no control characters, not personal */
bool plan_is_plan_id(struct slice text); /* without / @ = | { } ", not rep:..., not all, other, unassigned */
bool plan_is_tenant(struct slice text);

/* Canonical texts: 2026-03-01 and 2026-03-01T08:00:00.000Z. */
enum { PLAN_INSTANT_BYTES = 32 };
void plan_format_date(int32_t day, char text[static PLAN_INSTANT_BYTES]);
void plan_format_instant(int64_t at_ms, char text[static PLAN_INSTANT_BYTES]);

#endif
