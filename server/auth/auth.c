/* The server's half of authentication: what http/ asks of it for each request; see auth.h.
 *
 * An Authorization header decides alone; without one the session cookie does. Whatever is not good
 * leaves the caller nobody, with no word about why: the route's scope then says 401. */

#include "auth/auth.h"

#include "auth/access.h"
#include "auth/auth_private.h"
#include "auth/permissions.h"
#include "auth/quotas.h"
#include "base/clock.h"
#include "db/db.h"
#include "http/head.h"
#include "sql/auth.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BASIC_MAX = 510 }; /* bytes of user name and password; divisible by three */

const char *const ROLE_NAMES[] = {"none", "viewer", "editor", "admin", "owner", NULL};

enum err auth_new(const struct auth_options *options, struct auth **ret, struct err_info *err) {
    unsigned char seal_key[SEAL_KEY_SIZE];
    TRY(seal_key_load(options->key_dir, seal_key, err));
    struct auth *auth = calloc(1, sizeof(*auth));
    if (!auth)
        abort();
    auth->key_dir = options->key_dir;
    enum err loaded = auth_keys_init(auth, err);
    if (loaded != OK) {
        free(auth);
        return loaded;
    }
    memcpy(auth->seal_key, seal_key, SEAL_KEY_SIZE);
    explicit_bzero(seal_key, sizeof(seal_key));
    auth->principals = principals_new();
    auth->requests = request_counts_new();
    auth->documents = oidc_cache_new();
    auth->session_hours = options->session_hours > 0 ? options->session_hours : 12;
    auth->access_seconds = options->access_minutes * 60;
    if (auth->access_seconds < 60 || auth->access_seconds > ACCESS_SECONDS)
        auth->access_seconds = ACCESS_SECONDS;
    *ret = auth;
    return OK;
}

void auth_free(struct auth *auth) {
    if (!auth)
        return;
    principals_free(auth->principals);
    request_counts_free(auth->requests);
    oidc_cache_free(auth->documents);
    auth_keys_done(auth);
    explicit_bzero(auth->seal_key, sizeof(auth->seal_key));
    free(auth);
}

enum err as_system(struct ctx *cx, enum err (*fn)(struct ctx *cx, void *arg), void *arg) {
    TRY(db_commit(cx));
    struct principal caller = cx->who;
    cx->who = (struct principal){.kind = PRINCIPAL_SYSTEM, .name = "system"};
    enum err err = fn(cx, arg);
    if (err == OK)
        err = db_commit(cx);
    else
        db_rollback(cx);
    cx->who = caller;
    return err;
}

/* A question to the database about one session or token, remembered. */
struct lookup {
    enum err (*ask)(struct ctx *cx, const char *what, struct principal *ret);
    const char *what; /* session id or token */
    struct principal found;
};

static enum err lookup_run(struct ctx *cx, void *arg) {
    struct lookup *lookup = arg;
    return lookup->ask(cx, lookup->what, &lookup->found);
}

static enum err become(struct ctx *cx, const char *key, struct lookup *lookup) {
    struct principals *known = cx->app->auth->principals;
    if (principals_find(known, key, &cx->who))
        return OK;
    int64_t asked_at = clock_mono_us();
    TRY(as_system(cx, lookup_run, lookup));
    if (lookup->found.kind != PRINCIPAL_NOBODY)
        principals_put(known, key, asked_at, &lookup->found);
    cx->who = lookup->found;
    return OK;
}

/* The password of "Basic …", whatever the user's name: what programs send that know no better. */
static const char *basic_password(struct ctx *cx, const char *encoded) {
    unsigned char text[BASIC_MAX + 1];
    size_t length = strlen(encoded);
    if (length == 0 || length % 4 != 0 || length > BASIC_MAX / 3 * 4)
        return "";
    int size = EVP_DecodeBlock(text, (const unsigned char *)encoded, (int)length);
    if (size < 0)
        return "";
    /* The padding counts as zero bytes: the text ends there. */
    text[size] = '\0';
    const char *colon = strchr((const char *)text, ':');
    return colon ? arena_strdup(cx->arena, colon + 1) : "";
}

static const char *token_of(struct ctx *cx, const char *authorization) {
    const char *rest = authorization + strcspn(authorization, " ");
    rest += strspn(rest, " ");
    if (strncasecmp(authorization, "Bearer ", 7) == 0)
        return rest;
    return strncasecmp(authorization, "Basic ", 6) == 0 ? basic_password(cx, rest) : "";
}

static enum err authenticate_token(struct ctx *cx, const char *authorization) {
    const char *token = token_of(cx, authorization);
    if (!api_token_is_well_formed(token))
        return OK;
    char key[SHA256_TEXT_SIZE];
    sha256_hex_of(token, strlen(token), key);
    struct lookup lookup = {.ask = api_token_principal, .what = token};
    return become(cx, key, &lookup);
}

static enum err authenticate(struct ctx *cx, const struct http_head *head) {
    const char *authorization = http_head_get(head, "Authorization");
    if (authorization)
        return authenticate_token(cx, authorization);
    char cookie[ACCESS_MAX + 1];
    struct access access;
    if (!http_head_cookie(head, "__Host-slipway", cookie, sizeof(cookie)) ||
        !token_verify(atomic_load(&cx->app->auth->keys), cookie, &access))
        return OK;
    struct lookup lookup = {.ask = session_principal, .what = access.session_id};
    TRY(become(cx, access.session_id, &lookup));
    /* Both are signed together; a mismatch means the row was changed under us. */
    if (cx->who.kind == PRINCIPAL_USER && strcmp(cx->who.user_id, access.user_id) != 0)
        memset(&cx->who, 0, sizeof(cx->who));
    return OK;
}

static const char *actor_kind(enum principal_kind kind) {
    static const char *const names[] = {"nobody", "user", "token", "worker", "system"};
    return names[kind];
}

struct audit_row {
    struct principal actor;
    const char *action, *object;
    enum err refusal;
};

static enum err audit_insert(struct ctx *cx, void *arg) {
    const struct audit_row *row = arg;
    const struct principal *actor = &row->actor;
    const char *actor_id = actor->user_id[0] ? actor->user_id : actor->session_id;
    return db_exec(cx, &SQL_audit_insert,
                   ARGS(actor->team_id[0] ? actor->team_id : NULL, actor_kind(actor->kind),
                        actor_id[0] ? actor_id : NULL, actor->name, row->action, row->object,
                        row->refusal == OK ? NULL : err_to_string(row->refusal), cx->remote,
                        cx->request_id),
                   NULL);
}

enum err auth_audit(struct ctx *cx, const char *action, const char *object, enum err refusal) {
    struct audit_row row = {cx->who, action, object ? object : "", refusal};
    bool sees_own_row =
        cx->who.team_id[0] || cx->who.kind == PRINCIPAL_SYSTEM || cx->who.kind == PRINCIPAL_WORKER;
    return sees_own_row ? audit_insert(cx, &row) : as_system(cx, audit_insert, &row);
}

static enum err sweep(struct ctx *cx, void *arg) {
    (void)arg;
    TRY(db_exec(cx, &SQL_sweep_sessions, NO_ARGS, NULL));
    TRY(db_exec(cx, &SQL_sweep_resets, NO_ARGS, NULL));
    TRY(db_exec(cx, &SQL_sweep_sso_states, NO_ARGS, NULL));
    return db_exec(cx, &SQL_sweep_login_failures, NO_ARGS, NULL);
}

enum err auth_sweep(struct ctx *cx) {
    TRY(auth_keys_reload(cx->app->auth, &cx->err));
    return as_system(cx, sweep, NULL);
}

const struct http_hooks AUTH_HOOKS = {
    .authenticate = authenticate,
    .admit = setup_admit,
    .audit = auth_audit,
    .project_role = permission_role,
    .advice = permission_advice,
    .count_request = quota_count_request,
};
