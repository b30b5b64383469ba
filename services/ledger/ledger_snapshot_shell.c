/* ledger_snapshot_shell.c -- see ledger_snapshot_shell.h. */
#include "ledger_snapshot_shell.h"

#include <stdio.h>

#include "base/fault.h"

enum { READ_CHUNK_BYTES = 256 * 1024 };
#define SNAPSHOT_BYTES_MAX (UINT64_C(16) << 30)

struct names {
    char name[LEDGER_SNAPSHOTS_LISTED_MAX][STORE_NAME_BYTES_MAX + 1];
    uint32_t count; /* seen; the last LEDGER_SNAPSHOTS_LISTED_MAX are held, in a ring */
};

static void on_name(void *context, const char *name)
{
    struct names *names = context;
    char *to = names->name[names->count++ % LEDGER_SNAPSHOTS_LISTED_MAX];
    (void)snprintf(to, STORE_NAME_BYTES_MAX + 1, "%s", name);
}

static enum err_code list(struct store *store, uint32_t shard, struct names *names, struct err *err)
{
    char prefix[64];
    (void)snprintf(prefix, sizeof prefix, "ledger/%u/", shard);
    names->count = 0;
    return store_list(store, prefix, on_name, names, err);
}

/* k = 0: the newest. */
static const char *name_at(const struct names *names, uint32_t k)
{
    return names->name[(names->count - 1 - k) % LEDGER_SNAPSHOTS_LISTED_MAX];
}

static uint32_t held(const struct names *names)
{
    return names->count < LEDGER_SNAPSHOTS_LISTED_MAX ? names->count : LEDGER_SNAPSHOTS_LISTED_MAX;
}

/* The whole object, which begins with its length. */
static enum err_code read_all(struct store *store, const char *name, struct buf *bytes, struct err *err)
{
    struct store_reader *reader = NULL;
    uint8_t head[8];
    bool end = false;
    enum err_code code = store_open(store, name, &reader, err);
    if (code != OK)
        return code;
    code = store_read(reader, head, sizeof head, &end, err);
    struct cursor in = {head, head + sizeof head, false};
    uint64_t n = code == OK && !end ? cursor_u64(&in) : 0;
    if (code == OK && (end || n == 0 || n > SNAPSHOT_BYTES_MAX))
        code = err_set(err, ERR_CORRUPT, "snapshot %s has no length", name);
    while (code == OK && bytes->n < n) {
        size_t more = n - bytes->n < READ_CHUNK_BYTES ? (size_t)(n - bytes->n) : READ_CHUNK_BYTES;
        buf_reserve(bytes, more);
        code = store_read(reader, bytes->p + bytes->n, more, &end, err);
        if (code == OK && end)
            code = err_set(err, ERR_CORRUPT, "snapshot %s is cut", name);
        bytes->n += more;
    }
    store_close(&reader);
    return code;
}

static enum err_code load_one(struct store *store, const char *name, struct writer *writer, struct err *err)
{
    struct buf bytes = {0};
    enum err_code code = read_all(store, name, &bytes, err);
    if (code == OK)
        code = writer_load(writer, buf_slice(&bytes), err);
    buf_close(&bytes);
    return code;
}

enum err_code ledger_snapshot_load(struct store *store, struct event_codec *codec, uint32_t shard, uint32_t shards,
                                   struct writer **writer, bool *found, uint32_t *skipped, struct err *err)
{
    struct names names;
    *found = false;
    *skipped = 0;
    enum err_code code = list(store, shard, &names, err);
    for (uint32_t k = 0; code == OK && k < held(&names); k++) {
        enum err_code one = load_one(store, name_at(&names, k), *writer, err);
        if (one == OK) {
            *found = true;
            return OK;
        }
        if (err_class(one) == ERR_CLASS_RETRY)
            return one;
        ++*skipped;
        writer_destroy(writer);
        *writer = writer_new(codec, shard, shards);
    }
    return code;
}

static enum err_code write_all(struct store_writer *writer, struct slice bytes, struct err *err)
{
    struct buf head = {0};
    buf_add_u64(&head, bytes.n);
    enum err_code code = store_write(writer, buf_slice(&head), err);
    buf_close(&head);
    return code == OK ? store_write(writer, bytes, err) : code;
}

static enum err_code prune(struct store *store, uint32_t shard, struct err *err)
{
    struct names names;
    enum err_code code = list(store, shard, &names, err);
    for (uint32_t k = LEDGER_SNAPSHOTS_KEPT; code == OK && k < held(&names); k++)
        code = store_delete(store, name_at(&names, k), err);
    return code;
}

enum err_code ledger_snapshot_save(struct store *store, const struct writer *writer, uint32_t shard, struct err *err)
{
    const struct filter *filter = writer_filter(writer);
    char name[STORE_NAME_BYTES_MAX + 1];
    struct store_writer *object = NULL;
    struct buf bytes = {0};
    FAULT_POINT("ledger.before_snapshot");
    (void)snprintf(name, sizeof name, "ledger/%u/%010u-%010u-%020llu", shard, filter->branch, filter->epoch,
                   (unsigned long long)filter->seq);
    writer_save(writer, &bytes);
    enum err_code code = store_create(store, name, &object, err);
    if (code == OK)
        code = write_all(object, buf_slice(&bytes), err);
    if (code == OK)
        code = store_commit(&object, err);
    if (object)
        store_abandon(&object);
    buf_close(&bytes);
    FAULT_POINT("ledger.after_snapshot");
    return code == OK ? prune(store, shard, err) : code;
}
