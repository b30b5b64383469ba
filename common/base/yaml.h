/* yaml.h -- a YAML file as a tree of texts with places (formats.md 0).
 *
 * One document; no anchors, aliases or tags (code `syntax`); a key stands once in its mapping (`duplicate_id`); flow
 * collections and quoted keys are fine (rulings O36). Scalars stay text: the tables of the reader type them, so `off`,
 * `2026-03` or `09:00` are never reinterpreted. An empty file is an empty mapping. Bounded in bytes, nodes and depth.
 * All that is wrong becomes findings; a tree is handed out whenever the syntax allows one, so that the reader's own
 * checks add to the same list. One owner; nodes live as long as the document.
 *
 *   struct yaml_doc doc;
 *   if (yaml_doc_read(&doc, "plan.yaml", &findings) == OK) {
 *       yaml_check_keys(&doc, doc.root, known_keys);
 *       const struct yaml_node *rules = yaml_get(doc.root, "rules");
 *       for (const struct yaml_node *rule = rules ? rules->first : NULL; rule; rule = rule->next) ...
 *   }
 *   yaml_doc_close(&doc); */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/findings.h"
#include "base/slice.h"

enum {
    YAML_FILE_BYTES_MAX = 64 * 1024 * 1024,
    YAML_NODES_MAX = 4000000,
    YAML_DEPTH_MAX = 64,
    YAML_KEY_BYTES_MAX = 256
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;           /* scalar in quotes or a block scalar; an empty plain scalar is `key:` without a value */
    uint32_t line, column; /* of the value, 1-based, in characters */
    uint32_t key_line, key_column; /* of the key; 0 outside a mapping */
    uint32_t count;                /* children */
    struct slice key;              /* within a mapping; NUL behind it */
    struct slice text;             /* scalar: UTF-8 as written, quotes and escapes resolved; NUL behind it */
    const struct yaml_node *first; /* children in file order */
    const struct yaml_node *next;  /* sibling */
};

struct yaml_chunk;
struct yaml_doc {
    char *file;                   /* name for findings */
    struct findings *findings;    /* where the checks below report; borrowed */
    const struct yaml_node *root; /* NULL: no tree (syntax error) */
    struct yaml_chunk *chunks;
    uint32_t node_count;
};

/* Reads a file / bytes. OK: there is a tree (findings may have been added all the same; count them at the end).
 * ERR_CONFIG: no tree, findings say why. ERR_MISSING, ERR_DENIED, ERR_UNAVAILABLE: the file cannot be read (a finding
 * too). The document is closed by yaml_doc_close in every case. */
enum err_code yaml_doc_read(struct yaml_doc *doc, const char *path, struct findings *findings);
enum err_code yaml_doc_parse(struct yaml_doc *doc, const char *name, struct slice bytes, struct findings *findings);
void yaml_doc_close(struct yaml_doc *doc);

/* Value under a key of a mapping; NULL if absent, if node is NULL or no mapping. Linear in the mapping's size. */
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);

/* Adds a finding at the place of a node (its value) or of its key. node NULL: at 1:1. */
void yaml_fail(const struct yaml_doc *doc, const struct yaml_node *node, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void yaml_fail_key(const struct yaml_doc *doc, const struct yaml_node *node, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Checks; each reports by itself and returns whether all is well. `known` ends with NULL. */
bool yaml_want(const struct yaml_doc *doc, const struct yaml_node *node, enum yaml_kind kind); /* bad_type */
bool yaml_check_keys(const struct yaml_doc *doc, const struct yaml_node *map,
                     const char *const *known); /* unknown_key */
const struct yaml_node *yaml_require(const struct yaml_doc *doc, const struct yaml_node *map,
                                     const char *key); /* missing_key: NULL */

/* Typed scalars: false after a finding, *out untouched. Bounds are inclusive. */
bool yaml_text(const struct yaml_doc *doc, const struct yaml_node *node, size_t bytes_max,
               struct slice *out); /* not empty; bad_type, bad_value, too_long */
bool yaml_int(const struct yaml_doc *doc, const struct yaml_node *node, int64_t min, int64_t max,
              int64_t *out);                                                         /* bad_type, bad_value */
bool yaml_bool(const struct yaml_doc *doc, const struct yaml_node *node, bool *out); /* true or false; bad_type */
/* One word of `words` (ends with NULL); *out = its index. bad_enum with "did you mean". */
bool yaml_word(const struct yaml_doc *doc, const struct yaml_node *node, const char *const *words, int *out);

#endif
