#include "machine/shard_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/logger.h"

enum { ELECT_POLL_MS = 100 };

struct shard_seat {
    struct shard_threads *all;
    uint32_t number;
    pthread_t thread;
    bool started;
    atomic_bool owner, ready, ended;
    struct err err; /* read behind `ended` */
};

struct shard_threads {
    const char *service;
    shard_work *work;
    void *context;
    struct store *store;
    struct elect *elect;
    pthread_t elect_thread;
    bool elect_started;
    atomic_bool stop;
    uint32_t count;
    struct shard_seat *seats;
};

uint32_t shard_seat_number(const struct shard_seat *seat) { return seat->number; }
struct store *shard_seat_store(const struct shard_seat *seat) { return seat->all->store; }
bool shard_seat_stops(const struct shard_seat *seat) { return atomic_load(&seat->all->stop); }
bool shard_seat_owned(const struct shard_seat *seat) { return atomic_load(&seat->owner); }
void shard_seat_ready(struct shard_seat *seat, bool ready) { atomic_store(&seat->ready, ready); }

static void *seat_main(void *argument)
{
    struct shard_seat *seat = argument;
    struct shard_threads *all = seat->all;
    logger_service_set(all->service);
    if (all->work(all->context, seat, &seat->err))
        LOGGER_ERROR("the shard stops", LF_UINT("shard", seat->number), LF_ERR(&seat->err));
    else
        seat->err.code = OK; /* whatever trouble was waited out */
    atomic_store(&seat->ended, true);
    return NULL;
}

static void *elect_main(void *argument)
{
    struct shard_threads *all = argument;
    logger_service_set(all->service);
    while (!atomic_load(&all->stop)) {
        struct err err;
        if (elect_poll(all->elect, ELECT_POLL_MS, &err)) {
            LOGGER_WARN("election", LF_ERR(&err));
            clock_pause_ms(ELECT_POLL_MS);
        }
        for (uint32_t i = 0; i < all->count; i++)
            atomic_store(&all->seats[i].owner, elect_owns(all->elect, i));
    }
    return NULL;
}

static enum err_code threads_create(struct shard_threads *all, struct err *err)
{
    all->elect_started = pthread_create(&all->elect_thread, NULL, elect_main, all) == 0;
    bool started = all->elect_started;
    for (uint32_t i = 0; started && i < all->count; i++)
        started = all->seats[i].started = pthread_create(&all->seats[i].thread, NULL, seat_main, &all->seats[i]) == 0;
    return started ? OK : err_set(err, ERR_MEMORY, "%s: no more threads", all->service);
}

static struct shard_threads *threads_new(uint32_t count)
{
    struct shard_threads *all = calloc(1, sizeof *all);
    struct shard_seat *seats = calloc(count, sizeof *seats);
    if (!all || !seats)
        abort();
    all->count = count;
    all->seats = seats;
    for (uint32_t i = 0; i < count; i++) {
        seats[i].all = all;
        seats[i].number = i;
    }
    return all;
}

enum err_code shard_threads_start(const struct wiring *wiring, const char *service, shard_work *work, void *context,
                                  struct shard_threads **threads, struct err *err)
{
    struct shard_threads *all = threads_new((uint32_t)wiring->settings->shards);
    all->service = service;
    all->work = work;
    all->context = context;
    enum err_code code = wiring_store(wiring, &all->store, err);
    if (!code)
        code = wiring_elect(wiring, service, &all->elect, err);
    if (!code)
        code = threads_create(all, err);
    if (code)
        shard_threads_stop(&all);
    *threads = all;
    return code;
}

bool shard_threads_ready(const struct shard_threads *threads)
{
    for (uint32_t i = 0; i < threads->count; i++)
        if (!atomic_load(&threads->seats[i].ready))
            return false;
    return true;
}

bool shard_threads_failed(const struct shard_threads *threads, struct err *err)
{
    const struct shard_seat *failed = NULL;
    for (uint32_t i = 0; i < threads->count; i++) {
        const struct shard_seat *seat = &threads->seats[i];
        if (!atomic_load(&seat->ended))
            return false;
        if (!failed && seat->err.code)
            failed = seat;
    }
    if (failed)
        *err = failed->err;
    return true;
}

void shard_threads_stop(struct shard_threads **threads)
{
    struct shard_threads *all = *threads;
    if (!all)
        return;
    atomic_store(&all->stop, true);
    for (uint32_t i = 0; i < all->count; i++)
        if (all->seats[i].started)
            pthread_join(all->seats[i].thread, NULL);
    if (all->elect_started)
        pthread_join(all->elect_thread, NULL);
    if (all->elect)
        elect_destroy(&all->elect);
    if (all->store)
        store_destroy(&all->store);
    free(all->seats);
    free(all);
    *threads = NULL;
}
