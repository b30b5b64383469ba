/* mapping_decimal.c -- see mapping_decimal.h. */
#include "mapping_decimal.h"

static bool add_digit(__int128 *digits, int digit)
{
    return !__builtin_mul_overflow(*digits, (__int128)10, digits) &&
           !__builtin_add_overflow(*digits, (__int128)digit, digits);
}

static struct slice trimmed(struct slice text)
{
    while (text.n && text.p[0] == ' ') {
        text.p++;
        text.n--;
    }
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    return text;
}

bool decimal_parse(struct slice text, struct decimal *value)
{
    text = trimmed(text);
    *value = (struct decimal){0, 0};
    bool negative = text.n && text.p[0] == '-';
    size_t i = text.n && (text.p[0] == '-' || text.p[0] == '+') ? 1 : 0;
    bool point = false, any = false;
    for (; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.' && !point && any && i + 1 < text.n) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || !add_digit(&value->digits, c - '0'))
            return false;
        any = true;
        if (point && ++value->places > DECIMAL_PLACES_MAX)
            return false;
    }
    if (negative)
        value->digits = -value->digits;
    return any;
}

/* Fewer places mean more room for products. */
static struct decimal shortened(struct decimal value)
{
    while (value.places && value.digits % 10 == 0) {
        value.digits /= 10;
        value.places--;
    }
    return value;
}

bool decimal_mul(struct decimal a, struct decimal b, struct decimal *product)
{
    a = shortened(a);
    b = shortened(b);
    if (__builtin_mul_overflow(a.digits, b.digits, &product->digits))
        return false;
    product->places = a.places + b.places;
    return product->places <= DECIMAL_PLACES_MAX;
}

static bool power_of_ten(unsigned exponent, __int128 *power)
{
    *power = 1;
    while (exponent--)
        if (__builtin_mul_overflow(*power, (__int128)10, power))
            return false;
    return true;
}

bool decimal_one_minus(struct decimal a, struct decimal *result)
{
    a = shortened(a);
    __int128 one;
    if (!power_of_ten(a.places, &one))
        return false;
    *result = (struct decimal){one - a.digits, a.places};
    return true;
}

static __int128 divided_half_even(__int128 value, __int128 by)
{
    __int128 magnitude = value < 0 ? -value : value;
    __int128 quotient = magnitude / by, rest = magnitude % by;
    __int128 other = by - rest;
    if (rest > other || (rest == other && (quotient & 1)))
        quotient++;
    return value < 0 ? -quotient : quotient;
}

bool decimal_scaled(struct decimal value, unsigned scale, int64_t *result)
{
    value = shortened(value);
    __int128 power, scaled;
    if (scale >= value.places) {
        if (!power_of_ten(scale - value.places, &power) || __builtin_mul_overflow(value.digits, power, &scaled))
            return false;
    } else {
        if (!power_of_ten(value.places - scale, &power))
            return false;
        scaled = divided_half_even(value.digits, power);
    }
    if (scaled > INT64_MAX || scaled < INT64_MIN)
        return false;
    *result = (int64_t)scaled;
    return true;
}
