/* clock.h -- the clock seam: shells read it, cores never do. The memory twin is set by tests and the simulator. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    /* UTC milliseconds of the wall clock, and milliseconds of a clock that never steps. */
    int64_t (*now_ms)(struct clock *clock);
    int64_t (*monotonic_ms)(struct clock *clock);
};

struct clock *clock_system(void); /* the machine's clocks; shared, never freed */

/* Lets `ms` pass in real time; at once if it is not above 0. For back-off in shells; cores and tests never wait so. */
void clock_pause_ms(int64_t ms);

struct clock_manual {
    struct clock clock;
    int64_t now_ms;
    int64_t monotonic_ms;
};
void clock_manual_init(struct clock_manual *clock, int64_t now_ms);
void clock_manual_advance(struct clock_manual *clock, int64_t ms); /* both clocks */

#endif
