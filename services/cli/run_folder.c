#include "run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/settings.h"

enum { PATH_BYTES_MAX = 700 };

static enum err_code trouble(const char *path, struct err *err)
{
    enum err_code code = errno == EACCES || errno == EPERM || errno == EROFS ? ERR_DENIED : ERR_UNAVAILABLE;
    return err_set(err, code, "%s: %s", path, strerror(errno));
}

static enum err_code make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    return trouble(path, err);
}

/* Like mkdir -p. */
static enum err_code make_parents(const char *dir, struct err *err)
{
    char path[PATH_BYTES_MAX];
    int n = snprintf(path, sizeof path, "%s", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(err, ERR_CONFIG, "dir is too long: %s", dir);
    enum err_code code = OK;
    for (char *slash = strchr(path + 1, '/'); slash && !code; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_folder(path, err);
        *slash = '/';
    }
    return code ? code : make_folder(path, err);
}

static enum err_code write_sample(const char *path, bool zh, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? OK : trouble(path, err);
    struct buf text;
    buf_init(&text);
    settings_sample(zh, &text);
    ssize_t written = write(fd, text.p, text.n);
    enum err_code code = written == (ssize_t)text.n ? OK : trouble(path, err);
    buf_close(&text);
    close(fd);
    return code;
}

enum err_code run_folder_make(const char *dir, bool zh, struct err *err)
{
    static const char *const folders[] = {"log", "lock", "redis", "store"};
    char path[PATH_BYTES_MAX + 32];
    enum err_code code = make_parents(dir, err);
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !code; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
        code = make_folder(path, err);
    }
    snprintf(path, sizeof path, "%s/paceline.yaml", dir);
    return code ? code : write_sample(path, zh, err);
}

enum err_code run_folder_lock(const char *dir, int *lock, struct err *err)
{
    char path[PATH_BYTES_MAX + 32], pid[16] = "";
    snprintf(path, sizeof path, "%s/lock/run", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return trouble(path, err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(fd, pid, sizeof pid - 1);
        close(fd);
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return err_set(err, ERR_LATER, "another `paceline run` works in %s (process %s)", dir, pid);
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, pid, (size_t)n) != n) {
        enum err_code code = trouble(path, err);
        close(fd);
        return code;
    }
    *lock = fd;
    return OK;
}
