/* cmd_show_shards.c -- `paceline show shards`: where ledger and machines stand, shard by shard. */
#include <stdio.h>

#include "base/table.h"
#include "base/text.h"
#include "base/time_text.h"
#include "client.h"
#include "machine/status.h"

enum { SOURCES = LEDGER_SOURCE_IMPORT + 1 };

struct shard {
    struct machine_status status;
    bool known;
    int64_t behind, ledger_behind;
    uint64_t accepted, duplicate, rejected, voids;
    struct buf digests, stops; /* JSON items of the tenants: last attested digest; why one stands still */
    struct buf told;           /* the stops, a line each, for people */
};

static void shard_close(struct shard *shard)
{
    buf_close(&shard->digests);
    buf_close(&shard->stops);
    buf_close(&shard->told);
}

static void begin_item(struct buf *items, struct slice tenant)
{
    buf_add_text(items, items->n ? ",{\"tenant\":" : "{\"tenant\":");
    text_add_json(items, tenant);
}

/* A tenant is told in up to two calls (status.h). */
static void take_tenant(void *context, const struct status_tenant *tenant)
{
    struct shard *shard = context;
    if (tenant->digest.n) {
        begin_item(&shard->digests, tenant->tenant);
        buf_addf(&shard->digests, ",\"tenant_seq\":%llu,\"digest\":\"%.*s\"}", (unsigned long long)tenant->tenant_seq,
                 SLICE_ARG(tenant->digest));
    }
    if (tenant->stop.n) {
        begin_item(&shard->stops, tenant->tenant);
        buf_add_text(&shard->stops, ",\"why\":");
        text_add_json(&shard->stops, tenant->stop);
        buf_add_byte(&shard->stops, '}');
        buf_addf(&shard->told, "tenant %.*s stands still: %.*s\n", SLICE_ARG(tenant->tenant), SLICE_ARG(tenant->stop));
    }
}

static enum err_code look(struct client *client, const char *machine, uint32_t number, struct shard *shard)
{
    struct err *err = &client->cli->err;
    int64_t begin, end;
    *shard = (struct shard){0};
    enum err_code code = status_read(client->view, machine, number, &shard->status, take_tenant, shard, err);
    shard->known = code == OK;
    if (code != OK && code != ERR_MISSING)
        return code;
    code = client_range(client, "sales.ledger", number, &begin, &end);
    if (code == OK)
        shard->ledger_behind = end - shard->status.next_offset;
    for (int source = 0; source < SOURCES && code == OK; source++) {
        const struct status_source *one = &shard->status.sources[source];
        code = client_range(client, ledger_source_topic((enum ledger_source)source), number, &begin, &end);
        if (code == OK && end > one->position)
            shard->behind += end - one->position;
        shard->accepted += one->accepted;
        shard->duplicate += one->duplicate;
        shard->rejected += one->rejected;
    }
    for (int verdict = FILTER_VOID_OPEN; verdict < FILTER_STOP_GAP; verdict++)
        shard->voids += shard->status.voids[verdict];
    return code;
}

static void add_json(const char *machine, uint32_t number, const struct shard *shard, struct buf *out)
{
    char time[INSTANT_TEXT_BYTES];
    const struct machine_status *status = &shard->status;
    (void)instant_print(status->time_ms, time);
    buf_addf(out,
             "{\"shard\":%u,\"machine\":\"%s\",\"known\":%s,\"version\":%u,\"branch\":%u,\"epoch\":%u,\"seq\":%llu,",
             number, machine, shard->known ? "true" : "false", status->version, status->branch, status->epoch,
             (unsigned long long)status->seq);
    buf_addf(out, "\"time\":\"%s\",\"raw_behind\":%lld,\"blocks_behind\":%lld,\"snapshot_seq\":%llu,\"outbox\":%llu,",
             time, (long long)shard->behind, (long long)shard->ledger_behind, (unsigned long long)status->snapshot_seq,
             (unsigned long long)status->outbox);
    buf_addf(
        out,
        "\"received\":%llu,\"accepted\":%llu,\"duplicate\":%llu,\"rejected\":%llu,\"void_blocks\":%llu,\"sources\":{",
        (unsigned long long)(shard->accepted + shard->duplicate + shard->rejected), (unsigned long long)shard->accepted,
        (unsigned long long)shard->duplicate, (unsigned long long)shard->rejected, (unsigned long long)shard->voids);
    for (int source = 0; source < LEDGER_SOURCE_COUNT; source++) {
        const struct status_source *one = &status->sources[source];
        buf_addf(out, "%s\"%s\":{\"position\":%lld,\"accepted\":%llu,\"duplicate\":%llu,\"rejected\":%llu}",
                 source ? "," : "", ledger_source_topic((enum ledger_source)source), (long long)one->position,
                 (unsigned long long)one->accepted, (unsigned long long)one->duplicate,
                 (unsigned long long)one->rejected);
    }
    buf_add_text(out, "},\"tenants\":[");
    buf_add_slice(out, buf_slice(&shard->digests));
    buf_add_text(out, "],\"stopped\":[");
    buf_add_slice(out, buf_slice(&shard->stops));
    buf_add_text(out, "]}\n");
}

static void add_row(struct table *table, const char *machine, uint32_t number, const struct shard *shard)
{
    char time[INSTANT_TEXT_BYTES];
    (void)instant_print(shard->status.time_ms, time);
    table_addf(table, "%u", number);
    table_add_text(table, machine);
    table_addf(table, "%llu", (unsigned long long)shard->status.seq);
    table_add_text(table, shard->known ? time : "-");
    table_addf(table, "%lld", (long long)shard->behind);
    table_addf(table, "%lld", (long long)shard->ledger_behind);
    table_addf(table, "%u", shard->status.epoch);
    table_addf(table, "%llu", (unsigned long long)shard->accepted);
    table_addf(table, "%llu", (unsigned long long)shard->duplicate);
    table_addf(table, "%llu", (unsigned long long)shard->rejected);
    table_addf(table, "%llu", (unsigned long long)shard->voids);
}

static void begin_table(struct table *table, bool zh)
{
    static const char *const en[] = {"shard", "machine",  "seq",       "time",     "raw behind", "blocks behind",
                                     "epoch", "accepted", "duplicate", "rejected", "void blocks"};
    static const char *const zh_names[] = {"分片", "状态机", "序号", "时间", "原始落后", "块落后",
                                           "纪元", "接受",   "重复", "拒绝", "无效块"};
    enum { COLUMNS = sizeof en / sizeof en[0] };
    table_init(table, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++) {
        table_add_text(table, zh ? zh_names[i] : en[i]);
        table_align(table, i, i == 1 || i == 3 ? TABLE_LEFT : TABLE_RIGHT);
    }
}

static int run(struct cli *cli)
{
    static const char *const machines[] = {"funnel"};
    struct client client;
    struct table table;
    struct buf out = {0}, stops = {0};
    enum err_code code = client_open(&client, cli);
    if (code == OK)
        code = client_view(&client);
    begin_table(&table, cli->zh);
    for (uint32_t number = 0; number < client.shards && code == OK; number++)
        for (size_t i = 0; i < sizeof machines / sizeof machines[0] && code == OK; i++) {
            struct shard shard;
            code = look(&client, machines[i], number, &shard);
            if (code == OK && cli->json)
                add_json(machines[i], number, &shard, &out);
            else if (code == OK)
                add_row(&table, machines[i], number, &shard);
            buf_add_slice(&stops, buf_slice(&shard.told));
            shard_close(&shard);
        }
    if (code == OK && !cli->json) {
        table_write(&table, cli->tty, &out);
        buf_add_slice(&out, buf_slice(&stops));
    }
    if (code == OK)
        (void)fwrite(out.p, 1, out.n, stdout);
    table_close(&table);
    buf_close(&out);
    buf_close(&stops);
    client_close(&client);
    return err_exit_code(code);
}

const struct command cmd_show_shards = {
    .name = "show shards",
    .args_help = "",
    .summary = "how far ledger and machines are, shard by shard",
    .summary_zh = "各分片账本和状态机的进度",
    .details = "`raw behind`: raw records that have no answer in the figures yet; `blocks behind`: blocks of the "
               "ledger topic\n"
               "that the machine has not read. received = accepted + duplicate + rejected.",
    .example = "paceline show shards --json",
    .args_max = 0,
    .run = run,
};
