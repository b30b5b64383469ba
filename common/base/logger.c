/* logger.c -- see logger.h. A line is built in a buffer of the thread and written by one write(2). */
#include "base/logger.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time_text.h"

enum { SERVICE_BYTES_MAX = 63, SECRET_BYTES_MIN = 4, SECRET_BYTES_MAX = 4096, CUT_ROOM_BYTES = 64 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_heads[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
static const char *const level_colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER; /* of what follows */
static char service_name[SERVICE_BYTES_MAX + 1] = "paceline";
static int target_fd = STDERR_FILENO;
static bool human;
static bool coloured;
static struct clock *clock_used;
static struct buf secrets[LOGGER_SECRETS_MAX];
static size_t secret_count;

static atomic_int level_min = LOGGER_INFO;
static _Thread_local char thread_service[SERVICE_BYTES_MAX + 1];

static void copy_name(char out[SERVICE_BYTES_MAX + 1], const char *name)
{
    (void)snprintf(out, SERVICE_BYTES_MAX + 1, "%s", name);
}

void logger_init(const struct logger_options *options)
{
    pthread_rwlock_wrlock(&lock);
    copy_name(service_name, options->service ? options->service : "paceline");
    target_fd = options->fd > 0 ? options->fd : STDERR_FILENO;
    human = options->format == LOGGER_HUMAN || (options->format == LOGGER_AUTO && isatty(target_fd));
    const char *no_color = getenv("NO_COLOR");
    coloured = !(no_color && *no_color);
    clock_used = options->clock;
    pthread_rwlock_unlock(&lock);
    logger_level_set(options->level);
}

void logger_service_set(const char *service) { copy_name(thread_service, service ? service : ""); }
void logger_level_set(enum logger_level level) { atomic_store_explicit(&level_min, (int)level, memory_order_relaxed); }

bool logger_level_parse(struct slice text, enum logger_level *level)
{
    for (int i = LOGGER_DEBUG; i <= LOGGER_ERROR; i++)
        if (slice_is(text, level_names[i])) {
            *level = (enum logger_level)i;
            return true;
        }
    return false;
}

bool logger_secret_add(struct slice secret)
{
    if (secret.n < SECRET_BYTES_MIN || secret.n > SECRET_BYTES_MAX)
        return false;
    pthread_rwlock_wrlock(&lock);
    bool known = false;
    for (size_t i = 0; i < secret_count && !known; i++)
        known = slice_eq(buf_slice(&secrets[i]), secret);
    bool added = known || secret_count < LOGGER_SECRETS_MAX;
    if (added && !known)
        buf_add_slice(&secrets[secret_count++], secret);
    pthread_rwlock_unlock(&lock);
    return added;
}

/* Length of the secret that begins at p, 0 if none does; the longest, as one may begin another. */
static size_t secret_at(const char *p, const char *end)
{
    size_t longest = 0;
    for (size_t i = 0; i < secret_count; i++) {
        size_t n = secrets[i].n;
        if (n > longest && (size_t)(end - p) >= n && memcmp(p, secrets[i].p, n) == 0)
            longest = n;
    }
    return longest;
}

/* The value without secrets, borrowed when there are none, built in `scratch` otherwise. */
static struct slice without_secrets(struct slice text, struct buf *scratch)
{
    if (secret_count == 0 || text.n < SECRET_BYTES_MIN)
        return text;
    const char *end = text.p + text.n;
    buf_clear(scratch);
    for (const char *p = text.p; p < end;) {
        size_t n = secret_at(p, end);
        if (n)
            buf_add_text(scratch, "***");
        else
            buf_add_byte(scratch, (uint8_t)*p);
        p += n ? n : 1;
    }
    return buf_slice(scratch);
}

static void add_number(const struct logger_field *field, struct buf *line)
{
    if (field->kind == LF_KIND_UINT)
        buf_addf(line, "%llu", (unsigned long long)field->number);
    else
        buf_addf(line, "%lld", (long long)field->number);
}

static void add_value(const struct logger_field *field, struct buf *line, struct buf *scratch)
{
    switch (field->kind) {
    case LF_KIND_TEXT:
    case LF_KIND_SLICE:
        text_add_json(line, without_secrets(field->text, scratch));
        break;
    case LF_KIND_INT:
    case LF_KIND_UINT:
        add_number(field, line);
        break;
    case LF_KIND_BOOL:
        buf_add_text(line, field->number ? "true" : "false");
        break;
    case LF_KIND_END:
        break;
    }
}

/* A field that would make the line too long is left out and said so; what stands is always whole. */
static bool keep_within(struct buf *line, size_t before)
{
    if (line->n <= LOGGER_LINE_BYTES_MAX - CUT_ROOM_BYTES)
        return true;
    line->n = before;
    return false;
}

static void add_json(const struct logger_field *fields, struct buf *line, struct buf *scratch)
{
    bool whole = true;
    for (const struct logger_field *field = fields; field->kind != LF_KIND_END; field++) {
        size_t before = line->n;
        buf_add_byte(line, ',');
        text_add_json(line, slice_of(field->key));
        buf_add_byte(line, ':');
        add_value(field, line, scratch);
        whole &= keep_within(line, before);
    }
    if (!whole)
        buf_add_text(line, ",\"cut\":true");
}

static const char *service_now(void) { return *thread_service ? thread_service : service_name; }

static void write_json(const char *at, enum logger_level level, const struct logger_field *fields, unsigned suppressed,
                       struct buf *line, struct buf *scratch)
{
    buf_addf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"svc\":", at, level_names[level]);
    text_add_json(line, slice_of(service_now()));
    add_json(fields, line, scratch);
    if (suppressed)
        buf_addf(line, ",\"suppressed\":%u", suppressed);
    buf_add_text(line, "}\n");
}

/* The message first, then key=value; texts stay quoted, so that a line is a line. */
static void write_human(const char *at, enum logger_level level, const struct logger_field *fields, unsigned suppressed,
                        struct buf *line, struct buf *scratch)
{
    buf_addf(line, "%.12s %s%s%s %s: ", at + 11, coloured ? level_colours[level] : "", level_heads[level],
             coloured ? "\033[0m" : "", service_now());
    struct slice message = without_secrets(fields->text, scratch);
    size_t start = line->n;
    text_add_clean(
        line, slice_make(message.p, message.n < LOGGER_LINE_BYTES_MAX / 8 ? message.n : LOGGER_LINE_BYTES_MAX / 8));
    for (size_t i = start; i < line->n; i++)
        if (line->p[i] < ' ' || line->p[i] == 0x7f)
            line->p[i] = ' ';
    for (const struct logger_field *field = fields + 1; field->kind != LF_KIND_END; field++) {
        size_t before = line->n;
        buf_addf(line, " %s=", field->key);
        add_value(field, line, scratch);
        (void)keep_within(line, before);
    }
    if (suppressed)
        buf_addf(line, " suppressed=%u", suppressed);
    buf_add_byte(line, '\n');
}

/* Whether this site may write now. Races between threads cost at most a line more or less. */
static bool may_write(struct logger_site *site, int64_t now_ms, unsigned *suppressed)
{
    long long start = atomic_load_explicit(&site->window_start_ms, memory_order_relaxed);
    if (start == 0 || now_ms - start >= LOGGER_SITE_WINDOW_MS) {
        if (atomic_compare_exchange_strong(&site->window_start_ms, &start, now_ms))
            atomic_store(&site->lines, 0);
    }
    if (atomic_fetch_add(&site->lines, 1) >= LOGGER_SITE_LINES_MAX) {
        atomic_fetch_add(&site->suppressed, 1);
        return false;
    }
    *suppressed = atomic_exchange(&site->suppressed, 0);
    return true;
}

static void write_whole(int fd, struct slice bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody to tell */
        bytes = slice_make(bytes.p + n, bytes.n - (size_t)n);
    }
}

void logger_write(struct logger_site *site, enum logger_level level, const struct logger_field *fields)
{
    assert(fields[0].kind == LF_KIND_TEXT);
    if ((int)level < atomic_load_explicit(&level_min, memory_order_relaxed))
        return;
    pthread_rwlock_rdlock(&lock);
    struct clock *clock = clock_used ? clock_used : clock_system();
    unsigned suppressed = 0;
    /* + 1: a clock at 0 must not look like a site that never wrote */
    if (may_write(site, clock->monotonic_ms(clock) + 1, &suppressed)) {
        char at[INSTANT_TEXT_BYTES];
        instant_print(clock->now_ms(clock), at);
        struct buf line = {0};
        struct buf scratch = {0};
        if (human)
            write_human(at, level, fields, suppressed, &line, &scratch);
        else
            write_json(at, level, fields, suppressed, &line, &scratch);
        write_whole(target_fd, buf_slice(&line));
        buf_close(&line);
        buf_close(&scratch);
    }
    pthread_rwlock_unlock(&lock);
}
