/* Whatever fails on the way, the figures at the end are those of a run in which nothing failed (design 2).
 *
 * PACELINE_SIM_SEEDS = how many schedules (default 200), PACELINE_SIM_SEED = the first one: a seed that failed is run
 * alone by PACELINE_SIM_SEED=N PACELINE_SIM_SEEDS=1. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "sim_pipeline.h"

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void assert_well(const struct sim_result *result, const char *what, uint64_t seed)
{
    if (result->complaints.n)
        fail_msg("%s, seed %llu: %.*s", what, (unsigned long long)seed, (int)result->complaints.n,
                 (const char *)result->complaints.p);
}

static void the_clean_run_has_figures_alerts_duplicates_and_rejects(void **state)
{
    (void)state;
    struct sim_result clean;
    sim_run(&(struct sim_options){.seed = 1, .input = 1}, &clean);
    assert_well(&clean, "clean run", 1);
    assert_true(clean.figures.n > 1000);
    assert_true(clean.alerts > 50);
    assert_true(clean.totals.sources[LEDGER_SOURCE_LEADS].duplicate > 0);
    assert_true(clean.totals.sources[LEDGER_SOURCE_LEADS].rejected > 0);
    assert_int_equal(clean.totals.sources[LEDGER_SOURCE_PLANS].rejected, 0);
    sim_result_close(&clean);
}

static void a_seed_gives_the_same_run_again(void **state)
{
    (void)state;
    struct sim_result a, b;
    sim_run(&(struct sim_options){.seed = 77, .faults = true, .input = 1}, &a);
    sim_run(&(struct sim_options){.seed = 77, .faults = true, .input = 1}, &b);
    assert_int_equal(a.faults, b.faults);
    assert_int_equal(a.crashes, b.crashes);
    assert_true(slice_eq(buf_slice(&a.history), buf_slice(&b.history)));
    assert_true(slice_eq(buf_slice(&a.figures), buf_slice(&b.figures)));
    sim_result_close(&a);
    sim_result_close(&b);
}

static void every_schedule_of_faults_ends_in_the_clean_runs_figures(void **state)
{
    (void)state;
    uint64_t first = setting("PACELINE_SIM_SEED", 1000), seeds = setting("PACELINE_SIM_SEEDS", 200);
    uint64_t faults = 0, crashes = 0, takeovers = 0;
    struct sim_result clean;
    sim_run(&(struct sim_options){.seed = 1, .input = 1}, &clean);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        struct sim_result run;
        sim_run(&(struct sim_options){.seed = seed, .faults = true, .input = 1}, &run);
        assert_well(&run, "run with faults", seed);
        if (!slice_eq(buf_slice(&run.history), buf_slice(&clean.history)))
            fail_msg("seed %llu: the ledger holds other events than the clean run's", (unsigned long long)seed);
        if (!slice_eq(buf_slice(&run.figures), buf_slice(&clean.figures)))
            fail_msg("seed %llu: the figures differ from the clean run's", (unsigned long long)seed);
        faults += run.faults;
        crashes += run.crashes;
        takeovers += run.takeovers;
        sim_result_close(&run);
    }
    printf("%llu schedules: %llu faults, %llu crashes, %llu changes of the leader\n", (unsigned long long)seeds,
           (unsigned long long)faults, (unsigned long long)crashes, (unsigned long long)takeovers);
    assert_true(faults > 0 && crashes > 0);
    sim_result_close(&clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clean_run_has_figures_alerts_duplicates_and_rejects),
        cmocka_unit_test(a_seed_gives_the_same_run_again),
        cmocka_unit_test(every_schedule_of_faults_ends_in_the_clean_runs_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
