/* sim_pipeline.h -- the whole pipeline in one thread under a seeded scheduler: raw topics -> two ledger services ->
 * two runners of the funnel and two of a counting machine with alerts -> view, on the memory twins and a manual clock.
 *
 * The same raw events arrive at the same instants in every run; what differs is who steps when and what goes wrong:
 * appends that are lost, late or unknown, a view that forgets, rolls back or is away, components that die and start
 * again, owners that change. A seed gives one run, again and again. */
#ifndef SIM_PIPELINE_H
#define SIM_PIPELINE_H

#include "base/buf.h"
#include "ledger/ledger_totals.h"

enum { SIM_TENANTS = 3, SIM_EVENTS = 100 };

struct sim_options {
    uint64_t seed;
    bool faults;    /* false: the clean run, everything in turn */
    uint64_t input; /* seed of the raw events */
};

/* What a run comes to, for comparison. */
struct sim_result {
    struct buf figures;    /* every cell of the funnel in the view, as lines, sorted */
    struct buf history;    /* the ledger's events and plan items in order, without numbers */
    struct buf complaints; /* what does not hold within the run; empty: all is well */
    struct ledger_totals totals;
    uint64_t alerts; /* of the counting machine in the ledger */
    uint64_t leads;  /* records that set a timer */
    uint64_t crashes, takeovers, generations, faults;
};

void sim_run(const struct sim_options *options, struct sim_result *result);
void sim_result_close(struct sim_result *result);

#endif
