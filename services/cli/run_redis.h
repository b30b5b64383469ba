/* run_redis.h -- the private Redis of `paceline run DIR`: a child on DIR/redis/redis.sock that ends with us.
 *
 * It listens on nothing but that socket, keeps its files in DIR/redis and is started again when it dies: the view is
 * disposable, so losing it costs a rewrite of the figures. */
#ifndef CLI_RUN_REDIS_H
#define CLI_RUN_REDIS_H

#include "machine/settings.h"

struct run_redis;
/* Returns when it answers. ERR_CONFIG: not installed, or the socket's path is too long; ERR_UNAVAILABLE: it does not
 * come up (its log says why). */
enum err_code run_redis_start(const struct settings *settings, struct run_redis **redis, struct err *err);
/* Starts it again if it died; call once a turn. */
enum err_code run_redis_tend(struct run_redis *redis, struct err *err);
void run_redis_stop(struct run_redis **redis); /* TERM, then KILL */

#endif
