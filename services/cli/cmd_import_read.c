/* cmd_import_read.c -- the lines of an import: read, judged by the door's rules for their place in the order, sorted.
 *
 * The bytes of a line are never changed (but for --as-tenant): the ledger judges them again and alone. Here the
 * verdict only says where a line stands, and what a dry run tells. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd_import.h"
#include "model/plan.h"

static const uint32_t importable = 1u << EVENT_VISIT | 1u << EVENT_ORDER | 1u << EVENT_LEAD | 1u << EVENT_FACT |
                                   1u << EVENT_PLAN | 1u << EVENT_ACTION | 1u << EVENT_CONTROL;

static struct buf *keep_buf(struct import *import)
{
    struct buf *copy = malloc(sizeof *copy);
    import->copies = reallocarray(import->copies, import->copy_count + 1, sizeof *import->copies);
    if (!copy || !import->copies)
        abort();
    buf_init(copy);
    return import->copies[import->copy_count++] = copy;
}

static struct slice keep(struct import *import, struct slice text)
{
    struct buf *copy = keep_buf(import);
    buf_add_slice(copy, text);
    return buf_slice(copy);
}

static bool is_within(struct slice inner, struct slice outer)
{
    return inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n;
}

void import_report(struct import *import, const char *file, uint64_t line, const char *reason, const char *text)
{
    if (!import->cli->json) {
        (void)fprintf(stderr, "%s:%llu: %s: %s\n", file, (unsigned long long)line, reason, text);
        return;
    }
    struct buf out = {0};
    buf_addf(&out, "{\"class\":\"rejected\",\"reason\":\"%s\",\"text\":", reason);
    text_add_json(&out, slice_of(text));
    buf_add_text(&out, ",\"file\":");
    text_add_json(&out, slice_of(file));
    buf_addf(&out, ",\"line\":%llu}\n", (unsigned long long)line);
    (void)fwrite(out.p, 1, out.n, stdout);
    buf_close(&out);
}

/* ---- one line */

/* "type":"lead" of a line that is broken elsewhere. Only tells to which topic its bytes go. */
static enum event_type guess_type(struct slice line)
{
    enum event_type type;
    const char *p = memmem(line.p, line.n, "\"type\"", 6), *end = line.p + line.n;
    if (!p)
        return EVENT_TYPE_NONE;
    p += 6;
    while (p < end && strchr(" \t:", *p))
        p++;
    const char *close = p < end && *p == '"' ? memchr(p + 1, '"', (size_t)(end - p - 1)) : NULL;
    bool known = close && event_type_of(slice_make(p + 1, (size_t)(close - p - 1)), &type);
    return known && (importable >> type & 1) ? type : EVENT_TYPE_NONE;
}

/* The type of a refused line: what its schema says, or the first fields of its JSON. */
static enum event_type refused_type(const struct event *event, struct slice line)
{
    bool known = event->type < EVENT_TYPE_COUNT && (importable >> event->type & 1);
    return known ? event->type : guess_type(line);
}

static uint32_t tenant_number(struct import *import, struct slice tenant)
{
    return tenant.n && tenant.n <= 64 ? intern_put(&import->tenants, tenant) : INTERN_NONE;
}

/* --as-tenant: the name alone is replaced where it stands, so that all else keeps its bytes. */
static struct slice with_tenant(struct import *import, struct slice bytes, struct slice old)
{
    if (!is_within(old, bytes))
        return bytes;
    struct buf *copy = keep_buf(import);
    buf_add(copy, bytes.p, (size_t)(old.p - bytes.p));
    buf_add_slice(copy, import->as_tenant);
    buf_add(copy, old.p + old.n, (size_t)(bytes.p + bytes.n - (old.p + old.n)));
    return buf_slice(copy);
}

static void place_event(struct import *import, struct import_line *line, const struct event *event)
{
    struct slice id = event->v[EV_EVENT_ID].s;
    line->good = true;
    line->at_ms = event_recorded_at(event);
    line->source_seq = event->v[EV_SOURCE_SEQ].i;
    if (event->type == EVENT_PLAN) {
        struct buf *key = keep_buf(import);
        line->at_ms = event->v[PLAN_VALID_FROM].i;
        buf_addf(key, "%lld", (long long)event->v[PLAN_KIND].i);
        buf_add_byte(key, ' ');
        buf_add_slice(key, event->v[PLAN_ID].s);
        id = buf_slice(key);
    } else if (!is_within(id, line->bytes))
        id = keep(import, id);
    line->id = id;
}

static void note_time(struct import *import, const struct event *event)
{
    int64_t at_ms = event->v[EV_OCCURRED_AT].i;
    struct import_counts *counts = &import->counts;
    if (event->type == EVENT_PLAN || event->type == EVENT_CONTROL)
        return;
    if (!counts->any || at_ms < counts->first_ms)
        counts->first_ms = at_ms;
    if (!counts->any || at_ms > counts->last_ms)
        counts->last_ms = at_ms;
    counts->any = true;
}

static void refuse(struct import *import, const struct import_line *line, const struct reject *reject)
{
    char text[384];
    if (!import->dry_run)
        return; /* the ledger will say it */
    import->counts.rejected++;
    import->counts.reasons[reject->reason]++;
    (void)snprintf(text, sizeof text, "%s%s%s", reject->field, reject->field[0] ? ": " : "", reject->text);
    import_report(import, import->files[line->file].path, line->line, reject_reason_name(reject->reason), text);
}

static enum err_code add_line(struct import *import, struct slice bytes, uint32_t file, uint64_t number)
{
    if (import->count == IMPORT_LINES_MAX)
        return err_set(&import->cli->err, ERR_CONFIG, "more than %d lines in one import: split the files",
                       IMPORT_LINES_MAX);
    if (import->count == import->cap) {
        import->cap = import->cap ? import->cap * 2 : 4096;
        import->lines = reallocarray(import->lines, import->cap, sizeof *import->lines);
        if (!import->lines)
            abort();
    }
    struct event_origin origin = {.arrival_ms = import->now_ms, .topic_types = importable, .partitions = 1};
    struct import_line *line = &import->lines[import->count++];
    struct event event;
    struct reject reject = {0};
    *line = (struct import_line){.bytes = bytes, .file = file, .line = number, .type = EVENT_TYPE_NONE};
    import->counts.read++;
    buf_clear(&import->scratch);
    enum reject_reason reason = event_decode(import->codec, bytes, &origin, &event, &import->scratch, &reject);
    struct slice tenant = reason ? reject.tenant : event.v[EV_TENANT].s;
    line->type = (uint8_t)(reason ? refused_type(&event, bytes) : event.type);
    line->tenant = tenant_number(import, import->as_tenant.n ? import->as_tenant : tenant);
    if (!reason) {
        struct hash128 hash = event_body_hash(import->codec, &event, &import->scratch);
        line->body_low = hash.low;
        line->body_high = hash.high;
        note_time(import, &event);
        place_event(import, line, &event);
    } else
        refuse(import, line, &reject);
    if (import->as_tenant.n && tenant.n) {
        struct slice id = line->id;
        struct slice changed = with_tenant(import, bytes, tenant);
        if (is_within(id, bytes) && changed.p != bytes.p)
            line->id = keep(import, id);
        line->bytes = changed;
    }
    import->counts.by_type[line->type < EVENT_TYPE_COUNT ? line->type : EVENT_CONTROL] += line->good;
    return OK;
}

/* ---- files */

static enum err_code open_file(struct import *import, const char *path, uint32_t *number)
{
    struct err *err = &import->cli->err;
    if (import->file_count == IMPORT_FILES_MAX)
        return err_set(err, ERR_USAGE, "more than %d files", IMPORT_FILES_MAX);
    struct import_file *file = &import->files[import->file_count];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        int reason = fd < 0 ? errno : EINVAL;
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, reason == EACCES ? ERR_DENIED : ERR_USAGE, "%s: %s", path,
                       fd < 0 ? strerror(reason) : "expected a file");
    }
    *file = (struct import_file){.path = strdup(path), .size = (size_t)info.st_size};
    void *bytes = file->size ? mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    (void)close(fd);
    if (bytes == MAP_FAILED)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    file->bytes = bytes;
    file->mapped = bytes != NULL;
    *number = import->file_count++;
    return OK;
}

enum err_code import_read_ndjson(struct import *import, const char *path)
{
    uint32_t number;
    enum err_code code = open_file(import, path, &number);
    if (code != OK)
        return code;
    const struct import_file *file = &import->files[number];
    const char *p = file->bytes, *end = p + file->size;
    for (uint64_t line = 1; p < end && code == OK; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        const char *next = stop ? stop + 1 : end;
        size_t n = (size_t)((stop ? stop : end) - p);
        if (n && p[n - 1] == '\r')
            n--;
        if (n)
            code = add_line(import, slice_make(p, n), number, line);
        progress_set(&import->progress, import->counts.read);
        p = next;
    }
    return code;
}

struct mapping_context {
    struct import *import;
};

static void on_error(void *context, const char *file, uint64_t line, const char *reason, const char *text)
{
    import_report(((struct mapping_context *)context)->import, file, line, reason, text);
}

static uint32_t name_file(struct import *import, const char *path)
{
    for (uint32_t i = import->file_count; i-- > 0;)
        if (strcmp(import->files[i].path, path) == 0)
            return i;
    if (import->file_count == IMPORT_FILES_MAX)
        return IMPORT_FILES_MAX - 1;
    import->files[import->file_count] = (struct import_file){.path = strdup(path)};
    return import->file_count++;
}

static enum err_code take_result(struct import *import, const struct mapping *mapping, struct mapping_result *result,
                                 const char *path)
{
    struct buf *text = keep_buf(import);
    enum err_code code = OK;
    *text = result->text; /* the lines point into it */
    buf_init(&result->text);
    if (result->plan.n)
        code = import_add_plan(import, path, buf_slice(&result->plan));
    for (size_t i = 0; i < result->count && code == OK; i++) {
        const struct mapped_event *event = &result->events[i];
        code = add_line(import, slice_make(text->p + event->text, event->text_bytes),
                        name_file(import, mapping_file_name(mapping, event->file)), event->line);
        progress_set(&import->progress, import->counts.read);
    }
    import->counts.failed_rows += result->failed_rows;
    import->counts.read += result->failed_rows;
    import->counts.rejected += result->failed_rows;
    import->rows = result->rows;
    import->skipped_rows = result->skipped_rows;
    return code;
}

enum err_code import_read_mapping(struct import *import, const char *path, const char *const *files, int count)
{
    struct findings findings;
    struct mapping *mapping = NULL;
    struct mapping_result result = {0};
    struct mapping_context context = {import};
    findings_init(&findings);
    enum err_code code = mapping_load(path, (struct mapping_places){files, count}, &findings, &mapping);
    if (code != OK) {
        findings_print(&findings, stderr);
        code = findings_to_err(&findings, &import->cli->err);
    }
    findings_close(&findings);
    if (code != OK)
        return code;
    if (import->as_tenant.n)
        mapping_set_tenant(mapping, import->as_tenant);
    if (!import->tenant.n)
        import->tenant = keep(import, mapping_tenant(mapping));
    code = mapping_run(mapping, &result, on_error, NULL, &context, &import->cli->err);
    if (code == OK)
        code = take_result(import, mapping, &result, path);
    mapping_result_close(&result);
    mapping_destroy(&mapping);
    return code;
}

enum err_code import_add_line(struct import *import, struct slice bytes, const char *path, uint64_t number)
{
    return add_line(import, keep(import, bytes), name_file(import, path), number);
}

/* ---- order */

static int rank(const struct import_line *line) { return !line->good ? 0 : line->type == EVENT_PLAN ? 1 : 2; }

static int place(const struct import_line *a, const struct import_line *b)
{
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static int as_lived(const void *left, const void *right)
{
    const struct import_line *a = left, *b = right;
    if (rank(a) != rank(b))
        return rank(a) - rank(b);
    if (!a->good)
        return place(a, b);
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (rank(a) == 2 && a->source_seq != b->source_seq)
        return a->source_seq < b->source_seq ? -1 : 1;
    int order = slice_cmp(a->id, b->id);
    return order ? order : place(a, b);
}

void import_sort(struct import *import)
{
    if (import->as_lived && import->count)
        qsort(import->lines, import->count, sizeof *import->lines, as_lived);
}

/* ---- dry run: the same identity twice is a duplicate or a conflict */

static void conflict(struct import *import, const struct import_line *line, const struct import_line *first)
{
    char text[160];
    (void)snprintf(text, sizeof text, "the event_id of line %llu of %.80s again, with another body",
                   (unsigned long long)first->line, import->files[first->file].path);
    import->counts.rejected++;
    import->counts.reasons[REJECT_conflict]++;
    import_report(import, import->files[line->file].path, line->line, "conflict", text);
}

void import_dry_run(struct import *import)
{
    struct intern ids;
    struct buf key = {0};
    size_t *first = calloc(import->count + 1, sizeof *first);
    if (!first)
        abort();
    intern_init(&ids, IMPORT_LINES_MAX);
    for (size_t i = 0; i < import->count; i++) {
        const struct import_line *line = &import->lines[i];
        if (!line->good)
            continue;
        buf_clear(&key);
        buf_addf(&key, "%u %u ", line->tenant, line->type);
        /* of a plan item the body tells versions apart; its event_id is a digest of it */
        if (line->type == EVENT_PLAN)
            buf_addf(&key, "%llx %llx ", (unsigned long long)line->body_low, (unsigned long long)line->body_high);
        buf_add_slice(&key, line->id);
        uint32_t before = ids.count, number = intern_put(&ids, buf_slice(&key));
        if (number == before) {
            first[number] = i;
            import->counts.accepted++;
            continue;
        }
        const struct import_line *other = &import->lines[first[number]];
        if (other->body_low == line->body_low && other->body_high == line->body_high)
            import->counts.duplicate++;
        else
            conflict(import, line, other);
    }
    intern_close(&ids);
    buf_close(&key);
    free(first);
}

void import_close(struct import *import)
{
    for (uint32_t i = 0; i < import->file_count; i++) {
        if (import->files[i].mapped)
            (void)munmap(import->files[i].bytes, import->files[i].size);
        free(import->files[i].path);
    }
    for (size_t i = 0; i < import->copy_count; i++) {
        buf_close(import->copies[i]);
        free(import->copies[i]);
    }
    free(import->copies);
    free(import->lines);
    intern_close(&import->tenants);
    buf_close(&import->scratch);
}
