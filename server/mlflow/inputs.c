/* What runs read and made: data sets as clients describe them, logged models in and out. */
#include "mlflow/internal.h"

#include "sql/mlflow.h"

#include <string.h>

#define DATASETS_MAX 1000
#define MODELS_MAX 1000
#define EXPERIMENTS_MAX 20
/* A schema of 1 MB and a profile of 16 MB of characters, quoted once more as JSON. */
#define INPUTS_BODY_MAX ((size_t)36 << 20)

static const struct {
    const char *name;
    size_t limit;
} LIMITS[] = {{"name", 500},     {"digest", 36},      {"source_type", 500},
              {"source", 65535}, {"schema", 1048575}, {"profile", 16777215}};

struct dataset {
    const char *texts[6]; /* in the order of LIMITS */
};
#define DATASET_FIELD(place, member, ...)                                                          \
    {                                                                                              \
        .name = (member), .type = FIELD_TYPE_STRING,                                               \
        .offset = offsetof(struct dataset, texts) + (place) * sizeof(const char *), __VA_ARGS__    \
    }
static const struct field DATASET_FIELDS[] = {
    DATASET_FIELD(0, "name", .flags = FIELD_REQUIRED),
    DATASET_FIELD(1, "digest", .flags = FIELD_REQUIRED),
    DATASET_FIELD(2, "source_type", .flags = 0),
    DATASET_FIELD(3, "source", .flags = 0),
    DATASET_FIELD(4, "schema", .flags = 0),
    DATASET_FIELD(5, "profile", .flags = 0),
};
static SHAPE(DATASET, "MlflowDataset", struct dataset, DATASET_FIELDS);

struct dataset_in {
    const struct dataset *dataset;
    struct list tags;
};
static const struct field DATASET_IN_FIELDS[] = {
    FIELD(OBJECT, struct dataset_in, dataset, .flags = FIELD_REQUIRED, .nested = &DATASET),
    FIELD(LIST, struct dataset_in, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(DATASET_IN, "MlflowDatasetInput", struct dataset_in, DATASET_IN_FIELDS);

struct model_in {
    const char *model_id;
    int64_t step;
};
static const struct field MODEL_IN_FIELDS[] = {
    FIELD(STRING, struct model_in, model_id, .flags = FIELD_REQUIRED),
    FIELD(INT, struct model_in, step),
};
static SHAPE(MODEL_IN, "MlflowModelRef", struct model_in, MODEL_IN_FIELDS);

struct inputs {
    const char *run_id;
    struct list datasets, models;
};
static const struct field INPUTS_FIELDS[] = {
    FIELD(STRING, struct inputs, run_id, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct inputs, datasets, .nested = &DATASET_IN),
    FIELD(LIST, struct inputs, models, .nested = &MODEL_IN),
};
static SHAPE(INPUTS, "MlflowLogInputs", struct inputs, INPUTS_FIELDS);

static const struct field OUTPUTS_FIELDS[] = {
    FIELD(STRING, struct inputs, run_id, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct inputs, models, .flags = FIELD_REQUIRED, .nested = &MODEL_IN),
};
static SHAPE(OUTPUTS, "MlflowLogOutputs", struct inputs, OUTPUTS_FIELDS);

static void release_json(void *json) {
    json_decref(json);
}

static enum err input_tags_of(struct ctx *cx, const struct list *tags, json_t **ret) {
    const struct mlflow_tag *tag = tags->items;
    *ret = json_object();
    arena_defer(cx->arena, release_json, *ret);
    for (size_t i = 0; i < tags->count; i++) {
        const char *value = tag[i].value ? tag[i].value : "";
        TRY(mlflow_check_length(cx, "key", tag[i].key, 255));
        TRY(mlflow_check_length(cx, "value", value, 500));
        json_object_set_new(*ret, tag[i].key, json_string(value));
    }
    return OK;
}

static enum err dataset_of(struct ctx *cx, const struct dataset_in *in, struct dataset_input *ret) {
    const char *const *text = in->dataset->texts;
    for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++)
        if (text[i])
            TRY(mlflow_check_length(cx, LIMITS[i].name, text[i], LIMITS[i].limit));
    *ret = (struct dataset_input){.name = text[0],
                                  .digest = text[1],
                                  .source_type = text[2] ? text[2] : "",
                                  .source = text[3] ? text[3] : "",
                                  .schema = text[4],
                                  .profile = text[5]};
    return input_tags_of(cx, &in->tags, &ret->tags);
}

/* Models of the project: their UUIDs. */
static enum err models_of(struct ctx *cx, const struct req *rq, const struct list *models,
                          struct model_output *ret) {
    const struct model_in *model = models->items;
    const char *project_id;
    TRY(mlflow_project(cx, rq, &project_id));
    for (size_t i = 0; i < models->count; i++) {
        enum err err = logged_model_require(cx, project_id, model[i].model_id, &ret[i].model_id);
        if (err == ERR_NOT_FOUND)
            return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                               "Logged model with ID '%.100s' not found.", model[i].model_id);
        TRY(err);
        ret[i].step = model[i].step;
    }
    return OK;
}

static enum err check_count(struct ctx *cx, const char *what, size_t count, size_t limit) {
    if (count > limit)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "A request can name at most %zu %s. Got %zu.", limit, what, count);
    return OK;
}

static enum err post_inputs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct inputs *in = rq->body;
    const struct dataset_in *dataset = in->datasets.items;
    const char *uuid;
    (void)rp;
    TRY(check_count(cx, "datasets", in->datasets.count, DATASETS_MAX));
    TRY(check_count(cx, "models", in->models.count, MODELS_MAX));
    struct dataset_input *sets =
        arena_new_array(cx->arena, struct dataset_input, in->datasets.count + 1);
    struct model_output *models =
        arena_new_array(cx->arena, struct model_output, in->models.count + 1);
    const char **ids = arena_new_array(cx->arena, const char *, in->models.count + 1);
    for (size_t i = 0; i < in->datasets.count; i++)
        TRY(dataset_of(cx, &dataset[i], &sets[i]));
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    TRY(models_of(cx, rq, &in->models, models));
    for (size_t i = 0; i < in->models.count; i++)
        ids[i] = models[i].model_id;
    mlflow_links_made(cx);
    return mlflow_refused(
        cx, run_add_inputs(cx, uuid, sets, in->datasets.count, ids, in->models.count), in->run_id);
}

static enum err post_outputs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct inputs *in = rq->body;
    const char *uuid;
    (void)rp;
    TRY(check_count(cx, "models", in->models.count, MODELS_MAX));
    struct model_output *models =
        arena_new_array(cx->arena, struct model_output, in->models.count + 1);
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    TRY(models_of(cx, rq, &in->models, models));
    mlflow_links_made(cx);
    return mlflow_refused(cx, run_add_outputs(cx, uuid, models, in->models.count), in->run_id);
}

/* --- which data sets the runs of experiments read --- */

struct datasets_in {
    struct list experiment_ids;
};
static const struct field DATASETS_IN_FIELDS[] = {
    FIELD(STRINGS, struct datasets_in, experiment_ids),
};
static SHAPE(DATASETS_IN, "MlflowSearchDatasets", struct datasets_in, DATASETS_IN_FIELDS);

struct summary {
    int64_t experiment;
    const char *name, *digest, *context;
};
static const struct field SUMMARY_FIELDS[] = {
    FIELD(INT, struct summary, experiment),
    FIELD(STRING, struct summary, name),
    FIELD(STRING, struct summary, digest),
    FIELD(STRING, struct summary, context),
};
static SHAPE(SUMMARY, "MlflowDatasetSummary", struct summary, SUMMARY_FIELDS);

static enum err check_experiments(struct ctx *cx, const struct list *ids) {
    if (ids->count == 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "SearchDatasets request must specify at least one experiment_id.");
    if (ids->count > EXPERIMENTS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "SearchDatasets request cannot specify more than %d experiment_ids. "
                           "Received %zu experiment_ids.",
                           EXPERIMENTS_MAX, ids->count);
    return OK;
}

static void write_summaries(struct ctx *cx, struct json_writer *w, const struct list *rows) {
    const struct summary *row = rows->items;
    jw_begin(w, '{');
    if (rows->count) {
        jw_member_begin(w, "dataset_summaries", '[');
        for (size_t i = 0; i < rows->count; i++) {
            jw_begin(w, '{');
            jw_member_text(w, "experiment_id", db_int(cx, row[i].experiment));
            jw_member_text(w, "name", row[i].name);
            jw_member_text(w, "digest", row[i].digest);
            if (row[i].context)
                jw_member_text(w, "context", row[i].context);
            jw_end(w, '}');
        }
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

static enum err search_datasets(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct datasets_in *in = rq->body;
    struct json_writer *w = mlflow_json(cx);
    struct list rows;
    const char *project_id;
    int64_t numbers[EXPERIMENTS_MAX];
    TRY(check_experiments(cx, &in->experiment_ids));
    for (size_t i = 0; i < in->experiment_ids.count; i++)
        numbers[i] = mlflow_experiment_number(((const char *const *)in->experiment_ids.items)[i]);
    TRY(mlflow_project(cx, rq, &project_id));
    TRY(db_many(
        cx, &SQL_mlflow_datasets_used,
        ARGS(cx->who.team_id, project_id, db_int_array(cx, numbers, in->experiment_ids.count)),
        &SUMMARY, &rows));
    write_summaries(cx, w, &rows);
    mlflow_send(rp, w);
    return OK;
}

const struct route MLFLOW_INPUT_ROUTES[] = {
    {POST, "/api/2.0/mlflow/runs/log-inputs", SCOPE_RUN_INGEST, .body = &INPUTS,
     .handle = post_inputs, .flags = ROUTE_MLFLOW, .max_body = INPUTS_BODY_MAX,
     .doc = "Tell what data sets and models a run read."},
    {POST, "/api/2.0/mlflow/runs/outputs", SCOPE_RUN_INGEST, .body = &OUTPUTS,
     .handle = post_outputs, .flags = ROUTE_MLFLOW, .doc = "Tell what models a run made."},
    {POST, "/api/2.0/mlflow/experiments/search-datasets", SCOPE_RUN_READ, .body = &DATASETS_IN,
     .handle = search_datasets, .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH,
     .doc = "List the data sets that the runs of experiments read."},
};
const size_t MLFLOW_INPUT_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_INPUT_ROUTES);
