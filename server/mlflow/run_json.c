/* A run as MLflow's clients read it, written member by member: a page of search may hold a hundred
 * runs with a hundred values each, and a tree of them would cost more than reading them did. */
#include "mlflow/internal.h"

#include <string.h>

static const char *status_of(int state) {
    static const char *const STATUSES[] = {
        [RUN_QUEUED] = "SCHEDULED",   [RUN_RUNNING] = "RUNNING", [RUN_LOST_CONTACT] = "RUNNING",
        [RUN_SUCCEEDED] = "FINISHED", [RUN_FAILED] = "FAILED",   [RUN_CANCELLED] = "KILLED"};
    return STATUSES[state];
}

enum err mlflow_write_run_info(struct ctx *cx, struct json_writer *w, const struct run *run) {
    const char *id = mlflow_run_id(cx, run->id);
    const char *experiment_id = db_int(cx, run->experiment_number);
    struct mlflow_place place;
    TRY(mlflow_place(cx, run->project_id, experiment_id, &place));
    jw_begin(w, '{');
    jw_member_text(w, "run_uuid", id);
    jw_member_text(w, "experiment_id", experiment_id);
    jw_member_text(w, "run_name", run->name);
    jw_member_text(w, "user_id", run->user_name ? run->user_name : "");
    jw_member_text(w, "status", status_of(run->state));
    jw_member_int(w, "start_time", mlflow_ms(run->started_at ? run->started_at : run->created_at));
    if (run->finished_at)
        jw_member_int(w, "end_time", mlflow_ms(run->finished_at));
    jw_member_text(w, "artifact_uri",
                   mlflow_run_uri(cx, place.location, run->experiment_number, run->id));
    jw_member_text(w, "lifecycle_stage", run->archived_at ? "deleted" : "active");
    jw_member_text(w, "run_id", id);
    jw_end(w, '}');
    return OK;
}

static void write_texts(struct json_writer *w, const char *name, const struct list *texts) {
    const struct run_text *text = texts->items;
    if (texts->count == 0)
        return;
    jw_member_begin(w, name, '[');
    for (size_t i = 0; i < texts->count; i++) {
        jw_begin(w, '{');
        jw_member_text(w, "key", text[i].key);
        jw_member_text(w, "value", text[i].value);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_metrics(struct json_writer *w, const struct list *metrics) {
    const struct run_value *metric = metrics->items;
    if (metrics->count == 0)
        return;
    jw_member_begin(w, "metrics", '[');
    for (size_t i = 0; i < metrics->count; i++) {
        jw_begin(w, '{');
        jw_member_text(w, "key", metric[i].key);
        jw_name(w, "value");
        jw_real(w, metric[i].value);
        jw_member_int(w, "timestamp", mlflow_ms(metric[i].at_us));
        jw_member_int(w, "step", metric[i].step);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_dataset(struct json_writer *w, const struct run_dataset *dataset) {
    jw_begin(w, '{');
    write_texts(w, "tags", &dataset->tags);
    jw_member_begin(w, "dataset", '{');
    jw_member_text(w, "name", dataset->name);
    jw_member_text(w, "digest", dataset->digest);
    jw_member_text(w, "source_type", dataset->source_type);
    jw_member_text(w, "source", dataset->source);
    if (dataset->schema)
        jw_member_text(w, "schema", dataset->schema);
    if (dataset->profile)
        jw_member_text(w, "profile", dataset->profile);
    jw_end(w, '}');
    jw_end(w, '}');
}

static void write_models(struct ctx *cx, struct json_writer *w, const char *name,
                         const struct list *models, bool steps) {
    const struct run_model *model = models->items;
    if (models->count == 0)
        return;
    jw_member_begin(w, name, '[');
    for (size_t i = 0; i < models->count; i++) {
        jw_begin(w, '{');
        jw_member_text(w, "model_id", mlflow_model_id(cx, model[i].id));
        if (steps)
            jw_member_int(w, "step", model[i].step);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

enum err mlflow_write_run(struct ctx *cx, struct json_writer *w,
                          const struct run_details *details) {
    const struct run_dataset *dataset = details->datasets.items;
    jw_begin(w, '{');
    jw_name(w, "info");
    TRY(mlflow_write_run_info(cx, w, &details->run));
    jw_member_begin(w, "data", '{');
    write_metrics(w, &details->metrics);
    write_texts(w, "params", &details->params);
    write_texts(w, "tags", &details->tags);
    jw_end(w, '}');
    jw_member_begin(w, "inputs", '{');
    if (details->datasets.count) {
        jw_member_begin(w, "dataset_inputs", '[');
        for (size_t i = 0; i < details->datasets.count; i++)
            write_dataset(w, &dataset[i]);
        jw_end(w, ']');
    }
    write_models(cx, w, "model_inputs", &details->model_inputs, false);
    jw_end(w, '}');
    jw_member_begin(w, "outputs", '{');
    write_models(cx, w, "model_outputs", &details->model_outputs, true);
    jw_end(w, '}');
    jw_end(w, '}');
    return OK;
}
