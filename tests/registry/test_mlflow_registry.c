/* The registry as MLflow's clients meet it: their messages, sentences and addresses. */
#include "tests/support/domains.h"

#include "base/ident.h"

#define API "/api/2.0/mlflow/"

/* ---- asking; our team's project is "ours", its only one */

static json_t *call(struct domains *d, const char *method, const char *path, const char *json) {
    return send_json(d, 200, &d->editor, method, path, json)->json;
}

static json_t *post(struct domains *d, const char *path, const char *json) {
    return call(d, "POST", path, json);
}

static json_t *get(struct domains *d, const char *path, ...) __attribute__((format(printf, 2, 3)));
static json_t *get(struct domains *d, const char *path, ...) {
    va_list args;
    va_start(args, path);
    const char *target = arena_vprintf(d->arena, path, args);
    va_end(args);
    return call(d, "GET", target, NULL);
}

static void fails(struct domains *d, int status, const char *method, const char *path,
                  const char *json, const char *code, const char *message) {
    json_t *reply = send_json(d, status, &d->editor, method, path, json)->json;
    assert_string_equal(text_at(reply, "error_code"), code);
    if (!strstr(text_at(reply, "message"), message))
        fail_msg("\"%s\" does not say \"%s\"", text_at(reply, "message"), message);
}

static json_t *model_make(struct domains *d, const char *name) {
    const char *body = arena_printf(d->arena, "{\"name\":\"%s\"}", name);
    return at(post(d, API "registered-models/create", body), "registered_model");
}

/* A run of a client with a saved model, in hex. */
static const char *logged_run(struct domains *d) {
    const char *run = text_at(
        send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/runs", "{\"name\":\"logged\"}")
            ->json,
        "id");
    static const char *const FILES[] = {"model/MLmodel", "model/data/a.bin", "model/data/b.bin"};
    for (size_t i = 0; i < 3; i++) {
        const struct test_request rq = {
            .method = "PUT",
            .path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/%s", run, FILES[i]),
            .body = FILES[i],
            .size = strlen(FILES[i]),
            .content_type = "application/octet-stream",
            .who = &d->editor};
        assert_in_range(test_send(d->app, d->arena, &rq)->status, 200, 204);
    }
    char hex[33];
    uuid_to_hex(run, hex);
    return arena_strdup(d->arena, hex);
}

static json_t *version_make(struct domains *d, const char *model, const char *run) {
    const char *body =
        arena_printf(d->arena, "{\"name\":\"%s\",\"source\":\"runs:/%s/model\",\"run_id\":\"%s\"}",
                     model, run, run);
    return at(post(d, API "model-versions/create", body), "model_version");
}

/* ---- models */

static void test_model__is_made_told_changed_and_deleted(void **state) {
    struct domains *d = *state;
    json_t *made =
        at(post(d, API "registered-models/create",
                "{\"name\":\"life of a model\",\"description\":\"first\",\"unknown\":1,"
                "\"tags\":[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"a\",\"value\":\"2\"}]}"),
           "registered_model");
    assert_string_equal(text_at(made, "name"), "life of a model");
    assert_true(int_at(made, "creation_timestamp") > 1500000000000);
    assert_null(json_object_get(made, "latest_versions"));
    json_t *tag = json_array_get(at(made, "tags"), 0);
    assert_string_equal(text_at(tag, "value"), "2");

    json_t *changed = call(d, "PATCH", API "registered-models/update",
                           "{\"name\":\"life of a model\",\"description\":\"second\"}");
    assert_string_equal(text_at(at(changed, "registered_model"), "description"), "second");
    post(d, API "registered-models/rename",
         "{\"name\":\"life of a model\",\"new_name\":\"life, renamed\"}");
    fails(d, 404, "GET", API "registered-models/get?name=life%20of%20a%20model", NULL,
          "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=life of a model not found");
    assert_int_equal(json_object_size(call(d, "DELETE", API "registered-models/delete",
                                           "{\"name\":\"life, renamed\"}")),
                     0);
    fails(d, 404, "DELETE", API "registered-models/delete", "{\"name\":\"life, renamed\"}",
          "RESOURCE_DOES_NOT_EXIST", "not found");
}

static void test_model__names_are_refused_in_mlflows_words(void **state) {
    struct domains *d = *state;
    static const struct {
        const char *body, *message;
    } CASES[] = {
        {"{}", "Missing value for required parameter 'name'"},
        {"{\"name\":\"\"}", "Missing value for required parameter 'name'"},
        {"{\"name\":\"  \"}", "Missing value for required parameter 'name'"},
        {"{\"name\":31}", "Invalid value 31 for parameter 'name' supplied"},
        {"{\"name\":\"a/b\"}", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."},
        {"{\"name\":\"a:b\"}", "Names cannot contain '/' or ':'."},
        {"{\"name\":\"..\"}", "is not \".\" or \"..\""},
        {"{\"name\":\"u\\u0308\"}", "composed form"},
        {"{\"name\":\"t\",\"tags\":[{\"key\":\"a//b\",\"value\":\"\"}]}",
         "must not resolve to other"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        fails(d, 400, "POST", API "registered-models/create", CASES[i].body,
              "INVALID_PARAMETER_VALUE", CASES[i].message);
    fails(d, 400, "POST", API "registered-models/create",
          arena_printf(d->arena, "{\"name\":\"%0257d\"}", 0), "INVALID_PARAMETER_VALUE", "256");
}

static void test_model__shares_no_name_with_another_or_a_prompt(void **state) {
    struct domains *d = *state;
    model_make(d, "taken");
    post(d, API "registered-models/create",
         "{\"name\":\"greeting\",\"tags\":[{\"key\":\"mlflow.prompt.is_prompt\",\"value\":\"true\"}"
         "]}");
    fails(d, 400, "POST", API "registered-models/create", "{\"name\":\"taken\"}",
          "RESOURCE_ALREADY_EXISTS", "Registered Model (name=taken) already exists.");
    fails(d, 400, "POST", API "registered-models/create", "{\"name\":\"greeting\"}",
          "RESOURCE_ALREADY_EXISTS", "Tried to create a registered model with name 'greeting'");
    fails(
        d, 400, "POST", API "registered-models/create",
        "{\"name\":\"taken\",\"tags\":[{\"key\":\"mlflow.prompt.is_prompt\",\"value\":\"true\"}]}",
        "RESOURCE_ALREADY_EXISTS", "already taken by a registered model");
    fails(d, 400, "POST", API "registered-models/rename",
          "{\"name\":\"taken\",\"new_name\":\"greeting\"}", "RESOURCE_ALREADY_EXISTS", "prompt");
    post(d, API "registered-models/rename", "{\"name\":\"taken\",\"new_name\":\"taken\"}");

    send_json(d, 201, &d->admin, "POST", "/api/v1/projects", "{\"slug\":\"apart\",\"name\":\"A\"}");
    send_json(d, 201, &d->editor, "POST", "/api/v1/projects/apart/models",
              "{\"name\":\"of apart\"}");
    fails(d, 404, "GET", "/p/ours" API "registered-models/get?name=of%20apart", NULL,
          "RESOURCE_DOES_NOT_EXIST", "not found");
    fails(d, 400, "POST", "/p/ours" API "registered-models/create", "{\"name\":\"of apart\"}",
          "RESOURCE_ALREADY_EXISTS", "already exists");
    get(d, "/p/apart" API "registered-models/get?name=of%%20apart");
    json_t *found = get(d, "/p/apart" API "registered-models/search");
    assert_int_equal(json_array_size(at(found, "registered_models")), 1);
}

static void test_model__is_searched(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[] = {"sought b", "sought c", "sought a"};
    for (size_t i = 0; i < 3; i++)
        post(d, API "registered-models/create",
             arena_printf(d->arena,
                          "{\"name\":\"%s\",\"tags\":[{\"key\":\"nth\",\"value\":\"%zu\"}]}",
                          NAMES[i], i));
    json_t *page = get(d, API "registered-models/search?filter=name%%20ILIKE%%20'SOUGHT%%25'"
                              "&max_results=2");
    json_t *models = at(page, "registered_models");
    assert_int_equal(json_array_size(models), 2);
    assert_string_equal(text_at(json_array_get(models, 0), "name"), "sought a");
    page = get(d,
               API "registered-models/search?filter=name%%20ILIKE%%20'SOUGHT%%25'"
                   "&max_results=2&page_token=%s",
               text_at(page, "next_page_token"));
    assert_string_equal(text_at(json_array_get(at(page, "registered_models"), 0), "name"),
                        "sought c");
    assert_null(json_object_get(page, "next_page_token"));
    static const char NOT_PROMPTS[] = "tag.%60mlflow.prompt.is_prompt%60%20!=%20'true'";
    page = get(d, API "registered-models/search?filter=name%%20LIKE%%20'sought%%25'%%20AND%%20%s",
               NOT_PROMPTS);
    assert_int_equal(json_array_size(at(page, "registered_models")), 3);
    page = get(d, API "registered-models/search?filter=tags.nth%%20=%%20'1'&order_by=name%%20DESC");
    assert_string_equal(text_at(json_array_get(at(page, "registered_models"), 0), "name"),
                        "sought c");
    assert_int_equal(
        json_object_size(get(d, API "registered-models/search?filter=name%%20=%%20'none'")), 0);
    fails(d, 400, "GET", API "registered-models/search?max_results=1001", NULL,
          "INVALID_PARAMETER_VALUE", "It must be at most 1000");
    fails(d, 400, "GET", API "registered-models/search?max_results=0", NULL,
          "INVALID_PARAMETER_VALUE", "positive integer");
    fails(d, 400, "GET", API "registered-models/search?filter=evil%20LIKE%20'a'", NULL,
          "INVALID_PARAMETER_VALUE", "");
    fails(d, 400, "GET", API "registered-models/search?filter=name%20LIKE%20'a'%20OR%20name='b'",
          NULL, "INVALID_PARAMETER_VALUE", "");
}

/* ---- versions */

static void test_version__tells_what_a_client_asks_of_it(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    model_make(d, "versioned");
    json_t *made =
        at(post(d, API "model-versions/create",
                arena_printf(d->arena,
                             "{\"name\":\"versioned\",\"source\":\"runs:/%s/model\",\"run_id\":"
                             "\"%s\",\"run_link\":\"https://ci/7\",\"description\":\"d\","
                             "\"tags\":[{\"key\":\"k\",\"value\":\"v\"}]}",
                             run, run)),
           "model_version");
    assert_string_equal(text_at(made, "name"), "versioned");
    assert_string_equal(text_at(made, "version"), "1");
    assert_string_equal(text_at(made, "current_stage"), "None");
    assert_string_equal(text_at(made, "status"), "READY");
    assert_string_equal(text_at(made, "run_id"), run);
    assert_string_equal(text_at(made, "run_link"), "https://ci/7");
    assert_string_equal(text_at(made, "source"), arena_printf(d->arena, "runs:/%s/model", run));
    assert_true(json_equal(
        at(get(d, API "model-versions/get?name=versioned&version=1"), "model_version"), made));
    json_t *changed = call(d, "PATCH", API "model-versions/update",
                           "{\"name\":\"versioned\",\"version\":\"1\",\"description\":\"better\"}");
    assert_string_equal(text_at(at(changed, "model_version"), "description"), "better");

    version_make(d, "versioned", run);
    json_t *model = at(get(d, API "registered-models/get?name=versioned"), "registered_model");
    assert_int_equal(json_array_size(at(model, "latest_versions")), 1);
    assert_string_equal(text_at(json_array_get(at(model, "latest_versions"), 0), "version"), "2");
    call(d, "DELETE", API "model-versions/delete", "{\"name\":\"versioned\",\"version\":\"2\"}");
    fails(d, 404, "GET", API "model-versions/get?name=versioned&version=2", NULL,
          "RESOURCE_DOES_NOT_EXIST", "Model Version (name=versioned, version=2) not found");
    assert_string_equal(text_at(version_make(d, "versioned", run), "version"), "3");
}

static void test_version__refusals(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    model_make(d, "refusing");
    static const char CREATE[] = API "model-versions/create";
    fails(d, 404, "POST", CREATE,
          arena_printf(d->arena, "{\"name\":\"absent\",\"source\":\"runs:/%s/model\"}", run),
          "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=absent not found");
    fails(d, 400, "POST", CREATE, "{\"name\":\"refusing\"}", "INVALID_PARAMETER_VALUE",
          "Missing value for required parameter 'source'");
    static const char *const SOURCES[] = {
        "file:///etc",        "/etc",    "../../etc", "mlflow-artifacts:/../../x",
        "models:/refusing/1", "C:\\\\x", "ftp://x/",  "dummy-source"};
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++)
        fails(d, 400, "POST", CREATE,
              arena_printf(d->arena, "{\"name\":\"refusing\",\"source\":\"%s\"}", SOURCES[i]),
              "INVALID_PARAMETER_VALUE", "Invalid model version source: '");
    static const char NOBODYS[] = "0123456789abcdef0123456789abcdef";
    fails(d, 404, "POST", CREATE,
          arena_printf(d->arena, "{\"name\":\"refusing\",\"source\":\"runs:/%s/m\"}", NOBODYS),
          "RESOURCE_DOES_NOT_EXIST", "");
    fails(d, 404, "POST", CREATE,
          arena_printf(d->arena,
                       "{\"name\":\"refusing\",\"source\":\"runs:/%s/model\",\"run_id\":\"%s\"}",
                       run, NOBODYS),
          "RESOURCE_DOES_NOT_EXIST", "Run with id=");
    fails(
        d, 404, "POST", CREATE,
        arena_printf(d->arena,
                     "{\"name\":\"refusing\",\"source\":\"runs:/%s/model\",\"model_id\":\"m-%s\"}",
                     run, NOBODYS),
        "RESOURCE_DOES_NOT_EXIST", "Logged model with ID");
    fails(d, 400, "GET", API "model-versions/get?name=refusing&version=one", NULL,
          "INVALID_PARAMETER_VALUE", "Parameter 'version' must be an integer, got 'one'.");
    fails(d, 404, "GET", API "model-versions/get?name=refusing&version=0", NULL,
          "RESOURCE_DOES_NOT_EXIST", "");
    version_make(d, "refusing", run);
    send_json(d, 404, &d->stranger, "GET", API "model-versions/get?name=refusing&version=1", NULL);
    send_json(d, 403, &d->viewer, "DELETE", API "model-versions/delete",
              "{\"name\":\"refusing\",\"version\":\"1\"}");
    fails(d, 404, "GET", API "model-versions/none", NULL, "ENDPOINT_NOT_FOUND", "");
}

/* The run of another tracking server: MLflow's clients register with whatever id they have. */
static void test_version__of_a_run_elsewhere(void **state) {
    struct domains *d = *state;
    static const char CREATE[] = API "model-versions/create";
    model_make(d, "far");
    for (int i = 0; i < 2; i++) {
        const char *source = i == 0 ? "runs:/run_7/model" : "models:/far/1";
        json_t *made =
            send_json(d, 200, &d->editor, "POST", CREATE,
                      arena_printf(d->arena,
                                   "{\"name\":\"far\",\"source\":\"%s\",\"run_id\":\"run_%d\"}",
                                   source, 7 + i))
                ->json;
        assert_string_equal(text_at(json_object_get(made, "model_version"), "run_id"),
                            i == 0 ? "run_7" : "run_8");
    }
    json_t *uri = send_json(d, 200, &d->editor, "GET",
                            API "model-versions/get-download-uri?name=far&version=2", NULL)
                      ->json;
    assert_string_equal(text_at(uri, "artifact_uri"), "runs:/run_7/model");
    json_t *found = at(get(d, API "model-versions/search?filter=run_id='run_8'"), "model_versions");
    assert_int_equal(json_array_size(found), 1);
}

static void test_version__is_searched(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    model_make(d, "found");
    for (int i = 0; i < 3; i++)
        version_make(d, "found", run);
    json_t *found = get(d, API "model-versions/search?filter=name='found'");
    assert_int_equal(json_array_size(at(found, "model_versions")), 3);
    assert_string_equal(text_at(json_array_get(at(found, "model_versions"), 0), "version"), "3");
    found =
        get(d, API "model-versions/search?filter=run_id='%s'%%20AND%%20version_number%%20%%3C%%202",
            run);
    assert_int_equal(json_array_size(at(found, "model_versions")), 1);
    found = get(d,
                API "model-versions/search?filter=source_path%%20LIKE%%20'%%25%s%%25'"
                    "&order_by=version_number%%20ASC&max_results=1",
                run);
    assert_string_equal(text_at(json_array_get(at(found, "model_versions"), 0), "version"), "1");
    assert_non_null(json_object_get(found, "next_page_token"));
    fails(d, 400, "GET", API "model-versions/search?max_results=200001", NULL,
          "INVALID_PARAMETER_VALUE", "It must be at most 200000");
}

/* ---- stages, aliases, tags */

static void test_stage__moves_and_archives(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    static const char MOVE[] = API "model-versions/transition-stage";
    model_make(d, "staged");
    for (int i = 0; i < 3; i++)
        version_make(d, "staged", run);
    json_t *moved =
        post(d, MOVE, "{\"name\":\"staged\",\"version\":\"1\",\"stage\":\"production\"}");
    assert_string_equal(text_at(at(moved, "model_version"), "current_stage"), "Production");
    json_t *model = at(get(d, API "registered-models/get?name=staged"), "registered_model");
    assert_int_equal(int_at(model, "last_updated_timestamp"),
                     int_at(at(moved, "model_version"), "last_updated_timestamp"));
    post(d, MOVE,
         "{\"name\":\"staged\",\"version\":\"2\",\"stage\":\"Production\","
         "\"archive_existing_versions\":true}");
    json_t *latest = post(d, API "registered-models/get-latest-versions", "{\"name\":\"staged\"}");
    assert_int_equal(json_array_size(at(latest, "model_versions")), 3);
    latest = get(d, API "registered-models/get-latest-versions?name=staged&stages=Archived"
                        "&stages=Staging");
    assert_int_equal(json_array_size(at(latest, "model_versions")), 1);
    assert_string_equal(text_at(json_array_get(at(latest, "model_versions"), 0), "version"), "1");
    fails(d, 400, "POST", MOVE, "{\"name\":\"staged\",\"version\":\"1\",\"stage\":\"Anywhere\"}",
          "INVALID_PARAMETER_VALUE", "Invalid Model Version stage: Anywhere. Value must be one of");
    fails(d, 400, "POST", MOVE,
          "{\"name\":\"staged\",\"version\":\"1\",\"stage\":\"None\",\"archive_existing_versions\":"
          "true}",
          "INVALID_PARAMETER_VALUE", "is not an Active stage");
    fails(d, 404, "POST", API "registered-models/get-latest-versions", "{\"name\":\"none\"}",
          "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=none not found");
}

static void test_alias__is_set_found_and_deleted(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    static const char ALIAS[] = API "registered-models/alias";
    model_make(d, "aliased");
    fails(d, 404, "GET", API "registered-models/alias?name=aliased&alias=latest", NULL,
          "RESOURCE_DOES_NOT_EXIST", "Latest version not found for model aliased.");
    version_make(d, "aliased", run);
    version_make(d, "aliased", run);
    post(d, ALIAS, "{\"name\":\"aliased\",\"alias\":\"champion\",\"version\":\"1\"}");
    json_t *version = get(d, API "registered-models/alias?name=aliased&alias=champion");
    assert_string_equal(text_at(at(version, "model_version"), "version"), "1");
    version = get(d, API "registered-models/alias?name=aliased&alias=latest");
    assert_string_equal(text_at(at(version, "model_version"), "version"), "2");
    json_t *model = at(get(d, API "registered-models/get?name=aliased"), "registered_model");
    assert_string_equal(text_at(json_array_get(at(model, "aliases"), 0), "version"), "1");
    call(d, "DELETE", ALIAS, "{\"name\":\"aliased\",\"alias\":\"champion\"}");
    call(d, "DELETE", ALIAS, "{\"name\":\"aliased\",\"alias\":\"champion\"}");
    fails(d, 400, "GET", API "registered-models/alias?name=aliased&alias=champion", NULL,
          "INVALID_PARAMETER_VALUE", "Registered model alias champion not found.");
    static const struct {
        const char *alias, *message;
    } BAD[] = {{"latest", "'latest' alias name (case insensitive) is reserved."},
               {"V2", "Version alias name 'V2' is reserved."},
               {"a.b", "Invalid alias name: 'a.b'. Names may only contain alphanumerics"}};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        fails(d, 400, "POST", ALIAS,
              arena_printf(d->arena, "{\"name\":\"aliased\",\"alias\":\"%s\",\"version\":\"1\"}",
                           BAD[i].alias),
              "INVALID_PARAMETER_VALUE", BAD[i].message);
    fails(d, 404, "POST", ALIAS, "{\"name\":\"aliased\",\"alias\":\"a\",\"version\":\"9\"}",
          "RESOURCE_DOES_NOT_EXIST", "Model Version (name=aliased, version=9) not found");
}

static void test_tags__of_models_and_versions(void **state) {
    struct domains *d = *state;
    model_make(d, "tagged");
    version_make(d, "tagged", logged_run(d));
    post(d, API "registered-models/set-tag", "{\"name\":\"tagged\",\"key\":\"k\",\"value\":\"\"}");
    post(d, API "model-versions/set-tag",
         "{\"name\":\"tagged\",\"version\":\"1\",\"key\":\"k\",\"value\":\"v\"}");
    json_t *model = at(get(d, API "registered-models/get?name=tagged"), "registered_model");
    assert_string_equal(text_at(json_array_get(at(model, "tags"), 0), "value"), "");
    for (int i = 0; i < 2; i++) {
        call(d, "DELETE", API "registered-models/delete-tag",
             "{\"name\":\"tagged\",\"key\":\"k\"}");
        call(d, "DELETE", API "model-versions/delete-tag",
             "{\"name\":\"tagged\",\"version\":\"1\",\"key\":\"k\"}");
    }
    json_t *version = at(get(d, API "model-versions/get?name=tagged&version=1"), "model_version");
    assert_null(json_object_get(version, "tags"));
    fails(d, 400, "POST", API "registered-models/set-tag",
          arena_printf(d->arena, "{\"name\":\"tagged\",\"key\":\"%0251d\",\"value\":\"\"}", 0),
          "INVALID_PARAMETER_VALUE", "'key' exceeds the maximum length of 250 characters");
}

/* ---- files */

static const char *uri_of(struct domains *d, const char *model) {
    return text_at(get(d, API "model-versions/get-download-uri?name=%s&version=1", model),
                   "artifact_uri");
}

static void test_files__stay_when_the_run_goes(void **state) {
    struct domains *d = *state;
    const char *run = logged_run(d);
    model_make(d, "kept");
    version_make(d, "kept", run);
    const char *uri = uri_of(d, "kept");
    assert_string_equal(uri, arena_printf(d->arena, "mlflow-artifacts:/0/%s/artifacts/model", run));

    test_sql(d->db, arena_printf(d->arena, "delete from runs where id = '%s'::uuid", run));
    uri = uri_of(d, "kept");
    static const char ROOT[] = "mlflow-artifacts:/registry/";
    assert_memory_equal(uri, ROOT, sizeof(ROOT) - 1);
    const char *path = uri + strlen("mlflow-artifacts:/");
    json_t *level = get(d, "/api/2.0/mlflow-artifacts/artifacts?path=%s", path);
    json_t *files = at(level, "files");
    assert_int_equal(json_array_size(files), 2);
    assert_string_equal(text_at(json_array_get(files, 0), "path"), "MLmodel");
    assert_true(json_is_true(at(json_array_get(files, 1), "is_dir")));
    level = get(d, "/api/2.0/mlflow-artifacts/artifacts?path=%s/data", path);
    assert_string_equal(text_at(json_array_get(at(level, "files"), 1), "path"), "b.bin");
    const char *file =
        arena_printf(d->arena, "/api/2.0/mlflow-artifacts/artifacts/%s/data/b.bin", path);
    struct test_reply *reply = send_json(d, 200, &d->viewer, "GET", file, NULL);
    assert_memory_equal(reply->body, "model/data/b.bin", 16);
    send_json(d, 404, &d->stranger, "GET", file, NULL);
    fails(d, 404, "GET",
          arena_printf(d->arena, "/api/2.0/mlflow-artifacts/artifacts/%s/none", path), NULL,
          "RESOURCE_DOES_NOT_EXIST", "No such artifact");
    reply = send_json(d, 200, &d->viewer, "GET",
                      "/model-versions/get-artifact?name=kept&version=1&path=MLmodel", NULL);
    assert_memory_equal(reply->body, "model/MLmodel", 13);
    fails(d, 400, "GET", "/model-versions/get-artifact?name=kept&version=1&path=../x", NULL,
          "INVALID_PARAMETER_VALUE", "Invalid path");
    assert_int_equal(
        json_object_size(get(d, "/api/2.0/mlflow-artifacts/artifacts?path=registry/none")), 0);
}

/* Somebody whom the project is hidden from, and a stranger, hear what is said of what is not. */
static void test_registry__of_others_does_not_exist(void **state) {
    struct domains *d = *state;
    model_make(d, "hidden");
    version_make(d, "hidden", logged_run(d));
    const char *id =
        test_sql_value(d->db, "select replace(v.id::text, '-', '') from model_versions v"
                              " join models m on m.id = v.model_id where m.name = 'hidden'");
    const char *const paths[] = {
        "/p/ours" API "registered-models/get?name=hidden",
        "/p/ours" API "model-versions/get?name=hidden&version=1",
        "/p/ours" API "model-versions/get-download-uri?name=hidden&version=1",
        "/p/ours" API "registered-models/alias?name=hidden&alias=latest",
        "/p/ours/model-versions/get-artifact?name=hidden&version=1&path=MLmodel",
        arena_printf(d->arena, "/api/2.0/mlflow-artifacts/artifacts/registry/%s/MLmodel", id)};
    struct principal hidden = d->viewer;
    hidden.by_project = true;
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role)"
                                 " values ('%s', '%s', '%s', 'none')",
                                 d->ours.team_id, d->ours.project_id, hidden.user_id));
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        send_json(d, 200, &d->editor, "GET", paths[i], NULL);
        send_json(d, 404, &d->stranger, "GET", paths[i], NULL);
        send_json(d, 404, &hidden, "GET", paths[i], NULL);
    }
    test_sql(d->db, "delete from project_roles");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model__is_made_told_changed_and_deleted),
        cmocka_unit_test(test_model__names_are_refused_in_mlflows_words),
        cmocka_unit_test(test_model__shares_no_name_with_another_or_a_prompt),
        cmocka_unit_test(test_model__is_searched),
        cmocka_unit_test(test_version__tells_what_a_client_asks_of_it),
        cmocka_unit_test(test_version__refusals),
        cmocka_unit_test(test_version__of_a_run_elsewhere),
        cmocka_unit_test(test_version__is_searched),
        cmocka_unit_test(test_stage__moves_and_archives),
        cmocka_unit_test(test_alias__is_set_found_and_deleted),
        cmocka_unit_test(test_tags__of_models_and_versions),
        cmocka_unit_test(test_files__stay_when_the_run_goes),
        cmocka_unit_test(test_registry__of_others_does_not_exist),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
