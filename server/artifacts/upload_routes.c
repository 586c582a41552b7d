/* Routes of /uploads: tus 1.0.0 (creation, termination, expiration, checksum) and a plain PUT.
 *
 * tus has statuses of its own for some refusals (412, 415, 423, 460, 410); they are said here, with
 * the same body as any other problem. */

#include "artifacts/uploads.h"
#include "base/cleanup.h"
#include "base/ident.h"
#include "http/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TUS_VERSION "1.0.0"
#define CHUNK_TYPE "application/offset+octet-stream"

/* --- shapes --- */

static const struct field UPLOAD_FIELDS[] = {
    FIELD(UUID, struct upload, id),
    FIELD(STRING, struct upload, file_name, .max = UPLOAD_NAME_MAX),
    FIELD(INT, struct upload, size_bytes),
    FIELD(INT, struct upload, offset_bytes, .doc = "durable so far: where to go on"),
    FIELD(ENUM, struct upload, state, .names = UPLOAD_STATE_NAMES),
    FIELD(STRING, struct upload, sha256, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct upload, created_at),
    FIELD(TIME, struct upload, expires_at),
};
SHAPE(UPLOAD, "Upload", struct upload, UPLOAD_FIELDS);

struct uploads_query {
    struct page_query page;
};
static const struct field UPLOADS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct uploads_query)};
static SHAPE(UPLOADS_QUERY, "UploadQuery", struct uploads_query, UPLOADS_QUERY_FIELDS);

struct put_query {
    const char *file_name;
};
static const struct field PUT_QUERY_FIELDS[] = {
    FIELD(STRING, struct put_query, file_name, .flags = FIELD_REQUIRED, .min = 1,
          .max = UPLOAD_NAME_MAX),
};
static SHAPE(PUT_QUERY, "UploadPutQuery", struct put_query, PUT_QUERY_FIELDS);

/* --- headers --- */

/* A non-negative decimal, digits only; -1 for everything else. */
static int64_t header_number(const struct req *rq, const char *name) {
    const char *text = req_header(rq, name);
    if (!text || !*text || strlen(text) > 18 || text[strspn(text, "0123456789")])
        return -1;
    return strtoll(text, NULL, 10);
}

static void tus_headers(struct ctx *cx, struct reply *rp, const struct upload *upload) {
    time_t expires_s = (time_t)(upload->expires_at / 1000000);
    struct tm tm;
    char expires[40];
    strftime(expires, sizeof(expires), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&expires_s, &tm));
    reply_header(cx, rp, "Tus-Resumable", TUS_VERSION);
    reply_header(cx, rp, "Upload-Offset",
                 arena_printf(cx->arena, "%lld", (long long)upload->offset_bytes));
    reply_header(cx, rp, "Upload-Expires", expires);
}

static void release_text(void *text) {
    free(text);
}

/* A refusal with a status that only tus knows, in the form of all others. Nothing was changed, so
 * there is nothing to undo. */
static enum err refuse(struct ctx *cx, struct reply *rp, int status, const char *sentence) {
    auto_json *problem = json_pack("{s:s, s:s, s:i, s:s, s:s, s:n, s:s}", "type", "about:blank",
                                   "title", "Upload refused", "status", status, "code", "CONFLICT",
                                   "detail", sentence, "field", "request_id", cx->request_id);
    char *text = json_dumps(problem, JSON_COMPACT);
    arena_defer(cx->arena, release_text, text);
    reply_header(cx, rp, "Tus-Resumable", TUS_VERSION);
    reply_bytes(rp, "application/problem+json; charset=utf-8", text, strlen(text));
    reply_status(rp, status);
    return OK;
}

static bool speaks_tus(const struct req *rq) {
    const char *version = req_header(rq, "Tus-Resumable");
    return version && strcmp(version, TUS_VERSION) == 0;
}

static enum err refuse_version(struct ctx *cx, struct reply *rp) {
    reply_header(cx, rp, "Tus-Version", TUS_VERSION);
    return refuse(cx, rp, 412, "this server speaks tus " TUS_VERSION);
}

static int base64_value(char c) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Standard base64; its padding may be left out. False when it is anything else or does not fit. */
static bool base64_decode(const char *text, size_t length, unsigned char *ret, size_t cap,
                          size_t *ret_size) {
    unsigned bits = 0;
    int have = 0;
    size_t size = 0;
    while (length > 0 && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (unsigned)value) & 0xffffffu;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (size == cap)
            return false;
        ret[size++] = (unsigned char)(bits >> have);
    }
    *ret_size = size;
    return have < 6;
}

/* The value of "filename" in Upload-Metadata: "key base64,key base64". */
static enum err metadata_file_name(struct ctx *cx, const struct req *rq, const char **ret) {
    const char *text = req_header(rq, "Upload-Metadata");
    for (const char *at = text; at && *at;) {
        at += strspn(at, " ,");
        size_t key = strcspn(at, " ,");
        const char *value = at + key + strspn(at + key, " ");
        size_t length = strcspn(value, " ,");
        if (key == 8 && strncmp(at, "filename", 8) == 0) {
            char *name = arena_alloc(cx->arena, UPLOAD_NAME_MAX + 1);
            size_t size;
            if (!base64_decode(value, length, (unsigned char *)name, UPLOAD_NAME_MAX, &size) ||
                strlen(name) != size)
                return fail_field(cx, ERR_INVALID, "Upload-Metadata",
                                  "the filename is not base64 of a short text");
            *ret = name;
            return OK;
        }
        at = value + length;
    }
    return fail_field(cx, ERR_INVALID, "Upload-Metadata", "the header must name the file");
}

/* Upload-Checksum: "sha256 <base64>"; absent leaves *ret NULL. */
static enum err checksum_header(struct ctx *cx, const struct req *rq, const char **ret) {
    const char *text = req_header(rq, "Upload-Checksum");
    *ret = NULL;
    if (!text)
        return OK;
    unsigned char digest[SHA256_SIZE];
    size_t size = 0;
    if (strncmp(text, "sha256 ", 7) != 0 ||
        !base64_decode(text + 7, strlen(text + 7), digest, sizeof(digest), &size) ||
        size != SHA256_SIZE)
        return fail_field(cx, ERR_INVALID, "Upload-Checksum", "the header is sha256 and base64");
    char *hex = arena_alloc(cx->arena, SHA256_TEXT_SIZE);
    hex_encode(digest, sizeof(digest), hex);
    *ret = hex;
    return OK;
}

/* --- handlers --- */

static enum err post_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    if (!speaks_tus(rq))
        return refuse_version(cx, rp);
    int64_t size = header_number(rq, "Upload-Length");
    if (size < 0)
        return fail_field(cx, ERR_INVALID, "Upload-Length", "the header must be a number of bytes");
    const char *file_name;
    TRY(metadata_file_name(cx, rq, &file_name));
    struct upload upload;
    TRY(upload_create(cx, file_name, size, &upload));
    tus_headers(cx, rp, &upload);
    reply_location(cx, rp, "/api/v1/uploads/%s", upload.id);
    return OK;
}

static enum err head_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct upload upload;
    if (!speaks_tus(rq))
        return refuse_version(cx, rp);
    TRY(upload_resume_own(cx, req_param(rq, "upload"), &upload));
    if (upload_is_expired(&upload))
        return refuse(cx, rp, 410, "the upload has expired");
    tus_headers(cx, rp, &upload);
    reply_header(cx, rp, "Upload-Length",
                 arena_printf(cx->arena, "%lld", (long long)upload.size_bytes));
    reply_status(rp, 200);
    return OK;
}

/* What can be wrong with a PATCH before its body is looked at. */
static enum err check_patch(struct ctx *cx, const struct req *rq, const struct upload *upload,
                            int64_t offset) {
    int64_t length = header_number(rq, "Upload-Length");
    if (offset < 0 || offset > upload->size_bytes)
        return fail_field(cx, ERR_INVALID, "Upload-Offset",
                          "the header must be a number of bytes within the upload");
    if (req_header(rq, "Upload-Length") && length != upload->size_bytes)
        return fail_field(cx, ERR_CONFLICT, "Upload-Length", "the size was announced otherwise");
    if (rq->content_length > upload->size_bytes - offset)
        return fail(cx, ERR_TOO_LARGE, "the bytes go beyond the announced size");
    return OK;
}

static enum err answer_patch(struct ctx *cx, struct reply *rp, const struct upload *upload,
                             enum chunk_result result) {
    switch (result) {
    case CHUNK_LOCKED:
        return refuse(cx, rp, 423, "another request is writing to this upload");
    case CHUNK_WRONG_CHECKSUM:
        return refuse(cx, rp, 460, "the bytes do not have the checksum they were sent with");
    case CHUNK_WRONG_OFFSET:
        return fail_field(cx, ERR_CONFLICT, "Upload-Offset", "the upload continues at byte %lld",
                          (long long)upload->offset_bytes);
    case CHUNK_TAKEN:
        break;
    }
    tus_headers(cx, rp, upload);
    return OK;
}

static enum err patch_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct upload upload;
    if (!speaks_tus(rq))
        return refuse_version(cx, rp);
    if (strcmp(rq->content_type, CHUNK_TYPE) != 0)
        return refuse(cx, rp, 415, "the content type must be " CHUNK_TYPE);
    TRY(upload_get_own(cx, req_param(rq, "upload"), &upload));
    if (upload_is_expired(&upload))
        return refuse(cx, rp, 410, "the upload has expired");
    struct upload_chunk chunk = {.offset = header_number(rq, "Upload-Offset")};
    TRY(check_patch(cx, rq, &upload, chunk.offset));
    TRY(checksum_header(cx, rq, &chunk.sha256));
    /* A client whose reply was lost asks again: the last byte is there, and so is the blob. */
    enum chunk_result result = CHUNK_TAKEN;
    if (upload.state == UPLOAD_RECEIVING)
        TRY(upload_append(cx, rq, &upload, &chunk, &result));
    else if (chunk.offset != upload.size_bytes)
        result = CHUNK_WRONG_OFFSET;
    return answer_patch(cx, rp, &upload, result);
}

static enum err get_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct upload *upload = arena_new_struct(cx->arena, struct upload);
    TRY(upload_resume_own(cx, req_param(rq, "upload"), upload));
    reply_object(rp, upload);
    return OK;
}

static enum err delete_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    reply_header(cx, rp, "Tus-Resumable", TUS_VERSION);
    return upload_delete_own(cx, req_param(rq, "upload"));
}

static enum err get_uploads(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct uploads_query *query = rq->query;
    struct list uploads;
    TRY(upload_list_own(cx, &query->page, &uploads));
    reply_page_by_id(cx, rq, rp, &query->page, uploads);
    return OK;
}

static enum err put_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct put_query *query = rq->query;
    struct upload *upload = arena_new_struct(cx->arena, struct upload);
    TRY(upload_receive(cx, rq, query->file_name, upload));
    reply_object(rp, upload);
    return OK;
}

const struct route ARTIFACTS_ROUTES[] = {
    {POST, "/api/v1/uploads", SCOPE_DATASET_WRITE, .handle = post_upload, .status = 201,
     .doc = "Begin a resumable upload (tus 1.0.0: Upload-Length, Upload-Metadata)."},
    {HEAD, "/api/v1/uploads/{upload}", SCOPE_DATASET_WRITE, .handle = head_upload,
     .doc = "Where a resumable upload goes on (tus)."},
    {PATCH, "/api/v1/uploads/{upload}", SCOPE_DATASET_WRITE, .handle = patch_upload, .status = 204,
     .flags = ROUTE_STREAM_BODY, .rate = RATE_UPLOAD,
     .doc = "Append to a resumable upload (tus: Upload-Offset, optional Upload-Checksum)."},
    {GET, "/api/v1/uploads/{upload}", SCOPE_DATASET_WRITE, .reply = &UPLOAD, .handle = get_upload,
     .doc = "One of one's own uploads."},
    {DELETE, "/api/v1/uploads/{upload}", SCOPE_DATASET_WRITE, .handle = delete_upload,
     .doc = "Give up an upload."},
    {GET, "/api/v1/uploads", SCOPE_DATASET_WRITE, .query = &UPLOADS_QUERY, .reply = &UPLOAD,
     .handle = get_uploads, .flags = ROUTE_LIST, .doc = "One's own unfinished uploads."},
    {PUT, "/api/v1/uploads", SCOPE_DATASET_WRITE, .query = &PUT_QUERY, .reply = &UPLOAD,
     .handle = put_upload, .status = 201, .flags = ROUTE_STREAM_BODY, .rate = RATE_UPLOAD,
     .doc = "Upload a whole file in one request."},
};
const size_t ARTIFACTS_ROUTE_COUNT = ROUTES_COUNT(ARTIFACTS_ROUTES);
