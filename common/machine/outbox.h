/* outbox.h -- outputs that are not in the ledger yet: a queue of numbered bodies, dense and in order.
 *
 * The ledger is the acknowledgement: an output leaves the queue when it is read back with the same number and the same
 * bytes. What was sent is only a mark in the queue, so that everything not read back can be sent again at any time;
 * receivers drop what they have. Pure; one owner. */
#ifndef MACHINE_OUTBOX_H
#define MACHINE_OUTBOX_H

#include "base/buf.h"

struct outbox {
    struct buf bytes; /* varint length + body, one behind the other */
    size_t head;      /* offset of the oldest body */
    size_t unsent;    /* offset of the first body that is not sent */
    uint64_t last_n;  /* number of the newest body ever added */
    uint64_t read_n;  /* number of the last one read back */
    uint64_t sent_n;  /* number of the last one sent; >= read_n */
};

enum outbox_answer {
    OUTBOX_SAME,    /* the next expected one, with our bytes */
    OUTBOX_REPEAT,  /* read back before */
    OUTBOX_UNKNOWN, /* never produced here: the ledger knows more than this state */
    OUTBOX_DIFFERS  /* our number, other bytes */
};

void outbox_init(struct outbox *outbox);
void outbox_close(struct outbox *outbox);
/* Takes a copy of the body; its number is returned (last + 1). */
uint64_t outbox_add(struct outbox *outbox, struct slice body);
static inline uint64_t outbox_size(const struct outbox *outbox) { return outbox->last_n - outbox->read_n; }
/* The next body to send, borrowed; false: all are sent. outbox_sent marks it. */
bool outbox_peek(const struct outbox *outbox, uint64_t *n, struct slice *body);
void outbox_sent(struct outbox *outbox);
/* Everything that is not read back counts as not sent. */
void outbox_rewind(struct outbox *outbox);
/* Takes the ledger's word for everything up to n, whatever was made here. */
void outbox_adopt(struct outbox *outbox, uint64_t n);
enum outbox_answer outbox_read_back(struct outbox *outbox, uint64_t n, struct slice body);
/* The oldest body that is not read back; false: none. */
bool outbox_oldest(const struct outbox *outbox, struct slice *body);

void outbox_save(const struct outbox *outbox, struct buf *out);
bool outbox_load(struct outbox *outbox, struct cursor *in);

#endif
