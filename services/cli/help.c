/* help.c -- see help.h. */
#include "help.h"

#include <string.h>

#include "base/text.h"
#include "options.h"

enum { INDENT = 2, LEFT_COLUMNS_MAX = 30 };

static void add_blanks(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_add_byte(out, ' ');
}

/* "  left    right", aligned at `columns`; a longer left part pushes the right one to the next line. */
static void add_pair(struct buf *out, const char *left, const char *right, size_t columns)
{
    size_t width = text_width(slice_of(left));
    add_blanks(out, INDENT);
    buf_add_text(out, left);
    if (width > columns) {
        buf_add_byte(out, '\n');
        add_blanks(out, INDENT + columns + INDENT);
    } else {
        add_blanks(out, columns - width + INDENT);
    }
    buf_addf(out, "%s\n", right);
}

static const char *either(bool zh, const char *text, const char *text_zh) { return zh && text_zh ? text_zh : text; }

static size_t greater(size_t a, size_t b) { return a > b ? a : b; }

static void option_left(const struct option_spec *option, char *out, size_t size)
{
    (void)snprintf(out, size, "--%s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "");
}

static void add_options(struct buf *out, const struct option_spec *options, bool zh)
{
    char left[128];
    size_t columns = 0;
    for (const struct option_spec *o = options; o->name; o++) {
        option_left(o, left, sizeof left);
        columns = greater(columns, text_width(slice_of(left)));
    }
    if (columns > LEFT_COLUMNS_MAX)
        columns = LEFT_COLUMNS_MAX;
    for (const struct option_spec *o = options; o->name; o++) {
        option_left(o, left, sizeof left);
        add_pair(out, left, either(zh, o->help, o->help_zh), columns);
    }
}

const struct help_exit_code help_exit_codes[] = {
    {"0", "done", "完成"},
    {"1", "a finding: bad rows, a difference", "有发现：坏行或差异"},
    {"2", "usage: unknown command, option or argument", "用法错误：未知的命令、选项或参数"},
    {"69", "Kafka, Redis or a file system cannot be reached", "无法连接 Kafka、Redis 或文件系统"},
    {"70", "a bug: a broken invariant", "程序缺陷：不变式被破坏"},
    {"75", "try again later: lease held, ledger behind, disk full", "稍后再试：租约被占、账本落后、磁盘已满"},
    {"77", "denied: credentials, permissions", "被拒绝：凭据或权限"},
    {"78", "configuration: a bad file or setting", "配置错误：文件或设置有误"},
    {NULL, NULL, NULL},
};

static void add_exit_codes(struct buf *out, bool zh)
{
    buf_add_text(out, either(zh, "\nExit codes:\n", "\n退出码：\n"));
    for (const struct help_exit_code *code = help_exit_codes; code->code; code++)
        add_pair(out, code->code, either(zh, code->text, code->text_zh), 2);
}

static void add_commands(struct buf *out, const struct command *const *table, bool zh)
{
    size_t columns = 0;
    for (const struct command *const *c = table; *c; c++)
        columns = greater(columns, text_width(slice_of((*c)->name)));
    for (const struct command *const *c = table; *c; c++)
        add_pair(out, (*c)->name, either(zh, (*c)->summary, (*c)->summary_zh), columns);
}

static bool is_of_group(const struct command *command, const char *group)
{
    size_t n = strlen(group);
    return strncmp(command->name, group, n) == 0 && command->name[n] == ' ';
}

bool help_group(const struct command *const *table, const char *group, bool zh, struct buf *out)
{
    size_t columns = 0;
    for (const struct command *const *c = table; *c; c++)
        if (is_of_group(*c, group))
            columns = greater(columns, text_width(slice_of((*c)->name)));
    for (const struct command *const *c = table; *c; c++)
        if (is_of_group(*c, group))
            add_pair(out, (*c)->name, either(zh, (*c)->summary, (*c)->summary_zh), columns);
    return columns > 0;
}

/* The way of a newcomer: examples of these commands, as far as there are such commands. */
static void add_first_steps(struct buf *out, const struct command *const *table, bool zh)
{
    static const char *const steps[] = {"run", "gen", "plan apply", "import", "wait", "show funnel"};
    bool any = false;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        for (const struct command *const *c = table; *c; c++) {
            if (strcmp((*c)->name, steps[i]) != 0 || !(*c)->example)
                continue;
            if (!any)
                buf_add_text(out, either(zh, "\nFirst steps:\n", "\n第一步：\n"));
            any = true;
            buf_addf(out, "  %s\n", (*c)->example);
        }
}

void help_overview(const struct command *const *table, bool zh, struct buf *out)
{
    buf_add_text(
        out,
        either(zh,
               "paceline: real-time control of the sales process\n\nUsage:\n  paceline COMMAND [ARGUMENTS] [OPTIONS]\n",
               "paceline：销售过程实时控制\n\n用法：\n  paceline 命令 [参数] [选项]\n"));
    buf_add_text(out, either(zh, "\nCommands:\n", "\n命令：\n"));
    add_commands(out, table, zh);
    add_first_steps(out, table, zh);
    buf_add_text(out, either(zh, "\nOptions of every command:\n", "\n所有命令通用的选项：\n"));
    add_options(out, cli_global_options, zh);
    add_exit_codes(out, zh);
    buf_add_text(out, either(zh, "\n`paceline help COMMAND` explains one command with an example.\n",
                             "\n`paceline help 命令` 说明单个命令并给出示例。\n"));
}

static void add_usage(struct buf *out, const struct command *command, bool zh)
{
    bool args = command->args_help && *command->args_help;
    bool options = command->options && command->options->name;
    buf_addf(out, "%s\n  paceline %s%s%s%s\n", either(zh, "Usage:", "用法："), command->name, args ? " " : "",
             args ? command->args_help : "", options ? either(zh, " [OPTIONS]", " [选项]") : "");
}

void help_command(const struct command *command, bool zh, struct buf *out)
{
    buf_addf(out, "paceline %s: %s\n\n", command->name, either(zh, command->summary, command->summary_zh));
    add_usage(out, command, zh);
    const char *details = either(zh, command->details, command->details_zh);
    if (details) {
        buf_addf(out, "\n%s", details);
        if (out->p[out->n - 1] != '\n')
            buf_add_byte(out, '\n');
    }
    if (command->options && command->options->name) {
        buf_add_text(out, either(zh, "\nOptions:\n", "\n选项：\n"));
        add_options(out, command->options, zh);
    }
    buf_add_text(out, either(zh, "\nOptions of every command:\n", "\n所有命令通用的选项：\n"));
    add_options(out, cli_global_options, zh);
    if (command->example)
        buf_addf(out, "%s  %s\n", either(zh, "\nExample:\n", "\n示例：\n"), command->example);
    add_exit_codes(out, zh);
}
