/* ledger_snapshot_shell.h -- the writer's state as objects of the store: "ledger/SHARD/BRANCH-EPOCH-SEQ", newest last.
 *
 * Only the newest three are kept. One that cannot be read is passed over for the next older one: the ledger behind it
 * is longer, nothing else changes. */
#ifndef LEDGER_LEDGER_SNAPSHOT_SHELL_H
#define LEDGER_LEDGER_SNAPSHOT_SHELL_H

#include "store/store.h"
#include "writer.h"

enum { LEDGER_SNAPSHOTS_KEPT = 3, LEDGER_SNAPSHOTS_LISTED_MAX = 256 };

/* Into a new writer. *found false: there is none (or none readable: *skipped says how many were passed over). The
 * writer may have been touched by a damaged one: *writer is replaced then. */
enum err_code ledger_snapshot_load(struct store *store, struct event_codec *codec, uint32_t shard, uint32_t shards,
                                   struct writer **writer, bool *found, uint32_t *skipped, struct err *err);
/* Durable when OK comes back; then older ones are deleted. */
enum err_code ledger_snapshot_save(struct store *store, const struct writer *writer, uint32_t shard, struct err *err);

#endif
