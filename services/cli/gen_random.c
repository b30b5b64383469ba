/* gen_random.c -- see gen_random.h. Generator: xoshiro256** (Blackman, Vigna 2018), public domain algorithm. */
#include "gen_random.h"

#include <stdlib.h>

static uint64_t rotated(uint64_t x, unsigned k) { return (x << k) | (x >> (64 - k)); }

void gen_random_init(struct gen_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        random->s[i] = z ^ (z >> 31);
    }
}

uint64_t gen_random_next(struct gen_random *random)
{
    uint64_t *s = random->s;
    uint64_t result = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

/* Multiply and shift; the few values that would bias are drawn again (Lemire 2019). */
uint64_t gen_random_below(struct gen_random *random, uint64_t bound)
{
    for (;;) {
        unsigned __int128 product = (unsigned __int128)gen_random_next(random) * bound;
        if ((uint64_t)product >= (0 - bound) % bound)
            return (uint64_t)(product >> 64);
    }
}

int64_t gen_random_between(struct gen_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)gen_random_below(random, (uint64_t)(high - low) + 1);
}

bool gen_random_ppm(struct gen_random *random, int64_t ppm) { return (int64_t)gen_random_below(random, 1000000) < ppm; }

enum { ROOT_BITS = 20 };

/* floor(i^(1/10) * 2^20), by bisection with truncating products: no library function decides a bit of it. */
static uint64_t tenth_root(uint64_t i)
{
    uint64_t low = UINT64_C(1) << ROOT_BITS, high = low * 16; /* i < 2^32: root < 10 */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        unsigned __int128 power = UINT64_C(1) << ROOT_BITS;
        for (int k = 0; k < 10; k++)
            power = (power * middle) >> ROOT_BITS;
        if (power <= (unsigned __int128)i << ROOT_BITS)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void gen_zipf_init(struct gen_zipf *zipf, uint32_t count)
{
    zipf->count = count;
    zipf->sums = calloc(count, sizeof *zipf->sums);
    if (!zipf->sums)
        abort();
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t rank = (uint64_t)i + 1;
        sum += (UINT64_C(1) << (40 + ROOT_BITS)) / (rank * tenth_root(rank));
        zipf->sums[i] = sum;
    }
}

void gen_zipf_close(struct gen_zipf *zipf)
{
    free(zipf->sums);
    *zipf = (struct gen_zipf){0};
}

uint32_t gen_zipf_draw(const struct gen_zipf *zipf, struct gen_random *random)
{
    uint64_t value = gen_random_below(random, zipf->sums[zipf->count - 1]);
    uint32_t low = 0, high = zipf->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zipf->sums[middle] > value)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
