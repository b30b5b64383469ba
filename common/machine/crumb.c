#include "machine/crumb.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint64_t MAGIC = 0x31424d5243504c50; /* "PLPCRMB1" */

static struct slice crashed_name(const struct crumb *crumb)
{
    return slice_make(crumb->crashed_name, crumb->crashed_name_bytes);
}

static bool readable(const struct crumb *crumb)
{
    return crumb->magic == MAGIC && crumb->name_bytes <= CRUMB_NAME_BYTES_MAX &&
           crumb->crashed_name_bytes <= CRUMB_NAME_BYTES_MAX;
}

void crumb_count(struct crumb *crumb)
{
    if (!readable(crumb))
        *crumb = (struct crumb){.magic = MAGIC};
    if (crumb->seq == 0)
        return;
    struct slice name = slice_make(crumb->name, crumb->name_bytes);
    if (crumb->crashed_seq == crumb->seq && slice_eq(crashed_name(crumb), name))
        crumb->crashes++;
    else {
        crumb->crashed_seq = crumb->seq;
        crumb->crashed_name_bytes = crumb->name_bytes;
        memcpy(crumb->crashed_name, crumb->name, sizeof crumb->name);
        crumb->crashes = 1;
    }
    crumb->seq = 0;
}

void crumb_passed(struct crumb *crumb)
{
    if (slice_eq(crashed_name(crumb), slice_make(crumb->name, crumb->name_bytes)))
        crumb->crashes = 0;
}

bool crumb_is_poison(const struct crumb *crumb, struct slice name, uint64_t seq)
{
    return crumb->crashes >= CRUMB_CRASHES && crumb->crashed_seq == seq && slice_eq(crashed_name(crumb), name);
}

enum err_code crumb_open(const char *path, struct crumb **crumb, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(err, errno == EACCES ? ERR_DENIED : ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    void *map = MAP_FAILED;
    if (ftruncate(fd, sizeof(struct crumb)) == 0)
        map = mmap(NULL, sizeof(struct crumb), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int failed = errno;
    close(fd);
    if (map == MAP_FAILED)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(failed));
    *crumb = map;
    crumb_count(*crumb);
    return OK;
}

void crumb_close(struct crumb **crumb)
{
    if (*crumb)
        munmap(*crumb, sizeof **crumb);
    *crumb = NULL;
}
