/* event_decode.c -- the door: raw bytes of any encoding into a checked event, or the first reason against it. See
 * event.h. */
#include "model/event_internal.h"

#include <assert.h>

#include "avro/canonical.h"

/* What unescaped texts, re-encoded lists and canonical plan items (a DEL becomes 6 bytes) may need, per byte: reserved
 * at once, because the event holds slices of the scratch while it grows. */
enum { SCRATCH_PER_BYTE = 8, SCRATCH_LEAST = 256, CONFLUENT_HEADER_BYTES = 5, SPEC_DEPTH_MAX = JSON_DEPTH_MAX - 1 };

enum reject_reason event_sort_attrs(struct decoding *d, struct slice name, struct event_value *value, bool *moved)
{
    struct event_attr attrs[EVENT_ATTRS_MAX], attr;
    struct cursor items = cursor_of(value->s);
    size_t n = 0;
    *moved = false;
    if (value->i > EVENT_ATTRS_MAX)
        return REJECT_NONE; /* too many: that is told by its check */
    for (; n < EVENT_ATTRS_MAX && event_attrs_next(&items, &attr); n++) {
        size_t at = n;
        for (; at > 0 && slice_cmp(attrs[at - 1].name, attr.name) > 0; at--)
            attrs[at] = attrs[at - 1];
        attrs[at] = attr;
        *moved |= at < n;
        if (at > 0 && slice_eq(attrs[at - 1].name, attr.name))
            return event_refuse(d, REJECT_duplicate_key, name, "a name stands twice in %.*s", SLICE_ARG(name));
    }
    if (!*moved)
        return REJECT_NONE;
    size_t start = d->scratch->n;
    for (size_t i = 0; i < n; i++)
        event_attrs_add(d->scratch, &attrs[i]);
    value->s = slice_make(d->scratch->p + start, d->scratch->n - start);
    return REJECT_NONE;
}

enum reject_reason event_canonical_spec(struct decoding *d, struct slice name, struct json_value json,
                                        struct event_value *value)
{
    size_t start = d->scratch->n;
    if (json.kind != JSON_OBJECT)
        return event_refuse(d, REJECT_bad_type, name, "%.*s is not an object", SLICE_ARG(name));
    buf_clear(&d->codec->temp);
    if (!json_canonical(json, d->scratch, &d->codec->temp))
        return event_refuse(d, REJECT_bad_type, name, "%.*s holds a number with exponent", SLICE_ARG(name));
    value->s = slice_make(d->scratch->p + start, d->scratch->n - start);
    return REJECT_NONE;
}

/* A plan item in Avro is JSON text: canonical already, or made so. */
static enum reject_reason read_spec(struct decoding *d, struct slice name, struct event_value *value, bool *moved)
{
    static const enum reject_reason reasons[] = {[JSON_BAD_UTF8] = REJECT_bad_utf8,
                                                 [JSON_TOO_DEEP] = REJECT_too_deep,
                                                 [JSON_BAD_SYNTAX] = REJECT_bad_json,
                                                 [JSON_DUPLICATE_KEY] = REJECT_duplicate_key};
    size_t offset, start = d->scratch->n;
    struct slice given = value->s;
    enum json_fault fault = json_check(given, SPEC_DEPTH_MAX, &d->codec->temp, &offset);
    if (fault != JSON_OK)
        return event_refuse(d, reasons[fault], name, "%.*s is no JSON at byte %zu", SLICE_ARG(name), offset);
    enum reject_reason reason = event_canonical_spec(d, name, json_value_of(given), value);
    if (reason != REJECT_NONE || !slice_eq(given, value->s)) {
        *moved = true;
        return reason;
    }
    value->s = given;
    d->scratch->n = start;
    return REJECT_NONE;
}

static bool known_tenant(const struct event_codec *codec, struct slice tenant)
{
    return tenant.n > 0 && slice_eq(tenant, slice_make(codec->good_tenant, codec->good_tenant_bytes));
}

static enum reject_reason check_fields(struct decoding *d, bool *moved)
{
    struct event *event = d->event;
    size_t count;
    const struct event_field *fields = event_fields(event->type, &count);
    for (uint64_t left = event->present & ((UINT64_C(1) << count) - 1); left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (event_value_plain(event, fields[i].kind, &event->v[i]) ||
            (i == EV_TENANT && known_tenant(d->codec, event->v[i].s) && event_has_tenant(event->type)))
            continue;
        struct slice name = slice_of(fields[i].name);
        enum reject_reason reason = REJECT_NONE;
        bool here = false;
        if (fields[i].kind == FIELD_ATTRS)
            reason = event_sort_attrs(d, name, &event->v[i], &here);
        else if (fields[i].kind == FIELD_SPEC)
            reason = read_spec(d, name, &event->v[i], &here);
        if (reason == REJECT_NONE)
            reason = event_check_value(d, name, &fields[i], &event->v[i]);
        if (reason != REJECT_NONE)
            return reason;
        *moved |= here;
    }
    return REJECT_NONE;
}

static void note_tenant(struct decoding *d)
{
    struct slice tenant = d->event->v[EV_TENANT].s;
    if (event_has_tenant(d->event->type) && (known_tenant(d->codec, tenant) || event_tenant_valid(tenant)))
        d->reject->tenant = tenant;
}

/* The datum is walked; what is not canonical is written anew and walked again. */
static enum reject_reason walk_datum(struct decoding *d, enum event_type type, struct slice datum)
{
    struct avro_walk walk;
    const struct slice none = {NULL, 0};
    enum avro_fault fault = event_walk(d->codec, type, datum, false, d->event, &walk);
    if (fault == AVRO_FAULT_FORM)
        return event_refuse(d, REJECT_bad_avro, none, "%s at byte %zu of the datum", walk.fault, walk.fault_offset);
    if (fault == AVRO_FAULT_UTF8)
        return event_refuse(d, REJECT_bad_utf8, none, "a text is no UTF-8");
    if (walk.canonical) {
        d->event->datum = datum;
        return REJECT_NONE;
    }
    avro_program_rewrite(d->codec->programs[type], datum, d->scratch);
    struct slice canonical = buf_slice(d->scratch);
    fault = event_walk(d->codec, type, canonical, true, d->event, &walk);
    assert(fault == AVRO_FAULT_NONE && walk.canonical);
    d->event->datum = canonical;
    return REJECT_NONE;
}

static enum reject_reason read_avro(struct decoding *d, struct slice value)
{
    uint64_t fingerprint;
    struct slice datum;
    const struct slice none = {NULL, 0};
    if (!avro_single_open(value, &fingerprint, &datum))
        return event_refuse(d, REJECT_bad_avro, none, "cut off inside the header");
    enum event_type type = event_type_of_fingerprint(d->codec, fingerprint);
    if (type == EVENT_TYPE_NONE)
        return event_refuse(d, REJECT_unknown_schema, none, "no schema has the fingerprint %016llx",
                            (unsigned long long)fingerprint);
    enum reject_reason reason = walk_datum(d, type, datum);
    if (reason != REJECT_NONE)
        return reason;
    note_tenant(d);
    if (!(d->origin->topic_types >> type & 1))
        return event_refuse(d, REJECT_wrong_topic, SLICE("type"), "events of type %s do not belong to this topic",
                            event_type_name(type));
    bool moved = false;
    reason = event_check_needed(d);
    if (reason == REJECT_NONE)
        reason = check_fields(d, &moved);
    if (moved)
        d->event->datum = none;
    return reason;
}

static enum reject_reason read_value(struct decoding *d, struct slice value)
{
    const uint8_t *p = (const uint8_t *)value.p;
    const struct slice none = {NULL, 0};
    if (value.n >= 2 && p[0] == 0xc3 && p[1] == 0x01)
        return read_avro(d, value);
    if (value.n >= CONFLUENT_HEADER_BYTES && p[0] == 0)
        return event_refuse(d, REJECT_unknown_schema, none, "Confluent framing: the schema id is not known");
    return event_read_json(d, value);
}

/* It has passed every check of its form. */
static void remember_tenant(struct event_codec *codec, struct slice tenant)
{
    assert(tenant.n <= sizeof codec->good_tenant);
    memcpy(codec->good_tenant, tenant.p, tenant.n);
    codec->good_tenant_bytes = tenant.n;
    codec->good_partitions = 0;
}

enum reject_reason event_decode(struct event_codec *codec, struct slice value, const struct event_origin *origin,
                                struct event *event, struct buf *scratch, struct reject *reject)
{
    struct decoding d = {codec, origin, event, scratch, reject};
    reject->reason = REJECT_NONE;
    reject->field[0] = reject->text[0] = '\0';
    reject->tenant = (struct slice){NULL, 0};
    event->type = EVENT_TYPE_NONE;
    event->present = 0;
    event->datum = (struct slice){NULL, 0};
    buf_clear(scratch);
    if (value.n > EVENT_BYTES_MAX)
        return event_refuse(&d, REJECT_too_large, (struct slice){NULL, 0}, "%zu bytes, at most %d", value.n,
                            EVENT_BYTES_MAX);
    buf_reserve(scratch, SCRATCH_PER_BYTE * value.n + SCRATCH_LEAST);
    const uint8_t *held = scratch->p;
    enum reject_reason reason = read_value(&d, value);
    if (reason == REJECT_NONE)
        reason = event_check_whole(&d);
    if (reason == REJECT_NONE && event_has_tenant(event->type) && !known_tenant(codec, event->v[EV_TENANT].s))
        remember_tenant(codec, event->v[EV_TENANT].s);
    assert(scratch->p == held);
    return reason;
}
