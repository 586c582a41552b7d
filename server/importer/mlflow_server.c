/* mlflow_server.c: a tracker that speaks MLflow's REST API, asked page by page. Files come through
 * the server, wherever it keeps them. */
#include "importer/importer.h"
#include "importer/remote.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define API "/api/2.0/mlflow/"
#define POINTS_PER_BATCH 1000
#define DEPTH_MAX 40

struct server {
    struct importer *im;
    struct remote *remote;
};

/* All pages of a search that is a POST; takes the body. */
static enum err each_page(struct server *s, const char *path, json_t *body, const char *member,
                          json_fn *fn, void *arg, struct err_info *err) {
    auto_json *owned = body;
    for (bool more = true; more;) {
        auto_json *page = NULL;
        size_t i;
        json_t *item;
        TRY(remote_call(s->remote, "POST", path, owned, &page, err));
        json_array_foreach(json_object_get(page, member), i, item) TRY(fn(arg, item, err));
        more = *text_of(page, "next_page_token") != '\0';
        json_object_set(owned, "page_token", json_object_get(page, "next_page_token"));
    }
    return OK;
}

static enum err server_experiments(void *self, json_fn *fn, void *arg, struct err_info *err) {
    return each_page(self, API "experiments/search",
                     json_pack("{s:i, s:s}", "max_results", 500, "view_type", "ALL"), "experiments",
                     fn, arg, err);
}

static enum err server_runs(void *self, const char *experiment_id, json_fn *fn, void *arg,
                            struct err_info *err) {
    return each_page(self, API "runs/search",
                     json_pack("{s:[s], s:i, s:s, s:[s]}", "experiment_ids", experiment_id,
                               "max_results", 200, "run_view_type", "ALL", "order_by",
                               "attributes.start_time ASC"),
                     "runs", fn, arg, err);
}

/* ---- points */

static enum err tell_points(json_t *points, const char *key, json_fn *fn, void *arg,
                            struct err_info *err) {
    for (size_t start = 0; start < json_array_size(points); start += POINTS_PER_BATCH) {
        auto_json *batch = json_array();
        for (size_t i = start; i < start + POINTS_PER_BATCH && i < json_array_size(points); i++) {
            json_t *point = json_array_get(points, i);
            json_object_set_new(point, "key", json_string(key));
            json_array_append(batch, point);
        }
        TRY(fn(arg, batch, err));
    }
    return OK;
}

static enum err series(struct server *s, const char *run_id, const char *key, json_fn *fn,
                       void *arg, struct err_info *err) {
    auto_free char *name = uri_encode(key, 0);
    auto_buf token = {0};
    buf_text(&token, "");
    do {
        auto_buf path = {0};
        auto_json *page = NULL;
        auto_free char *escaped = uri_encode(token.data ? token.data : "", 0);
        buf_printf(&path, API "metrics/get-history?run_id=%s&metric_key=%s&max_results=25000",
                   run_id, name);
        if (*escaped)
            buf_printf(&path, "&page_token=%s", escaped);
        TRY(remote_call(s->remote, "GET", path.data, NULL, &page, err));
        TRY(tell_points(json_object_get(page, "metrics"), key, fn, arg, err));
        buf_done(&token);
        token = (struct buf){0};
        buf_text(&token, text_of(page, "next_page_token"));
    } while (token.size > 0);
    return OK;
}

static enum err server_points(void *self, json_t *run, json_fn *fn, void *arg,
                              struct err_info *err) {
    const char *run_id = text_of(json_object_get(run, "info"), "run_id");
    json_t *last, *metrics = json_object_get(json_object_get(run, "data"), "metrics");
    size_t i;
    json_array_foreach(metrics, i, last)
        TRY(series(self, run_id, text_of(last, "key"), fn, arg, err));
    return OK;
}

/* ---- files */

/* How the server names one owner's files. */
struct place {
    struct server *s;
    const char *id;
    bool of_model;
    file_fn *fn;
    void *arg;
};

static enum err tell_file(struct place *p, const char *name, struct err_info *err) {
    auto_free char *escaped = uri_encode(name, 0);
    auto_buf path = {0};
    struct stat st;
    auto_file *file = tmpfile();
    if (!file)
        return err_set(err, ERR_INTERNAL, NULL, "there is no place for a temporary file");
    if (p->of_model)
        buf_printf(&path,
                   "/ajax-api/2.0/mlflow/logged-models/%s/artifacts/files?artifact_file_path=%s",
                   p->id, escaped);
    else
        buf_printf(&path, "/get-artifact?run_uuid=%s&path=%s", p->id, escaped);
    enum err got = remote_fetch(p->s->remote, path.data, file, err);
    if (got == ERR_NOT_FOUND || got == ERR_INVALID || fstat(fileno(file), &st) != 0) {
        left_out(p->s->im, "file %s of %s: %s", name, p->id, err->message);
        return OK;
    }
    TRY(got);
    return p->fn(p->arg, name, file, st.st_size, err);
}

static enum err list(struct place *p, const char *directory, int depth, struct err_info *err) {
    auto_free char *escaped = uri_encode(directory, 0);
    auto_buf path = {0};
    auto_json *page = NULL;
    size_t i;
    json_t *file;
    if (p->of_model)
        buf_printf(&path, API "logged-models/%s/artifacts/directories?artifact_directory_path=%s",
                   p->id, escaped);
    else
        buf_printf(&path, API "artifacts/list?run_id=%s%s%s", p->id, *directory ? "&path=" : "",
                   escaped);
    enum err listed = remote_call(p->s->remote, "GET", path.data, NULL, &page, err);
    if (listed == ERR_NOT_FOUND || listed == ERR_INVALID) {
        left_out(p->s->im, "files of %s: %s", p->id, err->message);
        return OK;
    }
    TRY(listed);
    json_array_foreach(json_object_get(page, "files"), i, file) {
        const char *name = text_of(file, "path");
        if (!json_is_true(json_object_get(file, "is_dir")))
            TRY(tell_file(p, name, err));
        else if (depth < DEPTH_MAX)
            TRY(list(p, name, depth + 1, err));
    }
    return OK;
}

static enum err server_files(void *self, json_t *owner, file_fn *fn, void *arg,
                             struct err_info *err) {
    json_t *info = json_object_get(owner, "info");
    const char *model = text_of(info, "model_id");
    struct place p = {self, *model ? model : text_of(info, "run_id"), *model != '\0', fn, arg};
    return list(&p, "", 0, err);
}

/* ---- models */

static enum err server_logged_models(void *self, const char *experiment_id, json_fn *fn, void *arg,
                                     struct err_info *err) {
    enum err told =
        each_page(self, API "logged-models/search",
                  json_pack("{s:[s], s:i}", "experiment_ids", experiment_id, "max_results", 50),
                  "models", fn, arg, err);
    return told == ERR_NOT_FOUND ? OK : told; /* before MLflow 3 there are none */
}

static enum err with_versions(struct server *s, json_t *model, json_fn *fn, void *arg,
                              struct err_info *err) {
    auto_buf filter = {0}, path = {0};
    auto_json *found = NULL;
    buf_printf(&filter, "name = '%s'", text_of(model, "name"));
    auto_free char *escaped = uri_encode(filter.data, 0);
    buf_printf(&path,
               API "model-versions/search?max_results=10000&order_by=version_number%%20ASC"
                   "&filter=%s",
               escaped);
    TRY(remote_call(s->remote, "GET", path.data, NULL, &found, err));
    json_object_set(model, "versions", json_object_get(found, "model_versions"));
    return fn(arg, model, err);
}

static enum err server_registry(void *self, json_fn *fn, void *arg, struct err_info *err) {
    struct server *s = self;
    auto_buf token = {0};
    do {
        auto_buf path = {0};
        auto_json *page = NULL;
        auto_free char *escaped = uri_encode(token.data ? token.data : "", 0);
        size_t i;
        json_t *model;
        buf_printf(&path, API "registered-models/search?max_results=500&page_token=%s", escaped);
        TRY(remote_call(s->remote, "GET", path.data, NULL, &page, err));
        json_array_foreach(json_object_get(page, "registered_models"), i, model)
            TRY(with_versions(s, model, fn, arg, err));
        buf_done(&token);
        token = (struct buf){0};
        buf_text(&token, text_of(page, "next_page_token"));
    } while (token.size > 0);
    return OK;
}

enum err source_mlflow(struct importer *im, struct remote *remote, struct source *ret,
                       struct err_info *err) {
    auto_json *page = NULL, *body = json_pack("{s:i}", "max_results", 1);
    TRY(remote_call(remote, "POST", API "experiments/search", body, &page, err));
    struct server *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    *s = (struct server){im, remote};
    *ret = (struct source){.self = s,
                           .experiments = server_experiments,
                           .runs = server_runs,
                           .points = server_points,
                           .logged_models = server_logged_models,
                           .files = server_files,
                           .models_of_registry = server_registry,
                           .free = free};
    return OK;
}
