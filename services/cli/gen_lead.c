/* gen_lead.c -- the life of one lead, written as events and booked at the same time. See gen.h.
 *
 *   NEW -> QUAL -> PROP -> NEGO -> WON | LOST, with steps over a stage, back, into the pool and out of it again,
 *   reopened after the end, merged, handed to another rep; some simply stop. */
#include <stdio.h>

#include "gen.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
enum { STEPS_MAX = 24 };
enum stage { NEW, QUAL, PROP, NEGO, WON, LOST, POOL, NOWHERE, STAGES_OPEN = WON };
static const char *const names[] = {"NEW", "QUAL", "PROP", "NEGO", "WON", "LOST", "POOL"};

struct story {
    struct gen *gen;
    char id[32], rep_name[GEN_NAME_BYTES];
    uint32_t lead, rep;
    int64_t at_ms;
    enum stage stage, last_open;
    bool reached[STAGES_OPEN]; /* in this cycle */
    int64_t amount;            /* 0: none yet */
};

/* ---- booking */

typedef void on_org(struct story *story, const char *org, void *context);

static void each_org(struct story *story, uint32_t rep, on_org *call, void *context)
{
    const struct gen_company *company = &story->gen->company;
    for (uint32_t level = 0; level < company->levels; level++) {
        char name[GEN_NAME_BYTES], org[GEN_NAME_BYTES + 8];
        gen_company_name(company, level, gen_company_above(company, rep, level), name);
        (void)snprintf(org, sizeof org, "%s%s", level + 1 == company->levels ? "rep:" : "", name);
        call(story, org, context);
    }
}

struct booking {
    const char *stage, *metric, *class_name;
    int64_t value;
};

static void book_one(struct story *story, const char *org, void *context)
{
    const struct booking *booking = context;
    gen_book_add(&story->gen->book, org, booking->stage, booking->metric, booking->class_name, story->at_ms,
                 booking->value);
}

static void book(struct story *story, enum stage stage, const char *metric, const char *class_name)
{
    struct booking booking = {names[stage], metric, class_name, 1};
    each_org(story, story->rep, book_one, &booking);
}

static void book_reached(struct story *story, enum stage stage)
{
    if (story->reached[stage])
        return;
    story->reached[stage] = true;
    book(story, stage, "reached", NULL);
}

static void enter(struct story *story, enum stage stage)
{
    book(story, stage, "entries", NULL);
    story->stage = stage;
    if (stage < STAGES_OPEN) {
        book_reached(story, stage);
        story->last_open = stage;
    }
}

static void leave(struct story *story, const char *class_name) { book(story, story->stage, "exits", class_name); }

static void begin_cycle(struct story *story, enum stage stage)
{
    for (int i = 0; i < STAGES_OPEN; i++)
        story->reached[i] = false;
    if (stage < STAGES_OPEN)
        for (enum stage before = NEW; before < stage; before++)
            book_reached(story, before);
    enter(story, stage);
}

static void book_now_one(struct story *story, const char *org, void *context)
{
    (void)context;
    if (strncmp(org, "rep:", 4) == 0)
        return;
    gen_book_now(&story->gen->book, org, names[story->stage], "occupancy", 1);
    if (story->amount)
        gen_book_now(&story->gen->book, org, names[story->stage], "occupancy_amount", story->amount);
}

/* ---- writing */

static void tick(struct story *story, int64_t low_ms, int64_t high_ms)
{
    int64_t next = story->at_ms + gen_random_between(&story->gen->random, low_ms, high_ms);
    int64_t working = gen_working_time(story->gen, next);
    story->at_ms = working > story->at_ms ? working : story->at_ms + 60000;
}

static void begin(struct story *story, struct gen_draft *draft, const char *action)
{
    gen_event_begin(draft, story->gen, GEN_LEADS, "l", story->at_ms);
    gen_event_text(draft, "lead_id", story->id);
    gen_event_text(draft, "action", action);
}

static void write_action(struct story *story, const char *action, const char *name, const char *value)
{
    struct gen_draft draft;
    begin(story, &draft, action);
    if (name)
        gen_event_text(&draft, name, value);
    gen_event_end(&draft);
}

static void create(struct story *story)
{
    static const char *const channels[] = {"web", "fair", "referral", "call", "dealer"};
    struct gen_draft draft;
    struct gen_random *random = &story->gen->random;
    enum stage stage = gen_random_ppm(random, 80000) ? QUAL : NEW;
    begin(story, &draft, "created");
    gen_event_text(&draft, "to_stage", names[stage]);
    gen_event_text(&draft, "source_channel", channels[gen_random_below(random, 5)]);
    gen_event_text(&draft, "owner_id", story->rep_name);
    if (gen_random_ppm(random, 600000)) {
        story->amount = gen_random_between(random, 500, 50000) * 100;
        gen_event_int(&draft, "amount", story->amount);
        gen_event_text(&draft, "currency", "CNY");
    }
    gen_event_end(&draft);
    begin_cycle(story, stage);
}

static void give_amount(struct story *story)
{
    struct gen_draft draft;
    story->amount = gen_random_between(&story->gen->random, 500, 80000) * 100;
    begin(story, &draft, "amount");
    gen_event_int(&draft, "amount", story->amount);
    gen_event_text(&draft, "currency", "CNY");
    gen_event_end(&draft);
}

static void touch(struct story *story)
{
    static const char *const kinds[] = {"call_out", "call_in", "mail_out", "mail_in", "meeting", "quote", "other"};
    struct gen_random *random = &story->gen->random;
    write_action(story, gen_random_ppm(random, 500000) ? "contacted" : "touch", "touch_kind",
                 kinds[gen_random_below(random, 7)]);
    if (gen_random_ppm(random, 200000))
        gen_visit_story(story->gen, story->lead, story->rep, story->at_ms);
}

static void hold(struct story *story)
{
    struct gen_draft draft;
    begin(story, &draft, "hold");
    gen_event_text(&draft, "reason", "customer on holiday");
    gen_event_time(&draft, "hold_until", story->at_ms + 7 * DAY_MS);
    gen_event_end(&draft);
    tick(story, DAY_MS, 5 * DAY_MS);
    write_action(story, "resume", NULL, NULL);
}

static void small_talk(struct story *story)
{
    struct gen_draft draft;
    switch (gen_random_below(&story->gen->random, 5)) {
    case 0:
        begin(story, &draft, "scored");
        gen_event_int(&draft, "score", gen_random_between(&story->gen->random, 0, 100));
        gen_event_end(&draft);
        return;
    case 1:
        write_action(story, "close_date", "close_date", "2026-12-31");
        return;
    case 2:
        write_action(story, "accepted", NULL, NULL);
        return;
    case 3:
        give_amount(story);
        return;
    default:
        hold(story);
        return;
    }
}

static void move_to(struct story *story, enum stage to, const char *class_name)
{
    write_action(story, "stage", "to_stage", names[to]);
    leave(story, class_name);
    if (class_name[0] == 's') /* skip: what lies between is passed */
        for (enum stage between = story->stage + 1; between < to; between++)
            book_reached(story, between);
    enter(story, to);
}

/* A stage event that never was: written, then taken back. It leaves no trace in the books. */
static void mistake(struct story *story)
{
    struct gen_draft draft;
    char id[48];
    struct story copy = *story;
    enum stage wrong = story->stage == NEGO ? NEW : NEGO;
    copy.at_ms += 60000;
    begin(&copy, &draft, "stage");
    (void)snprintf(id, sizeof id, "%sl-%llu", story->gen->config.tag, (unsigned long long)story->gen->next_id);
    gen_event_text(&draft, "to_stage", names[wrong]);
    draft.on_time = true; /* what is taken back must have been recorded before */
    gen_event_end(&draft);
    copy.at_ms += 60000;
    begin(&copy, &draft, "stage");
    gen_event_text(&draft, "to_stage", names[wrong]);
    gen_event_text(&draft, "op", "retract");
    gen_event_text(&draft, "corrects", id);
    draft.on_time = true;
    gen_event_end(&draft);
    story->at_ms = copy.at_ms;
}

struct handover {
    char other[GEN_LEVELS_MAX][GEN_NAME_BYTES + 8];
    uint32_t count;
    struct booking booking;
};

static void collect(struct story *story, const char *org, void *context)
{
    struct handover *handover = context;
    (void)story;
    (void)snprintf(handover->other[handover->count++], GEN_NAME_BYTES + 8, "%s", org);
}

static void book_unless_shared(struct story *story, const char *org, void *context)
{
    struct handover *handover = context;
    for (uint32_t i = 0; i < handover->count; i++)
        if (strcmp(org, handover->other[i]) == 0)
            return;
    book_one(story, org, &handover->booking);
}

/* The owner changes: nodes that only the old path has lose the lead, those that only the new path has gain it. */
static void book_handover(struct story *story, uint32_t to)
{
    struct handover out = {.booking = {names[story->stage], "transfer_out", NULL, 1}};
    struct handover in = {.booking = {names[story->stage], "transfer_in", NULL, 1}};
    each_org(story, to, collect, &out);
    each_org(story, story->rep, collect, &in);
    each_org(story, story->rep, book_unless_shared, &out);
    each_org(story, to, book_unless_shared, &in);
    story->rep = to;
    gen_company_rep(to, story->rep_name);
}

static void hand_over(struct story *story)
{
    struct gen *gen = story->gen;
    uint32_t to = (uint32_t)gen_random_below(&gen->random, gen->company.reps);
    if (to == story->rep)
        return;
    char name[GEN_NAME_BYTES];
    gen_company_rep(to, name);
    write_action(story, gen_random_ppm(&gen->random, 500000) ? "assigned" : "owner", "owner_id", name);
    book_handover(story, to);
}

static void into_pool_and_back(struct story *story)
{
    struct gen *gen = story->gen;
    write_action(story, "recycled", "reason", "no answer");
    leave(story, "recycle");
    enter(story, POOL);
    tick(story, 8 * DAY_MS, 30 * DAY_MS);
    if (story->at_ms >= gen->end_ms || gen_random_ppm(&gen->random, 300000))
        return;
    uint32_t to = (uint32_t)gen_random_below(&gen->random, gen->company.reps);
    char name[GEN_NAME_BYTES];
    gen_company_rep(to, name);
    write_action(story, "claimed", "owner_id", name);
    if (to != story->rep)
        book_handover(story, to);
    leave(story, "reclaim");
    begin_cycle(story, NEW);
}

static void win(struct story *story)
{
    struct gen_draft draft;
    if (!story->amount)
        story->amount = gen_random_between(&story->gen->random, 500, 50000) * 100;
    begin(story, &draft, "won");
    gen_event_int(&draft, "amount", story->amount);
    gen_event_text(&draft, "currency", "CNY");
    gen_event_end(&draft);
    leave(story, "win");
    enter(story, WON);
    gen_order_story(story->gen, story->lead, story->rep, story->at_ms, story->amount);
}

static void lose(struct story *story)
{
    write_action(story, "lost", "reason", "price");
    leave(story, "lose");
    enter(story, LOST);
}

static void reopen(struct story *story)
{
    write_action(story, "reopened", NULL, NULL);
    leave(story, "reopen");
    begin_cycle(story, story->last_open);
}

/* A team that falls behind in the last third of the time: what a drift looks like. */
static int64_t win_ppm(const struct story *story)
{
    const struct gen *gen = story->gen;
    uint32_t team = gen_company_above(&gen->company, story->rep, gen->company.levels - 2);
    bool last_third = story->at_ms > gen->end_ms - (gen->end_ms - gen->start_ms) / 3;
    return team == 0 && last_third ? 120000 : 420000;
}

static void end_or_next(struct story *story)
{
    struct gen_random *random = &story->gen->random;
    int64_t dice = (int64_t)gen_random_below(random, 1000);
    if (story->stage == NEGO) {
        if (gen_random_ppm(random, win_ppm(story)))
            win(story);
        else if (dice < 300)
            lose(story);
        else if (dice < 500)
            move_to(story, PROP, "regress");
        else
            touch(story);
        return;
    }
    if (dice < 80)
        lose(story);
    else if (dice < 120)
        into_pool_and_back(story);
    else if (dice < 200 && story->stage < PROP)
        move_to(story, story->stage + 2, "skip");
    else if (dice < 240 && story->stage > NEW)
        move_to(story, story->stage - 1, "regress");
    else if (dice < 600)
        move_to(story, story->stage + 1, "advance");
    else if (dice < 850)
        touch(story);
    else if (dice < 920)
        small_talk(story);
    else
        hand_over(story);
}

static void step(struct story *story)
{
    struct gen_random *random = &story->gen->random;
    if (story->stage < STAGES_OPEN) {
        if (gen_random_ppm(random, story->gen->config.retract_ppm))
            mistake(story);
        end_or_next(story);
    } else if (story->stage != POOL && gen_random_ppm(random, 60000))
        reopen(story);
}

static bool is_over(const struct story *story) { return story->at_ms >= story->gen->end_ms || story->stage == POOL; }

void gen_lead_story(struct gen *gen, uint32_t lead)
{
    struct story story = {.gen = gen, .lead = lead, .stage = NOWHERE, .last_open = NEW};
    int64_t span = gen->end_ms - gen->start_ms;
    (void)snprintf(story.id, sizeof story.id, "%sL%07u", gen->config.tag, lead + 1);
    story.rep = (uint32_t)gen_random_below(&gen->random, gen->company.reps);
    if (gen->zipf.count)
        story.rep = gen_zipf_draw(&gen->zipf, &gen->random);
    gen_company_rep(story.rep, story.rep_name);
    story.at_ms = gen_working_time(gen, gen->start_ms + gen_random_between(&gen->random, 0, span * 9 / 10));
    create(&story);
    bool stalls = gen_random_ppm(&gen->random, 70000); /* nobody comes back to it */
    for (int i = 0; i < STEPS_MAX && !stalls; i++) {
        tick(&story, HOUR_MS, 6 * DAY_MS);
        if (is_over(&story))
            break;
        step(&story);
    }
    each_org(&story, story.rep, book_now_one, NULL);
}
