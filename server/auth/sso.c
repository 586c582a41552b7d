/* Signing in through an identity provider; see sso.h.
 *
 * What belongs to a sign-in under way (state, nonce, PKCE verifier, where to go) is sealed into a
 * cookie of ten minutes: nothing is stored for strangers, the answer is bound to the browser that
 * asked, and no copy of the database has a verifier in it. The state comes back once.
 *
 * What a provider says counts in the team that set it up and nowhere else: it lets in people of
 * that team, or new ones, and the session it opens stays in that team (session.c). */

#include "auth/sso.h"

#include "auth/auth.h"
#include "auth/auth_private.h"
#include "auth/password.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "db/db.h"
#include "sql/auth.h"

#include <string.h>

enum { LIFETIME_S = 600, RANDOM_BYTES = 32, RANDOM_LENGTH = 43, RETURN_MAX = 500 };
#define BOUND "single sign-on"

static const char *random_text(struct ctx *cx) {
    unsigned char bytes[RANDOM_BYTES];
    char text[RANDOM_LENGTH + 1];
    random_bytes(bytes, sizeof(bytes));
    base64url_encode(bytes, sizeof(bytes), text, sizeof(text));
    return arena_strdup(cx->arena, text);
}

/* A path of ours; "//host" and "/\host" are other sites to a browser. */
static const char *safe_path(const char *path) {
    bool good = path && path[0] == '/' && path[1] != '/' && strlen(path) <= RETURN_MAX;
    for (const char *c = path; good && *c; c++)
        good = *c > ' ' && *c < 0x7f && *c != '\\';
    return good ? path : "/";
}

/* --- going there --- */

struct lookup {
    const char *provider_id;
    struct provider provider;
    bool found;
};

static enum err find_provider(struct ctx *cx, void *arg) {
    struct lookup *l = arg;
    return db_opt(cx, &SQL_sso_provider, ARGS(l->provider_id), &PROVIDER_ROW, &l->provider,
                  &l->found);
}

static enum err provider_of(struct ctx *cx, const char *id, struct provider *ret) {
    struct lookup l = {.provider_id = id};
    if (uuid_is_valid(id))
        TRY(as_system(cx, find_provider, &l));
    if (!l.found)
        return fail(cx, ERR_NOT_FOUND, "there is no such identity provider");
    *ret = l.provider;
    return OK;
}

struct journey {
    const char *provider_id, *state, *nonce, *verifier, *return_to;
    int64_t expires_at;
};
static const struct field JOURNEY_FIELDS[] = {
    FIELD(UUID, struct journey, provider_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct journey, state, .flags = FIELD_REQUIRED | FIELD_SECRET),
    FIELD(STRING, struct journey, nonce, .flags = FIELD_REQUIRED | FIELD_SECRET),
    FIELD(STRING, struct journey, verifier, .flags = FIELD_REQUIRED | FIELD_SECRET),
    FIELD(STRING, struct journey, return_to, .flags = FIELD_REQUIRED),
    FIELD(TIME, struct journey, expires_at, .flags = FIELD_REQUIRED),
};
static SHAPE(JOURNEY, "SsoJourney", struct journey, JOURNEY_FIELDS);

static enum err journey_seal(struct ctx *cx, const struct journey *journey, const char **ret) {
    auto_json *json = field_encode(&JOURNEY, journey);
    auto_free char *text = json_dumps(json, JSON_COMPACT);
    if (!text)
        return fail(cx, ERR_INTERNAL, "out of memory");
    return seal(cx, BOUND, text, strlen(text), ret);
}

static const char *challenge_of(struct ctx *cx, const char *verifier) {
    unsigned char hash[SHA256_SIZE];
    char text[RANDOM_LENGTH + 1];
    sha256_of(verifier, strlen(verifier), hash);
    base64url_encode(hash, sizeof(hash), text, sizeof(text));
    return arena_strdup(cx->arena, text);
}

enum err sso_start(struct ctx *cx, const char *provider_id, const char *return_to,
                   const char *redirect_uri, struct sso_start *ret) {
    struct provider provider;
    struct oidc_metadata metadata;
    TRY(provider_of(cx, provider_id, &provider));
    TRY(oidc_discover(cx, provider.issuer, &metadata));
    const struct journey journey = {
        provider.id,     random_text(cx),      random_text(cx),
        random_text(cx), safe_path(return_to), clock_now_us() + LIFETIME_S * INT64_C(1000000)};
    TRY(journey_seal(cx, &journey, &ret->cookie));
    const char *at = metadata.authorization_endpoint;
    ret->location = arena_printf(
        cx->arena,
        "%s%cresponse_type=code&client_id=%s&redirect_uri=%s&scope=openid%%20email%%20profile%s"
        "&state=%s&nonce=%s&code_challenge=%s&code_challenge_method=S256",
        at, strchr(at, '?') ? '&' : '?', uri_escape(cx, provider.client_id),
        uri_escape(cx, redirect_uri), metadata.has_groups_scope ? "%20groups" : "", journey.state,
        journey.nonce, challenge_of(cx, journey.verifier));
    return OK;
}

/* --- coming back --- */

static enum err not_ours(struct ctx *cx) {
    return fail(cx, ERR_UNAUTHENTICATED, "this sign-in was not begun here, or too long ago");
}

static enum err use_state(struct ctx *cx, void *arg) {
    const char *used;
    TRY(db_value(cx, &SQL_sso_state_use, ARGS(arg), &used));
    return used ? OK : not_ours(cx);
}

static enum err journey_open(struct ctx *cx, const struct sso_return *back, struct journey *ret) {
    char text[SEAL_MAX + 1], hash[SHA256_TEXT_SIZE];
    size_t size;
    struct err_info unused;
    if (!back->cookie || !back->state ||
        unseal(cx, BOUND, back->cookie, text, SEAL_MAX, &size) != OK)
        return not_ours(cx);
    auto_json *json = json_loadb(text, size, 0, NULL);
    if (!json || field_decode(cx->arena, &JOURNEY, json, ret, NULL, &unused) != OK ||
        ret->expires_at < clock_now_us() || strlen(back->state) != strlen(ret->state) ||
        !equal_in_constant_time(back->state, ret->state, strlen(ret->state)))
        return not_ours(cx);
    sha256_hex_of(ret->state, strlen(ret->state), hash);
    return as_system(cx, use_state, hash);
}

/* --- who it is, and what they may do --- */

struct arrival {
    const struct provider *provider;
    const struct oidc_claims *claims;
    const char *user_agent;
    const char *user_id; /* NULL = not known yet */
    bool linked;         /* by an earlier sign-in */
    const char *hash;    /* of a password nobody knows, for a new account */
    struct session_opened opened;
};

struct found_user {
    const char *user_id;
    bool is_ours;
};
static const struct field FOUND_USER_FIELDS[] = {
    FIELD(UUID, struct found_user, user_id),
    FIELD(BOOL, struct found_user, is_ours),
};
static SHAPE(FOUND_USER, "SsoUser", struct found_user, FOUND_USER_FIELDS);

static enum err find_user(struct ctx *cx, void *arg) {
    struct arrival *a = arg;
    struct found_user user;
    bool found;
    TRY(db_value(cx, &SQL_sso_identity, ARGS(a->provider->id, a->claims->subject), &a->user_id));
    a->linked = a->user_id != NULL;
    if (a->linked)
        return OK;
    if (!a->claims->email)
        return fail(cx, ERR_FORBIDDEN, "the provider did not say a verified e-mail address");
    TRY(db_opt(cx, &SQL_sso_user, ARGS(a->provider->team_id, email_lower(cx, a->claims->email)),
               &FOUND_USER, &user, &found));
    if (found && !user.is_ours)
        return fail(cx, ERR_FORBIDDEN,
                    "this address belongs to somebody of another team: they "
                    "have to be invited");
    a->user_id = found ? user.user_id : NULL;
    return OK;
}

static int mapped_role(const struct arrival *a) {
    const struct group_role *map = a->provider->group_roles.items;
    const char *const *groups = a->claims->groups.items;
    int best = FIELD_NO_ENUM;
    for (size_t i = 0; i < a->provider->group_roles.count; i++)
        for (size_t k = 0; k < a->claims->groups.count; k++)
            if (strcmp(map[i].group, groups[k]) == 0 && map[i].role > best)
                best = map[i].role;
    return best == FIELD_NO_ENUM ? a->provider->default_role : best;
}

static enum err create_user(struct ctx *cx, struct arrival *a) {
    char id[UUID_TEXT_SIZE];
    const char *email = email_lower(cx, a->claims->email);
    const char *name = a->claims->name && *a->claims->name ? a->claims->name : email;
    uuid_new(id);
    a->user_id = arena_strdup(cx->arena, id);
    return db_exec(cx, &SQL_user_create,
                   ARGS(id, email, arena_strndup(cx->arena, name, 200), a->hash), NULL);
}

struct owner_row {
    const char *user_id;
};
static const struct field OWNER_ROW_FIELDS[] = {FIELD(UUID, struct owner_row, user_id)};
static SHAPE(OWNER_ROW, "SsoOwner", struct owner_row, OWNER_ROW_FIELDS);

/* Groups decide at each sign-in, where there are any in the list; the last owner stays one. */
static enum err set_role(struct ctx *cx, const struct arrival *a, const struct member *member,
                         int role) {
    const char *team_id = a->provider->team_id;
    struct list owners;
    TRY(db_many(cx, &SQL_member_owners_lock, ARGS(team_id), &OWNER_ROW, &owners));
    bool last_owner = member->role == ROLE_OWNER && owners.count <= 1;
    if (!a->provider->group_roles.count || last_owner || member->role == role)
        return OK;
    return db_exec(cx, &SQL_member_update, ARGS(team_id, a->user_id, ROLE_NAMES[role], NULL), NULL);
}

static enum err join(struct ctx *cx, const struct arrival *a) {
    int role = mapped_role(a);
    struct member member;
    bool found;
    TRY(db_opt(cx, &SQL_member_get, ARGS(a->provider->team_id, a->user_id), &MEMBER, &member,
               &found));
    if (found && member.state != MEMBER_ACTIVE)
        return fail(cx, ERR_FORBIDDEN, "this person was deactivated");
    if (role == FIELD_NO_ENUM && (!found || a->provider->group_roles.count))
        return fail(cx, ERR_FORBIDDEN, "none of this person's groups has a role here");
    if (found)
        return set_role(cx, a, &member, role);
    return db_exec(cx, &SQL_member_create, ARGS(a->provider->team_id, a->user_id, ROLE_NAMES[role]),
                   NULL);
}

static enum err arrive(struct ctx *cx, void *arg) {
    struct arrival *a = arg;
    if (!a->user_id)
        TRY(create_user(cx, a));
    if (!a->linked)
        TRY(db_exec(cx, &SQL_sso_identity_create,
                    ARGS(a->provider->id, a->claims->subject, a->user_id), NULL));
    TRY(join(cx, a));
    const struct session_start start = {a->user_id, a->provider->team_id, a->user_agent,
                                        a->provider->id};
    TRY(session_open(cx, &start, &a->opened));
    return a->opened.who.kind == PRINCIPAL_USER
               ? OK
               : fail(cx, ERR_FORBIDDEN, "this account was disabled");
}

static enum err sign_in(struct ctx *cx, struct arrival *a, struct session_secrets *ret) {
    char hash[PASSWORD_HASH_SIZE];
    TRY(as_system(cx, find_user, a));
    if (!a->user_id) {
        TRY(password_hash(cx, random_text(cx), hash));
        a->hash = hash;
    }
    TRY(as_system(cx, arrive, a));
    TRY(session_become(cx, &a->opened, ret));
    return auth_audit(cx, "session.sso", cx->who.name, OK);
}

enum err sso_finish(struct ctx *cx, const struct sso_return *back, struct session_secrets *ret,
                    const char **ret_return_to) {
    struct journey journey;
    struct provider provider;
    struct oidc_client client;
    struct oidc_claims claims;
    TRY(journey_open(cx, back, &journey));
    TRY(provider_of(cx, journey.provider_id, &provider));
    if (back->issuer && strcmp(back->issuer, provider.issuer) != 0)
        return not_ours(cx);
    if (back->error || !back->code)
        return fail(cx, ERR_UNAUTHENTICATED, "the provider refused: \"%.80s\"",
                    back->error ? back->error : "no code");
    TRY(provider_client(cx, &provider, &client));
    const struct oidc_grant grant = {back->code, journey.verifier, journey.nonce,
                                     back->redirect_uri};
    TRY(oidc_sign_in(cx, &client, &grant, provider.group_claim, &claims));
    struct arrival arrival = {
        .provider = &provider, .claims = &claims, .user_agent = back->user_agent};
    TRY(sign_in(cx, &arrival, ret));
    *ret_return_to = journey.return_to;
    return OK;
}
