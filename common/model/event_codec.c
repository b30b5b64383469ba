/* event_codec.c -- events as Avro: the compiled schemas, encoding, the machines' fast decoding, body hashes. See
 * event.h. */
#include "model/event_internal.h"

#include <assert.h>
#include <stdlib.h>

#include <xxhash.h>

#include "avro/canonical.h"
#include "schema_texts.h"

_Static_assert(sizeof(struct event_value) == sizeof(struct avro_slot) &&
                   offsetof(struct event_value, i) == offsetof(struct avro_slot, i) &&
                   offsetof(struct event_value, s) == offsetof(struct avro_slot, s) &&
                   (int)EVENT_FIELDS_MAX == (int)AVRO_SLOTS,
               "event values are walked into as slots");

static const char *schema_text(const char *name)
{
    for (const struct schema_text *text = schema_texts; text->name; text++)
        if (strcmp(text->name, name) == 0)
            return text->json;
    return NULL;
}

/* Slots are fields by place: table and schema must agree. (The full comparison is a test's.) */
static bool compile(struct event_codec *codec, enum event_type type, struct err *err)
{
    const char *text = schema_text(event_type_name(type));
    size_t count;
    const struct event_field *fields = event_fields(type, &count);
    if (!text || !(codec->programs[type] = avro_program_compile(slice_of(text), err)))
        return text ? false : (err_set(err, ERR_BUG, "no schema %s", event_type_name(type)), false);
    bool same = avro_program_field_count(codec->programs[type]) == count;
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(avro_program_field_name(codec->programs[type], i), fields[i].name) == 0;
    if (!same)
        (void)err_set(err, ERR_BUG, "schema %s and event_fields.def differ", event_type_name(type));
    return same;
}

struct event_codec *event_codec_new(struct err *err)
{
    struct event_codec *codec = calloc(1, sizeof *codec);
    assert(codec);
    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++)
        if (!compile(codec, (enum event_type)type, err)) {
            event_codec_destroy(&codec);
            return NULL;
        }
    return codec;
}

void event_codec_destroy(struct event_codec **codec)
{
    if (!*codec)
        return;
    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++)
        avro_program_destroy(&(*codec)->programs[type]);
    buf_close(&(*codec)->temp);
    free(*codec);
    *codec = NULL;
}

void event_codec_set_plan_check(struct event_codec *codec, event_plan_check check) { codec->plan_check = check; }

uint64_t event_codec_fingerprint(const struct event_codec *codec, enum event_type type)
{
    assert(type < EVENT_TYPE_COUNT);
    return avro_program_fingerprint(codec->programs[type]);
}

uint64_t event_codec_ledger_schema(const struct event_codec *codec)
{
    uint64_t all[EVENT_TYPE_COUNT];
    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++)
        all[type] = avro_program_fingerprint(codec->programs[type]);
    return XXH3_64bits(all, sizeof all);
}

enum event_type event_type_of_fingerprint(const struct event_codec *codec, uint64_t fingerprint)
{
    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++)
        if (avro_program_fingerprint(codec->programs[type]) == fingerprint)
            return (enum event_type)type;
    return EVENT_TYPE_NONE;
}

enum { NUMBER_BYTES_MAX = 10, FIELD_BYTES_MAX = 1 + NUMBER_BYTES_MAX + 1 };

static uint8_t *put_long(uint8_t *p, int64_t value)
{
    uint64_t v = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_bytes(uint8_t *p, struct slice bytes)
{
    if (bytes.n > 0)
        memcpy(p, bytes.p, bytes.n);
    return p + bytes.n;
}

/* event_value_add into room that was reserved. */
static uint8_t *put_value(uint8_t *p, enum event_field_kind kind, const struct event_value *value)
{
    switch (event_storage(kind)) {
    case STORE_INT:
        return put_long(p, value->i);
    case STORE_BOOL:
        *p = value->i != 0;
        return p + 1;
    case STORE_TEXT:
        return put_bytes(put_long(p, (int64_t)value->s.n), value->s);
    case STORE_LIST:
        break;
    }
    if (value->i > 0)
        p = put_bytes(put_long(p, value->i), value->s);
    *p = 0;
    return p + 1;
}

/* Room for all of it: lengths of what is present, and the most that heads and numbers take. */
static size_t bytes_at_most(const struct event *event, const struct event_field *fields, size_t count)
{
    size_t n = count * FIELD_BYTES_MAX;
    for (uint64_t left = event->present & ((UINT64_C(1) << count) - 1); left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (event_storage(fields[i].kind) >= STORE_TEXT)
            n += event->v[i].s.n;
    }
    return n;
}

/* The datum without the fields in `left_out`. */
static void encode(const struct event *event, uint64_t left_out, struct buf *out)
{
    static const struct event_value absent = {0};
    size_t count;
    const struct event_field *fields = event_fields(event->type, &count);
    buf_reserve(out, bytes_at_most(event, fields, count));
    uint8_t *p = out->p + out->n;
    for (size_t i = 0; i < count; i++) {
        bool present = event_has(event, (unsigned)i);
        if (left_out >> i & 1)
            continue;
        if (event_is_union(&fields[i]))
            *p++ = present ? 2 : 0;
        if (present || !event_is_union(&fields[i]))
            p = put_value(p, fields[i].kind, present ? &event->v[i] : &absent);
    }
    out->n = (size_t)(p - out->p);
}

void event_encode(const struct event_codec *codec, const struct event *event, struct buf *out)
{
    (void)codec;
    encode(event, 0, out);
}

void event_encode_single(const struct event_codec *codec, const struct event *event, struct buf *out)
{
    avro_single_begin(out, event_codec_fingerprint(codec, event->type));
    encode(event, 0, out);
}

/* Behind a number of the canonical datum that stands at p. */
static const char *behind_number(const char *p)
{
    while ((uint8_t)*p++ & 0x80) {
    }
    return p;
}

/* Behind an optional text of the datum whose branch stands at p. */
static const char *behind_text(const struct event *event, unsigned field, const char *p)
{
    return event_has(event, field) ? event->v[field].s.p + event->v[field].s.n : p + 1;
}

/* What encode() would write without the four fields, cut out of the canonical datum in four pieces. The envelope's
 * fields and their order are the same for ever (event_fields.def), so the places are known without another walk. */
static void cut_out(const struct event *event, struct buf *out)
{
    struct slice datum = event->datum;
    const char *source_seq = event->v[EV_SOURCE].s.p + event->v[EV_SOURCE].s.n;
    const char *occurred_at = behind_number(source_seq);
    const char *recorded_at = behind_number(occurred_at);
    const char *actor_id = event_has(event, EV_RECORDED_AT) ? behind_number(recorded_at + 1) : recorded_at + 1;
    const char *op = behind_text(event, EV_ACTOR_ID, actor_id);
    const char *causation_id = behind_text(event, EV_CORRECTS, behind_number(op));
    const char *correlation_id = behind_text(event, EV_CAUSATION_ID, causation_id);
    const char *provenance = behind_text(event, EV_CORRELATION_ID, correlation_id);
    buf_reserve(out, datum.n);
    uint8_t *p = out->p + out->n;
    p = put_bytes(p, slice_make(datum.p, (size_t)(source_seq - datum.p)));
    p = put_bytes(p, slice_make(occurred_at, (size_t)(recorded_at - occurred_at)));
    p = put_bytes(p, slice_make(actor_id, (size_t)(causation_id - actor_id)));
    p = put_bytes(p, slice_make(provenance, (size_t)(datum.p + datum.n - provenance)));
    out->n = (size_t)(p - out->p);
}

struct hash128 event_body_hash(const struct event_codec *codec, const struct event *event, struct buf *scratch)
{
    (void)codec;
    const uint64_t left_out = UINT64_C(1) << EV_RECORDED_AT | UINT64_C(1) << EV_SOURCE_SEQ |
                              UINT64_C(1) << EV_CAUSATION_ID | UINT64_C(1) << EV_CORRELATION_ID;
    size_t start = scratch->n;
    if (event->datum.n && event_has_envelope(event->type))
        cut_out(event, scratch);
    else
        encode(event, event_has_envelope(event->type) ? left_out : 0, scratch);
    XXH128_hash_t hash = XXH3_128bits(scratch->p + start, scratch->n - start);
    scratch->n = start;
    return (struct hash128){hash.low64, hash.high64};
}

/* Plain fields are readable whether present or not; present says that they differ from their default. */
static uint64_t without_defaults(enum event_type type, const struct event *event, uint64_t present)
{
    if (!event_has_envelope(type))
        return present;
    static const uint8_t plain[] = {EV_OP, EV_PROVENANCE, EV_FLAGS};
    for (size_t i = 0; i < sizeof plain; i++)
        if (event->v[plain[i]].i == 0)
            present &= ~(UINT64_C(1) << plain[i]);
    return present;
}

enum avro_fault event_walk(const struct event_codec *codec, enum event_type type, struct slice datum, bool trusted,
                           struct event *event, struct avro_walk *walk)
{
    /* Straight into the event: walk->present says which values are read. */
    struct avro_slot *slots = (struct avro_slot *)event->v;
    enum avro_fault fault = avro_program_walk(codec->programs[type], datum, trusted, slots, walk);
    event->type = type;
    event->present = 0;
    event->datum = (struct slice){NULL, 0};
    if (fault != AVRO_FAULT_NONE)
        return fault;
    event->present = without_defaults(type, event, walk->present);
    return fault;
}

enum err_code event_decode_body(const struct event_codec *codec, enum event_type type, struct slice body,
                                struct event *event, struct err *err)
{
    if (type >= EVENT_TYPE_COUNT)
        return err_set(err, ERR_CORRUPT, "ledger body: no event type %u", (unsigned)type);
    struct avro_walk walk;
    if (event_walk(codec, type, body, true, event, &walk) != AVRO_FAULT_NONE)
        return err_set(err, ERR_CORRUPT, "ledger body of a %s: %s at byte %zu", event_type_name(type), walk.fault,
                       walk.fault_offset);
    if (!walk.canonical)
        return err_set(err, ERR_CORRUPT, "ledger body of a %s is not canonical", event_type_name(type));
    event->datum = body;
    return OK;
}
