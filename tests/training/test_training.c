/* Training: templates that fit, the check of a spec, and what starting a job writes. */
#include "tests/support/domains.h"

static json_t *templates_of(struct domains *d, json_t *version) {
    return get_ok(d, "/api/v1/training/templates?dataset_version=%s", text_at(version, "id"));
}

static struct test_reply *check(struct domains *d, int status, json_t *version, const char *spec) {
    const char *body = arena_printf(d->arena, "{\"dataset_version_id\":\"%s\",\"spec\":%s}",
                                    text_at(version, "id"), spec);
    return send_json(d, status, &d->viewer, "POST", "/api/v1/training/check", body);
}

static void assert_templates_pass(struct domains *d, json_t *version, size_t expected) {
    json_t *page = templates_of(d, version);
    assert_int_equal(json_array_size(at(page, "items")), expected);
    for (size_t i = 0; i < expected; i++) {
        auto_free char *spec = json_dumps(at(item_at(page, i), "spec"), 0);
        json_t *report = check(d, 200, version, spec)->json;
        assert_true(int_at(report, "parameters") > 0);
        assert_true(int_at(report, "steps") > 0);
    }
}

static void test_templates__fit_images(void **state) {
    struct domains *d = *state;
    assert_templates_pass(d, image_version_make(d, "template images"), 3);
}

static void test_templates__fit_tables_with_a_category(void **state) {
    struct domains *d = *state;
    json_t *version = table_version_make(d, "template table");
    assert_templates_pass(d, version, 1);
    json_t *spec = at(item_at(templates_of(d, version), 0), "spec");
    assert_string_equal(text_at(spec, "target"), "species");
}

static void test_templates__need_a_ready_version(void **state) {
    struct domains *d = *state;
    json_t *version = import_start(d, dataset_make(d, "not ready"));
    get_fails(d, 409, &d->editor, "/api/v1/training/templates?dataset_version=%s",
              text_at(version, "id"));
    get_fails(d, 404, &d->stranger, "/api/v1/training/templates?dataset_version=%s",
              text_at(version, "id"));
    get_fails(d, 400, &d->editor, "/api/v1/training/templates");
}

static void test_check__reports_every_layer(void **state) {
    struct domains *d = *state;
    json_t *report = check(d, 200, image_version_make(d, "to check"), DIGITS_SPEC)->json;
    assert_int_equal(json_array_size(at(report, "layers")), 4);
    /* 784·16 + 16 + 16·2 + 2 */
    assert_int_equal(int_at(report, "parameters"), 12594);
    assert_int_equal(int_at(report, "steps_per_epoch"), 8);
    assert_int_equal(int_at(report, "steps"), 24);
}

static void test_check__names_what_is_wrong(void **state) {
    static const struct {
        const char *spec, *field;
    } CASES[] = {
        {"{\"model\":{\"layers\":[{\"type\":\"linear\",\"out\":2},{\"type\":\"conv2d\",\"out\":2,"
         "\"kernel\":3}],\"loss\":\"cross_entropy\"},\"optimizer\":{\"type\":\"sgd\",\"lr\":0.1}}",
         "spec.model.layers[0]"},
        {"{\"model\":{\"layers\":[],\"loss\":\"cross_entropy\"},\"optimiser\":{}}",
         "spec.optimiser"},
        {"{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":\"classes\"}]"
         ","
         "\"loss\":\"cross_entropy\"},\"optimizer\":{\"type\":\"sgd\",\"lr\":-1}}",
         "spec.optimizer.lr"},
        {"{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":\"classes\"}]"
         ","
         "\"loss\":\"cross_entropy\"},\"optimizer\":{\"type\":\"sgd\",\"lr\":0.1},\"epochs\":0}",
         "spec.epochs"},
    };
    struct domains *d = *state;
    json_t *version = image_version_make(d, "to refuse");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct test_reply *reply = check(d, 422, version, CASES[i].spec);
        if (strncmp(field_of(reply), CASES[i].field, strlen(CASES[i].field)) != 0)
            fail_msg("\"%s\" is named instead of \"%s\": %s", field_of(reply), CASES[i].field,
                     text_at(reply->json, "detail"));
    }
    check(d, 422, version, "[]");
    check(d, 422, version, "null");
}

static void test_check__early_stopping_needs_a_validation_split(void **state) {
    struct domains *d = *state;
    json_t *version = image_version_make(d, "no validation");
    test_sql(d->db, arena_printf(d->arena,
                                 "update dataset_versions set splits ="
                                 " '{\"train\":900,\"validation\":0,\"test\":100}' where id = '%s'",
                                 text_at(version, "id")));
    const char *spec =
        "{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":\"classes\"}],"
        "\"loss\":\"cross_entropy\"},\"optimizer\":{\"type\":\"sgd\",\"lr\":0.1},"
        "\"early_stopping\":{\"metric\":\"val/loss\",\"patience\":2}}";
    assert_string_equal(field_of(check(d, 422, version, spec)), "spec.early_stopping");
}

static void test_training__queues_a_job_with_the_versions_files(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "queued");
    const char *sql = arena_printf(
        d->arena,
        "select j.kind || ' ' || j.state || ' ' || string_agg(i.name, ' ' order by i.name) || ' '"
        " || (j.spec->>'batch_size') from jobs j join job_inputs i on i.job_id = j.id"
        " where j.subject_id = '%s' group by j.id",
        text_at(run, "id"));
    assert_string_equal(test_sql_value(d->db, sql),
                        "train queued data.safetensors manifest.json 100");
}

static void test_training__default_name_and_new_experiment(void **state) {
    struct domains *d = *state;
    json_t *version = image_version_make(d, "named after");
    const char *body = arena_printf(
        d->arena, "{\"dataset_version_id\":\"%s\",\"experiment\":\"fresh\",\"spec\":%s}",
        text_at(version, "id"), DIGITS_SPEC);
    json_t *run =
        send_json(d, 202, &d->editor, "POST", "/api/v1/projects/ours/training", body)->json;
    assert_string_equal(text_at(run, "name"), "named after v1");
    assert_string_equal(text_at(run, "experiment_name"), "fresh");
}

static void test_training__refusals_leave_nothing(void **state) {
    struct domains *d = *state;
    json_t *version = image_version_make(d, "refused");
    const char *path = "/api/v1/projects/ours/training";
    const char *runs = test_sql_value(d->db, "select count(*) from runs");
    char before[32];
    snprintf(before, sizeof(before), "%s", runs);
    const char *good = arena_printf(d->arena, "{\"dataset_version_id\":\"%s\",\"spec\":%s}",
                                    text_at(version, "id"), DIGITS_SPEC);
    const char *bad = arena_printf(d->arena, "{\"dataset_version_id\":\"%s\",\"spec\":{}}",
                                   text_at(version, "id"));
    send_json(d, 422, &d->editor, "POST", path, bad);
    send_json(d, 403, &d->viewer, "POST", path, good);
    send_json(d, 404, &d->editor, "POST", "/api/v1/projects/theirs/training", good);
    send_json(d, 404, &d->stranger, "POST", "/api/v1/projects/theirs/training", good);
    send_json(d, 400, &d->editor, "POST", path, "{}");
    assert_string_equal(test_sql_value(d->db, "select count(*) from runs"), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates__fit_images),
        cmocka_unit_test(test_templates__fit_tables_with_a_category),
        cmocka_unit_test(test_templates__need_a_ready_version),
        cmocka_unit_test(test_check__reports_every_layer),
        cmocka_unit_test(test_check__names_what_is_wrong),
        cmocka_unit_test(test_check__early_stopping_needs_a_validation_split),
        cmocka_unit_test(test_training__queues_a_job_with_the_versions_files),
        cmocka_unit_test(test_training__default_name_and_new_experiment),
        cmocka_unit_test(test_training__refusals_leave_nothing),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
