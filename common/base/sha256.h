/* sha256.h -- SHA-256 and HMAC-SHA-256 over OpenSSL's EVP. A failing library aborts: there is no answer without it. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/slice.h"

enum { SHA256_BYTES = 32, SHA256_HEX_BYTES = 65 }; /* hex with the NUL */

void sha256(struct slice bytes, uint8_t out[SHA256_BYTES]);
void sha256_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_BYTES]);
void hmac_sha256(struct slice key, struct slice bytes, uint8_t out[SHA256_BYTES]);

/* In pieces. sha256_begin allocates; sha256_end frees and may be called once. sha256_peek gives the digest of what
 * was added so far without ending. */
struct sha256 {
    void *context;
};
void sha256_begin(struct sha256 *sha256);
void sha256_add(struct sha256 *sha256, struct slice bytes);
void sha256_peek(const struct sha256 *sha256, uint8_t out[SHA256_BYTES]);
void sha256_end(struct sha256 *sha256, uint8_t out[SHA256_BYTES]); /* out may be NULL */

#endif
