/* roll.h -- adds contributions up: from leaves to the nodes of their paths, to dimensions, to panes.
 *
 * What is paid per contribution is a sort of small keys; cells are paid for per batch. A *series* is one org node (or
 * rep) x dimension value x stage x currency; a *group* the series that one leaf books to, nodes apart from its rep.
 * Contributions are sorted by group and minute and summed minute by minute; each pane's sum is then added to the
 * series of the group, once. A series remembers which cells it used last, so that few look-ups hash anything.
 *
 * A transfer is not linear over the tree (semantics 2.3): it is booked cell by cell, which is slow and seldom. */
#ifndef FUNNEL_ROLL_H
#define FUNNEL_ROLL_H

#include "cell.h"
#include "delta.h"
#include "order.h"

enum { ROLL_HINTS = CELL_PANES + 1 };

struct roll_hint {
    uint32_t cell, number; /* 0: none; its pane's number */
};
struct roll_series {
    struct cell_key base;               /* of pane 0, number 0 */
    struct roll_hint hints[ROLL_HINTS]; /* cells used last, by pane (two for days); its key tells if it still holds */
};
struct roll_group {
    uint32_t first, count; /* in roller.members */
    bool rep;              /* days, months and the total only (semantics 0.6) */
};
struct roll_pair { /* (leaf, stage, currency) -> its groups */
    uint64_t key;
    uint32_t nodes, rep; /* numbers of groups; 0: none */
};
struct roller {
    struct lead_symbols series_names, group_names;
    struct roll_series *series;
    uint32_t series_capacity;
    struct roll_group *groups;
    uint32_t group_capacity;
    uint32_t *members; /* numbers of series */
    uint32_t member_count, member_capacity;
    struct roll_pair *pairs; /* open addressing, a power of two; key 0: free */
    uint32_t pair_mask, pair_count;
    struct order order;        /* of contributions: group << 32 | minute (of reps: day) */
    struct cell_list suspects; /* cells that no event touched: they may have become empty */
};

void roller_init(struct roller *roller);
void roller_close(struct roller *roller);

/* Adds everything into the cells and empties the buffer. Panes that expired before are left out. A roller belongs to
 * one table of cells and one book. */
void roll_up(struct roller *roller, struct delta_buffer *deltas, const struct lead_book *book,
             struct cell_table *cells);

#endif
