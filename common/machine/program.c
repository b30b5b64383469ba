#define _GNU_SOURCE /* sigtimedwait */
#include "machine/program.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/logger.h"

#ifndef PACELINE_VERSION
#define PACELINE_VERSION "0.1.0"
#endif

enum { FLAGS_MAX = 64 };

struct flags {
    const char *pairs[2 * FLAGS_MAX + 1];
    char names[FLAGS_MAX][64]; /* of --NAME=VALUE */
    size_t count;
    const char *config;
    bool help, version, print;
};

static bool take_switch(struct flags *flags, const char *name)
{
    const struct {
        const char *name;
        bool *on;
    } switches[] = {{"help", &flags->help}, {"version", &flags->version}, {"print-config", &flags->print}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (strcmp(name, switches[i].name) == 0)
            return *switches[i].on = true;
    return false;
}

static enum err_code take_pair(struct flags *flags, const char *name, const char *value, struct err *err)
{
    if (strcmp(name, "config") == 0) {
        flags->config = value;
        return OK;
    }
    if (flags->count == FLAGS_MAX)
        return err_set(err, ERR_USAGE, "more than %d options", FLAGS_MAX);
    char *kept = flags->names[flags->count];
    int n = snprintf(kept, sizeof flags->names[0], "%s", strcmp(name, "prefix") == 0 ? "topic-prefix" : name);
    if (n < 0 || (size_t)n >= sizeof flags->names[0])
        return err_set(err, ERR_USAGE, "unknown option --%s", name);
    flags->pairs[2 * flags->count] = kept;
    flags->pairs[2 * flags->count + 1] = value;
    flags->count++;
    return OK;
}

static enum err_code parse(struct flags *flags, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            return err_set(err, ERR_USAGE, "%s: expected --NAME VALUE; --help lists the names", argv[i]);
        const char *name = argv[i] + 2;
        if (take_switch(flags, name))
            continue;
        char cut[64];
        const char *equals = strchr(name, '=');
        const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value)
            return err_set(err, ERR_USAGE, "--%s needs a value", name);
        snprintf(cut, sizeof cut, "%.*s", equals ? (int)(equals - name) : (int)strlen(name), name);
        enum err_code code = take_pair(flags, cut, value, err);
        if (code)
            return code;
    }
    return OK;
}

static int complain(const char *name, const struct err *err)
{
    fprintf(stderr, "paceline-%s: %s\n", name, err->text);
    return err_exit_code(err->code);
}

static void print_and_close(struct buf *text)
{
    fwrite(text->p, 1, text->n, stdout);
    buf_close(text);
}

static int tell_only(const struct program *program, const struct flags *flags)
{
    struct buf text;
    buf_init(&text);
    if (flags->version)
        buf_addf(&text, "paceline-%s %s\n", program->name, PACELINE_VERSION);
    else if (flags->print)
        settings_print(&program->settings, &text);
    else {
        buf_addf(&text, "usage: paceline-%s [--NAME VALUE ...] [--config FILE] [--print-config] [--version]\n\n",
                 program->name);
        settings_help(false, &text);
    }
    print_and_close(&text);
    return 0;
}

void program_signals_begin(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread is made: all inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
}

void program_memory_begin(void)
{
    enum { KEEP_BYTES = 64 * 1024 * 1024, MAP_BYTES = 8 * 1024 * 1024 };
    /* A Kafka client takes and frees a megabyte a fetch: given back to the system and asked for anew, each page is
     * cleared and faulted in again (a tenth of a reader's CPU). */
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, MAP_BYTES);
}

bool program_asked_to_end(int timeout_ms)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    struct timespec span = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    if (sigtimedwait(&set, NULL, &span) < 0)
        return false;
    struct sigaction at_once = {.sa_handler = SIG_DFL};
    sigaction(SIGTERM, &at_once, NULL);
    sigaction(SIGINT, &at_once, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* a second one ends the process */
    return true;
}

static enum err_code open_all(struct program *program)
{
    struct err *err = &program->err;
    char client[64];
    snprintf(client, sizeof client, "paceline-%s", program->name);
    enum err_code code = wiring_open(&program->wiring, &program->settings, client, err);
    if (!code)
        code = wiring_topics_ensure(&program->wiring, err);
    if (code)
        return code;
    program->metrics = metrics_new();
    program->health = health_new(program->wiring.clock);
    if (program->settings.http[0])
        code = http_server_start(program->settings.http, program->metrics, program->health, PACELINE_VERSION,
                                 &program->http, err);
    return code;
}

static void log_settings(const struct program *program)
{
    struct buf text;
    buf_init(&text);
    settings_print(&program->settings, &text);
    LOGGER_INFO("starting", LF_TEXT("version", PACELINE_VERSION), LF_TEXT("settings", buf_cstr(&text)));
    buf_close(&text);
}

int program_begin(struct program *program, const char *name, int argc, char **argv)
{
    fault_init();
    *program = (struct program){.name = name};
    struct flags flags = {0};
    if (parse(&flags, argc, argv, &program->err))
        return complain(name, &program->err);
    bool asks = flags.help || flags.version;
    if (!asks && settings_load(&program->settings, flags.config, flags.pairs, &program->err))
        return complain(name, &program->err);
    if (asks || flags.print)
        return tell_only(program, &flags);
    struct logger_options options = {.service = name};
    logger_level_parse(slice_of(program->settings.log_level), &options.level);
    logger_init(&options);
    program_signals_begin();
    program_memory_begin();
    log_settings(program);
    if (open_all(program))
        return program_end(program);
    return -1;
}

bool program_runs(struct program *program)
{
    (void)program;
    return !program_asked_to_end(PROGRAM_TURN_MS);
}

int program_end(struct program *program)
{
    if (program->http)
        http_server_stop(&program->http);
    if (program->health)
        health_destroy(&program->health);
    wiring_close(&program->wiring);
    if (program->metrics)
        metrics_destroy(&program->metrics);
    if (program->err.code)
        LOGGER_ERROR("ended", LF_ERR(&program->err));
    else
        LOGGER_INFO("ended as asked");
    return err_exit_code(program->err.code);
}
