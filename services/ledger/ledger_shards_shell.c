/* ledger_shards_shell.c -- see ledger_shards.h. */
#include "ledger_shards.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/health.h"
#include "base/logger.h"
#include "ledger_metrics.h"
#include "ledger_service.h"
#include "machine/status.h"
#include "model/event.h"
#include "model/plan.h"

enum { IDLE_WAIT_MS = 100, ELECT_POLL_MS = 100, TELL_MS = 250, END_MS_MAX = 5000, BEAT_MS_MAX = 60000 };

struct shard {
    struct ledger_shards *all;
    uint32_t number;
    pthread_t thread;
    bool started;
    atomic_bool owner, ready, ended;
    struct err err; /* read behind `ended` */

    /* of its thread alone */
    struct event_codec *codec;
    struct ledger_service *service;
    struct ledger_metrics metrics;
    struct health_part *health;
    enum ledger_phase phase; /* as logged last */
    int64_t told_ms;         /* monotonic */
    int64_t held_ms;         /* wall clock when it was found to have stepped; 0: it has not */
};

struct ledger_shards {
    const struct wiring *wiring;
    struct metrics *metrics;
    struct health *health;
    struct store *store;
    struct elect *elect;
    pthread_t elect_thread;
    bool elect_started;
    atomic_bool stop;
    uint32_t count;
    struct shard *shards;
};

static int64_t monotonic_ms(const struct ledger_shards *all)
{
    return all->wiring->clock->monotonic_ms(all->wiring->clock);
}

/* How far a machine's figures say the ledger went (design 4.11). A view that cannot be asked knows nothing. */
static struct ledger_known known_of(const struct shard *shard)
{
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
                                                 .store = shard->all->store,
                                                 .clock = wiring->clock,
                                                 .codec = shard->codec,
                                                 .shard = shard->number,
                                                 .shards = shard->all->count,
                                                 .topic_prefix = wiring->settings->topic_prefix,
                                                 .known = known_of(shard),
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
    atomic_store(&shard->ready, ready);
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

static void *shard_main(void *argument)
{
    struct shard *shard = argument;
    char name[HEALTH_NAME_BYTES_MAX];
    enum err_code code = OK;
    logger_service_set("ledger");
    (void)snprintf(name, sizeof name, "ledger/%u", shard->number);
    shard->health = health_part(shard->all->health, name, BEAT_MS_MAX);
    ledger_metrics_init(&shard->metrics, shard->all->metrics, shard->number);
    shard->codec = event_codec_new(&shard->err);
    if (!shard->codec)
        code = ERR_BUG;
    if (code == OK) {
        event_codec_set_plan_check(shard->codec, plan_item_check);
        open_service(shard);
    }
    while (code == OK && !atomic_load(&shard->all->stop)) {
        ledger_service_lead(shard->service, atomic_load(&shard->owner));
        code = turn(shard, &shard->err);
    }
    if (code == OK) {
        finish(shard);
    } else {
        LOGGER_ERROR("the shard stops", LF_UINT("shard", shard->number), LF_ERR(&shard->err));
        health_reason_set(shard->health, "stopped", "%s", shard->err.text);
    }
    ledger_service_destroy(&shard->service);
    event_codec_destroy(&shard->codec);
    atomic_store(&shard->ended, true);
    return NULL;
}

static void *elect_main(void *argument)
{
    struct ledger_shards *all = argument;
    logger_service_set("ledger");
    while (!atomic_load(&all->stop)) {
        struct err err;
        if (elect_poll(all->elect, ELECT_POLL_MS, &err) != OK) {
            LOGGER_WARN("election", LF_ERR(&err));
            nanosleep(&(struct timespec){.tv_nsec = ELECT_POLL_MS * 1000000L}, NULL);
        }
        for (uint32_t i = 0; i < all->count; i++)
            atomic_store(&all->shards[i].owner, elect_owns(all->elect, i));
    }
    return NULL;
}

static enum err_code start_threads(struct ledger_shards *all, struct err *err)
{
    all->elect_started = pthread_create(&all->elect_thread, NULL, elect_main, all) == 0;
    bool started = all->elect_started;
    for (uint32_t i = 0; started && i < all->count; i++)
        started = all->shards[i].started =
            pthread_create(&all->shards[i].thread, NULL, shard_main, &all->shards[i]) == 0;
    return started ? OK : err_set(err, ERR_MEMORY, "ledger: no more threads");
}

enum err_code ledger_shards_start(const struct wiring *wiring, struct metrics *metrics, struct health *health,
                                  struct ledger_shards **shards, struct err *err)
{
    struct ledger_shards *all = calloc(1, sizeof *all);
    if (!all || !(all->shards = calloc((size_t)wiring->settings->shards, sizeof *all->shards)))
        abort();
    all->wiring = wiring;
    all->metrics = metrics;
    all->health = health;
    all->count = (uint32_t)wiring->settings->shards;
    for (uint32_t i = 0; i < all->count; i++) {
        all->shards[i].all = all;
        all->shards[i].number = i;
    }
    *shards = all;
    enum err_code code = wiring_store(wiring, &all->store, err);
    if (code == OK)
        code = wiring_elect(wiring, "ledger", &all->elect, err);
    if (code == OK)
        code = start_threads(all, err);
    if (code != OK)
        ledger_shards_stop(shards);
    return code;
}

bool ledger_shards_ready(struct ledger_shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++)
        if (!atomic_load(&shards->shards[i].ready))
            return false;
    return true;
}

bool ledger_shards_failed(struct ledger_shards *shards, struct err *err)
{
    const struct shard *failed = NULL;
    for (uint32_t i = 0; i < shards->count; i++) {
        const struct shard *shard = &shards->shards[i];
        if (!atomic_load(&shard->ended))
            return false;
        failed = failed || shard->err.code == OK ? failed : shard;
    }
    if (failed)
        *err = failed->err;
    return true;
}

void ledger_shards_stop(struct ledger_shards **shards)
{
    struct ledger_shards *all = *shards;
    if (!all)
        return;
    atomic_store(&all->stop, true);
    for (uint32_t i = 0; i < all->count; i++)
        if (all->shards[i].started)
            pthread_join(all->shards[i].thread, NULL);
    if (all->elect_started)
        pthread_join(all->elect_thread, NULL);
    if (all->elect)
        elect_destroy(&all->elect);
    if (all->store)
        store_destroy(&all->store);
    free(all->shards);
    free(all);
    *shards = NULL;
}
