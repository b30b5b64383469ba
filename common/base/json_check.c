/* json_check.c -- is this JSON? See json_read.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/json_read.h"
#include "base/text.h"

struct checker {
    const char *start;
    const char *p;
    const char *end;
    struct buf *names; /* hashes of the names of all open objects, the innermost last */
    const char *duplicate;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four hex digits behind \u; -1 if they are not. */
static int32_t escape_unit(const char *p, const char *end)
{
    int32_t unit = 0;
    if (end - p < 4)
        return -1;
    for (unsigned i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high(int32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
static bool is_low(int32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

/* p behind the backslash of an escape; returns behind it, *lone if it is half a surrogate pair. */
static const char *scan_escape(const char *p, const char *end, bool *lone)
{
    if (p == end || *p != 'u')
        return p == end ? p : p + 1;
    int32_t unit = escape_unit(p + 1, end);
    if (unit < 0)
        return p + 1;
    p += 5;
    if (is_low(unit))
        *lone = true;
    if (!is_high(unit))
        return p;
    if (end - p >= 6 && p[0] == '\\' && p[1] == 'u' && is_low(escape_unit(p + 2, end)))
        return p + 6;
    *lone = true;
    return p;
}

/* Faults that are seen without grammar: strings are what stands between quotes. */
static enum json_fault scan(struct slice text, unsigned depth_max, size_t *offset)
{
    bool inside = false, lone = false;
    size_t depth = 0, too_deep = SIZE_MAX;
    const char *end = text.p + text.n;
    for (const char *p = text.p; p < end;) {
        char c = *p++;
        *offset = (size_t)(p - 1 - text.p);
        if (c == '"')
            inside = !inside;
        else if (inside && c == '\\')
            p = scan_escape(p, end, &lone);
        else if (!inside && (c == '{' || c == '['))
            depth++;
        else if (!inside && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (lone)
            return JSON_BAD_UTF8;
        if (depth > depth_max && too_deep == SIZE_MAX)
            too_deep = *offset;
    }
    *offset = too_deep == SIZE_MAX ? 0 : too_deep;
    return too_deep == SIZE_MAX ? JSON_OK : JSON_TOO_DEEP;
}

static void skip_blanks(struct checker *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

static bool expect(struct checker *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
        return false;
    c->p += n;
    return true;
}

static bool check_string(struct checker *c)
{
    if (!expect(c, "\""))
        return false;
    while (c->p < c->end) {
        char byte = *c->p++;
        if (byte == '"')
            return true;
        if ((uint8_t)byte < 0x20)
            return false;
        if (byte != '\\')
            continue;
        if (c->p == c->end)
            return false;
        if (*c->p == 'u') {
            if (escape_unit(c->p + 1, c->end) < 0)
                return false;
            c->p += 5;
        } else if (!memchr("\"\\/bfnrt", *c->p, 8)) {
            return false;
        } else {
            c->p++;
        }
    }
    return false;
}

static bool digits(struct checker *c)
{
    const char *from = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > from;
}

static bool check_number(struct checker *c)
{
    if (c->p < c->end && *c->p == '-')
        c->p++;
    const char *first = c->p;
    if (!digits(c) || (*first == '0' && c->p - first > 1))
        return false;
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!digits(c))
            return false;
    }
    if (c->p == c->end || (*c->p != 'e' && *c->p != 'E'))
        return true;
    c->p++;
    if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
        c->p++;
    return digits(c);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* Names are compared by hash: who makes two collide has only his own event refused. */
static void add_name(struct checker *c, struct slice raw)
{
    struct json_value name = {JSON_STRING, raw.n > 0 && memchr(raw.p, '\\', raw.n), raw};
    size_t top = c->names->n;
    buf_reserve(c->names, raw.n + sizeof(uint64_t));
    struct slice text = json_string(name, c->names);
    uint64_t hash = XXH3_64bits(text.p, text.n);
    c->names->n = top;
    buf_add(c->names, &hash, sizeof hash);
}

static void end_names(struct checker *c, size_t from, const char *at)
{
    size_t n = (c->names->n - from) / sizeof(uint64_t);
    uint64_t previous, hash;
    if (n > 1)
        qsort(c->names->p + from, n, sizeof(uint64_t), by_hash);
    for (size_t i = 1; i < n && !c->duplicate; i++) {
        memcpy(&previous, c->names->p + from + (i - 1) * sizeof hash, sizeof hash);
        memcpy(&hash, c->names->p + from + i * sizeof hash, sizeof hash);
        if (previous == hash)
            c->duplicate = at;
    }
    c->names->n = from;
}

static bool check_value(struct checker *c);

static bool check_member(struct checker *c)
{
    skip_blanks(c);
    const char *name = c->p + 1;
    if (!check_string(c))
        return false;
    add_name(c, slice_make(name, (size_t)(c->p - 1 - name)));
    skip_blanks(c);
    return expect(c, ":") && check_value(c);
}

/* Members or items up to the closing bracket. */
static bool check_inside(struct checker *c, const char *close, bool (*one)(struct checker *))
{
    skip_blanks(c);
    if (expect(c, close))
        return true;
    do {
        if (!one(c))
            return false;
        skip_blanks(c);
    } while (expect(c, ","));
    return expect(c, close);
}

static bool check_object(struct checker *c)
{
    const char *at = c->p++;
    size_t names = c->names->n;
    if (!check_inside(c, "}", check_member))
        return false;
    end_names(c, names, at);
    return true;
}

/* Recursion is bounded: the scan found at most depth_max open brackets. */
static bool check_value(struct checker *c)
{
    skip_blanks(c);
    if (c->p == c->end)
        return false;
    switch (*c->p) {
    case '{':
        return check_object(c);
    case '[':
        c->p++;
        return check_inside(c, "]", check_value);
    case '"':
        return check_string(c);
    case 't':
        return expect(c, "true");
    case 'f':
        return expect(c, "false");
    case 'n':
        return expect(c, "null");
    default:
        return check_number(c);
    }
}

enum json_fault json_check(struct slice text, unsigned depth_max, struct buf *scratch, size_t *offset)
{
    assert(depth_max <= JSON_DEPTH_MAX);
    *offset = 0;
    if (!text_valid(text))
        return JSON_BAD_UTF8;
    enum json_fault fault = scan(text, depth_max, offset);
    if (fault != JSON_OK)
        return fault;
    struct checker c = {text.p, text.p, text.p + text.n, scratch, NULL};
    buf_clear(scratch);
    bool ok = check_value(&c);
    skip_blanks(&c);
    *offset = (size_t)((ok && c.duplicate ? c.duplicate : c.p) - text.p);
    if (!ok || c.p != c.end)
        return JSON_BAD_SYNTAX;
    return c.duplicate ? JSON_DUPLICATE_KEY : JSON_OK;
}
