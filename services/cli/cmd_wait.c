/* cmd_wait.c -- `paceline wait`: until what stands in the raw topics now is in the figures (rulings O35).
 *
 * A machine writes its status only after the figures up to it are in the view, so a status whose positions have
 * reached the ends of the raw topics says it all. */
#include <stdio.h>

#include "client.h"
#include "machine/status.h"

enum { SOURCES = LEDGER_SOURCE_IMPORT + 1, TIMEOUT_S = 600, PAUSE_MS = 50 };

static const char *const machines[] = {"funnel"};

struct goal {
    uint32_t shard;
    int64_t ends[SOURCES];
};

static enum err_code read_goal(struct client *client, struct goal *goal)
{
    for (int source = 0; source < SOURCES; source++) {
        int64_t begin;
        enum err_code code = client_range(client, ledger_source_topic((enum ledger_source)source), goal->shard, &begin,
                                          &goal->ends[source]);
        if (code != OK)
            return code;
    }
    return OK;
}

/* True when the machine has everything; `behind` = raw records it lacks. */
static enum err_code look(struct client *client, const struct goal *goal, const char *machine, int64_t *behind)
{
    struct machine_status status;
    enum err_code code = status_read(client->view, machine, goal->shard, &status, NULL, NULL, &client->cli->err);
    *behind = 0;
    for (int source = 0; source < SOURCES; source++) {
        int64_t position = code == OK ? status.sources[source].position : 0;
        if (position < goal->ends[source])
            *behind += goal->ends[source] - position;
    }
    return code == ERR_MISSING || code == ERR_UNAVAILABLE ? OK : code;
}

static enum err_code wait_shard(struct client *client, const struct goal *goal, int64_t deadline_ms)
{
    struct clock *clock = client->wiring.clock;
    enum err_code code = OK;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0] && code == OK;) {
        int64_t behind;
        code = look(client, goal, machines[i], &behind);
        if (code == OK && behind == 0) {
            i++;
            continue;
        }
        if (code == OK && clock->monotonic_ms(clock) > deadline_ms)
            code = err_set(&client->cli->err, ERR_LATER,
                           "shard %u: %s lacks %lld raw records; are the services running (`paceline show shards`)?",
                           goal->shard, machines[i], (long long)behind);
        clock_pause_ms(PAUSE_MS);
    }
    return code;
}

static int run(struct cli *cli)
{
    struct client client;
    const char *tenant = cli_option(cli, "tenant");
    enum err_code code = client_open(&client, cli);
    if (code == OK)
        code = client_view(&client);
    int64_t deadline_ms = 0;
    if (code == OK)
        deadline_ms =
            client.wiring.clock->monotonic_ms(client.wiring.clock) + cli_int(cli, "timeout", TIMEOUT_S) * 1000;
    for (uint32_t shard = 0; shard < client.shards && code == OK; shard++) {
        struct goal goal = {.shard = shard};
        if (tenant && log_partition_of_key(slice_of(tenant), client.shards) != shard)
            continue;
        code = read_goal(&client, &goal);
        if (code == OK)
            code = wait_shard(&client, &goal, deadline_ms);
    }
    client_close(&client);
    return err_exit_code(code);
}

static const struct option_spec options[] = {
    {"tenant", OPTION_TEXT, "NAME", "only the shard of this tenant", "只等待该租户所在分片"},
    {"timeout", OPTION_INT, "SECONDS", "give up after (default 600); exit code 75", "超时秒数（默认 600），退出码 75"},
    {0},
};

const struct command cmd_wait = {
    .name = "wait",
    .args_help = "",
    .summary = "until the figures hold everything that has arrived",
    .summary_zh = "等待数字包含所有已到达的事件",
    .details =
        "Returns when the ledger, the machines and the view have taken in all raw records that were there when the\n"
        "command began. For scripts and tests: import, wait, show.",
    .example = "paceline wait --dir demo",
    .args_max = 0,
    .options = options,
    .run = run,
};
