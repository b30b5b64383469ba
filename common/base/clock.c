/* clock.c -- see clock.h. */
#include "base/clock.h"

#include <limits.h>
#include <poll.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_now(struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic(struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

struct clock *clock_system(void)
{
    static struct clock system = {system_now, system_monotonic};
    return &system;
}

void clock_pause_ms(int64_t ms)
{
    if (ms > 0)
        (void)poll(NULL, 0, ms < INT_MAX ? (int)ms : INT_MAX);
}

static int64_t manual_now(struct clock *clock) { return ((struct clock_manual *)clock)->now_ms; }
static int64_t manual_monotonic(struct clock *clock) { return ((struct clock_manual *)clock)->monotonic_ms; }

void clock_manual_init(struct clock_manual *clock, int64_t now_ms)
{
    *clock = (struct clock_manual){{manual_now, manual_monotonic}, now_ms, 0};
}

void clock_manual_advance(struct clock_manual *clock, int64_t ms)
{
    clock->now_ms += ms;
    clock->monotonic_ms += ms;
}
