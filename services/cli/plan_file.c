/* plan_file.c -- reading: the tables check each item, then it becomes a draft with its canonical spec. */
#include "plan_file.h"

#include <stdlib.h>

#include "model/plan_json.h"
#include "model/plan_schema.h"
#include "model/plan_shipped.h"
#include "model/plan_value.h"

enum { TEXTS_MAX = 4000000 };

static const char *const top_keys[] = {
    "paceline_plan", "valid_from", "reason",  "approver", "tenant",      "calendars", "org",     "members",
    "stage_models",  "measures",   "targets", "rules",    "obligations", "prices",    "dealers", NULL};
static const char *const item_keys[] = {"id", "valid_from", "reason", "approver", NULL};
static const char *const item_keys_without_id[] = {"valid_from", "reason", "approver", NULL};

struct slice plan_file_keep(struct plan_file *file, struct slice text)
{
    return intern_text(&file->texts, intern_put(&file->texts, text));
}

static void on_error(void *context, const struct yaml_node *at, uint32_t shift, bool at_key, const char *code,
                     const char *text)
{
    const struct plan_file *file = context;
    uint32_t line = at_key ? at->key_line : at->line, column = at_key ? at->key_column : at->column;
    findings_add(file->findings, file->doc->file, line, column + shift, code, "%s", text);
}

/* Key of the table of ids: kind, then id. */
static struct slice id_key(struct buf *key, int kind, struct slice id)
{
    buf_clear(key);
    buf_add_byte(key, (uint8_t)kind);
    buf_add_slice(key, id);
    return buf_slice(key);
}

/* --- one item --- */

static bool read_when(struct plan_file *file, const struct yaml_node *node, int64_t *at_ms)
{
    if (node->kind == YAML_SCALAR && plan_parse_when(node->text, &file->zone, at_ms))
        return true;
    yaml_fail(file->doc, node, "bad_date", "expected a date like 2026-01-01 or an instant with Z or offset");
    return false;
}

static struct slice read_note(struct plan_file *file, const struct yaml_node *item, const char *key, bool is_id,
                              struct slice otherwise)
{
    const struct yaml_node *node = yaml_get(item, key);
    if (!node)
        return otherwise;
    if (node->kind != YAML_SCALAR || !node->text.n || node->text.n > 256)
        yaml_fail(file->doc, node, "bad_value", "%s: expected a text of 1 to 256 bytes", key);
    else if (is_id && !plan_is_id(node->text))
        yaml_fail(file->doc, node, "bad_id", "%s: expected an id, no e-mail address, no phone number", key);
    return node->kind == YAML_SCALAR ? node->text : otherwise;
}

static void compose_id(struct plan_file *file, struct plan_draft *draft, struct buf *out)
{
    const struct yaml_node *node = draft->node;
    char instant[PLAN_INSTANT_BYTES];
    int32_t day;
    int64_t at_ms;
    if (draft->kind == PLAN_KIND_price) {
        buf_add_slice(out, plan_text(node, "sku"));
        buf_add_byte(out, '/');
        buf_add_slice(out, plan_text(node, "currency"));
        return;
    }
    struct slice from = plan_text(node, "from");
    buf_add_slice(out, plan_text(node, "rep"));
    buf_add_byte(out, '/');
    buf_add_slice(out, plan_text(node, "node"));
    buf_add_byte(out, '/');
    if (plan_parse_date(from, &day)) {
        buf_add_slice(out, from);
        return;
    }
    if (!plan_parse_when(from, &file->zone, &at_ms))
        at_ms = draft->valid_from_ms;
    plan_format_instant(at_ms, instant);
    buf_add_text(out, instant);
}

static bool read_id(struct plan_file *file, struct plan_draft *draft)
{
    const struct plan_kind *kind = &plan_kinds[draft->kind];
    struct buf text;
    buf_init(&text);
    bool ok = true;
    if (!kind->id_key)
        compose_id(file, draft, &text);
    else {
        const struct yaml_node *id = yaml_get(draft->node, kind->id_key);
        bool tenant = draft->kind == PLAN_KIND_tenant, dealer = draft->kind == PLAN_KIND_dealer;
        if (!id)
            yaml_fail(file->doc, draft->node, "missing_key", "%s is missing", kind->id_key);
        else if (id->kind != YAML_SCALAR || !(tenant   ? plan_is_tenant(id->text)
                                              : dealer ? plan_is_id(id->text)
                                                       : plan_is_plan_id(id->text)))
            yaml_fail(file->doc, id, "bad_id",
                      "expected an id of 1 to 64 bytes without / @ = | { } \", no e-mail address, no phone number");
        else
            buf_add_slice(&text, id->text);
        ok = text.n > 0;
    }
    draft->id = plan_file_keep(file, buf_slice(&text));
    buf_close(&text);
    return ok;
}

bool plan_file_add(struct plan_file *file, const struct plan_draft *draft)
{
    struct buf key;
    buf_init(&key);
    uint32_t known = file->ids.count;
    bool seen = intern_put(&file->ids, id_key(&key, draft->kind, draft->id)) < known;
    buf_close(&key);
    for (uint32_t i = 0; seen && i < file->count; i++)
        if (file->items[i].kind == draft->kind && slice_eq(file->items[i].id, draft->id) &&
            file->items[i].valid_from_ms == draft->valid_from_ms) {
            yaml_fail(file->doc, draft->node, "duplicate_id", "%s %.*s stands in line %u already",
                      plan_kinds[draft->kind].name, SLICE_ARG(draft->id), file->items[i].node->line);
            return false;
        }
    if (file->count == file->cap) {
        file->cap = file->cap ? 2 * file->cap : 64;
        file->items = realloc(file->items, file->cap * sizeof *file->items);
        if (!file->items)
            abort();
    }
    file->items[file->count++] = *draft;
    return true;
}

static void read_resolved(struct plan_file *file, struct plan_draft *draft)
{
    const struct yaml_node *zone_node = yaml_get(draft->node, "zone");
    struct zone zone;
    struct buf text;
    struct err err;
    buf_init(&text);
    if (plan_resolve(zone_node->text, &zone, &text, &err) != OK)
        yaml_fail(file->doc, zone_node, "bad_zone", "\"%.*s\": %s", SLICE_ARG(zone_node->text), err.text);
    else
        draft->resolved = plan_file_keep(file, buf_slice(&text));
    zone_close(&zone);
    buf_close(&text);
}

static void read_item(struct plan_file *file, int kind, const struct yaml_node *node)
{
    struct plan_checker checker = {.report = on_error, .context = file};
    const struct plan_kind *row = &plan_kinds[kind];
    bool has_id = row->id_key && strcmp(row->id_key, "id") == 0;
    bool ok = plan_check_item(&checker, row, node, has_id ? item_keys : item_keys_without_id);
    if (node->kind != YAML_MAP)
        return;
    struct plan_draft draft = {.kind = kind, .node = node, .valid_from_ms = file->valid_from_ms};
    const struct yaml_node *from = yaml_get(node, "valid_from");
    ok = (!from || read_when(file, from, &draft.valid_from_ms)) && ok;
    draft.reason = read_note(file, node, "reason", false, file->reason);
    draft.approver = read_note(file, node, "approver", true, file->approver);
    ok = read_id(file, &draft) && ok;
    if (!ok)
        return;
    struct buf spec;
    buf_init(&spec);
    plan_write_spec(row, node, &spec);
    if (spec.n > 64 * 1024)
        yaml_fail(file->doc, node, "too_long", "an item has at most 64 KiB");
    draft.spec = plan_file_keep(file, buf_slice(&spec));
    buf_close(&spec);
    if (kind == PLAN_KIND_tenant || kind == PLAN_KIND_calendar)
        read_resolved(file, &draft);
    plan_file_add(file, &draft);
}

/* --- the file --- */

static void read_section(struct plan_file *file, const struct yaml_node *root, int kind)
{
    const struct yaml_node *section = yaml_get(root, plan_kinds[kind].section);
    if (!section)
        return;
    if (kind == PLAN_KIND_tenant) {
        read_item(file, kind, section);
        return;
    }
    if (section->kind != YAML_LIST) {
        if (section->kind != YAML_SCALAR || section->text.n || section->quoted)
            yaml_fail(file->doc, section, "bad_type", "%s: expected a list", plan_kinds[kind].section);
        return;
    }
    for (const struct yaml_node *item = section->first; item; item = item->next)
        read_item(file, kind, item);
}

/* What dates mean comes first: the zone of the tenant item, else of the present plan, else UTC. */
static void read_zone(struct plan_file *file, const struct yaml_node *root)
{
    const struct yaml_node *tenant = yaml_get(root, "tenant");
    struct slice name = plan_text(tenant, "zone"), id = plan_text(tenant, "id");
    if (id.n)
        file->tenant = id;
    if (name.n && zone_resolve(PLAN_ZONEINFO, name, 0, 4102444800000ll, &file->zone, NULL) == OK) {
        zone_close(&file->zone);
        struct buf unused;
        buf_init(&unused);
        (void)plan_resolve(name, &file->zone, &unused, NULL);
        buf_close(&unused);
        return;
    }
    const struct zone *now = file->current ? plan_zone(file->current) : NULL;
    for (uint32_t i = 0; now && i < now->count; i++)
        (void)zone_add(&file->zone, now->transitions[i].at_ms, now->transitions[i].offset_s);
    file->zone.first_offset_s = now ? now->first_offset_s : 0;
}

static void read_head(struct plan_file *file, const struct yaml_node *root)
{
    static const char *const needed[] = {"paceline_plan", "valid_from", "reason", "approver"};
    yaml_check_keys(file->doc, root, top_keys);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        yaml_require(file->doc, root, needed[i]);
    const struct yaml_node *version = yaml_get(root, "paceline_plan"), *from = yaml_get(root, "valid_from");
    if (version && !slice_is(version->text, "1"))
        yaml_fail(file->doc, version, "bad_value", "this program reads version 1 of the format");
    read_zone(file, root);
    if (from)
        read_when(file, from, &file->valid_from_ms);
    file->reason = read_note(file, root, "reason", false, (struct slice){"", 0});
    file->approver = read_note(file, root, "approver", true, (struct slice){"", 0});
}

static void add_shipped(struct plan_file *file, int kind, const char *text)
{
    struct findings none;
    struct yaml_doc doc;
    struct buf key;
    findings_init(&none);
    buf_init(&key);
    if (yaml_doc_parse(&doc, "shipped", slice_of(text), &none) == OK)
        for (const struct yaml_node *item = doc.root->first->first; item; item = item->next)
            (void)intern_put(&file->shipped, id_key(&key, kind, plan_text(item, "id")));
    buf_close(&key);
    yaml_doc_close(&doc);
    findings_close(&none);
}

static void file_init(struct plan_file *file, struct slice tenant, const struct plan *current,
                      struct findings *findings)
{
    *file = (struct plan_file){.findings = findings, .current = current, .tenant = tenant};
    intern_init(&file->texts, TEXTS_MAX);
    intern_init(&file->ids, PLAN_FILE_ITEMS_MAX);
    intern_init(&file->shipped, PLAN_FILE_ITEMS_MAX);
    add_shipped(file, PLAN_KIND_measure, plan_shipped_measures);
    add_shipped(file, PLAN_KIND_obligation, plan_shipped_obligations);
}

static enum err_code take(struct plan_file *file, const struct yaml_doc *doc, const struct yaml_node *root,
                          size_t before)
{
    file->doc = doc;
    if (!yaml_want(doc, root, YAML_MAP))
        return ERR_CONFIG;
    read_head(file, root);
    for (int kind = 0; kind < PLAN_KINDS; kind++)
        read_section(file, root, kind);
    if (!file->tenant.n)
        yaml_fail(doc, root, "missing_key", "the file has no tenant item: name the tenant");
    plan_file_check_refs(file);
    plan_file_split_targets(file);
    return findings_count(file->findings) > before ? ERR_CONFIG : OK;
}

enum err_code plan_file_take(struct plan_file *file, const struct yaml_doc *doc, const struct yaml_node *root,
                             struct slice tenant, const struct plan *current)
{
    file_init(file, tenant, current, doc->findings);
    return take(file, doc, root, findings_count(doc->findings));
}

enum err_code plan_file_read(struct plan_file *file, const char *path, struct slice tenant, const struct plan *current,
                             struct findings *findings)
{
    size_t before = findings_count(findings);
    file_init(file, tenant, current, findings);
    enum err_code code = yaml_doc_read(&file->own, path, findings);
    return code == OK ? take(file, &file->own, file->own.root, before) : code;
}

enum err_code plan_file_parse(struct plan_file *file, const char *name, struct slice bytes, struct slice tenant,
                              const struct plan *current, struct findings *findings)
{
    size_t before = findings_count(findings);
    file_init(file, tenant, current, findings);
    enum err_code code = yaml_doc_parse(&file->own, name, bytes, findings);
    return code == OK ? take(file, &file->own, file->own.root, before) : code;
}

void plan_file_close(struct plan_file *file)
{
    free(file->items);
    zone_close(&file->zone);
    intern_close(&file->texts);
    intern_close(&file->ids);
    intern_close(&file->shipped);
    yaml_doc_close(&file->own);
    *file = (struct plan_file){0};
}

/* --- what is known --- */

static bool current_has(const struct plan *current, int kind, struct slice id)
{
    const struct plan_item *item = current ? plan_item_find(current, (uint8_t)kind, id, INT64_MAX) : NULL;
    return item && !item->ended;
}

bool plan_file_knows(const struct plan_file *file, int kind, struct slice id)
{
    struct buf key;
    buf_init(&key);
    id_key(&key, kind, id);
    bool known = intern_get(&file->ids, buf_slice(&key)) != INTERN_NONE ||
                 intern_get(&file->shipped, buf_slice(&key)) != INTERN_NONE;
    buf_close(&key);
    return known || current_has(file->current, kind, id);
}
