/* Browser sessions: sign in, refresh, change team, sign out.
 *
 * A session is the family of its refresh tokens; the access token only names it. Refresh tokens are
 * spent by one UPDATE. The successor is HMAC(signing key, token): so two tabs, or a client whose
 * reply was lost, get the same successor within 30 s although only hashes are stored, and nobody
 * without the key can compute it from a stolen token. Spent twice later than that, the token was
 * stolen from somebody: the family ends, and the audit log says so. */

#include "auth/access.h"
#include "auth/auth_private.h"
#include "auth/login_limit.h"
#include "auth/password.h"
#include "base/clock.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/http.h"
#include "sql/auth.h"

#include <ctype.h>
#include <openssl/hmac.h>
#include <string.h>

enum { USER_AGENT_MAX = 200 };

static const struct field IDENTITY_FIELDS[] = {
    FIELD(UUID, struct identity, session_id),
    FIELD(UUID, struct identity, user_id),
    FIELD(UUID, struct identity, team_id),
    FIELD(STRING, struct identity, email),
    FIELD(STRING, struct identity, token_sha256, .flags = FIELD_SECRET),
    FIELD(ENUM, struct identity, role, .names = ROLE_NAMES),
    FIELD(INT, struct identity, scope_bits),
    FIELD(BOOL, struct identity, by_project),
    FIELD(BOOL, struct identity, limited),
    FIELD(INT, struct identity, requests_max),
};
SHAPE(IDENTITY, "Identity", struct identity, IDENTITY_FIELDS);

/* --- who a session belongs to --- */

static void copy_id(char ret[ID_SIZE], const char *id) {
    memcpy(ret, id, ID_SIZE);
}

enum err session_principal(struct ctx *cx, const char *session_id, struct principal *ret) {
    struct identity row;
    bool found;
    TRY(db_opt(cx, &SQL_session_principal, ARGS(session_id), &IDENTITY, &row, &found));
    memset(ret, 0, sizeof(*ret));
    if (!found)
        return OK;
    ret->kind = PRINCIPAL_USER;
    ret->role = (enum role)row.role;
    ret->scopes = TOKEN_READ | TOKEN_WRITE | TOKEN_ADMIN | TOKEN_METRICS | TOKEN_INGEST;
    ret->by_project = row.by_project;
    ret->requests_max = row.requests_max;
    copy_id(ret->session_id, row.session_id);
    copy_id(ret->user_id, row.user_id);
    copy_id(ret->team_id, row.team_id);
    memccpy(ret->name, row.email, '\0', sizeof(ret->name) - 1);
    return OK;
}

/* --- refresh tokens --- */

static void refresh_text(const unsigned char secret[SHA256_SIZE], char ret[REFRESH_SIZE]) {
    memcpy(ret, "slr_", 4);
    base64url_encode(secret, SHA256_SIZE, ret + 4, REFRESH_SIZE - 4);
}

static void refresh_successor(const struct token_key *key, const char *token,
                              char ret[REFRESH_SIZE]) {
    unsigned char mac[SHA256_SIZE];
    unsigned int size = sizeof(mac);
    HMAC(EVP_sha256(), key->secret, TOKEN_KEY_SIZE, (const unsigned char *)token, strlen(token),
         mac, &size);
    refresh_text(mac, ret);
}

static enum err refresh_store(struct ctx *cx, const char *token, const char *family_id) {
    char hash[SHA256_TEXT_SIZE];
    sha256_hex_of(token, strlen(token), hash);
    return db_exec(cx, &SQL_refresh_create,
                   ARGS(hash, family_id, db_int(cx, cx->app->auth->session_hours)), NULL);
}

/* A fresh access token for a session, next to the refresh token it came with. */
static enum err session_sign(struct ctx *cx, const struct principal *who, const char *refresh,
                             struct session_secrets *ret) {
    struct access access = {.expires_at = clock_now_us() + cx->app->auth->access_seconds * 1000000};
    copy_id(access.session_id, who->session_id);
    copy_id(access.user_id, who->user_id);
    const char *text;
    TRY(token_sign(cx, atomic_load(&cx->app->auth->keys), &access, &text));
    *ret = (struct session_secrets){text, arena_strdup(cx->arena, refresh), access.expires_at};
    return OK;
}

/* --- signing in --- */

struct credentials {
    const char *id;
    const char *password_hash;
    bool disabled;
    bool second_factor; /* a code is asked for */
};

static const struct field CREDENTIALS_FIELDS[] = {
    FIELD(UUID, struct credentials, id),
    FIELD(STRING, struct credentials, password_hash, .flags = FIELD_SECRET),
    FIELD(BOOL, struct credentials, disabled),
    FIELD(BOOL, struct credentials, second_factor),
};
static SHAPE(CREDENTIALS, "Credentials", struct credentials, CREDENTIALS_FIELDS);

struct login {
    const char *email, *code;
    char new_hash[PASSWORD_HASH_SIZE]; /* "" = the stored one is fine */
    struct credentials user;
    bool found;
    bool code_is_good;
};

static enum err login_find(struct ctx *cx, void *arg) {
    struct login *login = arg;
    return db_opt(cx, &SQL_user_by_email, ARGS(login->email), &CREDENTIALS, &login->user,
                  &login->found);
}

static enum err login_rehash(struct ctx *cx, void *arg) {
    const struct login *login = arg;
    return db_exec(cx, &SQL_user_rehash, ARGS(login->user.id, login->new_hash), NULL);
}

static enum err login_code(struct ctx *cx, void *arg) {
    struct login *login = arg;
    return second_factor_check(cx, login->user.id, login->code, &login->code_is_good);
}

const char *email_lower(struct ctx *cx, const char *email) {
    char *lower = arena_strdup(cx->arena, email);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

/* One sentence, one amount of work and one code for a wrong password, an unknown account and a
 * disabled one. */
static enum err check_password(struct ctx *cx, struct login *login, const char *password) {
    TRY(as_system(cx, login_find, login));
    const char *hash = login->found ? login->user.password_hash : NULL;
    bool right;
    TRY(password_verify(cx, hash, password, &right));
    if (!right || login->user.disabled)
        return fail(cx, ERR_UNAUTHENTICATED, "the e-mail address or the password is wrong");
    if (!password_hash_is_old(hash))
        return OK;
    TRY(password_hash(cx, password, login->new_hash));
    return as_system(cx, login_rehash, login);
}

/* Being asked for the code is no failed try; a wrong code is one. */
static enum err check_code(struct ctx *cx, struct login *login) {
    if (!login->user.second_factor)
        return OK;
    if (!login->code || !*login->code) {
        TRY(login_take_back(cx, login->email));
        return fail_field(cx, ERR_UNAUTHENTICATED, "code",
                          "the code of the second factor is needed");
    }
    TRY(as_system(cx, login_code, login));
    if (!login->code_is_good)
        return fail_field(cx, ERR_UNAUTHENTICATED, "code", "the code is wrong or was used already");
    return OK;
}

enum err session_prove(struct ctx *cx, const struct session_proof *proof,
                       const char **ret_user_id) {
    struct login login = {.email = email_lower(cx, proof->email), .code = proof->code};
    TRY(login_admit(cx, login.email));
    enum err err = check_password(cx, &login, proof->password);
    if (err == OK)
        err = check_code(cx, &login);
    if (err != OK) {
        struct err_info why = cx->err;
        TRY(auth_audit(cx, "session.create", login.email, err));
        cx->err = why;
        return err;
    }
    *ret_user_id = login.user.id;
    return login_forgive(cx, login.email);
}

/* --- opening --- */

static enum err first_team(struct ctx *cx, const char *user_id, const char **ret) {
    struct list teams;
    TRY(db_many(cx, &SQL_teams_of_user, ARGS(user_id), &TEAM, &teams));
    if (teams.count == 0)
        return fail(cx, ERR_FORBIDDEN, "this user is active in no team: ask an administrator");
    *ret = ((struct team *)teams.items)->id;
    return OK;
}

/* Owners keep their passwords where single sign-on is all that others have: a provider that is down
 * must not lock out those who could mend it. */
static enum err require_password_counts(struct ctx *cx, const struct principal *who) {
    const char *sso_only;
    if (who->kind != PRINCIPAL_USER || who->role == ROLE_OWNER)
        return OK;
    TRY(db_value(cx, &SQL_sso_is_required, ARGS(who->team_id), &sso_only));
    return sso_only ? fail(cx, ERR_FORBIDDEN, "this team signs in through its identity provider")
                    : OK;
}

enum err session_open(struct ctx *cx, const struct session_start *start,
                      struct session_opened *ret) {
    const char *team_id = start->team_id;
    const char *user_agent = arena_strndup(cx->arena, start->user_agent, USER_AGENT_MAX);
    if (!team_id)
        TRY(first_team(cx, start->user_id, &team_id));
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_session_create, ARGS(id, start->user_id, team_id, user_agent, cx->remote),
                NULL));
    unsigned char secret[SHA256_SIZE];
    random_bytes(secret, sizeof(secret));
    refresh_text(secret, ret->refresh);
    TRY(refresh_store(cx, ret->refresh, id));
    if (start->provider_id)
        TRY(db_exec(cx, &SQL_sso_mark_session, ARGS(id, start->provider_id), NULL));
    TRY(session_principal(cx, id, &ret->who));
    return start->provider_id ? OK : require_password_counts(cx, &ret->who);
}

enum err session_become(struct ctx *cx, const struct session_opened *opened,
                        struct session_secrets *ret) {
    cx->who = opened->who;
    return session_sign(cx, &cx->who, opened->refresh, ret);
}

struct opening {
    struct session_start start;
    struct session_opened opened;
};

static enum err open_session(struct ctx *cx, void *arg) {
    struct opening *opening = arg;
    return session_open(cx, &opening->start, &opening->opened);
}

enum err session_login(struct ctx *cx, const struct session_proof *proof, const char *user_agent,
                       struct session_secrets *ret) {
    struct opening opening = {.start = {.user_agent = user_agent}};
    TRY(session_prove(cx, proof, &opening.start.user_id));
    TRY(as_system(cx, open_session, &opening));
    return session_become(cx, &opening.opened, ret);
}

/* --- refreshing --- */

struct refresh_row {
    const char *family_id, *successor_sha256;
    bool used, in_grace;
};

static const struct field REFRESH_ROW_FIELDS[] = {
    FIELD(UUID, struct refresh_row, family_id),
    FIELD(BOOL, struct refresh_row, used),
    FIELD(BOOL, struct refresh_row, in_grace),
    FIELD(STRING, struct refresh_row, successor_sha256, .flags = FIELD_SECRET),
};
static SHAPE(REFRESH_ROW, "RefreshRow", struct refresh_row, REFRESH_ROW_FIELDS);

struct refresh {
    const char *token;
    char token_sha256[SHA256_TEXT_SIZE];
    char successor[REFRESH_SIZE];
    bool reused;           /* outside the grace: the family was ended */
    const char *family_id; /* set when reused */
    struct principal who;  /* nobody unless it went well */
};

static enum err refresh_finish(struct ctx *cx, struct refresh *r, const char *family_id) {
    TRY(db_exec(cx, &SQL_session_used, ARGS(family_id), NULL));
    return session_principal(cx, family_id, &r->who);
}

/* Within the grace the successor is computed again; after a key change by one of the older keys. */
static enum err refresh_again(struct ctx *cx, struct refresh *r, const struct refresh_row *row) {
    const struct token_keys *keys = atomic_load(&cx->app->auth->keys);
    for (int i = 0; i < keys->count; i++) {
        char hash[SHA256_TEXT_SIZE];
        refresh_successor(&keys->keys[i], r->token, r->successor);
        sha256_hex_of(r->successor, strlen(r->successor), hash);
        if (strcmp(hash, row->successor_sha256) == 0)
            return refresh_finish(cx, r, row->family_id);
    }
    return OK;
}

static enum err refresh_spend(struct ctx *cx, void *arg) {
    struct refresh *r = arg;
    char successor_sha256[SHA256_TEXT_SIZE];
    refresh_successor(&atomic_load(&cx->app->auth->keys)->keys[0], r->token, r->successor);
    sha256_hex_of(r->successor, strlen(r->successor), successor_sha256);
    struct refresh_row row;
    bool found;
    TRY(db_opt(cx, &SQL_refresh_spend, ARGS(r->token_sha256, successor_sha256), &REFRESH_ROW, &row,
               &found));
    if (found) {
        TRY(refresh_store(cx, r->successor, row.family_id));
        return refresh_finish(cx, r, row.family_id);
    }
    TRY(db_opt(cx, &SQL_refresh_find, ARGS(r->token_sha256), &REFRESH_ROW, &row, &found));
    if (!found || !row.used)
        return OK; /* unknown or expired */
    if (row.in_grace)
        return refresh_again(cx, r, &row);
    r->reused = true;
    r->family_id = row.family_id;
    return db_exec(cx, &SQL_session_revoke, ARGS(row.family_id, "refresh token reused"), NULL);
}

enum err session_refresh(struct ctx *cx, const char *refresh, struct session_secrets *ret) {
    struct refresh r = {.token = refresh};
    sha256_hex_of(refresh, strlen(refresh), r.token_sha256);
    TRY(as_system(cx, refresh_spend, &r));
    if (r.reused) {
        principals_forget(cx->app->auth->principals, r.family_id);
        TRY(auth_audit(cx, "session.reuse", r.family_id, ERR_UNAUTHENTICATED));
    }
    if (r.who.kind == PRINCIPAL_NOBODY)
        return fail(cx, ERR_UNAUTHENTICATED, "the session has ended, sign in again");
    cx->who = r.who;
    return session_sign(cx, &cx->who, r.successor, ret);
}

/* --- ending and changing --- */

static enum err end(struct ctx *cx, void *arg) {
    return db_exec(cx, &SQL_session_revoke, ARGS(arg, "signed out"), NULL);
}

enum err session_end(struct ctx *cx) {
    char id[ID_SIZE]; /* cx->who is another while the system acts */
    copy_id(id, cx->who.session_id);
    TRY(as_system(cx, end, id));
    principals_forget(cx->app->auth->principals, id);
    return OK;
}

struct team_change {
    const char *team_id;
    struct principal who;
    bool is_member;
};

static enum err change_team(struct ctx *cx, void *arg) {
    struct team_change *change = arg;
    struct list teams;
    TRY(db_many(cx, &SQL_teams_of_user, ARGS(change->who.user_id), &TEAM, &teams));
    const struct team *team = teams.items;
    for (size_t i = 0; i < teams.count; i++)
        if (strcmp(team[i].id, change->team_id) == 0)
            change->is_member = true;
    if (!change->is_member)
        return fail_field(cx, ERR_NOT_FOUND, "team_id", "there is no such team");
    TRY(db_exec(cx, &SQL_session_set_team, ARGS(change->who.session_id, change->team_id), NULL));
    TRY(session_principal(cx, change->who.session_id, &change->who));
    return require_password_counts(cx, &change->who);
}

static enum err find_provider(struct ctx *cx, void *arg) {
    const char *provider;
    TRY(db_value(cx, &SQL_sso_session_provider, ARGS(arg), &provider));
    return provider ? fail(cx, ERR_FORBIDDEN,
                           "this session came from a team's identity provider: sign in with your "
                           "password for this")
                    : OK;
}

enum err session_require_password(struct ctx *cx) {
    char id[ID_SIZE]; /* cx->who is another while the system acts */
    copy_id(id, cx->who.session_id);
    return as_system(cx, find_provider, id);
}

enum err session_change_team(struct ctx *cx, const char *team_id) {
    TRY(session_require_password(cx));
    struct team_change change = {.team_id = team_id, .who = cx->who};
    TRY(as_system(cx, change_team, &change));
    principals_forget(cx->app->auth->principals, cx->who.session_id);
    cx->who = change.who;
    return OK;
}

/* --- describing --- */

static struct list scopes_of(struct ctx *cx) {
    static const struct {
        const char *name;
        enum role role;
        unsigned token;
    } table[] = {
#define X(symbol, name, role, token) {name, role, token},
        SCOPE_TABLE(X)
#undef X
    };
    size_t all = sizeof(table) / sizeof(table[0]);
    const char **names = arena_new_array(cx->arena, const char *, all);
    struct list list = {.items = names};
    for (size_t i = 0; i < all; i++)
        if (table[i].role != ROLE_NONE && cx->who.role >= table[i].role &&
            (cx->who.scopes & table[i].token))
            names[list.count++] = table[i].name;
    return list;
}

struct describe {
    char user_id[ID_SIZE];
    struct user *user;
    struct list teams;
};

static enum err describe(struct ctx *cx, void *arg) {
    struct describe *d = arg;
    TRY(user_get(cx, d->user_id, d->user));
    return db_many(cx, &SQL_teams_of_user, ARGS(d->user_id), &TEAM, &d->teams);
}

enum err session_describe(struct ctx *cx, struct session *ret) {
    if (!cx->who.user_id[0])
        return fail(cx, ERR_FORBIDDEN, "only people have a session");
    struct describe d = {.user = arena_new_struct(cx->arena, struct user)};
    copy_id(d.user_id, cx->who.user_id);
    TRY(as_system(cx, describe, &d));
    struct session session = {
        .user = d.user, .teams = d.teams, .role = (int)cx->who.role, .scopes = scopes_of(cx)};
    struct team *team = d.teams.items;
    for (size_t i = 0; i < d.teams.count; i++)
        if (strcmp(team[i].id, cx->who.team_id) == 0)
            session.team = &team[i];
    if (!session.team)
        return fail(cx, ERR_UNAUTHENTICATED, "the session has ended, sign in again");
    /* A token keeps to its own team. */
    if (cx->who.kind == PRINCIPAL_TOKEN)
        session.teams = (struct list){session.team, 1};
    *ret = session;
    return OK;
}

enum err user_get(struct ctx *cx, const char *id, struct user *ret) {
    return db_one(cx, &SQL_user_get, ARGS(id), &USER, ret);
}
