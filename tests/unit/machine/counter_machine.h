/* counter_machine.h -- the smallest machine with everything a runtime must serve: cells, timers, alerts.
 *
 * State: the number of records, a sum over them that depends on their order, and CELLS counters (record i adds to cell
 * tenant_seq mod CELLS). Each record of type lead sets a timer ALARM_MS behind T; when it fires, an alert tells the
 * count. A body that contains "crash" leaves through counter_crash, "breach" spoils a cell, "bug" is refused. */
#ifndef COUNTER_MACHINE_H
#define COUNTER_MACHINE_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/machine.h"
#include "model/event.h"

enum { COUNTER_CELLS = 64, COUNTER_TIMERS_MAX = 4096, COUNTER_ALARM_MS = 60000 };

struct counter {
    char tenant[80];
    uint64_t count, sum, last_tenant_seq, alerts;
    int64_t cells[COUNTER_CELLS];
    bool dirty[COUNTER_CELLS];
    int64_t timers[COUNTER_TIMERS_MAX]; /* ascending */
    uint32_t timer_count;
};

static struct event_codec *counter_codec; /* of the test */
static jmp_buf *counter_crash;            /* where a crash goes; NULL: abort */
static uint32_t counter_wide = 1;         /* cells per counter: many make a commit too large */
static uint64_t counter_salt;             /* changes every alert: another build that misbehaves */

static inline void *counter_create(struct slice tenant)
{
    struct counter *counter = calloc(1, sizeof *counter);
    snprintf(counter->tenant, sizeof counter->tenant, "%.*s", SLICE_ARG(tenant));
    return counter;
}

static inline bool counter_body_has(struct slice body, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= body.n; i++)
        if (memcmp(body.p + i, word, n) == 0)
            return true;
    return false;
}

static inline enum err_code counter_apply(void *state, const struct machine_input *input, struct machine_out *out,
                                          struct err *err)
{
    (void)out;
    struct counter *counter = state;
    const struct ledger_record *record = input->record;
    if (counter_body_has(record->body, "crash")) {
        if (counter_crash)
            longjmp(*counter_crash, 1);
        abort();
    }
    if (counter_body_has(record->body, "bug"))
        return err_set(err, ERR_BUG, "refused");
    counter->count++;
    counter->sum = counter->sum * 31 + record->tenant_seq + (uint64_t)input->now_ms % 1000 + record->type;
    counter->last_tenant_seq = record->tenant_seq;
    size_t cell = record->tenant_seq % COUNTER_CELLS;
    counter->cells[cell]++;
    counter->dirty[cell] = true;
    if (counter_body_has(record->body, "breach"))
        counter->cells[cell]++;
    if (record->type == EVENT_LEAD && counter->timer_count < COUNTER_TIMERS_MAX)
        counter->timers[counter->timer_count++] = input->now_ms + COUNTER_ALARM_MS;
    return OK;
}

static inline int64_t counter_due(const void *state)
{
    const struct counter *counter = state;
    return counter->timer_count ? counter->timers[0] : MACHINE_NEVER_MS;
}

static inline void counter_alert(struct counter *counter, int64_t due_ms, bool historic, bool catch_up,
                                 struct machine_out *out)
{
    struct event event = {.type = EVENT_ALERT};
    char id[64], subject[96], inputs[64], hex[65];
    uint64_t n = machine_out_next(out);
    snprintf(id, sizeof id, "counter/0/%llu", (unsigned long long)n);
    snprintf(subject, sizeof subject, "lead:%s/%llu", counter->tenant, (unsigned long long)counter->count);
    snprintf(inputs, sizeof inputs, "{\"sum\":%llu}",
             (unsigned long long)((counter->sum + counter_salt) % 1000000007u));
    memset(hex, 'a', 64);
    hex[64] = '\0';
    event_set_text(&event, ALERT_TENANT, slice_of(counter->tenant));
    event_set_text(&event, ALERT_EVENT_ID, slice_of(id));
    event_set_text(&event, ALERT_MACHINE, slice_of("counter"));
    event_set_int(&event, ALERT_N, (int64_t)n);
    event_set_int(&event, ALERT_BRANCH, 0);
    event_set_int(&event, ALERT_AS_OF_SEQ, (int64_t)counter->last_tenant_seq);
    static const unsigned zeros[] = {ALERT_STATE,    ALERT_PREV_STATE,   ALERT_CAUSE,        ALERT_KIND,
                                     ALERT_SEVERITY, ALERT_LEVEL,        ALERT_MODE,         ALERT_SUBJECT_KIND,
                                     ALERT_UNIT,     ALERT_RULE_VERSION, ALERT_PLAN_VERSION, ALERT_CALENDAR_VERSION};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        event_set_int(&event, zeros[i], 0);
    event_set_int(&event, ALERT_HISTORIC, historic);
    event_set_int(&event, ALERT_SINCE, due_ms - COUNTER_ALARM_MS);
    event_set_int(&event, ALERT_DUE_AT, due_ms);
    event_set_int(&event, ALERT_AT, due_ms);
    event_set_text(&event, ALERT_RULE, slice_of(catch_up ? "catch-up" : "alarm"));
    event_set_text(&event, ALERT_SUBJECT, slice_of(subject));
    event_set_text(&event, ALERT_PERIOD, slice_of(""));
    event_set_text(&event, ALERT_ORG, slice_of("unassigned"));
    event_set_text(&event, ALERT_ORG_PATH, slice_of("unassigned"));
    event_set_text(&event, ALERT_FINGERPRINT, slice_of(hex));
    event_set_text(&event, ALERT_EPISODE, slice_of(id));
    event_set_text(&event, ALERT_INPUTS, slice_of(inputs));
    event_set_text(&event, ALERT_TITLE_KEY, slice_of("alarm"));
    event_set_text(&event, ALERT_ACTION_KEY, slice_of("look"));
    event_set_list(&event, ALERT_CAUSE_SEQS, slice_of(""), 0);
    event_set_list(&event, ALERT_FLAGS, slice_of(""), 0);
    struct buf body;
    buf_init(&body);
    event_encode(counter_codec, &event, &body);
    machine_out_alert(out, buf_slice(&body));
    buf_close(&body);
    counter->alerts++;
}

static inline bool counter_fire(void *state, int64_t until_ms, bool historic, bool catch_up, struct machine_out *out)
{
    struct counter *counter = state;
    uint32_t fired = 0;
    while (fired < counter->timer_count && counter->timers[fired] <= until_ms && fired < 3)
        counter_alert(counter, counter->timers[fired++], historic, catch_up, out);
    counter->timer_count -= fired;
    memmove(counter->timers, counter->timers + fired, counter->timer_count * sizeof *counter->timers);
    return counter->timer_count && counter->timers[0] <= until_ms;
}

static inline void counter_save(void *state, struct buf *out)
{
    const struct counter *counter = state;
    buf_add_u64(out, counter->count);
    buf_add_u64(out, counter->sum);
    buf_add_u64(out, counter->last_tenant_seq);
    buf_add_u64(out, counter->alerts);
    for (size_t i = 0; i < COUNTER_CELLS; i++)
        buf_add_u64(out, (uint64_t)counter->cells[i]);
    buf_add_u32(out, counter->timer_count);
    for (uint32_t i = 0; i < counter->timer_count; i++)
        buf_add_u64(out, (uint64_t)counter->timers[i]);
}

static inline enum err_code counter_load(void *state, struct slice bytes, struct err *err)
{
    struct counter *counter = state;
    struct cursor in = cursor_of(bytes);
    counter->count = cursor_u64(&in);
    counter->sum = cursor_u64(&in);
    counter->last_tenant_seq = cursor_u64(&in);
    counter->alerts = cursor_u64(&in);
    for (size_t i = 0; i < COUNTER_CELLS; i++)
        counter->cells[i] = (int64_t)cursor_u64(&in);
    counter->timer_count = cursor_u32(&in);
    if (counter->timer_count > COUNTER_TIMERS_MAX)
        return err_set(err, ERR_CORRUPT, "timers");
    for (uint32_t i = 0; i < counter->timer_count; i++)
        counter->timers[i] = (int64_t)cursor_u64(&in);
    return in.bad || cursor_left(&in) ? err_set(err, ERR_CORRUPT, "length") : OK;
}

static inline enum err_code counter_recount(void *state, struct err *err)
{
    const struct counter *counter = state;
    int64_t total = 0;
    for (size_t i = 0; i < COUNTER_CELLS; i++)
        total += counter->cells[i];
    if (total == (int64_t)counter->count)
        return OK;
    return err_set(err, ERR_BUG, "cells hold %lld, records are %llu", (long long)total,
                   (unsigned long long)counter->count);
}

static inline size_t counter_dirty(void *state)
{
    const struct counter *counter = state;
    size_t dirty = 0;
    for (size_t i = 0; i < COUNTER_CELLS; i++)
        dirty += counter->dirty[i] ? counter_wide : 0;
    return dirty;
}

static inline void counter_emit(const struct counter *counter, size_t cell, uint32_t copy, struct machine_sink *sink)
{
    char row[16], field[32], value[32];
    int r = snprintf(row, sizeof row, "row%zu", cell % 4);
    int f = snprintf(field, sizeof field, "c%zu.%u", cell, copy);
    int v = snprintf(value, sizeof value, "%lld", (long long)counter->cells[cell]);
    sink->cell(sink, slice_make(row, (size_t)r), slice_make(field, (size_t)f), slice_make(value, (size_t)v));
}

static inline bool counter_project_dirty(void *state, int64_t now_ms, size_t max, struct machine_sink *sink)
{
    (void)now_ms;
    struct counter *counter = state;
    size_t written = 0;
    for (size_t i = 0; i < COUNTER_CELLS; i++) {
        if (!counter->dirty[i])
            continue;
        if (written + counter_wide > max)
            return true;
        for (uint32_t copy = 0; copy < counter_wide; copy++)
            counter_emit(counter, i, copy, sink);
        written += counter_wide;
        counter->dirty[i] = false;
    }
    return false;
}

static inline bool counter_project_all(void *state, int64_t now_ms, uint64_t *cursor, size_t max,
                                       struct machine_sink *sink)
{
    (void)now_ms;
    const struct counter *counter = state;
    size_t written = 0;
    const uint64_t end = (uint64_t)COUNTER_CELLS * counter_wide;
    for (; *cursor < end && written < max; (*cursor)++) {
        size_t cell = (size_t)(*cursor / counter_wide);
        if (!counter->cells[cell])
            continue;
        counter_emit(counter, cell, (uint32_t)(*cursor % counter_wide), sink);
        written++;
    }
    return *cursor < end;
}

static inline void counter_project_done(void *state)
{
    struct counter *counter = state;
    memset(counter->dirty, 0, sizeof counter->dirty);
}

static const struct machine_type counter_machine = {.name = "counter",
                                                    .version = 1,
                                                    .create = counter_create,
                                                    .destroy = free,
                                                    .apply = counter_apply,
                                                    .due = counter_due,
                                                    .fire = counter_fire,
                                                    .save = counter_save,
                                                    .load = counter_load,
                                                    .recount = counter_recount,
                                                    .dirty = counter_dirty,
                                                    .project_dirty = counter_project_dirty,
                                                    .project_all = counter_project_all,
                                                    .project_done = counter_project_done};

#endif
