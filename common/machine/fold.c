#include "machine/fold.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "machine/attest.h"
#include "machine/machine_out.h"

struct fold *fold_new(const struct machine_type *type, struct event_codec *codec, uint32_t shard)
{
    struct fold *fold = calloc(1, sizeof *fold);
    if (!fold)
        abort();
    fold->type = type;
    fold->codec = codec;
    fold->shard = shard;
    fold->tenants = tenants_new(type);
    ledger_totals_init(&fold->totals);
    outbox_init(&fold->attests);
    buf_init(&fold->scratch);
    return fold;
}

void fold_destroy(struct fold **fold)
{
    struct fold *f = *fold;
    if (!f)
        return;
    tenants_destroy(&f->tenants);
    outbox_close(&f->attests);
    buf_close(&f->scratch);
    free(f->touched);
    free(f);
    *fold = NULL;
}

void fold_touch(struct fold *fold, struct tenant *tenant)
{
    if (tenant->touched)
        return;
    if (fold->touched_count == fold->touched_size) {
        fold->touched_size = fold->touched_size ? fold->touched_size * 2 : 64;
        fold->touched = realloc(fold->touched, fold->touched_size * sizeof(struct tenant *));
        if (!fold->touched)
            abort();
    }
    tenant->touched = true;
    fold->touched[fold->touched_count++] = tenant;
}

void fold_stop(struct fold *fold, struct tenant *tenant, enum tenant_stop stop, const char *format, ...)
{
    tenant->stop = stop;
    tenant->stop_seq = fold->seq;
    va_list args;
    va_start(args, format);
    vsnprintf(tenant->stop_text, sizeof tenant->stop_text, format, args);
    va_end(args);
    fold->moved = true;
    tenants_schedule(fold->tenants, fold->type, tenant);
    fold_touch(fold, tenant);
}

/* Timers. While a gap settles, nothing due behind its beginning fires (design 5.6); then all of it does, in order, each
 * with its own due. */
static int64_t fire_limit(const struct fold *fold, int64_t until_ms)
{
    bool settling = fold->gap_until_ms && fold->time_ms < fold->gap_until_ms;
    return settling && fold->gap_from_ms < until_ms ? fold->gap_from_ms : until_ms;
}

static bool is_due(const struct fold *fold, const struct tenant *tenant, int64_t until_ms)
{
    return fold->type->due(tenant->state) <= until_ms &&
           (!fold->type->is_due || fold->type->is_due(tenant->state, until_ms));
}

static void fire(struct fold *fold, struct tenant *tenant, int64_t until_ms, bool historic, bool catch_up)
{
    if (!is_due(fold, tenant, until_ms))
        return;
    bool more = true;
    while (more) {
        struct machine_out out = machine_out_of(&tenant->alerts);
        more = fold->type->fire(tenant->state, until_ms, historic, catch_up, &out);
        fold->outputs += out.count;
    }
    tenant->changed = true;
    fold->moved = true;
    fold_touch(fold, tenant);
}

/* Live timers due by shard time, in the order (due, tenant): one tenant runs until the next one's turn. */
static void fire_live(struct fold *fold)
{
    int64_t limit = fire_limit(fold, fold->time_ms);
    for (;;) {
        int64_t next_due_ms;
        struct tenant *tenant = tenants_first_due(fold->tenants, &next_due_ms);
        if (!tenant || tenant->due_ms > limit)
            return;
        /* Up to, not including, the next tenant's due, but at least its own. */
        int64_t until_ms = next_due_ms > limit ? limit : next_due_ms - 1;
        if (until_ms < tenant->due_ms)
            until_ms = tenant->due_ms;
        if (is_due(fold, tenant, until_ms)) {
            tenant->clock.now_ms = tenant_clock_at(&tenant->clock, fold->time_ms);
            fire(fold, tenant, until_ms, false, false);
        }
        tenants_schedule(fold->tenants, fold->type, tenant);
    }
}

/* Does the machine see records of this kind? Alerts, attests and rejects are no input (design 6, "Outputs"). */
static bool is_input(const struct ledger_record *record)
{
    switch ((enum ledger_kind)record->kind) {
    case LEDGER_EVENT:
    case LEDGER_PLAN:
    case LEDGER_ACTION:
    case LEDGER_IMPORT:
    case LEDGER_CONTROL:
        return true;
    case LEDGER_ALERT:
    case LEDGER_ATTEST:
    case LEDGER_REJECT:
    case LEDGER_TICK:
        break;
    }
    return false;
}

/* The body, where the runtime itself must look into it; NULL otherwise (live events: the machine decodes). */
static enum err_code decode(struct fold *fold, const struct ledger_record *record, const struct event **event,
                            struct err *err)
{
    *event = NULL;
    if (record->kind != LEDGER_IMPORT && record->kind != LEDGER_CONTROL && record->kind != LEDGER_ALERT &&
        record->kind != LEDGER_ATTEST)
        return OK;
    if (record->type >= EVENT_TYPE_COUNT)
        return OK;
    enum err_code code = event_decode_body(fold->codec, (enum event_type)record->type, record->body, &fold->event, err);
    if (code)
        return code;
    *event = &fold->event;
    return OK;
}

static void apply(struct fold *fold, struct tenant *tenant, const struct ledger_record *record, struct tenant_step step)
{
    int64_t limit = fire_limit(fold, step.now_ms);
    fire(fold, tenant, limit, step.historic, step.catch_up);
    struct machine_input input = {record, step.now_ms, step.historic, step.catch_up};
    struct machine_out out = machine_out_of(&tenant->alerts);
    struct err err __attribute__((uninitialized)); /* read only when there is one */
    if (fold->type->apply(tenant->state, &input, &out, &err)) {
        fold_stop(fold, tenant, TENANT_BUG, "%s at tenant_seq %llu: %s", fold->type->name,
                  (unsigned long long)record->tenant_seq, err.text);
        return;
    }
    if (out.count) {
        fold->outputs += out.count;
        fold->moved = true;
    }
    /* Only what was set just now can be due: it fires at once (semantics 0.2). */
    fire(fold, tenant, limit, step.historic, step.catch_up);
    tenant->changed = true;
    tenants_schedule(fold->tenants, fold->type, tenant);
    fold_touch(fold, tenant);
}

/* An alert of this machine that is now in the ledger: it must be the one made here. */
static void read_back_alert(struct fold *fold, struct tenant *tenant, const struct ledger_record *record,
                            const struct event *event)
{
    if (!slice_is(event->v[ALERT_MACHINE].s, fold->type->name) || tenant->stop != TENANT_RUNS)
        return;
    uint64_t n = (uint64_t)event->v[ALERT_N].i;
    enum outbox_answer answer = outbox_read_back(&tenant->alerts, n, record->body);
    fold->moved = true;
    fold_touch(fold, tenant);
    if (answer == OUTBOX_DIFFERS || answer == OUTBOX_UNKNOWN)
        fold_stop(fold, tenant, TENANT_DIVERGED, "alert %llu in the ledger (seq %llu) is not the one made here (%s)",
                  (unsigned long long)n, (unsigned long long)record->seq,
                  answer == OUTBOX_DIFFERS ? "other bytes" : "never made");
}

static bool names_this_machine(const struct fold *fold, const struct event *event)
{
    return event_has(event, CONTROL_MACHINE) && slice_is(event->v[CONTROL_MACHINE].s, fold->type->name);
}

/* Controls of the runtime itself. True: handled, the machine does not see it. */
static bool runtime_control(struct fold *fold, struct tenant *tenant, const struct event *event)
{
    switch (event->v[CONTROL_CONTROL].i) {
    case CONTROL_CONTROL_quarantine:
        if (!fold->partial && names_this_machine(fold, event) && tenant->stop != TENANT_QUARANTINED)
            fold_stop(fold, tenant, TENANT_QUARANTINED, "crashes at tenant_seq %lld; `release` folds it anew",
                      (long long)event->v[CONTROL_TARGET_SEQ].i);
        return true;
    case CONTROL_CONTROL_release:
        if (!fold->partial && names_this_machine(fold, event) && tenant->stop != TENANT_RUNS)
            fold->release = tenant;
        return true;
    case CONTROL_CONTROL_machine_version:
        return true;
    default:
        return false;
    }
}

static bool is_backfill_end(const struct ledger_record *record, const struct event *event)
{
    return event && record->type == EVENT_CONTROL && event->v[CONTROL_CONTROL].i == CONTROL_CONTROL_backfill_end;
}

/* Poison is held before it is touched a fourth time. */
static bool held(struct fold *fold, struct tenant *tenant, const struct ledger_record *record)
{
    if (!fold->crumb || tenant->stop != TENANT_RUNS || !crumb_is_poison(fold->crumb, tenant->name, record->tenant_seq))
        return false;
    tenant->held_seq = record->tenant_seq;
    fold_stop(fold, tenant, TENANT_HELD, "crashed %d times at tenant_seq %llu; quarantine is asked for", CRUMB_CRASHES,
              (unsigned long long)record->tenant_seq);
    return true;
}

static void tenant_record(struct fold *fold, const struct ledger_record *record, const struct event *event)
{
    struct tenant *tenant = tenants_get(fold->tenants, record->tenant);
    held(fold, tenant, record);
    struct tenant_step step = tenant_clock_apply(&tenant->clock, record, event);
    if (record->kind == LEDGER_ALERT && event)
        read_back_alert(fold, tenant, record, event);
    bool control = event && record->type == EVENT_CONTROL && runtime_control(fold, tenant, event);
    if (tenant->stop != TENANT_RUNS || control || !is_input(record))
        return;
    if (fold->crumb)
        crumb_enter(fold->crumb, tenant->name, record->tenant_seq);
    FAULT_POINT("machine.before_apply");
    apply(fold, tenant, record, step);
    FAULT_POINT("machine.after_apply");
    if (fold->crumb)
        crumb_leave(fold->crumb);
}

/* Records without a tenant. */
static void shard_record(struct fold *fold, const struct ledger_record *record, const struct event *event)
{
    if (record->kind == LEDGER_TICK)
        fold->ticked = true;
    if (record->kind == LEDGER_ATTEST && event)
        attest_read_back(fold, record, event);
}

/* The version that holds from here on; a build has one (docs/decisions/0031-machine-version.md). */
static enum err_code check_version(const struct fold *fold, const struct ledger_record *record,
                                   const struct event *event, struct err *err)
{
    if (event->v[CONTROL_CONTROL].i != CONTROL_CONTROL_machine_version || !names_this_machine(fold, event))
        return OK;
    uint32_t version = (uint32_t)event->v[CONTROL_VERSION].i;
    if (version == fold->type->version)
        return OK;
    return err_set(err, ERR_CONFIG, "the ledger asks for version %u of %s from seq %llu on, this build has %u", version,
                   fold->type->name, (unsigned long long)record->seq, fold->type->version);
}

/* A gap begins to settle before any timer of it can fire. */
static void note_gap(struct fold *fold, const struct event *event)
{
    if (event->v[CONTROL_CONTROL].i != CONTROL_CONTROL_gap)
        return;
    int64_t from_ms = event->v[CONTROL_FROM].i;
    bool settling = fold->gap_until_ms && fold->time_ms < fold->gap_until_ms;
    if (!settling || from_ms < fold->gap_from_ms)
        fold->gap_from_ms = from_ms;
    fold->gap_until_ms = event->v[CONTROL_TO].i + FOLD_SETTLE_MS;
}

/* Before the first record of a new hour: what stands now is what an attest of that hour says. */
static void keep_grid(struct fold *fold, int64_t time_ms)
{
    int64_t hour = time_ms - time_ms % FOLD_ATTEST_GRID_MS;
    if (fold->grid_ms && hour > fold->grid_ms)
        fold_attest(fold);
    if (hour > fold->grid_ms)
        fold->grid_ms = hour;
}

enum err_code fold_apply(struct fold *fold, const struct ledger_record *record, struct err *err)
{
    if (!fold->partial && !ledger_totals_apply(&fold->totals, record))
        return err_set(err, ERR_CORRUPT, "ledger shard %u: record %llu does not continue the counters", fold->shard,
                       (unsigned long long)record->seq);
    const struct event *event;
    enum err_code code = decode(fold, record, &event, err);
    if (code)
        return code;
    if (!fold->partial)
        keep_grid(fold, record->time_ms);
    if (record->kind == LEDGER_CONTROL && event) {
        note_gap(fold, event);
        code = check_version(fold, record, event, err);
        if (code)
            return code;
    }
    if (record->time_ms > fold->time_ms)
        fold->time_ms = record->time_ms;
    fire_live(fold);
    if (record->tenant.n)
        tenant_record(fold, record, event);
    else
        shard_record(fold, record, event);
    fold->seq = record->seq;
    if (is_backfill_end(record, event) && !fold->partial)
        fold_attest(fold);
    return OK;
}

void fold_expect(struct fold *fold, const struct ledger_record *record)
{
    if (!fold->type->expect || !record->tenant.n)
        return;
    if (!fold->expecting || !slice_eq(fold->expecting->name, record->tenant))
        fold->expecting = tenants_find(fold->tenants, record->tenant);
    if (fold->expecting && fold->expecting->stop == TENANT_RUNS)
        fold->type->expect(fold->expecting->state, record);
}

uint32_t fold_recount(struct fold *fold)
{
    uint32_t breaches = 0;
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        struct tenant *tenant = tenants_at(fold->tenants, i);
        struct err err = {0};
        if (tenant->stop != TENANT_RUNS || !fold->type->recount(tenant->state, &err))
            continue;
        fold_stop(fold, tenant, TENANT_BREACH, "%s", err.text);
        breaches++;
    }
    return breaches;
}
