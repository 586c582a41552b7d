/* register.c: making versions.
 *
 * A version takes over rows, not bytes: the names and hashes of the files its source has at that
 * moment. Where model.json and model.safetensors are among them, the signature and the class names
 * are read from the former, a small file that a runner wrote, through the same guarded JSON reader
 * as requests; then Slipway can serve the version. */
#include "registry/internal.h"

#include "artifacts/artifacts.h"
#include "base/ident.h"
#include "base/jsontext.h"
#include "http/feed.h"
#include "lineage/lineage.h"
#include "sql/registry.h"
#include "tracking/logged_models.h"
#include "tracking/tracking.h"

#include <string.h>

#define MODEL_JSON_MAX (4 << 20) /* bytes */

/* What a version is made of, gathered before its number is taken. */
struct snapshot {
    struct list files; /* of struct model_file */
    const char *run_id, *logged_model_id;
    const char *run_ref, *location; /* or NULL */
    json_t *metrics, *evaluation;
    json_t *signature, *classes, *input_shape; /* NULL unless it can be served */
    const char *input_kind;
};

/* ---- files */

/* The name within the directory; of a file named by itself its last part. */
static const char *name_within(const char *name, const char *dir) {
    size_t length = strlen(dir);
    if (length == 0)
        return name;
    if (name[length] == '/')
        return name + length + 1;
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* Everything a run left but its checkpoints, which only training reads. */
static enum err files_of_artifacts(struct ctx *cx, const struct source *source, struct list *ret) {
    struct list artifacts;
    TRY(artifact_list_tree(cx, &source->owner, source->dir, &artifacts));
    const struct artifact *items = artifacts.items;
    struct model_file *files = arena_new_array(cx->arena, struct model_file, artifacts.count + 1);
    *ret = (struct list){files, 0};
    for (size_t i = 0; i < artifacts.count; i++) {
        if (*source->dir == '\0' && strncmp(items[i].name, "checkpoint/", 11) == 0)
            continue;
        files[ret->count++] =
            (struct model_file){name_within(items[i].name, source->dir), items[i].sha256,
                                items[i].media_type, items[i].size_bytes};
    }
    return OK;
}

static enum err files_of_version(struct ctx *cx, const struct source *source, struct list *ret) {
    TRY(model_files(cx, source->version_id, source->dir, ret));
    struct model_file *files = ret->items;
    for (size_t i = 0; i < ret->count; i++)
        files[i].name = name_within(files[i].name, source->dir);
    return OK;
}

static const struct model_file *file_find(const struct list *files, const char *name) {
    const struct model_file *items = files->items;
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(items[i].name, name) == 0)
            return &items[i];
    return NULL;
}

static enum err files_add(struct ctx *cx, const char *version_id, const struct list *files) {
    const struct model_file *items = files->items;
    const char **names = arena_new_array(cx->arena, const char *, files->count * 3 + 1);
    const char **types = names + files->count, **hashes = types + files->count;
    int64_t *sizes = arena_new_array(cx->arena, int64_t, files->count + 1);
    for (size_t i = 0; i < files->count; i++) {
        names[i] = items[i].name;
        types[i] = items[i].media_type;
        hashes[i] = items[i].sha256;
        sizes[i] = items[i].size_bytes;
    }
    return db_exec(cx, &SQL_model_files_add,
                   ARGS(cx->who.team_id, version_id, db_text_array(cx, names, files->count),
                        db_text_array(cx, types, files->count),
                        db_text_array(cx, hashes, files->count),
                        db_int_array(cx, sizes, files->count)),
                   NULL);
}

static bool same_files(const struct list *a, const struct list *b) {
    const struct model_file *left = a->items, *right = b->items;
    for (size_t i = 0; i < a->count && a->count == b->count; i++)
        if (strcmp(left[i].name, right[i].name) != 0 ||
            strcmp(left[i].sha256, right[i].sha256) != 0)
            return false;
    return a->count == b->count;
}

/* A source that is gone, or never was one, is no failure here. */
enum err model_version_origin(struct ctx *cx, const struct model_version *version,
                              struct artifact_owner *ret, const char **ret_dir, bool *ret_same) {
    struct model model;
    struct source source;
    struct list then, now;
    *ret_same = false;
    TRY(model_get(cx, version->model_id, &model));
    enum err err = source_resolve(cx, &model, version->source, &source);
    if (err != OK || source.version_id || source.location)
        return err == ERR_INVALID || err == ERR_NOT_FOUND ? OK : err;
    TRY(model_files(cx, version->id, NULL, &then));
    TRY(files_of_artifacts(cx, &source, &now));
    *ret = source.owner;
    *ret_dir = source.dir;
    *ret_same = same_files(&then, &now);
    return OK;
}

/* ---- what can be served */

static json_t *owned(struct ctx *cx, json_t *json) {
    arena_defer(cx->arena, (void (*)(void *))json_decref, json);
    return json;
}

/* An image model has one input [-1, C, H, W]; a table's has an input a column. */
static enum err snapshot_input(struct ctx *cx, json_t *signature, struct snapshot *ret) {
    json_t *inputs = json_object_get(signature, "inputs");
    json_t *outputs = json_object_get(signature, "outputs");
    if (json_array_size(inputs) == 0 || json_array_size(outputs) == 0)
        return fail_field(cx, ERR_CONFLICT, "run_id", "the run's model.json has no signature");
    json_t *shape = json_object_get(json_array_get(inputs, 0), "shape");
    bool image = json_array_size(inputs) == 1 && json_array_size(shape) == 4;
    ret->signature = signature;
    ret->input_kind = image ? "image" : "table";
    ret->input_shape = owned(cx, json_array());
    for (size_t i = 1; image && i < 4; i++)
        json_array_append(ret->input_shape, json_array_get(shape, i));
    if (!image)
        json_array_append_new(ret->input_shape, json_integer((json_int_t)json_array_size(inputs)));
    return OK;
}

static enum err snapshot_model(struct ctx *cx, struct snapshot *ret) {
    const struct model_file *file = file_find(&ret->files, "model.json");
    if (!file || !file_find(&ret->files, "model.safetensors"))
        return fail_field(cx, ERR_CONFLICT, "run_id",
                          "the run has no model: model.json or model.safetensors is missing");
    const char *text;
    size_t size;
    json_t *model;
    if (file->size_bytes > MODEL_JSON_MAX)
        return fail_field(cx, ERR_CONFLICT, "run_id", "the run's model.json is too large");
    TRY(blob_read(cx, file->sha256, MODEL_JSON_MAX, &text, &size));
    if (json_parse(text, size, MODEL_JSON_MAX, &model, &cx->err) != OK)
        return fail_field(cx, ERR_CONFLICT, "run_id", "the run's model.json is damaged");
    owned(cx, model);
    TRY(snapshot_input(cx, json_object_get(model, "signature"), ret));
    json_t *classes = json_object_get(model, "classes");
    ret->classes = json_is_array(classes) ? classes : NULL;
    return OK;
}

/* For sources that may well be something else: a client's model.json is nobody's fault. */
static enum err snapshot_model_if_any(struct ctx *cx, struct snapshot *ret) {
    enum err err = snapshot_model(cx, ret);
    return err == ERR_CONFLICT ? OK : err;
}

/* ---- where it came from */

static bool is_of_the_model(const char *key) {
    return strncmp(key, "system/", 7) != 0 && strcmp(key, "lr") != 0 &&
           strcmp(key, "samples_per_s") != 0;
}

/* The last finite value of each metric that says something about the model, not the machine or the
 * way it was trained. */
static void snapshot_run(const struct run *run, struct snapshot *ret) {
    const char *key;
    json_t *value;
    ret->run_id = run->id;
    ret->evaluation = run->evaluation;
    json_object_foreach(run->metrics, key, value) {
        if (json_is_number(value) && is_of_the_model(key))
            json_object_set(ret->metrics, key, value);
    }
}

/* A version of a version is of the same run and model, and as good. */
static enum err origin_of_version(struct ctx *cx, const struct source *source,
                                  struct snapshot *ret) {
    struct model_version version;
    TRY(model_version_get(cx, source->version_id, &version));
    ret->run_id = version.run_id;
    ret->run_ref = version.run_ref;
    ret->location = version.location;
    ret->logged_model_id = version.logged_model_id;
    ret->metrics = version.metrics;
    ret->evaluation = version.evaluation;
    return OK;
}

static enum err origin_of_logged_model(struct ctx *cx, const struct source *source,
                                       struct snapshot *ret) {
    struct logged_model logged;
    bool found;
    TRY(logged_model_find(cx, NULL, source->owner.id, false, &logged, &found));
    ret->logged_model_id = source->owner.id;
    ret->run_id = found ? logged.source_run_id : NULL;
    return OK;
}

/* The source's own origin, unless the request names another. */
static enum err snapshot_origin(struct ctx *cx, const struct source *source,
                                const struct model_version_create *options, struct snapshot *ret) {
    struct run run;
    if (source->version_id)
        TRY(origin_of_version(cx, source, ret));
    else if (source->owner.kind == ARTIFACT_OF_LOGGED_MODEL)
        TRY(origin_of_logged_model(cx, source, ret));
    else if (!source->location)
        ret->run_id = source->owner.id;
    if (options->logged_model_id)
        ret->logged_model_id = options->logged_model_id;
    if (options->run_id || options->run_ref) {
        ret->run_id = options->run_id;
        ret->run_ref = options->run_ref;
    }
    if (!ret->run_id || (source->version_id && !options->run_id))
        return OK;
    TRY(run_get(cx, ret->run_id, &run));
    snapshot_run(&run, ret);
    return OK;
}

static enum err snapshot_take(struct ctx *cx, const struct source *source,
                              const struct model_version_create *options, struct snapshot *ret) {
    *ret = (struct snapshot){.location = source->location, .metrics = owned(cx, json_object())};
    if (source->version_id)
        TRY(files_of_version(cx, source, &ret->files));
    else if (!source->location)
        TRY(files_of_artifacts(cx, source, &ret->files));
    return snapshot_origin(cx, source, options, ret);
}

/* ---- versions */

static enum err version_insert(struct ctx *cx, const char *id, const struct model *model,
                               const struct model_version_create *options,
                               const struct snapshot *snapshot) {
    const char *version, *team = cx->who.team_id;
    TRY(db_value(cx, &SQL_model_take_version, ARGS(team, model->id), &version));
    TRY(db_exec(cx, &SQL_model_version_create,
                ARGS(id, team, model->id, version, options->description, options->source,
                     snapshot->run_id, options->run_link, snapshot->logged_model_id, cx->who.name,
                     db_json(cx, snapshot->metrics), db_json(cx, snapshot->signature),
                     db_json(cx, snapshot->classes), snapshot->input_kind,
                     db_json(cx, snapshot->input_shape), db_json(cx, snapshot->evaluation),
                     snapshot->run_ref, snapshot->location),
                NULL));
    return lineage_node(cx, NODE_MODEL_VERSION, id, model->project_id,
                        arena_printf(cx->arena, "%s v%s", model->name, version));
}

/* The model's row is locked from the number to the commit, so everything that takes long has been
 * done before. */
static enum err version_add(struct ctx *cx, const struct model *model,
                            const struct model_version_create *options,
                            const struct snapshot *snapshot, struct model_version *ret) {
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(version_insert(cx, id, model, options, snapshot));
    TRY(files_add(cx, id, &snapshot->files));
    TRY(model_version_add_tags(cx, id, options->tags));
    if (snapshot->run_id)
        TRY(lineage_edge(cx, NODE_RUN, snapshot->run_id, NODE_MODEL_VERSION, id, "registered_as"));
    if (snapshot->logged_model_id)
        TRY(lineage_edge(cx, NODE_ARTIFACT, snapshot->logged_model_id, NODE_MODEL_VERSION, id,
                         "registered_as"));
    TRY(feed_post(cx, "model", model->id, "state"));
    TRY(model_version_get(cx, id, ret));
    return event_version_created(cx, model, options, snapshot->run_id, ret->version);
}

/* A version of a prompt is its text, in a tag; its source is a word that stands for no files. */
static bool is_prompt(const struct model_version_create *options) {
    size_t word = strspn(options->source, "abcdefghijklmnopqrstuvwxyz-");
    return tags_are_of_prompt(options->tags) && word > 0 && options->source[word] == '\0';
}

enum err model_version_create(struct ctx *cx, const struct model_version_create *options,
                              struct model_version *ret) {
    struct model_version_create checked = *options;
    struct model model;
    struct source source;
    struct snapshot snapshot;
    TRY(model_get(cx, options->model_id, &model));
    if (options->run_id)
        TRY(run_require(cx, model.project_id, options->run_id, &checked.run_id));
    if (options->logged_model_id)
        TRY(logged_model_require(cx, model.project_id, options->logged_model_id,
                                 &checked.logged_model_id));
    if (is_prompt(options)) {
        snapshot = (struct snapshot){.run_id = checked.run_id,
                                     .run_ref = checked.run_ref,
                                     .metrics = owned(cx, json_object())};
        return version_add(cx, &model, &checked, &snapshot, ret);
    }
    TRY(source_resolve(cx, &model, options->source, &source));
    TRY(snapshot_take(cx, &source, &checked, &snapshot));
    TRY(snapshot_model_if_any(cx, &snapshot));
    return version_add(cx, &model, &checked, &snapshot, ret);
}

enum err model_ensure(struct ctx *cx, const char *project_id, const char *name, struct model *ret) {
    char id[UUID_TEXT_SIZE];
    bool found;
    int64_t made;
    uuid_new(id);
    TRY(db_exec(cx, &SQL_model_ensure, ARGS(id, cx->who.team_id, project_id, name), &made));
    if (made)
        TRY(event_model_created(cx,
                                &(struct model_create){.project_id = project_id, .name = name}));
    TRY(model_find(cx, project_id, name, ret, &found));
    return found ? OK
                 : fail_field(cx, ERR_CONFLICT, "model",
                              "a model with this name already exists in another project");
}

static enum err run_require_model(struct ctx *cx, const struct run *run,
                                  struct snapshot *snapshot) {
    if (run->state != RUN_SUCCEEDED)
        return fail_field(cx, ERR_CONFLICT, "run_id", "run \"%s\" has not succeeded, it is %s",
                          run->name, RUN_STATE_NAMES[run->state]);
    return snapshot_model(cx, snapshot);
}

enum err model_register(struct ctx *cx, const struct registration *options,
                        struct model_version *ret) {
    struct source source = {.owner.kind = ARTIFACT_OF_RUN, .dir = ""};
    struct snapshot snapshot;
    struct model model;
    struct run run;
    char hex[33];
    TRY(run_find(cx, options->project_id, options->run_id, &run));
    source.owner.id = run.id;
    uuid_to_hex(run.id, hex);
    struct model_version_create version = {.source = arena_printf(cx->arena, "runs:/%s/", hex),
                                           .run_link = options->run_link,
                                           .description = options->description,
                                           .tags = options->tags};
    TRY(snapshot_take(cx, &source, &version, &snapshot));
    TRY(run_require_model(cx, &run, &snapshot));
    TRY(model_ensure(cx, options->project_id, options->model, &model));
    return version_add(cx, &model, &version, &snapshot, ret);
}
