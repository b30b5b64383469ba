/* run_ledger.h -- the ledger service inside `paceline run`: one thread per shard, one for the election. */
#ifndef CLI_RUN_LEDGER_H
#define CLI_RUN_LEDGER_H

#include "machine/wiring.h"

struct health;
struct run_ledger;
/* Everything is borrowed until run_ledger_stop. */
enum err_code run_ledger_start(const struct wiring *wiring, struct health *health, struct run_ledger **ledger,
                               struct err *err);
bool run_ledger_ready(struct run_ledger *ledger);                   /* every shard stands by or runs */
bool run_ledger_failed(struct run_ledger *ledger, struct err *err); /* no shard is left */
/* Resigns in peace (what is read is counted, last snapshots are taken) and joins the threads. */
void run_ledger_stop(struct run_ledger **ledger);

#endif
