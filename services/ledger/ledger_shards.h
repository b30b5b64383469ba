/* ledger_shards.h -- the ledger service of all shards: one thread per shard, one for the election (design 9).
 *
 * Used alike by paceline-ledger and `paceline run`. A shard that must stop (fork, gap, lost tail) stops alone and says
 * so in health and log; the service has failed when no shard is left. A shard whose clock stepped stands still until
 * the file STORE/accept-clock is touched. */
#ifndef LEDGER_LEDGER_SHARDS_H
#define LEDGER_LEDGER_SHARDS_H

#include "machine/wiring.h"

struct metrics;
struct health;
struct ledger_shards;

/* Everything is borrowed until ledger_shards_stop. */
enum err_code ledger_shards_start(const struct wiring *wiring, struct metrics *metrics, struct health *health,
                                  struct ledger_shards **shards, struct err *err);
/* Every shard runs, or stands by at the end of its ledger. */
bool ledger_shards_ready(struct ledger_shards *shards);
/* True if no shard runs any more; err says why the first one stopped. */
bool ledger_shards_failed(struct ledger_shards *shards, struct err *err);
/* Finishes the blocks under way, takes last snapshots, joins the threads. */
void ledger_shards_stop(struct ledger_shards **shards);

#endif
