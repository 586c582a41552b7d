/* predict_model.c: see predict_model.h. A model may have been uploaded by anyone who may write to
 * the registry, so its parts are checked against each other before the first request. */
#include "runners/predict_model.h"

#include "runners/torch_runtime.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { MODEL_JSON_MAX_BYTES = 16 << 20, CLASSES_MAX = 10000 };

void predict_model_done(struct predict_model *m) {
    tsh_net_free(m->net);
    tsh_ctx_free(m->ctx);
    features_done(&m->features);
    for (size_t i = 0; m->labels && i < m->outputs; i++)
        free(m->labels[i]);
    free(m->labels);
    free(m->name_json);
    json_decref(m->json);
    *m = (struct predict_model){0};
}

static enum run damaged(struct runner *rn, const char *what) {
    return refuse_at(rn, REFUSE_INVALID_DATA, (struct place){.file = "model.json"},
                     "the model cannot be loaded: %s", what);
}

static enum run read_names(struct runner *rn, struct predict_model *m) {
    const char *name = json_string_value(json_object_get(rn->spec, "model"));
    const json_t *version = json_object_get(rn->spec, "version");
    snprintf(m->name, sizeof m->name, "%s", name ? name : "model");
    snprintf(m->version, sizeof m->version, "%lld", (long long)json_integer_value(version));
    auto_json *text = json_string(m->name);
    m->name_json = json_dumps(text, JSON_ENCODE_ANY);
    return m->name_json ? RUN_DONE : damaged(rn, "its name is not UTF-8");
}

static enum run read_labels(struct runner *rn, struct predict_model *m) {
    const json_t *classes = json_object_get(m->json, "classes");
    if (json_is_null(classes))
        return m->outputs == 1 ? RUN_DONE : damaged(rn, "it names no classes");
    if (json_array_size(classes) != m->outputs || m->outputs > CLASSES_MAX)
        return damaged(rn, "its classes do not fit its outputs");
    m->labels = calloc(m->outputs, sizeof *m->labels);
    for (size_t i = 0; m->labels && i < m->outputs; i++) {
        const json_t *label = json_array_get(classes, i);
        m->labels[i] = json_is_string(label) ? json_dumps(label, JSON_ENCODE_ANY) : NULL;
        if (!m->labels[i])
            return damaged(rn, "a class has no name");
    }
    return m->labels ? RUN_DONE : crash(rn, "memory is short for %zu classes", m->outputs);
}

static enum run load_net(struct runner *rn, struct predict_model *m) {
    tsh_error err;
    tsh_ctx_options options = {.threads = rn->threads};
    auto_free char *text = json_dumps(json_object_get(m->json, "model"), JSON_COMPACT);
    const struct runner_input *weights = runner_input_find(rn, "model.safetensors");
    auto_fd int fd = weights ? open(weights->path, O_RDONLY | O_CLOEXEC) : -1;
    if (!text || fd < 0)
        return damaged(rn, "its layers or its weights are missing");
    if (tsh_ctx_new(&options, &m->ctx, &err) != TSH_OK ||
        tsh_net_new(m->ctx, text, 0, &m->net, &err) != TSH_OK)
        return torch_failure(rn, &err);
    if (tsh_net_load(m->net, fd, &err) != TSH_OK)
        return damaged(rn, err.message);
    tsh_net_facts facts;
    tsh_net_get(m->net, &facts);
    m->outputs = (size_t)facts.outputs;
    return RUN_DONE;
}

/* The first pass picks kernels and allocates; no client should wait for it. It also shows whether
 * the preprocessing produces what the net takes. */
static enum run warm_up(struct runner *rn, struct predict_model *m) {
    auto_free float *sample = calloc(m->features.sample, sizeof *sample);
    auto_free float *output = calloc(m->outputs, sizeof *output);
    if (!sample || !output)
        return crash(rn, "memory is short for one sample");
    const struct features *f = &m->features;
    tsh_view x = {.dtype = TSH_F32,
                  .ndim = f->is_image ? 4 : 2,
                  .shape = {1, f->is_image ? f->channels : (int64_t)f->sample, f->height, f->width},
                  .data = sample,
                  .size_bytes = f->sample * sizeof *sample};
    tsh_error err;
    if (tsh_predict(m->net, &x, output, m->outputs, &err) != TSH_OK)
        return damaged(rn, err.message);
    return RUN_DONE;
}

enum run predict_model_load(struct runner *rn, struct predict_model *ret) {
    struct predict_model auto_predict_model m = {0};
    const struct runner_input *in = runner_input_find(rn, "model.json");
    if (!in)
        return crash(rn, "the job has no model.json");
    TRY(runner_read_json(rn, in->path, "model.json", MODEL_JSON_MAX_BYTES, &m.json));
    if (json_integer_value(json_object_get(m.json, "format")) != 1)
        return damaged(rn, "its format is not 1");
    if (!features_from_json(json_incref(json_object_get(m.json, "preprocessing")), &m.features))
        return damaged(rn, "its preprocessing is incomplete");
    TRY(read_names(rn, &m));
    TRY(load_net(rn, &m));
    TRY(read_labels(rn, &m));
    TRY(warm_up(rn, &m));
    *ret = m;
    m = (struct predict_model){0};
    return RUN_DONE;
}
