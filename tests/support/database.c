/* See database.h. Statements that tests hit are noted as empty files in SLIPWAY_TEST_HITS, where
 * tests/support/coverage looks for those that none hit. */

#include "tests/support/database.h"

#include "base/ident.h"
#include "base/log.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *cluster_url(void) {
    const char *url = getenv("SLIPWAY_TEST_DATABASE_URL");
    if (url)
        return url;
    fprintf(stderr, "SKIPPED: SLIPWAY_TEST_DATABASE_URL is not set; run ctest, or\n"
                    "    tests/support/pg run build/dev/bin/test_template THIS_PROGRAM\n");
    exit(77);
}

void test_url(const char *role, const char *database, char *ret, size_t cap) {
    PQconninfoOption *options = PQconninfoParse(cluster_url(), NULL);
    assert_non_null(options);
    const char *host = "", *port = "5432";
    for (PQconninfoOption *o = options; o->keyword; o++) {
        if (o->val && strcmp(o->keyword, "host") == 0)
            host = o->val;
        if (o->val && strcmp(o->keyword, "port") == 0)
            port = o->val;
    }
    snprintf(ret, cap,
             "host='%s' port=%s user=%s dbname=%s options='-c client_min_messages=warning'", host,
             port, role, database);
    PQconninfoFree(options);
}

static PGconn *connect_as_superuser(const char *database) {
    char url[256];
    test_url("postgres", database, url, sizeof(url));
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(pg));
    return pg;
}

static void run_as_superuser(const char *database, const char *sql, char *ret, size_t cap) {
    PGconn *pg = connect_as_superuser(database);
    PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    if (ret)
        snprintf(ret, cap, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    PQfinish(pg);
}

void test_sql(const struct test_db *db, const char *sql) {
    run_as_superuser(db->name, sql, NULL, 0);
}

const char *test_sql_value(const struct test_db *db, const char *sql) {
    static _Thread_local char value[4096];
    run_as_superuser(db->name, sql, value, sizeof(value));
    return value;
}

static void note_hit(const struct db_stmt *st) {
    const char *dir = getenv("SLIPWAY_TEST_HITS");
    if (!dir)
        return;
    char path[512];
    mkdir(dir, 0777);
    snprintf(path, sizeof(path), "%s/%s", dir, st->name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (fd >= 0)
        close(fd);
}

struct test_db *test_db_new(void) {
    struct test_db *db = calloc(1, sizeof(*db));
    assert_non_null(db);
    char random[9], sql[200];
    unsigned char bytes[4];
    random_bytes(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), random);
    snprintf(db->name, sizeof(db->name), "test_%s", random);
    snprintf(sql, sizeof(sql), "create database %s template " TEST_TEMPLATE " owner slipway_owner",
             db->name);
    run_as_superuser("postgres", sql, NULL, 0);
    test_url("slipway_app", db->name, db->app_url, sizeof(db->app_url));
    test_url("slipway_owner", db->name, db->owner_url, sizeof(db->owner_url));

    db->arena = arena_new();
    struct option_input input = {.env_prefix = "SLIPWAY_UNIT_"};
    struct err_info err;
    assert_ok(config_load(db->arena, &input, NULL, &db->config, &err), &err);
    db->config.database_url = db->app_url;
    db->config.migrate_url = db->owner_url;
    db->app.config = &db->config;

    struct db_pool_options options = {.url = db->app_url, .size = 8, .wait_ms = 2000};
    assert_ok(db_pool_new(&options, &db->app.db, &err), &err);
    db_observe(note_hit);
    return db;
}

void test_db_free(struct test_db *db) {
    char sql[120];
    db_pool_free(db->app.db);
    snprintf(sql, sizeof(sql), "drop database %s with (force)", db->name);
    run_as_superuser("postgres", sql, NULL, 0);
    arena_free(db->arena);
    free(db);
}

int test_db_setup(void **state) {
    log_init(LOG_WARNING);
    *state = test_db_new();
    return 0;
}

int test_db_teardown(void **state) {
    test_db_free(*state);
    return 0;
}

void test_team_create(const struct test_db *db, const char *slug, struct test_team *ret) {
    snprintf(ret->slug, sizeof(ret->slug), "%s", slug);
    uuid_new(ret->team_id);
    uuid_new(ret->user_id);
    uuid_new(ret->project_id);
    char sql[1200];
    snprintf(sql, sizeof(sql),
             "insert into teams (id, slug, name) values ('%s', '%s', 'Team %s');"
             "insert into users (id, email, name, password_hash)"
             " values ('%s', '%s@example.test', 'Owner of %s', '-');"
             "insert into members (team_id, user_id, role) values ('%s', '%s', 'owner');"
             "insert into projects (id, team_id, slug, name)"
             " values ('%s', '%s', '%s', 'Project %s')",
             ret->team_id, slug, slug, ret->user_id, slug, slug, ret->team_id, ret->user_id,
             ret->project_id, ret->team_id, slug, slug);
    test_sql(db, sql);
}

void test_ctx_system(struct ctx *cx, struct test_db *db) {
    ctx_init(cx, &db->app);
    cx->who = (struct principal){.kind = PRINCIPAL_SYSTEM, .name = "test"};
}

void test_ctx_user(struct ctx *cx, struct test_db *db, const struct test_team *team,
                   enum role role) {
    ctx_init(cx, &db->app);
    cx->who = (struct principal){.kind = PRINCIPAL_USER,
                                 .role = role,
                                 .scopes = TOKEN_READ | TOKEN_WRITE | TOKEN_ADMIN | TOKEN_METRICS};
    snprintf(cx->who.team_id, sizeof(cx->who.team_id), "%s", team->team_id);
    snprintf(cx->who.user_id, sizeof(cx->who.user_id), "%s", team->user_id);
    snprintf(cx->who.name, sizeof(cx->who.name), "%s@example.test", team->slug);
}
