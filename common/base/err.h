/* err.h -- what went wrong, where, and what to do: one code and one text.
 *
 * Functions that can fail return an `enum err_code` (0 = OK) and fill the caller's `struct err`. Every code has one
 * class, and only a service's loop acts on it: RETRY (back off, do not advance), SKIP (reject, count, advance),
 * FATAL (stop and say so). Texts say what, where and what to do next. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum err_class { ERR_CLASS_OK, ERR_CLASS_RETRY, ERR_CLASS_SKIP, ERR_CLASS_FATAL };

/* code, class, exit code of formats.md 7 */
#define ERR_LIST(X)                                                                                                    \
    X(OK, OK, 0)                                                                                                       \
    X(ERR_FINDING, SKIP, 1)       /* a check found something: bad rows, a difference */                                \
    X(ERR_USAGE, FATAL, 2)        /* unknown command, option or argument */                                            \
    X(ERR_UNAVAILABLE, RETRY, 69) /* Kafka, Redis, a file system cannot be reached */                                  \
    X(ERR_BUG, FATAL, 70)         /* broken invariant */                                                               \
    X(ERR_MEMORY, FATAL, 70)      /* no memory */                                                                      \
    X(ERR_LATER, RETRY, 75)       /* lease held, ledger behind, disk full */                                           \
    X(ERR_DENIED, FATAL, 77)      /* credentials, permissions */                                                       \
    X(ERR_CONFIG, FATAL, 78)      /* bad file, wrong topic settings */                                                 \
    X(ERR_MOVED, RETRY, 75)       /* a compare-and-set met another value: somebody else moved on */                    \
    X(ERR_MISSING, SKIP, 1)       /* no such object, key or offset */                                                  \
    X(ERR_BAD_INPUT, SKIP, 1)     /* bytes from outside that cannot be read */                                         \
    X(ERR_CORRUPT, FATAL, 70)     /* our own stored bytes fail their checksum */                                       \
    X(ERR_GAP, FATAL, 70)         /* ledger filter: offsets are not consecutive */                                     \
    X(ERR_FORK, FATAL, 70)        /* ledger filter: two valid histories */                                             \
    X(ERR_TIMEOUT, RETRY, 75)     /* nothing within the deadline */

enum err_code {
#define X(code, class, exit) code,
    ERR_LIST(X)
#undef X
};

#define ERR_TEXT_MAX 2048 /* a screen of findings */

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

/* Sets code and text (printf) and returns code. `err` may be NULL. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the present text and returns the present code. */
enum err_code err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum err_class err_class(enum err_code code);
int err_exit_code(enum err_code code);
const char *err_name(enum err_code code);

#endif
