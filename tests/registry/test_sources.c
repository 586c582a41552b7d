/* Where a version's files come from: every form of source, what each one takes over, and all that
 * is no source. */
#include "tests/support/domains.h"

#include "base/ident.h"
#include "tracking/logged_models.h"

static const char PATH[] = "/api/v1/projects/ours/model-versions";

/* ---- arranging */

static const char *run_open_in(struct domains *d, const struct principal *who,
                               const char *project) {
    const char *path = arena_printf(d->arena, "/api/v1/projects/%s/runs", project);
    return text_at(send_json(d, 201, who, "POST", path, "{\"name\":\"logged\"}")->json, "id");
}

static void put(struct domains *d, const char *owner, const char *name, const char *text) {
    const struct test_request rq = {
        .method = "PUT",
        .path = arena_printf(d->arena, "/api/v1/%s/artifacts/%s", owner, name),
        .body = text,
        .size = strlen(text),
        .content_type = "application/octet-stream",
        .who = &d->editor};
    assert_in_range(test_send(d->app, d->arena, &rq)->status, 200, 204);
}

static const char *hex_of(struct domains *d, const char *uuid) {
    char hex[33];
    uuid_to_hex(uuid, hex);
    return arena_strdup(d->arena, hex);
}

/* A run of a client with a saved model; its id. */
static const char *logged_run(struct domains *d) {
    const char *run = run_open_in(d, &d->editor, "ours");
    const char *owner = arena_printf(d->arena, "runs/%s", run);
    put(d, owner, "model/MLmodel", "flavors: {}");
    put(d, owner, "model/data/model.pkl", "pickled");
    put(d, owner, "model.txt", "not of the model");
    return run;
}

static struct test_reply *register_as(struct domains *d, int status, const char *model,
                                      const char *source) {
    const char *body =
        arena_printf(d->arena, "{\"model\":\"%s\",\"source\":\"%s\"}", model, source);
    return send_json(d, status, &d->editor, "POST", PATH, body);
}

static json_t *registered(struct domains *d, const char *model, const char *source) {
    return register_as(d, 201, model, source)->json;
}

static void assert_files(json_t *version, const char *first, const char *second) {
    json_t *files = at(version, "files");
    assert_int_equal(json_array_size(files), 2);
    assert_string_equal(text_at(json_array_get(files, 0), "name"), first);
    assert_string_equal(text_at(json_array_get(files, 1), "name"), second);
}

/* ---- forms */

static void test_source__of_a_run_is_a_snapshot_of_its_directory(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    const char *const forms[] = {
        arena_printf(d->arena, "runs:/%s/model", hex_of(d, run)),
        arena_printf(d->arena, "mlflow-artifacts:/0/%s/artifacts/model", hex_of(d, run)),
        arena_printf(d->arena, "mlflow-artifacts:/any/root/%s/artifacts/model/", hex_of(d, run))};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        json_t *version = registered(d, "of a run", forms[i]);
        assert_files(version, "MLmodel", "data/model.pkl");
        assert_string_equal(text_at(version, "run_id"), run);
        assert_string_equal(text_at(version, "source"), forms[i]);
        assert_false(json_is_true(at(version, "servable")));
        assert_true(json_is_null(at(version, "signature")));
    }
    json_t *file =
        registered(d, "one file", arena_printf(d->arena, "runs:/%s/model/MLmodel", hex_of(d, run)));
    assert_string_equal(text_at(json_array_get(at(file, "files"), 0), "name"), "MLmodel");
}

static void test_source__outlives_the_run_it_came_from(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    json_t *version =
        registered(d, "outlives", arena_printf(d->arena, "runs:/%s/model", hex_of(d, run)));
    const char *of_run = arena_printf(d->arena, "/api/v1/runs/%s", run);
    assert_in_range(
        test_send(d->app, d->arena,
                  &(struct test_request){.method = "POST",
                                         .path = arena_printf(d->arena, "%s/archive", of_run),
                                         .who = &d->editor})
            ->status,
        200, 204);
    send_json(d, 204, &d->editor, "DELETE", of_run, NULL);
    const char *path = arena_printf(d->arena, "/api/v1/model-versions/%s", text_at(version, "id"));
    version = get_ok(d, "%s", path);
    assert_true(json_is_null(at(version, "run_id")));
    assert_files(version, "MLmodel", "data/model.pkl");
    const char *file = arena_printf(d->arena, "%s/files/data/model.pkl", path);
    assert_memory_equal(send_json(d, 200, &d->viewer, "GET", file, NULL)->body, "pickled", 7);
}

static void test_source__of_a_version_is_the_same_model_again(void **state) {
    struct domains *d = *state;
    json_t *first = model_version_make(d, "origin");
    const char *origin = text_at(first, "model_id");
    send_json(d, 200, &d->editor, "PUT",
              arena_printf(d->arena, "/api/v1/models/%s/aliases/best", origin), "{\"version\":1}");
    const char *const forms[] = {
        "models:/origin/1", "models:/origin@best", "models:/origin/latest", "models:/origin@latest",
        arena_printf(d->arena, "mlflow-artifacts:/registry/%s", hex_of(d, text_at(first, "id")))};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        json_t *copy = registered(d, "promoted", forms[i]);
        assert_int_equal(int_at(copy, "version"), (int64_t)i + 1);
        assert_true(json_is_true(at(copy, "servable")));
        assert_string_equal(text_at(copy, "run_id"), text_at(first, "run_id"));
        assert_true(json_equal(at(copy, "files"), at(first, "files")));
        assert_true(json_equal(at(copy, "metrics"), at(first, "metrics")));
    }
}

static void test_source__of_a_training_run_can_be_served(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "trained here");
    const char *hex = hex_of(d, text_at(run, "id"));
    json_t *version = registered(d, "trained", arena_printf(d->arena, "runs:/%s/", hex));
    assert_true(json_is_true(at(version, "servable")));
    assert_string_equal(text_at(version, "input_kind"), "image");
    assert_float_equal(real_at(at(version, "metrics"), "test/accuracy"), 0.985, 1e-12);
}

static const char *logged_model_make(struct domains *d, const char *run) {
    struct ctx cx;
    struct logged_model model;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_EDITOR);
    cx.app = d->app;
    json_t *opened = get_ok(d, "/api/v1/runs/%s", run);
    const struct logged_model_create options = {.project_id = text_at(opened, "project_id"),
                                                .experiment_id = text_at(opened, "experiment_id"),
                                                .name = "saved",
                                                .source_run_id = run};
    assert_ok(logged_model_create(&cx, &options, &model), &cx.err);
    const char *id = arena_strdup(d->arena, model.id);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    return id;
}

static void test_source__of_a_logged_model_is_its_files_and_its_run(void **state) {
    struct domains *d = *state;
    const char *run = run_open_in(d, &d->editor, "ours");
    const char *model = logged_model_make(d, run), *hex = hex_of(d, model);
    const char *owner = arena_printf(d->arena, "logged-models/%s", model);
    put(d, owner, "MLmodel", "flavors: {}");
    put(d, owner, "model.pkl", "pickled");
    const char *const forms[] = {
        arena_printf(d->arena, "models:/m-%s", hex),
        arena_printf(d->arena, "mlflow-artifacts:/0/models/m-%s/artifacts", hex)};
    for (size_t i = 0; i < 2; i++) {
        json_t *version = registered(d, "of a logged model", forms[i]);
        assert_files(version, "MLmodel", "model.pkl");
        assert_string_equal(text_at(version, "logged_model_id"), model);
        assert_string_equal(text_at(version, "run_id"), run);
        assert_string_equal(
            test_sql_value(d->db,
                           arena_printf(d->arena,
                                        "select string_agg(from_kind, ' ' order by from_kind)"
                                        " from lineage_edges where to_id = '%s'",
                                        text_at(version, "id"))),
            "artifact run");
    }
}

/* ---- refusals */

/* B02 of the tester's list. */
static void test_source__is_no_path_and_no_page(void **state) {
    struct domains *d = *state;
    static const char *const SOURCES[] = {"file:///etc",
                                          "/etc",
                                          "../../etc",
                                          "http:///#/../../../etc/",
                                          "http://h/?a=/../../etc",
                                          "http://h/;/../..",
                                          "//proc/self/root",
                                          "ftp://x/",
                                          "dbfs:/..",
                                          "s3://..",
                                          "mlflow-artifacts:/../../x",
                                          "models:/self/1",
                                          "models:/self",
                                          "models:/self/x",
                                          "\\\\..\\\\..\\\\x",
                                          "C:\\\\x",
                                          "\\\\\\\\h\\\\s",
                                          "etc/passwd",
                                          "",
                                          "runs:/%2e%2e/m",
                                          "runs:/0123/%252e%252e/m",
                                          "runs:/0123/m#x",
                                          "runs:/0123/m?x=1",
                                          "runs:/0123/a%00b",
                                          "runs:/0123/a\\u0007b",
                                          "dummy-source"};
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++) {
        struct test_reply *reply = register_as(d, 400, "self", SOURCES[i]);
        assert_string_equal(field_of(reply), "source");
    }
    assert_string_equal(test_sql_value(d->db, "select count(*) from models where name = 'self'"),
                        "0");
}

/* A client may register what it reads itself; the address is kept and nobody asks it. */
static void test_source__of_another_store_is_kept(void **state) {
    struct domains *d = *state;
    static const char *const SOURCES[] = {"s3://bucket/model..2/k", "gs://bucket/....",
                                          "mlflow-artifacts:/0/nothing/here",
                                          "mlflow-artifacts://host/0/x", "runs:/run_7/model"};
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++) {
        json_t *version = registered(d, "kept", SOURCES[i]);
        assert_string_equal(text_at(version, "source"), SOURCES[i]);
        assert_string_equal(text_at(version, "location"), SOURCES[i]);
        assert_true(json_is_null(at(version, "run_id")));
        assert_int_equal(json_array_size(at(version, "files")), 0);
    }
    assert_string_equal(text_at(registered(d, "copied", "models:/kept/1"), "location"), SOURCES[0]);
}

static void test_source__of_others_does_not_exist(void **state) {
    struct domains *d = *state;
    const char *theirs = hex_of(d, run_open_in(d, &d->stranger, "theirs"));
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"elsewhere\",\"name\":\"Elsewhere\"}");
    const char *other = hex_of(d, run_open_in(d, &d->editor, "elsewhere"));
    json_t *version = model_version_make(d, "of ours");
    const char *const forms[] = {
        arena_printf(d->arena, "runs:/%s/m", theirs),
        arena_printf(d->arena, "runs:/%s/m", other),
        arena_printf(d->arena, "mlflow-artifacts:/0/%s/artifacts/m", theirs),
        "runs:/00000000000070008000000000000000/m",
        "models:/nobodys/1",
        "models:/of ours/2",
        "models:/of ours@none",
        "models:/m-00000000000070008000000000000000"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        register_as(d, 404, "finds nothing", forms[i]);

    static const char ELSEWHERE[] = "/api/v1/projects/elsewhere/model-versions";
    const char *const ours[] = {
        "models:/of ours/1",
        arena_printf(d->arena, "mlflow-artifacts:/registry/%s", hex_of(d, text_at(version, "id"))),
        arena_printf(d->arena, "runs:/%s/", hex_of(d, text_at(version, "run_id")))};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        send_json(d, 404, &d->editor, "POST", ELSEWHERE,
                  arena_printf(d->arena, "{\"model\":\"in vain\",\"source\":\"%s\"}", ours[i]));
    send_json(d, 404, &d->editor, "POST", PATH,
              arena_printf(d->arena,
                           "{\"model\":\"m\",\"source\":\"models:/of ours/1\",\"run_id\":\"%s\"}",
                           "00000000-0000-7000-8000-000000000000"));
    struct test_reply *none = send_json(d, 400, &d->editor, "POST", PATH, "{\"model\":\"m\"}");
    assert_string_equal(field_of(none), "run_id");
}

/* ---- what serving says */

static void test_version__of_another_kind_is_kept_but_not_served(void **state) {
    struct domains *d = *state;
    json_t *version = registered(
        d, "sklearn", arena_printf(d->arena, "runs:/%s/model", hex_of(d, logged_run(d))));
    const char *predict =
        arena_printf(d->arena, "/api/v1/model-versions/%s/predict", text_at(version, "id"));
    struct test_reply *reply = send_json(d, 422, &d->viewer, "POST", predict, "{\"inputs\":[]}");
    assert_non_null(strstr(text_at(reply->json, "detail"), "cannot be served"));
    static const char *const PATHS[] = {"/v2/models/sklearn", "/v2/models/sklearn/ready",
                                        "/v2/models/sklearn/versions/1"};
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        reply = send_json(d, 422, &d->viewer, "GET", PATHS[i], NULL);
        assert_non_null(strstr(text_at(reply->json, "error"), "cannot be served"));
    }
}

static void test_prompt__has_a_word_for_a_source_and_no_files(void **state) {
    struct domains *d = *state;
    static const char BODY[] =
        "{\"model\":\"greeting\",\"source\":\"dummy-source\",\"tags\":"
        "{\"mlflow.prompt.is_prompt\":\"true\",\"mlflow.prompt.text\":\"Hello {{name}}\"}}";
    json_t *version = send_json(d, 201, &d->editor, "POST", PATH, BODY)->json;
    assert_string_equal(text_at(version, "source"), "dummy-source");
    assert_int_equal(int_at(version, "file_count"), 0);
    json_t *found = get_ok(d, "%s?filter=name%%20=%%20'greeting'", PATH);
    assert_int_equal(json_array_size(at(found, "items")), 0);
    found = get_ok(d, "%s?filter=tags.%%60mlflow.prompt.is_prompt%%60%%20=%%20'true'", PATH);
    assert_int_equal(json_array_size(at(found, "items")), 1);
    send_json(d, 400, &d->editor, "POST", PATH,
              "{\"model\":\"greeting\",\"source\":\"file:///etc\",\"tags\":"
              "{\"mlflow.prompt.is_prompt\":\"true\"}}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source__of_a_run_is_a_snapshot_of_its_directory),
        cmocka_unit_test(test_source__outlives_the_run_it_came_from),
        cmocka_unit_test(test_source__of_a_version_is_the_same_model_again),
        cmocka_unit_test(test_source__of_a_training_run_can_be_served),
        cmocka_unit_test(test_source__of_a_logged_model_is_its_files_and_its_run),
        cmocka_unit_test(test_source__is_no_path_and_no_page),
        cmocka_unit_test(test_source__of_another_store_is_kept),
        cmocka_unit_test(test_source__of_others_does_not_exist),
        cmocka_unit_test(test_version__of_another_kind_is_kept_but_not_served),
        cmocka_unit_test(test_prompt__has_a_word_for_a_source_and_no_files),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
