/* ledger_totals.c -- see ledger_totals.h. Two small Avro records are walked by hand here, so that this library needs
 * no schema program: the tick (all of it) and the reject (its first two fields). */
#include "ledger/ledger_totals.h"

#include <assert.h>

#include "model/event.h" /* the list of reject reasons only */

static_assert((int)REJECT_REASON_COUNT <= (int)LEDGER_REASONS_MAX, "counters of reject reasons");

void ledger_totals_init(struct ledger_totals *totals)
{
    *totals = (struct ledger_totals){0};
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        totals->sources[s].position = -1;
}

static struct slice take_string(struct cursor *in)
{
    int64_t n = cursor_zigzag(in);
    if (n < 0)
        in->bad = true;
    return in->bad ? (struct slice){NULL, 0} : cursor_take(in, (uint64_t)n);
}

static uint64_t take_count(struct cursor *in)
{
    int64_t n = cursor_zigzag(in);
    in->bad |= n < 0;
    return in->bad ? 0 : (uint64_t)n;
}

void ledger_tick_write(int64_t clock_ms, const struct ledger_totals *totals, struct buf *out)
{
    buf_add_zigzag(out, clock_ms);
    buf_add_zigzag(out, LEDGER_SOURCE_COUNT);
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *source = &totals->sources[s];
        const char *topic = ledger_source_topic((enum ledger_source)s);
        buf_add_zigzag(out, (int64_t)strlen(topic));
        buf_add_text(out, topic);
        buf_add_zigzag(out, source->position);
        buf_add_zigzag(out, (int64_t)source->accepted);
        buf_add_zigzag(out, (int64_t)source->duplicate);
        buf_add_zigzag(out, (int64_t)source->rejected);
    }
    buf_add_zigzag(out, 0); /* end of the array */
}

static bool read_source(struct cursor *in, struct ledger_totals *totals)
{
    struct slice topic = take_string(in);
    struct ledger_source_totals told = {.position = cursor_zigzag(in)};
    told.accepted = take_count(in);
    told.duplicate = take_count(in);
    told.rejected = take_count(in);
    if (in->bad || told.position < -1)
        return false;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        if (slice_is(topic, ledger_source_topic((enum ledger_source)s))) {
            totals->sources[s] = told;
            return true;
        }
    return false;
}

bool ledger_tick_read(struct slice body, int64_t *clock_ms, struct ledger_totals *totals)
{
    struct cursor in = cursor_of(body);
    *clock_ms = cursor_zigzag(&in);
    int64_t count = cursor_zigzag(&in);
    if (in.bad || count < 0 || count > LEDGER_SOURCE_COUNT)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (!read_source(&in, totals))
            return false;
    return (count == 0 || cursor_zigzag(&in) == 0) && !in.bad && cursor_left(&in) == 0;
}

static bool apply_tick(struct ledger_totals *totals, struct slice body)
{
    int64_t clock_ms;
    struct ledger_totals told = *totals;
    if (!ledger_tick_read(body, &clock_ms, &told))
        return false;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *now = &totals->sources[s], *next = &told.sources[s];
        if (next->position < now->position || next->accepted != now->accepted || next->rejected != now->rejected ||
            next->duplicate < now->duplicate)
            return false;
    }
    memcpy(totals->sources, told.sources, sizeof totals->sources);
    return true;
}

/* Counter of a reject's reason: field `reason` behind the enum `class`. */
static uint64_t *reason_of(struct ledger_totals *totals, struct slice body)
{
    static const char *const names[] = {"",
#define X(name) #name,
                                        REJECT_REASONS(X)
#undef X
    };
    struct cursor in = cursor_of(body);
    (void)cursor_zigzag(&in);
    struct slice name = take_string(&in);
    for (unsigned r = 1; !in.bad && r < REJECT_REASON_COUNT; r++)
        if (slice_is(name, names[r]))
            return &totals->reasons[r];
    return NULL;
}

bool ledger_totals_apply(struct ledger_totals *totals, const struct ledger_record *record)
{
    if (record->kind == LEDGER_TICK)
        return apply_tick(totals, record->body);
    if (record->source == LEDGER_SOURCE_NONE)
        return true;
    struct ledger_source_totals *source = &totals->sources[record->source];
    if ((int64_t)record->number <= source->position)
        return false;
    if (record->kind == LEDGER_REJECT) {
        uint64_t *reason = reason_of(totals, record->body);
        if (!reason)
            return false;
        ++*reason;
        source->rejected++;
    } else {
        source->accepted++;
    }
    source->position = (int64_t)record->number;
    source->duplicate += record->dups_before;
    return true;
}

void ledger_totals_save(const struct ledger_totals *totals, struct buf *out)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *source = &totals->sources[s];
        buf_add_zigzag(out, source->position);
        buf_add_varint(out, source->accepted);
        buf_add_varint(out, source->duplicate);
        buf_add_varint(out, source->rejected);
    }
    for (unsigned r = 0; r < LEDGER_REASONS_MAX; r++)
        buf_add_varint(out, totals->reasons[r]);
}

bool ledger_totals_load(struct ledger_totals *totals, struct cursor *in)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        struct ledger_source_totals *source = &totals->sources[s];
        source->position = cursor_zigzag(in);
        source->accepted = cursor_varint(in);
        source->duplicate = cursor_varint(in);
        source->rejected = cursor_varint(in);
        if (source->position < -1)
            return false;
    }
    for (unsigned r = 0; r < LEDGER_REASONS_MAX; r++)
        totals->reasons[r] = cursor_varint(in);
    return !in->bad;
}
