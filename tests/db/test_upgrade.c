/* An installation with data moves to the newest schema: what was there is there, and what the newer
 * code takes for granted has been made. */
#include "base/cleanup.h"
#include "tests/support/database.h"

#include <string.h>

#define FIRST_RELEASE                                                                              \
    13 /* the last migration that an installation with data may have stopped at                    \
        */

/* Three projects: one whose "Default" is its second experiment, one without, one empty. */
static const char DATA[] =
    "insert into teams (id, slug, name) values ('00000000-0000-7000-8000-000000000001', 't', 'T');"
    "insert into projects (id, team_id, slug, name) select"
    "  ('00000000-0000-7000-8000-00000000001' || n)::uuid, '00000000-0000-7000-8000-000000000001',"
    "  'p' || n, 'P' from generate_series(1, 3) n;"
    "insert into experiments (id, team_id, project_id, name, created_at) select"
    "  ('00000000-0000-7000-8000-00000000002' || e.n)::uuid, p.team_id, p.id, e.name,"
    "  timestamptz '2026-01-01' + e.n * interval '1 day'"
    "  from (values (1, 'p1', 'first'), (2, 'p1', 'Default'), (3, 'p1', 'third'),"
    "               (4, 'p2', 'alone'), (5, 'p2', 'beside')) e (n, slug, name)"
    "  join projects p on p.slug = e.slug;"
    "insert into runs (id, team_id, project_id, experiment_id, name, created_by)"
    "  select ('00000000-0000-7000-8000-00000000003' || right(id::text, 1))::uuid, team_id,"
    "  project_id, id, 'run in ' || name, 'me' from experiments;"
    "insert into run_tags (team_id, run_id, key, value) select team_id, id, 'k', name from runs;"
    "insert into run_params (team_id, run_id, key, value) select team_id, id, 'lr', '0.1' from "
    "runs;"
    "insert into run_metrics (team_id, run_id, key, points, first_step, last_step, last_at,"
    "  last_value, least, greatest) select team_id, id, 'loss', 3, 1, 3, now(), 0.3, 0.1, 0.3"
    "  from runs;"
    "insert into metric_points (team_id, series_id, step, at, value) select team_id, series_id, n,"
    "  now(), n / 10.0 from run_metrics, generate_series(1, 3) n";

struct place {
    struct test_db *db;
};

static int upgraded_setup(void **state) {
    struct place *p = calloc(1, sizeof(*p));
    struct err_info err = {0};
    size_t old = 0;
    int applied;
    p->db = test_db_new();
    test_sql(p->db, "drop schema public cascade; create schema public authorization slipway_owner;"
                    "grant usage on schema public to slipway_app");
    while (old < DB_MIGRATION_COUNT && DB_MIGRATIONS[old].number <= FIRST_RELEASE)
        old++;
    assert_ok(db_migrate_list(p->db->owner_url, DB_MIGRATIONS, old, &applied, &err), &err);
    test_sql(p->db, DATA);
    assert_ok(db_migrate(p->db->owner_url, &applied, &err), &err);
    assert_true(applied > 0);
    *state = p;
    return 0;
}

static int upgraded_teardown(void **state) {
    struct place *p = *state;
    test_db_free(p->db);
    free(p);
    return 0;
}

static void assert_value(void **state, const char *expected, const char *sql) {
    struct place *p = *state;
    assert_string_equal(test_sql_value(p->db, sql), expected);
}

static void test_upgrade__numbers_experiments_from_default(void **state) {
    assert_value(state, "Default first third | Default alone beside | Default",
                 "select string_agg(names, ' | ' order by slug) from"
                 " (select p.slug, string_agg(e.name, ' ' order by e.number) as names"
                 "  from experiments e join projects p on p.id = e.project_id group by p.slug) n");
    assert_value(state, "t",
                 "select bool_and(m = c - 1 and l = 0) from (select max(number) as m,"
                 " min(number) as l, count(*) as c from experiments group by project_id) n");
    assert_value(state, "3 3 1",
                 "select string_agg(next_experiment::text, ' ' order by slug) from projects");
}

static void test_upgrade__goes_on_counting(void **state) {
    struct place *p = *state;
    test_sql(p->db, "insert into experiments (id, team_id, project_id, name)"
                    " select gen_random_uuid(), team_id, id, 'after' from projects");
    assert_value(state, "3 3 1",
                 "select string_agg(e.number::text, ' ' order by p.slug) from experiments e"
                 " join projects p on p.id = e.project_id where e.name = 'after'");
}

static void test_upgrade__keeps_what_runs_logged(void **state) {
    assert_value(state, "5",
                 "select count(*) from runs where source = 'native' and parent_id is null");
    assert_value(
        state, "5 5",
        "select (select count(*) from run_tags) || ' ' || (select count(*) from run_params)");
    assert_value(state, "15", "select sum(points) from metric_inbox");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upgrade__numbers_experiments_from_default),
        cmocka_unit_test(test_upgrade__goes_on_counting),
        cmocka_unit_test(test_upgrade__keeps_what_runs_logged),
    };
    return cmocka_run_group_tests(tests, upgraded_setup, upgraded_teardown);
}
