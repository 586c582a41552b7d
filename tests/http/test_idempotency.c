/* Idempotency-Key against a real database: once is once, even when two come at the same time. */
#include "tests/support/database.h"
#include "tests/support/test_http.h"

#include "base/arena.h"
#include "http/feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

static struct test_db *db;
static struct test_team lab, other;
static struct arena *arena;
static char dir[] = "/tmp/slipway-idem-XXXXXX";
static atomic_int made;

struct thing {
    const char *name;
    int64_t number;
};
static const struct field THING_FIELDS[] = {
    FIELD(STRING, struct thing, name, .flags = FIELD_REQUIRED, .max = 20),
    FIELD(INT, struct thing, number)};
static SHAPE(THING, "Thing", struct thing, THING_FIELDS);

static enum err post_thing(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct thing *thing = arena_new_struct(cx->arena, struct thing);
    *thing = *(const struct thing *)rq->body;
    thing->number = atomic_fetch_add(&made, 1);
    if (strcmp(thing->name, "bad") == 0)
        return (fail)(cx, ERR_UNPROCESSABLE, "not this one");
    reply_object(rp, thing);
    reply_location(cx, rp, "/api/things/%lld", (long long)thing->number);
    return OK;
}

static const struct route ROUTES[] = {
    {POST, "/api/things", SCOPE_RUN_WRITE, .body = &THING, .reply = &THING, .handle = post_thing,
     .status = 201, .flags = ROUTE_IDEMPOTENT, .doc = "make"},
    {POST, "/api/others", SCOPE_RUN_WRITE, .body = &THING, .reply = &THING, .handle = post_thing,
     .status = 201, .flags = ROUTE_IDEMPOTENT, .doc = "make"},
};

static enum err nobody(struct ctx *cx, const struct http_head *head) {
    (void)cx, (void)head;
    return OK;
}

static const struct http_hooks HOOKS = {.authenticate = nobody};

static int setup(void **state) {
    static const char *const HOSTS[] = {"localhost", NULL};
    static struct http_options options = {.hosts = HOSTS, .threads = 64, .streams = 4};
    struct err_info err = {0};
    (void)state;
    db = test_db_new();
    test_team_create(db, "lab", &lab);
    test_team_create(db, "other", &other);
    arena = arena_new();
    assert_non_null(mkdtemp(dir));
    options.key_dir = dir;
    assert_ok(cursor_key_create(dir, &err), &err);
    struct http_registry *registry = http_registry_new(&HOOKS);
    http_register(registry, ROUTES, ROUTES_COUNT(ROUTES));
    assert_ok(http_server_new(&options, registry, &db->app.http, &err), &err);
    return 0;
}

static int teardown(void **state) {
    char command[64];
    (void)state;
    http_server_free(db->app.http);
    test_db_free(db);
    arena_free(arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

static struct principal person(const struct test_team *team) {
    struct principal who = {.kind = PRINCIPAL_USER, .role = ROLE_EDITOR, .scopes = ~0u};
    snprintf(who.user_id, sizeof(who.user_id), "%s", team->user_id);
    snprintf(who.team_id, sizeof(who.team_id), "%s", team->team_id);
    return who;
}

static struct test_reply *post(struct arena *a, const struct test_team *team, const char *path,
                               const char *name, const char *key) {
    struct principal who = person(team);
    return test_send(&db->app, a,
                     &(struct test_request){.method = "POST",
                                            .path = path,
                                            .json = arena_printf(a, "{\"name\":\"%s\"}", name),
                                            .who = &who,
                                            .headers = {{"Idempotency-Key", key}}});
}

static void test_idempotency__replays_the_first_reply(void **state) {
    (void)state;
    struct test_reply *first = post(arena, &lab, "/api/things", "a", "key-1");
    struct test_reply *again = post(arena, &lab, "/api/things", "a", "key-1");
    assert_int_equal(first->status, 201);
    assert_int_equal(again->status, 201);
    assert_string_equal(again->body, first->body);
    assert_string_equal(test_header(arena, again, "Location"),
                        test_header(arena, first, "Location"));
    assert_string_equal(test_header(arena, first, "Idempotency-Replayed"), "");
    assert_string_equal(test_header(arena, again, "Idempotency-Replayed"), "true");
}

static void test_idempotency__refuses_the_key_for_another_request(void **state) {
    (void)state;
    assert_int_equal(post(arena, &lab, "/api/things", "a", "key-2")->status, 201);
    assert_int_equal(post(arena, &lab, "/api/things", "b", "key-2")->status, 409);
}

static void test_idempotency__belongs_to_team_and_route(void **state) {
    (void)state;
    struct test_reply *first = post(arena, &lab, "/api/things", "a", "key-3");
    struct test_reply *stranger = post(arena, &other, "/api/things", "a", "key-3");
    struct test_reply *elsewhere = post(arena, &lab, "/api/others", "a", "key-3");
    assert_string_not_equal(stranger->body, first->body);
    assert_string_not_equal(elsewhere->body, first->body);
}

static void test_idempotency__lets_a_refused_request_be_corrected(void **state) {
    (void)state;
    assert_int_equal(post(arena, &lab, "/api/things", "bad", "key-4")->status, 422);
    assert_int_equal(post(arena, &lab, "/api/things", "good", "key-4")->status, 201);
}

static void test_idempotency__forgets_after_a_day(void **state) {
    (void)state;
    struct test_reply *first = post(arena, &lab, "/api/things", "a", "key-5");
    test_sql(db, "update idempotency_keys set created_at = now() - interval '25 hours'");
    struct test_reply *later = post(arena, &lab, "/api/things", "b", "key-5");
    assert_int_equal(later->status, 201);
    assert_string_not_equal(later->body, first->body);
    test_sql(db, "update idempotency_keys set created_at = now() - interval '25 hours'");
    struct ctx cx;
    test_ctx_system(&cx, db);
    assert_ok(feed_sweep(&cx), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    assert_string_equal(test_sql_value(db, "select count(*) from idempotency_keys"), "0");
}

static void test_idempotency__refuses_odd_keys(void **state) {
    char *longest = arena_alloc(arena, 202);
    (void)state;
    memset(longest, 'k', 201);
    assert_int_equal(post(arena, &lab, "/api/things", "a", "")->status, 400);
    assert_int_equal(post(arena, &lab, "/api/things", "a", "a b")->status, 400);
    assert_int_equal(post(arena, &lab, "/api/things", "a", longest)->status, 400);
}

static void *post_once(void *arg) {
    struct arena *own = arena_new();
    *(int *)arg = post(own, &lab, "/api/things", "a", "key-6")->status;
    arena_free(own);
    return NULL;
}

static void test_idempotency__does_the_work_once_for_two_at_once(void **state) {
    pthread_t threads[6];
    int statuses[6], before = atomic_load(&made);
    (void)state;
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, post_once, &statuses[i]);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 6; i++)
        assert_int_equal(statuses[i], 201);
    assert_int_equal(atomic_load(&made) - before, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idempotency__replays_the_first_reply),
        cmocka_unit_test(test_idempotency__refuses_the_key_for_another_request),
        cmocka_unit_test(test_idempotency__belongs_to_team_and_route),
        cmocka_unit_test(test_idempotency__lets_a_refused_request_be_corrected),
        cmocka_unit_test(test_idempotency__forgets_after_a_day),
        cmocka_unit_test(test_idempotency__refuses_odd_keys),
        cmocka_unit_test(test_idempotency__does_the_work_once_for_two_at_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
