/* block_kit.h -- short ways to records and blocks for the tests of the ledger. Include behind cmocka.h. */
#ifndef TESTS_BLOCK_KIT_H
#define TESTS_BLOCK_KIT_H

#include "ledger/filter.h"

static inline struct ledger_record kit_record(const char *tenant, uint64_t tenant_seq, uint64_t number, int64_t time_ms,
                                              const char *body)
{
    return (struct ledger_record){.tenant = slice_of(tenant),
                                  .tenant_seq = tenant_seq,
                                  .number = number,
                                  .time_ms = time_ms,
                                  .body = slice_of(body),
                                  .source = LEDGER_SOURCE_LEADS,
                                  .kind = LEDGER_EVENT,
                                  .type = 2};
}

/* A chain of blocks as one writer makes them. */
struct kit_chain {
    struct block_writer *writer;
    struct block_header header; /* of the next block */
};

static inline struct slice kit_open(struct kit_chain *chain, uint32_t epoch, uint64_t id)
{
    chain->header.epoch = epoch;
    chain->header.writer = id;
    struct block_header header = chain->header;
    header.open = true;
    block_begin(chain->writer, &header);
    return block_end(chain->writer);
}

/* Takes seq and hash from the filter, as a writer does that has read everything. */
static inline struct slice kit_block(struct kit_chain *chain, const struct filter *filter, unsigned records)
{
    chain->header.first_seq = filter->seq + 1;
    chain->header.prefix = filter->hash;
    chain->header.time_ms = filter->time_ms;
    block_begin(chain->writer, &chain->header);
    for (unsigned i = 0; i < records; i++) {
        struct ledger_record record = kit_record("acme", i + 1, i, filter->time_ms + 10, "body");
        assert_true(block_add(chain->writer, &record));
    }
    return block_end(chain->writer);
}

#endif
