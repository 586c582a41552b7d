/* What a test of anything above db/ starts from: a database of its own, copied from the migrated
 * template in about 0.1 s, an app with a pool on it, teams with people, and contexts acting as
 * them.
 *
 * ctest starts the cluster and makes the template (fixture "db") and names the cluster in
 * SLIPWAY_TEST_DATABASE_URL. Without it a test executable ends with 77: skipped, loudly. */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "ctx.h"
#include "db/db.h"
#include "tests/support/cmocka_all.h"

#define TEST_TEMPLATE "slipway_template"

struct test_db {
    char name[64];
    char app_url[256];   /* role slipway_app */
    char owner_url[256]; /* role slipway_owner */
    struct arena *arena; /* of config's texts */
    struct config config;
    struct app app; /* .config and .db are set */
};

/* Group set-up and tear-down of cmocka: *state is the struct test_db. */
int test_db_setup(void **state);
int test_db_teardown(void **state);

struct test_db *test_db_new(void);
void test_db_free(struct test_db *db);
/* Connection text for a role and database of the test cluster. */
void test_url(const char *role, const char *database, char *ret, size_t cap);

/* As the superuser of the cluster, outside every wall: arranging and looking, never acting. */
void test_sql(const struct test_db *db, const char *sql);
/* The first value of the first row, "" for null or none; good until the next call of this thread.
 */
const char *test_sql_value(const struct test_db *db, const char *sql);

/* A team with an owner and a project, all ids set. slug also names the user (slug@example.test) and
 * the project. */
struct test_team {
    char team_id[ID_SIZE];
    char user_id[ID_SIZE];
    char project_id[ID_SIZE];
    char slug[64];
};
void test_team_create(const struct test_db *db, const char *slug, struct test_team *ret);

/* Contexts; end them with ctx_done(). */
void test_ctx_system(struct ctx *cx, struct test_db *db);
void test_ctx_user(struct ctx *cx, struct test_db *db, const struct test_team *team,
                   enum role role);
