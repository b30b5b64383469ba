/* sha256.c -- see sha256.h. */
#include "base/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

static void must_work(int ok)
{
    if (ok == 1)
        return;
    fputs("paceline: SHA-256 of OpenSSL failed\n", stderr);
    abort();
}

void sha256(struct slice bytes, uint8_t out[SHA256_BYTES])
{
    unsigned n = 0;
    must_work(EVP_Digest(bytes.n ? bytes.p : "", bytes.n, out, &n, EVP_sha256(), NULL));
    must_work(n == SHA256_BYTES);
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_HEX_BYTES - 1] = '\0';
}

void hmac_sha256(struct slice key, struct slice bytes, uint8_t out[SHA256_BYTES])
{
    unsigned n = 0;
    must_work(key.n <= INT32_MAX);
    const unsigned char *p = (const unsigned char *)(bytes.n ? bytes.p : "");
    must_work(HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, p, bytes.n, out, &n) != NULL);
    must_work(n == SHA256_BYTES);
}

void sha256_begin(struct sha256 *sha256)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must_work(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    sha256->context = context;
}

void sha256_add(struct sha256 *sha256, struct slice bytes)
{
    if (bytes.n)
        must_work(EVP_DigestUpdate(sha256->context, bytes.p, bytes.n));
}

void sha256_peek(const struct sha256 *sha256, uint8_t out[SHA256_BYTES])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    must_work(copy && EVP_MD_CTX_copy_ex(copy, sha256->context) == 1);
    must_work(EVP_DigestFinal_ex(copy, out, NULL));
    EVP_MD_CTX_free(copy);
}

void sha256_end(struct sha256 *sha256, uint8_t out[SHA256_BYTES])
{
    if (out)
        must_work(EVP_DigestFinal_ex(sha256->context, out, NULL));
    EVP_MD_CTX_free(sha256->context);
    sha256->context = NULL;
}
