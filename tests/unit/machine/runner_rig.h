/* runner_rig.h -- a small ledger, memory view and store, and a runner of the counter machine over them. */
#ifndef RUNNER_RIG_H
#define RUNNER_RIG_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/logger.h"
#include "counter_machine.h"
#include "machine/fold.h"
#include "machine/runner.h"
#include "machine/status.h"
#include "small_ledger.h"

struct rig {
    struct small_ledger ledger;
    struct view *view;
    struct store *store;
    struct crumb crumb;
    struct runner_config config;
    struct runner *runner;
    struct err err;
};

static inline void rig_start(struct rig *rig)
{
    crumb_count(&rig->crumb);
    assert_int_equal(runner_open(&rig->config, &rig->runner, &rig->err), OK);
    runner_own(rig->runner, true);
}

static inline void rig_stop(struct rig *rig) { runner_destroy(&rig->runner); }

static inline void rig_restart(struct rig *rig)
{
    rig_stop(rig);
    rig_start(rig);
}

static inline int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    logger_init(&(struct logger_options){.level = LOGGER_ERROR});
    small_ledger_init(&rig->ledger);
    counter_codec = rig->ledger.codec;
    counter_crash = NULL;
    counter_wide = 1;
    counter_salt = 0;
    assert_int_equal(view_memory_open(&rig->view, &rig->err), OK);
    assert_int_equal(store_memory_open(&rig->store, &rig->err), OK);
    rig->config = (struct runner_config){.type = &counter_machine,
                                         .codec = rig->ledger.codec,
                                         .log = rig->ledger.log,
                                         .view = rig->view,
                                         .store = rig->store,
                                         .clock = &rig->ledger.clock.clock,
                                         .crumb = &rig->crumb,
                                         .topic_prefix = "",
                                         .snapshot_records = 1000000,
                                         .snapshot_inline = true,
                                         .writer = 1};
    rig_start(rig);
    *state = rig;
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *rig = *state;
    runner_destroy(&rig->runner);
    view_destroy(&rig->view);
    store_destroy(&rig->store);
    small_ledger_close(&rig->ledger);
    free(rig);
    return 0;
}

/* Steps until nothing happens any more. */
static inline void rig_run(struct rig *rig)
{
    small_flush(&rig->ledger);
    bool busy = true;
    for (int i = 0; i < 100 && busy; i++)
        assert_int_equal(runner_step(rig->runner, &busy, &rig->err), OK);
    assert_false(busy);
    assert_int_equal(runner_step(rig->runner, &busy, &rig->err), OK);
}

/* The same, outputs taken into the ledger until none is left. */
static inline void rig_settle(struct rig *rig)
{
    for (int i = 0; i < 10; i++) {
        rig_run(rig);
        small_take_outputs(&rig->ledger);
        rig_run(rig);
        if (runner_settled(rig->runner))
            return;
    }
    fail_msg("outputs never settle");
}

static inline struct view_head rig_head(const struct rig *rig, const char *tenant)
{
    struct view_head head;
    struct err err;
    const struct view_scope scope = {slice_of("counter"), slice_of(tenant)};
    assert_int_equal(view_head_get(rig->view, scope, &head, &err), OK);
    return head;
}

struct rig_sum {
    int64_t total;
    size_t fields;
};

static inline void rig_add_cell(void *context, size_t row, struct slice field, struct slice value)
{
    (void)row;
    (void)field;
    struct rig_sum *sum = context;
    char text[32];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(value));
    sum->total += atoll(text);
    sum->fields++;
}

/* What a reader sees: the sum of all cells of a tenant; -1: no head. */
static inline int64_t rig_figures(const struct rig *rig, const char *tenant)
{
    static const struct slice rows[] = {{"row0", 4}, {"row1", 4}, {"row2", 4}, {"row3", 4}};
    struct rig_sum sum = {0};
    struct view_head head;
    struct err err;
    const struct view_scope scope = {slice_of("counter"), slice_of(tenant)};
    enum err_code code = view_read(rig->view, scope, rows, 4, &head, rig_add_cell, &sum, &err);
    return code ? -1 : sum.total;
}

static inline struct tenant *rig_tenant(const struct rig *rig, const char *name)
{
    return tenants_find(runner_fold(rig->runner)->tenants, slice_of(name));
}

/* Canonical state of every tenant, in order: what digests are made of. */
static inline void rig_state(const struct rig *rig, struct buf *out)
{
    const struct fold *fold = runner_fold(rig->runner);
    buf_clear(out);
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++)
        fold_save_tenant(fold, tenants_at(fold->tenants, i), out);
}

#endif
