/* See test_service.h. */
#include "tests/support/test_service.h"

#include "auth/auth.h"

#include <stdlib.h>
#include <sys/stat.h>

static void make_dir(const struct test_service *t, const char *name, char *ret, size_t cap) {
    snprintf(ret, cap, "%s/%s", t->dir, name);
    assert_int_equal(mkdir(ret, 0700), 0);
}

static void fill_config(struct test_service *t) {
    struct err_info err = {0};
    char path[128];
    t->config = t->db->config;
    make_dir(t, "keys", path, sizeof(path));
    t->config.key_dir = arena_strdup(t->arena, path);
    make_dir(t, "data", path, sizeof(path));
    t->config.data_dir = arena_strdup(t->arena, path);
    make_dir(t, "serve", path, sizeof(path));
    t->config.serve_dir = arena_strdup(t->arena, path);
    make_dir(t, "ui", path, sizeof(path));
    t->config.static_dir = arena_strdup(t->arena, path);
    t->config.allowed_hosts = "localhost";
    t->config.min_free_bytes = 0;
    assert_ok(auth_key_create(t->config.key_dir, &err), &err);
    assert_ok(cursor_key_create(t->config.key_dir, &err), &err);
}

int test_service_setup(void **state) {
    struct test_service *t = calloc(1, sizeof(*t));
    struct err_info err = {0};
    assert_non_null(t);
    t->db = test_db_new();
    t->arena = arena_new();
    snprintf(t->dir, sizeof(t->dir), "/tmp/slipway-test-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    fill_config(t);
    assert_ok(app_new(&t->config, APP_SERVICE, &t->app, &err), &err);
    *state = t;
    return 0;
}

int test_service_teardown(void **state) {
    struct test_service *t = *state;
    char command[128];
    if (!t)
        return 0; /* the set-up failed */
    app_free(t->app);
    arena_free(t->arena);
    test_db_free(t->db);
    snprintf(command, sizeof(command), "rm -rf '%s'", t->dir);
    int removed = system(command);
    free(t);
    return removed;
}

struct principal test_person(const struct test_team *team, enum role role) {
    struct principal who = {.kind = PRINCIPAL_USER, .role = role, .scopes = ~0u};
    snprintf(who.user_id, sizeof(who.user_id), "%s", team->user_id);
    snprintf(who.team_id, sizeof(who.team_id), "%s", team->team_id);
    snprintf(who.name, sizeof(who.name), "%s@example.test", team->slug);
    return who;
}
