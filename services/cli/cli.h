/* cli.h -- running a command line against a table of commands; tests bring a table of their own. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "command.h"

#ifndef PACELINE_VERSION
#define PACELINE_VERSION "0.1.0"
#endif

/* Exit code of formats.md 7. Results go to stdout, everything else to stderr. */
int cli_run(const struct command *const *table, int argc, char **argv);

#endif
