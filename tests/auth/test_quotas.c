/* Quotas: never exceeded, also by many at once; refusals name the quota. */
#include "tests/auth/browser.h"
#include "tests/support/domains.h"

#include <pthread.h>

static struct browser owner_make(struct domains *d, const char *name) {
    struct browser b = browser_new(d->service);
    const char *email = arena_printf(d->arena, "%s@quota.test", name);
    person_create(d->service, email, d->ours.slug, ROLE_OWNER);
    assert_int_equal(sign_in(&b, email, PASSWORD), 200);
    return b;
}

static struct test_reply *quota_set(struct domains *d, struct browser *b, const char *name,
                                    const char *limit) {
    return browse(b, "PUT", "/api/v1/quotas",
                  arena_printf(d->arena, "{\"name\":\"%s\",\"limit\":%s}", name, limit));
}

static json_t *quota_of(struct browser *b, size_t index) {
    return item_at(browse(b, "GET", "/api/v1/quotas", NULL)->json, index);
}

struct racer {
    struct domains *d;
    int created;
};

/* Ten tries, each a request with memory of its own. */
static void *race(void *arg) {
    struct racer *r = arg;
    struct arena *arena = arena_new();
    for (int i = 0; i < 10; i++) {
        struct test_request rq = {.method = "POST",
                                  .path = "/api/v1/tokens",
                                  .json = "{\"name\":\"r\",\"scopes\":[\"read\"]}",
                                  .who = &r->d->editor};
        struct test_reply *reply = test_send(r->d->app, arena, &rq);
        assert_true(reply->status == 201 || reply->status == 403);
        r->created += reply->status == 201;
    }
    arena_free(arena);
    return NULL;
}

static void test_quota__holds_under_fifty_creates_at_once(void **state) {
    struct domains *d = *state;
    struct browser b = owner_make(d, "race");
    pthread_t threads[5];
    struct racer racers[5];
    int created = 0;
    assert_int_equal(quota_set(d, &b, "tokens", "7")->status, 200);
    for (int i = 0; i < 5; i++) {
        racers[i] = (struct racer){.d = d};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < 5; i++) {
        pthread_join(threads[i], NULL);
        created += racers[i].created;
    }
    print_message("50 creates at once against a quota of 7: %d made\n", created);
    assert_int_equal(created, 7);
    assert_int_equal(int_at(quota_of(&b, 3), "used"), 7);
    struct test_reply *refused =
        browse(&b, "POST", "/api/v1/tokens", "{\"name\":\"r\",\"scopes\":[\"read\"]}");
    assert_int_equal(refused->status, 403);
    assert_non_null(strstr(refused->body, "quota \\\"tokens\\\" is used up"));
    assert_int_equal(quota_set(d, &b, "tokens", "null")->status, 200);
    assert_int_equal(
        browse_status(&b, "POST", "/api/v1/tokens", "{\"name\":\"r\",\"scopes\":[\"read\"]}"), 201);
}

static void test_quota__of_runs_jobs_storage_and_members(void **state) {
    struct domains *d = *state;
    struct browser b = owner_make(d, "each");
    upload_make(d, "before.csv", "a,b\n1,2\n");
    assert_true(int_at(quota_of(&b, 0), "used") >= 8);
    assert_int_equal(quota_set(d, &b, "storage_bytes", "10")->status, 200);
    struct test_request big = {.method = "PUT",
                               .path = "/api/v1/uploads?file_name=big.csv",
                               .body = "a,b\n3,4\n",
                               .size = 8,
                               .content_type = "application/octet-stream",
                               .who = &d->editor};
    struct test_reply *full = test_expect(d->app, d->arena, 403, &big);
    assert_non_null(strstr(full->body, "\\\"storage_bytes\\\""));
    assert_int_equal(quota_set(d, &b, "storage_bytes", "null")->status, 200);

    json_t *version = image_version_make(d, "digits");
    const char *body =
        arena_printf(d->arena, "{\"dataset_version_id\":\"%s\",\"name\":\"q\",\"spec\":%s}",
                     text_at(version, "id"), DIGITS_SPEC);
    const char *path = arena_printf(d->arena, "/api/v1/projects/%s/training", d->ours.slug);
    assert_int_equal(quota_set(d, &b, "runs", "0")->status, 200);
    struct test_reply *reply = send_json(d, 403, &d->editor, "POST", path, body);
    assert_non_null(strstr(reply->body, "\\\"runs\\\""));
    assert_int_equal(quota_set(d, &b, "runs", "null")->status, 200);
    assert_int_equal(quota_set(d, &b, "queued_jobs", "0")->status, 200);
    reply = send_json(d, 403, &d->editor, "POST", path, body);
    assert_non_null(strstr(reply->body, "\\\"queued_jobs\\\""));
    assert_int_equal(quota_set(d, &b, "queued_jobs", "null")->status, 200);
    assert_int_equal(quota_set(d, &b, "storage_bytes", "8")->status, 200); /* used up already */
    reply = send_json(d, 403, &d->editor, "POST", path, body);
    assert_non_null(strstr(reply->body, "\\\"storage_bytes\\\""));
    assert_int_equal(quota_set(d, &b, "storage_bytes", "null")->status, 200);

    assert_int_equal(quota_set(d, &b, "members", "0")->status, 200);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/service-accounts",
                                   "{\"name\":\"S\",\"role\":\"viewer\"}"),
                     403);
    assert_int_equal(quota_set(d, &b, "members", "null")->status, 200);
}

static void test_quota__of_requests_says_when_to_come_back(void **state) {
    struct domains *d = *state;
    struct browser b = owner_make(d, "requests");
    assert_int_equal(quota_set(d, &b, "requests_per_minute", "5")->status, 400);
    assert_int_equal(quota_set(d, &b, "requests_per_minute", "60")->status, 200);
    struct test_reply *reply = NULL;
    int answered = 0;
    while (answered < 100 && (reply = browse(&b, "GET", "/api/v1/projects", NULL))->status == 200)
        answered++;
    assert_int_equal(answered, 60);
    assert_int_equal(reply->status, 429);
    int wait = atoi(test_header(d->arena, reply, "Retry-After"));
    assert_true(wait > 0 && wait <= 61);
    clock_freeze(clock_now_us(), clock_mono_us() + INT64_C(60000001));
    assert_int_equal(browse_status(&b, "GET", "/api/v1/projects", NULL), 200);
    assert_int_equal(quota_set(d, &b, "requests_per_minute", "null")->status, 200);
}

static void test_quota__is_set_by_owners_and_seen_by_all(void **state) {
    struct domains *d = *state;
    send_json(d, 403, &d->admin, "PUT", "/api/v1/quotas", "{\"name\":\"runs\",\"limit\":1}");
    struct browser b = owner_make(d, "rules");
    assert_int_equal(quota_set(d, &b, "moons", "1")->status, 400);
    assert_int_equal(quota_set(d, &b, "runs", "-1")->status, 400);
    assert_int_equal(browse_status(&b, "PUT", "/api/v1/quotas", "{\"name\":\"runs\"}"), 400);
    test_expect(d->app, d->arena, 200,
                &(struct test_request){.path = "/api/v1/quotas", .who = &d->viewer});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota__holds_under_fifty_creates_at_once),
        cmocka_unit_test(test_quota__of_runs_jobs_storage_and_members),
        cmocka_unit_test(test_quota__is_set_by_owners_and_seen_by_all),
        cmocka_unit_test(test_quota__of_requests_says_when_to_come_back),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
