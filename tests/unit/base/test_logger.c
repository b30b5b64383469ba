/* test_logger.c -- logger.h: lines that machines can read, limits, secrets, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/logger.h"

static char path[] = "/tmp/paceline_logger_XXXXXX";
static int fd = -1;
static struct clock_manual manual;
static struct buf text;

static int open_log(enum logger_format format, enum logger_level level)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    fd = mkstemp(path);
    clock_manual_init(&manual, 1772352000000);
    logger_init(&(struct logger_options){
        .service = "test", .level = level, .format = format, .fd = fd, .clock = &manual.clock});
    return fd < 0 ? -1 : 0;
}
static int json_log(void **state)
{
    (void)state;
    return open_log(LOGGER_JSON, LOGGER_INFO);
}
static int human_log(void **state)
{
    (void)state;
    return open_log(LOGGER_HUMAN, LOGGER_DEBUG);
}
static int close_log(void **state)
{
    (void)state;
    logger_init(&(struct logger_options){.level = LOGGER_INFO});
    buf_close(&text);
    close(fd);
    return unlink(path);
}

/* All that was written so far. */
static const char *written(void)
{
    buf_clear(&text);
    char part[4096];
    off_t at = 0;
    for (ssize_t n; (n = pread(fd, part, sizeof part, at)) > 0; at += n)
        buf_add(&text, part, (size_t)n);
    return buf_cstr(&text);
}

static size_t line_count(void)
{
    size_t n = 0;
    for (const char *p = written(); *p; p++)
        n += *p == '\n';
    return n;
}

static void a_line_is_one_json_object_with_fields_in_order(void **state)
{
    (void)state;
    struct err err = {ERR_LATER, "lease held"};
    LOGGER_WARN("view is behind", LF_TEXT("tenant", "acme"), LF_INT("seq", -7), LF_UINT("big", UINT64_MAX),
                LF_BOOL("hot", true), LF_SLICE("part", slice_make("abcdef", 3)), LF_ERR(&err), LF_TEXT("none", NULL));
    assert_string_equal(
        written(),
        "{\"ts\":\"2026-03-01T08:00:00.000Z\",\"level\":\"warn\",\"svc\":\"test\",\"msg\":\"view is behind\","
        "\"tenant\":\"acme\",\"seq\":-7,\"big\":18446744073709551615,\"hot\":true,\"part\":\"abc\","
        "\"err\":\"lease held\",\"none\":\"\"}\n");
}

static void hostile_values_leave_a_line_a_line(void **state)
{
    (void)state;
    LOGGER_INFO("a\"b\nc", LF_TEXT("v", "\xff\x01\\ 中\n{\"level\":\"error\"}"));
    assert_int_equal(line_count(), 1);
    json_t *line = json_loads(written(), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(line, "msg")), "a\"b\nc");
    assert_string_equal(json_string_value(json_object_get(line, "v")), "\xef\xbf\xbd\x01\\ 中\n{\"level\":\"error\"}");
    json_decref(line);
}

static void lines_below_the_level_are_dropped(void **state)
{
    (void)state;
    LOGGER_DEBUG("no");
    LOGGER_INFO("yes");
    logger_level_set(LOGGER_ERROR);
    LOGGER_WARN("no");
    LOGGER_ERROR("yes");
    assert_int_equal(line_count(), 2);
    enum logger_level level;
    assert_true(logger_level_parse(SLICE("warn"), &level));
    assert_int_equal(level, LOGGER_WARN);
    assert_false(logger_level_parse(SLICE("WARN"), &level));
}

static void one_site(void) { LOGGER_ERROR("again and again"); }

static void a_site_is_held_back_and_says_how_often(void **state)
{
    (void)state;
    for (int i = 0; i < LOGGER_SITE_LINES_MAX + 5; i++)
        one_site();
    assert_int_equal(line_count(), LOGGER_SITE_LINES_MAX);
    LOGGER_ERROR("another site still writes");
    assert_int_equal(line_count(), LOGGER_SITE_LINES_MAX + 1);
    clock_manual_advance(&manual, LOGGER_SITE_WINDOW_MS);
    one_site();
    assert_int_equal(line_count(), LOGGER_SITE_LINES_MAX + 2);
    assert_non_null(strstr(written(), "\"msg\":\"again and again\",\"suppressed\":5}\n"));
}

static void secrets_never_appear(void **state)
{
    (void)state;
    assert_false(logger_secret_add(SLICE("abc")));
    assert_true(logger_secret_add(SLICE("hunter22")));
    assert_true(logger_secret_add(SLICE("hunter22long")));
    LOGGER_INFO("with hunter22long and hunter22", LF_TEXT("url", "redis://:hunter22@host"));
    assert_null(strstr(written(), "hunter22"));
    assert_non_null(strstr(written(), "\"msg\":\"with *** and ***\",\"url\":\"redis://:***@host\""));
}

static void a_line_has_a_bound_and_stays_json(void **state)
{
    (void)state;
    static char long_text[2 * LOGGER_LINE_BYTES_MAX];
    memset(long_text, 'x', sizeof long_text - 1);
    LOGGER_INFO("short", LF_TEXT("long", long_text), LF_INT("after", 1));
    assert_true(strlen(written()) <= LOGGER_LINE_BYTES_MAX);
    assert_string_equal(written(), "{\"ts\":\"2026-03-01T08:00:00.000Z\",\"level\":\"info\",\"svc\":\"test\",\"msg\":"
                                   "\"short\",\"after\":1,\"cut\":true}\n");
}

static void the_human_form_is_one_line_too(void **state)
{
    (void)state;
    LOGGER_ERROR("two\nlines", LF_TEXT("k", "a\nb"), LF_INT("n", 3));
    assert_string_equal(written(), "08:00:00.000 \033[31mERROR\033[0m test: two lines k=\"a\\nb\" n=3\n");
}

static void a_file_gets_json_when_nothing_is_asked_for(void **state)
{
    (void)state;
    logger_init(&(struct logger_options){.level = LOGGER_INFO, .fd = fd, .clock = &manual.clock});
    LOGGER_INFO("x");
    assert_string_equal(
        written(), "{\"ts\":\"2026-03-01T08:00:00.000Z\",\"level\":\"info\",\"svc\":\"paceline\",\"msg\":\"x\"}\n");
}

static void colour_can_be_switched_off(void **state)
{
    (void)state;
    setenv("NO_COLOR", "1", 1);
    logger_init(&(struct logger_options){
        .service = "test", .level = LOGGER_INFO, .format = LOGGER_HUMAN, .fd = fd, .clock = &manual.clock});
    unsetenv("NO_COLOR");
    LOGGER_WARN("plain", LF_INT("n", 3));
    assert_string_equal(written(), "08:00:00.000 WARN  test: plain n=3\n");
}

static void *write_many(void *arg)
{
    logger_service_set(arg);
    for (int i = 0; i < 500; i++) {
        LOGGER_INFO("thread", LF_INT("i", i), LF_TEXT("pad", "0123456789012345678901234567890123456789"));
    }
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t threads[3];
    static char names[3][8] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    size_t lines = line_count();
    assert_true(lines >= LOGGER_SITE_LINES_MAX);
    char *rest = (char *)text.p;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        const char *service = json_string_value(json_object_get(object, "svc"));
        assert_true(strcmp(service, "one") == 0 || strcmp(service, "two") == 0 || strcmp(service, "three") == 0);
        json_decref(object);
    }
}

static void late_one_site(void) { LOGGER_INFO("late"); }

static void the_window_of_a_site_begins_with_its_first_line(void **state)
{
    (void)state;
    clock_manual_advance(&manual, 123456789);
    for (int i = 0; i < LOGGER_SITE_LINES_MAX; i++)
        late_one_site();
    clock_manual_advance(&manual, LOGGER_SITE_WINDOW_MS - 1);
    late_one_site();
    assert_int_equal(line_count(), LOGGER_SITE_LINES_MAX);
    clock_manual_advance(&manual, 1);
    late_one_site();
    assert_int_equal(line_count(), LOGGER_SITE_LINES_MAX + 1);
}

static void a_thread_may_have_a_service_of_its_own(void **state)
{
    (void)state;
    char name[100];
    memset(name, 's', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    logger_service_set(name);
    LOGGER_INFO("x");
    logger_service_set(NULL);
    LOGGER_INFO("y");
    char expected[128];
    (void)snprintf(expected, sizeof expected, "\"svc\":\"%.63s\",\"msg\":\"x\"}\n", name);
    assert_non_null(strstr(written(), expected));
    assert_non_null(strstr(written(), "\"svc\":\"test\",\"msg\":\"y\"}\n"));
}

/* Last: secrets stay for the life of the process. */
static void there_is_room_for_a_bounded_number_of_secrets(void **state)
{
    (void)state;
    char secret[32];
    int added = 0;
    for (int i = 0; i < LOGGER_SECRETS_MAX; i++) {
        (void)snprintf(secret, sizeof secret, "secret-%02d", i);
        added += logger_secret_add(slice_of(secret));
        added -= 1 - logger_secret_add(SLICE("hunter22")); /* known: takes no room */
    }
    assert_int_equal(added, LOGGER_SECRETS_MAX - 2); /* two were there */
    assert_false(logger_secret_add(SLICE("one more")));
    LOGGER_INFO("hunter22 secret-00 secret-29");
    assert_non_null(strstr(written(), "\"msg\":\"*** *** ***\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_one_json_object_with_fields_in_order, json_log, close_log),
        cmocka_unit_test_setup_teardown(hostile_values_leave_a_line_a_line, json_log, close_log),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_dropped, json_log, close_log),
        cmocka_unit_test_setup_teardown(a_site_is_held_back_and_says_how_often, json_log, close_log),
        cmocka_unit_test_setup_teardown(a_line_has_a_bound_and_stays_json, json_log, close_log),
        cmocka_unit_test_setup_teardown(a_file_gets_json_when_nothing_is_asked_for, human_log, close_log),
        cmocka_unit_test_setup_teardown(colour_can_be_switched_off, human_log, close_log),
        cmocka_unit_test_setup_teardown(the_human_form_is_one_line_too, human_log, close_log),
        cmocka_unit_test_setup_teardown(lines_of_threads_do_not_mix, json_log, close_log),
        cmocka_unit_test_setup_teardown(the_window_of_a_site_begins_with_its_first_line, json_log, close_log),
        cmocka_unit_test_setup_teardown(a_thread_may_have_a_service_of_its_own, json_log, close_log),
        cmocka_unit_test_setup_teardown(secrets_never_appear, json_log, close_log),
        cmocka_unit_test_setup_teardown(there_is_room_for_a_bounded_number_of_secrets, json_log, close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
