/* Parameters of statements: C values → PostgreSQL's text forms, in the ctx's arena. */

#include "base/buf.h"
#include "base/clock.h"
#include "base/ident.h"
#include "base/real_text.h"
#include "db/db.h"

#include <math.h>
#include <string.h>

const char *db_int(struct ctx *cx, int64_t value) {
    return value == FIELD_NO_INT ? NULL : arena_printf(cx->arena, "%lld", (long long)value);
}

static size_t print_real(double value, char ret[REAL_TEXT_SIZE]) {
    if (isfinite(value))
        return real_to_text(value, ret);
    return (size_t)snprintf(ret, REAL_TEXT_SIZE, "%s",
                            isnan(value) ? "NaN"
                            : value > 0  ? "Infinity"
                                         : "-Infinity");
}

const char *db_real(struct ctx *cx, double value) {
    char text[REAL_TEXT_SIZE];
    print_real(value, text);
    return arena_strdup(cx->arena, text);
}

const char *db_bool(bool value) {
    return value ? "true" : "false";
}

const char *db_time(struct ctx *cx, int64_t at_us) {
    if (at_us == 0)
        return NULL;
    char text[TIME_TEXT_SIZE];
    time_to_string(at_us, text);
    return arena_strdup(cx->arena, text);
}

const char *db_json(struct ctx *cx, const json_t *value) {
    if (!value)
        return NULL;
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        abort();
    arena_defer(cx->arena, free, text);
    return text;
}

static const char *array_text(struct ctx *cx, struct buf *b) {
    buf_text(b, "}");
    arena_defer(cx->arena, free, b->data);
    return b->data;
}

const char *db_text_array(struct ctx *cx, const char *const *items, size_t count) {
    struct buf b = {0};
    buf_text(&b, "{");
    for (size_t i = 0; i < count; i++) {
        buf_text(&b, i ? "," : "");
        buf_text(&b, items[i] ? "\"" : "NULL");
        for (const char *p = items[i]; p && *p; p++) {
            if (*p == '"' || *p == '\\')
                buf_append(&b, "\\", 1);
            buf_append(&b, p, 1);
        }
        buf_text(&b, items[i] ? "\"" : "");
    }
    return array_text(cx, &b);
}

const char *db_int_array(struct ctx *cx, const int64_t *items, size_t count) {
    struct buf b = {0};
    buf_text(&b, "{");
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%s%lld", i ? "," : "", (long long)items[i]);
    return array_text(cx, &b);
}

const char *db_real_array(struct ctx *cx, const double *items, size_t count) {
    struct buf b = {0};
    buf_text(&b, "{");
    for (size_t i = 0; i < count; i++) {
        char text[REAL_TEXT_SIZE];
        buf_text(&b, i ? "," : "");
        buf_append(&b, text, print_real(items[i], text));
    }
    return array_text(cx, &b);
}

const char *db_bytes_array(struct ctx *cx, const struct db_bytes *items, size_t count) {
    size_t size = 3;
    for (size_t i = 0; i < count; i++)
        size += 2 * items[i].size + sizeof("\"\\\\x\",");
    char *text = malloc(size), *at = text;
    if (!text)
        abort();
    arena_defer(cx->arena, free, text);
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, i ? ",\"\\\\x" : "{\"\\\\x");
        hex_encode(items[i].data, items[i].size, at);
        at = stpcpy(at + 2 * items[i].size, "\"");
    }
    stpcpy(at, count ? "}" : "{}");
    return text;
}

enum err db_bytes(struct ctx *cx, const char *text, struct db_bytes *ret) {
    size_t size = text && strncmp(text, "\\x", 2) == 0 ? strlen(text + 2) / 2 : 0;
    unsigned char *data = arena_alloc(cx->arena, size + 1);
    if (!text || strlen(text) < 2 || !hex_decode(text + 2, data, size))
        return fail(cx, ERR_INTERNAL, "a stored value could not be read");
    *ret = (struct db_bytes){data, size};
    return OK;
}
