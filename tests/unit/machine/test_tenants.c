/* The tenant table and its heap of timers against a plain search. */
#include "runner_rig.h"

static const struct tenant *earliest(const struct tenants *tenants)
{
    const struct tenant *best = NULL;
    for (uint32_t i = 0; i < tenants_count(tenants); i++) {
        const struct tenant *tenant = tenants_at(tenants, i);
        if (tenant->due_ms == MACHINE_NEVER_MS)
            continue;
        if (!best || tenant->due_ms < best->due_ms ||
            (tenant->due_ms == best->due_ms && slice_cmp(tenant->name, best->name) < 0))
            best = tenant;
    }
    return best;
}

static void set_timer(struct tenants *tenants, struct tenant *tenant, uint32_t dice)
{
    struct counter *counter = tenant->state;
    counter->timer_count = dice % 5 != 0;
    counter->timers[0] = dice / 5 % 20;
    tenants_schedule(tenants, &counter_machine, tenant);
}

static void the_first_timer_is_always_the_least_by_due_and_name(void **state)
{
    (void)state;
    struct tenants *tenants = tenants_new(&counter_machine);
    uint32_t dice = 1;
    for (int i = 0; i < 200; i++) {
        char name[16];
        int n = snprintf(name, sizeof name, "t%d", i * 7 % 200);
        struct tenant *tenant = tenants_get(tenants, slice_make(name, (size_t)n));
        tenant->clock.mode = TENANT_LIVE;
    }
    assert_int_equal(tenants_count(tenants), 200);
    for (int i = 0; i < 5000; i++) {
        dice = dice * 1664525u + 1013904223u;
        set_timer(tenants, tenants_at(tenants, (dice >> 8) % 200), dice >> 16);
        int64_t next;
        assert_ptr_equal(tenants_first_due(tenants, &next), earliest(tenants));
    }
    tenants_destroy(&tenants);
}

static void a_tenant_that_is_not_live_or_stopped_has_no_timers(void **state)
{
    (void)state;
    struct tenants *tenants = tenants_new(&counter_machine);
    struct tenant *tenant = tenants_get(tenants, SLICE("acme"));
    int64_t next;
    tenant->clock.mode = TENANT_BACKFILL;
    set_timer(tenants, tenant, 6);
    assert_null(tenants_first_due(tenants, &next));
    tenant->clock.mode = TENANT_LIVE;
    tenants_schedule(tenants, &counter_machine, tenant);
    assert_ptr_equal(tenants_first_due(tenants, &next), tenant);
    tenant->stop = TENANT_BREACH;
    tenants_schedule(tenants, &counter_machine, tenant);
    assert_null(tenants_first_due(tenants, &next));
    tenants_destroy(&tenants);
}

static void every_tenant_is_found_by_its_name_and_listed_by_its_arrival(void **state)
{
    (void)state;
    struct tenants *tenants = tenants_new(&counter_machine);
    for (int i = 0; i < 500; i++) {
        char name[16];
        int n = snprintf(name, sizeof name, "t%d", i);
        struct tenant *tenant = tenants_get(tenants, slice_make(name, (size_t)n));
        assert_ptr_equal(tenants_get(tenants, slice_make(name, (size_t)n)), tenant);
        assert_ptr_equal(tenants_at(tenants, (uint32_t)i), tenant);
    }
    assert_null(tenants_find(tenants, SLICE("t500")));
    assert_true(slice_is(tenants_find(tenants, SLICE("t77"))->name, "t77"));
    tenants_destroy(&tenants);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_timer_is_always_the_least_by_due_and_name),
        cmocka_unit_test(a_tenant_that_is_not_live_or_stopped_has_no_timers),
        cmocka_unit_test(every_tenant_is_found_by_its_name_and_listed_by_its_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
