/* figures.h -- the rows of formats.md 5 as a pure function of (cells, plan texts, T): nothing else decides a figure.
 *
 * The cells are those of the view (cell_text.h), whether they come from Redis, from memory or straight from a
 * machine. Use: figures_new; figures_cell for every field of every row of the scope `funnel`; figures_as_of;
 * figures_each. All texts of a row are borrowed until the figures are destroyed. One owner, no locks.
 *
 * A cell is (org, dimension value, pipeline, stage); it has rows once an event touched it, also when it is 0 again
 * (rulings O24). Without a tenant item in the plan there are no rows (O23). completeness_ppm is always 10^6 until
 * the machine knows silent sources. */
#ifndef FIGURES_FIGURES_H
#define FIGURES_FIGURES_H

#include "figures/figure_row.h"

/* Windows of the funnel (semantics 0.6). */
#define FIGURES_WINDOWS(X) X(r1h) X(r24h) X(r7d) X(r30d) X(r90d) X(day) X(week) X(month) X(total) X(now)
enum figures_window {
#define X(name) FIGURES_##name,
    FIGURES_WINDOWS(X)
#undef X
        FIGURES_WINDOW_COUNT
};
bool figures_window_of(struct slice name, enum figures_window *window);

struct figures;
struct figures *figures_new(void);
void figures_destroy(struct figures **figures);
/* One field of a row of the view; the row `meta` included. What is no cell is ignored. */
void figures_cell(struct figures *figures, struct slice row, struct slice field, struct slice value);
/* The instant the cells are true for: tenant, tenant_seq and T of the view's head. */
void figures_as_of(struct figures *figures, struct slice tenant, uint64_t tenant_seq, int64_t now_ms);
/* A plan with a tenant item was seen. */
bool figures_has_tenant(const struct figures *figures);

/* What is asked for; an empty text (p == NULL) does not select. */
struct figures_query {
    struct slice org; /* node, rep:<id>, unassigned */
    struct slice pipeline;
    struct slice dim; /* all, source_channel, owner_tier; NULL: all dimensions */
    struct slice metric;
    int window;     /* enum figures_window; -1: every one */
    bool all;       /* every retained day, week and month, not only those that hold T */
    bool has_range; /* days, weeks and months that begin in [from_ms, to_ms) */
    int64_t from_ms, to_ms;
};
typedef void figures_on_row(void *context, const struct figure_row *row);
/* Rows in the order org, pipeline, dimension, value, stage, window. */
void figures_each(struct figures *figures, const struct figures_query *query, figures_on_row *on_row, void *context);

/* The tenant's zone, for dates that people type; UTC until the row `meta` was seen. Borrowed. */
const struct zone *figures_zone(const struct figures *figures);
/* The root of the org, for commands that are asked for nothing else; empty: none. */
struct slice figures_root(const struct figures *figures);
/* The funnel of one org and pipeline over one window, for people: a table with the three conversions apart. */
void figures_funnel_table(struct figures *figures, struct slice org, struct slice pipeline, enum figures_window window,
                          bool zh, bool bold_head, struct buf *out);

#endif
