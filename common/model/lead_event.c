#define _GNU_SOURCE /* qsort_r */
#include "lead_event.h"

#include <stdlib.h>

uint32_t lead_currency_of(struct slice code)
{
    uint32_t number = 0;
    for (size_t i = 0; i < 3 && i < code.n; i++)
        number = number * 26 + (uint32_t)(code.p[i] - 'A') % 26;
    return number + 1;
}

void lead_currency_text(uint32_t currency, char text[4])
{
    for (int i = 2; i >= 0; i--) {
        text[i] = (char)('A' + (currency - 1) / (i == 2 ? 1u : i == 1 ? 26u : 676u) % 26);
    }
    text[3] = 0;
}

uint64_t lead_event_key(uint64_t event_key, uint8_t action, uint32_t has)
{
    uint64_t type = action != LEAD_STEP ? 0 : has & LEAD_HAS_FACT ? EVENT_FACT : EVENT_VISIT;
    return event_key ^ type * 0x9e3779b97f4a7c15u;
}

/* By the event keys themselves (semantics 0.2); of two types with one event_id by what tells them apart. */
static int key_cmp(const struct lead_event *a, const struct lead_event *b)
{
    uint64_t x = lead_event_key(a->key, a->action, a->has), y = lead_event_key(b->key, b->action, b->has);
    if (x != y)
        return x < y ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

int lead_event_cmp(const struct lead_event *a, const struct lead_event *b)
{
    if ((a->action == LEAD_BASE) != (b->action == LEAD_BASE))
        return a->action == LEAD_BASE ? -1 : 1;
    if (a->valid_at_ms != b->valid_at_ms)
        return a->valid_at_ms < b->valid_at_ms ? -1 : 1;
#ifdef SEEDED_BUG_SWAP_TIE
    if (a->source_seq != b->source_seq)
        return a->source_seq > b->source_seq ? -1 : 1;
#else
    if (a->source_seq != b->source_seq)
        return a->source_seq < b->source_seq ? -1 : 1;
#endif
    return key_cmp(a, b);
}

/* One row per optional field: which bit, and the value as a signed number. The order is the order on the wire. */
#define LEAD_WIRE(X)                                                                                                   \
    X(LEAD_HAS_SOURCE_SEQ, (int64_t)event->source_seq, event->source_seq = (uint64_t)value)                            \
    X(LEAD_HAS_OCCURRED, event->occurred_at_ms - event->valid_at_ms,                                                   \
      event->occurred_at_ms = event->valid_at_ms + value)                                                              \
    X(LEAD_HAS_RECORDED, event->recorded_at_ms - event->occurred_at_ms,                                                \
      event->recorded_at_ms = event->occurred_at_ms + value)                                                           \
    X(LEAD_HAS_TO_STAGE, event->to_stage, event->to_stage = (uint32_t)value)                                           \
    X(LEAD_HAS_OWNER, event->owner, event->owner = (uint32_t)value)                                                    \
    X(LEAD_HAS_AMOUNT, event->amount, event->amount = value)                                                           \
    X(LEAD_HAS_AMOUNT, event->currency, event->currency = (uint32_t)value)                                             \
    X(LEAD_HAS_PIPELINE, event->pipeline, event->pipeline = (uint32_t)value)                                           \
    X(LEAD_HAS_CHANNEL, event->channel, event->channel = (uint32_t)value)                                              \
    X(LEAD_HAS_TOUCH, event->touch_kind, event->touch_kind = (uint8_t)value)                                           \
    X(LEAD_HAS_NEXT_ACTION, event->next_action_at_ms - event->valid_at_ms,                                             \
      event->next_action_at_ms = event->valid_at_ms + value)                                                           \
    X(LEAD_HAS_HOLD, event->hold_until_ms - event->valid_at_ms, event->hold_until_ms = event->valid_at_ms + value)     \
    X(LEAD_HAS_CAMPAIGN, event->campaign, event->campaign = (uint32_t)value)                                           \
    X(LEAD_HAS_CATEGORY, event->category, event->category = (uint8_t)value)                                            \
    X(LEAD_HAS_CLOSE_DATE, event->close_date, event->close_date = value)                                               \
    X(LEAD_HAS_SCORE, event->score, event->score = value)                                                              \
    X(LEAD_HAS_MERGED_INTO, event->merged_into, event->merged_into = (uint32_t)value)

enum { RECORD_BYTES_MAX = 256 };

static void encode_fields(const struct lead_event *event, struct buf *out)
{
    buf_add_zigzag(out, event->valid_at_ms);
    buf_add_byte(out, (uint8_t)(event->op | event->provenance << 2));
    buf_add_byte(out, event->action);
    buf_add_varint(out, event->has);
    if (event->has & LEAD_HAS_CORRECTS)
        buf_add_u64(out, event->corrects);
#define X(bit, get, set)                                                                                               \
    if (event->has & (bit))                                                                                            \
        buf_add_zigzag(out, get);
    LEAD_WIRE(X)
#undef X
    if (event->action == LEAD_BASE)
        buf_add_slice(out, event->base);
}

void lead_event_encode(const struct lead_event *event, struct buf *out)
{
    size_t start = out->n;
    buf_add_byte(out, 0); /* length: one byte for all but unusual records, moved up below when it needs two */
    buf_add_u64(out, event->key);
    encode_fields(event, out);
    size_t length = out->n - start - 1;
    if (length < 128) {
        out->p[start] = (uint8_t)length;
        return;
    }
    buf_add_byte(out, 0);
    memmove(out->p + start + 2, out->p + start + 1, length);
    out->p[start] = (uint8_t)(length | 128);
    out->p[start + 1] = (uint8_t)(length >> 7);
}

static void decode_fields(struct cursor *in, struct lead_event *event)
{
    event->valid_at_ms = cursor_zigzag(in);
    event->occurred_at_ms = event->valid_at_ms;
    uint8_t how = cursor_byte(in);
    event->op = how & 3;
    event->provenance = how >> 2;
    event->action = cursor_byte(in);
    event->has = (uint32_t)cursor_varint(in);
    event->corrects = event->has & LEAD_HAS_CORRECTS ? cursor_u64(in) : 0;
    /* What is absent must read as nothing; recorded_at defaults to the occurred_at that may come first. */
    event->recorded_at_ms = event->occurred_at_ms;
    event->source_seq = 0;
#define X(bit, get, set)                                                                                               \
    if (event->has & (bit)) {                                                                                          \
        int64_t value = cursor_zigzag(in);                                                                             \
        set;                                                                                                           \
    }
    LEAD_WIRE(X)
#undef X
    if (!(event->has & LEAD_HAS_RECORDED))
        event->recorded_at_ms = event->occurred_at_ms;
    event->base = event->action == LEAD_BASE ? cursor_take(in, cursor_left(in)) : (struct slice){"", 0};
}

bool lead_event_decode(struct cursor *in, struct lead_event *event)
{
    if (in->p == in->end)
        return false;
    struct cursor record = cursor_of(cursor_take(in, cursor_varint(in)));
    event->key = cursor_u64(&record);
    event->active = true;
    event->orphan = event->ignored = false;
    decode_fields(&record, event);
    in->bad |= record.bad | (record.p != record.end);
    return !in->bad;
}

/* valid_at alone, for skipping: only equal instants need the whole record. */
static int order_of(struct slice record, const struct lead_event *event)
{
    struct cursor in = cursor_of(record);
    struct lead_event other = {.key = cursor_u64(&in)};
    struct cursor peek = in;
    int64_t at_ms = cursor_zigzag(&peek);
    if (at_ms != event->valid_at_ms)
        return at_ms < event->valid_at_ms ? -1 : 1;
    decode_fields(&in, &other);
    return lead_event_cmp(&other, event);
}

/* Most events come last: then only their keys are compared with those before, and their order with the last one. */
size_t lead_events_place(struct slice blob, const struct lead_event *event, bool *held, bool *last)
{
    struct cursor in = cursor_of(blob);
    struct slice record = {"", 0};
    *held = false;
    while (in.p != in.end && !in.bad) {
        record = cursor_take(&in, cursor_varint(&in));
        uint64_t key;
        memcpy(&key, record.p, sizeof key); /* records are little endian like every machine we build for */
        *held |= key == event->key;
    }
    *last = !record.n || order_of(record, event) < 0;
    if (*last)
        return blob.n;
    in = cursor_of(blob);
    size_t place = 0;
    for (;;) {
        record = cursor_take(&in, cursor_varint(&in));
        if (order_of(record, event) >= 0)
            return place;
        place = (size_t)((const char *)in.p - blob.p);
    }
}

/* --- which events count --------------------------------------------------------------------------------------- */

/* (recorded_at, source_seq, key): the order in which corrections win. */
static int recorded_cmp(const struct lead_event *a, const struct lead_event *b)
{
    if (a->recorded_at_ms != b->recorded_at_ms)
        return a->recorded_at_ms < b->recorded_at_ms ? -1 : 1;
    if (a->source_seq != b->source_seq)
        return a->source_seq < b->source_seq ? -1 : 1;
    return key_cmp(a, b);
}

static int falling(const void *a, const void *b, void *events)
{
    const struct lead_event *all = events;
    return recorded_cmp(&all[*(const uint32_t *)b], &all[*(const uint32_t *)a]);
}

static int by_key(const void *a, const void *b, void *events)
{
    const struct lead_event *all = events;
    uint64_t x = all[*(const uint32_t *)a].key, y = all[*(const uint32_t *)b].key;
    return x < y ? -1 : x > y;
}

enum { CORRECTIONS_FEW = 8 }; /* up to so many, each looks through all events; more are worth an index */

/* Places of all events by key; NULL: not worth it. */
static uint32_t *index_of(struct lead_event *events, uint32_t count, uint32_t corrections)
{
    if (corrections <= CORRECTIONS_FEW)
        return NULL;
    uint32_t *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        abort();
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = i;
    qsort_r(sorted, count, sizeof *sorted, by_key, events);
    return sorted;
}

/* The event with this key, by the places in `sorted` if there is one. */
static struct lead_event *named_by(struct lead_event *events, uint32_t count, const uint32_t *sorted, uint64_t key)
{
    uint32_t low = 0, high = sorted ? count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (events[sorted[middle]].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count; low++) {
        struct lead_event *event = &events[sorted ? sorted[low] : low];
        if (event->key == key && event->action != LEAD_BASE)
            return event;
        if (sorted && event->key != key)
            break;
    }
    return NULL;
}

uint32_t lead_events_resolve(struct lead_event *events, uint32_t count, uint32_t *order)
{
    uint32_t corrections = 0, orphans = 0;
    for (uint32_t i = 0; i < count; i++) {
        events[i].active = true;
        events[i].orphan = events[i].ignored = false;
        if (events[i].op != OP_ASSERT)
            order[corrections++] = i;
    }
    if (!corrections)
        return 0;
    qsort_r(order, corrections, sizeof *order, falling, events);
    uint32_t *sorted = index_of(events, count, corrections);
    for (uint32_t i = 0; i < corrections; i++) {
        struct lead_event *correction = &events[order[i]];
        struct lead_event *named = named_by(events, count, sorted, correction->corrects);
        correction->orphan = !named;
        orphans += !named;
#ifdef SEEDED_BUG_SKIP_RETRACT
        if (correction->op == OP_RETRACT)
            continue;
#endif
        if (!named || !correction->active)
            continue;
        if (recorded_cmp(named, correction) < 0)
            named->active = false;
        else
            correction->ignored = true;
    }
    free(sorted);
    for (uint32_t i = 0; i < count; i++) {
        if (events[i].op == OP_RETRACT)
            events[i].active = false; /* a retract folds nothing itself */
    }
    return orphans;
}
