/* table.h -- rows of cells printed as aligned columns, for people; Chinese is two columns wide.
 *
 * Cells are copied. The first row added is the head. Numbers are right-aligned by the column's declaration. Columns
 * are parted by two blanks; the last one is not padded. A table keeps all rows until it is printed. One owner. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 64, TABLE_ROWS_MAX = 1000000 };
enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table {
    size_t column_count;
    size_t row_count; /* with the head */
    enum table_align align[TABLE_COLUMNS_MAX];
    size_t width_max[TABLE_COLUMNS_MAX]; /* 0: no limit; longer cells are cut and end with an ellipsis */
    struct buf bytes;                    /* of all cells */
    struct buf ends;                     /* u32 end of each cell within bytes */
    size_t dropped_cells;                /* beyond the bounds */
};

void table_init(struct table *table, size_t column_count); /* all columns left */
void table_close(struct table *table);
void table_align(struct table *table, size_t column, enum table_align align);

/* Cells are added one after the other; every column_count-th ends a row. Control characters become blanks. Rows
 * beyond TABLE_ROWS_MAX are dropped and counted in the last line. */
void table_add(struct table *table, struct slice cell);
void table_add_text(struct table *table, const char *cell);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends the table. `bold_head`: the head in bold (ANSI), for terminals. Missing cells of the last row are empty. */
void table_write(const struct table *table, bool bold_head, struct buf *out);

#endif
