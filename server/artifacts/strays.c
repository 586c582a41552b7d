/* strays.c: the sweep of files that no row names. Crashes leave them: a blob gets its name before
 * the commit that makes its row, the file of an upload is there before its row and may outlive it.
 *
 * A file without a row may be somebody's who stores these bytes at this moment. So the sweep writes
 * the row itself first, which waits for whoever else does and makes whoever comes next wait, then
 * removes the file, and rolls back: at no time is there a row that was committed without its file.
 *
 * The directories are walked in pieces, one a call, so that the work of each is bounded. */
#include "artifacts/store.h"

#include "base/cleanup.h"
#include "base/ident.h"
#include "base/log.h"
#include "config/config.h"
#include "db/db.h"
#include "sql/artifacts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 256
#define FILES_AT_ONCE 5000 /* in a call, give or take one directory */
#define NAMES_AT_ONCE 1000 /* in a question to the database */

struct stray {
    const char *name;
};
static const struct field STRAY_FIELDS[] = {FIELD(STRING, struct stray, name)};
static SHAPE(STRAY, "Stray", struct stray, STRAY_FIELDS);

/* One directory of files, and what is asked about them. */
struct walk {
    int dir_fd;
    bool (*is_ours)(const char *name);
    const struct db_stmt *strays; /* of these names those that nothing needs */
    enum err (*remove)(struct ctx *cx, int dir_fd, const char *name);
    time_t before; /* younger files are left alone */
    size_t looked;
};

static bool is_hash(const char *name) {
    return strlen(name) == SHA256_TEXT_SIZE - 1 && strspn(name, "0123456789abcdef") == 64;
}

static enum err unlink_file(struct ctx *cx, int dir_fd, const char *name) {
    return unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT ? OK : store_failed(cx, "unlink");
}

static enum err remove_blob(struct ctx *cx, int dir_fd, const char *sha256) {
    int64_t claimed;
    TRY(db_exec(cx, &SQL_blob_claim, ARGS(sha256), &claimed));
    enum err err = claimed ? unlink_file(cx, dir_fd, sha256) : OK;
    struct err_info why = cx->err;
    db_rollback(cx);
    cx->err = why;
    return err;
}

static enum err remove_strays(struct ctx *cx, const struct walk *walk, const char *const *names,
                              size_t count) {
    struct list found;
    if (count == 0)
        return OK;
    TRY(db_many(cx, walk->strays, ARGS(db_text_array(cx, names, count)), &STRAY, &found));
    TRY(db_commit(cx));
    const struct stray *strays = found.items;
    for (size_t i = 0; i < found.count; i++) {
        enum err err = walk->remove(cx, walk->dir_fd, strays[i].name);
        log_event(LOG_INFO, err == OK ? "file.stray_removed" : "file.stray_kept",
                  LOG_T("file", strays[i].name), LOG_T("detail", err == OK ? "" : cx->err.detail));
    }
    return OK;
}

static bool is_old(const struct walk *walk, const char *name) {
    struct stat st;
    return walk->is_ours(name) && fstatat(walk->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtime < walk->before;
}

static enum err walk_dir(struct ctx *cx, struct walk *walk) {
    auto_fd fd = openat(walk->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir)
        return store_failed(cx, "open a directory");
    (void)take_fd(fd); /* the stream's now */
    const char **names = arena_new_array(cx->arena, const char *, NAMES_AT_ONCE);
    size_t count = 0;
    enum err err = OK;
    for (struct dirent *entry; err == OK && (entry = readdir(dir)); walk->looked++) {
        if (is_old(walk, entry->d_name))
            names[count++] = arena_strdup(cx->arena, entry->d_name);
        if (count < NAMES_AT_ONCE)
            continue;
        err = remove_strays(cx, walk, names, count);
        count = 0;
    }
    closedir(dir);
    return err == OK ? remove_strays(cx, walk, names, count) : err;
}

static enum err walk_bucket(struct ctx *cx, struct walk *walk, int number) {
    char hash[3];
    snprintf(hash, sizeof(hash), "%02x", (unsigned)number & 0xffu);
    auto_fd bucket = store_bucket(cx->app->blobs, hash, false);
    if (bucket < 0)
        return errno == ENOENT ? OK : store_failed(cx, "bucket");
    walk->dir_fd = bucket;
    return walk_dir(cx, walk);
}

/* Behind the last bucket stand the uploads. A resumable one is named by its id; parts have a dot.
 */
enum err strays_sweep(struct ctx *cx) {
    struct blobs *b = cx->app->blobs;
    time_t before = time(NULL) - (time_t)cx->app->config->blob_grace_hours * 3600;
    struct walk blobs = {-1, is_hash, &SQL_blobs_strays, remove_blob, before, 0};
    struct walk uploads = {b->uploads_fd, uuid_is_valid, &SQL_uploads_strays,
                           unlink_file,   before,        0};
    for (; b->walked < BUCKETS && blobs.looked < FILES_AT_ONCE; b->walked++)
        TRY(walk_bucket(cx, &blobs, b->walked));
    if (b->walked < BUCKETS)
        return OK;
    b->walked = 0;
    return walk_dir(cx, &uploads);
}
