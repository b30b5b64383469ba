#include "machine/runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/logger.h"
#include "base/sha256.h"
#include "ledger/ledger_reader.h"
#include "machine/projector.h"
#include "machine/refold.h"
#include "machine/runner_metrics.h"
#include "machine/sender.h"
#include "machine/snapshotter.h"
#include "machine/status.h"

enum {
    RANGE_TIMEOUT_MS = 5000,
    DIRTY_COMMIT_CELLS = 3000, /* < VIEW_COMMIT_CELLS_MAX by what one record may touch */
    RECORD_CELLS = 128,        /* what a record usually touches: dirty cells are counted again after that many fewer */
    RUNNER_AHEAD = 12          /* records read before they are applied: the machine fetches what they will touch */
};

struct runner {
    struct runner_config config;
    char topic[LOG_TOPIC_BYTES_MAX + 1]; /* the ledger */
    struct fold *fold;
    struct ledger_reader *reader;
    struct ledger_record ahead[RUNNER_AHEAD]; /* a ring; of one block */
    unsigned ahead_first, ahead_count;
    bool owner;
    int64_t target_offset;   /* end of the ledger as seen at start */
    bool reached;            /* everything below target_offset is folded */
    bool from_the_beginning; /* no snapshot: whatever the view holds may be another version's */
    struct projector projector;
    struct sender sender;
    struct snapshotter snapshotter;
    struct refold refold;
    bool refold_busy; /* the last step has furthered it */
    struct runner_metrics metrics;
    uint64_t records;      /* read by this process */
    uint64_t status_seq;   /* of the last status written */
    int64_t status_ms;     /* monotonic */
    int64_t account_at_ms; /* monotonic */
    bool status_due;       /* a tenant stopped, a digest is new */
    uint32_t stopped;      /* tenants that do not run, as last counted */
};

/* Start. */

static enum err_code load(struct runner *runner, struct filter *filter, struct err *err)
{
    const struct runner_config *config = &runner->config;
    int64_t begin, end;
    enum err_code code = log_range(config->log, runner->topic, config->shard, RANGE_TIMEOUT_MS, &begin, &end, err);
    if (code)
        return code;
    runner->target_offset = end;
    unsigned refused = 0;
    code = config->store ? snapshot_load(config->type, config->codec, config->shard, begin, end, config->store,
                                         &runner->fold, filter, &refused, err)
                         : ERR_MISSING;
    if (code != ERR_MISSING)
        return code;
    runner->from_the_beginning = true;
    if (begin > 0)
        return err_set(err, ERR_GAP,
                       "%s[%u] begins at offset %lld and no snapshot reaches back to it; restore one from the archive",
                       runner->topic, config->shard, (long long)begin);
    runner->fold = fold_new(config->type, config->codec, config->shard);
    filter_init(filter, config->shard);
    return OK;
}

static void init_parts(struct runner *runner, const struct filter *filter)
{
    const struct runner_config *config = &runner->config;
    projector_init(&runner->projector, config->view, config->clock, config->writer);
    sender_init(&runner->sender, config->log, config->clock, config->shard, config->topic_prefix);
    runner->snapshotter = (struct snapshotter){.store = config->store,
                                               .clock = config->clock,
                                               .every_records = config->snapshot_records,
                                               .in_process = config->snapshot_inline,
                                               .last_seq = filter->seq,
                                               .tried_seq = filter->seq};
    runner->fold->crumb = config->crumb;
    for (uint32_t i = 0; i < tenants_count(runner->fold->tenants); i++)
        fold_touch(runner->fold, tenants_at(runner->fold->tenants, i));
    sender_rewind(&runner->sender, runner->fold);
    runner_metrics_init(&runner->metrics, config->metrics, config->type->name, config->shard);
}

enum err_code runner_open(const struct runner_config *config, struct runner **runner, struct err *err)
{
    struct runner *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->config = *config;
    snprintf(r->topic, sizeof r->topic, "%ssales.ledger", config->topic_prefix);
    struct filter filter;
    enum err_code code = load(r, &filter, err);
    if (!code)
        code = ledger_reader_open(config->log, r->topic, &filter, &r->reader, err);
    if (code) {
        fold_destroy(&r->fold);
        free(r);
        return code;
    }
    ledger_reader_expect(r->reader, event_codec_ledger_schema(config->codec));
    init_parts(r, &filter);
    LOGGER_INFO("folding", LF_TEXT("machine", config->type->name), LF_UINT("shard", config->shard),
                LF_UINT("from_seq", filter.seq), LF_INT("to_offset", r->target_offset));
    *runner = r;
    return OK;
}

void runner_destroy(struct runner **runner)
{
    struct runner *r = *runner;
    if (!r)
        return;
    snapshotter_close(&r->snapshotter);
    sender_close(&r->sender);
    projector_close(&r->projector);
    refold_close(&r->refold);
    ledger_reader_destroy(&r->reader);
    fold_destroy(&r->fold);
    free(r);
    *runner = NULL;
}

/* Folding. */

/* Is everything that was read applied, and no block half read? */
static bool between(const struct runner *runner)
{
    return !runner->ahead_count && ledger_reader_between(runner->reader);
}

static struct projector_point point_now(const struct runner *runner)
{
    const struct filter *filter = ledger_reader_filter(runner->reader);
    return (struct projector_point){filter->branch, filter->epoch, between(runner) ? filter->seq : runner->fold->seq};
}

static bool near_end(const struct runner *runner)
{
    int64_t end, asked_ms;
    return runner->reached && ledger_reader_end(runner->reader, &end, &asked_ms) &&
           end - ledger_reader_filter(runner->reader)->next_offset <= RUNNER_LAG_BLOCKS;
}

/* Who changed goes to the lists of those who make it known. */
static void spread(struct runner *runner)
{
    struct fold *fold = runner->fold;
    for (uint32_t i = 0; i < fold->touched_count; i++) {
        struct tenant *tenant = fold->touched[i];
        tenant->touched = false;
        projector_add(&runner->projector, tenant);
        if (outbox_size(&tenant->alerts) || tenant->stop == TENANT_HELD)
            sender_add(&runner->sender, tenant);
        runner->status_due |= tenant->stop != TENANT_RUNS;
    }
    fold->touched_count = 0;
    if (!fold->ticked)
        return;
    fold->ticked = false; /* T moved for everyone who lives */
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        struct tenant *tenant = tenants_at(fold->tenants, i);
        if (tenant->clock.mode == TENANT_LIVE)
            projector_add(&runner->projector, tenant);
    }
}

/* Counting a machine's dirty cells may make it add up what it folded: done seldom enough that it costs little, often
 * enough that what usual records touch stays below one commit. */
static bool many_dirty(const struct runner *runner, struct tenant *tenant)
{
    if (tenant->look_in && --tenant->look_in)
        return false;
    size_t dirty = runner->config.type->dirty(tenant->state);
    bool many = dirty >= DIRTY_COMMIT_CELLS;
    tenant->look_in = many ? 0 : (uint32_t)(DIRTY_COMMIT_CELLS - dirty) / RECORD_CELLS + 1;
    return many;
}

/* Commits before a tenant has more dirty cells than one commit takes, but not while the end is far: then everything is
 * written anew once, at the end. */
static void commit_early(struct runner *runner, struct slice name)
{
    if (!runner->owner || !runner->config.view || runner->projector.stale || !name.n || !near_end(runner))
        return;
    struct tenant *tenant = tenants_find(runner->fold->tenants, name);
    if (!tenant || tenant->stop != TENANT_RUNS || !many_dirty(runner, tenant))
        return;
    spread(runner);
    struct projector_point point = point_now(runner);
    projector_flush(&runner->projector, runner->fold, &point);
}

/* The next record, some others of its block having been read behind it. */
static enum err_code next_record(struct runner *runner, struct ledger_record *record, bool *got, struct err *err)
{
    while (runner->ahead_count < RUNNER_AHEAD && (!runner->ahead_count || !ledger_reader_between(runner->reader))) {
        struct ledger_record *place = &runner->ahead[(runner->ahead_first + runner->ahead_count) % RUNNER_AHEAD];
        enum err_code code = ledger_reader_next(runner->reader, place, got, err);
        if (code)
            return code;
        if (!*got)
            break;
        runner->ahead_count++;
        fold_expect(runner->fold, place);
    }
    *got = runner->ahead_count > 0;
    if (!*got)
        return OK;
    *record = runner->ahead[runner->ahead_first];
    runner->ahead_first = (runner->ahead_first + 1) % RUNNER_AHEAD;
    runner->ahead_count--;
    return OK;
}

static enum err_code read_records(struct runner *runner, unsigned *count, struct err *err)
{
    enum err_code code = OK;
    *count = 0;
    runner->refold_busy = false;
    while (!code) {
        if (runner->fold->release)
            code = refold_step(&runner->refold, runner->fold, runner->config.log, runner->config.store, runner->topic,
                               &runner->refold_busy, err);
        if (code || runner->fold->release || (*count >= RUNNER_STEP_RECORDS && between(runner)))
            break;
        struct ledger_record record;
        bool got;
        code = next_record(runner, &record, &got, err);
        if (code || !got)
            break;
        FAULT_POINT("machine.after_poll");
        code = fold_apply(runner->fold, &record, err);
        (*count)++;
        if (!code)
            commit_early(runner, record.tenant);
    }
    runner->records += *count;
    return code;
}

/* Making it known. */

static void fill_sources(const struct runner *runner, struct machine_status *status)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *totals = &runner->fold->totals.sources[s];
        status->sources[s] =
            (struct status_source){totals->position + 1, totals->accepted, totals->duplicate, totals->rejected};
    }
    memcpy(status->voids, ledger_reader_counts(runner->reader), sizeof status->voids);
}

static uint64_t outbox_total(const struct runner *runner)
{
    uint64_t total = outbox_size(&runner->fold->attests);
    for (uint32_t i = 0; i < tenants_count(runner->fold->tenants); i++)
        total += outbox_size(&tenants_at(runner->fold->tenants, i)->alerts);
    return total;
}

static struct machine_status status_of(const struct runner *runner, const struct projector_point *point)
{
    struct machine_status status = {.version = runner->config.type->version,
                                    .branch = point->branch,
                                    .epoch = point->epoch,
                                    .seq = point->seq,
                                    .time_ms = runner->fold->time_ms,
                                    .next_offset = ledger_reader_filter(runner->reader)->next_offset,
                                    .snapshot_seq = runner->snapshotter.last_seq,
                                    .outbox = outbox_total(runner)};
    fill_sources(runner, &status);
    return status;
}

struct told_tenant {
    char digest[SHA256_HEX_BYTES];
    char stop[200];
};

static size_t fill_tenants(const struct runner *runner, struct status_tenant *out, struct told_tenant *texts)
{
    size_t count = 0;
    for (uint32_t i = 0; i < tenants_count(runner->fold->tenants) && count < STATUS_TENANTS_MAX; i++) {
        const struct tenant *tenant = tenants_at(runner->fold->tenants, i);
        struct told_tenant *text = &texts[count];
        sha256_hex(tenant->digest, text->digest);
        text->stop[0] = '\0';
        if (tenant->stop != TENANT_RUNS)
            snprintf(text->stop, sizeof text->stop, "%s: %s", tenant_stop_name(tenant->stop), tenant->stop_text);
        out[count++] =
            (struct status_tenant){tenant->name, tenant->digest_seq, slice_of(text->digest), slice_of(text->stop)};
    }
    return count;
}

/* The view no longer says what was written last: it was flushed or rolled back. Heads of tenants that nothing happens
 * to may be gone as well, and are looked at before anything more is promised. */
static bool view_forgot(struct runner *runner)
{
    struct machine_status said;
    struct err err;
    if (runner->status_seq == 0)
        return false;
    enum err_code code =
        status_read(runner->config.view, runner->config.type->name, runner->config.shard, &said, NULL, NULL, &err);
    if (code != ERR_MISSING && (code || said.seq >= runner->status_seq))
        return false;
    LOGGER_WARN("the view lost what was written", LF_TEXT("machine", runner->config.type->name),
                LF_UINT("shard", runner->config.shard));
    runner->status_seq = 0;
    runner->status_due = true;
    projector_forget_heads(&runner->projector, runner->fold);
    return true;
}

/* Only behind a flush that left nothing waiting: the figures are at least as new as what is said here. */
static void put_status(struct runner *runner, const struct projector_point *point)
{
    int64_t now_ms = runner->config.clock->monotonic_ms(runner->config.clock);
    if (point->seq == runner->status_seq && !runner->status_due)
        return;
    if (view_forgot(runner))
        return;
    struct machine_status status = status_of(runner, point);
    size_t room = tenants_count(runner->fold->tenants) + 1;
    room = room < STATUS_TENANTS_MAX ? room : STATUS_TENANTS_MAX;
    struct status_tenant *tenants = calloc(room, sizeof *tenants);
    struct told_tenant *texts = calloc(room, sizeof *texts);
    if (!tenants || !texts)
        abort();
    size_t count = fill_tenants(runner, tenants, texts);
    struct err err;
    if (!status_write(runner->config.view, runner->config.type->name, runner->config.shard, &status, tenants, count,
                      &err)) {
        runner->status_seq = point->seq;
        runner->status_due = false;
    }
    runner->status_ms = now_ms;
    free(tenants);
    free(texts);
}

/* At once when idle or, if it costs little, when an output is pending; else as often as the view can bear. */
static void publish(struct runner *runner, bool idle)
{
    if (!runner->config.view || !runner->owner || !runner->reached)
        return;
    bool urgent = idle || (runner->fold->moved && projector_is_light(&runner->projector, runner->fold));
    if (!urgent && !projector_is_due(&runner->projector))
        return;
    struct projector_point point = point_now(runner);
    projector_check(&runner->projector, runner->fold);
    if (!projector_flush(&runner->projector, runner->fold, &point))
        return;
    int64_t now_ms = runner->config.clock->monotonic_ms(runner->config.clock);
    if (idle || now_ms - runner->status_ms >= RUNNER_STATUS_MS)
        put_status(runner, &point);
}

static void count_stopped(struct runner *runner)
{
    uint32_t stopped = 0;
    for (uint32_t i = 0; i < tenants_count(runner->fold->tenants); i++) {
        const struct tenant *tenant = tenants_at(runner->fold->tenants, i);
        if (tenant->stop == TENANT_RUNS)
            continue;
        if (stopped++ >= runner->stopped)
            LOGGER_ERROR("a tenant is stopped", LF_TEXT("machine", runner->config.type->name),
                         LF_SLICE("tenant", tenant->name), LF_TEXT("why", tenant_stop_name(tenant->stop)),
                         LF_TEXT("text", tenant->stop_text));
    }
    runner->stopped = stopped;
}

/* What costs a walk over all tenants is done now and then, and when a stop is news. */
static void account(struct runner *runner)
{
    int64_t now_ms = runner->config.clock->monotonic_ms(runner->config.clock);
    if (!runner->status_due && now_ms < runner->account_at_ms)
        return;
    runner->account_at_ms = now_ms + RUNNER_STATUS_MS;
    count_stopped(runner);
    runner_metrics_set(&runner->metrics, runner);
}

static void tell_health(struct runner *runner)
{
    struct health_part *health = runner->config.health;
    health_beat(health);
    if (runner->reached)
        health_ready(health);
    if (runner->projector.stale)
        health_reason_set(health, "view", "figures are stale: %s", runner->projector.stale_text);
    else
        health_reason_clear(health, "view");
    if (runner->stopped) {
        struct buf reason;
        buf_init(&reason);
        runner_ready(runner, &reason);
        health_reason_set(health, "tenants", "%s", buf_cstr(&reason));
        buf_close(&reason);
    } else
        health_reason_clear(health, "tenants");
}

static void note_end(struct runner *runner)
{
    ledger_reader_refresh(runner->reader);
    if (runner->reached || ledger_reader_filter(runner->reader)->next_offset < runner->target_offset)
        return;
    runner->reached = true;
    for (uint32_t i = 0; runner->from_the_beginning && i < tenants_count(runner->fold->tenants); i++)
        tenants_at(runner->fold->tenants, i)->base_seq = UINT64_MAX;
    LOGGER_INFO("caught up", LF_TEXT("machine", runner->config.type->name), LF_UINT("shard", runner->config.shard),
                LF_UINT("seq", runner->fold->seq));
}

enum err_code runner_step(struct runner *runner, bool *busy, struct err *err)
{
    snapshotter_reap(&runner->snapshotter, runner->fold);
    unsigned count;
    enum err_code code = read_records(runner, &count, err);
    *busy = count > 0 || runner->refold_busy;
    if (code)
        return code;
    note_end(runner);
    spread(runner);
    if (runner->owner && runner->reached)
        code = sender_step(&runner->sender, runner->fold, err);
    account(runner);
    publish(runner, count == 0);
    runner->fold->moved = false;
    if (between(runner) && !runner->fold->release) /* a release is not in the snapshot: it must be read again */
        snapshotter_step(&runner->snapshotter, runner->fold, ledger_reader_filter(runner->reader));
    tell_health(runner);
    return code;
}

void runner_wait(struct runner *runner, int timeout_ms) { ledger_reader_wait(runner->reader, timeout_ms); }

void runner_own(struct runner *runner, bool owner)
{
    if (owner == runner->owner)
        return;
    runner->owner = owner;
    projector_forget_heads(&runner->projector, runner->fold);
    sender_rewind(&runner->sender, runner->fold);
    LOGGER_INFO(owner ? "owns the shard" : "stands by", LF_TEXT("machine", runner->config.type->name),
                LF_UINT("shard", runner->config.shard));
}

bool runner_ready(const struct runner *runner, struct buf *reason)
{
    if (!runner->reached)
        buf_addf(reason, "%s/%u is catching up; ", runner->config.type->name, runner->config.shard);
    if (runner->projector.stale)
        buf_addf(reason, "figures are stale: %s; ", runner->projector.stale_text);
    uint32_t told = 0;
    for (uint32_t i = 0; i < tenants_count(runner->fold->tenants) && told < RUNNER_OUTBOX_TOLD_MAX; i++) {
        const struct tenant *tenant = tenants_at(runner->fold->tenants, i);
        if (tenant->stop == TENANT_RUNS)
            continue;
        buf_addf(reason, "tenant %.*s %s: %s; ", SLICE_ARG(tenant->name), tenant_stop_name(tenant->stop),
                 tenant->stop_text);
        told++;
    }
    return runner->reached && !runner->projector.stale && told == 0;
}

void runner_finish(struct runner *runner)
{
    spread(runner);
    publish(runner, true);
    sender_flush(&runner->sender, 1000);
    snapshotter_close(&runner->snapshotter);
    const struct filter *filter = ledger_reader_filter(runner->reader);
    if (between(runner) && !runner->fold->release && filter->seq > runner->snapshotter.last_seq)
        snapshotter_now(&runner->snapshotter, runner->fold, filter);
    health_end(runner->config.health);
}

uint64_t runner_seq(const struct runner *runner) { return runner->fold->seq; }
const struct fold *runner_fold(const struct runner *runner) { return runner->fold; }

bool runner_caught_up(const struct runner *runner) { return runner->reached; }

bool runner_settled(const struct runner *runner)
{
    return runner->reached && runner->projector.count == 0 && !runner->projector.stale && outbox_total(runner) == 0 &&
           runner->fold->touched_count == 0 && !runner->fold->release;
}

/* Metrics. */

static int64_t lag_of(const struct runner *runner)
{
    int64_t end, asked_ms;
    if (!ledger_reader_end(runner->reader, &end, &asked_ms))
        return 0;
    int64_t lag = end - ledger_reader_filter(runner->reader)->next_offset;
    return lag > 0 ? lag : 0;
}

int64_t runner_metric_value(const struct runner *runner, enum runner_metric which)
{
    switch (which) {
    case RUNNER_RECORDS:
        return (int64_t)runner->records;
    case RUNNER_SEQ:
        return (int64_t)runner->fold->seq;
    case RUNNER_LAG:
        return lag_of(runner);
    case RUNNER_COMMITS:
        return (int64_t)runner->projector.commits;
    case RUNNER_GENERATIONS:
        return (int64_t)runner->projector.generations;
    case RUNNER_CELLS:
        return (int64_t)runner->projector.cells_written;
    case RUNNER_COMMITS_MOVED:
        return (int64_t)runner->projector.moved;
    case RUNNER_STALE:
        return runner->projector.stale;
    case RUNNER_OUTBOX:
        return (int64_t)outbox_total(runner);
    case RUNNER_SENT:
        return (int64_t)runner->sender.sent;
    case RUNNER_SNAPSHOTS:
        return (int64_t)runner->snapshotter.written;
    case RUNNER_SNAPSHOTS_FAILED:
        return (int64_t)runner->snapshotter.failed;
    case RUNNER_SNAPSHOT_MS:
        return runner->snapshotter.duration_ms;
    case RUNNER_TENANTS:
        return tenants_count(runner->fold->tenants);
    case RUNNER_STOPPED:
        return runner->stopped;
    case RUNNER_METRIC_COUNT:
        break;
    }
    return 0;
}
