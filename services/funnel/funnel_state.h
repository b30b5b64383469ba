/* funnel_state.h -- what the parts of the funnel share: the state of one tenant. Private to services/funnel. */
#ifndef FUNNEL_FUNNEL_STATE_H
#define FUNNEL_FUNNEL_STATE_H

#include "cell.h"
#include "delta.h"
#include "lead_table.h"
#include "machine/machine.h"
#include "roll.h"

enum { FUNNEL_CELLS_MAX = 5000000 };    /* rulings O17 */
#define FUNNEL_LATE_MS (48 * 3600000ll) /* older than T minus this is late (semantics 0.3) */

struct funnel_postings {
    struct lead_posting *items;
    uint32_t count, capacity;
};

struct funnel {
    struct buf tenant;
    struct plan *plan;
    struct lead_book book;
    struct lead_table leads;
    struct delta_buffer deltas;
    struct roller roller;
    struct cell_table cells;
    uint32_t cells_max;   /* FUNNEL_CELLS_MAX; tests set less */
    int64_t now_ms;       /* T */
    int64_t horizon_ms;   /* changes of the org are booked up to here */
    int64_t next_org_ms;  /* next change of the org after the horizon, */
    bool next_org_exact;  /* or, after a plan record, an instant before which none comes */
    int64_t next_meta_ms; /* next instant at which a version of the plan begins */
    bool pending;         /* a plan record took all contributions out; they wait to be put in under the new plan */
    /* local day of the last look-up: [day_from_ms, day_until_ms) */
    int64_t day_from_ms, day_until_ms;
    int32_t day;
    /* what the event at hand posts */
    bool collect, touched, changed_closed;
    struct funnel_postings postings;
    /* scratch */
    struct event event;
    struct lead_event *events;
    uint32_t event_capacity;
    uint32_t *order;
    struct lead_member *members;
    uint32_t member_capacity;
    struct buf record, text;
    struct order shown;           /* cells that are projected, by row */
    struct buf row, field, value; /* of the cell that is projected */
    bool meta_stale;              /* the row `meta` must be projected again */
    int32_t meta_day;
    int64_t meta_now_ms; /* T as the runtime tells it: it goes on while nothing is applied */
};

/* --- funnel_post.c: from postings to deltas --- */
int32_t funnel_day(struct funnel *funnel, int64_t at_ms);
/* Folds under way post here; with `collect` they wait for funnel_post_event, else they go straight to the deltas. */
void funnel_post(void *funnel, const struct lead_posting *posting);
/* Nets what was collected for one event and books it as changes of that event. */
void funnel_post_event(struct funnel *funnel);
void funnel_roll_up(struct funnel *funnel); /* deltas into cells, expired panes away */

/* --- funnel_fold.c: leads --- */
/* One event of a lead, converted; `number` is the lead's. */
void funnel_fold_event(struct funnel *funnel, uint32_t number, const struct lead_event *event);
/* Takes all contributions out (sign -1) or puts them in (+1). */
void funnel_refold_all(struct funnel *funnel, int64_t sign);
/* Puts in what a plan record took out. */
void funnel_settle(struct funnel *funnel);
/* Fires what is due up to `until_ms`, at its own instant: changes of the org, tombstones. */
void funnel_fire_due(struct funnel *funnel, int64_t until_ms);
/* Moves T; what is due by then fires when the runtime says so. */
void funnel_advance(struct funnel *funnel, int64_t now_ms);
/* Waits for the first version of the plan that begins after this instant, to show the row `meta` again. */
void funnel_meta_wait(struct funnel *funnel, int64_t after_ms);
/* Too early at most (an organisation that changed and was not judged yet); is_due tells the truth. */
int64_t funnel_due(const struct funnel *funnel);
bool funnel_is_due(struct funnel *funnel, int64_t until_ms);
/* Folds a whole group from its blobs with this sign; states are stored when sign >= 0. */
void funnel_fold_group(struct funnel *funnel, uint32_t number, int64_t sign);
void funnel_plan_changed(struct funnel *funnel);

/* --- funnel_bound.c --- */
/* Asked whenever T is about to enter another UTC day: are the cells full? */
void funnel_check_bound(struct funnel *funnel);

/* --- funnel_save.c --- */
void funnel_save(struct funnel *funnel, struct buf *out);
enum err_code funnel_load(struct funnel *funnel, struct slice bytes, struct err *err);

/* --- funnel_recount.c --- */
enum err_code funnel_recount(struct funnel *funnel, struct err *err);

/* --- funnel_view.c --- */
size_t funnel_dirty(struct funnel *funnel);
bool funnel_project_dirty(struct funnel *funnel, int64_t now_ms, size_t max, struct machine_sink *sink);
bool funnel_project_all(struct funnel *funnel, int64_t now_ms, uint64_t *cursor, size_t max, struct machine_sink *sink);
void funnel_project_done(struct funnel *funnel);

#endif
