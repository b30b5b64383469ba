/* test_file.c -- the file log under attack: torn tails of every length, a flipped byte at every place, processes that
 * append and die at the same time. */
#define _GNU_SOURCE /* nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "log/file_segment.h"
#include "log/log.h"

enum { FIRST = 3, SECOND = 2, FILE_BYTES_MAX = 4096 };

struct bench {
    char folder[64], segment[128];
    struct log *log;
    struct err err;
};

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    strcpy(b->folder, "/tmp/paceline-file-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->segment, sizeof b->segment, "%s/raw/0/%020d.seg", b->folder, 0);
    assert_int_equal(log_file_open(b->folder, clock_system(), false, &b->log, &b->err), OK);
    struct log_topic_spec raw = {.topic = "raw", .partitions = 1, .retention_ms = -1};
    assert_int_equal(log_topic_ensure(b->log, &raw, &b->err), OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    log_destroy(&b->log);
    nftw(b->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

/* Appends `count` records as one batch with a producer of its own. */
static enum err_code append(struct bench *b, int count, const char *text)
{
    struct log_producer *producer;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    for (int i = 0; i < count; i++)
        assert_int_equal(log_append(producer, "raw", 0, SLICE("k"), slice_of(text), SLICE(""), &b->err), OK);
    enum err_code code = log_producer_flush(producer, 1000, &b->err);
    log_producer_destroy(&producer);
    return code;
}

/* Reads everything; the code of the poll that ended it. */
static enum err_code read_all(struct bench *b, int *count)
{
    struct log_source source = {"raw", 0, 0};
    struct log_consumer *consumer;
    assert_int_equal(log_consumer_open(b->log, NULL, &source, 1, &consumer, &b->err), OK);
    struct log_record r[8];
    size_t got;
    enum err_code code;
    *count = 0;
    do {
        code = log_poll(consumer, 0, r, 8, &got, &b->err);
        *count += (int)got;
    } while (!code && got);
    log_consumer_destroy(&consumer);
    return code;
}

static size_t load(const char *path, uint8_t bytes[FILE_BYTES_MAX])
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, bytes, FILE_BYTES_MAX);
    close(fd);
    assert_true(n > 0 && n < FILE_BYTES_MAX);
    return (size_t)n;
}

static void store(const char *path, const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

/* Sizes of the file behind the header, the first and the second batch. */
static void two_batches(struct bench *b, size_t *first, size_t *second, uint8_t bytes[FILE_BYTES_MAX])
{
    assert_int_equal(append(b, FIRST, "first"), OK);
    *first = load(b->segment, bytes);
    assert_int_equal(append(b, SECOND, "second"), OK);
    *second = load(b->segment, bytes);
}

static void a_tail_torn_at_any_length_is_ignored_and_mended(void **state)
{
    struct bench *b = *state;
    uint8_t bytes[FILE_BYTES_MAX];
    size_t first, second;
    two_batches(b, &first, &second, bytes);
    size_t frame = (second - first) / SECOND;
    for (size_t n = first; n <= second; n++) {
        store(b->segment, bytes, n);
        int whole = FIRST + (int)((n - first) / frame);
        int count;
        assert_int_equal(read_all(b, &count), OK);
        assert_int_equal(count, whole);
        assert_int_equal(append(b, 1, "third"), OK);
        assert_int_equal(read_all(b, &count), OK);
        assert_int_equal(count, whole + 1);
    }
}

static void a_tail_of_zeros_or_noise_is_ignored_and_mended(void **state)
{
    struct bench *b = *state;
    uint8_t bytes[FILE_BYTES_MAX];
    size_t first, second;
    two_batches(b, &first, &second, bytes);
    for (int filling = 0; filling < 256; filling += 85) {
        memset(bytes + second, filling, 300);
        store(b->segment, bytes, second + 300);
        int count;
        assert_int_equal(read_all(b, &count), OK);
        assert_int_equal(count, FIRST + SECOND);
        assert_int_equal(append(b, 1, "third"), OK);
        assert_int_equal(read_all(b, &count), OK);
        assert_int_equal(count, FIRST + SECOND + 1);
    }
}

/* Wrong bytes are never handed out; damage in front of a later batch is said, never skipped and never cut off. */
static void a_flipped_byte_in_front_of_a_later_batch_is_corruption(void **state)
{
    struct bench *b = *state;
    uint8_t bytes[FILE_BYTES_MAX];
    size_t first, second;
    two_batches(b, &first, &second, bytes);
    for (size_t i = 0; i < first; i++) {
        bytes[i] ^= 0x41;
        store(b->segment, bytes, second);
        int count;
        assert_int_equal(read_all(b, &count), ERR_CORRUPT);
        assert_true(count < FIRST);
        assert_int_equal(append(b, 1, "third"), ERR_CORRUPT);
        uint8_t after[FILE_BYTES_MAX];
        assert_int_equal(load(b->segment, after), second);
        assert_memory_equal(after, bytes, second);
        bytes[i] ^= 0x41;
    }
}

static void a_flipped_byte_in_the_last_batch_is_a_torn_tail(void **state)
{
    struct bench *b = *state;
    uint8_t bytes[FILE_BYTES_MAX];
    size_t first, second;
    two_batches(b, &first, &second, bytes);
    for (size_t i = first; i < second; i++) {
        bytes[i] ^= 0x41;
        store(b->segment, bytes, second);
        int count;
        assert_int_equal(read_all(b, &count), OK);
        assert_true(count >= FIRST && count < FIRST + SECOND);
        bytes[i] ^= 0x41;
    }
}

static void a_segment_that_lost_its_end_is_corruption(void **state)
{
    struct bench *b = *state;
    uint8_t bytes[FILE_BYTES_MAX];
    size_t first, second;
    two_batches(b, &first, &second, bytes);
    char folder[128];
    snprintf(folder, sizeof folder, "%s/raw/0", b->folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    assert_int_equal(segment_create(fd, FIRST + SECOND, 1, false, &b->err), OK);
    close(fd);
    int count;
    assert_int_equal(read_all(b, &count), OK);
    assert_int_equal(count, FIRST + SECOND);
    for (size_t n = SEGMENT_HEADER_BYTES; n < second; n++) {
        store(b->segment, bytes, n);
        assert_int_equal(read_all(b, &count), ERR_CORRUPT);
    }
}

static void a_full_segment_is_followed_by_another(void **state)
{
    struct bench *b = *state;
    struct log_producer *producer;
    assert_int_equal(log_producer_open(b->log, &producer, &b->err), OK);
    size_t size = 1024 * 1024;
    char *big = calloc(1, size);
    int total = 3 * SEGMENT_BYTES / (int)size;
    for (int i = 0; i < total; i++)
        assert_int_equal(log_append(producer, "raw", 0, SLICE("k"), slice_make(big, size), SLICE(""), &b->err), OK);
    assert_int_equal(log_producer_flush(producer, 1000, &b->err), OK);
    free(big);
    int count;
    assert_int_equal(read_all(b, &count), OK);
    assert_int_equal(count, total);
    int64_t begin, end;
    assert_int_equal(log_range(b->log, "raw", 0, 0, &begin, &end, &b->err), OK);
    assert_int_equal(end, total);
    struct log_source last = {"raw", 0, total - 1};
    struct log_consumer *consumer;
    assert_int_equal(log_consumer_open(b->log, NULL, &last, 1, &consumer, &b->err), OK);
    struct log_record r[2];
    size_t got;
    assert_int_equal(log_poll(consumer, 0, r, 2, &got, &b->err), OK);
    assert_int_equal(got, 1);
    assert_int_equal(r[0].offset, total - 1);
    log_consumer_destroy(&consumer);
    log_producer_destroy(&producer);
}

static void child_appends(struct bench *b, int child, int count)
{
    struct log_producer *producer;
    if (log_producer_open(b->log, &producer, &b->err))
        _exit(1);
    for (int i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d %d", child, i);
        if (log_append(producer, "raw", 0, SLICE("k"), slice_of(text), SLICE(""), &b->err))
            _exit(2);
        if (i % 7 == 0)
            log_producer_poll(producer, 1000, NULL);
    }
    _exit(log_producer_flush(producer, 60000, &b->err) ? 3 : 0);
}

static void appenders_of_many_processes_lose_and_mix_nothing(void **state)
{
    enum { CHILDREN = 4, EACH = 2000 };
    struct bench *b = *state;
    pid_t children[CHILDREN];
    struct log_source source = {"raw", 0, 0};
    struct log_consumer *consumer;
    assert_int_equal(log_consumer_open(b->log, NULL, &source, 1, &consumer, &b->err), OK);
    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0)
            child_appends(b, i, EACH);
    int next[CHILDREN] = {0};
    int64_t last_ms = 0;
    for (int total = 0; total < CHILDREN * EACH;) { /* tails while they append; ends by the test's timeout */
        struct log_record r[64];
        size_t got;
        assert_int_equal(log_poll(consumer, 0, r, 64, &got, &b->err), OK);
        for (size_t i = 0; i < got; i++, total++) {
            int child = -1, n = -1;
            char text[32];
            snprintf(text, sizeof text, "%.*s", SLICE_ARG(r[i].value));
            assert_int_equal(sscanf(text, "%d %d", &child, &n), 2);
            assert_int_equal(r[i].offset, total);
            assert_int_equal(n, next[child]++);
            assert_true(r[i].append_ms >= last_ms);
            last_ms = r[i].append_ms;
        }
        if (got == 0)
            log_wait(consumer, 100);
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    log_consumer_destroy(&consumer);
}

/* Kills an appender at a named point; the log stays readable, whole, and open for the next one. */
static void killed_at(struct bench *b, const char *point, int least, int most)
{
    pid_t child = fork();
    if (child == 0) {
        char fault[64];
        snprintf(fault, sizeof fault, "%s:1", point);
        setenv("PACELINE_FAULT", fault, 1);
        fault_init();
        append(b, 4, "doomed");
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), FAULT_EXIT_CODE);
    int before, after;
    assert_int_equal(read_all(b, &before), OK);
    assert_in_range(before, least, most);
    assert_int_equal(append(b, 1, "next"), OK);
    assert_int_equal(read_all(b, &after), OK);
    assert_int_equal(after, before + 1);
}

static void an_appender_killed_before_its_write_leaves_nothing(void **state)
{
    killed_at(*state, "log.before_roll", 0, 0);
    killed_at(*state, "log.before_write", 1, 1);
}

static void an_appender_killed_in_its_write_leaves_whole_records(void **state)
{
    killed_at(*state, "log.mid_write", 1, 3);
}
static void an_appender_killed_behind_its_write_leaves_all(void **state)
{
    killed_at(*state, "log.before_sync", 4, 4);
    killed_at(*state, "log.after_sync", 9, 9);
}

static void a_full_disk_fails_the_batch_and_the_next_one_mends_it(void **state)
{
    struct bench *b = *state;
    assert_int_equal(append(b, FIRST, "first"), OK);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {400, 400};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(append(b, 20, "too much") == ERR_LATER ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    int before, after;
    assert_int_equal(read_all(b, &before), OK);
    assert_in_range(before, FIRST, FIRST + 19);
    assert_int_equal(append(b, 1, "next"), OK);
    assert_int_equal(read_all(b, &after), OK);
    assert_int_equal(after, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tail_torn_at_any_length_is_ignored_and_mended, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tail_of_zeros_or_noise_is_ignored_and_mended, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flipped_byte_in_front_of_a_later_batch_is_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flipped_byte_in_the_last_batch_is_a_torn_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(a_segment_that_lost_its_end_is_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_segment_is_followed_by_another, setup, teardown),
        cmocka_unit_test_setup_teardown(appenders_of_many_processes_lose_and_mix_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_appender_killed_before_its_write_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_appender_killed_in_its_write_leaves_whole_records, setup, teardown),
        cmocka_unit_test_setup_teardown(an_appender_killed_behind_its_write_leaves_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_fails_the_batch_and_the_next_one_mends_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
