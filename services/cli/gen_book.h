/* gen_book.h -- the generator's own books: plain counters of what its stories did, by org, stage and window.
 *
 * Deliberately naive: one counter per printed row, found by the text of that row. It shares no code with the figures
 * it is the answer to. */
#ifndef CLI_GEN_BOOK_H
#define CLI_GEN_BOOK_H

#include "base/buf.h"
#include "base/intern.h"
#include "model/event.h"

enum { GEN_BOOK_ROWS_MAX = 200000000 };

struct gen_book {
    struct intern rows; /* text of a row without its value */
    int64_t *values;    /* by row */
    uint32_t cap;
    struct buf scratch;
};
void gen_book_init(struct gen_book *book);
void gen_book_close(struct gen_book *book);

/* Adds to `metric` (entries, exits, reached, transfer_in, transfer_out) of one org and stage, in the windows total,
 * month and day of the instant. `class` may be NULL. Reps have the day only. */
void gen_book_add(struct gen_book *book, const char *org, const char *stage, const char *metric, const char *class_name,
                  int64_t at_ms, int64_t value);
/* The same for a figure of the end: occupancy, occupancy_amount. */
void gen_book_now(struct gen_book *book, const char *org, const char *stage, const char *metric, int64_t value);
/* order_amount, bookings of all time. */
void gen_book_actual(struct gen_book *book, const char *org, int64_t value);
void gen_book_write(const struct gen_book *book, struct buf *out); /* [{...}, ...], one row a line */

/* Local date of the company's zone (+08:00 all year). */
int32_t gen_book_day(int64_t at_ms);
#define GEN_ZONE_MS (INT64_C(8) * 3600000)

#endif
