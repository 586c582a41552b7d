/* Files in parts on MLflow's wire: an upload is begun and ended with the client's own credentials,
 * its parts are sent without any to addresses that were signed for them.
 *
 * An address holds the team and, sealed for this route and that team, the upload, the part's number
 * and the time until which it is good. It writes this part and nothing else. */
#include "mlflow/proxy.h"

#include "base/clock.h"
#include "base/ident.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_PATH "/api/2.0/mlflow-artifacts/mpu/parts"
#define CREATE_BODY_MAX ((size_t)64 << 10)
#define COMPLETE_BODY_MAX ((size_t)8 << 20) /* 10,000 parts with their addresses */

enum { PART_ROUTE }; /* its row in the table */

/* --- addresses --- */

/* Sealed as if the part's own route did it: there it is opened. */
static const char *sign(struct ctx *cx, const struct artifact_upload *upload, int64_t number) {
    const struct route *route = cx->route;
    cx->route = &MLFLOW_MULTIPART_ROUTES[PART_ROUTE];
    const char *token =
        cursor_encode(cx, ARGS(upload->id, db_int(cx, number), db_int(cx, upload->expires_at)), 3);
    cx->route = route;
    return token;
}

static enum err no_such_upload(struct ctx *cx) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "there is no such upload");
}

/* Acts for the team of the address from here on, and for nobody in it. */
static enum err open_address(struct ctx *cx, const struct req *rq, const char **ret_upload,
                             int64_t *ret_number) {
    const char *keys[3], *team = req_param(rq, "team");
    if (!uuid_is_valid(team))
        return no_such_upload(cx);
    memcpy(cx->who.team_id, team, UUID_TEXT_SIZE);
    if (cursor_decode(cx, req_param(rq, "token"), keys, 3) != OK ||
        strtoll(keys[2], NULL, 10) < clock_now_us()) {
        cx->who.team_id[0] = '\0';
        return no_such_upload(cx);
    }
    *ret_upload = keys[0];
    *ret_number = strtoll(keys[1], NULL, 10);
    return OK;
}

static enum err put_part(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_upload upload;
    const char *id, *sha256;
    int64_t number;
    TRY(open_address(cx, rq, &id, &number));
    TRY(artifact_upload_get(cx, id, &upload));
    TRY(artifact_upload_part(cx, rq, &upload, number, &sha256));
    reply_header(cx, rp, "ETag", arena_printf(cx->arena, "\"%s\"", sha256));
    return OK;
}

/* --- uploads --- */

struct upload_part {
    int64_t part_number;
    const char *etag;
};
static const struct field UPLOAD_PART_FIELDS[] = {
    FIELD(INT, struct upload_part, part_number, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct upload_part, etag),
};
static SHAPE(UPLOAD_PART, "MlflowUploadPart", struct upload_part, UPLOAD_PART_FIELDS);

struct upload_call {
    const char *path, *upload_id;
    int64_t num_parts;
    struct list parts;
};
static const struct field UPLOAD_CREATE_FIELDS[] = {
    FIELD(STRING, struct upload_call, path, .flags = FIELD_REQUIRED),
    FIELD(INT, struct upload_call, num_parts, .flags = FIELD_REQUIRED),
};
static SHAPE(UPLOAD_CREATE, "MlflowUploadCreate", struct upload_call, UPLOAD_CREATE_FIELDS);
static const struct field UPLOAD_COMPLETE_FIELDS[] = {
    FIELD(STRING, struct upload_call, path, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct upload_call, upload_id, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct upload_call, parts, .nested = &UPLOAD_PART),
};
static SHAPE(UPLOAD_COMPLETE, "MlflowUploadComplete", struct upload_call, UPLOAD_COMPLETE_FIELDS);

/* The directory of the path and the file's name in the message; old clients send its whole path on
 * their disk. */
static enum err target_of(struct ctx *cx, const struct req *rq, const char *path,
                          struct proxy_place *ret) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *whole = arena_printf(cx->arena, "%s/%s", req_param(rq, "dir"), name);
    TRY(proxy_require(cx, rq, whole, ret));
    return proxy_check_path(cx, ret->path);
}

/* Origin and host as the client called us: it must reach the parts where it reached this. */
static const char *address_of(struct ctx *cx, const struct req *rq,
                              const struct artifact_upload *upload, int64_t number) {
    return arena_printf(cx->arena, "https://%s" PARTS_PATH "/%s/%s", req_header(rq, "host"),
                        cx->who.team_id, sign(cx, upload, number));
}

static enum err post_create(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct upload_call *body = rq->body;
    struct proxy_place place;
    struct artifact_upload upload;
    TRY(target_of(cx, rq, body->path, &place));
    TRY(artifact_upload_create(cx, &place.owner, place.path, body->num_parts, &upload));
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_member_text(w, "upload_id", upload.id);
    jw_member_begin(w, "credentials", '[');
    for (int64_t number = 1; number <= upload.parts; number++) {
        jw_begin(w, '{');
        jw_member_text(w, "url", address_of(cx, rq, &upload, number));
        jw_member_int(w, "part_number", number);
        jw_member_begin(w, "headers", '{');
        jw_end(w, '}');
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* The upload, if it is one of this path. */
static enum err require_upload(struct ctx *cx, const struct req *rq, struct artifact_upload *ret) {
    const struct upload_call *body = rq->body;
    struct proxy_place place;
    TRY(target_of(cx, rq, body->path, &place));
    TRY(artifact_upload_get(cx, body->upload_id, ret));
    bool of_run = place.owner.kind == ARTIFACT_OF_RUN;
    const char *owner = of_run ? ret->run_id : ret->logged_model_id;
    bool same = owner && strcmp(owner, place.owner.id) == 0 && strcmp(ret->name, place.path) == 0;
    return same ? OK : no_such_upload(cx);
}

/* The tag as it was answered, without its quotes; NULL when there is none. */
static const char *hash_of(struct ctx *cx, const char *etag) {
    size_t length = etag ? strlen(etag) : 0;
    if (length >= 2 && etag[0] == '"' && etag[length - 1] == '"')
        return arena_strndup(cx->arena, etag + 1, length - 2);
    return length ? etag : NULL;
}

/* The hashes by number: parts may be named in any order. */
static enum err hashes_of(struct ctx *cx, const struct list *parts, int64_t last,
                          const char ***ret) {
    const struct upload_part *items = parts->items;
    *ret = arena_new_array(cx->arena, const char *, parts->count + 1);
    for (size_t i = 0; i < parts->count; i++) {
        int64_t number = items[i].part_number;
        if (number < 1 || number > last || number > (int64_t)parts->count)
            return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                               "part number %lld is out of range", (long long)number);
        (*ret)[number - 1] = hash_of(cx, items[i].etag);
    }
    return OK;
}

static enum err post_complete(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct upload_call *body = rq->body;
    struct artifact_upload upload;
    const char **hashes;
    (void)rp;
    TRY(require_upload(cx, rq, &upload));
    TRY(hashes_of(cx, &body->parts, upload.parts, &hashes));
    return artifact_upload_complete(cx, &upload, hashes, body->parts.count);
}

static enum err post_abort(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact_upload upload;
    (void)rp;
    TRY(require_upload(cx, rq, &upload));
    return artifact_upload_abort(cx, &upload);
}

#define MPU "/api/2.0/mlflow-artifacts/mpu"

const struct route MLFLOW_MULTIPART_ROUTES[] = {
    [PART_ROUTE] = {PUT, PARTS_PATH "/{team}/{token}", SCOPE_PUBLIC, .handle = put_part,
                    .flags = ROUTE_MLFLOW | ROUTE_ANONYMOUS | ROUTE_STREAM_BODY,
                    .rate = RATE_UPLOAD,
                    .doc = "Store a part of a file, at the address that was signed for it."},
    {POST, MPU "/create/{dir*}", SCOPE_RUN_INGEST, .body = &UPLOAD_CREATE, .handle = post_create,
     .flags = ROUTE_MLFLOW, .max_body = CREATE_BODY_MAX, .doc = "Begin a file in parts."},
    {POST, MPU "/complete/{dir*}", SCOPE_RUN_INGEST, .body = &UPLOAD_COMPLETE,
     .handle = post_complete, .flags = ROUTE_MLFLOW, .max_body = COMPLETE_BODY_MAX,
     .rate = RATE_UPLOAD, .doc = "Make one file of its parts."},
    {POST, MPU "/abort/{dir*}", SCOPE_RUN_INGEST, .body = &UPLOAD_COMPLETE, .handle = post_abort,
     .flags = ROUTE_MLFLOW, .max_body = COMPLETE_BODY_MAX, .doc = "Give up a file in parts."},
};
const size_t MLFLOW_MULTIPART_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_MULTIPART_ROUTES);
