#include "machine/projector.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/logger.h"

enum { CELLS_MAX = VIEW_COMMIT_CELLS_MAX };

void projector_init(struct projector *projector, struct view *view, struct clock *clock, uint16_t writer)
{
    *projector = (struct projector){.view = view, .clock = clock, .writer = writer};
    buf_init(&projector->text);
    projector->places = calloc(CELLS_MAX, sizeof *projector->places);
    projector->cells = calloc(CELLS_MAX, sizeof *projector->cells);
    if (!projector->places || !projector->cells)
        abort();
}

void projector_close(struct projector *projector)
{
    buf_close(&projector->text);
    free(projector->places);
    free(projector->cells);
    free(projector->waiting);
    *projector = (struct projector){0};
}

void projector_add(struct projector *projector, struct tenant *tenant)
{
    if (!projector->view || tenant->waits_for_view)
        return;
    if (projector->count == projector->size) {
        projector->size = projector->size ? projector->size * 2 : 64;
        projector->waiting = realloc(projector->waiting, projector->size * sizeof(struct tenant *));
        if (!projector->waiting)
            abort();
    }
    tenant->waits_for_view = true;
    projector->waiting[projector->count++] = tenant;
}

/* Cells as the machine gives them. */
struct sink {
    struct machine_sink sink; /* first: the machine knows only this */
    struct projector *projector;
};

static void take_cell(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    struct projector *projector = ((struct sink *)sink)->projector;
    if (projector->cell_count == CELLS_MAX) {
        projector->overflow = true; /* more than was asked for: the caller writes everything anew */
        return;
    }
    size_t *place = projector->places[projector->cell_count++];
    buf_add_slice(&projector->text, row);
    place[0] = projector->text.n;
    buf_add_slice(&projector->text, field);
    place[1] = projector->text.n;
    buf_add_slice(&projector->text, value);
    place[2] = projector->text.n;
}

static struct sink begin_cells(struct projector *projector)
{
    buf_clear(&projector->text);
    projector->cell_count = 0;
    projector->overflow = false;
    return (struct sink){{take_cell}, projector};
}

static void end_cells(struct projector *projector)
{
    const uint8_t *text = projector->text.p;
    size_t from = 0;
    for (size_t i = 0; i < projector->cell_count; i++) {
        const size_t *place = projector->places[i];
        projector->cells[i].row = slice_make(text + from, place[0] - from);
        projector->cells[i].field = slice_make(text + place[0], place[1] - place[0]);
        projector->cells[i].value = slice_make(text + place[1], place[2] - place[1]);
        from = place[2];
    }
}

static struct view_scope scope_of(const struct fold *fold, const struct tenant *tenant)
{
    return (struct view_scope){slice_of(fold->type->name), tenant->name};
}

static struct view_head head_at(const struct fold *fold, const struct tenant *tenant, uint64_t generation,
                                const struct projector_point *point)
{
    return (struct view_head){.present = true,
                              .generation = generation,
                              .branch = point->branch,
                              .epoch = point->epoch,
                              .seq = point->seq,
                              .tenant_seq = tenant->clock.tenant_seq,
                              .time_ms = fold_now(fold, tenant)};
}

/* Puts `next` in place of what is stored. Afterwards the tenant's head is known again, or the view is in trouble. */
static enum err_code commit(struct projector *projector, const struct fold *fold, struct tenant *tenant,
                            const struct view_head *next, size_t cells, struct err *err)
{
    tenant->written = *next; /* whatever the answer: a stored head like this is ours */
    FAULT_POINT("machine.before_commit");
    enum err_code code =
        view_commit(projector->view, scope_of(fold, tenant), &tenant->head, next, projector->cells, cells, err);
    FAULT_POINT("machine.after_commit");
    if (code) {
        tenant->head_known = false;
        projector->moved += code == ERR_MOVED;
        return code;
    }
    tenant->head = *next;
    projector->commits++;
    projector->cells_written += cells;
    return OK;
}

/* A generation number of our own, above the stored one and never used before: a fill that was given up may still be
 * under way in the network. */
static uint64_t next_generation(struct projector *projector, const struct tenant *tenant)
{
    uint64_t round = tenant->head.present ? tenant->head.generation >> 32 : 0;
    return (round + 1) << 32 | (uint64_t)projector->writer << 16 | projector->attempt++;
}

static enum err_code fill(struct projector *projector, const struct fold *fold, const struct tenant *tenant,
                          uint64_t generation, struct err *err)
{
    uint64_t cursor = 0;
    bool more = true;
    while (more) {
        struct sink sink = begin_cells(projector);
        more =
            fold->type->project_all(tenant->state, fold_now(fold, tenant), &cursor, PROJECTOR_FILL_CELLS, &sink.sink);
        if (projector->overflow)
            return err_set(err, ERR_BUG, "%s projects more cells than it was asked for", fold->type->name);
        end_cells(projector);
        enum err_code code = projector->cell_count ? view_fill(projector->view, scope_of(fold, tenant), generation,
                                                               projector->cells, projector->cell_count, err)
                                                   : OK;
        if (code)
            return code;
        projector->cells_written += projector->cell_count;
        FAULT_POINT("machine.mid_generation");
    }
    return OK;
}

/* Everything anew, beside what is there, then the flip. What a failed attempt leaves is dropped at the next one. */
static enum err_code write_generation(struct projector *projector, const struct fold *fold, struct tenant *tenant,
                                      const struct projector_point *point, struct err *err)
{
    uint64_t generation = next_generation(projector, tenant);
    enum err_code code = fill(projector, fold, tenant, generation, err);
    uint64_t old = tenant->head.present ? tenant->head.generation : 0;
    struct view_head next = head_at(fold, tenant, generation, point);
    if (!code)
        code = commit(projector, fold, tenant, &next, 0, err);
    if (code) {
        tenant->drop_generation = generation;
        return code;
    }
    fold->type->project_done(tenant->state);
    tenant->base_seq = point->seq;
    tenant->drop_generation = old;
    projector->generations++;
    return OK;
}

static enum err_code write_changes(struct projector *projector, const struct fold *fold, struct tenant *tenant,
                                   const struct projector_point *point, struct err *err)
{
    struct sink sink = begin_cells(projector);
    bool more = fold->type->project_dirty(tenant->state, fold_now(fold, tenant), VIEW_COMMIT_CELLS_MAX, &sink.sink);
    tenant->base_seq = point->seq; /* they are no longer dirty, whatever becomes of the commit */
    if (more || projector->overflow)
        return write_generation(projector, fold, tenant, point, err);
    end_cells(projector);
    struct view_head next = head_at(fold, tenant, tenant->head.generation, point);
    return commit(projector, fold, tenant, &next, projector->cell_count, err);
}

enum verdict { UP_TO_DATE, CHANGES, WHOLE };

static bool same_head(const struct view_head *a, const struct view_head *b)
{
    return a->generation == b->generation && a->branch == b->branch && a->epoch == b->epoch && a->seq == b->seq &&
           a->tenant_seq == b->tenant_seq && a->time_ms == b->time_ms;
}

/* Another owner wrote since we did. It may show cells that came and went between two projections of ours: nobody here
 * knows that they must be taken out. */
static bool written_by_another(const struct tenant *tenant)
{
    return tenant->written.present && !same_head(&tenant->written, &tenant->head);
}

static enum verdict judge(const struct fold *fold, const struct tenant *tenant, const struct projector_point *point)
{
    const struct view_head *head = &tenant->head;
    if (!head->present || head->branch != point->branch)
        return WHOLE;
    if (head->seq > point->seq)
        return UP_TO_DATE; /* another owner is ahead; what it wrote includes ours */
#ifndef SEEDED_BUG_STALE_VIEW
    if (head->seq < tenant->base_seq)
        return WHOLE;
#endif
    if (written_by_another(tenant))
        return WHOLE;
    size_t dirty = fold->type->dirty(tenant->state);
    if (dirty > VIEW_COMMIT_CELLS_MAX)
        return WHOLE;
    bool same = dirty == 0 && head->tenant_seq == tenant->clock.tenant_seq && head->time_ms == fold_now(fold, tenant);
    return same ? UP_TO_DATE : CHANGES;
}

static enum err_code learn_head(struct projector *projector, const struct fold *fold, struct tenant *tenant,
                                struct err *err)
{
    if (tenant->head_known)
        return OK;
    enum err_code code = view_head_get(projector->view, scope_of(fold, tenant), &tenant->head, err);
    tenant->head_known = code == OK;
    return code;
}

/* One tenant. ERR_MOVED is tried once more with the head that is there now; a third party may win again. */
static enum err_code project(struct projector *projector, const struct fold *fold, struct tenant *tenant,
                             const struct projector_point *point, struct err *err)
{
    enum err_code code = ERR_MOVED;
    for (int attempt = 0; attempt < 2 && code == ERR_MOVED; attempt++) {
        code = learn_head(projector, fold, tenant, err);
        if (code)
            return code;
        switch (judge(fold, tenant, point)) {
        case UP_TO_DATE:
            return OK;
        case CHANGES:
            code = write_changes(projector, fold, tenant, point, err);
            break;
        case WHOLE:
            code = write_generation(projector, fold, tenant, point, err);
            break;
        }
    }
    return code;
}

static void note_trouble(struct projector *projector, struct fold *fold, const struct err *err)
{
    if (!projector->stale)
        LOGGER_WARN("figures are stale", LF_ERR(err));
    projector->stale = true;
    snprintf(projector->stale_text, sizeof projector->stale_text, "%.255s", err->text);
    projector->backoff_ms = projector->backoff_ms ? projector->backoff_ms * 2 : PROJECTOR_BACKOFF_MS_MIN;
    if (projector->backoff_ms > PROJECTOR_BACKOFF_MS_MAX)
        projector->backoff_ms = PROJECTOR_BACKOFF_MS_MAX;
    projector->retry_at_ms = projector->clock->monotonic_ms(projector->clock) + projector->backoff_ms;
    projector_forget_heads(projector, fold); /* it may come back without its memory */
}

void projector_forget_heads(struct projector *projector, struct fold *fold)
{
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        struct tenant *tenant = tenants_at(fold->tenants, i);
        if (!tenant->head_known)
            continue;
        tenant->head_known = false;
        projector_add(projector, tenant);
    }
}

/* One step of removing a generation that no head names. The stored head is asked each time: after a roll-back it may
 * name that generation again. */
static enum err_code drop_step(struct projector *projector, const struct fold *fold, struct tenant *tenant,
                               struct err *err)
{
    if (!tenant->drop_generation)
        return OK;
    bool more = false;
    struct view_head head;
    enum err_code code = view_head_get(projector->view, scope_of(fold, tenant), &head, err);
    if (!code && head.present && head.generation == tenant->drop_generation) {
        tenant->drop_generation = 0;
        return OK;
    }
    if (!code)
        code = view_drop(projector->view, scope_of(fold, tenant), tenant->drop_generation, &more, err);
    if (!code && !more)
        tenant->drop_generation = 0;
    return code;
}

static bool wants(const struct tenant *tenant) { return tenant->stop == TENANT_RUNS; }

/* The tenants in the order in which they came; those not reached stay. */
static enum err_code flush(struct projector *projector, struct fold *fold, const struct projector_point *point,
                           struct err *err)
{
    enum err_code code = OK;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < projector->count; i++) {
        struct tenant *tenant = projector->waiting[i];
        if (!code && wants(tenant))
            code = project(projector, fold, tenant, point, err);
        if (!code && wants(tenant))
            code = drop_step(projector, fold, tenant, err);
        if (code || (wants(tenant) && tenant->drop_generation))
            projector->waiting[kept++] = tenant;
        else
            tenant->waits_for_view = false;
        if (code == ERR_MOVED) /* lost twice to another owner: later */
            code = OK;
    }
    projector->count = kept;
    return code;
}

bool projector_flush(struct projector *projector, struct fold *fold, const struct projector_point *point)
{
    int64_t start_ms = projector->clock->monotonic_ms(projector->clock);
    if (projector->stale && start_ms < projector->retry_at_ms)
        return false;
    struct err err = {0};
    if (flush(projector, fold, point, &err)) {
        note_trouble(projector, fold, &err);
        return false;
    }
    if (projector->stale)
        LOGGER_INFO("figures are current again");
    projector->stale = false;
    projector->backoff_ms = 0;
    int64_t now_ms = projector->clock->monotonic_ms(projector->clock);
    int64_t pause_ms = (now_ms - start_ms) * PROJECTOR_SHARE;
    projector->next_flush_ms = now_ms + (pause_ms < PROJECTOR_PAUSE_MS_MIN ? PROJECTOR_PAUSE_MS_MIN : pause_ms);
    return projector->count == 0;
}

bool projector_is_light(const struct projector *projector, const struct fold *fold)
{
    for (uint32_t i = 0; i < projector->count; i++) {
        const struct tenant *tenant = projector->waiting[i];
        if (!tenant->head_known || !tenant->head.present || tenant->head.seq < tenant->base_seq ||
            fold->type->dirty(tenant->state) > VIEW_COMMIT_CELLS_MAX)
            return false;
    }
    return true;
}

void projector_check(struct projector *projector, struct fold *fold)
{
    int64_t now_ms = projector->clock->monotonic_ms(projector->clock);
    uint32_t count = tenants_count(fold->tenants);
    if (!projector->view || count == 0 || now_ms < projector->next_check_ms)
        return;
    projector->next_check_ms = now_ms + PROJECTOR_CHECK_MS;
    for (uint32_t i = 0; i < PROJECTOR_CHECK_TENANTS && i < count; i++) {
        struct tenant *tenant = tenants_at(fold->tenants, projector->check_next++ % count);
        tenant->head_known = false;
        projector_add(projector, tenant);
    }
}

bool projector_is_due(const struct projector *projector)
{
    return projector->clock->monotonic_ms(projector->clock) >= projector->next_flush_ms;
}
