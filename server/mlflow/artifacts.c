/* Artifacts on MLflow's wire: lists, files of runs, models and versions, and the proxy behind
 * mlflow-artifacts:/.
 *
 * A path of the proxy is where MLflow would keep the file: "<experiment>/<run>/artifacts/<path>" or
 * "<experiment>/models/<model>/artifacts/<path>", the experiment being its number or the location
 * it was made with. It is taken apart here and becomes an owner and a name; nothing of it is a path
 * of ours. What belongs to nobody of the project does not exist, in the words of a file that is
 * missing. */
#include "mlflow/proxy.h"
#include "mlflow/registry.h"

#include <stdlib.h>
#include <string.h>

#define SCHEME "mlflow-artifacts:"
#define VERSIONS_DIR "registry/"          /* versions of models; versions.c */
#define LEVEL_ENTRIES 1000                /* of one statement */
#define LEVEL_ENTRIES_MAX 250000          /* of one reply, which has no pages */
#define SMALL_FILE_MAX ((size_t)10 << 20) /* of upload-artifact */

static enum err no_such_artifact(struct ctx *cx) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "No such artifact");
}

enum err proxy_check_path(struct ctx *cx, const char *path) {
    if (artifact_check_name(cx, path) == OK)
        return OK;
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Invalid path");
}

/* --- paths of the proxy --- */

/* A path taken apart; uuid NULL when it is none of an owner. */
struct parsed {
    const char *root; /* what stands before the run, or before "models" */
    enum artifact_owner_kind kind;
    const char *uuid, *path;
};

static bool is_artifacts(const char *segment, size_t length) {
    return length == 9 && strncmp(segment, "artifacts", 9) == 0;
}

/* Looks at each segment as if it were the owner's id. */
static void parse_place(struct ctx *cx, const char *path, struct parsed *ret) {
    const char *before = path; /* the segment before this one */
    *ret = (struct parsed){0};
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        const char *id = at + 1, *end = id + strcspn(id, "/");
        bool of_model = strncmp(before, "models/", 7) == 0 && before > path;
        const char *text = arena_strndup(cx->arena, id, (size_t)(end - id));
        const char *uuid = of_model ? mlflow_model_uuid(cx, text) : mlflow_run_uuid(cx, text);
        size_t length = *end ? strcspn(end + 1, "/") : 0;
        if (uuid && *end && is_artifacts(end + 1, length)) {
            const char *rest = end + 1 + length;
            size_t root = (size_t)((of_model ? before : id) - path) - 1;
            *ret = (struct parsed){.root = arena_strndup(cx->arena, path, root),
                                   .kind = of_model ? ARTIFACT_OF_LOGGED_MODEL : ARTIFACT_OF_RUN,
                                   .uuid = uuid,
                                   .path = *rest ? rest + 1 : ""};
            return;
        }
        before = id;
    }
}

/* "mlflow-artifacts:/a/b" and "a/b" mean one place. */
static const char *plain_root(const char *uri) {
    const char *path = strncmp(uri, SCHEME, strlen(SCHEME)) == 0 ? uri + strlen(SCHEME) : uri;
    return path + strspn(path, "/");
}

static enum err find_place(struct ctx *cx, const struct req *rq, const char *path,
                           struct proxy_place *ret, bool *ret_found) {
    struct parsed parsed;
    struct artifact_home home;
    const char *project;
    *ret_found = false;
    parse_place(cx, path, &parsed);
    if (!parsed.uuid)
        return OK;
    TRY(mlflow_project(cx, rq, &project));
    TRY(artifact_home_find(cx, project, &(struct artifact_owner){parsed.kind, parsed.uuid}, &home,
                           ret_found));
    if (!*ret_found)
        return OK;
    const char *uri = mlflow_experiment_uri(cx, home.location, home.experiment_number);
    *ret_found = strcmp(plain_root(uri), parsed.root) == 0;
    *ret = (struct proxy_place){{parsed.kind, parsed.uuid}, parsed.path};
    return OK;
}

enum err proxy_require(struct ctx *cx, const struct req *rq, const char *path,
                       struct proxy_place *ret) {
    bool found;
    TRY(proxy_check_path(cx, path));
    TRY(find_place(cx, rq, path, ret, &found));
    return found ? OK : no_such_artifact(cx);
}

/* --- lists --- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(const struct artifact *const *)a)->name,
                  (*(const struct artifact *const *)b)->name);
}

/* A whole level, in pieces that each end their statement. */
static enum err read_level(struct ctx *cx, const struct artifact_owner *owner, const char *dir,
                           struct list *ret) {
    struct artifact_level level = {.dir = dir, .limit = LEVEL_ENTRIES};
    size_t count = 0, cap = 0;
    const struct artifact **all = NULL;
    struct list piece;
    do {
        TRY(artifact_list_level(cx, owner, &level, &piece));
        const struct artifact *items = piece.items;
        if (count + piece.count > cap) {
            cap = 2 * (count + piece.count);
            const struct artifact **grown =
                arena_new_array(cx->arena, const struct artifact *, cap);
            if (count)
                memcpy(grown, all, count * sizeof(*grown));
            all = grown;
        }
        for (size_t i = 0; i < piece.count; i++)
            all[count++] = &items[i];
        if (piece.count) {
            level.after = all[count - 1]->name;
            level.after_is_dir = all[count - 1]->is_dir;
        }
        if (count > LEVEL_ENTRIES_MAX)
            return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                               "the directory has more than %d entries: read it in pages, from "
                               "/api/v1/runs/{run}/artifacts?path=",
                               LEVEL_ENTRIES_MAX);
    } while (piece.count == LEVEL_ENTRIES);
    if (count)
        qsort(all, count, sizeof(*all), by_name);
    *ret = (struct list){all, count};
    return OK;
}

/* "files", or nothing when there are none. whole: names from the owner on, else their last word. */
static void write_files(struct json_writer *w, const struct list *level, bool whole) {
    const struct artifact *const *files = level->items;
    if (level->count == 0)
        return;
    jw_member_begin(w, "files", '[');
    for (size_t i = 0; i < level->count; i++) {
        jw_begin(w, '{');
        jw_member_text(w, "path", whole ? files[i]->name : base_name(files[i]->name));
        jw_name(w, "is_dir");
        jw_bool(w, files[i]->is_dir);
        if (!files[i]->is_dir)
            jw_member_int(w, "file_size", files[i]->size_bytes);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* Clients end a directory with a slash, or do not. */
static enum err directory_of(struct ctx *cx, const char *path, const char **ret) {
    size_t length = path ? strlen(path) : 0;
    if (length > 1 && path[length - 1] == '/')
        length--;
    *ret = length ? arena_strndup(cx->arena, path, length) : "";
    return length ? proxy_check_path(cx, *ret) : OK;
}

static void send_list(struct ctx *cx, struct reply *rp, const char *root_uri,
                      const struct list *level) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    if (root_uri)
        jw_member_text(w, "root_uri", root_uri);
    write_files(w, level, root_uri != NULL);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

struct path_query {
    const char *path;
};
static const struct field PATH_QUERY_FIELDS[] = {FIELD(STRING, struct path_query, path)};
static SHAPE(PATH_QUERY, "MlflowPathQuery", struct path_query, PATH_QUERY_FIELDS);

static enum err get_proxy_list(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct path_query *query = rq->query;
    struct list level = {0};
    struct proxy_place place;
    const char *dir;
    bool found = false;
    TRY(directory_of(cx, query->path, &dir));
    if (strncmp(dir, VERSIONS_DIR, strlen(VERSIONS_DIR)) == 0)
        return mlflow_list_version(cx, rq, dir + strlen(VERSIONS_DIR), rp);
    TRY(find_place(cx, rq, dir, &place, &found));
    if (found)
        TRY(read_level(cx, &place.owner, place.path, &level));
    send_list(cx, rp, NULL, &level);
    return OK;
}

struct run_path {
    const char *run_id, *path;
};
static const struct field LIST_QUERY_FIELDS[] = {
    FIELD(STRING, struct run_path, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct run_path, path),
};
static SHAPE(LIST_QUERY, "MlflowListQuery", struct run_path, LIST_QUERY_FIELDS);
static const struct field RUN_PATH_FIELDS[] = {
    FIELD(STRING, struct run_path, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct run_path, path, .flags = FIELD_REQUIRED),
};
static SHAPE(RUN_PATH, "MlflowRunPath", struct run_path, RUN_PATH_FIELDS);
static const struct field UPLOAD_FIELDS[] = {
    FIELD(STRING, struct run_path, run_id),
    FIELD(STRING, struct run_path, path),
};
static SHAPE(UPLOAD, "MlflowUploadArtifact", struct run_path, UPLOAD_FIELDS);

/* The run of the request's project, and where its files are said to be. */
static enum err require_run(struct ctx *cx, const struct req *rq, const char *run_id,
                            struct artifact_owner *ret, const char **ret_uri) {
    const char *project, *uuid = mlflow_run_uuid(cx, run_id);
    struct artifact_home home;
    bool found = false;
    *ret = (struct artifact_owner){ARTIFACT_OF_RUN, uuid};
    TRY(mlflow_project(cx, rq, &project));
    if (uuid)
        TRY(artifact_home_find(cx, project, ret, &home, &found));
    if (!found)
        return mlflow_fail_run(cx, run_id);
    *ret_uri = mlflow_run_uri(cx, home.location, home.experiment_number, uuid);
    return OK;
}

/* The same of the logged model of the path. */
static enum err require_model(struct ctx *cx, const struct req *rq, struct artifact_owner *ret,
                              const char **ret_uri) {
    const char *project, *model_id = req_param(rq, "model");
    const char *uuid = mlflow_model_uuid(cx, model_id);
    struct artifact_home home;
    bool found = false;
    *ret = (struct artifact_owner){ARTIFACT_OF_LOGGED_MODEL, uuid};
    TRY(mlflow_project(cx, rq, &project));
    if (uuid)
        TRY(artifact_home_find(cx, project, ret, &home, &found));
    if (!found)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "Logged model with ID '%.100s' not found.", model_id);
    *ret_uri = mlflow_model_uri(cx, home.location, home.experiment_number, uuid);
    return OK;
}

static enum err send_level(struct ctx *cx, struct reply *rp, const struct artifact_owner *owner,
                           const char *uri, const char *path) {
    struct list level;
    const char *dir;
    TRY(directory_of(cx, path, &dir));
    TRY(read_level(cx, owner, dir, &level));
    send_list(cx, rp, uri, &level);
    return OK;
}

static enum err get_list(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_path *query = rq->query;
    struct artifact_owner owner;
    const char *uri;
    TRY(require_run(cx, rq, query->run_id, &owner, &uri));
    return send_level(cx, rp, &owner, uri, query->path);
}

struct model_path {
    const char *directory, *file;
};
static const struct field MODEL_LIST_FIELDS[] = {
    {.name = "artifact_directory_path",
     .type = FIELD_TYPE_STRING,
     .offset = offsetof(struct model_path, directory)},
};
static SHAPE(MODEL_LIST, "MlflowModelList", struct model_path, MODEL_LIST_FIELDS);
static const struct field MODEL_FILE_FIELDS[] = {
    {.name = "artifact_file_path",
     .type = FIELD_TYPE_STRING,
     .offset = offsetof(struct model_path, file),
     .flags = FIELD_REQUIRED},
};
static SHAPE(MODEL_FILE, "MlflowModelFile", struct model_path, MODEL_FILE_FIELDS);

static enum err get_model_list(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_path *query = rq->query;
    struct artifact_owner owner;
    const char *uri;
    TRY(require_model(cx, rq, &owner, &uri));
    return send_level(cx, rp, &owner, uri, query->directory);
}

/* --- files --- */

/* MLflow shows every text as plain text; so do we, and lose nothing by it. */
static const char *wire_type(const char *name) {
    static const char *const TEXTS[] = {"json", "csv", "tsv", "md", "xml", "jsonl", "geojson"};
    const char *type = artifact_media_type(name);
    const char *dot = strrchr(base_name(name), '.');
    for (size_t i = 0; dot && i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        if (strcmp(dot + 1, TEXTS[i]) == 0)
            return "text/plain";
    return type;
}

static enum err send_file(struct ctx *cx, struct reply *rp, const struct artifact_owner *owner,
                          const char *path) {
    struct artifact file;
    bool found;
    TRY(proxy_check_path(cx, path));
    TRY(artifact_find(cx, owner, path, &file, &found));
    if (!found)
        return no_such_artifact(cx);
    return artifact_reply(cx, rp, &file, wire_type(path), false);
}

static enum err get_proxy_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct proxy_place place;
    TRY(proxy_require(cx, rq, req_param(rq, "path"), &place));
    if (!*place.path)
        return no_such_artifact(cx);
    return send_file(cx, rp, &place.owner, place.path);
}

static enum err get_run_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_path *query = rq->query;
    struct artifact_owner owner;
    const char *uri;
    TRY(require_run(cx, rq, query->run_id, &owner, &uri));
    return send_file(cx, rp, &owner, query->path);
}

static enum err get_model_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_path *query = rq->query;
    struct artifact_owner owner;
    const char *uri;
    TRY(require_model(cx, rq, &owner, &uri));
    return send_file(cx, rp, &owner, query->file);
}

static enum err put_proxy_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct proxy_place place;
    (void)rp;
    TRY(proxy_require(cx, rq, req_param(rq, "path"), &place));
    TRY(proxy_check_path(cx, place.path));
    return artifact_receive(cx, rq, &place.owner, place.path);
}

static enum err delete_proxy_files(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct proxy_place place;
    int64_t count;
    (void)rp;
    TRY(proxy_require(cx, rq, req_param(rq, "path"), &place));
    TRY(artifact_delete(cx, &place.owner, place.path, &count));
    return count || !*place.path ? OK : no_such_artifact(cx);
}

static enum err check_upload(struct ctx *cx, const struct req *rq) {
    const struct run_path *query = rq->query;
    const char *lacks = !query->run_id || !*query->run_id ? "run_uuid"
                        : !query->path || !*query->path   ? "path"
                                                          : NULL;
    if (!lacks)
        TRY(proxy_check_path(cx, query->path));
    if (!lacks && rq->content_length == 0)
        lacks = "data";
    return lacks
               ? mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Request must specify %s.", lacks)
               : OK;
}

static enum err post_upload(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_path *query = rq->query;
    struct artifact_owner owner;
    const char *uri;
    (void)rp;
    TRY(check_upload(cx, rq));
    TRY(require_run(cx, rq, query->run_id, &owner, &uri));
    return artifact_receive(cx, rq, &owner, query->path);
}

const struct route MLFLOW_ARTIFACT_ROUTES[] = {
    {GET, "/api/2.0/mlflow/artifacts/list", SCOPE_RUN_READ, .query = &LIST_QUERY,
     .handle = get_list, .flags = ROUTE_MLFLOW, .doc = "List a run's files."},
    {GET, "/get-artifact", SCOPE_RUN_READ, .query = &RUN_PATH, .handle = get_run_file,
     .flags = ROUTE_MLFLOW, .rate = RATE_DOWNLOAD, .doc = "Download a run's file."},
    {GET, "/api/2.0/mlflow/logged-models/{model}/artifacts/directories", SCOPE_RUN_READ,
     .query = &MODEL_LIST, .handle = get_model_list, .flags = ROUTE_MLFLOW,
     .doc = "List a logged model's files."},
    {GET, "/api/2.0/mlflow/logged-models/{model}/artifacts/files", SCOPE_RUN_READ,
     .query = &MODEL_FILE, .handle = get_model_file, .flags = ROUTE_MLFLOW, .rate = RATE_DOWNLOAD,
     .doc = "Download a logged model's file."},
    {POST, "/api/2.0/mlflow/upload-artifact", SCOPE_RUN_INGEST, .query = &UPLOAD,
     .handle = post_upload, .flags = ROUTE_MLFLOW | ROUTE_STREAM_BODY, .rate = RATE_UPLOAD,
     .max_body = SMALL_FILE_MAX, .doc = "Store a small file of a run."},
    {GET, "/api/2.0/mlflow-artifacts/artifacts", SCOPE_RUN_READ, .query = &PATH_QUERY,
     .handle = get_proxy_list, .flags = ROUTE_MLFLOW, .doc = "List the files in a directory."},
    {GET, "/api/2.0/mlflow-artifacts/artifacts/{path*}", SCOPE_RUN_READ, .handle = get_proxy_file,
     .flags = ROUTE_MLFLOW, .rate = RATE_DOWNLOAD, .doc = "Download a file."},
    {PUT, "/api/2.0/mlflow-artifacts/artifacts/{path*}", SCOPE_RUN_INGEST, .handle = put_proxy_file,
     .flags = ROUTE_MLFLOW | ROUTE_STREAM_BODY, .rate = RATE_UPLOAD, .doc = "Store a file."},
    {DELETE, "/api/2.0/mlflow-artifacts/artifacts/{path*}", SCOPE_RUN_INGEST,
     .handle = delete_proxy_files, .flags = ROUTE_MLFLOW, .audit = "artifact.delete",
     .doc = "Delete a file or a directory."},
};
const size_t MLFLOW_ARTIFACT_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_ARTIFACT_ROUTES);
