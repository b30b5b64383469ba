/* small_ledger.h -- a writer of valid ledger blocks for tests of readers: no raw topics, no decisions. Outputs that a
 * machine sent are taken in by small_ledger_take_outputs, as the ledger service would. */
#ifndef SMALL_LEDGER_H
#define SMALL_LEDGER_H

#include <assert.h>
#include <stdlib.h>

#include "ledger/filter.h"
#include "ledger/ledger_totals.h"
#include "log/log.h"
#include "model/event.h"

enum { SMALL_TENANTS_MAX = 16 };

struct small_ledger {
    struct log *log;
    struct clock_manual clock;
    struct event_codec *codec;
    struct log_producer *producer;
    struct log_consumer *outputs;
    struct block_writer *writer;
    struct filter filter;
    struct block_reader *reader;
    struct ledger_totals totals;
    int64_t numbers[LEDGER_SOURCE_COUNT]; /* next of each source */
    struct {
        char name[64];
        uint64_t seq;
    } tenants[SMALL_TENANTS_MAX];
    int64_t time_ms;
    unsigned alerts_taken, attests_taken;
};

static inline void small_block_begin(struct small_ledger *ledger)
{
    const struct block_header header = {.epoch = ledger->filter.epoch,
                                        .writer = ledger->filter.writer,
                                        .first_seq = ledger->filter.seq + 1,
                                        .time_ms = ledger->filter.time_ms,
                                        .prefix = ledger->filter.hash,
                                        .schema = event_codec_ledger_schema(ledger->codec)};
    block_begin(ledger->writer, &header);
}

static inline void small_append(struct small_ledger *ledger, struct slice bytes)
{
    struct err err;
    enum err_code code = log_append(ledger->producer, "sales.ledger", 0, slice_of(NULL), bytes, slice_of(""), &err);
    assert(!code);
    enum filter_verdict verdict = filter_apply(&ledger->filter, ledger->filter.next_offset, bytes, ledger->reader);
    assert(filter_valid(verdict));
    (void)code;
    (void)verdict;
}

/* Closes the block under way. */
static inline void small_flush(struct small_ledger *ledger)
{
    if (block_count(ledger->writer))
        small_append(ledger, block_end(ledger->writer));
    small_block_begin(ledger);
}

static inline void small_open(struct small_ledger *ledger)
{
    const struct block_header header = {.open = true,
                                        .epoch = ledger->filter.epoch + 1,
                                        .writer = 7 + ledger->filter.epoch,
                                        .time_ms = ledger->filter.time_ms};
    block_begin(ledger->writer, &header);
    small_append(ledger, block_end(ledger->writer));
    small_block_begin(ledger);
}

static inline void small_ledger_init(struct small_ledger *ledger)
{
    static const char *const topics[] = {"sales.ledger", "sales.alerts", "sales.attests", "sales.import"};
    *ledger = (struct small_ledger){.time_ms = 1767225600000}; /* 2026-01-01T00:00Z */
    struct err err;
    clock_manual_init(&ledger->clock, ledger->time_ms);
    ledger->codec = event_codec_new(&err);
    assert(ledger->codec);
    enum err_code code = log_memory_open(&ledger->clock.clock, &ledger->log, &err);
    struct log_source sources[3];
    for (size_t i = 0; i < sizeof topics / sizeof *topics && !code; i++) {
        struct log_topic_spec spec = {topics[i], 1, -1};
        code = log_topic_ensure(ledger->log, &spec, &err);
        if (i)
            sources[i - 1] = (struct log_source){topics[i], 0, 0};
    }
    assert(!code);
    code = log_producer_open(ledger->log, &ledger->producer, &err);
    assert(!code);
    code = log_consumer_open(ledger->log, NULL, sources, 3, &ledger->outputs, &err);
    assert(!code);
    ledger->writer = block_writer_new();
    ledger->reader = calloc(1, sizeof *ledger->reader);
    filter_init(&ledger->filter, 0);
    ledger_totals_init(&ledger->totals);
    small_open(ledger);
}

static inline void small_ledger_close(struct small_ledger *ledger)
{
    log_consumer_destroy(&ledger->outputs);
    log_producer_destroy(&ledger->producer);
    log_destroy(&ledger->log);
    block_writer_destroy(&ledger->writer);
    event_codec_destroy(&ledger->codec);
    free(ledger->reader);
}

static inline uint64_t small_tenant_seq(struct small_ledger *ledger, const char *tenant)
{
    for (size_t i = 0; i < SMALL_TENANTS_MAX; i++) {
        if (!ledger->tenants[i].name[0])
            snprintf(ledger->tenants[i].name, sizeof ledger->tenants[i].name, "%s", tenant);
        if (strcmp(ledger->tenants[i].name, tenant) == 0)
            return ++ledger->tenants[i].seq;
    }
    abort();
}

static inline void small_add(struct small_ledger *ledger, enum ledger_kind kind, enum event_type type,
                             enum ledger_source source, const char *tenant, struct slice body)
{
    struct ledger_record record = {.kind = (uint8_t)kind,
                                   .type = (uint8_t)type,
                                   .source = (uint8_t)source,
                                   .time_ms = ledger->time_ms,
                                   .tenant = slice_of(tenant),
                                   .body = body};
    if (tenant[0])
        record.tenant_seq = small_tenant_seq(ledger, tenant);
    if (source != LEDGER_SOURCE_NONE)
        record.number = (uint64_t)ledger->numbers[source]++;
    if (!block_add(ledger->writer, &record)) {
        small_flush(ledger);
        bool added = block_add(ledger->writer, &record);
        assert(added);
        (void)added;
    }
    bool counted = ledger_totals_apply(&ledger->totals, &record);
    assert(counted);
    (void)counted;
}

static inline void small_lead(struct small_ledger *ledger, const char *tenant, const char *body)
{
    small_add(ledger, LEDGER_EVENT, EVENT_LEAD, LEDGER_SOURCE_LEADS, tenant, slice_of(body));
}

static inline void small_visit(struct small_ledger *ledger, const char *tenant, const char *body)
{
    small_add(ledger, LEDGER_EVENT, EVENT_VISIT, LEDGER_SOURCE_VISITS, tenant, slice_of(body));
}

/* Time goes on, told by a tick in a block of its own. */
static inline void small_tick(struct small_ledger *ledger, int64_t ms)
{
    struct buf body;
    buf_init(&body);
    ledger->time_ms += ms;
    clock_manual_advance(&ledger->clock, ms);
    ledger_tick_write(ledger->time_ms, &ledger->totals, &body);
    small_add(ledger, LEDGER_TICK, EVENT_TYPE_NONE, LEDGER_SOURCE_NONE, "", buf_slice(&body));
    small_flush(ledger);
    buf_close(&body);
}

static inline struct event small_control_event(const char *tenant, int64_t control)
{
    struct event event = {.type = EVENT_CONTROL};
    event_set_text(&event, EV_TENANT, slice_of(tenant));
    event_set_text(&event, EV_EVENT_ID, slice_of("c"));
    event_set_text(&event, EV_SOURCE, slice_of("test"));
    event_set_int(&event, EV_SOURCE_SEQ, 0);
    event_set_int(&event, EV_OCCURRED_AT, 0);
    event_set_int(&event, CONTROL_CONTROL, control);
    return event;
}

static inline void small_control(struct small_ledger *ledger, const char *tenant, const struct event *event)
{
    struct buf body;
    buf_init(&body);
    event_encode(ledger->codec, event, &body);
    small_add(ledger, LEDGER_CONTROL, EVENT_CONTROL, tenant[0] ? LEDGER_SOURCE_IMPORT : LEDGER_SOURCE_NONE, tenant,
              buf_slice(&body));
    buf_close(&body);
}

static inline unsigned small_take(struct small_ledger *ledger, size_t source, enum ledger_kind kind,
                                  enum event_type type, enum ledger_source as)
{
    struct log_record records[64];
    size_t got = 1;
    unsigned taken = 0;
    struct err err;
    while (got) {
        enum err_code code = log_poll(ledger->outputs, source, records, 64, &got, &err);
        assert(!code);
        (void)code;
        for (size_t i = 0; i < got; i++) {
            char tenant[64];
            snprintf(tenant, sizeof tenant, "%.*s", SLICE_ARG(records[i].key));
            small_add(ledger, kind, type, as, tenant, slice_make(records[i].value.p + 10, records[i].value.n - 10));
            taken++;
        }
    }
    return taken;
}

/* Alerts and attests that were sent become records, each once and in order (repeats are for other tests). */
static inline void small_take_outputs(struct small_ledger *ledger)
{
    ledger->alerts_taken += small_take(ledger, 0, LEDGER_ALERT, EVENT_ALERT, LEDGER_SOURCE_ALERTS);
    ledger->attests_taken += small_take(ledger, 1, LEDGER_ATTEST, EVENT_ATTEST, LEDGER_SOURCE_ATTESTS);
    small_flush(ledger);
}

#endif
