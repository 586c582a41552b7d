/* The closed set of failures a function can report, and what each means to a client.
 *
 * Errors are raised at the bottom with a sentence (fail() in ctx.h), carried upwards by TRY(), and
 * logged once, by whoever stops them: the dispatcher, the worker loop or main(). A new code needs a
 * client that would act differently on it. */
#pragma once

#include <stdbool.h>

#define ERR_TABLE(X)                                                                               \
    X(OK, "OK", 200)                                                                               \
    X(ERR_INVALID, "INVALID", 400)                                                                 \
    X(ERR_UNAUTHENTICATED, "UNAUTHENTICATED", 401)                                                 \
    X(ERR_FORBIDDEN, "FORBIDDEN", 403)                                                             \
    X(ERR_NOT_FOUND, "NOT_FOUND", 404)                                                             \
    X(ERR_CONFLICT, "CONFLICT", 409)                                                               \
    X(ERR_TOO_LARGE, "TOO_LARGE", 413)                                                             \
    X(ERR_UNPROCESSABLE, "UNPROCESSABLE", 422)                                                     \
    X(ERR_RATE_LIMITED, "RATE_LIMITED", 429)                                                       \
    X(ERR_INTERNAL, "INTERNAL", 500)                                                               \
    X(ERR_UNAVAILABLE, "UNAVAILABLE", 503)                                                         \
    X(ERR_TIMEOUT, "TIMEOUT", 504)

enum err {
#define X(code, name, status) code,
    ERR_TABLE(X)
#undef X
};

/* What is known about one failure. Fixed size, so that the error path allocates nothing. */
struct err_info {
    enum err code;
    char message[512]; /* for the client: one sentence, lower case, no full stop */
    char field[128];   /* the request member at fault, "spec.model.layers[2]"; empty if none */
    char detail[512];  /* for the log only: SQLSTATE, path, errno text */
    int retry_after_s; /* Retry-After of 429 and 503; 0 = none */
    char name[32];     /* a surface's own word for it, MLflow's error_code; empty = the code's */
    int status;        /* of HTTP where that surface has another; 0 = the code's */
    int at, length;    /* the bytes at fault in the field's text; length 0 = not told */
};

#define MUST_USE __attribute__((warn_unused_result))

/* Leaves the calling function with the callee's error. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (call);                                                                \
        if (try_err_ != OK)                                                                        \
            return try_err_;                                                                       \
    } while (0)

/* Fills *err and returns its code: the fail() of code that has no ctx (base/, worker/). */
enum err err_set(struct err_info *err, enum err code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

const char *err_to_string(enum err code); /* "NOT_FOUND" */
int err_to_status(enum err code);         /* 404 */
