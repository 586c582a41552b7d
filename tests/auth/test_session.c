/* Sessions as a browser lives them: sign in, refresh, change team, sign out, and what ends them
 * from outside. */

#include "tests/auth/browser.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void test_session__sign_in_and_out(void **state) {
    struct browser b = browser_new(*state);
    person_create(*state, "Ann@Example.test", "acme", ROLE_OWNER);
    assert_int_equal(whoami(&b), 401);
    struct test_reply *reply =
        browse(&b, "POST", "/api/v1/session",
               "{\"email\":\"ann@EXAMPLE.test\",\"password\":\"" PASSWORD "\"}");
    assert_int_equal(reply->status, 200);
    assert_non_null(strstr(reply->head, "Path=/; Secure; HttpOnly; SameSite=Strict"));
    assert_string_equal(json_string_value(json_object_get(reply->json, "role")), "owner");
    assert_int_equal(whoami(&b), 200);

    struct browser thief = b;
    assert_int_equal(browse_status(&b, "DELETE", "/api/v1/session", NULL), 204);
    assert_string_equal(b.access, "");
    assert_string_equal(b.refresh, "");
    /* The old cookies are dead on the server, not only gone from the browser. */
    assert_int_equal(whoami(&thief), 401);
    assert_int_equal(browse_status(&thief, "POST", "/api/v1/session/refresh", NULL), 401);
}

static void test_session__cookie_alone_changes_nothing(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    person_create(t, "csrf@example.test", "csrf", ROLE_OWNER);
    assert_int_equal(sign_in(&b, "csrf@example.test", PASSWORD), 200);
    const char *cookie = arena_printf(t->arena, "__Host-slipway=%s", b.access);
    struct test_request rq = {
        .method = "DELETE", .path = "/api/v1/session", .headers = {{"Cookie", cookie}}};
    assert_int_equal(test_send(t->app, t->arena, &rq)->status, 403);
    rq.headers[1] = (struct http_header){"Sec-Fetch-Site", "cross-site"};
    rq.headers[2] = (struct http_header){"X-Slipway-Request", "1"};
    assert_int_equal(test_send(t->app, t->arena, &rq)->status, 403);
    assert_int_equal(whoami(&b), 200);
}

/* --- signing in wrongly --- */

static void test_login__unknown_wrong_and_disabled_sound_the_same(void **state) {
    struct test_service *t = *state;
    static const char *const emails[] = {"known@example.test", "unknown@example.test",
                                         "disabled@example.test"};
    struct browser b = browser_new(t);
    const char *first = NULL;
    person_create(t, emails[0], "login", ROLE_VIEWER);
    person_create(t, emails[2], "login", ROLE_VIEWER);
    test_sql(t->db, "update users set disabled_at = now() where email = 'disabled@example.test'");
    for (int i = 0; i < 3; i++) {
        const char *body =
            arena_printf(t->arena, "{\"email\":\"%s\",\"password\":\"%s\"}", emails[i],
                         i == 2 ? PASSWORD : "wrong horse battery staple");
        struct test_reply *reply = browse(&b, "POST", "/api/v1/session", body);
        assert_int_equal(reply->status, 401);
        json_object_del(reply->json, "request_id");
        char *text = json_dumps(reply->json, JSON_SORT_KEYS);
        if (first)
            assert_string_equal(text, first);
        first = arena_strdup(t->arena, text);
        free(text);
    }
    assert_string_equal(b.access, "");
}

static const char *const BAD_LOGINS[] = {
    "{\"email\":\"known@example.test\"}",
    "{\"email\":\"known@example.test\",\"password\":\"\"}",
    "{\"email\":\"known@example.test\",\"password\":17}",
    "{\"email\":\"known@example.test\",\"password\":\"a\\u0000b\"}",
    "{\"email\":\"known@example.test\",\"password\":\"" PASSWORD "\",\"role\":\"owner\"}",
    "{\"email\":\"known@example.test\",\"password\":\"" PASSWORD "\",\"team_id\":\"x\"}",
};

static void test_login__malformed_is_400(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    for (size_t i = 0; i < sizeof(BAD_LOGINS) / sizeof(BAD_LOGINS[0]); i++)
        assert_int_equal(browse_status(&b, "POST", "/api/v1/session", BAD_LOGINS[i]), 400);
    char *body = arena_printf(t->arena, "{\"email\":\"a@b.c\",\"password\":\"%0300d\"}", 7);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session", body), 400);
}

/* PASSWORD with OWASP's least parameters, as an older installation may have it. */
#define OLD_HASH                                                                                   \
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$"                                       \
    "nYraprBeRtGPen+qqWBjiM2W50oMebuCP+oU2tN98i4"

static void test_login__hashes_anew_when_parameters_are_old(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    const char *hash = "select left(password_hash, 31) from users where email = 'old@example.test'";
    person_create(t, "old@example.test", "old", ROLE_VIEWER);
    test_sql(t->db,
             "update users set password_hash = '" OLD_HASH "' where email = 'old@example.test'");
    assert_int_equal(sign_in(&b, "old@example.test", "not the old password"), 401);
    assert_memory_equal(test_sql_value(t->db, hash), OLD_HASH, 31);
    assert_int_equal(sign_in(&b, "old@example.test", PASSWORD), 200);
    assert_string_equal(test_sql_value(t->db, hash), "$argon2id$v=19$m=65536,t=3,p=1$");
    assert_int_equal(sign_in(&b, "old@example.test", PASSWORD), 200);
}

static void test_login__account_is_limited_and_open_sessions_go_on(void **state) {
    struct test_service *t = *state;
    struct browser victim = browser_new(t), guesser = browser_new(t);
    person_create(t, "victim@example.test", "limits", ROLE_VIEWER);
    assert_int_equal(sign_in(&victim, "victim@example.test", PASSWORD), 200);
    test_sql(t->db, "delete from login_failures; insert into login_failures (subject, failures)"
                    " values ('account:victim@example.test', 9)");
    assert_int_equal(sign_in(&guesser, "victim@example.test", "guess number ten"), 401);
    struct test_reply *reply =
        browse(&guesser, "POST", "/api/v1/session",
               "{\"email\":\"victim@example.test\",\"password\":\"" PASSWORD "\"}");
    assert_int_equal(reply->status, 429);
    int wait = atoi(test_header(t->arena, reply, "Retry-After"));
    assert_in_range(wait, 1, 900);
    assert_int_equal(whoami(&victim), 200);
    assert_int_equal(browse_status(&victim, "POST", "/api/v1/session/refresh", NULL), 200);

    test_sql(t->db, "update login_failures set window_start = now() - interval '16 minutes'");
    assert_int_equal(sign_in(&guesser, "victim@example.test", PASSWORD), 200);
    assert_string_equal(test_sql_value(t->db, "select count(*) from login_failures"
                                              " where subject = 'account:victim@example.test'"),
                        "0");
}

static void test_login__address_is_limited(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    assert_int_equal(sign_in(&b, "somebody@example.test", "some wrong password"), 401);
    test_sql(t->db, "update login_failures set failures = 50, window_start = now()"
                    " where subject like 'address:%'");
    assert_int_equal(sign_in(&b, "somebody.else@example.test", "some wrong password"), 429);
    assert_string_equal(test_sql_value(t->db, "select count(*) from login_failures"
                                              " where subject like 'account:somebody.else%'"),
                        "0");
    test_sql(t->db, "delete from login_failures");
}

/* --- refreshing --- */

static void test_refresh__gives_new_cookies(void **state) {
    struct browser b = browser_new(*state);
    person_create(*state, "refresh@example.test", "refresh", ROLE_VIEWER);
    assert_int_equal(sign_in(&b, "refresh@example.test", PASSWORD), 200);
    struct browser before = b;
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 200);
    assert_string_not_equal(b.refresh, before.refresh);
    assert_int_equal(whoami(&b), 200);
}

static void test_refresh__lost_reply_gets_the_same_successor(void **state) {
    struct browser b = browser_new(*state);
    assert_int_equal(sign_in(&b, "refresh@example.test", PASSWORD), 200);
    struct browser tab = b;
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 200);
    assert_int_equal(browse_status(&tab, "POST", "/api/v1/session/refresh", NULL), 200);
    assert_string_equal(b.refresh, tab.refresh);
}

static void test_refresh__reuse_ends_the_family(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    assert_int_equal(sign_in(&b, "refresh@example.test", PASSWORD), 200);
    struct browser thief = b;
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 200);
    test_sql(t->db, "update refresh_tokens set used_at = now() - interval '31 seconds'"
                    " where used_at is not null");
    assert_int_equal(browse_status(&thief, "POST", "/api/v1/session/refresh", NULL), 401);
    assert_int_equal(whoami(&b), 401);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 401);
    assert_string_equal(test_sql_value(t->db, "select revoked_why from sessions"
                                              " where revoked_why like 'refresh%'"),
                        "refresh token reused");
    assert_string_equal(
        test_sql_value(t->db, "select count(*) from audit_events where action = 'session.reuse'"),
        "1");
}

struct parallel {
    struct browser browser;
    struct arena *arena;
    int status;
};

static void *refresh_once(void *arg) {
    struct parallel *p = arg;
    p->arena = arena_new();
    p->browser.arena = p->arena;
    p->status = browse_status(&p->browser, "POST", "/api/v1/session/refresh", NULL);
    return NULL;
}

static void test_refresh__fifty_at_once_have_one_successor(void **state) {
    struct test_service *t = *state;
    enum { COUNT = 50 };
    static struct parallel p[COUNT];
    pthread_t threads[COUNT];
    struct browser b = browser_new(t);
    assert_int_equal(sign_in(&b, "refresh@example.test", PASSWORD), 200);
    for (int i = 0; i < COUNT; i++) {
        p[i].browser = b;
        pthread_create(&threads[i], NULL, refresh_once, &p[i]);
    }
    int refreshed = 0;
    const char *successor = NULL;
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        arena_free(p[i].arena);
        if (p[i].status == 503) /* no connection to the database was free in time */
            continue;
        assert_int_equal(p[i].status, 200);
        if (successor)
            assert_string_equal(p[i].browser.refresh, successor);
        successor = p[i].browser.refresh;
        refreshed++;
    }
    print_message("%d of %d refreshed, one successor\n", refreshed, COUNT);
    assert_true(refreshed > 0);
    assert_string_equal(test_sql_value(t->db, "select max(n) from (select count(*) as n from"
                                              " refresh_tokens where used_at is null"
                                              " group by family_id) f"),
                        "1");
}

static void test_refresh__garbage_and_expired_are_401(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 401);
    strcpy(b.refresh, "slr_garbage");
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 401);
    assert_int_equal(sign_in(&b, "refresh@example.test", PASSWORD), 200);
    test_sql(t->db, "update refresh_tokens set expires_at = now() where used_at is null");
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 401);
}

static void test_refresh__is_no_access_token(void **state) {
    struct browser b = browser_new(*state);
    assert_int_equal(sign_in(&b, "refresh@example.test", PASSWORD), 200);
    strcpy(b.access, b.refresh);
    assert_int_equal(whoami(&b), 401);
}

/* --- what ends or changes a session from outside --- */

static void assert_dead_within_five_seconds(struct browser *b) {
    forget_principals();
    assert_int_equal(whoami(b), 401);
    clock_freeze(0, 0);
}

static void test_session__disabled_user_is_out(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    person_create(t, "leaver@example.test", "leavers", ROLE_EDITOR);
    assert_int_equal(sign_in(&b, "leaver@example.test", PASSWORD), 200);
    test_sql(t->db, "update users set disabled_at = now() where email = 'leaver@example.test'");
    assert_dead_within_five_seconds(&b);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 401);
}

static void test_session__removed_member_is_out(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    person_create(t, "removed@example.test", "removers", ROLE_EDITOR);
    assert_int_equal(sign_in(&b, "removed@example.test", PASSWORD), 200);
    test_sql(t->db, "delete from members where user_id ="
                    " (select id from users where email = 'removed@example.test')");
    assert_dead_within_five_seconds(&b);
}

static void test_session__changed_role_holds_within_five_seconds(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    person_create(t, "demoted@example.test", "demoters", ROLE_ADMIN);
    assert_int_equal(sign_in(&b, "demoted@example.test", PASSWORD), 200);
    const char *project = "{\"slug\":\"second\",\"name\":\"Second\"}";
    test_sql(t->db, "update members set role = 'viewer' where user_id ="
                    " (select id from users where email = 'demoted@example.test')");
    forget_principals();
    assert_int_equal(browse_status(&b, "POST", "/api/v1/projects", project), 403);
    clock_freeze(0, 0);
}

static void test_session__password_change_ends_the_others(void **state) {
    struct test_service *t = *state;
    struct browser here = browser_new(t), there = browser_new(t);
    person_create(t, "changer@example.test", "changers", ROLE_VIEWER);
    assert_int_equal(sign_in(&here, "changer@example.test", PASSWORD), 200);
    assert_int_equal(sign_in(&there, "changer@example.test", PASSWORD), 200);
    const char *path = "/api/v1/me/password";
    assert_int_equal(browse_status(&here, "PUT", path,
                                   "{\"current\":\"not the current one\","
                                   "\"password\":\"a brand new password\"}"),
                     400);
    assert_int_equal(browse_status(&here, "PUT", path,
                                   "{\"current\":\"" PASSWORD
                                   "\",\"password\":\"passwordpassword\"}"),
                     400);
    assert_int_equal(browse_status(&here, "PUT", path,
                                   "{\"current\":\"" PASSWORD
                                   "\",\"password\":\"a brand new password\"}"),
                     204);
    assert_int_equal(whoami(&here), 200);
    assert_int_equal(browse_status(&here, "POST", "/api/v1/session/refresh", NULL), 200);
    assert_int_equal(whoami(&there), 401);
    assert_int_equal(sign_in(&there, "changer@example.test", PASSWORD), 401);
    assert_int_equal(sign_in(&there, "changer@example.test", "a brand new password"), 200);
}

static void test_session__name_and_language(void **state) {
    struct browser b = browser_new(*state);
    person_create(*state, "me@example.test", "mine", ROLE_VIEWER);
    assert_int_equal(sign_in(&b, "me@example.test", PASSWORD), 200);
    struct test_reply *reply = browse(&b, "PATCH", "/api/v1/me", "{\"locale\":\"zh-CN\"}");
    assert_int_equal(reply->status, 200);
    assert_string_equal(json_string_value(json_object_get(reply->json, "locale")), "zh-CN");
    assert_string_equal(json_string_value(json_object_get(reply->json, "name")), "Some Body");
    assert_int_equal(browse_status(&b, "PATCH", "/api/v1/me", "{\"locale\":\"tlh\"}"), 400);
    assert_int_equal(browse_status(&b, "PATCH", "/api/v1/me", "{\"email\":\"x@y.z\"}"), 400);
}

static void test_session__changes_to_own_teams_only(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    struct test_team foreign, second;
    person_create(t, "switcher@example.test", "switchers", ROLE_OWNER);
    test_team_create(t->db, "foreign", &foreign);
    test_team_create(t->db, "second", &second);
    test_sql(t->db, arena_printf(t->arena,
                                 "insert into members (team_id, user_id, role) select '%s', id,"
                                 " 'viewer' from users where email = 'switcher@example.test'",
                                 second.team_id));
    assert_int_equal(sign_in(&b, "switcher@example.test", PASSWORD), 200);
    const char *path = "/api/v1/session/team";
    assert_int_equal(browse_status(&b, "POST", path,
                                   arena_printf(t->arena, "{\"team_id\":\"%s\"}", foreign.team_id)),
                     404);
    struct test_reply *reply =
        browse(&b, "POST", path, arena_printf(t->arena, "{\"team_id\":\"%s\"}", second.team_id));
    assert_int_equal(reply->status, 200);
    assert_string_equal(json_string_value(json_object_get(reply->json, "role")), "viewer");
    assert_int_equal(json_array_size(json_object_get(reply->json, "teams")), 2);
    assert_int_equal(browse_status(&b, "GET", "/api/v1/projects/second", NULL), 200);
    assert_int_equal(browse_status(&b, "GET", "/api/v1/projects/foreign", NULL), 404);
}

static void test_sweep__removes_what_ended_long_ago(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    struct ctx cx;
    assert_int_equal(sign_in(&b, "me@example.test", PASSWORD), 200);
    test_sql(t->db, "update sessions set expires_at = now() - interval '8 days' where id in"
                    " (select id from sessions order by id limit 1);"
                    "insert into login_failures (subject, window_start)"
                    " values ('account:x', now() - interval '2 hours'), ('account:y', now())");
    const char *sessions = arena_strdup(t->arena, test_sql_value(t->db, "select count(*) - 1 from"
                                                                        " sessions"));
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(auth_sweep(&cx), &cx.err);
    ctx_done(&cx);
    assert_string_equal(test_sql_value(t->db, "select count(*) from sessions"), sessions);
    assert_string_equal(test_sql_value(t->db, "select string_agg(subject, ' ') from login_failures"
                                              " where subject like 'account:_'"),
                        "account:y");
    assert_int_equal(whoami(&b), 200);
}

/* --- the audit log --- */

static void test_audit__has_every_sign_in_and_failure(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    person_create(t, "audited@example.test", "audited", ROLE_VIEWER);
    assert_int_equal(sign_in(&b, "audited@example.test", "the wrong password"), 401);
    assert_int_equal(sign_in(&b, "audited@example.test", PASSWORD), 200);
    assert_int_equal(browse_status(&b, "DELETE", "/api/v1/session", NULL), 204);
    assert_string_equal(
        test_sql_value(
            t->db, "select string_agg(action || ':' || coalesce(refusal, 'OK'), ' ' order by at)"
                   " from audit_events where object = 'audited@example.test'"
                   " or actor_name = 'audited@example.test'"),
        "user.create:OK session.create:UNAUTHENTICATED session.create:OK session.delete:OK");
}

static void test_audit__never_has_a_secret(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    assert_int_equal(sign_in(&b, "audited@example.test", PASSWORD), 200);
    const char *sql =
        arena_printf(t->arena,
                     "select count(*) from audit_events a, refresh_tokens r, sessions s where"
                     " a::text like '%%%s%%' or r::text like '%%%s%%' or s::text like '%%%s%%'"
                     " or a::text like '%%horse battery%%'",
                     b.refresh, b.refresh, b.access);
    assert_string_equal(test_sql_value(t->db, sql), "0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session__sign_in_and_out),
        cmocka_unit_test(test_session__cookie_alone_changes_nothing),
        cmocka_unit_test(test_login__unknown_wrong_and_disabled_sound_the_same),
        cmocka_unit_test(test_login__malformed_is_400),
        cmocka_unit_test(test_login__hashes_anew_when_parameters_are_old),
        cmocka_unit_test(test_login__account_is_limited_and_open_sessions_go_on),
        cmocka_unit_test(test_login__address_is_limited),
        cmocka_unit_test(test_refresh__gives_new_cookies),
        cmocka_unit_test(test_refresh__lost_reply_gets_the_same_successor),
        cmocka_unit_test(test_refresh__reuse_ends_the_family),
        cmocka_unit_test(test_refresh__fifty_at_once_have_one_successor),
        cmocka_unit_test(test_refresh__garbage_and_expired_are_401),
        cmocka_unit_test(test_refresh__is_no_access_token),
        cmocka_unit_test(test_session__disabled_user_is_out),
        cmocka_unit_test(test_session__removed_member_is_out),
        cmocka_unit_test(test_session__changed_role_holds_within_five_seconds),
        cmocka_unit_test(test_session__password_change_ends_the_others),
        cmocka_unit_test(test_session__name_and_language),
        cmocka_unit_test(test_session__changes_to_own_teams_only),
        cmocka_unit_test(test_sweep__removes_what_ended_long_ago),
        cmocka_unit_test(test_audit__has_every_sign_in_and_failure),
        cmocka_unit_test(test_audit__never_has_a_secret),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
