/* The feed: nothing is lost when transactions overlap, nothing of other teams is seen, a stream
 * goes on where it ended. */
#include "tests/support/database.h"
#include "tests/support/test_http.h"

#include "base/arena.h"
#include "base/clock.h"
#include "http/feed.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_ID "01920000-0000-7000-8000-000000000001"
#define JOB_ID "01920000-0000-7000-8000-000000000002"

static struct test_db *db;
static struct test_team lab, other;
static struct arena *arena;
static char dir[] = "/tmp/slipway-feed-XXXXXX";

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
    http_register(registry, FEED_ROUTES, FEED_ROUTE_COUNT);
    assert_ok(http_server_new(&options, registry, &db->app.http, &err), &err);
    db->app.feed = feed_new();
    return 0;
}

static int teardown(void **state) {
    char command[64];
    (void)state;
    http_server_free(db->app.http);
    feed_free(db->app.feed);
    test_db_free(db);
    arena_free(arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

static void post(struct ctx *cx, const char *topic, const char *id, const char *kind) {
    assert_ok(feed_post(cx, topic, id, kind), &cx->err);
}

static void post_alone(const struct test_team *team, const char *topic, const char *id,
                       const char *kind) {
    struct ctx cx;
    test_ctx_user(&cx, db, team, ROLE_EDITOR);
    post(&cx, topic, id, kind);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

/* Rows become readable when no older transaction runs, in any database: other tests have some. */
static void settle(void) {
    for (int i = 0; i < 1000; i++) {
        const char *settled = test_sql_value(db, "select coalesce(bool_and(xid < pg_snapshot_xmin("
                                                 "pg_current_snapshot())), true)::text from feed");
        if (strcmp(settled, "true") == 0)
            return;
        usleep(10000);
    }
    fail_msg("some transaction stays open");
}

/* What a stream that looks once says, beginning behind last_id. */
static const char *read_now(const struct test_team *team, const char *last_id) {
    struct principal who = {.kind = PRINCIPAL_USER, .role = ROLE_VIEWER, .scopes = ~0u};
    snprintf(who.user_id, sizeof(who.user_id), "%s", team->user_id);
    snprintf(who.team_id, sizeof(who.team_id), "%s", team->team_id);
    struct test_request rq = {.path = "/api/v1/events?topics=run:" RUN_ID ",job:" JOB_ID,
                              .who = &who,
                              .headers = {{"Last-Event-ID", last_id}}};
    struct test_reply *reply = test_expect(&db->app, arena, 200, &rq);
    assert_string_equal(test_header(arena, reply, "Content-Type"),
                        "text/event-stream; charset=utf-8");
    assert_true(reply->closes);
    return reply->body;
}

static const char *read_stream(const struct test_team *team, const char *last_id) {
    settle();
    return read_now(team, last_id);
}

static int count(const char *text, const char *word) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void test_feed__tells_what_was_posted_to_those_who_asked(void **state) {
    (void)state;
    post_alone(&lab, "run", RUN_ID, "metrics");
    post_alone(&lab, "run", JOB_ID, "metrics");
    post_alone(&other, "run", RUN_ID, "logs");
    const char *text = read_stream(&lab, "0.0");
    assert_int_equal(count(text, "data: "), 1);
    assert_non_null(strstr(text, "\"topic\":\"run:" RUN_ID "\",\"kind\":\"metrics\""));
    assert_non_null(strstr(read_stream(&other, "0.0"), "\"kind\":\"logs\""));
}

static void test_feed__goes_on_where_it_ended(void **state) {
    (void)state;
    post_alone(&lab, "job", JOB_ID, "state");
    const char *text = read_stream(&lab, "0.0");
    const char *last = strstr(text, "id: ");
    while (strstr(last + 1, "id: "))
        last = strstr(last + 1, "id: ");
    const char *id = arena_strndup(arena, last + 4, strcspn(last + 4, "\n"));
    assert_int_equal(count(read_stream(&lab, id), "data: "), 0);
    post_alone(&lab, "job", JOB_ID, "progress");
    text = read_stream(&lab, id);
    assert_int_equal(count(text, "data: "), 1);
    assert_non_null(strstr(text, "\"kind\":\"progress\""));
}

static void test_feed__begins_at_the_present(void **state) {
    (void)state;
    post_alone(&lab, "run", RUN_ID, "created");
    assert_int_equal(count(read_stream(&lab, "not an id"), "data: "), 0);
}

static const char *last_id_of(const char *text, const char *before) {
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, "id: ")); at++)
        last = at + 4;
    return last ? arena_strndup(arena, last, strcspn(last, "\n")) : before;
}

/* Two transactions write, and the one that wrote first commits last: whatever the numbers are, a
 * reader that looks in between and then again sees both. */
static void overlap(bool early_number_commits_late) {
    struct ctx slow, fast;
    test_ctx_user(&slow, db, &lab, ROLE_EDITOR);
    test_ctx_user(&fast, db, &lab, ROLE_EDITOR);
    const char *id = last_id_of(read_stream(&lab, "0.0"), "0.0");
    post(&slow, "run", RUN_ID, "logs");
    if (!early_number_commits_late)
        post(&fast, "run", JOB_ID, "logs"); /* takes its transaction id before, its row after */
    post(&fast, "run", RUN_ID, "metrics");
    if (!early_number_commits_late)
        post(&slow, "run", RUN_ID, "state");
    assert_ok(db_commit(&fast), &fast.err);
    const char *between = read_now(&lab, id);
    assert_ok(db_commit(&slow), &slow.err);
    const char *after = read_stream(&lab, last_id_of(between, id));
    const char *both = arena_printf(arena, "%s%s", between, after);
    assert_int_equal(count(both, "\"kind\":\"metrics\""), 1);
    assert_int_equal(count(both, "\"kind\":\"logs\""), 1);
    assert_int_equal(count(both, "\"kind\":\"state\""), early_number_commits_late ? 0 : 1);
    ctx_done(&slow);
    ctx_done(&fast);
}

static void test_feed__loses_no_row_of_a_late_commit(void **state) {
    (void)state;
    overlap(true);
    overlap(false);
}

/* A stream that stays hears of a commit at once, not at its next look. */
static void *wake_soon(void *arg) {
    (void)arg;
    usleep(200000);
    post_alone(&lab, "run", RUN_ID, "created");
    feed_wake(db->app.feed);
    return NULL;
}

static void test_feed__wakes_streams_that_wait(void **state) {
    struct principal who = {.kind = PRINCIPAL_USER, .role = ROLE_VIEWER, .scopes = ~0u};
    pthread_t thread;
    (void)state;
    snprintf(who.user_id, sizeof(who.user_id), "%s", lab.user_id);
    snprintf(who.team_id, sizeof(who.team_id), "%s", lab.team_id);
    int64_t started_us = clock_mono_us();
    pthread_create(&thread, NULL, wake_soon, NULL);
    struct test_reply *reply =
        test_expect(&db->app, arena, 200,
                    &(struct test_request){
                        .path = "/api/v1/events?topics=run:" RUN_ID, .who = &who, .looks = 1});
    pthread_join(thread, NULL);
    assert_int_equal(count(reply->body, "\"kind\":\"created\""), 1);
    assert_true(clock_mono_us() - started_us < 900000);
}

static void test_feed__refuses_odd_topics(void **state) {
    static const char *const TOPICS[] = {
        "", "run", "run:1", "RUN:" RUN_ID, "run:" RUN_ID ",,", "run:" RUN_ID ";"};
    struct principal who = {.kind = PRINCIPAL_USER, .role = ROLE_VIEWER};
    (void)state;
    for (size_t i = 0; i < sizeof(TOPICS) / sizeof(TOPICS[0]); i++)
        test_expect(
            &db->app, arena, 400,
            &(struct test_request){
                .path = arena_printf(arena, "/api/v1/events?topics=%s", TOPICS[i]), .who = &who});
    test_expect(&db->app, arena, 400,
                &(struct test_request){.path = "/api/v1/events", .who = &who});
}

static void test_feed__forgets_after_an_hour(void **state) {
    struct ctx cx;
    (void)state;
    test_sql(db, "update feed set at = now() - interval '61 minutes'");
    test_ctx_system(&cx, db);
    assert_ok(feed_sweep(&cx), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    assert_string_equal(test_sql_value(db, "select count(*) from feed"), "0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed__tells_what_was_posted_to_those_who_asked),
        cmocka_unit_test(test_feed__goes_on_where_it_ended),
        cmocka_unit_test(test_feed__begins_at_the_present),
        cmocka_unit_test(test_feed__loses_no_row_of_a_late_commit),
        cmocka_unit_test(test_feed__wakes_streams_that_wait),
        cmocka_unit_test(test_feed__refuses_odd_topics),
        cmocka_unit_test(test_feed__forgets_after_an_hour),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
