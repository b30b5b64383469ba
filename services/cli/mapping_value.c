/* mapping_value.c -- values of a mapping: text with {column} in it, or an exact product. See mapping_internal.h. */
#include <stdlib.h>

#include "mapping_internal.h"

void *mapping_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

void mapping_value_close(struct mapping_value *value)
{
    free(value->parts);
    free(value->factors);
    *value = (struct mapping_value){0};
}

static void fail_column(struct mapping_loader *loader, const struct mapping_entry *entry, const struct yaml_node *node,
                        struct slice name)
{
    const char *names[CSV_COLUMNS_MAX + 1];
    char *copies[CSV_COLUMNS_MAX];
    uint32_t count = entry->column_count;
    for (uint32_t i = 0; i < count; i++)
        names[i] = copies[i] = strndup(entry->columns[i].p, entry->columns[i].n);
    names[count] = NULL;
    const char *near = did_you_mean(name, names);
    yaml_fail(&loader->mapping->doc, node, "unknown_field", "no column %.*s in the file or its joins%s%s%s",
              SLICE_ARG(name), near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    for (uint32_t i = 0; i < count; i++)
        free(copies[i]);
}

/* One {column}. An entry whose files could not be read has no columns: the finding about the file says enough. */
static bool take_column(struct mapping_loader *loader, const struct mapping_entry *entry, const struct yaml_node *node,
                        struct slice name, uint32_t *column)
{
    *column = mapping_column(entry, name);
    if (*column != MAPPING_NO_COLUMN)
        return true;
    if (entry->readable)
        fail_column(loader, entry, node, name);
    return false;
}

static bool add_literal(struct mapping_value *value, const char *p, size_t n)
{
    if (!n)
        return true;
    if (value->count == MAPPING_PARTS_MAX)
        return false;
    value->parts[value->count++] = (struct mapping_part){.text = {p, n}};
    return true;
}

static const char *brace_rule = "expected {column}; write {{ and }} for braces";

/* A literal run ends at a single brace; a doubled one gives its first half to the run and is then skipped. */
static bool compile_text(struct mapping_loader *loader, const struct mapping_entry *entry, const struct yaml_node *node,
                         struct mapping_value *value)
{
    struct slice text = node->text;
    size_t from = 0, i = 0;
    while (i < text.n) {
        char c = text.p[i];
        if (c != '{' && c != '}') {
            i++;
            continue;
        }
        bool doubled = i + 1 < text.n && text.p[i + 1] == c;
        if (!doubled && c == '}')
            goto bad;
        if (!add_literal(value, text.p + from, i - from + (doubled ? 1 : 0)))
            goto many;
        if (doubled) {
            from = i += 2;
            continue;
        }
        const char *close = memchr(text.p + i, '}', text.n - i);
        if (!close)
            goto bad;
        if (value->count == MAPPING_PARTS_MAX)
            goto many;
        struct slice name = {text.p + i + 1, (size_t)(close - text.p) - i - 1};
        struct mapping_part *part = &value->parts[value->count];
        part->is_column = true;
        if (!take_column(loader, entry, node, name, &part->column))
            return false;
        value->count++;
        from = i = (size_t)(close - text.p) + 1;
    }
    if (add_literal(value, text.p + from, text.n - from))
        return true;
many:
    yaml_fail(&loader->mapping->doc, node, "too_many", "more than %d parts", MAPPING_PARTS_MAX);
    return false;
bad:
    yaml_fail(&loader->mapping->doc, node, "bad_value", "%s", brace_rule);
    return false;
}

/* A factor: a number, "{column}" or "1-{column}". */
static bool compile_factor(struct mapping_loader *loader, const struct mapping_entry *entry,
                           const struct yaml_node *node, struct mapping_factor *factor)
{
    struct slice text = node->text;
    if (node->kind == YAML_SCALAR && decimal_parse(text, &factor->number))
        return true;
    if (node->kind == YAML_SCALAR && text.n > 2 && memcmp(text.p, "1-", 2) == 0) {
        factor->one_minus = true;
        text = slice_make(text.p + 2, text.n - 2);
    }
    if (node->kind != YAML_SCALAR || text.n < 3 || text.p[0] != '{' || text.p[text.n - 1] != '}') {
        yaml_fail(&loader->mapping->doc, node, "bad_value", "a factor is a number, \"{column}\" or \"1-{column}\"");
        return false;
    }
    factor->is_column = true;
    return take_column(loader, entry, node, slice_make(text.p + 1, text.n - 2), &factor->column);
}

static bool compile_product(struct mapping_loader *loader, const struct mapping_entry *entry,
                            const struct yaml_node *node, struct mapping_value *value)
{
    static const char *const keys[] = {"mul", NULL};
    const struct yaml_doc *doc = &loader->mapping->doc;
    const struct yaml_node *list = yaml_get(node, "mul");
    if (!yaml_check_keys(doc, node, keys) || !yaml_require(doc, node, "mul") || !yaml_want(doc, list, YAML_LIST))
        return false;
    if (!list->count || list->count > MAPPING_FACTORS_MAX) {
        yaml_fail(doc, list, "too_many", "expected 1 to %d factors", MAPPING_FACTORS_MAX);
        return false;
    }
    value->product = true;
    value->factors = mapping_alloc(list->count, sizeof *value->factors);
    bool good = true;
    for (const struct yaml_node *factor = list->first; factor; factor = factor->next)
        good = compile_factor(loader, entry, factor, &value->factors[value->count++]) && good;
    return good;
}

bool mapping_value_compile(struct mapping_loader *loader, const struct mapping_entry *entry,
                           const struct yaml_node *node, bool product_allowed, struct mapping_value *value)
{
    if (node->kind == YAML_MAP && product_allowed)
        return compile_product(loader, entry, node, value);
    if (!yaml_want(&loader->mapping->doc, node, YAML_SCALAR))
        return false;
    value->parts = mapping_alloc(MAPPING_PARTS_MAX, sizeof *value->parts);
    return compile_text(loader, entry, node, value);
}

void mapping_value_text(const struct mapping_value *value, const struct mapping_row *row, struct buf *out)
{
    for (uint32_t i = 0; i < value->count; i++) {
        const struct mapping_part *part = &value->parts[i];
        buf_add_slice(out, part->is_column ? row->cells[part->column] : part->text);
    }
}

static bool factor_decimal(const struct mapping_factor *factor, const struct mapping_row *row, struct decimal *decimal,
                           bool *absent)
{
    *decimal = factor->number;
    if (!factor->is_column)
        return true;
    struct slice cell = row->cells[factor->column];
    if (!cell.n) {
        *absent = true;
        return true;
    }
    if (!decimal_parse(cell, decimal))
        return false;
    return !factor->one_minus || decimal_one_minus(*decimal, decimal);
}

bool mapping_value_decimal(const struct mapping_value *value, const struct mapping_row *row, struct buf *scratch,
                           struct decimal *decimal, bool *absent)
{
    *absent = false;
    if (!value->product) {
        buf_clear(scratch);
        mapping_value_text(value, row, scratch);
        *absent = scratch->n == 0;
        return *absent || decimal_parse(buf_slice(scratch), decimal);
    }
    *decimal = (struct decimal){1, 0};
    for (uint32_t i = 0; i < value->count && !*absent; i++) {
        struct decimal factor;
        if (!factor_decimal(&value->factors[i], row, &factor, absent))
            return false;
        if (!*absent && !decimal_mul(*decimal, factor, decimal))
            return false;
    }
    return true;
}
