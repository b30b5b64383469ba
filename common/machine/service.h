/* service.h -- a machine as a service: one thread per shard with its runner, one for the election (design 9).
 *
 * Used alike by the service's own program and by `paceline run`. A shard that must stop (fork, gap, damage) stops alone
 * and says so in health and log; the service has failed when no shard is left. */
#ifndef MACHINE_SERVICE_H
#define MACHINE_SERVICE_H

#include "machine/machine.h"
#include "machine/wiring.h"

struct metrics;
struct health;
struct machine_service;

/* Everything is borrowed until machine_service_stop. */
enum err_code machine_service_start(const struct wiring *wiring, const struct machine_type *type,
                                    struct metrics *metrics, struct health *health, struct machine_service **service,
                                    struct err *err);
/* All shards have caught up once. */
bool machine_service_ready(struct machine_service *service);
/* True if no shard runs any more; err says why the first one stopped. */
bool machine_service_failed(struct machine_service *service, struct err *err);
/* Finishes the batch, commits, takes last snapshots, joins the threads. */
void machine_service_stop(struct machine_service **service);

#endif
