/* gen.h -- a sales company that never was: seeded, the same bytes on every machine, with known answers.
 *
 * The company has levels of nodes, reps whose share of the work falls as Zipf's law, leads that live through all
 * actions of a CRM, orders, visits and facts. Planted in it: events that come late, come twice, contradict an earlier
 * one, are retracted, or are broken in a known way. While it writes a lead's story the generator books every move in
 * its own plain counters (gen_book.h), which know nothing of the product's folding; they are the answers to compare
 * figures with. Integers only; its own random numbers. */
#ifndef CLI_GEN_H
#define CLI_GEN_H

#include "gen_book.h"
#include "gen_company.h"
#include "gen_random.h"

enum { GEN_LEADS_MAX = 2000000, GEN_DAYS_MAX = 3650, GEN_EVENTS_MAX = 100000000 };

struct gen_config {
    uint64_t seed;
    int64_t leads, days, reps, levels; /* levels: company, ..., team, rep */
    int32_t first_day;                 /* days since 1970-01-01 */
    const char *tenant;
    const char *tag; /* put before every id, so that another run tells of other leads; "" by default */
    int64_t late_ppm, duplicate_ppm, conflict_ppm, retract_ppm;
    bool bad; /* plant one event for each way to be broken */
};

enum gen_topic { GEN_VISITS, GEN_ORDERS, GEN_LEADS, GEN_FACTS };

/* One event, its text in pieces so that a player can put other times in. */
struct gen_event {
    int64_t occurred_ms, recorded_ms;
    size_t head; /* in gen.text: {"type":... up to source_seq */
    uint32_t head_bytes, tail_bytes;
    uint8_t topic;
    bool raw; /* a broken line: the head is all of it */
};

struct gen_counts {
    uint64_t received, accepted, duplicate, rejected, late;
    uint64_t reasons[REJECT_REASON_COUNT]; /* rejected, by reason */
};

struct gen {
    struct gen_config config;
    struct gen_random random;
    struct gen_company company;
    struct gen_zipf zipf;
    struct gen_book book;
    struct buf text;
    struct gen_event *events; /* in order of recorded_ms */
    size_t count, cap;
    uint64_t next_id;
    int64_t start_ms, end_ms;
    struct gen_counts counts;
};

void gen_config_default(struct gen_config *config);
enum err_code gen_init(struct gen *gen, const struct gen_config *config, struct err *err); /* checks the bounds */
void gen_run(struct gen *gen); /* all stories, planted events, then sorted by arrival */
void gen_close(struct gen *gen);

/* The JSON line of an event (no newline), at its own times or as if it happened at_ms (recorded_ms: when it comes). */
void gen_write_event(const struct gen *gen, const struct gen_event *event, int64_t occurred_ms, int64_t recorded_ms,
                     struct buf *out);
void gen_write_plan(const struct gen *gen, struct buf *out);    /* plan.yaml */
void gen_write_answers(const struct gen *gen, struct buf *out); /* answers.json */

/* gen_event.c: used by the stories */
struct gen_draft {
    struct gen *gen;
    struct gen_event event;
    size_t from;
    bool on_time; /* never late */
};
/* Begins an event of `type`; id "<prefix>-<n>". gen_event_end decides how it arrives (late, twice, contradicted). */
void gen_event_begin(struct gen_draft *draft, struct gen *gen, enum gen_topic topic, const char *id_prefix,
                     int64_t at_ms);
void gen_event_text(struct gen_draft *draft, const char *name, const char *value);
void gen_event_int(struct gen_draft *draft, const char *name, int64_t value);
void gen_event_time(struct gen_draft *draft, const char *name, int64_t at_ms);
void gen_event_json(struct gen_draft *draft, const char *name, const char *json);
void gen_event_end(struct gen_draft *draft);
void gen_plant_bad(struct gen *gen);                                                               /* gen_bad.c */
void gen_lead_story(struct gen *gen, uint32_t lead);                                               /* gen_lead.c */
void gen_order_story(struct gen *gen, uint32_t lead, uint32_t rep, int64_t at_ms, int64_t amount); /* gen_order.c */
void gen_visit_story(struct gen *gen, uint32_t lead, uint32_t rep, int64_t at_ms);
int64_t gen_working_time(struct gen *gen, int64_t at_ms); /* moved into Mon-Fri 09-18 of the company's zone */

#endif
