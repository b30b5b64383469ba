/* machine.h -- a state machine as a table of functions: what the runtime knows of a core (design 6).
 *
 * A machine is one state per tenant, a pure function of the ledger records it was given: no clock, no randomness,
 * no files, no floating point, no order that depends on addresses. The runtime owns log, view, store, election,
 * snapshots, outputs and metrics; it calls these functions from one thread per shard.
 *
 * Time: the runtime computes T (the tenant's now, semantics 0.1) for each record and hands it over; before a record
 * of shard time s is applied, it lets the timers of live tenants due <= s fire in the order (due, tenant), by `fire`.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "base/buf.h"
#include "base/err.h"
#include "ledger/record.h"
#include "model/tenant_clock.h"

enum { MACHINE_OUTPUTS_PER_STEP_MAX = 1000 };
#define MACHINE_NEVER_MS INT64_MAX

struct machine_input {
    const struct ledger_record *record;
    int64_t now_ms; /* T after this record */
    bool historic;  /* inside an import as lived */
    bool catch_up;  /* this record ends a standstill: what fires up to now_ms is flagged catch_up */
};

/* Collects the outputs of apply and fire. The runtime numbers them (dense per machine and tenant), sends them, and
 * keeps them until they are read back from the ledger. */
struct machine_out;
/* Adds an alert output; its number n (1-based) is returned, so that the body can carry it: call machine_out_next
 * first to learn n, build the body with it, then machine_out_alert. */
uint64_t machine_out_next(const struct machine_out *out);
void machine_out_alert(struct machine_out *out, struct slice body);

/* Sink of project: one cell (view.h) of the tenant, absolute value; an empty value removes the field. */
struct machine_sink {
    void (*cell)(struct machine_sink *sink, struct slice row, struct slice field, struct slice value);
};

struct machine_type {
    const char *name; /* "funnel" */
    uint32_t version; /* V: changes iff any output could change */

    void *(*create)(struct slice tenant);
    void (*destroy)(void *tenant);

    /* Folds one record of this tenant. Never fails on content: what cannot be folded is counted. ERR_BUG stops the
     * tenant. */
    enum err_code (*apply)(void *tenant, const struct machine_input *input, struct machine_out *out, struct err *err);

    /* May be NULL. A hint: this record of the tenant is applied soon, and its bytes stay until then. A core may decode
     * it and ask the memory for what it will touch; the state does not change, and what it does later does not depend
     * on having been told. */
    void (*expect)(void *tenant, const struct ledger_record *record);

    /* Earliest timer, MACHINE_NEVER_MS if none. fire lets timers due <= until_ms happen, in order, at most
     * MACHINE_OUTPUTS_PER_STEP_MAX outputs a call; true while there is more to do. */
    int64_t (*due)(const void *tenant);
    /* NULL: due is always exact. Else due may be too early (never too late), and this, asked when due <= until_ms, says
     * whether a timer really is; due is exact afterwards, or later than until_ms. Changes nothing that can be seen. */
    bool (*is_due)(void *tenant, int64_t until_ms);
    bool (*fire)(void *tenant, int64_t until_ms, bool historic, bool catch_up, struct machine_out *out);

    /* Canonical bytes of the state: equal states give equal bytes whatever their history of batches and snapshots.
     * load: the inverse; ERR_CORRUPT on anything else. */
    void (*save)(void *tenant, struct buf *out);
    enum err_code (*load)(void *tenant, struct slice bytes, struct err *err);

    /* Conservation (semantics 3): recount from the entities, compare with the cells. ERR_BUG freezes the tenant. */
    enum err_code (*recount)(void *tenant, struct err *err);

    /* The view. project_dirty: cells changed since the last successful call, at most max; true while more are left.
     * project_all: every cell, from *cursor (0 at first) on, at most max; true while more are left. now_ms = T. */
    size_t (*dirty)(void *tenant);
    bool (*project_dirty)(void *tenant, int64_t now_ms, size_t max, struct machine_sink *sink);
    bool (*project_all)(void *tenant, int64_t now_ms, uint64_t *cursor, size_t max, struct machine_sink *sink);
    void (*project_done)(void *tenant); /* a full generation was written: nothing is dirty */
};

#endif
