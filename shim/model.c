/* model.c: a JSON list of layers becomes a checked list of struct layer.
 *
 * Each row of LAYER_KINDS names a layer, its members and the rule that turns the shape it gets into
 * the shape it gives, counting parameters. A refusal names the layer's index and both shapes. The
 * totals are bounded here, before anybody allocates: MODEL_* below. */
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MODEL_LAYERS_MAX = 256,         /* in one list */
    MODEL_DEPTH_MAX = 4,            /* of residual in residual */
    MODEL_DIM_MAX = 1 << 20,        /* features or channels */
    MODEL_SAMPLE_MAX = 1 << 26,     /* numbers of one sample after a layer */
    MODEL_PARAMETERS_MAX = 1 << 29, /* 2 GiB of weights, three times that while training */
};

/* Where reading stands: what every rule may need besides its layer. */
struct reading {
    const struct model_io *io;
    tsh_error *err;
    int depth;
};

typedef bool shape_rule(struct layer *layer, const char *path, struct reading *at);

struct layer_kind {
    const char *name;
    shape_rule *rule;
    const struct member *members;
    size_t n_members;
};

const char *shape_to_string(const struct shape *shape, char text[SHAPE_TEXT_BYTES]) {
    size_t used = (size_t)snprintf(text, SHAPE_TEXT_BYTES, "[");
    for (int i = 0; i < shape->ndim; i++)
        used += (size_t)snprintf(text + used, SHAPE_TEXT_BYTES - used, "%s%lld", i ? ", " : "",
                                 (long long)shape->dim[i]);
    snprintf(text + used, SHAPE_TEXT_BYTES - used, "]");
    return text;
}

bool shape_equal(const struct shape *a, const struct shape *b) {
    return a->ndim == b->ndim && memcmp(a->dim, b->dim, (size_t)a->ndim * sizeof *a->dim) == 0;
}

int64_t shape_count(const struct shape *shape) {
    int64_t count = 1;
    for (int i = 0; i < shape->ndim; i++)
        count *= shape->dim[i];
    return count;
}

static bool misfit(const struct layer *layer, const char *path, const char *wanted,
                   const char *advice, struct reading *at) {
    char text[SHAPE_TEXT_BYTES];
    return spec_fail(at->err, TSH_ESHAPE, path, "%s (%s) needs an input of shape %s but gets %s%s",
                     path, layer_type_name(layer->type), wanted, shape_to_string(&layer->in, text),
                     advice);
}

static bool rule_same(struct layer *layer, const char *path, struct reading *at) {
    (void)path;
    (void)at;
    layer->result = layer->in;
    return true;
}

static bool rule_linear(struct layer *layer, const char *path, struct reading *at) {
    if (layer->in.ndim != 1)
        return misfit(layer, path, "[features]", "; put a flatten before it", at);
    layer->result = (struct shape){1, {layer->out}};
    layer->parameters = layer->out * (layer->in.dim[0] + (layer->bias ? 1 : 0));
    return true;
}

/* Output length of a window that slides over n; at most 0 when it does not fit. */
static int64_t window_count(const struct layer *layer, int64_t n) {
    int64_t room = n + 2 * layer->padding - layer->kernel;
    return room < 0 ? 0 : room / layer->stride + 1;
}

static bool rule_window(struct layer *layer, const char *path, struct reading *at) {
    if (layer->in.ndim != 3)
        return misfit(layer, path, "[channels, height, width]", "", at);
    char wanted[64];
    int64_t least = layer->kernel - 2 * layer->padding;
    least = least < 1 ? 1 : least;
    snprintf(wanted, sizeof wanted, "[%lld, at least %lld, at least %lld]",
             (long long)layer->in.dim[0], (long long)least, (long long)least);
    int64_t h = window_count(layer, layer->in.dim[1]), w = window_count(layer, layer->in.dim[2]);
    if (h < 1 || w < 1)
        return misfit(layer, path, wanted, "", at);
    layer->result = (struct shape){3, {layer->in.dim[0], h, w}};
    return true;
}

static bool rule_conv2d(struct layer *layer, const char *path, struct reading *at) {
    if (!rule_window(layer, path, at))
        return false;
    layer->result.dim[0] = layer->out;
    int64_t fan_in = layer->in.dim[0] * layer->kernel * layer->kernel;
    layer->parameters = layer->out * (fan_in + (layer->bias ? 1 : 0));
    return true;
}

/* A pool's padding may not exceed half its kernel: a window would see padding only. */
static bool rule_pool(struct layer *layer, const char *path, struct reading *at) {
    if (layer->padding > layer->kernel / 2)
        return spec_fail(at->err, TSH_ESPEC, path,
                         "%s: padding %lld is more than half of kernel %lld", path,
                         (long long)layer->padding, (long long)layer->kernel);
    return rule_window(layer, path, at);
}

static bool rule_global_avgpool2d(struct layer *layer, const char *path, struct reading *at) {
    if (layer->in.ndim != 3)
        return misfit(layer, path, "[channels, height, width]", "", at);
    layer->result = (struct shape){1, {layer->in.dim[0]}};
    return true;
}

static bool rule_batchnorm(struct layer *layer, const char *path, struct reading *at) {
    layer->parameters = 2 * layer->in.dim[0];
    return rule_same(layer, path, at);
}

static bool rule_layernorm(struct layer *layer, const char *path, struct reading *at) {
    layer->parameters = 2 * shape_count(&layer->in);
    return rule_same(layer, path, at);
}

static bool rule_flatten(struct layer *layer, const char *path, struct reading *at) {
    (void)path;
    (void)at;
    layer->result = (struct shape){1, {shape_count(&layer->in)}};
    return true;
}

static bool rule_residual(struct layer *layer, const char *path, struct reading *at) {
    struct shape end = layer->n_inner ? layer->inner[layer->n_inner - 1].result : layer->in;
    if (!shape_equal(&layer->in, &end)) {
        char in[SHAPE_TEXT_BYTES], out[SHAPE_TEXT_BYTES];
        return spec_fail(at->err, TSH_ESHAPE, path,
                         "%s (residual) turns %s into %s; both must be the same to be added", path,
                         shape_to_string(&layer->in, in), shape_to_string(&end, out));
    }
    for (size_t i = 0; i < layer->n_inner; i++)
        layer->parameters += layer->inner[i].parameters;
    return rule_same(layer, path, at);
}

#define TYPE_MEMBER                                                                                \
    { .name = "type", .type = MEMBER_OTHER }
#define BIAS_MEMBER                                                                                \
    { .name = "bias", .type = MEMBER_BOOLEAN, .offset = offsetof(struct layer, bias) }
#define INT_MEMBER(member, low, high, must)                                                        \
    {                                                                                              \
        .name = #member, .type = MEMBER_INTEGER, .offset = offsetof(struct layer, member),         \
        .min = low, .max = high, .required = must                                                  \
    }

static const struct member PLAIN_MEMBERS[] = {TYPE_MEMBER};
/* "out" and "padding" may be words: read_words turns them into numbers first. */
static const struct member LINEAR_MEMBERS[] = {TYPE_MEMBER, BIAS_MEMBER,
                                               INT_MEMBER(out, 1, MODEL_DIM_MAX, true)};
static const struct member CONV_MEMBERS[] = {
    TYPE_MEMBER,
    BIAS_MEMBER,
    INT_MEMBER(out, 1, MODEL_DIM_MAX, true),
    INT_MEMBER(kernel, 1, 64, true),
    INT_MEMBER(stride, 1, 64, false),
    INT_MEMBER(padding, 0, 64, false),
};
static const struct member POOL_MEMBERS[] = {
    TYPE_MEMBER,
    INT_MEMBER(kernel, 1, 64, true),
    INT_MEMBER(stride, 1, 64, false),
    INT_MEMBER(padding, 0, 32, false),
};
static const struct member DROPOUT_MEMBERS[] = {
    TYPE_MEMBER,
    {.name = "p", .type = MEMBER_NUMBER, .offset = offsetof(struct layer, p), .max = 0.95},
};
static const struct member RESIDUAL_MEMBERS[] = {
    TYPE_MEMBER, {.name = "layers", .type = MEMBER_OTHER, .required = true}};

#define MEMBERS(table) table, sizeof table / sizeof *table

static const struct layer_kind LAYER_KINDS[] = {
    [LAYER_LINEAR] = {"linear", rule_linear, MEMBERS(LINEAR_MEMBERS)},
    [LAYER_CONV2D] = {"conv2d", rule_conv2d, MEMBERS(CONV_MEMBERS)},
    [LAYER_MAXPOOL2D] = {"maxpool2d", rule_pool, MEMBERS(POOL_MEMBERS)},
    [LAYER_AVGPOOL2D] = {"avgpool2d", rule_pool, MEMBERS(POOL_MEMBERS)},
    [LAYER_GLOBAL_AVGPOOL2D] = {"global_avgpool2d", rule_global_avgpool2d, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_BATCHNORM] = {"batchnorm", rule_batchnorm, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_LAYERNORM] = {"layernorm", rule_layernorm, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_RELU] = {"relu", rule_same, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_GELU] = {"gelu", rule_same, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_SILU] = {"silu", rule_same, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_TANH] = {"tanh", rule_same, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_SIGMOID] = {"sigmoid", rule_same, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_DROPOUT] = {"dropout", rule_same, MEMBERS(DROPOUT_MEMBERS)},
    [LAYER_FLATTEN] = {"flatten", rule_flatten, MEMBERS(PLAIN_MEMBERS)},
    [LAYER_RESIDUAL] = {"residual", rule_residual, MEMBERS(RESIDUAL_MEMBERS)},
};

enum { LAYER_KIND_COUNT = sizeof LAYER_KINDS / sizeof *LAYER_KINDS };

const char *layer_type_name(enum layer_type type) {
    return LAYER_KINDS[type].name;
}

static bool read_type(const json_t *json, const char *path, enum layer_type *ret, tsh_error *err) {
    const char *name = json_string_value(json_object_get(json, "type"));
    for (unsigned i = 0; name && i < LAYER_KIND_COUNT; i++)
        if (strcmp(LAYER_KINDS[i].name, name) == 0) {
            *ret = (enum layer_type)i;
            return true;
        }
    return spec_fail(err, TSH_ESPEC, path, "%s has no known \"type\"", path);
}

/* "out": "classes" and "padding": "same" become numbers in json, which is a copy. */
static bool read_words(json_t *json, const char *path, const struct reading *at) {
    const json_t *out = json_object_get(json, "out");
    if (json_is_string(out)) {
        if (strcmp(json_string_value(out), "classes") != 0 || !at->io)
            return spec_fail(at->err, TSH_ESPEC, path,
                             "%s: \"out\" must be a number or \"classes\"", path);
        json_object_set_new(json, "out", json_integer(at->io->classes ? at->io->classes : 1));
    }
    const json_t *padding = json_object_get(json, "padding");
    if (!json_is_string(padding))
        return true;
    json_int_t kernel = json_integer_value(json_object_get(json, "kernel"));
    json_int_t stride = json_integer_value(json_object_get(json, "stride"));
    if (strcmp(json_string_value(padding), "same") != 0 || kernel % 2 == 0 || stride > 1)
        return spec_fail(at->err, TSH_ESPEC, path,
                         "%s: \"padding\" must be a number, or \"same\" with an odd kernel and "
                         "stride 1",
                         path);
    json_object_set_new(json, "padding", json_integer((kernel - 1) / 2));
    return true;
}

static bool read_layers(const json_t *json, const char *path, const struct shape *input,
                        struct reading *at, struct layer **ret, size_t *ret_count);

static bool check_size(const struct layer *layer, const char *path, tsh_error *err) {
    int64_t count = 1;
    for (int i = 0; i < layer->result.ndim; i++)
        if (__builtin_mul_overflow(count, layer->result.dim[i], &count) || count > MODEL_SAMPLE_MAX)
            return spec_fail(err, TSH_ESHAPE, path, "%s gives more than %d numbers a sample", path,
                             MODEL_SAMPLE_MAX);
    if (layer->parameters > MODEL_PARAMETERS_MAX)
        return spec_fail(err, TSH_ESPEC, path, "%s has more than %d parameters", path,
                         MODEL_PARAMETERS_MAX);
    return true;
}

static bool read_layer(const json_t *json, const char *path, const struct shape *input,
                       struct reading *at, struct layer *ret) {
    *ret = (struct layer){.in = *input, .bias = true, .p = 0.5};
    if (!json_is_object(json))
        return spec_fail(at->err, TSH_ESPEC, path, "%s must be an object", path);
    if (!read_type(json, path, &ret->type, at->err))
        return false;
    const struct layer_kind *kind = &LAYER_KINDS[ret->type];
    json_auto_t *copy = json_copy((json_t *)json);
    if (!read_words(copy, path, at) ||
        !members_read(copy, path, kind->members, kind->n_members, ret, at->err))
        return false;
    if (ret->stride == 0)
        ret->stride = ret->type == LAYER_CONV2D ? 1 : ret->kernel;
    if (ret->type == LAYER_RESIDUAL &&
        !read_layers(json_object_get(json, "layers"), path, input, at, &ret->inner, &ret->n_inner))
        return false;
    return kind->rule(ret, path, at) && check_size(ret, path, at->err);
}

static void layers_free(struct layer *layers, size_t count) {
    for (size_t i = 0; i < count; i++)
        layers_free(layers[i].inner, layers[i].n_inner);
    free(layers);
}

static bool read_layers(const json_t *json, const char *path, const struct shape *input,
                        struct reading *at, struct layer **ret, size_t *ret_count) {
    size_t count = json_array_size(json);
    if (count == 0 || count > MODEL_LAYERS_MAX || at->depth >= MODEL_DEPTH_MAX)
        return spec_fail(at->err, TSH_ESPEC, path,
                         "%s needs a list \"layers\" of 1 to %d layers, nested at most %d deep",
                         path, MODEL_LAYERS_MAX, MODEL_DEPTH_MAX);
    struct layer *layers = calloc(count, sizeof *layers);
    if (!layers)
        return spec_fail(at->err, TSH_EOOM, path, "memory is short for %zu layers", count);
    at->depth++;
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        char inner[128];
        snprintf(inner, sizeof inner, "%.100s.layers[%zu]", path, i);
        done = read_layer(json_array_get(json, i), inner, i ? &layers[i - 1].result : input, at,
                          &layers[i]);
    }
    at->depth--;
    if (!done) {
        layers_free(layers, count);
        return false;
    }
    *ret = layers;
    *ret_count = count;
    return true;
}

static const char *const LOSSES[] = {"cross_entropy", "mse", NULL};

static bool check_outputs(const struct model *model, tsh_error *err) {
    const struct layer *last = &model->layers[model->n_layers - 1];
    struct shape wanted = {1, {model->outputs}};
    char path[64], gives[SHAPE_TEXT_BYTES], needs[SHAPE_TEXT_BYTES];
    snprintf(path, sizeof path, "model.layers[%zu]", model->n_layers - 1);
    if (!shape_equal(&last->result, &wanted))
        return spec_fail(err, TSH_ESHAPE, path,
                         "%s (%s) is the last layer and gives %s, but %s needs %s", path,
                         layer_type_name(last->type), shape_to_string(&last->result, gives),
                         LOSSES[model->loss], shape_to_string(&wanted, needs));
    if (model->parameters == 0)
        return spec_fail(err, TSH_ESPEC, "model.layers", "the model has nothing to train");
    if (model->parameters > MODEL_PARAMETERS_MAX)
        return spec_fail(err, TSH_ESPEC, "model.layers",
                         "the model has %lld parameters, more than %d",
                         (long long)model->parameters, MODEL_PARAMETERS_MAX);
    return true;
}

/* outputs: what the loss needs, or 0 to take what the last layer gives. */
static bool read_network(const json_t *json, int64_t outputs, struct reading *at,
                         struct model *model) {
    if (!read_layers(json_object_get(json, "layers"), "model", &model->input, at, &model->layers,
                     &model->n_layers))
        return false;
    const struct layer *last = &model->layers[model->n_layers - 1];
    model->outputs = model->loss == LOSS_MSE ? 1 : outputs ? outputs : last->result.dim[0];
    for (size_t i = 0; i < model->n_layers; i++)
        model->parameters += model->layers[i].parameters;
    if (check_outputs(model, at->err))
        return true;
    model_done(model);
    return false;
}

static bool read_loss(const json_t *json, bool resolved, struct model *model, tsh_error *err) {
    struct {
        unsigned loss;
    } read = {LOSS_CROSS_ENTROPY};
    const struct member members[] = {
        {.name = "loss", .type = MEMBER_CHOICE, .choices = LOSSES, .required = resolved},
        {.name = "layers", .type = MEMBER_OTHER, .required = true},
        {.name = "input", .type = MEMBER_OTHER},
    };
    if (!members_read(json, "model", members, resolved ? 3 : 2, &read, err))
        return false;
    model->loss = (enum loss)read.loss;
    return true;
}

bool model_read(const json_t *json, const struct model_io *io, struct model *ret, tsh_error *err) {
    struct model model = {.input = io->input};
    struct reading at = {.io = io, .err = err};
    if (!read_loss(json, false, &model, err) || !read_network(json, io->classes, &at, &model))
        return false;
    *ret = model;
    return true;
}

static bool read_input(const json_t *json, struct shape *ret, tsh_error *err) {
    size_t n = json_array_size(json);
    *ret = (struct shape){.ndim = (int)n};
    if (n != 1 && n != 3)
        return spec_fail(err, TSH_ESPEC, "model.input", "model.input must have 1 or 3 numbers");
    for (size_t i = 0; i < n; i++) {
        const json_t *dim = json_array_get(json, i);
        ret->dim[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || ret->dim[i] < 1 || ret->dim[i] > MODEL_DIM_MAX)
            return spec_fail(err, TSH_ESPEC, "model.input",
                             "model.input must hold sizes from 1 to %d", MODEL_DIM_MAX);
    }
    if (n == 3 && ret->dim[0] * ret->dim[1] > MODEL_SAMPLE_MAX / ret->dim[2])
        return spec_fail(err, TSH_ESPEC, "model.input", "model.input is too large");
    return true;
}

bool model_read_resolved(const json_t *json, struct model *ret, tsh_error *err) {
    struct model model = {0};
    struct reading at = {.err = err};
    if (!read_loss(json, true, &model, err) ||
        !read_input(json_object_get(json, "input"), &model.input, err) ||
        !read_network(json, 0, &at, &model))
        return false;
    *ret = model;
    return true;
}

void model_done(struct model *model) {
    layers_free(model->layers, model->n_layers);
    *model = (struct model){0};
}

static json_t *layers_to_json(const struct layer *layers, size_t count);

static json_t *layer_to_json(const struct layer *layer) {
    json_t *json = json_pack("{s:s}", "type", layer_type_name(layer->type));
    const struct layer_kind *kind = &LAYER_KINDS[layer->type];
    for (size_t i = 0; i < kind->n_members; i++) {
        const struct member *m = &kind->members[i];
        const char *at = (const char *)layer + m->offset;
        if (m->type == MEMBER_INTEGER)
            json_object_set_new(json, m->name, json_integer(*(const int64_t *)at));
        else if (m->type == MEMBER_BOOLEAN)
            json_object_set_new(json, m->name, json_boolean(*(const bool *)at));
        else if (m->type == MEMBER_NUMBER)
            json_object_set_new(json, m->name, json_real(*(const double *)at));
    }
    if (layer->type == LAYER_RESIDUAL)
        json_object_set_new(json, "layers", layers_to_json(layer->inner, layer->n_inner));
    return json;
}

static json_t *layers_to_json(const struct layer *layers, size_t count) {
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, layer_to_json(&layers[i]));
    return json;
}

json_t *model_to_json(const struct model *model) {
    json_t *input = json_array();
    for (int i = 0; i < model->input.ndim; i++)
        json_array_append_new(input, json_integer(model->input.dim[i]));
    return json_pack("{s:o, s:o, s:s}", "input", input, "layers",
                     layers_to_json(model->layers, model->n_layers), "loss", LOSSES[model->loss]);
}
