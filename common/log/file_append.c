/* file_append.c -- the producer of the file log.
 *
 * Appends are gathered per partition and written as one batch at the next poll or flush (or when a batch is full): take
 * the partition's flock, read on to the end, cut off a torn tail, roll the segment if it is full, stamp offsets and
 * times, one write, one fdatasync. A batch that could not be written as a whole is reported failed; what of it is whole
 * in the file stays there, which the log's contract allows. A failed fdatasync is never repeated in the hope that it
 * helps. */
#include "log/file_append.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fault.h"
#include "log/file_segment.h"

enum {
    BATCH_BYTES = 1024 * 1024,            /* written without waiting for a poll */
    PENDING_BYTES_MAX = 64 * 1024 * 1024, /* of a partition whose lock cannot be had; then ERR_LATER */
    LOCK_WAIT_MS_MIN = 50,
};

struct file_target {
    char topic[LOG_TOPIC_BYTES_MAX + 1];
    uint32_t partition;
    int folder, lock;
    struct file_reader tail;
    bool tail_known;
    struct buf pending;
    uint32_t pending_count;
};

struct file_producer {
    struct log_producer base;
    const struct file_log_settings *settings;
    struct log_progress progress;
    struct err last; /* of the last failed write: the text of a failed flush */
    struct file_target **targets;
    size_t count;
};

static struct file_producer *producer_of(struct log_producer *producer) { return (struct file_producer *)producer; }

static void target_destroy(struct file_target *target)
{
    file_reader_close(&target->tail);
    buf_close(&target->pending);
    if (target->lock >= 0)
        close(target->lock);
    if (target->folder >= 0)
        close(target->folder);
    free(target);
}

static void file_producer_destroy(struct log_producer *base)
{
    struct file_producer *producer = producer_of(base);
    for (size_t i = 0; i < producer->count; i++)
        target_destroy(producer->targets[i]);
    free(producer->targets);
    free(producer);
}

/* --- one batch --- */

static int64_t monotonic_ms(void) { return clock_system()->monotonic_ms(clock_system()); }

/* Another process holds the lock for milliseconds; one that is stopped while holding it must not stop us too. */
static bool lock_take(const struct file_target *target, int timeout_ms)
{
    int64_t deadline = monotonic_ms() + (timeout_ms > LOCK_WAIT_MS_MIN ? timeout_ms : LOCK_WAIT_MS_MIN);
    while (flock(target->lock, LOCK_EX | LOCK_NB)) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || monotonic_ms() >= deadline)
            return false;
        (void)poll(NULL, 0, 1);
    }
    return true;
}

static enum err_code io_error(struct err *err, const char *what, const struct file_target *target)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return err_set(err, full ? ERR_LATER : ERR_UNAVAILABLE, "file log: cannot %s %s[%u]: %s%s", what, target->topic,
                   target->partition, strerror(errno), full ? "; free some space" : "");
}

/* The lock is held: the end of the log becomes known and clean, in a segment with room. */
static enum err_code tail_prepare(struct file_target *target, bool sync, struct err *err)
{
    struct file_reader *tail = &target->tail;
    enum err_code code = OK;
    if (!target->tail_known)
        code = file_reader_seek(tail, INT64_MAX, err);
    target->tail_known = !code;
    if (!code)
        code = file_reader_to_end(tail, err);
    if (code)
        return code;
    if (file_reader_torn_bytes(tail) > 0) {
        if (ftruncate(tail->fd, tail->at) || (sync && fdatasync(tail->fd)))
            return io_error(err, "repair the end of", target);
        tail->undamaged_bytes = 0;
    }
    if (tail->fd >= 0 && tail->at < SEGMENT_BYTES)
        return OK;
    FAULT_POINT("log.before_roll");
    code = segment_create(target->folder, tail->next, tail->last_ms, sync, err);
    return code ? code : file_reader_to_end(tail, err);
}

static void stamp(struct file_target *target, int64_t append_ms)
{
    int64_t offset = target->tail.next;
    for (size_t at = 0; at < target->pending.n;)
        at += frame_stamp(target->pending.p + at, offset++, append_ms, (uint32_t)at);
}

static bool write_all(int fd, const uint8_t *p, size_t n, int64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return true;
}

static enum err_code batch_store(struct file_target *target, bool sync, struct err *err)
{
    const struct buf *pending = &target->pending;
    const struct file_reader *tail = &target->tail;
    FAULT_POINT("log.before_write");
    if (fault_armed) { /* give a test something torn to kill us in */
        if (!write_all(tail->fd, pending->p, pending->n / 2, tail->at))
            return io_error(err, "append to", target);
        FAULT_POINT("log.mid_write");
    }
    if (!write_all(tail->fd, pending->p, pending->n, tail->at))
        return io_error(err, "append to", target);
    FAULT_POINT("log.before_sync");
    if (sync && fdatasync(tail->fd))
        return io_error(err, "sync", target);
    FAULT_POINT("log.after_sync");
    return OK;
}

static enum err_code batch_append(struct file_producer *producer, struct file_target *target, struct err *err)
{
    enum err_code code = tail_prepare(target, producer->settings->sync, err);
    if (code)
        return code;
    struct file_reader *tail = &target->tail;
    int64_t now_ms = producer->settings->clock->now_ms(producer->settings->clock);
    int64_t append_ms = now_ms > tail->last_ms ? now_ms : tail->last_ms;
    stamp(target, append_ms);
    code = batch_store(target, producer->settings->sync, err);
    if (code)
        return code;
    tail->at += (int64_t)target->pending.n;
    tail->next += target->pending_count;
    tail->last_ms = append_ms;
    buf_clear(&tail->window);
    tail->taken = 0;
    return OK;
}

/* Writes what is pending; false: the lock was not to be had, it stays pending. */
static bool target_write(struct file_producer *producer, struct file_target *target, int timeout_ms)
{
    if (target->pending_count == 0)
        return true;
    if (!lock_take(target, timeout_ms))
        return false;
    enum err_code code = batch_append(producer, target, &producer->last);
    (void)flock(target->lock, LOCK_UN);
    if (code) {
        producer->progress.failed += target->pending_count;
        file_reader_close(&target->tail);
        file_reader_init(&target->tail, target->folder);
        target->tail_known = false;
    } else {
        producer->progress.acked += target->pending_count;
    }
    buf_clear(&target->pending);
    target->pending_count = 0;
    return true;
}

/* --- the producer --- */

static enum err_code target_open(struct file_producer *producer, struct file_target *target, const char *topic,
                                 uint32_t partition, struct err *err)
{
    memcpy(target->topic, topic, strlen(topic) + 1);
    target->partition = partition;
    target->folder = target->lock = -1;
    file_reader_init(&target->tail, -1);
    buf_init(&target->pending);
    enum err_code code = file_partition_open(producer->settings->folder, topic, partition, &target->folder, err);
    if (code)
        return code;
    target->tail.folder = target->folder;
    target->lock = openat(target->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    return target->lock < 0 ? io_error(err, "open the lock of", target) : OK;
}

static enum err_code target_of(struct file_producer *producer, const char *topic, uint32_t partition,
                               struct file_target **found, struct err *err)
{
    for (size_t i = 0; i < producer->count; i++) {
        *found = producer->targets[i];
        if ((*found)->partition == partition && strcmp((*found)->topic, topic) == 0)
            return OK;
    }
    struct file_target *target = calloc(1, sizeof *target);
    struct file_target **grown = realloc(producer->targets, (producer->count + 1) * sizeof *grown);
    if (grown)
        producer->targets = grown;
    if (!target || !grown) {
        free(target);
        return err_set(err, ERR_MEMORY, "no memory to append to %s", topic);
    }
    enum err_code code = target_open(producer, target, topic, partition, err);
    if (code) {
        target_destroy(target);
        return code;
    }
    producer->targets[producer->count++] = *found = target;
    return OK;
}

static enum err_code file_append(struct log_producer *base, const char *topic, uint32_t partition, struct slice key,
                                 struct slice value, struct slice origin, struct err *err)
{
    struct file_producer *producer = producer_of(base);
    struct file_target *target = NULL;
    enum err_code code = target_of(producer, topic, partition, &target, err);
    if (code)
        return code;
    if (target->pending.n >= PENDING_BYTES_MAX)
        return err_set(err, ERR_LATER, "file log: %s[%u] is locked by another process for long", topic, partition);
    frame_add(&target->pending, key, value, origin);
    target->pending_count++;
    producer->progress.sent++;
    if (target->pending.n >= BATCH_BYTES)
        (void)target_write(producer, target, 0);
    return OK;
}

static void file_producer_poll(struct log_producer *base, int timeout_ms, struct log_progress *progress)
{
    struct file_producer *producer = producer_of(base);
    for (size_t i = 0; i < producer->count; i++)
        (void)target_write(producer, producer->targets[i], timeout_ms);
    *progress = producer->progress;
}

static enum err_code file_flush(struct log_producer *base, int timeout_ms, struct err *err)
{
    struct file_producer *producer = producer_of(base);
    bool done = true;
    for (size_t i = 0; i < producer->count; i++)
        done = target_write(producer, producer->targets[i], timeout_ms) && done;
    if (!done)
        return err_set(err, ERR_TIMEOUT, "file log: a partition is locked by another process for long");
    if (producer->progress.failed == 0)
        return OK;
    return err_set(err, producer->last.code, "%s", producer->last.text);
}

static const struct log_producer_ops file_producer_ops = {
    file_producer_destroy,
    file_append,
    file_producer_poll,
    file_flush,
};

enum err_code file_producer_open(const struct file_log_settings *settings, struct log_producer **producer,
                                 struct err *err)
{
    struct file_producer *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_MEMORY, "no memory for a producer");
    p->base.ops = &file_producer_ops;
    p->settings = settings;
    *producer = &p->base;
    return OK;
}
