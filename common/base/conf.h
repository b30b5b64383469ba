/* conf.h -- settings as rows of one typed table: it reads them, explains them, prints them.
 *
 * Precedence: defaults < file < environment < flags. The file is YAML (yaml.h), a key with dots is a path of mappings
 * ("redis.password"). Environment: PREFIX_KEY in capitals, dots as "__" (PACELINE_TOPIC_PREFIX). A secret can be read
 * from a file: KEY_file in YAML, PREFIX_KEY_FILE in the environment, --KEY-file; one line end behind it is cut. Unknown
 * keys of file and flags are errors with "did you mean"; of the environment they are not (others put names there). All
 * errors are collected as findings. Secrets are told to the logger and never printed. One owner. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/findings.h"

enum { CONF_KEYS_MAX = 128, CONF_SECRET_BYTES_MAX = 4096 };

enum conf_type {
    CONF_TEXT,     /* char[size] at offset; min, max = length in bytes (max 0: size - 1) */
    CONF_SECRET,   /* the same, redacted */
    CONF_INT,      /* int64_t */
    CONF_BOOL,     /* bool: true or false */
    CONF_DURATION, /* int64_t ms: formats.md 0, elapsed */
    CONF_SIZE      /* int64_t bytes: 4096, 64KiB, 1MiB, 2GiB */
};

struct conf_key {
    const char *key; /* NULL ends the table */
    enum conf_type type;
    size_t offset, size;
    const char *otherwise; /* default, as text */
    int64_t min, max;      /* of ints, durations in ms, sizes in bytes; both 0: no bounds */
    const char *help, *help_zh;
};
#define CONF_FIELD(type_name, field) offsetof(type_name, field), sizeof(((type_name *)0)->field)

enum conf_source { CONF_FROM_DEFAULT, CONF_FROM_FILE, CONF_FROM_ENVIRONMENT, CONF_FROM_FLAG };
struct conf_origin {
    enum conf_source source;
    uint32_t line; /* in the file */
};
struct conf {
    const struct conf_key *keys;
    const char *prefix; /* of the environment: "PACELINE" */
    void *target;       /* the struct that is filled */
    struct conf_origin origins[CONF_KEYS_MAX];
    char file[256]; /* read last, for --print-config */
};

/* Fills target with the defaults. A default that is no value of its row is a bug (assert). */
void conf_init(struct conf *conf, const struct conf_key *keys, const char *prefix, void *target);

/* Each adds findings and sets what is right; values that are wrong leave what was there. */
void conf_read_file(struct conf *conf, const char *path, bool required, struct findings *findings);
void conf_read_environment(struct conf *conf, struct findings *findings);
/* Pairs name, value, ..., NULL: {"kafka", "localhost:9092", "topic-prefix", "x.", NULL}; '-' reads as '_'. */
void conf_read_flags(struct conf *conf, const char *const *pairs, struct findings *findings);

/* Effective settings as YAML with where each came from behind it; secrets as "***". */
void conf_print(const struct conf *conf, struct buf *out);
/* A commented sample file of the defaults. */
void conf_sample(const struct conf_key *keys, const char *prefix, bool zh, struct buf *out);
/* One line per key: name, environment, type, default, help (for --help and the reference page). */
void conf_help(const struct conf_key *keys, const char *prefix, bool zh, struct buf *out);

#endif
