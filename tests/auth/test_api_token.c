/* API tokens of people and tokens of workers. */

#include "tests/auth/browser.h"

#include <stdio.h>

static struct browser person(struct test_service *t, const char *name, enum role role) {
    struct browser b = browser_new(t);
    const char *email = arena_printf(t->arena, "%s@example.test", name);
    person_create(t, email, name, role);
    assert_int_equal(sign_in(&b, email, PASSWORD), 200);
    return b;
}

static json_t *token_create(struct browser *b, const char *scopes) {
    const char *body =
        arena_printf(b->arena, "{\"name\":\"ci\",\"scopes\":[%s],\"expires_in_days\":7}", scopes);
    struct test_reply *reply = browse(b, "POST", "/api/v1/tokens", body);
    assert_int_equal(reply->status, 201);
    return reply->json;
}

static const char *member(const json_t *json, const char *name) {
    return json_string_value(json_object_get(json, name));
}

static int call(struct test_service *t, const char *authorization, const char *method,
                const char *path, const char *json) {
    struct test_request rq = {.method = method,
                              .path = path,
                              .json = json,
                              .headers = {{"Authorization", authorization}}};
    return test_send(t->app, t->arena, &rq)->status;
}

static int call_bearer(struct test_service *t, const char *token, const char *method,
                       const char *path, const char *json) {
    return call(t, arena_printf(t->arena, "Bearer %s", token), method, path, json);
}

static void test_api_token__is_shown_once_and_works(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "maker", ROLE_OWNER);
    json_t *created = token_create(&b, "\"read\"");
    const char *token = member(created, "token");
    assert_int_equal(call_bearer(t, token, "GET", "/api/v1/projects", NULL), 200);
    assert_int_equal(call_bearer(t, token, "GET", "/api/v1/session", NULL), 200);

    struct test_reply *list = browse(&b, "GET", "/api/v1/tokens", NULL);
    assert_int_equal(list->status, 200);
    assert_null(strstr(list->body, token));
    json_t *item = json_array_get(json_object_get(list->json, "items"), 0);
    assert_memory_equal(member(item, "prefix"), token, 12);
    assert_non_null(member(item, "last_used_at"));
    const char *sql = arena_printf(
        t->arena, "select count(*) from api_tokens a where a::text like '%%%.43s%%'", token + 13);
    assert_string_equal(test_sql_value(t->db, sql), "0");
}

static void test_api_token__scope_and_role_both_bound(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "bounded", ROLE_OWNER);
    const char *reader = member(token_create(&b, "\"read\""), "token");
    const char *writer = member(token_create(&b, "\"read\",\"write\""), "token");
    const char *dataset = "{\"name\":\"x\"}", *path = "/api/v1/projects/default/datasets";
    const char *project = "{\"slug\":\"p\",\"name\":\"P\"}";
    assert_int_equal(call_bearer(t, reader, "POST", path, dataset), 403);
    assert_int_equal(call_bearer(t, writer, "POST", path, dataset), 201);
    assert_int_equal(call_bearer(t, writer, "POST", "/api/v1/projects", project), 403);
    test_sql(t->db, "update members set role = 'viewer' where user_id ="
                    " (select id from users where email = 'bounded@example.test')");
    forget_principals();
    assert_int_equal(call_bearer(t, writer, "POST", path, "{\"name\":\"y\"}"), 403);
    clock_freeze(0, 0);
}

static void test_api_token__cannot_make_tokens(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "breeder", ROLE_OWNER);
    const char *token = member(token_create(&b, "\"read\",\"write\",\"admin\""), "token");
    const char *body = "{\"name\":\"child\",\"scopes\":[\"admin\"]}";
    assert_int_equal(call_bearer(t, token, "POST", "/api/v1/tokens", body), 403);
}

static void test_api_token__scopes_beyond_the_role_are_refused(void **state) {
    struct browser b = person(*state, "climber", ROLE_VIEWER);
    static const struct {
        const char *scopes;
        int status;
    } cases[] = {{"\"admin\"", 403}, {"\"write\"", 403},      {"\"read\"", 201},
                 {"", 400},          {"\"everything\"", 400}, {"\"metrics\"", 403}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *body =
            arena_printf(b.arena, "{\"name\":\"n\",\"scopes\":[%s]}", cases[i].scopes);
        assert_int_equal(browse_status(&b, "POST", "/api/v1/tokens", body), cases[i].status);
    }
}

static void test_api_token__revoked_is_dead_at_once(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "revoker", ROLE_OWNER), other = person(t, "nosy", ROLE_OWNER);
    json_t *created = token_create(&b, "\"read\"");
    const char *path = arena_printf(t->arena, "/api/v1/tokens/%s", member(created, "id"));
    assert_int_equal(call_bearer(t, member(created, "token"), "GET", "/api/v1/projects", NULL),
                     200);
    assert_int_equal(browse_status(&other, "DELETE", path, NULL), 404);
    assert_int_equal(browse_status(&b, "DELETE", path, NULL), 204);
    assert_int_equal(call_bearer(t, member(created, "token"), "GET", "/api/v1/projects", NULL),
                     401);
    assert_int_equal(browse_status(&b, "DELETE", path, NULL), 404);
}

static void test_api_token__expired_is_dead(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "expirer", ROLE_OWNER);
    const char *token = member(token_create(&b, "\"read\""), "token");
    test_sql(t->db, "update api_tokens set expires_at = now() - interval '1 second'");
    assert_int_equal(call_bearer(t, token, "GET", "/api/v1/projects", NULL), 401);
    test_sql(t->db, "update api_tokens set expires_at = null");
}

/* Each is near a good token; the checksum is right where only the secret is wrong. */
static void test_api_token__near_misses_are_401(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "misser", ROLE_OWNER), c = person(t, "misser2", ROLE_OWNER);
    const char *good = member(token_create(&b, "\"read\""), "token");
    const char *foreign = member(token_create(&c, "\"read\""), "token");
    struct arena *a = t->arena;
    char *flipped = arena_strdup(a, good);
    flipped[20] = flipped[20] == 'A' ? 'B' : 'A';
    const char *misses[] = {
        flipped,
        arena_strndup(a, good, strlen(good) - 1),
        arena_printf(a, "%s0", good),
        arena_printf(a, "slw_%s", good + 4),
        arena_printf(a, "slp_%.8s%s", foreign + 4, good + 12), /* another's id, this secret */
        "slp_",
        "",
        "' or 1=1 --",
    };
    for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++)
        assert_int_equal(call_bearer(t, misses[i], "GET", "/api/v1/projects", NULL), 401);
    assert_int_equal(call(t, arena_printf(a, "Basic %s", good), "GET", "/api/v1/projects", NULL),
                     401);
    assert_int_equal(call(t, good, "GET", "/api/v1/projects", NULL), 401);
    assert_int_equal(call_bearer(t, good, "GET", "/api/v1/projects", NULL), 200);
}

static void test_api_token__number_is_limited(void **state) {
    struct test_service *t = *state;
    struct browser b = person(t, "hoarder", ROLE_OWNER);
    test_sql(t->db,
             "insert into api_tokens (id, team_id, user_id, name, prefix, token_sha256, scopes)"
             " select gen_random_uuid(), m.team_id, m.user_id, 'n', 'slp_' || i, 'x', 1"
             " from generate_series(1, 100) i, members m join users u on u.id = m.user_id"
             " where u.email = 'hoarder@example.test'");
    assert_int_equal(browse_status(&b, "POST", "/api/v1/tokens",
                                   "{\"name\":\"one more\",\"scopes\":[\"read\"]}"),
                     409);
    struct test_reply *page = browse(&b, "GET", "/api/v1/tokens?limit=60", NULL);
    assert_int_equal(json_array_size(json_object_get(page->json, "items")), 60);
    const char *next = arena_printf(t->arena, "/api/v1/tokens?limit=60&cursor=%s",
                                    member(page->json, "next_cursor"));
    page = browse(&b, "GET", next, NULL);
    assert_int_equal(json_array_size(json_object_get(page->json, "items")), 40);
    assert_true(json_is_null(json_object_get(page->json, "next_cursor")));
}

/* --- workers --- */

static void test_worker_token__opens_the_worker_api_and_nothing_else(void **state) {
    struct test_service *t = *state;
    char token[AUTH_TOKEN_SIZE];
    struct ctx cx;
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(auth_worker_token_create(&cx, "gpu-1", token), &cx.err);
    ctx_done(&cx);
    const char *hello = "{\"name\":\"w\",\"version\":\"1\",\"slots\":1,\"kinds\":[\"train\"],"
                        "\"capabilities\":{},\"sandbox\":[]}";
    assert_int_equal(call_bearer(t, token, "POST", "/api/v1/worker/hello", hello), 200);
    assert_int_equal(call_bearer(t, token, "GET", "/api/v1/projects", NULL), 403);
    assert_int_equal(call_bearer(t, token, "GET", "/api/v1/session", NULL), 403);

    struct browser b = person(t, "notworker", ROLE_OWNER);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/worker/hello", hello), 403);
    test_sql(t->db, "update worker_tokens set revoked_at = now()");
    forget_principals();
    assert_int_equal(call_bearer(t, token, "POST", "/api/v1/worker/hello", hello), 401);
    clock_freeze(0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_token__is_shown_once_and_works),
        cmocka_unit_test(test_api_token__scope_and_role_both_bound),
        cmocka_unit_test(test_api_token__cannot_make_tokens),
        cmocka_unit_test(test_api_token__scopes_beyond_the_role_are_refused),
        cmocka_unit_test(test_api_token__revoked_is_dead_at_once),
        cmocka_unit_test(test_api_token__expired_is_dead),
        cmocka_unit_test(test_api_token__near_misses_are_401),
        cmocka_unit_test(test_api_token__number_is_limited),
        cmocka_unit_test(test_worker_token__opens_the_worker_api_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
