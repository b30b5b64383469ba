/* writer.c -- see writer.h. */
#include "writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAVE_LAYOUT = 2 };
static const char save_magic[4] = {'P', 'L', 'W', '1'};

/* A sealed block that was not read back yet. */
struct unconfirmed {
    uint64_t last_seq;
    size_t bytes;
    int64_t sent_ms; /* monotonic; -1: sealed, not appended */
    struct hash128 hash;
    struct ledger_totals totals; /* behind it */
};

/* Duplicates of a source since its last record. */
struct pending {
    uint32_t count;
    int64_t position; /* number of the last one */
};

struct writer {
    uint32_t shard, shards;
    enum writer_phase phase;
    struct writer_state state; /* own unconfirmed records included */
    struct decider *decider;
    struct decision decision;
    struct buf reject_key, reject_value;
    struct buf body; /* of own controls and ticks */

    struct filter filter; /* behind the last block read */
    int64_t block_ms;
    struct ledger_totals confirmed;
    uint64_t diverged;

    uint64_t id; /* of this writer, while opening and leading */
    uint32_t epoch;
    struct block_writer *block;
    bool begun;
    struct slice sealed;
    uint64_t chain_seq; /* behind the last sealed block */
    struct hash128 chain_hash;
    struct pending pending[LEDGER_SOURCE_COUNT];
    struct unconfirmed ring[WRITER_UNCONFIRMED_BLOCKS_MAX];
    uint32_t ring_first, ring_count;
    size_t ring_bytes;
};

struct writer *writer_new(struct event_codec *codec, uint32_t shard, uint32_t shards)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer || !(writer->block = block_writer_new()))
        abort();
    writer->shard = shard;
    writer->shards = shards;
    writer_state_init(&writer->state, codec);
    writer->decider = decider_new(codec);
    filter_init(&writer->filter, shard);
    ledger_totals_init(&writer->confirmed);
    return writer;
}

void writer_destroy(struct writer **writer)
{
    struct writer *w = *writer;
    if (!w)
        return;
    block_writer_destroy(&w->block);
    decider_destroy(&w->decider);
    writer_state_close(&w->state);
    buf_close(&w->reject_key);
    buf_close(&w->reject_value);
    buf_close(&w->body);
    free(w);
    *writer = NULL;
}

enum writer_phase writer_phase(const struct writer *writer) { return writer->phase; }

static enum err_code fold_block(struct writer *writer, const struct ledger_block *block, struct err *err)
{
    struct ledger_record record;
    bool bad;
    while (block_next(block->records, &record, &bad)) {
        enum err_code code = writer_state_fold(&writer->state, &record, NULL, NULL, err);
        if (code != OK)
            return code;
    }
    writer->confirmed = writer->state.totals;
    return bad ? err_set(err, ERR_CORRUPT, "a valid ledger block cannot be decoded") : OK;
}

/* Own blocks come back in the order in which they were sealed, bit for bit. */
static enum err_code confirm(struct writer *writer, struct err *err)
{
    struct unconfirmed *oldest = &writer->ring[writer->ring_first];
    const struct filter *filter = &writer->filter;
    if (writer->ring_count == 0 || oldest->last_seq != filter->seq || oldest->hash.low != filter->hash.low ||
        oldest->hash.high != filter->hash.high)
        return err_set(err, ERR_BUG, "ledger shard %u: a valid block of this writer that it did not write (seq %llu)",
                       writer->shard, (unsigned long long)filter->seq);
    writer->confirmed = oldest->totals;
    writer->ring_bytes -= oldest->bytes;
    writer->ring_first = (writer->ring_first + 1) % WRITER_UNCONFIRMED_BLOCKS_MAX;
    writer->ring_count--;
    return OK;
}

static void begin_leading(struct writer *writer)
{
    writer->phase = WRITER_LEADING;
    writer->chain_seq = writer->filter.seq;
    writer->chain_hash = writer->filter.hash;
}

static void read_open(struct writer *writer)
{
    const struct filter *filter = &writer->filter;
    switch (writer->phase) {
    case WRITER_FOLLOWING:
        break;
    case WRITER_OPENING:
        if (filter->epoch == writer->epoch && filter->writer == writer->id)
            begin_leading(writer);
        else if (filter->epoch >= writer->epoch)
            writer->phase = WRITER_DROPPED; /* ours, when it comes, is void */
        break;
    case WRITER_LEADING:
    case WRITER_DROPPED:
        writer->phase = WRITER_DROPPED;
        break;
    }
}

enum err_code writer_read(struct writer *writer, const struct ledger_block *block, struct err *err)
{
    writer->filter = *block->filter;
    if (block->verdict == FILTER_VALID_OPEN) {
        writer_state_opened(&writer->state, block->filter->writer);
        read_open(writer);
        return OK;
    }
    /* The state still holds decisions that will never be confirmed: nothing foreign may be folded on top of it. */
    if (writer->phase == WRITER_DROPPED)
        return OK;
    writer->block_ms = block->append_ms;
    return writer->phase == WRITER_LEADING ? confirm(writer, err) : fold_block(writer, block, err);
}

static struct block_header header_of(const struct writer *writer)
{
    return (struct block_header){.shard = writer->shard,
                                 .branch = writer->filter.branch,
                                 .epoch = writer->epoch,
                                 .writer = writer->id,
                                 .time_ms = writer->state.time_ms,
                                 .schema = event_codec_ledger_schema(writer->state.codec)};
}

struct slice writer_open(struct writer *writer, uint64_t id)
{
    assert(writer->phase == WRITER_FOLLOWING);
    writer->id = id;
    writer->epoch = writer->filter.epoch + 1;
    writer->phase = WRITER_OPENING;
    struct block_header header = header_of(writer);
    header.open = true;
    block_begin(writer->block, &header);
    return block_end(writer->block);
}

/* A record into the block being built; `record` gets its seq and the duplicates before it. */
static bool add(struct writer *writer, struct ledger_record *record)
{
    if (writer->sealed.n)
        return false;
    if (!writer->begun) {
        struct block_header header = header_of(writer);
        header.first_seq = writer->chain_seq + 1;
        header.prefix = writer->chain_hash;
        block_begin(writer->block, &header);
        writer->begun = true;
    }
    struct pending *pending = record->source < LEDGER_SOURCE_COUNT ? &writer->pending[record->source] : NULL;
    record->seq = writer->chain_seq + 1 + block_count(writer->block);
    record->dups_before = pending ? pending->count : 0;
    if (!block_add(writer->block, record))
        return false;
    if (pending)
        pending->count = 0;
    return true;
}

static void fold_own(struct writer *writer, const struct ledger_record *record, const struct decision *decision)
{
    struct err err __attribute__((uninitialized)); /* read only when there is one */
    const struct event *event = decision && decision->class == DECISION_ACCEPT ? &decision->event : NULL;
    const struct writer_identity *identity = event && decision->has_identity ? &decision->identity : NULL;
    enum err_code code = writer_state_fold(&writer->state, record, event, identity, &err);
    if (code != OK) {
        fprintf(stderr, "paceline: own record does not continue own state: %s\n", err.text);
        abort(); /* decide() and fold disagree: a bug, and going on would write it into the ledger */
    }
}

enum writer_taken writer_take(struct writer *writer, enum ledger_source source, const struct log_record *log)
{
    struct decision *decision = &writer->decision;
    struct pending *pending = &writer->pending[source];
    const struct raw_record raw = {source, writer->shard, writer->shards, log};
    assert(writer->phase == WRITER_LEADING && log->offset > writer_position(writer, source));
    if (writer->sealed.n)
        return WRITER_FULL;
    decide(writer->decider, &writer->state, &raw, decision);
    if (decision->class == DECISION_DUPLICATE) {
        if (pending->count == UINT32_MAX)
            return WRITER_FULL; /* never in practice: a tick clears the count long before */
        pending->count++;
        pending->position = log->offset;
        return WRITER_DUPLICATE;
    }
    if (!add(writer, &decision->record))
        return WRITER_FULL;
    fold_own(writer, &decision->record, decision);
    if (decision->class == DECISION_ACCEPT)
        return WRITER_TAKEN;
    bool output = source == LEDGER_SOURCE_ALERTS || source == LEDGER_SOURCE_ATTESTS;
    writer->diverged += output && decision->reject.reason == REJECT_conflict;
    decide_reject_copy(writer->decider, &raw, decision, &writer->reject_key, &writer->reject_value);
    return WRITER_REJECTED;
}

void writer_reject(const struct writer *writer, struct slice *key, struct slice *value)
{
    *key = buf_slice(&writer->reject_key);
    *value = buf_slice(&writer->reject_value);
}

/* Totals with the duplicates that no record speaks of yet: what a tick tells. */
static struct ledger_totals totals_now(const struct writer *writer)
{
    struct ledger_totals totals = writer->state.totals;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct pending *pending = &writer->pending[s];
        if (pending->count == 0)
            continue;
        totals.sources[s].duplicate += pending->count;
        totals.sources[s].position = pending->position;
    }
    return totals;
}

bool writer_tick(struct writer *writer, int64_t now_ms)
{
    struct ledger_totals totals = totals_now(writer);
    buf_clear(&writer->body);
    ledger_tick_write(now_ms, &totals, &writer->body);
    struct ledger_record record = {.time_ms = now_ms > writer->state.time_ms ? now_ms : writer->state.time_ms,
                                   .source = LEDGER_SOURCE_NONE,
                                   .kind = LEDGER_TICK,
                                   .type = EVENT_LEDGER_TICK,
                                   .body = buf_slice(&writer->body)};
    if (!add(writer, &record))
        return false;
    fold_own(writer, &record, NULL);
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        writer->pending[s].count = 0;
    return true;
}

/* A control of the writer's own: no tenant, time stands still (what waited in the sources is older than it). */
static bool add_control(struct writer *writer, struct event *event, int64_t at_ms)
{
    char id[96];
    uint64_t seq = writer->chain_seq + 1 + (writer->begun ? block_count(writer->block) : 0);
    (void)snprintf(id, sizeof id, "ledger/%u/%u/%llu", writer->shard, writer->epoch, (unsigned long long)seq);
    event->type = EVENT_CONTROL;
    event_set_text(event, EV_TENANT, SLICE("")); /* shard-wide */
    event_set_text(event, EV_EVENT_ID, slice_of(id));
    event_set_text(event, EV_SOURCE, SLICE("ledger"));
    event_set_int(event, EV_SOURCE_SEQ, (int64_t)seq);
    event_set_int(event, EV_OCCURRED_AT, at_ms);
    buf_clear(&writer->body);
    event_encode(writer->state.codec, event, &writer->body);
    struct ledger_record record = {.time_ms = writer->state.time_ms,
                                   .source = LEDGER_SOURCE_NONE,
                                   .kind = LEDGER_CONTROL,
                                   .type = EVENT_CONTROL,
                                   .body = buf_slice(&writer->body)};
    if (!add(writer, &record))
        return false;
    fold_own(writer, &record, NULL);
    return true;
}

bool writer_gap(struct writer *writer, int64_t from_ms, int64_t to_ms)
{
    struct event event = {0};
    event_set_int(&event, CONTROL_CONTROL, CONTROL_CONTROL_gap);
    event_set_int(&event, CONTROL_FROM, from_ms);
    event_set_int(&event, CONTROL_TO, to_ms);
    return add_control(writer, &event, to_ms);
}

bool writer_source_stalled(struct writer *writer, enum ledger_source source, int64_t since_ms)
{
    struct event event = {0};
    event_set_int(&event, CONTROL_CONTROL, CONTROL_CONTROL_source_stalled);
    event_set_int(&event, CONTROL_FROM, since_ms);
    event_set_text(&event, CONTROL_TOPIC, slice_of(ledger_source_topic(source)));
    return add_control(writer, &event, since_ms);
}

uint32_t writer_building(const struct writer *writer)
{
    return writer->begun && !writer->sealed.n ? block_count(writer->block) : 0;
}

bool writer_room(const struct writer *writer)
{
    return writer->ring_count < WRITER_UNCONFIRMED_BLOCKS_MAX && writer->ring_bytes < WRITER_UNCONFIRMED_BYTES_MAX;
}

void writer_seal(struct writer *writer)
{
    assert(writer_building(writer) > 0 && writer_room(writer) && !writer->sealed.n);
    struct unconfirmed *next = &writer->ring[(writer->ring_first + writer->ring_count) % WRITER_UNCONFIRMED_BLOCKS_MAX];
    uint32_t count = block_count(writer->block);
    writer->sealed = block_end(writer->block);
    writer->begun = false;
    writer->chain_seq += count;
    writer->chain_hash = filter_hash_next(writer->chain_hash, writer->sealed);
    next->last_seq = writer->chain_seq;
    next->bytes = writer->sealed.n;
    next->sent_ms = -1;
    next->hash = writer->chain_hash;
    next->totals = writer->state.totals;
    writer->ring_count++;
    writer->ring_bytes += writer->sealed.n;
}

struct slice writer_sealed(const struct writer *writer) { return writer->sealed; }

void writer_sent(struct writer *writer, int64_t monotonic_ms)
{
    assert(writer->sealed.n);
    uint32_t last = (writer->ring_first + writer->ring_count - 1) % WRITER_UNCONFIRMED_BLOCKS_MAX;
    writer->ring[last].sent_ms = monotonic_ms;
    writer->sealed = (struct slice){NULL, 0};
}

uint32_t writer_unconfirmed(const struct writer *writer) { return writer->ring_count; }

int64_t writer_oldest_sent_ms(const struct writer *writer)
{
    return writer->ring_count ? writer->ring[writer->ring_first].sent_ms : -1;
}

bool writer_between(const struct writer *writer)
{
    return writer->phase != WRITER_DROPPED && writer->ring_count == 0 && writer_building(writer) == 0;
}

void writer_resign(struct writer *writer)
{
    assert(writer->phase == WRITER_LEADING && writer_between(writer));
    writer->phase = WRITER_FOLLOWING;
    writer->begun = false;
    memset(writer->pending, 0, sizeof writer->pending);
}

int64_t writer_position(const struct writer *writer, enum ledger_source source)
{
    const struct pending *pending = &writer->pending[source];
    return pending->count ? pending->position : writer->state.totals.sources[source].position;
}

const struct ledger_totals *writer_confirmed(const struct writer *writer) { return &writer->confirmed; }
const struct filter *writer_filter(const struct writer *writer) { return &writer->filter; }
const struct writer_state *writer_state(const struct writer *writer) { return &writer->state; }
int64_t writer_block_ms(const struct writer *writer) { return writer->block_ms; }
uint64_t writer_diverged(const struct writer *writer) { return writer->diverged; }

void writer_save(const struct writer *writer, struct buf *out)
{
    assert(writer_between(writer));
    buf_add(out, save_magic, sizeof save_magic);
    buf_add_u16(out, SAVE_LAYOUT);
    filter_save(&writer->filter, out);
    buf_add_u64(out, (uint64_t)writer->block_ms);
    writer_state_save(&writer->state, out);
}

enum err_code writer_load(struct writer *writer, struct slice bytes, struct err *err)
{
    struct cursor in = cursor_of(bytes);
    struct slice magic = cursor_take(&in, sizeof save_magic);
    if (!slice_eq(magic, slice_make(save_magic, sizeof save_magic)) || cursor_u16(&in) != SAVE_LAYOUT ||
        !filter_load(&writer->filter, &in) || writer->filter.shard != writer->shard)
        return err_set(err, ERR_CORRUPT, "no snapshot of the ledger writer of shard %u", writer->shard);
    writer->block_ms = (int64_t)cursor_u64(&in);
    if (!writer_state_load(&writer->state, &in) || cursor_left(&in) > 0)
        return err_set(err, ERR_CORRUPT, "snapshot of the ledger writer of shard %u is damaged", writer->shard);
    writer->confirmed = writer->state.totals;
    return OK;
}
