/* plan_instants.c -- when might the organisation change next? Cheaply, without knowing it.
 *
 * Every change of the tree or of a membership happens at a valid_from, or at the `from` or `to` of a membership. These
 * instants of all records ever, in force or not, are kept sorted, each once; a plan of ten thousand members has few.
 * So a plan that arrives record by record is judged once, when somebody asks for it, and not once a record. */
#include <stdlib.h>
#include <string.h>

#include "model/plan_internal.h"
#include "model/plan_json.h"
#include "model/plan_value.h"

/* Place of the first instant > at_ms. */
static uint32_t place_after(const struct plan_instants *instants, int64_t at_ms)
{
    uint32_t low = 0, high = instants->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (instants->list[middle] <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void note(struct plan_instants *instants, int64_t at_ms)
{
    uint32_t at = place_after(instants, at_ms);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): at is no larger than the count */
    if (at > 0 && instants->list[at - 1] == at_ms)
        return;
    instants->list = plan_grow(instants->list, &instants->cap, instants->count, sizeof *instants->list);
    memmove(&instants->list[at + 1], &instants->list[at], (instants->count - at) * sizeof *instants->list);
    instants->list[at] = at_ms;
    instants->count++;
}

static void note_member(struct plan *plan, const struct plan_item *item)
{
    static const char *const names[] = {"from", "to"};
    struct plan_tree tree;
    int64_t at_ms;
    if (!plan_tree_parse(&tree, item->spec))
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (plan_parse_when(plan_text(tree.root, names[i]), &plan->zone, &at_ms))
            note(&plan->org_instants, at_ms);
    plan_tree_close(&tree);
}

void plan_instants_note(struct plan *plan, const struct plan_item *item)
{
    if (item->kind == PLAN_KIND_tenant)
        plan->org_instants_stale = true; /* dates of memberships are local */
    if (item->kind != PLAN_KIND_node && item->kind != PLAN_KIND_member)
        return;
    note(&plan->org_instants, item->valid_from_ms);
    if (item->kind == PLAN_KIND_member)
        note_member(plan, item);
}

void plan_instants_close(struct plan *plan)
{
    free(plan->org_instants.list);
    plan->org_instants = (struct plan_instants){0};
}

int64_t plan_org_change_least(const struct plan *plan, int64_t at_ms)
{
    struct plan *p = plan_ready(plan);
    if (p->org_instants_stale) {
        plan_instants_close(p);
        p->org_instants_stale = false;
        for (uint32_t i = 0; i < p->record_count; i++)
            plan_instants_note(p, &p->records[i]->item);
        p->org_instants_stale = false;
    }
    uint32_t at = place_after(&p->org_instants, at_ms);
    return at < p->org_instants.count ? p->org_instants.list[at] : INT64_MAX;
}
