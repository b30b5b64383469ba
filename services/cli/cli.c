/* cli.c -- from argv to an exit code: parse, settings, the command, one line about what went wrong. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/logger.h"
#include "base/memory.h"
#include "base/text.h"
#include "help.h"
#include "options.h"

static int index_of(const struct cli *cli, const char *name)
{
    const struct option_spec *options = cli->command->options;
    for (int i = 0; options && options[i].name; i++)
        if (strcmp(options[i].name, name) == 0)
            return i;
    return -1;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    int at = index_of(cli, name);
    return at < 0 ? NULL : cli->option_values[at];
}

bool cli_flag(const struct cli *cli, const char *name) { return cli_option(cli, name) != NULL; }

int64_t cli_int(const struct cli *cli, const char *name, int64_t otherwise)
{
    const char *text = cli_option(cli, name);
    int64_t value;
    return text && text_parse_int(slice_of(text), &value) ? value : otherwise;
}

int cli_fail(struct cli *cli, enum err_code code, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_exit_code(err_set(&cli->err, code, "%s", text));
}

/* What a person sets for all programs: language and colour. */
static void read_surroundings(struct cli *cli)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"}; /* the first that is set decides */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (!value || !*value)
            continue;
        cli->zh = strncmp(value, "zh", 2) == 0;
        break;
    }
    const char *no_color = getenv("NO_COLOR");
    cli->tty = isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static void set_up_logger(const struct cli *cli)
{
    enum logger_level level = LOGGER_INFO;
    (void)logger_level_parse(slice_of(cli->settings.log_level), &level);
    if (cli->quiet && level < LOGGER_WARN)
        level = LOGGER_WARN;
    logger_init(&(struct logger_options){.service = "cli", .level = level});
}

static int print_buf(struct buf *text)
{
    bool ok = fwrite(text->p, 1, text->n, stdout) == text->n && fflush(stdout) == 0;
    buf_close(text);
    return ok ? 0 : err_exit_code(ERR_UNAVAILABLE);
}

/* Settings, then the command or what was asked about them. */
static int run_command(struct cli *cli, const struct cli_globals *globals)
{
    struct buf text = {0};
    bool wants_settings = globals->print_config || !cli->command->no_settings;
    if (wants_settings && settings_load(&cli->settings, globals->config, globals->settings, &cli->err))
        return err_exit_code(cli->err.code);
    if (globals->print_config) {
        settings_print(&cli->settings, &text);
        return print_buf(&text);
    }
    set_up_logger(cli);
    int status = cli->command->run(cli);
    if (fflush(stdout) != 0 && status == 0)
        return cli_fail(cli, ERR_UNAVAILABLE, "the output cannot be written");
    return status;
}

static int answer(struct cli *cli, const struct cli_globals *globals, const struct command *const *table)
{
    struct buf text = {0};
    if (globals->version) {
        buf_addf(&text, "paceline %s\n", PACELINE_VERSION);
        return print_buf(&text);
    }
    if (globals->sample_config) {
        settings_sample(cli->zh, &text);
        return print_buf(&text);
    }
    if (cli->command && globals->help) {
        help_command(cli->command, cli->zh, &text);
        return print_buf(&text);
    }
    if (cli->command || globals->print_config)
        return run_command(cli, globals);
    help_overview(table, cli->zh, &text);
    return print_buf(&text);
}

/* One line that says what went wrong and, for a slip of the fingers, where to look. */
static void tell_failure(const struct cli *cli)
{
    const char *name = cli->command ? cli->command->name : "";
    const char *colon = cli->command ? ": " : "";
    const char *between = strchr(cli->err.text, '\n') ? "\n" : ""; /* several findings: each a line of its own */
    fprintf(stderr, "paceline: %s%s%s%s\n", name, colon, between, cli->err.text);
    if (cli->err.code == ERR_USAGE)
        fprintf(stderr, cli->zh ? "说明：paceline help%s%s\n" : "Try: paceline help%s%s\n", cli->command ? " " : "",
                name);
}

int cli_run(const struct command *const *table, int argc, char **argv)
{
    struct cli *cli = memory_must(calloc(1, sizeof *cli));
    struct cli_globals *globals = memory_must(calloc(1, sizeof *globals));
    read_surroundings(cli);
    int status;
    if (cli_parse(cli, globals, table, argc, argv))
        status = err_exit_code(cli->err.code);
    else
        status = answer(cli, globals, table);
    if (status != 0 && cli->err.code != OK && *cli->err.text)
        tell_failure(cli);
    free(globals);
    free(cli);
    return status;
}

int cli_main(int argc, char **argv) { return cli_run(commands, argc, argv); }
