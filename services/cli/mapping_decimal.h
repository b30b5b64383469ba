/* mapping_decimal.h -- exact decimals of a mapping file: a 128-bit integer and a number of decimals.
 *
 * Nothing is rounded until the value is put into an event's integer, once, half-even (formats 2.1). What does not
 * fit is refused, never cut. */
#ifndef CLI_MAPPING_DECIMAL_H
#define CLI_MAPPING_DECIMAL_H

#include "base/slice.h"

enum { DECIMAL_PLACES_MAX = 36 };

struct decimal {
    __int128 digits;
    unsigned places; /* value = digits / 10^places */
};

/* [+-]digits[.digits], blanks around it allowed; no exponent, no separators. False: no decimal, or > 36 digits. */
bool decimal_parse(struct slice text, struct decimal *value);
bool decimal_mul(struct decimal a, struct decimal b, struct decimal *product);
bool decimal_one_minus(struct decimal a, struct decimal *result);
/* value * 10^scale, half-even on the magnitude. False: beyond int64. */
bool decimal_scaled(struct decimal value, unsigned scale, int64_t *result);

#endif
