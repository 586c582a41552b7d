/* See permissions.h. */
#include "auth/permissions.h"

#include "auth/auth_private.h"
#include "base/ident.h"
#include "http/page.h"
#include "sql/auth.h"

#include <string.h>

/* --- what http/ asks --- */

/* Runs and logged models are also known by 32 hex digits, the latter with "m-" before them: an
 * object must not have another role by another spelling of its id. NULL when it is none. */
static const char *canonical_id(struct ctx *cx, const char *id) {
    char *uuid = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    if (uuid_is_valid(id))
        return id;
    return uuid_from_hex(strncmp(id, "m-", 2) == 0 ? id + 2 : id, uuid) ? uuid : NULL;
}

enum err permission_role(struct ctx *cx, const char *kind, const char *id, enum role *ret) {
    const char *role, *uuid = NULL;
    bool by_slug = strcmp(kind, "projects") == 0 || strcmp(kind, "mlflow") == 0;
    if (!by_slug)
        uuid = canonical_id(cx, id);
    if (!by_slug && !uuid)
        return OK;
    TRY(db_value(cx, &SQL_project_role_here,
                 ARGS(cx->who.team_id, kind, by_slug ? id : NULL, cx->who.user_id,
                      ROLE_NAMES[cx->who.role], uuid),
                 &role));
    for (int i = 0; role && ROLE_NAMES[i]; i++)
        if (strcmp(ROLE_NAMES[i], role) == 0)
            *ret = (enum role)i;
    return OK;
}

struct granter {
    const char *id, *name, *email;
};
static const struct field GRANTER_ROW_FIELDS[] = {
    FIELD(UUID, struct granter, id),
    FIELD(STRING, struct granter, name),
    FIELD(STRING, struct granter, email),
};
static SHAPE(GRANTER_ROW, "GranterRow", struct granter, GRANTER_ROW_FIELDS);

static enum err list_granters(struct ctx *cx, struct list *ret) {
    return db_many(cx, &SQL_permission_granters, ARGS(cx->who.team_id), &GRANTER_ROW, ret);
}

enum err permission_advice(struct ctx *cx, enum role needs, const char **ret) {
    struct list granters;
    const char *text = arena_printf(cx->arena, "it needs the role %s", ROLE_NAMES[needs]);
    TRY(list_granters(cx, &granters));
    const struct granter *g = granters.items;
    for (size_t i = 0; i < granters.count; i++)
        text = arena_printf(cx->arena, "%s%s%s", text, i ? ", " : "; ask ", g[i].name);
    *ret = text;
    return OK;
}

/* --- roles in projects --- */

enum subject_kind { SUBJECT_USER, SUBJECT_GROUP, SUBJECT_SERVICE };
static const char *const SUBJECT_KIND_NAMES[] = {"user", "group", "service", NULL};

struct project_grant {
    const char *subject_id; /* first: the page's key */
    const char *project, *subject_name;
    int subject_kind, role;
    int64_t created_at;
};
static const struct field PROJECT_GRANT_FIELDS[] = {
    FIELD(STRING, struct project_grant, project, .doc = "its slug"),
    FIELD(ENUM, struct project_grant, subject_kind, .names = SUBJECT_KIND_NAMES),
    FIELD(UUID, struct project_grant, subject_id),
    FIELD(STRING, struct project_grant, subject_name),
    FIELD(ENUM, struct project_grant, role, .names = ROLE_NAMES, .doc = "none hides the project"),
    FIELD(TIME, struct project_grant, created_at),
};
static SHAPE(PROJECT_GRANT, "ProjectRole", struct project_grant, PROJECT_GRANT_FIELDS);

static const struct field PROJECT_GRANT_SET_FIELDS[] = {
    FIELD(ENUM, struct project_grant, subject_kind, .flags = FIELD_REQUIRED,
          .names = SUBJECT_KIND_NAMES),
    FIELD(UUID, struct project_grant, subject_id, .flags = FIELD_REQUIRED),
    FIELD(ENUM, struct project_grant, role, .flags = FIELD_REQUIRED, .names = ROLE_NAMES),
};
static SHAPE(PROJECT_GRANT_SET, "ProjectRoleSet", struct project_grant, PROJECT_GRANT_SET_FIELDS);

struct grants_query {
    struct page_query page;
};
static const struct field GRANTS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct grants_query)};
static SHAPE(GRANTS_QUERY, "ProjectRoleQuery", struct grants_query, GRANTS_QUERY_FIELDS);

static enum err require_grantable(struct ctx *cx, int role) {
    if (role == ROLE_OWNER)
        return fail_field(cx, ERR_INVALID, "role", "owners are made for the team, not a project");
    if (role > (int)cx->who.role)
        return fail_field(cx, ERR_FORBIDDEN, "role", "you cannot give a role above your own");
    return OK;
}

/* ERR_NOT_FOUND for a project that the caller does not see either. */
static enum err require_project(struct ctx *cx, const char *slug) {
    const char *found = NULL;
    if (slug)
        TRY(db_value(cx, &SQL_project_role_here,
                     ARGS(cx->who.team_id, "projects", slug, cx->who.user_id, "viewer", NULL),
                     &found));
    return !slug || found ? OK : fail(cx, ERR_NOT_FOUND, "project \"%s\" does not exist", slug);
}

static enum err get_grants(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct grants_query *query = rq->query;
    const char *after;
    struct list items;
    TRY(page_after(cx, &query->page, &after));
    TRY(require_project(cx, req_param(rq, "project")));
    TRY(db_many(
        cx, &SQL_project_role_list,
        ARGS(cx->who.team_id, req_param(rq, "project"), after, NULL, page_rows(cx, &query->page)),
        &PROJECT_GRANT, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err put_grant(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct project_grant *body = rq->body;
    const char *project = req_param(rq, "project");
    struct list rows;
    int64_t set;
    TRY(require_grantable(cx, body->role));
    TRY(db_exec(cx, &SQL_project_role_set,
                ARGS(cx->who.team_id, project, SUBJECT_KIND_NAMES[body->subject_kind],
                     body->subject_id, ROLE_NAMES[body->role]),
                &set));
    if (!set)
        return fail(cx, ERR_NOT_FOUND, "there is no such project or subject");
    principals_forget(cx->app->auth->principals, cx->who.team_id);
    TRY(db_many(cx, &SQL_project_role_list,
                ARGS(cx->who.team_id, project, NULL, body->subject_id, "1"), &PROJECT_GRANT,
                &rows));
    reply_object(rp, rows.items);
    return OK;
}

static enum err delete_grant(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const char *subject = req_param(rq, "subject");
    int64_t deleted = 0;
    if (uuid_is_valid(subject))
        TRY(db_exec(cx, &SQL_project_role_delete,
                    ARGS(cx->who.team_id, req_param(rq, "project"), req_param(rq, "kind"), subject),
                    &deleted));
    if (!deleted)
        return fail(cx, ERR_NOT_FOUND, "there is no such role in this project");
    principals_forget(cx->app->auth->principals, cx->who.team_id);
    return OK;
}

/* --- who may do what, and why --- */

static const struct {
    const char *name;
    enum role role;
    unsigned token;
} SCOPES[] = {
#define X(symbol, name, role, token) {name, role, token},
    SCOPE_TABLE(X)
#undef X
};
#define SCOPE_ROWS (sizeof(SCOPES) / sizeof(SCOPES[0]))

struct permission {
    const char *subject_id; /* first: the page's key */
    const char *subject_name, *project, *because;
    int subject_kind, role;
    struct list permissions;
};
#define PERMISSION_FIELDS_COMMON                                                                   \
    FIELD(ENUM, struct permission, subject_kind, .names = SUBJECT_KIND_NAMES),                     \
        FIELD(UUID, struct permission, subject_id),                                                \
        FIELD(STRING, struct permission, subject_name),                                            \
        FIELD(STRING, struct permission, project, .flags = FIELD_NULLABLE,                         \
              .doc = "null = the whole team"),                                                     \
        FIELD(ENUM, struct permission, role, .names = ROLE_NAMES),                                 \
        FIELD(STRING, struct permission, because, .doc = "where the role comes from")
static const struct field PERMISSION_ROW_FIELDS[] = {PERMISSION_FIELDS_COMMON};
static SHAPE(PERMISSION_ROW, "PermissionRow", struct permission, PERMISSION_ROW_FIELDS);
static const struct field PERMISSION_FIELDS[] = {
    PERMISSION_FIELDS_COMMON,
    FIELD(STRINGS, struct permission, permissions, .doc = "as routes name them"),
};
static SHAPE(PERMISSION, "EffectivePermission", struct permission, PERMISSION_FIELDS);

static struct list permissions_of(struct ctx *cx, int role) {
    const char **names = arena_new_array(cx->arena, const char *, SCOPE_ROWS);
    struct list list = {.items = names};
    for (size_t i = 0; i < SCOPE_ROWS; i++)
        if (SCOPES[i].role != ROLE_NONE && role >= (int)SCOPES[i].role)
            names[list.count++] = SCOPES[i].name;
    return list;
}

struct permissions_query {
    struct page_query page;
    const char *project, *subject;
};
static const struct field PERMISSIONS_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct permissions_query),
    FIELD(STRING, struct permissions_query, project, .max = 63, .doc = "its slug"),
    FIELD(UUID, struct permissions_query, subject, .doc = "of one member or service account"),
};
static SHAPE(PERMISSIONS_QUERY, "PermissionQuery", struct permissions_query,
             PERMISSIONS_QUERY_FIELDS);

static enum err get_permissions(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct permissions_query *query = rq->query;
    const char *after;
    struct list rows;
    TRY(page_after(cx, &query->page, &after));
    TRY(require_project(cx, query->project));
    TRY(db_many(
        cx, &SQL_permission_list,
        ARGS(cx->who.team_id, query->project, after, query->subject, page_rows(cx, &query->page)),
        &PERMISSION_ROW, &rows));
    struct permission *items = rows.items;
    for (size_t i = 0; i < rows.count; i++)
        items[i].permissions = permissions_of(cx, items[i].role);
    reply_page_by_id(cx, rq, rp, &query->page, rows);
    return OK;
}

static const struct field GRANTER_FIELDS[] = {
    FIELD(STRING, struct granter, name),
    FIELD(STRING, struct granter, email),
};
static SHAPE(GRANTER, "Granter", struct granter, GRANTER_FIELDS);

struct answer {
    bool allowed;
    const char *permission, *because;
    int role, needs;
    struct list who_can_grant;
};
static const struct field ANSWER_FIELDS[] = {
    FIELD(BOOL, struct answer, allowed),
    FIELD(STRING, struct answer, permission),
    FIELD(ENUM, struct answer, role, .names = ROLE_NAMES),
    FIELD(ENUM, struct answer, needs, .names = ROLE_NAMES),
    FIELD(STRING, struct answer, because),
    FIELD(LIST, struct answer, who_can_grant, .nested = &GRANTER),
};
static SHAPE(ANSWER, "PermissionAnswer", struct answer, ANSWER_FIELDS);

struct check_query {
    const char *permission, *project;
};
static const struct field CHECK_QUERY_FIELDS[] = {
    FIELD(STRING, struct check_query, permission, .flags = FIELD_REQUIRED, .max = 40,
          .doc = "as routes name it: dataset.write"),
    FIELD(STRING, struct check_query, project, .max = 63, .doc = "its slug"),
};
static SHAPE(CHECK_QUERY, "PermissionCheckQuery", struct check_query, CHECK_QUERY_FIELDS);

static enum err find_scope(struct ctx *cx, const char *name, size_t *ret) {
    for (size_t i = 0; i < SCOPE_ROWS; i++)
        if (SCOPES[i].role != ROLE_NONE && strcmp(SCOPES[i].name, name) == 0) {
            *ret = i;
            return OK;
        }
    return fail_field(cx, ERR_INVALID, "permission", "there is no permission \"%s\"", name);
}

static enum err get_check(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct check_query *query = rq->query;
    struct answer *answer = arena_new_struct(cx->arena, struct answer);
    struct list own;
    size_t scope;
    TRY(find_scope(cx, query->permission, &scope));
    TRY(require_project(cx, query->project));
    TRY(db_many(cx, &SQL_permission_list,
                ARGS(cx->who.team_id, query->project, NULL, cx->who.user_id, "1"), &PERMISSION_ROW,
                &own));
    if (own.count == 0)
        return fail(cx, ERR_NOT_FOUND, "you are not a member any more");
    const struct permission *mine = own.items;
    bool by_role = mine->role >= (int)SCOPES[scope].role;
    bool by_token = cx->who.kind != PRINCIPAL_TOKEN || (cx->who.scopes & SCOPES[scope].token);
    *answer =
        (struct answer){.allowed = by_role && by_token,
                        .permission = query->permission,
                        .role = mine->role,
                        .needs = (int)SCOPES[scope].role,
                        .because = by_role && !by_token ? "scopes of the token" : mine->because};
    if (!by_role)
        TRY(list_granters(cx, &answer->who_can_grant));
    reply_object(rp, answer);
    return OK;
}

#define GRANTS_PATH "/api/v1/projects/{project}/roles"

const struct route PERMISSIONS_ROUTES[] = {
    {GET, GRANTS_PATH, SCOPE_PROJECT_ADMIN, .query = &GRANTS_QUERY, .reply = &PROJECT_GRANT,
     .handle = get_grants, .flags = ROUTE_LIST,
     .doc = "Roles in a project that differ from those in the team."},
    {PUT, GRANTS_PATH, SCOPE_PROJECT_ADMIN, .body = &PROJECT_GRANT_SET, .reply = &PROJECT_GRANT,
     .handle = put_grant, .audit = "project.role_set",
     .doc = "Give a member, group or service account a role in a project; none hides it."},
    {DELETE, GRANTS_PATH "/{kind}/{subject}", SCOPE_PROJECT_ADMIN, .handle = delete_grant,
     .audit = "project.role_delete", .doc = "Let the role in the team count again."},
    {GET, "/api/v1/permissions", SCOPE_TEAM_READ, .query = &PERMISSIONS_QUERY, .reply = &PERMISSION,
     .handle = get_permissions, .flags = ROUTE_LIST,
     .doc = "What everybody may do in the team or in a project, and why."},
    {GET, "/api/v1/permissions/check", SCOPE_TEAM_READ, .query = &CHECK_QUERY, .reply = &ANSWER,
     .handle = get_check, .doc = "Whether the caller may do something, and who can change that."},
};
const size_t PERMISSIONS_ROUTE_COUNT = ROUTES_COUNT(PERMISSIONS_ROUTES);
