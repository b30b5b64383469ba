/* event_json.c -- an event as canonical JSON (formats 3.1): fields in the order of the table, absent ones left out,
 * instants with three decimals and Z. Alerts name every field (null), as formats 4 prints them. See event.h. */
#include "model/event_internal.h"

#include "base/json_write.h"
#include "base/text.h"
#include "base/time_text.h"

enum { DEGREE_DECIMALS = 7 };

static void write_value(struct json_writer *w, const struct event_field *field, const struct event_value *value);

static void write_instant(struct json_writer *w, int64_t ms)
{
    char text[INSTANT_TEXT_BYTES];
    json_text(w, slice_make(text, instant_print(ms, text)));
}

static void write_date(struct json_writer *w, int64_t days)
{
    char text[DATE_TEXT_BYTES];
    json_text(w, slice_make(text, date_print((int32_t)days, text)));
}

static void write_symbol(struct json_writer *w, const struct event_field *field, int64_t symbol)
{
    json_text(w, slice_of(field->symbols[symbol]));
}

static void write_items(struct json_writer *w, enum event_field_kind kind, struct slice list)
{
    size_t n;
    const struct event_field *fields = event_item_fields(kind, &n);
    struct cursor items = cursor_of(list);
    struct event_item item;
    json_array_begin(w);
    while (event_item_next(&items, kind, &item)) {
        json_object_begin(w);
        for (size_t i = 0; i < n; i++)
            if (item.present >> i & 1) {
                json_key(w, fields[i].name);
                write_value(w, &fields[i], &item.v[i]);
            }
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_attrs(struct json_writer *w, struct slice list)
{
    struct cursor items = cursor_of(list);
    struct event_attr attr;
    json_object_begin(w);
    while (event_attrs_next(&items, &attr)) {
        json_key_slice(w, attr.name);
        json_text(w, attr.value);
    }
    json_object_end(w);
}

static void write_ints(struct json_writer *w, const struct event_field *field, struct slice list)
{
    struct cursor items = cursor_of(list);
    int64_t value;
    json_array_begin(w);
    while (event_ints_next(&items, &value))
        if (field->kind == FIELD_FLAGS)
            write_symbol(w, field, value);
        else
            json_int(w, value);
    json_array_end(w);
}

static void write_value(struct json_writer *w, const struct event_field *field, const struct event_value *value)
{
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_COUNT:
    case FIELD_ONE:
    case FIELD_MONEY:
    case FIELD_PRICE:
    case FIELD_QTY:
    case FIELD_PPM:
    case FIELD_MS:
        json_int(w, value->i);
        break;
    case FIELD_LAT:
    case FIELD_LON:
        json_decimal(w, value->i, DEGREE_DECIMALS);
        break;
    case FIELD_INSTANT:
        write_instant(w, value->i);
        break;
    case FIELD_DATE:
        write_date(w, value->i);
        break;
    case FIELD_BOOL:
        json_bool(w, value->i != 0);
        break;
    case FIELD_ENUM:
        write_symbol(w, field, value->i);
        break;
    case FIELD_FLAGS:
    case FIELD_SEQS:
        write_ints(w, field, value->s);
        break;
    case FIELD_SPLITS:
    case FIELD_LINES:
    case FIELD_DIGESTS:
    case FIELD_POSITIONS:
        write_items(w, field->kind, value->s);
        break;
    case FIELD_ATTRS:
        write_attrs(w, value->s);
        break;
    case FIELD_SPEC:
        json_raw(w, value->s);
        break;
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
        json_text(w, value->s);
        break;
    }
}

static void add_base64(struct buf *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t group = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0u);
        for (unsigned k = 0; k < 4; k++)
            buf_add_byte(out, k <= n ? (uint8_t)digits[group >> (18 - 6 * k) & 63] : '=');
    }
}

/* Rejects only: raw bytes as text if they are text, else in base 64. */
static void write_raw(struct json_writer *w, struct slice bytes)
{
    if (text_valid(bytes)) {
        json_key_text(w, "raw", bytes);
        return;
    }
    json_key(w, "raw_base64");
    buf_add_byte(w->out, '"');
    add_base64(w->out, bytes);
    buf_add_byte(w->out, '"');
    w->comma = true;
}

static void write_field(struct json_writer *w, const struct event *event, size_t i, const struct event_field *field)
{
    bool present = event_has(event, (unsigned)i);
    if (field->kind == FIELD_BYTES || (!present && event->type != EVENT_ALERT))
        return;
    if (present && field->kind == FIELD_RAW) {
        write_raw(w, event->v[i].s);
        return;
    }
    json_key(w, field->name);
    if (present)
        write_value(w, field, &event->v[i]);
    else
        json_null(w);
}

void event_write_json(const struct event_codec *codec, const struct event *event, struct buf *out)
{
    (void)codec;
    size_t count;
    const struct event_field *fields = event_fields(event->type, &count);
    struct json_writer w = json_writer_of(out);
    json_object_begin(&w);
    if (event->type != EVENT_REJECT)
        json_key_text(&w, "type", slice_of(event_type_name(event->type)));
    for (size_t i = 0; i < count; i++)
        write_field(&w, event, i, &fields[i]);
    json_object_end(&w);
}
