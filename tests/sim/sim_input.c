#include "sim_input.h"

#include "base/time_text.h"

uint64_t sim_next(struct sim_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

const char *sim_tenant_name(unsigned tenant)
{
    static const char *const names[] = {"acme", "zeta", "omega"};
    return names[tenant % (sizeof names / sizeof *names)];
}

void sim_plan_item(unsigned tenant, unsigned item, struct buf *out)
{
    static const struct {
        const char *kind, *id, *spec, *resolved;
    } items[SIM_PLAN_ITEMS] = {
        {"tenant", NULL, "{\"calendar\":\"cn\",\"currency\":\"CNY\",\"zone\":\"Asia/Shanghai\"}",
         "{\"transitions\":[[631152000000,28800]]}"},
        {"calendar", "cn", "{\"week\":{\"mon-fri\":[\"09:00-18:00\"]},\"zone\":\"Asia/Shanghai\"}",
         "{\"transitions\":[[631152000000,28800]]}"},
        {"node", "root", "{\"kind\":\"company\"}", NULL},
        {"node", "t1", "{\"kind\":\"team\",\"parent\":\"root\"}", NULL},
        {"member", "r1/t1/2025-01-01", "{\"from\":\"2025-01-01\",\"node\":\"t1\",\"rep\":\"r1\"}", NULL},
        {"stage_model", "default",
         "{\"stages\":[{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20},"
         "{\"id\":\"WON\",\"kind\":\"won\"},{\"id\":\"LOST\",\"kind\":\"lost\"}]}",
         NULL},
    };
    const char *name = sim_tenant_name(tenant);
    buf_addf(out,
             "{\"type\":\"plan\",\"tenant\":\"%s\",\"event_id\":\"p%u\",\"source\":\"plan\",\"source_seq\":%u,"
             "\"occurred_at\":\"2026-01-01T00:00:00.000Z\",\"actor_id\":\"u\",\"kind\":\"%s\",\"id\":\"%s\","
             "\"valid_from\":\"2025-01-01T00:00:00.000Z\",\"reason\":\"r\",\"approver\":\"a\",\"spec\":%s",
             name, item, item, items[item].kind, items[item].id ? items[item].id : name, items[item].spec);
    if (items[item].resolved)
        buf_addf(out, ",\"resolved\":%s", items[item].resolved);
    buf_add_text(out, "}");
}

/* One of the steps a lead may take. */
static void add_step(struct sim_random *random, struct buf *out)
{
    static const char *const steps[] = {
        "\"action\":\"created\",\"to_stage\":\"NEW\"", "\"action\":\"stage\",\"to_stage\":\"QUAL\"",
        "\"action\":\"stage\",\"to_stage\":\"NEW\"",   "\"action\":\"amount\",\"amount\":125000,\"currency\":\"CNY\"",
        "\"action\":\"owner\",\"owner_id\":\"r1\"",    "\"action\":\"won\"",
        "\"action\":\"lost\",\"reason\":\"price\"",    "\"action\":\"touch\",\"touch_kind\":\"call_out\"",
        "\"action\":\"reopened\",\"to_stage\":\"NEW\""};
    buf_add_text(out, steps[sim_below(random, sizeof steps / sizeof *steps)]);
}

void sim_lead_event(struct sim_random *random, unsigned tenant, unsigned i, int64_t now_ms, struct buf *out)
{
    unsigned id = i;
    struct sim_random body = {.state = sim_next(random)};
    if (i > 10 && sim_chance(&body, 7)) /* an identity that is taken, with another body: a conflict */
        id = i - SIM_TENANTS_STEP * (1 + (unsigned)sim_below(&body, 3));
    int64_t occurred_ms = now_ms - (int64_t)sim_below(&body, 40) * 3600000 / 7;
    char at[INSTANT_TEXT_BYTES];
    instant_print(occurred_ms, at);
    buf_addf(out,
             "{\"type\":\"%s\",\"tenant\":\"%s\",\"event_id\":\"e%u\",\"source\":\"crm\",\"source_seq\":%u,"
             "\"occurred_at\":\"%s\",\"lead_id\":\"L%u\",",
             sim_chance(&body, 3) ? "leed" : "lead", sim_tenant_name(tenant), id, id, at,
             (unsigned)sim_below(&body, 12));
    add_step(&body, out);
    buf_add_text(out, "}");
}
