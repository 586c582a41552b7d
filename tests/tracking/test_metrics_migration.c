/* Migration 0015 carries over what was stored a point a row: every point, exactly. */
#include "tests/support/database.h"

#include "tracking/tracking.h"

#include <math.h>
#include <string.h>

#define RUN "00000000-0000-7000-8000-00000000000a"
#define EMPTY_RUN "00000000-0000-7000-8000-00000000000b"
enum { POINTS = 9000, KEY_BYTES = 3 * 60 };

static int place_setup(void **state) {
    struct test_db *db = test_db_new();
    test_sql(db, "drop schema public cascade; create schema public authorization slipway_owner;"
                 "grant usage on schema public to slipway_app");
    *state = db;
    return 0;
}

static int place_teardown(void **state) {
    test_db_free(*state);
    return 0;
}

static void migrate_before(const struct test_db *db, int number) {
    struct err_info err;
    size_t count = 0;
    int applied;
    while (DB_MIGRATIONS[count].number < number)
        count++;
    assert_ok(db_migrate_list(db->owner_url, DB_MIGRATIONS, count, &applied, &err), &err);
}

/* A long series with a key of many bytes, and a short one of odd values. */
static void fill(const struct test_db *db, struct test_team *team) {
    char sql[2000];
    test_team_create(db, "old", team);
    snprintf(
        sql, sizeof(sql),
        "insert into experiments (id, team_id, project_id, name)"
        " values (gen_random_uuid(), '%1$s', '%2$s', 'e');"
        "insert into runs (id, team_id, project_id, experiment_id, name, created_by)"
        " select r::uuid, '%1$s', '%2$s', (select id from experiments), 'r', 'x'"
        "   from unnest(array['" RUN "', '" EMPTY_RUN "']) as u (r);"
        "insert into run_metrics (team_id, run_id, key, points) values"
        " ('%1$s', '" RUN "', repeat('指', 60), 9000), ('%1$s', '" RUN "', 'odd', 3);"
        "insert into metric_points (team_id, series_id, step, at, value)"
        " select '%1$s', series_id, g, timestamptz '2026-01-01 00:00:00.000001' + g * interval "
        "'1s',"
        "        g / 7.0::float8"
        "   from run_metrics, generate_series(0, 8999) g where key <> 'odd';"
        "insert into metric_points (team_id, series_id, step, at, value)"
        " select '%1$s', series_id, -4611686018427387904, '1970-01-01', v::float8"
        "   from run_metrics, unnest(array['NaN', '-Infinity', '0.1']) as u (v) where key = 'odd'",
        team->team_id, team->project_id);
    test_sql(db, sql);
}

static void read_series(struct ctx *cx, const char *key, struct list *ret) {
    const char *next;
    assert_ok(run_history(cx, RUN, key, POINTS, NULL, ret, &next), &cx->err);
}

static void test_migration__carries_every_point_over(void **state) {
    struct test_db *db = *state;
    struct test_team team;
    struct err_info err;
    struct list got;
    struct ctx cx;
    int applied;
    migrate_before(db, 15);
    fill(db, &team);
    assert_ok(db_migrate(db->owner_url, &applied, &err), &err);

    test_ctx_user(&cx, db, &team, ROLE_OWNER);
    char key[KEY_BYTES + 1] = "";
    for (int i = 0; i < 60; i++)
        strcat(key, "指");
    read_series(&cx, key, &got);
    const struct metric_point *points = got.items;
    assert_int_equal(got.count, POINTS);
    for (int64_t i = 0; i < POINTS; i++) {
        assert_int_equal(points[i].step, i);
        assert_int_equal(points[i].at_us, 1767225600000001 + i * 1000000);
        assert_true(points[i].value == (double)i / 7.0);
    }
    read_series(&cx, "odd", &got);
    points = got.items;
    assert_int_equal(got.count, 3);
    assert_int_equal(points[0].step, -(1LL << 62));
    assert_true(isinf(points[0].value) && points[1].value == 0.1 && isnan(points[2].value));
    ctx_done(&cx);
    test_ctx_system(&cx, db);
    assert_ok(metrics_sweep(&cx), &cx.err);
    ctx_done(&cx);
    assert_string_equal(
        test_sql_value(db,
                       "select string_agg(format('%s %s %s', points, first_step, last_step), ', '"
                       " order by points) from run_metrics"),
        "3 -4611686018427387904 -4611686018427387904, 9000 0 8999");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_migration__carries_every_point_over, place_setup,
                                        place_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
