/* Events of runners: once, in order, checked, and kept within limits. */

#include "tests/jobs/queue.h"

static const char FIVE[] = "[{\"type\":\"progress\",\"fraction\":0.25,\"message\":\"epoch 1\","
                           "\"eta_s\":12.5},"
                           "{\"type\":\"metrics\",\"step\":1,\"values\":{\"train/loss\":1.5}},"
                           "{\"type\":\"log\",\"level\":\"info\",\"message\":\"one\"},"
                           "{\"type\":\"metrics\",\"step\":2,\"values\":{\"train/loss\":\"NaN\"}},"
                           "{\"type\":\"state\",\"state\":\"ready\"}]";

static void test_events__each_counts_once(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    assert_err(OK, say(q, id, epoch, 1, FIVE, &next));
    assert_int_equal(next, 6);
    assert_err(OK, say(q, id, epoch, 1, FIVE, &next)); /* the reply was lost */
    assert_int_equal(next, 6);
    /* Half known, half new: as when a batch was cut differently. */
    assert_err(OK, say(q, id, epoch, 5,
                       "[{\"type\":\"state\",\"state\":\"ready\"},"
                       "{\"type\":\"metrics\",\"step\":3,\"values\":{}}]",
                       &next));
    assert_int_equal(next, 7);
    assert_string_equal(notes.text, "queued>running;metrics 1;metrics 2;state ready;metrics 3;");
    json_t *logs = get_ok(q->d, "/api/v1/jobs/%s/logs", id);
    assert_int_equal(json_array_size(at(logs, "items")), 1);
    json_t *job = get_ok(q->d, "/api/v1/jobs/%s", id);
    assert_true(real_at(job, "progress") == 0.25);
    assert_true(real_at(job, "eta_s") == 12.5);
    assert_string_equal(text_at(job, "message"), "epoch 1");
}

static void test_events__gap_is_refused_with_the_number_wanted(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    assert_err(OK, say(q, id, epoch, 1, FIVE, &next));
    const char *body = arena_printf(q->d->arena,
                                    "{\"worker_id\":\"%s\",\"epoch\":%lld,\"first_seq\":7,"
                                    "\"events\":[{\"type\":\"state\",\"state\":\"x\"}]}",
                                    q->worker_id, (long long)epoch);
    struct test_reply *reply =
        send_json(q->d, 409, &q->worker, "POST",
                  arena_printf(q->d->arena, "/api/v1/worker/jobs/%s/events", id), body);
    assert_string_equal(field_of(reply), "first_seq");
    assert_non_null(strstr(text_at(reply->json, "detail"), "6"));
}

static void test_events__each_lease_counts_from_one(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t next = 0;
    assert_err(OK, say(q, id, lease(q, NULL), 1, FIVE, &next));
    let_lease_run_out(q, id);
    assert_err(OK, say(q, id, lease(q, NULL), 1, FIVE, &next));
    assert_int_equal(next, 6);
    /* Lines of both attempts, numbered on. */
    json_t *logs = get_ok(q->d, "/api/v1/jobs/%s/logs?after=1", id);
    assert_int_equal(int_at(item_at(logs, 0), "seq"), 2);
}

static const char *const BAD_EVENTS[] = {
    "[{}]",
    "[17]",
    "[{\"type\":\"surprise\"}]",
    "[{\"type\":17}]",
    "[{\"type\":\"progress\"}]",
    "[{\"type\":\"progress\",\"fraction\":\"half\"}]",
    "[{\"type\":\"log\",\"message\":\"x\"}]",
    "[{\"type\":\"log\",\"level\":\"fatal\",\"message\":\"x\"}]",
    "[{\"type\":\"log\",\"level\":\"info\",\"message\":17}]",
    "[{\"type\":\"metrics\",\"step\":1.5,\"values\":{}}]",
    "[{\"type\":\"metrics\",\"step\":1,\"values\":[1]}]",
    "[{\"type\":\"state\"}]",
    "[{\"type\":\"artifact\",\"name\":\"x\"}]",
    "[{\"type\":\"artifact\",\"name\":\"\",\"sha256\":\"00\"}]",
    "[{\"type\":\"artifact\",\"name\":\"x\",\"sha256\":\"../../../etc/passwd\"}]",
};

static void test_events__bad_one_refuses_the_batch(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    for (size_t i = 0; i < sizeof(BAD_EVENTS) / sizeof(BAD_EVENTS[0]); i++) {
        const char *batch =
            arena_printf(q->d->arena, "[{\"type\":\"log\",\"level\":\"info\",\"message\":\"a\"},%s",
                         BAD_EVENTS[i] + 1);
        if (say(q, id, epoch, 1, batch, &next) != ERR_INVALID)
            fail_msg("taken: %s", BAD_EVENTS[i]);
    }
    assert_string_equal(job_says_column(q, id, "next_seq"), "1");
    assert_string_equal(test_sql_value(q->d->db, "select count(*) from job_logs"), "0");
}

static void test_events__values_out_of_range_are_bounded(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    char *long_text = arena_alloc(q->d->arena, 20001);
    for (int i = 0; i < 20000; i += 2)
        memcpy(long_text + i, "\xc3\xa9", 2);
    const char *batch = arena_printf(q->d->arena,
                                     "[{\"type\":\"progress\",\"fraction\":7,\"message\":\"%s\"},"
                                     "{\"type\":\"log\",\"level\":\"error\",\"message\":\"x%s\"}]",
                                     long_text, long_text);
    assert_err(OK, say(q, id, epoch, 1, batch, &next));
    assert_string_equal(job_says_column(q, id, "progress"), "1");
    assert_string_equal(job_says_column(q, id, "octet_length(message)"), "500");
    assert_string_equal(test_sql_value(q->d->db, "select octet_length(message) from job_logs"),
                        "8191"); /* not in the middle of a character */
}

static void test_events__log_is_capped_with_a_notice(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    test_sql(q->d->db, "update jobs set log_lines = 49999");
    assert_err(OK, say(q, id, epoch, 1,
                       "[{\"type\":\"log\",\"level\":\"info\",\"message\":\"last\"},"
                       "{\"type\":\"log\",\"level\":\"info\",\"message\":\"dropped\"},"
                       "{\"type\":\"log\",\"level\":\"info\",\"message\":\"dropped\"}]",
                       &next));
    assert_err(OK, say(q, id, epoch, 4,
                       "[{\"type\":\"log\",\"level\":\"info\",\"message\":\"dropped\"}]", &next));
    assert_string_equal(test_sql_value(q->d->db,
                                       "select string_agg(level || ' ' || left(message, 13), ','"
                                       " order by seq) from job_logs"),
                        "info last,warning further lines");
}

/* --- artifacts and checkpoints --- */

static const char *artifact(struct queue *q, const char *name, const char *text) {
    return arena_printf(q->d->arena,
                        "[{\"type\":\"artifact\",\"name\":\"%s\",\"sha256\":\"%s\","
                        "\"size_bytes\":1,\"media_type\":\"text/plain\"}]",
                        name, blob_make(q, text));
}

static const char *input_names(struct queue *q, const char *id) {
    return test_sql_value(q->d->db,
                          arena_printf(q->d->arena,
                                       "select string_agg(name, ' ' order by checkpoint, name)"
                                       " from job_inputs where job_id = '%s'",
                                       id));
}

static void test_events__checkpoint_is_an_input_of_the_next_attempt(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    assert_err(OK, say(q, id, epoch, 1, artifact(q, "plot.png", "p"), &next));
    assert_err(OK, say(q, id, epoch, 2, artifact(q, "checkpoint/last", "one"), &next));
    assert_err(OK, say(q, id, epoch, 3, artifact(q, "checkpoint/last", "second"), &next));
    assert_string_equal(input_names(q, id), "source-0 checkpoint/last");
    assert_string_equal(notes.text, "queued>running;artifact plot.png 1;artifact checkpoint/last "
                                    "3;artifact checkpoint/last 6;");
    const char *sql = "select size_bytes from job_inputs i join blobs b using (sha256)"
                      " where checkpoint";
    assert_string_equal(test_sql_value(q->d->db, sql), "6");
}

static void test_events__artifact_needs_its_upload_first(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    const char *batch = "[{\"type\":\"artifact\",\"name\":\"x\",\"sha256\":"
                        "\"1111111111111111111111111111111111111111111111111111111111111111\"}]";
    assert_err(ERR_NOT_FOUND, say(q, id, epoch, 1, batch, &next));
}

/* A runner cannot pass a file off as one of the job's own inputs. */
static void test_events__checkpoint_cannot_replace_an_input(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL), next = 0;
    test_sql(q->d->db, "update job_inputs set name = 'checkpoint/last'");
    assert_err(OK, say(q, id, epoch, 1, artifact(q, "checkpoint/last", "evil"), &next));
    assert_string_equal(test_sql_value(q->d->db, "select size_bytes from job_inputs"
                                                 " join blobs using (sha256)"),
                        "5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_events__each_counts_once, queue_empty),
        cmocka_unit_test_setup(test_events__gap_is_refused_with_the_number_wanted, queue_empty),
        cmocka_unit_test_setup(test_events__each_lease_counts_from_one, queue_empty),
        cmocka_unit_test_setup(test_events__bad_one_refuses_the_batch, queue_empty),
        cmocka_unit_test_setup(test_events__values_out_of_range_are_bounded, queue_empty),
        cmocka_unit_test_setup(test_events__log_is_capped_with_a_notice, queue_empty),
        cmocka_unit_test_setup(test_events__checkpoint_is_an_input_of_the_next_attempt,
                               queue_empty),
        cmocka_unit_test_setup(test_events__artifact_needs_its_upload_first, queue_empty),
        cmocka_unit_test_setup(test_events__checkpoint_cannot_replace_an_input, queue_empty),
    };
    return cmocka_run_group_tests(tests, queue_setup, queue_teardown);
}
