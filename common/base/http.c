/* http.c -- see http.h. libmicrohttpd with one internal epoll thread; every answer is built at once and copied. */
#include "base/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { HOST_BYTES_MAX = 63, VERSION_BYTES_MAX = 63, ADDRESS_BYTES = 80, PORT_MAX = 65535 };

struct http_server {
    struct MHD_Daemon *daemon;
    struct metrics *metrics;
    struct health *health;
    char version[VERSION_BYTES_MAX + 1];
    char address[ADDRESS_BYTES];
};

struct answer {
    unsigned status;
    const char *type;
    struct buf body;
};

static const char json_type[] = "application/json; charset=utf-8";
static const char plain_type[] = "text/plain; charset=utf-8";

static void on_metrics(struct http_server *server, struct answer *answer)
{
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(server->metrics, &answer->body);
    metrics_write_process(&answer->body);
    buf_addf(&answer->body,
             "# HELP paceline_build_info Version of this build.\n# TYPE paceline_build_info gauge\n"
             "paceline_build_info{version=\"%s\"} 1\n",
             server->version);
}

static void on_livez(struct http_server *server, struct answer *answer)
{
    bool live = health_is_live(server->health);
    answer->status = live ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    buf_add_text(&answer->body, live ? "ok\n" : "a loop stands still: see /readyz\n");
}

static void on_readyz(struct http_server *server, struct answer *answer)
{
    answer->status = health_is_ready(server->health) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    answer->type = json_type;
    health_write(server->health, &answer->body);
}

static void on_version(struct http_server *server, struct answer *answer)
{
    answer->type = json_type;
    buf_add_text(&answer->body, "{\"name\":\"paceline\",\"version\":");
    text_add_json(&answer->body, slice_of(server->version));
    buf_add_text(&answer->body, "}\n");
}

static const struct {
    const char *path;
    void (*answer)(struct http_server *server, struct answer *answer);
} routes[] = {{"/metrics", on_metrics}, {"/livez", on_livez}, {"/readyz", on_readyz}, {"/version", on_version}};

static void answer_path(struct http_server *server, const char *path, struct answer *answer)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(path, routes[i].path) == 0) {
            routes[i].answer(server, answer);
            return;
        }
    answer->status = MHD_HTTP_NOT_FOUND;
    buf_add_text(&answer->body, "there is /metrics, /livez, /readyz and /version\n");
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.n, answer->body.p, MHD_RESPMEM_MUST_COPY);
    buf_close(&answer->body);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", answer->type);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* A body is refused as soon as its head is read; the connection is then closed by the library. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    (void)version;
    (void)upload;
    static const char seen[] = "seen"; /* the library calls once for the head, once for the (empty) body */
    struct answer answer = {.status = MHD_HTTP_OK, .type = plain_type};
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        answer.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_add_text(&answer.body, "GET or HEAD\n");
        return send_answer(connection, &answer);
    }
    if (!*request) {
        *request = (void *)(uintptr_t)seen;
        return MHD_YES;
    }
    if (*upload_bytes) {
        *upload_bytes = 0; /* thrown away */
        return MHD_YES;
    }
    answer_path(context, url, &answer);
    return send_answer(connection, &answer);
}

/* HOST:PORT, [V6]:PORT, :PORT, PORT */
static bool split_listen(const char *listen, char host[HOST_BYTES_MAX + 1], uint16_t *port)
{
    const char *colon = strrchr(listen, ':');
    struct slice front = colon ? slice_make(listen, (size_t)(colon - listen)) : SLICE("");
    if (front.n >= 2 && front.p[0] == '[' && front.p[front.n - 1] == ']')
        front = slice_make(front.p + 1, front.n - 2);
    else if (front.n && memchr(front.p, ':', front.n))
        return false; /* V6 without brackets */
    if (front.n == 0 || slice_is(front, "localhost"))
        front = SLICE("127.0.0.1");
    int64_t number;
    if (front.n > HOST_BYTES_MAX || !text_parse_int(slice_of(colon ? colon + 1 : listen), &number) || number < 0 ||
        number > PORT_MAX)
        return false;
    memcpy(host, front.p, front.n);
    host[front.n] = '\0';
    *port = (uint16_t)number;
    return true;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool read_listen(const char *listen, union address *address, char host[HOST_BYTES_MAX + 1])
{
    uint16_t port;
    memset(address, 0, sizeof *address);
    if (!split_listen(listen, host, &port))
        return false;
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return true;
    }
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
        return false;
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return true;
}

static unsigned port_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

/* The library's complaints about clients are no news for an operator. */
static void drop_message(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

static struct MHD_Daemon *start(struct http_server *server, const union address *address)
{
    bool v6 = address->any.sa_family == AF_INET6;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | (v6 ? MHD_USE_IPv6 : 0);
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,       /* */
                            MHD_OPTION_EXTERNAL_LOGGER, drop_message, NULL, /* first: the others may complain */
                            MHD_OPTION_SOCK_ADDR, &address->any,            /* */
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_PER_ADDRESS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY_BYTES,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S_MAX, MHD_OPTION_END);
}

static enum err_code refused(const char *listen, int error, struct err *err)
{
    enum err_code code = error == EACCES || error == EPERM ? ERR_DENIED : ERR_UNAVAILABLE;
    return err_set(err, code, "http: cannot listen on %s: %s; choose another address (http)", listen,
                   error ? strerror(error) : "the server does not start");
}

enum err_code http_server_start(const char *listen, struct metrics *metrics, struct health *health, const char *version,
                                struct http_server **server, struct err *err)
{
    union address address;
    char host[HOST_BYTES_MAX + 1];
    *server = NULL;
    if (!read_listen(listen, &address, host))
        return err_set(err, ERR_CONFIG,
                       "http: \"%s\" is no listen address; HOST:PORT is expected, such as 127.0.0.1:9464", listen);
    struct http_server *made = memory_must(calloc(1, sizeof *made));
    made->metrics = metrics;
    made->health = health;
    (void)snprintf(made->version, sizeof made->version, "%s", version);
    errno = 0;
    made->daemon = start(made, &address);
    if (!made->daemon) {
        int error = errno;
        free(made);
        return refused(listen, error, err);
    }
    bool v6 = address.any.sa_family == AF_INET6;
    (void)snprintf(made->address, sizeof made->address, v6 ? "[%s]:%u" : "%s:%u", host, port_of(made->daemon));
    *server = made;
    return OK;
}

const char *http_server_address(const struct http_server *server) { return server->address; }

void http_server_stop(struct http_server **server)
{
    if (!*server)
        return;
    MHD_stop_daemon((*server)->daemon);
    free(*server);
    *server = NULL;
}
