/* What a run read and made: data sets as clients describe them, and logged models. */
#include "tests/support/domains.h"

#include "base/ident.h"
#include "tracking/internal.h"

#include <pthread.h>

static json_t *open_in(struct domains *d, const char *experiment) {
    return send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/runs",
                     arena_printf(d->arena, "{\"experiment\":\"%s\"}", experiment))
        ->json;
}

static const char *path_of(struct domains *d, json_t *run, const char *rest) {
    return arena_printf(d->arena, "/api/v1/runs/%s%s", text_at(run, "id"), rest);
}

static const char *digits(struct domains *d, const char *source, const char *context) {
    return arena_printf(d->arena,
                        "{\"datasets\":[{\"name\":\"digits\",\"digest\":\"abc\",\"source_type\":"
                        "\"http\",\"source\":\"%s\",\"schema\":\"{}\",\"tags\":{\"context\":\"%s\"}"
                        "}]}",
                        source, context);
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *model_make(struct domains *d, json_t *run, const char *name) {
    struct ctx cx;
    struct logged_model model;
    ctx_ours(d, &cx);
    const struct logged_model_create options = {.project_id = d->ours.project_id,
                                                .experiment_id = text_at(run, "experiment_id"),
                                                .name = name};
    assert_ok(logged_model_create(&cx, &options, &model), &cx.err);
    const char *id = arena_strdup(d->arena, model.id);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    return id;
}

static void test_inputs__stay_as_they_were_first_logged(void **state) {
    struct domains *d = *state;
    json_t *first = open_in(d, "inputs"), *second = open_in(d, "inputs");
    json_t *elsewhere = open_in(d, "other inputs");
    const char *path = path_of(d, first, "/inputs");
    send_json(d, 204, &d->editor, "POST", path, digits(d, "https://a", "train"));
    send_json(d, 204, &d->editor, "POST", path, digits(d, "https://b", "test"));
    send_json(d, 204, &d->editor, "POST", path_of(d, second, "/inputs"),
              digits(d, "https://c", "test"));
    send_json(d, 204, &d->editor, "POST", path_of(d, elsewhere, "/inputs"),
              digits(d, "https://d", "test"));
    json_t *sets = at(get_ok(d, "%s", path), "datasets");
    assert_int_equal(json_array_size(sets), 1);
    assert_string_equal(text_at(json_array_get(sets, 0), "source"), "https://a");
    assert_string_equal(text_at(at(json_array_get(sets, 0), "tags"), "context"), "train");
    sets = at(get_ok(d, "%s", path_of(d, second, "/inputs")), "datasets");
    assert_string_equal(text_at(json_array_get(sets, 0), "source"), "https://a");
    assert_string_equal(text_at(at(json_array_get(sets, 0), "tags"), "context"), "test");
    /* another experiment knows its own set of that name and digest */
    sets = at(get_ok(d, "%s", path_of(d, elsewhere, "/inputs")), "datasets");
    assert_string_equal(text_at(json_array_get(sets, 0), "source"), "https://d");
}

struct logger {
    struct domains *d;
    const char *run_id;
    int failed;
};

static void *log_twenty(void *arg) {
    struct logger *l = arg;
    for (int i = 0; i < 20; i++) {
        struct ctx cx;
        ctx_ours(l->d, &cx);
        const char *digest = arena_printf(cx.arena, "%d", i);
        const struct dataset_input input = {
            .name = "shared", .digest = digest, .source_type = "local", .source = "x"};
        l->failed += run_add_inputs(&cx, l->run_id, &input, 1, NULL, 0) != OK || db_commit(&cx);
        ctx_done(&cx);
    }
    return NULL;
}

static void test_inputs__logged_at_once_are_linked_to_every_run(void **state) {
    struct domains *d = *state;
    struct logger loggers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        loggers[i] = (struct logger){d, text_at(open_in(d, "shared inputs"), "id"), 0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_twenty, &loggers[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(loggers[i].failed, 0);
    }
    assert_string_equal(
        test_sql_value(d->db, "select count(distinct d.id) || ' ' || count(*) from run_inputs i"
                              " join logged_datasets d on d.id = i.logged_dataset_id"
                              " where d.name = 'shared'"),
        "20 80");
}

static void test_inputs__have_limits(void **state) {
    struct domains *d = *state;
    json_t *run = open_in(d, "limits");
    const char *path = path_of(d, run, "/inputs");
    static const char *const BAD[] = {
        "{\"datasets\":[{\"name\":\"\",\"digest\":\"a\",\"source_type\":\"\",\"source\":\"\"}]}",
        "{\"datasets\":[{\"name\":\"a\",\"source_type\":\"\",\"source\":\"\"}]}",
        ("{\"datasets\":[{\"name\":\"a\",\"digest\":\"a\",\"source_type\":\"\",\"source\":\"\","
         "\"x\":1}]}")};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        send_json(d, 400, &d->editor, "POST", path, BAD[i]);
    static const char *const TOO_MUCH[] = {
        "{\"datasets\":[{\"name\":\"a\",\"digest\":\"1234567890123456789012345678901234567\","
        "\"source_type\":\"\",\"source\":\"\"}]}",
        "{\"datasets\":[{\"name\":\"a\",\"digest\":\"a\",\"source_type\":\"\",\"source\":\"\","
        "\"tags\":{\"a\":1}}]}"};
    for (size_t i = 0; i < sizeof(TOO_MUCH) / sizeof(TOO_MUCH[0]); i++)
        send_json(d, 422, &d->editor, "POST", path, TOO_MUCH[i]);
}

static void test_models__read_and_made_are_listed(void **state) {
    struct domains *d = *state;
    json_t *run = open_in(d, "models");
    const char *read = model_make(d, run, "read"), *made = model_make(d, run, "made");
    char hex[33];
    uuid_to_hex(read, hex);
    send_json(d, 204, &d->editor, "POST", path_of(d, run, "/inputs"),
              arena_printf(d->arena, "{\"models\":[\"m-%s\"]}", hex));
    const char *body =
        arena_printf(d->arena, "{\"models\":[{\"model_id\":\"%s\",\"step\":7}]}", made);
    send_json(d, 204, &d->editor, "POST", path_of(d, run, "/outputs"), body);
    send_json(d, 204, &d->editor, "POST", path_of(d, run, "/outputs"), body);
    json_t *models = at(get_ok(d, "%s", path_of(d, run, "/inputs")), "models");
    assert_int_equal(json_array_size(models), 2);
    assert_string_equal(text_at(json_array_get(models, 0), "id"), read);
    assert_true(json_is_false(at(json_array_get(models, 0), "made")));
    assert_string_equal(text_at(json_array_get(models, 1), "name"), "made");
    assert_int_equal(int_at(json_array_get(models, 1), "step"), 7);
    static const char *const MISSING[] = {"none", "m-01920000000070008000000000000ffe"};
    for (size_t i = 0; i < 2; i++)
        send_json(d, 404, &d->editor, "POST", path_of(d, run, "/inputs"),
                  arena_printf(d->arena, "{\"models\":[\"%s\"]}", MISSING[i]));
}

static void test_inputs__walls(void **state) {
    struct domains *d = *state;
    json_t *run = open_in(d, "walled inputs");
    const char *path = path_of(d, run, "/inputs");
    send_json(d, 204, &d->editor, "POST", path, digits(d, "https://a", "train"));
    send_json(d, 403, &d->viewer, "POST", path, digits(d, "https://a", "train"));
    send_json(d, 404, &d->stranger, "POST", path, digits(d, "https://a", "train"));
    send_json(d, 404, &d->stranger, "POST", path_of(d, run, "/outputs"), "{\"models\":[]}");
    get_fails(d, 404, &d->stranger, "%s", path);
    static const char *const TABLES[] = {"logged_datasets", "run_inputs", "run_model_inputs",
                                         "run_model_outputs"};
    for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]); i++)
        assert_wall(d, TABLES[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs__stay_as_they_were_first_logged),
        cmocka_unit_test(test_inputs__logged_at_once_are_linked_to_every_run),
        cmocka_unit_test(test_inputs__have_limits),
        cmocka_unit_test(test_models__read_and_made_are_listed),
        cmocka_unit_test(test_inputs__walls),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
