/* Runs as files: CSV and JSON Lines. */
#include "tests/support/domains.h"

#include "tracking/metrics.h"

#include <math.h>

static const char EXPORT[] = "/api/v1/projects/ours/runs/export";

static json_t *open_with(struct domains *d, const char *body) {
    return send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/runs", body)->json;
}

static const char *export_of(struct domains *d, const char *query) {
    return send_json(d, 200, &d->viewer, "GET", arena_printf(d->arena, "%s?%s", EXPORT, query),
                     NULL)
        ->body;
}

static int lines_of(const char *text) {
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void log_metric_at(struct domains *d, json_t *run, const char *key, int64_t step,
                          double value) {
    struct ctx cx;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_OWNER);
    cx.app = d->app;
    const struct metric_point point = {
        .key = key, .step = step, .at_us = 1790000000000000, .value = value};
    assert_ok(run_log_metrics(&cx, text_at(run, "id"), &point, 1), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

static void log_metric(struct domains *d, json_t *run, const char *key, double value) {
    log_metric_at(d, run, key, 1, value);
}

static void test_export__of_csv_has_a_column_a_key(void **state) {
    struct domains *d = *state;
    json_t *a = open_with(d, "{\"experiment\":\"csv\",\"name\":\"a\",\"params\":{\"lr\":\"-0.1\"},"
                             "\"tags\":{\"z\":\"say \\\"hi\\\"\"}}");
    json_t *b =
        open_with(d, "{\"experiment\":\"csv\",\"name\":\"=evil()\",\"params\":{\"n\":\"3\"}}");
    log_metric(d, a, "loss", -0.25);
    log_metric(d, b, "loss", INFINITY);
    const char *csv = export_of(d, arena_printf(d->arena, "format=csv&order_by=name&experiment=%s",
                                                text_at(a, "experiment_id")));
    assert_int_equal(lines_of(csv), 3);
    const char *head = strstr(csv, "\"params.lr\",\"params.n\",\"metrics.loss\",\"tags.z\"\r\n");
    assert_non_null(head);
    assert_non_null(strstr(csv, "\"'=evil()\",\"csv\""));
    assert_non_null(strstr(csv, "running,,\"3\",Infinity,\r\n"));
    assert_non_null(strstr(csv, "running,\"-0.1\",,-0.25,\"say \"\"hi\"\"\"\r\n"));
}

static void test_export__of_csv_with_ranges(void **state) {
    struct domains *d = *state;
    json_t *run = open_with(d, "{\"experiment\":\"ranges\",\"params\":{\"n\":\"1\"}}");
    json_t *nan = open_with(d, "{\"experiment\":\"ranges\",\"params\":{\"n\":\"2\"}}");
    static const double VALUES[] = {0.5, -2, 0.25};
    for (int i = 0; i < 3; i++)
        log_metric_at(d, run, "loss", i, VALUES[i]);
    log_metric(d, nan, "loss", NAN);
    const char *csv = export_of(d, arena_printf(d->arena, "format=csv&ranges=true&experiment=%s",
                                                text_at(run, "experiment_id")));
    assert_non_null(
        strstr(csv, "\"metrics.loss\",\"min(metrics.loss)\",\"max(metrics.loss)\"\r\n"));
    assert_non_null(strstr(csv, "running,\"1\",0.25,-2,0.5\r\n"));
    assert_non_null(strstr(csv, "running,\"2\",NaN,,\r\n"));
    const char *lines =
        export_of(d, arena_printf(d->arena, "format=jsonl&ranges=true&experiment=%s",
                                  text_at(run, "experiment_id")));
    assert_non_null(strstr(lines, "\"metrics_min\":{\"loss\":-2},\"metrics_max\":{\"loss\":0.5}"));
    assert_non_null(strstr(lines, "\"metrics_min\":{},\"metrics_max\":{}"));
}

static void test_export__of_jsonl_is_runs_as_lists_have_them(void **state) {
    struct domains *d = *state;
    json_t *run = open_with(d, "{\"experiment\":\"jsonl\",\"params\":{\"lr\":\"0.1\"}}");
    open_with(d, "{\"experiment\":\"jsonl\",\"params\":{\"lr\":\"0.2\"}}");
    log_metric(d, run, "loss", 0.5);
    const char *lines = export_of(d, arena_printf(d->arena,
                                                  "format=jsonl&experiment=%s&filter=params.lr%%3D"
                                                  "%%270.1%%27",
                                                  text_at(run, "experiment_id")));
    assert_int_equal(lines_of(lines), 1);
    json_t *one = json_loads(lines, 0, NULL);
    assert_non_null(one);
    assert_string_equal(text_at(one, "id"), text_at(run, "id"));
    assert_float_equal(real_at(at(one, "metrics"), "loss"), 0.5, 1e-12);
    json_decref(one);
}

static void test_export__goes_in_parts(void **state) {
    struct domains *d = *state;
    json_t *run = open_with(d, "{\"experiment\":\"many\"}");
    test_sql(d->db, arena_printf(
                        d->arena,
                        "insert into runs (id, team_id, project_id, experiment_id, name, state,"
                        " created_by) select gen_random_uuid(), team_id, project_id, experiment_id,"
                        " 'r' || n, 'running', 'me' from runs, generate_series(1, 450) n"
                        " where id = '%s'",
                        text_at(run, "id")));
    const char *csv = export_of(
        d, arena_printf(d->arena, "format=csv&experiment=%s", text_at(run, "experiment_id")));
    assert_int_equal(lines_of(csv), 452);
}

static void test_export__of_nothing_is_a_head(void **state) {
    struct domains *d = *state;
    assert_int_equal(lines_of(export_of(d, "format=csv&filter=name%3D%27none%20such%27")), 1);
    assert_string_equal(export_of(d, "format=jsonl&filter=name%3D%27none%20such%27"), "");
}

static void test_export__refuses_before_it_begins(void **state) {
    struct domains *d = *state;
    get_fails(d, 400, &d->viewer, "%s", EXPORT);
    get_fails(d, 400, &d->viewer, "%s?format=xlsx", EXPORT);
    get_fails(d, 400, &d->viewer, "%s?format=csv&filter=nonsense%%20%%3D%%3D", EXPORT);
    get_fails(d, 404, &d->stranger, "%s?format=csv", EXPORT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export__of_csv_has_a_column_a_key),
        cmocka_unit_test(test_export__of_csv_with_ranges),
        cmocka_unit_test(test_export__of_jsonl_is_runs_as_lists_have_them),
        cmocka_unit_test(test_export__goes_in_parts),
        cmocka_unit_test(test_export__of_nothing_is_a_head),
        cmocka_unit_test(test_export__refuses_before_it_begins),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
