/* Settings: who wins, what is filled in, what is refused. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/wiring.h"

static char folder[] = "/tmp/paceline-settings-XXXXXX";
static char file[64];

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int clean(void **state)
{
    (void)state;
    unsetenv("PACELINE_HTTP");
    unsetenv("PACELINE_KAFKA");
    unlink(file);
    return 0;
}

static enum err_code load(struct settings *settings, const char *const *flags, struct err *err)
{
    const char *pairs[16] = {"dir", folder};
    size_t n = 2;
    for (; flags && *flags; flags++)
        pairs[n++] = *flags;
    return settings_load(settings, NULL, pairs, err);
}

static void embedded_defaults_depend_on_the_dir(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    assert_int_equal(load(&settings, NULL, &err), OK);
    char store[80];
    snprintf(store, sizeof store, "%s/store", folder);
    assert_string_equal(settings.store, store);
    assert_int_equal(settings.shards, 1);
    assert_true(settings.instance[0] != '\0');
}

static void kafka_has_twelve_shards_and_no_dir(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    const char *const flags[] = {"kafka", "localhost:9092", NULL};
    assert_int_equal(settings_load(&settings, NULL, flags, &err), OK);
    assert_int_equal(settings.shards, 12);
    assert_string_equal(settings.dir, "");
}

static void flags_win_over_environment_over_file(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    write_file("http: \"1\"\nshards: 3\n");
    assert_int_equal(load(&settings, NULL, &err), OK);
    assert_string_equal(settings.http, "1");
    assert_int_equal(settings.shards, 3);
    setenv("PACELINE_HTTP", "2", 1);
    assert_int_equal(load(&settings, NULL, &err), OK);
    assert_string_equal(settings.http, "2");
    assert_int_equal(load(&settings, (const char *const[]){"http", "3", NULL}, &err), OK);
    assert_string_equal(settings.http, "3");
}

static void a_wrong_word_and_an_unknown_key_are_refused_by_name(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    write_file("log_level: loud\n");
    assert_int_equal(load(&settings, NULL, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "log_level"));
    write_file("shardz: 3\n");
    assert_int_equal(load(&settings, NULL, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "shardz"));
}

static void moving_to_another_dir_keeps_flags_and_reads_its_file(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    write_file("snapshot_records: 77\n");
    const char *const flags[] = {"http", "9", NULL};
    assert_int_equal(settings_load(&settings, NULL, flags, &err), OK);
    assert_int_equal(settings_move(&settings, folder, &err), OK);
    assert_string_equal(settings.http, "9");
    assert_string_equal(settings.dir, folder);
    assert_int_equal(settings.snapshot_records, 77);
}

static void printed_settings_hide_the_kafka_options(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    struct buf text = {0};
    const char *const flags[] = {"kafka-options", "sasl.password=hunter22", NULL};
    assert_int_equal(load(&settings, flags, &err), OK);
    settings_print(&settings, &text);
    assert_null(strstr(buf_cstr(&text), "hunter22"));
    buf_close(&text);
}

static void a_dir_whose_socket_would_be_too_long_is_refused_before_anything_starts(void **state)
{
    (void)state;
    struct settings settings;
    struct err err;
    char dir[200], address[600];
    memset(dir, 'a', sizeof dir);
    dir[sizeof dir - 1] = '\0';
    const char *const flags[] = {"dir", dir, NULL};
    assert_int_equal(settings_load(&settings, NULL, flags, &err), OK);
    assert_int_equal(wiring_view_address(&settings, address, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "107"));
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    snprintf(file, sizeof file, "%s/paceline.yaml", folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(embedded_defaults_depend_on_the_dir, clean),
        cmocka_unit_test_teardown(kafka_has_twelve_shards_and_no_dir, clean),
        cmocka_unit_test_teardown(flags_win_over_environment_over_file, clean),
        cmocka_unit_test_teardown(a_wrong_word_and_an_unknown_key_are_refused_by_name, clean),
        cmocka_unit_test_teardown(moving_to_another_dir_keeps_flags_and_reads_its_file, clean),
        cmocka_unit_test_teardown(printed_settings_hide_the_kafka_options, clean),
        cmocka_unit_test_teardown(a_dir_whose_socket_would_be_too_long_is_refused_before_anything_starts, clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
