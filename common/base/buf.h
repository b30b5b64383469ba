/* buf.h -- a growing byte buffer, reused between uses: cleared, never shrunk. One owner.
 *
 * Growth that fails aborts the process: nothing here is sized by unchecked input (callers check bounds first),
 * so running out of memory is a state no service can fold its way out of. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
    uint8_t *p;
    size_t n;   /* bytes used */
    size_t cap; /* bytes allocated */
};

void buf_init(struct buf *buf);
void buf_close(struct buf *buf);                /* frees, leaves it empty and usable */
void buf_reserve(struct buf *buf, size_t more); /* room for `more` bytes behind n */
void buf_add(struct buf *buf, const void *p, size_t n);
void buf_add_slice(struct buf *buf, struct slice s);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_u16(struct buf *buf, uint16_t v); /* little endian */
void buf_add_u32(struct buf *buf, uint32_t v);
void buf_add_u64(struct buf *buf, uint64_t v);
void buf_add_varint(struct buf *buf, uint64_t v); /* LEB128, 1..10 bytes */
void buf_add_zigzag(struct buf *buf, int64_t v);  /* Avro's long: zigzag, then LEB128 */
const char *buf_cstr(struct buf *buf);            /* NUL-terminated view, valid until the next change */
static inline void buf_clear(struct buf *buf) { buf->n = 0; }
static inline struct slice buf_slice(const struct buf *buf) { return (struct slice){(const char *)buf->p, buf->n}; }

/* Reading side: a cursor over borrowed bytes. Every get sets `bad` and yields 0 / empty past the end or on a
 * malformed varint; check `bad` once behind a group of gets. */
struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};
static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){(const uint8_t *)s.p, (const uint8_t *)s.p + s.n, false};
}
uint8_t cursor_byte(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c);
int64_t cursor_zigzag(struct cursor *c);
struct slice cursor_take(struct cursor *c, uint64_t n); /* the next n bytes, borrowed */
static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->p); }

#endif
