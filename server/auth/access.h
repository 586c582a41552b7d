/* What the parts about people share: members, invitations, resets, sessions, second factors.
 * Private to auth/. */
#pragma once

#include "auth/auth_private.h"
#include "base/digest.h"
#include "base/field.h"
#include "http/http.h"

/* --- one-time links: link.c --- */

struct link {
    const char *token; /* shown once */
    char token_sha256[SHA256_TEXT_SIZE];
};
void link_new(struct ctx *cx, struct link *ret);
void link_hash(const char *token, char ret[SHA256_TEXT_SIZE]);
/* A value within a URI or a form: what is not plain becomes %XX. */
const char *uri_escape(struct ctx *cx, const char *text);

/* --- members: members.c --- */

enum member_state { MEMBER_ACTIVE, MEMBER_DEACTIVATED };
extern const char *const MEMBER_STATE_NAMES[];

struct member {
    const char *user_id, *email, *name;
    int role;  /* enum role */
    int state; /* enum member_state */
    bool totp;
    struct list groups; /* const char *: names */
    int64_t last_seen_at, created_at;
};
extern const struct shape MEMBER;

struct member_update {
    int role, state; /* FIELD_NO_ENUM = as it is */
};

MUST_USE enum err member_list(struct ctx *cx, const struct page_query *page, struct list *ret);
/* ERR_FORBIDDEN unless an owner touches an owner, ERR_CONFLICT when no active owner would be left.
 * Takes effect on open sessions and tokens at once here, within five seconds elsewhere. */
MUST_USE enum err member_update(struct ctx *cx, const char *user_id,
                                const struct member_update *options, struct member *ret);
MUST_USE enum err member_delete(struct ctx *cx, const char *user_id);
/* ERR_CONFLICT for somebody who belongs to other teams too. */
MUST_USE enum err member_reset(struct ctx *cx, const char *user_id, const char **ret_token);
/* They sign in with their password alone until they set a new one up; their sessions end.
 * ERR_CONFLICT like member_reset(). */
MUST_USE enum err member_drop_second_factor(struct ctx *cx, const char *user_id);

/* Sets the password that a reset link allows; every session of the person ends. ERR_NOT_FOUND for a
 * link that is not good (any more). */
MUST_USE enum err reset_use(struct ctx *cx, const char *token, const char *password);

/* --- invitations: invitations.c --- */

struct invitation {
    const char *id, *email;
    int role, state;
    const char *invited_by;
    int64_t created_at, expires_at;
    const char *link; /* NULL except in the reply that creates it */
};
extern const struct shape INVITATION, INVITATION_CREATED;

struct invitation_create {
    const char *email;
    int role;
    int64_t expires_in_hours; /* 0 = 72 */
};

/* What the holder of a link is shown. */
struct invitation_view {
    const char *team_id, *team, *email, *user_id; /* user_id NULL = the address has no account */
    int role;
    bool has_account;
};
extern const struct shape INVITATION_VIEW;

struct invitation_accept {
    const char *name; /* of a new account */
    const char *password, *code;
};

MUST_USE enum err invitation_list(struct ctx *cx, const struct page_query *page, struct list *ret);
/* ret->link is the token alone. */
MUST_USE enum err invitation_create(struct ctx *cx, const struct invitation_create *options,
                                    struct invitation *ret);
MUST_USE enum err invitation_revoke(struct ctx *cx, const char *id);
MUST_USE enum err invitation_find(struct ctx *cx, const char *token, struct invitation_view *ret);
/* With the account's password, or a new account; opens a session in the team. */
MUST_USE enum err invitation_accept(struct ctx *cx, const char *token,
                                    const struct invitation_accept *options, const char *user_agent,
                                    struct session_secrets *ret);

/* --- second factors: second_factor.c --- */

#define TOTP_SECRET_SIZE 20

/* RFC 6238 with SHA-1 for one 30 s step; ret has digits characters and a NUL. */
void totp_at(const unsigned char *secret, size_t size, int64_t step, int digits, char *ret);

/* Takes a code of the authenticator, or a recovery code: each is good once. System mode. */
MUST_USE enum err second_factor_check(struct ctx *cx, const char *user_id, const char *code,
                                      bool *ret_ok);

struct totp_setup {
    const char *secret, *uri, *qr_svg;
};
struct recovery_codes {
    struct list codes;
};
/* All about the caller. The new factor is asked for once a code of it has confirmed it. */
MUST_USE enum err second_factor_create(struct ctx *cx, struct totp_setup *ret);
MUST_USE enum err second_factor_confirm(struct ctx *cx, const char *code,
                                        struct recovery_codes *ret);
MUST_USE enum err second_factor_delete(struct ctx *cx, const char *code);
MUST_USE enum err second_factor_renew_codes(struct ctx *cx, const char *code,
                                            struct recovery_codes *ret);
/* The text as an SVG of a QR code; ERR_INTERNAL when it does not fit. qr.c */
MUST_USE enum err qr_svg(struct ctx *cx, const char *text, const char **ret);

/* --- one's own sessions: sessions.c --- */

struct browser_session {
    const char *id, *device, *remote;
    int64_t created_at, last_used_at, expires_at;
    bool current;
};
extern const struct shape BROWSER_SESSION;

MUST_USE enum err browser_session_list(struct ctx *cx, const struct page_query *page,
                                       struct list *ret);
MUST_USE enum err browser_session_end(struct ctx *cx, const char *id);
MUST_USE enum err browser_session_end_others(struct ctx *cx);
/* "Firefox on Linux" */
const char *device_name(struct ctx *cx, const char *user_agent);

/* --- first start: setup.c --- */

/* ERR_CONFLICT when there is an owner; holds off others who ask until the transaction ends. */
MUST_USE enum err setup_require_first(struct ctx *cx);
/* The hook of http/: ERR_UNAVAILABLE for what has to wait until there is an owner. */
MUST_USE enum err setup_admit(struct ctx *cx, const struct route *route);
