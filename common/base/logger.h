/* logger.h -- what operators read: one JSON object a line on stderr, or a readable line on a terminal.
 *
 *   logger_init(&(struct logger_options){.service = "funnel", .level = LOGGER_INFO});
 *   LOGGER_WARN("view is behind", LF_TEXT("tenant", tenant), LF_INT("seq", seq));
 *   -> {"ts":"2026-03-01T08:00:00.000Z","level":"warn","svc":"funnel","msg":"view is behind","tenant":"acme","seq":7}
 *
 * Each line is one write(2), so lines of threads do not mix. Every call site may write LOGGER_SITE_LINES_MAX lines in
 * LOGGER_SITE_WINDOW_MS; what is held back is counted and told with the next line (field "suppressed"); errors too.
 * Registered secrets are replaced by *** wherever they appear. Only a service's loop logs errors, once (style). Before
 * logger_init lines go to stderr as level info, service "paceline". Thread-safe. */
#ifndef BASE_LOGGER_H
#define BASE_LOGGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    LOGGER_SITE_LINES_MAX = 20,
    LOGGER_SITE_WINDOW_MS = 10000,
    LOGGER_SECRETS_MAX = 32,
    LOGGER_LINE_BYTES_MAX = 16384
};

enum logger_level { LOGGER_DEBUG, LOGGER_INFO, LOGGER_WARN, LOGGER_ERROR };
enum logger_format { LOGGER_AUTO, LOGGER_JSON, LOGGER_HUMAN };

struct logger_options {
    const char *service;       /* NULL: "paceline"; copied */
    enum logger_level level;   /* lines below are dropped */
    enum logger_format format; /* auto: human on a terminal */
    int fd;                    /* 0: stderr */
    struct clock *clock;       /* NULL: clock_system() */
};
void logger_init(const struct logger_options *options);

/* Name of the service this thread works for (threads of `paceline run`); copied; NULL: that of logger_init. */
void logger_service_set(const char *service);
bool logger_level_parse(struct slice text, enum logger_level *level); /* debug info warn error */
void logger_level_set(enum logger_level level);
/* From now on these bytes never appear in a line. At least 4 bytes long; false: too short or too many. */
bool logger_secret_add(struct slice secret);

enum logger_field_kind { LF_KIND_END, LF_KIND_TEXT, LF_KIND_SLICE, LF_KIND_INT, LF_KIND_UINT, LF_KIND_BOOL };
struct logger_field {
    const char *key;
    enum logger_field_kind kind;
    struct slice text;
    int64_t number;
};
#define LF_TEXT(k, v)  ((struct logger_field){(k), LF_KIND_TEXT, slice_of(v), 0})
#define LF_SLICE(k, v) ((struct logger_field){(k), LF_KIND_SLICE, (v), 0})
#define LF_INT(k, v)   ((struct logger_field){(k), LF_KIND_INT, {NULL, 0}, (int64_t)(v)})
#define LF_UINT(k, v)  ((struct logger_field){(k), LF_KIND_UINT, {NULL, 0}, (int64_t)(v)})
#define LF_BOOL(k, v)  ((struct logger_field){(k), LF_KIND_BOOL, {NULL, 0}, (v) ? 1 : 0})
#define LF_ERR(e)      LF_TEXT("err", (e)->text)

struct logger_site {
    atomic_llong window_start_ms;
    atomic_uint lines;      /* in this window */
    atomic_uint suppressed; /* since the last line */
};
void logger_write(struct logger_site *site, enum logger_level level, const struct logger_field *fields);

#define LOGGER_LINE(level, message, ...)                                                                               \
    do {                                                                                                               \
        static struct logger_site logger_site_here;                                                                    \
        logger_write(&logger_site_here, (level),                                                                       \
                     (const struct logger_field[]){                                                                    \
                         LF_TEXT("msg", (message)), ##__VA_ARGS__, {NULL, LF_KIND_END, {NULL, 0}, 0}});                \
    } while (0)
#define LOGGER_DEBUG(message, ...) LOGGER_LINE(LOGGER_DEBUG, message, ##__VA_ARGS__)
#define LOGGER_INFO(message, ...)  LOGGER_LINE(LOGGER_INFO, message, ##__VA_ARGS__)
#define LOGGER_WARN(message, ...)  LOGGER_LINE(LOGGER_WARN, message, ##__VA_ARGS__)
#define LOGGER_ERROR(message, ...) LOGGER_LINE(LOGGER_ERROR, message, ##__VA_ARGS__)

#endif
