/* reject_body.c -- see reject_body.h. */
#include "ledger/reject_body.h"

enum { REJECT_LAYOUT = 1 };

static void add_text(struct buf *out, struct slice text)
{
    if (text.n > REJECT_TEXT_BYTES_MAX)
        text.n = REJECT_TEXT_BYTES_MAX;
    buf_add_varint(out, text.n);
    buf_add_slice(out, text);
}

static struct slice take_text(struct cursor *in)
{
    uint64_t n = cursor_varint(in);
    if (n > REJECT_TEXT_BYTES_MAX)
        in->bad = true;
    return in->bad ? (struct slice){NULL, 0} : cursor_take(in, n);
}

void reject_body_write(const struct reject_body *reject, struct buf *out)
{
    buf_add_byte(out, REJECT_LAYOUT);
    buf_add_byte(out, reject->reason);
    buf_add_varint(out, reject->bytes);
    buf_add(out, reject->sha256, sizeof reject->sha256);
    buf_add_zigzag(out, reject->at_ms);
    add_text(out, reject->tenant);
    add_text(out, reject->origin);
    add_text(out, reject->field);
    add_text(out, reject->text);
    add_text(out, reject->topic);
    buf_add_varint(out, reject->partition);
    buf_add_zigzag(out, reject->offset);
    buf_add_slice(out, reject->raw);
}

bool reject_body_read(struct slice bytes, struct reject_body *reject)
{
    struct cursor in = cursor_of(bytes);
    if (cursor_byte(&in) != REJECT_LAYOUT)
        return false;
    reject->reason = cursor_byte(&in);
    reject->bytes = cursor_varint(&in);
    struct slice sha256 = cursor_take(&in, REJECT_SHA256_BYTES);
    if (in.bad)
        return false;
    memcpy(reject->sha256, sha256.p, REJECT_SHA256_BYTES);
    reject->at_ms = cursor_zigzag(&in);
    reject->tenant = take_text(&in);
    reject->origin = take_text(&in);
    reject->field = take_text(&in);
    reject->text = take_text(&in);
    reject->topic = take_text(&in);
    uint64_t partition = cursor_varint(&in);
    reject->partition = (uint32_t)partition;
    reject->offset = cursor_zigzag(&in);
    reject->raw = cursor_take(&in, cursor_left(&in));
    return !in.bad && partition <= UINT32_MAX;
}

void reject_body_key(const struct reject_body *reject, struct buf *out)
{
    buf_addf(out, "%.*s/%u/%lld", SLICE_ARG(reject->topic), reject->partition, (long long)reject->offset);
}
