/* plan_file_notes.c -- what is no error in a plan file but worth knowing (formats 1.2): nodes without manager, and
 * targets whose children's targets do not add up to them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "model/plan_json.h"
#include "model/plan_value.h"
#include "plan_file.h"

enum { VALUE_DIGITS = 3 };

struct notes {
    const struct plan_file *file;
    struct buf *out;
    bool zh;
    struct intern nodes;   /* ids of the file's nodes */
    struct slice *parents; /* by number in nodes */
    struct intern keys;    /* of targets at a parent */
    int64_t *sums;         /* of the children's targets, by key; 1/1000 */
};

static void note_at(struct notes *notes, const struct plan_draft *draft)
{
    buf_addf(notes->out, "%s:%u:%u: %s: ", notes->file->doc->file, draft->node->line, draft->node->column,
             notes->zh ? "说明" : "note");
}

static void note_managers(struct notes *notes)
{
    for (uint32_t i = 0; i < notes->file->count; i++) {
        const struct plan_draft *draft = &notes->file->items[i];
        if (draft->kind != PLAN_KIND_node || plan_text(draft->node, "manager").n || !plan_text(draft->node, "parent").n)
            continue;
        note_at(notes, draft);
        buf_addf(notes->out, notes->zh ? "节点 %.*s 没有 manager\n" : "node %.*s has no manager\n",
                 SLICE_ARG(draft->id));
    }
}

/* Measure, period, tier and dimension of a target, at a node. */
static struct slice key_at(struct buf *key, const struct yaml_node *spec, struct slice node)
{
    const struct yaml_node *dim = yaml_get(spec, "dim");
    struct slice tier = plan_text(spec, "tier");
    const struct slice parts[] = {plan_text(spec, "measure"),
                                  plan_text(spec, "period"),
                                  tier.n ? tier : SLICE("base"),
                                  dim && dim->first ? dim->first->key : SLICE(""),
                                  dim && dim->first ? dim->first->text : SLICE(""),
                                  node};
    buf_clear(key);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_add_slice(key, parts[i]);
        buf_add_byte(key, 0);
    }
    return buf_slice(key);
}

static void collect_parents(struct notes *notes)
{
    for (uint32_t i = 0; i < notes->file->count; i++) {
        const struct plan_draft *draft = &notes->file->items[i];
        if (draft->kind == PLAN_KIND_node)
            notes->parents[intern_put(&notes->nodes, draft->id)] = plan_text(draft->node, "parent");
    }
}

typedef void each_target(struct notes *notes, const struct plan_draft *draft, const struct yaml_node *spec,
                         int64_t value, struct buf *key);

static void for_targets(struct notes *notes, each_target *visit)
{
    struct buf key;
    buf_init(&key);
    for (uint32_t i = 0; i < notes->file->count; i++) {
        const struct plan_draft *draft = &notes->file->items[i];
        struct plan_tree tree;
        int64_t value;
        if (draft->kind != PLAN_KIND_target || !plan_tree_parse(&tree, draft->spec))
            continue;
        if (plan_parse_decimal(plan_text(tree.root, "value"), VALUE_DIGITS, &value))
            visit(notes, draft, tree.root, value, &key);
        plan_tree_close(&tree);
    }
    buf_close(&key);
}

static void add_to_parent(struct notes *notes, const struct plan_draft *draft, const struct yaml_node *spec,
                          int64_t value, struct buf *key)
{
    (void)draft;
    uint32_t node = intern_get(&notes->nodes, plan_text(spec, "node"));
    if (node == INTERN_NONE || !notes->parents[node].n)
        return;
    uint32_t number = intern_put(&notes->keys, key_at(key, spec, notes->parents[node]));
    if (number != INTERN_NONE && __builtin_add_overflow(notes->sums[number], value, &notes->sums[number]))
        notes->sums[number] = 0;
}

static void compare_with_children(struct notes *notes, const struct plan_draft *draft, const struct yaml_node *spec,
                                  int64_t value, struct buf *key)
{
    uint32_t number = intern_get(&notes->keys, key_at(key, spec, plan_text(spec, "node")));
    if (number == INTERN_NONE || notes->sums[number] == value)
        return;
    int64_t rest = value - notes->sums[number];
    note_at(notes, draft);
    buf_addf(notes->out,
             rest > 0 ? (notes->zh ? "目标 %.*s 分配不足 " : "target %.*s is under-assigned by ")
                      : (notes->zh ? "目标 %.*s 超额分配 " : "target %.*s is over-assigned by "),
             SLICE_ARG(draft->id));
    text_add_decimal(notes->out, (rest < 0 ? -rest : rest) / 1000, 0, '\0');
    buf_add_byte(notes->out, '\n');
}

void plan_file_notes(const struct plan_file *file, bool zh, struct buf *out)
{
    struct notes notes = {.file = file, .out = out, .zh = zh};
    intern_init(&notes.keys, PLAN_FILE_ITEMS_MAX);
    intern_init(&notes.nodes, PLAN_FILE_ITEMS_MAX);
    notes.sums = calloc(file->count + 1, sizeof *notes.sums);
    notes.parents = calloc(file->count + 1, sizeof *notes.parents);
    if (!notes.sums || !notes.parents)
        abort();
    note_managers(&notes);
    collect_parents(&notes);
    for_targets(&notes, add_to_parent);
    for_targets(&notes, compare_with_children);
    free(notes.sums);
    free(notes.parents);
    intern_close(&notes.nodes);
    intern_close(&notes.keys);
}
