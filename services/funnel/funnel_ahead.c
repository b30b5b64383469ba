#include "funnel_ahead.h"

/* An event is taken a step further each time this many others were told of behind it. */
enum { AHEAD_RECORDS = 16, AHEAD_STEP = 3, AHEAD_STEPS = 2 };

struct ahead {
    struct funnel *funnel; /* NULL: nothing here */
    uint64_t tenant_seq;
    struct slice body;
    uint32_t hash; /* of the lead's id */
    struct event event;
};
struct ahead_ring {
    struct ahead records[AHEAD_RECORDS];
    uint32_t next;
};
static _Thread_local struct ahead_ring ring;

/* Step 1: the slot should be here; ask for the entry. Step 2: ask for the block. */
static void step(uint32_t back)
{
    const struct ahead *ahead = &ring.records[(ring.next - 1 - back * AHEAD_STEP) % AHEAD_RECORDS];
    if (!ahead->funnel)
        return;
    uint32_t number = lead_table_guess(&ahead->funnel->leads, ahead->hash);
    if (!number)
        return;
    const struct lead *lead = lead_table_at(&ahead->funnel->leads, number);
    __builtin_prefetch(back == 1 ? (const void *)lead : lead->block);
    __builtin_prefetch(back == 1 ? (const char *)(lead + 1) - 1 : (const char *)lead->block + 64);
}

void funnel_ahead_expect(struct funnel *funnel, const struct event_codec *codec, const struct ledger_record *record)
{
    if (record->type != EVENT_LEAD || (record->kind != LEDGER_EVENT && record->kind != LEDGER_IMPORT))
        return;
    struct ahead *ahead = &ring.records[ring.next++ % AHEAD_RECORDS];
    ahead->funnel = NULL;
    if (event_decode_body(codec, EVENT_LEAD, record->body, &ahead->event, NULL) != OK)
        return; /* applying it will say so */
    ahead->funnel = funnel;
    ahead->tenant_seq = record->tenant_seq;
    ahead->body = record->body;
    ahead->hash = lead_id_hash(ahead->event.v[LEAD_LEAD_ID].s);
    lead_table_fetch_slot(&funnel->leads, ahead->hash);
    for (uint32_t back = 1; back <= AHEAD_STEPS; back++)
        step(back);
}

const struct event *funnel_ahead_take(const struct funnel *funnel, const struct ledger_record *record)
{
    for (uint32_t i = 0; i < AHEAD_RECORDS; i++) {
        struct ahead *ahead = &ring.records[(ring.next + i) % AHEAD_RECORDS]; /* the oldest first */
        if (ahead->funnel != funnel || ahead->tenant_seq != record->tenant_seq || ahead->body.p != record->body.p ||
            ahead->body.n != record->body.n)
            continue;
        ahead->funnel = NULL;
        return &ahead->event;
    }
    return NULL;
}

void funnel_ahead_forget(const struct funnel *funnel)
{
    for (uint32_t i = 0; i < AHEAD_RECORDS; i++) {
        if (ring.records[i].funnel == funnel)
            ring.records[i].funnel = NULL;
    }
}
