/* Experiments: numbers, folders, tags, archive and end. */
#include "tests/support/domains.h"

#include "base/ident.h"
#include "tracking/internal.h"

#include <pthread.h>

static const char PATH[] = "/api/v1/projects/ours/experiments";

static json_t *experiment_make(struct domains *d, const char *name, const char *folder) {
    const char *body =
        arena_printf(d->arena, "{\"name\":\"%s\",\"folder\":\"%s\"}", name, folder ? folder : "");
    return send_json(d, 201, &d->editor, "POST", PATH, body)->json;
}

static const char *path_of(struct domains *d, json_t *experiment, const char *rest) {
    return arena_printf(d->arena, "/api/v1/experiments/%s%s", text_at(experiment, "id"), rest);
}

static json_t *run_in(struct domains *d, json_t *experiment, const char *name) {
    return send_json(d, 201, &d->editor, "POST",
                     arena_printf(d->arena, "%s/%s/runs", PATH, text_at(experiment, "id")),
                     arena_printf(d->arena, "{\"name\":\"%s\"}", name))
        ->json;
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static void test_experiment__number_0_comes_with_the_project(void **state) {
    struct domains *d = *state;
    struct experiment first;
    struct ctx cx;
    bool found;
    ctx_ours(d, &cx);
    assert_ok(experiment_find(&cx, d->ours.project_id, 0, &first, &found), &cx.err);
    assert_true(found);
    assert_string_equal(first.name, "Default");
    assert_ok(experiment_find(&cx, d->theirs.project_id, 0, &first, &found), &cx.err);
    assert_false(found);
    ctx_done(&cx);
}

static void test_experiment__is_found_by_number_and_by_name(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "to be found", NULL);
    struct experiment one;
    struct ctx cx;
    bool found;
    ctx_ours(d, &cx);
    assert_ok(experiment_find(&cx, d->ours.project_id, int_at(made, "number"), &one, &found),
              &cx.err);
    assert_true(found);
    assert_string_equal(one.id, text_at(made, "id"));
    assert_ok(experiment_find_by_name(&cx, d->ours.project_id, "to be found", &one, &found),
              &cx.err);
    assert_true(found);
    assert_int_equal(one.number, int_at(made, "number"));
    assert_ok(experiment_find_by_name(&cx, d->ours.project_id, "To Be Found", &one, &found),
              &cx.err);
    assert_false(found);
    ctx_done(&cx);
}

struct maker {
    struct domains *d;
    int of, failed;
};

static void *make_twenty(void *arg) {
    struct maker *m = arg;
    for (int i = 0; i < 20; i++) {
        struct ctx cx;
        const char *id, *name;
        ctx_ours(m->d, &cx);
        name = arena_printf(cx.arena, "made at once %d %d", m->of, i);
        const struct experiment_create options = {.project_id = m->d->ours.project_id,
                                                  .name = name};
        m->failed += experiment_create(&cx, &options, &id) != OK || db_commit(&cx) != OK;
        ctx_done(&cx);
    }
    return NULL;
}

static void test_experiment__numbers_made_at_once_are_distinct(void **state) {
    struct domains *d = *state;
    struct maker makers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        makers[i] = (struct maker){d, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, make_twenty, &makers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(makers[i].failed, 0);
    }
    assert_string_equal(test_sql_value(d->db, "select count(distinct (project_id, number))"
                                              " from experiments where name like 'made at once%'"),
                        "80");
}

static void *ensure_one(void *arg) {
    struct maker *m = arg;
    for (int i = 0; i < 20; i++) {
        struct ctx cx;
        const char *id;
        ctx_ours(m->d, &cx);
        m->failed += experiment_ensure(&cx, m->d->ours.project_id,
                                       arena_printf(cx.arena, "wanted by all %d", i), &id) != OK ||
                     db_commit(&cx) != OK;
        ctx_done(&cx);
    }
    return NULL;
}

static void test_experiment__ensured_at_once_is_made_once(void **state) {
    struct domains *d = *state;
    struct maker makers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        makers[i] = (struct maker){d, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ensure_one, &makers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(makers[i].failed, 0);
    }
    assert_string_equal(
        test_sql_value(d->db, "select count(*) from experiments where name like 'wanted by all%'"),
        "20");
}

static void test_experiment__takes_a_name_once_and_keeps_it_while_archived(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "taken", NULL);
    send_json(d, 200, &d->editor, "POST", path_of(d, made, "/archive"), NULL);
    struct test_reply *reply = send_json(d, 409, &d->editor, "POST", PATH, "{\"name\":\"taken\"}");
    assert_string_equal(field_of(reply), "name");
    struct ctx cx;
    const char *id;
    ctx_ours(d, &cx);
    assert_err(ERR_CONFLICT, experiment_ensure(&cx, d->ours.project_id, "taken", &id));
    ctx_done(&cx);
}

static void test_experiment__limits_count_characters(void **state) {
    struct domains *d = *state;
    auto_buf name = {0};
    for (int i = 0; i < 500; i++)
        buf_text(&name, "é");
    experiment_make(d, name.data, NULL);
    struct test_reply *reply = send_json(d, 422, &d->editor, "POST", PATH,
                                         arena_printf(d->arena, "{\"name\":\"x%s\"}", name.data));
    assert_string_equal(field_of(reply), "name");
    static const char *const FOLDERS[] = {"/a", "a/", "a//b", "a\\nb"};
    for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++) {
        const char *body =
            arena_printf(d->arena, "{\"name\":\"in a bad place\",\"folder\":\"%s\"}", FOLDERS[i]);
        assert_string_equal(field_of(send_json(d, 422, &d->editor, "POST", PATH, body)), "folder");
    }
}

static void test_experiment__is_changed_in_each_member(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "to change", NULL);
    const char *path = path_of(d, made, "");
    json_t *now = send_json(d, 200, &d->editor, "PATCH", path,
                            "{\"name\":\"changed\",\"description\":\"# why\",\"folder\":\"a/b\","
                            "\"tags\":{\"team\":\"vision\",\"draft\":\"yes\"}}")
                      ->json;
    assert_string_equal(text_at(now, "name"), "changed");
    assert_string_equal(text_at(now, "description"), "# why");
    assert_string_equal(text_at(now, "folder"), "a/b");
    assert_string_equal(text_at(at(now, "tags"), "team"), "vision");
    now = send_json(d, 200, &d->editor, "PATCH", path,
                    "{\"tags\":{\"team\":\"audio\",\"draft\":null,\"never\":null}}")
              ->json;
    assert_int_equal(json_object_size(at(now, "tags")), 1);
    assert_string_equal(text_at(at(now, "tags"), "team"), "audio");
    assert_string_equal(text_at(now, "name"), "changed");
    assert_true(strcmp(text_at(now, "updated_at"), text_at(made, "updated_at")) > 0);
    send_json(d, 403, &d->viewer, "PATCH", path, "{\"name\":\"x\"}");
    send_json(d, 404, &d->stranger, "PATCH", path, "{\"name\":\"x\"}");
    static const char *const BAD[] = {"{\"tags\":[]}", "{\"tags\":{\"a\":1}}",
                                      "{\"tags\":{\"\":\"x\"}}"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_string_equal(field_of(send_json(d, 422, &d->editor, "PATCH", path, BAD[i])), "tags");
}

static void test_experiment__archived_takes_its_runs_along_and_back(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "season", NULL);
    json_t *kept = run_in(d, made, "kept"), *before = run_in(d, made, "archived before");
    const char *archive = arena_printf(d->arena, "/api/v1/runs/%s/archive", text_at(before, "id"));
    send_json(d, 200, &d->editor, "POST", archive, NULL);
    json_t *now = send_json(d, 200, &d->editor, "POST", path_of(d, made, "/archive"), NULL)->json;
    assert_true(json_is_string(at(now, "archived_at")));
    assert_int_equal(int_at(now, "runs"), 0);

    send_json(d, 409, &d->editor, "PATCH", path_of(d, made, ""), "{\"name\":\"no\"}");
    send_json(d, 409, &d->editor, "PATCH", path_of(d, made, ""), "{\"tags\":{\"a\":\"b\"}}");
    send_json(d, 409, &d->editor, "POST",
              arena_printf(d->arena, "%s/%s/runs", PATH, text_at(made, "id")), "{}");
    send_json(d, 409, &d->editor, "POST",
              arena_printf(d->arena, "/api/v1/runs/%s/restore", text_at(kept, "id")), NULL);

    now = send_json(d, 200, &d->editor, "POST", path_of(d, made, "/restore"), NULL)->json;
    assert_true(json_is_null(at(now, "archived_at")));
    assert_int_equal(int_at(now, "runs"), 1);
    json_t *back = get_ok(d, "/api/v1/runs/%s", text_at(kept, "id"));
    assert_true(json_is_null(at(back, "archived_at")));
    back = get_ok(d, "/api/v1/runs/%s", text_at(before, "id"));
    assert_true(json_is_string(at(back, "archived_at")));
}

static const char *count_runs(struct domains *d, json_t *experiment, const char *where) {
    return test_sql_value(d->db, arena_printf(d->arena,
                                              "select count(*) from runs where experiment_id = '%s'"
                                              " and %s",
                                              text_at(experiment, "id"), where));
}

static void test_experiment__of_many_runs_is_archived_in_pieces(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "a long season", NULL);
    json_t *first = run_in(d, made, "first");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into runs (id, team_id, project_id, experiment_id, name,"
                                 " state, source, created_by) select gen_random_uuid(), team_id,"
                                 " project_id, experiment_id, 'more', state, source, created_by"
                                 " from runs, generate_series(1, 10000) where id = '%s'",
                                 text_at(first, "id")));
    send_json(d, 200, &d->editor, "POST", path_of(d, made, "/archive"), NULL);
    assert_string_equal(count_runs(d, made, "archived_at is null"), "0");

    /* As if it had been cut off after the first piece: repeating it ends it. */
    test_sql(d->db, arena_printf(d->arena,
                                 "update runs set archived_at = null where id in (select id from"
                                 " runs where experiment_id = '%s' limit 6000)",
                                 text_at(made, "id")));
    send_json(d, 200, &d->editor, "POST", path_of(d, made, "/archive"), NULL);
    assert_string_equal(count_runs(d, made, "archived_at is null"), "0");

    json_t *now = send_json(d, 200, &d->editor, "POST", path_of(d, made, "/restore"), NULL)->json;
    assert_int_equal(int_at(now, "runs"), 10001);
    assert_string_equal(count_runs(d, made, "archived_at is not null"), "0");
}

static void test_experiment__is_deleted_only_when_archived(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "to delete", NULL);
    json_t *run = run_in(d, made, "goes too");
    const char *path = path_of(d, made, "");
    send_json(d, 409, &d->editor, "DELETE", path, NULL);
    send_json(d, 200, &d->editor, "POST", path_of(d, made, "/archive"), NULL);
    send_json(d, 403, &d->viewer, "DELETE", path, NULL);
    send_json(d, 404, &d->stranger, "DELETE", path, NULL);
    send_json(d, 204, &d->editor, "DELETE", path, NULL);
    get_fails(d, 404, &d->editor, "%s", path);
    get_fails(d, 404, &d->editor, "/api/v1/runs/%s", text_at(run, "id"));
    assert_string_equal(
        test_sql_value(d->db, arena_printf(d->arena,
                                           "select count(*) from lineage_nodes where ref_id = '%s'",
                                           text_at(run, "id"))),
        "0");
}

static void test_experiment__the_first_one_stays(void **state) {
    struct domains *d = *state;
    json_t *page = get_ok(d, "%s?q=default", PATH);
    json_t *first = item_at(page, json_array_size(at(page, "items")) - 1);
    assert_int_equal(int_at(first, "number"), 0);
    send_json(d, 200, &d->editor, "POST", path_of(d, first, "/archive"), NULL);
    send_json(d, 409, &d->editor, "DELETE", path_of(d, first, ""), NULL);
    send_json(d, 200, &d->editor, "POST", path_of(d, first, "/restore"), NULL);
}

static void test_experiment__with_many_runs_is_deleted_whole(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "large", NULL);
    const char *sql = arena_printf(
        d->arena,
        "insert into runs (id, team_id, project_id, experiment_id, name, state, created_by)"
        " select gen_random_uuid(), '%s', '%s', '%s', 'r' || n, 'running', 'me'"
        " from generate_series(1, 450) n",
        d->ours.team_id, d->ours.project_id, text_at(made, "id"));
    test_sql(d->db, sql);
    send_json(d, 200, &d->editor, "POST", path_of(d, made, "/archive"), NULL);
    send_json(d, 204, &d->editor, "DELETE", path_of(d, made, ""), NULL);
    assert_string_equal(
        test_sql_value(d->db, arena_printf(d->arena,
                                           "select count(*) from runs where experiment_id = '%s'",
                                           text_at(made, "id"))),
        "0");
}

static void test_experiments__are_listed_by_folder_name_and_lifecycle(void **state) {
    struct domains *d = *state;
    experiment_make(d, "listed one", "list");
    experiment_make(d, "listed two", "list/deep");
    json_t *gone = experiment_make(d, "listed three", "list");
    experiment_make(d, "listed four", "listing");
    send_json(d, 200, &d->editor, "POST", path_of(d, gone, "/archive"), NULL);
    json_t *page = get_ok(d, "%s?folder=list", PATH);
    assert_int_equal(json_array_size(at(page, "items")), 2);
    page = get_ok(d, "%s?folder=list&lifecycle=archived", PATH);
    assert_string_equal(text_at(item_at(page, 0), "name"), "listed three");
    page = get_ok(d, "%s?folder=list&lifecycle=all&limit=2", PATH);
    assert_string_equal(text_at(item_at(page, 0), "name"), "listed three");
    page = get_ok(d, "%s?folder=list&lifecycle=all&limit=2&cursor=%s", PATH,
                  text_at(page, "next_cursor"));
    assert_int_equal(json_array_size(at(page, "items")), 1);
    assert_string_equal(text_at(item_at(page, 0), "name"), "listed one");
    page = get_ok(d, "%s?q=LISTED%%20F", PATH);
    assert_int_equal(json_array_size(at(page, "items")), 1);
}

static void test_folder__moves_with_all_below_it(void **state) {
    struct domains *d = *state;
    static const char MOVE[] = "/api/v1/projects/ours/experiment-folders/move";
    experiment_make(d, "moving one", "vision");
    experiment_make(d, "moving two", "vision/ablation");
    json_t *other = experiment_make(d, "not moving", "vision2");
    json_t *moved =
        send_json(d, 200, &d->editor, "POST", MOVE, "{\"from\":\"vision\",\"to\":\"old/vision\"}")
            ->json;
    assert_int_equal(int_at(moved, "moved"), 2);
    json_t *page = get_ok(d, "%s?folder=old/vision/ablation", PATH);
    assert_string_equal(text_at(item_at(page, 0), "name"), "moving two");
    assert_string_equal(text_at(get_ok(d, "%s", path_of(d, other, "")), "folder"), "vision2");
    send_json(d, 404, &d->editor, "POST", MOVE, "{\"from\":\"vision\",\"to\":\"x\"}");
    send_json(d, 403, &d->viewer, "POST", MOVE, "{\"from\":\"old\",\"to\":\"x\"}");
    send_json(d, 404, &d->stranger, "POST", MOVE, "{\"from\":\"old\",\"to\":\"x\"}");

    json_t *folders = get_ok(d, "/api/v1/projects/ours/experiment-folders");
    int64_t of_ablation = 0;
    for (size_t i = 0; i < json_array_size(at(folders, "items")); i++)
        if (strcmp(text_at(item_at(folders, i), "folder"), "old/vision/ablation") == 0)
            of_ablation = int_at(item_at(folders, i), "experiments");
    assert_int_equal(of_ablation, 1);
    send_json(d, 200, &d->editor, "POST", MOVE, "{\"from\":\"old\",\"to\":\"\"}");
    page = get_ok(d, "%s?folder=vision/ablation", PATH);
    assert_string_equal(text_at(item_at(page, 0), "name"), "moving two");
}

static void test_experiment__of_another_team_does_not_exist(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "ours alone", NULL);
    get_fails(d, 404, &d->stranger, "%s", path_of(d, made, ""));
    get_fails(d, 404, &d->editor, "/api/v1/experiments/none");
    send_json(d, 404, &d->stranger, "POST", path_of(d, made, "/archive"), NULL);
    send_json(d, 404, &d->stranger, "POST", path_of(d, made, "/restore"), NULL);
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/experiment-folders");
    send_json(d, 404, &d->stranger, "POST", PATH, "{\"name\":\"x\"}");
}

static void test_experiment__of_a_hidden_project_does_not_exist(void **state) {
    struct domains *d = *state;
    json_t *made = experiment_make(d, "hidden", NULL);
    send_json(d, 200, &d->editor, "PATCH", path_of(d, made, ""), "{\"tags\":{\"a\":\"b\"}}");
    const char *sql = arena_printf(d->arena,
                                   "insert into project_roles (team_id, project_id, user_id, role)"
                                   " values ('%s', '%s', '%s', 'none')",
                                   d->ours.team_id, d->ours.project_id, d->viewer.user_id);
    test_sql(d->db, sql);
    struct principal hidden = d->viewer;
    hidden.by_project = true;
    get_fails(d, 404, &hidden, "%s", path_of(d, made, ""));
    get_fails(d, 404, &hidden, "%s", PATH);
    test_sql(d->db, "delete from project_roles");
    get_fails(d, 404, &d->stranger, "%s", path_of(d, made, ""));
    assert_wall(d, "experiment_tags");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_experiment__number_0_comes_with_the_project),
        cmocka_unit_test(test_experiment__is_found_by_number_and_by_name),
        cmocka_unit_test(test_experiment__numbers_made_at_once_are_distinct),
        cmocka_unit_test(test_experiment__ensured_at_once_is_made_once),
        cmocka_unit_test(test_experiment__takes_a_name_once_and_keeps_it_while_archived),
        cmocka_unit_test(test_experiment__limits_count_characters),
        cmocka_unit_test(test_experiment__is_changed_in_each_member),
        cmocka_unit_test(test_experiment__archived_takes_its_runs_along_and_back),
        cmocka_unit_test(test_experiment__of_many_runs_is_archived_in_pieces),
        cmocka_unit_test(test_experiment__is_deleted_only_when_archived),
        cmocka_unit_test(test_experiment__the_first_one_stays),
        cmocka_unit_test(test_experiment__with_many_runs_is_deleted_whole),
        cmocka_unit_test(test_experiments__are_listed_by_folder_name_and_lifecycle),
        cmocka_unit_test(test_folder__moves_with_all_below_it),
        cmocka_unit_test(test_experiment__of_another_team_does_not_exist),
        cmocka_unit_test(test_experiment__of_a_hidden_project_does_not_exist),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
