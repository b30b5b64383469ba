/* snapshotter.h -- takes snapshots without stopping the fold: a forked child writes what it sees at the fork (a record
 * boundary), the parent goes on and looks for its end now and then. Before each, the machine recounts its conservation;
 * a breach freezes the tenant and gives no snapshot (semantics 3). */
#ifndef MACHINE_SNAPSHOTTER_H
#define MACHINE_SNAPSHOTTER_H

#include <sys/types.h>

#include "base/clock.h"
#include "machine/snapshot.h"

enum { SNAPSHOT_MS_MAX = 600000 /* a child that takes longer is ended */ };

struct snapshotter {
    struct store *store; /* borrowed; NULL: never */
    struct clock *clock;
    int64_t every_records;
    bool in_process;
    uint64_t last_seq;  /* of the newest snapshot written or loaded */
    uint64_t tried_seq; /* no new attempt before every_records behind this */
    pid_t child;        /* 0: none */
    int breaches;       /* read end: names of tenants that fail their recount */
    uint64_t child_seq;
    int64_t started_ms;  /* monotonic */
    int64_t duration_ms; /* of the last one */
    uint64_t written, failed;
};

/* Starts one if it is time to; at a block boundary only. */
void snapshotter_step(struct snapshotter *snapshotter, struct fold *fold, const struct filter *filter);
/* One now, in this process. */
void snapshotter_now(struct snapshotter *snapshotter, struct fold *fold, const struct filter *filter);
/* Looks for the end of the child. */
void snapshotter_reap(struct snapshotter *snapshotter, struct fold *fold);
void snapshotter_close(struct snapshotter *snapshotter); /* ends the child */

#endif
