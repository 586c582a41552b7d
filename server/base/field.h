/* One description of a C struct that JSON decoding, JSON encoding, database rows, OpenAPI and
 * TypeScript are all made from.
 *
 * A `struct shape` names a struct type and lists its fields. The same shape decodes and validates a
 * request body (unknown members are refused, the error names the field), encodes a reply, and takes
 * a database row whose columns carry the fields' names (db/db.h). Strings and lists live in the
 * arena given. NULL is JSON null for the nullable types.
 *
 * When you add a field type, also change field_decode.c, field_encode.c, field_openapi.c and
 * field_typescript.c: each has one switch over enum field_type, and the compiler names the ones
 * you forgot. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum field_type {
    FIELD_TYPE_STRING, /* const char *, UTF-8 without NUL; min..max is its length in bytes */
    FIELD_TYPE_UUID,   /* const char *, 36 characters, lower case */
    FIELD_TYPE_INT,    /* int64_t; min..max is its range */
    FIELD_TYPE_REAL,   /* double; a nullable NaN is null, else "NaN", "Infinity", "-Infinity" */
    FIELD_TYPE_BOOL,   /* bool */
    FIELD_TYPE_TIME,   /* int64_t, microseconds since 1970 UTC; RFC 3339 in JSON; 0 = null */
    FIELD_TYPE_ENUM,   /* int, through .names */
    FIELD_TYPE_JSON,   /* json_t *, any JSON value; owned by the arena */
    FIELD_TYPE_OBJECT, /* struct pointer, described by .nested; NULL = null */
    FIELD_TYPE_LIST,   /* struct list of structs, described by .nested; min..max items */
    FIELD_TYPE_STRINGS /* struct list of const char *; min..max items */
};

enum field_flag {
    FIELD_REQUIRED = 1, /* must be in a request body */
    FIELD_NULLABLE = 2, /* null is allowed in a body, and may be in a reply */
    FIELD_SECRET = 4    /* never logged, never in documentation examples */
};

/* The C values of null. A nullable member that a body leaves out gets the same; others get zero. */
#define FIELD_NO_INT INT64_MIN /* INT */
#define FIELD_NO_ENUM (-1)     /* ENUM */
/* REAL: NaN · TIME: 0 · BOOL: false · lists: items NULL · all others: NULL */

#define FIELD_DEFAULT_MAX 1000 /* of strings (bytes) and lists (items) that state none */

struct list {
    void *items; /* array of elements, in the arena */
    size_t count;
};

struct field;

struct shape {
    const char *name; /* the type's name in OpenAPI and TypeScript: "Run" */
    const struct field *fields;
    size_t field_count;
    size_t size; /* of the C struct */
};

struct field {
    const char *name; /* JSON member and database column */
    enum field_type type;
    size_t offset;
    unsigned flags;           /* enum field_flag */
    int64_t min, max;         /* see the type; max 0 = FIELD_DEFAULT_MAX, or unbounded for INT */
    const char *pattern;      /* FIELD_TYPE_STRING: POSIX extended expression, anchored by itself */
    const char *const *names; /* FIELD_TYPE_ENUM: wire names, NULL-terminated */
    const struct shape *nested;
    const char *typescript; /* printed instead of JSON's "unknown" and REAL's "number" */
    const char *doc;
};

/* FIELD(STRING, struct run_create, name, .flags = FIELD_REQUIRED, .max = 250, .doc = "…") */
#define FIELD(kind, owner, member, ...)                                                            \
    { .name = #member, .type = FIELD_TYPE_##kind, .offset = offsetof(owner, member), __VA_ARGS__ }

/* SHAPE(RUN, "Run", struct run, RUN_FIELDS): defines const struct shape RUN. */
#define SHAPE(symbol, type_name, type, field_array)                                                \
    const struct shape symbol = {.name = (type_name),                                              \
                                 .fields = (field_array),                                          \
                                 .field_count = sizeof(field_array) / sizeof((field_array)[0]),    \
                                 .size = sizeof(type)}

/* Which members a body had: bit i stands for fields[i]. PATCH tells absent, null and value apart.
 */
struct field_seen {
    uint64_t given;
    uint64_t null;
};

/* Fills *ret (shape->size bytes, zeroed first) from an object. On failure *err has code, message
 * and field, and *ret is zeroed. seen may be NULL. */
MUST_USE enum err field_decode(struct arena *arena, const struct shape *shape, json_t *object,
                               void *ret, struct field_seen *seen, struct err_info *err);

/* One text value of a query string into its field of *ret; the limits apply. */
MUST_USE enum err field_decode_text(struct arena *arena, const struct field *field,
                                    const char *text, void *ret, struct err_info *err);

/* One database value into its field: the type is checked, the limits of requests are not. NULL is
 * null. Nested types come as JSON text, STRINGS also as a PostgreSQL array. */
MUST_USE enum err field_load(struct arena *arena, const struct field *field, const char *text,
                             void *ret, struct err_info *err);

/* New reference. Times as RFC 3339, non-finite numbers as strings. */
json_t *field_encode(const struct shape *shape, const void *object);

const struct field *field_find(const struct shape *shape, const char *name); /* NULL if none */

/* What a shape is printed for: in a body a member may be left out unless FIELD_REQUIRED says
 * otherwise, in a reply every member is there. */
enum shape_use { SHAPE_BODY, SHAPE_REPLY };

json_t *shape_openapi(const struct shape *shape,
                      enum shape_use use); /* JSON Schema; new reference */
void shape_typescript(const struct shape *shape, enum shape_use use,
                      FILE *out); /* export interface */

/* Adds the shape and those nested in it to set, each once, nested ones first. */
void shape_collect(const struct shape *shape, const struct shape **set, size_t *count, size_t cap);
