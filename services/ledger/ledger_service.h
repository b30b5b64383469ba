/* ledger_service.h -- the ledger service of one shard: the shell around writer.h that owns log, store and clock.
 *
 *   LOADING   snapshot, then the ledger up to the end seen at start
 *   STANDBY   follows the ledger; state is warm            -- lead(true) -->  OPENING
 *   OPENING   own open block is appended; reads until it comes back           RUNNING
 *   RUNNING   raw records -> blocks -> read back -> counted
 *   STOPPED   a promise cannot be kept; step returns why until the process is restarted
 *
 * Any trouble while opening or running (delivery error, a block not back within 10 s, a foreign valid open) drops
 * producer and state and goes back to LOADING: nothing is repaired in place (design 4.7). step never waits for news,
 * wait does, so that a simulator can drive many of these in one thread. One owner. */
#ifndef LEDGER_LEDGER_SERVICE_H
#define LEDGER_LEDGER_SERVICE_H

#include "base/clock.h"
#include "log/log.h"
#include "store/store.h"
#include "writer.h"

enum {
    LEDGER_READ_BACK_MS_MAX = 10 * 1000,
    LEDGER_BLOCK_MS_MAX = 1,
    LEDGER_BUSY_BLOCK_MS_MAX = 5, /* while two or more are under way */
    LEDGER_GAP_MS = 60 * 1000,
    LEDGER_CLOCK_STEP_MS_MAX = 10 * 60 * 1000,
    LEDGER_RETRY_MS_MIN = 100,
    LEDGER_RETRY_MS_MAX = 5000
};

/* What others know of this shard's ledger (archive, view): if it is more than the log holds, the writer does not open
 * (design 4.11). All 0: nothing is known. */
struct ledger_known {
    uint32_t branch, epoch;
    uint64_t seq;
};
typedef struct ledger_known ledger_ask_known(void *context);

struct ledger_service_config {
    struct log *log; /* all borrowed, longer-lived than the service */
    struct store *store;
    struct clock *clock;
    struct event_codec *codec; /* one per thread */
    uint32_t shard, shards;
    const char *topic_prefix;    /* "" = none */
    uint64_t snapshot_records;   /* a snapshot every so many ledger records; 0: only when resigning */
    ledger_ask_known *ask_known; /* asked before each open, in the calling thread; NULL: nobody else knows anything */
    void *known_context;
    uint64_t (*random)(void *context); /* ids of writers; NULL: the operating system's */
    void *random_context;
};

#define LEDGER_PHASES(X) X(LOADING) X(STANDBY) X(OPENING) X(RUNNING) X(STOPPED)
enum ledger_phase {
#define X(name) LEDGER_##name,
    LEDGER_PHASES(X)
#undef X
};
const char *ledger_phase_name(enum ledger_phase phase);

struct ledger_service_status {
    enum ledger_phase phase;
    struct filter filter;        /* behind the last valid block read */
    struct ledger_totals totals; /* confirmed */
    uint64_t snapshot_seq;       /* of the newest snapshot; 0: none */
    uint64_t takeovers;          /* own opens that came back valid */
    uint64_t troubles;           /* times the state was dropped */
    uint64_t diverged;           /* machine outputs that contradict the ledger */
    uint64_t ids, id_bytes, tenants;
    uint32_t unconfirmed; /* blocks */
    uint64_t voids[FILTER_VERDICT_COUNT];
};

struct ledger_service;
/* Copies the configuration. Nothing is read yet. */
struct ledger_service *ledger_service_open(const struct ledger_service_config *config);
/* Drops what is not confirmed; call lead(false) and step until STANDBY first to end in peace. */
void ledger_service_destroy(struct ledger_service **service);

void ledger_service_lead(struct ledger_service *service, bool lead); /* what the election says; a hint */
/* One bounded turn. OK, or the reason of STOPPED. *busy: call again at once. Trouble that heals is told by
 * ledger_service_trouble. */
enum err_code ledger_service_step(struct ledger_service *service, bool *busy, struct err *err);
void ledger_service_wait(struct ledger_service *service, int timeout_ms);

enum ledger_phase ledger_service_phase(const struct ledger_service *service);
/* Ready: standing by at the end, or running with a clock that may be trusted. Else *reason says why not. */
bool ledger_service_ready(const struct ledger_service *service, const char **reason);
/* Text of the last trouble since the last call; NULL: none. For the log of the shell. */
const char *ledger_service_trouble(struct ledger_service *service);
void ledger_service_status(const struct ledger_service *service, struct ledger_service_status *status);

/* The wall clock stepped by more than 10 min against the monotonic one: the shard stands still until somebody looked at
 * it. accept goes on with the clock as it is. */
bool ledger_service_clock_held(const struct ledger_service *service);
void ledger_service_accept_clock(struct ledger_service *service);

#endif
