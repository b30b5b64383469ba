/* cmd_import.c -- `paceline import`: files of events, or CSV by a mapping, into the raw topics. */
#include <stdlib.h>

#include "base/text.h"
#include "base/time_text.h"
#include "cmd_import.h"
#include "model/plan.h"

/* clang-format off */
static const struct option_spec options[] = {
    {"mapping", OPTION_TEXT, "FILE", "the files are CSV; this file says how rows become events", "文件为 CSV；映射文件说明每行如何变成事件"},
    {"as-lived", OPTION_FLAG, NULL, "history in its own order and time, before the tenant's first live event", "按历史时间顺序导入（租户尚无实时事件时）"},
    {"then-live", OPTION_FLAG, NULL, "with --as-lived: the tenant's clock goes on at once afterwards", "与 --as-lived 同用：导入后时钟立即转为实时"},
    {"dry-run", OPTION_FLAG, NULL, "count and judge every line, write nothing", "只统计和检查每一行，不写入"},
    {"tenant", OPTION_TEXT, "NAME", "tenant of lines whose own cannot be read", "无法读出租户的行归于此租户"},
    {"as-tenant", OPTION_TEXT, "NAME", "replace the tenant of every line", "替换每一行的租户"},
    {"abort", OPTION_TEXT, "RUN", "write the missing end of a run that was interrupted (with --tenant)", "为中断的导入补写结束记录（需 --tenant）"},
    {"no-wait", OPTION_FLAG, NULL, "do not wait for the ledger's answer", "不等待账本处理完毕"},
    {0},
};
/* clang-format on */

static enum err_code check_options(struct cli *cli)
{
    if (cli_option(cli, "abort") && !cli_option(cli, "tenant"))
        return err_set(&cli->err, ERR_USAGE, "--abort needs --tenant NAME: runs are per tenant");
    if (cli_flag(cli, "then-live") && !cli_flag(cli, "as-lived"))
        return err_set(&cli->err, ERR_USAGE, "--then-live belongs to --as-lived");
    if (!cli_option(cli, "abort") && !cli_option(cli, "mapping") && cli->arg_count == 0)
        return err_set(&cli->err, ERR_USAGE, "name the files: paceline import FILE..., or --mapping M.yaml");
    return OK;
}

static enum err_code prepare(struct import *import, struct cli *cli)
{
    struct clock *clock = clock_system();
    import->cli = cli;
    import->as_lived = cli_flag(cli, "as-lived");
    import->then_live = cli_flag(cli, "then-live");
    import->dry_run = cli_flag(cli, "dry-run");
    import->wait = !cli_flag(cli, "no-wait");
    import->tenant = slice_of(cli_option(cli, "tenant"));
    import->as_tenant = slice_of(cli_option(cli, "as-tenant"));
    import->now_ms = clock->now_ms(clock);
    (void)snprintf(import->run, sizeof import->run, "run-%llx", (unsigned long long)import->now_ms);
    intern_init(&import->tenants, 1 << 20);
    progress_init(&import->progress, progress_mode_for(stderr, cli->quiet || cli->no_progress), stderr, clock,
                  "reading", "lines", 0);
    import->codec = event_codec_new(&cli->err);
    if (!import->codec)
        return cli->err.code;
    event_codec_set_plan_check(import->codec, plan_item_check);
    return OK;
}

static enum err_code read_all(struct import *import)
{
    struct cli *cli = import->cli;
    const char *mapping = cli_option(cli, "mapping");
    enum err_code code = OK;
    if (mapping)
        code = import_read_mapping(import, mapping, cli->args, cli->arg_count);
    for (int i = 0; i < cli->arg_count && !mapping && code == OK; i++)
        code = import_read_ndjson(import, cli->args[i]);
    progress_end(&import->progress);
    return code;
}

static enum err_code send_and_wait(struct import *import)
{
    struct client client;
    enum err_code code = client_open(&client, import->cli);
    size_t count = (size_t)(LEDGER_SOURCE_IMPORT + 1) * client.shards;
    struct import_sent *sent = calloc(count ? count : 1, sizeof *sent);
    if (!sent)
        abort();
    if (code == OK)
        code = wiring_topics_check(&client.wiring, &import->cli->err);
    if (code == OK)
        code = import_send(import, &client, sent);
    if (code == OK && import->wait)
        code = import_wait(import, &client, sent);
    for (size_t i = 0; i < count; i++)
        buf_close(&sent[i].offsets);
    free(sent);
    client_close(&client);
    return code;
}

/* ---- the last line */

static void add_instant(struct buf *out, const struct import_counts *counts, int64_t at_ms, bool json)
{
    char text[INSTANT_TEXT_BYTES];
    if (!counts->any) {
        buf_add_text(out, json ? "null" : "-");
        return;
    }
    (void)instant_print(at_ms, text);
    buf_addf(out, json ? "\"%s\"" : "%s", text);
}

static void write_json(const struct import *import, int64_t ms, struct buf *out)
{
    const struct import_counts *counts = &import->counts;
    buf_addf(out, "{\"read\":%llu,\"accepted\":%llu,\"duplicate\":%llu,\"rejected\":%llu,\"first\":",
             (unsigned long long)counts->read, (unsigned long long)counts->accepted,
             (unsigned long long)counts->duplicate, (unsigned long long)counts->rejected);
    add_instant(out, counts, counts->first_ms, true);
    buf_add_text(out, ",\"last\":");
    add_instant(out, counts, counts->last_ms, true);
    buf_addf(out, ",\"seconds\":%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
    if (import->as_lived && !import->dry_run)
        buf_addf(out, ",\"run\":\"%s\"", import->run);
    if (import->dry_run || import->rows) {
        buf_add_text(out, ",\"types\":{");
        bool first = true;
        for (int type = 0; type <= EVENT_CONTROL; type++) {
            if (!counts->by_type[type])
                continue;
            buf_addf(out, "%s\"%s\":%llu", first ? "" : ",", event_type_name((enum event_type)type),
                     (unsigned long long)counts->by_type[type]);
            first = false;
        }
        buf_add_byte(out, '}');
    }
    if (import->rows)
        buf_addf(out, ",\"rows\":%llu,\"skipped_rows\":%llu,\"failed_rows\":%llu", (unsigned long long)import->rows,
                 (unsigned long long)import->skipped_rows, (unsigned long long)counts->failed_rows);
    buf_add_text(out, "}\n");
}

static void write_text(const struct import *import, int64_t ms, struct buf *out)
{
    const struct import_counts *counts = &import->counts;
    bool zh = import->cli->zh;
    for (int reason = 1; reason < REJECT_REASON_COUNT; reason++)
        if (counts->reasons[reason])
            buf_addf(out, "  %s %llu\n", reject_reason_name((enum reject_reason)reason),
                     (unsigned long long)counts->reasons[reason]);
    for (int type = 0; type <= EVENT_CONTROL && (import->dry_run || import->rows); type++)
        if (counts->by_type[type])
            buf_addf(out, "  %s %llu\n", event_type_name((enum event_type)type),
                     (unsigned long long)counts->by_type[type]);
    if (import->rows)
        buf_addf(out, zh ? "  行 %llu，跳过 %llu，失败 %llu\n" : "  rows %llu, skipped %llu, failed %llu\n",
                 (unsigned long long)import->rows, (unsigned long long)import->skipped_rows,
                 (unsigned long long)counts->failed_rows);
    buf_addf(out,
             zh ? "读取 %llu，接受 %llu，重复 %llu，拒绝 %llu，首 "
                : "read %llu, accepted %llu, duplicate %llu, rejected %llu, first ",
             (unsigned long long)counts->read, (unsigned long long)counts->accepted,
             (unsigned long long)counts->duplicate, (unsigned long long)counts->rejected);
    add_instant(out, counts, counts->first_ms, false);
    buf_add_text(out, zh ? "，末 " : ", last ");
    add_instant(out, counts, counts->last_ms, false);
    buf_addf(out, ", %lld.%03lld s\n", (long long)(ms / 1000), (long long)(ms % 1000));
}

static void print_summary(const struct import *import)
{
    struct clock *clock = clock_system();
    struct buf out = {0};
    int64_t ms = clock->now_ms(clock) - import->now_ms;
    if (import->cli->json)
        write_json(import, ms < 0 ? 0 : ms, &out);
    else
        write_text(import, ms < 0 ? 0 : ms, &out);
    (void)fwrite(out.p, 1, out.n, stdout);
    buf_close(&out);
}

static int run_import(struct cli *cli)
{
    struct import *import = calloc(1, sizeof *import);
    if (!import)
        abort();
    enum err_code code = check_options(cli);
    if (code == OK)
        code = prepare(import, cli);
    if (code == OK)
        code = read_all(import);
    if (code == OK) {
        import_sort(import);
        if (import->dry_run)
            import_dry_run(import);
        else
            code = send_and_wait(import);
    }
    int exit_code = err_exit_code(code);
    if (code == OK) {
        print_summary(import);
        exit_code = import->counts.rejected ? err_exit_code(ERR_FINDING) : 0;
    }
    event_codec_destroy(&import->codec);
    import_close(import);
    free(import);
    return exit_code;
}

int import_run_control_line(struct cli *cli, const char *what, struct slice line)
{
    struct import *import = calloc(1, sizeof *import);
    struct clock *clock = clock_system();
    if (!import)
        abort();
    import->cli = cli;
    import->wait = true;
    import->now_ms = clock->now_ms(clock);
    intern_init(&import->tenants, 1);
    import->codec = event_codec_new(&cli->err);
    enum err_code code = import->codec ? OK : cli->err.code;
    if (code == OK)
        code = import_add_line(import, line, what, 1);
    if (code == OK)
        code = send_and_wait(import);
    if (code == OK && import->counts.rejected)
        code = ERR_FINDING;
    event_codec_destroy(&import->codec);
    import_close(import);
    free(import);
    return err_exit_code(code);
}

int import_run_control(struct cli *cli, const char *what, struct slice tenant, const char *run, const char *control)
{
    struct clock *clock = clock_system();
    struct buf line = {0};
    import_control_line(tenant, run, control, clock->now_ms(clock), false, &line);
    int exit_code = import_run_control_line(cli, what, buf_slice(&line));
    buf_close(&line);
    return exit_code;
}

static int run_abort(struct cli *cli)
{
    enum err_code code = check_options(cli);
    if (code != OK)
        return err_exit_code(code);
    return import_run_control(cli, "import --abort", slice_of(cli_option(cli, "tenant")), cli_option(cli, "abort"),
                              "backfill_end");
}

static int run(struct cli *cli) { return cli_option(cli, "abort") ? run_abort(cli) : run_import(cli); }

const struct command cmd_import = {
    .name = "import",
    .args_help = "FILE...",
    .summary = "bring in events from files: NDJSON, or CSV by a mapping file",
    .summary_zh = "从文件导入事件：NDJSON，或按映射文件导入 CSV",
    .details =
        "Each line of an NDJSON file is sent as it stands; the ledger judges it. With --mapping the files are CSV, "
        "found\n"
        "beside the mapping or among the FILEs and folders given.\n\n"
        "History: with --as-lived the events are sorted by the time they were recorded and move the tenant's own "
        "clock;\n"
        "alerts of that time are recorded as historic and never delivered. That is possible only before the tenant's "
        "first\n"
        "live event; afterwards import without it, and the events count as late ones.\n\n"
        "The command waits until the ledger has an answer for every line. The last line says how many were read,\n"
        "accepted, duplicate and rejected; exit code 1 if any was rejected. See them with `paceline tail --rejects`, "
        "send\n"
        "them again after repair with `paceline rejects resend`.",
    .example = "paceline import company/events.ndjson --as-lived --dir demo",
    .args_max = -1,
    .options = options,
    .run = run,
};
