/* pane.c -- numbers and bounds of panes. */
#include "time/pane.h"

#include <assert.h>

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Length of the panes aligned to UTC, 0 for local ones. */
static const int64_t fixed_ms[PANE_KIND_COUNT] = {
    [PANE_MINUTE] = 60000, [PANE_QUARTER_HOUR] = 900000, [PANE_HOUR] = 3600000};
/* Length of the panes made of whole months. */
static const int32_t months_of[PANE_KIND_COUNT] = {[PANE_MONTH] = 1, [PANE_QUARTER] = 3, [PANE_YEAR] = 12};

/* Day number of the first week's first day in 1970 (0..6); day 0 is a Thursday. */
static int32_t first_week_day(const struct pane_grid *grid) { return (grid->week_start + 7 - 3) % 7; }

int64_t pane_of_day(const struct pane_grid *grid, enum pane_kind kind, int32_t day)
{
    assert(kind >= PANE_DAY && kind < PANE_KIND_COUNT);
    if (kind == PANE_DAY)
        return day;
    if (kind == PANE_WEEK)
        return floor_div(day - first_week_day(grid), 7);
    int32_t year, month, day_of_month;
    date_to_civil(day, &year, &month, &day_of_month);
    return floor_div((year - 1970) * 12 + month - 1, months_of[kind]);
}

int32_t pane_first_day(const struct pane_grid *grid, enum pane_kind kind, int64_t pane)
{
    assert(kind >= PANE_DAY && kind < PANE_KIND_COUNT);
    if (kind == PANE_DAY)
        return (int32_t)pane;
    if (kind == PANE_WEEK)
        return (int32_t)(pane * 7) + first_week_day(grid);
    int64_t month = pane * months_of[kind];
    int64_t year = floor_div(month, 12);
    return date_from_civil((int32_t)year + 1970, (int32_t)(month - year * 12) + 1, 1);
}

int64_t pane_of(const struct pane_grid *grid, enum pane_kind kind, int64_t at_ms)
{
    if (fixed_ms[kind])
        return floor_div(at_ms, fixed_ms[kind]);
    return pane_of_day(grid, kind, zone_day(grid->zone, at_ms));
}

static int64_t start_of(const struct pane_grid *grid, enum pane_kind kind, int64_t pane)
{
    if (fixed_ms[kind])
        return pane * fixed_ms[kind];
    return zone_day_start_ms(grid->zone, pane_first_day(grid, kind, pane));
}

struct pane_span pane_bounds(const struct pane_grid *grid, enum pane_kind kind, int64_t pane)
{
    return (struct pane_span){start_of(grid, kind, pane), start_of(grid, kind, pane + 1)};
}

struct pane_span pane_rolling(const struct pane_grid *grid, enum pane_kind kind, uint32_t count, int64_t at_ms)
{
    int64_t last = pane_of(grid, kind, at_ms);
    return (struct pane_span){start_of(grid, kind, last + 1 - count), start_of(grid, kind, last + 1)};
}
