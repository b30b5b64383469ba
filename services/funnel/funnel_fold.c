#include "funnel_state.h"

#include <assert.h>
#include <stdlib.h>

static const int64_t DAY_MS = 86400000;

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

static struct lead_fold fold_of(struct funnel *funnel, int64_t sign)
{
    return (struct lead_fold){&funnel->book, sign, funnel_post, funnel};
}

/* --- groups: from blobs to contributions ---------------------------------------------------------------------- */

static void event_room(struct funnel *funnel, uint32_t count)
{
    if (count <= funnel->event_capacity)
        return;
    funnel->event_capacity = count * 2;
    funnel->events = need(realloc(funnel->events, funnel->event_capacity * sizeof *funnel->events));
    funnel->order = need(realloc(funnel->order, funnel->event_capacity * sizeof *funnel->order));
}

/* Appends the events of one lead behind `from`; returns the new end. */
static uint32_t decode_lead(struct funnel *funnel, uint32_t number, uint32_t from)
{
    struct cursor in = cursor_of(lead_blob(lead_table_at(&funnel->leads, number)));
    while (cursor_left(&in)) {
        event_room(funnel, from + 1);
        bool whole = lead_event_decode(&in, &funnel->events[from]);
        assert(whole); /* we wrote it */
        from++;
    }
    return from;
}

static uint32_t add_member(struct funnel *funnel, uint32_t at, uint32_t lead)
{
    if (at == funnel->member_capacity) {
        funnel->member_capacity = at ? at * 2 : 4;
        funnel->members = need(realloc(funnel->members, funnel->member_capacity * sizeof *funnel->members));
    }
    funnel->members[at] = (struct lead_member){.lead = lead};
    return at + 1;
}

/* The members of a group with their events, decoded and resolved. */
static uint32_t gather(struct funnel *funnel, uint32_t number)
{
    uint32_t count = 0, events = 0, at = number;
    do {
        count = add_member(funnel, count, at);
        uint32_t end = decode_lead(funnel, at, events);
        funnel->members[count - 1].count = end - events;
        events = end;
        at = lead_table_at(&funnel->leads, at)->group_next;
    } while (at != number);
    events = 0;
    for (uint32_t i = 0; i < count; i++) { /* only now: the event buffer no longer moves */
        struct lead_member *member = &funnel->members[i];
        lead_events_resolve(funnel->events + events, member->count, funnel->order);
        member->events = funnel->events + events;
        events += member->count;
    }
    return count;
}

void funnel_fold_group(struct funnel *funnel, uint32_t number, int64_t sign)
{
    uint32_t count = gather(funnel, number);
    struct lead_fold fold = fold_of(funnel, sign);
    lead_fold_group(&fold, funnel->members, count, funnel->horizon_ms);
    for (uint32_t i = 0; sign >= 0 && i < count; i++)
        lead_keep_state(&funnel->leads, lead_table_at(&funnel->leads, funnel->members[i].lead),
                        &funnel->members[i].state);
}

/* --- plan changes --------------------------------------------------------------------------------------------- */

static bool leads_group(struct funnel *funnel, uint32_t number)
{
    /* A group is folded once, at its smallest number. */
    uint32_t at = number;
    do {
        at = lead_table_at(&funnel->leads, at)->group_next;
        if (at < number)
            return false;
    } while (at != number);
    return true;
}

void funnel_refold_all(struct funnel *funnel, int64_t sign)
{
    funnel->collect = funnel->touched = false;
    for (uint32_t i = 1; i < lead_table_count(&funnel->leads); i++) {
        if (leads_group(funnel, i))
            funnel_fold_group(funnel, i, sign);
    }
}

void funnel_plan_changed(struct funnel *funnel)
{
    lead_book_plan_changed(&funnel->book);
    funnel->next_org_ms = plan_org_change_least(funnel->plan, funnel->horizon_ms);
    funnel->next_org_exact = false;
    funnel->day_from_ms = funnel->day_until_ms = 0;
    funnel->meta_stale = true;
}

void funnel_settle(struct funnel *funnel)
{
    if (!funnel->pending)
        return;
    funnel->pending = false;
    funnel_refold_all(funnel, 1);
}

/* --- time ----------------------------------------------------------------------------------------------------- */

/* Changes of the org up to `until_ms` move the open leads they concern (2.3). */
static void book_org(struct funnel *funnel, int64_t until_ms)
{
    funnel->collect = false;
    funnel->touched = true;
    struct lead_fold fold = fold_of(funnel, 1);
    for (uint32_t i = 1; i < lead_table_count(&funnel->leads); i++) {
        struct lead *lead = lead_table_at(&funnel->leads, i);
        if (!(lead->flags & LEAD_MOVES))
            continue;
        struct lead_state state;
        lead_state_of(lead, &state);
        lead_fold_advance(&fold, &state, until_ms);
        lead_keep_state(&funnel->leads, lead, &state);
    }
}

static int64_t expires_ms(const struct funnel *funnel)
{
    uint32_t oldest = funnel->leads.oldest;
    if (!oldest)
        return MACHINE_NEVER_MS;
    return lead_table_at(&funnel->leads, oldest)->accepted_ms + plan_history_ms(funnel->plan, funnel->now_ms);
}

/* The events of a closed lead go, its contributions stay; what a reopen needs is kept as a base record. */
static void entomb(struct funnel *funnel, uint32_t number, uint32_t into)
{
    struct lead *lead = lead_table_at(&funnel->leads, number);
    lead_table_unlist(&funnel->leads, number);
    struct lead_state state;
    lead_state_of(lead, &state);
    buf_clear(&funnel->text);
    lead_base_encode(&state, &funnel->text);
    struct lead_event base = {
        .valid_at_ms = lead_closing_ms(&state), .action = LEAD_BASE, .base = buf_slice(&funnel->text)};
    base.has = into ? LEAD_HAS_MERGED_INTO : 0;
    base.merged_into = into;
    buf_clear(&funnel->record);
    lead_event_encode(&base, &funnel->record);
    lead_table_clear(&funnel->leads, lead);
    lead_table_insert(&funnel->leads, lead, 0, buf_slice(&funnel->record));
    lead->flags = LEAD_TOMBSTONE | LEAD_BASED | (lead->flags & LEAD_CLOSED);
}

static void entomb_group(struct funnel *funnel, uint32_t number)
{
    funnel_settle(funnel); /* what is taken out must be in before it can stay for good */
    uint32_t count = gather(funnel, number);
    struct lead_fold fold = fold_of(funnel, 0);
    lead_fold_group(&fold, funnel->members, count, funnel->horizon_ms); /* says who was merged into whom */
    for (uint32_t i = 0; i < count; i++)
        lead_table_at(&funnel->leads, funnel->members[i].lead)->group_next = funnel->members[i].lead;
    for (uint32_t i = 0; i < count; i++) {
        const struct lead_member *member = &funnel->members[i];
        uint32_t into = member->into == i ? 0 : funnel->members[member->into].lead;
        entomb(funnel, member->lead, into);
        if (into && !lead_table_same_group(&funnel->leads, member->lead, into))
            lead_table_join(&funnel->leads, member->lead, into);
    }
}

static void next_org(struct funnel *funnel, int64_t after_ms)
{
    funnel->next_org_ms = plan_org_next_change(funnel->plan, after_ms);
    funnel->next_org_exact = true;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t funnel_due(const struct funnel *funnel)
{
    int64_t due = earlier(expires_ms(funnel), funnel->next_org_ms);
    return earlier(due, funnel->next_meta_ms);
}

bool funnel_is_due(struct funnel *funnel, int64_t until_ms)
{
    if (!funnel->next_org_exact && funnel->next_org_ms <= until_ms)
        next_org(funnel, funnel->horizon_ms);
    return funnel_due(funnel) <= until_ms;
}

/* Up to T, but not past a change of the org that did not fire yet: while a gap settles, timers are held back. */
static void raise_horizon(struct funnel *funnel)
{
    int64_t to_ms = funnel->now_ms;
    if (!funnel->next_org_exact && funnel->next_org_ms <= to_ms)
        next_org(funnel, funnel->horizon_ms);
    if (funnel->next_org_ms <= to_ms)
        to_ms = funnel->next_org_ms - 1;
    if (to_ms > funnel->horizon_ms)
        funnel->horizon_ms = to_ms;
}

static void move_time(struct funnel *funnel, int64_t now_ms)
{
    if (now_ms / DAY_MS > funnel->now_ms / DAY_MS)
        funnel_check_bound(funnel);
    if (now_ms > funnel->now_ms)
        funnel->now_ms = now_ms;
    raise_horizon(funnel);
}

/* What the view must say of the plan changes when a version begins: the next one that does. */
void funnel_meta_wait(struct funnel *funnel, int64_t after_ms)
{
    funnel->next_meta_ms = MACHINE_NEVER_MS;
    for (uint32_t i = 0; i < plan_item_count(funnel->plan); i++) {
        bool used, in_force;
        int64_t from_ms = plan_item_at(funnel->plan, i, &used, &in_force)->valid_from_ms;
        if (from_ms > after_ms && from_ms < funnel->next_meta_ms)
            funnel->next_meta_ms = from_ms;
    }
}

/* T moves to what fires and no further, so that a state does not tell how often it was asked. */
void funnel_fire_due(struct funnel *funnel, int64_t until_ms)
{
    if (funnel->next_meta_ms <= until_ms) { /* no part of the state: T stays */
        funnel->meta_stale = true;
        funnel_meta_wait(funnel, until_ms);
    }
    for (;;) {
        int64_t expires = expires_ms(funnel);
        if (!funnel_is_due(funnel, until_ms))
            return;
        int64_t due = funnel_due(funnel);
        if (funnel->next_org_ms == due) {
            funnel_settle(funnel);
            move_time(funnel, due);
            book_org(funnel, due);
            funnel->horizon_ms = due;
            next_org(funnel, due);
            raise_horizon(funnel);
        }
        if (expires == due) {
            move_time(funnel, due);
            entomb_group(funnel, funnel->leads.oldest);
        }
    }
}

void funnel_advance(struct funnel *funnel, int64_t now_ms) { move_time(funnel, now_ms); }

/* --- one event ------------------------------------------------------------------------------------------------ */

/* Counters of what arrived rather than of what is true: booked once, on the day of T, never taken back. */
static void count_arrival(struct funnel *funnel, uint32_t number, unsigned slot)
{
    struct lead_state state;
    lead_state_of(lead_table_at(&funnel->leads, number), &state);
    uint32_t leaf = state.leaf;
    if (!leaf)
        leaf = lead_book_leaf(&funnel->book, state.owner, state.channel, funnel->now_ms);
    struct lead_posting posting = {.at_ms = funnel->now_ms, .leaf = leaf, .slot = (uint8_t)slot, .count = 1};
    funnel->collect = false;
    funnel->touched = true;
    funnel_post(funnel, &posting);
}

static void insert(struct funnel *funnel, struct lead *lead, size_t place, const struct lead_event *event)
{
    buf_clear(&funnel->record);
    lead_event_encode(event, &funnel->record);
    lead_table_insert(&funnel->leads, lead, place, buf_slice(&funnel->record));
    if (event->op != OP_ASSERT)
        lead->flags |= LEAD_CORRECTED;
}

/* An assert behind all others of a lead of its own: one more step. */
static bool is_next_step(const struct lead *lead, const struct lead_state *state, uint32_t number,
                         const struct lead_event *event, bool last)
{
    return last && event->op == OP_ASSERT && !(lead->flags & LEAD_CORRECTED) && lead->group_next == number &&
           !(event->has & LEAD_HAS_MERGED_INTO) && event->valid_at_ms >= state->at_ms;
}

static void step(struct funnel *funnel, struct lead *lead, struct lead_state *state, size_t place,
                 const struct lead_event *event)
{
    insert(funnel, lead, place, event);
    funnel->collect = false;
    funnel->touched = true;
    struct lead_fold fold = fold_of(funnel, 1);
    if (lead->flags & LEAD_TOMBSTONE) /* a new history begins: it starts from what the old one left */
        state->truncated = true;
    lead_fold_step(&fold, state, event);
    lead_fold_advance(&fold, state, funnel->horizon_ms);
    lead_keep_state(&funnel->leads, lead, state);
}

/* Old contribution away, event in, new contribution in. A merge joins two groups. */
static void refold(struct funnel *funnel, uint32_t number, size_t place, const struct lead_event *event)
{
    funnel->collect = true;
    funnel_fold_group(funnel, number, -1);
    uint32_t into = event->has & LEAD_HAS_MERGED_INTO ? event->merged_into : number;
    if (!lead_table_same_group(&funnel->leads, number, into)) {
        funnel_fold_group(funnel, into, -1);
        lead_table_join(&funnel->leads, number, into);
    }
    insert(funnel, lead_table_at(&funnel->leads, number), place, event);
    funnel_fold_group(funnel, number, 1);
    funnel_post_event(funnel);
}

/* Closed groups wait for their end from the last accepted record on. */
static void note_accepted(struct funnel *funnel, uint32_t number)
{
    bool closed = true;
    uint32_t at = number;
    do {
        struct lead *lead = lead_table_at(&funnel->leads, at);
        closed &= lead->flags & LEAD_CLOSED || !lead_has_events(lead);
        at = lead->group_next;
    } while (at != number);
    do {
        struct lead *lead = lead_table_at(&funnel->leads, at);
        lead->accepted_ms = funnel->now_ms;
        lead->flags &= (uint8_t)~LEAD_TOMBSTONE;
        lead_table_unlist(&funnel->leads, at);
        if (closed && lead_has_events(lead))
            lead_table_list(&funnel->leads, at);
        at = lead->group_next;
    } while (at != number);
}

/* Would this reach a closed history at or before its closing? An event of a merged lead reaches the other one. */
static bool reaches_closed(struct funnel *funnel, uint32_t number, int64_t at_ms)
{
    for (;;) {
        const struct lead *lead = lead_table_at(&funnel->leads, number);
        struct lead_event base;
        if (!(lead->flags & LEAD_BASED))
            return false;
        struct cursor in = cursor_of(lead_blob(lead));
        bool whole = lead_event_decode(&in, &base);
        assert(whole && base.action == LEAD_BASE);
        if (at_ms <= base.valid_at_ms)
            return true;
        if (!(base.has & LEAD_HAS_MERGED_INTO))
            return false;
        number = base.merged_into;
    }
}

static bool is_beyond(struct funnel *funnel, uint32_t number, const struct lead_event *event)
{
    return reaches_closed(funnel, number, event->valid_at_ms) ||
           (event->has & LEAD_HAS_MERGED_INTO && reaches_closed(funnel, event->merged_into, event->valid_at_ms));
}

void funnel_fold_event(struct funnel *funnel, uint32_t number, const struct lead_event *event)
{
    struct lead *lead = lead_table_at(&funnel->leads, number);
    bool held, last;
    size_t place = lead_events_place(lead_blob(lead), event, &held, &last);
    funnel_settle(funnel);
    if (held) {
        count_arrival(funnel, number, LEAD_SLOT_REPEATS);
        return;
    }
    if (is_beyond(funnel, number, event)) {
        count_arrival(funnel, number, LEAD_SLOT_BEYOND);
        return;
    }
    struct lead_state state;
    lead_state_of(lead, &state);
    funnel->changed_closed = false;
    uint64_t overflow = funnel->book.dim_overflow;
    if (event->has & LEAD_HAS_CHANNEL) /* when it comes, whatever the plan of the day makes of it */
        (void)lead_book_admit(&funnel->book, LEAD_DIM_CHANNEL, event->channel);
    if (is_next_step(lead, &state, number, event, last))
        step(funnel, lead, &state, place, event);
    else
        refold(funnel, number, place, event);
    if (event->valid_at_ms < funnel->now_ms - FUNNEL_LATE_MS)
        count_arrival(funnel, number, LEAD_SLOT_LATE);
    if (funnel->changed_closed)
        count_arrival(funnel, number, LEAD_SLOT_RESTATED);
    if (funnel->book.dim_overflow != overflow)
        count_arrival(funnel, number, LEAD_SLOT_OVERFLOW);
    note_accepted(funnel, number);
}
