/* id_table.c -- see id_table.h. */
#include "id_table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SEGMENT_SLOTS_MIN = 16,
    SPILL_SLOTS_MIN = 64, /* behind the last home slot: nothing wraps around; a spill that is full doubles */
    TIME_BITS = 64 - ID_BODY_BITS
};
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

/* value 0 = free: an entry's time is kept + 1 modulo 2^36, and body bits are set besides, see pack(). */
struct entry {
    uint64_t key;
    uint64_t value;
};

struct segment {
    struct entry *entries; /* homes + spill */
    uint32_t homes, spill;
    uint32_t count;
};

struct id_table {
    struct segment segments[ID_SEGMENTS];
    uint32_t sweep_next;
};

static struct entry *entries_new(uint32_t homes, uint32_t spill)
{
    struct entry *entries = calloc((size_t)homes + spill, sizeof *entries);
    if (!entries) {
        fputs("paceline: out of memory for the table of ids\n", stderr);
        abort();
    }
    return entries;
}

/* First sizes lie evenly spread within one step of growth, so that segments grow in turn, not all at once. */
static uint32_t first_homes(uint32_t segment)
{
    return SEGMENT_SLOTS_MIN * 16 + SEGMENT_SLOTS_MIN * 4 * segment / ID_SEGMENTS;
}

struct id_table *id_table_new(void)
{
    struct id_table *table = calloc(1, sizeof *table);
    if (!table)
        abort();
    return table;
}

void id_table_destroy(struct id_table **table)
{
    for (unsigned s = 0; *table && s < ID_SEGMENTS; s++)
        free((*table)->segments[s].entries);
    free(*table);
    *table = NULL;
}

/* Times wrap after two years; the lowest body bit is always set, so no entry looks free. */
static uint64_t pack(uint64_t body, int64_t now_ms) { return (body | 1) << TIME_BITS | ((uint64_t)now_ms & TIME_MASK); }

static bool alive(uint64_t value, int64_t now_ms)
{
    uint64_t age_ms = ((uint64_t)now_ms - value) & TIME_MASK;
    return age_ms < (uint64_t)ID_HORIZON_MS; /* half-open, as every window (semantics 0.1) */
}

static uint32_t slots_of(const struct segment *segment) { return segment->homes + segment->spill; }

static uint32_t segment_of(uint64_t key) { return (uint32_t)(key >> 56); }

/* Fastrange of the bits below the segment's: monotonic in the key. */
static uint32_t home_of(const struct segment *segment, uint64_t key)
{
    return (uint32_t)(((key << 8 >> 32) * segment->homes) >> 32);
}

void id_table_prefetch(const struct id_table *table, uint64_t key)
{
    const struct segment *segment = &table->segments[segment_of(key)];
    if (segment->entries)
        __builtin_prefetch(&segment->entries[home_of(segment, key)]);
}

/* Slot of `key`, or the one where it belongs: the first free or greater. */
static uint32_t slot_of(const struct segment *segment, uint64_t key)
{
    uint32_t at = home_of(segment, key);
    while (at < slots_of(segment) && segment->entries[at].value && segment->entries[at].key < key)
        at++;
    return at;
}

enum id_answer id_table_find(const struct id_table *table, uint64_t key, uint64_t body, int64_t now_ms)
{
    const struct segment *segment = &table->segments[segment_of(key)];
    if (!segment->entries)
        return ID_NEW;
    uint32_t at = slot_of(segment, key);
    if (at == slots_of(segment))
        return ID_NEW;
    const struct entry *entry = &segment->entries[at];
    if (!entry->value || entry->key != key || !alive(entry->value, now_ms))
        return ID_NEW;
    return entry->value >> TIME_BITS == pack(body, 0) >> TIME_BITS ? ID_SAME : ID_OTHER;
}

/* Puts an entry whose place may be taken: everything up to the next free slot moves up one. False: no free slot. */
static bool insert(struct segment *segment, struct entry entry)
{
    uint32_t end = slots_of(segment);
    uint32_t at = slot_of(segment, entry.key);
    if (at < end && segment->entries[at].value && segment->entries[at].key == entry.key) {
        segment->entries[at].value = entry.value;
        return true;
    }
    uint32_t free_at = at;
    while (free_at < end && segment->entries[free_at].value)
        free_at++;
    if (free_at >= end)
        return false;
    memmove(&segment->entries[at + 1], &segment->entries[at], (free_at - at) * sizeof entry);
    segment->entries[at] = entry;
    segment->count++;
    return true;
}

/* Moves what is alive to a segment of `homes`; false: it does not fit (a crowd at the end), take a larger spill. */
static bool rebuild(struct segment *segment, uint32_t homes, uint32_t spill, int64_t now_ms)
{
    struct segment next = {entries_new(homes, spill), homes, spill, 0};
    for (uint32_t i = 0; i < slots_of(segment); i++) {
        struct entry entry = segment->entries[i];
        if (entry.value && alive(entry.value, now_ms) && !insert(&next, entry)) {
            free(next.entries);
            return false;
        }
    }
    free(segment->entries);
    *segment = next;
    return true;
}

static uint32_t alive_count(const struct segment *segment, int64_t now_ms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < slots_of(segment); i++)
        count += segment->entries[i].value && alive(segment->entries[i].value, now_ms);
    return count;
}

static bool crowded(uint32_t count, uint32_t homes) { return (uint64_t)count * 10 >= (uint64_t)homes * 9; }

/* A segment that is full grows; a crowd at its end that finds no slot before that makes its spill grow alone: more
 * homes would not scatter ids whose hashes are nearly equal. */
static void make_room(struct segment *segment, int64_t now_ms)
{
    uint32_t homes = segment->homes, spill = SPILL_SLOTS_MIN;
    if (!crowded(segment->count + 1, homes))
        spill = 2 * segment->spill;
    else if (crowded(alive_count(segment, now_ms), homes - homes / 5))
        homes += homes / 4;
    while (!rebuild(segment, homes, spill, now_ms))
        spill *= 2;
}

void id_table_put(struct id_table *table, uint64_t key, uint64_t body, int64_t now_ms)
{
    uint32_t number = segment_of(key);
    struct segment *segment = &table->segments[number];
    if (!segment->entries) {
        segment->homes = first_homes(number);
        segment->spill = SPILL_SLOTS_MIN;
        segment->entries = entries_new(segment->homes, segment->spill);
    }
    struct entry entry = {key, pack(body, now_ms)};
    if (crowded(segment->count + 1, segment->homes))
        make_room(segment, now_ms);
    while (!insert(segment, entry))
        make_room(segment, now_ms);
}

void id_table_sweep(struct id_table *table, int64_t now_ms)
{
    struct segment *segment = &table->segments[table->sweep_next++ % ID_SEGMENTS];
    if (segment->entries && alive_count(segment, now_ms) < segment->count)
        (void)rebuild(segment, segment->homes, segment->spill, now_ms);
}

uint64_t id_table_count(const struct id_table *table)
{
    uint64_t count = 0;
    for (unsigned s = 0; s < ID_SEGMENTS; s++)
        count += table->segments[s].count;
    return count;
}

uint64_t id_table_bytes(const struct id_table *table)
{
    uint64_t bytes = sizeof *table;
    for (unsigned s = 0; s < ID_SEGMENTS; s++)
        if (table->segments[s].entries)
            bytes += (uint64_t)slots_of(&table->segments[s]) * sizeof(struct entry);
    return bytes;
}

void id_table_save(const struct id_table *table, int64_t now_ms, struct buf *out)
{
    uint64_t count = 0;
    for (unsigned s = 0; s < ID_SEGMENTS; s++)
        if (table->segments[s].entries)
            count += alive_count(&table->segments[s], now_ms);
    buf_add_u64(out, count);
    for (unsigned s = 0; s < ID_SEGMENTS; s++) {
        const struct segment *segment = &table->segments[s];
        for (uint32_t i = 0; segment->entries && i < slots_of(segment); i++) {
            const struct entry *entry = &segment->entries[i];
            if (!entry->value || !alive(entry->value, now_ms))
                continue;
            buf_add_u64(out, entry->key);
            buf_add_u64(out, entry->value);
        }
    }
}

bool id_table_load(struct id_table *table, int64_t now_ms, struct cursor *in)
{
    uint64_t count = cursor_u64(in);
    uint64_t last = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t key = cursor_u64(in), value = cursor_u64(in);
        if (in->bad || (i > 0 && key <= last) || !(value >> TIME_BITS & 1) || !alive(value, now_ms))
            return false;
        uint64_t age_ms = ((uint64_t)now_ms - value) & TIME_MASK;
        id_table_put(table, key, value >> TIME_BITS, now_ms - (int64_t)age_ms);
        last = key;
    }
    return !in->bad;
}
