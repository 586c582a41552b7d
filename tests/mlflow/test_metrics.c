/* Metrics and batches: logged one by one and at once, read back in order, page by page. */
#include "tests/mlflow/wire.h"

static const char *fresh(struct domains *d) {
    return run_opened(d, "0", "metrics");
}

static json_t *points_of(struct domains *d, const char *run, const char *key) {
    return json_object_get(look(d, "metrics/get-history?run_id=%s&metric_key=%s", run, key),
                           "metrics");
}

static void log_point(struct domains *d, const char *run, const char *key, double value, int time,
                      int step) {
    call(d, "runs/log-metric",
         "{\"run_id\":\"%s\",\"key\":\"%s\",\"value\":%g,\"timestamp\":%d,\"step\":%d}", run, key,
         value, time, step);
}

static void test_log_metric__keeps_every_point_once(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d);
    log_point(d, run, "loss", 0.5, 2000, 2);
    log_point(d, run, "loss", 0.25, 1000, 3);
    log_point(d, run, "loss", 0.5, 2000, 2);
    log_point(d, run, "loss", 9, 2000, 1);
    json_t *points = points_of(d, run, "loss");
    assert_int_equal(json_array_size(points), 3);
    json_t *first = json_array_get(points, 0), *second = json_array_get(points, 1);
    assert_int_equal(int_at(first, "timestamp"), 1000);
    assert_int_equal(int_at(first, "step"), 3);
    assert_int_equal(int_at(second, "step"), 1);
    assert_string_equal(text_at(first, "key"), "loss");
    /* The last is that of the greatest step. */
    assert_string_equal(logged(d, run, "metrics", "loss"), "0.25");
    assert_null(points_of(d, run, "nothing"));
}

static void test_log_metric__refuses_what_is_no_point(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d);
    static const char *const BAD[] = {
        "\"key\":\"a\",\"value\":1,\"timestamp\":-1",
        "\"key\":\"a\",\"value\":1,\"timestamp\":253402300800000",
        "\"key\":\"a\",\"value\":1,\"timestamp\":9223372036854775807",
        "\"key\":\"a\",\"value\":1,\"timestamp\":1,\"step\":9223372036854775808",
        "\"key\":\"a\",\"value\":1,\"timestamp\":1.5",
        "\"key\":\"a\",\"value\":true,\"timestamp\":1",
        "\"key\":\"a/../b\",\"value\":1,\"timestamp\":1",
        "\"key\":\"a*b\",\"value\":1,\"timestamp\":1",
        "\"key\":\"a\",\"value\":1,\"timestamp\":1,\"model_id\":\"m-x\"",
    };
    for (size_t i = 0; i + 1 < sizeof(BAD) / sizeof(BAD[0]); i++)
        refused(d, 400, INVALID, "runs/log-metric", "{\"run_id\":\"%s\",%s}", run, BAD[i]);
    refused(d, 404, MISSING, "runs/log-metric", "{\"run_id\":\"%s\",%s}", run, BAD[8]);
    assert_null(logged(d, run, "metrics", "a"));
}

/* What a model scored is kept with the run and with the model. */
static void test_log_metric__of_a_model(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d);
    json_t *model =
        at(call(d, "logged-models", "{\"experiment_id\":\"0\",\"name\":\"scored\"}"), "model");
    const char *id = text_at(at(model, "info"), "model_id");
    call(d, "runs/log-metric",
         "{\"run_id\":\"%s\",\"key\":\"auc\",\"value\":0.75,\"timestamp\":1,\"model_id\":\"%s\","
         "\"dataset_name\":\"d\",\"dataset_digest\":\"1\"}",
         run, id);
    call(d, "runs/log-batch",
         "{\"run_id\":\"%s\",\"metrics\":[{\"key\":\"f1\",\"value\":0.5,\"timestamp\":1,"
         "\"model_id\":\"%s\"}]}",
         run, id);
    assert_string_equal(logged(d, run, "metrics", "auc"), "0.75");
    json_t *metrics = at(at(at(look(d, "logged-models/%s", id), "model"), "data"), "metrics");
    assert_int_equal(json_array_size(metrics), 2);
}

/* --- batches --- */

static void test_log_batch__stores_all_of_it(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d);
    call(d, "runs/log-batch",
         "{\"run_id\":\"%s\",\"metrics\":[{\"key\":\"m\",\"value\":\"Infinity\",\"timestamp\":1},"
         "{\"key\":\"n\",\"value\":3,\"timestamp\":1,\"step\":5}],\"params\":[{\"key\":\"p\","
         "\"value\":\"1\"}],\"tags\":[{\"key\":\"t\",\"value\":\"2\"},{\"key\":\"t\",\"value\":"
         "\"3\"}]}",
         run);
    assert_string_equal(logged(d, run, "metrics", "m"), "1.7976931348623157e308");
    assert_string_equal(logged(d, run, "metrics", "n"), "3");
    assert_string_equal(logged(d, run, "params", "p"), "\"1\"");
    assert_string_equal(logged(d, run, "tags", "t"), "\"3\"");
    call(d, "runs/log-batch", "{\"run_id\":\"%s\"}", run);
    refused(d, 404, MISSING, "runs/log-batch", "{\"run_id\":\"%032d\"}", 0);
}

static void test_log_batch__stores_nothing_of_a_bad_one(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d);
    static const char *const BAD[] = {
        "\"params\":[{\"key\":\"p\",\"value\":\"2\"}]",
        "\"params\":[{\"key\":\"q\",\"value\":\"1\"},{\"key\":\"q\",\"value\":\"1\"}]",
        "\"tags\":[{\"key\":\"a//b\",\"value\":\"1\"}]",
        "\"params\":[{\"key\":\"..\",\"value\":\"1\"}]",
    };
    call(d, "runs/log-parameter", "{\"run_id\":\"%s\",\"key\":\"p\",\"value\":\"1\"}", run);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        refused(d, 400, INVALID, "runs/log-batch",
                "{\"run_id\":\"%s\",\"metrics\":[{\"key\":\"m\",\"value\":1,\"timestamp\":1}],%s}",
                run, BAD[i]);
        assert_null(logged(d, run, "metrics", "m"));
    }
    const char *message =
        refused(d, 400, INVALID, "runs/log-batch", "{\"run_id\":\"%s\",%s}", run, BAD[0]);
    assert_string_equal(message,
                        arena_printf(d->arena,
                                     "Changing param values is not allowed. Params were already "
                                     "logged='[{'key': 'p', 'old_value': '1', 'new_value': '2'}]' "
                                     "for run ID='%s'.",
                                     run));
    assert_null(logged(d, run, "params", "q"));
}

static const char *items(struct domains *d, const char *format, int count) {
    auto_buf text = {0};
    for (int i = 0; i < count; i++)
        buf_printf(&text, "%s{\"key\":\"k%d\",%s}", i ? "," : "", i, format);
    return arena_strdup(d->arena, text.data ? text.data : "");
}

static void test_log_batch__has_limits(void **state) {
    static const char METRIC[] = "\"value\":1,\"timestamp\":1", TEXT[] = "\"value\":\"x\"";
    struct domains *d = *state;
    const char *run = fresh(d);
    assert_string_equal(
        refused(d, 400, INVALID, "runs/log-batch", "{\"run_id\":\"%s\",\"metrics\":[%s]}", run,
                items(d, METRIC, 1001)),
        "A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split "
        "up metrics across multiple requests and try again.");
    refused(d, 400, INVALID, "runs/log-batch", "{\"run_id\":\"%s\",\"params\":[%s]}", run,
            items(d, TEXT, 101));
    refused(d, 400, INVALID, "runs/log-batch", "{\"run_id\":\"%s\",\"tags\":[%s]}", run,
            items(d, TEXT, 101));
    assert_non_null(strstr(refused(d, 400, INVALID, "runs/log-batch",
                                   "{\"run_id\":\"%s\",\"metrics\":[%s],\"tags\":[%s]}", run,
                                   items(d, METRIC, 950), items(d, TEXT, 51)),
                           "at most 1000 metrics, params, and tags. Got 1001"));
    call(d, "runs/log-batch", "{\"run_id\":\"%s\",\"metrics\":[%s],\"params\":[%s],\"tags\":[%s]}",
         run, items(d, METRIC, 800), items(d, TEXT, 100), items(d, TEXT, 100));
    json_t *data = at(at(look(d, "runs/get?run_id=%s", run), "run"), "data");
    assert_int_equal(json_array_size(at(data, "metrics")), 800);
    assert_int_equal(json_array_size(at(data, "params")), 100);
}

/* --- histories --- */

static void make_series(struct domains *d, const char *run, int count) {
    auto_buf text = {0};
    for (int i = 0; i < count; i++)
        buf_printf(&text, "%s{\"key\":\"s\",\"value\":%d,\"timestamp\":%d,\"step\":%d}",
                   i ? "," : "", i % 7, i / 2, i);
    call(d, "runs/log-batch", "{\"run_id\":\"%s\",\"metrics\":[%s]}", run, text.data);
}

static void test_history__comes_in_pages(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d), *token = "";
    int seen = 0, pages = 0;
    make_series(d, run, 1000);
    do {
        json_t *page =
            look(d, "metrics/get-history?run_uuid=%s&metric_key=s&max_results=300&page_token=%s",
                 run, token);
        size_t i;
        json_t *point;
        json_array_foreach(at(page, "metrics"), i, point)
            assert_int_equal(int_at(point, "step"), seen++);
        token = json_string_value(json_object_get(page, "next_page_token"));
        pages++;
    } while (token);
    assert_int_equal(seen, 1000);
    assert_int_equal(pages, 4);
    assert_int_equal(json_array_size(points_of(d, run, "s")), 1000);
    look_refused(d, 400, INVALID, "metrics/get-history?run_id=%s&metric_key=s&max_results=0", run);
    look_refused(d, 400, INVALID, "metrics/get-history?run_id=%s&metric_key=s&page_token=x", run);
    look_refused(d, 400, INVALID, "metrics/get-history?run_id=%s", run);
    look_refused(d, 404, MISSING, "metrics/get-history?run_id=x&metric_key=s");
}

static void test_history__of_many_runs(void **state) {
    struct domains *d = *state;
    const char *a = fresh(d), *b = fresh(d);
    make_series(d, a, 20);
    make_series(d, b, 20);
    json_t *all = at(look(d,
                          "/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id=%s&run_id=%s"
                          "&run_id=ffffffffffffffffffffffffffffffff&metric_key=s",
                          a, b),
                     "metrics");
    assert_int_equal(json_array_size(all), 40);
    assert_string_equal(text_at(json_array_get(all, 0), "run_id"), strcmp(a, b) < 0 ? a : b);
    all =
        at(look(d, "metrics/get-history-bulk?run_id=%s&metric_key=s&max_results=5", a), "metrics");
    assert_int_equal(json_array_size(all), 5);
    look_refused(d, 400, INVALID, "metrics/get-history-bulk?metric_key=s");
    look_refused(d, 400, INVALID, "metrics/get-history-bulk?run_id=%s", a);
    auto_buf many = {0};
    for (int i = 0; i < 101; i++)
        buf_printf(&many, "run_id=%032d&", i);
    look_refused(d, 400, INVALID, "metrics/get-history-bulk?%smetric_key=s", many.data);
}

static void test_history__of_an_interval_keeps_its_ends(void **state) {
    struct domains *d = *state;
    const char *run = fresh(d);
    make_series(d, run, 1000);
    json_t *sample = at(look(d,
                             "metrics/get-history-bulk-interval?run_ids=%s&metric_key=s"
                             "&start_step=100&end_step=899&max_results=10",
                             run),
                        "metrics");
    size_t count = json_array_size(sample);
    assert_in_range(count, 10, 13);
    assert_int_equal(int_at(json_array_get(sample, 0), "step"), 100);
    assert_int_equal(int_at(json_array_get(sample, count - 1), "step"), 899);
    assert_string_equal(text_at(json_array_get(sample, 0), "run_id"), run);
    static const char *const BAD[] = {
        "start_step=1",  "end_step=1",       "start_step=2&end_step=1",
        "max_results=0", "max_results=2501", "max_results=x"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        look_refused(d, 400, INVALID,
                     "metrics/get-history-bulk-interval?run_ids=%s&metric_key=s&%s", run, BAD[i]);
}

/* Beside each other, runs show the same steps, and each its own ends. */
static void test_history__of_several_runs_has_their_steps_in_common(void **state) {
    struct domains *d = *state;
    const char *shorter = fresh(d), *longer = fresh(d);
    static const int STEPS[] = {0, 4, 8, 9, 0, 4, 8, 9, 12, 16, 19};
    make_series(d, shorter, 10);
    make_series(d, longer, 20);
    json_t *sample = at(look(d,
                             "metrics/get-history-bulk-interval?run_ids=%s&run_ids=%s"
                             "&metric_key=s&max_results=5",
                             shorter, longer),
                        "metrics");
    assert_int_equal(json_array_size(sample), sizeof(STEPS) / sizeof(STEPS[0]));
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++)
        assert_int_equal(int_at(json_array_get(sample, i), "step"), STEPS[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_metric__keeps_every_point_once),
        cmocka_unit_test(test_log_metric__refuses_what_is_no_point),
        cmocka_unit_test(test_log_metric__of_a_model),
        cmocka_unit_test(test_log_batch__stores_all_of_it),
        cmocka_unit_test(test_log_batch__stores_nothing_of_a_bad_one),
        cmocka_unit_test(test_log_batch__has_limits),
        cmocka_unit_test(test_history__comes_in_pages),
        cmocka_unit_test(test_history__of_many_runs),
        cmocka_unit_test(test_history__of_an_interval_keeps_its_ends),
        cmocka_unit_test(test_history__of_several_runs_has_their_steps_in_common),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
