/* Hostile bytes against a compiled program: refused with the right fault, before anything is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "avro/canonical.h"
#include "avro/program.h"

#define RECORD_OF(type) "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"f\",\"type\":" type "}]}"

static struct avro_slot slots[AVRO_SLOTS];
static struct avro_walk walk;

static struct avro_program *compile(const char *json)
{
    struct err err;
    struct avro_program *program = avro_program_compile(slice_of(json), &err);
    assert_non_null(program);
    return program;
}

static enum avro_fault walk_one(const char *schema, const void *bytes, size_t n)
{
    struct avro_program *program = compile(schema);
    enum avro_fault fault = avro_program_walk(program, slice_make(bytes, n), false, slots, &walk);
    avro_program_destroy(&program);
    return fault;
}

#define WALK(type, bytes) walk_one(RECORD_OF(type), bytes, sizeof(bytes) - 1)

static void longs_reach_both_limits(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), AVRO_FAULT_NONE);
    assert_true(slots[0].i == INT64_MIN);
    assert_int_equal(WALK("\"long\"", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), AVRO_FAULT_NONE);
    assert_true(slots[0].i == INT64_MAX);
}

static void longs_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), AVRO_FAULT_FORM);
    assert_int_equal(WALK("\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), AVRO_FAULT_FORM);
}

static void ints_beyond_32_bits_are_refused(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"int\"", "\xff\xff\xff\xff\x0f"), AVRO_FAULT_NONE);
    assert_int_equal(slots[0].i, INT32_MIN);
    assert_int_equal(WALK("\"int\"", "\x80\x80\x80\x80\x10"), AVRO_FAULT_FORM);
}

static void a_long_varint_is_read_but_not_canonical(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"long\"", "\x82\x00"), AVRO_FAULT_NONE);
    assert_int_equal(slots[0].i, 1);
    assert_false(walk.canonical);
}

static void lengths_beyond_the_end_are_refused(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"string\"", "\x06"
                                        "ab"),
                     AVRO_FAULT_FORM);
    assert_int_equal(WALK("\"string\"", "\x01"), AVRO_FAULT_FORM); /* -1 */
    assert_int_equal(WALK("\"bytes\"", "\x80\x80\x80\x80\x18"), AVRO_FAULT_FORM);
    assert_int_equal(WALK("\"bytes\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), AVRO_FAULT_FORM);
    assert_int_equal(WALK("\"string\"", "\x04"
                                        "ab"),
                     AVRO_FAULT_NONE);
    assert_true(slice_is(slots[0].s, "ab"));
}

static void texts_must_be_utf8_and_bytes_need_not(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"string\"", "\x02\xff"), AVRO_FAULT_UTF8);
    assert_int_equal(WALK("\"bytes\"", "\x02\xff"), AVRO_FAULT_NONE);
    assert_int_equal(WALK("\"string\"", "\x06\xe4\xb8\xad"), AVRO_FAULT_NONE);
}

static void booleans_are_0_or_1(void **state)
{
    (void)state;
    assert_int_equal(WALK("\"boolean\"", "\x01"), AVRO_FAULT_NONE);
    assert_int_equal(WALK("\"boolean\"", "\x02"), AVRO_FAULT_FORM);
}

static void enum_and_union_indices_are_bounded(void **state)
{
    (void)state;
    const char enumeration[] = RECORD_OF("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\",\"b\"]}");
    assert_int_equal(walk_one(enumeration, "\x02", 1), AVRO_FAULT_NONE);
    assert_int_equal(walk_one(enumeration, "\x04", 1), AVRO_FAULT_FORM);
    assert_int_equal(walk_one(enumeration, "\x01", 1), AVRO_FAULT_FORM);
    assert_int_equal(WALK("[\"null\",\"long\"]", "\x04\x00"), AVRO_FAULT_FORM);
    assert_int_equal(WALK("[\"null\",\"long\"]", "\x01\x00"), AVRO_FAULT_FORM);
    assert_int_equal(WALK("[\"null\",\"long\",\"string\"]", "\x06"), AVRO_FAULT_FORM);
}

static void null_of_an_optional_is_absent_wherever_it_stands(void **state)
{
    (void)state;
    assert_int_equal(WALK("[\"null\",\"long\"]", "\x00"), AVRO_FAULT_NONE);
    assert_int_equal(walk.present, 0);
    assert_int_equal(WALK("[\"long\",\"null\"]", "\x02"), AVRO_FAULT_NONE);
    assert_int_equal(walk.present, 0);
    assert_int_equal(WALK("[\"long\",\"null\"]", "\x00\x0e"), AVRO_FAULT_NONE);
    assert_int_equal(walk.present, 1);
    assert_int_equal(slots[0].i, 7);
}

static void a_general_union_gives_branch_and_bytes(void **state)
{
    (void)state;
    assert_int_equal(WALK("[\"null\",\"long\",\"string\"]", "\x04\x04"
                                                            "hi"),
                     AVRO_FAULT_NONE);
    assert_int_equal(slots[0].i, 2);
    assert_int_equal(slots[0].s.n, 3);
}

static void more_items_than_bytes_are_refused_before_any_work(void **state)
{
    (void)state;
    assert_int_equal(WALK("{\"type\":\"array\",\"items\":\"long\"}", "\x80\x80\x80\x80\x80\x80\x80\x10\x00"),
                     AVRO_FAULT_FORM);
    assert_string_equal(walk.fault, "more items than bytes");
    assert_int_equal(WALK("{\"type\":\"array\",\"items\":\"null\"}", "\x80\x80\x80\x80\x80\x40\x00"), AVRO_FAULT_FORM);
    assert_string_equal(walk.fault, "more items than bytes");
    assert_int_equal(WALK("{\"type\":\"map\",\"values\":\"null\"}", "\x80\x80\x80\x80\x80\x40\x00"), AVRO_FAULT_FORM);
    assert_string_equal(walk.fault, "more items than bytes");
}

static void blocks_with_sizes_are_read_and_checked(void **state)
{
    (void)state;
    const char type[] = RECORD_OF("{\"type\":\"array\",\"items\":\"long\"}");
    assert_int_equal(walk_one(type, "\x03\x04\x02\x04\x00", 5), AVRO_FAULT_NONE); /* -2 items of 2 bytes */
    assert_int_equal(slots[0].i, 2);
    assert_false(walk.canonical);
    assert_int_equal(walk_one(type, "\x03\x02\x02\x04\x00", 5), AVRO_FAULT_FORM); /* of 1 byte: it has 2 */
    assert_int_equal(walk_one(type, "\x03\x7e\x02\x04\x00", 5), AVRO_FAULT_FORM);
    assert_int_equal(walk_one(type, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00", 12), AVRO_FAULT_FORM);
}

static void trailing_bytes_and_every_cut_are_refused(void **state)
{
    (void)state;
    const char type[] = RECORD_OF("{\"type\":\"map\",\"values\":\"string\"}");
    const char datum[] = "\x04\x02"
                         "a\x02x\x02"
                         "b\x02y\x00";
    assert_int_equal(walk_one(type, datum, sizeof datum - 1), AVRO_FAULT_NONE);
    assert_int_equal(slots[0].i, 2);
    assert_true(walk.canonical);
    assert_int_equal(walk_one(type, datum, sizeof datum), AVRO_FAULT_FORM);
    for (size_t n = 0; n < sizeof datum - 1; n++)
        assert_int_equal(walk_one(type, datum, n), AVRO_FAULT_FORM);
}

static void several_blocks_are_rewritten_as_one(void **state)
{
    (void)state;
    struct avro_program *program = compile(RECORD_OF("{\"type\":\"array\",\"items\":\"string\"}"));
    struct slice datum = SLICE("\x02\x02"
                               "a\x01\x04\x02"
                               "b\x82\x00\x02"
                               "c\x00");
    struct buf out = {0};
    assert_int_equal(avro_program_walk(program, datum, false, slots, &walk), AVRO_FAULT_NONE);
    assert_int_equal(slots[0].i, 3);
    assert_false(walk.canonical);
    avro_program_rewrite(program, datum, &out);
    assert_true(slice_eq(buf_slice(&out), SLICE("\x06\x02"
                                                "a\x02"
                                                "b\x02"
                                                "c\x00")));
    buf_close(&out);
    avro_program_destroy(&program);
}

static void schemas_beyond_the_bounds_are_refused(void **state)
{
    (void)state;
    struct err err;
    static const char *const bad[] = {
        "{",
        "\"long\"",
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"r\"]}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(avro_program_compile(slice_of(bad[i]), &err));
}

/* Values of the Avro specification's own test data (share/test/data/schema-tests.txt). */
static void fingerprints_are_those_of_the_specification(void **state)
{
    (void)state;
    assert_true(avro_fingerprint(SLICE("\"null\"")) == (uint64_t)INT64_C(7195948357588979594));
    assert_true(avro_fingerprint(SLICE("\"boolean\"")) == (uint64_t)INT64_C(-6970731678124411036));
    assert_true(avro_fingerprint(SLICE("\"int\"")) == (uint64_t)INT64_C(8247732601305521295));
    assert_true(avro_fingerprint(SLICE("\"long\"")) == (uint64_t)INT64_C(-3434872931120570953));
    assert_true(avro_fingerprint(SLICE("\"string\"")) == (uint64_t)INT64_C(-8142146995180207161));
}

static void the_canonical_form_drops_what_readers_do_not_need(void **state)
{
    (void)state;
    struct avro_program *program =
        compile("{\"namespace\":\"x.y\", \"doc\":\"d\", \"type\":\"record\", \"name\":\"foo\", \"fields\":[ "
                "{\"type\":{\"logicalType\":\"timestamp-millis\",\"type\":\"long\"},\"name\":\"f\",\"default\":3},"
                "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"g\",\"symbols\":[\"A\"],\"default\":\"A\"}},"
                "{\"name\":\"e2\",\"type\":[\"null\",\"g\"]}]}");
    struct slice form = avro_program_canonical(program);
    assert_true(slice_is(form,
                         "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f\",\"type\":\"long\"},"
                         "{\"name\":\"e\",\"type\":{\"name\":\"x.y.g\",\"type\":\"enum\",\"symbols\":[\"A\"]}},"
                         "{\"name\":\"e2\",\"type\":[\"null\",\"x.y.g\"]}]}"));
    avro_program_destroy(&program);
}

static void single_object_encoding_is_opened(void **state)
{
    (void)state;
    struct buf out = {0};
    uint64_t fingerprint;
    struct slice datum;
    avro_single_begin(&out, UINT64_C(0x0102030405060708));
    assert_true(slice_eq(buf_slice(&out), SLICE("\xc3\x01\x08\x07\x06\x05\x04\x03\x02\x01")));
    buf_add_text(&out, "abc");
    assert_true(avro_single_open(buf_slice(&out), &fingerprint, &datum));
    assert_true(fingerprint == UINT64_C(0x0102030405060708) && slice_is(datum, "abc"));
    assert_false(avro_single_open(slice_make(out.p, 9), &fingerprint, &datum));
    assert_false(avro_single_open(SLICE("\xc3\x02\x08\x07\x06\x05\x04\x03\x02\x01"), &fingerprint, &datum));
    buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longs_reach_both_limits),
        cmocka_unit_test(longs_beyond_64_bits_are_refused),
        cmocka_unit_test(ints_beyond_32_bits_are_refused),
        cmocka_unit_test(a_long_varint_is_read_but_not_canonical),
        cmocka_unit_test(lengths_beyond_the_end_are_refused),
        cmocka_unit_test(texts_must_be_utf8_and_bytes_need_not),
        cmocka_unit_test(booleans_are_0_or_1),
        cmocka_unit_test(enum_and_union_indices_are_bounded),
        cmocka_unit_test(null_of_an_optional_is_absent_wherever_it_stands),
        cmocka_unit_test(a_general_union_gives_branch_and_bytes),
        cmocka_unit_test(more_items_than_bytes_are_refused_before_any_work),
        cmocka_unit_test(blocks_with_sizes_are_read_and_checked),
        cmocka_unit_test(trailing_bytes_and_every_cut_are_refused),
        cmocka_unit_test(several_blocks_are_rewritten_as_one),
        cmocka_unit_test(schemas_beyond_the_bounds_are_refused),
        cmocka_unit_test(fingerprints_are_those_of_the_specification),
        cmocka_unit_test(the_canonical_form_drops_what_readers_do_not_need),
        cmocka_unit_test(single_object_encoding_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
