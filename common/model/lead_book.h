/* lead_book.h -- the numbers and look-ups that folds of one tenant share: texts, stages, org paths, leaves.
 *
 * A *leaf* is where a row is booked (semantics 1.3): org path, owner, source channel, owner tier, interned together.
 * A path is the chain of node names from the leaf up to the root; `unassigned` stands under the root of the instant.
 * Everything is interned by text, never by the plan's own numbers, so that cells outlive any change of the plan.
 *
 * Look-ups of the plan are cached per owner and per pipeline with the interval they hold for; lead_book_plan_changed
 * empties the caches. One owner, no locks. */
#ifndef MODEL_LEAD_BOOK_H
#define MODEL_LEAD_BOOK_H

#include "model/lead_symbols.h"
#include "model/plan.h"

enum {
    LEAD_DIM_VALUES_MAX = 10000, /* values per dimension; later ones are booked as `other` */
    LEAD_STAGES_MAX = 65535
};

enum lead_dim { LEAD_DIM_ALL, LEAD_DIM_CHANNEL, LEAD_DIM_TIER, LEAD_DIM_COUNT };

struct lead_leaf {
    uint32_t path;    /* lead_book_path */
    uint32_t owner;   /* text; 0: nobody */
    uint32_t channel; /* text; 0: unassigned */
    uint32_t tier;    /* text; 0: unassigned */
};
struct lead_stage_name {
    uint32_t pipeline, stage; /* texts */
};

/* Plan texts and stages met lately, by address: they stay until the plan changes. */
enum { LEAD_BOOK_MEMOS = 64 };
struct lead_book_memo {
    const void *key; /* NULL: free */
    size_t bytes;
    uint32_t number;
};

/* A value of a dimension at a node. */
struct lead_pair {
    uint32_t node, dim, value; /* texts */
};

struct lead_owner_cache; /* path and tier of an owner, and how long they hold */
struct lead_model_cache;

struct lead_book {
    const struct plan *plan;
    struct lead_symbols texts;
    struct lead_symbols stages;               /* struct lead_stage_name; 0 = no stage */
    struct lead_symbols paths;                /* uint32_t texts of nodes, leaf first; 0 = empty */
    struct lead_symbols leaves;               /* struct lead_leaf; 0 unused */
    struct lead_symbols reached;              /* {set, stage} -> set: see lead_book_reach */
    struct lead_symbols dims[LEAD_DIM_COUNT]; /* admitted values (a text's number as bytes) */
    struct lead_owner_cache *owners;
    uint32_t owner_capacity;
    struct lead_model_cache *models;
    uint32_t model_capacity;
    struct lead_book_memo plan_texts[LEAD_BOOK_MEMOS], plan_stages[LEAD_BOOK_MEMOS];
    struct lead_symbols pairs; /* once the cells are full: struct lead_pair that may still be booked; 0 unused */
    bool cells_full;
    uint64_t dim_overflow; /* values that met a full dimension, since the last look */
    uint32_t text_unassigned, text_other;
};

void lead_book_init(struct lead_book *book, const struct plan *plan);
void lead_book_close(struct lead_book *book);
void lead_book_plan_changed(struct lead_book *book);
/* Tiers are the plan's: under another plan they are admitted anew, so that a plan that nobody keeps leaves nothing. */
void lead_book_forget_tiers(struct lead_book *book);

static inline struct slice lead_book_text(const struct lead_book *book, uint32_t text)
{
    return lead_symbols_text(&book->texts, text);
}
uint32_t lead_book_intern(struct lead_book *book, struct slice text);
/* The same for a text that belongs to the plan. */
uint32_t lead_book_plan_text(struct lead_book *book, struct slice text);

/* Number of (pipeline, stage), from 1; 0 when LEAD_STAGES_MAX are taken. */
uint32_t lead_book_stage(struct lead_book *book, uint32_t pipeline, uint32_t stage);
/* The same for a stage of a model in force. */
uint32_t lead_book_plan_stage(struct lead_book *book, const struct plan_model *model, const struct plan_stage *stage);
struct lead_stage_name lead_book_stage_name(const struct lead_book *book, uint32_t stage);

/* The leaf of an owner and channel at an instant, with the path and tier of then. */
uint32_t lead_book_leaf(struct lead_book *book, uint32_t owner, uint32_t channel, int64_t at_ms);
/* A leaf given by its parts (loading). */
uint32_t lead_book_leaf_of(struct lead_book *book, const struct lead_leaf *leaf);
struct lead_leaf lead_book_leaf_parts(const struct lead_book *book, uint32_t leaf);
/* Next instant > at_ms at which an owner's path or tier changes; INT64_MAX: never. */
int64_t lead_book_owner_change(struct lead_book *book, uint32_t owner, int64_t at_ms);
/* Node texts of a path, leaf first. Returns how many. */
uint32_t lead_book_path_nodes(const struct lead_book *book, uint32_t path, const uint32_t **nodes);

/* The model of a pipeline in force at an instant; NULL: none. */
const struct plan_model *lead_book_model(struct lead_book *book, uint32_t pipeline, int64_t at_ms);

/* Sets of stages that a lead reached in its cycle, interned as chains: set 0 is empty. Adds `stage` to `set`;
 * *fresh: it was not in it. */
uint32_t lead_book_reach(struct lead_book *book, uint32_t set, uint32_t stage, bool *fresh);

/* From the bound of cells on (rulings O17) only known pairs are booked; a leaf whose node does not have its value yet
 * is booked as `other` and counted in dim_overflow. What is full stays full, so that a contribution is taken back
 * where it was put. Call lead_book_know for every pair that has cells, then lead_book_fill. */
void lead_book_know(struct lead_book *book, const struct lead_pair *pair);
void lead_book_fill(struct lead_book *book);

/* The value of a dimension as it is booked: itself, or `other` once the dimension is full. */
uint32_t lead_book_admit(struct lead_book *book, enum lead_dim dim, uint32_t value);

#endif
