/* funnel_state_io.h -- the canonical bytes of a tenant's funnel: sections, in this order. Private to save and load.
 *
 * "FN2", T, how far booked changes of the org are behind it, last local day of the ring of days; plan; texts (sorted,
 * only those referred to; later texts are places in this list); values admitted per dimension; leads (sorted by id):
 * flags, accepted, events; cells (sorted by org, stage, dimension, value, pane); once the cells are full: the pairs of
 * node and value that may still be booked. Everything else - states, groups, the list of closed leads, caches - is
 * computed again when loading. */
#ifndef FUNNEL_FUNNEL_STATE_IO_H
#define FUNNEL_FUNNEL_STATE_IO_H

#define FUNNEL_STATE_MAGIC "FN2"

/* Texts of a lead event, by the bit that says that it is there. */
#define FUNNEL_EVENT_TEXTS(X)                                                                                          \
    X(LEAD_HAS_PIPELINE, pipeline)                                                                                     \
    X(LEAD_HAS_TO_STAGE, to_stage) X(LEAD_HAS_OWNER, owner) X(LEAD_HAS_CHANNEL, channel) X(LEAD_HAS_CAMPAIGN, campaign)

#endif
