/* decide.h -- what becomes of one raw record: accepted, duplicate, or rejected with a reason (design 4.6, formats 6).
 *
 * Pure: the answer follows from the record and the writer's state (own unconfirmed blocks included), so every writer
 * that stands at the same place decides alike. Form is judged by event_decode; here stand the questions that need
 * state: identity, imports as lived, numbers of machine outputs. Nothing is changed by asking. */
#ifndef LEDGER_DECIDE_H
#define LEDGER_DECIDE_H

#include "log/log.h"
#include "writer_state.h"

/* A raw record: source, shard and what the log says of it. */
struct raw_record {
    enum ledger_source source;
    uint32_t shard, shards;
    const struct log_record *log;
};

enum decision_class { DECISION_ACCEPT, DECISION_DUPLICATE, DECISION_REJECT };

struct decision {
    enum decision_class class;
    struct ledger_record record; /* accept, reject: all but seq and dups_before */
    struct event event;          /* accept */
    struct writer_identity identity;
    bool has_identity;
    struct reject reject; /* reject: reason, field, text */
};

struct decider;
struct decider *decider_new(struct event_codec *codec); /* buffers for bodies; the codec is borrowed */
void decider_destroy(struct decider **decider);

/* What the decision points to is borrowed until the next call. */
void decide(struct decider *decider, struct writer_state *state, const struct raw_record *raw,
            struct decision *decision);

/* Key "TOPIC/PARTITION/OFFSET" and value (single-object Avro `reject`, with the raw bytes) of sales.rejects. */
void decide_reject_copy(const struct decider *decider, const struct raw_record *raw, const struct decision *decision,
                        struct buf *key, struct buf *value);

#endif
