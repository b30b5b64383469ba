/* plan.h -- a tenant's plan as folded from its plan records: zone, calendars, org tree, memberships, stage models
 * (semantics 1.3, 2.1; formats 1, 3.6). Everything is effective-dated: a lookup names the instant it is for.
 *
 * Pure and deterministic: a function of the set of plan records (of two versions with the same id and valid_from,
 * neither correcting the other, the higher (recorded_at, event key) wins). Items that contradict each other (cycle,
 * orphan, overlap, unknown reference) stand in the record list but not in force: plan_invalid_items counts them.
 * The first read after a change derives tree and models anew; after that reading never allocates. One owner.
 *
 * Numbers: nodes, pipelines and stages are numbered in the order in which their items came (by tenant_seq) and keep
 * their numbers for ever, across save and load. Paths keep theirs within one process only: a state that is saved
 * names its nodes, and asks for paths again after plan_load. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "base/buf.h"
#include "base/err.h"
#include "model/event.h"

enum {
    PLAN_NODES_MAX = 100000,
    PLAN_DEPTH_MAX = 16,
    PLAN_STAGES_MAX = 64, /* per model */
    PLAN_PIPELINES_MAX = 64
};

#define PLAN_NONE UINT32_MAX

enum stage_kind { STAGE_OPEN, STAGE_WON, STAGE_LOST, STAGE_POOL };

/* A stage of one model version. `id` is the plan-wide number of (pipeline, stage id): the same in all versions. */
struct plan_stage {
    uint32_t id;
    struct slice name;
    enum stage_kind kind;
    int32_t ord;   /* open stages; 0 else */
    bool in_model; /* false: a number known from another version, not in this one */
    uint8_t required_count;
    struct slice required_steps[16];
    int64_t win_ppm; /* -1: none */
};

struct plan_model {
    struct slice pipeline;
    uint32_t pipeline_id;
    int64_t valid_from_ms;
    bool allow_skip, allow_regress, loss_reason_required;
    int64_t reclaim_block_ms;
    uint32_t stage_count;
    /* open ones by ord, then the others by id bytewise, then those of other versions (in_model false) by id */
    const struct plan_stage *stages;
};

struct plan;
struct plan *plan_new(void);
void plan_destroy(struct plan **plan);

/* Folds one plan event. *change says what may have to be folded again. Never fails on content. */
struct plan_change {
    bool any;        /* false: a repeat, nothing changed */
    int64_t from_ms; /* earliest instant whose meaning changed */
    bool tenant;     /* zone, week start, history, default pipeline */
    bool org;        /* nodes or memberships */
    bool stages;     /* stage models */
    bool calendar;
    bool other; /* measures, targets, rules, obligations, prices, dealers */
};
void plan_apply(struct plan *plan, const struct event *event, uint64_t tenant_seq, struct plan_change *change);

/* Tenant item in force at an instant. False: none yet (no figures are shown, rulings O23). */
bool plan_has_tenant(const struct plan *plan);
int64_t plan_history_ms(const struct plan *plan, int64_t at_ms);
struct slice plan_default_pipeline(const struct plan *plan, int64_t at_ms); /* tenant's, or the only model; empty */
uint8_t plan_week_start(const struct plan *plan, int64_t at_ms);            /* 0 = Monday */
const struct zone *plan_zone(const struct plan *plan);                      /* time/zone.h; resolved transitions */
uint64_t plan_version(const struct plan *plan); /* tenant_seq of the newest plan record used; 0 */
uint64_t plan_calendar_version(const struct plan *plan);
uint32_t plan_invalid_items(const struct plan *plan);

/* Org. A path is an interned chain node .. root; equal chains have equal numbers; path 0 = `unassigned` alone.
 * Node numbers are dense, interned by id; node 0 = `unassigned`. */
uint32_t plan_path_of_rep(const struct plan *plan, struct slice rep, int64_t at_ms, struct slice *tier);
/* Next instant > at_ms at which the path or tier of this rep changes; INT64_MAX: never. */
int64_t plan_rep_next_change(const struct plan *plan, struct slice rep, int64_t at_ms);
uint32_t plan_path_nodes(const struct plan *plan, uint32_t path, const uint32_t **nodes); /* leaf first, root last */
struct slice plan_node_name(const struct plan *plan, uint32_t node);
uint32_t plan_node_count(const struct plan *plan);
/* Path of a node at an instant; PLAN_NONE: not in force. */
uint32_t plan_path_of_node(const struct plan *plan, uint32_t node, int64_t at_ms);
uint32_t plan_root(const struct plan *plan, int64_t at_ms); /* node number, PLAN_NONE */
/* Next instant > at_ms at which any membership or tree edge changes; INT64_MAX: never. */
int64_t plan_org_next_change(const struct plan *plan, int64_t at_ms);
/* An instant > at_ms, cheap to tell, before which nothing of that changes: at most plan_org_next_change. */
int64_t plan_org_change_least(const struct plan *plan, int64_t at_ms);

/* Stages. */
const struct plan_model *plan_model_at(const struct plan *plan, struct slice pipeline, int64_t at_ms); /* NULL */
const struct plan_stage *plan_stage_of(const struct plan_model *model, struct slice stage);            /* NULL */

/* The records themselves: for `plan show`, `plan diff`, and the machines that read measures, targets, rules and
 * obligations. Texts are borrowed from the plan. */
struct plan_item {
    uint8_t kind; /* enum symbol PLAN_KIND_... of event_fields.h */
    uint8_t op;   /* enum event_op */
    bool ended;
    int64_t valid_from_ms, recorded_ms, source_seq;
    uint64_t tenant_seq;
    struct slice id, event_id, corrects, spec, resolved, reason, approver; /* empty: absent */
};
uint32_t plan_item_count(const struct plan *plan);
/* *used: folded (not corrected away, the winner of its valid_from); *in_force: used and not contradicted. */
const struct plan_item *plan_item_at(const struct plan *plan, uint32_t index, bool *used, bool *in_force);
/* The version of an item in force by date at an instant (`ended` ones too); NULL: none. */
const struct plan_item *plan_item_find(const struct plan *plan, uint8_t kind, struct slice id, int64_t at_ms);

/* Canonical bytes of the whole plan state, and back. */
void plan_save(const struct plan *plan, struct buf *out);
enum err_code plan_load(struct plan *plan, struct slice bytes, struct err *err);

/* Form of one plan item as it stands in a plan record: keys, types, filters (the door's `plan_invalid`). */
bool plan_item_check(struct slice kind, struct slice id, struct slice spec, struct slice resolved, bool ended,
                     char *text, size_t text_size);
/* What the view needs to compute windows and print tables: a canonical JSON, keys sorted, of
 *   {"calendar_version", "currency", "history_ms", "invalid_items",
 *    "models": [{"cohort_by": ["month", "week"], "horizons_ms": [...], "pipeline", "pipeline_id",
 *                "stages": [{"id", "in_model", "kind", "name", "ord"}], "valid_from_ms"}],   one per pipeline, at now
 *    "nodes": [{"id", "kind", "manager", "name", "node", "parent"}],                         in force at now, by node
 *    "pipeline", "plan_version", "week_start", "zone": {"first_offset_s", "name", "transitions": [[ms, s], ...]}}
 * (figures.h reads it). */
void plan_write_meta(const struct plan *plan, int64_t now_ms, struct buf *out);

#endif
