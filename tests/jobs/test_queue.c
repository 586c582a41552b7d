/* Life of a job: created, leased, finished, retried, given up, cancelled. */

#include "tests/jobs/queue.h"

/* --- the ordinary life --- */

static void test_job__is_created_with_its_traces(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    json_t *job = get_ok(q->d, "/api/v1/jobs/%s", id);
    assert_string_equal(text_at(job, "state"), "queued");
    assert_string_equal(text_at(job, "created_by"), "ours@example.test");
    assert_int_equal(int_at(job, "max_attempts"), 3);
    json_t *events = get_ok(q->d, "/api/v1/jobs/%s/events", id);
    assert_string_equal(text_at(item_at(events, 0), "state"), "queued");
    assert_true(json_is_null(at(item_at(events, 0), "from_state")));
    json_t *graph = get_ok(q->d, "/api/v1/lineage?node=job:%s", id);
    assert_string_equal(text_at(json_array_get(at(graph, "nodes"), 0), "state"), "queued");
}

static void test_job__succeeds_once_with_its_outputs(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted"), *leased;
    int64_t epoch = lease(q, &leased);
    assert_string_equal(leased, id);
    assert_int_equal(epoch, 1);
    assert_int_equal(lease(q, NULL), -1);
    auto_json *result = json_pack("{s:s}", "status", "completed");
    struct finish_output output = {.name = "model.json",
                                   .sha256 = blob_make(q, "{}"),
                                   .media_type = "application/json",
                                   .size_bytes = 2};
    struct job_finish f = {
        .epoch = epoch, .outcome = OUTCOME_SUCCEEDED, .result = result, .outputs = {&output, 1}};
    assert_err(OK, finish(q, id, &f));
    assert_err(OK, finish(q, id, &f)); /* its reply was lost */
    assert_state(q, id, "succeeded");
    assert_string_equal(notes.text, "queued>running;running>succeeded;success completed 1;");
    json_t *job = get_ok(q->d, "/api/v1/jobs/%s", id);
    assert_true(real_at(job, "progress") == 1.0);
    assert_true(json_is_string(at(job, "finished_at")));
}

static void test_job__refused_input_is_final(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    auto_json *error = json_pack("{s:s, s:s}", "code", "invalid_data", "message", "row 3 is odd");
    struct job_finish f = {.epoch = epoch, .outcome = OUTCOME_FAILED, .error = error};
    assert_err(OK, finish(q, id, &f));
    assert_state(q, id, "failed");
    assert_string_equal(job_says_column(q, id, "error ->> 'message'"), "row 3 is odd");
    assert_string_equal(notes.text, "queued>running;running>failed;failure failed;");
}

static void test_job__domain_that_refuses_the_result_fails_it_and_leaves_nothing(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    notes.success_fails = ERR_UNPROCESSABLE;
    assert_err(OK, finish_as(q, id, epoch, OUTCOME_SUCCEEDED));
    assert_state(q, id, "failed");
    assert_string_equal(job_says_column(q, id, "error ->> 'message'"),
                        "the runner's result was refused: the report does not fit");
    assert_string_equal(
        test_sql_value(q->d->db, "select count(*) from lineage_nodes where name = 'half'"), "0");
}

static void test_job__database_that_is_away_is_no_verdict(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    notes.success_fails = ERR_UNAVAILABLE;
    assert_err(ERR_UNAVAILABLE, finish_as(q, id, epoch, OUTCOME_SUCCEEDED));
    assert_state(q, id, "running");
    notes.success_fails = OK;
    assert_err(OK, finish_as(q, id, epoch, OUTCOME_SUCCEEDED));
    assert_state(q, id, "succeeded");
}

static void test_job__output_that_was_never_uploaded_fails_it(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    char zeros[65];
    memset(zeros, '0', 64);
    zeros[64] = '\0';
    struct finish_output output = {.name = "x", .sha256 = zeros, .media_type = "text/plain"};
    struct job_finish f = {
        .epoch = lease(q, NULL), .outcome = OUTCOME_SUCCEEDED, .outputs = {&output, 1}};
    assert_err(OK, finish(q, id, &f));
    assert_state(q, id, "failed");
}

/* --- trying again --- */

static void test_job__crashes_are_tried_again_and_then_given_up(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    for (int64_t attempt = 1; attempt <= 3; attempt++) {
        int64_t epoch = lease(q, NULL);
        assert_int_equal(epoch, attempt);
        assert_err(OK, crash(q, id, epoch));
        assert_int_equal(lease(q, NULL), -1); /* not before the pause */
        skip_pause(q);
    }
    assert_state(q, id, "failed");
    assert_string_equal(job_says_column(q, id, "error ->> 'code'"), "crashed");
    assert_int_equal(lease(q, NULL), -1);
    assert_non_null(strstr(notes.text, "running>queued;queued>running;running>failed;failure"));
}

static void test_job__pause_grows_with_attempts(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    const char *pause = "round(extract(epoch from run_at - now()) / 5)";
    assert_err(OK, crash(q, id, lease(q, NULL)));
    assert_string_equal(job_says_column(q, id, pause), "1");
    skip_pause(q);
    assert_err(OK, crash(q, id, lease(q, NULL)));
    assert_string_equal(job_says_column(q, id, pause), "2");
}

static void test_job__handed_back_counts_no_attempt(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    for (int i = 0; i < 5; i++) {
        int64_t epoch = lease(q, NULL);
        assert_int_equal(epoch, i + 1);
        assert_err(OK, finish_as(q, id, epoch, OUTCOME_REQUEUE));
        assert_err(OK, finish_as(q, id, epoch, OUTCOME_REQUEUE)); /* repeated */
        assert_string_equal(job_says_column(q, id, "attempt"), "0");
        assert_state(q, id, "queued");
    }
}

static void test_job__retry_by_a_person_is_a_new_budget(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.plain");
    const char *path = arena_printf(q->d->arena, "/api/v1/jobs/%s/retry", id);
    send_json(q->d, 409, &q->d->editor, "POST", path, NULL);
    for (int i = 0; i < 2; i++) {
        assert_err(OK, crash(q, id, lease(q, NULL)));
        skip_pause(q);
    }
    assert_state(q, id, "failed");
    send_json(q->d, 403, &q->d->viewer, "POST", path, NULL);
    json_t *job = send_json(q->d, 200, &q->d->editor, "POST", path, NULL)->json;
    assert_string_equal(text_at(job, "state"), "queued");
    assert_int_equal(int_at(job, "attempt"), 0);
    assert_true(json_is_null(at(job, "error")));
    assert_int_equal(lease(q, NULL), 3);
    assert_err(OK, finish_as(q, id, 3, OUTCOME_SUCCEEDED));
    assert_state(q, id, "succeeded");
}

/* --- cancelling --- */

static void cancel(struct queue *q, int status, const char *id) {
    send_json(q->d, status, &q->d->editor, "POST",
              arena_printf(q->d->arena, "/api/v1/jobs/%s/cancel", id), NULL);
}

static void test_job__queued_one_is_cancelled_at_once(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    cancel(q, 200, id);
    assert_state(q, id, "cancelled");
    assert_string_equal(notes.text, "queued>cancelled;failure cancelled;");
    assert_int_equal(lease(q, NULL), -1);
    cancel(q, 409, id);
}

static void test_job__running_one_is_asked_to_stop(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    bool asked = true;
    int64_t epoch = lease(q, NULL);
    assert_err(OK, heartbeat(q, id, epoch, &asked));
    assert_false(asked);
    cancel(q, 200, id);
    cancel(q, 200, id); /* twice is once */
    assert_state(q, id, "cancelling");
    assert_err(OK, heartbeat(q, id, epoch, &asked));
    assert_true(asked);
    assert_err(OK, finish_as(q, id, epoch, OUTCOME_CANCELLED));
    assert_state(q, id, "cancelled");
}

static void test_job__that_ends_before_it_is_stopped_has_succeeded(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    cancel(q, 200, id);
    assert_err(OK, finish_as(q, id, epoch, OUTCOME_SUCCEEDED));
    assert_state(q, id, "succeeded");
}

static void test_job__cancelled_one_is_not_tried_again(void **state) {
    struct queue *q = *state;
    const char *crashed = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    cancel(q, 200, crashed);
    assert_err(OK, crash(q, crashed, epoch));
    assert_state(q, crashed, "failed");
    const char *returned = job_make(q, "test.noted");
    epoch = lease(q, NULL);
    cancel(q, 200, returned);
    assert_err(OK, finish_as(q, returned, epoch, OUTCOME_REQUEUE));
    assert_state(q, returned, "cancelled");
}

/* --- who sees what --- */

static void test_job__lists_filter_and_page(void **state) {
    struct queue *q = *state;
    for (int i = 0; i < 5; i++)
        job_make(q, i % 2 ? "test.plain" : "test.noted");
    lease(q, NULL);
    const char *path = "/api/v1/projects/ours/jobs";
    assert_int_equal(json_array_size(at(get_ok(q->d, "%s?kind=test.plain", path), "items")), 2);
    assert_int_equal(json_array_size(at(get_ok(q->d, "%s?state=running", path), "items")), 1);
    json_t *page = get_ok(q->d, "%s?limit=3", path);
    assert_int_equal(json_array_size(at(page, "items")), 3);
    page = get_ok(q->d, "%s?limit=3&cursor=%s", path, text_at(page, "next_cursor"));
    assert_int_equal(json_array_size(at(page, "items")), 2);
    assert_true(json_is_null(at(page, "next_cursor")));
    get_fails(q->d, 404, &q->d->stranger, "%s", path);
}

static void test_job__is_not_there_for_others(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    static const char *const gets[] = {"", "/events", "/logs"};
    for (int i = 0; i < 3; i++)
        get_fails(q->d, 404, &q->d->stranger, "/api/v1/jobs/%s%s", id, gets[i]);
    send_json(q->d, 404, &q->d->stranger, "POST",
              arena_printf(q->d->arena, "/api/v1/jobs/%s/cancel", id), NULL);
    get_fails(q->d, 404, &q->d->viewer, "/api/v1/jobs/x");
    assert_state(q, id, "queued");
    static const char *const tables[] = {"jobs", "job_inputs", "job_events"};
    for (int i = 0; i < 3; i++)
        assert_wall(q->d, tables[i]);
}

static void test_job__says_what_it_waits_for(void **state) {
    struct queue *q = *state;
    const char *first = job_make(q, "test.noted");
    const char *second = job_make(q, "test.noted");
    assert_string_equal(text_at(get_ok(q->d, "/api/v1/jobs/%s", second), "waiting_for"),
                        "it is number 2 in the queue");
    test_sql(q->d->db, "update workers set slots = 1");
    assert_int_equal(lease(q, NULL), 1);
    assert_string_equal(text_at(get_ok(q->d, "/api/v1/jobs/%s", second), "waiting_for"),
                        "all workers are busy, it is the next");
    assert_true(json_is_null(at(get_ok(q->d, "/api/v1/jobs/%s", first), "waiting_for")));
    test_sql(q->d->db, "update workers set last_seen_at = now() - interval '1 hour'");
    assert_string_equal(text_at(get_ok(q->d, "/api/v1/jobs/%s", second), "waiting_for"),
                        "no worker is online that can run it");
    test_sql(q->d->db, "update workers set last_seen_at = now(), slots = 2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_job__is_created_with_its_traces, queue_empty),
        cmocka_unit_test_setup(test_job__succeeds_once_with_its_outputs, queue_empty),
        cmocka_unit_test_setup(test_job__refused_input_is_final, queue_empty),
        cmocka_unit_test_setup(test_job__domain_that_refuses_the_result_fails_it_and_leaves_nothing,
                               queue_empty),
        cmocka_unit_test_setup(test_job__database_that_is_away_is_no_verdict, queue_empty),
        cmocka_unit_test_setup(test_job__output_that_was_never_uploaded_fails_it, queue_empty),
        cmocka_unit_test_setup(test_job__crashes_are_tried_again_and_then_given_up, queue_empty),
        cmocka_unit_test_setup(test_job__pause_grows_with_attempts, queue_empty),
        cmocka_unit_test_setup(test_job__handed_back_counts_no_attempt, queue_empty),
        cmocka_unit_test_setup(test_job__retry_by_a_person_is_a_new_budget, queue_empty),
        cmocka_unit_test_setup(test_job__queued_one_is_cancelled_at_once, queue_empty),
        cmocka_unit_test_setup(test_job__running_one_is_asked_to_stop, queue_empty),
        cmocka_unit_test_setup(test_job__that_ends_before_it_is_stopped_has_succeeded, queue_empty),
        cmocka_unit_test_setup(test_job__cancelled_one_is_not_tried_again, queue_empty),
        cmocka_unit_test_setup(test_job__lists_filter_and_page, queue_empty),
        cmocka_unit_test_setup(test_job__is_not_there_for_others, queue_empty),
        cmocka_unit_test_setup(test_job__says_what_it_waits_for, queue_empty),
    };
    return cmocka_run_group_tests(tests, queue_setup, queue_teardown);
}
