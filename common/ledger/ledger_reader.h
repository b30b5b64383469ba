/* ledger_reader.h -- the ledger of one shard as valid records: the log, seen through the filter (design 4.3).
 *
 * Reads sales.ledger[p] from a known filter state on, skips what is void (counted by cause) and stops on a gap, a fork
 * or a newer build's block. Two levels: blocks (the ledger service tells its own from foreign ones) and records
 * (everybody else). Never waits except in ledger_reader_wait.
 *
 * What a record or block points to is borrowed until the next block is asked for. One owner, no locks. */
#ifndef LEDGER_LEDGER_READER_H
#define LEDGER_LEDGER_READER_H

#include "base/err.h"
#include "ledger/filter.h"
#include "log/log.h"

/* A valid block or open as it came. `records` may be iterated if the verdict is FILTER_VALID. */
struct ledger_block {
    enum filter_verdict verdict; /* FILTER_VALID or FILTER_VALID_OPEN */
    int64_t offset;
    int64_t append_ms; /* when the log took it */
    struct slice bytes;
    const struct filter *filter; /* as it is behind this block */
    struct block_reader *records;
};

struct ledger_reader;

/* Opens a consumer of its own on `topic` (full name), partition from->shard, at from->next_offset. */
enum err_code ledger_reader_open(struct log *log, const char *topic, const struct filter *from,
                                 struct ledger_reader **reader, struct err *err);
/* Reads source number `source` of a consumer that the caller keeps and destroys after the reader. */
struct ledger_reader *ledger_reader_attach(struct log_consumer *consumer, size_t source, const struct filter *from);
/* The schema fingerprint (block header) whose bodies the caller can decode: a valid block with another one stops the
 * reader (ERR_CONFIG) in front of it. Not called: bodies are not the caller's business. */
void ledger_reader_expect(struct ledger_reader *reader, uint64_t schema);
void ledger_reader_destroy(struct ledger_reader **reader);

/* The next valid block or open. *got false: nothing is here now. The records of the one before are given up.
 * ERR_GAP, ERR_FORK, ERR_CONFIG (a newer build wrote it), ERR_UNAVAILABLE: the reader stays where it is. */
enum err_code ledger_reader_block(struct ledger_reader *reader, struct ledger_block *block, bool *got, struct err *err);

/* The next valid record, over block boundaries. Besides the above: ERR_CORRUPT, a valid block cannot be decoded. */
enum err_code ledger_reader_next(struct ledger_reader *reader, struct ledger_record *record, bool *got,
                                 struct err *err);

/* F behind the last block that was begun. It describes exactly the records handed out so far only while
 * ledger_reader_between() holds: that is where snapshots may be taken. */
const struct filter *ledger_reader_filter(const struct ledger_reader *reader);
bool ledger_reader_between(const struct ledger_reader *reader);

/* Blocks seen by verdict, FILTER_VERDICT_COUNT numbers. */
const uint64_t *ledger_reader_counts(const struct ledger_reader *reader);

/* End of the ledger's partition as last learnt and when the question was asked (log.h); false: not known yet. */
bool ledger_reader_end(struct ledger_reader *reader, int64_t *end, int64_t *asked_ms);
void ledger_reader_refresh(struct ledger_reader *reader); /* ask again, in the background */
void ledger_reader_wait(struct ledger_reader *reader, int timeout_ms);

#endif
