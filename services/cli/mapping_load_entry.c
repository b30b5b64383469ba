/* mapping_load_entry.c -- one entry of `files`: its files, joins, replacements, and the events of its rows. */
#include <stdlib.h>

#include "mapping_internal.h"

const char *const mapping_line_names[] = {"sku",         "product_group", "qty",        "unit_price", "list_price",
                                          "floor_price", "cost",          "net_amount", NULL};

static void load_delimiter(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    struct slice text;
    entry->delimiter = ',';
    if (!node || !yaml_text(&loader->mapping->doc, node, 4, &text))
        return;
    if (text.n != 1 || strchr("\"\r\n", text.p[0]))
        yaml_fail(&loader->mapping->doc, node, "bad_value", "expected one character, such as \";\" or \"\\t\"");
    else
        entry->delimiter = text.p[0];
}

static void load_date_format(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    struct slice text;
    if (!node || !yaml_text(&loader->mapping->doc, node, MAPPING_DATE_FORMAT_BYTES_MAX - 1, &text))
        return;
    if (!mapping_time_format_ok(text))
        yaml_fail(&loader->mapping->doc, node, "bad_date",
                  "expected %%Y, %%m, %%d (and %%H %%M %%S) with literals between, such as %%d/%%m/%%Y %%H:%%M");
    else
        memcpy(entry->date_format, text.p, text.n);
}

static void add_replace(struct mapping_entry *entry, struct mapping_replace replace)
{
    if (entry->replace_count == entry->replace_cap) {
        entry->replace_cap = entry->replace_cap ? entry->replace_cap * 2 : 16;
        entry->replaces = reallocarray(entry->replaces, entry->replace_cap, sizeof *entry->replaces);
        if (!entry->replaces)
            abort();
    }
    entry->replaces[entry->replace_count++] = replace;
}

static void load_replace(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    const struct yaml_doc *doc = &loader->mapping->doc;
    if (!node || !yaml_want(doc, node, YAML_MAP))
        return;
    for (const struct yaml_node *column = node->first; column; column = column->next) {
        uint32_t number = mapping_column(entry, column->key);
        if (number == MAPPING_NO_COLUMN && entry->readable)
            yaml_fail_key(doc, column, "unknown_field", "no column %s in the file or its joins", column->key.p);
        if (!yaml_want(doc, column, YAML_MAP) || number == MAPPING_NO_COLUMN)
            continue;
        for (const struct yaml_node *pair = column->first; pair; pair = pair->next)
            if (yaml_want(doc, pair, YAML_SCALAR))
                add_replace(entry, (struct mapping_replace){number, pair->key, pair->text});
    }
}

/* ---- events */

struct event_loader {
    struct mapping_loader *loader;
    const struct mapping_entry *entry;
    struct mapping_event *event;
};

static struct mapping_field *field_at(struct mapping_event *event, enum mapping_slot slot, int index, struct slice attr)
{
    for (uint32_t i = 0; i < event->field_count; i++) {
        struct mapping_field *field = &event->fields[i];
        if (field->slot == slot && field->index == index && slice_eq(field->attr, attr))
            return field; /* given by `set` and again by the event: the event's holds */
    }
    if (event->field_count == MAPPING_FIELDS_MAX)
        return NULL;
    struct mapping_field *field = &event->fields[event->field_count++];
    *field = (struct mapping_field){.slot = slot, .index = index, .attr = attr};
    return field;
}

static void set_field(struct event_loader *in, enum mapping_slot slot, int index, struct slice attr,
                      bool product_allowed, const struct yaml_node *node)
{
    struct mapping_field *field = field_at(in->event, slot, index, attr);
    if (!field) {
        yaml_fail(&in->loader->mapping->doc, node, "too_many", "more than %d fields", MAPPING_FIELDS_MAX);
        return;
    }
    mapping_value_close(&field->value);
    (void)mapping_value_compile(in->loader, in->entry, node, product_allowed, &field->value);
}

static void load_lines(struct event_loader *in, const struct yaml_node *node)
{
    const struct yaml_doc *doc = &in->loader->mapping->doc;
    if (!yaml_want(doc, node, YAML_MAP) || !yaml_check_keys(doc, node, mapping_line_names))
        return;
    in->event->has_lines = true;
    for (int i = 0; i < LINE_FIELDS; i++) {
        const struct yaml_node *value = yaml_get(node, mapping_line_names[i]);
        mapping_value_close(&in->event->lines[i]);
        if (value)
            (void)mapping_value_compile(in->loader, in->entry, value, i != LINE_SKU && i != LINE_GROUP,
                                        &in->event->lines[i]);
    }
    if (!yaml_get(node, "net_amount") && !(yaml_get(node, "unit_price") && yaml_get(node, "qty")))
        yaml_fail(doc, node, "missing_key", "a line needs net_amount, or unit_price and qty");
}

static void load_attrs(struct event_loader *in, const struct yaml_node *node)
{
    if (!yaml_want(&in->loader->mapping->doc, node, YAML_MAP))
        return;
    for (const struct yaml_node *attr = node->first; attr; attr = attr->next)
        set_field(in, SLOT_ATTR, 0, attr->key, false, attr);
}

static void load_flags(struct event_loader *in, int index, const struct yaml_node *node)
{
    const struct yaml_doc *doc = &in->loader->mapping->doc;
    if (!yaml_want(doc, node, YAML_LIST))
        return;
    for (const struct yaml_node *flag = node->first; flag; flag = flag->next) {
        if (flag->kind != YAML_SCALAR || !slice_is(flag->text, "assumed_time"))
            yaml_fail(doc, flag, "bad_enum", "expected assumed_time");
        else {
            struct mapping_field *field = field_at(in->event, SLOT_FIELD, index, (struct slice){0});
            if (field)
                field->flags_assumed = true;
        }
    }
}

/* What the mapping itself puts in. */
static bool is_own(int index)
{
    return index == EV_TENANT || index == EV_EVENT_ID || index == EV_SOURCE || index == EV_SOURCE_SEQ ||
           index == EV_OCCURRED_AT;
}

static bool is_event_key(const char *key)
{
    static const char *const keys[] = {"type", "if", "id", "at", "group", NULL};
    for (int i = 0; keys[i]; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static void unknown_event_key(struct event_loader *in, const struct yaml_node *node)
{
    const char *names[EVENT_FIELDS_MAX + 8] = {"type", "if", "id", "at", "group", "rep"};
    size_t count, used = 6;
    const struct event_field *fields = event_fields(in->event->type, &count);
    for (size_t i = 0; i < count; i++)
        if (!is_own((int)i))
            names[used++] = fields[i].name;
    const char *near = did_you_mean(node->key, names);
    yaml_fail_key(&in->loader->mapping->doc, node, "unknown_key", "%s has no field %s%s%s%s",
                  event_type_name(in->event->type), node->key.p, near ? "; did you mean " : "", near ? near : "",
                  near ? "?" : "");
}

/* One key of `set` or of an event. Fields of `set` that the type does not have are left out (2.2). */
static void load_field(struct event_loader *in, const struct yaml_node *node, bool from_set)
{
    enum event_type type = in->event->type;
    int index = event_field_of(type, node->key);
    size_t count;
    const struct event_field *fields = event_fields(type, &count);
    if (slice_is(node->key, "rep") && type == EVENT_ORDER)
        set_field(in, SLOT_REP, 0, (struct slice){0}, false, node);
    else if (index < 0 || is_own(index)) {
        if (!from_set)
            unknown_event_key(in, node);
    } else if (fields[index].kind == FIELD_LINES)
        load_lines(in, node);
    else if (fields[index].kind == FIELD_ATTRS)
        load_attrs(in, node);
    else if (fields[index].kind == FIELD_FLAGS)
        load_flags(in, index, node);
    else if (fields[index].kind == FIELD_SPLITS)
        yaml_fail_key(&in->loader->mapping->doc, node, "bad_value", "write `rep: \"{column}\"` for one split of 100%%");
    else
        set_field(in, SLOT_FIELD, index, (struct slice){0}, mapping_is_number(fields[index].kind), node);
}

static void load_group(struct event_loader *in, const struct yaml_node *node)
{
    const struct yaml_doc *doc = &in->loader->mapping->doc;
    if (!node || !yaml_want(doc, node, YAML_LIST))
        return;
    for (const struct yaml_node *column = node->first; column; column = column->next) {
        struct slice name;
        if (!yaml_text(doc, column, YAML_KEY_BYTES_MAX, &name))
            continue;
        uint32_t number = mapping_column(in->entry, name);
        if (number == MAPPING_NO_COLUMN && in->entry->readable)
            yaml_fail(doc, column, "unknown_field", "no column %s in the file or its joins", name.p);
        else if (in->event->group_count == MAPPING_GROUP_MAX)
            yaml_fail(doc, column, "too_many", "more than %d columns", MAPPING_GROUP_MAX);
        else
            in->event->group[in->event->group_count++] = number;
    }
}

static bool load_type(struct event_loader *in, const struct yaml_node *node)
{
    static const char *const types[] = {"visit", "order", "lead", "fact", NULL};
    static const enum event_type numbers[] = {EVENT_VISIT, EVENT_ORDER, EVENT_LEAD, EVENT_FACT};
    int word;
    if (!node || !yaml_word(&in->loader->mapping->doc, node, types, &word))
        return false;
    in->event->type = numbers[word];
    return true;
}

static void load_event(struct event_loader *in, const struct yaml_node *node, const struct yaml_node *set)
{
    const struct yaml_doc *doc = &in->loader->mapping->doc;
    if (!yaml_want(doc, node, YAML_MAP) || !load_type(in, yaml_require(doc, node, "type")))
        return;
    const struct yaml_node *id = yaml_require(doc, node, "id");
    const struct yaml_node *at = yaml_require(doc, node, "at");
    const struct yaml_node *filter = yaml_get(node, "if");
    if (id)
        (void)mapping_value_compile(in->loader, in->entry, id, false, &in->event->id);
    if (at)
        (void)mapping_value_compile(in->loader, in->entry, at, false, &in->event->at);
    if (filter)
        in->event->filter = mapping_filter_compile(in->loader, in->entry, filter);
    load_group(in, yaml_get(node, "group"));
    for (const struct yaml_node *field = set ? set->first : NULL; field; field = field->next)
        load_field(in, field, true);
    for (const struct yaml_node *field = node->first; field; field = field->next)
        if (!is_event_key(field->key.p))
            load_field(in, field, false);
}

/* A field of `set` that no type of the entry has is a slip of the pen. */
static void check_set(struct mapping_loader *loader, const struct mapping_entry *entry, const struct yaml_node *set)
{
    for (const struct yaml_node *field = set ? set->first : NULL; field; field = field->next) {
        bool known = false;
        for (uint32_t i = 0; i < entry->event_count && !known; i++) {
            enum event_type type = entry->events[i].type;
            int index = event_field_of(type, field->key);
            known = (index >= 0 && !is_own(index)) || (slice_is(field->key, "rep") && type == EVENT_ORDER);
        }
        if (!known && entry->event_count)
            yaml_fail_key(&loader->mapping->doc, field, "unknown_key", "no event of this entry has a field %s",
                          field->key.p);
    }
}

static void load_events(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node,
                        const struct yaml_node *set)
{
    const struct yaml_doc *doc = &loader->mapping->doc;
    if (!node || !yaml_want(doc, node, YAML_LIST))
        return;
    if (node->count > MAPPING_EVENTS_MAX) {
        yaml_fail(doc, node, "too_many", "more than %d events", MAPPING_EVENTS_MAX);
        return;
    }
    entry->events = mapping_alloc(node->count, sizeof *entry->events);
    for (const struct yaml_node *event = node->first; event; event = event->next) {
        struct event_loader in = {loader, entry, &entry->events[entry->event_count++]};
        load_event(&in, event, set);
    }
    check_set(loader, entry, set);
}

void mapping_load_entry(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    static const char *const keys[] = {"file", "delimiter", "date_format", "join", "replace",
                                       "set",  "events",    "plan",        NULL};
    const struct yaml_doc *doc = &loader->mapping->doc;
    if (!yaml_want(doc, node, YAML_MAP))
        return;
    (void)yaml_check_keys(doc, node, keys);
    load_delimiter(loader, entry, yaml_get(node, "delimiter"));
    load_date_format(loader, entry, yaml_get(node, "date_format"));
    const struct yaml_node *file = yaml_require(doc, node, "file");
    struct slice text;
    bool readable = file && yaml_text(doc, file, 1024, &text) && mapping_files_open(loader, entry, file);
    const struct yaml_node *joins = yaml_get(node, "join");
    if (joins && yaml_want(doc, joins, YAML_LIST))
        for (const struct yaml_node *join = joins->first; join && readable; join = join->next) {
            if (entry->join_count == MAPPING_JOINS_MAX) {
                yaml_fail(doc, join, "too_many", "more than %d joins", MAPPING_JOINS_MAX);
                break;
            }
            readable = mapping_join_open(loader, entry, join);
        }
    entry->readable = readable;
    load_replace(loader, entry, yaml_get(node, "replace"));
    const struct yaml_node *set = yaml_get(node, "set");
    if (set && !yaml_want(doc, set, YAML_MAP))
        set = NULL;
    load_events(loader, entry, yaml_get(node, "events"), set);
    mapping_plan_load(loader, entry, yaml_get(node, "plan"));
}
