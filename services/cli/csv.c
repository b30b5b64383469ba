/* csv.c -- see csv.h. */
#include "csv.h"

static const char *const texts[] = {
    [CSV_ROW] = "row",
    [CSV_END] = "end",
    [CSV_TOO_LONG] = "row longer than 1 MiB; is a closing quote missing above?",
    [CSV_TOO_MANY] = "more than 512 columns",
    [CSV_BAD_QUOTE] =
        "a quote that is not closed, or text behind a closing quote; write \"\" for a quote inside quotes",
};
const char *csv_result_text(enum csv_result result) { return texts[result]; }

void csv_init(struct csv *csv, struct slice bytes, char delimiter)
{
    *csv = (struct csv){.p = bytes.p, .end = bytes.p + bytes.n, .delimiter = delimiter, .next_line = 1};
    if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0)
        csv->p += 3;
}

void csv_close(struct csv *csv) { buf_close(&csv->scratch); }

static bool at_line_end(const struct csv *csv) { return csv->p == csv->end || *csv->p == '\n' || *csv->p == '\r'; }

/* Behind the line end, so that the next row can be read whatever this one was. */
static void skip_line(struct csv *csv)
{
    while (csv->p < csv->end && *csv->p != '\n')
        csv->p++;
    if (csv->p < csv->end)
        csv->p++;
    csv->next_line++;
}

static void take_line_end(struct csv *csv)
{
    if (csv->p < csv->end && *csv->p == '\r')
        csv->p++;
    if (csv->p < csv->end && *csv->p == '\n')
        csv->p++;
    csv->next_line++;
}

static enum csv_result plain_field(struct csv *csv, struct slice *field)
{
    const char *from = csv->p;
    while (!at_line_end(csv) && *csv->p != csv->delimiter)
        csv->p++;
    *field = (struct slice){from, (size_t)(csv->p - from)};
    return CSV_ROW;
}

/* The bytes between two quotes; doubled ones make a copy necessary. The scratch was reserved for the whole row, so
 * earlier copies do not move. */
static enum csv_result quoted_field(struct csv *csv, const char *limit, struct slice *field)
{
    const char *from = ++csv->p;
    size_t copied_from = csv->scratch.n;
    bool copied = false;
    for (; csv->p < limit; csv->p++) {
        if (*csv->p == '\n')
            csv->next_line++;
        if (*csv->p != '"')
            continue;
        if (csv->p + 1 == limit || csv->p[1] != '"')
            break;
        buf_add(&csv->scratch, from, (size_t)(csv->p + 1 - from));
        copied = true;
        from = ++csv->p + 1;
    }
    if (csv->p == limit)
        return limit == csv->end ? CSV_BAD_QUOTE : CSV_TOO_LONG;
    *field = (struct slice){from, (size_t)(csv->p - from)};
    if (copied) {
        buf_add_slice(&csv->scratch, *field);
        *field = (struct slice){(const char *)csv->scratch.p + copied_from, csv->scratch.n - copied_from};
    }
    csv->p++;
    return at_line_end(csv) || *csv->p == csv->delimiter ? CSV_ROW : CSV_BAD_QUOTE;
}

static enum csv_result read_fields(struct csv *csv)
{
    const char *start = csv->p;
    size_t left = (size_t)(csv->end - start);
    const char *limit = start + (left < CSV_ROW_BYTES_MAX ? left : CSV_ROW_BYTES_MAX);
    for (;;) {
        if (csv->count == CSV_COLUMNS_MAX)
            return CSV_TOO_MANY;
        struct slice *field = &csv->fields[csv->count++];
        bool quoted = csv->p < csv->end && *csv->p == '"';
        enum csv_result result = quoted ? quoted_field(csv, limit, field) : plain_field(csv, field);
        if (result != CSV_ROW)
            return result;
        if (csv->p - start > CSV_ROW_BYTES_MAX)
            return CSV_TOO_LONG;
        if (at_line_end(csv))
            return CSV_ROW;
        csv->p++; /* the delimiter */
    }
}

enum csv_result csv_next(struct csv *csv)
{
    while (csv->p < csv->end && at_line_end(csv))
        take_line_end(csv);
    if (csv->p == csv->end)
        return CSV_END;
    csv->line = csv->next_line;
    csv->count = 0;
    buf_clear(&csv->scratch);
    buf_reserve(&csv->scratch, CSV_ROW_BYTES_MAX);
    const char *start = csv->p;
    enum csv_result result = read_fields(csv);
    if (result == CSV_ROW) {
        take_line_end(csv);
        return CSV_ROW;
    }
    /* An open quote may have swallowed good rows: go on behind the line in which the row began. */
    csv->p = start;
    csv->next_line = csv->line;
    skip_line(csv);
    return result;
}

void csv_add_field(struct buf *out, struct slice field, bool guard)
{
    bool formula = guard && field.n && memchr("=+-@\t\r", field.p[0], 6);
    bool quote = false;
    for (size_t i = 0; i < field.n && !quote; i++)
        quote = memchr("\",\r\n", field.p[i], 4) != NULL;
    if (quote)
        buf_add_byte(out, '"');
    if (formula)
        buf_add_byte(out, '\'');
    for (size_t i = 0; i < field.n; i++) {
        if (field.p[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)field.p[i]);
    }
    if (quote)
        buf_add_byte(out, '"');
}
