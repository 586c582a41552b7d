/* Groups over HTTP; see permissions.h. A group gives nothing by itself: roles in projects do. Every
 * change makes the team's principals be asked for again. */
#include "auth/permissions.h"

#include "auth/auth_private.h"
#include "base/ident.h"
#include "http/page.h"
#include "sql/auth.h"

struct group {
    const char *id, *name, *description;
    int64_t members, created_at;
};
static const struct field GROUP_FIELDS[] = {
    FIELD(UUID, struct group, id),
    FIELD(STRING, struct group, name),
    FIELD(STRING, struct group, description),
    FIELD(INT, struct group, members),
    FIELD(TIME, struct group, created_at),
};
static SHAPE(GROUP, "Group", struct group, GROUP_FIELDS);

struct group_member {
    const char *id, *name, *email;
};
static const struct field GROUP_MEMBER_FIELDS[] = {
    FIELD(UUID, struct group_member, id),
    FIELD(STRING, struct group_member, name),
    FIELD(STRING, struct group_member, email, .doc = "or the name of a service account"),
};
static SHAPE(GROUP_MEMBER, "GroupMember", struct group_member, GROUP_MEMBER_FIELDS);

struct group_body {
    const char *name, *description;
};
static const struct field GROUP_CREATE_FIELDS[] = {
    FIELD(STRING, struct group_body, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRING, struct group_body, description, .max = 2000),
};
static SHAPE(GROUP_CREATE, "GroupCreate", struct group_body, GROUP_CREATE_FIELDS);
static const struct field GROUP_UPDATE_FIELDS[] = {
    FIELD(STRING, struct group_body, name, .min = 1, .max = 200),
    FIELD(STRING, struct group_body, description, .max = 2000),
};
static SHAPE(GROUP_UPDATE, "GroupUpdate", struct group_body, GROUP_UPDATE_FIELDS);

struct group_member_body {
    const char *user_id;
};
static const struct field GROUP_MEMBER_ADD_FIELDS[] = {
    FIELD(UUID, struct group_member_body, user_id, .flags = FIELD_REQUIRED,
          .doc = "a member or a service account"),
};
static SHAPE(GROUP_MEMBER_ADD, "GroupMemberAdd", struct group_member_body, GROUP_MEMBER_ADD_FIELDS);

struct group_query {
    struct page_query page;
};
static const struct field GROUP_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct group_query)};
static SHAPE(GROUP_QUERY, "GroupQuery", struct group_query, GROUP_QUERY_FIELDS);

const struct db_constraint GROUPS_CONSTRAINTS[] = {
    {"groups_name_unique", ERR_CONFLICT, "name", "a group with this name already exists"},
};
const size_t GROUPS_CONSTRAINT_COUNT = 1;

static enum err group_require(struct ctx *cx, const struct req *rq, struct group *ret) {
    const char *id = req_param(rq, "group");
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_group_get, ARGS(cx->who.team_id, id), &GROUP, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "there is no such group");
}

static void forget_team(struct ctx *cx) {
    principals_forget(cx->app->auth->principals, cx->who.team_id);
}

static enum err get_groups(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct group_query *query = rq->query;
    const char *after;
    struct list items;
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_group_list, ARGS(cx->who.team_id, after, page_rows(cx, &query->page)),
                &GROUP, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_group(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct group_body *body = rq->body;
    struct group *group = arena_new_struct(cx->arena, struct group);
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_group_create, ARGS(id, cx->who.team_id, body->name, body->description),
                NULL));
    TRY(db_one(cx, &SQL_group_get, ARGS(cx->who.team_id, id), &GROUP, group));
    reply_location(cx, rp, "/api/v1/groups/%s", id);
    reply_object(rp, group);
    return OK;
}

static enum err patch_group(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct group_body *body = rq->body;
    struct group *group = arena_new_struct(cx->arena, struct group);
    TRY(group_require(cx, rq, group));
    TRY(db_exec(cx, &SQL_group_update,
                ARGS(cx->who.team_id, group->id, body->name, body->description), NULL));
    TRY(group_require(cx, rq, group));
    reply_object(rp, group);
    return OK;
}

static enum err delete_group(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    struct group group;
    TRY(group_require(cx, rq, &group));
    TRY(db_exec(cx, &SQL_group_delete, ARGS(cx->who.team_id, group.id), NULL));
    forget_team(cx);
    return OK;
}

static enum err get_group_members(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct group_query *query = rq->query;
    struct group group;
    const char *after;
    struct list items;
    TRY(group_require(cx, rq, &group));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_group_member_list,
                ARGS(cx->who.team_id, group.id, after, page_rows(cx, &query->page)), &GROUP_MEMBER,
                &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_group_member(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct group_member_body *body = rq->body;
    struct group *group = arena_new_struct(cx->arena, struct group);
    int64_t added;
    TRY(group_require(cx, rq, group));
    TRY(db_exec(cx, &SQL_group_member_add, ARGS(cx->who.team_id, group->id, body->user_id),
                &added));
    if (!added)
        return fail_field(cx, ERR_NOT_FOUND, "user_id", "there is no such member");
    forget_team(cx);
    TRY(group_require(cx, rq, group));
    reply_object(rp, group);
    return OK;
}

static enum err delete_group_member(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    struct group group;
    const char *user_id = req_param(rq, "user");
    int64_t removed = 0;
    TRY(group_require(cx, rq, &group));
    if (uuid_is_valid(user_id))
        TRY(db_exec(cx, &SQL_group_member_remove, ARGS(cx->who.team_id, group.id, user_id),
                    &removed));
    if (!removed)
        return fail(cx, ERR_NOT_FOUND, "there is no such member in this group");
    forget_team(cx);
    return OK;
}

#define GROUPS_PATH "/api/v1/groups"
#define GROUP_PATH GROUPS_PATH "/{group}"

const struct route GROUPS_ROUTES[] = {
    {GET, GROUPS_PATH, SCOPE_TEAM_READ, .query = &GROUP_QUERY, .reply = &GROUP,
     .handle = get_groups, .flags = ROUTE_LIST, .doc = "The team's groups."},
    {POST, GROUPS_PATH, SCOPE_TEAM_ADMIN, .body = &GROUP_CREATE, .reply = &GROUP,
     .handle = post_group, .status = 201, .audit = "group.create", .doc = "Make a group."},
    {PATCH, GROUP_PATH, SCOPE_TEAM_ADMIN, .body = &GROUP_UPDATE, .reply = &GROUP,
     .handle = patch_group, .audit = "group.update", .doc = "Rename or describe a group."},
    {DELETE, GROUP_PATH, SCOPE_TEAM_ADMIN, .handle = delete_group, .audit = "group.delete",
     .doc = "Delete a group and its roles in projects."},
    {GET, GROUP_PATH "/members", SCOPE_TEAM_READ, .query = &GROUP_QUERY, .reply = &GROUP_MEMBER,
     .handle = get_group_members, .flags = ROUTE_LIST, .doc = "Who is in a group."},
    {POST, GROUP_PATH "/members", SCOPE_TEAM_ADMIN, .body = &GROUP_MEMBER_ADD, .reply = &GROUP,
     .handle = post_group_member, .audit = "group.member_add",
     .doc = "Put a member or a service account into a group."},
    {DELETE, GROUP_PATH "/members/{user}", SCOPE_TEAM_ADMIN, .handle = delete_group_member,
     .audit = "group.member_remove", .doc = "Take somebody out of a group."},
};
const size_t GROUPS_ROUTE_COUNT = ROUTES_COUNT(GROUPS_ROUTES);
