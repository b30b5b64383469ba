/* pane.h -- equal stretches of time that figures are kept in, and the windows made of them (semantics 0.6).
 *
 * Minute, quarter-hour and hour panes are aligned to UTC; days, weeks, months, quarters and years are those of the
 * tenant's zone. Panes of a kind are numbered by consecutive integers and cut the instant line without gap or overlap;
 * a pane that holds T also holds the figures of T, so at local midnight it is the new day's (rulings O25). Pure. */
#ifndef TIME_PANE_H
#define TIME_PANE_H

#include "time/zone.h"

enum pane_kind {
    PANE_MINUTE,       /* number = minutes since 1970-01-01T00:00Z */
    PANE_QUARTER_HOUR, /* likewise, 15 min */
    PANE_HOUR,         /* likewise, 60 min */
    PANE_DAY,          /* local days since 1970-01-01 */
    PANE_WEEK,         /* weeks since the first one that begins in 1970 */
    PANE_MONTH,        /* months since 1970-01 */
    PANE_QUARTER,      /* quarters since 1970-Q1 */
    PANE_YEAR,         /* years since 1970 */
    PANE_KIND_COUNT
};

/* What cuts local panes: zone and first day of the week (0 = Monday). */
struct pane_grid {
    const struct zone *zone;
    uint8_t week_start;
};

/* [start_ms, end_ms) */
struct pane_span {
    int64_t start_ms, end_ms;
};

int64_t pane_of(const struct pane_grid *grid, enum pane_kind kind, int64_t at_ms);
struct pane_span pane_bounds(const struct pane_grid *grid, enum pane_kind kind, int64_t pane);

/* Local days: of the first day of a pane of days or longer; and the pane of a local day. */
int32_t pane_first_day(const struct pane_grid *grid, enum pane_kind kind, int64_t pane);
int64_t pane_of_day(const struct pane_grid *grid, enum pane_kind kind, int32_t day);

/* Rolling window of `count` panes ending with the one that holds at_ms: r1h = 60 minutes, r24h = 96 quarter hours,
 * r7d = 168 hours, r30d and r90d = days. Rulings O37: at 22:10 r7d is [15:00 seven days back, 23:00) in UTC hours. */
struct pane_span pane_rolling(const struct pane_grid *grid, enum pane_kind kind, uint32_t count, int64_t at_ms);

#endif
