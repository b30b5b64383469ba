/* gen_random.h -- random numbers that are the same everywhere: xoshiro256** seeded by splitmix64, integers only. */
#ifndef CLI_GEN_RANDOM_H
#define CLI_GEN_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct gen_random {
    uint64_t s[4];
};
void gen_random_init(struct gen_random *random, uint64_t seed);
uint64_t gen_random_next(struct gen_random *random);
uint64_t gen_random_below(struct gen_random *random, uint64_t bound);             /* bound >= 1; unbiased */
int64_t gen_random_between(struct gen_random *random, int64_t low, int64_t high); /* both included */
bool gen_random_ppm(struct gen_random *random, int64_t ppm);                      /* true with this chance */

/* Zipf with exponent 1.1: rank 0 is the most frequent. Weights floor(2^40 / (i + 1)^1.1), by integer roots. */
struct gen_zipf {
    uint64_t *sums; /* running sums of the weights */
    uint32_t count;
};
void gen_zipf_init(struct gen_zipf *zipf, uint32_t count);
void gen_zipf_close(struct gen_zipf *zipf);
uint32_t gen_zipf_draw(const struct gen_zipf *zipf, struct gen_random *random);

#endif
