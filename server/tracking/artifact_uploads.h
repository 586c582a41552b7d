/* Uploads of artifacts in parts. Whoever begins one gets the right to send parts; the last call
 * names the file. What is not finished within a day is thrown away. */
#pragma once

#include "tracking/artifact_files.h"

struct artifact_upload {
    const char *id, *run_id, *logged_model_id; /* one of the latter is NULL */
    const char *name;
    int64_t parts;
    int64_t expires_at;
};

/* Refuses what artifact_receive() refuses. */
MUST_USE enum err artifact_upload_create(struct ctx *cx, const struct artifact_owner *owner,
                                         const char *name, int64_t parts,
                                         struct artifact_upload *ret);
/* ERR_NOT_FOUND also when it has expired. */
MUST_USE enum err artifact_upload_get(struct ctx *cx, const char *id, struct artifact_upload *ret);
/* Streams the request's body as a part; a part may be sent again. ret_sha256 lives in the arena. */
MUST_USE enum err artifact_upload_part(struct ctx *cx, const struct req *rq,
                                       const struct artifact_upload *upload, int64_t number,
                                       const char **ret_sha256);
/* All parts must be there and have these hashes (NULL = any): ERR_CONFLICT otherwise. */
MUST_USE enum err artifact_upload_complete(struct ctx *cx, const struct artifact_upload *upload,
                                           const char *const *sha256, size_t count);
MUST_USE enum err artifact_upload_abort(struct ctx *cx, const struct artifact_upload *upload);
/* Throws away what has expired. As PRINCIPAL_SYSTEM. */
MUST_USE enum err artifact_uploads_sweep(struct ctx *cx);
