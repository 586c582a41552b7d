/* The registry: versions from succeeded runs, numbers without gaps, snapshots, walls. */
#include "tests/support/domains.h"

#include <pthread.h>

static const char PATH[] = "/api/v1/projects/ours/model-versions";

static const char MODELS[] = "/api/v1/projects/ours/models";

static const char *registration(struct domains *d, const char *model, json_t *run) {
    return arena_printf(d->arena, "{\"model\":\"%s\",\"run_id\":\"%s\"}", model,
                        text_at(run, "id"));
}

static void test_version__is_a_snapshot_of_its_run(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "digits");
    assert_int_equal(int_at(version, "version"), 1);
    assert_string_equal(text_at(version, "input_kind"), "image");
    assert_int_equal(json_integer_value(json_array_get(at(version, "input_shape"), 1)), 28);
    assert_float_equal(real_at(at(version, "metrics"), "test/accuracy"), 0.985, 1e-12);
    assert_int_equal(json_array_size(at(version, "classes")), 2);
    assert_int_equal(json_array_size(at(version, "files")), 3);
    assert_true(int_at(version, "size_bytes") > 0);
    assert_true(json_is_null(at(version, "endpoint")));
    assert_true(json_is_object(at(at(version, "evaluation"), "confusion")));
    json_t *model = get_ok(d, "/api/v1/models/%s", text_at(version, "model_id"));
    assert_int_equal(int_at(model, "latest_version"), 1);
    assert_float_equal(real_at(at(model, "metrics"), "test/accuracy"), 0.985, 1e-12);
}

static void test_version__outlives_its_run(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "orphan");
    test_sql(d->db, arena_printf(d->arena, "delete from runs where id = '%s'",
                                 text_at(version, "run_id")));
    version = get_ok(d, "/api/v1/model-versions/%s", text_at(version, "id"));
    assert_true(json_is_null(at(version, "run_id")));
    assert_int_equal(json_array_size(at(version, "files")), 3);
}

static void test_version__files_are_downloads(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "downloads");
    const char *path = arena_printf(d->arena, "/api/v1/model-versions/%s/files/model.safetensors",
                                    text_at(version, "id"));
    struct test_reply *reply = send_json(d, 200, &d->viewer, "GET", path, NULL);
    assert_memory_equal(reply->body, "weights", 7);
    assert_non_null(strstr(test_header(d->arena, reply, "Content-Disposition"), "attachment"));
    get_fails(d, 404, &d->stranger, "%s", path);
    get_fails(d, 404, &d->viewer, "/api/v1/model-versions/%s/files/none", text_at(version, "id"));
}

static void test_register__needs_a_succeeded_run_with_a_model(void **state) {
    struct domains *d = *state;
    json_t *queued = run_make(d, "too early");
    struct test_reply *reply =
        send_json(d, 409, &d->editor, "POST", PATH, registration(d, "early", queued));
    assert_string_equal(field_of(reply), "run_id");

    json_t *empty = run_make(d, "without a model");
    job_changes(d, text_at(empty, "job_id"), JOB_QUEUED, JOB_RUNNING);
    job_succeeds(d, text_at(empty, "job_id"), "{}", NULL, 0);
    reply = send_json(d, 409, &d->editor, "POST", PATH, registration(d, "early", empty));
    assert_non_null(strstr(text_at(reply->json, "detail"), "model.json"));

    json_t *damaged = run_make(d, "with a damaged model");
    const struct fake_file files[] = {{"model.json", "{\"signature\":"},
                                      {"model.safetensors", "x"}};
    job_changes(d, text_at(damaged, "job_id"), JOB_QUEUED, JOB_RUNNING);
    job_succeeds(d, text_at(damaged, "job_id"), "{}", files, 2);
    send_json(d, 409, &d->editor, "POST", PATH, registration(d, "early", damaged));
    assert_string_equal(test_sql_value(d->db, "select count(*) from models where name = 'early'"),
                        "0");
}

static void test_register__refusals(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "refusals");
    send_json(d, 403, &d->viewer, "POST", PATH, registration(d, "m", run));
    send_json(d, 404, &d->stranger, "POST", "/api/v1/projects/theirs/model-versions",
              registration(d, "m", run));
    static const char *const NAMES[] = {"", "a/b", "a:b", " x", "x ", ".", ".."};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct test_reply *reply =
            send_json(d, 400, &d->editor, "POST", PATH, registration(d, NAMES[i], run));
        assert_string_equal(field_of(reply), "name");
    }
    send_json(d, 404, &d->editor, "POST", PATH,
              "{\"model\":\"m\",\"run_id\":\"00000000-0000-7000-8000-000000000000\"}");
}

static void test_register__a_name_belongs_to_one_project(void **state) {
    struct domains *d = *state;
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"second\",\"name\":\"2\"}");
    send_json(d, 201, &d->editor, "POST", "/api/v1/projects/second/models",
              "{\"name\":\"taken\",\"description\":\"elsewhere\"}");
    json_t *run = run_done_make(d, "elsewhere");
    struct test_reply *reply =
        send_json(d, 409, &d->editor, "POST", PATH, registration(d, "taken", run));
    assert_string_equal(field_of(reply), "model");
    reply = send_json(d, 409, &d->editor, "POST", "/api/v1/projects/ours/models",
                      "{\"name\":\"taken\"}");
    assert_string_equal(field_of(reply), "name");
}

enum { RACERS = 8, ROUNDS = 20 };

struct racer {
    struct domains *d;
    const char *body;
    pthread_t thread;
    int created;
};

static void *race(void *arg) {
    struct racer *racer = arg;
    struct arena *arena = arena_new();
    const struct test_request rq = {
        .method = "POST", .path = PATH, .json = racer->body, .who = &racer->d->editor};
    for (int i = 0; i < ROUNDS; i++) {
        racer->created += test_send(racer->d->app, arena, &rq)->status == 201;
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void test_register__numbers_have_no_gaps_under_concurrency(void **state) {
    struct domains *d = *state;
    struct racer racers[RACERS];
    json_t *run = run_done_make(d, "raced");
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.d = d, .body = registration(d, "raced", run)};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].created, ROUNDS);
    }
    assert_string_equal(test_sql_value(d->db,
                                       "select count(distinct version) || ' to ' || max(version)"
                                       " from model_versions v join models m on m.id = v.model_id"
                                       " where m.name = 'raced'"),
                        "160 to 160");
}

static void test_versions__are_listed_newest_first_in_pages(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "paged");
    for (int i = 0; i < 3; i++)
        send_json(d, 201, &d->editor, "POST", PATH, registration(d, "paged", run));
    json_t *models = get_ok(d, "/api/v1/projects/ours/models?limit=1");
    const char *id = text_at(item_at(models, 0), "id");
    json_t *first = get_ok(d, "/api/v1/models/%s/versions?limit=2", id);
    assert_int_equal(int_at(item_at(first, 0), "version"), 3);
    json_t *second = get_ok(d, "/api/v1/models/%s/versions?limit=2&cursor=%s", id,
                            text_at(first, "next_cursor"));
    assert_int_equal(int_at(item_at(second, 0), "version"), 1);
}

static void test_descriptions__can_change(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "described");
    const char *of_version =
        arena_printf(d->arena, "/api/v1/model-versions/%s", text_at(version, "id"));
    const char *of_model =
        arena_printf(d->arena, "/api/v1/models/%s", text_at(version, "model_id"));
    const char *body = "{\"description\":\"the one\"}";
    assert_string_equal(
        text_at(send_json(d, 200, &d->editor, "PATCH", of_version, body)->json, "description"),
        "the one");
    assert_string_equal(
        text_at(send_json(d, 200, &d->editor, "PATCH", of_model, body)->json, "description"),
        "the one");
    send_json(d, 403, &d->viewer, "PATCH", of_version, body);
    send_json(d, 403, &d->viewer, "PATCH", of_model, body);
    send_json(d, 404, &d->stranger, "PATCH", of_version, body);
    send_json(d, 404, &d->stranger, "PATCH", of_model, body);
}

static void test_version__is_in_the_lineage(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "traced");
    const char *sql = arena_printf(
        d->arena, "select from_kind || ' ' || relation from lineage_edges where to_id = '%s'",
        text_at(version, "id"));
    assert_string_equal(test_sql_value(d->db, sql), "run registered_as");
}

static void test_model__of_another_team_does_not_exist(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "secret");
    const char *model = text_at(version, "model_id");
    get_fails(d, 404, &d->stranger, "/api/v1/models/%s", model);
    get_fails(d, 404, &d->stranger, "/api/v1/models/%s/versions", model);
    get_fails(d, 404, &d->stranger, "/api/v1/model-versions/%s", text_at(version, "id"));
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/models");
    get_fails(d, 404, &d->editor, "/api/v1/models/none");
    get_fails(d, 404, &d->editor, "/api/v1/model-versions/none");
}

/* ---- names */

static json_t *model_make(struct domains *d, const char *name) {
    return send_json(d, 201, &d->editor, "POST", MODELS,
                     arena_printf(d->arena, "{\"name\":\"%s\"}", name))
        ->json;
}

static void test_name__is_text_as_people_write_it(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[] = {"Churn (v2), 50% off!", ".hidden", "-x",
                                        "\\u00fcber",           "latest",  "v1",
                                        "\\u6a21\\u578b",       "a%2Fb"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        model_make(d, NAMES[i]);
    const char *longest = arena_printf(d->arena, "%0256d", 0);
    model_make(d, longest);
    send_json(d, 400, &d->editor, "POST", MODELS,
              arena_printf(d->arena, "{\"name\":\"%s0\"}", longest));
}

/* u and a combining diaeresis look like the one letter that another name has. */
static void test_name__has_no_twin_that_looks_the_same(void **state) {
    struct domains *d = *state;
    static const char *const TWINS[] = {"u\\u0308ber", "a\\u202eb", "a\\u0007b", "a\\u2066b"};
    for (size_t i = 0; i < sizeof(TWINS) / sizeof(TWINS[0]); i++) {
        struct test_reply *reply = send_json(d, 400, &d->editor, "POST", MODELS,
                                             arena_printf(d->arena, "{\"name\":\"%s\"}", TWINS[i]));
        assert_string_equal(field_of(reply), "name");
    }
}

static const char *path_of(struct domains *d, json_t *model, const char *rest) {
    return arena_printf(d->arena, "/api/v1/models/%s%s", text_at(model, "id"), rest);
}

static void test_model__is_renamed_unless_the_name_is_taken(void **state) {
    struct domains *d = *state;
    json_t *model = model_make(d, "before");
    model_make(d, "occupied");
    const char *path = path_of(d, model, "");
    send_json(d, 409, &d->editor, "PATCH", path, "{\"name\":\"occupied\"}");
    send_json(d, 400, &d->editor, "PATCH", path, "{\"name\":\"a/b\"}");
    json_t *renamed = send_json(d, 200, &d->editor, "PATCH", path, "{\"name\":\"after\"}")->json;
    assert_string_equal(text_at(renamed, "name"), "after");
    model_make(d, "before");
}

/* ---- tags, aliases, stages */

static void test_tags__of_models_and_versions(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "tagged");
    const char *of_version =
        arena_printf(d->arena, "/api/v1/model-versions/%s/tags", text_at(version, "id"));
    const char *of_model =
        arena_printf(d->arena, "/api/v1/models/%s/tags", text_at(version, "model_id"));
    static const char TAG[] = "{\"key\":\"a/b c\",\"value\":\"\\u00e4\"}";
    const char *const paths[] = {of_version, of_model};
    for (size_t i = 0; i < 2; i++) {
        json_t *tagged = send_json(d, 200, &d->editor, "POST", paths[i], TAG)->json;
        assert_string_equal(text_at(at(tagged, "tags"), "a/b c"), "\xc3\xa4");
        const char *gone = arena_printf(d->arena, "%s?key=a/b%%20c", paths[i]);
        send_json(d, 204, &d->editor, "DELETE", gone, NULL);
        send_json(d, 404, &d->editor, "DELETE", gone, NULL);
        send_json(d, 403, &d->viewer, "POST", paths[i], TAG);
        send_json(d, 404, &d->stranger, "POST", paths[i], TAG);
        const char *longest = arena_printf(d->arena, "%0251d", 0);
        send_json(d, 400, &d->editor, "POST", paths[i],
                  arena_printf(d->arena, "{\"key\":\"%s\",\"value\":\"\"}", longest));
    }
}

static void test_alias__names_one_version(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "aliased");
    json_t *first =
        send_json(d, 201, &d->editor, "POST", PATH, registration(d, "aliased", run))->json;
    json_t *second =
        send_json(d, 201, &d->editor, "POST", PATH, registration(d, "aliased", run))->json;
    const char *path =
        arena_printf(d->arena, "/api/v1/models/%s/aliases/champion", text_at(first, "model_id"));
    get_fails(d, 404, &d->viewer, "%s", path);
    send_json(d, 200, &d->editor, "PUT", path, "{\"version\":1}");
    assert_string_equal(text_at(get_ok(d, "%s", path), "id"), text_at(first, "id"));
    json_t *model = send_json(d, 200, &d->editor, "PUT", path, "{\"version\":2}")->json;
    assert_int_equal(int_at(at(model, "aliases"), "champion"), 2);
    json_t *found = get_ok(d, "%s", path);
    assert_string_equal(text_at(found, "id"), text_at(second, "id"));
    assert_string_equal(json_string_value(json_array_get(at(found, "aliases"), 0)), "champion");
    assert_string_equal(test_sql_value(d->db, "select object from audit_events where action ="
                                              " 'model.alias_set' order by seq desc limit 1"),
                        "aliased@champion = 2");
    send_json(d, 204, &d->editor, "DELETE", path, NULL);
    send_json(d, 404, &d->editor, "DELETE", path, NULL);
}

static void test_alias__refusals(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "alias refusals");
    const char *model = text_at(version, "model_id");
    static const char *const BAD[] = {"latest", "LATEST", "v1", "V12", "a.b", "a%20b", "%C3%A4"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct test_reply *reply =
            send_json(d, 400, &d->editor, "PUT",
                      arena_printf(d->arena, "/api/v1/models/%s/aliases/%s", model, BAD[i]),
                      "{\"version\":1}");
        assert_string_equal(field_of(reply), "alias");
    }
    const char *path = arena_printf(d->arena, "/api/v1/models/%s/aliases/ok", model);
    assert_string_equal(field_of(send_json(d, 404, &d->editor, "PUT", path, "{\"version\":2}")),
                        "version");
    send_json(d, 403, &d->viewer, "PUT", path, "{\"version\":1}");
    send_json(d, 404, &d->stranger, "PUT", path, "{\"version\":1}");
    json_t *latest = get_ok(d, "/api/v1/models/%s/aliases/latest", model);
    assert_string_equal(text_at(latest, "id"), text_at(version, "id"));
}

static void test_stage__archives_those_before(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "staged");
    const char *ids[2];
    for (size_t i = 0; i < 2; i++)
        ids[i] = text_at(
            send_json(d, 201, &d->editor, "POST", PATH, registration(d, "staged", run))->json,
            "id");
    static const char PRODUCTION[] = "{\"stage\":\"production\",\"archive_existing\":true}";
    for (size_t i = 0; i < 2; i++) {
        const char *path = arena_printf(d->arena, "/api/v1/model-versions/%s", ids[i]);
        json_t *version = send_json(d, 200, &d->editor, "PATCH", path, PRODUCTION)->json;
        assert_string_equal(text_at(version, "stage"), "production");
    }
    json_t *first = get_ok(d, "/api/v1/model-versions/%s", ids[0]);
    assert_string_equal(text_at(first, "stage"), "archived");
    assert_string_equal(test_sql_value(d->db, "select object from audit_events where action ="
                                              " 'model_version.stage' order by seq desc limit 1"),
                        "staged v2: none -> production");
    assert_string_equal(
        test_sql_value(d->db, arena_printf(d->arena,
                                           "select count(*) > 0 from feed where kind = 'state' and"
                                           " topic = 'model_version:%s'",
                                           ids[1])),
        "t");
    send_json(d, 400, &d->editor, "PATCH",
              arena_printf(d->arena, "/api/v1/model-versions/%s", ids[0]),
              "{\"stage\":\"retired\"}");
}

/* ---- the end */

static void test_version__deleted_leaves_its_number_and_no_more(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "deleted");
    json_t *version = NULL;
    for (int i = 0; i < 2; i++)
        version =
            send_json(d, 201, &d->editor, "POST", PATH, registration(d, "deleted", run))->json;
    const char *model = text_at(version, "model_id"), *id = text_at(version, "id");
    send_json(d, 200, &d->editor, "PUT",
              arena_printf(d->arena, "/api/v1/models/%s/aliases/last", model), "{\"version\":2}");
    const char *path = arena_printf(d->arena, "/api/v1/model-versions/%s", id);
    send_json(d, 403, &d->viewer, "DELETE", path, NULL);
    send_json(d, 404, &d->stranger, "DELETE", path, NULL);
    send_json(d, 204, &d->editor, "DELETE", path, NULL);
    get_fails(d, 404, &d->editor, "%s", path);
    get_fails(d, 404, &d->editor, "%s/files/model.json", path);
    json_t *left = get_ok(d, "/api/v1/models/%s", model);
    assert_int_equal(int_at(left, "latest_version"), 1);
    assert_int_equal(json_object_size(at(left, "aliases")), 0);
    assert_string_equal(
        test_sql_value(
            d->db,
            arena_printf(d->arena, "select count(*) from model_files where version_id = '%s'", id)),
        "0");
    version = send_json(d, 201, &d->editor, "POST", PATH, registration(d, "deleted", run))->json;
    assert_int_equal(int_at(version, "version"), 3);
}

static void test_delete__refuses_what_is_being_served(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "served");
    const char *id = text_at(version, "id"), *model = text_at(version, "model_id");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into endpoints (id, team_id, model_version_id, state)"
                                 " values ('%s', '%s', '%s', 'ready')",
                                 id, d->ours.team_id, id));
    const char *const paths[] = {arena_printf(d->arena, "/api/v1/model-versions/%s", id),
                                 arena_printf(d->arena, "/api/v1/models/%s", model)};
    for (size_t i = 0; i < 2; i++) {
        struct test_reply *reply = send_json(d, 409, &d->editor, "DELETE", paths[i], NULL);
        assert_non_null(strstr(text_at(reply->json, "detail"), id));
    }
    test_sql(d->db, "update endpoints set state = 'stopped'");
    send_json(d, 403, &d->viewer, "DELETE", paths[1], NULL);
    send_json(d, 404, &d->stranger, "DELETE", paths[1], NULL);
    send_json(d, 204, &d->editor, "DELETE", paths[1], NULL);
    get_fails(d, 404, &d->editor, "%s", paths[0]);
    get_fails(d, 404, &d->editor, "%s", paths[1]);
    assert_string_equal(
        test_sql_value(d->db, arena_printf(d->arena,
                                           "select state from lineage_nodes where ref_id = '%s'"
                                           " and kind = 'model_version'",
                                           id)),
        "deleted");
}

/* ---- search */

static void test_models__are_searched_and_prompts_are_hidden(void **state) {
    struct domains *d = *state;
    send_json(d, 201, &d->editor, "POST", MODELS,
              "{\"name\":\"wanted one\",\"tags\":{\"task\":\"ranking\"}}");
    send_json(d, 201, &d->editor, "POST", MODELS,
              "{\"name\":\"wanted two\",\"tags\":{\"task\":\"vision\"}}");
    send_json(d, 201, &d->editor, "POST", MODELS,
              "{\"name\":\"wanted prompt\",\"tags\":{\"mlflow.prompt.is_prompt\":\"true\"}}");
    json_t *found =
        get_ok(d, "%s?filter=name%%20LIKE%%20'wanted%%25'&order_by=name%%20DESC&limit=1", MODELS);
    assert_string_equal(text_at(item_at(found, 0), "name"), "wanted two");
    found =
        get_ok(d, "%s?filter=name%%20LIKE%%20'wanted%%25'&order_by=name%%20DESC&limit=1&cursor=%s",
               MODELS, text_at(found, "next_cursor"));
    assert_string_equal(text_at(item_at(found, 0), "name"), "wanted one");
    assert_true(json_is_null(at(found, "next_cursor")));
    found = get_ok(d, "%s?filter=tags.task%%20=%%20'ranking'", MODELS);
    assert_int_equal(json_array_size(at(found, "items")), 1);
    found = get_ok(d, "%s?filter=tags.%%60mlflow.prompt.is_prompt%%60%%20=%%20'true'", MODELS);
    assert_string_equal(text_at(item_at(found, 0), "name"), "wanted prompt");
    get_fails(d, 400, &d->editor, "%s?filter=nonsense%%20LIKE", MODELS);
    send_json(d, 400, &d->editor, "POST", MODELS, "{\"name\":\"n\",\"tags\":{\"k\":1}}");
}

static void test_versions__are_searched_across_models(void **state) {
    struct domains *d = *state;
    json_t *version = model_version_make(d, "sought");
    const char *run = text_at(version, "run_id");
    json_t *found =
        get_ok(d, "/api/v1/projects/ours/model-versions?filter=run_id%%20=%%20'%s'", run);
    assert_int_equal(json_array_size(at(found, "items")), 1);
    assert_string_equal(text_at(item_at(found, 0), "id"), text_at(version, "id"));
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/model-versions");
}

static void test_registry__walls(void **state) {
    static const char *const TABLES[] = {"models",     "model_versions",     "model_files",
                                         "model_tags", "model_version_tags", "model_aliases"};
    struct domains *d = *state;
    json_t *version = model_version_make(d, "walled");
    const char *id = text_at(version, "id"), *model = text_at(version, "model_id");
    send_json(d, 200, &d->editor, "PUT",
              arena_printf(d->arena, "/api/v1/models/%s/aliases/a", model), "{\"version\":1}");
    send_json(d, 200, &d->editor, "POST",
              arena_printf(d->arena, "/api/v1/model-versions/%s/tags", id),
              "{\"key\":\"k\",\"value\":\"v\"}");
    for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]); i++)
        assert_wall(d, TABLES[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version__is_a_snapshot_of_its_run),
        cmocka_unit_test(test_version__outlives_its_run),
        cmocka_unit_test(test_version__files_are_downloads),
        cmocka_unit_test(test_register__needs_a_succeeded_run_with_a_model),
        cmocka_unit_test(test_register__refusals),
        cmocka_unit_test(test_register__a_name_belongs_to_one_project),
        cmocka_unit_test(test_register__numbers_have_no_gaps_under_concurrency),
        cmocka_unit_test(test_versions__are_listed_newest_first_in_pages),
        cmocka_unit_test(test_descriptions__can_change),
        cmocka_unit_test(test_version__is_in_the_lineage),
        cmocka_unit_test(test_model__of_another_team_does_not_exist),
        cmocka_unit_test(test_name__is_text_as_people_write_it),
        cmocka_unit_test(test_name__has_no_twin_that_looks_the_same),
        cmocka_unit_test(test_model__is_renamed_unless_the_name_is_taken),
        cmocka_unit_test(test_tags__of_models_and_versions),
        cmocka_unit_test(test_alias__names_one_version),
        cmocka_unit_test(test_alias__refusals),
        cmocka_unit_test(test_stage__archives_those_before),
        cmocka_unit_test(test_version__deleted_leaves_its_number_and_no_more),
        cmocka_unit_test(test_delete__refuses_what_is_being_served),
        cmocka_unit_test(test_models__are_searched_and_prompts_are_hidden),
        cmocka_unit_test(test_versions__are_searched_across_models),
        cmocka_unit_test(test_registry__walls),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
