/* intake.h -- the raw topics of one shard and its ledger, as one consumer with a head of every source at hand.
 *
 * One consumer reads all ten, so that one wait wakes for raw records and for own blocks coming back. */
#ifndef LEDGER_INTAKE_H
#define LEDGER_INTAKE_H

#include "ledger/ledger_reader.h"
#include "ledger/ledger_totals.h"
#include "merge.h"

enum { INTAKE_BATCH = 256, INTAKE_LEDGER = LEDGER_SOURCE_COUNT };

struct intake;
/* positions[s]: number of the last record disposed of; -1: begin with the oldest kept one. The ledger is read from
 * `filter` on. ERR_MISSING, ERR_UNAVAILABLE as the log says. */
enum err_code intake_open(struct log *log, const char *group, const char *prefix, uint32_t shard,
                          const int64_t positions[LEDGER_SOURCE_COUNT], const struct filter *filter,
                          struct intake **intake, struct err *err);
void intake_destroy(struct intake **intake);
struct ledger_reader *intake_ledger(struct intake *intake);

/* Polls every source without a head and says how each one stands. ERR_GAP: raw records are gone unread. */
enum err_code intake_refresh(struct intake *intake, int64_t monotonic_ms, struct err *err);
const struct merge_source *intake_sources(const struct intake *intake);
const struct log_record *intake_head(const struct intake *intake, enum ledger_source source); /* a head is there */
enum err_code intake_next(struct intake *intake, enum ledger_source source, struct err *err); /* past the head */

void intake_ask_ends(struct intake *intake, int64_t monotonic_ms); /* in the background, a few times a second at most */
void intake_commit(struct intake *intake, const struct ledger_totals *confirmed); /* hints for operators' tools */
void intake_wait(struct intake *intake, int timeout_ms);

#endif
