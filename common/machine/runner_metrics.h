/* runner_metrics.h -- what a runner counts, for Prometheus. */
#ifndef MACHINE_RUNNER_METRICS_H
#define MACHINE_RUNNER_METRICS_H

#include "base/metrics.h"

enum runner_metric {
    RUNNER_RECORDS,
    RUNNER_SEQ,
    RUNNER_LAG,
    RUNNER_COMMITS,
    RUNNER_GENERATIONS,
    RUNNER_CELLS,
    RUNNER_COMMITS_MOVED,
    RUNNER_STALE,
    RUNNER_OUTBOX,
    RUNNER_SENT,
    RUNNER_SNAPSHOTS,
    RUNNER_SNAPSHOTS_FAILED,
    RUNNER_SNAPSHOT_MS,
    RUNNER_TENANTS,
    RUNNER_STOPPED,
    RUNNER_METRIC_COUNT
};

struct runner_metrics {
    struct metric *series[RUNNER_METRIC_COUNT];
};

struct runner;
void runner_metrics_init(struct runner_metrics *metrics, struct metrics *registry, const char *machine, uint32_t shard);
void runner_metrics_set(struct runner_metrics *metrics, const struct runner *runner);
/* The present value of one; part of runner.c, which alone knows the parts. */
int64_t runner_metric_value(const struct runner *runner, enum runner_metric which);

#endif
