/* What the files of this folder share. */
#pragma once

#include "registry/registry.h"

struct registration {
    const char *project_id, *model, *run_id;
    const char *description; /* or NULL */
};

extern const struct shape MODEL_SHAPE;
extern const struct shape MODEL_VERSION_SHAPE;

MUST_USE enum err model_get(struct ctx *cx, const char *id, struct model *ret);
/* The run's model as the next version of the model of that name, which is made when absent.
 * ERR_CONFLICT when the run has not succeeded, has no model, or the name is another project's. */
MUST_USE enum err model_register(struct ctx *cx, const struct registration *options,
                                 struct model_version *ret);
