/* event.h -- the events of a sales process as typed fields (semantics 1, formats 3), decoded without copying.
 *
 * One table (event_fields.def) says which fields a type has, in the order of formats.md = order of the Avro schema =
 * order of canonical JSON; JSON, Avro and the checks of the door are all driven by it. */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "base/buf.h"
#include "base/err.h"
#include "ledger/block.h"

enum event_type {
    EVENT_VISIT,
    EVENT_ORDER,
    EVENT_LEAD,
    EVENT_FACT,
    EVENT_PLAN,
    EVENT_ACTION,
    EVENT_CONTROL,
    EVENT_ALERT,
    EVENT_ATTEST,
    EVENT_REJECT,      /* ledger body and value of sales.rejects; no envelope */
    EVENT_LEDGER_TICK, /* body of a tick; no envelope */
    EVENT_TYPE_COUNT,
    EVENT_TYPE_NONE = 255
};

enum event_field_kind {
    FIELD_ID,      /* 1..64 bytes, no control characters, not personal */
    FIELD_PLAN_ID, /* an id without / @ = | { } ", not reserved */
    FIELD_TENANT,  /* A-Z a-z 0-9 . _ - */
    FIELD_TEXT,    /* <= 256 bytes */
    FIELD_LONG,    /* text <= 64 KiB (plan spec, resolved: canonical JSON text; alert inputs) */
    FIELD_NAME,    /* [a-z][a-z0-9_]{0,31} */
    FIELD_INT,
    FIELD_COUNT, /* int >= 0 */
    FIELD_ONE,   /* int >= 1 (revision) */
    FIELD_MONEY, /* |x| <= 10^15 minor units */
    FIELD_PRICE, /* 1e-6 of the currency unit */
    FIELD_QTY,   /* 1e-3 of a unit */
    FIELD_LAT,   /* degrees x 10^7; decimal in JSON */
    FIELD_LON,
    FIELD_INSTANT, /* ms UTC */
    FIELD_DATE,    /* days since 1970-01-01 */
    FIELD_BOOL,
    FIELD_ENUM,
    FIELD_CURRENCY, /* three capital letters */
    FIELD_FLAGS,    /* list of enum symbols */
    FIELD_SPLITS,
    FIELD_LINES,
    FIELD_ATTRS,
    FIELD_SPEC,     /* JSON object; in Avro its canonical text */
    FIELD_DIGESTS,  /* attest: list of {tenant, tenant_seq, digest} */
    FIELD_SEQS,     /* list of ints (alert cause_seqs) */
    FIELD_BYTES,    /* `private`: no machine reads it; not part of JSON */
    FIELD_ITEM_ID,  /* plan `id`: by kind a plan id, an id, or composed; <= 200 bytes (rulings O9) */
    FIELD_MS,       /* ms UTC, written as an integer in JSON too (alerts) */
    FIELD_PPM,      /* 0..10^6 (splits) */
    FIELD_RAW,      /* rejects: JSON `raw` when UTF-8, else `raw_base64` */
    FIELD_POSITIONS /* ledger_tick: list of {topic, position, accepted, duplicate, rejected} */
};

enum {
    EVENT_FIELDS_MAX = 56,
    EVENT_SPLITS_MAX = 100,
    EVENT_LINES_MAX = 5000,
    EVENT_ATTRS_MAX = 32,
    EVENT_BYTES_MAX = 1024 * 1024
};

/* Envelope: the first fields of visit, order, lead, fact, plan, action and control. (tenant and event_id are also the
 * first two fields of an alert.) */
enum event_envelope_field {
    EV_TENANT,
    EV_EVENT_ID,
    EV_SOURCE,
    EV_SOURCE_SEQ,
    EV_OCCURRED_AT,
    EV_RECORDED_AT,
    EV_ACTOR_ID,
    EV_OP,
    EV_CORRECTS,
    EV_CAUSATION_ID,
    EV_CORRELATION_ID,
    EV_PROVENANCE,
    EV_FLAGS,
    EV_PAYLOAD /* index of the type's first own field */
};

enum event_op { OP_ASSERT, OP_CORRECT, OP_RETRACT };
enum event_provenance { PROVENANCE_USER, PROVENANCE_SYSTEM, PROVENANCE_IMPORT, PROVENANCE_BULK };

/* Field tables know three needs: required; optional (absent unless its bit is set); plain: op, provenance and the
 * envelope's flags, whose value is always readable in v[] (0 = assert, user, no flags) and whose bit is set only when
 * it differs from that default.
 *
 * A value: .i for numbers, instants, dates, booleans, enum indices and list lengths; .s for texts and, of lists, the
 * encoded Avro items (iterate with event_splits_next ...). Meaningful only if its bit in `present` is set. */
struct event_value {
    int64_t i;
    struct slice s;
};

struct event {
    enum event_type type;
    uint64_t present;   /* bit n: field n of the type's table is there */
    struct slice datum; /* the canonical Avro datum it was decoded from, if it was one, else empty. event_encode does
                         * not look at it; who changes a decoded event must not use it any more */
    struct event_value v[EVENT_FIELDS_MAX];
};

static inline bool event_has(const struct event *event, unsigned field) { return event->present >> field & 1; }

/* The table. */
struct event_field {
    const char *name;
    enum event_field_kind kind;
    bool required;
    const char *const *symbols; /* FIELD_ENUM and FIELD_FLAGS: NULL-terminated */
    bool plain;                 /* no union in Avro, but may be left out: see struct event */
};
const struct event_field *event_fields(enum event_type type, size_t *count);
const char *event_type_name(enum event_type type);
bool event_type_of(struct slice name, enum event_type *type);
int event_field_of(enum event_type type, struct slice name); /* -1: no such field */
/* Items of FIELD_SPLITS, FIELD_LINES, FIELD_DIGESTS, FIELD_POSITIONS; NULL for other kinds. */
const struct event_field *event_item_fields(enum event_field_kind kind, size_t *count);
int event_symbol_of(const struct event_field *field, struct slice name); /* -1: no such symbol */

/* Setters for those who build events: value and bit together. */
static inline void event_set_int(struct event *event, unsigned field, int64_t value)
{
    event->v[field].i = value;
    event->present |= UINT64_C(1) << field;
}
static inline void event_set_text(struct event *event, unsigned field, struct slice text)
{
    event->v[field].s = text;
    event->present |= UINT64_C(1) << field;
}
/* items as built by event_..._add, borrowed */
static inline void event_set_list(struct event *event, unsigned field, struct slice items, int64_t count)
{
    event->v[field] = (struct event_value){count, items};
    event->present |= UINT64_C(1) << field;
}

/* Own fields: enum constants VISIT_VISIT_ID, LEAD_ACTION, ORDER_REVISION, FACT_KIND, PLAN_KIND, CONTROL_CONTROL,
 * ALERT_N, ATTEST_SEQ ... = index in event.v, and enum symbols LEAD_ACTION_created ..., from event_fields.def. */
#include "model/event_fields.h"

/* Reject reasons of formats 6, in the order in which they are checked. */
#define REJECT_REASONS(X)                                                                                              \
    X(too_large)                                                                                                       \
    X(bad_avro)                                                                                                        \
    X(unknown_schema)                                                                                                  \
    X(bad_utf8)                                                                                                        \
    X(too_deep)                                                                                                        \
    X(bad_json)                                                                                                        \
    X(duplicate_key)                                                                                                   \
    X(not_object)                                                                                                      \
    X(missing_field)                                                                                                   \
    X(unknown_type)                                                                                                    \
    X(wrong_topic)                                                                                                     \
    X(unknown_field)                                                                                                   \
    X(bad_type)                                                                                                        \
    X(bad_enum)                                                                                                        \
    X(bad_id)                                                                                                          \
    X(personal_id)                                                                                                     \
    X(bad_time)                                                                                                        \
    X(bad_currency)                                                                                                    \
    X(out_of_range)                                                                                                    \
    X(too_many)                                                                                                        \
    X(time_past)                                                                                                       \
    X(time_future)                                                                                                     \
    X(bad_splits) X(sum_mismatch) X(wrong_tenant) X(plan_invalid) X(backfill_refused) X(backfill_running) X(conflict)
enum reject_reason {
    REJECT_NONE,
#define X(name) REJECT_##name,
    REJECT_REASONS(X)
#undef X
        REJECT_REASON_COUNT
};
const char *reject_reason_name(enum reject_reason reason);
bool reject_reason_of(struct slice name, enum reject_reason *reason);

struct reject {
    enum reject_reason reason;
    char field[96];      /* name of the field at fault, empty if none */
    char text[256];      /* what is wrong, what is expected */
    struct slice tenant; /* the record's tenant if it could be read, else empty */
};

/* The door. Decodes raw bytes of any accepted encoding (C3 01 + fingerprint + Avro, canonical JSON) and checks form:
 * everything of formats 6 down to plan_invalid except what needs state. `topics` = set of event types that belong to
 * the topic (bit per type). The event borrows from `value` and `scratch` (JSON, non-canonical Avro),
 * which is cleared first. */
struct event_codec;
struct event_codec *event_codec_new(struct err *err); /* compiles the committed schemas; NULL on a bug */
void event_codec_destroy(struct event_codec **codec);
/* The form of a plan item (plan_item_check of model/plan.h has this signature); without one plan items are not
 * checked beyond their fields. */
typedef bool (*event_plan_check)(struct slice kind, struct slice id, struct slice spec, struct slice resolved,
                                 bool ended, char *text, size_t text_size);
void event_codec_set_plan_check(struct event_codec *codec, event_plan_check check);
uint64_t event_codec_fingerprint(const struct event_codec *codec, enum event_type type); /* CRC-64-AVRO of a schema */
uint64_t event_codec_ledger_schema(const struct event_codec *codec); /* one fingerprint over all body schemas */

struct event_origin {
    struct slice key; /* record key; must equal the tenant and hash to the partition */
    uint32_t partition;
    uint32_t partitions;
    int64_t arrival_ms;   /* append time of the raw record */
    uint32_t topic_types; /* bit per event_type allowed here */
    bool check_key;       /* false for files checked offline */
};
/* Partition of a key as Java clients choose it: (murmur2(key) & 0x7fffffff) mod partitions. */
uint32_t event_partition(struct slice key, uint32_t partitions);
bool event_tenant_valid(struct slice tenant); /* the form of a tenant's name (formats 0) */

enum reject_reason event_decode(struct event_codec *codec, struct slice value, const struct event_origin *origin,
                                struct event *event, struct buf *scratch, struct reject *reject);

/* Canonical Avro datum (no header) of an event: the ledger's body. Appends to out. */
void event_encode(const struct event_codec *codec, const struct event *event, struct buf *out);
/* Single-object encoding: C3 01, fingerprint, datum. */
void event_encode_single(const struct event_codec *codec, const struct event *event, struct buf *out);
/* Decodes a ledger body. Bounds-checked; ERR_CORRUPT means a bug or damage, never the sender's fault. Fast path of
 * the machines: texts are not validated again, values stay slices of the body. */
enum err_code event_decode_body(const struct event_codec *codec, enum event_type type, struct slice body,
                                struct event *event, struct err *err);
/* Canonical JSON of formats 3 (one line, no newline). Appends to out. */
void event_write_json(const struct event_codec *codec, const struct event *event, struct buf *out);

/* XXH3-128 of the canonical Avro without recorded_at, source_seq, causation_id, correlation_id (semantics 0.3); of the
 * datum, if there is one. */
struct hash128 event_body_hash(const struct event_codec *codec, const struct event *event, struct buf *scratch);
/* Event key: XXH3-64 (seed 0) of event_id (semantics 0.2). */
uint64_t event_key(const struct event *event);
/* recorded_at, never before occurred_at, default occurred_at (rulings O2). */
int64_t event_recorded_at(const struct event *event);

/* Lists. Each cursor starts as cursor_of(value.s); false at the end. */
struct event_split {
    struct slice rep_id;
    int64_t ppm;
};
struct event_line {
    struct slice sku, product_group;
    int64_t qty, unit_price, list_price, floor_price, cost, net_amount;
    bool has_product_group, has_unit_price, has_list_price, has_floor_price, has_cost;
};
struct event_attr {
    struct slice name, value;
};
struct event_digest {
    struct slice tenant, digest;
    int64_t tenant_seq;
};
struct event_position {
    struct slice topic;
    int64_t position; /* last offset disposed of; -1: none */
    int64_t accepted, duplicate, rejected;
};
bool event_splits_next(struct cursor *items, struct event_split *split);
bool event_lines_next(struct cursor *items, struct event_line *line);
bool event_attrs_next(struct cursor *items, struct event_attr *attr);
bool event_digests_next(struct cursor *items, struct event_digest *digest);
bool event_positions_next(struct cursor *items, struct event_position *position);
bool event_ints_next(struct cursor *items, int64_t *value); /* flags (symbol index), cause_seqs */
/* Building: appends one item to an encoded item list (value.s = the buffer's bytes, value.i = number of items). */
void event_splits_add(struct buf *items, const struct event_split *split);
void event_lines_add(struct buf *items, const struct event_line *line);
void event_attrs_add(struct buf *items, const struct event_attr *attr);
void event_digests_add(struct buf *items, const struct event_digest *digest);
void event_positions_add(struct buf *items, const struct event_position *position);
void event_ints_add(struct buf *items, int64_t value);

#endif
