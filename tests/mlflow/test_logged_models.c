/* Logged models on MLflow's wire. */
#include "tests/support/domains.h"

#define MODELS "/api/2.0/mlflow/logged-models"

static struct test_reply *call(struct domains *d, int status, const char *method, const char *path,
                               const char *json) {
    return send_json(d, status, &d->editor, method, arena_printf(d->arena, MODELS "%s", path),
                     json);
}

static json_t *info_of(struct test_reply *reply) {
    return at(at(reply->json, "model"), "info");
}

static json_t *model_make(struct domains *d, const char *name) {
    return info_of(
        call(d, 200, "POST", "",
             arena_printf(d->arena,
                          "{\"experiment_id\":\"0\",\"name\":\"%s\",\"model_type\":\"a\","
                          "\"params\":[{\"key\":\"k\",\"value\":\"1\"}],"
                          "\"tags\":[{\"key\":\"t\",\"value\":\"x\"}]}",
                          name)));
}

static const char *path_of(struct domains *d, json_t *info, const char *more) {
    return arena_printf(d->arena, "/%s%s", text_at(info, "model_id"), more);
}

static void test_model__is_made_read_and_finalized(void **state) {
    struct domains *d = *state;
    json_t *info = model_make(d, "made");
    const char *id = text_at(info, "model_id");
    assert_memory_equal(id, "m-", 2);
    assert_int_equal(strlen(id), 34);
    assert_string_equal(text_at(info, "status"), "LOGGED_MODEL_PENDING");
    assert_string_equal(text_at(info, "artifact_uri"),
                        arena_printf(d->arena, "mlflow-artifacts:/0/models/%s/artifacts", id));
    assert_null(json_object_get(info, "source_run_id"));
    info = info_of(
        call(d, 200, "PATCH", path_of(d, info, ""), "{\"status\":\"LOGGED_MODEL_UPLOAD_FAILED\"}"));
    assert_string_equal(text_at(info, "status"), "LOGGED_MODEL_UPLOAD_FAILED");
    call(d, 400, "PATCH", path_of(d, info, ""), "{\"status\":\"DONE\"}");
    call(d, 400, "PATCH", path_of(d, info, ""), "{}");
    call(d, 200, "POST", path_of(d, info, "/params"),
         "{\"params\":[{\"key\":\"more\",\"value\":\"2\"}]}");
    struct test_reply *reply = call(d, 200, "GET", path_of(d, info, ""), NULL);
    json_t *params = at(at(at(reply->json, "model"), "data"), "params");
    assert_int_equal(json_array_size(params), 2);
    assert_string_equal(text_at(json_array_get(params, 1), "key"), "more");
}

static void test_model__has_tags(void **state) {
    struct domains *d = *state;
    json_t *info = model_make(d, "tagged");
    info = info_of(call(d, 200, "PATCH", path_of(d, info, "/tags"),
                        "{\"tags\":[{\"key\":\"a.b c\",\"value\":\"y\"}]}"));
    assert_int_equal(json_array_size(at(info, "tags")), 2);
    call(d, 200, "DELETE", path_of(d, info, "/tags/a.b%20c"), NULL);
    struct test_reply *gone = call(d, 404, "DELETE", path_of(d, info, "/tags/a.b%20c"), NULL);
    assert_string_equal(text_at(gone->json, "error_code"), "RESOURCE_DOES_NOT_EXIST");
}

static void test_model__is_archived_not_lost(void **state) {
    struct domains *d = *state;
    json_t *info = model_make(d, "archived");
    call(d, 200, "DELETE", path_of(d, info, ""), NULL);
    struct test_reply *gone = call(d, 404, "GET", path_of(d, info, ""), NULL);
    assert_string_equal(
        text_at(gone->json, "message"),
        arena_printf(d->arena, "Logged model with ID '%s' not found.", text_at(info, "model_id")));
    call(d, 200, "GET", path_of(d, info, "?allow_deleted=true"), NULL);
    call(d, 404, "PATCH", path_of(d, info, ""), "{\"status\":\"LOGGED_MODEL_READY\"}");
}

static void test_model__of_others_does_not_exist(void **state) {
    struct domains *d = *state;
    json_t *info = model_make(d, "ours");
    const char *path = arena_printf(d->arena, MODELS "%s", path_of(d, info, ""));
    static const char *const NONE[] = {"/m-00000000000000000000000000000000", "/x", "/m-",
                                       "/m-xyz"};
    send_json(d, 404, &d->stranger, "GET", path, NULL);
    send_json(d, 404, &d->stranger, "DELETE", path, NULL);
    send_json(d, 403, &d->viewer, "DELETE", path, NULL);
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++)
        call(d, 404, "GET", NONE[i], NULL);
    call(d, 404, "POST", "", "{\"experiment_id\":\"999\",\"name\":\"x\"}");
    call(d, 404, "POST", "",
         "{\"experiment_id\":\"0\",\"name\":\"x\","
         "\"source_run_id\":\"00000000000070008000000000000000\"}");
    struct test_reply *bad = call(d, 400, "POST", "", "{\"experiment_id\":\"0\",\"name\":\"a/b\"}");
    assert_string_equal(text_at(bad->json, "error_code"), "INVALID_PARAMETER_VALUE");
}

/* The run of another tracking server is kept as it is named. */
static void test_model__of_a_run_elsewhere(void **state) {
    struct domains *d = *state;
    json_t *made = call(d, 200, "POST", "",
                        "{\"experiment_id\":\"0\",\"name\":\"far\",\"source_run_id\":\"123\"}")
                       ->json;
    assert_string_equal(text_at(at(at(made, "model"), "info"), "source_run_id"), "123");
    json_t *found = call(d, 200, "POST", "/search",
                         "{\"experiment_ids\":[\"0\"],\"filter\":\"source_run_id = '123'\"}")
                        ->json;
    assert_int_equal(json_array_size(at(found, "models")), 1);
}

static void measure(struct domains *d, json_t *info, const char *dataset, const char *value) {
    json_t *run = at(at(send_json(d, 200, &d->editor, "POST", "/api/2.0/mlflow/runs/create",
                                  "{\"experiment_id\":\"0\"}")
                            ->json,
                        "run"),
                     "info");
    send_json(d, 200, &d->editor, "POST", "/api/2.0/mlflow/runs/log-metric",
              arena_printf(d->arena,
                           "{\"run_id\":\"%s\",\"key\":\"loss\",\"value\":%s,\"timestamp\":1000,"
                           "\"model_id\":\"%s\",\"dataset_name\":\"%s\",\"dataset_digest\":\"g\"}",
                           text_at(run, "run_id"), value, text_at(info, "model_id"), dataset));
}

static json_t *search(struct domains *d, const char *json) {
    return call(d, 200, "POST", "/search", json)->json;
}

static void test_model__is_searched(void **state) {
    struct domains *d = *state;
    json_t *low = model_make(d, "low"), *high = model_make(d, "high");
    measure(d, low, "train", "0.25");
    measure(d, high, "train", "\"Infinity\"");
    json_t *found = search(d, "{\"experiment_ids\":[\"0\"],\"filter\":\"metrics.loss < 0.5\"}");
    json_t *model = json_array_get(at(found, "models"), 0);
    assert_string_equal(text_at(at(model, "info"), "name"), "low");
    json_t *metric = json_array_get(at(at(model, "data"), "metrics"), 0);
    assert_string_equal(text_at(metric, "key"), "loss");
    assert_float_equal(real_at(metric, "value"), 0.25, 0);
    assert_int_equal(int_at(metric, "timestamp"), 1000);
    assert_string_equal(text_at(metric, "dataset_name"), "train");
    assert_string_equal(text_at(metric, "model_id"), text_at(low, "model_id"));
    found = search(d, "{\"experiment_ids\":[\"0\"],\"filter\":\"name IN ('low', 'high')\","
                      "\"order_by\":[{\"field_name\":\"metrics.loss\",\"ascending\":false}],"
                      "\"max_results\":1}");
    model = json_array_get(at(found, "models"), 0);
    assert_string_equal(text_at(at(model, "info"), "name"), "high");
    metric = json_array_get(at(at(model, "data"), "metrics"), 0);
    assert_true(real_at(metric, "value") > 1e308);
    found = search(
        d, arena_printf(d->arena,
                        "{\"experiment_ids\":[\"0\"],\"filter\":\"name IN ('low', 'high')\","
                        "\"order_by\":[{\"field_name\":\"metrics.loss\",\"ascending\":false}],"
                        "\"max_results\":1,\"page_token\":\"%s\"}",
                        text_at(found, "next_page_token")));
    assert_string_equal(text_at(at(json_array_get(at(found, "models"), 0), "info"), "name"), "low");
    assert_null(json_object_get(found, "next_page_token"));
    found = search(d, "{\"experiment_ids\":[\"0\"],\"datasets\":[{\"dataset_name\":\"none\"}]}");
    assert_int_equal(json_object_size(found), 0);
    assert_int_equal(json_object_size(search(d, "{\"experiment_ids\":[\"77\"]}")), 0);
    call(d, 400, "POST", "/search", "{\"filter\":\"nonsense ~ 1\"}");
    call(d, 400, "POST", "/search", "{\"max_results\":0}");
}

static void test_model__has_files_behind_the_proxy(void **state) {
    struct domains *d = *state;
    json_t *info = model_make(d, "files");
    const char *uri = text_at(info, "artifact_uri") + strlen("mlflow-artifacts:");
    const struct test_request rq = {
        .method = "PUT",
        .path = arena_printf(d->arena, "/api/2.0/mlflow-artifacts/artifacts%s/MLmodel", uri),
        .body = "flavors:",
        .size = 8,
        .content_type = "text/plain",
        .who = &d->editor};
    test_expect(d->app, d->arena, 200, &rq);
    json_t *list = call(d, 200, "GET", path_of(d, info, "/artifacts/directories"), NULL)->json;
    assert_string_equal(text_at(json_array_get(at(list, "files"), 0), "path"), "MLmodel");
    assert_string_equal(text_at(list, "root_uri"), text_at(info, "artifact_uri"));
    struct test_reply *file =
        call(d, 200, "GET", path_of(d, info, "/artifacts/files?artifact_file_path=MLmodel"), NULL);
    assert_string_equal(file->body, "flavors:");
    call(d, 404, "GET", path_of(d, info, "/artifacts/files?artifact_file_path=none"), NULL);
    call(d, 400, "GET", path_of(d, info, "/artifacts/files?artifact_file_path=../x"), NULL);
}

static struct test_reply *native(struct domains *d, int status, const char *method,
                                 const char *path, const char *json) {
    return send_json(d, status, &d->editor, method, arena_printf(d->arena, "/api/v1/%s", path),
                     json);
}

/* As our page changes them: some set, some taken away, in one request. */
static void test_model__has_tags_on_our_page(void **state) {
    struct domains *d = *state;
    const char *id = text_at(model_make(d, "ours"), "model_id");
    const char *path = arena_printf(d->arena, "logged-models/%s/tags", id);
    native(d, 204, "PATCH", path, "{\"tags\":{\"t\":null,\"new\":\"y\",\"none\":null}}");
    json_t *tags = at(get_ok(d, "/api/v1/logged-models/%s", id), "tags");
    assert_int_equal(json_object_size(tags), 1);
    assert_string_equal(text_at(tags, "new"), "y");
    native(d, 422, "PATCH", path, "{\"tags\":{\"n\":1}}");
    send_json(d, 403, &d->viewer, "PATCH", arena_printf(d->arena, "/api/v1/%s", path),
              "{\"tags\":{}}");
    send_json(d, 404, &d->stranger, "PATCH", arena_printf(d->arena, "/api/v1/%s", path),
              "{\"tags\":{}}");
}

/* What was registered of it is found by it. */
static void test_model__is_registered_and_found_by_its_version(void **state) {
    struct domains *d = *state;
    json_t *info = model_make(d, "source");
    const char *id = text_at(info, "model_id");
    call(d, 200, "PATCH", path_of(d, info, ""), "{\"status\":\"LOGGED_MODEL_READY\"}");
    json_t *version =
        native(d, 201, "POST", "projects/ours/model-versions",
               arena_printf(d->arena, "{\"model\":\"of-logged\",\"source\":\"models:/%s\"}", id))
            ->json;
    const char *logged = text_at(version, "logged_model_id");
    json_t *page = get_ok(d,
                          "/api/v1/projects/ours/model-versions?filter=logged_model_id%%20%%3D%%20"
                          "%%27%s%%27",
                          logged);
    assert_int_equal(json_array_size(at(page, "items")), 1);
    assert_string_equal(text_at(item_at(page, 0), "id"), text_at(version, "id"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model__is_made_read_and_finalized),
        cmocka_unit_test(test_model__has_tags),
        cmocka_unit_test(test_model__is_archived_not_lost),
        cmocka_unit_test(test_model__of_others_does_not_exist),
        cmocka_unit_test(test_model__of_a_run_elsewhere),
        cmocka_unit_test(test_model__is_searched),
        cmocka_unit_test(test_model__has_files_behind_the_proxy),
        cmocka_unit_test(test_model__has_tags_on_our_page),
        cmocka_unit_test(test_model__is_registered_and_found_by_its_version),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
