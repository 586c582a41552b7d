/* Traces as MLflow's clients read and name them: what the files about them share. */
#pragma once

#include "mlflow/internal.h"
#include "traces/traces.h"

#define MLFLOW_TRACES_DEFAULT 100 /* of a page */
#define MLFLOW_TRACES_MOST 500

void mlflow_write_trace_info(struct ctx *cx, struct json_writer *w, const struct trace *trace);
/* As clients before 3 read it. */
void mlflow_write_old_trace_info(struct ctx *cx, struct json_writer *w, const struct trace *trace);
/* The trace of that UUID. */
MUST_USE enum err mlflow_load_trace(struct ctx *cx, const char *id, struct trace *ret);

/* The request's trace {trace} in its project. */
MUST_USE enum err mlflow_require_trace(struct ctx *cx, const struct req *rq, const char **ret_id);
/* Told by a client; its run, when the metadata names one, is linked. */
MUST_USE enum err mlflow_put_trace(struct ctx *cx, const struct trace_put *put,
                                   const char **ret_id);
/* Has the search look in the experiments that the client names, in MLflow's dialect. */
MUST_USE enum err mlflow_trace_places(struct ctx *cx, const struct req *rq,
                                      struct trace_search *search, const struct list *experiments);
/* A page of those that a client asks for. */
MUST_USE enum err mlflow_search_traces(struct ctx *cx, const struct req *rq,
                                       struct trace_search *search, const struct list *experiments,
                                       int64_t max_results, struct list *ret,
                                       const char **ret_next);

/* Tags, deletion, links: the same for both versions. */
enum err mlflow_set_trace_tag(struct ctx *cx, const struct req *rq, struct reply *rp);
enum err mlflow_delete_trace_tag(struct ctx *cx, const struct req *rq, struct reply *rp);
enum err mlflow_delete_traces(struct ctx *cx, const struct req *rq, struct reply *rp);
extern const struct shape MLFLOW_TRACE_TAG, MLFLOW_TRACE_TAG_KEY, MLFLOW_TRACES_DELETE;
