#include "figure_row.h"

#include "base/json_write.h"
#include "base/time_text.h"

static const struct {
    uint32_t bit;
    const char *name;
} flags[] = {
    {FIGURE_THIN, "thin"},
    {FIGURE_IMMATURE, "immature"},
    {FIGURE_RESTATED, "restated"},
    {FIGURE_PARTIAL, "partial"},
    {FIGURE_ASSUMED_TIME, "assumed_time"},
    {FIGURE_OVERFLOW, "overflow"},
    {FIGURE_NON_STATIONARY, "non_stationary"},
    {FIGURE_REMOVED_STAGE, "removed_stage"},
};
enum { FLAG_COUNT = sizeof flags / sizeof *flags };

/* The columns, once: text, optional number or instant, in the order of formats.md 5.1. */
#define FIGURE_COLUMNS(TEXT, NUMBER, INSTANT)                                                                          \
    TEXT(tenant)                                                                                                       \
    TEXT(org)                                                                                                          \
    TEXT(dim)                                                                                                          \
    TEXT(dim_value)                                                                                                    \
    TEXT(pipeline)                                                                                                     \
    TEXT(stage)                                                                                                        \
    TEXT(class)                                                                                                        \
    TEXT(to_stage)                                                                                                     \
    NUMBER(horizon_ms, row->has_horizon, row->horizon_ms)                                                              \
    TEXT(item)                                                                                                         \
    TEXT(metric)                                                                                                       \
    TEXT(window)                                                                                                       \
    INSTANT(window_start, row->has_start, row->window_start_ms)                                                        \
    INSTANT(window_end, row->has_end, row->window_end_ms)                                                              \
    NUMBER(value, row->has_value, row->value)                                                                          \
    NUMBER(n, true, row->n)                                                                                            \
    TEXT(unit)                                                                                                         \
    TEXT(currency)                                                                                                     \
    NUMBER(as_of_seq, true, (int64_t)row->as_of_seq)                                                                   \
    INSTANT(as_of_time, true, row->as_of_ms)                                                                           \
    NUMBER(completeness_ppm, true, row->completeness_ppm)                                                              \
    NUMBER(plan_version, true, (int64_t)row->plan_version)                                                             \
    NUMBER(calendar_version, true, (int64_t)row->calendar_version)

static void json_column_text(struct json_writer *w, const char *name, struct slice text)
{
    json_key(w, name);
    if (text.p)
        json_text(w, text);
    else
        json_null(w);
}

static void json_column_number(struct json_writer *w, const char *name, bool there, int64_t number)
{
    json_key(w, name);
    if (there)
        json_int(w, number);
    else
        json_null(w);
}

static void json_column_instant(struct json_writer *w, const char *name, bool there, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    struct slice value = {NULL, 0};
    if (there)
        value = slice_make(text, instant_print(at_ms, text));
    json_column_text(w, name, value);
}

void figure_row_write_json(const struct figure_row *row, struct buf *out)
{
    struct json_writer w = json_writer_of(out);
    json_object_begin(&w);
#define TEXT(name)                  json_column_text(&w, #name, row->name);
#define NUMBER(name, there, number) json_column_number(&w, #name, there, number);
#define INSTANT(name, there, at_ms) json_column_instant(&w, #name, there, at_ms);
    FIGURE_COLUMNS(TEXT, NUMBER, INSTANT)
#undef TEXT
#undef NUMBER
#undef INSTANT
    json_key(&w, "flags");
    json_array_begin(&w);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (row->flags & flags[i].bit)
            json_text(&w, slice_of(flags[i].name));
    }
    json_array_end(&w);
    json_object_end(&w);
}

/* --- CSV ------------------------------------------------------------------------------------------------------ */

void figure_row_write_csv_head(struct buf *out)
{
#define TEXT(name)                  buf_add_text(out, #name ",");
#define NUMBER(name, there, number) buf_add_text(out, #name ",");
#define INSTANT(name, there, at_ms) buf_add_text(out, #name ",");
    FIGURE_COLUMNS(TEXT, NUMBER, INSTANT)
#undef TEXT
#undef NUMBER
#undef INSTANT
    buf_add_text(out, "flags\r\n");
}

static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (strchr(",\"\r\n", text.p[i]))
            return true;
    }
    return false;
}

/* A spreadsheet would run a cell that begins like a formula. */
static bool looks_like_formula(struct slice text) { return text.n && strchr("=+-@\t\r", text.p[0]); }

static void csv_text(struct buf *out, struct slice text)
{
    bool quoted = needs_quotes(text);
    if (quoted)
        buf_add_byte(out, '"');
    if (looks_like_formula(text))
        buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)text.p[i]);
    }
    buf_add_text(out, quoted ? "\"," : ",");
}

static void csv_number(struct buf *out, bool there, int64_t number)
{
    if (there)
        buf_addf(out, "%lld", (long long)number);
    buf_add_byte(out, ',');
}

static void csv_instant(struct buf *out, bool there, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    if (there)
        buf_add(out, text, instant_print(at_ms, text));
    buf_add_byte(out, ',');
}

void figure_row_write_csv(const struct figure_row *row, struct buf *out)
{
#define TEXT(name)                  csv_text(out, row->name);
#define NUMBER(name, there, number) csv_number(out, there, number);
#define INSTANT(name, there, at_ms) csv_instant(out, there, at_ms);
    FIGURE_COLUMNS(TEXT, NUMBER, INSTANT)
#undef TEXT
#undef NUMBER
#undef INSTANT
    bool first = true;
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!(row->flags & flags[i].bit))
            continue;
        buf_addf(out, "%s%s", first ? "" : "|", flags[i].name);
        first = false;
    }
    buf_add_text(out, "\r\n");
}
