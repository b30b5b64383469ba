/* test_fault.c -- fault.h: a named point kills at its N-th hit and every hit is counted. Each case runs in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

enum { THREADS = 4, HITS_PER_THREAD = 1000 };

static void *hit_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < HITS_PER_THREAD; i++)
        FAULT_POINT("test.threads");
    return NULL;
}

static void work_alone(void)
{
    for (int i = 0; i < 3; i++)
        FAULT_POINT("test.first");
    FAULT_POINT("test.second");
}

static void work_in_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, hit_many, NULL) != 0)
            exit(1);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

/* Exit code of a child that runs `work` under these settings. */
static int run_child(const char *fault, const char *count_file, void (*work)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (fault)
            setenv("PACELINE_FAULT", fault, 1);
        if (count_file)
            setenv("PACELINE_FAULT_COUNT", count_file, 1);
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        fault_init();
        work();
        exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static char count_path[] = "/tmp/paceline_fault_XXXXXX";

static int make_file(void **state)
{
    (void)state;
    strcpy(count_path + strlen(count_path) - 6, "XXXXXX");
    int fd = mkstemp(count_path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(count_path);
}

static void assert_counts(const char *expected)
{
    char text[512] = {0};
    FILE *file = fopen(count_path, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(n, strlen(expected));
    assert_string_equal(text, expected);
}

static void the_process_ends_at_the_hit_that_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(run_child("test.first:3", NULL, work_alone), FAULT_EXIT_CODE);
    assert_int_equal(run_child("test.first:4", NULL, work_alone), 0);
    assert_int_equal(run_child("test.other:1", NULL, work_alone), 0);
}

static void without_a_setting_no_point_is_armed(void **state)
{
    (void)state;
    assert_int_equal(run_child(NULL, NULL, work_alone), 0);
    assert_false(fault_armed);
}

static void counts_are_written_at_the_end_and_appended(void **state)
{
    (void)state;
    assert_int_equal(run_child(NULL, count_path, work_alone), 0);
    assert_counts("test.first 3\ntest.second 1\n");
    assert_int_equal(run_child(NULL, count_path, work_alone), 0);
    assert_counts("test.first 3\ntest.second 1\ntest.first 3\ntest.second 1\n");
}

static void counts_are_written_when_the_fault_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(run_child("test.first:2", count_path, work_alone), FAULT_EXIT_CODE);
    assert_counts("test.first 2\n");
}

static void threads_lose_no_hit(void **state)
{
    (void)state;
    assert_int_equal(run_child(NULL, count_path, work_in_threads), 0);
    assert_counts("test.threads 4000\n");
    assert_int_equal(run_child("test.threads:4000", NULL, work_in_threads), FAULT_EXIT_CODE);
}

static void a_setting_that_is_not_understood_stops_the_process(void **state)
{
    (void)state;
    static const char *const wrong[] = {"test.first", "test.first:",   "test.first:0",
                                        ":1",         "test.first:1x", "test.first:-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(run_child(wrong[i], NULL, work_alone), 78);
}

int main(void)
{
    unsetenv("PACELINE_FAULT");
    unsetenv("PACELINE_FAULT_COUNT");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_ends_at_the_hit_that_was_asked_for),
        cmocka_unit_test(without_a_setting_no_point_is_armed),
        cmocka_unit_test_setup_teardown(counts_are_written_at_the_end_and_appended, make_file, remove_file),
        cmocka_unit_test_setup_teardown(counts_are_written_when_the_fault_ends_the_process, make_file, remove_file),
        cmocka_unit_test_setup_teardown(threads_lose_no_hit, make_file, remove_file),
        cmocka_unit_test(a_setting_that_is_not_understood_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
