/* plan_org.c -- who belonged where, when: the tree and the memberships as step functions of time.
 *
 * Each instant is judged for itself. Of every node the version in force by date is taken; where versions contradict
 * each other (two roots, a cycle, a parent that ended) the one recorded last is put aside and the version before it
 * stands, until the tree is whole; a node without a known parent is put aside too, and comes into force when its
 * parent arrives. So the result depends on the set of records alone. Memberships alike: of two at one instant the one
 * recorded first stands. What was put aside is marked `contradicted`.
 *
 * The tree changes at few instants (epochs); between them all is constant. Cost: epochs x nodes, once per change. */
#include <stdlib.h>

#include "model/plan_internal.h"
#include "model/plan_json.h"
#include "model/plan_value.h"

enum { NODE_ROOT = UINT32_MAX - 1, NODE_UNKNOWN = UINT32_MAX, ROUNDS_MAX = 64 };

/* One used version of a node. */
struct node_version {
    struct plan_record *record;
    uint32_t node, parent; /* NODE_ROOT: the root; NODE_UNKNOWN: no such node */
    int64_t from_ms;
    bool ended;
    bool aside; /* at the epoch at hand */
};

struct tree {
    struct plan *plan;
    struct node_version *versions; /* by (node, from) */
    uint32_t version_count, version_cap;
    uint32_t *first;   /* per node: its first version; one more at the end */
    uint32_t *current; /* per node: version in force, NODE_UNKNOWN if none */
    uint8_t *depth;    /* per node: length of its chain, 0 = not in force, WALKING while on the way up */
    uint32_t node_count;
};
enum { WALKING = 255, UNSEEN = 254 };

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (!memory)
        abort();
    return memory;
}

/* --- versions of nodes --- */

static uint32_t read_parent(const struct plan *plan, struct plan_record *record)
{
    struct plan_tree tree;
    record->unreadable = !plan_tree_parse(&tree, record->item.spec);
    if (record->unreadable)
        return NODE_UNKNOWN;
    struct slice parent = plan_text(tree.root, "parent");
    uint32_t node = parent.n ? plan_names_find(&plan->nodes, parent) : NODE_ROOT;
    plan_tree_close(&tree);
    return node;
}

static void add_versions(struct tree *tree, uint32_t entity, struct plan_version_list *list)
{
    plan_versions(tree->plan, entity, list);
    for (uint32_t i = 0; i < list->count; i++) {
        struct plan_record *record = list->list[i];
        record->contradicted = false;
        tree->versions = plan_grow(tree->versions, &tree->version_cap, tree->version_count, sizeof *tree->versions);
        tree->versions[tree->version_count++] =
            (struct node_version){.record = record,
                                  .node = plan_names_find(&tree->plan->nodes, record->item.id),
                                  .parent = record->item.ended ? NODE_UNKNOWN : read_parent(tree->plan, record),
                                  .from_ms = record->item.valid_from_ms,
                                  .ended = record->item.ended};
    }
}

static int by_node(const void *a, const void *b)
{
    const struct node_version *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

static void tree_open(struct tree *tree, struct plan *plan)
{
    *tree = (struct tree){.plan = plan, .node_count = plan->nodes.count};
    struct plan_version_list list = {0};
    for (uint32_t entity = 0; entity < plan->entities.count; entity++)
        if (plan_entity_is(plan, entity, PLAN_KIND_node))
            add_versions(tree, entity, &list);
    free(list.list);
    if (tree->version_count)
        qsort(tree->versions, tree->version_count, sizeof *tree->versions, by_node);
    tree->first = allocate(tree->node_count + 1, sizeof *tree->first);
    tree->current = allocate(tree->node_count, sizeof *tree->current);
    tree->depth = allocate(tree->node_count, sizeof *tree->depth);
    uint32_t version = 0;
    for (uint32_t node = 0; node <= tree->node_count; node++) {
        while (version < tree->version_count && tree->versions[version].node < node)
            version++;
        tree->first[node] = version;
    }
}

static void tree_close(struct tree *tree)
{
    free(tree->versions);
    free(tree->first);
    free(tree->current);
    free(tree->depth);
}

/* --- the tree at one instant --- */

static void put_aside(struct node_version *version)
{
    version->aside = true;
    version->record->contradicted = true;
}

static void choose_current(struct tree *tree, int64_t at_ms)
{
    for (uint32_t node = 0; node < tree->node_count; node++) {
        tree->current[node] = NODE_UNKNOWN;
        for (uint32_t i = tree->first[node]; i < tree->first[node + 1] && tree->versions[i].from_ms <= at_ms; i++)
            if (!tree->versions[i].aside)
                tree->current[node] = i;
    }
}

static struct node_version *current_of(const struct tree *tree, uint32_t node)
{
    if (node >= tree->node_count || tree->current[node] == NODE_UNKNOWN)
        return NULL;
    return &tree->versions[tree->current[node]];
}

static struct node_version *standing_of(const struct tree *tree, uint32_t node)
{
    struct node_version *version = current_of(tree, node);
    return version && !version->ended ? version : NULL;
}

static struct node_version *later_recorded(struct node_version *a, struct node_version *b)
{
    return plan_record_order(a->record, b->record) > 0 ? a : b;
}

/* One root: the one recorded first. */
static bool settle_roots(struct tree *tree)
{
    struct node_version *root = NULL;
    bool changed = false;
    for (uint32_t node = 0; node < tree->node_count; node++) {
        struct node_version *version = standing_of(tree, node);
        if (!version || version->parent != NODE_ROOT)
            continue;
        struct node_version *out = root ? later_recorded(root, version) : NULL;
        if (out)
            put_aside(out);
        changed = changed || out;
        root = out == version || !version ? root : version;
    }
    return changed;
}

/* A parent that ended contradicts its child; one that is not there leaves it an orphan. */
static bool settle_orphans(struct tree *tree)
{
    bool changed = false;
    for (uint32_t node = 0; node < tree->node_count; node++) {
        struct node_version *version = standing_of(tree, node);
        if (!version || version->parent == NODE_ROOT || standing_of(tree, version->parent))
            continue;
        struct node_version *parent = current_of(tree, version->parent);
        put_aside(parent ? later_recorded(parent, version) : version);
        changed = true;
    }
    return changed;
}

/* Of the nodes on a ring the one recorded last goes. */
static void break_ring(struct tree *tree, uint32_t node)
{
    struct node_version *last = standing_of(tree, node);
    for (uint32_t at = last->parent; at != node; at = standing_of(tree, at)->parent)
        last = later_recorded(last, standing_of(tree, at));
    put_aside(last);
}

/* Chain length of every node; rings and chains that are too long are broken. */
static bool settle_rings(struct tree *tree)
{
    bool changed = false;
    uint32_t *way = allocate(tree->node_count, sizeof *way);
    for (uint32_t node = 0; node < tree->node_count; node++)
        tree->depth[node] = standing_of(tree, node) ? UNSEEN : 0;
    for (uint32_t node = 0; node < tree->node_count; node++) {
        uint32_t length = 0, at = node;
        while (at != NODE_ROOT && tree->depth[at] == UNSEEN) {
            tree->depth[at] = WALKING;
            way[length++] = at;
            at = standing_of(tree, at)->parent;
            if (at != NODE_ROOT && !standing_of(tree, at))
                break; /* only when the rounds ran out */
        }
        bool ring = at != NODE_ROOT && at < tree->node_count && tree->depth[at] == WALKING;
        bool lost = at != NODE_ROOT && (at >= tree->node_count || ring || tree->depth[at] == 0);
        if (ring)
            break_ring(tree, at);
        changed = changed || ring;
        unsigned depth = at == NODE_ROOT || lost ? 0 : tree->depth[at];
        while (length > 0) {
            depth = lost || depth >= PLAN_DEPTH_MAX ? 0 : depth + 1;
            lost = depth == 0;
            tree->depth[way[--length]] = (uint8_t)depth;
        }
    }
    free(way);
    return changed;
}

/* A node whose chain is too long or does not end at the root is not in force. */
static void mark_lost(struct tree *tree)
{
    for (uint32_t node = 0; node < tree->node_count; node++)
        if (tree->depth[node] == 0 && standing_of(tree, node))
            standing_of(tree, node)->record->contradicted = true;
}

static void tree_at(struct tree *tree, int64_t at_ms)
{
    for (uint32_t i = 0; i < tree->version_count; i++)
        tree->versions[i].aside = false;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        choose_current(tree, at_ms);
        bool changed = settle_roots(tree);
        if (!changed)
            changed = settle_orphans(tree);
        if (!changed)
            changed = settle_rings(tree);
        if (!changed)
            break;
    }
    choose_current(tree, at_ms);
    settle_rings(tree);
    mark_lost(tree);
}

/* --- paths of nodes over time --- */

static uint32_t path_of(const struct tree *tree, uint32_t node)
{
    uint32_t chain[PLAN_DEPTH_MAX], length = 0;
    if (tree->depth[node] == 0 || tree->depth[node] > PLAN_DEPTH_MAX)
        return PLAN_NONE;
    for (uint32_t at = node; at != NODE_ROOT && length < PLAN_DEPTH_MAX; at = standing_of(tree, at)->parent)
        chain[length++] = at;
    return plan_names_intern(&tree->plan->paths, slice_make(chain, length * sizeof *chain));
}

static void note_epoch(struct tree *tree, int64_t at_ms)
{
    struct plan *plan = tree->plan;
    uint32_t root = PLAN_NONE;
    for (uint32_t node = 0; node < tree->node_count; node++) {
        plan_steps_add(&plan->node_steps[node], at_ms, path_of(tree, node), 0);
        if (tree->depth[node] == 1)
            root = node;
    }
    plan_steps_add(&plan->roots, at_ms, root, 0);
}

static int by_instant(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void nodes_build(struct plan *plan)
{
    struct tree tree;
    tree_open(&tree, plan);
    plan->node_step_count = tree.node_count;
    plan->node_steps = allocate(tree.node_count, sizeof *plan->node_steps);
    int64_t *epochs = allocate(tree.version_count, sizeof *epochs);
    for (uint32_t i = 0; i < tree.version_count; i++)
        epochs[i] = tree.versions[i].from_ms;
    qsort(epochs, tree.version_count, sizeof *epochs, by_instant);
    for (uint32_t i = 0; i < tree.version_count; i++) {
        if (i && epochs[i] == epochs[i - 1])
            continue;
        tree_at(&tree, epochs[i]);
        note_epoch(&tree, epochs[i]);
    }
    free(epochs);
    tree_close(&tree);
}

/* --- memberships --- */

struct membership {
    struct plan_record *record;
    uint32_t rep, node, tier;
    int64_t start_ms, end_ms;
};
struct memberships {
    struct membership *list;
    uint32_t count, cap;
};

/* Instants of one membership version: its reign by date, cut by its own from and to. */
static void add_membership(struct plan *plan, struct memberships *all, const struct plan_version_list *versions,
                           uint32_t index)
{
    struct plan_record *record = versions->list[index];
    record->contradicted = false;
    if (record->item.ended)
        return;
    struct plan_tree tree;
    record->unreadable = !plan_tree_parse(&tree, record->item.spec);
    if (record->unreadable)
        return;
    struct membership member = {
        .record = record, .start_ms = versions->list[0]->item.valid_from_ms, .end_ms = INT64_MAX};
    if (plan_text(tree.root, "from").n)
        plan_parse_when(plan_text(tree.root, "from"), &plan->zone, &member.start_ms);
    if (plan_text(tree.root, "to").n)
        plan_parse_when(plan_text(tree.root, "to"), &plan->zone, &member.end_ms);
    if (index > 0 && record->item.valid_from_ms > member.start_ms)
        member.start_ms = record->item.valid_from_ms;
    if (index + 1 < versions->count && versions->list[index + 1]->item.valid_from_ms < member.end_ms)
        member.end_ms = versions->list[index + 1]->item.valid_from_ms;
    if (!slice_is(plan_text(tree.root, "role"), "dotted") && member.start_ms < member.end_ms) {
        member.rep = plan_names_intern(&plan->reps, plan_text(tree.root, "rep"));
        member.tier = plan_names_intern(&plan->tiers, plan_text(tree.root, "tier"));
        member.node = plan_names_find(&plan->nodes, plan_text(tree.root, "node"));
        all->list = plan_grow(all->list, &all->cap, all->count, sizeof *all->list);
        all->list[all->count++] = member;
    }
    plan_tree_close(&tree);
}

static int by_rep(const void *a, const void *b)
{
    const struct membership *x = a, *y = b;
    if (x->rep != y->rep)
        return x->rep < y->rep ? -1 : 1;
    return plan_record_order(x->record, y->record);
}

static uint32_t node_path_at(const struct plan *plan, uint32_t node, int64_t at_ms)
{
    const struct plan_step *step = node < plan->node_step_count ? plan_steps_at(&plan->node_steps[node], at_ms) : NULL;
    return step ? step->value : PLAN_NONE;
}

struct instants {
    int64_t *list;
    uint32_t count, cap;
};
static void add_instant(struct instants *instants, int64_t at_ms)
{
    instants->list = plan_grow(instants->list, &instants->cap, instants->count, sizeof *instants->list);
    instants->list[instants->count++] = at_ms;
}

/* Instants at which anything about these memberships can change. */
static void collect_instants(const struct plan *plan, const struct membership *list, uint32_t count,
                             struct instants *instants)
{
    instants->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        add_instant(instants, list[i].start_ms);
        if (list[i].end_ms != INT64_MAX)
            add_instant(instants, list[i].end_ms);
        if (list[i].node >= plan->node_step_count)
            continue;
        const struct plan_steps *steps = &plan->node_steps[list[i].node];
        for (uint32_t j = 0; j < steps->count; j++)
            if (steps->steps[j].from_ms > list[i].start_ms && steps->steps[j].from_ms < list[i].end_ms)
                add_instant(instants, steps->steps[j].from_ms);
    }
    qsort(instants->list, instants->count, sizeof *instants->list, by_instant);
}

/* `list` in the order of recording: the first that stands wins, the others are put aside. */
static void note_rep(struct plan *plan, struct plan_steps *steps, const struct membership *list, uint32_t count,
                     int64_t at_ms)
{
    uint32_t path = PLAN_NONE, tier = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (at_ms < list[i].start_ms || at_ms >= list[i].end_ms)
            continue;
        uint32_t found = node_path_at(plan, list[i].node, at_ms);
        if (found == PLAN_NONE || path != PLAN_NONE) {
            list[i].record->contradicted = true;
            continue;
        }
        path = found;
        tier = list[i].tier;
    }
    plan_steps_add(steps, at_ms, path == PLAN_NONE ? 0 : path, tier);
}

static void reps_build(struct plan *plan)
{
    struct plan_version_list versions = {0};
    struct memberships all = {0};
    for (uint32_t entity = 0; entity < plan->entities.count; entity++) {
        if (!plan_entity_is(plan, entity, PLAN_KIND_member))
            continue;
        plan_versions(plan, entity, &versions);
        for (uint32_t i = 0; i < versions.count; i++)
            add_membership(plan, &all, &versions, i);
    }
    free(versions.list);
    plan->rep_step_count = plan->reps.count;
    plan->rep_steps = allocate(plan->reps.count, sizeof *plan->rep_steps);
    if (all.count)
        qsort(all.list, all.count, sizeof *all.list, by_rep);
    struct instants instants = {0};
    for (uint32_t begin = 0, end; begin < all.count; begin = end) {
        for (end = begin + 1; end < all.count && all.list[end].rep == all.list[begin].rep;)
            end++;
        collect_instants(plan, &all.list[begin], end - begin, &instants);
        for (uint32_t i = 0; i < instants.count; i++)
            if (i == 0 || instants.list[i] != instants.list[i - 1])
                note_rep(plan, &plan->rep_steps[all.list[begin].rep], &all.list[begin], end - begin, instants.list[i]);
    }
    free(instants.list);
    free(all.list);
}

static void collect_steps(struct instants *instants, const struct plan_steps *steps)
{
    for (uint32_t i = 0; i < steps->count; i++)
        add_instant(instants, steps->steps[i].from_ms);
}

static void changes_build(struct plan *plan)
{
    struct instants instants = {0};
    for (uint32_t i = 0; i < plan->node_step_count; i++)
        collect_steps(&instants, &plan->node_steps[i]);
    for (uint32_t i = 0; i < plan->rep_step_count; i++)
        collect_steps(&instants, &plan->rep_steps[i]);
    if (instants.count)
        qsort(instants.list, instants.count, sizeof *instants.list, by_instant);
    for (uint32_t i = 0; i < instants.count; i++)
        if (i == 0 || instants.list[i] != instants.list[i - 1])
            plan_steps_add(&plan->org_changes, instants.list[i], i, 0);
    free(instants.list);
}

void plan_org_close(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->node_step_count; i++)
        free(plan->node_steps[i].steps);
    for (uint32_t i = 0; i < plan->rep_step_count; i++)
        free(plan->rep_steps[i].steps);
    free(plan->node_steps);
    free(plan->rep_steps);
    free(plan->roots.steps);
    free(plan->org_changes.steps);
    plan->node_steps = plan->rep_steps = NULL;
    plan->node_step_count = plan->rep_step_count = 0;
    plan->roots = plan->org_changes = (struct plan_steps){0};
}

void plan_org_build(struct plan *plan)
{
    plan_org_close(plan);
    nodes_build(plan);
    reps_build(plan);
    changes_build(plan);
}

/* --- reading --- */

static const struct plan *org_ready(const struct plan *plan)
{
    struct plan *p = plan_ready(plan);
    if (p->org_dirty)
        plan_org_build(p);
    p->org_dirty = false;
    return p;
}

static const struct plan_steps *steps_of_rep(const struct plan *plan, struct slice rep)
{
    uint32_t number = plan_names_find(&plan->reps, rep);
    return number < plan->rep_step_count ? &plan->rep_steps[number] : NULL;
}

uint32_t plan_path_of_rep(const struct plan *plan, struct slice rep, int64_t at_ms, struct slice *tier)
{
    const struct plan *p = org_ready(plan);
    const struct plan_steps *steps = steps_of_rep(p, rep);
    const struct plan_step *step = steps ? plan_steps_at(steps, at_ms) : NULL;
    if (tier)
        *tier = p->tiers.names[step ? step->tier : 0];
    return step ? step->value : 0;
}

int64_t plan_rep_next_change(const struct plan *plan, struct slice rep, int64_t at_ms)
{
    const struct plan_steps *steps = steps_of_rep(org_ready(plan), rep);
    return steps ? plan_steps_next(steps, at_ms) : INT64_MAX;
}

uint32_t plan_path_nodes(const struct plan *plan, uint32_t path, const uint32_t **nodes)
{
    struct slice chain = plan->paths.names[path];
    *nodes = (const uint32_t *)(const void *)chain.p;
    return (uint32_t)(chain.n / sizeof **nodes);
}

struct slice plan_node_name(const struct plan *plan, uint32_t node) { return plan->nodes.names[node]; }

uint32_t plan_node_count(const struct plan *plan) { return plan->nodes.count; }

uint32_t plan_root(const struct plan *plan, int64_t at_ms)
{
    const struct plan_step *step = plan_steps_at(&org_ready(plan)->roots, at_ms);
    return step ? step->value : PLAN_NONE;
}

int64_t plan_org_next_change(const struct plan *plan, int64_t at_ms)
{
    return plan_steps_next(&org_ready(plan)->org_changes, at_ms);
}

uint32_t plan_path_of_node(const struct plan *plan, uint32_t node, int64_t at_ms)
{
    return node_path_at(org_ready(plan), node, at_ms);
}
