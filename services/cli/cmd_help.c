/* cmd_help.c -- `paceline help [COMMAND]`, `paceline help --man`. */
#include "cli.h"
#include "command.h"
#include "help.h"
#include "man.h"
#include "options.h"

static int run(struct cli *cli)
{
    struct buf text = {0};
    int used = 0;
    const char *second = cli->arg_count > 1 ? cli->args[1] : NULL;
    const struct command *command = cli->arg_count ? cli_find(commands, cli->args[0], second, &used) : NULL;
    if (cli->arg_count == 1 && !command && help_group(commands, cli->args[0], cli->zh, &text)) {
        (void)fwrite(text.p, 1, text.n, stdout);
        buf_close(&text);
        return 0;
    }
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
    if (cli_flag(cli, "man"))
        man_page(commands, PACELINE_VERSION, cli->zh, &text);
    else if (command)
        help_command(command, cli->zh, &text);
    else
        help_overview(commands, cli->zh, &text);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_close(&text);
    return 0;
}

static const struct option_spec options[] = {
    {"man", OPTION_FLAG, NULL, "print the man page paceline(1) of all commands", "打印所有命令的手册页 paceline(1)"},
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};

const struct command cmd_help = {
    .name = "help",
    .args_help = "[COMMAND]",
    .summary = "explain a command, or list all",
    .summary_zh = "说明某个命令，或列出全部命令",
    .example = "paceline help completion",
    .args_max = 2,
    .options = options,
    .run = run,
    .no_settings = true,
};
