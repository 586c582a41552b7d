/* One action for many runs of a project. */
#pragma once

#include "base/field.h"
#include "ctx.h"

#define RUN_BULK_MAX 1000

enum run_action { RUN_TAG, RUN_UNTAG, RUN_MOVE, RUN_ARCHIVE, RUN_RESTORE, RUN_DELETE };
extern const char *const RUN_ACTION_NAMES[];

struct run_bulk {
    const char *project_id;
    struct list ids;           /* const char *; one given twice counts once */
    int action;                /* enum run_action */
    const char *key, *value;   /* tag, untag */
    const char *experiment_id; /* move: of the same project, and active */
};

struct run_bulk_done {
    int action;
    int64_t runs, changed; /* that were named; that were not so before */
};

/* All of them or none: ERR_NOT_FOUND names the first that is not in the project, ERR_CONFLICT one
 * that the action is not for (delete wants archived ones, tag, untag and move active ones). */
MUST_USE enum err runs_bulk(struct ctx *cx, const struct run_bulk *bulk, struct run_bulk_done *ret);
