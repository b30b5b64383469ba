/* ledger_service.c -- see ledger_service.h. */
#include "ledger_service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/fault.h"
#include "intake.h"
#include "ledger_snapshot_shell.h"

enum { READ_BLOCKS_PER_STEP = 64, TAKE_RECORDS_PER_STEP = 8192, CLOCK_EVERY_RECORDS = 64, LOG_TIMEOUT_MS = 5000 };

struct ledger_service {
    struct ledger_service_config config;
    char prefix[LOG_TOPIC_BYTES_MAX + 1], ledger_topic[LOG_TOPIC_BYTES_MAX + 1], rejects_topic[LOG_TOPIC_BYTES_MAX + 1];
    enum ledger_phase phase;
    bool lead;
    struct writer *writer;
    struct ledger_reader *reader; /* own one until RUNNING, then the intake's */
    int64_t load_end;             /* LOADING ends there */
    struct log_producer *producer, *rejects;
    uint64_t rejects_sent; /* a block waits until the reject bytes before it are acknowledged */
    uint64_t rejects_acked;
    struct intake *intake;
    struct merge merge;
    int64_t opened_ms, begun_ms; /* monotonic: own open; block being built */
    int64_t retry_at_ms, retry_ms;
    uint64_t snapshot_seq, swept_seq;
    bool snapshot_due;

    int64_t clock_offset_ms; /* wall - monotonic as last seen */
    bool clock_held;

    struct ledger_known seen; /* the most this service ever read as valid: outlives the state that is dropped */
    uint64_t takeovers, troubles, diverged;
    uint64_t voids[FILTER_VERDICT_COUNT];
    struct err stop, trouble;
    bool trouble_new;
};

const char *ledger_phase_name(enum ledger_phase phase)
{
    static const char *const names[] = {
#define X(name) #name,
        LEDGER_PHASES(X)
#undef X
    };
    return (unsigned)phase < sizeof names / sizeof *names ? names[phase] : "?";
}

static int64_t wall_ms(const struct ledger_service *service)
{
    return service->config.clock->now_ms(service->config.clock);
}

static int64_t monotonic_ms(const struct ledger_service *service)
{
    return service->config.clock->monotonic_ms(service->config.clock);
}

struct ledger_service *ledger_service_open(const struct ledger_service_config *config)
{
    struct ledger_service *service = calloc(1, sizeof *service);
    if (!service)
        abort();
    service->config = *config;
    (void)snprintf(service->prefix, sizeof service->prefix, "%s", config->topic_prefix ? config->topic_prefix : "");
    (void)snprintf(service->ledger_topic, sizeof service->ledger_topic, "%.180ssales.ledger", service->prefix);
    (void)snprintf(service->rejects_topic, sizeof service->rejects_topic, "%.180ssales.rejects", service->prefix);
    service->clock_offset_ms = wall_ms(service) - monotonic_ms(service);
    service->retry_at_ms = monotonic_ms(service);
    return service;
}

static void note_voids(struct ledger_service *service)
{
    for (unsigned v = 0; service->reader && v < FILTER_VERDICT_COUNT; v++)
        service->voids[v] += ledger_reader_counts(service->reader)[v];
}

static void close_reader(struct ledger_service *service)
{
    note_voids(service);
    if (service->intake)
        service->reader = NULL;
    else
        ledger_reader_destroy(&service->reader);
    intake_destroy(&service->intake);
}

static void close_producers(struct ledger_service *service)
{
    log_producer_destroy(&service->producer);
    log_producer_destroy(&service->rejects);
    service->rejects_sent = service->rejects_acked = 0;
}

static struct ledger_known more(struct ledger_known a, struct ledger_known b)
{
    if (a.branch != b.branch)
        return a.branch > b.branch ? a : b;
    return (struct ledger_known){a.branch, a.epoch > b.epoch ? a.epoch : b.epoch, a.seq > b.seq ? a.seq : b.seq};
}

static struct ledger_known read_so_far(const struct ledger_service *service)
{
    const struct filter *filter = writer_filter(service->writer);
    return (struct ledger_known){filter->branch, filter->epoch, filter->seq};
}

static void drop(struct ledger_service *service)
{
    if (service->writer) {
        service->diverged += writer_diverged(service->writer);
        service->seen = more(service->seen, read_so_far(service));
    }
    close_producers(service);
    close_reader(service);
    writer_destroy(&service->writer);
    service->snapshot_due = false;
}

void ledger_service_destroy(struct ledger_service **service)
{
    if (*service)
        drop(*service);
    free(*service);
    *service = NULL;
}

void ledger_service_lead(struct ledger_service *service, bool lead) { service->lead = lead; }

/* --- reading the ledger --- */

static enum err_code read_ledger(struct ledger_service *service, bool *busy, struct err *err)
{
    for (unsigned i = 0; i < READ_BLOCKS_PER_STEP; i++) {
        struct ledger_block block;
        bool got;
        if (service->phase == LEDGER_RUNNING)
            FAULT_POINT("ledger.before_readback");
        enum err_code code = ledger_reader_block(service->reader, &block, &got, err);
        if (code == OK && got)
            code = writer_read(service->writer, &block, err);
        if (code != OK || !got)
            return code;
    }
    *busy = true;
    return OK;
}

static enum err_code follow_from(struct ledger_service *service, const struct filter *from, struct err *err)
{
    enum err_code code = ledger_reader_open(service->config.log, service->ledger_topic, from, &service->reader, err);
    if (code == OK)
        ledger_reader_expect(service->reader, event_codec_ledger_schema(service->config.codec));
    return code;
}

static enum err_code open_reader(struct ledger_service *service, struct err *err)
{
    const struct filter *filter = writer_filter(service->writer);
    int64_t begin;
    enum err_code code = log_range(service->config.log, service->ledger_topic, service->config.shard, LOG_TIMEOUT_MS,
                                   &begin, &service->load_end, err);
    if (code != OK)
        return code == ERR_MISSING
                   ? err_set(err, ERR_CONFIG, "topic %s is missing; create the topics first", service->ledger_topic)
                   : code;
    if (filter->next_offset < begin)
        return err_set(err, ERR_GAP,
                       "ledger shard %u: offsets %lld to %lld are no longer kept and no snapshot covers them; restore "
                       "the ledger from the archive",
                       filter->shard, (long long)filter->next_offset, (long long)begin);
    if (filter->next_offset > service->load_end)
        return err_set(err, ERR_GAP,
                       "ledger shard %u: a snapshot knows seq %llu at offset %lld, but the log ends at %lld: "
                       "acknowledged records are lost; see \"Lost records\" in docs/ledger.md",
                       filter->shard, (unsigned long long)filter->seq, (long long)filter->next_offset,
                       (long long)service->load_end);
    return follow_from(service, filter, err);
}

static enum err_code load(struct ledger_service *service, struct err *err)
{
    bool found;
    uint32_t skipped;
    const struct ledger_service_config *c = &service->config;
    service->writer = writer_new(c->codec, c->shard, c->shards);
    enum err_code code =
        ledger_snapshot_load(c->store, c->codec, c->shard, c->shards, &service->writer, &found, &skipped, err);
    if (code != OK)
        return code;
    service->snapshot_seq = found ? writer_filter(service->writer)->seq : 0;
    return open_reader(service, err);
}

static enum err_code step_loading(struct ledger_service *service, bool *busy, struct err *err)
{
    if (monotonic_ms(service) < service->retry_at_ms)
        return OK;
    enum err_code code = service->writer ? OK : load(service, err);
    if (code == OK)
        code = read_ledger(service, busy, err);
    if (code == OK && writer_filter(service->writer)->next_offset >= service->load_end) {
        service->phase = LEDGER_STANDBY;
        *busy = true;
    } else if (code == OK && ledger_reader_filter(service->reader)->next_offset >= service->load_end) {
        service->phase = LEDGER_STANDBY; /* the tail was void */
        *busy = true;
    }
    return code;
}

/* --- taking over --- */

static uint64_t random_id(const struct ledger_service *service)
{
    uint64_t id = 0;
    if (service->config.random)
        return service->config.random(service->config.random_context);
    if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
        abort();
    return id;
}

/* Does the log hold what this service has read before and what others say they have? *behind: perhaps, it grew after
 * the last look (they may have read a new block of another writer). */
static enum err_code check_known(const struct ledger_service *service, bool *behind, struct err *err)
{
    struct ledger_known known = service->seen, own = read_so_far(service);
    const struct filter *filter = writer_filter(service->writer);
    int64_t begin, end;
    *behind = false;
    if (service->config.ask_known)
        known = more(known, service->config.ask_known(service->config.known_context));
    struct ledger_known most = more(known, own);
    if (most.branch == own.branch && most.epoch == own.epoch && most.seq == own.seq)
        return OK;
    enum err_code code =
        log_range(service->config.log, service->ledger_topic, service->config.shard, LOG_TIMEOUT_MS, &begin, &end, err);
    *behind = code == OK && ledger_reader_filter(service->reader)->next_offset < end;
    if (code != OK || *behind)
        return code;
    return err_set(err, ERR_GAP,
                   "ledger shard %u ends at epoch %u seq %llu, but others have seen epoch %u seq %llu: acknowledged "
                   "records are lost; see \"Lost records\" in docs/ledger.md",
                   filter->shard, filter->epoch, (unsigned long long)filter->seq, known.epoch,
                   (unsigned long long)known.seq);
}

static enum err_code step_standby(struct ledger_service *service, bool *busy, struct err *err)
{
    const struct slice no_key = {NULL, 0};
    enum err_code code = read_ledger(service, busy, err);
    if (code != OK || !service->lead || *busy)
        return code;
    bool behind;
    if ((code = check_known(service, &behind, err)) != OK || behind)
        return code;
    if ((code = log_producer_open(service->config.log, &service->producer, err)) != OK ||
        (code = log_producer_open(service->config.log, &service->rejects, err)) != OK)
        return code;
    struct slice open = writer_open(service->writer, random_id(service));
    service->opened_ms = monotonic_ms(service);
    service->phase = LEDGER_OPENING;
    *busy = true;
    return log_append(service->producer, service->ledger_topic, service->config.shard, no_key, open, no_key, err);
}

static enum err_code check_producer(struct log_producer *producer, struct log_progress *progress, struct err *err)
{
    log_producer_poll(producer, 0, progress);
    if (progress->failed == 0)
        return OK;
    return err_set(err, ERR_UNAVAILABLE, "the log refused an append; taking over anew");
}

static enum err_code begin_running(struct ledger_service *service, struct err *err)
{
    int64_t positions[LEDGER_SOURCE_COUNT];
    char group[LOG_TOPIC_BYTES_MAX + 32];
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        positions[s] = writer_position(service->writer, (enum ledger_source)s);
    (void)snprintf(group, sizeof group, "%spaceline-ledger-raw", service->prefix);
    const struct filter filter = *writer_filter(service->writer);
    const struct filter from = service->reader ? *ledger_reader_filter(service->reader) : filter;
    close_reader(service);
    enum err_code code = intake_open(service->config.log, group, service->prefix, service->config.shard, positions,
                                     &from, &service->intake, err);
    if (code != OK)
        return code;
    service->reader = intake_ledger(service->intake);
    ledger_reader_expect(service->reader, event_codec_ledger_schema(service->config.codec));
    merge_init(&service->merge, monotonic_ms(service));
    service->phase = LEDGER_RUNNING;
    service->takeovers++;
    service->retry_ms = 0;
    return OK;
}

static enum err_code step_opening(struct ledger_service *service, bool *busy, struct err *err)
{
    struct log_progress progress;
    enum err_code code = read_ledger(service, busy, err);
    if (code != OK)
        return code;
    switch (writer_phase(service->writer)) {
    case WRITER_LEADING:
        *busy = true;
        return begin_running(service, err);
    case WRITER_DROPPED:
        return err_set(err, ERR_MOVED, "another writer opened the ledger first");
    case WRITER_FOLLOWING:
    case WRITER_OPENING:
        break;
    }
    if (monotonic_ms(service) - service->opened_ms > LEDGER_READ_BACK_MS_MAX)
        return err_set(err, ERR_TIMEOUT, "own open block did not come back within 10 s");
    return check_producer(service->producer, &progress, err);
}

/* --- running --- */

static bool check_clock(struct ledger_service *service)
{
    int64_t offset_ms = wall_ms(service) - monotonic_ms(service);
    int64_t step_ms = offset_ms - service->clock_offset_ms;
    if (step_ms > LEDGER_CLOCK_STEP_MS_MAX || step_ms < -LEDGER_CLOCK_STEP_MS_MAX)
        service->clock_held = true;
    if (!service->clock_held)
        service->clock_offset_ms = offset_ms; /* slow drift is no step */
    return !service->clock_held;
}

static enum err_code check_running(struct ledger_service *service, int64_t now_ms, struct err *err)
{
    struct log_progress progress, rejects;
    if (writer_phase(service->writer) == WRITER_DROPPED)
        return err_set(err, ERR_MOVED, "another writer opened the ledger");
    enum err_code code = check_producer(service->producer, &progress, err);
    if (code == OK)
        code = check_producer(service->rejects, &rejects, err);
    if (code != OK)
        return code;
    service->rejects_acked = rejects.acked;
    int64_t sent_ms = writer_oldest_sent_ms(service->writer);
    if (sent_ms >= 0 && now_ms - sent_ms > LEDGER_READ_BACK_MS_MAX)
        return err_set(err, ERR_TIMEOUT, "a block did not come back within 10 s");
    return OK;
}

/* Appends the sealed block, unless the bytes of its rejects are still under way. */
static enum err_code send(struct ledger_service *service, struct err *err)
{
    const struct slice no_key = {NULL, 0};
    struct slice sealed = writer_sealed(service->writer);
    if (!sealed.n || service->rejects_acked < service->rejects_sent)
        return OK;
    FAULT_POINT("ledger.before_append");
    enum err_code code =
        log_append(service->producer, service->ledger_topic, service->config.shard, no_key, sealed, no_key, err);
    if (code == ERR_LATER)
        return OK; /* stays sealed */
    if (code == OK) {
        writer_sent(service->writer, monotonic_ms(service));
        FAULT_POINT("ledger.after_append");
    }
    return code;
}

/* Closes the block being built. *done false: there is no room for another one under way. */
static enum err_code seal(struct ledger_service *service, bool *done, struct err *err)
{
    *done = false;
    if (writer_sealed(service->writer).n || !writer_room(service->writer) || !writer_building(service->writer))
        return OK;
    writer_seal(service->writer);
    *done = true;
    return send(service, err);
}

static enum err_code append_reject(struct ledger_service *service, struct err *err)
{
    struct slice key, value, no_origin = {NULL, 0};
    writer_reject(service->writer, &key, &value);
    enum err_code code =
        log_append(service->rejects, service->rejects_topic, service->config.shard, key, value, no_origin, err);
    if (code == ERR_LATER) {
        struct log_progress progress;
        log_producer_poll(service->rejects, 1, &progress);
        code = log_append(service->rejects, service->rejects_topic, service->config.shard, key, value, no_origin, err);
    }
    service->rejects_sent += code == OK;
    return code;
}

/* One raw record. *took false: the block is full and must be sealed first. */
static enum err_code take(struct ledger_service *service, enum ledger_source source, bool *took, struct err *err)
{
    const struct log_record *head = intake_head(service->intake, source);
    *took = true;
    if (head->offset <= writer_position(service->writer, source)) /* a client that delivers again */
        return intake_next(service->intake, source, err);
    enum writer_taken taken = writer_take(service->writer, source, head);
    *took = taken != WRITER_FULL;
    if (!*took)
        return OK;
    if (taken == WRITER_REJECTED) {
        enum err_code code = append_reject(service, err);
        if (code != OK)
            return code;
    }
    return intake_next(service->intake, source, err);
}

/* False: the block is full; the merge answers the same again once it is sealed. */
static bool tell_stalled(struct ledger_service *service, enum ledger_source source)
{
    int64_t since_ms = wall_ms(service) - MERGE_SILENT_MS_MAX;
    if (!writer_source_stalled(service->writer, source, since_ms))
        return false;
    merge_told(&service->merge, source);
    return true;
}

/* Nothing valid for a minute: say so before anything else (design 5.6). */
static bool note_gap(struct ledger_service *service)
{
    if (writer_building(service->writer) || writer_unconfirmed(service->writer))
        return true;
    int64_t last_ms = writer_block_ms(service->writer), now_ms = wall_ms(service);
    if (last_ms == 0 || now_ms - last_ms <= LEDGER_GAP_MS)
        return true;
    return writer_gap(service->writer, last_ms, now_ms);
}

/* Is the time of the block being built over? While others are under way and input waits, a larger one costs its records
 * nothing and saves a round trip for each block that is not made. */
static bool block_is_old(struct ledger_service *service)
{
    int64_t most_ms = writer_unconfirmed(service->writer) >= 2 ? LEDGER_BUSY_BLOCK_MS_MAX : LEDGER_BLOCK_MS_MAX;
    return monotonic_ms(service) - service->begun_ms >= most_ms;
}

/* Takes what the merge gives until nothing waits, nothing fits or the turn is over. *idle: no input waits. */
static enum err_code take_all(struct ledger_service *service, int64_t now_ms, bool *idle, bool *busy, struct err *err)
{
    int64_t wall = wall_ms(service);
    *idle = false;
    for (unsigned i = 0; i < TAKE_RECORDS_PER_STEP; i++) {
        enum ledger_source source;
        enum err_code code = OK;
        bool took = true, sealed;
        if (writer_sealed(service->writer).n)
            return OK;
        enum merge_answer answer = merge_next(&service->merge, intake_sources(service->intake), wall, now_ms, &source);
        if (answer == MERGE_IDLE || answer == MERGE_WAIT) {
            *idle = true;
            return OK;
        }
        if (!note_gap(service))
            return OK;
        if (answer == MERGE_TAKE)
            code = take(service, source, &took, err);
        else
            took = tell_stalled(service, source);
        if (code == OK && !took)
            code = seal(service, &sealed, err);
        if (code != OK || (!took && !sealed))
            return code;
        if (i % CLOCK_EVERY_RECORDS == 0 && block_is_old(service))
            break;
    }
    *busy = true;
    return OK;
}

static void tick(struct ledger_service *service, int64_t now_ms)
{
    if (!merge_tick_due(&service->merge, intake_sources(service->intake), now_ms) || writer_sealed(service->writer).n ||
        !note_gap(service))
        return;
    if (writer_tick(service->writer, wall_ms(service)))
        merge_ticked(&service->merge, now_ms);
}

static bool wants_ends(const struct ledger_service *service, int64_t now_ms)
{
    if (merge_tick_in_ms(&service->merge, now_ms) <= TICK_FAST_MS / 2)
        return true;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        if (service->merge.silent_since_ms[s] >= 0)
            return true;
    return false;
}

static enum err_code take_turn(struct ledger_service *service, int64_t now_ms, bool *busy, struct err *err)
{
    bool idle, sealed;
    if (wants_ends(service, now_ms))
        intake_ask_ends(service->intake, now_ms);
    enum err_code code = intake_refresh(service->intake, now_ms, err);
    if (writer_building(service->writer) == 0)
        service->begun_ms = now_ms;
    if (code == OK)
        code = take_all(service, now_ms, &idle, busy, err);
    if (code == OK)
        tick(service, now_ms);
    /* Here the block is closed: no input waits, it is full, or its time is over. */
    if (code == OK && (idle || block_is_old(service)))
        code = seal(service, &sealed, err);
    return code;
}

static enum err_code save_snapshot(struct ledger_service *service, struct err *err)
{
    enum err_code code = ledger_snapshot_save(service->config.store, service->writer, service->config.shard, err);
    service->snapshot_due = false;
    service->swept_seq = writer_filter(service->writer)->seq;
    if (code != OK) { /* the ledger itself is safe: say so, and try again after as many records */
        service->trouble = *err;
        service->trouble_new = true;
        (void)err_wrap(&service->trouble, "snapshot");
    } else {
        service->snapshot_seq = service->swept_seq;
    }
    return OK;
}

/* Going or resigning: finish what is under way, then keep following. */
static enum err_code drain(struct ledger_service *service, bool *busy, struct err *err)
{
    bool sealed;
    enum err_code code = seal(service, &sealed, err);
    if (code != OK || !writer_between(service->writer) || service->lead) /* lead: only a snapshot was due */
        return code;
    code = save_snapshot(service, err);
    const struct filter from = *ledger_reader_filter(service->reader);
    writer_resign(service->writer);
    close_producers(service);
    close_reader(service);
    service->phase = LEDGER_STANDBY;
    *busy = true;
    return code == OK ? follow_from(service, &from, err) : code;
}

static enum err_code step_running(struct ledger_service *service, bool *busy, struct err *err)
{
    int64_t now_ms = monotonic_ms(service);
    enum err_code code = read_ledger(service, busy, err);
    if (code == OK)
        code = check_running(service, now_ms, err);
    if (code == OK)
        code = send(service, err);
    if (code != OK)
        return code;
    intake_commit(service->intake, writer_confirmed(service->writer));
    uint64_t every = service->config.snapshot_records, seq = writer_filter(service->writer)->seq;
    uint64_t last = service->swept_seq > service->snapshot_seq ? service->swept_seq : service->snapshot_seq;
    service->snapshot_due |= every && seq - last >= every;
    if (service->snapshot_due && writer_between(service->writer))
        code = save_snapshot(service, err);
    if (code != OK)
        return code;
    bool trusted = check_clock(service);
    if (!service->lead || service->snapshot_due || !trusted)
        return drain(service, busy, err);
    return take_turn(service, now_ms, busy, err);
}

/* --- the state machine --- */

static void fail(struct ledger_service *service, const struct err *err)
{
    drop(service);
    service->troubles++;
    if (err_class(err->code) == ERR_CLASS_FATAL) {
        service->stop = *err;
        service->phase = LEDGER_STOPPED;
        return;
    }
    int64_t wait_ms = service->retry_ms ? 2 * service->retry_ms : LEDGER_RETRY_MS_MIN;
    service->retry_ms = wait_ms < LEDGER_RETRY_MS_MAX ? wait_ms : LEDGER_RETRY_MS_MAX;
    service->retry_at_ms = monotonic_ms(service) + service->retry_ms;
    service->trouble = *err;
    service->trouble_new = true;
    service->phase = LEDGER_LOADING;
}

enum err_code ledger_service_step(struct ledger_service *service, bool *busy, struct err *err)
{
    static enum err_code (*const steps[])(struct ledger_service *, bool *, struct err *) = {
        [LEDGER_LOADING] = step_loading,
        [LEDGER_STANDBY] = step_standby,
        [LEDGER_OPENING] = step_opening,
        [LEDGER_RUNNING] = step_running,
    };
    struct err local = {OK, ""};
    *busy = false;
    if (service->phase != LEDGER_STOPPED && steps[service->phase](service, busy, &local) != OK)
        fail(service, &local);
    if (service->phase != LEDGER_STOPPED)
        return OK;
    *busy = false;
    return err_set(err, service->stop.code, "%s", service->stop.text);
}

static int64_t min_ms(int64_t a, int64_t b) { return a < b ? a : b; }

void ledger_service_wait(struct ledger_service *service, int timeout_ms)
{
    int64_t now_ms = monotonic_ms(service), wait_ms = timeout_ms;
    if (service->phase == LEDGER_RUNNING) {
        wait_ms = min_ms(wait_ms, merge_tick_in_ms(&service->merge, now_ms) + 1);
        if (writer_building(service->writer) || writer_sealed(service->writer).n || wants_ends(service, now_ms))
            wait_ms = min_ms(wait_ms, writer_sealed(service->writer).n ? 1 : 20);
        intake_wait(service->intake, (int)wait_ms);
    } else if (service->reader) {
        ledger_reader_wait(service->reader, (int)min_ms(wait_ms, 100));
    }
}

enum ledger_phase ledger_service_phase(const struct ledger_service *service) { return service->phase; }

bool ledger_service_ready(const struct ledger_service *service, const char **reason)
{
    static const char *const why[] = {
        [LEDGER_LOADING] = "reading the ledger",
        [LEDGER_STANDBY] = "",
        [LEDGER_OPENING] = "taking over the ledger",
        [LEDGER_RUNNING] = "",
    };
    *reason = service->phase == LEDGER_STOPPED ? service->stop.text : why[service->phase];
    if (service->clock_held)
        *reason = "the clock stepped by more than 10 min; check it, then accept it";
    return (*reason)[0] == '\0';
}

const char *ledger_service_trouble(struct ledger_service *service)
{
    bool fresh = service->trouble_new;
    service->trouble_new = false;
    return fresh ? service->trouble.text : NULL;
}

void ledger_service_status(const struct ledger_service *service, struct ledger_service_status *status)
{
    *status = (struct ledger_service_status){.phase = service->phase,
                                             .snapshot_seq = service->snapshot_seq,
                                             .takeovers = service->takeovers,
                                             .troubles = service->troubles,
                                             .diverged = service->diverged};
    ledger_totals_init(&status->totals);
    for (unsigned v = 0; v < FILTER_VERDICT_COUNT; v++)
        status->voids[v] = service->voids[v] + (service->reader ? ledger_reader_counts(service->reader)[v] : 0);
    if (!service->writer)
        return;
    const struct writer_state *state = writer_state(service->writer);
    status->filter = *writer_filter(service->writer);
    status->totals = *writer_confirmed(service->writer);
    status->diverged += writer_diverged(service->writer);
    status->unconfirmed = writer_unconfirmed(service->writer);
    status->ids = id_table_count(state->ids);
    status->id_bytes = id_table_bytes(state->ids);
    status->tenants = state->tenants.count;
}

bool ledger_service_clock_held(const struct ledger_service *service) { return service->clock_held; }

void ledger_service_accept_clock(struct ledger_service *service)
{
    service->clock_offset_ms = wall_ms(service) - monotonic_ms(service);
    service->clock_held = false;
}
