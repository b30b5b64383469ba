/* view.h -- the view seam: the figures of one instant, in Redis or in memory, moved by compare-and-set.
 *
 * A scope is one (machine, tenant); it has a head and rows; a row is a hash of field -> short text. A commit is
 * applied only if the stored head equals the expected one; otherwise ERR_MOVED, and the owner writes a new
 * generation beside the old one and flips the head (design 6, "View"). Losing Redis loses time, never truth.
 *
 * Redis keys (internal, no contract): pl:{TENANT}:MACHINE:head, pl:{TENANT}:MACHINE:G:ROW, pl:{TENANT}:MACHINE:G
 * (set of the rows of generation G). All keys of a tenant share a hash tag. A handle belongs to one thread. */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "base/err.h"
#include "base/slice.h"

enum {
    VIEW_COMMIT_CELLS_MAX = 4000,
    VIEW_FIELD_BYTES_MAX = 256,
    VIEW_VALUE_BYTES_MAX = 1024 * 1024,
    VIEW_SPACE_BYTES_MAX = 64
};

struct view_head {
    bool present; /* false: there is no head (first start, FLUSHALL) */
    uint64_t generation;
    uint32_t branch;
    uint32_t epoch;
    uint64_t seq;        /* ledger seq up to which it is true */
    uint64_t tenant_seq; /* same, as the tenant counts */
    int64_t time_ms;     /* T, the tenant's now */
};

struct view_scope {
    struct slice machine;
    struct slice tenant;
};

struct view_cell {
    struct slice row;
    struct slice field;
    struct slice value; /* empty: the field is removed */
};

struct view;
enum err_code view_redis_open(const char *address, const char *space, int timeout_ms, struct view **view,
                              struct err *err);
/* address: HOST:PORT, or the path of a unix socket. space: put before every key, so that installations whose topics
 * differ by a prefix share a Redis without meeting; "" for none. Connects lazily; refuses a wrong eviction policy. */
enum err_code view_memory_open(struct view **view, struct err *err);
void view_destroy(struct view **view);

bool view_head_eq(const struct view_head *a, const struct view_head *b);
enum err_code view_head_get(struct view *view, struct view_scope scope, struct view_head *head, struct err *err);

/* One atomic step: if the stored head equals *expected (absent equals absent), apply the cells to generation
 * next->generation and store *next. count <= VIEW_COMMIT_CELLS_MAX. ERR_MOVED: another head is there, *expected is
 * left alone. ERR_UNAVAILABLE: outcome unknown; read the head before trying again. */
enum err_code view_commit(struct view *view, struct view_scope scope, const struct view_head *expected,
                          const struct view_head *next, const struct view_cell *cells, size_t count, struct err *err);

/* Writes cells of a generation that no head names yet (in chunks, before the flip by view_commit). */
enum err_code view_fill(struct view *view, struct view_scope scope, uint64_t generation, const struct view_cell *cells,
                        size_t count, struct err *err);
/* Removes part of an abandoned generation; *more says whether there is more to remove. */
enum err_code view_drop(struct view *view, struct view_scope scope, uint64_t generation, bool *more, struct err *err);

/* Reads head and rows in one atomic step. on_cell gets every field of every row asked for. A missing row has no
 * fields. ERR_MISSING: no head. */
typedef void view_on_cell(void *context, size_t row, struct slice field, struct slice value);
enum err_code view_read(struct view *view, struct view_scope scope, const struct slice *rows, size_t count,
                        struct view_head *head, view_on_cell *on_cell, void *context, struct err *err);
/* Names of all rows of the current generation, in bytewise order, into `out` as NUL-separated names. */
struct buf;
enum err_code view_rows(struct view *view, struct view_scope scope, struct view_head *head, struct buf *out,
                        size_t *count, struct err *err);
/* Tenants that have a head for the machine, bytewise order, NUL-separated. */
enum err_code view_tenants(struct view *view, struct slice machine, struct buf *out, size_t *count, struct err *err);

/* Status of a shard as a flat hash (positions, counters): plain overwrite, for operators and `wait`. */
enum err_code view_status_put(struct view *view, struct slice name, const struct view_cell *fields, size_t count,
                              struct err *err);
enum err_code view_status_get(struct view *view, struct slice name, view_on_cell *on_cell, void *context,
                              struct err *err);

/* Faults of the memory view, for the simulator: forget everything; return to an earlier copy; be unreachable. */
void view_memory_flush(struct view *view);
void view_memory_dump(struct view *view);    /* keeps a copy */
void view_memory_restore(struct view *view); /* back to the copy */
void view_memory_down(struct view *view, bool down);

#endif
