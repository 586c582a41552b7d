/* See operator.h. */

#include "auth/operator.h"

#include "auth/access.h"
#include "auth/auth.h"
#include "auth/auth_private.h"
#include "base/ident.h"
#include "db/db.h"
#include "sql/auth.h"

#include <string.h>

static const struct field OPERATOR_USER_FIELDS[] = {
    FIELD(UUID, struct operator_user, id),         FIELD(STRING, struct operator_user, email),
    FIELD(STRING, struct operator_user, name),     FIELD(STRING, struct operator_user, state),
    FIELD(BOOL, struct operator_user, totp),       FIELD(STRING, struct operator_user, teams),
    FIELD(TIME, struct operator_user, created_at),
};
SHAPE(OPERATOR_USER, "OperatorUser", struct operator_user, OPERATOR_USER_FIELDS);

static const struct field OPERATOR_TEAM_FIELDS[] = {
    FIELD(UUID, struct operator_team, id),         FIELD(STRING, struct operator_team, slug),
    FIELD(STRING, struct operator_team, name),     FIELD(INT, struct operator_team, members),
    FIELD(TIME, struct operator_team, created_at),
};
SHAPE(OPERATOR_TEAM, "OperatorTeam", struct operator_team, OPERATOR_TEAM_FIELDS);

enum err operator_user_list(struct ctx *cx, struct list *ret) {
    return db_many(cx, &SQL_operator_user_list, NO_ARGS, &OPERATOR_USER, ret);
}

enum err operator_team_list(struct ctx *cx, struct list *ret) {
    return db_many(cx, &SQL_operator_team_list, NO_ARGS, &OPERATOR_TEAM, ret);
}

/* The id alone of what user_by_email gives. */
static enum err user_id_of(struct ctx *cx, const char *email, const char **ret) {
    TRY(db_value(cx, &SQL_user_by_email, ARGS(email_lower(cx, email)), ret));
    return *ret ? OK : fail(cx, ERR_NOT_FOUND, "user \"%.254s\" does not exist", email);
}

enum err operator_user_activate(struct ctx *cx, const char *email, bool active) {
    const char *id;
    TRY(user_id_of(cx, email, &id));
    TRY(db_exec(cx, &SQL_operator_user_set_state, ARGS(id, db_bool(active)), NULL));
    return auth_audit(cx, active ? "user.activate" : "user.deactivate", email, OK);
}

enum err operator_user_reset(struct ctx *cx, const char *email, bool drop_second_factor,
                             const char **ret_token) {
    const char *id;
    struct link link;
    TRY(user_id_of(cx, email, &id));
    link_new(cx, &link);
    TRY(db_exec(cx, &SQL_reset_create, ARGS(link.token_sha256, id), NULL));
    if (drop_second_factor)
        TRY(db_exec(cx, &SQL_factor_delete, ARGS(id), NULL));
    *ret_token = link.token;
    return auth_audit(cx, drop_second_factor ? "user.reset_all" : "user.reset_link", email, OK);
}

struct owner {
    const char *user_id;
};
static const struct field OWNER_FIELDS[] = {FIELD(UUID, struct owner, user_id)};
static SHAPE(OWNER, "OperatorOwner", struct owner, OWNER_FIELDS);

static enum err require_other_owner(struct ctx *cx, const char *team_id, const char *user_id) {
    struct list owners;
    TRY(db_many(cx, &SQL_member_owners_lock, ARGS(team_id), &OWNER, &owners));
    const struct owner *owner = owners.items;
    if (owners.count == 1 && strcmp(owner->user_id, user_id) == 0)
        return fail(cx, ERR_CONFLICT, "a team keeps at least one active owner: make another first");
    return OK;
}

enum err operator_user_role(struct ctx *cx, const char *email, const char *team_slug,
                            enum role role) {
    const char *user_id, *team_id;
    int64_t changed;
    TRY(user_id_of(cx, email, &user_id));
    TRY(db_value(cx, &SQL_team_by_slug, ARGS(team_slug), &team_id));
    if (!team_id)
        return fail(cx, ERR_NOT_FOUND, "team \"%.63s\" does not exist", team_slug);
    if (role != ROLE_OWNER)
        TRY(require_other_owner(cx, team_id, user_id));
    TRY(db_exec(cx, &SQL_member_update, ARGS(team_id, user_id, ROLE_NAMES[role], NULL), &changed));
    if (!changed)
        return fail(cx, ERR_NOT_FOUND, "\"%.254s\" is not in team \"%.63s\"", email, team_slug);
    return auth_audit(cx, "member.update", email, OK);
}

enum err operator_team_create(struct ctx *cx, const char *slug, const char *name) {
    char team_id[UUID_TEXT_SIZE], project_id[UUID_TEXT_SIZE];
    uuid_new(team_id);
    uuid_new(project_id);
    TRY(db_exec(cx, &SQL_team_create, ARGS(team_id, slug, name), NULL));
    TRY(db_exec(cx, &SQL_project_create_default, ARGS(project_id, team_id), NULL));
    return auth_audit(cx, "team.create", slug, OK);
}
