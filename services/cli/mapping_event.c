/* mapping_event.c -- one event as canonical JSON, from one row. See mapping_internal.h.
 *
 * The fields are written in the order of the type's table. An order's lines and its sum are known only when the last
 * row of its group was seen, so the text is kept in three pieces between which they are put (mapping_run.c). */
#include "mapping_internal.h"

static bool fault_set(struct mapping_fault *fault, const char *reason, const char *field, struct slice value,
                      const char *expected)
{
    fault->reason = reason;
    (void)snprintf(fault->text, sizeof fault->text, "%s \"%.*s\": expected %s", field,
                   (int)(value.n < 100 ? value.n : 100), value.p, expected);
    return false;
}

/* Decimals that an event's integer keeps of the number in the file; -1: the number must be whole. */
static int scale_of(const struct mapping *mapping, enum event_field_kind kind)
{
    int exponent = (int)mapping->exponent;
    switch (kind) {
    case FIELD_MONEY:
        return mapping->in_minor ? 0 : exponent;
    case FIELD_PRICE:
        return mapping->in_minor ? 6 - exponent : 6;
    case FIELD_QTY:
        return 3;
    case FIELD_LAT:
    case FIELD_LON:
        return 7;
    default:
        return -1;
    }
}

static bool scaled(const struct mapping *mapping, enum event_field_kind kind, struct decimal decimal, int64_t *value)
{
    int scale = scale_of(mapping, kind);
    if (scale >= 0)
        return decimal_scaled(decimal, (unsigned)scale, value);
    struct decimal whole;
    return decimal_scaled(decimal, 0, value) && decimal_mul(decimal, (struct decimal){1, 0}, &whole) &&
           whole.places == 0;
}

static void begin_field(struct buf *out, const char *name)
{
    buf_add_byte(out, ',');
    text_add_json(out, slice_of(name));
    buf_add_byte(out, ':');
}

static bool write_number(const struct mapping *mapping, const char *name, enum event_field_kind kind,
                         const struct mapping_value *value, const struct mapping_row *row, struct buf *scratch,
                         struct buf *out, struct mapping_fault *fault)
{
    struct decimal decimal;
    bool absent;
    int64_t number;
    if (!mapping_value_decimal(value, row, scratch, &decimal, &absent))
        return fault_set(fault, "bad_number", name, value->product ? SLICE("mul") : buf_slice(scratch), "a decimal");
    if (absent)
        return true;
    if (!scaled(mapping, kind, decimal, &number))
        return fault_set(fault, "bad_number", name, buf_slice(scratch), "a whole number within 64 bits");
    begin_field(out, name);
    if (kind == FIELD_LAT || kind == FIELD_LON) {
        text_add_decimal(out, number, 7, '\0');
        while (out->p[out->n - 1] == '0')
            out->n--;
        if (out->p[out->n - 1] == '.')
            out->n--;
    } else
        text_add_int(out, number);
    return true;
}

static bool write_time(const struct mapping *mapping, const struct mapping_entry *entry, const char *name, bool date,
                       struct slice text, struct buf *out, int64_t *at_ms, struct mapping_fault *fault)
{
    int32_t day;
    if (!mapping_time_parse(&mapping->zone, entry->date_format, text, at_ms, &day))
        return fault_set(fault, "bad_date", name, text,
                         entry->date_format[0] ? entry->date_format : "YYYY-MM-DD or YYYY-MM-DD HH:MM:SS");
    char instant[INSTANT_TEXT_BYTES], date_text[DATE_TEXT_BYTES];
    begin_field(out, name);
    buf_add_byte(out, '"');
    if (date)
        buf_add(out, date_text, date_print(day, date_text));
    else
        buf_add(out, instant, instant_print(*at_ms, instant));
    buf_add_byte(out, '"');
    return true;
}

struct writer {
    const struct mapping *mapping;
    const struct mapping_entry *entry;
    const struct mapping_event *event;
    const struct mapping_row *row;
    struct buf *scratch, *out;
    struct mapping_draft *draft;
    struct mapping_fault *fault;
};

static bool write_text(struct writer *in, const struct event_field *field, struct slice text)
{
    int64_t at_ms;
    if (field->kind == FIELD_INSTANT || field->kind == FIELD_DATE) {
        bool good = write_time(in->mapping, in->entry, field->name, field->kind == FIELD_DATE, text, in->out, &at_ms,
                               in->fault);
        if (good && strcmp(field->name, "recorded_at") == 0) {
            in->draft->recorded_ms = at_ms;
            in->draft->has_recorded = true;
        }
        return good;
    }
    begin_field(in->out, field->name);
    if (field->kind == FIELD_BOOL && (slice_is(text, "true") || slice_is(text, "false")))
        buf_add_slice(in->out, text);
    else
        text_add_json(in->out, text);
    return true;
}

static const struct mapping_field *find_field(const struct mapping_event *event, enum mapping_slot slot, int index)
{
    for (uint32_t i = 0; i < event->field_count; i++)
        if (event->fields[i].slot == slot && event->fields[i].index == index)
            return &event->fields[i];
    return NULL;
}

bool mapping_is_number(enum event_field_kind kind)
{
    return kind == FIELD_INT || kind == FIELD_COUNT || kind == FIELD_ONE || kind == FIELD_MONEY ||
           kind == FIELD_PRICE || kind == FIELD_QTY || kind == FIELD_LAT || kind == FIELD_LON;
}

static bool write_mapped(struct writer *in, const struct event_field *field, int index)
{
    const struct mapping_field *mapped = find_field(in->event, SLOT_FIELD, index);
    if (!mapped)
        return true;
    if (mapped->flags_assumed) {
        begin_field(in->out, field->name);
        buf_add_text(in->out, "[\"assumed_time\"]");
        return true;
    }
    if (!mapping_value_given(&mapped->value))
        return true;
    if (mapping_is_number(field->kind))
        return write_number(in->mapping, field->name, field->kind, &mapped->value, in->row, in->scratch, in->out,
                            in->fault);
    buf_clear(in->scratch);
    mapping_value_text(&mapped->value, in->row, in->scratch);
    return in->scratch->n == 0 || write_text(in, field, buf_slice(in->scratch));
}

static void write_split(struct writer *in)
{
    const struct mapping_field *rep = find_field(in->event, SLOT_REP, 0);
    if (!rep)
        return;
    buf_clear(in->scratch);
    mapping_value_text(&rep->value, in->row, in->scratch);
    if (!in->scratch->n)
        return;
    buf_add_text(in->out, ",\"splits\":[{\"rep_id\":");
    text_add_json(in->out, buf_slice(in->scratch));
    buf_add_text(in->out, ",\"ppm\":1000000}]");
}

static void write_attrs(struct writer *in)
{
    bool any = false;
    for (uint32_t i = 0; i < in->event->field_count; i++) {
        const struct mapping_field *field = &in->event->fields[i];
        if (field->slot != SLOT_ATTR)
            continue;
        buf_clear(in->scratch);
        mapping_value_text(&field->value, in->row, in->scratch);
        if (!in->scratch->n)
            continue;
        buf_add_text(in->out, any ? "," : ",\"attrs\":{");
        text_add_json(in->out, field->attr);
        buf_add_byte(in->out, ':');
        text_add_json(in->out, buf_slice(in->scratch));
        any = true;
    }
    if (any)
        buf_add_byte(in->out, '}');
}

static void write_id(struct writer *in)
{
    buf_clear(in->scratch);
    mapping_value_text(&in->event->id, in->row, in->scratch);
    if (!in->scratch->n)
        return;
    begin_field(in->out, "event_id");
    /* The raw bytes of the id are needed for sorting; they are kept before the text of the event. */
    text_add_json(in->out, buf_slice(in->scratch));
}

static void write_own(struct writer *in, int index)
{
    char instant[INSTANT_TEXT_BYTES];
    switch (index) {
    case EV_TENANT:
        begin_field(in->out, "tenant");
        text_add_json(in->out, in->mapping->tenant);
        return;
    case EV_EVENT_ID:
        write_id(in);
        return;
    case EV_SOURCE:
        begin_field(in->out, "source");
        text_add_json(in->out, in->mapping->source);
        return;
    case EV_SOURCE_SEQ:
        begin_field(in->out, "source_seq");
        text_add_int(in->out, in->draft->source_seq);
        return;
    case EV_OCCURRED_AT:
        begin_field(in->out, "occurred_at");
        buf_add_byte(in->out, '"');
        buf_add(in->out, instant, instant_print(in->draft->at_ms, instant));
        buf_add_byte(in->out, '"');
        return;
    default:
        return;
    }
}

static bool is_own(int index)
{
    return index == EV_TENANT || index == EV_EVENT_ID || index == EV_SOURCE || index == EV_SOURCE_SEQ ||
           index == EV_OCCURRED_AT;
}

/* `provenance` is import unless set. */
static bool write_provenance(struct writer *in, const struct event_field *field)
{
    if (find_field(in->event, SLOT_FIELD, EV_PROVENANCE))
        return write_mapped(in, field, EV_PROVENANCE);
    begin_field(in->out, "provenance");
    buf_add_text(in->out, "\"import\"");
    return true;
}

static bool write_fields(struct writer *in)
{
    size_t count, piece = in->out->n;
    const struct event_field *fields = event_fields(in->event->type, &count);
    bool good = true;
    for (int i = 0; i < (int)count && good; i++) {
        bool net = in->event->type == EVENT_ORDER && strcmp(fields[i].name, "net_amount") == 0;
        if (is_own(i))
            write_own(in, i);
        else if (i == EV_PROVENANCE)
            good = write_provenance(in, &fields[i]);
        else if (fields[i].kind == FIELD_SPLITS)
            write_split(in);
        else if (fields[i].kind == FIELD_ATTRS)
            write_attrs(in);
        else if (fields[i].kind == FIELD_LINES) {
            in->draft->head_bytes = in->out->n - piece;
            piece = in->out->n;
        } else
            good = write_mapped(in, &fields[i], i);
        if (net) {
            in->draft->has_net = find_field(in->event, SLOT_FIELD, i) != NULL;
            in->draft->middle_bytes = in->out->n - piece;
            piece = in->out->n;
        }
    }
    if (in->event->type == EVENT_ORDER)
        in->draft->tail_bytes = in->out->n - piece;
    else
        in->draft->head_bytes = in->out->n - piece;
    return good;
}

bool mapping_event_at(const struct mapping *mapping, const struct mapping_entry *entry,
                      const struct mapping_event *event, const struct mapping_row *row, struct buf *scratch,
                      int64_t *at_ms, struct mapping_fault *fault)
{
    int32_t day;
    buf_clear(scratch);
    mapping_value_text(&event->at, row, scratch);
    if (mapping_time_parse(&mapping->zone, entry->date_format, buf_slice(scratch), at_ms, &day))
        return true;
    return fault_set(fault, "bad_date", "at", buf_slice(scratch),
                     entry->date_format[0] ? entry->date_format : "YYYY-MM-DD or YYYY-MM-DD HH:MM:SS");
}

bool mapping_event_write(const struct mapping *mapping, const struct mapping_entry *entry, uint32_t number,
                         const struct mapping_row *row, struct buf *scratch, struct buf *out,
                         struct mapping_draft *draft, struct mapping_fault *fault)
{
    struct mapping_event *event = &entry->events[number];
    struct writer in = {mapping, entry, event, row, scratch, out, draft, fault};
    buf_clear(scratch);
    mapping_value_text(&event->id, row, scratch);
    draft->id = out->n;
    draft->id_bytes = scratch->n;
    buf_add_slice(out, buf_slice(scratch));
    draft->text = out->n;
    draft->source_seq = row->number * 100 + (int64_t)number + 1;
    buf_add_text(out, "{\"type\":\"");
    buf_add_text(out, event_type_name(event->type));
    buf_add_byte(out, '"');
    size_t head = out->n - draft->text;
    bool good = write_fields(&in);
    draft->head_bytes += head;
    return good;
}

/* ---- lines */

static const enum event_field_kind line_kinds[] = {
    [LINE_SKU] = FIELD_ID,     [LINE_GROUP] = FIELD_ID,    [LINE_QTY] = FIELD_QTY,    [LINE_UNIT] = FIELD_PRICE,
    [LINE_LIST] = FIELD_PRICE, [LINE_FLOOR] = FIELD_PRICE, [LINE_COST] = FIELD_PRICE, [LINE_NET] = FIELD_MONEY,
};

/* net_amount as given, else half-even(unit_price * qty). */
static bool line_net(const struct mapping *mapping, const struct mapping_event *event, const struct mapping_row *row,
                     struct buf *scratch, struct decimal *net, bool *absent, struct mapping_fault *fault)
{
    if (mapping_value_given(&event->lines[LINE_NET])) {
        if (mapping_value_decimal(&event->lines[LINE_NET], row, scratch, net, absent))
            return true;
        return fault_set(fault, "bad_number", "net_amount", buf_slice(scratch), "a decimal");
    }
    struct decimal price, qty;
    bool no_price = true, no_qty = true;
    if (!mapping_value_decimal(&event->lines[LINE_UNIT], row, scratch, &price, &no_price) ||
        !mapping_value_decimal(&event->lines[LINE_QTY], row, scratch, &qty, &no_qty))
        return fault_set(fault, "bad_number", "unit_price or qty", buf_slice(scratch), "a decimal");
    *absent = no_price || no_qty;
    if (*absent || decimal_mul(price, qty, net))
        return true;
    (void)mapping;
    return fault_set(fault, "bad_number", "net_amount", SLICE("unit_price * qty"), "a product within 128 bits");
}

bool mapping_event_add_line(const struct mapping *mapping, const struct mapping_event *event,
                            const struct mapping_row *row, struct buf *scratch, struct mapping_draft *draft,
                            struct mapping_fault *fault)
{
    struct decimal net;
    bool absent = false;
    int64_t value;
    if (!line_net(mapping, event, row, scratch, &net, &absent, fault))
        return false;
    if (!absent && !scaled(mapping, FIELD_MONEY, net, &value))
        return fault_set(fault, "bad_number", "net_amount", buf_slice(scratch), "an amount within 64 bits");
    struct buf *out = &draft->lines;
    buf_add_text(out, draft->line_count ? ",{" : "{");
    size_t from = out->n;
    for (int i = 0; i < LINE_NET; i++) {
        if (!mapping_value_given(&event->lines[i]))
            continue;
        if (i != LINE_SKU && i != LINE_GROUP) {
            if (!write_number(mapping, mapping_line_names[i], line_kinds[i], &event->lines[i], row, scratch, out,
                              fault))
                return false;
            continue;
        }
        buf_clear(scratch);
        mapping_value_text(&event->lines[i], row, scratch);
        if (!scratch->n)
            continue;
        begin_field(out, mapping_line_names[i]);
        text_add_json(out, buf_slice(scratch));
    }
    if (!absent) {
        begin_field(out, "net_amount");
        text_add_int(out, value);
        if (__builtin_add_overflow(draft->net_amount, value, &draft->net_amount))
            return fault_set(fault, "bad_number", "net_amount", SLICE("sum of the lines"), "a sum within 64 bits");
    }
    buf_add_byte(out, '}');
    if (out->n > from + 1) { /* the comma before the first field */
        memmove(out->p + from, out->p + from + 1, out->n - from - 1);
        out->n--;
    }
    draft->line_count++;
    return true;
}
