/* OpenAPI 3.1 from the route tables: what a table does not say is not in the document, and what the
 * document says is what the decoder enforces. */
#include "http/internal.h"

#include <ctype.h>
#include <string.h>

static json_t *ref_to(const struct shape *shape) {
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", shape->name));
}

static json_t *page_of(const struct shape *shape) {
    return json_pack("{s:s, s:[s,s], s:{s:{s:s, s:o}, s:{s:[s,s]}}}", "type", "object", "required",
                     "items", "next_cursor", "properties", "items", "type", "array", "items",
                     ref_to(shape), "next_cursor", "type", "string", "null");
}

static json_t *content(const char *media_type, json_t *schema) {
    return json_pack("{s:{s:o}}", media_type, "schema", schema);
}

static void add_path_parameters(const struct route *route, json_t *parameters) {
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
        size_t length = strcspn(at + 1, "*}");
        json_array_append_new(parameters,
                              json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at + 1, length, "in",
                                        "path", "required", 1, "schema", "type", "string"));
    }
}

static void add_query_parameters(const struct route *route, json_t *parameters) {
    if (!route->query)
        return;
    auto_json *schema = shape_openapi(route->query, SHAPE_BODY);
    json_t *properties = json_object_get(schema, "properties");
    for (size_t i = 0; i < route->query->field_count; i++) {
        const struct field *field = &route->query->fields[i];
        json_array_append_new(parameters,
                              json_pack("{s:s, s:s, s:b, s:O?}", "name", field->name, "in", "query",
                                        "required", (field->flags & FIELD_REQUIRED) != 0, "schema",
                                        json_object_get(properties, field->name)));
    }
}

static json_t *request_body(const struct route *route) {
    if (route->body)
        return json_pack("{s:b, s:o}", "required", 1, "content",
                         content("application/json", ref_to(route->body)));
    if (route->flags & (ROUTE_RAW_BODY | ROUTE_STREAM_BODY))
        return json_pack("{s:o}", "content",
                         content("application/octet-stream",
                                 json_pack("{s:s, s:s}", "type", "string", "format", "binary")));
    return NULL;
}

static json_t *success(const struct route *route) {
    json_t *response = json_pack("{s:s}", "description", route->doc);
    if (!route->reply)
        return response;
    json_t *schema = (route->flags & ROUTE_LIST) ? page_of(route->reply) : ref_to(route->reply);
    const char *type = route->rate == RATE_STREAM ? "text/event-stream" : "application/json";
    json_object_set_new(response, "content", content(type, schema));
    return response;
}

static json_t *responses(const struct route *route) {
    int status = route->status ? route->status : route->reply ? 200 : 204;
    bool v2 = (route->flags & ROUTE_V2) != 0;
    json_t *all = json_object();
    char text[16];
    snprintf(text, sizeof(text), "%d", status);
    json_object_set_new(all, text, success(route));
    json_object_set_new(all, "default",
                        json_pack("{s:s, s:o}", "description", "The request was refused or failed.",
                                  "content",
                                  content(v2 ? "application/json" : "application/problem+json",
                                          json_pack("{s:s}", "$ref",
                                                    v2 ? "#/components/schemas/InferenceError"
                                                       : "#/components/schemas/Problem"))));
    return all;
}

static json_t *security(const struct route *route) {
    if (route->scope == SCOPE_PUBLIC)
        return json_array();
    if (route->scope == SCOPE_SESSION_ONLY)
        return json_pack("[{s:[]}]", "session");
    if (route->scope == SCOPE_WORKER)
        return json_pack("[{s:[]}]", "token");
    return json_pack("[{s:[]}, {s:[]}]", "session", "token");
}

/* "get_api_v1_runs_run": method and path, which are unique together. */
static json_t *operation_id(const struct route *route) {
    char text[256];
    size_t size = (size_t)snprintf(text, sizeof(text), "%s", method_to_string((int)route->method));
    for (const char *p = route->path; *p && size < sizeof(text) - 2; p++) {
        bool word = isalnum((unsigned char)*p) != 0;
        if (word || text[size - 1] != '_')
            text[size++] = word ? *p : '_';
    }
    while (text[size - 1] == '_')
        size--;
    for (size_t i = 0; i < size; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    return json_stringn(text, size);
}

static json_t *operation(const struct route *route) {
    json_t *op = json_pack("{s:o, s:s, s:o, s:o, s:s}", "operationId", operation_id(route),
                           "summary", route->doc, "security", security(route), "responses",
                           responses(route), "x-scope", scope_to_string(route->scope));
    json_t *parameters = json_array();
    add_path_parameters(route, parameters);
    add_query_parameters(route, parameters);
    if (route->flags & ROUTE_IDEMPOTENT)
        json_array_append_new(parameters,
                              json_pack("{s:s, s:s, s:{s:s, s:i}}", "name", "Idempotency-Key", "in",
                                        "header", "schema", "type", "string", "maxLength", 200));
    json_object_set_new(op, "parameters", parameters);
    json_t *body = request_body(route);
    if (body)
        json_object_set_new(op, "requestBody", body);
    return op;
}

/* OpenAPI knows no parameter that takes several segments: "{path*}" is shown as "{path}". */
static const char *shown_path(const char *pattern, char *ret, size_t cap) {
    size_t size = 0;
    for (const char *p = pattern; *p && size < cap - 1; p++)
        if (*p != '*')
            ret[size++] = *p;
    ret[size] = '\0';
    return ret;
}

static void add_route(json_t *paths, const struct route *route) {
    char method[16], text[256];
    const char *shown = shown_path(route->path, text, sizeof(text));
    json_t *path = json_object_get(paths, shown);
    if (!path) {
        path = json_object();
        json_object_set_new(paths, shown, path);
    }
    snprintf(method, sizeof(method), "%s", method_to_string((int)route->method));
    for (char *p = method; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    json_object_set_new(path, method, operation(route));
}

size_t http_shapes(const struct http_registry *r, enum shape_use use, const struct shape **ret,
                   size_t cap) {
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct route *route = r->routes[i];
        const struct shape *shape = use == SHAPE_BODY ? route->body : route->reply;
        if (shape && !(route->flags & (ROUTE_HIDDEN | ROUTE_MLFLOW)))
            shape_collect(shape, ret, &count, cap);
    }
    return count;
}

static json_t *problem_schema(void) {
    return json_pack("{s:s, s:[s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
                     "s:{s:[s,s]}, s:{s:s}, s:{s:s, s:s, s:{s:{s:s}, s:{s:s}}}}}",
                     "type", "object", "required", "status", "code", "detail", "request_id",
                     "properties", "type", "type", "string", "title", "type", "string", "status",
                     "type", "integer", "code", "type", "string", "detail", "type", "string",
                     "field", "type", "string", "null", "request_id", "type", "string", "position",
                     "type", "object", "description", "the bytes at fault in the field's text",
                     "properties", "at", "type", "integer", "length", "type", "integer");
}

/* A shape used both ways is described as a reply: what is true of it always. */
static void add_schemas(const struct http_registry *r, enum shape_use use, json_t *all) {
    const struct shape *shapes[SHAPE_MAX];
    size_t count = http_shapes(r, use, shapes, SHAPE_MAX);
    for (size_t i = 0; i < count; i++)
        json_object_set_new(all, shapes[i]->name, shape_openapi(shapes[i], use));
}

static json_t *schemas(const struct http_registry *r) {
    json_t *all = json_pack("{s:o, s:{s:s, s:[s], s:{s:{s:s}}}}", "Problem", problem_schema(),
                            "InferenceError", "type", "object", "required", "error", "properties",
                            "error", "type", "string");
    add_schemas(r, SHAPE_BODY, all);
    add_schemas(r, SHAPE_REPLY, all);
    return all;
}

json_t *http_openapi(const struct http_registry *r) {
    json_t *paths = json_object();
    for (size_t i = 0; i < r->count; i++)
        if (!(r->routes[i]->flags & (ROUTE_HIDDEN | ROUTE_MLFLOW)))
            add_route(paths, r->routes[i]);
    return json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o, s:{s:{s:s,s:s,s:s}, s:{s:s,s:s}}}}",
                     "openapi", "3.1.0", "info", "title", "Slipway", "version", "1", "paths", paths,
                     "components", "schemas", schemas(r), "securitySchemes", "session", "type",
                     "apiKey", "in", "cookie", "name", "__Host-slipway", "token", "type", "http",
                     "scheme", "bearer");
}
