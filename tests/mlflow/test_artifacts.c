/* Artifacts on MLflow's wire: the proxy, lists, older addresses, parts, and every path that leads
 * somewhere else. */
#include "tests/support/domains.h"

#include "base/digest.h"
#include "tracking/tracking.h"

#include <stdio.h>
#include <stdlib.h>

#define PROXY "/api/2.0/mlflow-artifacts/artifacts"

/* --- arranging --- */

static struct test_reply *send(struct domains *d, const struct principal *who, const char *method,
                               const char *path, const char *bytes) {
    const struct test_request rq = {.method = method,
                                    .path = path,
                                    .body = bytes,
                                    .size = bytes ? strlen(bytes) : 0,
                                    .content_type = bytes ? "text/plain" : NULL,
                                    .who = who};
    return test_send(d->app, d->arena, &rq);
}

static json_t *post(struct domains *d, int status, const char *path, const char *json) {
    return send_json(d, status, &d->editor, "POST", arena_printf(d->arena, "/api/2.0/%s", path),
                     json)
        ->json;
}

static const char *experiment_make(struct domains *d, const char *name, const char *location) {
    const char *more =
        location ? arena_printf(d->arena, ",\"artifact_location\":\"%s\"", location) : "";
    return text_at(post(d, 200, "mlflow/experiments/create",
                        arena_printf(d->arena, "{\"name\":\"%s\"%s}", name, more)),
                   "experiment_id");
}

static json_t *run_info(struct domains *d, const char *experiment) {
    json_t *reply = post(d, 200, "mlflow/runs/create",
                         arena_printf(d->arena, "{\"experiment_id\":\"%s\"}", experiment));
    return at(at(reply, "run"), "info");
}

/* Where its files are in the proxy: "/3/0192…/artifacts". */
static const char *files_of(json_t *info) {
    const char *uri = text_at(info, "artifact_uri");
    assert_memory_equal(uri, "mlflow-artifacts:/", 18);
    return uri + 17;
}

static const char *fresh_run(struct domains *d) {
    return files_of(run_info(d, "0"));
}

static const char *proxied(struct domains *d, const char *files, const char *path) {
    return arena_printf(d->arena, PROXY "%s/%s", files, path);
}

static void put(struct domains *d, const char *files, const char *path, const char *bytes) {
    struct test_reply *reply = send(d, &d->editor, "PUT", proxied(d, files, path), bytes);
    if (reply->status != 200)
        fail_msg("%s: %d %s", path, reply->status, reply->body);
    assert_string_equal(reply->body, "{}");
}

static struct test_reply *get(struct domains *d, const char *files, const char *path) {
    return send(d, &d->editor, "GET", proxied(d, files, path), NULL);
}

static json_t *listed(struct domains *d, const char *files, const char *more) {
    return send_json(d, 200, &d->editor, "GET",
                     arena_printf(d->arena, PROXY "?path=%s%s", files + 1, more), NULL)
        ->json;
}

static const char *store_now(struct domains *d) {
    const char *command = arena_printf(
        d->arena, "cd %s/data && find . -type f | sort | xargs -r sha256sum | sha256sum",
        d->service->dir);
    char text[SHA256_TEXT_SIZE] = "";
    FILE *out = popen(command, "r");
    assert_int_equal(fread(text, 1, SHA256_TEXT_SIZE - 1, out), SHA256_TEXT_SIZE - 1);
    pclose(out);
    return arena_strdup(d->arena, text);
}

static const char *rows_now(struct domains *d) {
    return arena_strdup(
        d->arena, test_sql_value(d->db, "select (select count(*) from run_artifacts) || ' ' ||"
                                        " (select count(*) from blobs) || ' ' ||"
                                        " (select count(*) from uploads) || ' ' ||"
                                        " (select count(*) from experiments) || ' ' ||"
                                        " (select count(*) from multipart_uploads)"));
}

/* --- the proxy --- */

static void test_proxy__keeps_lists_and_deletes(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    assert_int_equal(json_object_size(listed(d, files, "")), 0);
    put(d, files, "model/MLmodel", "flavors: {}");
    put(d, files, "model/data/x%2Bstep%2B0.png", "png");
    put(d, files, "b.txt", "text");
    json_t *root = at(listed(d, files, ""), "files");
    assert_int_equal(json_array_size(root), 2);
    json_t *file = json_array_get(root, 0), *dir = json_array_get(root, 1);
    assert_string_equal(text_at(file, "path"), "b.txt");
    assert_int_equal(int_at(file, "file_size"), 4);
    assert_string_equal(text_at(dir, "path"), "model");
    assert_true(json_is_true(at(dir, "is_dir")));
    assert_null(json_object_get(dir, "file_size"));
    json_t *below = at(listed(d, files, "/model/data"), "files");
    assert_string_equal(text_at(json_array_get(below, 0), "path"), "x+step+0.png");
    struct test_reply *mlmodel = get(d, files, "model/MLmodel");
    assert_string_equal(mlmodel->body, "flavors: {}");
    assert_string_equal(test_header(d->arena, mlmodel, "Content-Type"), "text/plain");
    assert_int_equal(send(d, &d->editor, "DELETE", proxied(d, files, "model"), NULL)->status, 200);
    assert_int_equal(get(d, files, "model/MLmodel")->status, 404);
    assert_int_equal(json_array_size(at(listed(d, files, ""), "files")), 1);
    const char *all = arena_printf(d->arena, PROXY "%s", files);
    assert_int_equal(send(d, &d->editor, "DELETE", all, NULL)->status, 200);
    assert_int_equal(json_object_size(listed(d, files, "")), 0);
    assert_int_equal(send(d, &d->editor, "DELETE", all, NULL)->status, 200);
}

static void test_proxy__answers_under_its_other_names(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    put(d, files, "a", "x");
    static const char *const STARTS[] = {"/ajax-api/2.0/mlflow-artifacts/artifacts",
                                         "/p/ours/api/2.0/mlflow-artifacts/artifacts",
                                         "//api/2.0//mlflow-artifacts/artifacts"};
    for (size_t i = 0; i < sizeof(STARTS) / sizeof(STARTS[0]); i++)
        assert_int_equal(
            send(d, &d->editor, "GET", arena_printf(d->arena, "%s%s/a", STARTS[i], files), NULL)
                ->status,
            200);
}

static void test_proxy__finds_experiments_with_a_place_of_their_own(void **state) {
    struct domains *d = *state;
    const char *id = experiment_make(d, "elsewhere", "mlflow-artifacts:/team a/deep");
    const char *files = files_of(run_info(d, id));
    assert_memory_equal(files, "/team a/deep/", 13);
    const char *escaped = arena_printf(d->arena, "/team%%20a%s", files + 7);
    put(d, escaped, "f", "x");
    assert_int_equal(get(d, escaped, "f")->status, 200);
    const char *by_number = arena_printf(d->arena, "/%s%s", id, files + 12);
    assert_int_equal(get(d, by_number, "f")->status, 404);
}

static void test_proxy__active_types_are_attachments(void **state) {
    struct domains *d = *state;
    static const char *const NAMES[] = {"x.html", "x.svg", "x.xhtml", "x.png"};
    const char *files = fresh_run(d);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        put(d, files, NAMES[i], "<script>alert(1)</script>");
        struct test_reply *reply = get(d, files, NAMES[i]);
        assert_non_null(strstr(test_header(d->arena, reply, "Content-Disposition"), "attachment"));
        assert_non_null(strstr(test_header(d->arena, reply, "Content-Security-Policy"), "sandbox"));
        assert_string_equal(test_header(d->arena, reply, "X-Content-Type-Options"), "nosniff");
    }
}

static void test_proxy__what_is_nobodys_does_not_exist(void **state) {
    struct domains *d = *state;
    json_t *info = run_info(d, "0");
    const char *files = files_of(info);
    put(d, files, "secret", "ours");
    struct test_reply *missing = get(d, files, "missing");
    assert_int_equal(missing->status, 404);
    assert_string_equal(text_at(missing->json, "error_code"), "RESOURCE_DOES_NOT_EXIST");
    const char *run = text_at(info, "run_id");
    const char *const OTHERS[] = {"0/secret",
                                  "secret",
                                  "0",
                                  arena_printf(d->arena, "7%s", files + 2),
                                  arena_printf(d->arena, "0/%s/secret", run),
                                  arena_printf(d->arena, "0/models/m-%s/artifacts/secret", run),
                                  "0/00000000000000000000000000000000/artifacts/secret",
                                  arena_printf(d->arena, "0/x/%s/artifacts/secret", run),
                                  "registry/x/model"};
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        const char *path = arena_printf(d->arena, PROXY "/%s", OTHERS[i]);
        struct test_reply *reply = send(d, &d->editor, "GET", path, NULL);
        assert_int_equal(reply->status, 404);
        assert_string_equal(reply->body, missing->body);
        assert_int_equal(send(d, &d->editor, "PUT", path, "x")->status, 404);
        assert_int_equal(send(d, &d->editor, "DELETE", path, NULL)->status, 404);
    }
    struct test_reply *foreign = send(d, &d->stranger, "GET", proxied(d, files, "secret"), NULL);
    assert_int_equal(foreign->status, 404);
    assert_string_equal(foreign->body, missing->body);
    assert_int_equal(
        json_object_size(send_json(d, 200, &d->stranger, "GET",
                                   arena_printf(d->arena, PROXY "?path=%s", files + 1), NULL)
                             ->json),
        0);
    assert_int_equal(send(d, &d->viewer, "PUT", proxied(d, files, "x"), "x")->status, 403);
    assert_int_equal(send(d, &d->viewer, "DELETE", proxied(d, files, "secret"), NULL)->status, 403);
    assert_string_equal(get(d, files, "secret")->body, "ours");
}

/* --- older addresses --- */

static void test_artifacts__of_a_run_by_its_id(void **state) {
    struct domains *d = *state;
    json_t *info = run_info(d, "0");
    const char *run = text_at(info, "run_id"), *files = files_of(info);
    const char *upload = arena_printf(
        d->arena, "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=%s&path=dir/a%%20b.txt", run);
    assert_int_equal(send(d, &d->editor, "POST", upload, "small")->status, 200);
    static const char *const LACKS[][2] = {{"", "Request must specify run_uuid."},
                                           {"?run_uuid=x", "Request must specify path."},
                                           {"?run_uuid=x&path=", "Request must specify path."},
                                           {"?run_uuid=x&path=../y", "Invalid path"},
                                           {"?run_uuid=x&path=y", "Request must specify data."}};
    for (size_t i = 0; i < sizeof(LACKS) / sizeof(LACKS[0]); i++) {
        const char *path =
            arena_printf(d->arena, "/ajax-api/2.0/mlflow/upload-artifact%s", LACKS[i][0]);
        assert_string_equal(
            text_at(send_json(d, 400, &d->editor, "POST", path, "")->json, "message"), LACKS[i][1]);
    }
    assert_string_equal(get(d, files, "dir/a%20b.txt")->body, "small");
    json_t *list =
        send_json(d, 200, &d->editor, "GET",
                  arena_printf(d->arena, "/api/2.0/mlflow/artifacts/list?run_id=%s", run), NULL)
            ->json;
    assert_string_equal(text_at(list, "root_uri"), text_at(info, "artifact_uri"));
    assert_string_equal(text_at(json_array_get(at(list, "files"), 0), "path"), "dir");
    list =
        send_json(d, 200, &d->editor, "GET",
                  arena_printf(d->arena, "/api/2.0/mlflow/artifacts/list?run_id=%s&path=dir/", run),
                  NULL)
            ->json;
    assert_string_equal(text_at(json_array_get(at(list, "files"), 0), "path"), "dir/a b.txt");
    struct test_reply *file =
        send(d, &d->editor, "GET",
             arena_printf(d->arena, "/get-artifact?run_uuid=%s&path=dir/a+b.txt", run), NULL);
    assert_string_equal(file->body, "small");
    struct test_reply *none = send(
        d, &d->editor, "GET", "/get-artifact?run_id=00000000000000000000000000000000&path=x", NULL);
    assert_int_equal(none->status, 404);
    assert_string_equal(text_at(none->json, "message"),
                        "Run with id=00000000000000000000000000000000 not found");
    /* Clients that are told this read the file through the proxy. */
    struct test_reply *presigned =
        send(d, &d->editor, "GET", "/api/2.0/mlflow-artifacts/presigned/0/x", NULL);
    assert_int_equal(presigned->status, 404);
    assert_string_equal(text_at(presigned->json, "error_code"), "ENDPOINT_NOT_FOUND");
}

/* --- paths that lead elsewhere: sets B01, B03, B04 --- */

static const char *const CLIMBING[] = {"../../etc/passwd",
                                       "%2e%2e%2fetc%2fpasswd",
                                       "%2e%2e/%2e%2e/etc/passwd",
                                       "%252e%252e%252fetc%252fpasswd",
                                       "%252e%252e/etc/passwd",
                                       "..%c0%afetc",
                                       "..%5cetc",
                                       "..%255cetc",
                                       "....//",
                                       "%2fetc%2fpasswd",
                                       "%252fetc%252fpasswd",
                                       "a%00b",
                                       ".",
                                       "a/./b",
                                       "a/../b",
                                       "a%23b",
                                       "a%5Cb",
                                       "%ff"};
#define CLIMBING_COUNT (sizeof(CLIMBING) / sizeof(CLIMBING[0]))

static void assert_refused(const struct test_reply *reply, const char *what) {
    bool refused = reply->status == 400 || reply->status == 404 || reply->status == 414;
    if (!refused)
        fail_msg("\"%.100s\": %d %s", what, reply->status, reply->body);
    assert_null(strstr(reply->body, "root:"));
}

static void test_b03__reads_lead_nowhere(void **state) {
    struct domains *d = *state;
    json_t *info = run_info(d, "0");
    const char *run = text_at(info, "run_id"), *files = files_of(info);
    put(d, files, "a/b", "kept");
    const char *long_name = memset(arena_alloc(d->arena, 5001), 'x', 5000);
    for (size_t i = 0; i <= CLIMBING_COUNT; i++) {
        const char *bad = i < CLIMBING_COUNT ? CLIMBING[i] : long_name;
        const char *const PATHS[] = {
            arena_printf(d->arena, PROXY "/%s", bad), proxied(d, files, bad),
            arena_printf(d->arena, "/get-artifact?run_id=%s&path=%s", run, bad),
            arena_printf(d->arena, "/model-versions/get-artifact?name=m&version=1&path=%s", bad)};
        for (size_t p = 0; p < 4; p++)
            assert_refused(send(d, &d->editor, "GET", PATHS[p], NULL), PATHS[p]);
    }
}

static void test_b04__writes_lists_and_deletes_touch_nothing(void **state) {
    struct domains *d = *state;
    json_t *info = run_info(d, "0");
    const char *run = text_at(info, "run_id"), *files = files_of(info);
    put(d, files, "a/b", "kept");
    const char *store = store_now(d), *rows = rows_now(d);
    for (size_t i = 0; i < CLIMBING_COUNT; i++) {
        const char *bad = CLIMBING[i];
        assert_refused(send(d, &d->editor, "PUT", proxied(d, files, bad), "intruder"), bad);
        assert_refused(send(d, &d->editor, "DELETE", proxied(d, files, bad), NULL), bad);
        assert_refused(send(d, &d->editor, "PUT", arena_printf(d->arena, PROXY "/%s", bad), "x"),
                       bad);
        assert_refused(
            send(d, &d->editor, "POST",
                 arena_printf(d->arena, "/api/2.0/mlflow/upload-artifact?run_id=%s&path=%s", run,
                              bad),
                 "intruder"),
            bad);
        if (strcmp(bad, "....//") != 0) { /* "...." is a directory that is not there */
            assert_refused(
                send(d, &d->editor, "GET", arena_printf(d->arena, PROXY "?path=%s", bad), NULL),
                bad);
            assert_refused(
                send(d, &d->editor, "GET",
                     arena_printf(d->arena, "/api/2.0/mlflow/artifacts/list?run_id=%s&path=%s", run,
                                  bad),
                     NULL),
                bad);
        }
    }
    assert_string_equal(store_now(d), store);
    assert_string_equal(rows_now(d), rows);
}

/* The same names where they come as JSON or base64. */
static void test_b04__parts_and_resumable_uploads_take_no_path(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    const char *store = store_now(d), *rows = rows_now(d);
    static const char *const NAMES[] = {"..",           ".",         "a\\\\..\\\\b", "a#b",
                                        "%2e%2e%2fetc", "a\\u0000b", "a\\u0001b",    ""};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        assert_refused(
            send_json(d, 400, &d->editor, "POST",
                      arena_printf(d->arena, "/api/2.0/mlflow-artifacts/mpu/create%s", files),
                      arena_printf(d->arena, "{\"path\":\"%s\",\"num_parts\":1}", NAMES[i])),
            NAMES[i]);
    /* "../../etc/passwd", "a/b", "a\b", "..", NUL */
    static const char *const ENCODED[] = {"Li4vLi4vZXRjL3Bhc3N3ZA==", "YS9i", "YVxi",
                                          "Li4=", "YQBi"};
    for (size_t i = 0; i < sizeof(ENCODED) / sizeof(ENCODED[0]); i++) {
        const struct test_request rq = {
            .method = "POST",
            .path = "/api/v1/uploads",
            .who = &d->editor,
            .headers = {{"Tus-Resumable", "1.0.0"},
                        {"Upload-Length", "5"},
                        {"Upload-Metadata", arena_printf(d->arena, "filename %s", ENCODED[i])}}};
        assert_int_equal(test_send(d->app, d->arena, &rq)->status, 400);
    }
    assert_string_equal(store_now(d), store);
    assert_string_equal(rows_now(d), rows);
}

static void test_b01__locations_elsewhere_are_refused(void **state) {
    struct domains *d = *state;
    static const char *const LOCATIONS[] = {"file:///etc",
                                            "/etc",
                                            "../../etc",
                                            "http:///#/../../../etc/",
                                            "http://h/?a=/../../etc",
                                            "http://h/;/../..",
                                            "//proc/self/root",
                                            "ftp://x/",
                                            "dbfs:/..",
                                            "s3://bucket/..",
                                            "mlflow-artifacts:/../../x",
                                            "mlflow-artifacts:/%2e%2e/x",
                                            "mlflow-artifacts:/a#b"};
    const char *store = store_now(d), *rows = rows_now(d);
    for (size_t i = 0; i < sizeof(LOCATIONS) / sizeof(LOCATIONS[0]); i++) {
        json_t *reply =
            post(d, 400, "mlflow/experiments/create",
                 arena_printf(d->arena, "{\"name\":\"b01 %zu\",\"artifact_location\":\"%s\"}", i,
                              LOCATIONS[i]));
        assert_string_equal(text_at(reply, "error_code"), "INVALID_PARAMETER_VALUE");
    }
    assert_string_equal(store_now(d), store);
    assert_string_equal(rows_now(d), rows);
}

/* --- files in parts --- */

static json_t *parts_begin(struct domains *d, const char *files, const char *name, int parts) {
    return post(d, 200, arena_printf(d->arena, "mlflow-artifacts/mpu/create%s/in", files),
                arena_printf(d->arena, "{\"path\":\"%s\",\"num_parts\":%d}", name, parts));
}

/* The address of a part, without scheme and host. */
static const char *address_of(json_t *begun, size_t index) {
    const char *url = text_at(json_array_get(at(begun, "credentials"), index), "url");
    assert_memory_equal(url, "https://localhost", 17);
    return strchr(url + 17, '/');
}

static const char *part_send(struct domains *d, const char *address, const char *bytes) {
    struct test_reply *reply = send(d, NULL, "PUT", address, bytes);
    if (reply->status != 200)
        fail_msg("%s: %d %s", address, reply->status, reply->body);
    const char *etag = test_header(d->arena, reply, "ETag");
    assert_int_equal(strlen(etag), 66);
    return arena_strndup(d->arena, etag + 1, 64);
}

static struct test_reply *parts_end(struct domains *d, int status, const char *path, json_t *begun,
                                    const char *parts) {
    const char *json =
        arena_printf(d->arena, "{\"path\":\"big.bin\",\"upload_id\":\"%s\",\"parts\":[%s]}",
                     text_at(begun, "upload_id"), parts);
    return send_json(d, status, &d->editor, "POST",
                     arena_printf(d->arena, "/api/2.0/mlflow-artifacts/mpu/%s/in", path), json);
}

static const char *part_named(struct domains *d, int number, const char *etag) {
    return arena_printf(d->arena, "{\"part_number\":%d,\"etag\":\"\\\"%s\\\"\",\"url\":\"x\"}",
                        number, etag);
}

static void test_parts__come_in_any_order_and_become_one_file(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    json_t *begun = parts_begin(d, files, "big.bin", 3);
    const char *three = part_send(d, address_of(begun, 2), "end");
    part_send(d, address_of(begun, 0), "first try");
    const char *one = part_send(d, address_of(begun, 0), "one,");
    const char *complete = arena_printf(d->arena, "complete%s", files);
    parts_end(d, 409, complete, begun, "");
    const char *two = part_send(d, address_of(begun, 1), "two,");
    parts_end(d, 409, complete, begun, part_named(d, 1, one));
    parts_end(d, 409, complete, begun,
              arena_printf(d->arena, "%s,%s,%s", part_named(d, 1, one), part_named(d, 2, one),
                           part_named(d, 3, three)));
    parts_end(d, 400, complete, begun, part_named(d, 9, one));
    assert_int_equal(get(d, files, "in/big.bin")->status, 404);
    parts_end(d, 200, complete, begun,
              arena_printf(d->arena, "%s,%s,%s", part_named(d, 3, three), part_named(d, 2, two),
                           part_named(d, 1, one)));
    assert_string_equal(get(d, files, "in/big.bin")->body, "one,two,end");
    parts_end(d, 404, complete, begun, "");
    assert_int_equal(send(d, NULL, "PUT", address_of(begun, 0), "late")->status, 404);
    assert_string_equal(test_sql_value(d->db, "select count(*) from multipart_parts"), "0");
}

static int files_of_parts(struct domains *d) {
    FILE *out = popen(arena_printf(d->arena, "ls %s/data/uploads | wc -l", d->service->dir), "r");
    int count = -1;
    assert_int_equal(fscanf(out, "%d", &count), 1);
    pclose(out);
    return count;
}

static void test_parts__given_up_or_forgotten_leave_nothing(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    int before = files_of_parts(d);
    json_t *given_up = parts_begin(d, files, "big.bin", 2);
    part_send(d, address_of(given_up, 1), "part");
    json_t *forgotten = parts_begin(d, files, "big.bin", 2);
    part_send(d, address_of(forgotten, 0), "part");
    assert_int_equal(files_of_parts(d), before + 2);
    parts_end(d, 200, arena_printf(d->arena, "abort%s", files), given_up, "");
    assert_int_equal(files_of_parts(d), before + 1);
    test_sql(d->db, "update multipart_uploads set expires_at = now() - interval '1 second'");
    parts_end(d, 404, arena_printf(d->arena, "complete%s", files), forgotten, "");
    struct ctx cx;
    test_ctx_system(&cx, d->db);
    cx.app = d->app;
    assert_ok(artifact_uploads_sweep(&cx), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    assert_int_equal(files_of_parts(d), before);
    assert_string_equal(test_sql_value(d->db, "select count(*) from multipart_uploads"), "0");
}

/* The rows go with the run they were for; the files are found by their age. */
static void test_parts__of_a_run_that_is_gone_are_swept(void **state) {
    struct domains *d = *state;
    json_t *info = run_info(d, "0");
    int before = files_of_parts(d);
    json_t *begun = parts_begin(d, files_of(info), "big.bin", 2);
    part_send(d, address_of(begun, 0), "part");
    test_sql(d->db, arena_printf(d->arena, "delete from runs where id = '%s'::uuid",
                                 text_at(info, "run_id")));
    assert_int_equal(send(d, NULL, "PUT", address_of(begun, 1), "late")->status, 404);
    struct ctx cx;
    test_ctx_system(&cx, d->db);
    cx.app = d->app;
    assert_ok(artifact_uploads_sweep(&cx), &cx.err);
    assert_int_equal(files_of_parts(d), before + 1);
    assert_int_equal(system(arena_printf(d->arena, "touch -d '3 days ago' %s/data/uploads/*.1",
                                         d->service->dir)),
                     0);
    assert_ok(artifact_uploads_sweep(&cx), &cx.err);
    ctx_done(&cx);
    assert_int_equal(files_of_parts(d), before);
}

static void test_parts__an_address_is_good_for_one_part(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    json_t *begun = parts_begin(d, files, "big.bin", 2);
    const char *address = address_of(begun, 0);
    const char *token = strrchr(address, '/') + 1;
    char *forged = arena_strdup(d->arena, address);
    forged[strlen(forged) - 3] = forged[strlen(forged) - 3] == 'A' ? 'B' : 'A';
    const char *const BAD[] = {
        forged,
        arena_printf(d->arena, "/api/2.0/mlflow-artifacts/mpu/parts/%s/%s", d->theirs.team_id,
                     token),
        arena_printf(d->arena, "/api/2.0/mlflow-artifacts/mpu/parts/nobody/%s", token),
        arena_printf(d->arena, "/api/2.0/mlflow-artifacts/mpu/parts/%s/x", d->ours.team_id)};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct test_reply *reply = send(d, NULL, "PUT", BAD[i], "x");
        assert_int_equal(reply->status, 404);
        assert_string_equal(text_at(reply->json, "message"), "there is no such upload");
    }
    assert_int_equal(send(d, NULL, "GET", address, NULL)->status, 405);
    /* Other people's uploads, and other paths. */
    const char *run_of_theirs = arena_printf(d->arena, "complete%s", fresh_run(d));
    parts_end(d, 404, run_of_theirs, begun, "");
    const char *path = arena_printf(d->arena, "/api/2.0/mlflow-artifacts/mpu/create%s/in", files);
    send_json(d, 403, &d->viewer, "POST", path, "{\"path\":\"x\",\"num_parts\":1}");
    send_json(d, 404, &d->stranger, "POST", path, "{\"path\":\"x\",\"num_parts\":1}");
    send_json(d, 400, &d->editor, "POST", path, "{\"path\":\"x\",\"num_parts\":0}");
    send_json(d, 400, &d->editor, "POST", path, "{\"path\":\"x\",\"num_parts\":10001}");
}

static void test_parts__count_as_storage(void **state) {
    struct domains *d = *state;
    const char *files = fresh_run(d);
    json_t *begun = parts_begin(d, files, "big.bin", 3);
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into quotas select '%s', 'storage_bytes',"
                                 " quota_used('%s', 'storage_bytes') + 10",
                                 d->ours.team_id, d->ours.team_id));
    part_send(d, address_of(begun, 0), "12345");
    part_send(d, address_of(begun, 1), "12345");
    assert_int_equal(send(d, NULL, "PUT", address_of(begun, 2), "1")->status, 403);
    test_sql(d->db, "delete from quotas");
    part_send(d, address_of(begun, 2), "1");
    parts_end(d, 200, arena_printf(d->arena, "complete%s", files), begun, "");
    assert_int_equal(get(d, files, "in/big.bin")->size, 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxy__keeps_lists_and_deletes),
        cmocka_unit_test(test_proxy__answers_under_its_other_names),
        cmocka_unit_test(test_proxy__finds_experiments_with_a_place_of_their_own),
        cmocka_unit_test(test_proxy__active_types_are_attachments),
        cmocka_unit_test(test_proxy__what_is_nobodys_does_not_exist),
        cmocka_unit_test(test_artifacts__of_a_run_by_its_id),
        cmocka_unit_test(test_b03__reads_lead_nowhere),
        cmocka_unit_test(test_b04__writes_lists_and_deletes_touch_nothing),
        cmocka_unit_test(test_b04__parts_and_resumable_uploads_take_no_path),
        cmocka_unit_test(test_b01__locations_elsewhere_are_refused),
        cmocka_unit_test(test_parts__come_in_any_order_and_become_one_file),
        cmocka_unit_test(test_parts__given_up_or_forgotten_leave_nothing),
        cmocka_unit_test(test_parts__of_a_run_that_is_gone_are_swept),
        cmocka_unit_test(test_parts__an_address_is_good_for_one_part),
        cmocka_unit_test(test_parts__count_as_storage),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
