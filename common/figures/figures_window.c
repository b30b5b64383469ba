#include "figures_internal.h"

/* Windows as runs of panes, and sums over them (semantics 0.6). */

static const struct {
    char kind; /* of the panes */
    enum pane_kind pane;
    uint32_t count; /* rolling: how many; 0: the calendar's */
} windows[FIGURES_WINDOW_COUNT] = {
    [FIGURES_r1h] = {'i', PANE_MINUTE, 60}, [FIGURES_r24h] = {'q', PANE_QUARTER_HOUR, 96},
    [FIGURES_r7d] = {'h', PANE_HOUR, 168},  [FIGURES_r30d] = {'d', PANE_DAY, 30},
    [FIGURES_r90d] = {'d', PANE_DAY, 90},   [FIGURES_day] = {'d', PANE_DAY, 0},
    [FIGURES_week] = {'d', PANE_WEEK, 0},   [FIGURES_month] = {'m', PANE_MONTH, 0},
    [FIGURES_total] = {'t', PANE_DAY, 0},   [FIGURES_now] = {'t', PANE_DAY, 0},
};

static struct pane_grid grid_of(const struct figures *figures)
{
    return (struct pane_grid){&figures->zone, figures->week_start};
}

static struct figures_span rolling(const struct figures *figures, enum figures_window window)
{
    struct pane_grid grid = grid_of(figures);
    enum pane_kind kind = windows[window].pane;
    int64_t high = pane_of(&grid, kind, figures->now_ms);
    int64_t low = high - windows[window].count + 1;
    return (struct figures_span){.window = window,
                                 .kind = windows[window].kind,
                                 .low = low,
                                 .high = high,
                                 .start_ms = pane_bounds(&grid, kind, low).start_ms,
                                 .end_ms = pane_bounds(&grid, kind, high).end_ms,
                                 .has_start = true};
}

struct figures_span figures_span_of_day(const struct figures *figures, enum figures_window window, int32_t day)
{
    struct pane_grid grid = grid_of(figures);
    enum pane_kind kind = windows[window].pane;
    int64_t pane = pane_of_day(&grid, kind, day);
    struct pane_span bounds = pane_bounds(&grid, kind, pane);
    struct figures_span span = {.window = window,
                                .kind = windows[window].kind,
                                .low = pane,
                                .high = pane,
                                .start_ms = bounds.start_ms,
                                .end_ms = bounds.end_ms,
                                .has_start = true};
    if (window == FIGURES_week) {
        span.low = pane_first_day(&grid, kind, pane);
        span.high = span.low + 6;
    }
    span.ended = span.end_ms <= figures->now_ms;
    return span;
}

struct figures_span figures_span_now(const struct figures *figures, enum figures_window window)
{
    if (window == FIGURES_total || window == FIGURES_now)
        return (struct figures_span){.window = window,
                                     .kind = 't',
                                     .start_ms = figures->now_ms,
                                     .end_ms = figures->now_ms,
                                     .has_start = window == FIGURES_now,
                                     .ended = true};
    if (windows[window].count)
        return rolling(figures, window);
    return figures_span_of_day(figures, window, zone_day(&figures->zone, figures->now_ms));
}

/* --- sums ----------------------------------------------------------------------------------------------------- */

static void add_pane(const struct figures *figures, const struct figures_pane *pane, int sign,
                     struct figures_sums *sums)
{
    const int64_t *value = figures->numbers + pane->values;
    for (uint64_t rest = pane->mask; rest; rest &= rest - 1)
        sums->slot[__builtin_ctzll(rest)] += (int128_t)sign * *value++;
    if (sign > 0)
        sums->touched |= pane->mask;
}

/* A closed window that an event changed is flagged until the next window of its kind closes (0.3). */
static bool still_restated(const struct figures *figures, const struct figures_span *span,
                           const struct figures_pane *pane)
{
    struct pane_grid grid = grid_of(figures);
    if (!span->ended || !pane->restated_on)
        return false;
    if (span->window == FIGURES_week)
        return pane_of_day(&grid, PANE_WEEK, (int32_t)pane->restated_on) == pane_of(&grid, PANE_WEEK, figures->now_ms);
    return pane->restated_on == pane_of(&grid, span->window == FIGURES_month ? PANE_MONTH : PANE_DAY, figures->now_ms);
}

/* First pane of the series at or behind (kind, number). */
static uint32_t lower_bound(const struct figures *figures, const struct figures_series *series, char kind,
                            int64_t number)
{
    uint32_t low = series->first, high = series->first + series->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct figures_pane *pane = &figures->raw[middle].pane;
        if (pane->kind < kind || (pane->kind == kind && pane->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void figures_sum(const struct figures *figures, const struct figures_series *series, const struct figures_span *span,
                 struct figures_sums *sums)
{
    *sums = (struct figures_sums){.touched = 0};
    uint32_t end = series->first + series->count;
    for (uint32_t i = lower_bound(figures, series, span->kind, span->low); i < end; i++) {
        const struct figures_pane *pane = &figures->raw[i].pane;
        if (pane->kind != span->kind || pane->number > span->high)
            break;
        add_pane(figures, pane, 1, sums);
        sums->restated |= still_restated(figures, span, pane);
    }
}

void figures_sum_until(const struct figures *figures, const struct figures_series *series,
                       const struct figures_span *span, struct figures_sums *sums)
{
    struct figures_span total = {.window = FIGURES_total, .kind = 't'};
    figures_sum(figures, series, &total, sums);
    if (!span->ended || span->kind == 't')
        return; /* a stock at the end of what has not ended is that of now */
    uint32_t end = series->first + series->count;
    for (uint32_t i = lower_bound(figures, series, span->kind, span->high + 1); i < end; i++) {
        if (figures->raw[i].pane.kind != span->kind)
            break;
        add_pane(figures, &figures->raw[i].pane, -1, sums);
    }
}

int128_t figures_net(const struct figures_sums *sums)
{
    int128_t net =
        sums->slot[LEAD_SLOT_ENTRIES] + sums->slot[LEAD_SLOT_TRANSFER_IN] - sums->slot[LEAD_SLOT_TRANSFER_OUT];
    for (int slot = LEAD_SLOT_EXITS; slot < LEAD_SLOT_REACHED; slot++)
        net -= sums->slot[slot];
    return net;
}
