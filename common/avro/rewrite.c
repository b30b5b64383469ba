/* rewrite.c -- the canonical encoding of a datum that was walked before: shortest numbers, one block a list. The bytes
 * are known to be well formed; what the cursor refuses anyway is a bug here, hence asserts. See program.h. */
#include "avro/step.h"

#include <assert.h>

struct rewriter {
    struct cursor in;
    const struct step *steps;
    struct buf *out;
};

static void rewrite_steps(struct rewriter *r, uint32_t from, uint32_t to);

static int64_t copy_long(struct rewriter *r)
{
    int64_t value = cursor_zigzag(&r->in);
    buf_add_zigzag(r->out, value);
    return value;
}

static void copy_bytes(struct rewriter *r, uint64_t n) { buf_add_slice(r->out, cursor_take(&r->in, n)); }

static int64_t read_count(struct rewriter *r)
{
    int64_t count = cursor_zigzag(&r->in);
    if (count >= 0)
        return count;
    (void)cursor_zigzag(&r->in); /* its size in bytes */
    return -count;
}

/* The number of items is only known behind the last block: the items are written first and moved up for it. */
static void insert_count(struct buf *out, size_t at, int64_t count)
{
    size_t end = out->n;
    buf_add_zigzag(out, count);
    size_t head = out->n - end;
    uint8_t bytes[10];
    assert(head <= sizeof bytes);
    memcpy(bytes, out->p + end, head);
    memmove(out->p + at + head, out->p + at, end - at);
    memcpy(out->p + at, bytes, head);
}

static void rewrite_list(struct rewriter *r, uint32_t at)
{
    size_t start = r->out->n;
    int64_t total = 0;
    for (int64_t count = read_count(r); count > 0; count = read_count(r)) {
        assert(!r->in.bad);
        for (int64_t i = 0; i < count; i++) {
            if (r->steps[at].kind == STEP_MAP)
                copy_bytes(r, (uint64_t)copy_long(r));
            rewrite_steps(r, at + 1, r->steps[at].end);
        }
        total += count;
    }
    if (total > 0)
        insert_count(r->out, start, total);
    buf_add_byte(r->out, 0);
}

static void rewrite_union(struct rewriter *r, uint32_t at)
{
    int64_t branch = copy_long(r);
    uint32_t step = at + 1;
    for (int64_t i = 0; i < branch; i++)
        step = r->steps[step].end;
    rewrite_steps(r, step + 1, r->steps[step].end);
}

static void rewrite_steps(struct rewriter *r, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at = r->steps[at].end) {
        const struct step *step = &r->steps[at];
        switch ((enum step_kind)step->kind) {
        case STEP_NULL:
            break;
        case STEP_BOOLEAN:
            copy_bytes(r, 1);
            break;
        case STEP_INT:
        case STEP_LONG:
        case STEP_ENUM:
            (void)copy_long(r);
            break;
        case STEP_FLOAT:
        case STEP_DOUBLE:
        case STEP_FIXED:
            copy_bytes(r, step->count);
            break;
        case STEP_BYTES:
        case STEP_STRING:
            copy_bytes(r, (uint64_t)copy_long(r));
            break;
        case STEP_OPTIONAL:
            if (copy_long(r) != step->count)
                rewrite_steps(r, at + 1, step->end);
            break;
        case STEP_UNION:
            rewrite_union(r, at);
            break;
        case STEP_ARRAY:
        case STEP_MAP:
            rewrite_list(r, at);
            break;
        }
    }
}

void avro_program_rewrite(const struct avro_program *program, struct slice bytes, struct buf *out)
{
    struct rewriter r = {cursor_of(bytes), program->steps, out};
    rewrite_steps(&r, 0, program->step_count);
    assert(!r.in.bad && cursor_left(&r.in) == 0);
}
