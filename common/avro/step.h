/* step.h -- the steps of a program; shared by compiler, walk and rewrite, not for others. */
#ifndef AVRO_STEP_H
#define AVRO_STEP_H

#include "avro/program.h"

enum step_kind {
    STEP_NULL,
    STEP_BOOLEAN,
    STEP_INT,
    STEP_LONG,
    STEP_FLOAT,
    STEP_DOUBLE,
    STEP_BYTES,
    STEP_STRING,
    STEP_FIXED,    /* count = size */
    STEP_ENUM,     /* count = symbols */
    STEP_OPTIONAL, /* union of null and one other: count = index of null; the other follows */
    STEP_UNION,    /* count = branches, which follow */
    STEP_ARRAY,    /* the item follows */
    STEP_MAP       /* the value follows (the key is a string) */
};

/* Steps of what is inside follow their container; records leave no step of their own. */
struct step {
    uint8_t kind;
    uint8_t slot;
    uint32_t count;
    uint32_t end;       /* index of the first step behind this one and what is inside it */
    uint32_t min_bytes; /* of one item (array, map) */
};

struct avro_program {
    uint64_t fingerprint;
    struct buf canonical;
    size_t field_count;
    char *names[AVRO_FIELDS_MAX];
    uint32_t step_count;
    struct step steps[AVRO_STEPS_MAX];
};

#endif
