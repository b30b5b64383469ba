/* cmd_check.c -- `paceline check config|mapping|events`: files looked over offline, everything that is wrong at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "cmd_import.h"
#include "model/plan.h"

static int finish(struct cli *cli, struct findings *findings, const char *path)
{
    enum err_code code = findings_count(findings) ? ERR_CONFIG : OK;
    findings_print(findings, stdout);
    if (code == OK && !cli->quiet)
        (void)printf(cli->zh ? "%s：没有问题\n" : "%s: nothing wrong\n", path);
    else if (code != OK)
        (void)err_set(&cli->err, code, cli->zh ? "%s：%zu 处问题" : "%s: %zu findings", path, findings_count(findings));
    findings_close(findings);
    return err_exit_code(code);
}

static int run_mapping(struct cli *cli)
{
    struct findings findings;
    struct mapping *mapping = NULL;
    findings_init(&findings);
    (void)mapping_load(cli->args[0], (struct mapping_places){cli->args + 1, cli->arg_count - 1}, &findings, &mapping);
    mapping_destroy(&mapping);
    return finish(cli, &findings, cli->args[0]);
}

static int run_config(struct cli *cli)
{
    struct settings *settings = calloc(1, sizeof *settings);
    const char *path = cli->args[0];
    if (!settings)
        abort();
    enum err_code code = settings_load(settings, path, NULL, &cli->err);
    free(settings);
    if (code == OK && !cli->quiet)
        (void)printf(cli->zh ? "%s：没有问题\n" : "%s: nothing wrong\n", path);
    return err_exit_code(code);
}

/* The door's checks, and identities within the files; what needs the ledger's state (imports, 48 h) is not told. */
static int run_events(struct cli *cli)
{
    struct import *import = calloc(1, sizeof *import);
    struct clock *clock = clock_system();
    if (!import)
        abort();
    import->cli = cli;
    import->dry_run = true;
    import->now_ms = clock->now_ms(clock);
    intern_init(&import->tenants, 1 << 20);
    import->codec = event_codec_new(&cli->err);
    enum err_code code = import->codec ? OK : cli->err.code;
    if (import->codec)
        event_codec_set_plan_check(import->codec, plan_item_check);
    for (int i = 0; i < cli->arg_count && code == OK; i++)
        code = import_read_ndjson(import, cli->args[i]);
    if (code == OK) {
        import_dry_run(import);
        const struct import_counts *counts = &import->counts;
        (void)printf(cli->json ? "{\"read\":%llu,\"good\":%llu,\"duplicate\":%llu,\"rejected\":%llu}\n"
                     : cli->zh ? "读取 %llu，合格 %llu，重复 %llu，不合格 %llu\n"
                               : "read %llu, good %llu, duplicate %llu, rejected %llu\n",
                     (unsigned long long)counts->read, (unsigned long long)counts->accepted,
                     (unsigned long long)counts->duplicate, (unsigned long long)counts->rejected);
        code = counts->rejected ? ERR_FINDING : OK;
        if (code != OK)
            (void)err_set(&cli->err, code, "%llu lines would be rejected", (unsigned long long)counts->rejected);
    }
    event_codec_destroy(&import->codec);
    import_close(import);
    free(import);
    return err_exit_code(code);
}

const struct command cmd_check_config = {
    .name = "check config",
    .args_help = "FILE",
    .summary = "look over a configuration file",
    .summary_zh = "检查配置文件",
    .details = "Unknown keys with \"did you mean\", values out of range, each with its line. Exit code 78 if anything "
               "is wrong.",
    .example = "paceline check config paceline.yaml",
    .args_min = 1,
    .args_max = 1,
    .run = run_config,
    .no_settings = true,
};
const struct command cmd_check_mapping = {
    .name = "check mapping",
    .args_help = "MAPPING [FILE...]",
    .summary = "look over a mapping file and the headers of its CSV files",
    .summary_zh = "检查映射文件及其 CSV 表头",
    .details =
        "All findings with line and column: unknown keys, columns and fields, bad filters, zones and currencies. The\n"
        "CSV files are looked for beside the mapping, or among the FILEs and folders given. Exit code 78 if anything\n"
        "is wrong. Numbers and dates in the rows are checked by `paceline import --dry-run`.",
    .example = "paceline check mapping crm-maven.yaml data/",
    .args_min = 1,
    .args_max = -1,
    .run = run_mapping,
    .no_settings = true,
};
const struct command cmd_check_events = {
    .name = "check events",
    .args_help = "FILE...",
    .summary = "look over NDJSON events as the ledger would",
    .summary_zh = "按账本的规则检查 NDJSON 事件",
    .details =
        "Every line that would be rejected, with its reason; repeats and contradictions within the files. Exit code 1\n"
        "if a line would be rejected.",
    .example = "paceline check events company/events.ndjson",
    .args_min = 1,
    .args_max = -1,
    .run = run_events,
    .no_settings = true,
};
