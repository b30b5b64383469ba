/* ledger_metrics.h -- what one shard of the ledger service tells Prometheus. */
#ifndef LEDGER_LEDGER_METRICS_H
#define LEDGER_LEDGER_METRICS_H

#include "base/metrics.h"
#include "ledger_service.h"

struct ledger_metrics {
    struct metric *records[LEDGER_SOURCE_COUNT][3]; /* accepted, duplicate, rejected */
    struct metric *blocks[FILTER_VERDICT_COUNT];
    struct metric *seq, *snapshot_seq, *unconfirmed, *takeovers, *troubles, *diverged, *ids, *id_bytes, *running;
};

void ledger_metrics_init(struct ledger_metrics *metrics, struct metrics *registry,
                         uint32_t shard); /* registry may be NULL */
void ledger_metrics_set(struct ledger_metrics *metrics, const struct ledger_service_status *status);

#endif
