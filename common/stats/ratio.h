/* ratio.h -- divisions of published figures: exact, half-even on the magnitude (semantics 0.4, 0.5).
 *
 * No floating point: a figure must come out the same on every machine and in every oracle. */
#ifndef STATS_RATIO_H
#define STATS_RATIO_H

#include <stdbool.h>
#include <stdint.h>

typedef __int128 int128_t;

/* a / b rounded half-even on the magnitude. b is not 0. */
int128_t div_half_even(int128_t a, int128_t b);
/* a * 10^6 / b half-even, in ppm. False: b is 0 (no ratio), or the value does not fit. */
bool ratio_ppm(int128_t a, int128_t b, int64_t *ppm);
/* Nearest rank: which of n values in rising order is the quantile, from 1; 0: n is 0. */
uint64_t nearest_rank(uint64_t n, uint32_t quantile_ppm);

#endif
