/* Resumable uploads without their HTTP form (upload_routes.c). Private to artifacts/. */
#pragma once

#include "artifacts/artifacts.h"

enum upload_state { UPLOAD_RECEIVING, UPLOAD_COMPLETE };
extern const char *const UPLOAD_STATE_NAMES[];
extern const struct shape UPLOAD;

#define UPLOAD_NAME_MAX 255

/* What users call a file: text to show, 1..255 bytes of UTF-8 without separators or controls. */
MUST_USE enum err upload_check_name(struct ctx *cx, const char *name);
MUST_USE enum err upload_create(struct ctx *cx, const char *file_name, int64_t size_bytes,
                                struct upload *ret);
/* The caller's own; ERR_NOT_FOUND for everybody else's. */
MUST_USE enum err upload_get_own(struct ctx *cx, const char *id, struct upload *ret);
/* The same for a client that asks how far it is: an upload whose bytes are all there, but whose
 * finish was cut short by a crash, is finished now. */
MUST_USE enum err upload_resume_own(struct ctx *cx, const char *id, struct upload *ret);
/* One row more than the page shows, for reply_page_by_id(). */
MUST_USE enum err upload_list_own(struct ctx *cx, const struct page_query *page, struct list *ret);
MUST_USE enum err upload_delete_own(struct ctx *cx, const char *id);
bool upload_is_expired(const struct upload *upload);

/* One stretch of bytes, from the request's body to the disk. */
struct upload_chunk {
    int64_t offset;     /* where the client says it starts */
    const char *sha256; /* hex of what the chunk must hash to; NULL = unchecked */
};
/* What became of it, for refusals that tus has statuses for. */
enum chunk_result { CHUNK_TAKEN, CHUNK_LOCKED, CHUNK_WRONG_OFFSET, CHUNK_WRONG_CHECKSUM };

/* Appends; upload->offset_bytes is the new offset, durable, also when an error is returned after
 * some bytes came (a lost connection keeps what arrived). The last byte makes the upload complete.
 */
MUST_USE enum err upload_append(struct ctx *cx, const struct req *rq, struct upload *upload,
                                const struct upload_chunk *chunk, enum chunk_result *ret);
/* A whole file in one request. */
MUST_USE enum err upload_receive(struct ctx *cx, const struct req *rq, const char *file_name,
                                 struct upload *ret);
