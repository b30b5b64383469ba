/* elect.h -- the election seam: which shards are mine? A Kafka consumer group on one topic, or lock files.
 *
 * Only a hint against wasted work: two owners are safe (the ledger's filter and the view's compare-and-set decide).
 * A handle belongs to one thread. */
#ifndef ELECT_ELECT_H
#define ELECT_ELECT_H

#include <stdint.h>

#include "base/err.h"

enum { ELECT_SHARDS_MAX = 4096 };

struct elect;
struct log_kafka_config;
/* Member of consumer group `group` on `topic` (its partitions are the shards), static membership as `instance`. */
enum err_code elect_kafka_open(const struct log_kafka_config *kafka, const char *group, const char *topic,
                               const char *instance, uint32_t shards, struct elect **elect, struct err *err);
/* flock on FOLDER/lock/SERVICE-SHARD, tried at each poll. */
enum err_code elect_lock_open(const char *folder, const char *service, uint32_t shards, struct elect **elect,
                              struct err *err);
enum err_code elect_always_open(uint32_t shards, struct elect **elect, struct err *err); /* tests, one-process mode */
/* Serves callbacks, up to timeout_ms. Call at least every few seconds. ERR_UNAVAILABLE: what was owned still counts as
 * owned. ERR_CONFIG: another process bears the same instance name; nothing is owned. */
enum err_code elect_poll(struct elect *elect, int timeout_ms, struct err *err);
bool elect_owns(const struct elect *elect, uint32_t shard);
void elect_destroy(struct elect **elect); /* leaves the group, frees the locks */

#endif
