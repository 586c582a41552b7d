/* Routes of jobs for people: lists, one job, cancel and retry, its events and log lines. */

#include "http/page.h"
#include "jobs/jobs_private.h"
#include "sql/jobs.h"

#include <math.h>
#include <string.h>

/* --- shapes --- */

/* A job as people see it: the subject under the name of what it is. */
struct job_reply {
    const char *id, *project_id, *kind, *name;
    int state;
    int64_t attempt, max_attempts;
    double progress;
    const char *message;
    double eta_s;
    const char *worker;
    json_t *error;
    int64_t created_at, started_at, finished_at;
    const char *created_by;
    const char *run_id, *dataset_version_id, *model_version_id;
    const char *waiting_for;
};

static const struct field JOB_FIELDS[] = {
    FIELD(UUID, struct job_reply, id),
    FIELD(UUID, struct job_reply, project_id),
    FIELD(STRING, struct job_reply, kind, .doc = "dataset.import, train or predict"),
    FIELD(STRING, struct job_reply, name),
    FIELD(ENUM, struct job_reply, state, .names = JOB_STATE_NAMES),
    FIELD(INT, struct job_reply, attempt, .doc = "attempts begun so far"),
    FIELD(INT, struct job_reply, max_attempts),
    FIELD(REAL, struct job_reply, progress, .doc = "0 to 1"),
    FIELD(STRING, struct job_reply, message),
    FIELD(REAL, struct job_reply, eta_s, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct job_reply, worker, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct job_reply, error, .flags = FIELD_NULLABLE, .typescript = "JobError"),
    FIELD(TIME, struct job_reply, created_at),
    FIELD(TIME, struct job_reply, started_at, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct job_reply, finished_at, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct job_reply, created_by),
    FIELD(UUID, struct job_reply, run_id, .flags = FIELD_NULLABLE),
    FIELD(UUID, struct job_reply, dataset_version_id, .flags = FIELD_NULLABLE),
    FIELD(UUID, struct job_reply, model_version_id, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct job_reply, waiting_for, .flags = FIELD_NULLABLE,
          .doc = "why a queued job is not running; not told in lists"),
};
static SHAPE(JOB, "Job", struct job_reply, JOB_FIELDS);

struct jobs_query {
    struct page_query page;
    const char *state, *kind;
};
static const struct field JOBS_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct jobs_query),
    FIELD(STRING, struct jobs_query, state, .max = 20),
    FIELD(STRING, struct jobs_query, kind, .max = 50),
};
static SHAPE(JOBS_QUERY, "JobQuery", struct jobs_query, JOBS_QUERY_FIELDS);

struct job_event {
    int64_t seq, at;
    int from_state, state; /* from_state FIELD_NO_ENUM = it was created */
    int64_t attempt;
    const char *reason;
};
static const struct field JOB_EVENT_FIELDS[] = {
    FIELD(INT, struct job_event, seq),
    FIELD(TIME, struct job_event, at),
    FIELD(ENUM, struct job_event, from_state, .flags = FIELD_NULLABLE, .names = JOB_STATE_NAMES),
    FIELD(ENUM, struct job_event, state, .names = JOB_STATE_NAMES),
    FIELD(INT, struct job_event, attempt),
    FIELD(STRING, struct job_event, reason),
};
static SHAPE(JOB_EVENT, "JobEvent", struct job_event, JOB_EVENT_FIELDS);

struct events_query {
    struct page_query page;
};
static const struct field EVENTS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct events_query)};
static SHAPE(EVENTS_QUERY, "JobEventQuery", struct events_query, EVENTS_QUERY_FIELDS);

struct job_log_line {
    int64_t seq, at;
    int level;
    const char *message;
};
static const char *const LEVEL_NAMES[] = {"info", "warning", "error", NULL};
static const struct field JOB_LOG_LINE_FIELDS[] = {
    FIELD(INT, struct job_log_line, seq),
    FIELD(TIME, struct job_log_line, at),
    FIELD(ENUM, struct job_log_line, level, .names = LEVEL_NAMES),
    FIELD(STRING, struct job_log_line, message),
};
static SHAPE(JOB_LOG_LINE, "JobLogLine", struct job_log_line, JOB_LOG_LINE_FIELDS);

struct job_logs_query {
    int64_t after, limit;
};
static const struct field JOB_LOGS_QUERY_FIELDS[] = {
    FIELD(INT, struct job_logs_query, after, .min = 0, .max = INT64_MAX,
          .doc = "only lines with a greater seq"),
    FIELD(INT, struct job_logs_query, limit, .min = 1, .max = 1000, .doc = "200 by default"),
};
static SHAPE(JOB_LOGS_QUERY, "JobLogQuery", struct job_logs_query, JOB_LOGS_QUERY_FIELDS);

/* --- one job --- */

static void set_subject(struct ctx *cx, const struct job *job, struct job_reply *r) {
    const struct job_kind *kind = job_kind_find(cx->app->jobs, job->kind);
    const char *subject = kind && kind->subject ? kind->subject : "";
    if (strcmp(subject, "run_id") == 0)
        r->run_id = job->subject_id;
    else if (strcmp(subject, "dataset_version_id") == 0)
        r->dataset_version_id = job->subject_id;
    else if (strcmp(subject, "model_version_id") == 0)
        r->model_version_id = job->subject_id;
}

static void fill(struct ctx *cx, const struct job *job, struct job_reply *r) {
    *r = (struct job_reply){.id = job->id,
                            .project_id = job->project_id,
                            .kind = job->kind,
                            .name = job->name,
                            .state = job->state,
                            .attempt = job->attempt,
                            .max_attempts = job->max_attempts,
                            .progress = job->progress,
                            .message = job->message,
                            .eta_s = job->eta_s,
                            .worker = job->state == JOB_QUEUED ? NULL : job->worker,
                            .error = job->error,
                            .created_at = job->created_at,
                            .started_at = job->started_at,
                            .finished_at = job->finished_at,
                            .created_by = job->created_by};
    set_subject(cx, job, r);
}

static enum err reply_job(struct ctx *cx, struct reply *rp, const struct job_row *row) {
    struct job_reply *r = arena_new_struct(cx->arena, struct job_reply);
    fill(cx, &row->job, r);
    TRY(job_waiting_for(cx, row, &r->waiting_for));
    reply_object(rp, r);
    return OK;
}

static enum err get_job(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct job_row row;
    TRY(job_row_get(cx, req_param(rq, "job"), &row));
    return reply_job(cx, rp, &row);
}

static enum err post_cancel(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct job job;
    struct job_row row;
    TRY(job_cancel(cx, req_param(rq, "job"), &job));
    TRY(job_row_get(cx, job.id, &row));
    return reply_job(cx, rp, &row);
}

static enum err post_retry(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct job_row row;
    TRY(job_retry(cx, req_param(rq, "job"), &row));
    return reply_job(cx, rp, &row);
}

/* --- lists --- */

static enum err require_project_id(struct ctx *cx, const char *slug, const char **ret) {
    TRY(db_value(cx, &SQL_job_project, ARGS(cx->who.team_id, slug), ret));
    return *ret ? OK : fail(cx, ERR_NOT_FOUND, "there is no such project");
}

static enum err get_jobs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct jobs_query *query = rq->query;
    const char *project_id, *after;
    struct list rows;
    TRY(require_project_id(cx, req_param(rq, "project"), &project_id));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_job_list,
                ARGS(cx->who.team_id, project_id, query->state, query->kind, after,
                     page_rows(cx, &query->page)),
                &JOB_ROW, &rows));
    struct job_reply *items = arena_new_array(cx->arena, struct job_reply, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        fill(cx, &((struct job_row *)rows.items)[i].job, &items[i]);
    reply_page_by_id(cx, rq, rp, &query->page, (struct list){items, rows.count});
    return OK;
}

static enum err get_events(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct events_query *query = rq->query;
    struct job_row row;
    struct list events;
    const char *after = NULL, *next = NULL;
    TRY(job_row_get(cx, req_param(rq, "job"), &row));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_job_event_list,
                ARGS(cx->who.team_id, row.job.id, after ? after : "0", page_rows(cx, &query->page)),
                &JOB_EVENT, &events));
    size_t limit = (size_t)page_limit(&query->page);
    if (events.count > limit) {
        events.count = limit;
        next = cursor_encode(
            cx, ARGS(db_int(cx, ((struct job_event *)events.items)[limit - 1].seq)), 1);
    }
    reply_page(rp, events, next);
    return OK;
}

/* The cursor is the plain seq: a page that follows a running job asks for more with ?after=. */
static enum err get_logs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct job_logs_query *query = rq->query;
    struct job_row row;
    struct list lines;
    TRY(job_row_get(cx, req_param(rq, "job"), &row));
    TRY(db_many(cx, &SQL_job_log_list,
                ARGS(cx->who.team_id, row.job.id, db_int(cx, query->after),
                     db_int(cx, query->limit ? query->limit : 200)),
                &JOB_LOG_LINE, &lines));
    const struct job_log_line *items = lines.items;
    reply_page(rp, lines, lines.count ? db_int(cx, items[lines.count - 1].seq) : NULL);
    return OK;
}

const struct route JOBS_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/jobs", SCOPE_JOB_READ, .query = &JOBS_QUERY, .reply = &JOB,
     .handle = get_jobs, .flags = ROUTE_LIST, .doc = "A project's jobs, the newest first."},
    {GET, "/api/v1/jobs/{job}", SCOPE_JOB_READ, .reply = &JOB, .handle = get_job,
     .doc = "One job, and what it waits for."},
    {POST, "/api/v1/jobs/{job}/cancel", SCOPE_JOB_WRITE, .reply = &JOB, .handle = post_cancel,
     .audit = "job.cancel", .doc = "Ask a job to stop."},
    {POST, "/api/v1/jobs/{job}/retry", SCOPE_JOB_WRITE, .reply = &JOB, .handle = post_retry,
     .audit = "job.retry", .doc = "Queue a failed or cancelled job again."},
    {GET, "/api/v1/jobs/{job}/events", SCOPE_JOB_READ, .query = &EVENTS_QUERY, .reply = &JOB_EVENT,
     .handle = get_events, .flags = ROUTE_LIST, .doc = "Every change of a job's state."},
    {GET, "/api/v1/jobs/{job}/logs", SCOPE_JOB_READ, .query = &JOB_LOGS_QUERY,
     .reply = &JOB_LOG_LINE, .handle = get_logs, .flags = ROUTE_LIST,
     .doc = "What a job's runner said, oldest first."},
};
const size_t JOBS_ROUTE_COUNT = ROUTES_COUNT(JOBS_ROUTES);
