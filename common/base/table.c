/* table.c -- see table.h. */
#include "base/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

enum { GAP_COLUMNS = 2, CELL_TEXT_BYTES_MAX = 1024 };
static const char ellipsis[] = "\xe2\x80\xa6"; /* one column */

void table_init(struct table *table, size_t column_count)
{
    assert(column_count >= 1 && column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.column_count = column_count};
}

void table_close(struct table *table)
{
    buf_close(&table->bytes);
    buf_close(&table->ends);
    *table = (struct table){.column_count = table->column_count};
}

void table_align(struct table *table, size_t column, enum table_align align)
{
    assert(column < table->column_count);
    table->align[column] = align;
}

static size_t cell_count(const struct table *table) { return table->ends.n / sizeof(uint32_t); }

void table_add(struct table *table, struct slice cell)
{
    size_t column = cell_count(table) % table->column_count;
    /* Once one cell was dropped all are: the columns would slip. */
    if (table->dropped_cells || cell_count(table) / table->column_count >= TABLE_ROWS_MAX ||
        table->bytes.n + cell.n * 3 > UINT32_MAX) {
        table->dropped_cells++;
        return;
    }
    size_t start = table->bytes.n;
    size_t limit = table->width_max[column];
    if (limit && text_width(cell) > limit) {
        text_add_clean(&table->bytes, text_cut(cell, limit - 1));
        buf_add_text(&table->bytes, ellipsis);
    } else {
        text_add_clean(&table->bytes, cell);
    }
    for (size_t i = start; i < table->bytes.n; i++)
        if (table->bytes.p[i] < ' ' || table->bytes.p[i] == 0x7f)
            table->bytes.p[i] = ' ';
    buf_add_u32(&table->ends, (uint32_t)table->bytes.n);
    table->row_count = (cell_count(table) + table->column_count - 1) / table->column_count;
}

void table_add_text(struct table *table, const char *cell) { table_add(table, slice_of(cell)); }

void table_addf(struct table *table, const char *format, ...)
{
    char text[CELL_TEXT_BYTES_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    table_add_text(table, text);
}

static uint32_t end_of(const struct table *table, size_t cell)
{
    struct cursor c = cursor_of(slice_make(table->ends.p + cell * sizeof(uint32_t), sizeof(uint32_t)));
    return cursor_u32(&c);
}

/* Empty for the cells that the last row lacks. */
static struct slice cell_at(const struct table *table, size_t row, size_t column)
{
    size_t cell = row * table->column_count + column;
    if (cell >= cell_count(table))
        return SLICE("");
    uint32_t start = cell ? end_of(table, cell - 1) : 0;
    return slice_make(table->bytes.p + start, end_of(table, cell) - start);
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t row = 0; row < table->row_count; row++)
        for (size_t column = 0; column < table->column_count; column++) {
            size_t width = text_width(cell_at(table, row, column));
            if (width > widths[column])
                widths[column] = width;
        }
}

static void add_blanks(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_add_byte(out, ' ');
}

static void write_row(const struct table *table, size_t row, const size_t *widths, struct buf *out)
{
    size_t blanks = 0; /* owed before the next text: a line never ends with blanks */
    for (size_t column = 0; column < table->column_count; column++) {
        struct slice cell = cell_at(table, row, column);
        size_t padding = widths[column] - text_width(cell);
        bool right = table->align[column] == TABLE_RIGHT;
        blanks += right ? padding : 0;
        if (cell.n) {
            add_blanks(out, blanks);
            buf_add_slice(out, cell);
            blanks = 0;
        }
        blanks += (right ? 0 : padding) + GAP_COLUMNS;
    }
}

void table_write(const struct table *table, bool bold_head, struct buf *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    measure(table, widths);
    for (size_t row = 0; row < table->row_count; row++) {
        bool bold = bold_head && row == 0;
        if (bold)
            buf_add_text(out, "\033[1m");
        write_row(table, row, widths, out);
        buf_add_text(out, bold ? "\033[0m\n" : "\n");
    }
    if (table->dropped_cells)
        buf_addf(out, "... and %zu more rows\n", (table->dropped_cells - 1) / table->column_count + 1);
}
