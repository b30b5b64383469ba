/* program.c -- the compiler: from avro-c's parsed schema to steps. See program.h. */
#include "avro/program.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <avro.h>

#include "avro/canonical.h"
#include "avro/step.h"

struct compiler {
    struct avro_program *program;
    struct err *err;
    avro_schema_t open[AVRO_NESTING_MAX]; /* records being compiled, to find recursion */
    unsigned depth;
    uint8_t slot;
};

static bool compile_type(struct compiler *c, avro_schema_t schema, uint32_t *min_bytes);

static bool refuse(struct compiler *c, const char *why)
{
    (void)err_set(c->err, ERR_CONFIG, "Avro schema: %s", why);
    return false;
}

static struct step *add_step(struct compiler *c, enum step_kind kind, uint32_t count)
{
    struct avro_program *program = c->program;
    if (program->step_count == AVRO_STEPS_MAX) {
        (void)refuse(c, "too large");
        return NULL;
    }
    struct step *step = &program->steps[program->step_count++];
    *step = (struct step){.kind = (uint8_t)kind, .slot = c->slot, .count = count, .end = program->step_count};
    return step;
}

static bool add_leaf(struct compiler *c, enum step_kind kind, int64_t count, uint32_t *min_bytes)
{
    if (count < 0 || count > INT32_MAX)
        return refuse(c, "size out of range");
    static const uint8_t least[] = {
        [STEP_NULL] = 0,   [STEP_BOOLEAN] = 1, [STEP_INT] = 1,    [STEP_LONG] = 1,  [STEP_FLOAT] = 4,
        [STEP_DOUBLE] = 8, [STEP_BYTES] = 1,   [STEP_STRING] = 1, [STEP_FIXED] = 0, [STEP_ENUM] = 1};
    *min_bytes = kind == STEP_FIXED ? (uint32_t)count : least[kind];
    return add_step(c, kind, (uint32_t)count) != NULL;
}

/* Array or map: the item's steps go to the sink. */
static bool compile_list(struct compiler *c, enum step_kind kind, avro_schema_t item, uint32_t *min_bytes)
{
    struct step *step = add_step(c, kind, 0);
    uint8_t slot = c->slot;
    uint32_t item_bytes = 0;
    c->slot = AVRO_SLOT_SINK;
    bool ok = step && compile_type(c, item, &item_bytes);
    c->slot = slot;
    if (!ok)
        return false;
    step->end = c->program->step_count;
    step->min_bytes = item_bytes + (kind == STEP_MAP ? 1 : 0);
    *min_bytes = 1;
    return true;
}

static bool compile_optional(struct compiler *c, avro_schema_t other, uint32_t null_index)
{
    struct step *step = add_step(c, STEP_OPTIONAL, null_index);
    uint32_t other_bytes;
    if (!step || !compile_type(c, other, &other_bytes))
        return false;
    step->end = c->program->step_count;
    return true;
}

static bool compile_union(struct compiler *c, avro_schema_t schema, uint32_t *min_bytes)
{
    size_t n = avro_schema_union_size(schema);
    *min_bytes = 1;
    for (uint32_t i = 0; n == 2 && i < 2; i++)
        if (is_avro_null(avro_schema_union_branch(schema, (int)i)))
            return compile_optional(c, avro_schema_union_branch(schema, (int)(1 - i)), i);
    struct step *step = add_step(c, STEP_UNION, (uint32_t)n);
    uint8_t slot = c->slot;
    c->slot = AVRO_SLOT_SINK;
    bool ok = step != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        /* Each branch is wrapped in a step of its own length, so that a walk can step over the others. */
        uint32_t ignored;
        struct step *branch = add_step(c, STEP_NULL, 0);
        ok = branch && compile_type(c, avro_schema_union_branch(schema, (int)i), &ignored);
        if (ok)
            branch->end = c->program->step_count;
    }
    c->slot = slot;
    if (ok)
        step->end = c->program->step_count;
    return ok;
}

static bool compile_record(struct compiler *c, avro_schema_t schema, uint32_t *min_bytes)
{
    for (unsigned i = 0; i < c->depth; i++)
        if (c->open[i] == schema)
            return refuse(c, "recursive record");
    if (c->depth == AVRO_NESTING_MAX)
        return refuse(c, "nested too deeply");
    c->open[c->depth++] = schema;
    bool top = c->depth == 1;
    uint64_t least = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < avro_schema_record_size(schema); i++) {
        uint32_t bytes = 0;
        if (top)
            c->slot = (uint8_t)i;
        ok = compile_type(c, avro_schema_record_field_get_by_index(schema, (int)i), &bytes);
        least += bytes;
    }
    c->depth--;
    *min_bytes = least > INT32_MAX ? INT32_MAX : (uint32_t)least;
    return ok;
}

static bool compile_type(struct compiler *c, avro_schema_t schema, uint32_t *min_bytes)
{
    if (is_avro_link(schema))
        schema = avro_schema_link_target(schema);
    switch (avro_typeof(schema)) {
    case AVRO_NULL:
        return add_leaf(c, STEP_NULL, 0, min_bytes);
    case AVRO_BOOLEAN:
        return add_leaf(c, STEP_BOOLEAN, 0, min_bytes);
    case AVRO_INT32:
        return add_leaf(c, STEP_INT, 0, min_bytes);
    case AVRO_INT64:
        return add_leaf(c, STEP_LONG, 0, min_bytes);
    case AVRO_FLOAT:
        return add_leaf(c, STEP_FLOAT, 4, min_bytes);
    case AVRO_DOUBLE:
        return add_leaf(c, STEP_DOUBLE, 8, min_bytes);
    case AVRO_BYTES:
        return add_leaf(c, STEP_BYTES, 0, min_bytes);
    case AVRO_STRING:
        return add_leaf(c, STEP_STRING, 0, min_bytes);
    case AVRO_FIXED:
        return add_leaf(c, STEP_FIXED, avro_schema_fixed_size(schema), min_bytes);
    case AVRO_ENUM:
        return add_leaf(c, STEP_ENUM, avro_schema_enum_number_of_symbols(schema), min_bytes);
    case AVRO_ARRAY:
        return compile_list(c, STEP_ARRAY, avro_schema_array_items(schema), min_bytes);
    case AVRO_MAP:
        return compile_list(c, STEP_MAP, avro_schema_map_values(schema), min_bytes);
    case AVRO_UNION:
        return compile_union(c, schema, min_bytes);
    case AVRO_RECORD:
        return compile_record(c, schema, min_bytes);
    case AVRO_LINK:
        break;
    }
    return refuse(c, "unknown type");
}

static bool compile_top(struct avro_program *program, avro_schema_t schema, struct err *err)
{
    struct compiler c = {.program = program, .err = err};
    if (!is_avro_record(schema) || avro_schema_record_size(schema) > AVRO_FIELDS_MAX)
        return refuse(&c, "not a record of at most 55 fields");
    program->field_count = avro_schema_record_size(schema);
    for (size_t i = 0; i < program->field_count; i++) {
        program->names[i] = strdup(avro_schema_record_field_name(schema, (int)i));
        assert(program->names[i]);
    }
    uint32_t ignored;
    if (!compile_record(&c, schema, &ignored))
        return false;
    avro_canonical_write(schema, &program->canonical);
    program->fingerprint = avro_fingerprint(buf_slice(&program->canonical));
    return true;
}

struct avro_program *avro_program_compile(struct slice json, struct err *err)
{
    avro_schema_t schema;
    if (avro_schema_from_json_length(json.p, json.n, &schema)) {
        (void)err_set(err, ERR_CONFIG, "Avro schema: %s", avro_strerror());
        return NULL;
    }
    struct avro_program *program = calloc(1, sizeof *program);
    assert(program);
    bool ok = compile_top(program, schema, err);
    avro_schema_decref(schema);
    if (!ok)
        avro_program_destroy(&program);
    return program;
}

void avro_program_destroy(struct avro_program **program)
{
    if (!*program)
        return;
    for (size_t i = 0; i < (*program)->field_count; i++)
        free((*program)->names[i]);
    buf_close(&(*program)->canonical);
    free(*program);
    *program = NULL;
}

uint64_t avro_program_fingerprint(const struct avro_program *program) { return program->fingerprint; }
struct slice avro_program_canonical(const struct avro_program *program) { return buf_slice(&program->canonical); }
size_t avro_program_field_count(const struct avro_program *program) { return program->field_count; }

const char *avro_program_field_name(const struct avro_program *program, size_t field)
{
    assert(field < program->field_count);
    return program->names[field];
}
