#include "funnel_state.h"

/* The bound of cells (rulings O17). Whether a tenant is full is judged when its T enters another UTC day and at no
 * other time: how many cells there are in between depends on when contributions are added up, at that point it does
 * not. A day may therefore go beyond the bound by what it books.
 *
 * Full is for ever: the pairs of node and value that have cells then are the ones that are booked from then on, and
 * part of the state. */

/* Cells that one contribution may bring about: both sides of a transfer with its amount, every node of the path. */
enum { CELLS_PER_DELTA = ((PLAN_DEPTH_MAX + 2) * LEAD_DIM_COUNT + 1) * CELL_PANES * 4 };

static void know_all(struct funnel *funnel)
{
    for (uint32_t i = 1; i < funnel->cells.count; i++) {
        const struct cell *cell = &funnel->cells.cells[i];
        struct cell_parts parts = cell_parts_of(cell->key);
        if (!(cell->flags & CELL_USED) || parts.pane != CELL_TOTAL || parts.dim == LEAD_DIM_ALL || !parts.value)
            continue;
        struct lead_pair pair = {parts.org, (uint32_t)parts.dim, parts.value};
        lead_book_know(&funnel->book, &pair);
    }
}

void funnel_check_bound(struct funnel *funnel)
{
    if (funnel->book.cells_full)
        return;
    funnel_settle(funnel);
    uint64_t at_most = funnel->cells.live + (uint64_t)funnel->deltas.count * CELLS_PER_DELTA;
    if (at_most < funnel->cells_max)
        return; /* without adding up: it would be less */
    funnel_roll_up(funnel);
    if (funnel->cells.live < funnel->cells_max)
        return;
    know_all(funnel);
    lead_book_fill(&funnel->book);
}
