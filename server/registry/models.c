/* models.c: the rules of models: names, tags, aliases, and when one may go.
 *
 * What a name or an alias may be is written in the schema (0017_registry.sql), and the table of
 * constraints below gives each rule its sentence. */
#include "registry/internal.h"

#include "auth/auth.h"
#include "base/ident.h"
#include "http/feed.h"
#include "lineage/lineage.h"
#include "sql/registry.h"

#define TAGS_MAX 1000 /* of one call */

static const struct field MODEL_FIELDS[] = {
    FIELD(UUID, struct model, id),
    FIELD(UUID, struct model, project_id),
    FIELD(STRING, struct model, name),
    FIELD(STRING, struct model, description),
    FIELD(TIME, struct model, created_at),
    FIELD(TIME, struct model, updated_at),
    FIELD(INT, struct model, versions),
    FIELD(INT, struct model, latest_version, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct model, metrics, .flags = FIELD_NULLABLE,
          .typescript = "Record<string, number>", .doc = "of the newest version"),
    FIELD(JSON, struct model, tags, .typescript = "Record<string, string>"),
    FIELD(JSON, struct model, aliases, .typescript = "Record<string, number>",
          .doc = "version numbers by alias"),
};
SHAPE(MODEL_SHAPE, "Model", struct model, MODEL_FIELDS);

static const struct field ID_FIELDS[] = {FIELD(UUID, struct id_row, id)};
SHAPE(ID_SHAPE, "Id", struct id_row, ID_FIELDS);

const struct db_constraint REGISTRY_CONSTRAINTS[] = {
    {"models_name_unique", ERR_CONFLICT, "name",
     "a model with this name already exists in the team"},
    {"models_name_length", ERR_INVALID, "name", "a model's name has 1 to 256 characters"},
    {"models_name_composed", ERR_INVALID, "name",
     "a model's name is in Unicode's composed form (NFC); this one is not"},
    {"models_name_plain", ERR_INVALID, "name",
     "a model's name has no \"/\", \":\", control characters or blanks at its ends, and is not "
     "\".\" or \"..\""},
    {"models_description_length", ERR_INVALID, "description",
     "a description has at most 10,000 characters"},
    {"model_versions_description_length", ERR_INVALID, "description",
     "a description has at most 10,000 characters"},
    {"model_versions_source_length", ERR_INVALID, "source",
     "a source has at most 2,000 characters"},
    {"model_versions_run_link_length", ERR_INVALID, "run_link",
     "a link has at most 2,000 characters"},
    {"model_tags_key_length", ERR_INVALID, "key", "a tag's key has 1 to 250 characters"},
    {"model_tags_value_length", ERR_INVALID, "value",
     "a tag's value has at most 100,000 characters"},
    {"model_version_tags_key_length", ERR_INVALID, "key", "a tag's key has 1 to 250 characters"},
    {"model_version_tags_value_length", ERR_INVALID, "value",
     "a tag's value has at most 100,000 characters"},
    {"model_aliases_alias_form", ERR_INVALID, "alias",
     "an alias has 1 to 255 letters, digits, \"_\" or \"-\", and is not \"latest\" or v<number>"},
};
const size_t REGISTRY_CONSTRAINT_COUNT =
    sizeof(REGISTRY_CONSTRAINTS) / sizeof(REGISTRY_CONSTRAINTS[0]);

/* ---- reading */

static const char *id_array(struct ctx *cx, struct list ids) {
    const struct id_row *rows = ids.items;
    const char **texts = arena_new_array(cx->arena, const char *, ids.count + 1);
    for (size_t i = 0; i < ids.count; i++)
        texts[i] = rows[i].id;
    return db_text_array(cx, texts, ids.count);
}

enum err model_load(struct ctx *cx, struct list ids, struct list *ret) {
    return db_many(cx, &SQL_model_rows, ARGS(cx->who.team_id, id_array(cx, ids)), &MODEL_SHAPE,
                   ret);
}

enum err model_version_load(struct ctx *cx, struct list ids, bool with_evaluation,
                            struct list *ret) {
    return db_many(cx, &SQL_model_version_rows,
                   ARGS(cx->who.team_id, id_array(cx, ids), db_bool(with_evaluation)),
                   &MODEL_VERSION_SHAPE, ret);
}

enum err model_get(struct ctx *cx, const char *id, struct model *ret) {
    struct id_row row = {id};
    struct list found = {NULL, 0};
    if (uuid_is_valid(id))
        TRY(model_load(cx, (struct list){&row, 1}, &found));
    if (found.count == 0)
        return fail(cx, ERR_NOT_FOUND, "model \"%s\" does not exist", id);
    *ret = *(const struct model *)found.items;
    return OK;
}

enum err model_find_id(struct ctx *cx, const char *project_id, const char *name,
                       const char **ret_id) {
    return db_value(cx, &SQL_model_id_by_name, ARGS(cx->who.team_id, name, project_id), ret_id);
}

enum err model_find(struct ctx *cx, const char *project_id, const char *name, struct model *ret,
                    bool *ret_found) {
    const char *id;
    *ret_found = false;
    TRY(model_find_id(cx, project_id, name, &id));
    if (!id)
        return OK;
    *ret_found = true;
    return model_get(cx, id, ret);
}

/* ---- changing */

static enum err model_changed(struct ctx *cx, const char *id) {
    TRY(db_exec(cx, &SQL_model_touch, ARGS(cx->who.team_id, id), NULL));
    return feed_post(cx, "model", id, "state");
}

enum err tags_arrays(struct ctx *cx, json_t *tags, const char **ret_keys, const char **ret_values) {
    size_t count = json_object_size(tags), i = 0;
    if ((tags && !json_is_object(tags)) || count > TAGS_MAX)
        return fail_field(cx, ERR_INVALID, "tags", "tags are an object of up to %d texts",
                          TAGS_MAX);
    const char **keys = arena_new_array(cx->arena, const char *, count + 1);
    const char **values = arena_new_array(cx->arena, const char *, count + 1);
    const char *key;
    json_t *value;
    json_object_foreach(tags, key, value) {
        if (!json_is_string(value))
            return fail_field(cx, ERR_INVALID, "tags", "the tag \"%.250s\" is not a text", key);
        keys[i] = key;
        values[i++] = json_string_value(value);
    }
    *ret_keys = db_text_array(cx, keys, count);
    *ret_values = db_text_array(cx, values, count);
    return OK;
}

enum err model_add_tags(struct ctx *cx, const char *id, json_t *tags) {
    const char *keys, *values;
    TRY(tags_arrays(cx, tags, &keys, &values));
    return db_exec(cx, &SQL_model_tags_put, ARGS(cx->who.team_id, id, keys, values), NULL);
}

enum err model_create(struct ctx *cx, const struct model_create *options, struct model *ret) {
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_model_create,
                ARGS(id, cx->who.team_id, options->project_id, options->name, options->description),
                NULL));
    TRY(model_add_tags(cx, id, options->tags));
    TRY(event_model_created(cx, options));
    TRY(feed_post(cx, "model", id, "created"));
    return model_get(cx, id, ret);
}

enum err model_rename(struct ctx *cx, const char *id, const char *name) {
    TRY(db_exec(cx, &SQL_model_rename, ARGS(cx->who.team_id, id, name), NULL));
    return feed_post(cx, "model", id, "state");
}

enum err model_describe(struct ctx *cx, const char *id, const char *description) {
    TRY(db_exec(cx, &SQL_model_describe, ARGS(cx->who.team_id, id, description), NULL));
    return feed_post(cx, "model", id, "state");
}

enum err model_set_tag(struct ctx *cx, const char *id, const char *key, const char *value) {
    TRY(db_exec(cx, &SQL_model_tags_put,
                ARGS(cx->who.team_id, id, db_text_array(cx, &key, 1), db_text_array(cx, &value, 1)),
                NULL));
    TRY(event_model_tag(cx, id, key, value));
    return model_changed(cx, id);
}

enum err model_delete_tag(struct ctx *cx, const char *id, const char *key, bool *ret_found) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_model_tag_delete, ARGS(cx->who.team_id, id, key), &rows));
    *ret_found = rows > 0;
    if (!rows)
        return OK;
    TRY(event_model_tag(cx, id, key, NULL));
    return model_changed(cx, id);
}

/* ---- aliases */

enum err alias_set(struct ctx *cx, const char *model_id, const char *alias, int64_t version) {
    struct model model;
    int64_t rows;
    TRY(model_get(cx, model_id, &model));
    TRY(db_exec(cx, &SQL_model_alias_set,
                ARGS(cx->who.team_id, model_id, alias, db_int(cx, version)), &rows));
    if (rows == 0)
        return fail_field(cx, ERR_NOT_FOUND, "version", "version %lld does not exist",
                          (long long)version);
    TRY(auth_audit(cx, "model.alias_set",
                   arena_printf(cx->arena, "%s@%s = %lld", model.name, alias, (long long)version),
                   OK));
    TRY(event_alias(cx, &model, alias, version));
    return model_changed(cx, model_id);
}

enum err alias_delete(struct ctx *cx, const char *model_id, const char *alias, bool *ret_found) {
    struct model model;
    int64_t rows;
    TRY(model_get(cx, model_id, &model));
    TRY(db_exec(cx, &SQL_model_alias_delete, ARGS(cx->who.team_id, model_id, alias), &rows));
    *ret_found = rows > 0;
    if (!rows)
        return OK;
    TRY(auth_audit(cx, "model.alias_delete", arena_printf(cx->arena, "%s@%s", model.name, alias),
                   OK));
    TRY(event_alias(cx, &model, alias, 0));
    return model_changed(cx, model_id);
}

/* ---- the end */

struct served {
    const char *id; /* of the endpoint */
    int64_t version;
};
static const struct field SERVED_FIELDS[] = {
    FIELD(UUID, struct served, id),
    FIELD(INT, struct served, version),
};
static SHAPE(SERVED_SHAPE, "Served", struct served, SERVED_FIELDS);

enum err model_require_unserved(struct ctx *cx, const char *model_id, const char *version_id) {
    struct served served;
    bool found;
    TRY(db_opt(cx, &SQL_model_served, ARGS(cx->who.team_id, model_id, version_id), &SERVED_SHAPE,
               &served, &found));
    return found ? fail(cx, ERR_CONFLICT,
                        "version %lld is being served by endpoint \"%s\"; stop it first",
                        (long long)served.version, served.id)
                 : OK;
}

/* The graph keeps the nodes of what is gone, and says so. */
static enum err versions_forget(struct ctx *cx, const char *id) {
    struct list versions;
    TRY(db_many(cx, &SQL_model_version_ids, ARGS(cx->who.team_id, id, NULL, NULL), &ID_SHAPE,
                &versions));
    const struct id_row *rows = versions.items;
    for (size_t i = 0; i < versions.count; i++)
        TRY(lineage_node_state(cx, NODE_MODEL_VERSION, rows[i].id, "deleted"));
    return OK;
}

enum err model_delete(struct ctx *cx, const char *id) {
    TRY(model_require_unserved(cx, id, NULL));
    TRY(versions_forget(cx, id));
    TRY(db_exec(cx, &SQL_model_delete, ARGS(cx->who.team_id, id), NULL));
    return feed_post(cx, "model", id, "state");
}
