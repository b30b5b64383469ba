#include "funnel_state.h"

#include <stdlib.h>

#include "time/zone.h"

int32_t funnel_day(struct funnel *funnel, int64_t at_ms)
{
    if (at_ms >= funnel->day_from_ms && at_ms < funnel->day_until_ms)
        return funnel->day;
    const struct zone *zone = plan_zone(funnel->plan);
    funnel->day = zone_day(zone, at_ms);
    funnel->day_from_ms = zone_day_start_ms(zone, funnel->day);
    funnel->day_until_ms = zone_day_start_ms(zone, funnel->day + 1);
    return funnel->day;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

void funnel_roll_up(struct funnel *funnel)
{
    const int64_t now[CELL_RING_PANES] = {floor_div(funnel->now_ms, 60000), floor_div(funnel->now_ms, 900000),
                                          floor_div(funnel->now_ms, 3600000), funnel_day(funnel, funnel->now_ms)};
    cell_table_expire(&funnel->cells, now);
    roll_up(&funnel->roller, &funnel->deltas, &funnel->book, &funnel->cells);
}

static void book(struct funnel *funnel, const struct lead_posting *posting)
{
    int32_t today = funnel_day(funnel, funnel->now_ms);
    int32_t day = funnel_day(funnel, posting->at_ms);
    bool restates = funnel->touched && day < today;
    funnel->changed_closed |= restates;
    if (delta_full(&funnel->deltas))
        funnel_roll_up(funnel);
    delta_add(&funnel->deltas, posting, day, restates ? today : 0, funnel->touched);
}

void funnel_post(void *context, const struct lead_posting *posting)
{
    struct funnel *funnel = context;
    if (!funnel->collect) {
        book(funnel, posting);
        return;
    }
    struct funnel_postings *postings = &funnel->postings;
    if (postings->count == postings->capacity) {
        postings->capacity = postings->capacity ? postings->capacity * 2 : 64;
        postings->items = realloc(postings->items, postings->capacity * sizeof *postings->items);
        if (!postings->items)
            abort();
    }
    postings->items[postings->count++] = *posting;
}

#define ORDER(field)                                                                                                   \
    if (a->field != b->field)                                                                                          \
    return a->field < b->field ? -1 : 1

static int posting_cmp(const void *left, const void *right)
{
    const struct lead_posting *a = left, *b = right;
    ORDER(at_ms);
    ORDER(leaf);
    ORDER(leaf_to);
    ORDER(stage);
    ORDER(slot);
    ORDER(currency);
    return 0;
}

/* What an event takes back and books again is no change: only the net is booked, flagged and counted. */
void funnel_post_event(struct funnel *funnel)
{
    struct funnel_postings *postings = &funnel->postings;
    if (postings->count)
        qsort(postings->items, postings->count, sizeof *postings->items, posting_cmp);
    funnel->collect = false;
    funnel->touched = true;
    for (uint32_t i = 0; i < postings->count;) {
        struct lead_posting net = postings->items[i++];
        for (; i < postings->count && posting_cmp(&net, &postings->items[i]) == 0; i++) {
            net.count += postings->items[i].count;
            net.amount += postings->items[i].amount;
        }
        if (net.count || net.amount)
            book(funnel, &net);
    }
    postings->count = 0;
}
