/* ledger_shards_shell.c -- see ledger_shards.h. */
#include "ledger_shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/health.h"
#include "base/logger.h"
#include "ledger_metrics.h"
#include "ledger_service.h"
#include "machine/shard_threads.h"
#include "machine/status.h"
#include "model/event.h"
#include "model/plan.h"

enum { IDLE_WAIT_MS = 100, TELL_MS = 250, END_MS_MAX = 5000, BEAT_MS_MAX = 60000 };

struct ledger_shards {
    const struct wiring *wiring;
    struct metrics *metrics;
    struct health *health;
    struct shard_threads *threads;
};

/* One shard, its thread's alone. */
struct shard {
    const struct ledger_shards *all;
    struct shard_seat *seat;
    uint32_t number;
    struct event_codec *codec;
    struct ledger_service *service;
    struct ledger_metrics metrics;
    struct health_part *health;
    enum ledger_phase phase; /* as logged last */
    int64_t told_ms;         /* monotonic */
    int64_t held_ms;         /* wall clock when it was found to have stepped; 0: it has not */
};

static int64_t monotonic_ms(const struct ledger_shards *all)
{
    return all->wiring->clock->monotonic_ms(all->wiring->clock);
}

/* How far a machine's figures say the ledger went (design 4.11). A view that cannot be asked knows nothing. */
static struct ledger_known ask_known(void *context)
{
    const struct shard *shard = context;
    static const char *const machine = "funnel";
    struct ledger_known known = {0};
    struct machine_status *status = calloc(1, sizeof *status);
    struct view *view = NULL;
    struct err err;
    if (!status)
        abort();
    enum err_code code = wiring_view(shard->all->wiring, &view, &err);
    if (code == OK)
        code = status_read(view, machine, shard->number, status, NULL, NULL, &err);
    if (code == OK)
        known = (struct ledger_known){status->branch, status->epoch, status->seq};
    else if (code != ERR_MISSING)
        LOGGER_WARN("the view cannot say how far the ledger went", LF_UINT("shard", shard->number), LF_ERR(&err));
    if (view)
        view_destroy(&view);
    free(status);
    return known;
}

static void open_service(struct shard *shard)
{
    const struct wiring *wiring = shard->all->wiring;
    const struct ledger_service_config config = {.log = wiring->log,
                                                 .store = shard_seat_store(shard->seat),
                                                 .clock = wiring->clock,
                                                 .codec = shard->codec,
                                                 .shard = shard->number,
                                                 .shards = (uint32_t)wiring->settings->shards,
                                                 .topic_prefix = wiring->settings->topic_prefix,
                                                 .ask_known = ask_known,
                                                 .known_context = shard,
                                                 .snapshot_records = (uint64_t)wiring->settings->snapshot_records};
    shard->service = ledger_service_open(&config);
}

/* A clock that stepped is accepted by touching a file after that was found out. */
static void look_at_clock(struct shard *shard)
{
    struct clock *clock = shard->all->wiring->clock;
    struct stat file;
    char path[600];
    if (!ledger_service_clock_held(shard->service)) {
        shard->held_ms = 0;
        return;
    }
    (void)snprintf(path, sizeof path, "%s/accept-clock", shard->all->wiring->settings->store);
    if (shard->held_ms == 0) {
        shard->held_ms = clock->now_ms(clock);
        LOGGER_ERROR(
            "the clock stepped by more than 10 min: the shard stands still; check the clock, then touch the file",
            LF_UINT("shard", shard->number), LF_TEXT("file", path));
    }
    if (stat(path, &file) == 0 && (int64_t)file.st_mtime * 1000 + 999 >= shard->held_ms) {
        ledger_service_accept_clock(shard->service);
        LOGGER_WARN("the clock is accepted as it is", LF_UINT("shard", shard->number));
    }
}

/* Health, metrics and the log, a few times a second. */
static void tell(struct shard *shard)
{
    struct ledger_service_status status;
    const char *why, *trouble = ledger_service_trouble(shard->service);
    if (trouble)
        LOGGER_WARN("starting anew", LF_UINT("shard", shard->number), LF_TEXT("why", trouble));
    enum ledger_phase phase = ledger_service_phase(shard->service);
    if (phase != shard->phase && (phase == LEDGER_RUNNING || phase == LEDGER_STANDBY))
        LOGGER_INFO(phase == LEDGER_RUNNING ? "writes the ledger" : "stands by", LF_UINT("shard", shard->number));
    shard->phase = phase;
    health_beat(shard->health);
    if (monotonic_ms(shard->all) - shard->told_ms < TELL_MS)
        return;
    shard->told_ms = monotonic_ms(shard->all);
    look_at_clock(shard);
    ledger_service_status(shard->service, &status);
    ledger_metrics_set(&shard->metrics, &status);
    bool ready = ledger_service_ready(shard->service, &why);
    if (ready) {
        health_ready(shard->health);
        health_reason_clear(shard->health, "ledger");
    } else {
        health_reason_set(shard->health, "ledger", "%s", why);
    }
    shard_seat_ready(shard->seat, ready);
}

static enum err_code turn(struct shard *shard, struct err *err)
{
    bool busy;
    enum err_code code = ledger_service_step(shard->service, &busy, err);
    if (code != OK)
        return code;
    tell(shard);
    if (!busy)
        ledger_service_wait(shard->service, IDLE_WAIT_MS);
    return OK;
}

/* The orderly end: what is under way comes back, a last snapshot is taken. Best effort within a few seconds. */
static void finish(struct shard *shard)
{
    struct err err;
    int64_t until_ms = monotonic_ms(shard->all) + END_MS_MAX;
    ledger_service_lead(shard->service, false);
    while (ledger_service_phase(shard->service) == LEDGER_RUNNING && monotonic_ms(shard->all) < until_ms)
        if (turn(shard, &err) != OK)
            return;
}

static enum err_code shard_open(struct shard *shard, struct err *err)
{
    char name[HEALTH_NAME_BYTES_MAX];
    (void)snprintf(name, sizeof name, "ledger/%u", shard->number);
    shard->health = health_part(shard->all->health, name, BEAT_MS_MAX);
    ledger_metrics_init(&shard->metrics, shard->all->metrics, shard->number);
    shard->codec = event_codec_new(err);
    if (!shard->codec)
        return ERR_BUG;
    event_codec_set_plan_check(shard->codec, plan_item_check);
    open_service(shard);
    return OK;
}

static enum err_code work(void *context, struct shard_seat *seat, struct err *err)
{
    struct shard shard = {.all = context, .seat = seat, .number = shard_seat_number(seat)};
    enum err_code code = shard_open(&shard, err);
    while (code == OK && !shard_seat_stops(seat)) {
        ledger_service_lead(shard.service, shard_seat_owned(seat));
        code = turn(&shard, err);
    }
    if (code == OK)
        finish(&shard);
    else
        health_reason_set(shard.health, "stopped", "%s", err->text);
    ledger_service_destroy(&shard.service);
    event_codec_destroy(&shard.codec);
    return code;
}

enum err_code ledger_shards_start(const struct wiring *wiring, struct metrics *metrics, struct health *health,
                                  struct ledger_shards **shards, struct err *err)
{
    struct ledger_shards *all = calloc(1, sizeof *all);
    if (!all)
        abort();
    *all = (struct ledger_shards){.wiring = wiring, .metrics = metrics, .health = health};
    enum err_code code = shard_threads_start(wiring, "ledger", work, all, &all->threads, err);
    if (code != OK)
        ledger_shards_stop(&all);
    *shards = all;
    return code;
}

bool ledger_shards_ready(struct ledger_shards *shards) { return shard_threads_ready(shards->threads); }

bool ledger_shards_failed(struct ledger_shards *shards, struct err *err)
{
    return shard_threads_failed(shards->threads, err);
}

void ledger_shards_stop(struct ledger_shards **shards)
{
    if (!*shards)
        return;
    shard_threads_stop(&(*shards)->threads);
    free(*shards);
    *shards = NULL;
}
