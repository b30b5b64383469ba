/* man.h -- the man page paceline(1), made from the table of commands: `paceline help --man`. */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "base/buf.h"
#include "command.h"

void man_page(const struct command *const *table, const char *version, bool zh, struct buf *out);

#endif
