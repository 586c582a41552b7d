/* Files of runs and logged models by path: names, levels, replacing, deleting, walls, quotas, and
 * what a browser is told about them. */
#include "tests/support/domains.h"

#include "base/digest.h"
#include "tracking/tracking.h"

#include <stdio.h>

/* --- arranging --- */

static const char *external_run(struct domains *d, const char *name) {
    const char *body = arena_printf(d->arena, "{\"name\":\"%s\"}", name);
    return text_at(send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/runs", body)->json,
                   "id");
}

static const char *escaped(struct domains *d, const char *path) {
    static const char PLAIN[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.~-!*'()";
    auto_buf text = {0};
    for (const char *c = path; *c; c++) {
        if (strchr(PLAIN, *c))
            buf_append(&text, c, 1);
        else
            buf_printf(&text, "%%%02X", (unsigned)(unsigned char)*c);
    }
    return arena_strdup(d->arena, text.data ? text.data : "");
}

/* raw: the path as it stands in the request. */
static struct test_reply *send_raw(struct domains *d, const struct principal *who,
                                   const char *method, const char *run, const char *raw,
                                   const char *bytes) {
    const struct test_request rq = {
        .method = method,
        .path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/%s", run, raw),
        .body = bytes,
        .size = bytes ? strlen(bytes) : 0,
        .content_type = bytes ? "application/octet-stream" : NULL,
        .who = who};
    return test_send(d->app, d->arena, &rq);
}

static void put(struct domains *d, const char *run, const char *name, const char *bytes) {
    struct test_reply *reply = send_raw(d, &d->editor, "PUT", run, escaped(d, name), bytes);
    if (reply->status != 201)
        fail_msg("\"%s\": %d %s", name, reply->status, reply->body);
    assert_string_equal(text_at(reply->json, "name"), name);
}

static struct test_reply *get(struct domains *d, const char *run, const char *name) {
    return send_raw(d, &d->editor, "GET", run, escaped(d, name), NULL);
}

static json_t *level(struct domains *d, const char *run, const char *dir) {
    return at(get_ok(d, "/api/v1/runs/%s/artifacts?path=%s", run, escaped(d, dir)), "items");
}

/* "a b/ c" of one level: directories with their slash. */
static const char *names_of(struct domains *d, json_t *items) {
    auto_buf names = {0};
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
        buf_printf(&names, "%s%s%s", i ? " " : "", text_at(item, "name"),
                   json_is_true(at(item, "is_dir")) ? "/" : "");
    return arena_strdup(d->arena, names.data ? names.data : "");
}

/* Every file of the store with its bytes' hash. */
static const char *store_now(struct domains *d) {
    const char *command = arena_printf(
        d->arena, "cd %s/data/blobs && find . -type f | sort | xargs -r sha256sum | sha256sum",
        d->service->dir);
    char text[SHA256_TEXT_SIZE] = "";
    FILE *out = popen(command, "r");
    assert_int_equal(fread(text, 1, SHA256_TEXT_SIZE - 1, out), SHA256_TEXT_SIZE - 1);
    pclose(out);
    return arena_strdup(d->arena, text);
}

static const char *count_rows(struct domains *d, const char *what) {
    return arena_strdup(d->arena, test_sql_value(d->db, what));
}

/* --- names --- */

static void test_artifact__keeps_every_name_that_leads_nowhere(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[] = {"plain.txt",
                                        "with space.txt",
                                        "100% done!.txt",
                                        "a%2Fb",
                                        "%41.txt",
                                        "images/dog+step+0+timestamp+1714+x.png",
                                        "images/dog%step%0%timestamp%1714089%5c3f.png",
                                        "snö/日本語.txt",
                                        "...",
                                        "..hidden",
                                        "a..b/c",
                                        "deep/er/and/deeper.bin",
                                        "q?&=;:@$,[]\"<>|^`{}",
                                        "'single' (and) *star*",
                                        "e\xcc\x81.txt",
                                        "\xc3\xa9.txt"};
    const char *run = external_run(d, "names");
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        put(d, run, NAMES[i], NAMES[i]);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct test_reply *reply = get(d, run, NAMES[i]);
        assert_int_equal(reply->status, 200);
        assert_int_equal(reply->size, strlen(NAMES[i]));
        assert_memory_equal(reply->body, NAMES[i], reply->size);
    }
    json_t *all = at(get_ok(d, "/api/v1/runs/%s/artifacts?limit=200", run), "items");
    assert_int_equal(json_array_size(all), sizeof(NAMES) / sizeof(NAMES[0]));
}

/* B03 and B04: as they stand in a request's path. */
static const char *const BAD_PATHS[] = {"../../etc/passwd",
                                        "..%2f..%2fetc%2fpasswd",
                                        "%2e%2e%2fetc%2fpasswd",
                                        "%2e%2e/%2e%2e/etc/passwd",
                                        "%252e%252e%252fetc%252fpasswd",
                                        "%25252e%25252e%25252fetc",
                                        "%252e%252e/etc/passwd",
                                        "..%c0%afetc",
                                        "..%5cetc",
                                        "..%255cetc",
                                        "....//etc/passwd",
                                        "/etc/passwd",
                                        "%2fetc%2fpasswd",
                                        "%252fetc%252fpasswd",
                                        "a%00b",
                                        ".",
                                        "",
                                        "a/./b",
                                        "a/../b",
                                        "a/",
                                        "a//b",
                                        "C%3A/windows",
                                        "c:evil",
                                        "a%23b",
                                        "a%0Ab",
                                        "a%7Fb",
                                        "a%5Cb",
                                        "%ff%fe",
                                        "%ed%a0%80"};

static void test_artifact__bad_paths_are_refused_and_touch_nothing(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "bad paths");
    put(d, run, "a/b", "kept");
    const char *before = store_now(d);
    const char *rows = count_rows(d, "select count(*) from run_artifacts");
    for (size_t i = 0; i < sizeof(BAD_PATHS) / sizeof(BAD_PATHS[0]); i++) {
        static const char *const METHODS[] = {"GET", "PUT", "DELETE"};
        for (size_t m = 0; m < 3; m++) {
            struct test_reply *reply = send_raw(d, &d->editor, METHODS[m], run, BAD_PATHS[i],
                                                m == 1 ? "bytes of an intruder" : NULL);
            if (reply->status != 400 && reply->status != 404)
                fail_msg("%s \"%s\": %d %s", METHODS[m], BAD_PATHS[i], reply->status, reply->body);
            assert_null(strstr(reply->body, "root:"));
        }
    }
    assert_string_equal(store_now(d), before);
    assert_string_equal(count_rows(d, "select count(*) from run_artifacts"), rows);
}

static void test_artifact__length_of_a_name_is_limited(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "lengths");
    char name[ARTIFACT_NAME_MAX + 2];
    memset(name, 'n', sizeof(name));
    name[ARTIFACT_NAME_MAX] = '\0';
    put(d, run, name, "as long as can be");
    assert_int_equal(get(d, run, name)->status, 200);
    name[ARTIFACT_NAME_MAX] = 'n';
    name[ARTIFACT_NAME_MAX + 1] = '\0';
    assert_int_equal(get(d, run, name)->status, 400);
    assert_int_equal(send_raw(d, &d->editor, "PUT", run, name, "x")->status, 400);
}

/* The listing's path comes in the query, where even a slash may be escaped. */
static void test_artifact__bad_directories_are_refused(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "bad lists");
    for (size_t i = 0; i < sizeof(BAD_PATHS) / sizeof(BAD_PATHS[0]); i++) {
        const char *path = BAD_PATHS[i];
        if (!*path) /* the root */
            continue;
        struct test_reply *reply =
            send_json(d, 400, &d->editor, "GET",
                      arena_printf(d->arena, "/api/v1/runs/%s/artifacts?path=%s", run, path), NULL);
        assert_null(strstr(reply->body, "root:"));
    }
}

/* --- levels --- */

static void test_artifact__lists_one_level(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "levels");
    static const char *const FILES[] = {
        "a.txt",     "dir/one",         "dir/two/deep", "dir/two/er/x", "dir.txt",   "dir0",
        "dir two/x", "z/only/far/down", "dir/zz.txt",   "dir/two.txt",  "\xc3\xa4/b"};
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++)
        put(d, run, FILES[i], "12345");
    assert_string_equal(names_of(d, level(d, run, "")),
                        "a.txt dir two/ dir.txt dir/ dir0 z/ \xc3\xa4/");
    assert_string_equal(names_of(d, level(d, run, "dir")),
                        "dir/one dir/two.txt dir/two/ dir/zz.txt");
    assert_string_equal(names_of(d, level(d, run, "dir/two")), "dir/two/deep dir/two/er/");
    assert_string_equal(names_of(d, level(d, run, "z")), "z/only/");
    assert_string_equal(names_of(d, level(d, run, "nothing")), "");
    assert_string_equal(names_of(d, level(d, run, "a.txt")), "");
    json_t *file = json_array_get(level(d, run, ""), 0);
    assert_int_equal(int_at(file, "size_bytes"), 5);
    assert_string_equal(text_at(file, "media_type"), "text/plain");
    assert_true(json_is_null(at(json_array_get(level(d, run, ""), 1), "id")));
}

static void test_artifact__pages_of_a_level_meet(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "pages");
    static const char *const FILES[] = {"a", "b/1", "b/2", "b.c", "c/x/y", "d"};
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++)
        put(d, run, FILES[i], "x");
    auto_buf seen = {0};
    const char *cursor = "";
    for (int page = 0; page < 9; page++) {
        json_t *reply = get_ok(d, "/api/v1/runs/%s/artifacts?path=&limit=1%s", run, cursor);
        buf_printf(&seen, "%s ", names_of(d, at(reply, "items")));
        if (json_is_null(at(reply, "next_cursor")))
            break;
        cursor = arena_printf(d->arena, "&cursor=%s", text_at(reply, "next_cursor"));
    }
    assert_string_equal(seen.data, "a b.c b/ c/ d ");
}

/* A hundred thousand files below one name: its level is two entries, and reads that many. */
static void test_artifact__a_level_does_not_read_the_tree_below(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "large");
    put(d, run, "z.txt", "last");
    test_sql(
        d->db,
        arena_printf(
            d->arena,
            "insert into run_artifacts (id, team_id, run_id, name, media_type, sha256, size_bytes)"
            " select gen_random_uuid(), team_id, run_id, 'images/' || lpad(n::text, 6, '0') || "
            "'.png',"
            " media_type, sha256, size_bytes from run_artifacts, generate_series(1, 100000) n"
            " where run_id = '%s'; analyze run_artifacts",
            run));
    assert_string_equal(names_of(d, level(d, run, "")), "images/ z.txt");
    assert_string_equal(
        names_of(d, at(get_ok(d, "/api/v1/runs/%s/artifacts?path=images&limit=2", run), "items")),
        "images/000001.png images/000002.png");
    struct ctx cx;
    struct list all;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_EDITOR);
    const struct artifact_owner owner = {ARTIFACT_OF_RUN, run};
    assert_ok(artifact_list_level(&cx, &owner,
                                  &(struct artifact_level){.dir = "images", .limit = 200000}, &all),
              &cx.err);
    assert_int_equal(all.count, 100000);
    ctx_done(&cx);
    test_sql(d->db, arena_printf(d->arena, "delete from run_artifacts where run_id = '%s'", run));
}

/* --- changing --- */

static void test_artifact__is_replaced_by_a_file_of_its_name(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "replaced");
    put(d, run, "metrics.json", "{\"old\":1}");
    put(d, run, "metrics.json", "{\"newer\":2}");
    assert_string_equal(get(d, run, "metrics.json")->body, "{\"newer\":2}");
    assert_int_equal(json_array_size(level(d, run, "")), 1);
}

static const char *from_upload(struct domains *d, const char *upload) {
    return arena_printf(d->arena, "{\"upload_id\":\"%s\"}", upload);
}

static void test_artifact__may_come_by_an_upload(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "uploaded");
    const char *body = from_upload(d, upload_make(d, "big.bin", "came in pieces"));
    const char *path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/model/big.bin", run);
    put(d, run, "model/big.bin", "before");
    send_json(d, 403, &d->viewer, "POST", path, body);
    send_json(d, 404, &d->stranger, "POST", path, body);
    assert_string_equal(get(d, run, "model/big.bin")->body, "before");
    json_t *file = send_json(d, 201, &d->editor, "POST", path, body)->json;
    assert_string_equal(text_at(file, "name"), "model/big.bin");
    assert_string_equal(get(d, run, "model/big.bin")->body, "came in pieces");
    path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/model", run);
    send_json(d, 409, &d->editor, "POST", path, body);
    path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/x", run);
    send_json(d, 404, &d->editor, "POST", path,
              from_upload(d, "00000000-0000-7000-8000-000000000000"));
    assert_string_equal(names_of(d, level(d, run, "")), "model/");
}

static void test_artifact__a_name_is_a_file_or_a_directory(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "either");
    put(d, run, "model/MLmodel", "x");
    assert_int_equal(send_raw(d, &d->editor, "PUT", run, "model", "x")->status, 409);
    assert_int_equal(send_raw(d, &d->editor, "PUT", run, "model/MLmodel/below", "x")->status, 409);
    put(d, run, "models", "not below it");
    put(d, run, "model.txt", "nor this");
}

static void test_artifact__deletes_a_file_or_a_tree(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "deleted");
    static const char *const FILES[] = {"t/1", "t/2/3", "t.x", "t0", "u"};
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++)
        put(d, run, FILES[i], "x");
    assert_int_equal(send_raw(d, &d->editor, "DELETE", run, "t", NULL)->status, 204);
    assert_string_equal(names_of(d, level(d, run, "")), "t.x t0 u");
    assert_int_equal(send_raw(d, &d->editor, "DELETE", run, "u", NULL)->status, 204);
    assert_int_equal(get(d, run, "u")->status, 404);
    assert_int_equal(send_raw(d, &d->editor, "DELETE", run, "u", NULL)->status, 404);
}

static void test_artifact__of_a_job_is_not_changed_by_clients(void **state) {
    struct domains *d = *state;
    const char *run = text_at(run_done_make(d, "trained"), "id");
    assert_int_equal(get(d, run, "model.json")->status, 200);
    assert_int_equal(send_raw(d, &d->editor, "PUT", run, "model.json", "forged")->status, 409);
    assert_int_equal(send_raw(d, &d->editor, "DELETE", run, "model.json", NULL)->status, 409);
    put(d, run, "notes/mine.txt", "beside them");
    assert_int_equal(send_raw(d, &d->editor, "DELETE", run, "notes", NULL)->status, 204);
}

static void test_artifact__has_no_node_for_each_file(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "pictures");
    const char *before = count_rows(d, "select count(*) from lineage_nodes");
    for (int i = 0; i < 20; i++)
        put(d, run, arena_printf(d->arena, "images/%d.png", i), "x");
    assert_string_equal(count_rows(d, "select count(*) from lineage_nodes"), before);
}

/* --- who may --- */

static void test_artifact__missing_and_forbidden_look_the_same(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "walled");
    put(d, run, "secret.txt", "ours");
    struct test_reply *foreign = send_raw(d, &d->stranger, "GET", run, "secret.txt", NULL);
    struct test_reply *none = send_raw(d, &d->stranger, "GET",
                                       "0192d3a0-0000-7000-8000-000000000000", "secret.txt", NULL);
    assert_int_equal(foreign->status, 404);
    assert_int_equal(none->status, 404);
    assert_int_equal(send_raw(d, &d->stranger, "PUT", run, "secret.txt", "theirs")->status, 404);
    assert_int_equal(send_raw(d, &d->stranger, "DELETE", run, "secret.txt", NULL)->status, 404);
    assert_int_equal(send_raw(d, &d->viewer, "PUT", run, "x", "viewer's")->status, 403);
    assert_int_equal(send_raw(d, &d->viewer, "GET", run, "secret.txt", NULL)->status, 200);
    assert_string_equal(get(d, run, "secret.txt")->body, "ours");
    assert_wall(d, "run_artifacts");
}

static void test_artifact__counts_as_storage(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "quota");
    put(d, run, "first", "0123456789");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into quotas select '%s', 'storage_bytes',"
                                 " quota_used('%s', 'storage_bytes') + 10",
                                 d->ours.team_id, d->ours.team_id));
    const char *before = store_now(d);
    struct test_reply *reply = send_raw(d, &d->editor, "PUT", run, "second", "more than ten bytes");
    assert_int_equal(reply->status, 403);
    assert_non_null(strstr(reply->body, "storage_bytes"));
    assert_string_equal(store_now(d), before);
    put(d, run, "third", "0123456789");
    assert_int_equal(send_raw(d, &d->editor, "PUT", run, "fourth", "1")->status, 403);
    test_sql(d->db, "delete from quotas");
}

/* --- what a browser is told --- */

static void test_artifact__active_types_are_attachments(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[] = {"x.html", "x.htm", "x.svg", "x.xml",  "x.xhtml",
                                        "x.HTML", "x.pdf", "x.bin", "x.ipynb"};
    const char *run = external_run(d, "active");
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        put(d, run, NAMES[i], "[\"<script>alert(1)</script>\"]");
        const char *raw = arena_printf(d->arena, "%s?inline=true", NAMES[i]);
        struct test_reply *reply = send_raw(d, &d->editor, "GET", run, raw, NULL);
        assert_int_equal(reply->status, 200);
        assert_non_null(strstr(test_header(d->arena, reply, "Content-Disposition"), "attachment"));
        assert_non_null(strstr(test_header(d->arena, reply, "Content-Security-Policy"),
                               "sandbox; default-src 'none'"));
        assert_string_equal(test_header(d->arena, reply, "X-Content-Type-Options"), "nosniff");
    }
}

static void test_artifact__harmless_types_may_be_shown(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[][2] = {{"x.png", "image/png"},
                                           {"x.webp", "image/webp"},
                                           {"x.csv", "text/csv; charset=utf-8"},
                                           {"MLmodel", "text/plain; charset=utf-8"},
                                           {"x.json", "application/json"},
                                           {"x.mp4", "video/mp4"}};
    const char *run = external_run(d, "harmless");
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        put(d, run, NAMES[i][0], "[\"bytes\"]");
        struct test_reply *shown = send_raw(
            d, &d->editor, "GET", run, arena_printf(d->arena, "%s?inline=true", NAMES[i][0]), NULL);
        assert_string_equal(test_header(d->arena, shown, "Content-Type"), NAMES[i][1]);
        assert_string_equal(test_header(d->arena, shown, "Content-Disposition"), "");
        assert_non_null(strstr(test_header(d->arena, shown, "Content-Security-Policy"), "sandbox"));
        assert_non_null(strstr(
            test_header(d->arena, get(d, run, NAMES[i][0]), "Content-Disposition"), "attachment"));
    }
}

static void test_artifact__sends_ranges(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "ranges");
    put(d, run, "ten", "0123456789");
    struct test_request rq = {.path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/ten", run),
                              .who = &d->editor,
                              .headers = {{"Range", "bytes=2-4"}}};
    struct test_reply *part = test_expect(d->app, d->arena, 206, &rq);
    assert_int_equal(part->size, 3);
    assert_memory_equal(part->body, "234", 3);
    assert_string_equal(test_header(d->arena, part, "Content-Range"), "bytes 2-4/10");
    assert_string_equal(test_header(d->arena, get(d, run, "ten"), "Content-Length"), "10");
}

static void test_artifact__may_be_sent_without_a_length(void **state) {
    struct domains *d = *state;
    const char *run = external_run(d, "chunked");
    struct test_request rq = {
        .method = "PUT",
        .path = arena_printf(d->arena, "/api/v1/runs/%s/artifacts/chunked.bin", run),
        .body = "no length was said",
        .size = 18,
        .chunked = true,
        .content_type = "application/octet-stream",
        .who = &d->editor};
    test_expect(d->app, d->arena, 201, &rq);
    assert_string_equal(get(d, run, "chunked.bin")->body, "no length was said");
    test_expect(d->app, d->arena, 200,
                &(struct test_request){
                    .path = arena_printf(d->arena, "/api/v1/artifacts/%s/content",
                                         text_at(json_array_get(level(d, run, ""), 0), "id")),
                    .who = &d->viewer});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_artifact__keeps_every_name_that_leads_nowhere),
        cmocka_unit_test(test_artifact__bad_paths_are_refused_and_touch_nothing),
        cmocka_unit_test(test_artifact__length_of_a_name_is_limited),
        cmocka_unit_test(test_artifact__bad_directories_are_refused),
        cmocka_unit_test(test_artifact__lists_one_level),
        cmocka_unit_test(test_artifact__pages_of_a_level_meet),
        cmocka_unit_test(test_artifact__a_level_does_not_read_the_tree_below),
        cmocka_unit_test(test_artifact__is_replaced_by_a_file_of_its_name),
        cmocka_unit_test(test_artifact__may_come_by_an_upload),
        cmocka_unit_test(test_artifact__a_name_is_a_file_or_a_directory),
        cmocka_unit_test(test_artifact__deletes_a_file_or_a_tree),
        cmocka_unit_test(test_artifact__of_a_job_is_not_changed_by_clients),
        cmocka_unit_test(test_artifact__has_no_node_for_each_file),
        cmocka_unit_test(test_artifact__missing_and_forbidden_look_the_same),
        cmocka_unit_test(test_artifact__counts_as_storage),
        cmocka_unit_test(test_artifact__active_types_are_attachments),
        cmocka_unit_test(test_artifact__harmless_types_may_be_shown),
        cmocka_unit_test(test_artifact__sends_ranges),
        cmocka_unit_test(test_artifact__may_be_sent_without_a_length),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
