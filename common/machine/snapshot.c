#include "machine/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/logger.h"
#include "base/sha256.h"

static const uint32_t MAGIC = 0x4e534c50; /* "PLSN" */
static const uint32_t FORMAT = 1;
static const uint32_t END_MARK = UINT32_MAX;
enum { SECTION_BYTES_MAX = 1 << 30, READ_CHUNK_BYTES = 1024 * 1024 };

/* Section: length u32, SHA-256, bytes. */
static enum err_code write_section(struct store_writer *writer, struct slice bytes, struct err *err)
{
    if (bytes.n > SECTION_BYTES_MAX)
        return err_set(err, ERR_BUG, "a snapshot section of %zu bytes", bytes.n);
    struct buf head;
    buf_init(&head);
    uint8_t digest[SHA256_BYTES];
    sha256(bytes, digest);
    buf_add_u32(&head, (uint32_t)bytes.n);
    buf_add(&head, digest, sizeof digest);
    enum err_code code = store_write(writer, buf_slice(&head), err);
    buf_close(&head);
    return code ? code : store_write(writer, bytes, err);
}

static enum err_code write_all(const struct fold *fold, const struct filter *filter, struct store_writer *writer,
                               struct buf *bytes, struct err *err)
{
    buf_add_u32(bytes, MAGIC);
    buf_add_u32(bytes, FORMAT);
    buf_add_u32(bytes, fold->type->version);
    buf_add_u32(bytes, tenants_count(fold->tenants));
    filter_save(filter, bytes);
    fold_save_head(fold, bytes);
    enum err_code code = write_section(writer, buf_slice(bytes), err);
    for (uint32_t i = 0; !code && i < tenants_count(fold->tenants); i++) {
        buf_clear(bytes);
        fold_save_tenant(fold, tenants_at(fold->tenants, i), bytes);
        code = write_section(writer, buf_slice(bytes), err);
    }
    buf_clear(bytes);
    buf_add_u32(bytes, END_MARK);
    return code ? code : store_write(writer, buf_slice(bytes), err);
}

static void name_of(const struct fold *fold, const struct filter *filter, char name[STORE_NAME_BYTES_MAX])
{
    snprintf(name, STORE_NAME_BYTES_MAX, "%s/%u/%u-%020llu", fold->type->name, fold->shard, filter->branch,
             (unsigned long long)filter->seq);
}

enum err_code snapshot_write(const struct fold *fold, const struct filter *filter, struct store *store, struct err *err)
{
    char name[STORE_NAME_BYTES_MAX];
    name_of(fold, filter, name);
    struct store_writer *writer;
    enum err_code code = store_create(store, name, &writer, err);
    if (code)
        return code;
    struct buf bytes;
    buf_init(&bytes);
    code = write_all(fold, filter, writer, &bytes, err);
    buf_close(&bytes);
    if (code) {
        store_abandon(&writer);
        return code;
    }
    return store_commit(&writer, err);
}

/* Reading. */
static enum err_code read_exact(struct store_reader *reader, void *p, size_t n, struct err *err)
{
    bool end = false;
    enum err_code code = store_read(reader, p, n, &end, err);
    if (code)
        return code;
    return end && n ? err_set(err, ERR_CORRUPT, "the snapshot is cut off") : OK;
}

static enum err_code read_length(struct store_reader *reader, uint32_t *length, struct err *err)
{
    uint8_t raw[4];
    enum err_code code = read_exact(reader, raw, sizeof raw, err);
    struct cursor in = cursor_of(slice_make(raw, sizeof raw));
    *length = code ? 0 : cursor_u32(&in);
    return code;
}

/* Piece by piece: a length that lies must not cost more memory than the object has bytes. */
static enum err_code read_bytes(struct store_reader *reader, struct buf *bytes, uint32_t length, struct err *err)
{
    buf_clear(bytes);
    while (bytes->n < length) {
        size_t more = length - bytes->n < READ_CHUNK_BYTES ? length - bytes->n : READ_CHUNK_BYTES;
        buf_reserve(bytes, more);
        enum err_code code = read_exact(reader, bytes->p + bytes->n, more, err);
        if (code)
            return code;
        bytes->n += more;
    }
    return OK;
}

static enum err_code read_section(struct store_reader *reader, struct buf *bytes, struct err *err)
{
    uint32_t length;
    uint8_t expected[SHA256_BYTES], found[SHA256_BYTES];
    enum err_code code = read_length(reader, &length, err);
    if (!code && length > SECTION_BYTES_MAX)
        return err_set(err, ERR_CORRUPT, "a snapshot section of %u bytes", length);
    if (!code)
        code = read_exact(reader, expected, sizeof expected, err);
    if (code)
        return code;
    code = read_bytes(reader, bytes, length, err);
    if (code)
        return code;
    sha256(buf_slice(bytes), found);
    if (memcmp(expected, found, sizeof found) != 0)
        return err_set(err, ERR_CORRUPT, "a snapshot section fails its checksum");
    return OK;
}

static enum err_code read_head(struct fold *fold, struct filter *filter, struct slice bytes, uint32_t *tenants,
                               struct err *err)
{
    struct cursor in = cursor_of(bytes);
    uint32_t magic = cursor_u32(&in), format = cursor_u32(&in), version = cursor_u32(&in);
    *tenants = cursor_u32(&in);
    if (in.bad || magic != MAGIC || format != FORMAT)
        return err_set(err, ERR_CORRUPT, "not a snapshot of format %u", FORMAT);
    if (version != fold->type->version)
        return err_set(err, ERR_MISSING, "made by version %u of %s, this build is version %u", version,
                       fold->type->name, fold->type->version);
    if (!filter_load(filter, &in) || !fold_load_head(fold, &in) || cursor_left(&in) || filter->shard != fold->shard)
        return err_set(err, ERR_CORRUPT, "the snapshot's head is malformed");
    return OK;
}

/* `only`: the one tenant whose section is wanted; empty: all. */
static enum err_code read_all(struct store_reader *reader, struct fold *fold, struct filter *filter, struct slice only,
                              struct buf *bytes, struct err *err)
{
    uint32_t tenants, mark;
    enum err_code code = read_section(reader, bytes, err);
    if (!code)
        code = read_head(fold, filter, buf_slice(bytes), &tenants, err);
    for (uint32_t i = 0; !code && i < tenants; i++) {
        code = read_section(reader, bytes, err);
        if (!code && (!only.n || slice_eq(fold_section_name(buf_slice(bytes)), only)))
            code = fold_load_tenant(fold, buf_slice(bytes), err);
    }
    if (!code)
        code = read_length(reader, &mark, err);
    if (!code && mark != END_MARK)
        code = err_set(err, ERR_CORRUPT, "the snapshot does not end with its mark");
    return code;
}

static enum err_code load_one(struct store *store, const char *name, struct fold *fold, struct filter *filter,
                              struct slice only, struct err *err)
{
    struct store_reader *reader;
    enum err_code code = store_open(store, name, &reader, err);
    if (code)
        return code;
    struct buf bytes;
    buf_init(&bytes);
    code = read_all(reader, fold, filter, only, &bytes, err);
    buf_close(&bytes);
    store_close(&reader);
    return code;
}

/* The newest names, newest first. Names end with 20 digits, so bytewise order within a branch is the order of seq. */
struct names {
    char list[SNAPSHOTS_LISTED_MAX][STORE_NAME_BYTES_MAX];
    size_t count;
};

static unsigned long branch_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return strtoul(slash ? slash + 1 : name, NULL, 10);
}

static int newest_first(const void *a, const void *b)
{
    unsigned long x = branch_of(a), y = branch_of(b);
    if (x != y)
        return x < y ? 1 : -1;
    return strcmp(b, a);
}

static void keep_name(void *context, const char *name)
{
    struct names *names = context;
    if (names->count == SNAPSHOTS_LISTED_MAX) { /* bytewise order: the first are the oldest of a branch */
        memmove(names->list[0], names->list[1], sizeof names->list - sizeof names->list[0]);
        names->count--;
    }
    snprintf(names->list[names->count++], STORE_NAME_BYTES_MAX, "%s", name);
}

static enum err_code list_names(struct store *store, const struct machine_type *type, uint32_t shard,
                                struct names *names, struct err *err)
{
    char prefix[STORE_NAME_BYTES_MAX];
    snprintf(prefix, sizeof prefix, "%s/%u/", type->name, shard);
    names->count = 0;
    enum err_code code = store_list(store, prefix, keep_name, names, err);
    if (!code)
        qsort(names->list, names->count, sizeof names->list[0], newest_first);
    return code;
}

static bool inside(const struct filter *filter, int64_t begin, int64_t end)
{
    return filter->next_offset >= begin && filter->next_offset <= end;
}

enum err_code snapshot_load(const struct machine_type *type, struct event_codec *codec, uint32_t shard, int64_t begin,
                            int64_t end, struct store *store, struct fold **fold, struct filter *filter,
                            unsigned *refused, struct err *err)
{
    *fold = NULL;
    struct names names;
    enum err_code code = list_names(store, type, shard, &names, err);
    if (code)
        return code;
    for (size_t i = 0; i < names.count; i++) {
        *fold = fold_new(type, codec, shard);
        code = load_one(store, names.list[i], *fold, filter, slice_of(NULL), err);
        if (!code && inside(filter, begin, end))
            return OK;
        if (!code)
            err_set(err, ERR_MISSING, "offset %lld is outside of the log's %lld..%lld", (long long)filter->next_offset,
                    (long long)begin, (long long)end);
        fold_destroy(fold);
        if (err_class(code) == ERR_CLASS_RETRY)
            return code;
        (*refused)++;
        LOGGER_WARN("snapshot refused, an older one is taken", LF_TEXT("name", names.list[i]), LF_ERR(err));
    }
    return err_set(err, ERR_MISSING, "no snapshot of %s/%u", type->name, shard);
}

enum err_code snapshot_load_tenant(const struct machine_type *type, struct event_codec *codec, uint32_t shard,
                                   const struct snapshot_of_tenant *wanted, struct store *store, struct fold **fold,
                                   struct filter *filter, struct err *err)
{
    struct names names;
    enum err_code code = list_names(store, type, shard, &names, err);
    *fold = NULL;
    for (size_t i = names.count; !code && i-- > 0;) {
        *fold = fold_new(type, codec, shard);
        enum err_code one = load_one(store, names.list[i], *fold, filter, wanted->tenant, err);
        struct tenant *tenant = one ? NULL : tenants_find((*fold)->tenants, wanted->tenant);
        bool usable = !one && filter->seq <= wanted->until_seq && inside(filter, wanted->begin, wanted->end);
        if (usable && (!tenant || tenant->stop == TENANT_RUNS))
            return OK;
        fold_destroy(fold);
        if (err_class(one) == ERR_CLASS_RETRY)
            return one;
    }
    return code ? code : err_set(err, ERR_MISSING, "no snapshot of %s/%u fits", type->name, shard);
}

enum err_code snapshot_prune(const struct machine_type *type, uint32_t shard, struct store *store, struct err *err)
{
    struct names names;
    enum err_code code = list_names(store, type, shard, &names, err);
    for (size_t i = SNAPSHOTS_KEPT; !code && i < names.count; i++)
        code = store_delete(store, names.list[i], err);
    return code;
}
