/* plan_schema.h -- what a plan item may say: one table of keys per kind (formats 1.2, 1.3; semantics 5.1, 8.1).
 *
 * The same table drives the check of a YAML file (every error with its place), the check of a spec at the door, the
 * canonical spec that a plan record carries, and the help. Form only: whether what an item names exists is judged by
 * who knows the other items (plan files, plan_org.c). Pure. */
#ifndef MODEL_PLAN_SCHEMA_H
#define MODEL_PLAN_SCHEMA_H

#include "base/buf.h"
#include "base/yaml.h"
#include "model/filter_expr.h"

enum plan_type {
    TYPE_TEXT, /* <= 256 bytes */
    TYPE_ID,
    TYPE_PLAN_ID,
    TYPE_NODE, /* plan id or rep:<id> */
    TYPE_TENANT,
    TYPE_ZONE,
    TYPE_CURRENCY,
    TYPE_WEEKDAY,
    TYPE_DURATION, /* elapsed or working */
    TYPE_ELAPSED,
    TYPE_HISTORY, /* 100d to 3660d */
    TYPE_IDLE,    /* duration or off */
    TYPE_DWELL,   /* duration, auto or off */
    TYPE_BOOL,
    TYPE_INT,    /* >= 0 */
    TYPE_NUMBER, /* decimal */
    TYPE_AUTO,   /* decimal or auto */
    TYPE_PRICE,  /* money with at most 4 decimals, >= 0 */
    TYPE_PERCENT,
    TYPE_POINTS,
    TYPE_TAIL, /* percent or off */
    TYPE_WORD, /* one of words */
    TYPE_WHEN, /* date or instant */
    TYPE_PERIOD,
    TYPE_FILTER,     /* over the rows of the map's `from` */
    TYPE_VALUE,      /* count, sum FIELD, distinct FIELD */
    TYPE_FIELDS,     /* list of row fields */
    TYPE_TARGET,     /* money, number, duration or percent, >= 0 or not */
    TYPE_AMOUNT_DUE, /* duration, or FIELD with + or - a duration */
    TYPE_RISK,       /* percent, duration or off */
    TYPE_TIME,
    TYPE_DAY,   /* weekday, or 1..28, -1..-28 */
    TYPE_OWNER, /* lead_owner, rep, actor, manager, person:<id> */
    TYPE_FOR,   /* members, reps, or {nodes: KIND} */
    TYPE_IDS,
    TYPE_PLAN_IDS,
    TYPE_TEXTS,
    TYPE_WORDS,
    TYPE_DURATIONS, /* lists */
    TYPE_WEEK,
    TYPE_DATES,
    TYPE_WORKDAYS,
    TYPE_WEIGHTS,
    TYPE_INTRADAY,
    TYPE_DIM,
    TYPE_SPLIT,
    TYPE_MAP, /* of `keys` */
    TYPE_MAPS /* list of them */
};

struct plan_key {
    const char *name;
    enum plan_type type;
    bool required;
    uint16_t max;                /* items of a list; 0: 1,000 */
    const struct plan_key *keys; /* TYPE_MAP, TYPE_MAPS: ended by a NULL name */
    const char *const *words;    /* TYPE_WORD, TYPE_WORDS: ended by NULL */
    const char *help;
};

struct plan_checker;
struct plan_kind {
    const char *name;    /* of the record: node */
    const char *section; /* of the file: org */
    const char *id_key;  /* key that becomes the record's id; NULL: composed */
    bool keeps_id;       /* the key also stays in the spec */
    const struct plan_key *keys;
    void (*rule)(struct plan_checker *checker, const struct yaml_node *item); /* what keys say together; may be NULL */
};
/* In the order of the symbols PLAN_KIND_... */
extern const struct plan_kind plan_kinds[];
enum { PLAN_KINDS = 11 };
const struct plan_kind *plan_kind_of(struct slice name); /* NULL */
/* Keys of an item: those of its kind and, of rules, of its rule kind. NULL-terminated list of at most 3 tables. */
void plan_keys_of(const struct plan_kind *kind, const struct yaml_node *item, const struct plan_key *tables[static 4]);
const struct plan_key *plan_find_key(const struct plan_key *const tables[], struct slice name); /* NULL */

/* Where errors go. column_shift: bytes into the text of `at` (filters). */
typedef void plan_report(void *context, const struct yaml_node *at, uint32_t column_shift, bool at_key,
                         const char *code, const char *text);
struct plan_checker {
    plan_report *report;
    void *context;
    bool json;                         /* a spec: texts must be quoted, numbers must not */
    const struct filter_row_type *row; /* of the pattern or measure at hand; NULL: unknown */
    uint32_t errors;
};
/* Checks one item. `extra`: names allowed besides (id, valid_from, reason, approver of a file), ended by NULL. */
bool plan_check_item(struct plan_checker *checker, const struct plan_kind *kind, const struct yaml_node *item,
                     const char *const *extra);
/* Canonical spec of an item that was checked: keys sorted bytewise, texts as texts, numbers as numbers. */
void plan_write_spec(const struct plan_kind *kind, const struct yaml_node *item, struct buf *out);

/* For the rules of kinds. */
void plan_error(struct plan_checker *checker, const struct yaml_node *at, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool plan_value_check(struct plan_checker *checker, const struct plan_key *key, const struct yaml_node *node);
bool plan_check_map(struct plan_checker *checker, const struct plan_key *const tables[], const struct yaml_node *map,
                    const char *const *extra);
bool plan_is_bare(enum plan_type type, struct slice text); /* written as a number or boolean */

/* Digits behind the point of a currency of ISO 4217; -1: no such currency. */
int plan_currency_digits(struct slice code);
extern const char plan_currencies[]; /* "AED2AFN2...": code and digits, sorted */

#endif
