/* complete.c -- see complete.h; and `paceline completion bash`. */
#include "complete.h"

#include <string.h>

#include "options.h"

static const char head[] = "# bash completion of paceline; to use it: source <(paceline completion bash)\n"
                           "_paceline() {\n"
                           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
                           "    local i words=() values='%VALUES%' options='%GLOBALS%' next=''\n"
                           "    case \" $values \" in *\" $before \"*)\n"
                           "        COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
                           "    esac\n"
                           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                           "        case \"${COMP_WORDS[i]}\" in\n"
                           "        -*) case \" $values \" in *\" ${COMP_WORDS[i]} \"*) ((i++)) ;; esac ;;\n"
                           "        *) words+=(\"${COMP_WORDS[i]}\") ;;\n"
                           "        esac\n"
                           "    done\n"
                           "    case \"${words[0]}\" in\n";

static const char tail[] = "    esac\n"
                           "    if [[ $word == -* ]]; then\n"
                           "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
                           "    elif [[ -n $next ]]; then\n"
                           "        COMPREPLY=($(compgen -W \"$next\" -- \"$word\"))\n"
                           "    else\n"
                           "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
                           "    fi\n"
                           "}\n"
                           "complete -o filenames -F _paceline paceline\n";

static void add_options(struct buf *out, const struct option_spec *options, bool with_value_only)
{
    for (; options && options->name; options++)
        if (!with_value_only || options->kind != OPTION_FLAG)
            buf_addf(out, "--%s ", options->name);
}

/* Bytes of the first word of a command's name. */
static size_t first_word(const char *name) { return strcspn(name, " "); }

static bool same_first(const char *a, const char *b)
{
    size_t n = first_word(a);
    return n == first_word(b) && memcmp(a, b, n) == 0;
}

/* Whether no command before `at` begins with the same word. */
static bool opens_group(const struct command *const *table, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_first(table[i]->name, table[at]->name))
            return false;
    return true;
}

/* The head with its two placeholders filled in. */
static void add_head(const struct command *const *table, struct buf *out)
{
    const char *values = strstr(head, "%VALUES%");
    const char *globals = strstr(head, "%GLOBALS%");
    buf_add(out, head, (size_t)(values - head));
    add_options(out, cli_global_options, true);
    for (size_t i = 0; table[i]; i++)
        add_options(out, table[i]->options, true);
    values += strlen("%VALUES%");
    buf_add(out, values, (size_t)(globals - values));
    add_options(out, cli_global_options, false);
    buf_add_text(out, globals + strlen("%GLOBALS%"));
}

/* One case for a first word: its second words, and the options of the command that is meant. */
static void add_group(const struct command *const *table, size_t first, struct buf *out)
{
    buf_addf(out, "    %.*s)\n        case \"${words[1]}\" in\n", (int)first_word(table[first]->name),
             table[first]->name);
    for (size_t i = first; table[i]; i++) {
        const char *name = table[i]->name;
        if (!same_first(name, table[first]->name) || !name[first_word(name)])
            continue;
        buf_addf(out, "        %s) options+=' ", name + first_word(name) + 1);
        add_options(out, table[i]->options, false);
        buf_add_text(out, "' ;;\n");
    }
    buf_add_text(out, "        *) options+=' ");
    for (size_t i = first; table[i]; i++)
        if (same_first(table[i]->name, table[first]->name) && !table[i]->name[first_word(table[i]->name)])
            add_options(out, table[i]->options, false);
    buf_add_text(out, "'; next='");
    for (size_t i = first; table[i]; i++)
        if (same_first(table[i]->name, table[first]->name) && table[i]->name[first_word(table[i]->name)])
            buf_addf(out, "%s ", table[i]->name + first_word(table[i]->name) + 1);
    buf_add_text(out, "' ;;\n        esac ;;\n");
}

void complete_bash(const struct command *const *table, struct buf *out)
{
    add_head(table, out);
    for (size_t i = 0; table[i]; i++)
        if (opens_group(table, i))
            add_group(table, i, out);
    buf_add_text(out, "    '') next='");
    for (size_t i = 0; table[i]; i++)
        if (opens_group(table, i))
            buf_addf(out, "%.*s ", (int)first_word(table[i]->name), table[i]->name);
    buf_add_text(out, "' ;;\n");
    buf_add_text(out, tail);
}

static int run(struct cli *cli)
{
    if (strcmp(cli->args[0], "bash") != 0)
        return cli_fail(cli, ERR_USAGE,
                        cli->zh ? "只支持 bash，而不是“%s”" : "completion is made for bash, not for \"%s\"",
                        cli->args[0]);
    struct buf text = {0};
    complete_bash(commands, &text);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_close(&text);
    return 0;
}

const struct command cmd_completion = {
    .name = "completion",
    .args_help = "bash",
    .summary = "print the completion script of a shell",
    .summary_zh = "打印 shell 补全脚本",
    .example = "source <(paceline completion bash)",
    .args_min = 1,
    .args_max = 1,
    .run = run,
    .no_settings = true,
};
