/* Traces: what an application that uses language models was asked, what it answered, and the spans
 * of the work between.
 *
 * A client tells a trace (trace_put) and sends its spans (trace_ingest, OTLP): in either order, and
 * each again without harm. Spans of a trace that nobody told yet make it; then its time, duration
 * and state follow from them. A trace may belong to runs, and has tags, metadata and assessments:
 * feedback and expectations, JSON objects of the client with a name and a kind.
 *
 * Outside, an id is the client's trace_id ("tr-" and 32 hex digits), which is unique in a project;
 * here it is the UUID. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

#define TRACE_REQUEST_MAX ((size_t)4 << 20) /* bytes of spans in one request, unpacked */
#define TRACE_SPANS_MAX 10000               /* of one trace, and of one request */
#define TRACE_BYTES_MAX (32LL << 20)        /* of the spans of one trace, as JSON */
#define TRACE_REPLY_MAX (64LL << 20)        /* of the spans that a client reads at once */
#define TRACE_SHOWN_MAX (256LL << 10)       /* of the spans that a page reads whole */
#define TRACE_SPAN_SHOWN_MAX (2LL << 20)    /* of one span that a page reads whole */
#define TRACE_OF_REQUEST_MAX 1000           /* traces in one request */
#define TRACE_TEXTS_MAX 200                 /* tags or metadata in one request */
#define TRACE_VALUE_MAX 8000                /* characters of a tag; longer ones are cut */
#define TRACE_PREVIEW_MAX 10000             /* characters; longer ones are cut */
#define TRACE_LISTED_MAX 300                /* of them in a list of our own */
#define TRACE_ASSESSMENTS_MAX 200           /* of one trace */
#define TRACE_IDS_MAX 100                   /* traces that a request names one by one */

enum trace_state { TRACE_UNSPECIFIED, TRACE_OK, TRACE_ERROR, TRACE_IN_PROGRESS };
extern const char *const TRACE_STATE_NAMES[];

struct trace {
    const char *id, *project_id, *experiment_id, *trace_id;
    const char *client_request_id; /* or NULL */
    int64_t experiment_number, requested_at;
    int64_t duration_ms;                            /* FIELD_NO_INT = not known yet */
    int state;                                      /* enum trace_state */
    const char *request_preview, *response_preview; /* or NULL */
    json_t *tags, *metadata;                        /* objects of text */
    json_t *runs;                                   /* array of ids */
    json_t *assessments;                            /* array of objects, the oldest first */
    int64_t span_count;
};
extern const struct shape TRACE_SHAPE;

struct trace_span {
    const char *trace; /* the trace's UUID */
    const char *span_id, *parent_id, *name, *type, *status;
    int64_t started_ns, ended_ns;
    const char *body; /* JSON text, as OTLP's JSON names things */
    json_t *json;     /* the same; only where it says so */
};

struct trace_put {
    const char *project_id, *experiment_id, *trace_id;
    const char *client_request_id, *request_preview, *response_preview; /* or NULL */
    int64_t requested_at;
    int64_t duration_ms; /* FIELD_NO_INT = not known */
    enum trace_state state;
    json_t *tags, *metadata; /* objects of text, or NULL: added to what there is */
};
/* Makes the trace or tells it anew. ret_id: its UUID. */
MUST_USE enum err trace_put(struct ctx *cx, const struct trace_put *put, const char **ret_id);

/* OTLP's ExportTraceServiceRequest, gzipped or not. ERR_INVALID when it is no such message,
 * ERR_UNPROCESSABLE when it holds too much; then nothing of it is stored. */
MUST_USE enum err trace_ingest(struct ctx *cx, const char *project_id, const char *experiment_id,
                               const char *data, size_t size, bool gzipped);

/* ERR_NOT_FOUND names the trace. */
MUST_USE enum err trace_require(struct ctx *cx, const char *project_id, const char *trace_id,
                                const char **ret_id);
/* UUIDs of those that there are, in the order of trace_ids. */
MUST_USE enum err trace_find_ids(struct ctx *cx, const char *project_id,
                                 const struct list *trace_ids, struct list *ret_ids);
/* struct trace without spans, in the order of ids; those that are gone are left out. */
MUST_USE enum err traces_load(struct ctx *cx, const struct list *ids, struct list *ret);
/* struct trace_span with body, by trace and start. ERR_UNPROCESSABLE beyond TRACE_REPLY_MAX. */
MUST_USE enum err trace_spans_load(struct ctx *cx, const struct list *ids, struct list *ret);

MUST_USE enum err trace_set_tag(struct ctx *cx, const char *id, const char *key, const char *value);
MUST_USE enum err trace_delete_tag(struct ctx *cx, const char *id, const char *key,
                                   bool *ret_found);
/* An object of texts to set and of nulls to take away. */
MUST_USE enum err trace_change_tags(struct ctx *cx, const char *id, json_t *tags);
/* Of the same project; links that there are stay. */
MUST_USE enum err traces_link_run(struct ctx *cx, const struct list *ids, const char *run_id);

/* Prompts by name and version; links that there are stay. */
MUST_USE enum err trace_link_prompts(struct ctx *cx, const char *id, const char *const *names,
                                     const char *const *versions, size_t count);

struct trace_delete { /* either trace_ids, or all that were asked until before_us */
    const char *project_id, *experiment_id;
    const struct list *trace_ids; /* NULL = by time */
    int64_t before_us;            /* inclusive */
    int64_t limit;                /* the oldest first; FIELD_NO_INT = all */
};
MUST_USE enum err traces_delete(struct ctx *cx, const struct trace_delete *options,
                                int64_t *ret_count);
/* By UUIDs; those that are gone already do not count. */
MUST_USE enum err traces_remove(struct ctx *cx, const struct list *ids, int64_t *ret_count);

/* --- assessments --- */

/* The members that count: assessment_name, one of feedback, expectation and issue, overrides. The
 * object comes back completed: assessment_id, trace_id, create_time, last_update_time, valid. */
MUST_USE enum err assessment_put(struct ctx *cx, const char *id, const char *trace_id,
                                 const json_t *body, json_t **ret);
/* changes: the members that `paths` (const char *) name, each replaced; metadata is added to. */
MUST_USE enum err assessment_update(struct ctx *cx, const char *id, const char *assessment_id,
                                    const json_t *changes, const struct list *paths, json_t **ret);
MUST_USE enum err assessment_find(struct ctx *cx, const char *id, const char *assessment_id,
                                  json_t **ret);
/* What it took the place of is valid again. One that is not there is gone already. */
MUST_USE enum err assessment_delete(struct ctx *cx, const char *id, const char *assessment_id);

/* --- searching --- */

struct trace_search {
    const char *project_id;
    const char *const *experiment_ids; /* NULL = all of the project */
    size_t experiment_count;
    const char *run_id; /* linked to this run; NULL = whether linked or not */
    const char *filter;
    const char *const *order_by;
    size_t order_count;
    int64_t limit;
    const char *token;
    bool mlflow; /* otherwise previews are cut to TRACE_LISTED_MAX */
};
/* struct trace without spans; see search.h for what can go wrong. */
MUST_USE enum err trace_search(struct ctx *cx, const struct trace_search *search, struct list *ret,
                               const char **ret_next);

/* How two filters of MLflow's dialect go together, among the traces of a search's own filter. */
struct trace_counts {
    int64_t total, first, second, joint;
};
MUST_USE enum err trace_correlation(struct ctx *cx, const struct trace_search *base,
                                    const char *first, const char *second,
                                    struct trace_counts *ret);

extern const struct route TRACE_ROUTES[];
extern const size_t TRACE_ROUTE_COUNT;
extern const struct db_constraint TRACE_CONSTRAINTS[];
extern const size_t TRACE_CONSTRAINT_COUNT;
