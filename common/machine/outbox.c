#include "machine/outbox.h"

#include <assert.h>

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
    buf_init(&outbox->bytes);
}

void outbox_close(struct outbox *outbox)
{
    buf_close(&outbox->bytes);
    *outbox = (struct outbox){0};
}

/* The body at an offset and the offset behind it. */
static struct slice body_at(const struct outbox *outbox, size_t offset, size_t *behind)
{
    struct cursor in = cursor_of(slice_make(outbox->bytes.p + offset, outbox->bytes.n - offset));
    uint64_t length = cursor_varint(&in);
    struct slice body = cursor_take(&in, length);
    assert(!in.bad);
    *behind = (size_t)(in.p - outbox->bytes.p);
    return body;
}

/* Forgets what was read back once it is the larger part, so that each byte is moved at most once on average. */
static void compact(struct outbox *outbox)
{
    if (outbox->head == 0 || outbox->head * 2 < outbox->bytes.n)
        return;
    size_t left = outbox->bytes.n - outbox->head;
    if (left)
        memmove(outbox->bytes.p, outbox->bytes.p + outbox->head, left);
    outbox->bytes.n = left;
    outbox->unsent -= outbox->head;
    outbox->head = 0;
}

uint64_t outbox_add(struct outbox *outbox, struct slice body)
{
    buf_add_varint(&outbox->bytes, body.n);
    buf_add_slice(&outbox->bytes, body);
    return ++outbox->last_n;
}

bool outbox_peek(const struct outbox *outbox, uint64_t *n, struct slice *body)
{
    if (outbox->sent_n == outbox->last_n)
        return false;
    size_t behind;
    *body = body_at(outbox, outbox->unsent, &behind);
    *n = outbox->sent_n + 1;
    return true;
}

void outbox_sent(struct outbox *outbox)
{
    assert(outbox->sent_n < outbox->last_n);
    size_t behind;
    body_at(outbox, outbox->unsent, &behind);
    outbox->unsent = behind;
    outbox->sent_n++;
}

void outbox_rewind(struct outbox *outbox)
{
    outbox->unsent = outbox->head;
    outbox->sent_n = outbox->read_n;
}

/* Moves past the oldest body. */
static void drop_oldest(struct outbox *outbox, size_t behind)
{
    outbox->head = behind;
    outbox->read_n++;
    if (outbox->sent_n < outbox->read_n) { /* another owner sent it */
        outbox->sent_n = outbox->read_n;
        outbox->unsent = behind;
    }
    compact(outbox);
}

void outbox_adopt(struct outbox *outbox, uint64_t n)
{
    while (outbox_size(outbox) > 0 && outbox->read_n < n) {
        size_t behind;
        body_at(outbox, outbox->head, &behind);
        drop_oldest(outbox, behind);
    }
    if (outbox->last_n < n)
        outbox->last_n = outbox->read_n = outbox->sent_n = n;
}

enum outbox_answer outbox_read_back(struct outbox *outbox, uint64_t n, struct slice body)
{
    if (n <= outbox->read_n)
        return OUTBOX_REPEAT;
    if (n != outbox->read_n + 1 || n > outbox->last_n)
        return OUTBOX_UNKNOWN;
    size_t behind;
    if (!slice_eq(body_at(outbox, outbox->head, &behind), body))
        return OUTBOX_DIFFERS;
    drop_oldest(outbox, behind);
    return OUTBOX_SAME;
}

bool outbox_oldest(const struct outbox *outbox, struct slice *body)
{
    if (outbox_size(outbox) == 0)
        return false;
    size_t behind;
    *body = body_at(outbox, outbox->head, &behind);
    return true;
}

void outbox_save(const struct outbox *outbox, struct buf *out)
{
    buf_add_varint(out, outbox->last_n);
    buf_add_varint(out, outbox->read_n);
    buf_add_varint(out, outbox->bytes.n - outbox->head);
    buf_add(out, outbox->bytes.p + outbox->head, outbox->bytes.n - outbox->head);
}

/* True if the queue holds exactly the bodies read_n + 1 .. last_n. */
static bool bodies_are_whole(const struct outbox *outbox)
{
    struct cursor in = cursor_of(buf_slice(&outbox->bytes));
    uint64_t count = 0;
    while (cursor_left(&in) > 0 && !in.bad) {
        cursor_take(&in, cursor_varint(&in));
        count++;
    }
    return !in.bad && count == outbox_size(outbox);
}

bool outbox_load(struct outbox *outbox, struct cursor *in)
{
    outbox_close(outbox);
    outbox_init(outbox);
    outbox->last_n = cursor_varint(in);
    outbox->read_n = cursor_varint(in);
    uint64_t length = cursor_varint(in);
    struct slice bodies = cursor_take(in, length);
    if (in->bad || outbox->read_n > outbox->last_n)
        return false;
    buf_add_slice(&outbox->bytes, bodies);
    outbox_rewind(outbox);
    return bodies_are_whole(outbox);
}
