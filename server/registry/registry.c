/* registry.c: the rules of models and their versions.
 *
 * Registering reads the run's model.json, a small file its runner wrote: the signature and the
 * class names come from there, through the same guarded JSON reader as requests. */
#include "registry/registry.h"
#include "registry/internal.h"

#include "artifacts/artifacts.h"
#include "base/ident.h"
#include "base/jsontext.h"
#include "lineage/lineage.h"
#include "sql/registry.h"
#include "tracking/tracking.h"

#include <string.h>

#define MODEL_JSON_MAX (4 << 20) /* bytes */

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
};
SHAPE(MODEL_SHAPE, "Model", struct model, MODEL_FIELDS);

static const struct field MODEL_VERSION_FIELDS[] = {
    FIELD(UUID, struct model_version, id),
    FIELD(UUID, struct model_version, project_id),
    FIELD(UUID, struct model_version, model_id),
    FIELD(STRING, struct model_version, model_name),
    FIELD(INT, struct model_version, version),
    FIELD(STRING, struct model_version, description),
    FIELD(UUID, struct model_version, run_id, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct model_version, created_at),
    FIELD(STRING, struct model_version, created_by),
    FIELD(JSON, struct model_version, metrics, .typescript = "Record<string, number>"),
    FIELD(JSON, struct model_version, signature,
          .typescript = "{ inputs: { name: string; datatype: string; shape: number[] }[]; "
                        "outputs: { name: string; datatype: string; shape: number[] }[] }"),
    FIELD(JSON, struct model_version, classes, .flags = FIELD_NULLABLE, .typescript = "string[]"),
    FIELD(STRING, struct model_version, input_kind, .doc = "image or table"),
    FIELD(JSON, struct model_version, input_shape, .typescript = "number[]"),
    FIELD(INT, struct model_version, size_bytes),
    FIELD(JSON, struct model_version, files,
          .typescript =
              "{ name: string; size_bytes: number; media_type: string; sha256: string }[]"),
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
static SHAPE(MODEL_FILE_SHAPE, "ModelFile", struct model_file, MODEL_FILE_FIELDS);

const struct db_constraint REGISTRY_CONSTRAINTS[] = {
    {"models_name_unique", ERR_CONFLICT, "name",
     "a model with this name already exists in the team"},
};
const size_t REGISTRY_CONSTRAINT_COUNT =
    sizeof(REGISTRY_CONSTRAINTS) / sizeof(REGISTRY_CONSTRAINTS[0]);

enum err model_get(struct ctx *cx, const char *id, struct model *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_model_get, ARGS(cx->who.team_id, id), &MODEL_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "model \"%s\" does not exist", id);
}

enum err model_version_get(struct ctx *cx, const char *id, struct model_version *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_model_version_get, ARGS(cx->who.team_id, id), &MODEL_VERSION_SHAPE, ret,
                   &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "model version \"%s\" does not exist", id);
}

enum err model_version_find(struct ctx *cx, const char *model, int64_t version,
                            struct model_version *ret, bool *ret_found) {
    const char *id;
    *ret_found = false;
    TRY(db_value(cx, &SQL_model_version_id, ARGS(cx->who.team_id, model, db_int(cx, version)),
                 &id));
    if (!id)
        return OK;
    *ret_found = true;
    return model_version_get(cx, id, ret);
}

enum err model_version_numbers(struct ctx *cx, const char *model_id, json_t **ret) {
    const char *text;
    TRY(db_value(cx, &SQL_model_version_numbers, ARGS(cx->who.team_id, model_id), &text));
    *ret = json_loads(text, 0, NULL);
    return OK;
}

enum err model_file_get(struct ctx *cx, const char *version_id, const char *name,
                        struct model_file *ret) {
    bool found = false;
    if (uuid_is_valid(version_id))
        TRY(db_opt(cx, &SQL_model_file_get, ARGS(cx->who.team_id, version_id, name),
                   &MODEL_FILE_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "file \"%s\" does not exist", name);
}

/* What a version is made of, gathered before its number is taken. */
struct snapshot {
    struct list artifacts; /* of struct artifact; all of the run's */
    json_t *metrics, *signature, *classes, *input_shape;
    const char *input_kind;
};

static const struct artifact *artifact_named(const struct list *artifacts, const char *name) {
    const struct artifact *items = artifacts->items;
    for (size_t i = 0; i < artifacts->count; i++)
        if (strcmp(items[i].name, name) == 0)
            return &items[i];
    return NULL;
}

static json_t *owned(struct ctx *cx, json_t *json) {
    arena_defer(cx->arena, (void (*)(void *))json_decref, json);
    return json;
}

/* An image model has one input [-1, C, H, W]; a table's has an input a column. */
static enum err snapshot_input(struct ctx *cx, struct snapshot *ret) {
    json_t *inputs = json_object_get(ret->signature, "inputs");
    json_t *outputs = json_object_get(ret->signature, "outputs");
    if (json_array_size(inputs) == 0 || json_array_size(outputs) == 0)
        return fail_field(cx, ERR_CONFLICT, "run_id", "the run's model.json has no signature");
    json_t *shape = json_object_get(json_array_get(inputs, 0), "shape");
    bool image = json_array_size(inputs) == 1 && json_array_size(shape) == 4;
    ret->input_kind = image ? "image" : "table";
    ret->input_shape = owned(cx, json_array());
    for (size_t i = 1; image && i < 4; i++)
        json_array_append(ret->input_shape, json_array_get(shape, i));
    if (!image)
        json_array_append_new(ret->input_shape, json_integer((json_int_t)json_array_size(inputs)));
    return OK;
}

static enum err snapshot_model(struct ctx *cx, struct snapshot *ret) {
    const struct artifact *file = artifact_named(&ret->artifacts, "model.json");
    if (!file || !artifact_named(&ret->artifacts, "model.safetensors"))
        return fail_field(cx, ERR_CONFLICT, "run_id",
                          "the run has no model: model.json or model.safetensors is missing");
    const char *text;
    size_t size;
    json_t *model;
    TRY(blob_read(cx, file->sha256, MODEL_JSON_MAX, &text, &size));
    if (json_parse(text, size, MODEL_JSON_MAX, &model, &cx->err) != OK)
        return fail_field(cx, ERR_CONFLICT, "run_id", "the run's model.json is damaged");
    owned(cx, model);
    ret->signature = json_object_get(model, "signature");
    json_t *classes = json_object_get(model, "classes");
    ret->classes = json_is_array(classes) ? classes : NULL;
    return snapshot_input(cx, ret);
}

static bool is_of_the_model(const char *key) {
    return strncmp(key, "system/", 7) != 0 && strcmp(key, "lr") != 0 &&
           strcmp(key, "samples_per_s") != 0;
}

/* The last finite value of each metric that says something about the model, not the machine or the
 * way it was trained. */
static json_t *snapshot_metrics(struct ctx *cx, json_t *metrics) {
    json_t *kept = owned(cx, json_object());
    const char *key;
    json_t *value;
    json_object_foreach(metrics, key, value) {
        if (json_is_number(value) && is_of_the_model(key))
            json_object_set(kept, key, value);
    }
    return kept;
}

static enum err snapshot_take(struct ctx *cx, const struct run *run, struct snapshot *ret) {
    *ret = (struct snapshot){.metrics = snapshot_metrics(cx, run->metrics)};
    TRY(run_artifacts(cx, run->id, &ret->artifacts));
    return snapshot_model(cx, ret);
}

/* Everything the run left but its checkpoints, which only training reads. */
static enum err files_add(struct ctx *cx, const char *version_id, const struct list *artifacts) {
    const struct artifact *items = artifacts->items;
    for (size_t i = 0; i < artifacts->count; i++) {
        if (strncmp(items[i].name, "checkpoint/", 11) == 0)
            continue;
        TRY(db_exec(cx, &SQL_model_file_add,
                    ARGS(cx->who.team_id, version_id, items[i].name, items[i].media_type,
                         items[i].sha256, db_int(cx, items[i].size_bytes)),
                    NULL));
    }
    return OK;
}

struct taken {
    const char *id; /* of the model */
    int64_t version;
};
static const struct field TAKEN_FIELDS[] = {
    FIELD(UUID, struct taken, id),
    FIELD(INT, struct taken, version),
};
static SHAPE(TAKEN_SHAPE, "Taken", struct taken, TAKEN_FIELDS);

static enum err version_take(struct ctx *cx, const struct registration *options,
                             struct taken *ret) {
    const char *team = cx->who.team_id;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    bool found;
    TRY(db_exec(cx, &SQL_model_ensure, ARGS(id, team, options->project_id, options->model), NULL));
    TRY(db_opt(cx, &SQL_model_take_version, ARGS(team, options->project_id, options->model),
               &TAKEN_SHAPE, ret, &found));
    return found ? OK
                 : fail_field(cx, ERR_CONFLICT, "model",
                              "a model with this name already exists in another project");
}

enum err model_register(struct ctx *cx, const struct registration *options,
                        struct model_version *ret) {
    struct run run;
    struct snapshot snapshot;
    struct taken taken;
    TRY(run_get(cx, options->run_id, &run));
    if (run.state != RUN_SUCCEEDED)
        return fail_field(cx, ERR_CONFLICT, "run_id", "run \"%s\" has not succeeded, it is %s",
                          run.name, RUN_STATE_NAMES[run.state]);
    TRY(snapshot_take(cx, &run, &snapshot));
    TRY(version_take(cx, options, &taken));

    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_model_version_create,
                ARGS(id, cx->who.team_id, taken.id, db_int(cx, taken.version), options->description,
                     run.id, cx->who.name, db_json(cx, snapshot.metrics),
                     db_json(cx, snapshot.signature), db_json(cx, snapshot.classes),
                     snapshot.input_kind, db_json(cx, snapshot.input_shape),
                     db_json(cx, run.evaluation)),
                NULL));
    TRY(files_add(cx, id, &snapshot.artifacts));
    const char *name =
        arena_printf(cx->arena, "%s v%lld", options->model, (long long)taken.version);
    TRY(lineage_node(cx, NODE_MODEL_VERSION, id, options->project_id, name));
    TRY(lineage_edge(cx, NODE_RUN, run.id, NODE_MODEL_VERSION, id, "registered_as"));
    return model_version_get(cx, id, ret);
}
