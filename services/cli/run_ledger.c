#include "run_ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/health.h"
#include "base/logger.h"
#include "ledger_service.h"
#include "machine/status.h"
#include "model/event.h"

enum { IDLE_WAIT_MS = 20, ELECT_POLL_MS = 100, RESIGN_MS_MAX = 15000, BEAT_MS_MAX = 60000 };

struct shard {
    struct run_ledger *ledger;
    uint32_t number;
    pthread_t thread;
    bool started;
    atomic_bool owner, ready, ended;
    struct err err; /* read behind `ended` */
};

struct run_ledger {
    const struct wiring *wiring;
    struct health *health;
    struct store *store;
    struct elect *elect;
    pthread_t elect_thread;
    bool elect_started;
    atomic_bool stop;
    uint32_t count;
    struct shard *shards;
};

static void pause_ms(int64_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

/* What the view knows of the ledger (design 4.11); a view that does not answer knows nothing. */
static struct ledger_known ask_view(const struct wiring *wiring, uint32_t shard)
{
    struct ledger_known known = {0};
    struct machine_status status;
    struct view *view = NULL;
    struct err err;
    if (wiring_view(wiring, &view, &err))
        return known;
    if (!status_read(view, "funnel", shard, &status, NULL, NULL, &err))
        known = (struct ledger_known){status.branch, status.epoch, status.seq};
    view_destroy(&view);
    return known;
}

static void tell(const struct shard *shard, struct ledger_service *service, struct health_part *health)
{
    const char *trouble = ledger_service_trouble(service);
    if (trouble)
        LOGGER_WARN("ledger: state dropped, taking over again", LF_UINT("shard", shard->number),
                    LF_TEXT("err", trouble));
    const char *reason = NULL;
    health_beat(health);
    if (ledger_service_ready(service, &reason)) {
        health_ready(health);
        health_reason_clear(health, "ledger");
    } else if (reason)
        health_reason_set(health, "ledger", "%s", reason);
}

static enum err_code lead(struct shard *shard, struct ledger_service *service, struct health_part *health)
{
    enum err_code code = OK;
    while (!code && !atomic_load(&shard->ledger->stop)) {
        bool busy = false;
        ledger_service_lead(service, atomic_load(&shard->owner));
        code = ledger_service_step(service, &busy, &shard->err);
        tell(shard, service, health);
        const char *reason;
        if (ledger_service_ready(service, &reason))
            atomic_store(&shard->ready, true);
        if (!busy && !code)
            ledger_service_wait(service, IDLE_WAIT_MS);
    }
    return code;
}

/* Until it stands by: what is appended is read back and a snapshot is taken. */
static void resign(struct ledger_service *service)
{
    struct clock *clock = clock_system();
    int64_t end_ms = clock->monotonic_ms(clock) + RESIGN_MS_MAX;
    ledger_service_lead(service, false);
    while (clock->monotonic_ms(clock) < end_ms) {
        enum ledger_phase phase = ledger_service_phase(service);
        if (phase != LEDGER_RUNNING && phase != LEDGER_OPENING)
            return;
        bool busy = false;
        struct err err;
        if (ledger_service_step(service, &busy, &err))
            return;
        if (!busy)
            ledger_service_wait(service, IDLE_WAIT_MS);
    }
}

static enum err_code serve(struct shard *shard)
{
    const struct settings *settings = shard->ledger->wiring->settings;
    char name[HEALTH_NAME_BYTES_MAX];
    snprintf(name, sizeof name, "ledger/%u", shard->number);
    struct health_part *health = health_part(shard->ledger->health, name, BEAT_MS_MAX);
    struct event_codec *codec = event_codec_new(&shard->err);
    if (!codec)
        return ERR_BUG;
    struct ledger_service_config config = {.log = shard->ledger->wiring->log,
                                           .store = shard->ledger->store,
                                           .clock = shard->ledger->wiring->clock,
                                           .codec = codec,
                                           .shard = shard->number,
                                           .shards = (uint32_t)settings->shards,
                                           .topic_prefix = settings->topic_prefix,
                                           .snapshot_records = (uint64_t)settings->snapshot_records,
                                           .known = ask_view(shard->ledger->wiring, shard->number)};
    struct ledger_service *service = ledger_service_open(&config);
    enum err_code code = lead(shard, service, health);
    if (code)
        health_reason_set(health, "stopped", "%s", shard->err.text);
    else {
        resign(service);
        health_end(health);
    }
    ledger_service_destroy(&service);
    event_codec_destroy(&codec);
    return code;
}

static void *shard_main(void *argument)
{
    struct shard *shard = argument;
    logger_service_set("ledger");
    if (serve(shard))
        LOGGER_ERROR("the shard stops", LF_UINT("shard", shard->number), LF_ERR(&shard->err));
    atomic_store(&shard->ended, true);
    return NULL;
}

static void *elect_main(void *argument)
{
    struct run_ledger *ledger = argument;
    logger_service_set("ledger");
    while (!atomic_load(&ledger->stop)) {
        struct err err;
        if (elect_poll(ledger->elect, ELECT_POLL_MS, &err)) {
            LOGGER_WARN("election", LF_ERR(&err));
            pause_ms(ELECT_POLL_MS);
        }
        for (uint32_t i = 0; i < ledger->count; i++)
            atomic_store(&ledger->shards[i].owner, elect_owns(ledger->elect, i));
    }
    return NULL;
}

static enum err_code start_threads(struct run_ledger *ledger, struct err *err)
{
    ledger->elect_started = pthread_create(&ledger->elect_thread, NULL, elect_main, ledger) == 0;
    bool all = ledger->elect_started;
    for (uint32_t i = 0; all && i < ledger->count; i++) {
        struct shard *shard = &ledger->shards[i];
        shard->started = pthread_create(&shard->thread, NULL, shard_main, shard) == 0;
        all = shard->started;
    }
    return all ? OK : err_set(err, ERR_MEMORY, "ledger: no more threads");
}

enum err_code run_ledger_start(const struct wiring *wiring, struct health *health, struct run_ledger **ledger,
                               struct err *err)
{
    struct run_ledger *l = calloc(1, sizeof *l);
    uint32_t count = (uint32_t)wiring->settings->shards;
    struct shard *shards = calloc(count, sizeof *shards);
    if (!l || !shards)
        abort();
    *l = (struct run_ledger){.wiring = wiring, .health = health, .count = count, .shards = shards};
    for (uint32_t i = 0; i < count; i++) {
        shards[i].ledger = l;
        shards[i].number = i;
    }
    enum err_code code = wiring_store(wiring, &l->store, err);
    if (!code)
        code = wiring_elect(wiring, "ledger", &l->elect, err);
    if (!code)
        code = start_threads(l, err);
    if (code) {
        run_ledger_stop(&l);
        return code;
    }
    *ledger = l;
    return OK;
}

bool run_ledger_ready(struct run_ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->count; i++)
        if (!atomic_load(&ledger->shards[i].ready))
            return false;
    return true;
}

bool run_ledger_failed(struct run_ledger *ledger, struct err *err)
{
    for (uint32_t i = 0; i < ledger->count; i++)
        if (!atomic_load(&ledger->shards[i].ended))
            return false;
    *err = ledger->shards[0].err;
    return true;
}

void run_ledger_stop(struct run_ledger **ledger)
{
    struct run_ledger *l = *ledger;
    if (!l)
        return;
    atomic_store(&l->stop, true);
    for (uint32_t i = 0; i < l->count; i++)
        if (l->shards[i].started)
            pthread_join(l->shards[i].thread, NULL);
    if (l->elect_started)
        pthread_join(l->elect_thread, NULL);
    if (l->elect)
        elect_destroy(&l->elect);
    if (l->store)
        store_destroy(&l->store);
    free(l->shards);
    free(l);
    *ledger = NULL;
}
