/* test_command_line.c -- the frame of paceline: a table of two-word commands, options anywhere, help, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/options.h"

/* What the commands of this test's table saw. */
static struct {
    int runs;
    char args[256];
    char window[64];
    int64_t limit;
    bool all, json, zh;
    char dir[512];
} seen;

static int record(struct cli *cli)
{
    seen.runs++;
    seen.args[0] = '\0';
    for (int i = 0; i < cli->arg_count; i++)
        (void)snprintf(seen.args + strlen(seen.args), sizeof seen.args - strlen(seen.args), "[%s]", cli->args[i]);
    const char *window = cli_option(cli, "window");
    (void)snprintf(seen.window, sizeof seen.window, "%s", window ? window : "(none)");
    seen.limit = cli_int(cli, "limit", -1);
    seen.all = cli_flag(cli, "all");
    seen.json = cli->json;
    seen.zh = cli->zh;
    (void)snprintf(seen.dir, sizeof seen.dir, "%s", cli->settings.dir);
    return 0;
}

static int refuse(struct cli *cli) { return cli_fail(cli, ERR_LATER, "lease of %s is held", "shard 0"); }

static const struct option_spec show_options[] = {{"window", OPTION_TEXT, "NAME", "which window", "哪个窗口"},
                                                  {"limit", OPTION_INT, "N", "at most N rows", NULL},
                                                  {"all", OPTION_FLAG, NULL, "every row", NULL},
                                                  {NULL, OPTION_FLAG, NULL, NULL, NULL}};
static const struct command show_funnel = {.name = "show funnel",
                                           .args_help = "[ORG...]",
                                           .summary = "figures of the funnel",
                                           .summary_zh = "漏斗指标",
                                           .details = "Prints rows.",
                                           .example = "paceline show funnel --window month",
                                           .args_max = -1,
                                           .options = show_options,
                                           .run = record,
                                           .no_settings = true};
static const struct command show_shards = {
    .name = "show shards", .summary = "state of the shards", .run = record, .no_settings = true};
static const struct command check = {.name = "check",
                                     .args_help = "FILE",
                                     .summary = "check a file",
                                     .args_min = 1,
                                     .args_max = 1,
                                     .run = record,
                                     .no_settings = true};
static const struct command later = {.name = "later", .summary = "fails", .run = refuse, .no_settings = true};
static const struct command where = {.name = "where", .summary = "reads settings", .run = record};
static const struct command *const table[] = {&check, &later, &show_funnel, &show_shards, &where, NULL};

static char out_text[16384], err_text[4096];

static void take_stream(FILE *from, char *text, size_t size)
{
    rewind(from);
    size_t n = fread(text, 1, size - 1, from);
    text[n] = '\0';
    fclose(from);
}

/* Runs `paceline ARGS` (NULL ends them); what it wrote is in out_text and err_text. */
static int run(const char *const *args)
{
    char *argv[64] = {(char *)(uintptr_t) "paceline"};
    int argc = 1;
    for (; args[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
    FILE *out = tmpfile();
    FILE *err = tmpfile();
    assert_non_null(out);
    assert_non_null(err);
    fflush(stdout);
    int kept_out = dup(STDOUT_FILENO);
    int kept_err = dup(STDERR_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    int status = cli_run(table, argc, argv);
    fflush(stdout);
    dup2(kept_out, STDOUT_FILENO);
    dup2(kept_err, STDERR_FILENO);
    close(kept_out);
    close(kept_err);
    take_stream(out, out_text, sizeof out_text);
    take_stream(err, err_text, sizeof err_text);
    return status;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static int set_up(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    setenv("LC_ALL", "C", 1);
    unsetenv("PACELINE_DIR");
    unsetenv("PACELINE_KAFKA");
    return 0;
}

static void options_stand_anywhere_behind_the_command(void **state)
{
    (void)state;
    assert_int_equal(RUN("--json", "show", "funnel", "r1", "--window", "month", "r2", "--limit=7", "--all"), 0);
    assert_string_equal(seen.args, "[r1][r2]");
    assert_string_equal(seen.window, "month");
    assert_int_equal(seen.limit, 7);
    assert_true(seen.all);
    assert_true(seen.json);
    assert_string_equal(err_text, "");
}

static void absent_options_are_absent(void **state)
{
    (void)state;
    assert_int_equal(RUN("show", "funnel"), 0);
    assert_string_equal(seen.window, "(none)");
    assert_int_equal(seen.limit, -1);
    assert_false(seen.all);
    assert_false(seen.json);
}

static void behind_two_dashes_everything_is_an_argument(void **state)
{
    (void)state;
    assert_int_equal(RUN("check", "--", "--zh"), 0);
    assert_string_equal(seen.args, "[--zh]");
    assert_false(seen.zh);
    assert_int_equal(RUN("check", "-"), 0);
    assert_string_equal(seen.args, "[-]");
    assert_int_equal(RUN("show", "funnel", "--window=", "--", "a"), 0);
    assert_string_equal(seen.window, "");
}

static void slips_are_usage_errors_that_say_what_was_probably_meant(void **state)
{
    (void)state;
    static const struct {
        const char *args[5];
        const char *text;
    } rows[] = {
        {{"show", "funel"},
         "paceline: unknown command \"show funel\"; did you mean \"show funnel\"?\nTry: paceline help\n"},
        {{"chekc"}, "paceline: unknown command \"chekc\"; did you mean \"check\"?\nTry: paceline help\n"},
        {{"show"}, "paceline: \"show\" is a group of commands: show funnel, show shards\nTry: paceline help\n"},
        {{"xyzzy"}, "paceline: unknown command \"xyzzy\"; `paceline help` lists them\nTry: paceline help\n"},
        {{"show", "funnel", "--widnow", "x"},
         "paceline: show funnel: unknown option --widnow; did you mean --window?\nTry: paceline help show funnel\n"},
        {{"show", "funnel", "--jsom"},
         "paceline: show funnel: unknown option --jsom; did you mean --json?\nTry: paceline help show funnel\n"},
        {{"show", "funnel", "-w"},
         "paceline: show funnel: unknown option -w; options begin with --\nTry: paceline help show funnel\n"},
        {{"show", "funnel", "--limit", "many"},
         "paceline: show funnel: --limit: a whole number is expected, not \"many\"\nTry: paceline help show funnel\n"},
        {{"show", "funnel", "--limit"},
         "paceline: show funnel: --limit needs a value: N\nTry: paceline help show funnel\n"},
        {{"show", "funnel", "--all=yes"},
         "paceline: show funnel: --all takes no value\nTry: paceline help show funnel\n"},
        {{"show", "funnel", "--limit=1", "--limit=2"},
         "paceline: show funnel: --limit is given twice\nTry: paceline help show funnel\n"},
        {{"check"}, "paceline: check: an argument is missing: paceline check FILE\nTry: paceline help check\n"},
        {{"check", "a", "b"},
         "paceline: check: one argument too many, \"b\": paceline check FILE\nTry: paceline help check\n"},
        {{"--set", "x", "check", "a"}, "paceline: --set: NAME=VALUE is expected, not \"x\"\nTry: paceline help\n"},
        {{"--windw"}, "paceline: unknown option --windw\nTry: paceline help\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(run(rows[i].args), 2);
        assert_string_equal(err_text, rows[i].text);
        assert_string_equal(out_text, "");
    }
    assert_int_equal(seen.runs, 0);
}

static void errors_speak_chinese_when_asked(void **state)
{
    (void)state;
    assert_int_equal(RUN("chekc", "--zh"), 2);
    assert_string_equal(err_text, "paceline: 未知命令“chekc”；是否想用“check”？\n说明：paceline help\n");
    setenv("LC_ALL", "zh_CN.UTF-8", 1);
    assert_int_equal(RUN("check", "a"), 0);
    assert_true(seen.zh);
    setenv("LC_ALL", "", 1);
    setenv("LC_MESSAGES", "en_US.UTF-8", 1);
    setenv("LANG", "zh_CN.UTF-8", 1);
    assert_int_equal(RUN("check", "a"), 0);
    assert_false(seen.zh);
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
}

static void a_failure_is_one_line_and_its_exit_code(void **state)
{
    (void)state;
    assert_int_equal(RUN("later"), 75);
    assert_string_equal(err_text, "paceline: later: lease of shard 0 is held\n");
}

static void settings_come_from_global_options(void **state)
{
    (void)state;
    assert_int_equal(RUN("where", "--dir", "/nonexistent/d"), 0);
    assert_string_equal(seen.dir, "/nonexistent/d");
    assert_int_equal(RUN("--set", "dir=/nonexistent/e", "where"), 0);
    assert_string_equal(seen.dir, "/nonexistent/e");
}

static void every_wrong_setting_is_told_at_once(void **state)
{
    (void)state;
    assert_int_equal(RUN("where", "--set", "shards=many", "--set", "sharsd=1", "--set", "sync=perhaps"), 78);
    assert_non_null(strstr(err_text, "bad_type: --shards: a whole number is expected, not \"many\""));
    assert_non_null(strstr(err_text, "unknown_key: --sharsd: unknown setting; did you mean \"--shards\"?"));
    assert_non_null(strstr(err_text, "bad_type: --sync: true or false is expected"));
    assert_int_equal(seen.runs, 0);
}

static void the_settings_in_force_are_printed(void **state)
{
    (void)state;
    assert_int_equal(RUN("--print-config", "--set", "shards=5"), 0);
    assert_non_null(strstr(out_text, "shards: 5"));
    assert_non_null(strstr(out_text, "# flag --shards\n"));
    assert_non_null(strstr(out_text, "# default\n"));
    assert_int_equal(RUN("where", "--print-config"), 0);
    assert_int_equal(seen.runs, 0);
    assert_int_equal(RUN("--sample-config"), 0);
    assert_non_null(strstr(out_text, "PACELINE_SHARDS"));
}

static void help_teaches_usage_options_example_and_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(RUN("show", "funnel", "--help"), 0);
    static const char *const parts[] = {"paceline show funnel: figures of the funnel\n",
                                        "Usage:\n  paceline show funnel [ORG...] [OPTIONS]\n",
                                        "\nPrints rows.\n",
                                        "  --window NAME  which window\n",
                                        "  --dir DIR ",
                                        "\nExample:\n  paceline show funnel --window month\n",
                                        "\nExit codes:\n",
                                        "  78  configuration"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(out_text, parts[i]))
            fail_msg("missing: %s in\n%s", parts[i], out_text);
    assert_int_equal(seen.runs, 0);
    assert_int_equal(RUN("check", "--help"), 0); /* without its argument */
    assert_int_equal(RUN("show", "funnel", "--help", "--zh"), 0);
    assert_non_null(strstr(out_text, "paceline show funnel: 漏斗指标\n\n用法："));
    assert_non_null(strstr(out_text, "哪个窗口"));
    assert_non_null(strstr(out_text, "at most N rows")); /* what has no translation stays English */
}

static void without_a_command_all_are_listed(void **state)
{
    (void)state;
    assert_int_equal(run((const char *const[]){NULL}), 0);
    assert_non_null(strstr(out_text, "  check        check a file\n"));
    assert_non_null(strstr(out_text, "  show funnel  figures of the funnel\n"));
    assert_int_equal(RUN("--version"), 0);
    assert_string_equal(out_text, "paceline " PACELINE_VERSION "\n");
}

static void the_man_page_names_everything_and_no_line_is_taken_for_a_macro(void **state)
{
    (void)state;
    static const struct command odd = {.name = "odd",
                                       .summary = "a\\b",
                                       .details = ".TH is text\n'so is this\n\nsecond",
                                       .example = "paceline odd --x"};
    static const struct command *const odd_table[] = {&odd, &show_funnel, NULL};
    struct buf page = {0};
    man_page(odd_table, "9.9", false, &page);
    static const char *const parts[] = {".TH PACELINE 1 \"\" \"paceline 9.9\" \"\"\n",
                                        ".SS paceline odd\na\\eb\n.PP\n\\&.TH is text\n\\&'so is this\n.PP\nsecond\n",
                                        ".nf\n.RS\npaceline odd \\-\\-x\n.RE\n.fi\n",
                                        ".SS paceline show funnel [ORG...]\n",
                                        ".TP\n.B \\-\\-window NAME\nwhich window\n",
                                        ".TP\n.B \\-\\-dir DIR\n",
                                        ".TP\n.B 78\nconfiguration"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(buf_cstr(&page), parts[i]))
            fail_msg("missing: %s in\n%s", parts[i], buf_cstr(&page));
    buf_close(&page);
}

static void a_newcomer_sees_the_first_steps(void **state)
{
    (void)state;
    assert_int_equal(run((const char *const[]){NULL}), 0);
    assert_non_null(strstr(out_text, "\nFirst steps:\n  paceline show funnel --window month\n"));
}

/* What bash offers for `paceline WORDS`, the cursor at the end of the last one. */
static const char *complete(const char *words)
{
    static char answer[2048];
    char path[] = "/tmp/paceline_completion_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct buf script = {0};
    complete_bash(table, &script);
    buf_addf(&script,
             "COMP_WORDS=(paceline %s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_paceline\necho \"${COMPREPLY[*]}\"\n",
             words);
    assert_int_equal(write(fd, script.p, script.n), script.n);
    close(fd);
    buf_close(&script);
    char command[128];
    (void)snprintf(command, sizeof command, "bash %s 2>&1", path);
    FILE *bash = popen(command, "r");
    assert_non_null(bash);
    size_t n = fread(answer, 1, sizeof answer - 1, bash);
    answer[n] = '\0';
    assert_int_equal(pclose(bash), 0);
    unlink(path);
    return answer;
}

static void bash_completes_words_and_options(void **state)
{
    (void)state;
    assert_string_equal(complete("sh"), "show\n");
    assert_string_equal(complete("''"), "check later show where\n");
    assert_string_equal(complete("show f"), "funnel\n");
    assert_string_equal(complete("show ''"), "funnel shards\n");
    assert_string_equal(complete("show funnel --wi"), "--window\n");
    assert_string_equal(complete("show shards --wi"), "\n");
    assert_string_equal(complete("--dir /x show fu"), "funnel\n");
    assert_string_equal(complete("check --ver"), "--version\n");
    assert_string_equal(complete("check /etc/hostnam"), "/etc/hostname\n");
    assert_string_equal(complete("check --dir /etc/hostnam"), "/etc/hostname\n");
}

/* The product's own table: what cannot be typed or is said twice is a mistake of ours. */
static void every_command_is_complete_and_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        if (!c->summary || !c->summary_zh || !c->run || !c->example)
            fail_msg("%s: summary, summary_zh, example and run are wanted", c->name);
        if (i && strcmp(commands[i - 1]->name, c->name) >= 0)
            fail_msg("%s stands behind %s", c->name, commands[i - 1]->name);
        int used;
        const char *blank = strchr(c->name, ' ');
        char first[64];
        (void)snprintf(first, sizeof first, "%.*s", blank ? (int)(blank - c->name) : (int)strlen(c->name), c->name);
        assert_ptr_equal(cli_find(commands, first, blank ? blank + 1 : NULL, &used), c);
        for (int o = 0; c->options && c->options[o].name; o++) {
            const struct option_spec *option = &c->options[o];
            assert_true(o < CLI_OPTIONS_MAX);
            if (!option->help || !option->help_zh || (option->kind != OPTION_FLAG && !option->value))
                fail_msg("%s --%s: help, help_zh and the value's name are wanted", c->name, option->name);
            for (size_t g = 0; cli_global_options[g].name; g++)
                if (strcmp(option->name, cli_global_options[g].name) == 0)
                    fail_msg("%s --%s is an option of every command", c->name, option->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(options_stand_anywhere_behind_the_command, set_up),
        cmocka_unit_test_setup(absent_options_are_absent, set_up),
        cmocka_unit_test_setup(behind_two_dashes_everything_is_an_argument, set_up),
        cmocka_unit_test_setup(slips_are_usage_errors_that_say_what_was_probably_meant, set_up),
        cmocka_unit_test_setup(errors_speak_chinese_when_asked, set_up),
        cmocka_unit_test_setup(a_failure_is_one_line_and_its_exit_code, set_up),
        cmocka_unit_test_setup(settings_come_from_global_options, set_up),
        cmocka_unit_test_setup(every_wrong_setting_is_told_at_once, set_up),
        cmocka_unit_test_setup(the_settings_in_force_are_printed, set_up),
        cmocka_unit_test_setup(help_teaches_usage_options_example_and_exit_codes, set_up),
        cmocka_unit_test_setup(without_a_command_all_are_listed, set_up),
        cmocka_unit_test_setup(the_man_page_names_everything_and_no_line_is_taken_for_a_macro, set_up),
        cmocka_unit_test_setup(a_newcomer_sees_the_first_steps, set_up),
        cmocka_unit_test_setup(bash_completes_words_and_options, set_up),
        cmocka_unit_test_setup(every_command_is_complete_and_in_order, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
