/* funnel_input.h -- from a decoded event of the ledger to the compact event a lead keeps. */
#ifndef FUNNEL_FUNNEL_INPUT_H
#define FUNNEL_FUNNEL_INPUT_H

#include "funnel_state.h"

/* Converts an event that concerns a lead: a lead event, or the visit or fact that says a required step was done
 * (semantics 2.1). *number = the lead (made on first sight). False: it concerns no lead. */
bool funnel_input(struct funnel *funnel, const struct event *event, uint32_t *number, struct lead_event *out);

#endif
