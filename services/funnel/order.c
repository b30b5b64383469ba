#include "order.h"

#include <stdlib.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

void order_close(struct order *order)
{
    free(order->items);
    free(order->spare);
    *order = (struct order){0};
}

void order_begin(struct order *order, size_t count)
{
    order->count = 0;
    if (count <= order->capacity)
        return;
    order->capacity = count;
    order->items = need(realloc(order->items, count * sizeof *order->items));
    order->spare = need(realloc(order->spare, count * sizeof *order->spare));
}

static void sort_pass(const struct order_item *from, struct order_item *to, size_t count, unsigned shift)
{
    size_t place[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        place[from[i].key >> shift & (DIGITS - 1)]++;
    size_t sum = 0;
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t n = place[digit];
        place[digit] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[place[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

static int by_key(const void *left, const void *right)
{
    const struct order_item *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* Digit by digit from the right, but only digits in which keys differ. */
void order_sort(struct order *order)
{
    if (order->count < DIGITS / 4) {
        if (order->count)
            qsort(order->items, order->count, sizeof *order->items, by_key);
        return;
    }
    uint64_t differ = 0;
    for (size_t i = 1; i < order->count; i++)
        differ |= order->items[i].key ^ order->items[0].key;
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (!(differ >> shift & (DIGITS - 1)))
            continue;
        sort_pass(order->items, order->spare, order->count, shift);
        struct order_item *sorted = order->spare;
        order->spare = order->items;
        order->items = sorted;
    }
}
