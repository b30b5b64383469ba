/* settings.h -- what every process of paceline is configured by: one typed table (base/conf.h), read from
 * defaults, DIR/paceline.yaml, environment (PACELINE_...), flags, in this order. */
#ifndef MACHINE_SETTINGS_H
#define MACHINE_SETTINGS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"

struct settings {
    char dir[512];             /* embedded mode: everything lives here; empty on Kafka */
    char kafka[512];           /* bootstrap servers; empty = embedded mode */
    char kafka_options[2048];  /* name=value pairs, comma separated, passed to librdkafka */
    char redis[512];           /* HOST:PORT or socket path; empty in embedded mode = private child */
    char topic_prefix[64];     /* put before every topic name, empty by default */
    char store[512];           /* folder of snapshots; DIR/store by default */
    char instance[128];        /* static member id of this process */
    int64_t shards;            /* P: partitions of every topic; 1 embedded, 12 on Kafka by default */
    int64_t replication;       /* of topics that are created */
    char http[128];            /* listen address of /metrics, /livez, /readyz; empty: off */
    int64_t snapshot_records;  /* a snapshot every so many ledger records */
    bool sync;                 /* file log: fsync */
    char redis_durability[16]; /* private Redis: everysec (append-only file, fsync each second) or none */
    char log_level[16];        /* debug, info, warn, error */
    struct conf conf;          /* where each value came from (settings_print) */
};

/* Fills *settings from the defaults, then the file (`config`, or DIR/paceline.yaml if it exists when NULL), then the
 * environment (PACELINE_KAFKA, PACELINE_TOPIC_PREFIX, ...), then `flags` = name, value, ..., NULL (may be NULL).
 * Without kafka and dir, dir is ".paceline". What depends on others (shards, store) is filled in last.
 * ERR_CONFIG names the key, its origin and line, and what is allowed. settings->conf must not be copied alone. */
enum err_code settings_load(struct settings *settings, const char *config, const char *const *flags, struct err *err);

/* The same settings for another dir (`paceline run DIR`): its paceline.yaml is read; flags and environment still win.
 */
enum err_code settings_move(struct settings *settings, const char *dir, struct err *err);

/* The effective settings as YAML, with the origin of each; kafka_options is never shown (it holds passwords). */
void settings_print(const struct settings *settings, struct buf *out);
/* The table as text: name, range, default, what it is for. */
void settings_help(bool zh, struct buf *out);
/* The commented sample file that `paceline run DIR` writes into a new DIR. */
void settings_sample(bool zh, struct buf *out);

#endif
