#include "machine/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/logger.h"
#include "machine/runner.h"
#include "machine/shard_threads.h"
#include "model/event.h"

enum {
    IDLE_WAIT_MS = 20, /* also how often a waiting producer and the view are looked after */
    BACKOFF_MS_MIN = 50,
    BACKOFF_MS_MAX = 2000,
    BEAT_MS_MAX = 60000 /* a refold or a large generation keeps a loop busy */
};

struct machine_service {
    const struct wiring *wiring;
    const struct machine_type *type;
    struct metrics *metrics;
    struct health *health;
    struct shard_threads *threads;
};

static int64_t longer(int64_t backoff_ms)
{
    int64_t next = backoff_ms ? backoff_ms * 2 : BACKOFF_MS_MIN;
    return next < BACKOFF_MS_MAX ? next : BACKOFF_MS_MAX;
}

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

static enum err_code open_crumb(const struct machine_service *service, uint32_t shard, struct works *works,
                                struct err *err)
{
    char path[700];
    snprintf(path, sizeof path, "%s/crumb-%s-%u", service->wiring->settings->store, service->type->name, shard);
    return crumb_open(path, &works->crumb, err);
}

static enum err_code open_runner(const struct machine_service *service, const struct shard_seat *seat,
                                 struct works *works, struct err *err)
{
    struct runner_config config = {.type = service->type,
                                   .codec = works->codec,
                                   .log = service->wiring->log,
                                   .view = works->view,
                                   .store = shard_seat_store(seat),
                                   .clock = service->wiring->clock,
                                   .crumb = works->crumb,
                                   .metrics = service->metrics,
                                   .health = works->health,
                                   .topic_prefix = service->wiring->settings->topic_prefix,
                                   .shard = shard_seat_number(seat),
                                   .snapshot_records = service->wiring->settings->snapshot_records,
                                   .writer = random_writer()};
    return runner_open(&config, &works->runner, err);
}

static enum err_code works_open(const struct machine_service *service, uint32_t shard, struct works *works,
                                struct err *err)
{
    char name[HEALTH_NAME_BYTES_MAX];
    snprintf(name, sizeof name, "%s/%u", service->type->name, shard);
    works->health = health_part(service->health, name, BEAT_MS_MAX);
    works->codec = event_codec_new(err);
    if (!works->codec)
        return ERR_BUG;
    enum err_code code = wiring_view(service->wiring, &works->view, err);
    return code ? code : open_crumb(service, shard, works, err);
}

/* Steps until asked to stop or until the shard must. Trouble below is waited out. */
static enum err_code step_on(const struct machine_service *service, struct shard_seat *seat, struct works *works,
                             struct err *err)
{
    int64_t backoff_ms = 0;
    bool ready = false;
    while (!shard_seat_stops(seat)) {
        bool busy = false;
        enum err_code code = OK;
        if (!works->runner)
            code = open_runner(service, seat, works, err);
        if (!code) {
            runner_own(works->runner, shard_seat_owned(seat));
            code = runner_step(works->runner, &busy, err);
        }
        if (err_class(code) == ERR_CLASS_FATAL || err_class(code) == ERR_CLASS_SKIP)
            return code;
        if (code) {
            backoff_ms = longer(backoff_ms);
            LOGGER_WARN("waiting for what is below", LF_TEXT("machine", service->type->name),
                        LF_UINT("shard", shard_seat_number(seat)), LF_ERR(err));
            health_reason_set(works->health, "log", "%s", err->text);
            clock_pause_ms(backoff_ms);
            continue;
        }
        if (backoff_ms)
            health_reason_clear(works->health, "log");
        backoff_ms = 0;
        if (!busy && !ready)
            shard_seat_ready(seat, ready = runner_caught_up(works->runner));
        if (!busy)
            runner_wait(works->runner, IDLE_WAIT_MS);
    }
    return OK;
}

static enum err_code work(void *context, struct shard_seat *seat, struct err *err)
{
    struct machine_service *service = context;
    struct works works = {0};
    enum err_code code = works_open(service, shard_seat_number(seat), &works, err);
    if (!code)
        code = step_on(service, seat, &works, err);
    if (code)
        health_reason_set(works.health, "stopped", "%s", err->text);
    else if (works.runner)
        runner_finish(works.runner);
    works_close(&works);
    return code;
}

enum err_code machine_service_start(const struct wiring *wiring, const struct machine_type *type,
                                    struct metrics *metrics, struct health *health, struct machine_service **service,
                                    struct err *err)
{
    struct machine_service *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    *s = (struct machine_service){.wiring = wiring, .type = type, .metrics = metrics, .health = health};
    enum err_code code = shard_threads_start(wiring, type->name, work, s, &s->threads, err);
    if (code)
        machine_service_stop(&s);
    *service = s;
    return code;
}

bool machine_service_ready(struct machine_service *service) { return shard_threads_ready(service->threads); }

bool machine_service_failed(struct machine_service *service, struct err *err)
{
    return shard_threads_failed(service->threads, err);
}

void machine_service_stop(struct machine_service **service)
{
    if (!*service)
        return;
    shard_threads_stop(&(*service)->threads);
    free(*service);
    *service = NULL;
}
