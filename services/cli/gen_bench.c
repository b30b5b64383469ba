/* gen_bench.c -- see gen_bench.h. */
#include "gen_bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/progress.h"
#include "client.h"

enum { OPEN_STAGES = 4, MOVE_PPM = 300000, LATE_PPM = 30000, DUPLICATE_PPM = 20000, LATE_MS = 50 * 3600000 };
static const char *const stage_names[] = {"NEW", "QUAL", "PROP", "NEGO"};

enum err_code gen_bench_open(struct gen_bench_load *load, uint64_t seed, const char *tenant, uint32_t leads,
                             uint32_t reps, int64_t start_ms, int64_t step_us, struct err *err)
{
    *load = (struct gen_bench_load){.tenant = tenant, .leads = leads, .start_ms = start_ms, .step_us = step_us};
    load->codec = event_codec_new(err);
    if (!load->codec)
        return err->code;
    gen_random_init(&load->random, seed);
    gen_zipf_init(&load->zipf, reps);
    load->stages = calloc(leads, sizeof *load->stages);
    load->owners = calloc(leads, sizeof *load->owners);
    return load->stages && load->owners ? OK : err_set(err, ERR_MEMORY, "no memory for %u leads", leads);
}

void gen_bench_close(struct gen_bench_load *load)
{
    event_codec_destroy(&load->codec);
    gen_zipf_close(&load->zipf);
    free(load->stages);
    free(load->owners);
}

static void set_action(struct event *event, int action) { event_set_int(event, LEAD_ACTION, action); }

/* A new lead is created; an open one moves on, is touched, or ends after its last stage; a closed one is reopened. */
static void tell_story(struct gen_bench_load *load, struct event *event, uint32_t lead, char rep[GEN_NAME_BYTES])
{
    uint8_t *stage = &load->stages[lead];
    if (*stage == 0) {
        load->owners[lead] = gen_zipf_draw(&load->zipf, &load->random);
        gen_company_rep(load->owners[lead], rep);
        set_action(event, LEAD_ACTION_created);
        event_set_text(event, LEAD_OWNER_ID, slice_of(rep));
        event_set_text(event, LEAD_TO_STAGE, slice_of(stage_names[0]));
        *stage = 1;
    } else if (!gen_random_ppm(&load->random, MOVE_PPM)) {
        set_action(event, LEAD_ACTION_touch);
        event_set_int(event, LEAD_TOUCH_KIND, LEAD_TOUCH_KIND_call_out);
    } else if (*stage < OPEN_STAGES) {
        set_action(event, LEAD_ACTION_stage);
        event_set_text(event, LEAD_TO_STAGE, slice_of(stage_names[(*stage)++]));
    } else if (*stage == OPEN_STAGES) {
        bool won = gen_random_ppm(&load->random, 400000);
        set_action(event, won ? LEAD_ACTION_won : LEAD_ACTION_lost);
        *stage = OPEN_STAGES + 1;
    } else {
        set_action(event, LEAD_ACTION_reopened);
        event_set_text(event, LEAD_TO_STAGE, slice_of(stage_names[0]));
        *stage = 1;
    }
}

void gen_bench_next(struct gen_bench_load *load, struct buf *out)
{
    char id[24], lead_id[16], rep[GEN_NAME_BYTES];
    struct event event = {.type = EVENT_LEAD};
    uint64_t n = load->next++;
    uint32_t lead = (uint32_t)gen_random_below(&load->random, load->leads);
    int64_t at_ms = load->start_ms + (int64_t)n * load->step_us / 1000;
    if (gen_random_ppm(&load->random, LATE_PPM))
        at_ms -= LATE_MS;
    (void)snprintf(id, sizeof id, "b-%llu", (unsigned long long)n);
    (void)snprintf(lead_id, sizeof lead_id, "L%07u", lead);
    event_set_text(&event, EV_TENANT, slice_of(load->tenant));
    event_set_text(&event, EV_EVENT_ID, slice_of(id));
    event_set_text(&event, EV_SOURCE, SLICE("crm"));
    event_set_int(&event, EV_SOURCE_SEQ, (int64_t)n);
    event_set_int(&event, EV_OCCURRED_AT, at_ms);
    event_set_text(&event, LEAD_LEAD_ID, slice_of(lead_id));
    tell_story(load, &event, lead, rep);
    event_encode_single(load->codec, &event, out);
}

static enum err_code send_all(struct client *client, struct gen_bench_load *load, int64_t events,
                              struct progress *progress)
{
    struct buf value = {0};
    struct slice key = slice_of(load->tenant);
    struct gen_random twice;
    enum err_code code = OK;
    gen_random_init(&twice, 2);
    for (int64_t i = 0; i < events && code == OK; i++) {
        buf_clear(&value);
        gen_bench_next(load, &value);
        code = client_send(client, "sales.leads", key, buf_slice(&value), (struct slice){0});
        if (code == OK && gen_random_ppm(&twice, DUPLICATE_PPM))
            code = client_send(client, "sales.leads", key, buf_slice(&value), (struct slice){0});
        if (i % 8192 == 0)
            progress_set(progress, (uint64_t)i);
    }
    progress_set(progress, (uint64_t)events);
    buf_close(&value);
    return code == OK ? client_flush(client) : code;
}

enum err_code gen_bench(struct cli *cli, const struct gen_config *config, int64_t events)
{
    enum { STEP_US = 1000 };
    struct clock *clock = clock_system();
    struct client client;
    struct gen_bench_load load;
    struct progress progress;
    int64_t leads = cli_int(cli, "leads", GEN_BENCH_LEADS), reps = cli_int(cli, "reps", GEN_BENCH_REPS);
    if (events < 1 || events > GEN_EVENTS_MAX || leads < 1 || leads > GEN_LEADS_MAX || reps < 1 || reps > GEN_REPS_MAX)
        return err_set(&cli->err, ERR_USAGE, "--bench 1 to %d, --leads 1 to %d, --reps 1 to %d", GEN_EVENTS_MAX,
                       GEN_LEADS_MAX, GEN_REPS_MAX);
    enum err_code code = client_open(&client, cli);
    if (code != OK)
        return code;
    int64_t start_ms = clock->now_ms(clock) - events * STEP_US / 1000;
    code = gen_bench_open(&load, config->seed, config->tenant, (uint32_t)leads, (uint32_t)reps, start_ms, STEP_US,
                          &cli->err);
    progress_init(&progress, progress_mode_for(stderr, cli->quiet || cli->no_progress), stderr, clock, "bench",
                  "events", (uint64_t)events);
    if (code == OK)
        code = send_all(&client, &load, events, &progress);
    progress_end(&progress);
    gen_bench_close(&load);
    client_close(&client);
    return code;
}
