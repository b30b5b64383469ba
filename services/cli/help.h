/* help.h -- the texts of `paceline`, `paceline help` and --help, made from the table of commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "command.h"

void help_overview(const struct command *const *table, bool zh, struct buf *out);
void help_command(const struct command *command, bool zh, struct buf *out);

#endif
