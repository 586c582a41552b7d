/* Messages of MLflow's surface: JSON bodies and queries into the structs of field tables, by the
 * rules of its protocol buffers instead of ours.
 *
 * Members nobody knows are ignored, 64-bit integers come as numbers or text, floats that JSON
 * cannot say come as "NaN", "Infinity", "-Infinity", null is absent, and an empty text counts as
 * missing where a member is required. A body that is no JSON counts as an empty message, one that
 * is a JSON text is decoded once more (what old clients send). run_uuid is another name of run_id.
 *
 * The sentences are MLflow's own: its clients' tests, and people who search for them, know them.
 * Limits of lengths and ranges are not looked at here: each handler has its own words for those. */
#include "http/internal.h"

#include "base/jsontext.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SHOWN_VALUE_MAX 200
#define HELP "See the API docs for more information about request parameters."

/* Where in the message: "metrics[0].timestamp". */
struct place {
    const struct place *outer; /* NULL = the message itself */
    const char *name;
    size_t index;
};

static const char *place_text(struct ctx *cx, const struct place *outer, const char *name) {
    if (!outer)
        return name;
    return arena_printf(cx->arena, "%s[%zu].%s", place_text(cx, outer->outer, outer->name),
                        outer->index, name);
}

static enum err fail_missing(struct ctx *cx, const struct place *outer, const char *name) {
    const char *at = place_text(cx, outer, name);
    return fail_field(cx, ERR_INVALID, at, "Missing value for required parameter '%s'. " HELP, at);
}

static const char *python_type(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "dict";
    case JSON_ARRAY:
        return "list";
    case JSON_STRING:
        return "str";
    case JSON_INTEGER:
        return "int";
    case JSON_REAL:
        return "float";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        break;
    }
    return "NoneType";
}

static enum err fail_value(struct ctx *cx, const struct place *outer, const char *name,
                           const json_t *value) {
    const char *at = place_text(cx, outer, name);
    auto_free char *text =
        json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    size_t length = text ? strlen(text) : 0;
    return fail_field(cx, ERR_INVALID, at,
                      "Invalid value %.*s%s for parameter '%s' supplied:  Hint: Value was of type "
                      "'%s'. " HELP,
                      (int)(length > SHOWN_VALUE_MAX ? SHOWN_VALUE_MAX : length), text ? text : "",
                      length > SHOWN_VALUE_MAX ? "..." : "", at, python_type(value));
}

/* --- values; each false when the JSON is none of its type --- */

static bool take_int(const json_t *value, int64_t *ret) {
    if (json_is_integer(value)) {
        *ret = json_integer_value(value);
        return true;
    }
    if (json_is_real(value)) {
        double real = json_real_value(value);
        bool whole = real >= -0x1p63 && real < 0x1p63 && floor(real) == real;
        *ret = whole ? (int64_t)real : 0;
        return whole;
    }
    const char *text = json_string_value(value);
    char *end;
    if (!text || !*text || strspn(text, "-0123456789") != strlen(text))
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool take_real(const json_t *value, double *ret) {
    if (json_is_number(value)) {
        *ret = json_number_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    char *end;
    if (!text || !*text)
        return false;
    if (strcmp(text, "NaN") == 0)
        *ret = (double)NAN;
    else if (strcmp(text, "Infinity") == 0)
        *ret = HUGE_VAL;
    else if (strcmp(text, "-Infinity") == 0)
        *ret = -HUGE_VAL;
    else if (strspn(text, "+-.0123456789eE") != strlen(text))
        return false;
    else
        *ret = strtod(text, &end);
    return strcmp(text, "NaN") == 0 || strstr(text, "Infinity") || *end == '\0';
}

static bool take_enum(const struct field *field, const json_t *value, int *ret) {
    const char *text = json_string_value(value);
    for (int i = 0; text && field->names[i]; i++)
        if (strcmp(field->names[i], text) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static enum err decode_object(struct ctx *cx, const struct shape *shape, const json_t *object,
                              const struct place *outer, void *ret, struct field_seen *seen);

static enum err decode_strings(struct ctx *cx, const struct field *field, const json_t *array,
                               const struct place *outer, struct list *ret) {
    size_t count = json_array_size(array);
    const char **items = arena_new_array(cx->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        items[i] = json_string_value(json_array_get(array, i));
        if (!items[i])
            return fail_value(cx, outer, field->name, array);
    }
    *ret = (struct list){items, count};
    return OK;
}

static enum err decode_list(struct ctx *cx, const struct field *field, const json_t *array,
                            const struct place *outer, struct list *ret) {
    size_t count = json_array_size(array);
    char *items = arena_alloc(cx->arena, count * field->nested->size);
    for (size_t i = 0; i < count; i++) {
        const struct place place = {outer, field->name, i};
        const json_t *item = json_array_get(array, i);
        if (!json_is_object(item))
            return fail_value(cx, outer, field->name, array);
        TRY(decode_object(cx, field->nested, item, &place, items + i * field->nested->size, NULL));
    }
    *ret = (struct list){items, count};
    return OK;
}

static enum err decode_nested(struct ctx *cx, const struct field *field, const json_t *value,
                              const struct place *outer, void *member) {
    if (!json_is_object(value))
        return fail_value(cx, outer, field->name, value);
    void *object = arena_alloc(cx->arena, field->nested->size);
    TRY(decode_object(cx, field->nested, value, outer, object, NULL));
    *(void **)member = object;
    return OK;
}

static enum err decode_value(struct ctx *cx, const struct field *field, json_t *value,
                             const struct place *outer, void *member) {
    bool good = false;
    switch (field->type) {
    case FIELD_TYPE_STRING:
    case FIELD_TYPE_UUID:
        good = json_is_string(value);
        *(const char **)member = json_string_value(value);
        break;
    case FIELD_TYPE_INT:
    case FIELD_TYPE_TIME:
        good = take_int(value, member);
        break;
    case FIELD_TYPE_REAL:
        good = take_real(value, member);
        break;
    case FIELD_TYPE_BOOL:
        good = json_is_boolean(value);
        *(bool *)member = json_is_true(value);
        break;
    case FIELD_TYPE_ENUM:
        good = take_enum(field, value, member);
        break;
    case FIELD_TYPE_JSON:
        good = true;
        *(json_t **)member = value;
        break;
    case FIELD_TYPE_OBJECT:
        return decode_nested(cx, field, value, outer, member);
    case FIELD_TYPE_LIST:
        if (json_is_array(value))
            return decode_list(cx, field, value, outer, member);
        break;
    case FIELD_TYPE_STRINGS:
        if (json_is_array(value))
            return decode_strings(cx, field, value, outer, member);
        break;
    }
    return good ? OK : fail_value(cx, outer, field->name, value);
}

static json_t *find_value(const json_t *object, const char *name) {
    json_t *value = json_object_get(object, name);
    if ((!value || json_is_null(value)) && strcmp(name, "run_id") == 0)
        value = json_object_get(object, "run_uuid");
    return value && !json_is_null(value) ? value : NULL;
}

static bool is_empty_text(const json_t *value) {
    return json_is_string(value) && json_string_length(value) == 0;
}

static enum err decode_object(struct ctx *cx, const struct shape *shape, const json_t *object,
                              const struct place *outer, void *ret, struct field_seen *seen) {
    shape_set_absent(shape, ret);
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *field = &shape->fields[i];
        json_t *value = find_value(object, field->name);
        if ((field->flags & FIELD_REQUIRED) && (!value || is_empty_text(value)))
            return fail_missing(cx, outer, field->name);
        if (!value)
            continue;
        if (seen)
            seen->given |= (uint64_t)1 << i;
        TRY(decode_value(cx, field, value, outer, (char *)ret + field->offset));
    }
    return OK;
}

/* --- bodies --- */

static void release_json(void *json) {
    json_decref(json);
}

static enum err check_content_type(struct http_call *call) {
    const char *type = http_head_get(call->rq.head, "content-type");
    if (!(call->request.method & (POST | PUT)))
        return OK;
    if (!type)
        return fail(call->cx, ERR_INVALID, "Bad Request. Content-Type header is missing.");
    if (!is_utf8_json(type))
        return fail(call->cx, ERR_INVALID,
                    "Bad Request. Content-Type must be one of ['application/json'].");
    return OK;
}

/* Whoever decodes a big body holds one of few slots until the request ends. */
static enum err admit_big(struct http_call *call) {
    if (call->request.content_length < (int64_t)ADMISSION_BIG_BYTES)
        return OK;
    call->big = admission_enter_big(call->server->admission);
    if (call->big)
        return OK;
    call->close = true;
    return fail(call->cx, ERR_UNAVAILABLE, "too many large requests are under way");
}

static enum err parse(struct http_call *call, const char *text, size_t size, json_t **ret) {
    TRY(json_parse(text, size, body_limit(call->rq.route), ret, &call->cx->err));
    arena_defer(call->cx->arena, release_json, *ret);
    return OK;
}

/* The object that the body says; NULL when it says none. */
static enum err parse_body(struct http_call *call, json_t **ret) {
    json_t *json = NULL;
    *ret = NULL;
    if (call->body_size == 0)
        return OK;
    TRY(parse(call, call->body_text, call->body_size, &json));
    if (json_is_string(json))
        TRY(parse(call, json_string_value(json), json_string_length(json), &json));
    if (!json_is_object(json))
        return fail(call->cx, ERR_INVALID, "the body is not a JSON object");
    *ret = json;
    return OK;
}

/* A body that cannot be read misses every member; where none is required, that it cannot be read is
 * what is wrong with it. */
static enum err decode_body(struct http_call *call) {
    struct ctx *cx = call->cx;
    const struct shape *shape = call->rq.route->body;
    auto_json *nothing = json_object();
    json_t *object = NULL;
    void *message = arena_alloc(cx->arena, shape->size);

    TRY(check_content_type(call));
    TRY(admit_big(call));
    TRY(body_read_whole(call));
    enum err parsed = parse_body(call, &object);
    struct err_info why = cx->err;
    TRY(decode_object(cx, shape, object ? object : nothing, NULL, message, &call->rq.body_seen));
    call->rq.body = message;
    cx->err = why;
    return parsed;
}

/* --- queries --- */

static enum err add_text(struct ctx *cx, json_t *object, const struct field *field,
                         const char *text) {
    if (field->type == FIELD_TYPE_STRINGS) {
        json_t *array = json_object_get(object, field->name);
        if (!array)
            json_object_set_new(object, field->name, array = json_array());
        json_array_append_new(array, json_string(text));
        return OK;
    }
    bool truth = strcmp(text, "true") == 0;
    if (field->type != FIELD_TYPE_BOOL)
        json_object_set_new(object, field->name, json_string(text));
    else if (truth || strcmp(text, "false") == 0)
        json_object_set_new(object, field->name, json_boolean(truth));
    else
        return fail_field(cx, ERR_INVALID, field->name,
                          "Invalid boolean value: %.100s, must be 'true' or 'false'.", text);
    return OK;
}

static const struct field *query_field(const struct shape *shape, const char *name) {
    const struct field *field = field_find(shape, name);
    return !field && strcmp(name, "run_uuid") == 0 ? field_find(shape, "run_id") : field;
}

static enum err add_member(struct http_call *call, json_t *object, const char *raw, size_t length) {
    struct arena *arena = call->cx->arena;
    const char *equals = memchr(raw, '=', length);
    size_t name_length = equals ? (size_t)(equals - raw) : length;
    const char *name = query_text(arena, raw, name_length);
    const char *value = equals ? query_text(arena, equals + 1, length - name_length - 1) : "";
    if (!name || !value)
        return fail(call->cx, ERR_INVALID, "the query is not well-formed");
    const struct field *field = query_field(call->rq.route->query, name);
    return field ? add_text(call->cx, object, field, value) : OK;
}

/* Its length is bounded by the gate, and so is the number of its members. */
static enum err decode_query(struct http_call *call) {
    struct ctx *cx = call->cx;
    const struct shape *shape = call->rq.route->query;
    json_t *object = json_object();
    arena_defer(cx->arena, release_json, object);
    for (const char *at = call->rq.head->query; at && *at;) {
        size_t length = strcspn(at, "&");
        if (length > 0)
            TRY(add_member(call, object, at, length));
        at += length + (at[length] == '&');
    }
    void *message = arena_alloc(cx->arena, shape->size);
    TRY(decode_object(cx, shape, object, NULL, message, NULL));
    call->rq.query = message;
    return OK;
}

enum err message_decode(struct http_call *call) {
    if (call->rq.route->query)
        TRY(decode_query(call));
    return call->rq.route->body ? decode_body(call) : OK;
}
