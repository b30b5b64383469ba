/* log_file.c -- the log in a folder, for one machine: FOLDER/<topic>/<partition>/ of segments (file_segment.h).
 *
 * Any number of processes append and tail at the same time: appenders take turns by flock (file_append.c), readers take
 * no lock, see whole frames only and are woken by inotify. Nothing is ever deleted here. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/file_append.h"
#include "log/file_segment.h"

enum { PATH_BYTES_MAX = 4096, NO_INOTIFY_WAIT_MS = 10 };

struct log_file {
    struct log base;
    struct file_log_settings settings;
};

static struct log_file *file_of(struct log *log) { return (struct log_file *)log; }

static void file_destroy(struct log *log) { free(log); }

/* --- topics --- */

static enum err_code path_error(struct err *err, const char *what, const char *path)
{
    enum err_code code = errno == EACCES || errno == EROFS ? ERR_DENIED : errno == ENOSPC ? ERR_LATER : ERR_UNAVAILABLE;
    return err_set(err, code, "file log: cannot %s %s: %s", what, path, strerror(errno));
}

/* Partitions of a topic; 0: there is no such topic. */
static uint32_t partition_count(const char *folder, const char *topic)
{
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, topic);
    DIR *dir = opendir(path);
    uint32_t count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[strspn(entry->d_name, "0123456789")] == '\0';
    if (dir)
        closedir(dir);
    return count;
}

/* Made aside and renamed, so that nobody sees a topic with too few partitions. */
static enum err_code topic_create(const char *folder, const struct log_topic_spec *spec, struct err *err)
{
    char aside[PATH_BYTES_MAX], path[PATH_BYTES_MAX + 16];
    (void)snprintf(aside, sizeof aside, "%s/.new-%ld-%s", folder, (long)getpid(), spec->topic);
    if (mkdir(aside, 0750) && errno != EEXIST)
        return path_error(err, "create", aside);
    for (uint32_t i = 0; i < spec->partitions; i++) {
        (void)snprintf(path, sizeof path, "%s/%u", aside, i);
        if (mkdir(path, 0750) && errno != EEXIST)
            return path_error(err, "create", path);
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, spec->topic);
    if (rename(aside, path) == 0)
        return OK;
    if (errno != EEXIST && errno != ENOTEMPTY)
        return path_error(err, "create", path);
    for (uint32_t i = 0; i < spec->partitions; i++) { /* somebody else was faster */
        (void)snprintf(path, sizeof path, "%s/%u", aside, i);
        (void)rmdir(path);
    }
    (void)rmdir(aside);
    return OK;
}

static enum err_code file_topic(struct log *base, const struct log_topic_spec *spec, bool create, struct err *err)
{
    const char *folder = file_of(base)->settings.folder;
    uint32_t count = partition_count(folder, spec->topic);
    if (count == 0 && !create)
        return err_set(err, ERR_MISSING, "topic %s does not exist in %s", spec->topic, folder);
    if (count == 0) {
        enum err_code code = topic_create(folder, spec, err);
        if (code)
            return code;
        count = partition_count(folder, spec->topic);
    }
    if (count == spec->partitions)
        return OK;
    return err_set(
        err, ERR_CONFIG,
        "topic %s in %s has %u partitions, %u are configured: the number of shards is fixed for the life of a "
        "ledger; set shards to %u or use another folder",
        spec->topic, folder, count, spec->partitions, count);
}

enum err_code file_partition_open(const char *folder, const char *topic, uint32_t partition, int *fd, struct err *err)
{
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/%s/%u", folder, topic, partition);
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd >= 0)
        return OK;
    if (errno == ENOENT)
        return err_set(err, ERR_MISSING, "%s[%u]: no such topic or partition in %s", topic, partition, folder);
    return path_error(err, "open", path);
}

static enum err_code file_range(struct log *base, const char *topic, uint32_t partition, int timeout_ms, int64_t *begin,
                                int64_t *end, struct err *err)
{
    (void)timeout_ms;
    int folder;
    enum err_code code = file_partition_open(file_of(base)->settings.folder, topic, partition, &folder, err);
    if (code)
        return code;
    int64_t last;
    if (!segment_bounds(folder, INT64_MAX, begin, &last))
        *begin = 0;
    struct file_reader reader;
    file_reader_init(&reader, folder);
    code = file_reader_seek(&reader, INT64_MAX, err);
    *end = reader.next;
    file_reader_close(&reader);
    close(folder);
    return code;
}

/* --- consumers --- */

struct file_source {
    int folder;
    struct file_reader reader; /* what is handed out */
    struct file_reader tail;   /* runs ahead to learn the end */
    enum err_code stopped;     /* a gap or damage: said again at every poll */
    char stopped_text[ERR_TEXT_MAX];
    bool end_known;
    int64_t end, asked_ms;
};

struct file_consumer {
    struct log_consumer base;
    struct clock *clock;
    int inotify; /* -1: none left on this machine */
    struct file_source sources[];
};

static struct file_consumer *consumer_of(struct log_consumer *consumer) { return (struct file_consumer *)consumer; }

static void file_consumer_destroy(struct log_consumer *base)
{
    struct file_consumer *consumer = consumer_of(base);
    for (size_t i = 0; i < base->count; i++) {
        struct file_source *source = &consumer->sources[i];
        file_reader_close(&source->reader);
        file_reader_close(&source->tail);
        if (source->folder >= 0)
            close(source->folder);
    }
    if (consumer->inotify >= 0)
        close(consumer->inotify);
    free(consumer);
}

static void end_learn(struct file_source *source, int64_t end, int64_t asked_ms)
{
    source->end_known = true;
    source->end = end;
    source->asked_ms = asked_ms;
}

static enum err_code stop(struct file_source *source, enum err_code code, const struct err *err)
{
    if (code == ERR_GAP || code == ERR_CORRUPT) {
        source->stopped = code;
        (void)snprintf(source->stopped_text, sizeof source->stopped_text, "%s", err ? err->text : "");
    }
    return code;
}

static enum err_code file_poll(struct log_consumer *base, size_t index, struct log_record *out, size_t max, size_t *got,
                               struct err *err)
{
    struct file_consumer *consumer = consumer_of(base);
    struct file_source *source = &consumer->sources[index];
    if (source->stopped)
        return err_set(err, source->stopped, "%s", source->stopped_text);
    struct err own = {0};
    int64_t asked_ms = consumer->clock->monotonic_ms(consumer->clock);
    enum err_code code = file_reader_take(&source->reader, out, max, got, &own);
    if (code)
        return stop(source, err_set(err, code, "%s", own.text), &own);
    if (*got == 0)
        end_learn(source, source->reader.next, asked_ms);
    return OK;
}

static void file_wait(struct log_consumer *base, int timeout_ms)
{
    struct file_consumer *consumer = consumer_of(base);
    if (consumer->inotify < 0) {
        (void)poll(NULL, 0, timeout_ms < NO_INOTIFY_WAIT_MS ? timeout_ms : NO_INOTIFY_WAIT_MS);
        return;
    }
    struct pollfd news = {.fd = consumer->inotify, .events = POLLIN};
    if (poll(&news, 1, timeout_ms) <= 0)
        return;
    char events[4096];
    while (read(consumer->inotify, events, sizeof events) > 0) {
    }
}

static bool file_end(struct log_consumer *base, size_t index, int64_t *end, int64_t *asked_ms)
{
    const struct file_source *source = &consumer_of(base)->sources[index];
    *end = source->end;
    *asked_ms = source->asked_ms;
    return source->end_known;
}

static void file_refresh(struct log_consumer *base)
{
    struct file_consumer *consumer = consumer_of(base);
    for (size_t i = 0; i < base->count; i++) {
        struct file_source *source = &consumer->sources[i];
        int64_t asked_ms = consumer->clock->monotonic_ms(consumer->clock);
        if (source->tail.next < source->reader.next)
            file_reader_follow(&source->tail, &source->reader);
        if (!source->stopped && !file_reader_to_end(&source->tail, NULL))
            end_learn(source, source->tail.next, asked_ms);
    }
}

static void file_commit(struct log_consumer *consumer, size_t source, int64_t offset)
{
    (void)consumer, (void)source, (void)offset; /* no tool reads positions of the file log */
}

static const struct log_consumer_ops file_consumer_ops = {
    file_consumer_destroy, file_poll, file_wait, file_end, file_refresh, file_commit,
};

static enum err_code source_open(struct file_consumer *consumer, struct file_source *source, const char *folder,
                                 const struct log_source *wanted, struct err *err)
{
    enum err_code code = file_partition_open(folder, wanted->topic, wanted->partition, &source->folder, err);
    if (code)
        return code;
    source->reader.folder = source->tail.folder = source->folder;
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/%s/%u", folder, wanted->topic, wanted->partition);
    if (consumer->inotify >= 0 && inotify_add_watch(consumer->inotify, path, IN_MODIFY | IN_MOVED_TO) < 0) {
        close(consumer->inotify);
        consumer->inotify = -1; /* no watches left: file_wait naps instead */
    }
    struct err own = {0};
    code = file_reader_seek(&source->reader, wanted->offset, &own);
    /* A gap or damage of one source is told by its polls, not by the open of all. */
    if (code == ERR_GAP || code == ERR_CORRUPT)
        return stop(source, code, &own), OK;
    return code ? err_set(err, code, "%s", own.text) : OK;
}

static enum err_code file_consumer_open(struct log *base, const char *group, const struct log_source *sources,
                                        size_t count, struct log_consumer **consumer, struct err *err)
{
    (void)group;
    struct log_file *log = file_of(base);
    struct file_consumer *c = calloc(1, sizeof *c + count * sizeof c->sources[0]);
    if (!c)
        return err_set(err, ERR_MEMORY, "no memory for a consumer of %zu sources", count);
    c->base = (struct log_consumer){&file_consumer_ops, count};
    c->clock = log->settings.clock;
    c->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        c->sources[i].folder = -1;
        file_reader_init(&c->sources[i].reader, -1);
        file_reader_init(&c->sources[i].tail, -1);
    }
    enum err_code code = OK;
    for (size_t i = 0; i < count && !code; i++)
        code = source_open(c, &c->sources[i], log->settings.folder, &sources[i], err);
    if (code)
        file_consumer_destroy(&c->base);
    else
        *consumer = &c->base;
    return code;
}

/* --- the log --- */

static enum err_code file_producer(struct log *base, struct log_producer **producer, struct err *err)
{
    return file_producer_open(&file_of(base)->settings, producer, err);
}

static const struct log_ops file_ops = {file_destroy, file_topic, file_range, file_consumer_open, file_producer};

enum err_code log_file_open(const char *folder, struct clock *clock, bool sync, struct log **log, struct err *err)
{
    *log = NULL;
    if (strlen(folder) >= FILE_FOLDER_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "file log: the path %s is longer than %d bytes", folder, FILE_FOLDER_BYTES_MAX);
    if (mkdir(folder, 0750) && errno != EEXIST)
        return path_error(err, "create", folder);
    struct log_file *file = calloc(1, sizeof *file);
    if (!file)
        return err_set(err, ERR_MEMORY, "no memory for a file log");
    file->base.ops = &file_ops;
    file->settings.clock = clock;
    file->settings.sync = sync;
    memcpy(file->settings.folder, folder, strlen(folder) + 1);
    *log = &file->base;
    return OK;
}
