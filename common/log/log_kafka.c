/* log_kafka.c -- the log on Kafka: opens and closes the handle that consumers, producers and topics stand on. */
#include "log/log_kafka.h"

#include <assert.h>
#include <stdlib.h>

static void kafka_destroy(struct log *base)
{
    struct log_kafka *log = (struct log_kafka *)base;
    if (!log->asker_hangs)
        kafka_client_destroy(log->asker);
    pthread_mutex_destroy(&log->lock);
    kafka_settings_close(&log->settings);
    free(log);
}

enum err_code kafka_asker(struct log_kafka *log, rd_kafka_t **asker, struct err *err)
{
    static const struct kafka_setting own[] = {
        {"group.id", "paceline-asker"}, /* never joined: the library wants one for some questions */
        {"enable.auto.commit", "false"},
        {NULL, NULL},
    };
    pthread_mutex_lock(&log->lock);
    enum err_code code = OK;
    if (!log->asker)
        code = kafka_client_new(&log->settings, RD_KAFKA_CONSUMER, own, NULL, NULL, &log->asker, err);
    *asker = log->asker;
    pthread_mutex_unlock(&log->lock);
    return code;
}

static const struct log_ops kafka_ops = {
    kafka_destroy, kafka_topic, kafka_range, kafka_consumer_open, kafka_producer_open,
};

enum err_code log_kafka_open(const struct log_kafka_config *config, struct log **log, struct err *err)
{
    *log = NULL;
    struct log_kafka *kafka = calloc(1, sizeof *kafka);
    if (!kafka)
        return err_set(err, ERR_MEMORY, "no memory for a log on Kafka");
    kafka->base.ops = &kafka_ops;
    pthread_mutex_init(&kafka->lock, NULL);
    enum err_code code = kafka_settings_copy(&kafka->settings, config, err);
    /* Wrong option names are told here, not when the first consumer opens. */
    rd_kafka_t *asker;
    if (!code)
        code = kafka_asker(kafka, &asker, err);
    if (code)
        kafka_destroy(&kafka->base);
    else
        *log = &kafka->base;
    return code;
}

void log_kafka_replication(struct log *base, uint32_t replication)
{
    assert(base->ops == &kafka_ops);
    ((struct log_kafka *)base)->replication = replication;
}
