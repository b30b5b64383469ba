#include "sim_pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/machine/counter_machine.h"
#include "base/logger.h"
#include "funnel/funnel.h"
#include "ledger/ledger_reader.h"
#include "ledger/ledger_service.h"
#include "machine/fold.h"
#include "machine/runner.h"
#include "sim_input.h"

enum {
    WRITERS = 2,
    RUNNERS = 4, /* two of the funnel, two of the counting machine */
    STEPS_MAX = 20000,
    EVENT_GAP_MS = 40,
    CALM_STEPS = 4000,
    SNAPSHOT_RECORDS = 60
};
static const int64_t START_MS = 1772352000000; /* 2026-03-01T08:00Z */

struct raw {
    int64_t at_ms;
    const char *topic;
    unsigned tenant;
    size_t from, bytes; /* in sim.texts */
};

struct sim {
    struct sim_options options;
    struct sim_random random;
    struct sim_result *result;
    struct clock_manual clock;
    struct log *log;
    struct view *view;
    struct store *store;
    struct event_codec *codec;
    struct log_producer *feed;
    struct ledger_service *writers[WRITERS];
    struct runner *runners[RUNNERS];
    struct crumb crumbs[RUNNERS];
    bool view_down, view_dumped;
    struct buf texts;
    struct raw raws[SIM_TENANTS * SIM_PLAN_ITEMS + SIM_EVENTS];
    unsigned raw_count, raw_fed;
    uint64_t writer_ids;
    uint16_t generation_writer;
};

#define COMPLAIN(sim, ...)                                                                                             \
    (buf_addf(&(sim)->result->complaints, __VA_ARGS__), buf_add_text(&(sim)->result->complaints, "; "))

static void must(enum err_code code, const struct err *err)
{
    if (!code)
        return;
    fprintf(stderr, "simulator: %s\n", err->text);
    abort();
}

/* Set-up. */

static void add_raw(struct sim *sim, int64_t at_ms, const char *topic, unsigned tenant, const struct buf *text)
{
    struct raw *raw = &sim->raws[sim->raw_count++];
    *raw = (struct raw){at_ms, topic, tenant, sim->texts.n, text->n};
    buf_add_slice(&sim->texts, buf_slice(text));
}

static void write_input(struct sim *sim)
{
    struct sim_random random = {.state = sim->options.input};
    struct buf text;
    buf_init(&text);
    for (unsigned i = 0; i < SIM_TENANTS * SIM_PLAN_ITEMS; i++) {
        buf_clear(&text);
        sim_plan_item(i / SIM_PLAN_ITEMS, i % SIM_PLAN_ITEMS, &text);
        add_raw(sim, START_MS + i, "sales.plans", i / SIM_PLAN_ITEMS, &text);
    }
    int64_t at_ms = START_MS + 5000; /* behind the plans, however slow their writer is */
    for (unsigned i = 0; i < SIM_EVENTS; i++) {
        at_ms += 1 + (int64_t)sim_below(&random, EVENT_GAP_MS);
        if (i % 50 == 49)
            at_ms += 200000; /* the clock jumps; nothing comes for a while */
        buf_clear(&text);
        const struct raw *before = i > 20 && sim_chance(&random, 8) ? &sim->raws[sim->raw_count - 3] : NULL;
        if (before)
            buf_add(&text, sim->texts.p + before->from, before->bytes); /* sent twice */
        else
            sim_lead_event(&random, i % SIM_TENANTS, i, at_ms, &text);
        add_raw(sim, at_ms, "sales.leads", before ? before->tenant : i % SIM_TENANTS, &text);
    }
    buf_close(&text);
}

static uint64_t next_writer_id(void *context)
{
    struct sim *sim = context;
    return ++sim->writer_ids;
}

static void start_writer(struct sim *sim, unsigned i)
{
    struct ledger_service_config config = {.log = sim->log,
                                           .store = sim->store,
                                           .clock = &sim->clock.clock,
                                           .codec = sim->codec,
                                           .shards = 1,
                                           .topic_prefix = "",
                                           .snapshot_records = SNAPSHOT_RECORDS,
                                           .random = next_writer_id,
                                           .random_context = sim};
    sim->writers[i] = ledger_service_open(&config);
    ledger_service_lead(sim->writers[i], i == 0 || (sim->options.faults && sim_chance(&sim->random, 50)));
}

static void start_runner(struct sim *sim, unsigned i)
{
    struct err err;
    struct runner_config config = {.type = i < RUNNERS / 2 ? &funnel_machine : &counter_machine,
                                   .codec = sim->codec,
                                   .log = sim->log,
                                   .view = sim->view,
                                   .store = sim->store,
                                   .clock = &sim->clock.clock,
                                   .crumb = &sim->crumbs[i],
                                   .topic_prefix = "",
                                   .snapshot_records = SNAPSHOT_RECORDS,
                                   .snapshot_inline = true,
                                   .writer = sim->generation_writer++};
    crumb_count(&sim->crumbs[i]);
    must(runner_open(&config, &sim->runners[i], &err), &err);
    runner_own(sim->runners[i], i % 2 == 0 || (sim->options.faults && sim_chance(&sim->random, 50)));
}

static void open_world(struct sim *sim)
{
    struct err err;
    clock_manual_init(&sim->clock, START_MS);
    sim->codec = event_codec_new(&err);
    counter_codec = sim->codec;
    must(log_memory_open(&sim->clock.clock, &sim->log, &err), &err);
    must(view_memory_open(&sim->view, &err), &err);
    must(store_memory_open(&sim->store, &err), &err);
    static const char *const topics[] = {
#define X(name, topic) topic,
        LEDGER_SOURCES(X)
#undef X
            "sales.ledger",
        "sales.rejects"};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        struct log_topic_spec spec = {topics[i], 1, -1};
        must(log_topic_ensure(sim->log, &spec, &err), &err);
    }
    must(log_producer_open(sim->log, &sim->feed, &err), &err);
    for (unsigned i = 0; i < WRITERS; i++)
        start_writer(sim, i);
    for (unsigned i = 0; i < RUNNERS; i++)
        start_runner(sim, i);
}

static void close_world(struct sim *sim)
{
    for (unsigned i = 0; i < WRITERS; i++)
        ledger_service_destroy(&sim->writers[i]);
    for (unsigned i = 0; i < RUNNERS; i++)
        runner_destroy(&sim->runners[i]);
    log_producer_destroy(&sim->feed);
    log_destroy(&sim->log);
    view_destroy(&sim->view);
    store_destroy(&sim->store);
    event_codec_destroy(&sim->codec);
    buf_close(&sim->texts);
}

/* One turn of a component. */

static void step_writer(struct sim *sim, unsigned i)
{
    bool busy;
    struct err err = {0};
    if (ledger_service_step(sim->writers[i], &busy, &err))
        COMPLAIN(sim, "writer %u stopped: %s", i, err.text);
}

static void step_runner(struct sim *sim, unsigned i)
{
    bool busy;
    struct err err = {0};
    enum err_code code = runner_step(sim->runners[i], &busy, &err);
    if (code && err_class(code) != ERR_CLASS_RETRY)
        COMPLAIN(sim, "runner %u stopped: %s", i, err.text);
}

/* Raw events whose time has come. They are never lost: the fault is set only around the turns of others. */
static void feed(struct sim *sim)
{
    while (sim->raw_fed < sim->raw_count && sim->raws[sim->raw_fed].at_ms <= sim->clock.now_ms) {
        const struct raw *raw = &sim->raws[sim->raw_fed++];
        struct err err;
        must(log_append(sim->feed, raw->topic, 0, slice_of(sim_tenant_name(raw->tenant)),
                        slice_make(sim->texts.p + raw->from, raw->bytes), slice_of(""), &err),
             &err);
    }
}

/* Time goes on to `ms` later at most, never past an event that is not fed: it arrives at its own instant. */
static void advance(struct sim *sim, int64_t ms)
{
    if (sim->raw_fed < sim->raw_count) {
        int64_t until = sim->raws[sim->raw_fed].at_ms - sim->clock.now_ms;
        if (ms > until)
            ms = until;
    }
    if (ms > 0)
        clock_manual_advance(&sim->clock, ms);
    feed(sim);
}

/* What may happen. Weights in percent of a thousand. */

static void turn_of_writer(struct sim *sim) { step_writer(sim, (unsigned)sim_below(&sim->random, WRITERS)); }
static void turn_of_runner(struct sim *sim) { step_runner(sim, (unsigned)sim_below(&sim->random, RUNNERS)); }

static void time_passes(struct sim *sim)
{
    bool long_wait = sim_chance(&sim->random, 25);
    advance(sim, 1 + (int64_t)sim_below(&sim->random, long_wait ? 30000 : 60));
}

static void faulty_append(struct sim *sim)
{
    static const enum log_fault faults[] = {LOG_FAULT_LOST, LOG_FAULT_LATE, LOG_FAULT_UNKNOWN};
    log_memory_fault(sim->log, faults[sim_below(&sim->random, 3)], 1 + (unsigned)sim_below(&sim->random, 3),
                     1 + (unsigned)sim_below(&sim->random, 4));
    if (sim_chance(&sim->random, 60))
        turn_of_writer(sim);
    else
        turn_of_runner(sim);
    log_memory_fault(sim->log, LOG_FAULT_NONE, 0, 0);
}

static void writer_dies(struct sim *sim)
{
    unsigned i = (unsigned)sim_below(&sim->random, WRITERS);
    ledger_service_destroy(&sim->writers[i]);
    start_writer(sim, i);
    sim->result->crashes++;
}

static void runner_dies(struct sim *sim)
{
    unsigned i = (unsigned)sim_below(&sim->random, RUNNERS);
    runner_destroy(&sim->runners[i]);
    start_runner(sim, i);
    sim->result->crashes++;
}

static void leader_changes(struct sim *sim)
{
    ledger_service_lead(sim->writers[sim_below(&sim->random, WRITERS)], sim_chance(&sim->random, 60));
    sim->result->takeovers++;
}

static void owner_changes(struct sim *sim)
{
    runner_own(sim->runners[sim_below(&sim->random, RUNNERS)], sim_chance(&sim->random, 60));
}

static void view_forgets(struct sim *sim) { view_memory_flush(sim->view); }

static void view_rolls_back(struct sim *sim)
{
    if (!sim->view_dumped || sim_chance(&sim->random, 40)) {
        view_memory_dump(sim->view);
        sim->view_dumped = true;
    } else
        view_memory_restore(sim->view);
}

static void view_comes_and_goes(struct sim *sim)
{
    sim->view_down = !sim->view_down && sim_chance(&sim->random, 60);
    view_memory_down(sim->view, sim->view_down);
}

static const struct {
    void (*happen)(struct sim *sim);
    unsigned weight;
    bool fault;
} happenings[] = {
    {turn_of_writer, 380, false}, {turn_of_runner, 380, false},   {time_passes, 150, false},
    {faulty_append, 25, true},    {writer_dies, 8, true},         {runner_dies, 14, true},
    {leader_changes, 8, true},    {owner_changes, 12, true},      {view_forgets, 3, true},
    {view_rolls_back, 12, true},  {view_comes_and_goes, 8, true},
};

static void something_happens(struct sim *sim)
{
    uint64_t dice = sim_below(&sim->random, 1000);
    for (size_t i = 0; i < sizeof happenings / sizeof *happenings; i++) {
        if (dice >= happenings[i].weight) {
            dice -= happenings[i].weight;
            continue;
        }
        if (happenings[i].fault && !sim->options.faults)
            return;
        sim->result->faults += happenings[i].fault;
        happenings[i].happen(sim);
        return;
    }
}

/* The end: nothing fails any more, and all is disposed of, folded, published, read back. */

static bool all_settled(struct sim *sim)
{
    struct ledger_service_status status;
    ledger_service_status(sim->writers[0], &status);
    int64_t begin, end;
    struct err err;
    must(log_range(sim->log, "sales.leads", 0, 0, &begin, &end, &err), &err);
    if (status.phase != LEDGER_RUNNING || status.totals.sources[LEDGER_SOURCE_LEADS].position + 1 < end)
        return false;
    must(log_range(sim->log, "sales.ledger", 0, 0, &begin, &end, &err), &err);
    for (unsigned i = 0; i < RUNNERS; i += 2)
        if (!runner_settled(sim->runners[i]) || runner_seq(sim->runners[i]) != status.filter.seq)
            return false;
    return status.unconfirmed == 0;
}

static void calm_down(struct sim *sim)
{
    view_memory_down(sim->view, false);
    for (unsigned i = 0; i < WRITERS; i++)
        ledger_service_lead(sim->writers[i], i == 0);
    for (unsigned i = 0; i < RUNNERS; i++)
        runner_own(sim->runners[i], i % 2 == 0);
    int64_t end_ms = START_MS + 3600000; /* the same for every run; every alarm has rung by then */
    unsigned steps = 0, quiet = 0;
    while (steps++ < CALM_STEPS && quiet < 20) {
        int64_t left = end_ms - sim->clock.now_ms;
        advance(sim, left > 0 ? (left < 5000 ? left : 5000) : 10);
        for (unsigned i = 0; i < WRITERS; i++)
            step_writer(sim, i);
        for (unsigned i = 0; i < RUNNERS; i++)
            step_runner(sim, i);
        quiet = sim->raw_fed == sim->raw_count && left <= 0 && all_settled(sim) ? quiet + 1 : 0;
    }
    if (quiet < 20)
        COMPLAIN(sim, "does not settle");
}

/* Checks. */

struct lines {
    struct buf text;
    size_t *starts;
    size_t count, size;
    struct slice prefix; /* of the present row */
    const struct slice *rows;
};

static void add_line(struct lines *lines, struct slice tenant, struct slice row, struct slice field, struct slice value)
{
    if (lines->count == lines->size) {
        lines->size = lines->size ? lines->size * 2 : 256;
        lines->starts = realloc(lines->starts, lines->size * sizeof *lines->starts);
        if (!lines->starts)
            abort();
    }
    lines->starts[lines->count++] = lines->text.n;
    buf_addf(&lines->text, "%.*s %.*s %.*s = %.*s", SLICE_ARG(tenant), SLICE_ARG(row), SLICE_ARG(field),
             SLICE_ARG(value));
    buf_add_byte(&lines->text, '\0');
}

static const char *sort_base;
static int by_text(const void *a, const void *b)
{
    return strcmp(sort_base + *(const size_t *)a, sort_base + *(const size_t *)b);
}

static void join_sorted(struct lines *lines, struct buf *out)
{
    buf_add_byte(&lines->text, '\0');
    sort_base = (const char *)lines->text.p;
    if (lines->count)
        qsort(lines->starts, lines->count, sizeof *lines->starts, by_text);
    for (size_t i = 0; i < lines->count; i++)
        buf_addf(out, "%s\n", sort_base + lines->starts[i]);
    buf_close(&lines->text);
    free(lines->starts);
}

struct reading {
    struct lines *lines;
    struct slice tenant;
    const struct slice *rows;
};

static void on_cell(void *context, size_t row, struct slice field, struct slice value)
{
    struct reading *reading = context;
    add_line(reading->lines, reading->tenant, reading->rows[row], field, value);
}

static void read_tenant(struct sim *sim, struct slice machine, struct slice tenant, struct lines *lines)
{
    struct buf names;
    buf_init(&names);
    size_t count = 0;
    struct view_head head;
    struct err err;
    const struct view_scope scope = {machine, tenant};
    must(view_rows(sim->view, scope, &head, &names, &count, &err), &err);
    const char *name = (const char *)names.p;
    for (size_t i = 0; i < count; i++) {
        struct slice row = slice_of(name);
        struct reading reading = {lines, tenant, &row};
        must(view_read(sim->view, scope, &row, 1, &head, on_cell, &reading, &err), &err);
        name += row.n + 1;
    }
    buf_close(&names);
}

static void read_view(struct sim *sim, const struct machine_type *type, struct buf *out)
{
    struct lines lines = {0};
    for (unsigned t = 0; t < SIM_TENANTS; t++)
        read_tenant(sim, slice_of(type->name), slice_of(sim_tenant_name(t)), &lines);
    join_sorted(&lines, out);
}

struct line_sink {
    struct machine_sink sink; /* first */
    struct lines *lines;
    struct slice tenant;
};

static void sink_line(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    struct line_sink *lines = (struct line_sink *)sink;
    if (value.n)
        add_line(lines->lines, lines->tenant, row, field, value);
}

/* The same figures from a fold that nothing disturbed. */
static void project_fold(const struct fold *fold, struct buf *out)
{
    struct lines lines = {0};
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        struct tenant *tenant = tenants_at(fold->tenants, i);
        struct line_sink sink = {{sink_line}, &lines, tenant->name};
        uint64_t cursor = 0;
        while (fold->type->project_all(tenant->state, fold_now(fold, tenant), &cursor, 100, &sink.sink))
            continue;
    }
    join_sorted(&lines, out);
}

static void note_history(struct sim *sim, const struct ledger_record *record)
{
    sim->result->alerts += record->kind == LEDGER_ALERT;
    sim->result->leads += record->kind == LEDGER_EVENT && record->type == EVENT_LEAD;
    if (record->kind != LEDGER_EVENT && record->kind != LEDGER_PLAN && record->kind != LEDGER_REJECT)
        return;
    buf_addf(&sim->result->history, "%u %.*s %u %lld %llu ", record->kind, SLICE_ARG(record->tenant), record->source,
             (long long)(record->kind == LEDGER_EVENT ? record->time_ms : 0), (unsigned long long)record->number);
    buf_add_slice(&sim->result->history, record->body);
    buf_add_byte(&sim->result->history, '\n');
}

/* Folds the ledger that came about, undisturbed, from its beginning. */
static struct fold *fold_again(struct sim *sim, const struct machine_type *type, bool note)
{
    struct fold *fold = fold_new(type, sim->codec, 0);
    struct filter from;
    filter_init(&from, 0);
    struct ledger_reader *reader;
    struct err err;
    must(ledger_reader_open(sim->log, "sales.ledger", &from, &reader, &err), &err);
    struct ledger_record record;
    bool got = true;
    for (;;) {
        must(ledger_reader_next(reader, &record, &got, &err), &err);
        if (!got)
            break;
        must(fold_apply(fold, &record, &err), &err);
        if (note)
            note_history(sim, &record);
    }
    ledger_reader_destroy(&reader);
    return fold;
}

static void compare_states(struct sim *sim, const struct fold *again, unsigned runner)
{
    const struct fold *fold = runner_fold(sim->runners[runner]);
    struct buf a, b;
    buf_init(&a);
    buf_init(&b);
    if (fold->seq != again->seq || tenants_count(fold->tenants) != tenants_count(again->tenants))
        COMPLAIN(sim, "runner %u stands at seq %llu, the ledger at %llu", runner, (unsigned long long)fold->seq,
                 (unsigned long long)again->seq);
    else
        for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
            buf_clear(&a);
            buf_clear(&b);
            fold_save_tenant(fold, tenants_at(fold->tenants, i), &a);
            fold_save_tenant(again, tenants_at(again->tenants, i), &b);
            if (!slice_eq(buf_slice(&a), buf_slice(&b)))
                COMPLAIN(sim, "runner %u: the state of %.*s differs from an undisturbed fold", runner,
                         SLICE_ARG(tenants_at(fold->tenants, i)->name));
        }
    buf_close(&a);
    buf_close(&b);
}

static void check_machine(struct sim *sim, const struct machine_type *type, unsigned runner, struct buf *figures)
{
    struct fold *again = fold_again(sim, type, runner == 0);
    struct buf expected;
    buf_init(&expected);
    read_view(sim, type, figures);
    project_fold(again, &expected);
    if (!slice_eq(buf_slice(figures), buf_slice(&expected)))
        COMPLAIN(sim, "%s: the view differs from an undisturbed fold", type->name);
    compare_states(sim, again, runner);
    compare_states(sim, again, runner + 1);
    for (uint32_t i = 0; i < tenants_count(again->tenants); i++)
        if (tenants_at(again->tenants, i)->stop != TENANT_RUNS)
            COMPLAIN(sim, "%s: %s", type->name, tenants_at(again->tenants, i)->stop_text);
    sim->result->totals = again->totals;
    buf_close(&expected);
    fold_destroy(&again);
}

static void check_conservation(struct sim *sim)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *source = &sim->result->totals.sources[s];
        int64_t begin, end;
        struct err err;
        must(log_range(sim->log, ledger_source_topic((enum ledger_source)s), 0, 0, &begin, &end, &err), &err);
        if ((int64_t)ledger_received(source) != source->position + 1)
            COMPLAIN(sim, "%s: received %llu, disposed of up to %lld", ledger_source_topic((enum ledger_source)s),
                     (unsigned long long)ledger_received(source), (long long)source->position);
        if (s <= LEDGER_SOURCE_ACTIONS && source->position + 1 != end)
            COMPLAIN(sim, "%s: %lld records, disposed of up to %lld", ledger_source_topic((enum ledger_source)s),
                     (long long)end, (long long)source->position);
    }
}

static void check(struct sim *sim)
{
    struct buf counted;
    buf_init(&counted);
    check_machine(sim, &funnel_machine, 0, &sim->result->figures);
    check_machine(sim, &counter_machine, 2, &counted);
    check_conservation(sim);
    if (sim->result->alerts != sim->result->leads)
        COMPLAIN(sim, "%llu alarms were set, %llu alerts are in the ledger", (unsigned long long)sim->result->leads,
                 (unsigned long long)sim->result->alerts);
    buf_close(&counted);
}

void sim_run(const struct sim_options *options, struct sim_result *result)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        abort();
    logger_init(&(struct logger_options){.level = getenv("SIM_VERBOSE") ? LOGGER_DEBUG : LOGGER_ERROR});
    *result = (struct sim_result){0};
    sim->options = *options;
    sim->random.state = options->seed;
    sim->result = result;
    write_input(sim);
    open_world(sim);
    for (unsigned i = 0; i < STEPS_MAX && sim->raw_fed < sim->raw_count; i++)
        something_happens(sim);
    calm_down(sim);
    check(sim);
    close_world(sim);
    free(sim);
}

void sim_result_close(struct sim_result *result)
{
    buf_close(&result->figures);
    buf_close(&result->history);
    buf_close(&result->complaints);
}
