/* ledger_totals.h -- received = accepted + duplicate + rejected, per source, as a fold of the ledger (design 2.6, 4.8).
 *
 * A record of source s with number n disposes of everything of s up to n: dups_before duplicates, then itself. A tick
 * carries all positions and the cumulative counters, so duplicates behind the last record are counted too; it must
 * agree with what was folded. Every reader can publish these; the ledger service puts them into its ticks. */
#ifndef LEDGER_LEDGER_TOTALS_H
#define LEDGER_LEDGER_TOTALS_H

#include "base/buf.h"
#include "ledger/record.h"

enum { LEDGER_REASONS_MAX = 64 /* more than REJECT_REASON_COUNT of model/event.h */ };

struct ledger_source_totals {
    int64_t position; /* number of the last record disposed of; -1: none */
    uint64_t accepted, duplicate, rejected;
};

struct ledger_totals {
    struct ledger_source_totals sources[LEDGER_SOURCE_COUNT];
    uint64_t reasons[LEDGER_REASONS_MAX]; /* rejected, by enum reject_reason */
};

void ledger_totals_init(struct ledger_totals *totals);

/* False: the record does not continue the totals (a position that goes back, a tick that disagrees, a malformed body
 * of a tick or reject): a bug or damage, ERR_CORRUPT for callers. Totals are unchanged then. */
bool ledger_totals_apply(struct ledger_totals *totals, const struct ledger_record *record);

static inline uint64_t ledger_received(const struct ledger_source_totals *source)
{
    return source->accepted + source->duplicate + source->rejected;
}

/* Body of a tick, the canonical Avro of ledger_tick: the writer's clock, then for every source topic, position,
 * accepted, duplicate, rejected. */
void ledger_tick_write(int64_t clock_ms, const struct ledger_totals *totals, struct buf *out);
bool ledger_tick_read(struct slice body, int64_t *clock_ms, struct ledger_totals *totals); /* reasons are left alone */

void ledger_totals_save(const struct ledger_totals *totals, struct buf *out);
bool ledger_totals_load(struct ledger_totals *totals, struct cursor *in);

#endif
