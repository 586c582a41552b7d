/* Members, invitations, reset links, sessions and second factors, as browsers use them. */

#include "auth/access.h"
#include "tests/auth/browser.h"

#include <pthread.h>
#include <stdlib.h>

static const char *string_of(const struct test_reply *reply, const char *member) {
    const char *text = json_string_value(json_object_get(reply->json, member));
    return text ? text : "";
}

/* A browser of somebody new who is signed in. */
static struct browser signed_in(struct test_service *t, const char *email, const char *team,
                                enum role role) {
    struct browser b = browser_new(t);
    person_create(t, email, team, role);
    test_sql(t->db, "delete from login_failures");
    assert_int_equal(sign_in(&b, email, PASSWORD), 200);
    return b;
}

static const char *id_of(struct test_service *t, const char *email) {
    return arena_strdup(t->arena,
                        test_sql_value(t->db, arena_printf(t->arena,
                                                           "select id from users where email ="
                                                           " '%s'",
                                                           email)));
}

static const char *member_path(struct test_service *t, const char *email) {
    return arena_printf(t->arena, "/api/v1/members/%s", id_of(t, email));
}

/* What follows the last slash of the reply's link. */
static const char *token_of(const struct test_reply *reply) {
    const char *slash = strrchr(string_of(reply, "link"), '/');
    assert_non_null(slash);
    return slash + 1;
}

/* --- members --- */

static void test_member__is_listed_with_role_and_state(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "list.owner@example.test", "listers", ROLE_OWNER);
    person_create(t, "list.viewer@example.test", "listers", ROLE_VIEWER);
    test_sql(t->db,
             "insert into groups (id, team_id, name) select gen_random_uuid(), id, 'ml' from teams"
             " where slug = 'listers'; insert into group_members (team_id, group_id, user_id)"
             " select g.team_id, g.id, u.id from groups g, users u where g.name = 'ml' and"
             " u.email = 'list.viewer@example.test'");
    struct test_reply *reply = browse(&owner, "GET", "/api/v1/members?limit=1", NULL);
    assert_int_equal(reply->status, 200);
    assert_non_null(strstr(reply->body, "\"groups\":[\"ml\"]"));
    json_t *first = json_array_get(json_object_get(reply->json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "email")),
                        "list.viewer@example.test");
    assert_string_equal(json_string_value(json_object_get(first, "role")), "viewer");
    assert_string_equal(json_string_value(json_object_get(first, "state")), "active");
    reply = browse(&owner, "GET",
                   arena_printf(t->arena, "/api/v1/members?limit=1&cursor=%s",
                                string_of(reply, "next_cursor")),
                   NULL);
    assert_int_equal(reply->status, 200);
    first = json_array_get(json_object_get(reply->json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "email")),
                        "list.owner@example.test");
    assert_true(json_is_string(json_object_get(first, "last_seen_at")));
}

static void test_member__change_of_role_is_felt_at_once(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "role.owner@example.test", "roles", ROLE_OWNER);
    struct browser editor = signed_in(t, "role.editor@example.test", "roles", ROLE_EDITOR);
    const char *path = member_path(t, "role.editor@example.test");
    assert_int_equal(browse_status(&editor, "GET", "/api/v1/invitations", NULL), 403);
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"role\":\"admin\"}"), 200);
    assert_int_equal(browse_status(&editor, "GET", "/api/v1/invitations", NULL), 200);
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"role\":\"none\"}"), 400);
}

static void test_member__only_owners_touch_owners(void **state) {
    struct test_service *t = *state;
    person_create(t, "touch.owner@example.test", "touchers", ROLE_OWNER);
    struct browser admin = signed_in(t, "touch.admin@example.test", "touchers", ROLE_ADMIN);
    person_create(t, "touch.viewer@example.test", "touchers", ROLE_VIEWER);
    const char *owner = member_path(t, "touch.owner@example.test");
    const char *viewer = member_path(t, "touch.viewer@example.test");
    assert_int_equal(browse_status(&admin, "PATCH", owner, "{\"role\":\"viewer\"}"), 403);
    assert_int_equal(browse_status(&admin, "PATCH", owner, "{\"state\":\"deactivated\"}"), 403);
    assert_int_equal(browse_status(&admin, "DELETE", owner, NULL), 403);
    assert_int_equal(browse_status(&admin, "POST", arena_printf(t->arena, "%s/reset", owner), NULL),
                     403);
    assert_int_equal(browse_status(&admin, "PATCH", viewer, "{\"role\":\"owner\"}"), 403);
    assert_int_equal(browse_status(&admin, "POST", "/api/v1/invitations",
                                   "{\"email\":\"x@example.test\",\"role\":\"owner\"}"),
                     403);
    assert_int_equal(browse_status(&admin, "PATCH", viewer, "{\"role\":\"editor\"}"), 200);
}

static void test_member__a_team_keeps_its_last_owner(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "last.owner@example.test", "lasts", ROLE_OWNER);
    const char *path = member_path(t, "last.owner@example.test");
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"role\":\"admin\"}"), 409);
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"state\":\"deactivated\"}"), 409);
    assert_int_equal(browse_status(&owner, "DELETE", path, NULL), 409);
    person_create(t, "second.owner@example.test", "lasts", ROLE_OWNER);
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"role\":\"admin\"}"), 200);
}

struct demotion {
    struct browser browser;
    const char *path;
    struct arena *arena;
    int status;
};

static void *demote(void *arg) {
    struct demotion *d = arg;
    d->arena = arena_new();
    d->browser.arena = d->arena;
    d->status = browse_status(&d->browser, "PATCH", d->path, "{\"role\":\"viewer\"}");
    return NULL;
}

static void test_member__two_owners_demoting_each_other_leave_one(void **state) {
    struct test_service *t = *state;
    static const char *const emails[] = {"duel.a@example.test", "duel.b@example.test"};
    struct demotion d[2] = {0};
    for (int round = 0; round < 5; round++) {
        const char *team = arena_printf(t->arena, "duel%d", round);
        pthread_t threads[2];
        for (int i = 0; i < 2; i++) {
            const char *email = arena_printf(t->arena, "%d.%s", round, emails[i]);
            d[i].browser = signed_in(t, email, team, ROLE_OWNER);
            d[1 - i].path = member_path(t, email);
        }
        for (int i = 0; i < 2; i++)
            pthread_create(&threads[i], NULL, demote, &d[i]);
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            arena_free(d[i].arena);
        }
        const char *left = arena_printf(t->arena,
                                        "select count(*) from members m join teams t on t.id ="
                                        " m.team_id where t.slug = '%s' and m.role = 'owner'",
                                        team);
        assert_string_equal(test_sql_value(t->db, left), "1");
    }
}

static void test_member__deactivated_is_out_everywhere_and_can_come_back(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "deact.owner@example.test", "deact", ROLE_OWNER);
    struct browser leaver = signed_in(t, "deact.leaver@example.test", "deact", ROLE_EDITOR);
    struct test_reply *token =
        browse(&leaver, "POST", "/api/v1/tokens", "{\"name\":\"ci\",\"scopes\":[\"read\"]}");
    assert_int_equal(token->status, 201);
    const char *bearer = arena_printf(t->arena, "Bearer %s", string_of(token, "token"));
    struct test_request by_token = {.path = "/api/v1/projects",
                                    .headers = {{"Authorization", bearer}}};
    test_expect(t->app, t->arena, 200, &by_token);

    const char *path = member_path(t, "deact.leaver@example.test");
    struct test_reply *reply = browse(&owner, "PATCH", path, "{\"state\":\"deactivated\"}");
    assert_int_equal(reply->status, 200);
    assert_string_equal(string_of(reply, "state"), "deactivated");
    assert_int_equal(whoami(&leaver), 401);
    assert_int_equal(browse_status(&leaver, "POST", "/api/v1/session/refresh", NULL), 401);
    test_expect(t->app, t->arena, 401, &by_token);
    assert_int_equal(sign_in(&leaver, "deact.leaver@example.test", PASSWORD), 403);

    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"state\":\"active\"}"), 200);
    assert_int_equal(whoami(&leaver), 401); /* what was ended stays ended */
    assert_int_equal(sign_in(&leaver, "deact.leaver@example.test", PASSWORD), 200);
}

static void test_member__removed_is_gone_with_sessions_and_tokens(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "remove.owner@example.test", "remove", ROLE_OWNER);
    struct browser leaver = signed_in(t, "remove.leaver@example.test", "remove", ROLE_EDITOR);
    assert_int_equal(
        browse_status(&leaver, "POST", "/api/v1/tokens", "{\"name\":\"ci\",\"scopes\":[\"read\"]}"),
        201);
    const char *path = member_path(t, "remove.leaver@example.test");
    assert_int_equal(browse_status(&owner, "DELETE", path, NULL), 204);
    assert_int_equal(whoami(&leaver), 401);
    assert_int_equal(browse_status(&owner, "DELETE", path, NULL), 404);
    assert_string_equal(test_sql_value(t->db, "select count(*) from api_tokens a join users u on"
                                              " u.id = a.user_id where u.email ="
                                              " 'remove.leaver@example.test'"),
                        "0");
}

static void test_member__of_another_team_is_not_found(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "wall.owner@example.test", "wall-a", ROLE_OWNER);
    person_create(t, "wall.other@example.test", "wall-b", ROLE_VIEWER);
    const char *path = member_path(t, "wall.other@example.test");
    assert_int_equal(browse_status(&owner, "PATCH", path, "{\"role\":\"admin\"}"), 404);
    assert_int_equal(browse_status(&owner, "DELETE", path, NULL), 404);
    assert_int_equal(browse_status(&owner, "POST", arena_printf(t->arena, "%s/reset", path), NULL),
                     404);
    assert_int_equal(browse_status(&owner, "DELETE", "/api/v1/members/nonsense", NULL), 404);
}

/* --- invitations --- */

static struct test_reply *invite(struct browser *b, const char *email, const char *role) {
    const char *body = arena_printf(b->arena, "{\"email\":\"%s\",\"role\":\"%s\"}", email, role);
    struct test_reply *reply = browse(b, "POST", "/api/v1/invitations", body);
    assert_int_equal(reply->status, 201);
    return reply;
}

static const char *invite_path(struct browser *b, const struct test_reply *created) {
    return arena_printf(b->arena, "/api/v1/invite/%s", token_of(created));
}

#define NEW_PERSON "{\"name\":\"New Person\",\"password\":\"" PASSWORD "\"}"

static void test_invitation__makes_an_account_once(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "inviter@example.test", "inviters", ROLE_OWNER);
    struct test_reply *created = invite(&owner, "Newcomer@Example.test", "editor");
    assert_int_equal(strncmp(string_of(created, "link"), "https://localhost", 17), 0);
    assert_non_null(strstr(string_of(created, "link"), "/invite/"));
    const char *path = invite_path(&owner, created);
    struct browser guest = browser_new(t), late = browser_new(t);
    struct test_reply *view = browse(&guest, "GET", path, NULL);
    assert_int_equal(view->status, 200);
    assert_string_equal(string_of(view, "email"), "newcomer@example.test");
    assert_string_equal(string_of(view, "role"), "editor");
    assert_true(json_is_false(json_object_get(view->json, "has_account")));

    assert_int_equal(browse_status(&guest, "POST", path, "{\"password\":\"" PASSWORD "\"}"), 400);
    assert_int_equal(
        browse_status(&guest, "POST", path, "{\"name\":\"N\",\"password\":\"passwordpassword\"}"),
        400);
    struct test_reply *accepted = browse(&guest, "POST", path, NEW_PERSON);
    assert_int_equal(accepted->status, 200);
    assert_string_equal(string_of(accepted, "role"), "editor");
    assert_int_equal(whoami(&guest), 200);
    assert_int_equal(browse_status(&late, "POST", path, NEW_PERSON), 404);
    assert_int_equal(browse_status(&late, "GET", path, NULL), 404);
    assert_string_equal(test_sql_value(t->db, "select action from audit_events where object ="
                                              " 'newcomer@example.test' order by at desc limit 1"),
                        "invitation.accept");
    assert_string_equal(
        test_sql_value(t->db, arena_printf(t->arena,
                                           "select count(*) from audit_events a, invitations i"
                                           " where a::text like '%%%s%%' or i::text like '%%%s%%'",
                                           token_of(created), token_of(created))),
        "0");
}

static void test_invitation__of_an_account_needs_its_password(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "joiner.owner@example.test", "joiners", ROLE_OWNER);
    person_create(t, "joiner@example.test", "elsewhere", ROLE_VIEWER);
    const char *path = invite_path(&owner, invite(&owner, "joiner@example.test", "viewer"));
    struct browser guest = browser_new(t);
    assert_true(
        json_is_true(json_object_get(browse(&guest, "GET", path, NULL)->json, "has_account")));
    assert_int_equal(browse_status(&guest, "POST", path, "{\"password\":\"not the password\"}"),
                     401);
    struct test_reply *reply = browse(&guest, "POST", path, "{\"password\":\"" PASSWORD "\"}");
    assert_int_equal(reply->status, 200);
    assert_string_equal(string_of(reply, "role"), "viewer");
    assert_int_equal(json_array_size(json_object_get(reply->json, "teams")), 2);
    assert_int_equal(browse_status(&owner, "POST", "/api/v1/invitations",
                                   "{\"email\":\"joiner@example.test\",\"role\":\"viewer\"}"),
                     409);
}

static void test_invitation__revoked_replaced_or_expired_is_not_good(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "revoker@example.test", "revokers", ROLE_OWNER);
    struct browser guest = browser_new(t);
    struct test_reply *first = invite(&owner, "guest@example.test", "viewer");
    struct test_reply *second = invite(&owner, "guest@example.test", "viewer");
    assert_int_equal(browse_status(&guest, "POST", invite_path(&owner, first), NEW_PERSON), 404);
    const char *own = arena_printf(t->arena, "/api/v1/invitations/%s", string_of(second, "id"));
    assert_int_equal(browse_status(&owner, "DELETE", own, NULL), 204);
    assert_int_equal(browse_status(&owner, "DELETE", own, NULL), 404);
    assert_int_equal(browse_status(&guest, "POST", invite_path(&owner, second), NEW_PERSON), 404);
    struct test_reply *third = invite(&owner, "guest@example.test", "viewer");
    test_sql(t->db, "update invitations set expires_at = now() where email = 'guest@example.test'");
    assert_int_equal(browse_status(&guest, "POST", invite_path(&owner, third), NEW_PERSON), 404);
    struct test_reply *list = browse(&owner, "GET", "/api/v1/invitations", NULL);
    assert_int_equal(list->status, 200);
    json_t *items = json_object_get(list->json, "items");
    assert_int_equal(json_array_size(items), 3);
    static const char *const states[] = {"expired", "revoked", "revoked"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(items, i), "state")),
                            states[i]);
}

struct acceptor {
    struct browser browser;
    struct arena *arena;
    const char *path;
    int status;
};

static void *accept_once(void *arg) {
    struct acceptor *a = arg;
    a->arena = arena_new();
    a->browser.arena = a->arena;
    a->status = browse_status(&a->browser, "POST", a->path, NEW_PERSON);
    return NULL;
}

static void test_invitation__followed_by_eight_at_once_lets_one_in(void **state) {
    struct test_service *t = *state;
    enum { COUNT = 8 };
    static struct acceptor a[COUNT];
    pthread_t threads[COUNT];
    struct browser owner = signed_in(t, "crowd.owner@example.test", "crowd", ROLE_OWNER);
    const char *path = invite_path(&owner, invite(&owner, "crowd@example.test", "viewer"));
    int let_in = 0;
    for (int i = 0; i < COUNT; i++) {
        a[i] = (struct acceptor){.browser = browser_new(t), .path = path};
        pthread_create(&threads[i], NULL, accept_once, &a[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        arena_free(a[i].arena);
        let_in += a[i].status == 200;
    }
    assert_int_equal(let_in, 1);
}

/* --- resets --- */

static void test_reset__sets_a_password_once_and_ends_sessions(void **state) {
    struct test_service *t = *state;
    struct browser admin = signed_in(t, "reset.admin@example.test", "resets", ROLE_ADMIN);
    struct browser member = signed_in(t, "reset.member@example.test", "resets", ROLE_EDITOR);
    const char *of =
        arena_printf(t->arena, "%s/reset", member_path(t, "reset.member@example.test"));
    struct test_reply *reply = browse(&admin, "POST", of, NULL);
    assert_int_equal(reply->status, 200);
    const char *path = arena_printf(t->arena, "/api/v1/reset/%s", token_of(reply));
    struct browser anyone = browser_new(t);
    assert_int_equal(browse_status(&anyone, "POST", path, "{\"password\":\"short\"}"), 400);
    assert_int_equal(
        browse_status(&anyone, "POST", path, "{\"password\":\"reset.member@example.test\"}"), 400);
    assert_int_equal(whoami(&member), 200);
    assert_int_equal(
        browse_status(&anyone, "POST", path, "{\"password\":\"a fresh password to use\"}"), 204);
    assert_int_equal(
        browse_status(&anyone, "POST", path, "{\"password\":\"another fresh password\"}"), 404);
    assert_int_equal(whoami(&member), 401);
    assert_int_equal(sign_in(&member, "reset.member@example.test", PASSWORD), 401);
    assert_int_equal(sign_in(&member, "reset.member@example.test", "a fresh password to use"), 200);
}

static void test_reset__is_refused_for_people_of_other_teams(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "shared.owner@example.test", "shared", ROLE_OWNER);
    person_create(t, "shared@example.test", "shared-elsewhere", ROLE_OWNER);
    test_sql(t->db,
             "insert into members (team_id, user_id, role) select t.id, u.id, 'viewer' from"
             " teams t, users u where t.slug = 'shared' and u.email = 'shared@example.test'");
    const char *of = arena_printf(t->arena, "%s/reset", member_path(t, "shared@example.test"));
    assert_int_equal(browse_status(&owner, "POST", of, NULL), 409);
    of = arena_printf(t->arena, "%s/second-factor", member_path(t, "shared@example.test"));
    assert_int_equal(browse_status(&owner, "DELETE", of, NULL), 409);
}

static void test_second_factor__of_a_member_is_dropped_by_an_admin(void **state) {
    struct test_service *t = *state;
    struct browser admin = signed_in(t, "lost.admin@example.test", "lost", ROLE_ADMIN);
    struct browser member = signed_in(t, "lost.member@example.test", "lost", ROLE_EDITOR);
    person_create(t, "lost.owner@example.test", "lost", ROLE_OWNER);
    test_sql(t->db, "insert into second_factors (user_id, secret_sealed, confirmed_at)"
                    " select id, '\\x00', now() from users where email like 'lost.%'");
    const char *of =
        arena_printf(t->arena, "%s/second-factor", member_path(t, "lost.member@example.test"));
    assert_int_equal(browse_status(&member, "DELETE", of, NULL), 403);
    assert_int_equal(browse_status(&admin, "DELETE", of, NULL), 204);
    assert_int_equal(whoami(&member), 401);
    assert_int_equal(sign_in(&member, "lost.member@example.test", PASSWORD), 200);
    of = arena_printf(t->arena, "%s/second-factor", member_path(t, "lost.owner@example.test"));
    assert_int_equal(browse_status(&admin, "DELETE", of, NULL), 403);
    assert_string_equal(test_sql_value(t->db,
                                       "select count(*) from second_factors f join users u on"
                                       " u.id = f.user_id where u.email like 'lost.%'"),
                        "2");
    test_sql(t->db, "delete from second_factors f using users u where u.id = f.user_id"
                    " and u.email like 'lost.%'");
}

static void test_reset__expires(void **state) {
    struct test_service *t = *state;
    struct browser owner = signed_in(t, "slow.owner@example.test", "slow", ROLE_OWNER);
    person_create(t, "slow@example.test", "slow", ROLE_VIEWER);
    const char *of = arena_printf(t->arena, "%s/reset", member_path(t, "slow@example.test"));
    const char *path =
        arena_printf(t->arena, "/api/v1/reset/%s", token_of(browse(&owner, "POST", of, NULL)));
    test_sql(t->db, "update password_resets set expires_at = now()");
    assert_int_equal(
        browse_status(&owner, "POST", path, "{\"password\":\"a fresh password to use\"}"), 404);
}

/* --- sessions --- */

static void test_sessions__are_listed_and_ended(void **state) {
    struct test_service *t = *state;
    struct browser here = signed_in(t, "many@example.test", "many", ROLE_VIEWER);
    struct browser there = browser_new(t), third = browser_new(t);
    assert_int_equal(sign_in(&there, "many@example.test", PASSWORD), 200);
    assert_int_equal(sign_in(&third, "many@example.test", PASSWORD), 200);
    struct test_reply *list = browse(&here, "GET", "/api/v1/sessions", NULL);
    assert_int_equal(list->status, 200);
    json_t *items = json_object_get(list->json, "items");
    assert_int_equal(json_array_size(items), 3);
    assert_true(json_is_true(json_object_get(json_array_get(items, 2), "current")));
    assert_true(json_is_false(json_object_get(json_array_get(items, 0), "current")));
    const char *newest = json_string_value(json_object_get(json_array_get(items, 0), "id"));
    const char *path = arena_printf(t->arena, "/api/v1/sessions/%s", newest);
    assert_int_equal(browse_status(&here, "DELETE", path, NULL), 204);
    assert_int_equal(browse_status(&here, "DELETE", path, NULL), 404);
    assert_int_equal(whoami(&third), 401);
    assert_int_equal(browse_status(&third, "POST", "/api/v1/session/refresh", NULL), 401);
    assert_int_equal(whoami(&there), 200);
    assert_int_equal(browse_status(&here, "POST", "/api/v1/sessions/end-others", NULL), 204);
    assert_int_equal(whoami(&there), 401);
    assert_int_equal(whoami(&here), 200);
}

static void test_sessions__of_others_are_not_found(void **state) {
    struct test_service *t = *state;
    struct browser b = signed_in(t, "nosy@example.test", "nosy", ROLE_OWNER);
    signed_in(t, "private@example.test", "nosy", ROLE_VIEWER);
    const char *id = test_sql_value(t->db, "select s.id from sessions s join users u on u.id ="
                                           " s.user_id where u.email = 'private@example.test'");
    const char *path = arena_printf(t->arena, "/api/v1/sessions/%s", id);
    assert_int_equal(browse_status(&b, "DELETE", path, NULL), 404);
    struct test_reply *list = browse(&b, "GET", "/api/v1/sessions", NULL);
    assert_int_equal(json_array_size(json_object_get(list->json, "items")), 1);
}

static void test_sessions__may_outlive_a_password_on_request(void **state) {
    struct test_service *t = *state;
    struct browser here = signed_in(t, "keeper@example.test", "keepers", ROLE_VIEWER);
    struct browser there = browser_new(t);
    assert_int_equal(sign_in(&there, "keeper@example.test", PASSWORD), 200);
    assert_int_equal(browse_status(&here, "PUT", "/api/v1/me/password",
                                   "{\"current\":\"" PASSWORD "\",\"password\":\"a brand new one"
                                   " to use\",\"end_other_sessions\":false}"),
                     204);
    assert_int_equal(whoami(&there), 200);
    assert_int_equal(browse_status(&here, "PUT", "/api/v1/me/password",
                                   "{\"current\":\"a brand new one to use\",\"password\":\"yet"
                                   " another one to use\",\"end_other_sessions\":true}"),
                     204);
    assert_int_equal(whoami(&there), 401);
    assert_int_equal(whoami(&here), 200);
}

static void test_device__is_named_from_the_user_agent(void **state) {
    struct test_service *t = *state;
    struct ctx cx;
    static const char *const cases[][2] = {
        {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox on Linux"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/140.0 Safari/537.36 Edg/140.0",
         "Edge on Windows"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0"
         " Safari/605.1.15",
         "Safari on macOS"},
        {"something else", "something else"},
        {"", ""}};
    ctx_init(&cx, t->app);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(device_name(&cx, cases[i][0]), cases[i][1]);
    ctx_done(&cx);
}

/* --- second factors --- */

/* Appendix B of RFC 6238: time in seconds, eight digits, SHA-1. */
static void test_totp__gives_the_numbers_of_the_standard(void **state) {
    (void)state;
    static const struct {
        int64_t at;
        const char *code;
    } cases[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                 {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char code[9];
        totp_at((const unsigned char *)"12345678901234567890", 20, cases[i].at / 30, 8, code);
        assert_string_equal(code, cases[i].code);
    }
}

static size_t base32_decode(const char *text, unsigned char *ret) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t bits = 0;
    size_t size = 0;
    int held = 0;
    for (; *text; text++) {
        bits = bits << 5 | (uint64_t)(strchr(alphabet, *text) - alphabet);
        held += 5;
        if (held >= 8)
            ret[size++] = (unsigned char)(bits >> (held -= 8));
    }
    return size;
}

/* What an authenticator shows so many steps from now. */
static const char *code_at(struct test_service *t, const char *secret, int steps) {
    unsigned char bytes[64];
    char code[7];
    size_t size = base32_decode(secret, bytes);
    assert_int_equal(size, TOTP_SECRET_SIZE);
    totp_at(bytes, size, clock_now_us() / 30000000 + steps, 6, code);
    return arena_strdup(t->arena, code);
}

static const char *code_body(struct test_service *t, const char *code) {
    return arena_printf(t->arena, "{\"code\":\"%s\"}", code);
}

static struct test_reply *sign_in_with(struct browser *b, const char *email, const char *code) {
    const char *body = arena_printf(
        b->arena, "{\"email\":\"%s\",\"password\":\"" PASSWORD "\",\"code\":\"%s\"}", email, code);
    return browse(b, "POST", "/api/v1/session", body);
}

static void test_second_factor__from_set_up_to_removal(void **state) {
    struct test_service *t = *state;
    const char *email = "totp@example.test";
    struct browser b = signed_in(t, email, "totp", ROLE_OWNER), other = browser_new(t);
    clock_freeze(clock_now_us(), 0);
    struct test_reply *setup = browse(&b, "POST", "/api/v1/me/totp", NULL);
    assert_int_equal(setup->status, 200);
    const char *secret = string_of(setup, "secret");
    assert_non_null(strstr(string_of(setup, "qr_svg"), "<svg"));
    assert_non_null(strstr(string_of(setup, "uri"), "Slipway:totp%40example.test?secret="));
    /* Not yet confirmed: nothing is asked for. */
    assert_int_equal(sign_in(&other, email, PASSWORD), 200);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/me/totp/confirm", code_body(t, "000000x")),
                     400);
    const char *code = code_at(t, secret, -1);
    struct test_reply *confirmed =
        browse(&b, "POST", "/api/v1/me/totp/confirm", code_body(t, code));
    assert_int_equal(confirmed->status, 200);
    json_t *codes = json_object_get(confirmed->json, "codes");
    assert_int_equal(json_array_size(codes), 10);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/me/totp", NULL), 409);

    struct test_reply *refused =
        browse(&other, "POST", "/api/v1/session",
               "{\"email\":\"totp@example.test\",\"password\":\"" PASSWORD "\"}");
    assert_int_equal(refused->status, 401);
    assert_string_equal(string_of(refused, "field"), "code");
    assert_int_equal(sign_in_with(&other, email, code)->status, 401); /* used at confirming */
    const char *now = code_at(t, secret, 0);
    assert_int_equal(sign_in_with(&other, email, now)->status, 200);
    assert_int_equal(sign_in_with(&other, email, now)->status, 401);
    assert_int_equal(sign_in_with(&other, email, code_at(t, secret, 2))->status, 401);
    assert_int_equal(sign_in_with(&other, email, code_at(t, secret, 1))->status, 200);

    const char *spare = json_string_value(json_array_get(codes, 0));
    assert_int_equal(sign_in_with(&other, email, spare)->status, 200);
    assert_int_equal(sign_in_with(&other, email, spare)->status, 401);
    const char *second = json_string_value(json_array_get(codes, 1));
    struct test_reply *renewed =
        browse(&b, "POST", "/api/v1/me/recovery-codes", code_body(t, second));
    assert_int_equal(renewed->status, 200);
    const char *third = json_string_value(json_array_get(codes, 2));
    assert_int_equal(sign_in_with(&other, email, third)->status, 401);

    const char *fresh =
        json_string_value(json_array_get(json_object_get(renewed->json, "codes"), 0));
    assert_int_equal(browse_status(&b, "DELETE", "/api/v1/me/totp", code_body(t, "999999999")),
                     400);
    assert_int_equal(browse_status(&b, "DELETE", "/api/v1/me/totp", code_body(t, fresh)), 204);
    assert_int_equal(sign_in(&other, email, PASSWORD), 200);
    clock_freeze(0, 0);
}

static void test_second_factor__secret_is_not_in_the_database(void **state) {
    struct test_service *t = *state;
    struct browser b = signed_in(t, "sealed@example.test", "sealed", ROLE_OWNER);
    struct test_reply *setup = browse(&b, "POST", "/api/v1/me/totp", NULL);
    unsigned char bytes[64];
    char hex[2 * TOTP_SECRET_SIZE + 1];
    size_t size = base32_decode(string_of(setup, "secret"), bytes);
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    const char *sealed = test_sql_value(t->db, "select secret_sealed from second_factors");
    assert_true(strlen(sealed) > 40);
    assert_null(strstr(sealed, hex));
    assert_null(strstr(sealed, string_of(setup, "secret")));
    /* Bound to its owner: moved to another row it does not open. */
    struct browser thief = signed_in(t, "sealed.thief@example.test", "sealed", ROLE_VIEWER);
    test_sql(t->db, "insert into second_factors (user_id, secret_sealed) select u.id,"
                    " f.secret_sealed from users u, second_factors f"
                    " where u.email = 'sealed.thief@example.test'");
    assert_int_equal(browse_status(&thief, "POST", "/api/v1/me/totp/confirm",
                                   code_body(t, code_at(t, string_of(setup, "secret"), 0))),
                     500);
}

static void test_second_factor__guesses_are_limited(void **state) {
    struct test_service *t = *state;
    const char *email = "guessed@example.test";
    struct browser b = signed_in(t, email, "guessed", ROLE_VIEWER), guesser = browser_new(t);
    const char *secret = string_of(browse(&b, "POST", "/api/v1/me/totp", NULL), "secret");
    assert_int_equal(
        browse_status(&b, "POST", "/api/v1/me/totp/confirm", code_body(t, code_at(t, secret, 0))),
        200);
    test_sql(t->db, "delete from login_failures");
    int refused = 0;
    for (int i = 0; i < 12; i++) {
        /* Asking without a code in between must not give tries back. */
        sign_in(&guesser, email, PASSWORD);
        refused += sign_in_with(&guesser, email, "AAAAAAAAAAAAAAAA")->status == 429;
    }
    assert_int_equal(refused, 2);
    test_sql(t->db, "delete from login_failures");
}

static void test_sweep__forgets_old_resets(void **state) {
    struct test_service *t = *state;
    struct ctx cx;
    test_sql(t->db, "update password_resets set expires_at = now() - interval '8 days'");
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(auth_sweep(&cx), &cx.err);
    ctx_done(&cx);
    assert_string_equal(test_sql_value(t->db, "select count(*) from password_resets"), "0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_member__is_listed_with_role_and_state),
        cmocka_unit_test(test_member__change_of_role_is_felt_at_once),
        cmocka_unit_test(test_member__only_owners_touch_owners),
        cmocka_unit_test(test_member__a_team_keeps_its_last_owner),
        cmocka_unit_test(test_member__two_owners_demoting_each_other_leave_one),
        cmocka_unit_test(test_member__deactivated_is_out_everywhere_and_can_come_back),
        cmocka_unit_test(test_member__removed_is_gone_with_sessions_and_tokens),
        cmocka_unit_test(test_member__of_another_team_is_not_found),
        cmocka_unit_test(test_invitation__makes_an_account_once),
        cmocka_unit_test(test_invitation__of_an_account_needs_its_password),
        cmocka_unit_test(test_invitation__revoked_replaced_or_expired_is_not_good),
        cmocka_unit_test(test_invitation__followed_by_eight_at_once_lets_one_in),
        cmocka_unit_test(test_reset__sets_a_password_once_and_ends_sessions),
        cmocka_unit_test(test_reset__is_refused_for_people_of_other_teams),
        cmocka_unit_test(test_second_factor__of_a_member_is_dropped_by_an_admin),
        cmocka_unit_test(test_reset__expires),
        cmocka_unit_test(test_sessions__are_listed_and_ended),
        cmocka_unit_test(test_sessions__of_others_are_not_found),
        cmocka_unit_test(test_sessions__may_outlive_a_password_on_request),
        cmocka_unit_test(test_device__is_named_from_the_user_agent),
        cmocka_unit_test(test_totp__gives_the_numbers_of_the_standard),
        cmocka_unit_test(test_second_factor__from_set_up_to_removal),
        cmocka_unit_test(test_second_factor__secret_is_not_in_the_database),
        cmocka_unit_test(test_second_factor__guesses_are_limited),
        cmocka_unit_test(test_sweep__forgets_old_resets),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
