/* elect_lock.c -- election by lock files, for one machine: whoever holds flock on FOLDER/lock/SERVICE-SHARD owns the
 * shard. The kernel frees the lock of a dead process, so there is no lease to wait for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elect/elect_impl.h"

enum { LOCK_PATH_BYTES_MAX = 4096 };

struct elect_lock {
    struct elect base;
    int fds[];
};

/* Tries every lock that is not held. */
static void try_all(struct elect_lock *lock)
{
    for (uint32_t i = 0; i < lock->base.shards; i++)
        if (!lock->base.owned[i])
            lock->base.owned[i] = flock(lock->fds[i], LOCK_EX | LOCK_NB) == 0;
}

/* A lock file gives no news when it is freed, and an owner of everything has nothing to wait for: both wait the time
 * out, so that a caller's loop rests. */
static enum err_code lock_poll(struct elect *elect, int timeout_ms, struct err *err)
{
    (void)err;
    struct elect_lock *lock = (struct elect_lock *)elect;
    try_all(lock);
    if (timeout_ms > 0) {
        (void)poll(NULL, 0, timeout_ms);
        try_all(lock);
    }
    return OK;
}

static void lock_destroy(struct elect *elect)
{
    struct elect_lock *lock = (struct elect_lock *)elect;
    for (uint32_t i = 0; i < elect->shards; i++)
        if (lock->fds[i] >= 0)
            close(lock->fds[i]);
    free(lock);
}

static const struct elect_ops lock_ops = {lock_poll, lock_destroy};

static enum err_code open_file(const char *folder, const char *service, uint32_t shard, int *fd, struct err *err)
{
    char path[LOCK_PATH_BYTES_MAX];
    int n = snprintf(path, sizeof path, "%s/lock/%s-%u", folder, service, shard);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(err, ERR_CONFIG, "path of lock file too long: %s", folder);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (*fd >= 0)
        return OK;
    enum err_code code = errno == EACCES || errno == EROFS ? ERR_DENIED : ERR_UNAVAILABLE;
    return err_set(err, code, "cannot open lock file %s: %s", path, strerror(errno));
}

static enum err_code make_folder(const char *folder, struct err *err)
{
    char path[LOCK_PATH_BYTES_MAX];
    int n = snprintf(path, sizeof path, "%s/lock", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(err, ERR_CONFIG, "path of lock folder too long: %s", folder);
    if (mkdir(folder, 0750) && errno != EEXIST)
        return err_set(err, ERR_DENIED, "cannot make folder %s: %s", folder, strerror(errno));
    if (mkdir(path, 0750) && errno != EEXIST)
        return err_set(err, ERR_DENIED, "cannot make folder %s: %s", path, strerror(errno));
    return OK;
}

enum err_code elect_lock_open(const char *folder, const char *service, uint32_t shards, struct elect **elect,
                              struct err *err)
{
    *elect = NULL;
    enum err_code code = elect_check_shards(shards, err);
    if (!code)
        code = make_folder(folder, err);
    if (code)
        return code;
    struct elect_lock *lock = calloc(1, sizeof *lock + shards * sizeof lock->fds[0]);
    if (!lock)
        return err_set(err, ERR_MEMORY, "no memory for an election of %u shards", shards);
    lock->base.ops = &lock_ops;
    lock->base.shards = shards;
    for (uint32_t i = 0; i < shards; i++)
        lock->fds[i] = -1;
    for (uint32_t i = 0; i < shards && !code; i++)
        code = open_file(folder, service, i, &lock->fds[i], err);
    if (code) {
        lock_destroy(&lock->base);
        return code;
    }
    try_all(lock);
    *elect = &lock->base;
    return OK;
}
