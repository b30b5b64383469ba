/* lead_event.h -- the events of one lead as the funnel keeps them: typed in memory, about 24 bytes each at rest.
 *
 * A lead's events stand in one byte string ("blob"), sorted by (valid_at, source_seq, event key) (semantics 0.2).
 * A record: length, key (8 bytes), then varints: valid_at, op|action|provenance, which fields are there, and those.
 * Texts are numbers of the tenant's name table; of a reason only its presence is kept, since rules ask no more.
 *
 * The first record may be a `base`: the state a tombstone left behind (semantics 0.3), from which the fold starts. */
#ifndef MODEL_LEAD_EVENT_H
#define MODEL_LEAD_EVENT_H

#include "base/buf.h"
#include "model/event.h"

/* Actions of semantics 2.2 are LEAD_ACTION_... of event.h; two more live in blobs only. */
enum {
    LEAD_STEP = 60, /* a required step was done: visit step or fact (2.1); to_stage names the step. Without to_stage: a
                       correction that says "not done", which only takes away what it names */
    LEAD_BASE = 61  /* what a tombstone left, at its closing; of a merged lead with merged_into */
};

/* Fields that an event may carry, in the order in which they are encoded. */
enum lead_has {
    LEAD_HAS_SOURCE_SEQ = 1 << 0, /* above 0 */
    LEAD_HAS_RECORDED = 1 << 1,   /* recorded_at is not occurred_at */
    LEAD_HAS_OCCURRED = 1 << 2,   /* occurred_at is after valid_at: capped by T */
    LEAD_HAS_CORRECTS = 1 << 3,
    LEAD_HAS_TO_STAGE = 1 << 4,
    LEAD_HAS_OWNER = 1 << 5,
    LEAD_HAS_AMOUNT = 1 << 6, /* with its currency */
    LEAD_HAS_PIPELINE = 1 << 7,
    LEAD_HAS_CHANNEL = 1 << 8,
    LEAD_HAS_REASON = 1 << 9,
    LEAD_HAS_TOUCH = 1 << 10,
    LEAD_HAS_NEXT_ACTION = 1 << 11,
    LEAD_HAS_HOLD = 1 << 12,
    LEAD_HAS_CAMPAIGN = 1 << 13,
    LEAD_HAS_CATEGORY = 1 << 14,
    LEAD_HAS_CLOSE_DATE = 1 << 15,
    LEAD_HAS_SCORE = 1 << 16,
    LEAD_HAS_MERGED_INTO = 1 << 17,
    LEAD_HAS_FACT = 1 << 18 /* a step told by a fact, not by a visit */
};

struct lead_event {
    int64_t valid_at_ms, occurred_at_ms, recorded_at_ms;
    uint64_t source_seq;
    uint64_t key, corrects; /* identity within the lead: lead_event_key */
    uint32_t has;           /* lead_has */
    uint8_t op, action, provenance, touch_kind, category;
    /* Set by lead_events_resolve: it counts; it names an event that is not here; or one that is not lower in the order
     * of recording, so that it is ignored. */
    bool active, orphan, ignored;
    uint32_t pipeline, to_stage, owner, channel, campaign; /* numbers of texts */
    uint32_t currency;                                     /* lead_currency_of */
    uint32_t merged_into;                                  /* number of a lead */
    int64_t amount, hold_until_ms, next_action_at_ms, close_date, score;
    struct slice base; /* LEAD_BASE: encoded state, borrowed from the blob */
};

/* A currency as a number of 15 bits, and back; 0 = none. Three capital letters, checked at the door. */
uint32_t lead_currency_of(struct slice code);
void lead_currency_text(uint32_t currency, char text[4]);

/* Identity is (type, event_id): a step must not meet a lead event with the same event_id. From the event key and back;
 * `has` and `action` say the type. */
uint64_t lead_event_key(uint64_t event_key, uint8_t action, uint32_t has);

/* A base before all, then (valid_at, source_seq, event key): the order in which an entity's events are folded. */
int lead_event_cmp(const struct lead_event *a, const struct lead_event *b);

/* A correction of a step that says "not done": it takes away what it names and folds nothing. */
static inline bool lead_event_is_silent(const struct lead_event *event)
{
    return event->action == LEAD_STEP && !(event->has & LEAD_HAS_TO_STAGE);
}

/* Appends one encoded record. */
void lead_event_encode(const struct lead_event *event, struct buf *out);
/* Decodes the record at the cursor; false at the end or on damage (cursor->bad). */
bool lead_event_decode(struct cursor *in, struct lead_event *event);

/* Where a new event belongs in a blob: its offset; *held: an event with this key is there already, *last: it belongs
 * behind all others. One pass over the records. */
size_t lead_events_place(struct slice blob, const struct lead_event *event, bool *held, bool *last);

/* Which events count (semantics 0.3): sets `active` of all `count` events; returns the number of orphan corrections
 * (the event they name is not here). `order` is scratch for `count` numbers. */
uint32_t lead_events_resolve(struct lead_event *events, uint32_t count, uint32_t *order);

#endif
