/* command.h -- one command of `paceline`: a row of the table that drives parsing, --help, completion and the man page.
 *
 * Each command lives in its own file cmd_<name>.c and exports one `const struct command cmd_<name>`; commands.c lists
 * them. Options are declared, not parsed by hand; an unknown one is a usage error with "did you mean". Exit codes:
 * formats.md 7 (err_exit_code). */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "machine/settings.h"

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_INT };

struct option_spec {
    const char *name; /* "window": --window VALUE or --window=VALUE */
    enum option_kind kind;
    const char *value; /* name of the value in help: "NAME" */
    const char *help;
    const char *help_zh;
};

enum { CLI_OPTIONS_MAX = 32, CLI_ARGS_MAX = 4096 };

struct command;
struct cli {
    const struct command *command;
    struct settings settings; /* dir, kafka, redis, ... from the global options, file and environment */
    const char *args[CLI_ARGS_MAX];
    int arg_count;
    const char *option_values[CLI_OPTIONS_MAX]; /* by index in command->options; NULL = absent; flags: "" */
    bool json;                                  /* --json */
    bool zh;                                    /* --zh or a zh locale */
    bool quiet, no_progress;
    bool tty; /* stdout is a terminal and NO_COLOR is unset */
    struct err err;
};

struct command {
    const char *name;      /* "show funnel": words separated by one blank */
    const char *args_help; /* "FILE..." */
    const char *summary;
    const char *summary_zh;
    const char *details;               /* paragraphs of --help; NULL */
    const char *example;               /* one that works on the demo */
    int args_min, args_max;            /* -1: any number */
    const struct option_spec *options; /* ended by a NULL name; global ones (--dir --kafka --redis --prefix --config
                                          --json --zh --quiet --no-progress --help) need no row */
    int (*run)(struct cli *cli);       /* exit code; on failure sets cli->err and returns err_exit_code(...) */
    const char *details_zh;            /* NULL: `details` */
    bool no_settings;                  /* runs without reading settings: a broken file does not stand in its way */
};

const char *cli_option(const struct cli *cli, const char *name); /* NULL: not given */
bool cli_flag(const struct cli *cli, const char *name);
int64_t cli_int(const struct cli *cli, const char *name, int64_t otherwise);
int cli_fail(struct cli *cli, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

extern const struct command *const commands[]; /* ended by NULL */
int cli_main(int argc, char **argv);

#endif
