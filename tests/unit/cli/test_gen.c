/* The generated company: the same everywhere, its counts are what the door says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "cli/gen.h"

static void generate(struct gen *gen, uint64_t seed, int64_t leads)
{
    struct gen_config config;
    struct err err;
    gen_config_default(&config);
    config.seed = seed;
    config.leads = leads;
    assert_int_equal(gen_init(gen, &config, &err), OK);
    gen_run(gen);
}

static void digest_of(uint64_t seed, char hex[SHA256_HEX_BYTES])
{
    struct gen gen;
    struct buf text = {0};
    uint8_t digest[SHA256_BYTES];
    generate(&gen, seed, 50);
    for (size_t i = 0; i < gen.count; i++)
        gen_write_event(&gen, &gen.events[i], gen.events[i].occurred_ms, gen.events[i].recorded_ms, &text);
    gen_write_answers(&gen, &text);
    sha256(buf_slice(&text), digest);
    sha256_hex(digest, hex);
    buf_close(&text);
    gen_close(&gen);
}

static void the_same_seed_gives_the_same_bytes_and_another_seed_others(void **state)
{
    char first[SHA256_HEX_BYTES], second[SHA256_HEX_BYTES], other[SHA256_HEX_BYTES];
    (void)state;
    digest_of(7, first);
    digest_of(7, second);
    digest_of(8, other);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
}

static void the_random_numbers_are_those_of_the_published_algorithm(void **state)
{
    struct gen_random random = {{1, 2, 3, 4}};
    (void)state;
    /* first outputs of xoshiro256** for the state 1, 2, 3, 4 */
    assert_true(gen_random_next(&random) == 11520);
    assert_true(gen_random_next(&random) == 0);
    assert_true(gen_random_next(&random) == 1509978240);
}

static void every_line_is_judged_by_the_door_as_the_answers_say(void **state)
{
    struct gen gen;
    struct err err;
    uint64_t reasons[REJECT_REASON_COUNT] = {0}, good = 0;
    struct event_codec *codec = event_codec_new(&err);
    struct buf line = {0}, scratch = {0};
    (void)state;
    generate(&gen, 3, 300);
    for (size_t i = 0; i < gen.count; i++) {
        struct event event;
        struct reject reject;
        struct event_origin origin = {
            .arrival_ms = gen.events[i].recorded_ms, .topic_types = UINT32_MAX, .partitions = 1};
        buf_clear(&line);
        buf_clear(&scratch);
        gen_write_event(&gen, &gen.events[i], gen.events[i].occurred_ms, gen.events[i].recorded_ms, &line);
        enum reject_reason reason = event_decode(codec, buf_slice(&line), &origin, &event, &scratch, &reject);
        good += reason == REJECT_NONE;
        reasons[reason]++;
    }
    assert_int_equal(gen.counts.received, gen.count);
    assert_int_equal(good, gen.counts.accepted + gen.counts.duplicate + gen.counts.reasons[REJECT_conflict]);
    for (int reason = 1; reason < REJECT_REASON_COUNT; reason++)
        if (reason != REJECT_conflict)
            assert_int_equal(reasons[reason], gen.counts.reasons[reason]);
    assert_true(gen.counts.late > 0 && gen.counts.duplicate > 0);
    buf_close(&line);
    buf_close(&scratch);
    event_codec_destroy(&codec);
    gen_close(&gen);
}

static void the_busiest_rep_has_the_share_that_zipf_gives(void **state)
{
    struct gen_zipf zipf;
    (void)state;
    gen_zipf_init(&zipf, 10);
    /* 1 / sum of i^-1.1 over 1..10 is 0.3731 (to four digits) */
    uint64_t ppm = zipf.sums[0] * 10000 / zipf.sums[9];
    assert_true(ppm >= 3720 && ppm <= 3745);
    gen_zipf_close(&zipf);
}

static void the_tree_of_the_company_is_whole(void **state)
{
    struct gen_company company;
    (void)state;
    gen_company_init(&company, 5, 1234);
    for (uint32_t rep = 0; rep < company.reps; rep++) {
        assert_int_equal(gen_company_above(&company, rep, 0), 0);
        for (uint32_t level = 1; level < company.levels; level++)
            assert_true(gen_company_above(&company, rep, level) < company.counts[level]);
    }
}

static void bounds_are_checked(void **state)
{
    struct gen gen;
    struct gen_config config;
    struct err err;
    (void)state;
    gen_config_default(&config);
    config.levels = 1;
    assert_int_equal(gen_init(&gen, &config, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "--levels 1: expected 2 to 6"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_seed_others),
        cmocka_unit_test(the_random_numbers_are_those_of_the_published_algorithm),
        cmocka_unit_test(every_line_is_judged_by_the_door_as_the_answers_say),
        cmocka_unit_test(the_busiest_rep_has_the_share_that_zipf_gives),
        cmocka_unit_test(the_tree_of_the_company_is_whole),
        cmocka_unit_test(bounds_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
