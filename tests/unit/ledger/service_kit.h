/* service_kit.h -- a ledger service on memory log, memory store and a manual clock. Include behind cmocka.h. */
#ifndef TESTS_SERVICE_KIT_H
#define TESTS_SERVICE_KIT_H

#include <stdio.h>
#include <stdlib.h>

#include "ledger/ledger_service.h"

#define KIT_START_MS 1772000000000

struct kit {
    struct clock_manual clock;
    struct log *log;
    struct store *store;
    struct event_codec *codec;
    struct log_producer *producer;
    struct ledger_service *service;
    struct err err;
};

enum { KIT_TURNS_MAX = 2000 };

static inline void kit_topics(struct kit *kit)
{
    static const char *const more[] = {"sales.ledger", "sales.rejects"};
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT + 2; s++) {
        const char *topic =
            s < LEDGER_SOURCE_COUNT ? ledger_source_topic((enum ledger_source)s) : more[s - LEDGER_SOURCE_COUNT];
        struct log_topic_spec spec = {.topic = topic, .partitions = 1, .retention_ms = -1};
        assert_int_equal(log_topic_ensure(kit->log, &spec, &kit->err), OK);
    }
}

static inline struct ledger_service *kit_service(struct kit *kit)
{
    const struct ledger_service_config config = {.log = kit->log,
                                                 .store = kit->store,
                                                 .clock = &kit->clock.clock,
                                                 .codec = kit->codec,
                                                 .shards = 1,
                                                 .topic_prefix = ""};
    return ledger_service_open(&config);
}

static inline int kit_setup(void **state)
{
    struct kit *kit = calloc(1, sizeof *kit);
    clock_manual_init(&kit->clock, KIT_START_MS);
    kit->codec = event_codec_new(&kit->err);
    if (!kit->codec || log_memory_open(&kit->clock.clock, &kit->log, &kit->err) != OK ||
        store_memory_open(&kit->store, &kit->err) != OK)
        return -1;
    kit_topics(kit);
    if (log_producer_open(kit->log, &kit->producer, &kit->err) != OK)
        return -1;
    kit->service = kit_service(kit);
    ledger_service_lead(kit->service, true);
    *state = kit;
    return 0;
}

static inline int kit_teardown(void **state)
{
    struct kit *kit = *state;
    ledger_service_destroy(&kit->service);
    log_producer_destroy(&kit->producer);
    log_destroy(&kit->log);
    store_destroy(&kit->store);
    event_codec_destroy(&kit->codec);
    free(kit);
    return 0;
}

static inline void kit_send(struct kit *kit, enum ledger_source source, const char *tenant, const char *value)
{
    assert_int_equal(log_append(kit->producer, ledger_source_topic(source), 0, slice_of(tenant), slice_of(value),
                                (struct slice){NULL, 0}, &kit->err),
                     OK);
}

/* Steps one service until it has nothing to do and nothing under way. */
static inline enum err_code kit_settle_one(struct kit *kit, struct ledger_service *service)
{
    struct ledger_service_status status;
    unsigned calm = 0;
    for (unsigned i = 0; i < KIT_TURNS_MAX; i++) {
        bool busy;
        enum err_code code = ledger_service_step(service, &busy, &kit->err);
        if (code != OK)
            return code;
        ledger_service_status(service, &status);
        calm = busy || status.unconfirmed || status.phase == LEDGER_OPENING ? 0 : calm + 1;
        if (calm == 5)
            return OK;
    }
    fail_msg("the service does not come to rest: %s", ledger_phase_name(ledger_service_phase(service)));
    return ERR_TIMEOUT;
}

static inline void kit_settle(struct kit *kit)
{
    enum err_code code = kit_settle_one(kit, kit->service);
    if (code != OK)
        fail_msg("the service stopped: %s", kit->err.text);
}

/* Time passes, a second at a time. */
static inline void kit_pass(struct kit *kit, int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        clock_manual_advance(&kit->clock, ms < 1000 ? ms : 1000);
        kit_settle(kit);
    }
}

static inline struct ledger_source_totals kit_totals(struct kit *kit, enum ledger_source source)
{
    struct ledger_service_status status;
    ledger_service_status(kit->service, &status);
    return status.totals.sources[source];
}

/* The ledger as a reader sees it: calls back for each record. */
typedef void kit_on_record(void *context, const struct ledger_record *record);
static inline void kit_read(struct kit *kit, kit_on_record *on_record, void *context)
{
    struct ledger_reader *reader = NULL;
    struct ledger_record record;
    struct filter from;
    bool got = true;
    filter_init(&from, 0);
    assert_int_equal(ledger_reader_open(kit->log, "sales.ledger", &from, &reader, &kit->err), OK);
    while (got) {
        assert_int_equal(ledger_reader_next(reader, &record, &got, &kit->err), OK);
        if (got)
            on_record(context, &record);
    }
    assert_true(ledger_reader_between(reader));
    ledger_reader_destroy(&reader);
}

struct kit_counts {
    unsigned kinds[LEDGER_KIND_MAX + 1];
    uint64_t last_seq;
    int64_t last_ms;
    struct ledger_totals totals;
    int64_t first_ms[LEDGER_KIND_MAX + 1];
};
static inline void kit_count(void *context, const struct ledger_record *record)
{
    struct kit_counts *counts = context;
    if (counts->last_seq == 0)
        ledger_totals_init(&counts->totals);
    assert_true(record->seq > counts->last_seq && record->time_ms >= counts->last_ms);
    assert_true(ledger_totals_apply(&counts->totals, record));
    if (counts->kinds[record->kind]++ == 0)
        counts->first_ms[record->kind] = record->time_ms;
    counts->last_seq = record->seq;
    counts->last_ms = record->time_ms;
}
static inline struct kit_counts kit_counts_of(struct kit *kit)
{
    struct kit_counts counts = {0};
    kit_read(kit, kit_count, &counts);
    return counts;
}

#define KIT_LEAD(id, more)                                                                                             \
    "{\"type\":\"lead\",\"tenant\":\"acme\",\"event_id\":\"" id "\",\"source\":\"crm\",\"source_seq\":1,"              \
    "\"occurred_at\":1772000000000,\"lead_id\":\"L1\",\"action\":\"scored\",\"score\":1" more "}"

#endif
