/* help.h -- the texts of `paceline`, `paceline help` and --help, made from the table of commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "command.h"

/* Exit codes of formats.md 7, ended by a NULL code. */
struct help_exit_code {
    const char *code, *text, *text_zh;
};
extern const struct help_exit_code help_exit_codes[];

void help_overview(const struct command *const *table, bool zh, struct buf *out);
/* The commands whose names begin with the word GROUP; false: there are none. */
bool help_group(const struct command *const *table, const char *group, bool zh, struct buf *out);
void help_command(const struct command *command, bool zh, struct buf *out);

#endif
