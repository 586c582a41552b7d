/* versions.c: what is said and changed about versions that exist; register.c makes them. */
#include "registry/internal.h"

#include "auth/auth.h"
#include "base/ident.h"
#include "http/feed.h"
#include "lineage/lineage.h"
#include "sql/registry.h"

#include <string.h>
#include <strings.h>

const char *const MODEL_STAGE_NAMES[] = {"none", "staging", "production", "archived", NULL};
const char *const MODEL_STATUS_NAMES[] = {"pending", "ready", "failed", NULL};

static const struct field MODEL_VERSION_FIELDS[] = {
    FIELD(UUID, struct model_version, id),
    FIELD(UUID, struct model_version, project_id),
    FIELD(UUID, struct model_version, model_id),
    FIELD(STRING, struct model_version, model_name),
    FIELD(INT, struct model_version, version),
    FIELD(STRING, struct model_version, description),
    FIELD(STRING, struct model_version, source, .doc = "as it was given"),
    FIELD(UUID, struct model_version, run_id, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct model_version, run_ref, .doc = "a run of another server, or empty"),
    FIELD(STRING, struct model_version, location,
          .doc = "address of its files in another store, or empty"),
    FIELD(STRING, struct model_version, run_link, .doc = "a page elsewhere, or empty"),
    FIELD(UUID, struct model_version, logged_model_id, .flags = FIELD_NULLABLE),
    FIELD(ENUM, struct model_version, stage, .names = MODEL_STAGE_NAMES),
    FIELD(ENUM, struct model_version, status, .names = MODEL_STATUS_NAMES),
    FIELD(STRING, struct model_version, status_message),
    FIELD(TIME, struct model_version, created_at),
    FIELD(TIME, struct model_version, updated_at),
    FIELD(STRING, struct model_version, created_by),
    FIELD(JSON, struct model_version, tags, .typescript = "Record<string, string>"),
    FIELD(JSON, struct model_version, aliases, .typescript = "string[]"),
    FIELD(JSON, struct model_version, metrics, .typescript = "Record<string, number>"),
    FIELD(BOOL, struct model_version, servable,
          .doc = "whether Slipway can serve it; others have no signature and input kind"),
    FIELD(JSON, struct model_version, signature, .flags = FIELD_NULLABLE,
          .typescript = "{ inputs: { name: string; datatype: string; shape: number[] }[]; "
                        "outputs: { name: string; datatype: string; shape: number[] }[] }"),
    FIELD(JSON, struct model_version, classes, .flags = FIELD_NULLABLE, .typescript = "string[]"),
    FIELD(STRING, struct model_version, input_kind, .flags = FIELD_NULLABLE,
          .doc = "image or table"),
    FIELD(JSON, struct model_version, input_shape, .flags = FIELD_NULLABLE,
          .typescript = "number[]"),
    FIELD(INT, struct model_version, size_bytes),
    FIELD(INT, struct model_version, file_count),
    FIELD(JSON, struct model_version, files,
          .typescript = "{ name: string; size_bytes: number; media_type: string; sha256: string "
                        "}[]",
          .doc = "the first 1,000 by name"),
    FIELD(JSON, struct model_version, endpoint, .flags = FIELD_NULLABLE, .typescript = "Endpoint"),
    FIELD(JSON, struct model_version, evaluation, .flags = FIELD_NULLABLE, .doc = "null in lists"),
};
SHAPE(MODEL_VERSION_SHAPE, "ModelVersion", struct model_version, MODEL_VERSION_FIELDS);

static const struct field MODEL_FILE_FIELDS[] = {
    FIELD(STRING, struct model_file, name),
    FIELD(STRING, struct model_file, sha256),
    FIELD(STRING, struct model_file, media_type),
    FIELD(INT, struct model_file, size_bytes),
};
SHAPE(MODEL_FILE_SHAPE, "ModelFile", struct model_file, MODEL_FILE_FIELDS);

/* ---- reading */

enum err model_version_get(struct ctx *cx, const char *id, struct model_version *ret) {
    struct id_row row = {id};
    struct list found = {NULL, 0};
    if (uuid_is_valid(id))
        TRY(model_version_load(cx, (struct list){&row, 1}, true, &found));
    if (found.count == 0)
        return fail(cx, ERR_NOT_FOUND, "model version \"%s\" does not exist", id);
    *ret = *(const struct model_version *)found.items;
    return OK;
}

/* id NULL = there is none. */
static enum err version_if_any(struct ctx *cx, const char *id, struct model_version *ret,
                               bool *ret_found) {
    *ret_found = id != NULL;
    return id ? model_version_get(cx, id, ret) : OK;
}

enum err model_version_find(struct ctx *cx, const char *model_id, int64_t version,
                            struct model_version *ret, bool *ret_found) {
    const char *id;
    TRY(db_value(cx, &SQL_model_version_id, ARGS(cx->who.team_id, model_id, db_int(cx, version)),
                 &id));
    return version_if_any(cx, id, ret, ret_found);
}

enum err model_version_by_alias(struct ctx *cx, const char *model_id, const char *alias,
                                struct model_version *ret, bool *ret_found) {
    const char *id;
    if (strcasecmp(alias, "latest") == 0)
        return model_version_find(cx, model_id, 0, ret, ret_found);
    TRY(db_value(cx, &SQL_model_version_id_by_alias, ARGS(cx->who.team_id, model_id, alias), &id));
    return version_if_any(cx, id, ret, ret_found);
}

enum err model_version_by_name(struct ctx *cx, const char *model, int64_t version,
                               struct model_version *ret, bool *ret_found) {
    const char *id;
    *ret_found = false;
    TRY(model_find_id(cx, NULL, model, &id));
    return id ? model_version_find(cx, id, version, ret, ret_found) : OK;
}

enum err model_versions_latest(struct ctx *cx, const char *const *model_ids, size_t count,
                               unsigned stages, struct list *ret) {
    const char *names[STAGE_COUNT];
    size_t n = 0;
    struct list ids;
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        if (stages & 1u << stage)
            names[n++] = MODEL_STAGE_NAMES[stage];
    TRY(db_many(
        cx, &SQL_model_version_latest_ids,
        ARGS(cx->who.team_id, db_text_array(cx, model_ids, count), db_text_array(cx, names, n)),
        &ID_SHAPE, &ids));
    return model_version_load(cx, ids, false, ret);
}

enum err model_version_numbers(struct ctx *cx, const char *model_id, json_t **ret) {
    const char *text;
    TRY(db_value(cx, &SQL_model_version_numbers, ARGS(cx->who.team_id, model_id), &text));
    *ret = json_loads(text, 0, NULL);
    return OK;
}

enum err model_version_require_servable(struct ctx *cx, const struct model_version *version) {
    return version->servable
               ? OK
               : fail(cx, ERR_UNPROCESSABLE,
                      "version %lld of model \"%s\" cannot be served: it has no model.json and "
                      "model.safetensors of Slipway's own form",
                      (long long)version->version, version->model_name);
}

/* ---- files */

enum err model_file_get(struct ctx *cx, const char *version_id, const char *name,
                        struct model_file *ret) {
    bool found = false;
    if (uuid_is_valid(version_id))
        TRY(db_opt(cx, &SQL_model_file_get, ARGS(cx->who.team_id, version_id, name),
                   &MODEL_FILE_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "file \"%s\" does not exist", name);
}

enum err model_files(struct ctx *cx, const char *version_id, const char *dir, struct list *ret) {
    const char *start = dir && *dir ? arena_printf(cx->arena, "%s/", dir) : "";
    return db_many(cx, &SQL_model_file_list, ARGS(cx->who.team_id, version_id, start),
                   &MODEL_FILE_SHAPE, ret);
}

enum err model_file_reply(struct ctx *cx, struct reply *rp, const struct model_file *file) {
    int fd;
    int64_t size;
    TRY(blob_open(cx, file->sha256, &fd, &size));
    const char *slash = strrchr(file->name, '/');
    reply_file(rp, &(struct reply_file){.fd = fd,
                                        .size_bytes = size,
                                        .media_type = file->media_type,
                                        .file_name = slash ? slash + 1 : file->name,
                                        .etag = file->sha256});
    return OK;
}

/* ---- changing */

enum err model_version_describe(struct ctx *cx, const char *id, const char *description) {
    TRY(db_exec(cx, &SQL_model_version_describe, ARGS(cx->who.team_id, id, description), NULL));
    return feed_post(cx, "model_version", id, "state");
}

enum err model_version_set_stage(struct ctx *cx, const char *id, enum model_stage stage,
                                 bool archive_others) {
    const char *team = cx->who.team_id, *name = MODEL_STAGE_NAMES[stage];
    struct model_version version;
    TRY(model_version_get(cx, id, &version));
    if (archive_others)
        TRY(db_exec(cx, &SQL_model_version_archive_others, ARGS(team, version.model_id, id, name),
                    NULL));
    TRY(db_exec(cx, &SQL_model_version_set_stage, ARGS(team, id, name), NULL));
    TRY(auth_audit(cx, "model_version.stage",
                   arena_printf(cx->arena, "%s v%lld: %s -> %s", version.model_name,
                                (long long)version.version, MODEL_STAGE_NAMES[version.stage], name),
                   OK));
    TRY(feed_post(cx, "model", version.model_id, "state"));
    return feed_post(cx, "model_version", id, "state");
}

enum err model_version_delete(struct ctx *cx, const char *id) {
    struct model_version version;
    TRY(model_version_get(cx, id, &version));
    TRY(model_require_unserved(cx, version.model_id, id));
    TRY(db_exec(cx, &SQL_model_version_delete, ARGS(cx->who.team_id, id), NULL));
    TRY(db_exec(cx, &SQL_model_touch, ARGS(cx->who.team_id, version.model_id), NULL));
    TRY(lineage_node_state(cx, NODE_MODEL_VERSION, id, "deleted"));
    TRY(feed_post(cx, "model", version.model_id, "state"));
    return feed_post(cx, "model_version", id, "state");
}

enum err model_version_add_tags(struct ctx *cx, const char *id, json_t *tags) {
    const char *keys, *values;
    TRY(tags_arrays(cx, tags, &keys, &values));
    return db_exec(cx, &SQL_model_version_tags_put, ARGS(cx->who.team_id, id, keys, values), NULL);
}

enum err model_version_set_tag(struct ctx *cx, const char *id, const char *key, const char *value) {
    TRY(db_exec(cx, &SQL_model_version_tags_put,
                ARGS(cx->who.team_id, id, db_text_array(cx, &key, 1), db_text_array(cx, &value, 1)),
                NULL));
    TRY(event_version_tag(cx, id, key, value));
    return feed_post(cx, "model_version", id, "state");
}

enum err model_version_delete_tag(struct ctx *cx, const char *id, const char *key,
                                  bool *ret_found) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_model_version_tag_delete, ARGS(cx->who.team_id, id, key), &rows));
    *ret_found = rows > 0;
    if (!rows)
        return OK;
    TRY(event_version_tag(cx, id, key, NULL));
    return feed_post(cx, "model_version", id, "state");
}
