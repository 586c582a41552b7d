/* Routes of identity providers and of signing in through them; see sso.h. */

#include "auth/auth.h"
#include "auth/sso.h"
#include "base/log.h"
#include "db/db.h"
#include "http/head.h"
#include "http/page.h"
#include "sql/auth.h"

#include <string.h>

#define COOKIE "__Host-slipway_sso"
/* Lax: the answer comes from the provider's site. */
#define COOKIE_RULES "Path=/; Secure; HttpOnly; SameSite=Lax"

struct providers_query {
    struct page_query page;
};
static const struct field PROVIDERS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct providers_query)};
static SHAPE(PROVIDERS_QUERY, "ProviderQuery", struct providers_query, PROVIDERS_QUERY_FIELDS);

struct provider_body {
    const char *name, *issuer, *client_id, *client_secret, *group_claim;
    struct list group_roles;
    int default_role;
    bool sso_only, enabled;
};
#define PROVIDER_BODY_FIELDS(required)                                                             \
    FIELD(STRING, struct provider_body, name, .flags = (required), .min = 1, .max = 100),          \
        FIELD(STRING, struct provider_body, issuer, .flags = (required), .max = 500,               \
              .pattern = "^https://", .doc = "exactly as the provider spells it"),                 \
        FIELD(STRING, struct provider_body, client_id, .flags = (required), .min = 1, .max = 300), \
        FIELD(STRING, struct provider_body, client_secret, .flags = FIELD_NULLABLE | FIELD_SECRET, \
              .min = 1, .max = 1000, .doc = "null = a public client"),                             \
        FIELD(STRING, struct provider_body, group_claim, .min = 1, .max = 100,                     \
              .doc = "\"groups\" by default"),                                                     \
        FIELD(LIST, struct provider_body, group_roles, .nested = &GROUP_ROLE, .max = 200),         \
        FIELD(ENUM, struct provider_body, default_role, .flags = FIELD_NULLABLE,                   \
              .names = ROLE_NAMES),                                                                \
        FIELD(BOOL, struct provider_body, sso_only),                                               \
        FIELD(BOOL, struct provider_body, enabled, .doc = "true by default")
static const struct field PROVIDER_CREATE_FIELDS[] = {PROVIDER_BODY_FIELDS(FIELD_REQUIRED)};
static SHAPE(PROVIDER_CREATE, "ProviderCreate", struct provider_body, PROVIDER_CREATE_FIELDS);
static const struct field PROVIDER_UPDATE_FIELDS[] = {PROVIDER_BODY_FIELDS(0)};
static SHAPE(PROVIDER_UPDATE, "ProviderUpdate", struct provider_body, PROVIDER_UPDATE_FIELDS);

/* The Host is one of ours: the gate refuses every other. */
static const char *redirect_uri(struct ctx *cx, const struct req *rq) {
    return arena_printf(cx->arena, "https://%s/api/v1/sso/callback", req_header(rq, "Host"));
}

static void reply_provider(struct ctx *cx, const struct req *rq, struct reply *rp,
                           const struct provider *provider) {
    struct provider *shown = arena_memdup(cx->arena, provider, sizeof(*provider));
    shown->redirect_uri = redirect_uri(cx, rq);
    reply_object(rp, shown);
}

/* What the body says over what was there. */
static enum err merge(struct ctx *cx, const struct req *rq, struct provider *p) {
    const struct provider_body *body = rq->body;
    if (body->name)
        p->name = body->name;
    if (body->issuer)
        p->issuer = body->issuer;
    if (body->client_id)
        p->client_id = body->client_id;
    if (body->group_claim)
        p->group_claim = body->group_claim;
    if (req_has(rq, "group_roles"))
        p->group_roles = body->group_roles;
    if (req_has(rq, "default_role"))
        p->default_role = body->default_role;
    if (req_has(rq, "sso_only"))
        p->sso_only = body->sso_only;
    if (req_has(rq, "enabled"))
        p->enabled = body->enabled;
    const struct group_role *map = p->group_roles.items;
    bool nothing = p->default_role == ROLE_NONE;
    for (size_t i = 0; i < p->group_roles.count; i++)
        nothing |= map[i].role == ROLE_NONE;
    return nothing ? fail_field(cx, ERR_INVALID, "default_role", "\"none\" is no role to give")
                   : OK;
}

static enum err get_providers(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct providers_query *query = rq->query;
    struct list providers;
    TRY(provider_list(cx, &query->page, &providers));
    struct provider *items = providers.items;
    for (size_t i = 0; i < providers.count; i++)
        items[i].redirect_uri = redirect_uri(cx, rq);
    reply_page_by_id(cx, rq, rp, &query->page, providers);
    return OK;
}

static enum err get_provider(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct provider provider;
    TRY(provider_get(cx, req_param(rq, "provider"), &provider));
    reply_provider(cx, rq, rp, &provider);
    return OK;
}

static enum err post_provider(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct provider_body *body = rq->body;
    struct provider provider = {
        .group_claim = "groups", .default_role = FIELD_NO_ENUM, .enabled = true};
    TRY(merge(cx, rq, &provider));
    TRY(provider_create(cx, &provider, body->client_secret));
    reply_provider(cx, rq, rp, &provider);
    return OK;
}

static enum err patch_provider(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct provider_body *body = rq->body;
    struct provider provider;
    TRY(provider_get(cx, req_param(rq, "provider"), &provider));
    const char *issuer = provider.issuer;
    TRY(merge(cx, rq, &provider));
    if (req_has(rq, "client_secret"))
        TRY(provider_seal(cx, &provider, body->client_secret));
    TRY(provider_update(cx, &provider, strcmp(issuer, provider.issuer) != 0));
    reply_provider(cx, rq, rp, &provider);
    return OK;
}

static enum err delete_provider(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return provider_delete(cx, req_param(rq, "provider"));
}

static enum err post_test(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct provider_test *test = arena_new_struct(cx->arena, struct provider_test);
    struct provider provider;
    TRY(provider_get(cx, req_param(rq, "provider"), &provider));
    provider.redirect_uri = redirect_uri(cx, rq);
    TRY(provider_test(cx, &provider, test));
    reply_object(rp, test);
    return OK;
}

/* --- the page to sign in --- */

struct choice {
    const char *id, *name;
};
static const struct field CHOICE_FIELDS[] = {
    FIELD(UUID, struct choice, id),
    FIELD(STRING, struct choice, name),
};
static SHAPE(CHOICE, "SignInProvider", struct choice, CHOICE_FIELDS);

struct sign_in {
    struct list providers;
    bool password;
};
static const struct field SIGN_IN_FIELDS[] = {
    FIELD(LIST, struct sign_in, providers, .nested = &CHOICE),
    FIELD(BOOL, struct sign_in, password, .doc = "false = passwords let in owners alone"),
};
static SHAPE(SIGN_IN, "SignIn", struct sign_in, SIGN_IN_FIELDS);

static enum err find_choices(struct ctx *cx, void *arg) {
    struct sign_in *sign_in = arg;
    const char *password;
    TRY(db_many(cx, &SQL_sso_choices, NO_ARGS, &CHOICE, &sign_in->providers));
    TRY(db_value(cx, &SQL_sso_password_counts, NO_ARGS, &password));
    sign_in->password = strcmp(password, "t") == 0;
    return OK;
}

static enum err get_sign_in(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    struct sign_in *sign_in = arena_new_struct(cx->arena, struct sign_in);
    TRY(as_system(cx, find_choices, sign_in));
    reply_object(rp, sign_in);
    return OK;
}

struct start_query {
    const char *return_to;
};
static const struct field START_QUERY_FIELDS[] = {
    FIELD(STRING, struct start_query, return_to, .max = 500, .doc = "path to end at"),
};
static SHAPE(START_QUERY, "SsoStartQuery", struct start_query, START_QUERY_FIELDS);

static enum err get_start(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct start_query *query = rq->query;
    struct sso_start start;
    TRY(sso_start(cx, req_param(rq, "provider"), query->return_to, redirect_uri(cx, rq), &start));
    reply_header(cx, rp, "Set-Cookie",
                 arena_printf(cx->arena, COOKIE "=%s; Max-Age=600; " COOKIE_RULES, start.cookie));
    reply_location(cx, rp, "%s", start.location);
    reply_status(rp, 302);
    return OK;
}

/* Also what providers add of their own, so that it is not refused. */
struct callback_query {
    const char *code, *state, *error, *error_description, *error_uri, *iss, *session_state, *scope,
        *authuser, *hd, *prompt;
};
static const struct field CALLBACK_QUERY_FIELDS[] = {
    FIELD(STRING, struct callback_query, code, .flags = FIELD_SECRET, .max = 4096),
    FIELD(STRING, struct callback_query, state, .flags = FIELD_SECRET, .max = 200),
    FIELD(STRING, struct callback_query, error, .max = 200),
    FIELD(STRING, struct callback_query, error_description),
    FIELD(STRING, struct callback_query, error_uri),
    FIELD(STRING, struct callback_query, iss, .max = 500),
    FIELD(STRING, struct callback_query, session_state),
    FIELD(STRING, struct callback_query, scope),
    FIELD(STRING, struct callback_query, authuser),
    FIELD(STRING, struct callback_query, hd),
    FIELD(STRING, struct callback_query, prompt),
};
static SHAPE(CALLBACK_QUERY, "SsoCallbackQuery", struct callback_query, CALLBACK_QUERY_FIELDS);

/* The browser goes back to the page to sign in with a word about what went wrong; the sentence is
 * in the log, and the audit log knows of it. */
static enum err turn_back(struct ctx *cx, struct reply *rp, enum err err) {
    const char *why = err == ERR_FORBIDDEN         ? "no_access"
                      : err == ERR_UNAUTHENTICATED ? "refused"
                                                   : "failed";
    log_event(LOG_WARNING, "sso.refused", LOG_T("why", cx->err.message),
              LOG_T("detail", cx->err.detail));
    db_rollback(cx);
    TRY(auth_audit(cx, "session.sso", "", err));
    reply_location(cx, rp, "/sign-in?sso=%s", why);
    reply_status(rp, 302);
    return OK;
}

static enum err get_callback(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct callback_query *query = rq->query;
    const char *user_agent = req_header(rq, "User-Agent"), *return_to;
    char cookie[4000];
    bool has = http_head_cookie(rq->head, COOKIE, cookie, sizeof(cookie));
    const struct sso_return back = {query->code,
                                    query->state,
                                    query->error,
                                    query->iss,
                                    has ? cookie : NULL,
                                    redirect_uri(cx, rq),
                                    user_agent ? user_agent : ""};
    struct session_secrets secrets;
    reply_header(cx, rp, "Set-Cookie", COOKIE "=; Max-Age=0; " COOKIE_RULES);
    enum err err = sso_finish(cx, &back, &secrets, &return_to);
    if (err != OK)
        return turn_back(cx, rp, err);
    session_set_cookies(cx, rp, &secrets);
    reply_location(cx, rp, "%s", return_to);
    reply_status(rp, 302);
    return OK;
}

const struct route SSO_ROUTES[] = {
    {GET, "/api/v1/providers", SCOPE_TEAM_OWN, .query = &PROVIDERS_QUERY, .reply = &PROVIDER,
     .handle = get_providers, .flags = ROUTE_LIST, .doc = "The team's identity providers."},
    {POST, "/api/v1/providers", SCOPE_TEAM_OWN, .body = &PROVIDER_CREATE, .reply = &PROVIDER,
     .handle = post_provider, .status = 201, .audit = "provider.create",
     .doc = "Set up single sign-on by OpenID Connect."},
    {GET, "/api/v1/providers/{provider}", SCOPE_TEAM_OWN, .reply = &PROVIDER,
     .handle = get_provider, .doc = "One identity provider."},
    {PATCH, "/api/v1/providers/{provider}", SCOPE_TEAM_OWN, .body = &PROVIDER_UPDATE,
     .reply = &PROVIDER, .handle = patch_provider, .audit = "provider.update",
     .doc = "Change an identity provider; another issuer forgets who was known at the old one."},
    {DELETE, "/api/v1/providers/{provider}", SCOPE_TEAM_OWN, .handle = delete_provider,
     .audit = "provider.delete", .doc = "Remove an identity provider; sessions through it end."},
    {POST, "/api/v1/providers/{provider}/test", SCOPE_TEAM_OWN, .reply = &PROVIDER_TEST,
     .handle = post_test, .rate = RATE_OUTBOUND, .audit = "provider.test",
     .doc = "Try the connection step by step, up to what a person has to do."},
    {GET, "/api/v1/sign-in", SCOPE_PUBLIC, .reply = &SIGN_IN, .handle = get_sign_in,
     .flags = ROUTE_ANONYMOUS, .doc = "What the page to sign in offers."},
    {GET, "/api/v1/sso/{provider}/start", SCOPE_PUBLIC, .query = &START_QUERY, .handle = get_start,
     .flags = ROUTE_ANONYMOUS, .status = 302, .rate = RATE_LOGIN,
     .doc = "Send the browser to an identity provider."},
    {GET, "/api/v1/sso/callback", SCOPE_PUBLIC, .query = &CALLBACK_QUERY, .handle = get_callback,
     .flags = ROUTE_ANONYMOUS, .status = 302, .rate = RATE_LOGIN,
     .doc = "Where the provider sends the browser back to; signs in."},
};
const size_t SSO_ROUTE_COUNT = ROUTES_COUNT(SSO_ROUTES);
