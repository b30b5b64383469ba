/* csv.h -- rows of a CSV file as RFC 4180 writes it: quotes, doubled quotes, line ends inside quotes, CRLF or LF, a
 * BOM in front. The header line is a row like the others. One owner.
 *
 * The bytes are borrowed; fields without doubled quotes point into them, the others into the reader's scratch, until
 * the next call. What cannot be read is a finding of one row, and reading goes on behind its line end. */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "base/buf.h"

enum { CSV_COLUMNS_MAX = 512, CSV_ROW_BYTES_MAX = 1024 * 1024 };

enum csv_result {
    CSV_ROW,
    CSV_END,
    CSV_TOO_LONG,  /* a row beyond CSV_ROW_BYTES_MAX */
    CSV_TOO_MANY,  /* more than CSV_COLUMNS_MAX fields */
    CSV_BAD_QUOTE, /* text behind a closing quote, or a quote that never closes */
};
const char *csv_result_text(enum csv_result result);

struct csv {
    const char *p, *end;
    char delimiter;
    uint64_t next_line; /* 1-based line of what comes next */
    struct buf scratch;

    uint64_t line; /* of the first byte of the present row */
    size_t count;
    struct slice fields[CSV_COLUMNS_MAX];
};

void csv_init(struct csv *csv, struct slice bytes, char delimiter); /* skips a BOM */
void csv_close(struct csv *csv);
/* The next row; lines that are entirely empty are skipped. */
enum csv_result csv_next(struct csv *csv);

/* Adds one field for writing: quoted where RFC 4180 asks for it. With `guard`, text that a spreadsheet would take
 * for a formula (= + - @ TAB CR in front) gets a leading apostrophe (formats 5.1). */
void csv_add_field(struct buf *out, struct slice field, bool guard);

#endif
