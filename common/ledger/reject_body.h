/* reject_body.h -- what the ledger and sales.rejects say about a rejected record (design 4.9, formats 3.9).
 *
 * The ledger's record holds origin (its source and number), reason, size and SHA-256; the bytes themselves stand in
 * sales.rejects under the key "TOPIC/PARTITION/OFFSET" (at least once, unique by that key), with the same head and a
 * text for people. One layout for both: varints, the bytes last. Reasons are numbers of enum reject_reason. */
#ifndef LEDGER_REJECT_BODY_H
#define LEDGER_REJECT_BODY_H

#include "base/buf.h"

enum {
    REJECT_SHA256_BYTES = 32,
    REJECT_TEXT_BYTES_MAX = 1024, /* of tenant, field, text and origin each; what is longer is cut when writing */
    REJECT_HEAD_BYTES_MAX = 8 * 1024,
    REJECT_KEY_BYTES_MAX = 256
};

struct reject_body {
    uint8_t reason;
    uint64_t bytes; /* size of the record as it came */
    uint8_t sha256[REJECT_SHA256_BYTES];
    int64_t at_ms;       /* when the raw topic took it */
    struct slice tenant; /* if it could be read */
    struct slice origin; /* FILE:LINE of an import, else empty */
    struct slice field;  /* at fault, else empty */
    struct slice text;   /* what is wrong; empty in the ledger */
    struct slice topic;  /* empty in the ledger: source and number say it */
    uint32_t partition;
    int64_t offset;
    struct slice raw; /* empty in the ledger; cut only beyond LOG_VALUE_BYTES_MAX less REJECT_HEAD_BYTES_MAX */
};

void reject_body_write(const struct reject_body *reject, struct buf *out); /* appends */
bool reject_body_read(struct slice bytes, struct reject_body *reject);     /* borrows; false: malformed */
void reject_body_key(const struct reject_body *reject, struct buf *out);   /* appends the origin key */

#endif
