/* artifact_uploads.c: see artifact_uploads.h. */
#include "tracking/artifact_uploads.h"

#include "base/ident.h"
#include "config/config.h"
#include "sql/tracking.h"

#include <stdlib.h>
#include <string.h>

#define PART_HOURS_MAX 48 /* twice what an upload has time for */

static const struct field UPLOAD_FIELDS[] = {
    FIELD(UUID, struct artifact_upload, id),
    FIELD(UUID, struct artifact_upload, run_id, .flags = FIELD_NULLABLE),
    FIELD(UUID, struct artifact_upload, logged_model_id, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct artifact_upload, name),
    FIELD(INT, struct artifact_upload, parts),
    FIELD(TIME, struct artifact_upload, expires_at),
};
static SHAPE(UPLOAD, "ArtifactUpload", struct artifact_upload, UPLOAD_FIELDS);

static const struct field PART_FIELDS[] = {
    FIELD(INT, struct part, number),
    FIELD(STRING, struct part, sha256),
    FIELD(INT, struct part, size_bytes),
};
static SHAPE(PART, "ArtifactPart", struct part, PART_FIELDS);

enum err artifact_upload_create(struct ctx *cx, const struct artifact_owner *owner,
                                const char *name, int64_t parts, struct artifact_upload *ret) {
    char id[UUID_TEXT_SIZE];
    int64_t room;
    bool of_run = owner->kind == ARTIFACT_OF_RUN;
    uuid_new(id);
    if (parts < 1 || parts > PARTS_MAX)
        return fail_field(cx, ERR_INVALID, "num_parts", "a file has 1 to %d parts", PARTS_MAX);
    TRY(artifact_room(cx, owner, name, 0, &room));
    return db_one(cx, &SQL_artifact_upload_create,
                  ARGS(id, cx->who.team_id, cx->who.user_id, of_run ? owner->id : NULL,
                       of_run ? NULL : owner->id, name, db_int(cx, parts)),
                  &UPLOAD, ret);
}

enum err artifact_upload_get(struct ctx *cx, const char *id, struct artifact_upload *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_artifact_upload_get, ARGS(cx->who.team_id, id), &UPLOAD, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "there is no such upload");
}

/* What a part may have: what the team may still store. */
static enum err part_room(struct ctx *cx, int64_t *ret) {
    const char *room;
    TRY(db_value(cx, &SQL_artifact_upload_room, ARGS(cx->who.team_id), &room));
    int64_t most = cx->app->config->max_upload_bytes;
    int64_t left = room ? strtoll(room, NULL, 10) : most;
    if (left <= 0)
        return fail(cx, ERR_FORBIDDEN, "the team's quota \"storage_bytes\" is used up");
    *ret = left < most ? left : most;
    return OK;
}

/* An upload that ended while the part was on its way takes no row, and the part no place. */
enum err artifact_upload_part(struct ctx *cx, const struct req *rq,
                              const struct artifact_upload *upload, int64_t number,
                              const char **ret_sha256) {
    struct artifact_upload still;
    struct part part;
    int64_t room;
    if (number < 1 || number > upload->parts)
        return fail(cx, ERR_INVALID, "the upload has %lld parts", (long long)upload->parts);
    TRY(part_room(cx, &room));
    TRY(part_receive(cx, rq, upload->id, number, room, &part));
    enum err err = artifact_upload_get(cx, upload->id, &still);
    if (err != OK) {
        parts_discard(cx, upload->id, upload->parts);
        return err;
    }
    *ret_sha256 = part.sha256;
    return db_exec(cx, &SQL_artifact_upload_part,
                   ARGS(cx->who.team_id, upload->id, db_int(cx, number), part.sha256,
                        db_int(cx, part.size_bytes)),
                   NULL);
}

/* Whole when every number from 1 is there once, as its sender says. */
static enum err check_parts(struct ctx *cx, const struct artifact_upload *upload,
                            const struct list *parts, const char *const *sha256, size_t count) {
    const struct part *items = parts->items;
    if ((int64_t)parts->count != upload->parts || (count && count != parts->count))
        return fail(cx, ERR_CONFLICT, "%zu of %lld parts have come", parts->count,
                    (long long)upload->parts);
    for (size_t i = 0; i < count; i++)
        if (sha256[i] && strcmp(sha256[i], items[i].sha256) != 0)
            return fail(cx, ERR_CONFLICT, "part %zu is not the one that was sent", i + 1);
    return OK;
}

static enum err forget(struct ctx *cx, const struct artifact_upload *upload) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_artifact_upload_delete, ARGS(cx->who.team_id, upload->id), &rows));
    return rows ? OK : fail(cx, ERR_NOT_FOUND, "there is no such upload");
}

enum err artifact_upload_complete(struct ctx *cx, const struct artifact_upload *upload,
                                  const char *const *sha256, size_t count) {
    const struct artifact_owner owner = {upload->run_id ? ARTIFACT_OF_RUN
                                                        : ARTIFACT_OF_LOGGED_MODEL,
                                         upload->run_id ? upload->run_id : upload->logged_model_id};
    struct list parts;
    struct blob blob;
    int64_t room;
    TRY(db_many(cx, &SQL_artifact_upload_parts, ARGS(cx->who.team_id, upload->id), &PART, &parts));
    TRY(check_parts(cx, upload, &parts, sha256, count));
    TRY(parts_join(cx, upload->id, parts.items, parts.count, &blob));
    TRY(forget(cx, upload)); /* first: the parts count as storage as long as they have rows */
    TRY(artifact_room(cx, &owner, upload->name, blob.size_bytes, &room));
    TRY(artifact_put(cx, &owner, upload->name, &blob));
    TRY(db_commit(cx));
    parts_discard(cx, upload->id, upload->parts);
    return OK;
}

enum err artifact_upload_abort(struct ctx *cx, const struct artifact_upload *upload) {
    TRY(forget(cx, upload));
    TRY(db_commit(cx));
    parts_discard(cx, upload->id, upload->parts);
    return OK;
}

enum err artifact_uploads_sweep(struct ctx *cx) {
    struct list expired;
    TRY(parts_expire(cx, PART_HOURS_MAX * 3600));
    TRY(db_many(cx, &SQL_artifact_uploads_expired, NO_ARGS, &UPLOAD, &expired));
    const struct artifact_upload *items = expired.items;
    const char **ids = arena_new_array(cx->arena, const char *, expired.count + 1);
    for (size_t i = 0; i < expired.count; i++) {
        ids[i] = items[i].id;
        parts_discard(cx, items[i].id, items[i].parts);
    }
    return db_exec(cx, &SQL_artifact_uploads_forget, ARGS(db_text_array(cx, ids, expired.count)),
                   NULL);
}
