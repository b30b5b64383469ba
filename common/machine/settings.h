/* settings.h -- what every process of paceline is configured by: one typed table (base/conf.h), read from
 * defaults, DIR/paceline.yaml, environment (PACELINE_...), flags, in this order. */
#ifndef MACHINE_SETTINGS_H
#define MACHINE_SETTINGS_H

#include <stdint.h>

#include "base/err.h"

struct settings {
    char dir[512];            /* embedded mode: everything lives here; empty on Kafka */
    char kafka[512];          /* bootstrap servers; empty = embedded mode */
    char kafka_options[2048]; /* name=value pairs, comma separated, passed to librdkafka */
    char redis[512];          /* HOST:PORT or socket path; empty in embedded mode = private child */
    char topic_prefix[64];    /* put before every topic name, empty by default */
    char store[512];          /* folder of snapshots; DIR/store by default */
    char instance[128];       /* static member id of this process */
    int64_t shards;           /* P: partitions of every topic; 1 embedded, 12 on Kafka by default */
    int64_t replication;      /* of topics that are created */
    char http[128];           /* listen address of /metrics, /livez, /readyz; empty: off */
    int64_t snapshot_records; /* a snapshot every so many ledger records */
    bool sync;                /* file log: fsync */
};

#endif
