/* funnel_state_io.h -- the canonical bytes of a tenant's funnel: sections, in this order. Private to save and load.
 *
 * "FN1", T; plan; texts (sorted, only those referred to; later texts are places in this list); values admitted per
 * dimension; leads (sorted by id): flags, accepted, events; cells (sorted by org, stage, dimension, value, pane).
 * Everything else - states, groups, the list of closed leads, caches - is computed again when loading. */
#ifndef FUNNEL_FUNNEL_STATE_IO_H
#define FUNNEL_FUNNEL_STATE_IO_H

#define FUNNEL_STATE_MAGIC "FN1"

/* Texts of a lead event, by the bit that says that it is there. */
#define FUNNEL_EVENT_TEXTS(X)                                                                                          \
    X(LEAD_HAS_PIPELINE, pipeline)                                                                                     \
    X(LEAD_HAS_TO_STAGE, to_stage) X(LEAD_HAS_OWNER, owner) X(LEAD_HAS_CHANNEL, channel) X(LEAD_HAS_CAMPAIGN, campaign)

/* Numbers of the state that a tombstone keeps; texts, leaf and stages are written apart. */
#define FUNNEL_BASE_NUMBERS(X)                                                                                         \
    X(at_ms)                                                                                                           \
    X(visit_at_ms)                                                                                                     \
    X(cycle_at_ms) X(amount) X(lost_at_ms) X(currency) X(cycle) X(visits) X(ord) X(kind) X(has_amount) X(merged)
#define FUNNEL_BASE_TEXTS(X) X(owner) X(channel) X(pipeline) X(lost_owner)

#endif
