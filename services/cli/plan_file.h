/* plan_file.h -- a plan file (formats 1) as a list of plan items, and the plan records that bring a tenant there.
 *
 * Reading checks everything and collects every error with its place: the form of each item by the tables of
 * model/plan_schema.h, then what the items say together (references, tree, memberships, targets), also against the
 * tenant's present plan where one is given. A file with any finding yields no records. The same reader serves
 * `plan check/diff/apply`, the `plan` section of mapping files and scenarios. One owner; texts live as long as it. */
#ifndef CLI_PLAN_FILE_H
#define CLI_PLAN_FILE_H

#include "base/findings.h"
#include "base/intern.h"
#include "base/yaml.h"
#include "model/plan.h"
#include "time/zone.h"

enum {
    PLAN_FILE_ITEMS_MAX = 1000000,
    PLAN_FILE_MEASURES_MAX = 64,
    PLAN_FILE_RULES_MAX = 256,
    PLAN_FILE_OBLIGATIONS_MAX = 64,
    PLAN_FILE_CELLS_MAX = 5000000 /* nodes x stages: published bound of figure cells, rulings O17 */
};
#define PLAN_ZONEINFO "/usr/share/zoneinfo"

/* One item of the file. */
struct plan_draft {
    int kind;                     /* PLAN_KIND_... */
    const struct yaml_node *node; /* its place; of the part of a split: the split */
    struct slice id, spec, resolved, reason, approver;
    int64_t valid_from_ms;
};

struct plan_file {
    struct findings *findings;  /* borrowed */
    const struct plan *current; /* borrowed; NULL: the file stands alone */
    const struct yaml_doc *doc; /* own, or of the caller */
    struct yaml_doc own;
    struct slice tenant; /* id of the tenant item, else as given by the caller */
    struct zone zone;    /* of the tenant: what dates mean */
    int64_t valid_from_ms;
    struct slice reason, approver;
    struct plan_draft *items; /* in file order */
    uint32_t count, cap;
    struct intern texts;   /* of specs, ids ...: never move */
    struct intern ids;     /* kind byte + id, of the file */
    struct intern shipped; /* the same of the shipped items */
};

/* Opens. `tenant` is used where the file has no tenant item (may be empty). OK, or ERR_CONFIG with findings. */
enum err_code plan_file_read(struct plan_file *file, const char *path, struct slice tenant, const struct plan *current,
                             struct findings *findings);
enum err_code plan_file_parse(struct plan_file *file, const char *name, struct slice bytes, struct slice tenant,
                              const struct plan *current, struct findings *findings);
/* A node of another document (mapping, scenario), whose findings it uses. */
enum err_code plan_file_take(struct plan_file *file, const struct yaml_doc *doc, const struct yaml_node *root,
                             struct slice tenant, const struct plan *current);
void plan_file_close(struct plan_file *file);

/* Whether the file, the present plan or the shipped items have such an item. */
bool plan_file_knows(const struct plan_file *file, int kind, struct slice id);
/* Called by reading. plan_file_refs.c; plan_file_split.c: `of` + `split` become one target per child. */
void plan_file_check_refs(struct plan_file *file);
void plan_file_split_targets(struct plan_file *file);
bool plan_file_add(struct plan_file *file, const struct plan_draft *draft); /* false: duplicate_id */
struct slice plan_file_keep(struct plan_file *file, struct slice text);

/* What is no error but worth knowing, a line each: nodes without manager, over- and under-assigned targets. */
void plan_file_notes(const struct plan_file *file, bool zh, struct buf *out);

/* The records that change the present plan into the file's: changed items only, in file order, then (prune_ms >= 0)
 * the end of every item in force that the file leaves out. `at_ms` = occurred_at. */
struct plan_change_event {
    const struct event *event;      /* borrowed until the callback returns */
    const struct plan_item *before; /* version in force there before; NULL: new */
    bool ended;
};
typedef void plan_file_on_change(void *context, const struct plan_change_event *change);
uint32_t plan_file_changes(const struct plan_file *file, int64_t at_ms, const char *source, int64_t prune_ms,
                           plan_file_on_change *on_change, void *context);

/* Hex SHA-256 that names a plan record (formats 3.6). Texts empty where absent. */
void plan_event_id(struct slice corrects, bool ended, struct slice id, const char *kind, struct slice spec,
                   struct slice tenant, int64_t valid_from_ms, char hex[static 65]);
/* `resolved` of a tenant or calendar item: transitions of 1990 to 2100 and digits of currencies. */
enum err_code plan_resolve(struct slice zone_name, struct zone *zone, struct buf *out, struct err *err);

#endif
