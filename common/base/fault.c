/* fault.c -- see fault.h. Points are few and named in the source, so a short table under one lock is enough. */
#include "base/fault.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAULT_POINTS_MAX = 256, FAULT_NAME_BYTES_MAX = 95, FAULT_EXIT_BAD_SETTING = 78 };

struct point {
    char name[FAULT_NAME_BYTES_MAX + 1];
    uint64_t hits;
};

bool fault_armed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct point points[FAULT_POINTS_MAX];
static size_t point_count;
static char target[FAULT_NAME_BYTES_MAX + 1]; /* empty: count only */
static uint64_t target_hit;
static char *count_path;

/* One write(2) on an append-only file: lines of processes that end together do not mix. */
static void append_counts(void)
{
    if (!count_path)
        return;
    static char text[FAULT_POINTS_MAX * (FAULT_NAME_BYTES_MAX + 24)];
    size_t n = 0;
    for (size_t i = 0; i < point_count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %llu\n", points[i].name,
                              (unsigned long long)points[i].hits);
    int fd = open(count_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n)
        fputs("paceline: PACELINE_FAULT_COUNT: the file cannot be written\n", stderr);
    if (fd >= 0)
        close(fd);
}

static void at_exit(void)
{
    pthread_mutex_lock(&lock);
    append_counts();
    pthread_mutex_unlock(&lock);
}

/* A fault that is set but not understood must not pass for a run without one. */
static void refuse_setting(const char *setting)
{
    fprintf(stderr, "paceline: PACELINE_FAULT=%s: NAME:N is expected, N from 1\n", setting);
    _exit(FAULT_EXIT_BAD_SETTING);
}

static void read_target(const char *setting)
{
    const char *colon = strrchr(setting, ':');
    size_t n = colon ? (size_t)(colon - setting) : 0;
    if (n == 0 || n > FAULT_NAME_BYTES_MAX || colon[1] < '1' || colon[1] > '9')
        refuse_setting(setting);
    char *end;
    unsigned long long hit = strtoull(colon + 1, &end, 10);
    if (*end)
        refuse_setting(setting);
    memcpy(target, setting, n);
    target[n] = '\0';
    target_hit = hit;
}

void fault_init(void)
{
    const char *setting = getenv("PACELINE_FAULT");
    const char *path = getenv("PACELINE_FAULT_COUNT");
    if (setting && *setting)
        read_target(setting);
    if (path && *path && !count_path) {
        count_path = strdup(path);
        (void)atexit(at_exit);
    }
    fault_armed = *target || count_path;
}

static struct point *find(const char *name)
{
    for (size_t i = 0; i < point_count; i++)
        if (strcmp(points[i].name, name) == 0)
            return &points[i];
    if (point_count == FAULT_POINTS_MAX || strlen(name) > FAULT_NAME_BYTES_MAX) {
        fputs("paceline: fault points: too many, or a name too long\n", stderr);
        abort();
    }
    struct point *point = &points[point_count++];
    memcpy(point->name, name, strlen(name) + 1);
    return point;
}

void fault_hit(const char *name)
{
    pthread_mutex_lock(&lock);
    struct point *point = find(name);
    point->hits++;
    if (*target && point->hits == target_hit && strcmp(name, target) == 0) {
        append_counts();
        _exit(FAULT_EXIT_CODE);
    }
    pthread_mutex_unlock(&lock);
}
