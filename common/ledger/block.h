/* block.h -- the ledger's unit of writing: 1..4096 records in one Kafka record, checksummed and chained (design 4.1).
 *
 * Layout (little endian): "PLB1", version u16, flags u16 (1 = open), shard u32, branch u32, epoch u32, writer u64,
 * first_seq u64, count u32, time i64 (shard time of the first record's predecessor), last i64 (of the last record),
 * hash of the valid prefix (16 bytes), schema fingerprint u64, body bytes u32, checksum u64 (XXH3-64 of everything
 * else). Body: records, each kind, type, source, tenant (index into a dictionary built as tenants appear), then
 * varints: tenant_seq, number (delta per source), dups_before, time delta, body length, body. Everything read is
 * bounds-checked: a block is input. */
#ifndef LEDGER_BLOCK_H
#define LEDGER_BLOCK_H

#include "base/buf.h"
#include "base/err.h"
#include "ledger/record.h"

enum { BLOCK_RECORDS_MAX = 4096, BLOCK_BYTES_MAX = 256 * 1024, BLOCK_TENANTS_MAX = 4096 };

struct hash128 {
    uint64_t low, high;
};

struct block_header {
    bool open; /* an `open` block: count 0, takes one seq when valid */
    uint32_t shard;
    uint32_t branch;
    uint32_t epoch;
    uint64_t writer;
    uint64_t first_seq;
    uint32_t count;
    int64_t time_ms; /* shard time before the first record */
    int64_t last_ms; /* shard time of the last record; set by block_end */
    struct hash128 prefix;
    uint64_t schema;
};

/* Writing: begin, add until full, end. add returns false (nothing added) when the record does not fit; a single
 * record larger than BLOCK_BYTES_MAX fits an empty block (rulings O4). seq of a record is implied by its place. */
struct block_writer;
struct block_writer *block_writer_new(void);
void block_writer_destroy(struct block_writer **writer);
void block_begin(struct block_writer *writer, const struct block_header *header);
bool block_add(struct block_writer *writer, const struct ledger_record *record);
uint32_t block_count(const struct block_writer *writer);
struct slice block_end(struct block_writer *writer); /* borrowed until the next begin */

/* Reading: header first (checks magic, version, length, checksum), then the records one by one. */
struct block_reader {
    struct block_header header;
    struct cursor cursor;
    uint32_t next; /* index of the next record */
    int64_t time_ms;
    uint64_t numbers[LEDGER_SOURCE_COUNT];
    uint32_t tenant_count;
    struct slice tenants[BLOCK_TENANTS_MAX];
};
enum err_code block_open(struct block_reader *reader, struct slice bytes, struct err *err); /* ERR_BAD_INPUT */
/* The next record, borrowed from the bytes; false at the end. *bad: the body is malformed (ERR_CORRUPT for callers). */
bool block_next(struct block_reader *reader, struct ledger_record *record, bool *bad);

#endif
