/* The ledger and the funnel as threads of one process, as `paceline run` has them: folder log, two shards, a real
 * Redis, snapshots taken while events come, readers of metrics and health beside. Made for the thread sanitizer. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/health.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "funnel/funnel.h"
#include "ledger/ledger_shards.h"
#include "local.h"
#include "machine/service.h"
#include "sim/sim_input.h"

enum {
    TENANTS = 3,
    SHARDS = 2,
    EVENTS = 600,              /* in each of the two runs */
    EVENTS_ACCEPTED_MIN = 120, /* of a tenant's 200: some are conflicts, some are rejected */
    DEADLINE_MS = 60000,
    TURN_MS = 20
};

static char folder[512], socket_path[108];

struct services {
    struct settings settings;
    struct wiring wiring;
    struct metrics *metrics;
    struct health *health;
    struct ledger_shards *ledger;
    struct machine_service *funnel;
    struct view *view;
    struct log_producer *feed;
    struct buf text;
    struct err err;
};

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        if (call)                                                                                                      \
            fail_msg("%s: %s", #call, s->err.text);                                                                    \
    } while (0)

static void services_start(struct services *s)
{
    const char *const flags[] = {"dir",  folder, "redis", socket_path,        "shards", "2", "instance",
                                 "test", "sync", "false", "snapshot_records", "50",     NULL};
    *s = (struct services){0};
    buf_init(&s->text);
    MUST(settings_load(&s->settings, NULL, flags, &s->err));
    MUST(wiring_open(&s->wiring, &s->settings, "test", &s->err));
    MUST(wiring_topics_ensure(&s->wiring, &s->err));
    s->metrics = metrics_new();
    s->health = health_new(s->wiring.clock);
    MUST(ledger_shards_start(&s->wiring, s->metrics, s->health, &s->ledger, &s->err));
    MUST(machine_service_start(&s->wiring, &funnel_machine, s->metrics, s->health, &s->funnel, &s->err));
    MUST(wiring_view(&s->wiring, &s->view, &s->err));
    MUST(log_producer_open(s->wiring.log, &s->feed, &s->err));
}

static void services_stop(struct services *s)
{
    log_producer_destroy(&s->feed);
    view_destroy(&s->view);
    ledger_shards_stop(&s->ledger);
    machine_service_stop(&s->funnel);
    health_destroy(&s->health);
    metrics_destroy(&s->metrics);
    wiring_close(&s->wiring);
    buf_close(&s->text);
}

static void send_text(struct services *s, const char *topic, unsigned tenant)
{
    const struct slice key = slice_of(sim_tenant_name(tenant));
    MUST(
        log_append(s->feed, topic, log_partition_of_key(key, SHARDS), key, buf_slice(&s->text), slice_of(""), &s->err));
    buf_clear(&s->text);
}

static void send_plans(struct services *s)
{
    for (unsigned i = 0; i < TENANTS * SIM_PLAN_ITEMS; i++) {
        sim_plan_item(i / SIM_PLAN_ITEMS, i % SIM_PLAN_ITEMS, &s->text);
        send_text(s, "sales.plans", i / SIM_PLAN_ITEMS);
    }
    MUST(log_producer_flush(s->feed, DEADLINE_MS, &s->err));
}

static void send_leads(struct services *s, unsigned first)
{
    struct sim_random random = {.state = 7 + first};
    for (unsigned i = first; i < first + EVENTS; i++) {
        sim_lead_event(&random, i % TENANTS, i, s->wiring.clock->now_ms(s->wiring.clock), &s->text);
        send_text(s, "sales.leads", i % TENANTS);
    }
    MUST(log_producer_flush(s->feed, DEADLINE_MS, &s->err));
}

/* What operators ask while the threads work. */
static void read_aside(struct services *s)
{
    metrics_write(s->metrics, &s->text);
    health_write(s->health, &s->text);
    assert_true(health_is_live(s->health));
    buf_clear(&s->text);
    assert_false(ledger_shards_failed(s->ledger, &s->err));
    assert_false(machine_service_failed(s->funnel, &s->err));
}

static uint64_t shown(struct services *s, unsigned tenant)
{
    struct view_head head = {0};
    const struct view_scope scope = {slice_of("funnel"), slice_of(sim_tenant_name(tenant))};
    MUST(view_head_get(s->view, scope, &head, &s->err));
    return head.present ? head.tenant_seq : 0;
}

/* Until the figures of every tenant are behind at least `records` of its records. */
static void wait_for_figures(struct services *s, uint64_t records)
{
    struct clock *clock = s->wiring.clock;
    const int64_t end_ms = clock->monotonic_ms(clock) + DEADLINE_MS;
    for (unsigned tenant = 0; tenant < TENANTS;) {
        read_aside(s);
        if (shown(s, tenant) >= records) {
            tenant++;
            continue;
        }
        if (clock->monotonic_ms(clock) > end_ms)
            fail_msg("%s stays at %llu", sim_tenant_name(tenant), (unsigned long long)shown(s, tenant));
        (void)poll(NULL, 0, TURN_MS);
    }
}

static void two_services_share_a_process_and_go_on_after_a_restart(void **state)
{
    (void)state;
    struct services s;
    services_start(&s);
    send_plans(&s);
    wait_for_figures(&s, SIM_PLAN_ITEMS);
    send_leads(&s, 0);
    wait_for_figures(&s, SIM_PLAN_ITEMS + EVENTS_ACCEPTED_MIN);
    services_stop(&s);

    services_start(&s);
    uint64_t before[TENANTS];
    for (unsigned tenant = 0; tenant < TENANTS; tenant++)
        before[tenant] = shown(&s, tenant);
    send_leads(&s, EVENTS);
    wait_for_figures(&s, SIM_PLAN_ITEMS + 2 * EVENTS_ACCEPTED_MIN);
    for (unsigned tenant = 0; tenant < TENANTS; tenant++)
        assert_true(shown(&s, tenant) > before[tenant]);
    services_stop(&s);
}

static void services_end_while_events_still_come(void **state)
{
    (void)state;
    struct services s;
    services_start(&s);
    send_leads(&s, 2 * EVENTS);
    services_stop(&s);
}

int main(void)
{
    (void)snprintf(folder, sizeof folder, "%s/services", PACELINE_RUN_DIR);
    (void)snprintf(socket_path, sizeof socket_path, "/tmp/paceline-services-%d.sock", (int)getpid());
    char redis[560], command[2048];
    (void)snprintf(redis, sizeof redis, "%s-redis", folder);
    (void)snprintf(command, sizeof command, "rm -rf '%s' '%s' && mkdir -p '%s'", folder, redis, folder);
    if (system(command) != 0)
        return 1;
    setenv("REDIS_DIR", redis, 1);
    setenv("REDIS_SOCKET", socket_path, 1);
    setenv("REDIS_SYNC", "no", 1);
    if (!local_run("redis.sh", "start"))
        return local_skip("no Redis here: see run/redis.sh-start.out (needs redis-server)");
    logger_init(&(struct logger_options){.level = LOGGER_ERROR});
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_services_share_a_process_and_go_on_after_a_restart),
                                       cmocka_unit_test(services_end_while_events_still_come)};
    int failed = cmocka_run_group_tests_name("services as threads of one process", tests, NULL, NULL);
    (void)local_run("redis.sh", "stop");
    return failed;
}
