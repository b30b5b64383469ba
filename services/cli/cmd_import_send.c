/* cmd_import_send.c -- the lines of an import on their way to the raw topics. See cmd_import.h. */
#include <stdio.h>

#include "base/text.h"
#include "base/time_text.h"
#include "cmd_import.h"

/* Topic of a type; what cannot be read goes to the leads, where the ledger refuses it with its bytes kept (O31). */
static enum ledger_source source_of(const struct import *import, const struct import_line *line)
{
    if (import->as_lived)
        return LEDGER_SOURCE_IMPORT;
    switch (line->type) {
    case EVENT_VISIT:
        return LEDGER_SOURCE_VISITS;
    case EVENT_ORDER:
        return LEDGER_SOURCE_ORDERS;
    case EVENT_FACT:
        return LEDGER_SOURCE_FACTS;
    case EVENT_PLAN:
        return LEDGER_SOURCE_PLANS;
    case EVENT_ACTION:
        return LEDGER_SOURCE_ACTIONS;
    case EVENT_CONTROL:
        return LEDGER_SOURCE_IMPORT;
    default:
        return LEDGER_SOURCE_LEADS;
    }
}

void import_control_line(struct slice tenant, const char *run, const char *control, int64_t at_ms, bool then_live,
                         struct buf *out)
{
    char instant[INSTANT_TEXT_BYTES];
    const char *step = strncmp(control, "backfill_", 9) == 0 ? control + 9 : control;
    (void)instant_print(at_ms, instant);
    buf_add_text(out, "{\"type\":\"control\",\"tenant\":");
    text_add_json(out, tenant);
    buf_add_text(out, ",\"event_id\":");
    struct buf id = {0};
    buf_addf(&id, "%s/%s", run, step);
    text_add_json(out, buf_slice(&id));
    buf_close(&id);
    buf_addf(out, ",\"source\":\"import\",\"source_seq\":0,\"occurred_at\":\"%s\",\"control\":\"%s\"", instant,
             control);
    if (strcmp(control, "live") != 0) {
        buf_add_text(out, ",\"run_id\":");
        text_add_json(out, slice_of(run));
    }
    if (then_live)
        buf_add_text(out, ",\"then_live\":true");
    buf_add_byte(out, '}');
}

static enum err_code send_control(struct client *client, struct slice tenant, const char *run, const char *control,
                                  int64_t at_ms, bool then_live)
{
    struct buf text = {0};
    char origin[2 * IMPORT_RUN_BYTES + 8];
    bool begin = strcmp(control, "backfill_begin") == 0;
    (void)snprintf(origin, sizeof origin, "%s/%s:1", run, begin ? "begin" : "end");
    import_control_line(tenant, run, control, at_ms, then_live, &text);
    enum err_code code =
        client_send(client, ledger_source_topic(LEDGER_SOURCE_IMPORT), tenant, buf_slice(&text), slice_of(origin));
    buf_close(&text);
    return code;
}

/* A line whose tenant cannot be read belongs to --tenant, or to the only tenant of the input. */
static enum err_code settle_tenants(struct import *import)
{
    uint32_t fallback = INTERN_NONE;
    if (import->tenant.n)
        fallback = intern_put(&import->tenants, import->tenant);
    else if (import->tenants.count == 1)
        fallback = 0;
    for (size_t i = 0; i < import->count; i++) {
        struct import_line *line = &import->lines[i];
        if (line->tenant != INTERN_NONE)
            continue;
        if (fallback == INTERN_NONE)
            return err_set(&import->cli->err, ERR_USAGE,
                           "%s:%llu: the tenant of this line cannot be read; give --tenant NAME for such lines",
                           import->files[line->file].path, (unsigned long long)line->line);
        line->tenant = fallback;
    }
    return OK;
}

/* First and last event of each tenant's run: the instants of its begin and end. */
static enum err_code write_controls(struct import *import, struct client *client, bool begin)
{
    for (uint32_t tenant = 0; tenant < import->tenants.count; tenant++) {
        int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
        bool any = false;
        for (size_t i = 0; i < import->count; i++) {
            const struct import_line *line = &import->lines[i];
            any = any || line->tenant == tenant;
            if (line->tenant != tenant || !line->good || line->type == EVENT_PLAN)
                continue;
            first_ms = line->at_ms < first_ms ? line->at_ms : first_ms;
            last_ms = line->at_ms > last_ms ? line->at_ms : last_ms;
        }
        if (!any)
            continue;
        int64_t at_ms = first_ms == INT64_MAX ? import->now_ms : begin ? first_ms : last_ms;
        enum err_code code =
            send_control(client, intern_text(&import->tenants, tenant), import->run,
                         begin ? "backfill_begin" : "backfill_end", at_ms, !begin && import->then_live);
        if (code != OK)
            return code;
    }
    return OK;
}

static enum err_code send_line(struct import *import, struct client *client, const struct import_line *line)
{
    char origin[1024];
    int n = snprintf(origin, sizeof origin, "%s:%llu", import->files[line->file].path, (unsigned long long)line->line);
    struct slice header = slice_make(origin, n < (int)sizeof origin ? (size_t)n : sizeof origin - 1);
    return client_send(client, ledger_source_topic(source_of(import, line)),
                       intern_text(&import->tenants, line->tenant), line->bytes, header);
}

static enum err_code note_ranges(struct client *client, struct import_sent *sent, bool begin)
{
    for (int source = 0; source <= LEDGER_SOURCE_IMPORT; source++)
        for (uint32_t shard = 0; shard < client->shards; shard++) {
            struct import_sent *one = &sent[(size_t)source * client->shards + shard];
            int64_t from, to;
            enum err_code code =
                client_range(client, ledger_source_topic((enum ledger_source)source), shard, &from, &to);
            if (code != OK)
                return code;
            if (begin)
                one->begin = to;
            else
                one->end = to;
        }
    return OK;
}

enum err_code import_send(struct import *import, struct client *client, struct import_sent *sent)
{
    enum err_code code = settle_tenants(import);
    if (code == OK)
        code = note_ranges(client, sent, true);
    if (code == OK && import->as_lived)
        code = write_controls(import, client, true);
    if (code == OK && import->as_lived && import->wait)
        code = import_begin_wait(import, client);
    progress_init(&import->progress, import->progress.mode, stderr, client->wiring.clock, "sending", "records",
                  import->count);
    for (size_t i = 0; i < import->count && code == OK; i++) {
        code = send_line(import, client, &import->lines[i]);
        progress_set(&import->progress, i + 1);
    }
    progress_end(&import->progress);
    if (code == OK && import->as_lived)
        code = write_controls(import, client, false);
    if (code == OK)
        code = client_flush(client);
    return code == OK ? note_ranges(client, sent, false) : code;
}
