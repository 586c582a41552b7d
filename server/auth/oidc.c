/* See oidc.h. An ID token counts when (OpenID Connect Core §3.1.3.7)
 *  1. its header says RS256 or ES256 and names one key of the issuer's own set; a key that is not
 *     known makes the set be fetched anew, at most every five seconds, which is how rotation works;
 *  2. the signature is good; 3. iss is exactly the issuer, aud is our client (and azp, where there
 *     are several); 4. exp is ahead, iat not; 5. nonce is the one of this sign-in; 6. sub is there.
 * jku, x5u, jwk and crit in the header are not looked at: nothing in a token says whom to trust. */

#include "auth/oidc.h"

#include "auth/access.h"
#include "auth/jwk.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/ident.h"
#include "http/outbound.h"

#include <pthread.h>
#include <string.h>

enum { PLACES = 32, ID_TOKEN_MAX = 64 * 1024, SKEW_S = 60, SUBJECT_MAX = 255, GROUPS_MAX = 500 };
#define HOUR_US INT64_C(3600000000)
#define REFETCH_US INT64_C(5000000)

/* --- documents of providers --- */

struct document {
    char *url, *text; /* NULL = free */
    int64_t fetched_at;
};

struct oidc_cache {
    pthread_mutex_t lock;
    struct document documents[PLACES]; /* under lock */
};

struct oidc_cache *oidc_cache_new(void) {
    struct oidc_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        abort();
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void oidc_cache_free(struct oidc_cache *cache) {
    if (!cache)
        return;
    for (size_t i = 0; i < PLACES; i++) {
        free(cache->documents[i].url);
        free(cache->documents[i].text);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static const char *cache_find(struct ctx *cx, const char *url, int64_t max_age_us) {
    struct oidc_cache *cache = cx->app->auth->documents;
    scope_lock(&cache->lock);
    for (size_t i = 0; i < PLACES; i++) {
        const struct document *d = &cache->documents[i];
        if (d->url && strcmp(d->url, url) == 0 && clock_mono_us() - d->fetched_at < max_age_us)
            return arena_strdup(cx->arena, d->text);
    }
    return NULL;
}

/* In its own place, or the one fetched longest ago. */
static void cache_put(struct ctx *cx, const char *url, const char *text) {
    struct oidc_cache *cache = cx->app->auth->documents;
    scope_lock(&cache->lock);
    struct document *place = &cache->documents[0];
    for (size_t i = 0; i < PLACES; i++) {
        struct document *d = &cache->documents[i];
        if (d->url && strcmp(d->url, url) == 0) {
            place = d;
            break;
        }
        if (place->url && (!d->url || d->fetched_at < place->fetched_at))
            place = d;
    }
    free(place->url);
    free(place->text);
    *place = (struct document){strdup(url), strdup(text), clock_mono_us()};
    if (!place->url || !place->text)
        abort();
}

static void decref(void *json) {
    json_decref(json);
}

/* An object that lives as long as the arena; NULL if the text is none. */
static const json_t *json_parse(struct ctx *cx, const char *text) {
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (json)
        arena_defer(cx->arena, decref, json);
    return json_is_object(json) ? json : NULL;
}

static enum err fetch(struct ctx *cx, const char *url, int64_t max_age_us, const json_t **ret) {
    const char *text = cache_find(cx, url, max_age_us);
    if (!text) {
        struct outbound_reply reply;
        TRY(outbound_send(cx, &(struct outbound_request){.url = url}, &reply));
        if (reply.status != 200)
            return fail(cx, ERR_UNPROCESSABLE, "\"%.200s\" answered %d", url, reply.status);
        text = reply.body;
        if (json_parse(cx, text))
            cache_put(cx, url, text);
    }
    *ret = json_parse(cx, text);
    return *ret ? OK : fail(cx, ERR_UNPROCESSABLE, "\"%.200s\" did not answer in JSON", url);
}

static const char *text_of(struct ctx *cx, const json_t *object, const char *member) {
    return arena_strdup(cx->arena, json_string_value(json_object_get(object, member)));
}

static bool array_has(const json_t *array, const char *text) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *item = json_string_value(json_array_get(array, i));
        if (item && strcmp(item, text) == 0)
            return true;
    }
    return false;
}

enum err oidc_discover(struct ctx *cx, const char *issuer, struct oidc_metadata *ret) {
    size_t length = strlen(issuer);
    while (length && issuer[length - 1] == '/')
        length--;
    const char *url =
        arena_printf(cx->arena, "%.*s/.well-known/openid-configuration", (int)length, issuer);
    const json_t *document;
    TRY(fetch(cx, url, HOUR_US, &document));
    const char *says = text_of(cx, document, "issuer");
    if (!says || strcmp(says, issuer) != 0)
        return fail(cx, ERR_UNPROCESSABLE,
                    "the provider calls itself \"%.150s\", not \"%.150s\": use its own spelling",
                    says ? says : "", issuer);
    const json_t *methods = json_object_get(document, "token_endpoint_auth_methods_supported");
    *ret = (struct oidc_metadata){
        .authorization_endpoint = text_of(cx, document, "authorization_endpoint"),
        .token_endpoint = text_of(cx, document, "token_endpoint"),
        .jwks_uri = text_of(cx, document, "jwks_uri"),
        .userinfo_endpoint = text_of(cx, document, "userinfo_endpoint"),
        .secret_in_body = methods && !array_has(methods, "client_secret_basic"),
        .has_groups_scope = array_has(json_object_get(document, "scopes_supported"), "groups")};
    if (!ret->authorization_endpoint || !ret->token_endpoint || !ret->jwks_uri ||
        strncmp(ret->authorization_endpoint, "https://", 8) != 0)
        return fail(cx, ERR_UNPROCESSABLE,
                    "the provider does not name an authorization, a token and a keys endpoint");
    return OK;
}

enum err oidc_count_keys(struct ctx *cx, const struct oidc_metadata *metadata, int *ret) {
    const json_t *set;
    TRY(fetch(cx, metadata->jwks_uri, REFETCH_US, &set));
    const json_t *keys = json_object_get(set, "keys");
    *ret = 0;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        auto_json *one = json_pack("{s:[O]}", "keys", json_array_get(keys, i));
        *ret += jwk_find(one, NULL, "RS256") || jwk_find(one, NULL, "ES256");
    }
    return OK;
}

/* --- the code --- */

static const char *basic(struct ctx *cx, const struct oidc_client *client) {
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *pair = arena_printf(cx->arena, "%s:%s", uri_escape(cx, client->client_id),
                                    uri_escape(cx, client->secret));
    size_t size = strlen(pair);
    char *text = arena_alloc(cx->arena, (size + 2) / 3 * 4 + 1), *at = text;
    for (size_t i = 0; i < size; i += 3) {
        unsigned bits = (unsigned)(unsigned char)pair[i] << 16;
        if (i + 1 < size)
            bits |= (unsigned)(unsigned char)pair[i + 1] << 8;
        if (i + 2 < size)
            bits |= (unsigned char)pair[i + 2];
        for (int k = 0; k < 4; k++)
            *at++ = i + (size_t)k <= size ? ALPHABET[bits >> (18 - 6 * k) & 63] : '=';
    }
    return arena_printf(cx->arena, "Basic %s", text);
}

static enum err post_token(struct ctx *cx, const struct oidc_client *client,
                           const struct oidc_metadata *metadata, const struct oidc_grant *grant,
                           int *ret_status, const json_t **ret) {
    struct outbound_request request = {.url = metadata->token_endpoint};
    struct outbound_reply reply;
    const char *form = arena_printf(
        cx->arena,
        "grant_type=authorization_code&code=%s&redirect_uri=%s&client_id=%s&code_verifier=%s",
        uri_escape(cx, grant->code), uri_escape(cx, grant->redirect_uri),
        uri_escape(cx, client->client_id), grant->verifier);
    request.form = form;
    if (client->secret && metadata->secret_in_body)
        request.form =
            arena_printf(cx->arena, "%s&client_secret=%s", form, uri_escape(cx, client->secret));
    else if (client->secret)
        request.authorization = basic(cx, client);
    TRY(outbound_send(cx, &request, &reply));
    *ret_status = reply.status;
    *ret = json_parse(cx, reply.body);
    return *ret ? OK
                : fail(cx, ERR_UNPROCESSABLE, "the token endpoint answered %d without JSON",
                       reply.status);
}

static const char *error_of(struct ctx *cx, const json_t *reply) {
    const char *error = text_of(cx, reply, "error");
    return error ? error : "no error code";
}

enum err oidc_test_client(struct ctx *cx, const struct oidc_client *client,
                          const struct oidc_metadata *metadata, const char *redirect_uri) {
    const struct oidc_grant probe = {.code = "connection-test",
                                     .verifier = "connection-test-of-a-verifier-of-43-characters",
                                     .redirect_uri = redirect_uri};
    int status;
    const json_t *reply;
    TRY(post_token(cx, client, metadata, &probe, &status, &reply));
    if (strcmp(error_of(cx, reply), "invalid_grant") == 0)
        return OK;
    return fail(cx, ERR_UNPROCESSABLE,
                "the token endpoint answered %d, \"%.80s\": check client id and secret", status,
                error_of(cx, reply));
}

/* --- the ID token --- */

static enum err bad_token(struct ctx *cx, const char *why) {
    return fail(cx, ERR_UNAUTHENTICATED, "the provider's ID token is not good: %s", why);
}

static const json_t *part_parse(struct ctx *cx, const char *text, size_t length) {
    char *bytes = arena_alloc(cx->arena, length + 1);
    size_t size = 0;
    if (!base64url_decode(text, length, bytes, length, &size) || memchr(bytes, '\0', size))
        return NULL;
    bytes[size] = '\0';
    return json_parse(cx, bytes);
}

static enum err find_key(struct ctx *cx, const struct oidc_metadata *metadata, const char *kid,
                         const char *alg, const json_t **ret) {
    const json_t *set;
    TRY(fetch(cx, metadata->jwks_uri, HOUR_US, &set));
    *ret = jwk_find(set, kid, alg);
    if (*ret)
        return OK;
    TRY(fetch(cx, metadata->jwks_uri, REFETCH_US, &set));
    *ret = jwk_find(set, kid, alg);
    return *ret ? OK : bad_token(cx, "its key is not in the provider's set");
}

static enum err verify_signature(struct ctx *cx, const struct oidc_metadata *metadata,
                                 const char *token, const char *dot, const json_t *header) {
    const char *alg = text_of(cx, header, "alg"), *kid = text_of(cx, header, "kid");
    unsigned char signature[1024];
    size_t size = 0;
    const json_t *key;
    if (!alg || json_object_get(header, "crit"))
        return bad_token(cx, "its header is not one we know");
    TRY(find_key(cx, metadata, kid, alg, &key));
    if (!base64url_decode(dot + 1, strlen(dot + 1), signature, sizeof(signature), &size) ||
        !jwk_verify(key, alg, token, (size_t)(dot - token), signature, size))
        return bad_token(cx, "its signature is wrong");
    return OK;
}

static bool audience_is(const json_t *claims, const char *client_id) {
    const json_t *aud = json_object_get(claims, "aud");
    const char *azp = json_string_value(json_object_get(claims, "azp"));
    if (azp && strcmp(azp, client_id) != 0)
        return false;
    if (json_is_string(aud))
        return strcmp(json_string_value(aud), client_id) == 0;
    return array_has(aud, client_id) && (json_array_size(aud) == 1 || azp);
}

static bool text_is(const json_t *claims, const char *member, const char *expected) {
    const char *text = json_string_value(json_object_get(claims, member));
    return text && strcmp(text, expected) == 0;
}

static enum err check_claims(struct ctx *cx, const json_t *claims, const struct oidc_client *client,
                             const char *nonce) {
    int64_t now = clock_now_us() / 1000000;
    const json_t *exp = json_object_get(claims, "exp"), *iat = json_object_get(claims, "iat");
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    if (!text_is(claims, "iss", client->issuer))
        return bad_token(cx, "it is from another issuer");
    if (!audience_is(claims, client->client_id))
        return bad_token(cx, "it is for another client");
    if (!json_is_integer(exp) || json_integer_value(exp) + SKEW_S <= now)
        return bad_token(cx, "it has expired");
    if (!json_is_integer(iat) || json_integer_value(iat) > now + SKEW_S)
        return bad_token(cx, "it is from the future");
    if (!text_is(claims, "nonce", nonce))
        return bad_token(cx, "it belongs to another sign-in");
    if (!subject || !*subject || strlen(subject) > SUBJECT_MAX)
        return bad_token(cx, "it names nobody");
    return OK;
}

static enum err verify_token(struct ctx *cx, const struct oidc_client *client,
                             const struct oidc_metadata *metadata, const char *nonce,
                             const char *token, const json_t **ret) {
    const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.') || strlen(token) > ID_TOKEN_MAX)
        return bad_token(cx, "it is no signed token");
    const json_t *header = part_parse(cx, token, (size_t)(first - token));
    const json_t *claims = part_parse(cx, first + 1, (size_t)(second - first - 1));
    if (!header || !claims)
        return bad_token(cx, "it cannot be read");
    TRY(verify_signature(cx, metadata, token, second, header));
    TRY(check_claims(cx, claims, client, nonce));
    *ret = claims;
    return OK;
}

/* --- the claims --- */

static struct list groups_of(struct ctx *cx, const json_t *claim) {
    size_t count = json_is_array(claim) ? json_array_size(claim) : 0;
    const char **names = arena_new_array(cx->arena, const char *, count + 1);
    struct list groups = {.items = names};
    if (json_is_string(claim))
        names[groups.count++] = arena_strdup(cx->arena, json_string_value(claim));
    for (size_t i = 0; i < count && groups.count < GROUPS_MAX; i++)
        if (json_is_string(json_array_get(claim, i)))
            names[groups.count++] =
                arena_strdup(cx->arena, json_string_value(json_array_get(claim, i)));
    return groups;
}

static void read_claims(struct ctx *cx, const json_t *claims, const char *group_claim,
                        struct oidc_claims *ret) {
    const json_t *groups = json_object_get(claims, group_claim);
    if (!ret->email && json_is_true(json_object_get(claims, "email_verified")))
        ret->email = text_of(cx, claims, "email");
    if (!ret->name)
        ret->name = text_of(cx, claims, "name");
    if (groups && !ret->groups.count)
        ret->groups = groups_of(cx, groups);
}

/* The same person, or nothing of it counts. */
static enum err ask_userinfo(struct ctx *cx, const char *url, const char *access_token,
                             const char *group_claim, struct oidc_claims *ret) {
    struct outbound_reply reply;
    const struct outbound_request request = {
        .url = url, .authorization = arena_printf(cx->arena, "Bearer %s", access_token)};
    TRY(outbound_send(cx, &request, &reply));
    const json_t *claims = json_parse(cx, reply.body);
    if (reply.status != 200 || !claims || !text_is(claims, "sub", ret->subject))
        return fail(cx, ERR_UNAUTHENTICATED, "the provider did not say who it is");
    read_claims(cx, claims, group_claim, ret);
    return OK;
}

static bool is_header_text(const char *text) {
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

enum err oidc_sign_in(struct ctx *cx, const struct oidc_client *client,
                      const struct oidc_grant *grant, const char *group_claim,
                      struct oidc_claims *ret) {
    struct oidc_metadata metadata;
    const json_t *reply, *claims;
    int status;
    TRY(oidc_discover(cx, client->issuer, &metadata));
    TRY(post_token(cx, client, &metadata, grant, &status, &reply));
    const char *token = text_of(cx, reply, "id_token");
    const char *access_token = text_of(cx, reply, "access_token");
    if (status != 200 || !token)
        return fail(cx, ERR_UNAUTHENTICATED, "the provider refused the code: %d, \"%.80s\"", status,
                    error_of(cx, reply));
    TRY(verify_token(cx, client, &metadata, grant->nonce, token, &claims));
    *ret = (struct oidc_claims){.subject = text_of(cx, claims, "sub")};
    read_claims(cx, claims, group_claim, ret);
    if (ret->email || !metadata.userinfo_endpoint || !access_token || !is_header_text(access_token))
        return OK;
    return ask_userinfo(cx, metadata.userinfo_endpoint, access_token, group_claim, ret);
}
