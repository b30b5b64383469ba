/* kafka_producer.c -- appends to Kafka: idempotent (it bounds what is in flight; nothing rests on it), linger of half a
 * millisecond, delivery reports counted. A fatal error of the client fails everything unreported and makes a new
 * client. */
#include <stdlib.h>

#include "log/log_kafka.h"

enum { TOPICS_MAX = 64, FLUSH_SLICE_MS = 100 };

struct kafka_producer {
    struct log_producer base;
    const struct log_kafka *log;
    rd_kafka_t *client;
    struct log_progress progress;
    rd_kafka_resp_err_t last_error;
    rd_kafka_topic_t *topics[TOPICS_MAX];
    size_t topic_count;
};

static struct kafka_producer *producer_of(struct log_producer *producer) { return (struct kafka_producer *)producer; }

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *context)
{
    (void)client;
    struct kafka_producer *producer = context;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->progress.acked++;
        return;
    }
    producer->progress.failed++;
    producer->last_error = message->err;
}

static void hook(rd_kafka_conf_t *conf, void *context)
{
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, context);
}

static enum err_code client_open(struct kafka_producer *producer, struct err *err)
{
    static const struct kafka_setting own[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"linger.ms", "0.5"},
        {"message.max.bytes", "2228224"}, /* LOG_VALUE_BYTES_MAX and its frame */
        {"batch.size", "1000000"},
        {"batch.num.messages", "20000"},
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "262144"},
        {NULL, NULL},
    };
    return kafka_client_new(&producer->log->settings, RD_KAFKA_PRODUCER, own, hook, producer, &producer->client, err);
}

/* Everything unreported is reported failed by the purge; the client goes. */
static void client_close(struct kafka_producer *producer)
{
    if (!producer->client)
        return;
    (void)rd_kafka_purge(producer->client,
                         RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    (void)rd_kafka_poll(producer->client, 0);
    for (size_t i = 0; i < producer->topic_count; i++)
        rd_kafka_topic_destroy(producer->topics[i]);
    producer->topic_count = 0;
    kafka_client_destroy(producer->client);
    producer->client = NULL;
}

static void kafka_producer_destroy(struct log_producer *base)
{
    client_close(producer_of(base));
    free(base);
}

static void replace_if_fatal(struct kafka_producer *producer)
{
    char text[256];
    if (producer->client && !rd_kafka_fatal_error(producer->client, text, sizeof text))
        return;
    client_close(producer);
    /* Reports that the old client could not give any more count as failed. */
    producer->progress.failed = producer->progress.sent - producer->progress.acked;
    (void)client_open(producer, NULL);
}

static enum err_code topic_of(struct kafka_producer *producer, const char *name, rd_kafka_topic_t **topic,
                              struct err *err)
{
    for (size_t i = 0; i < producer->topic_count; i++) {
        *topic = producer->topics[i];
        if (strcmp(rd_kafka_topic_name(*topic), name) == 0)
            return OK;
    }
    if (producer->topic_count == TOPICS_MAX)
        return err_set(err, ERR_BUG, "one producer for more than %d topics", TOPICS_MAX);
    *topic = rd_kafka_topic_new(producer->client, name, NULL);
    if (!*topic)
        return kafka_err(err, rd_kafka_last_error(), name, NULL);
    producer->topics[producer->topic_count++] = *topic;
    return OK;
}

/* rd_kafka_produce has no headers, and producev by topic name is slow at its first call: producev by handle. */
static rd_kafka_resp_err_t send_with_origin(rd_kafka_t *client, rd_kafka_topic_t *topic, uint32_t partition,
                                            struct slice key, struct slice value, struct slice origin)
{
    return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION((int32_t)partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.p, key.n),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)value.p, value.n),
                             RD_KAFKA_V_HEADER("pl-origin", origin.p, (ssize_t)origin.n), RD_KAFKA_V_END);
}

static rd_kafka_resp_err_t send_plain(rd_kafka_topic_t *topic, uint32_t partition, struct slice key, struct slice value)
{
    int failed = rd_kafka_produce(topic, (int32_t)partition, RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)value.p, value.n,
                                  key.p, key.n, NULL);
    return failed ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
}

static enum err_code kafka_append(struct log_producer *base, const char *name, uint32_t partition, struct slice key,
                                  struct slice value, struct slice origin, struct err *err)
{
    struct kafka_producer *producer = producer_of(base);
    if (!producer->client)
        replace_if_fatal(producer);
    if (!producer->client)
        return err_set(err, ERR_UNAVAILABLE, "Kafka: no producer could be made");
    rd_kafka_topic_t *topic;
    enum err_code code = topic_of(producer, name, &topic, err);
    if (code)
        return code;
    if (!value.p)
        value.p = ""; /* NULL would be a tombstone */
    rd_kafka_resp_err_t error = origin.n ? send_with_origin(producer->client, topic, partition, key, value, origin)
                                         : send_plain(topic, partition, key, value);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->progress.sent++;
        return OK;
    }
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        replace_if_fatal(producer);
        return err_set(err, ERR_LATER, "Kafka: the producer failed and was replaced; try again");
    }
    return kafka_err(err, error, name, NULL);
}

static void kafka_producer_poll(struct log_producer *base, int timeout_ms, struct log_progress *progress)
{
    struct kafka_producer *producer = producer_of(base);
    if (producer->client)
        (void)rd_kafka_poll(producer->client, timeout_ms);
    replace_if_fatal(producer);
    *progress = producer->progress;
}

static enum err_code kafka_flush(struct log_producer *base, int timeout_ms, struct err *err)
{
    struct kafka_producer *producer = producer_of(base);
    int64_t deadline = clock_system()->monotonic_ms(clock_system()) + timeout_ms;
    struct log_progress *p = &producer->progress;
    while (p->acked + p->failed < p->sent) {
        int64_t left = deadline - clock_system()->monotonic_ms(clock_system());
        if (left <= 0)
            return err_set(err, ERR_TIMEOUT, "Kafka: %llu of %llu records not confirmed within %d ms",
                           (unsigned long long)(p->sent - p->acked - p->failed), (unsigned long long)p->sent,
                           timeout_ms);
        (void)rd_kafka_flush(producer->client, left < FLUSH_SLICE_MS ? (int)left : FLUSH_SLICE_MS);
        replace_if_fatal(producer);
    }
    return p->failed ? kafka_err(err, producer->last_error, "records were not taken", NULL) : OK;
}

static const struct log_producer_ops kafka_producer_ops = {
    kafka_producer_destroy,
    kafka_append,
    kafka_producer_poll,
    kafka_flush,
};

enum err_code kafka_producer_open(struct log *log, struct log_producer **producer, struct err *err)
{
    struct kafka_producer *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_MEMORY, "no memory for a producer");
    p->base.ops = &kafka_producer_ops;
    p->log = (const struct log_kafka *)log;
    enum err_code code = client_open(p, err);
    if (code)
        free(p);
    else
        *producer = &p->base;
    return code;
}
