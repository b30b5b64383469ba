/* plan_file_split.c -- a target cut into its children by weights (semantics 5.2): largest remainder, ties by org id
 * bytewise, so that the parts sum exactly. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "model/plan_json.h"
#include "model/plan_schema.h"
#include "model/plan_value.h"
#include "plan_file.h"

enum { PARTS_MAX = 10000, VALUE_DIGITS = 3, WEIGHT_DIGITS = 4 };

struct part {
    struct slice node;
    int64_t weight, value;
    __int128 rest;
};

static int by_rest(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->rest != y->rest)
        return x->rest > y->rest ? -1 : 1;
    return slice_cmp(x->node, y->node);
}

/* Whole units where the value is whole, else thousandths. */
static void share_out(struct part *parts, size_t count, int64_t value)
{
    int64_t step = value % 1000 == 0 ? 1000 : 1;
    __int128 units = value / step, all = 0, left = units;
    for (size_t i = 0; i < count; i++)
        all += parts[i].weight;
    for (size_t i = 0; i < count; i++) {
        __int128 share = units * parts[i].weight;
        parts[i].value = (int64_t)(share / all);
        parts[i].rest = share % all;
        left -= parts[i].value;
    }
    qsort(parts, count, sizeof *parts, by_rest);
    for (size_t i = 0; i < count; i++)
        parts[i].value = (parts[i].value + (left-- > 0)) * step;
}

static size_t read_parts(struct plan_file *file, const struct yaml_node *split, struct part *parts)
{
    size_t count = 0;
    for (const struct yaml_node *node = split->first; node; node = node->next) {
        if (count == PARTS_MAX) {
            yaml_fail(file->doc, split, "too_many", "at most %d parts", PARTS_MAX);
            return 0;
        }
        bool rep = node->key.n > 4 && memcmp(node->key.p, "rep:", 4) == 0;
        if (!rep && !plan_file_knows(file, PLAN_KIND_node, node->key))
            yaml_fail_key(file->doc, node, "unknown_ref", "there is no node %.*s", SLICE_ARG(node->key));
        parts[count] = (struct part){.node = node->key};
        (void)plan_parse_decimal(node->text, WEIGHT_DIGITS, &parts[count].weight);
        count++;
    }
    return count;
}

/* The target that is split: of the file, or of the present plan. */
static bool find_whole(const struct plan_file *file, struct slice id, struct slice *spec)
{
    for (uint32_t i = 0; i < file->count; i++)
        if (file->items[i].kind == PLAN_KIND_target && slice_eq(file->items[i].id, id)) {
            *spec = file->items[i].spec;
            return !yaml_get(file->items[i].node, "of");
        }
    const struct plan_item *item =
        file->current ? plan_item_find(file->current, PLAN_KIND_target, id, INT64_MAX) : NULL;
    if (item)
        *spec = item->spec;
    return item != NULL;
}

/* The whole's spec with the part's node and value; own keys of the split item win. */
static void write_part(const struct yaml_node *whole, const struct yaml_node *own, const struct part *part,
                       struct buf *out)
{
    static const char *const keys[] = {"currency", "dim",    "measure", "node", "pacing",
                                       "period",   "status", "tier",    "value"};
    struct json_writer json = json_writer_of(out);
    json_object_begin(&json);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct yaml_node *node = yaml_get(own, keys[i]);
        node = node ? node : yaml_get(whole, keys[i]);
        if (!node)
            continue;
        json_key(&json, keys[i]);
        if (strcmp(keys[i], "value") == 0)
            json_decimal(&json, part->value, VALUE_DIGITS);
        else if (strcmp(keys[i], "node") == 0)
            json_text(&json, part->node);
        else if (node->kind == YAML_MAP) {
            json_object_begin(&json);
            json_key_text(&json, node->first->key.p, node->first->text);
            json_object_end(&json);
        } else
            json_text(&json, node->text);
    }
    json_object_end(&json);
}

static void add_parts(struct plan_file *file, const struct plan_draft *item, const struct yaml_node *whole,
                      struct part *parts, size_t count)
{
    struct buf spec, id;
    buf_init(&spec);
    buf_init(&id);
    for (size_t i = 0; i < count; i++) {
        struct plan_draft draft = *item;
        buf_clear(&spec);
        buf_clear(&id);
        write_part(whole, item->node, &parts[i], &spec);
        buf_add_slice(&id, plan_text(item->node, "of"));
        buf_add_byte(&id, '.');
        buf_add_slice(&id, parts[i].node);
        draft.spec = plan_file_keep(file, buf_slice(&spec));
        draft.id = plan_file_keep(file, buf_slice(&id));
        (void)plan_file_add(file, &draft);
    }
    buf_close(&spec);
    buf_close(&id);
}

static void split_target(struct plan_file *file, const struct plan_draft *item, struct part *parts)
{
    const struct yaml_node *split = yaml_get(item->node, "split"), *of = yaml_get(item->node, "of");
    struct slice spec;
    struct plan_tree whole;
    int64_t value;
    if (split->kind != YAML_MAP) {
        yaml_fail(file->doc, split, "bad_value", "last_year needs figures that are not at hand: give weights");
        return;
    }
    size_t count = read_parts(file, split, parts);
    if (!count || !find_whole(file, of->text, &spec) || !plan_tree_parse(&whole, spec))
        return; /* an unknown target was reported */
    if (!plan_parse_decimal(plan_text(whole.root, "value"), VALUE_DIGITS, &value))
        yaml_fail(file->doc, split, "bad_value", "only amounts and quantities can be split");
    else {
        share_out(parts, count, value);
        add_parts(file, item, whole.root, parts, count);
    }
    plan_tree_close(&whole);
}

void plan_file_split_targets(struct plan_file *file)
{
    struct part *parts = calloc(PARTS_MAX, sizeof *parts);
    if (!parts)
        abort();
    uint32_t written = file->count, kept = 0;
    for (uint32_t i = 0; i < written; i++) {
        struct plan_draft item = file->items[i];
        if (item.kind == PLAN_KIND_target && yaml_get(item.node, "of"))
            split_target(file, &item, parts);
    }
    for (uint32_t i = 0; i < file->count; i++) /* the split itself is no item */
        if (i >= written || file->items[i].kind != PLAN_KIND_target || !yaml_get(file->items[i].node, "of"))
            file->items[kept++] = file->items[i];
    file->count = kept;
    free(parts);
}
