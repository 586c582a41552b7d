/* The route tables of the process: registration, the checks at start, and finding the row of a
 * request.
 *
 * Matching is exact: no trailing slash, no empty segment, no case folding. Where two patterns fit,
 * the one whose first parameter stands further right wins. The UI's catch-all "/{rest*}" answers
 * only where the path's first segment belongs to no other route: a mistyped API path is a 404, not
 * the front page. */
#include "http/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum role role;
    unsigned token;
} SCOPES[SCOPE_COUNT] = {
#define X(symbol, name, role, token) [symbol] = {name, role, token},
    SCOPE_TABLE(X)
#undef X
};

const char *scope_to_string(enum scope scope) {
    return SCOPES[scope].name;
}

enum role scope_least_role(enum scope scope) {
    return SCOPES[scope].role;
}

unsigned scope_token(enum scope scope) {
    return SCOPES[scope].token;
}

const char *method_to_string(int method) {
    static const char *const NAMES[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        if (method == 1 << i)
            return NAMES[i];
    return "-";
}

struct http_registry *http_registry_new(const struct http_hooks *hooks) {
    struct http_registry *r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    r->hooks = hooks;
    return r;
}

void http_registry_free(struct http_registry *r) {
    if (!r)
        return;
    free(r->routes);
    free(r);
}

void http_register(struct http_registry *r, const struct route *routes, size_t count) {
    const struct route **grown = realloc(r->routes, (r->count + count) * sizeof(*grown));
    if (!grown)
        abort();
    r->routes = grown;
    for (size_t i = 0; i < count; i++)
        r->routes[r->count++] = &routes[i];
}

static const char *route_fault(const struct route *route) {
    if (route->scope <= SCOPE_UNDECLARED || route->scope >= SCOPE_COUNT)
        return "declares no scope";
    if (!route->doc || !*route->doc)
        return "has no doc";
    if (!route->handle)
        return "has no handler";
    if (!route->path || route->path[0] != '/')
        return "has no path";
    if (strcmp(method_to_string((int)route->method), "-") == 0)
        return "does not have exactly one method";
    if (route->body && (route->flags & (ROUTE_STREAM_BODY | ROUTE_RAW_BODY)))
        return "decodes a body that it also reads raw";
    if ((route->flags & ROUTE_RAW_BODY) && route->max_body == 0)
        return "reads a raw body without a limit";
    if ((route->body || (route->flags & ROUTE_RAW_BODY)) && (route->method & (GET | HEAD)))
        return "expects a body that the gate refuses";
    return NULL;
}

/* Patterns that differ only in the names of their parameters take the same requests. */
static bool same_pattern(const char *a, const char *b) {
    while (*a && *a == *b) {
        if (*a == '{') {
            a += strcspn(a, "}");
            b += strcspn(b, "}");
        }
        a++, b++;
    }
    return *a == *b;
}

enum err http_registry_check(const struct http_registry *r, struct err_info *err) {
    for (size_t i = 0; i < r->count; i++) {
        const struct route *route = r->routes[i];
        const char *fault = route_fault(route);
        for (size_t k = 0; k < i && !fault; k++)
            if (r->routes[k]->method == route->method &&
                same_pattern(r->routes[k]->path, route->path))
                fault = "stands in the tables twice";
        if (fault)
            return err_set(err, ERR_INTERNAL, NULL, "route %s %s %s",
                           method_to_string((int)route->method),
                           route->path ? route->path : "(none)", fault);
    }
    return OK;
}

void http_print(const struct http_registry *r, FILE *out) {
    for (size_t i = 0; i < r->count; i++)
        fprintf(out, "%-7s %-60s %-16s %s\n", method_to_string((int)r->routes[i]->method),
                r->routes[i]->path, scope_to_string(r->routes[i]->scope), r->routes[i]->doc);
}

size_t route_index(const struct http_registry *r, const struct route *route) {
    for (size_t i = 0; i < r->count; i++)
        if (r->routes[i] == route)
            return i;
    return r->count;
}

struct match {
    struct param params[PARAM_MAX];
    size_t count;
};

static bool is_catch_all(const char *pattern) {
    return strcmp(pattern, "/{rest*}") == 0;
}

/* One parameter takes one non-empty segment, "{rest*}" everything that is left. */
static bool match_param(struct http_call *call, const char **pattern, const char **path,
                        struct match *m) {
    const char *name = *pattern + 1;
    size_t name_length = strcspn(name, "*}");
    bool rest = name[name_length] == '*';
    size_t length = rest ? strlen(*path) : strcspn(*path, "/");

    if (length == 0 && !rest)
        return false;
    assert(m->count < PARAM_MAX);
    m->params[m->count++] =
        (struct param){name, name_length, arena_strndup(call->cx->arena, *path, length)};
    *path += length;
    *pattern = name + strcspn(name, "}") + 1;
    return true;
}

static bool match_pattern(struct http_call *call, const char *pattern, struct match *m) {
    const char *path = call->request.path;
    m->count = 0;
    while (*pattern) {
        if (*pattern == '{') {
            if (!match_param(call, &pattern, &path, m))
                return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static size_t first_segment(const char *path) {
    return 1 + strcspn(path + 1, "/");
}

static bool is_claimed(const struct http_registry *r, const char *path) {
    size_t length = first_segment(path);
    for (size_t i = 0; i < r->count; i++) {
        const char *pattern = r->routes[i]->path;
        if (first_segment(pattern) == length && strncmp(pattern, path, length) == 0)
            return true;
    }
    return false;
}

static bool beats(const struct route *a, const struct route *b) {
    return !b || strcspn(a->path, "{") > strcspn(b->path, "{");
}

/* GET rows also answer HEAD, unless a row of its own does. */
static bool has_method(const struct route *route, int method) {
    return (route->method & (unsigned)method) || (method == HEAD && route->method == GET);
}

enum err route_match(struct http_call *call) {
    const struct http_registry *r = call->server->registry;
    const struct route *best = NULL;
    struct match m;

    for (size_t i = 0; i < r->count; i++) {
        const struct route *route = r->routes[i];
        if (!match_pattern(call, route->path, &m))
            continue;
        if (is_catch_all(route->path) && is_claimed(r, call->request.path))
            continue;
        call->allowed |= route->method | (route->method == GET ? HEAD : 0);
        if (!has_method(route, call->request.method))
            continue;
        bool own_head = best && best->method == HEAD && call->request.method == HEAD;
        if (!own_head && (beats(route, best) || route->method == HEAD)) {
            best = route;
            memcpy(call->params, m.params, sizeof(m.params));
            call->param_count = m.count;
        }
    }
    call->rq.route = best;
    if (best)
        return OK;
    if (call->allowed)
        return fail(call->cx, ERR_INVALID, "this path does not have the method %s",
                    method_to_string(call->request.method));
    return fail(call->cx, ERR_NOT_FOUND, "there is nothing at this path");
}

const char *req_param(const struct req *rq, const char *name) {
    const struct http_call *call = call_of(rq);
    for (size_t i = 0; i < call->param_count; i++)
        if (strlen(name) == call->params[i].name_length &&
            strncmp(call->params[i].name, name, call->params[i].name_length) == 0)
            return call->params[i].value;
    assert(false && "the route has no such parameter");
    return "";
}

const char *req_header(const struct req *rq, const char *name) {
    return http_head_get(rq->head, name);
}

bool req_has(const struct req *rq, const char *member) {
    const struct shape *shape = rq->route->body;
    const struct field *field = shape ? field_find(shape, member) : NULL;
    assert(field);
    return field && (rq->body_seen.given >> (size_t)(field - shape->fields) & 1);
}
