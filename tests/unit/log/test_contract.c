/* test_contract.c -- what every log promises, asked of the memory log and of the file log alike; partition_of_key. */
#define _GNU_SOURCE /* nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"

struct bench {
    struct clock_manual clock;
    struct log *log;
    char folder[64];
    struct err err;
};

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

static struct bench *bench_new(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    clock_manual_init(&b->clock, 1000000);
    *state = b;
    return b;
}

static void topics(struct bench *b)
{
    struct log_topic_spec raw = {.topic = "raw", .partitions = 2, .retention_ms = -1};
    assert_int_equal(log_topic_ensure(b->log, &raw, &b->err), OK);
}

static int memory_setup(void **state)
{
    struct bench *b = bench_new(state);
    assert_int_equal(log_memory_open(&b->clock.clock, &b->log, &b->err), OK);
    topics(b);
    return 0;
}

static int file_setup(void **state)
{
    struct bench *b = bench_new(state);
    strcpy(b->folder, "/tmp/paceline-log-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    assert_int_equal(log_file_open(b->folder, &b->clock.clock, false, &b->log, &b->err), OK);
    topics(b);
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    log_destroy(&b->log);
    if (b->folder[0])
        nftw(b->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

static struct log_consumer *reader_at(struct bench *b, uint32_t partition, int64_t offset)
{
    struct log_source source = {"raw", partition, offset};
    struct log_consumer *consumer;
    assert_int_equal(log_consumer_open(b->log, "g", &source, 1, &consumer, &b->err), OK);
    return consumer;
}

static void write_texts(struct bench *b, const char *const *texts, size_t count)
{
    struct log_producer *producer;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(log_append(producer, "raw", 0, SLICE("acme"), slice_of(texts[i]), SLICE(""), &b->err), OK);
    assert_int_equal(log_producer_flush(producer, 1000, &b->err), OK);
    log_producer_destroy(&producer);
}

static void records_come_back_in_order_with_their_parts(void **state)
{
    struct bench *b = *state;
    struct log_producer *producer;
    struct log_progress progress;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    assert_int_equal(log_append(producer, "raw", 1, (struct slice){0}, SLICE("one"), SLICE("a.csv:7"), &b->err), OK);
    assert_int_equal(log_append(producer, "raw", 1, SLICE("acme"), SLICE(""), SLICE(""), &b->err), OK);
    assert_int_equal(log_append(producer, "raw", 1, SLICE(""), SLICE("three"), SLICE(""), &b->err), OK);
    log_producer_poll(producer, 0, &progress);
    assert_int_equal(progress.sent, 3);
    assert_int_equal(progress.acked, 3);
    assert_int_equal(progress.failed, 0);
    struct log_consumer *consumer = reader_at(b, 1, 0);
    struct log_record r[4];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 4, &got, &b->err), OK);
    assert_int_equal(got, 3);
    assert_null(r[0].key.p);
    assert_true(slice_is(r[0].value, "one") && slice_is(r[0].origin, "a.csv:7"));
    assert_true(slice_is(r[1].key, "acme") && r[1].value.n == 0 && r[1].origin.n == 0);
    assert_non_null(r[2].key.p);
    assert_int_equal(r[2].offset, 2);
    assert_int_equal(r[2].append_ms, 1000000);
    log_consumer_destroy(&consumer);
    log_producer_destroy(&producer);
}

static void a_reader_starts_in_the_middle_and_takes_at_most_max(void **state)
{
    struct bench *b = *state;
    write_texts(b, (const char *const[]){"a", "b", "c", "d"}, 4);
    struct log_consumer *consumer = reader_at(b, 0, 1);
    struct log_record r[4];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 2, &got, &b->err), OK);
    assert_int_equal(got, 2);
    assert_true(slice_is(r[0].value, "b") && slice_is(r[1].value, "c"));
    assert_int_equal(log_poll(consumer, 0, r, 4, &got, &b->err), OK);
    assert_int_equal(got, 1);
    assert_int_equal(log_poll(consumer, 0, r, 4, &got, &b->err), OK);
    assert_int_equal(got, 0);
    log_consumer_destroy(&consumer);
}

static void append_times_never_go_back(void **state)
{
    struct bench *b = *state;
    write_texts(b, (const char *const[]){"a"}, 1);
    b->clock.now_ms -= 5000;
    write_texts(b, (const char *const[]){"b"}, 1);
    struct log_consumer *consumer = reader_at(b, 0, 0);
    struct log_record r[2];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 2, &got, &b->err), OK);
    assert_int_equal(got, 2);
    assert_int_equal(r[1].append_ms, 1000000);
    log_consumer_destroy(&consumer);
}

static void the_end_is_known_with_the_time_it_was_asked_at(void **state)
{
    struct bench *b = *state;
    write_texts(b, (const char *const[]){"a", "b"}, 2);
    struct log_consumer *consumer = reader_at(b, 0, 0);
    b->clock.monotonic_ms = 77;
    log_end_refresh(consumer);
    int64_t end, asked_ms;
    assert_true(log_end(consumer, 0, &end, &asked_ms));
    assert_int_equal(end, 2);
    assert_int_equal(asked_ms, 77);
    log_consumer_destroy(&consumer);
}

static void a_position_beyond_the_end_is_a_gap(void **state)
{
    struct bench *b = *state;
    write_texts(b, (const char *const[]){"a", "b"}, 2);
    struct log_consumer *consumer = reader_at(b, 0, 3);
    struct log_record r[1];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 1, &got, &b->err), ERR_GAP);
    assert_int_equal(log_poll(consumer, 0, r, 1, &got, &b->err), ERR_GAP);
    log_consumer_destroy(&consumer);
}

static void the_range_is_that_of_what_is_kept(void **state)
{
    struct bench *b = *state;
    int64_t begin, end;
    assert_int_equal(log_range(b->log, "raw", 0, 1000, &begin, &end, &b->err), OK);
    assert_int_equal(end, 0);
    write_texts(b, (const char *const[]){"a", "b"}, 2);
    assert_int_equal(log_range(b->log, "raw", 0, 1000, &begin, &end, &b->err), OK);
    assert_int_equal(begin, 0);
    assert_int_equal(end, 2);
    assert_int_equal(log_range(b->log, "raw", 2, 1000, &begin, &end, &b->err), ERR_MISSING);
    assert_int_equal(log_range(b->log, "none", 0, 1000, &begin, &end, &b->err), ERR_MISSING);
}

static void another_number_of_partitions_is_refused(void **state)
{
    struct bench *b = *state;
    struct log_topic_spec same = {.topic = "raw", .partitions = 2, .retention_ms = -1};
    struct log_topic_spec more = {.topic = "raw", .partitions = 3, .retention_ms = -1};
    struct log_topic_spec none = {.topic = "none", .partitions = 2, .retention_ms = -1};
    assert_int_equal(log_topic_ensure(b->log, &same, &b->err), OK);
    assert_int_equal(log_topic_check(b->log, &more, &b->err), ERR_CONFIG);
    assert_int_equal(log_topic_check(b->log, &none, &b->err), ERR_MISSING);
}

static void names_that_could_leave_the_folder_are_refused(void **state)
{
    struct bench *b = *state;
    const char *const names[] = {"", ".", "..", "a/b", "a b", "\xe4\xb8\xad"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct log_topic_spec spec = {.topic = names[i], .partitions = 1, .retention_ms = -1};
        assert_int_equal(log_topic_ensure(b->log, &spec, &b->err), ERR_CONFIG);
    }
}

static void a_value_beyond_the_limit_is_refused_and_the_largest_passes(void **state)
{
    struct bench *b = *state;
    char *big = calloc(1, LOG_VALUE_BYTES_MAX + 1);
    struct log_producer *producer;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    struct slice none = {0};
    assert_int_equal(log_append(producer, "raw", 0, none, slice_make(big, LOG_VALUE_BYTES_MAX + 1), none, &b->err),
                     ERR_BAD_INPUT);
    assert_int_equal(log_append(producer, "raw", 0, none, slice_make(big, LOG_VALUE_BYTES_MAX), none, &b->err), OK);
    assert_int_equal(log_append(producer, "raw", 0, none, SLICE("small"), none, &b->err), OK);
    assert_int_equal(log_producer_flush(producer, 1000, &b->err), OK);
    struct log_consumer *consumer = reader_at(b, 0, 0);
    struct log_record r[2];
    size_t got, all = 0;
    do {
        assert_int_equal(log_poll(consumer, 0, r, 2, &got, &b->err), OK);
        all += got;
    } while (got);
    assert_int_equal(all, 2);
    log_consumer_destroy(&consumer);
    log_producer_destroy(&producer);
    free(big);
}

struct append_job {
    struct bench *bench;
    char text[2];
};

static void *append_later(void *context)
{
    struct append_job *job = context;
    write_texts(job->bench, (const char *const[]){job->text}, 1);
    return NULL;
}

static void a_waiting_reader_is_woken_by_an_append(void **state)
{
    struct bench *b = *state;
    struct log_consumer *consumer = reader_at(b, 0, 0);
    struct log_record r[1];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 1, &got, &b->err), OK);
    assert_int_equal(got, 0);
    struct append_job job = {b, "x"};
    pthread_t thread;
    pthread_create(&thread, NULL, append_later, &job);
    /* Would end the test by its timeout, were the reader not woken. */
    while (got == 0) {
        log_wait(consumer, 600000);
        assert_int_equal(log_poll(consumer, 0, r, 1, &got, &b->err), OK);
    }
    assert_true(slice_is(r[0].value, "x"));
    pthread_join(thread, NULL);
    log_consumer_destroy(&consumer);
}

/* --- faults of the memory log --- */

static size_t count_of(struct bench *b)
{
    int64_t begin, end;
    assert_int_equal(log_range(b->log, "raw", 0, 0, &begin, &end, &b->err), OK);
    return (size_t)end;
}

static void a_lost_append_is_reported_and_never_there(void **state)
{
    struct bench *b = *state;
    struct log_producer *producer;
    struct log_progress progress;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    log_memory_fault(b->log, LOG_FAULT_LOST, 1, 0);
    assert_int_equal(log_append(producer, "raw", 0, SLICE("k"), SLICE("a"), SLICE(""), &b->err), OK);
    assert_int_equal(log_append(producer, "raw", 0, SLICE("k"), SLICE("b"), SLICE(""), &b->err), OK);
    log_producer_poll(producer, 0, &progress);
    assert_int_equal(progress.failed, 1);
    assert_int_equal(progress.acked, 1);
    assert_int_equal(count_of(b), 1);
    assert_int_equal(log_producer_flush(producer, 0, &b->err), ERR_UNAVAILABLE);
    log_producer_destroy(&producer);
}

static void a_late_append_lands_behind_appends_of_others(void **state)
{
    struct bench *b = *state;
    struct log_producer *zombie, *other;
    assert_int_equal(log_producer_open(b->log, &zombie, &b->err), OK);
    assert_int_equal(log_producer_open(b->log, &other, &b->err), OK);
    log_memory_fault(b->log, LOG_FAULT_LATE, 1, 2);
    assert_int_equal(log_append(zombie, "raw", 0, SLICE("k"), SLICE("late"), SLICE(""), &b->err), OK);
    assert_int_equal(log_append(zombie, "raw", 0, SLICE("k"), SLICE("own"), SLICE(""), &b->err), OK);
    assert_int_equal(log_append(other, "raw", 0, SLICE("k"), SLICE("x"), SLICE(""), &b->err), OK);
    assert_int_equal(count_of(b), 2);
    assert_int_equal(log_append(other, "raw", 0, SLICE("k"), SLICE("y"), SLICE(""), &b->err), OK);
    assert_int_equal(count_of(b), 4);
    struct log_consumer *consumer = reader_at(b, 0, 3);
    struct log_record r[1];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 1, &got, &b->err), OK);
    assert_true(slice_is(r[0].value, "late"));
    log_consumer_destroy(&consumer);
    log_producer_destroy(&zombie);
    log_producer_destroy(&other);
}

static void an_unknown_append_is_there_though_reported_failed(void **state)
{
    struct bench *b = *state;
    struct log_producer *producer;
    struct log_progress progress;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    log_memory_fault(b->log, LOG_FAULT_UNKNOWN, 1, 0);
    assert_int_equal(log_append(producer, "raw", 0, SLICE("k"), SLICE("a"), SLICE(""), &b->err), OK);
    log_producer_poll(producer, 0, &progress);
    assert_int_equal(progress.failed, 1);
    assert_int_equal(count_of(b), 1);
    log_producer_destroy(&producer);
}

static void what_is_cut_off_at_the_front_is_a_gap(void **state)
{
    struct bench *b = *state;
    write_texts(b, (const char *const[]){"a", "b", "c"}, 3);
    log_memory_truncate_front(b->log, "raw", 0, 2);
    struct log_consumer *consumer = reader_at(b, 0, 1);
    struct log_record r[1];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 1, &got, &b->err), ERR_GAP);
    log_consumer_destroy(&consumer);
}

/* --- partition of a key: values of Kafka's own UtilsTest --- */

static void keys_go_where_java_clients_send_them(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t positive = (uint32_t)known[i].hash & 0x7fffffff;
        assert_int_equal(log_partition_of_key(slice_of(known[i].key), 0x7fffffff), positive % 0x7fffffff);
        assert_int_equal(log_partition_of_key(slice_of(known[i].key), 12), positive % 12);
    }
}

#define ON_BOTH(test)                                                                                                  \
    {#test " (memory)", test, memory_setup, teardown, NULL}, { #test " (file)", test, file_setup, teardown, NULL }
#define ON_MEMORY(test)                                                                                                \
    {                                                                                                                  \
#test, test, memory_setup, teardown, NULL                                                                      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(records_come_back_in_order_with_their_parts),
        ON_BOTH(a_reader_starts_in_the_middle_and_takes_at_most_max),
        ON_BOTH(append_times_never_go_back),
        ON_BOTH(the_end_is_known_with_the_time_it_was_asked_at),
        ON_BOTH(a_position_beyond_the_end_is_a_gap),
        ON_BOTH(the_range_is_that_of_what_is_kept),
        ON_BOTH(another_number_of_partitions_is_refused),
        ON_BOTH(names_that_could_leave_the_folder_are_refused),
        ON_BOTH(a_value_beyond_the_limit_is_refused_and_the_largest_passes),
        ON_BOTH(a_waiting_reader_is_woken_by_an_append),
        ON_MEMORY(a_lost_append_is_reported_and_never_there),
        ON_MEMORY(a_late_append_lands_behind_appends_of_others),
        ON_MEMORY(an_unknown_append_is_there_though_reported_failed),
        ON_MEMORY(what_is_cut_off_at_the_front_is_a_gap),
        cmocka_unit_test(keys_go_where_java_clients_send_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
