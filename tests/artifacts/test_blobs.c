/* The blob store: what is kept, under which name, and what a crash or an intruder may leave. */

#include "artifacts/artifacts.h"
#include "artifacts/store.h"
#include "tests/support/domains.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path_in(struct domains *d, const char *name) {
    return arena_printf(d->arena, "%s/data/%s", d->service->dir, name);
}

static const char *blob_path(struct domains *d, const char *sha256) {
    return path_in(d, arena_printf(d->arena, "blobs/%.2s/%s", sha256, sha256));
}

static int count_files(struct domains *d, const char *dir) {
    const char *command = arena_printf(d->arena, "find %s -type f | wc -l", path_in(d, dir));
    FILE *out = popen(command, "r");
    int count = -1;
    assert_int_equal(fscanf(out, "%d", &count), 1);
    pclose(out);
    return count;
}

static void as_editor(struct domains *d, struct ctx *cx) {
    ctx_init(cx, d->app);
    cx->who = d->editor;
}

static void test_blob__is_named_by_its_hash_and_kept_once(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct blob one, two;
    as_editor(d, &cx);
    assert_ok(blob_put(&cx, "hello", 5, &one), &cx.err);
    assert_ok(blob_put(&cx, "hello", 5, &two), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_string_equal(one.sha256,
                        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_string_equal(two.sha256, one.sha256);
    struct stat st;
    assert_int_equal(stat(blob_path(d, one.sha256), &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count_files(d, "tmp"), 0);

    const char *text;
    size_t size;
    assert_ok(blob_read(&cx, one.sha256, 100, &text, &size), &cx.err);
    assert_int_equal(size, 5);
    assert_string_equal(text, "hello");
    assert_err(ERR_TOO_LARGE, blob_read(&cx, one.sha256, 4, &text, &size));
    ctx_done(&cx);
}

static void test_blob__without_a_row_does_not_exist(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct blob blob;
    int fd;
    int64_t size;
    as_editor(d, &cx);
    assert_ok(blob_put(&cx, "rolled back", 11, &blob), &cx.err);
    db_rollback(&cx);
    assert_err(ERR_NOT_FOUND, blob_require(&cx, blob.sha256, &blob));
    assert_err(ERR_NOT_FOUND, blob_open(&cx, blob.sha256, &fd, &size));
    ctx_done(&cx);
}

static void test_blob__damage_is_an_error_and_never_bytes(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct blob blob;
    const char *text;
    size_t size;
    int fd;
    int64_t file_size;
    as_editor(d, &cx);
    assert_ok(blob_put(&cx, "to be damaged", 13, &blob), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    int file = open(blob_path(d, blob.sha256), O_WRONLY);
    assert_int_equal(pwrite(file, "T", 1, 0), 1);
    assert_err(ERR_INTERNAL, blob_read(&cx, blob.sha256, 100, &text, &size));
    assert_int_equal(ftruncate(file, 3), 0);
    close(file);
    assert_err(ERR_INTERNAL, blob_open(&cx, blob.sha256, &fd, &file_size));
    assert_int_equal(unlink(blob_path(d, blob.sha256)), 0);
    assert_int_equal(symlink("/etc/passwd", blob_path(d, blob.sha256)), 0);
    assert_err(ERR_INTERNAL, blob_open(&cx, blob.sha256, &fd, &file_size));
    unlink(blob_path(d, blob.sha256));
    ctx_done(&cx);
}

/* A request that breaks off, at several places of a body of several buffers. */
static void test_blob__broken_off_upload_leaves_nothing(void **state) {
    struct domains *d = *state;
    size_t size = 3 * STORE_BUFFER_SIZE + 17;
    char *body = malloc(size);
    memset(body, 'b', size);
    int before = count_files(d, "blobs");
    static const size_t cuts[] = {1, 4096, STORE_BUFFER_SIZE, 3 * STORE_BUFFER_SIZE + 16};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct test_request rq = {.method = "PUT",
                                  .path = "/api/v1/uploads?file_name=cut.bin",
                                  .body = body,
                                  .size = size,
                                  .content_type = "application/octet-stream",
                                  .cut = cuts[i],
                                  .who = &d->editor};
        assert_int_equal(test_send(d->app, d->arena, &rq)->status, 400);
    }
    free(body);
    assert_int_equal(count_files(d, "blobs"), before);
    assert_int_equal(count_files(d, "tmp"), 0);
    assert_string_equal(
        test_sql_value(d->db, "select count(*) from uploads where file_name = 'cut.bin'"), "0");
}

/* --- the directory --- */

static void test_store__one_server_at_a_time(void **state) {
    struct domains *d = *state;
    struct blobs *second = NULL;
    struct err_info err;
    assert_err(ERR_CONFLICT, blobs_new(path_in(d, ""), &second, &err));
    assert_null(second);
}

static const char *fresh_dir(struct domains *d, const char *name) {
    return arena_printf(d->arena, "%s/%s", d->service->dir, name);
}

static void test_store__removes_what_a_killed_server_had_begun(void **state) {
    struct domains *d = *state;
    const char *dir = fresh_dir(d, "killed");
    struct blobs *blobs = NULL;
    struct err_info err;
    assert_ok(blobs_new(dir, &blobs, &err), &err);
    blobs_free(blobs);
    const char *left = arena_printf(d->arena, "%s/tmp/left", dir);
    close(open(left, O_CREAT | O_WRONLY, 0600));
    assert_ok(blobs_new(dir, &blobs, &err), &err);
    assert_int_equal(access(left, F_OK), -1);
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    blobs_free(blobs);
}

static void test_store__directory_others_can_write_is_refused(void **state) {
    struct domains *d = *state;
    const char *dir = fresh_dir(d, "open");
    struct blobs *blobs = NULL;
    struct err_info err;
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_err(ERR_INVALID, blobs_new(dir, &blobs, &err));
}

static void test_store__planted_link_is_not_followed(void **state) {
    struct domains *d = *state;
    const char *dir = fresh_dir(d, "planted"), *outside = fresh_dir(d, "outside");
    struct blobs *blobs = NULL;
    struct err_info err;
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(mkdir(outside, 0700), 0);
    assert_int_equal(symlink(outside, arena_printf(d->arena, "%s/blobs", dir)), 0);
    assert_err(ERR_INVALID, blobs_new(dir, &blobs, &err));
}

static void test_store__nearly_full_disk_refuses_new_bytes_only(void **state) {
    struct domains *d = *state;
    const char *id = upload_make(d, "before.bin", "kept");
    int64_t least = d->service->config.min_free_bytes;
    d->service->config.min_free_bytes = INT64_MAX / 2;
    struct test_request rq = {.method = "PUT",
                              .path = "/api/v1/uploads?file_name=x",
                              .body = "x",
                              .size = 1,
                              .content_type = "application/octet-stream",
                              .who = &d->editor};
    struct test_reply *reply = test_send(d->app, d->arena, &rq);
    d->service->config.min_free_bytes = least;
    assert_int_equal(reply->status, 503);
    assert_string_not_equal(test_header(d->arena, reply, "Retry-After"), "");
    assert_string_equal(text_at(get_ok(d, "/api/v1/uploads/%s", id), "state"), "complete");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blob__is_named_by_its_hash_and_kept_once),
        cmocka_unit_test(test_blob__without_a_row_does_not_exist),
        cmocka_unit_test(test_blob__damage_is_an_error_and_never_bytes),
        cmocka_unit_test(test_blob__broken_off_upload_leaves_nothing),
        cmocka_unit_test(test_store__one_server_at_a_time),
        cmocka_unit_test(test_store__removes_what_a_killed_server_had_begun),
        cmocka_unit_test(test_store__directory_others_can_write_is_refused),
        cmocka_unit_test(test_store__planted_link_is_not_followed),
        cmocka_unit_test(test_store__nearly_full_disk_refuses_new_bytes_only),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
