/* cmd_plan_check.c -- `paceline plan check FILE`: everything that is wrong with a plan file, without servers. */
#include <stdio.h>

#include "cmd_plan.h"

static void print_notes(struct cli *cli, const struct plan_file *file)
{
    struct buf notes;
    buf_init(&notes);
    plan_file_notes(file, cli->zh, &notes);
    (void)fwrite(notes.p, 1, notes.n, stdout);
    buf_close(&notes);
}

static int run(struct cli *cli)
{
    const char *path = cli->args[0], *tenant = cli_option(cli, "tenant");
    struct plan_file file;
    struct findings findings;
    findings_init(&findings);
    int exit_code = 0;
    if (plan_file_read(&file, path, slice_of(tenant ? tenant : ""), NULL, &findings) != OK)
        exit_code = plan_fail_findings(cli, path, &findings);
    else if (!cli->quiet) {
        print_notes(cli, &file);
        printf(cli->zh ? "%s: 正确, %u 项\n" : "%s: ok, %u items\n", path, file.count);
    }
    plan_file_close(&file);
    findings_close(&findings);
    return exit_code;
}

static const struct option_spec options[] = {
    {"tenant", OPTION_TEXT, "NAME", plan_tenant_help, plan_tenant_help_zh},
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};

const struct command cmd_plan_check = {
    .name = "plan check",
    .args_help = "FILE",
    .summary = "check a plan file",
    .summary_zh = "检查计划文件",
    .details =
        "Reports every error as file:line:column: code: text and exits with 78 if there is one. Needs no server.",
    .example = "paceline plan check plan.yaml",
    .args_min = 1,
    .args_max = 1,
    .options = options,
    .run = run,
    .no_settings = true,
};
