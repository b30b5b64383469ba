/* time_text.h -- instants, dates, times of day and durations as text, exactly as formats.md 0 writes them.
 *
 * Strict and exact: years 0001..9999 of the proleptic Gregorian calendar, no second 60, no hour 24, a fraction of 1
 * to 9 digits of which what lies beyond milliseconds is cut off. No libc time function, no locale, no zone. Instants
 * are int64 ms UTC, dates int32 days since 1970-01-01. */
#ifndef BASE_TIME_TEXT_H
#define BASE_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define TIME_TEXT_MIN_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define TIME_TEXT_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

enum { INSTANT_TEXT_BYTES = 25, DATE_TEXT_BYTES = 11, DURATION_TEXT_BYTES = 32 }; /* with the NUL */

/* RFC 3339 with `Z` or a numeric offset (-23:59..+23:59; `T`, `Z` in capitals). The instant itself must lie in
 * years 0001..9999 after the offset is applied. */
bool instant_parse(struct slice text, int64_t *ms);

/* Either an RFC 3339 text or integer milliseconds UTC within the same range ("1772352000000", "-1"). */
bool instant_or_ms_parse(struct slice text, int64_t *ms);

/* "2026-03-01T08:00:00.000Z": always three digits of fraction, always Z. ms within TIME_TEXT_MIN_MS..MAX_MS; beyond
 * it the nearest bound is printed. Returns the length (24). */
size_t instant_print(int64_t ms, char out[INSTANT_TEXT_BYTES]);

bool date_parse(struct slice text, int32_t *days);                /* "2026-03-01" */
size_t date_print(int32_t days, char out[DATE_TEXT_BYTES]);       /* returns 10; bounded as above */
bool time_of_day_parse(struct slice text, bool end, int32_t *ms); /* "09:00"; "24:00" only if `end` */

enum duration_kind {
    DURATION_ELAPSED,     /* ms s m h d w: amount in ms */
    DURATION_WORKING,     /* wm wh: amount in ms of working time */
    DURATION_WORKING_DAYS /* wd: amount in thousandths of a working day */
};
struct duration {
    enum duration_kind kind;
    int64_t amount;
};

/* "30m", "7.5h", "10wd": digits, at most 3 decimals, a unit; a whole number of ms; at most 3,660 d (wd). No sign. */
bool duration_parse(struct slice text, struct duration *duration);
bool duration_parse_ms(struct slice text, int64_t *ms); /* elapsed ones only */
/* The largest unit (up to d; wh; wd) that prints it without decimals beyond three and reads back to the same. */
size_t duration_print(struct duration duration, char out[DURATION_TEXT_BYTES]);

#endif
