/* test_metrics.c -- metrics.h: exact exposition, bounds, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "base/metrics.h"

static const struct metric_spec events = {
    "pl_events_total", METRIC_COUNTER, "Events \\ read\nby topic.", {"topic", "result"}, 0, NULL};
static const struct metric_spec lag = {"pl_lag_seconds", METRIC_GAUGE, "Lag.", {NULL}, 3, NULL};
static const int64_t bounds[] = {500, 1000, 2500, INT64_MAX};
static const struct metric_spec apply = {"pl_apply_seconds", METRIC_HISTOGRAM, "Apply.", {"machine"}, 6, bounds};

static void assert_exposition(struct metrics *m, const char *expected)
{
    struct buf out = {0};
    metrics_write(m, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

static void the_exposition_is_ordered_and_escaped(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    metric_set(metrics_get(m, &lag), -1500);
    metric_add(metrics_get(m, &events, "z", "ok"), 3);
    metric_add(metrics_get(m, &events, "a\"b\\c\nd", "ok"), 1);
    metric_add(metrics_get(m, &events, "z", "bad"), 2);
    metric_add(metrics_get(m, &events, "z", "ok"), 4);
    assert_exposition(m, "# HELP pl_events_total Events \\\\ read\\nby topic.\n"
                         "# TYPE pl_events_total counter\n"
                         "pl_events_total{topic=\"a\\\"b\\\\c\\nd\",result=\"ok\"} 1\n"
                         "pl_events_total{topic=\"z\",result=\"bad\"} 2\n"
                         "pl_events_total{topic=\"z\",result=\"ok\"} 7\n"
                         "# HELP pl_lag_seconds Lag.\n"
                         "# TYPE pl_lag_seconds gauge\n"
                         "pl_lag_seconds -1.500\n");
    metrics_destroy(&m);
    assert_null(m);
}

static void a_histogram_counts_cumulatively_with_bounds_included(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *h = metrics_get(m, &apply, "funnel");
    static const int64_t values[] = {0, 500, 501, 1000, 2500, 2501, 9000000};
    for (size_t i = 0; i < 7; i++)
        metric_observe(h, values[i]);
    assert_int_equal(metric_value(h), 7);
    assert_exposition(m, "# HELP pl_apply_seconds Apply.\n"
                         "# TYPE pl_apply_seconds histogram\n"
                         "pl_apply_seconds_bucket{machine=\"funnel\",le=\"0.000500\"} 2\n"
                         "pl_apply_seconds_bucket{machine=\"funnel\",le=\"0.001000\"} 4\n"
                         "pl_apply_seconds_bucket{machine=\"funnel\",le=\"0.002500\"} 5\n"
                         "pl_apply_seconds_bucket{machine=\"funnel\",le=\"+Inf\"} 7\n"
                         "pl_apply_seconds_sum{machine=\"funnel\"} 9.007002\n"
                         "pl_apply_seconds_count{machine=\"funnel\"} 7\n");
    metrics_destroy(&m);
}

static void a_registered_metric_shows_its_zero(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    metrics_register(m, &lag);
    metrics_register(m, &lag);
    metrics_register(m, &events);
    assert_exposition(m, "# HELP pl_events_total Events \\\\ read\\nby topic.\n# TYPE pl_events_total counter\n"
                         "# HELP pl_lag_seconds Lag.\n# TYPE pl_lag_seconds gauge\npl_lag_seconds 0.000\n");
    metrics_destroy(&m);
}

static void the_same_labels_are_the_same_series(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    char topic[] = "t";
    struct metric *a = metrics_get(m, &events, topic, "x");
    topic[0] = 'u';
    assert_ptr_equal(metrics_get(m, &events, "t", "x"), a);
    assert_ptr_not_equal(metrics_get(m, &events, "u", "x"), a);
    metrics_destroy(&m);
}

static void beyond_the_bound_series_share_other(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    char name[300];
    for (int i = 0; i < METRIC_SERIES_MAX; i++) {
        (void)snprintf(name, sizeof name, "s%04d", i);
        metric_add(metrics_get(m, &events, name, "x"), 1);
    }
    struct metric *other = metrics_get(m, &events, "new1", "x");
    assert_ptr_equal(metrics_get(m, &events, "new2", "y"), other);
    assert_ptr_equal(metrics_get(m, &events, "other", "other"), other);
    assert_int_equal(metric_value(metrics_get(m, &events, "s0007", "x")), 1);
    metrics_destroy(&m);
    m = metrics_new();
    memset(name, 'l', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct metric *cut = metrics_get(m, &events, name, "x");
    assert_ptr_equal(metrics_get(m, &events, name, "x"), cut);
    metrics_destroy(&m);
}

static void without_a_registry_counting_still_works(void **state)
{
    (void)state;
    struct metric *a = metrics_get(NULL, &lag);
    metric_set(a, 5);
    assert_int_equal(metric_value(a), 5);
    metrics_register(NULL, &lag);
}

static struct metrics *shared;
static void *count_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        metric_add(metrics_get(shared, &events, "t", i % 2 ? "odd" : "even"), 1);
        metric_observe(metrics_get(shared, &apply, "m"), i);
    }
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    (void)state;
    shared = metrics_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    struct buf out = {0};
    for (int i = 0; i < 20; i++) {
        buf_clear(&out);
        metrics_write(shared, &out);
    }
    buf_close(&out);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(metric_value(metrics_get(shared, &events, "t", "odd")), 20000);
    assert_int_equal(metric_value(metrics_get(shared, &events, "t", "even")), 20000);
    assert_int_equal(metric_value(metrics_get(shared, &apply, "m")), 40000);
    metrics_destroy(&shared);
}

static void the_process_shows_itself(void **state)
{
    (void)state;
    struct buf out = {0};
    metrics_write_process(&out);
    const char *memory = strstr(buf_cstr(&out), "\nprocess_resident_memory_bytes ");
    assert_non_null(memory);
    assert_true(strtoll(memory + strlen("\nprocess_resident_memory_bytes "), NULL, 10) > 100000);
    const char *files = strstr(buf_cstr(&out), "\nprocess_open_fds ");
    assert_non_null(files);
    assert_true(strtoll(files + strlen("\nprocess_open_fds "), NULL, 10) >= 1);
    buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exposition_is_ordered_and_escaped),
        cmocka_unit_test(a_histogram_counts_cumulatively_with_bounds_included),
        cmocka_unit_test(a_registered_metric_shows_its_zero),
        cmocka_unit_test(the_same_labels_are_the_same_series),
        cmocka_unit_test(beyond_the_bound_series_share_other),
        cmocka_unit_test(without_a_registry_counting_still_works),
        cmocka_unit_test(threads_lose_no_count),
        cmocka_unit_test(the_process_shows_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
