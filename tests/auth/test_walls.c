/* Row-level security by itself, and the audit log's chain: asked of PostgreSQL as the application's
 * role, without any of our own conditions. */

#include "base/buf.h"
#include "tests/auth/browser.h"

#include <libpq-fe.h>
#include <stdio.h>

static PGconn *as_app(struct test_service *t) {
    PGconn *pg = PQconnectdb(t->db->app_url);
    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    return pg;
}

/* The first value, or the SQLSTATE of the failure. */
static const char *ask(struct test_service *t, PGconn *pg, const char *sql) {
    PGresult *r = PQexec(pg, sql);
    bool rows = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) > 0;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *value = arena_strdup(t->arena, rows ? PQgetvalue(r, 0, 0) : state ? state : "");
    PQclear(r);
    return value;
}

static void test_wall__stands_around_every_table_of_a_team(void **state) {
    struct test_service *t = *state;
    assert_string_equal(
        test_sql_value(t->db,
                       "select coalesce(string_agg(c.relname, ' '), '') from pg_class c"
                       " join pg_attribute a on a.attrelid = c.oid and a.attname = 'team_id'"
                       " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"
                       " and not (c.relrowsecurity and c.relforcerowsecurity"
                       " and exists (select from pg_policy p where p.polrelid = c.oid"
                       " and p.polwithcheck is not null))"),
        "");
}

static void test_wall__application_owns_nothing_and_bypasses_nothing(void **state) {
    struct test_service *t = *state;
    assert_string_equal(test_sql_value(t->db, "select count(*) from pg_class c join pg_roles r"
                                              " on r.oid = c.relowner"
                                              " where r.rolname = 'slipway_app'"),
                        "0");
    assert_string_equal(test_sql_value(t->db, "select rolsuper or rolbypassrls or rolcreaterole"
                                              " from pg_roles where rolname = 'slipway_app'"),
                        "f");
}

static void test_wall__every_foreign_key_is_indexed(void **state) {
    struct test_service *t = *state;
    assert_string_equal(
        test_sql_value(t->db,
                       "select coalesce(string_agg(c.conname, ' '), '') from pg_constraint c"
                       " where c.contype = 'f' and not exists (select from pg_index i"
                       " where i.indrelid = c.conrelid and c.conkey[1] = any (i.indkey::int2[])"
                       " and (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] @> c.conkey)"),
        "");
}

static const char *const TEAM_TABLES[] = {"members", "api_tokens", "projects",      "audit_events",
                                          "uploads", "jobs",       "lineage_nodes", "teams"};

static void test_wall__no_team_no_rows(void **state) {
    struct test_service *t = *state;
    PGconn *pg = as_app(t);
    for (size_t i = 0; i < sizeof(TEAM_TABLES) / sizeof(TEAM_TABLES[0]); i++) {
        const char *sql = arena_printf(t->arena, "select count(*) from %s", TEAM_TABLES[i]);
        assert_string_equal(ask(t, pg, sql), "0");
    }
    assert_string_equal(ask(t, pg, "select count(*) from sessions"), "0");
    assert_string_equal(ask(t, pg, "select count(*) from users"), "0");
    assert_string_not_equal(test_sql_value(t->db, "select count(*) from users"), "0");
    PQfinish(pg);
}

static void set_team(struct test_service *t, PGconn *pg, const char *team_id) {
    ask(t, pg, arena_printf(t->arena, "select set_config('app.team', '%s', false)", team_id));
}

static void test_wall__other_teams_rows_cannot_be_read_or_written(void **state) {
    struct test_service *t = *state;
    struct test_team red, blue;
    test_team_create(t->db, "red", &red);
    test_team_create(t->db, "blue", &blue);
    PGconn *pg = as_app(t);
    set_team(t, pg, red.team_id);
    assert_string_equal(ask(t, pg, "select string_agg(slug, ' ') from projects"), "red");
    assert_string_equal(ask(t, pg, "select string_agg(slug, ' ') from teams"), "red");
    assert_string_equal(ask(t, pg, "select string_agg(email, ' ') from users"), "red@example.test");
    const char *foreign = arena_printf(t->arena,
                                       "insert into projects (id, team_id, slug, name)"
                                       " values (gen_random_uuid(), '%s', 'x', 'X')",
                                       blue.team_id);
    assert_string_equal(ask(t, pg, foreign), "42501");
    assert_string_equal(
        ask(t, pg, arena_printf(t->arena, "update projects set team_id = '%s'", blue.team_id)),
        "42501");
    ask(t, pg, "delete from projects where slug = 'blue'");
    assert_string_equal(test_sql_value(t->db, "select count(*) from projects where slug = 'blue'"),
                        "1");
    PQfinish(pg);
}

/* One statement prepared once and run for another team after another, as pooled connections do. */
static void test_wall__holds_for_prepared_statements(void **state) {
    struct test_service *t = *state;
    const char *ids[2] = {test_sql_value(t->db, "select id from teams where slug = 'red'"), NULL};
    ids[0] = arena_strdup(t->arena, ids[0]);
    ids[1] =
        arena_strdup(t->arena, test_sql_value(t->db, "select id from teams where slug = 'blue'"));
    PGconn *pg = as_app(t);
    ask(t, pg, "set plan_cache_mode = force_generic_plan");
    ask(t, pg, "prepare mine as select string_agg(slug, ' ') from projects");
    for (int i = 0; i < 200; i++) {
        ask(t, pg, "begin");
        ask(t, pg, arena_printf(t->arena, "select set_config('app.team', '%s', true)", ids[i % 2]));
        assert_string_equal(ask(t, pg, "execute mine"), i % 2 ? "blue" : "red");
        ask(t, pg, "commit");
        assert_string_equal(ask(t, pg, "execute mine"), "");
    }
    PQfinish(pg);
}

/* --- the audit log --- */

static void test_audit__application_can_only_append(void **state) {
    struct test_service *t = *state;
    PGconn *pg = as_app(t);
    ask(t, pg, "set app.system = 'on'");
    assert_string_equal(ask(t, pg, "update audit_events set action = 'x'"), "42501");
    assert_string_equal(ask(t, pg, "delete from audit_events"), "42501");
    assert_string_equal(ask(t, pg, "truncate audit_events"), "42501");
    PQfinish(pg);
}

static const char BROKEN[] =
    "select count(*) from (select e.hash = audit_hash(e) and e.prev_hash = coalesce(lag(e.hash)"
    " over (partition by e.team_id order by e.seq), '\\x') as holds from audit_events e) c"
    " where not holds";

static void test_audit__chain_shows_a_changed_or_missing_row(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    person_create(t, "chain@example.test", "chain", ROLE_OWNER);
    for (int i = 0; i < 4; i++)
        assert_int_equal(sign_in(&b, "chain@example.test", PASSWORD), 200);
    assert_string_equal(test_sql_value(t->db, BROKEN), "0");
    test_sql(t->db, "create schema arranged; create table arranged.kept as select * from "
                    "audit_events where action ="
                    " 'session.create' and seq = 2 and team_id is not null");
    assert_string_equal(test_sql_value(t->db, "select count(*) from arranged.kept"), "1");
    test_sql(t->db, "update audit_events a set object = 'x' from arranged.kept k"
                    " where (a.team_id, a.seq) = (k.team_id, k.seq)");
    assert_string_equal(test_sql_value(t->db, BROKEN), "1");
    test_sql(t->db, "delete from audit_events a using arranged.kept k"
                    " where (a.team_id, a.seq) = (k.team_id, k.seq)");
    assert_string_equal(test_sql_value(t->db, BROKEN), "1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit__chain_shows_a_changed_or_missing_row),
        cmocka_unit_test(test_wall__stands_around_every_table_of_a_team),
        cmocka_unit_test(test_wall__application_owns_nothing_and_bypasses_nothing),
        cmocka_unit_test(test_wall__every_foreign_key_is_indexed),
        cmocka_unit_test(test_wall__no_team_no_rows),
        cmocka_unit_test(test_wall__other_teams_rows_cannot_be_read_or_written),
        cmocka_unit_test(test_wall__holds_for_prepared_statements),
        cmocka_unit_test(test_audit__application_can_only_append),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
