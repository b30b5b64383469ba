/* mapping_plan.c -- the plan items of a mapping: its own section, and one item per row of an entry.
 *
 * They are put together to the text of one plan file (formats 1), which the reader of plan files then checks like any
 * other. Equal items stand once. */
#include "mapping_internal.h"

static const char *const sections[] = {"org", "members", "dealers", "targets", NULL};

static void load_item(struct mapping_loader *loader, struct mapping_entry *entry, const char *section,
                      const struct yaml_node *node)
{
    const struct yaml_doc *doc = &loader->mapping->doc;
    if (!yaml_want(doc, node, YAML_MAP))
        return;
    if (entry->plan_count == MAPPING_PLAN_ITEMS_MAX || node->count > 16) {
        yaml_fail(doc, node, "too_many", "at most %d items of 16 keys", MAPPING_PLAN_ITEMS_MAX);
        return;
    }
    struct mapping_plan_item *item = &entry->plan[entry->plan_count++];
    item->section = section;
    for (const struct yaml_node *key = node->first; key; key = key->next) {
        struct mapping_plan_key *slot = &item->keys[item->key_count++];
        slot->key = key->key;
        (void)mapping_value_compile(loader, entry, key, false, &slot->value);
    }
}

void mapping_plan_load(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    const struct yaml_doc *doc = &loader->mapping->doc;
    if (!node || !yaml_want(doc, node, YAML_MAP))
        return;
    (void)yaml_check_keys(doc, node, sections);
    if (!loader->mapping->plan)
        yaml_fail_key(doc, node, "missing_key",
                      "rows can give plan items only beside a top-level `plan` with "
                      "valid_from, reason and approver");
    for (int i = 0; sections[i]; i++) {
        const struct yaml_node *list = yaml_get(node, sections[i]);
        if (!list || !yaml_want(doc, list, YAML_LIST))
            continue;
        for (const struct yaml_node *item = list->first; item; item = item->next)
            load_item(loader, entry, sections[i], item);
    }
}

/* ---- writing: flow style, which is JSON but for numbers and words that stand bare */

static bool is_bare(struct slice text)
{
    struct decimal number;
    return decimal_parse(text, &number) && text.p[0] != ' ' && text.p[text.n - 1] != ' ' && text.p[0] != '+';
}

static void write_node(const struct yaml_node *node, struct buf *out)
{
    if (node->kind == YAML_SCALAR) {
        bool bare =
            !node->quoted && (is_bare(node->text) || slice_is(node->text, "true") || slice_is(node->text, "false"));
        if (bare)
            buf_add_slice(out, node->text);
        else
            text_add_json(out, node->text);
        return;
    }
    buf_add_byte(out, node->kind == YAML_LIST ? '[' : '{');
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (child != node->first)
            buf_add_text(out, ", ");
        if (node->kind == YAML_MAP) {
            text_add_json(out, child->key);
            buf_add_text(out, ": ");
        }
        write_node(child, out);
    }
    buf_add_byte(out, node->kind == YAML_LIST ? ']' : '}');
}

static void write_item(const struct mapping_plan_item *item, const struct mapping_row *row, struct buf *scratch,
                       struct buf *out)
{
    bool first = true;
    buf_add_byte(out, '{');
    for (uint32_t i = 0; i < item->key_count; i++) {
        buf_clear(scratch);
        mapping_value_text(&item->keys[i].value, row, scratch);
        if (!scratch->n)
            continue;
        buf_add_text(out, first ? "" : ", ");
        first = false;
        text_add_json(out, item->keys[i].key);
        buf_add_text(out, ": ");
        if (is_bare(buf_slice(scratch)) && slice_is(item->keys[i].key, "value"))
            buf_add_slice(out, buf_slice(scratch));
        else
            text_add_json(out, buf_slice(scratch));
    }
    buf_add_byte(out, '}');
}

static int section_number(const char *section)
{
    int i = 0;
    while (sections[i] != section)
        i++;
    return i;
}

void mapping_plan_add(const struct mapping_entry *entry, const struct mapping_row *row, struct buf *scratch,
                      struct mapping_plan_texts *texts)
{
    enum { ITEMS_MAX = 4000000 };
    if (!texts->seen.map.count_max)
        intern_init(&texts->seen, ITEMS_MAX);
    for (uint32_t i = 0; i < entry->plan_count; i++) {
        struct buf *out = &texts->sections[section_number(entry->plan[i].section)];
        size_t from = out->n;
        buf_add_text(out, "- ");
        write_item(&entry->plan[i], row, scratch, out);
        buf_add_byte(out, '\n');
        uint32_t before = texts->seen.count;
        if (intern_put(&texts->seen, slice_make(out->p + from, out->n - from)) < before)
            out->n = from;
    }
}

static int section_of_key(struct slice key)
{
    for (int i = 0; sections[i]; i++)
        if (slice_is(key, sections[i]))
            return i;
    return -1;
}

void mapping_plan_write(const struct mapping *mapping, struct mapping_plan_texts *texts, struct buf *out)
{
    bool written[4] = {false};
    if (!mapping->plan)
        return;
    buf_add_text(out, "paceline_plan: 1\n");
    for (const struct yaml_node *node = mapping->plan->first; node; node = node->next) {
        int section = section_of_key(node->key);
        text_add_json(out, node->key);
        buf_add_text(out, ": ");
        if (section < 0 || node->kind != YAML_LIST) {
            if (slice_is(node->key, "tenant") && node->kind == YAML_MAP) {
                /* the tenant of the import, which --as-tenant may have changed */
                buf_add_text(out, "{\"id\": ");
                text_add_json(out, mapping->tenant);
                for (const struct yaml_node *key = node->first; key; key = key->next) {
                    if (slice_is(key->key, "id"))
                        continue;
                    buf_add_text(out, ", ");
                    text_add_json(out, key->key);
                    buf_add_text(out, ": ");
                    write_node(key, out);
                }
                buf_add_text(out, "}\n");
                continue;
            }
            write_node(node, out);
            buf_add_byte(out, '\n');
            continue;
        }
        buf_add_byte(out, '\n');
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            buf_add_text(out, "- ");
            write_node(item, out);
            buf_add_byte(out, '\n');
        }
        buf_add_slice(out, buf_slice(&texts->sections[section]));
        written[section] = true;
    }
    for (int i = 0; sections[i]; i++) {
        if (written[i] || !texts->sections[i].n)
            continue;
        buf_addf(out, "%s:\n", sections[i]);
        buf_add_slice(out, buf_slice(&texts->sections[i]));
    }
}

void mapping_plan_texts_close(struct mapping_plan_texts *texts)
{
    for (int i = 0; i < 4; i++)
        buf_close(&texts->sections[i]);
    intern_close(&texts->seen);
}
