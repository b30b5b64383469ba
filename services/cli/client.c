/* client.c -- see client.h. */
#include "client.h"

#include <unistd.h>

#include "avro/canonical.h"

static enum err_code fail(struct client *client, enum err_code code) { return client->cli->err.code = code; }

enum err_code client_open(struct client *client, struct cli *cli)
{
    *client = (struct client){.cli = cli, .shards = (uint32_t)cli->settings.shards};
    enum err_code code = wiring_open(&client->wiring, &cli->settings, "paceline", &cli->err);
    if (code != OK)
        return fail(client, code);
    client->open = true;
    client->codec = event_codec_new(&cli->err);
    return client->codec ? OK : fail(client, cli->err.code);
}

/* Embedded, the view is the private Redis of a running `paceline run`: its missing socket says that none runs. */
static enum err_code check_running(const struct client *client)
{
    const struct settings *settings = &client->cli->settings;
    char address[600];
    if (settings->kafka[0] || settings->redis[0] || wiring_view_address(settings, address, &client->cli->err) ||
        access(address, F_OK) == 0)
        return OK;
    return err_set(&client->cli->err, ERR_UNAVAILABLE, "nothing runs in %s: start `paceline run %s`, then try again",
                   settings->dir, settings->dir);
}

enum err_code client_view(struct client *client)
{
    if (client->view)
        return OK;
    enum err_code code = check_running(client);
    if (code == OK)
        code = wiring_view(&client->wiring, &client->view, &client->cli->err);
    return code == OK ? OK : fail(client, code);
}

void client_close(struct client *client)
{
    log_producer_destroy(&client->producer);
    if (client->view)
        view_destroy(&client->view);
    event_codec_destroy(&client->codec);
    if (client->open)
        wiring_close(&client->wiring);
    client->open = false;
}

void client_topic(const struct client *client, const char *name, char out[LOG_TOPIC_BYTES_MAX + 1])
{
    wiring_topic(&client->cli->settings, name, out);
}

enum err_code client_send(struct client *client, const char *topic, struct slice key, struct slice value,
                          struct slice origin)
{
    struct err *err = &client->cli->err;
    char name[LOG_TOPIC_BYTES_MAX + 1];
    struct clock *clock = client->wiring.clock;
    enum err_code code = OK;
    if (!client->producer)
        code = log_producer_open(client->wiring.log, &client->producer, err);
    if (code != OK)
        return fail(client, code);
    client_topic(client, topic, name);
    uint32_t partition = log_partition_of_key(key, client->shards);
    int64_t deadline_ms = clock->monotonic_ms(clock) + 6 * CLIENT_TIMEOUT_MS;
    while ((code = log_append(client->producer, name, partition, key, value, origin, err)) == ERR_LATER) {
        struct log_progress progress;
        if (clock->monotonic_ms(clock) > deadline_ms)
            break;
        log_producer_poll(client->producer, 100, &progress);
    }
    return code == OK ? OK : fail(client, code);
}

enum err_code client_flush(struct client *client)
{
    struct log_progress progress;
    if (!client->producer)
        return OK;
    enum err_code code = log_producer_flush(client->producer, 6 * CLIENT_TIMEOUT_MS, &client->cli->err);
    if (code != OK)
        return fail(client, code);
    log_producer_poll(client->producer, 0, &progress);
    if (progress.failed)
        return err_set(&client->cli->err, ERR_UNAVAILABLE,
                       "%llu of %llu records were not acknowledged; run the command again, repeats are duplicates",
                       (unsigned long long)progress.failed, (unsigned long long)progress.sent);
    return OK;
}

enum err_code client_range(struct client *client, const char *topic, uint32_t partition, int64_t *begin, int64_t *end)
{
    char name[LOG_TOPIC_BYTES_MAX + 1];
    client_topic(client, topic, name);
    enum err_code code = ERR_UNAVAILABLE;
    for (int i = 0; i < (client->heard ? CLIENT_PATIENCE : 1) && code == ERR_UNAVAILABLE; i++)
        code = log_range(client->wiring.log, name, partition, CLIENT_TIMEOUT_MS, begin, end, &client->cli->err);
    client->heard |= code == OK;
    return code == OK ? OK : fail(client, code);
}

bool client_read_reject(const struct client *client, struct slice value, struct event *event)
{
    uint64_t fingerprint;
    struct slice datum;
    struct err err = {0};
    return avro_single_open(value, &fingerprint, &datum) &&
           fingerprint == event_codec_fingerprint(client->codec, EVENT_REJECT) &&
           event_decode_body(client->codec, EVENT_REJECT, datum, event, &err) == OK;
}

/* ---- ledger */

enum err_code client_ledger_open(struct client_ledger *ledger, struct client *client, uint32_t shard)
{
    struct err *err = &client->cli->err;
    char name[LOG_TOPIC_BYTES_MAX + 1];
    int64_t begin;
    memset(ledger, 0, offsetof(struct client_ledger, reader));
    ledger->client = client;
    ledger->shard = shard;
    enum err_code code = client_range(client, "sales.ledger", shard, &begin, &ledger->end);
    if (code != OK)
        return code;
    if (begin > 0)
        return err_set(
            err, ERR_GAP,
            "the ledger topic of shard %u begins at offset %lld: what is older was deleted by retention, and "
            "without it the valid blocks cannot be told; read the archive instead",
            shard, (long long)begin);
    filter_init(&ledger->filter, shard);
    client_topic(client, "sales.ledger", name);
    struct log_source source = {name, shard, 0};
    code = log_consumer_open(client->wiring.log, NULL, &source, 1, &ledger->consumer, err);
    return code == OK ? OK : fail(client, code);
}

void client_ledger_close(struct client_ledger *ledger) { log_consumer_destroy(&ledger->consumer); }

/* The records of one valid block; false: on_record wants no more. */
static enum err_code read_block(struct client_ledger *ledger, client_on_record *on_record, void *context, bool *more)
{
    struct ledger_record record;
    bool bad = false;
    while (*more && block_next(&ledger->reader, &record, &bad))
        *more = on_record(context, ledger->shard, &record);
    if (bad)
        return err_set(&ledger->client->cli->err, ERR_CORRUPT, "shard %u: damaged block behind seq %llu", ledger->shard,
                       (unsigned long long)ledger->filter.seq);
    return OK;
}

static enum err_code take_block(struct client_ledger *ledger, const struct log_record *block,
                                client_on_record *on_record, client_on_void *on_void, void *context, bool *more)
{
    enum filter_verdict verdict = filter_apply(&ledger->filter, block->offset, block->value, &ledger->reader);
    switch (verdict) {
    case FILTER_VALID:
        return read_block(ledger, on_record, context, more);
    case FILTER_STOP_GAP:
    case FILTER_STOP_FORK:
        return err_set(&ledger->client->cli->err, verdict == FILTER_STOP_GAP ? ERR_GAP : ERR_FORK,
                       "shard %u, offset %lld: the ledger stops here (%s)", ledger->shard, (long long)block->offset,
                       filter_verdict_name(verdict));
    default:
        if (on_void && verdict != FILTER_VALID_OPEN)
            on_void(context, ledger->shard, block->offset, verdict, block->value);
        return OK;
    }
}

enum err_code client_ledger_read(struct client_ledger *ledger, client_on_record *on_record, client_on_void *on_void,
                                 void *context, bool *got)
{
    struct log_record blocks[CLIENT_POLL_RECORDS / 8];
    size_t count = 0;
    bool more = true;
    enum err_code code =
        log_poll(ledger->consumer, 0, blocks, sizeof blocks / sizeof blocks[0], &count, &ledger->client->cli->err);
    *got = count > 0;
    for (size_t i = 0; i < count && code == OK && more; i++)
        code = take_block(ledger, &blocks[i], on_record, on_void, context, &more);
    return code == OK ? OK : fail(ledger->client, code);
}
