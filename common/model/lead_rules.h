/* lead_rules.h -- the tables of semantics 2.1 and 2.2: which move has which class, what an action does. */
#ifndef MODEL_LEAD_RULES_H
#define MODEL_LEAD_RULES_H

#include "model/plan.h"

/* Classes of moves (semantics 2.1). The first three begin a visit only; the rest end one (formats 5.2, in order). */
#define LEAD_EXITS(X)                                                                                                  \
    X(advance) X(skip) X(regress) X(win) X(lose) X(recycle) X(reclaim) X(reopen) X(reverse) X(move) X(merged)
enum lead_class {
    LEAD_CLASS_none,
    LEAD_CLASS_create,
#define X(name) LEAD_CLASS_##name,
    LEAD_EXITS(X)
#undef X
        LEAD_CLASS_COUNT
};

/* Classes of violations (rulings O20). */
#define LEAD_VIOLATIONS(X)                                                                                             \
    X(skip)                                                                                                            \
    X(regress)                                                                                                         \
    X(loss_reason)                                                                                                     \
    X(required_step)                                                                                                   \
    X(created_again)                                                                                                   \
    X(to_stage_ignored)                                                                                                \
    X(reopen_not_closed)                                                                                               \
    X(hold_invalid) X(reclaim_block) X(pool_won) X(pool_lost) X(reverse) X(merge_ring) X(after_merge)
enum lead_violation {
#define X(name) LEAD_VIOLATION_##name,
    LEAD_VIOLATIONS(X)
#undef X
        LEAD_VIOLATION_COUNT,
    LEAD_VIOLATION_NONE = 255
};
const char *lead_class_name(enum lead_class class);
const char *lead_violation_name(enum lead_violation violation);

/* Where a lead stands: a stage kind, or nowhere. */
enum lead_place { LEAD_NOWHERE = 4, LEAD_PLACE_COUNT };
_Static_assert(STAGE_OPEN == 0 && STAGE_POOL == 3, "places extend the stage kinds");

struct lead_move {
    enum lead_class class;         /* open to open: advance; order decides between advance, skip and regress */
    enum lead_violation violation; /* `!` in the table of 2.1 */
    bool new_cycle;                /* create, reclaim, reopen */
};
/* The table of semantics 2.1: from \ to. */
extern const struct lead_move lead_moves[LEAD_PLACE_COUNT][4];

/* The table of semantics 2.2. */
enum lead_verb {
    LEAD_VERB_CREATE,
    LEAD_VERB_CLAIM,
    LEAD_VERB_REOPEN,
    LEAD_VERB_MOVE,       /* to to_stage, else the first stage of kind `aim` */
    LEAD_VERB_ATTRIBUTES, /* a to_stage is ignored, violation */
    LEAD_VERB_TOUCH,
    LEAD_VERB_HOLD,
    LEAD_VERB_RESUME,
    LEAD_VERB_MERGE,
    LEAD_VERB_STEP /* a required step was done: no action of a lead */
};
struct lead_action {
    enum lead_verb verb;
    enum stage_kind aim; /* LEAD_VERB_MOVE without to_stage */
};
struct lead_action lead_action_of(uint8_t action);

#endif
