/* model-versions/…: versions by model and number, and their files through the artifact proxy.
 *
 * A version's files are downloaded from where they came from, as long as they are still there
 * unchanged: that is the address MLflow tells, and what its pages compare. Afterwards, and for what
 * has no other address, they stand below mlflow-artifacts:/registry/<the version's id>. */
#include "mlflow/registry.h"

#include "base/cleanup.h"
#include "tracking/artifact_files.h"
#include "tracking/logged_models.h"
#include "tracking/tracking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_DEFAULT 10000
#define SEARCH_MOST 200000
#define TAGS_BODY_MAX ((size_t)4 << 20)
#define VERSIONS_TAG "mlflow.modelVersions"
#define VERSIONS_TAGGED 100 /* newest versions that a logged model's tag names */
#define REGISTRY_ROOT "mlflow-artifacts:/registry/"

/* --- writing --- */

static void write_aliases(struct json_writer *w, json_t *aliases) {
    size_t i;
    json_t *alias;
    if (json_array_size(aliases) == 0)
        return;
    jw_member_begin(w, "aliases", '[');
    json_array_foreach(aliases, i, alias) jw_text(w, json_string_value(alias));
    jw_end(w, ']');
}

void mlflow_write_version(struct ctx *cx, struct json_writer *w, const struct model_version *v) {
    static const char *const STATUSES[] = {"PENDING_REGISTRATION", "READY", "FAILED_REGISTRATION"};
    jw_begin(w, '{');
    jw_member_text(w, "name", v->model_name);
    jw_member_text(w, "version", db_int(cx, v->version));
    jw_member_int(w, "creation_timestamp", mlflow_ms(v->created_at));
    jw_member_int(w, "last_updated_timestamp", mlflow_ms(v->updated_at));
    jw_member_text(w, "current_stage", MLFLOW_STAGES[v->stage]);
    jw_member_text(w, "description", v->description);
    jw_member_text(w, "source", v->source);
    jw_member_text(w, "run_id", v->run_id ? mlflow_run_id(cx, v->run_id) : v->run_ref);
    jw_member_text(w, "status", STATUSES[v->status]);
    if (*v->status_message)
        jw_member_text(w, "status_message", v->status_message);
    mlflow_write_tags(w, v->tags);
    jw_member_text(w, "run_link", v->run_link);
    write_aliases(w, v->aliases);
    if (v->logged_model_id)
        jw_member_text(w, "model_id", mlflow_model_id(cx, v->logged_model_id));
    jw_end(w, '}');
}

void mlflow_write_versions(struct ctx *cx, struct json_writer *w, const char *name,
                           const struct model_version *versions, size_t count) {
    if (count == 0)
        return;
    jw_member_begin(w, name, '[');
    for (size_t i = 0; i < count; i++)
        mlflow_write_version(cx, w, &versions[i]);
    jw_end(w, ']');
}

void mlflow_send_version(struct ctx *cx, struct reply *rp, const struct model_version *version) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "model_version");
    mlflow_write_version(cx, w, version);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

static enum err send_version_of(struct ctx *cx, struct reply *rp, const char *id) {
    struct model_version version;
    TRY(model_version_get(cx, id, &version));
    mlflow_send_version(cx, rp, &version);
    return OK;
}

/* --- finding --- */

/* The number that the text says. */
static enum err version_number(struct ctx *cx, const char *text, int64_t *ret) {
    char *end;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Parameter 'version' must be an integer, got '%.100s'.", text);
    return OK;
}

enum err mlflow_require_version(struct ctx *cx, const struct req *rq, const char *name,
                                const char *text, struct model_version *ret) {
    const char *project, *id;
    int64_t number;
    bool found = false;
    TRY(version_number(cx, text, &number));
    TRY(mlflow_project(cx, rq, &project));
    TRY(model_find_id(cx, project, name, &id));
    if (id && number > 0)
        TRY(model_version_find(cx, id, number, ret, &found));
    return found ? OK
                 : mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                               "Model Version (name=%s, version=%lld) not found",
                               mlflow_cut(cx, name, 256), (long long)number);
}

/* --- creating --- */

struct version_message {
    const char *name, *version, *source, *run_id, *run_link, *description, *model_id;
    const char *stage, *key, *value, *path;
    bool archive_existing_versions;
    struct list tags;
};
static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, source, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, run_id),
    FIELD(LIST, struct version_message, tags, .nested = &MLFLOW_TAG),
    FIELD(STRING, struct version_message, run_link),
    FIELD(STRING, struct version_message, description),
    FIELD(STRING, struct version_message, model_id),
};
static SHAPE(CREATE, "MlflowCreateModelVersion", struct version_message, CREATE_FIELDS);

/* The run and the logged model that the request names, of its own project. What cannot be an id of
 * ours is another server's run, and is kept as it is. */
static enum err named_origin(struct ctx *cx, const struct req *rq, const struct version_message *in,
                             struct model_version_create *options) {
    const char *project, *uuid;
    TRY(mlflow_project(cx, rq, &project));
    if (in->run_id && *in->run_id) {
        uuid = mlflow_run_uuid(cx, in->run_id);
        if (!uuid)
            options->run_ref = mlflow_cut(cx, in->run_id, MLFLOW_FOREIGN_RUN_MAX);
        else if (run_require(cx, project, uuid, &options->run_id) != OK)
            return mlflow_fail_run(cx, in->run_id);
    }
    if (in->model_id && *in->model_id) {
        uuid = mlflow_model_uuid(cx, in->model_id);
        if (!uuid || logged_model_require(cx, project, uuid, &options->logged_model_id) != OK)
            return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                               "Logged model with ID '%.100s' not found.", in->model_id);
    }
    return OK;
}

/* What the registry says of a source, after MLflow's words for a path and for an address. */
static enum err refused_source(struct ctx *cx, enum err err, const char *source) {
    if (err != ERR_INVALID || strcmp(cx->err.field, "source") != 0)
        return err;
    bool is_path = !strstr(source, ":/") || strncasecmp(source, "file:", 5) == 0;
    const char *why = arena_strdup(cx->arena, cx->err.message);
    const char *rule = is_path ? "To use a local path as a model version source is not "
                                 "possible here: log the model to a run first"
                               : "If supplying a source as an http, https, local file path, ftp, "
                                 "objectstore, or mlflow-artifacts uri, an absolute path must be "
                                 "provided without relative path references present";
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "Invalid model version source: '%s'. %s: %s", mlflow_cut(cx, source, 100),
                       rule, why);
}

/* A logged model's tag names the versions made of it, as a JSON text: MLflow's pages read that. */
static enum err tag_logged_model(struct ctx *cx, const struct model_version *version) {
    struct logged_model logged;
    bool found;
    if (!version->logged_model_id)
        return OK;
    TRY(logged_model_find(cx, version->project_id, version->logged_model_id, false, &logged,
                          &found));
    const char *old = json_string_value(json_object_get(logged.tags, VERSIONS_TAG));
    auto_json *versions = found && old ? json_loads(old, 0, NULL) : NULL;
    if (!found)
        return OK;
    if (!json_is_array(versions)) {
        json_decref(versions);
        versions = json_array();
    }
    json_array_append_new(versions, json_pack("{s:s, s:I}", "name", version->model_name, "version",
                                              (json_int_t)version->version));
    while (json_array_size(versions) > VERSIONS_TAGGED)
        json_array_remove(versions, 0);
    auto_free char *text = json_dumps(versions, 0); /* with Python's blanks: some compare it */
    const char *key = VERSIONS_TAG, *value = text;
    return logged_model_put_tags(cx, logged.id, &key, &value, 1);
}

static enum err post_create(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->body;
    struct model_version_create options = {
        .source = in->source, .run_link = in->run_link, .description = in->description};
    struct model_version version;
    TRY(mlflow_registered_model(cx, rq, in->name, &options.model_id));
    TRY(mlflow_registry_tags(cx, &in->tags, &options.tags));
    TRY(named_origin(cx, rq, in, &options));
    TRY(refused_source(cx, model_version_create(cx, &options, &version), in->source));
    TRY(tag_logged_model(cx, &version));
    mlflow_send_version(cx, rp, &version);
    return OK;
}

/* --- one version --- */

static const struct field VERSION_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, version, .flags = FIELD_REQUIRED),
};
static SHAPE(VERSION, "MlflowModelVersion", struct version_message, VERSION_FIELDS);

static enum err get_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->query;
    struct model_version version;
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    mlflow_send_version(cx, rp, &version);
    return OK;
}

static const struct field UPDATE_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, version, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, description),
};
static SHAPE(UPDATE, "MlflowUpdateModelVersion", struct version_message, UPDATE_FIELDS);

static enum err patch_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->body;
    struct model_version version;
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    if (in->description)
        TRY(model_version_describe(cx, version.id, in->description));
    return send_version_of(cx, rp, version.id);
}

static enum err delete_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->body;
    struct model_version version;
    (void)rp;
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    return model_version_delete(cx, version.id);
}

static const struct field STAGE_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, version, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, stage, .flags = FIELD_REQUIRED),
    FIELD(BOOL, struct version_message, archive_existing_versions),
};
static SHAPE(STAGE, "MlflowTransitionStage", struct version_message, STAGE_FIELDS);

static enum err post_stage(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->body;
    struct model_version version;
    enum model_stage stage;
    TRY(mlflow_stage(cx, in->stage, &stage));
    if (in->archive_existing_versions && stage != STAGE_STAGING && stage != STAGE_PRODUCTION)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Model version transition cannot archive existing model versions "
                           "because '%s' is not an Active stage. Valid stages are ['Staging', "
                           "'Production']",
                           in->stage);
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    TRY(model_version_set_stage(cx, version.id, stage, in->archive_existing_versions));
    return send_version_of(cx, rp, version.id);
}

static const struct field SET_TAG_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, version, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, value),
};
static SHAPE(SET_TAG, "MlflowSetModelVersionTag", struct version_message, SET_TAG_FIELDS);

static enum err post_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->body;
    const char *value = in->value ? in->value : "";
    struct model_version version;
    (void)rp;
    TRY(mlflow_check_registry_tag(cx, in->key, value));
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    return model_version_set_tag(cx, version.id, in->key, value);
}

static const struct field DELETE_TAG_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, version, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, key, .flags = FIELD_REQUIRED),
};
static SHAPE(DELETE_TAG, "MlflowDeleteModelVersionTag", struct version_message, DELETE_TAG_FIELDS);

/* One that is not there is gone already. */
static enum err delete_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->body;
    struct model_version version;
    bool found;
    (void)rp;
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    return model_version_delete_tag(cx, version.id, in->key, &found);
}

/* --- search --- */

struct search_message {
    const char *filter, *page_token;
    int64_t max_results;
    struct list order_by;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(STRING, struct search_message, filter),
    FIELD(INT, struct search_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct search_message, order_by),
    FIELD(STRING, struct search_message, page_token),
};
static SHAPE(SEARCH, "MlflowSearchModelVersions", struct search_message, SEARCH_FIELDS);

static enum err get_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct search_message *in = rq->query;
    struct registry_search search = {
        .filter = in->filter, .order_by = in->order_by.items, .order_count = in->order_by.count};
    struct json_writer *w = mlflow_json(cx);
    struct list versions;
    const char *next;
    int64_t results = in->max_results == FIELD_NO_INT ? SEARCH_DEFAULT : in->max_results;
    TRY(mlflow_registry_page(cx, &search, results, SEARCH_MOST, in->page_token));
    TRY(mlflow_project(cx, rq, &search.project_id));
    TRY(model_version_search(cx, &search, &versions, &next));
    jw_begin(w, '{');
    mlflow_write_versions(cx, w, "model_versions", versions.items, versions.count);
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* --- files --- */

/* "" when only the version has its files. */
static enum err origin_uri(struct ctx *cx, const struct model_version *version, const char **ret) {
    struct artifact_owner owner;
    struct artifact_home home;
    const char *dir;
    bool same, found = false;
    *ret = "";
    TRY(model_version_origin(cx, version, &owner, &dir, &same));
    if (same)
        TRY(artifact_home_find(cx, version->project_id, &owner, &home, &found));
    if (!found)
        return OK;
    const char *root = owner.kind == ARTIFACT_OF_RUN
                           ? mlflow_run_uri(cx, home.location, home.experiment_number, owner.id)
                           : mlflow_model_uri(cx, home.location, home.experiment_number, owner.id);
    *ret = *dir ? arena_printf(cx->arena, "%s/%s", root, dir) : root;
    return OK;
}

static enum err get_download_uri(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->query;
    struct json_writer *w = mlflow_json(cx);
    struct model_version version;
    const char *uri;
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    TRY(origin_uri(cx, &version, &uri));
    if (!*uri)
        uri = version.location;
    if (!*uri && version.file_count > 0)
        uri = arena_printf(cx->arena, REGISTRY_ROOT "%s", mlflow_run_id(cx, version.id));
    jw_begin(w, '{');
    jw_member_text(w, "artifact_uri", *uri ? uri : version.source);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err no_such_file(struct ctx *cx) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "No such artifact");
}

static enum err send_file(struct ctx *cx, struct reply *rp, const char *version_id,
                          const char *path) {
    struct model_file file;
    if (artifact_check_name(cx, path) != OK)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Invalid path");
    enum err err = model_file_get(cx, version_id, path, &file);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_such_file(cx) : err;
    return model_file_reply(cx, rp, &file);
}

static const struct field FILE_FIELDS[] = {
    FIELD(STRING, struct version_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, version, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_message, path, .flags = FIELD_REQUIRED),
};
static SHAPE(FILE_OF, "MlflowModelVersionFile", struct version_message, FILE_FIELDS);

static enum err get_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_message *in = rq->query;
    struct model_version version;
    if (artifact_check_name(cx, in->path) != OK)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Invalid path");
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    return send_file(cx, rp, version.id, in->path);
}

/* The version that a path below REGISTRY_ROOT begins with, if it is of the request's project. */
static enum err version_of_root(struct ctx *cx, const struct req *rq, const char *hex,
                                struct model_version *ret, bool *ret_found) {
    const char *project, *id = mlflow_run_uuid(cx, hex);
    *ret_found = false;
    if (!id)
        return OK;
    TRY(mlflow_project(cx, rq, &project));
    enum err err = model_version_get(cx, id, ret);
    *ret_found = err == OK && strcmp(ret->project_id, project) == 0;
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err get_root_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_version version;
    bool found;
    TRY(version_of_root(cx, rq, req_param(rq, "version"), &version, &found));
    return found ? send_file(cx, rp, version.id, req_param(rq, "path")) : no_such_file(cx);
}

/* The files of a level stand together, and so do those of each directory in it: they come by name.
 * A directory is written when its first file is met. */
static void write_level(struct ctx *cx, struct json_writer *w, const struct list *files,
                        size_t prefix) {
    const struct model_file *items = files->items;
    const char *last = "";
    for (size_t i = 0; i < files->count; i++) {
        const char *rest = items[i].name + prefix;
        size_t length = strcspn(rest, "/");
        bool is_dir = rest[length] == '/';
        const char *entry = arena_strndup(cx->arena, rest, length);
        if (is_dir && strcmp(entry, last) == 0)
            continue;
        last = is_dir ? entry : "";
        jw_begin(w, '{');
        jw_member_text(w, "path", entry);
        jw_name(w, "is_dir");
        jw_bool(w, is_dir);
        if (!is_dir)
            jw_member_int(w, "file_size", items[i].size_bytes);
        jw_end(w, '}');
    }
}

enum err mlflow_list_version(struct ctx *cx, const struct req *rq, const char *path,
                             struct reply *rp) {
    size_t length = strcspn(path, "/");
    const char *dir = path[length] ? path + length + 1 : "";
    struct json_writer *w = mlflow_json(cx);
    struct model_version version;
    struct list files = {NULL, 0};
    bool found;
    TRY(version_of_root(cx, rq, arena_strndup(cx->arena, path, length), &version, &found));
    if (found)
        TRY(model_files(cx, version.id, dir, &files));
    jw_begin(w, '{');
    if (files.count) {
        jw_member_begin(w, "files", '[');
        write_level(cx, w, &files, *dir ? strlen(dir) + 1 : 0);
        jw_end(w, ']');
    }
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

#define VERSIONS "/api/2.0/mlflow/model-versions/"

const struct route MLFLOW_VERSION_ROUTES[] = {
    {POST, VERSIONS "create", SCOPE_MODEL_WRITE, .body = &CREATE, .handle = post_create,
     .flags = ROUTE_MLFLOW, .max_body = TAGS_BODY_MAX, .audit = "model_version.create",
     .doc = "Create a model version from a source."},
    {GET, VERSIONS "get", SCOPE_MODEL_READ, .query = &VERSION, .handle = get_version,
     .flags = ROUTE_MLFLOW, .doc = "Get a model version by name and number."},
    {PATCH, VERSIONS "update", SCOPE_MODEL_WRITE, .body = &UPDATE, .handle = patch_version,
     .flags = ROUTE_MLFLOW, .audit = "model_version.update", .doc = "Describe a model version."},
    {DELETE, VERSIONS "delete", SCOPE_MODEL_WRITE, .body = &VERSION, .handle = delete_version,
     .flags = ROUTE_MLFLOW, .audit = "model_version.delete", .doc = "Delete a version by number."},
    {GET, VERSIONS "search", SCOPE_MODEL_READ, .query = &SEARCH, .handle = get_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search model versions."},
    {GET, VERSIONS "get-download-uri", SCOPE_MODEL_READ, .query = &VERSION,
     .handle = get_download_uri, .flags = ROUTE_MLFLOW, .doc = "Where a version's files are."},
    {POST, VERSIONS "transition-stage", SCOPE_MODEL_WRITE, .body = &STAGE, .handle = post_stage,
     .flags = ROUTE_MLFLOW, .doc = "Change a version's stage."},
    {POST, VERSIONS "set-tag", SCOPE_MODEL_WRITE, .body = &SET_TAG, .handle = post_tag,
     .flags = ROUTE_MLFLOW, .audit = "model_version.tag", .doc = "Set a tag of a version."},
    {DELETE, VERSIONS "delete-tag", SCOPE_MODEL_WRITE, .body = &DELETE_TAG, .handle = delete_tag,
     .flags = ROUTE_MLFLOW, .audit = "model_version.untag", .doc = "Delete a tag of a version."},
    {GET, "/model-versions/get-artifact", SCOPE_MODEL_READ, .query = &FILE_OF, .handle = get_file,
     .flags = ROUTE_MLFLOW, .rate = RATE_DOWNLOAD, .doc = "Download a version's file by number."},
    {GET, "/api/2.0/mlflow-artifacts/artifacts/registry/{version}/{path*}", SCOPE_MODEL_READ,
     .handle = get_root_file, .flags = ROUTE_MLFLOW, .rate = RATE_DOWNLOAD,
     .doc = "Download a version's file through the artifact proxy."},
};
const size_t MLFLOW_VERSION_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_VERSION_ROUTES);
