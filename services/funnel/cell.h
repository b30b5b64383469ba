/* cell.h -- the base cells of one tenant: counts per org x dimension value x stage x pane (semantics 3, design 6).
 *
 * A cell is a 16-byte key, a mask of the slots it has and their values. Short panes are kept as long as the windows
 * that are made of them need (minute 2 h, quarter hour 26 h, hour 8 d, local day 400 d); months and the total for
 * ever. What has expired is dropped by T alone, so a cell's life does not depend on batches.
 *
 * A cell exists while a value is not 0, or once an event touched it (rulings O24: it is then shown as 0). */
#ifndef FUNNEL_CELL_H
#define FUNNEL_CELL_H

#include "model/lead_fold.h"

enum cell_pane { CELL_MINUTE, CELL_QUARTER, CELL_HOUR, CELL_DAY, CELL_MONTH, CELL_TOTAL, CELL_PANES };
#define CELL_RING_PANES 4 /* kinds that expire: those before CELL_MONTH */

/* How many panes of a kind are kept, the one that holds T included. */
extern const int64_t cell_panes_kept[CELL_RING_PANES];

struct cell_key {
    uint64_t who;   /* org text << 32 | value text */
    uint64_t where; /* stage 16 | pane kind 3 | dimension 2 | rep 1 | currency 15 | pane number 27 */
};
struct cell_parts {
    uint32_t org, value; /* texts */
    uint32_t stage, currency;
    enum cell_pane pane;
    enum lead_dim dim;
    bool rep; /* org is an owner, shown as rep:<id> */
    int64_t number;
};
struct cell_key cell_key_of(const struct cell_parts *parts);
struct cell_parts cell_parts_of(struct cell_key key);
/* Another pane of the same org, value, stage and currency; `base` is that of pane 0, number 0. */
static inline struct cell_key cell_key_in(struct cell_key base, enum cell_pane pane, int64_t number)
{
    return (struct cell_key){base.who, base.where | (uint64_t)pane << 45 | ((uint64_t)number & ((1u << 27) - 1))};
}

enum cell_flags {
    CELL_USED = 1,
    CELL_DIRTY = 2, /* changed since the last projection */
    CELL_SHOWN = 4  /* it was projected, so that its end must be too */
};
struct cell {
    struct cell_key key;
    uint64_t mask;    /* bit n: slot n has a value */
    uint64_t touched; /* bit n: an event touched slot n, not only a plan that was folded again */
    int64_t *values;
    uint32_t ring_at;    /* place in the list of its pane */
    int32_t restated_on; /* local day (day panes) or month of T at which an event changed it behind its end; 0 */
    uint8_t flags, room;
};

struct cell_list {
    uint32_t *items;
    uint32_t count, capacity;
};
void cell_list_add(struct cell_list *list, uint32_t item);

enum { CELL_REMOVED_MAX = 4001 }; /* more than one commit of the view takes (VIEW_COMMIT_CELLS_MAX) */

struct cell_ring {
    struct cell_list *lists; /* by pane number modulo size */
    int64_t oldest, newest;  /* panes that may stand in it */
    bool begun;
};

struct cell_table {
    struct cell *cells; /* 0 unused */
    uint32_t count, capacity;
    uint32_t free; /* chain of unused cells through ring_at */
    uint32_t live;
    uint64_t *slots; /* hash << 32 | place of a cell; 0: free */
    uint32_t slot_mask;
    struct cell_ring rings[CELL_RING_PANES];
    int64_t *free_values[8];
    void **chunks;
    size_t chunk_count, chunk_capacity;
    int64_t *chunk;
    size_t chunk_left;
    struct cell_list dirty;
    struct cell_key *removed; /* keys to take out of the view */
    size_t removed_count, removed_capacity;
    /* The view may hold what another life of this machine, or another owner, put there: until the first projection
     * every cell counts as shown. Beyond CELL_REMOVED_MAX only a new generation will do, and no more are listed. */
    bool all_shown;
};

void cell_table_init(struct cell_table *table);
void cell_table_close(struct cell_table *table);

/* Drops the panes that expired before the pane numbers of T. */
void cell_table_expire(struct cell_table *table, const int64_t now[CELL_RING_PANES]);
/* False: a pane of this kind and number is not kept any more (or the ring has not begun). */
bool cell_table_keeps(const struct cell_table *table, enum cell_pane pane, int64_t number);

/* The cell with this key, made empty if need be. Pointers move with the next new cell. */
struct cell *cell_table_get(struct cell_table *table, struct cell_key key);
struct cell *cell_table_find(const struct cell_table *table, struct cell_key key); /* NULL: none */
/* Asks the memory for the place of a key that will be looked up. */
void cell_table_fetch(const struct cell_table *table, struct cell_key key);
void cell_add(struct cell_table *table, struct cell *cell, unsigned slot, int64_t n);
/* A cell that is not there now, but that another life of this machine may have had and shown. */
void cell_table_passed(struct cell_table *table, struct cell_key key);
int64_t cell_value(const struct cell *cell, unsigned slot);
/* Slots that are shown and saved: those that are not 0 and those that an event touched. */
uint64_t cell_shown(const struct cell *cell);
void cell_mark_dirty(struct cell_table *table, struct cell *cell);
/* Removes a cell that is all 0 and was touched by no event. */
void cell_drop_if_empty(struct cell_table *table, struct cell *cell);

#endif
