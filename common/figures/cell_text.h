/* cell_text.h -- the text form of a funnel cell in the view: one grammar for the machine that writes it and the
 * figures that read it (docs/funnel.md; internal, no contract).
 *
 *   row    PIPELINE/ORG        ORG = node, rep:ID or unassigned; counters without a stage: /ORG
 *   field  STAGE|PANE|DIM|VALUE
 *   PANE   t | d20260306 | m202603 | h<hours> | q<quarter hours> | i<minutes> since 1970, and $CUR for amounts
 *   value  names with numbers: "e7 xadvance4 xlose1 r8"
 *   row    meta: `figures` (zone, week, stage models, versions, a line each) and `plan` (plan.h, for others) */
#ifndef FIGURES_CELL_TEXT_H
#define FIGURES_CELL_TEXT_H

#include "base/buf.h"

#define CELL_TEXT_META_ROW     "meta"
#define CELL_TEXT_META_FIGURES "figures"
#define CELL_TEXT_META_PLAN    "plan"
#define CELL_TEXT_RESTATED     "R"

enum { CELL_TEXT_SLOTS = 38 };
/* Names of the slots of model/lead_fold.h, in its order; of the dimensions of lead_book.h. */
extern const char *const cell_text_slots[CELL_TEXT_SLOTS];
extern const char *const cell_text_dims[3];

struct cell_text_pane {
    char kind;      /* t d m h q i */
    int64_t number; /* pane number since 1970; 0 for t */
    uint32_t currency_number;
    char currency[4]; /* empty: counts */
};
void cell_text_write_pane(const struct cell_text_pane *pane, struct buf *out);
/* False: not a pane. */
bool cell_text_read_pane(struct slice text, struct cell_text_pane *pane);

/* Appends NAME and number, with a blank before all but the first. */
void cell_text_write_number(const char *name, int64_t number, struct buf *out);
/* The next NAME and number of a value; false at the end or on other text. */
bool cell_text_next(struct cursor *value, struct slice *name, int64_t *number);
/* Slot of a name; -1: none. */
int cell_text_slot(struct slice name);

#endif
