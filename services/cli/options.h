/* options.h -- the options every command has, and the reading of a command line by tables.
 *
 * `paceline [GLOBAL OPTIONS] WORD [WORD] [OPTIONS and ARGUMENTS in any order] [-- ARGUMENTS]`. Values follow a blank or
 * '='. Nothing is abbreviated; what is unknown is a usage error with "did you mean". Pure: reads no environment. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "command.h"

enum { CLI_SETTINGS_MAX = 64 };

/* What the global options said. Pointers into argv. */
struct cli_globals {
    const char *config;                             /* --config FILE; NULL */
    const char *settings[2 * CLI_SETTINGS_MAX + 1]; /* name, value, ..., NULL for settings_load */
    char names[CLI_SETTINGS_MAX][64];               /* names cut out of --set NAME=VALUE */
    int setting_count;
    bool help, version, print_config, sample_config;
};

/* Rows of the global options, ended by a NULL name (help, completion). */
extern const struct option_spec cli_global_options[];

/* Fills command, args, option_values, json, zh, quiet, no_progress of *cli, and *globals. cli->command stays NULL when
 * no command is named (bare `paceline`, --help, --version). ERR_USAGE with a text that says what to type. */
enum err_code cli_parse(struct cli *cli, struct cli_globals *globals, const struct command *const *table, int argc,
                        char **argv);

/* The command of these words, or NULL; *used = how many words name it. */
const struct command *cli_find(const struct command *const *table, const char *first, const char *second, int *used);
/* "show funel" -> "show funnel"; NULL if nothing is near. */
const char *cli_nearest(const struct command *const *table, const char *first, const char *second);

#endif
