/* ledger_metrics.c -- see ledger_metrics.h. */
#include "ledger_metrics.h"

#include <ctype.h>
#include <stdio.h>

static const struct metric_spec RECORDS = {.name = "paceline_ledger_records_total",
                                           .kind = METRIC_COUNTER,
                                           .help = "Raw records disposed of, as read back from the ledger.",
                                           .labels = {"shard", "topic", "result"}};
static const struct metric_spec BLOCKS = {.name = "paceline_ledger_blocks_total",
                                          .kind = METRIC_COUNTER,
                                          .help = "Ledger blocks met by the writer, by the filter's verdict.",
                                          .labels = {"shard", "verdict"}};

#define GAUGE(variable, metric, text)                                                                                  \
    static const struct metric_spec variable = {.name = metric, .kind = METRIC_GAUGE, .help = text, .labels = {"shard"}}
GAUGE(SEQ, "paceline_ledger_seq", "Number of the last valid ledger record.");
GAUGE(SNAPSHOT_SEQ, "paceline_ledger_snapshot_seq", "Number of the last record inside the newest snapshot.");
GAUGE(UNCONFIRMED, "paceline_ledger_unconfirmed_blocks", "Own blocks that are not read back yet.");
GAUGE(TAKEOVERS, "paceline_ledger_takeovers", "Own opens that came back valid.");
GAUGE(TROUBLES, "paceline_ledger_troubles", "Times the writer dropped its state to start anew.");
GAUGE(DIVERGED, "paceline_ledger_diverged_outputs", "Machine outputs that contradict the ledger.");
GAUGE(IDS, "paceline_ledger_ids", "Ids held against duplicates.");
GAUGE(ID_BYTES, "paceline_ledger_id_bytes", "Memory of the table of ids.");
GAUGE(RUNNING, "paceline_ledger_running", "1 while this process writes the shard's ledger.");

void ledger_metrics_init(struct ledger_metrics *metrics, struct metrics *registry, uint32_t shard)
{
    static const char *const results[] = {"accepted", "duplicate", "rejected"};
    char number[16], verdict[32];
    (void)snprintf(number, sizeof number, "%u", shard);
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        for (unsigned r = 0; r < 3; r++)
            metrics->records[s][r] =
                metrics_get(registry, &RECORDS, number, ledger_source_topic((enum ledger_source)s), results[r]);
    for (unsigned v = 0; v < FILTER_VERDICT_COUNT; v++) {
        (void)snprintf(verdict, sizeof verdict, "%s", filter_verdict_name((enum filter_verdict)v));
        for (char *c = verdict; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        metrics->blocks[v] = metrics_get(registry, &BLOCKS, number, verdict);
    }
    metrics->seq = metrics_get(registry, &SEQ, number);
    metrics->snapshot_seq = metrics_get(registry, &SNAPSHOT_SEQ, number);
    metrics->unconfirmed = metrics_get(registry, &UNCONFIRMED, number);
    metrics->takeovers = metrics_get(registry, &TAKEOVERS, number);
    metrics->troubles = metrics_get(registry, &TROUBLES, number);
    metrics->diverged = metrics_get(registry, &DIVERGED, number);
    metrics->ids = metrics_get(registry, &IDS, number);
    metrics->id_bytes = metrics_get(registry, &ID_BYTES, number);
    metrics->running = metrics_get(registry, &RUNNING, number);
}

void ledger_metrics_set(struct ledger_metrics *metrics, const struct ledger_service_status *status)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *totals = &status->totals.sources[s];
        metric_set(metrics->records[s][0], (int64_t)totals->accepted);
        metric_set(metrics->records[s][1], (int64_t)totals->duplicate);
        metric_set(metrics->records[s][2], (int64_t)totals->rejected);
    }
    for (unsigned v = 0; v < FILTER_VERDICT_COUNT; v++)
        metric_set(metrics->blocks[v], (int64_t)status->voids[v]);
    metric_set(metrics->seq, (int64_t)status->filter.seq);
    metric_set(metrics->snapshot_seq, (int64_t)status->snapshot_seq);
    metric_set(metrics->unconfirmed, status->unconfirmed);
    metric_set(metrics->takeovers, (int64_t)status->takeovers);
    metric_set(metrics->troubles, (int64_t)status->troubles);
    metric_set(metrics->diverged, (int64_t)status->diverged);
    metric_set(metrics->ids, (int64_t)status->ids);
    metric_set(metrics->id_bytes, (int64_t)status->id_bytes);
    metric_set(metrics->running, status->phase == LEDGER_RUNNING);
}
