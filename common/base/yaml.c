/* yaml.c -- the tree: libyaml's events become nodes. Typed readers: yaml_value.c. See yaml.h. */
#include "base/yaml.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/text.h"

/* Nodes and texts live in chunks: they never move and are freed together. */
enum { CHUNK_BYTES = 64 * 1024, ALIGN_BYTES = sizeof(void *), DUPLICATES_BY_SORT_FROM = 16 };
struct yaml_chunk {
    struct yaml_chunk *next;
    size_t used, cap;
    _Alignas(max_align_t) char bytes[];
};

static void *allocate(struct yaml_doc *doc, size_t n)
{
    n = (n + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    struct yaml_chunk *chunk = doc->chunks;
    if (!chunk || chunk->cap - chunk->used < n) {
        size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;
        chunk = memory_must(malloc(sizeof *chunk + cap));
        *chunk = (struct yaml_chunk){.next = doc->chunks, .cap = cap};
        doc->chunks = chunk;
    }
    void *p = chunk->bytes + chunk->used;
    chunk->used += n;
    return p;
}

static struct slice copy_text(struct yaml_doc *doc, const char *p, size_t n)
{
    char *copy = allocate(doc, n + 1);
    memcpy(copy, p, n);
    copy[n] = '\0';
    return (struct slice){copy, n};
}

/* One open collection while events come in. */
struct level {
    struct yaml_node *node;
    struct yaml_node *last; /* newest child */
    bool has_key;           /* mapping: a key is waiting for its value */
    struct slice key;
    uint32_t key_line, key_column;
};
struct builder {
    struct yaml_doc *doc;
    yaml_parser_t *parser;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
    struct yaml_node *root;
    uint32_t documents;
    bool stop; /* a bound was met: no tree */
};

static uint32_t place(size_t mark) { return mark < UINT32_MAX ? (uint32_t)mark + 1 : UINT32_MAX; }

static void report(const struct builder *b, yaml_mark_t at, const char *code, const char *text)
{
    findings_add(b->doc->findings, b->doc->file, place(at.line), place(at.column), code, "%s", text);
}

static void give_up(struct builder *b, yaml_mark_t at, const char *code, const char *text)
{
    report(b, at, code, text);
    b->stop = true;
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, yaml_mark_t at)
{
    if (b->doc->node_count == YAML_NODES_MAX) {
        give_up(b, at, "too_many", "too many values in one file");
        return NULL;
    }
    b->doc->node_count++;
    struct yaml_node *node = allocate(b->doc, sizeof *node);
    *node = (struct yaml_node){.kind = kind, .line = place(at.line), .column = place(at.column)};
    return node;
}

/* Puts a value under the collection that is open, or makes it the root. */
static void attach(struct builder *b, struct yaml_node *node)
{
    if (b->depth == 0) {
        b->root = node;
        return;
    }
    struct level *level = &b->levels[b->depth - 1];
    if (level->node->kind == YAML_MAP) {
        node->key = level->key;
        node->key_line = level->key_line;
        node->key_column = level->key_column;
        level->has_key = false;
    }
    if (level->last)
        level->last->next = node;
    else
        level->node->first = node;
    level->last = node;
    level->node->count++;
}

static bool wants_key(const struct builder *b)
{
    return b->depth && b->levels[b->depth - 1].node->kind == YAML_MAP && !b->levels[b->depth - 1].has_key;
}

static void take_key(struct builder *b, yaml_mark_t at, struct slice key)
{
    struct level *level = &b->levels[b->depth - 1];
    if (key.n > YAML_KEY_BYTES_MAX)
        report(b, at, "too_long", "a key of more than 256 bytes");
    level->key = copy_text(b->doc, key.p, key.n);
    level->key_line = place(at.line);
    level->key_column = place(at.column);
    level->has_key = true;
}

static void refuse_marks(const struct builder *b, yaml_mark_t at, const void *anchor, const void *tag)
{
    if (anchor)
        report(b, at, "syntax", "anchors (&name) are not used here: write the value where it belongs");
    if (tag)
        report(b, at, "syntax", "tags (!name) are not used here: the tables of the format type the values");
}

static void on_scalar(struct builder *b, const yaml_event_t *event)
{
    refuse_marks(b, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
    struct slice text = slice_make(event->data.scalar.value, event->data.scalar.length);
    if (memchr(text.p, '\0', text.n))
        report(b, event->start_mark, "bad_value", "a NUL character within a value");
    if (wants_key(b)) {
        take_key(b, event->start_mark, text);
        return;
    }
    struct yaml_node *node = new_node(b, YAML_SCALAR, event->start_mark);
    if (!node)
        return;
    node->text = copy_text(b->doc, text.p, text.n);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    attach(b, node);
}

static void on_open(struct builder *b, yaml_mark_t at, enum yaml_kind kind, const void *anchor, const void *tag)
{
    refuse_marks(b, at, anchor, tag);
    if (wants_key(b)) {
        give_up(b, at, "syntax", "a list or mapping cannot be a key");
        return;
    }
    if (b->depth == YAML_DEPTH_MAX) {
        give_up(b, at, "too_many", "nested too deeply (at most 64 levels)");
        return;
    }
    struct yaml_node *node = new_node(b, kind, at);
    if (!node)
        return;
    attach(b, node);
    b->levels[b->depth++] = (struct level){.node = node};
}

static void report_duplicate(const struct builder *b, const struct yaml_node *again, const struct yaml_node *first)
{
    findings_add(b->doc->findings, b->doc->file, again->key_line, again->key_column, "duplicate_id",
                 "key \"%.*s\" stands here already, in line %u", SLICE_ARG(again->key), (unsigned)first->key_line);
}

static int by_key_then_place(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left;
    const struct yaml_node *b = *(const struct yaml_node *const *)right;
    int order = slice_cmp(a->key, b->key);
    if (order)
        return order;
    if (a->key_line != b->key_line)
        return a->key_line < b->key_line ? -1 : 1;
    return a->key_column < b->key_column ? -1 : a->key_column > b->key_column;
}

/* Small mappings pairwise, large ones by sorting: a hostile file must not cost a square. */
static void check_duplicates(const struct builder *b, const struct yaml_node *map)
{
    if (map->count < DUPLICATES_BY_SORT_FROM) {
        for (const struct yaml_node *again = map->first; again; again = again->next)
            for (const struct yaml_node *first = map->first; first != again; first = first->next)
                if (slice_eq(first->key, again->key)) {
                    report_duplicate(b, again, first);
                    break;
                }
        return;
    }
    const struct yaml_node **sorted = memory_must(malloc(map->count * sizeof *sorted));
    size_t n = 0;
    for (const struct yaml_node *child = map->first; child; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof *sorted, by_key_then_place);
    for (size_t first = 0, i = 1; i < n; i++) {
        if (slice_eq(sorted[first]->key, sorted[i]->key))
            report_duplicate(b, sorted[i], sorted[first]);
        else
            first = i;
    }
    free(sorted);
}

static void on_close(struct builder *b)
{
    assert(b->depth > 0);
    b->depth--;
    if (b->levels[b->depth].node->kind == YAML_MAP)
        check_duplicates(b, b->levels[b->depth].node);
}

/* An alias stands for an empty value, so that the rest of the file is still checked. */
static void on_alias(struct builder *b, yaml_mark_t at)
{
    report(b, at, "syntax", "aliases (*name) are not used here: write the value where it belongs");
    if (wants_key(b)) {
        take_key(b, at, SLICE("*"));
        return;
    }
    struct yaml_node *node = new_node(b, YAML_SCALAR, at);
    if (!node)
        return;
    node->text = copy_text(b->doc, "", 0);
    attach(b, node);
}

static void on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(b, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_open(b, event->start_mark, YAML_LIST, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        on_open(b, event->start_mark, YAML_MAP, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(b);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, event->start_mark);
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (++b->documents == 2)
            give_up(b, event->start_mark, "syntax", "a second document: a file holds one");
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

static void on_syntax_error(struct builder *b)
{
    const yaml_parser_t *p = b->parser;
    findings_add(b->doc->findings, b->doc->file, place(p->problem_mark.line), place(p->problem_mark.column), "syntax",
                 "%s%s%s", p->problem ? p->problem : "not YAML", p->context ? " " : "", p->context ? p->context : "");
    b->stop = true;
}

static void build(struct builder *b)
{
    bool end = false;
    while (!end && !b->stop) {
        yaml_event_t event;
        if (!yaml_parser_parse(b->parser, &event)) {
            on_syntax_error(b);
            return;
        }
        on_event(b, &event);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
}

/* Line and column of a byte, for what libyaml would place less well. */
static void report_bad_utf8(struct yaml_doc *doc, struct slice bytes)
{
    const char *end = bytes.p + bytes.n;
    uint32_t line = 1;
    uint32_t column = 1;
    for (const char *p = bytes.p; p < end;) {
        size_t n = text_char(p, end, NULL);
        if (n == 0)
            break;
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
        p += n;
    }
    findings_add(doc->findings, doc->file, line, column, "syntax", "not UTF-8: save the file as UTF-8");
}

static bool bounds_ok(struct yaml_doc *doc, struct slice bytes)
{
    if (bytes.n > YAML_FILE_BYTES_MAX) {
        findings_add(doc->findings, doc->file, 1, 1, "too_long", "more than 64 MiB");
        return false;
    }
    if (!text_valid(bytes)) {
        report_bad_utf8(doc, bytes);
        return false;
    }
    return true;
}

/* A file without a value, such as one of comments only, gives nothing: its reader says what is missing. */
static const struct yaml_node *empty_mapping(struct yaml_doc *doc)
{
    struct yaml_node *node = allocate(doc, sizeof *node);
    *node = (struct yaml_node){.kind = YAML_MAP, .line = 1, .column = 1};
    doc->node_count++;
    return node;
}

enum err_code yaml_doc_parse(struct yaml_doc *doc, const char *name, struct slice bytes, struct findings *findings)
{
    *doc = (struct yaml_doc){.file = memory_must(strdup(name)), .findings = findings};
    static const struct slice bom = {"\xef\xbb\xbf", 3};
    if (bytes.n >= bom.n && memcmp(bytes.p, bom.p, bom.n) == 0)
        bytes = slice_make(bytes.p + bom.n, bytes.n - bom.n);
    if (!bounds_ok(doc, bytes))
        return ERR_CONFIG;

    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        memory_must(NULL);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(bytes.n ? bytes.p : ""), bytes.n);
    struct builder b = {.doc = doc, .parser = &parser};
    build(&b);
    yaml_parser_delete(&parser);

    if (b.stop)
        return ERR_CONFIG;
    doc->root = b.root ? b.root : empty_mapping(doc);
    return OK;
}

static enum err_code code_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return ERR_MISSING;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    default:
        return ERR_UNAVAILABLE;
    }
}

/* Reads at most one byte more than is allowed, so that the parser's bound reports it. */
static int read_all(int fd, struct buf *bytes)
{
    enum { STEP_BYTES = 256 * 1024 };
    while (bytes->n <= YAML_FILE_BYTES_MAX) {
        buf_reserve(bytes, STEP_BYTES);
        ssize_t n = read(fd, bytes->p + bytes->n, STEP_BYTES);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        bytes->n += (size_t)n;
    }
    return 0;
}

enum err_code yaml_doc_read(struct yaml_doc *doc, const char *path, struct findings *findings)
{
    struct buf bytes = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? errno : read_all(fd, &bytes);
    if (fd >= 0)
        close(fd);
    enum err_code code;
    if (error) {
        *doc = (struct yaml_doc){.file = memory_must(strdup(path)), .findings = findings};
        code = code_of_errno(error);
        findings_add(findings, path, 0, 0, "syntax", "cannot be read: %s", strerror(error));
    } else {
        code = yaml_doc_parse(doc, path, buf_slice(&bytes), findings);
    }
    buf_close(&bytes);
    return code;
}

void yaml_doc_close(struct yaml_doc *doc)
{
    while (doc->chunks) {
        struct yaml_chunk *next = doc->chunks->next;
        free(doc->chunks);
        doc->chunks = next;
    }
    free(doc->file);
    *doc = (struct yaml_doc){0};
}
