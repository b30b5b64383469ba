/* program.h -- an Avro schema compiled into a flat list of steps that walk untrusted bytes.
 *
 * avro-c parses the schema text and nothing else: it never sees a datum (1.11.1 trusts enum indices, lengths and block
 * counts). A walk checks everything before it believes it: varints, int range, lengths, enum and union indices,
 * booleans 0 or 1, UTF-8, block counts against the bytes that are left, trailing bytes. It allocates nothing and its
 * stack is bounded by the schema, never by the data. The outcome is one slot per field of the top record, pointing
 * into the bytes.
 *
 * A program belongs to a *writer's* schema: a reader keeps one per fingerprint. Recursive schemas are refused. */
#ifndef AVRO_PROGRAM_H
#define AVRO_PROGRAM_H

#include "base/buf.h"
#include "base/err.h"

enum {
    AVRO_FIELDS_MAX = 55,        /* of the top record: a set of them fits a word */
    AVRO_SLOT_SINK = 55,         /* where values inside lists go while they are checked */
    AVRO_SLOTS = 56,             /* size of the caller's array */
    AVRO_STEPS_MAX = 4096,       /* of a program */
    AVRO_NESTING_MAX = 16,       /* of a schema */
    AVRO_EMPTY_ITEMS_MAX = 65536 /* items of no bytes (array of null) in one datum */
};

/* A value. .i: numbers, booleans, enum index, number of items of an array or map, branch of a general union.
 * .s: text, bytes, fixed; of arrays and maps the encoded items if they stand in one block, else everything from the
 * first block count on (then the walk is not canonical: avro_program_rewrite); of nested records nothing. */
struct __attribute__((may_alias)) avro_slot { /* may be walked into memory of another type of this form */
    int64_t i;
    struct slice s;
};

enum avro_fault { AVRO_FAULT_NONE, AVRO_FAULT_FORM, AVRO_FAULT_UTF8 };

struct avro_walk {
    uint64_t present;    /* bit n: field n is there (no union, or not its null) */
    bool canonical;      /* shortest varints, every list one block without byte size: bytes may be copied as they are */
    size_t fault_offset; /* where the walk ended, if it failed */
    const char *fault;   /* what was wrong there */
};

struct avro_program;
/* NULL and err: not a record, recursive, or beyond the bounds above. */
struct avro_program *avro_program_compile(struct slice json, struct err *err);
void avro_program_destroy(struct avro_program **program);

uint64_t avro_program_fingerprint(const struct avro_program *program); /* CRC-64-AVRO of the canonical form */
struct slice avro_program_canonical(const struct avro_program *program);
size_t avro_program_field_count(const struct avro_program *program);
const char *avro_program_field_name(const struct avro_program *program, size_t field);

/* Walks one datum that must fill `bytes`. AVRO_FAULT_UTF8 is told only of data whose form is right. `trusted` bytes
 * have been walked before: their texts are not looked at again (all bounds are). slots[n] is meaningful if bit n of
 * walk->present is set. */
enum avro_fault avro_program_walk(const struct avro_program *program, struct slice bytes, bool trusted,
                                  struct avro_slot slots[AVRO_SLOTS], struct avro_walk *walk);

/* The canonical encoding of a datum that was walked without fault; at most as long as it. Appends to out. */
void avro_program_rewrite(const struct avro_program *program, struct slice bytes, struct buf *out);

#endif
