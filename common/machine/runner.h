/* runner.h -- one machine on one shard: reads the ledger, folds, keeps the view and the topics of outputs up to date,
 * takes snapshots. The shell around fold.h; everything in it may happen twice or be lost and is made good by the next
 * step (design 6).
 *
 *      start: newest readable snapshot -> or the beginning        owner:   fold, commit figures, send outputs
 *      fold silently to the end seen at start                     standby: fold only, ready to take over
 *
 * One thread. Steps never wait; runner_wait does. Errors are the log's and the ledger's: RETRY (call again later), or
 * FATAL (the shard must stop: gap, fork, corruption, a newer build). Trouble of the view or the store stops nothing. */
#ifndef MACHINE_RUNNER_H
#define MACHINE_RUNNER_H

#include "base/clock.h"
#include "base/health.h"
#include "base/metrics.h"
#include "log/log.h"
#include "machine/crumb.h"
#include "machine/machine.h"
#include "store/store.h"
#include "view/view.h"

enum {
    RUNNER_STEP_RECORDS = 4096,  /* a step ends at the first block boundary behind so many records */
    RUNNER_OUTBOX_TOLD_MAX = 10, /* tenants named in a reason */
    RUNNER_LAG_BLOCKS = 4,       /* nearer to the end than this: commit before too much is dirty */
    RUNNER_STATUS_MS = 250       /* status of a shard that moves: no more often than this */
};

struct event_codec;
struct runner_config {
    const struct machine_type *type;
    struct event_codec *codec; /* this thread's */
    struct log *log;           /* all borrowed */
    struct view *view;         /* NULL: no figures are published */
    struct store *store;       /* NULL: no snapshots */
    struct clock *clock;
    struct crumb *crumb;        /* NULL: crashes are not counted */
    struct metrics *metrics;    /* NULL: nobody reads them */
    struct health_part *health; /* likewise */
    const char *topic_prefix;
    uint32_t shard;
    int64_t snapshot_records;
    bool snapshot_inline; /* in this process: the simulator, fault points */
    uint16_t writer;      /* of generations in the view: differs between processes, also of one after a restart */
};

struct runner;
enum err_code runner_open(const struct runner_config *config, struct runner **runner, struct err *err);
/* Folds what is there, commits, sends. *busy: there may be more at once. */
enum err_code runner_step(struct runner *runner, bool *busy, struct err *err);
void runner_wait(struct runner *runner, int timeout_ms);
void runner_own(struct runner *runner, bool owner); /* what the election says */
/* Caught up once, the view is current, no tenant is stopped; else why not (one line, appended). */
bool runner_ready(const struct runner *runner, struct buf *reason);
/* The orderly end: what is folded is committed, sent and put into a last snapshot. Best effort. */
void runner_finish(struct runner *runner);
void runner_destroy(struct runner **runner);

/* For tests and `show`: the ledger seq that is folded; the fold itself (borrowed, read only). */
uint64_t runner_seq(const struct runner *runner);
const struct fold *runner_fold(const struct runner *runner);
/* The end seen at start was reached. */
bool runner_caught_up(const struct runner *runner);
/* True if nothing is left to do for what was read: figures committed, outputs read back. */
bool runner_settled(const struct runner *runner);

#endif
