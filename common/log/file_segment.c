/* file_segment.c -- frames and segments as bytes; see file_segment.h. */
#include "log/file_segment.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/file_frame.h"

static const char magic[8] = "PLSEG1";

void segment_name(char name[SEGMENT_NAME_BYTES], int64_t first_offset)
{
    (void)snprintf(name, SEGMENT_NAME_BYTES, "%020lld.seg", (long long)first_offset);
}

static void header_write(struct buf *out, int64_t first_offset, int64_t last_append_ms)
{
    buf_add(out, magic, sizeof magic);
    buf_add_u64(out, (uint64_t)first_offset);
    buf_add_u64(out, (uint64_t)last_append_ms);
    buf_add_u64(out, frame_checksum(out->p, out->n));
}

static enum err_code system_error(struct err *err, const char *what, const char *name)
{
    bool denied = errno == EACCES || errno == EPERM || errno == EROFS;
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return err_set(err,
                   denied ? ERR_DENIED
                   : full ? ERR_LATER
                          : ERR_UNAVAILABLE,
                   "file log: cannot %s %s: %s", what, name, strerror(errno));
}

static enum err_code header_store(int folder, const char *name, const struct buf *header, bool sync, struct err *err)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return system_error(err, "create", name);
    bool ok = pwrite(fd, header->p, header->n, 0) == (ssize_t)header->n && (!sync || fsync(fd) == 0);
    enum err_code code = ok ? OK : system_error(err, "write", name);
    close(fd);
    return code;
}

enum err_code segment_create(int folder, int64_t first_offset, int64_t last_append_ms, bool sync, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, first_offset);
    struct buf header;
    buf_init(&header);
    header_write(&header, first_offset, last_append_ms);
    enum err_code code = header_store(folder, "new.tmp", &header, sync, err);
    buf_close(&header);
    if (code)
        return code;
    if (renameat(folder, "new.tmp", folder, name) || (sync && fsync(folder)))
        return system_error(err, "rename", name);
    return OK;
}

/* The first offset in a segment's name; -1: not a segment. */
static int64_t name_offset(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    if (digits != 20 || strcmp(name + digits, ".seg") != 0)
        return -1;
    return (int64_t)strtoll(name, NULL, 10);
}

bool segment_bounds(int folder, int64_t offset, int64_t *first, int64_t *last)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    *first = INT64_MAX;
    *last = -1;
    for (struct dirent *entry; (entry = readdir(dir));) {
        int64_t base = name_offset(entry->d_name);
        if (base < 0)
            continue;
        if (base < *first)
            *first = base;
        if (base <= offset && base > *last)
            *last = base;
    }
    closedir(dir);
    return *first != INT64_MAX;
}

/* --- the reader --- */

enum { WINDOW_BYTES = 256 * 1024, DISCARD_RECORDS = 256 };

void file_reader_init(struct file_reader *reader, int folder)
{
    *reader = (struct file_reader){.folder = folder, .fd = -1, .last_ms = SEGMENT_NO_TIME_MS};
    buf_init(&reader->window);
}

void file_reader_close(struct file_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    buf_close(&reader->window);
}

static enum err_code header_check(const uint8_t *p, ssize_t n, int64_t base, int64_t *last_ms)
{
    struct cursor in = cursor_of(slice_make(p, n > 0 ? (size_t)n : 0));
    struct slice word = cursor_take(&in, sizeof magic);
    int64_t first = (int64_t)cursor_u64(&in);
    *last_ms = (int64_t)cursor_u64(&in);
    uint64_t checksum = cursor_u64(&in);
    bool ok = !in.bad && memcmp(word.p, magic, sizeof magic) == 0 && first == base &&
              checksum == frame_checksum(p, SEGMENT_HEADER_BYTES - 8);
    return ok ? OK : ERR_CORRUPT;
}

/* Makes the segment that begins with offset `base` the present one. ERR_MISSING: there is none. */
static enum err_code segment_enter(struct file_reader *reader, int64_t base, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, base);
    int fd = openat(reader->folder, name, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EROFS))
        fd = openat(reader->folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_MISSING : system_error(err, "open", name);
    uint8_t header[SEGMENT_HEADER_BYTES];
    int64_t last_ms;
    if (header_check(header, pread(fd, header, sizeof header, 0), base, &last_ms)) {
        close(fd);
        return err_set(err, ERR_CORRUPT, "file log: the header of segment %s is damaged; restore it from a copy", name);
    }
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = fd;
    reader->base = reader->next = base;
    reader->at = SEGMENT_HEADER_BYTES;
    reader->last_ms = last_ms;
    reader->undamaged_bytes = 0;
    reader->taken = 0;
    buf_clear(&reader->window);
    return OK;
}

/* Whole frames of the window, up to max. */
static size_t parse(struct file_reader *reader, struct log_record *out, size_t max)
{
    size_t n = 0;
    size_t bytes;
    while (n < max && (bytes = frame_parse(reader->window.p + reader->taken, reader->window.n - reader->taken,
                                           reader->next, &out[n]))) {
        reader->last_ms = out[n++].append_ms;
        reader->taken += bytes;
        reader->at += (int64_t)bytes;
        reader->next++;
    }
    return n;
}

/* Reads the window anew, from `at` on. */
static enum err_code fill(struct file_reader *reader, size_t bytes, struct err *err)
{
    buf_clear(&reader->window);
    buf_reserve(&reader->window, bytes);
    reader->taken = 0;
    ssize_t n = pread(reader->fd, reader->window.p, bytes, reader->at);
    if (n < 0)
        return errno == EINTR ? OK : system_error(err, "read", "a segment");
    reader->window.n = (size_t)n;
    return OK;
}

/* Is there a whole frame of a later batch behind the frame at `at`, which is not whole? */
static bool later_batch(struct file_reader *reader, int64_t size)
{
    if (size - reader->at > 2 * (int64_t)SEGMENT_BYTES || fill(reader, (size_t)(size - reader->at), NULL))
        return false;
    for (size_t i = 1; i + FRAME_HEADER_BYTES <= reader->window.n; i++)
        if (frame_of_later_batch(reader->window.p, reader->window.n, i, reader->next))
            return true;
    return false;
}

/* Are there later segments, none of which continues this one? */
static bool orphans_behind(const struct file_reader *reader)
{
    int64_t first, last, next;
    if (!segment_bounds(reader->folder, INT64_MAX, &first, &last) || last <= reader->base)
        return false;
    bool continued = segment_bounds(reader->folder, reader->next, &first, &next) && next == reader->next;
    return !continued || reader->next == reader->base || file_reader_torn_bytes(reader) > 0;
}

/* What is not whole: an append under way or a torn tail (OK), or damage? The verdict is taken twice, because bytes that
 * were read while somebody appended are of different instants. */
static enum err_code check_damage(struct file_reader *reader, struct log_record *out, size_t max, size_t *got,
                                  struct err *err)
{
    struct stat stat;
    if (fstat(reader->fd, &stat))
        return system_error(err, "look at", "a segment");
    if (stat.st_size == reader->undamaged_bytes)
        return OK;
    bool damaged = (stat.st_size > reader->at && later_batch(reader, stat.st_size)) || orphans_behind(reader);
    enum err_code code = fill(reader, damaged ? FRAME_BYTES_MAX : 0, err);
    if (code)
        return code;
    if (!damaged)
        reader->undamaged_bytes = stat.st_size;
    else if ((*got = parse(reader, out, max)) == 0 && (stat.st_size > reader->at || orphans_behind(reader)))
        return err_set(err, ERR_CORRUPT,
                       "file log: segment %020lld.seg is damaged at byte %lld (record %lld); restore it from a copy",
                       (long long)reader->base, (long long)reader->at, (long long)reader->next);
    return OK;
}

/* Tries the window as it is, then anew, then as large as the largest frame. */
static enum err_code take_here(struct file_reader *reader, struct log_record *out, size_t max, size_t *got,
                               struct err *err)
{
    if ((*got = parse(reader, out, max)))
        return OK;
    enum err_code code = fill(reader, WINDOW_BYTES, err);
    if (code || (*got = parse(reader, out, max)) || reader->window.n < WINDOW_BYTES)
        return code;
    code = fill(reader, FRAME_BYTES_MAX, err);
    if (!code)
        *got = parse(reader, out, max);
    return code;
}

/* Nothing lies behind what was read, that was found sound before, and the segment is not full, so that no other one can
 * follow it: one fstat answers the poll of an idle partition. */
static bool nothing_new(const struct file_reader *reader)
{
    struct stat stat;
    return reader->taken == reader->window.n && fstat(reader->fd, &stat) == 0 && stat.st_size == reader->at &&
           stat.st_size == reader->undamaged_bytes && stat.st_size < SEGMENT_BYTES;
}

enum err_code file_reader_take(struct file_reader *reader, struct log_record *out, size_t max, size_t *got,
                               struct err *err)
{
    *got = 0;
    enum err_code code = OK;
    if (reader->fd >= 0 && nothing_new(reader))
        return OK;
    if (reader->fd >= 0) {
        code = take_here(reader, out, max, got, err);
        if (code || *got)
            return code;
    }
    /* A whole segment is left through the one that begins where it ends. */
    if (reader->fd < 0 || (reader->next != reader->base && file_reader_torn_bytes(reader) == 0)) {
        code = segment_enter(reader, reader->next, err);
        if (code != ERR_MISSING)
            return code ? code : take_here(reader, out, max, got, err);
    }
    return reader->fd >= 0 ? check_damage(reader, out, max, got, err) : OK;
}

void file_reader_follow(struct file_reader *reader, const struct file_reader *other)
{
    int fd = other->fd < 0 ? -1 : fcntl(other->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = fd;
    reader->base = other->base;
    reader->at = other->at;
    reader->next = other->next;
    reader->last_ms = other->last_ms;
    reader->undamaged_bytes = 0;
    reader->taken = 0;
    buf_clear(&reader->window);
}

enum err_code file_reader_to_end(struct file_reader *reader, struct err *err)
{
    struct log_record discard[DISCARD_RECORDS];
    size_t got = 1;
    enum err_code code = OK;
    while (!code && got)
        code = file_reader_take(reader, discard, DISCARD_RECORDS, &got, err);
    return code;
}

int64_t file_reader_torn_bytes(const struct file_reader *reader)
{
    struct stat stat;
    if (reader->fd < 0 || fstat(reader->fd, &stat) || stat.st_size <= reader->at)
        return 0;
    return stat.st_size - reader->at;
}

static enum err_code gap(const struct file_reader *reader, int64_t offset, int64_t first, struct err *err)
{
    return err_set(err, ERR_GAP, "file log: offset %lld is not kept, the log holds %lld to %lld", (long long)offset,
                   (long long)first, (long long)reader->next);
}

enum err_code file_reader_seek(struct file_reader *reader, int64_t offset, struct err *err)
{
    int64_t first, last;
    if (!segment_bounds(reader->folder, offset, &first, &last))
        return offset == 0 || offset == INT64_MAX ? OK : gap(reader, offset, 0, err);
    if (last < 0)
        return gap(reader, offset, first, err);
    enum err_code code = segment_enter(reader, last, err);
    struct log_record discard[DISCARD_RECORDS];
    size_t got = 1;
    while (!code && got && reader->next < offset) {
        int64_t left = offset - reader->next;
        size_t max = left < DISCARD_RECORDS ? (size_t)left : DISCARD_RECORDS;
        code = file_reader_take(reader, discard, max, &got, err);
    }
    if (code)
        return code;
    return offset == INT64_MAX || reader->next == offset ? OK : gap(reader, offset, first, err);
}
