#include "ratio.h"

#include <assert.h>

int128_t div_half_even(int128_t a, int128_t b)
{
    assert(b != 0);
    bool negative = (a < 0) != (b < 0);
    unsigned __int128 x = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    unsigned __int128 y = b < 0 ? -(unsigned __int128)b : (unsigned __int128)b;
    unsigned __int128 quotient = x / y, rest = x % y;
    /* rest against y - rest is 2 * rest against y without its overflow */
    if (rest > y - rest || (rest == y - rest && (quotient & 1)))
        quotient++;
    return negative ? -(int128_t)quotient : (int128_t)quotient;
}

bool ratio_ppm(int128_t a, int128_t b, int64_t *ppm)
{
    *ppm = 0;
    if (b == 0)
        return false;
    int128_t product;
    if (__builtin_mul_overflow(a, (int128_t)1000000, &product))
        return false;
    int128_t ratio = div_half_even(product, b);
    *ppm = (int64_t)ratio;
    return *ppm == ratio;
}

uint64_t nearest_rank(uint64_t n, uint32_t quantile_ppm)
{
    return (uint64_t)(((unsigned __int128)n * quantile_ppm + 999999) / 1000000);
}
