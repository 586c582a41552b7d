/* mlruns.c: the directory that MLflow's file store keeps.
 *
 *     <experiment>/meta.yaml, tags/<key>
 *     <experiment>/<run>/meta.yaml, params/<key>, tags/<key>, artifacts/…
 *     <experiment>/<run>/metrics/<key>       lines of "timestamp value step …"
 *     <experiment>/models/m-…/meta.yaml, params/, tags/, artifacts/
 *     models/<name>/meta.yaml, tags/, aliases/<alias>, version-<n>/meta.yaml, tags/
 *     .trash/<experiment>/…                  deleted ones
 *
 * A key with slashes is a file in directories. */
#include "importer/importer.h"
#include "importer/tree.h"
#include "importer/yaml_json.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX_BYTES (64 << 10) /* of a parameter or tag; Slipway's own limits are lower */

struct mlruns {
    struct importer *im;
    char *root;
};

/* "<root>/<parts>", malloc'ed. */
static char *path_of(const char *root, const char *a, const char *b) {
    auto_buf path = {0};
    buf_printf(&path, "%s/%s%s%s", root, a, *b ? "/" : "", b);
    return strdup(path.data);
}

/* ---- one small file a value */

static char *read_text(const char *path) {
    auto_file *file = fopen(path, "re");
    auto_buf text = {0};
    char piece[4096];
    size_t n;
    buf_text(&text, "");
    while (file && text.size < TEXT_MAX_BYTES && (n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_append(&text, piece, n);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.data[--text.size] = '\0';
    return strdup(text.data ? text.data : "");
}

static enum err add_file(void *pairs, const char *path, const char *name, struct err_info *err) {
    (void)err;
    auto_free char *text = read_text(path);
    add_pair(pairs, name, text);
    return OK;
}

/* [{"key", "value"}] of a directory with a file for each. */
static enum err pairs_of(const char *directory, const char *name, json_t **ret,
                         struct err_info *err) {
    auto_free char *path = path_of(directory, name, "");
    *ret = json_array();
    return tree_walk(path, add_file, *ret, err);
}

/* meta.yaml with its texts as MLflow's JSON has them; NULL when there is none. */
static json_t *meta_of(const char *directory) {
    auto_free char *path = path_of(directory, "meta.yaml", "");
    json_t *meta = yaml_read(path);
    if (json_is_object(meta))
        return meta;
    json_decref(meta);
    return NULL;
}

/* ---- experiments */

static enum err one_experiment(struct mlruns *m, const char *below, const char *name, json_fn *fn,
                               void *arg, struct err_info *err) {
    auto_free char *parent = path_of(m->root, below, ""), *path = path_of(parent, name, "");
    auto_json *meta = meta_of(path);
    json_t *tags;
    if (!*text_of(meta, "experiment_id"))
        return OK;
    TRY(pairs_of(path, "tags", &tags, err));
    json_object_set_new(meta, "tags", tags);
    if (*below != '.' || below[1]) /* of the trash */
        json_object_set_new(meta, "lifecycle_stage", json_string("deleted"));
    return fn(arg, meta, err);
}

static enum err mlruns_experiments(void *self, json_fn *fn, void *arg, struct err_info *err) {
    struct mlruns *m = self;
    static const char *const PLACES[] = {".", ".trash"};
    for (size_t p = 0; p < 2; p++) {
        auto_free char *place = path_of(m->root, PLACES[p], "");
        auto_json *names = tree_names(place, DT_DIR);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name)
            TRY(one_experiment(m, PLACES[p], json_string_value(name), fn, arg, err));
    }
    return OK;
}

/* Where an experiment is; malloc'ed. */
static char *experiment_path(struct mlruns *m, const char *id) {
    struct stat st;
    char *path = path_of(m->root, id, "");
    if (stat(path, &st) == 0)
        return path;
    free(path);
    return path_of(m->root, ".trash", id);
}

/* ---- runs */

static const char *status_of(const char *number) {
    static const char *const NAMES[] = {"", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    long n = strtol(number, NULL, 10);
    return n >= 1 && n <= 5 ? NAMES[n] : "FINISHED";
}

static enum err run_json(const char *path, json_t *meta, json_t **ret, struct err_info *err) {
    json_t *params, *tags;
    TRY(pairs_of(path, "params", &params, err));
    TRY(pairs_of(path, "tags", &tags, err));
    json_object_set_new(meta, "status", json_string(status_of(text_of(meta, "status"))));
    json_object_set_new(meta, "directory", json_string(path));
    *ret = json_pack("{s:O, s:{s:o, s:o}}", "info", meta, "data", "params", params, "tags", tags);
    return OK;
}

static void sort(json_t *array, int (*compare)(const void *, const void *)) {
    size_t count = json_array_size(array);
    auto_free json_t **items = calloc(count + 1, sizeof(json_t *));
    if (!items)
        abort();
    for (size_t i = 0; i < count; i++)
        items[i] = json_incref(json_array_get(array, i));
    qsort(items, count, sizeof(json_t *), compare);
    for (size_t i = 0; i < count; i++)
        json_array_set_new(array, i, items[i]);
}

static int by_start(const void *a, const void *b) {
    int64_t x = int_of(json_object_get(*(json_t *const *)a, "info"), "start_time");
    int64_t y = int_of(json_object_get(*(json_t *const *)b, "info"), "start_time");
    return (x > y) - (x < y);
}

static enum err mlruns_runs(void *self, const char *experiment_id, json_fn *fn, void *arg,
                            struct err_info *err) {
    struct mlruns *m = self;
    auto_free char *place = experiment_path(m, experiment_id);
    auto_json *names = tree_names(place, DT_DIR), *runs = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) {
        auto_free char *path = path_of(place, json_string_value(name), "");
        auto_json *meta = meta_of(path);
        json_t *run;
        if (!*text_of(meta, "run_id"))
            continue;
        TRY(run_json(path, meta, &run, err));
        json_array_append_new(runs, run);
    }
    sort(runs, by_start);
    json_array_foreach(runs, i, name) TRY(fn(arg, name, err));
    return OK;
}

/* ---- points */

struct series {
    struct mlruns *m;
    struct point_batch batch;
};

struct line {
    long long at_ms, step;
    double value;
};

static bool parse_line(const char *text, struct line *ret) {
    char *end;
    ret->at_ms = strtoll(text, &end, 10);
    if (end == text || *end != ' ')
        return false;
    text = end;
    ret->value = strtod(text, &end);
    if (end == text)
        return false;
    ret->step = strtoll(end, NULL, 10); /* absent in files of old versions: 0 */
    return true;
}

static enum err add_points(void *arg, const char *path, const char *key, struct err_info *err) {
    struct series *s = arg;
    auto_file *file = fopen(path, "re");
    auto_free char *text = NULL;
    size_t cap = 0;
    struct line line;
    for (long number = 1; file && getline(&text, &cap, file) > 0; number++)
        if (parse_line(text, &line))
            TRY(point_add(&s->batch, key, line.value, line.at_ms, line.step, err));
        else
            left_out(s->m->im, "line %ld of %s is no metric", number, path);
    return OK;
}

static enum err mlruns_points(void *self, json_t *run, json_fn *fn, void *arg,
                              struct err_info *err) {
    const char *directory = text_of(json_object_get(run, "info"), "directory");
    auto_free char *path = path_of(directory, "metrics", "");
    auto_json *points = json_array();
    struct series s = {self, {points, fn, arg}};
    TRY(tree_walk(path, add_points, &s, err));
    return point_flush(&s.batch, err);
}

/* ---- files */

struct files {
    struct mlruns *m;
    file_fn *fn;
    void *arg;
};

static enum err tell_file(void *arg, const char *path, const char *name, struct err_info *err) {
    struct files *f = arg;
    struct stat st;
    auto_file *file = fopen(path, "re");
    if (file && fstat(fileno(file), &st) == 0)
        return f->fn(f->arg, name, file, st.st_size, err);
    left_out(f->m->im, "file %s: %s", path, strerror(errno));
    return OK;
}

static enum err mlruns_files(void *self, json_t *owner, file_fn *fn, void *arg,
                             struct err_info *err) {
    struct files f = {self, fn, arg};
    json_t *info = json_object_get(owner, "info");
    const char *uri = text_of(info, "artifact_uri");
    auto_free char *path = path_of(text_of(info, "directory"), "artifacts", "");
    struct stat st;
    if (stat(path, &st) == 0)
        return tree_walk(path, tell_file, &f, err);
    if (strstr(uri, "://") && strncmp(uri, "file:", 5) != 0)
        left_out(f.m->im, "files of %s: they are not in the directory but at %s",
                 text_of(info, "directory"), uri);
    return OK;
}

/* ---- logged models */

static enum err mlruns_logged_models(void *self, const char *experiment_id, json_fn *fn, void *arg,
                                     struct err_info *err) {
    struct mlruns *m = self;
    auto_free char *experiment = experiment_path(m, experiment_id);
    auto_free char *place = path_of(experiment, "models", "");
    auto_json *names = tree_names(place, DT_DIR);
    size_t i;
    json_t *name, *params, *tags;
    json_array_foreach(names, i, name) {
        auto_free char *path = path_of(place, json_string_value(name), "");
        auto_json *meta = meta_of(path);
        if (!*text_of(meta, "model_id"))
            continue;
        TRY(pairs_of(path, "params", &params, err));
        TRY(pairs_of(path, "tags", &tags, err));
        json_object_set_new(meta, "tags", tags);
        json_object_set_new(meta, "directory", json_string(path));
        auto_json *model = json_pack("{s:O, s:{s:o}}", "info", meta, "data", "params", params);
        TRY(fn(arg, model, err));
    }
    return OK;
}

/* ---- the registry */

static int by_version(const void *a, const void *b) {
    int64_t x = int_of(*(json_t *const *)a, "version"), y = int_of(*(json_t *const *)b, "version");
    return (x > y) - (x < y);
}

static enum err versions_of(const char *directory, json_t **ret, struct err_info *err) {
    auto_json *names = tree_names(directory, DT_DIR);
    size_t i;
    json_t *name, *tags;
    *ret = json_array();
    json_array_foreach(names, i, name) {
        if (strncmp(json_string_value(name), "version-", 8) != 0)
            continue;
        auto_free char *path = path_of(directory, json_string_value(name), "");
        auto_json *meta = meta_of(path);
        if (!meta)
            continue;
        TRY(pairs_of(path, "tags", &tags, err));
        json_object_set_new(meta, "tags", tags);
        json_array_append(*ret, meta);
    }
    sort(*ret, by_version);
    return OK;
}

static enum err registered_model(const char *path, json_t *meta, struct err_info *err) {
    json_t *tags, *aliases, *versions, *alias;
    size_t i;
    TRY(pairs_of(path, "tags", &tags, err));
    json_object_set_new(meta, "tags", tags);
    TRY(pairs_of(path, "aliases", &aliases, err));
    json_object_set_new(meta, "aliases", aliases);
    json_array_foreach(aliases, i, alias) { /* pairs, as MLflow names them */
        json_object_set(alias, "alias", json_object_get(alias, "key"));
        json_object_set(alias, "version", json_object_get(alias, "value"));
    }
    TRY(versions_of(path, &versions, err));
    json_object_set_new(meta, "versions", versions);
    return OK;
}

static enum err mlruns_registry(void *self, json_fn *fn, void *arg, struct err_info *err) {
    struct mlruns *m = self;
    auto_free char *place = path_of(m->root, "models", "");
    auto_json *names = tree_names(place, DT_DIR);
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) {
        auto_free char *path = path_of(place, json_string_value(name), "");
        auto_json *meta = meta_of(path);
        if (!*text_of(meta, "name"))
            continue;
        TRY(registered_model(path, meta, err));
        TRY(fn(arg, meta, err));
    }
    return OK;
}

static void mlruns_free(void *self) {
    struct mlruns *m = self;
    free(m->root);
    free(m);
}

enum err source_mlruns(struct importer *im, const char *directory, struct source *ret,
                       struct err_info *err) {
    auto_json *names = tree_names(directory, DT_DIR);
    if (json_array_size(names) == 0)
        return err_set(err, ERR_NOT_FOUND, "source", "\"%s\" is not a directory with experiments",
                       directory);
    struct mlruns *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    m->im = im;
    m->root = strdup(directory);
    *ret = (struct source){.self = m,
                           .experiments = mlruns_experiments,
                           .runs = mlruns_runs,
                           .points = mlruns_points,
                           .logged_models = mlruns_logged_models,
                           .files = mlruns_files,
                           .models_of_registry = mlruns_registry,
                           .free = mlruns_free};
    return OK;
}
