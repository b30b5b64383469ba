#include "story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "figures/cell_text.h"

/* --- cells as the view would hold them ------------------------------------------------------------------------- */

static char *copy(struct slice s)
{
    char *text = malloc(s.n + 1);
    if (!text)
        abort();
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    return text;
}

static void take_cell(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    struct story *story = (struct story *)(void *)((char *)sink - offsetof(struct story, sink));
    if (story->cell_count == story->cell_capacity) {
        story->cell_capacity = story->cell_capacity ? story->cell_capacity * 2 : 256;
        story->cells = realloc(story->cells, story->cell_capacity * sizeof *story->cells);
    }
    story->cells[story->cell_count++] = (struct story_cell){copy(row), copy(field), copy(value)};
}

static void forget_cells(struct story *story)
{
    for (size_t i = 0; i < story->cell_count; i++) {
        free(story->cells[i].row);
        free(story->cells[i].field);
        free(story->cells[i].value);
    }
    story->cell_count = 0;
}

enum { CELLS_ASKED = 5 };

void story_project(struct story *story)
{
    forget_cells(story);
    story->sink.cell = take_cell;
    uint64_t cursor = 0;
    size_t before;
    bool more;
    do { /* few at a time: a call never hands over more than it was asked for */
        before = story->cell_count;
        more = story->type->project_all(story->tenant, story->now_ms, &cursor, CELLS_ASKED, &story->sink);
        assert_true(story->cell_count - before <= CELLS_ASKED);
    } while (more);
}

static int64_t number_in(const char *value, const char *name)
{
    struct cursor in = cursor_of(slice_of(value));
    struct slice found;
    int64_t number;
    while (cell_text_next(&in, &found, &number)) {
        if (slice_is(found, name))
            return number;
    }
    return 0;
}

int64_t story_number(struct story *story, const char *row, const char *field, const char *name)
{
    story_project(story);
    for (size_t i = 0; i < story->cell_count; i++) {
        const struct story_cell *cell = &story->cells[i];
        if (strcmp(cell->row, row) == 0 && strcmp(cell->field, field) == 0)
            return number_in(cell->value, name);
    }
    return 0;
}

int64_t story_total(struct story *story, const char *org, const char *stage, const char *name)
{
    char row[128], field[128];
    snprintf(row, sizeof row, "%s/%s", *stage ? "default" : "", org);
    snprintf(field, sizeof field, "%s|t|all|", stage);
    return story_number(story, row, field, name);
}

int64_t story_open(struct story *story, const char *org, const char *stage)
{
    static const char *const out[] = {"xadvance", "xskip",   "xregress", "xwin",  "xlose",   "xrecycle",
                                      "xreclaim", "xreopen", "xreverse", "xmove", "xmerged", "to"};
    int64_t sum = story_total(story, org, stage, "e") + story_total(story, org, stage, "ti");
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        sum -= story_total(story, org, stage, out[i]);
    return sum;
}

void story_save(struct story *story, struct buf *out)
{
    struct err err = {0};
    if (story->type->recount(story->tenant, &err) != OK)
        fail_msg("recount: %s", err.text);
    buf_clear(out);
    story->type->save(story->tenant, out);
}

/* --- beginning and end ---------------------------------------------------------------------------------------- */

void story_begin_bare(struct story *story)
{
    memset(story, 0, sizeof *story);
    struct err err = {0};
    story->codec = event_codec_new(&err);
    assert_non_null(story->codec);
    story->type = &funnel_machine;
    story->tenant = story->type->create(SLICE("acme"));
}

void story_begin(struct story *story)
{
    story_begin_bare(story);
    story_fixture_plan(story);
}

void story_end(struct story *story)
{
    forget_cells(story);
    free(story->cells);
    story->type->destroy(story->tenant);
    event_codec_destroy(&story->codec);
    buf_close(&story->body);
}

/* --- figures -------------------------------------------------------------------------------------------------- */

static struct figures *figures_of(struct story *story)
{
    struct figures *figures = figures_new();
    story_project(story);
    for (size_t i = 0; i < story->cell_count; i++)
        figures_cell(figures, slice_of(story->cells[i].row), slice_of(story->cells[i].field),
                     slice_of(story->cells[i].value));
    figures_as_of(figures, SLICE("acme"), story->seq, story->now_ms);
    return figures;
}

void story_rows(struct story *story, const struct figures_query *query, figures_on_row *on_row, void *context)
{
    struct figures *figures = figures_of(story);
    figures_each(figures, query, on_row, context);
    figures_destroy(&figures);
}

struct wanted {
    const char *stage, *class;
    int64_t value;
};

static bool is_text(struct slice text, const char *wanted) { return wanted ? slice_is(text, wanted) : !text.p; }

static void take_value(void *context, const struct figure_row *row)
{
    struct wanted *wanted = context;
    if (is_text(row->stage, wanted->stage) && is_text(row->class, wanted->class))
        wanted->value = row->has_value ? row->value : STORY_NULL;
}

int64_t story_figure(struct story *story, const char *org, const char *metric, const char *stage, const char *class,
                     const char *window)
{
    enum figures_window kind;
    assert_true(figures_window_of(slice_of(window), &kind));
    struct figures_query query = {
        .org = slice_of(org), .dim = SLICE("all"), .metric = slice_of(metric), .window = (int)kind};
    struct wanted wanted = {stage, class, STORY_NO_ROW};
    story_rows(story, &query, take_value, &wanted);
    return wanted.value;
}
