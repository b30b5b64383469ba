/* kafka_client.c -- see kafka_client.h. */
#include "log/kafka_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Each with its reason: docs/architecture.md, "Kafka". */
static const struct kafka_setting common_settings[] = {
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "500"}, /* the default of 10 s keeps the flow dead long after a broker is back */
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"allow.auto.create.topics", "false"},
    {"topic.metadata.refresh.interval.ms", "60000"},
    {"topic.metadata.propagation.max.ms", "5000"}, /* a topic that is missing this long is missing */
    {"retry.backoff.ms", "50"},
    {NULL, NULL},
};

enum err_code kafka_settings_copy(struct kafka_settings *settings, const struct log_kafka_config *config,
                                  struct err *err)
{
    *settings = (struct kafka_settings){0};
    const char *id = config->client_id ? config->client_id : "paceline";
    if (!config->bootstrap || strlen(config->bootstrap) >= sizeof settings->bootstrap ||
        strlen(id) >= sizeof settings->client_id)
        return err_set(err, ERR_CONFIG, "Kafka: bootstrap servers (up to %d bytes) or client id missing or too long",
                       KAFKA_TEXT_BYTES_MAX);
    memcpy(settings->bootstrap, config->bootstrap, strlen(config->bootstrap));
    memcpy(settings->client_id, id, strlen(id));
    for (size_t i = 0; config->extra && config->extra[i]; i++) {
        if (i >= 2 * KAFKA_EXTRA_MAX) {
            kafka_settings_close(settings);
            return err_set(err, ERR_CONFIG, "Kafka: more than %d extra options", KAFKA_EXTRA_MAX);
        }
        settings->extra[i] = strdup(config->extra[i]);
        if (!settings->extra[i])
            return err_set(err, ERR_MEMORY, "no memory for Kafka options");
    }
    return OK;
}

void kafka_settings_close(struct kafka_settings *settings)
{
    for (size_t i = 0; i < sizeof settings->extra / sizeof settings->extra[0]; i++)
        free(settings->extra[i]);
    *settings = (struct kafka_settings){0};
}

static enum err_code set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return OK;
    return err_set(err, ERR_CONFIG, "Kafka option %s: %s", name, text);
}

static enum err_code set_all(rd_kafka_conf_t *conf, const struct kafka_setting *settings, struct err *err)
{
    enum err_code code = OK;
    for (; settings->name && !code; settings++)
        code = set(conf, settings->name, settings->value, err);
    return code;
}

/* The library's own lines repeat what we report as errors; they would also write to stderr past the log's format. */
static void quiet(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client, (void)level, (void)facility, (void)text;
}

static enum err_code conf_fill(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                               const struct kafka_setting *own, struct err *err)
{
    enum err_code code = set(conf, "bootstrap.servers", settings->bootstrap, err);
    if (!code)
        code = set(conf, "client.id", settings->client_id, err);
    if (!code)
        code = set_all(conf, common_settings, err);
    if (!code)
        code = set_all(conf, own, err);
    for (size_t i = 0; settings->extra[i] && settings->extra[i + 1] && !code; i += 2)
        code = set(conf, settings->extra[i], settings->extra[i + 1], err);
    return code;
}

enum err_code kafka_client_new(const struct kafka_settings *settings, rd_kafka_type_t type,
                               const struct kafka_setting *own, void (*conf_hook)(rd_kafka_conf_t *conf, void *context),
                               void *context, rd_kafka_t **client, struct err *err)
{
    *client = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, quiet);
    if (conf_hook)
        conf_hook(conf, context);
    enum err_code code = conf_fill(conf, settings, own, err);
    if (!code) {
        char text[256];
        *client = rd_kafka_new(type, conf, text, sizeof text); /* owns conf on success */
        if (*client)
            return OK;
        code = err_set(err, ERR_CONFIG, "Kafka client: %s", text);
    }
    rd_kafka_conf_destroy(conf);
    return code;
}

/* --- the end of a client --- */

struct ending {
    rd_kafka_t *client;
    pthread_mutex_t lock;
    pthread_cond_t news;
    int holders; /* the thread and who waits: the last one frees */
    bool done;
};

static void ending_release(struct ending *ending)
{
    bool last = --ending->holders == 0;
    pthread_mutex_unlock(&ending->lock);
    if (!last)
        return;
    pthread_cond_destroy(&ending->news);
    pthread_mutex_destroy(&ending->lock);
    free(ending);
}

static void *ending_run(void *context)
{
    struct ending *ending = context;
    rd_kafka_destroy_flags(ending->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    pthread_mutex_lock(&ending->lock);
    ending->done = true;
    pthread_cond_signal(&ending->news);
    ending_release(ending);
    return NULL;
}

void kafka_client_destroy(rd_kafka_t *client)
{
    if (!client)
        return;
    struct ending *ending = calloc(1, sizeof *ending);
    pthread_t thread;
    if (!ending)
        return; /* no memory: leave it to the end of the process */
    ending->client = client;
    ending->holders = 2;
    pthread_mutex_init(&ending->lock, NULL);
    pthread_cond_init(&ending->news, NULL);
    if (pthread_create(&thread, NULL, ending_run, ending)) {
        ending->holders = 1;
        pthread_mutex_lock(&ending->lock);
        ending_release(ending);
        return;
    }
    pthread_detach(thread);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += KAFKA_DESTROY_WAIT_MS / 1000;
    pthread_mutex_lock(&ending->lock);
    while (!ending->done && pthread_cond_timedwait(&ending->news, &ending->lock, &until) == 0) {
    }
    ending_release(ending);
}

/* --- errors --- */

static const struct {
    rd_kafka_resp_err_t error;
    enum err_code code;
} codes[] = {
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, ERR_GAP},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, ERR_GAP},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_MISSING},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ERR_MISSING},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERR_MISSING},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, ERR_LATER},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, ERR_UNAVAILABLE},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, ERR_DENIED},
    {RD_KAFKA_RESP_ERR__SSL, ERR_DENIED},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ERR_DENIED},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_DENIED},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ERR_DENIED},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ERR_DENIED},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERR_CONFIG},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ERR_CONFIG},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ERR_CONFIG},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, ERR_CONFIG},
};

enum err_code kafka_code(rd_kafka_resp_err_t error)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].error == error)
            return codes[i].code;
    return error ? ERR_UNAVAILABLE : OK;
}

enum err_code kafka_err(struct err *err, rd_kafka_resp_err_t error, const char *what, const char *detail)
{
    return err_set(err, kafka_code(error), "Kafka: %s: %s%s%s", what, rd_kafka_err2str(error), detail ? ": " : "",
                   detail ? detail : "");
}
