/* file_frame.c -- see file_frame.h. */
#include "log/file_frame.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { CHECKED_FROM = 12, OFFSET_AT = 12, TIME_AT = 20, BATCH_AT = 28, KEY_AT = 32, ORIGIN_AT = 36 };

uint64_t frame_checksum(const void *p, size_t n) { return XXH3_64bits(p, n); }

static void put_u32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void put_u64(uint8_t *p, uint64_t v)
{
    put_u32(p, (uint32_t)v);
    put_u32(p + 4, (uint32_t)(v >> 32));
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_u64(const uint8_t *p) { return (uint64_t)get_u32(p) | (uint64_t)get_u32(p + 4) << 32; }

/* The length is the seed, so that it is covered too. */
static uint64_t frame_hash(const uint8_t *p, uint32_t length)
{
    return XXH3_64bits_withSeed(p + CHECKED_FROM, length, length);
}

void frame_add(struct buf *out, struct slice key, struct slice value, struct slice origin)
{
    size_t length = FRAME_HEADER_BYTES - CHECKED_FROM + key.n + origin.n + value.n;
    buf_add_u32(out, (uint32_t)length);
    static const uint8_t later[KEY_AT - 4];
    buf_add(out, later, sizeof later); /* checksum, offset, time, batch: frame_stamp */
    buf_add_u32(out, key.p ? (uint32_t)key.n + 1 : 0);
    buf_add_u32(out, (uint32_t)origin.n);
    buf_add_slice(out, key);
    buf_add_slice(out, origin);
    buf_add_slice(out, value);
}

size_t frame_stamp(uint8_t *p, int64_t offset, int64_t append_ms, uint32_t batch_bytes)
{
    uint32_t length = get_u32(p);
    put_u64(p + OFFSET_AT, (uint64_t)offset);
    put_u64(p + TIME_AT, (uint64_t)append_ms);
    put_u32(p + BATCH_AT, batch_bytes);
    put_u64(p + 4, frame_hash(p, length));
    return CHECKED_FROM + (size_t)length;
}

/* Bytes of the frame at p if its lengths are possible and all of it is there; 0 otherwise. */
static size_t frame_bytes(const uint8_t *p, size_t n)
{
    if (n < FRAME_HEADER_BYTES)
        return 0;
    size_t bytes = CHECKED_FROM + (size_t)get_u32(p);
    uint32_t key = get_u32(p + KEY_AT);
    uint32_t origin = get_u32(p + ORIGIN_AT);
    if (bytes < FRAME_HEADER_BYTES || bytes > FRAME_BYTES_MAX || bytes > n)
        return 0;
    if (key > LOG_KEY_BYTES_MAX + 1 || origin > LOG_ORIGIN_BYTES_MAX)
        return 0;
    return FRAME_HEADER_BYTES + (key ? key - 1 : 0) + origin <= bytes ? bytes : 0;
}

size_t frame_parse(const uint8_t *p, size_t n, int64_t offset, struct log_record *record)
{
    size_t bytes = frame_bytes(p, n);
    if (!bytes || get_u64(p + OFFSET_AT) != (uint64_t)offset || get_u64(p + 4) != frame_hash(p, get_u32(p)))
        return 0;
    uint32_t key = get_u32(p + KEY_AT);
    size_t key_bytes = key ? key - 1 : 0;
    size_t origin_bytes = get_u32(p + ORIGIN_AT);
    const uint8_t *body = p + FRAME_HEADER_BYTES;
    *record = (struct log_record){
        .offset = offset,
        .append_ms = (int64_t)get_u64(p + TIME_AT),
        .key = slice_make(key ? body : NULL, key_bytes),
        .origin = slice_make(body + key_bytes, origin_bytes),
        .value = slice_make(body + key_bytes + origin_bytes, bytes - FRAME_HEADER_BYTES - key_bytes - origin_bytes),
    };
    return bytes;
}

bool frame_of_later_batch(const uint8_t *p, size_t n, size_t i, int64_t offset)
{
    /* Cheap refusals first: this is asked at every byte. */
    uint64_t ahead = get_u64(p + i + OFFSET_AT) - (uint64_t)offset;
    if (ahead == 0 || ahead > n / FRAME_HEADER_BYTES + 1)
        return false;
    uint32_t batch = get_u32(p + i + BATCH_AT);
    if (batch >= i || !frame_bytes(p + i, n - i))
        return false;
    return get_u64(p + i + 4) == frame_hash(p + i, get_u32(p + i));
}
