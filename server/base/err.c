/* The error table's text forms; see err.h. */

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err err_set(struct err_info *err, enum err code, const char *field, const char *format, ...) {
    memset(err, 0, sizeof(*err));
    err->code = code;
    snprintf(err->field, sizeof(err->field), "%s", field ? field : "");
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return code;
}

const char *err_to_string(enum err code) {
    static const char *const names[] = {
#define X(code, name, status) [code] = name,
        ERR_TABLE(X)
#undef X
    };
    return names[code];
}

int err_to_status(enum err code) {
    static const int statuses[] = {
#define X(code, name, status) [code] = status,
        ERR_TABLE(X)
#undef X
    };
    return statuses[code];
}
