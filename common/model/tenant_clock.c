/* tenant_clock.c -- the moves of T, as a table of (what the record is, where the clock stands).
 *
 *                 start            backfill_begin
 *      WAITING ----------> LIVE    WAITING ----------> BACKFILL --+ import records move T
 *                           ^                             |     --+
 *     then_live, `live` or  |                             | backfill_end
 *     a live business event |                             v
 *                           +------------------------- STANDSTILL
 *
 * A run that imported no event leaves the clock as it found it: WAITING. Records that do not fit the state (an end of
 * another run, a begin while the clock runs) are refused by the ledger; here they only count. */
#include "model/tenant_clock.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model/event.h"

/* What a record means to the clock. */
enum clock_input {
    INPUT_NONE,     /* plan item, alert, attest, reject, other controls: never starts or ends anything */
    INPUT_BUSINESS, /* live visit, order, lead, fact */
    INPUT_ACTION,   /* starts a waiting clock, does not end a standstill */
    INPUT_IMPORT,   /* event of an import as lived */
    INPUT_BEGIN,
    INPUT_END,
    INPUT_LIVE
};

static enum clock_input input_of_control(const struct event *event)
{
    if (!event || event->type != EVENT_CONTROL || !event_has(event, CONTROL_CONTROL))
        return INPUT_NONE;
    switch (event->v[CONTROL_CONTROL].i) {
    case CONTROL_CONTROL_backfill_begin:
        return INPUT_BEGIN;
    case CONTROL_CONTROL_backfill_end:
        return INPUT_END;
    case CONTROL_CONTROL_live:
        return INPUT_LIVE;
    default:
        return INPUT_NONE;
    }
}

static enum clock_input input_of(const struct ledger_record *record, const struct event *event)
{
    switch ((enum ledger_kind)record->kind) {
    case LEDGER_EVENT:
        return INPUT_BUSINESS;
    case LEDGER_ACTION:
        return INPUT_ACTION;
    case LEDGER_IMPORT:
        if (record->type == EVENT_CONTROL)
            return input_of_control(event);
        return event && record->type != EVENT_PLAN ? INPUT_IMPORT : INPUT_NONE;
    case LEDGER_CONTROL:
        return input_of_control(event);
    case LEDGER_PLAN:
    case LEDGER_ALERT:
    case LEDGER_ATTEST:
    case LEDGER_REJECT:
    case LEDGER_TICK:
        break;
    }
    return INPUT_NONE;
}

static uint64_t run_hash_of(const struct event *event)
{
    if (!event_has(event, CONTROL_RUN_ID))
        return 0;
    struct slice run = event->v[CONTROL_RUN_ID].s;
    return XXH3_64bits(run.p, run.n);
}

static void advance(struct tenant_clock *clock, int64_t to_ms)
{
    if (to_ms > clock->now_ms)
        clock->now_ms = to_ms;
}

static void end_backfill(struct tenant_clock *clock, const struct event *event, struct tenant_step *step)
{
    if (clock->run_hash != run_hash_of(event))
        return;
    bool then_live = event_has(event, CONTROL_THEN_LIVE) && event->v[CONTROL_THEN_LIVE].i != 0;
    clock->run_hash = 0;
    if (clock->now_ms == 0)
        clock->mode = TENANT_WAITING;
    else if (then_live) {
        clock->mode = TENANT_LIVE;
        step->catch_up = true;
        step->historic = false;
    } else
        clock->mode = TENANT_STANDSTILL;
}

static void move(struct tenant_clock *clock, enum clock_input input, const struct event *event,
                 struct tenant_step *step)
{
    switch (clock->mode) {
    case TENANT_WAITING:
        if (input == INPUT_BUSINESS || input == INPUT_ACTION)
            clock->mode = TENANT_LIVE;
        else if (input == INPUT_BEGIN) {
            clock->mode = TENANT_BACKFILL;
            clock->run_hash = run_hash_of(event);
            step->historic = true;
        }
        break;
    case TENANT_LIVE:
        break;
    case TENANT_BACKFILL:
        step->historic = true;
        if (input == INPUT_IMPORT)
            advance(clock, event_recorded_at(event));
        else if (input == INPUT_END)
            end_backfill(clock, event, step);
        break;
    case TENANT_STANDSTILL:
        if (input == INPUT_BUSINESS || input == INPUT_LIVE) {
            clock->mode = TENANT_LIVE;
            step->catch_up = true;
        }
        break;
    }
}

struct tenant_step tenant_clock_apply(struct tenant_clock *clock, const struct ledger_record *record,
                                      const struct event *event)
{
    struct tenant_step step = {0};
    move(clock, input_of(record, event), event, &step);
    if (clock->mode == TENANT_LIVE)
        advance(clock, record->time_ms);
    if (record->tenant_seq)
        clock->tenant_seq = record->tenant_seq;
    step.now_ms = clock->now_ms;
    return step;
}

int64_t tenant_clock_at(const struct tenant_clock *clock, int64_t shard_ms)
{
    return clock->mode == TENANT_LIVE && shard_ms > clock->now_ms ? shard_ms : clock->now_ms;
}

void tenant_clock_save(const struct tenant_clock *clock, struct buf *out)
{
    buf_add_byte(out, (uint8_t)clock->mode);
    buf_add_u64(out, (uint64_t)clock->now_ms);
    buf_add_u64(out, clock->tenant_seq);
    buf_add_u64(out, clock->run_hash);
}

bool tenant_clock_load(struct tenant_clock *clock, struct cursor *in)
{
    uint8_t mode = cursor_byte(in);
    clock->now_ms = (int64_t)cursor_u64(in);
    clock->tenant_seq = cursor_u64(in);
    clock->run_hash = cursor_u64(in);
    if (in->bad || mode > TENANT_STANDSTILL)
        return false;
    clock->mode = (enum tenant_mode)mode;
    return true;
}
