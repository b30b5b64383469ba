#include "lead_rules.h"

#include <assert.h>

const char *lead_class_name(enum lead_class class)
{
    static const char *const names[LEAD_CLASS_COUNT] = {"none", "create",
#define X(name) #name,
                                                        LEAD_EXITS(X)
#undef X
    };
    assert(class < LEAD_CLASS_COUNT);
    return names[class];
}

const char *lead_violation_name(enum lead_violation violation)
{
    static const char *const names[LEAD_VIOLATION_COUNT] = {
#define X(name) #name,
        LEAD_VIOLATIONS(X)
#undef X
    };
    assert(violation < LEAD_VIOLATION_COUNT);
    return names[violation];
}

#define MOVE(class)                                                                                                    \
    {                                                                                                                  \
        LEAD_CLASS_##class, LEAD_VIOLATION_NONE, false                                                                 \
    }
#define BEGIN(class)                                                                                                   \
    {                                                                                                                  \
        LEAD_CLASS_##class, LEAD_VIOLATION_NONE, true                                                                  \
    }
#define WRONG(class, violation)                                                                                        \
    {                                                                                                                  \
        LEAD_CLASS_##class, LEAD_VIOLATION_##violation, false                                                          \
    }

/* A row a line, a column a kind: open, won, lost, pool; exactly the table of semantics 2.1, `!` = WRONG. */
const struct lead_move lead_moves[LEAD_PLACE_COUNT][4] = {
    [STAGE_OPEN] = {MOVE(advance), MOVE(win), MOVE(lose), MOVE(recycle)},
    [STAGE_WON] = {BEGIN(reopen), WRONG(reverse, reverse), WRONG(reverse, reverse), WRONG(recycle, reverse)},
    [STAGE_LOST] = {BEGIN(reopen), WRONG(reverse, reverse), WRONG(reverse, reverse), WRONG(recycle, reverse)},
    [STAGE_POOL] = {BEGIN(reclaim), WRONG(win, pool_won), WRONG(lose, pool_lost), WRONG(reverse, reverse)},
    [LEAD_NOWHERE] = {BEGIN(create), BEGIN(create), BEGIN(create), BEGIN(create)},
};

static const struct lead_action actions[] = {
    [LEAD_ACTION_created] = {LEAD_VERB_CREATE, STAGE_OPEN},
    [LEAD_ACTION_claimed] = {LEAD_VERB_CLAIM, STAGE_OPEN},
    [LEAD_ACTION_reopened] = {LEAD_VERB_REOPEN, STAGE_OPEN},
    [LEAD_ACTION_stage] = {LEAD_VERB_MOVE, STAGE_OPEN},
    [LEAD_ACTION_recycled] = {LEAD_VERB_MOVE, STAGE_POOL},
    [LEAD_ACTION_won] = {LEAD_VERB_MOVE, STAGE_WON},
    [LEAD_ACTION_lost] = {LEAD_VERB_MOVE, STAGE_LOST},
    [LEAD_ACTION_assigned] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_owner] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_accepted] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_rejected] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_scored] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_close_date] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_amount] = {LEAD_VERB_ATTRIBUTES, STAGE_OPEN},
    [LEAD_ACTION_contacted] = {LEAD_VERB_TOUCH, STAGE_OPEN},
    [LEAD_ACTION_touch] = {LEAD_VERB_TOUCH, STAGE_OPEN},
    [LEAD_ACTION_hold] = {LEAD_VERB_HOLD, STAGE_OPEN},
    [LEAD_ACTION_resume] = {LEAD_VERB_RESUME, STAGE_OPEN},
    [LEAD_ACTION_merged] = {LEAD_VERB_MERGE, STAGE_OPEN},
};

struct lead_action lead_action_of(uint8_t action)
{
    if (action >= sizeof actions / sizeof *actions)
        return (struct lead_action){LEAD_VERB_STEP, STAGE_OPEN};
    return actions[action];
}
