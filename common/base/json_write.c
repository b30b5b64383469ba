/* json_write.c -- see json_write.h. */
#include "base/json_write.h"

#include <assert.h>
#include <inttypes.h>

#include "base/text.h"

enum { DECIMALS_MAX = 18, UINT_DIGITS_MAX = 20 };

static void begin_value(struct json_writer *w)
{
    if (w->comma)
        buf_add_byte(w->out, ',');
    w->comma = true;
}

static void open_bracket(struct json_writer *w, uint8_t bracket)
{
    begin_value(w);
    buf_add_byte(w->out, bracket);
    w->comma = false;
}

static void close_bracket(struct json_writer *w, uint8_t bracket)
{
    buf_add_byte(w->out, bracket);
    w->comma = true;
}

void json_object_begin(struct json_writer *w) { open_bracket(w, '{'); }
void json_object_end(struct json_writer *w) { close_bracket(w, '}'); }
void json_array_begin(struct json_writer *w) { open_bracket(w, '['); }
void json_array_end(struct json_writer *w) { close_bracket(w, ']'); }

void json_key_slice(struct json_writer *w, struct slice name)
{
    begin_value(w);
    text_add_json(w->out, name);
    buf_add_byte(w->out, ':');
    w->comma = false;
}

void json_key(struct json_writer *w, const char *name) { json_key_slice(w, slice_of(name)); }

void json_raw(struct json_writer *w, struct slice json)
{
    begin_value(w);
    buf_add_slice(w->out, json);
}

void json_null(struct json_writer *w) { json_raw(w, SLICE("null")); }
void json_bool(struct json_writer *w, bool value) { json_raw(w, value ? SLICE("true") : SLICE("false")); }

void json_uint(struct json_writer *w, uint64_t value)
{
    char digits[UINT_DIGITS_MAX];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    json_raw(w, slice_make(digits + at, sizeof digits - at));
}

static uint64_t magnitude(int64_t value) { return value < 0 ? 0 - (uint64_t)value : (uint64_t)value; }

static void minus(struct json_writer *w)
{
    begin_value(w);
    buf_add_byte(w->out, '-');
    w->comma = false;
}

void json_int(struct json_writer *w, int64_t value)
{
    if (value < 0)
        minus(w);
    json_uint(w, magnitude(value));
}

void json_decimal(struct json_writer *w, int64_t value, unsigned decimals)
{
    assert(decimals <= DECIMALS_MAX);
    uint64_t scale = 1;
    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    if (value < 0)
        minus(w);
    uint64_t whole = magnitude(value) / scale, rest = magnitude(value) % scale;
    json_uint(w, whole);
    if (rest == 0)
        return;
    buf_add_byte(w->out, '.');
    for (scale /= 10; rest > 0; scale /= 10) {
        buf_add_byte(w->out, (uint8_t)('0' + rest / scale));
        rest %= scale;
    }
}

void json_text(struct json_writer *w, struct slice text)
{
    begin_value(w);
    text_add_json(w->out, text);
}

void json_key_int(struct json_writer *w, const char *name, int64_t value)
{
    json_key(w, name);
    json_int(w, value);
}

void json_key_text(struct json_writer *w, const char *name, struct slice text)
{
    json_key(w, name);
    json_text(w, text);
}

void json_key_bool(struct json_writer *w, const char *name, bool value)
{
    json_key(w, name);
    json_bool(w, value);
}
