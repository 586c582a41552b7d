/* C structs → JSON; see field.h. What a handler filled in is trusted, except for what JSON cannot
 * carry: numbers that are not finite become strings, text that is not UTF-8 is a bug and asserted.
 */

#include "base/clock.h"
#include "base/field.h"

#include <assert.h>
#include <math.h>

static json_t *encode_real(double value, bool nullable) {
    if (isfinite(value))
        return json_real(value);
    if (isnan(value))
        return nullable ? json_null() : json_string("NaN");
    return json_string(value > 0 ? "Infinity" : "-Infinity");
}

static json_t *encode_string(const char *text, bool nullable) {
    if (!text)
        return nullable ? json_null() : json_string("");
    json_t *json = json_string(text);
    assert(json);
    return json;
}

static json_t *encode_list(const struct field *f, const struct list *list) {
    if (!list->items && (f->flags & FIELD_NULLABLE))
        return json_null();
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * f->nested->size;
        json_array_append_new(array, field_encode(f->nested, item));
    }
    return array;
}

static json_t *encode_strings(const struct field *f, const struct list *list) {
    if (!list->items && (f->flags & FIELD_NULLABLE))
        return json_null();
    json_t *array = json_array();
    const char *const *items = list->items;
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, encode_string(items[i], true));
    return array;
}

static json_t *encode_time(int64_t at_us) {
    char text[TIME_TEXT_SIZE];
    time_to_string(at_us, text);
    return json_string(text);
}

static json_t *encode_field(const struct field *f, const void *object) {
    const void *from = (const char *)object + f->offset;
    bool nullable = f->flags & FIELD_NULLABLE;
    switch (f->type) {
    case FIELD_TYPE_STRING:
    case FIELD_TYPE_UUID:
        return encode_string(*(const char *const *)from, nullable);
    case FIELD_TYPE_INT:
        return nullable && *(const int64_t *)from == FIELD_NO_INT
                   ? json_null()
                   : json_integer(*(const int64_t *)from);
    case FIELD_TYPE_REAL:
        return encode_real(*(const double *)from, nullable);
    case FIELD_TYPE_BOOL:
        return json_boolean(*(const bool *)from);
    case FIELD_TYPE_TIME:
        return *(const int64_t *)from == 0 ? json_null() : encode_time(*(const int64_t *)from);
    case FIELD_TYPE_ENUM:
        return *(const int *)from == FIELD_NO_ENUM ? json_null()
                                                   : json_string(f->names[*(const int *)from]);
    case FIELD_TYPE_JSON: {
        json_t *value = *(json_t *const *)from;
        return value ? json_incref(value) : json_null();
    }
    case FIELD_TYPE_OBJECT: {
        const void *nested = *(const void *const *)from;
        return nested ? field_encode(f->nested, nested) : json_null();
    }
    case FIELD_TYPE_LIST:
        return encode_list(f, from);
    case FIELD_TYPE_STRINGS:
        return encode_strings(f, from);
    }
    return json_null();
}

json_t *field_encode(const struct shape *shape, const void *object) {
    json_t *json = json_object();
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        json_object_set_new(json, f->name, encode_field(f, object));
    }
    return json;
}
