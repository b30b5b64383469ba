/* kafka_ends.h -- asks in the background where the sources of a consumer end: one thread a consumer, one question at a
 * time, with the monotonic time at which it was asked. The thread outlives a hanging question harmlessly. */
#ifndef LOG_KAFKA_ENDS_H
#define LOG_KAFKA_ENDS_H

#include "log/log_kafka.h"

struct kafka_ends;
/* `asker` is borrowed and must outlive it, unless kafka_ends_destroy says that it hangs. */
enum err_code kafka_ends_new(rd_kafka_t *asker, const struct log_source *sources, size_t count,
                             struct kafka_ends **ends, struct err *err);
bool kafka_ends_destroy(struct kafka_ends *ends); /* false: the thread hangs and still uses the asker */
void kafka_ends_ask(struct kafka_ends *ends);
bool kafka_ends_get(struct kafka_ends *ends, size_t source, int64_t *end, int64_t *asked_ms);
/* Was the topic or partition gone when it was asked about last? */
bool kafka_ends_missing(struct kafka_ends *ends, size_t source);

#endif
