#include "lead_fold.h"

#include <assert.h>
#include <stdlib.h>

static const int64_t HOLD_MAX_MS = 90 * 86400000ll;

/* --- posting -------------------------------------------------------------------------------------------------- */

static void post(const struct lead_fold *fold, struct lead_posting posting)
{
    if (!fold->sign)
        return;
    posting.count *= fold->sign;
    posting.amount *= fold->sign;
    fold->post(fold->context, &posting);
}

static void post_count(const struct lead_fold *fold, const struct lead_state *state, int64_t at_ms, unsigned slot,
                       uint32_t stage)
{
    post(fold, (struct lead_posting){
                   .at_ms = at_ms, .leaf = state->leaf, .stage = (uint16_t)stage, .slot = (uint8_t)slot, .count = 1});
}

/* `n` leads with `amount` more (or less) in the stage. */
static void post_amount(const struct lead_fold *fold, const struct lead_state *state, int64_t at_ms, uint32_t currency,
                        int64_t n, int64_t amount)
{
    if (!currency || (!n && !amount))
        return;
    post(fold, (struct lead_posting){.at_ms = at_ms,
                                     .leaf = state->leaf,
                                     .stage = state->stage,
                                     .slot = LEAD_SLOT_AMOUNT,
                                     .currency = currency,
                                     .count = n,
                                     .amount = amount});
}

/* A lead that stands nowhere still has an owner: violations and unknown stages are booked there. */
static void post_flag(const struct lead_fold *fold, const struct lead_state *state, int64_t at_ms, unsigned slot)
{
    struct lead_state where = *state;
    if (!where.stage)
        where.leaf = lead_book_leaf(fold->book, where.owner, where.channel, at_ms);
    post_count(fold, &where, at_ms, slot, 0);
}

static void violate(const struct lead_fold *fold, const struct lead_state *state, int64_t at_ms,
                    enum lead_violation violation)
{
    if (violation != LEAD_VIOLATION_NONE)
        post_flag(fold, state, at_ms, LEAD_SLOT_VIOLATIONS + (unsigned)violation);
}

/* --- transfers (2.3) and attributes --------------------------------------------------------------------------- */

/* The stage visit belongs to the path and values of now: what lost it books out, what gained it books in. */
static void transfer(const struct lead_fold *fold, struct lead_state *state, int64_t at_ms)
{
    if (!lead_state_moves(state))
        return;
    uint32_t leaf = lead_book_leaf(fold->book, state->owner, state->channel, at_ms);
    if (leaf == state->leaf)
        return;
#ifndef SEEDED_BUG_FORGET_TRANSFER
    post(fold, (struct lead_posting){.at_ms = at_ms,
                                     .leaf = state->leaf,
                                     .leaf_to = leaf,
                                     .stage = state->stage,
                                     .slot = LEAD_SLOT_TRANSFER_IN,
                                     .currency = state->has_amount ? state->currency : 0,
                                     .count = 1,
                                     .amount = state->has_amount ? state->amount : 0});
#endif
    state->leaf = leaf;
}

void lead_fold_advance(struct lead_fold *fold, struct lead_state *state, int64_t until_ms)
{
    while (lead_state_moves(state)) {
        int64_t change_ms = lead_book_owner_change(fold->book, state->owner, state->at_ms);
        if (change_ms > until_ms)
            return;
        state->at_ms = change_ms;
        transfer(fold, state, change_ms);
    }
}

static void take_amount(const struct lead_fold *fold, struct lead_state *state, const struct lead_event *event)
{
    if (!(event->has & LEAD_HAS_AMOUNT))
        return;
    if (state->stage) {
        if (state->has_amount && state->currency == event->currency) {
            post_amount(fold, state, event->valid_at_ms, event->currency, 0, event->amount - state->amount);
        } else {
            if (state->has_amount)
                post_amount(fold, state, event->valid_at_ms, state->currency, -1, -state->amount);
            post_amount(fold, state, event->valid_at_ms, event->currency, 1, event->amount);
        }
    }
    state->has_amount = true;
    state->amount = event->amount;
    state->currency = event->currency;
}

/* The event's fields first (rulings O14): the transfer is booked in the stage that may be left below. */
static void take_attributes(const struct lead_fold *fold, struct lead_state *state, const struct lead_event *event)
{
    if (event->has & LEAD_HAS_OWNER)
        state->owner = event->owner;
    if (event->has & LEAD_HAS_CHANNEL)
        state->channel = event->channel;
    if (event->has & (LEAD_HAS_OWNER | LEAD_HAS_CHANNEL))
        transfer(fold, state, event->valid_at_ms);
    take_amount(fold, state, event);
}

/* --- stage visits --------------------------------------------------------------------------------------------- */

static void leave(const struct lead_fold *fold, struct lead_state *state, int64_t at_ms, enum lead_class class)
{
    post_count(fold, state, at_ms, LEAD_SLOT_EXITS + (unsigned)class - LEAD_CLASS_advance, state->stage);
    if (state->has_amount)
        post_amount(fold, state, at_ms, state->currency, -1, -state->amount);
    state->stage = 0;
}

/* reached(s): the first time s was entered or passed in the cycle (2.1, 3). */
static void reach(const struct lead_fold *fold, struct lead_state *state, int64_t at_ms, uint32_t stage)
{
    bool fresh;
    state->reached = lead_book_reach(fold->book, state->reached, stage, &fresh);
    if (fresh)
        post_count(fold, state, at_ms, LEAD_SLOT_REACHED, stage);
}

static uint32_t number_of(const struct lead_fold *fold, const struct plan_model *model, const struct plan_stage *stage)
{
    return lead_book_plan_stage(fold->book, model, stage);
}

/* Marks the open stages with from < ord < to as passed. */
static void pass(const struct lead_fold *fold, struct lead_state *state, int64_t at_ms, const struct plan_model *model,
                 int64_t from, int64_t to)
{
    for (uint32_t i = 0; i < model->stage_count; i++) {
        const struct plan_stage *stage = &model->stages[i];
        if (stage->in_model && stage->kind == STAGE_OPEN && stage->ord > from && stage->ord < to)
            reach(fold, state, at_ms, number_of(fold, model, stage));
    }
}

static void enter(const struct lead_fold *fold, struct lead_state *state, int64_t at_ms, const struct plan_model *model,
                  const struct plan_stage *stage)
{
    uint32_t number = number_of(fold, model, stage);
    state->leaf = lead_book_leaf(fold->book, state->owner, state->channel, at_ms);
    state->pipeline = lead_book_stage_name(fold->book, number).pipeline;
    state->stage = (uint16_t)number;
    state->kind = (uint8_t)stage->kind;
    state->ord = stage->ord;
    state->visit_at_ms = at_ms;
    state->visits++;
    post_count(fold, state, at_ms, LEAD_SLOT_ENTRIES, number);
    if (state->has_amount)
        post_amount(fold, state, at_ms, state->currency, 1, state->amount);
    if (stage->kind != STAGE_OPEN)
        return;
    state->last_open = (uint16_t)number;
    reach(fold, state, at_ms, number);
}

/* --- moves (2.1) ---------------------------------------------------------------------------------------------- */

/* Kind and order of the stage the lead stands in, by the model in force; by the one at entry if it left the model. */
struct standing {
    unsigned place; /* stage kind or LEAD_NOWHERE */
    int64_t ord;
    const struct plan_stage *stage; /* NULL: no longer in the model */
};

static struct standing standing_at(const struct lead_fold *fold, const struct lead_state *state, int64_t at_ms)
{
    if (!state->stage)
        return (struct standing){LEAD_NOWHERE, INT64_MIN, NULL};
    struct standing now = {state->kind, state->ord, NULL};
    const struct plan_model *model = lead_book_model(fold->book, state->pipeline, at_ms);
    struct lead_stage_name name = lead_book_stage_name(fold->book, state->stage);
    const struct plan_stage *stage = model ? plan_stage_of(model, lead_book_text(fold->book, name.stage)) : NULL;
    if (stage && stage->in_model)
        now = (struct standing){stage->kind, stage->ord, stage};
    return now;
}

static enum lead_class class_by_order(const struct plan_model *model, int64_t from, int64_t to)
{
    if (to < from)
        return LEAD_CLASS_regress;
    for (uint32_t i = 0; i < model->stage_count; i++) {
        const struct plan_stage *between = &model->stages[i];
        if (between->in_model && between->kind == STAGE_OPEN && between->ord > from && between->ord < to)
            return LEAD_CLASS_skip;
    }
    return LEAD_CLASS_advance;
}

static bool steps_missing(const struct lead_fold *fold, const struct lead_state *state, const struct plan_stage *left)
{
    for (uint8_t i = 0; left && i < left->required_count; i++) {
        bool missing;
        uint32_t step = lead_book_intern(fold->book, left->required_steps[i]);
        (void)lead_book_reach(fold->book, state->steps, step, &missing);
        if (missing)
            return true;
    }
    return false;
}

struct planned_move {
    const struct plan_model *model;
    const struct plan_stage *to;
    struct standing from;
    enum lead_class class;
    bool new_cycle;
};

/* Violations of a move besides those of the table: what the model forbids or asks for. */
static void check_move(const struct lead_fold *fold, const struct lead_state *state, const struct lead_event *event,
                       const struct planned_move *move)
{
    int64_t at_ms = event->valid_at_ms;
    enum lead_class class = move->class;
    if (class == LEAD_CLASS_skip && !move->model->allow_skip)
        violate(fold, state, at_ms, LEAD_VIOLATION_skip);
    if (class == LEAD_CLASS_regress && !move->model->allow_regress)
        violate(fold, state, at_ms, LEAD_VIOLATION_regress);
    if (class == LEAD_CLASS_lose && move->model->loss_reason_required && !(event->has & LEAD_HAS_REASON))
        violate(fold, state, at_ms, LEAD_VIOLATION_loss_reason);
    bool forward = class == LEAD_CLASS_advance || class == LEAD_CLASS_skip || class == LEAD_CLASS_win;
    if (forward && steps_missing(fold, state, move->from.stage))
        violate(fold, state, at_ms, LEAD_VIOLATION_required_step);
    if (class == LEAD_CLASS_reclaim && state->owner && state->owner == state->lost_owner &&
        at_ms - state->lost_at_ms < move->model->reclaim_block_ms)
        violate(fold, state, at_ms, LEAD_VIOLATION_reclaim_block);
}

static void begin_cycle(struct lead_state *state, int64_t at_ms)
{
    state->cycle++;
    state->cycle_at_ms = at_ms;
    state->reached = 0;
}

/* Takes the lead to a stage of a model: violations, exit, entry, passed stages. */
static void move_to(const struct lead_fold *fold, struct lead_state *state, const struct lead_event *event,
                    const struct plan_model *model, const struct plan_stage *to, uint32_t owner_before)
{
    int64_t at_ms = event->valid_at_ms;
    struct planned_move move = {model, to, standing_at(fold, state, at_ms), LEAD_CLASS_none, false};
    const struct lead_move *rule = &lead_moves[move.from.place][to->kind];
    bool other_pipeline = state->stage && state->pipeline != lead_book_plan_text(fold->book, model->pipeline);
    move.class = other_pipeline ? LEAD_CLASS_move : rule->class;
    move.new_cycle = !other_pipeline && rule->new_cycle;
    if (move.class == LEAD_CLASS_advance)
        move.class = class_by_order(model, move.from.ord, to->ord);
    if (!other_pipeline)
        violate(fold, state, at_ms, rule->violation);
    check_move(fold, state, event, &move);
    if (state->stage)
        leave(fold, state, at_ms, move.class);
    if (to->kind == STAGE_POOL) {
        state->lost_owner = owner_before;
        state->lost_at_ms = at_ms;
    }
    if (move.new_cycle)
        begin_cycle(state, at_ms);
    enter(fold, state, at_ms, model, to);
    if (to->kind == STAGE_OPEN && move.new_cycle)
        pass(fold, state, at_ms, model, INT64_MIN, to->ord);
    else if (move.class == LEAD_CLASS_skip)
        pass(fold, state, at_ms, model, move.from.ord, to->ord);
}

/* --- actions (2.2) -------------------------------------------------------------------------------------------- */

static const struct plan_stage *first_of_kind(const struct plan_model *model, enum stage_kind kind)
{
    for (uint32_t i = 0; i < model->stage_count; i++) {
        if (model->stages[i].in_model && model->stages[i].kind == kind)
            return &model->stages[i];
    }
    return NULL;
}

static const struct plan_stage *named(const struct lead_fold *fold, const struct plan_model *model, uint32_t text)
{
    const struct plan_stage *stage = plan_stage_of(model, lead_book_text(fold->book, text));
    return stage && stage->in_model ? stage : NULL;
}

/* The event's pipeline, else the lead's, else the tenant's default (2.2). */
static uint32_t pipeline_of(const struct lead_fold *fold, const struct lead_state *state,
                            const struct lead_event *event)
{
    if (event->has & LEAD_HAS_PIPELINE)
        return event->pipeline;
    if (state->pipeline)
        return state->pipeline;
    return lead_book_plan_text(fold->book, plan_default_pipeline(fold->book->plan, event->valid_at_ms));
}

/* Moves to the stage the event names, else to `otherwise` (a text; 0: the first stage of kind `aim`). A stage or
 * pipeline that the plan does not know yet moves nothing and is counted: a later plan folds it again. */
static void move_or_count(const struct lead_fold *fold, struct lead_state *state, const struct lead_event *event,
                          enum stage_kind aim, uint32_t otherwise, uint32_t owner_before)
{
    uint32_t pipeline = pipeline_of(fold, state, event);
    const struct plan_model *model = lead_book_model(fold->book, pipeline, event->valid_at_ms);
    const struct plan_stage *to = NULL;
    bool elsewhere = state->stage && pipeline != state->pipeline;
    if (model && event->has & LEAD_HAS_TO_STAGE)
        to = named(fold, model, event->to_stage);
    else if (model && otherwise && !elsewhere)
        to = named(fold, model, otherwise);
    else if (model)
        to = first_of_kind(model, elsewhere ? STAGE_OPEN : aim);
    if (!to) {
        post_flag(fold, state, event->valid_at_ms, LEAD_SLOT_UNKNOWN_STAGE);
        return;
    }
    if (state->stage && number_of(fold, model, to) == state->stage)
        return; /* the same stage again is a no-op */
    move_to(fold, state, event, model, to, owner_before);
}

static void reopen(const struct lead_fold *fold, struct lead_state *state, const struct lead_event *event,
                   uint32_t owner_before)
{
    unsigned place = standing_at(fold, state, event->valid_at_ms).place;
    if (place != STAGE_WON && place != STAGE_LOST) {
        violate(fold, state, event->valid_at_ms, LEAD_VIOLATION_reopen_not_closed);
        return;
    }
    uint32_t last_open = lead_book_stage_name(fold->book, state->last_open).stage;
    move_or_count(fold, state, event, STAGE_OPEN, last_open, owner_before);
}

static void hold(const struct lead_fold *fold, const struct lead_state *state, const struct lead_event *event)
{
    bool whole = (event->has & LEAD_HAS_HOLD) && (event->has & LEAD_HAS_REASON);
    int64_t length_ms = whole ? event->hold_until_ms - event->valid_at_ms : 0;
    if (length_ms <= 0 || length_ms > HOLD_MAX_MS)
        violate(fold, state, event->valid_at_ms, LEAD_VIOLATION_hold_invalid);
}

static void act(const struct lead_fold *fold, struct lead_state *state, const struct lead_event *event, bool implicit,
                uint32_t owner_before)
{
    struct lead_action action = lead_action_of(event->action);
    switch (action.verb) {
    case LEAD_VERB_CREATE:
        violate(fold, state, event->valid_at_ms, LEAD_VIOLATION_created_again);
        break;
    case LEAD_VERB_CLAIM:
        if (standing_at(fold, state, event->valid_at_ms).place == STAGE_POOL)
            move_or_count(fold, state, event, STAGE_OPEN, 0, owner_before);
        break;
    case LEAD_VERB_REOPEN:
        reopen(fold, state, event, owner_before);
        break;
    case LEAD_VERB_MOVE:
        move_or_count(fold, state, event, action.aim, 0, owner_before);
        break;
    case LEAD_VERB_ATTRIBUTES:
        if (event->has & LEAD_HAS_TO_STAGE && !implicit)
            violate(fold, state, event->valid_at_ms, LEAD_VIOLATION_to_stage_ignored);
        break;
    case LEAD_VERB_HOLD:
        hold(fold, state, event);
        break;
    case LEAD_VERB_TOUCH:
    case LEAD_VERB_RESUME:
    case LEAD_VERB_MERGE:
    case LEAD_VERB_STEP:
        break;
    }
}

void lead_fold_step(struct lead_fold *fold, struct lead_state *state, const struct lead_event *event)
{
    if (event->action == LEAD_BASE) {
        bool read = lead_base_decode(event->base, state);
        assert(read);
        return;
    }
    if (lead_event_is_silent(event))
        return;
    lead_fold_advance(fold, state, event->valid_at_ms);
    if (event->valid_at_ms > state->at_ms)
        state->at_ms = event->valid_at_ms;
    if (event->action == LEAD_STEP) {
        bool fresh;
        state->steps = lead_book_reach(fold->book, state->steps, event->to_stage, &fresh);
        return;
    }
    uint32_t owner_before = state->owner;
    take_attributes(fold, state, event);
    if (state->stage) {
        act(fold, state, event, false, owner_before);
        return;
    }
    /* `created`, or the implicit create of a first event that is none (2.2). */
    move_or_count(fold, state, event, STAGE_OPEN, 0, owner_before);
    if (state->stage && lead_action_of(event->action).verb != LEAD_VERB_CREATE)
        act(fold, state, event, true, owner_before);
}

/* --- groups: leads joined by merges --------------------------------------------------------------------------- */

/* The member that a lead's events concern now; ways are made shorter as they are gone. */
static uint32_t resolve(struct lead_member *members, uint32_t at)
{
    while (members[at].into != at) {
        members[at].into = members[members[at].into].into;
        at = members[at].into;
    }
    return at;
}

static int by_lead(const void *left, const void *right)
{
    const struct lead_member *a = left, *b = right;
    return a->lead < b->lead ? -1 : a->lead > b->lead;
}

static uint32_t member_of(const struct lead_member *members, uint32_t count, uint32_t lead)
{
    struct lead_member key = {.lead = lead};
    const struct lead_member *found = bsearch(&key, members, count, sizeof *members, by_lead);
    assert(found); /* whoever built the group joined both */
    return (uint32_t)(found - members);
}

static void merge(struct lead_fold *fold, struct lead_member *members, uint32_t count, uint32_t from,
                  const struct lead_event *event)
{
    struct lead_state *state = &members[from].state;
    uint32_t into = resolve(members, member_of(members, count, event->merged_into));
    if (into == from) {
        violate(fold, state, event->valid_at_ms, LEAD_VIOLATION_merge_ring);
        return;
    }
    if (state->stage)
        leave(fold, state, event->valid_at_ms, LEAD_CLASS_merged);
    state->merged = true;
    members[from].into = into;
}

static void step_member(struct lead_fold *fold, struct lead_member *members, uint32_t count, uint32_t at,
                        const struct lead_event *event)
{
    if (event->action == LEAD_BASE) { /* bases come before all else */
        lead_fold_step(fold, &members[at].state, event);
        if (event->has & LEAD_HAS_MERGED_INTO)
            members[at].into = member_of(members, count, event->merged_into);
        return;
    }
    if (lead_event_is_silent(event))
        return;
    uint32_t target = resolve(members, at);
    lead_fold_step(fold, &members[target].state, event);
    if (target != at)
        violate(fold, &members[target].state, event->valid_at_ms, LEAD_VIOLATION_after_merge);
    if (lead_action_of(event->action).verb == LEAD_VERB_MERGE)
        merge(fold, members, count, target, event);
}

/* A heap of the members that have active events left, the earliest of those first; members[i].heap is its place i. */
static const struct lead_event *next_of(const struct lead_member *members, uint32_t place)
{
    const struct lead_member *member = &members[members[place].heap];
    return &member->events[member->next];
}

static bool skip_inactive(struct lead_member *member)
{
    while (member->next < member->count && !member->events[member->next].active)
        member->next++;
    return member->next < member->count;
}

static void sink(struct lead_member *members, uint32_t size, uint32_t place)
{
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child >= size)
            return;
        if (child + 1 < size && lead_event_cmp(next_of(members, child + 1), next_of(members, child)) < 0)
            child++;
        if (lead_event_cmp(next_of(members, place), next_of(members, child)) <= 0)
            return;
        uint32_t member = members[place].heap;
        members[place].heap = members[child].heap;
        members[child].heap = member;
        place = child;
    }
}

static uint32_t heap_of(struct lead_member *members, uint32_t count)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (skip_inactive(&members[i]))
            members[size++].heap = i;
    }
    for (uint32_t place = size / 2; place-- > 0;)
        sink(members, size, place);
    return size;
}

/* Corrections that name an event of another lead, or one that is not here yet (0.3). */
static void post_orphans(const struct lead_fold *fold, const struct lead_member *member)
{
    struct lead_state where = member->state;
    where.stage = 0; /* booked by the owner of the instant: where the lead stands moves with the horizon */
    for (uint32_t i = 0; i < member->count; i++) {
        if (member->events[i].orphan && member->events[i].action != LEAD_STEP) /* of steps, only those done are here */
            post_flag(fold, &where, member->events[i].valid_at_ms, LEAD_SLOT_ORPHANS);
    }
}

void lead_fold_group(struct lead_fold *fold, struct lead_member *members, uint32_t count, int64_t horizon_ms)
{
    if (count > 1)
        qsort(members, count, sizeof *members, by_lead);
    for (uint32_t i = 0; i < count; i++) {
        memset(&members[i].state, 0, sizeof members[i].state);
        members[i].next = 0;
        members[i].into = i;
    }
    for (uint32_t size = heap_of(members, count); size;) {
        uint32_t at = members[0].heap;
        step_member(fold, members, count, at, &members[at].events[members[at].next++]);
        if (!skip_inactive(&members[at]))
            members[0].heap = members[--size].heap;
        sink(members, size, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        lead_fold_advance(fold, &members[i].state, horizon_ms);
        post_orphans(fold, &members[i]);
    }
}

/* --- what a tombstone keeps ----------------------------------------------------------------------------------- */

#define LEAD_BASE_FIELDS(X) LEAD_BASE_NUMBERS(X) LEAD_BASE_TEXTS(X) LEAD_BASE_STAGES(X) X(leaf)

void lead_base_encode(const struct lead_state *state, struct buf *out)
{
#define X(field) buf_add_zigzag(out, (int64_t)state->field);
    LEAD_BASE_FIELDS(X)
#undef X
}

bool lead_base_decode(struct slice bytes, struct lead_state *state)
{
    struct cursor in = cursor_of(bytes);
    memset(state, 0, sizeof *state);
#define X(field) state->field = (__typeof__(state->field))cursor_zigzag(&in);
    LEAD_BASE_FIELDS(X)
#undef X
    state->truncated = true;
    return !in.bad && in.p == in.end;
}
