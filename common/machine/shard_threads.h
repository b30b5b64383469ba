/* shard_threads.h -- the threads of one service in a process: one for each shard, one for the election.
 *
 * A service gives a function that works on one shard until it is told to stop; here stand the threads, the store they
 * share, who owns which shard, and how the end of one is told. Shards fail apart: the service has failed when none is
 * left. The handle belongs to one thread; a seat belongs to the thread of its shard. */
#ifndef MACHINE_SHARD_THREADS_H
#define MACHINE_SHARD_THREADS_H

#include "machine/wiring.h"

struct shard_threads;
struct shard_seat; /* one shard, as its thread sees it */

/* Works on a shard until shard_seat_stops; OK, or why the shard cannot go on. */
typedef enum err_code shard_work(void *context, struct shard_seat *seat, struct err *err);

/* `service` names the election, the log lines and the reasons; context is lent to every call of work. All arguments are
 * borrowed until stop. On failure *threads stays NULL. */
enum err_code shard_threads_start(const struct wiring *wiring, const char *service, shard_work *work, void *context,
                                  struct shard_threads **threads, struct err *err);
bool shard_threads_ready(const struct shard_threads *threads); /* every shard said so */
/* True when every shard has ended; *err: of the first that failed. */
bool shard_threads_failed(const struct shard_threads *threads, struct err *err);
void shard_threads_stop(struct shard_threads **threads); /* asks, waits for all, frees */

uint32_t shard_seat_number(const struct shard_seat *seat);
struct store *shard_seat_store(const struct shard_seat *seat);
bool shard_seat_stops(const struct shard_seat *seat); /* asked to end */
bool shard_seat_owned(const struct shard_seat *seat); /* what the election says; a hint */
void shard_seat_ready(struct shard_seat *seat, bool ready);

#endif
