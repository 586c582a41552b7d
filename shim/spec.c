/* spec.c: the train spec but for its layers, the learning-rate schedules, which columns of a table
 * a spec uses, and tsh_spec_check, which puts them together for slipwayd. */
#include "spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC_TEXT_MAX = 1 << 20, MANIFEST_TEXT_MAX = 64 << 20, FEATURES_MAX = 1 << 20 };

static const char *const OPTIMIZERS[] = {"sgd", "adam", "adamw", NULL};
static const char *const SCHEDULES[] = {"constant", "step", "cosine", "one_cycle", NULL};
static const char *const DEVICES[] = {"auto", "cpu", "cuda", NULL};
static const char *const STOP_METRICS[] = {"none",     "val/loss", "val/accuracy",
                                           "val/rmse", "val/mae",  NULL};

/* The choices are read as unsigned, whatever type the enumeration has; checked once here. */
_Static_assert(sizeof(enum optimizer_type) == sizeof(unsigned), "choices are stored as unsigned");

#define AT(member) offsetof(struct train_spec, member)

static const struct member SPEC_MEMBERS[] = {
    {.name = "model", .type = MEMBER_OTHER, .required = true},
    {.name = "target", .type = MEMBER_OTHER},
    {.name = "features", .type = MEMBER_OTHER},
    {.name = "optimizer", .type = MEMBER_OTHER},
    {.name = "schedule", .type = MEMBER_OTHER},
    {.name = "early_stopping", .type = MEMBER_OTHER},
    {.name = "clip_norm", .type = MEMBER_OTHER},
    {.name = "batch_size",
     .type = MEMBER_INTEGER,
     .offset = AT(batch_size),
     .min = 1,
     .max = 65536},
    {.name = "epochs", .type = MEMBER_INTEGER, .offset = AT(epochs), .min = 1, .max = 100000},
    {.name = "seed", .type = MEMBER_INTEGER, .offset = AT(seed), .max = 9007199254740992.0},
    {.name = "device", .type = MEMBER_CHOICE, .offset = AT(device), .choices = DEVICES},
    {.name = "label_smoothing", .type = MEMBER_NUMBER, .offset = AT(label_smoothing), .max = 0.9},
    {.name = "checkpoint_seconds",
     .type = MEMBER_NUMBER,
     .offset = AT(checkpoint_seconds),
     .min = 0.1,
     .max = 86400},
};

static const struct member OPTIMIZER_MEMBERS[] = {
    {.name = "type", .type = MEMBER_CHOICE, .offset = AT(optimizer.type), .choices = OPTIMIZERS},
    {.name = "lr", .type = MEMBER_NUMBER, .offset = AT(optimizer.lr), .max = 1000},
    {.name = "momentum", .type = MEMBER_NUMBER, .offset = AT(optimizer.momentum), .max = 0.9999},
    {.name = "nesterov", .type = MEMBER_BOOLEAN, .offset = AT(optimizer.nesterov)},
    {.name = "betas", .type = MEMBER_OTHER},
    {.name = "eps", .type = MEMBER_NUMBER, .offset = AT(optimizer.eps), .min = 1e-16, .max = 1},
    {.name = "weight_decay",
     .type = MEMBER_NUMBER,
     .offset = AT(optimizer.weight_decay),
     .max = 10},
};

static const struct member SCHEDULE_MEMBERS[] = {
    {.name = "type", .type = MEMBER_CHOICE, .offset = AT(schedule.type), .choices = SCHEDULES},
    {.name = "warmup_fraction",
     .type = MEMBER_NUMBER,
     .offset = AT(schedule.warmup_fraction),
     .max = 0.9},
    {.name = "step_epochs",
     .type = MEMBER_INTEGER,
     .offset = AT(schedule.step_epochs),
     .min = 1,
     .max = 100000},
    {.name = "gamma", .type = MEMBER_NUMBER, .offset = AT(schedule.gamma), .max = 1},
    {.name = "final_lr_fraction",
     .type = MEMBER_NUMBER,
     .offset = AT(schedule.final_lr_fraction),
     .max = 1},
};

static const struct member STOP_MEMBERS[] = {
    {.name = "metric",
     .type = MEMBER_CHOICE,
     .offset = AT(early_stopping.metric),
     .choices = STOP_METRICS},
    {.name = "patience",
     .type = MEMBER_INTEGER,
     .offset = AT(early_stopping.patience),
     .min = 1,
     .max = 10000},
    {.name = "min_delta",
     .type = MEMBER_NUMBER,
     .offset = AT(early_stopping.min_delta),
     .max = 1e9},
};

#define MEMBERS(table) table, sizeof table / sizeof *table

static bool read_betas(const json_t *betas, struct train_spec *spec, tsh_error *err) {
    if (!betas)
        return true;
    double b1 = json_number_value(json_array_get(betas, 0));
    double b2 = json_number_value(json_array_get(betas, 1));
    if (json_array_size(betas) != 2 || !(b1 >= 0 && b1 < 1) || !(b2 > 0 && b2 < 1))
        return spec_fail(err, TSH_ESPEC, "optimizer.betas",
                         "optimizer.betas must be two numbers below 1");
    spec->optimizer.beta1 = b1;
    spec->optimizer.beta2 = b2;
    return true;
}

static bool read_optimizer(const json_t *json, struct train_spec *spec, tsh_error *err) {
    spec->optimizer.type = OPTIMIZER_ADAMW;
    spec->optimizer.lr = -1;
    spec->optimizer.weight_decay = -1;
    spec->optimizer.momentum = 0.9;
    spec->optimizer.beta1 = 0.9;
    spec->optimizer.beta2 = 0.999;
    spec->optimizer.eps = 1e-8;
    if (json && (!members_read(json, "optimizer", MEMBERS(OPTIMIZER_MEMBERS), spec, err) ||
                 !read_betas(json_object_get(json, "betas"), spec, err)))
        return false;
    bool sgd = spec->optimizer.type == OPTIMIZER_SGD;
    if (spec->optimizer.lr < 0)
        spec->optimizer.lr = sgd ? 0.01 : 0.001;
    if (spec->optimizer.weight_decay < 0)
        spec->optimizer.weight_decay = spec->optimizer.type == OPTIMIZER_ADAMW ? 0.01 : 0;
    if (spec->optimizer.nesterov && spec->optimizer.momentum <= 0)
        return spec_fail(err, TSH_ESPEC, "optimizer.nesterov", "nesterov needs a momentum above 0");
    return true;
}

static bool read_stop(const json_t *json, struct train_spec *spec, tsh_error *err) {
    spec->early_stopping.patience = 3;
    if (!json || json_is_null(json))
        return true;
    spec->early_stopping.metric = STOP_VAL_LOSS;
    if (!members_read(json, "early_stopping", MEMBERS(STOP_MEMBERS), spec, err))
        return false;
    bool for_mse = spec->early_stopping.metric >= STOP_VAL_RMSE;
    bool for_classes = spec->early_stopping.metric == STOP_VAL_ACCURACY;
    if (spec->loss == LOSS_MSE ? for_classes : for_mse)
        return spec_fail(err, TSH_ESPEC, "early_stopping.metric",
                         "this loss does not produce the metric %s",
                         STOP_METRICS[spec->early_stopping.metric]);
    return true;
}

static bool read_clip(const json_t *json, struct train_spec *spec, tsh_error *err) {
    if (!json || json_is_null(json))
        return true;
    spec->clip_norm = json_number_value(json);
    if (!(spec->clip_norm > 0 && spec->clip_norm <= 1e6))
        return spec_fail(err, TSH_ESPEC, "clip_norm", "clip_norm must be a number above 0 or null");
    return true;
}

static bool read_columns(const json_t *json, struct train_spec *spec, tsh_error *err) {
    const json_t *target = json_object_get(json, "target");
    if (target && !json_is_string(target) && !json_is_null(target))
        return spec_fail(err, TSH_ESPEC, "target", "target must be the name of a column or null");
    spec->target = json_string_value(target);
    const json_t *features = json_object_get(json, "features");
    if (!features || json_is_null(features))
        return true;
    if (json_array_size(features) == 0)
        return spec_fail(err, TSH_ESPEC, "features", "features must be a list of columns or null");
    size_t i;
    json_t *name;
    json_array_foreach(features, i, name) {
        if (!json_is_string(name))
            return spec_fail(err, TSH_ESPEC, "features",
                             "features must be a list of columns or null");
    }
    spec->features = features;
    return true;
}

bool train_spec_read(const json_t *json, struct train_spec *ret, tsh_error *err) {
    struct train_spec spec = {.batch_size = 128, .epochs = 5, .checkpoint_seconds = 10};
    if (!members_read(json, "", MEMBERS(SPEC_MEMBERS), &spec, err))
        return false;
    const char *loss = json_string_value(json_object_get(json_object_get(json, "model"), "loss"));
    spec.loss = loss && strcmp(loss, "mse") == 0 ? LOSS_MSE : LOSS_CROSS_ENTROPY;
    const json_t *schedule = json_object_get(json, "schedule");
    spec.schedule.step_epochs = 10;
    spec.schedule.gamma = 0.1;
    if (schedule && !members_read(schedule, "schedule", MEMBERS(SCHEDULE_MEMBERS), &spec, err))
        return false;
    if (!read_optimizer(json_object_get(json, "optimizer"), &spec, err) ||
        !read_stop(json_object_get(json, "early_stopping"), &spec, err) ||
        !read_clip(json_object_get(json, "clip_norm"), &spec, err) ||
        !read_columns(json, &spec, err))
        return false;
    *ret = spec;
    return true;
}

/* Half a cosine from `from` at t = 0 to `to` at t = 1. */
static double anneal(double from, double to, double t) {
    return to + (from - to) * (1 + cos(M_PI * t)) / 2;
}

double train_spec_lr(const struct train_spec *spec, int64_t step, int64_t steps_per_epoch) {
    double lr = spec->optimizer.lr, end = lr * spec->schedule.final_lr_fraction;
    double total = (double)(steps_per_epoch * spec->epochs);
    bool one_cycle = spec->schedule.type == SCHEDULE_ONE_CYCLE;
    double fraction = spec->schedule.warmup_fraction;
    if (one_cycle && fraction <= 0)
        fraction = 0.3; /* as PyTorch's OneCycleLR */
    double warm = floor(fraction * total);
    if ((double)step < warm)
        return one_cycle ? anneal(lr / 25, lr, (double)step / warm)
                         : lr * (double)(step + 1) / warm;
    double t = total - warm > 1 ? ((double)step - warm) / (total - warm - 1) : 1;
    switch (spec->schedule.type) {
    case SCHEDULE_CONSTANT:
        return lr;
    case SCHEDULE_STEP:
        return lr * pow(spec->schedule.gamma,
                        (double)(step / steps_per_epoch / spec->schedule.step_epochs));
    case SCHEDULE_COSINE:
    case SCHEDULE_ONE_CYCLE:
        return anneal(lr, end, fmin(t, 1));
    }
    return lr;
}

static const char *column_text(const json_t *column, const char *member) {
    const char *text = json_string_value(json_object_get(column, member));
    return text ? text : "";
}

static bool column_is(const json_t *column, const char *type) {
    return strcmp(column_text(column, "type"), type) == 0;
}

static bool column_is_feature(const json_t *column) {
    return column_is(column, "numeric") || column_is(column, "boolean") ||
           column_is(column, "categorical");
}

static bool column_find(const json_t *columns, const char *name, size_t *ret) {
    size_t i;
    json_t *column;
    json_array_foreach(columns, i, column) {
        if (strcmp(column_text(column, "name"), name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

int64_t table_column_width(const json_t *column, bool has_nulls) {
    if (column_is(column, "categorical"))
        return (int64_t)json_array_size(json_object_get(column, "levels"));
    return has_nulls ? 2 : 1;
}

void table_plan_done(struct table_plan *plan) {
    free(plan->features);
    json_decref(plan->classes);
    *plan = (struct table_plan){0};
}

/* The target's classes, owned by the plan; a boolean has two. */
static bool plan_target(const json_t *manifest, const struct train_spec *spec,
                        struct table_plan *plan, tsh_error *err) {
    const json_t *columns = json_object_get(manifest, "columns");
    const char *name = spec->target ? spec->target : column_text(manifest, "target");
    if (!*name)
        return spec_fail(err, TSH_ESPEC, "target",
                         "the data set has no target column; name one in \"target\"");
    if (!column_find(columns, name, &plan->target))
        return spec_fail(err, TSH_ESPEC, "target", "column \"%.80s\" does not exist", name);
    const json_t *column = json_array_get(columns, plan->target);
    if (spec->loss == LOSS_MSE) {
        if (!column_is(column, "numeric"))
            return spec_fail(err, TSH_ESPEC, "target",
                             "loss mse needs a numeric target, and \"%.80s\" is %s", name,
                             column_text(column, "type"));
        return true;
    }
    if (column_is(column, "boolean"))
        plan->classes = json_pack("[s,s]", "false", "true");
    else if (column_is(column, "categorical"))
        plan->classes = json_incref(json_object_get(column, "levels"));
    if (json_array_size(plan->classes) < 2)
        return spec_fail(err, TSH_ESPEC, "target",
                         "loss cross_entropy needs a categorical or boolean target of at least 2 "
                         "classes, and \"%.80s\" is %s",
                         name, column_text(column, "type"));
    return true;
}

static bool plan_named_features(const json_t *columns, const json_t *names, struct table_plan *plan,
                                tsh_error *err) {
    size_t i;
    json_t *item;
    json_array_foreach(names, i, item) {
        const char *name = json_string_value(item);
        size_t at;
        if (!column_find(columns, name, &at) || at == plan->target)
            return spec_fail(err, TSH_ESPEC, "features", "column \"%.80s\" %s", name,
                             column_find(columns, name, &at) ? "is the target" : "does not exist");
        if (!column_is_feature(json_array_get(columns, at)))
            return spec_fail(err, TSH_ESPEC, "features",
                             "column \"%.80s\" is %s; a feature is numeric, boolean or categorical",
                             name, column_text(json_array_get(columns, at), "type"));
        for (size_t k = 0; k < plan->n_features; k++)
            if (plan->features[k] == at)
                return spec_fail(err, TSH_ESPEC, "features", "column \"%.80s\" is named twice",
                                 name);
        plan->features[plan->n_features++] = at;
    }
    return true;
}

static bool plan_features(const json_t *manifest, const struct train_spec *spec,
                          struct table_plan *plan, tsh_error *err) {
    const json_t *columns = json_object_get(manifest, "columns");
    size_t most = json_array_size(columns) + json_array_size(spec->features);
    plan->features = calloc(most + 1, sizeof *plan->features);
    if (!plan->features)
        return spec_fail(err, TSH_EOOM, NULL, "memory is short for %zu columns", most);
    if (spec->features)
        return plan_named_features(columns, spec->features, plan, err);
    size_t i;
    json_t *column;
    json_array_foreach(columns, i, column) {
        if (i != plan->target && column_is_feature(column))
            plan->features[plan->n_features++] = i;
    }
    if (plan->n_features == 0)
        return spec_fail(
            err, TSH_ESPEC, "features",
            "the data set has no numeric, boolean or categorical column but the target");
    return true;
}

bool table_plan_read(const json_t *manifest, const struct train_spec *spec, struct table_plan *ret,
                     tsh_error *err) {
    struct table_plan plan = {0};
    if (!plan_target(manifest, spec, &plan, err) || !plan_features(manifest, spec, &plan, err)) {
        table_plan_done(&plan);
        return false;
    }
    *ret = plan;
    return true;
}

static bool table_io(const json_t *manifest, const struct train_spec *spec, struct model_io *ret,
                     tsh_error *err) {
    struct table_plan plan;
    if (!table_plan_read(manifest, spec, &plan, err))
        return false;
    const json_t *columns = json_object_get(manifest, "columns");
    int64_t width = 0;
    for (size_t i = 0; i < plan.n_features; i++) {
        const json_t *column = json_array_get(columns, plan.features[i]);
        width +=
            table_column_width(column, json_integer_value(json_object_get(column, "nulls")) > 0);
    }
    *ret = (struct model_io){{1, {width}}, (int64_t)json_array_size(plan.classes)};
    table_plan_done(&plan);
    if (width < 1 || width > FEATURES_MAX)
        return spec_fail(err, TSH_ESPEC, "features",
                         "the features become %lld numbers, at most %d fit", (long long)width,
                         FEATURES_MAX);
    return true;
}

static bool image_io(const json_t *manifest, const struct train_spec *spec, struct model_io *ret,
                     tsh_error *err) {
    if (spec->loss == LOSS_MSE)
        return spec_fail(err, TSH_ESPEC, "model.loss",
                         "loss mse needs a table with a numeric target");
    if (spec->features || spec->target)
        return spec_fail(err, TSH_ESPEC, spec->target ? "target" : "features",
                         "an image data set has no columns to choose");
    struct shape shape = {.ndim = 3};
    const json_t *dims = json_object_get(manifest, "shape");
    for (size_t i = 0; i < 3; i++) {
        shape.dim[i] = json_integer_value(json_array_get(dims, i));
        if (json_array_size(dims) != 3 || shape.dim[i] < 1 || shape.dim[i] > 8192)
            return spec_fail(err, TSH_EARG, NULL, "the data set's manifest has no usable shape");
    }
    int64_t classes = (int64_t)json_array_size(json_object_get(manifest, "classes"));
    if (classes < 2)
        return spec_fail(err, TSH_ESPEC, NULL, "the data set has %lld classes; training needs two",
                         (long long)classes);
    *ret = (struct model_io){shape, classes};
    return true;
}

bool model_io_read(const json_t *manifest, const struct train_spec *spec, struct model_io *ret,
                   tsh_error *err) {
    const char *kind = column_text(manifest, "kind");
    if (strcmp(kind, "image") == 0)
        return image_io(manifest, spec, ret, err);
    if (strcmp(kind, "table") == 0)
        return table_io(manifest, spec, ret, err);
    return spec_fail(err, TSH_EARG, NULL, "the data set's manifest is of no known kind");
}

json_t *model_report(const struct model *model) {
    json_t *layers = json_array();
    for (size_t i = 0; i < model->n_layers; i++) {
        const struct layer *layer = &model->layers[i];
        json_t *output = json_array();
        for (int k = 0; k < layer->result.ndim; k++)
            json_array_append_new(output, json_integer(layer->result.dim[k]));
        json_array_append_new(layers,
                              json_pack("{s:I, s:s, s:o, s:I}", "index", (json_int_t)i, "type",
                                        layer_type_name(layer->type), "output", output,
                                        "parameters", (json_int_t)layer->parameters));
    }
    return json_pack("{s:o, s:I}", "layers", layers, "parameters", (json_int_t)model->parameters);
}

static bool parse_text(const char *text, size_t max, const char *what, json_t **ret,
                       tsh_error *err) {
    json_error_t why;
    size_t size = text ? strlen(text) : 0;
    if (size == 0 || size > max)
        return spec_fail(err, TSH_EARG, NULL, "the %s is empty or larger than %zu bytes", what,
                         max);
    *ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    return *ret || spec_fail(err, TSH_ESPEC, NULL, "the %s is not valid JSON: line %d: %s", what,
                             why.line, why.text);
}

static bool check(const json_t *spec_json, const json_t *manifest, char **ret_report,
                  tsh_error *err) {
    struct train_spec spec;
    struct model_io io;
    struct model model;
    if (!train_spec_read(spec_json, &spec, err) || !model_io_read(manifest, &spec, &io, err) ||
        !model_read(json_object_get(spec_json, "model"), &io, &model, err))
        return false;
    json_auto_t *report = model_report(&model);
    model_done(&model);
    char *text = json_dumps(report, JSON_COMPACT);
    if (!text)
        return spec_fail(err, TSH_EOOM, NULL, "memory is short for the report");
    *ret_report = text;
    return true;
}

tsh_code tsh_spec_check(const char *spec, const char *manifest, char **ret_report, tsh_error *err) {
    json_auto_t *spec_json = NULL;
    json_auto_t *manifest_json = NULL;
    *err = (tsh_error){0};
    if (!parse_text(spec, SPEC_TEXT_MAX, "spec", &spec_json, err) ||
        !parse_text(manifest, MANIFEST_TEXT_MAX, "manifest", &manifest_json, err) ||
        !check(spec_json, manifest_json, ret_report, err))
        return err->code;
    return TSH_OK;
}
