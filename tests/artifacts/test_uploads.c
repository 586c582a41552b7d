/* tus 1.0.0 as clients use and abuse it, and the order in which bytes become safe. */

#include "artifacts/store.h"
#include "artifacts/uploads.h"
#include "base/digest.h"
#include "tests/support/domains.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_TYPE "application/offset+octet-stream"

/* "data.csv" */
#define METADATA "filename ZGF0YS5jc3Y=,filetype dGV4dC9jc3Y="

static struct test_reply *create(struct domains *d, const char *length, const char *metadata) {
    struct test_request rq = {.method = "POST",
                              .path = "/api/v1/uploads",
                              .who = &d->editor,
                              .headers = {{"Tus-Resumable", "1.0.0"},
                                          {"Upload-Length", length},
                                          {"Upload-Metadata", metadata}}};
    return test_send(d->app, d->arena, &rq);
}

/* The path of a new upload of so many bytes. */
static const char *begin(struct domains *d, int size) {
    struct test_reply *reply = create(d, arena_printf(d->arena, "%d", size), METADATA);
    assert_int_equal(reply->status, 201);
    return test_header(d->arena, reply, "Location");
}

static const char *id_of(const char *path) {
    return strrchr(path, '/') + 1;
}

static struct test_request chunk(struct domains *d, const char *path, const char *offset,
                                 const char *bytes) {
    return (struct test_request){
        .method = "PATCH",
        .path = path,
        .body = bytes,
        .size = strlen(bytes),
        .content_type = CHUNK_TYPE,
        .who = &d->editor,
        .headers = {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", offset}}};
}

static int append(struct domains *d, const char *path, const char *offset, const char *bytes) {
    struct test_request rq = chunk(d, path, offset, bytes);
    return test_send(d->app, d->arena, &rq)->status;
}

static int head_status(struct domains *d, const char *path, const struct principal *who,
                       const char **ret_offset) {
    struct test_request rq = {
        .method = "HEAD", .path = path, .who = who, .headers = {{"Tus-Resumable", "1.0.0"}}};
    struct test_reply *reply = test_send(d->app, d->arena, &rq);
    if (ret_offset)
        *ret_offset = test_header(d->arena, reply, "Upload-Offset");
    return reply->status;
}

static void assert_offset(struct domains *d, const char *path, const char *expected) {
    const char *offset;
    assert_int_equal(head_status(d, path, &d->editor, &offset), 200);
    assert_string_equal(offset, expected);
}

static const char *part_path(struct domains *d, const char *path) {
    return arena_printf(d->arena, "%s/data/uploads/%s", d->service->dir, id_of(path));
}

static void assert_complete(struct domains *d, const char *path, const char *bytes) {
    char sha256[SHA256_TEXT_SIZE];
    sha256_hex_of(bytes, strlen(bytes), sha256);
    json_t *upload = get_ok(d, "%s", path);
    assert_string_equal(text_at(upload, "state"), "complete");
    assert_string_equal(text_at(upload, "sha256"), sha256);
    assert_string_equal(text_at(upload, "file_name"), "data.csv");
    assert_int_equal(access(part_path(d, path), F_OK), -1);
}

static void test_upload__in_pieces(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 10);
    assert_offset(d, path, "0");
    assert_int_equal(append(d, path, "0", "abcd"), 204);
    assert_offset(d, path, "4");
    json_t *mine = get_ok(d, "/api/v1/uploads");
    assert_string_equal(text_at(item_at(mine, 0), "id"), id_of(path));
    assert_int_equal(append(d, path, "4", "efghij"), 204);
    assert_complete(d, path, "abcdefghij");
    /* The reply to the last piece was lost: asking again changes nothing. */
    assert_offset(d, path, "10");
    assert_int_equal(append(d, path, "10", ""), 204);
    assert_int_equal(append(d, path, "4", "efghij"), 409);
}

static void test_upload__in_one_piece(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 5);
    struct test_request rq = chunk(d, path, "0", "hello");
    rq.chunked = true;
    assert_int_equal(test_send(d->app, d->arena, &rq)->status, 204);
    assert_complete(d, path, "hello");
}

/* --- the table of refusals --- */

static void test_upload__create_refuses(void **state) {
    struct domains *d = *state;
    static const struct {
        const char *length, *metadata;
        int status;
    } cases[] = {
        {"-1", METADATA, 400},
        {"0", METADATA, 400},
        {"1e3", METADATA, 400},
        {"+5", METADATA, 400},
        {"", METADATA, 400},
        {"99999999999999999999", METADATA, 400},
        {"999999999999999999", METADATA, 413},
        {"5", "", 400},
        {"5", "filetype dGV4dA==", 400},
        {"5", "filename !!!!", 400},
        {"5", "filename Li4vLi4vZXRjL3Bhc3N3ZA==", 400}, /* ../../etc/passwd */
        {"5", "filename L2V0Yy9wYXNzd2Q=", 400},         /* /etc/passwd */
        {"5", "filename Li4=", 400},                     /* .. */
        {"5", "filename YQBi", 400},                     /* a NUL b */
        {"5", "filename YQpi", 400},                     /* a line break b */
        {"5", "filename //79", 400},                     /* not UTF-8 */
        {"5", "filename YVxi", 400},                     /* a\b */
        {"5", "filename", 400},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = create(d, cases[i].length, cases[i].metadata)->status;
        if (status != cases[i].status)
            fail_msg("length \"%s\", metadata \"%s\": %d", cases[i].length, cases[i].metadata,
                     status);
    }
}

static void test_upload__patch_refuses_and_changes_nothing(void **state) {
    struct domains *d = *state;
    static const struct {
        const char *what, *offset, *bytes, *type, *version, *length, *checksum;
        int status;
    } cases[] = {
        {"offset behind", "3", "x", CHUNK_TYPE, "1.0.0", NULL, NULL, 409},
        {"offset ahead", "5", "x", CHUNK_TYPE, "1.0.0", NULL, NULL, 409},
        {"offset beyond", "11", "x", CHUNK_TYPE, "1.0.0", NULL, NULL, 400},
        {"offset negative", "-4", "x", CHUNK_TYPE, "1.0.0", NULL, NULL, 400},
        {"offset not a number", "4x", "x", CHUNK_TYPE, "1.0.0", NULL, NULL, 400},
        {"too many bytes", "4", "1234567", CHUNK_TYPE, "1.0.0", NULL, NULL, 413},
        {"other length", "4", "x", CHUNK_TYPE, "1.0.0", "11", NULL, 409},
        {"negative length", "4", "x", CHUNK_TYPE, "1.0.0", "-10", NULL, 409},
        {"no version", "4", "x", CHUNK_TYPE, "", NULL, NULL, 412},
        {"old version", "4", "x", CHUNK_TYPE, "0.2.2", NULL, NULL, 412},
        {"other type", "4", "x", "application/octet-stream", "1.0.0", NULL, NULL, 415},
        {"wrong checksum", "4", "x", CHUNK_TYPE, "1.0.0", NULL,
         "sha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 460},
        {"short checksum", "4", "x", CHUNK_TYPE, "1.0.0", NULL, "sha256 AAAA", 400},
        {"unknown checksum", "4", "x", CHUNK_TYPE, "1.0.0", NULL, "md5 AAAA", 400},
    };
    const char *path = begin(d, 10);
    assert_int_equal(append(d, path, "0", "abcd"), 204);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_request rq = chunk(d, path, cases[i].offset, cases[i].bytes);
        rq.content_type = cases[i].type;
        rq.headers[0].value = cases[i].version;
        if (cases[i].length)
            rq.headers[2] = (struct http_header){"Upload-Length", cases[i].length};
        if (cases[i].checksum)
            rq.headers[3 - !cases[i].length] =
                (struct http_header){"Upload-Checksum", cases[i].checksum};
        int status = test_send(d->app, d->arena, &rq)->status;
        if (status != cases[i].status)
            fail_msg("%s: %d", cases[i].what, status);
        assert_offset(d, path, "4");
    }
    assert_int_equal(append(d, path, "4", "efghij"), 204);
    assert_complete(d, path, "abcdefghij");
}

static void test_upload__right_checksum_is_taken(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 5);
    struct test_request rq = chunk(d, path, "0", "hello");
    rq.headers[2] = (struct http_header){"Upload-Checksum",
                                         "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="};
    assert_int_equal(test_send(d->app, d->arena, &rq)->status, 204);
    assert_complete(d, path, "hello");
}

static void test_upload__others_cannot_see_or_touch_it(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 4);
    struct principal colleague = test_person(&d->ours, ROLE_EDITOR);
    snprintf(colleague.user_id, sizeof(colleague.user_id), "%s", d->theirs.user_id);
    const struct principal *others[] = {&d->stranger, &colleague};
    for (int i = 0; i < 2; i++) {
        struct test_request rq = chunk(d, path, "0", "evil");
        rq.who = others[i];
        assert_int_equal(head_status(d, path, others[i], NULL), 404);
        assert_int_equal(test_send(d->app, d->arena, &rq)->status, 404);
        send_json(d, 404, others[i], "GET", path, NULL);
        send_json(d, 404, others[i], "DELETE", path, NULL);
    }
    assert_int_equal(head_status(d, path, &d->viewer, NULL), 403);
    assert_int_equal(head_status(d, "/api/v1/uploads/..", &d->editor, NULL), 400);
    assert_int_equal(head_status(d, "/api/v1/uploads/x", &d->editor, NULL), 404);
    assert_offset(d, path, "0");
}

static void test_upload__two_at_once_one_wins(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 4);
    /* What another request under way holds. */
    int fd = open(part_path(d, path), O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(append(d, path, "0", "abcd"), 423);
    close(fd);
    assert_offset(d, path, "0");
    assert_int_equal(append(d, path, "0", "abcd"), 204);
}

static void test_upload__expires(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 4);
    test_sql(d->db, arena_printf(d->arena,
                                 "update uploads set expires_at = now() - interval '1 minute'"
                                 " where id = '%s'",
                                 id_of(path)));
    assert_int_equal(head_status(d, path, &d->editor, NULL), 410);
    assert_int_equal(append(d, path, "0", "abcd"), 410);
    struct ctx cx;
    ctx_init(&cx, d->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(uploads_sweep(&cx), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    assert_int_equal(access(part_path(d, path), F_OK), -1);
    assert_int_equal(head_status(d, path, &d->editor, NULL), 410);
}

static void test_upload__can_be_given_up(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 4);
    send_json(d, 204, &d->editor, "DELETE", path, NULL);
    assert_int_equal(access(part_path(d, path), F_OK), -1);
    assert_int_equal(head_status(d, path, &d->editor, NULL), 404);
}

/* --- breaking off --- */

static void test_upload__lost_connection_keeps_what_came(void **state) {
    struct domains *d = *state;
    size_t size = 2 * STORE_BUFFER_SIZE;
    char *bytes = arena_alloc(d->arena, size + 1);
    memset(bytes, 'u', size);
    const char *path = begin(d, (int)size);
    struct test_request rq = chunk(d, path, "0", bytes);
    rq.cut = STORE_BUFFER_SIZE + 100;
    assert_int_equal(test_send(d->app, d->arena, &rq)->status, 400);
    assert_offset(d, path, "1048576");
    assert_int_equal(append(d, path, "1048576", bytes + STORE_BUFFER_SIZE), 204);
    assert_complete(d, path, bytes);
}

static void test_upload__lost_connection_with_checksum_keeps_nothing(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 5);
    struct test_request rq = chunk(d, path, "0", "hello");
    rq.headers[2] = (struct http_header){"Upload-Checksum",
                                         "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="};
    rq.cut = 3;
    assert_int_equal(test_send(d->app, d->arena, &rq)->status, 400);
    assert_offset(d, path, "0");
}

/* Bytes were written and the server was killed before it moved the offset. */
static void test_upload__unacknowledged_bytes_do_not_count(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 6);
    assert_int_equal(append(d, path, "0", "abc"), 204);
    int fd = open(part_path(d, path), O_WRONLY);
    assert_int_equal(pwrite(fd, "XXXXXXX", 7, 3), 7);
    close(fd);
    assert_offset(d, path, "3");
    assert_int_equal(append(d, path, "3", "def"), 204);
    assert_complete(d, path, "abcdef");
}

/* Killed between giving the file its blob's name and writing the row. */
static void test_upload__killed_at_the_last_moment_is_finished_later(void **state) {
    struct domains *d = *state;
    const char *path = begin(d, 6);
    assert_int_equal(append(d, path, "0", "killed"), 204);
    json_t *upload = get_ok(d, "%s", path);
    const char *sha256 = text_at(upload, "sha256");
    const char *blob =
        arena_printf(d->arena, "%s/data/blobs/%.2s/%s", d->service->dir, sha256, sha256);
    assert_int_equal(link(blob, part_path(d, path)), 0);
    test_sql(d->db, arena_printf(d->arena,
                                 "update uploads set state = 'receiving', sha256 = null,"
                                 " offset_bytes = 3 where id = '%s'",
                                 id_of(path)));
    /* The client goes on where it was told to, with other bytes even: the blob is not touched. */
    assert_int_equal(append(d, path, "3", "XXX"), 204);
    assert_complete(d, path, "killed");
    struct ctx cx;
    const char *text;
    size_t size;
    ctx_init(&cx, d->app);
    cx.who = d->editor;
    assert_ok(blob_read(&cx, sha256, 100, &text, &size), &cx.err);
    ctx_done(&cx);
}

/* --- plain PUT, use, limits --- */

static void test_upload__put_whole_file(void **state) {
    struct domains *d = *state;
    const char *id = upload_make(d, "data.csv", "a,b\n");
    assert_complete(d, arena_printf(d->arena, "/api/v1/uploads/%s", id), "a,b\n");
    static const char *const bad[] = {"..", "a%2Fb", "a%5Cb", "", "a%0Ab", "%FF"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct test_request rq = {
            .method = "PUT",
            .path = arena_printf(d->arena, "/api/v1/uploads?file_name=%s", bad[i]),
            .body = "x",
            .size = 1,
            .content_type = "application/octet-stream",
            .who = &d->editor};
        int status = test_send(d->app, d->arena, &rq)->status;
        if (status != 400)
            fail_msg("file_name=%s: %d", bad[i], status);
    }
}

static void test_upload__only_complete_ones_of_the_team_can_be_used(void **state) {
    struct domains *d = *state;
    const char *whole = upload_make(d, "whole.csv", "x"), *half = id_of(begin(d, 4));
    struct upload upload;
    struct ctx cx;
    ctx_init(&cx, d->app);
    cx.who = d->editor;
    assert_ok(upload_require_complete(&cx, whole, &upload), &cx.err);
    assert_int_equal(upload.size_bytes, 1);
    assert_err(ERR_CONFLICT, upload_require_complete(&cx, half, &upload));
    assert_err(ERR_NOT_FOUND, upload_require_complete(&cx, "../../etc", &upload));
    assert_ok(db_commit(&cx), &cx.err);
    cx.who = d->stranger;
    assert_err(ERR_NOT_FOUND, upload_require_complete(&cx, whole, &upload));
    ctx_done(&cx);
}

static void test_upload__unfinished_ones_are_limited(void **state) {
    struct domains *d = *state;
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into uploads (id, team_id, user_id, file_name, size_bytes)"
                                 " select gen_random_uuid(), '%s', '%s', 'f', 1"
                                 " from generate_series(1, 100)",
                                 d->ours.team_id, d->ours.user_id));
    assert_int_equal(create(d, "5", METADATA)->status, 409);
    assert_int_equal(json_array_size(at(get_ok(d, "/api/v1/uploads?limit=30"), "items")), 30);
}

static void test_upload__wall(void **state) {
    assert_wall(*state, "uploads");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upload__in_pieces),
        cmocka_unit_test(test_upload__in_one_piece),
        cmocka_unit_test(test_upload__create_refuses),
        cmocka_unit_test(test_upload__patch_refuses_and_changes_nothing),
        cmocka_unit_test(test_upload__right_checksum_is_taken),
        cmocka_unit_test(test_upload__others_cannot_see_or_touch_it),
        cmocka_unit_test(test_upload__two_at_once_one_wins),
        cmocka_unit_test(test_upload__expires),
        cmocka_unit_test(test_upload__can_be_given_up),
        cmocka_unit_test(test_upload__lost_connection_keeps_what_came),
        cmocka_unit_test(test_upload__lost_connection_with_checksum_keeps_nothing),
        cmocka_unit_test(test_upload__unacknowledged_bytes_do_not_count),
        cmocka_unit_test(test_upload__killed_at_the_last_moment_is_finished_later),
        cmocka_unit_test(test_upload__put_whole_file),
        cmocka_unit_test(test_upload__only_complete_ones_of_the_team_can_be_used),
        cmocka_unit_test(test_upload__unfinished_ones_are_limited),
        cmocka_unit_test(test_upload__wall),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
