/* wiring.h -- from settings to the seams: which log, view, store, election and clock this process runs on.
 *
 * Embedded (settings.dir): the log is DIR/log, the election DIR/lock, the view the private Redis at
 * DIR/redis/redis.sock (unless settings.redis names another). On Kafka: consumer groups elect, the view is
 * settings.redis. Opened once per process; `log` may be shared by threads, views and elections are one per thread. */
#ifndef MACHINE_WIRING_H
#define MACHINE_WIRING_H

#include "base/clock.h"
#include "elect/elect.h"
#include "ledger/record.h"
#include "log/log.h"
#include "machine/settings.h"
#include "store/store.h"
#include "view/view.h"

enum { WIRING_KAFKA_OPTIONS_MAX = 64, WIRING_VIEW_TIMEOUT_MS = 1000 };

struct wiring {
    const struct settings *settings; /* borrowed, lives longer */
    struct clock *clock;
    struct log *log;
    char kafka_options[2048];
    const char *kafka_extra[2 * WIRING_KAFKA_OPTIONS_MAX + 1];
    struct log_kafka_config kafka;
};

/* Opens the log. `client` names the program in Kafka's own logs. */
enum err_code wiring_open(struct wiring *wiring, const struct settings *settings, const char *client, struct err *err);
void wiring_close(struct wiring *wiring); /* after everything opened from it */

/* One per thread. wiring_view with no Redis address at all (embedded): the private socket. */
enum err_code wiring_view(const struct wiring *wiring, struct view **view, struct err *err);
enum err_code wiring_store(const struct wiring *wiring, struct store **store, struct err *err);
/* Who runs `service`: group paceline-SERVICE on the leads topic, or DIR/lock/SERVICE-SHARD. */
enum err_code wiring_elect(const struct wiring *wiring, const char *service, struct elect **elect, struct err *err);

/* PREFIX + name into out; asserts that it fits LOG_TOPIC_BYTES_MAX. */
void wiring_topic(const struct settings *settings, const char *name, char out[LOG_TOPIC_BYTES_MAX + 1]);
/* The address of the view: settings.redis or the private socket; ERR_CONFIG if that path is too long for a socket. */
enum err_code wiring_view_address(const struct settings *settings, char out[600], struct err *err);

/* All topics of design 7. ensure creates what is missing; both refuse what is wrong (partitions, retention, timestamps,
 * compaction) with the command that mends it. */
enum err_code wiring_topics_ensure(const struct wiring *wiring, struct err *err);
enum err_code wiring_topics_check(const struct wiring *wiring, struct err *err);

#endif
