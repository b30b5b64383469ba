/* options.c -- see options.h. */
#include "options.h"

#include <string.h>

#include "base/findings.h"
#include "base/text.h"

enum { COMMANDS_MAX = 256, WORDS_BYTES_MAX = 128 };

const struct option_spec cli_global_options[] = {
    {"dir", OPTION_TEXT, "DIR", "embedded mode: everything lives in this folder", "嵌入模式：所有数据都在此目录中"},
    {"kafka", OPTION_TEXT, "HOST:PORT", "Kafka bootstrap servers", "Kafka 引导服务器"},
    {"redis", OPTION_TEXT, "ADDRESS", "Redis: HOST:PORT or the path of a socket", "Redis：HOST:PORT 或套接字路径"},
    {"prefix", OPTION_TEXT, "TEXT", "put before every topic name", "加在每个主题名之前"},
    {"config", OPTION_TEXT, "FILE", "settings in YAML instead of DIR/paceline.yaml",
     "YAML 设置文件，代替 DIR/paceline.yaml"},
    {"set", OPTION_TEXT, "NAME=VALUE", "any other setting; may be repeated", "其他任意设置项；可重复"},
    {"print-config", OPTION_FLAG, NULL, "print the settings in force and where they come from",
     "打印生效的设置及其来源"},
    {"sample-config", OPTION_FLAG, NULL, "print a commented file of all settings", "打印带注释的全部设置样例"},
    {"json", OPTION_FLAG, NULL, "machine-readable output", "机器可读的 JSON 输出"},
    {"zh", OPTION_FLAG, NULL, "Chinese texts", "中文文本"},
    {"quiet", OPTION_FLAG, NULL, "results and errors only", "只输出结果和错误"},
    {"no-progress", OPTION_FLAG, NULL, "no progress bar", "不显示进度条"},
    {"help", OPTION_FLAG, NULL, "explain the command", "显示命令说明"},
    {"version", OPTION_FLAG, NULL, "print the version", "打印版本号"},
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};

/* Global options that are settings, and the settings' names. */
static const struct {
    const char *option, *setting;
} settings_of[] = {{"dir", "dir"}, {"kafka", "kafka"}, {"redis", "redis"}, {"prefix", "topic_prefix"}};

struct parse {
    struct cli *cli;
    struct cli_globals *globals;
    const struct command *const *table;
    int argc;
    char **argv;
    int at; /* next word */
};

static bool zh(const struct parse *p) { return p->cli->zh; }

static int find_option(const struct option_spec *options, struct slice name)
{
    for (int i = 0; options && options[i].name; i++)
        if (slice_is(name, options[i].name))
            return i;
    return -1;
}

static size_t add_names(const struct option_spec *options, const char **names, size_t n, size_t max)
{
    for (int i = 0; options && options[i].name && n < max; i++)
        names[n++] = options[i].name;
    return n;
}

static enum err_code unknown_option(struct parse *p, struct slice name)
{
    const char *names[2 * CLI_OPTIONS_MAX + 1];
    size_t n = p->cli->command ? add_names(p->cli->command->options, names, 0, CLI_OPTIONS_MAX) : 0;
    n = add_names(cli_global_options, names, n, 2 * CLI_OPTIONS_MAX);
    names[n] = NULL;
    const char *near = did_you_mean(name, names);
    const char *what = zh(p) ? "未知选项" : "unknown option";
    if (near)
        return err_set(&p->cli->err, ERR_USAGE, zh(p) ? "%s --%.*s；是否想用 --%s？" : "%s --%.*s; did you mean --%s?",
                       what, SLICE_ARG(name), near);
    return err_set(&p->cli->err, ERR_USAGE, "%s --%.*s", what, SLICE_ARG(name));
}

/* The value of an option: behind '=', or the next word. NULL after an error. */
static const char *take_value(struct parse *p, const struct option_spec *option, const char *inline_value)
{
    if (option->kind == OPTION_FLAG) {
        if (inline_value) {
            err_set(&p->cli->err, ERR_USAGE, zh(p) ? "--%s 不带值" : "--%s takes no value", option->name);
            return NULL;
        }
        return "";
    }
    const char *value = inline_value;
    if (!value && p->at < p->argc)
        value = p->argv[p->at++];
    if (!value) {
        err_set(&p->cli->err, ERR_USAGE, zh(p) ? "--%s 需要一个值：%s" : "--%s needs a value: %s", option->name,
                option->value);
        return NULL;
    }
    int64_t number;
    if (option->kind == OPTION_INT && !text_parse_int(slice_of(value), &number)) {
        err_set(&p->cli->err, ERR_USAGE,
                zh(p) ? "--%s：应为整数，而不是“%s”" : "--%s: a whole number is expected, not \"%s\"", option->name,
                value);
        return NULL;
    }
    return value;
}

static enum err_code add_setting(struct parse *p, const char *name, const char *value)
{
    struct cli_globals *g = p->globals;
    if (g->setting_count == CLI_SETTINGS_MAX)
        return err_set(&p->cli->err, ERR_USAGE, "more than %d settings on one command line", CLI_SETTINGS_MAX);
    g->settings[2 * g->setting_count] = name;
    g->settings[2 * g->setting_count + 1] = value;
    g->setting_count++;
    return OK;
}

/* --set NAME=VALUE */
static enum err_code add_assignment(struct parse *p, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : 0;
    if (n == 0 || n >= sizeof p->globals->names[0])
        return err_set(&p->cli->err, ERR_USAGE,
                       zh(p) ? "--set：应为 NAME=VALUE，而不是“%s”" : "--set: NAME=VALUE is expected, not \"%s\"",
                       text);
    if (p->globals->setting_count == CLI_SETTINGS_MAX)
        return add_setting(p, text, text); /* says that there are too many */
    char *name = p->globals->names[p->globals->setting_count];
    memcpy(name, text, n);
    name[n] = '\0';
    return add_setting(p, name, equals + 1);
}

static enum err_code apply_global(struct parse *p, const char *name, const char *value)
{
    struct cli *cli = p->cli;
    struct cli_globals *g = p->globals;
    const struct {
        const char *name;
        bool *target;
    } switches[] = {{"json", &cli->json},
                    {"zh", &cli->zh},
                    {"quiet", &cli->quiet},
                    {"no-progress", &cli->no_progress},
                    {"help", &g->help},
                    {"version", &g->version},
                    {"print-config", &g->print_config},
                    {"sample-config", &g->sample_config}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (strcmp(name, switches[i].name) == 0) {
            *switches[i].target = true;
            return OK;
        }
    for (size_t i = 0; i < sizeof settings_of / sizeof *settings_of; i++)
        if (strcmp(name, settings_of[i].option) == 0)
            return add_setting(p, settings_of[i].setting, value);
    if (strcmp(name, "set") == 0)
        return add_assignment(p, value);
    g->config = value;
    return OK;
}

/* One "--name", "--name value" or "--name=value". */
static enum err_code take_option(struct parse *p, const char *word)
{
    const char *equals = strchr(word, '=');
    struct slice name = slice_make(word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
    const char *inline_value = equals ? equals + 1 : NULL;
    const struct command *command = p->cli->command;
    int at = command ? find_option(command->options, name) : -1;
    int global = find_option(cli_global_options, name);
    if (at < 0 && global < 0)
        return unknown_option(p, name);
    const struct option_spec *option = at >= 0 ? &command->options[at] : &cli_global_options[global];
    const char *value = take_value(p, option, inline_value);
    if (!value)
        return ERR_USAGE;
    if (at < 0)
        return apply_global(p, option->name, value);
    if (p->cli->option_values[at] && option->kind != OPTION_FLAG)
        return err_set(&p->cli->err, ERR_USAGE, zh(p) ? "--%s 给出了两次" : "--%s is given twice", option->name);
    p->cli->option_values[at] = value;
    return OK;
}

static bool is_option(const char *word) { return word[0] == '-' && word[1] != '\0'; }

/* "-h" is the only short one: everybody tries it. */
static enum err_code take_dashed(struct parse *p, const char *word)
{
    if (strcmp(word, "-h") == 0) {
        p->globals->help = true;
        return OK;
    }
    if (word[1] == '-')
        return take_option(p, word);
    return err_set(&p->cli->err, ERR_USAGE,
                   zh(p) ? "未知选项 %s；选项以 -- 开头" : "unknown option %s; options begin with --", word);
}

static enum err_code add_arg(struct parse *p, const char *word)
{
    if (p->cli->arg_count == CLI_ARGS_MAX)
        return err_set(&p->cli->err, ERR_USAGE, "more than %d arguments", CLI_ARGS_MAX);
    p->cli->args[p->cli->arg_count++] = word;
    return OK;
}

const struct command *cli_find(const struct command *const *table, const char *first, const char *second, int *used)
{
    char both[WORDS_BYTES_MAX];
    bool fits = second && (size_t)snprintf(both, sizeof both, "%s %s", first, second) < sizeof both;
    const struct command *single = NULL;
    for (; *table; table++) {
        if (fits && strcmp((*table)->name, both) == 0) {
            *used = 2;
            return *table;
        }
        if (strcmp((*table)->name, first) == 0)
            single = *table;
    }
    *used = single ? 1 : 0;
    return single;
}

const char *cli_nearest(const struct command *const *table, const char *first, const char *second)
{
    const char *names[COMMANDS_MAX + 1];
    size_t n = 0;
    for (; *table && n < COMMANDS_MAX; table++)
        names[n++] = (*table)->name;
    names[n] = NULL;
    char both[WORDS_BYTES_MAX];
    const char *near = NULL;
    if (second && (size_t)snprintf(both, sizeof both, "%s %s", first, second) < sizeof both)
        near = did_you_mean(slice_of(both), names);
    return near ? near : did_you_mean(slice_of(first), names);
}

/* The commands that begin with this word: "show funnel, show variance". */
static bool list_group(const struct command *const *table, const char *first, char *out, size_t size)
{
    size_t n = 0;
    size_t length = strlen(first);
    out[0] = '\0';
    for (; *table && n < size; table++)
        if (strncmp((*table)->name, first, length) == 0 && (*table)->name[length] == ' ')
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", (*table)->name);
    return n > 0;
}

static enum err_code unknown_command(struct parse *p, const char *first, const char *second)
{
    char group[ERR_TEXT_MAX / 2];
    bool has_group = list_group(p->table, first, group, sizeof group);
    const char *near = has_group && !second ? NULL : cli_nearest(p->table, first, second);
    const char *blank = second && has_group ? " " : "";
    const char *rest = second && has_group ? second : "";
    if (near)
        return err_set(&p->cli->err, ERR_USAGE,
                       zh(p) ? "未知命令“%s%s%s”；是否想用“%s”？" : "unknown command \"%s%s%s\"; did you mean \"%s\"?",
                       first, blank, rest, near);
    if (has_group)
        return err_set(&p->cli->err, ERR_USAGE, zh(p) ? "“%s”是一组命令：%s" : "\"%s\" is a group of commands: %s",
                       first, group);
    return err_set(&p->cli->err, ERR_USAGE,
                   zh(p) ? "未知命令“%s”；paceline help 列出全部命令"
                         : "unknown command \"%s\"; `paceline help` lists them",
                   first);
}

static enum err_code take_command(struct parse *p, const char *first)
{
    const char *second = p->at < p->argc && !is_option(p->argv[p->at]) ? p->argv[p->at] : NULL;
    int used;
    p->cli->command = cli_find(p->table, first, second, &used);
    if (!p->cli->command)
        return unknown_command(p, first, second);
    p->at += used - 1;
    return OK;
}

static enum err_code check_arg_count(struct parse *p)
{
    const struct command *command = p->cli->command;
    int n = p->cli->arg_count;
    const char *help = command->args_help ? command->args_help : "";
    if (n < command->args_min)
        return err_set(&p->cli->err, ERR_USAGE,
                       zh(p) ? "缺少参数；用法：paceline %s %s" : "an argument is missing: paceline %s %s",
                       command->name, help);
    if (command->args_max >= 0 && n > command->args_max)
        return err_set(&p->cli->err, ERR_USAGE,
                       zh(p) ? "多余的参数“%s”；用法：paceline %s %s" : "one argument too many, \"%s\": paceline %s %s",
                       p->cli->args[command->args_max], command->name, help);
    return OK;
}

enum err_code cli_parse(struct cli *cli, struct cli_globals *globals, const struct command *const *table, int argc,
                        char **argv)
{
    struct parse p = {cli, globals, table, argc, argv, 1};
    bool only_args = false;
    enum err_code code = OK;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        cli->zh |= strcmp(argv[i], "--zh") == 0; /* first, so that every message has the right language */
    while (!code && p.at < argc) {
        const char *word = argv[p.at++];
        if (!only_args && strcmp(word, "--") == 0)
            only_args = true;
        else if (!only_args && is_option(word))
            code = take_dashed(&p, word);
        else
            code = cli->command ? add_arg(&p, word) : take_command(&p, word);
    }
    bool asks_only = globals->help || globals->version || globals->print_config || globals->sample_config;
    if (!code && cli->command && !asks_only)
        code = check_arg_count(&p);
    return code;
}
