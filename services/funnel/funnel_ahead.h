/* funnel_ahead.h -- records that are applied soon: decoded early, their leads fetched from memory meanwhile.
 *
 * With a million leads an event costs the wait for three places in memory (lead_table.h), one behind the other. The
 * runtime tells of records before it applies them; each is taken a step further whenever another one is told of, so
 * that waits overlap. Only a hint: nothing here is state, and a record that was not told of costs time, nothing else.
 *
 * The ring belongs to the thread: a shard's tenants share it. */
#ifndef FUNNEL_FUNNEL_AHEAD_H
#define FUNNEL_FUNNEL_AHEAD_H

#include "funnel_state.h"

void funnel_ahead_expect(struct funnel *funnel, const struct event_codec *codec, const struct ledger_record *record);
/* The event of a record that was told of; NULL: decode it. Borrowed until the next call of expect. */
const struct event *funnel_ahead_take(const struct funnel *funnel, const struct ledger_record *record);
/* Forgets a tenant that is about to go. */
void funnel_ahead_forget(const struct funnel *funnel);

#endif
