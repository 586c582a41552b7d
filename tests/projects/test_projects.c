/* Projects: creating, reading, pages, and who may do what. */
#include "tests/support/domains.h"

static void test_project__is_created_and_read_back(void **state) {
    struct domains *d = *state;
    struct test_reply *reply =
        send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
                  "{\"slug\":\"vision\",\"name\":\"Vision\",\"description\":\"Cameras\"}");
    assert_string_equal(test_header(d->arena, reply, "Location"), "/api/v1/projects/vision");
    json_t *project = get_ok(d, "/api/v1/projects/vision");
    assert_string_equal(text_at(project, "description"), "Cameras");
    assert_int_equal(int_at(project, "datasets"), 0);
}

static void test_project__counts_what_it_holds(void **state) {
    struct domains *d = *state;
    model_version_make(d, "counted");
    json_t *project = get_ok(d, "/api/v1/projects/ours");
    assert_int_equal(int_at(project, "datasets"), 1);
    assert_int_equal(int_at(project, "runs"), 1);
    assert_int_equal(int_at(project, "models"), 1);
    /* the job rows never moved, only their kinds were told: import and training are still queued */
    assert_int_equal(int_at(project, "active_jobs"), 2);
}

static void test_project__refuses_a_slug_twice(void **state) {
    struct domains *d = *state;
    const char *body = "{\"slug\":\"ours\",\"name\":\"Again\"}";
    struct test_reply *reply = send_json(d, 409, &d->admin, "POST", "/api/v1/projects", body);
    assert_string_equal(field_of(reply), "slug");
}

static void test_project__refuses_bad_slugs(void **state) {
    static const char *const SLUGS[] = {"", "Upper", "a b", "-a", "a/b", "ä"};
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(SLUGS) / sizeof(SLUGS[0]); i++) {
        const char *body = arena_printf(d->arena, "{\"slug\":\"%s\",\"name\":\"x\"}", SLUGS[i]);
        struct test_reply *reply = send_json(d, 400, &d->admin, "POST", "/api/v1/projects", body);
        assert_string_equal(field_of(reply), "slug");
    }
}

static void test_project__only_admins_create(void **state) {
    struct domains *d = *state;
    const char *body = "{\"slug\":\"mine\",\"name\":\"Mine\"}";
    send_json(d, 403, &d->editor, "POST", "/api/v1/projects", body);
    send_json(d, 401, NULL, "GET", "/api/v1/projects", NULL);
}

static void test_project__of_another_team_does_not_exist(void **state) {
    struct domains *d = *state;
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours");
    get_fails(d, 404, &d->editor, "/api/v1/projects/none");
}

static void test_projects__come_in_pages(void **state) {
    struct domains *d = *state;
    for (int i = 0; i < 4; i++)
        send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
                  arena_printf(d->arena, "{\"slug\":\"page-%d\",\"name\":\"Page\"}", i));
    json_t *first = get_ok(d, "/api/v1/projects?limit=3");
    assert_int_equal(json_array_size(at(first, "items")), 3);
    assert_string_equal(text_at(item_at(first, 0), "slug"), "page-3");
    json_t *second = get_ok(d, "/api/v1/projects?limit=3&cursor=%s", text_at(first, "next_cursor"));
    assert_string_equal(text_at(item_at(second, 0), "slug"), "page-0");
    get_fails(d, 400, &d->editor, "/api/v1/projects?limit=201");
    get_fails(d, 400, &d->editor, "/api/v1/projects?cursor=forged");
}

static void test_projects__another_teams_cursor_is_refused(void **state) {
    struct domains *d = *state;
    json_t *first = get_ok(d, "/api/v1/projects?limit=1");
    get_fails(d, 400, &d->stranger, "/api/v1/projects?limit=1&cursor=%s",
              text_at(first, "next_cursor"));
}

static void test_projects__wall(void **state) {
    assert_wall(*state, "(select * from projects where slug <> 'theirs') p");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_project__counts_what_it_holds),
        cmocka_unit_test(test_project__is_created_and_read_back),
        cmocka_unit_test(test_project__refuses_a_slug_twice),
        cmocka_unit_test(test_project__refuses_bad_slugs),
        cmocka_unit_test(test_project__only_admins_create),
        cmocka_unit_test(test_project__of_another_team_does_not_exist),
        cmocka_unit_test(test_projects__come_in_pages),
        cmocka_unit_test(test_projects__another_teams_cursor_is_refused),
        cmocka_unit_test(test_projects__wall),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
