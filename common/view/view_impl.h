/* view_impl.h -- what an implementation of the view seam provides (view.h has the contracts). Implementations embed
 * struct view as their first member; sizes are checked in view.c before they get here. */
#ifndef VIEW_VIEW_IMPL_H
#define VIEW_VIEW_IMPL_H

#include "base/buf.h"
#include "view/view.h"

enum { VIEW_NAME_BYTES_MAX = 512, VIEW_COMMIT_BYTES_MAX = 64 * 1024 * 1024, VIEW_READ_ROWS_MAX = 100000 };

struct view_ops {
    void (*destroy)(struct view *view);
    enum err_code (*head)(struct view *view, struct view_scope scope, struct view_head *head, struct err *err);
    enum err_code (*commit)(struct view *view, struct view_scope scope, const struct view_head *expected,
                            const struct view_head *next, const struct view_cell *cells, size_t count, struct err *err);
    enum err_code (*fill)(struct view *view, struct view_scope scope, uint64_t generation,
                          const struct view_cell *cells, size_t count, struct err *err);
    enum err_code (*drop)(struct view *view, struct view_scope scope, uint64_t generation, bool *more, struct err *err);
    enum err_code (*read)(struct view *view, struct view_scope scope, const struct slice *rows, size_t count,
                          struct view_head *head, view_on_cell *on_cell, void *context, struct err *err);
    enum err_code (*rows)(struct view *view, struct view_scope scope, struct view_head *head, struct buf *out,
                          size_t *count, struct err *err);
    enum err_code (*tenants)(struct view *view, struct slice machine, struct buf *out, size_t *count, struct err *err);
    enum err_code (*status_put)(struct view *view, struct slice name, const struct view_cell *fields, size_t count,
                                struct err *err);
    enum err_code (*status_get)(struct view *view, struct slice name, view_on_cell *on_cell, void *context,
                                struct err *err);
};
struct view {
    const struct view_ops *ops;
};

/* Sorts NUL-separated names bytewise. */
void view_sort_names(struct buf *names, size_t count);

#endif
