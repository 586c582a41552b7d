/* Identity providers of a team, and signing in through them. Private to auth/. */
#pragma once

#include "auth/access.h"

struct group_role {
    const char *group;
    int role;
};

struct provider {
    const char *id, *team_id, *name, *issuer, *client_id;
    const char *secret_sealed; /* NULL = a public client; never in replies */
    bool has_secret;
    const char *group_claim;
    struct list group_roles; /* struct group_role: the highest that fits counts */
    int default_role;        /* FIELD_NO_ENUM = whoever is in no group of the list stays out */
    bool sso_only, enabled;
    const char *redirect_uri; /* in replies: what has to be registered there */
};
extern const struct shape PROVIDER, PROVIDER_ROW, GROUP_ROLE;

/* --- providers.c; the caller's team --- */

MUST_USE enum err provider_list(struct ctx *cx, const struct page_query *page, struct list *ret);
MUST_USE enum err provider_get(struct ctx *cx, const char *id, struct provider *ret);
/* secret NULL = none. provider->id is set. */
MUST_USE enum err provider_create(struct ctx *cx, struct provider *provider, const char *secret);
/* Writes the whole of it; another issuer's subjects are other people, so identities are forgotten.
 */
MUST_USE enum err provider_update(struct ctx *cx, const struct provider *provider,
                                  bool issuer_changed);
MUST_USE enum err provider_delete(struct ctx *cx, const char *id);
MUST_USE enum err provider_seal(struct ctx *cx, struct provider *provider, const char *secret);
MUST_USE enum err provider_client(struct ctx *cx, const struct provider *provider,
                                  struct oidc_client *ret);

struct test_step {
    const char *name;
    bool ok;
    const char *detail;
};
struct provider_test {
    bool ok;
    struct list steps; /* struct test_step; ends with the first that failed */
};
extern const struct shape PROVIDER_TEST;
MUST_USE enum err provider_test(struct ctx *cx, const struct provider *provider,
                                struct provider_test *ret);

/* --- sso.c --- */

struct sso_start {
    const char *location; /* where to send the browser */
    const char *cookie;   /* what it has to bring back */
};
MUST_USE enum err sso_start(struct ctx *cx, const char *provider_id, const char *return_to,
                            const char *redirect_uri, struct sso_start *ret);

struct sso_return {
    const char *code, *state, *error, *issuer; /* NULL = not given */
    const char *cookie;                        /* NULL = not brought back */
    const char *redirect_uri, *user_agent;
};
/* Signs in; ret_return_to is a path of ours. */
MUST_USE enum err sso_finish(struct ctx *cx, const struct sso_return *back,
                             struct session_secrets *ret, const char **ret_return_to);
