/* gen_company.c -- see gen_company.h. */
#include "gen_company.h"

#include <stdio.h>

enum { REPS_PER_TEAM = 10, CHILDREN = 4 };

/* Names of the levels between company and rep, seen from the team upwards. */
static const char *const kinds[] = {"team", "region", "area", "division"};

static uint32_t divided_up(uint32_t a, uint32_t b) { return a / b + (a % b != 0); }

void gen_company_init(struct gen_company *company, uint32_t levels, uint32_t reps)
{
    *company = (struct gen_company){.levels = levels, .reps = reps};
    company->counts[0] = 1;
    company->counts[levels - 1] = reps;
    for (uint32_t level = levels - 1; level-- > 1;)
        company->counts[level] = divided_up(company->counts[level + 1], level + 2 == levels ? REPS_PER_TEAM : CHILDREN);
}

static uint32_t parent_of(const struct gen_company *company, uint32_t level, uint32_t number)
{
    return (uint32_t)((uint64_t)number * company->counts[level - 1] / company->counts[level]);
}

uint32_t gen_company_above(const struct gen_company *company, uint32_t rep, uint32_t level)
{
    uint32_t number = rep;
    for (uint32_t at = company->levels - 1; at > level; at--)
        number = parent_of(company, at, number);
    return number;
}

void gen_company_rep(uint32_t rep, char name[GEN_NAME_BYTES])
{
    (void)snprintf(name, GEN_NAME_BYTES, "rep-%05u", rep + 1);
}

void gen_company_name(const struct gen_company *company, uint32_t level, uint32_t number, char name[GEN_NAME_BYTES])
{
    if (level == 0)
        (void)snprintf(name, GEN_NAME_BYTES, "company");
    else if (level + 1 == company->levels)
        gen_company_rep(number, name);
    else
        (void)snprintf(name, GEN_NAME_BYTES, "%s-%04u", kinds[company->levels - 2 - level], number + 1);
}

void gen_company_write(const struct gen_company *company, const char *from, struct buf *out)
{
    char name[GEN_NAME_BYTES], parent[GEN_NAME_BYTES];
    buf_add_text(out, "org:\n- {id: company, kind: company, name: 公司}\n");
    for (uint32_t level = 1; level + 1 < company->levels; level++)
        for (uint32_t i = 0; i < company->counts[level]; i++) {
            gen_company_name(company, level, i, name);
            gen_company_name(company, level - 1, parent_of(company, level, i), parent);
            buf_addf(out, "- {id: %s, kind: %s, parent: %s, manager: mgr-%s}\n", name,
                     kinds[company->levels - 2 - level], parent, name);
        }
    buf_add_text(out, "members:\n");
    for (uint32_t i = 0; i < company->reps; i++) {
        gen_company_rep(i, name);
        gen_company_name(company, company->levels - 2, parent_of(company, company->levels - 1, i), parent);
        buf_addf(out, "- {rep: %s, node: %s, tier: %s, from: %s}\n", name, parent, i % 3 ? "B" : "A", from);
    }
}
