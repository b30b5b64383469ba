/* http.h -- the operators' HTTP server: /metrics, /livez, /readyz, /version, on loopback unless told otherwise.
 *
 * GET and HEAD only, no bodies, no state; libmicrohttpd with one thread and limits on connections, per-address
 * connections, memory and idle time. /livez and /readyz answer 200 or 503. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/err.h"
#include "base/health.h"
#include "base/metrics.h"

enum {
    HTTP_CONNECTIONS_MAX = 64,
    HTTP_CONNECTIONS_PER_ADDRESS_MAX = 32,
    HTTP_CONNECTION_MEMORY_BYTES = 16384,
    HTTP_IDLE_S_MAX = 10
};

struct http_server;
/* listen: HOST:PORT, [V6]:PORT, :PORT or PORT (= 127.0.0.1); HOST is numeric or `localhost`; port 0 takes a free one.
 * ERR_CONFIG: no such form; ERR_UNAVAILABLE: the address is taken; ERR_DENIED: not permitted. metrics and health are
 * borrowed until http_server_stop. */
enum err_code http_server_start(const char *listen, struct metrics *metrics, struct health *health, const char *version,
                                struct http_server **server, struct err *err);
const char *http_server_address(const struct http_server *server); /* "127.0.0.1:9464" as bound */
void http_server_stop(struct http_server **server);

#endif
