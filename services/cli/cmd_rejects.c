/* cmd_rejects.c -- `paceline rejects resend`: refused events once more, after what was wrong has been repaired.
 *
 * sales.rejects keeps the bytes as they came. They go to their topic again, unchanged; the ledger judges anew. What was
 * accepted meanwhile is a duplicate, so sending twice does no harm. */
#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/text.h"
#include "client.h"

struct filters {
    struct slice reason, tenant, origin;
};

struct resend {
    struct cli *cli;
    struct client client;
    struct filters filters;
    struct intern seen; /* origins: a reject may stand there more than once */
    uint64_t found, sent;
    bool dry_run;
};

static struct slice field(const struct event *event, unsigned number)
{
    return event_has(event, number) ? event->v[number].s : (struct slice){0};
}

static bool matches(const struct filters *filters, const struct event *event)
{
    struct slice file = field(event, REJECT_FILE);
    if (filters->reason.n && !slice_eq(filters->reason, event->v[REJECT_REASON].s))
        return false;
    if (filters->tenant.n && !slice_eq(filters->tenant, field(event, REJECT_TENANT)))
        return false;
    if (!filters->origin.n)
        return true;
    char place[512];
    int n = snprintf(place, sizeof place, "%.*s:%lld", SLICE_ARG(file), (long long)event->v[REJECT_LINE].i);
    return slice_eq(filters->origin, file) || slice_eq(filters->origin, slice_make(place, n > 0 ? (size_t)n : 0));
}

static enum err_code send_again(struct resend *in, const struct event *event)
{
    struct slice topic = field(event, REJECT_TOPIC), file = field(event, REJECT_FILE);
    char origin[512] = "";
    struct slice key = field(event, REJECT_TENANT);
    if (!key.n)
        key = in->filters.tenant;
    in->found++;
    if (in->dry_run)
        return OK;
    if (!key.n)
        return err_set(&in->cli->err, ERR_USAGE,
                       "the tenant of a refused record cannot be read; give --tenant NAME for such records");
    if (file.n)
        (void)snprintf(origin, sizeof origin, "%.*s:%lld", SLICE_ARG(file), (long long)event->v[REJECT_LINE].i);
    for (int source = 0; source <= LEDGER_SOURCE_IMPORT; source++) {
        const char *name = ledger_source_topic((enum ledger_source)source);
        size_t n = strlen(name);
        if (topic.n < n || memcmp(topic.p + topic.n - n, name, n) != 0) /* a prefix may stand before it */
            continue;
        in->sent++;
        /* What an import as lived lost enters as a late event now: its topic is closed. */
        return client_send(&in->client, source == LEDGER_SOURCE_IMPORT ? "sales.leads" : name, key,
                           field(event, REJECT_RAW), slice_of(origin));
    }
    return OK;
}

static enum err_code take(struct resend *in, const struct log_record *record)
{
    struct event event;
    struct reject reject = {0};
    struct buf scratch = {0};
    struct event_origin origin = {.topic_types = 1u << EVENT_REJECT, .partitions = 1, .arrival_ms = record->append_ms};
    enum err_code code = OK;
    uint32_t before = in->seen.count;
    if (intern_put(&in->seen, record->key) < before)
        return OK;
    if (event_decode(in->client.codec, record->value, &origin, &event, &scratch, &reject) == REJECT_NONE &&
        matches(&in->filters, &event))
        code = send_again(in, &event);
    buf_close(&scratch);
    return code;
}

static enum err_code read_partition(struct resend *in, uint32_t partition)
{
    char topic[LOG_TOPIC_BYTES_MAX + 1];
    int64_t begin, end;
    struct log_consumer *consumer = NULL;
    enum err_code code = client_range(&in->client, "sales.rejects", partition, &begin, &end);
    client_topic(&in->client, "sales.rejects", topic);
    struct log_source source = {topic, partition, begin};
    if (code == OK && begin < end)
        code = log_consumer_open(in->client.wiring.log, NULL, &source, 1, &consumer, &in->cli->err);
    for (int64_t next = begin; code == OK && next < end;) {
        struct log_record records[64];
        size_t count = 0;
        code = log_poll(consumer, 0, records, 64, &count, &in->cli->err);
        if (code == OK && !count)
            log_wait(consumer, 100);
        for (size_t i = 0; i < count && code == OK; i++) {
            next = records[i].offset + 1;
            if (records[i].offset < end)
                code = take(in, &records[i]);
        }
    }
    log_consumer_destroy(&consumer);
    return code;
}

static int run(struct cli *cli)
{
    enum { ORIGINS_MAX = 100000000 };
    struct resend in = {.cli = cli,
                        .dry_run = cli_flag(cli, "dry-run"),
                        .filters = {slice_of(cli_option(cli, "reason")), slice_of(cli_option(cli, "tenant")),
                                    slice_of(cli_option(cli, "origin"))}};
    enum reject_reason known;
    if (in.filters.reason.n && !reject_reason_of(in.filters.reason, &known))
        return cli_fail(cli, ERR_USAGE, "--reason %s: no such reason; see `paceline tail --rejects`",
                        in.filters.reason.p);
    intern_init(&in.seen, ORIGINS_MAX);
    enum err_code code = client_open(&in.client, cli);
    for (uint32_t shard = 0; shard < in.client.shards && code == OK; shard++)
        code = read_partition(&in, shard);
    if (code == OK)
        code = client_flush(&in.client);
    client_close(&in.client);
    intern_close(&in.seen);
    if (code == OK)
        (void)printf(cli->json ? "{\"matched\":%llu,\"sent\":%llu}\n"
                     : cli->zh ? "符合 %llu，已重发 %llu\n"
                               : "matched %llu, sent again %llu\n",
                     (unsigned long long)in.found, (unsigned long long)in.sent);
    return err_exit_code(code);
}

static const struct option_spec options[] = {
    {"reason", OPTION_TEXT, "REASON", "only those refused for this reason, such as unknown_schema",
     "只重发因此原因被拒的记录"},
    {"tenant", OPTION_TEXT, "NAME", "only those of this tenant", "只重发该租户的记录"},
    {"origin", OPTION_TEXT, "FILE[:LINE]", "only those imported from this file or line",
     "只重发来自该文件（或行）的记录"},
    {"dry-run", OPTION_FLAG, NULL, "count only", "只计数"},
    {0},
};

const struct command cmd_rejects_resend = {
    .name = "rejects resend",
    .args_help = "",
    .summary = "send refused events again after repair",
    .summary_zh = "修复之后重新发送被拒事件",
    .details =
        "Nothing that was refused is lost: its bytes stand in sales.rejects. After the cause is mended (a schema\n"
        "registered, an import ended, a clock set right) this sends them to their topic again. What was accepted\n"
        "in the meantime counts as a duplicate.",
    .example = "paceline rejects resend --reason backfill_running --dry-run",
    .args_max = 0,
    .options = options,
    .run = run,
};
