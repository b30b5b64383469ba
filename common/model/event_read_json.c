/* event_read_json.c -- one line of JSON into an event: names first, then each field as written (formats 3.1, 6). See
 * event_internal.h. */
#include "model/event_internal.h"

#include <assert.h>
#include <stdio.h>

#include "base/time_text.h"

enum { DEGREE_DECIMALS = 7, NO_SYMBOL = 31, PATH_BYTES = 96 };

static enum reject_reason read_value(struct decoding *d, struct slice name, const struct event_field *field,
                                     struct json_value json, struct buf *texts, struct event_value *value);

static enum reject_reason bad_type(struct decoding *d, struct slice name, const char *expected)
{
    return event_refuse(d, REJECT_bad_type, name, "%.*s is not %s", SLICE_ARG(name), expected);
}

static enum reject_reason read_number(struct decoding *d, struct slice name, struct json_value json, unsigned decimals,
                                      enum reject_reason beyond, int64_t *number)
{
    const char *expected = decimals ? "a decimal without exponent" : "an integer (no decimals, no exponent)";
    if (json.kind != JSON_NUMBER)
        return bad_type(d, name, expected);
    enum json_number result = decimals ? json_number_decimal(json, decimals, number) : json_number_int(json, number);
    if (result == JSON_NUMBER_FORM)
        return bad_type(d, name, expected);
    if (result == JSON_NUMBER_RANGE)
        return event_refuse(d, beyond, name, "%.*s is beyond its range", SLICE_ARG(name));
    return REJECT_NONE;
}

static enum reject_reason read_instant(struct decoding *d, struct slice name, struct json_value json, struct buf *texts,
                                       int64_t *ms)
{
    if (json.kind == JSON_NUMBER)
        return read_number(d, name, json, 0, REJECT_bad_time, ms);
    if (json.kind != JSON_STRING)
        return bad_type(d, name, "an instant");
    if (instant_parse(json_string(json, texts), ms))
        return REJECT_NONE;
    return event_refuse(d, REJECT_bad_time, name, "%.*s is no instant with zone (2026-03-01T08:00:00.000Z)",
                        SLICE_ARG(name));
}

static enum reject_reason read_date(struct decoding *d, struct slice name, struct json_value json, struct buf *texts,
                                    int64_t *days)
{
    int32_t day = 0;
    if (json.kind != JSON_STRING)
        return bad_type(d, name, "a date");
    if (!date_parse(json_string(json, texts), &day))
        return event_refuse(d, REJECT_bad_time, name, "%.*s is no date (2026-03-01)", SLICE_ARG(name));
    *days = day;
    return REJECT_NONE;
}

static enum reject_reason read_symbol(struct decoding *d, struct slice name, const struct event_field *field,
                                      struct json_value json, struct buf *texts, int64_t *symbol)
{
    if (json.kind != JSON_STRING)
        return bad_type(d, name, "a text");
    *symbol = event_symbol_of(field, json_string(json, texts));
    if (*symbol >= 0)
        return REJECT_NONE;
    return event_refuse(d, REJECT_bad_enum, name, "%.*s is not one of its values", SLICE_ARG(name));
}

/* Items are built in the scratch, which must not take other bytes meanwhile: their texts go to the codec's own. */
static enum reject_reason read_item(struct decoding *d, enum event_field_kind kind, struct json_value json)
{
    size_t n;
    const struct event_field *fields = event_item_fields(kind, &n);
    struct buf *texts = &d->codec->temp;
    struct event_item item = {0};
    struct json_iter iter = json_iter_of(json);
    struct json_value key, value;
    buf_clear(texts);
    buf_reserve(texts, json.raw.n);
    while (json_next_member(&iter, &key, &value)) {
        struct slice field_name = json_string(key, texts);
        for (size_t i = 0; i < n; i++) {
            if (value.kind == JSON_NULL || !slice_is(field_name, fields[i].name))
                continue;
            enum reject_reason reason = read_value(d, slice_of(fields[i].name), &fields[i], value, texts, &item.v[i]);
            if (reason != REJECT_NONE)
                return reason;
            item.present |= 1u << i;
        }
    }
    event_item_add(d->scratch, kind, &item);
    return REJECT_NONE;
}

static enum reject_reason read_element(struct decoding *d, struct slice name, const struct event_field *field,
                                       struct json_value json)
{
    int64_t number = 0;
    enum reject_reason reason;
    if (event_item_fields(field->kind, &(size_t){0}))
        return json.kind == JSON_OBJECT ? read_item(d, field->kind, json) : bad_type(d, name, "an object");
    buf_clear(&d->codec->temp);
    if (field->kind == FIELD_FLAGS)
        reason = read_symbol(d, name, field, json, &d->codec->temp, &number);
    else
        reason = read_number(d, name, json, 0, REJECT_out_of_range, &number);
    if (reason == REJECT_NONE)
        event_ints_add(d->scratch, number);
    return reason;
}

static enum reject_reason read_list(struct decoding *d, struct slice name, const struct event_field *field,
                                    struct json_value json, struct event_value *value)
{
    if (json.kind != JSON_ARRAY)
        return bad_type(d, name, "a list");
    size_t start = d->scratch->n;
    struct json_iter iter = json_iter_of(json);
    struct json_value element;
    for (value->i = 0; json_next_item(&iter, &element); value->i++) {
        if (read_element(d, name, field, element) != REJECT_NONE)
            return event_refuse_inside(d, name, (size_t)value->i);
    }
    value->s = slice_make(d->scratch->p + start, d->scratch->n - start);
    return REJECT_NONE;
}

static enum reject_reason read_attrs(struct decoding *d, struct slice name, struct json_value json,
                                     struct event_value *value)
{
    if (json.kind != JSON_OBJECT)
        return bad_type(d, name, "an object");
    size_t start = d->scratch->n;
    struct buf *texts = &d->codec->temp;
    struct json_iter iter = json_iter_of(json);
    struct json_value key, text;
    value->i = 0;
    while (json_next_member(&iter, &key, &text)) {
        if (text.kind == JSON_NULL)
            continue;
        if (text.kind != JSON_STRING)
            return bad_type(d, name, "an object of texts");
        buf_clear(texts);
        buf_reserve(texts, key.raw.n + text.raw.n);
        struct event_attr attr = {json_string(key, texts), json_string(text, texts)};
        event_attrs_add(d->scratch, &attr);
        value->i++;
    }
    value->s = slice_make(d->scratch->p + start, d->scratch->n - start);
    return event_sort_attrs(d, name, value, &(bool){false});
}

static enum reject_reason read_text(struct decoding *d, struct slice name, struct json_value json, struct buf *texts,
                                    struct slice *text)
{
    if (json.kind != JSON_STRING)
        return bad_type(d, name, "a text");
    *text = json_string(json, texts);
    return REJECT_NONE;
}

static enum reject_reason read_value(struct decoding *d, struct slice name, const struct event_field *field,
                                     struct json_value json, struct buf *texts, struct event_value *value)
{
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_COUNT:
    case FIELD_ONE:
    case FIELD_MONEY:
    case FIELD_PRICE:
    case FIELD_QTY:
    case FIELD_PPM:
        return read_number(d, name, json, 0, REJECT_out_of_range, &value->i);
    case FIELD_MS:
        return read_number(d, name, json, 0, REJECT_bad_time, &value->i);
    case FIELD_LAT:
    case FIELD_LON:
        return read_number(d, name, json, DEGREE_DECIMALS, REJECT_out_of_range, &value->i);
    case FIELD_INSTANT:
        return read_instant(d, name, json, texts, &value->i);
    case FIELD_DATE:
        return read_date(d, name, json, texts, &value->i);
    case FIELD_BOOL:
        value->i = json.kind == JSON_TRUE;
        return json.kind == JSON_TRUE || json.kind == JSON_FALSE ? REJECT_NONE : bad_type(d, name, "true or false");
    case FIELD_ENUM:
        return read_symbol(d, name, field, json, texts, &value->i);
    case FIELD_FLAGS:
    case FIELD_SEQS:
    case FIELD_SPLITS:
    case FIELD_LINES:
    case FIELD_DIGESTS:
    case FIELD_POSITIONS:
        return read_list(d, name, field, json, value);
    case FIELD_ATTRS:
        return read_attrs(d, name, json, value);
    case FIELD_SPEC:
        return event_canonical_spec(d, name, json, value);
    case FIELD_ID:
    case FIELD_PLAN_ID:
    case FIELD_TENANT:
    case FIELD_TEXT:
    case FIELD_LONG:
    case FIELD_NAME:
    case FIELD_CURRENCY:
    case FIELD_ITEM_ID:
    case FIELD_BYTES:
    case FIELD_RAW:
        break;
    }
    return read_text(d, name, json, texts, &value->s);
}

/* The members of the line by field. */
struct members {
    struct json_value v[EVENT_FIELDS_MAX];
    struct slice unknown; /* the first name the type does not have; p NULL: none */
};

static int field_named(enum event_type type, struct slice name, int hint)
{
    size_t count;
    const struct event_field *fields = event_fields(type, &count);
    if ((size_t)hint < count && slice_is(name, fields[hint].name))
        return fields[hint].kind == FIELD_BYTES ? -1 : hint;
    int field = event_field_of(type, name);
    return field >= 0 && fields[field].kind == FIELD_BYTES ? -1 : field;
}

/* Assigns members to fields; null is absent. Enums are looked up now, because they decide what else is required. */
static void assign(struct decoding *d, struct json_value object, struct members *members)
{
    struct event *event = d->event;
    size_t count;
    const struct event_field *fields = event_fields(event->type, &count);
    struct json_iter iter = json_iter_of(object);
    struct json_value key, value;
    int field = -1;
    while (json_next_member(&iter, &key, &value)) {
        struct slice name = json_string(key, d->scratch);
        if (slice_is(name, "type"))
            continue;
        int named = field_named(event->type, name, field + 1);
        if (named < 0 && !members->unknown.p)
            members->unknown = name;
        if (named < 0)
            continue;
        field = named;
        members->v[field] = value;
        if (value.kind == JSON_NULL)
            continue;
        event->present |= UINT64_C(1) << field;
        if (fields[field].kind == FIELD_ENUM) {
            int symbol =
                value.kind == JSON_STRING ? event_symbol_of(&fields[field], json_string(value, d->scratch)) : -1;
            event->v[field].i = symbol < 0 ? NO_SYMBOL : symbol;
        }
    }
}

static enum reject_reason missing_required(struct decoding *d)
{
    size_t count;
    const struct event_field *fields = event_fields(d->event->type, &count);
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !event_has(d->event, (unsigned)i))
            return event_refuse(d, REJECT_missing_field, slice_of(fields[i].name), "%s is missing", fields[i].name);
    return REJECT_NONE;
}

/* Names inside one item of a list: required ones that are missing, or ones the item does not have. */
static enum reject_reason item_names(struct decoding *d, struct slice list, size_t number, enum event_field_kind kind,
                                     struct json_value object, bool unknown)
{
    size_t n;
    const struct event_field *fields = event_item_fields(kind, &n);
    struct json_iter iter = json_iter_of(object);
    struct json_value key, value;
    uint32_t seen = 0;
    struct buf *texts = &d->codec->temp;
    char path[PATH_BYTES];
    while (json_next_member(&iter, &key, &value)) {
        buf_clear(texts);
        struct slice name = json_string(key, texts);
        size_t i = 0;
        while (i < n && !slice_is(name, fields[i].name))
            i++;
        if (i == n && unknown) {
            int cut = (int)(name.n < 32 ? name.n : 32);
            int length = snprintf(path, sizeof path, "%.*s[%zu].%.*s", SLICE_ARG(list), number, cut, name.p);
            return event_refuse(d, REJECT_unknown_field, slice_make(path, (size_t)length), "%s is unknown", path);
        }
        if (i < n && value.kind != JSON_NULL)
            seen |= 1u << i;
    }
    for (size_t i = 0; !unknown && i < n; i++)
        if (fields[i].required && !(seen >> i & 1)) {
            int length = snprintf(path, sizeof path, "%.*s[%zu].%s", SLICE_ARG(list), number, fields[i].name);
            return event_refuse(d, REJECT_missing_field, slice_make(path, (size_t)length), "%s is missing", path);
        }
    return REJECT_NONE;
}

static enum reject_reason list_names(struct decoding *d, const struct members *members, bool unknown)
{
    size_t count, number;
    const struct event_field *fields = event_fields(d->event->type, &count);
    for (size_t i = 0; i < count; i++) {
        if (members->v[i].kind != JSON_ARRAY || !event_item_fields(fields[i].kind, &(size_t){0}))
            continue;
        struct json_iter iter = json_iter_of(members->v[i]);
        struct json_value item;
        for (number = 0; json_next_item(&iter, &item); number++) {
            if (item.kind != JSON_OBJECT)
                continue;
            enum reject_reason reason = item_names(d, slice_of(fields[i].name), number, fields[i].kind, item, unknown);
            if (reason != REJECT_NONE)
                return reason;
        }
    }
    return REJECT_NONE;
}

static enum reject_reason check_names(struct decoding *d, const struct members *members)
{
    enum reject_reason reason = missing_required(d);
    if (reason == REJECT_NONE)
        reason = event_check_needed(d);
    if (reason == REJECT_NONE)
        reason = list_names(d, members, false);
    if (reason == REJECT_NONE && members->unknown.p)
        reason = event_refuse(d, REJECT_unknown_field, members->unknown, "%s has no such field",
                              event_type_name(d->event->type));
    return reason == REJECT_NONE ? list_names(d, members, true) : reason;
}

static enum reject_reason read_fields(struct decoding *d, const struct members *members)
{
    struct event *event = d->event;
    size_t count;
    const struct event_field *fields = event_fields(event->type, &count);
    for (size_t i = 0; i < count; i++) {
        if (!event_has(event, (unsigned)i))
            continue;
        struct slice name = slice_of(fields[i].name);
        event->v[i] = (struct event_value){0};
        enum reject_reason reason = read_value(d, name, &fields[i], members->v[i], d->scratch, &event->v[i]);
        if (reason == REJECT_NONE)
            reason = event_check_value(d, name, &fields[i], &event->v[i]);
        if (reason != REJECT_NONE)
            return reason;
        if (fields[i].plain && event->v[i].i == 0)
            event->present &= ~(UINT64_C(1) << i);
    }
    return REJECT_NONE;
}

static enum reject_reason check_text(struct decoding *d, struct slice text)
{
    size_t offset;
    const struct slice none = {NULL, 0};
    switch (json_check(text, JSON_DEPTH_MAX, &d->codec->temp, &offset)) {
    case JSON_BAD_UTF8:
        return event_refuse(d, REJECT_bad_utf8, none, "no UTF-8, or half a surrogate pair, at byte %zu", offset);
    case JSON_TOO_DEEP:
        return event_refuse(d, REJECT_too_deep, none, "nested deeper than %d at byte %zu", JSON_DEPTH_MAX, offset);
    case JSON_BAD_SYNTAX:
        return event_refuse(d, REJECT_bad_json, none, "no JSON at byte %zu", offset);
    case JSON_DUPLICATE_KEY:
        return event_refuse(d, REJECT_duplicate_key, none, "a name stands twice in the object at byte %zu", offset);
    case JSON_OK:
        break;
    }
    return REJECT_NONE;
}

/* The type decides what the other names mean, wherever it stands. The tenant is noted for the report. */
static enum reject_reason read_type(struct decoding *d, struct json_value object)
{
    const struct slice type_name = SLICE("type");
    struct json_iter iter = json_iter_of(object);
    struct json_value key, value, type = {JSON_NULL, false, {NULL, 0}};
    while (json_next_member(&iter, &key, &value)) {
        struct slice name = json_string(key, d->scratch);
        if (slice_is(name, "type"))
            type = value;
        else if (slice_is(name, "tenant") && value.kind == JSON_STRING) {
            struct slice tenant = json_string(value, d->scratch);
            if (event_tenant_valid(tenant))
                d->reject->tenant = tenant;
        }
    }
    if (type.kind == JSON_NULL)
        return event_refuse(d, REJECT_missing_field, type_name, "type is missing");
    struct slice name = json_string(type, d->scratch);
    if (type.kind != JSON_STRING || !event_type_of(name, &d->event->type))
        return event_refuse(d, REJECT_unknown_type, type_name, "no such type of event");
    if (!(d->origin->topic_types >> d->event->type & 1))
        return event_refuse(d, REJECT_wrong_topic, type_name, "events of type %s do not belong to this topic",
                            event_type_name(d->event->type));
    return REJECT_NONE;
}

enum reject_reason event_read_json(struct decoding *d, struct slice text)
{
    struct members members;
    enum reject_reason reason = check_text(d, text);
    if (reason != REJECT_NONE)
        return reason;
    struct json_value object = json_value_of(text);
    if (object.kind != JSON_OBJECT)
        return event_refuse(d, REJECT_not_object, (struct slice){NULL, 0}, "the line is no JSON object");
    reason = read_type(d, object);
    if (reason != REJECT_NONE)
        return reason;
    memset(&members, 0, sizeof members);
    memset(d->event->v, 0, sizeof d->event->v);
    assign(d, object, &members);
    reason = check_names(d, &members);
    return reason == REJECT_NONE ? read_fields(d, &members) : reason;
}
