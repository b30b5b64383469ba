/* complete.h -- shell completion made from the table of commands. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/buf.h"
#include "command.h"

/* A script for bash (zsh: through bashcompinit): words of commands, then options, then files. */
void complete_bash(const struct command *const *table, struct buf *out);

#endif
