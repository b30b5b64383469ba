/* text.h -- UTF-8 without a locale: strict validation, width on a terminal, JSON strings, hex, numbers.
 *
 * Strict: no overlong forms, no surrogates, nothing above U+10FFFF. Width: CJK and other East Asian wide characters
 * are 2 columns, combining marks and zero-width characters 0, all else 1. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Length in bytes of the well-formed character at p (1..4), 0 if it is malformed or cut off. *code_point may be NULL.
 */
size_t text_char(const char *p, const char *end, uint32_t *code_point);
bool text_valid(struct slice text);
bool text_has_control(struct slice text); /* U+0000..1F, U+007F */
size_t text_width(struct slice text);     /* columns; a malformed byte counts 1 */
/* The longest prefix of whole characters within `width` columns. */
struct slice text_cut(struct slice text, size_t width);

/* Appends `text` with each malformed byte replaced by U+FFFD. */
void text_add_clean(struct buf *out, struct slice text);
/* Appends a JSON string with its quotes: control characters, quote and backslash escaped, malformed bytes U+FFFD. */
void text_add_json(struct buf *out, struct slice text);

/* Lower-case hex. text_from_hex takes both cases, an even number of digits, and exactly fills `bytes`. */
void text_add_hex(struct buf *out, const void *p, size_t n);
bool text_from_hex(struct slice hex, uint8_t *bytes, size_t n);

/* Decimal integer: an optional '-', digits, no leading zeros (but "0"), nothing else; false beyond int64. */
bool text_parse_int(struct slice text, int64_t *value);

/* Decimal number "-12.345" times 10^decimals, rounded half-even; no exponent; false beyond int64 or not a number. */
bool text_parse_decimal(struct slice text, unsigned decimals, int64_t *value);

/* "-1,234.50": value / 10^decimals, `separator` between groups of three ('\0': none), decimals <= 18. */
void text_add_decimal(struct buf *out, int64_t value, unsigned decimals, char separator);
static inline void text_add_int(struct buf *out, int64_t value) { text_add_decimal(out, value, 0, '\0'); }
/* Bytes for people: "512 B", "1.5 KiB", "64.0 MiB". */
void text_add_size(struct buf *out, uint64_t bytes);

#endif
