/* snapshot.h -- the fold as an immutable object of the store: start from the newest readable one, not from the
 * beginning (design 6, "Snapshots").
 *
 * Name: MACHINE/SHARD/BRANCH-SEQ, seq with 20 digits. Content: format and machine version, filter state, head, one
 * section per tenant, each with its SHA-256, and an end mark: what is damaged or cut is refused, and an older one is
 * taken. */
#ifndef MACHINE_SNAPSHOT_H
#define MACHINE_SNAPSHOT_H

#include "ledger/filter.h"
#include "machine/fold.h"
#include "store/store.h"

enum { SNAPSHOTS_KEPT = 3, SNAPSHOTS_LISTED_MAX = 64 };

/* Durable behind OK. */
enum err_code snapshot_write(const struct fold *fold, const struct filter *filter, struct store *store,
                             struct err *err);
/* Loads the newest one that can be read, is of this machine version and lies inside the log's [begin, end]; `refused`
 * are counted and told as warnings. ERR_MISSING: none; *fold is NULL then. */
enum err_code snapshot_load(const struct machine_type *type, struct event_codec *codec, uint32_t shard, int64_t begin,
                            int64_t end, struct store *store, struct fold **fold, struct filter *filter,
                            unsigned *refused, struct err *err);
/* Deletes all but the newest SNAPSHOTS_KEPT. */
/* The oldest readable snapshot in which the tenant runs or does not stand yet; the fold holds that tenant alone.
 * ERR_MISSING: none. */
struct snapshot_of_tenant {
    struct slice tenant;
    uint64_t until_seq; /* none behind it */
    int64_t begin, end; /* offsets that the log keeps */
};
enum err_code snapshot_load_tenant(const struct machine_type *type, struct event_codec *codec, uint32_t shard,
                                   const struct snapshot_of_tenant *wanted, struct store *store, struct fold **fold,
                                   struct filter *filter, struct err *err);
enum err_code snapshot_prune(const struct machine_type *type, uint32_t shard, struct store *store, struct err *err);

#endif
