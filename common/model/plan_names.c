/* plan_names.c -- interned strings and step functions, the two containers a plan is made of. */
#include <stdlib.h>

#include "model/plan_internal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void *plan_grow(void *list, uint32_t *cap, uint32_t count, size_t size)
{
    if (count < *cap)
        return list;
    *cap = *cap ? *cap * 2 : 8;
    void *grown = realloc(list, *cap * size);
    if (!grown)
        abort();
    return grown;
}

/* Slot of a name: where it is, or the free one where it belongs. */
static uint32_t slot_of(const struct plan_names *names, struct slice name)
{
    uint32_t mask = names->slot_count - 1;
    uint32_t slot = (uint32_t)XXH3_64bits(name.p ? name.p : "", name.n) & mask;
    while (names->slots[slot] && !slice_eq(names->names[names->slots[slot] - 1], name))
        slot = (slot + 1) & mask;
    return slot;
}

uint32_t plan_names_find(const struct plan_names *names, struct slice name)
{
    if (!names->slot_count)
        return PLAN_NONE;
    uint32_t slot = slot_of(names, name);
    return names->slots[slot] ? names->slots[slot] - 1 : PLAN_NONE;
}

static void rehash(struct plan_names *names)
{
    free(names->slots);
    names->slot_count = names->slot_count ? names->slot_count * 2 : 16;
    names->slots = calloc(names->slot_count, sizeof *names->slots);
    if (!names->slots)
        abort();
    for (uint32_t i = 0; i < names->count; i++)
        names->slots[slot_of(names, names->names[i])] = i + 1;
}

uint32_t plan_names_intern(struct plan_names *names, struct slice name)
{
    if (names->count * 2 >= names->slot_count)
        rehash(names);
    uint32_t slot = slot_of(names, name);
    if (names->slots[slot])
        return names->slots[slot] - 1;
    names->names = plan_grow(names->names, &names->cap, names->count, sizeof *names->names);
    char *copy = malloc(name.n + 1);
    if (!copy)
        abort();
    memcpy(copy, name.n ? name.p : "", name.n);
    copy[name.n] = 0;
    names->names[names->count] = (struct slice){copy, name.n};
    names->slots[slot] = ++names->count;
    return names->count - 1;
}

void plan_names_close(struct plan_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        free((void *)(uintptr_t)names->names[i].p);
    free(names->names);
    free(names->slots);
    *names = (struct plan_names){0};
}

void plan_steps_add(struct plan_steps *steps, int64_t from_ms, uint32_t value, uint32_t tier)
{
    if (steps->count) {
        struct plan_step *last = &steps->steps[steps->count - 1];
        if (last->value == value && last->tier == tier)
            return;
        if (last->from_ms == from_ms) {
            last->value = value;
            last->tier = tier;
            return;
        }
    }
    steps->steps = plan_grow(steps->steps, &steps->cap, steps->count, sizeof *steps->steps);
    steps->steps[steps->count++] = (struct plan_step){from_ms, value, tier};
}

/* Number of steps that begin at or before an instant. */
static uint32_t steps_until(const struct plan_steps *steps, int64_t at_ms)
{
    uint32_t low = 0, high = steps->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (steps->steps[middle].from_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct plan_step *plan_steps_at(const struct plan_steps *steps, int64_t at_ms)
{
    uint32_t n = steps_until(steps, at_ms);
    return n ? &steps->steps[n - 1] : NULL;
}

int64_t plan_steps_next(const struct plan_steps *steps, int64_t at_ms)
{
    uint32_t n = steps_until(steps, at_ms);
    return n < steps->count ? steps->steps[n].from_ms : INT64_MAX;
}
