/* tenants.h -- the tenants of one (machine, shard): what the runtime keeps beside each machine state.
 *
 * Found by name through an open-addressing table, listed in the order of their first record (the same in every fold),
 * and, while their clock is live, in a heap by (next timer, name). Names are copied once. One owner. */
#ifndef MACHINE_TENANTS_H
#define MACHINE_TENANTS_H

#include "machine/machine.h"
#include "machine/outbox.h"
#include "view/view.h"

/* Why a tenant is not folded. The first two stand in the ledger and are the same in every fold; the others are this
 * process' own findings (design 2.7: stop and say so, the smallest part). */
enum tenant_stop {
    TENANT_RUNS,
    TENANT_QUARANTINED, /* control quarantine, until release */
    TENANT_HELD,        /* crashed here three times: quarantine is asked for */
    TENANT_BREACH,      /* conservation does not hold */
    TENANT_DIVERGED,    /* the ledger holds another output than this machine made */
    TENANT_BUG          /* the machine refused a record */
};
const char *tenant_stop_name(enum tenant_stop stop);

#define TENANT_NOT_IN_HEAP UINT32_MAX

struct tenant {
    struct slice name;
    void *state; /* the machine's */
    struct tenant_clock clock;
    struct outbox alerts;
    enum tenant_stop stop;
    uint64_t stop_seq; /* ledger seq at which it stopped */
    char stop_text[160];
    uint64_t held_seq;   /* tenant_seq of the record that crashes; 0: none */
    bool touched;        /* in the fold's list */
    bool changed;        /* folded since the last attest */
    uint8_t digest[32];  /* of the last attest */
    uint64_t digest_seq; /* tenant_seq of that digest; 0: none yet */

    /* Timers. */
    uint32_t heap_place;
    int64_t due_ms;

    /* View: `base_seq` = every cell that changed behind this ledger seq is dirty in the machine. */
    uint64_t base_seq;
    uint32_t look_in;    /* records until its dirty cells are counted again, under way (runner.c, commit_early) */
    bool waits_for_view; /* in the projector's list */
    bool head_known;
    struct view_head head;    /* as last seen in the view */
    struct view_head written; /* as this process last wrote it, or tried to; present = false: not yet */
    uint64_t drop_generation; /* an abandoned generation to remove; 0: none */
    bool waits_to_send;       /* in the sender's list */
    bool asked;               /* quarantine was asked for */
};

struct tenants;
struct tenants *tenants_new(const struct machine_type *type);
void tenants_destroy(struct tenants **tenants); /* and every machine state */

struct tenant *tenants_find(const struct tenants *tenants, struct slice name); /* NULL: none */
struct tenant *tenants_get(struct tenants *tenants, struct slice name);        /* made if new; bounded by the ledger */
uint32_t tenants_count(const struct tenants *tenants);
struct tenant *tenants_at(const struct tenants *tenants, uint32_t index);

/* Brings the tenant's place among the timers up to date: call after its machine or its clock moved. */
void tenants_schedule(struct tenants *tenants, const struct machine_type *type, struct tenant *tenant);
/* The live tenant whose timer comes first by (due, name); NULL: none. `next_due_ms`: the earliest due of all others. */
struct tenant *tenants_first_due(const struct tenants *tenants, int64_t *next_due_ms);

#endif
