/* walk.c -- walks untrusted bytes along the steps of a program. See program.h. */
#include "avro/step.h"
#include "base/text.h"

struct walker {
    const uint8_t *p;
    const uint8_t *end;
    const struct step *steps;
    struct avro_slot *slots;
    uint64_t present;
    uint64_t empty_items; /* items of no bytes that may still come */
    bool canonical;
    bool trusted;
    bool bad_text;
    const char *fault;
};

static bool fail(struct walker *w, const char *fault)
{
    w->fault = fault;
    return false;
}

static inline size_t left(const struct walker *w) { return (size_t)(w->end - w->p); }

static bool read_long_slow(struct walker *w, int64_t *value)
{
    uint64_t v = 0;
    const uint8_t *p = w->p;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (p == w->end)
            return fail(w, "cut off inside a number");
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (byte == 0 && shift > 0)
            w->canonical = false;
        w->p = p;
        *value = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
        return true;
    }
    return fail(w, "number beyond 64 bits");
}

static inline bool read_long(struct walker *w, int64_t *value)
{
    if (__builtin_expect(w->p < w->end && *w->p < 0x80, 1)) {
        uint8_t byte = *w->p++;
        *value = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
        return true;
    }
    return read_long_slow(w, value);
}

static inline bool is_ascii(const uint8_t *p, size_t n)
{
    uint64_t high = 0, word;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        high |= word;
    }
    for (; n > 0; n--)
        high |= *p++;
    return (high & UINT64_C(0x8080808080808080)) == 0;
}

static inline bool take(struct walker *w, int64_t n, struct slice *bytes)
{
    if (n < 0 || (uint64_t)n > left(w))
        return fail(w, "length beyond the end");
    *bytes = slice_make(w->p, (size_t)n);
    w->p += n;
    return true;
}

static inline bool read_text(struct walker *w, struct slice *text)
{
    int64_t n = 0;
    if (!read_long(w, &n) || !take(w, n, text))
        return false;
    if (!w->trusted && !is_ascii((const uint8_t *)text->p, text->n) && !text_valid(*text))
        w->bad_text = true;
    return true;
}

static bool walk_steps(struct walker *w, uint32_t from, uint32_t to);

/* Count of a block, and the bytes it claims to have (-1: it does not say). */
static bool read_block(struct walker *w, int64_t *count, int64_t *bytes)
{
    *bytes = -1;
    if (!read_long(w, count))
        return false;
    if (*count >= 0)
        return true;
    w->canonical = false;
    if (*count == INT64_MIN || !read_long(w, bytes))
        return fail(w, "block count");
    *count = -*count;
    return (*bytes >= 0 && (uint64_t)*bytes <= left(w)) || fail(w, "block size beyond the end");
}

static bool walk_block(struct walker *w, uint32_t at, int64_t count, int64_t bytes)
{
    const struct step *step = &w->steps[at];
    /* An item takes min_bytes at least; items of no bytes are counted against a limit, so that no count
     * buys work that was not paid for in bytes. */
    if ((uint64_t)count > (step->min_bytes ? left(w) / step->min_bytes : w->empty_items))
        return fail(w, "more items than bytes");
    w->empty_items -= step->min_bytes ? 0 : (uint64_t)count;
    const uint8_t *from = w->p;
    struct slice key;
    for (int64_t i = 0; i < count; i++) {
        if (step->kind == STEP_MAP && !read_text(w, &key))
            return false;
        if (!walk_steps(w, at + 1, step->end))
            return false;
    }
    return bytes < 0 || w->p - from == bytes || fail(w, "block size is not its size");
}

static bool walk_list(struct walker *w, uint32_t at, struct avro_slot *slot)
{
    const uint8_t *start = w->p, *items = w->p, *items_end = w->p;
    int64_t total = 0;
    for (unsigned blocks = 0;; blocks++) {
        int64_t count = 0, bytes = 0;
        if (!read_block(w, &count, &bytes))
            return false;
        if (count == 0)
            break;
        if (blocks == 0)
            items = w->p;
        else
            w->canonical = false;
        if (!walk_block(w, at, count, bytes))
            return false;
        items_end = w->p;
        total += count;
    }
    slot->i = total;
    slot->s = w->canonical ? slice_make(items, (size_t)(items_end - items)) : slice_make(start, (size_t)(w->p - start));
    return true;
}

static bool walk_union(struct walker *w, uint32_t at, struct avro_slot *slot)
{
    int64_t branch = 0;
    if (!read_long(w, &branch))
        return false;
    if (branch < 0 || branch >= w->steps[at].count)
        return fail(w, "union index");
    uint32_t step = at + 1;
    for (int64_t i = 0; i < branch; i++)
        step = w->steps[step].end;
    const uint8_t *from = w->p;
    if (!walk_steps(w, step + 1, w->steps[step].end))
        return false;
    *slot = (struct avro_slot){branch, slice_make(from, (size_t)(w->p - from))};
    return true;
}

static inline bool read_small(struct walker *w, const struct step *step, int64_t *value)
{
    if (!read_long(w, value))
        return false;
    if (step->kind == STEP_INT)
        return (*value >= INT32_MIN && *value <= INT32_MAX) || fail(w, "int beyond 32 bits");
    return (*value >= 0 && *value < step->count) || fail(w, "enum index");
}

static bool read_boolean(struct walker *w, int64_t *value)
{
    if (w->p == w->end || *w->p > 1)
        return fail(w, "boolean is not 0 or 1");
    *value = *w->p++;
    return true;
}

/* Null of an optional: its steps are skipped. */
static bool walk_optional(struct walker *w, const struct step *step, bool *null)
{
    int64_t branch = 0;
    if (!read_long(w, &branch))
        return false;
    if ((uint64_t)branch > 1)
        return fail(w, "union index");
    *null = branch == step->count;
    return true;
}

/* Everything but null; called where the short way of walk_steps does not lead. */
static bool walk_value(struct walker *w, uint32_t at, struct avro_slot *slot)
{
    const struct step *step = &w->steps[at];
    switch ((enum step_kind)step->kind) {
    case STEP_BOOLEAN:
        return read_boolean(w, &slot->i);
    case STEP_INT:
    case STEP_ENUM:
        return read_small(w, step, &slot->i);
    case STEP_LONG:
        return read_long(w, &slot->i);
    case STEP_BYTES:
        return read_long(w, &slot->i) && take(w, slot->i, &slot->s);
    case STEP_STRING:
        return read_text(w, &slot->s);
    case STEP_FLOAT:
    case STEP_DOUBLE:
    case STEP_FIXED:
        return take(w, step->count, &slot->s);
    case STEP_UNION:
        return walk_union(w, at, slot);
    case STEP_ARRAY:
    case STEP_MAP:
        return walk_list(w, at, slot);
    case STEP_NULL:
    case STEP_OPTIONAL:
        break;
    }
    return fail(w, "step without value");
}

/* Most values are a null, a short text or a number of one byte: these are read here, with the place in a
 * register; all else by walk_optional and walk_value. A short way that does not lead is left without a trace. */
static bool walk_steps(struct walker *w, uint32_t from, uint32_t to)
{
    const struct step *const steps = w->steps;
    const uint8_t *const end = w->end;
    const uint8_t *p = w->p;
    const bool trusted = w->trusted;
    uint64_t present = 0;
    for (uint32_t at = from; at < to; at = steps[at].end) {
        const struct step *step = &steps[at];
        bool null = false;
        if (step->kind == STEP_OPTIONAL) {
            if (p < end && *p <= 2 && !(*p & 1)) {
                null = *p++ >> 1 == step->count;
            } else {
                w->p = p;
                if (!walk_optional(w, step, &null))
                    return false;
                p = w->p;
            }
            if (null)
                continue;
            step = &steps[++at];
        }
        if (step->kind == STEP_NULL)
            continue;
        struct avro_slot *slot = &w->slots[step->slot];
        present |= UINT64_C(1) << step->slot;
        if (step->kind == STEP_STRING && p < end && !(*p & 0x81)) {
            size_t n = *p >> 1;
            if (n < (size_t)(end - p) && (trusted || is_ascii(p + 1, n))) {
                slot->s = slice_make(p + 1, n);
                p += 1 + n;
                continue;
            }
        } else if (step->kind == STEP_LONG && p < end && *p < 0x80) {
            slot->i = (int64_t)(*p >> 1) ^ -(int64_t)(*p & 1);
            p++;
            continue;
        } else if (step->kind == STEP_ENUM && p < end && !(*p & 0x81) && *p >> 1 < step->count) {
            slot->i = *p++ >> 1;
            continue;
        }
        w->p = p;
        if (!walk_value(w, at, slot))
            return false;
        p = w->p;
    }
    w->p = p;
    w->present |= present;
    return true;
}

enum avro_fault avro_program_walk(const struct avro_program *program, struct slice bytes, bool trusted,
                                  struct avro_slot slots[AVRO_SLOTS], struct avro_walk *walk)
{
    const uint8_t *start = (const uint8_t *)bytes.p;
    struct walker w = {.p = start,
                       .end = start + bytes.n,
                       .steps = program->steps,
                       .slots = slots,
                       .empty_items = AVRO_EMPTY_ITEMS_MAX,
                       .canonical = true,
                       .trusted = trusted};
    bool ok = walk_steps(&w, 0, program->step_count) && (w.p == w.end || fail(&w, "trailing bytes"));
    *walk =
        (struct avro_walk){w.present & ~(UINT64_C(1) << AVRO_SLOT_SINK), w.canonical, (size_t)(w.p - start), w.fault};
    if (!ok)
        return AVRO_FAULT_FORM;
    return w.bad_text ? AVRO_FAULT_UTF8 : AVRO_FAULT_NONE;
}
