/* conf.c -- reading settings: defaults, file, environment, flags. Printing: conf_print.c. See conf.h. */
#include "base/conf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/conf_value.h"
#include "base/logger.h"
#include "base/yaml.h"

enum { KEY_BYTES_MAX = 96, DEPTH_MAX = 8 };
static const char file_suffix[] = "_file";

/* What is being read: where findings point to and what the origin becomes. */
struct reading {
    struct conf *conf;
    struct findings *findings;
    enum conf_source source;
    const char *file; /* NULL: not a file */
    uint32_t line, column;
    const char *shown; /* how the setting is called here: "topic_prefix", "PACELINE_TOPIC_PREFIX", "--topic-prefix" */
};

static void fail(const struct reading *reading, const char *code, const char *text)
{
    findings_add(reading->findings, reading->file, reading->line, reading->column, code, "%s: %s", reading->shown,
                 text);
}

static const struct conf_key *find_key(const struct conf *conf, struct slice name)
{
    for (const struct conf_key *key = conf->keys; key->key; key++)
        if (slice_is(name, key->key))
            return key;
    return NULL;
}

/* "redis.password_file" names the file of the secret "redis.password". */
static const struct conf_key *find_secret_file(const struct conf *conf, struct slice name)
{
    size_t suffix = sizeof file_suffix - 1;
    if (name.n <= suffix || memcmp(name.p + name.n - suffix, file_suffix, suffix) != 0)
        return NULL;
    const struct conf_key *key = find_key(conf, slice_make(name.p, name.n - suffix));
    return key && key->type == CONF_SECRET ? key : NULL;
}

static void set(const struct reading *reading, const struct conf_key *key, struct slice text)
{
    char why[CONF_WHY_BYTES];
    const char *code = conf_value_set(key, text, reading->conf->target, why);
    if (code) {
        fail(reading, code, why);
        return;
    }
    if (key->type == CONF_SECRET)
        (void)logger_secret_add(text);
    reading->conf->origins[key - reading->conf->keys] = (struct conf_origin){reading->source, reading->line};
}

static ssize_t read_some(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t used = 0;
    ssize_t n = 0;
    while (used < size && (n = read(fd, out + used, size - used)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        used += (size_t)n;
    }
    int error = errno;
    close(fd);
    errno = error;
    return n < 0 ? -1 : (ssize_t)used;
}

static void set_from_file(const struct reading *reading, const struct conf_key *key, const char *path)
{
    char bytes[CONF_SECRET_BYTES_MAX + 3];
    ssize_t n = read_some(path, bytes, sizeof bytes);
    if (n < 0) {
        char why[CONF_WHY_BYTES];
        (void)snprintf(why, sizeof why, "%s cannot be read: %s", path, strerror(errno));
        fail(reading, "bad_value", why);
        return;
    }
    struct slice text = slice_make(bytes, (size_t)n);
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (text.n && text.p[text.n - 1] == '\r')
        text.n--;
    if (text.n == 0)
        fail(reading, "bad_value", "the file of the secret is empty");
    else
        set(reading, key, text);
    explicit_bzero(bytes, sizeof bytes);
}

void conf_init(struct conf *conf, const struct conf_key *keys, const char *prefix, void *target)
{
    *conf = (struct conf){.keys = keys, .prefix = prefix, .target = target};
    for (const struct conf_key *key = keys; key->key; key++) {
        assert(key - keys < CONF_KEYS_MAX);
        char why[CONF_WHY_BYTES];
        const char *code = conf_value_set_default(key, target, why);
        assert(!code);
        (void)code;
    }
}

/* Unknown name: with the nearest known one, in the spelling of this place. */
static void fail_unknown(const struct reading *reading, struct slice name, bool flag)
{
    const char *names[CONF_KEYS_MAX + 1];
    size_t n = 0;
    for (const struct conf_key *key = reading->conf->keys; key->key; key++)
        names[n++] = key->key;
    names[n] = NULL;
    const char *near = did_you_mean(name, names);
    char text[2 * KEY_BYTES_MAX] = "unknown setting";
    if (near) {
        int used = snprintf(text, sizeof text, "unknown setting; did you mean \"%s", flag ? "--" : "");
        for (; *near && used < (int)sizeof text - 3; near++)
            text[used++] = flag && *near == '_' ? '-' : *near;
        (void)snprintf(text + used, sizeof text - (size_t)used, "\"?");
    }
    fail(reading, "unknown_key", text);
}

static bool is_section(const struct conf *conf, struct slice name)
{
    for (const struct conf_key *key = conf->keys; key->key; key++)
        if (strncmp(key->key, name.p, name.n) == 0 && key->key[name.n] == '.')
            return true;
    return false;
}

static void read_map(struct reading *reading, const struct yaml_node *map, struct slice path, int depth);

static void read_entry(struct reading *reading, const struct yaml_node *node, struct slice path, int depth)
{
    char name[KEY_BYTES_MAX];
    int n = snprintf(name, sizeof name, "%.*s%s%.*s", SLICE_ARG(path), path.n ? "." : "", SLICE_ARG(node->key));
    struct slice full = slice_make(name, n < KEY_BYTES_MAX ? (size_t)n : KEY_BYTES_MAX - 1);
    reading->shown = name;
    reading->line = node->key_line;
    reading->column = node->key_column;
    const struct conf_key *key = find_key(reading->conf, full);
    const struct conf_key *secret = key ? NULL : find_secret_file(reading->conf, full);
    if (!key && !secret && is_section(reading->conf, full)) {
        if (node->kind == YAML_MAP && depth < DEPTH_MAX)
            read_map(reading, node, full, depth + 1);
        else
            fail(reading, "bad_type", "a mapping of keys is expected");
        return;
    }
    if (!key && !secret) {
        fail_unknown(reading, full, false);
        return;
    }
    reading->line = node->line;
    reading->column = node->column;
    if (node->kind != YAML_SCALAR)
        fail(reading, "bad_type", "a single value is expected");
    else if (secret)
        set_from_file(reading, secret, node->text.p);
    else
        set(reading, key, node->text);
}

/* A secret given twice on one level: nobody can tell which was meant. */
static void refuse_both(struct reading *reading, const struct yaml_node *map, const struct yaml_node *node)
{
    size_t suffix = sizeof file_suffix - 1;
    if (node->key.n <= suffix || memcmp(node->key.p + node->key.n - suffix, file_suffix, suffix) != 0)
        return;
    for (const struct yaml_node *other = map->first; other; other = other->next)
        if (slice_eq(other->key, slice_make(node->key.p, node->key.n - suffix))) {
            reading->shown = node->key.p;
            reading->line = node->key_line;
            reading->column = node->key_column;
            fail(reading, "bad_value", "both the secret and its file are given: keep one");
        }
}

static void read_map(struct reading *reading, const struct yaml_node *map, struct slice path, int depth)
{
    for (const struct yaml_node *node = map->first; node; node = node->next) {
        refuse_both(reading, map, node);
        read_entry(reading, node, path, depth);
    }
}

void conf_read_file(struct conf *conf, const char *path, bool required, struct findings *findings)
{
    if (!required && access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return;
    struct yaml_doc doc;
    if (yaml_doc_read(&doc, path, findings) == OK) {
        (void)snprintf(conf->file, sizeof conf->file, "%s", path);
        struct reading reading = {.conf = conf, .findings = findings, .source = CONF_FROM_FILE, .file = path};
        if (doc.root->kind == YAML_MAP)
            read_map(&reading, doc.root, SLICE(""), 0);
        else
            (void)yaml_want(&doc, doc.root, YAML_MAP);
    }
    yaml_doc_close(&doc);
}

void conf_read_environment(struct conf *conf, struct findings *findings)
{
    char name[2 * KEY_BYTES_MAX];
    struct reading reading = {.conf = conf, .findings = findings, .source = CONF_FROM_ENVIRONMENT, .shown = name};
    for (const struct conf_key *key = conf->keys; key->key; key++) {
        conf_environment_name(key->key, conf->prefix, "", name, sizeof name);
        const char *value = getenv(name);
        if (value)
            set(&reading, key, slice_of(value));
        if (key->type != CONF_SECRET)
            continue;
        conf_environment_name(key->key, conf->prefix, "_FILE", name, sizeof name);
        const char *path = getenv(name);
        if (path && value)
            fail(&reading, "bad_value", "both the secret and its file are given: keep one");
        else if (path)
            set_from_file(&reading, key, path);
    }
}

void conf_read_flags(struct conf *conf, const char *const *pairs, struct findings *findings)
{
    char shown[KEY_BYTES_MAX + 2];
    struct reading reading = {.conf = conf, .findings = findings, .source = CONF_FROM_FLAG, .shown = shown};
    for (; pairs && pairs[0]; pairs += 2) {
        (void)snprintf(shown, sizeof shown, "--%s", pairs[0]);
        char name[KEY_BYTES_MAX];
        (void)snprintf(name, sizeof name, "%s", pairs[0]);
        for (char *p = name; *p; p++)
            *p = *p == '-' ? '_' : *p;
        const struct conf_key *key = find_key(conf, slice_of(name));
        const struct conf_key *secret = key ? NULL : find_secret_file(conf, slice_of(name));
        if (key)
            set(&reading, key, slice_of(pairs[1]));
        else if (secret)
            set_from_file(&reading, secret, pairs[1]);
        else
            fail_unknown(&reading, slice_of(name), true);
    }
}
