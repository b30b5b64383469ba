/* conf_value.h -- one value of one row of a settings table: from text, and back. Private to conf*.c. */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include "base/conf.h"

enum { CONF_WHY_BYTES = 256 };

/* Sets the field from text. NULL: done; otherwise the code of formats.md 0 and a reason, and the field is untouched. */
const char *conf_value_set(const struct conf_key *key, struct slice text, void *target, char why[CONF_WHY_BYTES]);
/* The row's default; an empty one is fine for texts whatever their bounds: it means "not given". */
const char *conf_value_set_default(const struct conf_key *key, void *target, char why[CONF_WHY_BYTES]);
/* Appends the value as it would be written in the file; a secret as ***, or nothing if it is empty. */
void conf_value_add(const struct conf_key *key, const void *target, struct buf *out);
bool conf_value_needs_quotes(const struct conf_key *key);
const char *conf_type_name(enum conf_type type);
/* "redis.password" -> PREFIX_REDIS__PASSWORD + suffix */
void conf_environment_name(const char *key, const char *prefix, const char *suffix, char *out, size_t size);

#endif
