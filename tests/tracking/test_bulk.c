/* One action for many runs: all or none. */
#include "tests/support/domains.h"

#include "base/ident.h"
#include "tracking/bulk.h"

static const char BULK[] = "/api/v1/projects/ours/runs/bulk";

static json_t *open_in(struct domains *d, const char *experiment) {
    return send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/runs",
                     arena_printf(d->arena, "{\"experiment\":\"%s\",\"tags\":{\"old\":\"1\"}}",
                                  experiment))
        ->json;
}

static const char *body_of(struct domains *d, const char *const *ids, size_t count,
                           const char *rest) {
    auto_buf body = {0};
    buf_text(&body, "{\"ids\":[");
    for (size_t i = 0; i < count; i++)
        buf_printf(&body, "%s\"%s\"", i ? "," : "", ids[i]);
    buf_printf(&body, "],%s}", rest);
    return arena_strdup(d->arena, body.data);
}

static struct test_reply *act(struct domains *d, int status, const char *const *ids, size_t count,
                              const char *rest) {
    return send_json(d, status, &d->editor, "POST", BULK, body_of(d, ids, count, rest));
}

static const char *sum(struct domains *d, const char *what, const char *const *ids, size_t count) {
    auto_buf sql = {0};
    buf_printf(&sql, "select %s from runs r where id in (", what);
    for (size_t i = 0; i < count; i++)
        buf_printf(&sql, "%s'%s'", i ? "," : "", ids[i]);
    buf_text(&sql, ")");
    return test_sql_value(d->db, sql.data);
}

struct three {
    const char *ids[3];
};

static struct three three_make(struct domains *d, const char *experiment) {
    struct three ret;
    for (size_t i = 0; i < 3; i++)
        ret.ids[i] = text_at(open_in(d, experiment), "id");
    return ret;
}

static void test_bulk__tags_and_untags(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "to tag");
    json_t *done =
        act(d, 200, runs.ids, 3, "\"action\":\"tag\",\"key\":\"stage\",\"value\":\"a\"")->json;
    assert_int_equal(int_at(done, "runs"), 3);
    assert_int_equal(int_at(done, "changed"), 3);
    done = act(d, 200, runs.ids, 1, "\"action\":\"tag\",\"key\":\"stage\",\"value\":\"b\"")->json;
    done = act(d, 200, runs.ids, 3, "\"action\":\"tag\",\"key\":\"stage\",\"value\":\"b\"")->json;
    assert_int_equal(int_at(done, "changed"), 2); /* one was so before */
    json_t *tags = at(get_ok(d, "/api/v1/runs/%s", runs.ids[2]), "tags");
    assert_string_equal(text_at(tags, "stage"), "b");
    assert_string_equal(text_at(tags, "old"), "1");
    done = act(d, 200, runs.ids, 3, "\"action\":\"untag\",\"key\":\"stage\"")->json;
    assert_int_equal(int_at(done, "changed"), 3);
    assert_string_equal(field_of(act(d, 400, runs.ids, 3, "\"action\":\"tag\",\"key\":\"stage\"")),
                        "value");
    assert_string_equal(field_of(act(d, 400, runs.ids, 3, "\"action\":\"untag\"")), "key");
}

static void test_bulk__is_all_or_none(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "all or none");
    const char *ids[] = {runs.ids[0], "01920000-0000-7000-8000-0000000000ff", runs.ids[1]};
    assert_string_equal(field_of(act(d, 404, ids, 3, "\"action\":\"archive\"")), "ids");
    ids[1] = "not-an-id";
    act(d, 404, ids, 3, "\"action\":\"archive\"");
    assert_string_equal(sum(d, "count(archived_at)", runs.ids, 3), "0");
    act(d, 200, runs.ids, 1, "\"action\":\"archive\"");
    act(d, 409, runs.ids, 3, "\"action\":\"tag\",\"key\":\"a\",\"value\":\"b\"");
    act(d, 409, runs.ids, 3, "\"action\":\"untag\",\"key\":\"old\"");
    assert_string_equal(
        sum(d, "sum((select count(*) from run_tags t where t.run_id = r.id and key = 'old'))",
            runs.ids, 3),
        "3");
}

static void test_bulk__archives_restores_and_deletes(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "ends");
    const char *twice[] = {runs.ids[0], runs.ids[1], runs.ids[0]};
    act(d, 409, runs.ids, 3, "\"action\":\"delete\"");
    json_t *done = act(d, 200, twice, 3, "\"action\":\"archive\"")->json;
    assert_int_equal(int_at(done, "runs"), 2);
    assert_int_equal(int_at(done, "changed"), 2);
    act(d, 409, runs.ids, 3, "\"action\":\"delete\""); /* the third one is active */
    assert_string_equal(sum(d, "count(*)", runs.ids, 3), "3");
    done = act(d, 200, runs.ids, 3, "\"action\":\"restore\"")->json;
    assert_int_equal(int_at(done, "changed"), 2);
    act(d, 200, runs.ids, 3, "\"action\":\"archive\"");
    done = act(d, 200, runs.ids, 3, "\"action\":\"delete\"")->json;
    assert_int_equal(int_at(done, "changed"), 3);
    assert_string_equal(sum(d, "count(*)", runs.ids, 3), "0");
}

static void test_bulk__does_not_restore_into_an_archived_experiment(void **state) {
    struct domains *d = *state;
    json_t *run = open_in(d, "archived whole");
    const char *id = text_at(run, "id");
    const char *path =
        arena_printf(d->arena, "/api/v1/experiments/%s/archive", text_at(run, "experiment_id"));
    send_json(d, 200, &d->editor, "POST", path, NULL);
    act(d, 409, &id, 1, "\"action\":\"restore\"");
}

static const char *experiment_make(struct domains *d, const char *project, const char *name) {
    return text_at(send_json(d, 201, &d->admin, "POST",
                             arena_printf(d->arena, "/api/v1/projects/%s/experiments", project),
                             arena_printf(d->arena, "{\"name\":\"%s\"}", name))
                       ->json,
                   "id");
}

static void test_bulk__moves_with_inputs(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "from here");
    static const char INPUT[] =
        "{\"datasets\":[{\"name\":\"digits\",\"digest\":\"d1\",\"source_type\":"
        "\"http\",\"source\":\"https://x\",\"tags\":{\"mlflow.data.context\":"
        "\"train\"}}]}";
    for (size_t i = 0; i < 2; i++)
        send_json(d, 204, &d->editor, "POST",
                  arena_printf(d->arena, "/api/v1/runs/%s/inputs", runs.ids[i]), INPUT);
    const char *to = experiment_make(d, "ours", "to there");
    const char *move = arena_printf(d->arena, "\"action\":\"move\",\"experiment_id\":\"%s\"", to);
    json_t *done = act(d, 200, runs.ids, 1, move)->json;
    done = act(d, 200, runs.ids, 3, move)->json;
    assert_int_equal(int_at(done, "changed"), 2);
    assert_string_equal(
        sum(d, arena_printf(d->arena, "count(*) filter (where experiment_id = '%s')", to), runs.ids,
            3),
        "3");
    /* both runs read one data set, which is the new experiment's */
    assert_string_equal(
        test_sql_value(d->db,
                       arena_printf(d->arena,
                                    "select count(distinct d.id) || ' ' || count(*) || ' '"
                                    " || min(i.tags ->> 'mlflow.data.context')"
                                    " from run_inputs i join logged_datasets d"
                                    " on d.id = i.logged_dataset_id"
                                    " join runs r on r.id = i.run_id"
                                    " where d.experiment_id = '%s' and r.experiment_id = '%s'",
                                    to, to)),
        "1 2 train");
}

static void test_bulk__moves_within_the_project_only(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "stays");
    char project[UUID_TEXT_SIZE];
    uuid_new(project);
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into projects (id, team_id, slug, name)"
                                 " values ('%s', '%s', 'beside', 'Beside')",
                                 project, d->ours.team_id));
    const char *to = experiment_make(d, "beside", "over there");
    const char *move = arena_printf(d->arena, "\"action\":\"move\",\"experiment_id\":\"%s\"", to);
    assert_string_equal(field_of(act(d, 404, runs.ids, 3, move)), "experiment_id");
    assert_string_equal(field_of(act(d, 400, runs.ids, 3, "\"action\":\"move\"")), "experiment_id");
    const char *path = arena_printf(d->arena, "/api/v1/experiments/%s/archive", to);
    send_json(d, 200, &d->editor, "POST", path, NULL);
    const char *gone = experiment_make(d, "ours", "gone");
    send_json(d, 200, &d->editor, "POST",
              arena_printf(d->arena, "/api/v1/experiments/%s/archive", gone), NULL);
    act(d, 409, runs.ids, 3,
        arena_printf(d->arena, "\"action\":\"move\",\"experiment_id\":\"%s\"", gone));
}

static void test_bulk__has_limits_and_walls(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "walled");
    const char *ids[RUN_BULK_MAX + 1];
    for (size_t i = 0; i <= RUN_BULK_MAX; i++)
        ids[i] = runs.ids[i % 3];
    act(d, 400, ids, RUN_BULK_MAX + 1, "\"action\":\"archive\"");
    act(d, 400, ids, 0, "\"action\":\"archive\"");
    act(d, 400, ids, 1, "\"action\":\"burn\"");
    assert_int_equal(int_at(act(d, 200, ids, RUN_BULK_MAX, "\"action\":\"restore\"")->json, "runs"),
                     3);
    const char *body = body_of(d, runs.ids, 3, "\"action\":\"archive\"");
    send_json(d, 403, &d->viewer, "POST", BULK, body);
    send_json(d, 404, &d->stranger, "POST", BULK, body);
    const char *theirs = arena_printf(d->arena, "/api/v1/projects/%s/runs/bulk", d->theirs.slug);
    send_json(d, 404, &d->stranger, "POST", theirs, body);
    assert_string_equal(sum(d, "count(archived_at)", runs.ids, 3), "0");
}

static void test_bulk__is_in_the_audit_log(void **state) {
    struct domains *d = *state;
    struct three runs = three_make(d, "audited");
    act(d, 200, runs.ids, 3, "\"action\":\"archive\"");
    json_t *log =
        send_json(d, 200, &d->admin, "GET", "/api/v1/audit?action=run.bulk&limit=1", NULL)->json;
    assert_string_equal(text_at(item_at(log, 0), "action"), "run.bulk");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bulk__tags_and_untags),
        cmocka_unit_test(test_bulk__is_all_or_none),
        cmocka_unit_test(test_bulk__archives_restores_and_deletes),
        cmocka_unit_test(test_bulk__does_not_restore_into_an_archived_experiment),
        cmocka_unit_test(test_bulk__moves_with_inputs),
        cmocka_unit_test(test_bulk__moves_within_the_project_only),
        cmocka_unit_test(test_bulk__has_limits_and_walls),
        cmocka_unit_test(test_bulk__is_in_the_audit_log),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
