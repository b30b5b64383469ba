/* cmd_tenant.c -- `paceline tenant live TENANT`: ends the standstill behind an import as lived. */
#include <stdio.h>

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
