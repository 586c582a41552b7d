/* artifact_files.c: see artifact_files.h. */
#include "tracking/artifact_files.h"

#include "base/ident.h"
#include "config/config.h"
#include "sql/tracking.h"

#include <string.h>

/* More than any name begins with: four times the last code point there is. */
#define AFTER_ALL_NAMES "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"

static const struct field ARTIFACT_FIELDS[] = {
    FIELD(UUID, struct artifact, id, .flags = FIELD_NULLABLE, .doc = "null for a directory"),
    FIELD(UUID, struct artifact, run_id, .flags = FIELD_NULLABLE,
          .doc = "null for a logged model's"),
    FIELD(STRING, struct artifact, name, .doc = "the whole path"),
    FIELD(BOOL, struct artifact, is_dir),
    FIELD(INT, struct artifact, size_bytes, .doc = "0 for a directory"),
    FIELD(STRING, struct artifact, sha256, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct artifact, media_type, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct artifact, created_at, .flags = FIELD_NULLABLE),
};
SHAPE(ARTIFACT_SHAPE, "Artifact", struct artifact, ARTIFACT_FIELDS);

const struct db_constraint ARTIFACT_FILE_CONSTRAINTS[] = {
    {"run_artifacts_run", ERR_NOT_FOUND, NULL, "the run does not exist any more"},
    {"run_artifacts_logged_model", ERR_NOT_FOUND, NULL, "the logged model does not exist any more"},
    {"multipart_uploads_run", ERR_NOT_FOUND, NULL, "the run does not exist any more"},
    {"multipart_uploads_logged_model", ERR_NOT_FOUND, NULL,
     "the logged model does not exist any more"},
};
const size_t ARTIFACT_FILE_CONSTRAINT_COUNT =
    sizeof(ARTIFACT_FILE_CONSTRAINTS) / sizeof(ARTIFACT_FILE_CONSTRAINTS[0]);

/* --- writing --- */

/* "a/b" and "a" of "a/b/c": what would have to be directories. */
static const char *ancestors_of(struct ctx *cx, const char *name) {
    const char *items[ARTIFACT_NAME_MAX / 2 + 1];
    size_t count = 0;
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/'))
        items[count++] = arena_strndup(cx->arena, name, (size_t)(slash - name));
    return db_text_array(cx, items, count);
}

struct place {
    int64_t room; /* FIELD_NO_INT = no quota */
    const char *clash;
    bool fixed;
};
static const struct field PLACE_FIELDS[] = {
    FIELD(INT, struct place, room, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct place, clash, .flags = FIELD_NULLABLE),
    FIELD(BOOL, struct place, fixed, .flags = FIELD_NULLABLE),
};
static SHAPE(PLACE, "ArtifactPlace", struct place, PLACE_FIELDS);

static enum err refuse_fixed(struct ctx *cx, const char *name) {
    return fail(cx, ERR_CONFLICT, "file \"%s\" was left by the run's job and cannot be changed",
                name);
}

enum err artifact_room(struct ctx *cx, const struct artifact_owner *owner, const char *name,
                       int64_t size_bytes, int64_t *ret_bytes) {
    struct place place;
    TRY(artifact_check_name(cx, name));
    TRY(db_one(cx, &SQL_artifact_place,
               ARGS(cx->who.team_id, owner->id, name, ancestors_of(cx, name)), &PLACE, &place));
    if (place.clash)
        return fail(cx, ERR_CONFLICT, "\"%s\" cannot be a file beside file \"%s\"", name,
                    place.clash);
    if (place.fixed)
        return refuse_fixed(cx, name);
    bool limited = place.room != FIELD_NO_INT;
    if (limited && (place.room <= 0 || place.room < size_bytes))
        return fail(cx, ERR_FORBIDDEN, "the team's quota \"storage_bytes\" is used up");
    int64_t most = cx->app->config->max_upload_bytes;
    *ret_bytes = limited && place.room < most ? place.room : most;
    return OK;
}

enum err artifact_put(struct ctx *cx, const struct artifact_owner *owner, const char *name,
                      const struct blob *blob) {
    char fresh[UUID_TEXT_SIZE];
    uuid_new(fresh);
    bool of_run = owner->kind == ARTIFACT_OF_RUN;
    const char *id;
    TRY(db_value(cx, &SQL_artifact_put,
                 ARGS(fresh, cx->who.team_id, of_run ? owner->id : NULL, of_run ? NULL : owner->id,
                      name, artifact_media_type(name), blob->sha256, db_int(cx, blob->size_bytes)),
                 &id));
    return id ? OK : refuse_fixed(cx, name);
}

enum err artifact_receive(struct ctx *cx, const struct req *rq, const struct artifact_owner *owner,
                          const char *name) {
    int64_t most;
    struct blob blob;
    TRY(artifact_room(cx, owner, name, rq->content_length, &most));
    TRY(blob_receive(cx, rq, "", most, &blob));
    return artifact_put(cx, owner, name, &blob);
}

/* --- reading --- */

static const struct field HOME_FIELDS[] = {
    FIELD(INT, struct artifact_home, experiment_number),
    FIELD(STRING, struct artifact_home, location, .flags = FIELD_NULLABLE),
};
static SHAPE(HOME, "ArtifactHome", struct artifact_home, HOME_FIELDS);

enum err artifact_home_find(struct ctx *cx, const char *project_id,
                            const struct artifact_owner *owner, struct artifact_home *ret,
                            bool *ret_found) {
    const struct db_stmt *statement = owner->kind == ARTIFACT_OF_RUN
                                          ? &SQL_artifact_home_of_run
                                          : &SQL_artifact_home_of_logged_model;
    return db_opt(cx, statement, ARGS(cx->who.team_id, project_id, owner->id), &HOME, ret,
                  ret_found);
}

enum err artifact_find(struct ctx *cx, const struct artifact_owner *owner, const char *name,
                       struct artifact *ret, bool *ret_found) {
    return db_opt(cx, &SQL_artifact_find, ARGS(cx->who.team_id, owner->id, name), &ARTIFACT_SHAPE,
                  ret, ret_found);
}

/* What the names below a directory begin with, and what none of them reaches. */
struct range {
    const char *prefix, *end;
};

static enum err range_of(struct ctx *cx, const char *dir, struct range *ret) {
    if (!*dir) {
        *ret = (struct range){"", AFTER_ALL_NAMES};
        return OK;
    }
    TRY(artifact_check_name(cx, dir));
    *ret = (struct range){arena_printf(cx->arena, "%s/", dir), arena_printf(cx->arena, "%s0", dir)};
    return OK;
}

/* The least name that may follow an entry: '0' follows the slash, 1 is less than any character. */
static const char *start_of(struct ctx *cx, const struct artifact_level *level,
                            const struct range *range) {
    if (!level->after)
        return range->prefix;
    return arena_printf(cx->arena, "%s%c", level->after, level->after_is_dir ? '0' : '\1');
}

enum err artifact_list_level(struct ctx *cx, const struct artifact_owner *owner,
                             const struct artifact_level *level, struct list *ret) {
    struct range range;
    TRY(range_of(cx, level->dir, &range));
    return db_many(cx, &SQL_artifact_level,
                   ARGS(cx->who.team_id, owner->id, range.prefix, start_of(cx, level, &range),
                        range.end, db_int(cx, level->limit)),
                   &ARTIFACT_SHAPE, ret);
}

enum err artifact_list_tree(struct ctx *cx, const struct artifact_owner *owner, const char *dir,
                            struct list *ret) {
    struct range range;
    TRY(range_of(cx, dir, &range));
    return db_many(cx, &SQL_artifact_tree,
                   ARGS(cx->who.team_id, owner->id, dir, range.prefix, range.end), &ARTIFACT_SHAPE,
                   ret);
}

enum err artifact_delete(struct ctx *cx, const struct artifact_owner *owner, const char *path,
                         int64_t *ret_count) {
    const char *fixed;
    struct range range;
    TRY(range_of(cx, path, &range));
    const char *const *args = ARGS(cx->who.team_id, owner->id, path, range.prefix, range.end);
    TRY(db_value(cx, &SQL_artifact_tree_fixed, args, &fixed));
    if (fixed)
        return refuse_fixed(cx, fixed);
    return db_exec(cx, &SQL_artifact_delete, args, ret_count);
}

/* --- sending --- */

enum err artifact_reply(struct ctx *cx, struct reply *rp, const struct artifact *file,
                        const char *media_type, bool in_page) {
    int fd;
    int64_t size;
    TRY(blob_open(cx, file->sha256, &fd, &size));
    const char *slash = strrchr(file->name, '/');
    const char *name = slash ? slash + 1 : file->name;
    reply_file(rp, &(struct reply_file){.fd = fd,
                                        .size_bytes = size,
                                        .media_type = media_type,
                                        .file_name = in_page ? NULL : name,
                                        .etag = file->sha256});
    return OK;
}
