/* OpenID Connect as a client: discovery, keys, the exchange of a code, and the ID token's rules.
 * Private to auth/. Knows nothing of our users and teams. */
#pragma once

#include "base/field.h"
#include "ctx.h"

/* What was fetched from providers, for an hour. Thread-safe. */
struct oidc_cache;
struct oidc_cache *oidc_cache_new(void);
void oidc_cache_free(struct oidc_cache *cache);

struct oidc_metadata {
    const char *authorization_endpoint, *token_endpoint, *jwks_uri;
    const char *userinfo_endpoint; /* NULL = it has none */
    bool secret_in_body;           /* the provider does not take it as Basic */
    bool has_groups_scope;
};

/* ERR_UNPROCESSABLE says what about the document is wrong. */
MUST_USE enum err oidc_discover(struct ctx *cx, const char *issuer, struct oidc_metadata *ret);
/* How many keys of the set are of use to us. */
MUST_USE enum err oidc_count_keys(struct ctx *cx, const struct oidc_metadata *metadata, int *ret);

struct oidc_client {
    const char *issuer, *client_id;
    const char *secret; /* NULL = a public client */
};

/* What is known about a sign-in under way. */
struct oidc_grant {
    const char *code, *verifier, *nonce, *redirect_uri;
};

struct oidc_claims {
    const char *subject;
    const char *email;  /* NULL = not said, or not said to be verified */
    const char *name;   /* NULL = not said */
    struct list groups; /* const char * */
};

/* Exchanges the code and checks the ID token; asks for the rest of the claims where the token does
 * not have them. */
MUST_USE enum err oidc_sign_in(struct ctx *cx, const struct oidc_client *client,
                               const struct oidc_grant *grant, const char *group_claim,
                               struct oidc_claims *ret);
/* Whether the token endpoint knows the client: sends a code that cannot be good. */
MUST_USE enum err oidc_test_client(struct ctx *cx, const struct oidc_client *client,
                                   const struct oidc_metadata *metadata, const char *redirect_uri);
