/* cmd_tail.h -- the forms in which `paceline tail` prints records (formats 3.9). Used by cmd_tail*.c only. */
#ifndef CLI_CMD_TAIL_H
#define CLI_CMD_TAIL_H

#include "base/intern.h"
#include "client.h"
#include "model/tenant_clock.h"

struct tail {
    struct cli *cli;
    struct client client;
    struct slice tenant; /* empty: all */
    int64_t from_ms;     /* INT64_MIN: from the beginning or the end */
    bool from_end, once;
    uint64_t count, printed; /* count 0: no limit */
    struct buf line, scratch;

    struct intern tenants; /* clocks of the ledger's tenants */
    struct tenant_clock *clocks;
    uint32_t clock_cap;
};

static inline bool tail_full(const struct tail *tail) { return tail->count && tail->printed >= tail->count; }
void tail_print(struct tail *tail); /* the line, if it is none too many */

/* A record of a raw topic, of alerts, attests or rejects. */
void tail_write_raw(struct tail *tail, const char *topic, uint32_t partition, const struct log_record *record);
/* A raw record that the ledger passed over as a repeat, in the form of a reject. */
void tail_write_duplicate(struct tail *tail, const char *topic, uint32_t partition, const struct log_record *record);
/* A record of the ledger, with the tenant's time. False: not asked for. */
bool tail_write_ledger(struct tail *tail, uint32_t shard, const struct ledger_record *record);

#endif
