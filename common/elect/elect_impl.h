/* elect_impl.h -- what an implementation of the election seam provides (elect.h has the contracts). */
#ifndef ELECT_ELECT_IMPL_H
#define ELECT_ELECT_IMPL_H

#include "elect/elect.h"

struct elect_ops {
    enum err_code (*poll)(struct elect *elect, int timeout_ms, struct err *err);
    void (*destroy)(struct elect *elect);
};
struct elect {
    const struct elect_ops *ops;
    uint32_t shards;
    bool owned[ELECT_SHARDS_MAX];
};

enum err_code elect_check_shards(uint32_t shards, struct err *err);

#endif
