/* Who is calling: passwords, browser sessions, API tokens and worker tokens.
 *
 * A browser holds two __Host- cookies: a JWT of ten minutes that names its session, and a one-time
 * refresh token. Programs hold an API token (slp_…), workers a worker token (slw_…). Each request
 * is turned into a `struct principal` from the database, remembered for at most five seconds, so
 * that signing out, a changed role or a disabled user take effect everywhere within that time.
 *
 * Secrets at rest: argon2id for passwords, SHA-256 for tokens (they carry 256 random bits), and the
 * signing keys in key_dir, which only the server's user may read. libjwt is used in token.c alone,
 * libargon2 in password.c alone. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

struct auth_options {
    const char *key_dir; /* jwt-1.key …, 0600: the highest number signs, the others still verify */
    int64_t session_hours;  /* a sign-in not refreshed for so long ends; 0 = 12 */
    int64_t access_minutes; /* life of an access token, 1..10; 0 = 10 */
};

MUST_USE enum err auth_new(const struct auth_options *options, struct auth **ret,
                           struct err_info *err);
void auth_free(struct auth *auth);

/* Writes the next signing key into dir (made 0700 if absent). */
MUST_USE enum err auth_key_create(const char *dir, struct err_info *err);
/* Rotation: make a key, which signs from the next reload on while the older ones still verify;
 * retire the old ones once their tokens have ended (ten minutes). Nobody is signed out. */
struct auth_key {
    int number; /* the highest signs */
    int64_t created_at;
};
/* The newest first, cap at most. */
MUST_USE enum err auth_key_list(const char *dir, struct auth_key *ret, int cap, int *ret_count,
                                struct err_info *err);
/* ERR_CONFLICT for the key that signs. */
MUST_USE enum err auth_key_retire(const char *dir, int number, struct err_info *err);
/* Reads the keys again; auth_sweep() does so too. What was there stays when it fails. */
MUST_USE enum err auth_keys_reload(struct auth *auth, struct err_info *err);

/* For http_registry_new(). */
extern const struct http_hooks AUTH_HOOKS;

/* One row of the audit log in the ctx's transaction; when nobody acts, in a transaction of its own
 * (committing the open one). object = what it was done to, as people would name it. */
MUST_USE enum err auth_audit(struct ctx *cx, const char *action, const char *object,
                             enum err refusal);

struct auth_user_create {
    const char *email, *name;
    const char *team_slug,
        *team_name; /* the team, and its project "default", are made when absent */
    enum role role;
    const char *password; /* NULL = one is generated */
    bool is_first;        /* ERR_CONFLICT unless the installation has no owner yet */
};
/* As PRINCIPAL_SYSTEM. ret_password (arena) is the password, given or generated. */
MUST_USE enum err auth_user_create(struct ctx *cx, const struct auth_user_create *options,
                                   const char **ret_password);

#define AUTH_TOKEN_SIZE 66 /* slw_<id8>_<secret43>_<crc8> with its NUL */
/* As PRINCIPAL_SYSTEM. The token cannot be shown again. */
MUST_USE enum err auth_worker_token_create(struct ctx *cx, const char *name,
                                           char ret[AUTH_TOKEN_SIZE]);

/* While there is no owner: writes the one-time secret of POST /api/v1/setup into
 * key_dir/setup.secret and logs it, unless the file is there. As PRINCIPAL_SYSTEM. */
MUST_USE enum err auth_setup_prepare(struct ctx *cx);

/* Deletes what nobody needs any more: ended sessions, old sign-in counts. As PRINCIPAL_SYSTEM. */
MUST_USE enum err auth_sweep(struct ctx *cx);

extern const char *const ROLE_NAMES[]; /* in the order of enum role; NULL-terminated */

extern const struct route AUTH_ROUTES[];
extern const size_t AUTH_ROUTE_COUNT;
extern const struct route MEMBERS_ROUTES[];
extern const size_t MEMBERS_ROUTE_COUNT;
extern const struct route SESSIONS_ROUTES[];
extern const size_t SESSIONS_ROUTE_COUNT;
extern const struct route SETUP_ROUTES[];
extern const size_t SETUP_ROUTE_COUNT;
extern const struct route SSO_ROUTES[];
extern const size_t SSO_ROUTE_COUNT;
extern const struct route TOTP_ROUTES[];
extern const size_t TOTP_ROUTE_COUNT;
extern const struct db_constraint AUTH_CONSTRAINTS[];
extern const size_t AUTH_CONSTRAINT_COUNT;
