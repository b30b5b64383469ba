/* canonical.c -- see canonical.h. */
#include "avro/canonical.h"

#include <inttypes.h>

#include <avro.h>

static void add_full_name(avro_schema_t schema, struct buf *out)
{
    const char *space = avro_schema_namespace(schema);
    buf_add_byte(out, '"');
    if (space && *space) {
        buf_add_text(out, space);
        buf_add_byte(out, '.');
    }
    buf_add_text(out, avro_schema_name(schema));
    buf_add_byte(out, '"');
}

static void begin_named(avro_schema_t schema, const char *type, struct buf *out)
{
    buf_add_text(out, "{\"name\":");
    add_full_name(schema, out);
    buf_addf(out, ",\"type\":\"%s\"", type);
}

static void write_record(avro_schema_t schema, struct buf *out)
{
    begin_named(schema, "record", out);
    buf_add_text(out, ",\"fields\":[");
    for (size_t i = 0; i < avro_schema_record_size(schema); i++) {
        buf_addf(out, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", avro_schema_record_field_name(schema, (int)i));
        avro_canonical_write(avro_schema_record_field_get_by_index(schema, (int)i), out);
        buf_add_byte(out, '}');
    }
    buf_add_text(out, "]}");
}

static void write_enum(avro_schema_t schema, struct buf *out)
{
    begin_named(schema, "enum", out);
    buf_add_text(out, ",\"symbols\":[");
    for (int i = 0; i < avro_schema_enum_number_of_symbols(schema); i++)
        buf_addf(out, "%s\"%s\"", i ? "," : "", avro_schema_enum_get(schema, i));
    buf_add_text(out, "]}");
}

static void write_union(avro_schema_t schema, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < avro_schema_union_size(schema); i++) {
        if (i)
            buf_add_byte(out, ',');
        avro_canonical_write(avro_schema_union_branch(schema, (int)i), out);
    }
    buf_add_byte(out, ']');
}

static void write_list(const char *type, const char *inside, avro_schema_t item, struct buf *out)
{
    buf_addf(out, "{\"type\":\"%s\",\"%s\":", type, inside);
    avro_canonical_write(item, out);
    buf_add_byte(out, '}');
}

/* The recursion follows the text of a committed schema; a name met again is a link and ends it. */
void avro_canonical_write(avro_schema_t schema, struct buf *out)
{
    switch (avro_typeof(schema)) {
    case AVRO_RECORD:
        write_record(schema, out);
        return;
    case AVRO_ENUM:
        write_enum(schema, out);
        return;
    case AVRO_FIXED:
        begin_named(schema, "fixed", out);
        buf_addf(out, ",\"size\":%" PRId64 "}", avro_schema_fixed_size(schema));
        return;
    case AVRO_ARRAY:
        write_list("array", "items", avro_schema_array_items(schema), out);
        return;
    case AVRO_MAP:
        write_list("map", "values", avro_schema_map_values(schema), out);
        return;
    case AVRO_UNION:
        write_union(schema, out);
        return;
    case AVRO_LINK:
        add_full_name(avro_schema_link_target(schema), out);
        return;
    case AVRO_STRING:
    case AVRO_BYTES:
    case AVRO_INT32:
    case AVRO_INT64:
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
    case AVRO_BOOLEAN:
    case AVRO_NULL:
        buf_addf(out, "\"%s\"", avro_schema_type_name(schema));
        return;
    }
}

/* Rabin fingerprint of the Avro specification; the empty text has the value of its constant EMPTY64. Schemas are
 * compiled once, so the bits are turned one by one instead of by a table. */
uint64_t avro_fingerprint(struct slice canonical)
{
    const uint64_t empty = UINT64_C(0xc15d213aa4d7a795);
    uint64_t crc = empty;
    for (size_t i = 0; i < canonical.n; i++) {
        uint64_t turned = (crc ^ (uint8_t)canonical.p[i]) & 0xff;
        for (unsigned bit = 0; bit < 8; bit++)
            turned = (turned >> 1) ^ (empty & (0 - (turned & 1)));
        crc = (crc >> 8) ^ turned;
    }
    return crc;
}

void avro_single_begin(struct buf *out, uint64_t fingerprint)
{
    buf_add_byte(out, 0xc3);
    buf_add_byte(out, 0x01);
    buf_add_u64(out, fingerprint);
}

bool avro_single_open(struct slice bytes, uint64_t *fingerprint, struct slice *datum)
{
    struct cursor c = cursor_of(bytes);
    uint8_t first = cursor_byte(&c), second = cursor_byte(&c);
    *fingerprint = cursor_u64(&c);
    *datum = slice_make(c.p, cursor_left(&c));
    return !c.bad && first == 0xc3 && second == 0x01;
}
