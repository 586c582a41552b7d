/* See service_accounts.h. To the rest of the server an account is a user and a member, so that
 * roles, tokens, uploads and the audit log need not know of it; only the lists of people leave it
 * out. Nobody gives one more than they have themselves, and none is an owner. */
#include "auth/service_accounts.h"

#include "auth/access.h"
#include "auth/auth_private.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/auth.h"

struct service_account {
    const char *id, *name;
    int role;  /* enum role */
    int state; /* enum member_state */
    int64_t tokens, created_at;
    const char *created_by;
};

static const struct field SERVICE_FIELDS[] = {
    FIELD(UUID, struct service_account, id),
    FIELD(STRING, struct service_account, name),
    FIELD(ENUM, struct service_account, role, .names = ROLE_NAMES),
    FIELD(ENUM, struct service_account, state, .names = MEMBER_STATE_NAMES),
    FIELD(INT, struct service_account, tokens),
    FIELD(TIME, struct service_account, created_at),
    FIELD(STRING, struct service_account, created_by),
};
static SHAPE(SERVICE, "ServiceAccount", struct service_account, SERVICE_FIELDS);

const struct db_constraint SERVICE_CONSTRAINTS[] = {
    {"service_accounts_name_unique", ERR_CONFLICT, "name",
     "a service account with this name already exists"},
};
const size_t SERVICE_CONSTRAINT_COUNT = 1;

struct service_body {
    const char *name;
    int role, state;
};
static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct service_body, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(ENUM, struct service_body, role, .flags = FIELD_REQUIRED, .names = ROLE_NAMES),
};
static SHAPE(SERVICE_CREATE, "ServiceAccountCreate", struct service_body, CREATE_FIELDS);

static const struct field UPDATE_FIELDS[] = {
    FIELD(STRING, struct service_body, name, .flags = FIELD_NULLABLE, .min = 1, .max = 200),
    FIELD(ENUM, struct service_body, role, .flags = FIELD_NULLABLE, .names = ROLE_NAMES),
    FIELD(ENUM, struct service_body, state, .flags = FIELD_NULLABLE, .names = MEMBER_STATE_NAMES),
};
static SHAPE(SERVICE_UPDATE, "ServiceAccountUpdate", struct service_body, UPDATE_FIELDS);

struct service_query {
    struct page_query page;
};
static const struct field QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct service_query)};
static SHAPE(SERVICE_QUERY, "ServiceAccountQuery", struct service_query, QUERY_FIELDS);

/* --- rules --- */

static enum err require_role(struct ctx *cx, int role) {
    if (role == ROLE_NONE || role == ROLE_OWNER)
        return fail_field(cx, ERR_INVALID, "role", "a service account is viewer, editor or admin");
    if (role > (int)cx->who.role)
        return fail_field(cx, ERR_FORBIDDEN, "role", "you cannot give a role above your own");
    return OK;
}

static enum err service_require(struct ctx *cx, const char *id, struct service_account *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_service_get, ARGS(cx->who.team_id, id), &SERVICE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "there is no such service account");
}

/* cx->who is the system meanwhile. */
struct work {
    struct principal who;
    const char *id;
    const struct service_body *body;
};

static enum err create(struct ctx *cx, void *arg) {
    const struct work *w = arg;
    const char *team_id = w->who.team_id;
    TRY(db_exec(cx, &SQL_service_create_user, ARGS(w->id, w->body->name), NULL));
    TRY(db_exec(cx, &SQL_member_create, ARGS(team_id, w->id, ROLE_NAMES[w->body->role]), NULL));
    return db_exec(cx, &SQL_service_create, ARGS(team_id, w->id, w->body->name, w->who.name), NULL);
}

static const char *name_of(const char *const *names, int value) {
    return value == FIELD_NO_ENUM ? NULL : names[value];
}

static enum err update(struct ctx *cx, void *arg) {
    const struct work *w = arg;
    const char *team_id = w->who.team_id;
    if (w->body->name) {
        TRY(db_exec(cx, &SQL_service_rename, ARGS(team_id, w->id, w->body->name), NULL));
        TRY(db_exec(cx, &SQL_service_rename_user, ARGS(team_id, w->id, w->body->name), NULL));
    }
    return db_exec(cx, &SQL_service_set,
                   ARGS(team_id, w->id, name_of(ROLE_NAMES, w->body->role),
                        name_of(MEMBER_STATE_NAMES, w->body->state)),
                   NULL);
}

static enum err delete (struct ctx *cx, void *arg) {
    const struct work *w = arg;
    return db_exec(cx, &SQL_service_delete, ARGS(w->who.team_id, w->id), NULL);
}

/* --- handlers --- */

static enum err get_accounts(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct service_query *query = rq->query;
    const char *after;
    struct list items;
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_service_list, ARGS(cx->who.team_id, after, page_rows(cx, &query->page)),
                &SERVICE, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_account(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct service_account *account = arena_new_struct(cx->arena, struct service_account);
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    struct work w = {cx->who, id, rq->body};
    TRY(require_role(cx, w.body->role));
    TRY(as_system(cx, create, &w));
    TRY(service_require(cx, id, account));
    reply_location(cx, rp, "/api/v1/service-accounts/%s", id);
    reply_object(rp, account);
    return OK;
}

static enum err patch_account(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct service_account *account = arena_new_struct(cx->arena, struct service_account);
    struct work w = {cx->who, req_param(rq, "account"), rq->body};
    TRY(service_require(cx, w.id, account));
    TRY(require_role(cx, account->role));
    if (w.body->role != FIELD_NO_ENUM)
        TRY(require_role(cx, w.body->role));
    TRY(as_system(cx, update, &w));
    principals_forget(cx->app->auth->principals, w.id);
    TRY(service_require(cx, w.id, account));
    reply_object(rp, account);
    return OK;
}

static enum err delete_account(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    struct service_account account;
    struct work w = {.who = cx->who, .id = req_param(rq, "account")};
    TRY(service_require(cx, w.id, &account));
    TRY(as_system(cx, delete, &w));
    principals_forget(cx->app->auth->principals, w.id);
    return OK;
}

static enum err find_owner(struct ctx *cx, const struct req *rq, struct token_owner *ret) {
    struct service_account account;
    TRY(service_require(cx, req_param(rq, "account"), &account));
    *ret =
        (struct token_owner){cx->who.team_id, account.id, (enum role)account.role, cx->who.scopes};
    return OK;
}

static enum err get_account_tokens(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct service_query *query = rq->query;
    struct token_owner owner;
    struct list tokens;
    TRY(find_owner(cx, rq, &owner));
    TRY(api_token_list(cx, &owner, &query->page, &tokens));
    reply_page_by_id(cx, rq, rp, &query->page, tokens);
    return OK;
}

static enum err post_account_token(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct api_token_created *created = arena_new_struct(cx->arena, struct api_token_created);
    struct token_owner owner;
    TRY(find_owner(cx, rq, &owner));
    TRY(api_token_create(cx, &owner, rq->body, created));
    reply_object(rp, created);
    return OK;
}

static enum err delete_account_token(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    struct token_owner owner;
    TRY(find_owner(cx, rq, &owner));
    return api_token_delete(cx, &owner, req_param(rq, "token"));
}

#define ACCOUNTS "/api/v1/service-accounts"
#define ACCOUNT ACCOUNTS "/{account}"

const struct route SERVICE_ROUTES[] = {
    {GET, ACCOUNTS, SCOPE_TEAM_ADMIN, .query = &SERVICE_QUERY, .reply = &SERVICE,
     .handle = get_accounts, .flags = ROUTE_LIST, .doc = "The team's service accounts."},
    {POST, ACCOUNTS, SCOPE_TEAM_ADMIN, .body = &SERVICE_CREATE, .reply = &SERVICE,
     .handle = post_account, .status = 201, .audit = "service.create",
     .doc = "Make a service account, with a role up to one's own."},
    {PATCH, ACCOUNT, SCOPE_TEAM_ADMIN, .body = &SERVICE_UPDATE, .reply = &SERVICE,
     .handle = patch_account, .audit = "service.update",
     .doc = "Rename a service account, change its role, or deactivate it with all its tokens."},
    {DELETE, ACCOUNT, SCOPE_TEAM_ADMIN, .handle = delete_account, .audit = "service.delete",
     .doc = "Delete a service account and its tokens."},
    {GET, ACCOUNT "/tokens", SCOPE_TEAM_ADMIN, .query = &SERVICE_QUERY, .reply = &API_TOKEN,
     .handle = get_account_tokens, .flags = ROUTE_LIST, .doc = "A service account's tokens."},
    {POST, ACCOUNT "/tokens", SCOPE_TEAM_ADMIN, .body = &API_TOKEN_CREATE,
     .reply = &API_TOKEN_CREATED, .handle = post_account_token, .status = 201,
     .audit = "token.create", .doc = "Make a token for a service account; it is shown this once."},
    {DELETE, ACCOUNT "/tokens/{token}", SCOPE_TEAM_ADMIN, .handle = delete_account_token,
     .audit = "token.delete", .doc = "Revoke a service account's token."},
};
const size_t SERVICE_ROUTE_COUNT = ROUTES_COUNT(SERVICE_ROUTES);
