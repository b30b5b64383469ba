/* log_kafka.h -- the parts of the log on Kafka, one file each: topics and ends (kafka_topics.c), consumers
 * (kafka_consumer.c), producers (kafka_producer.c). Internal to log/. */
#ifndef LOG_LOG_KAFKA_H
#define LOG_LOG_KAFKA_H

#include <pthread.h>

#include "log/kafka_client.h"

struct log_kafka {
    struct log base;
    struct kafka_settings settings;
    uint32_t replication;
    /* A client for questions (ends, metadata, topics). Its own connection: on that of a consumer an answer would wait
     * behind the fetch that waits for news. Made when first needed. */
    pthread_mutex_t lock;
    rd_kafka_t *asker;
    bool asker_hangs; /* a question never came back: the asker is left to the end of the process */
};

enum err_code kafka_asker(struct log_kafka *log, rd_kafka_t **asker, struct err *err);
/* Partitions of a topic, 0 if it does not exist. */
enum err_code kafka_partition_count(rd_kafka_t *asker, const char *name, int timeout_ms, uint32_t *count,
                                    struct err *err);
enum err_code kafka_topic(struct log *log, const struct log_topic_spec *spec, bool create, struct err *err);
enum err_code kafka_range(struct log *log, const char *topic, uint32_t partition, int timeout_ms, int64_t *begin,
                          int64_t *end, struct err *err);
enum err_code kafka_consumer_open(struct log *log, const char *group, const struct log_source *sources, size_t count,
                                  struct log_consumer **consumer, struct err *err);
enum err_code kafka_producer_open(struct log *log, struct log_producer **producer, struct err *err);

#endif
