/* What a function above base/ knows about the work it is part of.
 *
 * Every request, worker call, CLI command and test makes one `struct ctx`, passes it first to each
 * function, and destroys it at the end. It belongs to one thread. `struct app` is what lives as
 * long as the process; its parts are opaque here, so that each layer reaches only its own. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_EDITOR, ROLE_ADMIN, ROLE_OWNER };

enum principal_kind {
    PRINCIPAL_NOBODY, /* not signed in */
    PRINCIPAL_USER,   /* a browser session */
    PRINCIPAL_TOKEN,  /* an API token; bounded by its user's role and by its scopes */
    PRINCIPAL_WORKER, /* slipway-worker; acts for the team of the job it holds */
    PRINCIPAL_SYSTEM  /* slipwayd itself: reaper, command line, migrations */
};

enum token_scope {
    TOKEN_READ = 1,
    TOKEN_WRITE = 2,
    TOKEN_ADMIN = 4,
    TOKEN_METRICS = 8,
    TOKEN_INGEST = 16 /* what training scripts report, nothing else */
};

#define ID_SIZE 37 /* a UUID as text, with its NUL */

/* On whose behalf the work is done. Text members are empty when they do not apply. */
struct principal {
    enum principal_kind kind;
    enum role role;       /* in team_id; while a route of a project is answered, in that project */
    unsigned scopes;      /* enum token_scope; all bits for a session */
    bool by_project;      /* the team has roles in projects, and they count for this user */
    bool limited;         /* a token for some projects only */
    int64_t requests_max; /* of the team in a minute; 0 = no limit */
    char user_id[ID_SIZE];
    char team_id[ID_SIZE];    /* the team acted in; row-level security is bound to it */
    char session_id[ID_SIZE]; /* session, API token or worker token: what to revoke */
    char name[128];           /* e-mail, token or worker name, for logs and audit */
};

struct route;
struct config;
struct db_pool;
struct db_conn;
struct http_server;
struct auth;
struct blobs;
struct jobs;
struct feed;
struct ingest;
struct webhooks;
struct serving;
struct mlflow;

/* Process lifetime; filled by app.c at start, read-only afterwards. */
struct app {
    const struct config *config;
    struct db_pool *db;
    struct http_server *http;
    struct auth *auth;
    struct blobs *blobs;
    struct jobs *jobs;
    struct feed *feed;
    struct ingest *ingest;
    struct webhooks *webhooks;
    struct serving *serving;
    struct mlflow *mlflow;
};

struct ctx {
    struct app *app;
    struct arena *arena;  /* request memory */
    struct db_conn *conn; /* db/'s hold on a connection; NULL until the first statement */
    struct principal who;
    struct err_info err;       /* the last failure */
    int64_t deadline_us;       /* monotonic clock; 0 = none */
    int64_t db_us;             /* PostgreSQL worked for it; waits for a commit's disk apart */
    const struct route *route; /* what http/ is answering; NULL outside requests */
    char request_id[ID_SIZE];
    char remote[64]; /* peer address as text */
};

void ctx_init(struct ctx *cx, struct app *app); /* new arena, new request id, nobody */
void ctx_done(struct ctx *cx); /* rolls an open transaction back, frees the arena */

/* Records the failure and returns its code: return fail(cx, ERR_NOT_FOUND, "run \"%s\" …", id); */
enum err fail(struct ctx *cx, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, naming the request member at fault. */
enum err fail_field(struct ctx *cx, enum err code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds log-only detail (errno text, SQLSTATE, a path) to the failure just recorded. */
void fail_detail(struct ctx *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));
