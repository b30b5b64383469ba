/* funnel.h -- the funnel machine: leads folded into the rolling figures of every org node (docs/funnel.md).
 *
 * State of a tenant = its plan, its leads with all their events, and base cells; all of it a function of the ledger
 * records given. No clock, no files, no floating point. */
#ifndef FUNNEL_FUNNEL_H
#define FUNNEL_FUNNEL_H

#include "machine/machine.h"

extern const struct machine_type funnel_machine;

#endif
