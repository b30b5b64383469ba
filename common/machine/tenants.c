#include "machine/tenants.h"

#include <assert.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS_FIRST = 64 };

struct tenants {
    const struct machine_type *type;
    struct tenant **list; /* by first record */
    uint32_t count, list_size;
    struct tenant **slots; /* open addressing, a power of two, at most half full */
    uint32_t slot_count;
    struct tenant **heap;
    uint32_t heap_count;
};

const char *tenant_stop_name(enum tenant_stop stop)
{
    switch (stop) {
    case TENANT_RUNS:
        return "runs";
    case TENANT_QUARANTINED:
        return "quarantined";
    case TENANT_HELD:
        return "held";
    case TENANT_BREACH:
        return "breach";
    case TENANT_DIVERGED:
        return "diverged";
    case TENANT_BUG:
        return "bug";
    }
    return "?";
}

static void *must(void *p)
{
    if (!p)
        abort(); /* sized by the tenants of a shard: nothing to fold on with */
    return p;
}

struct tenants *tenants_new(const struct machine_type *type)
{
    struct tenants *tenants = must(calloc(1, sizeof *tenants));
    tenants->type = type;
    tenants->slot_count = SLOTS_FIRST;
    tenants->slots = must(calloc(SLOTS_FIRST, sizeof *tenants->slots));
    return tenants;
}

static void tenant_destroy(const struct machine_type *type, struct tenant *tenant)
{
    type->destroy(tenant->state);
    outbox_close(&tenant->alerts);
    free((char *)(uintptr_t)tenant->name.p);
    free(tenant);
}

void tenants_destroy(struct tenants **tenants)
{
    struct tenants *t = *tenants;
    if (!t)
        return;
    for (uint32_t i = 0; i < t->count; i++)
        tenant_destroy(t->type, t->list[i]);
    free(t->list);
    free(t->slots);
    free(t->heap);
    free(t);
    *tenants = NULL;
}

static uint32_t slot_of(const struct tenants *tenants, struct slice name)
{
    uint32_t mask = tenants->slot_count - 1;
    uint32_t slot = (uint32_t)XXH3_64bits(name.p, name.n) & mask;
    while (tenants->slots[slot] && !slice_eq(tenants->slots[slot]->name, name))
        slot = (slot + 1) & mask;
    return slot;
}

struct tenant *tenants_find(const struct tenants *tenants, struct slice name)
{
    return tenants->slots[slot_of(tenants, name)];
}

static void grow(struct tenants *tenants)
{
    if (tenants->count == tenants->list_size) {
        tenants->list_size = tenants->list_size ? tenants->list_size * 2 : SLOTS_FIRST;
        tenants->list = must(realloc(tenants->list, tenants->list_size * sizeof(struct tenant *)));
        tenants->heap = must(realloc(tenants->heap, tenants->list_size * sizeof(struct tenant *)));
    }
    if (tenants->count * 2 < tenants->slot_count)
        return;
    free(tenants->slots);
    tenants->slot_count *= 2;
    tenants->slots = must(calloc(tenants->slot_count, sizeof(struct tenant *)));
    for (uint32_t i = 0; i < tenants->count; i++)
        tenants->slots[slot_of(tenants, tenants->list[i]->name)] = tenants->list[i];
}

static struct tenant *tenant_new(const struct machine_type *type, struct slice name)
{
    struct tenant *tenant = must(calloc(1, sizeof *tenant));
    char *copy = must(malloc(name.n + 1));
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    tenant->name = slice_make(copy, name.n);
    tenant->state = must(type->create(tenant->name));
    outbox_init(&tenant->alerts);
    tenant->heap_place = TENANT_NOT_IN_HEAP;
    tenant->due_ms = MACHINE_NEVER_MS;
    return tenant;
}

struct tenant *tenants_get(struct tenants *tenants, struct slice name)
{
    struct tenant *found = tenants_find(tenants, name);
    if (found)
        return found;
    grow(tenants);
    struct tenant *tenant = tenant_new(tenants->type, name);
    tenants->list[tenants->count++] = tenant;
    tenants->slots[slot_of(tenants, name)] = tenant;
    return tenant;
}

uint32_t tenants_count(const struct tenants *tenants) { return tenants->count; }

struct tenant *tenants_at(const struct tenants *tenants, uint32_t index)
{
    assert(index < tenants->count);
    return tenants->list[index];
}

/* The heap of timers. */

static bool before(const struct tenant *a, const struct tenant *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    return slice_cmp(a->name, b->name) < 0;
}

static void put(struct tenants *tenants, uint32_t place, struct tenant *tenant)
{
    tenants->heap[place] = tenant;
    tenant->heap_place = place;
}

static void sift_up(struct tenants *tenants, uint32_t place)
{
    struct tenant *tenant = tenants->heap[place];
    while (place > 0 && before(tenant, tenants->heap[(place - 1) / 2])) {
        put(tenants, place, tenants->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(tenants, place, tenant);
}

static void sift_down(struct tenants *tenants, uint32_t place)
{
    struct tenant *tenant = tenants->heap[place];
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= tenants->heap_count)
            break;
        if (child + 1 < tenants->heap_count && before(tenants->heap[child + 1], tenants->heap[child]))
            child++;
        if (!before(tenants->heap[child], tenant))
            break;
        put(tenants, place, tenants->heap[child]);
        place = child;
    }
    put(tenants, place, tenant);
}

static void leave_heap(struct tenants *tenants, struct tenant *tenant)
{
    uint32_t place = tenant->heap_place;
    struct tenant *last = tenants->heap[--tenants->heap_count];
    tenant->heap_place = TENANT_NOT_IN_HEAP;
    if (last == tenant)
        return;
    put(tenants, place, last);
    sift_up(tenants, place);
    sift_down(tenants, last->heap_place);
}

void tenants_schedule(struct tenants *tenants, const struct machine_type *type, struct tenant *tenant)
{
    bool fires = tenant->stop == TENANT_RUNS && tenant->clock.mode == TENANT_LIVE;
    int64_t due = fires ? type->due(tenant->state) : MACHINE_NEVER_MS;
    bool inside = tenant->heap_place != TENANT_NOT_IN_HEAP;
    if (due == tenant->due_ms && inside == (due != MACHINE_NEVER_MS))
        return;
    tenant->due_ms = due;
    if (due == MACHINE_NEVER_MS) {
        if (inside)
            leave_heap(tenants, tenant);
        return;
    }
    if (!inside)
        put(tenants, tenants->heap_count++, tenant);
    sift_up(tenants, tenant->heap_place);
    sift_down(tenants, tenant->heap_place);
}

struct tenant *tenants_first_due(const struct tenants *tenants, int64_t *next_due_ms)
{
    *next_due_ms = MACHINE_NEVER_MS;
    if (tenants->heap_count == 0)
        return NULL;
    for (uint32_t child = 1; child <= 2 && child < tenants->heap_count; child++)
        if (tenants->heap[child]->due_ms < *next_due_ms)
            *next_due_ms = tenants->heap[child]->due_ms;
    return tenants->heap[0];
}
