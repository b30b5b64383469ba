/* cmd_rejects.c -- `paceline rejects resend`: refused events once more, after what was wrong has been repaired.
 *
 * sales.rejects keeps the bytes as they came. They go to their topic again, unchanged; the ledger judges anew. What was
 * accepted meanwhile is a duplicate, so sending twice does no harm. Bytes that were refused several times, from
 * whatever place, are sent once: what stays bad grows by one reject a call, never by as many as there are. */
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
    struct intern seen; /* topic, tenant and digest of the bytes */
    struct buf key, scratch;
    uint64_t found, sent, without_tenant, without_bytes;
    bool dry_run;
};

/* What an import as lived lost enters as a late event now, by the topic of its type: its run is over. */
static const struct {
    enum event_type type;
    enum ledger_source source;
} homes[] = {{EVENT_VISIT, LEDGER_SOURCE_VISITS}, {EVENT_ORDER, LEDGER_SOURCE_ORDERS},
             {EVENT_LEAD, LEDGER_SOURCE_LEADS},   {EVENT_FACT, LEDGER_SOURCE_FACTS},
             {EVENT_PLAN, LEDGER_SOURCE_PLANS},   {EVENT_ACTION, LEDGER_SOURCE_ACTIONS}};

static struct slice field(const struct event *event, unsigned number)
{
    return event_has(event, number) ? event->v[number].s : (struct slice){0};
}

static bool matches(const struct filters *filters, const struct event *event)
{
    struct slice file = field(event, REJECT_FILE);
    if (filters->reason.n && !slice_eq(filters->reason, event->v[REJECT_REASON].s))
        return false;
    struct slice tenant = field(event, REJECT_TENANT);
    if (filters->tenant.n && tenant.n && !slice_eq(filters->tenant, tenant))
        return false; /* one that names no tenant is sent as this one's */
    if (!filters->origin.n)
        return true;
    char place[512];
    int n = snprintf(place, sizeof place, "%.*s:%lld", SLICE_ARG(file), (long long)event->v[REJECT_LINE].i);
    return slice_eq(filters->origin, file) || slice_eq(filters->origin, slice_make(place, n > 0 ? (size_t)n : 0));
}

/* False: a control of sales.import, which means nothing outside its own run. */
static bool home_of(struct resend *in, const struct event *reject, enum ledger_source *home)
{
    struct slice topic = field(reject, REJECT_TOPIC);
    struct event event;
    struct reject why = {0};
    struct event_origin origin = {.topic_types = UINT32_MAX, .partitions = 1, .arrival_ms = reject->v[REJECT_AT].i};
    for (int source = 0; source < LEDGER_SOURCE_IMPORT; source++)
        if (slice_is(topic, ledger_source_topic((enum ledger_source)source))) {
            *home = (enum ledger_source)source;
            return true;
        }
    *home = LEDGER_SOURCE_LEADS;
    (void)event_decode(in->client.codec, field(reject, REJECT_RAW), &origin, &event, &in->scratch, &why);
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
        if (event.type == homes[i].type)
            *home = homes[i].source;
    return event.type != EVENT_CONTROL && slice_is(topic, ledger_source_topic(LEDGER_SOURCE_IMPORT));
}

/* The same bytes of one tenant and topic. */
static bool is_new(struct resend *in, const struct event *event, enum ledger_source home)
{
    uint32_t before = in->seen.count;
    buf_clear(&in->key);
    buf_addf(&in->key, "%d ", (int)home);
    buf_add_slice(&in->key, field(event, REJECT_TENANT));
    buf_add_byte(&in->key, ' ');
    buf_add_slice(&in->key, event->v[REJECT_SHA256].s);
    return intern_put(&in->seen, buf_slice(&in->key)) == before;
}

static enum err_code send_again(struct resend *in, const struct event *event, enum ledger_source home)
{
    struct slice file = field(event, REJECT_FILE), key = field(event, REJECT_TENANT);
    char origin[1024] = ""; /* as import writes it */
    if (!key.n)
        key = in->filters.tenant;
    in->without_tenant += !key.n;
    in->without_bytes += !event_has(event, REJECT_RAW);
    if (!key.n || !event_has(event, REJECT_RAW) || in->dry_run)
        return OK;
    if (file.n)
        (void)snprintf(origin, sizeof origin, "%.*s:%lld", SLICE_ARG(file), (long long)event->v[REJECT_LINE].i);
    in->sent++;
    return client_send(&in->client, ledger_source_topic(home), key, event->v[REJECT_RAW].s, slice_of(origin));
}

static enum err_code take(struct resend *in, const struct log_record *record)
{
    struct event event;
    enum ledger_source home;
    if (!client_read_reject(&in->client, record->value, &event) || !matches(&in->filters, &event) ||
        !home_of(in, &event, &home) || !is_new(in, &event, home))
        return OK;
    in->found++;
    return send_again(in, &event, home);
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
    buf_close(&in.key);
    buf_close(&in.scratch);
    if (code == OK)
        (void)printf(cli->json ? "{\"matched\":%llu,\"sent\":%llu}\n"
                     : cli->zh ? "符合 %llu，已重发 %llu\n"
                               : "matched %llu, sent again %llu\n",
                     (unsigned long long)in.found, (unsigned long long)in.sent);
    if (code == OK && (in.without_tenant || in.without_bytes))
        code = err_set(&cli->err, ERR_FINDING,
                       "%llu name no tenant (give --tenant NAME for such records); of %llu too large to be kept the "
                       "bytes stand at their origin only",
                       (unsigned long long)in.without_tenant, (unsigned long long)in.without_bytes);
    return err_exit_code(code);
}

static const struct option_spec options[] = {
    {"reason", OPTION_TEXT, "REASON", "only those refused for this reason, such as unknown_schema",
     "只重发因此原因被拒的记录"},
    {"tenant", OPTION_TEXT, "NAME", "only those of this tenant, or of none that can be read",
     "只重发该租户（或读不出租户）的记录"},
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
        "registered, an import ended, a clock set right) this sends them to their topic again, under the tenant's "
        "key.\n"
        "What was accepted in the meantime counts as a duplicate. What an import as lived lost enters as a late event.",
    .example = "paceline rejects resend --reason backfill_running --dry-run",
    .args_max = 0,
    .options = options,
    .run = run,
};
