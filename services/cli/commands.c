/* commands.c -- the commands of `paceline`, in the order in which help lists them: by name.
 *
 * To add one: write cmd_<name>.c with `const struct command cmd_<name>`, then add one line to the list below, in order
 * of the macro's argument. Nothing else knows the commands: parsing, help and completion read this list. */
#include "command.h"

#define COMMANDS(X)                                                                                                    \
    X(completion)                                                                                                      \
    X(help)

#define X(name) extern const struct command cmd_##name;
COMMANDS(X)
#undef X

const struct command *const commands[] = {
#define X(name) &cmd_##name,
    COMMANDS(X)
#undef X
        NULL,
};
