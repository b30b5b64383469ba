/* intern.c -- see intern.h. */
#include "base/intern.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum { CHUNK_BYTES = 64 * 1024, TEXTS_FIRST = 64 };

struct intern_chunk {
    struct intern_chunk *next;
    size_t used, cap;
    char bytes[];
};

void intern_init(struct intern *intern, uint32_t count_max)
{
    *intern = (struct intern){0};
    map_init(&intern->map, count_max);
}

void intern_close(struct intern *intern)
{
    uint32_t count_max = intern->map.count_max;
    while (intern->chunks) {
        struct intern_chunk *next = intern->chunks->next;
        free(intern->chunks);
        intern->chunks = next;
    }
    map_close(&intern->map);
    free(intern->texts);
    intern_init(intern, count_max);
}

static struct slice store(struct intern *intern, struct slice text)
{
    struct intern_chunk *chunk = intern->chunks;
    if (!chunk || chunk->cap - chunk->used < text.n + 1) {
        size_t cap = text.n + 1 > CHUNK_BYTES ? text.n + 1 : CHUNK_BYTES;
        chunk = memory_must(malloc(sizeof *chunk + cap));
        *chunk = (struct intern_chunk){.next = intern->chunks, .cap = cap};
        intern->chunks = chunk;
    }
    char *copy = chunk->bytes + chunk->used;
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    chunk->used += text.n + 1;
    intern->bytes += text.n;
    return (struct slice){copy, text.n};
}

uint32_t intern_put(struct intern *intern, struct slice text)
{
    uint32_t number = map_get(&intern->map, text);
    if (number != MAP_NONE)
        return number;
    if (intern->count == intern->map.count_max)
        return INTERN_NONE;
    if (intern->count == intern->cap) {
        intern->cap = intern->cap ? intern->cap * 2 : TEXTS_FIRST;
        intern->texts = memory_must(realloc(intern->texts, intern->cap * sizeof *intern->texts));
    }
    struct slice stored = store(intern, text);
    bool put = map_put(&intern->map, stored, intern->count);
    assert(put);
    (void)put;
    intern->texts[intern->count] = stored;
    return intern->count++;
}

uint32_t intern_get(const struct intern *intern, struct slice text) { return map_get(&intern->map, text); }

struct slice intern_text(const struct intern *intern, uint32_t number)
{
    assert(number < intern->count);
    return intern->texts[number];
}
