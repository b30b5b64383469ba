/* cmd_tenant.c -- `paceline tenant live TENANT`: ends the standstill behind an import as lived; `paceline tenant
 * release TENANT`: lets a machine that stopped at a tenant fold it anew. */
#include <stdio.h>

#include "base/text.h"
#include "base/time_text.h"
#include "cmd_import.h"

static int run(struct cli *cli)
{
    char id[IMPORT_RUN_BYTES];
    struct clock *clock = clock_system();
    (void)snprintf(id, sizeof id, "live-%llx", (unsigned long long)clock->now_ms(clock));
    return import_run_control(cli, "tenant live", slice_of(cli->args[0]), id, "live");
}

const struct command cmd_tenant_live = {
    .name = "tenant live",
    .args_help = "TENANT",
    .summary = "let a tenant's clock go on after an import as lived",
    .summary_zh = "历史导入之后，让租户的时钟转为实时",
    .details =
        "After `import --as-lived` the tenant's time stands at its last imported event until the first live event\n"
        "arrives. This command does not wait for one. What fires in the jump to now is flagged catch_up and told in\n"
        "one digest. `import --then-live` does the same at the end of the import. While an import is running the "
        "ledger\n"
        "refuses this (exit code 1).",
    .example = "paceline tenant live demo",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};

/* The operator's control (docs/decisions/0030-poison.md) as canonical JSON. */
static void write_release(struct slice tenant, struct slice machine, int64_t now_ms, struct buf *out)
{
    char instant[INSTANT_TEXT_BYTES];
    (void)instant_print(now_ms, instant);
    buf_add_text(out, "{\"type\":\"control\",\"tenant\":");
    text_add_json(out, tenant);
    buf_addf(out, ",\"event_id\":\"release-%llx\",\"source\":\"operator\",\"source_seq\":0,\"occurred_at\":\"%s\"",
             (unsigned long long)now_ms, instant);
    buf_add_text(out, ",\"control\":\"release\",\"machine\":");
    text_add_json(out, machine);
    buf_add_byte(out, '}');
}

static int run_release(struct cli *cli)
{
    const char *machine = cli_option(cli, "machine");
    struct clock *clock = clock_system();
    struct buf line = {0};
    write_release(slice_of(cli->args[0]), slice_of(machine ? machine : "funnel"), clock->now_ms(clock), &line);
    int exit_code = import_run_control_line(cli, "tenant release", buf_slice(&line));
    buf_close(&line);
    return exit_code;
}

static const struct option_spec release_options[] = {
    {"machine", OPTION_TEXT, "NAME", "the machine that stopped (default: funnel)", "停下的状态机（默认 funnel）"},
    {0},
};

const struct command cmd_tenant_release = {
    .name = "tenant release",
    .args_help = "TENANT",
    .summary = "let a machine that stopped at a tenant fold it anew",
    .summary_zh = "让停在某租户的状态机重新计算该租户",
    .details =
        "A machine stops a tenant, and only that tenant, when a record crashes it three times (quarantined), when its\n"
        "own recount fails or when the ledger holds another output than it made; `show shards` says which and why.\n"
        "Once the cause is gone (a newer build, say) this command writes the control `release` into the ledger: there\n"
        "every reader folds the tenant anew from its history. A tenant that runs is left as it is.",
    .example = "paceline tenant release demo",
    .args_min = 1,
    .args_max = 1,
    .options = release_options,
    .run = run_release,
};
