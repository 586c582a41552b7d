/* Blobs as files; see artifacts.h and store.h.
 *
 * The order is everything: bytes, fsync, the row (which nobody sees before the commit), the name by
 * hash, fsync of the directory, and only then the commit. A crash anywhere leaves at most a file
 * without a row, which harms nobody. The row comes before the name because of the sweep
 * (collect.c): whoever has written it waited for a sweep of the same bytes, and none begins. An
 * fsync that failed is not tried again: the kernel may have dropped the pages, so the file is
 * thrown away. */

#include "artifacts/artifacts.h"

#include "artifacts/store.h"
#include "base/cleanup.h"
#include "base/ident.h"
#include "config/config.h"
#include "db/db.h"
#include "sql/artifacts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* --- the directory --- */

static int open_dir_at(int parent, const char *name) {
    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
        return -1;
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* What requests of a killed server had begun. Nothing in it was ever acknowledged. */
static void empty_dir(int dir_fd) {
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlinkat(dir_fd, entry->d_name, 0);
    closedir(dir);
}

static enum err blobs_open(struct blobs *b, const char *data_dir, struct err_info *err) {
    b->data_fd = open_dir_at(AT_FDCWD, data_dir);
    struct stat st;
    if (b->data_fd < 0 || fstat(b->data_fd, &st) != 0)
        return err_set(err, ERR_INVALID, "data_dir", "could not open directory \"%s\"", data_dir);
    if (st.st_mode & 022)
        return err_set(err, ERR_INVALID, "data_dir",
                       "directory \"%s\" can be written by others: make it mode 0700", data_dir);
    if (flock(b->data_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT, "data_dir", "another server uses directory \"%s\"",
                       data_dir);
    b->blobs_fd = open_dir_at(b->data_fd, "blobs");
    b->tmp_fd = open_dir_at(b->data_fd, "tmp");
    b->uploads_fd = open_dir_at(b->data_fd, "uploads");
    if (b->blobs_fd < 0 || b->tmp_fd < 0 || b->uploads_fd < 0 || fsync(b->data_fd) != 0)
        return err_set(err, ERR_INVALID, "data_dir", "could not make directories in \"%s\"",
                       data_dir);
    empty_dir(b->tmp_fd);
    return OK;
}

enum err blobs_new(const char *data_dir, struct blobs **ret, struct err_info *err) {
    struct blobs *b = malloc(sizeof(*b));
    if (!b)
        return err_set(err, ERR_INTERNAL, NULL, "out of memory");
    *b = (struct blobs){.data_fd = -1, .blobs_fd = -1, .tmp_fd = -1, .uploads_fd = -1};
    enum err code = blobs_open(b, data_dir, err);
    if (code != OK) {
        blobs_free(b);
        return code;
    }
    *ret = b;
    return OK;
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

void blobs_free(struct blobs *b) {
    if (!b)
        return;
    close_fd(b->uploads_fd);
    close_fd(b->tmp_fd);
    close_fd(b->blobs_fd);
    close_fd(b->data_fd);
    free(b);
}

/* --- failures and space --- */

enum err store_failed(struct ctx *cx, const char *what) {
    int code = errno;
    enum err err = code == ENOSPC || code == EDQUOT
                       ? fail(cx, ERR_UNAVAILABLE, "the server's disk is full")
                       : fail(cx, ERR_UNAVAILABLE, "could not store the file");
    fail_detail(cx, "%s: %s", what, strerror(code));
    cx->err.retry_after_s = 30;
    return err;
}

enum err store_require_space(struct ctx *cx, int64_t size_bytes) {
    struct statvfs fs;
    if (fstatvfs(cx->app->blobs->data_fd, &fs) != 0)
        return store_failed(cx, "statvfs");
    int64_t free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    if (free_bytes - size_bytes >= cx->app->config->min_free_bytes)
        return OK;
    enum err err = fail(cx, ERR_UNAVAILABLE, "the server's disk is nearly full");
    cx->err.retry_after_s = 30;
    return err;
}

enum err store_write_all(struct ctx *cx, int fd, const void *data, size_t size, int64_t offset) {
    const char *at = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return store_failed(cx, "write");
        at += n;
        size -= (size_t)n;
        offset += n;
    }
    return OK;
}

/* --- writing --- */

enum err staging_init(struct ctx *cx, struct staging *ret) {
    *ret = (struct staging){.blobs = cx->app->blobs, .fd = -1};
    uuid_new(ret->name);
    ret->fd = openat(ret->blobs->tmp_fd, ret->name,
                     O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (ret->fd < 0)
        return store_failed(cx, "create");
    ret->hash = sha256_new();
    return OK;
}

void staging_done(struct staging *s) {
    if (s->fd < 0)
        return;
    unlinkat(s->blobs->tmp_fd, s->name, 0);
    close(s->fd);
    sha256_free(s->hash);
    s->fd = -1;
}

enum err staging_write(struct ctx *cx, struct staging *s, const void *data, size_t size) {
    TRY(store_write_all(cx, s->fd, data, size, s->size_bytes));
    sha256_update(s->hash, data, size);
    s->size_bytes += (int64_t)size;
    return OK;
}

int store_bucket(struct blobs *b, const char *sha256, bool create) {
    char name[3] = {sha256[0], sha256[1], '\0'};
    int fd = openat(b->blobs_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 || !create || errno != ENOENT)
        return fd;
    fd = open_dir_at(b->blobs_fd, name);
    if (fd >= 0 && fsync(b->blobs_fd) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

enum err store_link(struct ctx *cx, int from_dir, const char *name, const char *sha256) {
    auto_fd bucket = store_bucket(cx->app->blobs, sha256, true);
    if (bucket < 0)
        return store_failed(cx, "bucket");
    if (linkat(from_dir, name, bucket, sha256, 0) != 0 && errno != EEXIST)
        return store_failed(cx, "link");
    return fsync(bucket) == 0 ? OK : store_failed(cx, "fsync of the directory");
}

enum err staging_commit(struct ctx *cx, struct staging *s, const char *expected, struct blob *ret) {
    struct blob blob = {.size_bytes = s->size_bytes};
    sha256_final_hex(s->hash, blob.sha256);
    if (expected[0] && strcmp(expected, blob.sha256) != 0)
        return fail(cx, ERR_UNPROCESSABLE,
                    "the bytes do not have the SHA-256 they were announced with");
    if (fsync(s->fd) != 0)
        return store_failed(cx, "fsync");
    TRY(blob_row(cx, &blob));
    TRY(store_link(cx, s->blobs->tmp_fd, s->name, blob.sha256));
    *ret = blob;
    return OK;
}

enum err blob_row(struct ctx *cx, const struct blob *blob) {
    return db_exec(cx, &SQL_blob_insert, ARGS(blob->sha256, db_int(cx, blob->size_bytes)), NULL);
}

static enum err receive_all(struct ctx *cx, const struct req *rq, struct staging *s,
                            int64_t max_bytes) {
    auto_free char *buffer = malloc(STORE_BUFFER_SIZE);
    if (!buffer)
        return fail(cx, ERR_UNAVAILABLE, "out of memory");
    for (size_t size = 1; size > 0;) {
        TRY(req_read(cx, rq, buffer, STORE_BUFFER_SIZE, &size));
        if (s->size_bytes + (int64_t)size > max_bytes)
            return fail(cx, ERR_TOO_LARGE, "the file is larger than %lld bytes",
                        (long long)max_bytes);
        TRY(staging_write(cx, s, buffer, size));
    }
    return OK;
}

enum err blob_receive(struct ctx *cx, const struct req *rq, const char *expected, int64_t max_bytes,
                      struct blob *ret) {
    TRY(db_commit(cx));
    if (rq->content_length > max_bytes)
        return fail(cx, ERR_TOO_LARGE, "the file is larger than %lld bytes", (long long)max_bytes);
    TRY(store_require_space(cx, rq->content_length > 0 ? rq->content_length : 0));
    auto_staging staging = {.fd = -1};
    TRY(staging_init(cx, &staging));
    TRY(receive_all(cx, rq, &staging, max_bytes));
    return staging_commit(cx, &staging, expected, ret);
}

enum err blob_put(struct ctx *cx, const void *data, size_t size, struct blob *ret) {
    auto_staging staging = {.fd = -1};
    TRY(staging_init(cx, &staging));
    TRY(staging_write(cx, &staging, data, size));
    return staging_commit(cx, &staging, "", ret);
}

/* --- reading --- */

struct blob_found {
    const char *sha256;
    int64_t size_bytes;
};

static const struct field BLOB_FIELDS[] = {
    FIELD(STRING, struct blob_found, sha256),
    FIELD(INT, struct blob_found, size_bytes),
};
static SHAPE(BLOB, "Blob", struct blob_found, BLOB_FIELDS);

enum err blob_require(struct ctx *cx, const char *sha256, struct blob *ret) {
    struct blob_found found_row;
    bool found;
    TRY(db_opt(cx, &SQL_blob_find, ARGS(sha256), &BLOB, &found_row, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "there is no blob %.16s…", sha256);
    memcpy(ret->sha256, found_row.sha256, SHA256_TEXT_SIZE);
    ret->size_bytes = found_row.size_bytes;
    return OK;
}

enum err blob_open(struct ctx *cx, const char *sha256, int *ret_fd, int64_t *ret_size) {
    struct blob blob;
    TRY(blob_require(cx, sha256, &blob));
    auto_fd bucket = store_bucket(cx->app->blobs, sha256, false);
    auto_fd fd = bucket < 0 ? -1 : openat(bucket, sha256, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size != blob.size_bytes) {
        enum err err = fail(cx, ERR_INTERNAL, "a stored file is damaged");
        fail_detail(cx, "blob %s: missing or of another size", sha256);
        return err;
    }
    *ret_size = blob.size_bytes;
    *ret_fd = take_fd(fd);
    return OK;
}

static enum err read_all(struct ctx *cx, int fd, char *data, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, data + at, size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(cx, ERR_INTERNAL, "could not read a stored file");
        at += (size_t)n;
    }
    return OK;
}

enum err blob_read(struct ctx *cx, const char *sha256, size_t max, const char **ret,
                   size_t *ret_size) {
    auto_fd fd = -1;
    int64_t size;
    TRY(blob_open(cx, sha256, &fd, &size));
    if (size > (int64_t)max)
        return fail(cx, ERR_TOO_LARGE, "the file is larger than %zu bytes", max);
    char *data = arena_alloc(cx->arena, (size_t)size + 1);
    TRY(read_all(cx, fd, data, (size_t)size));
    char actual[SHA256_TEXT_SIZE];
    sha256_hex_of(data, (size_t)size, actual);
    if (strcmp(actual, sha256) != 0) {
        enum err err = fail(cx, ERR_INTERNAL, "a stored file is damaged");
        fail_detail(cx, "blob %s hashes to %s", sha256, actual);
        return err;
    }
    *ret = data;
    *ret_size = (size_t)size;
    return OK;
}
