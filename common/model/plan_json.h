/* plan_json.h -- a plan item's spec (canonical JSON text) as the same tree that YAML files become (base/yaml.h), so
 * that one table checks and reads both. Numbers stay text: no value passes through floating point.
 *
 * A text node has `quoted` set, numbers and booleans have not; null is a map entry left out. Input: bounded in bytes
 * and depth. One owner. */
#ifndef MODEL_PLAN_JSON_H
#define MODEL_PLAN_JSON_H

#include "base/buf.h"
#include "base/yaml.h"

enum { PLAN_JSON_BYTES_MAX = 128 * 1024, PLAN_JSON_DEPTH_MAX = 16 };

struct plan_tree {
    const struct yaml_node *root;
    void *memory;
};
/* False: no JSON, a name twice, too deep or too long; the tree is closed then. */
bool plan_tree_parse(struct plan_tree *tree, struct slice json);
void plan_tree_close(struct plan_tree *tree);

/* Text of a member, empty if absent or no scalar. */
struct slice plan_text(const struct yaml_node *map, const char *key);

void plan_write_json_text(struct buf *out, struct slice text); /* quoted, escaped as canonical JSON */

#endif
