/* Routes of members, invitations and reset links; see access.h. Tokens of links stand in paths, so
 * those routes audit by themselves: the path must not reach the log. */

#include "auth/access.h"
#include "auth/auth.h"
#include "auth/password.h"
#include "http/head.h"
#include "http/page.h"

struct members_query {
    struct page_query page;
};
static const struct field MEMBERS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct members_query)};
static SHAPE(MEMBERS_QUERY, "MemberQuery", struct members_query, MEMBERS_QUERY_FIELDS);

static const struct field MEMBER_UPDATE_FIELDS[] = {
    FIELD(ENUM, struct member_update, role, .names = ROLE_NAMES, .doc = "not \"none\""),
    FIELD(ENUM, struct member_update, state, .names = MEMBER_STATE_NAMES),
};
static SHAPE(MEMBER_UPDATE, "MemberUpdate", struct member_update, MEMBER_UPDATE_FIELDS);

struct link_reply {
    const char *link;
};
static const struct field LINK_FIELDS[] = {
    FIELD(STRING, struct link_reply, link, .flags = FIELD_SECRET,
          .doc = "good once and for an hour; shown this once"),
};
static SHAPE(LINK, "ResetLink", struct link_reply, LINK_FIELDS);

static const struct field INVITATION_CREATE_FIELDS[] = {
    FIELD(STRING, struct invitation_create, email, .flags = FIELD_REQUIRED, .min = 3, .max = 254),
    FIELD(ENUM, struct invitation_create, role, .flags = FIELD_REQUIRED, .names = ROLE_NAMES,
          .doc = "not \"none\""),
    FIELD(INT, struct invitation_create, expires_in_hours, .min = 1, .max = 720,
          .doc = "72 by default"),
};
static SHAPE(INVITATION_CREATE, "InvitationCreate", struct invitation_create,
             INVITATION_CREATE_FIELDS);

static const struct field INVITATION_ACCEPT_FIELDS[] = {
    FIELD(STRING, struct invitation_accept, name, .min = 1, .max = 200,
          .doc = "of the new account; not needed where there is one"),
    FIELD(STRING, struct invitation_accept, password, .flags = FIELD_REQUIRED | FIELD_SECRET,
          .min = 1, .max = PASSWORD_MAX),
    FIELD(STRING, struct invitation_accept, code, .flags = FIELD_SECRET, .max = 40,
          .doc = "of the account's second factor"),
};
static SHAPE(INVITATION_ACCEPT, "InvitationAccept", struct invitation_accept,
             INVITATION_ACCEPT_FIELDS);

struct reset_body {
    const char *password;
};
static const struct field RESET_FIELDS[] = {
    FIELD(STRING, struct reset_body, password, .flags = FIELD_REQUIRED | FIELD_SECRET,
          .min = PASSWORD_MIN, .max = PASSWORD_MAX, .doc = "in bytes, taken exactly as typed"),
};
static SHAPE(RESET, "PasswordReset", struct reset_body, RESET_FIELDS);

/* --- handlers --- */

static enum err get_members(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct members_query *query = rq->query;
    struct list members;
    TRY(member_list(cx, &query->page, &members));
    reply_page_by_id(cx, rq, rp, &query->page, members);
    return OK;
}

static enum err patch_member(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct member_update update = *(const struct member_update *)rq->body;
    struct member *member = arena_new_struct(cx->arena, struct member);
    if (!req_has(rq, "role"))
        update.role = FIELD_NO_ENUM;
    else if (update.role == ROLE_NONE)
        return fail_field(cx, ERR_INVALID, "role", "a member has a role: remove them instead");
    if (!req_has(rq, "state"))
        update.state = FIELD_NO_ENUM;
    TRY(member_update(cx, req_param(rq, "user"), &update, member));
    reply_object(rp, member);
    return OK;
}

static enum err delete_member(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return member_delete(cx, req_param(rq, "user"));
}

/* The Host is one of ours: the gate refuses every other. */
static const char *link_url(struct ctx *cx, const struct req *rq, const char *page,
                            const char *token) {
    return arena_printf(cx->arena, "https://%s/%s/%s", req_header(rq, "Host"), page, token);
}

static enum err post_member_reset(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct link_reply *reply = arena_new_struct(cx->arena, struct link_reply);
    const char *token;
    TRY(member_reset(cx, req_param(rq, "user"), &token));
    reply->link = link_url(cx, rq, "reset", token);
    reply_object(rp, reply);
    return OK;
}

static enum err delete_member_second_factor(struct ctx *cx, const struct req *rq,
                                            struct reply *rp) {
    (void)rp;
    return member_drop_second_factor(cx, req_param(rq, "user"));
}

static enum err get_invitations(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct members_query *query = rq->query;
    struct list invitations;
    TRY(invitation_list(cx, &query->page, &invitations));
    reply_page_by_id(cx, rq, rp, &query->page, invitations);
    return OK;
}

static enum err post_invitation(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct invitation_create *body = rq->body;
    struct invitation *created = arena_new_struct(cx->arena, struct invitation);
    if (body->role == ROLE_NONE)
        return fail_field(cx, ERR_INVALID, "role", "an invitation needs a role");
    TRY(invitation_create(cx, body, created));
    created->link = link_url(cx, rq, "invite", created->link);
    reply_object(rp, created);
    return OK;
}

static enum err delete_invitation(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return invitation_revoke(cx, req_param(rq, "invitation"));
}

static enum err get_invite(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct invitation_view *view = arena_new_struct(cx->arena, struct invitation_view);
    TRY(invitation_find(cx, req_param(rq, "token"), view));
    reply_object(rp, view);
    return OK;
}

static enum err post_invite(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *user_agent = req_header(rq, "User-Agent");
    struct session_secrets secrets;
    TRY(invitation_accept(cx, req_param(rq, "token"), rq->body, user_agent ? user_agent : "",
                          &secrets));
    return session_reply(cx, rp, &secrets);
}

static enum err post_reset(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct reset_body *body = rq->body;
    return reset_use(cx, req_param(rq, "token"), body->password);
}

const struct route MEMBERS_ROUTES[] = {
    {GET, "/api/v1/members", SCOPE_TEAM_READ, .query = &MEMBERS_QUERY, .reply = &MEMBER,
     .handle = get_members, .flags = ROUTE_LIST, .doc = "The people of the team."},
    {PATCH, "/api/v1/members/{user}", SCOPE_TEAM_ADMIN, .body = &MEMBER_UPDATE, .reply = &MEMBER,
     .handle = patch_member, .audit = "member.update",
     .doc = "Change a member's role, deactivate or activate them; only owners touch owners."},
    {DELETE, "/api/v1/members/{user}", SCOPE_TEAM_ADMIN, .handle = delete_member,
     .audit = "member.delete", .doc = "Remove somebody from the team, with sessions and tokens."},
    {POST, "/api/v1/members/{user}/reset", SCOPE_TEAM_ADMIN, .reply = &LINK,
     .handle = post_member_reset, .audit = "member.reset",
     .doc = "Make a link by which a member sets a new password; it is shown this once."},
    {DELETE, "/api/v1/members/{user}/second-factor", SCOPE_TEAM_ADMIN,
     .handle = delete_member_second_factor, .audit = "member.drop_second_factor",
     .doc = "Remove the second factor of a member who lost it, and end their sessions."},
    {GET, "/api/v1/invitations", SCOPE_TEAM_ADMIN, .query = &MEMBERS_QUERY, .reply = &INVITATION,
     .handle = get_invitations, .flags = ROUTE_LIST, .doc = "Invitations, the newest first."},
    {POST, "/api/v1/invitations", SCOPE_TEAM_ADMIN, .body = &INVITATION_CREATE,
     .reply = &INVITATION_CREATED, .handle = post_invitation, .status = 201,
     .audit = "invitation.create",
     .doc = "Invite an address; the link is shown this once and takes the place of an older one."},
    {DELETE, "/api/v1/invitations/{invitation}", SCOPE_TEAM_ADMIN, .handle = delete_invitation,
     .audit = "invitation.revoke", .doc = "Make a pending invitation's link good for nothing."},
    {GET, "/api/v1/invite/{token}", SCOPE_PUBLIC, .reply = &INVITATION_VIEW, .handle = get_invite,
     .flags = ROUTE_ANONYMOUS, .rate = RATE_LOGIN,
     .doc = "What an invitation is to, for the holder of its link."},
    {POST, "/api/v1/invite/{token}", SCOPE_PUBLIC, .body = &INVITATION_ACCEPT, .reply = &SESSION,
     .handle = post_invite, .flags = ROUTE_ANONYMOUS, .rate = RATE_LOGIN,
     .doc = "Accept an invitation, with a new account or one's own; signs in."},
    {POST, "/api/v1/reset/{token}", SCOPE_PUBLIC, .body = &RESET, .handle = post_reset,
     .flags = ROUTE_ANONYMOUS, .rate = RATE_LOGIN,
     .doc = "Set a new password by a reset link; every session of the person ends."},
};
const size_t MEMBERS_ROUTE_COUNT = ROUTES_COUNT(MEMBERS_ROUTES);
