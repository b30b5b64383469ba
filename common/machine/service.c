#include "machine/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/logger.h"
#include "machine/runner.h"
#include "model/event.h"

enum {
    IDLE_WAIT_MS = 20, /* also how often a waiting producer and the view are looked after */
    ELECT_POLL_MS = 100,
    BACKOFF_MS_MIN = 50,
    BACKOFF_MS_MAX = 2000,
    BEAT_MS_MAX = 60000 /* a refold or a large generation keeps a loop busy */
};

struct shard {
    struct machine_service *service;
    uint32_t number;
    pthread_t thread;
    bool started;
    atomic_bool owner, ready, ended;
    struct err err; /* read behind `ended` */
};

struct machine_service {
    const struct wiring *wiring;
    const struct machine_type *type;
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

static void pause_ms(int64_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

static int64_t longer(int64_t backoff_ms)
{
    int64_t next = backoff_ms ? backoff_ms * 2 : BACKOFF_MS_MIN;
    return next < BACKOFF_MS_MAX ? next : BACKOFF_MS_MAX;
}

static bool stopping(const struct shard *shard) { return atomic_load(&shard->service->stop); }

/* What one shard's thread works with. */
struct works {
    struct event_codec *codec;
    struct view *view;
    struct crumb *crumb;
    struct health_part *health;
    struct runner *runner;
};

static void works_close(struct works *works)
{
    runner_destroy(&works->runner);
    crumb_close(&works->crumb);
    if (works->view)
        view_destroy(&works->view);
    event_codec_destroy(&works->codec);
}

static uint16_t random_writer(void)
{
    uint16_t writer = 0;
    ssize_t n = getrandom(&writer, sizeof writer, 0);
    return n == sizeof writer ? writer : (uint16_t)getpid();
}

static enum err_code open_crumb(const struct shard *shard, struct works *works, struct err *err)
{
    char path[700];
    snprintf(path, sizeof path, "%s/crumb-%s-%u", shard->service->wiring->settings->store, shard->service->type->name,
             shard->number);
    return crumb_open(path, &works->crumb, err);
}

static enum err_code open_runner(const struct shard *shard, struct works *works, struct err *err)
{
    const struct machine_service *service = shard->service;
    struct runner_config config = {.type = service->type,
                                   .codec = works->codec,
                                   .log = service->wiring->log,
                                   .view = works->view,
                                   .store = service->store,
                                   .clock = service->wiring->clock,
                                   .crumb = works->crumb,
                                   .metrics = service->metrics,
                                   .health = works->health,
                                   .topic_prefix = service->wiring->settings->topic_prefix,
                                   .shard = shard->number,
                                   .snapshot_records = service->wiring->settings->snapshot_records,
                                   .writer = random_writer()};
    return runner_open(&config, &works->runner, err);
}

static enum err_code works_open(const struct shard *shard, struct works *works, struct err *err)
{
    char name[HEALTH_NAME_BYTES_MAX];
    snprintf(name, sizeof name, "%s/%u", shard->service->type->name, shard->number);
    works->health = health_part(shard->service->health, name, BEAT_MS_MAX);
    works->codec = event_codec_new(err);
    if (!works->codec)
        return ERR_BUG;
    enum err_code code = wiring_view(shard->service->wiring, &works->view, err);
    return code ? code : open_crumb(shard, works, err);
}

/* Steps until asked to stop or until the shard must. Trouble below is waited out. */
static enum err_code work(struct shard *shard, struct works *works, struct err *err)
{
    int64_t backoff_ms = 0;
    while (!stopping(shard)) {
        bool busy = false;
        enum err_code code = OK;
        if (!works->runner)
            code = open_runner(shard, works, err);
        if (!code) {
            runner_own(works->runner, atomic_load(&shard->owner));
            code = runner_step(works->runner, &busy, err);
        }
        if (err_class(code) == ERR_CLASS_FATAL || err_class(code) == ERR_CLASS_SKIP)
            return code;
        if (code) {
            backoff_ms = longer(backoff_ms);
            LOGGER_WARN("waiting for what is below", LF_TEXT("machine", shard->service->type->name),
                        LF_UINT("shard", shard->number), LF_ERR(err));
            health_reason_set(works->health, "log", "%s", err->text);
            pause_ms(backoff_ms);
            continue;
        }
        if (backoff_ms)
            health_reason_clear(works->health, "log");
        backoff_ms = 0;
        if (!busy && !atomic_load(&shard->ready))
            atomic_store(&shard->ready, runner_caught_up(works->runner));
        if (!busy)
            runner_wait(works->runner, IDLE_WAIT_MS);
    }
    return OK;
}

static void *shard_main(void *argument)
{
    struct shard *shard = argument;
    logger_service_set(shard->service->type->name);
    struct works works = {0};
    enum err_code code = works_open(shard, &works, &shard->err);
    if (!code)
        code = work(shard, &works, &shard->err);
    if (code) {
        LOGGER_ERROR("the shard stops", LF_TEXT("machine", shard->service->type->name), LF_UINT("shard", shard->number),
                     LF_ERR(&shard->err));
        health_reason_set(works.health, "stopped", "%s", shard->err.text);
    } else if (works.runner)
        runner_finish(works.runner);
    works_close(&works);
    atomic_store(&shard->ended, true);
    return NULL;
}

static void *elect_main(void *argument)
{
    struct machine_service *service = argument;
    logger_service_set(service->type->name);
    while (!atomic_load(&service->stop)) {
        struct err err;
        if (elect_poll(service->elect, ELECT_POLL_MS, &err)) {
            LOGGER_WARN("election", LF_ERR(&err));
            pause_ms(ELECT_POLL_MS);
        }
        for (uint32_t i = 0; i < service->count; i++)
            atomic_store(&service->shards[i].owner, elect_owns(service->elect, i));
    }
    return NULL;
}

static enum err_code start_threads(struct machine_service *service, struct err *err)
{
    service->elect_started = pthread_create(&service->elect_thread, NULL, elect_main, service) == 0;
    bool all = service->elect_started;
    for (uint32_t i = 0; all && i < service->count; i++) {
        struct shard *shard = &service->shards[i];
        shard->started = pthread_create(&shard->thread, NULL, shard_main, shard) == 0;
        all = shard->started;
    }
    return all ? OK : err_set(err, ERR_MEMORY, "%s: no more threads", service->type->name);
}

enum err_code machine_service_start(const struct wiring *wiring, const struct machine_type *type,
                                    struct metrics *metrics, struct health *health, struct machine_service **service,
                                    struct err *err)
{
    struct machine_service *s = calloc(1, sizeof *s);
    uint32_t count = (uint32_t)wiring->settings->shards;
    struct shard *shards = calloc(count, sizeof *shards);
    if (!s || !shards)
        abort();
    *s = (struct machine_service){
        .wiring = wiring, .type = type, .metrics = metrics, .health = health, .count = count, .shards = shards};
    for (uint32_t i = 0; i < count; i++) {
        shards[i].service = s;
        shards[i].number = i;
    }
    enum err_code code = wiring_store(wiring, &s->store, err);
    if (!code)
        code = wiring_elect(wiring, type->name, &s->elect, err);
    if (!code)
        code = start_threads(s, err);
    if (code) {
        machine_service_stop(&s);
        return code;
    }
    *service = s;
    return OK;
}

bool machine_service_ready(struct machine_service *service)
{
    for (uint32_t i = 0; i < service->count; i++)
        if (!atomic_load(&service->shards[i].ready))
            return false;
    return true;
}

bool machine_service_failed(struct machine_service *service, struct err *err)
{
    bool any = false;
    for (uint32_t i = 0; i < service->count; i++) {
        struct shard *shard = &service->shards[i];
        if (!atomic_load(&shard->ended))
            return false;
        if (!any)
            *err = shard->err;
        any = true;
    }
    return any;
}

void machine_service_stop(struct machine_service **service)
{
    struct machine_service *s = *service;
    if (!s)
        return;
    atomic_store(&s->stop, true);
    for (uint32_t i = 0; i < s->count; i++)
        if (s->shards[i].started)
            pthread_join(s->shards[i].thread, NULL);
    if (s->elect_started)
        pthread_join(s->elect_thread, NULL);
    if (s->elect)
        elect_destroy(&s->elect);
    if (s->store)
        store_destroy(&s->store);
    free(s->shards);
    free(s);
    *service = NULL;
}
