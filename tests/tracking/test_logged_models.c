/* Logged models: making, finalizing, archiving, texts, metrics by data set, search, walls. */
#include "tests/support/domains.h"

#include "tracking/tracking.h"

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_EDITOR);
    cx->app = d->app;
}

/* The number 0 of our project. */
static const char *default_experiment(struct domains *d) {
    return arena_strdup(d->arena,
                        test_sql_value(d->db, arena_printf(d->arena,
                                                           "select id from experiments where"
                                                           " project_id = '%s' and number = 0",
                                                           d->ours.project_id)));
}

static const char *run_open_named(struct domains *d, const char *name) {
    const char *body = arena_printf(d->arena, "{\"name\":\"%s\"}", name);
    return text_at(send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/runs", body)->json,
                   "id");
}

static enum err try_create(struct domains *d, struct ctx *cx, const char *name, const char *run,
                           struct logged_model *ret) {
    auto_json *params = json_pack("{s:s, s:s}", "depth", "3", "lr", "0.1");
    auto_json *tags = json_pack("{s:s}", "team", "vision");
    return logged_model_create(cx,
                               &(struct logged_model_create){.project_id = d->ours.project_id,
                                                             .experiment_id = default_experiment(d),
                                                             .name = name,
                                                             .model_type = "classifier",
                                                             .source_run_id = run,
                                                             .tags = tags,
                                                             .params = params},
                               ret);
}

/* Its id. */
static const char *model_make(struct domains *d, const char *name, const char *run) {
    struct ctx cx;
    struct logged_model model;
    ctx_ours(d, &cx);
    assert_ok(try_create(d, &cx, name, run, &model), &cx.err);
    const char *id = arena_strdup(d->arena, model.id);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    return id;
}

static json_t *model_now(struct domains *d, const char *id) {
    return get_ok(d, "/api/v1/logged-models/%s", id);
}

static void test_logged_model__begins_pending_with_what_was_said(void **state) {
    struct domains *d = *state;
    const char *run = run_open_named(d, "source");
    json_t *model = model_now(d, model_make(d, "first model", run));
    assert_string_equal(text_at(model, "name"), "first model");
    assert_string_equal(text_at(model, "status"), "pending");
    assert_string_equal(text_at(model, "model_type"), "classifier");
    assert_string_equal(text_at(model, "source_run_id"), run);
    assert_int_equal(int_at(model, "experiment_number"), 0);
    assert_string_equal(text_at(at(model, "params"), "depth"), "3");
    assert_string_equal(text_at(at(model, "tags"), "team"), "vision");
    assert_int_equal(json_array_size(at(model, "metrics")), 0);
    json_t *graph = get_ok(d, "/api/v1/lineage?node=run:%s", run);
    assert_int_equal(json_array_size(at(graph, "nodes")), 2);
}

static void test_logged_model__bad_names_are_refused(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[] = {"", "a/b", "a:b", "a.b", "a%b", "a\"b", "a'b"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct ctx cx;
        struct logged_model model;
        ctx_ours(d, &cx);
        assert_err(ERR_INVALID, try_create(d, &cx, NAMES[i], NULL, &model));
        assert_string_equal(cx.err.field, "name");
        ctx_done(&cx);
    }
    assert_true(strlen(text_at(model_now(d, model_make(d, NULL, NULL)), "name")) > 0);
}

static void test_logged_model__needs_run_and_experiment_of_its_project(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct logged_model model;
    ctx_ours(d, &cx);
    assert_err(ERR_NOT_FOUND,
               try_create(d, &cx, "m", "0192d3a0-0000-7000-8000-000000000000", &model));
    assert_err(ERR_NOT_FOUND,
               logged_model_create(
                   &cx,
                   &(struct logged_model_create){
                       .project_id = d->ours.project_id,
                       .experiment_id = test_sql_value(
                           d->db, arena_printf(d->arena,
                                               "select id from experiments where project_id = '%s'",
                                               d->theirs.project_id)),
                       .name = "m"},
                   &model));
    ctx_done(&cx);
}

static void test_logged_model__is_finalized(void **state) {
    struct domains *d = *state;
    const char *id = model_make(d, "finalized", NULL);
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(logged_model_finalize(&cx, id, LOGGED_MODEL_FAILED), &cx.err);
    assert_ok(logged_model_finalize(&cx, id, LOGGED_MODEL_READY), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_err(ERR_NOT_FOUND, logged_model_finalize(&cx, "0192d3a0-0000-7000-8000-000000000000",
                                                    LOGGED_MODEL_READY));
    ctx_done(&cx);
    assert_string_equal(text_at(model_now(d, id), "status"), "ready");
}

static void test_logged_model__takes_params_and_tags(void **state) {
    struct domains *d = *state;
    const char *id = model_make(d, "texts", NULL);
    struct ctx cx;
    bool found;
    ctx_ours(d, &cx);
    assert_ok(logged_model_add_params(&cx, id, ARGS("depth", "width"), ARGS("3", "9"), 2), &cx.err);
    assert_ok(logged_model_put_tags(&cx, id, ARGS("team", "new"), ARGS("audio", ""), 2), &cx.err);
    assert_ok(logged_model_delete_tag(&cx, id, "new", &found), &cx.err);
    assert_true(found);
    assert_ok(logged_model_delete_tag(&cx, id, "new", &found), &cx.err);
    assert_false(found);
    assert_ok(db_commit(&cx), &cx.err);
    assert_err(ERR_CONFLICT, logged_model_add_params(&cx, id, ARGS("width"), ARGS("10"), 1));
    db_rollback(&cx);
    const char *many[LOGGED_MODEL_PARAMS_MAX + 1];
    for (size_t i = 0; i <= LOGGED_MODEL_PARAMS_MAX; i++)
        many[i] = arena_printf(cx.arena, "p%zu", i);
    assert_err(ERR_UNPROCESSABLE,
               logged_model_add_params(&cx, id, many, many, LOGGED_MODEL_PARAMS_MAX + 1));
    ctx_done(&cx);
    json_t *model = model_now(d, id);
    assert_string_equal(text_at(at(model, "params"), "width"), "9");
    assert_int_equal(json_object_size(at(model, "tags")), 1);
    assert_string_equal(text_at(at(model, "tags"), "team"), "audio");
}

static void log_metrics(struct domains *d, const char *model, const char *run, const char *dataset,
                        double value, int64_t step) {
    struct ctx cx;
    const struct logged_model_metric metric = {.model_id = model,
                                               .key = "loss",
                                               .step = step,
                                               .at_us = 1790000000000000 + step * 1000000,
                                               .value = value,
                                               .dataset_name = dataset,
                                               .dataset_digest = dataset ? "d1" : NULL};
    ctx_ours(d, &cx);
    assert_ok(logged_model_log_metrics(&cx, d->ours.project_id, run, &metric, 1), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

static void test_logged_model__has_metrics_by_data_set(void **state) {
    struct domains *d = *state;
    const char *run = run_open_named(d, "measuring"), *id = model_make(d, "measured", NULL);
    log_metrics(d, id, run, "train", 0.25, 1);
    log_metrics(d, id, run, "train", 0.25, 1);
    log_metrics(d, id, run, "test", 0.5, 1);
    log_metrics(d, id, run, NULL, 0.75, 2);
    json_t *metrics = at(model_now(d, id), "metrics");
    assert_int_equal(json_array_size(metrics), 3);
    json_t *last = json_array_get(metrics, 2);
    assert_float_equal(real_at(last, "value"), 0.75, 0);
    assert_int_equal(int_at(last, "step"), 2);
    assert_int_equal(int_at(last, "timestamp"), 1790000002000);
    assert_string_equal(text_at(last, "run_id"), run);
    assert_string_equal(text_at(last, "dataset_name"), "");
    struct ctx cx;
    const struct logged_model_metric foreign = {.model_id = "m-0192d3a0000070008000000000000000",
                                                .key = "loss"};
    ctx_ours(d, &cx);
    assert_err(ERR_NOT_FOUND, logged_model_log_metrics(&cx, d->ours.project_id, run, &foreign, 1));
    assert_non_null(strstr(cx.err.message, "m-0192d3a0000070008000000000000000"));
    ctx_done(&cx);
}

static void test_logged_model__is_archived(void **state) {
    struct domains *d = *state;
    const char *id = model_make(d, "archived", NULL);
    const char *path = arena_printf(d->arena, "/api/v1/logged-models/%s", id);
    send_json(d, 403, &d->viewer, "DELETE", path, NULL);
    send_json(d, 404, &d->stranger, "DELETE", path, NULL);
    send_json(d, 204, &d->editor, "DELETE", path, NULL);
    send_json(d, 404, &d->editor, "DELETE", path, NULL);
    assert_true(json_is_string(at(model_now(d, id), "archived_at")));
    json_t *found = get_ok(d, "/api/v1/projects/ours/logged-models?filter=name%%20=%%20'archived'");
    assert_int_equal(json_array_size(at(found, "items")), 0);
}

static void test_logged_model__goes_with_its_experiment(void **state) {
    struct domains *d = *state;
    const char *experiment =
        text_at(send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/experiments",
                          "{\"name\":\"to go\"}")
                    ->json,
                "id");
    struct ctx cx;
    struct logged_model model;
    ctx_ours(d, &cx);
    assert_ok(logged_model_create(&cx,
                                  &(struct logged_model_create){.project_id = d->ours.project_id,
                                                                .experiment_id = experiment,
                                                                .name = "goes"},
                                  &model),
              &cx.err);
    const char *id = arena_strdup(d->arena, model.id);
    assert_ok(experiment_archive(&cx, experiment), &cx.err);
    assert_ok(experiment_delete(&cx, experiment), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    get_fails(d, 404, &d->editor, "/api/v1/logged-models/%s", id);
    get_fails(d, 404, &d->editor, "/api/v1/lineage?node=artifact:%s", id);
}

/* --- search --- */

static const char *names_found(struct domains *d, const char *query) {
    auto_buf names = {0};
    json_t *items = at(get_ok(d, "/api/v1/projects/ours/logged-models?%s", query), "items");
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
        buf_printf(&names, "%s%s", i ? " " : "", text_at(item, "name"));
    return arena_strdup(d->arena, names.data ? names.data : "");
}

static void test_logged_model__is_found_by_what_it_holds(void **state) {
    struct domains *d = *state;
    const char *run = run_open_named(d, "of searched");
    const char *one = model_make(d, "found-one", run), *two = model_make(d, "found-two", run);
    log_metrics(d, one, run, "train", 0.9, 1);
    log_metrics(d, one, run, "train", 0.1, 5); /* the latest counts */
    log_metrics(d, two, run, "train", 0.5, 1);
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(logged_model_finalize(&cx, two, LOGGED_MODEL_READY), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    static const char OF_RUN[] = "filter=source_run_id%%20=%%20'%s'%s";
#define WITH(more) arena_printf(d->arena, OF_RUN, run, more)
    assert_string_equal(names_found(d, WITH("&order_by=name")), "found-one found-two");
    assert_string_equal(names_found(d, WITH("%20and%20metrics.loss%3C0.2")), "found-one");
    assert_string_equal(names_found(d, WITH("%20and%20status='ready'")), "found-two");
    assert_string_equal(
        names_found(d, WITH("%20and%20params.depth='3'&order_by=metrics.loss%20DESC")),
        "found-two found-one");
    assert_string_equal(names_found(d, WITH("%20and%20tags.team='none'")), "");
    assert_string_equal(
        names_found(d, arena_printf(d->arena, "experiment=%s&%s", default_experiment(d),
                                    WITH("&order_by=name&limit=1"))),
        "found-one");
#undef WITH
}

static enum err search_on(struct domains *d, struct ctx *cx, const char *dataset,
                          struct list *ret) {
    const char *next;
    return logged_model_search(cx,
                               &(struct logged_model_search){.project_id = d->ours.project_id,
                                                             .filter = "metrics.loss > 0.4",
                                                             .dataset_names = &dataset,
                                                             .dataset_digests = ARGS(NULL),
                                                             .dataset_count = 1,
                                                             .limit = 10,
                                                             .mlflow = true},
                               ret, &next);
}

static void test_logged_model__is_found_by_metrics_on_a_data_set(void **state) {
    struct domains *d = *state;
    const char *run = run_open_named(d, "two sets"), *id = model_make(d, "on-sets", run);
    log_metrics(d, id, run, "holdout", 0.5, 1);
    log_metrics(d, id, run, "other", 0.1, 2);
    struct ctx cx;
    struct list found;
    ctx_ours(d, &cx);
    assert_ok(search_on(d, &cx, "holdout", &found), &cx.err);
    assert_int_equal(found.count, 1);
    assert_string_equal(((struct logged_model *)found.items)->id, id);
    assert_ok(search_on(d, &cx, "other", &found), &cx.err);
    assert_int_equal(found.count, 0);
    ctx_done(&cx);
}

/* --- files and walls --- */

static struct test_reply *send_file(struct domains *d, const char *method, const char *id,
                                    const char *path, const char *bytes) {
    const struct test_request rq = {
        .method = method,
        .path = arena_printf(d->arena, "/api/v1/logged-models/%s/artifacts%s", id, path),
        .body = bytes,
        .size = bytes ? strlen(bytes) : 0,
        .content_type = bytes ? "application/octet-stream" : NULL,
        .who = &d->editor};
    return test_send(d->app, d->arena, &rq);
}

static void test_logged_model__has_files_of_its_own(void **state) {
    struct domains *d = *state;
    const char *run = run_open_named(d, "with a model"), *id = model_make(d, "with files", run);
    struct test_reply *made = send_file(d, "PUT", id, "/data/model.pkl", "pickled");
    assert_int_equal(made->status, 201);
    assert_true(json_is_null(at(made->json, "run_id")));
    assert_int_equal(send_file(d, "PUT", id, "/MLmodel", "flavors:")->status, 201);
    json_t *items = at(send_file(d, "GET", id, "?path=", NULL)->json, "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(send_file(d, "GET", id, "/data/model.pkl", NULL)->body, "pickled");
    assert_int_equal(json_array_size(at(get_ok(d, "/api/v1/runs/%s/artifacts", run), "items")), 0);
    get_ok(d, "/api/v1/logged-models/%s/artifacts", id);
    send_json(d, 201, &d->editor, "POST",
              arena_printf(d->arena, "/api/v1/logged-models/%s/artifacts/by/tus", id),
              arena_printf(d->arena, "{\"upload_id\":\"%s\"}", upload_make(d, "t", "by tus")));
    assert_int_equal(send_file(d, "DELETE", id, "/data", NULL)->status, 204);
    assert_int_equal(send_file(d, "GET", id, "/data/model.pkl", NULL)->status, 404);
}

static void test_logged_model__is_seen_by_its_team_only(void **state) {
    struct domains *d = *state;
    const char *id = model_make(d, "walled", NULL);
    send_file(d, "PUT", id, "/MLmodel", "x");
    get_fails(d, 404, &d->stranger, "/api/v1/logged-models/%s", id);
    get_fails(d, 404, &d->stranger, "/api/v1/logged-models/%s/artifacts", id);
    get_fails(d, 404, &d->stranger, "/api/v1/logged-models/%s/artifacts/MLmodel", id);
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/logged-models");
    assert_wall(d, "logged_models");
    assert_wall(d, "logged_model_params");
    assert_wall(d, "logged_model_tags");
    assert_wall(d, "logged_model_metrics");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logged_model__begins_pending_with_what_was_said),
        cmocka_unit_test(test_logged_model__bad_names_are_refused),
        cmocka_unit_test(test_logged_model__needs_run_and_experiment_of_its_project),
        cmocka_unit_test(test_logged_model__is_finalized),
        cmocka_unit_test(test_logged_model__takes_params_and_tags),
        cmocka_unit_test(test_logged_model__has_metrics_by_data_set),
        cmocka_unit_test(test_logged_model__is_archived),
        cmocka_unit_test(test_logged_model__goes_with_its_experiment),
        cmocka_unit_test(test_logged_model__is_found_by_what_it_holds),
        cmocka_unit_test(test_logged_model__is_found_by_metrics_on_a_data_set),
        cmocka_unit_test(test_logged_model__has_files_of_its_own),
        cmocka_unit_test(test_logged_model__is_seen_by_its_team_only),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
