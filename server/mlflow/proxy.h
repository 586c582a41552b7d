/* Paths of mlflow-artifacts:/ and whom they belong to. Shared by artifacts.c, which says what they
 * look like, and multipart.c. */
#pragma once

#include "mlflow/mlflow.h"
#include "tracking/tracking.h"

struct proxy_place {
    struct artifact_owner owner;
    const char *path; /* below the owner's artifacts; "" = all of them */
};

/* "Invalid path" unless a file may be called so. */
MUST_USE enum err proxy_check_path(struct ctx *cx, const char *path);
/* The place, if it is one of the request's project; else "No such artifact". */
MUST_USE enum err proxy_require(struct ctx *cx, const struct req *rq, const char *path,
                                struct proxy_place *ret);
