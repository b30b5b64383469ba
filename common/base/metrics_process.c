/* metrics_process.c -- the usual process_* metrics, read from /proc/self when somebody asks. See metrics.h. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/text.h"

static void add_metric(struct buf *out, const char *name, const char *kind, const char *help, int64_t value,
                       unsigned decimals)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, kind, name);
    text_add_decimal(out, value, decimals, '\0');
    buf_add_byte(out, '\n');
}

/* CPU seconds in microseconds. */
static int64_t cpu_us(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static int64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    long long total = 0;
    long long resident = 0;
    int n = fscanf(file, "%lld %lld", &total, &resident);
    fclose(file);
    return n == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
}

static int64_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    int64_t n = -3; /* ".", ".." and the folder itself */
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

void metrics_write_process(struct buf *out)
{
    add_metric(out, "process_cpu_seconds_total", "counter", "CPU time of the process.", cpu_us(), 6);
    add_metric(out, "process_open_fds", "gauge", "Open file descriptors.", open_files(), 0);
    add_metric(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes(), 0);
}
