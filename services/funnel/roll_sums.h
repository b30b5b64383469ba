/* roll_sums.h -- what the contributions of one group and one pane add up to, slot by slot. Private to roll.c. */
#ifndef FUNNEL_ROLL_SUMS_H
#define FUNNEL_ROLL_SUMS_H

#include "cell.h"
#include "delta.h"

struct roll_sums {
    uint64_t mask;    /* slots that have something; their values are 0 otherwise */
    uint64_t touched; /* slots that an event touched */
    int32_t restated_on;
    int64_t values[LEAD_SLOT_COUNT];
};

static inline void roll_sums_take(struct roll_sums *sums, const struct delta *delta)
{
    uint64_t slots = delta->slot == LEAD_SLOT_AMOUNT ? 3ull << LEAD_SLOT_AMOUNT_N : 1ull << delta->slot;
    if (delta->slot == LEAD_SLOT_AMOUNT) {
        sums->values[LEAD_SLOT_AMOUNT_N] += delta->count;
        sums->values[LEAD_SLOT_AMOUNT] += delta->amount;
    } else {
        sums->values[delta->slot] += delta->count;
    }
    sums->mask |= slots;
    sums->touched |= delta->touched ? slots : 0;
    if (delta->restated_on > sums->restated_on)
        sums->restated_on = delta->restated_on;
}

static inline void roll_sums_merge(struct roll_sums *into, const struct roll_sums *sums)
{
    for (uint64_t rest = sums->mask; rest; rest &= rest - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(rest);
        into->values[slot] += sums->values[slot];
    }
    into->mask |= sums->mask;
    into->touched |= sums->touched;
    if (sums->restated_on > into->restated_on)
        into->restated_on = sums->restated_on;
}

static inline void roll_sums_clear(struct roll_sums *sums)
{
    for (uint64_t rest = sums->mask; rest; rest &= rest - 1)
        sums->values[__builtin_ctzll(rest)] = 0;
    sums->mask = sums->touched = 0;
    sums->restated_on = 0;
}

static inline bool roll_sums_zero(const struct roll_sums *sums)
{
    for (uint64_t rest = sums->mask; rest; rest &= rest - 1) {
        if (sums->values[__builtin_ctzll(rest)])
            return false;
    }
    return true;
}

static inline void roll_sums_add(const struct roll_sums *sums, struct cell_table *cells, struct cell *cell)
{
    for (uint64_t rest = sums->mask; rest; rest &= rest - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(rest);
        cell_add(cells, cell, slot, sums->values[slot]);
    }
    cell->touched |= sums->touched;
}

#endif
