/* lead_fold.h -- what the events of a lead mean: a pure left fold that posts contributions (semantics 2, 3).
 *
 * The contribution of a lead (or of a group of leads joined by merges) is a function of its set of events, the plan
 * and the horizon: the last instant up to which changes of the org were booked. The same fold posts it with sign +1
 * or -1, so a late event, a correction or a new plan is "old away, new in" and the order of arrival is forgotten.
 *
 * A state is what the fold knows behind the last event. An assert that comes last in entity order is one more step
 * from the kept state; everything else folds from the beginning. */
#ifndef MODEL_LEAD_FOLD_H
#define MODEL_LEAD_FOLD_H

#include "model/lead_book.h"
#include "model/lead_event.h"
#include "model/lead_rules.h"

/* What a posting counts: the slots of a figure cell. */
enum lead_slot {
    LEAD_SLOT_ENTRIES,
    LEAD_SLOT_EXITS, /* + class - LEAD_CLASS_advance */
    LEAD_SLOT_REACHED = LEAD_SLOT_EXITS + LEAD_CLASS_COUNT - LEAD_CLASS_advance,
    LEAD_SLOT_TRANSFER_IN,
    LEAD_SLOT_TRANSFER_OUT,
    LEAD_SLOT_VIOLATIONS, /* + violation */
    LEAD_SLOT_UNKNOWN_STAGE = LEAD_SLOT_VIOLATIONS + LEAD_VIOLATION_COUNT,
    LEAD_SLOT_ORPHANS,
    LEAD_SLOT_LATE,
    LEAD_SLOT_RESTATED,
    LEAD_SLOT_BEYOND,
    LEAD_SLOT_OVERFLOW,
    LEAD_SLOT_REPEATS,
    LEAD_SLOT_AMOUNT_N, /* of cells with a currency: leads that have an amount, net */
    LEAD_SLOT_AMOUNT,   /* and its sum, net */
    LEAD_SLOT_COUNT
};

/* One contribution. With leaf_to: a transfer of `count` stage visits (and of the amount) from leaf to leaf_to. */
struct lead_posting {
    int64_t at_ms;
    uint32_t leaf, leaf_to;
    uint32_t currency; /* lead_currency_of; 0: no amount */
    uint16_t stage;    /* lead_book_stage; 0: none */
    uint8_t slot;
    int64_t count, amount;
};

struct lead_state {
    int64_t at_ms;       /* last event or booked change of the org */
    int64_t visit_at_ms; /* entry of the stage visit */
    int64_t cycle_at_ms;
    int64_t amount;
    int64_t lost_at_ms;                /* entry into the pool */
    uint32_t owner, channel, pipeline; /* texts */
    uint32_t currency;                 /* lead_currency_of */
    uint32_t leaf;                     /* where the stage visit is booked */
    uint32_t lost_owner;               /* who had it before the pool */
    uint32_t reached, steps;           /* sets, lead_book_reach */
    uint32_t cycle, visits;
    int32_t ord;
    uint16_t stage, last_open; /* numbers of stages; 0: none */
    uint8_t kind;              /* of the stage */
    bool has_amount, merged, truncated;
};

struct lead_fold {
    struct lead_book *book;
    int64_t sign; /* +1, -1; 0: nothing is posted */
    void (*post)(void *context, const struct lead_posting *posting);
    void *context;
};

/* One lead of a group: its events in entity order, resolved. */
struct lead_member {
    uint32_t lead;
    const struct lead_event *events;
    uint32_t count;
    uint32_t next, heap;     /* scratch */
    uint32_t into;           /* index of the member it was merged into; itself: not merged */
    struct lead_state state; /* out */
};

/* A lead that is open or pooled, so that changes of the org move it. */
static inline bool lead_state_moves(const struct lead_state *state)
{
    return state->stage && (state->kind == STAGE_OPEN || state->kind == STAGE_POOL);
}
/* Won, lost or merged: what a tombstone may replace. */
static inline bool lead_state_closed(const struct lead_state *state)
{
    return state->merged || (state->stage && (state->kind == STAGE_WON || state->kind == STAGE_LOST));
}

/* One event of a lead that is not merged. Merge events belong to lead_fold_group. */
void lead_fold_step(struct lead_fold *fold, struct lead_state *state, const struct lead_event *event);
/* Books the changes of the org up to and including `until_ms`. */
void lead_fold_advance(struct lead_fold *fold, struct lead_state *state, int64_t until_ms);
/* A whole group (usually one lead) from the beginning up to the horizon. Sets every member's state; members change
 * places. */
void lead_fold_group(struct lead_fold *fold, struct lead_member *members, uint32_t count, int64_t horizon_ms);

/* What a tombstone keeps of a state; stages, texts and the leaf are numbers of the book. */
#define LEAD_BASE_NUMBERS(X)                                                                                           \
    X(at_ms)                                                                                                           \
    X(visit_at_ms)                                                                                                     \
    X(cycle_at_ms) X(amount) X(lost_at_ms) X(currency) X(cycle) X(visits) X(ord) X(kind) X(has_amount) X(merged)
#define LEAD_BASE_TEXTS(X)  X(owner) X(channel) X(pipeline) X(lost_owner)
#define LEAD_BASE_STAGES(X) X(stage) X(last_open)

/* When a closed lead was closed: an event up to then is no new history. */
static inline int64_t lead_closing_ms(const struct lead_state *state)
{
    return state->merged ? state->at_ms : state->visit_at_ms; /* a merged lead takes no step any more */
}
/* The state a tombstone keeps, as the bytes of a LEAD_BASE record, and back. */
void lead_base_encode(const struct lead_state *state, struct buf *out);
bool lead_base_decode(struct slice bytes, struct lead_state *state);

#endif
