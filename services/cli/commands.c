/* commands.c -- the commands of `paceline`, in the order in which help lists them: by name.
 *
 * To add one: write cmd_<name>.c with `const struct command cmd_<name>`, then add one line to the list below, in order
 * of the macro's argument. Nothing else knows the commands: parsing, help and completion read this list. */
#include "command.h"

#define COMMANDS(X)                                                                                                    \
    X(check_answers)                                                                                                   \
    X(check_config)                                                                                                    \
    X(check_events)                                                                                                    \
    X(check_mapping)                                                                                                   \
    X(completion)                                                                                                      \
    X(gen)                                                                                                             \
    X(help)                                                                                                            \
    X(import)                                                                                                          \
    X(init)                                                                                                            \
    X(plan_apply)                                                                                                      \
    X(plan_check)                                                                                                      \
    X(plan_diff)                                                                                                       \
    X(plan_show)                                                                                                       \
    X(rejects_resend)                                                                                                  \
    X(run)                                                                                                             \
    X(show_funnel)                                                                                                     \
    X(show_lead)                                                                                                       \
    X(show_shards)                                                                                                     \
    X(tail)                                                                                                            \
    X(tenant_live)                                                                                                     \
    X(tenant_release)                                                                                                  \
    X(wait)

#define X(name) extern const struct command cmd_##name;
COMMANDS(X)
#undef X

const struct command *const commands[] = {
#define X(name) &cmd_##name,
    COMMANDS(X)
#undef X
        NULL,
};
