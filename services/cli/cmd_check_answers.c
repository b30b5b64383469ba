/* cmd_check_answers.c -- `paceline check answers FILE`: the figures against what `paceline gen` knows they must be.
 *
 * Both are brought to one text per figure (org, stage, metric, class, window, its start) and compared, in both
 * directions: a figure that the answers lack must be 0, and a row that is missing counts as 0. How many events were
 * accepted, and how many refused for which reason, is counted in the ledger, where both stand by tenant.
 * Owns nothing of the running system; the file is read whole. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cmd_show_view.h"
#include "figures/figures.h"

enum { FIGURES_MAX = 50000000, SHOWN_MAX = 100, LINE_BYTES_MAX = 600 };

struct check {
    struct cli *cli;
    struct client client;
    struct figures *figures;
    struct slice tenant;
    json_t *answers;
    struct intern keys; /* text of a figure */
    struct pair {
        int64_t expected, seen;
    } * pairs; /* by number of the key */
    uint32_t cap;
    struct buf key;
    uint64_t others; /* figures of services that are not asked here */
    uint64_t accepted, reasons[REJECT_REASON_COUNT];
    uint64_t compared, different;
};

/* ---- answers and figures by the same text */

/* The metrics of the generator's books that the funnel shows. */
static bool is_booked(struct slice metric)
{
    static const char *const metrics[] = {"entries",      "exits",     "reached",         "transfer_in",
                                          "transfer_out", "occupancy", "occupancy_amount"};
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        if (slice_is(metric, metrics[i]))
            return true;
    return false;
}

/* The windows of the books: day, and of nodes month and total; stocks have `now` only. */
static bool is_covered(const struct figure_row *row)
{
    bool stock = row->metric.n >= 9 && memcmp(row->metric.p, "occupancy", 9) == 0;
    bool rep = row->org.n > 4 && memcmp(row->org.p, "rep:", 4) == 0;
    if (stock)
        return slice_is(row->window, "now") && !rep;
    return slice_is(row->window, "day") || (!rep && (slice_is(row->window, "month") || slice_is(row->window, "total")));
}

static struct pair *pair_of(struct check *check)
{
    uint32_t number = intern_put(&check->keys, buf_slice(&check->key));
    if (number == INTERN_NONE)
        abort();
    if (number >= check->cap) {
        uint32_t cap = check->cap ? check->cap * 2 : 4096;
        check->pairs = reallocarray(check->pairs, cap, sizeof *check->pairs);
        if (!check->pairs)
            abort();
        memset(check->pairs + check->cap, 0, (cap - check->cap) * sizeof *check->pairs);
        check->cap = cap;
    }
    return &check->pairs[number];
}

static void make_key(struct check *check, struct slice org, struct slice stage, struct slice metric, struct slice class,
                     struct slice window, struct slice start)
{
    const struct slice parts[] = {org, stage, metric, class, window, start};
    buf_clear(&check->key);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].n && check->key.n)
            buf_add_byte(&check->key, ' ');
        buf_add_slice(&check->key, parts[i]);
    }
}

static struct slice text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return slice_of(text);
}

static void take_answer(struct check *check, const json_t *row)
{
    struct slice metric = text_of(row, "metric"), window = text_of(row, "window");
    if (!is_booked(metric)) {
        check->others++;
        return;
    }
    make_key(check, text_of(row, "org"), text_of(row, "stage"), metric, text_of(row, "class"), window,
             slice_is(window, "now") ? (struct slice){0} : text_of(row, "window_start"));
    pair_of(check)->expected += json_integer_value(json_object_get(row, "value"));
}

static void take_figure(void *context, const struct figure_row *row)
{
    struct check *check = context;
    char start[INSTANT_TEXT_BYTES] = "";
    if (!is_booked(row->metric) || !is_covered(row) || !row->has_value)
        return;
    if (row->has_start && !slice_is(row->window, "now"))
        (void)instant_print(row->window_start_ms, start);
    make_key(check, row->org, row->stage, row->metric, row->class, row->window, slice_of(start));
    pair_of(check)->seen += row->value;
}

/* ---- events, as the ledger has them */

static bool is_ours(const struct check *check, const struct event *event, unsigned field)
{
    return event_has(event, field) && slice_eq(event->v[field].s, check->tenant);
}

static bool on_record(void *context, uint32_t shard, const struct ledger_record *record)
{
    struct check *check = context;
    struct event event;
    enum reject_reason reason;
    (void)shard;
    if (record->kind == LEDGER_EVENT || record->kind == LEDGER_IMPORT)
        check->accepted += slice_eq(record->tenant, check->tenant) && record->type != EVENT_PLAN;
    if (record->kind == LEDGER_REJECT &&
        event_decode_body(check->client.codec, EVENT_REJECT, record->body, &event, &check->cli->err) == OK &&
        is_ours(check, &event, REJECT_TENANT) && reject_reason_of(event.v[REJECT_REASON].s, &reason))
        check->reasons[reason]++;
    return true;
}

static enum err_code read_ledger(struct check *check)
{
    struct client *client = &check->client;
    struct client_ledger *ledger = malloc(sizeof *ledger);
    if (!ledger)
        abort();
    enum err_code code = client_ledger_open(ledger, client, log_partition_of_key(check->tenant, client->shards));
    while (code == OK && !client_ledger_at_end(ledger)) {
        bool got;
        code = client_ledger_read(ledger, on_record, NULL, check, &got);
        if (!got)
            log_wait(ledger->consumer, 100);
    }
    if (ledger->consumer)
        client_ledger_close(ledger);
    free(ledger);
    return code;
}

/* ---- both read */

static enum err_code load_answers(struct check *check)
{
    const char *path = check->cli->args[0], *wanted = cli_option(check->cli, "tenant");
    json_error_t where;
    size_t i;
    json_t *row;
    check->answers = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!check->answers && where.line < 0)
        return err_set(&check->cli->err, ERR_USAGE, "%s", where.text);
    if (!check->answers)
        return err_set(&check->cli->err, ERR_CONFIG, "%s:%d:%d: %s", path, where.line, where.column, where.text);
    check->tenant = wanted ? slice_of(wanted) : text_of(check->answers, "tenant");
    if (!check->tenant.n || !json_is_array(json_object_get(check->answers, "rows")))
        return err_set(&check->cli->err, ERR_CONFIG, "%s: no answers: expected what `paceline gen --out` writes", path);
    json_array_foreach(json_object_get(check->answers, "rows"), i, row) take_answer(check, row);
    return OK;
}

static void on_cell(void *context, struct slice row, struct slice field, struct slice value)
{
    figures_cell(context, row, field, value);
}

static enum err_code read_figures(struct check *check)
{
    struct view_head head;
    struct figures_query query = {
        .window = -1, .all = true, .dim = SLICE("all"), .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    enum err_code code = client_view(&check->client);
    if (code == OK)
        code = show_view_read(&check->client, "funnel", check->tenant, NULL, &head, on_cell, check->figures);
    if (code != OK)
        return code;
    figures_as_of(check->figures, check->tenant, head.tenant_seq, head.time_ms);
    figures_each(check->figures, &query, take_figure, check);
    return OK;
}

/* ---- verdict */

static void tell(struct check *check, const char *what, int64_t expected, int64_t seen)
{
    struct buf out = {0};
    check->compared++;
    if (expected == seen)
        return;
    if (check->cli->json) {
        buf_add_text(&out, "{\"figure\":");
        text_add_json(&out, slice_of(what));
        buf_addf(&out, ",\"expected\":%lld,\"seen\":%lld}\n", (long long)expected, (long long)seen);
    } else {
        if (check->different == 0)
            (void)printf("%-72s %14s %14s\n", check->cli->zh ? "数字" : "figure", check->cli->zh ? "应为" : "expected",
                         check->cli->zh ? "实为" : "seen");
        buf_addf(&out, "%-72s %14lld %14lld\n", what, (long long)expected, (long long)seen);
    }
    if (check->different++ < SHOWN_MAX)
        (void)fwrite(out.p, 1, out.n, stdout);
    buf_close(&out);
}

static void compare_events(struct check *check)
{
    const json_t *reasons = json_object_get(check->answers, "reasons");
    tell(check, "accepted", json_integer_value(json_object_get(check->answers, "accepted")), (int64_t)check->accepted);
    for (int reason = 1; reason < REJECT_REASON_COUNT; reason++) {
        const char *name = reject_reason_name((enum reject_reason)reason);
        char what[LINE_BYTES_MAX];
        int64_t expected = json_integer_value(json_object_get(reasons, name));
        (void)snprintf(what, sizeof what, "rejected %s", name);
        if (expected || check->reasons[reason])
            tell(check, what, expected, (int64_t)check->reasons[reason]);
    }
}

static enum err_code verdict(struct check *check)
{
    struct cli *cli = check->cli;
    compare_events(check);
    for (uint32_t i = 0; i < check->keys.count; i++)
        tell(check, intern_text(&check->keys, i).p, check->pairs[i].expected, check->pairs[i].seen);
    if (cli->json)
        (void)printf("{\"compared\":%llu,\"different\":%llu,\"other_services\":%llu}\n",
                     (unsigned long long)check->compared, (unsigned long long)check->different,
                     (unsigned long long)check->others);
    else if (!cli->quiet || check->different)
        (void)printf(cli->zh ? "比较 %llu 个数字，%llu 个不同；另有 %llu 个属于其他服务\n"
                             : "%llu figures compared, %llu differ; %llu more belong to other services\n",
                     (unsigned long long)check->compared, (unsigned long long)check->different,
                     (unsigned long long)check->others);
    return check->different ? err_set(&cli->err, ERR_FINDING, "%llu figures differ from the answers",
                                      (unsigned long long)check->different)
                            : OK;
}

static int run(struct cli *cli)
{
    struct check check = {.cli = cli, .figures = figures_new()};
    intern_init(&check.keys, FIGURES_MAX);
    enum err_code code = load_answers(&check);
    if (code == OK)
        code = client_open(&check.client, cli);
    if (code == OK)
        code = read_figures(&check);
    if (code == OK)
        code = read_ledger(&check);
    if (code == OK)
        code = verdict(&check);
    client_close(&check.client);
    figures_destroy(&check.figures);
    intern_close(&check.keys);
    buf_close(&check.key);
    free(check.pairs);
    json_decref(check.answers);
    return err_exit_code(code);
}

static const struct option_spec options[] = {
    {"tenant", OPTION_TEXT, "NAME", "another tenant than the one the answers name", "与答案不同名的租户"},
    {0},
};

const struct command cmd_check_answers = {
    .name = "check answers",
    .args_help = "FILE",
    .summary = "compare the figures with the answers of a generated company",
    .summary_zh = "将数字与生成数据的答案比较",
    .details =
        "FILE is the answers.json of `paceline gen --out DIR`. Every figure it knows is compared with the view, every\n"
        "figure it does not know must be 0, and the ledger must have accepted and refused as many events as it says.\n"
        "Differences are listed; exit code 1 if there are any. `paceline wait` first, so that the figures are current.",
    .details_zh =
        "FILE 是 `paceline gen --out DIR` 写出的 answers.json。逐一比较其中每个数字；答案中没有的数字必须为 0；\n"
        "账本接受和拒绝的事件数也须一致。列出所有差异；有差异时退出码为 1。请先运行 `paceline wait`。",
    .example = "paceline check answers company/answers.json",
    .args_min = 1,
    .args_max = 1,
    .options = options,
    .run = run,
};
