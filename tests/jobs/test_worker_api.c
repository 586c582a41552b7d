/* The worker API as slipway-worker calls it: whole requests, from hello to finish. */

#include "base/digest.h"
#include "tests/jobs/queue.h"

#include <pthread.h>
#include <time.h>

static const char *job_path(struct queue *q, const char *id, const char *rest) {
    return arena_printf(q->d->arena, "/api/v1/worker/jobs/%s/%s", id, rest);
}

static struct test_reply *ask_lease(struct queue *q, int status, int wait_seconds) {
    const char *body = arena_printf(q->d->arena,
                                    "{\"worker_id\":\"%s\",\"kinds\":[\"test.noted\"],"
                                    "\"wait_seconds\":%d}",
                                    q->worker_id, wait_seconds);
    return send_json(q->d, status, &q->worker, "POST", "/api/v1/worker/leases", body);
}

static const char *holder(struct queue *q, int64_t epoch, const char *more) {
    return arena_printf(q->d->arena, "{\"worker_id\":\"%s\",\"epoch\":%lld%s}", q->worker_id,
                        (long long)epoch, more);
}

static struct test_reply *transfer(struct queue *q, int status, const char *method,
                                   const char *path, const char *body, const char *epoch) {
    struct test_request rq = {
        .method = method,
        .path = path,
        .body = body,
        .size = body ? strlen(body) : 0,
        .content_type = body ? "application/octet-stream" : NULL,
        .who = &q->worker,
        .headers = {{epoch ? "X-Slipway-Epoch" : "X-None", epoch ? epoch : ""}}};
    return test_expect(q->d->app, q->d->arena, status, &rq);
}

static const char *hash_of(struct queue *q, const char *text) {
    char *hex = arena_alloc(q->d->arena, SHA256_TEXT_SIZE);
    sha256_hex_of(text, strlen(text), hex);
    return hex;
}

static void test_worker__does_a_whole_job(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    json_t *job = at(ask_lease(q, 200, 0)->json, "job");
    assert_string_equal(text_at(job, "id"), id);
    assert_int_equal(int_at(job, "attempt"), 1);
    assert_int_equal(int_at(at(job, "limits"), "wall_seconds"), 60);
    assert_int_equal(int_at(at(job, "limits"), "memory_bytes"), 1 << 20);
    assert_int_equal(int_at(at(job, "spec"), "seed"), 1);
    json_t *input = json_array_get(at(job, "inputs"), 0);
    assert_string_equal(text_at(input, "file_name"), "rows.csv");
    assert_int_equal(int_at(input, "size_bytes"), 5);

    const char *inputs = arena_printf(q->d->arena, "inputs/%s", text_at(input, "sha256"));
    struct test_reply *bytes = transfer(q, 200, "GET", job_path(q, id, inputs), NULL, "1");
    assert_memory_equal(bytes->body, "input", 5);

    json_t *beat =
        send_json(q->d, 200, &q->worker, "POST", job_path(q, id, "heartbeat"), holder(q, 1, ""))
            ->json;
    assert_true(json_is_false(at(beat, "cancel")));
    json_t *taken = send_json(q->d, 200, &q->worker, "POST", job_path(q, id, "events"),
                              holder(q, 1,
                                     ",\"first_seq\":1,\"events\":[{\"type\":\"progress\","
                                     "\"fraction\":0.5}]"))
                        ->json;
    assert_int_equal(int_at(taken, "next_seq"), 2);

    const char *blobs = arena_printf(q->d->arena, "blobs/%s", hash_of(q, "output"));
    transfer(q, 201, "PUT", job_path(q, id, blobs), "output", "1");
    const char *end = arena_printf(q->d->arena,
                                   ",\"outcome\":\"succeeded\",\"error\":null,\"retryable\":false,"
                                   "\"result\":{\"status\":\"completed\"},\"outputs\":[{\"name\":"
                                   "\"o\",\"sha256\":\"%s\",\"size_bytes\":6,"
                                   "\"media_type\":\"text/plain\"}]",
                                   hash_of(q, "output"));
    json_t *done =
        send_json(q->d, 200, &q->worker, "POST", job_path(q, id, "finish"), holder(q, 1, end))
            ->json;
    assert_string_equal(text_at(done, "state"), "succeeded");
    assert_non_null(strstr(notes.text, "success completed 1;"));
}

static void test_worker__nothing_to_do_is_204(void **state) {
    assert_int_equal(ask_lease(*state, 204, 0)->size, 0);
}

static void *make_later(void *arg) {
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    struct queue *q = arg;
    struct arena *own = arena_new(); /* the other one belongs to the main thread */
    struct domains d = *q->d;
    d.arena = own;
    struct queue mine = {.d = &d};
    job_make(&mine, "test.noted");
    arena_free(own);
    return NULL;
}

static void test_worker__long_poll_is_woken_by_a_new_job(void **state) {
    struct queue *q = *state;
    pthread_t thread;
    struct timespec before, after;
    struct test_request rq = {.method = "POST",
                              .path = "/api/v1/worker/leases",
                              .json = arena_printf(q->d->arena,
                                                   "{\"worker_id\":\"%s\",\"kinds\":"
                                                   "[\"test.noted\"],\"wait_seconds\":10}",
                                                   q->worker_id),
                              .who = &q->worker,
                              .looks = 20};
    clock_gettime(CLOCK_MONOTONIC, &before);
    pthread_create(&thread, NULL, make_later, q);
    struct test_reply *reply = test_send(q->d->app, q->d->arena, &rq);
    clock_gettime(CLOCK_MONOTONIC, &after);
    pthread_join(thread, NULL);
    assert_int_equal(reply->status, 200);
    assert_true(after.tv_sec - before.tv_sec < 5);
}

static void test_worker__reads_only_inputs_of_its_job(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    ask_lease(q, 200, 0);
    const char *own = job_path(q, id, arena_printf(q->d->arena, "inputs/%s", hash_of(q, "input")));
    const char *secret = blob_make(q, "another team's secret");
    transfer(q, 404, "GET", job_path(q, id, arena_printf(q->d->arena, "inputs/%s", secret)), NULL,
             "1");
    transfer(q, 404, "GET", job_path(q, id, "inputs/x"), NULL, "1");
    transfer(q, 409, "GET", own, NULL, "2");
    transfer(q, 400, "GET", own, NULL, NULL);
    transfer(q, 400, "GET", own, NULL, "1; drop");
    struct principal other = worker_principal(q->d, "token-reader");
    struct queue thief = {.d = q->d, .worker = other};
    transfer(&thief, 409, "GET", own, NULL, "1");
    transfer(q, 200, "GET", own, NULL, "1");
}

static void test_worker__blob_must_have_its_hash(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    ask_lease(q, 200, 0);
    const char *path =
        job_path(q, id, arena_printf(q->d->arena, "blobs/%s", hash_of(q, "what was promised")));
    transfer(q, 422, "PUT", path, "what came instead", "1");
    transfer(q, 409, "PUT", path, "what was promised", "9");
    assert_string_equal(
        test_sql_value(q->d->db,
                       arena_printf(q->d->arena, "select count(*) from blobs where sha256 = '%s'",
                                    hash_of(q, "what was promised"))),
        "0");
    transfer(q, 201, "PUT", path, "what was promised", "1");
    transfer(q, 201, "PUT", path, "what was promised", "1");
}

static void test_worker__bad_bodies_are_400(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    ask_lease(q, 200, 0);
    static const char *const bad[] = {
        ",\"outcome\":\"won\"",
        ",\"outcome\":\"succeeded\",\"outputs\":[{\"name\":\"x\"}]",
        ",\"outcome\":\"succeeded\",\"outputs\":[{\"name\":\"x\",\"sha256\":\"..\",\"size_bytes\":"
        "1,"
        "\"media_type\":\"t\"}]",
        ",\"outcome\":\"failed\",\"error\":\"because\"",
        ",\"outcome\":\"failed\",\"team_id\":\"x\"",
        "",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        send_json(q->d, 400, &q->worker, "POST", job_path(q, id, "finish"), holder(q, 1, bad[i]));
    assert_state(q, id, "running");
}

static void test_worker__unknown_one_is_told_to_say_hello(void **state) {
    struct queue *q = *state;
    struct queue stranger = {.d = q->d, .worker = worker_principal(q->d, "token-new")};
    memcpy(stranger.worker_id, q->worker_id, ID_SIZE);
    assert_string_equal(field_of(ask_lease(&stranger, 404, 0)), "worker_id");
}

static void test_worker__list_shows_who_is_there(void **state) {
    struct queue *q = *state;
    job_make(q, "test.noted");
    ask_lease(q, 200, 0);
    json_t *items = at(get_ok(q->d, "/api/v1/workers"), "items"), *item;
    size_t i;
    json_array_foreach(items, i, item) {
        if (strcmp(text_at(item, "id"), q->worker_id) != 0)
            continue;
        assert_string_equal(text_at(item, "state"), "online");
        assert_int_equal(int_at(item, "busy"), 1);
        assert_string_equal(json_string_value(json_array_get(at(item, "sandbox"), 0)), "seccomp");
        return;
    }
    fail_msg("the worker is not listed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_worker__does_a_whole_job, queue_empty),
        cmocka_unit_test_setup(test_worker__nothing_to_do_is_204, queue_empty),
        cmocka_unit_test_setup(test_worker__long_poll_is_woken_by_a_new_job, queue_empty),
        cmocka_unit_test_setup(test_worker__reads_only_inputs_of_its_job, queue_empty),
        cmocka_unit_test_setup(test_worker__blob_must_have_its_hash, queue_empty),
        cmocka_unit_test_setup(test_worker__bad_bodies_are_400, queue_empty),
        cmocka_unit_test_setup(test_worker__unknown_one_is_told_to_say_hello, queue_empty),
        cmocka_unit_test_setup(test_worker__list_shows_who_is_there, queue_empty),
    };
    return cmocka_run_group_tests(tests, queue_setup, queue_teardown);
}
