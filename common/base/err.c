/* err.c -- see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum err_class class;
    int exit_code;
} codes[] = {
#define X(code, class, exit) {#code, ERR_CLASS_##class, exit},
    ERR_LIST(X)
#undef X
};

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err)
        return code;
    va_list args;
    va_start(args, format);
    err->code = code;
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

enum err_code err_wrap(struct err *err, const char *format, ...)
{
    if (!err)
        return ERR_BUG;
    char before[ERR_TEXT_MAX];
    char context[ERR_TEXT_MAX];
    memcpy(before, err->text, sizeof before);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(context, sizeof context, format, args);
    va_end(args);
    size_t used = strlen(context);
    if (used > sizeof err->text - 3)
        used = sizeof err->text - 3;
    memcpy(err->text, context, used);
    memcpy(err->text + used, ": ", 2);
    size_t rest = sizeof err->text - used - 3;
    size_t n = strnlen(before, rest);
    memcpy(err->text + used + 2, before, n);
    err->text[used + 2 + n] = '\0';
    return err->code;
}

enum err_class err_class(enum err_code code) { return codes[code].class; }
int err_exit_code(enum err_code code) { return codes[code].exit_code; }
const char *err_name(enum err_code code) { return codes[code].name; }
