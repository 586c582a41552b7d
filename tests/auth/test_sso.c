/* Single sign-on with a provider made of paper: it answers instead of the network, signs what each
 * test wants signed, and so can lie in ways that a real one cannot. tests/oidc has a real one. */

#include "base/buf.h"
#include "base/ident.h"
#include "http/outbound.h"
#include "tests/auth/browser.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define ISSUER "https://id.example.test"

enum signing { SIGN_WELL, SIGN_OTHER_KEY, SIGN_HMAC, SIGN_NOT, SIGN_CUT };

static struct {
    EVP_PKEY *key, *other; /* the other is in no set */
    char nonce[64];
    const char *header;   /* of the ID token */
    const char *override; /* members over the good claims, as JSON; NULL = none */
    enum signing how;
    const char *token_error;
    int asked;
} idp;

#define GOOD_HEADER "{\"alg\":\"RS256\",\"kid\":\"one\"}"

static const char *encoded(struct arena *arena, const void *data, size_t size) {
    char *text = arena_alloc(arena, size * 4 / 3 + 8);
    base64url_encode(data, size, text, size * 4 / 3 + 8);
    return text;
}

static size_t number_of(EVP_PKEY *key, const char *name, unsigned char *ret) {
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    size_t size = (size_t)BN_bn2bin(number, ret);
    BN_free(number);
    return size;
}

static const char *key_set(struct arena *arena) {
    unsigned char n[512], e[16];
    size_t n_size = number_of(idp.key, OSSL_PKEY_PARAM_RSA_N, n);
    size_t e_size = number_of(idp.key, OSSL_PKEY_PARAM_RSA_E, e);
    return arena_printf(arena,
                        "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":"
                        "\"one\",\"n\":\"%s\",\"e\":\"%s\"}]}",
                        encoded(arena, n, n_size), encoded(arena, e, e_size));
}

static const char *claims(struct arena *arena) {
    long long now = clock_now_us() / 1000000;
    json_t *good =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:s, s:[s]}", "iss", ISSUER, "aud",
                  "slipway", "sub", "subject-1", "exp", (json_int_t)(now + 300), "iat",
                  (json_int_t)now, "nonce", idp.nonce, "email", "sso.ann@example.test",
                  "email_verified", 1, "name", "Ann", "groups", "ml");
    json_t *over = idp.override ? json_loads(idp.override, 0, NULL) : json_object();
    assert_non_null(over);
    json_object_update(good, over);
    char *text = json_dumps(good, 0);
    const char *copy = arena_strdup(arena, text);
    free(text);
    json_decref(good);
    json_decref(over);
    return copy;
}

static const char *sign(struct arena *arena, const char *text) {
    unsigned char signature[512], n[512];
    size_t size = sizeof(signature);
    unsigned int mac_size = 0;
    if (idp.how == SIGN_NOT)
        return "";
    if (idp.how == SIGN_HMAC) { /* with what everybody knows of the key */
        size_t n_size = number_of(idp.key, OSSL_PKEY_PARAM_RSA_N, n);
        HMAC(EVP_sha256(), n, (int)n_size, (const unsigned char *)text, strlen(text), signature,
             &mac_size);
        return encoded(arena, signature, mac_size);
    }
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_PKEY *key = idp.how == SIGN_OTHER_KEY ? idp.other : idp.key;
    assert_int_equal(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(digest, signature, &size, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(digest);
    return encoded(arena, signature, idp.how == SIGN_CUT ? size - 1 : size);
}

static const char *id_token(struct arena *arena) {
    const char *body = claims(arena);
    const char *text = arena_printf(arena, "%s.%s", encoded(arena, idp.header, strlen(idp.header)),
                                    encoded(arena, body, strlen(body)));
    return arena_printf(arena, "%s.%s", text, sign(arena, text));
}

static const char DISCOVERY[] =
    "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"" ISSUER "/auth\",\"token_endpoint\":"
    "\"" ISSUER "/token\",\"jwks_uri\":\"" ISSUER "/keys\"}";

static enum err answer(struct ctx *cx, const struct outbound_request *request,
                       struct outbound_reply *ret) {
    const char *body = "{}";
    idp.asked++;
    ret->status = 200;
    if (strcmp(request->url, ISSUER "/.well-known/openid-configuration") == 0)
        body = DISCOVERY;
    else if (strcmp(request->url, ISSUER "/keys") == 0)
        body = key_set(cx->arena);
    else if (strcmp(request->url, ISSUER "/token") != 0)
        return fail(cx, ERR_UNAVAILABLE, "there is nothing at \"%s\"", request->url);
    else if (idp.token_error || strstr(request->form, "code=connection-test")) {
        ret->status = 400;
        body = arena_printf(cx->arena, "{\"error\":\"%s\"}",
                            idp.token_error ? idp.token_error : "invalid_grant");
    } else
        body = arena_printf(cx->arena, "{\"id_token\":\"%s\"}", id_token(cx->arena));
    ret->body = body;
    ret->size = strlen(body);
    return OK;
}

/* --- arranging --- */

static const char *provider_make(struct test_service *t, struct browser *owner, const char *more) {
    test_sql(t->db, "delete from identity_providers; delete from login_failures");
    const char *body = arena_printf(t->arena,
                                    "{\"name\":\"Paper\",\"issuer\":\"" ISSUER
                                    "\",\"client_id\":\"slipway\",\"client_secret\":\"top secret"
                                    "\"%s}",
                                    more);
    struct test_reply *reply = browse(owner, "POST", "/api/v1/providers", body);
    assert_int_equal(reply->status, 201);
    return json_string_value(json_object_get(reply->json, "id"));
}

static struct browser owner_of(struct test_service *t, const char *team) {
    struct browser b = browser_new(t);
    const char *email = arena_printf(t->arena, "%s.owner@example.test", team);
    person_create(t, email, team, ROLE_OWNER);
    assert_int_equal(sign_in(&b, email, PASSWORD), 200);
    idp.header = GOOD_HEADER;
    idp.override = NULL;
    idp.how = SIGN_WELL;
    idp.token_error = NULL;
    return b;
}

static const char *query_value(struct test_service *t, const char *url, const char *name) {
    const char *at = strstr(url, arena_printf(t->arena, "&%s=", name));
    assert_non_null(at);
    at = strchr(at, '=') + 1;
    return arena_strndup(t->arena, at, strcspn(at, "&"));
}

/* Goes to the provider and comes back; where the browser is sent then. */
static const char *travel(struct test_service *t, struct browser *b, const char *provider) {
    struct test_reply *reply = browse(
        b, "GET", arena_printf(t->arena, "/api/v1/sso/%s/start?return_to=/runs", provider), NULL);
    assert_int_equal(reply->status, 302);
    const char *url = test_header(t->arena, reply, "Location");
    snprintf(idp.nonce, sizeof(idp.nonce), "%s", query_value(t, url, "nonce"));
    char cookie[4000] = "";
    keep_cookie(reply->head, "Set-Cookie: __Host-slipway_sso=", cookie, sizeof(cookie));
    struct test_request rq = {
        .path = arena_printf(t->arena, "/api/v1/sso/callback?code=abc&state=%s",
                             query_value(t, url, "state")),
        .headers = {{"Cookie", arena_printf(t->arena, "__Host-slipway_sso=%s", cookie)}}};
    reply = test_send(t->app, t->arena, &rq);
    assert_int_equal(reply->status, 302);
    keep_cookie(reply->head, "Set-Cookie: __Host-slipway=", b->access, sizeof(b->access));
    keep_cookie(reply->head, "Set-Cookie: __Host-slipway_refresh=", b->refresh, sizeof(b->refresh));
    return test_header(t->arena, reply, "Location");
}

/* --- tests --- */

static void test_provider__is_kept_without_showing_its_secret(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "keepers");
    const char *id = provider_make(t, &owner, ",\"default_role\":\"viewer\"");
    const char *path = arena_printf(t->arena, "/api/v1/providers/%s", id);
    struct test_reply *reply = browse(&owner, "GET", path, NULL);
    assert_int_equal(reply->status, 200);
    assert_null(strstr(reply->body, "top secret"));
    assert_true(json_is_true(json_object_get(reply->json, "has_secret")));
    assert_int_equal(browse_status(&owner, "GET", "/api/v1/providers", NULL), 200);
    assert_string_equal(test_sql_value(t->db, "select count(*) from identity_providers p where"
                                              " p::text like '%top secret%'"),
                        "0");
    reply = browse(&owner, "PATCH", path,
                   "{\"client_secret\":null,\"group_roles\":[{\"group\":\"a\",\"role\":\"admin\"}]"
                   ",\"default_role\":null}");
    assert_int_equal(reply->status, 200);
    assert_true(json_is_false(json_object_get(reply->json, "has_secret")));
    assert_true(json_is_null(json_object_get(reply->json, "default_role")));
    assert_int_equal(json_array_size(json_object_get(reply->json, "group_roles")), 1);
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"default_role\":\"none\"}"), 400);
    struct browser stranger = owner_of(t, "strangers");
    assert_int_equal(browse_status(&stranger, "GET", path, NULL), 404);
    assert_int_equal(browse_status(&stranger, "DELETE", path, NULL), 404);
    assert_int_equal(browse_status(&owner, "DELETE", path, NULL), 204);
}

static void test_provider__test_names_the_step_that_fails(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "testers");
    const char *path = arena_printf(t->arena, "/api/v1/providers/%s", provider_make(t, &owner, ""));
    const char *test = arena_printf(t->arena, "%s/test", path);
    assert_true(json_is_true(json_object_get(browse(&owner, "POST", test, NULL)->json, "ok")));
    idp.token_error = "invalid_client";
    struct test_reply *reply = browse(&owner, "POST", test, NULL);
    assert_non_null(strstr(reply->body, "invalid_client"));
    idp.token_error = NULL;
    assert_int_equal(
        browse_status(&owner, "PATCH", path, "{\"issuer\":\"https://other.example.test\"}"), 200);
    reply = browse(&owner, "POST", test, NULL);
    assert_int_equal(reply->status, 200);
    assert_true(json_is_false(json_object_get(reply->json, "ok")));
    assert_int_equal(json_array_size(json_object_get(reply->json, "steps")), 1);
}

static void test_sso__lets_in_by_group(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "groupers"), b = browser_new(t);
    const char *id =
        provider_make(t, &owner, ",\"group_roles\":[{\"group\":\"ml\",\"role\":\"editor\"}]");
    assert_string_equal(travel(t, &b, id), "/runs");
    struct test_reply *me = browse(&b, "GET", "/api/v1/session", NULL);
    assert_string_equal(json_string_value(json_object_get(me->json, "role")), "editor");
    /* Known by subject from now on, whatever the address; groups decide again. */
    idp.override = "{\"email\":\"renamed@example.test\",\"groups\":[]}";
    assert_string_equal(travel(t, &b, id), "/sign-in?sso=no_access");
    assert_string_equal(
        test_sql_value(t->db, "select count(*) from users where email like 'renamed%'"), "0");
    assert_int_equal(browse_status(&b, "POST", "/api/v1/me/totp", NULL), 403);
    struct test_reply *page = browse(&b, "GET", "/api/v1/sign-in", NULL);
    assert_int_equal(page->status, 200);
    assert_int_equal(json_array_size(json_object_get(page->json, "providers")), 1);
}

static const struct lie {
    const char *what, *header, *override;
    enum signing how;
} LIES[] = {
    {"no algorithm", "{\"alg\":\"none\"}", NULL, SIGN_NOT},
    {"no signature", GOOD_HEADER, NULL, SIGN_NOT},
    {"a shared secret", "{\"alg\":\"HS256\",\"kid\":\"one\"}", NULL, SIGN_HMAC},
    {"a MAC called RS256", GOOD_HEADER, NULL, SIGN_HMAC},
    {"another key", GOOD_HEADER, NULL, SIGN_OTHER_KEY},
    {"a key of its own", "{\"alg\":\"RS256\",\"kid\":\"one\",\"jku\":\"https://evil.test/keys\"}",
     NULL, SIGN_OTHER_KEY},
    {"an unknown key", "{\"alg\":\"RS256\",\"kid\":\"two\"}", NULL, SIGN_WELL},
    {"an unknown extension", "{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"x\"]}", NULL,
     SIGN_WELL},
    {"a cut signature", GOOD_HEADER, NULL, SIGN_CUT},
    {"a key of another kind", "{\"alg\":\"ES256\",\"kid\":\"one\"}", NULL, SIGN_WELL},
    {"a header that is no object", "[]", NULL, SIGN_WELL},
    {"another issuer", GOOD_HEADER, "{\"iss\":\"https://id.example.test/\"}", SIGN_WELL},
    {"no issuer", GOOD_HEADER, "{\"iss\":null}", SIGN_WELL},
    {"another client", GOOD_HEADER, "{\"aud\":\"other\"}", SIGN_WELL},
    {"several clients", GOOD_HEADER, "{\"aud\":[\"slipway\",\"other\"]}", SIGN_WELL},
    {"another party", GOOD_HEADER, "{\"azp\":\"other\"}", SIGN_WELL},
    {"expired", GOOD_HEADER, "{\"exp\":1700000000}", SIGN_WELL},
    {"an expiry in text", GOOD_HEADER, "{\"exp\":\"9999999999\"}", SIGN_WELL},
    {"from the future", GOOD_HEADER, "{\"iat\":9999999999}", SIGN_WELL},
    {"another sign-in", GOOD_HEADER, "{\"nonce\":\"x\"}", SIGN_WELL},
    {"no sign-in", GOOD_HEADER, "{\"nonce\":null}", SIGN_WELL},
    {"nobody", GOOD_HEADER, "{\"sub\":\"\"}", SIGN_WELL},
    {"a number", GOOD_HEADER, "{\"sub\":1}", SIGN_WELL},
};

static void test_sso__refuses_every_lie(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "liars"), b = browser_new(t);
    const char *id = provider_make(t, &owner, ",\"default_role\":\"viewer\"");
    for (size_t i = 0; i < sizeof(LIES) / sizeof(LIES[0]); i++) {
        idp.header = LIES[i].header;
        idp.override = LIES[i].override;
        idp.how = LIES[i].how;
        if (strcmp(travel(t, &b, id), "/sign-in?sso=refused") != 0)
            fail_msg("\"%s\" was believed", LIES[i].what);
        assert_int_equal(whoami(&b), 401);
    }
    print_message("%zu forged ID tokens refused\n", sizeof(LIES) / sizeof(LIES[0]));
    idp.token_error = "invalid_grant";
    assert_string_equal(travel(t, &b, id), "/sign-in?sso=refused");
}

static void test_sso__asks_for_keys_rarely(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "askers"), b = browser_new(t);
    const char *id = provider_make(t, &owner, ",\"default_role\":\"viewer\"");
    travel(t, &b, id);
    int before = idp.asked;
    for (int i = 0; i < 5; i++) {
        idp.header = "{\"alg\":\"RS256\",\"kid\":\"unknown\"}";
        travel(t, &b, id);
    }
    assert_in_range(idp.asked - before, 5, 6); /* the codes, and the keys once at most */
}

static void test_sso__people_of_other_teams_are_not_its_to_let_in(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "grabbers"), b = browser_new(t);
    person_create(t, "victim.sso@example.test", "victims", ROLE_OWNER);
    const char *id = provider_make(t, &owner, ",\"default_role\":\"owner\"");
    idp.override = "{\"sub\":\"v\",\"email\":\"victim.sso@example.test\"}";
    assert_string_equal(travel(t, &b, id), "/sign-in?sso=no_access");
    idp.override = "{\"sub\":\"w\",\"email\":\"new.sso@example.test\",\"email_verified\":false}";
    assert_string_equal(travel(t, &b, id), "/sign-in?sso=no_access");
    assert_int_equal(whoami(&b), 401);
}

static void test_sso__alone_leaves_passwords_to_owners(void **state) {
    struct test_service *t = *state;
    struct browser owner = owner_of(t, "alone"), b = browser_new(t);
    person_create(t, "alone.editor@example.test", "alone", ROLE_EDITOR);
    assert_int_equal(sign_in(&b, "alone.editor@example.test", PASSWORD), 200);
    provider_make(t, &owner, ",\"sso_only\":true");
    assert_int_equal(whoami(&b), 401);
    assert_int_equal(whoami(&owner), 200);
    assert_int_equal(sign_in(&b, "alone.editor@example.test", PASSWORD), 403);
    assert_int_equal(sign_in(&owner, "alone.owner@example.test", PASSWORD), 200);
}

static void test_outbound__keeps_to_public_addresses(void **state) {
    (void)state;
    static const char *const refused[] = {"0.0.0.0",
                                          "10.1.2.3",
                                          "100.64.0.1",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.168.0.1",
                                          "192.0.2.1",
                                          "198.18.0.1",
                                          "224.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "ff02::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "64:ff9b::a00:1",
                                          "2002:a00:1::",
                                          "2001:db8::1",
                                          "2001::1",
                                          "not an address",
                                          ""};
    static const char *const allowed[] = {"1.1.1.1",       "172.15.255.255",  "172.32.0.1",
                                          "9.255.255.255", "2606:4700::1111", "2a00:1450::1"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (outbound_allows(refused[i], NULL))
            fail_msg("\"%s\" is allowed", refused[i]);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        if (!outbound_allows(allowed[i], NULL))
            fail_msg("\"%s\" is refused", allowed[i]);
    assert_true(outbound_allows("10.1.2.3", "192.168.0.0/16, 10.1.0.0/16"));
    assert_false(outbound_allows("10.2.2.3", "192.168.0.0/16,10.1.0.0/16"));
    assert_true(outbound_allows("127.0.0.1", "127.0.0.1"));
    assert_true(outbound_allows("::1", "::1/128"));
    assert_false(outbound_allows("10.0.0.1", "nonsense,10.0.0.1/99"));
}

static int setup(void **state) {
    idp.key = EVP_RSA_gen(2048);
    idp.other = EVP_RSA_gen(2048);
    outbound_replace(answer);
    return test_service_setup(state);
}

static int teardown(void **state) {
    outbound_replace(NULL);
    EVP_PKEY_free(idp.key);
    EVP_PKEY_free(idp.other);
    return test_service_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_provider__is_kept_without_showing_its_secret),
        cmocka_unit_test(test_provider__test_names_the_step_that_fails),
        cmocka_unit_test(test_sso__lets_in_by_group),
        cmocka_unit_test(test_sso__refuses_every_lie),
        cmocka_unit_test(test_sso__asks_for_keys_rarely),
        cmocka_unit_test(test_sso__people_of_other_teams_are_not_its_to_let_in),
        cmocka_unit_test(test_sso__alone_leaves_passwords_to_owners),
        cmocka_unit_test(test_outbound__keeps_to_public_addresses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
