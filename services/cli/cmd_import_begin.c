/* cmd_import_begin.c -- may this run begin? Records of a run carry no run: sent beside another one they would become
 * part of it. So the lines are sent only when the ledger has taken in the begin, or has refused it because the tenant's
 * clock runs (then it refuses each line, and `rejects resend` brings them in as late events). */
#include <stdio.h>
#include <stdlib.h>

#include "cmd_import.h"

enum { ANSWER_MS_MAX = 10000 };

struct begins {
    struct import *import;
    struct client *client;
    char file[IMPORT_RUN_BYTES + 8]; /* origin of a begin of ours */
    uint32_t open;                   /* not answered yet */
    enum err_code code;
};

static void take_control(struct begins *begins, const struct event *event)
{
    bool begin = event->v[CONTROL_CONTROL].i == CONTROL_CONTROL_backfill_begin;
    if (begin && event_has(event, CONTROL_RUN_ID) && slice_is(event->v[CONTROL_RUN_ID].s, begins->import->run))
        begins->open--;
}

static void take_reject(struct begins *begins, const struct event *event)
{
    if (!event_has(event, REJECT_FILE) || !slice_is(event->v[REJECT_FILE].s, begins->file))
        return;
    begins->open--;
    if (!event_has(event, REJECT_FIELD) || !slice_is(event->v[REJECT_FIELD].s, "run_id"))
        return;
    struct slice tenant = event_has(event, REJECT_TENANT) ? event->v[REJECT_TENANT].s : SLICE("?");
    begins->code = err_set(
        &begins->client->cli->err, ERR_FINDING,
        "tenant %.*s: %.*s: %.*s. Nothing was sent. A run that was interrupted is ended by `paceline "
        "import --abort RUN --tenant %.*s`; `paceline tail import` shows its run_id",
        SLICE_ARG(tenant), SLICE_ARG(event->v[REJECT_REASON].s), SLICE_ARG(event->v[REJECT_TEXT].s), SLICE_ARG(tenant));
}

static bool on_record(void *context, uint32_t shard, const struct ledger_record *record)
{
    struct begins *begins = context;
    struct event event;
    struct err ignored = {0};
    (void)shard;
    if (record->source != LEDGER_SOURCE_IMPORT)
        return true;
    struct event_codec *codec = begins->client->codec;
    if (record->kind == LEDGER_CONTROL && event_decode_body(codec, EVENT_CONTROL, record->body, &event, &ignored) == OK)
        take_control(begins, &event);
    else if (record->kind == LEDGER_REJECT &&
             event_decode_body(codec, EVENT_REJECT, record->body, &event, &ignored) == OK)
        take_reject(begins, &event);
    return begins->open > 0 && begins->code == OK;
}

static enum err_code wait_shard(struct begins *begins, uint32_t shard)
{
    struct clock *clock = begins->client->wiring.clock;
    struct client_ledger *ledger = malloc(sizeof *ledger);
    if (!ledger)
        abort();
    enum err_code code = client_ledger_open(ledger, begins->client, shard);
    int64_t heard_ms = clock->monotonic_ms(clock);
    while (code == OK && begins->open && clock->monotonic_ms(clock) - heard_ms < ANSWER_MS_MAX) {
        bool got = false;
        bool behind = !client_ledger_at_end(ledger);
        code = client_ledger_read(ledger, on_record, NULL, begins, &got);
        if (code == OK)
            code = begins->code;
        if (behind)
            heard_ms = clock->monotonic_ms(clock); /* what was there at the start does not count as waiting */
        if (code == OK && !got)
            log_wait(ledger->consumer, 100);
    }
    if (ledger->consumer)
        client_ledger_close(ledger);
    free(ledger);
    return code;
}

/* Tenants of this shard that have lines: only these have a begin. */
static uint32_t begins_of_shard(const struct import *import, const struct client *client, uint32_t shard)
{
    bool *seen = calloc(import->tenants.count + 1, sizeof *seen);
    uint32_t count = 0;
    if (!seen)
        abort();
    for (size_t i = 0; i < import->count; i++) {
        uint32_t tenant = import->lines[i].tenant;
        bool here =
            !seen[tenant] && log_partition_of_key(intern_text(&import->tenants, tenant), client->shards) == shard;
        seen[tenant] = true;
        count += here;
    }
    free(seen);
    return count;
}

enum err_code import_begin_wait(struct import *import, struct client *client)
{
    struct begins begins = {.import = import, .client = client};
    (void)snprintf(begins.file, sizeof begins.file, "%s/begin", import->run);
    enum err_code code = client_flush(client);
    for (uint32_t shard = 0; shard < client->shards && code == OK; shard++) {
        begins.open = begins_of_shard(import, client, shard);
        if (begins.open)
            code = wait_shard(&begins, shard);
    }
    return code;
}
