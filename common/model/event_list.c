/* event_list.c -- lists inside an event as encoded Avro items: splits, lines, attributes, digests, positions, numbers.
 * See event.h. */
#include "model/event_internal.h"

static struct slice next_text(struct cursor *items)
{
    int64_t n = cursor_zigzag(items);
    if (n < 0)
        items->bad = true;
    return items->bad ? (struct slice){NULL, 0} : cursor_take(items, (uint64_t)n);
}

static void add_text(struct buf *items, struct slice text)
{
    buf_add_zigzag(items, (int64_t)text.n);
    buf_add_slice(items, text);
}

static bool more(const struct cursor *items) { return !items->bad && items->p < items->end; }

void event_value_add(struct buf *out, enum event_field_kind kind, const struct event_value *value)
{
    switch (event_storage(kind)) {
    case STORE_INT:
        buf_add_zigzag(out, value->i);
        break;
    case STORE_BOOL:
        buf_add_byte(out, value->i ? 1 : 0);
        break;
    case STORE_TEXT:
        add_text(out, value->s);
        break;
    case STORE_LIST:
        if (value->i > 0) {
            buf_add_zigzag(out, value->i);
            buf_add_slice(out, value->s);
        }
        buf_add_byte(out, 0);
        break;
    }
}

bool event_item_next(struct cursor *items, enum event_field_kind kind, struct event_item *item)
{
    size_t n;
    const struct event_field *fields = event_item_fields(kind, &n);
    item->present = 0;
    if (!more(items))
        return false;
    for (size_t i = 0; i < n; i++) {
        item->v[i] = (struct event_value){0};
        if (event_is_union(&fields[i]) && cursor_zigzag(items) == 0)
            continue;
        if (event_storage(fields[i].kind) == STORE_TEXT)
            item->v[i].s = next_text(items);
        else
            item->v[i].i = cursor_zigzag(items);
        item->present |= 1u << i;
    }
    return !items->bad;
}

void event_item_add(struct buf *items, enum event_field_kind kind, const struct event_item *item)
{
    size_t n;
    const struct event_field *fields = event_item_fields(kind, &n);
    for (size_t i = 0; i < n; i++) {
        bool present = item->present >> i & 1;
        if (event_is_union(&fields[i]))
            buf_add_zigzag(items, present);
        if (present)
            event_value_add(items, fields[i].kind, &item->v[i]);
    }
}

bool event_splits_next(struct cursor *items, struct event_split *split)
{
    if (!more(items))
        return false;
    split->rep_id = next_text(items);
    split->ppm = cursor_zigzag(items);
    return !items->bad;
}

void event_splits_add(struct buf *items, const struct event_split *split)
{
    add_text(items, split->rep_id);
    buf_add_zigzag(items, split->ppm);
}

static bool next_optional(struct cursor *items, int64_t *value)
{
    *value = 0;
    if (cursor_zigzag(items) == 0)
        return false;
    *value = cursor_zigzag(items);
    return true;
}

bool event_lines_next(struct cursor *items, struct event_line *line)
{
    if (!more(items))
        return false;
    line->sku = next_text(items);
    line->product_group = (struct slice){NULL, 0};
    line->has_product_group = cursor_zigzag(items) != 0;
    if (line->has_product_group)
        line->product_group = next_text(items);
    line->qty = cursor_zigzag(items);
    line->has_unit_price = next_optional(items, &line->unit_price);
    line->has_list_price = next_optional(items, &line->list_price);
    line->has_floor_price = next_optional(items, &line->floor_price);
    line->has_cost = next_optional(items, &line->cost);
    line->net_amount = cursor_zigzag(items);
    return !items->bad;
}

static void add_optional(struct buf *items, bool present, int64_t value)
{
    buf_add_zigzag(items, present);
    if (present)
        buf_add_zigzag(items, value);
}

void event_lines_add(struct buf *items, const struct event_line *line)
{
    add_text(items, line->sku);
    buf_add_zigzag(items, line->has_product_group);
    if (line->has_product_group)
        add_text(items, line->product_group);
    buf_add_zigzag(items, line->qty);
    add_optional(items, line->has_unit_price, line->unit_price);
    add_optional(items, line->has_list_price, line->list_price);
    add_optional(items, line->has_floor_price, line->floor_price);
    add_optional(items, line->has_cost, line->cost);
    buf_add_zigzag(items, line->net_amount);
}

bool event_attrs_next(struct cursor *items, struct event_attr *attr)
{
    if (!more(items))
        return false;
    attr->name = next_text(items);
    attr->value = next_text(items);
    return !items->bad;
}

void event_attrs_add(struct buf *items, const struct event_attr *attr)
{
    add_text(items, attr->name);
    add_text(items, attr->value);
}

bool event_digests_next(struct cursor *items, struct event_digest *digest)
{
    if (!more(items))
        return false;
    digest->tenant = next_text(items);
    digest->tenant_seq = cursor_zigzag(items);
    digest->digest = next_text(items);
    return !items->bad;
}

void event_digests_add(struct buf *items, const struct event_digest *digest)
{
    add_text(items, digest->tenant);
    buf_add_zigzag(items, digest->tenant_seq);
    add_text(items, digest->digest);
}

bool event_positions_next(struct cursor *items, struct event_position *position)
{
    if (!more(items))
        return false;
    position->topic = next_text(items);
    position->position = cursor_zigzag(items);
    position->accepted = cursor_zigzag(items);
    position->duplicate = cursor_zigzag(items);
    position->rejected = cursor_zigzag(items);
    return !items->bad;
}

void event_positions_add(struct buf *items, const struct event_position *position)
{
    add_text(items, position->topic);
    buf_add_zigzag(items, position->position);
    buf_add_zigzag(items, position->accepted);
    buf_add_zigzag(items, position->duplicate);
    buf_add_zigzag(items, position->rejected);
}

bool event_ints_next(struct cursor *items, int64_t *value)
{
    if (!more(items))
        return false;
    *value = cursor_zigzag(items);
    return !items->bad;
}

void event_ints_add(struct buf *items, int64_t value) { buf_add_zigzag(items, value); }
