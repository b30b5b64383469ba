/* projector.h -- moves the view forward: cells that changed, by compare-and-set on the tenant's head (design 6,
 * "View").
 *
 * The rule that keeps a stale figure from looking current: every tenant has a `base_seq`, such that each cell changed
 * behind it is still dirty in the machine. Dirty cells may be put on top of a stored head H only if H.seq >= base_seq
 * (and H is of this branch and not ahead of us): then H plus dirty is the whole truth. A head that is missing, older or
 * of another branch gets a new generation beside the old one, and the flip is the same compare-and-set. That holds
 * whoever wrote H and whatever Redis lost; another owner costs work, never truth.
 *
 * A commit with an unknown outcome needs no special case: its cells are no longer dirty, base_seq says so, and the head
 * that is found later tells whether it happened. Never folds; blocks for at most the view's timeout per call. */
#ifndef MACHINE_PROJECTOR_H
#define MACHINE_PROJECTOR_H

#include "base/clock.h"
#include "machine/fold.h"
#include "view/view.h"

enum {
    PROJECTOR_FILL_CELLS = 4000, /* cells of a new generation written in one call: <= 5 ms of Redis */
    PROJECTOR_BACKOFF_MS_MIN = 50,
    PROJECTOR_BACKOFF_MS_MAX = 2000,
    PROJECTOR_SHARE = 8, /* under load, commit for at most 1 / (SHARE + 1) of the time */
    PROJECTOR_PAUSE_MS_MIN = 10,
    PROJECTOR_CHECK_MS = 1000,   /* so often heads are looked at though nothing changed: FLUSHALL, roll-back */
    PROJECTOR_CHECK_TENANTS = 64 /* so many at a time, in turn */
};

struct projector {
    struct view *view; /* borrowed; NULL: no view */
    struct clock *clock;
    uint16_t writer;  /* part of the generations written here: two owners never fill the same one */
    uint16_t attempt; /* likewise, nor one owner twice */

    struct tenant **waiting;
    uint32_t count, size;

    /* Cells of one call: texts in one buffer, cells point into it once it no longer moves. */
    struct buf text;
    size_t (*places)[3];
    struct view_cell *cells;
    size_t cell_count;
    bool overflow;

    bool stale; /* the view cannot be reached */
    char stale_text[256];
    int64_t retry_at_ms; /* monotonic */
    int64_t backoff_ms;
    int64_t next_check_ms; /* monotonic */
    uint32_t check_next;   /* index of the tenant */
    int64_t next_flush_ms; /* monotonic: not before, under load */
    uint64_t commits, generations, cells_written, already_done, moved;
};

/* Where the fold stands, for heads. */
struct projector_point {
    uint32_t branch, epoch;
    uint64_t seq;
};

void projector_init(struct projector *projector, struct view *view, struct clock *clock, uint16_t writer);
void projector_close(struct projector *projector);
void projector_add(struct projector *projector, struct tenant *tenant); /* its figures or its T moved */
/* All that wait. Returns true if nothing waits any more: the view holds everything up to point->seq. */
bool projector_flush(struct projector *projector, struct fold *fold, const struct projector_point *point);
/* Would a flush now be only small commits, no new generation? Then it may follow an output at once. */
bool projector_is_light(const struct projector *projector, const struct fold *fold);
/* May a flush happen now, under load? */
bool projector_is_due(const struct projector *projector);
/* Lets the next flush look at some heads again, if it is time to. */
void projector_check(struct projector *projector, struct fold *fold);
/* The owner changed or Redis came back: nothing is known of the heads. */
void projector_forget_heads(struct projector *projector, struct fold *fold);

#endif
