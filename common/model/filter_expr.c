/* filter_expr.c -- lexer, parser and evaluation of filters.
 *
 * A filter is a list of conditions; each names a field, an operator and constants. Numbers are compared as decimal
 * texts or, for typed fields, as integers that the constant was scaled to when parsed, so nothing is rounded. */
#include "model/filter_expr.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/findings.h"

enum filter_operator {
    TEST_EQ,
    TEST_NE,
    TEST_LT,
    TEST_LE,
    TEST_GT,
    TEST_GE,
    TEST_STARTS,
    TEST_IN,
    TEST_NOT_IN,
    TEST_EXISTS,
    TEST_MISSING
};

struct constant {
    struct slice text;
    bool number;   /* an unquoted decimal */
    int64_t floor; /* FILTER_NUMBER: floor of the number x 10^digits, saturated */
    bool exact;    /* floor is the number itself */
};
struct condition {
    uint32_t field;
    struct slice attr;
    enum filter_type type;
    enum filter_operator op;
    uint32_t first, count; /* in constants */
};
struct filter_expr {
    uint32_t condition_count, constant_count;
    struct condition conditions[FILTER_CONDITIONS_MAX];
    struct constant constants[FILTER_CONSTANTS_MAX];
    char text[2 * FILTER_BYTES_MAX]; /* constants and attr names, unescaped */
    size_t text_bytes;
};

/* --- decimals as texts --- */

struct decimal_text {
    bool negative;
    struct slice whole, fraction; /* without leading, trailing zeros */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool read_decimal(struct slice text, struct decimal_text *out)
{
    size_t i = 0, dot = text.n;
    out->negative = text.n && text.p[0] == '-';
    i = out->negative;
    size_t begin = i;
    for (; i < text.n; i++) {
        if (text.p[i] == '.' && dot == text.n)
            dot = i;
        else if (!is_digit(text.p[i]))
            return false;
    }
    if (begin == text.n || dot == begin || dot + 1 == text.n)
        return false;
    size_t end = text.n;
    while (begin < dot && text.p[begin] == '0')
        begin++;
    while (end > dot + 1 && text.p[end - 1] == '0')
        end--;
    out->whole = (struct slice){text.p + begin, dot - begin};
    out->fraction = dot < text.n ? (struct slice){text.p + dot + 1, end - dot - 1} : (struct slice){text.p, 0};
    if (!out->whole.n && !out->fraction.n)
        out->negative = false;
    return true;
}

static int magnitude_order(const struct decimal_text *a, const struct decimal_text *b)
{
    if (a->whole.n != b->whole.n)
        return a->whole.n < b->whole.n ? -1 : 1;
    int order = slice_cmp(a->whole, b->whole);
    return order ? order : slice_cmp(a->fraction, b->fraction);
}

bool filter_compare_decimals(struct slice a, struct slice b, int *order)
{
    struct decimal_text x, y;
    if (!read_decimal(a, &x) || !read_decimal(b, &y))
        return false;
    if (x.negative != y.negative)
        *order = x.negative ? -1 : 1;
    else
        *order = x.negative ? magnitude_order(&y, &x) : magnitude_order(&x, &y);
    *order = *order < 0 ? -1 : *order > 0;
    return true;
}

/* Floor of a decimal x 10^digits, saturated to int64. */
static void scale_constant(struct constant *constant, unsigned digits)
{
    struct decimal_text number;
    if (!read_decimal(constant->text, &number))
        return;
    __int128 value = 0;
    const __int128 limit = (__int128)1 << 100;
    for (size_t i = 0; i < number.whole.n && value < limit; i++)
        value = value * 10 + (number.whole.p[i] - '0');
    for (unsigned i = 0; i < digits && value < limit; i++)
        value = value * 10 + (i < number.fraction.n ? number.fraction.p[i] - '0' : 0);
    constant->exact = number.fraction.n <= digits;
    if (number.negative)
        value = -value - !constant->exact;
    if (value > INT64_MAX || value < INT64_MIN) { /* beyond every row: only the order is left */
        constant->exact = false;
        value = value < 0 ? INT64_MIN : INT64_MAX;
    }
    constant->floor = (int64_t)value;
}

/* --- parsing --- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED,
    TOKEN_OPERATOR,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_BAD
};
struct token {
    enum token_kind kind;
    struct slice text; /* of quoted ones unescaped */
    uint32_t column;
};
struct parser {
    struct slice text;
    size_t at;
    struct token token;
    const struct filter_row_type *row;
    struct filter_expr *expr;
    struct filter_problem *problem;
};

static bool fail(struct parser *parser, uint32_t column, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool fail(struct parser *parser, uint32_t column, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    snprintf(parser->problem->code, sizeof parser->problem->code, "%s", code);
    parser->problem->column = column;
    vsnprintf(parser->problem->text, sizeof parser->problem->text, format, args);
    va_end(args);
    return false;
}

static bool is_word_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-' ||
           c == '+' || c == ':' || c == '/' || (unsigned char)c >= 0x80;
}

/* Copies into the expression, so that it owns its texts. */
static char *room_for(struct parser *parser) { return parser->expr->text + parser->expr->text_bytes; }

static void lex_quoted(struct parser *parser)
{
    char *begin = room_for(parser), *to = begin;
    parser->at++;
    while (parser->at < parser->text.n && parser->text.p[parser->at] != '"') {
        char c = parser->text.p[parser->at++];
        if (c == '\\') {
            if (parser->at == parser->text.n || !memchr("\"\\", parser->text.p[parser->at], 2))
                return;
            c = parser->text.p[parser->at++];
        }
        *to++ = c;
    }
    if (parser->at == parser->text.n)
        return;
    parser->at++;
    parser->token.kind = TOKEN_QUOTED;
    parser->token.text = (struct slice){begin, (size_t)(to - begin)};
    parser->expr->text_bytes += parser->token.text.n;
}

static void lex_word(struct parser *parser)
{
    char *begin = room_for(parser);
    size_t n = 0;
    while (parser->at < parser->text.n && is_word_byte(parser->text.p[parser->at]))
        begin[n++] = parser->text.p[parser->at++];
    parser->token.kind = TOKEN_WORD;
    parser->token.text = (struct slice){begin, n};
    parser->expr->text_bytes += n;
}

static void lex_operator(struct parser *parser)
{
    static const char *const names[] = {"==", "!=", "<=", ">=", "<", ">"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (parser->text.n - parser->at >= n && memcmp(parser->text.p + parser->at, names[i], n) == 0) {
            parser->token.kind = TOKEN_OPERATOR;
            parser->token.text = (struct slice){names[i], n};
            parser->at += n;
            return;
        }
    }
}

static void advance(struct parser *parser)
{
    while (parser->at < parser->text.n && memchr(" \t\r\n", parser->text.p[parser->at], 4))
        parser->at++;
    parser->token = (struct token){.kind = TOKEN_BAD, .column = (uint32_t)parser->at + 1};
    if (parser->at == parser->text.n) {
        parser->token.kind = TOKEN_END;
        return;
    }
    char c = parser->text.p[parser->at];
    if (c == '(' || c == ')' || c == ',') {
        parser->token.kind = c == '(' ? TOKEN_OPEN : c == ')' ? TOKEN_CLOSE : TOKEN_COMMA;
        parser->at++;
    } else if (c == '"')
        lex_quoted(parser);
    else if (is_word_byte(c))
        lex_word(parser);
    else
        lex_operator(parser);
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_WORD && slice_is(parser->token.text, word);
}

static const char *nearest(const struct filter_row_type *row, struct slice name)
{
    const char **names = calloc(row->count + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < row->count; i++)
        names[i] = row->fields[i].name;
    const char *found = did_you_mean(name, names);
    free(names);
    return found;
}

const struct filter_field *filter_field_of(const struct filter_row_type *row, struct slice name)
{
    for (size_t i = 0; i < row->count; i++)
        if (slice_is(name, row->fields[i].name))
            return &row->fields[i];
    return NULL;
}

static bool is_attr_name(struct slice name)
{
    if (name.n < 1 || name.n > 32 || name.p[0] < 'a' || name.p[0] > 'z')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_digit(name.p[i]) && (name.p[i] < 'a' || name.p[i] > 'z') && name.p[i] != '_')
            return false;
    return true;
}

static bool parse_field(struct parser *parser, struct condition *condition, const struct filter_field **field)
{
    static const struct filter_field attr_field = {"attrs", FILTER_UNTYPED, NULL, 0};
    struct token token = parser->token;
    if (token.kind != TOKEN_WORD && token.kind != TOKEN_QUOTED)
        return fail(parser, token.column, "filter_syntax", "expected a field name");
    *field = filter_field_of(parser->row, token.text);
    condition->attr = (struct slice){"", 0};
    if (*field)
        condition->field = (uint32_t)(*field - parser->row->fields);
    else if (parser->row->attrs && token.text.n > 6 && memcmp(token.text.p, "attrs.", 6) == 0 &&
             is_attr_name((struct slice){token.text.p + 6, token.text.n - 6})) {
        condition->field = FILTER_ATTR;
        condition->attr = (struct slice){token.text.p + 6, token.text.n - 6};
        *field = &attr_field;
    } else {
        const char *near = nearest(parser->row, token.text);
        return fail(parser, token.column, "unknown_field", "no field \"%.*s\"%s%s%s",
                    token.text.n > 64 ? 64 : (int)token.text.n, token.text.p, near ? ", did you mean \"" : "",
                    near ? near : "", near ? "\"?" : "");
    }
    condition->type = (*field)->type;
    advance(parser);
    return true;
}

static bool check_enum(struct parser *parser, const struct filter_field *field, const struct token *token)
{
    for (const char *const *symbol = field->symbols; symbol && *symbol; symbol++)
        if (slice_is(token->text, *symbol))
            return true;
    const char *near = field->symbols ? did_you_mean(token->text, field->symbols) : NULL;
    return fail(parser, token->column, "bad_enum", "\"%.*s\" is no value of %s%s%s%s", (int)token->text.n,
                token->text.p, field->name, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool check_constant(struct parser *parser, const struct filter_field *field, enum filter_operator op,
                           const struct token *token, struct constant *constant)
{
    struct decimal_text number;
    constant->text = token->text;
    constant->number = token->kind == TOKEN_WORD && read_decimal(token->text, &number);
    bool ordered = op == TEST_LT || op == TEST_LE || op == TEST_GT || op == TEST_GE;
    switch (field->type) {
    case FILTER_ENUM:
        return check_enum(parser, field, token);
    case FILTER_NUMBER:
        if (!constant->number)
            return fail(parser, token->column, "bad_type", "%s is a number: expected one without quotes", field->name);
        scale_constant(constant, field->digits);
        return true;
    case FILTER_BOOL:
        if (token->kind != TOKEN_WORD || (!slice_is(token->text, "true") && !slice_is(token->text, "false")))
            return fail(parser, token->column, "bad_type", "%s is true or false", field->name);
        constant->floor = slice_is(token->text, "true");
        return true;
    case FILTER_UNTYPED:
        if (ordered && !constant->number)
            return fail(parser, token->column, "bad_type", "< <= > >= compare with a number");
        if (op == TEST_STARTS)
            constant->number = false;
        return true;
    case FILTER_TEXT:
    case FILTER_INSTANT:
        break;
    }
    return true;
}

static bool parse_constant(struct parser *parser, const struct filter_field *field, struct condition *condition)
{
    struct filter_expr *expr = parser->expr;
    struct token token = parser->token;
    if (token.kind != TOKEN_WORD && token.kind != TOKEN_QUOTED)
        return fail(parser, token.column, "filter_syntax", "expected a number, a word or \"text\"");
    if (token.text.n > FILTER_CONSTANT_BYTES_MAX)
        return fail(parser, token.column, "too_long", "a constant has at most %d bytes", FILTER_CONSTANT_BYTES_MAX);
    if (expr->constant_count == FILTER_CONSTANTS_MAX)
        return fail(parser, token.column, "too_long", "at most %d constants", FILTER_CONSTANTS_MAX);
    if (!check_constant(parser, field, condition->op, &token, &expr->constants[expr->constant_count]))
        return false;
    expr->constant_count++;
    condition->count++;
    advance(parser);
    return true;
}

static bool parse_list(struct parser *parser, const struct filter_field *field, struct condition *condition)
{
    if (parser->token.kind != TOKEN_OPEN)
        return fail(parser, parser->token.column, "filter_syntax", "expected ( behind in");
    do {
        advance(parser);
        if (!parse_constant(parser, field, condition))
            return false;
    } while (parser->token.kind == TOKEN_COMMA);
    if (parser->token.kind != TOKEN_CLOSE)
        return fail(parser, parser->token.column, "filter_syntax", "expected , or )");
    advance(parser);
    return true;
}

/* Which operators a type has: bit per operator. */
static bool operator_fits(enum filter_type type, enum filter_operator op)
{
    const unsigned equal = 1u << TEST_EQ | 1u << TEST_NE | 1u << TEST_IN | 1u << TEST_NOT_IN;
    const unsigned order = 1u << TEST_LT | 1u << TEST_LE | 1u << TEST_GT | 1u << TEST_GE;
    static const unsigned always = 1u << TEST_EXISTS | 1u << TEST_MISSING;
    unsigned fits = always;
    switch (type) {
    case FILTER_TEXT:
    case FILTER_ENUM:
        fits |= equal | 1u << TEST_STARTS;
        break;
    case FILTER_NUMBER:
        fits |= equal | order;
        break;
    case FILTER_BOOL:
        fits |= equal;
        break;
    case FILTER_INSTANT:
        break;
    case FILTER_UNTYPED:
        fits |= equal | order | 1u << TEST_STARTS;
        break;
    }
    return fits >> op & 1;
}

static bool parse_operator(struct parser *parser, enum filter_operator *op)
{
    static const char *const names[] = {"==", "!=", "<", "<=", ">", ">="};
    if (parser->token.kind == TOKEN_OPERATOR) {
        for (int i = 0; i < 6; i++)
            if (slice_is(parser->token.text, names[i]))
                *op = (enum filter_operator)i;
    } else if (is_word(parser, "starts"))
        *op = TEST_STARTS;
    else if (is_word(parser, "in"))
        *op = TEST_IN;
    else if (is_word(parser, "not")) {
        advance(parser);
        if (!is_word(parser, "in"))
            return fail(parser, parser->token.column, "filter_syntax", "expected in behind not");
        *op = TEST_NOT_IN;
    } else
        return fail(parser, parser->token.column, "filter_syntax",
                    "expected an operator: == != < <= > >= starts, in (...) or not in (...)");
    advance(parser);
    return true;
}

static bool parse_condition(struct parser *parser, struct condition *condition)
{
    const struct filter_field *field = NULL;
    condition->first = parser->expr->constant_count;
    condition->count = 0;
    if (is_word(parser, "exists") || is_word(parser, "missing")) {
        condition->op = is_word(parser, "exists") ? TEST_EXISTS : TEST_MISSING;
        advance(parser);
        return parse_field(parser, condition, &field);
    }
    if (!parse_field(parser, condition, &field))
        return false;
    assert(field);
    uint32_t column = parser->token.column;
    if (!parse_operator(parser, &condition->op))
        return false;
    if (!operator_fits(condition->type, condition->op))
        return fail(parser, column, "bad_type", "%s does not take this operator", field->name);
    if (condition->op == TEST_IN || condition->op == TEST_NOT_IN)
        return parse_list(parser, field, condition);
    return parse_constant(parser, field, condition);
}

static bool parse_filter(struct parser *parser)
{
    advance(parser);
    if (parser->token.kind == TOKEN_END)
        return true;
    for (;;) {
        if (parser->expr->condition_count == FILTER_CONDITIONS_MAX)
            return fail(parser, parser->token.column, "too_long", "at most %d conditions", FILTER_CONDITIONS_MAX);
        if (!parse_condition(parser, &parser->expr->conditions[parser->expr->condition_count]))
            return false;
        parser->expr->condition_count++;
        if (parser->token.kind == TOKEN_END)
            return true;
        if (!is_word(parser, "and"))
            return fail(parser, parser->token.column, "filter_syntax",
                        "expected and, or the end (there is no or, no brackets, no arithmetic)");
        advance(parser);
    }
}

struct filter_expr *filter_expr_parse(struct slice text, const struct filter_row_type *row,
                                      struct filter_problem *problem)
{
    *problem = (struct filter_problem){0};
    struct parser parser = {.text = text, .row = row, .problem = problem};
    if (text.n > FILTER_BYTES_MAX) {
        fail(&parser, 1, "too_long", "a filter has at most %d bytes", FILTER_BYTES_MAX);
        return NULL;
    }
    parser.expr = calloc(1, sizeof *parser.expr);
    if (!parser.expr)
        abort();
    if (!parse_filter(&parser))
        filter_expr_destroy(&parser.expr);
    return parser.expr;
}

void filter_expr_destroy(struct filter_expr **expr)
{
    free(*expr);
    *expr = NULL;
}

/* --- evaluation --- */

/* Order of an integer and a constant between two integers. */
static int order_of_number(int64_t value, const struct constant *constant)
{
    if (value != constant->floor)
        return value < constant->floor ? -1 : 1;
    return constant->exact ? 0 : constant->floor == INT64_MIN ? 1 : -1;
}

static bool compare(const struct condition *condition, const struct constant *constant,
                    const struct filter_value *value, int *order)
{
    switch (condition->type) {
    case FILTER_NUMBER:
        *order = order_of_number(value->i, constant);
        return true;
    case FILTER_BOOL:
        *order = (value->i != 0) - (constant->floor != 0);
        return true;
    case FILTER_UNTYPED:
        if (constant->number)
            return filter_compare_decimals(value->s, constant->text, order);
        break;
    case FILTER_TEXT:
    case FILTER_ENUM:
    case FILTER_INSTANT:
        break;
    }
    *order = slice_cmp(value->s, constant->text);
    return true;
}

static bool in_list(const struct filter_expr *expr, const struct condition *condition, const struct filter_value *value,
                    bool *comparable)
{
    *comparable = true;
    for (uint32_t i = 0; i < condition->count; i++) {
        int order;
        bool known = compare(condition, &expr->constants[condition->first + i], value, &order);
        *comparable = *comparable && known;
        if (known && order == 0)
            return true;
    }
    return false;
}

static bool holds(const struct filter_expr *expr, const struct condition *condition, const struct filter_value *value)
{
    const struct constant *constant = &expr->constants[condition->first];
    bool comparable;
    int order = 0;
    switch (condition->op) {
    case TEST_EXISTS:
        return true;
    case TEST_MISSING:
        return false;
    case TEST_IN:
        return in_list(expr, condition, value, &comparable);
    case TEST_NOT_IN: {
        bool found = in_list(expr, condition, value, &comparable);
        return comparable && !found;
    }
    case TEST_STARTS:
        return value->s.n >= constant->text.n && memcmp(value->s.p, constant->text.p, constant->text.n) == 0;
    case TEST_EQ:
        return compare(condition, constant, value, &order) && order == 0;
    case TEST_NE:
        return compare(condition, constant, value, &order) && order != 0;
    case TEST_LT:
        return compare(condition, constant, value, &order) && order < 0;
    case TEST_LE:
        return compare(condition, constant, value, &order) && order <= 0;
    case TEST_GT:
        return compare(condition, constant, value, &order) && order > 0;
    case TEST_GE:
        return compare(condition, constant, value, &order) && order >= 0;
    }
    return false;
}

bool filter_expr_true(const struct filter_expr *expr, filter_get get, const void *row)
{
    for (uint32_t i = 0; i < expr->condition_count; i++) {
        const struct condition *condition = &expr->conditions[i];
        struct filter_value value = {0, {"", 0}};
        bool there = get(row, condition->field, condition->attr, &value);
        if (there ? !holds(expr, condition, &value) : condition->op != TEST_MISSING)
            return false;
    }
    return true;
}

size_t filter_expr_fields(const struct filter_expr *expr, uint32_t fields[static FILTER_CONDITIONS_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < expr->condition_count; i++) {
        size_t j = 0;
        while (j < count && fields[j] != expr->conditions[i].field)
            j++;
        if (j == count)
            fields[count++] = expr->conditions[i].field;
    }
    return count;
}
