/* buf.c -- see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST_BYTES = 256, VARINT_BYTES_MAX = 10 };

void buf_init(struct buf *buf) { *buf = (struct buf){0}; }

void buf_close(struct buf *buf)
{
    free(buf->p);
    *buf = (struct buf){0};
}

void buf_reserve(struct buf *buf, size_t more)
{
    assert(more < SIZE_MAX / 4);
    if (buf->cap - buf->n >= more)
        return;
    size_t cap = buf->cap ? buf->cap : BUF_FIRST_BYTES;
    while (cap - buf->n < more)
        cap *= 2;
    uint8_t *p = realloc(buf->p, cap);
    if (!p) {
        fputs("paceline: out of memory\n", stderr);
        abort();
    }
    buf->p = p;
    buf->cap = cap;
}

void buf_add(struct buf *buf, const void *p, size_t n)
{
    if (n == 0)
        return;
    buf_reserve(buf, n);
    memcpy(buf->p + buf->n, p, n);
    buf->n += n;
}

void buf_add_slice(struct buf *buf, struct slice s) { buf_add(buf, s.p, s.n); }
void buf_add_text(struct buf *buf, const char *text) { buf_add(buf, text, strlen(text)); }

void buf_add_byte(struct buf *buf, uint8_t byte)
{
    if (buf->n == buf->cap)
        buf_reserve(buf, 1);
    buf->p[buf->n++] = byte;
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    buf_reserve(buf, (size_t)n + 1);
    (void)vsnprintf((char *)buf->p + buf->n, (size_t)n + 1, format, again);
    va_end(again);
    buf->n += (size_t)n;
}

void buf_add_u16(struct buf *buf, uint16_t v)
{
    uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    buf_add(buf, b, sizeof b);
}

void buf_add_u32(struct buf *buf, uint32_t v)
{
    uint8_t b[4];
    for (unsigned i = 0; i < sizeof b; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    buf_add(buf, b, sizeof b);
}

void buf_add_u64(struct buf *buf, uint64_t v)
{
    uint8_t b[8];
    for (unsigned i = 0; i < sizeof b; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    buf_add(buf, b, sizeof b);
}

void buf_add_varint(struct buf *buf, uint64_t v)
{
    buf_reserve(buf, VARINT_BYTES_MAX);
    uint8_t *p = buf->p + buf->n;
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    buf->n = (size_t)(p - buf->p);
}

void buf_add_zigzag(struct buf *buf, int64_t v) { buf_add_varint(buf, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63)); }

const char *buf_cstr(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->p[buf->n] = '\0';
    return (const char *)buf->p;
}

static const uint8_t *take(struct cursor *c, size_t n)
{
    if (c->bad || cursor_left(c) < n) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += n;
    return p;
}

uint8_t cursor_byte(struct cursor *c)
{
    const uint8_t *p = take(c, 1);
    return p ? *p : 0;
}

static uint64_t little_endian(struct cursor *c, size_t n)
{
    const uint8_t *p = take(c, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint16_t cursor_u16(struct cursor *c) { return (uint16_t)little_endian(c, 2); }
uint32_t cursor_u32(struct cursor *c) { return (uint32_t)little_endian(c, 4); }
uint64_t cursor_u64(struct cursor *c) { return little_endian(c, 8); }

uint64_t cursor_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *p = take(c, 1);
        if (!p)
            return 0;
        if (shift == 63 && *p > 1)
            break;
        v |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}

int64_t cursor_zigzag(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct slice cursor_take(struct cursor *c, uint64_t n)
{
    if (c->bad || n > cursor_left(c)) {
        c->bad = true;
        return (struct slice){NULL, 0};
    }
    return slice_make(take(c, (size_t)n), (size_t)n);
}
