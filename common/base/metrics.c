/* metrics.c -- the registry and its exposition. See metrics.h. */
#include "base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

struct metric {
    struct metric *next; /* of the family, by label values */
    const struct metric_spec *spec;
    char *labels[METRIC_LABELS_MAX];
    _Atomic int64_t value; /* histogram: the sum of what was observed */
    unsigned bucket_count; /* histogram: with +Inf */
    _Atomic uint64_t buckets[];
};

struct family {
    const struct metric_spec *spec;
    struct metric *series;
    size_t series_count;
};

struct metrics {
    pthread_mutex_t lock;
    struct family families[METRICS_MAX]; /* by name */
    size_t family_count;
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = memory_must(calloc(1, sizeof *metrics));
    (void)pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

static void free_series(struct metric *series)
{
    while (series) {
        struct metric *next = series->next;
        for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
            free(series->labels[i]);
        free(series);
        series = next;
    }
}

void metrics_destroy(struct metrics **metrics)
{
    if (!*metrics)
        return;
    for (size_t i = 0; i < (*metrics)->family_count; i++)
        free_series((*metrics)->families[i].series);
    (void)pthread_mutex_destroy(&(*metrics)->lock);
    free(*metrics);
    *metrics = NULL;
}

static size_t label_count(const struct metric_spec *spec)
{
    size_t n = 0;
    while (n < METRIC_LABELS_MAX && spec->labels[n])
        n++;
    return n;
}

static unsigned bucket_count(const struct metric_spec *spec)
{
    if (spec->kind != METRIC_HISTOGRAM)
        return 0;
    unsigned n = 0;
    while (spec->bounds[n] != INT64_MAX)
        n++;
    assert(n < METRIC_BUCKETS_MAX);
    return n + 1;
}

/* The family of a name, kept in order of names; made when new. */
static struct family *family_of(struct metrics *metrics, const struct metric_spec *spec)
{
    size_t at = 0;
    int order = 1;
    while (at < metrics->family_count && (order = strcmp(metrics->families[at].spec->name, spec->name)) < 0)
        at++;
    if (at < metrics->family_count && order == 0)
        return &metrics->families[at];
    assert(metrics->family_count < METRICS_MAX);
    memmove(&metrics->families[at + 1], &metrics->families[at],
            (metrics->family_count - at) * sizeof *metrics->families);
    metrics->families[at] = (struct family){.spec = spec};
    metrics->family_count++;
    return &metrics->families[at];
}

static int compare_labels(char *const *a, const char *const *b, size_t count)
{
    int order = 0;
    for (size_t i = 0; i < count && !order; i++)
        order = strcmp(a[i], b[i]); /* NOLINT(clang-analyzer-core.CallAndMessage): count says what is set */
    return order;
}

static struct metric *new_series(const struct metric_spec *spec, const char *const *labels)
{
    unsigned buckets = bucket_count(spec);
    struct metric *series = memory_must(calloc(1, sizeof *series + buckets * sizeof series->buckets[0]));
    series->spec = spec;
    series->bucket_count = buckets;
    for (size_t i = 0; i < label_count(spec); i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference,clang-analyzer-core.CallAndMessage): no labels, no turn */
        series->labels[i] = memory_must(strndup(labels[i], METRIC_LABEL_BYTES_MAX));
    return series;
}

static struct metric *find_or_make(struct family *family, const char *const *labels)
{
    size_t count = label_count(family->spec);
    struct metric **at = &family->series;
    int order = 1;
    while (*at && (order = compare_labels((*at)->labels, labels, count)) < 0)
        at = &(*at)->next;
    if (*at && order == 0)
        return *at;
    struct metric *series = new_series(family->spec, labels);
    series->next = *at;
    *at = series;
    family->series_count++;
    return series;
}

/* Label values cut to their bound, so that a long one finds its series again; all `other` when the family is full. */
static struct metric *series_of(struct family *family, const char *const *labels)
{
    static const char *const others[METRIC_LABELS_MAX] = {"other", "other", "other", "other"};
    char cut[METRIC_LABELS_MAX][METRIC_LABEL_BYTES_MAX + 1];
    const char *values[METRIC_LABELS_MAX];
    size_t count = label_count(family->spec);
    for (size_t i = 0; i < count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker,clang-analyzer-core.NullDereference): as above */
        size_t n = strnlen(labels[i], METRIC_LABEL_BYTES_MAX);
        memcpy(cut[i], labels[i], n);
        cut[i][n] = '\0';
        values[i] = cut[i];
    }
    if (family->series_count < METRIC_SERIES_MAX)
        return find_or_make(family, values);
    for (struct metric *series = family->series; series; series = series->next)
        if (compare_labels(series->labels, values, count) == 0)
            return series;
    return find_or_make(family, others);
}

/* A series without a registry lives until the process ends: it is asked for once and kept by its owner. */
static struct metrics *nobody(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct metrics *unread;
    pthread_mutex_lock(&lock);
    if (!unread)
        unread = metrics_new();
    struct metrics *metrics = unread;
    pthread_mutex_unlock(&lock);
    return metrics;
}

struct metric *metrics_get(struct metrics *metrics, const struct metric_spec *spec, ...)
{
    const char *labels[METRIC_LABELS_MAX] = {0};
    va_list args;
    va_start(args, spec);
    for (size_t i = 0; i < label_count(spec); i++)
        labels[i] = va_arg(args, const char *);
    va_end(args);
    if (!metrics)
        metrics = nobody();
    pthread_mutex_lock(&metrics->lock);
    struct family *family = family_of(metrics, spec);
    assert(family->spec == spec ||
           (family->spec->kind == spec->kind && label_count(family->spec) == label_count(spec)));
    struct metric *series = series_of(family, labels);
    pthread_mutex_unlock(&metrics->lock);
    return series;
}

void metrics_register(struct metrics *metrics, const struct metric_spec *spec)
{
    if (!metrics)
        return;
    pthread_mutex_lock(&metrics->lock);
    struct family *family = family_of(metrics, spec);
    if (label_count(spec) == 0 && !family->series)
        (void)find_or_make(family, NULL);
    pthread_mutex_unlock(&metrics->lock);
}

void metric_add(struct metric *metric, uint64_t n)
{
    atomic_fetch_add_explicit(&metric->value, (int64_t)n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe(struct metric *metric, int64_t value)
{
    const int64_t *bounds = metric->spec->bounds;
    unsigned at = 0;
    while (value > bounds[at])
        at++;
    atomic_fetch_add_explicit(&metric->buckets[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    if (metric->spec->kind != METRIC_HISTOGRAM)
        return atomic_load_explicit(&metric->value, memory_order_relaxed);
    uint64_t count = 0;
    for (unsigned i = 0; i < metric->bucket_count; i++)
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    return (int64_t)count;
}

/* Escapes of the text format: backslash, line end, and the quote within label values. */
static void add_escaped(struct buf *out, const char *text, bool quote)
{
    struct buf clean = {0};
    text_add_clean(&clean, slice_of(text));
    for (size_t i = 0; i < clean.n; i++) {
        uint8_t c = clean.p[i];
        if (c == '\\' || (quote && c == '"'))
            buf_add_byte(out, '\\');
        if (c == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add_byte(out, c);
    }
    buf_close(&clean);
}

static void add_label(struct buf *out, const char *name, const char *value, bool *first)
{
    buf_addf(out, "%c%s=\"", *first ? '{' : ',', name);
    add_escaped(out, value, true);
    buf_add_byte(out, '"');
    *first = false;
}

/* One sample line; `bound` NULL: no label `le`. */
static void add_sample(struct buf *out, const struct metric *metric, const char *suffix, const char *bound,
                       int64_t value, unsigned decimals)
{
    buf_addf(out, "%s%s", metric->spec->name, suffix);
    bool first = true;
    for (size_t i = 0; i < label_count(metric->spec); i++)
        add_label(out, metric->spec->labels[i], metric->labels[i], &first);
    if (bound)
        add_label(out, "le", bound, &first);
    if (!first)
        buf_add_byte(out, '}');
    buf_add_byte(out, ' ');
    text_add_decimal(out, value, decimals, '\0');
    buf_add_byte(out, '\n');
}

static void add_histogram(struct buf *out, const struct metric *metric)
{
    const struct metric_spec *spec = metric->spec;
    struct buf bound = {0};
    uint64_t count = 0;
    /* The sum first: a value observed meanwhile is then missing in the sum, never in the count alone. */
    int64_t sum = atomic_load_explicit(&metric->value, memory_order_relaxed);
    for (unsigned i = 0; i < metric->bucket_count; i++) {
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        buf_clear(&bound);
        if (i + 1 == metric->bucket_count)
            buf_add_text(&bound, "+Inf");
        else
            text_add_decimal(&bound, spec->bounds[i], spec->decimals, '\0');
        add_sample(out, metric, "_bucket", buf_cstr(&bound), (int64_t)count, 0);
    }
    add_sample(out, metric, "_sum", NULL, sum, spec->decimals);
    add_sample(out, metric, "_count", NULL, (int64_t)count, 0);
    buf_close(&bound);
}

static void add_family(struct buf *out, const struct family *family)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const struct metric_spec *spec = family->spec;
    buf_addf(out, "# HELP %s ", spec->name);
    add_escaped(out, spec->help, false);
    buf_addf(out, "\n# TYPE %s %s\n", spec->name, kinds[spec->kind]);
    for (const struct metric *series = family->series; series; series = series->next) {
        if (spec->kind == METRIC_HISTOGRAM)
            add_histogram(out, series);
        else
            add_sample(out, series, "", NULL, metric_value(series), spec->decimals);
    }
}

void metrics_write(struct metrics *metrics, struct buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->family_count; i++)
        add_family(out, &metrics->families[i]);
    pthread_mutex_unlock(&metrics->lock);
}
