/* record.h -- one record of the ledger, as every reader sees it behind the filter (design 4.2). */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include "base/slice.h"

enum ledger_kind {
    LEDGER_EVENT = 1, /* visit, order, lead, fact: body = canonical Avro datum of `type` */
    LEDGER_PLAN,      /* plan item */
    LEDGER_ACTION,
    LEDGER_ALERT,
    LEDGER_ATTEST,
    LEDGER_REJECT,  /* origin, reason, size, SHA-256 of bytes that stand in sales.rejects */
    LEDGER_TICK,    /* the writer's clock, all positions, cumulative counters; no tenant */
    LEDGER_IMPORT,  /* an event or plan item of an import as lived: moves the backfill clock */
    LEDGER_CONTROL, /* body = canonical Avro datum of a control */
    LEDGER_KIND_MAX = LEDGER_CONTROL
};

/* Raw topics, in this order; their number in a shard's records and positions. */
#define LEDGER_SOURCES(X)                                                                                              \
    X(VISITS, "sales.visits")                                                                                          \
    X(ORDERS, "sales.orders")                                                                                          \
    X(LEADS, "sales.leads")                                                                                            \
    X(FACTS, "sales.facts")                                                                                            \
    X(PLANS, "sales.plans")                                                                                            \
    X(ACTIONS, "sales.actions")                                                                                        \
    X(IMPORT, "sales.import")                                                                                          \
    X(ALERTS, "sales.alerts")                                                                                          \
    X(ATTESTS, "sales.attests")

enum ledger_source {
#define X(name, topic) LEDGER_SOURCE_##name,
    LEDGER_SOURCES(X)
#undef X
        LEDGER_SOURCE_COUNT,
    LEDGER_SOURCE_NONE = 255 /* the writer's own: ticks, gap, source_stalled, quarantine ... */
};
const char *ledger_source_topic(enum ledger_source source);

/* Tenants of a shard, for its whole life. The ledger's door holds it, so no reader ever meets more. */
enum { LEDGER_TENANTS_MAX = 100000 };

struct ledger_record {
    uint64_t seq;        /* dense per shard, from 1 */
    uint64_t tenant_seq; /* dense per tenant, from 1; 0 for shard-wide records (ticks, writer's controls) */
    int64_t time_ms;     /* shard time: never goes back */
    struct slice tenant; /* empty for shard-wide records */
    struct slice body;
    uint64_t number;      /* offset of the raw record in its source */
    uint32_t dups_before; /* duplicates of this source between the position and `number` */
    uint8_t source;       /* enum ledger_source */
    uint8_t kind;         /* enum ledger_kind */
    uint8_t type;         /* enum event_type of the body (model/event.h); 0xff: none */
};

#endif
