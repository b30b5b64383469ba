/* intake.c -- see intake.h. */
#include "intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"

enum { RANGE_TIMEOUT_MS = 5000, ASK_EVERY_MS = 200, END_AGE_MS_MAX = 1000 };

struct source_heads {
    struct log_record batch[INTAKE_BATCH];
    size_t count, next;
    int64_t next_offset; /* behind the last record polled */
    int64_t committed;
};

struct intake {
    struct log_consumer *consumer;
    struct ledger_reader *ledger;
    struct merge_source sources[LEDGER_SOURCE_COUNT];
    struct source_heads heads[LEDGER_SOURCE_COUNT];
    int64_t asked_ms;
};

static enum err_code first_offset(struct log *log, const char *topic, uint32_t shard, int64_t position, int64_t *offset,
                                  struct err *err)
{
    int64_t end;
    *offset = position + 1;
    return position >= 0 ? OK : log_range(log, topic, shard, RANGE_TIMEOUT_MS, offset, &end, err);
}

enum err_code intake_open(struct log *log, const char *group, const char *prefix, uint32_t shard,
                          const int64_t positions[LEDGER_SOURCE_COUNT], const struct filter *filter,
                          struct intake **intake, struct err *err)
{
    char topics[LEDGER_SOURCE_COUNT + 1][LOG_TOPIC_BYTES_MAX + 1];
    struct log_source sources[LEDGER_SOURCE_COUNT + 1];
    struct intake *in = calloc(1, sizeof *in);
    if (!in)
        abort();
    for (unsigned s = 0; s <= LEDGER_SOURCE_COUNT; s++) {
        const char *topic = s == INTAKE_LEDGER ? "sales.ledger" : ledger_source_topic((enum ledger_source)s);
        (void)snprintf(topics[s], sizeof topics[s], "%s%s", prefix, topic);
        sources[s] = (struct log_source){topics[s], shard, filter->next_offset};
    }
    enum err_code code = OK;
    for (unsigned s = 0; code == OK && s < LEDGER_SOURCE_COUNT; s++) {
        code = first_offset(log, topics[s], shard, positions[s], &sources[s].offset, err);
        in->heads[s].next_offset = sources[s].offset;
        in->heads[s].committed = sources[s].offset;
    }
    if (code == OK)
        code = log_consumer_open(log, group, sources, LEDGER_SOURCE_COUNT + 1, &in->consumer, err);
    if (code != OK) {
        free(in);
        return code;
    }
    in->ledger = ledger_reader_attach(in->consumer, INTAKE_LEDGER, filter);
    in->asked_ms = INT64_MIN / 2;
    *intake = in;
    return OK;
}

void intake_destroy(struct intake **intake)
{
    if (*intake) {
        ledger_reader_destroy(&(*intake)->ledger);
        log_consumer_destroy(&(*intake)->consumer);
    }
    free(*intake);
    *intake = NULL;
}

struct ledger_reader *intake_ledger(struct intake *intake) { return intake->ledger; }

static enum err_code poll_source(struct intake *intake, unsigned s, struct err *err)
{
    struct source_heads *heads = &intake->heads[s];
    if (heads->next < heads->count)
        return OK;
    heads->next = 0;
    heads->count = 0;
    enum err_code code = log_poll(intake->consumer, s, heads->batch, INTAKE_BATCH, &heads->count, err);
    if (code != OK)
        return err_wrap(err, "%s", ledger_source_topic((enum ledger_source)s));
    if (heads->count) {
        heads->next_offset = heads->batch[heads->count - 1].offset + 1;
        FAULT_POINT("ledger.after_poll");
    }
    return OK;
}

static void note_head(struct intake *intake, unsigned s)
{
    const struct source_heads *heads = &intake->heads[s];
    struct merge_source *source = &intake->sources[s];
    source->head = heads->next < heads->count;
    if (source->head)
        source->head_ms = heads->batch[heads->next].append_ms;
}

enum err_code intake_refresh(struct intake *intake, int64_t monotonic_ms, struct err *err)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        int64_t end, asked_ms;
        /* The end first: what is polled afterwards was there at that time or came later. */
        bool known = log_end(intake->consumer, s, &end, &asked_ms);
        enum err_code code = poll_source(intake, s, err);
        if (code != OK)
            return code;
        note_head(intake, s);
        intake->sources[s].at_end = known && !intake->sources[s].head && intake->heads[s].next_offset >= end &&
                                    monotonic_ms - asked_ms <= END_AGE_MS_MAX;
    }
    return OK;
}

const struct merge_source *intake_sources(const struct intake *intake) { return intake->sources; }

const struct log_record *intake_head(const struct intake *intake, enum ledger_source source)
{
    return &intake->heads[source].batch[intake->heads[source].next];
}

enum err_code intake_next(struct intake *intake, enum ledger_source source, struct err *err)
{
    intake->heads[source].next++;
    enum err_code code = poll_source(intake, source, err);
    note_head(intake, source);
    intake->sources[source].at_end = false; /* until intake_refresh says so */
    return code;
}

void intake_ask_ends(struct intake *intake, int64_t monotonic_ms)
{
    if (monotonic_ms - intake->asked_ms < ASK_EVERY_MS)
        return;
    intake->asked_ms = monotonic_ms;
    log_end_refresh(intake->consumer);
}

void intake_commit(struct intake *intake, const struct ledger_totals *confirmed)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        int64_t offset = confirmed->sources[s].position + 1;
        if (offset <= intake->heads[s].committed)
            continue;
        log_commit(intake->consumer, s, offset);
        intake->heads[s].committed = offset;
    }
}

void intake_wait(struct intake *intake, int timeout_ms) { log_wait(intake->consumer, timeout_ms); }
