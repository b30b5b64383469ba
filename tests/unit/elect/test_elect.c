/* test_elect.c -- election by lock files, and the one that everybody wins. */
#define _GNU_SOURCE /* nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elect/elect.h"

static char folder[64];
static struct err err;

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paceline-elect-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static struct elect *locker(const char *service, uint32_t shards)
{
    struct elect *elect;
    assert_int_equal(elect_lock_open(folder, service, shards, &elect, &err), OK);
    return elect;
}

static void everybody_always_wins_that_one(void **state)
{
    (void)state;
    struct elect *elect;
    assert_int_equal(elect_always_open(3, &elect, &err), OK);
    assert_int_equal(elect_poll(elect, 0, &err), OK);
    assert_true(elect_owns(elect, 0) && elect_owns(elect, 2));
    assert_false(elect_owns(elect, 3));
    elect_destroy(&elect);
    assert_null(elect);
}

static void impossible_numbers_of_shards_are_refused(void **state)
{
    (void)state;
    struct elect *elect;
    assert_int_equal(elect_always_open(0, &elect, &err), ERR_CONFIG);
    assert_int_equal(elect_lock_open(folder, "funnel", ELECT_SHARDS_MAX + 1, &elect, &err), ERR_CONFIG);
    assert_null(elect);
}

static void a_shard_has_one_owner_who_hands_it_on(void **state)
{
    (void)state;
    struct elect *first = locker("funnel", 2), *second = locker("funnel", 2);
    assert_true(elect_owns(first, 0) && elect_owns(first, 1));
    assert_int_equal(elect_poll(second, 0, &err), OK);
    assert_false(elect_owns(second, 0) || elect_owns(second, 1));
    elect_destroy(&first);
    assert_int_equal(elect_poll(second, 0, &err), OK);
    assert_true(elect_owns(second, 0) && elect_owns(second, 1));
    elect_destroy(&second);
}

static void services_do_not_stand_in_each_others_way(void **state)
{
    (void)state;
    struct elect *funnel = locker("funnel", 1), *variance = locker("variance", 1);
    assert_true(elect_owns(funnel, 0) && elect_owns(variance, 0));
    elect_destroy(&funnel);
    elect_destroy(&variance);
}

static void the_shards_of_a_killed_process_are_free(void **state)
{
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct elect *elect;
        char ok = elect_lock_open(folder, "funnel", 1, &elect, &err) == OK && elect_owns(elect, 0);
        (void)!write(ready[1], &ok, 1);
        for (;;)
            pause();
    }
    char ok = 0;
    assert_int_equal(read(ready[0], &ok, 1), 1);
    assert_true(ok);
    struct elect *elect = locker("funnel", 1);
    assert_false(elect_owns(elect, 0));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(elect_poll(elect, 0, &err), OK);
    assert_true(elect_owns(elect, 0));
    elect_destroy(&elect);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_always_wins_that_one, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_numbers_of_shards_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shard_has_one_owner_who_hands_it_on, setup, teardown),
        cmocka_unit_test_setup_teardown(services_do_not_stand_in_each_others_way, setup, teardown),
        cmocka_unit_test_setup_teardown(the_shards_of_a_killed_process_are_free, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
