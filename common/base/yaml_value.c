/* yaml_value.c -- looking values up in a YAML tree, typing them, and saying what is wrong. See yaml.h. */
#include <stdarg.h>

#include "base/text.h"
#include "base/yaml.h"

enum { SHOWN_BYTES_MAX = 60 };

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key)
{
    if (!node || node->kind != YAML_MAP)
        return NULL;
    struct slice wanted = slice_of(key);
    for (const struct yaml_node *child = node->first; child; child = child->next)
        if (slice_eq(child->key, wanted))
            return child;
    return NULL;
}

static void fail_at(const struct yaml_doc *doc, uint32_t line, uint32_t column, const char *code, const char *format,
                    va_list args) __attribute__((format(printf, 5, 0)));
static void fail_at(const struct yaml_doc *doc, uint32_t line, uint32_t column, const char *code, const char *format,
                    va_list args)
{
    char text[FINDING_TEXT_BYTES_MAX + 1];
    (void)vsnprintf(text, sizeof text, format, args);
    findings_add(doc->findings, doc->file, line, column, code, "%s", text);
}

void yaml_fail(const struct yaml_doc *doc, const struct yaml_node *node, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_at(doc, node ? node->line : 1, node ? node->column : 1, code, format, args);
    va_end(args);
}

void yaml_fail_key(const struct yaml_doc *doc, const struct yaml_node *node, const char *code, const char *format, ...)
{
    bool keyed = node && node->key_line;
    va_list args;
    va_start(args, format);
    if (keyed)
        fail_at(doc, node->key_line, node->key_column, code, format, args);
    else
        fail_at(doc, node ? node->line : 1, node ? node->column : 1, code, format, args);
    va_end(args);
}

/* What stands there, short enough for a message. */
static struct slice shown(struct slice text)
{
    return text.n <= SHOWN_BYTES_MAX ? text : text_cut(slice_make(text.p, SHOWN_BYTES_MAX), SHOWN_BYTES_MAX);
}

static const char *key_text(const struct yaml_node *node) { return node->key.p ? node->key.p : "value"; }

bool yaml_want(const struct yaml_doc *doc, const struct yaml_node *node, enum yaml_kind kind)
{
    static const char *const names[] = {
        [YAML_SCALAR] = "a single value", [YAML_LIST] = "a list", [YAML_MAP] = "a mapping of keys"};
    if (node && node->kind == kind)
        return true;
    if (!node)
        yaml_fail(doc, NULL, "bad_type", "%s is expected", names[kind]);
    else
        yaml_fail(doc, node, "bad_type", "%s: %s is expected, not %s", key_text(node), names[kind], names[node->kind]);
    return false;
}

static bool is_known(struct slice key, const char *const *known)
{
    for (; *known; known++)
        if (slice_is(key, *known))
            return true;
    return false;
}

bool yaml_check_keys(const struct yaml_doc *doc, const struct yaml_node *map, const char *const *known)
{
    if (!yaml_want(doc, map, YAML_MAP))
        return false;
    bool ok = true;
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        if (is_known(child->key, known))
            continue;
        ok = false;
        const char *near = did_you_mean(child->key, known);
        struct slice key = shown(child->key);
        if (near)
            yaml_fail_key(doc, child, "unknown_key", "unknown key \"%.*s\"; did you mean \"%s\"?", SLICE_ARG(key),
                          near);
        else
            yaml_fail_key(doc, child, "unknown_key", "unknown key \"%.*s\"", SLICE_ARG(key));
    }
    return ok;
}

const struct yaml_node *yaml_require(const struct yaml_doc *doc, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (!node)
        yaml_fail(doc, map, "missing_key", "\"%s\" is missing", key);
    return node;
}

bool yaml_text(const struct yaml_doc *doc, const struct yaml_node *node, size_t bytes_max, struct slice *out)
{
    if (!yaml_want(doc, node, YAML_SCALAR))
        return false;
    if (node->text.n == 0) {
        yaml_fail(doc, node, "bad_value", "%s: a text is expected, it is empty", key_text(node));
        return false;
    }
    if (node->text.n > bytes_max) {
        yaml_fail(doc, node, "too_long", "%s: at most %zu bytes, it has %zu", key_text(node), bytes_max, node->text.n);
        return false;
    }
    *out = node->text;
    return true;
}

bool yaml_int(const struct yaml_doc *doc, const struct yaml_node *node, int64_t min, int64_t max, int64_t *out)
{
    if (!yaml_want(doc, node, YAML_SCALAR))
        return false;
    int64_t value;
    struct slice text = shown(node->text);
    if (node->quoted || !text_parse_int(node->text, &value)) {
        yaml_fail(doc, node, "bad_type", "%s: a whole number is expected, not \"%.*s\"", key_text(node),
                  SLICE_ARG(text));
        return false;
    }
    if (value < min || value > max) {
        yaml_fail(doc, node, "bad_value", "%s: %lld is not between %lld and %lld", key_text(node), (long long)value,
                  (long long)min, (long long)max);
        return false;
    }
    *out = value;
    return true;
}

bool yaml_bool(const struct yaml_doc *doc, const struct yaml_node *node, bool *out)
{
    if (!yaml_want(doc, node, YAML_SCALAR))
        return false;
    bool yes = slice_is(node->text, "true");
    if (node->quoted || (!yes && !slice_is(node->text, "false"))) {
        struct slice text = shown(node->text);
        yaml_fail(doc, node, "bad_type", "%s: true or false is expected, not \"%.*s\"", key_text(node),
                  SLICE_ARG(text));
        return false;
    }
    *out = yes;
    return true;
}

/* "a, b or c", as many as fit. */
static void list_words(const char *const *words, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; words[i] && n < size; i++) {
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        n += (size_t)snprintf(out + n, size - n, "%s%s", between, words[i]);
    }
}

bool yaml_word(const struct yaml_doc *doc, const struct yaml_node *node, const char *const *words, int *out)
{
    if (!yaml_want(doc, node, YAML_SCALAR))
        return false;
    for (int i = 0; words[i]; i++)
        if (slice_is(node->text, words[i])) {
            *out = i;
            return true;
        }
    char list[FINDING_TEXT_BYTES_MAX / 2];
    list_words(words, list, sizeof list);
    struct slice text = shown(node->text);
    const char *near = did_you_mean(node->text, words);
    if (near)
        yaml_fail(doc, node, "bad_enum", "%s: \"%.*s\" is none of %s; did you mean \"%s\"?", key_text(node),
                  SLICE_ARG(text), list, near);
    else
        yaml_fail(doc, node, "bad_enum", "%s: \"%.*s\" is none of %s", key_text(node), SLICE_ARG(text), list);
    return false;
}
