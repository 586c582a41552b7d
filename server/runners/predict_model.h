/* predict_model.h: a registered version, loaded: the net, its preprocessing and its class names.
 * Read-only once loaded, so every connection's thread may use it. */
#pragma once

#include "runners/features.h"
#include "shim/slipway_torch.h"

struct predict_model {
    json_t *json; /* model.json; owned */
    struct features features;
    char name[128], version[32]; /* as the answers call it; the name is written as JSON below */
    char *name_json;             /* quoted and escaped; owned */
    char **labels;               /* class names, quoted and escaped, NULL for mse; owned */
    size_t outputs;              /* classes, or 1 */
    tsh_ctx *ctx;
    tsh_net *net;
};

#define auto_predict_model __attribute__((cleanup(predict_model_done)))

/* Loads the inputs "model.json" and "model.safetensors" and answers once, to warm up. */
MUST_USE enum run predict_model_load(struct runner *rn, struct predict_model *ret);
void predict_model_done(struct predict_model *m);
