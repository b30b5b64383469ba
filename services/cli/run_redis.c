#include "run_redis.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logger.h"
#include "machine/wiring.h"

enum { START_MS_MAX = 30000, STOP_MS_MAX = 5000, TURN_MS = 10, EXIT_NO_PROGRAM = 127 };

struct run_redis {
    pid_t child; /* 0: none */
    bool durable;
    char folder[PATH_MAX];
    char socket[PATH_MAX + 16];
    struct sockaddr_un address; /* as the clients name it: short */
};

static int64_t now_ms(void) { return clock_system()->monotonic_ms(clock_system()); }

/* In the child. Signals as a program expects them, dead when the parent is, not in reach of the terminal's Ctrl-C: the
 * parent ends it when the services are done with it. */
static _Noreturn void become_redis(const struct run_redis *redis, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    setsid();
    const char *arguments[] = {"redis-server",
                               "--port",
                               "0",
                               "--unixsocket",
                               redis->socket,
                               "--unixsocketperm",
                               "700",
                               "--dir",
                               redis->folder,
                               "--daemonize",
                               "no",
                               "--save",
                               "",
                               "--appendonly",
                               redis->durable ? "yes" : "no",
                               "--appendfsync",
                               "everysec",
                               "--maxmemory-policy",
                               "noeviction",
                               "--logfile",
                               "redis.log",
                               NULL};
    execvp("redis-server", (char *const *)(uintptr_t)arguments);
    _exit(EXIT_NO_PROGRAM);
}

/* True once it answers PING with PONG (not LOADING). */
static bool answers(const struct run_redis *redis)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    char reply[8] = "";
    struct timeval limit = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool pong = connect(fd, (const struct sockaddr *)&redis->address, sizeof redis->address) == 0 &&
                write(fd, "PING\r\n", 6) == 6 && read(fd, reply, sizeof reply - 1) >= 5 &&
                memcmp(reply, "+PONG", 5) == 0;
    close(fd);
    return pong;
}

static enum err_code died(const struct run_redis *redis, int status, struct err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM)
        return err_set(err, ERR_CONFIG,
                       "redis-server is not installed; install the package redis-server or name a Redis with --redis");
    return err_set(err, ERR_UNAVAILABLE, "the private Redis ended at once; see %s/redis.log", redis->folder);
}

static enum err_code launch(struct run_redis *redis, struct err *err)
{
    pid_t parent = getpid();
    redis->child = fork();
    if (redis->child == 0)
        become_redis(redis, parent);
    if (redis->child < 0) {
        redis->child = 0;
        return err_set(err, ERR_UNAVAILABLE, "fork: %s", strerror(errno));
    }
    int64_t end_ms = now_ms() + START_MS_MAX;
    while (now_ms() < end_ms) {
        int status;
        if (waitpid(redis->child, &status, WNOHANG) == redis->child) {
            redis->child = 0;
            return died(redis, status, err);
        }
        if (answers(redis))
            return OK;
        clock_pause_ms(TURN_MS);
    }
    return err_set(err, ERR_UNAVAILABLE, "the private Redis does not answer on %s; see %s/redis.log", redis->socket,
                   redis->folder);
}

static enum err_code find_paths(const struct settings *settings, struct run_redis *redis, struct err *err)
{
    char address[600], folder[600];
    enum err_code code = wiring_view_address(settings, address, err);
    if (code)
        return code;
    redis->address.sun_family = AF_UNIX;
    memcpy(redis->address.sun_path, address, strlen(address) + 1); /* its length was checked */
    snprintf(folder, sizeof folder, "%s/redis", settings->dir);
    if (!realpath(folder, redis->folder))
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", folder, strerror(errno));
    /* Redis works in its folder, so that the name it binds is short whatever the folder's is. */
    snprintf(redis->socket, sizeof redis->socket, "redis.sock");
    return OK;
}

enum err_code run_redis_start(const struct settings *settings, struct run_redis **redis, struct err *err)
{
    struct run_redis *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->durable = strcmp(settings->redis_durability, "none") != 0;
    enum err_code code = find_paths(settings, r, err);
    if (!code)
        code = launch(r, err);
    if (code) {
        run_redis_stop(&r);
        return code;
    }
    *redis = r;
    return OK;
}

enum err_code run_redis_tend(struct run_redis *redis, struct err *err)
{
    int status;
    if (redis->child && waitpid(redis->child, &status, WNOHANG) != redis->child)
        return OK;
    LOGGER_WARN("the private Redis ended; it is started again", LF_TEXT("log", redis->folder));
    return launch(redis, err);
}

void run_redis_stop(struct run_redis **redis)
{
    struct run_redis *r = *redis;
    if (!r)
        return;
    if (r->child) {
        kill(r->child, SIGTERM);
        int64_t end_ms = now_ms() + STOP_MS_MAX;
        while (waitpid(r->child, NULL, WNOHANG) == 0 && now_ms() < end_ms)
            clock_pause_ms(TURN_MS);
        if (now_ms() >= end_ms) {
            kill(r->child, SIGKILL);
            waitpid(r->child, NULL, 0);
        }
    }
    free(r);
    *redis = NULL;
}
