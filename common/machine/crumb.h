/* crumb.h -- which record was being applied when the process died? A few bytes that outlive it.
 *
 * A mapped file, changed by plain stores: a crash or kill -9 of the process loses nothing of it (a power cut may, and
 * is no poison), and an event costs two stores instead of a write. Three crashes inside one (tenant, tenant_seq) make
 * it poison: the fold holds the tenant there and asks the ledger for its quarantine (design 6, "Poison"). A record that
 * was passed once is no poison: its count is forgotten. One owner. */
#ifndef MACHINE_CRUMB_H
#define MACHINE_CRUMB_H

#include "base/err.h"
#include "base/slice.h"

enum { CRUMB_NAME_BYTES_MAX = 64, CRUMB_CRASHES = 3 };

struct crumb {
    uint64_t magic;
    uint64_t seq; /* inside this record of `name`; 0: outside */
    uint64_t crashed_seq;
    uint32_t name_bytes, crashed_name_bytes;
    uint32_t crashes; /* in a row at (crashed_name, crashed_seq) */
    uint32_t spare;
    char name[CRUMB_NAME_BYTES_MAX];
    char crashed_name[CRUMB_NAME_BYTES_MAX];
};

/* Maps the file, made if missing, and counts the crash it may tell of. */
enum err_code crumb_open(const char *path, struct crumb **crumb, struct err *err);
void crumb_close(struct crumb **crumb); /* of crumb_open */
/* The same count for a crumb that somebody else keeps in memory (the simulator). */
void crumb_count(struct crumb *crumb);

static inline void crumb_enter(struct crumb *crumb, struct slice name, uint64_t seq)
{
    size_t n = name.n < CRUMB_NAME_BYTES_MAX ? name.n : CRUMB_NAME_BYTES_MAX;
    memcpy(crumb->name, name.p, n);
    crumb->name_bytes = (uint32_t)n;
    __atomic_store_n(&crumb->seq, seq, __ATOMIC_RELEASE); /* behind the name */
}
void crumb_passed(struct crumb *crumb);
static inline void crumb_leave(struct crumb *crumb)
{
    if (__builtin_expect(crumb->seq == crumb->crashed_seq, 0))
        crumb_passed(crumb);
    __atomic_store_n(&crumb->seq, 0, __ATOMIC_RELEASE);
}
/* True if (name, seq) crashed this process three times in a row. */
bool crumb_is_poison(const struct crumb *crumb, struct slice name, uint64_t seq);

#endif
