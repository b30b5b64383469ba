/* cmd_run.c -- `paceline run [DIR]`: everything on one machine, in one process, a thread per service and shard.
 *
 * Embedded (no --kafka): the log is a folder, the view a private Redis that lives and dies with this process. With
 * --kafka and --redis the same services work on real servers. TERM or Ctrl-C: the batch is finished, figures are
 * committed, last snapshots are taken, then Redis ends; a second signal ends at once. */
#include <stdlib.h>
#include <unistd.h>

#include "base/health.h"
#include "base/http.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "base/text.h"
#include "cli.h"
#include "command.h"
#include "funnel/funnel.h"
#include "ledger/ledger_shards.h"
#include "machine/program.h"
#include "machine/service.h"
#include "run_folder.h"
#include "run_redis.h"

enum { TURN_MS = 50 };

struct run {
    struct cli *cli;
    struct settings *settings;
    int lock; /* -1: none */
    struct run_redis *redis;
    struct wiring wiring;
    struct metrics *metrics;
    struct health *health;
    struct http_server *http;
    struct ledger_shards *ledger;
    struct machine_service *funnel;
};

static enum err_code open_folder(struct run *run, struct err *err)
{
    const struct settings *settings = run->settings;
    if (settings->kafka[0])
        return OK;
    enum err_code code = run_folder_make(settings->dir, run->cli->zh, err);
    if (!code)
        code = run_folder_lock(settings->dir, &run->lock, err);
    if (!code && !settings->redis[0])
        code = run_redis_start(settings, &run->redis, err);
    return code;
}

static enum err_code open_operators(struct run *run, struct err *err)
{
    run->metrics = metrics_new();
    run->health = health_new(run->wiring.clock);
    if (!run->settings->http[0])
        return OK;
    return http_server_start(run->settings->http, run->metrics, run->health, PACELINE_VERSION, &run->http, err);
}

static enum err_code open_all(struct run *run, struct err *err)
{
    enum err_code code = open_folder(run, err);
    if (!code)
        code = wiring_open(&run->wiring, run->settings, "paceline-run", err);
    if (!code)
        code = wiring_topics_ensure(&run->wiring, err);
    if (!code)
        code = open_operators(run, err);
    if (!code)
        code = ledger_shards_start(&run->wiring, run->metrics, run->health, &run->ledger, err);
    if (!code)
        code = machine_service_start(&run->wiring, &funnel_machine, run->metrics, run->health, &run->funnel, err);
    return code;
}

/* The writers first: what they still append is folded. Then the machines, then what they stand on. */
static void close_all(struct run *run)
{
    ledger_shards_stop(&run->ledger);
    machine_service_stop(&run->funnel);
    if (run->http)
        http_server_stop(&run->http);
    if (run->health)
        health_destroy(&run->health);
    if (run->metrics)
        metrics_destroy(&run->metrics);
    wiring_close(&run->wiring);
    run_redis_stop(&run->redis);
    if (run->lock >= 0)
        close(run->lock);
}

/* The line that people, scripts and tests wait for. */
static void say_running(const struct run *run)
{
    const char *where = run->settings->kafka[0] ? run->settings->kafka : run->settings->dir;
    if (run->cli->json) {
        struct buf quoted;
        buf_init(&quoted);
        text_add_json(&quoted, slice_of(where));
        printf("{\"running\":true,\"where\":%s,\"pid\":%ld}\n", buf_cstr(&quoted), (long)getpid());
        buf_close(&quoted);
    } else
        printf(run->cli->zh ? "paceline is running in %s（停止：Ctrl-C）\n"
                            : "paceline is running in %s (stop it with Ctrl-C)\n",
               where);
    if (run->http)
        printf("http://%s/readyz /metrics\n", http_server_address(run->http));
    fflush(stdout);
}

static enum err_code tend(struct run *run, bool *said, struct err *err)
{
    if (run->redis) {
        enum err_code code = run_redis_tend(run->redis, err);
        if (code)
            return code;
    }
    if (ledger_shards_failed(run->ledger, err) || machine_service_failed(run->funnel, err))
        return err->code ? err->code : err_set(err, ERR_BUG, "a service ended without a reason");
    if (!*said && ledger_shards_ready(run->ledger) && machine_service_ready(run->funnel)) {
        *said = true;
        say_running(run);
    }
    return OK;
}

static int run_run(struct cli *cli)
{
    struct run run = {.cli = cli, .settings = &cli->settings, .lock = -1};
    if (cli->arg_count && settings_move(run.settings, cli->args[0], &cli->err))
        return err_exit_code(cli->err.code);
    program_signals_begin();
    program_memory_begin();
    logger_service_set("run");
    enum err_code code = open_all(&run, &cli->err);
    bool said = false;
    while (!code && !program_asked_to_end(TURN_MS))
        code = tend(&run, &said, &cli->err);
    close_all(&run);
    return err_exit_code(code);
}

const struct command cmd_run = {
    .name = "run",
    .args_help = "[DIR]",
    .summary = "Run every service on this machine",
    .summary_zh = "在本机运行全部服务",
    .details = "Without --kafka everything lives in DIR (default .paceline): the log as a folder, a private Redis, "
               "snapshots and locks; DIR is made when it is missing. With --kafka and --redis the services work on "
               "those servers.\n\n"
               "The line `paceline is running in DIR` says that all services have caught up. Ctrl-C or TERM ends in "
               "peace: the batch is finished, figures are committed, snapshots are taken.",
    .example = "paceline run demo",
    .args_min = 0,
    .args_max = 1,
    .run = run_run,
};
