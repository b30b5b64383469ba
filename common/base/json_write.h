/* json_write.h -- appends JSON to a buffer: no tree, no blanks, commas by itself, non-ASCII unescaped.
 *
 * The caller keeps brackets in pairs; the writer only knows whether a comma is due. Texts are escaped; malformed UTF-8
 * is replaced (text_add_json), so that the output is always valid. */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/buf.h"

struct json_writer {
    struct buf *out;
    bool comma; /* a value stands before this place */
};

static inline struct json_writer json_writer_of(struct buf *out) { return (struct json_writer){out, false}; }

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *name);
void json_key_slice(struct json_writer *w, struct slice name);
void json_null(struct json_writer *w);
void json_bool(struct json_writer *w, bool value);
void json_int(struct json_writer *w, int64_t value);
void json_uint(struct json_writer *w, uint64_t value);
void json_text(struct json_writer *w, struct slice text);
/* value / 10^decimals without trailing zeros: (302741000, 7) is 30.2741. decimals <= 18. */
void json_decimal(struct json_writer *w, int64_t value, unsigned decimals);
void json_raw(struct json_writer *w, struct slice json); /* already JSON */
/* The most common pairs. */
void json_key_int(struct json_writer *w, const char *name, int64_t value);
void json_key_text(struct json_writer *w, const char *name, struct slice text);
void json_key_bool(struct json_writer *w, const char *name, bool value);

#endif
