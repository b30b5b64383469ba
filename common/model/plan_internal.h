/* plan_internal.h -- the insides of struct plan, shared by plan.c (records), plan_org.c, plan_stages.c, plan_meta.c.
 *
 * Records are kept as they came; everything else is derived from the set of them, at the first read after a change
 * (plan_ready). Names are interned in the order of the records, so that their numbers never change. */
#ifndef MODEL_PLAN_INTERNAL_H
#define MODEL_PLAN_INTERNAL_H

#include "model/plan.h"
#include "time/zone.h"

/* Strings with dense numbers. Never shrinks; a name stays where it is. */
struct plan_names {
    struct slice *names;
    uint32_t count, cap;
    uint32_t *slots; /* number + 1; 0 = free */
    uint32_t slot_count;
};
uint32_t plan_names_find(const struct plan_names *names, struct slice name); /* PLAN_NONE */
uint32_t plan_names_intern(struct plan_names *names, struct slice name);
void plan_names_close(struct plan_names *names);

struct plan_record {
    struct plan_item item;
    uint64_t key; /* of event_id */
    uint32_t entity;
    uint32_t next;     /* of the same entity; PLAN_NONE */
    bool active;       /* not deactivated by a correction */
    bool used;         /* active, no retract, and the winner of its valid_from */
    bool contradicted; /* used, but not in force at some instant of its reign */
    bool unreadable;   /* its spec lacks what is needed */
};

/* Step function of time: value from `from_ms` on. */
struct plan_step {
    int64_t from_ms;
    uint32_t value; /* path number; PLAN_NONE: not in force */
    uint32_t tier;  /* of reps */
};
struct plan_steps {
    struct plan_step *steps;
    uint32_t count, cap;
};
void plan_steps_add(struct plan_steps *steps, int64_t from_ms, uint32_t value, uint32_t tier); /* merges equal ones */
const struct plan_step *plan_steps_at(const struct plan_steps *steps, int64_t at_ms);          /* NULL: before all */
int64_t plan_steps_next(const struct plan_steps *steps, int64_t at_ms);

/* Sorted, each once (plan_instants.c). */
struct plan_instants {
    int64_t *list;
    uint32_t count, cap;
};

struct plan_tenant {
    int64_t from_ms;
    int64_t history_ms;
    uint8_t week_start;
    uint32_t pipeline; /* number of the name in `pipelines`; PLAN_NONE: not said */
};

struct plan_model_version {
    struct plan_model model;
    struct plan_stage *stages;
    bool ended;
};
struct plan_pipeline {
    struct plan_model_version *versions;
    uint32_t count;
};

struct plan_paths {
    struct plan_names chains; /* the node numbers as bytes */
};

struct plan {
    struct plan_record **records;
    uint32_t record_count, record_cap;
    struct plan_names event_ids; /* number = index of the record */
    struct plan_names entities;  /* kind byte + id */
    uint32_t *entity_first;      /* newest record of each */
    uint32_t entity_cap;
    uint64_t version, calendar_version;

    struct plan_names nodes, reps, tiers, pipelines, stages, words;
    bool tenant_dirty, org_dirty, stages_dirty;

    struct plan_tenant *tenants;
    uint32_t tenant_count;
    struct zone zone;

    struct plan_names paths;       /* node numbers, leaf first, as bytes of uint32_t */
    struct plan_steps *node_steps; /* by node number */
    struct plan_steps *rep_steps;  /* by rep number */
    uint32_t node_step_count, rep_step_count;
    struct plan_steps roots;
    struct plan_steps org_changes; /* value: running number, so that nothing merges */
    struct plan_instants org_instants;
    bool org_instants_stale; /* the zone may have changed */

    struct plan_pipeline *models; /* by pipeline number */
    uint32_t model_count;
};

struct plan *plan_ready(const struct plan *plan); /* derives what is out of date */
void plan_org_build(struct plan *plan);
void plan_org_close(struct plan *plan);
void plan_instants_note(struct plan *plan, const struct plan_item *item);
void plan_instants_close(struct plan *plan);
void plan_stages_build(struct plan *plan);
void plan_stages_close(struct plan *plan);
void plan_stages_intern(struct plan *plan, struct slice pipeline, struct slice spec);

void *plan_grow(void *list, uint32_t *cap, uint32_t count, size_t size); /* room for one more; aborts */

/* (recorded_at, source_seq, event key), semantics 0.3. */
int plan_record_order(const struct plan_record *a, const struct plan_record *b);
/* Used versions of an entity by valid_from; *count of them, valid until the next call. */
struct plan_version_list {
    struct plan_record **list;
    uint32_t count, cap;
};
void plan_versions(const struct plan *plan, uint32_t entity, struct plan_version_list *versions);
enum event_plan_kind { PLAN_ITEM_KINDS_MAX = 16 };
bool plan_entity_is(const struct plan *plan, uint32_t entity, int kind);
struct slice plan_entity_id(const struct plan *plan, uint32_t entity);

#endif
