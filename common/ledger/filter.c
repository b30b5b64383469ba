/* filter.c -- see filter.h. */
#define XXH_STATIC_LINKING_ONLY
#include "ledger/filter.h"

#include <xxhash.h>

const char *filter_verdict_name(enum filter_verdict verdict)
{
    static const char *const names[] = {
#define X(name) #name,
        FILTER_VERDICTS(X)
#undef X
    };
    return (unsigned)verdict < FILTER_VERDICT_COUNT ? names[verdict] : "?";
}

void filter_init(struct filter *filter, uint32_t shard) { *filter = (struct filter){.shard = shard}; }

struct hash128 filter_hash_next(struct hash128 before, struct slice bytes)
{
    XXH3_state_t state;
    uint64_t prefix[2] = {before.low, before.high};
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, prefix, sizeof prefix);
    XXH3_128bits_update(&state, bytes.p, bytes.n);
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    return (struct hash128){hash.low64, hash.high64};
}

static bool hash_eq(struct hash128 a, struct hash128 b) { return a.low == b.low && a.high == b.high; }

static enum filter_verdict judge_open(const struct filter *filter, const struct block_header *header)
{
    return header->epoch > filter->epoch ? FILTER_VALID_OPEN : FILTER_VOID_OPEN;
}

static enum filter_verdict judge_block(const struct filter *filter, const struct block_header *header)
{
#ifdef SEEDED_BUG_ZOMBIE_BLOCK
    if (header->epoch < filter->epoch)
        return FILTER_VALID;
#endif
    if (header->epoch < filter->epoch)
        return FILTER_VOID_EPOCH;
    if (header->epoch > filter->epoch)
        return FILTER_STOP_FORK;
    if (header->writer != filter->writer)
        return FILTER_VOID_WRITER;
    if (header->first_seq != filter->seq + 1)
        return FILTER_VOID_SEQ;
    return hash_eq(header->prefix, filter->hash) ? FILTER_VALID : FILTER_STOP_FORK;
}

/* The header is laid out alike in every version: a block of a newer one that would be valid must stop this build,
 * or it would see another ledger than the newer readers. What would be void is void in any version. */
static enum filter_verdict judge(const struct filter *filter, const struct block_header *header, bool version_known)
{
    if (header->shard != filter->shard || header->branch < filter->branch)
        return FILTER_VOID_FOREIGN;
    if (header->branch > filter->branch)
        return FILTER_STOP_FORK; /* the ledger goes on in a branch this reader does not know: it must not look current
                                  */
    if (header->open && header->epoch == UINT32_MAX)
        return FILTER_VOID_MALFORMED; /* no epoch could follow it */
    enum filter_verdict verdict = header->open ? judge_open(filter, header) : judge_block(filter, header);
    bool valid = verdict == FILTER_VALID || verdict == FILTER_VALID_OPEN;
    return valid && !version_known ? FILTER_STOP_VERSION : verdict;
}

static void adopt(struct filter *filter, enum filter_verdict verdict, const struct block_header *header)
{
    if (verdict == FILTER_VALID_OPEN) {
        filter->epoch = header->epoch;
        filter->writer = header->writer;
        filter->seq++;
    } else {
        filter->seq = header->first_seq + header->count - 1;
        if (header->last_ms > filter->time_ms)
            filter->time_ms = header->last_ms;
    }
}

enum filter_verdict filter_apply(struct filter *filter, int64_t offset, struct slice bytes, struct block_reader *reader)
{
    if (offset != filter->next_offset)
        return FILTER_STOP_GAP;
    enum err_code code = block_open(reader, bytes, NULL);
    enum filter_verdict verdict =
        code == ERR_BAD_INPUT ? FILTER_VOID_MALFORMED : judge(filter, &reader->header, code == OK);
    if (filter_stops(verdict))
        return verdict;
    filter->next_offset++;
    if (filter_valid(verdict)) {
        adopt(filter, verdict, &reader->header);
        filter->hash = filter_hash_next(filter->hash, bytes);
    }
    return verdict;
}

void filter_save(const struct filter *filter, struct buf *out)
{
    buf_add_u32(out, filter->shard);
    buf_add_u32(out, filter->branch);
    buf_add_u32(out, filter->epoch);
    buf_add_u64(out, filter->writer);
    buf_add_u64(out, filter->seq);
    buf_add_u64(out, (uint64_t)filter->time_ms);
    buf_add_u64(out, filter->hash.low);
    buf_add_u64(out, filter->hash.high);
    buf_add_u64(out, (uint64_t)filter->next_offset);
}

bool filter_load(struct filter *filter, struct cursor *in)
{
    filter->shard = cursor_u32(in);
    filter->branch = cursor_u32(in);
    filter->epoch = cursor_u32(in);
    filter->writer = cursor_u64(in);
    filter->seq = cursor_u64(in);
    filter->time_ms = (int64_t)cursor_u64(in);
    filter->hash.low = cursor_u64(in);
    filter->hash.high = cursor_u64(in);
    filter->next_offset = (int64_t)cursor_u64(in);
    return !in->bad && filter->next_offset >= 0;
}
