/* conf_print.c -- settings for people: what is in force and why, a sample file, the reference. See conf.h. */
#include "base/conf.h"
#include "base/conf_value.h"
#include "base/table.h"
#include "base/text.h"

enum { NAME_BYTES_MAX = 224, COMMENT_COLUMN = 40 };

/* The value as YAML: JSON's strings are YAML's double-quoted ones. */
static void add_yaml_value(const struct conf_key *key, const void *target, struct buf *out)
{
    struct buf value = {0};
    conf_value_add(key, target, &value);
    if (conf_value_needs_quotes(key))
        text_add_json(out, buf_slice(&value));
    else
        buf_add_slice(out, buf_slice(&value));
    buf_close(&value);
}

static void add_origin(const struct conf *conf, const struct conf_key *key, struct buf *out)
{
    char name[NAME_BYTES_MAX];
    struct conf_origin origin = conf->origins[key - conf->keys];
    switch (origin.source) {
    case CONF_FROM_DEFAULT:
        buf_add_text(out, "default");
        break;
    case CONF_FROM_FILE:
        buf_addf(out, "%s:%u", conf->file, (unsigned)origin.line);
        break;
    case CONF_FROM_ENVIRONMENT:
        conf_environment_name(key->key, conf->prefix, "", name, sizeof name);
        buf_addf(out, "environment %s", name);
        break;
    case CONF_FROM_FLAG:
        buf_add_text(out, "flag --");
        for (const char *p = key->key; *p; p++)
            buf_add_byte(out, *p == '_' ? '-' : (uint8_t)*p);
        break;
    }
}

/* Opens the mappings of a dotted key that the key before did not open; returns the indent of its last part. */
static size_t add_sections(const char *before, const char *key, const char *comment, struct buf *out)
{
    size_t start = 0;
    size_t depth = 0;
    bool same = true;
    for (const char *dot; (dot = strchr(key + start, '.')); depth++) {
        size_t end = (size_t)(dot - key);
        same = same && before && strncmp(before, key, end + 1) == 0;
        if (!same)
            buf_addf(out, "%s%*s%.*s:\n", comment, (int)(2 * depth), "", (int)(end - start), key + start);
        start = end + 1;
    }
    return 2 * depth;
}

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

void conf_print(const struct conf *conf, struct buf *out)
{
    const char *before = NULL;
    for (const struct conf_key *key = conf->keys; key->key; key++) {
        size_t indent = add_sections(before, key->key, "", out);
        size_t start = out->n;
        buf_addf(out, "%*s%s: ", (int)indent, "", last_part(key->key));
        add_yaml_value(key, conf->target, out);
        do
            buf_add_byte(out, ' ');
        while (out->n - start < COMMENT_COLUMN);
        buf_add_text(out, "# ");
        add_origin(conf, key, out);
        buf_add_byte(out, '\n');
        before = key->key;
    }
}

static const char *help_of(const struct conf_key *key, bool zh)
{
    return zh && key->help_zh ? key->help_zh : key->help;
}

void conf_sample(const struct conf_key *keys, const char *prefix, bool zh, struct buf *out)
{
    const char *before = NULL;
    char name[NAME_BYTES_MAX];
    for (const struct conf_key *key = keys; key->key; key++) {
        size_t indent = add_sections(before, key->key, "# ", out);
        conf_environment_name(key->key, prefix, key->type == CONF_SECRET ? "_FILE" : "", name, sizeof name);
        buf_addf(out, "# %*s## %s (%s, %s)\n", (int)indent, "", help_of(key, zh), conf_type_name(key->type), name);
        buf_addf(out, "# %*s%s%s: ", (int)indent, "", last_part(key->key), key->type == CONF_SECRET ? "_file" : "");
        if (conf_value_needs_quotes(key))
            text_add_json(out, slice_of(key->otherwise ? key->otherwise : ""));
        else
            buf_add_text(out, key->otherwise);
        buf_add_byte(out, '\n');
        before = key->key;
    }
}

void conf_help(const struct conf_key *keys, const char *prefix, bool zh, struct buf *out)
{
    struct table table;
    char name[NAME_BYTES_MAX];
    table_init(&table, 5);
    static const char *const heads[2][5] = {{"setting", "environment", "type", "default", "meaning"},
                                            {"设置", "环境变量", "类型", "默认值", "含义"}};
    for (size_t i = 0; i < 5; i++)
        table_add_text(&table, heads[zh][i]);
    for (const struct conf_key *key = keys; key->key; key++) {
        conf_environment_name(key->key, prefix, "", name, sizeof name);
        table_add_text(&table, key->key);
        table_add_text(&table, name);
        table_add_text(&table, conf_type_name(key->type));
        table_add_text(&table, key->otherwise && *key->otherwise ? key->otherwise : "-");
        table_add_text(&table, help_of(key, zh));
    }
    table_write(&table, false, out);
    table_close(&table);
}
