/* json_read.h -- strict JSON (RFC 8259) from outside: checked once as a whole, then read by pulling values.
 *
 * json_check looks at every byte and names the first fault in the order of the reasons of formats.md 6: no UTF-8 (or
 * a lone surrogate in an escape), nested too deeply, no JSON, a name twice in one object. The first two are found
 * lexically, so they win over a syntax error that stands before them. Behind it values are pulled without allocation:
 * slices of the text, numbers exact. Pulling from text that was not checked is a bug, though a harmless one (it ends
 * early; no read leaves the text). */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include "base/buf.h"

enum { JSON_DEPTH_MAX = 16 };

enum json_fault { JSON_OK, JSON_BAD_UTF8, JSON_TOO_DEEP, JSON_BAD_SYNTAX, JSON_DUPLICATE_KEY };

/* scratch: used for the names of one document; its contents are lost. *offset = byte at fault. depth_max <= 16. */
enum json_fault json_check(struct slice text, unsigned depth_max, struct buf *scratch, size_t *offset);

enum json_kind { JSON_NONE, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY };

struct json_value {
    enum json_kind kind;
    bool escaped;     /* string: contains a backslash */
    struct slice raw; /* the value's bytes, of a string without its quotes */
};

/* The one value of a checked text. */
struct json_value json_value_of(struct slice text);

/* What stands inside an object or array, one after the other. False at the end. */
struct json_iter {
    const char *p;
    const char *end;
};
struct json_iter json_iter_of(struct json_value container);
bool json_next_member(struct json_iter *iter, struct json_value *name, struct json_value *value);
bool json_next_item(struct json_iter *iter, struct json_value *value);

/* A string's text: borrowed if nothing is escaped, else appended to `out` (at most raw.n bytes: reserve first if
 * earlier slices of `out` are held). */
struct slice json_string(struct json_value value, struct buf *out);

enum json_number { JSON_NUMBER_OK, JSON_NUMBER_FORM, JSON_NUMBER_RANGE };
/* FORM: decimals or an exponent; RANGE: beyond int64. */
enum json_number json_number_int(struct json_value value, int64_t *number);
/* times 10^decimals, rounded half-even; FORM: an exponent. */
enum json_number json_number_decimal(struct json_value value, unsigned decimals, int64_t *number);

/* Canonical text of a checked value: no blanks, names sorted bytewise, strings escaped as json_write does, decimals
 * without trailing zeros. False: a number with exponent. Appends to out; temp is a stack for sorting (its contents
 * up to temp->n stay). */
bool json_canonical(struct json_value value, struct buf *out, struct buf *temp);

#endif
