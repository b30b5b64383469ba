/* cmd_plan_apply.c -- `paceline plan diff FILE` and `paceline plan apply FILE`: from the present plan to the file's.
 *
 * The present plan is folded from the ledger, the changed items are appended to sales.plans, and the command returns
 * when the ledger has them. Running it again changes nothing; two at once end with one of both: records are named by
 * their content. */
#include <stdio.h>

#include "cmd_plan.h"
#include "model/plan_value.h"

enum { WAIT_MS_MAX = 60000 };

struct job {
    struct cli *cli;
    struct client client;
    struct plan_present present;
    struct plan_file file;
    struct findings findings;
    struct buf tenant, value;
    struct intern wanted; /* event ids that were sent */
    uint32_t seen;        /* of them, in the ledger */
    bool write, wanted_open;
    enum err_code code;
    uint32_t changes;
};

static void on_change(void *context, const struct plan_change_event *change)
{
    struct job *job = context;
    job->changes++;
    if (!job->cli->quiet)
        plan_print_change(job->cli, change);
    if (!job->write || job->code != OK)
        return;
    (void)intern_put(&job->wanted, change->event->v[EV_EVENT_ID].s);
    buf_clear(&job->value);
    event_encode_single(job->client.codec, change->event, &job->value);
    job->code = client_send(&job->client, "sales.plans", buf_slice(&job->tenant), buf_slice(&job->value),
                            (struct slice){NULL, 0});
}

static void on_plan(void *context, const struct ledger_record *record, const struct event *event)
{
    (void)record;
    struct job *job = context;
    job->seen += intern_get(&job->wanted, event->v[EV_EVENT_ID].s) != INTERN_NONE;
}

static enum err_code wait_for_ledger(struct job *job, uint64_t rejected_before)
{
    struct clock *clock = job->client.wiring.clock;
    int64_t deadline_ms = clock->monotonic_ms(clock) + WAIT_MS_MAX;
    while (job->seen < job->wanted.count) {
        bool got;
        enum err_code code = plan_present_read(&job->present, &got);
        if (code != OK)
            return code;
        if (job->present.rejected > rejected_before)
            return err_set(&job->cli->err, ERR_FINDING,
                           "the ledger rejected a plan record: see paceline tail --rejects");
        if (got)
            deadline_ms = clock->monotonic_ms(clock) + WAIT_MS_MAX;
        else if (clock->monotonic_ms(clock) > deadline_ms)
            return err_set(&job->cli->err, ERR_LATER,
                           "%u of %u plan records are not in the ledger after %d s: is paceline-ledger running? They "
                           "are written; run the command again to wait for them",
                           job->wanted.count - job->seen, job->wanted.count, WAIT_MS_MAX / 1000);
        else
            log_wait(job->present.ledger.consumer, 50);
    }
    return OK;
}

/* --at: a date (of the tenant's zone) or an instant; default now. */
static enum err_code read_prune(struct job *job, int64_t now_ms, int64_t *prune_ms)
{
    const char *at = cli_option(job->cli, "at");
    *prune_ms = -1;
    if (!cli_flag(job->cli, "prune"))
        return at ? err_set(&job->cli->err, ERR_USAGE, "--at goes with --prune") : OK;
    *prune_ms = now_ms;
    if (at && !plan_parse_when(slice_of(at), &job->file.zone, prune_ms))
        return err_set(&job->cli->err, ERR_USAGE, "--at %s: expected a date like 2026-03-01 or an instant", at);
    return OK;
}

static int job_open(struct job *job, struct cli *cli)
{
    *job = (struct job){.cli = cli};
    findings_init(&job->findings);
    intern_init(&job->wanted, PLAN_FILE_ITEMS_MAX);
    int exit_code = plan_tenant_name(cli, cli->args[0], &job->tenant);
    if (exit_code)
        return exit_code;
    enum err_code code = client_open(&job->client, cli);
    if (code == OK)
        code = plan_present_open(&job->present, &job->client, buf_slice(&job->tenant));
    if (code != OK)
        return err_exit_code(cli->err.code = code);
    if (plan_file_read(&job->file, cli->args[0], buf_slice(&job->tenant), job->present.plan, &job->findings) != OK)
        return plan_fail_findings(cli, cli->args[0], &job->findings);
    return 0;
}

static void job_close(struct job *job)
{
    plan_file_close(&job->file);
    plan_present_close(&job->present);
    client_close(&job->client);
    findings_close(&job->findings);
    intern_close(&job->wanted);
    buf_close(&job->tenant);
    buf_close(&job->value);
}

static enum err_code make_changes(struct job *job)
{
    struct clock *clock = job->client.wiring.clock;
    int64_t now_ms = clock->now_ms(clock), prune_ms;
    enum err_code code = read_prune(job, now_ms, &prune_ms);
    if (code != OK)
        return code;
    job->present.on_plan = on_plan;
    job->present.context = job;
    plan_file_changes(&job->file, now_ms, "plan-apply", prune_ms, on_change, job);
    code = job->code;
    if (code == OK && job->write)
        code = client_flush(&job->client);
    if (code == OK && job->write)
        code = wait_for_ledger(job, job->present.rejected);
    return code;
}

static void print_result(const struct job *job)
{
    if (job->cli->json)
        printf("{\"changes\":%u,\"written\":%u,\"seq\":%llu}\n", job->changes, job->write ? job->changes : 0,
               (unsigned long long)job->present.last_seq);
    else
        printf(job->cli->zh ? "%u 项变更; seq %llu\n" : "%u changes; seq %llu\n", job->changes,
               (unsigned long long)job->present.last_seq);
}

static int run(struct cli *cli, bool write)
{
    struct job job;
    int exit_code = job_open(&job, cli);
    job.write = write;
    if (!exit_code) {
        enum err_code code = make_changes(&job);
        if (code != OK)
            exit_code = err_exit_code(cli->err.code = code);
        else
            print_result(&job);
    }
    if (!exit_code && job.changes && !write && !cli_flag(cli, "dry-run"))
        exit_code = 1; /* `plan diff`: there are changes */
    job_close(&job);
    return exit_code;
}

static int run_apply(struct cli *cli) { return run(cli, !cli_flag(cli, "dry-run")); }
static int run_diff(struct cli *cli) { return run(cli, false); }

#define PRUNE_OPTIONS                                                                                                  \
    {"prune", OPTION_FLAG, NULL, "end the items that the file leaves out", "终止文件中没有的项"},                      \
        {"at", OPTION_TEXT, "TIME", "when they end (now)", "终止时间(默认现在)"},                                      \
    {                                                                                                                  \
        "tenant", OPTION_TEXT, "NAME", plan_tenant_help, plan_tenant_help_zh                                           \
    }

static const struct option_spec apply_options[] = {
    {"dry-run", OPTION_FLAG, NULL, "show the changes, write nothing", "只显示变更,不写入"},
    PRUNE_OPTIONS,
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};
static const struct option_spec diff_options[] = {PRUNE_OPTIONS, {NULL, OPTION_FLAG, NULL, NULL, NULL}};

const struct command cmd_plan_apply = {
    .name = "plan apply",
    .args_help = "FILE",
    .summary = "bring a tenant's plan to that of a file",
    .summary_zh = "使租户的计划与文件一致",
    .details = "Checks the whole file, writes one plan record per changed item, waits until the ledger has them and "
               "prints the seq of the last. Items that the file leaves out stay, unless --prune ends them.",
    .example = "paceline plan apply company/plan.yaml --dir demo",
    .args_min = 1,
    .args_max = 1,
    .options = apply_options,
    .run = run_apply,
};

const struct command cmd_plan_diff = {
    .name = "plan diff",
    .args_help = "FILE",
    .summary = "show what plan apply would change",
    .summary_zh = "显示 plan apply 将要变更的内容",
    .details = "Writes nothing; exits with 1 if there are changes.",
    .example = "paceline plan diff plan.yaml",
    .args_min = 1,
    .args_max = 1,
    .options = diff_options,
    .run = run_diff,
};
