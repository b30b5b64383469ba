#include "lead_table.h"

#include <assert.h>
#include <stdlib.h>

static void *need(void *p)
{
    if (!p)
        abort(); /* base/buf.h: out of memory is no state to fold on from */
    return p;
}

/* Sizes 32, 48, 64, 96, 128, 192 ...: at most a third is unused. */
static size_t class_bytes(unsigned class) { return (class & 1 ? 48u : 32u) * ((size_t)1 << class / 2); }

static unsigned class_for(size_t bytes)
{
    unsigned class = 0;
    while (class_bytes(class) < bytes)
        class ++;
    assert(class < LEAD_BLOCK_CLASSES);
    return class;
}

static uint8_t *new_chunk(struct lead_table *table, size_t bytes)
{
    if (table->chunk_count == table->chunk_capacity) {
        table->chunk_capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
        table->chunks = need(realloc(table->chunks, table->chunk_capacity * sizeof *table->chunks));
    }
    uint8_t *chunk = need(malloc(bytes));
    table->chunks[table->chunk_count++] = chunk;
    return chunk;
}

static uint8_t *block_take(struct lead_table *table, unsigned class)
{
    uint8_t *block = table->free_blocks[class];
    if (block) {
        memcpy(&table->free_blocks[class], block, sizeof(void *));
        return block;
    }
    size_t bytes = class_bytes(class);
    if (bytes > LEAD_CHUNK_BYTES / 4)
        return new_chunk(table, bytes);
    if (table->chunk_left < bytes) {
        table->chunk = new_chunk(table, LEAD_CHUNK_BYTES);
        table->chunk_left = LEAD_CHUNK_BYTES;
    }
    block = table->chunk;
    table->chunk += bytes;
    table->chunk_left -= bytes;
    return block;
}

static void block_give(struct lead_table *table, uint8_t *block, size_t capacity)
{
    unsigned class = class_for(capacity);
    memcpy(block, &table->free_blocks[class], sizeof(void *));
    table->free_blocks[class] = block;
}

void lead_table_init(struct lead_table *table)
{
    memset(table, 0, sizeof *table);
    lead_symbols_init(&table->ids);
    table->capacity = 16;
    table->leads = need(calloc(table->capacity, sizeof *table->leads));
}

void lead_table_close(struct lead_table *table)
{
    lead_symbols_close(&table->ids);
    for (size_t i = 0; i < table->chunk_count; i++)
        free(table->chunks[i]);
    free(table->chunks);
    free(table->leads);
    memset(table, 0, sizeof *table);
}

uint32_t lead_table_number(struct lead_table *table, struct slice id)
{
    bool fresh;
    uint32_t number = lead_symbols_intern(&table->ids, id, &fresh);
    if (!fresh)
        return number;
    if (number >= table->capacity) {
        table->capacity *= 2;
        table->leads = need(realloc(table->leads, table->capacity * sizeof *table->leads));
    }
    memset(&table->leads[number], 0, sizeof *table->leads);
    table->leads[number].group_next = number;
    return number;
}

void lead_table_insert(struct lead_table *table, struct lead *lead, size_t offset, struct slice record)
{
    assert(offset <= lead->bytes);
    size_t bytes = lead->bytes + record.n;
    if (bytes > lead->capacity) {
        unsigned class = class_for(bytes);
        uint8_t *block = block_take(table, class);
        if (lead->bytes)
            memcpy(block, lead->blob, lead->bytes);
        if (lead->blob)
            block_give(table, lead->blob, lead->capacity);
        lead->blob = block;
        lead->capacity = (uint32_t)class_bytes(class);
    }
    memmove(lead->blob + offset + record.n, lead->blob + offset, lead->bytes - offset);
    memcpy(lead->blob + offset, record.p, record.n);
    lead->bytes = (uint32_t)bytes;
    table->blob_bytes += record.n;
}

void lead_table_clear(struct lead_table *table, struct lead *lead)
{
    table->blob_bytes -= lead->bytes;
    if (lead->blob)
        block_give(table, lead->blob, lead->capacity);
    lead->blob = NULL;
    lead->bytes = lead->capacity = 0;
}

/* --- groups --------------------------------------------------------------------------------------------------- */

bool lead_table_same_group(struct lead_table *table, uint32_t a, uint32_t b)
{
    for (uint32_t at = a;;) {
        if (at == b)
            return true;
        at = table->leads[at].group_next;
        if (at == a)
            return false;
    }
}

void lead_table_join(struct lead_table *table, uint32_t a, uint32_t b)
{
    assert(!lead_table_same_group(table, a, b));
    uint32_t next = table->leads[a].group_next; /* two rings become one when their successors change places */
    table->leads[a].group_next = table->leads[b].group_next;
    table->leads[b].group_next = next;
}

/* --- the list of closed leads --------------------------------------------------------------------------------- */

void lead_table_list(struct lead_table *table, uint32_t number)
{
    struct lead *lead = &table->leads[number];
    assert(!(lead->flags & LEAD_LISTED));
    lead->flags |= LEAD_LISTED;
    lead->older = table->newest;
    lead->newer = 0;
    if (table->newest)
        table->leads[table->newest].newer = number;
    else
        table->oldest = number;
    table->newest = number;
}

void lead_table_unlist(struct lead_table *table, uint32_t number)
{
    struct lead *lead = &table->leads[number];
    if (!(lead->flags & LEAD_LISTED))
        return;
    lead->flags &= (uint8_t)~LEAD_LISTED;
    *(lead->older ? &table->leads[lead->older].newer : &table->oldest) = lead->newer;
    *(lead->newer ? &table->leads[lead->newer].older : &table->newest) = lead->older;
}
