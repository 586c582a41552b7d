/* Roles in projects, groups, service accounts and limited tokens, as people and programs meet them;
 * and the walls: whatever is another team's, or hidden, is not found, in the very words of what was
 * never there. */
#include "tests/auth/browser.h"
#include "tests/support/domains.h"

struct cast {
    struct browser owner, viewer, editor;
    const char *viewer_id, *editor_id;
};

static struct browser member_make(struct domains *d, const char *name, enum role role,
                                  const char **ret_id) {
    struct browser b = browser_new(d->service);
    const char *email = arena_printf(d->arena, "%s@cast.test", name);
    person_create(d->service, email, d->ours.slug, role);
    assert_int_equal(sign_in(&b, email, PASSWORD), 200);
    *ret_id = arena_strdup(
        d->arena,
        test_sql_value(d->db,
                       arena_printf(d->arena, "select id from users where email = '%s'", email)));
    return b;
}

static struct cast cast_make(struct domains *d, const char *scene) {
    struct cast c;
    const char *owner_id;
    c.owner = member_make(d, arena_printf(d->arena, "%s-owner", scene), ROLE_OWNER, &owner_id);
    c.viewer =
        member_make(d, arena_printf(d->arena, "%s-viewer", scene), ROLE_VIEWER, &c.viewer_id);
    c.editor =
        member_make(d, arena_printf(d->arena, "%s-editor", scene), ROLE_EDITOR, &c.editor_id);
    return c;
}

static const char *path_of(struct domains *d, const char *rest) {
    return arena_printf(d->arena, "/api/v1/projects/%s%s", d->ours.slug, rest);
}

static void role_set(struct domains *d, struct browser *b, int status, const char *kind,
                     const char *id, const char *role) {
    const char *body =
        arena_printf(d->arena, "{\"subject_kind\":\"%s\",\"subject_id\":\"%s\",\"role\":\"%s\"}",
                     kind, id, role);
    struct test_reply *reply = browse(b, "PUT", path_of(d, "/roles"), body);
    if (reply->status != status)
        fail_msg("setting %s gave %d: %s", role, reply->status, reply->body);
}

static int role_unset(struct domains *d, struct browser *b, const char *kind, const char *id) {
    return browse_status(b, "DELETE", path_of(d, arena_printf(d->arena, "/roles/%s/%s", kind, id)),
                         NULL);
}

static int dataset_try(struct domains *d, struct browser *b) {
    static int number;
    return browse_status(b, "POST", path_of(d, "/datasets"),
                         arena_printf(d->arena, "{\"name\":\"try-%d\"}", number++));
}

static void test_project_role__raises_and_lowers_at_once(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "raise");
    assert_int_equal(dataset_try(d, &c.viewer), 403);
    role_set(d, &c.owner, 200, "user", c.viewer_id, "editor");
    role_set(d, &c.owner, 200, "user", c.editor_id, "viewer");
    assert_int_equal(dataset_try(d, &c.viewer), 201);
    assert_int_equal(dataset_try(d, &c.editor), 403);
    assert_int_equal(
        browse_status(&c.viewer, "POST", "/api/v1/uploads?file_name=x&size_bytes=1", NULL), 403);
    assert_int_equal(role_unset(d, &c.owner, "user", c.viewer_id), 204);
    assert_int_equal(role_unset(d, &c.owner, "user", c.editor_id), 204);
    assert_int_equal(role_unset(d, &c.owner, "user", c.editor_id), 404);
    assert_int_equal(dataset_try(d, &c.viewer), 403);
    assert_int_equal(dataset_try(d, &c.editor), 201);
}

/* An experiment's first model, logged by a client; its UUID. */
static const char *logged_model_make(struct domains *d) {
    json_t *reply = send_json(d, 200, &d->editor, "POST", "/api/2.0/mlflow/logged-models",
                              "{\"experiment_id\":\"0\",\"name\":\"logged\"}")
                        ->json;
    const char *id = text_at(at(at(reply, "model"), "info"), "model_id") + 2;
    return arena_printf(d->arena, "%.8s-%.4s-%.4s-%.4s-%s", id, id + 8, id + 12, id + 16, id + 20);
}

static const char *hex_of(struct domains *d, const char *uuid) {
    auto_buf hex = {0};
    for (const char *c = uuid; *c; c++)
        if (*c != '-')
            buf_append(&hex, c, 1);
    return arena_strdup(d->arena, hex.data);
}

static void test_project_role__counts_for_every_spelling_of_an_id(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "spelling");
    const char *run = text_at(run_make(d, "spelled"), "id"), *model = logged_model_make(d);
    const char *const PATHS[] = {
        arena_printf(d->arena, "/api/v1/runs/%s/tags", run),
        arena_printf(d->arena, "/api/v1/runs/%s/tags", hex_of(d, run)),
        arena_printf(d->arena, "/api/v1/logged-models/%s", model),
        arena_printf(d->arena, "/api/v1/logged-models/m-%s", hex_of(d, model))};
    role_set(d, &c.owner, 200, "user", c.editor_id, "viewer");
    for (size_t i = 0; i < 4; i++) {
        bool of_run = i < 2;
        assert_int_equal(browse_status(&c.editor, of_run ? "PATCH" : "DELETE", PATHS[i],
                                       of_run ? "{\"tags\":{\"a\":\"b\"}}" : NULL),
                         403);
    }
    assert_int_equal(role_unset(d, &c.owner, "user", c.editor_id), 204);
    assert_int_equal(browse_status(&c.editor, "DELETE", PATHS[3], NULL), 204);
}

static void test_project_role__none_hides_the_project(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "hide");
    role_set(d, &c.owner, 200, "user", c.viewer_id, "none");
    assert_int_equal(browse_status(&c.viewer, "GET", path_of(d, ""), NULL), 404);
    struct test_reply *list = browse(&c.viewer, "GET", "/api/v1/projects", NULL);
    assert_null(strstr(list->body, arena_printf(d->arena, "\"%s\"", d->ours.slug)));
    assert_int_equal(browse_status(&c.owner, "GET", path_of(d, ""), NULL), 200);
    assert_int_equal(role_unset(d, &c.owner, "user", c.viewer_id), 204);
    assert_int_equal(browse_status(&c.viewer, "GET", path_of(d, ""), NULL), 200);
}

static void
test_project_role__an_owner_stays_owner_and_nobody_gives_more_than_they_have(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "bounds");
    const char *owner_id = arena_strdup(
        d->arena,
        test_sql_value(d->db, "select id from users where email = 'bounds-owner@cast.test'"));
    role_set(d, &c.owner, 200, "user", owner_id, "none");
    assert_int_equal(browse_status(&c.owner, "GET", path_of(d, ""), NULL), 200);
    assert_int_equal(role_unset(d, &c.owner, "user", owner_id), 204);
    role_set(d, &c.owner, 400, "user", c.viewer_id, "owner");
    role_set(d, &c.viewer, 403, "user", c.viewer_id, "admin");
    role_set(d, &c.owner, 404, "group", c.viewer_id, "admin");
    role_set(d, &c.owner, 404, "user", d->theirs.user_id, "viewer");
    /* The administrator of one project rules there, and nowhere else. */
    role_set(d, &c.owner, 200, "user", c.viewer_id, "admin");
    role_set(d, &c.viewer, 200, "user", c.editor_id, "viewer");
    assert_int_equal(browse_status(&c.viewer, "GET", "/api/v1/audit", NULL), 403);
    assert_int_equal(role_unset(d, &c.viewer, "user", c.editor_id), 204);
    assert_int_equal(role_unset(d, &c.owner, "user", c.viewer_id), 204);
}

static const char *group_make(struct domains *d, struct browser *b, const char *name) {
    struct test_reply *reply =
        browse(b, "POST", "/api/v1/groups", arena_printf(d->arena, "{\"name\":\"%s\"}", name));
    assert_int_equal(reply->status, 201);
    return json_string_value(json_object_get(reply->json, "id"));
}

static void group_add(struct domains *d, struct browser *b, int status, const char *group,
                      const char *user) {
    assert_int_equal(browse_status(b, "POST",
                                   arena_printf(d->arena, "/api/v1/groups/%s/members", group),
                                   arena_printf(d->arena, "{\"user_id\":\"%s\"}", user)),
                     status);
}

static void test_group__gives_its_members_the_highest_role(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "group");
    const char *low = group_make(d, &c.owner, "Lookers"), *high = group_make(d, &c.owner, "Makers");
    group_add(d, &c.owner, 200, low, c.viewer_id);
    group_add(d, &c.owner, 200, low, c.viewer_id);
    group_add(d, &c.owner, 200, high, c.viewer_id);
    group_add(d, &c.owner, 404, high, d->theirs.user_id);
    role_set(d, &c.owner, 200, "group", low, "none");
    assert_int_equal(browse_status(&c.viewer, "GET", path_of(d, ""), NULL), 404);
    role_set(d, &c.owner, 200, "group", high, "editor");
    assert_int_equal(dataset_try(d, &c.viewer), 201);
    /* One's own row counts before any group's. */
    role_set(d, &c.owner, 200, "user", c.viewer_id, "viewer");
    assert_int_equal(dataset_try(d, &c.viewer), 403);
    assert_int_equal(role_unset(d, &c.owner, "user", c.viewer_id), 204);
    json_t *page = browse(&c.owner, "GET", path_of(d, "/roles"), NULL)->json;
    assert_int_equal(json_array_size(at(page, "items")), 2);
    const char *path = arena_printf(d->arena, "/api/v1/groups/%s", high);
    const char *member = arena_printf(d->arena, "%s/members/%s", path, c.viewer_id);
    page = browse(&c.viewer, "GET", arena_printf(d->arena, "/api/v1/groups/%s/members", low), NULL)
               ->json;
    assert_string_equal(text_at(item_at(page, 0), "id"), c.viewer_id);
    assert_int_equal(browse_status(&c.owner, "DELETE", member, NULL), 204);
    assert_int_equal(browse_status(&c.owner, "DELETE", member, NULL), 404);
    assert_int_equal(browse_status(&c.viewer, "GET", path_of(d, ""), NULL), 404);
    assert_int_equal(browse_status(&c.owner, "PATCH", path, "{\"name\":\"Lookers\"}"), 409);
    assert_int_equal(browse_status(&c.owner, "PATCH", path, "{\"description\":\"D\"}"), 200);
    assert_int_equal(browse_status(&c.viewer, "DELETE", path, NULL), 403);
    assert_int_equal(browse_status(&c.owner, "DELETE", path, NULL), 204);
    assert_int_equal(
        browse_status(&c.owner, "DELETE", arena_printf(d->arena, "/api/v1/groups/%s", low), NULL),
        204);
    assert_int_equal(browse_status(&c.viewer, "GET", path_of(d, ""), NULL), 200);
    page = browse(&c.owner, "GET", "/api/v1/groups", NULL)->json;
    assert_int_equal(json_array_size(at(page, "items")), 0);
}

static void test_permissions__say_what_and_why(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "why");
    role_set(d, &c.owner, 200, "user", c.viewer_id, "editor");
    const char *path = arena_printf(d->arena, "/api/v1/permissions?project=%s&subject=%s",
                                    d->ours.slug, c.viewer_id);
    json_t *row = item_at(browse(&c.owner, "GET", path, NULL)->json, 0);
    assert_string_equal(text_at(row, "role"), "editor");
    assert_string_equal(text_at(row, "because"), "own role in the project");
    row =
        item_at(browse(&c.owner, "GET",
                       arena_printf(d->arena, "/api/v1/permissions?subject=%s", c.viewer_id), NULL)
                    ->json,
                0);
    assert_string_equal(text_at(row, "role"), "viewer");
    assert_string_equal(text_at(row, "because"), "role in the team");
    const char *check = arena_printf(
        d->arena, "/api/v1/permissions/check?permission=dataset.write&project=%s", d->ours.slug);
    assert_true(json_is_true(at(browse(&c.viewer, "GET", check, NULL)->json, "allowed")));
    json_t *answer =
        browse(&c.viewer, "GET", "/api/v1/permissions/check?permission=dataset.write", NULL)->json;
    assert_true(json_is_false(at(answer, "allowed")));
    assert_string_equal(text_at(answer, "needs"), "editor");
    assert_true(json_array_size(at(answer, "who_can_grant")) > 0);
    assert_int_equal(
        browse_status(&c.viewer, "GET", "/api/v1/permissions/check?permission=fly", NULL), 400);
    assert_int_equal(browse_status(&c.viewer, "GET", "/api/v1/permissions?project=nobodys", NULL),
                     404);
    role_set(d, &c.owner, 200, "user", c.viewer_id, "none");
    assert_int_equal(browse_status(&c.viewer, "GET", check, NULL), 404);
    assert_int_equal(role_unset(d, &c.owner, "user", c.viewer_id), 204);
    /* A refusal says which role it takes and whom to ask. */
    struct test_reply *refused =
        browse(&c.viewer, "POST", path_of(d, "/datasets"), "{\"name\":\"no\"}");
    assert_non_null(strstr(refused->body, "it needs the role editor; ask "));
}

/* --- tokens and service accounts --- */

static int call(struct domains *d, const char *authorization, const char *method, const char *path,
                const char *json) {
    struct test_request rq = {.method = method,
                              .path = path,
                              .json = json,
                              .headers = {{"Authorization", authorization}}};
    return test_send(d->app, d->arena, &rq)->status;
}

static const char *bearer(struct domains *d, struct browser *b, const char *path,
                          const char *body) {
    struct test_reply *reply = browse(b, "POST", path, body);
    if (reply->status != 201)
        fail_msg("a token was refused with %d: %s", reply->status, reply->body);
    return arena_printf(d->arena, "Bearer %s", text_at(reply->json, "token"));
}

static void test_token__of_one_project_finds_no_other(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "limit");
    assert_int_equal(
        browse_status(&c.owner, "POST", "/api/v1/projects", "{\"slug\":\"side\",\"name\":\"S\"}"),
        201);
    const char *token = bearer(
        d, &c.owner, "/api/v1/tokens",
        "{\"name\":\"t\",\"scopes\":[\"read\",\"write\",\"admin\"],\"projects\":[\"side\"]}");
    assert_int_equal(call(d, token, "GET", "/api/v1/projects/side", NULL), 200);
    assert_int_equal(call(d, token, "POST", "/api/v1/projects/side/datasets", "{\"name\":\"in\"}"),
                     201);
    assert_int_equal(call(d, token, "GET", path_of(d, ""), NULL), 404);
    assert_int_equal(call(d, token, "POST", path_of(d, "/datasets"), "{\"name\":\"out\"}"), 404);
    assert_int_equal(call(d, token, "GET", "/api/v1/audit", NULL), 403);
    assert_int_equal(
        call(d, token, "POST", "/api/v1/service-accounts", "{\"name\":\"x\",\"role\":\"admin\"}"),
        403);
    json_t *row = item_at(browse(&c.owner, "GET", "/api/v1/tokens", NULL)->json, 0);
    assert_string_equal(json_string_value(json_array_get(at(row, "projects"), 0)), "side");
    assert_int_equal(
        browse_status(&c.owner, "POST", "/api/v1/tokens",
                      "{\"name\":\"t\",\"scopes\":[\"read\"],\"projects\":[\"nobodys\"]}"),
        404);
}

static void test_token__is_a_password_for_programs_that_know_only_basic(void **state) {
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct domains *d = *state;
    struct cast c = cast_make(d, "basic");
    const char *token =
        bearer(d, &c.owner, "/api/v1/tokens", "{\"name\":\"b\",\"scopes\":[\"read\"]}") + 7;
    for (int user = 0; user < 3; user++) {
        const char *pair = arena_printf(d->arena, "%.*s:%s", user, "me", token);
        auto_buf text = {0};
        buf_text(&text, "Basic ");
        size_t size = strlen(pair);
        for (size_t i = 0; i < size; i += 3) {
            unsigned v = 0;
            for (size_t k = 0; k < 3; k++)
                v = v << 8 | (i + k < size ? (unsigned char)pair[i + k] : 0u);
            for (size_t k = 0; k < 4; k++)
                buf_append(&text, i + k > size ? "=" : &ALPHABET[v >> (18 - 6 * k) & 63], 1);
        }
        assert_int_equal(call(d, text.data, "GET", "/api/v1/projects", NULL), 200);
        text.data[text.size - 6] = '!';
        assert_int_equal(call(d, text.data, "GET", "/api/v1/projects", NULL), 401);
    }
    static const char *const BAD[] = {"Basic", "Basic ",
                                      "Basic Og==", "Basic ====", "Basic bm9jb2xvbg=="};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(call(d, BAD[i], "GET", "/api/v1/projects", NULL), 401);
}

static void test_token__for_ingest_only_reports(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "ingest");
    const char *token =
        bearer(d, &c.editor, "/api/v1/tokens", "{\"name\":\"i\",\"scopes\":[\"ingest\"]}");
    assert_int_equal(call(d, token, "POST", path_of(d, "/experiments"), "{\"name\":\"reported\"}"),
                     201);
    assert_int_equal(call(d, token, "GET", path_of(d, "/runs"), NULL), 403);
    assert_int_equal(call(d, token, "POST", path_of(d, "/datasets"), "{\"name\":\"no\"}"), 403);
    assert_int_equal(browse_status(&c.viewer, "POST", "/api/v1/tokens",
                                   "{\"name\":\"i\",\"scopes\":[\"ingest\"]}"),
                     403);
}

static void test_service_account__acts_with_its_role_until_deactivated(void **state) {
    struct domains *d = *state;
    struct cast c = cast_make(d, "service");
    struct test_reply *reply = browse(&c.owner, "POST", "/api/v1/service-accounts",
                                      "{\"name\":\"CI\",\"role\":\"editor\"}");
    assert_int_equal(reply->status, 201);
    const char *id = text_at(reply->json, "id");
    const char *path = arena_printf(d->arena, "/api/v1/service-accounts/%s", id);
    const char *tokens = arena_printf(d->arena, "%s/tokens", path);
    assert_int_equal(browse_status(&c.owner, "POST", "/api/v1/service-accounts",
                                   "{\"name\":\"CI\",\"role\":\"editor\"}"),
                     409);
    assert_int_equal(browse_status(&c.owner, "POST", "/api/v1/service-accounts",
                                   "{\"name\":\"O\",\"role\":\"owner\"}"),
                     400);
    assert_int_equal(browse_status(&c.editor, "POST", "/api/v1/service-accounts",
                                   "{\"name\":\"E\",\"role\":\"viewer\"}"),
                     403);
    assert_int_equal(
        browse_status(&c.owner, "POST", tokens, "{\"name\":\"a\",\"scopes\":[\"admin\"]}"), 403);
    const char *token =
        bearer(d, &c.owner, tokens, "{\"name\":\"a\",\"scopes\":[\"read\",\"write\"]}");
    assert_int_equal(call(d, token, "POST", path_of(d, "/datasets"), "{\"name\":\"by-ci\"}"), 201);
    assert_string_equal(
        test_sql_value(d->db, "select actor_name from audit_events order by at desc limit 1"),
        "CI");
    /* People's lists leave it out, and nobody signs in as it. */
    assert_null(strstr(browse(&c.owner, "GET", "/api/v1/members", NULL)->body, id));
    struct browser thief = browser_new(d->service);
    assert_int_equal(sign_in(&thief, arena_printf(d->arena, "%s@service.invalid", id), "!"), 401);
    assert_int_equal(browse_status(&c.owner, "POST",
                                   arena_printf(d->arena, "/api/v1/members/%s/reset", id), NULL),
                     404);
    role_set(d, &c.owner, 404, "user", id, "none");
    role_set(d, &c.owner, 200, "service", id, "none");
    assert_int_equal(call(d, token, "GET", path_of(d, ""), NULL), 404);
    assert_int_equal(role_unset(d, &c.owner, "service", id), 204);
    assert_int_equal(
        browse_status(&c.owner, "PATCH", path, "{\"state\":\"deactivated\",\"name\":\"Old CI\"}"),
        200);
    assert_int_equal(call(d, token, "GET", path_of(d, ""), NULL), 401);
    assert_int_equal(
        browse_status(&c.owner, "PATCH", path, "{\"state\":\"active\",\"role\":\"viewer\"}"), 200);
    assert_int_equal(call(d, token, "POST", path_of(d, "/datasets"), "{\"name\":\"by-ci-2\"}"),
                     403);
    json_t *row = item_at(browse(&c.owner, "GET", "/api/v1/service-accounts", NULL)->json, 0);
    assert_string_equal(text_at(row, "name"), "Old CI");
    row = item_at(browse(&c.owner, "GET", tokens, NULL)->json, 0);
    assert_string_equal(text_at(row, "owner"), "Old CI");
    const char *one = arena_printf(d->arena, "%s/%s", tokens, text_at(row, "id"));
    assert_int_equal(browse_status(&c.owner, "DELETE", one, NULL), 204);
    assert_int_equal(call(d, token, "GET", path_of(d, ""), NULL), 401);
    assert_int_equal(browse_status(&c.owner, "DELETE", path, NULL), 204);
    assert_int_equal(browse_status(&c.owner, "DELETE", path, NULL), 404);
}

/* --- walls --- */

struct known {
    const char *kind, *id; /* the path's word, and one of ours */
};

/* One object of ours for every word that a path may have before a parameter. */
static size_t known_make(struct domains *d, const char *name, struct known ret[16]) {
    json_t *version = model_version_make(d, name);
    json_t *run = get_ok(d, "/api/v1/runs/%s", text_at(version, "run_id"));
    json_t *artifacts = get_ok(d, "/api/v1/runs/%s/artifacts", text_at(run, "id"));
    const struct known all[] = {
        {"projects", d->ours.slug},
        {"datasets", dataset_make(d, arena_printf(d->arena, "%s-set", name))},
        {"dataset-versions",
         text_at(table_version_make(d, arena_printf(d->arena, "%s-table", name)), "id")},
        {"runs", text_at(run, "id")},
        {"experiments", text_at(run, "experiment_id")},
        {"jobs", text_at(run, "job_id")},
        {"artifacts",
         json_array_size(at(artifacts, "items")) ? text_at(item_at(artifacts, 0), "id") : NULL},
        {"models", text_at(version, "model_id")},
        {"model-versions", text_at(version, "id")},
        {"logged-models", logged_model_make(d)},
    };
    size_t count = sizeof(all) / sizeof(all[0]);
    memcpy(ret, all, sizeof(all));
    return count;
}

static const char *known_find(const struct known *known, size_t count, const char *pattern) {
    const char *brace = strchr(pattern, '{');
    for (size_t i = 0; brace && i < count; i++) {
        size_t length = strlen(known[i].kind);
        if ((size_t)(brace - pattern) > length + 1 && brace[-1] == '/' &&
            strncmp(brace - 1 - length, known[i].kind, length) == 0 &&
            brace[-2 - (int)length] == '/')
            return known[i].id;
    }
    return NULL;
}

/* The pattern with the first parameter replaced, the others by junk. */
static const char *path_with(struct domains *d, const char *pattern, const char *first) {
    auto_buf out = {0};
    for (const char *p = pattern; *p; p++) {
        if (*p != '{') {
            buf_append(&out, p, 1);
            continue;
        }
        buf_text(&out, first ? first : "01920000-0000-7000-8000-00000000000f");
        first = NULL;
        p += strcspn(p, "}");
    }
    return arena_strdup(d->arena, out.data);
}

/* What a client reads, without the request's id and the names in question. */
static const char *words_of(struct domains *d, const struct test_reply *reply, const char *id,
                            const char *missing) {
    const char *const names[] = {reply->request_id, id, missing};
    auto_buf out = {0};
    for (const char *p = reply->body; *p;) {
        size_t skip = 0;
        for (size_t i = 0; i < 3 && !skip; i++)
            skip = strncmp(p, names[i], strlen(names[i])) == 0 ? strlen(names[i]) : 0;
        if (!skip)
            buf_append(&out, p, 1);
        p += skip ? skip : 1;
    }
    return out.data ? arena_strdup(d->arena, out.data) : "";
}

static const char *method_of(const struct route *route) {
    static const char *const NAMES[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < 7; i++)
        if (route->method == 1u << i)
            return NAMES[i];
    return "?";
}

/* True when the route has an object of ours in its path and said the same of it as of nothing. */
static bool wall_holds(struct domains *d, const struct route *route, const struct principal *who,
                       const char *id) {
    const char *missing =
        strchr(id, '-') && strlen(id) == 36 ? "01920000-0000-7000-8000-0000000000ff" : "nobodys";
    struct test_request rq = {
        .method = method_of(route), .who = who, .json = route->body ? "{}" : NULL};
    rq.path = path_with(d, route->path, id);
    struct test_reply *ours = test_send(d->app, d->arena, &rq);
    rq.path = path_with(d, route->path, missing);
    struct test_reply *nothing = test_send(d->app, d->arena, &rq);
    const char *a = words_of(d, ours, id, missing), *b = words_of(d, nothing, id, missing);
    bool refused = ours->status == 404 || ours->status == 403 ||
                   (route->body && ours->status == 400) ||
                   ((route->flags & (ROUTE_STREAM_BODY | ROUTE_RAW_BODY)) && ours->status >= 400) ||
                   (ours->status == 400 && route->query);
    if (ours->status != nothing->status || strcmp(a, b) != 0 || !refused)
        fail_msg("%s %s: %d %s\nand of nothing: %d %s", method_of(route), route->path, ours->status,
                 a, nothing->status, b);
    return true;
}

static int walk_walls(struct domains *d, const char *name, const struct principal *who) {
    struct known known[16];
    size_t count = known_make(d, name, known);
    int walked = 0;
    for (size_t i = 0; i < http_route_count(d->app->http); i++) {
        const struct route *route = http_route_at(d->app->http, i);
        const char *id = known_find(known, count, route->path);
        if (id && route->scope != SCOPE_WORKER && route->scope != SCOPE_PUBLIC)
            walked += wall_holds(d, route, who, id);
    }
    return walked;
}

static void test_wall__another_teams_objects_are_as_if_they_were_not(void **state) {
    struct domains *d = *state;
    struct principal owner = test_person(&d->theirs, ROLE_OWNER);
    int walked = walk_walls(d, "foreign", &owner);
    print_message("%d routes with another team's object: each the same as with none\n", walked);
    assert_true(walked >= 30);
}

static void test_wall__a_hidden_projects_objects_are_as_if_they_were_not(void **state) {
    struct domains *d = *state;
    struct principal hidden = d->editor;
    hidden.by_project = true;
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role)"
                                 " values ('%s', '%s', '%s', 'none')",
                                 d->ours.team_id, d->ours.project_id, hidden.user_id));
    int walked = walk_walls(d, "hidden", &hidden);
    print_message("%d routes with an object of a hidden project: each the same as with none\n",
                  walked);
    assert_true(walked >= 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_project_role__raises_and_lowers_at_once),
        cmocka_unit_test(test_project_role__counts_for_every_spelling_of_an_id),
        cmocka_unit_test(test_project_role__none_hides_the_project),
        cmocka_unit_test(
            test_project_role__an_owner_stays_owner_and_nobody_gives_more_than_they_have),
        cmocka_unit_test(test_group__gives_its_members_the_highest_role),
        cmocka_unit_test(test_permissions__say_what_and_why),
        cmocka_unit_test(test_token__of_one_project_finds_no_other),
        cmocka_unit_test(test_token__is_a_password_for_programs_that_know_only_basic),
        cmocka_unit_test(test_token__for_ingest_only_reports),
        cmocka_unit_test(test_service_account__acts_with_its_role_until_deactivated),
        cmocka_unit_test(test_wall__another_teams_objects_are_as_if_they_were_not),
        cmocka_unit_test(test_wall__a_hidden_projects_objects_are_as_if_they_were_not),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
