/* block.c -- see block.h. */
#define XXH_STATIC_LINKING_ONLY
#include "ledger/block.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    BLOCK_VERSION = 1,
    BLOCK_FLAG_OPEN = 1,
    CHECKSUM_AT = 84,
    HEADER_BYTES = 92,
    RECORD_HEAD_BYTES_MAX = 3 + 7 * 10, /* kind, type, source; seven varints */
    TENANT_SLOTS = 2 * BLOCK_TENANTS_MAX
};

static const char block_magic[4] = {'P', 'L', 'B', '1'};

/* A slot of the tenant dictionary belongs to the present block only if its round is the writer's. */
struct tenant_slot {
    uint32_t round;
    uint32_t index;
};

struct block_writer {
    struct buf bytes; /* header, then body */
    struct block_header header;
    uint32_t count;
    int64_t time_ms;
    uint64_t numbers[LEDGER_SOURCE_COUNT];
    uint32_t round;
    uint32_t tenant_count;
    struct {
        uint32_t at, n; /* the name's place in bytes */
    } tenants[BLOCK_TENANTS_MAX];
    struct tenant_slot slots[TENANT_SLOTS];
};

struct block_writer *block_writer_new(void)
{
    struct block_writer *writer = calloc(1, sizeof *writer);
    if (writer)
        buf_reserve(&writer->bytes, BLOCK_BYTES_MAX);
    return writer;
}

void block_writer_destroy(struct block_writer **writer)
{
    if (*writer)
        buf_close(&(*writer)->bytes);
    free(*writer);
    *writer = NULL;
}

void block_begin(struct block_writer *writer, const struct block_header *header)
{
    static const uint8_t room[HEADER_BYTES];
    buf_clear(&writer->bytes);
    buf_add(&writer->bytes, room, sizeof room);
    writer->header = *header;
    writer->count = 0;
    writer->time_ms = header->time_ms;
    writer->tenant_count = 0;
    writer->round++;
    memset(writer->numbers, 0, sizeof writer->numbers);
}

/* Slot of `tenant`: its own, or the free one where it would go. */
static struct tenant_slot *find_slot(struct block_writer *writer, struct slice tenant)
{
    uint64_t i = XXH3_64bits(tenant.p, tenant.n) % TENANT_SLOTS;
    while (writer->slots[i].round == writer->round) {
        uint32_t index = writer->slots[i].index;
        struct slice name = slice_make(writer->bytes.p + writer->tenants[index].at, writer->tenants[index].n);
        if (slice_eq(name, tenant))
            break;
        i = (i + 1) % TENANT_SLOTS;
    }
    return &writer->slots[i];
}

/* Tenant field: 0 = none, k = the k-th tenant of the block; the number after the last one introduces a new name. */
static void add_tenant(struct block_writer *writer, struct slice tenant)
{
    struct buf *out = &writer->bytes;
    if (tenant.n == 0) {
        buf_add_byte(out, 0);
        return;
    }
    struct tenant_slot *slot = find_slot(writer, tenant);
    if (slot->round == writer->round) {
        buf_add_varint(out, slot->index + 1);
        return;
    }
    uint32_t index = writer->tenant_count++;
    assert(index < BLOCK_TENANTS_MAX);
    *slot = (struct tenant_slot){writer->round, index};
    buf_add_varint(out, index + 1);
    buf_add_varint(out, tenant.n);
    writer->tenants[index].at = (uint32_t)out->n;
    writer->tenants[index].n = (uint32_t)tenant.n;
    buf_add_slice(out, tenant);
}

static void add_number(struct block_writer *writer, const struct ledger_record *record)
{
    if (record->source >= LEDGER_SOURCE_COUNT)
        return;
    uint64_t *last = &writer->numbers[record->source];
    buf_add_zigzag(&writer->bytes, (int64_t)(record->number - *last));
    buf_add_varint(&writer->bytes, record->dups_before);
    *last = record->number;
}

bool block_add(struct block_writer *writer, const struct ledger_record *record)
{
    size_t bytes_max = RECORD_HEAD_BYTES_MAX + record->tenant.n + record->body.n;
    if (writer->count == BLOCK_RECORDS_MAX || (writer->count > 0 && writer->bytes.n + bytes_max > BLOCK_BYTES_MAX))
        return false;
    assert(record->kind >= 1 && record->kind <= LEDGER_KIND_MAX);
    assert(record->source < LEDGER_SOURCE_COUNT || record->source == LEDGER_SOURCE_NONE);
    assert(record->time_ms >= writer->time_ms);
    struct buf *out = &writer->bytes;
    buf_reserve(out, bytes_max);
    buf_add_byte(out, record->kind);
    buf_add_byte(out, record->type);
    buf_add_byte(out, record->source);
    add_tenant(writer, record->tenant);
    buf_add_varint(out, record->tenant_seq);
    add_number(writer, record);
    buf_add_varint(out, (uint64_t)(record->time_ms - writer->time_ms));
    buf_add_varint(out, record->body.n);
    buf_add_slice(out, record->body);
    writer->time_ms = record->time_ms;
    writer->count++;
    return true;
}

uint32_t block_count(const struct block_writer *writer) { return writer->count; }

static uint64_t checksum(const uint8_t *p, size_t n)
{
    uint64_t head = XXH3_64bits(p, CHECKSUM_AT);
    return XXH3_64bits_withSeed(p + HEADER_BYTES, n - HEADER_BYTES, head);
}

static void write_header(const struct block_header *header, uint32_t body_bytes, struct buf *out)
{
    buf_add(out, block_magic, sizeof block_magic);
    buf_add_u16(out, BLOCK_VERSION);
    buf_add_u16(out, header->open ? BLOCK_FLAG_OPEN : 0);
    buf_add_u32(out, header->shard);
    buf_add_u32(out, header->branch);
    buf_add_u32(out, header->epoch);
    buf_add_u64(out, header->writer);
    buf_add_u64(out, header->first_seq);
    buf_add_u32(out, header->count);
    buf_add_u64(out, (uint64_t)header->time_ms);
    buf_add_u64(out, (uint64_t)header->last_ms);
    buf_add_u64(out, header->prefix.low);
    buf_add_u64(out, header->prefix.high);
    buf_add_u64(out, header->schema);
    buf_add_u32(out, body_bytes);
}

struct slice block_end(struct block_writer *writer)
{
    struct buf *bytes = &writer->bytes;
    size_t n = bytes->n;
    assert(writer->header.open ? writer->count == 0 : writer->count > 0);
    writer->header.count = writer->count;
    writer->header.last_ms = writer->time_ms;
    bytes->n = 0;
    write_header(&writer->header, (uint32_t)(n - HEADER_BYTES), bytes);
    assert(bytes->n == CHECKSUM_AT);
    buf_add_u64(bytes, 0);
    bytes->n = CHECKSUM_AT;
    buf_add_u64(bytes, checksum(bytes->p, n));
    bytes->n = n;
    return buf_slice(bytes);
}

static bool read_header(struct cursor *in, struct block_header *header, uint16_t *version, uint32_t *body_bytes,
                        uint64_t *sum)
{
    struct slice magic = cursor_take(in, sizeof block_magic);
    *version = cursor_u16(in);
    uint16_t flags = cursor_u16(in);
    header->open = flags & BLOCK_FLAG_OPEN;
    header->shard = cursor_u32(in);
    header->branch = cursor_u32(in);
    header->epoch = cursor_u32(in);
    header->writer = cursor_u64(in);
    header->first_seq = cursor_u64(in);
    header->count = cursor_u32(in);
    header->time_ms = (int64_t)cursor_u64(in);
    header->last_ms = (int64_t)cursor_u64(in);
    header->prefix.low = cursor_u64(in);
    header->prefix.high = cursor_u64(in);
    header->schema = cursor_u64(in);
    *body_bytes = cursor_u32(in);
    *sum = cursor_u64(in);
    return !in->bad && slice_eq(magic, slice_make(block_magic, sizeof block_magic)) && (flags & ~BLOCK_FLAG_OPEN) == 0;
}

static bool plausible(const struct block_header *header, size_t bytes)
{
    if (header->open)
        return header->count == 0 && bytes == HEADER_BYTES;
    return header->count >= 1 && header->count <= BLOCK_RECORDS_MAX &&
           (bytes <= BLOCK_BYTES_MAX || header->count == 1) && header->first_seq >= 1 &&
           header->first_seq <= UINT64_MAX - BLOCK_RECORDS_MAX;
}

enum err_code block_open(struct block_reader *reader, struct slice bytes, struct err *err)
{
    uint16_t version;
    uint32_t body_bytes;
    uint64_t sum;
    reader->cursor = cursor_of(bytes);
    reader->next = 0;
    reader->tenant_count = 0;
    if (!read_header(&reader->cursor, &reader->header, &version, &body_bytes, &sum))
        return err_set(err, ERR_BAD_INPUT, "not a ledger block: %zu bytes without its header", bytes.n);
    if (body_bytes != bytes.n - HEADER_BYTES)
        return err_set(err, ERR_BAD_INPUT, "ledger block cut: %zu bytes of body, header says %u",
                       bytes.n - HEADER_BYTES, body_bytes);
    if (sum != checksum((const uint8_t *)bytes.p, bytes.n))
        return err_set(err, ERR_BAD_INPUT, "ledger block damaged: checksum differs");
    reader->time_ms = reader->header.time_ms;
    memset(reader->numbers, 0, sizeof reader->numbers);
    if (version != BLOCK_VERSION)
        return err_set(err, ERR_CONFIG, "ledger block of version %u, this build reads %d", version, BLOCK_VERSION);
    if (!plausible(&reader->header, bytes.n))
        return err_set(err, ERR_BAD_INPUT, "ledger block with %u records in %zu bytes", reader->header.count, bytes.n);
    return OK;
}

/* Most varints of a block are one byte. */
static inline uint64_t varint(struct cursor *in)
{
    if (__builtin_expect(in->p < in->end && *in->p < 0x80, 1))
        return *in->p++;
    return cursor_varint(in);
}

static inline int64_t zigzag(struct cursor *in)
{
    uint64_t v = varint(in);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static struct slice next_tenant(struct block_reader *reader)
{
    uint64_t k = varint(&reader->cursor);
    if (k == 0)
        return (struct slice){NULL, 0};
    if (k <= reader->tenant_count)
        return reader->tenants[k - 1];
    if (k != (uint64_t)reader->tenant_count + 1 || k > BLOCK_TENANTS_MAX) {
        reader->cursor.bad = true;
        return (struct slice){NULL, 0};
    }
    struct slice name = cursor_take(&reader->cursor, varint(&reader->cursor));
    if (name.n == 0)
        reader->cursor.bad = true;
    reader->tenants[reader->tenant_count++] = name;
    return name;
}

/* Source number and duplicates before it; the writer's own records have neither. */
static void next_number(struct block_reader *reader, struct ledger_record *record)
{
    struct cursor *in = &reader->cursor;
    record->number = 0;
    record->dups_before = 0;
    if (record->source == LEDGER_SOURCE_NONE)
        return;
    if (record->source >= LEDGER_SOURCE_COUNT) {
        in->bad = true;
        return;
    }
    reader->numbers[record->source] += (uint64_t)zigzag(in);
    uint64_t dups = varint(in);
    record->number = reader->numbers[record->source];
    record->dups_before = (uint32_t)dups;
    in->bad |= dups > UINT32_MAX || record->number > INT64_MAX;
}

static void next_time(struct block_reader *reader, struct ledger_record *record)
{
    uint64_t delta = varint(&reader->cursor);
    if (delta > INT64_MAX || __builtin_add_overflow(reader->time_ms, (int64_t)delta, &reader->time_ms))
        reader->cursor.bad = true;
    record->time_ms = reader->time_ms;
}

bool block_next(struct block_reader *reader, struct ledger_record *record, bool *bad)
{
    struct cursor *in = &reader->cursor;
    *bad = false;
    if (reader->next == reader->header.count) {
        *bad = in->bad || cursor_left(in) > 0 || reader->time_ms != reader->header.last_ms;
        return false;
    }
    struct slice head = cursor_take(in, 3);
    if (!in->bad) {
        record->kind = (uint8_t)head.p[0];
        record->type = (uint8_t)head.p[1];
        record->source = (uint8_t)head.p[2];
        in->bad = record->kind == 0 || record->kind > LEDGER_KIND_MAX;
        record->tenant = next_tenant(reader);
        record->tenant_seq = varint(in);
        next_number(reader, record);
        next_time(reader, record);
        record->body = cursor_take(in, varint(in));
    }
    if (in->bad) {
        *bad = true;
        return false;
    }
    record->seq = reader->header.first_seq + reader->next++;
    return true;
}
