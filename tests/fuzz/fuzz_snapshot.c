/* fuzz_snapshot.c -- hostile snapshots: whatever the bytes, a loader refuses them or falls back, and what it takes is a
 * state that can be saved, loaded again to the same bytes, counted and projected to an end. The first byte says which
 * loader: a tenant of the funnel; the ledger writer, bare or as an object of the store; an object of the machine
 * runtime, as it lies there or with its digests mended, without which hardly an input would get past them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/logger.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "funnel/funnel.h"
#include "ledger/ledger_snapshot_shell.h"
#include "machine/machine_out.h"
#include "machine/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROJECTED_AT_ONCE = 16, SHARDS = 1, SECTION_HEAD_BYTES = 4 + SHA256_BYTES };

static struct event_codec *codec;

/* --- a tenant of the funnel --- */

struct counting_sink {
    struct machine_sink base;
    uint64_t cells, bytes;
};

static void count_cell(struct machine_sink *base, struct slice row, struct slice field, struct slice value)
{
    struct counting_sink *sink = (struct counting_sink *)base;
    sink->cells++;
    sink->bytes += row.n + field.n + value.n;
}

/* Every cell, then what is left to be written; each call gets on. */
static void project(void *state, int64_t now_ms)
{
    const struct machine_type *type = &funnel_machine;
    struct counting_sink sink = {{count_cell}, 0, 0};
    uint64_t cursor = 0, before = 0;
    while (type->project_all(state, now_ms, &cursor, PROJECTED_AT_ONCE, &sink.base)) {
        assert(cursor > before);
        before = cursor;
    }
    assert(sink.cells >= 2); /* the row `meta` */
    type->project_done(state);
    for (size_t left = type->dirty(state); type->project_dirty(state, now_ms, PROJECTED_AT_ONCE, &sink.base);) {
        size_t now = type->dirty(state);
        assert(now < left);
        left = now;
    }
    assert(type->dirty(state) == 0);
}

/* The next timer, if one is due at all. */
static void fire(void *state, int64_t due_ms)
{
    const struct machine_type *type = &funnel_machine;
    struct outbox outbox;
    outbox_init(&outbox);
    struct machine_out out = machine_out_of(&outbox);
    if (due_ms != MACHINE_NEVER_MS && type->is_due(state, due_ms))
        while (type->fire(state, due_ms, false, false, &out))
            continue;
    outbox_close(&outbox);
}

/* What a service does with a state it has loaded. */
static void use(void *state)
{
    const struct machine_type *type = &funnel_machine;
    struct err err;
    int64_t due_ms = type->due(state);
    if (due_ms > TIME_TEXT_MAX_MS) /* a plan may wait for an instant that T never comes to */
        due_ms = MACHINE_NEVER_MS;
    fire(state, due_ms);
    enum err_code counted = type->recount(state, &err); /* cells that lie are found, and stop the tenant */
    assert(counted == OK || counted == ERR_BUG);
    project(state, due_ms == MACHINE_NEVER_MS ? 0 : due_ms);
}

static void load_funnel(struct slice bytes)
{
    const struct machine_type *type = &funnel_machine;
    struct err err;
    struct buf first = {0}, second = {0};
    void *state = type->create(SLICE("t")), *again = type->create(SLICE("t"));
    enum err_code code = type->load(state, bytes, &err);
    assert(code == OK || code == ERR_CORRUPT);
    if (code == OK) {
        type->save(state, &first);
        code = type->load(again, buf_slice(&first), &err);
        assert(code == OK);
        type->save(again, &second);
        assert(slice_eq(buf_slice(&first), buf_slice(&second)));
        use(state);
    }
    type->destroy(state);
    type->destroy(again);
    buf_close(&first);
    buf_close(&second);
}

/* --- the ledger writer --- */

static void check_writer(const struct writer *writer)
{
    struct err err;
    struct buf first = {0}, second = {0};
    struct writer *again = writer_new(codec, 0, SHARDS);
    writer_save(writer, &first);
    enum err_code code = writer_load(again, buf_slice(&first), &err);
    assert(code == OK);
    writer_save(again, &second);
    assert(slice_eq(buf_slice(&first), buf_slice(&second)));
    writer_destroy(&again);
    buf_close(&first);
    buf_close(&second);
}

static void load_writer(struct slice bytes)
{
    struct err err;
    struct writer *writer = writer_new(codec, 0, SHARDS);
    enum err_code code = writer_load(writer, bytes, &err);
    assert(code == OK || code == ERR_CORRUPT);
    if (code == OK)
        check_writer(writer);
    writer_destroy(&writer);
}

/* --- objects of the store --- */

static struct store *store_holding(const char *name, struct slice bytes)
{
    struct store *store;
    struct store_writer *writer;
    enum err_code code = store_memory_open(&store, NULL);
    code = code ? code : store_create(store, name, &writer, NULL);
    code = code ? code : store_write(writer, bytes, NULL);
    code = code ? code : store_commit(&writer, NULL);
    assert(code == OK);
    return store;
}

static void load_ledger_object(struct slice bytes)
{
    struct err err;
    bool found;
    uint32_t skipped;
    struct store *store = store_holding("ledger/0/0000000000-0000000001-00000000000000000001", bytes);
    struct writer *writer = writer_new(codec, 0, SHARDS);
    enum err_code code = ledger_snapshot_load(store, codec, 0, SHARDS, &writer, &found, &skipped, &err);
    assert(code == OK && (found ? skipped == 0 : skipped == 1)); /* one that is refused leaves a new writer */
    check_writer(writer);
    code = ledger_snapshot_save(store, writer, 0, &err);
    assert(code == OK);
    writer_destroy(&writer);
    store_destroy(&store);
}

static void save_fold(const struct fold *fold, const struct filter *filter, struct buf *out)
{
    filter_save(filter, out);
    fold_save_head(fold, out);
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++)
        fold_save_tenant(fold, tenants_at(fold->tenants, i), out);
}

/* Written and read again it is the same. */
static void check_fold(const struct fold *fold, const struct filter *filter)
{
    struct err err;
    struct buf first = {0}, second = {0};
    struct store *store;
    struct fold *again = NULL;
    struct filter filter_again;
    unsigned refused = 0;
    enum err_code code = store_memory_open(&store, &err);
    code = code ? code : snapshot_write(fold, filter, store, &err);
    code = code ? code
                : snapshot_load(&funnel_machine, codec, 0, 0, INT64_MAX, store, &again, &filter_again, &refused, &err);
    assert(code == OK && refused == 0);
    save_fold(fold, filter, &first);
    save_fold(again, &filter_again, &second);
    assert(slice_eq(buf_slice(&first), buf_slice(&second)));
    fold_destroy(&again);
    store_destroy(&store);
    buf_close(&first);
    buf_close(&second);
}

static void load_object(struct slice bytes)
{
    struct err err;
    struct fold *fold = NULL;
    struct filter filter;
    unsigned refused = 0;
    struct store *store = store_holding("funnel/0/0-00000000000000000001", bytes);
    enum err_code code = snapshot_load(&funnel_machine, codec, 0, 0, INT64_MAX, store, &fold, &filter, &refused, &err);
    assert(code == OK ? fold && refused == 0 : code == ERR_MISSING && !fold && refused == 1);
    if (code == OK)
        check_fold(fold, &filter);
    for (uint32_t i = 0; code == OK && i < tenants_count(fold->tenants); i++)
        use(tenants_at(fold->tenants, i)->state);
    fold_destroy(&fold);
    store_destroy(&store);
}

/* Puts the right digest before every section that lies inside the bytes. */
static void load_mended_object(struct slice bytes)
{
    uint8_t *mended = malloc(bytes.n ? bytes.n : 1);
    assert(mended);
    memcpy(mended, bytes.p, bytes.n);
    for (size_t at = 0; bytes.n - at >= SECTION_HEAD_BYTES;) {
        struct cursor in = cursor_of(slice_make(mended + at, 4));
        size_t length = cursor_u32(&in), left = bytes.n - at - SECTION_HEAD_BYTES;
        if (length > left)
            break;
        sha256(slice_make(mended + at + SECTION_HEAD_BYTES, length), mended + at + 4);
        at += SECTION_HEAD_BYTES + length;
    }
    load_object(slice_make(mended, bytes.n));
    free(mended);
}

/* --- the door --- */

static void begin(void)
{
    logger_level_set(LOGGER_ERROR); /* a snapshot that is refused is a warning */
    codec = event_codec_new(NULL);
    assert(codec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const loaders[])(struct slice bytes) = {load_funnel, load_writer, load_ledger_object, load_object,
                                                          load_mended_object};
    if (!codec)
        begin();
    if (size > 0)
        loaders[data[0] % (sizeof loaders / sizeof *loaders)](slice_make(data + 1, size - 1));
    return 0;
}
