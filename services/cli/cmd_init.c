/* cmd_init.c -- `paceline init [FILE]`: the commented configuration file, in Chinese or English. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "command.h"

static enum err_code write_new(struct cli *cli, const char *path, const struct buf *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        return err_set(&cli->err, ERR_USAGE, "%s exists; name another file, or look at `paceline --sample-config`",
                       path);
    if (fd < 0)
        return err_set(&cli->err, errno == EACCES ? ERR_DENIED : ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    ssize_t n = write(fd, text->p, text->n);
    int reason = errno;
    bool good = close(fd) == 0 && n == (ssize_t)text->n;
    return good ? OK : err_set(&cli->err, ERR_LATER, "%s: %s", path, strerror(reason));
}

static int run(struct cli *cli)
{
    struct buf text = {0};
    const char *path = cli->arg_count ? cli->args[0] : "paceline.yaml";
    enum err_code code = OK;
    settings_sample(cli->zh, &text);
    if (strcmp(path, "-") == 0)
        (void)fwrite(text.p, 1, text.n, stdout);
    else
        code = write_new(cli, path, &text);
    buf_close(&text);
    if (code == OK && !cli->quiet && strcmp(path, "-") != 0)
        (void)fprintf(stderr,
                      cli->zh ? "已写入 %s；检查：paceline check config %s\n"
                              : "wrote %s; check it: paceline check config %s\n",
                      path, path);
    return err_exit_code(code);
}

const struct command cmd_init = {
    .name = "init",
    .args_help = "[FILE]",
    .summary = "write a commented configuration file",
    .summary_zh = "写出带注释的配置文件",
    .details =
        "Every setting with its default, range and meaning, in Chinese with --zh. FILE is paceline.yaml by default,\n"
        "`-` is the standard output. A file that exists is left alone.",
    .example = "paceline init --zh -",
    .args_max = 1,
    .run = run,
    .no_settings = true,
};
