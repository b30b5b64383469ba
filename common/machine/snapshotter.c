#define _GNU_SOURCE /* pipe2 */
#include "machine/snapshotter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/logger.h"

enum { CHILD_OK = 0, CHILD_BREACH = 1, CHILD_FAILED = 2, BREACH_BYTES_MAX = 32 * 1024 /* < a pipe's buffer */ };

static void done(struct snapshotter *snapshotter, const struct fold *fold, uint64_t seq)
{
    struct err err;
    snapshotter->last_seq = seq;
    snapshotter->written++;
    snapshotter->duration_ms = snapshotter->clock->monotonic_ms(snapshotter->clock) - snapshotter->started_ms;
    FAULT_POINT("machine.after_snapshot");
    if (snapshot_prune(fold->type, fold->shard, snapshotter->store, &err))
        LOGGER_WARN("old snapshots stay", LF_ERR(&err));
}

static void failed(struct snapshotter *snapshotter, const char *why)
{
    snapshotter->failed++;
    LOGGER_WARN("no snapshot; the next try is later", LF_TEXT("err", why));
}

void snapshotter_now(struct snapshotter *snapshotter, struct fold *fold, const struct filter *filter)
{
    if (!snapshotter->store)
        return;
    struct err err = {0};
    snapshotter->tried_seq = filter->seq;
    snapshotter->started_ms = snapshotter->clock->monotonic_ms(snapshotter->clock);
    FAULT_POINT("machine.before_snapshot");
    if (fold_recount(fold))
        failed(snapshotter, "conservation does not hold; the tenants concerned are frozen");
    else if (snapshot_write(fold, filter, snapshotter->store, &err))
        failed(snapshotter, err.text);
    else
        done(snapshotter, fold, filter->seq);
}

/* In the child: names of breached tenants, one a line, or the snapshot. Never returns; leaves no trace of the parent
 * (no exit handlers, no flushed streams). */
static _Noreturn void child_main(struct fold *fold, const struct filter *filter, struct store *store, int out)
{
    struct err err;
    if (fold_recount(fold) == 0)
        _exit(snapshot_write(fold, filter, store, &err) ? CHILD_FAILED : CHILD_OK);
    struct buf names;
    buf_init(&names);
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        const struct tenant *tenant = tenants_at(fold->tenants, i);
        if (tenant->stop != TENANT_BREACH || names.n + tenant->name.n + 1 > BREACH_BYTES_MAX)
            continue;
        buf_add_slice(&names, tenant->name);
        buf_add_byte(&names, '\n');
    }
    ssize_t written = write(out, names.p, names.n);
    _exit(written == (ssize_t)names.n ? CHILD_BREACH : CHILD_FAILED);
}

static void start_child(struct snapshotter *snapshotter, struct fold *fold, const struct filter *filter)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        failed(snapshotter, strerror(errno));
        return;
    }
    snapshotter->tried_seq = snapshotter->child_seq = filter->seq;
    snapshotter->started_ms = snapshotter->clock->monotonic_ms(snapshotter->clock);
    FAULT_POINT("machine.before_snapshot");
    pid_t child = fork();
    if (child == 0)
        child_main(fold, filter, snapshotter->store, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        failed(snapshotter, strerror(errno));
        return;
    }
    snapshotter->child = child;
    snapshotter->breaches = ends[0];
}

void snapshotter_step(struct snapshotter *snapshotter, struct fold *fold, const struct filter *filter)
{
    if (!snapshotter->store || snapshotter->child ||
        filter->seq < snapshotter->tried_seq + (uint64_t)snapshotter->every_records)
        return;
    if (snapshotter->in_process || fault_armed) /* fault points must be met by the process under test */
        snapshotter_now(snapshotter, fold, filter);
    else
        start_child(snapshotter, fold, filter);
}

/* The parent's tenants are the child's at the fork: those named there breach here, too. */
static void freeze_breached(struct snapshotter *snapshotter, struct fold *fold)
{
    char names[BREACH_BYTES_MAX];
    ssize_t n = read(snapshotter->breaches, names, sizeof names);
    const char *p = names, *end = names + (n > 0 ? n : 0);
    const char *line_end;
    while (p < end && (line_end = memchr(p, '\n', (size_t)(end - p)))) {
        struct tenant *tenant = tenants_find(fold->tenants, slice_make(p, (size_t)(line_end - p)));
        struct err err = {.text = "its conservation does not hold"};
        if (tenant && tenant->stop == TENANT_RUNS) {
            fold->type->recount(tenant->state, &err); /* the text; the verdict was the child's */
            fold_stop(fold, tenant, TENANT_BREACH, "%.150s", err.text);
        }
        p = line_end + 1;
    }
}

static void collect(struct snapshotter *snapshotter, struct fold *fold, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == CHILD_OK)
        done(snapshotter, fold, snapshotter->child_seq);
    else if (code == CHILD_BREACH) {
        freeze_breached(snapshotter, fold);
        failed(snapshotter, "conservation does not hold; the tenants concerned are frozen");
    } else
        failed(snapshotter, "the process that writes it failed");
    close(snapshotter->breaches);
    snapshotter->child = 0;
}

void snapshotter_reap(struct snapshotter *snapshotter, struct fold *fold)
{
    if (!snapshotter->child)
        return;
    int status;
    pid_t ended = waitpid(snapshotter->child, &status, WNOHANG);
    if (ended == snapshotter->child)
        collect(snapshotter, fold, status);
    else if (ended < 0 && errno != EINTR)
        collect(snapshotter, fold, -1);
    else if (snapshotter->clock->monotonic_ms(snapshotter->clock) - snapshotter->started_ms > SNAPSHOT_MS_MAX)
        kill(snapshotter->child, SIGKILL);
}

void snapshotter_close(struct snapshotter *snapshotter)
{
    if (!snapshotter->child)
        return;
    kill(snapshotter->child, SIGKILL);
    while (waitpid(snapshotter->child, NULL, 0) < 0 && errno == EINTR)
        ;
    close(snapshotter->breaches);
    snapshotter->child = 0;
}
