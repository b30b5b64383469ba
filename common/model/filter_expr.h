/* filter_expr.h -- the filter language of measures, obligations and mapping files (semantics 1.4):
 *
 *   cond and cond and ...    cond = FIELD OP CONST | FIELD in (CONST, ...) | FIELD not in (...) | exists FIELD |
 * missing FIELD OP = == != < <= > >= starts
 *
 * Parsed once against the fields that a row type has (all errors of form and type are found there), then evaluated
 * from left to right without allocation; evaluation cannot fail. A condition on an absent field is false, whatever the
 * operator; only `missing` is true. One owner; an expression is immutable and may be shared. */
#ifndef MODEL_FILTER_EXPR_H
#define MODEL_FILTER_EXPR_H

#include "base/slice.h"

enum { FILTER_BYTES_MAX = 1000, FILTER_CONDITIONS_MAX = 16, FILTER_CONSTANTS_MAX = 64, FILTER_CONSTANT_BYTES_MAX = 64 };

enum filter_type {
    FILTER_TEXT,    /* text and ids: == != in starts, bytewise */
    FILTER_ENUM,    /* likewise; constants must be among `symbols` */
    FILTER_NUMBER,  /* all operators but starts; exact */
    FILTER_BOOL,    /* == != in, true and false */
    FILTER_INSTANT, /* instants and dates: exists, missing only */
    FILTER_UNTYPED  /* attrs.* and columns: text; a bare number compares numerically */
};
struct filter_field {
    const char *name; /* columns may hold any bytes but NUL */
    enum filter_type type;
    const char *const *symbols; /* FILTER_ENUM, ended by NULL */
    uint8_t digits;             /* FILTER_NUMBER: the row's integer is the number x 10^digits (degrees: 7) */
};
/* What a row has. The field's number in `fields` is what evaluation asks for. */
struct filter_row_type {
    const struct filter_field *fields;
    size_t count;
    bool attrs; /* attrs.NAME is known: asked for as FILTER_ATTR */
};
#define FILTER_ATTR UINT32_MAX

struct filter_problem {
    char code[16];   /* filter_syntax, unknown_field, bad_enum, bad_type, too_long */
    uint32_t column; /* 1-based, in bytes of the filter text */
    char text[200];
};

struct filter_expr;
/* NULL and *problem filled on an error. An empty filter is true. */
struct filter_expr *filter_expr_parse(struct slice text, const struct filter_row_type *row,
                                      struct filter_problem *problem);
void filter_expr_destroy(struct filter_expr **expr);

/* A value of the row: .s of texts, enums (the symbol) and untyped fields, .i of numbers and booleans. */
struct filter_value {
    int64_t i;
    struct slice s;
};
/* False: the field is absent. `attr` is the name behind `attrs.` if field is FILTER_ATTR. */
typedef bool (*filter_get)(const void *row, uint32_t field, struct slice attr, struct filter_value *value);
bool filter_expr_true(const struct filter_expr *expr, filter_get get, const void *row);

/* Fields that the expression reads, each once; returns how many of at most FILTER_CONDITIONS_MAX. */
size_t filter_expr_fields(const struct filter_expr *expr, uint32_t fields[static FILTER_CONDITIONS_MAX]);

/* Exact order of two decimals as texts ("-12.50" and "-12.5" are equal); false: one of them is none. */
bool filter_compare_decimals(struct slice a, struct slice b, int *order);

/* Rows of semantics 1.4: the fields of the event type and the derived ones. */
enum filter_row { FILTER_ROW_LEAD, FILTER_ROW_VISIT, FILTER_ROW_ORDER, FILTER_ROW_ORDER_LINE, FILTER_ROW_FACT };
bool filter_row_of(struct slice name, enum filter_row *row); /* lead, visit, order, order_line, fact */
const struct filter_row_type *filter_row_type(enum filter_row row);
const struct filter_field *filter_field_of(const struct filter_row_type *row, struct slice name); /* NULL */

#endif
