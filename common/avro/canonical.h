/* canonical.h -- Parsing Canonical Form of a schema and its CRC-64-AVRO fingerprint (Avro specification; avro-c has
 * neither), and the single-object encoding C3 01 + fingerprint + datum built on it. */
#ifndef AVRO_CANONICAL_H
#define AVRO_CANONICAL_H

#include "base/buf.h"

struct avro_obj_t;

/* `schema` is avro-c's avro_schema_t. Appends the canonical form. */
void avro_canonical_write(struct avro_obj_t *schema, struct buf *out);
uint64_t avro_fingerprint(struct slice canonical);

enum { AVRO_SINGLE_HEADER_BYTES = 10 };
void avro_single_begin(struct buf *out, uint64_t fingerprint); /* the datum follows */
/* False: not single-object encoding, or cut off inside the header. */
bool avro_single_open(struct slice bytes, uint64_t *fingerprint, struct slice *datum);

#endif
