/* findings.h -- all that is wrong with a file, collected and told together: `file:line:column: code: text`.
 *
 * A checker never stops at the first error: it adds a finding and goes on. The collector keeps at most FINDINGS_MAX
 * and counts the rest. Codes are the words of formats.md 0; texts say what is wrong and what is expected. One owner. */
#ifndef BASE_FINDINGS_H
#define BASE_FINDINGS_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

enum { FINDINGS_MAX = 1000, FINDING_TEXT_BYTES_MAX = 512, FINDING_CODE_BYTES_MAX = 31, FINDING_FILE_BYTES_MAX = 255 };

struct finding {
    char *file;      /* as given, owned; "" = no file (flags, environment) */
    uint32_t line;   /* 1-based; 0 = no place within the file */
    uint32_t column; /* 1-based, in characters */
    uint32_t order;  /* of arrival, breaks ties of place */
    char code[FINDING_CODE_BYTES_MAX + 1];
    char *text; /* one line, owned */
};

struct findings {
    struct finding *list;
    size_t count; /* kept in list */
    size_t cap;
    size_t dropped; /* found, beyond FINDINGS_MAX */
};

void findings_init(struct findings *findings);
void findings_close(struct findings *findings); /* frees, leaves it empty and usable */

/* Adds one finding (printf). `file` may be NULL; control characters of the text become blanks. */
void findings_add(struct findings *findings, const char *file, uint32_t line, uint32_t column, const char *code,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));

size_t findings_count(const struct findings *findings);          /* kept and dropped */
void findings_sort(struct findings *findings);                   /* by file, line, column, arrival */
void findings_write(struct findings *findings, struct buf *out); /* sorts; one line each, "... and N more" at the end */
void findings_print(struct findings *findings, FILE *out);       /* the same to a stream */

/* ERR_CONFIG with the findings by place, a line each, as many as fit whole ("... and N more" behind them); OK when
 * there is none. */
enum err_code findings_to_err(struct findings *findings, struct err *err);

/* The candidate nearest to `name` (optimal string alignment distance, at most a third of the length and at least 1),
 * or NULL if none is near. `candidates` ends with NULL. Ties: the first. */
const char *did_you_mean(struct slice name, const char *const *candidates);

#endif
