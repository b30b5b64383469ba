/* gen_company.h -- the organisation of the generated company: levels of nodes, and reps in its teams.
 *
 * Levels 2 to 6, the last one being the reps: 4 = company, regions, teams, reps. About ten reps a team, up to four
 * children a node. Children and their parents are numbered alike, so that the tree is balanced. */
#ifndef CLI_GEN_COMPANY_H
#define CLI_GEN_COMPANY_H

#include "base/buf.h"

enum { GEN_LEVELS_MIN = 2, GEN_LEVELS_MAX = 6, GEN_REPS_MAX = 100000, GEN_NAME_BYTES = 24 };

struct gen_company {
    uint32_t levels, reps;
    uint32_t counts[GEN_LEVELS_MAX]; /* nodes by level; counts[0] = 1, the last: reps */
};

void gen_company_init(struct gen_company *company, uint32_t levels, uint32_t reps);
/* The node of level `level` above a rep (level = levels - 1: the rep itself). */
uint32_t gen_company_above(const struct gen_company *company, uint32_t rep, uint32_t level);
/* Its name: "company", "region-2", "team-07", and of reps "rep-0042". */
void gen_company_name(const struct gen_company *company, uint32_t level, uint32_t number, char name[GEN_NAME_BYTES]);
void gen_company_rep(uint32_t rep, char name[GEN_NAME_BYTES]);
void gen_company_write(const struct gen_company *company, const char *from,
                       struct buf *out); /* org and members of plan.yaml */

#endif
