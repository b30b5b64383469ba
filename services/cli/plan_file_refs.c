/* plan_file_refs.c -- what the items of a plan say together: references, tree, memberships, targets, bounds.
 *
 * The tree is judged with the newest version of each node, the file's before the present plan's; what contradicts only
 * at some instant in between is found by the machines (plan_org.c) and shown as org_invalid. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "model/plan_json.h"
#include "model/plan_schema.h"
#include "model/plan_value.h"
#include "plan_file.h"

/* --- references --- */

static void want_known(struct plan_file *file, const struct yaml_node *item, const char *key, int kind)
{
    const struct yaml_node *node = yaml_get(item, key);
    struct slice id = node ? node->text : (struct slice){"", 0};
    if (!node || node->kind != YAML_SCALAR || (id.n > 4 && memcmp(id.p, "rep:", 4) == 0))
        return;
    if (!plan_file_knows(file, kind, id))
        yaml_fail(file->doc, node, "unknown_ref", "there is no %s %.*s", plan_kinds[kind].name, SLICE_ARG(id));
}

static const struct {
    int kind;
    const char *key;
    int target;
} references[] = {
    {PLAN_KIND_tenant, "calendar", PLAN_KIND_calendar},
    {PLAN_KIND_node, "parent", PLAN_KIND_node},
    {PLAN_KIND_member, "node", PLAN_KIND_node},
    {PLAN_KIND_stage_model, "calendar", PLAN_KIND_calendar},
    {PLAN_KIND_target, "measure", PLAN_KIND_measure},
    {PLAN_KIND_target, "node", PLAN_KIND_node},
    {PLAN_KIND_target, "of", PLAN_KIND_target},
    {PLAN_KIND_rule, "calendar", PLAN_KIND_calendar},
    {PLAN_KIND_rule, "pipeline", PLAN_KIND_stage_model},
    {PLAN_KIND_rule, "measure", PLAN_KIND_measure},
    {PLAN_KIND_obligation, "calendar", PLAN_KIND_calendar},
};

static void check_references(struct plan_file *file, const struct plan_draft *draft)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (references[i].kind == draft->kind)
            want_known(file, draft->node, references[i].key, references[i].target);
}

static void check_bounds(struct plan_file *file)
{
    static const struct {
        int kind;
        uint32_t max;
    } bounds[] = {{PLAN_KIND_measure, PLAN_FILE_MEASURES_MAX},
                  {PLAN_KIND_rule, PLAN_FILE_RULES_MAX},
                  {PLAN_KIND_obligation, PLAN_FILE_OBLIGATIONS_MAX},
                  {PLAN_KIND_node, PLAN_NODES_MAX},
                  {PLAN_KIND_stage_model, PLAN_PIPELINES_MAX}};
    uint64_t nodes = 0, stages = 0;
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < file->count; i++)
            if (file->items[i].kind == bounds[b].kind && ++count == bounds[b].max + 1)
                yaml_fail(file->doc, file->items[i].node, "too_many", "at most %u items of kind %s", bounds[b].max,
                          plan_kinds[bounds[b].kind].name);
    }
    for (uint32_t i = 0; i < file->count; i++) {
        const struct yaml_node *list = yaml_get(file->items[i].node, "stages");
        nodes += file->items[i].kind == PLAN_KIND_node;
        stages += file->items[i].kind == PLAN_KIND_stage_model && list ? list->count : 0;
    }
    if (nodes * stages > PLAN_FILE_CELLS_MAX)
        yaml_fail(file->doc, file->doc->root, "too_many_cells",
                  "%" PRIu64 " nodes x %" PRIu64 " stages are more than %d figure cells", nodes, stages,
                  PLAN_FILE_CELLS_MAX);
}

/* --- the tree --- */

struct org {
    struct plan_file *file;
    struct intern names;
    uint32_t *parent;              /* number, INTERN_NONE: root, or its parent was reported already */
    const struct yaml_node **node; /* NULL: of the present plan */
    bool *root;
    uint32_t cap;
};

static uint32_t org_node(struct org *org, struct slice id)
{
    uint32_t known = org->names.count, number = intern_put(&org->names, id);
    if (number < known || number == INTERN_NONE)
        return number;
    if (number >= org->cap) {
        org->cap = org->cap ? 2 * org->cap : 64;
        org->parent = realloc(org->parent, org->cap * sizeof *org->parent);
        org->node = realloc(org->node, org->cap * sizeof(*org->node));
        org->root = realloc(org->root, org->cap * sizeof *org->root);
        if (!org->parent || !org->node || !org->root)
            abort();
    }
    org->parent[number] = INTERN_NONE;
    org->node[number] = NULL;
    org->root[number] = false;
    return number;
}

static void org_add(struct org *org, struct slice id, struct slice parent, const struct yaml_node *node)
{
    uint32_t number = org_node(org, id), above = parent.n ? org_node(org, parent) : INTERN_NONE;
    if (number == INTERN_NONE)
        return;
    org->parent[number] = above;
    org->root[number] = !parent.n;
    org->node[number] = node;
}

static void org_fill(struct org *org)
{
    const struct plan_file *file = org->file;
    for (uint32_t i = 0; file->current && i < plan_item_count(file->current); i++) {
        const struct plan_item *item = plan_item_at(file->current, i, NULL, NULL);
        struct plan_tree tree;
        if (item->kind != PLAN_KIND_node || item->ended ||
            plan_item_find(file->current, PLAN_KIND_node, item->id, INT64_MAX) != item ||
            !plan_tree_parse(&tree, item->spec))
            continue;
        org_add(org, item->id, plan_text(tree.root, "parent"), NULL);
        plan_tree_close(&tree);
    }
    for (uint32_t i = 0; i < file->count; i++)
        if (file->items[i].kind == PLAN_KIND_node)
            org_add(org, file->items[i].id, plan_text(file->items[i].node, "parent"), file->items[i].node);
}

static void check_roots(struct org *org)
{
    uint32_t root = INTERN_NONE, items = 0;
    const struct yaml_node *any = NULL;
    for (uint32_t i = 0; i < org->names.count; i++) {
        any = org->node[i] && !any ? org->node[i] : any;
        items += org->node[i] != NULL;
        if (!org->root[i])
            continue;
        if (root != INTERN_NONE)
            yaml_fail(org->file->doc, org->node[i] ? org->node[i] : org->node[root], "org_orphan",
                      "%.*s and %.*s have no parent: exactly one node is the root",
                      SLICE_ARG(intern_text(&org->names, root)), SLICE_ARG(intern_text(&org->names, i)));
        else
            root = i;
    }
    if (items && root == INTERN_NONE)
        yaml_fail(org->file->doc, any, "org_orphan", "no node is without parent: there is no root");
}

/* Walks up from every node of the file; a ring is reported once, at its first node in the file. */
static void check_chains(struct org *org)
{
    uint32_t *seen = calloc(org->names.count + 1, sizeof *seen);
    if (!seen)
        abort();
    for (uint32_t i = 0; i < org->names.count; i++) {
        uint32_t depth = 0, at = i;
        for (; at != INTERN_NONE && seen[at] == 0 && depth <= org->names.count; at = org->parent[at], depth++)
            seen[at] = i + 1;
        if (at != INTERN_NONE && seen[at] == i + 1 && depth)
            yaml_fail(org->file->doc, org->node[at] ? org->node[at] : org->node[i], "org_cycle",
                      "%.*s is its own ancestor", SLICE_ARG(intern_text(&org->names, at)));
        depth = 0;
        for (at = i; at != INTERN_NONE && depth <= PLAN_DEPTH_MAX; at = org->parent[at])
            depth++;
        if (depth == PLAN_DEPTH_MAX + 1 && at == INTERN_NONE)
            yaml_fail(org->file->doc, org->node[i], "too_many", "%.*s is deeper than %d levels",
                      SLICE_ARG(intern_text(&org->names, i)), PLAN_DEPTH_MAX);
    }
    free(seen);
}

static void check_org(struct plan_file *file)
{
    struct org org = {.file = file};
    intern_init(&org.names, 2 * PLAN_FILE_ITEMS_MAX);
    org_fill(&org);
    check_roots(&org);
    check_chains(&org);
    intern_close(&org.names);
    free(org.parent);
    free(org.node);
    free(org.root);
}

/* --- memberships --- */

struct stay {
    struct slice rep, id;
    int64_t from_ms, to_ms;
    const struct yaml_node *node; /* NULL: of the present plan */
    uint32_t order;
};
struct stays {
    struct stay *list;
    uint32_t count, cap;
};

static void add_stay(struct plan_file *file, struct stays *stays, const struct yaml_node *spec, struct slice id,
                     int64_t valid_from_ms, const struct yaml_node *node)
{
    if (slice_is(plan_text(spec, "role"), "dotted"))
        return;
    struct stay stay = {.id = id, .from_ms = valid_from_ms, .to_ms = INT64_MAX, .node = node, .order = stays->count};
    (void)plan_parse_when(plan_text(spec, "from"), &file->zone, &stay.from_ms);
    (void)plan_parse_when(plan_text(spec, "to"), &file->zone, &stay.to_ms);
    if (node && stay.to_ms <= stay.from_ms)
        yaml_fail(file->doc, yaml_get(spec, "to"), "bad_value", "to is excluded and lies behind from");
    stay.rep = intern_text(&file->texts, intern_put(&file->texts, plan_text(spec, "rep")));
    if (stays->count == stays->cap) {
        stays->cap = stays->cap ? 2 * stays->cap : 64;
        stays->list = realloc(stays->list, stays->cap * sizeof *stays->list);
        if (!stays->list)
            abort();
    }
    stays->list[stays->count++] = stay;
}

static int by_rep_and_time(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;
    int order = slice_cmp(x->rep, y->rep);
    if (order)
        return order;
    if (x->from_ms != y->from_ms)
        return x->from_ms < y->from_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void check_members(struct plan_file *file)
{
    struct stays stays = {0};
    for (uint32_t i = 0; file->current && i < plan_item_count(file->current); i++) {
        const struct plan_item *item = plan_item_at(file->current, i, NULL, NULL);
        struct plan_tree tree;
        struct buf key;
        if (item->kind != PLAN_KIND_member || item->ended ||
            plan_item_find(file->current, PLAN_KIND_member, item->id, INT64_MAX) != item)
            continue;
        buf_init(&key);
        buf_add_byte(&key, PLAN_KIND_member);
        buf_add_slice(&key, item->id);
        bool replaced = intern_get(&file->ids, buf_slice(&key)) != INTERN_NONE;
        buf_close(&key);
        if (replaced || !plan_tree_parse(&tree, item->spec))
            continue;
        add_stay(file, &stays, tree.root, item->id, item->valid_from_ms, NULL);
        plan_tree_close(&tree);
    }
    for (uint32_t i = 0; i < file->count; i++)
        if (file->items[i].kind == PLAN_KIND_member)
            add_stay(file, &stays, file->items[i].node, file->items[i].id, file->items[i].valid_from_ms,
                     file->items[i].node);
    if (stays.count)
        qsort(stays.list, stays.count, sizeof *stays.list, by_rep_and_time);
    for (uint32_t i = 1, last = 0; i < stays.count; i++) {
        const struct stay *before = &stays.list[last], *stay = &stays.list[i];
        bool same = slice_eq(before->rep, stay->rep);
        const struct yaml_node *place = stay->node ? stay->node : before->node;
        if (same && stay->from_ms < before->to_ms && place && !slice_eq(before->id, stay->id))
            yaml_fail(file->doc, place, "member_overlap", "%.*s overlaps %.*s: a rep has one membership at an instant",
                      SLICE_ARG(stay->id), SLICE_ARG(before->id));
        if (!same || stay->to_ms > before->to_ms)
            last = i;
    }
    free(stays.list);
}

/* --- targets --- */

static void target_key(const struct yaml_node *node, struct slice tier, struct buf *key)
{
    const struct yaml_node *dim = yaml_get(node, "dim");
    const struct slice parts[] = {plan_text(node, "measure"),
                                  plan_text(node, "node"),
                                  plan_text(node, "period"),
                                  tier,
                                  dim && dim->first ? dim->first->key : (struct slice){"", 0},
                                  dim && dim->first ? dim->first->text : (struct slice){"", 0}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_add_slice(key, parts[i]);
        buf_add_byte(key, 0);
    }
}

static void check_targets(struct plan_file *file)
{
    struct intern keys;
    intern_init(&keys, PLAN_FILE_ITEMS_MAX);
    const struct plan_draft **first = calloc(file->count + 1, sizeof *first);
    if (!first)
        abort();
    for (uint32_t i = 0; i < file->count; i++) {
        const struct plan_draft *draft = &file->items[i];
        if (draft->kind != PLAN_KIND_target || !yaml_get(draft->node, "measure"))
            continue;
        struct slice tier = plan_text(draft->node, "tier");
        struct buf key;
        buf_init(&key);
        target_key(draft->node, tier.n ? tier : SLICE("base"), &key);
        uint32_t known = keys.count, number = intern_put(&keys, buf_slice(&key));
        if (number >= known)
            first[number] = draft;
        else if (!slice_eq(first[number]->id, draft->id))
            yaml_fail(file->doc, draft->node, "target_twice",
                      "%.*s is for the same measure, node, dim, period and tier as %.*s", SLICE_ARG(draft->id),
                      SLICE_ARG(first[number]->id));
        buf_close(&key);
    }
    free(first);
    intern_close(&keys);
}

void plan_file_check_refs(struct plan_file *file)
{
    for (uint32_t i = 0; i < file->count; i++)
        check_references(file, &file->items[i]);
    check_bounds(file);
    check_org(file);
    check_members(file);
    check_targets(file);
}
