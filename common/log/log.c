/* log.c -- the log seam: checks arguments once, then calls the implementation's table. */
#include "log/log.h"

#include <assert.h>

#include "log/log_impl.h"

/* Letters of a topic name: what Kafka allows, which is also safe as the name of a folder. */
static bool topic_name_ok(const char *topic)
{
    size_t n = topic ? strlen(topic) : 0;
    if (n == 0 || n > LOG_TOPIC_BYTES_MAX || strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = topic[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
        if (!ok)
            return false;
    }
    return true;
}

static enum err_code check_topic(const char *topic, struct err *err)
{
    if (topic_name_ok(topic))
        return OK;
    return err_set(err, ERR_CONFIG, "topic name '%s': use 1 to %d letters, digits, '.', '_' or '-'", topic ? topic : "",
                   LOG_TOPIC_BYTES_MAX);
}

void log_destroy(struct log **log)
{
    if (!*log)
        return;
    (*log)->ops->destroy(*log);
    *log = NULL;
}

static enum err_code topic_with(struct log *log, const struct log_topic_spec *spec, bool create, struct err *err)
{
    enum err_code code = check_topic(spec->topic, err);
    if (code)
        return code;
    if (spec->partitions == 0 || spec->partitions > LOG_PARTITIONS_MAX)
        return err_set(err, ERR_CONFIG, "topic %s: %u partitions; 1 to %d are possible", spec->topic, spec->partitions,
                       LOG_PARTITIONS_MAX);
    return log->ops->topic(log, spec, create, err);
}

enum err_code log_topic_ensure(struct log *log, const struct log_topic_spec *spec, struct err *err)
{
    return topic_with(log, spec, true, err);
}

enum err_code log_topic_check(struct log *log, const struct log_topic_spec *spec, struct err *err)
{
    return topic_with(log, spec, false, err);
}

enum err_code log_range(struct log *log, const char *topic, uint32_t partition, int timeout_ms, int64_t *begin,
                        int64_t *end, struct err *err)
{
    enum err_code code = check_topic(topic, err);
    return code ? code : log->ops->range(log, topic, partition, timeout_ms, begin, end, err);
}

enum err_code log_consumer_open(struct log *log, const char *group, const struct log_source *sources, size_t count,
                                struct log_consumer **consumer, struct err *err)
{
    *consumer = NULL;
    if (count == 0 || count > LOG_SOURCES_MAX)
        return err_set(err, ERR_BUG, "a consumer of %zu sources; 1 to %d are possible", count, LOG_SOURCES_MAX);
    for (size_t i = 0; i < count; i++) {
        enum err_code code = check_topic(sources[i].topic, err);
        if (code)
            return code;
        if (sources[i].offset < 0)
            return err_set(err, ERR_BUG, "%s[%u]: offset %lld is negative", sources[i].topic, sources[i].partition,
                           (long long)sources[i].offset);
    }
    return log->ops->consumer(log, group, sources, count, consumer, err);
}

void log_consumer_destroy(struct log_consumer **consumer)
{
    if (!*consumer)
        return;
    (*consumer)->ops->destroy(*consumer);
    *consumer = NULL;
}

enum err_code log_poll(struct log_consumer *consumer, size_t source, struct log_record *out, size_t max, size_t *got,
                       struct err *err)
{
    assert(source < consumer->count);
    *got = 0;
    return max ? consumer->ops->poll(consumer, source, out, max, got, err) : OK;
}

void log_wait(struct log_consumer *consumer, int timeout_ms) { consumer->ops->wait(consumer, timeout_ms); }

bool log_end(struct log_consumer *consumer, size_t source, int64_t *end, int64_t *asked_ms)
{
    assert(source < consumer->count);
    return consumer->ops->end(consumer, source, end, asked_ms);
}

void log_end_refresh(struct log_consumer *consumer) { consumer->ops->refresh(consumer); }

void log_commit(struct log_consumer *consumer, size_t source, int64_t offset)
{
    assert(source < consumer->count);
    consumer->ops->commit(consumer, source, offset);
}

enum err_code log_producer_open(struct log *log, struct log_producer **producer, struct err *err)
{
    *producer = NULL;
    return log->ops->producer(log, producer, err);
}

enum err_code log_append(struct log_producer *producer, const char *topic, uint32_t partition, struct slice key,
                         struct slice value, struct slice origin, struct err *err)
{
    enum err_code code = check_topic(topic, err);
    if (code)
        return code;
    if (key.n > LOG_KEY_BYTES_MAX || value.n > LOG_VALUE_BYTES_MAX || origin.n > LOG_ORIGIN_BYTES_MAX)
        return err_set(err, ERR_BAD_INPUT, "%s: record with key %zu, value %zu, origin %zu bytes; at most %d, %d, %d",
                       topic, key.n, value.n, origin.n, LOG_KEY_BYTES_MAX, LOG_VALUE_BYTES_MAX, LOG_ORIGIN_BYTES_MAX);
    return producer->ops->append(producer, topic, partition, key, value, origin, err);
}

void log_producer_poll(struct log_producer *producer, int timeout_ms, struct log_progress *progress)
{
    struct log_progress unused;
    producer->ops->poll(producer, timeout_ms, progress ? progress : &unused);
}

enum err_code log_producer_flush(struct log_producer *producer, int timeout_ms, struct err *err)
{
    return producer->ops->flush(producer, timeout_ms, err);
}

void log_producer_destroy(struct log_producer **producer)
{
    if (!*producer)
        return;
    (*producer)->ops->destroy(*producer);
    *producer = NULL;
}
