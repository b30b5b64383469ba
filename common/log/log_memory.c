/* log_memory.c -- the log in memory: the simulator's and the tests' twin of Kafka, with the faults that matter.
 *
 * One mutex guards everything; records are immutable and live until the log goes, so slices handed out stay valid
 * without copying. Appends are immediate, the end of a source is always known. Times come from the caller's clock. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "log/log_impl.h"

struct stored {
    int64_t append_ms;
    bool has_key;
    size_t key_bytes, value_bytes, origin_bytes;
    char bytes[]; /* key, value, origin */
};

struct partition {
    struct stored **records; /* records[i] has offset i */
    size_t count, cap;
    int64_t begin; /* offsets below are no longer kept */
};

struct topic {
    char name[LOG_TOPIC_BYTES_MAX + 1];
    uint32_t partition_count;
    struct partition *partitions;
};

/* An append that was reported failed and lands later. */
struct late {
    struct partition *partition;
    struct stored *record;
    const void *producer; /* whose own appends do not count */
    unsigned delay;
};

struct log_memory {
    struct log base;
    struct clock *clock;
    pthread_mutex_t lock;
    pthread_cond_t news;
    uint64_t appended; /* bumped by every append: what log_wait waits for */
    struct topic **topics;
    size_t topic_count;
    struct late *late;
    size_t late_count;
    enum log_fault fault;
    unsigned fault_appends, fault_delay;
};

struct memory_source {
    struct partition *partition;
    int64_t offset;
};

struct memory_consumer {
    struct log_consumer base;
    struct log_memory *log;
    uint64_t seen; /* log->appended as of the last log_wait */
    struct memory_source sources[];
};

struct memory_producer {
    struct log_producer base;
    struct log_memory *log;
    struct log_progress progress;
};

static struct log_memory *memory_of(struct log *log) { return (struct log_memory *)log; }

static void *checked(void *p)
{
    if (!p)
        abort(); /* as buf.h: nothing here is sized by unchecked input */
    return p;
}

static struct topic *topic_find(const struct log_memory *log, const char *name)
{
    for (size_t i = 0; i < log->topic_count; i++)
        if (strcmp(log->topics[i]->name, name) == 0)
            return log->topics[i];
    return NULL;
}

static void topic_add(struct log_memory *log, const struct log_topic_spec *spec)
{
    struct topic *topic = checked(calloc(1, sizeof *topic));
    memcpy(topic->name, spec->topic, strlen(spec->topic));
    topic->partition_count = spec->partitions;
    topic->partitions = checked(calloc(spec->partitions, sizeof *topic->partitions));
    log->topics = checked(realloc(log->topics, (log->topic_count + 1) * sizeof *log->topics));
    log->topics[log->topic_count++] = topic;
}

static enum err_code memory_topic(struct log *base, const struct log_topic_spec *spec, bool create, struct err *err)
{
    struct log_memory *log = memory_of(base);
    enum err_code code = OK;
    pthread_mutex_lock(&log->lock);
    struct topic *topic = topic_find(log, spec->topic);
    if (!topic && create)
        topic_add(log, spec);
    else if (!topic)
        code = err_set(err, ERR_MISSING, "topic %s does not exist", spec->topic);
    else if (topic->partition_count != spec->partitions)
        code = err_set(err, ERR_CONFIG, "topic %s has %u partitions, %u are configured (shards)", spec->topic,
                       topic->partition_count, spec->partitions);
    pthread_mutex_unlock(&log->lock);
    return code;
}

/* NULL and err set if there is no such partition. */
static struct partition *partition_find(const struct log_memory *log, const char *name, uint32_t number,
                                        struct err *err)
{
    struct topic *topic = topic_find(log, name);
    if (topic && number < topic->partition_count)
        return &topic->partitions[number];
    err_set(err, ERR_MISSING, "%s[%u]: no such topic or partition", name, number);
    return NULL;
}

static enum err_code memory_range(struct log *base, const char *name, uint32_t number, int timeout_ms, int64_t *begin,
                                  int64_t *end, struct err *err)
{
    struct log_memory *log = memory_of(base);
    (void)timeout_ms;
    pthread_mutex_lock(&log->lock);
    struct partition *partition = partition_find(log, name, number, err);
    if (partition) {
        *begin = partition->begin;
        *end = (int64_t)partition->count;
    }
    pthread_mutex_unlock(&log->lock);
    return partition ? OK : ERR_MISSING;
}

static void partition_close(struct partition *partition)
{
    for (size_t i = 0; i < partition->count; i++)
        free(partition->records[i]);
    free(partition->records);
}

static void memory_destroy(struct log *base)
{
    struct log_memory *log = memory_of(base);
    for (size_t i = 0; i < log->topic_count; i++) {
        for (uint32_t p = 0; p < log->topics[i]->partition_count; p++)
            partition_close(&log->topics[i]->partitions[p]);
        free(log->topics[i]->partitions);
        free(log->topics[i]);
    }
    for (size_t i = 0; i < log->late_count; i++)
        free(log->late[i].record);
    free(log->late);
    free(log->topics);
    pthread_cond_destroy(&log->news);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

/* --- reading --- */

static struct memory_consumer *consumer_of(struct log_consumer *consumer) { return (struct memory_consumer *)consumer; }

static void memory_consumer_destroy(struct log_consumer *consumer) { free(consumer); }

static struct log_record record_view(const struct stored *stored, int64_t offset)
{
    const char *p = stored->bytes;
    return (struct log_record){
        .offset = offset,
        .append_ms = stored->append_ms,
        .key = {stored->has_key ? p : NULL, stored->key_bytes},
        .value = {p + stored->key_bytes, stored->value_bytes},
        .origin = {p + stored->key_bytes + stored->value_bytes, stored->origin_bytes},
    };
}

static enum err_code memory_poll(struct log_consumer *base, size_t index, struct log_record *out, size_t max,
                                 size_t *got, struct err *err)
{
    struct memory_consumer *consumer = consumer_of(base);
    struct memory_source *source = &consumer->sources[index];
    struct partition *partition = source->partition;
    enum err_code code = OK;
    pthread_mutex_lock(&consumer->log->lock);
    int64_t end = (int64_t)partition->count;
    if (source->offset < partition->begin || source->offset > end)
        code = err_set(err, ERR_GAP, "offset %lld is not kept: the log holds %lld to %lld", (long long)source->offset,
                       (long long)partition->begin, (long long)end);
    while (!code && *got < max && source->offset < end) {
        out[(*got)++] = record_view(partition->records[source->offset], source->offset);
        source->offset++;
    }
    pthread_mutex_unlock(&consumer->log->lock);
    return code;
}

static void memory_wait(struct log_consumer *base, int timeout_ms)
{
    struct memory_consumer *consumer = consumer_of(base);
    struct log_memory *log = consumer->log;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = (int64_t)until.tv_nsec + (int64_t)(timeout_ms % 1000) * 1000000;
    until.tv_sec += timeout_ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&log->lock);
    while (timeout_ms > 0 && log->appended == consumer->seen)
        if (pthread_cond_timedwait(&log->news, &log->lock, &until))
            break;
    consumer->seen = log->appended;
    pthread_mutex_unlock(&log->lock);
}

static bool memory_end(struct log_consumer *base, size_t index, int64_t *end, int64_t *asked_ms)
{
    struct memory_consumer *consumer = consumer_of(base);
    pthread_mutex_lock(&consumer->log->lock);
    *asked_ms = consumer->log->clock->monotonic_ms(consumer->log->clock);
    *end = (int64_t)consumer->sources[index].partition->count;
    pthread_mutex_unlock(&consumer->log->lock);
    return true;
}

static void memory_refresh(struct log_consumer *consumer) { (void)consumer; }

static void memory_commit(struct log_consumer *consumer, size_t source, int64_t offset)
{
    (void)consumer, (void)source, (void)offset; /* there are no operators' tools to read the hint */
}

static const struct log_consumer_ops memory_consumer_ops = {
    memory_consumer_destroy, memory_poll, memory_wait, memory_end, memory_refresh, memory_commit,
};

static enum err_code memory_consumer_open(struct log *base, const char *group, const struct log_source *sources,
                                          size_t count, struct log_consumer **consumer, struct err *err)
{
    struct log_memory *log = memory_of(base);
    (void)group;
    struct memory_consumer *c = checked(calloc(1, sizeof *c + count * sizeof c->sources[0]));
    c->base = (struct log_consumer){&memory_consumer_ops, count};
    c->log = log;
    enum err_code code = OK;
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < count && !code; i++) {
        struct partition *partition = partition_find(log, sources[i].topic, sources[i].partition, err);
        c->sources[i] = (struct memory_source){partition, sources[i].offset};
        code = partition ? OK : ERR_MISSING;
    }
    pthread_mutex_unlock(&log->lock);
    if (code)
        free(c);
    else
        *consumer = &c->base;
    return code;
}

/* --- writing --- */

static struct memory_producer *producer_of(struct log_producer *producer) { return (struct memory_producer *)producer; }

static void memory_producer_destroy(struct log_producer *producer) { free(producer); }

static struct stored *stored_new(struct slice key, struct slice value, struct slice origin)
{
    struct stored *s = checked(malloc(sizeof *s + key.n + value.n + origin.n));
    *s = (struct stored){0, key.p != NULL, key.n, value.n, origin.n};
    struct slice parts[] = {key, value, origin};
    char *to = s->bytes;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    return s;
}

static void land(struct log_memory *log, struct partition *partition, struct stored *record)
{
    if (partition->count == partition->cap) {
        partition->cap = partition->cap ? partition->cap * 2 : 64;
        partition->records = checked(realloc(partition->records, partition->cap * sizeof *partition->records));
    }
    int64_t now = log->clock->now_ms(log->clock);
    int64_t last = partition->count ? partition->records[partition->count - 1]->append_ms : INT64_MIN;
    record->append_ms = now > last ? now : last;
    partition->records[partition->count++] = record;
    log->appended++;
    pthread_cond_broadcast(&log->news);
}

/* Others' appends bring what is late nearer; what is due lands behind them, in the order it was sent. */
static void late_step(struct log_memory *log, const struct partition *partition, const void *producer)
{
    size_t kept = 0;
    for (size_t i = 0; i < log->late_count; i++) {
        struct late *late = &log->late[i];
        if (late->partition == partition && late->producer != producer && late->delay > 0)
            late->delay--;
        if (late->delay == 0)
            land(log, late->partition, late->record);
        else
            log->late[kept++] = *late;
    }
    log->late_count = kept;
}

static void late_add(struct log_memory *log, struct partition *partition, struct stored *record, const void *producer)
{
    log->late = checked(realloc(log->late, (log->late_count + 1) * sizeof *log->late));
    log->late[log->late_count++] = (struct late){partition, record, producer, log->fault_delay};
}

static void append_with_fault(struct memory_producer *producer, struct partition *partition, struct stored *record)
{
    struct log_memory *log = producer->log;
    enum log_fault fault = log->fault_appends ? log->fault : LOG_FAULT_NONE;
    if (log->fault_appends)
        log->fault_appends--;
    producer->progress.sent++;
    switch (fault) {
    case LOG_FAULT_NONE:
        producer->progress.acked++;
        land(log, partition, record);
        break;
    case LOG_FAULT_UNKNOWN:
        producer->progress.failed++;
        land(log, partition, record);
        break;
    case LOG_FAULT_LATE:
        producer->progress.failed++;
        late_add(log, partition, record, producer);
        break;
    case LOG_FAULT_LOST:
        producer->progress.failed++;
        free(record);
        return;
    }
    late_step(log, partition, producer);
}

static enum err_code memory_append(struct log_producer *base, const char *topic, uint32_t number, struct slice key,
                                   struct slice value, struct slice origin, struct err *err)
{
    struct memory_producer *producer = producer_of(base);
    struct log_memory *log = producer->log;
    pthread_mutex_lock(&log->lock);
    struct partition *partition = partition_find(log, topic, number, err);
    if (partition)
        append_with_fault(producer, partition, stored_new(key, value, origin));
    pthread_mutex_unlock(&log->lock);
    return partition ? OK : ERR_MISSING;
}

static void memory_producer_poll(struct log_producer *base, int timeout_ms, struct log_progress *progress)
{
    (void)timeout_ms;
    *progress = producer_of(base)->progress;
}

static enum err_code memory_flush(struct log_producer *base, int timeout_ms, struct err *err)
{
    (void)timeout_ms;
    uint64_t failed = producer_of(base)->progress.failed;
    return failed ? err_set(err, ERR_UNAVAILABLE, "%llu appends failed", (unsigned long long)failed) : OK;
}

static const struct log_producer_ops memory_producer_ops = {
    memory_producer_destroy,
    memory_append,
    memory_producer_poll,
    memory_flush,
};

static enum err_code memory_producer_open(struct log *log, struct log_producer **producer, struct err *err)
{
    (void)err;
    struct memory_producer *p = checked(calloc(1, sizeof *p));
    p->base.ops = &memory_producer_ops;
    p->log = memory_of(log);
    *producer = &p->base;
    return OK;
}

/* --- the log --- */

static const struct log_ops memory_ops = {
    memory_destroy, memory_topic, memory_range, memory_consumer_open, memory_producer_open,
};

enum err_code log_memory_open(struct clock *clock, struct log **log, struct err *err)
{
    (void)err;
    struct log_memory *memory = checked(calloc(1, sizeof *memory));
    memory->base.ops = &memory_ops;
    memory->clock = clock;
    pthread_mutex_init(&memory->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&memory->news, &attributes);
    pthread_condattr_destroy(&attributes);
    *log = &memory->base;
    return OK;
}

void log_memory_fault(struct log *base, enum log_fault fault, unsigned appends, unsigned delay)
{
    struct log_memory *log = memory_of(base);
    assert(log->base.ops == &memory_ops);
    pthread_mutex_lock(&log->lock);
    log->fault = fault;
    log->fault_appends = appends;
    log->fault_delay = delay;
    pthread_mutex_unlock(&log->lock);
}

void log_memory_truncate_front(struct log *base, const char *topic, uint32_t number, int64_t begin)
{
    struct log_memory *log = memory_of(base);
    assert(log->base.ops == &memory_ops);
    pthread_mutex_lock(&log->lock);
    struct partition *partition = partition_find(log, topic, number, NULL);
    assert(partition && begin <= (int64_t)partition->count);
    if (begin > partition->begin)
        partition->begin = begin;
    pthread_mutex_unlock(&log->lock);
}

void log_memory_truncate_back(struct log *base, const char *topic, uint32_t number, int64_t end)
{
    struct log_memory *log = memory_of(base);
    assert(log->base.ops == &memory_ops);
    pthread_mutex_lock(&log->lock);
    struct partition *partition = partition_find(log, topic, number, NULL);
    assert(partition && end >= partition->begin);
    while ((int64_t)partition->count > end)
        free(partition->records[--partition->count]);
    pthread_mutex_unlock(&log->lock);
}
