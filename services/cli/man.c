/* man.c -- see man.h. Writes man(7) macros; every text goes through add_text, which takes care of roff's own signs. */
#include "man.h"

#include <string.h>

#include "help.h"
#include "options.h"

static const char *either(bool zh, const char *text, const char *text_zh) { return zh && text_zh ? text_zh : text; }

/* A text as running words: no line of it may begin with a control sign, empty lines become paragraphs. */
static void add_text(struct buf *out, const char *text)
{
    bool line_start = true;
    for (const char *p = text; *p; p++) {
        if (line_start && *p == '\n') {
            buf_add_text(out, ".PP\n");
            continue;
        }
        if (line_start && (*p == '.' || *p == '\''))
            buf_add_text(out, "\\&");
        if (*p == '\\')
            buf_add_text(out, "\\e");
        else if (*p == '-')
            buf_add_text(out, "\\-");
        else
            buf_add_byte(out, (uint8_t)*p);
        line_start = *p == '\n';
    }
    if (!line_start)
        buf_add_byte(out, '\n');
}

static void add_options(struct buf *out, const struct option_spec *options, bool zh)
{
    for (; options && options->name; options++) {
        struct buf head = {0};
        buf_addf(&head, "--%s%s%s", options->name, options->value ? " " : "", options->value ? options->value : "");
        buf_add_text(out, ".TP\n.B ");
        add_text(out, buf_cstr(&head));
        add_text(out, either(zh, options->help, options->help_zh));
        buf_close(&head);
    }
}

static void add_command(struct buf *out, const struct command *command, bool zh)
{
    struct buf usage = {0};
    const char *args = command->args_help ? command->args_help : "";
    buf_addf(&usage, "paceline %s%s%s", command->name, *args ? " " : "", args);
    buf_add_text(out, ".SS ");
    add_text(out, buf_cstr(&usage));
    buf_close(&usage);
    add_text(out, either(zh, command->summary, command->summary_zh));
    const char *details = either(zh, command->details, command->details_zh);
    if (details) {
        buf_add_text(out, ".PP\n");
        add_text(out, details);
    }
    add_options(out, command->options, zh);
    if (!command->example)
        return;
    buf_addf(out, ".PP\n%s\n.PP\n.nf\n.RS\n", either(zh, "Example:", "示例："));
    add_text(out, command->example);
    buf_add_text(out, ".RE\n.fi\n");
}

void man_page(const struct command *const *table, const char *version, bool zh, struct buf *out)
{
    buf_addf(out, ".TH PACELINE 1 \"\" \"paceline %s\" \"\"\n", version);
    buf_addf(out, ".SH %s\npaceline \\- %s\n", either(zh, "NAME", "名称"),
             either(zh, "real\\-time control of the sales process", "销售过程实时控制"));
    buf_addf(out, ".SH %s\n.B paceline\n%s\n", either(zh, "SYNOPSIS", "概要"),
             either(zh, "COMMAND [ARGUMENTS] [OPTIONS]", "命令 [参数] [选项]"));
    buf_addf(out, ".SH %s\n", either(zh, "COMMANDS", "命令"));
    for (; *table; table++)
        add_command(out, *table, zh);
    buf_addf(out, ".SH %s\n", either(zh, "OPTIONS OF EVERY COMMAND", "所有命令通用的选项"));
    add_options(out, cli_global_options, zh);
    buf_addf(out, ".SH %s\n", either(zh, "EXIT STATUS", "退出码"));
    for (const struct help_exit_code *code = help_exit_codes; code->code; code++) {
        buf_addf(out, ".TP\n.B %s\n", code->code);
        add_text(out, either(zh, code->text, code->text_zh));
    }
}
