/* ledger_reader.c -- see ledger_reader.h. */
#include "ledger/ledger_reader.h"

#include <stdlib.h>

enum { READER_BATCH = 16 };

struct ledger_reader {
    struct log_consumer *consumer;
    size_t source;
    bool owns_consumer;
    struct filter filter;
    struct log_record batch[READER_BATCH];
    size_t batch_count, batch_next;
    bool checks_schema;
    uint64_t schema;
    bool in_block; /* records of the present block may be left */
    uint64_t counts[FILTER_VERDICT_COUNT];
    struct block_reader records;
};

struct ledger_reader *ledger_reader_attach(struct log_consumer *consumer, size_t source, const struct filter *from)
{
    struct ledger_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        abort();
    reader->consumer = consumer;
    reader->source = source;
    reader->filter = *from;
    return reader;
}

enum err_code ledger_reader_open(struct log *log, const char *topic, const struct filter *from,
                                 struct ledger_reader **reader, struct err *err)
{
    const struct log_source source = {.topic = topic, .partition = from->shard, .offset = from->next_offset};
    struct log_consumer *consumer = NULL;
    enum err_code code = log_consumer_open(log, NULL, &source, 1, &consumer, err);
    if (code != OK)
        return code;
    *reader = ledger_reader_attach(consumer, 0, from);
    (*reader)->owns_consumer = true;
    return OK;
}

void ledger_reader_expect(struct ledger_reader *reader, uint64_t schema)
{
    reader->checks_schema = true;
    reader->schema = schema;
}

void ledger_reader_destroy(struct ledger_reader **reader)
{
    if (*reader && (*reader)->owns_consumer)
        log_consumer_destroy(&(*reader)->consumer);
    free(*reader);
    *reader = NULL;
}

static enum err_code stop_error(const struct ledger_reader *reader, enum filter_verdict verdict, int64_t offset,
                                struct err *err)
{
    const struct filter *f = &reader->filter;
    switch (verdict) {
    case FILTER_STOP_GAP:
        return err_set(err, ERR_GAP,
                       "ledger shard %u: record %lld came where %lld was due: the log lost records; see \"Lost "
                       "records\" in docs/ledger.md",
                       f->shard, (long long)offset, (long long)f->next_offset);
    case FILTER_STOP_FORK:
        return err_set(err, ERR_FORK,
                       "ledger shard %u: offset %lld continues another history than seq %llu here; start from a "
                       "snapshot or the archive",
                       f->shard, (long long)offset, (unsigned long long)f->seq);
    case FILTER_STOP_VERSION:
        return err_set(err, ERR_CONFIG,
                       "ledger shard %u: offset %lld was written by a build with another format; update this one",
                       f->shard, (long long)offset);
    case FILTER_VALID:
    case FILTER_VALID_OPEN:
    case FILTER_VOID_OPEN:
    case FILTER_VOID_EPOCH:
    case FILTER_VOID_WRITER:
    case FILTER_VOID_SEQ:
    case FILTER_VOID_MALFORMED:
    case FILTER_VOID_FOREIGN:
    case FILTER_VERDICT_COUNT:
        break;
    }
    return err_set(err, ERR_BUG, "ledger shard %u: no stop but verdict %d", f->shard, (int)verdict);
}

/* Makes one log record at hand, if the log has one. */
static enum err_code refill(struct ledger_reader *reader, struct err *err)
{
    if (reader->batch_next < reader->batch_count)
        return OK;
    reader->batch_next = 0;
    reader->batch_count = 0;
    return log_poll(reader->consumer, reader->source, reader->batch, READER_BATCH, &reader->batch_count, err);
}

/* The filter, and whether the bodies of a valid block can be read here. A stop leaves the filter where it was. */
static enum filter_verdict judge(struct ledger_reader *reader, const struct log_record *record)
{
    const struct filter before = reader->filter;
    enum filter_verdict verdict = filter_apply(&reader->filter, record->offset, record->value, &reader->records);
    if (verdict != FILTER_VALID || !reader->checks_schema || reader->records.header.schema == reader->schema)
        return verdict;
    reader->filter = before;
    return FILTER_STOP_VERSION;
}

enum err_code ledger_reader_block(struct ledger_reader *reader, struct ledger_block *block, bool *got, struct err *err)
{
    *got = false;
    reader->in_block = false;
    for (;;) {
        enum err_code code = refill(reader, err);
        if (code != OK || reader->batch_next == reader->batch_count)
            return code;
        const struct log_record *record = &reader->batch[reader->batch_next];
        enum filter_verdict verdict = judge(reader, record);
        reader->counts[verdict]++;
        if (filter_stops(verdict))
            return stop_error(reader, verdict, record->offset, err);
        reader->batch_next++;
        if (!filter_valid(verdict))
            continue;
        reader->in_block = verdict == FILTER_VALID;
        *block = (struct ledger_block){verdict,       record->offset,  record->append_ms,
                                       record->value, &reader->filter, &reader->records};
        *got = true;
        return OK;
    }
}

enum err_code ledger_reader_next(struct ledger_reader *reader, struct ledger_record *record, bool *got, struct err *err)
{
    for (;;) {
        bool bad = false;
        *got = reader->in_block && block_next(&reader->records, record, &bad);
        if (bad)
            return err_set(err, ERR_CORRUPT, "ledger shard %u: valid block behind seq %llu cannot be decoded",
                           reader->filter.shard, (unsigned long long)reader->records.header.first_seq);
        if (*got)
            return OK;
        struct ledger_block block;
        bool more;
        enum err_code code = ledger_reader_block(reader, &block, &more, err);
        if (code != OK || !more)
            return code;
    }
}

const struct filter *ledger_reader_filter(const struct ledger_reader *reader) { return &reader->filter; }

bool ledger_reader_between(const struct ledger_reader *reader)
{
    return !reader->in_block || reader->records.next == reader->records.header.count;
}

const uint64_t *ledger_reader_counts(const struct ledger_reader *reader) { return reader->counts; }

bool ledger_reader_end(struct ledger_reader *reader, int64_t *end, int64_t *asked_ms)
{
    return log_end(reader->consumer, reader->source, end, asked_ms);
}

void ledger_reader_refresh(struct ledger_reader *reader) { log_end_refresh(reader->consumer); }
void ledger_reader_wait(struct ledger_reader *reader, int timeout_ms) { log_wait(reader->consumer, timeout_ms); }
