/* event_internal.h -- shared by the event_*.c files, not for others. */
#ifndef MODEL_EVENT_INTERNAL_H
#define MODEL_EVENT_INTERNAL_H

#include "avro/program.h"
#include "base/json_read.h"
#include "model/event.h"

enum {
    EVENT_TEXT_BYTES_MAX = 256,
    EVENT_ID_BYTES_MAX = 64,
    EVENT_ITEM_ID_BYTES_MAX = 200,
    EVENT_LONG_BYTES_MAX = 64 * 1024,
    EVENT_NAME_BYTES_MAX = 32,
    EVENT_SEQS_MAX = 5,
    EVENT_FLAGS_MAX = 16,
    EVENT_DIGESTS_MAX = 100000,
    EVENT_ITEM_FIELDS_MAX = 8
};
#define EVENT_MONEY_MAX INT64_C(1000000000000000)

/* How a kind is stored: in .i, in .s, or as a list of items. */
enum event_storage { STORE_INT, STORE_BOOL, STORE_TEXT, STORE_LIST };
extern const uint8_t event_storages[FIELD_POSITIONS + 1];
static inline enum event_storage event_storage(enum event_field_kind kind)
{
    return (enum event_storage)event_storages[kind];
}

static inline bool event_is_union(const struct event_field *field) { return !field->required && !field->plain; }
static inline bool event_has_envelope(enum event_type type) { return type <= EVENT_CONTROL; }
/* Types whose first field is the tenant. */
static inline bool event_has_tenant(enum event_type type) { return type <= EVENT_ALERT; }

struct event_codec {
    struct avro_program *programs[EVENT_TYPE_COUNT]; /* one schema a type now; found by fingerprint */
    event_plan_check plan_check;
    struct buf temp; /* of one call */
    /* The last tenant whose name was found good: most events are of the same one. */
    char good_tenant[EVENT_ID_BYTES_MAX];
    size_t good_tenant_bytes;
    uint32_t good_partitions, good_partition; /* partition of that tenant among so many; 0: not asked yet */
};
/* EVENT_TYPE_NONE: no such schema. */
enum event_type event_type_of_fingerprint(const struct event_codec *codec, uint64_t fingerprint);

/* Walks a datum into event (type, present, values; datum stays empty). Values whose bit is not set are left as they
 * were, or hold what was read before a fault. */
enum avro_fault event_walk(const struct event_codec *codec, enum event_type type, struct slice datum, bool trusted,
                           struct event *event, struct avro_walk *walk);

/* Items of list kinds with fields. An item's values, in the order of its fields. */
struct event_item {
    uint32_t present;
    struct event_value v[EVENT_ITEM_FIELDS_MAX];
};
bool event_item_next(struct cursor *items, enum event_field_kind kind, struct event_item *item);
void event_item_add(struct buf *items, enum event_field_kind kind, const struct event_item *item);
void event_value_add(struct buf *out, enum event_field_kind kind, const struct event_value *value);

/* Decoding of one event. */
struct decoding {
    struct event_codec *codec;
    const struct event_origin *origin;
    struct event *event;
    struct buf *scratch;
    struct reject *reject;
};
enum reject_reason event_refuse(struct decoding *d, enum reject_reason reason, struct slice field, const char *format,
                                ...) __attribute__((format(printf, 4, 5)));

/* After a refusal inside item `number` of a list: puts "list[number]." before the field told. */
enum reject_reason event_refuse_inside(struct decoding *d, struct slice list, size_t number);

/* JSON: everything up to and including each field's own form. */
enum reject_reason event_read_json(struct decoding *d, struct slice text);
/* Fields that op, action, phase ... require. */
enum reject_reason event_check_needed(struct decoding *d);
/* The range and form of one value; `name` for the report. */
enum reject_reason event_check_value(struct decoding *d, struct slice name, const struct event_field *field,
                                     struct event_value *value);
/* True: event_check_value would accept it, seen at a glance. False says nothing. */
bool event_value_plain(const struct event *event, enum event_field_kind kind, const struct event_value *value);
/* Times, sums, tenant, plan. */
enum reject_reason event_check_whole(struct decoding *d);
/* Attributes in the order of their names; names twice. Replaces value->s if they were not. *moved: it did. */
enum reject_reason event_sort_attrs(struct decoding *d, struct slice name, struct event_value *value, bool *moved);
/* A JSON text (plan spec) into its canonical form. */
enum reject_reason event_canonical_spec(struct decoding *d, struct slice name, struct json_value json,
                                        struct event_value *value);
bool event_id_valid(struct slice id);

#endif
