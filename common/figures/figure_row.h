/* figure_row.h -- one row of figures: exactly the columns of formats.md 5.1, in their order, as JSON and as CSV. */
#ifndef FIGURES_FIGURE_ROW_H
#define FIGURES_FIGURE_ROW_H

#include "base/buf.h"

enum figure_flag {
    FIGURE_THIN = 1,
    FIGURE_IMMATURE = 2,
    FIGURE_RESTATED = 4,
    FIGURE_PARTIAL = 8,
    FIGURE_ASSUMED_TIME = 16,
    FIGURE_OVERFLOW = 32,
    FIGURE_NON_STATIONARY = 64,
    FIGURE_REMOVED_STAGE = 128
};

/* Texts are borrowed; an empty text with p == NULL is null. */
struct figure_row {
    struct slice tenant, org, dim, dim_value, pipeline, stage, class, to_stage, item, metric, window, unit, currency;
    bool has_horizon, has_start, has_end, has_value;
    int64_t horizon_ms, window_start_ms, window_end_ms;
    int64_t value, n;
    uint64_t as_of_seq;
    int64_t as_of_ms;
    int64_t completeness_ppm;
    uint64_t plan_version, calendar_version;
    uint32_t flags; /* figure_flag */
};

/* One JSON object without newline. */
void figure_row_write_json(const struct figure_row *row, struct buf *out);
/* RFC 4180, with CR LF; text cells that begin with = + - @ TAB or CR get a leading apostrophe. */
void figure_row_write_csv_head(struct buf *out);
void figure_row_write_csv(const struct figure_row *row, struct buf *out);

#endif
