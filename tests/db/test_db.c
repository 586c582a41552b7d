/* Transactions, the row-level wall, decoding, the pool and its failures, against a real PostgreSQL.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "tests/support/database.h"

#include <pthread.h>
#include <string.h>

#define STATEMENT(symbol, kind, params, text)                                                      \
    static const struct db_stmt symbol = {#symbol, text, kind, params}

STATEMENT(list_projects, DB_MANY, 0, "select id, slug, name from projects order by slug");
STATEMENT(find_project, DB_OPT, 1, "select id, slug, name from projects where slug = $1");
STATEMENT(get_project, DB_ONE, 1, "select id, slug, name from projects where slug = $1");
STATEMENT(add_project, DB_EXEC, 3,
          "insert into projects (id, team_id, slug, name)"
          " values (gen_random_uuid(), $1::uuid, $2, $3)");
STATEMENT(rename_projects, DB_EXEC, 1, "update projects set name = $1");
STATEMENT(backend_pid, DB_ONE, 0, "select pg_backend_pid()");
STATEMENT(wall, DB_ONE, 0,
          "select current_setting('app.team', true) || '/' || current_setting('app.system', true)");
STATEMENT(sleep_long, DB_ONE, 0, "select pg_sleep(60)");
STATEMENT(short_timeout, DB_ONE, 0, "select set_config('statement_timeout', '100ms', true)");
STATEMENT(syntax_error, DB_ONE, 0, "selekt 1");
STATEMENT(count_kept, DB_ONE, 0,
          "select count(*) from pg_prepared_statements"
          " where name like 'kept/%' and statement like '%$1::text as name where $2%'");
STATEMENT(set_name, DB_ONE, 1, "select set_config('application_name', $1, true)");
STATEMENT(division, DB_ONE, 1, "select 1 / $1::int");
STATEMENT(echo_types, DB_ONE, 7,
          "select $1::bigint as n, $2::float8 as x, $3::boolean as yes, $4::timestamptz as at,"
          " $5::jsonb as extra, $6::text[] as tags, $7::text as text");
STATEMENT(sum_arrays, DB_ONE, 2,
          "select (select sum(v) from unnest($1::bigint[]) v)"
          " + (select sum(v) from unnest($2::float8[]) v)");

struct row {
    const char *id, *slug, *name;
};
static const struct field ROW_FIELDS[] = {
    FIELD(UUID, struct row, id),
    FIELD(STRING, struct row, slug),
    FIELD(STRING, struct row, name, .max = 3),
};
static SHAPE(ROW, "Row", struct row, ROW_FIELDS);

static struct test_team ada, bob;

static int setup(void **state) {
    test_db_setup(state);
    test_team_create(*state, "ada", &ada);
    test_team_create(*state, "bob", &bob);
    return 0;
}

#define AUTO_CTX __attribute__((cleanup(ctx_done))) struct ctx

static const char *value_of(struct ctx *cx, const struct db_stmt *st) {
    const char *value = NULL;
    assert_ok(db_value(cx, st, NO_ARGS, &value), &cx->err);
    return value;
}

static size_t count_rows(struct ctx *cx) {
    struct list rows;
    assert_ok(db_many(cx, &list_projects, NO_ARGS, &ROW, &rows), &cx->err);
    return rows.count;
}

/* --- the wall ------------------------------------------------------------------------------------
 */

static void test_wall__shows_a_team_its_own_rows_only(void **state) {
    AUTO_CTX cx;
    struct row row;
    bool found = true;
    test_ctx_user(&cx, *state, &ada, ROLE_VIEWER);
    assert_int_equal(1, count_rows(&cx));
    assert_ok(db_one(&cx, &get_project, ARGS("ada"), &ROW, &row), &cx.err);
    assert_string_equal(ada.project_id, row.id);
    assert_err(ERR_NOT_FOUND, db_one(&cx, &get_project, ARGS("bob"), &ROW, &row));
    assert_ok(db_opt(&cx, &find_project, ARGS("bob"), &ROW, &row, &found), &cx.err);
    assert_false(found);
}

static void test_wall__nobody_sees_nothing_and_the_system_everything(void **state) {
    struct test_db *db = *state;
    AUTO_CTX nobody, system;
    ctx_init(&nobody, &db->app);
    assert_int_equal(0, count_rows(&nobody));
    test_ctx_system(&system, db);
    assert_true(count_rows(&system) >= 2);
}

static void test_wall__refuses_writes_into_another_team(void **state) {
    AUTO_CTX cx;
    int64_t changed = -1;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    assert_ok(db_exec(&cx, &rename_projects, ARGS("mine"), &changed), &cx.err);
    assert_int_equal(1, changed);
    assert_err(ERR_INTERNAL, db_exec(&cx, &add_project, ARGS(bob.team_id, "theft", "x"), NULL));
    assert_non_null(strstr(cx.err.detail, "42501"));
    db_rollback(&cx);
}

static void test_wall__follows_the_principal_within_a_transaction(void **state) {
    AUTO_CTX cx;
    test_ctx_system(&cx, *state);
    assert_true(count_rows(&cx) >= 2);
    cx.who.kind = PRINCIPAL_USER; /* as signing in does */
    snprintf(cx.who.team_id, sizeof(cx.who.team_id), "%s", bob.team_id);
    assert_int_equal(1, count_rows(&cx));
    cx.who.team_id[0] = '\0';
    assert_int_equal(0, count_rows(&cx));
}

static void test_wall__a_worker_narrows_itself_to_a_team(void **state) {
    AUTO_CTX cx;
    test_ctx_system(&cx, *state);
    cx.who.kind = PRINCIPAL_WORKER;
    assert_ok(db_act_as_team(&cx, ada.team_id), &cx.err);
    assert_int_equal(1, count_rows(&cx));
    assert_ok(db_commit(&cx), &cx.err);
    assert_int_equal(1, count_rows(&cx)); /* still narrowed in the next transaction */
    assert_ok(db_act_as_team(&cx, NULL), &cx.err);
    assert_true(count_rows(&cx) >= 2);
    assert_err(ERR_INTERNAL, db_act_as_team(&cx, "not a uuid"));
}

static void test_wall__does_not_leak_through_a_pooled_connection(void **state) {
    struct test_db *db = *state;
    char pid[32];
    AUTO_CTX first, second;
    test_ctx_system(&first, db);
    snprintf(pid, sizeof(pid), "%s", value_of(&first, &backend_pid));
    assert_ok(db_commit(&first), &first.err);
    ctx_init(&second, &db->app);
    assert_string_equal(pid, value_of(&second, &backend_pid)); /* the same connection */
    assert_string_equal("/off", value_of(&second, &wall));
    assert_int_equal(0, count_rows(&second));
}

/* --- transactions --------------------------------------------------------------------------------
 */

static void add(struct ctx *cx, const char *slug) {
    assert_ok(db_exec(cx, &add_project, ARGS(cx->who.team_id, slug, slug), NULL), &cx->err);
}

static bool exists(struct test_db *db, const char *slug) {
    char sql[128];
    snprintf(sql, sizeof(sql), "select count(*) from projects where slug = '%s'", slug);
    return strcmp(test_sql_value(db, sql), "0") != 0;
}

static void test_tx__commit_keeps_and_rollback_undoes(void **state) {
    AUTO_CTX cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    add(&cx, "kept");
    assert_false(exists(*state, "kept"));
    assert_ok(db_commit(&cx), &cx.err);
    assert_true(exists(*state, "kept"));
    add(&cx, "undone");
    db_rollback(&cx);
    assert_false(exists(*state, "undone"));
    assert_ok(db_commit(&cx), &cx.err); /* nothing open: fine */
}

static void test_tx__ends_with_its_ctx(void **state) {
    struct ctx cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    add(&cx, "dropped");
    ctx_done(&cx);
    assert_false(exists(*state, "dropped"));
}

static void test_tx__a_failed_statement_cannot_be_overlooked(void **state) {
    AUTO_CTX cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    add(&cx, "half");
    const char *value;
    assert_err(ERR_INVALID, db_value(&cx, &division, ARGS("0"), &value));
    assert_err(ERR_INTERNAL, db_value(&cx, &division, ARGS("1"), &value));
    assert_err(ERR_INTERNAL, db_commit(&cx));
    assert_false(exists(*state, "half"));
    assert_string_equal("1", value_of(&cx, &(struct db_stmt){"one", "select 1", DB_ONE, 0}));
}

struct nested {
    const char *slug;
    enum err outcome;
};

static enum err add_then(struct ctx *cx, void *arg) {
    struct nested *n = arg;
    TRY(db_exec(cx, &add_project, ARGS(cx->who.team_id, n->slug, n->slug), NULL));
    return n->outcome == OK ? OK : fail(cx, n->outcome, "as asked");
}

static enum err add_twice(struct ctx *cx, void *arg) {
    TRY(add_then(cx, &(struct nested){arg, OK}));
    return add_then(cx, &(struct nested){arg, OK});
}

static void test_savepoint__undoes_its_own_work_only(void **state) {
    AUTO_CTX cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    add(&cx, "outer");
    assert_ok(db_savepoint(&cx, add_then, &(struct nested){"inner-kept", OK}), &cx.err);
    assert_err(ERR_FORBIDDEN,
               db_savepoint(&cx, add_then, &(struct nested){"inner-undone", ERR_FORBIDDEN}));
    assert_string_equal("as asked", cx.err.message);
    assert_err(ERR_CONFLICT, db_savepoint(&cx, add_twice, "twice")); /* the database refused it */
    add(&cx, "after");
    assert_ok(db_commit(&cx), &cx.err);
    assert_true(exists(*state, "outer") && exists(*state, "inner-kept") && exists(*state, "after"));
    assert_false(exists(*state, "inner-undone") || exists(*state, "twice"));
}

static enum err move_then_fail(struct ctx *cx, void *arg) {
    TRY(db_act_as_team(cx, arg));
    TRY(db_exec(cx, &add_project, ARGS(cx->who.team_id, "moved", "moved"), NULL));
    return fail(cx, ERR_CONFLICT, "as asked");
}

static void test_savepoint__restores_the_wall_when_it_fails(void **state) {
    AUTO_CTX cx;
    test_ctx_system(&cx, *state);
    assert_ok(db_act_as_team(&cx, ada.team_id), &cx.err);
    size_t before = count_rows(&cx);
    assert_err(ERR_CONFLICT, db_savepoint(&cx, move_then_fail, bob.team_id));
    assert_string_equal(ada.team_id, cx.who.team_id);
    assert_int_equal(before, count_rows(&cx));
    assert_non_null(strstr(value_of(&cx, &wall), ada.team_id));
}

/* --- errors --------------------------------------------------------------------------------------
 */

static void test_errors__are_sorted_by_sqlstate(void **state) {
    static const struct {
        const char *state;
        enum err code;
        int retry_after_s;
    } cases[] = {
        {"23505", ERR_CONFLICT, 0},    {"23503", ERR_CONFLICT, 0},    {"23514", ERR_INVALID, 0},
        {"22P02", ERR_INVALID, 0},     {"40001", ERR_UNAVAILABLE, 1}, {"40P01", ERR_UNAVAILABLE, 1},
        {"55P03", ERR_UNAVAILABLE, 1}, {"57014", ERR_TIMEOUT, 0},     {"53300", ERR_UNAVAILABLE, 5},
        {"57P03", ERR_UNAVAILABLE, 2}, {"08006", ERR_UNAVAILABLE, 2}, {"42501", ERR_INTERNAL, 0},
        {"XX000", ERR_INTERNAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_CTX cx;
        char sql[160];
        struct list rows;
        ctx_init(&cx, &((struct test_db *)*state)->app);
        snprintf(sql, sizeof(sql), "do $$ begin raise 'secret' using errcode = '%s'; end $$",
                 cases[i].state);
        assert_err(cases[i].code, db_many_dynamic(&cx, sql, NO_ARGS, 0, &ROW, &rows));
        assert_int_equal(cases[i].retry_after_s, cx.err.retry_after_s);
        assert_null(strstr(cx.err.message, "secret"));
        assert_non_null(strstr(cx.err.detail, cases[i].state));
    }
}

static void test_errors__constraints_choose_the_sentence(void **state) {
    static const struct db_constraint table[] = {
        {"projects_slug_unique", ERR_CONFLICT, "slug", "a project of this name exists"},
        {"projects_slug_form", ERR_UNPROCESSABLE, "slug", "a slug has small letters only"},
    };
    db_register_constraints(table, 2);
    db_register_constraints(table, 2);
    AUTO_CTX cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    assert_err(ERR_CONFLICT, db_exec(&cx, &add_project, ARGS(ada.team_id, "ada", "x"), NULL));
    assert_string_equal("slug", cx.err.field);
    assert_string_equal("a project of this name exists", cx.err.message);
    db_rollback(&cx);
    assert_err(ERR_UNPROCESSABLE, db_exec(&cx, &add_project, ARGS(ada.team_id, "ÄÖ", "x"), NULL));
    db_rollback(&cx);
    assert_err(ERR_INVALID, db_exec(&cx, &add_project, ARGS(ada.team_id, "ok", ""), NULL));
}

static void test_errors__a_slow_statement_times_out(void **state) {
    AUTO_CTX cx;
    const char *value;
    test_ctx_system(&cx, *state);
    value_of(&cx, &short_timeout);
    assert_err(ERR_TIMEOUT, db_value(&cx, &sleep_long, NO_ARGS, &value));
}

static void test_errors__a_statement_that_cannot_be_prepared_is_internal(void **state) {
    AUTO_CTX cx;
    const char *value;
    test_ctx_system(&cx, *state);
    assert_err(ERR_INTERNAL, db_value(&cx, &syntax_error, NO_ARGS, &value));
    db_rollback(&cx);
    assert_err(ERR_INTERNAL, db_value(&cx, &syntax_error, NO_ARGS, &value));
}

/* --- values --------------------------------------------------------------------------------------
 */

struct types {
    int64_t n, at;
    double x;
    bool yes;
    json_t *extra;
    struct list tags;
    const char *text;
};
static const struct field TYPES_FIELDS[] = {
    FIELD(INT, struct types, n, .flags = FIELD_NULLABLE),
    FIELD(REAL, struct types, x, .flags = FIELD_NULLABLE),
    FIELD(BOOL, struct types, yes),
    FIELD(TIME, struct types, at),
    FIELD(JSON, struct types, extra),
    FIELD(STRINGS, struct types, tags),
    FIELD(STRING, struct types, text),
};
static SHAPE(TYPES, "Types", struct types, TYPES_FIELDS);

static void test_values__travel_unchanged(void **state) {
    AUTO_CTX cx;
    struct types t;
    const char *tags[] = {"plain", "with \"quotes\", {braces} and \\", "", "简体"};
    auto_json *extra = json_pack("{s:[i,n]}", "a", 1);
    test_ctx_system(&cx, *state);
    assert_ok(db_one(&cx, &echo_types,
                     ARGS(db_int(&cx, INT64_MAX), db_real(&cx, 0.1), db_bool(true),
                          db_time(&cx, INT64_C(1795252703000001)), db_json(&cx, extra),
                          db_text_array(&cx, tags, 4), "'; drop table projects --"),
                     &TYPES, &t),
              &cx.err);
    assert_true(t.n == INT64_MAX && t.x == 0.1 && t.yes);
    assert_true(t.at == INT64_C(1795252703000001));
    assert_true(json_equal(extra, t.extra));
    assert_int_equal(4, t.tags.count);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(tags[i], ((const char **)t.tags.items)[i]);
    assert_string_equal("'; drop table projects --", t.text);
}

static void test_values__null_and_non_finite(void **state) {
    AUTO_CTX cx;
    struct types t;
    test_ctx_system(&cx, *state);
    assert_ok(db_one(&cx, &echo_types,
                     ARGS(db_int(&cx, FIELD_NO_INT), db_real(&cx, -1.0 / 0.0), db_bool(false),
                          db_time(&cx, 0), db_json(&cx, NULL), db_text_array(&cx, NULL, 0), NULL),
                     &TYPES, &t),
              &cx.err);
    assert_true(t.n == FIELD_NO_INT && t.x < -1e308 && !t.yes && t.at == 0);
    assert_null(t.extra);
    assert_null(t.text);
    assert_int_equal(0, t.tags.count);
    const int64_t whole[] = {1, -2, 3};
    const double real[] = {0.5, 1e-300};
    const char *sum;
    assert_ok(db_value(&cx, &sum_arrays,
                       ARGS(db_int_array(&cx, whole, 3), db_real_array(&cx, real, 2)), &sum),
              &cx.err);
    assert_string_equal("2.5", sum);
}

/* A text that comes again is prepared, once; its values stay its own. */
/* A text that comes again is prepared, once; its values stay its own. */
static void test_dynamic__texts_that_come_again_are_kept(void **state) {
    static const char TEXT[] = "select null as id, 's' as slug, $1::text as name where $2::bool";
    AUTO_CTX cx;
    struct list rows;
    test_ctx_system(&cx, *state);
    for (int i = 0; i < 5; i++) {
        const char *name = arena_printf(cx.arena, "n%d", i);
        assert_ok(db_many_dynamic(&cx, TEXT, ARGS(name, db_bool(i != 1)), 2, &ROW, &rows), &cx.err);
        assert_int_equal(rows.count, i != 1);
        if (rows.count)
            assert_string_equal(((struct row *)rows.items)->name, name);
    }
    assert_string_equal("1", value_of(&cx, &count_kept));
}

static void test_dynamic__a_setting_goes_before_the_text(void **state) {
    AUTO_CTX cx;
    struct list rows;
    test_ctx_system(&cx, *state);
    for (int i = 0; i < 2; i++) {
        assert_ok(db_many_dynamic_after(&cx, &set_name, ARGS("before"),
                                        "select current_setting('application_name') as slug",
                                        NO_ARGS, 0, &ROW, &rows),
                  &cx.err);
        assert_string_equal(((struct row *)rows.items)->slug, "before");
    }
}

static void test_values__a_column_without_a_field_is_refused(void **state) {
    AUTO_CTX cx;
    struct list rows;
    test_ctx_system(&cx, *state);
    assert_err(ERR_INTERNAL, db_many_dynamic(&cx, "select 1 as unknown", NO_ARGS, 0, &ROW, &rows));
    assert_non_null(strstr(cx.err.detail, "column unknown has no field in Row"));
    assert_err(ERR_INTERNAL, db_many_dynamic(&cx, "select 7 as id", NO_ARGS, 0, &ROW, &rows));
    assert_non_null(strstr(cx.err.detail, "column id"));
    count_rows(&cx); /* the transaction itself is well */
}

/* --- the pool ------------------------------------------------------------------------------------
 */

static void test_pool__refuses_after_its_wait_when_all_are_lent(void **state) {
    struct test_db *db = *state;
    struct app app = db->app;
    struct err_info err;
    struct db_pool_options options = {.url = db->app_url, .size = 2, .wait_ms = 50};
    assert_ok(db_pool_new(&options, &app.db, &err), &err);
    struct ctx holders[2], late;
    for (int i = 0; i < 2; i++) {
        ctx_init(&holders[i], &app);
        value_of(&holders[i], &backend_pid);
    }
    ctx_init(&late, &app);
    const char *value;
    int64_t start = clock_mono_us();
    assert_err(ERR_UNAVAILABLE, db_value(&late, &backend_pid, NO_ARGS, &value));
    assert_int_equal(1, late.err.retry_after_s);
    assert_true(clock_mono_us() - start >= 50000);
    assert_false(db_pool_is_alive(app.db, 10));
    ctx_done(&holders[0]);
    value_of(&late, &backend_pid); /* the request may go on once there is room */
    ctx_done(&late);
    ctx_done(&holders[1]);
    assert_true(db_pool_is_alive(app.db, 1000));
    db_pool_free(app.db);
}

struct turns {
    struct test_db *db;
    const struct test_team *team;
    int wrong;
};

static void *take_turns(void *arg) {
    struct turns *t = arg;
    for (int i = 0; i < 100; i++) {
        AUTO_CTX cx;
        struct row row = {0};
        test_ctx_user(&cx, t->db, t->team, ROLE_VIEWER);
        enum err err = db_one(&cx, &get_project, ARGS(t->team->slug), &ROW, &row);
        t->wrong += err != OK || strcmp(row.id, t->team->project_id) != 0 || db_commit(&cx) != OK;
    }
    return NULL;
}

static void test_pool__serves_teams_in_turns_without_mixing_them(void **state) {
    struct turns turns[12];
    pthread_t threads[12]; /* more than the pool's 8 connections */
    for (int i = 0; i < 12; i++) {
        turns[i] = (struct turns){*state, i % 2 ? &ada : &bob, 0};
        assert_int_equal(0, pthread_create(&threads[i], NULL, take_turns, &turns[i]));
    }
    for (int i = 0; i < 12; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(0, turns[i].wrong);
    }
}

static void terminate_backends(struct test_db *db) {
    test_sql(db, "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                 " where datname = current_database() and usename = 'slipway_app'");
}

static void test_pool__replaces_connections_that_died_while_idle(void **state) {
    for (int i = 0; i < 3; i++) {
        AUTO_CTX cx;
        test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
        count_rows(&cx);
        assert_ok(db_commit(&cx), &cx.err);
        terminate_backends(*state);
    }
    assert_true(db_pool_is_alive(((struct test_db *)*state)->app.db, 1000));
}

static void test_pool__a_connection_lost_in_a_transaction_loses_all_of_it(void **state) {
    AUTO_CTX cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    add(&cx, "lost");
    terminate_backends(*state);
    assert_err(ERR_UNAVAILABLE, db_exec(&cx, &rename_projects, ARGS("x"), NULL));
    assert_err(ERR_INTERNAL, db_exec(&cx, &rename_projects, ARGS("x"), NULL));
    assert_err(ERR_INTERNAL, db_commit(&cx));
    assert_false(exists(*state, "lost"));
    count_rows(&cx);
}

static void test_pool__a_lost_commit_says_that_the_outcome_is_unknown(void **state) {
    AUTO_CTX cx;
    test_ctx_user(&cx, *state, &ada, ROLE_OWNER);
    add(&cx, "unknown");
    terminate_backends(*state);
    assert_err(ERR_UNAVAILABLE, db_commit(&cx));
    assert_non_null(strstr(cx.err.message, "outcome is unknown"));
    add(&cx, "known"); /* a new transaction on a new connection */
    assert_ok(db_commit(&cx), &cx.err);
}

static void test_pool__refuses_a_role_that_bypasses_the_wall(void **state) {
    struct test_db *db = *state;
    char url[256];
    struct err_info err;
    struct db_pool *pool = NULL;
    test_url("postgres", db->name, url, sizeof(url));
    assert_err(ERR_INVALID, db_pool_new(&(struct db_pool_options){url, 1, 10}, &pool, &err));
    assert_non_null(strstr(err.message, "bypasses row-level security"));
    test_url("slipway_app", "no_such_database", url, sizeof(url));
    assert_err(ERR_UNAVAILABLE, db_pool_new(&(struct db_pool_options){url, 1, 10}, &pool, &err));
    assert_null(pool);
}

static void test_pool__the_app_role_owns_nothing_and_cannot_change_the_schema(void **state) {
    struct test_db *db = *state;
    assert_string_equal("0", test_sql_value(db, "select count(*) from pg_class"
                                                " where relowner = 'slipway_app'::regrole"));
    AUTO_CTX cx;
    struct list rows;
    test_ctx_system(&cx, db);
    assert_err(ERR_INTERNAL,
               db_many_dynamic(&cx, "create table t (a int)", NO_ARGS, 0, &ROW, &rows));
    db_rollback(&cx);
    assert_err(ERR_INTERNAL, db_many_dynamic(&cx, "alter table projects disable row level security",
                                             NO_ARGS, 0, &ROW, &rows));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wall__shows_a_team_its_own_rows_only),
        cmocka_unit_test(test_wall__nobody_sees_nothing_and_the_system_everything),
        cmocka_unit_test(test_wall__refuses_writes_into_another_team),
        cmocka_unit_test(test_wall__follows_the_principal_within_a_transaction),
        cmocka_unit_test(test_wall__a_worker_narrows_itself_to_a_team),
        cmocka_unit_test(test_wall__does_not_leak_through_a_pooled_connection),
        cmocka_unit_test(test_tx__commit_keeps_and_rollback_undoes),
        cmocka_unit_test(test_tx__ends_with_its_ctx),
        cmocka_unit_test(test_tx__a_failed_statement_cannot_be_overlooked),
        cmocka_unit_test(test_savepoint__undoes_its_own_work_only),
        cmocka_unit_test(test_savepoint__restores_the_wall_when_it_fails),
        cmocka_unit_test(test_errors__are_sorted_by_sqlstate),
        cmocka_unit_test(test_errors__constraints_choose_the_sentence),
        cmocka_unit_test(test_errors__a_slow_statement_times_out),
        cmocka_unit_test(test_errors__a_statement_that_cannot_be_prepared_is_internal),
        cmocka_unit_test(test_values__travel_unchanged),
        cmocka_unit_test(test_values__null_and_non_finite),
        cmocka_unit_test(test_dynamic__texts_that_come_again_are_kept),
        cmocka_unit_test(test_dynamic__a_setting_goes_before_the_text),
        cmocka_unit_test(test_values__a_column_without_a_field_is_refused),
        cmocka_unit_test(test_pool__refuses_after_its_wait_when_all_are_lent),
        cmocka_unit_test(test_pool__serves_teams_in_turns_without_mixing_them),
        cmocka_unit_test(test_pool__replaces_connections_that_died_while_idle),
        cmocka_unit_test(test_pool__a_connection_lost_in_a_transaction_loses_all_of_it),
        cmocka_unit_test(test_pool__a_lost_commit_says_that_the_outcome_is_unknown),
        cmocka_unit_test(test_pool__refuses_a_role_that_bypasses_the_wall),
        cmocka_unit_test(test_pool__the_app_role_owns_nothing_and_cannot_change_the_schema),
    };
    return cmocka_run_group_tests(tests, setup, test_db_teardown);
}
