/* test_sha256.c -- sha256.h against the vectors of FIPS 180-2 and RFC 4231. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

static void assert_digest(const uint8_t digest[SHA256_BYTES], const char *hex)
{
    char text[SHA256_HEX_BYTES];
    sha256_hex(digest, text);
    assert_string_equal(text, hex);
}

static void known_digests_come_out(void **state)
{
    (void)state;
    uint8_t d[SHA256_BYTES];
    sha256((struct slice){NULL, 0}, d);
    assert_digest(d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256(SLICE("abc"), d);
    assert_digest(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
    (void)state;
    uint8_t d[SHA256_BYTES];
    struct sha256 s;
    sha256_begin(&s);
    sha256_add(&s, SLICE("a"));
    sha256_add(&s, SLICE(""));
    sha256_peek(&s, d);
    assert_digest(d, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    sha256_add(&s, SLICE("bc"));
    sha256_end(&s, d);
    assert_digest(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_begin(&s);
    sha256_end(&s, NULL);
}

static void known_authentication_codes_come_out(void **state)
{
    (void)state;
    uint8_t d[SHA256_BYTES];
    hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), d);
    assert_digest(d, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha256((struct slice){NULL, 0}, (struct slice){NULL, 0}, d);
    assert_digest(d, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests_come_out),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(known_authentication_codes_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
