/* kafka_ends.c -- see kafka_ends.h. */
#include "log/kafka_ends.h"

#include <stdlib.h>
#include <time.h>

enum { QUESTION_TIMEOUT_MS = 2000, GOODBYE_MS = 3000 };

struct end_known {
    bool known, missing; /* missing: the topic or partition is gone */
    int64_t end, asked_ms;
};

struct kafka_ends {
    rd_kafka_t *asker;
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool wanted, quit, gone, abandoned;
    rd_kafka_topic_partition_list_t *sources;
    struct end_known known[LOG_SOURCES_MAX];
};

static void ends_free(struct kafka_ends *ends)
{
    rd_kafka_topic_partition_list_destroy(ends->sources);
    pthread_cond_destroy(&ends->news);
    pthread_mutex_destroy(&ends->lock);
    free(ends);
}

/* The answer lists the sources in the order of the question. */
static void learn(struct kafka_ends *ends, const rd_kafka_topic_partition_list_t *answer, int64_t asked_ms)
{
    for (int i = 0; i < answer->cnt; i++) {
        if (!answer->elems[i].err && answer->elems[i].offset >= 0)
            ends->known[i] = (struct end_known){true, false, answer->elems[i].offset, asked_ms};
        else if (kafka_code(answer->elems[i].err) == ERR_MISSING)
            ends->known[i].missing = true;
    }
}

/* No answer about the ends: is it because a topic is gone? The library tells that by a timeout only. */
static void mark_missing(rd_kafka_t *asker, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        uint32_t count;
        list->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
        if (kafka_partition_count(asker, list->elems[i].topic, QUESTION_TIMEOUT_MS, &count, NULL))
            return;
        if ((uint32_t)list->elems[i].partition >= count)
            list->elems[i].err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }
}

static void ask_once(struct kafka_ends *ends)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(ends->sources);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    pthread_mutex_unlock(&ends->lock);
    int64_t asked_ms = clock_system()->monotonic_ms(clock_system());
    if (rd_kafka_offsets_for_times(ends->asker, list, QUESTION_TIMEOUT_MS))
        mark_missing(ends->asker, list);
    pthread_mutex_lock(&ends->lock);
    learn(ends, list, asked_ms);
    rd_kafka_topic_partition_list_destroy(list);
}

static void *ends_run(void *context)
{
    struct kafka_ends *ends = context;
    pthread_mutex_lock(&ends->lock);
    while (!ends->quit) {
        if (ends->wanted) {
            ask_once(ends);
            ends->wanted = false; /* what was wanted meanwhile is answered by the next question */
        } else {
            pthread_cond_wait(&ends->news, &ends->lock);
        }
    }
    ends->gone = true;
    bool abandoned = ends->abandoned;
    pthread_cond_broadcast(&ends->news);
    pthread_mutex_unlock(&ends->lock);
    if (abandoned)
        ends_free(ends);
    return NULL;
}

enum err_code kafka_ends_new(rd_kafka_t *asker, const struct log_source *sources, size_t count, struct kafka_ends **out,
                             struct err *err)
{
    struct kafka_ends *ends = calloc(1, sizeof *ends);
    if (!ends)
        return err_set(err, ERR_MEMORY, "no memory for a consumer");
    ends->asker = asker;
    ends->sources = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(ends->sources, sources[i].topic, (int32_t)sources[i].partition);
    pthread_mutex_init(&ends->lock, NULL);
    pthread_cond_init(&ends->news, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, ends_run, ends)) {
        ends_free(ends);
        return err_set(err, ERR_LATER, "no thread for a consumer");
    }
    pthread_detach(thread);
    *out = ends;
    return OK;
}

bool kafka_ends_destroy(struct kafka_ends *ends)
{
    if (!ends)
        return true;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GOODBYE_MS / 1000;
    pthread_mutex_lock(&ends->lock);
    ends->quit = true;
    pthread_cond_broadcast(&ends->news);
    while (!ends->gone && pthread_cond_timedwait(&ends->news, &ends->lock, &until) == 0) {
    }
    bool gone = ends->gone;
    ends->abandoned = !gone;
    pthread_mutex_unlock(&ends->lock);
    if (gone)
        ends_free(ends);
    return gone;
}

void kafka_ends_ask(struct kafka_ends *ends)
{
    pthread_mutex_lock(&ends->lock);
    ends->wanted = true;
    pthread_cond_broadcast(&ends->news);
    pthread_mutex_unlock(&ends->lock);
}

bool kafka_ends_get(struct kafka_ends *ends, size_t source, int64_t *end, int64_t *asked_ms)
{
    pthread_mutex_lock(&ends->lock);
    struct end_known known = ends->known[source];
    pthread_mutex_unlock(&ends->lock);
    *end = known.end;
    *asked_ms = known.asked_ms;
    return known.known;
}

bool kafka_ends_missing(struct kafka_ends *ends, size_t source)
{
    pthread_mutex_lock(&ends->lock);
    bool missing = ends->known[source].missing;
    pthread_mutex_unlock(&ends->lock);
    return missing;
}
