/* log_impl.h -- what an implementation of the log seam provides: three tables of functions (log.h has the contracts).
 *
 * Every implementation embeds struct log, log_consumer or log_producer as its first member, so the public handle and
 * the private one are the same address. Arguments are checked in log.c, once, before they get here. */
#ifndef LOG_LOG_IMPL_H
#define LOG_LOG_IMPL_H

#include "log/log.h"

enum {
    LOG_KEY_BYTES_MAX = 4096,
    LOG_ORIGIN_BYTES_MAX = 4096,
    LOG_PARTITIONS_MAX = 4096,
};

struct log_ops {
    void (*destroy)(struct log *log);
    enum err_code (*topic)(struct log *log, const struct log_topic_spec *spec, bool create, struct err *err);
    enum err_code (*range)(struct log *log, const char *topic, uint32_t partition, int timeout_ms, int64_t *begin,
                           int64_t *end, struct err *err);
    enum err_code (*consumer)(struct log *log, const char *group, const struct log_source *sources, size_t count,
                              struct log_consumer **consumer, struct err *err);
    enum err_code (*producer)(struct log *log, struct log_producer **producer, struct err *err);
};
struct log {
    const struct log_ops *ops;
};

struct log_consumer_ops {
    void (*destroy)(struct log_consumer *consumer);
    enum err_code (*poll)(struct log_consumer *consumer, size_t source, struct log_record *out, size_t max, size_t *got,
                          struct err *err);
    void (*wait)(struct log_consumer *consumer, int timeout_ms);
    bool (*end)(struct log_consumer *consumer, size_t source, int64_t *end, int64_t *asked_ms);
    void (*refresh)(struct log_consumer *consumer);
    void (*commit)(struct log_consumer *consumer, size_t source, int64_t offset);
};
struct log_consumer {
    const struct log_consumer_ops *ops;
    size_t count; /* of sources */
};

struct log_producer_ops {
    void (*destroy)(struct log_producer *producer);
    enum err_code (*append)(struct log_producer *producer, const char *topic, uint32_t partition, struct slice key,
                            struct slice value, struct slice origin, struct err *err);
    void (*poll)(struct log_producer *producer, int timeout_ms, struct log_progress *progress);
    enum err_code (*flush)(struct log_producer *producer, int timeout_ms, struct err *err);
};
struct log_producer {
    const struct log_producer_ops *ops;
};

#endif
