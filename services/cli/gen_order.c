/* gen_order.c -- what follows from a lead: orders and their payments, visits. See gen.h. */
#include <stdio.h>

#include "gen.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000, LINES_MAX = 3 };

struct order {
    struct gen *gen;
    char id[32], customer[32], lead[32];
    char splits[160], lines[640];
    uint32_t reps[2];
    int64_t shares[2], amount;
};

/* One split of all, or two of 60 and 40. The shares of the amount: largest remainder, ties by name. */
static void split(struct order *order, uint32_t rep)
{
    struct gen *gen = order->gen;
    char first[GEN_NAME_BYTES], second[GEN_NAME_BYTES];
    uint32_t other = (uint32_t)gen_random_below(&gen->random, gen->company.reps);
    bool two = other != rep && gen_random_ppm(&gen->random, 200000);
    order->reps[0] = rep;
    order->reps[1] = other;
    gen_company_rep(rep, first);
    gen_company_rep(other, second);
    if (two)
        (void)snprintf(order->splits, sizeof order->splits,
                       "[{\"rep_id\":\"%s\",\"ppm\":600000},{\"rep_id\":\"%s\",\"ppm\":400000}]", first, second);
    else
        (void)snprintf(order->splits, sizeof order->splits, "[{\"rep_id\":\"%s\",\"ppm\":1000000}]", first);
    order->shares[0] = two ? 600000 : 1000000;
    order->shares[1] = two ? 400000 : 0;
}

static void lines(struct order *order, int64_t amount)
{
    static const char *const skus[][2] = {{"coffee-1kg", "coffee"}, {"tea-100g", "tea"}, {"cup-4", "ware"}};
    struct gen_random *random = &order->gen->random;
    int count = (int)gen_random_between(random, 1, LINES_MAX), used = 0;
    order->amount = 0;
    used += snprintf(order->lines, sizeof order->lines, "[");
    for (int i = 0; i < count; i++) {
        /* Multiples of 500 minor units: a line splits 60 to 40 without a remainder. */
        int64_t net = amount / count / 500 * 500;
        order->amount += net;
        used += snprintf(order->lines + used, sizeof order->lines - (size_t)used,
                         "%s{\"sku\":\"%s\",\"product_group\":\"%s\",\"qty\":%d,\"net_amount\":%lld}", i ? "," : "",
                         skus[i][0], skus[i][1], (int)gen_random_between(random, 1, 40) * 500, (long long)net);
    }
    (void)snprintf(order->lines + used, sizeof order->lines - (size_t)used, "]");
}

static void write_revision(struct order *order, int revision, const char *status, int64_t at_ms)
{
    struct gen_draft draft;
    gen_event_begin(&draft, order->gen, GEN_ORDERS, "o", at_ms);
    gen_event_text(&draft, "order_id", order->id);
    gen_event_int(&draft, "revision", revision);
    gen_event_text(&draft, "status", status);
    gen_event_text(&draft, "customer_id", order->customer);
    gen_event_text(&draft, "lead_id", order->lead);
    gen_event_json(&draft, "splits", order->splits);
    gen_event_json(&draft, "lines", order->lines);
    gen_event_text(&draft, "currency", "CNY");
    gen_event_int(&draft, "net_amount", order->amount);
    gen_event_end(&draft);
}

static void book_actual(struct order *order, int sign)
{
    const struct gen_company *company = &order->gen->company;
    for (int share = 0; share < 2; share++) {
        if (!order->shares[share])
            continue;
        int64_t value = order->amount / 5 * (order->shares[share] / 200000); /* exact: multiples of 500 */
        for (uint32_t level = 0; level < company->levels; level++) {
            char name[GEN_NAME_BYTES], org[GEN_NAME_BYTES + 8];
            gen_company_name(company, level, gen_company_above(company, order->reps[share], level), name);
            (void)snprintf(org, sizeof org, "%s%s", level + 1 == company->levels ? "rep:" : "", name);
            gen_book_actual(&order->gen->book, org, sign * value);
        }
    }
}

static void payment(struct order *order, int64_t at_ms)
{
    struct gen_draft draft;
    const char *statuses[] = {"invoiced", "paid"};
    char id[40];
    (void)snprintf(id, sizeof id, "inv-%s", order->id);
    for (int i = 0; i < 2; i++, at_ms += 20 * (int64_t)DAY_MS) {
        if (at_ms >= order->gen->end_ms)
            return;
        gen_event_begin(&draft, order->gen, GEN_FACTS, "f", at_ms);
        gen_event_text(&draft, "fact_id", id);
        gen_event_text(&draft, "kind", "payment");
        gen_event_text(&draft, "status", statuses[i]);
        gen_event_text(&draft, "order_id", order->id);
        gen_event_int(&draft, "amount", order->amount);
        gen_event_text(&draft, "currency", "CNY");
        gen_event_time(&draft, "due_at", at_ms + 30 * (int64_t)DAY_MS);
        gen_event_end(&draft);
    }
}

void gen_order_story(struct gen *gen, uint32_t lead, uint32_t rep, int64_t at_ms, int64_t amount)
{
    struct order order = {.gen = gen};
    (void)snprintf(order.id, sizeof order.id, "%sO%07u-%llu", gen->config.tag, lead + 1,
                   (unsigned long long)gen->next_id);
    (void)snprintf(order.lead, sizeof order.lead, "%sL%07u", gen->config.tag, lead + 1);
    (void)snprintf(order.customer, sizeof order.customer, "c-%05u", lead % 5000 + 1);
    split(&order, rep);
    lines(&order, amount);
    write_revision(&order, 1, "confirmed", at_ms);
    book_actual(&order, 1);
    payment(&order, at_ms + DAY_MS);
    int64_t cancelled_at = gen_working_time(gen, at_ms + gen_random_between(&gen->random, HOUR_MS, 9 * DAY_MS));
    if (cancelled_at < gen->end_ms && gen_random_ppm(&gen->random, 50000)) {
        write_revision(&order, 2, "cancelled", cancelled_at);
        book_actual(&order, -1);
    }
}

static void visit_phase(struct gen *gen, const char *id, const char *phase, uint32_t lead, uint32_t rep, int64_t at_ms,
                        int64_t planned_ms)
{
    struct gen_draft draft;
    char name[GEN_NAME_BYTES], text[32];
    gen_event_begin(&draft, gen, GEN_VISITS, "v", at_ms);
    gen_event_text(&draft, "visit_id", id);
    gen_event_text(&draft, "kind", "field");
    gen_event_text(&draft, "phase", phase);
    gen_company_rep(rep, name);
    gen_event_text(&draft, "rep_id", name);
    (void)snprintf(text, sizeof text, "%sL%07u", gen->config.tag, lead + 1);
    gen_event_text(&draft, "lead_id", text);
    if (planned_ms) {
        gen_event_time(&draft, "planned_start", planned_ms);
        gen_event_time(&draft, "planned_end", planned_ms + HOUR_MS);
    }
    gen_event_end(&draft);
}

void gen_visit_story(struct gen *gen, uint32_t lead, uint32_t rep, int64_t at_ms)
{
    char id[32];
    int64_t planned_ms = gen_working_time(gen, at_ms + gen_random_between(&gen->random, DAY_MS, 4 * DAY_MS));
    (void)snprintf(id, sizeof id, "%sV%llu", gen->config.tag, (unsigned long long)gen->next_id);
    visit_phase(gen, id, "planned", lead, rep, at_ms + 1000, planned_ms);
    if (planned_ms + 2 * HOUR_MS >= gen->end_ms || gen_random_ppm(&gen->random, 150000))
        return; /* planned and missed */
    int64_t start_ms = planned_ms + gen_random_between(&gen->random, -10, 40) * 60000;
    visit_phase(gen, id, "checkin", lead, rep, start_ms, 0);
    visit_phase(gen, id, "checkout", lead, rep, start_ms + gen_random_between(&gen->random, 8, 90) * 60000, 0);
}
