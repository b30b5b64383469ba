/* refold.h -- release of a tenant: its state is folded anew from its history (design 6, "Poison").
 *
 * From the ledger's beginning while the log keeps it, else from the oldest snapshot in which the tenant still runs (or
 * does not stand yet). Only fold->release and what concerns the whole shard is folded, in a fold beside, some records a
 * step; the fold itself reads nothing until that is done, so its seq is where the refold ends. Then the tenant takes
 * over that state, runs again, and fold->release is NULL. What fails (no beginning and no such snapshot, the machine
 * refuses again) leaves the tenant stopped and says so. */
#ifndef MACHINE_REFOLD_H
#define MACHINE_REFOLD_H

#include "ledger/ledger_reader.h"
#include "log/log.h"
#include "machine/fold.h"
#include "store/store.h"

enum { REFOLD_STEP_RECORDS = 4096 };

/* One under way; zeroed: none. */
struct refold {
    struct fold *beside;
    struct ledger_reader *reader;
    uint64_t seq; /* read so far */
};

/* Call while fold->release stands. *busy: call again at once; else the log has nothing at the moment. `store` may be
 * NULL. Errors of class RETRY only: it begins again at the next call. */
enum err_code refold_step(struct refold *refold, struct fold *fold, struct log *log, struct store *store,
                          const char *ledger_topic, bool *busy, struct err *err);
void refold_close(struct refold *refold);

#endif
