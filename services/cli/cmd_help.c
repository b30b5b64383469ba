/* cmd_help.c -- `paceline help [COMMAND]`. */
#include "command.h"
#include "help.h"
#include "options.h"

static int run(struct cli *cli)
{
    struct buf text = {0};
    int used = 0;
    const char *second = cli->arg_count > 1 ? cli->args[1] : NULL;
    const struct command *command = cli->arg_count ? cli_find(commands, cli->args[0], second, &used) : NULL;
    if (cli->arg_count && (!command || used < cli->arg_count)) {
        const char *near = cli_nearest(commands, cli->args[0], second);
        const char *blank = second ? " " : "";
        if (near)
            return cli_fail(cli, ERR_USAGE,
                            cli->zh ? "没有命令“%s%s%s”；是否想用“%s”？"
                                    : "there is no command \"%s%s%s\"; did you mean \"%s\"?",
                            cli->args[0], blank, second ? second : "", near);
        return cli_fail(cli, ERR_USAGE, cli->zh ? "没有命令“%s%s%s”" : "there is no command \"%s%s%s\"", cli->args[0],
                        blank, second ? second : "");
    }
    if (command)
        help_command(command, cli->zh, &text);
    else
        help_overview(commands, cli->zh, &text);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_close(&text);
    return 0;
}

const struct command cmd_help = {
    .name = "help",
    .args_help = "[COMMAND]",
    .summary = "explain a command, or list all",
    .summary_zh = "说明某个命令，或列出全部命令",
    .example = "paceline help completion",
    .args_max = 2,
    .run = run,
    .no_settings = true,
};
