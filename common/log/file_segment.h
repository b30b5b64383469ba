/* file_segment.h -- the bytes of the file log: frames in segments, and a reader that follows them while they grow.
 *
 * FOLDER/<topic>/<partition>/<first offset, 20 digits>.seg: a header, then frames with consecutive offsets. A frame is
 * whole (length and checksum agree) or it is not there. A frame that is not whole at the end of the last segment is
 * what a crash leaves, or an append under way: readers wait before it, the next appender (who holds the lock) cuts it
 * off. The same in front of frames of a later batch is damage: a batch is written only when the one before it was
 * complete, so that is ERR_CORRUPT, never skipped. To tell the two apart a frame knows how far behind its batch's first
 * byte it lies.
 *
 * Segment header, 32 bytes, little endian: "PLSEG1\0\0", first offset i64, append_ms of the record before i64, XXH3-64
 * of these. Frame: bytes after the checksum u32, XXH3-64 of what follows and of the length u64, offset i64, append_ms
 * i64, distance to its batch u32, key bytes + 1 or 0 for no key u32, origin bytes u32, key, origin, value. */
#ifndef LOG_FILE_SEGMENT_H
#define LOG_FILE_SEGMENT_H

#include "base/buf.h"
#include "log/log_impl.h"

enum {
    SEGMENT_BYTES = 64 * 1024 * 1024, /* a new one is begun behind this */
    SEGMENT_HEADER_BYTES = 32,
    SEGMENT_NAME_BYTES = 28,
    FRAME_HEADER_BYTES = 40,
    FRAME_BYTES_MAX = FRAME_HEADER_BYTES + LOG_KEY_BYTES_MAX + LOG_ORIGIN_BYTES_MAX + LOG_VALUE_BYTES_MAX,
};
#define SEGMENT_NO_TIME_MS INT64_MIN

/* Appends a frame to `out` with what is known before the lock is held; frame_stamp gives it its place. */
void frame_add(struct buf *out, struct slice key, struct slice value, struct slice origin);
/* Stamps the frame at p; returns its bytes. `batch_bytes` lie between the batch's first byte and p. */
size_t frame_stamp(uint8_t *p, int64_t offset, int64_t append_ms, uint32_t batch_bytes);

void segment_name(char name[SEGMENT_NAME_BYTES], int64_t first_offset);
/* Makes a new segment, durable as a whole when `sync`. */
enum err_code segment_create(int folder, int64_t first_offset, int64_t last_append_ms, bool sync, struct err *err);
/* Offsets of the first segment and of the last one that begins at or before `offset`; false: there is none. */
bool segment_bounds(int folder, int64_t offset, int64_t *first, int64_t *last);

/* Follows one partition. The window holds file bytes from `at - taken` on; records handed out point into it. */
struct file_reader {
    int folder; /* of the partition, borrowed */
    int fd;     /* of the present segment; -1: there is none yet */
    int64_t base;
    int64_t at;              /* byte at which the frame of `next` begins */
    int64_t next;            /* offset of the next record */
    int64_t last_ms;         /* append time of the record before */
    int64_t undamaged_bytes; /* size of the file at which what follows `at` was found to be a torn tail */
    struct buf window;
    size_t taken;
};
void file_reader_init(struct file_reader *reader, int folder);
void file_reader_close(struct file_reader *reader);
/* To the record of `offset`, INT64_MAX = behind the last whole one. ERR_GAP: it is not kept, or beyond the end. */
enum err_code file_reader_seek(struct file_reader *reader, int64_t offset, struct err *err);
/* Up to max records, borrowed until the next call; 0: nothing whole is here now. */
enum err_code file_reader_take(struct file_reader *reader, struct log_record *out, size_t max, size_t *got,
                               struct err *err);
/* To where `other` (same partition) stands, without reading. */
void file_reader_follow(struct file_reader *reader, const struct file_reader *other);
enum err_code file_reader_to_end(struct file_reader *reader, struct err *err);
/* For who holds the lock: bytes behind the last whole frame (a torn tail), behind file_reader_to_end. */
int64_t file_reader_torn_bytes(const struct file_reader *reader);

#endif
