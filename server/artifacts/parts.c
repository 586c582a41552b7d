/* parts.c: files that arrive in parts; see artifacts.h.
 *
 * A part stands beside the resumable uploads as "<id>.<number>", put there by a rename, so whoever
 * reads it reads one whole body. Joining copies: the hash that names the blob needs every byte in
 * order anyway. */

#include "artifacts/artifacts.h"

#include "artifacts/store.h"
#include "base/cleanup.h"
#include "base/ident.h"
#include "db/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PART_NAME_SIZE (UUID_TEXT_SIZE + 24)

static void part_name(const char *id, int64_t number, char ret[PART_NAME_SIZE]) {
    snprintf(ret, PART_NAME_SIZE, "%.36s.%lld", id, (long long)number);
}

static enum err receive_bytes(struct ctx *cx, const struct req *rq, struct staging *s,
                              int64_t max_bytes) {
    auto_free char *buffer = malloc(STORE_BUFFER_SIZE);
    if (!buffer)
        return fail(cx, ERR_UNAVAILABLE, "out of memory");
    for (size_t size = 1; size > 0;) {
        TRY(req_read(cx, rq, buffer, STORE_BUFFER_SIZE, &size));
        if (s->size_bytes + (int64_t)size > max_bytes)
            return fail(cx, ERR_TOO_LARGE, "the part is larger than %lld bytes",
                        (long long)max_bytes);
        TRY(staging_write(cx, s, buffer, size));
    }
    return OK;
}

enum err part_receive(struct ctx *cx, const struct req *rq, const char *id, int64_t number,
                      int64_t max_bytes, struct part *ret) {
    struct blobs *blobs = cx->app->blobs;
    char name[PART_NAME_SIZE], *hash = arena_alloc(cx->arena, SHA256_TEXT_SIZE);
    part_name(id, number, name);
    TRY(db_commit(cx));
    TRY(store_require_space(cx, rq->content_length > 0 ? rq->content_length : 0));
    auto_staging staging = {.fd = -1};
    TRY(staging_init(cx, &staging));
    TRY(receive_bytes(cx, rq, &staging, max_bytes));
    sha256_final_hex(staging.hash, hash);
    if (fsync(staging.fd) != 0)
        return store_failed(cx, "fsync");
    if (renameat(blobs->tmp_fd, staging.name, blobs->uploads_fd, name) != 0 ||
        fsync(blobs->uploads_fd) != 0)
        return store_failed(cx, "rename");
    *ret = (struct part){number, hash, staging.size_bytes};
    return OK;
}

static enum err copy_part(struct ctx *cx, struct staging *s, const char *name,
                          const struct part *part, char *buffer) {
    auto_fd fd = openat(cx->app->blobs->uploads_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int64_t at = 0;
    if (fd < 0)
        return store_failed(cx, "open a part");
    while (at < part->size_bytes) {
        ssize_t n = pread(fd, buffer, STORE_BUFFER_SIZE, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(cx, ERR_CONFLICT, "part %lld was changed meanwhile",
                        (long long)part->number);
        TRY(staging_write(cx, s, buffer, (size_t)n));
        at += n;
    }
    return at == part->size_bytes
               ? OK
               : fail(cx, ERR_CONFLICT, "part %lld was changed meanwhile", (long long)part->number);
}

enum err parts_join(struct ctx *cx, const char *id, const struct part *parts, size_t count,
                    struct blob *ret) {
    auto_free char *buffer = malloc(STORE_BUFFER_SIZE);
    auto_staging staging = {.fd = -1};
    int64_t size = 0;
    if (!buffer)
        return fail(cx, ERR_UNAVAILABLE, "out of memory");
    for (size_t i = 0; i < count; i++)
        size += parts[i].size_bytes;
    TRY(db_commit(cx));
    TRY(store_require_space(cx, size));
    TRY(staging_init(cx, &staging));
    for (size_t i = 0; i < count; i++) {
        char name[PART_NAME_SIZE];
        part_name(id, parts[i].number, name);
        TRY(copy_part(cx, &staging, name, &parts[i], buffer));
    }
    return staging_commit(cx, &staging, "", ret);
}

void parts_discard(struct ctx *cx, const char *id, int64_t last) {
    for (int64_t number = 1; number <= last && number <= PARTS_MAX; number++) {
        char name[PART_NAME_SIZE];
        part_name(id, number, name);
        unlinkat(cx->app->blobs->uploads_fd, name, 0);
    }
}

/* Resumable uploads stand in the same directory; their names have no dot. */
static bool is_old_part(int dir_fd, const char *name, time_t before) {
    struct stat st;
    return strlen(name) > UUID_TEXT_SIZE && name[UUID_TEXT_SIZE - 1] == '.' &&
           fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < before;
}

enum err parts_expire(struct ctx *cx, int64_t age_s) {
    int dir_fd = cx->app->blobs->uploads_fd;
    auto_fd fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    time_t before = time(NULL) - (time_t)age_s;
    if (!dir)
        return store_failed(cx, "open the uploads");
    (void)take_fd(fd); /* the stream's now */
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_old_part(dir_fd, entry->d_name, before))
            unlinkat(dir_fd, entry->d_name, 0);
    closedir(dir);
    return OK;
}
