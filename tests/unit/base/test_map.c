/* test_map.c -- map.h and intern.h against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/intern.h"
#include "base/map.h"

enum { KEYS = 4000, STEPS = 200000 };

static char keys[KEYS][16];

static struct slice key_of(uint32_t i)
{
    (void)snprintf(keys[i], sizeof keys[i], "k%u", i);
    return slice_of(keys[i]);
}

/* Random puts, removals and look-ups; the model is one number per key. */
static void the_map_agrees_with_an_array_under_random_use(void **state)
{
    (void)state;
    static uint32_t model[KEYS];
    memset(model, 0xff, sizeof model);
    struct map map;
    map_init(&map, KEYS);
    uint64_t seed = 42;
    uint32_t count = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint32_t i = (uint32_t)(seed >> 33) % KEYS;
        struct slice key = key_of(i);
        if (seed >> 62 == 0) {
            assert_int_equal(map_remove(&map, key), model[i] != MAP_NONE);
            count -= model[i] != MAP_NONE;
            model[i] = MAP_NONE;
        } else {
            assert_true(map_put(&map, key, step));
            count += model[i] == MAP_NONE;
            model[i] = step;
        }
        uint32_t other = (uint32_t)(seed >> 13) % KEYS;
        assert_int_equal(map_get(&map, key_of(other)), model[other]);
        assert_int_equal(map.count, count);
    }
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(map_get(&map, key_of(i)), model[i]);
    uint32_t walked = 0;
    uint32_t at = 0;
    for (const struct map_slot *slot; (slot = map_next(&map, &at));) {
        uint32_t i = (uint32_t)strtoul(slot->key + 1, NULL, 10);
        assert_int_equal(slot->value, model[i]);
        walked++;
    }
    assert_int_equal(walked, count);
    map_close(&map);
}

static void a_full_map_refuses_new_keys_and_takes_old_ones(void **state)
{
    (void)state;
    struct map map;
    map_init(&map, 2);
    assert_true(map_put(&map, SLICE("a"), 1));
    assert_true(map_put(&map, SLICE("b"), 2));
    assert_false(map_put(&map, SLICE("c"), 3));
    assert_true(map_put(&map, SLICE("a"), 4));
    assert_int_equal(map_get(&map, SLICE("a")), 4);
    assert_int_equal(map_get(&map, SLICE("c")), MAP_NONE);
    map_clear(&map);
    assert_int_equal(map_get(&map, SLICE("a")), MAP_NONE);
    assert_true(map_put(&map, SLICE("c"), 3));
    map_close(&map);
    assert_int_equal(map_get(&map, SLICE("c")), MAP_NONE);
}

static void empty_keys_and_keys_with_nul_are_keys(void **state)
{
    (void)state;
    struct map map;
    map_init(&map, 10);
    assert_true(map_put(&map, (struct slice){NULL, 0}, 1));
    assert_true(map_put(&map, slice_make("\0", 1), 2));
    assert_true(map_put(&map, slice_make("\0\0", 2), 3));
    assert_int_equal(map_get(&map, SLICE("")), 1);
    assert_int_equal(map_get(&map, slice_make("\0", 1)), 2);
    assert_int_equal(map_get(&map, slice_make("\0\0", 2)), 3);
    map_close(&map);
}

static void numbers_are_dense_in_order_of_first_sight(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, 1000000);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < KEYS; i++)
            assert_int_equal(intern_put(&intern, key_of(i)), i);
    assert_int_equal(intern.count, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(slice_eq(intern_text(&intern, i), key_of(i)));
        assert_int_equal(intern_get(&intern, key_of(i)), i);
    }
    assert_int_equal(intern_get(&intern, SLICE("never")), INTERN_NONE);
    intern_close(&intern);
}

static void interned_bytes_never_move_and_end_with_nul(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, 100000);
    char *big = malloc(200000);
    assert_non_null(big);
    memset(big, 'b', 200000);
    const char *first = intern_text(&intern, intern_put(&intern, SLICE("first"))).p;
    assert_int_equal(intern_put(&intern, slice_make(big, 200000)), 1);
    for (uint32_t i = 0; i < KEYS; i++)
        (void)intern_put(&intern, key_of(i));
    assert_ptr_equal(intern_text(&intern, 0).p, first);
    assert_string_equal(first, "first");
    assert_int_equal(intern_text(&intern, 1).n, 200000);
    assert_int_equal(intern_text(&intern, 1).p[200000], 0);
    free(big);
    intern_close(&intern);
}

static void a_full_table_refuses_new_texts_only(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, 1);
    assert_int_equal(intern_put(&intern, SLICE("a")), 0);
    assert_int_equal(intern_put(&intern, SLICE("b")), INTERN_NONE);
    assert_int_equal(intern_put(&intern, SLICE("a")), 0);
    intern_close(&intern);
    assert_int_equal(intern_put(&intern, SLICE("b")), 0);
    intern_close(&intern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_agrees_with_an_array_under_random_use),
        cmocka_unit_test(a_full_map_refuses_new_keys_and_takes_old_ones),
        cmocka_unit_test(empty_keys_and_keys_with_nul_are_keys),
        cmocka_unit_test(numbers_are_dense_in_order_of_first_sight),
        cmocka_unit_test(interned_bytes_never_move_and_end_with_nul),
        cmocka_unit_test(a_full_table_refuses_new_texts_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
