/* health.c -- see health.h. */
#include "base/health.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

struct reason {
    char name[HEALTH_NAME_BYTES_MAX + 1];
    char text[HEALTH_TEXT_BYTES_MAX + 1];
};

struct health_part {
    struct health *health;
    char name[HEALTH_NAME_BYTES_MAX + 1];
    int64_t beat_limit_ms;
    atomic_llong beat_ms; /* monotonic, of the last beat */
    bool ready;           /* said so once */
    bool ended;
    struct reason reasons[HEALTH_REASONS_MAX]; /* by name */
    size_t reason_count;
};

struct health {
    struct clock *clock;
    pthread_mutex_t lock;                        /* of everything but the beats */
    struct health_part *parts[HEALTH_PARTS_MAX]; /* by name */
    size_t part_count;
};

struct health *health_new(struct clock *clock)
{
    struct health *health = memory_must(calloc(1, sizeof *health));
    health->clock = clock;
    (void)pthread_mutex_init(&health->lock, NULL);
    return health;
}

void health_destroy(struct health **health)
{
    if (!*health)
        return;
    for (size_t i = 0; i < (*health)->part_count; i++)
        free((*health)->parts[i]);
    (void)pthread_mutex_destroy(&(*health)->lock);
    free(*health);
    *health = NULL;
}

static struct health_part *find_or_make(struct health *health, const char *name)
{
    size_t at = 0;
    int order = 1;
    while (at < health->part_count && (order = strncmp(health->parts[at]->name, name, HEALTH_NAME_BYTES_MAX)) < 0)
        at++;
    if (at < health->part_count && order == 0)
        return health->parts[at];
    assert(health->part_count < HEALTH_PARTS_MAX);
    struct health_part *part = memory_must(calloc(1, sizeof *part));
    part->health = health;
    (void)snprintf(part->name, sizeof part->name, "%s", name);
    memmove(&health->parts[at + 1], &health->parts[at], (health->part_count - at) * sizeof *health->parts);
    health->parts[at] = part;
    health->part_count++;
    return part;
}

struct health_part *health_part(struct health *health, const char *name, int64_t beat_limit_ms)
{
    if (!health)
        return NULL;
    pthread_mutex_lock(&health->lock);
    struct health_part *part = find_or_make(health, name);
    part->beat_limit_ms = beat_limit_ms;
    part->ready = false;
    part->ended = false;
    part->reason_count = 0;
    pthread_mutex_unlock(&health->lock);
    health_beat(part);
    return part;
}

void health_beat(struct health_part *part)
{
    if (part)
        atomic_store_explicit(&part->beat_ms, part->health->clock->monotonic_ms(part->health->clock),
                              memory_order_relaxed);
}

void health_ready(struct health_part *part)
{
    if (!part)
        return;
    pthread_mutex_lock(&part->health->lock);
    part->ready = true;
    pthread_mutex_unlock(&part->health->lock);
}

void health_end(struct health_part *part)
{
    if (!part)
        return;
    pthread_mutex_lock(&part->health->lock);
    part->ended = true;
    pthread_mutex_unlock(&part->health->lock);
}

/* Place of a reason, or where it would stand. */
static size_t reason_place(const struct health_part *part, const char *name, bool *found)
{
    size_t at = 0;
    int order = 1;
    while (at < part->reason_count && (order = strncmp(part->reasons[at].name, name, HEALTH_NAME_BYTES_MAX)) < 0)
        at++;
    *found = at < part->reason_count && order == 0;
    return at;
}

void health_reason_set(struct health_part *part, const char *reason, const char *format, ...)
{
    if (!part)
        return;
    char text[HEALTH_TEXT_BYTES_MAX + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&part->health->lock);
    bool found;
    size_t at = reason_place(part, reason, &found);
    if (!found) {
        assert(part->reason_count < HEALTH_REASONS_MAX);
        memmove(&part->reasons[at + 1], &part->reasons[at], (part->reason_count - at) * sizeof *part->reasons);
        (void)snprintf(part->reasons[at].name, sizeof part->reasons[at].name, "%s", reason);
        part->reason_count++;
    }
    memcpy(part->reasons[at].text, text, sizeof text);
    pthread_mutex_unlock(&part->health->lock);
}

void health_reason_clear(struct health_part *part, const char *reason)
{
    if (!part)
        return;
    pthread_mutex_lock(&part->health->lock);
    bool found;
    size_t at = reason_place(part, reason, &found);
    if (found) {
        part->reason_count--;
        memmove(&part->reasons[at], &part->reasons[at + 1], (part->reason_count - at) * sizeof *part->reasons);
    }
    pthread_mutex_unlock(&part->health->lock);
}

static int64_t silence_ms(const struct health_part *part)
{
    struct clock *clock = part->health->clock;
    return clock->monotonic_ms(clock) - atomic_load_explicit(&part->beat_ms, memory_order_relaxed);
}

static bool part_live(const struct health_part *part) { return part->ended || silence_ms(part) <= part->beat_limit_ms; }

static bool part_ready(const struct health_part *part)
{
    return part->ended || (part->ready && part->reason_count == 0 && part_live(part));
}

static bool every_part(struct health *health, bool (*is)(const struct health_part *part))
{
    pthread_mutex_lock(&health->lock);
    bool all = true;
    for (size_t i = 0; i < health->part_count; i++)
        all &= is(health->parts[i]);
    pthread_mutex_unlock(&health->lock);
    return all;
}

bool health_is_live(struct health *health) { return every_part(health, part_live); }
bool health_is_ready(struct health *health) { return every_part(health, part_ready); }

static const char *word(bool value) { return value ? "true" : "false"; }

/* Reasons as given, and the two that the health itself knows. */
static void add_reasons(const struct health_part *part, struct buf *out)
{
    const char *between = "";
    if (!part_live(part)) {
        buf_addf(out, "\"loop\":\"no turn for %lld ms (limit %lld)\"", (long long)silence_ms(part),
                 (long long)part->beat_limit_ms);
        between = ",";
    }
    if (!part->ready) {
        buf_addf(out, "%s\"starting\":\"not caught up yet\"", between);
        between = ",";
    }
    for (size_t i = 0; i < part->reason_count; i++) {
        buf_add_text(out, between);
        text_add_json(out, slice_of(part->reasons[i].name));
        buf_add_byte(out, ':');
        text_add_json(out, slice_of(part->reasons[i].text));
        between = ",";
    }
}

static void add_part(const struct health_part *part, struct buf *out)
{
    buf_add_text(out, "{\"name\":");
    text_add_json(out, slice_of(part->name));
    buf_addf(out, ",\"live\":%s,\"ready\":%s,\"ended\":%s,\"reasons\":{", word(part_live(part)), word(part_ready(part)),
             word(part->ended));
    if (!part->ended)
        add_reasons(part, out);
    buf_add_text(out, "}}");
}

void health_write(struct health *health, struct buf *out)
{
    pthread_mutex_lock(&health->lock);
    bool ready = true;
    for (size_t i = 0; i < health->part_count; i++)
        ready &= part_ready(health->parts[i]);
    buf_addf(out, "{\"ready\":%s,\"services\":[", word(ready));
    for (size_t i = 0; i < health->part_count; i++) {
        if (i)
            buf_add_byte(out, ',');
        add_part(health->parts[i], out);
    }
    buf_add_text(out, "]}\n");
    pthread_mutex_unlock(&health->lock);
}
