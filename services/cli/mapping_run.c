/* mapping_run.c -- every row of every entry: replaced, joined, turned into events; then all sorted. See mapping.h.
 *
 * A row gives all its events or none, and an event that is made of several rows is left out when one of them fails:
 * an order without one of its lines would be a guess. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "mapping_internal.h"

enum { PROGRESS_ROWS = 4096, GROUPS_MAX = 50000000 };
enum row_state { ROW_SKIPPED, ROW_MAPPED, ROW_FAILED };

struct group {
    struct mapping_draft draft;
    const struct mapping_event *event;
    uint32_t file;
    uint64_t line;
    struct buf rows; /* u64 numbers of its rows */
    bool failed;
    const char *reason;
    uint64_t bad_line;
};

struct run {
    struct mapping *mapping;
    const struct mapping_entry *entry;
    struct mapping_result *result;
    mapping_on_error *on_error;
    mapping_on_progress *on_progress;
    void *context;
    struct buf scratch, key, drafts, states;
    struct intern group_index;
    struct group *groups;
    size_t group_cap;
    uint32_t touched[MAPPING_EVENTS_MAX];
    uint32_t touched_count;
    struct mapping_plan_texts plan;
    uint64_t bytes_all, bytes_before;
    struct err *err;
};

static void report(struct run *run, uint32_t file, uint64_t line, const char *reason, const char *text)
{
    run->on_error(run->context, mapping_file_name(run->mapping, file), line, reason, text);
}

/* ---- finished events */

static struct mapped_event *result_add(struct mapping_result *result)
{
    if (result->count == result->cap) {
        result->cap = result->cap ? result->cap * 2 : 1024;
        result->events = reallocarray(result->events, result->cap, sizeof *result->events);
        if (!result->events)
            abort();
    }
    return &result->events[result->count++];
}

static void finish(struct run *run, const struct mapping_event *event, const struct mapping_draft *draft, uint32_t file,
                   uint64_t line)
{
    struct mapping_result *result = run->result;
    struct buf *out = &result->text;
    struct mapped_event *mapped = result_add(result);
    *mapped = (struct mapped_event){.type = event->type,
                                    .occurred_ms = draft->at_ms,
                                    .source_seq = draft->source_seq,
                                    .file = file,
                                    .line = line,
                                    .id = out->n,
                                    .id_bytes = draft->id_bytes};
    bool later = draft->has_recorded && draft->recorded_ms > draft->at_ms;
    mapped->recorded_ms = later ? draft->recorded_ms : draft->at_ms;
    buf_add(out, run->drafts.p + draft->id, draft->id_bytes);
    mapped->text = out->n;
    const uint8_t *piece = run->drafts.p + draft->text;
    buf_add(out, piece, draft->head_bytes);
    if (draft->line_count) {
        buf_add_text(out, ",\"lines\":[");
        buf_add_slice(out, buf_slice(&draft->lines));
        buf_add_byte(out, ']');
    }
    buf_add(out, piece + draft->head_bytes, draft->middle_bytes);
    if (draft->line_count && !draft->has_net)
        buf_addf(out, ",\"net_amount\":%lld", (long long)draft->net_amount);
    buf_add(out, piece + draft->head_bytes + draft->middle_bytes, draft->tail_bytes);
    buf_add_byte(out, '}');
    mapped->text_bytes = out->n - mapped->text;
}

/* ---- groups */

static struct group *group_of(struct run *run, uint32_t number, const struct mapping_event *event,
                              const struct mapping_row *row, bool *fresh)
{
    buf_clear(&run->key);
    buf_add_u32(&run->key, number);
    for (uint32_t i = 0; i < event->group_count; i++) {
        struct slice cell = row->cells[event->group[i]];
        buf_add_varint(&run->key, cell.n);
        buf_add_slice(&run->key, cell);
    }
    uint32_t before = run->group_index.count;
    uint32_t index = intern_put(&run->group_index, buf_slice(&run->key));
    *fresh = index == before;
    if (*fresh && index == run->group_cap) {
        run->group_cap = run->group_cap ? run->group_cap * 2 : 256;
        run->groups = reallocarray(run->groups, run->group_cap, sizeof *run->groups);
        if (!run->groups)
            abort();
    }
    if (*fresh)
        run->groups[index] = (struct group){.event = event, .file = row->file, .line = row->line};
    run->touched[run->touched_count++] = index;
    return &run->groups[index];
}

static bool group_row(struct run *run, uint32_t number, const struct mapping_row *row, struct mapping_fault *fault)
{
    const struct mapping_event *event = &run->entry->events[number];
    bool fresh;
    int64_t at_ms;
    struct group *group = group_of(run, number, event, row, &fresh);
    buf_add_u64(&group->rows, (uint64_t)row->number);
    if (!mapping_event_at(run->mapping, run->entry, event, row, &run->scratch, &at_ms, fault))
        return false;
    if (fresh) {
        group->draft.at_ms = at_ms;
        if (!mapping_event_write(run->mapping, run->entry, number, row, &run->scratch, &run->drafts, &group->draft,
                                 fault))
            return false;
    } else if (at_ms != group->draft.at_ms) {
        fault->reason = "group_differs";
        (void)snprintf(fault->text, sizeof fault->text,
                       "its time differs from that of the group's first row, line %llu",
                       (unsigned long long)group->line);
        return false;
    }
    return !event->has_lines || mapping_event_add_line(run->mapping, event, row, &run->scratch, &group->draft, fault);
}

static void fail_touched(struct run *run, const struct mapping_row *row, const struct mapping_fault *fault)
{
    for (uint32_t i = 0; i < run->touched_count; i++) {
        struct group *group = &run->groups[run->touched[i]];
        if (group->failed)
            continue;
        group->failed = true;
        group->reason = fault->reason;
        group->bad_line = row->line;
    }
}

static void drop_group(struct run *run, struct group *group)
{
    char text[160];
    struct cursor rows = cursor_of(buf_slice(&group->rows));
    size_t count = group->rows.n / 8;
    while (cursor_left(&rows))
        run->states.p[cursor_u64(&rows) - 1] = ROW_FAILED;
    if (count < 2)
        return;
    (void)snprintf(text, sizeof text, "the event of this row and %zu others is left out because of line %llu",
                   count - 1, (unsigned long long)group->bad_line);
    if (group->line != group->bad_line)
        report(run, group->file, group->line, group->reason, text);
}

static void finish_groups(struct run *run)
{
    for (uint32_t i = 0; i < run->group_index.count; i++) {
        struct group *group = &run->groups[i];
        if (group->failed)
            drop_group(run, group);
        else
            finish(run, group->event, &group->draft, group->file, group->line);
        buf_close(&group->draft.lines);
        buf_close(&group->rows);
    }
    intern_close(&run->group_index);
    free(run->groups);
    run->groups = NULL;
    run->group_cap = 0;
}

/* ---- rows */

static bool single_row(struct run *run, uint32_t number, const struct mapping_row *row, struct mapping_fault *fault)
{
    const struct mapping_event *event = &run->entry->events[number];
    struct mapping_draft draft = {0};
    size_t from = run->drafts.n;
    bool good =
        mapping_event_at(run->mapping, run->entry, event, row, &run->scratch, &draft.at_ms, fault) &&
        mapping_event_write(run->mapping, run->entry, number, row, &run->scratch, &run->drafts, &draft, fault) &&
        (!event->has_lines || mapping_event_add_line(run->mapping, event, row, &run->scratch, &draft, fault));
    if (good)
        finish(run, event, &draft, row->file, row->line);
    buf_close(&draft.lines);
    run->drafts.n = from;
    return good;
}

static enum row_state row_events(struct run *run, const struct mapping_row *row)
{
    size_t count = run->result->count, text = run->result->text.n;
    enum row_state state = ROW_SKIPPED;
    struct mapping_fault fault = {0};
    run->touched_count = 0;
    for (uint32_t i = 0; i < run->entry->event_count; i++) {
        const struct mapping_event *event = &run->entry->events[i];
        if (event->filter && !mapping_filter_holds(event->filter, row))
            continue;
        bool good = event->group_count ? group_row(run, i, row, &fault) : single_row(run, i, row, &fault);
        if (good) {
            state = ROW_MAPPED;
            continue;
        }
        run->result->count = count;
        run->result->text.n = text;
        fail_touched(run, row, &fault);
        report(run, row->file, row->line, fault.reason, fault.text);
        return ROW_FAILED;
    }
    return state;
}

static void replace_cells(const struct mapping_entry *entry, struct slice *cells, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < entry->replace_count; i++) {
        const struct mapping_replace *replace = &entry->replaces[i];
        if (replace->column >= from && replace->column < to && slice_eq(cells[replace->column], replace->from))
            cells[replace->column] = replace->to;
    }
}

static bool join_cells(struct run *run, struct slice *cells, const struct mapping_row *row)
{
    for (uint32_t i = 0; i < run->entry->join_count; i++) {
        const struct mapping_join *join = &run->entry->joins[i];
        struct slice value = cells[join->by_column];
        uint32_t found = intern_get(&join->index, value);
        const char *reason = found == INTERN_NONE ? "join_miss" : join->many[found] ? "join_many" : NULL;
        if (reason) {
            char text[200];
            (void)snprintf(text, sizeof text, "%s row has %.*s = \"%.*s\"",
                           found == INTERN_NONE ? "no" : "more than one", SLICE_ARG(join->by),
                           (int)(value.n < 64 ? value.n : 64), value.p);
            report(run, row->file, row->line, reason, text);
            return false;
        }
        if (join->column_count)
            memcpy(cells + join->first_column, join->cells + (size_t)found * join->column_count,
                   join->column_count * sizeof *cells);
        replace_cells(run->entry, cells, join->first_column, join->first_column + join->column_count);
    }
    return true;
}

static enum row_state take_row(struct run *run, const struct csv *csv, const struct mapping_row *row,
                               struct slice *cells)
{
    if (csv->count != run->entry->own_columns) {
        char text[96];
        (void)snprintf(text, sizeof text, "%zu fields, the header has %u", csv->count, run->entry->own_columns);
        report(run, row->file, row->line, "bad_csv", text);
        return ROW_FAILED;
    }
    memcpy(cells, csv->fields, csv->count * sizeof *cells);
    replace_cells(run->entry, cells, 0, run->entry->own_columns);
    if (!join_cells(run, cells, row))
        return ROW_FAILED;
    enum row_state state = row_events(run, row);
    if (run->entry->plan_count && state != ROW_FAILED) {
        mapping_plan_add(run->entry, row, &run->scratch, &run->plan);
        state = ROW_MAPPED;
    }
    return state;
}

static void show_progress(struct run *run, const struct csv *csv, const struct mapping_file *file)
{
    if (run->on_progress)
        run->on_progress(run->context, run->bytes_before + (uint64_t)(csv->p - file->bytes), run->bytes_all);
}

static void run_file(struct run *run, uint32_t number, int64_t *row_number)
{
    const struct mapping_file *file = &run->mapping->files[number];
    struct csv *csv = mapping_alloc(1, sizeof *csv);
    struct slice *cells = mapping_alloc(CSV_COLUMNS_MAX, sizeof *cells);
    csv_init(csv, slice_make(file->bytes, file->size), run->entry->delimiter);
    (void)csv_next(csv); /* the header */
    for (enum csv_result result; (result = csv_next(csv)) != CSV_END;) {
        struct mapping_row row = {cells, number, csv->line, ++*row_number};
        buf_add_byte(&run->states, ROW_SKIPPED);
        enum row_state state = ROW_FAILED;
        if (result == CSV_ROW)
            state = take_row(run, csv, &row, cells);
        else
            report(run, number, csv->line, "bad_csv", csv_result_text(result));
        run->states.p[*row_number - 1] = (uint8_t)state;
        if (*row_number % PROGRESS_ROWS == 0)
            show_progress(run, csv, file);
    }
    csv_close(csv);
    free(csv);
    free(cells);
    run->bytes_before += file->size;
}

static void run_entry(struct run *run)
{
    int64_t row_number = 0;
    buf_clear(&run->states);
    buf_clear(&run->drafts);
    intern_init(&run->group_index, GROUPS_MAX);
    for (uint32_t i = 0; i < run->entry->file_count; i++)
        run_file(run, run->entry->first_file + i, &row_number);
    finish_groups(run);
    for (size_t i = 0; i < run->states.n; i++) {
        run->result->mapped_rows += run->states.p[i] == ROW_MAPPED;
        run->result->skipped_rows += run->states.p[i] == ROW_SKIPPED;
        run->result->failed_rows += run->states.p[i] == ROW_FAILED;
    }
    run->result->rows += run->states.n;
}

static int compare_events(const void *left, const void *right, void *context)
{
    const struct mapped_event *a = left, *b = right;
    const char *text = context;
    if (a->recorded_ms != b->recorded_ms)
        return a->recorded_ms < b->recorded_ms ? -1 : 1;
    if (a->source_seq != b->source_seq)
        return a->source_seq < b->source_seq ? -1 : 1;
    int order = slice_cmp(slice_make(text + a->id, a->id_bytes), slice_make(text + b->id, b->id_bytes));
    if (order)
        return order;
    return a->text < b->text ? -1 : a->text > b->text;
}

enum err_code mapping_run(struct mapping *mapping, struct mapping_result *result, mapping_on_error *on_error,
                          mapping_on_progress *on_progress, void *context, struct err *err)
{
    struct run run = {.mapping = mapping,
                      .result = result,
                      .on_error = on_error,
                      .on_progress = on_progress,
                      .context = context,
                      .err = err};
    for (uint32_t i = 0; i < mapping->file_count; i++)
        run.bytes_all += mapping->files[i].size;
    for (uint32_t i = 0; i < mapping->entry_count && result->count <= MAPPING_RESULT_MAX; i++) {
        run.entry = mapping->entries[i];
        run_entry(&run);
    }
    if (result->count)
        qsort_r(result->events, result->count, sizeof *result->events, compare_events, result->text.p);
    mapping_plan_write(mapping, &run.plan, &result->plan);
    mapping_plan_texts_close(&run.plan);
    buf_close(&run.scratch);
    buf_close(&run.key);
    buf_close(&run.drafts);
    buf_close(&run.states);
    if (result->count > MAPPING_RESULT_MAX)
        return err_set(err, ERR_CONFIG, "more than %d events in one import: split the files", MAPPING_RESULT_MAX);
    return OK;
}

void mapping_result_close(struct mapping_result *result)
{
    buf_close(&result->text);
    buf_close(&result->plan);
    free(result->events);
    *result = (struct mapping_result){0};
}
