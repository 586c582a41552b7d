/* Every route of the service against every kind of caller and every way to misspell it, driven by
 * the route tables themselves: a route added tomorrow is tested tomorrow. */
#include "tests/auth/browser.h"

#include "base/arena.h"

#include <ctype.h>

static struct test_service *service(void **state) {
    return *state;
}

/* "/api/v1/runs/{run}" with a value of nobody's in each parameter. */
static const char *fill_path(struct arena *arena, const char *pattern) {
    char *path = arena_alloc(arena, strlen(pattern) * 8 + 64);
    char *at = path;
    for (const char *p = pattern; *p; p++) {
        if (*p != '{') {
            *at++ = *p;
            continue;
        }
        bool name = strncmp(p, "{name}", 6) == 0 || strncmp(p, "{project}", 9) == 0;
        at = stpcpy(at, name ? "nobodys" : "01920000-0000-7000-8000-0000000000ff");
        p += strcspn(p, "}");
    }
    return path;
}

static const char *method_of(const struct route *route) {
    static const char *const NAMES[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        if (route->method == 1u << i)
            return NAMES[i];
    return "?";
}

static bool is_catch_all(const struct route *route) {
    return strchr(route->path, '*') != NULL;
}

#define EACH_ROUTE(t, route)                                                                       \
    const struct route *route = NULL;                                                              \
    for (size_t each_ = 0; each_ < http_route_count((t)->app->http) &&                             \
                           (route = http_route_at((t)->app->http, each_));                         \
         each_++)

static int status_as(struct test_service *t, const struct route *route,
                     const struct principal *who) {
    arena_reset(t->arena);
    return test_send(t->app, t->arena,
                     &(struct test_request){.method = method_of(route),
                                            .path = fill_path(t->arena, route->path),
                                            .who = who})
        ->status;
}

static void test_matrix__strangers_get_nothing_but_public_routes(void **state) {
    struct test_service *t = service(state);
    struct test_team team; /* with an owner, so that the service is set up */
    test_team_create(t->db, "strangers", &team);
    EACH_ROUTE(t, route) {
        int status = status_as(t, route, NULL);
        if (route->scope == SCOPE_PUBLIC ? status == 403 || status >= 500 : status != 401)
            fail_msg("%s %s gave %d", method_of(route), route->path, status);
    }
}

/* From the scope table, once more: role and token scope a route's scope asks for. */
static const struct {
    enum role role;
    unsigned token;
} NEEDS[SCOPE_COUNT] = {
#define X(symbol, name, role, token) [symbol] = {role, token},
    SCOPE_TABLE(X)
#undef X
};

static void test_matrix__roles_below_the_route_are_refused(void **state) {
    struct test_service *t = service(state);
    struct test_team team;
    test_team_create(t->db, "matrix", &team);
    int tried = 0;
    EACH_ROUTE(t, route) {
        if (route->scope == SCOPE_PUBLIC || route->scope == SCOPE_WORKER)
            continue;
        for (int role = ROLE_NONE; role <= ROLE_OWNER; role++, tried++) {
            struct principal who = test_person(&team, (enum role)role);
            int status = status_as(t, route, &who);
            bool refused = role < (int)NEEDS[route->scope].role;
            if (refused ? status != 403 : status == 403 || status >= 500)
                fail_msg("%s %s as role %d gave %d", method_of(route), route->path, role, status);
        }
    }
    print_message("%d pairs of route and role: 0 gaps\n", tried);
}

static void test_matrix__tokens_and_workers_stay_in_their_scopes(void **state) {
    struct test_service *t = service(state);
    struct test_team team;
    test_team_create(t->db, "tokens", &team);
    EACH_ROUTE(t, route) {
        struct principal token = test_person(&team, ROLE_OWNER);
        token.kind = PRINCIPAL_TOKEN;
        token.scopes = TOKEN_READ;
        struct principal worker = {.kind = PRINCIPAL_WORKER};
        if (route->scope == SCOPE_PUBLIC)
            continue;
        bool beyond = (NEEDS[route->scope].token & ~(unsigned)TOKEN_READ) ||
                      route->scope == SCOPE_SESSION_ONLY || route->scope == SCOPE_WORKER;
        int status = status_as(t, route, &token);
        if ((status == 403) != beyond)
            fail_msg("%s %s with a reading token gave %d", method_of(route), route->path, status);
        status = status_as(t, route, &worker);
        if ((status == 403) != (route->scope != SCOPE_WORKER))
            fail_msg("%s %s as a worker gave %d", method_of(route), route->path, status);
    }
}

/* One request with these headers, as nobody in particular. */
static int status_with(struct test_service *t, const struct route *route, const char *name,
                       const char *value) {
    arena_reset(t->arena);
    return test_send(t->app, t->arena,
                     &(struct test_request){.method = method_of(route),
                                            .path = fill_path(t->arena, route->path),
                                            .headers = {{name, value}}})
        ->status;
}

static void test_matrix__garbage_opens_nothing(void **state) {
    static const char *const GARBAGE[] = {
        "Bearer x",
        "Bearer slp_00000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_00000000",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Basic eDp5",
        "Digest x",
    };
    struct test_service *t = service(state);
    int tried = 0;
    EACH_ROUTE(t, route) {
        if (route->scope == SCOPE_PUBLIC)
            continue;
        for (size_t i = 0; i < sizeof(GARBAGE) / sizeof(GARBAGE[0]); i++, tried++) {
            int status = status_with(t, route, "Authorization", GARBAGE[i]);
            if (status != 401)
                fail_msg("%s %s with %s gave %d", method_of(route), route->path, GARBAGE[i],
                         status);
        }
        tried++;
        if (status_with(t, route, "Cookie", "__Host-slipway=eyJhbGciOiJub25lIn0.e30.") != 401)
            fail_msg("%s %s takes any cookie", method_of(route), route->path);
    }
    print_message("%d requests with garbage: 401 each\n", tried);
}

/* What was good until a moment ago: an owner's session and its access token, and an API token. */
struct expired {
    struct browser browser;
    char bearer[128];
};

static int status_of_session(const struct expired *e, const struct route *route) {
    struct browser b = e->browser; /* a refusal may take the cookies away */
    arena_reset(b.arena);
    return browse_status(&b, method_of(route), fill_path(b.arena, route->path), NULL);
}

static void make_credentials(struct test_service *t, struct expired *ret) {
    ret->browser = browser_new(t);
    person_create(t, "late@example.test", "late", ROLE_OWNER);
    assert_int_equal(sign_in(&ret->browser, "late@example.test", PASSWORD), 200);
    struct test_reply *reply =
        browse(&ret->browser, "POST", "/api/v1/tokens",
               "{\"name\":\"late\",\"scopes\":[\"read\",\"write\",\"admin\"]}");
    assert_int_equal(reply->status, 201);
    snprintf(ret->bearer, sizeof(ret->bearer), "Bearer %s",
             json_string_value(json_object_get(reply->json, "token")));
    ret->browser.refresh[0] = '\0';
}

static int refused_everywhere(struct test_service *t, const struct expired *e) {
    int tried = 0;
    EACH_ROUTE(t, route) {
        if (route->scope == SCOPE_PUBLIC)
            continue;
        if (status_of_session(e, route) != 401)
            fail_msg("%s %s takes an expired cookie", method_of(route), route->path);
        if (status_with(t, route, "Authorization", e->bearer) != 401)
            fail_msg("%s %s takes an expired token", method_of(route), route->path);
        tried += 2;
    }
    return tried;
}

static void test_matrix__expired_credentials_open_nothing(void **state) {
    static const struct route PROJECTS = {.method = GET, .path = "/api/v1/projects"};
    struct test_service *t = service(state);
    struct expired e;
    make_credentials(t, &e);
    assert_int_equal(status_of_session(&e, &PROJECTS), 200);
    assert_int_equal(status_with(t, &PROJECTS, "Authorization", e.bearer), 200);
    test_sql(t->db, "update sessions set expires_at = now() - interval '1 second';"
                    "update api_tokens set expires_at = now() - interval '1 second'");
    forget_principals();
    int tried = refused_everywhere(t, &e);
    /* The session lives on; its access token alone is too old. */
    test_sql(t->db, "update sessions set expires_at = now() + interval '1 day'");
    forget_principals();
    assert_int_equal(status_of_session(&e, &PROJECTS), 200);
    clock_freeze(clock_now_us() + INT64_C(601000000), clock_mono_us());
    tried += refused_everywhere(t, &e);
    clock_freeze(0, 0);
    print_message("%d requests with expired credentials: 401 each\n", tried);
}

/* An owner's token of one scope reaches exactly the routes that name it. */
static void test_matrix__each_token_scope_reaches_its_routes(void **state) {
    static const unsigned SCOPE_BITS[] = {TOKEN_READ, TOKEN_WRITE, TOKEN_ADMIN, TOKEN_METRICS,
                                          TOKEN_INGEST};
    struct test_service *t = service(state);
    struct test_team team;
    int tried = 0, reached = 0;
    test_team_create(t->db, "scopes", &team);
    EACH_ROUTE(t, route) {
        for (size_t i = 0; route->scope != SCOPE_PUBLIC && i < 5; i++, tried++) {
            struct principal token = test_person(&team, ROLE_OWNER);
            token.kind = PRINCIPAL_TOKEN;
            token.scopes = SCOPE_BITS[i];
            bool reaches = (NEEDS[route->scope].token & SCOPE_BITS[i]) != 0;
            int status = status_as(t, route, &token);
            if (reaches != (status != 403))
                fail_msg("%s %s with token scope %u gave %d", method_of(route), route->path,
                         SCOPE_BITS[i], status);
            reached += reaches;
        }
    }
    print_message("%d pairs of route and token scope, %d open: 0 gaps\n", tried, reached);
}

static void assert_absent(struct test_service *t, const struct route *route, const char *path,
                          const struct principal *who) {
    struct test_reply *reply =
        test_send(t->app, t->arena,
                  &(struct test_request){.method = method_of(route), .path = path, .who = who});
    if (reply->status != 404 && reply->status != 400 && reply->status != 405)
        fail_msg("%s %s gave %d", method_of(route), path, reply->status);
}

static void test_matrix__misspelt_paths_lead_nowhere(void **state) {
    struct test_service *t = service(state);
    struct test_team team;
    test_team_create(t->db, "paths", &team);
    struct principal who = test_person(&team, ROLE_OWNER);
    EACH_ROUTE(t, route) {
        if (is_catch_all(route))
            continue;
        arena_reset(t->arena);
        const char *path = fill_path(t->arena, route->path);
        char *upper = arena_strdup(t->arena, path);
        for (char *p = upper; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        assert_absent(t, route, arena_printf(t->arena, "%s/", path), &who);
        /* MLflow's surface takes doubled slashes for one: tests/mlflow. */
        if (!(route->flags & ROUTE_MLFLOW))
            assert_absent(t, route, arena_printf(t->arena, "/%s", path), &who);
        assert_absent(t, route, arena_printf(t->arena, "/.%s", path), &who);
        assert_absent(t, route, arena_printf(t->arena, "%s;a", path), &who);
        assert_absent(t, route, arena_printf(t->arena, "/x/..%s", path), &who);
        assert_absent(t, route, arena_printf(t->arena, "/%%2e%s", path), &who);
        assert_absent(t, route, upper, &who);
    }
}

static void test_matrix__cookies_alone_change_nothing(void **state) {
    struct test_service *t = service(state);
    struct test_team team;
    test_team_create(t->db, "origin", &team);
    struct principal who = test_person(&team, ROLE_OWNER);
    EACH_ROUTE(t, route) {
        if (route->method & (GET | HEAD) || route->scope == SCOPE_WORKER)
            continue;
        arena_reset(t->arena);
        struct test_request rq = {.method = method_of(route),
                                  .path = fill_path(t->arena, route->path),
                                  .who = &who,
                                  .bare = true,
                                  .headers = {{"Host", "localhost"},
                                              {"Content-Length", "0"},
                                              {"Sec-Fetch-Site", "cross-site"},
                                              {"Cookie", "__Host-slipway=x"}}};
        test_expect(t->app, t->arena, 403, &rq);
    }
}

/* Nothing that a stranger's object, a missing body or junk in it leads to is our fault. */
static void test_matrix__junk_is_the_senders_fault(void **state) {
    static const char *const BODIES[] = {"{}", "[]", "{\"x\":1}", "null", "{\"name\":{\"a\":[]}}"};
    struct test_service *t = service(state);
    struct test_team team;
    test_team_create(t->db, "junk", &team);
    struct principal who = test_person(&team, ROLE_OWNER);
    EACH_ROUTE(t, route) {
        for (size_t i = 0; route->body && i < sizeof(BODIES) / sizeof(BODIES[0]); i++) {
            struct principal worker = {.kind = PRINCIPAL_WORKER};
            arena_reset(t->arena);
            struct test_reply *reply = test_send(
                t->app, t->arena,
                &(struct test_request){.method = method_of(route),
                                       .path = fill_path(t->arena, route->path),
                                       .json = BODIES[i],
                                       .who = route->scope == SCOPE_WORKER ? &worker : &who});
            if (reply->status >= 500)
                fail_msg("%s %s with %s gave %d: %s", method_of(route), route->path, BODIES[i],
                         reply->status, reply->body);
        }
    }
}

static void assert_refs(const json_t *document, const json_t *value) {
    const char *ref = json_string_value(json_object_get(value, "$ref"));
    const char *name;
    json_t *item;
    size_t i;
    if (ref) {
        const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
        assert_true(strncmp(ref, "#/components/schemas/", 21) == 0);
        if (!json_object_get(schemas, ref + 21))
            fail_msg("%s leads nowhere", ref);
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, item) assert_refs(document, item);
    json_array_foreach((json_t *)(uintptr_t)value, i, item) assert_refs(document, item);
}

static void test_openapi__describes_every_route(void **state) {
    struct test_service *t = service(state);
    struct http_registry *registry = app_registry();
    auto_json *document = http_openapi(registry);
    const json_t *paths = json_object_get(document, "paths");
    EACH_ROUTE(t, route) {
        char method[16];
        snprintf(method, sizeof(method), "%s", method_of(route));
        for (char *p = method; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        char *shown = arena_strdup(t->arena, route->path), *star = strchr(shown, '*');
        if (star)
            memmove(star, star + 1, strlen(star));
        const json_t *operation = json_object_get(json_object_get(paths, shown), method);
        bool hidden = (route->flags & (ROUTE_HIDDEN | ROUTE_MLFLOW)) != 0;
        if ((operation == NULL) != hidden)
            fail_msg("%s %s is missing", method, route->path);
    }
    assert_refs(document, document);
    http_registry_free(registry);
}

static void test_service__is_ready_with_its_database(void **state) {
    struct test_service *t = service(state);
    test_expect(t->app, t->arena, 200, &(struct test_request){.path = "/livez"});
    test_expect(t->app, t->arena, 200, &(struct test_request){.path = "/readyz"});
    test_expect(t->app, t->arena, 200, &(struct test_request){.path = "/api/v1/openapi.json"});
}

static void test_metrics__are_read_by_a_token_that_may(void **state) {
    struct test_service *t = service(state);
    struct test_team team;
    test_team_create(t->db, "figures", &team);
    struct principal token = test_person(&team, ROLE_ADMIN);
    token.kind = PRINCIPAL_TOKEN;
    token.scopes = TOKEN_METRICS;
    struct test_reply *reply = test_expect(
        t->app, t->arena, 200, &(struct test_request){.path = "/metrics", .who = &token});
    assert_non_null(strstr(reply->body, "slipway_http_requests_total{"));
    assert_non_null(strstr(reply->body, "process_resident_memory_bytes "));
    assert_non_null(strstr(reply->body, "slipway_db_connections_in_use "));
    token.scopes = TOKEN_READ;
    test_expect(t->app, t->arena, 403, &(struct test_request){.path = "/metrics", .who = &token});
}

static void test_ui__is_served_by_the_same_service(void **state) {
    struct test_service *t = service(state);
    char path[128];
    snprintf(path, sizeof(path), "%s/ui/index.html", t->dir);
    auto_file *page = fopen(path, "we");
    assert_non_null(page);
    fputs("<title>Slipway</title>", page);
    fflush(page);
    struct test_reply *reply =
        test_expect(t->app, t->arena, 200, &(struct test_request){.path = "/runs"});
    assert_string_equal(reply->body, "<title>Slipway</title>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix__strangers_get_nothing_but_public_routes),
        cmocka_unit_test(test_matrix__roles_below_the_route_are_refused),
        cmocka_unit_test(test_matrix__tokens_and_workers_stay_in_their_scopes),
        cmocka_unit_test(test_matrix__garbage_opens_nothing),
        cmocka_unit_test(test_matrix__expired_credentials_open_nothing),
        cmocka_unit_test(test_matrix__each_token_scope_reaches_its_routes),
        cmocka_unit_test(test_matrix__misspelt_paths_lead_nowhere),
        cmocka_unit_test(test_matrix__cookies_alone_change_nothing),
        cmocka_unit_test(test_matrix__junk_is_the_senders_fault),
        cmocka_unit_test(test_openapi__describes_every_route),
        cmocka_unit_test(test_service__is_ready_with_its_database),
        cmocka_unit_test(test_metrics__are_read_by_a_token_that_may),
        cmocka_unit_test(test_ui__is_served_by_the_same_service),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
