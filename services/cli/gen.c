/* gen.c -- see gen.h. */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/time_text.h"
#include "time/zone.h"

enum { DAY_MS = 86400000, OPEN_MS = 9 * 3600000, CLOSE_MS = 18 * 3600000 };

void gen_config_default(struct gen_config *config)
{
    *config = (struct gen_config){.seed = 1,
                                  .leads = 2000,
                                  .days = 90,
                                  .reps = 120,
                                  .levels = 4,
                                  .first_day = date_from_civil(2026, 1, 5),
                                  .tenant = "demo",
                                  .tag = "",
                                  .late_ppm = 30000,
                                  .duplicate_ppm = 20000,
                                  .conflict_ppm = 2000,
                                  .retract_ppm = 5000,
                                  .bad = true};
}

static enum err_code check_range(const char *name, int64_t value, int64_t low, int64_t high, struct err *err)
{
    if (value >= low && value <= high)
        return OK;
    return err_set(err, ERR_USAGE, "--%s %lld: expected %lld to %lld", name, (long long)value, (long long)low,
                   (long long)high);
}

enum err_code gen_init(struct gen *gen, const struct gen_config *config, struct err *err)
{
    *gen = (struct gen){.config = *config};
    const struct {
        const char *name;
        int64_t value, low, high;
    } ranges[] = {{"leads", config->leads, 1, GEN_LEADS_MAX},
                  {"days", config->days, 7, GEN_DAYS_MAX},
                  {"reps", config->reps, 1, GEN_REPS_MAX},
                  {"levels", config->levels, GEN_LEVELS_MIN, GEN_LEVELS_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (check_range(ranges[i].name, ranges[i].value, ranges[i].low, ranges[i].high, err) != OK)
            return ERR_USAGE;
    gen_random_init(&gen->random, config->seed);
    gen_company_init(&gen->company, (uint32_t)config->levels, (uint32_t)config->reps);
    gen_zipf_init(&gen->zipf, (uint32_t)config->reps);
    gen_book_init(&gen->book);
    gen->start_ms = (int64_t)config->first_day * DAY_MS - GEN_ZONE_MS;
    gen->end_ms = gen->start_ms + config->days * DAY_MS;
    return OK;
}

void gen_close(struct gen *gen)
{
    gen_book_close(&gen->book);
    gen_zipf_close(&gen->zipf);
    buf_close(&gen->text);
    free(gen->events);
}

int64_t gen_working_time(struct gen *gen, int64_t at_ms)
{
    int64_t day = (at_ms + GEN_ZONE_MS) / DAY_MS, of_day = (at_ms + GEN_ZONE_MS) % DAY_MS;
    if (of_day >= CLOSE_MS)
        day++;
    if (of_day < OPEN_MS || of_day >= CLOSE_MS)
        of_day = OPEN_MS + gen_random_between(&gen->random, 0, CLOSE_MS - OPEN_MS - 1);
    uint8_t weekday = date_weekday((int32_t)day);
    if (weekday >= 5)
        day += 7 - weekday;
    return day * DAY_MS - GEN_ZONE_MS + of_day;
}

static int by_arrival(const void *left, const void *right)
{
    const struct gen_event *a = left, *b = right;
    if (a->recorded_ms != b->recorded_ms)
        return a->recorded_ms < b->recorded_ms ? -1 : 1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1; /* a contradiction was written behind what it contradicts */
    return 0;
}

void gen_run(struct gen *gen)
{
    for (uint32_t lead = 0; lead < (uint32_t)gen->config.leads; lead++)
        gen_lead_story(gen, lead);
    if (gen->config.bad)
        gen_plant_bad(gen);
    qsort(gen->events, gen->count, sizeof *gen->events, by_arrival);
}

static void first_date(const struct gen *gen, char text[DATE_TEXT_BYTES])
{
    (void)date_print(gen->config.first_day - 31, text); /* the plan is there before the first event */
}

void gen_write_plan(const struct gen *gen, struct buf *out)
{
    char from[DATE_TEXT_BYTES];
    first_date(gen, from);
    buf_addf(out,
             "paceline_plan: 1\nvalid_from: %s\nreason: generated company\napprover: gen\n"
             "tenant: {id: %s, zone: Asia/Shanghai, currency: CNY, calendar: cn, pipeline: default}\n"
             "calendars:\n- {id: cn, zone: Asia/Shanghai, week: {mon-fri: [\"09:00-18:00\"]}}\n"
             "stage_models:\n- pipeline: default\n  stages:\n"
             "  - {id: NEW, ord: 10, kind: open, max_dwell: 10wd, idle: 5wd}\n"
             "  - {id: QUAL, ord: 20, kind: open, max_dwell: 10wd, idle: 5wd}\n"
             "  - {id: PROP, ord: 30, kind: open, max_dwell: auto, idle: 5wd}\n"
             "  - {id: NEGO, ord: 40, kind: open, max_dwell: auto, idle: 5wd, win: 50%%}\n"
             "  - {id: WON, kind: won}\n  - {id: LOST, kind: lost}\n  - {id: POOL, kind: pool}\n"
             "rules:\n- {id: lead-stall, kind: lead_stall}\n- {id: lead-overdue, kind: lead_overdue, severity: info}\n"
             "- {id: stage-stall, kind: stage_stall}\n",
             from, gen->config.tenant);
    gen_company_write(&gen->company, from, out);
}

void gen_write_answers(const struct gen *gen, struct buf *out)
{
    const struct gen_counts *counts = &gen->counts;
    bool first = true;
    buf_addf(out,
             "{\"tenant\":\"%s\",\"seed\":%llu,\"leads\":%lld,\"received\":%llu,\"accepted\":%llu,"
             "\"duplicate\":%llu,\"rejected\":%llu,\"late\":%llu,\"reasons\":{",
             gen->config.tenant, (unsigned long long)gen->config.seed, (long long)gen->config.leads,
             (unsigned long long)counts->received, (unsigned long long)counts->accepted,
             (unsigned long long)counts->duplicate, (unsigned long long)counts->rejected,
             (unsigned long long)counts->late);
    for (int reason = 1; reason < REJECT_REASON_COUNT; reason++) {
        if (!counts->reasons[reason])
            continue;
        buf_addf(out, "%s\"%s\":%llu", first ? "" : ",", reject_reason_name((enum reject_reason)reason),
                 (unsigned long long)counts->reasons[reason]);
        first = false;
    }
    buf_add_text(out, "},\n\"rows\":");
    gen_book_write(&gen->book, out);
    buf_add_text(out, "}\n");
}
