/* cmd_import_wait.c -- what became of an import: the raw topics say which records were its own, the ledger what it
 * made of them. A record of source s and number n disposes of everything of s up to n (design 4.8): own numbers that
 * were passed without a record of their own were duplicates. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd_import.h"

enum { STALL_MS = 60000 };

struct wait {
    struct import *import;
    struct client *client;
    struct import_sent *sent;
    struct intern paths;
    uint64_t disposed, expected;
};

static struct import_sent *sent_of(struct wait *wait, uint32_t source, uint32_t shard)
{
    return &wait->sent[(size_t)source * wait->client->shards + shard];
}

/* FILE:LINE of a file of this import. */
static bool is_own(const struct wait *wait, struct slice origin)
{
    size_t n = origin.n;
    while (n && origin.p[n - 1] != ':')
        n--;
    return n > 1 && intern_get(&wait->paths, slice_make(origin.p, n - 1)) != INTERN_NONE;
}

static enum err_code find_own(struct wait *wait, uint32_t source, uint32_t shard)
{
    struct import_sent *sent = sent_of(wait, source, shard);
    struct client *client = wait->client;
    struct err *err = &client->cli->err;
    char topic[LOG_TOPIC_BYTES_MAX + 1];
    struct log_consumer *consumer = NULL;
    if (sent->begin >= sent->end)
        return OK;
    client_topic(client, ledger_source_topic((enum ledger_source)source), topic);
    struct log_source from = {topic, shard, sent->begin};
    enum err_code code = log_consumer_open(client->wiring.log, NULL, &from, 1, &consumer, err);
    for (int64_t next = sent->begin; code == OK && next < sent->end;) {
        struct log_record records[CLIENT_POLL_RECORDS];
        size_t count = 0;
        code = log_poll(consumer, 0, records, CLIENT_POLL_RECORDS, &count, err);
        if (code == OK && !count)
            log_wait(consumer, 100);
        for (size_t i = 0; i < count; i++) {
            next = records[i].offset + 1;
            if (records[i].offset < sent->end && is_own(wait, records[i].origin))
                buf_add_u64(&sent->offsets, (uint64_t)records[i].offset);
        }
    }
    log_consumer_destroy(&consumer);
    wait->expected += sent->offsets.n / 8;
    return code;
}

static int64_t own_offset(const struct import_sent *sent, uint64_t i)
{
    struct cursor in = {sent->offsets.p + i * 8, sent->offsets.p + sent->offsets.n, false};
    return (int64_t)cursor_u64(&in);
}

static void report_reject(struct wait *wait, const struct ledger_record *record)
{
    struct event event;
    char text[600], file[512];
    struct import *import = wait->import;
    enum reject_reason reason;
    import->counts.rejected++;
    if (event_decode_body(import->codec, EVENT_REJECT, record->body, &event, &import->cli->err) != OK)
        return;
    if (reject_reason_of(event.v[REJECT_REASON].s, &reason))
        import->counts.reasons[reason]++;
    struct slice field = event.v[REJECT_FIELD].s, name = event.v[REJECT_FILE].s, why = event.v[REJECT_TEXT].s;
    if (!event_has(&event, REJECT_FIELD))
        field.n = 0;
    if (!event_has(&event, REJECT_FILE))
        name = SLICE("?");
    (void)snprintf(text, sizeof text, "%.*s%s%.*s", SLICE_ARG(field), field.n ? ": " : "", SLICE_ARG(why));
    (void)snprintf(file, sizeof file, "%.*s", SLICE_ARG(name));
    char code[64];
    (void)snprintf(code, sizeof code, "%.*s", SLICE_ARG(event.v[REJECT_REASON].s));
    import_report(import, file, event_has(&event, REJECT_LINE) ? (uint64_t)event.v[REJECT_LINE].i : 0, code, text);
}

/* Everything of ours below `position` has its answer. */
static void pass(struct wait *wait, struct import_sent *sent, int64_t position)
{
    while (sent->seen < sent->offsets.n / 8 && own_offset(sent, sent->seen) < position) {
        wait->import->counts.duplicate++;
        wait->disposed++;
        sent->seen++;
    }
}

static void take_tick(struct wait *wait, uint32_t shard, const struct ledger_record *record)
{
    struct event event;
    struct event_position item;
    if (event_decode_body(wait->import->codec, EVENT_LEDGER_TICK, record->body, &event, &wait->import->cli->err) != OK)
        return;
    struct cursor positions = cursor_of(event.v[LEDGER_TICK_POSITIONS].s);
    while (event_positions_next(&positions, &item))
        for (uint32_t source = 0; source <= LEDGER_SOURCE_IMPORT; source++)
            if (slice_is(item.topic, ledger_source_topic((enum ledger_source)source)))
                pass(wait, sent_of(wait, source, shard), item.position + 1);
}

static bool on_record(void *context, uint32_t shard, const struct ledger_record *record)
{
    struct wait *wait = context;
    if (record->kind == LEDGER_TICK) {
        take_tick(wait, shard, record);
        return true;
    }
    if (record->source > LEDGER_SOURCE_IMPORT)
        return true;
    struct import_sent *sent = sent_of(wait, record->source, shard);
    pass(wait, sent, (int64_t)record->number);
    if (sent->seen == sent->offsets.n / 8 || own_offset(sent, sent->seen) != (int64_t)record->number)
        return true;
    sent->seen++;
    wait->disposed++;
    if (record->kind == LEDGER_REJECT)
        report_reject(wait, record);
    else
        wait->import->counts.accepted++;
    return true;
}

static bool shard_done(struct wait *wait, uint32_t shard)
{
    for (uint32_t source = 0; source <= LEDGER_SOURCE_IMPORT; source++) {
        const struct import_sent *sent = sent_of(wait, source, shard);
        if (sent->seen < sent->offsets.n / 8)
            return false;
    }
    return true;
}

static enum err_code follow(struct wait *wait, uint32_t shard)
{
    struct client *client = wait->client;
    struct clock *clock = client->wiring.clock;
    struct client_ledger *ledger = malloc(sizeof *ledger);
    if (!ledger)
        abort();
    enum err_code code = client_ledger_open(ledger, client, shard);
    int64_t heard_ms = clock->monotonic_ms(clock);
    while (code == OK && !shard_done(wait, shard)) {
        bool got = false;
        code = client_ledger_read(ledger, on_record, NULL, wait, &got);
        progress_set(&wait->import->progress, wait->disposed);
        if (got)
            heard_ms = clock->monotonic_ms(clock);
        else if (clock->monotonic_ms(clock) - heard_ms > STALL_MS)
            code =
                err_set(&client->cli->err, ERR_LATER,
                        "%llu of %llu records have no answer after a minute of silence: is the ledger service running "
                        "(`paceline run`, `paceline show shards`)? Nothing is lost: it will take them in later",
                        (unsigned long long)(wait->expected - wait->disposed), (unsigned long long)wait->expected);
        else
            log_wait(ledger->consumer, 100);
    }
    if (ledger->consumer)
        client_ledger_close(ledger);
    free(ledger);
    return code;
}

enum err_code import_wait(struct import *import, struct client *client, struct import_sent *sent)
{
    struct wait wait = {.import = import, .client = client, .sent = sent};
    enum err_code code = OK;
    intern_init(&wait.paths, IMPORT_FILES_MAX);
    for (uint32_t i = 0; i < import->file_count; i++)
        (void)intern_put(&wait.paths, slice_of(import->files[i].path));
    for (uint32_t source = 0; source <= LEDGER_SOURCE_IMPORT && code == OK; source++)
        for (uint32_t shard = 0; shard < client->shards && code == OK; shard++)
            code = find_own(&wait, source, shard);
    progress_init(&import->progress, import->progress.mode, stderr, client->wiring.clock, "ledger", "records",
                  wait.expected);
    for (uint32_t shard = 0; shard < client->shards && code == OK; shard++)
        if (!shard_done(&wait, shard))
            code = follow(&wait, shard);
    progress_end(&import->progress);
    intern_close(&wait.paths);
    return code;
}
