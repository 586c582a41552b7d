/* People: making them from the command line, and what they change about themselves. */

#include "auth/access.h"
#include "auth/auth_private.h"
#include "auth/login_limit.h"
#include "auth/password.h"
#include "base/ident.h"
#include "db/db.h"
#include "sql/auth.h"

#include <string.h>

/* --- the command line --- */

struct creation {
    const struct auth_user_create *options;
    const char *email, *hash;
};

static enum err team_ensure(struct ctx *cx, const struct auth_user_create *o, const char **ret_id) {
    TRY(db_value(cx, &SQL_team_by_slug, ARGS(o->team_slug), ret_id));
    if (*ret_id)
        return OK;
    char team_id[UUID_TEXT_SIZE], project_id[UUID_TEXT_SIZE];
    uuid_new(team_id);
    uuid_new(project_id);
    TRY(db_exec(cx, &SQL_team_create,
                ARGS(team_id, o->team_slug, o->team_name ? o->team_name : o->team_slug), NULL));
    TRY(db_exec(cx, &SQL_project_create_default, ARGS(project_id, team_id), NULL));
    *ret_id = arena_strdup(cx->arena, team_id);
    return OK;
}

static enum err create(struct ctx *cx, void *arg) {
    const struct creation *c = arg;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    if (c->options->is_first)
        TRY(setup_require_first(cx));
    TRY(db_exec(cx, &SQL_user_create, ARGS(id, c->email, c->options->name, c->hash), NULL));
    const char *team_id;
    TRY(team_ensure(cx, c->options, &team_id));
    TRY(db_exec(cx, &SQL_member_create, ARGS(team_id, id, ROLE_NAMES[c->options->role]), NULL));
    return auth_audit(cx, "user.create", c->email, OK);
}

/* 24 characters of base64url: 144 random bits. */
static const char *password_generate(struct ctx *cx) {
    unsigned char secret[18];
    char text[32];
    random_bytes(secret, sizeof(secret));
    base64url_encode(secret, sizeof(secret), text, sizeof(text));
    return arena_strdup(cx->arena, text);
}

enum err auth_user_create(struct ctx *cx, const struct auth_user_create *options,
                          const char **ret_password) {
    const char *email = email_lower(cx, options->email);
    const char *password = options->password;
    if (!password)
        password = password_generate(cx);
    TRY(password_check(cx, "password", password, email, options->name));
    char hash[PASSWORD_HASH_SIZE];
    TRY(password_hash(cx, password, hash));
    struct creation creation = {options, email, hash};
    TRY(as_system(cx, create, &creation));
    *ret_password = password;
    return OK;
}

/* --- oneself --- */

struct self_update {
    char user_id[ID_SIZE];
    const char *name, *locale; /* NULL = leave */
    struct user *user;
};

static enum err update_self(struct ctx *cx, void *arg) {
    const struct self_update *u = arg;
    TRY(db_exec(cx, &SQL_user_update, ARGS(u->user_id, u->name, u->locale), NULL));
    return user_get(cx, u->user_id, u->user);
}

enum err user_update_self(struct ctx *cx, const char *name, const char *locale, struct user *ret) {
    struct self_update u = {.name = name, .locale = locale, .user = ret};
    memcpy(u.user_id, cx->who.user_id, ID_SIZE);
    return as_system(cx, update_self, &u);
}

struct password_change {
    struct principal who;
    bool end_others;
    const char *new_hash;
    struct user user;
    const char *old_hash;
};

static enum err read_password(struct ctx *cx, void *arg) {
    struct password_change *change = arg;
    TRY(user_get(cx, change->who.user_id, &change->user));
    TRY(db_value(cx, &SQL_user_password, ARGS(change->who.user_id), &change->old_hash));
    return OK;
}

/* This session goes on in any case. */
static enum err write_password(struct ctx *cx, void *arg) {
    const struct password_change *change = arg;
    if (!change->end_others)
        return db_exec(cx, &SQL_user_rehash, ARGS(change->who.user_id, change->new_hash), NULL);
    TRY(db_exec(cx, &SQL_user_set_password, ARGS(change->who.user_id, change->new_hash), NULL));
    return db_exec(cx, &SQL_session_adopt_epoch, ARGS(change->who.session_id), NULL);
}

enum err user_change_password(struct ctx *cx, const char *current, const char *fresh,
                              bool end_others) {
    struct password_change change = {.who = cx->who, .end_others = end_others};
    TRY(session_require_password(cx));
    TRY(login_admit(cx, cx->who.name));
    TRY(as_system(cx, read_password, &change));
    bool right;
    TRY(password_verify(cx, change.old_hash, current, &right));
    if (!right)
        return fail_field(cx, ERR_INVALID, "current", "the current password is wrong");
    TRY(login_forgive(cx, cx->who.name));
    TRY(password_check(cx, "password", fresh, change.user.email, change.user.name));
    char hash[PASSWORD_HASH_SIZE];
    TRY(password_hash(cx, fresh, hash));
    change.new_hash = hash;
    TRY(as_system(cx, write_password, &change));
    principals_forget(cx->app->auth->principals, cx->who.user_id);
    return OK;
}

const struct db_constraint AUTH_CONSTRAINTS[] = {
    {"users_email_unique", ERR_CONFLICT, "email", "there is a user with this e-mail address"},
    {"users_email_form", ERR_INVALID, "email", "this is not an e-mail address"},
    {"users_name_length", ERR_INVALID, "name", "a name has 1 to 200 characters"},
    {"teams_slug_unique", ERR_CONFLICT, "team", "there is a team with this slug"},
    {"teams_slug_form", ERR_INVALID, "team",
     "a team's slug has lower-case letters, digits and dashes"},
    {"teams_name_length", ERR_INVALID, "team_name", "a name has 1 to 200 characters"},
    {"identity_providers_name_unique", ERR_CONFLICT, "name",
     "there is an identity provider of this name"},
    {"members_pkey", ERR_CONFLICT, "email", "this person is a member already"},
    {"invitations_email_form", ERR_INVALID, "email", "this is not an e-mail address"},
    {"worker_tokens_name_length", ERR_INVALID, "name", "a name has 1 to 200 characters"},
};
const size_t AUTH_CONSTRAINT_COUNT = sizeof(AUTH_CONSTRAINTS) / sizeof(AUTH_CONSTRAINTS[0]);
