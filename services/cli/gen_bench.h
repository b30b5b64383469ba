/* gen_bench.h -- the fixed load of the benchmarks: lead events in Avro, as fast as the log takes them.
 *
 * 1,000,000 leads and 10,000 reps on 5 levels (Zipf 1.1) unless told otherwise; 30 % of the events move a lead to
 * another stage, the others touch it; 3 % come late by more than 48 h, 2 % come twice. Times end now. */
#ifndef CLI_GEN_BENCH_H
#define CLI_GEN_BENCH_H

#include "command.h"
#include "gen.h"

enum { GEN_BENCH_LEADS = 1000000, GEN_BENCH_REPS = 10000, GEN_BENCH_LEVELS = 5 };
enum err_code gen_bench(struct cli *cli, const struct gen_config *config, int64_t events);

/* The load itself, without a log: event number i (0-based) into `out` as single-object Avro. */
struct gen_bench_load {
    struct gen_random random;
    struct gen_zipf zipf;
    struct event_codec *codec;
    const char *tenant;
    uint32_t leads;
    uint8_t *stages;  /* by lead: 0 = not created, 1..4 open stages, 5.. closed */
    uint32_t *owners; /* by lead */
    int64_t start_ms, step_us;
    uint64_t next;
};
enum err_code gen_bench_open(struct gen_bench_load *load, uint64_t seed, const char *tenant, uint32_t leads,
                             uint32_t reps, int64_t start_ms, int64_t step_us, struct err *err);
void gen_bench_next(struct gen_bench_load *load, struct buf *out); /* appends one event */
void gen_bench_close(struct gen_bench_load *load);

#endif
