/* conf_value.c -- see conf_value.h. */
#include "base/conf_value.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/time_text.h"

static bool bounded(const struct conf_key *key) { return key->min != 0 || key->max != 0; }

static void *field(const struct conf_key *key, void *target) { return (char *)target + key->offset; }

static size_t text_bytes_max(const struct conf_key *key)
{
    size_t room = key->size - 1;
    return key->max > 0 && (size_t)key->max < room ? (size_t)key->max : room;
}

static const char *set_text(const struct conf_key *key, struct slice text, void *target, char why[CONF_WHY_BYTES])
{
    if (text.n > text_bytes_max(key)) {
        (void)snprintf(why, CONF_WHY_BYTES, "at most %zu bytes, it has %zu", text_bytes_max(key), text.n);
        return "too_long";
    }
    if (key->min > 0 && text.n < (size_t)key->min) {
        (void)snprintf(why, CONF_WHY_BYTES, "at least %lld bytes, it has %zu", (long long)key->min, text.n);
        return "bad_value";
    }
    if (!text_valid(text) || text_has_control(text)) {
        (void)snprintf(why, CONF_WHY_BYTES, "UTF-8 text without control characters is expected");
        return "bad_value";
    }
    char *out = field(key, target);
    memcpy(out, text.p, text.n);
    memset(out + text.n, 0, key->size - text.n);
    return NULL;
}

static void add_number(const struct conf_key *key, int64_t value, struct buf *out)
{
    char text[DURATION_TEXT_BYTES];
    if (key->type == CONF_DURATION && value >= 0 && value <= INT64_C(3660) * 24 * 3600 * 1000)
        buf_add(out, text, duration_print((struct duration){DURATION_ELAPSED, value}, text));
    else
        text_add_int(out, value);
}

static const char *set_number(const struct conf_key *key, int64_t value, void *target, char why[CONF_WHY_BYTES])
{
    if (bounded(key) && (value < key->min || value > key->max)) {
        struct buf text = {0};
        buf_add_text(&text, "a value between ");
        add_number(key, key->min, &text);
        buf_add_text(&text, " and ");
        add_number(key, key->max, &text);
        buf_add_text(&text, " is expected, not ");
        add_number(key, value, &text);
        (void)snprintf(why, CONF_WHY_BYTES, "%s", buf_cstr(&text));
        buf_close(&text);
        return "bad_value";
    }
    memcpy(field(key, target), &value, sizeof value);
    return NULL;
}

static const char *refuse(const char *code, const char *expected, struct slice text, char why[CONF_WHY_BYTES])
{
    struct slice shown = text_cut(text, 60);
    (void)snprintf(why, CONF_WHY_BYTES, "%s is expected, not \"%.*s\"", expected, SLICE_ARG(shown));
    return code;
}

static bool parse_size(struct slice text, int64_t *bytes)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
    unsigned shift = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text.n > 3 && slice_is(slice_make(text.p + text.n - 3, 3), units[i].name)) {
            shift = units[i].shift;
            text.n -= 3;
            break;
        }
    int64_t value;
    if (!text_parse_int(text, &value) || value < 0 || value > INT64_MAX >> shift)
        return false;
    *bytes = value << shift;
    return true;
}

const char *conf_value_set(const struct conf_key *key, struct slice text, void *target, char why[CONF_WHY_BYTES])
{
    int64_t value = 0;
    switch (key->type) {
    case CONF_TEXT:
    case CONF_SECRET:
        return set_text(key, text, target, why);
    case CONF_INT:
        if (!text_parse_int(text, &value))
            return refuse("bad_type", "a whole number", text, why);
        return set_number(key, value, target, why);
    case CONF_DURATION:
        if (!duration_parse_ms(text, &value))
            return refuse("bad_duration", "a duration such as 250ms, 30s or 1.5h", text, why);
        return set_number(key, value, target, why);
    case CONF_SIZE:
        if (!parse_size(text, &value))
            return refuse("bad_type", "a size such as 4096, 64KiB or 2GiB", text, why);
        return set_number(key, value, target, why);
    case CONF_BOOL:
        if (!slice_is(text, "true") && !slice_is(text, "false"))
            return refuse("bad_type", "true or false", text, why);
        *(bool *)field(key, target) = slice_is(text, "true");
        return NULL;
    }
    abort(); /* no such type */
}

const char *conf_value_set_default(const struct conf_key *key, void *target, char why[CONF_WHY_BYTES])
{
    bool is_text = key->type == CONF_TEXT || key->type == CONF_SECRET;
    if (is_text && (!key->otherwise || !*key->otherwise)) {
        memset(field(key, target), 0, key->size);
        return NULL;
    }
    return conf_value_set(key, slice_of(key->otherwise), target, why);
}

bool conf_value_needs_quotes(const struct conf_key *key) { return key->type == CONF_TEXT || key->type == CONF_SECRET; }

static void add_size(int64_t bytes, struct buf *out)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    while (unit < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    text_add_int(out, bytes);
    buf_add_text(out, units[unit]);
}

void conf_value_add(const struct conf_key *key, const void *target, struct buf *out)
{
    const char *at = (const char *)target + key->offset;
    int64_t value = 0;
    if (key->type == CONF_INT || key->type == CONF_DURATION || key->type == CONF_SIZE)
        memcpy(&value, at, sizeof value);
    switch (key->type) {
    case CONF_TEXT:
        buf_add_text(out, at);
        break;
    case CONF_SECRET:
        buf_add_text(out, *at ? "***" : "");
        break;
    case CONF_INT:
    case CONF_DURATION:
        add_number(key, value, out);
        break;
    case CONF_SIZE:
        add_size(value, out);
        break;
    case CONF_BOOL:
        buf_add_text(out, *(const bool *)at ? "true" : "false");
        break;
    }
}

const char *conf_type_name(enum conf_type type)
{
    static const char *const names[] = {"text", "secret", "number", "true|false", "duration", "size"};
    return names[type];
}

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

void conf_environment_name(const char *key, const char *prefix, const char *suffix, char *out, size_t size)
{
    int n = snprintf(out, size, "%s_", prefix);
    assert(n >= 0 && (size_t)n + 2 * strlen(key) + strlen(suffix) < size);
    for (; *key; key++) {
        if (*key == '.')
            out[n++] = '_';
        out[n++] = *key == '.' ? '_' : upper(*key);
    }
    (void)snprintf(out + n, size - (size_t)n, "%s", suffix);
}
