/* event_check.c -- the form of an event's values (formats 6), the same for JSON and Avro. See event_internal.h. */
#include "model/event_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time_text.h"

#define DAY_MS INT64_C(86400000)
enum { PHONE_DIGITS_MIN = 7, PHONE_DIGITS_MAX = 15, MOBILE_DIGITS = 11, PPM_ONE = 1000000 };
#define DEGREE INT64_C(10000000)

enum reject_reason event_refuse(struct decoding *d, enum reject_reason reason, struct slice field, const char *format,
                                ...)
{
    struct reject *reject = d->reject;
    va_list args;
    reject->reason = reason;
    (void)snprintf(reject->field, sizeof reject->field, "%.*s", (int)(field.n < 95 ? field.n : 95),
                   field.p ? field.p : "");
    va_start(args, format);
    (void)vsnprintf(reject->text, sizeof reject->text, format, args);
    va_end(args);
    return reason;
}

enum reject_reason event_refuse_inside(struct decoding *d, struct slice list, size_t number)
{
    char inside[sizeof d->reject->field];
    memcpy(inside, d->reject->field, sizeof inside);
    bool itself = slice_is(list, inside);
    (void)snprintf(d->reject->field, sizeof d->reject->field, "%.*s[%zu]%s%.64s", SLICE_ARG(list), number,
                   itself ? "" : ".", itself ? "" : inside);
    return d->reject->reason;
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Eight bytes at once; bytewise is right: no byte of a longer UTF-8 character looks like a control character. */
static bool has_control(struct slice text)
{
    uint64_t found = 0;
    for (size_t i = 0; i < text.n; i += 8) {
        uint64_t word = EACH_BYTE(' ');
        memcpy(&word, text.p + i, text.n - i < 8 ? text.n - i : 8);
        uint64_t rest = word ^ EACH_BYTE(0x7f);
        found |= ((word - EACH_BYTE(0x20)) & ~word) | ((rest - EACH_BYTE(1)) & ~rest);
    }
    return (found & EACH_BYTE(0x80)) != 0;
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return true;
}

static bool is_email(struct slice id)
{
    const char *at = memchr(id.p, '@', id.n), *end = id.p + id.n;
    if (!at || at == id.p || memchr(at + 1, '@', (size_t)(end - at - 1)) || memchr(id.p, ' ', id.n))
        return false;
    for (const char *p = at + 2; p + 1 < end; p++)
        if (*p == '.')
            return true;
    return false;
}

static bool is_personal(struct slice id)
{
    struct slice rest = {id.p + 1, id.n - 1};
    if (id.p[0] == '+')
        return rest.n >= PHONE_DIGITS_MIN && rest.n <= PHONE_DIGITS_MAX && all_digits(rest);
    if (id.n == MOBILE_DIGITS && id.p[0] == '1' && id.p[1] >= '3' && id.p[1] <= '9')
        return all_digits(rest);
    return is_email(id);
}

bool event_id_valid(struct slice id) { return id.n >= 1 && id.n <= EVENT_ID_BYTES_MAX && !has_control(id); }

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool event_tenant_valid(struct slice tenant)
{
    if (!event_id_valid(tenant) || !is_alphanumeric(tenant.p[0]))
        return false;
    for (size_t i = 1; i < tenant.n; i++)
        if (!is_alphanumeric(tenant.p[i]) && tenant.p[i] != '.' && tenant.p[i] != '_' && tenant.p[i] != '-')
            return false;
    return true;
}

static bool has_plan_id_characters(struct slice id)
{
    for (size_t i = 0; i < id.n; i++)
        if (strchr("/@=|{}\"", id.p[i]))
            return false;
    bool reserved = slice_is(id, "all") || slice_is(id, "other") || slice_is(id, "unassigned");
    return !reserved && !(id.n >= 4 && memcmp(id.p, "rep:", 4) == 0);
}

static bool is_name(struct slice name)
{
    if (name.n == 0 || name.n > EVENT_NAME_BYTES_MAX || name.p[0] < 'a' || name.p[0] > 'z')
        return false;
    for (size_t i = 1; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

static enum reject_reason bad_id(struct decoding *d, struct slice name, const char *expected)
{
    return event_refuse(d, REJECT_bad_id, name, "%.*s is not %s", SLICE_ARG(name), expected);
}

static enum reject_reason check_id(struct decoding *d, struct slice name, enum event_field_kind kind, struct slice id)
{
    if (!event_id_valid(id))
        return bad_id(d, name, "an id: 1 to 64 bytes without control characters");
    if (kind == FIELD_TENANT && !event_tenant_valid(id))
        return bad_id(d, name, "a tenant: A-Z a-z 0-9 . _ -, beginning with a letter or digit");
    if (kind == FIELD_PLAN_ID && !has_plan_id_characters(id))
        return bad_id(d, name, "a plan id: without / @ = | { } \", not reserved");
    if (is_personal(id))
        return event_refuse(d, REJECT_personal_id, name, "%.*s looks like an e-mail address or a phone number",
                            SLICE_ARG(name));
    return REJECT_NONE;
}

/* The id of a plan item, by its kind (rulings O9): composed ids of members and prices, dealers and tenants as ids. */
static enum reject_reason check_item_id(struct decoding *d, struct slice name, struct slice id)
{
    if (id.n == 0 || id.n > EVENT_ITEM_ID_BYTES_MAX || has_control(id))
        return bad_id(d, name, "the id of a plan item: 1 to 200 bytes without control characters");
    switch ((enum PLAN_KIND_symbol)d->event->v[PLAN_KIND].i) {
    case PLAN_KIND_member:
    case PLAN_KIND_price:
        return REJECT_NONE;
    case PLAN_KIND_tenant:
        return check_id(d, name, FIELD_TENANT, id);
    case PLAN_KIND_dealer:
        return check_id(d, name, FIELD_ID, id);
    case PLAN_KIND_calendar:
    case PLAN_KIND_node:
    case PLAN_KIND_stage_model:
    case PLAN_KIND_measure:
    case PLAN_KIND_target:
    case PLAN_KIND_rule:
    case PLAN_KIND_obligation:
    case PLAN_KIND_SYMBOL_COUNT:
        break;
    }
    return has_plan_id_characters(id) ? REJECT_NONE
                                      : bad_id(d, name, "a plan id: without / @ = | { } \", not reserved");
}

static enum reject_reason check_range(struct decoding *d, struct slice name, int64_t value, int64_t least, int64_t most)
{
    if (value >= least && value <= most)
        return REJECT_NONE;
    return event_refuse(d, REJECT_out_of_range, name, "%.*s is %lld, expected %lld to %lld", SLICE_ARG(name),
                        (long long)value, (long long)least, (long long)most);
}

static enum reject_reason check_length(struct decoding *d, struct slice name, struct slice text, size_t most)
{
    if (text.n <= most)
        return REJECT_NONE;
    return event_refuse(d, REJECT_too_many, name, "%.*s has %zu bytes, at most %zu", SLICE_ARG(name), text.n, most);
}

static enum reject_reason check_count(struct decoding *d, struct slice name, int64_t count, int64_t most)
{
    if (count <= most)
        return REJECT_NONE;
    return event_refuse(d, REJECT_too_many, name, "%.*s has %lld items, at most %lld", SLICE_ARG(name),
                        (long long)count, (long long)most);
}

static enum reject_reason check_time(struct decoding *d, struct slice name, int64_t value, int64_t least, int64_t most)
{
    if (value >= least && value <= most)
        return REJECT_NONE;
    return event_refuse(d, REJECT_bad_time, name, "%.*s lies outside the years 0001 to 9999", SLICE_ARG(name));
}

static enum reject_reason check_currency(struct decoding *d, struct slice name, struct slice text)
{
    bool ok = text.n == 3;
    for (size_t i = 0; ok && i < 3; i++)
        ok = text.p[i] >= 'A' && text.p[i] <= 'Z';
    if (ok)
        return REJECT_NONE;
    return event_refuse(d, REJECT_bad_currency, name, "%.*s is not three capital letters", SLICE_ARG(name));
}

static enum reject_reason check_items(struct decoding *d, struct slice name, const struct event_field *list,
                                      const struct event_value *value, int64_t most)
{
    size_t n, number = 0;
    const struct event_field *fields = event_item_fields(list->kind, &n);
    struct cursor items = cursor_of(value->s);
    struct event_item item;
    enum reject_reason reason = check_count(d, name, value->i, most);
    for (; reason == REJECT_NONE && event_item_next(&items, list->kind, &item); number++)
        for (size_t i = 0; i < n; i++) {
            if (!(item.present >> i & 1))
                continue;
            reason = event_check_value(d, slice_of(fields[i].name), &fields[i], &item.v[i]);
            if (reason != REJECT_NONE)
                return event_refuse_inside(d, name, number);
        }
    return reason;
}

static enum reject_reason check_attrs(struct decoding *d, struct slice name, const struct event_value *value)
{
    struct cursor items = cursor_of(value->s);
    struct event_attr attr;
    enum reject_reason reason = check_count(d, name, value->i, EVENT_ATTRS_MAX);
    while (reason == REJECT_NONE && event_attrs_next(&items, &attr)) {
        if (!is_name(attr.name))
            return bad_id(d, name, "a list of names [a-z][a-z0-9_]{0,31}");
        reason = check_length(d, name, attr.value, EVENT_TEXT_BYTES_MAX);
    }
    return reason;
}

/* Those that the ledger writes by itself are never accepted from outside (formats 3.8). Quarantine, release and
 * machine_version are in force where they stand in the ledger, but others ask for them (docs/decisions/0030). */
static bool may_be_asked_for(int64_t control)
{
    return control != CONTROL_CONTROL_tick && control != CONTROL_CONTROL_gap &&
           control != CONTROL_CONTROL_source_stalled;
}

static enum reject_reason check_control(struct decoding *d, struct slice name, const struct event_value *value)
{
    bool ours = d->event->type == EVENT_CONTROL && value == &d->event->v[CONTROL_CONTROL];
    if (!ours || may_be_asked_for(value->i))
        return REJECT_NONE;
    return event_refuse(d, REJECT_bad_enum, name, "%.*s: this control is the ledger's own", SLICE_ARG(name));
}

/* An id that nothing can be said against, told by a quick look: the full check is for all others. */
static bool plainly_id(struct slice id)
{
    if (id.n - 1 >= EVENT_ID_BYTES_MAX || id.n == MOBILE_DIGITS || id.p[0] == '+')
        return false;
    uint64_t found = 0;
    for (size_t i = 0; i < id.n; i += 8) {
        uint64_t word = EACH_BYTE('a');
        memcpy(&word, id.p + i, id.n - i < 8 ? id.n - i : 8);
        uint64_t rest = word ^ EACH_BYTE(0x7f), at = word ^ EACH_BYTE('@');
        found |= ((word - EACH_BYTE(0x20)) & ~word) | ((rest - EACH_BYTE(1)) & ~rest) | ((at - EACH_BYTE(1)) & ~at);
    }
    return (found & EACH_BYTE(0x80)) == 0;
}

bool event_value_plain(const struct event *event, enum event_field_kind kind, const struct event_value *value)
{
    switch (kind) {
    case FIELD_ID:
        return plainly_id(value->s);
    case FIELD_INT:
    case FIELD_PRICE:
    case FIELD_QTY:
    case FIELD_BOOL:
        return true;
    case FIELD_COUNT:
        return value->i >= 0;
    case FIELD_INSTANT:
        return value->i >= 0 && value->i <= TIME_TEXT_MAX_MS;
    case FIELD_ENUM:
        return event->type != EVENT_CONTROL;
    default:
        return false;
    }
}

enum reject_reason event_check_value(struct decoding *d, struct slice name, const struct event_field *field,
                                     struct event_value *value)
{
    switch (field->kind) {
    case FIELD_ID:
    case FIELD_PLAN_ID:
    case FIELD_TENANT:
        return check_id(d, name, field->kind, value->s);
    case FIELD_ITEM_ID:
        return check_item_id(d, name, value->s);
    case FIELD_NAME:
        return is_name(value->s) ? REJECT_NONE : bad_id(d, name, "a name [a-z][a-z0-9_]{0,31}");
    case FIELD_TEXT:
        return check_length(d, name, value->s, EVENT_TEXT_BYTES_MAX);
    case FIELD_LONG:
    case FIELD_SPEC:
        return check_length(d, name, value->s, EVENT_LONG_BYTES_MAX);
    case FIELD_COUNT:
        return check_range(d, name, value->i, 0, INT64_MAX);
    case FIELD_ONE:
        return check_range(d, name, value->i, 1, INT64_MAX);
    case FIELD_MONEY:
        return check_range(d, name, value->i, -EVENT_MONEY_MAX, EVENT_MONEY_MAX);
    case FIELD_LAT:
        return check_range(d, name, value->i, -90 * DEGREE, 90 * DEGREE);
    case FIELD_LON:
        return check_range(d, name, value->i, -180 * DEGREE, 180 * DEGREE);
    case FIELD_PPM:
        return check_range(d, name, value->i, 0, PPM_ONE);
    case FIELD_INSTANT:
    case FIELD_MS:
        return check_time(d, name, value->i, TIME_TEXT_MIN_MS, TIME_TEXT_MAX_MS);
    case FIELD_DATE:
        return check_time(d, name, value->i, TIME_TEXT_MIN_MS / DAY_MS, TIME_TEXT_MAX_MS / DAY_MS);
    case FIELD_CURRENCY:
        return check_currency(d, name, value->s);
    case FIELD_FLAGS:
        return check_count(d, name, value->i, EVENT_FLAGS_MAX);
    case FIELD_SEQS:
        return check_count(d, name, value->i, EVENT_SEQS_MAX);
    case FIELD_SPLITS:
        return check_items(d, name, field, value, EVENT_SPLITS_MAX);
    case FIELD_LINES:
        return check_items(d, name, field, value, EVENT_LINES_MAX);
    case FIELD_DIGESTS:
    case FIELD_POSITIONS:
        return check_items(d, name, field, value, EVENT_DIGESTS_MAX);
    case FIELD_ATTRS:
        return check_attrs(d, name, value);
    case FIELD_ENUM:
        return check_control(d, name, value);
    case FIELD_INT:
    case FIELD_PRICE:
    case FIELD_QTY:
    case FIELD_BOOL:
    case FIELD_BYTES:
    case FIELD_RAW:
        break;
    }
    return REJECT_NONE;
}
