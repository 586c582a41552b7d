/* Webhooks over our own API: who may have them, what they are told and when, and what becomes of
 * those that do not answer. */
#include "tests/webhooks/receiver.h"

#include "base/clock.h"
#include "webhooks/webhooks.h"

static const char PATH[] = "/api/v1/projects/ours/webhooks";

static json_t *hook_make(struct domains *d, const char *events, const char *more) {
    const char *body = arena_printf(
        d->arena, "{\"name\":\"ci\",\"url\":\"https://example.com/hook\",\"events\":[%s]%s}",
        events, more);
    return send_json(d, 201, &d->admin, "POST", PATH, body)->json;
}

static const char *path_of(struct domains *d, json_t *hook, const char *rest) {
    return arena_printf(d->arena, "%s/%s%s", PATH, text_at(hook, "id"), rest);
}

static json_t *as_admin(struct domains *d, const char *path) {
    return send_json(d, 200, &d->admin, "GET", path, NULL)->json;
}

static json_t *deliveries(struct domains *d, json_t *hook) {
    return as_admin(d, path_of(d, hook, "/deliveries"));
}

static json_t *model_make(struct domains *d, const char *name) {
    const char *body = arena_printf(d->arena, "{\"name\":\"%s\"}", name);
    return send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/models", body)->json;
}

static void test_webhook__is_kept_without_telling_its_secret(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\",\"model_version.created\"",
                             ",\"secret\":\"open-sesame\",\"description\":\"tells CI\"");
    assert_true(json_is_true(at(hook, "has_secret")));
    assert_string_equal(text_at(hook, "status"), "active");
    assert_int_equal(json_array_size(at(hook, "events")), 2);
    hook = send_json(d, 200, &d->admin, "PATCH", path_of(d, hook, ""),
                     "{\"name\":\"ci-2\",\"events\":[\"prompt.created\"]}")
               ->json;
    assert_string_equal(text_at(hook, "name"), "ci-2");
    assert_true(json_is_true(at(hook, "has_secret")));
    assert_string_equal(text_at(as_admin(d, path_of(d, hook, "")), "description"), "tells CI");
    assert_string_equal(text_at(item_at(as_admin(d, PATH), 0), "name"), "ci-2");
    assert_string_equal(test_sql_value(d->db, "select count(*) from audit_events"
                                              " where audit_events::text like '%sesame%'"),
                        "0");
    assert_string_equal(
        test_sql_value(d->db, "select count(*) from webhooks where webhooks::text like '%sesame%'"),
        "0");
    hook = send_json(d, 200, &d->admin, "PATCH", path_of(d, hook, ""), "{\"secret\":\"\"}")->json;
    assert_false(json_is_true(at(hook, "has_secret")));
    send_json(d, 204, &d->admin, "DELETE", path_of(d, hook, ""), NULL);
    send_json(d, 404, &d->admin, "GET", path_of(d, hook, ""), NULL);
}

static void test_webhook__is_for_admins_of_its_project(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    send_json(d, 403, &d->editor, "GET", PATH, NULL);
    send_json(d, 403, &d->viewer, "POST", path_of(d, hook, "/test"), "{}");
    struct principal stranger = test_person(&d->theirs, ROLE_ADMIN);
    send_json(d, 404, &stranger, "GET", path_of(d, hook, ""), NULL);
    const char *elsewhere =
        arena_printf(d->arena, "/api/v1/projects/theirs/webhooks/%s", text_at(hook, "id"));
    send_json(d, 404, &stranger, "GET", elsewhere, NULL);
    assert_wall(d, "webhooks");
    model_make(d, "walled");
    assert_wall(d, "webhook_deliveries");
}

static void test_webhook__refuses_addresses_that_are_none(void **state) {
    static const char *const URLS[] = {"http://example.com/",
                                       "https://127.0.0.1/",
                                       "https://[::1]/",
                                       "https://[::ffff:7f00:1]/",
                                       "https://[::ffff:127.0.0.1]/",
                                       "https://0x7f000001/",
                                       "https://2130706433/",
                                       "https://127.1/",
                                       "https://0/",
                                       "https://0177.0.0.1/",
                                       "https://169.254.169.254/latest/",
                                       "https://[fd00::1]/",
                                       "https://[fe80::1%25eth0]/",
                                       "https://[::]/",
                                       "https://10.0.0.8:8443/",
                                       "https://192.168.1.1/",
                                       "https://172.16.0.1/",
                                       "https://100.64.0.1/",
                                       "https://user@example.com/",
                                       "https://a:b@example.com/",
                                       "http://ok#@127.0.0.1/",
                                       "file:///etc/passwd",
                                       "gopher://example.com/",
                                       "ftp://example.com/",
                                       "https://example.com:22/",
                                       "https://example.com:25/",
                                       "https://127。0。0。1/",
                                       "https://ⓔxample.com/",

                                       "example.com",
                                       " https://example.com/",
                                       "https://exa mple.com/",
                                       "javascript:alert(1)",
                                       "https://2002:7f00:1::/",
                                       "https://[2002:7f00:1::]/",
                                       "https://[64:ff9b::7f00:1]/",
                                       "https://255.255.255.255/",
                                       "https://224.0.0.1/",
                                       "//example.com/"};
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"prompt.created\"", "");
    for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
        const char *body = arena_printf(
            d->arena, "{\"name\":\"x\",\"url\":\"%s\",\"events\":[\"prompt.created\"]}", URLS[i]);
        struct test_reply *reply = send_json(d, 400, &d->admin, "POST", PATH, body);
        if (strcmp(field_of(reply), "url") != 0)
            fail_msg("%s was refused for \"%s\"", URLS[i], field_of(reply));
        send_json(d, 400, &d->admin, "PATCH", path_of(d, hook, ""),
                  arena_printf(d->arena, "{\"url\":\"%s\"}", URLS[i]));
    }
    assert_string_equal(test_sql_value(d->db, "select count(*) from webhooks"), "1");
}

static void test_webhook__limits_name_the_field(void **state) {
    static const struct {
        const char *body, *field;
    } CASES[] = {
        {"{\"name\":\"-x\",\"url\":\"https://a.example/\",\"events\":[\"prompt.created\"]}",
         "name"},
        {"{\"name\":\"a b\",\"url\":\"https://a.example/\",\"events\":[\"prompt.created\"]}",
         "name"},
        {"{\"name\":\"x\",\"url\":\"https://a.example/\",\"events\":[\"prompt.lost\"]}", "events"},
        {"{\"name\":\"x\",\"url\":\"https://a.example/\",\"events\":[]}", "events"},
        {"{\"name\":\"x\",\"events\":[\"prompt.created\"]}", "url"}};
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_string_equal(field_of(send_json(d, 400, &d->admin, "POST", PATH, CASES[i].body)),
                            CASES[i].field);
    for (int i = 0; i < WEBHOOKS_MAX; i++)
        hook_make(d, "\"prompt.created\"", "");
    send_json(d, 409, &d->admin, "POST", PATH,
              "{\"name\":\"x\",\"url\":\"https://a.example/\",\"events\":[\"prompt.created\"]}");
    json_t *page = as_admin(d, arena_printf(d->arena, "%s?limit=15", PATH));
    assert_int_equal(json_array_size(at(page, "items")), 15);
    page = as_admin(
        d, arena_printf(d->arena, "%s?limit=15&cursor=%s", PATH, text_at(page, "next_cursor")));
    assert_int_equal(json_array_size(at(page, "items")), 5);
}

static void test_events__are_told_once_they_are_committed(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", ",\"secret\":\"s\"");
    model_make(d, "told");
    send_json(d, 409, &d->editor, "POST", "/api/v1/projects/ours/models", "{\"name\":\"told\"}");
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"elsewhere\",\"name\":\"2\"}");
    send_json(d, 201, &d->editor, "POST", "/api/v1/projects/elsewhere/models",
              "{\"name\":\"not told\"}");
    assert_int_equal(receiver.count, 0);
    assert_int_equal(send_all(d), 1);
    json_t *told = receiver_json(d);
    assert_string_equal(text_at(told, "entity"), "registered_model");
    assert_string_equal(text_at(told, "action"), "created");
    assert_string_equal(text_at(at(told, "data"), "name"), "told");
    assert_non_null(strstr(receiver.signature, "v1,"));
    json_t *delivery = item_at(deliveries(d, hook), 0);
    assert_string_equal(text_at(delivery, "state"), "delivered");
    assert_string_equal(text_at(delivery, "id"), receiver.id);
    assert_string_equal(text_at(delivery, "body"), receiver.body);
    assert_int_equal(int_at(json_array_get(at(delivery, "log"), 0), "status"), 200);
    assert_string_equal(text_at(as_admin(d, path_of(d, hook, "")), "last_state"), "delivered");
    assert_int_equal(send_all(d), 0);
}

static void test_events__of_a_rolled_back_change_are_not_told(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    hook_make(d, "\"prompt.created\"", "");
    ctx_init(&cx, d->app);
    cx.who = d->editor;
    assert_int_equal(webhook_emit(&cx, d->ours.project_id, "prompt.created", json_object()), OK);
    ctx_done(&cx);
    assert_int_equal(send_all(d), 0);
}

static void test_delivery__is_tried_again_under_the_same_id(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    memcpy(receiver.answers, (int[]){503, 0, 429, 200}, 4 * sizeof(int));
    model_make(d, "again");
    assert_int_equal(send_all(d), 1);
    char id[64];
    strcpy(id, receiver.id);
    assert_true(int_at(as_admin(d, path_of(d, hook, "")), "failures") == 1);
    assert_string_equal(text_at(item_at(deliveries(d, hook), 0), "state"), "waiting");
    for (int i = 0; i < 3; i++) {
        let_time_pass(d);
        assert_int_equal(send_all(d), 1);
        assert_string_equal(receiver.id, id);
    }
    assert_string_equal(receiver.signature, "");
    json_t *delivery = item_at(deliveries(d, hook), 0);
    assert_string_equal(text_at(delivery, "state"), "delivered");
    assert_int_equal(int_at(delivery, "attempts"), 4);
    assert_int_equal(json_array_size(at(delivery, "log")), 4);
    assert_true(json_is_null(at(json_array_get(at(delivery, "log"), 1), "status")));
    assert_int_equal(int_at(as_admin(d, path_of(d, hook, "")), "failures"), 0);
}

static void test_delivery__waits_as_long_as_it_is_asked_to(void **state) {
    struct domains *d = *state;
    hook_make(d, "\"registered_model.created\"", "");
    receiver.answers[0] = 429;
    receiver.retry_after_s = 600;
    model_make(d, "slowly");
    assert_int_equal(send_all(d), 1);
    assert_string_equal(test_sql_value(d->db, "select due_at > now() + interval '590 s'"
                                              " from webhook_deliveries"),
                        "t");
}

static void test_delivery__that_is_refused_fails_at_once(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    memcpy(receiver.answers, (int[]){404, 302}, 2 * sizeof(int));
    model_make(d, "refused");
    model_make(d, "redirected");
    assert_int_equal(send_all(d), 2);
    let_time_pass(d);
    assert_int_equal(send_all(d), 0);
    json_t *page = deliveries(d, hook);
    json_t *last = json_array_get(at(item_at(page, 0), "log"), 0);
    assert_string_equal(text_at(item_at(page, 0), "state"), "failed");
    assert_non_null(strstr(text_at(last, "error"), "redirects are not followed"));
    json_t *first = as_admin(d, path_of(d, hook, "/deliveries?limit=1"));
    json_t *second =
        as_admin(d, arena_printf(d->arena, "%s&cursor=%s", path_of(d, hook, "/deliveries?limit=1"),
                                 text_at(first, "next_cursor")));
    assert_string_not_equal(text_at(item_at(first, 0), "id"), text_at(item_at(second, 0), "id"));
    assert_true(json_is_null(at(second, "next_cursor")));
}

static void test_delivery__is_given_up_after_the_last_attempt(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    model_make(d, "hopeless");
    for (int i = 0; i < 9; i++) {
        receiver.count = 0;
        receiver.answers[0] = 500;
        let_time_pass(d);
        assert_int_equal(send_all(d), 1);
    }
    let_time_pass(d);
    assert_int_equal(send_all(d), 0);
    json_t *delivery = item_at(deliveries(d, hook), 0);
    assert_string_equal(text_at(delivery, "state"), "failed");
    assert_int_equal(int_at(delivery, "attempts"), 9);
    const char *again = path_of(
        d, hook, arena_printf(d->arena, "/deliveries/%s/redeliver", text_at(delivery, "id")));
    delivery = send_json(d, 200, &d->admin, "POST", again, NULL)->json;
    assert_string_equal(text_at(delivery, "state"), "waiting");
    assert_int_equal(send_all(d), 1);
    assert_string_equal(text_at(delivery, "id"), receiver.id);
    assert_string_equal(text_at(item_at(deliveries(d, hook), 0), "state"), "delivered");
    send_json(d, 404, &d->admin, "POST",
              path_of(d, hook, "/deliveries/01920000-0000-7000-8000-0000000000ff/redeliver"), NULL);
}

static void test_delivery__that_was_claimed_is_not_sent_by_another(void **state) {
    struct domains *d = *state;
    hook_make(d, "\"registered_model.created\"", "");
    model_make(d, "claimed");
    test_sql(d->db, "update webhook_deliveries set claimed_until = now() + interval '20 s'");
    assert_int_equal(send_all(d), 0);
    test_sql(d->db, "update webhook_deliveries set claimed_until = now() - interval '1 s'");
    assert_int_equal(send_all(d), 1);
}

static void test_delivery__leaves_room_for_others(void **state) {
    struct domains *d = *state;
    hook_make(d, "\"registered_model.created\"", "");
    model_make(d, "one");
    model_make(d, "two");
    model_make(d, "three");
    test_sql(d->db, "update webhook_deliveries set claimed_until = now() + interval '20 s'"
                    " where id in (select id from webhook_deliveries limit 2)");
    assert_int_equal(send_all(d), 0); /* two at once are enough for one hook */
    hook_make(d, "\"registered_model.created\"", "");
    model_make(d, "four");
    assert_int_equal(send_all(d), 1);
    test_sql(d->db, "insert into webhook_deliveries (team_id, webhook_id, event, body,"
                    " claimed_until) select team_id, webhook_id, event, body, claimed_until from"
                    " webhook_deliveries where claimed_until is not null");
    hook_make(d, "\"registered_model.created\"", "");
    model_make(d, "five");
    assert_int_equal(send_all(d), 0); /* and four for one team */
}

static void test_hook__that_fails_for_a_day_is_switched_off(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    receiver.answers[0] = 503;
    model_make(d, "first");
    model_make(d, "second");
    test_sql(d->db, "update webhooks set failures = 9, failing_since = now() - interval '25 h'");
    assert_int_equal(send_all(d), 1);
    hook = as_admin(d, path_of(d, hook, ""));
    assert_string_equal(text_at(hook, "status"), "disabled");
    assert_non_null(strstr(text_at(hook, "disabled_reason"), "it answered 503"));
    json_t *page = deliveries(d, hook);
    assert_string_equal(text_at(item_at(page, 0), "state"), "failed");
    assert_string_equal(test_sql_value(d->db, "select count(*) from audit_events"
                                              " where action = 'webhook.switched_off'"),
                        "1");
    const char *again = path_of(
        d, hook,
        arena_printf(d->arena, "/deliveries/%s/redeliver", text_at(item_at(page, 0), "id")));
    send_json(d, 409, &d->admin, "POST", again, NULL);
    model_make(d, "third");
    assert_int_equal(send_all(d), 0);
    hook = send_json(d, 200, &d->admin, "PATCH", path_of(d, hook, ""), "{\"status\":\"active\"}")
               ->json;
    assert_string_equal(text_at(hook, "disabled_reason"), "");
    assert_int_equal(int_at(hook, "failures"), 0);
}

static void test_hook__that_is_gone_is_switched_off_at_once(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    receiver.answers[0] = 410;
    model_make(d, "gone");
    assert_int_equal(send_all(d), 1);
    assert_string_equal(text_at(as_admin(d, path_of(d, hook, "")), "status"), "disabled");
}

static void test_hook__that_is_disabled_is_told_nothing(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"registered_model.created\"", "");
    model_make(d, "before");
    send_json(d, 200, &d->admin, "PATCH", path_of(d, hook, ""), "{\"status\":\"disabled\"}");
    model_make(d, "after");
    assert_int_equal(send_all(d), 0);
    assert_int_equal(receiver.count, 0);
    json_t *page = deliveries(d, hook);
    assert_int_equal(json_array_size(at(page, "items")), 1);
    assert_string_equal(text_at(item_at(page, 0), "state"), "failed");
}

static void sweep(struct domains *d) {
    struct ctx cx;
    ctx_init(&cx, d->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_int_equal(webhooks_sweep(&cx), OK);
    assert_int_equal(db_commit(&cx), OK);
    ctx_done(&cx);
}

static void deliveries_fill(struct domains *d, json_t *hook, int count, const char *state) {
    test_sql(d->db,
             arena_printf(d->arena,
                          "insert into webhook_deliveries (team_id, webhook_id, event, body, state)"
                          " select team_id, id, 'prompt.created', '{}', '%s'"
                          " from webhooks, generate_series(1, %d) where id = '%s'",
                          state, count, text_at(hook, "id")));
}

static void test_sweep__keeps_the_newest_and_stops_floods(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"prompt.created\"", ""), *flooded;
    deliveries_fill(d, hook, 600, "delivered");
    flooded = hook_make(d, "\"prompt.created\"", "");
    deliveries_fill(d, flooded, 10001, "waiting");
    sweep(d);
    const char *of_hook =
        arena_printf(d->arena, "select count(*) from webhook_deliveries where webhook_id = '%s'",
                     text_at(hook, "id"));
    assert_string_equal(test_sql_value(d->db, of_hook), "500");
    assert_string_equal(text_at(as_admin(d, path_of(d, flooded, "")), "status"), "disabled");
    assert_string_equal(text_at(as_admin(d, path_of(d, hook, "")), "status"), "active");
    test_sql(d->db, "update webhook_deliveries set created_at = now() - interval '31 days'");
    sweep(d);
    assert_string_equal(test_sql_value(d->db, "select count(*) from webhook_deliveries"), "0");
}

static void test_try__says_what_came_of_it(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"model_version.created\"", ",\"secret\":\"s\"");
    json_t *test = send_json(d, 200, &d->admin, "POST", path_of(d, hook, "/test"), "{}")->json;
    assert_true(json_is_true(at(test, "ok")));
    assert_string_equal(text_at(test, "answer"), "thanks");
    assert_string_equal(text_at(receiver_json(d), "entity"), "model_version");
    receiver.answers[1] = 500;
    test = send_json(d, 200, &d->admin, "POST", path_of(d, hook, "/test"),
                     "{\"event\":\"prompt.created\"}")
               ->json;
    assert_false(json_is_true(at(test, "ok")));
    assert_int_equal(int_at(test, "status"), 500);
    assert_string_equal(text_at(receiver_json(d), "entity"), "prompt");
    receiver.answers[2] = 0;
    test = send_json(d, 200, &d->admin, "POST", path_of(d, hook, "/test"), "{}")->json;
    assert_true(json_is_null(at(test, "status")));
    assert_string_equal(text_at(test, "error"), "could not ask it");
    send_json(d, 400, &d->admin, "POST", path_of(d, hook, "/test"), "{\"event\":\"none\"}");
    assert_int_equal(json_array_size(at(deliveries(d, hook), "items")), 0);
}

/* The network itself, with names that anybody has. */
static void test_try__asks_no_private_address(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, "\"prompt.created\"", "");
    receiver_stop();
    send_json(d, 200, &d->admin, "PATCH", path_of(d, hook, ""),
              "{\"url\":\"https://localhost:8443/\"}");
    json_t *test = send_json(d, 200, &d->admin, "POST", path_of(d, hook, "/test"), "{}")->json;
    assert_false(json_is_true(at(test, "ok")));
    assert_non_null(strstr(text_at(test, "error"), "private network"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_webhook__is_kept_without_telling_its_secret, receiver_forget),
        cmocka_unit_test_setup(test_webhook__is_for_admins_of_its_project, receiver_forget),
        cmocka_unit_test_setup(test_webhook__refuses_addresses_that_are_none, receiver_forget),
        cmocka_unit_test_setup(test_webhook__limits_name_the_field, receiver_forget),
        cmocka_unit_test_setup(test_events__are_told_once_they_are_committed, receiver_forget),
        cmocka_unit_test_setup(test_events__of_a_rolled_back_change_are_not_told, receiver_forget),
        cmocka_unit_test_setup(test_delivery__is_tried_again_under_the_same_id, receiver_forget),
        cmocka_unit_test_setup(test_delivery__waits_as_long_as_it_is_asked_to, receiver_forget),
        cmocka_unit_test_setup(test_delivery__that_is_refused_fails_at_once, receiver_forget),
        cmocka_unit_test_setup(test_delivery__is_given_up_after_the_last_attempt, receiver_forget),
        cmocka_unit_test_setup(test_delivery__that_was_claimed_is_not_sent_by_another,
                               receiver_forget),
        cmocka_unit_test_setup(test_delivery__leaves_room_for_others, receiver_forget),
        cmocka_unit_test_setup(test_hook__that_fails_for_a_day_is_switched_off, receiver_forget),
        cmocka_unit_test_setup(test_hook__that_is_gone_is_switched_off_at_once, receiver_forget),
        cmocka_unit_test_setup(test_hook__that_is_disabled_is_told_nothing, receiver_forget),
        cmocka_unit_test_setup(test_sweep__keeps_the_newest_and_stops_floods, receiver_forget),
        cmocka_unit_test_setup(test_try__says_what_came_of_it, receiver_forget),
        cmocka_unit_test_setup(test_try__asks_no_private_address, receiver_forget),
    };
    return cmocka_run_group_tests(tests, receiver_setup, receiver_teardown);
}
