/* See ctx.h. */

#include "ctx.h"

#include "base/ident.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ctx_init(struct ctx *cx, struct app *app) {
    *cx = (struct ctx){.app = app, .arena = arena_new()};
    uuid_new(cx->request_id);
    log_context(cx->request_id, NULL);
}

/* An open transaction is rolled back by what db/ deferred in the arena. */
void ctx_done(struct ctx *cx) {
    arena_free(cx->arena);
    *cx = (struct ctx){0};
    log_context(NULL, NULL);
}

static enum err record(struct ctx *cx, enum err code, const char *field, const char *format,
                       va_list args) __attribute__((format(printf, 4, 0)));

static enum err record(struct ctx *cx, enum err code, const char *field, const char *format,
                       va_list args) {
    /* Formatted aside: an argument may be the message recorded before. */
    struct err_info err = {.code = code};
    snprintf(err.field, sizeof(err.field), "%s", field);
    vsnprintf(err.message, sizeof(err.message), format, args);
    cx->err = err;
    return code;
}

enum err fail(struct ctx *cx, enum err code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    record(cx, code, "", format, args);
    va_end(args);
    return code;
}

enum err fail_field(struct ctx *cx, enum err code, const char *field, const char *format, ...) {
    va_list args;
    va_start(args, format);
    record(cx, code, field, format, args);
    va_end(args);
    return code;
}

void fail_detail(struct ctx *cx, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(cx->err.detail, sizeof(cx->err.detail), format, args);
    va_end(args);
}
