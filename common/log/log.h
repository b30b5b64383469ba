/* log.h -- the log seam: topics of partitions of ordered records, on Kafka, in a folder, or in memory.
 *
 * Readers pull each source (one topic partition) apart, so that a merge by time can hold a head of every source
 * without copying; writers append asynchronously and ask how far they got. Nothing here rests on idempotent
 * producers or transactions: the ledger's filter makes lost, repeated and zombie appends harmless (design 4).
 *
 * A handle belongs to one thread. `struct log` itself may be shared by threads to open consumers and producers. */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    LOG_TOPIC_BYTES_MAX = 200,
    LOG_VALUE_BYTES_MAX = 2 * 1024 * 1024, /* > the 1 MiB door, so that too_large is the ledger's verdict */
    LOG_SOURCES_MAX = 64
};

/* One record as read. `key.p` is NULL where the record has no key. All slices are borrowed until the next poll of
 * the same source. `origin` is the header `pl-origin` (FILE:LINE of an import), empty if absent. */
struct log_record {
    int64_t offset;
    int64_t append_ms; /* LogAppendTime: when the log took it */
    struct slice key;
    struct slice value;
    struct slice origin;
};

struct log_source {
    const char *topic; /* full name, prefix included */
    uint32_t partition;
    int64_t offset; /* first offset to read */
};

struct log_topic_spec {
    const char *topic;
    uint32_t partitions;
    int64_t retention_ms; /* -1: keep for ever; 0: as it is, not checked */
};

struct log;
struct log_consumer;
struct log_producer;

struct log_kafka_config {
    const char *bootstrap;
    const char *client_id;
    const char *const *extra; /* name, value, name, value, ..., NULL: passed to librdkafka (security settings) */
};

/* Constructors. On failure *log stays NULL and err says what to do. */
enum err_code log_kafka_open(const struct log_kafka_config *config, struct log **log, struct err *err);
/* Replicas of topics that log_topic_ensure creates on this Kafka; 0, the default: the broker's default. */
void log_kafka_replication(struct log *log, uint32_t replication);
enum err_code log_file_open(const char *folder, struct clock *clock, bool sync, struct log **log, struct err *err);
enum err_code log_memory_open(struct clock *clock, struct log **log, struct err *err);
void log_destroy(struct log **log); /* after all its consumers and producers */

/* Topics. ensure creates what is missing (LogAppendTime, no compaction) and checks what exists: another partition
 * count, CreateTime on a raw topic or compaction is ERR_CONFIG with the command that mends it. */
enum err_code log_topic_ensure(struct log *log, const struct log_topic_spec *spec, struct err *err);
enum err_code log_topic_check(struct log *log, const struct log_topic_spec *spec, struct err *err);
/* Oldest kept offset and next offset to be written. Blocks up to timeout_ms; ERR_MISSING: no such topic. */
enum err_code log_range(struct log *log, const char *topic, uint32_t partition, int timeout_ms, int64_t *begin,
                        int64_t *end, struct err *err);

/* Consumers. `group` (may be NULL) names where log_commit puts its hints. */
enum err_code log_consumer_open(struct log *log, const char *group, const struct log_source *sources, size_t count,
                                struct log_consumer **consumer, struct err *err);
void log_consumer_destroy(struct log_consumer **consumer);

/* Up to max records of one source, in order, without waiting: *got = 0 means nothing is here now. ERR_GAP: the
 * wanted offset is no longer kept, or lies beyond the end (the log was cut off or made anew). ERR_MISSING: the topic is
 * gone. ERR_CORRUPT: damaged bytes (file). ERR_UNAVAILABLE: trouble below, try again later; told once per trouble. On
 * Kafka a topic that vanished is noticed only by who calls log_end_refresh now and then. */
enum err_code log_poll(struct log_consumer *consumer, size_t source, struct log_record *out, size_t max, size_t *got,
                       struct err *err);

/* Waits until some source may have news or timeout_ms passed (a cheap false alarm is allowed). */
void log_wait(struct log_consumer *consumer, int timeout_ms);

/* Next offset to be written of a source as last learnt, and the monotonic time at which the question was *asked*:
 * a reader whose position has reached *end had read everything that was there at *asked_ms. False: not known yet. */
bool log_end(struct log_consumer *consumer, size_t source, int64_t *end, int64_t *asked_ms);
void log_end_refresh(struct log_consumer *consumer); /* ask again in the background, at most once at a time */

void log_commit(struct log_consumer *consumer, size_t source, int64_t offset); /* a hint for operators' tools */

/* Producers. append copies and returns at once; ERR_LATER: the queue is full, poll and try again. Key NULL: no key.
 * Records of one partition are appended in the order of the calls or reported failed. */
struct log_progress {
    uint64_t sent, acked, failed;
};
enum err_code log_producer_open(struct log *log, struct log_producer **producer, struct err *err);
enum err_code log_append(struct log_producer *producer, const char *topic, uint32_t partition, struct slice key,
                         struct slice value, struct slice origin, struct err *err);
void log_producer_poll(struct log_producer *producer, int timeout_ms, struct log_progress *progress);
enum err_code log_producer_flush(struct log_producer *producer, int timeout_ms, struct err *err);
void log_producer_destroy(struct log_producer **producer); /* drops what is not sent */

/* Partition of a record key: murmur2 as Java clients use (positive, modulo). */
uint32_t log_partition_of_key(struct slice key, uint32_t partitions);

/* Faults of the memory log, for the simulator and the protocol model: how the next appends of every producer of
 * this log end. LOST: reported failed, never there. LATE: there after `delay` further appends of others, reported
 * failed. UNKNOWN: there, reported failed. */
enum log_fault { LOG_FAULT_NONE, LOG_FAULT_LOST, LOG_FAULT_LATE, LOG_FAULT_UNKNOWN };
void log_memory_fault(struct log *log, enum log_fault fault, unsigned appends, unsigned delay);
void log_memory_truncate_front(struct log *log, const char *topic, uint32_t partition, int64_t begin);
/* The acknowledged tail from `end` on is lost, as in a broker's power cut. No consumer may borrow records of it. */
void log_memory_truncate_back(struct log *log, const char *topic, uint32_t partition, int64_t end);

#endif
