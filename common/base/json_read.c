/* json_read.c -- pulls values out of checked JSON. See json_read.h. */
#include "base/json_read.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* p behind the opening quote; returns the closing one (or end). */
static const char *skip_string(const char *p, const char *end, bool *escaped)
{
    while (p < end && *p != '"') {
        if (*p == '\\') {
            *escaped = true;
            p++;
        }
        if (p < end)
            p++;
    }
    return p;
}

static const char *skip_brackets(const char *p, const char *end)
{
    size_t depth = 0;
    bool ignored;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            p = skip_string(p, end, &ignored);
            p += p < end;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    return p;
}

static const char *skip_word(const char *p, const char *end)
{
    while (p < end && *p != ',' && *p != ']' && *p != '}' && *p != ' ' && *p != '\t' && *p != '\n' && *p != '\r')
        p++;
    return p;
}

static enum json_kind kind_of(char first)
{
    switch (first) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

/* The value at p; *next is behind it. */
static struct json_value pull(const char *p, const char *end, const char **next)
{
    struct json_value value = {JSON_NONE, false, {p, 0}};
    *next = end;
    if (p >= end)
        return value;
    value.kind = kind_of(*p);
    if (value.kind == JSON_STRING) {
        const char *quote = skip_string(p + 1, end, &value.escaped);
        value.raw = slice_make(p + 1, (size_t)(quote - p - 1));
        *next = quote < end ? quote + 1 : end;
        return value;
    }
    bool bracket = value.kind == JSON_OBJECT || value.kind == JSON_ARRAY;
    *next = bracket ? skip_brackets(p, end) : skip_word(p, end);
    value.raw = slice_make(p, (size_t)(*next - p));
    return value;
}

struct json_value json_value_of(struct slice text)
{
    const char *next;
    return pull(skip_blanks(text.p, text.p + text.n), text.p + text.n, &next);
}

struct json_iter json_iter_of(struct json_value container)
{
    assert(container.kind == JSON_OBJECT || container.kind == JSON_ARRAY);
    bool whole = container.raw.n >= 2;
    return (struct json_iter){container.raw.p + (whole ? 1 : 0), container.raw.p + (whole ? container.raw.n - 1 : 0)};
}

bool json_next_item(struct json_iter *iter, struct json_value *value)
{
    iter->p = skip_blanks(iter->p, iter->end);
    if (iter->p < iter->end && *iter->p == ',')
        iter->p = skip_blanks(iter->p + 1, iter->end);
    if (iter->p >= iter->end)
        return false;
    const char *from = iter->p;
    *value = pull(iter->p, iter->end, &iter->p);
    return iter->p > from;
}

bool json_next_member(struct json_iter *iter, struct json_value *name, struct json_value *value)
{
    if (!json_next_item(iter, name))
        return false;
    iter->p = skip_blanks(iter->p, iter->end);
    if (iter->p >= iter->end || *iter->p != ':')
        return false;
    iter->p = skip_blanks(iter->p + 1, iter->end);
    *value = pull(iter->p, iter->end, &iter->p);
    return true;
}

static uint32_t hex4(const char *p, const char *end)
{
    uint32_t unit = 0;
    for (unsigned i = 0; i < 4 && p + i < end; i++) {
        char c = p[i];
        uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        unit = unit << 4 | (digit & 15);
    }
    return unit;
}

static void add_code_point(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_add_byte(out, (uint8_t)(0xf0 | c >> 18));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* p behind the backslash; returns behind the escape. */
static const char *add_escape(struct buf *out, const char *p, const char *end)
{
    static const char letters[] = "bfnrt", meaning[] = "\b\f\n\r\t";
    char c = *p++;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        buf_add_byte(out, (uint8_t)meaning[letter - letters]);
        return p;
    }
    if (c != 'u') {
        buf_add_byte(out, (uint8_t)c);
        return p;
    }
    uint32_t unit = hex4(p, end);
    p = end - p < 4 ? end : p + 4;
    if (unit >= 0xd800 && unit < 0xdc00 && end - p >= 6) {
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (hex4(p + 2, end) & 0x3ff);
        p += 6;
    }
    add_code_point(out, unit);
    return p;
}

struct slice json_string(struct json_value value, struct buf *out)
{
    if (!value.escaped)
        return value.raw;
    size_t start = out->n;
    const char *end = value.raw.p + value.raw.n;
    for (const char *p = value.raw.p; p < end;) {
        if (*p == '\\' && p + 1 < end)
            p = add_escape(out, p + 1, end);
        else
            buf_add_byte(out, (uint8_t)*p++);
    }
    return slice_make(out->p + start, out->n - start);
}

static bool has(struct slice number, const char *characters)
{
    for (size_t i = 0; i < number.n; i++)
        if (strchr(characters, number.p[i]))
            return true;
    return false;
}

enum json_number json_number_int(struct json_value value, int64_t *number)
{
    if (has(value.raw, ".eE"))
        return JSON_NUMBER_FORM;
    if (slice_is(value.raw, "-0")) {
        *number = 0;
        return JSON_NUMBER_OK;
    }
    return text_parse_int(value.raw, number) ? JSON_NUMBER_OK : JSON_NUMBER_RANGE;
}

enum json_number json_number_decimal(struct json_value value, unsigned decimals, int64_t *number)
{
    if (has(value.raw, "eE"))
        return JSON_NUMBER_FORM;
    return text_parse_decimal(value.raw, decimals, number) ? JSON_NUMBER_OK : JSON_NUMBER_RANGE;
}

static bool canonical_number(struct slice raw, struct buf *out)
{
    if (has(raw, "eE"))
        return false;
    if (has(raw, ".")) {
        while (raw.p[raw.n - 1] == '0')
            raw.n--;
        if (raw.p[raw.n - 1] == '.')
            raw.n--;
    }
    buf_add_slice(out, slice_is(raw, "-0") ? SLICE("0") : raw);
    return true;
}

struct member {
    struct slice name; /* decoded */
    struct json_value key, value;
};

static int by_name(const void *a, const void *b)
{
    return slice_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static bool canonical_object(struct json_value value, struct buf *out, struct buf *temp);

static bool canonical_array(struct json_value value, struct buf *out, struct buf *temp)
{
    struct json_iter iter = json_iter_of(value);
    struct json_value item;
    bool first = true;
    buf_add_byte(out, '[');
    while (json_next_item(&iter, &item)) {
        if (!first)
            buf_add_byte(out, ',');
        first = false;
        if (!json_canonical(item, out, temp))
            return false;
    }
    buf_add_byte(out, ']');
    return true;
}

static size_t count_members(struct json_value value)
{
    struct json_iter iter = json_iter_of(value);
    struct json_value name, member;
    size_t n = 0;
    while (json_next_member(&iter, &name, &member))
        n++;
    return n;
}

/* Sorted in memory of its own: this is for plan items, far from any hot path. */
static bool canonical_object(struct json_value value, struct buf *out, struct buf *temp)
{
    size_t n = count_members(value), i = 0;
    struct buf names;
    buf_init(&names);
    buf_reserve(&names, value.raw.n);
    struct member *members = calloc(n ? n : 1, sizeof *members);
    assert(members);
    struct json_iter iter = json_iter_of(value);
    while (i < n && json_next_member(&iter, &members[i].key, &members[i].value)) {
        members[i].name = json_string(members[i].key, &names);
        i++;
    }
    qsort(members, n, sizeof *members, by_name);
    bool ok = true;
    buf_add_byte(out, '{');
    for (i = 0; ok && i < n; i++) {
        if (i)
            buf_add_byte(out, ',');
        text_add_json(out, members[i].name);
        buf_add_byte(out, ':');
        ok = json_canonical(members[i].value, out, temp);
    }
    buf_add_byte(out, '}');
    free(members);
    buf_close(&names);
    return ok;
}

bool json_canonical(struct json_value value, struct buf *out, struct buf *temp)
{
    switch (value.kind) {
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE:
        buf_add_slice(out, value.raw);
        return true;
    case JSON_NUMBER:
        return canonical_number(value.raw, out);
    case JSON_STRING: {
        size_t top = temp->n;
        text_add_json(out, json_string(value, temp));
        temp->n = top;
        return true;
    }
    case JSON_OBJECT:
        return canonical_object(value, out, temp);
    case JSON_ARRAY:
        return canonical_array(value, out, temp);
    case JSON_NONE:
        break;
    }
    return false;
}
