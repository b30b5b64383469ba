/* mapping_filter.c -- the `if` of an event: the filter language over the columns of an entry (semantics 1.4). */
#include <stdlib.h>

#include "mapping_internal.h"
#include "model/filter_expr.h"

struct mapping_filter {
    struct filter_expr *expr;
};

/* Columns are text without a type; an empty cell is absent. */
static bool get_cell(const void *row, uint32_t field, struct slice attr, struct filter_value *value)
{
    const struct mapping_row *in = row;
    (void)attr;
    value->s = in->cells[field];
    return value->s.n > 0;
}

struct mapping_filter *mapping_filter_compile(struct mapping_loader *loader, const struct mapping_entry *entry,
                                              const struct yaml_node *node)
{
    struct filter_problem problem = {0};
    struct filter_field fields[CSV_COLUMNS_MAX];
    if (!yaml_want(&loader->mapping->doc, node, YAML_SCALAR) || !entry->readable)
        return NULL; /* without the files' columns no name can be judged; the finding about the file says so */
    for (uint32_t i = 0; i < entry->column_count; i++)
        fields[i] = (struct filter_field){.name = entry->columns[i].p, .type = FILTER_UNTYPED};
    struct filter_row_type row = {.fields = fields, .count = entry->column_count};
    struct mapping_filter *filter = mapping_alloc(1, sizeof *filter);
    filter->expr = filter_expr_parse(node->text, &row, &problem);
    if (filter->expr)
        return filter;
    struct yaml_node place = *node;
    place.column += problem.column - (place.quoted ? 0 : 1);
    yaml_fail(&loader->mapping->doc, &place, problem.code, "%s", problem.text);
    free(filter);
    return NULL;
}

void mapping_filter_destroy(struct mapping_filter **filter)
{
    if (*filter)
        filter_expr_destroy(&(*filter)->expr);
    free(*filter);
    *filter = NULL;
}

bool mapping_filter_holds(const struct mapping_filter *filter, const struct mapping_row *row)
{
    return filter_expr_true(filter->expr, get_cell, row);
}
