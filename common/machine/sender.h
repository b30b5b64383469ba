/* sender.h -- brings outputs to their topics: alerts to sales.alerts, attests to sales.attests (design 6, "Outputs").
 *
 * The ledger is the acknowledgement, so sending is a hint that may be repeated at will: after a delivery error the
 * producer is made anew, after ten seconds without progress nothing counts as sent, and everything not read back goes
 * out again, in order. Asks for the quarantine of held tenants the same way. One owner. */
#ifndef MACHINE_SENDER_H
#define MACHINE_SENDER_H

#include "base/clock.h"
#include "log/log.h"
#include "machine/fold.h"

enum { SENDER_AGAIN_MS = 10000, SENDER_BATCH = 1000 /* appends in one step */ };

struct sender {
    struct log *log; /* borrowed */
    struct clock *clock;
    uint32_t shard;
    char alerts[LOG_TOPIC_BYTES_MAX + 1], attests[LOG_TOPIC_BYTES_MAX + 1], import[LOG_TOPIC_BYTES_MAX + 1];
    struct log_producer *producer; /* NULL: to be opened at the next output */
    uint64_t failed;               /* of this producer, as last seen */
    struct tenant **waiting;       /* tenants with outputs that are not sent */
    uint32_t count, size;
    bool waiting_for_ledger; /* something is sent and not read back */
    int64_t progress_ms;     /* monotonic: last time something was sent or read back */
    struct buf value;
    uint64_t sent, resent;
};

void sender_init(struct sender *sender, struct log *log, struct clock *clock, uint32_t shard, const char *prefix);
void sender_close(struct sender *sender);
void sender_add(struct sender *sender, struct tenant *tenant); /* its outbox or its stop changed */
/* Sends what is waiting, notices failures. ERR_UNAVAILABLE, ERR_LATER: try again. */
enum err_code sender_step(struct sender *sender, struct fold *fold, struct err *err);
void sender_flush(struct sender *sender, int timeout_ms);
/* Nothing counts as sent any more (ownership ended or trouble). */
void sender_rewind(struct sender *sender, struct fold *fold);

#endif
