/* refold.h -- release of a tenant: its state is folded anew from the beginning of the ledger (design 6, "Poison"). */
#ifndef MACHINE_REFOLD_H
#define MACHINE_REFOLD_H

#include "log/log.h"
#include "machine/fold.h"

/* Reads the ledger from its beginning to fold->seq and folds only fold->release (and what concerns the whole shard) in
 * a fold beside; then the tenant takes over that state, runs again, and fold->release is NULL. What fails (the
 * beginning is no longer kept, the machine crashes again) leaves the tenant stopped and says so. Blocks. */
enum err_code refold(struct fold *fold, struct log *log, const char *ledger_topic, struct err *err);

#endif
