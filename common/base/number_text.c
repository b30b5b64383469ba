/* number_text.c -- numbers and hex as text, exact, without a locale. See text.h. */
#include <assert.h>

#include "base/text.h"

enum { DECIMALS_MAX = 18, DIGITS_MAX = 20 };

void text_add_hex(struct buf *out, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) {
        buf_add_byte(out, (uint8_t)digits[bytes[i] >> 4]);
        buf_add_byte(out, (uint8_t)digits[bytes[i] & 15]);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_from_hex(struct slice hex, uint8_t *bytes, size_t n)
{
    if (hex.n % 2 || hex.n / 2 != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(hex.p[2 * i]);
        int low = hex_digit(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Value with its sign; the magnitude may be 2^63 only when negative. */
static bool with_sign(uint64_t magnitude, bool negative, int64_t *value)
{
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static bool append_digit(uint64_t *magnitude, char digit)
{
    return !__builtin_mul_overflow(*magnitude, 10U, magnitude) &&
           !__builtin_add_overflow(*magnitude, (uint64_t)(digit - '0'), magnitude);
}

bool text_parse_int(struct slice text, int64_t *value)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    struct slice digits = slice_make(text.p + negative, text.n - negative);
    if (digits.n == 0 || digits.n > DIGITS_MAX || (digits.p[0] == '0' && (digits.n > 1 || negative)))
        return false;
    uint64_t magnitude = 0;
    for (size_t i = 0; i < digits.n; i++)
        if (!is_digit(digits.p[i]) || !append_digit(&magnitude, digits.p[i]))
            return false;
    return with_sign(magnitude, negative, value);
}

/* Whether the digits cut off round the magnitude up: half goes to even. */
static bool rounds_up(struct slice cut, uint64_t magnitude)
{
    if (cut.n == 0 || cut.p[0] < '5')
        return false;
    if (cut.p[0] > '5')
        return true;
    for (size_t i = 1; i < cut.n; i++)
        if (cut.p[i] != '0')
            return true;
    return magnitude % 2 == 1;
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_digit(text.p[i]))
            return false;
    return text.n > 0;
}

bool text_parse_decimal(struct slice text, unsigned decimals, int64_t *value)
{
    assert(decimals <= DECIMALS_MAX);
    bool negative = text.n > 0 && text.p[0] == '-';
    struct slice rest = slice_make(text.p + negative, text.n - negative);
    const char *point = rest.n ? memchr(rest.p, '.', rest.n) : NULL;
    struct slice whole = slice_make(rest.p, point ? (size_t)(point - rest.p) : rest.n);
    struct slice part = point ? slice_make(point + 1, rest.n - whole.n - 1) : SLICE("");
    if (!all_digits(whole) || (whole.n > 1 && whole.p[0] == '0') || (point && !all_digits(part)))
        return false;
    uint64_t magnitude = 0;
    for (size_t i = 0; i < whole.n; i++)
        if (!append_digit(&magnitude, whole.p[i]))
            return false;
    for (size_t i = 0; i < decimals; i++)
        if (!append_digit(&magnitude, i < part.n ? part.p[i] : '0'))
            return false;
    if (part.n > decimals && rounds_up(slice_make(part.p + decimals, part.n - decimals), magnitude) &&
        __builtin_add_overflow(magnitude, 1U, &magnitude))
        return false;
    return with_sign(magnitude, negative, value);
}

void text_add_decimal(struct buf *out, int64_t value, unsigned decimals, char separator)
{
    assert(decimals <= DECIMALS_MAX);
    char digits[DIGITS_MAX + 1];
    size_t n = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest || n <= decimals);
    if (value < 0)
        buf_add_byte(out, '-');
    for (size_t left = n; left > 0; left--) {
        size_t whole_left = left > decimals ? left - decimals : 0;
        buf_add_byte(out, (uint8_t)digits[left - 1]);
        if (whole_left == 1 && decimals)
            buf_add_byte(out, '.');
        else if (separator && whole_left > 1 && (whole_left - 1) % 3 == 0)
            buf_add_byte(out, (uint8_t)separator);
    }
}

void text_add_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    uint64_t tenths = 0;
    uint64_t whole = bytes;
    while (whole >= 1024) {
        tenths = whole % 1024 * 10 / 1024;
        whole /= 1024;
        unit++;
    }
    if (unit == 0)
        buf_addf(out, "%llu B", (unsigned long long)whole);
    else
        buf_addf(out, "%llu.%llu %s", (unsigned long long)whole, (unsigned long long)tenths, units[unit]);
}
