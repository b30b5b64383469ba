/* store_impl.h -- what an implementation of the store seam provides (store.h has the contracts). Implementations embed
 * the public structs as their first members. Names are checked in store.c before they get here. */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "store/store.h"

struct store_ops {
    void (*destroy)(struct store *store);
    enum err_code (*create)(struct store *store, const char *name, struct store_writer **writer, struct err *err);
    enum err_code (*open)(struct store *store, const char *name, struct store_reader **reader, struct err *err);
    enum err_code (*list)(struct store *store, const char *prefix, store_on_name *on_name, void *context,
                          struct err *err);
    enum err_code (*erase)(struct store *store, const char *name, struct err *err);
};
struct store {
    const struct store_ops *ops;
};

struct store_writer_ops {
    enum err_code (*write)(struct store_writer *writer, struct slice bytes, struct err *err);
    enum err_code (*commit)(struct store_writer *writer, struct err *err); /* frees, also on failure */
    void (*abandon)(struct store_writer *writer);
};
struct store_writer {
    const struct store_writer_ops *ops;
};

struct store_reader_ops {
    enum err_code (*read)(struct store_reader *reader, void *p, size_t n, bool *end, struct err *err);
    void (*close)(struct store_reader *reader);
};
struct store_reader {
    const struct store_reader_ops *ops;
};

/* Names found by a listing, sorted before they are handed out. */
struct store_names {
    char **names;
    size_t count, cap;
};
void store_names_add(struct store_names *names, const char *name);
void store_names_report(struct store_names *names, store_on_name *on_name, void *context); /* sorts, calls, frees */

#endif
