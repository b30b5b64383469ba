/* sim_input.h -- raw events for the simulated pipeline: a small plan and the lives of some leads, as canonical JSON. */
#ifndef SIM_INPUT_H
#define SIM_INPUT_H

#include "base/buf.h"

struct sim_random {
    uint64_t state;
};
uint64_t sim_next(struct sim_random *random);
static inline uint64_t sim_below(struct sim_random *random, uint64_t n) { return sim_next(random) % n; }
static inline bool sim_chance(struct sim_random *random, unsigned percent) { return sim_below(random, 100) < percent; }

enum { SIM_PLAN_ITEMS = 6, SIM_TENANTS_STEP = 3 /* event i belongs to tenant i mod 3 */ };
const char *sim_tenant_name(unsigned tenant);
void sim_plan_item(unsigned tenant, unsigned item, struct buf *out);
/* Event number `i` of the input: mostly a step in a lead's life; some are conflicts, some are rejected. */
void sim_lead_event(struct sim_random *random, unsigned tenant, unsigned i, int64_t now_ms, struct buf *out);

#endif
