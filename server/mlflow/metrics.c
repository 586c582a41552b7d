/* Metrics: one by one and in batches, and read back as histories.
 *
 * A request that brings nothing but metrics shares its commit with others (run_ingest_metrics). A
 * batch with parameters, tags or metrics of logged models is one transaction: all of it or none.
 * Times are milliseconds here, steps are as they are. */
#include "mlflow/internal.h"

#include "sql/mlflow.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_METRICS_MAX 1000
#define BATCH_TEXTS_MAX 100
#define BATCH_MAX 1000
/* 100 x (250 + 6000) and 100 x (250 + 8000) characters, up to 12 bytes each as JSON escapes them,
 * and 1,000 metrics. */
#define BATCH_BODY_MAX ((size_t)20 << 20)
#define HISTORY_PAGE 25000
#define HISTORY_WHOLE 100000 /* where the client names no limit */
#define BULK_RUNS_MAX 100
#define SAMPLE_MAX 2500

struct metric {
    const char *key;
    double value;
    int64_t timestamp, step; /* timestamp in ms */
    const char *model_id, *dataset_name, *dataset_digest;
};
static const struct field METRIC_FIELDS[] = {
    FIELD(STRING, struct metric, key, .flags = FIELD_REQUIRED),
    FIELD(REAL, struct metric, value, .flags = FIELD_REQUIRED),
    FIELD(INT, struct metric, timestamp, .flags = FIELD_REQUIRED),
    FIELD(INT, struct metric, step),
    FIELD(STRING, struct metric, model_id),
    FIELD(STRING, struct metric, dataset_name),
    FIELD(STRING, struct metric, dataset_digest),
};
static SHAPE(METRIC, "MlflowMetric", struct metric, METRIC_FIELDS);

/* --- logging --- */

/* "metrics[3].step", or "step" of a metric that stands alone (index -1). */
static const char *place_of(struct ctx *cx, int64_t index, const char *member) {
    return index < 0 ? member
                     : arena_printf(cx->arena, "metrics[%lld].%s", (long long)index, member);
}

static enum err check_metric(struct ctx *cx, int64_t index, const struct metric *m) {
    if (!mlflow_name_is_good(cx, m->key))
        return mlflow_check_name(cx, place_of(cx, index, "name"), m->key);
    if (m->timestamp < 0 || m->timestamp > MLFLOW_TIME_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter '%s' supplied: metric '%.250s'. "
                           "Timestamp must be a nonnegative long (64-bit integer) ",
                           (long long)m->timestamp, place_of(cx, index, "timestamp"), m->key);
    return mlflow_check_length(cx, "Metric name", m->key, MLFLOW_KEY_MAX);
}

static struct metric_point *points_of(struct ctx *cx, const struct metric *metrics, size_t count) {
    struct metric_point *points = arena_new_array(cx->arena, struct metric_point, count + 1);
    for (size_t i = 0; i < count; i++)
        points[i] = (struct metric_point){metrics[i].key, metrics[i].step,
                                          metrics[i].timestamp * 1000, metrics[i].value};
    return points;
}

static bool is_text(const char *text) {
    return text && *text;
}

static size_t model_metrics_of(struct ctx *cx, const struct metric *metrics, size_t count,
                               struct logged_model_metric **ret) {
    size_t found = 0;
    *ret = arena_new_array(cx->arena, struct logged_model_metric, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct metric *m = &metrics[i];
        if (is_text(m->model_id))
            (*ret)[found++] = (struct logged_model_metric){
                .model_id = m->model_id,
                .key = m->key,
                .step = m->step,
                .at_us = m->timestamp * 1000,
                .value = m->value,
                .dataset_name = is_text(m->dataset_name) ? m->dataset_name : NULL,
                .dataset_digest = is_text(m->dataset_digest) ? m->dataset_digest : NULL};
    }
    return found;
}

static enum err log_alone(struct ctx *cx, const struct req *rq, const char *run_id,
                          const struct metric *metrics, size_t count) {
    const char *project_id, *uuid = mlflow_run_uuid(cx, run_id);
    TRY(mlflow_project(cx, rq, &project_id));
    if (!uuid)
        return mlflow_fail_run(cx, run_id);
    return mlflow_refused(
        cx, run_ingest_metrics(cx, project_id, uuid, points_of(cx, metrics, count), count), run_id);
}

/* In the ctx's transaction; the run is one of the project. */
static enum err log_within(struct ctx *cx, const struct req *rq, const char *uuid,
                           const char *run_id, const struct metric *metrics, size_t count) {
    struct logged_model_metric *of_models;
    const char *project_id;
    size_t found = model_metrics_of(cx, metrics, count, &of_models);
    TRY(mlflow_project(cx, rq, &project_id));
    if (count)
        TRY(mlflow_refused(cx, run_log_metrics(cx, uuid, points_of(cx, metrics, count), count),
                           run_id));
    return found ? logged_model_log_metrics(cx, project_id, uuid, of_models, found) : OK;
}

struct log_metric {
    struct metric metric; /* first: METRIC's fields */
    const char *run_id;
};
static const struct field LOG_METRIC_FIELDS[] = {
    FIELD(STRING, struct log_metric, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct metric, key, .flags = FIELD_REQUIRED),
    FIELD(REAL, struct metric, value, .flags = FIELD_REQUIRED),
    FIELD(INT, struct metric, timestamp, .flags = FIELD_REQUIRED),
    FIELD(INT, struct metric, step),
    FIELD(STRING, struct metric, model_id),
    FIELD(STRING, struct metric, dataset_name),
    FIELD(STRING, struct metric, dataset_digest),
};
static SHAPE(LOG_METRIC, "MlflowLogMetric", struct log_metric, LOG_METRIC_FIELDS);

static enum err post_metric(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct log_metric *in = rq->body;
    const char *uuid;
    (void)rp;
    TRY(check_metric(cx, -1, &in->metric));
    if (!is_text(in->metric.model_id))
        return log_alone(cx, rq, in->run_id, &in->metric, 1);
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    return log_within(cx, rq, uuid, in->run_id, &in->metric, 1);
}

/* --- batches --- */

struct batch {
    const char *run_id;
    struct list metrics, params, tags;
};
static const struct field BATCH_FIELDS[] = {
    FIELD(STRING, struct batch, run_id, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct batch, metrics, .nested = &METRIC),
    FIELD(LIST, struct batch, params, .nested = &MLFLOW_TAG),
    FIELD(LIST, struct batch, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(BATCH, "MlflowLogBatch", struct batch, BATCH_FIELDS);

static enum err check_count(struct ctx *cx, const char *what, size_t limit, size_t count) {
    if (count <= limit)
        return OK;
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "A batch logging request can contain at most %zu %s. Got %zu %s. Please "
                       "split up %s across multiple requests and try again.",
                       limit, what, count, what, what);
}

/* Keys and values as two arrays, checked and cut. */
struct texts {
    const char **keys, **values;
    size_t count;
};

static enum err texts_of(struct ctx *cx, const struct list *items, const char *name, size_t limit,
                         struct texts *ret) {
    const struct mlflow_tag *item = items->items;
    bool tags = strcmp(name, "tags") == 0;
    *ret = (struct texts){arena_new_array(cx->arena, const char *, items->count + 1),
                          arena_new_array(cx->arena, const char *, items->count + 1), items->count};
    for (size_t i = 0; i < items->count; i++) {
        const char *place = arena_printf(cx->arena, "%s[%zu].key", name, i);
        TRY(mlflow_check_name(cx, place, item[i].key));
        TRY(mlflow_check_length(cx, tags ? place : "Param key", item[i].key, MLFLOW_KEY_MAX));
        ret->keys[i] = item[i].key;
        ret->values[i] = mlflow_cut(cx, item[i].value ? item[i].value : "", limit);
    }
    return OK;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err check_unique(struct ctx *cx, const struct texts *params) {
    const char **keys = arena_memdup(cx->arena, params->keys, params->count * sizeof(*keys));
    qsort(keys, params->count, sizeof(*keys), compare_texts);
    for (size_t i = 1; i < params->count; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                               "Duplicate parameter keys have been submitted: ['%.250s']. Please "
                               "ensure the request contains only one param value per param key.",
                               keys[i]);
    return OK;
}

static enum err check_batch(struct ctx *cx, const struct batch *in, struct texts *ret_params,
                            struct texts *ret_tags) {
    const struct metric *metric = in->metrics.items;
    size_t all = in->metrics.count + in->params.count + in->tags.count;
    TRY(check_count(cx, "metrics", BATCH_METRICS_MAX, in->metrics.count));
    TRY(check_count(cx, "params", BATCH_TEXTS_MAX, in->params.count));
    TRY(check_count(cx, "tags", BATCH_TEXTS_MAX, in->tags.count));
    TRY(check_count(cx, "metrics, params, and tags", BATCH_MAX, all));
    for (size_t i = 0; i < in->metrics.count; i++)
        TRY(check_metric(cx, (int64_t)i, &metric[i]));
    TRY(texts_of(cx, &in->params, "params", MLFLOW_PARAM_MAX, ret_params));
    TRY(texts_of(cx, &in->tags, "tags", MLFLOW_TAG_MAX, ret_tags));
    return check_unique(cx, ret_params);
}

static enum err log_params(struct ctx *cx, const char *uuid, const char *run_id,
                           const struct texts *params) {
    const char *clash = NULL, *old = NULL, *now = "";
    if (params->count == 0)
        return OK;
    enum err err =
        run_log_params(cx, uuid, params->keys, params->values, params->count, &clash, &old);
    for (size_t i = 0; clash && i < params->count; i++)
        if (strcmp(params->keys[i], clash) == 0)
            now = params->values[i];
    if (clash)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Changing param values is not allowed. Params were already "
                           "logged='[{'key': '%s', 'old_value': '%.60s', 'new_value': '%.60s'}]' "
                           "for run ID='%s'.",
                           clash, old, now, run_id);
    return mlflow_refused(cx, err, run_id);
}

static bool names_models(const struct list *metrics) {
    const struct metric *metric = metrics->items;
    for (size_t i = 0; i < metrics->count; i++)
        if (is_text(metric[i].model_id))
            return true;
    return false;
}

static enum err post_batch(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct batch *in = rq->body;
    struct texts params, tags;
    const char *uuid;
    (void)rp;
    TRY(check_batch(cx, in, &params, &tags));
    if (in->metrics.count && !params.count && !tags.count && !names_models(&in->metrics))
        return log_alone(cx, rq, in->run_id, in->metrics.items, in->metrics.count);
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    TRY(log_params(cx, uuid, in->run_id, &params));
    TRY(log_within(cx, rq, uuid, in->run_id, in->metrics.items, in->metrics.count));
    if (tags.count)
        TRY(mlflow_refused(cx, run_put_tags(cx, uuid, tags.keys, tags.values, tags.count),
                           in->run_id));
    return OK;
}

/* --- histories --- */

static void write_point(struct json_writer *w, const struct metric_point *point,
                        const char *run_id) {
    jw_begin(w, '{');
    jw_member_text(w, "key", point->key);
    jw_name(w, "value");
    jw_real(w, point->value);
    jw_member_int(w, "timestamp", mlflow_ms(point->at_us));
    jw_member_int(w, "step", point->step);
    if (run_id)
        jw_member_text(w, "run_id", run_id);
    jw_end(w, '}');
}

static void write_points(struct json_writer *w, const struct list *points, const char *run_id) {
    const struct metric_point *point = points->items;
    for (size_t i = 0; i < points->count; i++)
        write_point(w, &point[i], run_id);
}

struct history {
    const char *run_id, *metric_key, *page_token;
    int64_t max_results;
};
static const struct field HISTORY_FIELDS[] = {
    FIELD(STRING, struct history, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct history, metric_key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct history, page_token),
    FIELD(INT, struct history, max_results, .flags = FIELD_NULLABLE),
};
static SHAPE(HISTORY, "MlflowMetricHistory", struct history, HISTORY_FIELDS);

static enum err get_history(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct history *in = rq->query;
    int64_t limit = in->max_results == FIELD_NO_INT   ? HISTORY_WHOLE
                    : in->max_results > HISTORY_WHOLE ? HISTORY_WHOLE
                                                      : in->max_results;
    struct json_writer *w = mlflow_json(cx);
    const char *uuid, *next;
    struct list points;
    if (limit <= 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter 'max_results' supplied. It must be a "
                           "positive integer.",
                           (long long)limit);
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    TRY(run_history(cx, uuid, in->metric_key, limit,
                    is_text(in->page_token) ? in->page_token : NULL, &points, &next));
    jw_begin(w, '{');
    if (points.count) {
        jw_member_begin(w, "metrics", '[');
        write_points(w, &points, NULL);
        jw_end(w, ']');
    }
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

struct run_row {
    const char *id;
};
static const struct field RUN_ROW_FIELDS[] = {FIELD(UUID, struct run_row, id)};
static SHAPE(RUN_ROW, "MlflowRunRow", struct run_row, RUN_ROW_FIELDS);

/* Those of the runs that there are in the project, by id: ret is a list of struct run_row. */
static enum err runs_here(struct ctx *cx, const struct req *rq, const struct list *run_ids,
                          struct list *ret) {
    const char **uuids = arena_new_array(cx->arena, const char *, run_ids->count + 1);
    const char *project_id;
    size_t count = 0;
    for (size_t i = 0; i < run_ids->count; i++) {
        const char *uuid = mlflow_run_uuid(cx, ((const char *const *)run_ids->items)[i]);
        if (uuid)
            uuids[count++] = uuid;
    }
    TRY(mlflow_project(cx, rq, &project_id));
    return db_many(cx, &SQL_mlflow_runs_here,
                   ARGS(cx->who.team_id, project_id, db_text_array(cx, uuids, count)), &RUN_ROW,
                   ret);
}

struct bulk {
    struct list run_id;
    const char *metric_key;
    int64_t max_results;
};
static const struct field BULK_FIELDS[] = {
    FIELD(STRINGS, struct bulk, run_id),
    FIELD(STRING, struct bulk, metric_key),
    FIELD(INT, struct bulk, max_results, .flags = FIELD_NULLABLE),
};
static SHAPE(BULK, "MlflowMetricHistoryBulk", struct bulk, BULK_FIELDS);

static enum err check_bulk(struct ctx *cx, const struct bulk *in) {
    if (in->run_id.count == 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "GetMetricHistoryBulk request must specify at least one run_id.");
    if (in->run_id.count > BULK_RUNS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "GetMetricHistoryBulk request cannot specify more than %d run_ids. "
                           "Received %zu run_ids.",
                           BULK_RUNS_MAX, in->run_id.count);
    if (!in->metric_key)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "GetMetricHistoryBulk request must specify a metric_key.");
    return OK;
}

static enum err get_history_bulk(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct bulk *in = rq->query;
    struct json_writer *w = mlflow_json(cx);
    struct list runs, points;
    TRY(check_bulk(cx, in));
    bool asked = in->max_results > 0 && in->max_results < HISTORY_PAGE;
    int64_t left = asked ? in->max_results : HISTORY_PAGE;
    TRY(runs_here(cx, rq, &in->run_id, &runs));
    jw_begin(w, '{');
    jw_member_begin(w, "metrics", '[');
    for (size_t i = 0; i < runs.count && left > 0; i++) {
        const char *uuid = ((const struct run_row *)runs.items)[i].id, *next;
        TRY(run_history(cx, uuid, in->metric_key, left, NULL, &points, &next));
        write_points(w, &points, mlflow_run_id(cx, uuid));
        left -= (int64_t)points.count;
    }
    jw_end(w, ']');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

struct interval {
    struct list run_ids;
    const char *metric_key;
    int64_t start_step, end_step, max_results;
};
static const struct field INTERVAL_FIELDS[] = {
    FIELD(STRINGS, struct interval, run_ids, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct interval, metric_key, .flags = FIELD_REQUIRED),
    FIELD(INT, struct interval, start_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct interval, end_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct interval, max_results, .flags = FIELD_NULLABLE),
};
static SHAPE(INTERVAL, "MlflowMetricHistoryInterval", struct interval, INTERVAL_FIELDS);

static enum err check_interval(struct ctx *cx, const struct interval *in) {
    bool start = in->start_step != FIELD_NO_INT, end = in->end_step != FIELD_NO_INT;
    if (in->run_ids.count > BULK_RUNS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "GetMetricHistoryBulkInterval request must specify at most %d run_ids. "
                           "Received %zu run_ids. See the API docs for more information about "
                           "request parameters.",
                           BULK_RUNS_MAX, in->run_ids.count);
    if (in->max_results != FIELD_NO_INT && (in->max_results < 1 || in->max_results > SAMPLE_MAX))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "max_results must be between 1 and %d. See the API docs for more "
                           "information about request parameters.",
                           SAMPLE_MAX);
    if (start != end)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "If either start step or end step are specified, both must be "
                           "specified.");
    if (start && in->start_step > in->end_step)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "end_step must be greater than start_step. Found start_step=%lld and "
                           "end_step=%lld.",
                           (long long)in->start_step, (long long)in->end_step);
    return OK;
}

static int by_step(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Puts in order and drops what is there twice. */
static size_t unique_steps(int64_t *steps, size_t count) {
    size_t kept = 0;
    if (count)
        qsort(steps, count, sizeof(*steps), by_step);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || steps[i] != steps[kept - 1])
            steps[kept++] = steps[i];
    return kept;
}

/* The steps that runs beside each other are shown at: an even choice of those that any of them has,
 * and the ends of each. */
static size_t choose_steps(struct ctx *cx, const struct list *series, size_t runs, size_t max,
                           int64_t **ret) {
    size_t total = 0, count = 0, chosen = 0;
    for (size_t i = 0; i < runs; i++)
        total += series[i].count;
    int64_t *steps = arena_new_array(cx->arena, int64_t, total + max + 2 * runs + 1);
    for (size_t i = 0; i < runs; i++)
        for (size_t k = 0; k < series[i].count; k++)
            steps[count++] = ((const struct metric_point *)series[i].items)[k].step;
    count = unique_steps(steps, count);
    *ret = steps;
    if (count <= max)
        return count;
    int64_t *ends = steps + count;
    for (size_t i = 0; i < runs; i++) {
        const struct metric_point *points = series[i].items;
        if (series[i].count) {
            *ends++ = points[0].step;
            *ends++ = points[series[i].count - 1].step;
        }
    }
    for (; chosen < max; chosen++) /* each is at or before the place it is taken from */
        steps[chosen] = steps[chosen * count / max];
    for (const int64_t *end = steps + count; end < ends; end++)
        steps[chosen++] = *end;
    return unique_steps(steps, chosen);
}

static void keep_steps(struct list *points, const int64_t *steps, size_t count) {
    struct metric_point *items = points->items;
    size_t kept = 0;
    for (size_t i = 0; i < points->count; i++)
        if (bsearch(&items[i].step, steps, count, sizeof(*steps), by_step))
            items[kept++] = items[i];
    points->count = kept;
}

/* Of each run a sample; of several, at the same steps. */
static enum err sample_runs(struct ctx *cx, const struct interval *in, const struct list *runs,
                            struct list *ret) {
    int64_t max = in->max_results == FIELD_NO_INT ? SAMPLE_MAX : in->max_results;
    int64_t each = runs->count > 1 ? SAMPLE_MAX : max, *steps;
    for (size_t i = 0; i < runs->count; i++)
        TRY(run_history_sample(cx, ((const struct run_row *)runs->items)[i].id, in->metric_key,
                               in->start_step, in->end_step, each, &ret[i]));
    size_t count = choose_steps(cx, ret, runs->count, (size_t)max, &steps);
    for (size_t i = 0; i < runs->count && runs->count > 1; i++)
        keep_steps(&ret[i], steps, count);
    return OK;
}

static enum err get_history_interval(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct interval *in = rq->query;
    struct json_writer *w = mlflow_json(cx);
    struct list runs;
    bool any = false;
    TRY(check_interval(cx, in));
    TRY(runs_here(cx, rq, &in->run_ids, &runs));
    struct list *points = arena_new_array(cx->arena, struct list, runs.count + 1);
    TRY(sample_runs(cx, in, &runs, points));
    jw_begin(w, '{');
    for (size_t i = 0; i < runs.count; i++) {
        if (points[i].count && !any)
            jw_member_begin(w, "metrics", '[');
        any |= points[i].count > 0;
        write_points(w, &points[i], mlflow_run_id(cx, ((const struct run_row *)runs.items)[i].id));
    }
    if (any)
        jw_end(w, ']');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

const struct route MLFLOW_METRIC_ROUTES[] = {
    {POST, "/api/2.0/mlflow/runs/log-metric", SCOPE_RUN_INGEST, .body = &LOG_METRIC,
     .handle = post_metric, .flags = ROUTE_MLFLOW, .doc = "Log a metric of a run."},
    {POST, "/api/2.0/mlflow/runs/log-batch", SCOPE_RUN_INGEST, .body = &BATCH, .handle = post_batch,
     .flags = ROUTE_MLFLOW, .max_body = BATCH_BODY_MAX,
     .doc = "Log metrics, parameters and tags of a run at once."},
    {GET, "/api/2.0/mlflow/metrics/get-history", SCOPE_RUN_READ, .query = &HISTORY,
     .handle = get_history, .flags = ROUTE_MLFLOW, .doc = "Read the points of a metric."},
    {GET, "/api/2.0/mlflow/metrics/get-history-bulk", SCOPE_RUN_READ, .query = &BULK,
     .handle = get_history_bulk, .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH,
     .doc = "Read the points of a metric of many runs."},
    {GET, "/api/2.0/mlflow/metrics/get-history-bulk-interval", SCOPE_RUN_READ, .query = &INTERVAL,
     .handle = get_history_interval, .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH,
     .doc = "Read an even sample of a metric of many runs."},
};
const size_t MLFLOW_METRIC_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_METRIC_ROUTES);
