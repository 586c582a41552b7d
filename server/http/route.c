/* The route tables of the process: registration, the checks at start, and finding the row of a
 * request.
 *
 * Matching is exact: no trailing slash, no empty segment, no case folding. Where two patterns fit,
 * the one whose first parameter stands further right wins. The UI's catch-all "/{rest*}" answers
 * only where the path's first segment belongs to no other route: a mistyped API path is a 404, not
 * the front page.
 *
 * The index finds the few rows that can fit a path: each row stands under the hash of what its
 * pattern has before the first parameter, and a path is looked up once for each of its beginnings
 * that end with a segment. Three hundred rows one after another would take 15 us a request. */
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

/* One beginning of a path: the rows under it are numbers[first .. first + count). */
struct slot {
    uint64_t hash; /* 0 = free */
    uint32_t first, count;
};

struct route_index {
    struct slot *slots; /* open addressing; a power of two of them, at most a quarter used */
    size_t mask;
    uint32_t *numbers;
};

#define HASH_START 14695981039346656037u
#define HASH_STEP(hash, c) (((hash) ^ (unsigned char)(c)) * 1099511628211u) /* FNV-1a */

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
    if (r->index) {
        free(r->index->slots);
        free(r->index->numbers);
    }
    free(r->index);
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

/* --- the index --- */

static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < length; i++)
        hash = HASH_STEP(hash, text[i]);
    return hash;
}

static struct slot *slot_at(const struct route_index *index, uint64_t hash) {
    size_t i = (size_t)hash & index->mask;
    while (index->slots[i].hash && index->slots[i].hash != hash)
        i = (i + 1) & index->mask;
    index->slots[i].hash = hash;
    return &index->slots[i];
}

static const struct slot *slot_find(const struct route_index *index, uint64_t hash) {
    size_t i = (size_t)hash & index->mask;
    while (index->slots[i].hash && index->slots[i].hash != hash)
        i = (i + 1) & index->mask;
    return index->slots[i].hash ? &index->slots[i] : NULL;
}

static size_t first_segment(const char *path) {
    return 1 + strcspn(path + 1, "/");
}

/* Whole segments before the first parameter. */
static size_t literal_length(const char *pattern) {
    size_t length = strcspn(pattern, "{");
    return pattern[length] ? length - 1 : length;
}

static struct slot *slot_of_route(const struct route_index *index, const struct route *route) {
    return slot_at(index, hash_of(route->path, literal_length(route->path)));
}

void routes_index(struct http_registry *r) {
    struct route_index *index = calloc(1, sizeof(*index));
    size_t size = 16;
    while (size < r->count * 8)
        size *= 2;
    if (index) {
        index->mask = size - 1;
        index->slots = calloc(size, sizeof(*index->slots));
        index->numbers = calloc(r->count + 1, sizeof(*index->numbers));
    }
    if (!index || !index->slots || !index->numbers)
        abort();
    for (size_t i = 0; i < r->count; i++) {
        slot_of_route(index, r->routes[i])->count++;
        /* So that a first segment is known to be taken, whatever stands behind it. */
        (void)slot_at(index, hash_of(r->routes[i]->path, first_segment(r->routes[i]->path)));
    }
    uint32_t next = 0;
    for (size_t i = 0; i <= index->mask; i++) {
        index->slots[i].first = next;
        next += index->slots[i].count;
        index->slots[i].count = 0;
    }
    for (size_t i = 0; i < r->count; i++) {
        struct slot *slot = slot_of_route(index, r->routes[i]);
        index->numbers[slot->first + slot->count++] = (uint32_t)i;
    }
    r->index = index;
}

/* --- matching --- */

struct match {
    struct {
        const char *name, *value;
        size_t name_length, value_length;
    } params[PARAM_MAX];
    size_t count;
};

/* One parameter takes one non-empty segment, "{rest*}" everything that is left. */
static bool match_param(const char **pattern, const char **path, struct match *m) {
    const char *name = *pattern + 1;
    size_t name_length = strcspn(name, "*}");
    bool rest = name[name_length] == '*';
    size_t length = rest ? strlen(*path) : strcspn(*path, "/");

    if (length == 0 && !rest)
        return false;
    assert(m->count < PARAM_MAX);
    m->params[m->count].name = name;
    m->params[m->count].name_length = name_length;
    m->params[m->count].value = *path;
    m->params[m->count++].value_length = length;
    *path += length;
    *pattern = name + strcspn(name, "}") + 1;
    return true;
}

static bool match_pattern(const char *path, const char *pattern, struct match *m) {
    m->count = 0;
    while (*pattern) {
        if (*pattern == '{') {
            if (!match_param(&pattern, &path, m))
                return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool beats(const struct route *a, const struct route *b) {
    return !b || strcspn(a->path, "{") > strcspn(b->path, "{");
}

/* GET rows also answer HEAD, unless a row of its own does. */
static bool has_method(const struct route *route, int method) {
    return (route->method & (unsigned)method) || (method == HEAD && route->method == GET);
}

static void take_match(struct http_call *call, size_t number, const struct match *m) {
    call->rq.route = call->server->registry->routes[number];
    call->route_number = number;
    call->param_count = m->count;
    for (size_t i = 0; i < m->count; i++)
        call->params[i] = (struct param){
            m->params[i].name, m->params[i].name_length,
            arena_strndup(call->cx->arena, m->params[i].value, m->params[i].value_length)};
}

static void try_route(struct http_call *call, size_t number) {
    const struct route *route = call->server->registry->routes[number];
    const struct route *best = call->rq.route;
    bool own_head = best && best->method == HEAD && call->request.method == HEAD;
    struct match m;

    /* Under a project's prefix there is MLflow's surface and nothing else. */
    if ((call->rq.project && !(route->flags & ROUTE_MLFLOW)) ||
        !match_pattern(call->request.path, route->path, &m))
        return;
    call->allowed |= route->method | (route->method == GET ? HEAD : 0);
    if (has_method(route, call->request.method) && !own_head &&
        (beats(route, best) || route->method == HEAD))
        take_match(call, number, &m);
}

/* The rows under one beginning of the path; false when there can be none. */
static bool try_slot(struct http_call *call, uint64_t hash) {
    const struct route_index *index = call->server->registry->index;
    const struct slot *slot = slot_find(index, hash);
    for (uint32_t i = 0; slot && i < slot->count; i++)
        try_route(call, index->numbers[slot->first + i]);
    return slot != NULL;
}

/* Shorter beginnings first. Only a first segment that no row has leads to the catch-all, which
 * stands under the empty beginning. */
static void try_routes(struct http_call *call) {
    const char *path = call->request.path;
    uint64_t hash = HASH_STEP(HASH_START, path[0]);
    bool claimed = false, first = true;
    for (const char *at = path + 1;; at++) {
        if (*at == '/' || *at == '\0') {
            bool found = try_slot(call, hash);
            claimed |= first && found;
            first = false;
        }
        if (*at == '\0')
            break;
        hash = HASH_STEP(hash, *at);
    }
    if (!claimed)
        (void)try_slot(call, HASH_START);
}

enum err route_match(struct http_call *call) {
    try_routes(call);
    if (call->rq.route) {
        call->mlflow |= (call->rq.route->flags & ROUTE_MLFLOW) != 0;
        return OK;
    }
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
