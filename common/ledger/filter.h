/* filter.h -- F: which blocks are the ledger? One pure function, the same in every reader (design 4.3).
 *
 *   offset != next                         -> STOP gap
 *   open,  epoch >  F.epoch                -> valid: adopt epoch and writer, seq += 1
 *   open,  epoch <= F.epoch                -> void
 *   block, (epoch, writer) = F's, first_seq = F.seq + 1, hash = F.hash -> valid: seq += count, time = max
 *   the same but another hash, or epoch > F.epoch without its open     -> STOP fork
 *   a higher branch                                                    -> STOP fork
 *   an open of the last epoch (2^32 - 1)                               -> void: none could follow
 *   anything else                          -> void, counted by cause
 *   a version this build cannot read       -> void where the above says void, else STOP version
 *
 * F.hash after a valid block = XXH3-128(F.hash before, block bytes), so it names the whole valid prefix. */
#ifndef LEDGER_FILTER_H
#define LEDGER_FILTER_H

#include "ledger/block.h"

struct filter {
    uint32_t shard;
    uint32_t branch;
    uint32_t epoch;
    uint64_t writer;
    uint64_t seq; /* of the last valid record */
    int64_t time_ms;
    struct hash128 hash;
    int64_t next_offset;
};

#define FILTER_VERDICTS(X)                                                                                             \
    X(VALID)          /* its records are the ledger */                                                                 \
    X(VALID_OPEN)     /* a new writer */                                                                               \
    X(VOID_OPEN)      /* an open that came too late */                                                                 \
    X(VOID_EPOCH)     /* block of an older epoch: a zombie */                                                          \
    X(VOID_WRITER)    /* same epoch, another writer */                                                                 \
    X(VOID_SEQ)       /* a repeat or a hole: an earlier block of this writer is missing */                             \
    X(VOID_MALFORMED) /* not a block, or damaged */                                                                    \
    X(VOID_FOREIGN)   /* another shard or an older branch */                                                           \
    X(STOP_GAP)       /* the log lost records */                                                                       \
    X(STOP_FORK)      /* two histories */                                                                              \
    X(STOP_VERSION)   /* would be valid, but is of a newer build: this one must not go on */
enum filter_verdict {
#define X(name) FILTER_##name,
    FILTER_VERDICTS(X)
#undef X
        FILTER_VERDICT_COUNT
};
const char *filter_verdict_name(enum filter_verdict verdict);

/* A stop leaves the filter where it is; a valid verdict means records (or a new writer). */
static inline bool filter_stops(enum filter_verdict verdict) { return verdict >= FILTER_STOP_GAP; }
static inline bool filter_valid(enum filter_verdict verdict)
{
    return verdict == FILTER_VALID || verdict == FILTER_VALID_OPEN;
}

void filter_init(struct filter *filter, uint32_t shard); /* the beginning: nothing valid yet */

/* Decides one log record and, unless it stops, moves the filter past it. `reader` is opened on valid blocks (and only
 * then may be iterated; record seq starts at reader->header.first_seq). */
enum filter_verdict filter_apply(struct filter *filter, int64_t offset, struct slice bytes,
                                 struct block_reader *reader);

/* Hash of the valid prefix after `bytes`: what the next block of the chain must carry. */
struct hash128 filter_hash_next(struct hash128 before, struct slice bytes);

void filter_save(const struct filter *filter, struct buf *out);
bool filter_load(struct filter *filter, struct cursor *in);

#endif
