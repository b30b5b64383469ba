/* store_folder.c -- the store as files under a folder: FOLDER/NAME, each zstd frames of up to 1 MiB with checksums, the
 * last one empty. A frame is handed out only when its checksum was right; a file cut off between two frames has no
 * empty one at its end. `zstd -d` reads it.
 *
 * An object is written to FOLDER/.tmp/, synced, renamed and its folder synced: complete or absent at every instant.
 * What a crash leaves in .tmp is removed when the store is opened next, unless its process still runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/fault.h"
#include "store/store_impl.h"

enum {
    PATH_BYTES_MAX = 4096,
    FOLDER_BYTES_MAX = 2048,
    LEVEL = 1,
    FRAME_BYTES = 1024 * 1024,
    WINDOW_LOG_MAX = 21,
    DEPTH_MAX = 16
};

struct store_folder {
    struct store base;
    char folder[FOLDER_BYTES_MAX];
    unsigned next_temporary;
};

static enum err_code io_error(struct err *err, const char *what, const char *path)
{
    enum err_code code = errno == ENOENT                                        ? ERR_MISSING
                         : errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_LATER
                         : errno == EACCES || errno == EPERM || errno == EROFS  ? ERR_DENIED
                                                                                : ERR_UNAVAILABLE;
    return err_set(err, code, "store: cannot %s %s: %s", what, path, strerror(errno));
}

static void path_of(const struct store_folder *store, const char *name, char path[PATH_BYTES_MAX])
{
    (void)snprintf(path, PATH_BYTES_MAX, "%s/%s", store->folder, name);
}

static void folder_destroy(struct store *store) { free(store); }

/* --- writing --- */

struct folder_writer {
    struct store_writer base;
    char path[PATH_BYTES_MAX], temporary[PATH_BYTES_MAX];
    int fd;
    ZSTD_CCtx *zstd;
    size_t pending_bytes, out_cap;
    uint8_t *pending, *out; /* of one frame, plain and compressed */
};

static void writer_free(struct folder_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    ZSTD_freeCCtx(writer->zstd);
    free(writer->pending);
    free(writer->out);
    free(writer);
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* What is pending becomes a frame, an empty one too. */
static enum err_code frame_write(struct folder_writer *writer, struct err *err)
{
    size_t n = ZSTD_compress2(writer->zstd, writer->out, writer->out_cap, writer->pending, writer->pending_bytes);
    if (ZSTD_isError(n))
        return err_set(err, ERR_MEMORY, "store: cannot compress: %s", ZSTD_getErrorName(n));
    writer->pending_bytes = 0;
    return write_all(writer->fd, writer->out, n) ? OK : io_error(err, "write", writer->temporary);
}

static enum err_code folder_write(struct store_writer *base, struct slice bytes, struct err *err)
{
    struct folder_writer *writer = (struct folder_writer *)base;
    while (bytes.n > 0) {
        size_t room = FRAME_BYTES - writer->pending_bytes;
        size_t n = bytes.n < room ? bytes.n : room;
        memcpy(writer->pending + writer->pending_bytes, bytes.p, n);
        writer->pending_bytes += n;
        bytes = (struct slice){bytes.p + n, bytes.n - n};
        enum err_code code = writer->pending_bytes == FRAME_BYTES ? frame_write(writer, err) : OK;
        if (code)
            return code;
    }
    return OK;
}

static void folder_abandon(struct store_writer *base)
{
    struct folder_writer *writer = (struct folder_writer *)base;
    (void)unlink(writer->temporary);
    writer_free(writer);
}

static enum err_code sync_folder_of(const char *path, struct err *err)
{
    char folder[PATH_BYTES_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code code = fd < 0 || fsync(fd) ? io_error(err, "sync", folder) : OK;
    if (fd >= 0)
        close(fd);
    return code;
}

static enum err_code folder_commit(struct store_writer *base, struct err *err)
{
    struct folder_writer *writer = (struct folder_writer *)base;
    enum err_code code = writer->pending_bytes ? frame_write(writer, err) : OK;
    if (!code)
        code = frame_write(writer, err);
    if (!code && fsync(writer->fd))
        code = io_error(err, "sync", writer->temporary); /* never tried again: the pages may be gone */
    FAULT_POINT("store.before_rename");
    if (!code && rename(writer->temporary, writer->path))
        code = io_error(err, "rename", writer->path);
    FAULT_POINT("store.after_rename");
    if (code) {
        folder_abandon(base);
        return code;
    }
    code = sync_folder_of(writer->path, err);
    writer_free(writer);
    return code;
}

static const struct store_writer_ops folder_writer_ops = {folder_write, folder_commit, folder_abandon};

/* The folders that a name with slashes lies in; each durable in its parent. */
static enum err_code make_parents(const struct store_folder *store, const char *name, struct err *err)
{
    char path[PATH_BYTES_MAX];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(path, sizeof path, "%s/%.*s", store->folder, (int)(slash - name), name);
        if (mkdir(path, 0750) == 0) {
            enum err_code code = sync_folder_of(path, err);
            if (code)
                return code;
        } else if (errno != EEXIST) {
            return io_error(err, "make folder", path);
        }
    }
    return OK;
}

static enum err_code writer_open(struct folder_writer *writer, struct err *err)
{
    writer->zstd = ZSTD_createCCtx();
    writer->out_cap = ZSTD_compressBound(FRAME_BYTES);
    writer->out = malloc(writer->out_cap);
    writer->pending = malloc(FRAME_BYTES);
    if (!writer->zstd || !writer->out || !writer->pending)
        return err_set(err, ERR_MEMORY, "no memory to write an object");
    (void)ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
    writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    return writer->fd < 0 ? io_error(err, "create", writer->temporary) : OK;
}

static enum err_code folder_create(struct store *base, const char *name, struct store_writer **writer, struct err *err)
{
    struct store_folder *store = (struct store_folder *)base;
    enum err_code code = make_parents(store, name, err);
    if (code)
        return code;
    struct folder_writer *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, ERR_MEMORY, "no memory to write an object");
    w->base.ops = &folder_writer_ops;
    w->fd = -1;
    path_of(store, name, w->path);
    unsigned number = __atomic_fetch_add(&store->next_temporary, 1, __ATOMIC_RELAXED);
    (void)snprintf(w->temporary, sizeof w->temporary, "%s/.tmp/%ld-%p-%u", store->folder, (long)getpid(), (void *)store,
                   number);
    code = writer_open(w, err);
    if (code)
        writer_free(w);
    else
        *writer = &w->base;
    return code;
}

/* --- reading --- */

struct folder_reader {
    struct store_reader base;
    char path[PATH_BYTES_MAX];
    int fd;
    ZSTD_DCtx *zstd;
    size_t in_cap;
    uint8_t *in;
    ZSTD_inBuffer input;
    uint8_t *out; /* the present frame, checked */
    size_t out_bytes, out_at;
    bool ended, file_done;
};

static void folder_close(struct store_reader *base)
{
    struct folder_reader *reader = (struct folder_reader *)base;
    if (reader->fd >= 0)
        close(reader->fd);
    ZSTD_freeDCtx(reader->zstd);
    free(reader->in);
    free(reader->out);
    free(reader);
}

static enum err_code damaged(const struct folder_reader *reader, const char *how, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "store: object %s is damaged (%s); take another one or restore it from a copy",
                   reader->path, how);
}

static enum err_code refill(struct folder_reader *reader, struct err *err)
{
    if (reader->input.pos < reader->input.size || reader->file_done)
        return OK;
    ssize_t n;
    do {
        n = read(reader->fd, reader->in, reader->in_cap);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return io_error(err, "read", reader->path);
    reader->file_done = n == 0;
    reader->input = (ZSTD_inBuffer){reader->in, (size_t)n, 0};
    return OK;
}

/* Decompresses one frame to its end, where its checksum is checked. One byte more than a frame holds tells a longer
 * one. */
static enum err_code frame_decompress(struct folder_reader *reader, struct err *err)
{
    ZSTD_outBuffer output = {reader->out, FRAME_BYTES + 1, 0};
    for (size_t left = 1; left != 0;) {
        enum err_code code = refill(reader, err);
        if (code)
            return code;
        size_t before = output.pos;
        left = ZSTD_decompressStream(reader->zstd, &output, &reader->input);
        if (ZSTD_isError(left))
            return damaged(reader, ZSTD_getErrorName(left), err);
        if (output.pos > FRAME_BYTES || (left && reader->file_done && output.pos == before))
            return damaged(reader, "it ends early", err);
    }
    reader->out_bytes = output.pos;
    reader->out_at = 0;
    return OK;
}

static enum err_code next_frame(struct folder_reader *reader, struct err *err)
{
    enum err_code code = frame_decompress(reader, err);
    if (code || reader->out_bytes > 0)
        return code;
    reader->ended = true;
    code = refill(reader, err);
    return !code && reader->input.pos < reader->input.size ? damaged(reader, "bytes follow its end", err) : code;
}

static enum err_code folder_read(struct store_reader *base, void *p, size_t n, bool *end, struct err *err)
{
    struct folder_reader *reader = (struct folder_reader *)base;
    for (size_t done = 0; done < n;) {
        enum err_code code = reader->out_at == reader->out_bytes && !reader->ended ? next_frame(reader, err) : OK;
        if (code)
            return code;
        if (reader->ended) {
            *end = done == 0;
            return *end ? OK : damaged(reader, "it ends early", err);
        }
        size_t here = reader->out_bytes - reader->out_at;
        size_t take = n - done < here ? n - done : here;
        memcpy((uint8_t *)p + done, reader->out + reader->out_at, take);
        reader->out_at += take;
        done += take;
    }
    return OK;
}

static const struct store_reader_ops folder_reader_ops = {folder_read, folder_close};

static enum err_code reader_open(struct folder_reader *reader, struct err *err)
{
    reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0)
        return io_error(err, "open", reader->path);
    reader->zstd = ZSTD_createDCtx();
    reader->in_cap = ZSTD_DStreamInSize();
    reader->in = malloc(reader->in_cap);
    reader->out = malloc(FRAME_BYTES + 1);
    if (!reader->zstd || !reader->in || !reader->out)
        return err_set(err, ERR_MEMORY, "no memory to read an object");
    (void)ZSTD_DCtx_setParameter(reader->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return OK;
}

static enum err_code folder_open(struct store *base, const char *name, struct store_reader **reader, struct err *err)
{
    struct folder_reader *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(err, ERR_MEMORY, "no memory to read an object");
    r->base.ops = &folder_reader_ops;
    r->fd = -1;
    path_of((struct store_folder *)base, name, r->path);
    enum err_code code = reader_open(r, err);
    if (code)
        folder_close(&r->base);
    else
        *reader = &r->base;
    return code;
}

/* --- listing --- */

struct listing {
    const struct store_folder *store;
    const char *prefix;
    struct store_names *names;
};

/* Could names under `name` begin with the prefix? */
static bool on_the_way(const char *name, const char *prefix)
{
    size_t n = strlen(name), p = strlen(prefix);
    return strncmp(name, prefix, n < p ? n : p) == 0;
}

static enum err_code list_below(const struct listing *listing, const char *below, int depth, struct err *err)
{
    char path[PATH_BYTES_MAX];
    path_of(listing->store, below, path);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? OK : io_error(err, "list", path);
    enum err_code code = OK;
    for (struct dirent *entry; !code && (entry = readdir(dir));) {
        char name[STORE_NAME_BYTES_MAX + 1];
        int n = snprintf(name, sizeof name, "%s%s%s", below, below[0] ? "/" : "", entry->d_name);
        if (entry->d_name[0] == '.' || n < 0 || n > STORE_NAME_BYTES_MAX || !on_the_way(name, listing->prefix))
            continue;
        struct stat stat;
        path_of(listing->store, name, path);
        if (lstat(path, &stat))
            continue;
        if (S_ISDIR(stat.st_mode) && depth < DEPTH_MAX)
            code = list_below(listing, name, depth + 1, err);
        else if (S_ISREG(stat.st_mode) && strncmp(name, listing->prefix, strlen(listing->prefix)) == 0)
            store_names_add(listing->names, name);
    }
    closedir(dir);
    return code;
}

static void ignore(void *context, const char *name) { (void)context, (void)name; }

static enum err_code folder_list(struct store *base, const char *prefix, store_on_name *on_name, void *context,
                                 struct err *err)
{
    struct store_names names = {0};
    struct listing listing = {(struct store_folder *)base, prefix, &names};
    enum err_code code = list_below(&listing, "", 0, err);
    store_names_report(&names, code ? ignore : on_name, context);
    return code;
}

static enum err_code folder_erase(struct store *base, const char *name, struct err *err)
{
    char path[PATH_BYTES_MAX];
    path_of((struct store_folder *)base, name, path);
    return unlink(path) ? io_error(err, "delete", path) : OK;
}

/* --- the store --- */

static const struct store_ops folder_ops = {folder_destroy, folder_create, folder_open, folder_list, folder_erase};

/* Temporary files begin with the process that writes them. */
static void clean_temporaries(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != (long)getpid() && kill((pid_t)pid, 0) && errno == ESRCH)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

enum err_code store_folder_open(const char *folder, struct store **store, struct err *err)
{
    *store = NULL;
    if (strlen(folder) >= FOLDER_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "store: the path %s is longer than %d bytes", folder, FOLDER_BYTES_MAX);
    char temporaries[PATH_BYTES_MAX];
    (void)snprintf(temporaries, sizeof temporaries, "%s/.tmp", folder);
    if (mkdir(folder, 0750) && errno != EEXIST)
        return io_error(err, "make folder", folder);
    if (mkdir(temporaries, 0750) && errno != EEXIST)
        return io_error(err, "make folder", temporaries);
    clean_temporaries(temporaries);
    struct store_folder *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_MEMORY, "no memory for a store");
    s->base.ops = &folder_ops;
    memcpy(s->folder, folder, strlen(folder) + 1);
    *store = &s->base;
    return OK;
}
