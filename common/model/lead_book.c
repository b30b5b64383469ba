#include "lead_book.h"

#include <assert.h>
#include <stdlib.h>

struct lead_owner_cache {
    int64_t from_ms, until_ms; /* [from, until) */
    uint32_t path, tier;
    uint32_t channel, leaf; /* the leaf asked for last, and its channel; 0: none */
};
struct lead_model_cache {
    int64_t from_ms, until_ms; /* both included */
    const struct plan_model *model;
    bool known;
};

static struct slice bytes_of(const void *p, size_t n) { return slice_make(p, n); }

void lead_book_init(struct lead_book *book, const struct plan *plan)
{
    memset(book, 0, sizeof *book);
    book->plan = plan;
    lead_symbols_init(&book->texts);
    lead_symbols_init(&book->stages);
    lead_symbols_init(&book->paths);
    lead_symbols_init(&book->leaves);
    lead_symbols_init(&book->reached);
    lead_symbols_init(&book->pairs);
    for (int i = 0; i < LEAD_DIM_COUNT; i++)
        lead_symbols_init(&book->dims[i]);
    book->text_unassigned = lead_book_intern(book, SLICE("unassigned"));
    book->text_other = lead_book_intern(book, SLICE("other"));
}

void lead_book_close(struct lead_book *book)
{
    lead_symbols_close(&book->texts);
    lead_symbols_close(&book->stages);
    lead_symbols_close(&book->paths);
    lead_symbols_close(&book->leaves);
    lead_symbols_close(&book->reached);
    lead_symbols_close(&book->pairs);
    for (int i = 0; i < LEAD_DIM_COUNT; i++)
        lead_symbols_close(&book->dims[i]);
    free(book->owners);
    free(book->models);
    memset(book, 0, sizeof *book);
}

void lead_book_plan_changed(struct lead_book *book)
{
    memset(book->plan_texts, 0, sizeof book->plan_texts);
    memset(book->plan_stages, 0, sizeof book->plan_stages);
    if (book->owner_capacity)
        memset(book->owners, 0, book->owner_capacity * sizeof *book->owners);
    if (book->model_capacity)
        memset(book->models, 0, book->model_capacity * sizeof *book->models);
}

uint32_t lead_book_intern(struct lead_book *book, struct slice text)
{
    return lead_symbols_intern(&book->texts, text, NULL);
}

static struct lead_book_memo *memo_of(struct lead_book_memo *memos, const void *key)
{
    return &memos[((uintptr_t)key >> 3 ^ (uintptr_t)key >> 9) % LEAD_BOOK_MEMOS];
}

uint32_t lead_book_plan_text(struct lead_book *book, struct slice text)
{
    struct lead_book_memo *memo = memo_of(book->plan_texts, text.p);
    if (memo->key != text.p || memo->bytes != text.n)
        *memo = (struct lead_book_memo){text.p, text.n, lead_book_intern(book, text)};
    return memo->number;
}

/* --- stages --------------------------------------------------------------------------------------------------- */

uint32_t lead_book_stage(struct lead_book *book, uint32_t pipeline, uint32_t stage)
{
    struct lead_stage_name name = {pipeline, stage};
    struct slice bytes = bytes_of(&name, sizeof name);
    if (book->stages.count <= LEAD_STAGES_MAX)
        return lead_symbols_intern(&book->stages, bytes, NULL);
    uint32_t found = lead_symbols_find(&book->stages, bytes);
    return found == LEAD_SYMBOL_NONE ? 0 : found;
}

uint32_t lead_book_plan_stage(struct lead_book *book, const struct plan_model *model, const struct plan_stage *stage)
{
    struct lead_book_memo *memo = memo_of(book->plan_stages, stage);
    if (memo->key != stage) {
        uint32_t pipeline = lead_book_plan_text(book, model->pipeline);
        uint32_t number = lead_book_stage(book, pipeline, lead_book_plan_text(book, stage->name));
        *memo = (struct lead_book_memo){stage, 0, number};
    }
    return memo->number;
}

struct lead_stage_name lead_book_stage_name(const struct lead_book *book, uint32_t stage)
{
    struct lead_stage_name name = {0, 0};
    if (stage)
        memcpy(&name, lead_symbols_text(&book->stages, stage).p, sizeof name);
    return name;
}

/* Grows a cache so that `number` has a zeroed entry. */
static void *cache_room(void *entries, uint32_t *capacity, uint32_t number, size_t entry_bytes)
{
    if (number < *capacity)
        return entries;
    uint32_t wanted = (number + 1) * 2;
    entries = realloc(entries, wanted * entry_bytes);
    if (!entries)
        abort();
    memset((char *)entries + *capacity * entry_bytes, 0, (wanted - *capacity) * entry_bytes);
    *capacity = wanted;
    return entries;
}

enum { MODEL_PROBES = 3 };

const struct plan_model *lead_book_model(struct lead_book *book, uint32_t pipeline, int64_t at_ms)
{
    book->models = cache_room(book->models, &book->model_capacity, pipeline, sizeof *book->models);
    struct lead_model_cache *cache = &book->models[pipeline];
    if (cache->known && at_ms >= cache->from_ms && at_ms <= cache->until_ms)
        return cache->model;
    struct slice name = lead_book_text(book, pipeline);
    const struct plan_model *model = plan_model_at(book->plan, name, at_ms);
    if (cache->known && cache->model == model && model) {
        /* Versions are intervals: the same one at both ends is the same one between. */
        cache->from_ms = at_ms < cache->from_ms ? at_ms : cache->from_ms;
        cache->until_ms = at_ms > cache->until_ms ? at_ms : cache->until_ms;
        return model;
    }
    *cache = (struct lead_model_cache){at_ms, at_ms, model, true};
    static const int64_t ahead_ms[MODEL_PROBES] = {3660 * 86400000ll, 30 * 86400000ll, 86400000ll};
    for (int i = 0; model && i < MODEL_PROBES; i++) {
        if (plan_model_at(book->plan, name, at_ms + ahead_ms[i]) != model)
            continue;
        cache->until_ms = at_ms + ahead_ms[i];
        break;
    }
    return model;
}

/* --- paths and leaves ----------------------------------------------------------------------------------------- */

/* Names of the plan's path; `unassigned` is put under the root of the instant. */
static uint32_t intern_path(struct lead_book *book, uint32_t plan_path, int64_t at_ms)
{
    uint32_t names[PLAN_DEPTH_MAX + 2];
    uint32_t count = 0;
    if (plan_path == 0) {
        uint32_t root = plan_root(book->plan, at_ms);
        names[count++] = book->text_unassigned;
        if (root != PLAN_NONE)
            names[count++] = lead_book_intern(book, plan_node_name(book->plan, root));
    } else {
        const uint32_t *nodes;
        uint32_t depth = plan_path_nodes(book->plan, plan_path, &nodes);
        for (uint32_t i = 0; i < depth && count < PLAN_DEPTH_MAX + 2; i++)
            names[count++] = lead_book_intern(book, plan_node_name(book->plan, nodes[i]));
    }
    return lead_symbols_intern(&book->paths, bytes_of(names, count * sizeof *names), NULL);
}

static struct lead_owner_cache *owner_at(struct lead_book *book, uint32_t owner, int64_t at_ms)
{
    book->owners = cache_room(book->owners, &book->owner_capacity, owner, sizeof *book->owners);
    struct lead_owner_cache *cache = &book->owners[owner];
    if (at_ms >= cache->from_ms && at_ms < cache->until_ms)
        return cache;
    struct slice tier = {"", 0};
    struct slice name = lead_book_text(book, owner);
    uint32_t path = owner ? plan_path_of_rep(book->plan, name, at_ms, &tier) : 0;
    int64_t until_ms = owner ? plan_rep_next_change(book->plan, name, at_ms) : INT64_MAX;
    if (path == 0) { /* the root above `unassigned` may change with any edge of the tree */
        int64_t tree_ms = plan_org_next_change(book->plan, at_ms);
        until_ms = tree_ms < until_ms ? tree_ms : until_ms;
    }
    struct lead_owner_cache fresh = {.from_ms = at_ms, .until_ms = until_ms};
    fresh.tier = path ? lead_book_intern(book, tier) : 0;
    fresh.path = intern_path(book, path, at_ms);
    *cache = fresh;
    return cache;
}

int64_t lead_book_owner_change(struct lead_book *book, uint32_t owner, int64_t at_ms)
{
    return owner_at(book, owner, at_ms)->until_ms;
}

uint32_t lead_book_leaf_of(struct lead_book *book, const struct lead_leaf *leaf)
{
    return lead_symbols_intern(&book->leaves, bytes_of(leaf, sizeof *leaf), NULL);
}

/* --- the bound of cells ------------------------------------------------------------------------------------------ */

void lead_book_know(struct lead_book *book, const struct lead_pair *pair)
{
    lead_symbols_intern(&book->pairs, bytes_of(pair, sizeof *pair), NULL);
}

void lead_book_fill(struct lead_book *book)
{
    book->cells_full = true;
    lead_book_plan_changed(book); /* leaves remembered from before may have no cells */
}

static uint32_t admit_at(struct lead_book *book, uint32_t path, enum lead_dim dim, uint32_t value)
{
    value = lead_book_admit(book, dim, value);
    if (!book->cells_full || !value || value == book->text_other)
        return value;
    const uint32_t *nodes;
    uint32_t depth = lead_book_path_nodes(book, path, &nodes);
    struct lead_pair pair = {depth ? nodes[0] : 0, (uint32_t)dim, value};
    if (lead_symbols_find(&book->pairs, bytes_of(&pair, sizeof pair)) != LEAD_SYMBOL_NONE)
        return value;
    book->dim_overflow++;
    return book->text_other;
}

uint32_t lead_book_leaf(struct lead_book *book, uint32_t owner, uint32_t channel, int64_t at_ms)
{
    struct lead_owner_cache *at = owner_at(book, owner, at_ms);
    if (at->leaf && at->channel == channel)
        return at->leaf;
    uint64_t overflow = book->dim_overflow;
    struct lead_leaf leaf = {at->path, owner, 0, 0};
    leaf.tier = admit_at(book, at->path, LEAD_DIM_TIER, at->tier);
    leaf.channel = admit_at(book, at->path, LEAD_DIM_CHANNEL, channel);
    uint32_t number = lead_book_leaf_of(book, &leaf);
    at->channel = channel;
    at->leaf = overflow == book->dim_overflow ? number : 0; /* what overflows is counted each time */
    return number;
}

struct lead_leaf lead_book_leaf_parts(const struct lead_book *book, uint32_t leaf)
{
    struct lead_leaf parts = {0, 0, 0, 0};
    if (leaf)
        memcpy(&parts, lead_symbols_text(&book->leaves, leaf).p, sizeof parts);
    return parts;
}

uint32_t lead_book_path_nodes(const struct lead_book *book, uint32_t path, const uint32_t **nodes)
{
    struct slice bytes = lead_symbols_text(&book->paths, path);
    /* Paths are arrays of 4-byte numbers appended to one buffer: every offset is a multiple of 4. */
    *nodes = (const uint32_t *)(const void *)bytes.p;
    return (uint32_t)(bytes.n / sizeof **nodes);
}

/* --- sets of reached stages ----------------------------------------------------------------------------------- */

struct reached_link {
    uint32_t set, stage;
};

uint32_t lead_book_reach(struct lead_book *book, uint32_t set, uint32_t stage, bool *fresh)
{
    *fresh = true;
    for (uint32_t at = set; at;) {
        struct reached_link link;
        memcpy(&link, lead_symbols_text(&book->reached, at).p, sizeof link);
        if (link.stage == stage) {
            *fresh = false;
            return set;
        }
        at = link.set;
    }
    struct reached_link link = {set, stage};
    return lead_symbols_intern(&book->reached, bytes_of(&link, sizeof link), NULL);
}

uint32_t lead_book_admit(struct lead_book *book, enum lead_dim dim, uint32_t value)
{
    if (!value || value == book->text_unassigned)
        return 0; /* absent and `unassigned` are one value (1.3) */
    struct lead_symbols *admitted = &book->dims[dim];
    struct slice bytes = bytes_of(&value, sizeof value);
    if (admitted->count > LEAD_DIM_VALUES_MAX && lead_symbols_find(admitted, bytes) == LEAD_SYMBOL_NONE) {
        book->dim_overflow++;
        return book->text_other;
    }
    lead_symbols_intern(admitted, bytes, NULL);
    return value;
}

void lead_book_forget_tiers(struct lead_book *book)
{
    lead_symbols_close(&book->dims[LEAD_DIM_TIER]);
    lead_symbols_init(&book->dims[LEAD_DIM_TIER]);
}
