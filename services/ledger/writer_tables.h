/* writer_tables.h -- two small tables of the writer's state: tenants (clock, dense number) and last outputs.
 *
 * Both grow by new names only and never forget: a tenant's number and a machine's last output must never start again.
 * Bounded. Their saved form is sorted by name, so equal states give equal bytes. One owner. */
#ifndef LEDGER_WRITER_TABLES_H
#define LEDGER_WRITER_TABLES_H

#include "base/buf.h"
#include "base/map.h"
#include "model/tenant_clock.h"

enum {
    WRITER_TENANTS_MAX = LEDGER_TENANTS_MAX, /* of a shard; records of further ones are rejected `too_many` */
    WRITER_OUTPUTS_MAX = 1 << 20,            /* pairs of machine and tenant; of further ones `too_many`, too */
    WRITER_NAME_BYTES_MAX = 512
};

struct writer_tenant {
    struct slice name; /* owned by the table */
    struct tenant_clock clock;
};

struct writer_tenants {
    struct map map; /* name -> place in items */
    struct writer_tenant *items;
    uint32_t count, cap;
    uint32_t last; /* found last: events come in runs of one tenant */
};

void writer_tenants_init(struct writer_tenants *tenants);
void writer_tenants_close(struct writer_tenants *tenants);
struct writer_tenant *writer_tenants_find(struct writer_tenants *tenants, struct slice name); /* NULL: unknown */
struct writer_tenant *writer_tenants_add(struct writer_tenants *tenants, struct slice name);  /* NULL: full */
void writer_tenants_save(const struct writer_tenants *tenants, struct buf *out);
bool writer_tenants_load(struct writer_tenants *tenants, struct cursor *in);

/* Last output of (machine, tenant): alerts; of (machine, no tenant): attests of this shard. */
struct writer_output {
    struct slice key; /* machine, NUL, tenant; owned by the table */
    uint64_t n;
    uint64_t body; /* hash of its body */
};

struct writer_outputs {
    struct map map;
    struct writer_output *items;
    uint32_t count, cap;
};

void writer_outputs_init(struct writer_outputs *outputs);
void writer_outputs_close(struct writer_outputs *outputs);
struct writer_output *writer_outputs_find(struct writer_outputs *outputs, struct slice machine, struct slice tenant);
struct writer_output *writer_outputs_add(struct writer_outputs *outputs, struct slice machine, struct slice tenant);
void writer_outputs_save(const struct writer_outputs *outputs, struct buf *out);
bool writer_outputs_load(struct writer_outputs *outputs, struct cursor *in);

#endif
