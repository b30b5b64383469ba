/* cmd_tail.c -- `paceline tail [TOPIC]`: what goes through a topic or the ledger, decoded, one JSON object a line. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/findings.h"
#include "base/time_text.h"
#include "cmd_tail.h"

enum { TAIL_POLL = 128, WAIT_MS = 200 };
static const char *const topics[] = {"ledger",  "visits", "orders", "leads",   "facts",   "plans",
                                     "actions", "import", "alerts", "attests", "rejects", NULL};

static volatile sig_atomic_t stopped;
static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* ---- the ledger */

struct ledger_tail {
    struct tail *tail;
    bool void_only, duplicates;
    uint64_t skip_to; /* --from end: seq that was there at the start is not printed; 0 */
    int64_t next[LEDGER_SOURCE_COUNT];
    uint32_t shard;
};

static void print_raw_range(struct ledger_tail *in, uint32_t source, int64_t from, int64_t to)
{
    struct tail *tail = in->tail;
    char topic[LOG_TOPIC_BYTES_MAX + 1];
    struct log_consumer *consumer = NULL;
    client_topic(&tail->client, ledger_source_topic((enum ledger_source)source), topic);
    int64_t begin = from, end = to;
    if (from >= to ||
        log_range(tail->client.wiring.log, topic, in->shard, CLIENT_TIMEOUT_MS, &begin, &end, &tail->cli->err) != OK)
        return;
    from = begin > from ? begin : from; /* what retention took is gone */
    struct log_source place = {topic, in->shard, from};
    if (from >= to || log_consumer_open(tail->client.wiring.log, NULL, &place, 1, &consumer, &tail->cli->err) != OK)
        return;
    for (int64_t next = from; next < to && !stopped && !tail_full(tail);) {
        struct log_record records[TAIL_POLL];
        size_t count = 0;
        if (log_poll(consumer, 0, records, TAIL_POLL, &count, &tail->cli->err) != OK)
            break;
        if (!count)
            log_wait(consumer, WAIT_MS);
        for (size_t i = 0; i < count; i++) {
            next = records[i].offset + 1;
            if (records[i].offset >= to)
                break;
            tail_write_duplicate(tail, topic, in->shard, &records[i]);
        }
    }
    log_consumer_destroy(&consumer);
}

/* What lies between two answers of a source was a duplicate (design 4.8). */
static void follow_duplicates(struct ledger_tail *in, const struct ledger_record *record)
{
    struct event event;
    struct event_position item;
    if (record->kind != LEDGER_TICK) {
        if (record->source >= LEDGER_SOURCE_COUNT)
            return;
        if (record->dups_before)
            print_raw_range(in, record->source, (int64_t)record->number - record->dups_before, (int64_t)record->number);
        in->next[record->source] = (int64_t)record->number + 1;
        return;
    }
    if (event_decode_body(in->tail->client.codec, EVENT_LEDGER_TICK, record->body, &event, &in->tail->cli->err) != OK)
        return;
    struct cursor positions = cursor_of(event.v[LEDGER_TICK_POSITIONS].s);
    while (event_positions_next(&positions, &item))
        for (uint32_t source = 0; source < LEDGER_SOURCE_COUNT; source++) {
            if (!slice_is(item.topic, ledger_source_topic((enum ledger_source)source)))
                continue;
            print_raw_range(in, source, in->next[source], item.position + 1);
            in->next[source] = item.position + 1;
        }
}

static bool on_record(void *context, uint32_t shard, const struct ledger_record *record)
{
    struct ledger_tail *in = context;
    struct tail *tail = in->tail;
    in->shard = shard;
    if (in->duplicates)
        follow_duplicates(in, record);
    else if (!in->void_only && tail_write_ledger(tail, shard, record) && record->time_ms >= tail->from_ms &&
             record->seq > in->skip_to)
        tail_print(tail);
    return !tail_full(tail) && !stopped;
}

static void on_void(void *context, uint32_t shard, int64_t offset, enum filter_verdict verdict, struct slice bytes)
{
    struct ledger_tail *in = context;
    struct block_reader *reader;
    if (!in->void_only || !(reader = malloc(sizeof *reader)))
        return;
    struct buf *line = &in->tail->line;
    buf_clear(line);
    buf_addf(line, "{\"shard\":%u,\"offset\":%lld,\"void\":\"%s\",\"bytes\":%zu", shard, (long long)offset,
             filter_verdict_name(verdict), bytes.n);
    if (block_open(reader, bytes, NULL) == OK)
        buf_addf(line, ",\"epoch\":%u,\"writer\":\"%016llx\",\"first_seq\":%llu,\"count\":%u", reader->header.epoch,
                 (unsigned long long)reader->header.writer, (unsigned long long)reader->header.first_seq,
                 reader->header.count);
    buf_add_byte(line, '}');
    free(reader);
    tail_print(in->tail);
}

/* The clocks need every record from the first on; --from end only keeps the older ones from being printed. */
static enum err_code tail_ledger(struct tail *tail, bool void_only, bool duplicates)
{
    uint32_t shards = tail->client.shards;
    struct client_ledger *ledgers = calloc(shards, sizeof *ledgers);
    struct ledger_tail *states = calloc(shards, sizeof *states);
    enum err_code code = OK;
    if (!ledgers || !states)
        abort();
    uint32_t opened = 0;
    for (; opened < shards && code == OK; opened++) {
        states[opened] = (struct ledger_tail){.tail = tail, .void_only = void_only, .duplicates = duplicates};
        code = client_ledger_open(&ledgers[opened], &tail->client, opened);
    }
    for (bool more = true; more && code == OK && !stopped && !tail_full(tail);) {
        bool any = false, all_at_end = true;
        for (uint32_t i = 0; i < shards && code == OK; i++) {
            bool got;
            states[i].skip_to = tail->from_end && !client_ledger_at_end(&ledgers[i]) ? UINT64_MAX : states[i].skip_to;
            if (tail->once && client_ledger_at_end(&ledgers[i]))
                continue;
            code = client_ledger_read(&ledgers[i], on_record, on_void, &states[i], &got);
            if (client_ledger_at_end(&ledgers[i]))
                states[i].skip_to = 0;
            all_at_end = all_at_end && client_ledger_at_end(&ledgers[i]);
            any = any || got;
        }
        more = !(tail->once && all_at_end);
        if (!any && more) {
            (void)fflush(stdout);
            log_wait(ledgers[0].consumer, WAIT_MS);
        }
    }
    for (uint32_t i = 0; i < opened; i++)
        if (ledgers[i].consumer)
            client_ledger_close(&ledgers[i]);
    free(ledgers);
    free(states);
    return code;
}

/* ---- topics */

static enum err_code tail_topic(struct tail *tail, const char *name)
{
    char plain[64], topic[LOG_TOPIC_BYTES_MAX + 1];
    uint32_t shards = tail->client.shards;
    struct log_source sources[LOG_SOURCES_MAX];
    int64_t ends[LOG_SOURCES_MAX], next[LOG_SOURCES_MAX];
    struct log_consumer *consumer = NULL;
    enum err_code code = OK;
    (void)snprintf(plain, sizeof plain, "sales.%s", name);
    client_topic(&tail->client, plain, topic);
    if (shards > LOG_SOURCES_MAX)
        return err_set(&tail->cli->err, ERR_USAGE, "tail reads at most %d partitions", LOG_SOURCES_MAX);
    for (uint32_t i = 0; i < shards && code == OK; i++) {
        int64_t begin;
        code = client_range(&tail->client, plain, i, &begin, &ends[i]);
        next[i] = tail->from_end ? ends[i] : begin;
        sources[i] = (struct log_source){topic, i, next[i]};
    }
    if (code == OK)
        code = log_consumer_open(tail->client.wiring.log, NULL, sources, shards, &consumer, &tail->cli->err);
    for (bool more = true; more && code == OK && !stopped && !tail_full(tail);) {
        bool any = false, all = true;
        for (uint32_t i = 0; i < shards && code == OK; i++) {
            struct log_record records[TAIL_POLL];
            size_t count = 0;
            if (tail->once && next[i] >= ends[i])
                continue;
            code = log_poll(consumer, i, records, TAIL_POLL, &count, &tail->cli->err);
            for (size_t k = 0; k < count && code == OK; k++) {
                next[i] = records[k].offset + 1;
                if ((!tail->once || records[k].offset < ends[i]) && records[k].append_ms >= tail->from_ms)
                    tail_write_raw(tail, topic, i, &records[k]);
            }
            any = any || count;
            all = all && next[i] >= ends[i];
        }
        more = !(tail->once && all);
        if (!any && more) {
            (void)fflush(stdout);
            log_wait(consumer, WAIT_MS);
        }
    }
    log_consumer_destroy(&consumer);
    return code;
}

/* ---- command */

static enum err_code read_from(struct cli *cli, struct tail *tail)
{
    const char *from = cli_option(cli, "from");
    int32_t day;
    tail->from_ms = INT64_MIN;
    tail->from_end = !from && !tail->once;
    if (!from || strcmp(from, "begin") == 0)
        return OK;
    if (strcmp(from, "end") == 0) {
        tail->from_end = true;
        return OK;
    }
    if (instant_or_ms_parse(slice_of(from), &tail->from_ms))
        return OK;
    if (date_parse(slice_of(from), &day)) {
        tail->from_ms = (int64_t)day * 86400000;
        return OK;
    }
    return err_set(&cli->err, ERR_USAGE, "--from %s: expected begin, end, a date or an instant (arrival)", from);
}

static const char *topic_of(struct cli *cli)
{
    const char *name = cli->arg_count ? cli->args[0] : "ledger";
    if (cli_flag(cli, "rejects"))
        return "rejects";
    if (strncmp(name, "sales.", 6) == 0)
        name += 6;
    for (int i = 0; topics[i]; i++)
        if (strcmp(topics[i], name) == 0)
            return name;
    const char *near = did_you_mean(slice_of(name), topics);
    (void)err_set(&cli->err, ERR_USAGE, "no topic %s%s%s%s", name, near ? "; did you mean " : "", near ? near : "",
                  near ? "?" : "");
    return NULL;
}

static int run(struct cli *cli)
{
    struct tail tail = {.cli = cli,
                        .once = cli_flag(cli, "once"),
                        .tenant = slice_of(cli_option(cli, "tenant")),
                        .count = (uint64_t)cli_int(cli, "count", 0)};
    const char *topic = topic_of(cli);
    bool duplicates = cli_flag(cli, "duplicates"), void_only = cli_flag(cli, "void");
    enum err_code code = topic ? read_from(cli, &tail) : ERR_USAGE;
    if (code != OK)
        return err_exit_code(code);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    intern_init(&tail.tenants, 1 << 24);
    code = client_open(&tail.client, cli);
    if (code == OK && (duplicates || void_only || strcmp(topic, "ledger") == 0))
        code = tail_ledger(&tail, void_only, duplicates);
    else if (code == OK)
        code = tail_topic(&tail, topic);
    client_close(&tail.client);
    intern_close(&tail.tenants);
    free(tail.clocks);
    buf_close(&tail.line);
    buf_close(&tail.scratch);
    return err_exit_code(code);
}

/* clang-format off */
static const struct option_spec options[] = {
    {"from", OPTION_TEXT, "WHERE", "begin, end (default), a date or an instant of arrival", "begin、end（默认）、日期或到达时刻"},
    {"once", OPTION_FLAG, NULL, "stop at the end that was there at the start", "到达启动时的末尾即停止"},
    {"count", OPTION_INT, "N", "stop after N lines", "输出 N 行后停止"},
    {"tenant", OPTION_TEXT, "NAME", "only this tenant", "只看该租户"},
    {"rejects", OPTION_FLAG, NULL, "refused events with reason, origin and bytes", "被拒事件：原因、来源和原始内容"},
    {"duplicates", OPTION_FLAG, NULL, "repeats that the ledger passed over", "账本略过的重复事件"},
    {"void", OPTION_FLAG, NULL, "blocks in the ledger topic that are no part of the ledger, with the cause", "账本主题中无效的块及原因"},
    {0},
};
/* clang-format on */

const struct command cmd_tail = {
    .name = "tail",
    .args_help = "[TOPIC]",
    .summary = "look at what goes through a topic or the ledger",
    .summary_zh = "查看主题或账本中的内容",
    .details =
        "TOPIC is ledger (default), visits, orders, leads, facts, plans, actions, import, alerts, attests or rejects.\n"
        "One JSON object a line, whatever encoding the record has. Records of the ledger carry the tenant's time `t`,\n"
        "their numbers and the flags late and skew.",
    .example = "paceline tail --rejects --from begin --once",
    .args_max = 1,
    .options = options,
    .run = run,
};
