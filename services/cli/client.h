/* client.h -- what a command needs of the running system: the log to write to and to read, the view to ask.
 *
 * Opened once per command from the settings; every failure sets the command's error with what to do. One owner. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "command.h"
#include "ledger/filter.h"
#include "ledger/record.h"
#include "machine/wiring.h"
#include "model/event.h"

enum {
    CLIENT_TIMEOUT_MS = 10000,
    CLIENT_PATIENCE = 6,
    CLIENT_SHARDS_MAX = ELECT_SHARDS_MAX,
    CLIENT_POLL_RECORDS = 512
};

struct client {
    struct cli *cli;
    struct wiring wiring;
    struct event_codec *codec;
    struct log_producer *producer;
    struct view *view;
    uint32_t shards;
    bool open;
    bool heard; /* the log has answered once: an outage is waited out, CLIENT_PATIENCE timeouts long */
};

/* The log (and the codec). The view is opened by client_view, so that commands without figures need no Redis. */
enum err_code client_open(struct client *client, struct cli *cli);
enum err_code client_view(struct client *client);
void client_close(struct client *client);

void client_topic(const struct client *client, const char *name, char out[LOG_TOPIC_BYTES_MAX + 1]);
/* Appends one record to `topic` (without prefix), at the partition of its key, waiting while the queue is full. */
enum err_code client_send(struct client *client, const char *topic, struct slice key, struct slice value,
                          struct slice origin);
/* Returns when everything sent is acknowledged; ERR_UNAVAILABLE if something was not. */
enum err_code client_flush(struct client *client);
/* A log that never answered is told after one timeout (a wrong address); one that did is waited for a minute. */
enum err_code client_range(struct client *client, const char *topic, uint32_t partition, int64_t *begin, int64_t *end);

/* A record of sales.rejects, whatever its size: it was written by the ledger, only its place in memory is checked.
 * Slices of the event point into `value`. */
bool client_read_reject(const struct client *client, struct slice value, struct event *event);

/* The ledger of one shard from its beginning, behind the filter. */
struct client_ledger {
    struct client *client;
    uint32_t shard;
    struct log_consumer *consumer;
    struct filter filter;
    struct block_reader reader;
    int64_t end; /* of the ledger topic when it was opened */
};
enum err_code client_ledger_open(struct client_ledger *ledger, struct client *client, uint32_t shard);
void client_ledger_close(struct client_ledger *ledger);
/* Hands over what is there now, block by block; *got says whether there was anything. `on_record` returns false to
 * stop early. `on_void` (may be NULL) sees the blocks that are no part of the ledger. */
typedef bool client_on_record(void *context, uint32_t shard, const struct ledger_record *record);
typedef void client_on_void(void *context, uint32_t shard, int64_t offset, enum filter_verdict verdict,
                            struct slice bytes);
enum err_code client_ledger_read(struct client_ledger *ledger, client_on_record *on_record, client_on_void *on_void,
                                 void *context, bool *got);
static inline bool client_ledger_at_end(const struct client_ledger *ledger)
{
    return ledger->filter.next_offset >= ledger->end;
}

#endif
