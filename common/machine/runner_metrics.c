#include "machine/runner_metrics.h"

#include <stdio.h>

#define LABELS                                                                                                         \
    {                                                                                                                  \
        "machine", "shard"                                                                                             \
    }
static const struct metric_spec specs[RUNNER_METRIC_COUNT] = {
    [RUNNER_RECORDS] = {"paceline_machine_records_total", METRIC_COUNTER, "Ledger records folded.", LABELS, 0, NULL},
    [RUNNER_SEQ] = {"paceline_machine_seq", METRIC_GAUGE, "Ledger seq folded.", LABELS, 0, NULL},
    [RUNNER_LAG] = {"paceline_machine_lag_blocks", METRIC_GAUGE, "Ledger blocks not read yet.", LABELS, 0, NULL},
    [RUNNER_COMMITS] = {"paceline_view_commits_total", METRIC_COUNTER, "Commits to the view.", LABELS, 0, NULL},
    [RUNNER_GENERATIONS] = {"paceline_view_generations_total", METRIC_COUNTER, "Generations written to the view.",
                            LABELS, 0, NULL},
    [RUNNER_CELLS] = {"paceline_view_cells_total", METRIC_COUNTER, "Cells written to the view.", LABELS, 0, NULL},
    [RUNNER_COMMITS_MOVED] = {"paceline_view_commits_moved_total", METRIC_COUNTER,
                              "Commits refused because another head was there.", LABELS, 0, NULL},
    [RUNNER_STALE] = {"paceline_view_stale", METRIC_GAUGE, "1 while the view cannot be reached.", LABELS, 0, NULL},
    [RUNNER_OUTBOX] = {"paceline_machine_outbox", METRIC_GAUGE, "Outputs not read back from the ledger.", LABELS, 0,
                       NULL},
    [RUNNER_SENT] = {"paceline_machine_sent_total", METRIC_COUNTER, "Outputs sent, repeats included.", LABELS, 0, NULL},
    [RUNNER_SNAPSHOTS] = {"paceline_machine_snapshots_total", METRIC_COUNTER, "Snapshots written.", LABELS, 0, NULL},
    [RUNNER_SNAPSHOTS_FAILED] = {"paceline_machine_snapshots_failed_total", METRIC_COUNTER, "Snapshots that failed.",
                                 LABELS, 0, NULL},
    [RUNNER_SNAPSHOT_MS] = {"paceline_machine_snapshot_seconds", METRIC_GAUGE, "Duration of the last snapshot.", LABELS,
                            3, NULL},
    [RUNNER_TENANTS] = {"paceline_machine_tenants", METRIC_GAUGE, "Tenants of the shard.", LABELS, 0, NULL},
    [RUNNER_STOPPED] = {"paceline_machine_tenants_stopped", METRIC_GAUGE, "Tenants that are frozen.", LABELS, 0, NULL},
};

void runner_metrics_init(struct runner_metrics *metrics, struct metrics *registry, const char *machine, uint32_t shard)
{
    char number[16];
    snprintf(number, sizeof number, "%u", shard);
    for (unsigned i = 0; i < RUNNER_METRIC_COUNT; i++)
        metrics->series[i] = metrics_get(registry, &specs[i], machine, number);
}

void runner_metrics_set(struct runner_metrics *metrics, const struct runner *runner)
{
    for (unsigned i = 0; i < RUNNER_METRIC_COUNT; i++)
        metric_set(metrics->series[i], runner_metric_value(runner, (enum runner_metric)i));
}
