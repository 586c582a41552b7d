/* The people of a team: listing, roles, deactivating, removing.
 *
 * Two rules hold whoever acts: only an owner touches an owner or makes one, and a team keeps at
 * least one active owner. Changes of one team queue on its owners' rows, so that the second rule
 * holds for two at once. A deactivated member is out of this team alone: their other teams, and
 * their account, are not this team's to end. */

#include "auth/access.h"
#include "auth/auth_private.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/auth.h"

#include <stdlib.h>
#include <string.h>

const char *const MEMBER_STATE_NAMES[] = {"active", "deactivated", NULL};

static const struct field MEMBER_FIELDS[] = {
    FIELD(UUID, struct member, user_id),
    FIELD(STRING, struct member, email),
    FIELD(STRING, struct member, name),
    FIELD(ENUM, struct member, role, .names = ROLE_NAMES),
    FIELD(ENUM, struct member, state, .names = MEMBER_STATE_NAMES),
    FIELD(BOOL, struct member, totp, .doc = "whether a second factor is asked at sign-in"),
    FIELD(STRINGS, struct member, groups, .doc = "names of the groups in this team"),
    FIELD(TIME, struct member, last_seen_at, .flags = FIELD_NULLABLE,
          .doc = "last renewal of a browser session in this team"),
    FIELD(TIME, struct member, created_at),
};
SHAPE(MEMBER, "Member", struct member, MEMBER_FIELDS);

struct listing {
    const char *team_id, *after, *rows;
    struct list members;
};

static enum err list(struct ctx *cx, void *arg) {
    struct listing *l = arg;
    return db_many(cx, &SQL_member_list, ARGS(l->team_id, l->after, l->rows), &MEMBER, &l->members);
}

enum err member_list(struct ctx *cx, const struct page_query *page, struct list *ret) {
    struct listing l = {.team_id = arena_strdup(cx->arena, cx->who.team_id),
                        .rows = page_rows(cx, page)};
    TRY(page_after(cx, page, &l.after));
    TRY(as_system(cx, list, &l));
    *ret = l.members;
    return OK;
}

struct change {
    struct principal who; /* cx->who is the system meanwhile */
    const char *user_id;
    const struct member_update *update; /* NULL = remove */
    struct member *member;
};

static bool is_valid_role_change(const struct change *c) {
    bool makes_owner = c->update && c->update->role == ROLE_OWNER;
    return c->who.role == ROLE_OWNER || (c->member->role != ROLE_OWNER && !makes_owner);
}

static bool loses_owner(const struct change *c) {
    if (c->member->role != ROLE_OWNER || c->member->state != MEMBER_ACTIVE)
        return false;
    return !c->update || c->update->state == MEMBER_DEACTIVATED ||
           (c->update->role != FIELD_NO_ENUM && c->update->role != ROLE_OWNER);
}

struct owner {
    const char *user_id;
};
static const struct field OWNER_FIELDS[] = {FIELD(UUID, struct owner, user_id)};
static SHAPE(OWNER, "Owner", struct owner, OWNER_FIELDS);

static enum err find(struct ctx *cx, struct change *c) {
    struct list owners;
    bool found = false;
    TRY(db_many(cx, &SQL_member_owners_lock, ARGS(c->who.team_id), &OWNER, &owners));
    if (uuid_is_valid(c->user_id))
        TRY(db_opt(cx, &SQL_member_get, ARGS(c->who.team_id, c->user_id), &MEMBER, c->member,
                   &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "there is no such member");
    if (!is_valid_role_change(c))
        return fail(cx, ERR_FORBIDDEN, "only an owner may do this to an owner, or make one");
    if (loses_owner(c) && owners.count <= 1)
        return fail(cx, ERR_CONFLICT, "a team keeps at least one active owner: make another first");
    return OK;
}

static const char *name_of(const char *const *names, int value) {
    return value == FIELD_NO_ENUM ? NULL : names[value];
}

static enum err update(struct ctx *cx, void *arg) {
    struct change *c = arg;
    const struct member_update *u = c->update;
    TRY(find(cx, c));
    TRY(db_exec(cx, &SQL_member_update,
                ARGS(c->who.team_id, c->user_id, name_of(ROLE_NAMES, u->role),
                     name_of(MEMBER_STATE_NAMES, u->state)),
                NULL));
    if (u->state == MEMBER_DEACTIVATED)
        TRY(db_exec(cx, &SQL_member_end_sessions, ARGS(c->who.team_id, c->user_id), NULL));
    return db_one(cx, &SQL_member_get, ARGS(c->who.team_id, c->user_id), &MEMBER, c->member);
}

/* Sessions and tokens of the membership go with its row. */
static enum err delete (struct ctx *cx, void *arg) {
    struct change *c = arg; TRY(find(cx, c));
    return db_exec(cx, &SQL_member_delete, ARGS(c->who.team_id, c->user_id), NULL);
}

enum err member_update(struct ctx *cx, const char *user_id, const struct member_update *options,
                       struct member *ret) {
    struct change c = {.who = cx->who, .user_id = user_id, .update = options, .member = ret};
    TRY(as_system(cx, update, &c));
    principals_forget(cx->app->auth->principals, user_id);
    return OK;
}

enum err member_delete(struct ctx *cx, const char *user_id) {
    struct member gone;
    struct change c = {.who = cx->who, .user_id = user_id, .member = &gone};
    TRY(as_system(cx, delete, &c));
    principals_forget(cx->app->auth->principals, user_id);
    return OK;
}

/* --- a link that sets a new password --- */

struct reset {
    struct change change; /* who asks, for whom */
    struct link link;
};

/* Whoever sets the password is that person everywhere: a team may do it only for its own. */
static enum err require_own(struct ctx *cx, const struct change *c, const char *what) {
    const char *others;
    TRY(db_value(cx, &SQL_member_other_teams, ARGS(c->who.team_id, c->user_id), &others));
    if (strcmp(others, "0") != 0)
        return fail(cx, ERR_CONFLICT,
                    "this person belongs to other teams too: only the operator can reset their %s",
                    what);
    return OK;
}

static enum err create_reset(struct ctx *cx, void *arg) {
    struct reset *r = arg;
    TRY(find(cx, &r->change));
    TRY(require_own(cx, &r->change, "password"));
    return db_exec(cx, &SQL_reset_create, ARGS(r->link.token_sha256, r->change.user_id), NULL);
}

enum err member_reset(struct ctx *cx, const char *user_id, const char **ret_token) {
    struct member member;
    const struct member_update nothing = {FIELD_NO_ENUM, FIELD_NO_ENUM};
    struct reset r = {.change = {cx->who, user_id, &nothing, &member}};
    link_new(cx, &r.link);
    TRY(as_system(cx, create_reset, &r));
    *ret_token = r.link.token;
    return OK;
}

/* --- somebody who lost their authenticator --- */

/* Signing in gets easier for that person everywhere: a team may do it only for its own. */
static enum err drop_second_factor(struct ctx *cx, void *arg) {
    struct change *c = arg;
    TRY(find(cx, c));
    TRY(require_own(cx, c, "second factor"));
    TRY(db_exec(cx, &SQL_factor_delete, ARGS(c->user_id), NULL));
    return db_exec(cx, &SQL_member_end_sessions, ARGS(c->who.team_id, c->user_id), NULL);
}

enum err member_drop_second_factor(struct ctx *cx, const char *user_id) {
    struct member member;
    const struct member_update nothing = {FIELD_NO_ENUM, FIELD_NO_ENUM};
    struct change c = {cx->who, user_id, &nothing, &member};
    TRY(as_system(cx, drop_second_factor, &c));
    principals_forget(cx->app->auth->principals, user_id);
    return OK;
}
