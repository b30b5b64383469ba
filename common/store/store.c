/* store.c -- the store seam: checks names once, then calls the implementation's table. */
#include "store/store.h"

#include <stdlib.h>

#include "store/store_impl.h"

static bool letter_ok(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
}

/* No empty part and no part that begins with a dot: neither "..", nor a name that a folder hides or reserves. */
static bool name_ok(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (n == 0 || n > STORE_NAME_BYTES_MAX || name[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || name[i - 1] == '/';
        if (!letter_ok(name[i]) || (first && (name[i] == '/' || name[i] == '.')))
            return false;
    }
    return true;
}

static enum err_code check_name(const char *name, struct err *err)
{
    if (name_ok(name))
        return OK;
    return err_set(err, ERR_BAD_INPUT, "object name '%s': use 1 to %d of a-z 0-9 . _ - /, no part empty or hidden",
                   name ? name : "", STORE_NAME_BYTES_MAX);
}

void store_destroy(struct store **store)
{
    if (!*store)
        return;
    (*store)->ops->destroy(*store);
    *store = NULL;
}

enum err_code store_create(struct store *store, const char *name, struct store_writer **writer, struct err *err)
{
    *writer = NULL;
    enum err_code code = check_name(name, err);
    return code ? code : store->ops->create(store, name, writer, err);
}

enum err_code store_write(struct store_writer *writer, struct slice bytes, struct err *err)
{
    return bytes.n ? writer->ops->write(writer, bytes, err) : OK;
}

enum err_code store_commit(struct store_writer **writer, struct err *err)
{
    struct store_writer *w = *writer;
    *writer = NULL;
    return w->ops->commit(w, err);
}

void store_abandon(struct store_writer **writer)
{
    if (!*writer)
        return;
    (*writer)->ops->abandon(*writer);
    *writer = NULL;
}

enum err_code store_open(struct store *store, const char *name, struct store_reader **reader, struct err *err)
{
    *reader = NULL;
    enum err_code code = check_name(name, err);
    return code ? code : store->ops->open(store, name, reader, err);
}

enum err_code store_read(struct store_reader *reader, void *p, size_t n, bool *end, struct err *err)
{
    bool unused;
    bool *at_end = end ? end : &unused;
    *at_end = false;
    return n ? reader->ops->read(reader, p, n, at_end, err) : OK;
}

void store_close(struct store_reader **reader)
{
    if (!*reader)
        return;
    (*reader)->ops->close(*reader);
    *reader = NULL;
}

enum err_code store_list(struct store *store, const char *prefix, store_on_name *on_name, void *context,
                         struct err *err)
{
    return store->ops->list(store, prefix, on_name, context, err);
}

enum err_code store_delete(struct store *store, const char *name, struct err *err)
{
    enum err_code code = check_name(name, err);
    return code ? code : store->ops->erase(store, name, err);
}

void store_names_add(struct store_names *names, const char *name)
{
    if (names->count == names->cap) {
        names->cap = names->cap ? names->cap * 2 : 64;
        names->names = realloc(names->names, names->cap * sizeof *names->names);
    }
    char *copy = strdup(name);
    if (!names->names || !copy)
        abort(); /* as buf.h: out of memory */
    names->names[names->count++] = copy;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void store_names_report(struct store_names *names, store_on_name *on_name, void *context)
{
    if (names->count)
        qsort(names->names, names->count, sizeof *names->names, by_name);
    for (size_t i = 0; i < names->count; i++) {
        on_name(context, names->names[i]);
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct store_names){0};
}
