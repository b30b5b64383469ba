#include "machine/status.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"

/* The plain numbers, one row each: field of the hash and place in the struct. */
static const struct number {
    const char *field;
    size_t offset, size;
} numbers[] = {
#define ROW(name)                                                                                                      \
    {                                                                                                                  \
#name, offsetof(struct machine_status, name), sizeof(((struct machine_status *)0)->name)                       \
    }
    ROW(version), ROW(branch), ROW(epoch), ROW(seq), ROW(time_ms), ROW(next_offset), ROW(snapshot_seq), ROW(outbox),
#undef ROW
};
enum { NUMBER_COUNT = sizeof numbers / sizeof *numbers };

static const char *const source_parts[] = {"position", "accepted", "duplicate", "rejected"};
enum { SOURCE_PARTS = 4 };
static const char DIGEST[] = "digest.", STOP[] = "stop.", VOID[] = "void.";

void status_name(const char *machine, uint32_t shard, char out[STATUS_NAME_BYTES_MAX])
{
    snprintf(out, STATUS_NAME_BYTES_MAX, "%s/%u", machine, (unsigned)shard);
}

static int64_t number_get(const struct machine_status *status, const struct number *number)
{
    const char *at = (const char *)status + number->offset;
    if (number->size == sizeof(uint32_t)) {
        uint32_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void number_set(struct machine_status *status, const struct number *number, int64_t value)
{
    char *at = (char *)status + number->offset;
    uint32_t narrow = (uint32_t)value;
    if (number->size == sizeof narrow)
        memcpy(at, &narrow, sizeof narrow);
    else
        memcpy(at, &value, sizeof value);
}

static int64_t source_get(const struct status_source *source, size_t part)
{
    const int64_t parts[SOURCE_PARTS] = {source->position, (int64_t)source->accepted, (int64_t)source->duplicate,
                                         (int64_t)source->rejected};
    return parts[part];
}

static void source_set(struct status_source *source, size_t part, int64_t value)
{
    if (part == 0)
        source->position = value;
    else
        *(part == 1 ? &source->accepted : part == 2 ? &source->duplicate : &source->rejected) = (uint64_t)value;
}

/* Writing: texts go into one buffer, cells point into it once it no longer moves. */
struct writer {
    struct buf text;
    size_t (*places)[2]; /* end of the field, end of the value */
    size_t count;
};

static void add(struct writer *writer, const char *a, struct slice b, const char *c, struct slice value)
{
    buf_add_text(&writer->text, a);
    buf_add_slice(&writer->text, b);
    buf_add_text(&writer->text, c);
    writer->places[writer->count][0] = writer->text.n;
    buf_add_slice(&writer->text, value);
    writer->places[writer->count++][1] = writer->text.n;
}

static void add_number(struct writer *writer, const char *a, const char *b, const char *c, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);
    add(writer, a, slice_of(b), c, slice_make(digits, (size_t)n));
}

static void add_all(struct writer *writer, const struct machine_status *status, const struct status_tenant *tenants,
                    size_t tenant_count)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        add_number(writer, "", numbers[i].field, "", number_get(status, &numbers[i]));
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++)
        for (size_t part = 0; part < SOURCE_PARTS; part++) {
            char tail[32];
            snprintf(tail, sizeof tail, ".%s", source_parts[part]);
            add_number(writer, "", ledger_source_topic((enum ledger_source)s), tail,
                       source_get(&status->sources[s], part));
        }
    for (unsigned v = 0; v < FILTER_VERDICT_COUNT; v++)
        if (status->voids[v])
            add_number(writer, VOID, filter_verdict_name((enum filter_verdict)v), "", (int64_t)status->voids[v]);
    for (size_t i = 0; i < tenant_count; i++) {
        char text[128];
        int n = snprintf(text, sizeof text, "%llu %.*s", (unsigned long long)tenants[i].tenant_seq,
                         SLICE_ARG(tenants[i].digest));
        struct slice digest = tenants[i].tenant_seq ? slice_make(text, (size_t)n) : slice_of("");
        add(writer, DIGEST, tenants[i].tenant, "", digest);
        add(writer, STOP, tenants[i].tenant, "", tenants[i].stop); /* empty: the field is removed */
    }
}

enum err_code status_write(struct view *view, const char *machine, uint32_t shard, const struct machine_status *status,
                           const struct status_tenant *tenants, size_t tenant_count, struct err *err)
{
    if (tenant_count > STATUS_TENANTS_MAX)
        tenant_count = STATUS_TENANTS_MAX;
    size_t max = NUMBER_COUNT + LEDGER_SOURCE_COUNT * SOURCE_PARTS + FILTER_VERDICT_COUNT + 2 * tenant_count;
    struct writer writer = {.places = calloc(max, sizeof *writer.places)};
    struct view_cell *cells = calloc(max, sizeof *cells);
    if (!writer.places || !cells)
        abort();
    buf_init(&writer.text);
    add_all(&writer, status, tenants, tenant_count);

    size_t from = 0;
    for (size_t i = 0; i < writer.count; i++) {
        size_t middle = writer.places[i][0], end = writer.places[i][1];
        cells[i].field = slice_make(writer.text.p + from, middle - from);
        cells[i].value = slice_make(writer.text.p + middle, end - middle);
        from = end;
    }
    char name[STATUS_NAME_BYTES_MAX];
    status_name(machine, shard, name);
    enum err_code code = view_status_put(view, slice_of(name), cells, writer.count, err);
    buf_close(&writer.text);
    free(cells);
    free(writer.places);
    return code;
}

/* Reading. Digest and stop of a tenant are two fields: each is told as it comes. */
struct reader {
    struct machine_status *status;
    status_on_tenant *on_tenant;
    void *context;
    bool found;
};

static bool starts(struct slice text, const char *prefix, struct slice *rest)
{
    size_t n = strlen(prefix);
    if (text.n < n || memcmp(text.p, prefix, n) != 0)
        return false;
    *rest = slice_make(text.p + n, text.n - n);
    return true;
}

static void tell_tenant(struct reader *reader, struct slice tenant, struct slice digest, struct slice stop)
{
    struct status_tenant told = {.tenant = tenant, .digest = digest, .stop = stop};
    const char *blank = digest.n ? memchr(digest.p, ' ', digest.n) : NULL;
    int64_t seq = 0;
    if (blank && text_parse_int(slice_make(digest.p, (size_t)(blank - digest.p)), &seq)) {
        told.tenant_seq = (uint64_t)seq;
        told.digest = slice_make(blank + 1, digest.n - (size_t)(blank + 1 - digest.p));
    }
    if (reader->on_tenant)
        reader->on_tenant(reader->context, &told);
}

static bool take_source(struct machine_status *status, struct slice field, int64_t value)
{
    for (unsigned s = 0; s < LEDGER_SOURCE_COUNT; s++) {
        struct slice rest;
        if (!starts(field, ledger_source_topic((enum ledger_source)s), &rest) || rest.n == 0)
            continue;
        for (size_t part = 0; part < SOURCE_PARTS; part++)
            if (slice_is(slice_make(rest.p + 1, rest.n - 1), source_parts[part])) {
                source_set(&status->sources[s], part, value);
                return true;
            }
    }
    return false;
}

static void on_field(void *context, size_t row, struct slice field, struct slice value)
{
    (void)row;
    struct reader *reader = context;
    reader->found = true;
    struct slice rest;
    if (starts(field, DIGEST, &rest)) {
        tell_tenant(reader, rest, value, slice_of(""));
        return;
    }
    if (starts(field, STOP, &rest)) {
        tell_tenant(reader, rest, slice_of(""), value);
        return;
    }
    int64_t number;
    if (!text_parse_int(value, &number))
        return;
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        if (slice_is(field, numbers[i].field))
            number_set(reader->status, &numbers[i], number);
    if (starts(field, VOID, &rest))
        for (unsigned v = 0; v < FILTER_VERDICT_COUNT; v++)
            if (slice_is(rest, filter_verdict_name((enum filter_verdict)v)))
                reader->status->voids[v] = (uint64_t)number;
    take_source(reader->status, field, number);
}

enum err_code status_read(struct view *view, const char *machine, uint32_t shard, struct machine_status *status,
                          status_on_tenant *on_tenant, void *context, struct err *err)
{
    *status = (struct machine_status){0};
    struct reader reader = {status, on_tenant, context, false};
    char name[STATUS_NAME_BYTES_MAX];
    status_name(machine, shard, name);
    enum err_code code = view_status_get(view, slice_of(name), on_field, &reader, err);
    if (code)
        return code;
    return reader.found ? OK : err_set(err, ERR_MISSING, "%s has not reported yet; is the service running?", name);
}
