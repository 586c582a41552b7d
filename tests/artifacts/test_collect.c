/* The sweep of blobs: what nobody refers to goes, and nothing else, whoever stores the same bytes
 * at that moment. */
#include "artifacts/artifacts.h"
#include "artifacts/store.h"
#include "base/ident.h"
#include "base/log.h"
#include "config/config.h"
#include "tests/support/domains.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void as_editor(struct domains *d, struct ctx *cx) {
    ctx_init(cx, d->app);
    cx->who = d->editor;
}

static const char *blob_make(struct domains *d, const char *text) {
    struct ctx cx;
    struct blob blob;
    as_editor(d, &cx);
    assert_ok(blob_put(&cx, text, strlen(text), &blob), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    return arena_strdup(d->arena, blob.sha256);
}

static void make_old(struct domains *d, const char *sha256, const char *interval) {
    test_sql(d->db, arena_printf(d->arena,
                                 "update blobs set created_at = now() - interval '%s'"
                                 " where sha256 = '%s'",
                                 interval, sha256));
}

/* From the first hash to the last. */
static void sweep(struct domains *d) {
    struct ctx cx;
    ctx_init(&cx, d->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    d->app->blobs->swept[0] = '\0';
    assert_ok(blobs_sweep(&cx), &cx.err);
    assert_ok(blobs_sweep(&cx), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_string_equal(d->app->blobs->swept, "");
    ctx_done(&cx);
}

/* Row and file, or neither. */
static bool is_kept(struct domains *d, const char *sha256) {
    struct stat st;
    const char *path =
        arena_printf(d->arena, "%s/data/blobs/%.2s/%s", d->service->dir, sha256, sha256);
    bool file = stat(path, &st) == 0;
    const char *sql =
        arena_printf(d->arena, "select count(*) from blobs where sha256 = '%s'", sha256);
    bool row = strcmp(test_sql_value(d->db, sql), "1") == 0;
    if (row != file)
        fail_msg("blob %s has %s row and %s file", sha256, row ? "a" : "no", file ? "a" : "no");
    return row;
}

static void refer(struct domains *d, const char *sha256, const char *id) {
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into uploads (id, team_id, user_id, file_name, size_bytes,"
                                 " offset_bytes, state, sha256)"
                                 " values ('%s', '%s', '%s', 'x', 1, 1, 'complete', '%s')",
                                 id, d->ours.team_id, d->editor.user_id, sha256));
}

static void test_sweep__takes_only_what_is_old_and_unreferenced(void **state) {
    struct domains *d = *state;
    const char *old = blob_make(d, "old"), *young = blob_make(d, "young");
    const char *used = blob_make(d, "used"), *again = blob_make(d, "stored again");
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    make_old(d, old, "25 hours");
    make_old(d, young, "23 hours");
    make_old(d, used, "1 year");
    make_old(d, again, "1 year");
    refer(d, used, id);
    blob_make(d, "stored again");
    sweep(d);
    assert_false(is_kept(d, old));
    assert_true(is_kept(d, young));
    assert_true(is_kept(d, used));
    assert_true(is_kept(d, again));
    test_sql(d->db, arena_printf(d->arena, "delete from uploads where id = '%s'", id));
    sweep(d);
    assert_false(is_kept(d, used));
    assert_string_equal(blob_make(d, "used"), used);
    assert_true(is_kept(d, used));
}

static void test_sweep__asks_every_table_that_refers_to_blobs(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "with files"); /* outputs, artifacts, a dataset's files */
    json_t *artifacts = get_ok(d, "/api/v1/runs/%s/artifacts", text_at(run, "id"));
    test_sql(d->db, "update blobs set created_at = now() - interval '1 year'");
    sweep(d);
    assert_true(json_array_size(at(artifacts, "items")) > 0);
    for (size_t i = 0; i < json_array_size(at(artifacts, "items")); i++)
        assert_true(is_kept(d, text_at(item_at(artifacts, i), "sha256")));
}

static void test_sweep__of_a_file_that_is_gone_takes_the_row(void **state) {
    struct domains *d = *state;
    const char *sha256 = blob_make(d, "half deleted by a crash");
    const char *path =
        arena_printf(d->arena, "%s/data/blobs/%.2s/%s", d->service->dir, sha256, sha256);
    assert_int_equal(unlink(path), 0);
    make_old(d, sha256, "2 days");
    sweep(d);
    assert_false(is_kept(d, sha256));
    /* and an upload makes good what a crash left */
    sha256 = blob_make(d, "half deleted by a crash");
    assert_int_equal(unlink(path), 0);
    make_old(d, sha256, "2 days");
    blob_make(d, "half deleted by a crash");
    assert_true(is_kept(d, sha256));
}

/* One that stores the same bytes, refers, reads, lets go and lets them age, over and over. Each has
 * bytes of its own: only here can a blob be made old while somebody stores it. */
struct storer {
    struct domains *d;
    const char *text;
    int rounds, lost;
    char why[1100];
};

static enum err store_and_refer(struct ctx *cx, const char *text, const char *id,
                                struct blob *blob) {
    TRY(blob_put(cx, text, strlen(text), blob));
    struct arena *arena = cx->arena;
    struct list none;
    const char *sql =
        arena_printf(arena,
                     "insert into uploads (id, team_id, user_id, file_name, size_bytes,"
                     " offset_bytes, state, sha256) values ('%s', '%s', '%s', 'x', 1,"
                     " 1, 'complete', '%s')",
                     id, cx->who.team_id, cx->who.user_id, blob->sha256);
    static const struct shape NOTHING = {.name = "Nothing"};
    TRY(db_many_dynamic(cx, sql, NULL, 0, &NOTHING, &none));
    return db_commit(cx);
}

static enum err let_go(struct ctx *cx, const char *id, const char *sha256) {
    static const struct shape NOTHING = {.name = "Nothing"};
    struct list none;
    const char *drop = arena_printf(cx->arena, "delete from uploads where id = '%s'", id);
    const char *age = arena_printf(cx->arena,
                                   "update blobs set created_at = now() - interval '2 days'"
                                   " where sha256 = '%s'",
                                   sha256);
    TRY(db_many_dynamic(cx, drop, NULL, 0, &NOTHING, &none));
    TRY(db_commit(cx));
    TRY(db_many_dynamic(cx, age, NULL, 0, &NOTHING, &none));
    return db_commit(cx);
}

static void *store_over_and_over(void *arg) {
    struct storer *s = arg;
    for (int i = 0; i < s->rounds; i++) {
        struct ctx cx;
        struct blob blob;
        int64_t size;
        int fd = -1;
        char id[UUID_TEXT_SIZE];
        as_editor(s->d, &cx);
        uuid_new(id);
        enum err err = store_and_refer(&cx, s->text, id, &blob);
        if (err == OK)
            err = blob_open(&cx, blob.sha256, &fd, &size);
        if (fd >= 0)
            close(fd);
        if (err == OK)
            err = let_go(&cx, id, blob.sha256);
        if (err != OK && s->lost++ == 0)
            snprintf(s->why, sizeof(s->why), "%s %s", cx.err.message, cx.err.detail);
        ctx_done(&cx);
    }
    return NULL;
}

struct sweeper {
    struct domains *d;
    enum err (*sweep)(struct ctx *cx);
    _Atomic bool done;
    int swept;
};

static void *sweep_over_and_over(void *arg) {
    struct sweeper *s = arg;
    while (!s->done) {
        struct ctx cx;
        ctx_init(&cx, s->d->app);
        cx.who.kind = PRINCIPAL_SYSTEM;
        s->swept += s->sweep(&cx) == OK;
        ctx_done(&cx);
    }
    return NULL;
}

static void test_sweep__beside_somebody_who_stores_the_bytes_loses_none(void **state) {
    struct domains *d = *state;
    static const char *const TEXTS[] = {"bytes of one", "bytes of two", "bytes of three"};
    struct storer storers[3];
    struct sweeper sweeper = {.d = d, .sweep = blobs_sweep};
    pthread_t threads[3], sweeping;
    log_init(LOG_ERROR); /* "blob.kept" is what this is about */
    assert_int_equal(pthread_create(&sweeping, NULL, sweep_over_and_over, &sweeper), 0);
    for (int i = 0; i < 3; i++) {
        storers[i] = (struct storer){.d = d, .text = TEXTS[i], .rounds = 150};
        assert_int_equal(pthread_create(&threads[i], NULL, store_over_and_over, &storers[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    sweeper.done = true;
    pthread_join(sweeping, NULL);
    for (int i = 0; i < 3; i++)
        if (storers[i].lost)
            fail_msg("%d of %d lost: %s", storers[i].lost, storers[i].rounds, storers[i].why);
    assert_true(sweeper.swept > 0);
    log_init(LOG_WARNING);
}

/* --- files that no row names --- */

static void stray_make(struct domains *d, const char *path, int hours) {
    const char *whole = arena_printf(d->arena, "%s/data/%s", d->service->dir, path);
    const char *slash = strrchr(whole, '/');
    (void)mkdir(arena_strndup(d->arena, whole, (size_t)(slash - whole)), 0700);
    FILE *f = fopen(whole, "a");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    struct timespec then = {.tv_sec = time(NULL) - hours * 3600};
    assert_int_equal(utimensat(AT_FDCWD, whole, (struct timespec[]){then, then}, 0), 0);
}

static bool is_there(struct domains *d, const char *path) {
    struct stat st;
    return stat(arena_printf(d->arena, "%s/data/%s", d->service->dir, path), &st) == 0;
}

static const char *blob_path(struct domains *d, const char *sha256) {
    return arena_printf(d->arena, "blobs/%.2s/%s", sha256, sha256);
}

static void sweep_strays(struct domains *d) {
    struct ctx cx;
    ctx_init(&cx, d->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(strays_sweep(&cx), &cx.err);
    assert_int_equal(d->app->blobs->walked, 0);
    ctx_done(&cx);
}

static void test_strays__of_blobs_go_when_they_are_old_and_have_no_row(void **state) {
    struct domains *d = *state;
    static const char OLD[] = "blobs/ab/"
                              "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";
    static const char YOUNG[] = "blobs/ab/"
                                "ab00000000000000000000000000000000000000000000000000000000000000";
    static const char FOREIGN[] = "blobs/ab/README";
    const char *kept = blob_make(d, "old, with its row");
    stray_make(d, OLD, 25);
    stray_make(d, YOUNG, 23);
    stray_make(d, FOREIGN, 1000);
    stray_make(d, blob_path(d, kept), 1000);
    sweep_strays(d);
    assert_false(is_there(d, OLD));
    assert_true(is_there(d, YOUNG));
    assert_true(is_there(d, FOREIGN));
    assert_true(is_kept(d, kept));
}

static void test_strays__of_uploads_go_unless_they_are_being_received(void **state) {
    struct domains *d = *state;
    char ids[4][UUID_TEXT_SIZE];
    const char *paths[4], *const states[4] = {NULL, "complete", "receiving", "receiving"};
    const char *sha256 = blob_make(d, "of a finished upload");
    for (int i = 0; i < 4; i++) {
        uuid_new(ids[i]);
        paths[i] = arena_printf(d->arena, "uploads/%s", ids[i]);
        stray_make(d, paths[i], 30);
        if (states[i])
            test_sql(d->db, arena_printf(
                                d->arena,
                                "insert into uploads (id, team_id, user_id, file_name, size_bytes,"
                                " state, sha256, expires_at) values ('%s', '%s', '%s', 'x', 1,"
                                " '%s', %s, now() + interval '%d hours')",
                                ids[i], d->ours.team_id, d->editor.user_id, states[i],
                                i == 1 ? arena_printf(d->arena, "'%s'", sha256) : "null",
                                i == 2 ? -1 : 1));
    }
    stray_make(d, arena_printf(d->arena, "%s.1", paths[0]), 30);
    sweep_strays(d);
    assert_false(is_there(d, paths[0]));
    assert_false(is_there(d, paths[1]));
    assert_false(is_there(d, paths[2]));
    assert_true(is_there(d, paths[3]));
    assert_true(is_there(d, arena_printf(d->arena, "%s.1", paths[0]))); /* parts_expire()'s */
}

/* Stores without committing, as somebody who is killed does, and then in earnest. */
static void *crash_and_store(void *arg) {
    struct storer *s = arg;
    for (int i = 0; i < s->rounds; i++) {
        struct ctx cx;
        struct blob blob;
        int64_t size;
        int fd = -1;
        char id[UUID_TEXT_SIZE];
        as_editor(s->d, &cx);
        uuid_new(id);
        enum err err = blob_put(&cx, s->text, strlen(s->text), &blob);
        db_rollback(&cx);
        if (err == OK)
            err = store_and_refer(&cx, s->text, id, &blob);
        if (err == OK)
            err = blob_open(&cx, blob.sha256, &fd, &size);
        if (fd >= 0)
            close(fd);
        if (err != OK && s->lost++ == 0)
            snprintf(s->why, sizeof(s->why), "%s %s", cx.err.message, cx.err.detail);
        db_rollback(&cx);
        test_sql(s->d->db, arena_printf(cx.arena,
                                        "delete from uploads where id = '%s';"
                                        " delete from blobs where sha256 = '%s'",
                                        id, blob.sha256));
        ctx_done(&cx);
    }
    return NULL;
}

static void test_strays__beside_somebody_who_stores_the_bytes_loses_none(void **state) {
    struct domains *d = *state;
    struct storer storer = {.d = d, .text = "bytes of one who was killed", .rounds = 300};
    struct sweeper sweeper = {.d = d, .sweep = strays_sweep};
    const struct config *config = d->app->config;
    struct config eager = *config;
    pthread_t storing, sweeping;
    eager.blob_grace_hours = -1;
    d->app->config = &eager;
    log_init(LOG_ERROR);
    assert_int_equal(pthread_create(&sweeping, NULL, sweep_over_and_over, &sweeper), 0);
    assert_int_equal(pthread_create(&storing, NULL, crash_and_store, &storer), 0);
    pthread_join(storing, NULL);
    sweeper.done = true;
    pthread_join(sweeping, NULL);
    if (storer.lost)
        fail_msg("%d of %d lost: %s", storer.lost, storer.rounds, storer.why);
    assert_true(sweeper.swept > 0);
    d->app->config = config;
    log_init(LOG_WARNING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep__takes_only_what_is_old_and_unreferenced),
        cmocka_unit_test(test_sweep__asks_every_table_that_refers_to_blobs),
        cmocka_unit_test(test_sweep__of_a_file_that_is_gone_takes_the_row),
        cmocka_unit_test(test_sweep__beside_somebody_who_stores_the_bytes_loses_none),
        cmocka_unit_test(test_strays__of_blobs_go_when_they_are_old_and_have_no_row),
        cmocka_unit_test(test_strays__of_uploads_go_unless_they_are_being_received),
        cmocka_unit_test(test_strays__beside_somebody_who_stores_the_bytes_loses_none),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
