/* Shapes as JSON Schema (the dialect of OpenAPI 3.1); see field.h. Nested shapes are references, so
 * the caller prints every shape of shape_collect() under components/schemas. */

#include "base/field.h"

static json_t *type_of(const char *type) {
    return json_pack("{s:s}", "type", type);
}

static json_t *formatted(const char *format) {
    return json_pack("{s:s, s:s}", "type", "string", "format", format);
}

static json_t *reference_to(const struct shape *shape) {
    json_t *text = json_sprintf("#/components/schemas/%s", shape->name);
    return json_pack("{s:o}", "$ref", text);
}

static void put_limits(json_t *schema, const struct field *f, const char *min, const char *max) {
    if (f->min)
        json_object_set_new(schema, min, json_integer(f->min));
    json_object_set_new(schema, max, json_integer(f->max ? f->max : FIELD_DEFAULT_MAX));
}

static json_t *string_schema(const struct field *f, enum shape_use use) {
    json_t *schema = type_of("string");
    if (use == SHAPE_REPLY)
        return schema;
    put_limits(schema, f, "minLength", "maxLength");
    if (f->pattern)
        json_object_set_new(schema, "pattern", json_string(f->pattern));
    return schema;
}

static json_t *number_schema(const struct field *f, const char *type, enum shape_use use) {
    json_t *schema = type_of(type);
    if (use == SHAPE_BODY && (f->min || f->max))
        json_object_set_new(schema, "minimum", json_integer(f->min));
    if (use == SHAPE_BODY && f->max)
        json_object_set_new(schema, "maximum", json_integer(f->max));
    return schema;
}

static json_t *real_schema(const struct field *f, enum shape_use use) {
    json_t *words =
        json_pack("{s:s, s:[s, s, s]}", "type", "string", "enum", "NaN", "Infinity", "-Infinity");
    return json_pack("{s:[o, o]}", "anyOf", number_schema(f, "number", use), words);
}

static json_t *enum_schema(const struct field *f) {
    json_t *names = json_array();
    for (int i = 0; f->names[i]; i++)
        json_array_append_new(names, json_string(f->names[i]));
    return json_pack("{s:s, s:o}", "type", "string", "enum", names);
}

static json_t *array_schema(const struct field *f, json_t *items, enum shape_use use) {
    json_t *schema = json_pack("{s:s, s:o}", "type", "array", "items", items);
    if (use == SHAPE_BODY)
        put_limits(schema, f, "minItems", "maxItems");
    return schema;
}

static json_t *value_schema(const struct field *f, enum shape_use use) {
    switch (f->type) {
    case FIELD_TYPE_STRING:
        return string_schema(f, use);
    case FIELD_TYPE_UUID:
        return formatted("uuid");
    case FIELD_TYPE_INT:
        return number_schema(f, "integer", use);
    case FIELD_TYPE_REAL:
        return real_schema(f, use);
    case FIELD_TYPE_BOOL:
        return type_of("boolean");
    case FIELD_TYPE_TIME:
        return formatted("date-time");
    case FIELD_TYPE_ENUM:
        return enum_schema(f);
    case FIELD_TYPE_JSON:
        return json_object();
    case FIELD_TYPE_OBJECT:
        return reference_to(f->nested);
    case FIELD_TYPE_LIST:
        return array_schema(f, reference_to(f->nested), use);
    case FIELD_TYPE_STRINGS:
        return array_schema(f, type_of("string"), use);
    }
    return json_object();
}

static json_t *field_schema(const struct field *f, enum shape_use use) {
    json_t *schema = value_schema(f, use);
    if ((f->flags & FIELD_NULLABLE) && f->type != FIELD_TYPE_JSON)
        schema = json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
    if (f->doc)
        json_object_set_new(schema, "description", json_string(f->doc));
    if (f->flags & FIELD_SECRET)
        json_object_set_new(schema, "writeOnly", json_true());
    return schema;
}

json_t *shape_openapi(const struct shape *shape, enum shape_use use) {
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        json_object_set_new(properties, f->name, field_schema(f, use));
        if (use == SHAPE_REPLY || (f->flags & FIELD_REQUIRED))
            json_array_append_new(required, json_string(f->name));
    }
    json_t *schema = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                               "additionalProperties", 0);
    if (json_array_size(required) > 0)
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

void shape_collect(const struct shape *shape, const struct shape **set, size_t *count, size_t cap) {
    for (size_t i = 0; i < *count; i++)
        if (set[i] == shape)
            return;
    for (size_t i = 0; i < shape->field_count; i++)
        if (shape->fields[i].nested)
            shape_collect(shape->fields[i].nested, set, count, cap);
    if (*count < cap)
        set[(*count)++] = shape;
}
