/* order.h -- sorts many small numbered things by a 64-bit key. */
#ifndef FUNNEL_ORDER_H
#define FUNNEL_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct order_item {
    uint64_t key;
    uint32_t number;
};
struct order {
    struct order_item *items, *spare;
    size_t count, capacity;
};

void order_close(struct order *order);
/* Empties it and makes room for `count` items, which the caller then adds. */
void order_begin(struct order *order, size_t count);
static inline void order_add(struct order *order, uint64_t key, uint32_t number)
{
    order->items[order->count++] = (struct order_item){key, number};
}
/* By key; equal keys come in any order. */
void order_sort(struct order *order);

#endif
