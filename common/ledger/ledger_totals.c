/* ledger_totals.c -- see ledger_totals.h. */
#include "ledger/ledger_totals.h"

#include "ledger/reject_body.h"

void ledger_totals_init(struct ledger_totals *totals)
{
    *totals = (struct ledger_totals){0};
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        totals->sources[s].position = -1;
}

static void write_sources(const struct ledger_totals *totals, struct buf *out)
{
    buf_add_byte(out, LEDGER_SOURCE_COUNT);
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        const struct ledger_source_totals *source = &totals->sources[s];
        buf_add_zigzag(out, source->position);
        buf_add_varint(out, source->accepted);
        buf_add_varint(out, source->duplicate);
        buf_add_varint(out, source->rejected);
    }
}

static bool read_sources(struct ledger_totals *totals, struct cursor *in)
{
    if (cursor_byte(in) != LEDGER_SOURCE_COUNT)
        return false;
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        struct ledger_source_totals *source = &totals->sources[s];
        source->position = cursor_zigzag(in);
        source->accepted = cursor_varint(in);
        source->duplicate = cursor_varint(in);
        source->rejected = cursor_varint(in);
        if (source->position < -1)
            return false;
    }
    return !in->bad;
}

void ledger_tick_write(int64_t clock_ms, const struct ledger_totals *totals, struct buf *out)
{
    buf_add_zigzag(out, clock_ms);
    write_sources(totals, out);
}

bool ledger_tick_read(struct slice body, int64_t *clock_ms, struct ledger_totals *totals)
{
    struct cursor in = cursor_of(body);
    *clock_ms = cursor_zigzag(&in);
    return read_sources(totals, &in) && cursor_left(&in) == 0;
}

static bool apply_tick(struct ledger_totals *totals, struct slice body)
{
    int64_t clock_ms;
    struct ledger_totals told;
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
        struct reject_body reject;
        if (!reject_body_read(record->body, &reject) || reject.reason >= LEDGER_REASONS_MAX)
            return false;
        totals->reasons[reject.reason]++;
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
    write_sources(totals, out);
    for (unsigned r = 0; r < LEDGER_REASONS_MAX; r++)
        buf_add_varint(out, totals->reasons[r]);
}

bool ledger_totals_load(struct ledger_totals *totals, struct cursor *in)
{
    if (!read_sources(totals, in))
        return false;
    for (unsigned r = 0; r < LEDGER_REASONS_MAX; r++)
        totals->reasons[r] = cursor_varint(in);
    return !in->bad;
}
