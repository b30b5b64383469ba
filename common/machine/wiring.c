#include "machine/wiring.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

static const int64_t DAY_MS = 86400000;

/* Topics of design 7 with the least time they must keep their records. */
static const struct {
    const char *name;
    int64_t days;
} topics[] = {
#define X(name, topic) {topic, 7},
    LEDGER_SOURCES(X)
#undef X
        {"sales.ledger", 30},
    {"sales.rejects", 30},
};

/* "a=b,c=d" into name, value, ..., NULL. A value ends at the next comma. */
static enum err_code split_options(struct wiring *wiring, struct err *err)
{
    size_t count = 0;
    char *rest = wiring->kafka_options, *pair;
    while ((pair = strsep(&rest, ","))) {
        if (!*pair)
            continue;
        char *value = strchr(pair, '=');
        if (!value || value == pair)
            return err_set(err, ERR_CONFIG, "kafka_options: every entry is name=value, separated by commas");
        if (count == WIRING_KAFKA_OPTIONS_MAX)
            return err_set(err, ERR_CONFIG, "kafka_options: more than %d entries", WIRING_KAFKA_OPTIONS_MAX);
        *value++ = '\0';
        wiring->kafka_extra[2 * count] = pair;
        wiring->kafka_extra[2 * count + 1] = value;
        count++;
    }
    wiring->kafka_extra[2 * count] = NULL;
    return OK;
}

static enum err_code open_kafka(struct wiring *wiring, const char *client, struct err *err)
{
    snprintf(wiring->kafka_options, sizeof wiring->kafka_options, "%s", wiring->settings->kafka_options);
    enum err_code code = split_options(wiring, err);
    if (code)
        return code;
    wiring->kafka = (struct log_kafka_config){wiring->settings->kafka, client, wiring->kafka_extra};
    code = log_kafka_open(&wiring->kafka, &wiring->log, err);
    if (!code)
        log_kafka_replication(wiring->log, (uint32_t)wiring->settings->replication);
    return code;
}

static enum err_code open_folder(struct wiring *wiring, struct err *err)
{
    char folder[600];
    snprintf(folder, sizeof folder, "%s/log", wiring->settings->dir);
    struct stat status;
    if (stat(wiring->settings->dir, &status) != 0)
        return err_set(err, ERR_CONFIG, "%s does not exist; `paceline run %s` creates it, --kafka uses a cluster",
                       wiring->settings->dir, wiring->settings->dir);
    return log_file_open(folder, wiring->clock, wiring->settings->sync, &wiring->log, err);
}

enum err_code wiring_open(struct wiring *wiring, const struct settings *settings, const char *client, struct err *err)
{
    *wiring = (struct wiring){.settings = settings, .clock = clock_system()};
    return settings->kafka[0] ? open_kafka(wiring, client, err) : open_folder(wiring, err);
}

void wiring_close(struct wiring *wiring)
{
    if (wiring->log)
        log_destroy(&wiring->log);
}

enum err_code wiring_view_address(const struct settings *settings, char out[600], struct err *err)
{
    if (settings->redis[0]) {
        snprintf(out, 600, "%s", settings->redis);
        return OK;
    }
    if (settings->kafka[0])
        return err_set(err, ERR_CONFIG, "no Redis is named; give --redis HOST:PORT or PACELINE_REDIS");
    int n = snprintf(out, 600, "%s/redis/redis.sock", settings->dir);
    size_t max = sizeof((struct sockaddr_un *)0)->sun_path - 1;
    if (n < 0 || (size_t)n > max)
        return err_set(err, ERR_CONFIG, "%s is %d bytes long, a socket's path may have %zu; choose a shorter dir", out,
                       n, max);
    return OK;
}

enum err_code wiring_view(const struct wiring *wiring, struct view **view, struct err *err)
{
    char address[600];
    enum err_code code = wiring_view_address(wiring->settings, address, err);
    return code ? code : view_redis_open(address, wiring->settings->topic_prefix, WIRING_VIEW_TIMEOUT_MS, view, err);
}

enum err_code wiring_store(const struct wiring *wiring, struct store **store, struct err *err)
{
    return store_folder_open(wiring->settings->store, store, err);
}

enum err_code wiring_elect(const struct wiring *wiring, const char *service, struct elect **elect, struct err *err)
{
    const struct settings *settings = wiring->settings;
    if (!settings->kafka[0])
        return elect_lock_open(settings->dir, service, (uint32_t)settings->shards, elect, err);
    char group[256], topic[LOG_TOPIC_BYTES_MAX + 1], instance[256];
    snprintf(group, sizeof group, "%spaceline-%s", settings->topic_prefix, service);
    snprintf(instance, sizeof instance, "%s-%s", settings->instance, service);
    wiring_topic(settings, ledger_source_topic(LEDGER_SOURCE_LEADS), topic);
    return elect_kafka_open(&wiring->kafka, group, topic, instance, (uint32_t)settings->shards, elect, err);
}

void wiring_topic(const struct settings *settings, const char *name, char out[LOG_TOPIC_BYTES_MAX + 1])
{
    int n = snprintf(out, LOG_TOPIC_BYTES_MAX + 1, "%s%s", settings->topic_prefix, name);
    assert(n > 0 && n <= LOG_TOPIC_BYTES_MAX); /* a prefix has at most 63 bytes */
}

typedef enum err_code topic_call(struct log *log, const struct log_topic_spec *spec, struct err *err);

static enum err_code each_topic(const struct wiring *wiring, topic_call *call, struct err *err)
{
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        char topic[LOG_TOPIC_BYTES_MAX + 1];
        wiring_topic(wiring->settings, topics[i].name, topic);
        struct log_topic_spec spec = {topic, (uint32_t)wiring->settings->shards, topics[i].days * DAY_MS};
        enum err_code code = call(wiring->log, &spec, err);
        if (code)
            return code;
    }
    return OK;
}

enum err_code wiring_topics_ensure(const struct wiring *wiring, struct err *err)
{
    return each_topic(wiring, log_topic_ensure, err);
}

enum err_code wiring_topics_check(const struct wiring *wiring, struct err *err)
{
    return each_topic(wiring, log_topic_check, err);
}
