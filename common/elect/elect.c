/* elect.c -- the election seam: calls the implementation's table; and the election that everybody wins. */
#include "elect/elect.h"

#include <poll.h>
#include <stdlib.h>

#include "elect/elect_impl.h"

enum err_code elect_check_shards(uint32_t shards, struct err *err)
{
    if (shards >= 1 && shards <= ELECT_SHARDS_MAX)
        return OK;
    return err_set(err, ERR_CONFIG, "%u shards; 1 to %d are possible", shards, ELECT_SHARDS_MAX);
}

enum err_code elect_poll(struct elect *elect, int timeout_ms, struct err *err)
{
    return elect->ops->poll(elect, timeout_ms, err);
}

bool elect_owns(const struct elect *elect, uint32_t shard) { return shard < elect->shards && elect->owned[shard]; }

void elect_destroy(struct elect **elect)
{
    if (!*elect)
        return;
    (*elect)->ops->destroy(*elect);
    *elect = NULL;
}

static enum err_code always_poll(struct elect *elect, int timeout_ms, struct err *err)
{
    (void)elect, (void)err;
    if (timeout_ms > 0)
        (void)poll(NULL, 0, timeout_ms);
    return OK;
}

static void always_destroy(struct elect *elect) { free(elect); }

static const struct elect_ops always_ops = {always_poll, always_destroy};

enum err_code elect_always_open(uint32_t shards, struct elect **elect, struct err *err)
{
    *elect = NULL;
    enum err_code code = elect_check_shards(shards, err);
    if (code)
        return code;
    struct elect *e = calloc(1, sizeof *e);
    if (!e)
        return err_set(err, ERR_MEMORY, "no memory for an election of %u shards", shards);
    e->ops = &always_ops;
    e->shards = shards;
    for (uint32_t i = 0; i < shards; i++)
        e->owned[i] = true;
    *elect = e;
    return OK;
}
