#include <stdlib.h>

#include "funnel_state.h"

/* Conservation (semantics 3): the leads that stand in a stage, counted one by one, against the occupancy the cells
 * say: entries + transfers in - exits - transfers out of the totals, all orgs, dimension `all`, and the amounts. */

struct tally {
    struct cell_table expected; /* totals as the lead table has them: ENTRIES and AMOUNT slots only */
    struct delta_buffer deltas;
    struct roller roller;
};

static void count_lead(struct funnel *funnel, struct tally *tally, const struct lead *lead)
{
    struct delta_buffer *deltas = &tally->deltas;
    struct lead_state kept;
    const struct lead_state *state = &kept;
    lead_state_of(lead, &kept);
    if (!state->stage)
        return;
    if (deltas->count + 2 >= DELTAS_MAX)
        roll_up(&tally->roller, deltas, &funnel->book, &tally->expected);
    struct lead_posting posting = {.leaf = state->leaf, .stage = state->stage, .slot = LEAD_SLOT_ENTRIES, .count = 1};
    delta_add(deltas, &posting, 0, 0, true);
    if (!state->has_amount)
        return;
    posting.slot = LEAD_SLOT_AMOUNT;
    posting.currency = state->currency;
    posting.amount = state->amount;
    delta_add(deltas, &posting, 0, 0, true);
}

static int64_t occupancy(const struct cell *cell)
{
    int64_t sum = cell_value(cell, LEAD_SLOT_ENTRIES) + cell_value(cell, LEAD_SLOT_TRANSFER_IN) -
                  cell_value(cell, LEAD_SLOT_TRANSFER_OUT);
    for (unsigned slot = LEAD_SLOT_EXITS; slot < LEAD_SLOT_REACHED; slot++)
        sum -= cell_value(cell, slot);
    return sum;
}

static bool agrees(const struct cell *cell, const struct cell *expected)
{
    static const struct cell nothing;
    const struct cell *other = expected ? expected : &nothing;
    return occupancy(cell) == cell_value(other, LEAD_SLOT_ENTRIES) &&
           cell_value(cell, LEAD_SLOT_AMOUNT) == cell_value(other, LEAD_SLOT_AMOUNT) &&
           cell_value(cell, LEAD_SLOT_AMOUNT_N) == cell_value(other, LEAD_SLOT_AMOUNT_N);
}

static bool is_total(const struct cell *cell)
{
    return cell->flags & CELL_USED && cell_parts_of(cell->key).pane == CELL_TOTAL && cell_parts_of(cell->key).stage;
}

/* Every total of `ours` against `theirs`, `ours` being the cells (or, the other way round, the expected ones). */
static enum err_code compare(const struct funnel *funnel, const struct cell_table *expected, struct err *err)
{
    uint32_t met = 0, wanted = 0;
    for (uint32_t i = 1; i < expected->count; i++)
        wanted += is_total(&expected->cells[i]);
    for (uint32_t i = 1; i < funnel->cells.count; i++) {
        const struct cell *cell = &funnel->cells.cells[i];
        if (!is_total(cell))
            continue;
        const struct cell *other = cell_table_find(expected, cell->key);
        met += other != NULL;
        if (agrees(cell, other))
            continue;
        struct cell_parts parts = cell_parts_of(cell->key);
        struct slice org = lead_book_text(&funnel->book, parts.org);
        struct slice stage = lead_book_text(&funnel->book, lead_book_stage_name(&funnel->book, parts.stage).stage);
        return err_set(err, ERR_BUG,
                       "funnel: %.*s in %.*s holds %lld leads, amount %lld in the cells; %lld, %lld in the lead table",
                       SLICE_ARG(stage), SLICE_ARG(org), (long long)occupancy(cell),
                       (long long)cell_value(cell, LEAD_SLOT_AMOUNT),
                       (long long)(other ? cell_value(other, LEAD_SLOT_ENTRIES) : 0),
                       (long long)(other ? cell_value(other, LEAD_SLOT_AMOUNT) : 0));
    }
    if (met != wanted)
        return err_set(err, ERR_BUG, "funnel: %u cells of the lead table are missing", wanted - met);
    return OK;
}

enum err_code funnel_recount(struct funnel *funnel, struct err *err)
{
    funnel_settle(funnel);
    funnel_roll_up(funnel);
    struct tally tally;
    cell_table_init(&tally.expected);
    delta_init(&tally.deltas);
    roller_init(&tally.roller);
    for (uint32_t i = 1; i < lead_table_count(&funnel->leads); i++)
        count_lead(funnel, &tally, lead_table_at(&funnel->leads, i));
    roll_up(&tally.roller, &tally.deltas, &funnel->book, &tally.expected);
    enum err_code code = compare(funnel, &tally.expected, err);
    roller_close(&tally.roller);
    delta_close(&tally.deltas);
    cell_table_close(&tally.expected);
    return code;
}
