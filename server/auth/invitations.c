/* Invitations by link, and links that reset a password; see access.h.
 *
 * A link is spent by one UPDATE inside the transaction that does what it allows: of two who follow
 * it at once, one gets in and the other is told that it is not good. Whoever has an account proves
 * it with their password (and second factor): an invitation to an address is no way around them. */

#include "auth/access.h"
#include "auth/auth_private.h"
#include "auth/login_limit.h"
#include "auth/password.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/auth.h"

#include <stdlib.h>
#include <string.h>

enum { INVITATION_HOURS = 72, PENDING_MAX = 200 };

static const char *const STATE_NAMES[] = {"pending", "accepted", "revoked", "expired", NULL};

#define INVITATION_MEMBERS                                                                         \
    FIELD(UUID, struct invitation, id), FIELD(STRING, struct invitation, email),                   \
        FIELD(ENUM, struct invitation, role, .names = ROLE_NAMES),                                 \
        FIELD(ENUM, struct invitation, state, .names = STATE_NAMES),                               \
        FIELD(STRING, struct invitation, invited_by), FIELD(TIME, struct invitation, created_at),  \
        FIELD(TIME, struct invitation, expires_at)

static const struct field INVITATION_FIELDS[] = {INVITATION_MEMBERS};
SHAPE(INVITATION, "Invitation", struct invitation, INVITATION_FIELDS);

static const struct field INVITATION_CREATED_FIELDS[] = {
    INVITATION_MEMBERS,
    FIELD(STRING, struct invitation, link, .flags = FIELD_SECRET, .doc = "shown this once"),
};
SHAPE(INVITATION_CREATED, "InvitationCreated", struct invitation, INVITATION_CREATED_FIELDS);

static const struct field INVITATION_VIEW_FIELDS[] = {
    FIELD(STRING, struct invitation_view, team),
    FIELD(STRING, struct invitation_view, email),
    FIELD(ENUM, struct invitation_view, role, .names = ROLE_NAMES),
    FIELD(BOOL, struct invitation_view, has_account,
          .doc = "then the account's own password accepts it"),
};
SHAPE(INVITATION_VIEW, "InvitationView", struct invitation_view, INVITATION_VIEW_FIELDS);

enum err invitation_list(struct ctx *cx, const struct page_query *page, struct list *ret) {
    const char *after;
    TRY(page_after(cx, page, &after));
    return db_many(cx, &SQL_invitation_list, ARGS(cx->who.team_id, after, page_rows(cx, page)),
                   &INVITATION, ret);
}

static enum err require_invitable(struct ctx *cx, const char *email, int role) {
    const char *pending, *member;
    if (role == ROLE_OWNER && cx->who.role != ROLE_OWNER)
        return fail_field(cx, ERR_FORBIDDEN, "role", "only an owner may invite an owner");
    TRY(db_value(cx, &SQL_invitation_is_member, ARGS(cx->who.team_id, email), &member));
    if (member)
        return fail_field(cx, ERR_CONFLICT, "email", "this person is a member already");
    TRY(db_value(cx, &SQL_invitation_pending, ARGS(cx->who.team_id), &pending));
    if (atoll(pending) >= PENDING_MAX)
        return fail(cx, ERR_CONFLICT, "%d invitations are pending, revoke one first", PENDING_MAX);
    return OK;
}

enum err invitation_create(struct ctx *cx, const struct invitation_create *options,
                           struct invitation *ret) {
    const char *email = email_lower(cx, options->email);
    int64_t hours = options->expires_in_hours ? options->expires_in_hours : INVITATION_HOURS;
    struct link link;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    link_new(cx, &link);
    TRY(require_invitable(cx, email, options->role));
    TRY(db_exec(cx, &SQL_invitation_replace, ARGS(cx->who.team_id, email), NULL));
    TRY(db_one(cx, &SQL_invitation_create,
               ARGS(id, cx->who.team_id, email, ROLE_NAMES[options->role], link.token_sha256,
                    cx->who.name, db_int(cx, hours)),
               &INVITATION, ret));
    ret->link = link.token;
    return OK;
}

enum err invitation_revoke(struct ctx *cx, const char *id) {
    int64_t revoked = 0;
    if (uuid_is_valid(id))
        TRY(db_exec(cx, &SQL_invitation_revoke, ARGS(cx->who.team_id, id), &revoked));
    return revoked ? OK : fail(cx, ERR_NOT_FOUND, "there is no such pending invitation");
}

/* --- the holder of the link --- */

static const struct field FOUND_FIELDS[] = {
    FIELD(UUID, struct invitation_view, team_id),
    FIELD(STRING, struct invitation_view, team),
    FIELD(STRING, struct invitation_view, email),
    FIELD(UUID, struct invitation_view, user_id),
    FIELD(BOOL, struct invitation_view, has_account),
    FIELD(ENUM, struct invitation_view, role, .names = ROLE_NAMES),
};
static SHAPE(FOUND, "InvitationFound", struct invitation_view, FOUND_FIELDS);

struct acceptance {
    char token_sha256[SHA256_TEXT_SIZE];
    struct invitation_view invitation;
    bool found;
    const char *name, *hash; /* of a new account */
    const char *user_agent;
    struct session_opened opened;
};

static enum err not_good(struct ctx *cx) {
    return fail(cx, ERR_NOT_FOUND, "this link is not good any more, ask for another");
}

static enum err find(struct ctx *cx, void *arg) {
    struct acceptance *a = arg;
    return db_opt(cx, &SQL_invitation_find, ARGS(a->token_sha256), &FOUND, &a->invitation,
                  &a->found);
}

enum err invitation_find(struct ctx *cx, const char *token, struct invitation_view *ret) {
    struct acceptance a = {0};
    link_hash(token, a.token_sha256);
    TRY(as_system(cx, find, &a));
    if (!a.found)
        return not_good(cx);
    *ret = a.invitation;
    return OK;
}

static enum err create_account(struct ctx *cx, struct acceptance *a) {
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    a->invitation.user_id = arena_strdup(cx->arena, id);
    return db_exec(cx, &SQL_user_create, ARGS(id, a->invitation.email, a->name, a->hash), NULL);
}

static enum err accept(struct ctx *cx, void *arg) {
    struct acceptance *a = arg;
    const char *spent;
    TRY(db_value(cx, &SQL_invitation_accept, ARGS(a->token_sha256), &spent));
    if (!spent)
        return not_good(cx);
    if (!a->invitation.has_account)
        TRY(create_account(cx, a));
    TRY(db_exec(cx, &SQL_member_create,
                ARGS(a->invitation.team_id, a->invitation.user_id, ROLE_NAMES[a->invitation.role]),
                NULL));
    const struct session_start start = {a->invitation.user_id, a->invitation.team_id, a->user_agent,
                                        NULL};
    return session_open(cx, &start, &a->opened);
}

static enum err prove(struct ctx *cx, struct acceptance *a, const struct invitation_accept *o) {
    const char *email = a->invitation.email;
    const struct session_proof proof = {email, o->password, o->code};
    if (a->invitation.has_account)
        return session_prove(cx, &proof, &a->invitation.user_id);
    if (!o->name)
        return fail_field(cx, ERR_INVALID, "name", "a new account needs a name");
    TRY(password_check(cx, "password", o->password, email, o->name));
    char hash[PASSWORD_HASH_SIZE];
    TRY(password_hash(cx, o->password, hash));
    a->name = o->name;
    a->hash = arena_strdup(cx->arena, hash);
    return OK;
}

enum err invitation_accept(struct ctx *cx, const char *token,
                           const struct invitation_accept *options, const char *user_agent,
                           struct session_secrets *ret) {
    struct acceptance a = {.user_agent = user_agent};
    link_hash(token, a.token_sha256);
    TRY(as_system(cx, find, &a));
    if (!a.found)
        return not_good(cx);
    TRY(prove(cx, &a, options));
    TRY(as_system(cx, accept, &a));
    TRY(session_become(cx, &a.opened, ret));
    return auth_audit(cx, "invitation.accept", a.invitation.email, OK);
}

/* --- resets --- */

struct new_password {
    char token_sha256[SHA256_TEXT_SIZE];
    struct user user;
    bool found;
    const char *hash;
};

static enum err find_reset(struct ctx *cx, void *arg) {
    struct new_password *n = arg;
    return db_opt(cx, &SQL_reset_find, ARGS(n->token_sha256), &USER, &n->user, &n->found);
}

static enum err spend_reset(struct ctx *cx, void *arg) {
    struct new_password *n = arg;
    const char *user_id;
    TRY(db_value(cx, &SQL_reset_spend, ARGS(n->token_sha256), &user_id));
    if (!user_id)
        return not_good(cx);
    TRY(db_exec(cx, &SQL_reset_cancel_others, ARGS(user_id), NULL));
    TRY(db_exec(cx, &SQL_user_set_password, ARGS(user_id, n->hash), NULL));
    return auth_audit(cx, "user.reset", n->user.email, OK);
}

enum err reset_use(struct ctx *cx, const char *token, const char *password) {
    struct new_password n = {0};
    link_hash(token, n.token_sha256);
    TRY(as_system(cx, find_reset, &n));
    if (!n.found)
        return not_good(cx);
    TRY(password_check(cx, "password", password, n.user.email, n.user.name));
    char hash[PASSWORD_HASH_SIZE];
    TRY(password_hash(cx, password, hash));
    n.hash = hash;
    TRY(as_system(cx, spend_reset, &n));
    principals_forget(cx->app->auth->principals, n.user.id);
    return OK;
}
