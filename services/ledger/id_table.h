/* id_table.h -- ids seen in the last 48 h of arrival: is this event new, the same again, or another one? (semantics
 * 0.3)
 *
 * An entry is 16 bytes: a 64-bit hash of (tenant, type, event_id), 28 bits of the body's hash, 36 bits of the time of
 * acceptance (shard time, ms). Two ids that share all of it within 48 h would be one: 92 bits.
 *
 * Entries are kept in the order of their hash (linear probing by fastrange, smaller hashes first), so that walking the
 * table is walking it sorted: its saved form is canonical. The table is cut into segments by the leading bits of the
 * hash; one segment at a time grows by 1.25 when 0.9 full, each at another moment, so no growth stalls the writer and
 * the mean stays below 20 bytes an id. An entry is absent from the very millisecond its 48 h are over; its room is
 * reclaimed when its segment next grows or is swept. One owner. */
#ifndef LEDGER_ID_TABLE_H
#define LEDGER_ID_TABLE_H

#include "base/buf.h"

#define ID_HORIZON_MS ((int64_t)48 * 3600 * 1000)

enum { ID_BODY_BITS = 28, ID_SEGMENTS = 256 };

struct id_table;
struct id_table *id_table_new(void);
void id_table_destroy(struct id_table **table);

enum id_answer { ID_NEW, ID_SAME, ID_OTHER };
/* `body`: any hash of the body, of which ID_BODY_BITS are compared. now_ms: shard time, never falling from call to
 * call. find changes nothing. put sets the entry of `key`, expired or not. */
enum id_answer id_table_find(const struct id_table *table, uint64_t key, uint64_t body, int64_t now_ms);
void id_table_prefetch(const struct id_table *table, uint64_t key); /* find or put of this key will follow */
void id_table_put(struct id_table *table, uint64_t key, uint64_t body, int64_t now_ms);
/* Reclaims what is expired in one segment; call now and then (a pass takes ID_SEGMENTS calls). */
void id_table_sweep(struct id_table *table, int64_t now_ms);

uint64_t id_table_count(const struct id_table *table); /* entries held, expired ones included */
uint64_t id_table_bytes(const struct id_table *table); /* memory in use */

/* Canonical: the entries alive at now_ms in the order of their hash. */
void id_table_save(const struct id_table *table, int64_t now_ms, struct buf *out);
bool id_table_load(struct id_table *table, int64_t now_ms, struct cursor *in); /* into an empty table */

#endif
