/* fuzz_avro.c -- the walk over hostile bytes: the first byte chooses a schema. What is walked can be rewritten, is
 * canonical then, and a canonical datum rewrites to itself. */
#include <assert.h>
#include <stdlib.h>

#include "avro/program.h"
#include "schema_texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Shapes the committed schemas do not have: unions, nested records, items of no bytes, fixed, floats. */
static const char *const shapes[] = {
    "{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"u\",\"type\":[\"null\",\"long\",\"string\"]},"
    "{\"name\":\"n\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"int\"}}},"
    "{\"name\":\"r\",\"type\":{\"type\":\"record\",\"name\":\"b\",\"fields\":[{\"name\":\"x\",\"type\":\"double\"},"
    "{\"name\":\"y\",\"type\":[\"boolean\",\"null\"]},{\"name\":\"z\",\"type\":\"bytes\"}]}},"
    "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"c\",\"size\":3}},{\"name\":\"g\",\"type\":\"float\"},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"d\",\"symbols\":[\"p\",\"q\"]}}]}",
};
enum { PROGRAMS_MAX = 64, SHAPES = sizeof shapes / sizeof shapes[0] };

static struct avro_program *programs[PROGRAMS_MAX];
static size_t program_count;

static void compile(const char *json)
{
    struct err err;
    programs[program_count] = avro_program_compile(slice_of(json), &err);
    assert(programs[program_count]);
    program_count++;
}

static void compile_all(void)
{
    for (size_t i = 0; i < SHAPES; i++)
        compile(shapes[i]);
    for (const struct schema_text *text = schema_texts; text->name; text++)
        compile(text->json);
}

static void assert_inside(struct slice bytes, const struct avro_slot *slots, const struct avro_walk *walk, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (walk->present >> i & 1 && slots[i].s.p)
            assert(slots[i].s.p >= bytes.p && slots[i].s.p + slots[i].s.n <= bytes.p + bytes.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf canonical, again;
    if (program_count == 0)
        compile_all();
    if (size == 0)
        return 0;
    const struct avro_program *program = programs[data[0] % program_count];
    struct slice bytes = slice_make(data + 1, size - 1);
    struct avro_slot slots[AVRO_SLOTS] = {0};
    struct avro_walk walk, second;
    if (avro_program_walk(program, bytes, false, slots, &walk) != AVRO_FAULT_NONE)
        return 0;
    assert_inside(bytes, slots, &walk, avro_program_field_count(program));
    buf_clear(&canonical);
    buf_clear(&again);
    avro_program_rewrite(program, bytes, &canonical);
    assert(canonical.n <= bytes.n);
    assert(avro_program_walk(program, buf_slice(&canonical), true, slots, &second) == AVRO_FAULT_NONE);
    assert(second.canonical && second.present == walk.present);
    assert(!walk.canonical || slice_eq(buf_slice(&canonical), bytes));
    avro_program_rewrite(program, buf_slice(&canonical), &again);
    assert(slice_eq(buf_slice(&canonical), buf_slice(&again)));
    return 0;
}
