#include "machine/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/logger.h"

#define FIELD(name) CONF_FIELD(struct settings, name)

static const struct conf_key keys[] = {
    {"dir", CONF_TEXT, FIELD(dir), "", 0, 0,
     "Embedded mode: the folder in which log, figures, snapshots and locks live. Default .paceline without kafka.",
     "单机模式：日志、指标、快照和锁所在的目录。未设置 kafka 时默认为 .paceline。"},
    {"kafka", CONF_TEXT, FIELD(kafka), "", 0, 0, "Kafka bootstrap servers HOST:PORT,...; empty: embedded mode.",
     "Kafka 引导地址 HOST:PORT,...；留空为单机模式。"},
    {"kafka_options", CONF_SECRET, FIELD(kafka_options), "", 0, 0,
     "Further librdkafka settings, name=value,name=value (security.protocol, sasl.username, ...).",
     "其他 librdkafka 设置，name=value,name=value（security.protocol、sasl.username 等）。"},
    {"redis", CONF_TEXT, FIELD(redis), "", 0, 0,
     "Redis HOST:PORT or the path of its socket; empty in embedded mode: a private Redis in dir.",
     "Redis 的 HOST:PORT 或套接字路径；单机模式留空则使用 dir 中的私有 Redis。"},
    {"topic_prefix", CONF_TEXT, FIELD(topic_prefix), "", 0, 0, "Put before every topic name.", "加在每个主题名之前。"},
    {"store", CONF_TEXT, FIELD(store), "", 0, 0,
     "Folder of snapshots; default dir/store, or /var/lib/paceline/store on Kafka.",
     "快照目录；默认 dir/store，使用 Kafka 时为 /var/lib/paceline/store。"},
    {"instance", CONF_TEXT, FIELD(instance), "", 0, 0,
     "Name of this process among its like, the same after a restart; default: the host's name.",
     "本进程在同类中的名字，重启后不变；默认主机名。"},
    {"shards", CONF_INT, FIELD(shards), "0", 0, 4096,
     "Partitions of every topic, fixed for the life of a ledger; 0: 1 embedded, 12 on Kafka.",
     "每个主题的分区数，账本建立后不可改；0：单机为 1，Kafka 为 12。"},
    {"replication", CONF_INT, FIELD(replication), "1", 1, 7, "Replication factor of topics that are created.",
     "新建主题的副本数。"},
    {"http", CONF_TEXT, FIELD(http), "", 0, 0,
     "Listen address of /metrics, /livez and /readyz: HOST:PORT or PORT (loopback); empty: off.",
     "/metrics、/livez、/readyz 的监听地址：HOST:PORT 或 PORT（本机）；留空则关闭。"},
    {"snapshot_records", CONF_INT, FIELD(snapshot_records), "1000000", 1, INT64_MAX,
     "A snapshot of a machine every so many ledger records.", "每多少条账本记录做一次状态机快照。"},
    {"sync", CONF_BOOL, FIELD(sync), "true", 0, 0,
     "Embedded mode: fsync the log (false loses the newest events on a power cut).",
     "单机模式：日志是否 fsync（false 时断电会丢失最新事件）。"},
    {"redis_durability", CONF_TEXT, FIELD(redis_durability), "everysec", 0, 0,
     "Private Redis: everysec (append-only file) or none (figures are written anew at each start).",
     "私有 Redis：everysec（追加文件）或 none（每次启动重写指标）。"},
    {"log_level", CONF_TEXT, FIELD(log_level), "info", 0, 0, "debug, info, warn or error.",
     "debug、info、warn 或 error。"},
    {NULL, CONF_TEXT, 0, 0, NULL, 0, 0, NULL, NULL},
};

static const char PREFIX[] = "PACELINE";

/* Values that a type alone does not check. */
static void check_words(const struct settings *settings, struct findings *findings)
{
    enum logger_level level;
    if (!logger_level_parse(slice_of(settings->log_level), &level))
        findings_add(findings, NULL, 0, 0, "bad_value", "log_level is %s; expected debug, info, warn or error",
                     settings->log_level);
    if (strcmp(settings->redis_durability, "everysec") != 0 && strcmp(settings->redis_durability, "none") != 0)
        findings_add(findings, NULL, 0, 0, "bad_value", "redis_durability is %s; expected everysec or none",
                     settings->redis_durability);
    for (const char *p = settings->topic_prefix; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p)) {
            findings_add(findings, NULL, 0, 0, "bad_value", "topic_prefix %s: only A-Z a-z 0-9 . _ - are allowed",
                         settings->topic_prefix);
            break;
        }
}

/* dir and kafka decide which file is read, so environment and flags are looked at before it, too. */
static void find_file(const char *const *flags, char *path, size_t size)
{
    struct settings early;
    struct conf conf;
    struct findings ignored; /* told when they are read for good */
    findings_init(&ignored);
    conf_init(&conf, keys, PREFIX, &early);
    conf_read_environment(&conf, &ignored);
    if (flags)
        conf_read_flags(&conf, flags, &ignored);
    findings_close(&ignored);
    const char *dir = early.dir[0] ? early.dir : early.kafka[0] ? "" : ".paceline";
    if (dir[0])
        snprintf(path, size, "%s/paceline.yaml", dir);
    else
        path[0] = '\0';
}

/* What depends on other settings. Texts that would not fit are findings, not cut. */
static void fill_in(struct settings *settings, struct findings *findings)
{
    if (!settings->kafka[0] && !settings->dir[0])
        snprintf(settings->dir, sizeof settings->dir, ".paceline");
    if (!settings->shards)
        settings->shards = settings->kafka[0] ? 12 : 1;
    if (!settings->store[0]) {
        const char *root = settings->dir[0] ? settings->dir : "/var/lib/paceline";
        int n = snprintf(settings->store, sizeof settings->store, "%s/store", root);
        if (n < 0 || (size_t)n >= sizeof settings->store)
            findings_add(findings, NULL, 0, 0, "bad_value", "dir is too long: %s", settings->dir);
    }
    if (!settings->instance[0] && gethostname(settings->instance, sizeof settings->instance - 1) != 0)
        snprintf(settings->instance, sizeof settings->instance, "localhost");
}

/* What was given as a flag, copied from settings that were read before. */
static void copy_flags(struct settings *to, const struct settings *from)
{
    for (size_t i = 0; keys[i].key; i++)
        if (from->conf.origins[i].source == CONF_FROM_FLAG) {
            memcpy((char *)to + keys[i].offset, (const char *)from + keys[i].offset, keys[i].size);
            to->conf.origins[i] = from->conf.origins[i];
        }
}

static enum err_code load(struct settings *settings, const char *path, bool required, const char *const *flags,
                          const struct settings *before, struct err *err)
{
    *settings = (struct settings){0};
    struct findings findings;
    findings_init(&findings);
    conf_init(&settings->conf, keys, PREFIX, settings);
    if (path[0])
        conf_read_file(&settings->conf, path, required, &findings);
    conf_read_environment(&settings->conf, &findings);
    if (before)
        copy_flags(settings, before);
    if (flags)
        conf_read_flags(&settings->conf, flags, &findings);
    fill_in(settings, &findings);
    check_words(settings, &findings);
    enum err_code code = findings_to_err(&findings, err);
    findings_close(&findings);
    return code;
}

enum err_code settings_load(struct settings *settings, const char *config, const char *const *flags, struct err *err)
{
    char path[640];
    if (config)
        snprintf(path, sizeof path, "%s", config);
    else
        find_file(flags, path, sizeof path);
    return load(settings, path, config != NULL, flags, NULL, err);
}

enum err_code settings_move(struct settings *settings, const char *dir, struct err *err)
{
    const char *const flags[] = {"dir", dir, NULL};
    struct settings before = *settings;
    char path[640];
    snprintf(path, sizeof path, "%.600s/paceline.yaml", dir);
    return load(settings, path, false, flags, &before, err);
}

void settings_print(const struct settings *settings, struct buf *out)
{
    struct conf conf = settings->conf;
    conf.target = (void *)(uintptr_t)settings; /* only read */
    conf_print(&conf, out);
}

void settings_help(bool zh, struct buf *out) { conf_help(keys, PREFIX, zh, out); }

void settings_sample(bool zh, struct buf *out) { conf_sample(keys, PREFIX, zh, out); }
