/* test_http.c -- http.h over real sockets on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/http.h"

enum { ANSWER_BYTES_MAX = 65536, DEADLINE_S = 20 };

struct fixture {
    struct clock_manual clock;
    struct metrics *metrics;
    struct health *health;
    struct health_part *part;
    struct http_server *server;
    unsigned port;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct err err = {0};
    clock_manual_init(&f.clock, 0);
    f.metrics = metrics_new();
    f.health = health_new(&f.clock.clock);
    f.part = health_part(f.health, "funnel/0", 1000);
    if (http_server_start("127.0.0.1:0", f.metrics, f.health, "1.2.3", &f.server, &err))
        return -1;
    f.port = (unsigned)strtoul(strrchr(http_server_address(f.server), ':') + 1, NULL, 10);
    *state = &f;
    return 0;
}
static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_server_stop(&f->server);
    metrics_destroy(&f->metrics);
    health_destroy(&f->health);
    return f->server ? -1 : 0;
}

static int connect_to(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    struct timeval deadline = {.tv_sec = DEADLINE_S};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends bytes, reads until the server closes. */
static const char *exchange(struct fixture *f, const char *request)
{
    static char answer[ANSWER_BYTES_MAX];
    int fd = connect_to(f->port);
    size_t length = strlen(request);
    assert_int_equal(send(fd, request, length, MSG_NOSIGNAL), length);
    size_t used = 0;
    for (ssize_t n; used < sizeof answer - 1 && (n = recv(fd, answer + used, sizeof answer - 1 - used, 0)) > 0;)
        used += (size_t)n;
    close(fd);
    answer[used] = '\0';
    return answer;
}

static const char *get(struct fixture *f, const char *path)
{
    char request[512];
    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return exchange(f, request);
}

static void assert_status(const char *answer, const char *status)
{
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || strncmp(answer + 9, status, 3) != 0)
        fail_msg("%s expected: %.60s", status, answer);
}

static const char *body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    return body + 4;
}

static void metrics_are_served_as_prometheus_text(void **state)
{
    struct fixture *f = *state;
    static const struct metric_spec spec = {"pl_things_total", METRIC_COUNTER, "Things.", {NULL}, 0, NULL};
    metric_add(metrics_get(f->metrics, &spec), 9);
    const char *answer = get(f, "/metrics");
    assert_status(answer, "200");
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(body_of(answer), "# TYPE pl_things_total counter\npl_things_total 9\n"));
    assert_non_null(strstr(body_of(answer), "process_resident_memory_bytes"));
    assert_non_null(strstr(body_of(answer), "\npaceline_build_info{version=\"1.2.3\"} 1\n"));
}

static void liveness_follows_the_heartbeat_only(void **state)
{
    struct fixture *f = *state;
    health_reason_set(f->part, "redis", "away");
    assert_status(get(f, "/livez"), "200");
    clock_manual_advance(&f->clock, 1001);
    assert_status(get(f, "/livez"), "503");
    health_beat(f->part);
    assert_status(get(f, "/livez"), "200");
}

static void readiness_gives_reasons(void **state)
{
    struct fixture *f = *state;
    assert_status(get(f, "/readyz"), "503");
    health_ready(f->part);
    assert_status(get(f, "/readyz"), "200");
    health_reason_set(f->part, "redis", "away");
    const char *answer = get(f, "/readyz");
    assert_status(answer, "503");
    assert_non_null(strstr(answer, "Content-Type: application/json"));
    assert_non_null(strstr(body_of(answer), "\"reasons\":{\"redis\":\"away\"}"));
}

static void the_version_is_told(void **state)
{
    struct fixture *f = *state;
    const char *answer = get(f, "/version");
    assert_status(answer, "200");
    assert_string_equal(body_of(answer), "{\"name\":\"paceline\",\"version\":\"1.2.3\"}\n");
}

static void other_paths_do_not_exist(void **state)
{
    struct fixture *f = *state;
    assert_status(get(f, "/"), "404");
    assert_status(get(f, "/metrics/"), "404");
    assert_status(get(f, "/../etc/passwd"), "404");
}

static void other_methods_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        exchange(f, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    assert_status(answer, "405");
    assert_non_null(strstr(answer, "Allow: GET, HEAD"));
    answer = exchange(f, "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_status(answer, "200");
    assert_string_equal(body_of(answer), "");
}

static void a_head_that_is_too_large_is_refused(void **state)
{
    struct fixture *f = *state;
    static char request[3 * HTTP_CONNECTION_MEMORY_BYTES];
    int n = snprintf(request, sizeof request, "GET /livez HTTP/1.1\r\nHost: x\r\nX: ");
    memset(request + n, 'x', 2 * HTTP_CONNECTION_MEMORY_BYTES);
    (void)snprintf(request + n + 2 * HTTP_CONNECTION_MEMORY_BYTES, 32, "\r\n\r\n");
    const char *answer = exchange(f, request);
    assert_true(*answer == '\0' || strncmp(answer, "HTTP/1.1 4", 10) == 0);
    assert_status(get(f, "/livez"), "200");
}

static void one_address_gets_a_bounded_number_of_connections(void **state)
{
    struct fixture *f = *state;
    int open[HTTP_CONNECTIONS_PER_ADDRESS_MAX];
    for (int i = 0; i < HTTP_CONNECTIONS_PER_ADDRESS_MAX; i++) {
        open[i] = connect_to(f->port);
        /* an answer proves that the server has taken this connection */
        static const char request[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
        char first;
        assert_int_equal(send(open[i], request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
        assert_int_equal(recv(open[i], &first, 1, 0), 1);
    }
    int extra = connect_to(f->port);
    char byte;
    ssize_t n = recv(extra, &byte, 1, 0); /* closed at once, before any request */
    assert_true(n <= 0);
    close(extra);
    for (int i = 0; i < HTTP_CONNECTIONS_PER_ADDRESS_MAX; i++)
        close(open[i]);
}

static void an_address_in_use_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct http_server *second = NULL;
    assert_int_equal(http_server_start(http_server_address(f->server), f->metrics, f->health, "1", &second, &err),
                     ERR_UNAVAILABLE);
    assert_null(second);
    assert_non_null(strstr(err.text, http_server_address(f->server)));
}

static void what_is_no_address_is_a_configuration_error(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {
        "",       ":",     "host.example:80", "127.0.0.1",     "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "::1:80", "[::1]", "1.2.3:80",        "127.0.0.1:http"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = {0};
        struct http_server *server = NULL;
        if (http_server_start(wrong[i], f->metrics, f->health, "1", &server, &err) != ERR_CONFIG)
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

static void a_bare_port_means_loopback(void **state)
{
    struct fixture *f = *state;
    static const char *const forms[] = {"0", ":0", "localhost:0"};
    for (size_t i = 0; i < 3; i++) {
        struct err err = {0};
        struct http_server *server = NULL;
        assert_int_equal(http_server_start(forms[i], f->metrics, f->health, "1", &server, &err), OK);
        assert_int_equal(strncmp(http_server_address(server), "127.0.0.1:", 10), 0);
        http_server_stop(&server);
    }
}

static void addresses_of_version_6_are_fine(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct http_server *server = NULL;
    enum err_code code = http_server_start("[::1]:0", f->metrics, f->health, "1", &server, &err);
    if (code == ERR_UNAVAILABLE || code == ERR_DENIED) {
        print_message("SKIP: this machine has no IPv6 loopback\n");
        skip();
    }
    assert_int_equal(code, OK);
    assert_int_equal(strncmp(http_server_address(server), "[::1]:", 6), 0);
    assert_true(strtoul(http_server_address(server) + 6, NULL, 10) > 0);
    http_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_served_as_prometheus_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(liveness_follows_the_heartbeat_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readiness_gives_reasons, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_version_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_paths_do_not_exist, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_methods_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_head_that_is_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_address_gets_a_bounded_number_of_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_in_use_is_unavailable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_address_is_a_configuration_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bare_port_means_loopback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_of_version_6_are_fine, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
