/* schema_texts.h -- the committed Avro schemas (schemas/<name>.avsc), compiled in. */
#ifndef SCHEMA_TEXTS_H
#define SCHEMA_TEXTS_H
struct schema_text {
    const char *name; /* file name without .avsc; NULL ends the list */
    const char *json; /* the schema's text */
};
extern const struct schema_text schema_texts[];
#endif
