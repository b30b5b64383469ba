/* kafka_consumer.c -- reads partitions of Kafka, each from a queue of its own, so that a merge can hold a head of every
 * one. Partitions are assigned by hand; groups only keep hints for operators' tools. Records are borrowed from the
 * library's fetch buffers until the next poll of the same source. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log/kafka_ends.h"

enum { POLL_RECORDS_MAX = 1024, EVENTS_PER_WAIT_MAX = 64, CHECK_TIMEOUT_MS = 2000, SHORT_MS = 2000 };

struct kafka_source {
    rd_kafka_queue_t *queue;
    char topic[LOG_TOPIC_BYTES_MAX + 1];
    int32_t partition;
    int64_t position;       /* behind the last record handed out */
    int64_t empty_to;       /* no record lies between position and this offset (markers of transactions do); -1 */
    int64_t record_ms;      /* monotonic time of the last record */
    int64_t short_since_ms; /* since when the end is said to lie before position; 0: it does not */
    bool drained;           /* the last poll emptied the queue: only now may log_wait sleep */
    bool stopped;           /* a gap does not heal: told at every poll */
    struct err trouble;     /* to be told at the next poll; code OK: none */
    size_t held_count;
    rd_kafka_message_t *held[POLL_RECORDS_MAX];
};

struct kafka_consumer {
    struct log_consumer base;
    struct log_kafka *log;
    rd_kafka_t *client;
    rd_kafka_queue_t *events; /* errors of the client */
    struct kafka_ends *ends;
    int wake; /* eventfd that the library writes to when a queue stops being empty */
    struct kafka_source sources[];
};

static struct kafka_consumer *consumer_of(struct log_consumer *consumer) { return (struct kafka_consumer *)consumer; }

static void release_held(struct kafka_source *source)
{
    for (size_t i = 0; i < source->held_count; i++)
        rd_kafka_message_destroy(source->held[i]);
    source->held_count = 0;
}

static void kafka_consumer_destroy(struct log_consumer *base)
{
    struct kafka_consumer *consumer = consumer_of(base);
    if (consumer->ends && !kafka_ends_destroy(consumer->ends)) {
        pthread_mutex_lock(&consumer->log->lock);
        consumer->log->asker_hangs = true;
        pthread_mutex_unlock(&consumer->log->lock);
    }
    for (size_t i = 0; i < base->count; i++) {
        release_held(&consumer->sources[i]);
        if (consumer->sources[i].queue) {
            rd_kafka_queue_io_event_enable(consumer->sources[i].queue, -1, NULL, 0);
            rd_kafka_queue_destroy(consumer->sources[i].queue);
        }
    }
    if (consumer->events) {
        rd_kafka_queue_io_event_enable(consumer->events, -1, NULL, 0);
        rd_kafka_queue_destroy(consumer->events);
    }
    kafka_client_destroy(consumer->client);
    if (consumer->wake >= 0)
        close(consumer->wake);
    free(consumer);
}

/* --- polling --- */

static struct slice origin_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t n;
    if (rd_kafka_message_headers(message, &headers) || rd_kafka_header_get_last(headers, "pl-origin", &value, &n))
        return (struct slice){"", 0};
    return slice_make(value, n);
}

static struct log_record record_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    return (struct log_record){
        .offset = message->offset,
        .append_ms = rd_kafka_message_timestamp(message, &type),
        .key = slice_make(message->key, message->key_len),
        .value = slice_make(message->payload, message->len),
        .origin = origin_of(message),
    };
}

static void take_error(struct kafka_source *source, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        source->empty_to = message->offset;
        return;
    }
    char where[LOG_TOPIC_BYTES_MAX + 64];
    (void)snprintf(where, sizeof where, "%s[%d] at offset %lld", source->topic, source->partition,
                   (long long)source->position);
    kafka_err(&source->trouble, message->err, where, rd_kafka_message_errstr(message));
    source->stopped = source->trouble.code == ERR_GAP;
}

static enum err_code tell_trouble(struct kafka_source *source, struct err *err)
{
    enum err_code code = err_set(err, source->trouble.code, "%s", source->trouble.text);
    if (!source->stopped)
        source->trouble.code = OK;
    return code;
}

/* Nothing is here. Is that because the topic is gone, or is not the one that was read (deleted and made anew, or cut
 * off by an unclean election)? The library says neither. */
static enum err_code check_topic(struct kafka_consumer *consumer, size_t index, struct err *err)
{
    struct kafka_source *source = &consumer->sources[index];
    if (kafka_ends_missing(consumer->ends, index))
        return err_set(err, ERR_MISSING, "Kafka: %s[%d] is gone", source->topic, source->partition);
    int64_t end, asked_ms;
    if (!kafka_ends_get(consumer->ends, index, &end, &asked_ms) || asked_ms <= source->record_ms)
        return OK;
    if (end >= source->position) {
        source->short_since_ms = 0;
        return OK;
    }
    /* A new leader may need a moment to know its own end. */
    if (source->short_since_ms == 0)
        source->short_since_ms = asked_ms;
    if (asked_ms - source->short_since_ms < SHORT_MS)
        return OK;
    source->stopped = true;
    return err_set(&source->trouble, ERR_GAP,
                   "Kafka: %s[%d] ends at %lld, but %lld were read: it was cut off, or deleted and made anew",
                   source->topic, source->partition, (long long)end, (long long)source->position);
}

static enum err_code kafka_poll(struct log_consumer *base, size_t index, struct log_record *out, size_t max,
                                size_t *got, struct err *err)
{
    struct kafka_source *source = &consumer_of(base)->sources[index];
    release_held(source);
    if (source->trouble.code)
        return tell_trouble(source, err);
    if (max > POLL_RECORDS_MAX)
        max = POLL_RECORDS_MAX;
    ssize_t n = rd_kafka_consume_batch_queue(source->queue, 0, source->held, max);
    source->held_count = n > 0 ? (size_t)n : 0;
    source->drained = source->held_count < max;
    for (size_t i = 0; i < source->held_count; i++) {
        const rd_kafka_message_t *message = source->held[i];
        if (message->err) {
            take_error(source, message);
            continue;
        }
        out[(*got)++] = record_of(message);
        source->position = message->offset + 1;
        source->empty_to = -1;
    }
    if (*got > 0) {
        source->record_ms = clock_system()->monotonic_ms(clock_system());
        return OK;
    }
    if (!source->trouble.code && source->held_count == 0) {
        enum err_code code = check_topic(consumer_of(base), index, err);
        if (code == ERR_MISSING)
            return code;
    }
    return source->trouble.code ? tell_trouble(source, err) : OK;
}

/* Errors of the client as a whole: every source tells them once. */
static void serve_events(struct kafka_consumer *consumer)
{
    for (int i = 0; i < EVENTS_PER_WAIT_MAX; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, 0);
        if (!message)
            return;
        for (size_t s = 0; message->err && s < consumer->base.count; s++)
            if (!consumer->sources[s].trouble.code)
                kafka_err(&consumer->sources[s].trouble, message->err, consumer->sources[s].topic,
                          rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
}

static bool may_sleep(const struct kafka_consumer *consumer)
{
    for (size_t i = 0; i < consumer->base.count; i++)
        if (!consumer->sources[i].drained)
            return false;
    return true;
}

static void kafka_wait(struct log_consumer *base, int timeout_ms)
{
    struct kafka_consumer *consumer = consumer_of(base);
    struct pollfd wake = {.fd = consumer->wake, .events = POLLIN};
    if (poll(&wake, 1, may_sleep(consumer) ? timeout_ms : 0) > 0) {
        uint64_t count;
        (void)!read(consumer->wake, &count, sizeof count);
    }
    serve_events(consumer);
}

static bool kafka_end(struct log_consumer *base, size_t index, int64_t *end, int64_t *asked_ms)
{
    struct kafka_consumer *consumer = consumer_of(base);
    const struct kafka_source *source = &consumer->sources[index];
    if (!kafka_ends_get(consumer->ends, index, end, asked_ms))
        return false;
    /* Behind the last record there may be markers of transactions, which nobody is handed: reaching them is the end. */
    if (*end > source->position && *end <= source->empty_to)
        *end = source->position;
    return true;
}

static void kafka_refresh(struct log_consumer *base) { kafka_ends_ask(consumer_of(base)->ends); }

static void kafka_commit(struct log_consumer *base, size_t index, int64_t offset)
{
    struct kafka_consumer *consumer = consumer_of(base);
    const struct kafka_source *source = &consumer->sources[index];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, source->topic, source->partition)->offset = offset;
    (void)rd_kafka_commit(consumer->client, list, 1); /* a hint: nothing depends on it */
    rd_kafka_topic_partition_list_destroy(list);
}

static const struct log_consumer_ops kafka_consumer_ops = {
    kafka_consumer_destroy, kafka_poll, kafka_wait, kafka_end, kafka_refresh, kafka_commit,
};

/* --- opening --- */

static enum err_code client_open(struct kafka_consumer *consumer, const char *group, struct err *err)
{
    const struct kafka_setting own[] = {
        {"group.id", group ? group : "paceline-reader"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"}, /* positions come from our own state, never from a policy */
        {"enable.partition.eof", "true"},
        {"isolation.level", "read_committed"},
        {"check.crcs", "true"},
        {"fetch.min.bytes", "1"},
        {"fetch.wait.max.ms", "100"},
        {"fetch.error.backoff.ms", "50"},
        {"fetch.message.max.bytes", "1048576"},
        {"queued.min.messages", "1000000"}, /* a full queue makes the library pause for up to 1 s */
        {"queued.max.messages.kbytes", "131072"},
        {NULL, NULL},
    };
    return kafka_client_new(&consumer->log->settings, RD_KAFKA_CONSUMER, own, NULL, NULL, &consumer->client, err);
}

static void source_open(struct kafka_consumer *consumer, struct kafka_source *source, const struct log_source *wanted)
{
    static const uint64_t one = 1;
    memcpy(source->topic, wanted->topic, strlen(wanted->topic));
    source->partition = (int32_t)wanted->partition;
    source->position = wanted->offset;
    source->empty_to = -1;
    source->queue = rd_kafka_queue_get_partition(consumer->client, source->topic, source->partition);
    if (!source->queue)
        return;
    /* Before the assignment, so that no record goes to the common queue. */
    rd_kafka_queue_forward(source->queue, NULL);
    rd_kafka_queue_io_event_enable(source->queue, consumer->wake, &one, sizeof one);
}

/* A topic that is not there is told now. A broker that does not answer is not: the consumer waits for it. */
static enum err_code check_topics(rd_kafka_t *asker, const struct log_source *sources, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t partitions;
        if (kafka_partition_count(asker, sources[i].topic, CHECK_TIMEOUT_MS, &partitions, NULL))
            return OK;
        if (sources[i].partition >= partitions)
            return err_set(err, ERR_MISSING, "%s[%u]: no such topic or partition", sources[i].topic,
                           sources[i].partition);
    }
    return OK;
}

static enum err_code assign(struct kafka_consumer *consumer, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)consumer->base.count);
    for (size_t i = 0; i < consumer->base.count; i++) {
        const struct kafka_source *source = &consumer->sources[i];
        rd_kafka_topic_partition_list_add(list, source->topic, source->partition)->offset = source->position;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? kafka_err(err, error, "cannot assign partitions", NULL) : OK;
}

static enum err_code open_all(struct kafka_consumer *consumer, const char *group, const struct log_source *sources,
                              struct err *err)
{
    static const uint64_t one = 1;
    rd_kafka_t *asker;
    consumer->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum err_code code = consumer->wake < 0 ? err_set(err, ERR_LATER, "no descriptor left for a consumer") : OK;
    if (!code)
        code = kafka_asker(consumer->log, &asker, err);
    if (!code)
        code = check_topics(asker, sources, consumer->base.count, err);
    if (!code)
        code = kafka_ends_new(asker, sources, consumer->base.count, &consumer->ends, err);
    if (!code)
        code = client_open(consumer, group, err);
    if (code)
        return code;
    (void)rd_kafka_poll_set_consumer(consumer->client);
    consumer->events = rd_kafka_queue_get_consumer(consumer->client);
    if (consumer->events)
        rd_kafka_queue_io_event_enable(consumer->events, consumer->wake, &one, sizeof one);
    for (size_t i = 0; i < consumer->base.count; i++) {
        source_open(consumer, &consumer->sources[i], &sources[i]);
        if (!consumer->sources[i].queue)
            return err_set(err, ERR_BUG, "Kafka: no queue for %s[%u]", sources[i].topic, sources[i].partition);
    }
    return assign(consumer, err);
}

enum err_code kafka_consumer_open(struct log *log, const char *group, const struct log_source *sources, size_t count,
                                  struct log_consumer **consumer, struct err *err)
{
    struct kafka_consumer *c = calloc(1, sizeof *c + count * sizeof c->sources[0]);
    if (!c)
        return err_set(err, ERR_MEMORY, "no memory for a consumer of %zu sources", count);
    c->base = (struct log_consumer){&kafka_consumer_ops, count};
    c->log = (struct log_kafka *)log;
    c->wake = -1;
    enum err_code code = open_all(c, group, sources, err);
    if (code)
        kafka_consumer_destroy(&c->base);
    else
        *consumer = &c->base;
    return code;
}
