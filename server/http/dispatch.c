/* One request from its head to its log line: a pipeline of named steps, none of which knows a
 * socket.
 *
 * The order is the argument. The gate and the tables come first because they need nothing but the
 * head. Who is asking is settled before any byte of a body is read, and so is whether they may.
 * The handler, its audit row and the stored copy of an idempotent reply share one transaction; the
 * reply is encoded inside it and sent after the commit, so what a client reads is durable.
 *
 * A failing step ends the walk: the transaction is rolled back, the reply becomes a problem, and
 * the refusal itself is audited in a transaction of its own. */
#include "http/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "http/feed.h"

#include <string.h>
#include <time.h>

#define ALLOW_SIZE 64

static enum err step_match(struct http_call *call) {
    surface_resolve(call);
    TRY(route_match(call));
    call->cx->route = call->rq.route;
    return OK;
}

/* Health answers even when every other slot is taken. */
static enum err step_admit(struct http_call *call) {
    if (call->rq.route->flags & ROUTE_UNCOUNTED)
        return OK;
    call->counted = admission_enter(call->server->admission);
    if (call->counted)
        return OK;
    call->close = true;
    return fail(call->cx, ERR_UNAVAILABLE, "the server is busy");
}

static enum err step_limits(struct http_call *call) {
    return body_check(call);
}

/* An installation without an owner does nothing but health, its page and the set-up. */
static enum err step_set_up(struct http_call *call) {
    const struct http_hooks *hooks = call->server->registry->hooks;
    return hooks->admit ? hooks->admit(call->cx, call->rq.route) : OK;
}

/* Public rows need nobody; those that want to know ask with http_authenticate(). */
static enum err step_authenticate(struct http_call *call) {
    bool is_public = call->rq.route->scope == SCOPE_PUBLIC;
    if (is_public && call->rq.route->flags & ROUTE_ANONYMOUS)
        return OK;
    return http_authenticate(call->cx, &call->rq);
}

enum err http_authenticate(struct ctx *cx, const struct req *rq) {
    const struct http_call *call = call_of(rq);
    if (cx->who.kind != PRINCIPAL_NOBODY)
        return OK;
    TRY(call->server->registry->hooks->authenticate(cx, rq->head));
    /* Looking the caller up ran as nobody: what follows starts a transaction of their team. */
    return db_commit(cx);
}

static enum err require_kind(struct http_call *call) {
    enum principal_kind kind = call->cx->who.kind;
    enum scope scope = call->rq.route->scope;

    if (kind == PRINCIPAL_NOBODY)
        return fail(call->cx, ERR_UNAUTHENTICATED, "sign in first");
    if ((scope == SCOPE_WORKER) != (kind == PRINCIPAL_WORKER))
        return fail(call->cx, ERR_FORBIDDEN, "this is not for callers of this kind");
    if (scope == SCOPE_SESSION_ONLY && kind != PRINCIPAL_USER)
        return fail(call->cx, ERR_FORBIDDEN, "this needs a browser session");
    return OK;
}

/* "projects" of "/api/v1/projects/{project}/runs"; NULL when the path has no parameter. */
static const char *object_kind(struct http_call *call) {
    const char *pattern = call->rq.route->path;
    const char *end = strchr(pattern, '{');
    if (!end || end - pattern < 2)
        return NULL;
    const char *start = end - 1;
    while (start > pattern && start[-1] != '/')
        start--;
    return arena_strndup(call->cx->arena, start, (size_t)(end - 1 - start));
}

/* In the project of the path's object another role than the team's may count; the one place where
 * that is looked at. An object nobody may know of leaves the role as it is: it is not found. */
static enum err take_project_role(struct http_call *call) {
    struct principal *who = &call->cx->who;
    const struct http_hooks *hooks = call->server->registry->hooks;
    if (call->rq.route->scope == SCOPE_PUBLIC || !(who->by_project || who->limited))
        return OK;
    bool mlflow = (call->rq.route->flags & ROUTE_MLFLOW) != 0;
    const char *kind = mlflow ? "mlflow" : object_kind(call);
    const char *id = mlflow ? call->rq.project : call->param_count ? call->params[0].value : NULL;
    enum role role = ROLE_NONE;
    if (kind)
        TRY(hooks->project_role(call->cx, kind, id ? id : "", &role));
    if (role != ROLE_NONE)
        who->role = role;
    else if (who->limited && scope_least_role(call->rq.route->scope) >= ROLE_ADMIN)
        return fail(call->cx, ERR_FORBIDDEN, "this token is for some projects only");
    return OK;
}

static enum err refuse_role(struct http_call *call) {
    const struct http_hooks *hooks = call->server->registry->hooks;
    enum scope scope = call->rq.route->scope;
    const char *advice = "";
    if (hooks->advice)
        TRY(hooks->advice(call->cx, scope_least_role(scope), &advice));
    return fail(call->cx, ERR_FORBIDDEN, "your role does not allow \"%s\"%s%s",
                scope_to_string(scope), *advice ? ": " : "", advice);
}

static enum err step_authorise(struct http_call *call) {
    const struct principal *who = &call->cx->who;
    enum scope scope = call->rq.route->scope;

    if (scope == SCOPE_PUBLIC)
        return OK;
    TRY(require_kind(call));
    if (who->requests_max)
        TRY(call->server->registry->hooks->count_request(call->cx));
    TRY(take_project_role(call));
    if (who->role < scope_least_role(scope))
        return refuse_role(call);
    if (who->kind == PRINCIPAL_TOKEN && !(who->scopes & scope_token(scope)))
        return fail(call->cx, ERR_FORBIDDEN, "this token does not allow \"%s\"",
                    scope_to_string(scope));
    return OK;
}

static enum err step_origin(struct http_call *call) {
    return origin_check(call);
}

static int64_t cost_us(const struct http_call *call) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000 + call->cx->db_us;
}

int64_t call_take_cost(struct http_call *call) {
    int64_t before_us = call->paid_us;
    call->paid_us = cost_us(call);
    return call->paid_us - before_us;
}

/* Requests that mostly wait, and those of no team, are not shared out. */
static bool is_shared(const struct http_call *call) {
    enum rate_class rate = call->rq.route->rate;
    return call->cx->who.team_id[0] && rate != RATE_STREAM && rate != RATE_POLL &&
           rate != RATE_WORKER && rate != RATE_OUTBOUND;
}

static enum err step_share(struct http_call *call) {
    if (!is_shared(call))
        return OK;
    if (fairness_enter(call->server->fairness, call->cx->who.team_id)) {
        memcpy(call->payer, call->cx->who.team_id, sizeof(call->payer));
        call->paid_us = cost_us(call);
        return OK;
    }
    call->close = true;
    return fail(call->cx, ERR_UNAVAILABLE,
                "other teams are asking too, and many requests of yours wait already");
}

static enum err step_rate(struct http_call *call) {
    call->admitted = admission_enter_class(call->server->admission, call->rq.route->rate);
    if (call->admitted)
        return OK;
    call->close = true;
    return fail(call->cx, ERR_UNAVAILABLE, "too many requests of this kind are under way");
}

static enum err step_decode(struct http_call *call) {
    if (call->rq.route->flags & ROUTE_MLFLOW)
        TRY(message_decode(call));
    else
        TRY(query_decode(call));
    return body_decode(call);
}

static enum err step_handle(struct http_call *call) {
    TRY(idempotency_begin(call, &call->replayed));
    if (call->replayed)
        return OK;
    return call->rq.route->handle(call->cx, &call->rq, &call->reply);
}

static enum err step_encode(struct http_call *call) {
    TRY(reply_encode(call));
    return call->replayed ? OK : idempotency_store(call);
}

/* Where the thing is: the Location of what was just made, else the path. */
static const char *object_of(const struct http_call *call) {
    return call->reply.location ? call->reply.location : call->request.path;
}

static enum err step_audit(struct http_call *call) {
    const struct route *route = call->rq.route;
    if (!route->audit || call->replayed)
        return OK;
    return call->server->registry->hooks->audit(call->cx, route->audit, object_of(call), OK);
}

static enum err step_commit(struct http_call *call) {
    TRY(db_commit(call->cx));
    if (call->cx->app->feed && !(call->request.method & (GET | HEAD)))
        feed_wake(call->cx->app->feed);
    return OK;
}

/* After a match there is a route; steps before it must not ask for one. */
static enum err (*const STEPS[])(struct http_call *) = {
    step_match,     step_admit,  step_limits, step_set_up, step_authenticate,
    step_authorise, step_origin, step_share,  step_rate,   step_decode,
    step_handle,    step_encode, step_audit,  step_commit};

/* A refused change is a fact worth a row, unless nobody knows whose it is: strangers must not be
 * able to fill the table, except through the doors that are counted anyway (signing in). */
static bool is_audited_refusal(const struct http_call *call) {
    const struct route *route = call->rq.route;
    if (!route || !call->server->registry->hooks->audit)
        return false;
    if (call->err == ERR_INTERNAL || call->err == ERR_UNAVAILABLE || call->err == ERR_TIMEOUT)
        return false;
    bool known = call->cx->who.kind != PRINCIPAL_NOBODY;
    if (call->err == ERR_FORBIDDEN)
        return known;
    return route->audit && (known || route->rate == RATE_LOGIN);
}

static void audit_refusal(struct http_call *call) {
    const char *action = call->rq.route->audit ? call->rq.route->audit : "request.refused";
    struct err_info kept = call->cx->err;
    enum err err =
        call->server->registry->hooks->audit(call->cx, action, call->request.path, call->err);
    if (err == OK)
        err = db_commit(call->cx);
    if (err != OK) {
        log_event(LOG_ERROR, "audit.failed", LOG_T("action", action),
                  LOG_T("detail", call->cx->err.detail));
        db_rollback(call->cx);
    }
    call->cx->err = kept;
}

static void add_allow(struct http_call *call) {
    char text[ALLOW_SIZE] = "OPTIONS";
    for (int bit = 0; bit < 6; bit++)
        if (call->allowed & 1u << bit) {
            strcat(text, ", ");
            strcat(text, method_to_string(1 << bit));
        }
    reply_header(call->cx, &call->reply, "Allow", text);
}

/* Unread bytes of a body would be taken for the next request, or drained at the sender's pace. */
static bool leaves_body(const struct http_call *call) {
    return call->request.content_length != 0 && !call->body_ended;
}

static void refuse(struct http_call *call) {
    bool wrong_method = call->rq.route == NULL && call->allowed;
    db_rollback(call->cx);
    if (is_audited_refusal(call))
        audit_refusal(call);
    int status = call->mlflow ? surface_status(&call->cx->err) : err_to_status(call->err);
    reply_problem(call, wrong_method ? 405 : status);
    if (wrong_method)
        add_allow(call);
}

/* OPTIONS is answered from the tables: what the path has, and no leave for other origins. */
static bool answer_options(struct http_call *call) {
    if (call->request.method != OPTIONS || call->rq.route || !call->allowed)
        return false;
    call->err = OK;
    call->reply.status = 204;
    add_allow(call);
    return true;
}

static void run_steps(struct http_call *call) {
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && call->err == OK; i++)
        call->err = STEPS[i](call);
    if (call->err != OK && !answer_options(call))
        refuse(call);
    call->close |= leaves_body(call);
}

static const char *principal_text(const struct ctx *cx) {
    static const char *const KINDS[] = {"-", "user", "token", "worker", "system"};
    return arena_printf(cx->arena, "%s:%s", KINDS[cx->who.kind],
                        cx->who.user_id[0] ? cx->who.user_id : cx->who.session_id);
}

/* Never the query, a body, a cookie or a token; the path only as the route's pattern. */
static void log_access(const struct http_call *call, int64_t duration_us) {
    const struct ctx *cx = call->cx;
    log_event(LOG_INFO, "http.request", LOG_T("method", method_to_string(call->request.method)),
              LOG_T("route", call->rq.route ? call->rq.route->path : "-"),
              LOG_N("status", call->sent_status), LOG_N("duration_us", duration_us),
              LOG_N("bytes_in", call->body_received), LOG_N("bytes_out", call->sent_bytes),
              LOG_T("remote", cx->remote));
}

/* The reason of a failure that the client was told nothing about. */
static void log_failure(const struct http_call *call) {
    const struct err_info *err = &call->cx->err;
    if (err_to_status(call->err) < 500)
        return;
    log_event(LOG_ERROR, "http.failed", LOG_T("route", call->rq.route ? call->rq.route->path : "-"),
              LOG_T("code", err_to_string(call->err)), LOG_T("message", err->message),
              LOG_T("detail", err->detail));
}

static void finish(struct http_call *call) {
    struct http_server *server = call->server;
    int64_t duration_us = clock_mono_us() - call->started_us;

    if (call->big)
        admission_leave_big(server->admission);
    if (call->payer[0])
        fairness_leave(server->fairness, call->payer, call_take_cost(call));
    if (call->admitted)
        admission_leave_class(server->admission, call->rq.route->rate);
    if (call->counted)
        admission_leave(server->admission);
    metrics_count(server->metrics, call->route_number, call->sent_status, duration_us);
    /* A stream's looks, with contexts of their own, may have changed it. */
    log_context(call->cx->request_id, principal_text(call->cx));
    if (call->err != OK)
        log_failure(call);
    log_access(call, duration_us);
    reply_reset(&call->reply);
    db_rollback(call->cx);
}

static struct http_call call_new(struct ctx *cx, const struct http_head *head, struct http_io *io) {
    return (struct http_call){.rq = {.head = head, .io = io, .content_type = ""},
                              .cx = cx,
                              .server = cx->app->http,
                              .io = io,
                              .route_number = cx->app->http->registry->count,
                              .started_us = clock_mono_us()};
}

static void refuse_head(struct http_call *call, int status, const char *reason) {
    call->err = fail(call->cx, ERR_INVALID, "%s", reason);
    call->close = true;
    reply_problem(call, status);
}

void http_dispatch(struct ctx *cx, const struct http_head *head, struct http_io *io) {
    struct http_call call = call_new(cx, head, io);
    const struct gate_rules rules = {.hosts = call.server->options->hosts};
    struct gate_verdict verdict = gate_check(&rules, head, &call.request);

    snprintf(cx->remote, sizeof(cx->remote), "%s", head->remote ? head->remote : "");
    call.close = verdict.close || io->closing;
    call.mlflow = surface_is_mlflow(head->target);
    if (verdict.status)
        refuse_head(&call, verdict.status, verdict.reason);
    else
        run_steps(&call);
    reply_send(&call);
    finish(&call);
}

void http_dispatch_broken(struct ctx *cx, int status, struct http_io *io) {
    static const struct http_head NONE = {"-", "/", NULL, "1.1", NULL, 0, ""};
    struct http_call call = call_new(cx, &NONE, io);
    refuse_head(&call, status, "this is not a request that can be understood");
    reply_send(&call);
    finish(&call);
}
