/* writer_tables.c -- see writer_tables.h. */
#include "writer_tables.h"

#include <stdio.h>
#include <stdlib.h>

static void *grown(void *items, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? *cap + *cap / 2 : 64;
    void *p = realloc(items, *cap * size);
    if (!p) {
        fputs("paceline: out of memory for the ledger writer's tables\n", stderr);
        abort();
    }
    return p;
}

static struct slice copied(struct slice name)
{
    char *p = malloc(name.n ? name.n : 1);
    if (!p)
        abort();
    memcpy(p, name.p, name.n);
    return slice_make(p, name.n);
}

static void add_name(struct buf *out, struct slice name)
{
    buf_add_varint(out, name.n);
    buf_add_slice(out, name);
}

/* The next name of a sorted list; false: malformed or not behind `*last`. */
static bool next_name(struct cursor *in, struct slice *last, struct slice *name)
{
    *name = cursor_take(in, cursor_varint(in));
    bool sorted = !last->p || slice_cmp(*last, *name) < 0;
    *last = *name;
    return !in->bad && sorted && name->n > 0 && name->n <= WRITER_NAME_BYTES_MAX;
}

void writer_tenants_init(struct writer_tenants *tenants)
{
    *tenants = (struct writer_tenants){0};
    map_init(&tenants->map, WRITER_TENANTS_MAX);
}

void writer_tenants_close(struct writer_tenants *tenants)
{
    for (uint32_t i = 0; i < tenants->count; i++)
        free((void *)(uintptr_t)tenants->items[i].name.p);
    free(tenants->items);
    map_close(&tenants->map);
    *tenants = (struct writer_tenants){0};
}

struct writer_tenant *writer_tenants_find(struct writer_tenants *tenants, struct slice name)
{
    if (tenants->count && slice_eq(tenants->items[tenants->last].name, name))
        return &tenants->items[tenants->last];
    uint32_t at = map_get(&tenants->map, name);
    if (at == MAP_NONE)
        return NULL;
    tenants->last = at;
    return &tenants->items[at];
}

struct writer_tenant *writer_tenants_add(struct writer_tenants *tenants, struct slice name)
{
    struct writer_tenant *found = writer_tenants_find(tenants, name);
    if (found || tenants->count == WRITER_TENANTS_MAX)
        return found;
    tenants->items = grown(tenants->items, tenants->count, &tenants->cap, sizeof *tenants->items);
    struct writer_tenant *tenant = &tenants->items[tenants->count];
    *tenant = (struct writer_tenant){.name = copied(name)};
    map_put(&tenants->map, tenant->name, tenants->count);
    tenants->last = tenants->count++;
    return tenant;
}

static int tenant_order(const void *a, const void *b)
{
    const struct writer_tenant *const *left = a, *const *right = b;
    return slice_cmp((*left)->name, (*right)->name);
}

void writer_tenants_save(const struct writer_tenants *tenants, struct buf *out)
{
    const struct writer_tenant **sorted = calloc((size_t)tenants->count + 1, sizeof(struct writer_tenant *));
    if (!sorted)
        abort();
    for (uint32_t i = 0; i < tenants->count; i++)
        sorted[i] = &tenants->items[i];
    qsort(sorted, tenants->count, sizeof *sorted, tenant_order);
    buf_add_u32(out, tenants->count);
    for (uint32_t i = 0; i < tenants->count; i++) {
        add_name(out, sorted[i]->name);
        tenant_clock_save(&sorted[i]->clock, out);
    }
    free(sorted);
}

bool writer_tenants_load(struct writer_tenants *tenants, struct cursor *in)
{
    uint32_t count = cursor_u32(in);
    struct slice last = {NULL, 0}, name;
    for (uint32_t i = 0; i < count; i++) {
        if (!next_name(in, &last, &name))
            return false;
        struct writer_tenant *tenant = writer_tenants_add(tenants, name);
        if (!tenant || !tenant_clock_load(&tenant->clock, in))
            return false;
    }
    return !in->bad;
}

void writer_outputs_init(struct writer_outputs *outputs)
{
    *outputs = (struct writer_outputs){0};
    map_init(&outputs->map, WRITER_OUTPUTS_MAX);
}

void writer_outputs_close(struct writer_outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++)
        free((void *)(uintptr_t)outputs->items[i].key.p);
    free(outputs->items);
    map_close(&outputs->map);
    *outputs = (struct writer_outputs){0};
}

/* "machine NUL tenant" in `room`; empty if the names are too long. */
static struct slice output_key(struct slice machine, struct slice tenant, char room[WRITER_NAME_BYTES_MAX])
{
    if (machine.n + 1 + tenant.n > WRITER_NAME_BYTES_MAX)
        return (struct slice){NULL, 0};
    memcpy(room, machine.p, machine.n);
    room[machine.n] = '\0';
    if (tenant.n)
        memcpy(room + machine.n + 1, tenant.p, tenant.n);
    return slice_make(room, machine.n + 1 + tenant.n);
}

static struct writer_output *find_output(struct writer_outputs *outputs, struct slice key)
{
    uint32_t at = map_get(&outputs->map, key);
    return at == MAP_NONE ? NULL : &outputs->items[at];
}

static struct writer_output *add_output(struct writer_outputs *outputs, struct slice key)
{
    struct writer_output *found = find_output(outputs, key);
    if (found || key.n == 0 || outputs->count == WRITER_OUTPUTS_MAX)
        return found;
    outputs->items = grown(outputs->items, outputs->count, &outputs->cap, sizeof *outputs->items);
    struct writer_output *output = &outputs->items[outputs->count];
    *output = (struct writer_output){.key = copied(key)};
    map_put(&outputs->map, output->key, outputs->count++);
    return output;
}

struct writer_output *writer_outputs_find(struct writer_outputs *outputs, struct slice machine, struct slice tenant)
{
    char room[WRITER_NAME_BYTES_MAX];
    return find_output(outputs, output_key(machine, tenant, room));
}

struct writer_output *writer_outputs_add(struct writer_outputs *outputs, struct slice machine, struct slice tenant)
{
    char room[WRITER_NAME_BYTES_MAX];
    return add_output(outputs, output_key(machine, tenant, room));
}

static int output_order(const void *a, const void *b)
{
    const struct writer_output *const *left = a, *const *right = b;
    return slice_cmp((*left)->key, (*right)->key);
}

void writer_outputs_save(const struct writer_outputs *outputs, struct buf *out)
{
    const struct writer_output **sorted = calloc((size_t)outputs->count + 1, sizeof(struct writer_output *));
    if (!sorted)
        abort();
    for (uint32_t i = 0; i < outputs->count; i++)
        sorted[i] = &outputs->items[i];
    qsort(sorted, outputs->count, sizeof *sorted, output_order);
    buf_add_u32(out, outputs->count);
    for (uint32_t i = 0; i < outputs->count; i++) {
        add_name(out, sorted[i]->key);
        buf_add_u64(out, sorted[i]->n);
        buf_add_u64(out, sorted[i]->body);
    }
    free(sorted);
}

bool writer_outputs_load(struct writer_outputs *outputs, struct cursor *in)
{
    uint32_t count = cursor_u32(in);
    struct slice last = {NULL, 0}, key;
    for (uint32_t i = 0; i < count; i++) {
        if (!next_name(in, &last, &key))
            return false;
        struct writer_output *output = add_output(outputs, key);
        if (!output)
            return false;
        output->n = cursor_u64(in);
        output->body = cursor_u64(in);
    }
    return !in->bad;
}
