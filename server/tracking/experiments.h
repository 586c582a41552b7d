/* Experiments: what runs are grouped by. Each has a number in its project, from 0 ("Default", made
 * with the project), which is its name in MLflow, and may stand in a folder ("vision/ablation").
 *
 *     active <-> archived (with the runs that were active) -> deleted for good
 *
 * A name stays taken while its experiment is archived. */
#pragma once

#include "ctx.h"
#include "db/db.h"

enum lifecycle { LIFECYCLE_ACTIVE, LIFECYCLE_ARCHIVED, LIFECYCLE_ALL };
extern const char *const LIFECYCLE_NAMES[];

struct experiment {
    const char *id, *project_id, *name, *description; /* Markdown */
    const char *folder;                               /* "" = none */
    const char *artifact_location;                    /* as MLflow was given it; or NULL */
    int64_t number, runs;                             /* runs that are not archived */
    int64_t created_at, updated_at, archived_at;      /* archived_at 0 = active */
    json_t *tags;                                     /* an object of text */
};

struct experiment_create {
    const char *project_id, *name;
    const char *description, *folder, *artifact_location; /* or NULL */
    json_t *tags;                                         /* an object of text; or NULL */
};

extern const struct shape EXPERIMENT_SHAPE;

/* ERR_CONFLICT when the name is taken, by an archived experiment too. */
MUST_USE enum err experiment_create(struct ctx *cx, const struct experiment_create *options,
                                    const char **ret_id);
MUST_USE enum err experiment_get(struct ctx *cx, const char *id, struct experiment *ret);
/* Archived ones are found too. */
MUST_USE enum err experiment_find(struct ctx *cx, const char *project_id, int64_t number,
                                  struct experiment *ret, bool *ret_found);
MUST_USE enum err experiment_find_by_name(struct ctx *cx, const char *project_id, const char *name,
                                          struct experiment *ret, bool *ret_found);
/* The active experiment of that name, made if need be; name NULL = number 0. */
MUST_USE enum err experiment_ensure(struct ctx *cx, const char *project_id, const char *name,
                                    const char **ret_id);

/* Each of these: ERR_NOT_FOUND, or ERR_CONFLICT when the experiment is archived. */
MUST_USE enum err experiment_rename(struct ctx *cx, const char *id, const char *name);
MUST_USE enum err experiment_describe(struct ctx *cx, const char *id, const char *description);
MUST_USE enum err experiment_move(struct ctx *cx, const char *id, const char *folder);
MUST_USE enum err experiment_set_tag(struct ctx *cx, const char *id, const char *key,
                                     const char *value);
MUST_USE enum err experiment_delete_tag(struct ctx *cx, const char *id, const char *key,
                                        bool *ret_found);

/* Repeating either is fine. Restoring brings the runs back that were archived with it. Both commit
 * as they go when there are many runs: repeating what was cut off ends it. */
MUST_USE enum err experiment_archive(struct ctx *cx, const char *id);
MUST_USE enum err experiment_restore(struct ctx *cx, const char *id);
/* For good, with its runs; ERR_CONFLICT unless it is archived. Number 0 stays. Commits as it goes
 * when there are many runs: what is left after a failure is still archived. */
MUST_USE enum err experiment_delete(struct ctx *cx, const char *id);
