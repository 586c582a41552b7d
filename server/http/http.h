/* HTTP as the domains see it: tables of routes, decoded requests, replies. No sockets, no headers
 * as strings of their own making, no JSON text.
 *
 * A domain ends with  const struct route DATASETS_ROUTES[]  and registers it in app.c. Everything
 * cross-cutting is a column: permission, rate class, limits, audit name, streaming. http_dispatch()
 * runs the named steps (match, limits, authenticate, authorise, rate, decode, handle, commit,
 * encode, metrics, audit, access log) and can be called without a socket: tests do.
 *
 * server.c is the only file that includes civetweb.h; gate.c decides on each request's head before
 * anything else looks at it (its rules and the attacks behind them stand there). */
#pragma once

#include "base/err.h"
#include "base/field.h"
#include "ctx.h"

#include <stdio.h>
#include <sys/types.h>

enum method { GET = 1, POST = 2, PUT = 4, PATCH = 8, DELETE = 16, HEAD = 32, OPTIONS = 64 };

/* What a route demands. Each row: symbol, wire name, least role, token scopes of which one is
 * enough. A route without a scope (0) stops the start. */
#define SCOPE_TABLE(X)                                                                             \
    X(SCOPE_PUBLIC, "public", ROLE_NONE, 0)                                                        \
    X(SCOPE_SIGNED_IN, "signed_in", ROLE_NONE, TOKEN_READ)                                         \
    X(SCOPE_SESSION_ONLY, "session", ROLE_NONE, 0) /* a person in a browser; no token */           \
    X(SCOPE_PROJECT_READ, "project.read", ROLE_VIEWER, TOKEN_READ)                                 \
    X(SCOPE_PROJECT_ADMIN, "project.admin", ROLE_ADMIN, TOKEN_ADMIN)                               \
    X(SCOPE_DATASET_READ, "dataset.read", ROLE_VIEWER, TOKEN_READ)                                 \
    X(SCOPE_DATASET_WRITE, "dataset.write", ROLE_EDITOR, TOKEN_WRITE)                              \
    X(SCOPE_JOB_READ, "job.read", ROLE_VIEWER, TOKEN_READ)                                         \
    X(SCOPE_JOB_WRITE, "job.write", ROLE_EDITOR, TOKEN_WRITE)                                      \
    X(SCOPE_RUN_READ, "run.read", ROLE_VIEWER, TOKEN_READ)                                         \
    X(SCOPE_RUN_WRITE, "run.write", ROLE_EDITOR, TOKEN_WRITE)                                      \
    X(SCOPE_RUN_INGEST, "run.ingest", ROLE_EDITOR, TOKEN_WRITE | TOKEN_INGEST)                     \
    X(SCOPE_MODEL_READ, "model.read", ROLE_VIEWER, TOKEN_READ)                                     \
    X(SCOPE_MODEL_WRITE, "model.write", ROLE_EDITOR, TOKEN_WRITE)                                  \
    X(SCOPE_PREDICT, "predict", ROLE_VIEWER, TOKEN_READ)                                           \
    X(SCOPE_ENDPOINT_WRITE, "endpoint.write", ROLE_EDITOR, TOKEN_WRITE)                            \
    X(SCOPE_LINEAGE_READ, "lineage.read", ROLE_VIEWER, TOKEN_READ)                                 \
    X(SCOPE_WORKER, "worker", ROLE_NONE, 0) /* worker tokens only */                               \
    X(SCOPE_TEAM_READ, "team.read", ROLE_VIEWER, TOKEN_READ)                                       \
    X(SCOPE_TEAM_ADMIN, "team.admin", ROLE_ADMIN, TOKEN_ADMIN)                                     \
    X(SCOPE_TEAM_OWN, "team.own", ROLE_OWNER, TOKEN_ADMIN)                                         \
    X(SCOPE_METRICS, "metrics.read", ROLE_ADMIN, TOKEN_METRICS)

enum scope {
    SCOPE_UNDECLARED,
#define X(symbol, name, role, token) symbol,
    SCOPE_TABLE(X)
#undef X
        SCOPE_COUNT
};

enum rate_class { /* each has its own limit of requests at once; full = 503 with Retry-After */
                  RATE_DEFAULT,
                  RATE_LOGIN,
                  RATE_UPLOAD,
                  RATE_DOWNLOAD,
                  RATE_SEARCH,
                  RATE_STREAM, /* server-sent events */
                  RATE_PREDICT,
                  RATE_WORKER,
                  RATE_POLL,     /* long polls of workers */
                  RATE_OUTBOUND, /* waits for another server */
                  RATE_COUNT
};

enum route_flag {
    ROUTE_LIST = 1,           /* the reply is a page of .reply objects */
    ROUTE_STREAM_BODY = 2,    /* the handler reads the body with req_read(); no JSON decoding */
    ROUTE_RAW_BODY = 4,       /* the body (≤ max_body) is read whole into req->raw, undecoded */
    ROUTE_IDEMPOTENT = 8,     /* honours Idempotency-Key: replays the first reply for 24 h */
    ROUTE_V2 = 16,            /* errors in Open Inference form {"error": …} */
    ROUTE_HIDDEN = 32,        /* not in OpenAPI */
    ROUTE_ANONYMOUS = 64,     /* public, and nobody is even looked up: no database is needed */
    ROUTE_UNCOUNTED = 128,    /* answered when the server is full: health */
    ROUTE_ANY_QUERY = 256,    /* the query is the page's own, not the server's: left alone */
    ROUTE_BEFORE_SETUP = 512, /* answered while the installation has no owner yet */
    /* MLflow's surface (surface.c, message.c): its paths' aliases, its messages (.body, or .query
     * of a GET), its errors, "{}" for an empty reply. Not in OpenAPI. */
    ROUTE_MLFLOW = 1024,
    ROUTE_GZIP_BODY = 2048 /* a raw or streamed body may come gzipped; the handler undoes it */
};

struct req;
struct reply;

struct route {
    unsigned method;  /* one of enum method */
    const char *path; /* "/api/v1/runs/{run}"; a last "{rest*}" takes everything */
    enum scope scope;
    const struct shape *body;  /* JSON object; NULL = no body is accepted (unless raw or stream) */
    const struct shape *query; /* NULL = any query member is refused (ROUTE_V2: ignored) */
    const struct shape
        *reply; /* what is encoded; NULL = the handler sets JSON, a file or nothing */
    enum err (*handle)(struct ctx *cx, const struct req *rq, struct reply *rp);
    unsigned flags; /* enum route_flag */
    int status;     /* of success; 0 = 200, or 204 when there is nothing to send */
    enum rate_class rate;
    size_t max_body;   /* bytes; 0 = 1 MB for JSON */
    const char *audit; /* name of the audit event written when it succeeds; NULL = none */
    const char *doc;   /* one sentence for OpenAPI */
};

#define ROUTES_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The request, decoded. Everything lives as long as cx->arena. */
struct req {
    const struct route *route;
    const void *body;  /* a struct of route->body */
    const void *query; /* a struct of route->query */
    struct field_seen body_seen;
    const char *project; /* the slug of ROUTE_MLFLOW's prefix /p/{slug}; NULL = none */
    const char *raw;     /* ROUTE_RAW_BODY */
    size_t raw_size;
    const char *content_type; /* without parameters, lower case; "" if none */
    int64_t content_length;   /* -1 when chunked or none */
    const struct http_head *head;
    struct http_io *io;
};

const char *req_param(const struct req *rq, const char *name);  /* of the path; never NULL */
const char *req_header(const struct req *rq, const char *name); /* NULL if absent */
bool req_has(const struct req *rq, const char *member);         /* was in the body (even null) */
/* ROUTE_STREAM_BODY: up to cap bytes; 0 = end. A short or slow body is an error: commit nothing. */
MUST_USE enum err req_read(struct ctx *cx, const struct req *rq, void *buffer, size_t cap,
                           size_t *ret_size);

/* For public rows that treat somebody they know differently: fills cx->who like any other row. */
MUST_USE enum err http_authenticate(struct ctx *cx, const struct req *rq);

/* Replies. A handler calls one of these; the dispatcher sends after the commit. */
void reply_object(struct reply *rp, const void *object); /* struct of route->reply */
void reply_page(struct reply *rp, struct list items, const char *next_cursor); /* NULL = last */
void reply_json(struct reply *rp, json_t *json); /* takes the reference */
void reply_bytes(struct reply *rp, const char *media_type, const void *data, size_t size);
void reply_status(struct reply *rp, int status);
void reply_header(struct ctx *cx, struct reply *rp, const char *name, const char *value);
void reply_location(struct ctx *cx, struct reply *rp, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A file from a descriptor (owned by the reply from here on). Answers Range (one range), HEAD,
 * If-None-Match. file_name NULL = inline; otherwise attachment with a safe Content-Disposition.
 * Active types (HTML, SVG, XML) are always attachments under a sandbox policy. */
struct reply_file {
    int fd;
    int64_t size_bytes;
    const char *media_type;
    const char *file_name;
    const char *etag; /* the SHA-256 */
};
void reply_file(struct reply *rp, const struct reply_file *file);

/* A long answer written by a callback after the headers went out (server-sent events). The callback
 * holds no transaction while it waits. write returns false when the client is gone. */
struct reply_stream {
    const char *media_type;
    enum err (*run)(struct ctx *cx, struct http_io *io, void *arg);
    void *arg;
};
void reply_stream(struct reply *rp, const struct reply_stream *stream);
MUST_USE bool http_io_write(struct http_io *io, const void *data, size_t size);
bool http_io_is_open(struct http_io *io); /* false at shutdown too: a stream ends then */

/* Cursor pages: keyset values, sealed so that a client cannot forge them across teams. */
const char *cursor_encode(struct ctx *cx, const char *const *keys, int count);
MUST_USE enum err cursor_decode(struct ctx *cx, const char *cursor, const char **ret_keys,
                                int count);
/* The usual query of a list: struct page_query { cursor, limit } as first member of yours. */
struct page_query {
    const char *cursor; /* NULL = from the start */
    int64_t limit;      /* 1..200; 0 = 50 */
};
#define PAGE_QUERY_FIELDS(owner)                                                                   \
    {.name = "cursor",                                                                             \
     .type = FIELD_TYPE_STRING,                                                                    \
     .offset = offsetof(owner, page.cursor),                                                       \
     .flags = FIELD_NULLABLE,                                                                      \
     .max = 600,                                                                                   \
     .doc = "next_cursor of the page before"},                                                     \
    {                                                                                              \
        .name = "limit", .type = FIELD_TYPE_INT, .offset = offsetof(owner, page.limit), .min = 1,  \
        .max = 200, .doc = "items a page; 50 by default"                                           \
    }
int64_t page_limit(const struct page_query *page);

/* Given by auth/ at start, so that http/ needs to know nothing of passwords and tokens. */
struct http_hooks {
    /* Fills cx->who from cookies or Authorization; nobody is not an error. */
    enum err (*authenticate)(struct ctx *cx, const struct http_head *head);
    /* Refuses what has to wait until the installation is set up; NULL = nothing has to. */
    enum err (*admit)(struct ctx *cx, const struct route *route);
    /* Writes one audit row in the ctx's transaction. refusal = the code of a refused request. */
    enum err (*audit)(struct ctx *cx, const char *action, const char *object, enum err refusal);
    /* The caller's role in the project that an object of a path belongs to: the path's word before
     * its first parameter, and the parameter; or "mlflow" and the slug of the path's prefix, ""
     * for none. Untouched when there is none. Asked only when who.by_project or who.limited. */
    enum err (*project_role)(struct ctx *cx, const char *kind, const char *id, enum role *ret);
    /* Counts a request of the caller's team; ERR_RATE_LIMITED when it has had too many. */
    enum err (*count_request)(struct ctx *cx);
    /* The end of a refusal's sentence: which role it needs, and who can give it. */
    enum err (*advice)(struct ctx *cx, enum role needs, const char **ret);
};

struct http_registry; /* all route tables of the process */
struct http_registry *http_registry_new(const struct http_hooks *hooks);
void http_register(struct http_registry *r, const struct route *routes, size_t count);
/* Checks all tables: every route has a scope, a doc, unique method+path. Names the first fault. */
MUST_USE enum err http_registry_check(const struct http_registry *r, struct err_info *err);
void http_print(const struct http_registry *r, FILE *out); /* one line a route */
json_t *http_openapi(const struct http_registry *r);
void http_typescript(const struct http_registry *r, FILE *out);
