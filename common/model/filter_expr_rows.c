/* filter_expr_rows.c -- the fields of rows: those of the event type, from the table of events, and the derived ones
 * (semantics 1.4). Built once, at the first use. */
#include <pthread.h>
#include <stdlib.h>

#include "model/event.h"
#include "model/filter_expr.h"

static const char *const lead_classes[] = {"none",    "create",  "advance", "skip",    "regress", "win",    "lose",
                                           "recycle", "reclaim", "reopen",  "reverse", "move",    "merged", NULL};
static const char *const stage_kinds[] = {"open", "won", "lost", "pool", NULL};
static const char *const touches[] = {"out", "other", "none", NULL};
static const char *const customer_kinds[] = {"new", "existing", NULL};

#define NAMED(name, type)                                                                                              \
    {                                                                                                                  \
        name, type, NULL, 0                                                                                            \
    }
#define ENUMERATED(name, words)                                                                                        \
    {                                                                                                                  \
        name, FILTER_ENUM, words, 0                                                                                    \
    }

static const struct filter_field lead_fields[] = {
    ENUMERATED("class", lead_classes), NAMED("moved", FILTER_BOOL),           NAMED("from_stage", FILTER_TEXT),
    NAMED("stage", FILTER_TEXT),       ENUMERATED("stage_kind", stage_kinds), NAMED("cycle", FILTER_NUMBER),
    ENUMERATED("touch", touches),      NAMED("owner_tier", FILTER_TEXT)};
static const struct filter_field visit_fields[] = {
    NAMED("planned", FILTER_BOOL),        NAMED("started", FILTER_BOOL),          NAMED("done", FILTER_BOOL),
    NAMED("cancelled", FILTER_BOOL),      NAMED("duration_ms", FILTER_NUMBER),    NAMED("on_time", FILTER_BOOL),
    NAMED("valid_duration", FILTER_BOOL), NAMED("steps_required", FILTER_NUMBER), NAMED("steps_done", FILTER_NUMBER),
    NAMED("strike", FILTER_BOOL),         NAMED("suspicious", FILTER_BOOL)};
static const struct filter_field order_fields[] = {NAMED("credit", FILTER_BOOL), NAMED("first_order", FILTER_BOOL),
                                                   ENUMERATED("customer_kind", customer_kinds),
                                                   NAMED("outside", FILTER_BOOL)};
/* net_amount of a line stands for the order's: it is found first. */
static const struct filter_field line_fields[] = {
    NAMED("sku", FILTER_TEXT),          NAMED("product_group", FILTER_TEXT), NAMED("qty", FILTER_NUMBER),
    NAMED("unit_price", FILTER_NUMBER), NAMED("list_price", FILTER_NUMBER),  NAMED("floor_price", FILTER_NUMBER),
    NAMED("cost", FILTER_NUMBER),       NAMED("net_amount", FILTER_NUMBER),  NAMED("margin", FILTER_NUMBER),
    NAMED("below_floor", FILTER_BOOL)};
static const struct filter_field fact_fields[] = {NAMED("first_seen", FILTER_INSTANT), NAMED("late", FILTER_BOOL),
                                                  NAMED("outside", FILTER_BOOL)};

#define LIST(fields)                                                                                                   \
    {                                                                                                                  \
        fields, sizeof(fields) / sizeof *(fields)                                                                      \
    }
static const struct {
    const char *name;
    enum event_type type;
    struct {
        const struct filter_field *fields;
        size_t count;
    } derived[2];
    bool attrs;
} rows[] = {
    [FILTER_ROW_LEAD] = {"lead", EVENT_LEAD, {LIST(lead_fields)}, false},
    [FILTER_ROW_VISIT] = {"visit", EVENT_VISIT, {LIST(visit_fields)}, false},
    [FILTER_ROW_ORDER] = {"order", EVENT_ORDER, {LIST(order_fields)}, false},
    [FILTER_ROW_ORDER_LINE] = {"order_line", EVENT_ORDER, {LIST(line_fields), LIST(order_fields)}, false},
    [FILTER_ROW_FACT] = {"fact", EVENT_FACT, {LIST(fact_fields)}, true},
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool type_of(const struct event_field *field, struct filter_field *out)
{
    *out = (struct filter_field){field->name, FILTER_TEXT, NULL, 0};
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_COUNT:
    case FIELD_ONE:
    case FIELD_MONEY:
    case FIELD_PRICE:
    case FIELD_QTY:
        out->type = FILTER_NUMBER;
        return true;
    case FIELD_LAT:
    case FIELD_LON:
        out->type = FILTER_NUMBER;
        out->digits = 7;
        return true;
    case FIELD_INSTANT:
    case FIELD_DATE:
        out->type = FILTER_INSTANT;
        return true;
    case FIELD_BOOL:
        out->type = FILTER_BOOL;
        return true;
    case FIELD_ENUM:
        out->type = FILTER_ENUM;
        out->symbols = field->symbols;
        return true;
    case FIELD_FLAGS:
    case FIELD_SPLITS:
    case FIELD_LINES:
    case FIELD_ATTRS:
    case FIELD_SPEC:
    case FIELD_DIGESTS:
    case FIELD_SEQS:
    case FIELD_BYTES:
        return false;
    default:
        return true; /* ids, names, texts */
    }
}

static struct filter_row_type types[ROWS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build_row(unsigned row, struct filter_field *fields)
{
    size_t count = 0, own;
    for (unsigned i = 0; i < 2; i++)
        for (size_t j = 0; j < rows[row].derived[i].count; j++)
            fields[count++] = rows[row].derived[i].fields[j];
    const struct event_field *event = event_fields(rows[row].type, &own);
    for (size_t i = 0; i < own; i++)
        if (type_of(&event[i], &fields[count]))
            count++;
    types[row] = (struct filter_row_type){fields, count, rows[row].attrs};
}

static void build(void)
{
    static struct filter_field fields[ROWS][EVENT_FIELDS_MAX + 24];
    for (unsigned row = 0; row < ROWS; row++)
        build_row(row, fields[row]);
}

const struct filter_row_type *filter_row_type(enum filter_row row)
{
    pthread_once(&once, build);
    return &types[row];
}

bool filter_row_of(struct slice name, enum filter_row *row)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (slice_is(name, rows[i].name)) {
            *row = (enum filter_row)i;
            return true;
        }
    return false;
}
