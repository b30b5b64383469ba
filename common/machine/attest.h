/* attest.h -- what a machine swears to: SHA-256 of the canonical state of every tenant that changed (design 6). */
#ifndef MACHINE_ATTEST_H
#define MACHINE_ATTEST_H

#include "machine/fold.h"

/* An attest of this machine and shard that is now in the ledger: where it differs from the one made here, the tenants
 * concerned stop. */
void attest_read_back(struct fold *fold, const struct ledger_record *record, const struct event *event);

#endif
