/* writer.h -- a writer of one shard's ledger: follow, open, lead; state, blocks and what is not confirmed (design 4).
 *
 *     FOLLOWING --writer_open--> OPENING --own open valid--> LEADING --foreign open--> DROPPED
 *         ^                         |  another's open came first: DROPPED                |
 *         +--- writer_new ----------+----------------------------------------------------+
 *
 * While leading, own records are folded when they are put into a block, so that decisions see own unconfirmed blocks; a
 * block counts (writer_confirmed, commits) when it is read back valid. Nothing is ever taken out of the state again: on
 * any trouble the whole writer is destroyed and a new one folds snapshot and ledger. Pure: bytes in, bytes out; the
 * shell appends them and tells what it read. One owner. */
#ifndef LEDGER_WRITER_H
#define LEDGER_WRITER_H

#include "decide.h"
#include "ledger/ledger_reader.h"

enum { WRITER_UNCONFIRMED_BLOCKS_MAX = 8, WRITER_UNCONFIRMED_BYTES_MAX = 4 * 1024 * 1024 };

enum writer_phase { WRITER_FOLLOWING, WRITER_OPENING, WRITER_LEADING, WRITER_DROPPED };
enum writer_taken { WRITER_TAKEN, WRITER_DUPLICATE, WRITER_REJECTED, WRITER_FULL /* seal first, then again */ };

struct writer;
struct writer *writer_new(struct event_codec *codec, uint32_t shard, uint32_t shards);
void writer_destroy(struct writer **writer);
enum writer_phase writer_phase(const struct writer *writer);

/* The next valid block of the ledger, in order. ERR_CORRUPT, ERR_BUG: destroy the writer. */
enum err_code writer_read(struct writer *writer, const struct ledger_block *block, struct err *err);

/* Following, at the end of the ledger: the open block to append (borrowed until the next call). `id`: random, never
 * used before. */
struct slice writer_open(struct writer *writer, uint64_t id);

/* Leading. take decides one raw record and puts what becomes of it into the block being built; REJECTED: its bytes for
 * sales.rejects are in *key and *value of writer_reject until the next take. */
enum writer_taken writer_take(struct writer *writer, enum ledger_source source, const struct log_record *log);
void writer_reject(const struct writer *writer, struct slice *key, struct slice *value);
/* Records of the writer's own; false: full, seal first. */
bool writer_tick(struct writer *writer, int64_t now_ms);
bool writer_gap(struct writer *writer, int64_t from_ms, int64_t to_ms);
bool writer_source_stalled(struct writer *writer, enum ledger_source source, int64_t since_ms);

uint32_t writer_building(const struct writer *writer);   /* records in the block being built */
bool writer_room(const struct writer *writer);           /* another block may be sealed */
void writer_seal(struct writer *writer);                 /* building > 0, room, nothing sealed */
struct slice writer_sealed(const struct writer *writer); /* what is to be appended; empty: nothing */
void writer_sent(struct writer *writer, int64_t monotonic_ms);

uint32_t writer_unconfirmed(const struct writer *writer);   /* blocks, the sealed one included */
int64_t writer_oldest_sent_ms(const struct writer *writer); /* -1: nothing is under way */
/* Leading with nothing building or unconfirmed: becomes a follower that keeps its state. */
void writer_resign(struct writer *writer);

/* Number of the last record of a source that was decided; the next one is to be read. -1: none. */
int64_t writer_position(const struct writer *writer, enum ledger_source source);
/* Counters of what is read back valid, and what is known of the ledger. */
const struct ledger_totals *writer_confirmed(const struct writer *writer);
const struct filter *writer_filter(const struct writer *writer);
const struct writer_state *writer_state(const struct writer *writer);
int64_t writer_block_ms(const struct writer *writer);  /* when the log took the last valid block; 0: never */
uint64_t writer_diverged(const struct writer *writer); /* outputs that contradicted the ledger, since writer_new */

/* Snapshots: following, or leading with nothing building or unconfirmed. load: into a new writer; ERR_CORRUPT. */
bool writer_between(const struct writer *writer);
void writer_save(const struct writer *writer, struct buf *out);
enum err_code writer_load(struct writer *writer, struct slice bytes, struct err *err);

#endif
