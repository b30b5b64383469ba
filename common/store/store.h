/* store.h -- the store seam: immutable named objects (snapshots, segments), in a folder or in memory.
 *
 * An object is complete or absent: written to a temporary name, fsync, rename, fsync of the folder. Objects are
 * zstd streams with checksum; reading a damaged one is ERR_CORRUPT, never wrong bytes. Names are
 * [a-z0-9._/-], at most STORE_NAME_BYTES_MAX, no "..". */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/slice.h"

enum { STORE_NAME_BYTES_MAX = 200 };

struct store;
struct store_writer;
struct store_reader;

enum err_code store_folder_open(const char *folder, struct store **store, struct err *err);
enum err_code store_memory_open(struct store **store, struct err *err);
void store_destroy(struct store **store);

enum err_code store_create(struct store *store, const char *name, struct store_writer **writer, struct err *err);
enum err_code store_write(struct store_writer *writer, struct slice bytes, struct err *err);
enum err_code store_commit(struct store_writer **writer, struct err *err); /* durable behind this; frees */
void store_abandon(struct store_writer **writer);                          /* leaves no object; frees */

enum err_code store_open(struct store *store, const char *name, struct store_reader **reader, struct err *err);
/* Exactly n bytes, or ERR_CORRUPT; at the clean end of the object *end is set and 0 bytes are read. */
enum err_code store_read(struct store_reader *reader, void *p, size_t n, bool *end, struct err *err);
void store_close(struct store_reader **reader);

/* Calls back for every object whose name begins with prefix, in bytewise order of names. */
typedef void store_on_name(void *context, const char *name);
enum err_code store_list(struct store *store, const char *prefix, store_on_name *on_name, void *context,
                         struct err *err);
enum err_code store_delete(struct store *store, const char *name, struct err *err);

#endif
