/* The audit log over HTTP: filters, pages, copies, and the proof that finds what was tampered with.
 */
#include "auth/audit.h"
#include "auth/auth.h"
#include "tests/support/domains.h"

static void event_make(struct domains *d, const char *action, const char *object) {
    struct ctx cx;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_ADMIN);
    assert_ok(auth_audit(&cx, action, object, OK), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

static json_t *as_admin(struct domains *d, const char *path) {
    return test_expect(d->app, d->arena, 200,
                       &(struct test_request){.path = path, .who = &d->admin})
        ->json;
}

static size_t count_of(struct domains *d, const char *path) {
    return json_array_size(json_object_get(as_admin(d, path), "items"));
}

static void test_audit__is_for_admins_of_the_team(void **state) {
    struct domains *d = *state;
    event_make(d, "thing.make", "/things/1");
    get_fails(d, 403, &d->editor, "/api/v1/audit");
    get_fails(d, 403, &d->editor, "/api/v1/audit/export?format=csv");
    get_fails(d, 403, &d->viewer, "/api/v1/audit/verify");
    struct principal theirs = test_person(&d->theirs, ROLE_OWNER);
    struct test_reply *reply =
        test_expect(d->app, d->arena, 200,
                    &(struct test_request){.path = "/api/v1/audit?action=thing.", .who = &theirs});
    assert_int_equal(json_array_size(json_object_get(reply->json, "items")), 0);
}

static void test_audit__is_searched(void **state) {
    struct domains *d = *state;
    event_make(d, "search.one", "/things/=1");
    event_make(d, "search.two", "/things/2");
    send_json(d, 403, &d->viewer, "POST", "/api/v1/projects", "{\"slug\":\"x\",\"name\":\"X\"}");
    assert_int_equal(count_of(d, "/api/v1/audit?action=search."), 2);
    assert_int_equal(count_of(d, "/api/v1/audit?action=search.one"), 1);
    assert_int_equal(count_of(d, "/api/v1/audit?object=things/2&action=search."), 1);
    assert_int_equal(count_of(d, "/api/v1/audit?actor=OURS@&action=search."), 2);
    assert_int_equal(count_of(d, "/api/v1/audit?actor=nobody-such"), 0);
    json_t *refused = as_admin(d, "/api/v1/audit?refused=true&action=project.create");
    assert_string_equal(text_at(item_at(refused, 0), "refusal"), "FORBIDDEN");
    assert_int_equal(count_of(d, "/api/v1/audit?to=2020-01-01T00:00:00Z"), 0);
    assert_int_equal(count_of(d, "/api/v1/audit?action=search.&from=2020-01-01T00:00:00Z"), 2);
    get_fails(d, 400, &d->admin, "/api/v1/audit?from=yesterday");
    get_fails(d, 400, &d->admin, "/api/v1/audit?unknown=1");
}

static void test_audit__pages_show_each_event_once(void **state) {
    struct domains *d = *state;
    for (int i = 0; i < 7; i++)
        event_make(d, "paged.event", "/p");
    int64_t last = INT64_MAX;
    int seen = 0;
    const char *path = "/api/v1/audit?action=paged.&limit=3";
    for (;;) {
        json_t *page = as_admin(d, path);
        for (size_t i = 0; i < json_array_size(json_object_get(page, "items")); i++, seen++) {
            assert_true(int_at(item_at(page, i), "seq") < last);
            last = int_at(item_at(page, i), "seq");
        }
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        if (!next)
            break;
        path = arena_printf(d->arena, "/api/v1/audit?action=paged.&limit=3&cursor=%s", next);
    }
    assert_int_equal(seen, 7);
    get_fails(d, 400, &d->admin, "/api/v1/audit?cursor=bm9uc2Vuc2U");
}

static void test_audit__is_copied_whole(void **state) {
    struct domains *d = *state;
    event_make(d, "copy.event", "=cmd|' /C calc'!A0, \"quoted\"");
    struct test_request rq = {.path = "/api/v1/audit/export?format=csv", .who = &d->admin};
    struct test_reply *reply = test_expect(d->app, d->arena, 200, &rq);
    assert_non_null(strstr(reply->head, "attachment; filename=\"audit.csv\""));
    assert_int_equal(strncmp(reply->body, "seq,at,actor_kind,", 18), 0);
    assert_non_null(strstr(reply->body, "\"'=cmd|' /C calc'!A0, \"\"quoted\"\"\""));
    rq.path = "/api/v1/audit/export?format=jsonl";
    reply = test_expect(d->app, d->arena, 200, &rq);
    int64_t lines = 0;
    for (const char *at = reply->body; *at; at = strchr(at, '\n') + 1, lines++) {
        auto_json *event = json_loadb(at, strcspn(at, "\n"), 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(event, "seq")), lines + 1);
    }
    /* Its own event is written by the dispatcher before the stream begins. */
    const char *count = test_sql_value(
        d->db, arena_printf(d->arena, "select count(*) from audit_events where team_id = '%s'",
                            d->ours.team_id));
    assert_int_equal(lines, atoll(count));
    get_fails(d, 400, &d->admin, "/api/v1/audit/export?format=xml");
    get_fails(d, 400, &d->admin, "/api/v1/audit/export");
}

static void tamper(struct domains *d, const char *change, int64_t seq) {
    test_sql(d->db, arena_printf(d->arena, "%s where team_id = '%s' and seq = %lld", change,
                                 d->ours.team_id, (long long)seq));
}

static void assert_bad(struct domains *d, int64_t seq, const char *word) {
    json_t *verdict = as_admin(d, "/api/v1/audit/verify");
    assert_true(json_is_false(at(verdict, "ok")));
    assert_int_equal(int_at(verdict, "first_bad_seq"), seq);
    assert_non_null(strstr(text_at(verdict, "message"), word));
}

static bool contains(struct domains *d, int64_t seq, const char *hash) {
    struct ctx cx;
    bool there;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_ADMIN);
    assert_ok(audit_contains(&cx, d->ours.team_id, seq, hash, &there), &cx.err);
    ctx_done(&cx);
    return there;
}

static void test_audit__an_earlier_end_shows_what_was_cut_off(void **state) {
    struct domains *d = *state;
    event_make(d, "end.event", "/e");
    json_t *verdict = as_admin(d, "/api/v1/audit/verify");
    int64_t last = int_at(verdict, "last_seq");
    const char *hash = text_at(verdict, "last_hash");
    assert_int_equal(strlen(hash), 64);
    event_make(d, "end.event", "/later");
    assert_true(contains(d, last, hash));
    assert_false(contains(d, last + 1, hash));
    assert_false(contains(d, last, text_at(as_admin(d, "/api/v1/audit/verify"), "last_hash")));
}

static void test_audit__one_changed_or_missing_event_is_named(void **state) {
    struct domains *d = *state;
    for (int i = 0; i < 5; i++)
        event_make(d, "chain.event", "/c");
    json_t *verdict = as_admin(d, "/api/v1/audit/verify");
    assert_true(json_is_true(at(verdict, "ok")));
    int64_t newest = int_at(verdict, "events");
    assert_true(newest >= 5);
    tamper(d, "update audit_events set action = 'chain.other'", newest - 2);
    assert_bad(d, newest - 2, "was changed");
    tamper(d, "update audit_events set action = 'chain.event'", newest - 2);
    assert_true(json_is_true(at(as_admin(d, "/api/v1/audit/verify"), "ok")));
    tamper(d,
           "update audit_events e set action = 'x', hash = audit_hash(jsonb_populate_record(e,"
           " '{\"action\":\"x\"}'))",
           newest - 3);
    assert_bad(d, newest - 2, "does not belong");
    tamper(d, "delete from audit_events", newest - 4);
    assert_bad(d, newest - 4, "is missing");
}

static void test_audit__every_chain_is_known_to_the_operator(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct list chains;
    event_make(d, "own.event", "/o");
    test_ctx_system(&cx, d->db);
    assert_ok(audit_chain_list(&cx, &chains), &cx.err);
    const struct audit_chain *chain = chains.items;
    bool found = false;
    for (size_t i = 0; i < chains.count; i++)
        found |= chain[i].id && strcmp(chain[i].id, d->ours.team_id) == 0 &&
                 strcmp(chain[i].slug, d->ours.slug) == 0;
    assert_true(found);
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit__is_for_admins_of_the_team),
        cmocka_unit_test(test_audit__is_searched),
        cmocka_unit_test(test_audit__pages_show_each_event_once),
        cmocka_unit_test(test_audit__is_copied_whole),
        cmocka_unit_test(test_audit__every_chain_is_known_to_the_operator),
        cmocka_unit_test(test_audit__an_earlier_end_shows_what_was_cut_off),
        cmocka_unit_test(test_audit__one_changed_or_missing_event_is_named),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
