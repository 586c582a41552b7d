/* logged_models.c: the rules of logged models; see logged_models.h. */
#include "tracking/logged_models.h"

#include "base/ident.h"
#include "http/feed.h"
#include "lineage/lineage.h"
#include "sql/tracking.h"
#include "tracking/internal.h"

#include <string.h>

const char *const LOGGED_MODEL_STATUS_NAMES[] = {"pending", "ready", "failed", NULL};

static const struct field LOGGED_MODEL_FIELDS[] = {
    FIELD(UUID, struct logged_model, id),
    FIELD(UUID, struct logged_model, project_id),
    FIELD(UUID, struct logged_model, experiment_id),
    FIELD(INT, struct logged_model, experiment_number),
    FIELD(STRING, struct logged_model, artifact_location, .flags = FIELD_NULLABLE,
          .doc = "the experiment's own"),
    FIELD(STRING, struct logged_model, name),
    FIELD(STRING, struct logged_model, model_type),
    FIELD(UUID, struct logged_model, source_run_id, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct logged_model, source_run_ref, .doc = "a run of another server, or empty"),
    FIELD(ENUM, struct logged_model, status, .names = LOGGED_MODEL_STATUS_NAMES),
    FIELD(STRING, struct logged_model, status_message),
    FIELD(STRING, struct logged_model, created_by),
    FIELD(TIME, struct logged_model, created_at),
    FIELD(TIME, struct logged_model, updated_at),
    FIELD(TIME, struct logged_model, archived_at, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct logged_model, tags, .typescript = "Record<string, string>"),
    FIELD(JSON, struct logged_model, params, .typescript = "Record<string, string>"),
    FIELD(JSON, struct logged_model, metrics,
          .typescript = "{ key: string; value: number | string; step: number; timestamp: number; "
                        "run_id: string; dataset_name: string; dataset_digest: string }[]",
          .doc = "what runs measured of it, the newest 1,000"),
};
SHAPE(LOGGED_MODEL_SHAPE, "LoggedModel", struct logged_model, LOGGED_MODEL_FIELDS);

const struct db_constraint LOGGED_MODEL_CONSTRAINTS[] = {
    {"logged_models_source_run", ERR_NOT_FOUND, "source_run_id", "the source run does not exist"},
    {"logged_models_name_length", ERR_UNPROCESSABLE, "name",
     "a logged model's name has 1 to 500 characters"},
    {"logged_models_model_type_length", ERR_UNPROCESSABLE, "model_type",
     "a model type has 500 characters at most"},
    {"logged_model_params_key_length", ERR_UNPROCESSABLE, "params",
     "a parameter's name must have 1 to 250 characters"},
    {"logged_model_params_value_length", ERR_UNPROCESSABLE, "params",
     "a parameter's value is longer than 6000 characters"},
    {"logged_model_tags_key_length", ERR_UNPROCESSABLE, "tags",
     "a tag's name must have 1 to 250 characters"},
    {"logged_model_tags_value_length", ERR_UNPROCESSABLE, "tags",
     "a tag's value is longer than 8000 characters"},
    {"logged_model_metrics_key_length", ERR_UNPROCESSABLE, "key",
     "a metric's name must have 1 to 250 characters"},
    {"logged_model_metrics_dataset_length", ERR_UNPROCESSABLE, "dataset_name",
     "a data set's name has 500 characters at most, its digest 36"},
};
const size_t LOGGED_MODEL_CONSTRAINT_COUNT =
    sizeof(LOGGED_MODEL_CONSTRAINTS) / sizeof(LOGGED_MODEL_CONSTRAINTS[0]);

/* --- finding --- */

/* The UUID of "m-" and 32 hex digits, or of itself; NULL when it is neither. */
static const char *canonical_id(struct ctx *cx, const char *id) {
    char *uuid = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    if (uuid_is_valid(id))
        return id;
    return strncmp(id, "m-", 2) == 0 && uuid_from_hex(id + 2, uuid) ? uuid : NULL;
}

/* In MLflow's words, and by the id as it was given. */
static enum err not_found(struct ctx *cx, const char *id) {
    return fail(cx, ERR_NOT_FOUND, "Logged model with ID '%.100s' not found.", id);
}

static enum err find_id(struct ctx *cx, const char *project_id, const char *id, bool archived_too,
                        const char **ret) {
    const char *uuid = canonical_id(cx, id);
    *ret = NULL;
    if (!uuid)
        return OK;
    return db_value(cx, &SQL_logged_model_require,
                    ARGS(cx->who.team_id, uuid, project_id, db_bool(archived_too)), ret);
}

enum err logged_model_require(struct ctx *cx, const char *project_id, const char *id,
                              const char **ret_id) {
    const char *found;
    TRY(find_id(cx, project_id, id, false, &found));
    if (!found)
        return not_found(cx, id);
    *ret_id = found;
    return OK;
}

enum err logged_models_load(struct ctx *cx, const char *const *ids, size_t count,
                            struct list *ret) {
    return db_many(cx, &SQL_logged_models_load,
                   ARGS(cx->who.team_id, db_text_array(cx, ids, count)), &LOGGED_MODEL_SHAPE, ret);
}

enum err logged_model_find(struct ctx *cx, const char *project_id, const char *id,
                           bool archived_too, struct logged_model *ret, bool *ret_found) {
    const char *found;
    struct list models = {0};
    TRY(find_id(cx, project_id, id, archived_too, &found));
    if (found)
        TRY(logged_models_load(cx, &found, 1, &models));
    *ret_found = models.count == 1;
    if (*ret_found)
        *ret = *(const struct logged_model *)models.items;
    return OK;
}

/* --- making --- */

static enum err check_name(struct ctx *cx, const char *name) {
    if (!*name || strpbrk(name, "/:.%\"'"))
        return fail_field(cx, ERR_INVALID, "name",
                          "Invalid model name (%.100s) provided. Model name must be a non-empty "
                          "string and cannot contain the following characters: "
                          "('/', ':', '.', '%%', '\"', \"'\")",
                          name);
    return OK;
}

static enum err add_params(struct ctx *cx, const char *id, const struct params *params) {
    const char *keys = db_text_array(cx, params->keys, params->count);
    const char *values = db_text_array(cx, params->values, params->count);
    const char *conflict;
    TRY(db_exec(cx, &SQL_logged_model_add_params, ARGS(cx->who.team_id, id, keys, values), NULL));
    TRY(db_value(cx, &SQL_logged_model_param_conflict, ARGS(cx->who.team_id, id, keys, values),
                 &conflict));
    if (conflict)
        return fail_field(cx, ERR_CONFLICT, "params",
                          "parameter \"%.100s\" of the model has another value", conflict);
    return OK;
}

static enum err put_tags(struct ctx *cx, const char *id, const struct params *tags) {
    return db_exec(cx, &SQL_logged_model_put_tags,
                   ARGS(cx->who.team_id, id, db_text_array(cx, tags->keys, tags->count),
                        db_text_array(cx, tags->values, tags->count)),
                   NULL);
}

/* The model stands in the graph as what its run left; its files do not: there may be thousands. */
static enum err add_node(struct ctx *cx, const struct logged_model_create *o, const char *id,
                         const char *name) {
    TRY(lineage_node(cx, NODE_ARTIFACT, id, o->project_id, name));
    if (o->source_run_id)
        TRY(lineage_edge(cx, NODE_RUN, o->source_run_id, NODE_ARTIFACT, id, "produced"));
    return feed_post(cx, "project", o->project_id, "created");
}

enum err logged_model_create(struct ctx *cx, const struct logged_model_create *o,
                             struct logged_model *ret) {
    const char *name = o->name ? o->name : run_name_random(cx->arena), *made;
    struct params tags, params;
    char id[UUID_TEXT_SIZE];
    bool found;
    uuid_new(id);
    TRY(check_name(cx, name));
    TRY(texts_of_member(cx, o->tags, "tags", &tags));
    TRY(texts_of_member(cx, o->params, "params", &params));
    if (o->source_run_id)
        TRY(run_require(cx, o->project_id, o->source_run_id, &made));
    TRY(db_value(cx, &SQL_logged_model_create,
                 ARGS(id, cx->who.team_id, o->project_id, o->experiment_id, name,
                      o->model_type ? o->model_type : "", o->source_run_id, cx->who.name,
                      o->source_run_ref),
                 &made));
    if (!made)
        return fail(cx, ERR_NOT_FOUND, "there is no such active experiment in the project");
    TRY(put_tags(cx, id, &tags));
    TRY(add_params(cx, id, &params));
    TRY(add_node(cx, o, id, name));
    return logged_model_find(cx, o->project_id, made, false, ret, &found);
}

/* --- changing --- */

static enum err require_changed(struct ctx *cx, const char *id, int64_t rows) {
    return rows ? OK : not_found(cx, id);
}

static enum err touch(struct ctx *cx, const char *id) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_logged_model_touch, ARGS(cx->who.team_id, id), &rows));
    return require_changed(cx, id, rows);
}

enum err logged_model_finalize(struct ctx *cx, const char *id, enum logged_model_status status) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_logged_model_set_status,
                ARGS(cx->who.team_id, id, LOGGED_MODEL_STATUS_NAMES[status]), &rows));
    return require_changed(cx, id, rows);
}

enum err logged_model_archive(struct ctx *cx, const char *id) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_logged_model_archive, ARGS(cx->who.team_id, id), &rows));
    return require_changed(cx, id, rows);
}

enum err logged_model_put_tags(struct ctx *cx, const char *id, const char *const *keys,
                               const char *const *values, size_t count) {
    const struct params tags = {(const char **)(uintptr_t)keys, (const char **)(uintptr_t)values,
                                count};
    TRY(touch(cx, id));
    return put_tags(cx, id, &tags);
}

enum err logged_model_delete_tag(struct ctx *cx, const char *id, const char *key, bool *ret_found) {
    int64_t rows;
    TRY(touch(cx, id));
    TRY(db_exec(cx, &SQL_logged_model_delete_tag, ARGS(cx->who.team_id, id, key), &rows));
    *ret_found = rows > 0;
    return OK;
}

enum err logged_model_add_params(struct ctx *cx, const char *id, const char *const *keys,
                                 const char *const *values, size_t count) {
    const struct params params = {(const char **)(uintptr_t)keys, (const char **)(uintptr_t)values,
                                  count};
    if (count > LOGGED_MODEL_PARAMS_MAX)
        return fail_field(cx, ERR_UNPROCESSABLE, "params", "a call has %d parameters at most",
                          LOGGED_MODEL_PARAMS_MAX);
    TRY(touch(cx, id));
    return add_params(cx, id, &params);
}

/* --- metrics --- */

/* One array a column. */
struct columns {
    const char **models, **keys, **names, **digests;
    int64_t *steps, *times;
    double *values;
};

static struct columns columns_new(struct ctx *cx, size_t count) {
    return (struct columns){.models = arena_new_array(cx->arena, const char *, count),
                            .keys = arena_new_array(cx->arena, const char *, count),
                            .names = arena_new_array(cx->arena, const char *, count),
                            .digests = arena_new_array(cx->arena, const char *, count),
                            .steps = arena_new_array(cx->arena, int64_t, count),
                            .times = arena_new_array(cx->arena, int64_t, count),
                            .values = arena_new_array(cx->arena, double, count)};
}

static enum err columns_fill(struct ctx *cx, const struct logged_model_metric *metrics,
                             size_t count, struct columns *c) {
    for (size_t i = 0; i < count; i++) {
        const struct logged_model_metric *m = &metrics[i];
        c->models[i] = canonical_id(cx, m->model_id);
        if (!c->models[i])
            return not_found(cx, m->model_id);
        c->keys[i] = m->key;
        c->names[i] = m->dataset_name ? m->dataset_name : "";
        c->digests[i] = m->dataset_digest ? m->dataset_digest : "";
        c->steps[i] = m->step;
        c->times[i] = m->at_us;
        c->values[i] = m->value;
    }
    return OK;
}

/* Clients name models of metrics by their own form of the id. */
static enum err missing_model(struct ctx *cx, const char *uuid) {
    char hex[33];
    uuid_to_hex(uuid, hex);
    return not_found(cx, arena_printf(cx->arena, "m-%s", hex));
}

enum err logged_model_log_metrics(struct ctx *cx, const char *project_id, const char *run_id,
                                  const struct logged_model_metric *metrics, size_t count) {
    struct columns c = columns_new(cx, count);
    const char *missing;
    TRY(columns_fill(cx, metrics, count, &c));
    const char *models = db_text_array(cx, c.models, count);
    TRY(db_value(cx, &SQL_logged_models_missing, ARGS(cx->who.team_id, project_id, models),
                 &missing));
    if (missing)
        return missing_model(cx, missing);
    return db_exec(cx, &SQL_logged_model_metrics_add,
                   ARGS(cx->who.team_id, run_id, models, db_text_array(cx, c.keys, count),
                        db_int_array(cx, c.steps, count), db_int_array(cx, c.times, count),
                        db_real_array(cx, c.values, count), db_text_array(cx, c.names, count),
                        db_text_array(cx, c.digests, count)),
                   NULL);
}
