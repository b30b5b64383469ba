/* story.h -- tells the funnel machine a story and reads its cells: the frame of the golden tests.
 *
 * Events go through the event codec and the machine's own table, so a story tests what a shard would do. T is the
 * time of arrival: `arrives_ms`, by default the event's own instant (never going back). */
#ifndef GOLDEN_STORY_H
#define GOLDEN_STORY_H

#include "figures/figures.h"
#include "funnel/funnel.h"
#include "model/event.h"

#define STORY_DAY_MS  86400000ll
#define STORY_HOUR_MS 3600000ll
/* d1 of the fixtures = 2026-03-06T00:00Z */
#define STORY_D1_MS   1772755200000ll
#define STORY_DAY(n)  (STORY_D1_MS + ((n)-1) * STORY_DAY_MS)
#define STORY_YEAR_MS 1767225600000ll /* 2026-01-01 UTC: when the plans of stories begin */

struct story_cell {
    char *row, *field, *value;
};
struct story {
    struct event_codec *codec;
    const struct machine_type *type;
    void *tenant;
    int64_t now_ms;
    int64_t fires_until_ms; /* as the runtime: timers fire up to T, */
    bool holds_timers;      /* but not while a gap settles */
    uint64_t seq;
    struct buf body;
    struct story_cell *cells; /* of the last story_project */
    size_t cell_count, cell_capacity;
    struct machine_sink sink;
    uint32_t next_id;
};

struct lead_line {
    const char *lead, *action;
    int64_t at_ms;
    const char *to, *owner, *channel, *pipeline, *reason, *merged_into, *currency, *touch;
    int64_t amount;
    int64_t hold_until_ms;
    const char *id; /* event_id; default: a fresh one */
    const char *op; /* correct, retract */
    const char *corrects;
    int64_t recorded_ms; /* 0: at_ms */
    int64_t arrives_ms;  /* 0: at_ms */
    int64_t source_seq;
};
struct plan_line {
    const char *kind, *id, *spec; /* spec NULL: ended */
    int64_t valid_from_ms;        /* 0: STORY_YEAR_MS */
    const char *event_id;         /* default: a fresh one */
    const char *op, *corrects;
    const char *resolved; /* of a tenant; default: UTC */
};
struct step_line {
    const char *lead, *step, *status; /* status default: done */
    const char *id, *fact;            /* fact default: the id */
    const char *op, *corrects;
    int64_t at_ms, recorded_ms; /* 0 for a correction: a second after at_ms */
};

void story_begin(struct story *story); /* with tenant acme in UTC, the org and the model of the fixtures */
void story_begin_bare(struct story *story);
void story_end(struct story *story);
void story_plan(struct story *story, const struct plan_line *line);
void story_fixture_plan(struct story *story);
void story_lead(struct story *story, const struct lead_line *line);
#define LEAD(...) story_lead(story, &(struct lead_line){__VA_ARGS__})
#define PLAN(...) story_plan(story, &(struct plan_line){__VA_ARGS__})
/* Required step done: fact of kind step. */
void story_step(struct story *story, const char *lead, const char *step, int64_t at_ms);
void story_step_line(struct story *story, const struct step_line *line);
#define STEP(...) story_step_line(story, &(struct step_line){__VA_ARGS__})
void story_tick(struct story *story, int64_t now_ms); /* fires timers; T of the projection */
/* Fixture A of semantics 3, records in time order; owner of all leads r1. */
void story_fixture_a(struct story *story);

/* Builds bodies without applying them (shuffles). */
void story_lead_body(struct story *story, const struct lead_line *line, struct buf *out);
void story_plan_body(struct story *story, const struct plan_line *line, struct buf *out);
void story_step_body(struct story *story, const char *lead, const char *step, int64_t at_ms, const char *id,
                     struct buf *out);
/* A record of the tenant that concerns no funnel: only T moves. */
void story_time(struct story *story, int64_t now_ms);
void story_apply(struct story *story, enum event_type type, struct slice body, int64_t now_ms);

/* Cells as they would stand in the view. */
void story_project(struct story *story);
/* The number NAME of a cell; 0 if the cell or the number is absent. row: "default/t1". */
int64_t story_number(struct story *story, const char *row, const char *field, const char *name);
/* The same of the total, dimension all: story_total(story, "t1", "NEW", "e"). */
int64_t story_total(struct story *story, const char *org, const char *stage, const char *name);
/* Occupancy of the total: entries + transfers in - exits - transfers out. */
int64_t story_open(struct story *story, const char *org, const char *stage);
/* Canonical state, recount included: fails the test on a breach. */
void story_save(struct story *story, struct buf *out);

/* Value of one row of figures at T, dimension all; class may be NULL. */
#define STORY_NO_ROW INT64_MIN
#define STORY_NULL   (INT64_MIN + 1)
int64_t story_figure(struct story *story, const char *org, const char *metric, const char *stage, const char *class,
                     const char *window);
/* Hands every row that the query asks for to on_row. */
void story_rows(struct story *story, const struct figures_query *query, figures_on_row *on_row, void *context);

#endif
