/* bench_funnel.c -- what does an event cost in the funnel machine? The load of `gen --bench` under the organisation of
 * the generated company goes straight through the machine's table: no log, no Redis, one thread.
 *
 *   bench_funnel [EVENTS [LEADS [REPS [EVERY [fold]]]]]
 *
 * Every EVERY records the figures are brought up to date and handed to a sink that drops them, as the projector would:
 * changed cells, or all of them when more changed than one commit takes; `fold` leaves saving and loading out. Prints
 * CPU-ns per event of folding, of adding up and of projecting, bytes per lead, and what saving and loading the whole
 * state takes. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/gen_bench.h"
#include "cli/gen_company.h"
#include "funnel/funnel.h"
#include "model/event.h"
#include "view/view.h"

enum { STEP_US = 1000, AHEAD = 12 /* as the runtime */, HEADER_BYTES = 10, EVENTS_MAX = 50000000, SPEC_BYTES = 512 };
static const int64_t START_MS = 1772755200000; /* 2026-03-06 UTC */

struct bench {
    void *tenant;
    struct event_codec *codec;
    uint64_t seq;
    int64_t events, leads, reps, every;
    struct buf bodies;
    size_t *ends;
    struct machine_sink sink;
    uint64_t cells, bytes, full;
    double fold_s, roll_s, project_s;
};

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_funnel: %s: %s\n", what, err->text);
    exit(1);
}

static struct ledger_record record_of(uint64_t seq, enum event_type type, struct slice body, int64_t now_ms)
{
    return (struct ledger_record){.seq = seq,
                                  .tenant_seq = seq,
                                  .time_ms = now_ms,
                                  .tenant = SLICE("bench"),
                                  .body = body,
                                  .kind = type == EVENT_PLAN ? LEDGER_PLAN : LEDGER_EVENT,
                                  .type = (uint8_t)type};
}

static void apply(struct bench *bench, enum event_type type, struct slice body, int64_t now_ms)
{
    struct ledger_record record = record_of(++bench->seq, type, body, now_ms);
    struct machine_input input = {.record = &record, .now_ms = now_ms};
    struct err err = {0};
    if (funnel_machine.apply(bench->tenant, &input, NULL, &err) != OK)
        die("apply", &err);
}

/* --- the plan ------------------------------------------------------------------------------------------------- */

static void plan(struct bench *bench, int kind, const char *id, const char *spec)
{
    char event_id[32];
    struct buf body = {0};
    struct event event = {.type = EVENT_PLAN};
    (void)snprintf(event_id, sizeof event_id, "p-%llu", (unsigned long long)bench->seq);
    event_set_text(&event, EV_TENANT, SLICE("bench"));
    event_set_text(&event, EV_EVENT_ID, slice_of(event_id));
    event_set_text(&event, EV_SOURCE, SLICE("plan"));
    event_set_int(&event, EV_OCCURRED_AT, START_MS);
    event_set_int(&event, PLAN_KIND, kind);
    event_set_text(&event, PLAN_ID, slice_of(id));
    event_set_int(&event, PLAN_VALID_FROM, START_MS - 400 * 86400000ll);
    event_set_text(&event, PLAN_REASON, SLICE("bench"));
    event_set_text(&event, PLAN_APPROVER, SLICE("bench"));
    event_set_text(&event, PLAN_SPEC, slice_of(spec));
    if (kind == PLAN_KIND_tenant)
        event_set_text(&event, PLAN_RESOLVED,
                       SLICE("{\"exponents\":{\"CNY\":2},\"from\":0,\"to\":4102444800000,\"transitions\":[]}"));
    event_encode(bench->codec, &event, &body);
    apply(bench, EVENT_PLAN, buf_slice(&body), 0);
    buf_close(&body);
}

static const char model_spec[] =
    "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20},"
    "{\"id\":\"PROP\",\"kind\":\"open\",\"ord\":30},{\"id\":\"NEGO\",\"kind\":\"open\",\"ord\":40},"
    "{\"id\":\"WON\",\"kind\":\"won\"},{\"id\":\"LOST\",\"kind\":\"lost\"},{\"id\":\"POOL\",\"kind\":\"pool\"}]}";

static void plan_node(struct bench *bench, const struct gen_company *company, uint32_t level, uint32_t number)
{
    static const char *const kinds[] = {"company", "division", "area", "region", "team"};
    char name[GEN_NAME_BYTES], parent[GEN_NAME_BYTES], spec[SPEC_BYTES];
    gen_company_name(company, level, number, name);
    if (level == 0) {
        plan(bench, PLAN_KIND_node, name, "{\"kind\":\"company\"}");
        return;
    }
    uint32_t above = (uint32_t)((uint64_t)number * company->counts[level - 1] / company->counts[level]);
    gen_company_name(company, level - 1, above, parent);
    (void)snprintf(spec, sizeof spec, "{\"kind\":\"%s\",\"parent\":\"%s\"}", kinds[level], parent);
    plan(bench, PLAN_KIND_node, name, spec);
}

static void plan_rep(struct bench *bench, const struct gen_company *company, uint32_t rep)
{
    char name[GEN_NAME_BYTES], team[GEN_NAME_BYTES], id[128], spec[SPEC_BYTES];
    gen_company_rep(rep, name);
    gen_company_name(company, company->levels - 2, gen_company_above(company, rep, company->levels - 2), team);
    (void)snprintf(id, sizeof id, "%s/%s/2025-06-01", name, team);
    (void)snprintf(spec, sizeof spec, "{\"from\":\"2025-06-01\",\"node\":\"%s\",\"rep\":\"%s\",\"tier\":\"%s\"}", team,
                   name, rep % 3 ? "B" : "A");
    plan(bench, PLAN_KIND_member, id, spec);
}

static void plan_all(struct bench *bench)
{
    struct gen_company company;
    gen_company_init(&company, GEN_BENCH_LEVELS, (uint32_t)bench->reps);
    plan(bench, PLAN_KIND_tenant, "bench",
         "{\"calendar\":\"c\",\"currency\":\"CNY\",\"pipeline\":\"default\",\"zone\":\"UTC\"}");
    plan(bench, PLAN_KIND_stage_model, "default", model_spec);
    for (uint32_t level = 0; level + 1 < company.levels; level++)
        for (uint32_t i = 0; i < company.counts[level]; i++)
            plan_node(bench, &company, level, i);
    for (uint32_t i = 0; i < company.reps; i++)
        plan_rep(bench, &company, i);
}

/* --- the load ------------------------------------------------------------------------------------------------- */

static void make_load(struct bench *bench)
{
    struct gen_bench_load load;
    struct err err = {0};
    bench->ends = malloc((size_t)bench->events * sizeof *bench->ends);
    if (!bench->ends ||
        gen_bench_open(&load, 1, "bench", (uint32_t)bench->leads, (uint32_t)bench->reps, START_MS, STEP_US, &err) != OK)
        die("load", &err);
    for (int64_t i = 0; i < bench->events; i++) {
        gen_bench_next(&load, &bench->bodies);
        bench->ends[i] = bench->bodies.n;
    }
    gen_bench_close(&load);
}

static void take_cell(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    struct bench *bench = (struct bench *)(void *)((char *)sink - offsetof(struct bench, sink));
    bench->cells++;
    bench->bytes += row.n + field.n + value.n;
}

static void project(struct bench *bench, int64_t now_ms)
{
    double start = cpu_s();
    size_t dirty = funnel_machine.dirty(bench->tenant);
    double rolled = cpu_s();
    uint64_t cursor = 0;
    bool all = dirty > VIEW_COMMIT_CELLS_MAX, more = dirty > 0;
    bench->full += all;
    while (more)
        more = all ? funnel_machine.project_all(bench->tenant, now_ms, &cursor, VIEW_COMMIT_CELLS_MAX, &bench->sink)
                   : funnel_machine.project_dirty(bench->tenant, now_ms, VIEW_COMMIT_CELLS_MAX, &bench->sink);
    if (all)
        funnel_machine.project_done(bench->tenant);
    bench->roll_s += rolled - start;
    bench->project_s += cpu_s() - rolled;
}

static struct slice body_of(const struct bench *bench, int64_t i)
{
    size_t from = i ? bench->ends[i - 1] : 0;
    return slice_make(bench->bodies.p + from + HEADER_BYTES, bench->ends[i] - from - HEADER_BYTES);
}

static int64_t time_of(int64_t i) { return START_MS + i * STEP_US / 1000; }

static void expect(struct bench *bench, int64_t i, int64_t ahead)
{
    if (i + ahead >= bench->events)
        return;
    struct ledger_record record =
        record_of(bench->seq + 1 + (uint64_t)ahead, EVENT_LEAD, body_of(bench, i + ahead), time_of(i + ahead));
    funnel_machine.expect(bench->tenant, &record);
}

static void fold_all(struct bench *bench)
{
    for (int64_t ahead = 0; ahead < AHEAD; ahead++)
        expect(bench, 0, ahead);
    double start = cpu_s();
    for (int64_t i = 0; i < bench->events; i++) {
        expect(bench, i, AHEAD);
        apply(bench, EVENT_LEAD, body_of(bench, i), time_of(i));
        if ((i + 1) % bench->every != 0 && i + 1 != bench->events)
            continue;
        bench->fold_s += cpu_s() - start;
        project(bench, time_of(i));
        start = cpu_s();
    }
}

/* --- saying it ------------------------------------------------------------------------------------------------ */

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void print(const struct bench *bench, size_t bytes)
{
    double events = (double)bench->events;
    printf("events %lld, leads %lld, reps %lld, figures every %lld\n", (long long)bench->events,
           (long long)bench->leads, (long long)bench->reps, (long long)bench->every);
    printf("fold     %8.1f ns an event\n", bench->fold_s * 1e9 / events);
    printf("roll-up  %8.1f ns an event\n", bench->roll_s * 1e9 / events);
    printf("project  %8.1f ns an event, %llu cells (%.2f an event), %.1f ns and %.0f bytes a cell, %llu times whole\n",
           bench->project_s * 1e9 / events, (unsigned long long)bench->cells, (double)bench->cells / events,
           bench->project_s * 1e9 / (double)bench->cells, (double)bench->bytes / (double)bench->cells,
           (unsigned long long)bench->full);
    printf("sum      %8.1f ns an event\n", (bench->fold_s + bench->roll_s + bench->project_s) * 1e9 / events);
    printf("heap     %8.1f MB, %.1f B per lead of the load\n", (double)bytes / 1e6,
           (double)bytes / (double)bench->leads);
}

static void save_and_load(struct bench *bench)
{
    struct buf bytes = {0};
    struct err err = {0};
    double start = cpu_s();
    funnel_machine.save(bench->tenant, &bytes);
    double saved = cpu_s();
    void *copy = funnel_machine.create(SLICE("bench"));
    if (funnel_machine.load(copy, buf_slice(&bytes), &err) != OK)
        die("load", &err);
    double loaded = cpu_s();
    if (funnel_machine.recount(copy, &err) != OK)
        die("recount", &err);
    printf("state    %8.1f MB, saved in %.2f s, loaded in %.2f s, recounted in %.2f s\n", (double)bytes.n / 1e6,
           saved - start, loaded - saved, cpu_s() - loaded);
    uint64_t digest = 1469598103934665603u;
    for (size_t i = 0; i < bytes.n; i++)
        digest = (digest ^ bytes.p[i]) * 1099511628211u;
    printf("digest   %016llx\n", (unsigned long long)digest);
    funnel_machine.destroy(copy);
    buf_close(&bytes);
}

static int64_t argument(int argc, char **argv, int at, int64_t otherwise)
{
    return argc > at ? strtoll(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct bench bench = {.sink = {take_cell}};
    bench.events = argument(argc, argv, 1, 2000000);
    bench.leads = argument(argc, argv, 2, GEN_BENCH_LEADS);
    bench.reps = argument(argc, argv, 3, GEN_BENCH_REPS);
    bench.every = argument(argc, argv, 4, 1000000);
    if (bench.events < 1 || bench.events > EVENTS_MAX || bench.leads < 1 || bench.reps < 1 || bench.every < 1) {
        fprintf(stderr, "usage: bench_funnel [EVENTS [LEADS [REPS [EVERY [fold]]]]]\n");
        return 2;
    }
    struct err err = {0};
    bench.codec = event_codec_new(&err);
    if (!bench.codec)
        die("codec", &err);
    make_load(&bench);
    size_t before = heap_bytes();
    bench.tenant = funnel_machine.create(SLICE("bench"));
    plan_all(&bench);
    fold_all(&bench);
    print(&bench, heap_bytes() - before);
    if (argc < 6)
        save_and_load(&bench);
    funnel_machine.destroy(bench.tenant);
    event_codec_destroy(&bench.codec);
    buf_close(&bench.bodies);
    free(bench.ends);
    return 0;
}
