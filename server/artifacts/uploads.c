/* Uploads that may be interrupted: rows, files and the order in which they change.
 *
 * States: receiving (offset_bytes of size_bytes are durable) → complete (it is a blob). The row's
 * offset moves after fsync, so what was acknowledged survives anything. A finished file gets its
 * blob name by a second hard link before the row says complete: a crash in between leaves a file
 * with two names, and whoever comes next sees that and only finishes the row. Nothing is ever
 * written to a file that is a blob already.
 *
 * One request at a time appends to an upload: flock on its file, which ends with the descriptor. */

#include "artifacts/uploads.h"

#include "artifacts/store.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "config/config.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { UNFINISHED_MAX = 100 };

const char *const UPLOAD_STATE_NAMES[] = {"receiving", "complete", NULL};

enum err upload_check_name(struct ctx *cx, const char *name) {
    size_t length = strlen(name);
    bool good = length > 0 && length <= UPLOAD_NAME_MAX && utf8_is_valid(name, length) &&
                strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    for (const char *c = name; good && *c; c++)
        good = (unsigned char)*c >= ' ' && *c != 0x7f && *c != '/' && *c != '\\';
    if (!good)
        return fail_field(cx, ERR_INVALID, "file_name",
                          "a file name is 1 to %d bytes of text without slashes", UPLOAD_NAME_MAX);
    return OK;
}

static enum err require_size(struct ctx *cx, int64_t size_bytes) {
    if (size_bytes > cx->app->config->max_upload_bytes)
        return fail(cx, ERR_TOO_LARGE, "an upload may have %lld bytes at most",
                    (long long)cx->app->config->max_upload_bytes);
    return store_require_space(cx, size_bytes);
}

static enum err require_few(struct ctx *cx) {
    const char *count;
    TRY(db_value(cx, &SQL_upload_count_own, ARGS(cx->who.team_id, cx->who.user_id), &count));
    if (count && atoll(count) >= UNFINISHED_MAX)
        return fail(cx, ERR_CONFLICT, "you have %d unfinished uploads, finish or delete some",
                    UNFINISHED_MAX);
    return OK;
}

enum err upload_create(struct ctx *cx, const char *file_name, int64_t size_bytes,
                       struct upload *ret) {
    TRY(upload_check_name(cx, file_name));
    if (size_bytes == 0)
        return fail_field(cx, ERR_INVALID, "Upload-Length", "an upload has at least one byte");
    TRY(require_size(cx, size_bytes));
    TRY(require_few(cx));
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    auto_fd fd = openat(cx->app->blobs->uploads_fd, id,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fsync(cx->app->blobs->uploads_fd) != 0)
        return store_failed(cx, "create");
    return db_one(cx, &SQL_upload_create,
                  ARGS(id, cx->who.team_id, cx->who.user_id, file_name, db_int(cx, size_bytes)),
                  &UPLOAD, ret);
}

static enum err no_such_upload(struct ctx *cx) {
    return fail(cx, ERR_NOT_FOUND, "there is no such upload");
}

enum err upload_get_own(struct ctx *cx, const char *id, struct upload *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_upload_find_own, ARGS(cx->who.team_id, cx->who.user_id, id), &UPLOAD,
                   ret, &found));
    return found ? OK : no_such_upload(cx);
}

enum err upload_require_complete(struct ctx *cx, const char *upload_id, struct upload *ret) {
    bool found = false;
    if (uuid_is_valid(upload_id))
        TRY(db_opt(cx, &SQL_upload_find, ARGS(cx->who.team_id, upload_id), &UPLOAD, ret, &found));
    if (!found)
        return no_such_upload(cx);
    if (ret->state != UPLOAD_COMPLETE)
        return fail(cx, ERR_CONFLICT, "upload \"%s\" is not complete", upload_id);
    return OK;
}

enum err upload_list_own(struct ctx *cx, const struct page_query *page, struct list *ret) {
    const char *after;
    TRY(page_after(cx, page, &after));
    return db_many(cx, &SQL_upload_list,
                   ARGS(cx->who.team_id, cx->who.user_id, after, page_rows(cx, page)), &UPLOAD,
                   ret);
}

/* The row first: a file without a row is swept, a row without a file would be a broken promise. */
enum err upload_delete_own(struct ctx *cx, const char *id) {
    struct upload upload;
    TRY(upload_get_own(cx, id, &upload));
    TRY(db_exec(cx, &SQL_upload_delete, ARGS(cx->who.team_id, cx->who.user_id, id), NULL));
    TRY(db_commit(cx));
    unlinkat(cx->app->blobs->uploads_fd, id, 0);
    return OK;
}

bool upload_is_expired(const struct upload *upload) {
    return upload->state == UPLOAD_RECEIVING && upload->expires_at <= clock_now_us();
}

/* --- finishing --- */

static enum err hash_file(struct ctx *cx, int fd, int64_t size_bytes, char ret[SHA256_TEXT_SIZE]) {
    auto_free char *buffer = malloc(STORE_BUFFER_SIZE);
    if (!buffer)
        return fail(cx, ERR_UNAVAILABLE, "out of memory");
    struct sha256 *hash = sha256_new();
    int64_t at = 0;
    while (at < size_bytes) {
        ssize_t n = pread(fd, buffer, STORE_BUFFER_SIZE, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sha256_update(hash, buffer, (size_t)n);
        at += n;
    }
    sha256_final_hex(hash, ret);
    sha256_free(hash);
    return at == size_bytes ? OK : store_failed(cx, "read");
}

/* Bytes behind the announced end were written by a server that was killed before it could say so.
 */
static enum err cut_to_size(struct ctx *cx, int fd, int64_t size_bytes) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return store_failed(cx, "stat");
    if (st.st_size == size_bytes || st.st_nlink > 1)
        return OK;
    return ftruncate(fd, (off_t)size_bytes) == 0 && fsync(fd) == 0 ? OK
                                                                   : store_failed(cx, "truncate");
}

/* The file holds all its bytes, durably. hash = "" when it is not known yet. */
static enum err finish(struct ctx *cx, int fd, const char *hash, struct upload *upload) {
    struct blob blob = {.size_bytes = upload->size_bytes};
    TRY(cut_to_size(cx, fd, upload->size_bytes));
    if (hash[0])
        memcpy(blob.sha256, hash, SHA256_TEXT_SIZE);
    else
        TRY(hash_file(cx, fd, upload->size_bytes, blob.sha256));
    TRY(blob_row(cx, &blob));
    TRY(store_link(cx, cx->app->blobs->uploads_fd, upload->id, blob.sha256));
    TRY(db_exec(cx, &SQL_upload_complete, ARGS(cx->who.team_id, upload->id, blob.sha256), NULL));
    TRY(db_commit(cx));
    unlinkat(cx->app->blobs->uploads_fd, upload->id, 0);
    upload->offset_bytes = upload->size_bytes;
    upload->state = UPLOAD_COMPLETE;
    upload->sha256 = arena_strdup(cx->arena, blob.sha256);
    return OK;
}

/* --- appending --- */

struct append {
    const struct req *rq;
    int fd;
    int64_t start, at, end; /* bytes of the file; end = the upload's size */
    struct sha256 *hash;    /* of this chunk */
    char sha256[SHA256_TEXT_SIZE];
};

/* Reads to the end of the body. What was read is written even if the rest never comes. */
static enum err append_bytes(struct ctx *cx, struct append *a) {
    auto_free char *buffer = malloc(STORE_BUFFER_SIZE);
    if (!buffer)
        return fail(cx, ERR_UNAVAILABLE, "out of memory");
    for (size_t size = 1; size > 0;) {
        TRY(req_read(cx, a->rq, buffer, STORE_BUFFER_SIZE, &size));
        if (a->at + (int64_t)size > a->end)
            return fail(cx, ERR_TOO_LARGE, "the bytes go beyond the announced size");
        TRY(store_write_all(cx, a->fd, buffer, size, a->at));
        sha256_update(a->hash, buffer, size);
        a->at += (int64_t)size;
    }
    return OK;
}

/* Makes what came durable, then moves the row's offset; in this order, or a crash would lose bytes
 * that a client was told are safe. */
static enum err acknowledge(struct ctx *cx, struct append *a, struct upload *upload) {
    if (fdatasync(a->fd) != 0)
        return store_failed(cx, "fsync");
    int64_t moved;
    TRY(db_exec(cx, &SQL_upload_advance,
                ARGS(cx->who.team_id, upload->id, db_int(cx, a->start), db_int(cx, a->at)),
                &moved));
    if (!moved)
        return fail(cx, ERR_CONFLICT, "the upload was changed by another request");
    upload->offset_bytes = a->at;
    return db_commit(cx);
}

/* After a broken transfer: the failure is the answer, the bytes stay. */
static enum err keep_what_came(struct ctx *cx, struct append *a, struct upload *upload,
                               enum err failure) {
    struct err_info why = cx->err;
    if (a->at > a->start && acknowledge(cx, a, upload) != OK)
        db_rollback(cx);
    cx->err = why;
    return failure;
}

static enum err append_checked(struct ctx *cx, struct append *a, struct upload *upload,
                               const struct upload_chunk *chunk, enum chunk_result *ret) {
    enum err err = append_bytes(cx, a);
    if (err != OK && chunk->sha256)
        return err; /* half a chunk cannot be checked: none of it counts */
    if (err != OK)
        return keep_what_came(cx, a, upload, err);
    sha256_final_hex(a->hash, a->sha256);
    if (chunk->sha256 && strcmp(chunk->sha256, a->sha256) != 0) {
        *ret = CHUNK_WRONG_CHECKSUM;
        return OK;
    }
    TRY(acknowledge(cx, a, upload));
    *ret = CHUNK_TAKEN;
    if (a->at < a->end)
        return OK;
    return finish(cx, a->fd, a->start == 0 ? a->sha256 : "", upload);
}

/* The lock is held until the descriptor is closed. The row is read again under it. */
static enum err open_locked(struct ctx *cx, struct upload *upload, int *ret_fd, bool *ret_locked) {
    auto_fd fd = openat(cx->app->blobs->uploads_fd, upload->id, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? no_such_upload(cx) : store_failed(cx, "open");
    *ret_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (*ret_locked)
        TRY(upload_get_own(cx, upload->id, upload));
    *ret_fd = take_fd(fd);
    return db_commit(cx);
}

enum err upload_resume_own(struct ctx *cx, const char *id, struct upload *ret) {
    TRY(upload_get_own(cx, id, ret));
    if (ret->state == UPLOAD_COMPLETE || ret->offset_bytes < ret->size_bytes)
        return OK;
    auto_fd fd = -1;
    bool locked = false;
    if (open_locked(cx, ret, &fd, &locked) != OK) /* finished and gone in this very moment */
        return upload_get_own(cx, id, ret);
    if (!locked || ret->state == UPLOAD_COMPLETE)
        return OK;
    return finish(cx, fd, "", ret);
}

enum err upload_append(struct ctx *cx, const struct req *rq, struct upload *upload,
                       const struct upload_chunk *chunk, enum chunk_result *ret) {
    auto_fd fd = -1;
    bool locked = false;
    TRY(open_locked(cx, upload, &fd, &locked));
    struct stat st;
    if (!locked || fstat(fd, &st) != 0) {
        *ret = CHUNK_LOCKED;
        return OK;
    }
    if (st.st_nlink > 1) { /* killed between the blob's name and the row */
        *ret = CHUNK_TAKEN;
        return finish(cx, fd, "", upload);
    }
    if (chunk->offset != upload->offset_bytes) {
        *ret = CHUNK_WRONG_OFFSET;
        return OK;
    }
    TRY(store_require_space(cx, rq->content_length > 0 ? rq->content_length : 0));
    struct append append = {rq,           fd, chunk->offset, chunk->offset, upload->size_bytes,
                            sha256_new(), ""};
    enum err err = append_checked(cx, &append, upload, chunk, ret);
    sha256_free(append.hash);
    return err;
}

enum err upload_receive(struct ctx *cx, const struct req *rq, const char *file_name,
                        struct upload *ret) {
    TRY(upload_check_name(cx, file_name));
    struct blob blob;
    TRY(blob_receive(cx, rq, "", cx->app->config->max_upload_bytes, &blob));
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    return db_one(cx, &SQL_upload_create_complete,
                  ARGS(id, cx->who.team_id, cx->who.user_id, file_name, db_int(cx, blob.size_bytes),
                       blob.sha256),
                  &UPLOAD, ret);
}

/* --- sweeping --- */

struct upload_id {
    const char *id;
};

static const struct field UPLOAD_ID_FIELDS[] = {FIELD(UUID, struct upload_id, id)};
static SHAPE(UPLOAD_ID, "UploadId", struct upload_id, UPLOAD_ID_FIELDS);

enum err uploads_sweep(struct ctx *cx) {
    struct list expired;
    TRY(db_many(cx, &SQL_uploads_expired, NO_ARGS, &UPLOAD_ID, &expired));
    const struct upload_id *items = expired.items;
    for (size_t i = 0; i < expired.count; i++)
        unlinkat(cx->app->blobs->uploads_fd, items[i].id, 0);
    return db_exec(cx, &SQL_uploads_forget, NO_ARGS, NULL);
}
