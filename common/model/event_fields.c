/* event_fields.c -- the tables made from event_fields.def. See event.h. */
#include "model/event_internal.h"

#include <assert.h>

#define NEED_required .required = true
#define NEED_optional .required = false
#define NEED_plain    .plain = true

/* Symbol lists first, then the tables that name them. */
#define RECORD(T, name, first)
#define FIELD(T, U, name, kind, need)
#define S(prefix, symbol)                    #symbol,
#define SYMBOLS(T, U, name, kind, need, ...) static const char *const T##_##U##_names[] = {__VA_ARGS__ NULL};
#define RECORD_END(T)
#define ITEM(K, name)
#define ITEM_FIELD(K, U, name, kind, need)
#define ITEM_END(K)
#include "model/event_fields.def"

static const char *const op_names[] = {"assert", "correct", "retract", NULL};
static const char *const provenance_names[] = {"user", "system", "import", "bulk", NULL};
static const char *const flag_names[] = {"assumed_time", NULL};

#define ENVELOPE                                                                                                       \
    {"tenant", FIELD_TENANT, NEED_required}, {"event_id", FIELD_ID, NEED_required},                                    \
        {"source", FIELD_ID, NEED_required}, {"source_seq", FIELD_COUNT, NEED_required},                               \
        {"occurred_at", FIELD_INSTANT, NEED_required}, {"recorded_at", FIELD_INSTANT, NEED_optional},                  \
        {"actor_id", FIELD_ID, NEED_optional}, {"op", FIELD_ENUM, .symbols = op_names, NEED_plain},                    \
        {"corrects", FIELD_ID, NEED_optional}, {"causation_id", FIELD_ID, NEED_optional},                              \
        {"correlation_id", FIELD_ID, NEED_optional},                                                                   \
        {"provenance", FIELD_ENUM, .symbols = provenance_names, NEED_plain},                                           \
        {"flags", FIELD_FLAGS, .symbols = flag_names, NEED_plain},

#define FIRST_0
#define FIRST_EV_PAYLOAD                     ENVELOPE
#define RECORD(T, name, first)               static const struct event_field T##_fields[] = {FIRST_##first
#define FIELD(T, U, name, kind, need)        {#name, FIELD_##kind, NEED_##need},
#define SYMBOLS(T, U, name, kind, need, ...) {#name, FIELD_##kind, .symbols = T##_##U##_names, NEED_##need},
#define RECORD_END(T)                                                                                                  \
    }                                                                                                                  \
    ;
#define ITEM(K, name)                      static const struct event_field K##_item_fields[] = {
#define ITEM_FIELD(K, U, name, kind, need) {#name, FIELD_##kind, NEED_##need},
#define ITEM_END(K)                                                                                                    \
    }                                                                                                                  \
    ;
#include "model/event_fields.def"

static const struct {
    const char *name;
    const struct event_field *fields;
    size_t count;
} types[EVENT_TYPE_COUNT] = {
#define RECORD(T, name, first) [EVENT_##T] = {#name, T##_fields, T##_FIELD_COUNT},
#define FIELD(T, U, name, kind, need)
#define SYMBOLS(T, U, name, kind, need, ...)
#define RECORD_END(T)
#define ITEM(K, name)
#define ITEM_FIELD(K, U, name, kind, need)
#define ITEM_END(K)
#include "model/event_fields.def"
};

#define RECORD(T, name, first)
#define FIELD(T, U, name, kind, need)
#define SYMBOLS(T, U, name, kind, need, ...)
#define RECORD_END(T)                                                                                                  \
    _Static_assert((int)T##_FIELD_COUNT <= (int)EVENT_FIELDS_MAX - 1 && (int)T##_FIELD_COUNT <= (int)AVRO_FIELDS_MAX,  \
                   "too many fields");                                                                                 \
    _Static_assert(sizeof(T##_fields) / sizeof(T##_fields[0]) == (size_t)T##_FIELD_COUNT, "constants and table "       \
                                                                                          "differ");
#define ITEM(K, name)
#define ITEM_FIELD(K, U, name, kind, need)
#define ITEM_END(K) _Static_assert((int)K##_FIELD_COUNT <= (int)EVENT_ITEM_FIELDS_MAX, "too many fields of an item");
#include "model/event_fields.def"

const struct event_field *event_fields(enum event_type type, size_t *count)
{
    assert(type < EVENT_TYPE_COUNT);
    *count = types[type].count;
    return types[type].fields;
}

const struct event_field *event_item_fields(enum event_field_kind kind, size_t *count)
{
    static const struct {
        enum event_field_kind kind;
        size_t count;
        const struct event_field *fields;
    } items[] = {
        {FIELD_SPLITS, SPLITS_FIELD_COUNT, SPLITS_item_fields},
        {FIELD_LINES, LINES_FIELD_COUNT, LINES_item_fields},
        {FIELD_DIGESTS, DIGESTS_FIELD_COUNT, DIGESTS_item_fields},
        {FIELD_POSITIONS, POSITIONS_FIELD_COUNT, POSITIONS_item_fields},
    };
    *count = 0;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        if (items[i].kind == kind) {
            *count = items[i].count;
            return items[i].fields;
        }
    return NULL;
}

const char *event_type_name(enum event_type type) { return type < EVENT_TYPE_COUNT ? types[type].name : "none"; }

bool event_type_of(struct slice name, enum event_type *type)
{
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++)
        if (slice_is(name, types[i].name)) {
            *type = (enum event_type)i;
            return true;
        }
    return false;
}

int event_field_of(enum event_type type, struct slice name)
{
    assert(type < EVENT_TYPE_COUNT);
    for (size_t i = 0; i < types[type].count; i++)
        if (slice_is(name, types[type].fields[i].name))
            return (int)i;
    return -1;
}

int event_symbol_of(const struct event_field *field, struct slice name)
{
    for (int i = 0; field->symbols && field->symbols[i]; i++)
        if (slice_is(name, field->symbols[i]))
            return i;
    return -1;
}

const uint8_t event_storages[FIELD_POSITIONS + 1] = {
    [FIELD_ID] = STORE_TEXT,       [FIELD_PLAN_ID] = STORE_TEXT,   [FIELD_TENANT] = STORE_TEXT,
    [FIELD_TEXT] = STORE_TEXT,     [FIELD_LONG] = STORE_TEXT,      [FIELD_NAME] = STORE_TEXT,
    [FIELD_INT] = STORE_INT,       [FIELD_COUNT] = STORE_INT,      [FIELD_ONE] = STORE_INT,
    [FIELD_MONEY] = STORE_INT,     [FIELD_PRICE] = STORE_INT,      [FIELD_QTY] = STORE_INT,
    [FIELD_LAT] = STORE_INT,       [FIELD_LON] = STORE_INT,        [FIELD_INSTANT] = STORE_INT,
    [FIELD_DATE] = STORE_INT,      [FIELD_BOOL] = STORE_BOOL,      [FIELD_ENUM] = STORE_INT,
    [FIELD_CURRENCY] = STORE_TEXT, [FIELD_FLAGS] = STORE_LIST,     [FIELD_SPLITS] = STORE_LIST,
    [FIELD_LINES] = STORE_LIST,    [FIELD_ATTRS] = STORE_LIST,     [FIELD_SPEC] = STORE_TEXT,
    [FIELD_DIGESTS] = STORE_LIST,  [FIELD_SEQS] = STORE_LIST,      [FIELD_BYTES] = STORE_TEXT,
    [FIELD_ITEM_ID] = STORE_TEXT,  [FIELD_MS] = STORE_INT,         [FIELD_PPM] = STORE_INT,
    [FIELD_RAW] = STORE_TEXT,      [FIELD_POSITIONS] = STORE_LIST,
};
