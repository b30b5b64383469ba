/* metrics.h -- counters, gauges and histograms in static tables, read by Prometheus (text 0.0.4).
 *
 *   static const struct metric_spec EVENTS = {"paceline_events_total", METRIC_COUNTER, "Events read.", {"topic",
 * "result"}}; struct metric *read = metrics_get(metrics, &EVENTS, "sales.leads", "accepted");    once, kept
 *   metric_add(read, count);                                                           per batch, any thread
 *
 * Values are integers; `decimals` says how many of their digits are printed behind the point (microseconds as seconds:
 * 6). Getting a series takes a lock, changing it one relaxed atomic. A metric holds at most METRIC_SERIES_MAX series;
 * further label values share the series `other`. A metric lives as long as its registry. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    METRIC_LABELS_MAX = 4,
    METRIC_SERIES_MAX = 1000,
    METRIC_BUCKETS_MAX = 24,
    METRICS_MAX = 256,
    METRIC_LABEL_BYTES_MAX = 128
};
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_spec {
    const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]* */
    enum metric_kind kind;
    const char *help;
    const char *labels[METRIC_LABELS_MAX + 1]; /* ended by NULL */
    unsigned decimals;
    const int64_t *bounds; /* histogram: ascending upper bounds in raw units, ended by INT64_MAX (= +Inf) */
};

struct metrics;
struct metric;
struct metrics *metrics_new(void);
void metrics_destroy(struct metrics **metrics);

/* The series of these label values (const char *, one per label of the spec, in its order); made when new. Metrics of
 * one name are one metric. Never NULL, valid until metrics_destroy. metrics NULL: a series that nobody reads. */
struct metric *metrics_get(struct metrics *metrics, const struct metric_spec *spec, ...);
/* Announces a metric: its HELP and TYPE appear (and, without labels, its 0) before the first value. */
void metrics_register(struct metrics *metrics, const struct metric_spec *spec);

void metric_add(struct metric *metric, uint64_t n);        /* counter or gauge */
void metric_set(struct metric *metric, int64_t value);     /* gauge; counter: an absolute count kept elsewhere */
void metric_observe(struct metric *metric, int64_t value); /* histogram; raw units, >= 0 */
int64_t metric_value(const struct metric *metric);         /* counter, gauge; histogram: number of observations */

/* Appends the exposition: metrics by name, series by label values, bytewise. */
void metrics_write(struct metrics *metrics, struct buf *out);
/* process_* of this process: resident memory, CPU time, open files. */
void metrics_write_process(struct buf *out);

#endif
