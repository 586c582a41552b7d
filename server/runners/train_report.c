/* train_report.c: the end of a training: the best weights are evaluated on each split, and what a
 * model needs to live on its own is written (model.json, model.safetensors), with the evaluation.
 */
#include "runners/event.h"
#include "runners/torch_runtime.h"
#include "runners/train_job.h"

#include <string.h>

enum {
    CONFUSION_MAX = 1000, /* classes: beyond, the matrix would be larger than anyone reads */
    RESULT_CONFUSION_MAX = 100,
};

static const char *const SPLIT_NAMES[SPLIT_COUNT] = {"train", "val", "test"};

/* Metrics of the splits that were evaluated, and the confusion of the last of them. */
struct evaluation {
    json_t *metrics;    /* "test/accuracy": 0.99 …; owned */
    int64_t *confusion; /* [classes, classes], NULL when none; owned */
    size_t classes;
    const char *split; /* whose confusion it is */
};

#define auto_evaluation __attribute__((cleanup(evaluation_done)))

static void evaluation_done(struct evaluation *e) {
    json_decref(e->metrics);
    free(e->confusion);
}

static void set_metric(json_t *metrics, enum split split, const char *name, double value) {
    char key[32];
    snprintf(key, sizeof key, "%s/%s", SPLIT_NAMES[split], name);
    json_object_set_new(metrics, key, json_real(value));
}

static enum run evaluate_split(struct runner *rn, struct train_job *tj, enum split split,
                               struct evaluation *e) {
    if (!tj->splits[split])
        return RUN_DONE;
    if (e->confusion)
        memset(e->confusion, 0, e->classes * e->classes * sizeof *e->confusion);
    tsh_metrics m;
    tsh_error err;
    if (tsh_evaluate(tj->net, tj->splits[split], &m, e->confusion, &err) != TSH_OK)
        return torch_failure(rn, &err);
    e->split = SPLIT_NAMES[split];
    set_metric(e->metrics, split, "loss", m.loss);
    if (tj->spec.loss == LOSS_CROSS_ENTROPY) {
        set_metric(e->metrics, split, "accuracy", m.accuracy);
        return RUN_DONE;
    }
    set_metric(e->metrics, split, "rmse", m.rmse * tj->data.features.target_stddev);
    set_metric(e->metrics, split, "mae", m.mae * tj->data.features.target_stddev);
    return RUN_DONE;
}

static enum run evaluate(struct runner *rn, struct train_job *tj, struct evaluation *e) {
    e->metrics = json_object();
    e->classes = json_array_size(tj->data.classes);
    if (e->classes > 0 && e->classes <= CONFUSION_MAX)
        e->confusion = calloc(e->classes * e->classes, sizeof *e->confusion);
    TRY(evaluate_split(rn, tj, SPLIT_VALIDATION, e));
    if (runner_cancelled())
        return RUN_CANCELLED;
    TRY(evaluate_split(rn, tj, SPLIT_TEST, e));
    return runner_cancelled() ? RUN_CANCELLED : RUN_DONE;
}

static void emit_metrics(const struct train_job *tj, const struct evaluation *e) {
    struct event_metric all[SPLIT_COUNT * 3];
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(e->metrics, name, value) {
        if (strncmp(name, "test/", 5) == 0 && n < sizeof all / sizeof *all)
            all[n++] = (struct event_metric){name, json_real_value(value)};
    }
    if (n > 0)
        event_metrics(tj->progress.step, tj->progress.epoch_fraction, all, n);
}

static json_t *confusion_json(const struct train_job *tj, const struct evaluation *e, size_t most) {
    if (!e->confusion || !e->split || e->classes > most)
        return json_null();
    json_t *matrix = json_array();
    for (size_t i = 0; i < e->classes; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < e->classes; k++)
            json_array_append_new(row, json_integer(e->confusion[i * e->classes + k]));
        json_array_append_new(matrix, row);
    }
    return json_pack("{s:O, s:o, s:s}", "labels", tj->data.classes, "matrix", matrix, "split",
                     e->split);
}

static double ratio(int64_t part, int64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 0;
}

static json_t *class_json(const struct train_job *tj, const struct evaluation *e, size_t class) {
    int64_t support = 0, predicted = 0, hit = e->confusion[class * e->classes + class];
    for (size_t k = 0; k < e->classes; k++) {
        support += e->confusion[class * e->classes + k];
        predicted += e->confusion[k * e->classes + class];
    }
    double precision = ratio(hit, predicted), recall = ratio(hit, support);
    double sum = precision + recall;
    return json_pack("{s:O, s:f, s:f, s:f, s:I}", "label", json_array_get(tj->data.classes, class),
                     "precision", precision, "recall", recall, "f1",
                     sum > 0 ? 2 * precision * recall / sum : 0, "support", (json_int_t)support);
}

static json_t *class_metrics_json(const struct train_job *tj, const struct evaluation *e) {
    if (!e->confusion || !e->split)
        return json_null();
    json_t *all = json_array();
    for (size_t i = 0; i < e->classes; i++)
        json_array_append_new(all, class_json(tj, e, i));
    return all;
}

static json_t *tensor_json(const char *name, const char *datatype, const int64_t *shape, int ndim) {
    json_t *dims = json_pack("[i]", -1);
    for (int i = 0; i < ndim; i++)
        json_array_append_new(dims, json_integer(shape[i]));
    return json_pack("{s:s, s:s, s:o}", "name", name, "datatype", datatype, "shape", dims);
}

static json_t *inputs_json(const struct train_job *tj) {
    static const char *const DATATYPES[] = {"FP32", "BOOL", "BYTES"};
    if (tj->data.features.is_image)
        return json_pack("[o]", tensor_json("input", "FP32", tj->model.input.dim, 3));
    json_t *inputs = json_array();
    for (size_t i = 0; i < tj->data.features.n_columns; i++) {
        const struct feature *c = &tj->data.features.columns[i];
        json_array_append_new(inputs, tensor_json(c->name, DATATYPES[c->type], NULL, 0));
    }
    return inputs;
}

static json_t *signature_json(const struct train_job *tj) {
    json_t *outputs;
    if (tj->spec.loss == LOSS_MSE)
        outputs = json_pack("[o]", tensor_json("value", "FP32", NULL, 0));
    else
        outputs = json_pack("[o, o]", tensor_json("probabilities", "FP32", &tj->model.outputs, 1),
                            tensor_json("label", "BYTES", NULL, 0));
    return json_pack("{s:o, s:o}", "inputs", inputs_json(tj), "outputs", outputs);
}

static enum run write_model(struct runner *rn, struct train_job *tj, const json_t *signature,
                            const char *torch) {
    tsh_error err;
    auto_fd int fd = -1;
    TRY(runner_create_file(rn, "outputs/model.safetensors", &fd));
    if (tsh_net_save(tj->net, fd, &err) != TSH_OK)
        return torch_failure(rn, &err);
    TRY(runner_commit_file(rn, "outputs/model.safetensors", fd));
    auto_json *model =
        json_pack("{s:i, s:o, s:O, s:O?, s:O, s:s}", "format", 1, "model",
                  model_to_json(&tj->model), "preprocessing", tj->data.features.json, "classes",
                  tj->data.classes, "signature", signature, "torch", torch);
    return runner_write_json(rn, "outputs/model.json", model);
}

static json_t *output_json(const char *name, const char *media_type) {
    char path[64];
    snprintf(path, sizeof path, "outputs/%s", name);
    return json_pack("{s:s, s:s, s:s}", "name", name, "path", path, "media_type", media_type);
}

static enum run write_result(struct runner *rn, const struct train_job *tj,
                             const struct evaluation *e, const json_t *signature,
                             const tsh_device *device) {
    const tsh_progress *p = &tj->progress;
    auto_json *result = json_pack(
        "{s:s, s:I, s:I, s:I, s:O, s:o, s:o, s:f, s:f, s:s, s:s, s:i, s:I, s:O, s:[o, o, o]}",
        "status", p->early_stopped ? "early_stopped" : "completed", "epochs", (json_int_t)p->epoch,
        "steps", (json_int_t)p->step, "best_epoch", (json_int_t)p->best_epoch, "metrics",
        e->metrics, "confusion", confusion_json(tj, e, RESULT_CONFUSION_MAX), "class_metrics",
        class_metrics_json(tj, e), "seconds", tj->seconds, "samples_per_s",
        tj->seconds > 0 ? (double)tj->samples / tj->seconds : 0, "device", device->device, "torch",
        device->torch, "threads", device->threads, "parameters", (json_int_t)tj->model.parameters,
        "signature", signature, "outputs", output_json("model.json", "application/json"),
        output_json("model.safetensors", "application/octet-stream"),
        output_json("evaluation.json", "application/json"));
    return runner_write_json(rn, "outputs/result.json", result);
}

enum run train_report_write(struct runner *rn, struct train_job *tj) {
    tsh_device device;
    tsh_device_get(tj->ctx, &device);
    struct evaluation auto_evaluation e = {0};
    TRY(evaluate(rn, tj, &e));
    emit_metrics(tj, &e);
    auto_json *signature = signature_json(tj);
    TRY(write_model(rn, tj, signature, device.torch));
    auto_json *evaluation = json_pack("{s:i, s:O, s:o, s:o}", "format", 1, "metrics", e.metrics,
                                      "confusion", confusion_json(tj, &e, CONFUSION_MAX),
                                      "class_metrics", class_metrics_json(tj, &e));
    TRY(runner_write_json(rn, "outputs/evaluation.json", evaluation));
    TRY(write_result(rn, tj, &e, signature, &device));
    event_progress(1, 0, "%s after %lld epochs",
                   tj->progress.early_stopped ? "stopped early" : "done",
                   (long long)tj->progress.epoch);
    return RUN_DONE;
}
