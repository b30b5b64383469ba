/* mapping_load.c -- reading a mapping file: its head, then its entries (mapping_load_entry.c). See mapping.h. */
#include <stdlib.h>

#include "mapping_internal.h"

#define ZONEINFO "/usr/share/zoneinfo"

/* Digits of the minor unit, ISO 4217; all others have two. */
static const struct {
    const char codes[80];
    unsigned digits;
} exponents[] = {
    {"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0},
    {"BHD IQD JOD KWD LYD OMR TND", 3},
    {"CLF UYW", 4},
};

static unsigned currency_exponent(const char *code)
{
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++)
        if (strstr(exponents[i].codes, code))
            return exponents[i].digits;
    return 2;
}

static bool is_currency(struct slice code)
{
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] < 'A' || code.p[i] > 'Z')
            return false;
    return code.n == 3;
}

static void load_currency(struct mapping_loader *loader, const struct yaml_node *node)
{
    static const char *const keys[] = {"code", "in", NULL};
    static const char *const units[] = {"unit", "minor", NULL};
    struct mapping *mapping = loader->mapping;
    const struct yaml_doc *doc = &mapping->doc;
    if (!node || !yaml_want(doc, node, YAML_MAP) || !yaml_check_keys(doc, node, keys))
        return;
    const struct yaml_node *code = yaml_require(doc, node, "code");
    const struct yaml_node *in = yaml_require(doc, node, "in");
    int unit = 0;
    if (in && yaml_word(doc, in, units, &unit))
        mapping->in_minor = unit == 1;
    if (!code || !yaml_text(doc, code, 3, &mapping->currency))
        return;
    if (!is_currency(mapping->currency)) {
        yaml_fail(doc, code, "bad_currency", "expected three capital letters of ISO 4217, such as CNY");
        return;
    }
    mapping->has_currency = true;
    mapping->exponent = currency_exponent(code->text.p);
}

static void load_zone(struct mapping_loader *loader, const struct yaml_node *node)
{
    /* Transitions of all instants that an event may have (semantics 0.1: not before 1990). */
    static const int64_t from_ms = INT64_C(315532800000), to_ms = INT64_C(4102444800000);
    struct mapping *mapping = loader->mapping;
    struct err err = {0};
    if (!node || !yaml_text(&mapping->doc, node, 64, &mapping->zone_name))
        return;
    if (zone_resolve(ZONEINFO, mapping->zone_name, from_ms, to_ms, &mapping->zone, &err) != OK)
        yaml_fail(&mapping->doc, node, "bad_zone", "%s", err.text);
}

static void load_source(struct mapping_loader *loader, const struct yaml_node *node)
{
    loader->mapping->source = SLICE("import");
    if (node)
        (void)yaml_text(&loader->mapping->doc, node, 64, &loader->mapping->source);
}

static bool is_tenant(struct slice text)
{
    static const char *allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (size_t i = 0; i < text.n; i++)
        if (!strchr(allowed, text.p[i]))
            return false;
    return text.n > 0 && text.n <= 64 && !strchr("._-", text.p[0]);
}

static void load_head(struct mapping_loader *loader, const struct yaml_node *root)
{
    struct mapping *mapping = loader->mapping;
    const struct yaml_doc *doc = &mapping->doc;
    int64_t version;
    const struct yaml_node *node = yaml_require(doc, root, "paceline_mapping");
    if (node)
        (void)yaml_int(doc, node, 1, 1, &version);
    node = yaml_require(doc, root, "tenant");
    if (node && yaml_text(doc, node, 64, &mapping->tenant) && !is_tenant(mapping->tenant))
        yaml_fail(doc, node, "bad_id", "a tenant is A-Z a-z 0-9 . _ - and begins with a letter or digit");
    load_zone(loader, yaml_require(doc, root, "zone"));
    load_currency(loader, yaml_get(root, "currency"));
    load_source(loader, yaml_get(root, "source"));
    mapping->plan = yaml_get(root, "plan");
    if (mapping->plan)
        (void)yaml_want(doc, mapping->plan, YAML_MAP);
}

static void load_entries(struct mapping_loader *loader, const struct yaml_node *files)
{
    struct mapping *mapping = loader->mapping;
    if (!files || !yaml_want(&mapping->doc, files, YAML_LIST))
        return;
    for (const struct yaml_node *node = files->first; node; node = node->next) {
        if (mapping->entry_count == MAPPING_ENTRIES_MAX) {
            yaml_fail(&mapping->doc, node, "too_many", "more than %d entries", MAPPING_ENTRIES_MAX);
            return;
        }
        struct mapping_entry *entry = mapping_alloc(1, sizeof *entry);
        mapping->entries[mapping->entry_count++] = entry;
        mapping_load_entry(loader, entry, node);
    }
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

enum err_code mapping_load(const char *path, struct mapping_places places, struct findings *findings,
                           struct mapping **out)
{
    static const char *const keys[] = {"paceline_mapping", "tenant", "zone",  "currency",
                                       "source",           "plan",   "files", NULL};
    struct mapping *mapping = mapping_alloc(1, sizeof *mapping);
    struct mapping_loader loader = {mapping, places, findings};
    mapping->folder = folder_of(path);
    zone_init_utc(&mapping->zone);
    mapping->in_minor = true; /* without `currency` the file writes what the events carry */
    mapping->exponent = 2;
    *out = NULL;
    enum err_code code = yaml_doc_read(&mapping->doc, path, findings);
    if (code == OK && yaml_want(&mapping->doc, mapping->doc.root, YAML_MAP)) {
        (void)yaml_check_keys(&mapping->doc, mapping->doc.root, keys);
        load_head(&loader, mapping->doc.root);
        load_entries(&loader, yaml_require(&mapping->doc, mapping->doc.root, "files"));
    }
    if (code == OK && findings_count(findings) == 0) {
        *out = mapping;
        return OK;
    }
    mapping_destroy(&mapping);
    return ERR_CONFIG;
}

static void event_close(struct mapping_event *event)
{
    mapping_filter_destroy(&event->filter);
    mapping_value_close(&event->id);
    mapping_value_close(&event->at);
    for (uint32_t i = 0; i < event->field_count; i++)
        mapping_value_close(&event->fields[i].value);
    for (int i = 0; i < LINE_FIELDS; i++)
        mapping_value_close(&event->lines[i]);
}

static void entry_close(struct mapping_entry *entry)
{
    for (uint32_t i = 0; i < entry->event_count; i++)
        event_close(&entry->events[i]);
    free(entry->events);
    for (uint32_t i = 0; i < entry->join_count; i++)
        mapping_join_close(&entry->joins[i]);
    for (uint32_t i = 0; i < entry->plan_count; i++)
        for (uint32_t key = 0; key < entry->plan[i].key_count; key++)
            mapping_value_close(&entry->plan[i].keys[key].value);
    for (uint32_t i = 0; i < entry->column_count; i++)
        free((void *)(uintptr_t)entry->columns[i].p); /* add_column's copy */
    free(entry->replaces);
    free(entry);
}

void mapping_destroy(struct mapping **mapping)
{
    struct mapping *m = *mapping;
    *mapping = NULL;
    if (!m)
        return;
    for (uint32_t i = 0; i < m->entry_count; i++)
        entry_close(m->entries[i]);
    mapping_files_close(m);
    zone_close(&m->zone);
    buf_close(&m->tenant_text);
    yaml_doc_close(&m->doc);
    free(m->folder);
    free(m);
}

struct slice mapping_tenant(const struct mapping *mapping) { return mapping->tenant; }

void mapping_set_tenant(struct mapping *mapping, struct slice tenant)
{
    buf_clear(&mapping->tenant_text);
    buf_add_slice(&mapping->tenant_text, tenant);
    mapping->tenant = buf_slice(&mapping->tenant_text);
}

const char *mapping_file_name(const struct mapping *mapping, uint32_t file) { return mapping->files[file].path; }
