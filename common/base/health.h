/* health.h -- is the process alive, is it ready, and if not, why: per service, with reasons.
 *
 * Alive: every service's loop has beaten within its limit. Liveness never depends on Kafka or Redis. Ready: alive, each
 * service has said so once (health_ready) and has no reason standing against it ("redis": "cannot be reached").
 * A part belongs to one service thread; readers are the HTTP threads and `doctor`. Thread-safe. */
#ifndef BASE_HEALTH_H
#define BASE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

enum { HEALTH_PARTS_MAX = 256, HEALTH_REASONS_MAX = 16, HEALTH_NAME_BYTES_MAX = 63, HEALTH_TEXT_BYTES_MAX = 255 };

struct health;
struct health_part;
struct health *health_new(struct clock *clock);
void health_destroy(struct health **health);

/* Part of this name ("funnel/0"), made when new, not ready. beat_limit_ms: longest silence of a live loop. Never NULL
 * for a health that is not NULL; NULL in, NULL out, and every call below takes NULL as "nobody asks". */
struct health_part *health_part(struct health *health, const char *name, int64_t beat_limit_ms);
void health_beat(struct health_part *part);  /* once per turn of the loop; one atomic store */
void health_ready(struct health_part *part); /* caught up for the first time */
void health_reason_set(struct health_part *part, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void health_reason_clear(struct health_part *part, const char *reason);
void health_end(struct health_part *part); /* the service has ended as asked: no longer counts */

bool health_is_live(struct health *health);
bool health_is_ready(struct health *health);
/* {"ready":false,"services":[{"name":"funnel/0","live":true,"ready":false,"reasons":{"redis":"..."}}]} by name. */
void health_write(struct health *health, struct buf *out);

#endif
