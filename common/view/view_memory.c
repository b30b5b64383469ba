/* view_memory.c -- the view in memory: the simulator's and the tests' twin of Redis, with the ways Redis loses things.
 *
 * A tree of sorted tables, name -> children or text: scope -> generation -> row -> field, plus status names. One table
 * type serves every level; a copy of the root is a dump. One mutex, any threads. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "view/view_impl.h"

enum { GENERATION_TEXT_BYTES = 24, DROP_ROWS_MAX = 500 };

struct node {
    char *name;
    size_t name_bytes;
    char *text; /* leaves */
    size_t text_bytes;
    struct view_head head; /* scopes */
    struct node *children; /* sorted by name */
    size_t count, cap;
};

struct view_memory {
    struct view base;
    pthread_mutex_t lock;
    bool down;
    struct node root; /* [0] scopes, [1] statuses */
    struct node copy;
};

static void *checked(void *p)
{
    if (!p)
        abort(); /* as buf.h: out of memory */
    return p;
}

static char *bytes_copy(const char *p, size_t n)
{
    char *copy = checked(malloc(n + 1));
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

static void node_close(struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        node_close(&node->children[i]);
    free(node->children);
    free(node->name);
    free(node->text);
    *node = (struct node){0};
}

static struct node node_copy(const struct node *from)
{
    struct node to = *from;
    to.name = from->name ? bytes_copy(from->name, from->name_bytes) : NULL;
    to.text = from->text ? bytes_copy(from->text, from->text_bytes) : NULL;
    to.children = from->count ? checked(malloc(from->count * sizeof *to.children)) : NULL;
    to.cap = from->count;
    for (size_t i = 0; i < from->count; i++)
        to.children[i] = node_copy(&from->children[i]);
    return to;
}

/* Place of the name among the children; *found says whether it is taken. */
static size_t node_place(const struct node *node, struct slice name, bool *found)
{
    size_t low = 0, high = node->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = slice_cmp(slice_make(node->children[middle].name, node->children[middle].name_bytes), name);
        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

static struct node *node_find(const struct node *node, struct slice name)
{
    bool found;
    size_t i = node_place(node, name, &found);
    return found ? &node->children[i] : NULL;
}

static struct node *node_make(struct node *node, struct slice name)
{
    bool found;
    size_t i = node_place(node, name, &found);
    if (found)
        return &node->children[i];
    if (node->count == node->cap) {
        node->cap = node->cap ? node->cap * 2 : 8;
        node->children = checked(realloc(node->children, node->cap * sizeof *node->children));
    }
    memmove(&node->children[i + 1], &node->children[i], (node->count - i) * sizeof *node->children);
    node->count++;
    node->children[i] = (struct node){.name = bytes_copy(name.p, name.n), .name_bytes = name.n};
    return &node->children[i];
}

static void node_remove(struct node *node, size_t first, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = first; i < first + n; i++)
        node_close(&node->children[i]);
    memmove(&node->children[first], &node->children[first + n], (node->count - first - n) * sizeof *node->children);
    node->count -= n;
}

static void node_set(struct node *node, struct slice name, struct slice value)
{
    bool found;
    size_t i = node_place(node, name, &found);
    if (value.n == 0) {
        if (found)
            node_remove(node, i, 1);
        return;
    }
    struct node *leaf = node_make(node, name);
    free(leaf->text);
    leaf->text = bytes_copy(value.p, value.n);
    leaf->text_bytes = value.n;
}

/* --- names --- */

static struct node *scopes_of(struct view_memory *view) { return &view->root.children[0]; }
static struct node *statuses_of(struct view_memory *view) { return &view->root.children[1]; }

static void root_init(struct node *root)
{
    node_make(root, SLICE("a scopes"));
    node_make(root, SLICE("b statuses"));
}

/* machine NUL tenant: bytewise order within a machine is that of the tenants. */
static void scope_name(struct view_scope scope, struct buf *name)
{
    buf_init(name);
    buf_add_slice(name, scope.machine);
    buf_add_byte(name, 0);
    buf_add_slice(name, scope.tenant);
}

static struct node *scope_find(struct view_memory *view, struct view_scope scope, bool make)
{
    struct buf name;
    scope_name(scope, &name);
    struct node *scopes = scopes_of(view);
    struct node *node = make ? node_make(scopes, buf_slice(&name)) : node_find(scopes, buf_slice(&name));
    buf_close(&name);
    return node;
}

static struct node *generation_find(struct node *scope, uint64_t generation, bool make)
{
    char name[GENERATION_TEXT_BYTES];
    (void)snprintf(name, sizeof name, "%020llu", (unsigned long long)generation);
    return make ? node_make(scope, slice_of(name)) : node_find(scope, slice_of(name));
}

static void cells_put(struct node *generation, const struct view_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        node_set(node_make(generation, cells[i].row), cells[i].field, cells[i].value);
}

/* --- operations --- */

static struct view_memory *memory_of(struct view *view) { return (struct view_memory *)view; }

static enum err_code enter(struct view_memory *view, struct err *err)
{
    pthread_mutex_lock(&view->lock);
    if (!view->down)
        return OK;
    pthread_mutex_unlock(&view->lock);
    return err_set(err, ERR_UNAVAILABLE, "the view is down");
}

static enum err_code leave(struct view_memory *view, enum err_code code)
{
    pthread_mutex_unlock(&view->lock);
    return code;
}

static void memory_destroy(struct view *base)
{
    struct view_memory *view = memory_of(base);
    node_close(&view->root);
    node_close(&view->copy);
    pthread_mutex_destroy(&view->lock);
    free(view);
}

static enum err_code memory_head(struct view *base, struct view_scope scope, struct view_head *head, struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    const struct node *node = scope_find(view, scope, false);
    if (node)
        *head = node->head;
    return leave(view, OK);
}

static enum err_code memory_commit(struct view *base, struct view_scope scope, const struct view_head *expected,
                                   const struct view_head *next, const struct view_cell *cells, size_t count,
                                   struct err *err)
{
    struct view_memory *view = memory_of(base);
    FAULT_POINT("view.before_commit");
    enum err_code code = enter(view, err);
    if (code)
        return code;
    struct node *node = scope_find(view, scope, true);
    if (!view_head_eq(&node->head, expected))
        return leave(view, err_set(err, ERR_MOVED, "another head is there"));
    cells_put(generation_find(node, next->generation, true), cells, count);
    node->head = *next;
    leave(view, OK);
    FAULT_POINT("view.after_commit");
    return OK;
}

static enum err_code memory_fill(struct view *base, struct view_scope scope, uint64_t generation,
                                 const struct view_cell *cells, size_t count, struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    struct node *node = scope_find(view, scope, true);
    if (node->head.present && node->head.generation == generation)
        return leave(view, err_set(err, ERR_MOVED, "generation %llu is in use", (unsigned long long)generation));
    cells_put(generation_find(node, generation, true), cells, count);
    return leave(view, OK);
}

static enum err_code memory_drop(struct view *base, struct view_scope scope, uint64_t generation, bool *more,
                                 struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    struct node *node = scope_find(view, scope, false);
    if (node && node->head.present && node->head.generation == generation)
        return leave(view, err_set(err, ERR_MOVED, "generation %llu is in use", (unsigned long long)generation));
    struct node *rows = node ? generation_find(node, generation, false) : NULL;
    if (rows) {
        size_t n = rows->count < DROP_ROWS_MAX ? rows->count : DROP_ROWS_MAX;
        node_remove(rows, rows->count - n, n);
        *more = rows->count > 0;
        if (!*more)
            node_remove(node, (size_t)(rows - node->children), 1);
    }
    return leave(view, OK);
}

/* The current generation of a scope that has a head; NULL: none. */
static struct node *current(struct view_memory *view, struct view_scope scope, struct view_head *head)
{
    struct node *node = scope_find(view, scope, false);
    if (!node || !node->head.present)
        return NULL;
    *head = node->head;
    return generation_find(node, head->generation, true);
}

static enum err_code no_head(struct view_scope scope, struct err *err)
{
    return err_set(err, ERR_MISSING, "no figures of %.*s for tenant %.*s yet", SLICE_ARG(scope.machine),
                   SLICE_ARG(scope.tenant));
}

static void report(const struct node *row, size_t index, view_on_cell *on_cell, void *context)
{
    for (size_t i = 0; row && i < row->count; i++) {
        const struct node *leaf = &row->children[i];
        on_cell(context, index, slice_make(leaf->name, leaf->name_bytes), slice_make(leaf->text, leaf->text_bytes));
    }
}

static enum err_code memory_read(struct view *base, struct view_scope scope, const struct slice *rows, size_t count,
                                 struct view_head *head, view_on_cell *on_cell, void *context, struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    const struct node *generation = current(view, scope, head);
    if (!generation)
        return leave(view, no_head(scope, err));
    for (size_t i = 0; i < count; i++)
        report(node_find(generation, rows[i]), i, on_cell, context);
    return leave(view, OK);
}

static enum err_code memory_rows(struct view *base, struct view_scope scope, struct view_head *head, struct buf *out,
                                 size_t *count, struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    const struct node *generation = current(view, scope, head);
    if (!generation)
        return leave(view, no_head(scope, err));
    for (size_t i = 0; i < generation->count; i++)
        buf_add(out, generation->children[i].name, generation->children[i].name_bytes + 1);
    *count = generation->count;
    return leave(view, OK);
}

static enum err_code memory_tenants(struct view *base, struct slice machine, struct buf *out, size_t *count,
                                    struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    const struct node *scopes = scopes_of(view);
    for (size_t i = 0; i < scopes->count; i++) {
        const struct node *node = &scopes->children[i];
        if (!node->head.present || !slice_is(machine, node->name))
            continue;
        size_t skip = machine.n + 1;
        buf_add(out, node->name + skip, node->name_bytes - skip + 1);
        (*count)++;
    }
    return leave(view, OK);
}

static enum err_code memory_status_put(struct view *base, struct slice name, const struct view_cell *fields,
                                       size_t count, struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    struct node *status = node_make(statuses_of(view), name);
    node_remove(status, 0, status->count);
    for (size_t i = 0; i < count; i++)
        node_set(status, fields[i].field, fields[i].value);
    return leave(view, OK);
}

static enum err_code memory_status_get(struct view *base, struct slice name, view_on_cell *on_cell, void *context,
                                       struct err *err)
{
    struct view_memory *view = memory_of(base);
    enum err_code code = enter(view, err);
    if (code)
        return code;
    const struct node *status = node_find(statuses_of(view), name);
    report(status, 0, on_cell, context);
    return leave(
        view, status && status->count ? OK : err_set(err, ERR_MISSING, "no status %.*s in the view", SLICE_ARG(name)));
}

static const struct view_ops memory_ops = {
    memory_destroy, memory_head, memory_commit,  memory_fill,       memory_drop,
    memory_read,    memory_rows, memory_tenants, memory_status_put, memory_status_get,
};

enum err_code view_memory_open(struct view **view, struct err *err)
{
    (void)err;
    struct view_memory *memory = checked(calloc(1, sizeof *memory));
    memory->base.ops = &memory_ops;
    pthread_mutex_init(&memory->lock, NULL);
    root_init(&memory->root);
    root_init(&memory->copy);
    *view = &memory->base;
    return OK;
}

static struct view_memory *locked(struct view *base)
{
    assert(base->ops == &memory_ops);
    struct view_memory *view = memory_of(base);
    pthread_mutex_lock(&view->lock);
    return view;
}

void view_memory_flush(struct view *base)
{
    struct view_memory *view = locked(base);
    node_close(&view->root);
    root_init(&view->root);
    leave(view, OK);
}

void view_memory_dump(struct view *base)
{
    struct view_memory *view = locked(base);
    node_close(&view->copy);
    view->copy = node_copy(&view->root);
    leave(view, OK);
}

void view_memory_restore(struct view *base)
{
    struct view_memory *view = locked(base);
    node_close(&view->root);
    view->root = node_copy(&view->copy);
    leave(view, OK);
}

void view_memory_down(struct view *base, bool down)
{
    struct view_memory *view = locked(base);
    view->down = down;
    leave(view, OK);
}
