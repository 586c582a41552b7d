/* What the files of auth/ share. Private to the folder. */
#pragma once

#include "auth/auth.h"
#include "auth/oidc.h"
#include "auth/principals.h"
#include "auth/seal.h"
#include "auth/token.h"
#include "base/digest.h"
#include "base/field.h"

#include <pthread.h>
#include <stdatomic.h>

struct auth {
    _Atomic(const struct token_keys *) keys; /* never changed, only replaced: keys.c */
    pthread_mutex_t reload;                  /* old_keys */
    struct old_keys *old_keys;
    struct principals *principals;
    struct request_counts *requests;
    struct oidc_cache *documents;
    unsigned char seal_key[SEAL_KEY_SIZE]; /* of secrets that have to be read again; seal.h */
    const char *key_dir;                   /* the options' */
    atomic_bool has_owner;                 /* true once one was seen; see setup.c */
    int64_t session_hours, access_seconds;
};

/* The first load, and the end; auth_keys_reload() in between. */
MUST_USE enum err auth_keys_init(struct auth *auth, struct err_info *err);
void auth_keys_done(struct auth *auth);

/* Runs fn in a transaction of its own in system mode, as statements that span teams or come before
 * anybody is known must. The open transaction is committed first; cx->who is the caller again
 * afterwards. Nothing happens twice: fn's failure rolls its work back. */
MUST_USE enum err as_system(struct ctx *cx, enum err (*fn)(struct ctx *cx, void *arg), void *arg);

/* --- sessions: session.c --- */

struct user {
    const char *id, *email, *name, *locale;
    int64_t created_at;
};
extern const struct shape USER;

struct team {
    const char *id, *slug, *name;
    int role; /* of the user it was listed for; not in replies */
};
extern const struct shape TEAM;

/* What the caller is and may do. */
struct session {
    struct user *user; /* NULL = the caller is a program without a user */
    struct team *team;
    struct list teams; /* struct team */
    int role;
    struct list scopes; /* const char *: names of http.h's scope table */
    int64_t expires_at; /* of the access token; 0 = does not expire by time */
};

/* What a browser has to keep. Texts in the arena. */
struct session_secrets {
    const char *access;
    const char *refresh;
    int64_t access_expires_at;
};

/* What somebody signs in with. */
struct session_proof {
    const char *email, *password;
    const char *code; /* of the second factor, or a recovery code; NULL = not given */
};
/* Checks it under the limits; a failure is in the audit log. ERR_UNAUTHENTICATED with the field
 * "code" when everything but the second factor is right. */
MUST_USE enum err session_prove(struct ctx *cx, const struct session_proof *proof,
                                const char **ret_user_id);
/* session_prove(), then a new session in the team joined first; the ctx becomes its principal. */
MUST_USE enum err session_login(struct ctx *cx, const struct session_proof *proof,
                                const char *user_agent, struct session_secrets *ret);

#define REFRESH_SIZE 48 /* "slr_" and 43 characters, with room */

/* For somebody who has proven who they are by other means. session_open() in system mode, within
 * the caller's transaction; session_become() afterwards. */
struct session_start {
    const char *user_id;
    const char *team_id; /* NULL = the team joined first */
    const char *user_agent;
    const char *provider_id; /* that vouches for them; NULL = they proved it with a password */
};
struct session_opened {
    char refresh[REFRESH_SIZE];
    struct principal who;
};
MUST_USE enum err session_open(struct ctx *cx, const struct session_start *start,
                               struct session_opened *ret);
MUST_USE enum err session_become(struct ctx *cx, const struct session_opened *opened,
                                 struct session_secrets *ret);
/* ERR_FORBIDDEN for a session that an identity provider vouched for: what it knows is good in its
 * own team, and says nothing about the account. */
MUST_USE enum err session_require_password(struct ctx *cx);
void session_set_cookies(struct ctx *cx, struct reply *rp, const struct session_secrets *secrets);
/* Sets the session's cookies and describes it. */
MUST_USE enum err session_reply(struct ctx *cx, struct reply *rp,
                                const struct session_secrets *secrets);
extern const struct shape SESSION;
/* As addresses are stored and compared; in the arena. */
const char *email_lower(struct ctx *cx, const char *email);
/* Spends a refresh token and becomes its session's principal. A token spent twice ends the whole
 * family, except within 30 s, when the same successor is given again (lost replies, two tabs). */
MUST_USE enum err session_refresh(struct ctx *cx, const char *refresh, struct session_secrets *ret);
/* Makes the caller's session end, or act in another of the user's teams. */
MUST_USE enum err session_end(struct ctx *cx);
MUST_USE enum err session_change_team(struct ctx *cx, const char *team_id);
/* Describes cx->who. */
MUST_USE enum err session_describe(struct ctx *cx, struct session *ret);
MUST_USE enum err user_get(struct ctx *cx, const char *id, struct user *ret);
/* Principal of a living session; kind PRINCIPAL_NOBODY when there is none. System mode. */
MUST_USE enum err session_principal(struct ctx *cx, const char *session_id, struct principal *ret);

/* A row that says who somebody is; which columns are there depends on the statement. */
struct identity {
    const char *session_id, *user_id, *team_id, *email, *token_sha256;
    int role;
    int64_t scope_bits;
    bool by_project, limited;
    int64_t requests_max;
};
extern const struct shape IDENTITY;

/* --- API and worker tokens: api_token.c --- */

#define SCOPE_NAMES_MAX 5

struct api_token {
    const char *id, *name, *prefix, *owner;
    struct list scopes;
    struct list projects; /* slugs; NULL items = every project */
    int64_t scope_bits;   /* enum token_scope */
    int64_t created_at, expires_at, last_used_at;
};
extern const struct shape API_TOKEN;

/* Whose tokens: a member, or a service account. */
struct token_owner {
    const char *team_id, *user_id;
    enum role role;  /* what the tokens may do at most */
    unsigned scopes; /* what their maker may hand on, enum token_scope */
};
struct token_owner token_owner_self(const struct ctx *cx);

struct api_token_create {
    const char *name;
    struct list scopes;
    struct list projects;    /* slugs; empty = every project */
    int64_t expires_in_days; /* 0 = never */
};
extern const struct shape API_TOKEN_CREATE, API_TOKEN_CREATED;

struct api_token_created {
    const char *token, *id, *name;
    int64_t expires_at;
};

/* Right prefix, length and checksum: worth asking the database. */
bool api_token_is_well_formed(const char *text);
/* Principal of an API or worker token; PRINCIPAL_NOBODY when it is not good. System mode. */
MUST_USE enum err api_token_principal(struct ctx *cx, const char *text, struct principal *ret);
MUST_USE enum err api_token_create(struct ctx *cx, const struct token_owner *owner,
                                   const struct api_token_create *options,
                                   struct api_token_created *ret);
/* One row more than the page shows, for reply_page_by_id(). user_id NULL = of the whole team. */
MUST_USE enum err api_token_list(struct ctx *cx, const struct token_owner *owner,
                                 const struct page_query *page, struct list *ret);
MUST_USE enum err api_token_delete(struct ctx *cx, const struct token_owner *owner, const char *id);

/* --- people: user.c --- */

MUST_USE enum err user_update_self(struct ctx *cx, const char *name, const char *locale,
                                   struct user *ret);
MUST_USE enum err user_change_password(struct ctx *cx, const char *current, const char *fresh,
                                       bool end_others);
