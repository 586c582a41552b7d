/* importer.c: the one way from a source into Slipway; see importer.h.
 *
 * A run is made first, with its tags; then come its points and files; its end and TAG_DONE are set
 * last. Killed in between, the next import finds the run by TAG_ID without TAG_DONE and sends
 * everything again: what is there already changes nothing. */
#include "importer/importer.h"
#include "importer/remote.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define API "/api/2.0/mlflow/"
#define TAG_PARENT "mlflow.parentRunId"
#define POINTS_PER_BATCH 1000
#define PARAMS_PER_BATCH 100
#define TAGS_PER_BATCH 100
#define PAGE "1000"

/* ---- small things */

const char *text_of(const json_t *object, const char *member) {
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

int64_t int_of(const json_t *object, const char *member) {
    const json_t *value = json_object_get(object, member);
    if (json_is_string(value))
        return strtoll(json_string_value(value), NULL, 10);
    return json_is_real(value) ? (int64_t)json_real_value(value) : json_integer_value(value);
}

void add_pair(json_t *array, const char *key, const char *value) {
    json_array_append_new(array, json_pack("{s:s, s:s}", "key", key, "value", value));
}

const char *pair_of(const json_t *array, const char *key) {
    size_t i;
    json_t *pair;
    json_array_foreach(array, i, pair) {
        if (strcmp(text_of(pair, "key"), key) == 0)
            return text_of(pair, "value");
    }
    return NULL;
}

void left_out(struct importer *im, const char *format, ...) {
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(im->left, json_string(text));
}

void import_progress(struct importer *im, const char *format, ...) {
    va_list args;
    if (!im->progress)
        return;
    va_start(args, format);
    vfprintf(im->progress, format, args);
    va_end(args);
    fputc('\n', im->progress);
    fflush(im->progress);
}

/* JSON has no numbers for these; MLflow's clients send texts. */
static json_t *value_json(double value) {
    if (isnan(value))
        return json_string("NaN");
    return isinf(value) ? json_string(value > 0 ? "Infinity" : "-Infinity") : json_real(value);
}

enum err point_flush(struct point_batch *batch, struct err_info *err) {
    enum err told = json_array_size(batch->points) ? batch->fn(batch->arg, batch->points, err) : OK;
    json_array_clear(batch->points);
    return told;
}

enum err point_add(struct point_batch *batch, const char *key, double value, int64_t at_ms,
                   int64_t step, struct err_info *err) {
    json_array_append_new(batch->points,
                          json_pack("{s:s, s:o, s:I, s:I}", "key", key, "value", value_json(value),
                                    "timestamp", (json_int_t)at_ms, "step", (json_int_t)step));
    return json_array_size(batch->points) < POINTS_PER_BATCH ? OK : point_flush(batch, err);
}

/* A call to Slipway in the project; takes the body. */
static enum err call(struct importer *im, const char *method, const char *what, json_t *body,
                     json_t **ret, struct err_info *err) {
    auto_json *owned = body;
    auto_buf path = {0};
    buf_printf(&path, "%s" API "%s", im->prefix, what);
    return remote_call(im->target, method, path.data, owned, ret, err);
}

static enum err send_only(struct importer *im, const char *what, json_t *body,
                          struct err_info *err) {
    auto_json *reply = NULL;
    return call(im, "POST", what, body, &reply, err);
}

/* ---- what has come before */

/* What Slipway has of this experiment: id there → id here, and whether it is whole. */
static enum err find_runs(struct importer *im, const char *experiment, json_t *found,
                          struct err_info *err) {
    auto_buf token = {0};
    do {
        auto_json *page = NULL;
        json_t *body = json_pack("{s:[s], s:s, s:s, s:i, s:s}", "experiment_ids", experiment,
                                 "filter", "tags.`" TAG_ID "` IS NOT NULL", "run_view_type", "ALL",
                                 "max_results", 500, "page_token", token.data ? token.data : "");
        TRY(call(im, "POST", "runs/search", body, &page, err));
        size_t i;
        json_t *run;
        json_array_foreach(json_object_get(page, "runs"), i, run) {
            json_t *tags = json_object_get(json_object_get(run, "data"), "tags");
            const char *source = pair_of(tags, TAG_SOURCE), *id = pair_of(tags, TAG_ID);
            const char *done = pair_of(tags, TAG_DONE), *parent = pair_of(tags, TAG_PARENT);
            if (source && id && strcmp(source, im->label) == 0)
                json_object_set_new(found, id,
                                    json_pack("{s:s, s:s, s:s}", "id",
                                              text_of(json_object_get(run, "info"), "run_id"),
                                              "done", done ? done : "", "parent",
                                              parent ? parent : ""));
        }
        buf_done(&token);
        token = (struct buf){0};
        buf_text(&token, text_of(page, "next_page_token"));
    } while (token.size > 0);
    return OK;
}

/* ---- experiments */

struct import {
    struct importer *im;
    const struct source *source;
    json_t *experiment;     /* as the source has it */
    char number[32];        /* here */
    json_t *found;          /* runs that came before */
    json_t *waiting;        /* runs here whose parents come later: id → parent there */
    const char *owner_path; /* of the files that are being sent */
    int64_t runs_seen;
};

static enum err experiment_tags(struct import *in, struct err_info *err) {
    json_t *tags = json_object_get(in->experiment, "tags"), *tag;
    size_t i;
    json_array_foreach(tags, i, tag) {
        TRY(send_only(in->im, "experiments/set-experiment-tag",
                      json_pack("{s:s, s:s, s:s}", "experiment_id", in->number, "key",
                                text_of(tag, "key"), "value", text_of(tag, "value")),
                      err));
    }
    return OK;
}

/* The experiment of that name, made if need be; an archived one takes no runs until it is back. */
static enum err open_experiment(struct import *in, struct err_info *err) {
    const char *name = text_of(in->experiment, "name");
    auto_json *reply = NULL;
    enum err made =
        call(in->im, "POST", "experiments/create", json_pack("{s:s}", "name", name), &reply, err);
    if (made == OK) {
        snprintf(in->number, sizeof(in->number), "%s", text_of(reply, "experiment_id"));
        in->im->counts.experiments++;
        return experiment_tags(in, err);
    }
    if (made != ERR_CONFLICT)
        return made;
    auto_free char *escaped = uri_encode(name, 0);
    auto_buf path = {0};
    auto_json *there = NULL;
    buf_printf(&path, "experiments/get-by-name?experiment_name=%s", escaped);
    TRY(call(in->im, "GET", path.data, NULL, &there, err));
    json_t *experiment = json_object_get(there, "experiment");
    snprintf(in->number, sizeof(in->number), "%s", text_of(experiment, "experiment_id"));
    if (strcmp(text_of(experiment, "lifecycle_stage"), "deleted") == 0)
        TRY(send_only(in->im, "experiments/restore",
                      json_pack("{s:s}", "experiment_id", in->number), err));
    return experiment_tags(in, err);
}

/* ---- files */

static enum err send_file(void *arg, const char *path, FILE *content, int64_t size,
                          struct err_info *err) {
    struct import *in = arg;
    auto_free char *escaped = uri_encode(path, 1);
    auto_buf to = {0};
    buf_printf(&to, "%s/api/2.0/mlflow-artifacts/artifacts/%s/%s", in->im->prefix, in->owner_path,
               escaped);
    enum err sent = remote_send(in->im->target, to.data, content, size, err);
    if (sent == ERR_INVALID || sent == ERR_CONFLICT || sent == ERR_NOT_FOUND) {
        left_out(in->im, "file %s/%s: %s", in->owner_path, path, err->message);
        return OK;
    }
    TRY(sent);
    in->im->counts.files++;
    in->im->counts.bytes += size;
    return OK;
}

static enum err send_files(struct import *in, json_t *owner, const char *kind, const char *id,
                           struct err_info *err) {
    auto_buf path = {0};
    buf_printf(&path, "%s/%s%s/artifacts", in->number, kind, id);
    in->owner_path = path.data;
    return in->source->files(in->source->self, owner, send_file, in, err);
}

/* ---- runs */

struct points {
    struct import *in;
    const char *run_id;
};

static enum err send_points(void *arg, json_t *points, struct err_info *err) {
    struct points *p = arg;
    p->in->im->counts.points += (int64_t)json_array_size(points);
    return send_only(p->in->im, "runs/log-batch",
                     json_pack("{s:s, s:O}", "run_id", p->run_id, "metrics", points), err);
}

/* Some of an array at a time, under the name that log-batch has for it. */
static enum err send_pairs(struct import *in, const char *run_id, const char *member,
                           const json_t *pairs, size_t at_once, struct err_info *err) {
    for (size_t start = 0; start < json_array_size(pairs); start += at_once) {
        json_t *some = json_array();
        for (size_t i = start; i < start + at_once && i < json_array_size(pairs); i++)
            json_array_append(some, json_array_get(pairs, i));
        TRY(send_only(in->im, "runs/log-batch",
                      json_pack("{s:s, s:o}", "run_id", run_id, member, some), err));
    }
    return OK;
}

/* The tags as they will be here: a parent by its id here, or none until it has come. */
static json_t *tags_of(struct import *in, json_t *run, const char **ret_parent) {
    json_t *info = json_object_get(run, "info"), *tags = json_array(), *tag;
    const char *name = text_of(info, "run_name");
    size_t i;
    *ret_parent = NULL;
    json_array_foreach(json_object_get(json_object_get(run, "data"), "tags"), i, tag) {
        const char *key = text_of(tag, "key"), *value = text_of(tag, "value");
        if (strncmp(key, "slipway.import.", 15) == 0)
            continue;
        if (strcmp(key, "mlflow.runName") == 0 && *name) {
            add_pair(tags, key, name); /* servers of old let the two differ */
            continue;
        }
        if (strcmp(key, TAG_PARENT) != 0) {
            json_array_append(tags, tag);
            continue;
        }
        const char *parent = text_of(json_object_get(in->im->runs, value), "id");
        if (*parent)
            add_pair(tags, key, parent);
        else
            *ret_parent = value;
    }
    add_pair(tags, TAG_SOURCE, in->im->label);
    add_pair(tags, TAG_ID, text_of(info, "run_id"));
    return tags;
}

static enum err open_run(struct import *in, json_t *run, const char *before, char ret_id[40],
                         struct err_info *err) {
    json_t *info = json_object_get(run, "info");
    const char *parent;
    auto_json *tags = tags_of(in, run, &parent), *reply = NULL;
    if (*before) {
        snprintf(ret_id, 40, "%s", before);
        TRY(send_pairs(in, ret_id, "tags", tags, TAGS_PER_BATCH, err));
    } else {
        json_t *body = json_pack("{s:s, s:s, s:I, s:O}", "experiment_id", in->number, "user_id",
                                 text_of(info, "user_id"), "start_time",
                                 (json_int_t)int_of(info, "start_time"), "tags", tags);
        if (*text_of(info, "run_name"))
            json_object_set(body, "run_name", json_object_get(info, "run_name"));
        TRY(call(in->im, "POST", "runs/create", body, &reply, err));
        const char *id = text_of(json_object_get(json_object_get(reply, "run"), "info"), "run_id");
        snprintf(ret_id, 40, "%s", id);
    }
    if (parent)
        json_object_set_new(in->waiting, ret_id, json_string(parent));
    return OK;
}

/* What tells a run that has changed since it came: its state and its end. */
static void mark_of(json_t *info, char *ret, size_t cap) {
    snprintf(ret, cap, "%s %lld %s", text_of(info, "status"), (long long)int_of(info, "end_time"),
             text_of(info, "lifecycle_stage"));
}

static enum err close_run(struct import *in, json_t *info, const char *id, const char *mark,
                          struct err_info *err) {
    auto_json *tag = json_pack("[{s:s, s:s}]", "key", TAG_DONE, "value", mark);
    json_t *change = json_pack("{s:s, s:s}", "run_id", id, "status",
                               *text_of(info, "status") ? text_of(info, "status") : "FINISHED");
    if (int_of(info, "end_time") > 0)
        json_object_set_new(change, "end_time", json_integer(int_of(info, "end_time")));
    TRY(send_only(in->im, "runs/update", change, err));
    TRY(send_pairs(in, id, "tags", tag, 1, err));
    if (strcmp(text_of(info, "lifecycle_stage"), "deleted") == 0)
        TRY(send_only(in->im, "runs/delete", json_pack("{s:s}", "run_id", id), err));
    return OK;
}

static enum err send_inputs(struct import *in, json_t *run, const char *id, struct err_info *err) {
    json_t *datasets = json_object_get(json_object_get(run, "inputs"), "dataset_inputs");
    if (json_array_size(datasets) == 0)
        return OK;
    enum err sent = send_only(in->im, "runs/log-inputs",
                              json_pack("{s:s, s:O}", "run_id", id, "datasets", datasets), err);
    if (sent == ERR_INVALID)
        left_out(in->im, "data sets of run %s: %s", id, err->message);
    return sent == ERR_INVALID ? OK : sent;
}

static enum err send_run(struct import *in, json_t *run, const char *id, struct err_info *err) {
    json_t *data = json_object_get(run, "data");
    struct points points = {in, id};
    TRY(send_pairs(in, id, "params", json_object_get(data, "params"), PARAMS_PER_BATCH, err));
    TRY(in->source->points(in->source->self, run, send_points, &points, err));
    TRY(send_inputs(in, run, id, err));
    return send_files(in, run, "", id, err);
}

/* A run that came whole before its parent did: the import ended between the two. */
static void keep_waiting(struct import *in, json_t *run, json_t *found, const char *id) {
    const char *parent = pair_of(json_object_get(json_object_get(run, "data"), "tags"), TAG_PARENT);
    if (parent && !*text_of(found, "parent"))
        json_object_set_new(in->waiting, id, json_string(parent));
}

static enum err bring_run(struct import *in, json_t *run, struct err_info *err) {
    json_t *info = json_object_get(run, "info");
    const char *there = text_of(info, "run_id");
    json_t *found = json_object_get(in->found, there);
    char id[40], mark[120];
    mark_of(info, mark, sizeof(mark));
    bool whole = strcmp(text_of(found, "done"), mark) == 0;
    if (whole) {
        snprintf(id, sizeof(id), "%s", text_of(found, "id"));
        in->im->counts.runs_kept++;
    } else {
        if (found) /* it may have been archived at the end of its first import */
            TRY(send_only(in->im, "runs/restore",
                          json_pack("{s:s}", "run_id", text_of(found, "id")), err));
        TRY(open_run(in, run, text_of(found, "id"), id, err));
    }
    json_object_set_new(in->im->runs, there,
                        json_pack("{s:s, s:s}", "id", id, "experiment", in->number));
    if (whole) {
        keep_waiting(in, run, found, id);
        return OK;
    }
    TRY(send_run(in, run, id, err));
    TRY(close_run(in, info, id, mark, err));
    in->im->counts.runs++;
    return OK;
}

/* What Slipway does not take of one run is told and costs that run, not those behind it: it stays
 * as far as it came, unfinished, and is tried again when the import is repeated. */
static enum err import_run(void *arg, json_t *run, struct err_info *err) {
    struct import *in = arg;
    enum err brought = bring_run(in, run, err);
    if (brought == ERR_INVALID || brought == ERR_CONFLICT || brought == ERR_UNPROCESSABLE) {
        left_out(in->im, "run %s: %s", text_of(json_object_get(run, "info"), "run_id"),
                 err->message);
        brought = OK;
    }
    if (++in->runs_seen % 25 == 0)
        import_progress(in->im, "  %lld runs", (long long)in->runs_seen);
    return brought;
}

/* Children that were read before their parents. */
static enum err join_parents(struct import *in, struct err_info *err) {
    const char *id;
    json_t *parent;
    json_object_foreach(in->waiting, id, parent) {
        const char *here = text_of(json_object_get(in->im->runs, json_string_value(parent)), "id");
        if (!*here) {
            left_out(in->im, "the parent of run %s: the source has no run %s", id,
                     json_string_value(parent));
            continue;
        }
        enum err set = send_only(
            in->im, "runs/set-tag",
            json_pack("{s:s, s:s, s:s}", "run_id", id, "key", TAG_PARENT, "value", here), err);
        if (set != OK && set != ERR_INVALID) /* an archived child stays without */
            return set;
    }
    return OK;
}

/* ---- logged models */

static enum err import_logged_model(void *arg, json_t *model, struct err_info *err) {
    struct import *in = arg;
    json_t *info = json_object_get(model, "info"), *data = json_object_get(model, "data");
    const char *there = text_of(info, "model_id");
    const char *maker =
        text_of(json_object_get(in->im->runs, text_of(info, "source_run_id")), "id");
    auto_json *tags = json_deep_copy(json_object_get(info, "tags")), *before = NULL, *made = NULL;
    auto_json *search = NULL;
    if (!tags)
        tags = json_array();
    add_pair(tags, TAG_SOURCE, in->im->label);
    add_pair(tags, TAG_ID, there);
    auto_buf filter = {0};
    buf_printf(&filter, "tags.`" TAG_ID "` = '%s'", there);
    search = json_pack("{s:[s], s:s}", "experiment_ids", in->number, "filter", filter.data);
    TRY(call(in->im, "POST", "logged-models/search", json_incref(search), &before, err));
    json_t *known = json_array_get(json_object_get(before, "models"), 0);
    if (!known) {
        json_t *body = json_pack("{s:s, s:s, s:s, s:O}", "experiment_id", in->number, "name",
                                 text_of(info, "name"), "model_type", text_of(info, "model_type"),
                                 "tags", tags);
        if (json_object_get(data, "params"))
            json_object_set(body, "params", json_object_get(data, "params"));
        if (*maker)
            json_object_set_new(body, "source_run_id", json_string(maker));
        TRY(call(in->im, "POST", "logged-models", body, &made, err));
        known = json_object_get(made, "model");
    }
    json_t *here = json_object_get(known, "info");
    json_object_set_new(
        in->im->models, there,
        json_pack("{s:s, s:s}", "id", text_of(here, "model_id"), "experiment", in->number));
    if (strcmp(text_of(here, "status"), "LOGGED_MODEL_READY") == 0)
        return OK;
    TRY(send_files(in, model, "models/", text_of(here, "model_id"), err));
    if (*maker)
        TRY(send_only(in->im, "runs/outputs",
                      json_pack("{s:s, s:[{s:s, s:i}]}", "run_id", maker, "models", "model_id",
                                text_of(here, "model_id"), "step", 0),
                      err));
    auto_buf path = {0};
    auto_json *reply = NULL;
    buf_printf(&path, "logged-models/%s", text_of(here, "model_id"));
    in->im->counts.logged_models++;
    return call(in->im, "PATCH", path.data,
                json_pack("{s:s, s:s}", "model_id", text_of(here, "model_id"), "status",
                          "LOGGED_MODEL_READY"),
                &reply, err);
}

static enum err import_experiment(void *arg, json_t *experiment, struct err_info *err) {
    const struct import *all = arg;
    struct import in = *all;
    const char *id = text_of(experiment, "experiment_id");
    in.experiment = experiment;
    TRY(open_experiment(&in, err));
    import_progress(in.im, "experiment \"%s\"", text_of(experiment, "name"));
    auto_json *found = json_object(), *waiting = json_object();
    in.found = found;
    in.waiting = waiting;
    TRY(find_runs(in.im, in.number, found, err));
    TRY(in.source->runs(in.source->self, id, import_run, &in, err));
    TRY(join_parents(&in, err));
    if (in.source->logged_models)
        TRY(in.source->logged_models(in.source->self, id, import_logged_model, &in, err));
    if (strcmp(text_of(experiment, "lifecycle_stage"), "deleted") == 0)
        TRY(send_only(in.im, "experiments/delete", json_pack("{s:s}", "experiment_id", in.number),
                      err));
    return OK;
}

/* ---- the registry */

/* "…/<run>/artifacts/model" or "runs:/<run>/model" as a source here; NULL when it is of no run or
 * logged model that came along. malloc'ed. */
static char *source_here(struct importer *im, json_t *version) {
    const char *source = text_of(version, "source");
    auto_buf out = {0};
    const char *id;
    json_t *to;
    json_object_foreach(im->models, id, to) {
        if (strstr(source, id) || strcmp(text_of(version, "model_id"), id) == 0) {
            buf_printf(&out, "models:/%s", text_of(to, "id"));
            return strdup(out.data);
        }
    }
    json_object_foreach(im->runs, id, to) {
        const char *at = strstr(source, id);
        if (!at)
            continue;
        const char *rest = at + strlen(id);
        if (strncmp(rest, "/artifacts", 10) == 0)
            rest += 10;
        buf_printf(&out, "runs:/%s%s", text_of(to, "id"), *rest ? rest : "/");
        return strdup(out.data);
    }
    return NULL;
}

static enum err find_versions(struct importer *im, const char *model, json_t *found,
                              struct err_info *err) {
    auto_buf filter = {0}, path = {0};
    auto_json *page = NULL;
    buf_printf(&filter, "name = '%s'", model);
    auto_free char *escaped = uri_encode(filter.data, 0);
    buf_printf(&path, "model-versions/search?max_results=10000&filter=%s", escaped);
    TRY(call(im, "GET", path.data, NULL, &page, err));
    size_t i;
    json_t *version;
    json_array_foreach(json_object_get(page, "model_versions"), i, version) {
        json_t *tags = json_object_get(version, "tags");
        const char *source = pair_of(tags, TAG_SOURCE), *id = pair_of(tags, TAG_ID);
        if (source && id && strcmp(source, im->label) == 0)
            json_object_set_new(found, id, json_string(text_of(version, "version")));
    }
    return OK;
}

static enum err import_version(struct importer *im, const char *model, json_t *version,
                               json_t *found, struct err_info *err) {
    const char *there = text_of(version, "version");
    if (json_object_get(found, there)) {
        im->counts.versions_kept++;
        return OK;
    }
    auto_free char *source = source_here(im, version);
    if (!source) {
        left_out(im, "version %s of model \"%s\": its source %s is not among what came along",
                 there, model, text_of(version, "source"));
        return OK;
    }
    auto_json *tags = json_deep_copy(json_object_get(version, "tags")), *reply = NULL;
    if (!tags)
        tags = json_array();
    add_pair(tags, TAG_SOURCE, im->label);
    add_pair(tags, TAG_ID, there);
    enum err made = call(im, "POST", "model-versions/create",
                         json_pack("{s:s, s:s, s:s, s:s, s:O}", "name", model, "source", source,
                                   "description", text_of(version, "description"), "run_link",
                                   text_of(version, "run_link"), "tags", tags),
                         &reply, err);
    if (made == ERR_INVALID || made == ERR_NOT_FOUND) {
        left_out(im, "version %s of model \"%s\": %s", there, model, err->message);
        return OK;
    }
    TRY(made);
    const char *here = text_of(json_object_get(reply, "model_version"), "version");
    json_object_set_new(found, there, json_string(here));
    im->counts.versions++;
    if (strcmp(here, there) != 0)
        left_out(im, "the number of version %s of model \"%s\": it is %s here", there, model, here);
    const char *stage = text_of(version, "current_stage");
    if (!*stage || strcmp(stage, "None") == 0)
        return OK;
    return send_only(im, "model-versions/transition-stage",
                     json_pack("{s:s, s:s, s:s, s:b}", "name", model, "version", here, "stage",
                               stage, "archive_existing_versions", 0),
                     err);
}

static enum err import_model(void *arg, json_t *model, struct err_info *err) {
    struct import *in = arg;
    const char *name = text_of(model, "name");
    auto_json *reply = NULL, *found = json_object();
    json_t *body =
        json_pack("{s:s, s:s}", "name", name, "description", text_of(model, "description"));
    if (json_object_get(model, "tags"))
        json_object_set(body, "tags", json_object_get(model, "tags"));
    enum err made = call(in->im, "POST", "registered-models/create", body, &reply, err);
    if (made != OK && made != ERR_CONFLICT)
        return made;
    in->im->counts.models += made == OK;
    import_progress(in->im, "model \"%s\"", name);
    enum err known = find_versions(in->im, name, found, err);
    if (known == ERR_NOT_FOUND) {
        left_out(in->im, "model \"%s\": the name belongs to another project", name);
        return OK;
    }
    TRY(known);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(model, "versions"), i, item)
        TRY(import_version(in->im, name, item, found, err));
    json_array_foreach(json_object_get(model, "aliases"), i, item) {
        const char *here = json_string_value(json_object_get(found, text_of(item, "version")));
        if (here)
            TRY(send_only(in->im, "registered-models/alias",
                          json_pack("{s:s, s:s, s:s}", "name", name, "alias",
                                    text_of(item, "alias"), "version", here),
                          err));
    }
    return OK;
}

enum err import_all(struct importer *im, const struct source *source, struct err_info *err) {
    struct import in = {.im = im, .source = source};
    TRY(source->experiments(source->self, import_experiment, &in, err));
    if (source->models_of_registry)
        TRY(source->models_of_registry(source->self, import_model, &in, err));
    return OK;
}
