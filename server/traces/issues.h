/* Issues: what somebody, or a judge, found wrong with an application by its traces. An issue
 * belongs to an experiment; a trace has it by an assessment of the kind "issue" whose name is
 * "iss-" and the issue's id in 32 hex digits. */
#pragma once

#include "ctx.h"
#include "db/db.h"

extern const char *const ISSUE_STATUS_NAMES[];   /* "pending", "rejected", "resolved" */
extern const char *const ISSUE_SEVERITY_NAMES[]; /* from "not_an_issue" to "high" */

struct issue {
    const char *id, *experiment_id;
    int64_t experiment_number;
    const char *name, *description, *status;
    const char *severity;             /* or NULL */
    json_t *root_causes, *categories; /* arrays of text */
    const char *source_run;           /* the id of the run that found it, as it was given; or "" */
    const char *created_by;
    int64_t created_at, updated_at;
    int64_t traces; /* that have it; FIELD_NO_INT = not asked for */
};

struct issue_create {
    const char *project_id, *experiment_id, *name, *description;
    const char *status, *severity;       /* of the tables above; severity may be NULL */
    struct list root_causes, categories; /* const char * */
    const char *source_run, *created_by; /* or NULL */
};
MUST_USE enum err issue_create(struct ctx *cx, const struct issue_create *options,
                               struct issue *ret);
/* ERR_NOT_FOUND names the issue; id may be any text. */
MUST_USE enum err issue_get(struct ctx *cx, const char *project_id, const char *id,
                            struct issue *ret);

struct issue_change { /* NULL = as it was */
    const char *name, *description, *status, *severity;
};
MUST_USE enum err issue_change(struct ctx *cx, const char *project_id, const char *id,
                               const struct issue_change *change, struct issue *ret);

struct issue_search {
    const char *project_id;
    const char *experiment_id; /* or NULL: of any */
    const char *filter;        /* MLflow's dialect: status, source_run_id */
    int64_t limit;
    const char *token;
    bool with_traces; /* count the traces of each */
};
/* struct issue, the gravest and then the newest first; see search.h for what can go wrong. */
MUST_USE enum err issue_search(struct ctx *cx, const struct issue_search *search, struct list *ret,
                               const char **ret_next);
