/* kafka_client.h -- what consumers, producers, topics and elections on Kafka share: client handles with the settings
 * that matter, errors in our terms, and an end that cannot hang. Internal to log/ and elect/. */
#ifndef LOG_KAFKA_CLIENT_H
#define LOG_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "log/log_impl.h"

enum { KAFKA_EXTRA_MAX = 64, KAFKA_TEXT_BYTES_MAX = 2048, KAFKA_DESTROY_WAIT_MS = 5000 };

/* A deep copy of log_kafka_config. */
struct kafka_settings {
    char bootstrap[KAFKA_TEXT_BYTES_MAX];
    char client_id[128];
    char *extra[2 * KAFKA_EXTRA_MAX + 1];
};
enum err_code kafka_settings_copy(struct kafka_settings *settings, const struct log_kafka_config *config,
                                  struct err *err);
void kafka_settings_close(struct kafka_settings *settings);

/* One setting of a client. */
struct kafka_setting {
    const char *name, *value;
};
/* A client of `type` with our settings, then `own` (ended by a NULL name), then the operator's extra ones. `conf_hook`
 * (may be NULL) sets callbacks. Does not wait for the broker. */
enum err_code kafka_client_new(const struct kafka_settings *settings, rd_kafka_type_t type,
                               const struct kafka_setting *own, void (*conf_hook)(rd_kafka_conf_t *conf, void *context),
                               void *context, rd_kafka_t **client, struct err *err);

/* Destroys the client in the background and waits at most KAFKA_DESTROY_WAIT_MS: with librdkafka 2.0.2 it can hang when
 * a consumed topic was deleted. What hangs is left to the end of the process. */
void kafka_client_destroy(rd_kafka_t *client);

/* Our code for Kafka's. */
enum err_code kafka_code(rd_kafka_resp_err_t error);
enum err_code kafka_err(struct err *err, rd_kafka_resp_err_t error, const char *what, const char *detail);

#endif
