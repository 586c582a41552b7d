/* Migrations: order, repetition, edits, failures, two runners at once; and the walls of the schema
 * that the embedded ones leave behind. */

#include "base/cleanup.h"
#include "tests/support/database.h"

#include <pthread.h>
#include <string.h>

static const struct db_migration ONE = {1, "0001_one", "create table one (a int);"};
static const struct db_migration TWO = {2, "0002_two",
                                        "insert into one values (1); create table two (a int)"};
static const struct db_migration EDITED = {1, "0001_one", "create table one (a bigint);"};
static const struct db_migration BROKEN = {3, "0003_broken",
                                           "create table three (a int);\n\nselekt;"};

/* An empty database beside the group's own. */
struct place {
    struct test_db *db;
    char url[256];
};

static int place_setup(void **state) {
    struct place *p = calloc(1, sizeof(*p));
    p->db = test_db_new();
    test_sql(p->db, "drop schema public cascade; create schema public authorization slipway_owner;"
                    "grant usage on schema public to slipway_app");
    memcpy(p->url, p->db->owner_url, sizeof(p->url));
    *state = p;
    return 0;
}

static int place_teardown(void **state) {
    struct place *p = *state;
    test_db_free(p->db);
    free(p);
    return 0;
}

static enum err migrate(struct place *p, const struct db_migration *list, size_t count,
                        int *ret_applied, struct err_info *err) {
    *err = (struct err_info){0};
    return db_migrate_list(p->url, list, count, ret_applied, err);
}

static void test_migrate__applies_each_once_in_order(void **state) {
    struct place *p = *state;
    struct err_info err;
    int applied;
    assert_ok(migrate(p, &ONE, 1, &applied, &err), &err);
    assert_int_equal(1, applied);
    const struct db_migration both[] = {ONE, TWO};
    assert_ok(migrate(p, both, 2, &applied, &err), &err);
    assert_int_equal(1, applied);
    assert_ok(migrate(p, both, 2, &applied, &err), &err);
    assert_int_equal(0, applied);
    assert_string_equal("1", test_sql_value(p->db, "select count(*) from one"));
    assert_ok(migrate(p, &ONE, 1, &applied, &err), &err); /* the release before: fine */
}

static void test_migrate__refuses_an_edited_and_a_late_one(void **state) {
    struct place *p = *state;
    struct err_info err;
    int applied;
    assert_ok(migrate(p, &ONE, 1, &applied, &err), &err);
    assert_err(ERR_CONFLICT, migrate(p, &EDITED, 1, &applied, &err));
    assert_non_null(strstr(err.message, "0001_one was edited"));
    const struct db_migration early = {0, "0000_early", "select 1"};
    assert_err(ERR_CONFLICT, migrate(p, &early, 1, &applied, &err));
}

static void test_migrate__a_failing_one_changes_nothing_and_names_its_line(void **state) {
    struct place *p = *state;
    struct err_info err;
    int applied;
    const struct db_migration list[] = {ONE, BROKEN};
    assert_true(migrate(p, list, 2, &applied, &err) != OK);
    assert_non_null(strstr(err.message, "0003_broken, line 3"));
    assert_string_equal("1", test_sql_value(p->db, "select count(*) from schema_migrations"));
    assert_string_equal("", test_sql_value(p->db, "select to_regclass('three')"));
}

static void *migrate_beside(void *arg) {
    const struct db_migration both[] = {ONE, TWO};
    struct err_info err;
    int applied;
    return migrate(arg, both, 2, &applied, &err) == OK ? arg : NULL;
}

static void test_migrate__two_at_once_take_turns(void **state) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, migrate_beside, *state));
    for (int i = 0; i < 4; i++) {
        void *done = NULL;
        pthread_join(threads[i], &done);
        assert_ptr_equal(*state, done);
    }
    assert_string_equal("1",
                        test_sql_value(((struct place *)*state)->db, "select count(*) from one"));
}

static void test_require_schema__refuses_an_older_one(void **state) {
    struct place *p = *state;
    struct err_info err;
    int applied;
    assert_err(ERR_UNAVAILABLE, db_require_schema(p->db->app.db, &err));
    assert_ok(migrate(p, &ONE, 1, &applied, &err), &err);
    assert_err(ERR_UNAVAILABLE, db_require_schema(p->db->app.db, &err));
    assert_non_null(strstr(err.message, "run slipwayd migrate"));
}

/* --- what the embedded migrations leave ----------------------------------------------------------
 */

static int whole_setup(void **state) {
    return test_db_setup(state);
}

static void assert_none(struct test_db *db, const char *rule, const char *sql) {
    char text[2000];
    snprintf(text, sizeof(text), "select coalesce(string_agg(x::text, ', '), '') from (%s) t(x)",
             sql);
    const char *found = test_sql_value(db, text);
    if (*found)
        fail_msg("%s: %s", rule, found);
}

static void test_schema__is_current_and_migrates_to_itself(void **state) {
    struct test_db *db = *state;
    struct err_info err;
    int applied = -1;
    assert_ok(db_require_schema(db->app.db, &err), &err);
    assert_ok(db_migrate(db->owner_url, &applied, &err), &err);
    assert_int_equal(0, applied);
}

static void test_schema__every_team_table_is_behind_the_wall(void **state) {
    assert_none(*state, "tables with a team_id and without forced row-level security",
                "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
                " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"
                " and a.attname = 'team_id' and not a.attisdropped"
                " and not (c.relrowsecurity and c.relforcerowsecurity)");
}

static void test_schema__every_foreign_key_is_indexed_and_says_what_a_delete_does(void **state) {
    /* The key's columns, in any order, must be the first columns of some index. One that leaves
     * out only the rows whose last column is null, which refer to nothing, is good too. */
    assert_none(
        *state, "foreign keys without an index",
        "select k.conname from pg_constraint k where k.contype = 'f'"
        " and k.connamespace = 'public'::regnamespace and not exists (select from pg_index i"
        " where i.indrelid = k.conrelid and (i.indpred is null or"
        " pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', (select attname from"
        " pg_attribute where attrelid = k.conrelid and attnum = k.conkey[cardinality(k.conkey)])))"
        " and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)");
}

static void test_schema__times_carry_their_zone(void **state) {
    assert_none(*state, "columns of type timestamp",
                "select table_name || '.' || column_name from information_schema.columns"
                " where table_schema = 'public' and data_type = 'timestamp without time zone'");
}

static void test_schema__constraints_are_named_after_their_table(void **state) {
    assert_none(
        *state, "constraints that do not begin with their table's name",
        "select k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid"
        " where k.connamespace = 'public'::regnamespace and c.relname <> 'schema_migrations'"
        " and not starts_with(k.conname, c.relname || '_')");
}

int main(void) {
    const struct CMUnitTest own[] = {
        cmocka_unit_test_setup_teardown(test_migrate__applies_each_once_in_order, place_setup,
                                        place_teardown),
        cmocka_unit_test_setup_teardown(test_migrate__refuses_an_edited_and_a_late_one, place_setup,
                                        place_teardown),
        cmocka_unit_test_setup_teardown(
            test_migrate__a_failing_one_changes_nothing_and_names_its_line, place_setup,
            place_teardown),
        cmocka_unit_test_setup_teardown(test_migrate__two_at_once_take_turns, place_setup,
                                        place_teardown),
        cmocka_unit_test_setup_teardown(test_require_schema__refuses_an_older_one, place_setup,
                                        place_teardown),
    };
    const struct CMUnitTest whole[] = {
        cmocka_unit_test(test_schema__is_current_and_migrates_to_itself),
        cmocka_unit_test(test_schema__every_team_table_is_behind_the_wall),
        cmocka_unit_test(test_schema__every_foreign_key_is_indexed_and_says_what_a_delete_does),
        cmocka_unit_test(test_schema__times_carry_their_zone),
        cmocka_unit_test(test_schema__constraints_are_named_after_their_table),
    };
    int failed = cmocka_run_group_tests(own, NULL, NULL);
    return failed + cmocka_run_group_tests(whole, whole_setup, test_db_teardown);
}
