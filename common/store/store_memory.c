/* store_memory.c -- the store in memory: for the simulator and tests. Objects appear at commit, whole; an object that
 * is replaced or deleted while it is being read stays readable (readers hold their own copy). One mutex, any threads.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/fault.h"
#include "store/store_impl.h"

struct object {
    char name[STORE_NAME_BYTES_MAX + 1];
    struct buf bytes;
};

struct store_memory {
    struct store base;
    pthread_mutex_t lock;
    struct object **objects;
    size_t count;
};

struct memory_writer {
    struct store_writer base;
    struct store_memory *store;
    struct object *object;
};

struct memory_reader {
    struct store_reader base;
    struct buf bytes;
    size_t at;
};

static void *checked(void *p)
{
    if (!p)
        abort(); /* as buf.h: out of memory */
    return p;
}

static void object_destroy(struct object *object)
{
    buf_close(&object->bytes);
    free(object);
}

/* Index of the object, or count. */
static size_t object_index(const struct store_memory *store, const char *name)
{
    size_t i = 0;
    while (i < store->count && strcmp(store->objects[i]->name, name) != 0)
        i++;
    return i;
}

static void memory_destroy(struct store *base)
{
    struct store_memory *store = (struct store_memory *)base;
    for (size_t i = 0; i < store->count; i++)
        object_destroy(store->objects[i]);
    free(store->objects);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static enum err_code memory_write(struct store_writer *base, struct slice bytes, struct err *err)
{
    (void)err;
    buf_add_slice(&((struct memory_writer *)base)->object->bytes, bytes);
    return OK;
}

static enum err_code memory_commit(struct store_writer *base, struct err *err)
{
    (void)err;
    struct memory_writer *writer = (struct memory_writer *)base;
    struct store_memory *store = writer->store;
    FAULT_POINT("store.before_rename");
    pthread_mutex_lock(&store->lock);
    size_t i = object_index(store, writer->object->name);
    if (i < store->count) {
        object_destroy(store->objects[i]);
    } else {
        store->objects = checked(realloc(store->objects, (store->count + 1) * sizeof *store->objects));
        store->count++;
    }
    store->objects[i] = writer->object;
    pthread_mutex_unlock(&store->lock);
    FAULT_POINT("store.after_rename");
    free(writer);
    return OK;
}

static void memory_abandon(struct store_writer *base)
{
    object_destroy(((struct memory_writer *)base)->object);
    free(base);
}

static const struct store_writer_ops memory_writer_ops = {memory_write, memory_commit, memory_abandon};

static enum err_code memory_create(struct store *base, const char *name, struct store_writer **writer, struct err *err)
{
    (void)err;
    struct memory_writer *w = checked(calloc(1, sizeof *w));
    w->base.ops = &memory_writer_ops;
    w->store = (struct store_memory *)base;
    w->object = checked(calloc(1, sizeof *w->object));
    memcpy(w->object->name, name, strlen(name));
    *writer = &w->base;
    return OK;
}

static enum err_code memory_read(struct store_reader *base, void *p, size_t n, bool *end, struct err *err)
{
    struct memory_reader *reader = (struct memory_reader *)base;
    size_t left = reader->bytes.n - reader->at;
    if (left == 0) {
        *end = true;
        return OK;
    }
    if (left < n)
        return err_set(err, ERR_CORRUPT, "object ends %zu bytes early", n - left);
    memcpy(p, reader->bytes.p + reader->at, n);
    reader->at += n;
    return OK;
}

static void memory_close(struct store_reader *base)
{
    buf_close(&((struct memory_reader *)base)->bytes);
    free(base);
}

static const struct store_reader_ops memory_reader_ops = {memory_read, memory_close};

static enum err_code memory_open(struct store *base, const char *name, struct store_reader **reader, struct err *err)
{
    struct store_memory *store = (struct store_memory *)base;
    struct memory_reader *r = checked(calloc(1, sizeof *r));
    r->base.ops = &memory_reader_ops;
    pthread_mutex_lock(&store->lock);
    size_t i = object_index(store, name);
    bool found = i < store->count;
    if (found)
        buf_add_slice(&r->bytes, buf_slice(&store->objects[i]->bytes));
    pthread_mutex_unlock(&store->lock);
    if (!found) {
        memory_close(&r->base);
        return err_set(err, ERR_MISSING, "object %s does not exist", name);
    }
    *reader = &r->base;
    return OK;
}

static enum err_code memory_list(struct store *base, const char *prefix, store_on_name *on_name, void *context,
                                 struct err *err)
{
    (void)err;
    struct store_memory *store = (struct store_memory *)base;
    struct store_names names = {0};
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->count; i++)
        if (strncmp(store->objects[i]->name, prefix, strlen(prefix)) == 0)
            store_names_add(&names, store->objects[i]->name);
    pthread_mutex_unlock(&store->lock);
    store_names_report(&names, on_name, context);
    return OK;
}

static enum err_code memory_erase(struct store *base, const char *name, struct err *err)
{
    struct store_memory *store = (struct store_memory *)base;
    pthread_mutex_lock(&store->lock);
    size_t i = object_index(store, name);
    bool found = i < store->count;
    if (found) {
        object_destroy(store->objects[i]);
        store->objects[i] = store->objects[--store->count];
    }
    pthread_mutex_unlock(&store->lock);
    return found ? OK : err_set(err, ERR_MISSING, "object %s does not exist", name);
}

static const struct store_ops memory_ops = {memory_destroy, memory_create, memory_open, memory_list, memory_erase};

enum err_code store_memory_open(struct store **store, struct err *err)
{
    (void)err;
    struct store_memory *memory = checked(calloc(1, sizeof *memory));
    memory->base.ops = &memory_ops;
    pthread_mutex_init(&memory->lock, NULL);
    *store = &memory->base;
    return OK;
}
