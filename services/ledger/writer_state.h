/* writer_state.h -- what the ledger's writer knows: a fold of the valid records, nothing else (design 4.4).
 *
 * Counters and positions per source, ids of 48 h, tenants with clock and number, last outputs of machines. The fold is
 * the only way it changes, so whoever has folded the ledger to its end may write on. Pure; one owner. */
#ifndef LEDGER_WRITER_STATE_H
#define LEDGER_WRITER_STATE_H

#include "id_table.h"
#include "ledger/ledger_totals.h"
#include "model/event.h"
#include "writer_tables.h"

struct writer_state {
    struct event_codec *codec; /* borrowed */
    struct ledger_totals totals;
    uint64_t seq;     /* of the last record folded */
    int64_t time_ms;  /* shard time */
    uint64_t id_seed; /* of the hashes of ids: from the ledger's first open, random, not the senders' to choose; 0: none
                         was read yet */
    struct id_table *ids;
    struct writer_tenants tenants;
    struct writer_outputs outputs;
    struct buf scratch;
    struct event event; /* of the record being folded */
};

void writer_state_init(struct writer_state *state, struct event_codec *codec);
void writer_state_close(struct writer_state *state);

/* A valid open of `writer`: the first one of a ledger gives the seed. */
void writer_state_opened(struct writer_state *state, uint64_t writer);

/* Identity of an event as the table of ids knows it. */
struct writer_identity {
    uint64_t id;   /* hash of (tenant, type, event_id) */
    uint64_t body; /* of the body without recorded_at, source_seq, causation_id, correlation_id */
};
struct writer_identity writer_identity_of(const struct writer_state *state, const struct event *event,
                                          struct buf *scratch);

/* Applies one valid record. `event`, `identity`: of its body if the caller has them (own records), else NULL: they are
 * decoded here. ERR_CORRUPT: the record does not continue this state, which must be dropped then. */
enum err_code writer_state_fold(struct writer_state *state, const struct ledger_record *record,
                                const struct event *event, const struct writer_identity *identity, struct err *err);

void writer_state_save(const struct writer_state *state, struct buf *out);
bool writer_state_load(struct writer_state *state, struct cursor *in); /* into a fresh state */

#endif
