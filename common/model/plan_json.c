/* plan_json.c -- recursive descent over at most 16 levels, into one arena. */
#include "model/plan_json.h"

#include <stdlib.h>

/* One allocation, nodes first, unescaped texts behind them. A node or a text byte costs at least one byte of input, so
 * both bounds are known before the first is made. */
struct parser {
    const char *at, *end;
    struct yaml_node *nodes;
    size_t node_count;
    char *text;
};

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->end && memchr(" \t\r\n", *parser->at, 4))
        parser->at++;
}

static bool take(struct parser *parser, char byte)
{
    skip_blanks(parser);
    if (parser->at == parser->end || *parser->at != byte)
        return false;
    parser->at++;
    return true;
}

static bool take_hex(struct parser *parser, uint32_t *code)
{
    *code = 0;
    if (parser->end - parser->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *parser->at++;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit > 15)
            return false;
        *code = *code << 4 | digit;
    }
    return true;
}

static void put_utf8(struct parser *parser, uint32_t code)
{
    if (code < 0x80)
        *parser->text++ = (char)code;
    else if (code < 0x800) {
        *parser->text++ = (char)(0xc0 | code >> 6);
        *parser->text++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *parser->text++ = (char)(0xe0 | code >> 12);
        *parser->text++ = (char)(0x80 | (code >> 6 & 0x3f));
        *parser->text++ = (char)(0x80 | (code & 0x3f));
    } else {
        *parser->text++ = (char)(0xf0 | code >> 18);
        *parser->text++ = (char)(0x80 | (code >> 12 & 0x3f));
        *parser->text++ = (char)(0x80 | (code >> 6 & 0x3f));
        *parser->text++ = (char)(0x80 | (code & 0x3f));
    }
}

static bool take_unicode(struct parser *parser)
{
    uint32_t code, low;
    if (!take_hex(parser, &code) || code == 0 || (code >= 0xdc00 && code < 0xe000))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (parser->end - parser->at < 2 || parser->at[0] != '\\' || parser->at[1] != 'u')
            return false;
        parser->at += 2;
        if (!take_hex(parser, &low) || low < 0xdc00 || low >= 0xe000)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(parser, code);
    return true;
}

static bool take_escape(struct parser *parser)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (parser->at == parser->end)
        return false;
    char c = *parser->at++;
    if (c == 'u')
        return take_unicode(parser);
    const char *found = memchr(names, c, sizeof names - 1);
    if (!found)
        return false;
    *parser->text++ = bytes[found - names];
    return true;
}

static bool take_string(struct parser *parser, struct slice *string)
{
    if (!take(parser, '"'))
        return false;
    char *begin = parser->text;
    while (parser->at < parser->end && *parser->at != '"') {
        if ((unsigned char)*parser->at < 0x20)
            return false;
        if (*parser->at != '\\')
            *parser->text++ = *parser->at++;
        else {
            parser->at++;
            if (!take_escape(parser))
                return false;
        }
    }
    if (parser->at == parser->end)
        return false;
    parser->at++;
    *string = (struct slice){begin, (size_t)(parser->text - begin)};
    *parser->text++ = 0;
    return true;
}

static bool take_bare(struct parser *parser, struct slice *word)
{
    char *begin = parser->text;
    while (parser->at < parser->end && !memchr(" \t\r\n,:[]{}\"", *parser->at, 11))
        *parser->text++ = *parser->at++;
    *word = (struct slice){begin, (size_t)(parser->text - begin)};
    *parser->text++ = 0;
    return word->n > 0;
}

static struct yaml_node *new_node(struct parser *parser, enum yaml_kind kind)
{
    struct yaml_node *node = &parser->nodes[parser->node_count++];
    *node = (struct yaml_node){.kind = kind, .line = 1, .column = 1};
    return node;
}

static struct yaml_node *take_value(struct parser *parser, unsigned depth);

static bool has_key(const struct yaml_node *map, struct slice key)
{
    for (const struct yaml_node *child = map->first; child; child = child->next)
        if (slice_eq(child->key, key))
            return true;
    return false;
}

static struct yaml_node *take_children(struct parser *parser, enum yaml_kind kind, char close, unsigned depth)
{
    struct yaml_node *parent = new_node(parser, kind), *last = NULL;
    if (take(parser, close))
        return parent;
    do {
        struct slice key = {0};
        if (kind == YAML_MAP &&
            (!take_string(parser, &key) || key.n > YAML_KEY_BYTES_MAX || has_key(parent, key) || !take(parser, ':')))
            return NULL;
        struct yaml_node *child = take_value(parser, depth + 1);
        if (!child)
            return NULL;
        child->key = key;
        if (last)
            last->next = child;
        else
            parent->first = child;
        last = child;
        parent->count++;
    } while (take(parser, ','));
    return take(parser, close) ? parent : NULL;
}

static struct yaml_node *take_value(struct parser *parser, unsigned depth)
{
    if (depth > PLAN_JSON_DEPTH_MAX)
        return NULL;
    if (take(parser, '{'))
        return take_children(parser, YAML_MAP, '}', depth);
    if (take(parser, '['))
        return take_children(parser, YAML_LIST, ']', depth);
    struct yaml_node *node = new_node(parser, YAML_SCALAR);
    skip_blanks(parser);
    node->quoted = parser->at < parser->end && *parser->at == '"';
    bool ok = node->quoted ? take_string(parser, &node->text) : take_bare(parser, &node->text);
    return ok ? node : NULL;
}

bool plan_tree_parse(struct plan_tree *tree, struct slice json)
{
    *tree = (struct plan_tree){0};
    if (json.n == 0 || json.n > PLAN_JSON_BYTES_MAX)
        return false;
    /* A node takes a byte at least ("[[["), a text its own bytes and the NUL in place of a quote or a separator. */
    size_t nodes_max = json.n + 2;
    tree->memory = malloc(nodes_max * sizeof(struct yaml_node) + 2 * json.n + 16);
    if (!tree->memory)
        abort();
    struct parser parser = {json.p, json.p + json.n, tree->memory, 0, NULL};
    parser.text = (char *)(parser.nodes + nodes_max);
    tree->root = take_value(&parser, 0);
    skip_blanks(&parser);
    if (!tree->root || parser.at != parser.end) {
        plan_tree_close(tree);
        return false;
    }
    return true;
}

void plan_tree_close(struct plan_tree *tree)
{
    free(tree->memory);
    *tree = (struct plan_tree){0};
}

struct slice plan_text(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node && node->kind == YAML_SCALAR ? node->text : (struct slice){"", 0};
}

void plan_write_json_text(struct buf *out, struct slice text)
{
    static const char names[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        const char *found = memchr(bytes, c, sizeof bytes - 1);
        if (found) {
            buf_add_byte(out, '\\');
            buf_add_byte(out, (uint8_t)names[found - bytes]);
        } else if (c < 0x20)
            buf_addf(out, "\\u%04x", c);
        else
            buf_add_byte(out, c);
    }
    buf_add_byte(out, '"');
}
