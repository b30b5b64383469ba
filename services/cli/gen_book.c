/* gen_book.c -- see gen_book.h. */
#include "gen_book.h"

#include <stdlib.h>

#include "base/time_text.h"
#include "time/zone.h"

void gen_book_init(struct gen_book *book)
{
    *book = (struct gen_book){0};
    intern_init(&book->rows, GEN_BOOK_ROWS_MAX);
}

void gen_book_close(struct gen_book *book)
{
    intern_close(&book->rows);
    buf_close(&book->scratch);
    free(book->values);
}

int32_t gen_book_day(int64_t at_ms) { return (int32_t)((at_ms + GEN_ZONE_MS) / 86400000); }

static void add_to_row(struct gen_book *book, int64_t value)
{
    uint32_t before = book->rows.count;
    uint32_t row = intern_put(&book->rows, buf_slice(&book->scratch));
    if (row == INTERN_NONE)
        abort(); /* more rows than the bounds of the generator allow: a bug */
    if (row == book->cap) {
        book->cap = book->cap ? book->cap * 2 : 1024;
        book->values = reallocarray(book->values, book->cap, sizeof *book->values);
        if (!book->values)
            abort();
    }
    if (row == before)
        book->values[row] = 0;
    book->values[row] += value;
}

static void begin_row(struct gen_book *book, const char *org, const char *stage, const char *metric,
                      const char *class_name)
{
    buf_clear(&book->scratch);
    buf_addf(&book->scratch, "{\"org\":\"%s\",\"stage\":", org);
    buf_addf(&book->scratch, stage ? "\"%s\"" : "null", stage ? stage : "");
    buf_addf(&book->scratch, ",\"metric\":\"%s\",\"class\":", metric);
    buf_addf(&book->scratch, class_name ? "\"%s\"" : "null", class_name ? class_name : "");
}

static void end_row(struct gen_book *book, const char *window, const char *start, int64_t value)
{
    buf_addf(&book->scratch, ",\"window\":\"%s\",\"window_start\":", window);
    buf_addf(&book->scratch, start ? "\"%s\"" : "null", start ? start : "");
    add_to_row(book, value);
}

static void window_start(int32_t day, char text[INSTANT_TEXT_BYTES])
{
    (void)instant_print((int64_t)day * 86400000 - GEN_ZONE_MS, text);
}

void gen_book_add(struct gen_book *book, const char *org, const char *stage, const char *metric, const char *class_name,
                  int64_t at_ms, int64_t value)
{
    char start[INSTANT_TEXT_BYTES];
    int32_t day = gen_book_day(at_ms), y, m, d;
    window_start(day, start);
    begin_row(book, org, stage, metric, class_name);
    end_row(book, "day", start, value);
    if (strncmp(org, "rep:", 4) == 0)
        return;
    date_to_civil(day, &y, &m, &d);
    window_start(day - d + 1, start);
    begin_row(book, org, stage, metric, class_name);
    end_row(book, "month", start, value);
    begin_row(book, org, stage, metric, class_name);
    end_row(book, "total", NULL, value);
}

void gen_book_now(struct gen_book *book, const char *org, const char *stage, const char *metric, int64_t value)
{
    begin_row(book, org, stage, metric, NULL);
    end_row(book, "now", NULL, value);
}

void gen_book_actual(struct gen_book *book, const char *org, int64_t value)
{
    begin_row(book, org, NULL, "order_amount", NULL);
    end_row(book, "total", NULL, value);
}

void gen_book_write(const struct gen_book *book, struct buf *out)
{
    buf_add_byte(out, '[');
    for (uint32_t i = 0; i < book->rows.count; i++) {
        buf_add_text(out, i ? ",\n" : "\n");
        buf_add_slice(out, intern_text(&book->rows, i));
        buf_addf(out, ",\"value\":%lld}", (long long)book->values[i]);
    }
    buf_add_text(out, "\n]");
}
