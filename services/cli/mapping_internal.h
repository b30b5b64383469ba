/* mapping_internal.h -- the compiled mapping, shared by the mapping_*.c files only.
 *
 * Loading compiles every text of the mapping against the columns of its entry, so that running it looks nothing up
 * by name: a value is a list of parts, each a literal or the number of a column. */
#ifndef CLI_MAPPING_INTERNAL_H
#define CLI_MAPPING_INTERNAL_H

#include "base/intern.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/yaml.h"
#include "csv.h"
#include "mapping.h"
#include "mapping_decimal.h"
#include "time/zone.h"

#define MAPPING_NO_COLUMN UINT32_MAX

enum {
    MAPPING_JOINS_MAX = 8,
    MAPPING_FIELDS_MAX = 64, /* of one event */
    MAPPING_PARTS_MAX = 32,  /* of one value */
    MAPPING_FACTORS_MAX = 8, /* of one product */
    MAPPING_GROUP_MAX = 16,  /* columns of a group */
    MAPPING_PLAN_ITEMS_MAX = 32,
    MAPPING_DATE_FORMAT_BYTES_MAX = 64
};

/* ---- values */
struct mapping_part {
    bool is_column;
    uint32_t column;
    struct slice text;
};
struct mapping_factor {
    bool is_column, one_minus;
    uint32_t column;
    struct decimal number;
};
struct mapping_value {
    bool product; /* {mul: [...]} */
    uint32_t count;
    struct mapping_part *parts;
    struct mapping_factor *factors;
};

/* ---- files */
struct mapping_file {
    char *path; /* as shown in messages */
    char *bytes;
    size_t size;
    bool mapped; /* by mmap */
};
struct mapping_join {
    struct slice by;
    uint32_t by_column;    /* of the row */
    uint32_t first_column; /* the join's own columns stand from here on */
    uint32_t column_count; /* without `by` */
    struct intern index;   /* value of `by` -> row */
    bool *many;            /* by row: the value stands in several rows */
    struct slice *cells;   /* row * column_count + column */
    struct buf text;
};

/* A row of an entry: its own columns, then those of its joins. An empty field is absent. */
struct mapping_row {
    const struct slice *cells;
    uint32_t file;
    uint64_t line;
    int64_t number; /* 1-based in the entry */
};

/* ---- events */
enum mapping_slot {
    SLOT_FIELD, /* index = field of the type's table */
    SLOT_REP,
    SLOT_LINES,
    SLOT_ATTR
};
enum mapping_line_field {
    LINE_SKU,
    LINE_GROUP,
    LINE_QTY,
    LINE_UNIT,
    LINE_LIST,
    LINE_FLOOR,
    LINE_COST,
    LINE_NET,
    LINE_FIELDS
};
extern const char *const mapping_line_names[]; /* by mapping_line_field, NULL at the end */

struct mapping_field {
    enum mapping_slot slot;
    int index;
    struct slice attr;
    struct mapping_value value;
    bool flags_assumed; /* flags: [assumed_time] */
};
struct mapping_filter; /* mapping_filter.c */
struct mapping_event {
    enum event_type type;
    struct mapping_filter *filter; /* NULL: every row */
    struct mapping_value id, at;
    struct mapping_field fields[MAPPING_FIELDS_MAX];
    uint32_t field_count;
    bool has_lines;
    struct mapping_value lines[LINE_FIELDS]; /* parts and factors NULL: not given */
    uint32_t group_count;
    uint32_t group[MAPPING_GROUP_MAX];
};

struct mapping_plan_key {
    struct slice key;
    struct mapping_value value;
};
struct mapping_plan_item {
    const char *section; /* org, members, dealers, targets */
    uint32_t key_count;
    struct mapping_plan_key keys[16];
};

struct mapping_replace {
    uint32_t column;
    struct slice from, to;
};

struct mapping_entry {
    char delimiter;
    char date_format[MAPPING_DATE_FORMAT_BYTES_MAX];
    uint32_t first_file, file_count; /* in mapping.files */
    bool readable;                   /* its files and joins could be read: column names can be judged */
    uint32_t own_columns, column_count;
    struct slice columns[CSV_COLUMNS_MAX];
    uint32_t join_count;
    struct mapping_join joins[MAPPING_JOINS_MAX];
    uint32_t replace_count, replace_cap;
    struct mapping_replace *replaces;
    uint32_t event_count;
    struct mapping_event *events;
    uint32_t plan_count;
    struct mapping_plan_item plan[MAPPING_PLAN_ITEMS_MAX];
};

struct mapping {
    struct yaml_doc doc; /* the texts of the compiled mapping live here */
    char *folder;        /* of the mapping file */
    struct buf tenant_text;
    struct slice tenant, source, zone_name;
    struct zone zone;
    bool has_currency, in_minor;
    struct slice currency;
    unsigned exponent; /* of the currency */
    const struct yaml_node *plan;
    struct mapping_file files[MAPPING_FILES_MAX];
    uint32_t file_count;
    struct mapping_entry *entries[MAPPING_ENTRIES_MAX];
    uint32_t entry_count;
};

struct mapping_loader {
    struct mapping *mapping;
    struct mapping_places places;
    struct findings *findings;
};

void *mapping_alloc(size_t count, size_t size); /* zeroed; aborts without memory */

/* mapping_files.c: opens the files of an entry and its joins, fills the columns. False: findings say why. */
bool mapping_files_open(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node);
bool mapping_join_open(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node);
void mapping_files_close(struct mapping *mapping);
void mapping_join_close(struct mapping_join *join);
uint32_t mapping_column(const struct mapping_entry *entry, struct slice name); /* MAPPING_NO_COLUMN */

/* mapping_load_entry.c */
void mapping_load_entry(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node);

/* mapping_value.c */
bool mapping_value_compile(struct mapping_loader *loader, const struct mapping_entry *entry,
                           const struct yaml_node *node, bool product_allowed, struct mapping_value *value);
void mapping_value_close(struct mapping_value *value);
static inline bool mapping_value_given(const struct mapping_value *value) { return value->count > 0; }
/* The value as text, appended to out. Templates only. */
void mapping_value_text(const struct mapping_value *value, const struct mapping_row *row, struct buf *out);
/* The value as a decimal. False: it is none. *absent: a column of it is empty. */
bool mapping_value_decimal(const struct mapping_value *value, const struct mapping_row *row, struct buf *scratch,
                           struct decimal *decimal, bool *absent);

/* mapping_filter.c: the `if` of an event (semantics 1.4), compiled against the entry's columns. */
struct mapping_filter *mapping_filter_compile(struct mapping_loader *loader, const struct mapping_entry *entry,
                                              const struct yaml_node *node);
void mapping_filter_destroy(struct mapping_filter **filter);
bool mapping_filter_holds(const struct mapping_filter *filter, const struct mapping_row *row);

/* mapping_time.c: an instant or a date as the files write them. `format`: empty, or %Y %m %d %H %M %S and literals. */
bool mapping_time_parse(const struct zone *zone, const char *format, struct slice text, int64_t *instant_ms,
                        int32_t *day);
bool mapping_time_format_ok(struct slice format);

/* mapping_event.c: one event of one row as JSON. */
bool mapping_is_number(enum event_field_kind kind);
struct mapping_fault {
    const char *reason; /* NULL: none */
    char text[256];
};
struct mapping_draft {
    int64_t at_ms, recorded_ms, source_seq, net_amount;
    bool has_recorded, has_net;
    size_t id, id_bytes; /* in text */
    size_t text;         /* JSON: what stands before `lines`, between them and net_amount, and behind */
    size_t head_bytes, middle_bytes, tail_bytes;
    struct buf lines; /* the items of `lines`, comma separated */
    uint32_t line_count;
};
bool mapping_event_at(const struct mapping *mapping, const struct mapping_entry *entry,
                      const struct mapping_event *event, const struct mapping_row *row, struct buf *scratch,
                      int64_t *at_ms, struct mapping_fault *fault);
bool mapping_event_write(const struct mapping *mapping, const struct mapping_entry *entry, uint32_t number,
                         const struct mapping_row *row, struct buf *scratch, struct buf *out,
                         struct mapping_draft *draft, struct mapping_fault *fault);
bool mapping_event_add_line(const struct mapping *mapping, const struct mapping_event *event,
                            const struct mapping_row *row, struct buf *scratch, struct mapping_draft *draft,
                            struct mapping_fault *fault);

/* mapping_plan.c */
void mapping_plan_load(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node);
struct mapping_plan_texts {
    struct buf sections[4];
    struct intern seen;
};
void mapping_plan_add(const struct mapping_entry *entry, const struct mapping_row *row, struct buf *scratch,
                      struct mapping_plan_texts *texts);
void mapping_plan_write(const struct mapping *mapping, struct mapping_plan_texts *texts, struct buf *out);
void mapping_plan_texts_close(struct mapping_plan_texts *texts);

#endif
