/* Routes of /session, /me and /tokens; see auth.h. */

#include "auth/auth.h"

#include "auth/auth_private.h"
#include "auth/password.h"
#include "base/clock.h"
#include "http/head.h"
#include "http/page.h"

#include <string.h>

#define COOKIE_RULES "Path=/; Secure; HttpOnly; SameSite=Strict"

/* --- shapes --- */

static const struct field USER_FIELDS[] = {
    FIELD(UUID, struct user, id),
    FIELD(STRING, struct user, email, .max = 254),
    FIELD(STRING, struct user, name, .max = 200),
    FIELD(STRING, struct user, locale, .doc = "en or zh-CN"),
    FIELD(TIME, struct user, created_at),
};
SHAPE(USER, "User", struct user, USER_FIELDS);

static const struct field TEAM_REPLY_FIELDS[] = {
    FIELD(UUID, struct team, id),
    FIELD(STRING, struct team, slug),
    FIELD(STRING, struct team, name),
};
static SHAPE(TEAM_REPLY, "Team", struct team, TEAM_REPLY_FIELDS);

static const struct field TEAM_FIELDS[] = {
    FIELD(UUID, struct team, id),
    FIELD(STRING, struct team, slug),
    FIELD(STRING, struct team, name),
    FIELD(ENUM, struct team, role, .names = ROLE_NAMES),
};
SHAPE(TEAM, "TeamOfUser", struct team, TEAM_FIELDS);

static const struct field SESSION_FIELDS[] = {
    FIELD(OBJECT, struct session, user, .nested = &USER),
    FIELD(OBJECT, struct session, team, .nested = &TEAM_REPLY),
    FIELD(LIST, struct session, teams, .nested = &TEAM_REPLY),
    FIELD(ENUM, struct session, role, .names = ROLE_NAMES),
    FIELD(STRINGS, struct session, scopes, .doc = "what the caller may do, as routes name it"),
    FIELD(TIME, struct session, expires_at, .flags = FIELD_NULLABLE,
          .doc = "when to refresh; null for an API token"),
};
SHAPE(SESSION, "Session", struct session, SESSION_FIELDS);

static const struct field LOGIN_FIELDS[] = {
    FIELD(STRING, struct session_proof, email, .flags = FIELD_REQUIRED, .min = 1, .max = 254),
    FIELD(STRING, struct session_proof, password, .flags = FIELD_REQUIRED | FIELD_SECRET, .min = 1,
          .max = PASSWORD_MAX),
    FIELD(STRING, struct session_proof, code, .flags = FIELD_SECRET, .max = 40,
          .doc = "of the second factor, or a recovery code"),
};
static SHAPE(LOGIN, "Login", struct session_proof, LOGIN_FIELDS);

struct team_body {
    const char *team_id;
};
static const struct field TEAM_CHOICE_FIELDS[] = {
    FIELD(UUID, struct team_body, team_id, .flags = FIELD_REQUIRED),
};
static SHAPE(TEAM_CHOICE, "TeamChoice", struct team_body, TEAM_CHOICE_FIELDS);

struct me_body {
    const char *name, *locale;
};
static const struct field ME_FIELDS[] = {
    FIELD(STRING, struct me_body, name, .min = 1, .max = 200),
    FIELD(STRING, struct me_body, locale, .pattern = "^(en|zh-CN)$"),
};
static SHAPE(ME, "UserUpdate", struct me_body, ME_FIELDS);

struct password_body {
    const char *current, *password;
    bool end_other_sessions;
};
static const struct field PASSWORD_FIELDS[] = {
    FIELD(STRING, struct password_body, current, .flags = FIELD_REQUIRED | FIELD_SECRET, .min = 1,
          .max = PASSWORD_MAX),
    FIELD(STRING, struct password_body, password, .flags = FIELD_REQUIRED | FIELD_SECRET,
          .min = PASSWORD_MIN, .max = PASSWORD_MAX, .doc = "in bytes, taken exactly as typed"),
    FIELD(BOOL, struct password_body, end_other_sessions, .doc = "true by default"),
};
static SHAPE(PASSWORD_CHANGE, "PasswordChange", struct password_body, PASSWORD_FIELDS);

static const struct field API_TOKEN_FIELDS[] = {
    FIELD(UUID, struct api_token, id),
    FIELD(STRING, struct api_token, name),
    FIELD(STRING, struct api_token, prefix, .doc = "how the token begins, to recognise it"),
    FIELD(STRINGS, struct api_token, scopes),
    FIELD(STRINGS, struct api_token, projects, .flags = FIELD_NULLABLE,
          .doc = "the only projects it sees; null = every one"),
    FIELD(STRING, struct api_token, owner, .doc = "name of who it acts as"),
    FIELD(TIME, struct api_token, created_at),
    FIELD(TIME, struct api_token, expires_at, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct api_token, last_used_at, .flags = FIELD_NULLABLE, .doc = "to the minute"),
};
SHAPE(API_TOKEN, "ApiToken", struct api_token, API_TOKEN_FIELDS);

static const struct field API_TOKEN_CREATE_FIELDS[] = {
    FIELD(STRING, struct api_token_create, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRINGS, struct api_token_create, scopes, .flags = FIELD_REQUIRED, .max = SCOPE_NAMES_MAX,
          .doc = "read, ingest, write, admin, metrics"),
    FIELD(STRINGS, struct api_token_create, projects, .max = 100,
          .doc = "slugs of the only projects it sees; absent = every one"),
    FIELD(INT, struct api_token_create, expires_in_days, .min = 1, .max = 3650,
          .doc = "absent = never"),
};
SHAPE(API_TOKEN_CREATE, "ApiTokenCreate", struct api_token_create, API_TOKEN_CREATE_FIELDS);

static const struct field API_TOKEN_CREATED_FIELDS[] = {
    FIELD(STRING, struct api_token_created, token, .flags = FIELD_SECRET, .doc = "shown this once"),
    FIELD(UUID, struct api_token_created, id),
    FIELD(STRING, struct api_token_created, name),
    FIELD(TIME, struct api_token_created, expires_at, .flags = FIELD_NULLABLE),
};
SHAPE(API_TOKEN_CREATED, "ApiTokenCreated", struct api_token_created, API_TOKEN_CREATED_FIELDS);

struct tokens_query {
    struct page_query page;
};
static const struct field TOKENS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct tokens_query)};
static SHAPE(TOKENS_QUERY, "ApiTokenQuery", struct tokens_query, TOKENS_QUERY_FIELDS);

/* --- cookies --- */

void session_set_cookies(struct ctx *cx, struct reply *rp, const struct session_secrets *secrets) {
    reply_header(cx, rp, "Set-Cookie",
                 arena_printf(cx->arena, "__Host-slipway=%s; Max-Age=%lld; " COOKIE_RULES,
                              secrets->access, (long long)cx->app->auth->access_seconds));
    reply_header(cx, rp, "Set-Cookie",
                 arena_printf(cx->arena, "__Host-slipway_refresh=%s; Max-Age=%lld; " COOKIE_RULES,
                              secrets->refresh, (long long)cx->app->auth->session_hours * 3600));
}

static void clear_cookies(struct ctx *cx, struct reply *rp) {
    reply_header(cx, rp, "Set-Cookie", "__Host-slipway=; Max-Age=0; " COOKIE_RULES);
    reply_header(cx, rp, "Set-Cookie", "__Host-slipway_refresh=; Max-Age=0; " COOKIE_RULES);
}

static enum err reply_session(struct ctx *cx, struct reply *rp, int64_t expires_at) {
    struct session *session = arena_new_struct(cx->arena, struct session);
    TRY(session_describe(cx, session));
    session->expires_at = expires_at;
    reply_object(rp, session);
    return OK;
}

enum err session_reply(struct ctx *cx, struct reply *rp, const struct session_secrets *secrets) {
    session_set_cookies(cx, rp, secrets);
    return reply_session(cx, rp, secrets->access_expires_at);
}

/* --- handlers --- */

static enum err post_session(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *user_agent = req_header(rq, "User-Agent");
    struct session_secrets secrets;
    TRY(session_login(cx, rq->body, user_agent ? user_agent : "", &secrets));
    TRY(auth_audit(cx, "session.create", cx->who.name, OK));
    return session_reply(cx, rp, &secrets);
}

/* The cookie's own expiry, which a page needs to refresh in time. */
static int64_t access_expiry(struct ctx *cx, const struct req *rq) {
    char cookie[ACCESS_MAX + 1];
    struct access access;
    bool has = cx->who.kind == PRINCIPAL_USER &&
               http_head_cookie(rq->head, "__Host-slipway", cookie, sizeof(cookie)) &&
               token_verify(atomic_load(&cx->app->auth->keys), cookie, &access);
    return has ? access.expires_at : 0;
}

static enum err get_session(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return reply_session(cx, rp, access_expiry(cx, rq));
}

static enum err post_refresh(struct ctx *cx, const struct req *rq, struct reply *rp) {
    char cookie[128];
    if (!http_head_cookie(rq->head, "__Host-slipway_refresh", cookie, sizeof(cookie)))
        return fail(cx, ERR_UNAUTHENTICATED, "the session has ended, sign in again");
    struct session_secrets secrets;
    TRY(session_refresh(cx, cookie, &secrets));
    return session_reply(cx, rp, &secrets);
}

static enum err post_team(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct team_body *body = rq->body;
    TRY(session_change_team(cx, body->team_id));
    return reply_session(cx, rp, access_expiry(cx, rq));
}

static enum err delete_session(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    TRY(session_end(cx));
    clear_cookies(cx, rp);
    return OK;
}

static enum err patch_me(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct me_body *body = rq->body;
    struct user *user = arena_new_struct(cx->arena, struct user);
    TRY(user_update_self(cx, body->name, body->locale, user));
    reply_object(rp, user);
    return OK;
}

static enum err put_password(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct password_body *body = rq->body;
    bool end_others = body->end_other_sessions || !req_has(rq, "end_other_sessions");
    return user_change_password(cx, body->current, body->password, end_others);
}

static enum err get_tokens(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tokens_query *query = rq->query;
    struct list tokens;
    const struct token_owner self = token_owner_self(cx);
    TRY(api_token_list(cx, &self, &query->page, &tokens));
    reply_page_by_id(cx, rq, rp, &query->page, tokens);
    return OK;
}

static enum err post_token(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct api_token_created *created = arena_new_struct(cx->arena, struct api_token_created);
    const struct token_owner self = token_owner_self(cx);
    TRY(api_token_create(cx, &self, rq->body, created));
    reply_object(rp, created);
    return OK;
}

static enum err delete_token(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct token_owner self = token_owner_self(cx);
    return api_token_delete(cx, &self, req_param(rq, "token"));
}

const struct route AUTH_ROUTES[] = {
    {POST, "/api/v1/session", SCOPE_PUBLIC, .body = &LOGIN, .reply = &SESSION,
     .handle = post_session, .flags = ROUTE_ANONYMOUS, .rate = RATE_LOGIN,
     .doc = "Sign in; the reply sets the session's cookies."},
    {GET, "/api/v1/session", SCOPE_SIGNED_IN, .reply = &SESSION, .handle = get_session,
     .doc = "Who is signed in, in which team, and what they may do."},
    {POST, "/api/v1/session/refresh", SCOPE_PUBLIC, .reply = &SESSION, .handle = post_refresh,
     .flags = ROUTE_ANONYMOUS, .doc = "Exchange the refresh cookie for new cookies."},
    {POST, "/api/v1/session/team", SCOPE_SESSION_ONLY, .body = &TEAM_CHOICE, .reply = &SESSION,
     .handle = post_team, .audit = "session.team", .doc = "Act in another of one's teams."},
    {DELETE, "/api/v1/session", SCOPE_SESSION_ONLY, .handle = delete_session,
     .audit = "session.delete", .doc = "Sign out."},
    {PATCH, "/api/v1/me", SCOPE_SESSION_ONLY, .body = &ME, .reply = &USER, .handle = patch_me,
     .audit = "user.update", .doc = "Change one's name or language."},
    {PUT, "/api/v1/me/password", SCOPE_SESSION_ONLY, .body = &PASSWORD_CHANGE,
     .handle = put_password, .rate = RATE_LOGIN, .audit = "user.password",
     .doc = "Change one's password; every other session of the user ends unless told otherwise."},
    {GET, "/api/v1/tokens", SCOPE_SIGNED_IN, .query = &TOKENS_QUERY, .reply = &API_TOKEN,
     .handle = get_tokens, .flags = ROUTE_LIST, .doc = "One's own API tokens in this team."},
    {POST, "/api/v1/tokens", SCOPE_SESSION_ONLY, .body = &API_TOKEN_CREATE,
     .reply = &API_TOKEN_CREATED, .handle = post_token, .status = 201, .audit = "token.create",
     .doc = "Make an API token; it is shown this once."},
    {DELETE, "/api/v1/tokens/{token}", SCOPE_SESSION_ONLY, .handle = delete_token,
     .audit = "token.delete", .doc = "Revoke one of one's API tokens."},
};
const size_t AUTH_ROUTE_COUNT = ROUTES_COUNT(AUTH_ROUTES);
