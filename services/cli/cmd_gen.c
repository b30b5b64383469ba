/* cmd_gen.c -- `paceline gen`: the generated company, into files or live into the topics. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/progress.h"
#include "base/time_text.h"
#include "client.h"
#include "gen.h"
#include "gen_bench.h"

/* clang-format off */
static const struct option_spec options[] = {
    {"out", OPTION_TEXT, "DIR", "write events.ndjson, plan.yaml and answers.json there", "写入 events.ndjson、plan.yaml、answers.json"},
    {"play", OPTION_FLAG, NULL, "write into the topics, each event as if it happened now", "实时写入主题，事件时间为当前时间"},
    {"rate", OPTION_INT, "N", "events a second of --play (default 50)", "--play 每秒事件数（默认 50）"},
    {"bench", OPTION_INT, "N", "the fixed benchmark load: N events, Avro, as fast as the log takes them", "固定基准负载：N 个事件"},
    {"seed", OPTION_INT, "N", "the same number gives the same bytes (default 1)", "同一数字得到相同内容（默认 1）"},
    {"leads", OPTION_INT, "N", "leads (default 2000)", "线索数（默认 2000）"},
    {"days", OPTION_INT, "N", "days of history (default 90)", "历史天数（默认 90）"},
    {"reps", OPTION_INT, "N", "sales reps (default 120)", "销售代表人数（默认 120）"},
    {"levels", OPTION_INT, "N", "levels of the organisation with the reps, 2 to 6 (default 4)", "组织层级数，含代表，2 至 6（默认 4）"},
    {"from", OPTION_TEXT, "DATE", "first day (default 2026-01-05)", "第一天（默认 2026-01-05）"},
    {"tenant", OPTION_TEXT, "NAME", "default demo", "默认 demo"},
    {"clean", OPTION_FLAG, NULL, "no late, repeated, contradicting, retracted or broken events", "不植入迟到、重复、冲突、撤回或损坏的事件"},
    {0},
};
/* clang-format on */

static enum err_code read_options(struct cli *cli, struct gen_config *config)
{
    const char *from = cli_option(cli, "from");
    gen_config_default(config);
    config->seed = (uint64_t)cli_int(cli, "seed", (int64_t)config->seed);
    config->leads = cli_int(cli, "leads", config->leads);
    config->days = cli_int(cli, "days", config->days);
    config->reps = cli_int(cli, "reps", config->reps);
    config->levels = cli_int(cli, "levels", config->levels);
    if (cli_option(cli, "tenant"))
        config->tenant = cli_option(cli, "tenant");
    if (cli_flag(cli, "clean")) {
        config->late_ppm = config->duplicate_ppm = config->conflict_ppm = config->retract_ppm = 0;
        config->bad = false;
    }
    if (from && !date_parse(slice_of(from), &config->first_day))
        return err_set(&cli->err, ERR_USAGE, "--from %s: expected a date such as 2026-01-05", from);
    if (!cli_option(cli, "out") && !cli_flag(cli, "play") && !cli_option(cli, "bench"))
        return err_set(&cli->err, ERR_USAGE,
                       "say where to: --out DIR writes files, --play and --bench write into the topics");
    return OK;
}

/* ---- files */

static enum err_code write_file(struct cli *cli, const char *folder, const char *name, const struct buf *text)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(text->p, 1, text->n, file) == text->n;
    int reason = errno;
    if (file && fclose(file) != 0)
        good = false;
    return good ? OK : err_set(&cli->err, reason == EACCES ? ERR_DENIED : ERR_LATER, "%s: %s", path, strerror(reason));
}

static enum err_code write_folder(struct cli *cli, const struct gen *gen)
{
    const char *folder = cli_option(cli, "out");
    struct buf text = {0};
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return err_set(&cli->err, errno == EACCES ? ERR_DENIED : ERR_USAGE, "%s: %s", folder, strerror(errno));
    for (size_t i = 0; i < gen->count; i++) {
        gen_write_event(gen, &gen->events[i], gen->events[i].occurred_ms, gen->events[i].recorded_ms, &text);
        buf_add_byte(&text, '\n');
    }
    enum err_code code = write_file(cli, folder, "events.ndjson", &text);
    buf_clear(&text);
    gen_write_plan(gen, &text);
    if (code == OK)
        code = write_file(cli, folder, "plan.yaml", &text);
    buf_clear(&text);
    gen_write_answers(gen, &text);
    if (code == OK)
        code = write_file(cli, folder, "answers.json", &text);
    buf_close(&text);
    return code;
}

/* ---- playing */

enum { PLAY_TAG_BYTES = 20 };

static const char *const topics[] = {"sales.visits", "sales.orders", "sales.leads", "sales.facts"};

/* What came late in the story comes as late now. */
static enum err_code play_event(struct client *client, const struct gen *gen, const struct gen_event *event,
                                int64_t now_ms, struct buf *line)
{
    buf_clear(line);
    gen_write_event(gen, event, now_ms - (event->recorded_ms - event->occurred_ms), now_ms, line);
    return client_send(client, topics[event->topic], slice_of(gen->config.tenant), buf_slice(line), (struct slice){0});
}

static enum err_code play(struct cli *cli, const struct gen *gen)
{
    struct client client;
    struct buf line = {0};
    struct progress progress;
    struct clock *clock = clock_system();
    int64_t rate = cli_int(cli, "rate", 50);
    if (rate < 1 || rate > 1000000)
        return err_set(&cli->err, ERR_USAGE, "--rate %lld: expected 1 to 1000000", (long long)rate);
    enum err_code code = client_open(&client, cli);
    progress_init(&progress, progress_mode_for(stderr, cli->quiet || cli->no_progress), stderr, clock, "playing",
                  "events", gen->count);
    int64_t start_ms = clock->monotonic_ms(clock);
    for (size_t i = 0; i < gen->count && code == OK; i++) {
        int64_t due_ms = start_ms + (int64_t)i * 1000 / rate;
        clock_pause_ms(due_ms - clock->monotonic_ms(clock));
        code = play_event(&client, gen, &gen->events[i], clock->now_ms(clock), &line);
        if (code == OK && (i % 64 == 0 || rate <= 1000)) {
            struct log_progress sent;
            log_producer_poll(client.producer, 0, &sent);
        }
        progress_set(&progress, i + 1);
    }
    progress_end(&progress);
    if (code == OK)
        code = client_flush(&client);
    buf_close(&line);
    client_close(&client);
    return code;
}

static void print_counts(struct cli *cli, const struct gen *gen)
{
    const struct gen_counts *counts = &gen->counts;
    const char *format =
        cli->json ? "{\"received\":%llu,\"accepted\":%llu,\"duplicate\":%llu,\"rejected\":%llu,\"late\":%llu}\n"
        : cli->zh ? "共 %llu 个事件：应接受 %llu，重复 %llu，拒绝 %llu；其中迟到 %llu\n"
                  : "%llu events: to be accepted %llu, duplicate %llu, rejected %llu; late among them %llu\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)printf(format, (unsigned long long)counts->received, (unsigned long long)counts->accepted,
                 (unsigned long long)counts->duplicate, (unsigned long long)counts->rejected,
                 (unsigned long long)counts->late);
#pragma GCC diagnostic pop
}

static int run(struct cli *cli)
{
    struct gen_config config;
    struct gen gen;
    enum err_code code = read_options(cli, &config);
    if (code == OK && cli_option(cli, "bench"))
        return err_exit_code(gen_bench(cli, &config, cli_int(cli, "bench", 0)));
    if (code != OK)
        return err_exit_code(code);
    char tag[PLAY_TAG_BYTES];
    if (cli_flag(cli, "play")) { /* a second play tells of new leads */
        (void)snprintf(tag, sizeof tag, "%llx-", (unsigned long long)clock_system()->now_ms(clock_system()) / 1000);
        config.tag = tag;
    }
    code = gen_init(&gen, &config, &cli->err);
    if (code != OK)
        return err_exit_code(code);
    gen_run(&gen);
    if (cli_option(cli, "out"))
        code = write_folder(cli, &gen);
    if (code == OK && cli_flag(cli, "play"))
        code = play(cli, &gen);
    if (code == OK)
        print_counts(cli, &gen);
    gen_close(&gen);
    return err_exit_code(code);
}

const struct command cmd_gen = {
    .name = "gen",
    .args_help = "",
    .summary = "make up a sales company with known answers",
    .summary_zh = "生成一家带标准答案的模拟销售公司",
    .details = "Leads live through every action of a CRM, with orders, visits and payments; planted among them are "
               "events that\n"
               "come late, come twice, contradict an earlier one, are retracted, or are broken in a known way. "
               "answers.json says\n"
               "what the funnel must show in the end and how many events must be accepted, duplicate and rejected.\n\n"
               "  paceline gen --out company --seed 7\n"
               "  paceline plan apply company/plan.yaml\n"
               "  paceline import company/events.ndjson --as-lived --then-live\n"
               "  paceline show funnel --tenant demo",
    .example = "paceline gen --out company --seed 7",
    .args_max = 0,
    .options = options,
    .run = run,
};
