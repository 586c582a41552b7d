/* Datasets: versions and their numbers, what an import leaves behind, files, walls. */
#include "tests/support/domains.h"

#include "datasets/datasets.h"

#include <pthread.h>

static void test_dataset__is_created_described_and_listed(void **state) {
    struct domains *d = *state;
    const char *id = dataset_make(d, "digits");
    json_t *dataset = get_ok(d, "/api/v1/datasets/%s", id);
    assert_true(json_is_null(at(dataset, "latest_version")));
    const char *path = arena_printf(d->arena, "/api/v1/datasets/%s", id);
    dataset = send_json(d, 200, &d->editor, "PATCH", path, "{\"description\":\"by hand\"}")->json;
    assert_string_equal(text_at(dataset, "description"), "by hand");
    json_t *page = get_ok(d, "/api/v1/projects/ours/datasets");
    assert_string_equal(text_at(item_at(page, 0), "name"), "digits");
}

static void test_dataset__refuses_a_name_twice(void **state) {
    struct domains *d = *state;
    dataset_make(d, "once");
    struct test_reply *reply = send_json(d, 409, &d->editor, "POST",
                                         "/api/v1/projects/ours/datasets", "{\"name\":\"once\"}");
    assert_string_equal(field_of(reply), "name");
}

static void test_dataset__viewers_only_read(void **state) {
    struct domains *d = *state;
    const char *path =
        arena_printf(d->arena, "/api/v1/datasets/%s", dataset_make(d, "for viewers"));
    send_json(d, 403, &d->viewer, "PATCH", path, "{\"description\":\"x\"}");
    send_json(d, 403, &d->viewer, "POST", "/api/v1/projects/ours/datasets", "{\"name\":\"x\"}");
    send_json(d, 200, &d->viewer, "GET", path, NULL);
}

static void test_datasets__come_in_pages(void **state) {
    struct domains *d = *state;
    for (int i = 0; i < 3; i++)
        dataset_make(d, arena_printf(d->arena, "paged %d", i));
    json_t *first = get_ok(d, "/api/v1/projects/ours/datasets?limit=2");
    json_t *second = get_ok(d, "/api/v1/projects/ours/datasets?limit=2&cursor=%s",
                            text_at(first, "next_cursor"));
    assert_string_equal(text_at(item_at(first, 1), "name"), "paged 1");
    assert_string_equal(text_at(item_at(second, 0), "name"), "paged 0");
}

static void test_version__import_queues_a_job_with_its_inputs(void **state) {
    struct domains *d = *state;
    json_t *version = import_start(d, dataset_make(d, "queued"));
    assert_string_equal(text_at(version, "state"), "importing");
    assert_int_equal(int_at(version, "version"), 1);
    assert_true(json_is_null(at(version, "rows")));
    const char *sql = arena_printf(
        d->arena,
        "select j.kind || ' ' || i.name || ' ' || i.file_name || ' ' || (j.spec->>'format') || ' '"
        " || (j.spec->'split'->>'seed') from jobs j join job_inputs i on i.job_id = j.id"
        " where j.id = '%s'",
        text_at(version, "job_id"));
    assert_string_equal(test_sql_value(d->db, sql), "dataset.import source-0 rows.csv auto 42");
}

static void test_version__success_keeps_the_report_and_the_files(void **state) {
    struct domains *d = *state;
    json_t *version = table_version_make(d, "iris");
    assert_string_equal(text_at(version, "state"), "ready");
    assert_int_equal(int_at(version, "rows"), 150);
    assert_string_equal(text_at(version, "target"), "species");
    assert_int_equal(int_at(at(version, "splits"), "train"), 120);
    assert_int_equal(json_array_size(at(version, "files")), 2);
    assert_string_equal(text_at(json_array_get(at(version, "files"), 0), "name"),
                        "data.safetensors");
    json_t *dataset = get_ok(d, "/api/v1/datasets/%s", text_at(version, "dataset_id"));
    assert_string_equal(text_at(dataset, "latest_state"), "ready");
    assert_int_equal(int_at(dataset, "rows"), 150);
}

static void test_version__content_hash_follows_the_content(void **state) {
    struct domains *d = *state;
    json_t *a = table_version_make(d, "same one");
    json_t *b = table_version_make(d, "same two");
    json_t *other = image_version_make(d, "different");
    assert_string_equal(text_at(a, "sha256"), text_at(b, "sha256"));
    assert_string_not_equal(text_at(a, "sha256"), text_at(other, "sha256"));
}

static void test_version__files_are_served_in_parts(void **state) {
    struct domains *d = *state;
    json_t *version = table_version_make(d, "served");
    const char *path = arena_printf(d->arena, "/api/v1/dataset-versions/%s/files/data.safetensors",
                                    text_at(version, "id"));
    struct test_reply *whole = send_json(d, 200, &d->viewer, "GET", path, NULL);
    assert_memory_equal(whole->body, "tensors", 7);
    struct test_reply *part =
        test_expect(d->app, d->arena, 206,
                    &(struct test_request){
                        .path = path, .who = &d->viewer, .headers = {{"Range", "bytes=1-3"}}});
    assert_int_equal(part->size, 3);
    assert_memory_equal(part->body, "ens", 3);
    get_fails(d, 404, &d->viewer, "/api/v1/dataset-versions/%s/files/other",
              text_at(version, "id"));
    get_fails(d, 404, &d->stranger, "%s", path);
}

static void test_version__failure_says_why_and_retry_brings_it_back(void **state) {
    struct domains *d = *state;
    json_t *version = import_start(d, dataset_make(d, "broken"));
    const char *id = text_at(version, "id"), *job = text_at(version, "job_id");
    job_fails(d, job, JOB_FAILED,
              "{\"code\":\"invalid_data\",\"message\":\"line 3 has 4 columns\",\"field\":null,"
              "\"file\":\"rows.csv\",\"place\":\"line 3\"}");
    version = get_ok(d, "/api/v1/dataset-versions/%s", id);
    assert_string_equal(text_at(version, "state"), "failed");
    assert_string_equal(text_at(at(version, "error"), "place"), "line 3");
    job_changes(d, job, JOB_FAILED, JOB_QUEUED);
    version = get_ok(d, "/api/v1/dataset-versions/%s", id);
    assert_string_equal(text_at(version, "state"), "importing");
    assert_true(json_is_null(at(version, "error")));
}

static void test_version__cancelled_import_is_failed(void **state) {
    struct domains *d = *state;
    json_t *version = import_start(d, dataset_make(d, "cancelled"));
    job_fails(d, text_at(version, "job_id"), JOB_CANCELLED, NULL);
    version = get_ok(d, "/api/v1/dataset-versions/%s", text_at(version, "id"));
    assert_string_equal(text_at(at(version, "error"), "code"), "cancelled");
}

static void test_version__reports_that_do_not_fit_are_refused(void **state) {
    static const char *const RESULTS[] = {
        "{}",
        "{\"kind\":\"sound\",\"rows\":1,\"splits\":{},\"split\":{},\"columns\":[],\"outputs\":[]}",
        "{\"kind\":\"table\",\"rows\":-1,\"splits\":{},\"split\":{},\"columns\":[],\"outputs\":[]}",
        "{\"kind\":\"table\",\"rows\":1,\"splits\":[],\"split\":{},\"columns\":[],\"outputs\":[]}",
        "{\"kind\":\"table\",\"rows\":1,\"splits\":{},\"split\":{},\"columns\":{},\"outputs\":[]}",
    };
    struct domains *d = *state;
    json_t *version = import_start(d, dataset_make(d, "lies"));
    for (size_t i = 0; i < sizeof(RESULTS) / sizeof(RESULTS[0]); i++)
        assert_int_not_equal(job_success_refused(d, text_at(version, "job_id"), RESULTS[i]), OK);
    version = get_ok(d, "/api/v1/dataset-versions/%s", text_at(version, "id"));
    assert_string_equal(text_at(version, "state"), "importing");
}

static void test_version__a_ready_one_never_changes(void **state) {
    struct domains *d = *state;
    json_t *version = table_version_make(d, "final");
    struct ctx cx;
    struct job job;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_OWNER);
    cx.app = d->app;
    job_of(&cx, text_at(version, "job_id"), &job);
    job.state = JOB_FAILED;
    assert_err(ERR_CONFLICT, DATASETS_JOBS[0].on_failure(&cx, &job));
    ctx_done(&cx);
    version = get_ok(d, "/api/v1/dataset-versions/%s", text_at(version, "id"));
    assert_string_equal(text_at(version, "state"), "ready");
}

static void test_version__bad_requests(void **state) {
    struct domains *d = *state;
    const char *path =
        arena_printf(d->arena, "/api/v1/datasets/%s/versions", dataset_make(d, "bad requests"));
    const char *upload = upload_make(d, "a.csv", "a\n1\n");
    static const struct {
        int status;
        const char *rest, *field;
    } CASES[] = {
        {400, ",\"format\":\"avi\"", "format"},
        {400, ",\"other\":1", "other"},
        {422, ",\"split\":{\"train\":0.5,\"validation\":0.1,\"test\":0.1}", "split"},
        {422, ",\"split\":{\"train\":0,\"validation\":0.5,\"test\":0.5}", "split"},
        {400, ",\"split\":{\"train\":1}", "split.validation"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *body =
            arena_printf(d->arena, "{\"upload_ids\":[\"%s\"]%s}", upload, CASES[i].rest);
        struct test_reply *reply = send_json(d, CASES[i].status, &d->editor, "POST", path, body);
        assert_string_equal(field_of(reply), CASES[i].field);
    }
    send_json(d, 400, &d->editor, "POST", path, "{\"upload_ids\":[]}");
    send_json(d, 404, &d->editor, "POST", path,
              "{\"upload_ids\":[\"00000000-0000-7000-8000-000000000000\"]}");
    json_t *versions = get_ok(d, "%s", path);
    assert_int_equal(json_array_size(at(versions, "items")), 0);
}

static void test_versions__are_listed_newest_first_in_pages(void **state) {
    struct domains *d = *state;
    const char *id = dataset_make(d, "many versions");
    for (int i = 0; i < 3; i++)
        import_start(d, id);
    json_t *first = get_ok(d, "/api/v1/datasets/%s/versions?limit=2", id);
    assert_int_equal(int_at(item_at(first, 0), "version"), 3);
    json_t *second = get_ok(d, "/api/v1/datasets/%s/versions?limit=2&cursor=%s", id,
                            text_at(first, "next_cursor"));
    assert_int_equal(int_at(item_at(second, 0), "version"), 1);
    assert_true(json_is_null(at(second, "next_cursor")));
}

struct racer {
    struct domains *d;
    const char *path, *body;
    pthread_t thread;
    int status;
};

static void *race(void *arg) {
    struct racer *racer = arg;
    struct arena *arena = arena_new();
    const struct test_request rq = {
        .method = "POST", .path = racer->path, .json = racer->body, .who = &racer->d->editor};
    racer->status = test_send(racer->d->app, arena, &rq)->status;
    arena_free(arena);
    return NULL;
}

static void test_versions__numbers_have_no_gaps_under_concurrency(void **state) {
    struct domains *d = *state;
    enum { RACERS = 6 };
    struct racer racers[RACERS];
    const char *id = dataset_make(d, "raced");
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] =
            (struct racer){.d = d,
                           .path = arena_printf(d->arena, "/api/v1/datasets/%s/versions", id),
                           /* every other one fails after its number may have been taken */
                           .body = arena_printf(d->arena, "{\"upload_ids\":[\"%s\"]}",
                                                i % 2 ? "00000000-0000-7000-8000-000000000000"
                                                      : upload_make(d, "r.csv", "a\n1\n"))};
    }
    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    for (size_t i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].status, i % 2 ? 404 : 202);
    }
    const char *sql =
        arena_printf(d->arena,
                     "select string_agg(version::text, ',' order by version) from dataset_versions"
                     " where dataset_id = '%s'",
                     id);
    assert_string_equal(test_sql_value(d->db, sql), "1,2,3");
}

static void test_dataset__of_another_team_does_not_exist(void **state) {
    struct domains *d = *state;
    json_t *version = table_version_make(d, "secret");
    const char *dataset = text_at(version, "dataset_id");
    get_fails(d, 404, &d->stranger, "/api/v1/datasets/%s", dataset);
    get_fails(d, 404, &d->stranger, "/api/v1/datasets/%s/versions", dataset);
    get_fails(d, 404, &d->stranger, "/api/v1/dataset-versions/%s", text_at(version, "id"));
    get_fails(d, 404, &d->editor, "/api/v1/datasets/not-an-id");
    get_fails(d, 404, &d->editor, "/api/v1/dataset-versions/not-an-id");
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/datasets");
}

static void test_version__is_in_the_lineage_with_its_job(void **state) {
    struct domains *d = *state;
    json_t *version = table_version_make(d, "traced");
    const char *sql = arena_printf(
        d->arena,
        "select n.state || ' ' || e.from_kind || ' ' || e.relation from lineage_nodes n"
        " join lineage_edges e on e.to_id = n.ref_id where n.ref_id = '%s'",
        text_at(version, "id"));
    assert_string_equal(test_sql_value(d->db, sql), "ready job produced");
}

static void test_datasets__walls(void **state) {
    static const char *const TABLES[] = {"datasets", "dataset_versions", "dataset_files"};
    for (size_t i = 0; i < 3; i++)
        assert_wall(*state, TABLES[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dataset__is_created_described_and_listed),
        cmocka_unit_test(test_dataset__refuses_a_name_twice),
        cmocka_unit_test(test_dataset__viewers_only_read),
        cmocka_unit_test(test_datasets__come_in_pages),
        cmocka_unit_test(test_version__import_queues_a_job_with_its_inputs),
        cmocka_unit_test(test_version__success_keeps_the_report_and_the_files),
        cmocka_unit_test(test_version__content_hash_follows_the_content),
        cmocka_unit_test(test_version__files_are_served_in_parts),
        cmocka_unit_test(test_version__failure_says_why_and_retry_brings_it_back),
        cmocka_unit_test(test_version__cancelled_import_is_failed),
        cmocka_unit_test(test_version__reports_that_do_not_fit_are_refused),
        cmocka_unit_test(test_version__a_ready_one_never_changes),
        cmocka_unit_test(test_version__bad_requests),
        cmocka_unit_test(test_versions__are_listed_newest_first_in_pages),
        cmocka_unit_test(test_versions__numbers_have_no_gaps_under_concurrency),
        cmocka_unit_test(test_dataset__of_another_team_does_not_exist),
        cmocka_unit_test(test_version__is_in_the_lineage_with_its_job),
        cmocka_unit_test(test_datasets__walls),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
