/* test_conf.c -- conf.h: precedence, all errors at once, secrets, what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/logger.h"

struct target {
    char kafka[32];
    char topic_prefix[16];
    char password[32];
    int64_t shards;
    int64_t wait_ms;
    int64_t cache_bytes;
    bool sync;
};
static const struct conf_key keys[] = {
    {"kafka", CONF_TEXT, CONF_FIELD(struct target, kafka), "", 0, 0, "bootstrap servers", "引导服务器"},
    {"topic_prefix", CONF_TEXT, CONF_FIELD(struct target, topic_prefix), "pl.", 0, 8, "put before topic names", NULL},
    {"shards", CONF_INT, CONF_FIELD(struct target, shards), "12", 1, 1000, "partitions", "分区数"},
    {"wait", CONF_DURATION, CONF_FIELD(struct target, wait_ms), "30s", 1, 3600000, "how long to wait", NULL},
    {"cache", CONF_SIZE, CONF_FIELD(struct target, cache_bytes), "64MiB", 0, 1 << 30, "memory", NULL},
    {"sync", CONF_BOOL, CONF_FIELD(struct target, sync), "true", 0, 0, "fsync", NULL},
    {"redis.password", CONF_SECRET, CONF_FIELD(struct target, password), "", 0, 0, "of Redis", NULL},
    {NULL, CONF_TEXT, 0, 0, NULL, 0, 0, NULL, NULL},
};

struct fixture {
    struct target target;
    struct conf conf;
    struct findings findings;
    char file[64], secret[64];
};

static void write_file(char path[64], const char *name, const char *text)
{
    (void)snprintf(path, 64, "/tmp/paceline_%s_XXXXXX", name);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    conf_init(&f.conf, keys, "PLTEST", &f.target);
    findings_init(&f.findings);
    *state = &f;
    return 0;
}
static int tear_down(void **state)
{
    static const char *const names[] = {
        "PLTEST_KAFKA",     "PLTEST_SHARDS", "PLTEST_WAIT", "PLTEST_REDIS__PASSWORD", "PLTEST_REDIS__PASSWORD_FILE",
        "PLTEST_UNHEARD_OF"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    if (*f->file)
        unlink(f->file);
    if (*f->secret)
        unlink(f->secret);
    findings_close(&f->findings);
    return 0;
}

static void assert_findings(struct fixture *f, const char *expected)
{
    struct buf out = {0};
    findings_write(&f->findings, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

static void defaults_fill_the_target(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(f->target.kafka, "");
    assert_string_equal(f->target.topic_prefix, "pl.");
    assert_int_equal(f->target.shards, 12);
    assert_int_equal(f->target.wait_ms, 30000);
    assert_int_equal(f->target.cache_bytes, 64 << 20);
    assert_true(f->target.sync);
}

static void file_then_environment_then_flags(void **state)
{
    struct fixture *f = *state;
    write_file(f->file, "conf", "kafka: from-file\nshards: 3\nwait: 1.5m\nsync: false\ntopic_prefix: \"\"\n");
    setenv("PLTEST_KAFKA", "from-environment", 1);
    setenv("PLTEST_SHARDS", "4", 1);
    setenv("PLTEST_UNHEARD_OF", "is no error", 1);
    static const char *const flags[] = {"kafka", "from-flag", "topic-prefix", "x.", NULL};
    conf_read_file(&f->conf, f->file, true, &f->findings);
    conf_read_environment(&f->conf, &f->findings);
    conf_read_flags(&f->conf, flags, &f->findings);
    assert_findings(f, "");
    assert_string_equal(f->target.kafka, "from-flag");
    assert_int_equal(f->target.shards, 4);
    assert_int_equal(f->target.wait_ms, 90000);
    assert_false(f->target.sync);
    assert_string_equal(f->target.topic_prefix, "x.");
}

static void all_errors_are_told_at_once_and_wrong_values_change_nothing(void **state)
{
    struct fixture *f = *state;
    write_file(f->file, "conf",
               "kafak: x\nshards: 2000\nwait: soon\ncache: 5 MB\nsync: yes\ntopic_prefix: far.too.long.\nredis:\n  "
               "pasword: y\n  password: [1]\n");
    setenv("PLTEST_SHARDS", "many", 1);
    static const char *const flags[] = {"wiat", "1s", "wait", "2h", NULL};
    conf_read_file(&f->conf, f->file, true, &f->findings);
    for (size_t i = 0; i < f->findings.count; i++)
        strcpy(f->findings.list[i].file, "f"); /* the name of the temporary file differs each time */
    conf_read_environment(&f->conf, &f->findings);
    conf_read_flags(&f->conf, flags, &f->findings);
    assert_findings(f, "bad_type: PLTEST_SHARDS: a whole number is expected, not \"many\"\n"
                       "unknown_key: --wiat: unknown setting; did you mean \"--wait\"?\n"
                       "bad_value: --wait: a value between 1ms and 1h is expected, not 2h\n"
                       "f:1:1: unknown_key: kafak: unknown setting; did you mean \"kafka\"?\n"
                       "f:2:9: bad_value: shards: a value between 1 and 1000 is expected, not 2000\n"
                       "f:3:7: bad_duration: wait: a duration such as 250ms, 30s or 1.5h is expected, not \"soon\"\n"
                       "f:4:8: bad_type: cache: a size such as 4096, 64KiB or 2GiB is expected, not \"5 MB\"\n"
                       "f:5:7: bad_type: sync: true or false is expected, not \"yes\"\n"
                       "f:6:15: too_long: topic_prefix: at most 8 bytes, it has 13\n"
                       "f:8:3: unknown_key: redis.pasword: unknown setting; did you mean \"redis.password\"?\n"
                       "f:9:13: bad_type: redis.password: a single value is expected\n");
    struct target fresh;
    struct conf conf;
    conf_init(&conf, keys, "PLTEST", &fresh);
    assert_int_equal(f->target.shards, fresh.shards);
    assert_int_equal(f->target.wait_ms, fresh.wait_ms);
    assert_string_equal(f->target.topic_prefix, fresh.topic_prefix);
}

static void a_missing_file_matters_only_if_it_was_asked_for(void **state)
{
    struct fixture *f = *state;
    conf_read_file(&f->conf, "/nonexistent/paceline.yaml", false, &f->findings);
    assert_findings(f, "");
    conf_read_file(&f->conf, "/nonexistent/paceline.yaml", true, &f->findings);
    assert_findings(f, "/nonexistent/paceline.yaml: syntax: cannot be read: No such file or directory\n");
}

static void a_file_of_comments_sets_nothing(void **state)
{
    struct fixture *f = *state;
    struct buf sample = {0};
    conf_sample(keys, "PLTEST", true, &sample);
    write_file(f->file, "conf", buf_cstr(&sample));
    buf_close(&sample);
    conf_read_file(&f->conf, f->file, true, &f->findings);
    assert_findings(f, "");
    assert_int_equal(f->conf.origins[0].source, CONF_FROM_DEFAULT);
}

static void a_secret_comes_from_a_file_and_is_never_printed(void **state)
{
    struct fixture *f = *state;
    write_file(f->secret, "secret", "s3cr3t word\r\n");
    setenv("PLTEST_REDIS__PASSWORD_FILE", f->secret, 1);
    conf_read_environment(&f->conf, &f->findings);
    assert_findings(f, "");
    assert_string_equal(f->target.password, "s3cr3t word");
    struct buf out = {0};
    conf_print(&f->conf, &out);
    assert_null(strstr(buf_cstr(&out), "s3cr3t"));
    assert_non_null(strstr(buf_cstr(&out), "password: \"***\""));
    buf_close(&out);
}

static void a_secret_given_twice_on_one_level_is_an_error(void **state)
{
    struct fixture *f = *state;
    write_file(f->secret, "secret", "one\n");
    setenv("PLTEST_REDIS__PASSWORD_FILE", f->secret, 1);
    setenv("PLTEST_REDIS__PASSWORD", "two", 1);
    conf_read_environment(&f->conf, &f->findings);
    assert_findings(f, "bad_value: PLTEST_REDIS__PASSWORD_FILE: both the secret and its file are given: keep one\n");
}

static void a_secret_file_in_yaml_is_read_and_must_hold_something(void **state)
{
    struct fixture *f = *state;
    char text[128];
    write_file(f->secret, "secret", "word");
    (void)snprintf(text, sizeof text, "redis: {password_file: %s}\n", f->secret);
    write_file(f->file, "conf", text);
    conf_read_file(&f->conf, f->file, true, &f->findings);
    assert_findings(f, "");
    assert_string_equal(f->target.password, "word");
    static const char *const flags[] = {"redis.password-file", "/nonexistent", "kafka-file", "/etc/hostname", NULL};
    conf_read_flags(&f->conf, flags, &f->findings);
    assert_findings(f, "bad_value: --redis.password-file: /nonexistent cannot be read: No such file or directory\n"
                       "unknown_key: --kafka-file: unknown setting\n");
}

static void what_is_printed_says_where_it_came_from(void **state)
{
    struct fixture *f = *state;
    write_file(f->file, "conf", "\nshards: 3\n");
    setenv("PLTEST_WAIT", "90s", 1);
    static const char *const flags[] = {"topic-prefix", "q\"", NULL};
    conf_read_file(&f->conf, f->file, true, &f->findings);
    conf_read_environment(&f->conf, &f->findings);
    conf_read_flags(&f->conf, flags, &f->findings);
    struct buf out = {0};
    char expected[1024];
    (void)snprintf(expected, sizeof expected,
                   "kafka: \"\"                               # default\n"
                   "topic_prefix: \"q\\\"\"                     # flag --topic-prefix\n"
                   "shards: 3                               # %s:2\n"
                   "wait: 1.5m                              # environment PLTEST_WAIT\n"
                   "cache: 64MiB                            # default\n"
                   "sync: true                              # default\n"
                   "redis:\n"
                   "  password: \"\"                          # default\n",
                   f->file);
    conf_print(&f->conf, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

/* What is printed is a file that gives the same settings. */
static void what_is_printed_can_be_read_again(void **state)
{
    struct fixture *f = *state;
    static const char *const flags[] = {"shards", "77",    "wait",  "250ms",           "cache", "1000",
                                        "sync",   "false", "kafka", "a:1,b:2 # \"x\"", NULL};
    conf_read_flags(&f->conf, flags, &f->findings);
    struct buf out = {0};
    conf_print(&f->conf, &out);
    write_file(f->file, "conf", buf_cstr(&out));
    buf_close(&out);
    struct target again;
    struct conf conf;
    conf_init(&conf, keys, "PLTEST", &again);
    conf_read_file(&conf, f->file, true, &f->findings);
    assert_findings(f, "");
    assert_int_equal(again.shards, 77);
    assert_int_equal(again.wait_ms, 250);
    assert_int_equal(again.cache_bytes, 1000);
    assert_false(again.sync);
    assert_string_equal(again.kafka, "a:1,b:2 # \"x\"");
}

/* Without its comment signs the sample is a file of the defaults. */
static void the_sample_is_a_valid_file_of_the_defaults(void **state)
{
    struct fixture *f = *state;
    struct buf sample = {0};
    struct buf text = {0};
    conf_sample(keys, "PLTEST", false, &sample);
    assert_non_null(strstr(buf_cstr(&sample), "# ## bootstrap servers (text, PLTEST_KAFKA)\n# kafka: \"\"\n"));
    char *rest = (char *)sample.p;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        assert_int_equal(strncmp(line, "# ", 2), 0);
        if (!strstr(line, "password_file"))
            buf_addf(&text, "%s\n", line + 2);
        else
            buf_add_text(&text, "  {}\n"); /* no secret file there */
    }
    write_file(f->file, "conf", buf_cstr(&text));
    conf_read_file(&f->conf, f->file, true, &f->findings);
    assert_findings(f, "");
    assert_int_equal(f->target.shards, 12);
    buf_close(&text);
    buf_close(&sample);
}

static void the_reference_speaks_chinese_where_it_can(void **state)
{
    (void)state;
    struct buf out = {0};
    conf_help(keys, "PLTEST", true, &out);
    assert_non_null(strstr(buf_cstr(&out), "分区数"));
    assert_non_null(strstr(buf_cstr(&out), "PLTEST_REDIS__PASSWORD"));
    assert_non_null(strstr(buf_cstr(&out), "how long to wait"));
    buf_close(&out);
}

static void bounds_belong_to_the_allowed_values(void **state)
{
    struct fixture *f = *state;
    static const char *const good[] = {"shards", "1", "shards", "1000", "wait",         "1ms",      "wait", "1h",
                                       "cache",  "0", "cache",  "1GiB", "topic_prefix", "8 bytes.", NULL};
    conf_read_flags(&f->conf, good, &f->findings);
    assert_findings(f, "");
    static const char *const bad[] = {
        "shards",       "0",         "shards", "1001",  "wait",       "0ms",   "wait",
        "3600001ms",    "cache",     "-1",     "cache", "1073741825", "cache", "9223372036854775807KiB",
        "topic_prefix", "nine byte", NULL};
    conf_read_flags(&f->conf, bad, &f->findings);
    assert_int_equal(findings_count(&f->findings), 8);
}

static void texts_may_have_a_least_length_and_no_control_characters(void **state)
{
    struct fixture *f = *state;
    struct {
        char name[8];
        char one[8];
    } target;
    const struct conf_key rows[] = {{"name", CONF_TEXT, 0, sizeof target.name, "", 3, 0, "h", NULL},
                                    {"one", CONF_TEXT, sizeof target.name, sizeof target.one, "", 0, 1, "h", NULL},
                                    {NULL, CONF_TEXT, 0, 0, NULL, 0, 0, NULL, NULL}};
    struct conf conf;
    conf_init(&conf, rows, "PLTEST", &target);
    static const char *const flags[] = {"name", "ab",       "name", "abc", "name", "a\nbc", "name", "ab\xff",
                                        "name", "12345678", "one",  "ab",  "one",  "a",     NULL};
    conf_read_flags(&conf, flags, &f->findings);
    assert_findings(f, "bad_value: --name: at least 3 bytes, it has 2\n"
                       "bad_value: --name: UTF-8 text without control characters is expected\n"
                       "bad_value: --name: UTF-8 text without control characters is expected\n"
                       "too_long: --name: at most 7 bytes, it has 8\n"
                       "too_long: --one: at most 1 bytes, it has 2\n");
    assert_string_equal(target.name, "abc");
    assert_string_equal(target.one, "a");
}

static void the_logger_learns_secrets_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    char path[64];
    write_file(path, "log", "");
    FILE *log = fopen(path, "r+");
    assert_non_null(log);
    logger_init(&(struct logger_options){.level = LOGGER_INFO, .format = LOGGER_JSON, .fd = fileno(log)});
    static const char *const flags[] = {"redis.password", "topsecret", "kafka", "localhost", NULL};
    conf_read_flags(&f->conf, flags, &f->findings);
    LOGGER_INFO("topsecret at localhost");
    logger_init(&(struct logger_options){.level = LOGGER_INFO});
    char line[256] = {0};
    rewind(log); /* the logger wrote through the same descriptor */
    assert_non_null(fgets(line, sizeof line, log));
    fclose(log);
    unlink(path);
    assert_non_null(strstr(line, "\"msg\":\"*** at localhost\""));
}

static void a_file_cannot_give_a_secret_twice_and_an_empty_secret_file_is_an_error(void **state)
{
    struct fixture *f = *state;
    write_file(f->secret, "secret", "\n");
    char text[160];
    (void)snprintf(text, sizeof text, "redis:\n  password: abcd\n  password_file: %s\n", f->secret);
    write_file(f->file, "conf", text);
    conf_read_file(&f->conf, f->file, true, &f->findings);
    for (size_t i = 0; i < f->findings.count; i++)
        strcpy(f->findings.list[i].file, "f");
    assert_findings(f, "f:3:3: bad_value: password_file: both the secret and its file are given: keep one\n"
                       "f:3:18: bad_value: redis.password_file: the file of the secret is empty\n");
    assert_string_equal(f->target.password, "abcd");
}

static void a_secret_of_one_character_is_one(void **state)
{
    struct fixture *f = *state;
    write_file(f->secret, "secret", "x\n");
    const char *const flags[] = {"redis.password-file", f->secret, NULL};
    conf_read_flags(&f->conf, flags, &f->findings);
    assert_findings(f, "");
    assert_string_equal(f->target.password, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_fill_the_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_then_environment_then_flags, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_errors_are_told_at_once_and_wrong_values_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_matters_only_if_it_was_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_comments_sets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secret_comes_from_a_file_and_is_never_printed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secret_given_twice_on_one_level_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secret_file_in_yaml_is_read_and_must_hold_something, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_printed_says_where_it_came_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_printed_can_be_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_sample_is_a_valid_file_of_the_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_reference_speaks_chinese_where_it_can, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_belong_to_the_allowed_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_may_have_a_least_length_and_no_control_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_logger_learns_secrets_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_cannot_give_a_secret_twice_and_an_empty_secret_file_is_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_secret_of_one_character_is_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
