/* view.c -- the view seam: checks sizes once, then calls the implementation's table. */
#include "view/view.h"

#include <stdlib.h>

#include "view/view_impl.h"

void view_destroy(struct view **view)
{
    if (!*view)
        return;
    (*view)->ops->destroy(*view);
    *view = NULL;
}

bool view_head_eq(const struct view_head *a, const struct view_head *b)
{
    if (!a->present || !b->present)
        return a->present == b->present;
    return a->generation == b->generation && a->branch == b->branch && a->epoch == b->epoch && a->seq == b->seq &&
           a->tenant_seq == b->tenant_seq && a->time_ms == b->time_ms;
}

static enum err_code check_name(struct slice name, const char *what, struct err *err)
{
    if (name.n >= 1 && name.n <= VIEW_NAME_BYTES_MAX && !memchr(name.p, '\0', name.n))
        return OK;
    return err_set(err, ERR_BAD_INPUT, "view: a %s name of %zu bytes; 1 to %d without NUL are possible", what, name.n,
                   VIEW_NAME_BYTES_MAX);
}

static enum err_code check_scope(struct view_scope scope, struct err *err)
{
    enum err_code code = check_name(scope.machine, "machine", err);
    return code ? code : check_name(scope.tenant, "tenant", err);
}

static enum err_code check_cells(const struct view_cell *cells, size_t count, bool rows, struct err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        enum err_code code = rows ? check_name(cells[i].row, "row", err) : OK;
        if (code)
            return code;
        if (cells[i].field.n == 0 || cells[i].field.n > VIEW_FIELD_BYTES_MAX)
            return err_set(err, ERR_BAD_INPUT, "view: a field of %zu bytes in row %.*s; 1 to %d are possible",
                           cells[i].field.n, SLICE_ARG(cells[i].row), VIEW_FIELD_BYTES_MAX);
        if (cells[i].value.n > VIEW_VALUE_BYTES_MAX)
            return err_set(err, ERR_BAD_INPUT, "view: a value of %zu bytes in row %.*s; at most %d are possible",
                           cells[i].value.n, SLICE_ARG(cells[i].row), VIEW_VALUE_BYTES_MAX);
        bytes += cells[i].field.n + cells[i].value.n;
    }
    if (bytes <= VIEW_COMMIT_BYTES_MAX)
        return OK;
    return err_set(err, ERR_BAD_INPUT, "view: %zu bytes of cells in one step; at most %d are possible", bytes,
                   VIEW_COMMIT_BYTES_MAX);
}

enum err_code view_head_get(struct view *view, struct view_scope scope, struct view_head *head, struct err *err)
{
    *head = (struct view_head){0};
    enum err_code code = check_scope(scope, err);
    return code ? code : view->ops->head(view, scope, head, err);
}

enum err_code view_commit(struct view *view, struct view_scope scope, const struct view_head *expected,
                          const struct view_head *next, const struct view_cell *cells, size_t count, struct err *err)
{
    if (!next->present || count > VIEW_COMMIT_CELLS_MAX)
        return err_set(err, ERR_BUG, "view: a commit of %zu cells (at most %d), next head %s", count,
                       VIEW_COMMIT_CELLS_MAX, next->present ? "given" : "absent");
    enum err_code code = check_scope(scope, err);
    if (!code)
        code = check_cells(cells, count, true, err);
    return code ? code : view->ops->commit(view, scope, expected, next, cells, count, err);
}

enum err_code view_fill(struct view *view, struct view_scope scope, uint64_t generation, const struct view_cell *cells,
                        size_t count, struct err *err)
{
    enum err_code code = check_scope(scope, err);
    /* Chunks are checked and sent one by one, so that the limit of bytes holds for each and not for all. */
    for (size_t at = 0; at < count && !code;) {
        size_t n = count - at < VIEW_COMMIT_CELLS_MAX ? count - at : VIEW_COMMIT_CELLS_MAX;
        code = check_cells(cells + at, n, true, err);
        if (!code)
            code = view->ops->fill(view, scope, generation, cells + at, n, err);
        at += n;
    }
    return code;
}

enum err_code view_drop(struct view *view, struct view_scope scope, uint64_t generation, bool *more, struct err *err)
{
    *more = false;
    enum err_code code = check_scope(scope, err);
    return code ? code : view->ops->drop(view, scope, generation, more, err);
}

enum err_code view_read(struct view *view, struct view_scope scope, const struct slice *rows, size_t count,
                        struct view_head *head, view_on_cell *on_cell, void *context, struct err *err)
{
    *head = (struct view_head){0};
    if (count > VIEW_READ_ROWS_MAX)
        return err_set(err, ERR_BAD_INPUT, "view: %zu rows in one read; at most %d are possible", count,
                       VIEW_READ_ROWS_MAX);
    enum err_code code = check_scope(scope, err);
    for (size_t i = 0; i < count && !code; i++)
        code = check_name(rows[i], "row", err);
    return code ? code : view->ops->read(view, scope, rows, count, head, on_cell, context, err);
}

enum err_code view_rows(struct view *view, struct view_scope scope, struct view_head *head, struct buf *out,
                        size_t *count, struct err *err)
{
    *head = (struct view_head){0};
    *count = 0;
    buf_clear(out);
    enum err_code code = check_scope(scope, err);
    return code ? code : view->ops->rows(view, scope, head, out, count, err);
}

enum err_code view_tenants(struct view *view, struct slice machine, struct buf *out, size_t *count, struct err *err)
{
    *count = 0;
    buf_clear(out);
    enum err_code code = check_name(machine, "machine", err);
    return code ? code : view->ops->tenants(view, machine, out, count, err);
}

enum err_code view_status_put(struct view *view, struct slice name, const struct view_cell *fields, size_t count,
                              struct err *err)
{
    enum err_code code = check_name(name, "status", err);
    if (!code)
        code = check_cells(fields, count, false, err);
    return code ? code : view->ops->status_put(view, name, fields, count, err);
}

enum err_code view_status_get(struct view *view, struct slice name, view_on_cell *on_cell, void *context,
                              struct err *err)
{
    enum err_code code = check_name(name, "status", err);
    return code ? code : view->ops->status_get(view, name, on_cell, context, err);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

void view_sort_names(struct buf *names, size_t count)
{
    if (count < 2)
        return;
    const char **order = malloc(count * sizeof *order);
    if (!order)
        abort(); /* as buf.h: out of memory */
    const char *p = (const char *)names->p;
    for (size_t i = 0; i < count; i++, p += strlen(p) + 1)
        order[i] = p;
    qsort(order, count, sizeof *order, by_text);
    struct buf sorted;
    buf_init(&sorted);
    for (size_t i = 0; i < count; i++)
        buf_add(&sorted, order[i], strlen(order[i]) + 1);
    free(order);
    buf_close(names);
    *names = sorted;
}
