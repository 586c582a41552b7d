/* artifact_file_routes.c: files of runs and logged models over HTTP. */
#include "base/ident.h"
#include "http/page.h"
#include "tracking/artifact_files.h"
#include "tracking/internal.h"
#include "tracking/logged_models.h"

#include "sql/tracking.h"

#include <string.h>

static enum err run_owner(struct ctx *cx, const struct req *rq, struct artifact_owner *ret) {
    ret->kind = ARTIFACT_OF_RUN;
    return run_require(cx, NULL, req_param(rq, "run"), &ret->id);
}

static enum err model_owner(struct ctx *cx, const struct req *rq, struct artifact_owner *ret) {
    ret->kind = ARTIFACT_OF_LOGGED_MODEL;
    return logged_model_require(cx, NULL, req_param(rq, "model"), &ret->id);
}

/* --- lists --- */

struct artifact_query {
    struct page_query page;
    const char *path; /* NULL = every file, "" = the root's level */
};
static const struct field ARTIFACT_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct artifact_query),
    FIELD(STRING, struct artifact_query, path, .flags = FIELD_NULLABLE, .max = ARTIFACT_NAME_MAX,
          .doc = "one level: what stands in this directory, empty = the root; else every file"),
};
static SHAPE(ARTIFACT_QUERY, "ArtifactQuery", struct artifact_query, ARTIFACT_QUERY_FIELDS);

/* The last entry the page shows is where the next one goes on. */
static void reply_artifacts(struct ctx *cx, struct reply *rp, const struct artifact_query *query,
                            struct list items) {
    const struct artifact *files = items.items;
    size_t limit = (size_t)page_limit(&query->page);
    const char *next = NULL;
    if (items.count > limit) {
        items.count = limit;
        const struct artifact *last = &files[limit - 1];
        next = cursor_encode(cx, ARGS(last->name, last->is_dir ? "dir" : "file"), 2);
    }
    reply_page(rp, items, next);
}

static enum err list_level(struct ctx *cx, const struct artifact_owner *owner,
                           const struct artifact_query *query, const char *const after[2],
                           struct list *ret) {
    return artifact_list_level(
        cx, owner,
        &(struct artifact_level){.dir = query->path,
                                 .after = after[0],
                                 .after_is_dir = after[0] && strcmp(after[1], "dir") == 0,
                                 .limit = page_limit(&query->page) + 1},
        ret);
}

static enum err reply_list(struct ctx *cx, const struct req *rq, struct reply *rp,
                           const struct artifact_owner *owner) {
    const struct artifact_query *query = rq->query;
    const char *after[2] = {NULL, NULL};
    struct list items;
    if (query->page.cursor)
        TRY(cursor_decode(cx, query->page.cursor, after, 2));
    if (query->path)
        TRY(list_level(cx, owner, query, after, &items));
    else
        TRY(db_many(cx, &SQL_artifact_page,
                    ARGS(cx->who.team_id, owner->id, after[0], page_rows(cx, &query->page)),
                    &ARTIFACT_SHAPE, &items));
    reply_artifacts(cx, rp, query, items);
    return OK;
}

static enum err get_run_artifacts(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(run_owner(cx, rq, &owner));
    return reply_list(cx, rq, rp, &owner);
}

static enum err get_model_artifacts(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(model_owner(cx, rq, &owner));
    return reply_list(cx, rq, rp, &owner);
}

/* --- one file --- */

struct file_query {
    bool in_page;
};
static const struct field FILE_QUERY_FIELDS[] = {
    {.name = "inline",
     .type = FIELD_TYPE_BOOL,
     .offset = offsetof(struct file_query, in_page),
     .doc = "to be shown in a page, where the file's type is harmless; else it is an attachment"},
};
static SHAPE(FILE_QUERY, "ArtifactFileQuery", struct file_query, FILE_QUERY_FIELDS);

/* Text is taken for UTF-8: what it is in the files that programs write. */
static const char *type_with_charset(struct ctx *cx, const char *media_type) {
    return strncmp(media_type, "text/", 5) == 0
               ? arena_printf(cx->arena, "%s; charset=utf-8", media_type)
               : media_type;
}

static enum err reply_content(struct ctx *cx, struct reply *rp, const struct artifact *file,
                              bool in_page) {
    bool shown = in_page && artifact_type_is_harmless(file->media_type);
    return artifact_reply(cx, rp, file, type_with_charset(cx, file->media_type), shown);
}

static enum err reply_one(struct ctx *cx, const struct req *rq, struct reply *rp,
                          const struct artifact_owner *owner) {
    const struct file_query *query = rq->query;
    const char *path = req_param(rq, "path");
    struct artifact file;
    bool found;
    TRY(artifact_check_name(cx, path));
    TRY(artifact_find(cx, owner, path, &file, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "there is no such file");
    return reply_content(cx, rp, &file, query->in_page);
}

static enum err get_run_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(run_owner(cx, rq, &owner));
    return reply_one(cx, rq, rp, &owner);
}

static enum err get_model_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(model_owner(cx, rq, &owner));
    return reply_one(cx, rq, rp, &owner);
}

static enum err get_artifact_content(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct file_query *query = rq->query;
    struct artifact file;
    TRY(artifact_get(cx, req_param(rq, "artifact"), &file));
    return reply_content(cx, rp, &file, query->in_page);
}

static enum err put_file(struct ctx *cx, const struct req *rq, struct reply *rp,
                         const struct artifact_owner *owner) {
    struct artifact *file = arena_new_struct(cx->arena, struct artifact);
    const char *path = req_param(rq, "path");
    bool found;
    TRY(artifact_receive(cx, rq, owner, path));
    TRY(artifact_find(cx, owner, path, file, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "the file was deleted meanwhile");
    reply_object(rp, file);
    return OK;
}

static enum err put_run_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(run_owner(cx, rq, &owner));
    return put_file(cx, rq, rp, &owner);
}

static enum err put_model_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(model_owner(cx, rq, &owner));
    return put_file(cx, rq, rp, &owner);
}

/* Resumable: the bytes came by tus before, and are a blob already. */
struct file_from_upload {
    const char *upload_id;
};
static const struct field FILE_FROM_UPLOAD_FIELDS[] = {
    FIELD(UUID, struct file_from_upload, upload_id, .flags = FIELD_REQUIRED,
          .doc = "a complete upload"),
};
static SHAPE(FILE_FROM_UPLOAD, "ArtifactFromUpload", struct file_from_upload,
             FILE_FROM_UPLOAD_FIELDS);

static enum err take_upload(struct ctx *cx, const struct req *rq, struct reply *rp,
                            const struct artifact_owner *owner) {
    const struct file_from_upload *body = rq->body;
    struct artifact *file = arena_new_struct(cx->arena, struct artifact);
    const char *path = req_param(rq, "path");
    struct upload upload;
    struct blob blob = {0};
    int64_t most;
    bool found;
    TRY(upload_require_complete(cx, body->upload_id, &upload));
    TRY(artifact_room(cx, owner, path, upload.size_bytes, &most));
    memcpy(blob.sha256, upload.sha256, sizeof(blob.sha256));
    blob.size_bytes = upload.size_bytes;
    TRY(artifact_put(cx, owner, path, &blob));
    TRY(artifact_find(cx, owner, path, file, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "the file was deleted meanwhile");
    reply_object(rp, file);
    return OK;
}

static enum err post_run_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(run_owner(cx, rq, &owner));
    return take_upload(cx, rq, rp, &owner);
}

static enum err post_model_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    TRY(model_owner(cx, rq, &owner));
    return take_upload(cx, rq, rp, &owner);
}

static enum err delete_files(struct ctx *cx, const struct req *rq,
                             const struct artifact_owner *owner) {
    const char *path = req_param(rq, "path");
    int64_t count;
    TRY(artifact_check_name(cx, path)); /* not the root */
    TRY(artifact_delete(cx, owner, path, &count));
    return count ? OK : fail(cx, ERR_NOT_FOUND, "there is no such file");
}

static enum err delete_run_files(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    (void)rp;
    TRY(run_owner(cx, rq, &owner));
    return delete_files(cx, rq, &owner);
}

static enum err delete_model_files(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_owner owner;
    (void)rp;
    TRY(model_owner(cx, rq, &owner));
    return delete_files(cx, rq, &owner);
}

const struct route ARTIFACT_FILE_ROUTES[] = {
    {GET, "/api/v1/runs/{run}/artifacts", SCOPE_RUN_READ, .query = &ARTIFACT_QUERY,
     .reply = &ARTIFACT_SHAPE, .handle = get_run_artifacts, .flags = ROUTE_LIST,
     .doc = "List a run's files by name: all of them, or one level of a directory."},
    {GET, "/api/v1/runs/{run}/artifacts/{path*}", SCOPE_RUN_READ, .query = &FILE_QUERY,
     .handle = get_run_file, .rate = RATE_DOWNLOAD, .doc = "Download a file of a run."},
    {PUT, "/api/v1/runs/{run}/artifacts/{path*}", SCOPE_RUN_INGEST, .reply = &ARTIFACT_SHAPE,
     .handle = put_run_file, .status = 201, .flags = ROUTE_STREAM_BODY, .rate = RATE_UPLOAD,
     .doc = "Store a file of a run; one of that name is replaced."},
    {POST, "/api/v1/runs/{run}/artifacts/{path*}", SCOPE_RUN_INGEST, .body = &FILE_FROM_UPLOAD,
     .reply = &ARTIFACT_SHAPE, .handle = post_run_file, .status = 201,
     .doc = "Make a complete upload a file of a run; one of that name is replaced."},
    {DELETE, "/api/v1/runs/{run}/artifacts/{path*}", SCOPE_RUN_INGEST, .handle = delete_run_files,
     .audit = "artifact.delete", .doc = "Delete a file of a run, or a directory with all in it."},
    {GET, "/api/v1/logged-models/{model}/artifacts", SCOPE_RUN_READ, .query = &ARTIFACT_QUERY,
     .reply = &ARTIFACT_SHAPE, .handle = get_model_artifacts, .flags = ROUTE_LIST,
     .doc = "List a logged model's files by name: all of them, or one level of a directory."},
    {GET, "/api/v1/logged-models/{model}/artifacts/{path*}", SCOPE_RUN_READ, .query = &FILE_QUERY,
     .handle = get_model_file, .rate = RATE_DOWNLOAD, .doc = "Download a file of a logged model."},
    {PUT, "/api/v1/logged-models/{model}/artifacts/{path*}", SCOPE_RUN_INGEST,
     .reply = &ARTIFACT_SHAPE, .handle = put_model_file, .status = 201, .flags = ROUTE_STREAM_BODY,
     .rate = RATE_UPLOAD, .doc = "Store a file of a logged model; one of that name is replaced."},
    {POST, "/api/v1/logged-models/{model}/artifacts/{path*}", SCOPE_RUN_INGEST,
     .body = &FILE_FROM_UPLOAD, .reply = &ARTIFACT_SHAPE, .handle = post_model_file, .status = 201,
     .doc = "Make a complete upload a file of a logged model; one of that name is replaced."},
    {DELETE, "/api/v1/logged-models/{model}/artifacts/{path*}", SCOPE_RUN_INGEST,
     .handle = delete_model_files, .audit = "artifact.delete",
     .doc = "Delete a file of a logged model, or a directory with all in it."},
    {GET, "/api/v1/artifacts/{artifact}/content", SCOPE_RUN_READ, .query = &FILE_QUERY,
     .handle = get_artifact_content, .rate = RATE_DOWNLOAD, .doc = "Download an artifact."},
};
const size_t ARTIFACT_FILE_ROUTE_COUNT = ROUTES_COUNT(ARTIFACT_FILE_ROUTES);
