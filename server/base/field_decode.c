/* JSON bodies, query texts and database values → C structs; see field.h.
 *
 * All three end in the same setters. A body and a query are hostile, so every limit of the field is
 * checked and the error names the member by its path ("layers[2].out"); a database value was
 * checked when it was written, and only its type is. */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/field.h"
#include "base/ident.h"
#include "base/jsontext.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <regex.h>
#include <string.h>

struct decoding {
    struct arena *arena;
    struct err_info *err;
    bool limits;    /* hostile: check min, max, pattern */
    char path[128]; /* of the member being decoded; cut off when it is longer */
    size_t path_size;
};

/* Extends the path by a member or an index and returns where it ended before. */
static size_t path_push(struct decoding *d, const char *member, size_t index) {
    size_t before = d->path_size;
    size_t room = sizeof(d->path) - before;
    int n = member ? snprintf(d->path + before, room, before ? ".%s" : "%s", member)
                   : snprintf(d->path + before, room, "[%zu]", index);
    size_t added = n < 0 ? 0 : (size_t)n;
    d->path_size = before + (added < room ? added : room - 1);
    return before;
}

static void path_pop(struct decoding *d, size_t before) {
    d->path_size = before;
    d->path[before] = '\0';
}

#define REFUSE(d, ...) err_set((d)->err, ERR_INVALID, (d)->path, __VA_ARGS__)

static void *member_of(const struct field *f, void *ret) {
    return (char *)ret + f->offset;
}

static void set_null(const struct field *f, void *ret) {
    void *to = member_of(f, ret);
    switch (f->type) {
    case FIELD_TYPE_INT:
        *(int64_t *)to = FIELD_NO_INT;
        break;
    case FIELD_TYPE_REAL:
        *(double *)to = NAN;
        break;
    case FIELD_TYPE_ENUM:
        *(int *)to = FIELD_NO_ENUM;
        break;
    case FIELD_TYPE_TIME:
        *(int64_t *)to = 0;
        break;
    case FIELD_TYPE_BOOL:
        *(bool *)to = false;
        break;
    case FIELD_TYPE_LIST:
    case FIELD_TYPE_STRINGS:
        *(struct list *)to = (struct list){0};
        break;
    case FIELD_TYPE_STRING:
    case FIELD_TYPE_UUID:
    case FIELD_TYPE_JSON:
    case FIELD_TYPE_OBJECT:
        *(void **)to = NULL;
        break;
    }
}

static int64_t max_of(const struct field *f) {
    return f->max ? f->max : FIELD_DEFAULT_MAX;
}

static enum err check_pattern(struct decoding *d, const struct field *f, const char *text) {
    if (!f->pattern)
        return OK;
    regex_t pattern;
    int bad = regcomp(&pattern, f->pattern, REG_EXTENDED | REG_NOSUB);
    assert(bad == 0);
    int differs = bad ? 0 : regexec(&pattern, text, 0, NULL, 0);
    if (!bad)
        regfree(&pattern);
    return differs ? REFUSE(d, "has characters that are not allowed (must match %s)", f->pattern)
                   : OK;
}

static enum err check_text(struct decoding *d, const struct field *f, const char *text,
                           size_t size) {
    if (!d->limits)
        return OK;
    if (!utf8_is_valid(text, size))
        return REFUSE(d, "is not UTF-8 text without zero bytes");
    if ((int64_t)size < f->min)
        return size == 0 ? REFUSE(d, "must not be empty")
                         : REFUSE(d, "must have at least %lld bytes", (long long)f->min);
    if ((int64_t)size > max_of(f))
        return REFUSE(d, "has %zu bytes, at most %lld are allowed", size, (long long)max_of(f));
    return check_pattern(d, f, text);
}

static enum err set_string(struct decoding *d, const struct field *f, const char *text, size_t size,
                           void *ret) {
    TRY(check_text(d, f, text, size));
    *(const char **)member_of(f, ret) = arena_strndup(d->arena, text, size);
    return OK;
}

static enum err set_uuid(struct decoding *d, const struct field *f, const char *text, void *ret) {
    if (!uuid_is_valid(text))
        return REFUSE(d, "is not a UUID in lower case");
    *(const char **)member_of(f, ret) = arena_strdup(d->arena, text);
    return OK;
}

static enum err set_int(struct decoding *d, const struct field *f, int64_t value, void *ret) {
    int64_t max = f->max ? f->max : INT64_MAX;
    int64_t min = f->min || f->max ? f->min : INT64_MIN + 1;
    if (d->limits && (value < min || value > max))
        return f->max ? REFUSE(d, "must be from %lld to %lld", (long long)min, (long long)max)
                      : REFUSE(d, "must be at least %lld", (long long)min);
    *(int64_t *)member_of(f, ret) = value;
    return OK;
}

static enum err set_real(struct decoding *d, const struct field *f, double value, void *ret) {
    bool bounded = d->limits && (f->min || f->max);
    if (bounded && !(value >= (double)f->min && (!f->max || value <= (double)f->max)))
        return f->max ? REFUSE(d, "must be from %lld to %lld", (long long)f->min, (long long)f->max)
                      : REFUSE(d, "must be at least %lld", (long long)f->min);
    *(double *)member_of(f, ret) = value;
    return OK;
}

static enum err set_time(struct decoding *d, const struct field *f, const char *text, void *ret) {
    if (!time_from_string(text, member_of(f, ret)))
        return REFUSE(d, "is not a time like 2026-11-21T09:18:23Z");
    return OK;
}

static enum err set_enum(struct decoding *d, const struct field *f, const char *text, void *ret) {
    char known[300] = "";
    for (int i = 0; f->names[i]; i++) {
        if (strcmp(f->names[i], text) == 0) {
            *(int *)member_of(f, ret) = i;
            return OK;
        }
        size_t size = strlen(known);
        snprintf(known + size, sizeof(known) - size, "%s%s", i ? ", " : "", f->names[i]);
    }
    return REFUSE(d, "must be one of %s", known);
}

static void release_json(void *json) {
    json_decref(json);
}

static enum err set_json(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    arena_defer(d->arena, release_json, json_incref(value));
    *(json_t **)member_of(f, ret) = value;
    return OK;
}

static bool text_is_non_finite(const char *text, double *ret) {
    static const struct {
        const char *text;
        double value;
    } known[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].text, text) == 0) {
            *ret = known[i].value;
            return true;
        }
    }
    return false;
}

static enum err decode_object(struct decoding *d, const struct shape *shape, json_t *object,
                              void *ret, struct field_seen *seen);

static enum err set_object(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    void *object = arena_alloc(d->arena, f->nested->size);
    TRY(decode_object(d, f->nested, value, object, NULL));
    *(void **)member_of(f, ret) = object;
    return OK;
}

static enum err check_count(struct decoding *d, const struct field *f, size_t count) {
    if (d->limits && (int64_t)count < f->min)
        return REFUSE(d, "must have at least %lld items", (long long)f->min);
    if (d->limits && (int64_t)count > max_of(f))
        return REFUSE(d, "has %zu items, at most %lld are allowed", count, (long long)max_of(f));
    return OK;
}

static enum err set_list(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    if (!json_is_array(value))
        return REFUSE(d, "must be a list");
    size_t count = json_array_size(value);
    TRY(check_count(d, f, count));
    char *items = arena_alloc(d->arena, count * f->nested->size);
    for (size_t i = 0; i < count; i++) {
        size_t before = path_push(d, NULL, i);
        TRY(decode_object(d, f->nested, json_array_get(value, i), items + i * f->nested->size,
                          NULL));
        path_pop(d, before);
    }
    *(struct list *)member_of(f, ret) = (struct list){items, count};
    return OK;
}

static enum err set_strings(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    if (!json_is_array(value))
        return REFUSE(d, "must be a list of strings");
    /* The limits of the field count items; each item has the default length of a string. */
    static const struct field item = {.type = FIELD_TYPE_STRING};
    size_t count = json_array_size(value);
    TRY(check_count(d, f, count));
    const char **items = arena_new_array(d->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        size_t before = path_push(d, NULL, i);
        json_t *text = json_array_get(value, i);
        if (!json_is_string(text))
            return REFUSE(d, "must be a string");
        TRY(set_string(d, &item, json_string_value(text), json_string_length(text), &items[i]));
        path_pop(d, before);
    }
    *(struct list *)member_of(f, ret) = (struct list){items, count};
    return OK;
}

static enum err decode_string(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    const char *text = json_string_value(value);
    if (!text)
        return REFUSE(d, f->type == FIELD_TYPE_ENUM   ? "must be one of its names"
                         : f->type == FIELD_TYPE_TIME ? "must be a time as text"
                         : f->type == FIELD_TYPE_UUID ? "must be a UUID"
                                                      : "must be a string");
    switch (f->type) {
    case FIELD_TYPE_UUID:
        return set_uuid(d, f, text, ret);
    case FIELD_TYPE_TIME:
        return set_time(d, f, text, ret);
    case FIELD_TYPE_ENUM:
        return set_enum(d, f, text, ret);
    default:
        return set_string(d, f, text, json_string_length(value), ret);
    }
}

static enum err decode_real(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    double number;
    if (json_is_number(value))
        return set_real(d, f, json_number_value(value), ret);
    if (json_is_string(value) && text_is_non_finite(json_string_value(value), &number))
        return set_real(d, f, number, ret);
    return REFUSE(d, "must be a number");
}

static enum err decode_value(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    switch (f->type) {
    case FIELD_TYPE_STRING:
    case FIELD_TYPE_UUID:
    case FIELD_TYPE_TIME:
    case FIELD_TYPE_ENUM:
        return decode_string(d, f, value, ret);
    case FIELD_TYPE_INT:
        if (!json_is_integer(value))
            return REFUSE(d, "must be a whole number");
        return set_int(d, f, json_integer_value(value), ret);
    case FIELD_TYPE_REAL:
        return decode_real(d, f, value, ret);
    case FIELD_TYPE_BOOL:
        if (!json_is_boolean(value))
            return REFUSE(d, "must be true or false");
        *(bool *)member_of(f, ret) = json_is_true(value);
        return OK;
    case FIELD_TYPE_JSON:
        return set_json(d, f, value, ret);
    case FIELD_TYPE_OBJECT:
        return set_object(d, f, value, ret);
    case FIELD_TYPE_LIST:
        return set_list(d, f, value, ret);
    case FIELD_TYPE_STRINGS:
        return set_strings(d, f, value, ret);
    }
    return OK;
}

const struct field *field_find(const struct shape *shape, const char *name) {
    for (size_t i = 0; i < shape->field_count; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return &shape->fields[i];
    return NULL;
}

static enum err refuse_unknown(struct decoding *d, const struct shape *shape, json_t *object) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        if (field_find(shape, name))
            continue;
        path_push(d, name, 0);
        return REFUSE(d, "is not a known member");
    }
    return OK;
}

static enum err decode_member(struct decoding *d, const struct field *f, json_t *value, void *ret) {
    if (!value && (f->flags & FIELD_REQUIRED))
        return REFUSE(d, "is missing");
    if (value && !json_is_null(value))
        return decode_value(d, f, value, ret);
    if (f->flags & FIELD_NULLABLE)
        set_null(f, ret);
    else if (value && f->type == FIELD_TYPE_JSON)
        return set_json(d, f, value, ret);
    else if (value)
        return REFUSE(d, "must not be null");
    return OK;
}

static enum err decode_object(struct decoding *d, const struct shape *shape, json_t *object,
                              void *ret, struct field_seen *seen) {
    assert(shape->field_count <= 64);
    if (!json_is_object(object))
        return REFUSE(d, "must be an object");
    TRY(refuse_unknown(d, shape, object));
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        json_t *value = json_object_get(object, f->name);
        size_t before = path_push(d, f->name, 0);
        TRY(decode_member(d, f, value, ret));
        path_pop(d, before);
        if (seen && value)
            seen->given |= UINT64_C(1) << i;
        if (seen && json_is_null(value))
            seen->null |= UINT64_C(1) << i;
    }
    return OK;
}

enum err field_decode(struct arena *arena, const struct shape *shape, json_t *object, void *ret,
                      struct field_seen *seen, struct err_info *err) {
    struct decoding d = {.arena = arena, .err = err, .limits = true};
    memset(ret, 0, shape->size);
    if (seen)
        *seen = (struct field_seen){0};
    enum err result = decode_object(&d, shape, object, ret, seen);
    if (result != OK)
        memset(ret, 0, shape->size);
    return result;
}

/* --- from text ---------------------------------------------------------------------------------
 */

static enum err text_to_int(struct decoding *d, const struct field *f, const char *text,
                            void *ret) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool starts = (*text >= '0' && *text <= '9') || (*text == '-' && text[1] >= '0');
    if (!starts || *end || errno)
        return REFUSE(d, "must be a whole number");
    return set_int(d, f, value, ret);
}

static enum err text_to_real(struct decoding *d, const struct field *f, const char *text,
                             void *ret) {
    double value;
    if (text_is_non_finite(text, &value))
        return set_real(d, f, value, ret);
    char *end;
    value = strtod(text, &end);
    /* strtod also takes "nan(…)", "0x1p3" and leading blanks: only plain decimals are numbers. */
    if (*text == '\0' || *end || strspn(text, "0123456789+-.eE") != strlen(text) || isinf(value))
        return REFUSE(d, "must be a number");
    return set_real(d, f, value, ret);
}

static enum err text_to_bool(struct decoding *d, const struct field *f, const char *text,
                             void *ret) {
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "t") == 0;
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "f") != 0)
        return REFUSE(d, "must be true or false");
    *(bool *)member_of(f, ret) = yes;
    return OK;
}

/* One element of a PostgreSQL array's text form, quoted or not, is written to *to; both are left
 * behind it. */
static const char *array_element(const char **p, char **to) {
    bool quoted = **p == '"';
    const char *at = *p + quoted, *ret = *to;
    while (*at && (quoted ? *at != '"' : *at != ',' && *at != '}')) {
        if (*at == '\\' && at[1])
            at++;
        *(*to)++ = *at++;
    }
    *(*to)++ = '\0';
    *p = at + (quoted && *at);
    return ret;
}

/* All elements share one copy: each is shorter than its text and what parts it from the next. */
static enum err array_to_strings(struct decoding *d, const struct field *f, const char *text,
                                 void *ret) {
    size_t size = strlen(text), most = 1, count = 0;
    for (size_t i = 0; i < size; i++)
        most += text[i] == ',';
    const char **items = arena_new_array(d->arena, const char *, most);
    char *to = arena_alloc(d->arena, size + 1);
    const char *p = text + 1;
    while (*p && *p != '}' && count < most) {
        items[count++] = array_element(&p, &to);
        if (*p == ',')
            p++;
    }
    *(struct list *)member_of(f, ret) = (struct list){items, count};
    return OK;
}

static enum err text_to_nested(struct decoding *d, const struct field *f, const char *text,
                               void *ret) {
    json_error_t why;
    auto_json *value = NULL;
    if (d->limits) {
        if (json_parse(text, strlen(text), strlen(text), &value, d->err) != OK)
            return REFUSE(d, "is not valid JSON");
    } else if (!(value = json_loads(text, JSON_DECODE_ANY, &why))) {
        return REFUSE(d, "is not valid JSON");
    }
    if (!json_is_null(value) || f->type == FIELD_TYPE_JSON)
        return decode_value(d, f, value, ret);
    set_null(f, ret);
    return OK;
}

static enum err from_text(struct decoding *d, const struct field *f, const char *text, void *ret) {
    switch (f->type) {
    case FIELD_TYPE_STRING:
        return set_string(d, f, text, strlen(text), ret);
    case FIELD_TYPE_UUID:
        return set_uuid(d, f, text, ret);
    case FIELD_TYPE_INT:
        return text_to_int(d, f, text, ret);
    case FIELD_TYPE_REAL:
        return text_to_real(d, f, text, ret);
    case FIELD_TYPE_BOOL:
        return text_to_bool(d, f, text, ret);
    case FIELD_TYPE_TIME:
        return set_time(d, f, text, ret);
    case FIELD_TYPE_ENUM:
        return set_enum(d, f, text, ret);
    case FIELD_TYPE_STRINGS:
        if (*text == '{' && !d->limits)
            return array_to_strings(d, f, text, ret);
        return text_to_nested(d, f, text, ret);
    case FIELD_TYPE_JSON:
    case FIELD_TYPE_OBJECT:
    case FIELD_TYPE_LIST:
        return text_to_nested(d, f, text, ret);
    }
    return OK;
}

enum err field_decode_text(struct arena *arena, const struct field *field, const char *text,
                           void *ret, struct err_info *err) {
    struct decoding d = {.arena = arena, .err = err, .limits = true};
    path_push(&d, field->name, 0);
    return from_text(&d, field, text, ret);
}

enum err field_load(struct arena *arena, const struct field *field, const char *text, void *ret,
                    struct err_info *err) {
    if (!text) {
        set_null(field, ret);
        return OK;
    }
    struct decoding d = {.arena = arena, .err = err, .limits = false};
    path_push(&d, field->name, 0);
    return from_text(&d, field, text, ret);
}
