/* The registry: versions from succeeded runs, numbers without gaps, snapshots, walls. */
#include "tests/support/domains.h"

#include <pthread.h>

static const char PATH[] = "/api/v1/projects/ours/model-versions";

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
    static const char *const NAMES[] = {"", "a/b", ".hidden", "a b", "-x", "ä"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct test_reply *reply =
            send_json(d, 400, &d->editor, "POST", PATH, registration(d, NAMES[i], run));
        assert_string_equal(field_of(reply), "model");
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

struct racer {
    struct domains *d;
    const char *body;
    pthread_t thread;
    int status;
};

static void *race(void *arg) {
    struct racer *racer = arg;
    struct arena *arena = arena_new();
    const struct test_request rq = {
        .method = "POST", .path = PATH, .json = racer->body, .who = &racer->d->editor};
    racer->status = test_send(racer->d->app, arena, &rq)->status;
    arena_free(arena);
    return NULL;
}

static void test_register__numbers_have_no_gaps_under_concurrency(void **state) {
    struct domains *d = *state;
    enum { RACERS = 6 };
    struct racer racers[RACERS];
    json_t *run = run_done_make(d, "raced");
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.d = d, .body = registration(d, "raced", run)};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].status, 201);
    }
    assert_string_equal(test_sql_value(d->db,
                                       "select string_agg(v.version::text, ',' order by v.version)"
                                       " from model_versions v join models m on m.id = v.model_id"
                                       " where m.name = 'raced'"),
                        "1,2,3,4,5,6");
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

static void test_registry__walls(void **state) {
    static const char *const TABLES[] = {"models", "model_versions", "model_files"};
    for (size_t i = 0; i < 3; i++)
        assert_wall(*state, TABLES[i]);
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
        cmocka_unit_test(test_registry__walls),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
