/* fuzz_block.c -- hostile ledger blocks: whatever the bytes, reading ends inside them, what is read obeys the rules of
 * records, and writing it again reads the same. The first byte says whether the checksum is mended, without which
 * hardly an input would get past the door. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ledger/filter.h"
#include "ledger/ledger_totals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Places of the layout in block.h. */
enum { BODY_BYTES_AT = 80, CHECKSUM_AT = 84, HEADER_BYTES = 92 };

static void mend(uint8_t *bytes, size_t n)
{
    uint32_t body = (uint32_t)(n - HEADER_BYTES);
    memcpy(bytes, "PLB1\1\0", 6);
    memcpy(bytes + BODY_BYTES_AT, &body, sizeof body);
    uint64_t sum = XXH3_64bits_withSeed(bytes + HEADER_BYTES, body, XXH3_64bits(bytes, CHECKSUM_AT));
    memcpy(bytes + CHECKSUM_AT, &sum, sizeof sum);
}

static void check_same(const struct ledger_record *a, const struct ledger_record *b)
{
    assert(a->seq == b->seq && a->tenant_seq == b->tenant_seq && a->time_ms == b->time_ms);
    assert(a->number == b->number && a->dups_before == b->dups_before);
    assert(a->source == b->source && a->kind == b->kind && a->type == b->type);
    assert(slice_eq(a->tenant, b->tenant) && slice_eq(a->body, b->body));
}

/* Reads everything, writes what was read into `writer`; the number of records, or -1 if the body is malformed. */
static int64_t copy(struct block_reader *reader, struct block_writer *writer, struct ledger_totals *totals)
{
    struct ledger_record record;
    bool bad, fits = true;
    int64_t last_ms = reader->header.time_ms, count = 0;
    block_begin(writer, &reader->header);
    while (block_next(reader, &record, &bad)) {
        assert(record.seq == reader->header.first_seq + (uint64_t)count++);
        assert(record.time_ms >= last_ms);
        assert(record.kind >= 1 && record.kind <= LEDGER_KIND_MAX);
        assert(record.source < LEDGER_SOURCE_COUNT || record.source == LEDGER_SOURCE_NONE);
        last_ms = record.time_ms;
        fits = fits && block_add(writer, &record);
        (void)ledger_totals_apply(totals, &record);
    }
    return bad || !fits ? -1 : count;
}

static void round_trip(struct block_reader *reader, struct slice bytes)
{
    static struct block_writer *writer;
    static struct block_reader again;
    struct ledger_totals totals;
    if (!writer)
        writer = block_writer_new();
    ledger_totals_init(&totals);
    int64_t count = copy(reader, writer, &totals);
    if (count <= 0)
        return;
    assert(block_open(&again, block_end(writer), NULL) == OK);
    assert(block_open(reader, bytes, NULL) == OK);
    struct ledger_record a, b;
    bool bad;
    for (; count > 0; count--) {
        assert(block_next(reader, &a, &bad) && block_next(&again, &b, &bad));
        check_same(&a, &b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct block_reader reader;
    if (size < 1)
        return 0;
    size_t n = size - 1;
    uint8_t *bytes = malloc(n ? n : 1);
    assert(bytes);
    memcpy(bytes, data + 1, n);
    if ((data[0] & 1) && n >= HEADER_BYTES)
        mend(bytes, n);
    struct filter filter;
    filter_init(&filter, 0);
    enum filter_verdict verdict = filter_apply(&filter, 0, slice_make(bytes, n), &reader);
    assert(filter_stops(verdict) ? filter.next_offset == 0 : filter.next_offset == 1);
    if (block_open(&reader, slice_make(bytes, n), NULL) == OK && !reader.header.open)
        round_trip(&reader, slice_make(bytes, n));
    free(bytes);
    return 0;
}
