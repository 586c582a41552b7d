/* training.c: checking a spec and starting a training job.
 *
 * The check is the shim's own (tsh_spec_check, plain C without torch), against the version's
 * manifest.json, so what is accepted here is what the runner accepts. What it cannot see, because
 * it depends on the split, is checked beside it. */
#include "training/training.h"
#include "training/internal.h"

#include "base/cleanup.h"
#include "lineage/lineage.h"
#include "slipway_torch.h"
#include "tracking/tracking.h"
#include "training/templates.h"

#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX (16 << 20) /* bytes; 10,000 classes and columns with their names fit */

static const struct field LAYER_REPORT_FIELDS[] = {
    FIELD(INT, struct layer_report, index),
    FIELD(STRING, struct layer_report, type),
    FIELD(JSON, struct layer_report, output, .typescript = "number[]"),
    FIELD(INT, struct layer_report, parameters),
};
static SHAPE(LAYER_REPORT_SHAPE, "LayerReport", struct layer_report, LAYER_REPORT_FIELDS);

static const struct field SPEC_REPORT_FIELDS[] = {
    FIELD(LIST, struct spec_report, layers, .nested = &LAYER_REPORT_SHAPE),
    FIELD(INT, struct spec_report, parameters),
    FIELD(INT, struct spec_report, steps_per_epoch),
    FIELD(INT, struct spec_report, steps),
};
SHAPE(SPEC_REPORT_SHAPE, "SpecReport", struct spec_report, SPEC_REPORT_FIELDS);

static int64_t integer_of(json_t *object, const char *name, int64_t absent) {
    json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

/* A last batch of one sample is left out by the runner: batch normalisation cannot use it. */
static int64_t steps_per_epoch(int64_t rows, int64_t batch) {
    return rows / batch + (rows % batch > 1 ? 1 : 0);
}

static enum err split_check(struct ctx *cx, const struct dataset_version *version, json_t *spec) {
    if (integer_of(version->splits, "train", 0) < 2)
        return fail_field(cx, ERR_UNPROCESSABLE, "dataset_version_id",
                          "the train split of this version has fewer than two rows");
    json_t *stopping = json_object_get(spec, "early_stopping");
    if (json_is_object(stopping) && integer_of(version->splits, "validation", 0) == 0)
        return fail_field(cx, ERR_UNPROCESSABLE, "spec.early_stopping",
                          "early stopping needs a validation split, and this version has none");
    return OK;
}

static enum err report_decode(struct ctx *cx, const char *text,
                              const struct dataset_version *version, json_t *spec,
                              struct spec_report *ret) {
    auto_json *report = json_loads(text, 0, NULL);
    size_t count = json_array_size(json_object_get(report, "layers"));
    struct layer_report *layers = arena_new_array(cx->arena, struct layer_report, count + 1);
    for (size_t i = 0; i < count; i++) {
        json_t *layer = json_array_get(json_object_get(report, "layers"), i);
        TRY(field_decode(cx->arena, &LAYER_REPORT_SHAPE, layer, &layers[i], NULL, &cx->err));
    }
    int64_t batch = integer_of(spec, "batch_size", 128);
    int64_t steps = steps_per_epoch(integer_of(version->splits, "train", 0), batch);
    *ret = (struct spec_report){.layers = {layers, count},
                                .parameters = integer_of(report, "parameters", 0),
                                .steps_per_epoch = steps,
                                .steps = steps * integer_of(spec, "epochs", 5)};
    return OK;
}

static enum err manifest_read(struct ctx *cx, const struct dataset_version *version,
                              const char **ret) {
    struct dataset_file file;
    size_t size;
    TRY(dataset_file_get(cx, version->id, "manifest.json", &file));
    return blob_read(cx, file.sha256, MANIFEST_MAX, ret, &size);
}

static enum err spec_check(struct ctx *cx, const char *manifest, json_t *spec, char **ret_report) {
    auto_free char *text = json_dumps(spec, JSON_COMPACT | JSON_ENCODE_ANY);
    tsh_error err = {0};
    tsh_code code = tsh_spec_check(text ? text : "null", manifest, ret_report, &err);
    if (code == TSH_OK)
        return OK;
    if (code == TSH_EOOM || code == TSH_EIO || code == TSH_EINTERNAL)
        return fail(cx, ERR_INTERNAL, "the spec could not be checked");
    const char *field = arena_printf(cx->arena, "spec%s%s", err.field[0] ? "." : "", err.field);
    return fail_field(cx, ERR_UNPROCESSABLE, field, "%s", err.message);
}

enum err training_check(struct ctx *cx, const struct dataset_version *version, json_t *spec,
                        struct spec_report *ret) {
    const char *manifest;
    TRY(split_check(cx, version, spec));
    TRY(manifest_read(cx, version, &manifest));
    auto_free char *report = NULL;
    TRY(spec_check(cx, manifest, spec, &report));
    return report_decode(cx, report, version, spec, ret);
}

enum err training_templates(struct ctx *cx, const struct dataset_version *version,
                            struct list *ret) {
    struct list all = templates_for(cx->arena, version);
    struct template *items = all.items;
    const char *manifest;
    TRY(manifest_read(cx, version, &manifest));
    size_t kept = 0;
    for (size_t i = 0; i < all.count; i++) {
        auto_free char *report = NULL;
        enum err err = spec_check(cx, manifest, items[i].spec, &report);
        if (err == OK)
            items[kept++] = items[i];
        else if (err != ERR_UNPROCESSABLE)
            return err;
    }
    *ret = (struct list){items, kept};
    return OK;
}

/* data.safetensors and manifest.json of the version, as the job's inputs. */
static enum err job_inputs(struct ctx *cx, const struct dataset_version *version,
                           struct job_input ret[2]) {
    static const char *const NAMES[2] = {"data.safetensors", "manifest.json"};
    for (size_t i = 0; i < 2; i++) {
        struct dataset_file file;
        TRY(dataset_file_get(cx, version->id, NAMES[i], &file));
        ret[i] = (struct job_input){.name = NAMES[i], .file_name = NAMES[i], .sha256 = file.sha256};
    }
    return OK;
}

enum err training_start(struct ctx *cx, const struct dataset_version *version,
                        const struct training_options *options, const char **ret_run_id) {
    const char *name = options->name
                           ? options->name
                           : arena_printf(cx->arena, "%.200s v%lld", version->dataset_name,
                                          (long long)version->version);
    struct job_input inputs[2];
    TRY(job_inputs(cx, version, inputs));
    const char *run_id;
    TRY(run_create(cx,
                   &(struct run_create){.project_id = options->project_id,
                                        .experiment = options->experiment,
                                        .name = name,
                                        .dataset_version_id = version->id,
                                        .spec = options->spec},
                   &run_id));
    struct job job;
    TRY(job_create(cx,
                   &(struct job_create){.kind = "train",
                                        .name = name,
                                        .project_id = options->project_id,
                                        .subject_id = run_id,
                                        .spec = options->spec,
                                        .inputs = inputs,
                                        .input_count = 2},
                   &job));
    TRY(run_attach_job(cx, run_id, job.id));
    TRY(lineage_edge(cx, NODE_DATASET_VERSION, version->id, NODE_RUN, run_id, "trained_on"));
    TRY(lineage_edge(cx, NODE_JOB, job.id, NODE_RUN, run_id, "produced"));
    *ret_run_id = run_id;
    return OK;
}
